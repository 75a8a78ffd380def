//! Trees as one line of text, places left out.

use tributary_statement::{
    ColumnDef, Expr, ExprKind, Ident, Insert, Like, Literal, Options, SelectItem, Statement, TableColumn,
};

pub(crate) fn statement(statement: &Statement) -> String {
    match statement {
        Statement::Set(set) => format!("set {}={}", set.key, set.value),
        Statement::Reset(None) => "reset".to_owned(),
        Statement::Reset(Some(key)) => format!("reset {key}"),
        Statement::UseCatalog(name) => format!("use catalog {name}"),
        Statement::UseDatabase(name) => format!("use {name}"),
        Statement::CreateCatalog(c) => format!(
            "catalog {}{}{}{}",
            c.name,
            flag(c.if_not_exists, "if-not-exists"),
            comment(c.comment.as_deref()),
            options(&c.options)
        ),
        Statement::CreateDatabase(d) => format!(
            "database {}{}{}{}",
            d.name,
            flag(d.if_not_exists, "if-not-exists"),
            comment(d.comment.as_deref()),
            options(&d.options)
        ),
        Statement::CreateTable(t) => {
            let columns: Vec<_> = t.columns.iter().map(table_column).collect();
            format!(
                "table {}{}{} ({}){}{}{}{}",
                t.name,
                flag(t.temporary, "temporary"),
                flag(t.if_not_exists, "if-not-exists"),
                columns.join(", "),
                comment(t.comment.as_deref()),
                if t.partitioned_by.is_empty() { String::new() } else { format!(" by {}", names(&t.partitioned_by)) },
                options(&t.options),
                t.like.as_ref().map_or(String::new(), like)
            )
        }
        Statement::Call(call) => format!("call {}{}", call.procedure, options(&call.arguments)),
        Statement::DropTable(d) => format!("drop {}{}", d.name, flag(d.if_exists, "if-exists")),
        Statement::Insert(i) => insert(i),
        Statement::StatementSet(inserts) => {
            let inserts: Vec<_> = inserts.iter().map(insert).collect();
            format!("set [{}]", inserts.join("; "))
        }
    }
}

fn insert(insert: &Insert) -> String {
    let values = insert.partition.iter().map(|value| format!(" {}={}", value.column, expr(&value.value)));
    let columns = insert.columns.as_ref().map_or(String::new(), |columns| format!(" ({})", names(columns)));
    let items: Vec<_> = insert.select.items.iter().map(item).collect();
    let from = &insert.select.from;
    let alias = from.alias.as_ref().map_or(String::new(), |alias| format!(" as {alias}"));
    let filter = insert.select.filter.as_ref().map_or(String::new(), |f| format!(" where {}", expr(f)));
    format!(
        "insert {}{}{}{columns}: {} from {}{}{alias}{filter}",
        insert.target,
        options(&insert.options),
        values.collect::<String>(),
        items.join(", "),
        from.name,
        options(&from.options)
    )
}

fn like(like: &Like) -> String {
    format!(
        " like {} generated={:?} options={:?} partitions={}",
        like.table, like.generated, like.options, like.partitions
    )
}

fn names(names: &[Ident]) -> String {
    let names: Vec<_> = names.iter().map(|name| name.value.as_str()).collect();
    names.join(", ")
}

fn flag(on: bool, name: &str) -> String {
    if on { format!(" {name}") } else { String::new() }
}

fn comment(comment: Option<&String>) -> String {
    comment.map_or(String::new(), |comment| format!(" #{comment}"))
}

fn options(options: &Options) -> String {
    if options.is_empty() {
        return String::new();
    }
    let entries: Vec<_> = options.iter().map(|entry| format!("{}={}", entry.key, entry.value)).collect();
    format!(" {{{}}}", entries.join(", "))
}

fn table_column(c: &TableColumn) -> String {
    match c {
        TableColumn::Physical(c) => column(c),
        TableColumn::Computed(c) => format!("{} = {}{}", c.name, expr(&c.expr), comment(c.comment.as_deref())),
    }
}

fn column(column: &ColumnDef) -> String {
    let not_null = if column.nullable { "" } else { " not null" };
    format!("{} {}{not_null}{}", column.name, column.data_type, comment(column.comment.as_deref()))
}

fn item(item: &SelectItem) -> String {
    match item {
        SelectItem::Wildcard { qualifier, .. } => {
            qualifier.iter().map(|part| format!("{part}.")).collect::<String>() + "*"
        }
        SelectItem::Expr { expr: e, alias } => {
            expr(e) + &alias.as_ref().map_or(String::new(), |alias| format!(" as {alias}"))
        }
    }
}

pub(crate) fn expr(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Column { qualifier, name } => {
            qualifier.iter().map(|part| format!("{part}.")).collect::<String>() + name
        }
        ExprKind::Item { operand, index } => format!("{}[{}]", expr(operand), expr(index)),
        ExprKind::Field { operand, name } => format!("({}).{name}", expr(operand)),
        ExprKind::Literal(literal) => show_literal(literal),
        ExprKind::Unary { op, operand } => format!("({op} {})", expr(operand)),
        ExprKind::Binary { left, op, right } => format!("({} {op} {})", expr(left), expr(right)),
        ExprKind::IsNull { operand, negated } => {
            format!("({} is {}null)", expr(operand), not(*negated))
        }
        ExprKind::Between { operand, low, high, negated } => {
            format!("({} {}between {} and {})", expr(operand), not(*negated), expr(low), expr(high))
        }
        ExprKind::In { operand, list, negated } => {
            let list: Vec<_> = list.iter().map(expr).collect();
            format!("({} {}in {})", expr(operand), not(*negated), list.join(", "))
        }
        ExprKind::Like { operand, pattern, escape, negated } => {
            let escape = escape.as_ref().map_or(String::new(), |escape| format!(" escape {}", expr(escape)));
            format!("({} {}like {}{escape})", expr(operand), not(*negated), expr(pattern))
        }
        ExprKind::Cast { operand, to, or_null } => {
            format!("{}cast({} as {to})", if *or_null { "try_" } else { "" }, expr(operand))
        }
        ExprKind::Extract { unit, operand } => format!("extract({unit} from {})", expr(operand)),
        ExprKind::Case { operand, branches, otherwise } => {
            let operand = operand.as_ref().map_or(String::new(), |operand| format!(" {}", expr(operand)));
            let branches: String =
                branches.iter().map(|b| format!(" when {} then {}", expr(&b.when), expr(&b.then))).collect();
            let otherwise = otherwise.as_ref().map_or(String::new(), |e| format!(" else {}", expr(e)));
            format!("case{operand}{branches}{otherwise} end")
        }
        ExprKind::Function { name, args } => {
            let args: Vec<_> = args.iter().map(expr).collect();
            format!("{name}({})", args.join(", "))
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

fn show_literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Boolean(value) => value.to_string(),
        Literal::Integer(value) => value.to_string(),
        Literal::Decimal { unscaled, precision, scale } => format!("{unscaled}e-{scale}:decimal({precision})"),
        Literal::Double(value) => format!("{value:e}"),
        Literal::String(value) => format!("{value:?}"),
        Literal::Date(days) => format!("date({days})"),
        Literal::Time { nanos, precision } => format!("time({nanos}, {precision})"),
        Literal::Timestamp { millis, nano_of_milli, precision } => {
            format!("timestamp({millis}, {nano_of_milli}, {precision})")
        }
    }
}
