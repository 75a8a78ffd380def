//! What to make of a number or a port that `tributary check` found, and what to do about it.

use std::net::SocketAddr;
use std::time::Duration;

use indicatif::{BinaryBytes, HumanDuration};
use tributary_http::{HttpError, listen};
use tributary_runtime::FailureKind;

use crate::failure::Failure;
use crate::health;

/// A job of the tutorial's size writes for days into this.
const LITTLE_DISK_BYTES: u64 = 1 << 30;

/// Machines that are kept on time are nearer.
const NOTABLE_SKEW_MILLIS: u64 = 60_000;

/// The alert TributaryCredentialsExpire warns as early.
const SOON_MILLIS: i64 = 300_000;

/// What a line says.
#[derive(Debug)]
pub(super) enum Verdict {
    Ok(String),
    /// It would run, but perhaps not well or not for long: what is wrong, and what to do.
    Warning(String),
    Failed(Failure),
}

/// An error with what to do about it. Our messages put that behind a semicolon; what a store or a catalog answered, or that it
/// does not, has none.
pub(super) fn with_remedy(text: String, kind: FailureKind) -> String {
    let remedy = match kind {
        _ if text.contains(';') => "",
        FailureKind::Transient => {
            "; a job waits until this is over: see that the other side runs, and that its address can be reached from here"
        }
        FailureKind::Auth => "; see whose credentials these are, and what they may do (docs/operations.md#permissions)",
        _ => "",
    };
    text + remedy
}

/// Whether a process could listen where `setting` says. A port is taken for a moment to see.
pub(super) fn port(address: SocketAddr, setting: &'static str) -> Verdict {
    match listen(address, setting) {
        Ok(_) if address.port() == 0 => Verdict::Ok(format!("any free one of {}", address.ip())),
        Ok(_) => Verdict::Ok(format!("{address} is free")),
        Err(in_use @ HttpError::PortInUse { .. }) => match health::version(address) {
            Some(version) => Verdict::Warning(format!(
                "{address} is held by a running tributary {version}; stop it before another one starts here, or choose another \
                 address with --listen or {setting}"
            )),
            None => Verdict::Failed(in_use.into()),
        },
        Err(error) => Verdict::Failed(error.into()),
    }
}

/// `free` bytes on the disk of a warehouse.
pub(super) fn disk(free: u64) -> Verdict {
    let shown = format!("{} free", BinaryBytes(free));
    match free < LITTLE_DISK_BYTES {
        true => Verdict::Warning(format!("{shown}; make room, or choose another warehouse")),
        false => Verdict::Ok(shown),
    }
}

/// How far this machine's clock is ahead of the store's or the catalog's.
pub(super) fn clock(ahead_millis: i64) -> Verdict {
    let seconds = ahead_millis.unsigned_abs() / 1000;
    let direction = if ahead_millis > 0 { "ahead of" } else { "behind" };
    match ahead_millis.unsigned_abs() > NOTABLE_SKEW_MILLIS {
        true => Verdict::Warning(format!(
            "this machine is {seconds} s {direction} it; correct the clock: rows are stamped by it, and from a quarter \
             of an hour on signatures are refused"
        )),
        false => Verdict::Ok("this machine agrees with it".to_owned()),
    }
}

/// How long a catalog will accept what it accepts now.
pub(super) fn credentials(left_millis: i64) -> Verdict {
    let left = HumanDuration(Duration::from_millis(u64::try_from(left_millis).unwrap_or_default()));
    match left_millis < SOON_MILLIS {
        true => Verdict::Warning(format!(
            "valid for {left} more; nobody has renewed them yet: look at what writes dlf.token-path, or at the metadata service"
        )),
        false => Verdict::Ok(format!("valid for {left}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::TcpListener;

    use super::*;

    fn shown(verdict: Verdict) -> String {
        match verdict {
            Verdict::Ok(text) => format!("ok {text}"),
            Verdict::Warning(text) => format!("WARNING {text}"),
            Verdict::Failed(failure) => format!("FAILED {}", failure.text()),
        }
    }

    #[test]
    fn numbers_are_judged_and_what_is_wrong_has_its_remedy() {
        for (verdict, expected) in [
            (disk(20 << 30), "ok 20.00 GiB free"),
            (disk(300 << 20), "WARNING 300.00 MiB free; make room"),
            (clock(0), "ok this machine agrees"),
            (clock(-60_000), "ok this machine agrees"),
            (clock(3_600_000), "WARNING this machine is 3600 s ahead of it; correct the clock"),
            (clock(-600_000), "WARNING this machine is 600 s behind it; correct the clock"),
            (clock(i64::MIN), "WARNING this machine is"),
            (credentials(3_600_000), "ok valid for 60 minutes"),
            (credentials(299_000), "WARNING valid for 5 minutes more; nobody has renewed them yet"),
            (credentials(-1), "WARNING valid for 0 seconds more; nobody has renewed them yet"),
        ] {
            let verdict = shown(verdict);
            assert!(verdict.starts_with(expected), "{verdict:?}, not {expected:?}");
        }
    }

    #[test]
    fn a_failure_has_one_remedy() {
        for (text, kind, expected) in [
            ("cannot connect: refused", FailureKind::Transient, "refused; a job waits until this is over"),
            ("403: AccessDenied", FailureKind::Auth, "AccessDenied; see whose credentials"),
            ("no space; make room on the disk", FailureKind::Transient, "make room on the disk"),
        ] {
            let told = with_remedy(text.to_owned(), kind);
            assert!(told.contains(expected) && told.matches(';').count() == 1, "{told}");
        }
    }

    #[test]
    fn a_port_is_free_or_somebody_holds_it() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        // Whoever holds it says nothing, and hangs up.
        let silent = shown(std::thread::scope(|threads| {
            threads.spawn(|| drop(held.accept()));
            port(address, "http.listen")
        }));
        assert!(
            silent.starts_with(&format!("FAILED cannot listen on {address}: the port is in use; stop")),
            "{silent}"
        );
        drop(held);
        assert_eq!(shown(port(address, "http.listen")), format!("ok {address} is free"));
        assert_eq!(shown(port("127.0.0.1:0".parse().unwrap(), "http.listen")), "ok any free one of 127.0.0.1");
    }
}
