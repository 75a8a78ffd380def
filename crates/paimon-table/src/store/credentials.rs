//! Keys of an object store, and those that change while the process runs.
//!
//! A catalog that hands out temporary keys (a REST catalog's data tokens, DLF) implements [`CredentialsProvider`];
//! [`RefreshingCredentials`] asks it ahead of expiry and once after a refusal, for all requests of a store together.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tributary_runtime::{Classify, Clock, FailureKind};

/// New keys are asked for this long before the old ones expire, in milliseconds …
const REFRESH_AHEAD_MILLIS: i64 = 5 * 60 * 1000;

/// … but not before this part of a shorter life is left.
const REFRESH_AHEAD_PART: i64 = 4;

/// After a failed refresh, while the old keys are good: the pause before the next, in milliseconds.
const REFRESH_PAUSE_MILLIS: i64 = 10_000;

/// Keys of an object store. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key, or access key id.
    pub access_key: String,
    /// Secret key, or access key secret.
    pub secret_key: String,
    /// Session (security) token of temporary keys.
    pub session_token: Option<String>,
}

/// Keys and how long they last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemporaryCredentials {
    /// The keys.
    pub credentials: Credentials,
    /// When the store stops accepting them, in milliseconds since the epoch; `None` if it does not.
    pub expires_at_millis: Option<i64>,
}

/// Why keys could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot get credentials for the store: {source}")]
pub struct CredentialsError {
    /// Whether waiting helps.
    pub kind: FailureKind,
    /// What the provider says; no secret in it.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Where temporary keys come from.
#[async_trait]
pub trait CredentialsProvider: Send + Sync {
    /// Asks for keys anew; the caller keeps them. Called by one task at a time.
    async fn fetch(&self) -> Result<TemporaryCredentials, CredentialsError>;
}

/// The current keys of one provider. Whoever needs them while they are being fetched waits for that one fetch.
pub struct RefreshingCredentials {
    provider: Arc<dyn CredentialsProvider>,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<Held>>,
}

/// What signs the requests of a store.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    /// Keys that stay.
    Given(Arc<Credentials>),
    /// Keys that change.
    Refreshing(Arc<RefreshingCredentials>),
}

struct Held {
    credentials: Arc<Credentials>,
    refresh_at_millis: i64,
    expires_at_millis: i64,
}

// === impl Credentials ===

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

// === impl Keys ===

impl Keys {
    /// Those that change go before those that were given.
    pub(super) fn choose(given: Option<&Credentials>, refreshing: Option<&Arc<RefreshingCredentials>>) -> Option<Self> {
        let refreshing = refreshing.map(|refreshing| Self::Refreshing(Arc::clone(refreshing)));
        refreshing.or_else(|| given.map(|given| Self::Given(Arc::new(given.clone()))))
    }

    pub(super) fn refreshing(&self) -> Option<&Arc<RefreshingCredentials>> {
        match self {
            Self::Given(_) => None,
            Self::Refreshing(refreshing) => Some(refreshing),
        }
    }

    pub(super) async fn current(&self) -> Result<Arc<Credentials>, CredentialsError> {
        match self {
            Self::Given(given) => Ok(Arc::clone(given)),
            Self::Refreshing(refreshing) => refreshing.current().await,
        }
    }
}

// === impl CredentialsError ===

impl Classify for CredentialsError {
    fn kind(&self) -> FailureKind {
        self.kind
    }
}

// === impl RefreshingCredentials ===

impl fmt::Debug for RefreshingCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshingCredentials(***)")
    }
}

impl RefreshingCredentials {
    /// Asks `provider` when keys are first needed.
    pub fn new(provider: Arc<dyn CredentialsProvider>, clock: Arc<dyn Clock>) -> Self {
        Self { provider, clock, held: Mutex::new(None) }
    }

