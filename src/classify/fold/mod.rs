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

use std::fmt;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use crate::classify::vocabulary;
use crate::classify::words::KEY;
use crate::domain::text::is_hidden;
use crate::domain::verdict::Span;

/// How many bytes are looked at together.
pub const BLOCK: usize = 64;
/// How many blanks stand before the text, so that a block can be compared with itself shifted.
const BEFORE: usize = 8;
/// How many stand behind it, so that a block or a key that begins in the text may be read whole.
const BEHIND: usize = BLOCK + KEY;

/// A text in matching form. Kept and refilled, so that folding allocates nothing in the long run.
#[derive(Default)]
pub struct Folded {
    /// The text between blanks: [`BEFORE`] and [`BEHIND`], or nothing at all.
    bytes: Vec<u8>,
    /// For each folded byte, where the character that gave it starts and ends in the original.
    /// Empty when offsets are unchanged.
    starts: Vec<u32>,
    ends: Vec<u32>,
    has_swedish_letters: bool,
}

/// A text with blanks around it.
#[derive(Clone, Copy)]
pub struct Padded<'a> {
    all: &'a [u8],
    bytes: &'a [u8],
}

/// Its length alone: what people write belongs in no log.
impl fmt::Debug for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folded").field("n_bytes", &self.bytes().len()).finish_non_exhaustive()
    }
}

/// As [`Folded`].
impl fmt::Debug for Padded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Padded").field("n_bytes", &self.len()).finish_non_exhaustive()
    }
}

impl<'a> Padded<'a> {
    /// The text alone.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// How long the text is, in bytes.
    pub fn len(self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no text.
    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// The block at `at`, which must be inside the text, moved `back` bytes (at most eight).
    #[inline]
    pub fn block(self, at: usize, back: usize) -> &'a [u8; BLOCK] {
        let from = at + BEFORE - back;
        self.all[from..from + BLOCK].try_into().expect("a block's length")
    }

    /// The bytes from `at` on, which must be inside the text.
    #[inline]
    pub fn key(self, at: usize) -> &'a [u8; vocabulary::KEY] {
        let from = at + BEFORE;
        self.all[from..from + vocabulary::KEY].try_into().expect("a key's length")
    }
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
        let text = &text[..text.floor_char_boundary(u32::MAX as usize)];
        if self.fold_cheap(text.as_bytes()) == Need::Full {
            self.fold_full(text);
        }
    }

    /// The folded text: always valid UTF-8.
    pub fn bytes(&self) -> &[u8] {
        self.padded().bytes
    }

    /// The same with room around it.
    pub fn padded(&self) -> Padded<'_> {
        let text = BEFORE..self.bytes.len().saturating_sub(BEHIND);
        Padded { all: &self.bytes, bytes: self.bytes.get(text).unwrap_or_default() }
    }

    /// Whether å, ä or ö occurs; where none does, words are also read without them.
    pub fn has_swedish_letters(&self) -> bool {
        self.has_swedish_letters
    }

    /// The stretch of the original that gave the folded bytes `start..end` (not empty).
    #[inline]
    pub fn original(&self, start: u32, end: u32) -> Span {
        if self.starts.is_empty() {
            Span { start, end }
        } else {
            // Turned text runs backwards in the original.
            let (first, last) = (start as usize, end as usize - 1);
            Span {
                start: self.starts[first].min(self.starts[last]),
                end: self.ends[first].max(self.ends[last]),
            }
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&[b' '; BEFORE]);
        self.starts.clear();
        self.ends.clear();
        self.has_swedish_letters = false;
    }

    /// Lower-cases in place while every character keeps its length.
    fn fold_cheap(&mut self, original: &[u8]) -> Need {
        self.clear();
        self.bytes.extend_from_slice(original);
        self.bytes.extend_from_slice(&[b' '; BEHIND]);
        let end = BEFORE + original.len();
        let mut swedish = false;
        for at in (BEFORE..end).step_by(BLOCK) {
            let mut before = [0; BLOCK];
            before.copy_from_slice(&self.bytes[at - 1..at - 1 + BLOCK]);
            let block = &mut self.bytes[at..at + BLOCK];
            let seen = lower(&before, block.try_into().expect("a block's length"));
            swedish |= seen.swedish;
            if seen.other && !stays(&self.bytes[..end], at) {
                return Need::Full;
            }
        }
        self.has_swedish_letters = swedish;
        Need::Cheap
    }

    fn fold_full(&mut self, text: &str) {
        self.clear();
        let mut turned: Option<Vec<(usize, char)>> = None;
        for (at, c) in text.char_indices() {
            match (&mut turned, c) {
                (None, TURN) => turned = Some(Vec::new()),
                (Some(run), TURN_BACK | '\n') => {
                    let run = std::mem::take(run);
                    turned = None;
                    self.push_turned(&run);
                }
                (Some(run), _) => run.push((at, c)),
                (None, _) => {}
            }
            self.push_character(at, c);
        }
        if let Some(run) = turned {
            self.push_turned(&run);
        }
        self.has_swedish_letters =
            self.bytes.windows(2).any(|two| matches!(two, [0xC3, 0xA5 | 0xA4 | 0xB6]));
        self.bytes.extend_from_slice(&[b' '; BEHIND]);
    }

    /// Text that is shown from right to left stands a second time as it is shown: a reader sees
    /// one, a copied text holds the other.
    fn push_turned(&mut self, run: &[(usize, char)]) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
        let blank = (first.0 as u32, (last.0 + last.1.len_utf8()) as u32);
        self.push(" ", blank.0, blank.1);
        for (at, c) in run.iter().rev() {
            self.push_character(*at, *c);
        }
    }

    fn push_character(&mut self, at: usize, c: char) {
        let from = at as u32;
        let to = (at + c.len_utf8()) as u32;
        if matches!(c, ' '..='~' | 'å' | 'ä' | 'ö' | 'Å' | 'Ä' | 'Ö' | '\n') {
            // Most of any text, and none of it is anything but its small letter.
            let small = if c.is_ascii() { c.to_ascii_lowercase() } else { small_latin_1(c) };
            self.push(small.encode_utf8(&mut [0; 4]), from, to);
        } else if matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{B}' | '\u{C}') {
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
                // In turned text the mark may stand before its letter.
                if let Some(end) = self.ends.last_mut() {
                    *end = to.max(*end);
                }
                return;
            }
        };
        let from = self.starts.last().copied().unwrap_or(0);
        let to = to.max(self.ends.last().copied().unwrap_or(0));
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

