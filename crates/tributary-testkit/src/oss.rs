//! A small OSS on loopback: objects, ranges, listings by pages and uploads in parts, in memory.
//!
//! What matters is where it differs from S3: a create that is refused says 409 `FileAlreadyExists`; a bucket with
//! versioning refuses none and answers with a version's id; `If-None-Match` on a put means nothing; names come by the
//! hundred unless more are asked for. Every signature (version 4) is computed anew from the request as it arrived.

mod signature;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Method, Request, Response};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use crate::server::{Failure, Server};

/// When every object was last modified, as headers and listings write it.
const MODIFIED: (&str, &str) = ("Sat, 31 Jan 2026 09:08:07 GMT", "2026-01-31T09:08:07.000Z");

/// Names on a page unless the request says how many.
const PAGE: usize = 100;

/// Keys that the stub knows.
#[derive(Clone, Debug)]
pub struct OssKey {
    /// Access key id.
    pub id: String,
    /// Access key secret.
    pub secret: String,
    /// Token that requests with it must carry.
    pub token: Option<String>,
}

/// The server. It ends when dropped.
pub struct OssStub {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    region: String,
    keys: BTreeMap<String, Known>,
    buckets: BTreeMap<String, Bucket>,
    uploads: BTreeMap<String, Upload>,
    last_upload: u64,
}

struct Known {
    key: OssKey,
    has_expired: bool,
}

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Bytes>,
    has_versions: bool,
}

struct Upload {
    place: (String, String),
    parts: BTreeMap<u32, Bytes>,
}

/// A request, taken apart.
struct Asked {
    method: Method,
    bucket: String,
    key: String,
    query: BTreeMap<String, String>,
    headers: HeaderMap,
    body: Bytes,
}

/// Status, error code and message.
type Refusal = (u16, &'static str, &'static str);
type Answer = Result<Response<Full<Bytes>>, Refusal>;

// === impl OssStub ===

impl OssStub {
    /// Listens on a free port of loopback; requests must be signed for `region`.
    ///
    /// # Errors
    /// When the port or the runtime cannot be had.
    pub fn start(region: &str) -> std::io::Result<Self> {
        let state = Arc::new(Mutex::new(State { region: region.to_owned(), ..State::default() }));
        let served = Arc::clone(&state);
        let server = Server::start(move |request| exchange(Arc::clone(&served), request))?;
        Ok(Self { server, state })
    }

    /// Where to send requests, with the bucket in the path.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Makes an empty bucket.
    pub fn make_bucket(&self, bucket: &str) {
        self.state().buckets.insert(bucket.to_owned(), Bucket::default());
    }

    /// From now on the bucket keeps versions; in a real one that can be suspended, but not undone.
    pub fn switch_versioning_on(&self, bucket: &str) {
        self.state().buckets.entry(bucket.to_owned()).or_default().has_versions = true;
    }

    /// Accepts requests signed with `key`.
    pub fn accept(&self, key: OssKey) {
        self.state().keys.insert(key.id.clone(), Known { key, has_expired: false });
    }

    /// Refuses requests signed with the key of this id from now on.
    pub fn expire(&self, id: &str) {
        if let Some(known) = self.state().keys.get_mut(id) {
            known.has_expired = true;
        }
    }

    /// Uploads that were begun, and neither completed nor aborted.
    pub fn open_uploads(&self) -> usize {
        self.state().uploads.len()
    }

    /// The names in a bucket, sorted.
    pub fn names(&self, bucket: &str) -> Vec<String> {
        self.state().buckets.get(bucket).map(|bucket| bucket.objects.keys().cloned().collect()).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl fmt::Debug for OssStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OssStub").field("address", &self.address()).finish_non_exhaustive()
    }
}

async fn exchange(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Failure> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = parts.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let asked = Asked {
        bucket: decoded(bucket)?,
        key: decoded(key)?,
        query: query(parts.uri.query().unwrap_or_default())?,
        method: parts.method,
        headers: parts.headers,
        body,
    };
    match lock(&state).answer(&asked) {
        Ok(response) => Ok(response),
        Err((status, code, message)) => {
            let text = format!(
                "<Error><Code>{code}</Code><Message>{message}</Message><OSSAccessKeyId>never shown</OSSAccessKeyId></Error>"
            );
            let body = if asked.method == Method::HEAD { Bytes::new() } else { text.into() };
            Ok(Response::builder().status(status).body(Full::new(body))?)
        }
    }
}

