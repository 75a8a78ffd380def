//! `tributary table`: what a table holds, from its metadata, and its maintenance; only `head` opens data files.

mod consumers;
mod files;
mod maintenance;
mod manifests;
mod options;
mod output;
mod partitions;
mod rows;
mod schemas;
mod snapshots;
mod tags;
mod text;

use std::io;
use std::sync::Arc;

use paimon_format::{Datum, ManifestEntry, Snapshot, SnapshotId};
use paimon_table::error::TableError;
use paimon_table::partition_text;
use paimon_table::predicate::Predicate;
use paimon_table::scan::{ScanPlan, plan_scan, plan_scan_of};
use paimon_table::table::Table;
use serde_json::Value;
use tributary_runtime::{Env, Executor};

use crate::args::{History, Listing, OutputFormat, Scan, TableVerb, Target};
use crate::catalogs;
use crate::failure::{CommandError, Failure};
use crate::settings::Settings;
use output::Sheet;

/// Rows that `head` prints unless told otherwise.
const HEAD_ROWS: usize = 10;

/// A table and the part of it that was asked for.
struct Query {
    /// With the columns it had at `snapshot`.
    table: Table,
    /// The one that was asked for; `None` for the latest.
    snapshot: Option<Arc<Snapshot>>,
    filter: Option<Predicate>,
    limit: Option<usize>,
}

/// Answers on standard output.
pub(crate) async fn print(verb: TableVerb, settings: &Settings, env: &Env) -> Result<(), Failure> {
    let tables = Tables { settings, env };
    let mut sheet = match &verb {
        TableVerb::Head(scan) => {
            let limit = scan.history.listing.limit.unwrap_or(HEAD_ROWS);
            rows::first(&tables.query(scan).await?, limit).await?
        }
        TableVerb::Count(scan) => count(&tables.query(scan).await?).await?,
        TableVerb::Partitions(scan) => partitions::list(&tables.query(scan).await?).await?,
        TableVerb::Files(scan) => files::list(&tables.query(scan).await?).await?,
        TableVerb::Manifests(scan) => manifests::list(&tables.query(scan).await?).await?,
        TableVerb::Snapshots(history) => snapshots::list(&tables.history(history, None).await?).await?,
        TableVerb::Schemas(listing) => schemas::list(&tables.table(listing).await?).await?,
        TableVerb::Options(listing) => options::list(&tables.table(listing).await?),
        TableVerb::Tags(listing) => tags::list(&tables.table(listing).await?).await?,
        TableVerb::Consumers(listing) => consumers::list(&tables.table(listing).await?).await?,
        TableVerb::Maintenance(asked) => maintenance::run(asked, &tables).await?,
    };
    let (Target { format, .. }, limit) = verb.asked();
    sheet.rows.truncate(limit.unwrap_or(usize::MAX));
    let out = &mut io::stdout().lock();
    let written = match (&verb, format) {
        (TableVerb::Count(_), OutputFormat::Table) => sheet.print_bare(out),
        _ => sheet.print(*format, out),
    };
    written.map_err(|source| CommandError::Io { doing: "write to standard output".to_owned(), source }.into())
}

async fn count(query: &Query) -> Result<Sheet, Failure> {
    let rows = match (&query.filter, &query.snapshot) {
        (None, None) => query.table.latest_snapshot().await?.map_or(0, |snapshot| snapshot.total_record_count),
        // The filter names partition columns only, so every row of a planned file matches.
        _ => query.plan().await?.rows(),
    };
    Ok(Sheet::new(["count"], vec![vec![Value::from(rows)]]))
}

/// Where tables come tables.
struct Tables<'a> {
    settings: &'a Settings,
    env: &'a Env,
}

// === impl Tables ===

impl Tables<'_> {
    async fn table(&self, asked: &Listing) -> Result<Table, Failure> {
        catalogs::table(self.settings, &asked.target.table, asked.branch.as_deref(), self.env).await
    }

    async fn main(&self, asked: &Target) -> Result<Table, Failure> {
        catalogs::table(self.settings, &asked.table, None, self.env).await
    }

    async fn history(&self, asked: &History, partition: Option<&str>) -> Result<Query, Failure> {
        let mut table = self.table(&asked.listing).await?;
        let snapshot = match (asked.snapshot.map(SnapshotId), &asked.tag) {
            (Some(id), _) => {
                let missing = || TableError::NoSuchSnapshot { id: id.0, location: table.location() };
                Some(table.snapshot(id).await?.ok_or_else(missing)?)
            }
            (None, Some(tag)) => Some(Arc::new(table.tag(tag).await?.snapshot)),
            (None, None) => None,
        };
        if let Some(snapshot) = &snapshot {
            table = table.as_of(snapshot).await?;
        }
        let filter = partition.map(|text| partition_text::parse(text, table.schema())).transpose();
        let filter = filter.map_err(|error| Failure::usage(format!("--partition: {error}")))?;
        Ok(Query { table, snapshot, filter, limit: asked.listing.limit })
    }

    async fn query(&self, asked: &Scan) -> Result<Query, Failure> {
        self.history(&asked.history, asked.partition.as_deref()).await
    }
}

// === impl Query ===

impl Query {
    async fn plan(&self) -> Result<ScanPlan, Failure> {
        let (filter, executor) = (self.filter.as_ref(), Executor::inline());
        Ok(match &self.snapshot {
            Some(snapshot) => plan_scan_of(&self.table, Arc::clone(snapshot), filter, &executor).await?,
            None => plan_scan(&self.table, None, filter, &executor).await?,
        })
    }

    /// The snapshot that was asked for, or the latest; `None` for a table without any.
    async fn at(&self) -> Result<Option<Arc<Snapshot>>, Failure> {
        Ok(match &self.snapshot {
            Some(snapshot) => Some(Arc::clone(snapshot)),
            None => self.table.latest_snapshot().await?,
        })
    }
}

/// The values of a file's partition.
fn partition_of(table: &Table, entry: &ManifestEntry) -> Result<Vec<Option<Datum>>, Failure> {
    let types = table.schema().partition_types();
    let object = || format!("the manifest entry of {}", entry.file.file_name);
    Ok(entry.partition.decode(&types).map_err(|source| TableError::Format { object: object(), source })?)
}
