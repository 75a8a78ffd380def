//! What datagen should have produced: the pure row function, asked directly.

use std::collections::HashMap;

use arrow::array::AsArray;
use serde_json::Value;
use tributary_runtime::{Interval, Position, SplitId};
use tributary_source::datagen::{DatagenSpec, FieldDef, FieldType};

/// The values of the text column `id` of rows 1 to `position` of a split.
pub fn ids(
    columns: &[(&str, FieldType)],
    options: &[(&str, &str)],
    seed: u64,
    splits: u32,
    split: u32,
    position: u64,
) -> Vec<String> {
    let define = |(name, data_type): &(&str, FieldType)| FieldDef {
        name: (*name).to_owned(),
        data_type: data_type.clone(),
        nullable: true,
    };
    let columns: Vec<_> = columns.iter().map(define).collect();
    let spec = DatagenSpec::try_new(&columns, options.iter().copied()).unwrap();
    let interval = Interval { split: SplitId(split), from: Position(0), to: Position(position) };
    let rows = spec.rows(seed, splits).batch(interval, 0).unwrap();
    let ids = rows.column_by_name("id").unwrap();
    ids.as_string::<i32>().iter().map(|id| id.unwrap().to_owned()).collect()
}

/// The values of the text column `id` that a job has committed, from the positions in its newest snapshot.
pub fn committed_ids(
    snapshot: &[u8],
    columns: &[(&str, FieldType)],
    options: &[(&str, &str)],
    seed: u64,
    splits: u32,
) -> Vec<String> {
    let snapshot: Value = serde_json::from_slice(snapshot).unwrap();
    let positions = snapshot["properties"]["tributary.positions"].as_str().unwrap();
    let positions: Value = serde_json::from_str(positions).unwrap();
    let of_split = |(split, position): (&String, &Value)| {
        let position = position.as_str().unwrap().parse().unwrap();
        ids(columns, options, seed, splits, split.parse().unwrap(), position)
    };
    positions.as_object().unwrap().iter().flat_map(of_split).collect()
}

/// Every id once, and no other.
pub fn assert_same_ids(expected: &[String], found: Vec<String>) {
    let mut counts = HashMap::new();
    for id in found {
        *counts.entry(id).or_insert(0_u32) += 1;
    }
    for id in expected {
        assert_eq!(counts.remove(id), Some(1), "id {id}");
    }
    assert!(counts.is_empty(), "{} ids that the source never made", counts.len());
}
