//! Merging manifests, so that a table of a million commits does not have a million of them.
//!
//! Java's rule (`ManifestFileMerger`) merges the tail of the list whenever it has
//! `manifest.merge-min-count` members smaller than `manifest.target-file-size`. What it merged is still
//! smaller than the target, so it is read and written again every 30 commits until it reaches 8 MB: the cost of a
//! commit grows with the table, up to about a second. Here a run is merged only when its members are of *similar
//! size*, as a log-structured merge tree does: 30 manifests of one commit become one of 30, and those
//! are left alone until there are 30 of their size. An entry is then rewritten about
//! log30(entries) times until its manifest reaches the target size and is never touched again; a single
//! merge reads less than twice the target size, and the base list holds a few dozen small manifests plus one per target size.
//! The result is an ordinary list of manifests to every other engine.
//!
//! Runs are contiguous and merged in place: an entry that deletes a file must stay behind the entry that
//! added it (Paimon 0.9 scans in order). Within a run the two cancel out. What is left of deletions is
//! removed by the full merge, with Java's trigger `manifest.full-compaction-threshold-size`.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use paimon_format::{BinaryRow, EntryIdentifier, FileKind, ManifestEntry, ManifestFileMeta};

use crate::error::{Result, TableError};
use crate::manifests::{Encoded, ManifestFormat, Names};
use crate::store::Storage;

/// The longest run looked at: bounds the search in lists that other engines made long.
const MAX_RUN: usize = 1024;

/// The options that decide what is merged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MergePolicy {
    /// `manifest.target-file-size`.
    pub(crate) target_bytes: u64,
    /// `manifest.merge-min-count`.
    pub(crate) min_count: usize,
    /// `manifest.full-compaction-threshold-size`.
    pub(crate) full_threshold_bytes: u64,
}

/// What to merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// These neighbours, in place.
    Run(Range<usize>),
    /// Everything that is small or holds deletions, and whatever the deletions may refer to.
    Full,
}

/// A merge whose manifests are written: `outputs` take the place of `inputs`.
pub(crate) struct Merged {
    inputs: Vec<String>,
    outputs: Vec<ManifestFileMeta>,
    contiguous: bool,
}

// === impl MergePolicy ===

impl MergePolicy {
    /// Decides what, if anything, to merge in a list of manifests, oldest first.
    pub(crate) fn select(&self, manifests: &[ManifestFileMeta]) -> Option<Selection> {
        let changing = || manifests.iter().filter(|manifest| self.changes(manifest));
        let changing_bytes = changing().map(size).sum::<u64>();
        if changing_bytes >= self.full_threshold_bytes && changing().nth(1).is_some() {
            return Some(Selection::Full);
        }
        (0..manifests.len()).rev().find_map(|newest| self.run_ending_at(manifests, newest)).map(Selection::Run)
    }

    /// Whether a full merge always rewrites this manifest.
    fn changes(&self, manifest: &ManifestFileMeta) -> bool {
        manifest.num_deleted_files > 0 || size(manifest) < self.target_bytes
    }

    fn run_ending_at(&self, manifests: &[ManifestFileMeta], newest: usize) -> Option<Range<usize>> {
        let min_count = self.min_count.max(2);
        let (mut bytes, mut largest) = (0_u64, 0_u64);
        for oldest in (newest.saturating_sub(MAX_RUN)..=newest).rev() {
            let next = size(&manifests[oldest]);
            if next >= self.target_bytes {
                return None;
            }
            bytes += next;
            largest = largest.max(next);
            let count = newest - oldest + 1;
            let members = count as u64;
            let full = count >= 2 && bytes >= self.target_bytes;
            let similar = count >= min_count && largest * members <= 2 * bytes;
            // Commits of very different sizes never look similar; then it is enough that the largest
            // is a small part of the whole, which still makes an entry's manifest grow eightfold.
            let overdue = count >= 2 * min_count && largest * 8 <= bytes;
            if full {
                // What stayed behind, between two full manifests, would never be merged.
                let mut room = (2 * self.target_bytes).saturating_sub(bytes);
                let more = manifests[..oldest].iter().rev().map(size).take_while(|more| {
                    let fits = *more < self.target_bytes && *more < room;
                    room = room.saturating_sub(*more);
                    fits
                });
                return Some(oldest - more.take(MAX_RUN).count()..newest + 1);
            }
            if similar || overdue {
                return Some(oldest..newest + 1);
            }
        }
        None
    }
}

