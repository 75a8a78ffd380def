//! Chance, and changes of bytes, text and JSON.

use serde_json::{Map, Value};

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same on every machine for ever.
pub(crate) struct Random(u64);

// === impl Random ===

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `end` - 1; 0 for 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    /// Once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Mostly small, at times up to `end` - 1.
    fn length(&mut self, end: usize) -> usize {
        let bits = self.below(usize::BITS as usize - end.max(1).leading_zeros() as usize) + 1;
        self.below((1 << bits).min(end))
    }
}

const NUMBERS: [i64; 14] =
    [0, 1, -1, 2, 7, 8, 127, 128, 255, 65_536, i32::MAX as i64, i32::MIN as i64, i64::MAX, i64::MIN];

/// A longer piece of JSON is not repeated.
const LARGEST_DONOR: usize = 1_024;

/// One change, often more.
pub(crate) fn several<T>(random: &mut Random, subject: &mut T, change: impl Fn(&mut Random, &mut T)) {
    loop {
        change(random, subject);
        if random.once_in(2) {
            return;
        }
    }
}

/// One change of bytes; `others` lend theirs.
pub(crate) fn bytes(random: &mut Random, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    let at = random.below(bytes.len() + 1);
    let end = at + random.length(bytes.len() - at + 1);
    match random.below(8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = random.next() as u8,
        2 => drop(bytes.drain(at..end)),
        3 => bytes.truncate(at),
        4 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        5 => {
            // Little and big endian, and as an Avro long.
            let number = *random.one(&NUMBERS);
            let spelt = match random.below(5) {
                0 => number.to_le_bytes().to_vec(),
                1 => number.to_be_bytes().to_vec(),
                2 => (number as i32).to_le_bytes().to_vec(),
                3 => (number as i32).to_be_bytes().to_vec(),
                _ => crate::container::long(number),
            };
            let end = (at + spelt.len()).min(bytes.len());
            bytes.splice(at..end, spelt);
        }
        6 if !others.is_empty() => {
            let other = random.one(others);
            let from = random.below(other.len() + 1);
            let to = from + random.length(other.len() - from + 1);
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        _ => {
            let count = random.length(64);
            let filler = (0..count).map(|_| random.next() as u8).collect::<Vec<_>>();
            bytes.splice(at..at, filler);
        }
    }
}

/// One change of text, in words or characters. `words` are what the language is made of.
pub(crate) fn text(random: &mut Random, text: &mut String, words: &[&str], others: &[Vec<u8>]) {
    if random.once_in(8) {
        let mut raw = std::mem::take(text).into_bytes();
        bytes(random, &mut raw, others);
        *text = String::from_utf8_lossy(&raw).into_owned();
        return;
    }
    let mut parts: Vec<String> = split(text);
    let at = random.below(parts.len() + 1);
    let end = at + random.length(parts.len() - at + 1);
    match random.below(9) {
        0 | 1 => parts.insert(at, (*random.one(words)).to_owned()),
        2 if at < parts.len() => parts[at] = (*random.one(words)).to_owned(),
        3 => drop(parts.drain(at..end)),
        4 => {
            let again = parts[at..end].to_vec();
            parts.splice(at..at, again);
        }
        5 if at < parts.len() => {
            let other = random.below(parts.len());
            parts.swap(at, other);
        }
        6 if random.once_in(4) => {
            // Deep: the same words over and over, perhaps with their counterparts behind.
            let times = 1 << random.below(13);
            let word = (*random.one(words)).repeat(times.min(1 << 13));
            parts.insert(at, word);
        }
        7 => parts.insert(at, random.one(&NUMBERS).to_string()),
        _ => {
            let odd = ["\0", "\u{feff}", "\u{1f980}", "ß", "\u{202e}", "\\", "'", "\"", "`", "${", "/*", "--", "\r\n"];
            parts.insert(at, (*random.one(&odd)).to_owned());
        }
    }
    *text = parts.concat();
}

/// Words, runs of spaces, and single characters else.
fn split(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut last = None;
    for c in text.chars() {
        let kind = if c.is_alphanumeric() || c == '_' {
            1
        } else if c.is_whitespace() {
            2
        } else {
            3
        };
        match parts.last_mut() {
            Some(part) if last == Some(kind) && kind != 3 => part.push(c),
            _ => parts.push(c.to_string()),
        }
        last = Some(kind);
    }
    parts
}

/// One change of JSON. `words` are texts that mean something somewhere.
pub(crate) fn json(random: &mut Random, root: &mut Value, words: &[&str]) {
    let donor = somewhere(random, root).clone();
    let donor = if donor.to_string().len() <= LARGEST_DONOR { donor } else { Value::Null };
    let place = somewhere(random, root);
    match (random.below(8), place) {
        (0, place) => *place = Value::from(*random.one(&NUMBERS)),
        (1, place) => *place = Value::from(*random.one(words)),
        (2, place) => *place = donor,
        (3, Value::Object(members)) if !members.is_empty() => {
            let key = members.keys().nth(random.below(members.len())).cloned().unwrap();
            members.remove(&key);
        }
        (3 | 4, Value::Array(items)) => {
            let at = random.below(items.len() + 1);
            match random.once_in(2) && at < items.len() {
                true => drop(items.remove(at)),
                false => items.insert(at, donor),
            }
        }
        (4, Value::Object(members)) => {
            members.insert((*random.one(words)).to_owned(), donor);
        }
        (5, place) => {
            for _ in 0..random.length(160) {
                let inner = place.take();
                *place = match random.once_in(2) {
                    true => Value::Array(vec![inner]),
                    false => Value::Object(Map::from_iter([((*random.one(words)).to_owned(), inner)])),
                };
            }
        }
        (6, place) => {
            let some = [Value::Null, Value::Bool(true), Value::from(1e300), Value::from(-0.5), Value::from(u64::MAX)];
            *place = random.one(&some).clone();
        }
        (_, Value::String(inner)) => text(random, inner, words, &[]),
        (_, place) => *place = Value::Array(vec![donor; random.length(300)]),
    }
}

/// A value inside, each level with less chance.
fn somewhere<'v>(random: &mut Random, mut value: &'v mut Value) -> &'v mut Value {
    loop {
        let inside = match value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            _ => 0,
        };
        if inside == 0 || random.once_in(4) {
            return value;
        }
        let at = random.below(inside);
        value = match value {
            Value::Array(items) => &mut items[at],
            Value::Object(members) => members.values_mut().nth(at).unwrap(),
            _ => unreachable!("only these have something inside"),
        };
    }
}
