#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use tributary_compact::worker::{Action, Trigger};
use tributary_runtime::Classify;

use super::{Layers, SETTINGS, Settings, SettingsError};

const FILE: &str = "/etc/tributary.toml";
const SECRET: &str = "planted-7c1e";

/// What was given: the file's text, the environment, the flags as (flag, section, key, value).
#[derive(Default, Clone, Copy)]
struct Given<'a> {
    file: &'a str,
    environment: &'a [(&'a str, &'a str)],
    flags: &'a [(&'a str, &'a str, &'a str, &'a str)],
}

fn load(given: Given<'_>) -> Result<Settings, SettingsError> {
    let mut layers = Layers::default();
    layers.toml(Path::new(FILE), given.file)?;
    layers.environment(given.environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))?;
    for (flag, section, key, value) in given.flags {
        layers.flag(flag, section, key, value)?;
    }
    Settings::try_new(&layers)
}

fn refusal(given: Given<'_>) -> String {
    match load(given) {
        Ok(settings) => panic!("accepted: {:?}", settings.effective()),
        Err(problem) => {
            assert_eq!(problem.kind().exit_code(), 2);
            problem.to_string()
        }
    }
}

fn effective(settings: &Settings, name: &str) -> String {
    settings.effective().into_iter().find(|(key, _)| key == name).unwrap().1
}

#[test]
fn every_default_is_a_valid_value_and_shows_as_it_is_written() {
    let settings = load(Given::default()).unwrap();
    for (setting, (name, shown)) in SETTINGS.iter().zip(settings.effective()) {
        assert_eq!(name, format!("{}.{}", setting.section, setting.key));
        assert_eq!(shown, setting.default, "{name}");
    }
}

#[test]
fn the_flag_covers_the_environment_which_covers_the_file_which_covers_the_default() {
    let file = "[log]\nlevel = \"warn\"\n";
    let environment = [("TRIBUTARY_LOG__LEVEL", "debug")];
    let flags = [("--log-level", "log", "level", "trace")];
    for (has_file, has_environment, has_flag, expected) in [
        (false, false, false, "info"),
        (true, false, false, "warn"),
        (false, true, false, "debug"),
        (true, true, false, "debug"),
        (false, false, true, "trace"),
        (true, false, true, "trace"),
        (false, true, true, "trace"),
        (true, true, true, "trace"),
    ] {
        let settings = load(Given {
            file: if has_file { file } else { "" },
            environment: if has_environment { &environment } else { &[] },
            flags: if has_flag { &flags } else { &[] },
        })
        .unwrap();
        assert_eq!(effective(&settings, "log.level"), expected);
    }
}

#[test]
fn values_are_typed_whatever_form_the_file_gives_them() {
    for (file, name, expected) in [
        ("[job]\ncheckpoint-interval = \"1 min\"", "job.checkpoint-interval", "60 s"),
        ("[job]\ncheckpoint-interval = \"1500 ms\"", "job.checkpoint-interval", "1500 ms"),
        ("[job]\nparallelism = 4", "job.parallelism", "4"),
        ("[job]\nparallelism = \"4\"", "job.parallelism", "4"),
        ("[job]\ntime-zone = \"Europe/Berlin\"", "job.time-zone", "Europe/Berlin"),
        ("memory.limit = \"1 GB\"", "memory.limit", "1 gb"),
        ("[memory]\nlimit = 1000", "memory.limit", "1000 bytes"),
        ("[storage]\nfsync = false", "storage.fsync", "false"),
        ("[http]\nlisten = \"[::1]:0\"", "http.listen", "[::1]:0"),
        ("[log]\nlevel = \"info,paimon_table=debug\"", "log.level", "info,paimon_table=debug"),
    ] {
        let settings = load(Given { file, ..Given::default() }).unwrap();
        assert_eq!(effective(&settings, name), expected, "{file}");
    }
}

