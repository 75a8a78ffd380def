use std::sync::Mutex;

use prometheus::Registry;
use tributary_runtime::FailureKind;

use super::*;
use crate::survey::{PartitionSurvey, survey};
use crate::worker::{
    Action, Maintenance, NotLoaded, Perform, RunFailure, RunId, RunScope, TableName, Tables, WorkerMetrics,
};

type Answer = Result<Table, fn(RunFailure) -> NotLoaded>;

/// A catalog of one table, which may be gone.
struct OneTable(Mutex<Answer>);

#[async_trait::async_trait]
impl Tables for OneTable {
    async fn load(&self, _: &TableName) -> Result<Table, NotLoaded> {
        let table = self.0.lock().unwrap().clone();
        table.map_err(|why| why(RunFailure::failed(FailureKind::Usage, "no table")))
    }
}

/// Looks after one table, and shows what it sees.
struct Bench {
    tables: Arc<OneTable>,
    maintenance: Maintenance,
    registry: Registry,
}

// === impl Bench ===

impl Bench {
    fn of(table: Table) -> Self {
        let (tables, registry) = (Arc::new(OneTable(Mutex::new(Ok(table)))), Registry::new());
        let maintenance = Maintenance {
            tables: Arc::clone(&tables) as _,
            env: sim_env(1, EPOCH),
            resources: resources(),
            metrics: WorkerMetrics::register(&registry).unwrap(),
        };
        Self { tables, maintenance, registry }
    }

    /// A run that finds nothing to do.
    async fn idle(&self) -> Result<(), RunFailure> {
        let name = TableName::new("db.t");
        let scope = RunScope::new(RunId(1), name.clone());
        self.maintenance.perform(&name, &Action::ExpireTags, &scope).await.map(|report| assert!(report.idle))
    }

    /// The series and their values.
    fn series(&self) -> Vec<(String, f64)> {
        let families = self.registry.gather().into_iter();
        families
            .flat_map(|family| {
                let values: Vec<_> = family.get_metric().iter().map(|metric| metric.get_gauge().get_value()).collect();
                values.into_iter().map(move |value| (family.name().to_owned(), value))
            })
            .filter(|(name, _)| name.ends_with("_files") || name.ends_with("_bytes"))
            .collect()
    }
}

async fn look(table: &Table, most_partitions: usize) -> crate::survey::Survey {
    let snapshot = table.latest_snapshot().await.unwrap().unwrap();
    survey(table, &snapshot, most_partitions, &Executor::inline()).await.unwrap()
}

/// The live files and their bytes.
async fn live(table: &Table) -> (u64, u64) {
    let files = files(table).await;
    (files.len() as u64, files.iter().map(|entry| entry.file.file_size as u64).sum())
}

/// As the survey has them, of all partitions that it names.
fn named(survey: &crate::survey::Survey) -> (u64, u64) {
    let sum = |of: fn(&PartitionSurvey) -> u64| survey.newest.iter().map(of).sum();
    (sum(|partition| partition.files), sum(|partition| partition.bytes))
}

#[tokio::test]
async fn a_survey_counts_what_is_live_and_what_a_merge_would_take() {
    let table = create(&memory(), &[]).await;
    for number in 0..6 {
        append(&table, DAY, number * 10..number * 10 + 10).await;
    }
    append(&table, "2026-01-02", 0..3).await;

    let before = look(&table, 10).await;
    assert_eq!((before.files, named(&before)), (7, live(&table).await));
    assert_eq!(before.small_files, 6, "a file that is alone has nothing to be merged with");

    run(&table, full(), 1).await.unwrap();
    let after = look(&table, 10).await;
    assert_eq!((after.files, named(&after), after.small_files), (2, live(&table).await, 0));
    let day = after.newest.iter().find(|partition| partition.partition == "dt=2026-01-01").unwrap();
    assert_eq!(day.files, 1);
    assert_eq!(look(&table, 1).await.newest.len(), 1);
}

#[test]
fn partitions_that_are_no_longer_shown_have_no_series() {
    let registry = Registry::new();
    let backlog = WorkerMetrics::register(&registry).unwrap().backlog;
    let survey = |partitions: &[&str]| crate::survey::Survey {
        files: 9,
        newest: partitions
            .iter()
            .map(|name| PartitionSurvey { partition: (*name).to_owned(), files: 3, bytes: 30 })
            .collect(),
        ..Default::default()
    };
    let (a, b) = (TableName::new("c.db.a"), TableName::new("c.db.b"));
    backlog.show(&a, Default::default(), &survey(&["hh=1", "hh=2"]));
    backlog.show(&b, Default::default(), &survey(&["hh=1"]));
    backlog.show(&a, Default::default(), &survey(&["hh=2", "hh=3"]));
    let families = registry.gather();
    let partitions = families.iter().find(|family| family.name() == "tributary_compaction_partition_bytes").unwrap();
    let labels = |metric: &prometheus::proto::Metric| {
        metric.get_label().iter().map(|label| label.value().to_owned()).collect::<Vec<_>>()
    };
    let series: Vec<_> = partitions.get_metric().iter().map(labels).collect();
    assert_eq!(series, [["hh=1", "c.db.b"], ["hh=2", "c.db.a"], ["hh=3", "c.db.a"]]);
}

#[tokio::test]
async fn a_table_that_is_no_more_has_no_series_and_one_that_cannot_be_asked_for_keeps_them() {
    let table = create(&memory(), &[]).await;
    append(&table, DAY, 0..10).await;
    let bench = Bench::of(table.clone());
    bench.idle().await.unwrap();
    let seen = bench.series();
    assert_eq!(seen.len(), 4, "{seen:?}");

    for (answer, left) in
        [(Err(NotLoaded::Failed as fn(_) -> _), &seen[..]), (Err(NotLoaded::Missing), &[]), (Ok(table), &seen)]
    {
        *bench.tables.0.lock().unwrap() = answer.clone();
        assert_eq!(bench.idle().await.is_ok(), answer.is_ok());
        assert_eq!(bench.series(), left);
    }
}

#[tokio::test]
async fn manifests_are_read_again_only_where_something_has_changed() {
    let storage = memory();
    create(&storage, &[]).await;
    let (store, watched) = faulty(&storage);
    let table = open(&watched).await;
    let bench = Bench::of(table.clone());
    let reads = async || {
        let is_manifest = |call: &Call| call.op == Op::Get && call.path.as_ref().contains("/manifest/");
        let before = store.calls().len();
        bench.idle().await.unwrap();
        store.calls()[before..].iter().filter(|call| is_manifest(call)).count()
    };
    assert_eq!(reads().await, 0);
    assert_eq!(bench.series()[1], ("tributary_compaction_table_files".to_owned(), 0.0));
    for number in 0..2 {
        append(&open(&storage).await, DAY, number * 10..number * 10 + 10).await;
        assert!(reads().await > 0);
        assert_eq!(reads().await, 0);
    }

    // The same snapshot under other options.
    let mut schema = schema(&[("target-file-size", "1 kb")]);
    schema.id = 1;
    storage.put(&schema_path(1), schema.to_json().unwrap().into()).await.unwrap();
    *bench.tables.0.lock().unwrap() = Ok(open(&watched).await);
    assert!(reads().await > 0);
    assert_eq!(reads().await, 0);
}
