//! The binary as a user meets it: what it says, what it prints, how it exits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const SECRET: &str = "planted-4b1d";

const JOB: &str = "\
CREATE CATALOG paimon WITH ('type' = 'paimon', 'warehouse' = 'warehouse');
CREATE TABLE IF NOT EXISTS paimon.db.t (id STRING, n INT, hh STRING) PARTITIONED BY (hh) WITH ('write-only' = 'true');
CREATE TEMPORARY TABLE gen (id STRING, n INT) WITH ('connector' = 'datagen', 'number-of-rows' = '40',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '40');
INSERT INTO paimon.db.t SELECT id, n, CASE WHEN n <= 30 THEN 'a' ELSE 'b' END FROM gen;
";

fn tributary(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRIBUTARY_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with the job, run to its end.
fn filled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("job.sql"), JOB).unwrap();
    let ran = tributary(folder.path(), &["run", "job.sql", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran.stderr));
    folder
}

fn printed(folder: &Path, arguments: &[&str]) -> String {
    let arguments = [&["table"], arguments, &["--warehouse", "warehouse"]].concat();
    let done = tributary(folder, &arguments);
    assert_eq!(done.status.code(), Some(0), "{arguments:?}: {}", said(&done.stderr));
    said(&done.stdout)
}

#[test]
fn a_bounded_job_ends_by_itself_and_its_table_can_be_looked_into() {
    let folder = filled();
    let print = |arguments: &[&str]| printed(folder.path(), arguments);
    for (arguments, expected) in [
        (&["count", "db.t"][..], "40\n"),
        (&["count", "paimon.db.t"], "40\n"),
        (&["count", "db.t", "--partition", "hh=a"], "30\n"),
        (&["count", "db.t", "--partition", "hh=b;hh=c"], "10\n"),
        (&["count", "db.t", "--partition", "{b}; [a]"], "40\n"),
        (&["count", "db.t", "--snapshot", "1"], "0\n"),
        (&["count", "db.t", "--format", "json"], "{\"count\":40}\n"),
    ] {
        assert_eq!(print(arguments), expected, "{arguments:?}");
    }
    let head = print(&["head", "db.t", "--limit", "3", "--partition", "hh=b", "--format", "csv"]);
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!((lines.len(), lines[0]), (4, "id,n,hh"));
    assert!(lines[1..].iter().all(|line| line.ends_with(",b")), "{head}");

    let files = print(&["files", "db.t", "--format", "csv"]);
    assert_eq!(
        files.lines().next().unwrap(),
        "partition,bucket,file_path,file_format,schema_id,level,record_count,file_size_in_bytes,min_key,max_key,\
         null_value_counts,min_value_stats,max_value_stats,min_sequence_number,max_sequence_number,creation_time,\
         deleteRowCount,file_source,first_row_id,write_cols"
    );
    let first = files.lines().find(|line| line.starts_with("{a},0,")).unwrap();
    assert!(first.contains("\"{hh=0, id=0, n=0}\",\"{hh=a, id="), "{first}");
    assert!(first.ends_with(",0,APPEND,,"), "{first}");

    let snapshots = print(&["snapshots", "db.t", "--limit", "1", "--format", "json"]);
    let newest: serde_json::Value = serde_json::from_str(&snapshots).unwrap();
    assert_eq!(newest["total_record_count"], 40);
    assert_eq!(newest["commit_kind"], "APPEND");
}

