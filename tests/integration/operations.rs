//! The daemon as an operator meets it at night: a full disk, a stop, a stuck pipeline, admin verbs.

use std::time::{Duration, Instant};

use serde_json::Value;
use tributary_tests::daemon::Daemon;
use tributary_tests::disk::{self, FullDisk};
use tributary_tests::{Scratch, binary, http};

/// A job that commits only when it is told to.
const HOURLY: &str = "
SET 'execution.checkpointing.interval' = '1 h';
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
CREATE TABLE IF NOT EXISTS paimon.db.t (id STRING);
CREATE TEMPORARY TABLE source (id STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');
INSERT INTO paimon.db.t SELECT id FROM source;
";

const TOKEN: &str = "planted-4fd1c2-token";

fn received(daemon: &mut Daemon) -> u64 {
    daemon.poll("/metrics", |answer| http::metric(&answer.body, "tributary_sink_rows_total")) as u64
}

fn wait_until_received(daemon: &mut Daemon, rows: u64) {
    daemon.poll("/metrics", |answer| {
        (http::metric(&answer.body, "tributary_sink_rows_total")? >= rows as f64).then_some(())
    });
}

#[test]
fn a_full_disk_is_waited_out_and_no_row_is_lost() {
    if !disk::available() {
        return;
    }
    let scratch = Scratch::new();
    let mut full = FullDisk::start(&scratch, "SET 'execution.checkpointing.interval' = '100 ms';", &[]);
    full.daemon.poll("/readyz?verbose", |answer| {
        let said = answer.body.contains("No space left on device");
        (answer.status == 503 && said).then_some(())
    });
    // A stuck pipeline still answers at once.
    for path in ["/livez", "/metrics", "/status"] {
        let begin = Instant::now();
        full.daemon.poll(path, |answer| (answer.status == 200).then_some(()));
        assert!(begin.elapsed() < Duration::from_secs(2), "{path} took {:?}", begin.elapsed());
    }
    let before = full.daemon.poll("/metrics", |answer| http::metric(&answer.body, "tributary_commit_rows_total"));
    full.relieve();
    full.daemon.wait_for_rows(before as u64 + 1);
}

#[test]
fn what_cannot_be_drained_in_time_ends_with_exit_code_7() {
    if !disk::available() {
        return;
    }
    let scratch = Scratch::new();
    let settings = "SET 'execution.checkpointing.interval' = '100 ms';";
    let full = FullDisk::start(&scratch, settings, &[("TRIBUTARY_JOB__DRAIN_DEADLINE", "200 ms")]);
    full.daemon.signal("TERM");
    let (status, log) = full.daemon.end();
    assert_eq!(status.code(), Some(7), "{log}");
}

#[test]
fn a_second_signal_stops_at_once() {
    if !disk::available() {
        return;
    }
    let scratch = Scratch::new();
    let settings = "SET 'execution.checkpointing.interval' = '100 ms';";
    let mut full = FullDisk::start(&scratch, settings, &[("TRIBUTARY_JOB__DRAIN_DEADLINE", "1 h")]);
    full.daemon.signal("TERM");
    full.daemon.wait_for_line("drains");
    let first = Instant::now();
    // So soon after the first it would be the same one again.
    full.daemon.poll("/readyz", |answer| (answer.status == 503 && first.elapsed().as_millis() > 500).then_some(()));
    full.daemon.signal("TERM");
    let (status, log) = full.daemon.end();
    assert_eq!(status.code(), Some(7), "{log}");
}

#[test]
fn a_signal_that_a_wrapper_sends_twice_is_one_stop() {
    let scratch = Scratch::new();
    // timeout passes a signal on to its child, and at once again to its child's group.
    let mut daemon = Daemon::start_under(&["timeout", "1h"], &scratch.file("job.sql", HOURLY), &[]);
    daemon.wait_for_rows(1);
    daemon.stop();
}

#[test]
fn a_stop_commits_what_was_read() {
    let scratch = Scratch::new();
    let mut daemon = Daemon::start(&scratch.file("job.sql", HOURLY), &[]);
    // Past the short first epoch, so that rows of an open epoch are among them.
    daemon.wait_for_rows(1);
    let read = received(&mut daemon) + 200;
    wait_until_received(&mut daemon, read);
    daemon.stop();
    let committed = binary::count(&scratch.warehouse(), "db.t");
    assert!(committed >= read, "{committed} rows committed, at least {read} were read");
}

#[test]
fn admin_verbs_need_the_token_and_do_what_they_say() {
    let scratch = Scratch::new();
    let mut daemon =
        Daemon::start_with(&scratch.file("job.sql", HOURLY), &[], &[("TRIBUTARY_HTTP__ADMIN_TOKEN", TOKEN)]);
    daemon.wait_for_rows(1);
    let address = daemon.address();
    let post = |path: &str, token, body: &str| http::post(address, path, token, body).unwrap();

    assert_eq!(post("/admin/checkpoint", None, "").status, 401);
    assert_eq!(post("/admin/checkpoint", Some("wrong"), "").status, 401);

    let read = received(&mut daemon) + 100;
    wait_until_received(&mut daemon, read);
    let answer = post("/admin/checkpoint", Some(TOKEN), "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(binary::count(&scratch.warehouse(), "db.t") >= read, "committed when it answers");

    assert_eq!(post("/admin/pause", Some(TOKEN), "").status, 200);
    // What was on its way arrives; the checkpoint after it holds everything.
    post("/admin/checkpoint", Some(TOKEN), "");
    let paused = received(&mut daemon);
    let ready = daemon.poll("/readyz", |answer| Some(answer.status));
    assert_eq!(ready, 200, "a quiet source is healthy");
    post("/admin/checkpoint", Some(TOKEN), "");
    assert_eq!(received(&mut daemon), paused, "a paused source makes no rows");
    assert_eq!(post("/admin/resume", Some(TOKEN), "").status, 200);
    wait_until_received(&mut daemon, paused + 1);

    assert_eq!(post("/admin/rate", Some(TOKEN), r#"{"rows-per-second": 0}"#).status, 400);
    assert_eq!(post("/admin/rate", Some(TOKEN), r#"{"rows-per-second": 5}"#).status, 200);
    let status = daemon.poll("/status", |answer| serde_json::from_str::<Value>(&answer.body).ok());
    assert_eq!(status["pipelines"][0]["rate_limit"], 5.0);

    let shown: Vec<String> = ["/status", "/metrics", "/readyz?verbose", "/"]
        .map(|path| daemon.poll(path, |answer| Some(answer.body.clone())))
        .into();
    let log = daemon.stop();
    assert!(!shown.concat().contains(TOKEN) && !log.contains(TOKEN), "the token was shown");
}

#[test]
fn without_a_token_admin_verbs_answer_403_with_the_remedy() {
    let scratch = Scratch::new();
    let mut daemon = Daemon::start(&scratch.file("job.sql", HOURLY), &[]);
    let answer = http::post(daemon.address(), "/admin/pause", Some("any"), "").unwrap();
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("http.admin-token"), "{}", answer.body);
}

#[test]
fn probes_and_their_aliases_tell_the_same() {
    let scratch = Scratch::new();
    let mut daemon = Daemon::start(&scratch.file("job.sql", HOURLY), &[]);
    daemon.wait_for_rows(1);
    for (path, alias) in [("/livez", "/healthz"), ("/livez", "/health"), ("/readyz", "/ready")] {
        let of =
            |daemon: &mut Daemon, path: &str| daemon.poll(path, |answer| Some((answer.status, answer.body.clone())));
        assert_eq!(of(&mut daemon, path), of(&mut daemon, alias), "{path}, {alias}");
        assert_eq!(of(&mut daemon, path).0, 200);
    }
}

/// Two starts of one bounded job: the second finds everything done, and says so by ending at once.
#[test]
fn a_bounded_source_ends_with_the_exact_count_and_is_not_started_over() {
    let scratch = Scratch::new();
    let job = HOURLY.replace("'rows-per-second' = '1000'", "'rows-per-second' = '100000', 'number-of-rows' = '12345'");
    let job = scratch.file("job.sql", &job);
    for _ in 0..2 {
        let (status, log) = Daemon::start(&job, &[]).end();
        assert_eq!(status.code(), Some(0), "{log}");
        assert_eq!(binary::count(&scratch.warehouse(), "db.t"), 12345);
    }
}
