//! Something that works for a while and is fetched again before it ends: the keys of a store, of a catalog.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Mutex;

use crate::Clock;

/// How long before its end a lease is renewed at the latest, milliseconds (Paimon's `TOKEN_EXPIRATION_SAFE_TIME_MILLIS`).
const SAFETY_MILLIS: i64 = 60 * 60 * 1000;

/// After a failed renewal, while the lease at hand still works: the pause before the next, milliseconds.
const PAUSE_MILLIS: i64 = 10_000;

const NEVER: i64 = i64::MAX;

/// A value and how long it holds.
#[derive(Debug)]
pub struct Lease<T> {
    /// The value.
    pub value: T,
    /// When it stops working, Unix milliseconds; never if nobody said.
    pub expires_at_millis: Option<i64>,
}

/// The newest lease. Whoever finds it due fetches the next one, while everybody else waits for that one.
pub struct Leases<T> {
    current: Mutex<Option<Held<T>>>,
    /// That of `current`, for who must not wait.
    expires_at_millis: AtomicI64,
    clock: Arc<dyn Clock>,
}

struct Held<T> {
    lease: Arc<Lease<T>>,
    renew_at_millis: i64,
}

// === impl Lease ===

impl<T> Lease<T> {
    fn is_over(&self, now_millis: i64) -> bool {
        self.expires_at_millis.is_some_and(|end| end <= now_millis)
    }
}

// === impl Leases ===

impl<T> Leases<T> {
    /// None is held before the first is asked for.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { current: Mutex::default(), expires_at_millis: AtomicI64::new(NEVER), clock }
    }

    /// A value at hand and its end, Unix milliseconds, is the first lease.
    pub fn starting_with(first: (T, Option<i64>), clock: Arc<dyn Clock>) -> Self {
        let mut held = None;
        let mut leases = Self::new(clock);
        leases.keep(&mut held, first);
        leases.current = Mutex::new(held);
        leases
    }

    /// When the current lease ends, Unix milliseconds; `None` when it does not, or there is none yet.
    pub fn expires_at_millis(&self) -> Option<i64> {
        Some(self.expires_at_millis.load(Ordering::Relaxed)).filter(|end| *end != NEVER)
    }

    /// Whether `lease` has ended.
    pub fn is_over(&self, lease: &Lease<T>) -> bool {
        lease.is_over(self.clock.now_millis())
    }

    /// The current lease, or the one that `fetch` brings (with its end, Unix milliseconds) when there is none or it is
    /// due. One that still works is better than an error.
    ///
    /// # Errors
    /// Those of `fetch`, when there is no lease that still works.
    pub async fn get<E: Display>(
        &self,
        fetch: impl AsyncFnOnce() -> Result<(T, Option<i64>), E>,
    ) -> Result<Arc<Lease<T>>, E> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(held) if self.clock.now_millis() < held.renew_at_millis => Ok(Arc::clone(&held.lease)),
            _ => self.renew(&mut current, fetch).await,
        }
    }

    /// As [`Leases::get`], but `fetch` is asked whatever is held.
    ///
    /// # Errors
    /// As [`Leases::get`].
    pub async fn get_fresh<E: Display>(
        &self,
        fetch: impl AsyncFnOnce() -> Result<(T, Option<i64>), E>,
    ) -> Result<Arc<Lease<T>>, E> {
        self.renew(&mut *self.current.lock().await, fetch).await
    }

    /// Another lease than the one that was rejected: the current one if it `is_rejected` no more, else the one that
    /// `fetch` brings; `None` if that is the same again.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub async fn instead_of<E>(
        &self,
        is_rejected: impl Fn(&T) -> bool,
        fetch: impl AsyncFnOnce() -> Result<(T, Option<i64>), E>,
    ) -> Result<Option<Arc<Lease<T>>>, E>
    where
        T: PartialEq,
    {
        let mut current = self.current.lock().await;
        // Another call met the rejection first.
        if let Some(held) = current.as_ref().filter(|held| !is_rejected(&held.lease.value)) {
            return Ok(Some(Arc::clone(&held.lease)));
        }
        let before = current.as_ref().map(|held| Arc::clone(&held.lease));
        let lease = self.keep(&mut current, fetch().await?);
        Ok((before.is_none_or(|before| before.value != lease.value)).then_some(lease))
    }

    async fn renew<E: Display>(
        &self,
        current: &mut Option<Held<T>>,
        fetch: impl AsyncFnOnce() -> Result<(T, Option<i64>), E>,
    ) -> Result<Arc<Lease<T>>, E> {
        let now = self.clock.now_millis();
        match (fetch().await, &mut *current) {
            (Ok(fresh), current) => Ok(self.keep(current, fresh)),
            (Err(error), Some(held)) if !held.lease.is_over(now) => {
                tracing::warn!(%error, "cannot renew credentials; the ones at hand still work");
                held.renew_at_millis = now.saturating_add(PAUSE_MILLIS);
                Ok(Arc::clone(&held.lease))
            }
            (Err(error), _) => Err(error),
        }
    }

    fn keep(&self, current: &mut Option<Held<T>>, (value, expires_at_millis): (T, Option<i64>)) -> Arc<Lease<T>> {
        let lease = Arc::new(Lease { value, expires_at_millis });
        let renew_at_millis = expires_at_millis.map_or(NEVER, |end| renew_at(self.clock.now_millis(), end));
        self.expires_at_millis.store(expires_at_millis.unwrap_or(NEVER), Ordering::Relaxed);
        *current = Some(Held { lease: Arc::clone(&lease), renew_at_millis });
        lease
    }
}

