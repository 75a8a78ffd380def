//! Spark 3.5 with Paimon 0.9: the oldest reader that tables are made for.

use crate::engine::Engine;

pub static SPARK: Engine = Engine::new("spark");
