//! The arguments of Paimon's procedure `sys.compact`, as text: one meaning for the command line, a pasted CALL and a policy.
//!
//! | argument | meaning |
//! | --- | --- |
//! | `partitions` | [`partition_text`]; not together with `where` |
//! | `where` | a condition on partition columns, [`condition`] |
//! | `order_strategy` | `none`, `order`, `zorder`, `hilbert` |
//! | `order_by` | columns, with commas; no partition columns |
//! | `partition_idle_time` | [`Request::partition_idle_time`]; unlike Paimon's, also of an ordered compaction |
//! | `compact_strategy` | `minor` or `full`, which is the default as in Paimon's batch jobs |
//! | `options` | table options for this run, `key=value`, with commas |
//!
//! An empty text is as good as none, as in Paimon.

use std::collections::BTreeMap;

use paimon_format::TableSchema;
use paimon_format::options::{OptionError, is_known, parse_duration};
use paimon_table::partition_text;
use paimon_table::predicate::Predicate;
use tributary_statement::nearest;

use crate::condition;
use crate::request::{Request, Strategy};
use crate::sort::{OrderStrategy, SortError, SortSpec};

/// The names there are, but for `table`, which is for the caller.
pub const ARGUMENTS: [&str; 7] =
    ["partitions", "where", "order_strategy", "order_by", "partition_idle_time", "compact_strategy", "options"];

/// What was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments(BTreeMap<&'static str, String>);

/// An argument that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct ArgumentError {
    /// Its name.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub why: String,
}

// === impl Arguments ===

