//! What the statistics of a file we wrote exclude, in our own scans and in readers of its Parquet footer.

use super::*;
use crate::predicate::{Comparison, Predicate};

/// SQL's answer for one value: true, or anything else.
fn holds(predicate: &Predicate, left: Option<&Datum>) -> bool {
    match predicate {
        Predicate::Compare { op, value, .. } => left.is_some_and(|left| match op {
            Comparison::Eq => left == value,
            Comparison::NotEq => left != value,
            Comparison::Lt => left < value,
            Comparison::LtEq => left <= value,
            Comparison::Gt => left > value,
            Comparison::GtEq => left >= value,
        }),
        Predicate::In { values, .. } => left.is_some_and(|left| values.contains(left)),
        Predicate::NotIn { values, .. } => left.is_some_and(|left| !values.contains(left)),
        Predicate::IsNull(_) => left.is_none(),
        Predicate::IsNotNull(_) => left.is_some(),
        Predicate::And(parts) => parts.iter().all(|part| holds(part, left)),
        Predicate::Or(parts) => parts.iter().any(|part| holds(part, left)),
    }
}

/// Conditions on the column `c` that make use of each value.
fn conditions(values: Vec<Datum>) -> Vec<Predicate> {
    use Comparison::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    let compared = |value: &Datum| [Eq, NotEq, Lt, LtEq, Gt, GtEq].map(|op| Predicate::compare("c", op, value.clone()));
    let mut conditions: Vec<Predicate> = values.iter().flat_map(compared).collect();
    let within = Predicate::In { column: "c".to_owned(), values };
    let null = Predicate::IsNull("c".to_owned());
    conditions.extend([within.clone().not(), null.clone().not(), Predicate::Or(vec![within.clone(), null.clone()])]);
    conditions.extend([within, null]);
    conditions
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn pruning_by_a_files_statistics_never_drops_a_row_of_any_type(
        columns in columns(),
        others in columns(),
        row_group_bytes in prop_oneof![Just(1usize), Just(1 << 20)],
        mode in prop_oneof![Just("truncate(16)"), Just("full"), Just("truncate(1)"), Just("counts"), Just("none")],
    ) {
        let spec = WriterSpec::try_new(&schema(), &options(&[("metadata.stats-mode", mode)]), row_group_bytes).unwrap();
        let (_, summary) = write_file(&spec, &[batch(&spec, &columns)]);
        let stats = summary.stats.decode(&spec.roots).unwrap();
        for (column, root) in spec.roots.iter().enumerate() {
            let literals = columns[column].iter().take(4).chain(others[column].iter().take(2));
            for condition in conditions(literals.flatten().cloned().collect()) {
                let matches = columns[column].iter().any(|value| holds(&condition, value.as_ref()));
                let may_match = condition.may_match(summary.rows as i64, &|_| Some(stats[column].clone()));
                prop_assert!(may_match || !matches, "{root}: {condition:?} by {:?}", stats[column]);
            }
        }
    }
}

/// Readers that order NaN, or find it different from every number, may skip by these bounds.
#[test]
fn a_row_group_with_nan_has_no_bounds_in_the_footer() {
    let fields = fields(&[("f", "FLOAT"), ("d", "DOUBLE"), ("many", "ARRAY<DOUBLE>")]);
    let spec = WriterSpec::try_new(&fields, &options(&[]), 1).unwrap();
    let rows = |f: f32, d: f64| {
        let list =
            arrow::array::ListArray::from_iter_primitive::<arrow::datatypes::Float64Type, _, _>([Some([Some(d)])]);
        let list = arrow::compute::cast(&list, spec.arrow_schema().field(2).data_type()).unwrap();
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Float32Array::from(vec![f])), Arc::new(Float64Array::from(vec![d])), list];
        RecordBatch::try_new(Arc::clone(spec.arrow_schema()), columns).unwrap()
    };
    let both = |a: &RecordBatch, b: &RecordBatch| arrow::compute::concat_batches(spec.arrow_schema(), [a, b]).unwrap();
    let (nan, one) = (rows(f32::NAN, f64::NAN), rows(1.0, 1.0));
    let (bytes, summary) = write_file(&spec, &[both(&nan, &one), one]);
    let bounded: Vec<Vec<(bool, Option<u64>)>> = metadata(&bytes)
        .row_groups()
        .iter()
        .map(|group| {
            let statistics = group.columns().iter().map(|column| column.statistics().unwrap());
            statistics.map(|all| (all.min_bytes_opt().is_some(), all.null_count_opt())).collect()
        })
        .collect();
    assert_eq!(bounded, [[(false, Some(0)); 3], [(true, Some(0)); 3]]);
    let in_manifest = summary.stats.decode(&spec.roots).unwrap();
    assert!(in_manifest.iter().all(|stats| stats.min.is_none() && stats.max.is_none()), "{in_manifest:?}");
}
