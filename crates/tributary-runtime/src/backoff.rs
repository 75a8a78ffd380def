//! How long to wait before the next try.

use std::time::Duration;

use crate::Random;

/// Exponential delays with equal jitter: half of the step is certain, half is random, so retries of many
/// processes spread out but never come at once ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
}

/// The bounds of a [`Backoff`] are not usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("retry wait of {min:?} to {max:?} is not usable: the shortest must be above zero and at most the longest")]
pub struct InvalidBackoff {
    min: Duration,
    max: Duration,
}

// === impl Backoff ===

impl Backoff {
    /// Steps from `min`, doubling, to `max`.
    ///
    /// # Errors
    /// When `min` is zero or above `max`.
    pub fn try_new(min: Duration, max: Duration) -> Result<Self, InvalidBackoff> {
        if min.is_zero() || min > max {
            return Err(InvalidBackoff { min, max });
        }
        Ok(Self { min, max })
    }

    /// The wait before retry number `attempt`, the first retry being 0.
    pub fn delay(&self, attempt: u32, random: &Random) -> Duration {
        let factor = 1_u32.checked_shl(attempt).unwrap_or(u32::MAX);
        let step = self.min.saturating_mul(factor).min(self.max);
        step.mul_f64(0.5 + random.unit() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let backoff = Backoff::try_new(Duration::from_millis(10), Duration::from_millis(1_000)).unwrap();
        let random = Random::seeded(1);
        for (attempt, step) in
            [(0, 10), (1, 20), (3, 80), (6, 640), (7, 1_000), (31, 1_000), (32, 1_000), (u32::MAX, 1_000)]
        {
            for _ in 0..100 {
                let delay = backoff.delay(attempt, &random);
                assert!(
                    delay >= Duration::from_millis(step) / 2 && delay <= Duration::from_millis(step),
                    "{attempt}: {delay:?}"
                );
            }
        }
    }

    #[test]
    fn unusable_bounds_are_refused() {
        let (zero, one, two) = (Duration::ZERO, Duration::from_secs(1), Duration::from_secs(2));
        assert!(Backoff::try_new(zero, one).is_err());
        assert!(Backoff::try_new(two, one).is_err());
        assert!(Backoff::try_new(one, one).is_ok());
    }
}
