//! INSERT INTO … SELECT …: an INSERT becomes a [`PipelinePlan`].

use std::sync::Arc;

use tributary_statement::{Insert, ObjectName, TableRef, nearest};

use crate::error::JobError;
use crate::expr::BoundSelect;
use crate::expr::bind::{BindError, Scope};
use crate::expr::target::Target;
use crate::identity::PipelineId;
use crate::pipeline::PipelinePlan;
use crate::session::{FullName, Result, Run, Series};
use crate::sources::TemporaryTable;
use crate::tables::{self, SinkHint};

const HOW_TO_READ: &str = "write CREATE TEMPORARY TABLE … WITH ('connector' = 'datagen', …)";

impl Run<'_> {
    pub(crate) async fn insert(&mut self, insert: &Insert) -> Result<()> {
        let name = self.full_name(&insert.target);
        if self.session.temporary.contains_key(&name) {
            return Err(self.refuse(
                BindError::new(insert.target.span, format!("{} is a source, nothing can be inserted", insert.target))
                    .help("insert into a table of a Paimon catalog"),
            ));
        }
        let catalog = Arc::clone(&self.entry(&name.catalog, insert.target.span)?.catalog);
        let schema = self.schema_of(&name, insert.target.span).await?;
        let SinkHint { parallelism, options } =
            tables::sink_hint(insert, &schema).map_err(|error| self.refuse(error))?;
        let from = &insert.select.from;
        let source = self.temporary(from)?;
        let zone = self.settings.zone;
        let columns = source.columns(zone)?;
        let scope = Scope {
            table: from.alias.as_ref().map_or(from.name.last(), |alias| alias.value.as_str()),
            columns: &columns,
            zone,
            random: Some(self.session.env.random.clone()),
        };
        let table = name.table.to_string();
        let select = Target::bind(insert, &table, &schema.fields, &schema.partition_keys, &scope)
            .and_then(|target| BoundSelect::bind(&insert.select, &scope, target))
            .map_err(|error| self.refuse(error))?;
        let offset = Arc::new(move |utc_millis: i64| zone.offset_seconds(utc_millis.div_euclid(1000)));
        let spec = source.spec(from).map_err(|error| self.refuse(error))?.with_local_offset(offset);
        let id = self.identify(insert, &name)?;
        self.session.plans.push(PipelinePlan {
            id,
            catalog,
            table: name.table,
            schema,
            options,
            source: spec,
            select: Arc::new(select),
            checkpoint_interval: self.settings.checkpoint_interval,
            parallelism: parallelism.or(self.settings.parallelism()),
        });
        Ok(())
    }

    /// The pipeline's identity. Only INSERTs of one file share a series: what else runs beside a file never changes which
    /// pipeline is which.
    fn identify(&mut self, insert: &Insert, name: &FullName) -> Result<PipelineId> {
        let job = self.settings.pipeline_name.clone().unwrap_or_else(|| self.stem.clone());
        let key = (job, name.table.clone());
        if let Some(series) = self.session.series.get(&key).filter(|series| series.file != self.file) {
            let (job, table) = &key;
            return Err(self.refuse(
                BindError::new(
                    insert.target.span,
                    format!("another file fills {table} as pipeline `{job}` already, at {}", series.first),
                )
                .help("SET 'pipeline.name' to another name before this INSERT"),
            ));
        }
        let span = insert.target.span;
        let first = || format!("{}:{}:{}", self.source.name(), span.line, span.column);
        let file = self.file;
        let id = |count| PipelineId::new(&key.0, &key.1, count);
        let series =
            self.session.series.get(&key).cloned().unwrap_or_else(|| Series { first: first(), file, count: 0 });
        let series = Series { count: series.count + 1, ..series };
        let id = id(series.count);
        self.session.series.insert(key, series);
        Ok(id)
    }

    fn temporary(&self, from: &TableRef) -> Result<&TemporaryTable> {
        let (name, full) = (&from.name, self.full_name(&from.name));
        if let Some(table) = self.session.temporary.get(&full) {
            return Ok(table);
        }
        if self.session.catalogs.contains_key(&full.catalog) {
            let message = format!("reading from {name} is not supported: only temporary tables are sources");
            return Err(self.refuse(BindError::new(name.span, message).help(HOW_TO_READ)));
        }
        Err(self.no_temporary_table(name))
    }

    pub(crate) fn no_temporary_table(&self, name: &ObjectName) -> JobError {
        let error = BindError::new(name.span, format!("there is no table {name}"));
        let known = self.session.temporary.keys().map(|name| name.table.table.as_str());
        self.refuse(match nearest(name.last(), known) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(HOW_TO_READ),
        })
    }
}
