//! Keeping a table in order. The arguments have the names of Paimon's procedures.

use clap::{ArgAction, Args as ClapArgs, Subcommand};

use super::Target;

#[derive(Debug, Subcommand)]
pub(crate) enum Maintenance {
    ExpireSnapshots(ExpireSnapshots),
    RemoveOrphanFiles(RemoveOrphanFiles),
    CreateTag(CreateTag),
    DeleteTag(DeleteTag),
    ExpireTags(ExpireTags),
}

/// Take old snapshots away, and the files that only they needed.
///
/// Write-only tables, those Tributary fills among them, expire nothing by themselves. Consumers, tags, branches and the
/// positions of running jobs are honoured; `snapshot.*` of the table says what is retained unless an argument does.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  tributary table expire-snapshots db.t --warehouse /lake
  tributary table expire-snapshots db.t --warehouse /lake --retain-max 100 --retain-min 10
  tributary table expire-snapshots db.t --warehouse /lake --older-than '2026-01-31 09:00:00' --max-deletes 1000")]
pub(crate) struct ExpireSnapshots {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Keep at most this many snapshots, whatever their age [default: the table's snapshot.num-retained.max].
    #[arg(long, value_name = "N")]
    pub(crate) retain_max: Option<u64>,
    /// Keep at least this many snapshots [default: the table's snapshot.num-retained.min].
    #[arg(long, value_name = "N")]
    pub(crate) retain_min: Option<u64>,
    /// Take snapshots away whose successor is older than this local time [default: the table's snapshot.time-retained].
    #[arg(long, value_name = "TIME")]
    pub(crate) older_than: Option<String>,
    /// Take at most this many snapshots away [default: the table's snapshot.expire.limit].
    #[arg(long, value_name = "N")]
    pub(crate) max_deletes: Option<u64>,
}

/// Find files that nothing refers to: what killed writers and lost races left. Delete them with --dry-run=false.
///
/// Prints the path and size of each. Younger files than --older-than are never touched: they may belong to a commit that is
/// still to come.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  tributary table remove-orphan-files db.t --warehouse /lake                     which would go?
  tributary table remove-orphan-files db.t --warehouse /lake --dry-run=false
  tributary table remove-orphan-files db.t --warehouse /lake --dry-run=false --older-than '2026-01-31 09:00:00'")]
pub(crate) struct RemoveOrphanFiles {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Only files that were written before this local time [default: a day ago].
    #[arg(long, value_name = "TIME")]
    pub(crate) older_than: Option<String>,
    /// Only say which files would go.
    #[arg(long, value_name = "BOOL", default_value_t = true, default_missing_value = "true", num_args = 0..=1,
          require_equals = true, action = ArgAction::Set)]
    pub(crate) dry_run: bool,
}

/// Keep a snapshot under a name: expiry leaves it alone, and every engine can read it.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  tributary table create-tag db.t --tag before-the-change --warehouse /lake
  tributary table create-tag db.t --tag 2026-01-31 --snapshot 7 --time-retained '30 d' --warehouse /lake
  tributary table count db.t --tag before-the-change --warehouse /lake")]
pub(crate) struct CreateTag {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The tag's name.
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: String,
    /// The snapshot to keep; the latest by default.
    #[arg(long, value_name = "ID")]
    pub(crate) snapshot: Option<i64>,
    /// How long to keep it, such as `30 d` [default: the table's tag.default-time-retained, or else for ever].
    #[arg(long, value_name = "DURATION")]
    pub(crate) time_retained: Option<String>,
}

/// Let go of a tag, and of the files that only it kept.
#[derive(Debug, ClapArgs)]
pub(crate) struct DeleteTag {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The tag's name.
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: String,
}

/// Delete the tags that were kept as long as `time-retained` said.
#[derive(Debug, ClapArgs)]
pub(crate) struct ExpireTags {
    #[command(flatten)]
    pub(crate) target: Target,
}

// === impl Maintenance ===

impl Maintenance {
    pub(super) fn target(&self) -> &Target {
        match self {
            Self::ExpireSnapshots(asked) => &asked.target,
            Self::RemoveOrphanFiles(asked) => &asked.target,
            Self::CreateTag(asked) => &asked.target,
            Self::DeleteTag(asked) => &asked.target,
            Self::ExpireTags(asked) => &asked.target,
        }
    }
}
