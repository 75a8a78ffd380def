#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use paimon_format::{Datum, TypeRoot};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::*;

const MB: u64 = 1 << 20;

fn sizes() -> Sizes {
    Sizes::of(&CoreOptions::default())
}

/// Candidates of these sizes in MB, with a row a MB.
fn candidates(megabytes: &[u64]) -> Vec<Candidate> {
    let of = |(number, size): (usize, &u64)| Candidate {
        key: FileKey::test(number as u64),
        bytes: size * MB,
        rows: *size,
        is_in_order: false,
    };
    let mut all: Vec<_> = megabytes.iter().enumerate().map(of).collect();
    all.sort_by_key(|candidate| candidate.bytes);
    all
}

fn check(strategy: Strategy, megabytes: &[u64], is_idle: bool, expected: &[&[u64]]) {
    let packed = sizes().pack(&strategy, &candidates(megabytes), is_idle);
    let packed: Vec<Vec<u64>> =
        packed.iter().map(|bin| bin.iter().map(|candidate| candidate.bytes / MB).collect()).collect();
    assert_eq!(packed, expected, "{strategy:?} {megabytes:?} idle: {is_idle}");
}

/// The target is 256 MB, a file counts 4 MB more, five files are enough, small is below 179.2 MB.
#[test]
fn files_are_packed_as_paimon_packs_them() {
    use Strategy::{Full, Minor};
    let (busy, idle) = (false, true);
    check(Minor, &[], busy, &[]);
    check(Minor, &[1], idle, &[]);
    check(Minor, &[1, 1, 1, 1], busy, &[]);
    check(Minor, &[1, 1, 1, 1], idle, &[&[1, 1, 1, 1]]);
    check(Minor, &[1, 1, 1, 1, 1], busy, &[&[1, 1, 1, 1, 1]]);
    // Twice the target, opening costs included, closes a bin.
    check(Minor, &[170, 170, 170], busy, &[&[170, 170, 170]]);
    check(Minor, &[160, 170, 166], busy, &[]);
    check(Minor, &[170, 170, 170, 3], busy, &[&[3, 170, 170, 170]]);
    check(Minor, &[170, 170, 170, 170], busy, &[&[170, 170, 170]]);
    check(Minor, &[170, 170, 170, 171, 172], busy, &[&[170, 170, 170]]);
    check(Minor, &[170, 170, 170, 171, 172], idle, &[&[170, 170, 170], &[171, 172]]);
    // Full: as soon as there are fewer files afterwards.
    check(Full, &[1, 1], busy, &[&[1, 1]]);
    check(Full, &[200, 50], busy, &[&[50, 200]]);
    check(Full, &[200, 250], busy, &[]);
    check(Full, &[255, 255, 255], busy, &[]);
}

#[test]
fn what_counts_as_small_follows_the_options() {
    let options = |pairs: &[(&str, &str)]| {
        let given: BTreeMap<_, _> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Sizes::of(&CoreOptions::parse(&given).unwrap())
    };
    let default = sizes();
    assert_eq!((default.target_bytes, default.small_bytes), (256 * MB, 187_904_819));
    assert_eq!((default.open_cost_bytes, default.min_files), (4 * MB, 5));
    let own = options(&[
        ("target-file-size", "10 mb"),
        ("compaction.small-file-ratio", "0.5"),
        ("compaction.min.file-num", "2"),
        ("source.split.open-file-cost", "1 mb"),
        ("target-file-row-num", "7"),
    ]);
    assert_eq!((own.limits(&Strategy::Minor).bytes, own.limits(&Strategy::Full).bytes), (5 * MB, 10 * MB));
    assert_eq!((own.open_cost_bytes, own.min_files, own.limits(&Strategy::Full).rows), (MB, 2, 7));
    assert!(CoreOptions::parse(&[("compaction.small-file-ratio".to_owned(), "2".to_owned())].into()).is_err());
}

fn partition(name: &str, count: usize, newest_millis: Option<i64>) -> PartitionFiles {
    let value = Some(Datum::String(name.to_owned()));
    let partition = BinaryRow::encode(&[TypeRoot::Varchar(10)], &[value]).unwrap();
    PartitionFiles { partition, newest_millis, files: 0, bytes: 0, candidates: candidates(&vec![1; count]) }
}

#[test]
fn partitions_with_most_small_files_come_first_and_busy_ones_wait() {
    let found = || {
        vec![
            partition("a", 5, Some(100)),
            partition("b", 9, Some(200)),
            partition("c", 4, Some(50)),
            partition("d", 7, None),
        ]
    };
    let run = |idle: Option<i64>, most| {
        let idle = idle.map(|since_local_millis| Idle { since_local_millis });
        let tasks = tasks(found(), &Strategy::Minor, &sizes(), idle, most);
        tasks.iter().map(Task::file_count).collect::<Vec<_>>()
    };
    assert_eq!(run(None, None), [9, 7, 5]);
    assert_eq!(run(None, Some(2)), [9, 7]);
    assert_eq!(run(Some(100), None), [5, 4]);
    assert_eq!(run(Some(99), None), [4]);
    assert_eq!(run(Some(49), None), [0; 0]);
}

proptest! {
    #[test]
    fn no_file_is_in_two_groups_and_none_is_alone(
        megabytes in proptest::collection::vec(0_u64..256, 0..200),
        is_idle: bool,
        full: bool,
    ) {
        let strategy = if full { Strategy::Full } else { Strategy::Minor };
        let packed = sizes().pack(&strategy, &candidates(&megabytes), is_idle);
        let mut keys: Vec<_> = packed.iter().flatten().map(|candidate| candidate.key).collect();
        prop_assert!(packed.iter().all(|bin| bin.len() > 1));
        prop_assert!(keys.len() <= megabytes.len());
        let count = keys.len();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), count);
    }
}
