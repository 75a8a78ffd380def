//! `[[compactor.policy]]`: which table is looked after, how and when.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::Value;
use tributary_compact::worker::{ARGUMENTS, Action, ActionKind, CronSchedule, CronZone, Given, Trigger};
use tributary_job::Zone;
use tributary_statement::{Spanned, Statement, nearest};

use super::layers::scalar;
use super::{Origin, SettingDef, SettingValue, SettingsError, TimeZone};

/// The section, as errors call it.
pub(crate) const SECTION: &str = "compactor.policy";

/// What every policy has, whatever its action.
pub(crate) const POLICY_KEYS: &[SettingDef] = &[
    key(
        "table",
        "text or list",
        "",
        "`DATABASE.TABLE`, or `CATALOG.DATABASE.TABLE` where there are several catalogs; or a list.",
    ),
    key(
        "action",
        "text",
        "",
        "One of the actions below, or a pasted `CALL sys.compact(table => 'db.t', …)` that names table and arguments.",
    ),
    key(
        "interval",
        "duration",
        "",
        "How long after the end of a run the next one starts; the first one starts at once.",
    ),
    key(
        "cron",
        "pattern",
        "",
        "Instead of `interval`: minute, hour, day of month, month, day of week, as in `30 3 * * *`; or `@hourly`, `@daily`, \
         …. What was missed is made up for by one run.",
    ),
    key(
        "time-zone",
        "time zone",
        "",
        "The zone of `cron`, and of the tags of `create_tag`; `job.time-zone` unless given.",
    ),
];

const fn key(key: &'static str, kind: &'static str, default: &'static str, doc: &'static str) -> SettingDef {
    SettingDef { section: SECTION, key, kind, default, doc }
}

/// A policy as it was written.
#[derive(Debug)]
pub(crate) struct PolicyText {
    origin: Origin,
    /// Among those of its file, from 1.
    number: usize,
    tables: Vec<String>,
    fields: BTreeMap<String, String>,
}

/// A policy, typed; its tables are still names.
#[derive(Debug, Clone)]
pub(crate) struct PolicySettings {
    /// Where it stands, for an error about its tables.
    pub(crate) place: String,
    pub(crate) tables: Vec<String>,
    pub(crate) action: Action,
    pub(crate) arguments: Given,
    pub(crate) trigger: Trigger,
}

/// A pasted CALL.
struct Called {
    procedure: String,
    table: Option<String>,
    arguments: Given,
}

fn is_call(action: &str) -> bool {
    action.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("CALL"))
}

// === impl PolicyText ===

impl PolicyText {
    /// All policies of a file.
    pub(super) fn all(origin: &Origin, value: Value) -> Result<Vec<Self>, SettingsError> {
        let wrong = || SettingsError::Value {
            origin: origin.clone(),
            name: SECTION.to_owned(),
            shown: "<no list>".to_owned(),
            why: "write each policy as a section of its own: [[compactor.policy]]".to_owned(),
        };
        let Value::Array(policies) = value else { return Err(wrong()) };
        let tables = policies.into_iter().enumerate().map(|(index, policy)| match policy {
            Value::Table(fields) => Self::one(origin, index + 1, fields),
            _ => Err(wrong()),
        });
        tables.collect()
    }

    fn one(origin: &Origin, number: usize, written: toml::Table) -> Result<Self, SettingsError> {
        let mut policy = Self { origin: origin.clone(), number, tables: Vec::new(), fields: BTreeMap::new() };
        for (key, value) in written {
            let name = policy.name(&key);
            match value {
                Value::Array(tables) if key == "table" => {
                    let names = tables.into_iter().map(|table| scalar(origin, &name, table));
                    policy.tables = names.collect::<Result<_, _>>()?;
                }
                value => {
                    let text = scalar(origin, &name, value)?;
                    match key.as_str() {
                        "table" => policy.tables.push(text),
                        _ => drop(policy.fields.insert(key, text)),
                    }
                }
            }
        }
        Ok(policy)
    }