/// Half of a short life may be used, so that one that lives for less than the safe time is not fetched by every call. What
/// is over by our clock may not be by theirs.
fn renew_at(now_millis: i64, end_millis: i64) -> i64 {
    match end_millis.saturating_sub(now_millis) {
        life if life > 0 => end_millis - SAFETY_MILLIS.min((life + 1) / 2),
        _ => now_millis.saturating_add(PAUSE_MILLIS),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::convert::Infallible;
    use std::sync::atomic::AtomicU32;

    use futures::future::join_all;

    use super::*;

    const HOUR: i64 = SAFETY_MILLIS;

    #[derive(Clone, Default)]
    struct Hands(Arc<AtomicI64>);

    impl Clock for Hands {
        fn now_millis(&self) -> i64 {
            self.0.load(Ordering::SeqCst)
        }
    }

    fn leases<T>() -> (Hands, Leases<T>) {
        let hands = Hands::default();
        (hands.clone(), Leases::new(Arc::new(hands)))
    }

    #[test]
    fn a_lease_is_renewed_an_hour_ahead_or_after_half_of_its_life() {
        for (life, due_after) in
            [(12 * HOUR, 11 * HOUR), (2 * HOUR, HOUR), (HOUR, HOUR / 2), (1000, 500), (1, 0), (0, PAUSE_MILLIS)]
        {
            assert_eq!(renew_at(7, 7 + life), 7 + due_after, "{life}");
        }
    }

    #[tokio::test]
    async fn many_callers_make_one_fetch() {
        let (hands, leases) = leases();
        let fetches = AtomicU32::new(0);
        let fetch = async || {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>((fetches.fetch_add(1, Ordering::SeqCst), Some(hands.now_millis() + 10 * HOUR)))
        };
        for (at, expected) in [(0, 0), (9 * HOUR - 1, 0), (9 * HOUR, 1)] {
            hands.0.store(at, Ordering::SeqCst);
            let all = join_all((0..64).map(|_| leases.get(fetch))).await;
            assert!(all.into_iter().all(|lease| lease.unwrap().value == expected), "{at}");
        }
        assert_eq!(leases.expires_at_millis(), Some(19 * HOUR));
        let all = join_all((0..64).map(|_| leases.instead_of(|value| *value == 1, fetch))).await;
        assert!(all.into_iter().all(|lease| lease.unwrap().unwrap().value == 2), "one refusal renews for all");
    }

    #[tokio::test]
    async fn a_failed_renewal_leaves_what_still_works_and_is_an_error_once_it_is_over() {
        let (hands, leases) = leases();
        let at = |now: i64| hands.0.store(now, Ordering::SeqCst);
        let fails = async || Err("no");
        assert!(leases.get(fails).await.is_err(), "there is nothing to fall back to");
        leases.get(async || Ok::<_, &str>((1, Some(2 * HOUR)))).await.unwrap();
        at(HOUR);
        assert_eq!(leases.get(fails).await.unwrap().value, 1);
        assert_eq!(leases.get(async || Ok::<_, &str>((2, None))).await.unwrap().value, 1, "not asked by every call");
        assert_eq!(leases.get_fresh(fails).await.unwrap().value, 1);
        assert_eq!(leases.instead_of(|_| true, fails).await.unwrap_err(), "no");
        at(2 * HOUR);
        assert_eq!(leases.get(fails).await.unwrap_err(), "no");
        assert_eq!(leases.get(async || Ok::<_, &str>((2, None))).await.unwrap().value, 2);
        assert_eq!(leases.expires_at_millis(), None);
    }

    #[tokio::test]
    async fn the_same_value_again_is_no_other() {
        let (_, leases) = leases();
        let same = async || Ok::<_, Infallible>(("key", None));
        leases.get(same).await.unwrap();
        assert!(leases.instead_of(|_| true, same).await.unwrap().is_none());
    }
}
