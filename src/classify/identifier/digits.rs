//! Digits in a row, as people write them: with signs between, with look-alike letters among them.
//!
//! A *row* is digits with at most a few signs between two. How letters and signs are read is a
//! [`Manner`]: personal numbers allow more look-alikes than telephone numbers. A long row is
//! looked at through a window that moves on: whoever judges sees, before and behind every digit that a
//! number may begin at, as much as any number needs. So where in a row a number stands
//! changes nothing, and a text of digits alone takes time in proportion to its length.

use smallvec::SmallVec;

/// What separates a digit from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// How many signs.
    pub signs: u8,
    /// The last sign.
    pub sign: u8,
    /// A blank or line break is among them.
    pub blank: bool,
    /// A line break is among them.
    pub line_break: bool,
    /// A comma is among them.
    pub comma: bool,
    /// A plus is among them.
    pub plus: bool,
}

impl Gap {
    /// Nothing stands between.
    pub const fn none(self) -> bool {
        self.signs == 0
    }

    fn add(&mut self, first: u8) {
        self.signs += 1;
        self.blank |= matches!(first, b' ' | b'\n' | b'\t' | 0xC2);
        self.line_break |= first == b'\n';
        self.comma |= first == b',';
        self.plus |= first == b'+';
        self.sign = match first {
            0xE2 => b'-',
            0xC2 => b' ',
            b => b,
        };
    }
}

/// One digit.
#[derive(Clone, Copy)]
pub struct Digit {
    /// 0 to 9.
    pub value: u8,
    /// Where it stands, in bytes of the folded text.
    pub at: u32,
    /// What stands before it.
    pub gap: Gap,
}

/// How a kind of number is written.
pub trait Manner {
    /// The digit that the letter at `i` stands for, where it stands among digits.
    fn letter(text: &[u8], i: usize) -> Option<u8>;

    /// How long the separating sign at `i` is; nothing where none stands.
    fn sign(text: &[u8], i: usize) -> Option<usize>;

    /// Where the row begins whose first plain digit is `digit`: letters that stand for digits may
    /// come before it, but not before `from`.
    fn first(text: &[u8], from: usize, digit: usize) -> usize;
}

/// How many signs may stand between two digits.
const MOST_SIGNS: u8 = 3;
/// How many digits a window holds.
const WINDOW: usize = 96;
/// How many digits the longest number has.
const LONGEST: usize = 19;
/// How many digits are seen behind one that a number may begin at, it included. Behind a comma
/// within it another number may begin that goes before it, so both must be seen whole, and the
/// next digit, which says whether the second ends there.
const AHEAD: usize = 2 * LONGEST + 1;
/// How many are seen before it: a birth date, and what stands before that.
const BEFORE: usize = 12;

/// Part of a row, or all of it.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    /// The digits.
    pub digits: &'a [Digit],
    /// The first one that is to be judged; those before it have been.
    pub from: usize,
    /// The first one that is left to the next window.
    pub until: usize,
}

impl Window<'_> {
    /// Whether the row ends with it.
    pub fn ends(&self) -> bool {
        self.until == self.digits.len()
    }
}

/// Calls `judge` with every window of every row in folded text, in order. It gives the digit
/// that it stopped at: `until`, or behind a number that goes on beyond it.
pub fn rows<M: Manner>(text: &[u8], mut judge: impl FnMut(Window<'_>) -> usize) {
    let mut digits: SmallVec<[Digit; WINDOW]> = SmallVec::new();
    let mut i = 0;
    while let Some(digit) = next_digit(text, i, text.len()) {
        i = M::first(text, i, digit);
        digits.clear();
        let mut from = 0;
        let mut gap = Gap::default();
        while i < text.len() {
            let b = text[i];
            let value = if b.is_ascii_digit() { Some(b - b'0') } else { M::letter(text, i) };
            if let Some(value) = value {
                if digits.len() == WINDOW {
                    let until = WINDOW + 1 - AHEAD;
                    let stopped = judge(Window { digits: &digits, from, until }).max(until);
                    digits.drain(..stopped - BEFORE);
                    from = BEFORE;
                }
                digits.push(Digit { value, at: i as u32, gap });
                gap = Gap::default();
                i += 1;
                continue;
            }
            let Some(length) = M::sign(text, i) else { break };
            gap.add(b);
            i += length;
            if gap.signs > MOST_SIGNS {
                break;
            }
        }
        judge(Window { digits: &digits, from, until: digits.len() });
    }
}

/// Whether the letter at `i` belongs to a run of digits and letters that stand for digits;
/// gives the run, at most `reach` bytes to either side, where no other letter is joined to it.
pub fn run_around(
    text: &[u8],
    i: usize,
    reach: usize,
    letter: impl Fn(u8) -> Option<u8>,
) -> Option<(usize, usize)> {
    let plain = |b: u8| b.is_ascii_digit() || letter(b).is_some();
    let mut from = i;
    while from > 0 && i - from < reach && plain(text[from - 1]) {
        from -= 1;
    }
    let mut to = i + 1;
    while to < text.len() && to - i < reach && plain(text[to]) {
        to += 1;
    }
    let other = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphabetic() || *b >= 0xC3);
    let glued = (from > 0 && other(text.get(from - 1))) || other(text.get(to));
    (!glued).then_some((from, to))
}

