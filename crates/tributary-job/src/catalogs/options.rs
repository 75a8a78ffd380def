//! The options of catalogs: which there are, and for which metastore.

use paimon_table::store::options::{STORAGE_OPTIONS, is_storage_key};
use tributary_statement::nearest;

use super::CatalogOptionError;

/// Who keeps the names of a catalog's tables (`metastore`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metastore {
    /// `filesystem`: the warehouse's folders.
    Filesystem,
    /// `rest`: a Paimon REST catalog.
    Rest,
    /// `dlf`: the same, by the keys that DLF had before it was one.
    OldDlf,
}

/// An option of a catalog, as the reference shows it.
#[derive(Debug, Clone, Copy)]
pub struct CatalogOption {
    /// The key.
    pub key: &'static str,
    /// What holds without it, if anything.
    pub default: Option<&'static str>,
    /// The metastore it is for; all of them if none is said.
    pub metastore: Option<Metastore>,
    /// What it does.
    pub doc: &'static str,
}

/// What the keys of a REST catalog's headers begin with, as the reference shows them.
const HEADERS: &str = "header.*";

/// The options of a catalog.
pub const CATALOG_OPTIONS: &[CatalogOption] = &[
    any("type", None, "`paimon`. Required in CREATE CATALOG, assumed in `[catalog.NAME]`."),
    any(
        "metastore",
        Some("filesystem"),
        "`filesystem`: the warehouse is a folder. `rest`: a Paimon REST catalog. `dlf`: the same, by the keys DLF had before.",
    ),
    any(
        "warehouse",
        None,
        "Required. Folder of the databases: a path, a `file:` or `memory:` URL, `s3://bucket/folder` or `oss://bucket/folder`. A relative path is below the folder of the job file; in settings and on the command line, below the working directory. With `rest`, the catalog's name there; with `dlf`, the `oss://` URL, which is not used.",
    ),
    any("default-database", Some("default"), "The database that names without one mean after USE CATALOG."),
    rest("uri", None, "Required. Where the REST catalog is: `http://host:port`."),
    rest("token.provider", None, "Required. `bear`: a bearer token. `dlf`: requests are signed for Alibaba Cloud DLF."),
    rest("token", None, "The bearer token. Required with `bear`."),
    rest("dlf.access-key-id", None, "Id of the access key that signs."),
    rest("dlf.access-key-secret", None, "Its secret."),
    rest(
        "dlf.security-token",
        None,
        "The STS token of a temporary access key. It is not renewed; a file or a role is.",
    ),
    rest(
        "dlf.token-path",
        None,
        "File of JSON (`AccessKeyId`, `AccessKeySecret`, `SecurityToken`, `Expiration`) that somebody replaces before it expires; read for every call. Relative as the warehouse is.",
    ),
    rest(
        "dlf.token-loader",
        None,
        "`ecs`: the access key is that of the machine's role. `local_file`: `dlf.token-path`.",
    ),
    rest("dlf.token-ecs-role-name", None, "The role; without it the metadata service is asked."),
    rest(
        "dlf.token-ecs-metadata-url",
        Some("http://100.100.100.200/latest/meta-data/Ram/security-credentials/"),
        "The metadata service. Never asked through a proxy.",
    ),
    rest("dlf.region", None, "Region that is signed; without it, the one the host of `uri` names."),
    rest(
        "dlf.signing-algorithm",
        None,
        "`default` (DLF4-HMAC-SHA256) or `openapi` (HMAC-SHA1); without it, `openapi` if `uri` contains `dlfnext`.",
    ),
    rest(
        "data-token.enabled",
        Some("false"),
        "Whether keys of each table's bucket are asked from the catalog, and again before they end. The catalog itself may say so.",
    ),
    rest("dlf.oss-endpoint", None, "Where OSS listens, whatever the catalog's data tokens say."),
    rest(HEADERS, None, "A header that every request carries, as in `header.User-Agent`."),
    old("dlf.catalog.id", "Required. Becomes `warehouse`."),
    old(
        "dlf.catalog.endpoint",
        "Required. Becomes `uri`. Must be a REST endpoint: those of the older service (`dlf.REGION.aliyuncs.com`) are refused.",
    ),
    old("dlf.catalog.region", "Becomes `dlf.region`."),
    old("dlf.catalog.accessKeyId", "Becomes `dlf.access-key-id`."),
    old("dlf.catalog.accessKeySecret", "Becomes `dlf.access-key-secret`."),
];

