#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::collections::BTreeSet;
use std::io::ErrorKind;

use futures::future::join_all;
use object_store::memory::InMemory;
use tributary_runtime::{Classify, FailureKind};

use super::*;
use crate::upload::{PART_BYTES, Upload};

fn local() -> (tempfile::TempDir, Storage) {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(folder.path().to_str().unwrap()).unwrap();
    (folder, storage)
}

fn memory() -> Storage {
    Storage::new(Arc::new(InMemory::new()), Path::parse("warehouse/t").unwrap())
}

/// Every file below `folder`, staging names included, relative to it.
fn files(folder: &std::path::Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn urls_open_the_folder_they_name() {
    let working = std::env::current_dir().unwrap();
    let working = working.to_str().unwrap().trim_start_matches('/');
    for (url, root) in [
        ("/data/warehouse", "data/warehouse".to_owned()),
        ("/data/./warehouse/", "data/warehouse".to_owned()),
        ("file:///data/ware%20house", "data/ware house".to_owned()),
        ("file:/data", "data".to_owned()),
        ("relative/ü b%c", format!("{working}/relative/ü b%c")),
        ("/usr/../tmp/x", "tmp/x".to_owned()),
        ("memory:", String::new()),
        ("memory://name/a/b", "a/b".to_owned()),
        ("s3://bucket", String::new()),
        ("s3a://bucket/a/b/", "a/b".to_owned()),
    ] {
        assert_eq!(Storage::open(url).unwrap().root.as_ref(), root, "{url}");
    }
}

#[test]
fn urls_without_a_backend_are_refused_by_name() {
    for (url, message) in [
        (
            "ftp://bucket/x",
            "cannot open storage 'ftp://bucket/x': scheme 'ftp' is not supported; use a path, file:, memory:, s3:// or oss://",
        ),
        ("s3:bucket", "write scheme://bucket/folder"),
        #[cfg(not(feature = "gs"))]
        ("gs://bucket/x", "this build cannot reach bucket 'bucket': build tributary with `--features gs`"),
        #[cfg(not(feature = "az"))]
        ("az://bucket/x", "this build cannot reach bucket 'bucket': build tributary with `--features az`"),
        ("s3://key:secret@bucket/x", "cannot open storage 's3://***@bucket/x': write scheme://bucket/folder"),
        ("file://host/x", "a file URL needs an absolute path and no host"),
        ("", "it is empty; write a folder"),
        ("/no-such-folder/../x", "a folder before '..' does not exist"),
    ] {
        let error = Storage::open(url).unwrap_err();
        assert!(error.to_string().contains(message), "{url}: {error}");
        assert_eq!(error.kind(), FailureKind::Usage);
    }
}

#[tokio::test]
async fn memory_stores_are_shared_by_name() {
    let one = Storage::open("memory://shared-by-name/t").unwrap();
    one.put("x", Bytes::from_static(b"1")).await.unwrap();
    let same = Storage::open("memory://shared-by-name/t").unwrap();
    assert_eq!(same.get("x").await.unwrap(), "1");
    let other = Storage::open("memory://another-name/t").unwrap();
    assert_eq!(other.get_opt("x").await.unwrap(), None);
}

/// What the table format needs of every backend.
pub(super) async fn conformance(storage: &Storage) {
    assert_eq!(storage.get_opt("snapshot/LATEST").await.unwrap(), None);
    assert_eq!(storage.size_opt("snapshot/LATEST").await.unwrap(), None);
    assert!(matches!(storage.get("snapshot/LATEST").await, Err(StoreError::NotFound { .. })));
    assert!(storage.list_names("snapshot").await.unwrap().is_empty());
    storage.delete("snapshot/LATEST").await.unwrap();

    storage.put("snapshot/LATEST", Bytes::from_static(b"1")).await.unwrap();
    storage.put("snapshot/LATEST", Bytes::from_static(b"22")).await.unwrap();
    assert_eq!(storage.get("snapshot/LATEST").await.unwrap(), "22");
    assert_eq!(storage.size_opt("snapshot/LATEST").await.unwrap(), Some(2));

    let created = storage.create("snapshot/snapshot-1", Bytes::from_static(b"a")).await.unwrap();
    let again = storage.create("snapshot/snapshot-1", Bytes::from_static(b"b")).await.unwrap();
    assert_eq!((created, again), (Create::Created, Create::Exists));
    assert_eq!(storage.get("snapshot/snapshot-1").await.unwrap(), "a");

    // Partition folders as Paimon escapes them: `%` is a character of the name, not an escape of the store.
    let odd = "dt=2026-01-01/hh=a%2Fb ü/bucket-0/data-1.parquet";
    storage.put(odd, Bytes::from_static(b"rows")).await.unwrap();
    assert_eq!(storage.get(odd).await.unwrap(), "rows");
    assert_eq!(storage.list_folders("dt=2026-01-01").await.unwrap(), ["hh=a%2Fb ü"]);
    let child = storage.child("dt=2026-01-01").child("hh=a%2Fb ü");
    assert_eq!(child.list_names("bucket-0").await.unwrap(), ["data-1.parquet"]);
    assert_eq!(storage.list_names("snapshot").await.unwrap(), ["LATEST", "snapshot-1"]);
    assert_eq!(storage.list_folders("").await.unwrap(), ["dt=2026-01-01", "snapshot"]);

    storage.delete("snapshot/snapshot-1").await.unwrap();
    assert_eq!(storage.get_opt("snapshot/snapshot-1").await.unwrap(), None);
    for bad in ["a//b", "../x", "a/./b", "a\nb"] {
        assert!(matches!(storage.get(bad).await, Err(StoreError::Name { .. })), "{bad}");
    }
}

#[tokio::test]
async fn the_local_store_does_what_the_format_needs() {
    let (folder, storage) = local();
    conformance(&storage).await;
    assert!(folder.path().join("dt=2026-01-01/hh=a%2Fb ü/bucket-0/data-1.parquet").exists());
    let staging: Vec<_> = files(folder.path()).into_iter().filter(|name| name.contains(".tmp")).collect();
    assert!(staging.is_empty(), "{staging:?}");
}

#[tokio::test]
async fn the_memory_store_does_what_the_format_needs() {
    conformance(&memory()).await;
}

#[tokio::test]
async fn fsync_can_be_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open_with(
        folder.path().to_str().unwrap(),
        &StorageOptions { fsync: false, ..StorageOptions::default() },
    )
    .unwrap();
    conformance(&storage).await;
}

