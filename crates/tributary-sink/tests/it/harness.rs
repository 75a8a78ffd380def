//! A table in memory, a process that writes to it, and the oracle.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, SchemaRef};
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use paimon_format::partition::partition_path;
use paimon_format::{DataField, ManifestEntry, Snapshot, SnapshotId, TableSchema};
use paimon_table::arrow::arrow_schema;
use paimon_table::commit::CommitUser;
use paimon_table::port::FilesystemCommit;
use paimon_table::read::DataFile;
use paimon_table::scan::plan_scan;
use paimon_table::store::Storage;
use paimon_table::table::{Table, TableIdentifier};
use prometheus::Registry;
use tokio::task::JoinHandle;
use tributary_runtime::{Drain, Env, Interval, MemoryBudget, Position, Positions, SourceIdentity, SplitId};
use tributary_sink::{
    Finished, InputClosed, JobState, OpenSink, RowTransform, Sink, SinkBatch, SinkConfig, SinkError, SinkHandle,
    SinkInput, SinkMetrics, SinkSetup, TransformError,
};
use tributary_testkit::{FaultStore, sim_env};

pub const USER: &str = "tributary-job";
/// Ids of different splits never meet.
pub const SPLIT_IDS: i64 = 1_000_000_000;
const EPOCH_MILLIS: i64 = 1_750_000_000_000;

/// One process's view of the table.
pub struct World {
    pub store: FaultStore,
    pub table: Table,
    pub env: Env,
    pub drain: Drain,
    pub budget: MemoryBudget,
    pub config: SinkConfig,
    pub identity: SourceIdentity,
    pub transform: Arc<dyn RowTransform>,
    /// Partitions the rows are spread over, in turns.
    pub partitions: u64,
    /// What the sink that was opened last measures.
    pub registry: Mutex<Registry>,
}

/// A sink that runs.
pub struct Running {
    pub input: Option<SinkInput>,
    pub handle: SinkHandle,
    /// What the scripted source has sent.
    pub sent: Positions,
    partitions: u64,
    schema: SchemaRef,
    task: JoinHandle<Result<Finished, SinkError>>,
}

/// `SELECT *`
struct All;

/// `SELECT * WHERE id % of = 0`
pub struct EveryNth(pub i64);

// === impl World ===

impl World {
    pub async fn new() -> Self {
        Self::with_options(&[]).await
    }

    pub async fn with_options(options: &[(&str, &str)]) -> Self {
        Self::create(Arc::new(InMemory::new()), options).await
    }

    /// A new table in this store.
    pub async fn create(store: Arc<dyn ObjectStore>, options: &[(&str, &str)]) -> Self {
        let store = FaultStore::new(store);
        let fields: Vec<_> = [("id", "BIGINT NOT NULL"), ("data", "STRING"), ("dt", "STRING")]
            .iter()
            .zip(0..)
            .map(|((name, data_type), id)| DataField::new(id, *name, data_type.parse().unwrap()))
            .collect();
        let schema = TableSchema {
            version: 3,
            id: 0,
            highest_field_id: 2,
            fields,
            partition_keys: vec!["dt".to_owned()],
            primary_keys: Vec::new(),
            options: options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            comment: None,
            time_millis: EPOCH_MILLIS,
        };
        let storage = Storage::new(Arc::new(store.clone()), Path::from("db.db/t"));
        storage.put("schema/schema-0", schema.to_json().unwrap().into()).await.unwrap();
        Self::over(store, 0).await
    }

    async fn over(store: FaultStore, seed: u64) -> Self {
        let storage = Storage::new(Arc::new(store.clone()), Path::from("db.db/t"));
        let identifier = TableIdentifier::new("db", "t");
        let table = Table::load(identifier, storage, Arc::new(FilesystemCommit)).await.unwrap();
        Self {
            store,
            table,
            env: sim_env(seed, EPOCH_MILLIS),
            drain: Drain::new(),
            budget: MemoryBudget::new(64 << 20),
            config: SinkConfig {
                checkpoint_interval: Duration::from_secs(10),
                parallelism: NonZeroUsize::new(4).unwrap(),
                seal_bytes: None,
                seal_rows: None,
            },
            identity: SourceIdentity::new().with("connector", "script"),
            transform: Arc::new(All),
            partitions: 1,
            registry: Mutex::default(),
        }
    }

