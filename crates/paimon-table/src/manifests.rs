//! Reading and writing manifests and manifest lists.
//!
//! A snapshot names two manifest lists, base and delta; a list names manifests with what they hold; a
//! manifest holds entries that add or delete data files. All of them are written before the snapshot and
//! are invisible without it, and no name is ever used twice: what an attempt leaves behind is an orphan,
//! never a file that a later attempt or another engine could mistake for its own.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use paimon_format::avro::{self, Codec};
use paimon_format::{ManifestEntry, ManifestFileMeta, Snapshot, TypeRoot, names};
use tributary_runtime::Executor;
use uuid::Uuid;

use crate::error::{Result, TableError};
use crate::store::Storage;
use crate::table::Table;

mod recent;

pub(crate) use recent::Recent;

/// How many objects are read at once.
const READ_CONCURRENCY: usize = 16;

/// Below this many entries encoding takes about a millisecond and is done in place: on the executor it
/// would wait behind row groups that take a hundred.
const INLINE_ENTRIES: usize = 256;

/// An entry takes at least about this much of a manifest; decides where a long list of entries is cut
/// when nothing better is known.
const ASSUMED_ENTRY_BYTES: u64 = 256;

pub(crate) fn path(name: &str) -> String {
    format!("{}/{name}", names::MANIFEST_DIR)
}

/// An object that is encoded and still has to be put.
pub(crate) struct Encoded {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

impl Encoded {
    pub(crate) fn name_and_size(&self) -> (String, i64) {
        (self.name.clone(), self.bytes.len() as i64)
    }

    pub(crate) async fn put(self, storage: &Storage) -> Result<()> {
        Ok(storage.put(&path(&self.name), self.bytes).await?)
    }
}

/// The names of one attempt to commit.
pub(crate) struct Names {
    uuid: Uuid,
    manifests: u32,
    lists: u32,
}

/// What is needed to write manifests of one table.
#[derive(Clone)]
pub(crate) struct ManifestFormat {
    pub(crate) codec: Codec,
    pub(crate) target_bytes: u64,
    pub(crate) partition_roots: Arc<[TypeRoot]>,
    pub(crate) executor: Executor,
    pub(crate) recent: Recent,
}

// === impl Names ===

impl Names {
    pub(crate) fn new(uuid: Uuid) -> Self {
        Self { uuid, manifests: 0, lists: 0 }
    }

    pub(crate) fn manifest(&mut self) -> String {
        let name = names::manifest_file(self.uuid, self.manifests);
        self.manifests += 1;
        name
    }

    pub(crate) fn list(&mut self) -> String {
        let name = names::manifest_list_file(self.uuid, self.lists);
        self.lists += 1;
        name
    }
}

// === impl ManifestFormat ===

impl ManifestFormat {
    pub(crate) fn of(table: &Table, executor: &Executor) -> Self {
        let options = table.options();
        Self {
            codec: options.manifest_codec,
            target_bytes: options.manifest_target_file_size.bytes(),
            partition_roots: table.schema().partition_types().into(),
            executor: executor.clone(),
            recent: Recent::default(),
        }
    }

    /// Encodes entries into as many manifests as their size asks for; none for no entries.
    /// `entry_bytes` is what an entry is known to take, if it is known.
    pub(crate) async fn encode_entries(
        &self,
        names: &mut Names,
        entries: Vec<ManifestEntry>,
        entry_bytes: Option<u64>,
    ) -> Result<Vec<(ManifestFileMeta, Encoded)>> {
        let per_manifest = self.target_bytes / entry_bytes.unwrap_or(ASSUMED_ENTRY_BYTES).max(1);
        let per_manifest = usize::try_from(per_manifest).unwrap_or(usize::MAX).max(1);
        let names: Vec<_> = (0..entries.len().div_ceil(per_manifest)).map(|_| names.manifest()).collect();
        let count = entries.len();
        let (codec, roots) = (self.codec, Arc::clone(&self.partition_roots));
        let recent = self.recent.clone();
        let encode = move || {
            names
                .into_iter()
                .zip(entries.chunks(per_manifest))
                .inspect(|(name, chunk)| recent.keep(name, chunk))
                .map(|(name, chunk)| encode_manifest(name, chunk, codec, &roots))
                .collect::<Result<Vec<_>>>()
        };
        if count <= INLINE_ENTRIES { encode() } else { self.executor.run(encode).await? }
    }

