//! The calls of a client, typed. A 404 or a 409 that answers the question is a value, everything else an error.

use std::collections::BTreeMap;

use paimon_table::table::TableIdentifier;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::client::{Call, Client};
use super::error::RestError;
use super::options::{HEADER_PREFIX, RestOptions};
use super::paths::{self, ResourcePaths};
use super::wire::{
    CommitTableRequest, CommitTableResponse, ConfigResponse, CreateDatabaseRequest, CreateTableRequest,
    GetTableTokenResponse, Identifier, ListDatabasesResponse, ListTablesResponse, Page, Schema, resource,
};

/// One catalog's calls.
pub(crate) struct Api {
    client: Client,
    options: RestOptions,
    session: OnceCell<Session>,
}

/// What the catalog told us first.
struct Session {
    paths: ResourcePaths,
    headers: BTreeMap<String, String>,
    /// Ours and the catalog's.
    options: BTreeMap<String, String>,
}

/// What a client needs of a table: its schemas are read from its folder.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TableEntry {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) path: Option<String>,
    #[serde(default)]
    pub(crate) is_external: bool,
}

/// Whether something was made by this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    Now,
    Before,
}

// === impl Api ===

impl Api {
    pub(crate) fn new(client: Client, options: RestOptions) -> Self {
        Self { client, options, session: OnceCell::new() }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn options(&self) -> &RestOptions {
        &self.options
    }

    pub(crate) async fn list_databases(&self) -> Result<Vec<String>, RestError> {
        let path = self.session().await?.paths.databases();
        self.list::<ListDatabasesResponse>(path).await
    }

    pub(crate) async fn has_database(&self, database: &str) -> Result<bool, RestError> {
        let path = self.session().await?.paths.database(database);
        Ok(found(self.get::<serde::de::IgnoredAny>(path).await)?.is_some())
    }

    pub(crate) async fn create_database(&self, database: &str) -> Result<Made, RestError> {
        let path = self.session().await?.paths.databases();
        let request = CreateDatabaseRequest { name: database.to_owned(), options: BTreeMap::new() };
        made(self.post(path, &request).await.0)
    }

    /// The tables of a database, `None` when there is no such database.
    pub(crate) async fn list_tables(&self, database: &str) -> Result<Option<Vec<String>>, RestError> {
        let path = self.session().await?.paths.tables(database);
        found(self.list::<ListTablesResponse>(path).await)
    }

    /// A table, `None` when it or its database is not there.
    pub(crate) async fn table(&self, table: &TableIdentifier) -> Result<Option<TableEntry>, RestError> {
        let path = self.session().await?.paths.table(&table.database, &table.table);
        found(self.get(path).await)
    }

    pub(crate) async fn create_table(&self, table: &TableIdentifier, schema: Schema) -> Result<Made, RestError> {
        let path = self.session().await?.paths.tables(&table.database);
        let identifier = Identifier { database: table.database.clone(), object: table.table.clone() };
        made(self.post(path, &CreateTableRequest { identifier, schema }).await.0)
    }

    pub(crate) async fn token(&self, table: &TableIdentifier) -> Result<GetTableTokenResponse, RestError> {
        let path = self.session().await?.paths.token(&table.database, &table.table);
        self.get(path).await
    }

    /// What the catalog says to a commit, and whether it was asked more than once.
    pub(crate) async fn commit(
        &self,
        table: &TableIdentifier,
        request: &CommitTableRequest,
    ) -> (Result<CommitTableResponse, RestError>, bool) {
        let path = match self.session().await {
            Ok(session) => session.paths.commit(&table.database, &table.table),
            // Nothing of the commit was sent.
            Err(error) => return (Err(unsent(error)), false),
        };
        let call = match call(Method::POST, path, Some(request)) {
            Ok(call) => call,
            Err(error) => return (Err(error), false),
        };
        let (outcome, resent) = self.send(&call).await;
        (outcome.and_then(|body| self.client.parse(&call, &body)), resent)
    }

    /// The options in force: ours over the catalog's defaults, its overrides over both.
    pub(crate) async fn merged(&self) -> Result<&BTreeMap<String, String>, RestError> {
        Ok(&self.session().await?.options)
    }

    /// The catalog's own options, asked for once.
    async fn session(&self) -> Result<&Session, RestError> {
        self.session
            .get_or_try_init(async || {
                let mut call = call::<()>(Method::GET, paths::CONFIG.to_owned(), None)?;
                call.query.insert(paths::WAREHOUSE.to_owned(), self.options.warehouse.clone());
                let reply = self.client.send(&call, &headers(&self.options.given)).await;
                let config: ConfigResponse = self.client.parse(&call, &reply.outcome?)?;
                let merged = config.merge(&self.options.given);
                let prefix = merged.get(paths::PREFIX).map(String::as_str);
                Ok(Session { paths: ResourcePaths::new(prefix), headers: headers(&merged), options: merged })
            })
            .await
    }

    async fn list<P: Page + DeserializeOwned>(&self, path: String) -> Result<Vec<P::Item>, RestError> {
        let mut call = call::<()>(Method::GET, path, None)?;
        let mut all = Vec::new();
        loop {
            let (outcome, _) = self.send(&call).await;
            let (items, next) = self.client.parse::<P>(&call, &outcome?)?.into_parts();
            let ended = items.is_empty();
            all.extend(items);
            // A token that comes again would make the listing endless.
            let is_new = |token: &String| !token.is_empty() && call.query.get(paths::PAGE_TOKEN) != Some(token);
            match next.filter(|token| is_new(token) && !ended) {
                Some(token) => call.query.insert(paths::PAGE_TOKEN.to_owned(), token),
                None => return Ok(all),
            };
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T, RestError> {
        let call = call::<()>(Method::GET, path, None)?;
        let (outcome, _) = self.send(&call).await;
        self.client.parse(&call, &outcome?)
    }

    async fn post(&self, path: String, body: &impl Serialize) -> (Result<String, RestError>, bool) {
        match call(Method::POST, path, Some(body)) {
            Ok(call) => self.send(&call).await,
            Err(error) => (Err(error), false),
        }
    }

    async fn send(&self, call: &Call) -> (Result<String, RestError>, bool) {
        match self.session().await {
            Ok(session) => {
                let reply = self.client.send(call, &session.headers).await;
                (reply.outcome, reply.resent)
            }
            Err(error) => (Err(unsent(error)), false),
        }
    }
}

fn call<B: Serialize>(method: Method, path: String, body: Option<&B>) -> Result<Call, RestError> {
    let body = body.map(serde_json::to_string).transpose().map_err(|error| RestError::Answer {
        call: format!("{method} {path}"),
        why: format!("the request cannot be written: {error}"),
    })?;
    Ok(Call { method, path, query: BTreeMap::new(), body })
}

fn headers(options: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let header = |(key, value): (&String, &String)| Some((key.strip_prefix(HEADER_PREFIX)?.to_owned(), value.clone()));
    options.iter().filter_map(header).collect()
}

/// A call before the one that matters failed.
fn unsent(error: RestError) -> RestError {
    match error {
        RestError::NoAnswer { call, why, .. } => RestError::NoAnswer { call, why, sent: false },
        other => other,
    }
}

/// `None` for a 404 that is about a database or table.
fn found<T>(outcome: Result<T, RestError>) -> Result<Option<T>, RestError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.refusal() {
            Some((404, None | Some(resource::DATABASE | resource::TABLE))) => Ok(None),
            _ => Err(error),
        },
    }
}

fn made(outcome: Result<String, RestError>) -> Result<Made, RestError> {
    match outcome {
        Ok(_) => Ok(Made::Now),
        Err(error) if matches!(error.refusal(), Some((409, _))) => Ok(Made::Before),
        Err(error) => Err(error),
    }
}
