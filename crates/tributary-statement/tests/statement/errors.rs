//! errors.txt: blocks separated by empty lines; `sql> ` lines are the text (joined by newlines), the rest is the error.

use crate::error;
use crate::statements::TUTORIAL;

#[test]
fn every_mistake_is_named_with_its_place_and_remedy() {
    let mut cases = 0;
    for block in include_str!("errors.txt").split("\n\n") {
        let is_input = |line: &&str| line.starts_with("sql>");
        let text: Vec<_> = block.lines().filter(is_input).map(|line| line.get(5..).unwrap_or("")).collect();
        let expected: Vec<_> = block.lines().filter(|line| !is_input(line)).collect();
        assert_eq!(error(&text.join("\n")), expected.join("\n"));
        cases += 1;
    }
    assert!(cases > 100, "the file was cut into its blocks");
}

#[test]
fn the_tutorials_job_names_the_gap_to_fill_in() {
    let expected = [
        "job.sql:1:63: `<a folder beside the job, by default>` is still a placeholder",
        "  1 | CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = '<a folder beside the job, by default>');",
        "    |                                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "  help: put your own value in its place",
    ];
    assert_eq!(error(TUTORIAL), expected.join("\n"));
}

#[test]
fn lines_with_tabs_wide_characters_and_carriage_returns_keep_their_caret_in_place() {
    for (text, expected) in [
        (
            "SET\t'\u{e9}\u{4e2d}'\t= 5\r\n;",
            "job.sql:1:12: expected a value in quotes, found `5`\n  1 | SET\t'\u{e9}\u{4e2d}'\t= 5\n    |    \t    \t  ^\n  help: write '5'",
        ),
        (
            "SET 'a'   ",
            "job.sql:1:8: expected `=`, found the end of the text\n  1 | SET 'a'\n    |        ^\n  help: write 'key' = 'value', both in quotes",
        ),
        ("USE \u{1b}[31m", "job.sql:1:5: unexpected control character '\\u{1b}'\n  1 | USE \u{fffd}[31m\n    |     ^"),
    ] {
        assert_eq!(error(text), expected);
    }
}