    /// Types it; `zone` is that of patterns without one.
    pub(super) fn typed(&self, zone: &TimeZone) -> Result<PolicySettings, SettingsError> {
        let mut given = self.fields.clone();
        let mut tables = self.tables.clone();
        let mut action = given.remove("action").ok_or_else(|| self.missing("action", "say what to do"))?;
        if is_call(&action) {
            let called = self.called(&action)?;
            if let Some(table) = called.table {
                tables.push(table);
            }
            if let Some(key) = called.arguments.keys().find(|key| given.contains_key(*key)) {
                return Err(self.missing(key, "the CALL says it too; keep one of them"));
            }
            given.extend(called.arguments);
            action = called.procedure;
        }
        if tables.is_empty() {
            return Err(self.missing("table", "name a table: table = \"database.table\""));
        }
        let kind = ActionKind::parse(&action).map_err(|why| self.wrong("action", &action, why))?;
        let trigger = self.trigger(kind, &mut given, zone)?;
        let arguments = || ARGUMENTS.iter().filter(|argument| argument.action == kind).map(|argument| argument.key);
        let keys = || POLICY_KEYS.iter().map(|known| known.key).chain(arguments());
        if let Some(key) = given.keys().find(|key| !arguments().any(|known| known == key.as_str())) {
            return Err(SettingsError::UnknownKey {
                origin: self.origin.clone(),
                section: format!("{SECTION} {} ({action})", self.number),
                key: key.clone(),
                remedy: nearest(key, keys()).map_or_else(
                    || format!("it has {}", keys().collect::<Vec<_>>().join(", ")),
                    |known| format!("did you mean `{known}`?"),
                ),
            });
        }
        let action = Action::try_new(kind, &given).map_err(|error| {
            let shown = given.get(&error.key).cloned().unwrap_or_default();
            self.wrong(&error.key, &shown, error.why)
        })?;
        let place = format!("{}: {SECTION} {}", self.origin, self.number);
        Ok(PolicySettings { place, tables, action, arguments: given, trigger })
    }

    /// What a pasted CALL asks for.
    fn called(&self, text: &str) -> Result<Called, SettingsError> {
        let wrong = |why: String| self.wrong("action", text, why);
        let script = tributary_statement::parse("action", text, &|_| Err("write the value itself".to_owned()));
        let script = script.map_err(|error| wrong(error.to_string()))?;
        let [Spanned { value: Statement::Call(call), .. }] = script.statements.as_slice() else {
            return Err(wrong("write one CALL".to_owned()));
        };
        let parts: Vec<&str> = call.procedure.parts.iter().map(|part| part.value.as_str()).collect();
        let (catalog, procedure) = match parts.as_slice() {
            ["sys", procedure] => (None, *procedure),
            [catalog, "sys", procedure] => (Some(*catalog), *procedure),
            _ => return Err(wrong("write sys.compact, or CATALOG.sys.compact".to_owned())),
        };
        let mut arguments: Given =
            call.arguments.iter().map(|entry| (entry.key.value.clone(), entry.value.expose().to_owned())).collect();
        let table = arguments.remove("table").map(|table| match catalog {
            // A name of two parts lies in the catalog that is called.
            Some(catalog) if table.matches('.').count() == 1 => format!("{catalog}.{table}"),
            _ => table,
        });
        arguments.retain(|_, value| !value.trim().is_empty());
        Ok(Called { procedure: procedure.to_owned(), table, arguments })
    }

    fn trigger(&self, kind: ActionKind, given: &mut Given, zone: &TimeZone) -> Result<Trigger, SettingsError> {
        let own = given
            .remove("time-zone")
            .map(|text| TimeZone::parse(&text).map_err(|why| self.wrong("time-zone", &text, why)));
        let own = own.transpose()?;
        let zone = match own.as_ref().unwrap_or(zone).zone() {
            Zone::Region(region) => CronZone::Region(region),
            Zone::Offset(offset) => CronZone::Offset(offset),
        };
        let names_tags = kind == ActionKind::CreateTag;
        if names_tags {
            given.entry("time_zone".to_owned()).or_insert_with(|| zone.to_string());
        }
        match (given.remove("interval"), given.remove("cron")) {
            (Some(text), None) if own.is_none() || names_tags => {
                let interval = <Duration as SettingValue>::parse(&text);
                Ok(Trigger::Every(interval.map_err(|why| self.wrong("interval", &text, why))?))
            }
            (None, Some(text)) => {
                let schedule = CronSchedule::try_new(&text, zone);
                Ok(Trigger::Cron(schedule.map_err(|why| self.wrong("cron", &text, why))?))
            }
            (Some(_), None) => Err(self.missing("cron", "a time-zone means something to `cron` only; take it away")),
            (Some(_), Some(_)) => Err(self.missing("cron", "`interval` is set too; keep one of them")),
            (None, None) => Err(self.missing("interval", "say when: interval = \"10 min\", or cron = \"30 3 * * *\"")),
        }
    }

    fn name(&self, key: &str) -> String {
        format!("{SECTION} {}: {key}", self.number)
    }

    fn wrong(&self, key: &str, text: &str, why: String) -> SettingsError {
        SettingsError::Value { origin: self.origin.clone(), name: self.name(key), shown: format!("{text:?}"), why }
    }

    fn missing(&self, key: &str, why: &str) -> SettingsError {
        SettingsError::Policy { origin: self.origin.clone(), name: self.name(key), why: why.to_owned() }
    }
}
