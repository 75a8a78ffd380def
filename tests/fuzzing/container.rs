//! Avro's object container files, taken apart so that what is inside can be changed under sound framing.

use serde_json::Value;

use crate::mutate::{self, Random};

/// A file of one uncompressed block.
#[derive(Clone)]
pub(crate) struct Container {
    pub(crate) schema: Value,
    pub(crate) records: i64,
    pub(crate) payload: Vec<u8>,
}

const SYNC: [u8; 16] = [7; 16];
const WORDS: &[&str] = &[
    "null",
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "bytes",
    "string",
    "array",
    "map",
    "record",
    "enum",
    "fixed",
    "type",
    "items",
    "values",
    "fields",
    "name",
    "size",
    "symbols",
    "default",
    "logicalType",
    "timestamp-millis",
    "decimal",
    "_VERSION",
    "_FILE",
    "_FILE_NAME",
    "_KIND",
    "_PARTITION",
    "record__FILE",
    "org.apache.paimon.avro.generated.record",
    "",
];

// === impl Container ===

impl Container {
    /// What a file of the codec `null` holds.
    pub(crate) fn parse(file: &[u8]) -> Option<Self> {
        let mut rest = file.strip_prefix(b"Obj\x01")?;
        let mut schema = Value::Null;
        loop {
            let pairs = read_long(&mut rest)?;
            if pairs == 0 {
                break;
            }
            for _ in 0..pairs {
                let (key, value) = (read_bytes(&mut rest)?, read_bytes(&mut rest)?);
                match key {
                    b"avro.schema" => schema = serde_json::from_slice(value).ok()?,
                    b"avro.codec" if value != b"null" => return None,
                    _ => {}
                }
            }
        }
        rest = rest.get(16..)?;
        let (mut records, mut payload) = (0, Vec::new());
        while !rest.is_empty() {
            records += read_long(&mut rest)?;
            payload.extend_from_slice(read_bytes(&mut rest)?);
            rest = rest.get(16..)?;
        }
        Some(Self { schema, records, payload })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut file = b"Obj\x01".to_vec();
        let schema = self.schema.to_string();
        file.extend(long(2));
        for text in ["avro.codec", "null", "avro.schema", &schema] {
            file.extend(long(text.len() as i64));
            file.extend_from_slice(text.as_bytes());
        }
        file.extend(long(0));
        file.extend_from_slice(&SYNC);
        file.extend(long(self.records));
        file.extend(long(self.payload.len() as i64));
        file.extend_from_slice(&self.payload);
        file.extend_from_slice(&SYNC);
        file
    }
}

/// A golden file with changes in its bytes, its schema or its records.
pub(crate) fn mutate(random: &mut Random, golden: &[Vec<u8>]) -> Vec<u8> {
    let mut file = random.one(golden).clone();
    if let Some(mut container) = Container::parse(&file).filter(|_| !random.once_in(4)) {
        match random.below(3) {
            0 => mutate::several(random, &mut container.schema, |random, schema| mutate::json(random, schema, WORDS)),
            1 => container.records = container.records.wrapping_add(random.next() as i64 >> random.below(64)),
            _ => {}
        }
        mutate::several(random, &mut container.payload, |random, bytes| mutate::bytes(random, bytes, golden));
        return container.write();
    }
    mutate::several(random, &mut file, |random, bytes| mutate::bytes(random, bytes, golden));
    file
}

/// An Avro long: zigzag, then 7 bits a byte, lowest first.
pub(crate) fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = Vec::new();
    while rest > 0x7f {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

fn read_long(rest: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(byte & 0x7f) << shift;
        if byte >> 7 == 0 {
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}

fn read_bytes<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(read_long(rest)?).ok()?;
    let (bytes, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(bytes)
}