#[test]
fn what_the_file_gets_wrong_is_named_with_its_place_and_remedy() {
    for (file, expected) in [
        ("[htp]\nlisten = \"a\"", "/etc/tributary.toml: there is no section [htp]; did you mean [http]?"),
        (
            "[kafka]\na = 1",
            "/etc/tributary.toml: there is no section [kafka]; there are [job], [memory], [storage], [http], [compactor], [server], \
             [log], [[compactor.policy]], [catalog.NAME]",
        ),
        ("[http]\nlisen = \"a\"", "/etc/tributary.toml: [http] has no key `lisen`; did you mean `listen`?"),
        (
            "[http]\nadmin_token = \"planted-7c1e\"",
            "/etc/tributary.toml: [http] has no key `admin_token`; did you mean `admin-token`?",
        ),
        ("[memory]\nheap = 1", "/etc/tributary.toml: [memory] has no key `heap`; it has limit"),
        (
            "listen = 1",
            "/etc/tributary.toml: `listen` stands outside of a section; put it under one of [job], [memory], \
             [storage], [http], [compactor], [server], [log], [[compactor.policy]], [catalog.NAME]",
        ),
        (
            "[http]\nlisten = \"9249\"",
            "/etc/tributary.toml: http.listen = \"9249\": not an address; write an IP and a port, such as \
             127.0.0.1:9249 (port 0 picks one)",
        ),
        (
            "[job]\ncheckpoint-interval = \"soon\"",
            "/etc/tributary.toml: job.checkpoint-interval = \"soon\": not a duration above zero; write a number and \
             a unit, such as 10 s or 1 min",
        ),
        (
            "[job]\nparallelism = 0",
            "/etc/tributary.toml: job.parallelism = \"0\": write auto or a whole number from 1 up",
        ),
        (
            "[job]\nparallelism = [1]",
            "/etc/tributary.toml: job.parallelism = <array>: write one text, number, true or false",
        ),
        (
            "[job]\ntime-zone = \"Mars\"",
            "/etc/tributary.toml: job.time-zone = \"Mars\": not a time zone; write local, UTC, an IANA name such as \
             Europe/Berlin, or an offset such as GMT+08:00",
        ),
        (
            "[memory]\nlimit = \"lots\"",
            "/etc/tributary.toml: memory.limit = \"lots\": not a size above zero; write a number and a unit, such \
             as 256 mb or 1 gb",
        ),
        ("[storage]\nfsync = \"on\"", "/etc/tributary.toml: storage.fsync = \"on\": write true or false"),
        ("[log]\nformat = \"xml\"", "/etc/tributary.toml: log.format = \"xml\": write auto, text or json"),
        (
            "[log]\nlevel = \"verbose\"",
            "/etc/tributary.toml: log.level = \"verbose\": write error, warn, info, debug or trace, or PART=LEVEL \
             separated by commas",
        ),
        (
            "[catalog]\ntype = \"paimon\"",
            "/etc/tributary.toml: [catalog] has no key `type`; write the catalog's name into the section: \
             [catalog.NAME]",
        ),
    ] {
        assert_eq!(refusal(Given { file, ..Given::default() }), expected, "{file}");
    }
}

#[test]
fn environment_and_flags_are_named_in_their_errors() {
    let environment = [("TRIBUTARY_HTTP__LISEN", "x")];
    assert_eq!(
        refusal(Given { environment: &environment, ..Given::default() }),
        "environment variable TRIBUTARY_HTTP__LISEN: [http] has no key `lisen`; did you mean `listen`?"
    );
    let flags = [("--log-format", "log", "format", "xml")];
    assert_eq!(
        refusal(Given { flags: &flags, ..Given::default() }),
        "--log-format: log.format = \"xml\": write auto, text or json"
    );
}

