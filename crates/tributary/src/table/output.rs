//! Rows for people (aligned), for spreadsheets (CSV) and for programs (one JSON object a line).

use std::io::{self, Write};

use serde_json::Value;

use crate::args::OutputFormat;

/// Named columns and their rows; a cell is a scalar, a list or null.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

// === impl Sheet ===

impl Sheet {
    pub(crate) fn new<const N: usize>(columns: [&str; N], rows: Vec<Vec<Value>>) -> Self {
        Self { columns: columns.map(str::to_owned).to_vec(), rows }
    }

    /// Writes to `out`. A reader that has seen enough (`| head`) is no error.
    pub(crate) fn print(&self, format: OutputFormat, out: &mut impl Write) -> io::Result<()> {
        let written = match format {
            OutputFormat::Table => self.table(out),
            OutputFormat::Csv => self.csv(out),
            OutputFormat::Json => self.json(out),
        };
        match written.and_then(|()| out.flush()) {
            Err(problem) if problem.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Writes the values alone, one a line.
    pub(crate) fn print_bare(&self, out: &mut impl Write) -> io::Result<()> {
        self.rows.iter().flatten().try_for_each(|cell| writeln!(out, "{}", plain(cell)))
    }

    fn table(&self, out: &mut impl Write) -> io::Result<()> {
        let cells: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(plain).collect()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = cells.iter().map(|row| row[column].chars().count());
                cells.chain([self.columns[column].chars().count()]).max().unwrap_or(0)
            })
            .collect();
        let mut line = |cells: &[String], right: &dyn Fn(usize) -> bool| {
            let mut text = String::new();
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                text += &match right(column) {
                    true => format!("{gap}{cell:>width$}"),
                    false => format!("{gap}{cell:<width$}"),
                };
            }
            writeln!(out, "{}", text.trim_end())
        };
        line(&self.columns, &|column| self.rows.iter().any(|row| row[column].is_number()))?;
        for (row, cells) in self.rows.iter().zip(&cells) {
            line(cells, &|column| row[column].is_number())?;
        }
        Ok(())
    }

    /// RFC 4180, with a line feed; null is nothing and an empty text is `""`.
    fn csv(&self, out: &mut impl Write) -> io::Result<()> {
        let quoted = |text: &str| match text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_owned(),
        };
        let header: Vec<String> = self.columns.iter().map(|column| quoted(column)).collect();
        writeln!(out, "{}", header.join(","))?;
        for row in &self.rows {
            let cells: Vec<String> =
                row.iter().map(|cell| if cell.is_null() { String::new() } else { quoted(&plain(cell)) }).collect();
            writeln!(out, "{}", cells.join(","))?;
        }
        Ok(())
    }

    /// Keys in the order of the columns, which a map would lose.
    fn json(&self, out: &mut impl Write) -> io::Result<()> {
        for row in &self.rows {
            let members: Vec<String> = self
                .columns
                .iter()
                .zip(row)
                .map(|(column, cell)| format!("{}:{cell}", Value::from(column.as_str())))
                .collect();
            writeln!(out, "{{{}}}", members.join(","))?;
        }
        Ok(())
    }
}

fn plain(cell: &Value) -> String {
    match cell {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn sheet() -> Sheet {
        Sheet {
            columns: vec!["name".to_owned(), "rows".to_owned(), "note".to_owned()],
            rows: vec![
                vec![json!("a"), json!(7), json!(null)],
                vec![json!("größe"), json!(1200), json!("say \"hi\", twice")],
                vec![json!(""), json!(1.5), json!(["x"])],
            ],
        }
    }

    #[test]
    fn each_format_keeps_every_value() {
        for (format, expected) in [
            (
                OutputFormat::Table,
                "name   rows  note\n\
                 a         7  NULL\n\
                 größe  1200  say \"hi\", twice\n        \
                 1.5  [\"x\"]\n",
            ),
            (
                OutputFormat::Csv,
                "name,rows,note\n\
                 a,7,\n\
                 größe,1200,\"say \"\"hi\"\", twice\"\n\
                 \"\",1.5,\"[\"\"x\"\"]\"\n",
            ),
            (
                OutputFormat::Json,
                "{\"name\":\"a\",\"rows\":7,\"note\":null}\n\
                 {\"name\":\"größe\",\"rows\":1200,\"note\":\"say \\\"hi\\\", twice\"}\n\
                 {\"name\":\"\",\"rows\":1.5,\"note\":[\"x\"]}\n",
            ),
        ] {
            let mut out = Vec::new();
            sheet().print(format, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        sheet().print(OutputFormat::Csv, &mut Closed).unwrap();
    }
}
