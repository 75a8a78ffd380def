//! A check, once at start, that the store keeps the one promise commits rest on.

use bytes::Bytes;
use tributary_runtime::{Classify, FailureKind, Random};

use crate::store::{Create, Storage, StoreError};

/// Why a store cannot be committed to.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The store failed; the source names what was refused, for example a missing permission.
    #[error("the store could not be probed for create-if-absent: {0}")]
    Store(#[from] StoreError),
    /// A second create of one name succeeded, or reported a first one that is not there.
    #[error(
        "the store at {location} does not honour create-if-absent ({observed}): two committers could replace each other's snapshots and lose rows; use a store with conditional writes, or a catalog that commits"
    )]
    NotHonoured {
        /// The probed folder.
        location: String,
        /// What the store did.
        observed: &'static str,
    },
}

// === impl ProbeError ===

impl Classify for ProbeError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Store(source) => source.kind(),
            Self::NotHonoured { .. } => FailureKind::Usage,
        }
    }
}

/// Creates one object twice: the second create must report the first, and the first bytes must stay.
/// The object lies beside the table's folders under a name no engine reads, and is deleted again.
///
/// # Errors
/// [`ProbeError::NotHonoured`] when the store does not keep the promise, else its own error.
pub async fn probe_create_if_absent(storage: &Storage, random: &Random) -> Result<(), ProbeError> {
    let name = format!(".tributary-probe-{}", random.uuid());
    let observed = create_twice(storage, &name).await;
    // Deleting comes last whatever was observed; a probe object that stays behind is harmless.
    if let Err(error) = storage.delete(&name).await {
        tracing::debug!(%error, "the probe object could not be deleted");
    }
    match observed? {
        None => Ok(()),
        Some(observed) => Err(ProbeError::NotHonoured { location: storage.location(""), observed }),
    }
}

async fn create_twice(storage: &Storage, name: &str) -> Result<Option<&'static str>, StoreError> {
    let (first, second) = (Bytes::from_static(b"first"), Bytes::from_static(b"second"));
    // "Exists" with our bytes is a repeated request whose first reply was lost.
    if storage.create(name, first.clone()).await? == Create::Exists
        && storage.get_opt(name).await?.as_ref() != Some(&first)
    {
        return Ok(Some("it reported an existing object under a name that was never used"));
    }
    if storage.create(name, second).await? == Create::Created {
        return Ok(Some("a second create of one name succeeded"));
    }
    if storage.get_opt(name).await?.as_ref() != Some(&first) {
        return Ok(Some("a refused create replaced the object"));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use tributary_testkit::{Fault, FaultStore, Op};

    use super::*;
    use crate::testing::memory;

    #[tokio::test]
    async fn an_honest_store_passes_and_keeps_nothing() {
        let storage = memory();
        probe_create_if_absent(&storage, &Random::seeded(1)).await.unwrap();
        assert!(storage.list_names("").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_store_that_overwrites_is_found_out() {
        let clean = memory();
        let store = FaultStore::new(Arc::clone(&clean.store)).ignoring_conditions();
        let probed =
            probe_create_if_absent(&Storage::new(Arc::new(store), clean.root.clone()), &Random::seeded(1)).await;
        assert!(matches!(probed, Err(ProbeError::NotHonoured { .. })), "{probed:?}");
        assert!(clean.list_names("").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_store_that_cannot_be_asked_or_delivers_twice_is_told_apart() {
        for (fault, passes) in [(Fault::Duplicate, true), (Fault::ErrorBefore, false), (Fault::Denied, false)] {
            let clean = memory();
            let store = FaultStore::with_plan(Arc::clone(&clean.store), move |call| {
                if call.op == Op::Create { fault } else { Fault::None }
            });
            let storage = Storage::new(Arc::new(store), clean.root.clone());
            let probed = probe_create_if_absent(&storage, &Random::seeded(1)).await;
            assert_eq!(probed.is_ok(), passes, "{fault:?} {probed:?}");
            assert!(!matches!(probed, Err(ProbeError::NotHonoured { .. })));
            assert!(clean.list_names("").await.unwrap().is_empty());
        }
    }
}