fn size(manifest: &ManifestFileMeta) -> u64 {
    u64::try_from(manifest.file_size).unwrap_or_default()
}

// === impl Merged ===

impl Merged {
    /// Puts the merged manifests in place of their inputs; `None` when `manifests` does not hold those inputs
    /// any more, because another committer merged or rewrote them.
    pub(crate) fn apply(&self, manifests: &[ManifestFileMeta]) -> Option<Vec<ManifestFileMeta>> {
        let inputs: HashSet<&str> = self.inputs.iter().map(String::as_str).collect();
        let is_input = |manifest: &ManifestFileMeta| inputs.contains(manifest.file_name.as_str());
        let found: Vec<usize> = (0..manifests.len()).filter(|index| is_input(&manifests[*index])).collect();
        let (first, last) = (*found.first()?, *found.last()?);
        if found.len() != self.inputs.len() || (self.contiguous && last - first + 1 != found.len()) {
            return None;
        }
        let kept = |manifest: &&ManifestFileMeta| !is_input(manifest);
        // A full merge leaves only additions, whose order is free, but what was committed since then may delete them:
        // its manifests go where the newest input was.
        let before = manifests[..=last].iter().filter(kept);
        let after = manifests[last + 1..].iter();
        Some(before.chain(&self.outputs).chain(after).cloned().collect())
    }
}

/// Merges what `selection` says and writes the merged manifests.
pub(crate) async fn merge(
    storage: &Storage,
    format: &ManifestFormat,
    names: &mut Names,
    manifests: &[ManifestFileMeta],
    policy: &MergePolicy,
    selection: Selection,
) -> Result<Merged> {
    match selection {
        Selection::Run(run) => merge_run(storage, format, names, &manifests[run]).await,
        Selection::Full => merge_full(storage, format, names, manifests, policy).await,
    }
}

async fn merge_run(
    storage: &Storage,
    format: &ManifestFormat,
    names: &mut Names,
    run: &[ManifestFileMeta],
) -> Result<Merged> {
    let entries = cancel(format.read_all(storage, run).await?)?;
    let bytes: u64 = run.iter().map(size).sum();
    // One manifest even when the last member carried the sum past the target.
    let entry_bytes = bytes.min(format.target_bytes) / (entries.len() as u64).max(1);
    let outputs = write(storage, format, names, entries, Some(entry_bytes)).await?;
    Ok(Merged { inputs: run.iter().map(|manifest| manifest.file_name.clone()).collect(), outputs, contiguous: true })
}

