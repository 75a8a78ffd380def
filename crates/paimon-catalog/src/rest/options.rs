//! The options of a REST catalog (`RESTCatalogOptions`), checked.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use reqwest::header::{HeaderName, HeaderValue};
use url::Url;

use super::credentials::KeySource;
use super::secret::Secret;
use super::sign::{AccessKey, Algorithm};

/// What the keys of headers begin with that go along with every request.
pub const HEADER_PREFIX: &str = "header.";

const METADATA_URL: &str = "http://100.100.100.200/latest/meta-data/Ram/security-credentials/";

/// How a REST catalog is reached.
#[derive(Clone)]
pub struct RestOptions {
    /// Where it is, without a slash at its end.
    pub(crate) uri: String,
    /// Its host, with the port if the URL has one.
    pub(crate) host: String,
    /// Its name there.
    pub(crate) warehouse: String,
    pub(crate) auth: Auth,
    /// All of them, as they were given: what the catalog's own defaults lie under.
    pub(crate) given: BTreeMap<String, String>,
}

/// How requests are authorized (`token.provider`).
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    Bear(Secret),
    Dlf { source: KeySource, algorithm: Algorithm, region: String },
}

/// What is wrong with an option. Its value is named only where it cannot be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// It must be there.
    #[error("it has no '{key}'; write '{key}' = '{example}'")]
    Missing {
        /// The key.
        key: &'static str,
        /// What it may look like.
        example: &'static str,
    },
    /// It cannot be this.
    #[error("'{key}' {why}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it may be.
        why: String,
    },
}

// === impl RestOptions ===

impl RestOptions {
    /// Checks `options`; keys that are not of a REST catalog are ignored.
    ///
    /// # Errors
    /// The first option that is missing or wrong.
    pub fn try_from_map(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let (uri, host) = endpoint(require(options, "uri", "http://localhost:9190")?)?;
        let warehouse = require(options, "warehouse", "the name of the catalog there")?.to_owned();
        let auth = match require(options, "token.provider", "bear or dlf")? {
            "bear" => Auth::Bear(Secret::new(require(options, "token", "the bearer token")?)),
            "dlf" => dlf(options, &uri)?,
            _ => return Err(wrong("token.provider", "is `bear` or `dlf`")),
        };
        for (key, value) in options {
            let Some(name) = key.strip_prefix(HEADER_PREFIX) else { continue };
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                return Err(wrong("header.*", format!("`{name}` has a name or a value that no header can have")));
            }
        }
        Ok(Self { uri, host, warehouse, auth, given: options.clone() })
    }

    /// Its name in messages: never with a secret.
    pub fn location(&self) -> String {
        format!("{} of {}", self.warehouse, self.uri)
    }

    /// Whether it is on this machine, where no proxy leads.
    pub(crate) fn is_loopback(&self) -> bool {
        let Ok(url) = Url::parse(&self.uri) else {
            return false;
        };
        match url.host_str() {
            Some("localhost") => true,
            Some(host) => host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
            None => false,
        }
    }
}

impl fmt::Debug for RestOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestOptions").field("location", &self.location()).finish_non_exhaustive()
    }
}

/// The URL as requests begin with it, and its host.
fn endpoint(given: &str) -> Result<(String, String), OptionError> {
    let uri = if given.contains("://") { given.to_owned() } else { format!("http://{given}") };
    let url = Url::parse(&uri).map_err(|error| wrong("uri", format!("is no URL ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("uri", "is an http: or https: URL"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(
            "uri",
            "holds a host, a port and a path, nothing else; credentials have options of their own",
        ));
    }
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Ok((uri.trim_end_matches('/').to_owned(), host))
}

fn dlf(options: &BTreeMap<String, String>, uri: &str) -> Result<Auth, OptionError> {
    let get = |key: &str| options.get(key).map(String::as_str);
    let algorithm = match get("dlf.signing-algorithm") {
        Some(name) => {
            Algorithm::parse(name).ok_or_else(|| wrong("dlf.signing-algorithm", "is `default` or `openapi`"))?
        }
        None => Algorithm::of_endpoint(uri),
    };
    let region = match get("dlf.region").map(str::to_owned).or_else(|| region_of(uri)) {
        Some(region) => region,
        None if algorithm == Algorithm::OpenApi => String::new(),
        None => return Err(OptionError::Missing { key: "dlf.region", example: "cn-hangzhou" }),
    };
    let source = if let Some(loader) = get("dlf.token-loader") {
        match loader {
            "ecs" => KeySource::Ecs {
                metadata_url: get("dlf.token-ecs-metadata-url").unwrap_or(METADATA_URL).to_owned(),
                role: get("dlf.token-ecs-role-name").map(str::to_owned),
            },
            "local_file" => KeySource::File(require(options, "dlf.token-path", "a file")?.into()),
            _ => return Err(wrong("dlf.token-loader", "is `ecs` or `local_file`")),
        }
    } else if let Some(path) = get("dlf.token-path") {
        KeySource::File(PathBuf::from(path))
    } else {
        KeySource::Fixed(AccessKey {
            id: require(options, "dlf.access-key-id", "an access key, or set dlf.token-path or dlf.token-loader")?
                .to_owned(),
            secret: Secret::new(require(options, "dlf.access-key-secret", "the secret of the access key")?),
            security_token: get("dlf.security-token").map(Secret::new),
        })
    };
    Ok(Auth::Dlf { source, algorithm, region })
}

/// The region that the host names, as in `cn-hangzhou-vpc.dlf.aliyuncs.com` or `dlfnext.ap-southeast-1.aliyuncs.com`.
fn region_of(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    let host = url.host_str()?.strip_suffix(".aliyuncs.com")?;
    host.split('.').find_map(|label| {
        let label = label.strip_prefix("pre-").unwrap_or(label);
        let label = label.strip_suffix("-intranet").unwrap_or(label);
        let label = label.strip_suffix("-vpc").unwrap_or(label);
        let known = label.contains('-') && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        known.then(|| label.to_owned())
    })
}

fn require<'a>(
    options: &'a BTreeMap<String, String>,
    key: &'static str,
    example: &'static str,
) -> Result<&'a str, OptionError> {
    let given = options.get(key).map(String::as_str).filter(|value| !value.is_empty());
    given.ok_or(OptionError::Missing { key, example })
}

fn wrong(key: &'static str, why: impl Into<String>) -> OptionError {
    OptionError::Value { key, why: why.into() }
}

#[cfg(test)]
mod tests;
