//! What the user typed. What the program runs on is made of it in [`crate::settings`].

mod compact;
mod maintenance;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use self::compact::CompactArguments;
pub(crate) use self::maintenance::{CreateTag, DeleteTag, ExpireSnapshots, ExpireTags, Maintenance, RemoveOrphanFiles};

/// Keeps Apache Paimon append tables filled: one daemon, no JVM.
#[derive(Debug, Parser)]
#[command(
    name = "tributary",
    version = crate::build::LONG,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Examples:
  tributary run config/tutorial.sql              fill a table; metrics on http://127.0.0.1:9249/metrics
  tributary check config/tutorial.sql            would it run? says what is wrong and what to do
  tributary compact --table db.t --warehouse /lake --dry-run    which small files would be merged?
  tributary table count test_paimon_db.test_append_tbl --warehouse config/warehouse

Settings: flag > environment (TRIBUTARY_HTTP__LISTEN) > settings file (--config) > default.
Exit codes: 0 done or drained, 1 internal, 2 usage or configuration, 3 authentication, 4 fenced,
            5 corrupt or foreign overwrite, 6 commit retries exhausted, 7 not drained."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(RunArguments),
    Check(CheckArguments),
    Table(TableArguments),
    Compact(CompactArguments),
    Compactor(CompactorArguments),
    Catalog(CatalogCommand),
    Health(HealthArguments),
    Completions(CompletionArguments),
    /// Print a page of docs/reference, or config/tributary.toml.
    #[command(hide = true)]
    Reference {
        /// Which page.
        page: Page,
    },
}

/// Run the jobs of SQL files until their sources end or a signal comes.
///
/// SIGTERM or SIGINT stops reading, commits what was read and exits 0, or 7 if the drain deadline
/// passes first. A second signal stops at once; what was not committed is read again next time.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  tributary run job.sql
  tributary run job.sql --config tributary.toml --set job.checkpoint-interval='30 s'
  tributary run catalogs.sql orders.sql clicks.sql    statements in the order of the files
  TRIBUTARY_LOG__FORMAT=json tributary run job.sql --listen 0.0.0.0:9249")]
pub(crate) struct RunArguments {
    /// SQL files, read in this order as one job.
    #[arg(required = true, value_name = "FILE.sql")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    #[command(flatten)]
    pub(crate) catalog: CatalogArguments,
    /// Where to serve metrics, health, status and admin verbs; port 0 picks a free one.
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) listen: Option<String>,
    /// Bytes for buffers, writers and uploads together, such as `1 gb`.
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_limit: Option<String>,
}

/// Would it run? Parse, resolve, connect, probe the store; change nothing but a probe file.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  tributary check job.sql
  tributary check --config tributary.toml             only the settings and their catalogs
  tributary check --warehouse /data/lake              does this store create files only if absent?")]
pub(crate) struct CheckArguments {
    /// SQL files, read in this order as one job.
    #[arg(value_name = "FILE.sql")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    #[command(flatten)]
    pub(crate) catalog: CatalogArguments,
}

/// Look into a table: its rows, and all that its metadata says, as Paimon's system tables show it. Keep it in order.
#[derive(Debug, ClapArgs)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  tributary table head test_paimon_db.test_append_tbl --warehouse config/warehouse
  tributary table partitions db.t --warehouse /lake
  tributary table count db.t --warehouse /lake --partition dt=2026-01-01,hh=9
  tributary table files db.t --config tributary.toml --partition '{2026-01-01, 9}; {2026-01-01, 10}' --format csv
  tributary table head db.t --warehouse /lake --branch test --tag before-the-change
  tributary table snapshots db.t --warehouse /lake --limit 10 --format json
  tributary table expire-snapshots db.t --warehouse /lake --retain-max 100"
)]
pub(crate) struct TableArguments {
    #[command(subcommand)]
    pub(crate) verb: TableVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TableVerb {
    /// Print rows (10 unless --limit says otherwise).
    Head(Scan),
    /// Print the number of rows, from metadata; the last line is the bare number.
    Count(Scan),
    /// List the partitions of a snapshot, with the columns of Paimon's `$partitions`.
    Partitions(Scan),
    /// List the data files of a snapshot, with the columns of Paimon's `$files`.
    Files(Scan),
    /// List the manifests of a snapshot, with the columns of Paimon's `$manifests`.
    Manifests(Scan),
    /// List the snapshots, with the columns of Paimon's `$snapshots`.
    Snapshots(History),
    /// List every schema the table had, with the columns of Paimon's `$schemas`.
    Schemas(Listing),
    /// List the options of the newest schema, as Paimon's `$options` does.
    Options(Listing),
    /// List the tags, with the columns of Paimon's `$tags`.
    Tags(Listing),
    /// List who keeps snapshots from expiring, with the columns of Paimon's `$consumers`.
    Consumers(Listing),
    #[command(flatten)]
    Maintenance(Maintenance),
}

/// Of a snapshot: which one, and which partitions of it.
#[derive(Debug, ClapArgs)]
pub(crate) struct Scan {
    #[command(flatten)]
    pub(crate) history: History,
    /// Only these partitions: `dt=2026-01-01,hh=9`, or `{2026-01-01, 9}` as `files` shows it; `;` is OR.
    #[arg(long, value_name = "SPEC")]
    pub(crate) partition: Option<String>,
}

/// Of the snapshots: all, or one.
#[derive(Debug, ClapArgs)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) listing: Listing,
    /// As of this snapshot; the latest by default.
    #[arg(long, value_name = "ID")]
    pub(crate) snapshot: Option<i64>,
    /// As of the snapshot that this tag keeps.
    #[arg(long, value_name = "NAME", conflicts_with = "snapshot")]
    pub(crate) tag: Option<String>,
}

