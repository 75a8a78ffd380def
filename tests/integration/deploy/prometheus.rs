//! The rules and the dashboard: every metric they name exists, every alert is tested and has an answer, and a real
//! Prometheus that scrapes the real daemon alerts when its commits stop.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tributary_tests::daemon::Daemon;
use tributary_tests::engine::Engine;
use tributary_tests::{PATIENCE, Scratch, http, root};

static PROMETHEUS: Engine = Engine::new("prometheus");

const RULES: &str = "deploy/prometheus/rules.yml";
const UNIT_TESTS: &str = "deploy/prometheus/rules.test.yml";
const DASHBOARD: &str = "deploy/grafana/tributary.json";
const ANSWERS: &str = "docs/alerts.md";

#[test]
fn every_metric_named_is_exported() {
    let known = exported();
    for file in [RULES, UNIT_TESTS, DASHBOARD, ANSWERS] {
        let unknown: Vec<String> =
            metrics_named(&read(file)).into_iter().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}, which docs/reference/metrics.md does not");
    }
}

#[test]
fn every_alert_is_unit_tested_and_has_its_answer() {
    let (rules, tests, answers) = (read(RULES), read(UNIT_TESTS), read(ANSWERS));
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in &alerts {
        let anchor = alert.to_lowercase();
        assert!(rules.contains(&format!("runbook_url: {ANSWERS}#{anchor}\n")), "{alert} does not lead to its answer");
        assert!(answers.contains(&format!("\n## {alert}\n")), "{ANSWERS} has no answer to {alert}");
        assert!(tests.contains(&format!("runbook_url: {ANSWERS}#{anchor}\n")), "no unit test lets {alert} fire");
    }
    let answered: Vec<&str> = answers.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(answered, alerts, "the answers stand in the order of the alerts");
}

#[test]
fn the_rules_alert_as_their_unit_tests_say() {
    if !PROMETHEUS.available() {
        return;
    }
    let folder = root().join("deploy/prometheus");
    for arguments in [
        &["check", "config", "prometheus.yml"][..],
        &["check", "config", "--syntax-only", "../compose/prometheus.yml"],
        &["test", "rules", "rules.test.yml"],
    ] {
        let done = program("promtool").args(arguments).current_dir(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "promtool {arguments:?}: {said}");
    }
}