async fn one_of_64_creators_wins(storage: &Storage) {
    for round in 0..20 {
        let name = format!("snapshot/snapshot-{round}");
        let attempts = (0..64).map(|task| {
            let (storage, name) = (storage.clone(), name.clone());
            async move { (task, storage.create(&name, Bytes::from(task.to_string())).await.unwrap()) }
        });
        let outcomes = join_all(attempts).await;
        let winners: Vec<usize> =
            outcomes.into_iter().filter(|(_, outcome)| *outcome == Create::Created).map(|(task, _)| task).collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(storage.get(&name).await.unwrap(), winners[0].to_string());
    }
}

#[tokio::test]
async fn one_of_64_creators_wins_in_memory() {
    one_of_64_creators_wins(&memory()).await;
}

// The blocking pool runs the creators on many threads whatever the runtime's flavour.
#[tokio::test]
async fn one_of_64_creators_wins_on_a_local_disk() {
    let (folder, storage) = local();
    one_of_64_creators_wins(&storage).await;
    assert_eq!(files(folder.path()).len(), 20);
}

#[tokio::test]
async fn a_reader_never_sees_half_of_a_replaced_object() {
    let (_folder, storage) = local();
    storage.put("LATEST", Bytes::from(vec![0; 100_000])).await.unwrap();
    let writes = async {
        for value in 1..50u8 {
            storage.put("LATEST", Bytes::from(vec![value; 100_000])).await.unwrap();
        }
    };
    let reads = async {
        for _ in 0..200 {
            let bytes = storage.get("LATEST").await.unwrap();
            assert_eq!(bytes.len(), 100_000);
            assert!(bytes.iter().all(|byte| *byte == bytes[0]));
        }
    };
    tokio::join!(writes, reads);
}