/// Which table, and how to answer.
#[derive(Debug, ClapArgs)]
pub(crate) struct Target {
    /// DATABASE.TABLE, or CATALOG.DATABASE.TABLE where several catalogs are configured.
    #[arg(value_name = "DB.T")]
    pub(crate) table: String,
    /// How to print.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: OutputFormat,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    #[command(flatten)]
    pub(crate) catalog: CatalogArguments,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Listing {
    #[command(flatten)]
    pub(crate) target: Target,
    /// At most this many rows of output.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// On this branch; the same as writing `DB.T$branch_NAME`.
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
}

/// Look after tables as the policies of the settings say, beside whoever writes to them.
///
/// SIGTERM or SIGINT ends the runs at work in order and exits 0, or 7 if the drain deadline passes first.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  tributary compactor --config tributary.toml          its [[compactor.policy]] sections; runs on http://127.0.0.1:9250/runs
  tributary compactor --config tributary.toml --listen 0.0.0.0:9250")]
pub(crate) struct CompactorArguments {
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    #[command(flatten)]
    pub(crate) catalog: CatalogArguments,
    /// Where to serve metrics, health and runs; port 0 picks a free one.
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) listen: Option<String>,
}

/// A catalog of our own, shared by Flink, Spark, pypaimon and this program.
#[derive(Debug, ClapArgs)]
#[command(arg_required_else_help = true)]
pub(crate) struct CatalogCommand {
    #[command(subcommand)]
    pub(crate) verb: CatalogVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogVerb {
    Serve(ServeArguments),
}

/// Serve a warehouse as a Paimon REST catalog, with every commit decided in this one place.
///
/// A warehouse has one server. SIGTERM or SIGINT answers what was asked and exits 0.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  tributary catalog serve --warehouse /data/lake
  tributary catalog serve --warehouse /data/lake --import         take in the tables that are there already
  TRIBUTARY_SERVER__TOKEN=… tributary catalog serve --warehouse /data/lake --name lake --listen 0.0.0.0:9190
  tributary catalog serve --config server.toml                    the warehouse of its only [catalog.NAME], which may be a bucket

In Flink: CREATE CATALOG c WITH ('type'='paimon', 'metastore'='rest', 'uri'='http://HOST:9190', 'warehouse'='lake',
          'token.provider'='bear', 'token'='…')")]
pub(crate) struct ServeArguments {
    /// What clients call the warehouse; the last part of its path by default.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where to serve; port 0 picks a free one.
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) listen: Option<String>,
    /// Take in databases and tables that the warehouse has and the catalog does not know.
    #[arg(long)]
    pub(crate) import: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    #[command(flatten)]
    pub(crate) catalog: CatalogArguments,
}

/// Ask a running process how it is: exit code 0 when it answers 200, otherwise 1.
///
/// Made for the health checks of containers: it needs no shell and no curl, and knows from the settings
/// where the daemon of the same container listens.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  tributary health                                             is the daemon alive?
  tributary health --url http://127.0.0.1:9249/readyz?verbose  do its commits make progress?
  tributary health --url http://127.0.0.1:9190/livez           the catalog server")]
pub(crate) struct HealthArguments {
    /// The page to ask; `/livez` where the settings say that the daemon listens by default.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Where the daemon listens, if its command line says so.
    #[arg(long, value_name = "IP:PORT", conflicts_with = "url")]
    pub(crate) listen: Option<String>,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
}

/// Print what makes a shell complete the commands and flags of this program.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  tributary completions bash > /usr/share/bash-completion/completions/tributary
  tributary completions zsh > ~/.zfunc/_tributary          a folder of $fpath
  tributary completions fish > ~/.config/fish/completions/tributary.fish")]
pub(crate) struct CompletionArguments {
    /// Which shell.
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SettingArguments {
    /// The settings file (also TRIBUTARY_CONFIG).
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_CONFIG", hide_env = true)]
    pub(crate) config: Option<PathBuf>,
    /// Any setting, as SECTION.KEY=VALUE; can be repeated.
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// auto, text or json.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
}

#[derive(Debug, Default, ClapArgs)]
pub(crate) struct CatalogArguments {
    /// A warehouse folder or URL: makes a filesystem catalog named `paimon`.
    #[arg(long, value_name = "URL")]
    pub(crate) warehouse: Option<String>,
    /// One option of that catalog, or of the only one configured; can be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) catalog_option: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Aligned columns.
    Table,
    /// Comma-separated, with a header.
    Csv,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Page {
    /// Settings of the process.
    Settings,
    /// SET keys, options of tables and of datagen.
    Options,
    /// Metrics.
    Metrics,
    /// A sample settings file.
    Config,
}

// === impl TableVerb ===

impl TableVerb {
    /// The table, and how many rows of output at most.
    pub(crate) fn asked(&self) -> (&Target, Option<usize>) {
        let listing = match self {
            Self::Maintenance(maintenance) => return (maintenance.target(), None),
            Self::Head(scan)
            | Self::Count(scan)
            | Self::Partitions(scan)
            | Self::Files(scan)
            | Self::Manifests(scan) => &scan.history.listing,
            Self::Snapshots(history) => &history.listing,
            Self::Schemas(listing) | Self::Options(listing) | Self::Tags(listing) | Self::Consumers(listing) => listing,
        };
        (&listing.target, listing.limit)
    }
}