#[test]
fn alerts_fire_when_commits_stop_and_end_when_they_go_on() {
    if !PROMETHEUS.available() {
        return;
    }
    let scratch = Scratch::new();
    let mut catalog = Daemon::serve_catalog(&scratch.warehouse(), 0, &[]);
    let job = format!(
        "SET 'execution.checkpointing.interval' = '1 s';
        CREATE CATALOG c WITH ('type' = 'paimon', 'metastore' = 'rest', 'uri' = 'http://{}', 'warehouse' = 'warehouse',
          'token.provider' = 'bear', 'token' = 'any');
        CREATE TABLE c.db.t (id STRING) WITH ('write-only' = 'true');
        CREATE TEMPORARY TABLE source (id STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
        INSERT INTO c.db.t SELECT id FROM source;",
        catalog.address()
    );
    let mut daemon = Daemon::start(&scratch.file("job.sql", &job), &[]);
    daemon.wait_for_rows(1);
    let settings = format!(
        "[catalog.c]\nmetastore = \"rest\"\nuri = \"http://{}\"\nwarehouse = \"warehouse\"\n\"token.provider\" = \"bear\"\n\
         token = \"any\"\n[[compactor.policy]]\ntable = \"db.t\"\naction = \"expire_snapshots\"\ninterval = \"1 h\"\n",
        catalog.address()
    );
    let mut compactor = Daemon::compactor(&scratch.file("compactor.toml", &settings));
    let server = Server::start(&scratch, [daemon.address(), compactor.address(), catalog.address()]);
    let rows = "tributary_commit_rows_total";
    server.wait_for("rows to be scraped", || server.query(rows).is_some_and(|series| !series.is_empty()));
    let metrics = |answer: &http::Answer| (answer.status == 200).then(|| answer.body.clone());
    for page in [&mut daemon, &mut compactor, &mut catalog].map(|process| process.poll("/metrics", metrics)) {
        let mut linter = program("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn().unwrap();
        linter.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        assert!(linter.wait().unwrap().success(), "promtool finds fault with:\n{page}");
    }
    // Waited for each time: a busy machine may be late with a commit or a scrape.
    let none = Some(BTreeSet::new());
    server.wait_for("all to be well", || server.firing() == none);

    // Who asks it now waits: it is there, and says nothing.
    catalog.signal("STOP");
    let both = Some(BTreeSet::from(["TributaryCommitsOverdue", "TributaryDown"].map(str::to_owned)));
    server.wait_for("both to alert", || server.firing() == both);
    catalog.signal("CONT");
    server.wait_for("both to end", || server.firing() == none);
    daemon.stop();
    compactor.stop();
    catalog.stop();
}

/// A Prometheus that looks five times a second and waits one second where the rules wait two minutes.
struct Server {
    process: Child,
    address: SocketAddr,
}

// === impl Server ===

impl Server {
    /// For a daemon, a compactor and a catalog server.
    fn start(scratch: &Scratch, [daemon, compactor, catalog]: [SocketAddr; 3]) -> Self {
        scratch.file("rules.yml", &read(RULES).replace("for: 2m", "for: 1s"));
        let mut config = read("deploy/prometheus/prometheus.yml");
        for (written, here) in [
            ("15s", "200ms".to_owned()),
            ("127.0.0.1:9249", daemon.to_string()),
            ("127.0.0.1:9250", compactor.to_string()),
            ("127.0.0.1:9190", catalog.to_string()),
        ] {
            assert!(config.contains(written), "no {written} in {config}");
            config = config.replace(written, &here);
        }
        let log = scratch.path("prometheus.log");
        let process = program("prometheus")
            .arg(format!("--config.file={}", scratch.file("prometheus.yml", &config).display()))
            .arg(format!("--storage.tsdb.path={}", scratch.path("prometheus").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let said = || std::fs::read_to_string(&log).unwrap();
        let address = poll(|| said().split_once("\"Listening on\" address=")?.1.split_once('\n')?.0.parse().ok());
        Self { process, address: address.unwrap_or_else(|| panic!("Prometheus does not listen:\n{}", said())) }
    }

    fn wait_for(&self, what: &str, is_so: impl Fn() -> bool) {
        poll(|| is_so().then_some(()))
            .unwrap_or_else(|| panic!("waited in vain for {what}; firing: {:?}", self.firing()));
    }

    /// The names of the alerts that fire; `None` until Prometheus answers.
    fn firing(&self) -> Option<BTreeSet<String>> {
        let series = self.query("ALERTS%7Balertstate=%22firing%22%7D")?;
        Some(series.iter().map(|one| one["metric"]["alertname"].as_str().unwrap().to_owned()).collect())
    }

    /// The series of an expression now; `None` until Prometheus answers.
    fn query(&self, expression: &str) -> Option<Vec<Value>> {
        let answer = http::get(self.address, &format!("/api/v1/query?query={expression}")).ok()?;
        let answer: Value = (answer.status == 200).then(|| serde_json::from_str(&answer.body).unwrap())?;
        answer["data"]["result"].as_array().cloned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// What `ask` finds, asked until it finds something; `None` when patience is at an end.
fn poll<T>(ask: impl Fn() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = ask();
        if found.is_some() || Instant::now() >= deadline {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50)); // the pause of a poll
    }
}

fn program(name: &str) -> Command {
    Command::new(PROMETHEUS.home().join("usr/bin").join(name))
}

fn read(name: &str) -> String {
    let path: PathBuf = root().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The series of docs/reference/metrics.md, which is generated from the code, and those the rules record.
fn exported() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in read("docs/reference/metrics.md").lines() {
        let mut cells = line.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`']));
        let (Some(name), Some(kind)) = (cells.next(), cells.next()) else { continue };
        match kind {
            "histogram" => names.extend(["bucket", "sum", "count"].map(|part| format!("{name}_{part}"))),
            _ => _ = names.insert(name.to_owned()),
        }
        // People read of a histogram by its own name.
        names.insert(name.to_owned());
    }
    names.extend(read(RULES).lines().filter_map(|line| line.trim().strip_prefix("- record: ").map(str::to_owned)));
    names
}

/// Every word that looks like a metric of ours or of the process.
fn metrics_named(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = text.split(|c| !is_part(c)).map(|word| word.trim_end_matches(':'));
    let ours = words.filter(|word| ["tributary_", "process_", "pipeline:"].iter().any(|start| word.starts_with(start)));
    // A sentence may name a group: `tributary_commit_*`.
    ours.filter(|word| !word.ends_with('_')).map(str::to_owned).collect()
}
