//! Partitions, counted from the manifests of the newest snapshot: what commits say about them is not kept, so it cannot
//! be wrong.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use paimon_catalog::rest::wire::{
    ListPartitionsResponse, Partition, PartitionSpec, PartitionSpecsRequest, PartitionStatistics,
};
use paimon_format::partition::{partition_path, partition_spec};
use paimon_format::{BinaryRow, TableSchema};
use paimon_table::port::FilesystemCommit;
use paimon_table::scan::{ScanPlan, plan_scan};
use paimon_table::table::{Table, TableIdentifier};

use super::{Reply, Service, Target, json, parse};
use crate::page::Paging;
use crate::problem::Problem;

// === impl Service ===

impl Service {
    pub(super) async fn list_partitions(&self, target: &Target, paging: &Paging) -> Result<Reply, Problem> {
        let (partitions, next_page_token) = paging.cut(self.partitions(target).await?, |(name, _)| name);
        let partitions = partitions.into_iter().map(|(_, partition)| partition).collect();
        json(&ListPartitionsResponse { partitions, next_page_token })
    }

    pub(super) async fn partitions_by_names(&self, target: &Target, body: &[u8]) -> Result<Reply, Problem> {
        let PartitionSpecsRequest { specs } = parse(body)?;
        let all = self.partitions(target).await?.into_values();
        let partitions = all.filter(|partition| specs.contains(&partition.statistics.spec)).collect();
        json(&ListPartitionsResponse { partitions, next_page_token: None })
    }

    /// By name, as in `dt=20600/hh=9`.
    async fn partitions(&self, target: &Target) -> Result<BTreeMap<String, Partition>, Problem> {
        // Clients answer 501 by looking themselves, which for these tables they can and this program cannot.
        let schema = target.schema().await?;
        let supported = schema.check_supported().map_err(|error| Problem::left_out(error.to_string()));
        supported?;
        if target.name.branch.is_some() {
            return Err(Problem::left_out("counting the partitions of a branch is left out"));
        }
        let name = TableIdentifier::new(target.name.database.as_str(), target.name.table.as_str());
        let table = Table::with_schema(name, target.storage.clone(), schema, Arc::new(FilesystemCommit))?;
        let plan = plan_scan(&table, None, None, &self.env.executor).await?;
        count(table.schema(), &table.options().partition_default_name, &plan)
    }
}

fn count(schema: &TableSchema, default_name: &str, plan: &ScanPlan) -> Result<BTreeMap<String, Partition>, Problem> {
    let mut totals: HashMap<&BinaryRow, PartitionStatistics> = HashMap::new();
    for entry in &plan.files {
        let total = totals.entry(&entry.partition).or_default();
        let file = PartitionStatistics {
            spec: PartitionSpec::new(),
            record_count: entry.file.row_count,
            file_size_in_bytes: entry.file.file_size,
            file_count: 1,
            last_file_creation_time: entry.file.creation_time_millis.unwrap_or_default(),
            total_buckets: entry.total_buckets,
        };
        add(total, &file);
    }
    let (keys, roots) = (&schema.partition_keys, schema.partition_types());
    let mut named = BTreeMap::new();
    for (row, statistics) in totals {
        let values = row.decode(&roots).map_err(|error| Problem::broken(error.to_string()))?;
        let unnamed = |error: paimon_format::FormatError| Problem::broken(error.to_string());
        let spec: PartitionSpec =
            partition_spec(keys, &roots, &values, default_name).map_err(unnamed)?.into_iter().collect();
        let name = partition_path(keys, &roots, &values, default_name).map_err(unnamed)?;
        // Null and blank text have one name, so they are one partition here.
        let partition: &mut Partition = named.entry(name).or_default();
        add(&mut partition.statistics, &statistics);
        partition.statistics.spec = spec;
    }
    Ok(named)
}

fn add(total: &mut PartitionStatistics, part: &PartitionStatistics) {
    total.record_count += part.record_count;
    total.file_size_in_bytes += part.file_size_in_bytes;
    total.file_count += part.file_count;
    total.last_file_creation_time = total.last_file_creation_time.max(part.last_file_creation_time);
    total.total_buckets = part.total_buckets;
}
