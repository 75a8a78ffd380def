//! Keys of an object store, and those that change while the process runs.
//!
//! A catalog that hands out temporary keys (a REST catalog's data tokens, DLF) implements [`CredentialsProvider`];
//! [`RefreshingCredentials`] asks it ahead of expiry and once after a refusal, for all requests of a store together.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tributary_runtime::{Classify, Clock, FailureKind, Leases};

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

/// The current keys of one provider.
pub struct RefreshingCredentials {
    provider: Arc<dyn CredentialsProvider>,
    leases: Leases<Arc<Credentials>>,
}

/// What signs the requests of a store.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    /// Keys that stay.
    Given(Arc<Credentials>),
    /// Keys that change.
    Refreshing(Arc<RefreshingCredentials>),
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
        Self { provider, leases: Leases::new(clock) }
    }

    /// Begins with `first`.
    pub fn starting_with(
        first: TemporaryCredentials,
        provider: Arc<dyn CredentialsProvider>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let leases = Leases::starting_with((Arc::new(first.credentials), first.expires_at_millis), clock);
        Self { provider, leases }
    }

    /// Keys to sign the next request with. A provider that fails while the present keys last is asked again later.
    ///
    /// # Errors
    /// What the provider says when there are no keys that last.
    pub async fn current(&self) -> Result<Arc<Credentials>, CredentialsError> {
        Ok(Arc::clone(&self.leases.get(async || self.fetch().await).await?.value))
    }

    /// When the present keys end, Unix milliseconds; `None` when they do not, or there are none yet.
    pub fn expires_at_millis(&self) -> Option<i64> {
        self.leases.expires_at_millis()
    }

    /// Other keys than those of `access_key`, which the store refused; `None` if the provider has no others.
    ///
    /// # Errors
    /// What the provider says.
    pub(super) async fn instead_of(&self, access_key: &str) -> Result<Option<Arc<Credentials>>, CredentialsError> {
        let is_refused = |keys: &Arc<Credentials>| keys.access_key == access_key;
        let others = self.leases.instead_of(is_refused, async || self.fetch().await).await?;
        Ok(others.map(|others| Arc::clone(&others.value)))
    }

    async fn fetch(&self) -> Result<(Arc<Credentials>, Option<i64>), CredentialsError> {
        let fresh = self.provider.fetch().await?;
        Ok((Arc::new(fresh.credentials), fresh.expires_at_millis))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicI64, Ordering};

    use futures::future::join_all;
    use tributary_testkit::ManualClock;

    use super::*;

    /// Numbered keys.
    #[derive(Default)]
    struct Numbered(AtomicI64);

    #[async_trait]
    impl CredentialsProvider for Numbered {
        async fn fetch(&self) -> Result<TemporaryCredentials, CredentialsError> {
            match self.0.fetch_add(1, Ordering::SeqCst) + 1 {
                3 => Err(CredentialsError { kind: FailureKind::Transient, source: "no answer".into() }),
                number => Ok(TemporaryCredentials { credentials: numbered(number), expires_at_millis: None }),
            }
        }
    }

    fn numbered(number: i64) -> Credentials {
        Credentials { access_key: format!("key-{number}"), secret_key: "secret".to_owned(), session_token: None }
    }

    #[tokio::test]
    async fn a_refusal_of_one_request_brings_other_keys_for_all() {
        let keys = RefreshingCredentials::new(Arc::new(Numbered::default()), Arc::new(ManualClock::new(0)));
        assert_eq!(*keys.current().await.unwrap(), numbered(1));
        for fresh in join_all((0..64).map(|_| keys.instead_of("key-1"))).await {
            assert_eq!(*fresh.unwrap().unwrap(), numbered(2));
        }
        assert_eq!(keys.instead_of("key-2").await.unwrap_err().kind(), FailureKind::Transient);
    }

    #[test]
    fn keys_are_never_shown() {
        let shown = format!("{:?}", TemporaryCredentials { credentials: numbered(7), expires_at_millis: None });
        assert!(!shown.contains("key-7") && !shown.contains("secret"), "{shown}");
    }
}
