//! What can be done to a table, and how its arguments are written: in a policy of the settings and in a manual run alike.
//!
//! Names and meanings are those of Paimon's procedures (`sys.expire_snapshots`, `sys.remove_orphan_files`, …). A time in the
//! past is an age here: a policy outlives every date.

use std::collections::BTreeMap;
use std::time::Duration;

use paimon_format::options::{TagPeriod, parse_duration};
use paimon_table::orphans::DEFAULT_OLDER_THAN;
use paimon_table::tagging::TagNames;
use serde::{Deserialize, Serialize};
use tributary_statement::nearest;

use super::cron::CronZone;
use super::tags::TagArguments;
use crate::arguments::{ArgumentError, Arguments};

/// What is done to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `sys.compact`.
    Compact {
        /// As text: what they mean depends on the table's schema.
        arguments: Arguments,
        /// Only say what would be rewritten.
        dry_run: bool,
    },
    /// `sys.expire_snapshots`; what is not given is as the table's options say.
    ExpireSnapshots {
        /// At most so many stay.
        retain_max: Option<u64>,
        /// At least so many stay.
        retain_min: Option<u64>,
        /// Younger ones stay.
        older_than: Option<Duration>,
        /// At most so many go in one run.
        max_deletes: Option<u64>,
    },
    /// `sys.remove_orphan_files`.
    RemoveOrphanFiles {
        /// Younger files are not touched.
        older_than: Duration,
        /// Only say which there are.
        dry_run: bool,
    },
    /// A tag for every period that is over (`tag.automatic-creation`).
    CreateTag(TagArguments),
    /// `sys.expire_tags`.
    ExpireTags,
}

/// An action without its arguments: the value of the label `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// See [`Action::Compact`].
    Compact,
    /// See [`Action::ExpireSnapshots`].
    ExpireSnapshots,
    /// See [`Action::RemoveOrphanFiles`].
    RemoveOrphanFiles,
    /// See [`Action::CreateTag`].
    CreateTag,
    /// See [`Action::ExpireTags`].
    ExpireTags,
}

/// Arguments as text, by name.
pub type Given = BTreeMap<String, String>;

/// One argument, as the reference shows it.
#[derive(Debug)]
pub struct ArgumentDef {
    /// Of which action.
    pub action: ActionKind,
    /// Its name.
    pub key: &'static str,
    /// What kind of text the value is.
    pub kind: &'static str,
    /// What holds when it is not given.
    pub default: &'static str,
    /// One sentence.
    pub doc: &'static str,
}

/// The actions there are, with a sentence each.
pub const ACTIONS: &[(ActionKind, &str)] = &[
    (
        ActionKind::Compact,
        "Merges small files, or puts whole partitions in order; rows that are written meanwhile stay, also those of the live \
         partition. The arguments are those of `tributary compact`.",
    ),
    (
        ActionKind::ExpireSnapshots,
        "Takes old snapshots away, and the files that only they needed. Consumers, tags and branches are honoured. A \
         write-only table does not do it itself.",
    ),
    (
        ActionKind::RemoveOrphanFiles,
        "Deletes files that no snapshot, tag or branch refers to: what killed writers and lost races left.",
    ),
    (
        ActionKind::CreateTag,
        "Makes the tag of the last day or hour that is over, unless there is one, as `tag.automatic-creation` does where a \
         table is not write-only. It keeps the first snapshot after the period and the delay, or else the newest, whenever it \
         is asked for.",
    ),
    (ActionKind::ExpireTags, "Deletes the tags whose `time_retained` is over, and the files that only they kept."),
];

