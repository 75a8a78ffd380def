//! The environment a process is started with: wall clock, randomness, and where CPU work runs.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{StdRng, SysError, SysRng};
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::Executor;

/// Wall-clock time. Durations are measured with tokio's monotonic clock instead, so a step of this one
/// neither hurries nor stalls anything.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_millis(&self) -> i64;
}

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The process's one source of randomness. Clones share it.
#[derive(Clone)]
pub struct Random {
    generator: Arc<Mutex<StdRng>>,
}

/// Clock, randomness and executor, handed down from where the process is wired.
#[derive(Clone)]
pub struct Env {
    /// Wall-clock time.
    pub clock: Arc<dyn Clock>,
    /// Seeds, ids and jitter.
    pub random: Random,
    /// Where CPU work runs.
    pub executor: Executor,
}

// === impl SystemClock ===

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now_millis(&self) -> i64 {
        let now = std::time::SystemTime::now();
        match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        }
    }
}

// === impl Random ===

impl Random {
    /// Seeded by the operating system.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn try_from_os() -> Result<Self, SysError> {
        Ok(Self::over(StdRng::try_from_rng(&mut SysRng)?))
    }

    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self::over(StdRng::seed_from_u64(seed))
    }

    /// A uniform number.
    pub fn next_u64(&self) -> u64 {
        self.generator.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }

    /// A uniform number in `0.0..1.0`.
    pub fn unit(&self) -> f64 {
        // 53 bits: as many as the significand holds, so every value is exact.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A version 4 UUID (RFC 9562).
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.generator.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    fn over(generator: StdRng) -> Self {
        Self { generator: Arc::new(Mutex::new(generator)) }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

// === impl Env ===

impl Env {
    /// The production environment: the machine's clock and randomness, CPU work on `threads` threads.
    ///
    /// # Errors
    /// When the operating system gives no randomness or no thread.
    pub fn try_system(threads: NonZeroUsize) -> std::io::Result<Self> {
        Ok(Self {
            clock: Arc::new(SystemClock),
            random: Random::try_from_os().map_err(std::io::Error::other)?,
            executor: Executor::try_threads(threads)?,
        })
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("executor", &self.executor).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_fixes_every_number() {
        let (a, b) = (Random::seeded(7), Random::seeded(7));
        assert_eq!((a.next_u64(), a.uuid(), a.unit()), (b.next_u64(), b.uuid(), b.unit()));
        assert_ne!(Random::seeded(8).next_u64(), Random::seeded(7).next_u64());
    }

    #[test]
    fn a_clone_continues_the_same_sequence() {
        let (a, whole) = (Random::seeded(7), Random::seeded(7));
        let first = a.clone().next_u64();
        assert_eq!([first, a.next_u64()], [whole.next_u64(), whole.next_u64()]);
    }

    #[test]
    fn uuids_are_version_4() {
        let id = Random::seeded(1).uuid();
        assert_eq!((id.get_version_num(), id.get_variant()), (4, uuid::Variant::RFC4122));
    }

    #[test]
    fn unit_stays_below_one() {
        let random = Random::seeded(3);
        assert!((0..10_000).map(|_| random.unit()).all(|x| (0.0..1.0).contains(&x)));
    }
}
