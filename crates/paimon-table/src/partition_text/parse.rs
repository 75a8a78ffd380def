//! Where one partition, key or value ends and the next begins.

use paimon_format::DataField;

use super::PartitionTextError;

/// One key of one partition.
pub(super) struct Condition<'a> {
    pub(super) field: &'a DataField,
    /// Without quotes; `None` for a bare `null` among values without keys.
    pub(super) value: Option<String>,
    pub(super) spelling: Spelling,
}

/// Who spelt a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// SQL's CAST to STRING.
    Sql,
    /// Java's `toString` of the internal value.
    Java,
}

/// The partitions between `;`, each with what it says of its keys.
pub(super) fn alternatives<'a>(
    text: &str,
    fields: &[&'a DataField],
) -> Result<Vec<Vec<Condition<'a>>>, PartitionTextError> {
    let mut reader = Reader { rest: text.trim_start(), fields };
    let mut all = Vec::new();
    loop {
        all.push(match reader.rest.chars().next() {
            None | Some(';') => return Err(PartitionTextError::Empty { example: reader.example() }),
            Some('[') => reader.values(']', Spelling::Java)?,
            Some('{') => reader.values('}', Spelling::Sql)?,
            Some(_) => reader.pairs()?,
        });
        if reader.rest.is_empty() {
            return Ok(all);
        }
        reader.expect(';')?;
    }
}

/// What is left of the text, without spaces in front.
struct Reader<'t, 'f, 'a> {
    rest: &'t str,
    fields: &'f [&'a DataField],
}

// === impl Reader ===

impl<'t, 'a> Reader<'t, '_, 'a> {
    /// `key=value` after `key=value`.
    fn pairs(&mut self) -> Result<Vec<Condition<'a>>, PartitionTextError> {
        let mut conditions: Vec<Condition<'a>> = Vec::new();
        loop {
            let field = self.key()?;
            if conditions.iter().any(|condition| condition.field.name == field.name) {
                return Err(PartitionTextError::Twice { key: field.name.clone() });
            }
            let value = match self.quoted()? {
                Some(value) => value,
                None => {
                    let end = self.rest.char_indices().find(|(at, c)| match c {
                        ',' | ';' => true,
                        '/' => self.begins_with_key(*at + 1),
                        _ => false,
                    });
                    self.take(end.map_or(self.rest.len(), |(at, _)| at)).to_owned()
                }
            };
            conditions.push(Condition { field, value: Some(value), spelling: Spelling::Sql });
            match self.rest.chars().next() {
                Some(separator @ (',' | '/')) => self.expect(separator)?,
                _ => return Ok(conditions),
            }
        }
    }

    /// The key before the next `=`.
    fn key(&mut self) -> Result<&'a DataField, PartitionTextError> {
        let end = self.rest.find(['=', ',', ';']).unwrap_or(self.rest.len());
        let part = self.take(end);
        if !self.rest.starts_with('=') {
            return Err(PartitionTextError::NotKeyValue { part: part.to_owned(), example: self.example() });
        }
        self.expect('=')?;
        let key = part.strip_prefix('`').and_then(|key| key.strip_suffix('`')).unwrap_or(part);
        let known = self.fields.iter().find(|field| field.name == key);
        known.copied().ok_or_else(|| PartitionTextError::UnknownKey { key: key.to_owned(), keys: self.keys() })
    }

    /// `value, value` between brackets, one for each key. A bracket closes only at the end of a partition, so that values
    /// may hold brackets; the values of a single key may hold commas.
    fn values(&mut self, closing: char, spelling: Spelling) -> Result<Vec<Condition<'a>>, PartitionTextError> {
        let whole = self.rest;
        self.skip(1);
        let mut values: Vec<Option<String>> = Vec::new();
        loop {
            values.push(match self.quoted()? {
                Some(value) => Some(value),
                None => {
                    let rest = self.rest;
                    let ends = |(at, c): &(usize, char)| match *c {
                        ',' => self.fields.len() > 1,
                        c if c == closing => {
                            matches!(rest[at + c.len_utf8()..].trim_start().chars().next(), None | Some(';'))
                        }
                        _ => false,
                    };
                    let Some((end, _)) = rest.char_indices().find(ends) else {
                        return Err(PartitionTextError::Unclosed { text: whole.trim_end().to_owned(), closing });
                    };
                    Some(self.take(end).to_owned()).filter(|value| value != "null")
                }
            });
            match self.rest.chars().next() {
                Some(',') => self.expect(',')?,
                Some(c) if c == closing => break self.expect(closing)?,
                Some(_) => return Err(PartitionTextError::Unexpected { text: self.rest.trim_end().to_owned() }),
                None => return Err(PartitionTextError::Unclosed { text: whole.trim_end().to_owned(), closing }),
            }
        }
        if values.len() != self.fields.len() {
            let text = whole[..whole.len() - self.rest.len()].trim_end().to_owned();
            let (keys, example) = (self.keys(), self.example());
            return Err(PartitionTextError::WrongCount { text, found: values.len(), keys, example });
        }
        Ok(self.fields.iter().zip(values).map(|(field, value)| Condition { field, value, spelling }).collect())
    }

    /// A value in quotes, two of which stand for one inside; `None` where no quote begins.
    fn quoted(&mut self) -> Result<Option<String>, PartitionTextError> {
        let Some(quote @ ('\'' | '"')) = self.rest.chars().next() else {
            return Ok(None);
        };
        let inside = &self.rest[1..];
        let mut value = String::new();
        let mut from = 0;
        while let Some(at) = inside[from..].find(quote) {
            value += &inside[from..from + at];
            from += at + 1;
            if !inside[from..].starts_with(quote) {
                self.skip(1 + from);
                return Ok(Some(value));
            }
            value.push(quote);
            from += 1;
        }
        Err(PartitionTextError::Unclosed { text: self.rest.trim_end().to_owned(), closing: quote })
    }

    fn begins_with_key(&self, at: usize) -> bool {
        let rest = &self.rest[at..];
        self.fields.iter().any(|field| rest.strip_prefix(field.name.as_str()).is_some_and(|rest| rest.starts_with('=')))
    }

    /// What comes before `end`, without the spaces around it.
    fn take(&mut self, end: usize) -> &'t str {
        let taken = self.rest[..end].trim();
        self.skip(end);
        taken
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }

    fn expect(&mut self, separator: char) -> Result<(), PartitionTextError> {
        match self.rest.strip_prefix(separator) {
            Some(rest) => {
                self.rest = rest.trim_start();
                Ok(())
            }
            None => Err(PartitionTextError::Unexpected { text: self.rest.trim_end().to_owned() }),
        }
    }

    fn keys(&self) -> String {
        self.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn example(&self) -> String {
        self.fields.iter().map(|field| format!("{}=…", field.name)).collect::<Vec<_>>().join(",")
    }
}