/// Every argument of every action.
pub const ARGUMENTS: &[ArgumentDef] = &[
    argument(ActionKind::Compact, "partitions", "text", "", "Only these: `dt=2026-01-01,hh=9`; `;` is OR."),
    argument(ActionKind::Compact, "where", "condition", "", "Only partitions that meet it: `dt >= '2026-01-01'`."),
    argument(ActionKind::Compact, "order_strategy", "text", "`none`", "`order`, `zorder` or `hilbert`."),
    argument(ActionKind::Compact, "order_by", "columns", "", "By which columns, with commas."),
    argument(
        ActionKind::Compact,
        "partition_idle_time",
        AGE,
        "",
        "Only partitions to which no file was added for so long.",
    ),
    argument(
        ActionKind::Compact,
        "compact_strategy",
        "text",
        "`full`",
        "`minor` is Paimon's own rule for small files, for a policy that runs all the time; `full` is everything below the \
         target size.",
    ),
    argument(ActionKind::Compact, "options", "key=value", "", "Table options for this run, with commas."),
    argument(ActionKind::Compact, DRY_RUN, "boolean", "`false`", "Only say what would be rewritten."),
    argument(
        ActionKind::ExpireSnapshots,
        "retain_max",
        NUMBER,
        "`snapshot.num-retained.max`",
        "At most so many snapshots stay.",
    ),
    argument(
        ActionKind::ExpireSnapshots,
        "retain_min",
        NUMBER,
        "`snapshot.num-retained.min`",
        "At least so many stay.",
    ),
    argument(ActionKind::ExpireSnapshots, "older_than", AGE, "`snapshot.time-retained`", "Younger ones stay."),
    argument(
        ActionKind::ExpireSnapshots,
        "max_deletes",
        NUMBER,
        "`snapshot.expire.limit`",
        "At most so many go in one run.",
    ),
    argument(
        ActionKind::RemoveOrphanFiles,
        "older_than",
        AGE,
        "`1 d`",
        "Younger files are not touched. Must be longer than any commit takes, by any engine.",
    ),
    argument(ActionKind::RemoveOrphanFiles, "dry_run", "boolean", "`true`", "Only count them; nothing is deleted."),
    argument(
        ActionKind::CreateTag,
        "period",
        "period",
        "`tag.creation-period`",
        "`daily`, `hourly`, `two-hours`, or a duration in whole minutes.",
    ),
    argument(
        ActionKind::CreateTag,
        "tag",
        "pattern",
        "as Paimon names them: `%Y-%m-%d`, `%Y-%m-%d %H`",
        "The name: `%Y`, `%m`, `%d`, `%H` and `%M` stand for the beginning of the period.",
    ),
    argument(
        ActionKind::CreateTag,
        "delay",
        AGE,
        "`tag.creation-delay`",
        "How long after a period's end its tag is made, for rows that come late. Less than the period.",
    ),
    argument(
        ActionKind::CreateTag,
        "time_retained",
        AGE,
        "`tag.default-time-retained`",
        "How long each is kept, for `expire_tags`.",
    ),
    argument(
        ActionKind::CreateTag,
        "num_retained_max",
        NUMBER,
        "`tag.num-retained-max`",
        "At most so many tags named like this stay; older ones are deleted, and the files that only they kept.",
    ),
    argument(
        ActionKind::CreateTag,
        "time_zone",
        "time zone",
        "the policy's `time-zone`",
        "The zone in which periods begin and are named.",
    ),
];

const DRY_RUN: &str = "dry_run";
const NUMBER: &str = "number";
const AGE: &str = "duration";

const fn argument(
    action: ActionKind,
    key: &'static str,
    kind: &'static str,
    default: &'static str,
    doc: &'static str,
) -> ArgumentDef {
    ArgumentDef { action, key, kind, default, doc }
}

// === impl Action ===