/// What `kill -9` leaves behind while `name` is being written.
async fn leftover_of(name: &str) -> (tempfile::TempDir, Storage, String) {
    let (folder, storage) = local();
    let mut upload = storage.store.put_multipart(&storage.path(name)).await.unwrap();
    upload.put_part(PutPayload::from_static(b"half")).await.unwrap();
    let staging = files(folder.path()).pop_first().unwrap();
    std::mem::forget(upload);
    (folder, storage, staging)
}

#[tokio::test]
async fn staging_names_are_hidden_from_java_and_from_our_listings() {
    for name in ["snapshot/snapshot-7", "schema/schema-0", "consumer/consumer-x", "dt=1/bucket-0/data-u-0.parquet"] {
        let (folder, storage, staging) = leftover_of(name).await;
        let (dir, file) = name.rsplit_once('/').unwrap();
        let staged = staging.strip_prefix(&format!("{dir}/")).unwrap();
        // `FileUtils.listVersionedFiles` takes every name that starts with the prefix for a number.
        let prefix = file.split_inclusive('-').next().unwrap();
        assert!(!staged.starts_with(prefix), "{staged}");
        assert!(is_staging_name(staged), "{staged}");
        assert!(storage.list_names(dir).await.unwrap().is_empty());
        // A leftover does not stop the next writer.
        assert_eq!(storage.create(name, Bytes::from_static(b"whole")).await.unwrap(), Create::Created);
        assert_eq!(storage.list_names(dir).await.unwrap(), [file]);
        assert_eq!(files(folder.path()).len(), 2);
    }
}

fn pattern(bytes: usize) -> Bytes {
    (0..bytes).map(|index| (index % 251) as u8).collect()
}

