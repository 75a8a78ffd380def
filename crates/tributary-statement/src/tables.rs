//! Rules for CREATE TABLE: columns, partitioning, LIKE. Every clause of Flink SQL that is not supported is refused by its name.

use crate::parser::{Parsed, Parser, Refused};
use crate::{ColumnDef, ComputedColumn, CreateTable, Ident, Like, Merging, StatementError, TableColumn, nearest};

const NO_KEYS: &str = "leave it out: tables are append-only";

/// What can stand in place of a column of a CREATE TABLE.
const TABLE_CONSTRAINTS: &[Refused] = &[
    (&["PRIMARY", "KEY"], "PRIMARY KEY is", NO_KEYS),
    (&["CONSTRAINT"], "CONSTRAINT is", NO_KEYS),
    (&["WATERMARK", "FOR"], "WATERMARK is", "leave it out"),
];

/// What can stand behind the type of a column.
const COLUMN_CONSTRAINTS: &[Refused] = &[
    (&["PRIMARY", "KEY"], "PRIMARY KEY is", NO_KEYS),
    (&["UNIQUE"], "UNIQUE is", NO_KEYS),
    (&["CONSTRAINT"], "CONSTRAINT is", NO_KEYS),
    (&["METADATA"], "a METADATA column is", ""),
    (&["DEFAULT"], "DEFAULT is", "give the value in the SELECT"),
];

/// Clauses behind the columns of a CREATE TABLE.
const REFUSED_TABLE_CLAUSES: &[Refused] = &[
    (&["AS"], "CREATE TABLE … AS SELECT is", "write CREATE TABLE, then INSERT INTO"),
    (&["DISTRIBUTED"], "DISTRIBUTED BY is", "leave it out: buckets are not supported"),
];

/// What LIKE can take over in Flink, and no table here has.
const FOREIGN_FEATURES: &[&str] = &["CONSTRAINTS", "DISTRIBUTION", "METADATA", "WATERMARKS"];

/// What LIKE can take over or leave out.
const FEATURES: &[&str] = &["ALL", "GENERATED", "OPTIONS", "PARTITIONS"];

