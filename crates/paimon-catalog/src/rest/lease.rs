//! Something that works for a while and is fetched again before it ends.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Mutex;
use tributary_runtime::Clock;

/// How long before its end a lease is renewed at the latest, milliseconds (`TOKEN_EXPIRATION_SAFE_TIME_MILLIS`).
const SAFETY_MILLIS: i64 = 60 * 60 * 1000;

const NEVER: i64 = i64::MAX;

/// A value and how long it holds. Times are Unix milliseconds.
#[derive(Debug)]
pub struct Lease<T> {
    /// The value.
    pub value: T,
    /// When it stops working; never if nobody said.
    pub expires_at_millis: Option<i64>,
    fetched_at_millis: i64,
}

/// The newest lease. Whoever finds it stale fetches the next one, while everybody else waits for that one.
pub(crate) struct Leases<T> {
    current: Mutex<Option<Arc<Lease<T>>>>,
    /// That of `current`, for who must not wait.
    expires_at_millis: AtomicI64,
    clock: Arc<dyn Clock>,
}

// === impl Lease ===

impl<T> Lease<T> {
    /// Whether it has ended.
    pub(crate) fn is_over(&self, now_millis: i64) -> bool {
        self.expires_at_millis.is_some_and(|end| end <= now_millis)
    }

    /// Whether the next one should be fetched. Half of a short life may be used, so that one that lives for less than
    /// the safe time is not fetched by every call.
    pub(crate) fn is_due(&self, now_millis: i64) -> bool {
        self.expires_at_millis.is_some_and(|end| {
            let life = end.saturating_sub(self.fetched_at_millis);
            end.saturating_sub(now_millis) <= SAFETY_MILLIS.min(life / 2)
        })
    }
}

// === impl Leases ===

impl<T> Leases<T> {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { current: Mutex::default(), expires_at_millis: AtomicI64::new(NEVER), clock }
    }

    /// When the current lease ends, Unix milliseconds; `None` when it does not, or there is none yet.
    pub(crate) fn expires_at_millis(&self) -> Option<i64> {
        Some(self.expires_at_millis.load(Ordering::Relaxed)).filter(|end| *end != NEVER)
    }

    pub(crate) fn now_millis(&self) -> i64 {
        self.clock.now_millis()
    }

    /// The current lease, or the one that `fetch` brings (with its end) when there is none or it is `stale`. One that
    /// still works is better than an error.
    pub(crate) async fn get<E: Display>(
        &self,
        stale: impl Fn(&Arc<Lease<T>>, i64) -> bool,
        fetch: impl AsyncFnOnce() -> Result<(T, Option<i64>), E>,
    ) -> Result<Arc<Lease<T>>, E> {
        let mut current = self.current.lock().await;
        let now = self.clock.now_millis();
        let usable = current.as_ref().filter(|lease| !stale(lease, now));
        if let Some(lease) = usable {
            return Ok(Arc::clone(lease));
        }
        match fetch().await {
            Ok((value, expires_at_millis)) => {
                let lease = Arc::new(Lease { value, expires_at_millis, fetched_at_millis: now });
                self.expires_at_millis.store(expires_at_millis.unwrap_or(NEVER), Ordering::Relaxed);
                *current = Some(Arc::clone(&lease));
                Ok(lease)
            }
            Err(error) => match &*current {
                Some(lease) if !lease.is_over(now) => {
                    tracing::warn!(%error, "cannot renew credentials; the ones at hand still work");
                    Ok(Arc::clone(lease))
                }
                _ => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::convert::Infallible;
    use std::sync::atomic::AtomicU32;
    use std::time::Duration;

    use tributary_testkit::ManualClock;

    use super::*;

    const HOUR: i64 = SAFETY_MILLIS;

    #[test]
    fn a_lease_is_renewed_an_hour_ahead_or_after_half_of_its_life() {
        for (life, due_after) in [(12 * HOUR, 11 * HOUR), (2 * HOUR, HOUR), (HOUR, HOUR / 2), (1000, 500), (0, 0)] {
            let lease = Lease { value: (), expires_at_millis: Some(life), fetched_at_millis: 0 };
            assert!(lease.is_due(due_after) && (life == 0 || !lease.is_due(due_after - 1)), "{life}");
            assert!(lease.is_over(life) && !lease.is_over(life - 1));
        }
        let endless = Lease { value: (), expires_at_millis: None, fetched_at_millis: 0 };
        assert!(!endless.is_due(i64::MAX) && !endless.is_over(i64::MAX));
    }

    #[tokio::test]
    async fn many_callers_make_one_fetch() {
        let leases = Leases::new(Arc::new(ManualClock::new(0)));
        let fetches = AtomicU32::new(0);
        let get = || {
            leases.get(
                |lease, now| lease.is_due(now),
                async || {
                    tokio::task::yield_now().await;
                    Ok::<_, Infallible>((fetches.fetch_add(1, Ordering::SeqCst), Some(10 * HOUR)))
                },
            )
        };
        let all = futures::future::join_all((0..10).map(|_| get())).await;
        assert!(all.into_iter().all(|lease| lease.unwrap().value == 0));
        assert_eq!(leases.expires_at_millis(), Some(10 * HOUR));
    }

    #[tokio::test]
    async fn a_failed_renewal_leaves_what_still_works_and_is_an_error_once_it_is_over() {
        let clock = ManualClock::new(0);
        let leases = Leases::new(Arc::new(clock.clone()));
        let due = |lease: &Arc<Lease<i32>>, now| lease.is_due(now);
        assert!(leases.get(due, async || Err("no")).await.is_err(), "there is nothing to fall back to");
        leases.get(due, async || Ok::<_, &str>((1, Some(2 * HOUR)))).await.unwrap();
        clock.advance(Duration::from_secs(3601));
        assert_eq!(leases.get(due, async || Err("no")).await.unwrap().value, 1);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(leases.get(due, async || Err("no")).await.unwrap_err(), "no");
        assert_eq!(leases.get(due, async || Ok::<_, &str>((2, None))).await.unwrap().value, 2);
        assert_eq!(leases.expires_at_millis(), None);
    }
}
