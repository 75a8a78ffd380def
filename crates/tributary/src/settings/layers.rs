//! What was given, and by whom: later layers cover earlier ones, key by key.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use paimon_table::store::StorageOptions;
use paimon_table::store::options::is_storage_key;
use toml::{Table, Value};
use tributary_runtime::{Classify, FailureKind};
use tributary_statement::{MASK, Variable, nearest};

use super::policies::PolicyText;
use super::{CatalogOptions, SECTIONS, SETTINGS, SettingValue};
use crate::args::CatalogArguments;
use crate::statements::variable;

/// Variables of this form are settings; others with the prefix are left alone, because Kubernetes
/// defines some for every service (`TRIBUTARY_PORT`, `TRIBUTARY_SERVICE_HOST`).
const PREFIX: &str = "TRIBUTARY_";
const SEPARATOR: &str = "__";
const CATALOG: &str = "catalog";
const STORAGE: &str = "storage";

/// The name of the catalog that `--warehouse` makes.
const WAREHOUSE_CATALOG: &str = "paimon";

/// Who gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A settings file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A flag, as it is written.
    Flag(String),
    /// Nobody.
    Default,
}

/// What was given so far. Fill it from the weakest source to the strongest.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    values: BTreeMap<(&'static str, &'static str), (String, Origin)>,
    /// The options of object stores in `[storage]`.
    stores: BTreeMap<String, (String, Origin)>,
    catalogs: BTreeMap<String, CatalogOptions>,
    policies: Vec<PolicyText>,
}

/// What is wrong with a setting, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("cannot read {what} {}: {source}; correct the path or its permissions", path.display())]
    Unreadable { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{}:{line}:{column}: not TOML: {why}", path.display())]
    Syntax { path: PathBuf, line: usize, column: usize, why: String },
    #[error("{origin}: there is no section [{section}]; {remedy}")]
    UnknownSection { origin: Origin, section: String, remedy: String },
    #[error("{origin}: [{section}] has no key `{key}`; {remedy}")]
    UnknownKey { origin: Origin, section: String, key: String, remedy: String },
    #[error("{origin}: `{key}` stands outside of a section; put it under one of {sections}")]
    NoSection { origin: Origin, key: String, sections: String },
    #[error("{origin}: {name} = {shown}: {why}")]
    Value { origin: Origin, name: String, shown: String, why: String },
    #[error("{origin}: {name}: {why}")]
    Policy { origin: Origin, name: String, why: String },
    #[error("{flag}: {remedy}")]
    Flag { flag: &'static str, remedy: &'static str },
    #[error("{first} and {second} are both set; keep one of them")]
    Conflict { first: &'static str, second: &'static str },
}

// === impl Layers ===