/// Keys of catalogs that exist in Paimon but not here yet: refused by name.
const FOREIGN: &[&str] = &["lock.", "fs.", "oss.", "hive-conf-dir", "table.type", "io-cache."];

const fn any(key: &'static str, default: Option<&'static str>, doc: &'static str) -> CatalogOption {
    CatalogOption { key, default, metastore: None, doc }
}

const fn rest(key: &'static str, default: Option<&'static str>, doc: &'static str) -> CatalogOption {
    CatalogOption { key, default, metastore: Some(Metastore::Rest), doc }
}

const fn old(key: &'static str, doc: &'static str) -> CatalogOption {
    CatalogOption { key, default: None, metastore: Some(Metastore::OldDlf), doc }
}

// === impl Metastore ===

impl Metastore {
    const ALL: [Self; 3] = [Self::Filesystem, Self::Rest, Self::OldDlf];

    /// As `metastore` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filesystem => "filesystem",
            Self::Rest => "rest",
            Self::OldDlf => "dlf",
        }
    }

    /// What `metastore` says.
    pub fn parse(name: Option<&str>) -> Result<Self, CatalogOptionError> {
        let Some(name) = name else {
            return Ok(Self::Filesystem);
        };
        let found = Self::ALL.into_iter().find(|metastore| metastore.name() == name);
        found.ok_or(CatalogOptionError::Unsupported { key: "metastore", expected: &["filesystem", "rest", "dlf"] })
    }

    /// Whether an option for `other` has a meaning here.
    fn takes(self, other: Option<Self>) -> bool {
        match other {
            None => true,
            // Whoever still writes the old keys may add a new one.
            Some(Self::Rest) => self != Self::Filesystem,
            Some(other) => self == other,
        }
    }
}

/// Refuses a key that means nothing, or nothing with this metastore.
pub(crate) fn check_key(key: &str, metastore: Metastore) -> Result<(), CatalogOptionError> {
    let is_key = |option: &&CatalogOption| {
        let prefix = option.key.strip_suffix('*');
        option.key == key || prefix.is_some_and(|prefix| key.len() > prefix.len() && key.starts_with(prefix))
    };
    if let Some(option) = CATALOG_OPTIONS.iter().find(is_key) {
        return match option.metastore {
            Some(other) if !metastore.takes(Some(other)) => {
                Err(CatalogOptionError::OtherMetastore { key: key.to_owned(), metastore: other.name() })
            }
            _ => Ok(()),
        };
    }
    if is_storage_key(key) {
        // Stores know their options.
        return Ok(());
    }
    let key = key.to_owned();
    if FOREIGN.iter().any(|foreign| key == *foreign || (foreign.ends_with('.') && key.starts_with(foreign))) {
        return Err(CatalogOptionError::UnsupportedKey { key });
    }
    Err(unknown(key, metastore))
}

pub(super) fn unknown(key: String, metastore: Metastore) -> CatalogOptionError {
    let of_store = STORAGE_OPTIONS.iter().map(|option| option.key);
    let of_catalog = CATALOG_OPTIONS.iter().filter(|option| metastore.takes(option.metastore)).map(|option| option.key);
    let keys = || of_catalog.clone().chain(of_store.clone());
    let remedy = match nearest(&key, keys()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("a catalog takes {}", keys().collect::<Vec<_>>().join(", ")),
    };
    CatalogOptionError::UnknownKey { key, remedy }
}
