//! The yardstick that speed is told against: the crate aho-corasick's DFA, blind to ASCII case,
//! over 3,000 made-up words, all overlapping matches, one text at a time. It folds nothing, knows
//! no word border and runs no rule. Ratios against it in one run can be compared over machines;
//! absolute figures cannot.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// How many words the yardstick holds.
pub const N_WORDS: usize = 3_000;

const ONSETS: [&str; 16] =
    ["b", "br", "d", "f", "fl", "g", "gr", "h", "k", "kn", "l", "m", "p", "sk", "st", "tr"];
const VOWELS: [&str; 9] = ["a", "e", "i", "o", "u", "y", "å", "ä", "ö"];
const CODAS: [&str; 12] = ["b", "ck", "d", "g", "k", "ll", "m", "nt", "r", "rk", "s", "tt"];

/// 3,000 different words of two syllables with a Swedish sound, the same ones every time.
pub fn words() -> Vec<String> {
    (0..N_WORDS)
        .map(|n| {
            // A stride without common factors visits every combination once.
            let k = (n * 7_919) % (ONSETS.len() * VOWELS.len() * CODAS.len() * VOWELS.len());
            let onset = ONSETS[k % ONSETS.len()];
            let vowel = VOWELS[k / ONSETS.len() % VOWELS.len()];
            let coda = CODAS[k / (ONSETS.len() * VOWELS.len()) % CODAS.len()];
            let end = VOWELS[k / (ONSETS.len() * VOWELS.len() * CODAS.len()) % VOWELS.len()];
            format!("{onset}{vowel}{coda}{end}")
        })
        .collect()
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
    fn the_words_differ() {
        let unique: std::collections::BTreeSet<_> = words().into_iter().collect();
        assert_eq!(unique.len(), N_WORDS);
    }
}
