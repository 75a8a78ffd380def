//! The `tributary` binary under test: the one `TRIBUTARY_BINARY` names (`tests/run` builds it with the tests, in one tree),
//! otherwise built on demand.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The path of the built binary.
pub fn tributary() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(path) = std::env::var_os("TRIBUTARY_BINARY") {
            return path.into();
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--locked", "--package", "tributary"])
            .current_dir(crate::root())
            .status()
            .unwrap();
        assert!(built.success(), "the binary does not build");
        // <target>/debug/deps/integration-<hash> -> <target>/debug/tributary
        let test = std::env::current_exe().unwrap();
        test.parent().and_then(|deps| deps.parent()).unwrap().join("tributary")
    })
}

/// A command line of the binary, in an environment without settings of the caller's.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(tributary());
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRIBUTARY_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Runs the binary to its end and returns its standard output; panics with everything it said when it fails.
pub fn succeed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(
        output.status.success(),
        "tributary {arguments:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Rows of a table by the binary's own count, from the metadata of its newest snapshot.
pub fn count(warehouse: &str, table: &str) -> u64 {
    let said = succeed(&["table", "count", table, "--warehouse", warehouse]);
    said.lines().last().unwrap().trim().parse().unwrap()
}
