//! The compose file is one (it is not run: no registry of images is asked by tests), and keeps what it promises.

use std::process::Command;

use serde_json::Value;
use tributary_tests::engine::Engine;
use tributary_tests::root;

static COMPOSE: Engine = Engine::new("compose");

#[test]
fn every_service_has_a_health_check_and_ours_may_write_nowhere_else() {
    if !COMPOSE.available() {
        return;
    }
    // The loader of Docker Compose itself, which knows the specification's schema.
    let mut command = Command::new(COMPOSE.home().join("bin/cmd"));
    // Paths are relative to the file.
    command.args(["-format", "json", "compose.yaml"]).current_dir(root().join("deploy/compose"));
    let read = command.output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let model: Value = serde_json::from_slice(&read.stdout).unwrap();
    let mut ours = Vec::new();
    for (name, service) in model["services"].as_object().unwrap() {
        assert!(service["healthcheck"]["test"].is_array(), "{name} has no health check");
        for port in service["ports"].as_array().unwrap_or(&Vec::new()) {
            assert_eq!(port["host_ip"], "127.0.0.1", "{name} is open to other machines");
        }
        for volume in service["volumes"].as_array().unwrap_or(&Vec::new()) {
            let source = volume["source"].as_str().unwrap();
            assert!(volume["type"] != "bind" || std::path::Path::new(source).exists(), "{name}: there is no {source}");
        }
        if service["image"] == "tributary" {
            assert_eq!(service["read_only"], true, "{name}");
            assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
            assert_eq!(service["stop_grace_period"], "35s", "{name}: above job.drain-deadline");
            ours.push(name);
        }
    }
    assert_eq!(ours, ["catalog", "compactor", "daemon"]);
}