impl Layers {
    /// Adds a settings file.
    pub(crate) fn file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
            what: "the settings file",
            path: path.to_owned(),
            source,
        })?;
        self.toml(path, &text)
    }

    /// Adds the text of the settings file at `path`.
    pub(crate) fn toml(&mut self, path: &Path, text: &str) -> Result<(), SettingsError> {
        let origin = Origin::File(path.to_owned());
        // The library's own message quotes the line, which may hold a secret.
        let table: Table = text.parse().map_err(|problem: toml::de::Error| {
            let (line, column) = place(text, problem.span().map_or(0, |span| span.start));
            SettingsError::Syntax { path: path.to_owned(), line, column, why: problem.message().replace('\n', ", ") }
        })?;
        for (section, value) in table {
            let Value::Table(keys) = value else {
                return Err(SettingsError::NoSection { origin, key: section, sections: section_list() });
            };
            if section == CATALOG {
                for (name, options) in keys {
                    self.catalog(&origin, &name, options)?;
                }
                continue;
            }
            if section == STORAGE {
                for (key, value) in flattened(keys) {
                    let text = option(&origin, &format!("{section}.{key}"), value);
                    self.give(&section, &key, origin.clone(), text)?;
                }
                continue;
            }
            for (key, value) in keys {
                if section == "compactor" && key == "policy" {
                    self.policies = PolicyText::all(&origin, value)?;
                    continue;
                }
                let name = format!("{section}.{key}");
                self.give(&section, &key, origin.clone(), scalar(&origin, &name, value))?;
            }
        }
        Ok(())
    }

    /// Adds what the environment sets: `TRIBUTARY_HTTP__LISTEN` is `http.listen`, `TRIBUTARY_STORAGE__S3__ENDPOINT` is
    /// `storage.s3.endpoint`, and `TRIBUTARY_CATALOG__PAIMON__DLF__ACCESS_KEY_ID` the option `dlf.access-key-id` of
    /// catalog `paimon`.
    pub(crate) fn environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), SettingsError> {
        for (variable, text) in variables {
            let Some((section, key)) = variable.strip_prefix(PREFIX).and_then(|rest| rest.split_once(SEPARATOR)) else {
                continue;
            };
            let section = section.to_lowercase();
            let origin = Origin::Variable(variable.clone());
            match key.split_once(SEPARATOR) {
                Some((name, option)) if section == CATALOG => {
                    let option = dashed(&option.replace(SEPARATOR, "."));
                    self.catalogs.entry(name.to_lowercase()).or_default().insert(option, text);
                }
                _ if section == CATALOG => {
                    return Err(SettingsError::UnknownSection {
                        origin,
                        section,
                        remedy: "write TRIBUTARY_CATALOG__NAME__OPTION".to_owned(),
                    });
                }
                _ => self.give(&section, &dashed(&key.replace(SEPARATOR, ".")), origin, Ok(text))?,
            }
        }
        Ok(())
    }

    /// Adds one flag's value; `flag` is how the user wrote it.
    pub(crate) fn flag(&mut self, flag: &str, section: &str, key: &str, text: &str) -> Result<(), SettingsError> {
        self.give(section, key, Origin::Flag(flag.to_owned()), Ok(text.to_owned()))
    }

    /// Adds `SECTION.KEY=VALUE` of `--set`.
    pub(crate) fn set(&mut self, setting: &str) -> Result<(), SettingsError> {
        match setting.split_once('=').and_then(|(name, text)| Some((name.trim().split_once('.')?, text))) {
            Some(((section, key), text)) => self.flag(&format!("--set {section}.{key}"), section, key, text),
            None => Err(SettingsError::Flag {
                flag: "--set",
                remedy: "write SECTION.KEY=VALUE, such as http.listen=127.0.0.1:9250",
            }),
        }
    }

    /// Adds `--warehouse` and `--catalog-option`.
    pub(crate) fn catalog_arguments(&mut self, arguments: &CatalogArguments) -> Result<(), SettingsError> {
        if let Some(warehouse) = &arguments.warehouse {
            // The catalog that was asked for is then the only one.
            self.catalogs.clear();
            let options = [("type", "paimon"), ("warehouse", warehouse)];
            let options = options.map(|(key, text)| (key.to_owned(), text.to_owned()));
            self.catalogs.insert(WAREHOUSE_CATALOG.to_owned(), options.into());
        }
        for option in &arguments.catalog_option {
            // The text is not repeated: it may be a secret without its key.
            let Some((key, text)) = option.split_once('=') else {
                return Err(SettingsError::Flag { flag: "--catalog-option", remedy: "write KEY=VALUE" });
            };
            let mut catalogs = self.catalogs.values_mut();
            match (catalogs.next(), catalogs.next()) {
                (Some(catalog), None) => catalog.insert(key.trim().to_owned(), text.to_owned()),
                _ => {
                    return Err(SettingsError::Flag {
                        flag: "--catalog-option",
                        remedy: "it belongs to --warehouse, or to the only catalog of the settings",
                    });
                }
            };
        }
        Ok(())
    }

    /// The policies given so far.
    pub(crate) fn policies(&self) -> &[PolicyText] {
        &self.policies
    }

    /// The catalogs given so far.
    pub(crate) fn catalogs(&self) -> &BTreeMap<String, CatalogOptions> {
        &self.catalogs
    }

    /// The options of object stores, checked.
    pub(crate) fn stores(&self) -> Result<StorageOptions, SettingsError> {
        let options = self.stores.iter().map(|(key, (text, _))| (key.clone(), text.clone())).collect();
        StorageOptions::try_new(&options).map_err(|error| {
            let key = error.key();
            SettingsError::Value {
                origin: self.stores.get(key).map_or(Origin::Default, |(_, origin)| origin.clone()),
                name: format!("{STORAGE}.{key}"),
                shown: MASK.to_owned(),
                why: error.to_string(),
            }
        })
    }

    /// The typed value of one setting.
    pub(crate) fn take<T: SettingValue>(
        &self,
        section: &'static str,
        key: &'static str,
        default: &str,
    ) -> Result<T, SettingsError> {
        let (text, origin) =
            self.values.get(&(section, key)).map_or((default, &Origin::Default), |(text, origin)| (text, origin));
        T::parse(text).map_err(|why| SettingsError::Value {
            origin: origin.clone(),
            name: format!("{section}.{key}"),
            shown: if T::SECRET { MASK.to_owned() } else { format!("{text:?}") },
            why,
        })
    }

    fn give(
        &mut self,
        section: &str,
        key: &str,
        origin: Origin,
        text: Result<String, SettingsError>,
    ) -> Result<(), SettingsError> {
        if !SECTIONS.iter().any(|(known, _)| *known == section) {
            let sections = SECTIONS.iter().map(|(known, _)| *known).chain([CATALOG]);
            return Err(SettingsError::UnknownSection {
                origin,
                section: section.to_owned(),
                remedy: nearest(section, sections).map_or_else(
                    || format!("there are {}", section_list()),
                    |known| format!("did you mean [{known}]?"),
                ),
            });
        }
        if section == STORAGE && is_storage_key(key) {
            self.stores.insert(key.to_owned(), (text?, origin));
            return Ok(());
        }
        let known = || SETTINGS.iter().filter(|setting| setting.section == section);
        let Some(setting) = known().find(|setting| setting.key == key) else {
            let keys: Vec<&str> = known().map(|setting| setting.key).collect();
            return Err(SettingsError::UnknownKey {
                origin,
                section: section.to_owned(),
                key: key.to_owned(),
                remedy: nearest(key, keys.iter().copied())
                    .map_or_else(|| format!("it has {}", keys.join(", ")), |known| format!("did you mean `{known}`?")),
            });
        };
        self.values.insert((setting.section, setting.key), (text?, origin));
        Ok(())
    }

    fn catalog(&mut self, origin: &Origin, name: &str, options: Value) -> Result<(), SettingsError> {
        let Value::Table(options) = options else {
            return Err(SettingsError::UnknownKey {
                origin: origin.clone(),
                section: CATALOG.to_owned(),
                key: name.to_owned(),
                remedy: "write the catalog's name into the section: [catalog.NAME]".to_owned(),
            });
        };
        for (key, value) in flattened(options) {
            let text = option(origin, &format!("catalog.{name}.{key}"), value)?;
            self.catalogs.entry(name.to_owned()).or_default().insert(key, text);
        }
        Ok(())
    }
}

