//! A disk that is nearly full, for one process only: a small tmpfs in a mount namespace of its own.

use std::path::PathBuf;
use std::process::Command;

use crate::Scratch;
use crate::daemon::Daemon;

const OWN_MOUNTS: [&str; 3] = ["unshare", "--map-root-user", "--mount"];

/// Whether this machine lets a process have mounts of its own. Under CI it must.
pub fn available() -> bool {
    let allowed = Command::new(OWN_MOUNTS[0]).args(&OWN_MOUNTS[1..]).arg("true").status();
    let allowed = allowed.is_ok_and(|status| status.success());
    assert!(allowed || std::env::var_os("CI").is_none(), "this machine allows no mount namespaces");
    if !allowed {
        eprintln!("not tested: this machine allows no mount namespaces");
    }
    allowed
}

/// A daemon whose warehouse, `disk/warehouse` beside its job, has room for about a megabyte.
pub struct FullDisk {
    pub daemon: Daemon,
    disk: PathBuf,
}

// === impl FullDisk ===

impl FullDisk {
    /// Starts a job of 20,000 rows/s and waits until the disk is full.
    pub fn start(scratch: &Scratch, settings: &str, environment: &[(&str, &str)]) -> Self {
        let disk = scratch.path("disk");
        std::fs::create_dir(&disk).unwrap();
        let job = scratch.file(
            "job.sql",
            &format!(
                "{settings}
                CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'disk/warehouse');
                CREATE TABLE IF NOT EXISTS paimon.db.t (id STRING);
                CREATE TEMPORARY TABLE source (id STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '20000');
                INSERT INTO paimon.db.t SELECT id FROM source;"
            ),
        );
        let script = format!(
            "mount -t tmpfs -o size=2m tmpfs {disk} && head -c 1000000 /dev/zero > {disk}/ballast && exec \"$0\" \"$@\"",
            disk = disk.display()
        );
        let wrapper = [&OWN_MOUNTS[..], &["sh", "-c", &script]].concat();
        let mut daemon = Daemon::start_under(&wrapper, &job, environment);
        daemon.wait_for_line("No space left on device");
        Self { daemon, disk }
    }

    /// Makes room again.
    pub fn relieve(&self) {
        // The disk exists in the daemon's view of the file system only.
        let ballast = format!("/proc/{}/root{}/ballast", self.daemon.id(), self.disk.display());
        std::fs::remove_file(ballast).unwrap();
    }
}
