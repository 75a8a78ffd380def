//! How far a source has come, split by split.
//!
//! A batch covers an [`Interval`] of one split; intervals must chain without gap or overlap. That is the
//! whole arithmetic of "nothing lost, nothing doubled", so it is checked wherever intervals are added up.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One of the parts a source is divided into. Their number is fixed when a pipeline first starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SplitId(pub u32);

/// What has been produced of a split, up to and including; 0 is nothing. Opaque to everybody but the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// What a batch covers of one split: `(from, to]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The split.
    pub split: SplitId,
    /// Where the batch before it ended.
    pub from: Position,
    /// The last position covered; above `from`.
    pub to: Position,
}

/// The position of every split; a split not named is at [`Position`] 0.
///
/// As JSON an object of decimal strings, `{"0":"123"}`: a number would lose digits in other readers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions(BTreeMap<SplitId, Position>);

/// An interval does not continue where its split stands. Always a defect: of a source, or of whoever
/// lost or repeated a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Something between was lost.
    #[error("{interval} leaves a gap: the split is at {at}")]
    Gap {
        /// The interval refused.
        interval: Interval,
        /// Where its split stands.
        at: Position,
    },
    /// Something was repeated.
    #[error("{interval} overlaps: the split is already at {at}")]
    Overlap {
        /// The interval refused.
        interval: Interval,
        /// Where its split stands.
        at: Position,
    },
    /// It covers nothing.
    #[error("{interval} does not advance")]
    Empty {
        /// The interval refused.
        interval: Interval,
    },
}

// === impl Interval ===

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "split {} ({}, {}]", self.split, self.from, self.to)
    }
}

impl fmt::Display for SplitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Positions ===

impl Positions {
    /// Every split at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where a split stands.
    pub fn get(&self, split: SplitId) -> Position {
        self.0.get(&split).copied().unwrap_or_default()
    }

    /// The splits that were named, in order.
    pub fn iter(&self) -> impl Iterator<Item = (SplitId, Position)> + '_ {
        self.0.iter().map(|(split, position)| (*split, *position))
    }

    /// Whether no split has advanced.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|position| position.0 == 0)
    }

    /// Advances a split by an interval that continues exactly where it stands.
    ///
    /// # Errors
    /// [`ChainError`] otherwise; nothing is changed then.
    pub fn apply(&mut self, interval: Interval) -> Result<(), ChainError> {
        let at = self.get(interval.split);
        if interval.from > at {
            return Err(ChainError::Gap { interval, at });
        }
        if interval.from < at {
            return Err(ChainError::Overlap { interval, at });
        }
        if interval.to <= interval.from {
            return Err(ChainError::Empty { interval });
        }
        self.0.insert(interval.split, interval.to);
        Ok(())
    }
}

impl FromIterator<(SplitId, Position)> for Positions {
    fn from_iter<I: IntoIterator<Item = (SplitId, Position)>>(positions: I) -> Self {
        Self(positions.into_iter().collect())
    }
}

impl Serialize for Positions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(split, position)| (split.0.to_string(), position.0.to_string())))
    }
}

impl<'de> Deserialize<'de> for Positions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = BTreeMap::<String, String>::deserialize(deserializer)?;
        text.iter()
            .map(|(split, position)| {
                let parsed = split.parse().ok().zip(position.parse().ok());
                parsed
                    .map(|(split, position)| (SplitId(split), Position(position)))
                    .ok_or_else(|| D::Error::custom(format!("`{split}`: `{position}` is no position of a split")))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn interval(split: u32, from: u64, to: u64) -> Interval {
        Interval { split: SplitId(split), from: Position(from), to: Position(to) }
    }

    #[test]
    fn intervals_must_chain() {
        let cases = [
            (interval(0, 10, 11), None),
            (interval(1, 0, 5), None),
            (interval(0, 11, 12), Some("split 0 (11, 12] leaves a gap: the split is at 10")),
            (interval(2, 1, 2), Some("split 2 (1, 2] leaves a gap: the split is at 0")),
            (interval(0, 9, 12), Some("split 0 (9, 12] overlaps: the split is already at 10")),
            (interval(0, 0, 10), Some("split 0 (0, 10] overlaps: the split is already at 10")),
            (interval(0, 10, 10), Some("split 0 (10, 10] does not advance")),
            (interval(0, 10, 9), Some("split 0 (10, 9] does not advance")),
        ];
        for (next, refused) in cases {
            let before = Positions::from_iter([(SplitId(0), Position(10))]);
            let mut after = before.clone();
            let result = after.apply(next);
            assert_eq!(result.err().map(|error| error.to_string()).as_deref(), refused);
            if refused.is_some() {
                assert_eq!(after, before);
            } else {
                assert_eq!(after.get(next.split), next.to);
            }
        }
    }

    #[test]
    fn json_keeps_every_digit() {
        let positions = Positions::from_iter([(SplitId(10), Position(u64::MAX)), (SplitId(2), Position(1))]);
        let json = serde_json::to_string(&positions).unwrap();
        assert_eq!(json, r#"{"2":"1","10":"18446744073709551615"}"#);
        assert_eq!(serde_json::from_str::<Positions>(&json).unwrap(), positions);
    }

    #[test]
    fn damaged_json_is_refused() {
        for text in [r#"{"0":1}"#, r#"{"x":"1"}"#, r#"{"0":"-1"}"#, r#"{"0":""}"#, "[]", r#"{"4294967296":"1"}"#] {
            assert!(serde_json::from_str::<Positions>(text).is_err(), "{text}");
        }
    }
}
