//! Row groups that are taken over as they are, in whole runs.

use proptest::prelude::*;

use super::*;

/// Row groups of some ten kilobytes are large.
const SMALL_GROUPS: (&str, &str) = ("file.block-size", "64 kb");

async fn options_of_run(table: &Table, options: &[(&str, &str)]) -> Table {
    let cover = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    table.with_options(&cover).unwrap()
}

/// Three files of one large row group each and three of a few rows.
async fn fill(table: &Table) {
    for number in 0..3 {
        append(table, DAY, number * 20_000..number * 20_000 + 20_000).await;
        append(table, DAY, 90_000 + number..90_001 + number).await;
    }
}

/// The schema that is the next one after `change`.
async fn alter(storage: &Storage, change: impl FnOnce(&mut TableSchema)) -> Table {
    let mut next = TableSchema { id: 1, ..schema(&[SMALL_GROUPS]) };
    change(&mut next);
    storage.put(&schema_path(1), next.to_json().unwrap().into()).await.unwrap();
    open(storage).await
}

#[tokio::test]
async fn large_row_groups_are_taken_over_and_the_others_become_one() {
    let table = create(&memory(), &[SMALL_GROUPS]).await;
    fill(&table).await;
    let (before, inputs) = (rows(&table).await, files(&table).await);
    let again = create(&memory(), &[SMALL_GROUPS]).await;
    fill(&again).await;

    let report = run(&table, full(), 1).await.unwrap();
    let large: i64 = inputs.iter().map(|entry| entry.file.file_size).filter(|bytes| *bytes > 10_000).sum();
    let copied = i64::try_from(report.copied_bytes).unwrap();
    // All but the footers.
    assert!(copied < large && copied > large - 3 * 2_000, "{copied} of {large}");
    let merged = files(&table).await;
    assert_eq!((merged.len(), rows(&table).await), (1, before));

    // Decoded, because the codec is another: the manifest says the same of it.
    let decoded = run(&options_of_run(&again, &[("file.compression", "snappy")]).await, full(), 1).await.unwrap();
    assert_eq!(decoded.copied_bytes, 0);
    let (merged, decoded) = (&merged[0].file, &files(&again).await[0].file);
    assert_eq!((&merged.value_stats, merged.row_count), (&decoded.value_stats, decoded.row_count));
    assert_eq!(merged.max_sequence_number, decoded.max_sequence_number);
}

#[tokio::test]
async fn of_a_row_group_with_too_many_rows_for_an_output_some_go_to_the_next() {
    let table = create(&memory(), &[SMALL_GROUPS, ("target-file-row-num", "25000")]).await;
    fill(&table).await;
    let before = rows(&table).await;
    assert!(run(&table, full(), 1).await.unwrap().copied_bytes > 0);
    let counts: Vec<_> = files(&table).await.iter().map(|entry| entry.file.row_count).collect();
    assert_eq!((counts, rows(&table).await), (vec![25_000, 25_000, 10_003], before));
}

#[tokio::test]
async fn nothing_is_taken_over_that_is_not_as_it_would_be_written_now() {
    // What changes in the schema, options of the run, the run, and whether it copies.
    type Change = fn(&mut TableSchema);
    type Options = &'static [(&'static str, &'static str)];
    let cases: [(&str, Change, Options, Request, bool); 8] = [
        ("nothing changed", |_| (), &[], full(), true),
        ("a comment", |schema| schema.fields[1].description = Some("text".to_owned()), &[], full(), true),
        (
            "a column more",
            |schema| schema.fields.push(DataField::new(3, "new", "INT".parse().unwrap())),
            &[],
            full(),
            false,
        ),
        ("a column has another name", |schema| schema.fields[1].name = "w".to_owned(), &[], full(), false),
        (
            "a column is shorter",
            |schema| schema.fields[1].data_type = "VARCHAR(4)".parse().unwrap(),
            &[],
            full(),
            false,
        ),
        ("another codec", |_| (), &[("file.compression", "gzip")], full(), false),
        ("larger row groups", |_| (), &[("file.block-size", "128 mb")], full(), false),
        ("rows are put in order", |_| (), &[], ordered(OrderStrategy::Order, &["id"]), false),
    ];
    for (what, change, options, request, is_copied) in cases {
        let storage = memory();
        fill(&create(&storage, &[SMALL_GROUPS]).await).await;
        let table = options_of_run(&alter(&storage, change).await, options).await;
        let before = rows(&table).await;
        let report = run(&table, request, 1).await.unwrap();
        assert_eq!((report.copied_bytes > 0, report.before.files), (is_copied, 6), "{what}");
        assert_eq!(rows(&table).await, before, "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn outputs_of_copied_and_encoded_rows_have_the_target_size_and_merging_comes_to_an_end(
        sizes in prop::collection::vec(prop_oneof![1..200_i32, 5_000..42_000_i32], 2..9),
        target_kb in 300..1_000_u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let target = format!("{target_kb} kb");
            // Without compression sizes are what they were expected to be.
            let options = [
                ("file.block-size", "256 kb"),
                ("file.compression", "none"),
                ("target-file-size", &target),
                ("source.split.open-file-cost", "0 b"),
            ];
            let table = create(&memory(), &options).await;
            let mut next = 0;
            for size in &sizes {
                append(&table, DAY, next..next + size).await;
                next += size;
            }
            let before = rows(&table).await;
            let report = run(&table, full(), 1).await.unwrap();
            prop_assert_eq!(&rows(&table).await, &before);
            let merged: Vec<_> = files(&table).await;
            let merged = merged.iter().filter(|entry| entry.file.file_source == Some(FileSource::Compact));
            let sizes: Vec<u64> = merged.map(|entry| entry.file.file_size.try_into().unwrap()).collect();
            let target = target_kb << 10;
            let below = sizes.iter().filter(|bytes| **bytes < target).count();
            prop_assert!(below <= report.tasks, "{below} of {sizes:?} are below {target}, {} tasks", report.tasks);
            // Half as much more, or the batch and the footer that an encoded one ends with.
            let most = target + (target / 2).max(100 << 10) + 4_000;
            prop_assert!(sizes.iter().all(|bytes| *bytes <= most), "{sizes:?} with a target of {target}");
            // What is left over of some tasks may be one more's; then there is nothing to do.
            for seed in 2.. {
                if run(&table, full(), seed).await.unwrap().tasks == 0 {
                    break;
                }
                prop_assert!(seed < 6);
            }
            prop_assert_eq!(rows(&table).await, before);
            Ok(())
        })?;
    }
}
