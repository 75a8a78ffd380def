//! Whether the clock of this machine agrees with that of the other side of an exchange.

use std::ops::RangeInclusive;

/// Stores and HTTP tell whole seconds.
const RESOLUTION_MILLIS: i64 = 999;

/// How far our clock is ahead of theirs, milliseconds; negative when it is behind. Both sides' times are Unix
/// milliseconds: theirs was read at an unknown moment of `ours`, so what that explains is no difference.
pub(crate) fn ahead_millis(ours: RangeInclusive<i64>, theirs: i64) -> i64 {
    let (late, early) = (ours.start().saturating_sub(theirs), theirs.saturating_sub(*ours.end()));
    match (late > RESOLUTION_MILLIS, early > 0) {
        (true, _) => late,
        (false, true) => -early,
        (false, false) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_exchange_explains_is_no_difference() {
        for (ours, theirs, expected) in [
            (10_000..=10_000, 10_000, 0),
            // 10.9 s, told as 10 s.
            (10_900..=10_950, 10_000, 0),
            (10_000..=15_000, 12_000, 0),
            (70_000..=70_500, 10_000, 60_000),
            (10_000..=10_500, 70_500, -60_000),
            (i64::MAX..=i64::MAX, i64::MIN, i64::MAX),
        ] {
            assert_eq!(ahead_millis(ours.clone(), theirs), expected, "{ours:?} {theirs}");
        }
    }
}
