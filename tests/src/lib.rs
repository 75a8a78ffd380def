//! What the end-to-end tests share: the binary under test, a scratch warehouse with a job beside it, a daemon driven
//! as an operator would (HTTP, signals, exit codes), and the real engines.
//!
//! Nothing here sleeps: a test waits for a log line, an HTTP answer or an exit, each with a deadline that only a
//! broken build reaches.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot set up must stop
#![allow(clippy::disallowed_methods)] // real processes live in real time

pub mod binary;
pub mod buildah;
pub mod canonical;
pub mod catalog;
pub mod daemon;
pub mod datagen;
pub mod disk;
pub mod engine;
pub mod flink;
pub mod gate;
pub mod http;
pub mod in_process;
pub mod minio;
pub mod pypaimon;
pub mod spark;
pub mod table;
pub mod typed;
pub mod workspace;

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a test waits for something that should happen at once.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A folder of its own for one test, with the files a user would have: removed when dropped.
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("tributary-test-").tempdir().unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The warehouse that the tests' jobs name: a folder `warehouse` beside the job.
    pub fn warehouse(&self) -> String {
        self.path("warehouse").to_str().unwrap().to_owned()
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}
