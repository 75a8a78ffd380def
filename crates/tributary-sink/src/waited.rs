//! Files that wait long for their commit, and orphan sweeps.
//!
//! Until its commit no snapshot has a file, so to a sweep it is an orphan that is spared for its age alone. A job that
//! cannot commit for so long, as its catalog is down, must not commit files that are gone, nor some that a sweep is about
//! to delete: it reads their rows again instead.

use std::time::Duration;

use paimon_format::{FileKind, ManifestEntry};
use paimon_table::commit::NewFile;
use paimon_table::orphans::DEFAULT_OLDER_THAN;
use paimon_table::read::file_path;
use paimon_table::table::Table;
use paimon_table::wall_clock::local_millis;
use tributary_runtime::Clock;

use crate::error::SinkError;

/// From here on files are looked for: a sweep may have been told to take younger ones than by default.
const LOOKED_FOR: Duration = Duration::from_secs(DEFAULT_OLDER_THAN.as_secs() / 4);

/// From here on finding them is no proof: a sweep may have listed them already. What is left to the day covers clocks that
/// differ, a summer time that ends, and stores that date an object by the start of its upload.
const GIVEN_UP: Duration = Duration::from_secs(DEFAULT_OLDER_THAN.as_secs() / 6 * 5);

/// What the age of a file says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Safe,
    Doubtful,
    Lost,
}

/// Makes sure that `files` are there, and stay for as long as a commit takes.
///
/// # Errors
/// [`SinkError::WaitedTooLong`] when one of them is gone or about to go; the store's when it cannot tell.
pub(crate) async fn check(table: &Table, files: &[NewFile], clock: &dyn Clock) -> Result<(), SinkError> {
    let now = local_millis(clock.now_millis());
    for file in files {
        let created = file.meta.creation_time_millis.unwrap_or(i64::MIN);
        let age = Duration::from_millis(u64::try_from(now.saturating_sub(created)).unwrap_or(0));
        let why = match standing(age) {
            Standing::Safe => continue,
            Standing::Doubtful if is_there(table, file).await? => continue,
            Standing::Doubtful => "is gone",
            Standing::Lost => "may be deleted at any time",
        };
        return Err(SinkError::WaitedTooLong { file: file.meta.file_name.clone(), age, why });
    }
    Ok(())
}

fn standing(age: Duration) -> Standing {
    match age {
        age if age < LOOKED_FOR => Standing::Safe,
        age if age < GIVEN_UP => Standing::Doubtful,
        _ => Standing::Lost,
    }
}

async fn is_there(table: &Table, file: &NewFile) -> Result<bool, SinkError> {
    let NewFile { partition, bucket, meta } = file.clone();
    let path =
        file_path(table, &ManifestEntry { kind: FileKind::Add, partition, bucket, total_buckets: -1, file: meta })?;
    let size = table.storage().size_opt(&path).await.map_err(SinkError::table("looking for a file to commit"))?;
    Ok(size.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sweep_could_take_is_looked_for_and_then_given_up() {
        for (hours, expected) in [
            (0, Standing::Safe),
            (5, Standing::Safe),
            (6, Standing::Doubtful),
            (19, Standing::Doubtful),
            (20, Standing::Lost),
            (24, Standing::Lost),
            (10_000, Standing::Lost),
        ] {
            assert_eq!(standing(Duration::from_secs(hours * 3600)), expected, "{hours} h");
        }
    }
}
