#![allow(clippy::unwrap_used)]

use super::*;

fn text(value: &str) -> Option<Datum> {
    Some(Datum::String(value.to_owned()))
}

fn check(mode: StatsMode, root: TypeRoot, given: [Option<Datum>; 2], kept: [Option<Datum>; 2]) {
    let [min, max] = given.clone();
    let stats = ColumnStats { min, max, null_count: Some(3) };
    let [min, max] = kept;
    let null_count = (mode != StatsMode::None).then_some(3);
    let expected = ColumnStats { min, max, null_count };
    assert_eq!(mode.apply(&root, stats), expected, "{given:?}");
}

#[test]
fn truncation_rounds_the_maximum_up() {
    let mode = StatsMode::Truncate(3);
    let root = TypeRoot::STRING;
    for (min, max, kept_min, kept_max) in [
        ("abc", "abc", text("abc"), text("abc")),
        ("abcd", "abcd", text("abc"), text("abd")),
        ("äöüß", "äöüß", text("äöü"), text("äöý")),
        ("a", "ab\u{10ffff}x", text("a"), text("ac")),
        ("a", "ab\u{d7ff}x", text("a"), text("ab\u{e000}")),
        ("a", "\u{10ffff}\u{10ffff}\u{10ffff}x", None, None),
        ("a", "\u{10ffff}\u{10ffff}\u{10ffff}", text("a"), text("\u{10ffff}\u{10ffff}\u{10ffff}")),
        ("", "", text(""), text("")),
    ] {
        check(mode, root.clone(), [text(min), text(max)], [kept_min, kept_max]);
    }
    let number = || Some(Datum::BigInt(123_456));
    check(mode, TypeRoot::BigInt, [number(), number()], [number(), number()]);
    check(mode, root, [None, None], [None, None]);
}

#[test]
fn the_other_modes_keep_all_or_counts_or_nothing() {
    let long = || text("a text of more than sixteen characters");
    let root = TypeRoot::STRING;
    check(StatsMode::Full, root.clone(), [long(), long()], [long(), long()]);
    check(StatsMode::Counts, root.clone(), [long(), long()], [None, None]);
    check(StatsMode::None, root, [long(), long()], [None, None]);
}

#[test]
fn types_that_readers_order_differently_keep_their_null_count() {
    let bytes = || Some(Datum::Bytes(vec![0x80]));
    let at = || Some(Datum::Timestamp { millis: 1, nano_of_milli: 1 });
    for mode in [StatsMode::Full, StatsMode::Truncate(16)] {
        check(mode, TypeRoot::Timestamp(6), [at(), at()], [at(), at()]);
        check(mode, TypeRoot::Timestamp(7), [at(), at()], [None, None]);
        check(mode, TypeRoot::TimestampLtz(9), [at(), at()], [None, None]);
        check(mode, TypeRoot::BYTES, [bytes(), bytes()], [None, None]);
    }
}

#[test]
fn modes_are_parsed_in_any_case() {
    for (text, mode) in [
        ("none", Some(StatsMode::None)),
        ("COUNTS", Some(StatsMode::Counts)),
        ("Full", Some(StatsMode::Full)),
        ("truncate(16)", Some(StatsMode::Truncate(16))),
        ("TRUNCATE(1)", Some(StatsMode::Truncate(1))),
        ("truncate(0)", None),
        ("truncate()", None),
        ("truncate(-1)", None),
        ("some", None),
    ] {
        assert_eq!(StatsMode::parse("metadata.stats-mode", text).ok(), mode, "{text}");
    }
}

#[test]
fn statistics_of_rows_are_exact() {
    let types = [TypeRoot::STRING, TypeRoot::Int];
    let row = |a: Option<&str>, b| BinaryRow::encode(&types, &[a.and_then(text), Some(Datum::Int(b))]).unwrap();
    let rows = [row(Some("b"), -1), row(None, 5), row(Some("a"), 0), row(None, 2)];
    let stats = SimpleStats::of_rows(&types, &rows).unwrap();
    assert_eq!(stats.null_counts, [Some(2), Some(0)]);
    let columns = stats.decode(&types).unwrap();
    assert_eq!((&columns[0].min, &columns[0].max), (&text("a"), &text("b")));
    assert_eq!((&columns[1].min, &columns[1].max), (&Some(Datum::Int(-1)), &Some(Datum::Int(5))));
    assert_eq!(SimpleStats::of_rows(&[], &[BinaryRow::EMPTY]).unwrap(), SimpleStats::EMPTY);
}

#[test]
fn a_missing_null_count_is_unknown() {
    let types = [TypeRoot::Int];
    let mut stats = SimpleStats::encode(&types, &[ColumnStats::default()]).unwrap();
    stats.null_counts.clear();
    assert_eq!(stats.decode(&types).unwrap(), [ColumnStats::default()]);
}