#[test]
fn the_metadata_of_a_table_is_shown_as_paimons_system_tables_show_it() {
    let folder = filled();
    let schema = folder.path().join("warehouse/db.db/t/schema/schema-0");
    let written = std::fs::read_to_string(&schema).unwrap();
    let planted = format!("\"options\" : {{ \"fs.s3.secret-key\" : \"{SECRET}\", ");
    std::fs::write(&schema, written.replace("\"options\" : {", &planted)).unwrap();
    let print = |arguments: &[&str]| printed(folder.path(), &[arguments, &["--format", "csv"]].concat());
    for (verb, header) in [
        (
            "partitions",
            "partition,record_count,file_size_in_bytes,file_count,last_update_time,created_at,created_by,updated_by,options,\
             total_buckets,done,deleted_record_count",
        ),
        (
            "manifests",
            "file_name,file_size,num_added_files,num_deleted_files,schema_id,min_partition_stats,max_partition_stats,\
             min_row_id,max_row_id",
        ),
        ("schemas", "schema_id,fields,partition_keys,primary_keys,options,comment,update_time"),
        ("options", "key,value"),
        ("tags", "tag_name,snapshot_id,schema_id,commit_time,record_count,create_time,time_retained"),
        ("consumers", "consumer_id,next_snapshot_id"),
    ] {
        let told = print(&[verb, "db.t"]);
        assert_eq!(told.lines().next(), Some(header));
        assert!(!told.contains(SECRET), "{told}");
    }
    let partitions = print(&["partitions", "db.t"]);
    assert!(partitions.contains("\nhh=a,30,") && partitions.contains("\nhh=b,10,"), "{partitions}");
    assert_eq!(print(&["partitions", "db.t", "--partition", "hh=b"]).lines().count(), 2);
    assert_eq!(print(&["partitions", "db.t", "--snapshot", "1"]).lines().count(), 1);
    let manifests = print(&["manifests", "db.t"]);
    assert!(manifests.lines().any(|line| line.ends_with(",0,{a},{b},,")), "{manifests}");
    assert_eq!(print(&["manifests", "db.t", "--partition", "[c]"]).lines().count(), 1);
    let schemas = print(&["schemas", "db.t"]);
    assert!(schemas.contains("\"[{\"\"id\"\":0,\"\"name\"\":\"\"id\"\",\"\"type\"\":\"\"STRING\"\"}"), "{schemas}");
    assert_eq!(print(&["options", "db.t"]), "key,value\nfs.s3.secret-key,***\nwrite-only,true\n");
    assert_eq!(print(&["options", "db.t", "--limit", "1"]).lines().count(), 2);
    assert!(print(&["consumers", "db.t"]).contains("\ntributary-job.db.t.1,"));

    let refused = tributary(folder.path(), &["table", "tags", "db.t", "--snapshot", "1", "--warehouse", "warehouse"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused.stderr));
    let refused =
        tributary(folder.path(), &["table", "files", "db.t", "--partition", "dt=a", "--warehouse", "warehouse"]);
    let told = said(&refused.stderr);
    assert_eq!(told, "error: --partition: the table is not partitioned by `dt`; its partition keys are hh\n");
    assert_eq!(refused.status.code(), Some(2));
}

/// What a check found, but for the room on the disk, of which there may be little or much.
fn findings(checked: &Output) -> String {
    let told = said(&checked.stdout);
    let (disk, rest): (Vec<&str>, Vec<&str>) =
        told.split_inclusive('\n').partition(|line| line.contains(" disk of paimon: "));
    assert!(disk.len() == 1 && disk[0].contains("iB free"), "{told}");
    rest.concat()
}

#[test]
fn check_resolves_everything_and_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("job.sql"), JOB).unwrap();
    let checked = tributary(folder.path(), &["check", "job.sql", "--set", "http.listen=127.0.0.1:0"]);
    assert_eq!(
        findings(&checked),
        "ok      settings: no settings file\n\
         ok      port: any free one of 127.0.0.1\n\
         ok      catalog paimon: 0 databases; writable, and creates files only if absent\n\
         ok      clock of paimon: this machine agrees with it\n\
         ok      pipeline job.db.t.1: creates db.t and fills it\n"
    );
    assert_eq!(checked.status.code(), Some(0));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["job.sql"]);

    let checked = tributary(folder.path(), &["check", "--warehouse", "w", "--set", "http.listen=127.0.0.1:0"]);
    assert_eq!(
        findings(&checked),
        "ok      settings: no settings file\n\
         ok      port: any free one of 127.0.0.1\n\
         ok      catalog paimon: 0 databases; writable, and creates files only if absent\n\
         ok      clock of paimon: this machine agrees with it\n"
    );
    assert!(!folder.path().join("w").exists());

    std::fs::write(folder.path().join("job.sql"), JOB.replace("SELECT id, n", "SELECT id, m")).unwrap();
    let checked = tributary(folder.path(), &["check", "job.sql"]);
    assert_eq!(checked.status.code(), Some(2));
    let told = said(&checked.stdout);
    assert!(told.contains("FAILED  statements: job.sql:5:"), "{told}");

    // A file stands where the warehouse would be.
    std::fs::write(folder.path().join("job.sql"), JOB).unwrap();
    std::fs::write(folder.path().join("warehouse"), "").unwrap();
    let checked = tributary(folder.path(), &["check", "job.sql"]);
    let told = said(&checked.stdout);
    assert!(told.contains("\nFAILED  "), "{told}");
    assert!(!checked.status.success());
}

