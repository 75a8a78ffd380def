//! What `tributary compact` is asked with.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{CatalogArguments, SettingArguments};

/// Merge the small files of a table, or put its rows in order, once. Rows that are written meanwhile stay.
///
/// SIGTERM or SIGINT stops: what is committed stays, everything else is removed. A second signal leaves files that nothing
/// refers to for the orphan sweep.
#[derive(Debug, ClapArgs)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  tributary compact --table db.t --warehouse /lake --dry-run
  tributary compact --table db.t --warehouse /lake --partitions 'dt=2026-01-01,hh=9; dt=2026-01-01,hh=10'
  tributary compact --table db.t --warehouse /lake --order-strategy zorder --order-by category,user_id
  tributary compact --table db.t --config tributary.toml --compact-strategy minor --partition-idle-time '1 h'
  tributary compact --warehouse /lake -e \"CALL sys.compact(table => 'db.t', where => 'hh < 9')\"
  tributary compact -f compact.sql"
)]
pub(crate) struct CompactArguments {
    /// DATABASE.TABLE, or CATALOG.DATABASE.TABLE where several catalogs are configured.
    #[arg(long, value_name = "DB.T", required_unless_present_any = ["execute", "file"])]
    pub(crate) table: Option<String>,
    /// Only these partitions: `dt=2026-01-01,hh=9`, values in quotes or not; `;` is OR.
    #[arg(long, value_name = "SPEC", requires = "table")]
    partitions: Option<String>,
    /// Only partitions that meet this: `dt > '2026-01-01' AND hh IN (9, 10)`.
    #[arg(long = "where", value_name = "CONDITION", requires = "table")]
    condition: Option<String>,
    /// Put the rows of each partition in order: `order` by the columns one after the other, or along a curve through
    /// all of them, `zorder` or `hilbert`.
    #[arg(long, value_name = "ORDER", requires = "table")]
    order_strategy: Option<String>,
    /// Columns to order by, with commas.
    #[arg(long, value_name = "COLUMNS", requires = "table")]
    order_by: Option<String>,
    /// Only partitions to which nothing was added for so long, such as `1 h`; of those, a minor compaction merges what is
    /// left over too.
    #[arg(long, value_name = "DURATION", requires = "table")]
    partition_idle_time: Option<String>,
    /// Which files: `full` (default), everything below the target size as far as that makes fewer files, or `minor`,
    /// small files as soon as they fill a file or are many, which is Paimon's own rule.
    #[arg(long, value_name = "STRATEGY", requires = "table")]
    compact_strategy: Option<String>,
    /// Table options for this run, as KEY=VALUE, several with commas; can be repeated.
    #[arg(long, value_name = "KEY=VALUE", requires = "table")]
    options: Vec<String>,
    /// Statements, as they are pasted from Flink or Spark: `CALL sys.compact(table => 'db.t', …)`.
    #[arg(short, long, value_name = "SQL", conflicts_with_all = ["table", "file"])]
    pub(crate) execute: Option<String>,
    /// A file of such statements, CREATE CATALOG and USE among them.
    #[arg(short, long, value_name = "FILE", conflicts_with = "table")]
    pub(crate) file: Option<PathBuf>,
    /// Print what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Bytes for everything that is rewritten at one time, such as `1 gb`.
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_limit: Option<String>,
    /// Folder for what is ordered and does not fit into that.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) spill_folder: Option<String>,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    #[command(flatten)]
    pub(crate) catalog: CatalogArguments,
}

// === impl CompactArguments ===

impl CompactArguments {
    /// The arguments of `sys.compact`, by their names there.
    pub(crate) fn given(&self) -> impl Iterator<Item = (String, String)> {
        let options = Some(self.options.join(",")).filter(|options| !options.is_empty());
        let given = [
            ("partitions", self.partitions.clone()),
            ("where", self.condition.clone()),
            ("order_strategy", self.order_strategy.clone()),
            ("order_by", self.order_by.clone()),
            ("partition_idle_time", self.partition_idle_time.clone()),
            ("compact_strategy", self.compact_strategy.clone()),
            ("options", options),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))
    }
}