/// Removes every deletion together with what it deletes. Holds the deletions, one input manifest and one
/// output manifest in memory at a time.
async fn merge_full(
    storage: &Storage,
    format: &ManifestFormat,
    names: &mut Names,
    manifests: &[ManifestFileMeta],
    policy: &MergePolicy,
) -> Result<Merged> {
    let mut deletions = Vec::new();
    for manifest in manifests.iter().filter(|manifest| manifest.num_deleted_files > 0) {
        let entries = format.read_entries(storage, manifest).await?;
        deletions.extend(entries.into_iter().filter(|entry| entry.kind == FileKind::Delete));
    }
    let deleted: HashSet<_> = deletions.iter().map(ManifestEntry::identifier).collect();
    let partitions: HashSet<_> = deletions.iter().map(|entry| &entry.partition).collect();
    let inputs: Vec<&ManifestFileMeta> = manifests
        .iter()
        .filter(|manifest| policy.changes(manifest) || may_hold(format, manifest, &partitions))
        .collect();
    let bytes: u64 = inputs.iter().map(|manifest| size(manifest)).sum();
    let entries: i64 = inputs.iter().map(|manifest| manifest.num_added_files + manifest.num_deleted_files).sum();
    let entry_bytes = bytes / u64::try_from(entries).unwrap_or_default().max(1);
    let per_manifest = usize::try_from(format.target_bytes / entry_bytes.max(1)).unwrap_or(usize::MAX).max(1);
    let mut outputs = Vec::new();
    let mut pending = Vec::new();
    for manifest in &inputs {
        let read = format.read_entries(storage, manifest).await?;
        // A deletion without the file it deletes is dropped with the others: every manifest that could
        // hold the file is among the inputs.
        pending.extend(
            read.into_iter().filter(|entry| entry.kind == FileKind::Add && !deleted.contains(&entry.identifier())),
        );
        while pending.len() >= per_manifest {
            let rest = pending.split_off(per_manifest);
            let full = std::mem::replace(&mut pending, rest);
            outputs.extend(write(storage, format, names, full, Some(entry_bytes)).await?);
        }
    }
    outputs.extend(write(storage, format, names, pending, Some(entry_bytes)).await?);
    Ok(Merged {
        inputs: inputs.iter().map(|manifest| manifest.file_name.clone()).collect(),
        outputs,
        contiguous: false,
    })
}

async fn write(
    storage: &Storage,
    format: &ManifestFormat,
    names: &mut Names,
    entries: Vec<ManifestEntry>,
    entry_bytes: Option<u64>,
) -> Result<Vec<ManifestFileMeta>> {
    let (metas, encoded): (Vec<_>, Vec<Encoded>) =
        format.encode_entries(names, entries, entry_bytes).await?.into_iter().unzip();
    let puts: Vec<_> = encoded.into_iter().map(|object| object.put(storage)).collect();
    futures::future::try_join_all(puts).await?;
    Ok(metas)
}

/// Whether a manifest's partition statistics leave room for one of `partitions`. Unreadable statistics
/// leave room for everything.
pub(crate) fn may_hold(format: &ManifestFormat, manifest: &ManifestFileMeta, partitions: &HashSet<&BinaryRow>) -> bool {
    let roots = &format.partition_roots;
    let Ok(stats) = manifest.partition_stats.decode(roots) else {
        return !partitions.is_empty();
    };
    partitions.iter().any(|partition| {
        partition.decode(roots).map_or(true, |values| {
            values.iter().zip(&stats).all(|(value, column)| match (value, &column.min, &column.max) {
                (None, ..) => column.null_count != Some(0),
                (Some(value), Some(min), Some(max)) => min <= value && value <= max,
                // No bounds: all values are null, or nothing is known.
                (Some(_), ..) => column.null_count.is_none(),
            })
        })
    })
}

/// Applies deletions to the additions before them. Deletions of files that were added elsewhere stay.
///
/// # Errors
/// [`TableError::Corrupt`] when a file is added twice: its rows are being read twice.
pub(crate) fn cancel(entries: Vec<ManifestEntry>) -> Result<Vec<ManifestEntry>> {
    let mut places: HashMap<EntryIdentifier<'_>, usize> = HashMap::with_capacity(entries.len());
    let mut kept = vec![true; entries.len()];
    for (place, entry) in entries.iter().enumerate() {
        let identifier = entry.identifier();
        match (entry.kind, places.get(&identifier).copied()) {
            (FileKind::Delete, Some(added)) if entries[added].kind == FileKind::Add => {
                places.remove(&identifier);
                kept[added] = false;
                kept[place] = false;
            }
            (FileKind::Add, Some(before)) if entries[before].kind == FileKind::Add => {
                return Err(TableError::added_twice(entry));
            }
            // Behind its own deletion: that hides it for every reader since 1.3, so both stay.
            (FileKind::Add, Some(_)) => {}
            (FileKind::Delete, Some(_)) => kept[place] = false,
            (_, None) => {
                places.insert(identifier, place);
            }
        }
    }
    let mut kept = kept.into_iter();
    Ok(entries.into_iter().filter(|_| kept.next().unwrap_or(true)).collect())
}

#[cfg(test)]
mod tests;
