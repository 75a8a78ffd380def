//! The least that docs/operations.md says a job and a reader need on S3 is enough, on a store that enforces it.

use serde_json::{Value, json};
use tributary_tests::daemon::Daemon;
use tributary_tests::minio::{self, Minio};
use tributary_tests::table::block_on;
use tributary_tests::{Scratch, binary, root};

use crate::object_store::{TABLE, job};

#[test]
fn what_the_documented_permissions_allow_is_enough() {
    let Some(minio) = minio::minio() else { return };
    let url = format!("{}/warehouse", minio.bucket("permissions"));
    let scratch = Scratch::new();
    let [writer, reader] = ["| daemon, on S3 |", "| who only reads, on S3 |"].map(|row| options(minio, row));

    let as_writer = job(&scratch, &url, &writer);
    let checked = check(&as_writer);
    assert!(!checked.contains("FAILED") && checked.contains("creates files only if absent"), "{checked}");
    let mut daemon = Daemon::start(&as_writer, &[]);
    daemon.wait_for_rows(1000);
    daemon.stop();

    let given: Vec<String> = reader.iter().map(|(key, value)| format!("--catalog-option={key}={value}")).collect();
    let of_table = |verb: &str| {
        let mut arguments = vec!["table", verb, TABLE, "--warehouse", &url];
        arguments.extend(given.iter().map(String::as_str));
        binary::run(&arguments)
    };
    let count = String::from_utf8(of_table("count").stdout).unwrap();
    assert!(count.trim().parse::<u64>().unwrap() >= 1000, "{count}");
    assert!(of_table("head").status.success() && of_table("files").status.success());

    let checked = check(&job(&scratch, &url, &reader));
    assert!(
        checked.contains("FAILED  ") && checked.contains("AccessDenied") && checked.contains("#permissions"),
        "{checked}"
    );
}

fn check(job: &std::path::Path) -> String {
    let done = binary::run(&["check", job.to_str().unwrap(), "--set", "http.listen=127.0.0.1:0"]);
    String::from_utf8(done.stdout).unwrap()
}

/// How a catalog is opened by who may do no more than this row of the page says.
fn options(minio: &Minio, row: &str) -> Vec<(&'static str, String)> {
    let page = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let row = page.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("no row {row:?}"));
    let actions: Vec<&str> = row.split('`').filter(|word| word.starts_with("s3:")).collect();
    let (of_bucket, of_objects): (Vec<&str>, Vec<&str>) =
        actions.into_iter().partition(|action| *action == "s3:ListBucket");
    let allow = |actions: Vec<&str>, resource: &str| -> Value {
        json!({"Effect": "Allow", "Action": actions, "Resource": [format!("arn:aws:s3:::permissions{resource}")]})
    };
    let statements = [allow(of_bucket, ""), allow(of_objects, "/warehouse/*")];
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    let keys = block_on(minio.assume_role(Some(&policy)));
    let mut options = minio.options().to_vec();
    options[1].1 = keys.access_key;
    options[2].1 = keys.secret_key;
    options.push(("s3.session-token", keys.session_token.unwrap()));
    options
}
