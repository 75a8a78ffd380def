//! What `tributary compact` is asked with.

use clap::{Args as ClapArgs, ValueEnum};

use super::{CatalogArguments, SettingArguments};

/// Merge the small files of a table, once. Rows that are written meanwhile stay.
///
/// SIGTERM or SIGINT stops: what is committed stays, everything else is removed. A second signal leaves files that nothing
/// refers to for the orphan sweep.
#[derive(Debug, ClapArgs)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  tributary compact --table db.t --warehouse /lake --dry-run
  tributary compact --table db.t --warehouse /lake --partitions 'dt=2026-01-01,hh=9; dt=2026-01-01,hh=10'
  tributary compact --table db.t --config tributary.toml --compact-strategy full
  tributary compact --table db.t --warehouse /lake --partition-idle-time '1 h' --options target-file-size=128mb"
)]
pub(crate) struct CompactArguments {
    /// DATABASE.TABLE, or CATALOG.DATABASE.TABLE where several catalogs are configured.
    #[arg(long, value_name = "DB.T")]
    pub(crate) table: String,
    /// Only these partitions: `dt=2026-01-01,hh=9`, values in quotes or not; `;` is OR.
    #[arg(long, value_name = "SPEC")]
    pub(crate) partitions: Option<String>,
    /// Only partitions to which nothing was added for so long, such as `1 h`; of those, what is left over is merged too.
    #[arg(long, value_name = "DURATION")]
    pub(crate) partition_idle_time: Option<String>,
    /// Which files.
    #[arg(long, value_name = "STRATEGY", default_value = "minor")]
    pub(crate) compact_strategy: CompactStrategy,
    /// Table options for this run, as KEY=VALUE, several with commas; can be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) options: Vec<String>,
    /// Print what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Bytes for everything that is rewritten at one time, such as `1 gb`.
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_limit: Option<String>,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    #[command(flatten)]
    pub(crate) catalog: CatalogArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompactStrategy {
    /// Small files, as soon as they fill a file or are many: Paimon's own rule.
    Minor,
    /// Everything below the target size, as far as that makes fewer files.
    Full,
}
