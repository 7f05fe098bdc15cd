//! The matching form of a text, with a map back to its original bytes.
//!
//! Folded text is lower case, free of hidden characters and combining noise, with look-alike,
//! full-width, mathematical and framed letters read as the Latin ones they imitate. å, ä and ö
//! stay. What a word hides with digits, separators or stretching is not undone here but per token
//! ([`crate::classify::disguise`]), and only where that makes a listed word.
//!
//! Order: a look over the bytes decides whether the cheap path will do (lower-casing in place,
//! offsets unchanged); only otherwise the text is folded character by character. Both paths give
//! the same answer for a text that the cheap one takes (a property test holds that).

pub mod table;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use crate::domain::text::is_hidden;
use crate::domain::verdict::Span;

/// A text in matching form. Kept and refilled, so that folding allocates nothing in the long run.
#[derive(Debug, Default)]
pub struct Folded {
    bytes: Vec<u8>,
    /// For each folded byte, where the character that gave it starts and ends in the original.
    /// Empty when offsets are unchanged.
    starts: Vec<u32>,
    ends: Vec<u32>,
    has_swedish_letters: bool,
}

/// What the look over the bytes found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Cheap,
    Full,
}

impl Folded {
    /// Folds `text`, replacing what was here before. Texts beyond 4 GiB are folded up to there.
    pub fn fold(&mut self, text: &str) {
        self.bytes.clear();
        self.starts.clear();
        self.ends.clear();
        self.has_swedish_letters = false;
        let text = &text[..text.floor_char_boundary(u32::MAX as usize)];
        if self.fold_cheap(text.as_bytes()) == Need::Full {
            self.bytes.clear();
            self.has_swedish_letters = false;
            self.fold_full(text);
        }
    }

    /// The folded text: always valid UTF-8.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether å, ä or ö occurs; where none does, words are also read without them.
    pub fn has_swedish_letters(&self) -> bool {
        self.has_swedish_letters
    }

    /// The stretch of the original that gave the folded bytes `start..end` (not empty).
    pub fn original(&self, start: u32, end: u32) -> Span {
        if self.starts.is_empty() {
            Span { start, end }
        } else {
            Span { start: self.starts[start as usize], end: self.ends[end as usize - 1] }
        }
    }

    /// Lower-cases in place while every character keeps its length.
    fn fold_cheap(&mut self, original: &[u8]) -> Need {
        self.bytes.extend_from_slice(original);
        self.bytes.make_ascii_lowercase();
        let bytes = &mut self.bytes[..];
        let mut i = 0;
        let mut swedish = false;
        while i < bytes.len() {
            let b = bytes[i];
            if b.is_ascii() {
                // NUL and other controls hide in words; the full fold takes them out.
                if b < b' ' && !matches!(b, b'\n' | b'\t' | b'\r') {
                    return Need::Full;
                }
                i += 1;
                continue;
            }
            match b {
                0xC3 => {
                    let c = &mut bytes[i + 1];
                    if matches!(*c, 0x80..=0x9E) && *c != 0x97 {
                        *c += 0x20;
                    }
                    match *c {
                        0xA5 | 0xA4 | 0xB6 => swedish = true,
                        // Letters that the full fold reads as å, ä, ö or another letter.
                        0xA6 | 0xB8 | 0x9F | 0xB0 | 0xBE => return Need::Full,
                        _ => {}
                    }
                    i += 2;
                }
                // Latin-1 signs; soft hyphen, ª, µ and º fold to something else.
                0xC2 => match bytes[i + 1] {
                    0xA1..=0xA7
                    | 0xA9
                    | 0xAB
                    | 0xAC
                    | 0xAE
                    | 0xB0
                    | 0xB1
                    | 0xB6
                    | 0xB7
                    | 0xBB
                    | 0xBF => i += 2,
                    _ => return Need::Full,
                },
                // Dashes, quotation marks, bullet and ellipsis stay as they are.
                0xE2 => match (bytes[i + 1], bytes[i + 2]) {
                    (0x80, 0x90 | 0x92..=0x95 | 0x98..=0xA2 | 0xA6) => i += 3,
                    (0x82, 0xAC) => i += 3,
                    _ => return Need::Full,
                },
                // Pictures (emoji), without the framed letters.
                0xF0 => match (bytes[i + 1], bytes[i + 2]) {
                    (0x9F, 0x8C..=0x9B | 0xA4..=0xAB) => i += 4,
                    _ => return Need::Full,
                },
                _ => return Need::Full,
            }
        }
        self.has_swedish_letters = swedish;
        Need::Cheap
    }

    fn fold_full(&mut self, text: &str) {
        for (at, c) in text.char_indices() {
            let from = at as u32;
            let to = (at + c.len_utf8()) as u32;
            if matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{B}' | '\u{C}') {
                self.push("\n", from, to);
            } else if is_hidden(c) || is_variation_selector(c) {
                // Left out: the neighbours close up.
            } else if c == '…' {
                // Spelled out it would be three full stops; both paths keep it whole.
                self.push("…", from, to);
            } else if let Some(read) = table::latin(c) {
                self.push(read, from, to);
            } else if let Some(letter) = table::framed(c) {
                self.push(char::from(letter).encode_utf8(&mut [0; 4]), from, to);
            } else {
                decompose_compatible(c, |d| self.push_decomposed(d, from, to));
            }
        }
        let mut previous = 0;
        self.has_swedish_letters = self.bytes.iter().any(|b| {
            let found = previous == 0xC3 && matches!(b, 0xA5 | 0xA4 | 0xB6);
            previous = *b;
            found
        });
    }

    fn push_decomposed(&mut self, d: char, from: u32, to: u32) {
        if is_combining_mark(d) {
            self.combine(d, to);
        } else if let Some(read) = table::latin(d) {
            self.push(read, from, to);
        } else {
            for lower in d.to_lowercase() {
                if !is_combining_mark(lower) {
                    self.push(lower.encode_utf8(&mut [0; 4]), from, to);
                }
            }
        }
    }

    /// Puts ring and dots on an a or o, and leaves every other combining mark out, except where
    /// it makes a letter of its own that no Swedish word is disguised by.
    fn combine(&mut self, mark: char, to: u32) {
        let letter = match (self.bytes.last(), mark) {
            (Some(b'a'), '\u{30A}') => "å",
            (Some(b'a'), '\u{308}') => "ä",
            (Some(b'o'), '\u{308}') => "ö",
            (Some(b'e'), '\u{301}') => "é",
            (Some(b'u'), '\u{308}') => "ü",
            _ => {
                if let Some(end) = self.ends.last_mut() {
                    *end = to;
                }
                return;
            }
        };
        let from = self.starts.last().copied().unwrap_or(0);
        self.bytes.pop();
        self.starts.pop();
        self.ends.pop();
        self.push(letter, from, to);
    }

    fn push(&mut self, s: &str, from: u32, to: u32) {
        for b in s.bytes() {
            self.bytes.push(b);
            self.starts.push(from);
            self.ends.push(to);
        }
    }
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

#[cfg(test)]
mod tests;
