//! Targets of bytes: manifests, rows of partitions and statistics, hints.

use paimon_format::avro::{Codec, decode_entries, decode_manifest_list, encode_entries, encode_manifest_list};
use paimon_format::{BinaryRow, Datum, ManifestEntry, SimpleStats, SnapshotId, TypeRoot};

use crate::container;
use crate::harness::{Target, golden_files};
use crate::mutate::{self, Random};

/// The reader's own limit of one block or value is 64 MiB; a buffer that grows up to it by doubling takes three times that.
const AVRO_BYTES: usize = 3 * (64 << 20) + (8 << 20);

/// Most inputs are uncompressed: there mutations reach the records.
const CODECS: [Codec; 6] = [Codec::Null, Codec::Null, Codec::Null, Codec::Deflate, Codec::Snappy, Codec::Zstandard(1)];

pub(crate) const MANIFEST: Target = Target {
    golden: || {
        let files = golden_files(|path| {
            let name = path.rsplit('/').next().unwrap_or_default();
            let is_manifest = name.starts_with("manifest-") && !name.starts_with("manifest-list-");
            is_manifest || name.ends_with("-0.avro")
        });
        let entries: Vec<_> = files.iter().map(|file| decode_entries(file).unwrap()).collect();
        let again = CODECS.iter().flat_map(|codec| entries.iter().map(|all| encode_entries(all, *codec).unwrap()));
        again.chain(files.iter().cloned()).collect()
    },
    mutate: container::mutate,
    run: |input| {
        if let Ok(entries) = decode_entries(input) {
            let written = encode_entries(&entries, Codec::Null).unwrap();
            assert_eq!(decode_entries(&written).unwrap(), entries);
            entries.iter().for_each(look_into);
        }
    },
    fixed_bytes: AVRO_BYTES,
    per_byte: 64,
};

/// What a scan reads of an entry.
fn look_into(entry: &ManifestEntry) {
    let types = [TypeRoot::STRING, TypeRoot::Int, TypeRoot::Date, TypeRoot::Timestamp(6)];
    for count in 0..=types.len() {
        let _partition = entry.partition.decode(&types[..count]);
        let _stats = entry.file.value_stats.decode(&types[..count]);
    }
    assert_eq!(entry.identifier(), entry.clone().identifier());
}

pub(crate) const MANIFEST_LIST: Target = Target {
    golden: || {
        let files = golden_files(|path| path.contains("/manifest-list-") || path.ends_with("-list.avro"));
        let lists: Vec<_> = files.iter().map(|file| decode_manifest_list(file).unwrap()).collect();
        let again = CODECS.iter().flat_map(|codec| lists.iter().map(|all| encode_manifest_list(all, *codec).unwrap()));
        again.chain(files.iter().cloned()).collect()
    },
    mutate: container::mutate,
    run: |input| {
        if let Ok(manifests) = decode_manifest_list(input) {
            let written = encode_manifest_list(&manifests, Codec::Null).unwrap();
            assert_eq!(decode_manifest_list(&written).unwrap(), manifests);
        }
    },
    fixed_bytes: AVRO_BYTES,
    per_byte: 64,
};

/// The types of the row, each a byte, 0xff, then the row as manifests hold it.
pub(crate) const BINARY_ROW: Target = Target {
    golden: || {
        let values = [
            Some(Datum::Boolean(true)),
            Some(Datum::TinyInt(-1)),
            Some(Datum::SmallInt(300)),
            Some(Datum::Int(7)),
            Some(Datum::BigInt(i64::MIN)),
            Some(Datum::Float(0.5)),
            Some(Datum::Double(-0.0)),
            Some(Datum::Decimal { unscaled: -5, precision: 9, scale: 2 }),
            Some(Datum::Decimal { unscaled: i128::MAX / 10, precision: 38, scale: 10 }),
            Some(Datum::String("short".to_owned())),
            Some(Datum::String("more than seven bytes".to_owned())),
            Some(Datum::Bytes(vec![0xff; 9])),
            Some(Datum::Date(20_484)),
            Some(Datum::Time(1)),
            Some(Datum::Timestamp { millis: 1, nano_of_milli: 0 }),
            Some(Datum::Timestamp { millis: -1, nano_of_milli: 999_999 }),
            None,
        ];
        let roots = roots();
        let row = |places: &[usize]| {
            let types: Vec<_> = places.iter().map(|place| roots[*place].clone()).collect();
            let values: Vec<_> = places.iter().map(|place| values[*place].clone()).collect();
            let mut input: Vec<u8> = places.iter().map(|place| *place as u8).collect();
            input.push(0xff);
            input.extend(BinaryRow::encode(&types, &values).unwrap().serialized());
            input
        };
        let all: Vec<usize> = (0..roots.len()).collect();
        let mut rows: Vec<_> = all.iter().map(|place| row(&[*place])).collect();
        rows.extend([row(&all), row(&[]), row(&[10, 10, 8, 15, 16])]);
        rows
    },
    mutate: |random, golden| {
        let mut input = random.one(golden).clone();
        mutate::several(random, &mut input, |random, bytes| mutate::bytes(random, bytes, golden));
        input
    },
    run: |input| {
        let roots = roots();
        let end = input.iter().position(|byte| *byte == 0xff).unwrap_or(input.len());
        let types: Vec<TypeRoot> =
            input[..end].iter().map(|byte| roots[usize::from(*byte) % roots.len()].clone()).collect();
        let Ok(row) = BinaryRow::from_serialized(input.get(end + 1..).unwrap_or_default()) else { return };
        assert_eq!(BinaryRow::from_serialized(&row.serialized()).unwrap(), row);
        if let Ok(values) = row.decode(&types) {
            // By their text: NaN is not equal to itself. A decimal may exceed its type's 64 bits in hostile bytes only.
            if let Ok(again) = BinaryRow::encode(&types, &values) {
                assert_eq!(format!("{:?}", again.decode(&types).unwrap()), format!("{values:?}"));
            }
        }
        let stats = SimpleStats { min_values: row.clone(), max_values: row, null_counts: vec![None, Some(-1)] };
        let _columns = stats.decode(&types);
    },
    fixed_bytes: 16 << 10,
    per_byte: 64,
};

/// Those of the golden row's values.
fn roots() -> Vec<TypeRoot> {
    vec![
        TypeRoot::Boolean,
        TypeRoot::TinyInt,
        TypeRoot::SmallInt,
        TypeRoot::Int,
        TypeRoot::BigInt,
        TypeRoot::Float,
        TypeRoot::Double,
        TypeRoot::Decimal { precision: 9, scale: 2 },
        TypeRoot::Decimal { precision: 38, scale: 10 },
        TypeRoot::STRING,
        TypeRoot::Char(3),
        TypeRoot::Varbinary(9),
        TypeRoot::Date,
        TypeRoot::Time(3),
        TypeRoot::Timestamp(3),
        TypeRoot::Timestamp(9),
        TypeRoot::TimestampLtz(6),
    ]
}

pub(crate) const HINT: Target = Target {
    golden: || golden_files(|path| path.ends_with("/LATEST") || path.ends_with("/EARLIEST")),
    mutate: |random: &mut Random, golden| {
        let mut input = random.one(golden).clone();
        mutate::several(random, &mut input, |random, bytes| mutate::bytes(random, bytes, golden));
        input
    },
    run: |input| {
        if let Some(id) = SnapshotId::from_hint(input) {
            assert!(id >= SnapshotId::FIRST);
            assert_eq!(SnapshotId::from_hint(id.to_string().as_bytes()), Some(id));
        }
    },
    fixed_bytes: 16 << 10,
    per_byte: 8,
};
