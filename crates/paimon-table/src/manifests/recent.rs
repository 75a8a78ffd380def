//! The newest manifests that were written here: most of what a merge reads, again, thirty commits later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// All of them together.
const MAX_BYTES: usize = 1 << 20;

/// One of them: that of a commit has some 3 KB, and what is large is seldom merged.
const MAX_MANIFEST_BYTES: usize = MAX_BYTES / 16;

/// Manifests by their names, which are never used twice, the newest last. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Recent {
    manifests: Arc<Mutex<Manifests>>,
}

#[derive(Default)]
struct Manifests {
    encoded: VecDeque<(String, Bytes)>,
    bytes: usize,
}

// === impl Recent ===

impl Recent {
    pub(crate) fn keep(&self, name: &str, bytes: &Bytes) {
        if bytes.len() > MAX_MANIFEST_BYTES {
            return;
        }
        let mut manifests = self.manifests();
        manifests.bytes += bytes.len();
        manifests.encoded.push_back((name.to_owned(), bytes.clone()));
        while manifests.bytes > MAX_BYTES
            && let Some((_, oldest)) = manifests.encoded.pop_front()
        {
            manifests.bytes -= oldest.len();
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Bytes> {
        let manifests = self.manifests();
        manifests.encoded.iter().rev().find(|(known, _)| known == name).map(|(_, bytes)| bytes.clone())
    }

    fn manifests(&self) -> MutexGuard<'_, Manifests> {
        self.manifests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_as_far_as_there_is_room() {
        let recent = Recent::default();
        let large = Bytes::from(vec![0; MAX_MANIFEST_BYTES]);
        let names: Vec<String> = (0..17).map(|n| n.to_string()).collect();
        names.iter().for_each(|name| recent.keep(name, &large));
        recent.keep("too large", &Bytes::from(vec![0; MAX_MANIFEST_BYTES + 1]));
        assert_eq!(["0", "1", "16", "too large"].map(|name| recent.get(name).is_some()), [false, true, true, false]);
    }
}
