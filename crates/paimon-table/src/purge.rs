//! Deleting a whole folder: what is left of a table that its catalog has dropped. The catalog has taken the name away
//! first, so nothing refers to these files any more; single files of a living table are never deleted here.

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;

use crate::store::{Storage, StoreError};

/// Deletes everything below `storage`; what is gone already is no error, so it may be called again after a crash.
///
/// # Errors
/// What the store says; some objects may be left then.
pub async fn purge(storage: &Storage) -> Result<(), StoreError> {
    let path = storage.try_path("")?;
    let objects = storage.store.list(Some(&path)).map_ok(|object| object.location).boxed();
    let deleted = storage.store.delete_stream(objects).try_for_each(|_| std::future::ready(Ok(()))).await;
    match deleted {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
        Err(error) => return Err(storage.failed("delete", &path)(error)),
    }
    // Only a local disk has folders, and other engines take an empty one for a database or a table.
    let folder = storage.location("");
    if folder.starts_with('/')
        && let Err(error) = tokio::fs::remove_dir_all(&folder).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, folder, "could not remove the emptied folder");
    }
    Ok(())
}

/// Takes away a folder of a local disk that holds nothing any more.
pub async fn remove_empty(storage: &Storage) {
    let folder = storage.location("");
    if folder.starts_with('/') {
        // One that holds something, or is gone, is as it should be.
        let _left = tokio::fs::remove_dir(&folder).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::store::Storage;
    use crate::testing::memory;

    #[tokio::test]
    async fn nothing_is_left_and_neighbours_stay() {
        let folder = tempfile::tempdir().unwrap();
        for storage in [memory(), Storage::open(folder.path().to_str().unwrap()).unwrap()] {
            for file in ["t/schema/schema-0", "t/snapshot/snapshot-1", "t/bucket-0/a.parquet", "t2/schema/schema-0"] {
                storage.put(file, "x".into()).await.unwrap();
            }
            for _ in 0..2 {
                purge(&storage.child("t")).await.unwrap();
                assert_eq!(storage.list_folders("").await.unwrap(), ["t2"]);
            }
            assert_eq!(storage.list_names("t2/schema").await.unwrap(), ["schema-0"]);
        }
    }
}
