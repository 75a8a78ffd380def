//! What a CREATE TABLE defines once its LIKE is resolved, whether the table is to be a temporary one or one of a catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use paimon_format::{DataType, TableSchema};
use tributary_statement::{
    CreateTable, Expr, Ident, Like, Merging, Options, Source, Span, SqlType, TableColumn, nearest,
};

use crate::expr::bind::BindError;
use crate::expr::types::type_root;

/// Columns, partitioning and options, all in Paimon's terms.
#[derive(Clone)]
pub(crate) struct Definition {
    pub(crate) columns: Vec<Column>,
    pub(crate) partition_keys: Vec<String>,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) comment: Option<String>,
}

/// A column of a table to be.
#[derive(Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    pub(crate) comment: Option<String>,
}

/// Where the values of a column come from.
#[derive(Clone)]
pub(crate) enum ColumnKind {
    /// The table holds them.
    Physical(DataType),
    /// They are computed from other columns.
    Computed(Computed),
}

/// The expression of a computed column, and the text it stands in: another file may use it.
#[derive(Clone)]
pub(crate) struct Computed {
    pub(crate) expr: Arc<Expr>,
    pub(crate) source: Arc<Source>,
}

/// The options that a statement says itself, to point at what is wrong with them.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) options: &'a Options,
    /// What is pointed at if an option came from elsewhere.
    pub(crate) otherwise: Span,
    /// Whether others may come from the table of a LIKE.
    pub(crate) inherits: bool,
}

/// Options that say where a table is, not what: another table does not take them over.
const NOT_INHERITED: &[&str] = &["path"];

type Result<T, E = BindError> = std::result::Result<T, E>;

// === impl Given ===

impl<'a> Given<'a> {
    /// The WITH options of a statement.
    pub(crate) fn with(statement: &'a CreateTable) -> Self {
        let otherwise = statement.like.as_ref().map_or(statement.name.span, |like| like.table.span);
        Self { options: &statement.options, otherwise, inherits: statement.like.is_some() }
    }

    pub(crate) fn key_span(&self, key: &str) -> Span {
        self.options.get(key).map_or(self.otherwise, |entry| entry.key.span)
    }

    pub(crate) fn value_span(&self, key: &str) -> Span {
        self.options.get(key).map_or(self.otherwise, |entry| entry.value.span())
    }

    /// `text` about the option `key`, without its value if that is a secret.
    pub(crate) fn masked(&self, key: &str, text: String) -> String {
        match self.options.get(key) {
            Some(entry) => entry.value.masked(text),
            None => text,
        }
    }
}

// === impl Definition ===

impl Definition {
    /// What `statement`, which stands in `source`, says together with the table it is LIKE.
    pub(crate) fn try_new(statement: &CreateTable, source: &Arc<Source>, base: Option<&Definition>) -> Result<Self> {
        let own = statement.options.iter();
        let mut definition = Self {
            columns: statement.columns.iter().map(|column| own_column(column, source)).collect(),
            partition_keys: statement.partitioned_by.iter().map(|key| key.value.clone()).collect(),
            options: own.map(|entry| (entry.key.value.clone(), entry.value.expose().to_owned())).collect(),
            comment: statement.comment.as_ref().map(|comment| comment.value.clone()),
        };
        if let (Some(like), Some(base)) = (&statement.like, base) {
            definition.inherit(statement, like, base)?;
            for key in &statement.partitioned_by {
                definition.check_partition_column(key)?;
            }
        }
        Ok(definition)
    }

    /// The definition of a table that exists.
    pub(crate) fn of_schema(schema: &TableSchema) -> Self {
        let column = |field: &paimon_format::DataField| Column {
            name: field.name.clone(),
            kind: ColumnKind::Physical(field.data_type.clone()),
            comment: field.description.clone(),
        };
        Self {
            columns: schema.fields.iter().map(column).collect(),
            partition_keys: schema.partition_keys.clone(),
            options: schema.options.clone(),
            comment: schema.comment.clone(),
        }
    }

    /// Takes over what LIKE says from `base`. A comment belongs to one table and is none of it.
    fn inherit(&mut self, statement: &CreateTable, like: &Like, base: &Definition) -> Result<()> {
        let base_name = &like.table;
        let is_inherited = |column: &&Column| match column.kind {
            ColumnKind::Physical(_) => true,
            ColumnKind::Computed(_) => like.generated != Merging::Excluding,
        };
        let mut columns: Vec<Column> = base.columns.iter().filter(is_inherited).cloned().collect();
        for (said, own) in statement.columns.iter().zip(std::mem::take(&mut self.columns)) {
            match columns.iter().position(|column| column.name == own.name) {
                None => columns.push(own),
                Some(at)
                    if like.generated == Merging::Overwriting && columns[at].is_computed() && own.is_computed() =>
                {
                    columns[at] = own;
                }
                Some(_) => {
                    let span = said.name().span;
                    return Err(BindError::new(span, format!("{base_name} has a column `{}` already", own.name))
                        .help("the columns of the LIKE table stay as they are: leave it out, or rename it"));
                }
            }
        }
        self.columns = columns;
        if like.partitions && !base.partition_keys.is_empty() {
            if let Some(key) = statement.partitioned_by.first() {
                return Err(BindError::new(key.span, format!("{base_name} has its own partitioning"))
                    .help(format!("leave PARTITIONED BY out, or write LIKE {base_name} (EXCLUDING PARTITIONS)")));
            }
            self.partition_keys.clone_from(&base.partition_keys);
        }
        if like.options != Merging::Excluding {
            for (key, value) in base.options.iter().filter(|(key, _)| !NOT_INHERITED.contains(&key.as_str())) {
                if let (Merging::Including, Some(own)) = (like.options, statement.options.get(key)) {
                    return Err(BindError::new(own.key.span, format!("{base_name} has an option `{key}` already"))
                        .help(format!("write LIKE {base_name} (OVERWRITING OPTIONS) for the one given here")));
                }
                self.options.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(())
    }

    fn check_partition_column(&self, key: &Ident) -> Result<()> {
        let names = || self.columns.iter().map(|column| column.name.as_str());
        if names().any(|name| name == key.value) {
            return Ok(());
        }
        let error = BindError::new(key.span, format!("the table has no column `{}` to partition by", key.value));
        Err(match nearest(&key.value, names()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("declare it among the columns"),
        })
    }
}

// === impl Column ===

impl Column {
    fn is_computed(&self) -> bool {
        matches!(self.kind, ColumnKind::Computed(_))
    }
}

fn own_column(column: &TableColumn, source: &Arc<Source>) -> Column {
    let (kind, comment) = match column {
        TableColumn::Physical(column) => {
            (ColumnKind::Physical(data_type(&column.data_type, column.nullable)), &column.comment)
        }
        TableColumn::Computed(column) => {
            let computed = Computed { expr: Arc::new(column.expr.clone()), source: Arc::clone(source) };
            (ColumnKind::Computed(computed), &column.comment)
        }
    };
    let comment = comment.as_ref().map(|comment| comment.value.clone());
    Column { name: column.name().value.clone(), kind, comment }
}

fn data_type(sql: &SqlType, nullable: bool) -> DataType {
    DataType { root: type_root(sql), nullable }
}
