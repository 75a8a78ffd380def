//! The REST catalog, against Paimon's own server and signers.

mod daemon;
mod names;
mod signing;
