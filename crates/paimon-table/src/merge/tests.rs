#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::Arc;

use paimon_format::avro::Codec;
use paimon_format::{SimpleStats, TypeRoot};
use proptest::prelude::*;
use tributary_runtime::Executor;
use uuid::Uuid;

use super::*;
use crate::manifests::Recent;
use crate::testing::*;

fn manifest(size: i64, deleted: i64) -> ManifestFileMeta {
    ManifestFileMeta {
        file_name: format!("manifest-{size}-{deleted}"),
        file_size: size,
        num_added_files: 1,
        num_deleted_files: deleted,
        partition_stats: SimpleStats::EMPTY,
        schema_id: 0,
        min_bucket: Some(0),
        max_bucket: Some(0),
        min_level: Some(0),
        max_level: Some(0),
        min_row_id: None,
        max_row_id: None,
    }
}

const POLICY: MergePolicy = MergePolicy { target_bytes: 1000, min_count: 3, full_threshold_bytes: 2000 };

#[test]
fn runs_of_similar_size_are_merged_and_nothing_else() {
    let run = |range| Some(Selection::Run(range));
    for (sizes, expected) in [
        (&[][..], None),
        (&[1, 1], None),
        (&[1, 1, 1], run(0..3)),
        // What was merged before is left alone until there are as many of its size.
        (&[30, 1, 1], None),
        (&[30, 1, 1, 1], run(1..4)),
        (&[90, 30, 1, 1], None),
        (&[30, 30, 30, 1], run(1..4)),
        // Full manifests are never read again, and part the runs.
        (&[1000, 1, 1], None),
        (&[1, 1, 1000, 1, 1], None),
        (&[1, 1, 1, 1000, 1, 1], run(0..3)),
        // Enough for a full one, whatever the count.
        (&[500, 499], None),
        (&[500, 500], run(0..2)),
        (&[1000, 1, 500, 500], run(1..4)),
    ] {
        let manifests: Vec<_> = sizes.iter().map(|size| manifest(*size, 0)).collect();
        assert_eq!(POLICY.select(&manifests), expected, "{sizes:?}");
    }
}

#[test]
fn sizes_that_never_look_similar_are_merged_once_the_largest_is_an_eighth() {
    let policy = MergePolicy { min_count: 5, ..POLICY };
    for (periods, expected) in [(6, None), (7, Some(Selection::Run(0..28)))] {
        let manifests: Vec<_> = [20, 1, 1, 1].repeat(periods).into_iter().map(|size| manifest(size, 0)).collect();
        assert_eq!(policy.select(&manifests), expected, "{periods}");
    }
}

#[test]
fn much_that_changes_asks_for_a_full_merge() {
    for (manifests, full) in [
        (vec![manifest(1500, 1), manifest(400, 0)], false),
        (vec![manifest(1500, 1), manifest(500, 0)], true),
        (vec![manifest(5000, 1)], false),
        (vec![manifest(5000, 0), manifest(5000, 0)], false),
    ] {
        assert_eq!(POLICY.select(&manifests) == Some(Selection::Full), full, "{manifests:?}");
    }
}

/// Sizes stand in for entries: a merge of a run yields the sum.
fn simulate(sizes: impl IntoIterator<Item = i64>, policy: &MergePolicy) -> (usize, f64) {
    let mut manifests = Vec::new();
    let (mut longest, mut added, mut rewritten) = (0, 0, 0);
    for size in sizes {
        if let Some(Selection::Run(run)) = policy.select(&manifests) {
            let sum: i64 = manifests[run.clone()].iter().map(|manifest| manifest.file_size).sum();
            rewritten += sum;
            manifests.splice(run, [manifest(sum, 0)]);
        }
        added += size;
        manifests.push(manifest(size, 0));
        longest = longest.max(manifests.iter().filter(|manifest| manifest.file_size < 1_000_000).count());
    }
    (longest, rewritten as f64 / added as f64)
}

const LONG: MergePolicy = MergePolicy { target_bytes: 1_000_000, min_count: 30, full_threshold_bytes: u64::MAX };

#[test]
fn entries_are_rewritten_a_few_times_only() {
    let (longest, amplification) = simulate(std::iter::repeat_n(100, 60_000), &LONG);
    assert!(longest <= 100, "{longest} small manifests");
    assert!(amplification <= 4.0, "every entry is rewritten {amplification} times");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_sequence_of_sizes_makes_the_list_long_or_the_work_large(
        sizes in prop::collection::vec(prop_oneof![8 => 1_i64..200, 2 => 200_i64..5_000, 1 => 5_000_i64..300_000], 300..1_500),
    ) {
        let (longest, amplification) = simulate(sizes, &LONG);
        prop_assert!(longest <= 300, "{longest} small manifests");
        prop_assert!(amplification <= 6.0, "every entry is rewritten {amplification} times");
    }
}