impl Action {
    /// Types the arguments of `kind`.
    ///
    /// # Errors
    /// The first that is unknown or cannot be read, with the remedy.
    pub fn try_new(kind: ActionKind, given: &Given) -> Result<Self, ArgumentError> {
        let known: Vec<&str> = ARGUMENTS.iter().filter(|known| known.action == kind).map(|known| known.key).collect();
        if let Some(key) = given.keys().find(|key| !known.contains(&key.as_str())) {
            let remedy = match nearest(key, known.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None if known.is_empty() => "it has none".to_owned(),
                None => format!("it has {}", known.join(", ")),
            };
            return Err(ArgumentError {
                key: key.clone(),
                why: format!("{} has no such argument; {remedy}", kind.as_str()),
            });
        }
        Ok(match kind {
            ActionKind::Compact => {
                let texts = given.iter().filter(|(key, _)| *key != DRY_RUN);
                let arguments = Arguments::try_new(texts.map(|(key, text)| (key.clone(), text.clone())))?;
                // What no table can change is said at once.
                arguments.options()?;
                Self::Compact { arguments, dry_run: take(given, DRY_RUN, truth)?.unwrap_or(false) }
            }
            ActionKind::ExpireSnapshots => Self::ExpireSnapshots {
                retain_max: take(given, "retain_max", number)?,
                retain_min: take(given, "retain_min", number)?,
                older_than: take(given, "older_than", age)?,
                max_deletes: take(given, "max_deletes", number)?,
            },
            ActionKind::RemoveOrphanFiles => Self::RemoveOrphanFiles {
                older_than: take(given, "older_than", age)?.unwrap_or(DEFAULT_OLDER_THAN),
                dry_run: take(given, "dry_run", truth)?.unwrap_or(true),
            },
            ActionKind::CreateTag => {
                let period = take(given, "period", TagPeriod::parse)?;
                // Without the table, daily is what asks least of a name.
                let names = |text: &str| TagNames::try_new(text, period.unwrap_or(TagPeriod::Daily));
                if let Some(why) = given.get("tag").and_then(|text| names(text).err()) {
                    return Err(ArgumentError { key: "tag".to_owned(), why });
                }
                Self::CreateTag(TagArguments {
                    period,
                    tag: given.get("tag").cloned(),
                    delay: take(given, "delay", age)?,
                    time_retained: take(given, "time_retained", age)?,
                    num_retained_max: take(given, "num_retained_max", number)?,
                    time_zone: take(given, "time_zone", CronZone::parse)?,
                })
            }
            ActionKind::ExpireTags => Self::ExpireTags,
        })
    }

    /// Without its arguments.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Compact { .. } => ActionKind::Compact,
            Self::ExpireSnapshots { .. } => ActionKind::ExpireSnapshots,
            Self::RemoveOrphanFiles { .. } => ActionKind::RemoveOrphanFiles,
            Self::CreateTag(_) => ActionKind::CreateTag,
            Self::ExpireTags => ActionKind::ExpireTags,
        }
    }
}

fn take<T>(given: &Given, key: &str, parse: fn(&str) -> Result<T, String>) -> Result<Option<T>, ArgumentError> {
    let parsed = given.get(key).map(|text| parse(text).map_err(|why| format!("`{text}` is {why}")));
    parsed.transpose().map_err(|why| ArgumentError { key: key.to_owned(), why })
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "not a whole number from 1 up".to_owned())
}

fn age(text: &str) -> Result<Duration, String> {
    // A bare number would be milliseconds: too easily a mistake where files are deleted.
    let has_unit = text.contains(|character: char| character.is_alphabetic());
    let parsed = parse_duration(text).ok().filter(|_| has_unit);
    parsed.ok_or_else(|| "not a duration; write a number and a unit, such as 1 h or 3 d".to_owned())
}

fn truth(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "neither true nor false".to_owned())
}

// === impl ActionKind ===

