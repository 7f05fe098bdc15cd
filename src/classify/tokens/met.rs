//! Whether a text may say the same thing again, told while it is cut.

use crate::classify::words::mix;

/// How many words in a row must have been met before, for a text to repeat itself.
const FEWEST: u32 = 3;

/// What was met of one text.
///
/// What stands there a second time is a row of words that were all met before; what stands there a
/// third time is such a row again. Places are shared, so it is told too often, never too seldom.
#[derive(Clone, Copy, Debug, Default)]
pub struct Met {
    /// The text may say the same thing three times.
    pub again: bool,
    /// How many in a row were met before, up to here.
    n: u32,
    /// The last two words.
    last: [u32; 2],
    /// A bit for each word, number and picture that is not kept, by its hash.
    hashes: u64,
    /// A bit for each three words in a row that were all met before.
    rows: [u64; 4],
}

impl Met {
    /// Takes note of a word by its number.
    #[inline]
    pub fn meet(&mut self, number: u32, is_met: bool) {
        self.n = (self.n + 1) * u32::from(is_met);
        if self.n >= FEWEST {
            self.meet_row(number);
        }
        self.last = [self.last[1], number];
    }

    /// Takes note of what is not kept, by its hash.
    pub fn meet_hashed(&mut self, hash: u64) {
        let bit = 1 << (hash & 63);
        let is_met = self.hashes & bit != 0;
        self.hashes |= bit;
        self.meet((hash >> 32) as u32, is_met);
    }

    fn meet_row(&mut self, number: u32) {
        let [first, second] = self.last;
        let row = mix(u64::from(first) << 32 | u64::from(second), u64::from(number));
        let (at, bit) = ((row >> 62) as usize, 1 << (row >> 56 & 63));
        // Two words in turns (köp nu köp nu) make a row only once.
        self.again |= number == first || self.rows[at] & bit != 0;
        self.rows[at] |= bit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(words: &str) -> bool {
        let mut met = Met::default();
        for (n, word) in words.bytes().enumerate() {
            met.meet(u32::from(word), words.as_bytes()[..n].contains(&word));
        }
        met.again
    }

    #[test]
    fn three_words_said_three_times_are_told() {
        assert!(again("abcabcabc"));
        assert!(again("abcxabcyabc"));
        assert!(again("ababab"));
        assert!(!again("abcdefghij"));
        assert!(!again("abcxabcy"));
    }

    #[test]
    fn what_is_not_kept_is_told_by_its_hash() {
        let mut met = Met::default();
        for _ in 0..3 {
            (1..=3).for_each(|n: u64| met.meet_hashed(n << 32 | n));
        }
        assert!(met.again);
    }
}
