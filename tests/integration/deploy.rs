//! What an operator gets: the image, the rules Prometheus alerts by, the dashboard, the chart.

mod compose;
mod demo;
mod image;
mod kubernetes;
mod permissions;
mod prometheus;

use tributary_tests::root;

#[test]
fn every_example_runs_the_tutorials_job() {
    let statements = |name: &str| {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let tutorial = statements("config/tutorial.sql");
    // The catalog is each example's own.
    let (_, tutorial) = tutorial.split_once("CREATE TABLE").unwrap();
    for example in ["deploy/compose/tutorial.sql", "deploy/kubernetes/example.yaml"] {
        assert!(statements(example).contains(tutorial), "{example} is not config/tutorial.sql any more");
    }
}
