//! The house's rules: who may import whom, and how long a file may be.

use std::collections::BTreeSet;

use tributary_tests::workspace;

/// Crate -> the crates of ours it may name. What is not listed is forbidden.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("paimon-format", &[]),
    ("tributary-statement", &[]),
    ("tributary-runtime", &[]),
    ("paimon-table", &["paimon-format", "tributary-runtime"]),
    ("paimon-catalog", &["paimon-format", "paimon-table", "tributary-runtime"]),
    ("tributary-source", &["tributary-runtime"]),
    ("tributary-sink", &["paimon-format", "paimon-table", "tributary-runtime"]),
    (
        "tributary-job",
        &[
            "paimon-catalog",
            "paimon-format",
            "paimon-table",
            "tributary-runtime",
            "tributary-sink",
            "tributary-source",
            "tributary-statement",
        ],
    ),
    (
        "tributary-compact",
        &["paimon-catalog", "paimon-format", "paimon-table", "tributary-runtime", "tributary-statement"],
    ),
    ("tributary-http", &["tributary-runtime"]),
    (
        "tributary-catalog-server",
        &["paimon-catalog", "paimon-format", "paimon-table", "tributary-http", "tributary-runtime"],
    ),
    (
        "tributary",
        &[
            "paimon-catalog",
            "paimon-format",
            "paimon-table",
            "tributary-catalog-server",
            "tributary-compact",
            "tributary-http",
            "tributary-job",
            "tributary-runtime",
            "tributary-sink",
            "tributary-source",
            "tributary-statement",
        ],
    ),
];

/// Crates that only tests and benches use: they may import anything, and nothing may import them.
const DEVELOPMENT_ONLY: &[&str] = &["tributary-testkit", "tributary-tests", "tributary-benches"];

/// Files that may be longer than [`LONGEST`] lines, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Lines of code a file may have, its tests not counted.
const LONGEST: usize = 500;

#[test]
fn crates_import_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for (importer, imported) in workspace::imports() {
        if DEVELOPMENT_ONLY.contains(&importer.as_str()) {
            continue;
        }
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == importer) else {
            wrong.push(format!("{importer} is not in the table"));
            continue;
        };
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        wrong.extend(imported.iter().filter(|i| !allowed.contains(i.as_str())).map(|i| format!("{importer} -> {i}")));
    }
    assert!(wrong.is_empty(), "imports against the table: {wrong:?}");
}

#[test]
fn files_stay_short_enough_to_hold_in_the_head() {
    let mut wrong = Vec::new();
    for (path, text) in workspace::rust_files() {
        let name = path.to_string_lossy().into_owned();
        let is_test =
            path.components().any(|part| ["tests", "integration"].contains(&&*part.as_os_str().to_string_lossy()))
                || name.ends_with("tests.rs");
        let code = text.lines().take_while(|line| line.trim() != "mod tests {").count();
        let excepted = LONG_FILES.iter().any(|(long, _)| *long == name);
        if !is_test && code > LONGEST && !excepted {
            wrong.push(format!("{name}: {code} lines"));
        }
        if excepted && code <= LONGEST {
            wrong.push(format!("{name} is short again: take it off the list"));
        }
    }
    assert!(wrong.is_empty(), "files over {LONGEST} lines: {wrong:#?}");
}