fn query(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(key)?, decoded(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Result<String, Failure> {
    Ok(percent_decode_str(text).decode_utf8()?.into_owned())
}

// === impl State ===

impl State {
    fn answer(&mut self, asked: &Asked) -> Answer {
        if asked.headers.keys().any(|name| name.as_str().starts_with("x-amz-")) {
            return Err((400, "InvalidArgument", "This is not S3."));
        }
        self.check_signature(asked)?;
        if !self.buckets.contains_key(&asked.bucket) {
            return Err((404, "NoSuchBucket", "The specified bucket does not exist."));
        }
        let has = |name: &str| asked.query.contains_key(name);
        match (asked.method.as_str(), asked.key.as_str()) {
            ("GET", "") if has("list-type") => self.list(asked),
            (_, "") => Err((501, "NotImplemented", "The stub has no requests for buckets.")),
            ("GET" | "HEAD", _) => self.get(asked),
            ("PUT", _) if has("uploadId") => self.put_part(asked),
            ("PUT", _) => self.put(asked),
            ("POST", _) if has("uploads") => self.begin_upload(asked),
            ("POST", _) if has("uploadId") => self.complete_upload(asked),
            ("DELETE", _) if has("uploadId") => self.abort_upload(asked),
            ("DELETE", _) => {
                self.bucket(asked).objects.remove(&asked.key);
                said(204, &[], Bytes::new())
            }
            _ => Err((501, "NotImplemented", "The stub does not know this request.")),
        }
    }

    fn check_signature(&self, asked: &Asked) -> Result<(), Refusal> {
        let header = |name: &str| asked.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (id, scope, signature) = signature::parts(header("authorization")).ok_or((
            403,
            "AccessDenied",
            "The stub takes signatures of version 4 in the header.",
        ))?;
        let known = self.keys.get(id).ok_or((403, "InvalidAccessKeyId", "The access key does not exist."))?;
        if known.has_expired {
            return Err((403, "SecurityTokenExpired", "The security token you provided has expired."));
        }
        if header("x-oss-security-token") != known.key.token.as_deref().unwrap_or_default() {
            return Err((403, "InvalidSecurityToken", "The security token you provided is invalid."));
        }
        if scope.split('/').nth(1) != Some(&self.region) {
            return Err((400, "InvalidArgument", "Invalid signing region in Authorization header."));
        }
        if signature::of(asked, scope, &known.key.secret) != signature {
            return Err((403, "SignatureDoesNotMatch", "The signature does not match. Look at <StringToSign>"));
        }
        Ok(())
    }

    fn bucket(&mut self, asked: &Asked) -> &mut Bucket {
        self.buckets.entry(asked.bucket.clone()).or_default()
    }

    fn put(&mut self, asked: &Asked) -> Answer {
        let bucket = self.bucket(asked);
        let forbids = asked.headers.get("x-oss-forbid-overwrite").is_some_and(|value| value == "true");
        if forbids && !bucket.has_versions && bucket.objects.contains_key(&asked.key) {
            return Err((
                409,
                "FileAlreadyExists",
                "The object you specified already exists and can not be overwritten.",
            ));
        }
        bucket.objects.insert(asked.key.clone(), asked.body.clone());
        let mut headers = vec![("etag", etag(&asked.body))];
        if bucket.has_versions {
            headers.push(("x-oss-version-id", "CAEQOBiBgMD5".to_owned()));
        }
        said(200, &headers, Bytes::new())
    }

    fn get(&mut self, asked: &Asked) -> Answer {
        let object = self.bucket(asked).objects.get(&asked.key).cloned();
        let object = object.ok_or((404, "NoSuchKey", "The specified key does not exist."))?;
        let mut headers = vec![("etag", etag(&object)), ("last-modified", MODIFIED.0.to_owned())];
        let size = object.len();
        let (status, body) = match asked.headers.get("range").and_then(|range| range.to_str().ok()) {
            None => (200, object),
            Some(range) => match satisfied(range, size) {
                Some(found) => {
                    headers.push(("content-range", format!("bytes {}-{}/{size}", found.start, found.end - 1)));
                    (206, object.slice(found))
                }
                None if asked.headers.contains_key("x-oss-range-behavior") => {
                    return Err((416, "InvalidRange", "The requested range cannot be satisfied."));
                }
                None => (200, object),
            },
        };
        headers.push(("content-length", body.len().to_string()));
        said(status, &headers, if asked.method == Method::HEAD { Bytes::new() } else { body })
    }

    fn list(&mut self, asked: &Asked) -> Answer {
        let asked_for = |name: &str| asked.query.get(name).map(String::as_str).unwrap_or_default();
        let (prefix, delimiter) = (asked_for("prefix"), asked_for("delimiter"));
        let after = asked_for("continuation-token").max(asked_for("start-after"));
        let page = asked_for("max-keys").parse().unwrap_or(PAGE);
        let mut entries: BTreeMap<String, Option<&Bytes>> = BTreeMap::new();
        for (key, object) in &self.bucket(asked).objects {
            let Some(rest) = key.strip_prefix(prefix) else { continue };
            match rest.find(delimiter).filter(|_| !delimiter.is_empty()) {
                Some(at) => entries.insert(format!("{prefix}{}", &rest[..at + delimiter.len()]), None),
                None => entries.insert(key.clone(), Some(object)),
            };
        }
        let mut left = entries.into_iter().filter(|(name, _)| name.as_str() > after).peekable();
        let (mut text, mut last) = ("<ListBucketResult>".to_owned(), String::new());
        for (name, object) in left.by_ref().take(page) {
            let shown = name.replace('&', "&amp;").replace('<', "&lt;");
            let _ = match object {
                None => write!(text, "<CommonPrefixes><Prefix>{shown}</Prefix></CommonPrefixes>"),
                Some(object) => write!(
                    text,
                    "<Contents><Key>{shown}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                    MODIFIED.1,
                    etag(object),
                    object.len()
                ),
            };
            last = name;
        }
        if left.peek().is_some() {
            let _ = write!(text, "<NextContinuationToken>{last}</NextContinuationToken>");
        }
        let _ = write!(text, "<IsTruncated>{}</IsTruncated></ListBucketResult>", left.peek().is_some());
        said(200, &[], text.into())
    }

    fn begin_upload(&mut self, asked: &Asked) -> Answer {
        self.last_upload += 1;
        let id = format!("upload-{}", self.last_upload);
        let place = (asked.bucket.clone(), asked.key.clone());
        self.uploads.insert(id.clone(), Upload { place, parts: BTreeMap::new() });
        let text = format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
        said(200, &[], text.into())
    }

    fn upload(&mut self, asked: &Asked) -> Result<(String, &mut Upload), Refusal> {
        let id = asked.query.get("uploadId").cloned().unwrap_or_default();
        match self.uploads.get_mut(&id) {
            Some(upload) if upload.place == (asked.bucket.clone(), asked.key.clone()) => Ok((id, upload)),
            _ => Err((404, "NoSuchUpload", "The specified upload does not exist.")),
        }
    }

    fn put_part(&mut self, asked: &Asked) -> Answer {
        let number = asked.query.get("partNumber").and_then(|number| number.parse().ok());
        let number = number.ok_or((400, "InvalidArgument", "partNumber"))?;
        self.upload(asked)?.1.parts.insert(number, asked.body.clone());
        said(200, &[("etag", etag(&asked.body))], Bytes::new())
    }

    fn complete_upload(&mut self, asked: &Asked) -> Answer {
        let (id, upload) = self.upload(asked)?;
        let text = String::from_utf8_lossy(&asked.body).into_owned();
        let (mut whole, mut named) = (Vec::new(), BTreeSet::new());
        for part in text.split("<Part>").skip(1) {
            let number = part.split_once("<PartNumber>").and_then(|(_, rest)| rest.split_once('<')?.0.parse().ok());
            let found = number.and_then(|number: u32| Some((number, upload.parts.get(&number)?)));
            match found {
                // Quotes may be entities.
                Some((number, bytes)) if part.contains(etag(bytes).trim_matches('"')) && named.insert(number) => {
                    whole.extend_from_slice(bytes);
                }
                _ => return Err((400, "InvalidPart", "One or more of the specified parts could not be found.")),
            }
        }
        self.uploads.remove(&id);
        let whole = Bytes::from(whole);
        let text =
            format!("<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>", etag(&whole));
        self.bucket(asked).objects.insert(asked.key.clone(), whole);
        said(200, &[], text.into())
    }

    fn abort_upload(&mut self, asked: &Asked) -> Answer {
        let (id, _) = self.upload(asked)?;
        self.uploads.remove(&id);
        said(204, &[], Bytes::new())
    }
}

/// `bytes=1-2`, `bytes=1-` and `bytes=-2` of an object of `size` bytes; `None` when nothing of it is there.
fn satisfied(range: &str, size: usize) -> Option<std::ops::Range<usize>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let found = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => first..(last + 1).min(size),
        (Ok(first), Err(_)) => first..size,
        (Err(_), Ok(suffix)) => size.saturating_sub(suffix)..size,
        (Err(_), Err(_)) => return None,
    };
    (found.start < found.end).then_some(found)
}

fn etag(bytes: &[u8]) -> String {
    let digest: String = Sha256::digest(bytes)[..16].iter().map(|byte| format!("{byte:02X}")).collect();
    format!("\"{digest}\"")
}

fn said(status: u16, headers: &[(&'static str, String)], body: Bytes) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(Full::new(body)).map_err(|_| (500, "InternalError", "a header cannot be"))
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
