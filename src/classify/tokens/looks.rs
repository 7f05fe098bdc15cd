//! What words and signs look like, told by their bytes alone.

use crate::classify::tokens::chunk::{Class, class_at};

/// How many digits are in the word.
pub fn count_digits(word: &[u8]) -> usize {
    word.iter().filter(|b| b.is_ascii_digit()).count()
}

/// Whether a letter stands three times in a row. Letters of several bytes are told apart well
/// enough by their last.
pub fn is_stretched(word: &[u8]) -> bool {
    let mut previous = 0;
    let mut run = 0;
    let mut lasts = word.iter().enumerate().filter(|(i, _)| {
        // The last byte of a character is the one that no continuation follows.
        word.get(i + 1).is_none_or(|next| next & 0xC0 != 0x80)
    });
    lasts.any(|(_, last)| {
        run = if *last == previous { run + 1 } else { 1 };
        previous = *last;
        run >= 3 && !last.is_ascii_digit()
    })
}

/// Whether a word of the chunk is stretched.
pub fn has_stretched(chunk: &[u8]) -> bool {
    let mut i = 0;
    let mut start = 0;
    while i < chunk.len() {
        let (class, length) = class_at(chunk, i);
        if !matches!(class, Class::Letter | Class::Digit) {
            if is_stretched(&chunk[start..i]) {
                return true;
            }
            start = i + length;
        }
        i += length;
    }
    is_stretched(&chunk[start..])
}

/// `"`, `”`, `“`, `«` or `»`.
pub fn is_quote(sign: &[u8]) -> bool {
    matches!(sign, b"\"" | [0xE2, 0x80, 0x9C..=0x9E] | [0xC2, 0xAB | 0xBB])
}

/// Whether it is one letter of ASCII or Latin-1.
pub fn is_single_letter(bytes: &[u8]) -> bool {
    match bytes {
        [b] => b.is_ascii_alphabetic(),
        [0xC3, _] => true,
        _ => false,
    }
}
