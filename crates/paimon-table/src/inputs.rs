//! Whether the files a compaction replaces are live in the snapshot it is committed on.
//!
//! Manifests never change, so what one says about a file is read once, however often the commit has to be tried again: a
//! rebase reads the manifests that came since. What decides is the list of the snapshot at hand: a manifest that
//! is not in it any more says nothing.

use std::collections::{HashMap, HashSet};

use futures::stream::{self, StreamExt};
use paimon_format::{BinaryRow, EntryIdentifier, FileKind, ManifestEntry, ManifestFileMeta};

use crate::error::Result;
use crate::manifests::ManifestFormat;
use crate::merge::may_hold;
use crate::store::Storage;

/// Manifests read at once.
const READ_CONCURRENCY: usize = 4;

/// Files that must be live, and what the manifests read so far say about them.
pub(crate) struct Inputs<'a> {
    entries: &'a [ManifestEntry],
    places: HashMap<EntryIdentifier<'a>, usize>,
    partitions: HashSet<&'a BinaryRow>,
    /// By the manifest's name.
    said: HashMap<String, Vec<(usize, FileKind)>>,
}

// === impl Inputs ===

impl<'a> Inputs<'a> {
    pub(crate) fn of(entries: &'a [ManifestEntry]) -> Self {
        Self {
            entries,
            places: entries.iter().enumerate().map(|(place, entry)| (entry.identifier(), place)).collect(),
            partitions: entries.iter().map(|entry| &entry.partition).collect(),
            said: HashMap::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A file that is not live in the snapshot of these manifests.
    pub(crate) async fn find_gone(
        &mut self,
        storage: &Storage,
        format: &ManifestFormat,
        manifests: &[ManifestFileMeta],
    ) -> Result<Option<&'a ManifestEntry>> {
        let unread = manifests.iter().filter(|manifest| {
            !self.said.contains_key(&manifest.file_name) && may_hold(format, manifest, &self.partitions)
        });
        // Collected first: the compiler cannot prove a stream of borrowing closures to be Send.
        let reads: Vec<_> = unread
            .map(|manifest| async move { (&manifest.file_name, format.read_entries(storage, manifest).await) })
            .collect();
        let mut reads = stream::iter(reads).buffered(READ_CONCURRENCY);
        while let Some((name, entries)) = reads.next().await {
            let entries = entries?;
            let of_inputs =
                entries.iter().filter_map(|entry| Some((*self.places.get(&entry.identifier())?, entry.kind)));
            self.said.insert(name.clone(), of_inputs.collect());
        }
        let (mut added, mut deleted) = (HashSet::new(), HashSet::new());
        for (place, kind) in manifests.iter().filter_map(|manifest| self.said.get(&manifest.file_name)).flatten() {
            match kind {
                FileKind::Add => added.insert(*place),
                FileKind::Delete => deleted.insert(*place),
            };
        }
        let is_gone = |place: &usize| !added.contains(place) || deleted.contains(place);
        Ok((0..self.entries.len()).find(is_gone).map(|place| &self.entries[place]))
    }
}
