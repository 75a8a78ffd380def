//! Rules for statements. Every clause of Flink SQL that is not supported is refused by its name.

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser, Refused};
use crate::{
    ColumnDef, CreateCatalog, CreateDatabase, CreateTable, Ident, OptionEntry, OptionValue, Options, Set, Spanned,
    Statement, StatementError, is_secret_key, nearest, variables,
};

/// What a statement can begin with.
const STATEMENTS: &[&str] = &["CREATE", "INSERT", "RESET", "SET", "USE"];

/// What a statement of Flink can begin with besides, and what to do instead.
const REFUSED_STATEMENTS: &[(&str, &str)] = &[
    ("ADD", ""),
    ("ALTER", "change the table with the engine that owns it"),
    ("ANALYZE", ""),
    ("BEGIN", "write the INSERT without a statement set"),
    ("CALL", ""),
    ("COMPILE", ""),
    ("DELETE", "tables are append-only"),
    ("DESC", ""),
    ("DESCRIBE", ""),
    ("DROP", ""),
    ("END", ""),
    ("EXECUTE", "write the INSERT without a statement set"),
    ("EXPLAIN", ""),
    ("LOAD", ""),
    ("MERGE", "tables are append-only"),
    ("REMOVE", ""),
    ("SELECT", "a job writes: put INSERT INTO … before it"),
    ("SHOW", ""),
    ("STOP", ""),
    ("TRUNCATE", "tables are append-only"),
    ("UNLOAD", ""),
    ("UPDATE", "tables are append-only"),
    ("VALUES", ""),
    ("WITH", "write one INSERT INTO … SELECT … FROM one table"),
];

const QUOTE_BOTH: &str = "write 'key' = 'value', both in quotes";
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
    (&["LIKE"], "CREATE TABLE … LIKE is", "write the columns out"),
    (&["AS"], "CREATE TABLE … AS SELECT is", "write CREATE TABLE, then INSERT INTO"),
    (&["DISTRIBUTED"], "DISTRIBUTED BY is", "leave it out: buckets are not supported"),
];

/// What CREATE can make that is not ours.
const REFUSED_OBJECTS: &[&str] = &["VIEW", "FUNCTION", "MODEL", "MATERIALIZED", "CONNECTION", "SYSTEM", "EXTERNAL"];