    /// Reaches the table through another client.
    pub async fn put_store(&mut self, store: FaultStore) {
        let storage = Storage::new(Arc::new(store.clone()), Path::from("db.db/t"));
        let (identifier, schema) = (self.table.identifier().clone(), self.table.schema());
        let port = Arc::new(FilesystemCommit);
        self.table = Table::with_schema(identifier, storage, TableSchema::clone(schema), port).unwrap();
        self.store = store;
    }

    /// Another process on the same table: its own client of the store, its own randomness.
    pub async fn process(&self, seed: u64) -> Self {
        let other = Self::over(FaultStore::new(self.store.inner()), seed).await;
        Self {
            budget: MemoryBudget::new(self.budget.limit()),
            config: self.config.clone(),
            identity: self.identity.clone(),
            transform: Arc::clone(&self.transform),
            partitions: self.partitions,
            ..other
        }
    }

    pub fn user(&self) -> CommitUser {
        CommitUser::new(USER)
    }

    pub async fn open(&self) -> Result<OpenSink, SinkError> {
        self.open_for(Arc::clone(self.table.schema())).await
    }

    /// A job whose statements were read when the table had the schema `rows`.
    pub async fn open_for(&self, rows: Arc<TableSchema>) -> Result<OpenSink, SinkError> {
        let registry = Registry::new();
        *self.registry.lock().unwrap() = registry.clone();
        Sink::open(SinkSetup {
            table: self.table.clone(),
            user: self.user(),
            pipeline: "job".to_owned(),
            config: self.config.clone(),
            identity: self.identity.clone(),
            rows,
            transform: Arc::clone(&self.transform),
            budget: self.budget.clone(),
            env: self.env.clone(),
            drain: self.drain.clone(),
            metrics: SinkMetrics::register(&registry).unwrap(),
        })
        .await
    }

    pub async fn start(&self) -> Running {
        self.run(self.open().await.unwrap())
    }

    pub fn run(&self, open: OpenSink) -> Running {
        Running {
            input: Some(open.input),
            handle: open.handle,
            sent: open.positions,
            partitions: self.partitions,
            schema: arrow_schema(&self.table.schema().fields),
            task: tokio::spawn(open.sink.run()),
        }
    }

    pub async fn state(&self) -> Option<JobState> {
        JobState::load(&self.table, &self.user()).await.unwrap()
    }

    pub async fn latest(&self) -> Arc<Snapshot> {
        self.table.latest_snapshot().await.unwrap().unwrap()
    }

    /// Every snapshot of the table, oldest first.
    pub async fn snapshots(&self) -> Vec<Arc<Snapshot>> {
        let mut all = Vec::new();
        for id in 1..=self.latest().await.id.0 {
            all.push(self.table.snapshot(SnapshotId(id)).await.unwrap().expect("snapshots have no gaps"));
        }
        all
    }

    pub async fn files(&self) -> Vec<ManifestEntry> {
        plan_scan(&self.table, None, None, &self.env.executor).await.unwrap().files
    }

    /// The ids in the table, sorted. Checks that every row lies in the partition it names.
    pub async fn ids(&self) -> Vec<i64> {
        let schema = self.table.schema();
        let mut ids = Vec::new();
        for entry in self.files().await {
            let values = entry.partition.decode(&schema.partition_types()).unwrap();
            let folder =
                partition_path(&schema.partition_keys, &schema.partition_types(), &values, "__DEFAULT_PARTITION__");
            let path = format!("{}/bucket-0/{}", folder.unwrap(), entry.file.file_name);
            let file = DataFile::new(self.table.storage(), path.as_str(), entry.file.file_size as u64);
            let batches: Vec<RecordBatch> =
                file.read(&schema.fields).await.unwrap().try_collect().await.expect("data files can be read");
            let before = ids.len();
            for batch in &batches {
                ids.extend(batch.column(0).as_primitive::<Int64Type>().values());
                let dts = batch.column(2).as_string::<i32>();
                assert!(dts.iter().all(|dt| path.starts_with(&format!("dt={}/", dt.unwrap()))), "{path}");
            }
            assert_eq!((ids.len() - before) as i64, entry.file.row_count);
        }
        ids.sort_unstable();
        ids
    }

