//! Paimon's REST catalog: what travels ([`wire`], [`paths`]), for clients and servers alike.

pub mod paths;
pub mod wire;
