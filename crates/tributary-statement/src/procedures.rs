//! `CALL [catalog.]sys.procedure(name => value, …)`. Which procedures there are is for whoever carries it out.

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser};
use crate::{Call, Ident, OptionEntry, OptionValue, Options, Spanned, is_secret_key};

const BY_NAME: &str = "name the arguments: CALL sys.compact(table => 'db.t')";

impl Parser<'_> {
    /// From CALL to the closing parenthesis.
    pub(crate) fn call_procedure(&mut self) -> Parsed<Call> {
        self.take();
        let procedure = self.object_name("the name of a procedure", 3)?;
        let mut arguments = Options::default();
        if self.symbol_at(1, ")") {
            self.expect_symbol("(")?;
            self.expect_symbol(")")?;
            return Ok(Call { procedure, arguments });
        }
        for argument in self.list(Self::argument)? {
            let (name, span) = (argument.key.value.clone(), argument.key.span);
            if let Err(first) = arguments.insert(argument) {
                let first = first.key.span;
                let message = format!("the argument {name} is there twice, first at {}:{}", first.line, first.column);
                return Err(self.source.error(span, message));
            }
        }
        Ok(Call { procedure, arguments })
    }

    /// `name => value`
    fn argument(&mut self) -> Parsed<OptionEntry> {
        let key = self.argument_name()?;
        self.expect_symbol("=>").map_err(|error| error.or_help(BY_NAME))?;
        let token = self.peek();
        let text = self.text(token);
        let value = match token.kind {
            TokenKind::Text => {
                let value = self.string("a value")?;
                let is_secret = value.value.from_file || is_secret_key(&key);
                return Ok(OptionEntry { key, value: OptionValue::new(value.value.text, is_secret, value.span) });
            }
            TokenKind::Number => text.to_owned(),
            TokenKind::Word if text.eq_ignore_ascii_case("TRUE") || text.eq_ignore_ascii_case("FALSE") => {
                text.to_ascii_lowercase()
            }
            _ => return Err(self.expected("a value in quotes, a number, TRUE or FALSE")),
        };
        self.take();
        Ok(OptionEntry { key, value: OptionValue::new(value, false, token.span) })
    }

    /// Any word will do: `where` is one.
    fn argument_name(&mut self) -> Parsed<Ident> {
        let token = self.peek();
        match token.kind {
            TokenKind::Word | TokenKind::Quoted if self.symbol_at(1, "=>") => {
                self.take();
                Ok(Spanned::new(self.text(token).trim_matches('`').to_owned(), token.span))
            }
            _ => Err(self.expected("the name of an argument and `=>`").or_help(BY_NAME)),
        }
    }
}
