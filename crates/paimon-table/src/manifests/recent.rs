//! The entries of the newest manifests that were written here: most of what a merge needs, thirty commits later. To read and
//! decode thirty manifests takes longer than the rest of a commit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use paimon_format::ManifestEntry;

/// All of them together; an entry has about a kilobyte.
const MAX_ENTRIES: usize = 1024;

/// Those of one manifest: that of a commit has few, and what is large is seldom merged.
const MAX_MANIFEST_ENTRIES: usize = MAX_ENTRIES / 16;

/// Manifests by their names, which are never used twice, the newest last. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Recent {
    manifests: Arc<Mutex<Manifests>>,
}

#[derive(Default)]
struct Manifests {
    known: VecDeque<(String, Vec<ManifestEntry>)>,
    entries: usize,
}

// === impl Recent ===

impl Recent {
    pub(crate) fn keep(&self, name: &str, entries: &[ManifestEntry]) {
        if entries.len() > MAX_MANIFEST_ENTRIES {
            return;
        }
        let mut manifests = self.manifests();
        manifests.entries += entries.len();
        manifests.known.push_back((name.to_owned(), entries.to_vec()));
        while manifests.entries > MAX_ENTRIES
            && let Some((_, oldest)) = manifests.known.pop_front()
        {
            manifests.entries -= oldest.len();
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Vec<ManifestEntry>> {
        let manifests = self.manifests();
        manifests.known.iter().rev().find(|(known, _)| known == name).map(|(_, entries)| entries.clone())
    }

    fn manifests(&self) -> MutexGuard<'_, Manifests> {
        self.manifests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use paimon_format::FileKind;

    use super::*;
    use crate::testing::file;

    #[test]
    fn the_newest_are_kept_as_far_as_there_is_room() {
        let added = file("data-1.parquet", "2026-01-01", 1);
        let (partition, file) = (added.partition, added.meta);
        let entry = ManifestEntry { kind: FileKind::Add, partition, bucket: 0, total_buckets: -1, file };
        let large = vec![entry; MAX_MANIFEST_ENTRIES + 1];
        let recent = Recent::default();
        for number in 0..17 {
            recent.keep(&number.to_string(), &large[1..]);
        }
        recent.keep("too large", &large);
        assert_eq!(["0", "1", "16", "too large"].map(|name| recent.get(name).is_some()), [false, true, true, false]);
        assert_eq!(recent.get("16").unwrap(), large[1..]);
    }
}
