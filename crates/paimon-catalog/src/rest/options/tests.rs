#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn map(options: &[(&str, &str)]) -> BTreeMap<String, String> {
    options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

const BEAR: [(&str, &str); 4] =
    [("uri", "http://h:1/"), ("warehouse", "w"), ("token.provider", "bear"), ("token", "s3cr3t")];

const DLF: [(&str, &str); 3] =
    [("uri", "http://cn-hangzhou-vpc.dlf.aliyuncs.com"), ("warehouse", "w"), ("token.provider", "dlf")];

fn with(base: &[(&str, &str)], more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut options = map(base);
    options.extend(map(more));
    options
}

#[test]
fn a_bearer_token() {
    let options = RestOptions::try_from_map(&map(&BEAR)).unwrap();
    assert_eq!((options.uri.as_str(), options.host.as_str()), ("http://h:1", "h:1"));
    assert_eq!(options.location(), "w of http://h:1");
    assert!(matches!(&options.auth, Auth::Bear(token) if token.is("s3cr3t")));
}

#[test]
fn places_of_an_access_key() {
    let key = [("dlf.access-key-id", "i"), ("dlf.access-key-secret", "s"), ("dlf.security-token", "t")];
    let fixed = AccessKey { id: "i".to_owned(), secret: Secret::new("s"), security_token: Some(Secret::new("t")) };
    let ecs =
        |url: &str, role: Option<&str>| KeySource::Ecs { metadata_url: url.to_owned(), role: role.map(str::to_owned) };
    for (options, expected) in [
        (with(&DLF, &key), KeySource::Fixed(fixed)),
        (with(&with_path(&key), &[]), KeySource::File("/t".into())),
        (with(&DLF, &[("dlf.token-loader", "ecs"), ("dlf.token-path", "/t")]), ecs(METADATA_URL, None)),
        (
            with(
                &DLF,
                &[
                    ("dlf.token-loader", "ecs"),
                    ("dlf.token-ecs-metadata-url", "http://m/"),
                    ("dlf.token-ecs-role-name", "r"),
                ],
            ),
            ecs("http://m/", Some("r")),
        ),
    ] {
        match RestOptions::try_from_map(&options).unwrap().auth {
            Auth::Dlf { source, algorithm: Algorithm::Default, region } => {
                assert_eq!((source, region.as_str()), (expected, "cn-hangzhou"));
            }
            other => panic!("{other:?}"),
        }
    }
}

fn with_path<'a>(key: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    DLF.into_iter().chain(key.iter().copied()).chain([("dlf.token-path", "/t")]).collect()
}

#[test]
fn regions_are_read_from_hosts() {
    for (uri, region) in [
        ("http://cn-hangzhou-vpc.dlf.aliyuncs.com", Some("cn-hangzhou")),
        ("https://pre-cn-hangzhou-vpc.dlf.aliyuncs.com", Some("cn-hangzhou")),
        ("https://ap-southeast-1-vpc.dlf.aliyuncs.com:80", Some("ap-southeast-1")),
        ("https://dlfnext.us-east-1.aliyuncs.com", Some("us-east-1")),
        ("https://dlfnext-vpc.cn-beijing.aliyuncs.com", Some("cn-beijing")),
        ("http://localhost:9190", None),
        ("http://my-host", None),
    ] {
        assert_eq!(region_of(uri).as_deref(), region, "{uri}");
    }
}

#[test]
fn what_is_wrong_is_named_and_secrets_are_not() {
    let without = |key: &str| {
        let mut options = map(&BEAR);
        options.remove(key);
        options
    };
    for (options, expected) in [
        (without("uri"), "it has no 'uri'"),
        (without("warehouse"), "it has no 'warehouse'"),
        (without("token.provider"), "it has no 'token.provider'"),
        (without("token"), "it has no 'token'"),
        (with(&BEAR, &[("token.provider", "x")]), "'token.provider' is `bear` or `dlf`"),
        (with(&BEAR, &[("uri", "ftp://h")]), "'uri' is an http: or https: URL"),
        (with(&BEAR, &[("uri", "http://u:s3cr3t@h")]), "'uri' holds a host"),
        (with(&BEAR, &[("uri", "http://")]), "'uri' is no URL"),
        (with(&BEAR, &[("header.a b", "x")]), "'header.*' `a b` has a name or a value"),
        (with(&BEAR, &[("header.a", "s3cr3t\n")]), "'header.*' `a` has a name or a value"),
        (map(&DLF), "it has no 'dlf.access-key-id'"),
        (with(&DLF, &[("dlf.access-key-id", "i")]), "it has no 'dlf.access-key-secret'"),
        (with(&DLF, &[("uri", "http://localhost")]), "it has no 'dlf.region'"),
        (with(&DLF, &[("dlf.signing-algorithm", "v4")]), "'dlf.signing-algorithm' is"),
        (with(&DLF, &[("dlf.token-loader", "x")]), "'dlf.token-loader' is"),
    ] {
        let error = RestOptions::try_from_map(&options).unwrap_err().to_string();
        assert!(error.starts_with(expected) && !error.contains("s3cr3t"), "{error}");
    }
    let shown = format!("{:?}", RestOptions::try_from_map(&map(&BEAR)).unwrap());
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[test]
fn loopback_is_told_from_the_world() {
    for (uri, expected) in [
        ("http://localhost:1", true),
        ("127.0.0.1:9190", true),
        ("http://[::1]:1", true),
        ("http://10.0.0.1", false),
        ("https://catalog", false),
    ] {
        let options = RestOptions::try_from_map(&with(&BEAR, &[("uri", uri)])).unwrap();
        assert_eq!(options.is_loopback(), expected, "{uri}");
    }
}
