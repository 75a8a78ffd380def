//! Requests made of good ones, with pieces of their path, body and headers replaced.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tributary_runtime::Random;
use tributary_tests::{Scratch, http};

use super::{create_table, serve, succeed};

#[test]
fn no_request_is_the_servers_fault() {
    let scratch = Scratch::new();
    let access = "[[principal]]\nname = \"f\"\ntoken = \"any\"\nwrite = [\"*\"]\naccess-key-id = \"id\"\naccess-key-secret = \"s\"\n";
    let file = format!("server.access-file={}", scratch.file("access.toml", access).display());
    let (server, address) = serve(&scratch, &["--set", &file]);
    succeed(address, "POST databases", &json!({"name": "d"}));
    let id = create_table(address, "t");
    let snapshot = json!({"version": 3, "id": 1, "schemaId": 0, "baseManifestList": "b", "deltaManifestList": "d", "commitUser": "u",
                          "commitIdentifier": 1, "commitKind": "APPEND", "timeMillis": 1, "totalRecordCount": 1, "deltaRecordCount": 1});
    let seeds = [
        ("GET", "/v1/config?warehouse=warehouse", Value::Null),
        ("GET", "/v1/warehouse/databases?maxResults=2&pageToken=a&databaseNamePattern=a%25", Value::Null),
        ("POST", "/v1/warehouse/databases", json!({"name": "e", "options": {"a": "b"}})),
        ("POST", "/v1/warehouse/databases/d", json!({"removals": ["a"], "updates": {"b": "c"}})),
        (
            "POST",
            "/v1/warehouse/databases/d/tables",
            json!({"identifier": {"database": "d", "object": "x"}, "schema": {"fields": [{"id": 0, "name": "a", "type": {"type": "ARRAY", "element": "INT"}}], "options": {}}}),
        ),
        (
            "POST",
            "/v1/warehouse/databases/d/tables/t",
            json!({"changes": [{"action": "addColumn", "fieldNames": ["y"], "dataType": "DECIMAL(3, 2)", "move": {"fieldName": "y", "type": "FIRST"}}]}),
        ),
        (
            "POST",
            "/v1/warehouse/databases/d/tables/t/commit",
            json!({"tableId": id, "baseSnapshotUuid": null, "snapshot": snapshot, "statistics": [{"spec": {}, "recordCount": 1}]}),
        ),
        (
            "POST",
            "/v1/warehouse/databases/d/tables/t/rollback",
            json!({"instant": {"type": "snapshot", "snapshotId": 1}, "fromSnapshot": 2}),
        ),
        (
            "POST",
            "/v1/warehouse/databases/d/tables/t/tags",
            json!({"tagName": "a", "snapshotId": 1, "timeRetained": "1 d"}),
        ),
        (
            "POST",
            "/v1/warehouse/databases/d/views",
            json!({"identifier": {"database": "d", "object": "v"}, "schema": {"fields": [{"id": 0, "name": "a", "type": "INT"}], "query": "q", "dialects": {"flink": "q"}}}),
        ),
        (
            "POST",
            "/v1/warehouse/databases/d/views/v",
            json!({"changes": [{"action": "addDialect", "dialect": "x", "query": "q"}, {"action": "updateComment", "comment": null}]}),
        ),
        ("GET", "/v1/warehouse/views?databaseNamePattern=d&viewNamePattern=v%25&pageToken=d.a", Value::Null),
        (
            "POST",
            "/v1/warehouse/databases/d/functions",
            json!({"name": "f", "inputParams": [{"id": 0, "name": "a", "type": "INT"}], "definitions": {"s": {"type": "sql", "definition": "a"}}}),
        ),
        ("POST", "/v1/warehouse/databases/d/tables/t/branches", json!({"branch": "b", "fromTag": "a"})),
        ("POST", "/v1/warehouse/databases/d/tables/t/branches/b/forward", json!({})),
        ("POST", "/v1/warehouse/databases/d/tables/t/consumers/reset", json!({"consumerId": "c", "nextSnapshotId": 1})),
        ("GET", "/v1/warehouse/databases/d/tables/t/consumers?maxResults=1", Value::Null),
        ("POST", "/v1/warehouse/databases/d/tables/t/partitions/list-by-names", json!({"specs": [{"a": "b"}]})),
        ("GET", "/v1/warehouse/databases/d/tables/t$branch_b/snapshots/LATEST", Value::Null),
        (
            "POST",
            "/v1/warehouse/tables/rename",
            json!({"source": {"database": "d", "object": "none"}, "destination": {"database": "d", "object": "u"}}),
        ),
    ];
    const DAY: &str = "20261123";
    let dlf = format!("DLF4-HMAC-SHA256 Credential=id/{DAY}/cn-x/DlfNext/aliyun_v4_request,Signature=00ff");
    let headers = [
        ("Authorization", "Bearer any"),
        ("Authorization", &dlf),
        ("Authorization", "acs id:AAECAwQ="),
        ("x-dlf-date", &format!("{DAY}T020000Z")),
        ("Date", "Mon, 23 Nov 2026 02:00:00 GMT"),
        ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ("Content-Type", "application/json"),
        ("x-dlf-security-token", "CAIS+/="),
        ("x-acs-signature-nonce", "1"),
        ("Accept", "application/json"),
        ("Cookie", "a=b"),
    ];
    let random = Random::seeded(7);
    let deadline = Instant::now() + Duration::from_secs(5); // the box of the search
    let mut asked = 0;
    while Instant::now() < deadline {
        let (method, path, body) = &seeds[pick(&random, seeds.len())];
        let mut parts = [(*path).to_owned(), if body.is_null() { String::new() } else { body.to_string() }];
        for _ in 0..=pick(&random, 3) {
            let part = pick(&random, 2);
            parts[part] = mutated(&random, &parts[part]);
        }
        // What would end the path or be no request at all is the HTTP library's to refuse.
        let path = parts[0].replace(|letter: char| !letter.is_ascii_graphic(), "%00");
        // Most are let in, so that the rest of the request is read at all.
        let mut sent = vec![("Authorization", "Bearer any".to_owned())];
        sent.truncate(pick(&random, 4));
        for _ in 0..pick(&random, 4) {
            let (name, value) = headers[pick(&random, headers.len())];
            sent.push((name, if pick(&random, 2) == 0 { value.to_owned() } else { mutated(&random, value) }));
        }
        let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = http::send(address, method, &path, &sent, &parts[1]).unwrap();
        asked += 1;
        assert!(answer.status < 500 || answer.status == 501, "{method} {path} {sent:?}\n{}\n-> {answer:?}", parts[1]);
    }
    println!("{asked} requests");
    let log = server.stop();
    assert!(!log.contains("panicked"), "{log}");
}

fn pick(random: &Random, below: usize) -> usize {
    usize::try_from(random.next_u64() % below as u64).unwrap()
}

/// The text with one piece replaced by something nasty, repeated or taken away.
fn mutated(random: &Random, text: &str) -> String {
    const NASTY: [&str; 16] = [
        "",
        "%00",
        "..",
        "/",
        "\\",
        "\"",
        "null",
        "-1",
        "9223372036854775808",
        "[[[[[[[[",
        "{}",
        "%FF",
        "$branch_",
        "é",
        "1e999",
        " ",
    ];
    let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let (a, b) = (bounds[pick(random, bounds.len())], bounds[pick(random, bounds.len())]);
    let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 12));
    let to = bounds.iter().copied().find(|bound| *bound >= to).unwrap();
    let middle = match pick(random, 3) {
        0 => text[from..to].repeat(2),
        _ => NASTY[pick(random, NASTY.len())].to_owned(),
    };
    format!("{}{middle}{}", &text[..from], &text[to..])
}
