//! A job inside the test's own process: over any store, with injected time, chance and threads.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use object_store::ObjectStore;
use paimon_catalog::{Catalog, FilesystemCatalog, Table, TableIdentifier};
use paimon_table::read::read_file;
use paimon_table::scan::plan_scan;
use paimon_table::store::{Storage, StorageOptions};
use tributary_job::{Job, JobDefaults, JobError, JobSetup, Mode, Session, Zone};
use tributary_runtime::{Drain, Env};
use tributary_sink::SinkMetrics;

/// Runs a job to its end. Its tables are in the catalog `sim`, a warehouse at the root of `store`.
///
/// # Errors
/// As the job.
pub async fn run(job: &str, store: Arc<dyn ObjectStore>, env: Env) -> Result<(), JobError> {
    let defaults = JobDefaults {
        checkpoint_interval: Duration::from_secs(10),
        parallelism: None,
        zone: Zone::UTC,
        storage: StorageOptions { fsync: false, ..StorageOptions::default() },
    };
    let mut session = Session::new(Mode::Run, defaults, env.clone());
    session.add_catalog("sim", Arc::new(catalog(store, &env)), "default");
    let script = tributary_statement::parse("simulated.sql", job, &|_| Err("not set".into())).unwrap();
    session.apply(&script, Path::new("simulated.sql")).await?;
    let setup = JobSetup {
        env,
        drain: Drain::new(),
        drain_deadline: Duration::from_secs(25),
        memory_bytes: 64 << 20,
        metrics: SinkMetrics::register(&prometheus::Registry::new()).unwrap(),
    };
    Job::new(session.into_plans()?, setup).run().await
}

/// The table `db.name` of that catalog.
pub async fn table(store: &Arc<dyn ObjectStore>, name: &str, env: &Env) -> Table {
    catalog(Arc::clone(store), env).load_table(&TableIdentifier::new("db", name)).await.unwrap()
}

/// All rows of the newest snapshot.
pub async fn batches(table: &Table, env: &Env) -> Vec<RecordBatch> {
    let plan = plan_scan(table, None, None, &env.executor).await.unwrap();
    let mut batches = Vec::new();
    for entry in &plan.files {
        let file = read_file(table, entry, &table.schema().fields).await.unwrap();
        batches.extend(file.try_collect::<Vec<_>>().await.unwrap());
    }
    batches
}

fn catalog(store: Arc<dyn ObjectStore>, env: &Env) -> FilesystemCatalog {
    FilesystemCatalog::new(Storage::new(store, "warehouse".into()), "sim", env)
}
