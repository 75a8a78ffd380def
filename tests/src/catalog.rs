//! Paimon's own REST catalog server and request signers, in Java.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::RwLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Map, Value, json};

use crate::engine::Engine;
use crate::{Scratch, pypaimon};

pub static CATALOG: Engine = Engine::java("catalog", "CatalogServer.java");

/// The switch that makes a commit fail is one for all servers: who turns it writes, who commits reads.
pub static COMMITS: RwLock<()> = RwLock::new(());

/// A server whose warehouse is in the scratch folder.
pub struct Server {
    /// Its name among the servers, and what clients call `warehouse`.
    pub name: String,
    pub address: SocketAddr,
    auth: Auth,
}

/// What a server accepts.
#[derive(Clone)]
pub enum Auth {
    Bear(&'static str),
    Dlf { algorithm: &'static str, secret: &'static str, security_token: Option<&'static str> },
}

const REGION: &str = "cn-hangzhou";
const KEY_ID: &str = "LTAI5t";

// === impl Server ===

impl Server {
    pub fn start(scratch: &Scratch, auth: Auth) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("warehouse-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let started = CATALOG.ask(json!({
            "op": "serve", "folder": scratch.warehouse(), "warehouse": name, "auth": auth.to_json(),
        }));
        let url = started["url"].as_str().unwrap();
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let address = host.to_socket_addrs().unwrap().next().unwrap();
        Self { name, address, auth }
    }

    /// Accepts this from now on, and nothing else.
    pub fn accept(&self, auth: &Auth) {
        CATALOG.ask(json!({"op": "accept", "warehouse": self.name, "auth": auth.to_json()}));
    }

    /// The options of a client's catalog, with the access key in them.
    pub fn options(&self) -> Map<String, Value> {
        self.auth.options(self.address, &self.name)
    }

    /// All values of one column as pypaimon reads them through the server.
    pub fn values(&self, table: &str, column: &str) -> Vec<Value> {
        let request = json!({"op": "rows", "catalog": self.options(), "table": table, "columns": [column]});
        let found = pypaimon::ask(request);
        found["rows"].as_array().unwrap().iter().map(|row| row[0].clone()).collect()
    }
}

// === impl Auth ===

impl Auth {
    /// The options of a client of the server at `address`, secrets among them.
    pub fn options(&self, address: SocketAddr, warehouse: &str) -> Map<String, Value> {
        let mut options = Map::new();
        let mut set = |key: &str, value: &str| options.insert(key.to_owned(), json!(value));
        set("metastore", "rest");
        set("uri", &format!("http://{address}"));
        set("warehouse", warehouse);
        match self {
            Self::Bear(token) => {
                set("token.provider", "bear");
                set("token", token);
            }
            Self::Dlf { algorithm, secret, security_token } => {
                set("token.provider", "dlf");
                set("dlf.region", REGION);
                set("dlf.signing-algorithm", algorithm);
                set("dlf.access-key-id", KEY_ID);
                set("dlf.access-key-secret", secret);
                if let Some(token) = security_token {
                    set("dlf.security-token", token);
                }
            }
        }
        options
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Bear(token) => json!({"token": token}),
            Self::Dlf { algorithm, secret, security_token } => json!({
                "algorithm": algorithm, "region": REGION, "id": KEY_ID, "secret": secret, "security_token": security_token,
            }),
        }
    }

    /// The access key as the content of a token file.
    pub fn token_file(&self, expiration: &str) -> String {
        match self {
            Self::Bear(_) => String::new(),
            Self::Dlf { secret, security_token, .. } => json!({
                "AccessKeyId": KEY_ID, "AccessKeySecret": secret, "SecurityToken": security_token, "Expiration": expiration,
            })
            .to_string(),
        }
    }
}

/// `CREATE CATALOG` with these options.
pub fn create_catalog(options: &Map<String, Value>) -> String {
    let options: Vec<_> =
        options.iter().map(|(key, value)| format!("'{key}' = '{}'", value.as_str().unwrap_or_default())).collect();
    format!("CREATE CATALOG paimon WITH ('type' = 'paimon', {});", options.join(", "))
}