#[tokio::test]
async fn uploads_of_any_size_arrive_whole_and_only_at_the_end() {
    let (folder, on_disk) = local();
    for storage in [&on_disk, &memory()] {
        for bytes in [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 5 * PART_BYTES / 2] {
            let content = pattern(bytes);
            let mut upload = Upload::start(storage, "bucket-0/data-u-0.parquet").unwrap();
            for start in (0..bytes).step_by(3 << 20) {
                upload.push(content.slice(start..bytes.min(start + (3 << 20)))).await.unwrap();
                assert!(upload.pending_bytes() <= 4 * PART_BYTES);
            }
            assert_eq!(storage.get_opt("bucket-0/data-u-0.parquet").await.unwrap(), None);
            assert_eq!(upload.finish().await.unwrap(), bytes as u64);
            assert_eq!(storage.get("bucket-0/data-u-0.parquet").await.unwrap(), content, "{bytes}");
            storage.delete("bucket-0/data-u-0.parquet").await.unwrap();
        }
    }
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_dropped_upload_leaves_nothing() {
    let (folder, storage) = local();
    for bytes in [10, 3 * PART_BYTES] {
        let mut upload = Upload::start(&storage, "bucket-0/data-u-0.parquet").unwrap();
        upload.push(pattern(bytes)).await.unwrap();
        // Parts under way hold the staging file open; what is left of them ends with the last.
        drop(upload);
        tokio::time::timeout(std::time::Duration::from_secs(10), async {
            while !files(folder.path()).is_empty() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_finished_upload_cannot_be_used_again() {
    let (_folder, storage) = local();
    let mut upload = storage.store.put_multipart(&storage.path("x")).await.unwrap();
    upload.put_part(PutPayload::from_static(b"1")).await.unwrap();
    upload.complete().await.unwrap();
    assert!(upload.put_part(PutPayload::from_static(b"2")).await.is_err());
    assert!(upload.complete().await.is_err());
    upload.abort().await.unwrap();
    assert_eq!(storage.get("x").await.unwrap(), "1");
}

#[tokio::test]
async fn a_small_upload_that_failed_can_be_finished_again() {
    let (_folder, storage) = local();
    storage.put("bucket-0", Bytes::from_static(b"in the way")).await.unwrap();
    let mut upload = Upload::start(&storage, "bucket-0/data-u-0.parquet").unwrap();
    upload.push(pattern(1000)).await.unwrap();
    assert!(upload.finish().await.is_err());
    storage.delete("bucket-0").await.unwrap();
    assert_eq!(upload.finish().await.unwrap(), 1000);
    assert_eq!(storage.get("bucket-0/data-u-0.parquet").await.unwrap(), pattern(1000));
}

#[tokio::test]
async fn a_file_in_the_place_of_a_folder_is_reported_with_its_path() {
    let (folder, storage) = local();
    storage.put("t", Bytes::from_static(b"a file")).await.unwrap();
    let error = storage.create("t/snapshot/snapshot-1", Bytes::new()).await.unwrap_err();
    let path = folder.path().join("t/snapshot").to_str().unwrap().to_owned();
    assert!(error.to_string().contains(&path), "{error}");
    assert_eq!(error.kind(), FailureKind::Usage);
}

/// Root may write anywhere, so the verdicts of the operating system are made up.
#[tokio::test]
async fn a_name_that_is_too_long_is_not_tried_again() {
    let (_folder, storage) = local();
    let file = format!("dt={}/bucket-0/data-u-0.parquet", "x".repeat(300));
    let small = Upload::start(&storage, &file).unwrap().finish().await.unwrap_err();
    let large = Upload::start(&storage, &file).unwrap().push(Bytes::from(vec![0; PART_BYTES])).await.unwrap_err();
    for error in [small, large] {
        assert_eq!(error.kind(), FailureKind::Usage, "{error}");
    }
}

#[test]
fn errors_of_the_disk_are_classified_and_carry_path_and_remedy() {
    let path = Path::parse("data/w/snapshot/snapshot-1").unwrap();
    for (kind, failure, remedy) in [
        (ErrorKind::StorageFull, FailureKind::Transient, "make room on the disk"),
        (ErrorKind::QuotaExceeded, FailureKind::Transient, "make room on the disk"),
        (ErrorKind::PermissionDenied, FailureKind::Usage, "give this user the right to write there"),
        (ErrorKind::ReadOnlyFilesystem, FailureKind::Usage, "mount it writable"),
        (ErrorKind::InvalidFilename, FailureKind::Usage, "partition by shorter values"),
        (ErrorKind::Unsupported, FailureKind::Usage, "use a file system with hard links"),
        (ErrorKind::TimedOut, FailureKind::Transient, ""),
    ] {
        let source = crate::local::failed("create", std::path::Path::new("/data/w"), std::io::Error::from(kind));
        let error = StoreError::new("create", path.to_string(), source);
        assert_eq!(error.kind(), failure, "{kind}");
        assert_eq!(error.io_kind(), Some(kind));
        let text = error.to_string();
        assert!(text.starts_with("cannot create data/w/snapshot/snapshot-1: "), "{text}");
        assert!(text.contains(remedy), "{text}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_reported_with_the_path() {
    // Writing to this device always fails with "no space left".
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let error = std::fs::write("/dev/full", b"x").unwrap_err();
    let error = StoreError::new(
        "write",
        "w/data".to_owned(),
        crate::local::failed("write", std::path::Path::new("/w/data"), error),
    );
    let text = error.to_string().to_lowercase();
    assert!(text.starts_with("cannot write w/data: write /w/data: no space left on device"), "{text}");
    assert!(text.ends_with("; make room on the disk"), "{text}");
}