#[test]
fn check_tells_where_a_job_would_begin_and_whether_it_may() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("job.sql"), JOB).unwrap();
    let ran = tributary(folder.path(), &["run", "job.sql", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran.stderr));
    let checked = tributary(folder.path(), &["check", "job.sql"]);
    let told = said(&checked.stdout);
    assert!(told.contains("ok      pipeline job.db.t.1: fills db.t; goes on after snapshot "), "{told}");

    std::fs::write(
        folder.path().join("job.sql"),
        JOB.replace("'connector' = 'datagen'", "'connector' = 'datagen', 'seed' = '77'"),
    )
    .unwrap();
    let checked = tributary(folder.path(), &["check", "job.sql"]);
    let told = said(&checked.stdout);
    assert!(told.contains("FAILED  pipeline job.db.t.1: ") && told.contains("pipeline.name"), "{told}");
    assert_eq!(checked.status.code(), Some(2));
}

#[test]
fn bash_completes_commands_and_flags() {
    let folder = tempfile::tempdir().unwrap();
    let script = tributary(folder.path(), &["completions", "bash"]).stdout;
    std::fs::write(folder.path().join("completions"), script).unwrap();
    for (words, expected) in [
        (&["tributary", "ch"][..], "check"),
        (&["tributary", "table", "expire-s"], "expire-snapshots"),
        (&["tributary", "run", "--memory"], "--memory-limit"),
        (&["tributary", "completions", "z"], "zsh"),
    ] {
        let complete = "source completions; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                        _tributary tributary \"${!#}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; echo \"${COMPREPLY[@]}\"";
        let mut bash = Command::new("bash");
        let done = bash.args(["-c", complete, "bash"]).args(words).current_dir(folder.path()).output().unwrap();
        assert_eq!(said(&done.stdout).trim(), expected, "{words:?}: {}", said(&done.stderr));
    }
}

#[test]
fn the_tutorial_would_run_under_the_sample_settings() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let folder = tempfile::tempdir().unwrap();
    for name in ["tutorial.sql", "tributary.toml"] {
        std::fs::copy(config.join(name), folder.path().join(name)).unwrap();
    }
    let arguments = ["check", "tutorial.sql", "--config", "tributary.toml", "--set", "http.listen=127.0.0.1:0"];
    let checked = tributary(folder.path(), &arguments);
    assert_eq!(
        findings(&checked),
        "ok      settings: tributary.toml\n\
         ok      port: any free one of 127.0.0.1\n\
         ok      catalog paimon: 0 databases; writable, and creates files only if absent\n\
         ok      clock of paimon: this machine agrees with it\n\
         ok      pipeline tutorial.test_paimon_db.test_append_tbl.1: creates test_paimon_db.test_append_tbl and fills it\n"
    );
    assert_eq!(checked.status.code(), Some(0));
}

#[test]
fn bad_input_is_named_with_its_remedy_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("job.sql", JOB);
    write("syntax.sql", "SELEC 1");
    write("empty.sql", "-- nothing\n");
    write("call.sql", "CALL sys.compact(table => 'db.t');");
    write("bad.toml", "[memory]\nlimit = \"lots\"\n");
    for (arguments, expected) in [
        (
            &["run", "nosuch.sql"][..],
            "error: cannot read the job file nosuch.sql: No such file or directory (os error 2); correct the path\n",
        ),
        (
            &["run", "syntax.sql"],
            "error: syntax.sql:1:1: no statement begins with `SELEC`\n  1 | SELEC 1\n    | ^^^^^\n  help: the \
             statements are BEGIN, CALL, CREATE, DROP, EXECUTE, INSERT, RESET, SET, USE\n",
        ),
        (
            &["run", "empty.sql", "--listen", "127.0.0.1:0"],
            "error: there is no INSERT in empty.sql: nothing to run; add INSERT INTO … SELECT …\n",
        ),
        (
            &["run", "call.sql"],
            "error: call.sql:1:6: a CALL is nothing a daemon could go on with\n  1 | CALL sys.compact(table => 'db.t');\n    |      \
             ^^^^^^^^^^^\n  help: tributary compact -f FILE carries it out\n",
        ),
        (
            &["compact", "-f", "call.sql"],
            "error: call.sql:1:27: no catalog is in use\n  1 | CALL sys.compact(table => 'db.t');\n    |                           \
             ^^^^^^\n  help: say --warehouse URL, or begin with CREATE CATALOG\n",
        ),
        (
            &["compact", "-e", "CALL sys.compac(table => 'db.t')", "--warehouse", "w"],
            "error: -e:1:6: there is no such procedure here\n  1 | CALL sys.compac(table => 'db.t')\n    |      \
             ^^^^^^^^^^\n  help: there is sys.compact\n",
        ),
        (&["compact", "-f", "job.sql"], "error: there is an INSERT in job.sql: tributary run carries it out\n"),
        (
            &["run", "job.sql", "--config", "nosuch.toml"],
            "error: cannot read the settings file nosuch.toml: No such file or directory (os error 2); correct the \
             path or its permissions\n",
        ),
        (
            &["run", "job.sql", "--config", "bad.toml"],
            "error: bad.toml: memory.limit = \"lots\": not a size above zero; write a number and a unit, such as 256 \
             mb or 1 gb\n",
        ),
        (
            &["run", "job.sql", "--set", "http.lisen=x"],
            "error: --set http.lisen: [http] has no key `lisen`; did you mean `listen`?\n",
        ),
        (
            &["table", "count", "db.t"],
            "error: no catalog is configured; say --warehouse URL, or --config FILE with a [catalog.NAME] section\n",
        ),
        (
            &["table", "count", "db.t", "--warehouse", "w"],
            "error: table db.t does not exist in w; check the name, or create it with CREATE TABLE\n",
        ),
        (&["table", "count", "t", "--warehouse", "w"], "error: `t` is not the name of a table; write DATABASE.TABLE\n"),
        (
            &["table", "count", "db.t", "--warehouse", "w", "--catalog-option", "warehuse=a"],
            "error: catalog `paimon`: there is no catalog option `warehuse`; did you mean 'warehouse'?\n",
        ),
    ] {
        let done = tributary(folder.path(), arguments);
        let told = said(&done.stderr);
        let error = told.find("error: ").map_or("", |at| &told[at..]);
        assert_eq!((done.status.code(), error), (Some(2), expected), "{arguments:?}");
    }
    assert!(!folder.path().join("warehouse").exists());
    assert!(!folder.path().join("w").exists());
}