#[test]
fn variables_that_kubernetes_defines_for_a_service_are_left_alone() {
    let environment =
        [("TRIBUTARY_PORT", "tcp://10.0.0.1:9249"), ("TRIBUTARY_SERVICE_HOST", "10.0.0.1"), ("PATH", "/bin")];
    load(Given { environment: &environment, ..Given::default() }).unwrap();
}

#[test]
fn catalogs_collect_their_options_from_every_source() {
    let settings = load(Given {
        file: "[catalog.lake]\ntype = \"paimon\"\nwarehouse = \"/lake\"\ns3.path.style.access = true\n\
               \"dlf.region\" = \"a\"",
        environment: &[
            ("TRIBUTARY_CATALOG__LAKE__WAREHOUSE", "/other"),
            ("TRIBUTARY_CATALOG__LAKE__DLF__ACCESS_KEY_ID", "id"),
        ],
        flags: &[],
    })
    .unwrap();
    let lake: Vec<_> = settings.catalogs["lake"].iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        lake,
        [
            ("dlf.access-key-id", "id"),
            ("dlf.region", "a"),
            ("s3.path.style.access", "true"),
            ("type", "paimon"),
            ("warehouse", "/other"),
        ]
    );
}

#[test]
fn options_of_object_stores_hold_for_every_catalog_and_come_from_every_source() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    let file = format!(
        "[storage]\nfsync = false\nfs.oss.region = \"cn-hangzhou\"\nfs.oss.accessKeyId = \"id\"\n\
         \"fs.oss.accessKeySecret\" = \"${{file:{}}}\"",
        path.display()
    );
    let settings = load(Given {
        file: &file,
        environment: &[("TRIBUTARY_STORAGE__S3__ENDPOINT", "minio:9000"), ("TRIBUTARY_STORAGE__FSYNC", "true")],
        flags: &[("--set storage.s3.endpoint", "storage", "s3.endpoint", "http://127.0.0.1:9000")],
    })
    .unwrap();
    let stores = settings.stores();
    assert!(stores.fsync);
    assert_eq!(stores.s3.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
    assert_eq!(stores.oss.region.as_deref(), Some("cn-hangzhou"));
    assert_eq!(stores.oss.credentials.as_ref().unwrap().secret_key, SECRET);
    assert!(!format!("{settings:?}").contains(SECRET));

    for (file, expected) in [
        (
            "[storage]\ns3.endpont = \"x\"",
            "/etc/tributary.toml: storage.s3.endpont = ***: there is no storage option `s3.endpont`",
        ),
        (
            "[storage]\ns3.access-key = \"x\"",
            "/etc/tributary.toml: storage.s3.access-key = ***: `s3.access-key` is given without `s3.secret-key`; give \
             both, or neither to use the environment's credentials",
        ),
        (
            "[catalog.a]\ntoken = \"${file:/not-there}\"",
            "/etc/tributary.toml: catalog.a.token = ${file:/not-there}: No such file or directory (os error 2)",
        ),
        ("[storage]\nfsnc = true", "/etc/tributary.toml: [storage] has no key `fsnc`; did you mean `fsync`?"),
    ] {
        assert_eq!(refusal(Given { file, ..Given::default() }), expected);
    }
}

#[test]
fn a_secret_never_shows() {
    let file = format!("[http]\nadmin-token = \"{SECRET}\"\n");
    let settings = load(Given { file: &file, ..Given::default() }).unwrap();
    assert_eq!(effective(&settings, "http.admin-token"), "***");
    assert!(!format!("{settings:?}").contains(SECRET));
    assert!(settings.admin_token().unwrap().is_some());

    for (file, expected) in [
        (
            format!("[http]\nadmin-token = \"{SECRET} {SECRET}\""),
            "/etc/tributary.toml: http.admin-token = ***: the token must be printable ASCII without spaces",
        ),
        (
            format!("[http]\nadmin-token = [\"{SECRET}\"]"),
            "/etc/tributary.toml: http.admin-token = <array>: write one text, number, true or false",
        ),
        (
            format!("[catalog.a]\ndlf.access-key-secret = [\"{SECRET}\"]"),
            "/etc/tributary.toml: catalog.a.dlf.access-key-secret = <array>: write one text, number, true or false",
        ),
        (
            format!("[http]\nadmin-token = \"{SECRET}\nlisten = 1"),
            "/etc/tributary.toml:2:28: not TOML: invalid basic string, expected `\"`",
        ),
    ] {
        assert_eq!(refusal(Given { file: &file, ..Given::default() }), expected);
    }
}

