//! [`Statement`]: what a job says, one closed type. Names and options carry their place, so that whoever resolves them can point at them.

use crate::{Expr, OptionValue, Options, Span, Spanned, SqlType};
use std::fmt;

/// A name as written, without its backticks. Case is kept and matters.
pub type Ident = Spanned<String>;

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `SET 'key' = 'value'`
    Set(Set),
    /// `RESET` or `RESET 'key'`: the key, or `None` for all.
    Reset(Option<Spanned<String>>),
    /// `USE CATALOG name`
    UseCatalog(Ident),
    /// `USE [catalog.]database`
    UseDatabase(ObjectName),
    /// `CREATE CATALOG`
    CreateCatalog(CreateCatalog),
    /// `CREATE DATABASE`
    CreateDatabase(CreateDatabase),
    /// `CREATE [TEMPORARY] TABLE`
    CreateTable(CreateTable),
    /// `DROP TEMPORARY TABLE`
    DropTable(DropTable),
    /// `INSERT INTO … SELECT …`
    Insert(Insert),
    /// `CALL procedure(…)`
    Call(Call),
    /// `EXECUTE STATEMENT SET BEGIN insert; … END`, or `BEGIN STATEMENT SET; insert; … END`: at least one.
    StatementSet(Vec<Insert>),
}

/// One to three names joined by points: `[[catalog.]database.]table`.
#[derive(Clone, PartialEq)]
pub struct ObjectName {
    /// Outermost first; never empty, at most three.
    pub parts: Vec<Ident>,
    /// From the first part to the last.
    pub span: Span,
}

/// `SET 'key' = 'value'`
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// The key.
    pub key: Spanned<String>,
    /// Its value.
    pub value: OptionValue,
}

/// `CREATE CATALOG [IF NOT EXISTS] name [COMMENT '…'] WITH ('key' = 'value', …)`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateCatalog {
    /// The catalog.
    pub name: Ident,
    /// Whether an existing one is left as it is.
    pub if_not_exists: bool,
    /// Free text.
    pub comment: Option<Spanned<String>>,
    /// The WITH options.
    pub options: Options,
}

/// `CREATE DATABASE [IF NOT EXISTS] [catalog.]name [COMMENT '…'] [WITH (…)]`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateDatabase {
    /// One or two parts.
    pub name: ObjectName,
    /// Whether an existing one is left as it is.
    pub if_not_exists: bool,
    /// Free text.
    pub comment: Option<Spanned<String>>,
    /// The WITH options; empty if there are none.
    pub options: Options,
}

/// `CREATE [TEMPORARY] TABLE [IF NOT EXISTS] name (column, …) [COMMENT '…'] [PARTITIONED BY (…)] [WITH (…)]
/// [LIKE other [(INCLUDING …, EXCLUDING …)]]`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// The table.
    pub name: ObjectName,
    /// Known to this job only, with a connector of its own.
    pub temporary: bool,
    /// Whether an existing one is left as it is.
    pub if_not_exists: bool,
    /// At least one unless there is a LIKE; names differ.
    pub columns: Vec<TableColumn>,
    /// Names of columns of this table (of `columns`, unless there is a LIKE), each at most once; empty if not
    /// partitioned.
    pub partitioned_by: Vec<Ident>,
    /// The WITH options; empty if there are none.
    pub options: Options,
    /// Free text.
    pub comment: Option<Spanned<String>>,
    /// The table this one takes after.
    pub like: Option<Like>,
}

/// A column of a CREATE TABLE.
#[derive(Clone, Debug, PartialEq)]
pub enum TableColumn {
    /// A column with values of its own.
    Physical(ColumnDef),
    /// A column that is computed from others.
    Computed(ComputedColumn),
}

/// `name AS expr [COMMENT '…']`
#[derive(Clone, Debug, PartialEq)]
pub struct ComputedColumn {
    /// The column.
    pub name: Ident,
    /// What it is.
    pub expr: Expr,
    /// Free text.
    pub comment: Option<Spanned<String>>,
}

/// `LIKE table [(feature, …)]`: which parts of another table a new one takes over. Its columns it always does.
#[derive(Clone, Debug, PartialEq)]
pub struct Like {
    /// The other table.
    pub table: ObjectName,
    /// What becomes of its computed columns.
    pub generated: Merging,
    /// What becomes of its options.
    pub options: Merging,
    /// Whether its partitioning is taken over; a PARTITIONED BY of the new table contradicts that.
    pub partitions: bool,
}