impl Parser<'_> {
    /// Behind `CREATE [TEMPORARY] TABLE`.
    pub(crate) fn create_table(&mut self, temporary: bool) -> Parsed<CreateTable> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name("the name of a table", 3)?;
        if self.is_symbol("(") && self.symbol_at(1, ")") {
            return Err(self.source.error(name.span, "a table needs at least one column"));
        }
        self.refuse_any(REFUSED_TABLE_CLAUSES)?;
        let has_columns = self.is_symbol("(") || !self.begins_clause_of_table();
        let columns = if has_columns { self.list(Self::column)? } else { Vec::new() };
        self.distinct("column", columns.iter().map(TableColumn::name))?;
        let comment = self.comment()?;
        self.refuse_any(REFUSED_TABLE_CLAUSES)?;
        let partitioned_by = self.partitioned_by()?;
        let options = self.with_options()?;
        self.refuse_any(REFUSED_TABLE_CLAUSES)?;
        let like = self.like()?;
        if !self.is_statement_end() {
            return Err(self.misplaced_table_clause());
        }
        if like.is_none() {
            if !has_columns {
                return Err(self.source.error(name.span, "a table needs its columns, or LIKE and another table"));
            }
            self.check_partition_columns(&partitioned_by, &columns)?;
        }
        Ok(CreateTable { name, temporary, if_not_exists, columns, partitioned_by, options, comment, like })
    }

    /// Whether a table goes on without columns of its own.
    fn begins_clause_of_table(&self) -> bool {
        ["COMMENT", "PARTITIONED", "WITH", "LIKE"].iter().any(|clause| self.is_word(clause)) || self.is_statement_end()
    }

    fn misplaced_table_clause(&self) -> StatementError {
        let clauses = ["COMMENT", "PARTITIONED", "WITH", "LIKE"];
        if clauses.iter().any(|clause| self.is_word(clause)) {
            return self
                .expected("`;` or the end of the text")
                .with_help("the order is (columns) COMMENT, PARTITIONED BY, WITH, LIKE, each once");
        }
        self.expected_one_of("COMMENT, PARTITIONED BY, WITH, LIKE or `;`", &clauses)
    }

    /// `name TYPE [NULL | NOT NULL] [COMMENT '…']`, `name AS expr [COMMENT '…']`
    fn column(&mut self) -> Parsed<TableColumn> {
        self.refuse_any(TABLE_CONSTRAINTS)?;
        if self.is_word("UNIQUE") && self.symbol_at(1, "(") {
            return Err(self.refuse(1, "UNIQUE is", NO_KEYS));
        }
        let name = self.name("the name of a column")?;
        if self.accept(&["AS"]).is_some() {
            let expr = self.expression()?;
            let comment = self.comment()?;
            return Ok(TableColumn::Computed(ComputedColumn { name, expr, comment }));
        }
        let data_type = self.data_type()?;
        let nullable = self.nullability()?;
        self.refuse_any(COLUMN_CONSTRAINTS)?;
        let comment = self.comment()?;
        self.refuse_any(COLUMN_CONSTRAINTS)?;
        Ok(TableColumn::Physical(ColumnDef { name, data_type, nullable, comment }))
    }

    /// `[PARTITIONED BY (column, …)]`
    fn partitioned_by(&mut self) -> Parsed<Vec<Ident>> {
        if self.accept(&["PARTITIONED"]).is_none() {
            return Ok(Vec::new());
        }
        self.expect("BY")?;
        let keys = self.list(|parser| parser.name("the name of a column"))?;
        self.distinct("partition column", keys.iter())?;
        Ok(keys)
    }

    fn check_partition_columns(&self, keys: &[Ident], columns: &[TableColumn]) -> Parsed<()> {
        let names = || columns.iter().map(|column| column.name().value.as_str());
        for key in keys {
            if !names().any(|name| name == key.value) {
                let error =
                    self.source.error(key.span, format!("the table has no column `{}` to partition by", key.value));
                return Err(match nearest(&key.value, names()) {
                    Some(meant) => error.with_help(format!("did you mean `{meant}`?")),
                    None => error.with_help("declare it among the columns"),
                });
            }
        }
        Ok(())
    }

    /// `[LIKE table [({INCLUDING | EXCLUDING | OVERWRITING} feature …)]]`; commas between features are not asked for.
    fn like(&mut self) -> Parsed<Option<Like>> {
        if self.accept(&["LIKE"]).is_none() {
            return Ok(None);
        }
        let table = self.object_name("the name of a table", 3)?;
        // Flink's defaults: what the new table says wins over inherited options, and over nothing else.
        let mut like = Like { table, generated: Merging::Including, options: Merging::Overwriting, partitions: true };
        if self.accept_symbol("(").is_none() {
            return Ok(Some(like));
        }
        let mut seen: Vec<Ident> = Vec::new();
        while self.accept_symbol(")").is_none() {
            let feature = self.like_feature(&mut like, &seen)?;
            seen.push(feature);
            self.accept_symbol(",");
        }
        Ok(Some(like))
    }

    /// One `INCLUDING feature` and its kin, put into `like`.
    fn like_feature(&mut self, like: &mut Like, seen: &[Ident]) -> Parsed<Ident> {
        const MERGINGS: [(&str, Merging); 3] = [
            ("INCLUDING", Merging::Including),
            ("EXCLUDING", Merging::Excluding),
            ("OVERWRITING", Merging::Overwriting),
        ];
        let Some((_, merging)) = MERGINGS.into_iter().find(|(word, _)| self.accept(&[word]).is_some()) else {
            return Err(self.expected_one_of(
                "INCLUDING, EXCLUDING, OVERWRITING or `)`",
                &["INCLUDING", "EXCLUDING", "OVERWRITING"],
            ));
        };
        if let Some(foreign) = FOREIGN_FEATURES.iter().find(|word| self.is_word(word)) {
            return Err(self.refuse(
                1,
                &format!("{foreign} of another table is"),
                "leave it out: no table here has any",
            ));
        }
        let Some(name) = FEATURES.iter().find(|word| self.is_word(word)) else {
            return Err(self.expected_one_of("ALL, GENERATED, OPTIONS or PARTITIONS", FEATURES));
        };
        if merging == Merging::Overwriting && matches!(*name, "ALL" | "PARTITIONS") {
            return Err(self
                .source
                .error(self.peek().span, format!("{name} cannot be overwritten"))
                .with_help(format!("write INCLUDING {name} or EXCLUDING {name}")));
        }
        let feature = Ident::new((*name).to_owned(), self.take().span);
        if seen.iter().any(|other| other.value == feature.value) {
            return Err(self.source.error(feature.span, format!("{name} is there twice")));
        }
        let is_said = |name: &str| seen.iter().any(|other| other.value == name);
        // ALL speaks of what nothing else speaks of, wherever it stands.
        match *name {
            "GENERATED" => like.generated = merging,
            "OPTIONS" => like.options = merging,
            "PARTITIONS" => like.partitions = merging == Merging::Including,
            _ => {
                if !is_said("GENERATED") {
                    like.generated = merging;
                }
                if !is_said("OPTIONS") {
                    like.options = merging;
                }
                if !is_said("PARTITIONS") {
                    like.partitions = merging == Merging::Including;
                }
            }
        }
        Ok(feature)
    }
}
