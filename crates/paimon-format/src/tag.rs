//! Tags: `tag/tag-<name>`, a snapshot that expiry leaves alone (`Tag`).

use std::time::Duration;

use serde::Deserialize;

use crate::error::{FormatError, Result};
use crate::json;
use crate::snapshot::Snapshot;

const OBJECT: &str = "tag";

/// A snapshot that is kept under a name, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// When the tag was made: its maker's local wall clock, as milliseconds as if it were UTC. Only tags that are kept for
    /// a time know it.
    pub create_time_millis: Option<i64>,
    /// How long it is kept from then on; `None` for ever.
    pub time_retained: Option<Duration>,
}

/// What a tag says beside its snapshot, as Jackson writes `LocalDateTime` and `Duration`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    /// `[2026, 1, 31, 9, 0, 5, 120000000]`; zero seconds and nanoseconds are left out.
    tag_create_time: Option<Vec<i64>>,
    /// Seconds.
    tag_time_retained: Option<f64>,
}

// === impl Tag ===

impl Tag {
    /// Reads a tag file.
    ///
    /// # Errors
    /// Those of [`Snapshot::from_json`]; [`FormatError::Corrupt`] for a time or duration that is none.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let snapshot = Snapshot::from_json(bytes)?;
        let kept: Kept = json::from_slice(OBJECT, bytes)?;
        let create_time = kept.tag_create_time.as_deref().map(|parts| {
            millis(parts).ok_or_else(|| FormatError::corrupt(OBJECT, format!("tagCreateTime {parts:?} is no time")))
        });
        let retained = kept.tag_time_retained.map(|seconds| {
            Duration::try_from_secs_f64(seconds)
                .map_err(|error| FormatError::corrupt(OBJECT, format!("tagTimeRetained {seconds}: {error}")))
        });
        Ok(Self { snapshot, create_time_millis: create_time.transpose()?, time_retained: retained.transpose()? })
    }

    /// A tag file of the snapshot file `snapshot`, with every member it has. `kept` is as
    /// [`Tag::create_time_millis`] and [`Tag::time_retained`]; a tag for ever has neither, because Paimon up to 0.7 reads
    /// only such ones.
    ///
    /// # Errors
    /// Those of [`Snapshot::from_json`].
    pub fn file(snapshot: &[u8], kept: Option<(i64, Duration)>) -> Result<Vec<u8>> {
        Snapshot::from_json(snapshot)?;
        let Some((created, retained)) = kept else {
            return Ok(snapshot.to_vec());
        };
        let object = snapshot.trim_ascii_end();
        let members = object.strip_suffix(b"}").unwrap_or(object).trim_ascii_end();
        let time = time_parts(created).map(|part| part.to_string()).collect::<Vec<_>>().join(", ");
        let (seconds, nanos) = (retained.as_secs(), retained.subsec_nanos());
        let more = format!(",\n  \"tagCreateTime\" : [ {time} ],\n  \"tagTimeRetained\" : {seconds}.{nanos:09}\n}}");
        Ok([members, more.as_bytes()].concat())
    }
}

