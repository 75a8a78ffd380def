//! Rules for `INSERT INTO … SELECT …`: one table read, one written. Every other clause of a Flink query is refused by its name.

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser, Refused};
use crate::{ExprKind, Ident, Insert, PartitionValue, Select, SelectItem, Spanned, TableRef};

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
    /// `INSERT INTO target [hint] [PARTITION (column = literal, …)] [(column, …)] SELECT …`
    pub(crate) fn insert(&mut self) -> Parsed<Insert> {
        self.take();
        if self.is_word("OVERWRITE") {
            return Err(self.refuse(1, "INSERT OVERWRITE is", "write INSERT INTO: tables are append-only"));
        }
        self.expect("INTO")?;
        let target = self.object_name("the name of a table", 3)?;
        let options = self.hinted_options()?;
        let partition = self.static_partition()?;
        let columns = self.insert_columns()?;
        if let Some(both) = partition.iter().find(|value| {
            let given = columns.iter().flat_map(|columns| columns.value.iter());
            given.into_iter().any(|column| column.value == value.column.value)
        }) {
            let message = format!("the column `{}` has its value from PARTITION already", both.column.value);
            let again = columns.iter().flat_map(|columns| columns.value.iter()).find(|c| c.value == both.column.value);
            let span = again.map_or(both.column.span, |column| column.span);
            return Err(self.source.error(span, message).with_help("leave it out of the column list"));
        }
        if self.is_word("PARTITION") {
            return Err(self
                .expected("SELECT")
                .with_help("the order is INSERT INTO table PARTITION (column = value) (columns) SELECT"));
        }
        for word in ["VALUES", "WITH", "TABLE"] {
            if self.is_word(word) {
                return Err(self.refuse(1, &format!("{word} is"), "write SELECT … FROM a table"));
            }
        }
        let select = self.select()?;
        Ok(Insert { target, options, partition, columns, select })
    }

    /// `[PARTITION (column = literal, …)]`
    fn static_partition(&mut self) -> Parsed<Vec<PartitionValue>> {
        if self.accept(&["PARTITION"]).is_none() {
            return Ok(Vec::new());
        }
        let values = self.list(|parser| {
            let column = parser.name("the name of a partition column")?;
            if parser.is_symbol(",") || parser.is_symbol(")") {
                return Err(parser
                    .expected("`=` and a value")
                    .with_help("a partition column without a fixed value comes from the SELECT: leave it out here"));
            }
            parser.expect_symbol("=")?;
            let value = parser.expression()?;
            if !matches!(value.kind, ExprKind::Literal(_)) {
                return Err(parser
                    .source
                    .error(value.span, format!("the value of partition column `{}` must be a literal", column.value))
                    .with_help("compute it in the SELECT, and leave the column out of PARTITION"));
            }
            Ok(PartitionValue { column, value })
        })?;
        self.distinct("partition column", values.iter().map(|value| &value.column))?;
        Ok(values)
    }

    /// `[(column, …)]`
    fn insert_columns(&mut self) -> Parsed<Option<Spanned<Vec<Ident>>>> {
        if !self.is_symbol("(") {
            return Ok(None);
        }
        if self.words_at(1, &["SELECT"]) {
            return Err(self.refuse(2, "a SELECT in parentheses is", "leave the parentheses out"));
        }
        let start = self.peek().span;
        let columns = self.list(|parser| parser.name("the name of a column"))?;
        self.distinct("column", columns.iter())?;
        Ok(Some(Spanned::new(columns, start.to(self.last_span()))))
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
            if self.is_statement_end() {
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
        if !self.is_statement_end() {
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
        let options = self.hinted_options()?;
        self.refuse_any(REFUSED_CLAUSES)?;
        let alias = self.alias(&["WHERE"])?;
        if self.is_symbol(",") {
            return Err(self.refuse(1, "reading several tables is", "a SELECT reads one table"));
        }
        Ok(TableRef { name, options, alias })
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
