use crate::{parse, parsed, show};
use tributary_statement::{SelectItem, Statement};

fn shown(expression: &str) -> String {
    let script = parsed(&format!("INSERT INTO t SELECT {expression} FROM s"));
    let Statement::Insert(insert) = &script.statements[0].value else { panic!("no insert") };
    let [SelectItem::Expr { expr, alias: None }] = &insert.select.items[..] else { panic!("{expression}") };
    let text = &script.source.expose()[expr.span.offset..expr.span.end()];
    assert_eq!(text, expression, "the span covers the whole expression");
    show::expr(expr)
}

#[test]
fn every_form_has_its_tree() {
    for (text, expected) in [
        // columns
        ("a", "a"),
        ("s.a", "s.a"),
        ("`from`.`a``b`", "from.a`b"),
        ("date", "date"),
        ("hour", "hour"),
        // literals
        ("'it''s'", "\"it's\""),
        ("''", "\"\""),
        ("0", "0"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "9223372036854775808e-0:decimal(19)"),
        ("0.10", "10e-2:decimal(3)"),
        (".5", "5e-1:decimal(1)"),
        ("-1.5", "-15e-1:decimal(2)"),
        ("7.", "7"),
        ("0000000000000000000000000000000000000000000001.5", "15e-1:decimal(2)"),
        ("1e3", "1e3"),
        ("-2.5E-2", "-2.5e-2"),
        ("TRUE", "true"),
        ("false", "false"),
        ("NULL", "null"),
        ("DATE '1970-01-01'", "date(0)"),
        ("DATE '2000-02-29'", "date(11016)"),
        ("DATE '0001-01-01'", "date(-719162)"),
        ("DATE '9999-12-31'", "date(2932896)"),
        ("TIME '23:59:59'", "time(86399000000000, 0)"),
        ("TIME '00:00:00.000000001'", "time(1, 9)"),
        ("TIMESTAMP '1970-01-02 00:00:01.5'", "timestamp(86401500, 0, 1)"),
        ("TIMESTAMP '1969-12-31 23:59:59.999999999'", "timestamp(-1, 999999, 9)"),
        // precedence
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("(a + b) * c", "((a + b) * c)"),
        ("a / b % c", "((a / b) % c)"),
        ("a - -1", "(a - -1)"),
        ("-a * b", "((- a) * b)"),
        ("+a", "(+ a)"),
        ("- -a", "(- (- a))"),
        ("a = b AND c <> d OR e != f", "(((a = b) AND (c <> d)) OR (e <> f))"),
        ("a OR b AND NOT c = d", "(a OR (b AND (NOT (c = d))))"),
        ("NOT NOT a", "(NOT (NOT a))"),
        ("NOT a IS NULL", "(NOT (a is null))"),
        ("a = b IS NULL", "((a = b) is null)"),
        ("a + 1 is not null and b", "(((a + 1) is not null) AND b)"),
        ("a < b = c >= d", "(((a < b) = c) >= d)"),
        ("((a))", "a"),
        ("a || b * c", "((a || b) * c)"),
        ("a + b || c", "(a + (b || c))"),
        // ranges
        ("a BETWEEN 1 AND b + 2", "(a between 1 and (b + 2))"),
        ("a NOT BETWEEN ASYMMETRIC 1 AND 2 AND c", "((a not between 1 and 2) AND c)"),
        ("NOT a BETWEEN b AND c OR d", "((NOT (a between b and c)) OR d)"),
        ("a + 1 IN (1, b OR c)", "((a + 1) in 1, (b OR c))"),
        ("a NOT IN ('x')", "(a not in \"x\")"),
        ("a = b IN (1)", "(a = (b in 1))"),
        ("a LIKE 'x%' IS NULL", "((a like \"x%\") is null)"),
        ("a NOT LIKE b || '%' ESCAPE '!'", "(a not like (b || \"%\") escape \"!\")"),
        // forms
        ("CAST(a + 1 AS DECIMAL(10, 2))", "cast((a + 1) as DECIMAL(10, 2))"),
        ("TRY_CAST(a AS INT)", "try_cast(a as INT)"),
        ("extract(Hour FROM a)", "extract(HOUR from a)"),
        ("TRIM(a)", "TRIM(a)"),
        ("TRIM('x' FROM a)", "TRIM(a, \"x\")"),
        ("TRIM(BOTH FROM a)", "TRIM(a)"),
        ("TRIM(LEADING 'x' FROM a)", "LTRIM(a, \"x\")"),
        ("TRIM(TRAILING b FROM a)", "RTRIM(a, b)"),
        ("trim", "trim"),
        ("CASE WHEN a > 1 THEN 'x' WHEN b THEN 'y' END", "case when (a > 1) then \"x\" when b then \"y\" end"),
        ("CASE a + 1 WHEN 1 THEN b ELSE NULL END", "case (a + 1) when 1 then b else null end"),
        ("LOCALTIMESTAMP", "LOCALTIMESTAMP()"),
        ("current_timestamp", "CURRENT_TIMESTAMP()"),
        ("CURRENT_DATE", "CURRENT_DATE()"),
        ("LOCALTIME", "LOCALTIME()"),
        ("CURRENT_TIME", "CURRENT_TIME()"),
        ("s.LOCALTIME", "s.LOCALTIME"),
        ("`LOCALTIME`", "LOCALTIME"),
        ("NOW()", "NOW()"),
        ("HOUR(LOCALTIMESTAMP)", "HOUR(LOCALTIMESTAMP())"),
        ("DayOfMonth(a)", "DAYOFMONTH(a)"),
        ("COALESCE(a, b, 0)", "COALESCE(a, b, 0)"),
        ("CONCAT('<', a, '>')", "CONCAT(\"<\", a, \">\")"),
        ("SUBSTRING(a, 2)", "SUBSTRING(a, 2)"),
        ("SUBSTRING(a FROM 2)", "SUBSTRING(a, 2)"),
        ("SUBSTRING(a FROM b + 1 FOR 3)", "SUBSTRING(a, (b + 1), 3)"),
        ("`upper`(lower(a))", "UPPER(LOWER(a))"),
        ("LEFT(a, 2)", "LEFT(a, 2)"),
        ("no_such_function(a)", "NO_SUCH_FUNCTION(a)"),
        // lists, maps and rows
        ("ARRAY[1, a + 1]", "ARRAY(1, (a + 1))"),
        ("map['k', a, b, ARRAY[]]", "MAP(\"k\", a, b, ARRAY())"),
        ("(a, b + 1, (c))", "ROW(a, (b + 1), c)"),
        ("row(a)", "ROW(a)"),
        ("a[1]", "a[1]"),
        ("-a[b + 1] * 2", "((- a[(b + 1)]) * 2)"),
        ("s.m['k'][1].f.g[2]", "((s.m[\"k\"][1]).f).g[2]"),
        ("ARRAY[1, 2][1] + (a).b", "(ARRAY(1, 2)[1] + (a).b)"),
        ("f(a).b IS NULL", "((F(a)).b is null)"),
        ("array", "array"),
        ("a /* in between */ + -- and\n 1", "(a + 1)"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn depth_is_bounded_and_what_is_allowed_fits_a_test_threads_stack() {
    let forms: [fn(usize) -> String; 9] = [
        |n| format!("{}a{}", "(".repeat(n), ")".repeat(n)),
        |n| format!("{}a", "NOT ".repeat(n)),
        |n| format!("{}a", "- ".repeat(n)),
        |n| format!("a{}", " + a".repeat(n)),
        |n| format!("{}a{}", "f(".repeat(n), ")".repeat(n)),
        |n| format!("{}a{}", "CASE WHEN ".repeat(n), " THEN b END".repeat(n)),
        |n| format!("{}a{}", "ARRAY[".repeat(n), "]".repeat(n)),
        |n| format!("a{}", "[1]".repeat(n)),
        |n| format!("{}a{}", "a[".repeat(n), "]".repeat(n)),
    ];
    for form in forms {
        let text = |n| format!("INSERT INTO t SELECT {} FROM s", form(n));
        let deep = parsed(&text(100));
        assert_eq!(deep.statements, deep.clone().statements);
        let error = parse(&text(100_000)).expect_err("too deep").to_string();
        assert!(error.contains("nested more than 100 levels deep"), "{}", &error[..80]);
    }
}