/// As Jackson writes `LocalDateTime`: zero seconds and nanoseconds at the end are left out.
fn time_parts(millis: i64) -> impl Iterator<Item = i64> {
    let (days, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = civil_from_days(days);
    let (second, nano) = (of_day / 1_000 % 60, of_day % 1_000 * 1_000_000);
    let parts = [year, month, day, of_day / 3_600_000, of_day / 60_000 % 60, second, nano];
    let count = if nano > 0 {
        7
    } else if second > 0 {
        6
    } else {
        5
    };
    parts.into_iter().take(count)
}

/// The inverse of [`days_from_civil`] (`civil_from_days` of the same paper).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

fn millis(parts: &[i64]) -> Option<i64> {
    let (date, time) = parts.split_first_chunk::<3>()?;
    let [hour, minute, rest @ ..] = time else { return None };
    let (second, nano) = match rest {
        [] => (0, 0),
        [second] => (*second, 0),
        [second, nano] => (*second, *nano),
        _ => return None,
    };
    let [year, month, day] = *date;
    let within = |value: i64, first: i64, last: i64| (first..=last).contains(&value);
    let sound = within(year, -999_999, 999_999) && within(month, 1, 12) && within(day, 1, 31);
    let sound = sound && within(*hour, 0, 23) && within(*minute, 0, 59) && within(second, 0, 59);
    if !(sound && within(nano, 0, 999_999_999)) {
        return None;
    }
    let seconds = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1_000 + nano / 1_000_000)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms": `days_from_civil`).
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tag(members: &str) -> Result<Tag> {
        let snapshot = r#""version" : 3, "id" : 7, "schemaId" : 0, "baseManifestList" : "b", "deltaManifestList" : "d",
            "commitUser" : "u", "commitIdentifier" : 1, "commitKind" : "APPEND", "timeMillis" : 5"#;
        Tag::from_json(format!("{{ {snapshot}{members} }}").as_bytes())
    }

    #[test]
    fn a_tag_knows_its_time_only_when_it_has_a_retention() {
        let plain = tag("").unwrap();
        assert_eq!((plain.snapshot.id.0, plain.create_time_millis, plain.time_retained), (7, None, None));
        for (time, expected) in [
            ("[1970, 1, 1, 0, 0]", 0),
            ("[1969, 12, 31, 23, 59, 59, 999999999]", -1),
            ("[2026, 1, 31, 9, 0, 5, 120000000]", 1_769_850_005_120),
            ("[2000, 2, 29, 0, 0, 1]", 951_782_401_000),
        ] {
            let kept = tag(&format!(r#", "tagCreateTime" : {time}, "tagTimeRetained" : 3600.500000000"#)).unwrap();
            assert_eq!(kept.create_time_millis, Some(expected), "{time}");
            assert_eq!(kept.time_retained, Some(Duration::from_millis(3_600_500)));
        }
    }

    #[test]
    fn a_tag_is_its_snapshots_file_and_the_time_it_is_kept() {
        let bytes = br#"{ "version" : 3, "id" : 7, "schemaId" : 0, "baseManifestList" : "b", "deltaManifestList" : "d",
            "commitUser" : "u", "commitIdentifier" : 1, "commitKind" : "APPEND", "timeMillis" : 5, "unknown" : { } }
        "#;
        assert_eq!(Tag::file(bytes, None).unwrap(), bytes);
        assert!(Tag::file(b"{ }", None).is_err());
        for millis in [-1, 0, 60_000, 951_782_401_000, 1_769_850_005_120, 4_102_444_799_999] {
            let retained = Duration::from_millis(1_500);
            let file = Tag::file(bytes, Some((millis, retained))).unwrap();
            let text = String::from_utf8(file.clone()).unwrap();
            assert!(text.contains("\"unknown\" : { },\n") && text.ends_with(": 1.500000000\n}"), "{text}");
            let tag = Tag::from_json(&file).unwrap();
            assert_eq!((tag.create_time_millis, tag.time_retained), (Some(millis), Some(retained)), "{text}");
        }
        assert_eq!(time_parts(0).collect::<Vec<_>>(), [1970, 1, 1, 0, 0]);
        assert_eq!(time_parts(1_769_850_005_120).collect::<Vec<_>>(), [2026, 1, 31, 9, 0, 5, 120_000_000]);
    }

    #[test]
    fn times_that_are_none_are_refused() {
        for members in [
            r#", "tagCreateTime" : [2026, 13, 1, 0, 0]"#,
            r#", "tagCreateTime" : [2026, 1, 1]"#,
            r#", "tagCreateTime" : [9223372036854775807, 1, 1, 0, 0]"#,
            r#", "tagTimeRetained" : -1"#,
            r#", "tagTimeRetained" : 1e300"#,
        ] {
            assert!(matches!(tag(members), Err(FormatError::Corrupt { .. })), "{members}");
        }
    }
}
