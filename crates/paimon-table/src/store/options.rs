//! What a user may say about an object store, in Paimon's spellings (`S3FileIO`, pypaimon). Pure: text in, types out.
//!
//! A key is a prefix and a name. Case, `-` and `.` inside the name do not matter, so `s3.access-key`, `s3.access.key`
//! and `fs.s3.accessKeyId` are one option, as they are for Paimon's Java and Python clients together.
//! `OSSFileIO` takes `fs.oss.` alone.

use std::collections::BTreeMap;

use super::credentials::Credentials;

/// An option of an object store, as the reference shows it.
#[derive(Clone, Copy, Debug)]
pub struct StorageOption {
    /// The key, in the spelling of Paimon's documentation.
    pub key: &'static str,
    /// What holds without it.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// The options of `s3://` and `oss://`.
pub const STORAGE_OPTIONS: &[StorageOption] = &[
    StorageOption {
        key: "s3.endpoint",
        default: "AWS",
        doc: "Where an S3-compatible store listens: a URL, or a host that speaks HTTPS. All `s3.…` keys may also begin with `s3a.`, `fs.s3a.` or `fs.s3.`.",
    },
    StorageOption { key: "s3.region", default: "`us-east-1`", doc: "The bucket's region (also `s3.endpoint.region`)." },
    StorageOption {
        key: "s3.path.style.access",
        default: "`false`; `true` for `localhost` and addresses",
        doc: "Whether the bucket stands in the path of a request instead of its host; most stores but AWS need `true`.",
    },
    StorageOption {
        key: "s3.access-key",
        default: "the environment",
        doc: "Access key (also `accessKeyId`). Without keys those of the environment are used: `AWS_ACCESS_KEY_ID` and its kin, a web identity, a container's or an instance's role.",
    },
    StorageOption { key: "s3.secret-key", default: "the environment", doc: "Secret key (also `accessKeySecret`)." },
    StorageOption {
        key: "s3.session-token",
        default: "",
        doc: "Session token of temporary keys (also `securityToken`).",
    },
    StorageOption {
        key: "fs.oss.endpoint",
        default: "that of the region",
        doc: "Where OSS listens, without the bucket: `oss-cn-hangzhou.aliyuncs.com`, or a URL.",
    },
    StorageOption {
        key: "fs.oss.region",
        default: "the one the endpoint names",
        doc: "The bucket's region, as in `cn-hangzhou`; requests are signed for it.",
    },
    StorageOption {
        key: "fs.oss.accessKeyId",
        default: "the environment",
        doc: "Access key id. Without keys those of the environment are used: `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and `ALIBABA_CLOUD_SECURITY_TOKEN`, or `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and `OSS_SESSION_TOKEN`.",
    },
    StorageOption { key: "fs.oss.accessKeySecret", default: "the environment", doc: "Access key secret." },
    StorageOption { key: "fs.oss.securityToken", default: "", doc: "STS token of temporary keys." },
    StorageOption {
        key: "fs.oss.sld.enabled",
        default: "`false`; `true` for `localhost` and addresses",
        doc: "Whether the bucket stands in the path of a request instead of its host.",
    },
];

/// What users call things on one protocol.
struct Spelling {
    /// Longest first: `s3.` also begins what follows `fs.`.
    prefixes: &'static [&'static str],
    access_key: &'static str,
    secret_key: &'static str,
    path_style: &'static str,
}

const S3: Spelling = Spelling {
    prefixes: &["fs.s3a.", "fs.s3.", "s3a.", "s3."],
    access_key: "s3.access-key",
    secret_key: "s3.secret-key",
    path_style: "pathstyleaccess",
};

const OSS: Spelling = Spelling {
    prefixes: &["fs.oss."],
    access_key: "fs.oss.accessKeyId",
    secret_key: "fs.oss.accessKeySecret",
    path_style: "sldenabled",
};

/// How the buckets of one protocol are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketOptions {
    /// URL of the service, without the bucket; `None` for the provider's own.
    pub endpoint: Option<String>,
    /// The region requests are signed for.
    pub region: Option<String>,
    /// The bucket stands in the path of a URL, not in its host.
    pub path_style: Option<bool>,
    /// `None` for what the environment gives.
    pub credentials: Option<Credentials>,
}