/// Dotted keys arrive as nested tables.
fn flattened(table: Table) -> Vec<(String, Value)> {
    let (mut open, mut flat): (Vec<(String, Value)>, _) = (table.into_iter().collect(), Vec::new());
    while let Some((key, value)) = open.pop() {
        match value {
            Value::Table(inner) => open.extend(inner.into_iter().map(|(part, value)| (format!("{key}.{part}"), value))),
            value => flat.push((key, value)),
        }
    }
    flat
}

/// An option of a catalog or a store; one that is `${NAME}` or `${file:PATH}` is replaced, as in SQL.
fn option(origin: &Origin, name: &str, value: Value) -> Result<String, SettingsError> {
    let text = scalar(origin, name, value)?;
    let inside = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match inside.and_then(Variable::parse).map(variable) {
        None => Ok(text),
        Some(Ok(found)) => Ok(found),
        Some(Err(why)) => Err(SettingsError::Value { origin: origin.clone(), name: name.to_owned(), shown: text, why }),
    }
}

/// A single value as text, so that every source is read by the same parser.
pub(super) fn scalar(origin: &Origin, name: &str, value: Value) -> Result<String, SettingsError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(yes) => Ok(yes.to_string()),
        other => Err(SettingsError::Value {
            origin: origin.clone(),
            name: name.to_owned(),
            shown: format!("<{}>", other.type_str()),
            why: "write one text, number, true or false".to_owned(),
        }),
    }
}

fn dashed(upper: &str) -> String {
    upper.to_lowercase().replace('_', "-")
}

fn section_list() -> String {
    let sections: Vec<String> = SECTIONS.iter().map(|(section, _)| format!("[{section}]")).collect();
    format!("{}, [[compactor.policy]], [catalog.NAME]", sections.join(", "))
}

/// Line and column, from 1, of a byte offset.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

// === impl Origin ===

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(flag) => f.write_str(flag),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Classify for SettingsError {
    fn kind(&self) -> FailureKind {
        FailureKind::Usage
    }
}
