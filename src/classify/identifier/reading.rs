//! Digits in a row, as people write them: with signs between, with look-alike letters among them.

use smallvec::SmallVec;

/// What separates a digit from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// How many signs.
    pub signs: u8,
    /// A blank or line break is among them.
    pub blank: bool,
    /// A line break is among them.
    pub line_break: bool,
    /// The last sign.
    pub sign: u8,
}

impl Gap {
    /// Nothing stands between.
    pub const fn none(self) -> bool {
        self.signs == 0
    }
}

/// One digit.
#[derive(Clone, Copy, Debug)]
pub struct Digit {
    /// 0 to 9.
    pub value: u8,
    /// Where it stands, in bytes of the folded text.
    pub at: u32,
    /// What stands before it.
    pub gap: Gap,
}

/// The most digits that one reading holds: no identifier is longer.
pub const MOST_DIGITS: usize = 40;
/// How many signs may stand between two digits.
const MOST_SIGNS: u8 = 3;

/// Digits with at most a few signs between two.
pub type Reading = SmallVec<[Digit; MOST_DIGITS]>;

/// The digit that a letter is written for, where it stands among digits.
const fn letter_digit(b: u8) -> Option<u8> {
    match b {
        b'o' => Some(0),
        b'i' | b'l' => Some(1),
        _ => None,
    }
}

/// Whether the letter at `i` belongs to a run of digits and such letters alone, with a digit in it.
fn is_letter_digit(text: &[u8], i: usize) -> bool {
    if letter_digit(text[i]).is_none() {
        return false;
    }
    let plain = |b: u8| b.is_ascii_digit() || letter_digit(b).is_some();
    let mut from = i;
    while from > 0 && i - from < 12 && plain(text[from - 1]) {
        from -= 1;
    }
    let mut to = i + 1;
    while to < text.len() && to - i < 12 && plain(text[to]) {
        to += 1;
    }
    let letter = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphabetic() || *b >= 0xC3);
    let glued = (from > 0 && letter(text.get(from - 1))) || letter(text.get(to));
    !glued && to - from > 1 && text[from..to].iter().any(u8::is_ascii_digit)
}

/// The digit at `i`, look-alike letters counted.
fn digit(text: &[u8], i: usize) -> Option<u8> {
    let b = text[i];
    if b.is_ascii_digit() {
        Some(b - b'0')
    } else if is_letter_digit(text, i) {
        letter_digit(b)
    } else {
        None
    }
}

/// How long the separating sign at `i` is; nothing where none stands.
fn sign(text: &[u8], i: usize) -> Option<usize> {
    match text[i] {
        b' ' | b'-' | b'.' | b'/' | b'_' | b'(' | b')' | b'\n' | b'\r' | b'\t' | b'*' | b'|'
        | b'~' | b',' | b':' | b'\'' => Some(1),
        0xC2 if text.get(i + 1).is_some_and(|c| matches!(c, 0xA0 | 0xB7)) => Some(2),
        // Dashes, bullets, thin blanks and the minus sign.
        0xE2 if text.get(i + 1) == Some(&0x80)
            && text.get(i + 2).is_some_and(|c| matches!(c, 0x82..=0x95 | 0xA2 | 0xAF)) =>
        {
            Some(3)
        }
        0xE2 if text.get(i + 1) == Some(&0x88) && text.get(i + 2) == Some(&0x92) => Some(3),
        _ => None,
    }
}

/// Reads digits from the next one at or after `from`; gives where to go on. Nothing where no
/// digit is left.
pub fn next(text: &[u8], from: usize, out: &mut Reading) -> Option<usize> {
    out.clear();
    let first = from + text[from..].iter().position(u8::is_ascii_digit)?;
    let mut i = first;
    while i > from && first - i < 4 && is_letter_digit(text, i - 1) {
        i -= 1;
    }
    let mut gap = Gap::default();
    while i < text.len() {
        if let Some(value) = digit(text, i) {
            if out.len() == MOST_DIGITS {
                return Some(i);
            }
            out.push(Digit { value, at: i as u32, gap });
            gap = Gap::default();
            i += 1;
            continue;
        }
        let Some(length) = sign(text, i) else { break };
        gap.signs += 1;
        gap.line_break |= text[i] == b'\n';
        gap.blank |= matches!(text[i], b' ' | b'\n' | b'\t' | 0xC2);
        gap.sign = match text[i] {
            0xE2 => b'-',
            0xC2 => b' ',
            b => b,
        };
        i += length;
        if gap.signs > MOST_SIGNS {
            break;
        }
    }
    Some(i)
}

/// Whether a number may end before digit `to`: nothing follows, or a sign does.
pub fn ends(reading: &[Digit], to: usize) -> bool {
    to >= reading.len() || !reading[to].gap.none()
}

/// The lengths of the groups in `digits`.
pub fn groups(digits: &[Digit]) -> SmallVec<[usize; 12]> {
    let mut lengths = SmallVec::new();
    let mut n = 0;
    for (i, d) in digits.iter().enumerate() {
        if i > 0 && !d.gap.none() {
            lengths.push(n);
            n = 0;
        }
        n += 1;
    }
    lengths.push(n);
    lengths
}

/// The number that the digits give.
pub fn value(digits: &[Digit]) -> u64 {
    digits.iter().take(18).fold(0, |n, d| n * 10 + u64::from(d.value))
}

/// The Luhn sum over all digits.
pub fn luhn(digits: &[Digit]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = u32::from(d.value) * if i % 2 == 1 { 2 } else { 1 };
            d / 10 + d % 10
        })
        .sum();
    sum.is_multiple_of(10)
}
