//! Paimon's own REST catalog server and request signers, in Java.

use crate::engine::Engine;

pub static CATALOG: Engine = Engine::java("catalog", "CatalogServer.java");
