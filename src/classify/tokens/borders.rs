//! Where words stand, as one bit a byte: the part of cutting that looks at every byte, written so
//! that the compiler does sixteen bytes at a time.
//!
//! ASCII and the letters of Latin-1 are told apart by comparisons; a block with any other
//! character is read once more, character by character.

use crate::classify::fold::{BLOCK, Padded};
use crate::classify::tokens::chunk::{Class, class_at};

/// The bits, a block of [`BLOCK`] bytes each. Kept and refilled.
#[derive(Debug, Default)]
pub struct Borders {
    /// A bit is set where a byte belongs to a letter or is a digit.
    pub words: Vec<u64>,
    /// How many digits there are.
    pub n_digits: usize,
    /// Whether a letter may stand three times in a row. True too often, never too seldom.
    pub may_stretch: bool,
}

/// What is in one block.
struct Seen {
    words: u64,
    n_digits: usize,
    repeated: bool,
    other: bool,
}

impl Borders {
    /// Looks over the text.
    pub fn fill(&mut self, text: Padded<'_>) {
        self.words.clear();
        self.n_digits = 0;
        self.may_stretch = false;
        for block in 0..text.len().div_ceil(BLOCK) {
            let at = block * BLOCK;
            let seen =
                look(text.block(at, 4), text.block(at, 2), text.block(at, 1), text.block(at, 0));
            self.n_digits += seen.n_digits;
            self.may_stretch |= seen.repeated;
            let words = if seen.other { self.by_character(text.bytes(), at) } else { seen.words };
            self.words.push(words);
        }
    }

    fn by_character(&mut self, text: &[u8], block: usize) -> u64 {
        let mut i = block;
        while i > 0 && text[i] & 0xC0 == 0x80 {
            i -= 1;
        }
        let end = (block + BLOCK).min(text.len());
        let mut words = 0;
        while i < end {
            let (class, length) = class_at(text, i);
            if matches!(class, Class::Letter | Class::Digit) {
                // Letters of other scripts may repeat in ways that the comparisons do not see.
                self.may_stretch |= text[i] > 0xC3;
                for at in (i.max(block)..i + length).take_while(|at| *at < end) {
                    words |= 1 << (at - block);
                }
            } else if i < block
                && let Some(previous) = self.words.last_mut()
            {
                // The first byte of × and ÷ looks like that of a letter.
                *previous &= !(u64::MAX << (i + BLOCK - block));
            }
            i += length;
        }
        words
    }
}

/// Looks at a block; the others are the same bytes one, two and four bytes earlier.
#[inline]
fn look(
    four_before: &[u8; BLOCK],
    two_before: &[u8; BLOCK],
    before: &[u8; BLOCK],
    block: &[u8; BLOCK],
) -> Seen {
    let mut word = [0_u8; BLOCK];
    let (mut digits, mut repeated, mut other) = (0_u8, 0_u8, 0_u8);
    for i in 0..BLOCK {
        let (b, p) = (block[i], before[i]);
        let high = u8::from(b >= 0x80);
        let digit = u8::from(b.wrapping_sub(b'0') < 10);
        let after = u8::from(p == 0xC3);
        let second = u8::from(b == two_before[i]);
        let fourth = u8::from(b == four_before[i]);
        let letter = u8::from(b.wrapping_sub(b'a') < 26);
        word[i] = high | digit | letter;
        digits += digit;
        repeated |=
            second & (u8::from(b == p) & letter | fourth & u8::from(b.wrapping_sub(0x80) < 0x40));
        other |= high & (after ^ 1) & u8::from(b != 0xC3);
        other |= after & (u8::from(b == 0x97) | u8::from(b == 0xB7));
    }
    Seen {
        words: gather(&word),
        n_digits: usize::from(digits),
        repeated: repeated != 0,
        other: other != 0,
    }
}

/// One bit for each byte, which is 0 or 1.
#[inline]
fn gather(flags: &[u8; BLOCK]) -> u64 {
    let (eights, _) = flags.as_chunks::<8>();
    eights.iter().rev().fold(0, |bits, eight| {
        // The product moves bit 8·n of the number to bit 56 + n.
        let byte = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits << 8 | byte
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classify::fold::Folded;

    fn slowly(text: &[u8]) -> Vec<bool> {
        let mut bits = Vec::new();
        while bits.len() < text.len() {
            let (class, length) = class_at(text, bits.len());
            bits.resize(bits.len() + length, matches!(class, Class::Letter | Class::Digit));
        }
        bits
    }

    fn check(text: &str) {
        let mut folded = Folded::default();
        folded.fold(text);
        let mut borders = Borders::default();
        borders.fill(folded.padded());
        let bits: Vec<bool> = (0..folded.bytes().len())
            .map(|i| borders.words[i / BLOCK] >> (i % BLOCK) & 1 == 1)
            .collect();
        assert_eq!(bits, slowly(folded.bytes()), "{text:?}");
        let digits = folded.bytes().iter().filter(|b| b.is_ascii_digit()).count();
        assert_eq!(borders.n_digits, digits, "{text:?}");
    }

    proptest! {
        #[test]
        fn bits_stand_where_words_are(text in "[a-zåäöÅ0-9 .,!×÷”–€🙂жあ\u{301}]{0,200}") {
            check(&text);
        }

        #[test]
        fn bits_stand_where_words_are_in_any_text(text in any::<String>()) {
            check(&text);
        }
    }
}
