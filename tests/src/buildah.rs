//! Containers without an engine or a registry: buildah, with a store of its own in a scratch folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::daemon::Daemon;
use crate::engine::Engine;
use crate::{Scratch, binary, root};

static INSTALLED: Engine = Engine::new("buildah");

/// Whether images can be built here; under CI they must be.
pub fn available() -> bool {
    INSTALLED.available()
}

/// A store of images and containers.
pub struct Buildah {
    scratch: Scratch,
}

/// A container: its name, and where its root file system lies.
pub struct Container<'a> {
    buildah: &'a Buildah,
    name: String,
    pub folder: PathBuf,
}

// === impl Buildah ===

impl Buildah {
    pub fn new() -> Self {
        Self { scratch: Scratch::new() }
    }

    /// Lays out a root file system as the image's build stage does, with the binary under test in place of a
    /// release: stripped, it is stored in seconds.
    pub fn root_file_system(&self) -> PathBuf {
        let (stripped, folder) = (self.scratch.path("tributary"), self.scratch.path("rootfs"));
        succeed(Command::new("strip").arg("-o").arg(&stripped).arg(binary::tributary()));
        succeed(Command::new(root().join("deploy/image/rootfs")).arg(&stripped).arg(&folder));
        folder
    }

    /// Builds the repository's Dockerfile from a root file system.
    pub fn build(&self, root_file_system: &Path, tag: &str) {
        let context = format!("rootfs={}", root_file_system.display());
        let mut command = self.command("build");
        command.args(["--isolation", "chroot", "--format", "docker", "--quiet", "--tag", tag]);
        succeed(command.args(["--build-arg", "COMMIT=0123456789ab", "--build-context", &context]).arg(root()));
    }

    /// How the image is to be run, in Docker's form.
    pub fn config(&self, tag: &str) -> Value {
        let said = succeed(self.command("inspect").args(["--type", "image", tag]));
        serde_json::from_str::<Value>(&said).unwrap()["Docker"]["config"].take()
    }

    pub fn container(&self, tag: &str) -> Container<'_> {
        let name = succeed(self.command("from").arg(tag)).trim().to_owned();
        let folder = succeed(self.command("mount").arg(&name)).trim().into();
        Container { buildah: self, name, folder }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new("buildah");
        command.args(["--storage-driver", "vfs", "--root"]).arg(self.scratch.path("store"));
        command.arg("--runroot").arg(self.scratch.path("run")).arg(verb);
        command
    }
}

impl Default for Buildah {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Container ===

impl Container<'_> {
    /// Runs the binary of the container to its end: what it printed, or what it and buildah said of its failure.
    pub fn try_run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.command(&[], arguments).output().unwrap();
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Starts the binary of the container, with a folder of this machine at `/data`.
    pub fn start(&self, data: &Path, arguments: &[&str]) -> Daemon {
        let volume = format!("{}:/data", data.display());
        Daemon::spawn(self.command(&["--volume", &volume, "--env", "TRIBUTARY_LOG__FORMAT=json"], arguments))
    }

    fn command(&self, options: &[&str], arguments: &[&str]) -> Command {
        let mut command = self.buildah.command("run");
        command.args(["--isolation", "chroot"]).args(options).args([&self.name, "--", "/usr/local/bin/tributary"]);
        command.args(arguments);
        command
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.buildah.command("rm").arg(&self.name).output().ok();
    }
}

/// SIGTERM to the process inside a container, as an engine sends it: buildah's own are not asked.
pub fn terminate(daemon: &Daemon) {
    let child = |process: &String| -> Option<String> {
        let threads = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
        let children = threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("children")).ok());
        children.collect::<String>().split_whitespace().next().map(str::to_owned)
    };
    let innermost = std::iter::successors(Some(daemon.id().to_string()), child).last().unwrap();
    succeed(Command::new("kill").args(["-TERM", &innermost]));
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