/// Commits of added and deleted files, by number; a file is deleted once, after it was added.
fn commits() -> impl Strategy<Value = Vec<(u8, Vec<prop::sample::Index>)>> {
    prop::collection::vec((0_u8..6, prop::collection::vec(any::<prop::sample::Index>(), 0..3)), 1..40)
}

async fn check_same_live_set(commits: Vec<(u8, Vec<prop::sample::Index>)>, policy: MergePolicy) {
    let storage = memory();
    let format = ManifestFormat {
        codec: Codec::Zstandard(1),
        target_bytes: policy.target_bytes,
        partition_roots: Arc::from([TypeRoot::Varchar(i32::MAX as u32)]),
        executor: Executor::inline(),
        recent: Recent::default(),
    };
    let mut names = Names::new(Uuid::from_u128(1));
    let mut manifests = Vec::new();
    let mut live: BTreeSet<String> = BTreeSet::new();
    let mut number = 0;
    let entry = |name: &str, kind| {
        let day = format!("2026-01-0{}", 1 + name.len() % 3);
        let added = file(name, &day, 1);
        ManifestEntry { kind, partition: added.partition, bucket: 0, total_buckets: -1, file: added.meta }
    };
    for (added, deleted) in commits {
        if let Some(selection) = policy.select(&manifests) {
            let merged = merge(&storage, &format, &mut names, &manifests, &policy, selection).await.unwrap();
            manifests = merged.apply(&manifests).unwrap();
        }
        let mut entries = Vec::new();
        for index in deleted {
            if !live.is_empty() {
                let name = live.iter().nth(index.index(live.len())).unwrap().clone();
                live.remove(&name);
                entries.push(entry(&name, FileKind::Delete));
            }
        }
        for _ in 0..added {
            number += 1;
            let name = format!("{}-{number}", "x".repeat(number % 3));
            entries.push(entry(&name, FileKind::Add));
            live.insert(name);
        }
        manifests.extend(write(&storage, &format, &mut names, entries, None).await.unwrap());
        // In order and strictly, as 0.9 reads: nothing is added twice, every deletion comes after its file.
        let all = format.read_all(&storage, &manifests).await.unwrap();
        let left = cancel(all).unwrap();
        assert!(left.iter().all(|entry| entry.kind == FileKind::Add));
        let left: BTreeSet<_> = left.into_iter().map(|entry| entry.file.file_name).collect();
        assert_eq!(left, live);
        for manifest in &manifests {
            let entries = format.read_entries(&storage, manifest).await.unwrap();
            let added = entries.iter().filter(|entry| entry.kind == FileKind::Add).count() as i64;
            assert_eq!(manifest.num_added_files, added);
            assert_eq!(manifest.num_deleted_files, entries.len() as i64 - added);
            let roots = &format.partition_roots;
            let rows = entries.iter().map(|entry| &entry.partition);
            assert_eq!(manifest.partition_stats, SimpleStats::of_rows(roots, rows).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn merging_keeps_exactly_the_live_files(
        commits in commits(),
        target_bytes in 500_u64..20_000,
        min_count in 2_usize..8,
        full_threshold_bytes in 1_000_u64..40_000,
    ) {
        let policy = MergePolicy { target_bytes, min_count, full_threshold_bytes };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check_same_live_set(commits, policy));
    }
}

#[test]
fn a_merge_is_not_applied_to_a_list_that_lost_an_input() {
    let named = |name: &str| ManifestFileMeta { file_name: name.to_owned(), ..manifest(1, 0) };
    let list = |names: &[&str]| names.iter().map(|name| named(name)).collect::<Vec<_>>();
    let names = |list: Vec<ManifestFileMeta>| list.into_iter().map(|m| m.file_name).collect::<Vec<_>>();
    for (contiguous, before, after) in [
        (true, &["a", "b", "c", "d"][..], Some(&["a", "m", "d"][..])),
        (true, &["a", "b", "d"], None),
        (true, &["b", "x", "c"], None),
        (true, &["d"], None),
        (false, &["b", "x", "c", "d"], Some(&["x", "m", "d"])),
        (false, &["b", "x"], None),
    ] {
        let merged = Merged { inputs: vec!["b".to_owned(), "c".to_owned()], outputs: list(&["m"]), contiguous };
        let applied = merged.apply(&list(before)).map(names);
        assert_eq!(
            applied.as_deref(),
            after.map(|after| after.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()).as_deref()
        );
    }
}