impl ActionKind {
    /// By name.
    ///
    /// # Errors
    /// The names there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names = || ACTIONS.iter().map(|(kind, _)| kind.as_str());
        ACTIONS.iter().find(|(kind, _)| kind.as_str() == text).map(|(kind, _)| *kind).ok_or_else(|| {
            nearest(text, names()).map_or_else(
                || format!("write one of {}", names().collect::<Vec<_>>().join(", ")),
                |known| format!("did you mean `{known}`?"),
            )
        })
    }

    /// The procedure's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::ExpireSnapshots => "expire_snapshots",
            Self::RemoveOrphanFiles => "remove_orphan_files",
            Self::CreateTag => "create_tag",
            Self::ExpireTags => "expire_tags",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parsed(kind: ActionKind, given: &[(&str, &str)]) -> Result<Action, String> {
        let given = given.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        Action::try_new(kind, &given).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_given_is_the_default() {
        let nothing =
            Action::ExpireSnapshots { retain_max: None, retain_min: None, older_than: None, max_deletes: None };
        assert_eq!(parsed(ActionKind::ExpireSnapshots, &[]), Ok(nothing));
        let day = Action::RemoveOrphanFiles { older_than: Duration::from_secs(86_400), dry_run: true };
        assert_eq!(parsed(ActionKind::RemoveOrphanFiles, &[]), Ok(day));
        let minor = [("compact_strategy", "minor"), ("dry_run", "true")];
        let arguments = Arguments::try_new([("compact_strategy".to_owned(), "minor".to_owned())]).unwrap();
        assert_eq!(parsed(ActionKind::Compact, &minor), Ok(Action::Compact { arguments, dry_run: true }));
        let given = [("older_than", "3 d"), ("dry_run", "false")];
        let days = Action::RemoveOrphanFiles { older_than: Duration::from_secs(259_200), dry_run: false };
        assert_eq!(parsed(ActionKind::RemoveOrphanFiles, &given), Ok(days));
        assert_eq!(parsed(ActionKind::CreateTag, &[]), Ok(Action::CreateTag(TagArguments::default())));
        let given = [("period", "hourly"), ("tag", "h-%Y%m%d%H"), ("delay", "5 min"), ("time_zone", "Europe/Berlin")];
        let hourly = TagArguments {
            period: Some(TagPeriod::Hourly),
            tag: Some("h-%Y%m%d%H".to_owned()),
            delay: Some(Duration::from_secs(300)),
            time_zone: Some(CronZone::Region(chrono_tz::Europe::Berlin)),
            ..TagArguments::default()
        };
        assert_eq!(parsed(ActionKind::CreateTag, &given), Ok(Action::CreateTag(hourly)));
    }

    #[test]
    fn a_mistake_is_named_with_its_remedy() {
        use ActionKind::{Compact, CreateTag, ExpireSnapshots, ExpireTags, RemoveOrphanFiles};
        for (kind, key, text, expected) in [
            (Compact, "order-by", "id", "did you mean `order_by`?"),
            (Compact, "options", "target-file-sise=1 mb", "did you mean 'target-file-size'?"),
            (ExpireSnapshots, "retain-max", "9", "did you mean `retain_max`?"),
            (ExpireSnapshots, "dry_run", "true", "it has retain_max, retain_min, older_than, max_deletes"),
            (ExpireSnapshots, "retain_min", "0", "`0` is not a whole number from 1 up"),
            (ExpireSnapshots, "older_than", "2026-01-01", "such as 1 h or 3 d"),
            (RemoveOrphanFiles, "older_than", "86400", "such as 1 h or 3 d"),
            (RemoveOrphanFiles, "dry_run", "no", "`no` is neither true nor false"),
            (ExpireTags, "dry_run", "true", "it has none"),
            (CreateTag, "tag", "v1", "two periods would have one name"),
            (CreateTag, "period", "weekly", "`weekly` is no period"),
            (CreateTag, "time_zone", "Mars", "`Mars` is no time zone"),
        ] {
            let error = parsed(kind, &[(key, text)]).unwrap_err();
            assert!(error.starts_with(&format!("{key}: ")) && error.contains(expected), "{error}");
        }
        assert_eq!(ActionKind::parse("expire_snapshot"), Err("did you mean `expire_snapshots`?".to_owned()));
        assert_eq!(ActionKind::parse("remove_orphan_files"), Ok(RemoveOrphanFiles));
    }

    #[test]
    fn every_kind_is_in_the_reference() {
        for (kind, _) in ACTIONS {
            assert_eq!(ActionKind::parse(kind.as_str()), Ok(*kind));
        }
    }
}
