//! Names the commit this build was made of: `TRIBUTARY_COMMIT` of the environment, or what git says, or "unknown".

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=TRIBUTARY_COMMIT");
    let told = std::env::var("TRIBUTARY_COMMIT").ok().filter(|commit| !commit.trim().is_empty());
    let commit = told.or_else(|| {
        // HEAD changes with the branch; what HEAD names, with every commit (all refs share a file once they are packed).
        let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
        for name in [Some("HEAD"), branch.as_deref(), Some("packed-refs")].into_iter().flatten() {
            if let Some(path) = git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists()) {
                println!("cargo::rerun-if-changed={path}");
            }
        }
        git(&["rev-parse", "--short=12", "HEAD"])
    });
    // Without a line of its own Cargo would look at every file of the package instead.
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=TRIBUTARY_COMMIT={}", commit.as_deref().map_or("unknown", str::trim));
}

/// What git answers; `None` without git, or outside of a checkout.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
