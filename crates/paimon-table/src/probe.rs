//! A check, once at start, that the store keeps the one promise commits rest on.

use bytes::Bytes;
use object_store::ObjectStoreExt;
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

/// What a store that keeps the promise said of the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreProbe {
    /// When it was written by the clock of the store, Unix milliseconds; some stores tell whole seconds.
    pub written_at_millis: i64,
}

/// What came of creating one object twice.
enum Twice {
    Honoured(StoreProbe),
    Not(&'static str),
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
pub async fn probe_create_if_absent(storage: &Storage, random: &Random) -> Result<StoreProbe, ProbeError> {
    let name = name(random);
    let observed = create_twice(storage, &name).await;
    // Deleting comes last whatever was observed; a probe object that stays behind is harmless.
    if let Err(error) = storage.delete(&name).await {
        tracing::debug!(%error, "the probe object could not be deleted");
    }
    match observed? {
        Twice::Honoured(probe) => Ok(probe),
        Twice::Not(observed) => Err(ProbeError::NotHonoured { location: storage.location(""), observed }),
    }
}

/// Writes an object and deletes it again: enough where a catalog takes the commits.
///
/// # Errors
/// [`ProbeError::Store`], of a store that is not reached or does not let this user write or delete.
pub async fn probe_writable(storage: &Storage, random: &Random) -> Result<(), ProbeError> {
    let name = name(random);
    storage.put(&name, Bytes::from_static(b"probe")).await?;
    Ok(storage.delete(&name).await?)
}

fn name(random: &Random) -> String {
    format!(".tributary-probe-{}", random.uuid())
}

async fn create_twice(storage: &Storage, name: &str) -> Result<Twice, StoreError> {
    let (first, second) = (Bytes::from_static(b"first"), Bytes::from_static(b"second"));
    // "Exists" with our bytes is a repeated request whose first reply was lost.
    if storage.create(name, first.clone()).await? == Create::Exists
        && storage.get_opt(name).await?.as_ref() != Some(&first)
    {
        return Ok(Twice::Not("it reported an existing object under a name that was never used"));
    }
    if storage.create(name, second).await? == Create::Created {
        return Ok(Twice::Not("a second create of one name succeeded"));
    }
    let path = storage.try_path(name)?;
    let read = async {
        let found = storage.store.get(&path).await?;
        Ok((found.meta.last_modified.timestamp_millis(), found.bytes().await?))
    };
    match read.await {
        Ok((written_at_millis, bytes)) if bytes == first => Ok(Twice::Honoured(StoreProbe { written_at_millis })),
        Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(Twice::Not("a refused create replaced the object")),
        Err(error) => Err(storage.failed("read", &path)(error)),
    }
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
    async fn who_may_neither_write_nor_delete_is_found_out() {
        for (refused, passes) in [(None, true), (Some(Op::Put), false), (Some(Op::Delete), false)] {
            let clean = memory();
            let store = FaultStore::with_plan(Arc::clone(&clean.store), move |call| {
                if Some(call.op) == refused { Fault::Denied } else { Fault::None }
            });
            let storage = Storage::new(Arc::new(store), clean.root.clone());
            let probed = probe_writable(&storage, &Random::seeded(1)).await;
            assert_eq!(probed.is_ok(), passes, "{refused:?} {probed:?}");
        }
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
