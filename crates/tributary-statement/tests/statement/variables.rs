use crate::{error, parsed};
use tributary_statement::Statement;

#[test]
fn variables_and_escapes_are_replaced_inside_strings_only() {
    for (written, expected) in [
        ("'${NAME}'", "value"),
        ("'a-${NAME}-${NAME}''s${EMPTY}'", "a-value-value's"),
        ("'$${NAME}'", "${NAME}"),
        ("'$$$${NAME}'", "$${NAME}"),
        ("'$$${NAME}'", "$value"),
        ("'5 $ and $x'", "5 $ and $x"),
        ("'${QUOTE}'", "'; -- <gap>"),
        ("'${file:secret.txt}'", "hunter2"),
    ] {
        let script = parsed(&format!("SET 'k' = {written}; SET 'next' = ''"));
        let Statement::Set(set) = &script.statements[0].value else { panic!("no set") };
        assert_eq!(set.value.expose(), expected, "{written}");
        assert_eq!(script.statements.len(), 2, "a value never ends its string");
    }
}

#[test]
fn a_variable_without_a_value_is_named() {
    for (text, expected) in [
        (
            "SET 'warehouse' = 's3://${BUCKET}/x'",
            "job.sql:1:25: cannot replace ${BUCKET}: not set\n\
             \u{20} 1 | SET 'warehouse' = 's3://${BUCKET}/x'\n\
             \u{20}   |                         ^^^^^^^^^\n\
             \u{20} help: set BUCKET in the environment, or write $$ for a plain $",
        ),
        (
            "SET 'k' =\n 'it''s ${file:/run/none}'",
            "job.sql:2:9: cannot replace ${file:/run/none}: no such file\n\
             \u{20} 2 |  'it''s ${file:/run/none}'\n\
             \u{20}   |         ^^^^^^^^^^^^^^^^^\n\
             \u{20} help: check the path, or write $$ for a plain $",
        ),
        (
            "SET 'k' = '${NAME'",
            "job.sql:1:12: this `${` is never closed\n\
             \u{20} 1 | SET 'k' = '${NAME'\n\
             \u{20}   |            ^^\n\
             \u{20} help: close it with }, or write $$ for a plain $",
        ),
        (
            "SET 'k' = '${a-b}'",
            "job.sql:1:12: this is no variable\n\
             \u{20} 1 | SET 'k' = '${a-b}'\n\
             \u{20}   |            ^^^^^^\n\
             \u{20} help: write ${NAME} or ${file:PATH}, or $$ for a plain $",
        ),
        (
            "SET '${NAME}' = 'v'",
            "job.sql:1:5: a key takes no variables\n\
             \u{20} 1 | SET '${NAME}' = 'v'\n\
             \u{20}   |     ^^^^^^^^^\n\
             \u{20} help: write the key out",
        ),
        (
            "USE ${NAME}",
            "job.sql:1:5: `$` outside a string\n\
             \u{20} 1 | USE ${NAME}\n\
             \u{20}   |     ^\n\
             \u{20} help: variables are replaced inside string literals only: '${NAME}'",
        ),
    ] {
        assert_eq!(error(text), expected);
    }
}
