//! The language as tables of cases: text in, tree or rendered error out. Only `check` functions touch the API.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arbitrary;
mod errors;
mod expressions;
mod secrets;
mod show;
mod statements;
mod variables;

use tributary_statement::{Script, StatementError, Variable};

/// Variables of every test: NAME, EMPTY, QUOTE (a lone quote), and the file `secret.txt`.
fn variable(variable: Variable<'_>) -> Result<String, String> {
    match variable {
        Variable::Named("NAME") => Ok("value".to_owned()),
        Variable::Named("EMPTY") => Ok(String::new()),
        Variable::Named("QUOTE") => Ok("'; -- <gap>".to_owned()),
        Variable::File("secret.txt") => Ok("hunter2".to_owned()),
        Variable::Named(_) => Err("not set".to_owned()),
        Variable::File(_) => Err("no such file".to_owned()),
    }
}

fn parse(text: &str) -> Result<Script, StatementError> {
    tributary_statement::parse("job.sql", text, &variable)
}

fn parsed(text: &str) -> Script {
    parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The error of `text`, rendered.
fn error(text: &str) -> String {
    match parse(text) {
        Ok(script) => panic!("parsed: {text}\n{:?}", script.statements),
        Err(error) => error.to_string(),
    }
}