    pub(crate) fn encode_list(&self, names: &mut Names, manifests: &[ManifestFileMeta]) -> Result<Encoded> {
        let name = names.list();
        let bytes = avro::encode_manifest_list(manifests, self.codec).map_err(TableError::format(path(&name)))?;
        Ok(Encoded { name, bytes: Bytes::from(bytes) })
    }

    /// The entries of one manifest, decoded on the executor unless it is small.
    pub(crate) async fn read_entries(
        &self,
        storage: &Storage,
        manifest: &ManifestFileMeta,
    ) -> Result<Vec<ManifestEntry>> {
        if let Some(entries) = self.recent.get(&manifest.file_name) {
            return Ok(entries);
        }
        let object = path(&manifest.file_name);
        let Some(bytes) = storage.get_opt(&object).await? else {
            return Err(TableError::Missing { object, referrer: "a manifest list".to_owned() });
        };
        let claimed = manifest.num_added_files.saturating_add(manifest.num_deleted_files);
        let decoded = if usize::try_from(claimed).is_ok_and(|count| count <= INLINE_ENTRIES) {
            avro::decode_entries(&bytes)
        } else {
            self.executor.run(move || avro::decode_entries(&bytes)).await?
        };
        decoded.map_err(TableError::format(object))
    }

    /// The entries of several manifests in their order.
    pub(crate) async fn read_all(
        &self,
        storage: &Storage,
        manifests: &[ManifestFileMeta],
    ) -> Result<Vec<ManifestEntry>> {
        let reads: Vec<_> = manifests.iter().map(|manifest| self.read_entries(storage, manifest)).collect();
        let parts: Vec<Vec<ManifestEntry>> = stream::iter(reads).buffered(READ_CONCURRENCY).try_collect().await?;
        Ok(parts.into_iter().flatten().collect())
    }
}

/// Every manifest of a snapshot, oldest first: base, then delta.
pub(crate) async fn read_lists(storage: &Storage, snapshot: &Snapshot) -> Result<Vec<ManifestFileMeta>> {
    let (mut base, delta) = futures::try_join!(
        read_list(storage, snapshot, &snapshot.base_manifest_list),
        read_list(storage, snapshot, &snapshot.delta_manifest_list),
    )?;
    base.extend(delta);
    Ok(base)
}

pub(crate) async fn read_list(storage: &Storage, snapshot: &Snapshot, name: &str) -> Result<Vec<ManifestFileMeta>> {
    let object = path(name);
    match storage.get_opt(&object).await? {
        Some(bytes) => avro::decode_manifest_list(&bytes).map_err(TableError::format(object)),
        None => Err(TableError::Missing { object, referrer: format!("snapshot {}", snapshot.id.0) }),
    }
}

fn encode_manifest(
    name: String,
    entries: &[ManifestEntry],
    codec: Codec,
    partition_roots: &[TypeRoot],
) -> Result<(ManifestFileMeta, Encoded)> {
    let object = path(&name);
    let encode = || -> paimon_format::Result<_> {
        let bytes = avro::encode_entries(entries, codec)?;
        let size = bytes.len() as i64;
        // A manifest is never empty, so its schema always comes from its entries.
        let meta = ManifestFileMeta::describe(name.clone(), size, entries, 0, partition_roots)?;
        Ok((meta, bytes))
    };
    let (meta, bytes) = encode().map_err(TableError::format(object))?;
    Ok((meta, Encoded { name, bytes: Bytes::from(bytes) }))
}
