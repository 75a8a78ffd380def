//! Views and functions.

use super::*;

fn view(database: &str, name: &str) -> Value {
    json!({
        "identifier": {"database": database, "object": name},
        "schema": {
            "fields": [{"id": 0, "name": "a", "type": {"type": "ARRAY", "element": "INT NOT NULL"}}], "query": "SELECT 1",
            "dialects": {"flink": "SELECT 1"}, "comment": "c", "options": {"k": "v"}
        }
    })
}

fn function(name: &str) -> Value {
    json!({
        "name": name, "inputParams": [{"id": 0, "name": "x", "type": "INT"}], "returnParams": null, "deterministic": true,
        "definitions": {"spark": {"type": "lambda", "definition": "(x) -> x", "language": "JAVA"}}, "comment": null, "options": null
    })
}

fn rename((database, name): (&str, &str), (to_database, to_name): (&str, &str)) -> Value {
    json!({"source": {"database": database, "object": name}, "destination": {"database": to_database, "object": to_name}})
}

#[tokio::test]
async fn views_and_functions_are_created_listed_and_survive_a_restart() {
    let world = World::new();
    let service = world.open().await;
    with_table(&service).await;
    ask(&service, "POST databases", json!({"name": "e"})).await.unwrap();
    for (target, body, expected) in [
        ("databases/d/views", view("d", "v"), Ok(Value::Null)),
        ("databases/d/views", view("d", "v"), Err(409)),
        ("databases/d/views", view("d", "t"), Err(409)),
        ("databases/d/views", view("e", "v"), Err(400)),
        ("databases/none/views", view("none", "v"), Err(404)),
        ("databases/d/views", view("d", "a/b"), Err(400)),
        ("databases/d/views", json!({"identifier": {"database": "d", "object": "x"}}), Err(400)),
        ("databases/e/views", view("e", "w"), Ok(Value::Null)),
        ("databases/d/functions", function("f"), Ok(Value::Null)),
        ("databases/d/functions", function("f"), Err(409)),
        ("databases/d/functions", function("t"), Ok(Value::Null)),
        ("databases/d/functions", json!({"name": "g", "definitions": {"a": {"type": "magic"}}}), Err(400)),
        ("databases/d/tables", definition("d", "v"), Err(409)),
        ("views/rename", rename(("e", "w"), ("d", "t")), Err(409)),
        ("views/rename", rename(("e", "w"), ("d", "w")), Ok(Value::Null)),
        ("views/rename", rename(("e", "w"), ("d", "x")), Err(404)),
        ("tables/rename", rename(("d", "t"), ("d", "w")), Err(409)),
    ] {
        assert_eq!(ask(&service, &format!("POST {target}"), body.clone()).await, expected, "{target} {body}");
    }
    for service in [service, world.open().await] {
        for (target, expected) in [
            ("databases/d/views", json!({"views": ["v", "w"], "nextPageToken": null})),
            ("databases/d/views?maxResults=1", json!({"views": ["v"], "nextPageToken": "v"})),
            ("databases/d/views?pageToken=v", json!({"views": ["w"], "nextPageToken": null})),
            ("databases/d/views?viewNamePattern=w%25", json!({"views": ["w"], "nextPageToken": null})),
            ("databases/e/views", json!({"views": [], "nextPageToken": null})),
            ("databases/d/functions?functionNamePattern=f", json!({"functions": ["f"], "nextPageToken": null})),
            ("views?maxResults=1", json!({"views": [{"database": "d", "object": "v"}], "nextPageToken": "d.v"})),
            ("views?pageToken=d.v", json!({"views": [{"database": "d", "object": "w"}], "nextPageToken": null})),
            ("functions?databaseNamePattern=e", json!({"functions": [], "nextPageToken": null})),
        ] {
            assert_eq!(get(&service, target).await.unwrap(), expected, "{target}");
        }
        let found = get(&service, "databases/d/views/v").await.unwrap();
        assert_eq!((&found["name"], &found["owner"]), (&json!("v"), &json!("test")));
        assert_eq!(found["schema"], view("d", "v")["schema"]);
        let details = get(&service, "databases/d/view-details?viewNamePattern=v").await.unwrap();
        assert_eq!(details, json!({"viewDetails": [found], "nextPageToken": null}));
        let found = get(&service, "databases/d/functions/f").await.unwrap();
        for member in ["name", "inputParams", "returnParams", "deterministic", "definitions", "comment"] {
            assert_eq!(found[member], function("f")[member], "{member}");
        }
        assert!(found["uuid"].is_string() && found["createdBy"] == "test", "{found}");
        assert_eq!(get(&service, "databases/d/functions/none").await, Err(404));
    }
    let service = world.open().await;
    ask(&service, "DELETE databases/d/views/v", Value::Null).await.unwrap();
    assert_eq!(ask(&service, "DELETE databases/d/views/v", Value::Null).await, Err(404));
    ask(&service, "DELETE databases/d", Value::Null).await.unwrap();
    ask(&service, "POST databases", json!({"name": "d"})).await.unwrap();
    assert_eq!(get(&service, "functions").await.unwrap()["functions"], json!([]));
    assert_eq!(get(&service, "databases/d/views/w").await, Err(404));
}