/// What is in one block.
struct Seen {
    swedish: bool,
    /// Anything but ASCII, line breaks, å, ä, ö and é.
    other: bool,
}

/// Lower-cases a block of ASCII and Latin-1 letters; `before` is the same a byte earlier. Written
/// without branches, so that the compiler does sixteen bytes at a time.
#[inline]
fn lower(before: &[u8; BLOCK], block: &mut [u8; BLOCK]) -> Seen {
    let (mut swedish, mut other) = (0_u8, 0_u8);
    for (p, place) in before.iter().zip(block) {
        let b = *place;
        let after = u8::from(*p == 0xC3);
        let capital = u8::from(b.wrapping_sub(b'A') < 26)
            | (after & u8::from(b.wrapping_sub(0x80) < 0x1F) & u8::from(b != 0x97));
        let b = b + (capital << 5);
        *place = b;
        let swede = after & (u8::from(b == 0xA5) | u8::from(b == 0xA4) | u8::from(b == 0xB6));
        swedish |= swede;
        let known = swede | after & u8::from(b == 0xA9) | u8::from(b == 0xC3);
        other |= u8::from(b < b' ') & u8::from(b != b'\n') | u8::from(b >= 0x7F) & (known ^ 1);
    }
    Seen { swedish: swedish != 0, other: other != 0 }
}

/// Whether the characters that begin in the block at `at`, lower-cased already, stay as they are
/// when the text is folded.
fn stays(bytes: &[u8], at: usize) -> bool {
    // A letter of Latin-1 may have begun in the block before.
    let mut i = at - usize::from(bytes[at - 1] == 0xC3);
    while i < bytes.len().min(at + BLOCK) {
        i += match bytes[i] {
            b'\n' | b'\t' | b'\r' => 1,
            // NUL and other controls hide in words; the full fold takes them out.
            0..b' ' | 0x7F => return false,
            // ASCII, and what is left of a character begun in the block before.
            b' '..=0xBF => 1,
            // å, ä, ö, é, ü and the signs × and ÷. The others lose their marks (à, ñ) or are read
            // as other letters (æ, ß).
            // One that goes on in the next block is not lower-cased yet; it is decided there.
            0xC3 if i + 1 == at + BLOCK => 2,
            0xC3 => match bytes.get(i + 1) {
                Some(0xA5 | 0xA4 | 0xB6 | 0xA9 | 0xBC | 0x97 | 0xB7) => 2,
                _ => return false,
            },
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
                | 0xBF => 2,
                _ => return false,
            },
            // Dashes, quotation marks, bullet and ellipsis stay as they are.
            0xE2 => match (bytes[i + 1], bytes[i + 2]) {
                (0x80, 0x90 | 0x92..=0x95 | 0x98..=0xA2 | 0xA6) | (0x82, 0xAC) => 3,
                _ => return false,
            },
            // Pictures (emoji), without the framed letters.
            0xF0 => match (bytes[i + 1], bytes[i + 2]) {
                (0x9F, 0x8C..=0x9B | 0xA4..=0xAB) => 4,
                _ => return false,
            },
            _ => return false,
        };
    }
    true
}

/// Right-to-left override, and what ends it.
const TURN: char = '\u{202E}';
const TURN_BACK: char = '\u{202C}';

/// The small letter of Å, Ä or Ö.
fn small_latin_1(c: char) -> char {
    match c {
        'Å' => 'å',
        'Ä' => 'ä',
        'Ö' => 'ö',
        c => c,
    }
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

#[cfg(test)]
mod tests;