impl Parser<'_> {
    /// All statements, each ended by a semicolon but for the last, which may do without.
    pub(crate) fn script(&mut self) -> Parsed<Vec<Spanned<Statement>>> {
        let mut statements = Vec::new();
        loop {
            while self.accept_symbol(";").is_some() {}
            let start = self.peek();
            if start.kind == TokenKind::End {
                return Ok(statements);
            }
            let statement = self.statement()?;
            let span = start.span.to(self.last_span());
            if self.peek().kind != TokenKind::End && !self.is_symbol(";") {
                return Err(self.expected("`;` or the end of the text"));
            }
            statements.push(Spanned::new(statement, span));
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let token = self.peek();
        if token.kind != TokenKind::Word {
            return Err(self.expected("a statement"));
        }
        match self.text(token).to_ascii_uppercase().as_str() {
            "SET" => self.set(),
            "RESET" => self.reset(),
            "USE" => self.use_object(),
            "CREATE" => self.create(),
            "INSERT" => self.insert(),
            other => {
                let refused = REFUSED_STATEMENTS.iter().find(|(word, _)| *word == other);
                Err(match refused {
                    Some(_) if self.words_at(0, &["EXECUTE", "STATEMENT", "SET"]) => {
                        self.refuse(3, "EXECUTE STATEMENT SET is", "write the INSERT by itself")
                    }
                    Some((word, help)) => self.refuse(1, &format!("{word} is"), help),
                    None => self.unknown_statement(),
                })
            }
        }
    }

    fn unknown_statement(&self) -> StatementError {
        let token = self.peek();
        let shown = self.source.shown(token.span);
        let error = self.source.error(token.span, format!("no statement begins with `{shown}`"));
        match self.meant(STATEMENTS) {
            Some(meant) => error.with_help(format!("did you mean {meant}?")),
            None => error.with_help(format!("the statements are {}", STATEMENTS.join(", "))),
        }
    }

    /// `SET 'key' = 'value'`
    fn set(&mut self) -> Parsed<Statement> {
        self.take();
        let OptionEntry { key, value } = self.option_entry()?;
        Ok(Statement::Set(Set { key, value }))
    }

    /// `RESET ['key']`
    fn reset(&mut self) -> Parsed<Statement> {
        self.take();
        if self.peek().kind == TokenKind::End || self.is_symbol(";") {
            return Ok(Statement::Reset(None));
        }
        let key = self
            .string("a key in quotes, or `;`")
            .map_err(|error| error.or_help("write RESET 'key', or RESET alone for all"))?;
        Ok(Statement::Reset(Some(Spanned::new(key.value.text, key.span))))
    }

    /// `USE CATALOG name`, `USE [catalog.]database`
    fn use_object(&mut self) -> Parsed<Statement> {
        self.take();
        if self.is_word("MODULES") {
            return Err(self.refuse(1, "USE MODULES is", ""));
        }
        let names_database = self.symbol_at(1, ".") || self.symbol_at(1, ";");
        if !names_database && self.accept(&["CATALOG"]).is_some() {
            return Ok(Statement::UseCatalog(self.name("the name of a catalog")?));
        }
        let name = self.object_name("the name of a database", 2)?;
        Ok(Statement::UseDatabase(name))
    }

    fn create(&mut self) -> Parsed<Statement> {
        self.take();
        if self.words_at(0, &["OR", "REPLACE"]) {
            return Err(self.refuse(2, "CREATE OR REPLACE is", "write CREATE … IF NOT EXISTS"));
        }
        let temporary = self.accept(&["TEMPORARY"]).is_some();
        if self.accept(&["TABLE"]).is_some() {
            return self.create_table(temporary).map(Statement::CreateTable);
        }
        if let Some(object) = REFUSED_OBJECTS.iter().find(|word| self.is_word(word)) {
            return Err(self.refuse(1, &format!("CREATE {object} is"), ""));
        }
        if temporary {
            return Err(self.expected_one_of("TABLE", &["TABLE"]));
        }
        if self.accept(&["CATALOG"]).is_some() {
            return self.create_catalog().map(Statement::CreateCatalog);
        }
        if self.accept(&["DATABASE"]).is_some() {
            return self.create_database().map(Statement::CreateDatabase);
        }
        Err(self.expected_one_of(
            "CATALOG, DATABASE, TABLE or TEMPORARY TABLE",
            &["CATALOG", "DATABASE", "TABLE", "TEMPORARY"],
        ))
    }

    fn create_catalog(&mut self) -> Parsed<CreateCatalog> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.name("the name of a catalog")?;
        let comment = self.comment()?;
        self.expect("WITH")?;
        let options = self.options()?;
        Ok(CreateCatalog { name, if_not_exists, comment, options })
    }

    fn create_database(&mut self) -> Parsed<CreateDatabase> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name("the name of a database", 2)?;
        let comment = self.comment()?;
        let options = self.with_options()?;
        Ok(CreateDatabase { name, if_not_exists, comment, options })
    }

    fn create_table(&mut self, temporary: bool) -> Parsed<CreateTable> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name("the name of a table", 3)?;
        if self.is_symbol("(") && self.symbol_at(1, ")") {
            return Err(self.source.error(name.span, "a table needs at least one column"));
        }
        if !self.is_symbol("(") {
            self.refuse_any(REFUSED_TABLE_CLAUSES)?;
        }
        let columns = self.list(Self::column)?;
        self.distinct("column", columns.iter().map(|column| &column.name))?;
        let comment = self.comment()?;
        self.refuse_any(REFUSED_TABLE_CLAUSES)?;
        let partitioned_by = self.partitioned_by(&columns)?;
        let options = self.with_options()?;
        self.refuse_any(REFUSED_TABLE_CLAUSES)?;
        if self.peek().kind != TokenKind::End && !self.is_symbol(";") {
            return Err(self.misplaced_table_clause());
        }
        Ok(CreateTable { name, temporary, if_not_exists, columns, partitioned_by, options, comment })
    }

    fn misplaced_table_clause(&self) -> StatementError {
        let clauses = ["COMMENT", "PARTITIONED", "WITH"];
        if clauses.iter().any(|clause| self.is_word(clause)) {
            return self
                .expected("`;` or the end of the text")
                .with_help("the order is (columns) COMMENT, PARTITIONED BY, WITH, each once");
        }
        self.expected_one_of("COMMENT, PARTITIONED BY, WITH or `;`", &clauses)
    }

    /// `name TYPE [NULL | NOT NULL] [COMMENT '…']`
    fn column(&mut self) -> Parsed<ColumnDef> {
        self.refuse_any(TABLE_CONSTRAINTS)?;
        if self.is_word("UNIQUE") && self.symbol_at(1, "(") {
            return Err(self.refuse(1, "UNIQUE is", NO_KEYS));
        }
        let name = self.name("the name of a column")?;
        if self.is_word("AS") {
            return Err(self.refuse(1, "a computed column is", "compute it in the SELECT"));
        }
        let data_type = self.data_type()?;
        let nullable = match self.accept(&["NOT"]) {
            Some(_) => {
                self.expect("NULL")?;
                false
            }
            None => {
                self.accept(&["NULL"]);
                true
            }
        };
        self.refuse_any(COLUMN_CONSTRAINTS)?;
        let comment = self.comment()?;
        self.refuse_any(COLUMN_CONSTRAINTS)?;
        Ok(ColumnDef { name, data_type, nullable, comment })
    }

    /// `[PARTITIONED BY (column, …)]`
    fn partitioned_by(&mut self, columns: &[ColumnDef]) -> Parsed<Vec<Ident>> {
        if self.accept(&["PARTITIONED"]).is_none() {
            return Ok(Vec::new());
        }
        self.expect("BY")?;
        let keys = self.list(|parser| parser.name("the name of a column"))?;
        self.distinct("partition column", keys.iter())?;
        let names = || columns.iter().map(|column| column.name.as_str());
        for key in &keys {
            if !names().any(|name| name == key.value) {
                let error =
                    self.source.error(key.span, format!("the table has no column `{}` to partition by", key.value));
                return Err(match nearest(&key.value, names()) {
                    Some(meant) => error.with_help(format!("did you mean `{meant}`?")),
                    None => error.with_help("declare it among the columns"),
                });
            }
        }
        Ok(keys)
    }

    fn distinct<'n>(&self, what: &str, names: impl Iterator<Item = &'n Ident>) -> Parsed<()> {
        let mut seen: Vec<&Ident> = Vec::new();
        for name in names {
            if let Some(first) = seen.iter().find(|first| first.value == name.value) {
                return Err(self.source.error(
                    name.span,
                    format!(
                        "the {what} `{}` is there twice, first at {}:{}",
                        name.value, first.span.line, first.span.column
                    ),
                ));
            }
            seen.push(name);
        }
        Ok(())
    }

    /// `[WITH ('key' = 'value', …)]`
    fn with_options(&mut self) -> Parsed<Options> {
        match self.accept(&["WITH"]) {
            Some(_) => self.options(),
            None => Ok(Options::default()),
        }
    }

    /// `('key' = 'value', …)`, or `()`
    fn options(&mut self) -> Parsed<Options> {
        let mut options = Options::default();
        if self.is_symbol("(") && self.symbol_at(1, ")") {
            self.take();
            self.take();
            return Ok(options);
        }
        for entry in self.list(Self::option_entry)? {
            let (key, span) = (entry.key.value.clone(), entry.key.span);
            if let Err(first) = options.insert(entry) {
                let first = first.key.span;
                return Err(self
                    .source
                    .error(span, format!("'{key}' is set twice, first at {}:{}", first.line, first.column)));
            }
        }
        Ok(options)
    }

    /// `'key' = 'value'`
    fn option_entry(&mut self) -> Parsed<OptionEntry> {
        let token = self.peek();
        if token.kind == TokenKind::Text && self.text(token).contains("${") {
            // Whether a value must be masked is decided by its key as written.
            return Err(self.source.error(token.span, "a key takes no variables").with_help("write the key out"));
        }
        let key = self.string("a key in quotes").map_err(|error| error.or_help(QUOTE_BOTH))?;
        let key = Spanned::new(key.value.text, key.span);
        self.expect_symbol("=").map_err(|error| error.or_help(QUOTE_BOTH))?;
        let token = self.peek();
        let value = self.string("a value in quotes").map_err(|error| match token.kind {
            TokenKind::Word | TokenKind::Number => error.or_help(format!("write '{}'", self.source.shown(token.span))),
            _ => error.or_help(QUOTE_BOTH),
        })?;
        let secret = value.value.from_file || is_secret_key(&key);
        if let Some(gap) = variables::placeholder(self.source.inside(value.span)) {
            let inside = value.span.offset + 1;
            let gap = self.source.span(inside + gap.start..inside + gap.end);
            return Err(self.placeholder(if secret { value.span } else { gap }));
        }
        let value = OptionValue::new(value.value.text, secret, value.span);
        Ok(OptionEntry { key, value })
    }
}
