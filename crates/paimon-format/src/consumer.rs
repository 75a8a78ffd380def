//! Consumers: `consumer/consumer-<id>`, the snapshots that a reader or a job still needs (`Consumer`).

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::json;
use crate::snapshot::SnapshotId;

const OBJECT: &str = "consumer";

/// Keeps every engine's expiry away from a snapshot and all after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consumer {
    /// The first snapshot that is still needed.
    pub next_snapshot: SnapshotId,
}

// === impl Consumer ===

impl Consumer {
    /// Reads a consumer file.
    ///
    /// # Errors
    /// [`crate::FormatError::Json`] for a damaged file.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        json::from_slice(OBJECT, bytes)
    }

    /// Writes a consumer file, laid out as Java does.
    ///
    /// # Errors
    /// None in practice; the JSON library's, if it has any.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        json::to_vec(OBJECT, self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_consumer_is_laid_out_as_java_does() {
        let consumer = Consumer { next_snapshot: SnapshotId(7) };
        let json = consumer.to_json().unwrap();
        assert_eq!(String::from_utf8_lossy(&json), "{\n  \"nextSnapshot\" : 7\n}");
        assert_eq!(Consumer::from_json(&json).unwrap(), consumer);
        assert!(Consumer::from_json(b"{").is_err());
    }
}
