//! What datagen should have produced: the pure row function, asked directly.

use arrow::array::AsArray;
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