#[tokio::test]
async fn changes_of_a_view_or_function_happen_together_or_not_at_all() {
    let world = World::new();
    let service = world.open().await;
    with_table(&service).await;
    ask(&service, "POST databases/d/views", view("d", "v")).await.unwrap();
    ask(&service, "POST databases/d/functions", function("f")).await.unwrap();
    let set = json!({"action": "setOption", "key": "x", "value": "1"});
    let sql = json!({"type": "sql", "definition": "x + 1"});
    for (target, changes, expected) in [
        ("views/v", json!([set, {"action": "addDialect", "dialect": "flink", "query": "q"}]), Err(409)),
        ("views/v", json!([set, {"action": "updateDialect", "dialect": "spark", "query": "q"}]), Err(404)),
        ("views/v", json!([set, {"action": "dropDialect", "dialect": "spark"}]), Err(404)),
        ("views/v", json!([set, {"action": "unheard"}]), Err(400)),
        ("views/none", json!([set]), Err(404)),
        ("functions/f", json!([set, {"action": "addDefinition", "name": "spark", "definition": sql}]), Err(409)),
    ] {
        let changed = ask(&service, &format!("POST databases/d/{target}"), json!({"changes": changes})).await;
        assert_eq!(changed, expected, "{target} {changes}");
    }
    assert_eq!(get(&service, "databases/d/views/v").await.unwrap()["schema"]["options"], json!({"k": "v"}));
    let changes = json!([
        {"action": "setOption", "key": "x", "value": "1"}, {"action": "removeOption", "key": "k"},
        {"action": "updateComment", "comment": null}, {"action": "addDialect", "dialect": "spark", "query": "q"},
        {"action": "updateDialect", "dialect": "spark", "query": "q2"}, {"action": "dropDialect", "dialect": "flink"}
    ]);
    ask(&service, "POST databases/d/views/v", json!({"changes": changes})).await.unwrap();
    let schema = &get(&service, "databases/d/views/v").await.unwrap()["schema"];
    assert_eq!((&schema["options"], &schema["dialects"]), (&json!({"x": "1"}), &json!({"spark": "q2"})));
    assert_eq!(schema["comment"], Value::Null);
    let file = json!({"type": "file", "fileResources": [{"resourceType": "jar", "uri": "u"}], "language": "JAVA",
                      "className": "C", "functionName": "f"});
    let changes = json!([
        {"action": "updateDefinition", "name": "spark", "definition": sql},
        {"action": "addDefinition", "name": "flink", "definition": file}
    ]);
    ask(&service, "POST databases/d/functions/f", json!({"changes": changes})).await.unwrap();
    let definitions = &get(&service, "databases/d/functions/f").await.unwrap()["definitions"];
    assert_eq!((&definitions["spark"], &definitions["flink"]), (&sql, &file));
}