#[test]
fn the_admin_token_comes_from_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let file = format!("[http]\nadmin-token-file = {:?}\n", path.display().to_string());
    let settings = load(Given { file: &file, ..Given::default() }).unwrap();
    assert_eq!(
        settings.admin_token().unwrap_err().to_string(),
        format!(
            "cannot read the file of http.admin-token-file {}: No such file or directory (os error 2); correct the \
             path or its permissions",
            path.display()
        )
    );
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    assert!(settings.admin_token().unwrap().is_some());

    let both = format!("{file}admin-token = \"{SECRET}\"");
    let settings = load(Given { file: &both, ..Given::default() }).unwrap();
    assert_eq!(
        settings.admin_token().unwrap_err().to_string(),
        "http.admin-token and http.admin-token-file are both set; keep one of them"
    );
}

fn policy(text: &str) -> String {
    format!("[[compactor.policy]]\n{text}\n")
}

#[test]
fn policies_are_typed() {
    let nightly = "table = [\"a.t\", \"a.u\"]\naction = \"remove_orphan_files\"\ncron = \"30 3 * * *\"\n\
                   time-zone = \"Europe/Berlin\"\nolder_than = \"3 d\"\ndry_run = false";
    let often = "table = \"a.t\"\naction = \"expire_snapshots\"\ninterval = \"10 min\"\nretain_max = 100";
    let text = format!("[compactor]\nthreads = 2\n{}{}", policy(nightly), policy(often));
    let settings = load(Given { file: &text, ..Given::default() }).unwrap();
    let tables: Vec<_> = settings.policies.iter().map(|policy| policy.tables.join(" ")).collect();
    assert_eq!(tables, ["a.t a.u", "a.t"]);
    let days = Duration::from_secs(3 * 86_400);
    assert_eq!(settings.policies[0].action, Action::RemoveOrphanFiles { older_than: days, dry_run: false });
    let Trigger::Cron(cron) = &settings.policies[0].trigger else { panic!("no pattern") };
    // 03:30 in Berlin, in winter.
    assert_eq!(cron.next_after(0), Some(2 * 3_600_000 + 1_800_000));
    assert!(matches!(settings.policies[1].trigger, Trigger::Every(interval) if interval.as_secs() == 600));
    assert_eq!(settings.policies[1].arguments.get("retain_max").unwrap(), "100");
}

#[test]
fn the_zone_of_a_policy_is_that_of_its_tags() {
    let tags = "table = \"a.t\"\naction = \"create_tag\"\nperiod = \"hourly\"\n";
    for (zone, trigger, expected) in [
        ("", "interval = \"1 min\"", "Asia/Tokyo"),
        ("time-zone = \"Europe/Berlin\"", "interval = \"1 min\"", "Europe/Berlin"),
        ("time-zone = \"GMT+08:00\"", "cron = \"5 * * * *\"", "+08:00"),
        ("time_zone = \"UTC\"\ntime-zone = \"Europe/Berlin\"", "cron = \"5 * * * *\"", "UTC"),
    ] {
        let text = format!("[job]\ntime-zone = \"Asia/Tokyo\"\n{}", policy(&format!("{tags}{zone}\n{trigger}")));
        let settings = load(Given { file: &text, ..Given::default() }).unwrap();
        let Action::CreateTag(arguments) = &settings.policies[0].action else { panic!("another action") };
        assert_eq!(arguments.time_zone.unwrap().to_string(), expected);
    }
}