/// How long the sign beyond ASCII at `i` is that people set between digits: dashes, bullets, the
/// minus sign, the unbroken blank, the middle dot.
pub fn high_sign(text: &[u8], i: usize, dashes: impl Fn(u8) -> bool) -> Option<usize> {
    match (text[i], text.get(i + 1)?) {
        (0xC2, 0xA0 | 0xB7) => Some(2),
        (0xE2, 0x80) if text.get(i + 2).is_some_and(|c| dashes(*c)) => Some(3),
        (0xE2, 0x88) if text.get(i + 2) == Some(&0x92) => Some(3),
        _ => None,
    }
}

/// Telephone numbers, accounts, cards: the closest look-alikes only, and a comma may separate.
#[derive(Debug)]
pub struct Loosely;

impl Manner for Loosely {
    fn letter(text: &[u8], i: usize) -> Option<u8> {
        let letter = |b: u8| match b {
            b'o' => Some(0),
            b'i' | b'l' => Some(1),
            _ => None,
        };
        let value = letter(text[i])?;
        let (from, to) = run_around(text, i, 12, letter)?;
        (to - from > 1 && text[from..to].iter().any(u8::is_ascii_digit)).then_some(value)
    }

    fn sign(text: &[u8], i: usize) -> Option<usize> {
        match text[i] {
            b' ' | b'-' | b'.' | b'/' | b'_' | b'(' | b')' | b'\n' | b'\r' | b'\t' | b'*'
            | b'|' | b'~' | b',' | b':' | b'\'' => Some(1),
            // Thin blanks as well.
            0x80.. => high_sign(text, i, |c| matches!(c, 0x82..=0x95 | 0xA2 | 0xAF)),
            _ => None,
        }
    }

    fn first(text: &[u8], from: usize, digit: usize) -> usize {
        let mut i = digit;
        while i > from && digit - i < 4 && Self::letter(text, i - 1).is_some() {
            i -= 1;
        }
        i
    }
}

/// The first plain digit at `from` or behind, before `to`. Looks at 64 bytes at once, without branches,
/// for most of a text has no digits.
pub fn next_digit(text: &[u8], from: usize, to: usize) -> Option<usize> {
    const PIECE: usize = 64;
    let mut at = from;
    let (pieces, rest) = text.get(from..to)?.as_chunks::<PIECE>();
    for piece in pieces {
        // In bytes, so that the compiler does sixteen at a time.
        let any = piece.iter().fold(0, |any, b| any | u8::from(b.wrapping_sub(b'0') < 10));
        if any != 0 {
            return Some(at + piece.iter().position(u8::is_ascii_digit)?);
        }
        at += PIECE;
    }
    Some(at + rest.iter().position(u8::is_ascii_digit)?)
}

/// Every run of plain digits between two places: where it starts and ends.
pub fn figures(text: &[u8], from: usize, to: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut i = from;
    std::iter::from_fn(move || {
        let start = next_digit(text, i, to)?;
        let length = text[start..to].iter().take_while(|b| b.is_ascii_digit()).count();
        i = start + length;
        Some((start, i))
    })
}

/// Whether a number may end before digit `to`: nothing follows, or a sign does.
pub fn ends(digits: &[Digit], to: usize) -> bool {
    to >= digits.len() || !digits[to].gap.none()
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
