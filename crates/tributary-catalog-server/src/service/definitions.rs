//! Views and functions: entries of the ledger and nothing else.

use std::sync::Arc;

use paimon_catalog::rest::wire::RenameTableRequest;
use serde::Serialize;
use serde_json::json;

use super::{Reply, Service, json, parse};
use crate::access::Principal;
use crate::call::{DefinitionCall, Kind, Right};
use crate::definitions::Definition;
use crate::page::{Paging, Pattern};
use crate::problem::Problem;
use crate::state::Change;

// === impl Service ===

impl Service {
    pub(super) async fn answer_for_definitions(
        &self,
        who: &Principal,
        kind: Kind,
        call: DefinitionCall,
        body: &[u8],
    ) -> Result<Reply, Problem> {
        match call {
            DefinitionCall::List(database, paging) => {
                let (found, next) = self.definitions(who, kind, &database, &paging)?;
                let names: Vec<&str> = found.iter().map(|definition| definition.name.as_str()).collect();
                listing(kind.plural(), &names, next)
            }
            DefinitionCall::ListDetails(database, paging) => {
                let (found, next) = self.definitions(who, kind, &database, &paging)?;
                let details: Vec<_> = found.iter().map(|definition| definition.described()).collect();
                listing(kind.details().0, &details, next)
            }
            DefinitionCall::ListGlobally(databases, paging) => {
                self.list_globally(who, kind, databases.as_ref(), &paging)
            }
            DefinitionCall::Create(database) => self.create_definition(who, kind, &database, body).await,
            DefinitionCall::Rename => self.rename_view(who, body).await,
            DefinitionCall::Get(database, name) => {
                who.check(&database, Right::Read)?;
                json(&self.names.state().definition(kind, &database, &name)?.described())
            }
            DefinitionCall::Alter(database, name) => {
                who.check(&database, Right::Write)?;
                let turn = self.names.turn().await;
                let next = turn.state().definition(kind, &database, &name)?.altered(body, self.now_audit(who))?;
                turn.apply(vec![Change::PutDefinition(next)]).await?;
                Ok(Reply::Done)
            }
            DefinitionCall::Drop(database, name) => {
                who.check(&database, Right::Write)?;
                let turn = self.names.turn().await;
                let id = turn.state().definition(kind, &database, &name)?.id.clone();
                turn.apply(vec![Change::RemoveDefinition(id)]).await?;
                Ok(Reply::Done)
            }
        }
    }

    fn definitions(
        &self,
        who: &Principal,
        kind: Kind,
        database: &str,
        paging: &Paging,
    ) -> Result<(Vec<Arc<Definition>>, Option<String>), Problem> {
        who.check(database, Right::Read)?;
        let state = self.names.state();
        state.database(database)?;
        Ok(paging.cut(state.definitions_of(kind, database).cloned(), |definition| &definition.name))
    }

    fn list_globally(
        &self,
        who: &Principal,
        kind: Kind,
        databases: Option<&Pattern>,
        paging: &Paging,
    ) -> Result<Reply, Problem> {
        let state = self.names.state();
        let wanted = |definition: &&Arc<Definition>| {
            databases.is_none_or(|databases| databases.matches(&definition.database))
                && paging.pattern.as_ref().is_none_or(|names| names.matches(&definition.name))
                && who.check(&definition.database, Right::Read).is_ok()
        };
        // By the text that is the token, so that pages follow each other.
        let key = |definition: &Arc<Definition>| format!("{}.{}", definition.database, definition.name);
        let mut found: Vec<_> =
            state.definitions(kind).filter(wanted).map(|definition| (key(definition), definition)).collect();
        found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let (found, next) = Paging { pattern: None, ..paging.clone() }.cut(found, |(key, _)| key);
        let names: Vec<_> = found.iter().map(|(_, definition)| definition.identifier()).collect();
        listing(kind.plural(), &names, next)
    }

    async fn create_definition(
        &self,
        who: &Principal,
        kind: Kind,
        database: &str,
        body: &[u8],
    ) -> Result<Reply, Problem> {
        who.check(database, Right::Write)?;
        let id = self.env.random.uuid().to_string();
        let definition = Definition::parse(kind, database, body, id, self.now_audit(who))?;
        let turn = self.names.turn().await;
        let changes = turn.state().create_definition(definition)?;
        turn.apply(changes).await?;
        Ok(Reply::Done)
    }

    async fn rename_view(&self, who: &Principal, body: &[u8]) -> Result<Reply, Problem> {
        let RenameTableRequest { source, destination } = parse(body)?;
        who.check(&source.database, Right::Write)?;
        who.check(&destination.database, Right::Write)?;
        let turn = self.names.turn().await;
        let changes = turn.state().rename_view(&source, &destination)?;
        turn.apply(changes).await?;
        Ok(Reply::Done)
    }
}

fn listing<T: Serialize>(member: &str, items: &[T], next_page_token: Option<String>) -> Result<Reply, Problem> {
    json(&json!({member: items, "nextPageToken": next_page_token}))
}
