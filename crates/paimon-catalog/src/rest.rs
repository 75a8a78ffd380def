//! Paimon's REST catalog: what travels ([`wire`], [`paths`], [`sign`]), for clients and servers alike, and the client.
//!
//! [`RestCatalog`] asks the catalog for names and places, and creates snapshots through it; schemas, snapshots and data are
//! read from the tables' folders, where the catalog puts them too. Credentials are renewed ahead of their end, once for
//! all who wait; a call that is refused for its credentials is repeated once with newer ones, if there are any.
//! Every failure is a value ([`RestError`]), and what may have been applied is never read as refused.

mod api;
mod catalog;
mod client;
mod commit;
mod credentials;
mod data_token;
mod error;
pub mod old_dlf;
mod options;
pub mod paths;
mod secret;
pub mod sign;
#[cfg(test)]
mod testing;
pub mod wire;

pub use catalog::RestCatalog;
pub use credentials::{CredentialError, KeySource};
pub use error::RestError;
pub use options::{HEADER_PREFIX, OptionError, RestOptions};
pub use secret::Secret;