    /// The oracle: the table holds the rows of the committed positions, each exactly once.
    pub async fn check(&self) -> Positions {
        let positions = self.state().await.map_or_else(Positions::new, |state| state.positions().clone());
        let expected: Vec<i64> =
            positions.iter().flat_map(|(split, to)| (1..=to.0).map(move |position| id_of(split, position))).collect();
        let ids = self.ids().await;
        if ids != expected {
            let count = |ids: &[i64]| {
                let mut counts = BTreeMap::new();
                ids.iter().for_each(|id| *counts.entry(*id).or_insert(0) += 1);
                counts
            };
            let (have, want) = (count(&ids), count(&expected));
            let lost: Vec<_> = want.keys().filter(|id| !have.contains_key(id)).take(5).collect();
            let doubled: Vec<_> = have.iter().filter(|(_, count)| **count > 1).take(5).collect();
            let extra: Vec<_> = have.keys().filter(|id| !want.contains_key(id)).take(5).collect();
            panic!("positions {positions:?}: lost {lost:?}, doubled {doubled:?}, uncommitted {extra:?}");
        }
        positions
    }
}

// === impl Running ===

impl Running {
    /// Sends the next `rows` of split 0 as one batch.
    pub async fn send(&mut self, rows: u64) -> Result<(), InputClosed> {
        self.send_split(SplitId(0), rows).await
    }

    pub async fn send_split(&mut self, split: SplitId, rows: u64) -> Result<(), InputClosed> {
        let from = self.sent.get(split);
        let interval = Interval { split, from, to: Position(from.0 + rows) };
        let rows = self.rows(interval);
        self.sent.apply(interval).unwrap();
        let batch = SinkBatch { interval, at_millis: EPOCH_MILLIS, rows };
        self.input.as_mut().expect("the input is open").send(batch).await
    }

    fn rows(&self, interval: Interval) -> RecordBatch {
        let positions = || interval.from.0 + 1..=interval.to.0;
        let ids = Int64Array::from_iter_values(positions().map(|position| id_of(interval.split, position)));
        let data = StringArray::from_iter_values(positions().map(text));
        let dts = StringArray::from_iter_values(positions().map(|position| format!("d{}", position % self.partitions)));
        RecordBatch::try_new(self.schema.clone(), vec![Arc::new(ids), Arc::new(data), Arc::new(dts)]).unwrap()
    }

    /// The scripted rows have the columns of `schema`.
    pub fn make_rows_of(&mut self, schema: &TableSchema) {
        self.schema = arrow_schema(&schema.fields);
    }

    /// The source ends.
    pub async fn finish(mut self) -> Result<Finished, SinkError> {
        self.input = None;
        self.task.await.unwrap()
    }

    /// Waits for the sink to end by itself.
    pub async fn ended(self) -> Result<Finished, SinkError> {
        self.task.await.unwrap()
    }

    /// kill -9
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

// === impl RowTransform ===

impl RowTransform for All {
    fn apply(&self, rows: &RecordBatch, _at_millis: i64) -> Result<RecordBatch, TransformError> {
        Ok(rows.clone())
    }
}

impl RowTransform for EveryNth {
    fn apply(&self, rows: &RecordBatch, _at_millis: i64) -> Result<RecordBatch, TransformError> {
        let keep = rows.column(0).as_primitive::<Int64Type>().iter().map(|id| id.map(|id| id % self.0 == 0)).collect();
        filter_record_batch(rows, &keep).map_err(|error| TransformError::new(error.to_string()))
    }
}

pub fn id_of(split: SplitId, position: u64) -> i64 {
    i64::from(split.0) * SPLIT_IDS + position as i64
}

/// Text that does not compress to nothing, the same for the same position.
fn text(position: u64) -> String {
    let mut state = position.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..12)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            format!("{state:08x}")
        })
        .collect()
}

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Lets paused time pass, and everything that is due in it happen.
pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