    /// Keys to sign the next request with. A provider that fails while the present keys last is asked again later.
    ///
    /// # Errors
    /// What the provider says when there are no keys that last.
    pub async fn current(&self) -> Result<Arc<Credentials>, CredentialsError> {
        let mut held = self.held.lock().await;
        let now = self.clock.now_millis();
        if let Some(held) = held.as_ref().filter(|held| now < held.refresh_at_millis) {
            return Ok(Arc::clone(&held.credentials));
        }
        match (self.provider.fetch().await, &mut *held) {
            (Ok(fresh), held) => Ok(keep(held, fresh, now)),
            (Err(error), Some(held)) if now < held.expires_at_millis => {
                tracing::warn!(%error, "keys that are about to expire could not be refreshed yet");
                held.refresh_at_millis = now.saturating_add(REFRESH_PAUSE_MILLIS);
                Ok(Arc::clone(&held.credentials))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Other keys than those of `access_key`, which the store refused; `None` if the provider has no others.
    ///
    /// # Errors
    /// What the provider says.
    pub(super) async fn instead_of(&self, access_key: &str) -> Result<Option<Arc<Credentials>>, CredentialsError> {
        let mut held = self.held.lock().await;
        // Another request met the refusal first.
        if let Some(held) = held.as_ref().filter(|held| held.credentials.access_key != access_key) {
            return Ok(Some(Arc::clone(&held.credentials)));
        }
        let before = held.as_ref().map(|held| Arc::clone(&held.credentials));
        let fresh = keep(&mut held, self.provider.fetch().await?, self.clock.now_millis());
        Ok((before.as_ref() != Some(&fresh)).then_some(fresh))
    }
}

fn keep(held: &mut Option<Held>, fresh: TemporaryCredentials, now: i64) -> Arc<Credentials> {
    let credentials = Arc::new(fresh.credentials);
    let expires_at_millis = fresh.expires_at_millis.unwrap_or(i64::MAX);
    let life = expires_at_millis.saturating_sub(now).max(0);
    let refresh_at_millis = expires_at_millis - REFRESH_AHEAD_MILLIS.min(life / REFRESH_AHEAD_PART);
    *held = Some(Held { credentials: Arc::clone(&credentials), refresh_at_millis, expires_at_millis });
    credentials
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

    use futures::future::join_all;
    use tributary_testkit::ManualClock;

    use super::*;

    /// Numbered keys that last for `life`; numbers do not move while `down`.
    #[derive(Default)]
    struct Numbered {
        fetches: AtomicI64,
        life_millis: i64,
        down: AtomicBool,
        same: bool,
    }

    #[async_trait]
    impl CredentialsProvider for (Arc<Numbered>, ManualClock) {
        async fn fetch(&self) -> Result<TemporaryCredentials, CredentialsError> {
            tokio::task::yield_now().await;
            let number = self.0.fetches.fetch_add(1, Ordering::SeqCst) + 1;
            if self.0.down.load(Ordering::SeqCst) {
                return Err(CredentialsError { kind: FailureKind::Transient, source: "no answer".into() });
            }
            Ok(TemporaryCredentials {
                credentials: numbered(if self.0.same { 1 } else { number }),
                expires_at_millis: Some(self.1.now_millis() + self.0.life_millis),
            })
        }
    }

    fn numbered(number: i64) -> Credentials {
        Credentials { access_key: format!("key-{number}"), secret_key: "secret".to_owned(), session_token: None }
    }

    fn over(numbered: Numbered) -> (Arc<Numbered>, ManualClock, RefreshingCredentials) {
        let (provider, clock) = (Arc::new(numbered), ManualClock::new(1_000_000));
        let shared = Arc::new((Arc::clone(&provider), clock.clone()));
        (provider, clock.clone(), RefreshingCredentials::new(shared, Arc::new(clock)))
    }

    #[tokio::test]
    async fn keys_are_fetched_once_for_all_and_ahead_of_their_expiry() {
        for (life_millis, kept_millis) in [(3_600_000, 3_299_999), (60_000, 44_999), (4, 2)] {
            let (provider, clock, keys) = over(Numbered { life_millis, ..Numbered::default() });
            for held in join_all((0..64).map(|_| keys.current())).await {
                assert_eq!(*held.unwrap(), numbered(1));
            }
            clock.advance(std::time::Duration::from_millis(kept_millis));
            assert_eq!(*keys.current().await.unwrap(), numbered(1), "{life_millis}");
            clock.advance(std::time::Duration::from_millis(1));
            assert_eq!(*keys.current().await.unwrap(), numbered(2), "{life_millis}");
            assert_eq!(provider.fetches.load(Ordering::SeqCst), 2);
        }
    }

    #[tokio::test]
    async fn a_provider_that_is_down_is_missed_only_when_the_keys_have_expired() {
        let (provider, clock, keys) = over(Numbered { life_millis: 60_000, ..Numbered::default() });
        keys.current().await.unwrap();
        provider.down.store(true, Ordering::SeqCst);
        clock.advance(std::time::Duration::from_millis(46_000));
        assert_eq!(*keys.current().await.unwrap(), numbered(1));
        assert_eq!(*keys.current().await.unwrap(), numbered(1));
        assert_eq!(provider.fetches.load(Ordering::SeqCst), 2, "asked again after a pause only");
        clock.advance(std::time::Duration::from_millis(14_000));
        assert_eq!(keys.current().await.unwrap_err().kind(), FailureKind::Transient);
    }

    #[tokio::test]
    async fn a_refusal_of_one_request_refreshes_for_all() {
        let (provider, _, keys) = over(Numbered { life_millis: 60_000, ..Numbered::default() });
        keys.current().await.unwrap();
        for fresh in join_all((0..64).map(|_| keys.instead_of("key-1"))).await {
            assert_eq!(*fresh.unwrap().unwrap(), numbered(2));
        }
        assert_eq!(provider.fetches.load(Ordering::SeqCst), 2);
        let (_, _, same) = over(Numbered { life_millis: 60_000, same: true, ..Numbered::default() });
        same.current().await.unwrap();
        assert_eq!(same.instead_of("key-1").await.unwrap(), None, "the same keys would be refused again");
    }

    #[test]
    fn keys_are_never_shown() {
        let shown = format!("{:?}", TemporaryCredentials { credentials: numbered(7), expires_at_millis: None });
        assert!(!shown.contains("key-7") && !shown.contains("secret"), "{shown}");
    }
}
