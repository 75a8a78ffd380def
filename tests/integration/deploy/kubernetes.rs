//! The Helm chart: what it renders is valid Kubernetes, with every option in use and with none; the plain manifests
//! beside it are its rendering.

use std::process::Command;

use serde_json::Value;
use tributary_tests::daemon::Daemon;
use tributary_tests::engine::Engine;
use tributary_tests::{Scratch, binary, http, minio, root};

static HELM: Engine = Engine::new("helm");
static KUBERNETES: Engine = Engine::new("kubernetes");
static PROMETHEUS: Engine = Engine::new("prometheus");

/// The newest that the schemas know, and the oldest.
const VERSIONS: [&str; 2] = ["1.37.0", "1.32.0"];

/// Every optional part of the chart.
const EVERYTHING: &str = "
settings: |
  [log]
  format = \"json\"
imagePullSecrets: [registry]
networkPolicy:
  from: [{namespaceSelector: {matchLabels: {name: monitoring}}}]
monitoring: {serviceMonitor: true, rules: true, hold: 5m, smallFiles: 250, runbooks: 'https://example.com/alerts', labels: {release: prometheus}}
serviceAccount: {annotations: {example.com/role: writer}}
podAnnotations: {example.com/team: data}
nodeSelector: {kubernetes.io/arch: amd64}
tolerations: [{key: dedicated, operator: Exists}]
affinity: {nodeAffinity: {}}
";

#[test]
fn the_chart_renders_what_kubernetes_accepts() {
    if !HELM.available() || !KUBERNETES.available() || !PROMETHEUS.available() {
        return;
    }
    let scratch = Scratch::new();
    let everything = scratch.file("everything.yaml", EVERYTHING);
    let plain = render(&[]).unwrap();
    let full = render(&["--values", everything.to_str().unwrap()]).unwrap();
    let alone = render(&["--set", "compactor.enabled=false", "--values", everything.to_str().unwrap()]).unwrap();
    assert!(!alone.contains("compactor]") && !alone.contains("port: compactor"), "{alone}");
    assert_eq!(documents(&plain).len() + 2, documents(&full).len(), "two more for the Prometheus operator");

    // The operator's kinds are not Kubernetes' own.
    let all = [&plain, &full, &alone].map(|rendered| documents(rendered)).into_iter().flatten();
    let own: Vec<&str> = all.filter(|document| !document.contains("apiVersion: monitoring.coreos.com/v1\n")).collect();
    let manifests = scratch.file("manifests.yaml", &own.join("\n---\n"));
    for version in VERSIONS {
        let mut command = Command::new(KUBERNETES.home().join("bin/kubernetes-validate"));
        let done = command.args(["--strict", "--kubernetes-version", version]).arg(&manifests).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{version}: {said}");
    }

    let rule = documents(&full).into_iter().find(|document| document.contains("kind: PrometheusRule")).unwrap();
    let (_, rules) = rule.split_once("\nspec:\n").unwrap();
    let unindented: Vec<&str> = rules.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    let rules = scratch.file("rules.yml", &unindented.join("\n"));
    let promtool = PROMETHEUS.home().join("usr/bin/promtool");
    assert!(Command::new(promtool).args(["check", "rules"]).arg(rules).output().unwrap().status.success(), "{rule}");
    assert!(rule.contains("for: 5m\n") && !rule.contains("for: 2m\n"), "the hold is a value");
    let small_files = "expr: min_over_time(tributary_compaction_small_files{job=\"tributary\"}[30m]) > 250\n";
    assert!(rule.contains(small_files), "so is how many small files make a ticket");
    assert!(rule.contains("runbook_url: https://example.com/alerts#tributarydown\n"), "so is where the answers are");
}

