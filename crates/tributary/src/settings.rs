//! How the process is set up: flag > environment > settings file > default.
//!
//! Every setting is declared once, below, with its default and its documentation; the same
//! declaration makes the struct, the look-up, the reference page and the list of effective settings.
//! Text becomes typed values here and nowhere else. `layers` collects what was given and by whom,
//! so that an error can name the file, variable or flag that has to be corrected.

mod layers;
mod policies;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use paimon_table::store::StorageOptions;
use tributary_http::BearerToken;

use crate::args::{CatalogArguments, SettingArguments};

pub(crate) use layers::{Layers, Origin, SettingsError};
pub(crate) use policies::{POLICY_KEYS, PolicySettings};
pub(crate) use value::{ByteSize, LogFilter, LogFormat, SettingValue, TimeZone};

/// The options of one catalog, as `CREATE CATALOG` takes them.
pub(crate) type CatalogOptions = BTreeMap<String, String>;

/// One setting, as the reference shows it.
#[derive(Debug)]
pub(crate) struct SettingDef {
    pub(crate) section: &'static str,
    pub(crate) key: &'static str,
    /// What kind of text the value is.
    pub(crate) kind: &'static str,
    /// As it would be written; empty if the setting is off unless given.
    pub(crate) default: &'static str,
    /// Markdown, lines separated by newlines.
    pub(crate) doc: &'static str,
}