/// What is wrong with the options of a store. Values are never shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageOptionError {
    /// Nobody knows the option.
    #[error("there is no storage option `{key}`")]
    Unknown {
        /// The key as it was given.
        key: String,
    },
    /// Two spellings of one option, with different values.
    #[error("`{key}` and `{other}` mean the same and differ; keep one of them")]
    Contradiction {
        /// One key.
        key: String,
        /// The other.
        other: String,
    },
    /// One half of a pair of keys.
    #[error("`{key}` is given without `{missing}`; give both, or neither to use the environment's credentials")]
    Incomplete {
        /// The key that was given.
        key: String,
        /// The one that is missing.
        missing: &'static str,
    },
    /// A value that cannot be.
    #[error("`{key}` must be {expected}")]
    Value {
        /// The key as it was given.
        key: String,
        /// What it may be.
        expected: &'static str,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Endpoint,
    Region,
    PathStyle,
    AccessKey,
    SecretKey,
    SessionToken,
}

/// What was given for each role: key and value.
type Given<'a> = BTreeMap<Role, (&'a str, &'a str)>;

/// Whether `key` is an option of an object store, known or not.
pub fn is_storage_key(key: &str) -> bool {
    [S3, OSS].iter().any(|protocol| protocol.name_in(key).is_some())
}

/// Whether `key` is an option of an object store that is known.
fn is_known(key: &str) -> bool {
    [S3, OSS].iter().any(|protocol| protocol.name_in(key).is_some_and(|name| protocol.role(name).is_some()))
}

/// `options` without those of object stores that nobody knows here: somebody else chose them, for other clients too.
pub(super) fn known(options: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let known = options.iter().filter(|(key, _)| !is_storage_key(key) || is_known(key));
    known.map(|(key, value)| (key.clone(), value.clone())).collect()
}

// === impl BucketOptions ===

impl BucketOptions {
    /// The options of `s3://` among `options`; keys that belong to no object store are left alone.
    ///
    /// # Errors
    /// The first that is unknown, contradicts another or has a value that cannot be.
    pub fn s3(options: &BTreeMap<String, String>) -> Result<Self, StorageOptionError> {
        Self::read(&S3, options)
    }

    /// The options of `oss://` among `options`.
    ///
    /// # Errors
    /// As [`BucketOptions::s3`].
    pub fn oss(options: &BTreeMap<String, String>) -> Result<Self, StorageOptionError> {
        Self::read(&OSS, options)
    }

    /// What is said here, and what `below` says of the rest.
    pub fn over(self, below: &Self) -> Self {
        Self {
            endpoint: self.endpoint.or_else(|| below.endpoint.clone()),
            region: self.region.or_else(|| below.region.clone()),
            path_style: self.path_style.or(below.path_style),
            credentials: self.credentials.or_else(|| below.credentials.clone()),
        }
    }

    fn read(protocol: &Spelling, options: &BTreeMap<String, String>) -> Result<Self, StorageOptionError> {
        let mut given = Given::new();
        for (key, value) in options {
            let Some(name) = protocol.name_in(key) else {
                continue;
            };
            let role = protocol.role(name).ok_or_else(|| StorageOptionError::Unknown { key: key.clone() })?;
            match given.insert(role, (key, value.trim())) {
                Some((other, earlier)) if earlier != value.trim() => {
                    return Err(StorageOptionError::Contradiction { key: other.to_owned(), other: key.clone() });
                }
                _ => {}
            }
        }
        Ok(Self {
            endpoint: given.get(&Role::Endpoint).copied().map(endpoint).transpose()?,
            region: text(&given, Role::Region)?,
            path_style: given.get(&Role::PathStyle).copied().map(boolean).transpose()?,
            credentials: credentials(protocol, &given)?,
        })
    }
}

// === impl Spelling ===