#[test]
fn the_plain_manifests_are_the_charts() {
    if !HELM.available() {
        return;
    }
    let path = root().join("deploy/kubernetes/manifests.yaml");
    let rendered: String = render(&[]).unwrap().lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let expected = format!(
        "# What `helm template` makes of the chart with example.yaml, for clusters without Helm. Kept so by a test;\n\
         # TRIBUTARY_BLESS=1 writes it anew.\n{rendered}"
    );
    if std::env::var_os("TRIBUTARY_BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), expected, "TRIBUTARY_BLESS=1 writes it anew");
}

#[test]
fn what_the_manifests_start_fills_the_table_and_stops_within_its_grace() {
    let (true, Some(minio)) = (KUBERNETES.available(), minio::minio()) else { return };
    let resources = parsed("deploy/kubernetes/manifests.yaml");
    let of_kind = |kind: &str| resources.iter().find(|resource| resource["kind"] == kind).unwrap();
    let pod = &of_kind("StatefulSet")["spec"]["template"]["spec"];
    let scratch = Scratch::new();
    for (name, data) in of_kind("ConfigMap")["data"].as_object().unwrap() {
        scratch.file(name, data.as_str().unwrap());
    }
    let url = minio.bucket("manifests");
    let [endpoint, access_key, secret_key, _] = minio.options().map(|(_, value)| value);
    let start = |container: &Value| {
        let mut command = command(container, &scratch);
        command.envs([("WAREHOUSE", &url), ("S3_ENDPOINT", &endpoint)]);
        command.envs([("S3_ACCESS_KEY", &access_key), ("S3_SECRET_KEY", &secret_key)]);
        Daemon::spawn(command)
    };

    let mut daemon = start(&pod["containers"][0]);
    daemon.wait_for_rows(1);
    let mut compactor = start(&pod["containers"][1]);
    compactor.poll("/metrics", |answer| {
        http::metric(&answer.body, "tributary_compaction_last_success_timestamp_seconds").filter(|end| *end > 0.0)
    });
    compactor.stop();
    // What bounds the process is what the kubelet is told.
    let told = |line: &str, field: &str| serde_json::from_str::<Value>(line).ok()?[field].as_f64();
    let budget = daemon.wait_for("the budget", |line| told(line, "memory_bytes"));
    assert_eq!(pod["containers"][0]["resources"]["limits"]["memory"], format!("{}Mi", budget as u64 / (1 << 20) + 128));
    let log = daemon.stop();
    let deadline = log.lines().find_map(|line| told(line, "deadline_seconds"));
    let grace = pod["terminationGracePeriodSeconds"].as_f64().unwrap();
    assert!(deadline.is_some_and(|deadline| deadline < grace), "{deadline:?} of {grace} s");
}

/// What a container starts, with the files of its first mount in a folder.
fn command(container: &Value, folder: &Scratch) -> Command {
    let mounted = format!("{}/", container["volumeMounts"][0]["mountPath"].as_str().unwrap());
    let here = folder.path("").display().to_string();
    let mut command = binary::command(&[]);
    for argument in container["args"].as_array().unwrap() {
        command.arg(argument.as_str().unwrap().replace(&mounted, &here));
    }
    for variable in container["env"].as_array().unwrap() {
        command.env(variable["name"].as_str().unwrap(), variable["value"].as_str().unwrap());
    }
    command
}

#[test]
fn a_chart_without_a_job_says_so() {
    if !HELM.available() {
        return;
    }
    let refused = render(&["--set", "job="]).unwrap_err();
    assert!(refused.contains("the job's SQL is missing"), "{refused}");
}

#[test]
fn a_value_the_chart_does_not_know_is_refused() {
    if !HELM.available() {
        return;
    }
    for (typo, named) in [("memoryMb=64", "memoryMb"), ("image.name=x", "name"), ("memoryMiB=64mb", "memoryMiB")] {
        let refused = render(&["--set", typo]).unwrap_err();
        assert!(refused.contains(named), "{typo}: {refused}");
    }
}

#[test]
fn every_value_of_the_chart_is_documented() {
    let values = std::fs::read_to_string(root().join("deploy/kubernetes/tributary/values.yaml")).unwrap();
    let mut before = "";
    for line in values.lines() {
        let is_key = line.contains(':') && !line.trim_start().starts_with('#');
        let is_section = is_key && line.ends_with(':');
        assert!(!is_key || is_section || before.trim_start().starts_with("# "), "no comment above {line:?}");
        before = line;
    }
}

/// The chart with the values of the example and these arguments.
fn render(arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(HELM.home().join("bin/helm"));
    command.args(["template", "tutorial", "deploy/kubernetes/tributary", "--namespace", "tributary"]);
    // Helm as a Go module knows no version of its own.
    command.args(["--kube-version", VERSIONS[0], "--values", "deploy/kubernetes/example.yaml"]).args(arguments);
    let done = command.current_dir(root()).output().unwrap();
    match done.status.success() {
        true => Ok(String::from_utf8(done.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
    }
}

/// The documents of a file of the repository, by the parser that Kubernetes' validator has.
fn parsed(name: &str) -> Vec<Value> {
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let mut python = Command::new(KUBERNETES.home().join("bin/python"));
    let done = python.args(["-c", script, name]).current_dir(root()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn documents(rendered: &str) -> Vec<&str> {
    rendered.split("---\n").filter(|document| document.contains("kind: ")).collect()
}