/// What CREATE TABLE … LIKE does with a part that the new table may have as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merging {
    /// Taken over; the same thing in both tables is an error.
    Including,
    /// Left out.
    Excluding,
    /// Taken over; what the new table says itself counts.
    Overwriting,
}

/// `CALL [catalog.]sys.procedure(name => value, …)`
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The procedure.
    pub procedure: ObjectName,
    /// Its arguments by name: strings, numbers, TRUE and FALSE, all as text.
    pub arguments: Options,
}

/// `DROP TEMPORARY TABLE [IF EXISTS] name`
#[derive(Clone, Debug, PartialEq)]
pub struct DropTable {
    /// The table.
    pub name: ObjectName,
    /// Whether none of this name is fine.
    pub if_exists: bool,
}

/// `name TYPE [NOT NULL] [COMMENT '…']`
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDef {
    /// The column.
    pub name: Ident,
    /// Its type.
    pub data_type: Spanned<SqlType>,
    /// False if NOT NULL was said.
    pub nullable: bool,
    /// Free text.
    pub comment: Option<Spanned<String>>,
}

/// `INSERT INTO target [/*+ OPTIONS(…) */] [PARTITION (column = literal, …)] [(column, …)] SELECT …`
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// The table written to.
    pub target: ObjectName,
    /// The options of the hint behind it; empty if there is none.
    pub options: Options,
    /// Columns with one value for all rows, each named once.
    pub partition: Vec<PartitionValue>,
    /// The columns that the SELECT gives, each named once; `None`: all others, in the table's order.
    pub columns: Option<Spanned<Vec<Ident>>>,
    /// Where the rows come from; columns map by position.
    pub select: Select,
}

/// `column = literal` of a static PARTITION
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionValue {
    /// A partition column of the target.
    pub column: Ident,
    /// A literal.
    pub value: Expr,
}

/// `SELECT item, … FROM table [WHERE filter]`
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// At least one.
    pub items: Vec<SelectItem>,
    /// The one table read.
    pub from: TableRef,
    /// Rows for which this is not TRUE are left out.
    pub filter: Option<Expr>,
}

/// One entry of a SELECT list.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectItem {
    /// `*` or `table.*`: every column of the table, in its order.
    Wildcard {
        /// The parts before `.*`; empty for a plain `*`.
        qualifier: Vec<Ident>,
        /// From the qualifier to the star.
        span: Span,
    },
    /// An expression.
    Expr {
        /// What is computed.
        expr: Expr,
        /// `[AS] alias`
        alias: Option<Ident>,
    },
}

/// `table [/*+ OPTIONS(…) */] [[AS] alias]`
#[derive(Clone, Debug, PartialEq)]
pub struct TableRef {
    /// The table.
    pub name: ObjectName,
    /// The options of the hint behind it; empty if there is none.
    pub options: Options,
    /// The name its columns may be qualified with instead.
    pub alias: Option<Ident>,
}

// === impl ObjectName ===

impl ObjectName {
    /// The last part: the table's or database's own name.
    pub fn last(&self) -> &str {
        self.parts.last().map_or("", |part| part.value.as_str())
    }
}

/// Parts joined by points, in backticks where they need them.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            let plain = part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_alphanumeric() || c == '_');
            if plain {
                f.write_str(part)?;
            } else {
                write!(f, "`{}`", part.replace('`', "``"))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}@{}:{}", self.span.line, self.span.column)
    }
}

// === impl TableColumn ===

impl TableColumn {
    /// The column's name.
    pub fn name(&self) -> &Ident {
        match self {
            TableColumn::Physical(column) => &column.name,
            TableColumn::Computed(column) => &column.name,
        }
    }
}

// === impl SelectItem ===

impl SelectItem {
    /// Where the item stands.
    pub fn span(&self) -> Span {
        match self {
            SelectItem::Wildcard { span, .. } => *span,
            SelectItem::Expr { expr, alias } => match alias {
                Some(alias) => expr.span.to(alias.span),
                None => expr.span,
            },
        }
    }
}
