//! MinIO, an independent S3: one server for all tests of a binary, on loopback, with a scratch folder of its own.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use object_store::ClientOptions;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpConnector, HttpRequest, ReqwestConnector};
use paimon_table::store::credentials::Credentials;
use paimon_table::store::options::BucketOptions;
use paimon_table::store::{Storage, StorageOptions};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::engine::Engine;
use crate::{PATIENCE, http};

pub const ACCESS_KEY: &str = "tributary";
pub const SECRET_KEY: &str = "a-secret-of-the-tests";
const REGION: &str = "us-east-1";

static INSTALLED: Engine = Engine::new("minio");

/// A running server. A bucket is a folder, so that none needs a request to be made.
pub struct Minio {
    pub address: SocketAddr,
    folder: PathBuf,
    _server: Mutex<Child>,
}

/// The server, or `None` where it is not installed; under CI it must be.
pub fn minio() -> Option<&'static Minio> {
    static STARTED: OnceLock<Minio> = OnceLock::new();
    INSTALLED.available().then(|| STARTED.get_or_init(Minio::start))
}

// === impl Minio ===

impl Minio {
    fn start() -> Self {
        let begin = Instant::now();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // The shell outlives this process just long enough to stop the server and remove its folder.
        let script = "dir=$(mktemp -d -t tributary-minio-XXXXXX) && echo \"$dir\" &&
            { \"$0\" server \"$dir\" --address \"$1\" --quiet >/dev/null 2>&1 & } && read -r _; kill $!; wait $!; rm -rf \"$dir\"";
        let mut server = Command::new("sh")
            .args(["-c", script])
            .arg(INSTALLED.home().join("bin/minio"))
            .arg(address.to_string())
            .envs([("MINIO_ROOT_USER", ACCESS_KEY), ("MINIO_ROOT_PASSWORD", SECRET_KEY), ("MINIO_BROWSER", "off")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut folder = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut folder).unwrap();
        while !http::get(address, "/minio/health/ready").is_ok_and(|answer| answer.status == 200) {
            assert!(begin.elapsed() < PATIENCE && server.try_wait().unwrap().is_none(), "MinIO did not start");
            std::thread::sleep(std::time::Duration::from_millis(20)); // the pause of a poll
        }
        eprintln!("MinIO answers after {:.1} s", begin.elapsed().as_secs_f64());
        Self { address, folder: folder.trim().into(), _server: Mutex::new(server) }
    }

    /// Makes a bucket and returns its URL.
    pub fn bucket(&self, name: &str) -> String {
        std::fs::create_dir(self.folder.join(name)).unwrap();
        format!("s3://{name}")
    }

    /// Uploads of `bucket/key` that were begun, and neither completed nor aborted: MinIO keeps each in a folder.
    pub fn open_uploads(&self, object: &str) -> usize {
        let digest: String = Sha256::digest(object).iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::read_dir(self.folder.join(".minio.sys/multipart").join(digest)).map_or(0, Iterator::count)
    }

    /// The options of a catalog, in Paimon's spelling.
    pub fn options(&self) -> [(&'static str, String); 4] {
        options(self.address)
    }

    /// The same for a process that takes them from its environment.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ]
    }

    /// Temporary keys, by `AssumeRole`, for what `policy` allows; for everything without one.
    pub async fn assume_role(&self, policy: Option<&Value>) -> Credentials {
        let root = AwsCredential { key_id: ACCESS_KEY.into(), secret_key: SECRET_KEY.into(), token: None };
        let mut form = "Action=AssumeRole&Version=2011-06-15&DurationSeconds=900".to_owned();
        form.extend(policy.map(|policy| {
            format!(
                "&Policy={}",
                url::form_urlencoded::byte_serialize(policy.to_string().as_bytes()).collect::<String>()
            )
        }));
        let mut request = HttpRequest::new(form.into());
        *request.method_mut() = "POST".parse().unwrap();
        *request.uri_mut() = format!("http://{}/", self.address).parse().unwrap();
        request.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        AwsAuthorizer::new(&root, "sts", REGION).try_authorize(&mut request, None).unwrap();
        // Opening a store chooses the process's TLS, which the client must have.
        drop(open("s3://any", self.address));
        let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true)).unwrap();
        let begin = Instant::now();
        let answer = loop {
            let answer = client.execute(request.clone()).await.unwrap().into_body().bytes().await.unwrap();
            let answer = String::from_utf8(answer.to_vec()).unwrap();
            // Its users come some time after it says that it is ready.
            if !answer.contains("Server not initialized") || begin.elapsed() > PATIENCE {
                break answer;
            }
            std::thread::sleep(std::time::Duration::from_millis(20)); // the pause of a poll
        };
        let element = |name: &str| {
            let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {answer}"));
            rest.split_once('<').unwrap().0.to_owned()
        };
        Credentials {
            access_key: element("AccessKeyId"),
            secret_key: element("SecretAccessKey"),
            session_token: Some(element("SessionToken")),
        }
    }
}

/// The options of a catalog whose store listens at `address`.
pub fn options(address: SocketAddr) -> [(&'static str, String); 4] {
    [
        ("s3.endpoint", format!("http://{address}")),
        ("s3.access-key", ACCESS_KEY.to_owned()),
        ("s3.secret-key", SECRET_KEY.to_owned()),
        ("s3.path.style.access", "true".to_owned()),
    ]
}

/// Opens a bucket at `address` with the root's keys.
pub fn open(url: &str, address: SocketAddr) -> Storage {
    let options = options(address).map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
    let s3 = BucketOptions::s3(&options).unwrap();
    Storage::open_with(url, &StorageOptions { s3, ..StorageOptions::default() }).unwrap()
}

/// The catalog of `url` as a request to an engine's server carries it.
pub fn catalog(url: &str, address: SocketAddr) -> Value {
    let mut all = json!({"warehouse": url, "s3.region": REGION});
    for (key, value) in options(address) {
        all[key] = value.into();
    }
    all
}
