//! Another job overwrites partitions while this one runs.

use paimon_format::{CommitKind, DataFileMeta, ManifestEntry, Snapshot, names};
use paimon_table::commit::{CommitIdentifier, CommitRequest, CommitUser, Committer, NewFile};

use crate::harness::*;

impl World {
    /// Replaces every file of the table, and calls it an OVERWRITE: our committer makes none.
    async fn overwrite(&self) {
        let removed = self.files().await;
        let moved = removed.iter().cloned().map(|ManifestEntry { partition, bucket, file, .. }| {
            let file_name = format!("of-{}", file.file_name);
            NewFile { partition, bucket, meta: DataFileMeta { file_name, ..file } }
        });
        let request = CommitRequest {
            identifier: CommitIdentifier(1),
            kind: CommitKind::Compact,
            added: moved.collect(),
            removed,
            properties: Default::default(),
            watermark: None,
        };
        let foreign = CommitUser::new("somebody");
        let mut committer = Committer::try_open_new(self.table.clone(), foreign, self.env.clone()).await.unwrap();
        let committed = committer.commit(&request).await.unwrap().snapshot;
        let path = format!("snapshot/{}", names::snapshot_file(committed.id));
        let overwrite = Snapshot { commit_kind: CommitKind::Overwrite, ..(*committed).clone() };
        self.table.storage().put(&path, overwrite.to_json().unwrap().into()).await.unwrap();
    }

    fn alarms(&self) -> f64 {
        self.counted("tributary_commit_foreign_overwrites_total")
    }

    fn counted(&self, name: &str) -> f64 {
        let families = self.registry.lock().unwrap().gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        family.get_metric()[0].get_counter().get_value()
    }
}

#[tokio::test(start_paused = true)]
async fn an_overwrite_of_a_partition_that_is_written_to_raises_an_alarm_with_the_next_commit() {
    let world = World::new().await;
    let mut run = world.start().await;
    run.send(10).await.unwrap();
    pass(seconds(11)).await;
    for alarms in 0..3 {
        assert_eq!(world.alarms(), f64::from(alarms));
        world.overwrite().await;
        run.send(10).await.unwrap();
        pass(seconds(11)).await;
    }
    run.finish().await.unwrap();
}

/// F25: the partitions are `d0` and `d1`, at 00:00 and 01:00 of the day in the pattern; somebody's expiry was there.
#[tokio::test(start_paused = true)]
async fn rows_into_partitions_that_are_too_old_are_committed_once_and_counted() {
    for (day, late) in [("2020-01-01", 40.0), ("2999-01-01", 0.0)] {
        let mut world = World::with_options(&[
            ("partition.expiration-time", "7 d"),
            ("partition.timestamp-pattern", &format!("{day} $dt")),
            ("partition.timestamp-formatter", "yyyy-MM-dd 'd'H"),
        ])
        .await;
        world.partitions = 2;
        let mut run = world.start().await;
        run.send(20).await.unwrap();
        pass(seconds(11)).await;
        world.overwrite().await;
        run.send(20).await.unwrap();
        pass(seconds(11)).await;
        run.finish().await.unwrap();
        assert_eq!(world.counted("tributary_commit_late_rows_total"), late, "{day}");
        let rows: i64 = world.files().await.iter().map(|entry| entry.file.row_count).sum();
        assert_eq!(rows, 40);
    }
}
