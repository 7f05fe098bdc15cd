//! The yardstick that speed is told against: the crate aho-corasick's DFA, blind to ASCII case,
//! over 3,000 word forms, all overlapping matches, one text at a time. It folds nothing, knows no
//! word border and runs no rule. Ratios against it in one run can be compared over machines;
//! absolute figures cannot.
//!
//! The words are forms of our own lexicon's words of abuse, threat and the like, every seventh in
//! the order of the alphabet as the lexicon stood in November 2026, and then kept: a yardstick must
//! not grow with what it measures. They are real words, since made-up ones match next to nothing
//! in Swedish and leave the automaton near its root, which made it a quarter faster and the
//! classifier look slower. Everyday words are left out, as in any list of this kind.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// How many words the yardstick holds.
pub const N_WORDS: usize = 3_000;

/// The words, the same ones every time.
pub fn words() -> impl Iterator<Item = &'static str> {
    include_str!("../../fixtures/classify/base-words.txt").lines()
}

/// The automaton.
pub fn automaton() -> AhoCorasick {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words())
        .expect("3,000 short words fit in a DFA")
}

/// All overlapping matches in one text.
pub fn count(automaton: &AhoCorasick, text: &str) -> usize {
    automaton.find_overlapping_iter(text).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_differ_and_are_as_many_as_is_told() {
        let unique: std::collections::BTreeSet<_> = words().collect();
        assert_eq!(unique.len(), N_WORDS);
        assert_eq!(words().count(), N_WORDS);
    }

    #[test]
    fn matches_overlap_and_know_no_border() {
        let automaton = automaton();
        let count = |text| count(&automaton, text);
        assert_eq!(count("Bron stängs på fredag"), 0);
        assert!(count("blodpölarna") >= 1);
    }
}