impl Spelling {
    fn name_in<'a>(&self, key: &'a str) -> Option<&'a str> {
        self.prefixes.iter().find_map(|prefix| key.strip_prefix(prefix))
    }

    fn role(&self, name: &str) -> Option<Role> {
        let letters: String =
            name.chars().filter(|c| !matches!(c, '-' | '.')).map(|c| c.to_ascii_lowercase()).collect();
        Some(match letters.as_str() {
            "endpoint" => Role::Endpoint,
            "region" | "endpointregion" => Role::Region,
            "accesskey" | "accesskeyid" => Role::AccessKey,
            "secretkey" | "accesskeysecret" => Role::SecretKey,
            "sessiontoken" | "securitytoken" => Role::SessionToken,
            name if name == self.path_style => Role::PathStyle,
            _ => return None,
        })
    }
}

// === impl StorageOptionError ===

impl StorageOptionError {
    /// The key that is to be corrected.
    pub fn key(&self) -> &str {
        match self {
            Self::Unknown { key }
            | Self::Contradiction { key, .. }
            | Self::Incomplete { key, .. }
            | Self::Value { key, .. } => key,
        }
    }
}

fn text(given: &Given<'_>, role: Role) -> Result<Option<String>, StorageOptionError> {
    match given.get(&role) {
        None => Ok(None),
        // Both end up in a header of every request.
        Some((key, value)) if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(StorageOptionError::Value { key: (*key).to_owned(), expected: "visible ASCII characters" })
        }
        Some((_, value)) => Ok(Some((*value).to_owned())),
    }
}

fn boolean((key, value): (&str, &str)) -> Result<bool, StorageOptionError> {
    value
        .to_ascii_lowercase()
        .parse()
        .map_err(|_| StorageOptionError::Value { key: key.to_owned(), expected: "`true` or `false`" })
}

