//! Rules for statements. Every clause of Flink SQL that is not supported is refused by its name.

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser};
use crate::{
    CreateCatalog, CreateDatabase, DropTable, OptionEntry, OptionValue, Options, Set, Spanned, Statement,
    StatementError, is_secret_key, variables,
};

/// What a statement can begin with.
const STATEMENTS: &[&str] = &["BEGIN", "CALL", "CREATE", "DROP", "EXECUTE", "INSERT", "RESET", "SET", "USE"];

/// What a statement of Flink can begin with besides, and what to do instead.
const REFUSED_STATEMENTS: &[(&str, &str)] = &[
    ("ADD", ""),
    ("ALTER", "change the table with the engine that owns it"),
    ("ANALYZE", ""),
    ("COMPILE", ""),
    ("DELETE", "tables are append-only"),
    ("DESC", ""),
    ("DESCRIBE", ""),
    ("END", "no statement set is open"),
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
/// What CREATE can make that is not ours, and what to do instead.
const REFUSED_OBJECTS: &[(&str, &str)] = &[
    ("VIEW", "put its expressions into the SELECT, or into computed columns of the temporary table"),
    ("FUNCTION", ""),
    ("MODEL", ""),
    ("MATERIALIZED", ""),
    ("CONNECTION", ""),
    ("SYSTEM", ""),
    ("EXTERNAL", ""),
];

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
            if !self.is_statement_end() {
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
            "CALL" => self.call_procedure().map(Statement::Call),
            "SET" => self.set(),
            "RESET" => self.reset(),
            "USE" => self.use_object(),
            "CREATE" => self.create(),
            "INSERT" => self.insert().map(Statement::Insert),
            "DROP" => self.drop_table(),
            "EXECUTE" | "BEGIN" => self.statement_set(),
            other => {
                let refused = REFUSED_STATEMENTS.iter().find(|(word, _)| *word == other);
                Err(match refused {
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
        if self.is_statement_end() {
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

    /// `EXECUTE STATEMENT SET BEGIN insert; … END`, `BEGIN STATEMENT SET; insert; … END`
    fn statement_set(&mut self) -> Parsed<Statement> {
        if self.is_word("EXECUTE") && !self.words_at(1, &["STATEMENT"]) {
            return Err(self.refuse(1, "EXECUTE of anything but a STATEMENT SET is", "write the INSERT by itself"));
        }
        let begins = self.take();
        self.expect("STATEMENT")?;
        self.expect("SET")?;
        if self.text(begins).eq_ignore_ascii_case("BEGIN") {
            self.expect_symbol(";")?;
        } else {
            self.expect("BEGIN")?;
        }
        let mut inserts = Vec::new();
        loop {
            if inserts.is_empty() && self.is_word("END") {
                return Err(self.source.error(self.peek().span, "a statement set needs at least one INSERT"));
            }
            if self.accept(&["END"]).is_some() {
                return Ok(Statement::StatementSet(inserts));
            }
            if !self.is_word("INSERT") {
                let error = self.expected_one_of("INSERT or END", &["INSERT", "END"]);
                return Err(error.or_help("a statement set holds INSERT INTO … SELECT …; only, and is closed with END"));
            }
            inserts.push(self.insert()?);
            self.expect_symbol(";")?;
        }
    }

    /// `DROP TEMPORARY TABLE [IF EXISTS] name`
    fn drop_table(&mut self) -> Parsed<Statement> {
        self.take();
        if self.accept(&["TEMPORARY"]).is_none() {
            let help = match self.is_word("TABLE") {
                true => "DROP TEMPORARY TABLE is; drop a table of a catalog with the engine that owns it",
                false => "only DROP TEMPORARY TABLE is",
            };
            let name = self.text(self.peek()).to_ascii_uppercase();
            return Err(match self.peek().kind {
                TokenKind::Word => self.refuse(1, &format!("DROP {name} is"), help),
                _ => self.expected("TEMPORARY TABLE"),
            });
        }
        self.expect("TABLE")?;
        let if_exists = self.accept(&["IF"]).is_some();
        if if_exists {
            self.expect("EXISTS")?;
        }
        let name = self.object_name("the name of a table", 3)?;
        Ok(Statement::DropTable(DropTable { name, if_exists }))
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
        if let Some((object, help)) = REFUSED_OBJECTS.iter().find(|(word, _)| self.is_word(word)) {
            let temporary = if temporary { "TEMPORARY " } else { "" };
            return Err(self.refuse(1, &format!("CREATE {temporary}{object} is"), help));
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

    /// `[WITH ('key' = 'value', …)]`
    pub(crate) fn with_options(&mut self) -> Parsed<Options> {
        match self.accept(&["WITH"]) {
            Some(_) => self.options(),
            None => Ok(Options::default()),
        }
    }

    /// `[/*+ OPTIONS('key' = 'value', …) */]`
    pub(crate) fn hinted_options(&mut self) -> Parsed<Options> {
        if self.peek().kind != TokenKind::Hint || !self.words_at(1, &["OPTIONS"]) {
            return Ok(Options::default());
        }
        self.take();
        self.take();
        let options = self.options()?;
        self.expect_symbol("*/")?;
        Ok(options)
    }

    /// `('key' = 'value', …)`, or `()`
    pub(crate) fn options(&mut self) -> Parsed<Options> {
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
