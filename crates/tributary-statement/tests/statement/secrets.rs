//! A secret is planted everywhere a value can stand; no error and no Debug or Display output may show it.

use crate::{error, parse, parsed};
use tributary_statement::{Statement, is_secret_key};

const PLANTED: &str = "hunter2";

#[test]
fn keys_that_hold_secrets_are_told_from_keys_that_name_their_source() {
    for key in [
        "password",
        "PASSWORD",
        "my.db.passwd",
        "token",
        "dlf.security-token",
        "dlf.access-key-secret",
        "dlf.access-key-id",
        "fs.oss.accessKeyId",
        "fs.oss.accessKeySecret",
        "fs.oss.securityToken",
        "s3.access-key",
        "s3.secret-key",
        "http.admin_token",
        "credentials",
        "header.Authorization",
        "api-key",
        "ssl.private_key",
        "properties.sasl.jaas.config",
    ] {
        assert!(is_secret_key(key), "{key}");
    }
    for key in [
        "warehouse",
        "bucket-key",
        "dlf.token-path",
        "dlf.token-loader",
        "token.provider",
        "dlf.token-ecs-role-name",
        "dlf.token-ecs-metadata-url",
        "fields.category.min",
        "",
    ] {
        assert!(!is_secret_key(key), "{key}");
    }
}

#[test]
fn a_secret_prints_as_stars_and_is_there_for_those_who_ask() {
    let script = parsed("SET 'token' = 'hunter2'; CREATE CATALOG c WITH ('a' = '${file:secret.txt}', 'type' = 'b')");
    let Statement::Set(set) = &script.statements[0].value else { panic!("no set") };
    assert_eq!((set.value.expose(), set.value.to_string().as_str()), (PLANTED, "***"));
    let Statement::CreateCatalog(catalog) = &script.statements[1].value else { panic!("no catalog") };
    let [from_file, plain] = ["a", "type"].map(|key| &catalog.options.get(key).unwrap().value);
    assert_eq!((from_file.expose(), from_file.to_string().as_str(), from_file.is_secret()), (PLANTED, "***", true));
    assert_eq!((plain.expose(), plain.to_string().as_str(), plain.is_secret()), ("b", "b", false));
    let debug = format!("{script:?} {:#?}", script.statements);
    assert!(!debug.contains(PLANTED), "{debug}");
}

#[test]
fn the_shown_line_masks_the_value_and_the_caret_stays_right() {
    for (text, expected) in [
        (
            "CREATE CATALOG c WITH ('token' = 'hunter2', 'type' = paimon)",
            "job.sql:1:54: expected a value in quotes, found `paimon`\n\
             \u{20} 1 | CREATE CATALOG c WITH ('token' = '***', 'type' = paimon)\n\
             \u{20}   |                                                  ^^^^^^\n\
             \u{20} help: write 'paimon'",
        ),
        (
            "SET 'token' = hunter2",
            "job.sql:1:15: expected a value in quotes, found `***`\n\
             \u{20} 1 | SET 'token' = ***\n\
             \u{20}   |               ^^^\n\
             \u{20} help: write '***'",
        ),
        (
            "SET 'token' = '<hunter2>'",
            "job.sql:1:15: this secret is still a placeholder\n\
             \u{20} 1 | SET 'token' = '***'\n\
             \u{20}   |               ^^^^^\n\
             \u{20} help: put your own value in its place",
        ),
        (
            "SET 'token' = '${UNSET}'",
            "job.sql:1:16: cannot replace ${UNSET}: not set\n\
             \u{20} 1 | SET 'token' = '${UNSET}'\n\
             \u{20}   |                ^^^^^^^^\n\
             \u{20} help: set UNSET in the environment, or write $$ for a plain $",
        ),
        (
            "SET 'token' = 'hunter2${UNSET}hunter2' oops",
            "job.sql:1:23: cannot replace ${UNSET}: not set\n\
             \u{20} 1 | SET 'token' = ***\n\
             \u{20}   |               ^^^\n\
             \u{20} help: set UNSET in the environment, or write $$ for a plain $",
        ),
        (
            "SET 'token' = 'hunter2",
            "job.sql:1:15: this string is never closed\n\
             \u{20} 1 | SET 'token' = '***\n\
             \u{20}   |               ^\n\
             \u{20} help: close it with ' (a quote inside a string is doubled: '')",
        ),
    ] {
        assert_eq!(error(text), expected);
    }
}

#[test]
fn no_mistake_around_a_planted_secret_shows_it() {
    let assignments = [
        "'token' = 'hunter2'",
        "'TOKEN'='hunter2'",
        "'token' 'hunter2'",
        "'token' => 'hunter2'",
        "'token' : 'hunter2'",
        "'token' == 'hunter2'",
        "'token' /* here */ = /* it */ 'hunter2'",
        "'token'\n=\n'hunter2'",
        "'token' = hunter2",
        "'token' = x-hunter2/y",
        "'token' = \"hunter2\"",
        "\"token\" = \"hunter2\"",
        "`token` = 'hunter2'",
        "token = 'hunter2'",
        "dlf.access-key-secret = 'hunter2'",
        "dlf.access-key = hunter2",
        "'token' = 'it''s hunter2'",
        "'token' = 'it's hunter2'",
        "'token' = 'a,b' hunter2'",
        "'token' = 'a'b, hunter2'",
        "'token' = 'line\nhunter2\nline'",
        "'token' = 'hunter2",
        "'token = 'hunter2'",
        "token' = 'hunter2'",
        "'token' = '${NAME}hunter2'",
        "'token' = '${hunter2'",
        "'token' = '${hunter2!}'",
        "'token' = '<hunter2>'",
        "'token' = 'a<hunter2>b'",
        "'token' = <hunter2>",
        "'token' = 'hunter2' 'hunter2'",
        "'k' = 'v' -- 'token' = 'hunter2'",
        "'k' = 'v' /* token: hunter2 */",
    ];
    let frames = [
        "SET {}",
        "SET {} oops",
        "oops SET {}",
        "SET 'x' = ' SET {}",
        "CREATE CATALOG c WITH ({})",
        "CREATE CATALOG c WITH ({}, oops)",
        "CREATE CATALOG c WITH (oops, {})",
        "CREATE CATALOG c WITH ('type = 'paimon', {})",
        "CREATE CATALOG c WITH ('a' = 'b', {}, 'a' = 'b')",
        "CREATE CATALOG c WITH ('type' = '${UNSET}', {})",
        "CREATE TABLE t (a FOO) WITH ({})",
        "CREATE TABLE t (a INT) WITH ({}) COMMENT 'x'",
        "INSERT INTO t SELECT a FROM s /*+ OPTIONS({}) */",
        "INSERT INTO t /*+ OPTIONS({}, oops) */ SELECT a FROM s",
        "INSERT INTO t /*+ OPTIONS({}) */ PARTITION (a = b) SELECT a FROM s",
        "INSERT INTO t SELECT a FROM s /*+ HINT({}) */",
        "EXECUTE STATEMENT SET BEGIN SET {}; END",
        "CREATE TABLE t WITH ({}) LIKE u (oops)",
        "INSERT INTO t SELECT a FROM s WHERE {} AND oops oops",
        "# {}",
        "{}",
    ];
    for assignment in assignments {
        for frame in frames {
            let text = frame.replace("{}", assignment);
            let shown = match parse(&text) {
                Ok(script) => format!("{:?}", script.statements),
                Err(error) => format!("{error}\n{error:?}"),
            };
            assert!(!shown.contains(PLANTED), "{text}\n\n{shown}");
        }
    }
}