#[test]
fn an_occupied_port_stops_the_start_before_the_warehouse_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("job.sql"), JOB).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let done = tributary(folder.path(), &["run", "job.sql", "--listen", &listen]);
    assert_eq!(done.status.code(), Some(2));
    let expected = format!(
        "error: cannot listen on {listen}: the port is in use; stop the process that uses it, or choose another \
         address with --listen or http.listen (port 0 picks a free one)\n"
    );
    assert!(said(&done.stderr).ends_with(&expected), "{}", said(&done.stderr));
    assert!(!folder.path().join("warehouse").exists());
}

#[test]
fn the_log_is_json_when_told_so_errors_included() {
    let folder = filled();
    let job = ["run", "job.sql", "--log-format", "json", "--listen"];
    let ended = tributary(folder.path(), &[&job[..], &["127.0.0.1:0"]].concat());
    assert_eq!(ended.status.code(), Some(0));
    std::fs::write(folder.path().join("job.sql"), "SELEC").unwrap();
    let failed = tributary(folder.path(), &[&job[..], &["127.0.0.1:0"]].concat());
    assert_eq!(failed.status.code(), Some(2));
    for output in [&ended, &failed] {
        for line in said(&output.stderr).lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
            assert!(line["level"].is_string());
        }
    }
    let last = said(&failed.stderr);
    let last: serde_json::Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    assert_eq!((last["level"].as_str(), last["exit_code"].as_u64()), (Some("ERROR"), Some(2)));
}

#[test]
fn a_secret_in_settings_never_reaches_the_output() {
    let folder = filled();
    let toml = format!(
        "[http]\nadmin-token = \"{SECRET}\"\n[catalog.paimon]\ntype = \"paimon\"\nwarehouse = \"warehouse\"\n\
         dlf.access-key-secret = \"{SECRET}\"\n"
    );
    std::fs::write(folder.path().join("tributary.toml"), &toml).unwrap();
    std::fs::write(folder.path().join("torn.toml"), toml.replacen("\"\n", "\n", 1)).unwrap();
    for arguments in [
        &["run", "job.sql", "--listen", "127.0.0.1:0", "--set", &format!("http.admin-token={SECRET}")][..],
        &["run", "job.sql", "--listen", "127.0.0.1:0", "--config", "tributary.toml", "--log-level", "trace"],
        &["run", "job.sql", "--config", "torn.toml"],
        &["check", "job.sql", "--config", "tributary.toml"],
        &["table", "count", "db.t", "--config", "tributary.toml"],
        &["table", "count", "db.t", "--warehouse", "warehouse", "--catalog-option", SECRET],
        &["table", "count", "db.t", "--warehouse", "warehouse", "--set", SECRET],
        &["table", "count", "db.t", "--warehouse", "warehouse", "--catalog-option", &format!("token={SECRET}")],
    ] {
        let done = tributary(folder.path(), arguments);
        let told = said(&done.stdout) + &said(&done.stderr);
        assert!(!told.contains(SECRET), "{arguments:?}: {told}");
    }
}
