//! Which build this is.

/// The version of the release.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit it was made of, 12 digits; "unknown" where the build had neither git nor `TRIBUTARY_COMMIT`.
pub(crate) const COMMIT: &str = env!("TRIBUTARY_COMMIT");

/// Both, as `--version` tells them.
pub(crate) const LONG: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("TRIBUTARY_COMMIT"), ")");
