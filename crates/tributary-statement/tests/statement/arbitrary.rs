use crate::statements::TUTORIAL;
use proptest::prelude::*;
use tributary_statement::Variable;

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "INSERT",
    "INTO",
    "CREATE",
    "TABLE",
    "TEMPORARY",
    "CATALOG",
    "DATABASE",
    "WITH",
    "SET",
    "RESET",
    "EXECUTE",
    "STATEMENT",
    "BEGIN",
    "DROP",
    "PARTITION",
    "LIKE",
    "INCLUDING",
    "EXCLUDING",
    "ALL",
    "OPTIONS",
    "USE",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IS",
    "NULL",
    "IN",
    "WHERE",
    "INT",
    "DECIMAL",
    "TIMESTAMP",
    "DATE",
    "ARRAY",
    "MAP",
    "ROW",
    "PARTITIONED",
    "BY",
    "COMMENT",
    "a",
    "`b`",
    "'k'",
    "'${V}'",
    "'${file:f}'",
    "'password'",
    "'s3cr3t'",
    "'<gap>'",
    "<gap>",
    "12",
    "1.5e3",
    "(",
    ")",
    ",",
    ";",
    ".",
    "=",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "%",
    "'",
    "\"",
    "`",
    "--",
    "/*",
    "*/",
    "/*+",
    "\n",
    "\r\n",
    "\t",
    "\u{e9}",
    "\u{1f600}",
    "${",
    "$$",
    "||",
];

/// Parses, and checks what must hold of any text: no panic, places inside the text, one marked line.
fn check(text: &str) -> Result<(), TestCaseError> {
    let lookup = |variable: Variable<'_>| match variable {
        Variable::Named("V") => Ok("v".to_owned()),
        _ => Err("not set".to_owned()),
    };
    match tributary_statement::parse("job.sql", text, &lookup) {
        Ok(script) => {
            for statement in &script.statements {
                prop_assert!(text.get(statement.span.offset..statement.span.end()).is_some());
            }
        }
        Err(error) => {
            let span = error.span();
            prop_assert!(text.get(span.offset..span.end()).is_some(), "{error}");
            let before = &text[..span.offset];
            prop_assert_eq!(span.line as usize, before.matches('\n').count() + 1);
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            prop_assert_eq!(span.column as usize, before[line_start..].chars().count() + 1);
            let rendered = error.to_string();
            let place = format!("job.sql:{}:{}: ", span.line, span.column);
            prop_assert!(rendered.starts_with(&place));
            prop_assert!(rendered.contains('^'));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_characters_are_parsed_or_refused(text in "\\PC{0,60}|(?s:.){0,60}") {
        check(&text)?;
    }

    #[test]
    fn any_words_are_parsed_or_refused(words in prop::collection::vec(prop::sample::select(WORDS), 0..40), tight in any::<bool>()) {
        check(&words.join(if tight { "" } else { " " }))?;
    }

    #[test]
    fn a_damaged_job_is_parsed_or_refused(at in 0..TUTORIAL.len(), length in 0usize..20, word in prop::sample::select(WORDS)) {
        let end = (at + length).min(TUTORIAL.len());
        check(&format!("{}{word}{}", &TUTORIAL[..at], &TUTORIAL[end..]))?;
    }
}
