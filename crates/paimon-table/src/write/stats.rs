//! A file's statistics, from those the Parquet encoder recorded per row group.

use std::cmp::Ordering;

use paimon_format::{ColumnStats, Datum, TypeRoot};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;

use crate::arrow::timestamp;
use crate::write::WriterSpec;

/// Statistics per column; none of nested ones. `null_counts`: nulls of columns without Parquet statistics.
pub(super) fn of_file(metadata: &ParquetMetaData, spec: &WriterSpec, null_counts: &[i64]) -> Vec<ColumnStats> {
    spec.roots
        .iter()
        .zip(spec.leaves.iter())
        .enumerate()
        .map(|(index, (root, leaves))| {
            if root.is_nested() {
                return ColumnStats::default();
            }
            let mut merged = ColumnStats { null_count: Some(null_counts[index]), ..ColumnStats::default() };
            let mut bounded = true;
            for row_group in metadata.row_groups() {
                let chunk = row_group.column(leaves.start);
                bounded &= chunk
                    .statistics()
                    .is_some_and(|statistics| merge(&mut merged, root, statistics, chunk.num_values()));
            }
            if !bounded {
                merged.min = None;
                merged.max = None;
            }
            merged
        })
        .collect()
}

/// Takes the bounds of a column chunk of floating point away. Parquet's leave NaN out, so that `> 1` would skip rows
/// where NaN is above all numbers, and `<> 1` where it differs from them; Java's writer gives none either.
pub(super) fn drop_float_bounds(chunk: &mut ColumnChunkMetaData) -> Result<(), ParquetError> {
    let unbounded = match chunk.statistics() {
        Some(Statistics::Float(all)) => Statistics::float(None, None, None, all.null_count_opt(), false),
        Some(Statistics::Double(all)) => Statistics::double(None, None, None, all.null_count_opt(), false),
        _ => return Ok(()),
    };
    *chunk = chunk.clone().into_builder().set_statistics(unbounded).build()?;
    Ok(())
}

/// Widens `merged` by a column chunk of `values` values, nulls included. `false` when the chunk holds values whose
/// bounds are not known.
fn merge(merged: &mut ColumnStats, root: &TypeRoot, chunk: &Statistics, values: i64) -> bool {
    merged.null_count = merged.null_count.zip(chunk.null_count_opt()).map(|(sum, nulls)| sum + nulls as i64);
    let (min, max) = bounds(root, chunk);
    let known = (min.is_some() && max.is_some()) || chunk.null_count_opt() == u64::try_from(values).ok();
    let orders =
        |new: &Datum, old: &Option<Datum>, wanted| old.as_ref().is_none_or(|old| new.compare(old) == Some(wanted));
    if let Some(min) = min.filter(|min| orders(min, &merged.min, Ordering::Less)) {
        merged.min = Some(min);
    }
    if let Some(max) = max.filter(|max| orders(max, &merged.max, Ordering::Greater)) {
        merged.max = Some(max);
    }
    known
}

/// The bounds of a column chunk; absent when all its values are null.
fn bounds(root: &TypeRoot, chunk: &Statistics) -> (Option<Datum>, Option<Datum>) {
    fn pair<T>(
        min: Option<&T>,
        max: Option<&T>,
        datum: impl Fn(&T) -> Option<Datum>,
    ) -> (Option<Datum>, Option<Datum>) {
        (min.and_then(&datum), max.and_then(&datum))
    }
    match chunk {
        Statistics::Boolean(s) => pair(s.min_opt(), s.max_opt(), |v| Some(Datum::Boolean(*v))),
        Statistics::Int32(s) => pair(s.min_opt(), s.max_opt(), |v| of_i64(root, i64::from(*v))),
        Statistics::Int64(s) => pair(s.min_opt(), s.max_opt(), |v| of_i64(root, *v)),
        Statistics::Float(s) => pair(s.min_opt(), s.max_opt(), |v| Some(Datum::Float(*v))),
        Statistics::Double(s) => pair(s.min_opt(), s.max_opt(), |v| Some(Datum::Double(*v))),
        Statistics::ByteArray(s) => pair(s.min_opt(), s.max_opt(), |v| of_bytes(root, v.data())),
        Statistics::FixedLenByteArray(s) => pair(s.min_opt(), s.max_opt(), |v| of_bytes(root, v.data())),
        Statistics::Int96(_) => (None, None),
    }
}

fn of_i64(root: &TypeRoot, value: i64) -> Option<Datum> {
    Some(match *root {
        TypeRoot::TinyInt => Datum::TinyInt(value as i8),
        TypeRoot::SmallInt => Datum::SmallInt(value as i16),
        TypeRoot::Int => Datum::Int(value as i32),
        TypeRoot::BigInt => Datum::BigInt(value),
        TypeRoot::Date => Datum::Date(value as i32),
        TypeRoot::Time(_) => Datum::Time(value as i32),
        TypeRoot::Decimal { precision, scale } => Datum::Decimal { unscaled: i128::from(value), precision, scale },
        TypeRoot::Timestamp(0..=3) | TypeRoot::TimestampLtz(0..=3) => timestamp(value, 1),
        TypeRoot::Timestamp(4..=6) | TypeRoot::TimestampLtz(4..=6) => timestamp(value, 1_000),
        _ => return None,
    })
}

fn of_bytes(root: &TypeRoot, bytes: &[u8]) -> Option<Datum> {
    Some(match *root {
        TypeRoot::Char(_) | TypeRoot::Varchar(_) => Datum::String(std::str::from_utf8(bytes).ok()?.to_owned()),
        TypeRoot::Binary(_) | TypeRoot::Varbinary(_) => Datum::Bytes(bytes.to_owned()),
        TypeRoot::Decimal { precision, scale } => {
            Datum::Decimal { unscaled: of_twos_complement(bytes)?, precision, scale }
        }
        _ => return None,
    })
}

/// A big-endian two's complement integer of at most 16 bytes.
fn of_twos_complement(bytes: &[u8]) -> Option<i128> {
    let sign = if bytes.first()? & 0x80 == 0 { 0 } else { 0xff };
    let mut wide = [sign; 16];
    wide.get_mut(16usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}