macro_rules! settings {
    ($(
        $(#[doc = $section_doc:literal])+
        $section:ident: $Section:ident {$(
            $(#[doc = $doc:literal])+
            $field:ident: $type:ty = ($key:literal, $default:literal),
        )+}
    )+) => {
        $(
            $(#[doc = $section_doc])+
            #[derive(Debug, Clone)]
            pub(crate) struct $Section {$(
                $(#[doc = $doc])+
                pub(crate) $field: $type,
            )+}
        )+

        /// Everything a user may set, typed.
        #[derive(Debug, Clone)]
        pub(crate) struct Settings {
            $(
                $(#[doc = $section_doc])+
                pub(crate) $section: $Section,
            )+
            /// The other keys of `[storage]`: what holds of object stores where a catalog says nothing.
            stores: StorageOptions,
            /// `[catalog.NAME]`: catalogs by name.
            pub(crate) catalogs: BTreeMap<String, CatalogOptions>,
            /// `[[compactor.policy]]`: which tables are looked after.
            pub(crate) policies: Vec<PolicySettings>,
        }

        /// The sections with their documentation, in the order of the reference.
        pub(crate) const SECTIONS: &[(&str, &str)] = &[
            $((stringify!($section), concat!($($section_doc, "\n"),+)),)+
        ];

        /// The settings of all sections, in the order of the reference.
        pub(crate) const SETTINGS: &[SettingDef] = &[$($(
            SettingDef {
                section: stringify!($section),
                key: $key,
                kind: <$type as SettingValue>::KIND,
                default: $default,
                doc: concat!($($doc, "\n"),+),
            },
        )+)+];

        impl Settings {
            /// Types what was given, and takes the default of what was not.
            pub(crate) fn try_new(layers: &Layers) -> Result<Self, SettingsError> {
                let mut settings = Self {
                    $($section: $Section {
                        $($field: layers.take(stringify!($section), $key, $default)?,)+
                    },)+
                    stores: layers.stores()?,
                    catalogs: layers.catalogs().clone(),
                    policies: Vec::new(),
                };
                for policy in layers.policies() {
                    settings.policies.push(policy.typed(&settings.job.time_zone)?);
                }
                Ok(settings)
            }

            /// Every setting as it now is, secrets masked; catalogs not included.
            pub(crate) fn effective(&self) -> Vec<(String, String)> {
                vec![$($(
                    (
                        concat!(stringify!($section), ".", $key).to_owned(),
                        self.$section.$field.show(),
                    ),
                )+)+]
            }
        }
    };
}

settings! {
    /// What holds for every job unless the job says otherwise with SET.
    job: Job {
        /// How often rows become visible and positions durable (SET `execution.checkpointing.interval`).
        checkpoint_interval: Duration = ("checkpoint-interval", "10 s"),
        /// How many data files are encoded at once at most (SET `sink.parallelism`,
        /// `parallelism.default`); `auto` is one per available core, container limits honoured.
        parallelism: Option<NonZeroUsize> = ("parallelism", "auto"),
        /// The zone of LOCALTIMESTAMP, CURRENT_DATE and their kin (SET `table.local-time-zone`):
        /// an IANA name, an offset, or `local` for the zone of the process.
        time_zone: TimeZone = ("time-zone", "local"),
        /// How long SIGTERM or SIGINT may take to commit what was read. Keep it below the grace
        /// period of whatever sends the signal (Kubernetes: 30 s).
        drain_deadline: Duration = ("drain-deadline", "25 s"),
    }
    /// One budget over everything that grows with load.
    memory: Memory {
        /// Bytes for channels, open writers, uploads and manifests together. The process itself
        /// needs up to 64 MB more.
        limit: ByteSize = ("limit", "256 mb"),
    }
    /// How files are stored. The options of object stores (`s3.…`, `fs.oss.…`, as the reference of options has them)
    /// may stand here, too; they hold for every catalog that does not say otherwise.
    storage: Storage {
        /// Whether files on a local disk are flushed to the device before a commit refers to them.
        /// Off is faster and loses commits when the machine, not only the process, dies.
        fsync: bool = ("fsync", "true"),
    }
    /// Metrics, health, status and admin verbs over HTTP.
    http: Http {
        /// Where to listen. Only this machine by default; `0.0.0.0:9249` is every address. Port 0
        /// picks a free one, which the log names.
        listen: SocketAddr = ("listen", "127.0.0.1:9249"),
        /// The bearer token of the admin verbs; without one they answer 403.
        admin_token: Option<BearerToken> = ("admin-token", ""),
        /// A file that holds the token, such as a mounted secret; read at the start.
        admin_token_file: Option<PathBuf> = ("admin-token-file", ""),
    }
    /// `tributary compact` and `tributary compactor`, and the same inside of `tributary run`: tables are looked after as
    /// `[[compactor.policy]]` says.
    compactor: Compactor {
        /// Bytes for everything that is rewritten at one time: row groups on their way in and out, rows that are ordered,
        /// uploads, and 192 MB, half of it at most, for the process and its allocator. Where one row group needs more, it is
        /// taken: give a container 128 MB more.
        memory_limit: ByteSize = ("memory-limit", "512 mb"),
        /// Folder for rows that are ordered and do not fit into that; by default the system's for temporary files.
        /// About as large as the uncompressed rows of the largest partition. Nothing stays in it, even after a kill.
        spill_folder: Option<PathBuf> = ("spill-folder", ""),
        /// Where `tributary compactor` listens; its admin token is that of `[http]`.
        listen: SocketAddr = ("listen", "127.0.0.1:9250"),
        /// Whether `tributary run` does the work of the policies beside its job.
        embedded: bool = ("embedded", "false"),
        /// How many tables are worked on at once at most, and threads for that; `auto` is half of the available
        /// cores.
        threads: Option<NonZeroUsize> = ("threads", "auto"),
        /// The file that keeps the history of runs over restarts; without one it is kept in memory. Each process needs
        /// its own.
        history: Option<PathBuf> = ("history", ""),
        /// How many ended runs the history keeps at most.
        history_runs: NonZeroUsize = ("history-runs", "1000"),
        /// How long it keeps them.
        history_age: Duration = ("history-age", "30 d"),
    }
    /// `tributary catalog serve`.
    server: Server {
        /// Where to listen. Only this machine by default; any other address needs a token or an access file.
        listen: SocketAddr = ("listen", "127.0.0.1:9190"),
        /// The database of names and ids, a file on a local disk; by default `.tributary/catalog.redb` in a warehouse
        /// that is a folder. The warehouse of an object store needs one.
        database: Option<PathBuf> = ("database", ""),
        /// One bearer token that may do everything.
        token: Option<BearerToken> = ("token", ""),
        /// A TOML file of principals with their tokens or access keys, and databases; read at the start.
        access_file: Option<PathBuf> = ("access-file", ""),
    }
    /// What the process says on standard error.
    log: Log {
        /// `error`, `warn`, `info`, `debug` or `trace`; also per part, as in `info,paimon_table=debug`.
        /// `info` alone leaves out the repeated requests to object stores; `info,object_store=info` has them.
        level: LogFilter = ("level", "info"),
        /// `text` or `json`; `auto` is a status line with text on a terminal, and text elsewhere.
        format: LogFormat = ("format", "auto"),
    }
}

impl Settings {
    /// What holds of stores where a catalog says nothing.
    pub(crate) fn stores(&self) -> StorageOptions {
        StorageOptions { fsync: self.storage.fsync, ..self.stores.clone() }
    }

    /// The admin token, from the setting or its file.
    pub(crate) fn admin_token(&self) -> Result<Option<BearerToken>, SettingsError> {
        match (&self.http.admin_token, &self.http.admin_token_file) {
            (Some(_), Some(_)) => {
                Err(SettingsError::Conflict { first: "http.admin-token", second: "http.admin-token-file" })
            }
            (Some(token), None) => Ok(Some(token.clone())),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
                    what: "the file of http.admin-token-file",
                    path: path.clone(),
                    source,
                })?;
                let token = BearerToken::try_new(&text).map_err(|why| SettingsError::Value {
                    origin: Origin::File(path.clone()),
                    name: "http.admin-token-file".to_owned(),
                    shown: "***".to_owned(),
                    why: why.to_owned(),
                })?;
                Ok(Some(token))
            }
            (None, None) => Ok(None),
        }
    }
}

impl Settings {
    /// Collects the layers, weakest first: file, environment, `--set`, the flags with names of their own.
    /// `flags` are those of one command: flag, section, key, value.
    pub(crate) fn load(
        settings: &SettingArguments,
        catalog: &CatalogArguments,
        flags: &[(&str, &str, &str, &Option<String>)],
    ) -> Result<Self, SettingsError> {
        let mut layers = Layers::default();
        if let Some(path) = &settings.config {
            layers.file(path)?;
        }
        layers.environment(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))),
        )?;
        for setting in &settings.set {
            layers.set(setting)?;
        }
        let common = [
            ("--log-level", "log", "level", &settings.log_level),
            ("--log-format", "log", "format", &settings.log_format),
        ];
        for (flag, section, key, value) in common.iter().chain(flags) {
            if let Some(value) = value {
                layers.flag(flag, section, key, value)?;
            }
        }
        layers.catalog_arguments(catalog)?;
        Self::try_new(&layers)
    }
}
