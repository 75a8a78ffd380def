//! Rules for `INSERT INTO … SELECT …`: one table read, one written. Every other clause of a Flink query is refused by its name.

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser, Refused};
use crate::{Ident, Insert, Select, SelectItem, Statement, TableRef};

/// Clauses of a query that can follow its table or its WHERE.
const REFUSED_CLAUSES: &[Refused] = &[
    (&["JOIN"], "a join is", "a SELECT reads one table"),
    (&["INNER"], "a join is", "a SELECT reads one table"),
    (&["LEFT"], "a join is", "a SELECT reads one table"),
    (&["RIGHT"], "a join is", "a SELECT reads one table"),
    (&["FULL"], "a join is", "a SELECT reads one table"),
    (&["CROSS"], "a join is", "a SELECT reads one table"),
    (&["NATURAL"], "a join is", "a SELECT reads one table"),
    (&["LATERAL"], "LATERAL is", "a SELECT reads one table"),
    (&["GROUP", "BY"], "GROUP BY is", "rows are handled one by one"),
    (&["HAVING"], "HAVING is", "rows are handled one by one"),
    (&["WINDOW"], "WINDOW is", "rows are handled one by one"),
    (&["QUALIFY"], "QUALIFY is", "rows are handled one by one"),
    (&["ORDER", "BY"], "ORDER BY is", "a stream has no end to sort by"),
    (&["LIMIT"], "LIMIT is", "bound the source: 'number-of-rows'"),
    (&["OFFSET"], "OFFSET is", ""),
    (&["FETCH"], "FETCH is", "bound the source: 'number-of-rows'"),
    (&["UNION"], "UNION is", "write one INSERT per SELECT"),
    (&["INTERSECT"], "INTERSECT is", ""),
    (&["EXCEPT"], "EXCEPT is", ""),
    (&["TABLESAMPLE"], "TABLESAMPLE is", ""),
    (&["MATCH_RECOGNIZE"], "MATCH_RECOGNIZE is", ""),
    (&["FOR", "SYSTEM_TIME"], "FOR SYSTEM_TIME is", ""),
];

impl Parser<'_> {
    /// `INSERT INTO target SELECT …`
    pub(crate) fn insert(&mut self) -> Parsed<Statement> {
        self.take();
        if self.is_word("OVERWRITE") {
            return Err(self.refuse(1, "INSERT OVERWRITE is", "write INSERT INTO: tables are append-only"));
        }
        self.expect("INTO")?;
        let target = self.object_name("the name of a table", 3)?;
        if self.is_word("PARTITION") {
            return Err(self.refuse(1, "a static PARTITION is", "give the partition's values in the SELECT"));
        }
        if self.is_symbol("(") {
            return Err(self.refuse(
                1,
                "a column list is",
                "name every column of the table in the SELECT, in its order",
            ));
        }
        for word in ["VALUES", "WITH", "TABLE"] {
            if self.is_word(word) {
                return Err(self.refuse(1, &format!("{word} is"), "write SELECT … FROM a table"));
            }
        }
        let select = self.select()?;
        Ok(Statement::Insert(Insert { target, select }))
    }

    fn select(&mut self) -> Parsed<Select> {
        self.expect("SELECT")?;
        if self.is_word("DISTINCT") {
            return Err(self.refuse(1, "DISTINCT is", "rows are handled one by one"));
        }
        self.accept(&["ALL"]);
        let mut items = vec![self.select_item()?];
        while self.accept_symbol(",").is_some() {
            items.push(self.select_item()?);
        }
        if self.accept(&["FROM"]).is_none() {
            if self.peek().kind == TokenKind::End || self.is_symbol(";") {
                return Err(self.expected("`,` or FROM").with_help("a SELECT reads one table: add FROM and its name"));
            }
            return Err(self.expected_one_of("an operator, `,` or FROM", &["FROM", "AS"]));
        }
        let from = self.table_ref()?;
        self.refuse_any(REFUSED_CLAUSES)?;
        let filter = match self.accept(&["WHERE"]) {
            Some(_) => Some(self.expression()?),
            None => None,
        };
        self.refuse_any(REFUSED_CLAUSES)?;
        if self.peek().kind != TokenKind::End && !self.is_symbol(";") {
            return Err(match filter {
                None => self.expected_one_of("WHERE or `;`", &["WHERE"]),
                Some(_) => self.expected_one_of("an operator or `;`", &["AND", "OR", "IS"]),
            });
        }
        Ok(Select { items, from, filter })
    }

    fn table_ref(&mut self) -> Parsed<TableRef> {
        if self.is_symbol("(") {
            return Err(self.refuse(1, "a subquery is", "a SELECT reads one table"));
        }
        self.refuse_any(REFUSED_CLAUSES)?;
        if self.words_at(0, &["TABLE"]) && self.symbol_at(1, "(") {
            return Err(self.refuse(1, "a table function is", "a SELECT reads one table"));
        }
        let name = self.object_name("the name of a table", 3)?;
        if self.is_symbol("(") {
            return Err(self.refuse(1, "a table function is", "a SELECT reads one table"));
        }
        self.refuse_any(REFUSED_CLAUSES)?;
        let alias = self.alias(&["WHERE"])?;
        if self.is_symbol(",") {
            return Err(self.refuse(1, "reading several tables is", "a SELECT reads one table"));
        }
        Ok(TableRef { name, alias })
    }

    fn select_item(&mut self) -> Parsed<SelectItem> {
        if let Some(wildcard) = self.wildcard()? {
            return Ok(wildcard);
        }
        let expr = self.expression()?;
        let alias = self.alias(&["FROM"])?;
        Ok(SelectItem::Expr { expr, alias })
    }

    /// `*`, `table.*`
    fn wildcard(&mut self) -> Parsed<Option<SelectItem>> {
        let mut ahead = 0;
        while matches!(self.peek_at(ahead).kind, TokenKind::Word | TokenKind::Quoted) && self.symbol_at(ahead + 1, ".")
        {
            ahead += 2;
        }
        if !self.symbol_at(ahead, "*") {
            return Ok(None);
        }
        let start = self.peek().span;
        let mut qualifier = Vec::new();
        while !self.is_symbol("*") {
            qualifier.push(self.name("a name")?);
            self.expect_symbol(".")?;
        }
        self.take();
        let span = start.to(self.last_span());
        Ok(Some(SelectItem::Wildcard { qualifier, span }))
    }

    /// `[[AS] name]`, unless the name is a typo of a keyword that should follow.
    fn alias(&mut self, followers: &[&str]) -> Parsed<Option<Ident>> {
        if self.accept(&["AS"]).is_some() {
            return self.name("an alias").map(Some);
        }
        if !self.is_name() {
            return Ok(None);
        }
        let continues = matches!(self.peek_at(1).kind, TokenKind::Word | TokenKind::Quoted)
            && !followers.iter().any(|word| self.words_at(1, &[word]));
        if continues && self.meant(followers).is_some() {
            return Ok(None);
        }
        self.name("an alias").map(Some)
    }
}
