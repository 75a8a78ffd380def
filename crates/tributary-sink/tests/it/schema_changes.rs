//! Another engine alters the table while the job runs.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use futures::TryStreamExt;
use paimon_format::{DataField, TableSchema};
use paimon_table::port::FilesystemCommit;
use paimon_table::read::read_file;
use paimon_table::scan::plan_scan;
use paimon_table::table::Table;
use tributary_runtime::{Classify, FailureKind};

use crate::harness::*;

impl World {
    /// Writes the next schema, as another engine does.
    async fn alter(&self, id: i64, change: impl FnOnce(&mut TableSchema)) {
        let mut schema = TableSchema { id, ..(**self.table.schema()).clone() };
        change(&mut schema);
        let path = format!("schema/schema-{id}");
        self.table.storage().put(&path, schema.to_json().unwrap().into()).await.unwrap();
    }

    async fn reload(&mut self) {
        let (identifier, storage) = (self.table.identifier().clone(), self.table.storage().clone());
        self.table = Table::load(identifier, storage, Arc::new(FilesystemCommit)).await.unwrap();
    }

    /// Schema id and rows of every file, oldest commit first.
    async fn schemas(&self) -> Vec<(i64, i64)> {
        self.files().await.iter().map(|entry| (entry.file.schema_id, entry.file.row_count)).collect()
    }
}

fn new_column(name: &str) -> DataField {
    DataField::new(3, name, "INT".parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn added_columns_are_null_in_new_files_and_open_files_keep_their_schema() {
    let mut world = World::new().await;
    let mut run = world.start().await;
    run.send(10).await.unwrap();
    pass(seconds(11)).await;
    // In front, so that the columns of the job move.
    world.alter(1, |schema| schema.fields.insert(0, new_column("new"))).await;
    run.send(20).await.unwrap();
    pass(seconds(11)).await;
    // These were encoded before the commit that saw the change; the snapshot says what is current.
    assert_eq!(world.schemas().await, [(0, 10), (0, 20)]);
    assert_eq!(world.latest().await.schema_id, 1);
    run.send(30).await.unwrap();
    pass(seconds(11)).await;
    assert_eq!(world.schemas().await, [(0, 10), (0, 20), (1, 30)]);
    run.finish().await.unwrap();
    world.check().await;

    world.reload().await;
    let fields = world.table.schema().fields.clone();
    assert_eq!(fields[0].name, "new");
    let mut rows = 0;
    for entry in plan_scan(&world.table, None, None, &world.env.executor).await.unwrap().files {
        let batches: Vec<RecordBatch> =
            read_file(&world.table, &entry, &fields).await.unwrap().try_collect().await.unwrap();
        for batch in batches {
            assert_eq!(batch.column(0).null_count(), batch.num_rows());
            assert_eq!(batch.column(1).null_count(), 0);
            rows += batch.num_rows();
        }
        let stats = entry.file.value_stats.null_counts;
        let expected =
            if entry.file.schema_id == 0 { vec![Some(0); 3] } else { vec![Some(30), Some(0), Some(0), Some(0)] };
        assert_eq!(stats, expected);
    }
    assert_eq!(rows, 60);
}

#[tokio::test(start_paused = true)]
async fn a_replay_meets_the_table_as_it_is_by_then() {
    let mut world = World::new().await;
    let rows = Arc::clone(world.table.schema());
    world.alter(1, |schema| schema.fields.push(new_column("new"))).await;
    world.reload().await;
    let mut run = world.run(world.open_for(rows.clone()).await.unwrap());
    run.make_rows_of(&rows);
    run.send(5).await.unwrap();
    run.finish().await.unwrap();
    assert_eq!(world.schemas().await, [(1, 5)]);
    world.alter(2, |schema| drop(schema.fields.remove(1))).await;
    world.reload().await;
    let error = world.open_for(rows).await.err().unwrap();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert_eq!(
        error.to_string(),
        "schema 2 of db.t has no column `data` any more; bring the INSERT in line and start again"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_followed_stops_with_the_remedy_and_loses_nothing() {
    let world = World::new().await;
    let mut run = world.start().await;
    run.send(10).await.unwrap();
    pass(seconds(11)).await;
    world.alter(1, |schema| schema.fields[1].name = "text".to_owned()).await;
    run.send(20).await.unwrap();
    let error = run.ended().await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    let text = error.to_string();
    assert!(text.contains("calls the column `data` now `text`") && text.contains("start again"), "{text}");
    assert_eq!(world.schemas().await, [(0, 10)]);
}