#[test]
fn a_pasted_call_is_a_policy() {
    let pasted =
        "action = \"\"\"CALL paimon.sys.compact(table => 'a.t', partitions => 'dt=\"x\"', order_strategy => 'zorder',
                  order_by => 'category,id', where => '')\"\"\"\ninterval = \"1 h\"\npartition_idle_time = \"10 min\"";
    let settings = load(Given { file: &policy(pasted), ..Given::default() }).unwrap();
    let spelled = "table = \"paimon.a.t\"\naction = \"compact\"\npartitions = 'dt=\"x\"'\norder_strategy = \"zorder\"\n\
                   order_by = \"category,id\"\ninterval = \"1 h\"\npartition_idle_time = \"10 min\"";
    let same = load(Given { file: &policy(spelled), ..Given::default() }).unwrap();
    let policies = [&settings, &same].map(|settings| &settings.policies[0]);
    assert_eq!(policies[0].tables, ["paimon.a.t"]);
    let told = policies.map(|policy| (&policy.tables, &policy.action, &policy.arguments));
    assert_eq!(told[0], told[1]);
}

#[test]
fn a_mistake_in_a_policy_names_its_number_its_key_and_the_remedy() {
    let expire = "table = \"a.t\"\naction = \"expire_snapshots\"\n";
    for (text, expected) in [
        ("action = \"expire_snapshots\"", "compactor.policy 1: table: name a table"),
        ("table = \"a.t\"", "compactor.policy 1: action: say what to do"),
        ("action = \"CALL sys.compact('a.t')\"", "action:1:18: "),
        ("action = \"CALL compact(table => 'a.t')\"", "write sys.compact, or CATALOG.sys.compact"),
        ("action = \"CALL sys.compat(table => 'a.t')\"", "did you mean `compact`?"),
        (
            "action = \"CALL sys.compact(table => 'a.t', order_by => 'id')\"\norder_by = \"v\"",
            "compactor.policy 1: order_by: the CALL says it too; keep one of them",
        ),
        ("table = \"a.t\"\naction = \"expire\"", "compactor.policy 1: action = \"expire\": write one of"),
        (expire, "compactor.policy 1: interval: say when: interval = \"10 min\", or cron"),
        (&format!("{expire}interval = \"soon\""), "compactor.policy 1: interval = \"soon\": not a duration"),
        (&format!("{expire}cron = \"61 * * * *\""), "compactor.policy 1: cron = \"61 * * * *\": "),
        (&format!("{expire}cron = \"@daily\"\ninterval = \"1 h\""), "keep one of them"),
        (&format!("{expire}time-zone = \"UTC\"\ninterval = \"1 h\""), "take it away"),
        (&format!("{expire}time-zone = \"Berlin\"\ncron = \"@daily\""), "time-zone = \"Berlin\": not a time zone"),
        (&format!("{expire}interval = \"1 h\"\nretain-max = 3"), "no key `retain-max`; did you mean `retain_max`?"),
        (
            &format!("{expire}interval = \"1 h\"\ndry_run = true"),
            "(expire_snapshots)] has no key `dry_run`; it has table,",
        ),
        (&format!("{expire}interval = \"1 h\"\nretain_max = 0"), "retain_max = \"0\": `0` is not a whole number"),
        (&format!("{expire}interval = [1]"), "compactor.policy 1: interval = <array>: write one text"),
    ] {
        let why = refusal(Given { file: &policy(text), ..Given::default() });
        assert!(why.starts_with(FILE) && why.contains(expected), "{text}: {why}");
    }
    let why = refusal(Given { file: "[compactor]\npolicy = \"a.t\"\n", ..Given::default() });
    assert!(why.contains("[[compactor.policy]]"), "{why}");
}
