//! A ledger that ends with the process: for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{Ledger, LedgerError, Write};

/// Pairs in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    pairs: Mutex<BTreeMap<String, Vec<u8>>>,
}

// === impl MemoryLedger ===

#[async_trait]
impl Ledger for MemoryLedger {
    async fn load(&self) -> Result<BTreeMap<String, Vec<u8>>, LedgerError> {
        Ok(self.pairs.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn apply(&self, writes: Vec<Write>) -> Result<(), LedgerError> {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        for write in writes {
            match write {
                Write::Put(key, value) => drop(pairs.insert(key, value)),
                Write::Remove(key) => drop(pairs.remove(&key)),
            }
        }
        Ok(())
    }
}