impl Arguments {
    /// Of names and values.
    ///
    /// # Errors
    /// The first name there is not.
    pub fn try_new(given: impl IntoIterator<Item = (String, String)>) -> Result<Self, ArgumentError> {
        let known = |(name, value): (String, String)| match ARGUMENTS.iter().find(|known| **known == name) {
            Some(known) => Ok((*known, value)),
            None => {
                let remedy = nearest(&name, ARGUMENTS).map_or_else(
                    || format!("there are {}", ARGUMENTS.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                Err(ArgumentError { key: name, why: format!("no such argument; {remedy}") })
            }
        };
        let given: BTreeMap<_, _> = given.into_iter().map(known).collect::<Result<_, _>>()?;
        Ok(Self(given.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect()))
    }

    /// The options that cover the table's.
    ///
    /// # Errors
    /// What is no `key=value`, and keys that Paimon does not know.
    pub fn options(&self) -> Result<BTreeMap<String, String>, ArgumentError> {
        let pair = |text: &str| {
            let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not KEY=VALUE"))?;
            let (key, value) = (key.trim(), value.trim());
            match is_known(key) {
                true => Ok((key.to_owned(), value.to_owned())),
                false => Err(OptionError::unknown(key, value).to_string()),
            }
        };
        let texts = self.get("options").unwrap_or_default().split(',').map(str::trim).filter(|text| !text.is_empty());
        texts.map(pair).collect::<Result<_, _>>().map_err(refused("options"))
    }

    /// What is asked of a compaction of a table with this schema.
    ///
    /// # Errors
    /// The first argument that does not fit it, or another one.
    pub fn request(&self, schema: &TableSchema) -> Result<Request, ArgumentError> {
        let idle = self.get("partition_idle_time").map(parse_duration).transpose();
        Ok(Request {
            partitions: self.partitions(schema)?,
            strategy: self.strategy(schema)?,
            partition_idle_time: idle.map_err(|error| refused("partition_idle_time")(error.to_string()))?,
            max_tasks: None,
        })
    }

    fn partitions(&self, schema: &TableSchema) -> Result<Option<Predicate>, ArgumentError> {
        match (self.get("partitions"), self.get("where")) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => {
                Err(refused("where")("partitions and where cannot be used together; leave one out".to_owned()))
            }
            (Some(text), None) => match partition_text::parse(text, schema) {
                Ok(predicate) => Ok(Some(predicate)),
                Err(error) => Err(refused("partitions")(error.to_string())),
            },
            (None, Some(text)) => match condition::parse(text, schema) {
                Ok(predicate) => Ok(Some(predicate)),
                Err(error) => Err(refused("where")(error.to_string())),
            },
        }
    }

    fn strategy(&self, schema: &TableSchema) -> Result<Strategy, ArgumentError> {
        let files = match self.get("compact_strategy").map(str::to_ascii_lowercase).as_deref() {
            None | Some("full") => Strategy::Full,
            Some("minor") => Strategy::Minor,
            Some(other) => return Err(refused("compact_strategy")(format!("`{other}` is neither minor nor full"))),
        };
        let columns: Vec<String> = self
            .get("order_by")
            .into_iter()
            .flat_map(|text| text.split(','))
            .map(|text| text.trim().to_owned())
            .collect();
        let order = self.get("order_strategy").filter(|text| !text.eq_ignore_ascii_case("none"));
        let Some(order) = order else {
            return match columns.is_empty() {
                true => Ok(files),
                false => Err(refused("order_by")("needs an order_strategy: order, zorder or hilbert".to_owned())),
            };
        };
        if files == Strategy::Minor {
            let why = "an order is one of all files of a partition; leave it out, or write full";
            return Err(refused("compact_strategy")(why.to_owned()));
        }
        if let Some(column) = columns.iter().find(|column| schema.partition_keys.contains(column)) {
            let why = format!("within a partition all rows have the same `{column}`; leave it out");
            return Err(refused("order_by")(why));
        }
        let order: OrderStrategy =
            order.parse().map_err(|error: SortError| refused("order_strategy")(error.to_string()))?;
        let spec = SortSpec::try_new(order, &columns, &schema.fields);
        spec.map(Strategy::Ordered).map_err(|error| refused("order_by")(error.to_string()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn refused(key: &str) -> impl FnOnce(String) -> ArgumentError {
    let key = key.to_owned();
    move |why| ArgumentError { key, why }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use paimon_format::DataField;

    use super::*;

    fn schema() -> TableSchema {
        let field = |id, name: &str, text: &str| DataField::new(id, name, text.parse().unwrap());
        let fields =
            vec![field(0, "id", "INT"), field(1, "v", "STRING"), field(2, "a", "ARRAY<INT>"), field(3, "dt", "STRING")];
        TableSchema::new(fields, vec!["dt".to_owned()], BTreeMap::new(), None, 0)
    }

    fn arguments(given: &[(&str, &str)]) -> Result<Arguments, ArgumentError> {
        Arguments::try_new(given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn what_is_given_becomes_a_request() {
        let request = |given: &[_]| arguments(given).unwrap().request(&schema()).unwrap();
        let spec = |order, columns: &[&str]| {
            let columns: Vec<_> = columns.iter().map(|column| (*column).to_owned()).collect();
            Strategy::Ordered(SortSpec::try_new(order, &columns, &schema().fields).unwrap())
        };
        for (given, expected) in [
            (&[][..], Strategy::Full),
            (&[("compact_strategy", "MINOR")], Strategy::Minor),
            (&[("compact_strategy", " "), ("order_strategy", "none"), ("order_by", "")], Strategy::Full),
            (&[("order_strategy", "zorder"), ("order_by", "id, v")], spec(OrderStrategy::Zorder, &["id", "v"])),
            (
                &[("order_strategy", "ORDER"), ("order_by", "v"), ("compact_strategy", "full")],
                spec(OrderStrategy::Order, &["v"]),
            ),
        ] {
            assert_eq!(request(given).strategy, expected, "{given:?}");
        }
        let same = request(&[("partitions", "dt=x")]).partitions;
        assert_eq!(
            request(&[("where", "dt = 'x'")]).partitions.unwrap(),
            match same {
                Some(Predicate::Or(mut one)) => match one.remove(0) {
                    Predicate::And(mut one) => one.remove(0),
                    other => other,
                },
                other => other.unwrap(),
            }
        );
    }

    #[test]
    fn mistakes_are_named_with_their_remedy() {
        let check = |given: &[_], expected: &str| {
            let error = arguments(given).and_then(|given| given.options().and(given.request(&schema()))).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        let order = ("order_strategy", "zorder");
        check(&[("order-by", "id")], "order-by: no such argument; did you mean order_by?");
        check(
            &[("x", "id")],
            "x: no such argument; there are partitions, where, order_strategy, order_by, partition_idle_time, \
             compact_strategy, options",
        );
        check(
            &[("partitions", "dt=1"), ("where", "dt='1'")],
            "where: partitions and where cannot be used together; leave one out",
        );
        check(&[("order_by", "id")], "order_by: needs an order_strategy: order, zorder or hilbert");
        check(&[order], "order_by: the order strategy zorder needs columns to order by (order_by)");
        check(&[order, ("order_by", "idd")], "order_by: the table has no column 'idd' to order by; did you mean 'id'?");
        check(&[order, ("order_by", "a")], "order_by: column 'a' of type ARRAY<INT> cannot be ordered by");
        check(
            &[order, ("order_by", "id,dt")],
            "order_by: within a partition all rows have the same `dt`; leave it out",
        );
        check(
            &[("order_strategy", "sorted"), ("order_by", "id")],
            "order_strategy: 'sorted' is no order strategy; use order, zorder or hilbert",
        );
        check(
            &[order, ("order_by", "id"), ("compact_strategy", "minor")],
            "compact_strategy: an order is one of all files of a partition; leave it out, or write full",
        );
        check(&[("compact_strategy", "fast")], "compact_strategy: `fast` is neither minor nor full");
        check(&[("options", "x")], "options: `x` is not KEY=VALUE");
        assert!(
            arguments(&[("options", "target-file-sise=1 mb")])
                .unwrap()
                .options()
                .unwrap_err()
                .why
                .ends_with("did you mean 'target-file-size'?")
        );
        let two = arguments(&[("options", "target-file-size=1 mb, compaction.min.file-num = 2,")]).unwrap();
        assert_eq!(two.options().unwrap().len(), 2);
    }
}
