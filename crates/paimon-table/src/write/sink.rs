//! Where the encoder's bytes go until the upload takes them: pieces of bounded size instead of one growing vector, so
//! nothing is copied when it grows and what was drained is freed at once.

use std::collections::VecDeque;
use std::io::{self, Write};

use bytes::Bytes;

/// Size in bytes of the pieces that [`super::DataFileWriter::drain_encoded`] gives; the last may be smaller.
pub const PIECE_BYTES: usize = 1 << 20;

/// Encoded bytes in order.
#[derive(Debug, Default)]
pub(super) struct EncodedSink {
    full: VecDeque<Bytes>,
    open: Vec<u8>,
    total_bytes: u64,
}

// === impl EncodedSink ===

impl EncodedSink {
    /// Takes the oldest piece.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        self.full.pop_front().or_else(|| (!self.open.is_empty()).then(|| Bytes::from(std::mem::take(&mut self.open))))
    }

    /// Bytes written and not taken.
    pub(super) fn held_bytes(&self) -> usize {
        self.open.len() + self.full.iter().map(Bytes::len).sum::<usize>()
    }

    /// Bytes ever written.
    pub(super) fn total_bytes(&self) -> u64 {
        self.total_bytes
    }
}

impl Write for EncodedSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A piece is cut at its size: one that outgrew it would be moved as a whole.
        let taken = bytes.len().min(PIECE_BYTES - self.open.len());
        self.open.extend_from_slice(&bytes[..taken]);
        self.total_bytes += taken as u64;
        if self.open.len() == PIECE_BYTES {
            let full = std::mem::replace(&mut self.open, Vec::with_capacity(PIECE_BYTES));
            self.full.push_back(full.into());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