/// A URL of scheme, host and port; Hadoop takes a bare host for HTTPS.
fn endpoint((key, value): (&str, &str)) -> Result<String, StorageOptionError> {
    let expected = "a URL such as https://host:9000, without user, path or query";
    let refuse = || StorageOptionError::Value { key: key.to_owned(), expected };
    let url = if value.contains("://") { value.to_owned() } else { format!("https://{value}") };
    let parsed = url::Url::parse(&url).map_err(|_| refuse())?;
    let plain = parsed.username().is_empty() && parsed.password().is_none() && parsed.query().is_none();
    if !plain || !matches!(parsed.scheme(), "http" | "https") || parsed.host().is_none() || parsed.path() != "/" {
        return Err(refuse());
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn credentials(protocol: &Spelling, given: &Given<'_>) -> Result<Option<Credentials>, StorageOptionError> {
    let incomplete = |role: Role, missing| match given.get(&role) {
        Some((key, _)) => Err(StorageOptionError::Incomplete { key: (*key).to_owned(), missing }),
        None => Ok(None),
    };
    match (text(given, Role::AccessKey)?, text(given, Role::SecretKey)?) {
        (Some(access_key), Some(secret_key)) => {
            Ok(Some(Credentials { access_key, secret_key, session_token: text(given, Role::SessionToken)? }))
        }
        (Some(_), None) => incomplete(Role::AccessKey, protocol.secret_key),
        (None, Some(_)) => incomplete(Role::SecretKey, protocol.access_key),
        (None, None) => incomplete(Role::SessionToken, protocol.access_key),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parse(options: &[(&str, &str)]) -> Result<BucketOptions, StorageOptionError> {
        BucketOptions::s3(&options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn every_spelling_of_paimon_means_the_same() {
        let expected = BucketOptions {
            endpoint: Some("http://127.0.0.1:9000".to_owned()),
            region: Some("eu-west-1".to_owned()),
            path_style: Some(true),
            credentials: Some(Credentials {
                access_key: "a".to_owned(),
                secret_key: "s/+=".to_owned(),
                session_token: Some("t".to_owned()),
            }),
        };
        for keys in [
            ["s3.endpoint", "s3.region", "s3.path.style.access", "s3.access-key", "s3.secret-key", "s3.session-token"],
            [
                "s3a.endpoint",
                "s3a.endpoint.region",
                "s3a.path-style-access",
                "s3a.access.key",
                "s3a.secret.key",
                "s3a.session.token",
            ],
            [
                "fs.s3a.endpoint",
                "fs.s3a.endpoint.region",
                "fs.s3a.path.style.access",
                "fs.s3a.access.key",
                "fs.s3a.secret.key",
                "fs.s3a.session.token",
            ],
            [
                "fs.s3.endpoint",
                "fs.s3.region",
                "s3.path.style.access",
                "fs.s3.accessKeyId",
                "fs.s3.accessKeySecret",
                "fs.s3.securityToken",
            ],
            [
                "fs.s3.endpoint",
                "fs.s3.region",
                "s3.path.style.access",
                "fs.s3.accesskeyid",
                "fs.s3.accesskeysecret",
                "fs.s3.securitytoken",
            ],
        ] {
            let values = ["http://127.0.0.1:9000/", "eu-west-1", "TRUE", "a", "s/+=", "t"];
            let given: Vec<(&str, &str)> = keys.into_iter().zip(values).collect();
            assert_eq!(parse(&given), Ok(expected.clone()), "{keys:?}");
        }
        assert_eq!(parse(&[("warehouse", "s3://b"), ("fs.oss.endpoint", "x")]), Ok(BucketOptions::default()));
        assert_eq!(parse(&[("s3.endpoint", "minio:9000")]).unwrap().endpoint.unwrap(), "https://minio:9000");
        for keys in [
            [
                "fs.oss.endpoint",
                "fs.oss.region",
                "fs.oss.sld.enabled",
                "fs.oss.accessKeyId",
                "fs.oss.accessKeySecret",
                "fs.oss.securityToken",
            ],
            [
                "fs.oss.endpoint",
                "fs.oss.region",
                "fs.oss.sld.enabled",
                "fs.oss.accesskeyid",
                "fs.oss.accesskeysecret",
                "fs.oss.securitytoken",
            ],
        ] {
            let values = ["http://127.0.0.1:9000/", "eu-west-1", "TRUE", "a", "s/+=", "t"];
            let given = keys.into_iter().zip(values).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            assert_eq!(BucketOptions::oss(&given), Ok(expected.clone()), "{keys:?}");
            assert_eq!(BucketOptions::s3(&given), Ok(BucketOptions::default()));
        }
    }

    #[test]
    fn mistakes_name_the_key_and_never_the_value() {
        for (options, message) in [
            (&[("s3.endpont", "SECRET")][..], "there is no storage option `s3.endpont`"),
            (&[("s3.access-key", "SECRET")], "`s3.access-key` is given without `s3.secret-key`; give both, or neither"),
            (&[("fs.s3a.secret.key", "SECRET")], "`fs.s3a.secret.key` is given without `s3.access-key`"),
            (&[("s3.session-token", "SECRET")], "`s3.session-token` is given without `s3.access-key`"),
            (
                &[("s3.access-key", "SECRET"), ("fs.s3a.access.key", "SECRET2"), ("s3.secret-key", "x")],
                "`fs.s3a.access.key` and `s3.access-key` mean the same and differ; keep one of them",
            ),
            (&[("s3.path.style.access", "SECRET")], "`s3.path.style.access` must be `true` or `false`"),
            (&[("s3.endpoint", "http://u:SECRET@host")], "`s3.endpoint` must be a URL such as https://host:9000"),
            (&[("s3.endpoint", "http://host/bucket")], "`s3.endpoint` must be a URL"),
            (&[("s3.endpoint", "ftp://host")], "`s3.endpoint` must be a URL"),
            (&[("s3.access-key", "SEC\nRET"), ("s3.secret-key", "x")], "`s3.access-key` must be visible ASCII"),
            (&[("s3.region", "")], "`s3.region` must be visible ASCII"),
        ] {
            let error = parse(options).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
            assert!(options.iter().any(|(key, _)| error.key() == *key), "{error:?}");
        }
    }

    #[test]
    fn every_documented_option_is_known() {
        let foreign = [("fs.oss.user.agent.features", "x"), ("fs.oss.region", "r"), ("warehouse", "w")];
        let foreign = foreign.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        assert_eq!(known(&foreign).into_keys().collect::<Vec<_>>(), ["fs.oss.region", "warehouse"]);
        for option in STORAGE_OPTIONS {
            assert!(is_known(option.key), "{}", option.key);
        }
    }
}
