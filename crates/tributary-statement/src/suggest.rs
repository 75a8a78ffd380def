//! [`nearest`]: what a mistyped word probably meant.

/// Words longer than this are no typos; comparing them would only cost time.
const LONGEST: usize = 80;

/// The candidate closest to `word` (case ignored), if it is close enough to be meant: at most one edit (insert, delete,
/// replace, swap neighbours) for every three characters, and at least one. The first of equally close candidates wins.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    if length == 0 || length > LONGEST {
        return None;
    }
    let allowed = (length / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(edits, _)| *edits <= allowed && *edits < length)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typos_are_recognised_and_other_words_are_not() {
        let keys = ["rows-per-second", "number-of-rows", "connector", "FROM"];
        for (word, expected) in [
            ("row-per-second", Some("rows-per-second")),
            ("numbr-of-row", Some("number-of-rows")),
            ("CONECTOR", Some("connector")),
            ("form", Some("FROM")),
            ("warehouse", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), expected, "{word}");
        }
    }
}
