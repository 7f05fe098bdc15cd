//! Personal numbers in every written form.
//!
//! Digits are gathered into *chains*: digits with at most a few separating signs between them.
//! Inside a chain, ten or twelve digits are proven by date and check digit
//! ([`PersonalNumber`]); they must begin and end at a border, and the separators must stand where
//! people put them (between century, year, month, day and the last four, round every digit, or at
//! one line break). Look-alike digits, key caps and hidden characters are gone by then: the
//! chain is read from folded text.

use smallvec::SmallVec;

use crate::classify::identifier::digits::{self, Digit, Manner, Window};
use crate::classify::identifier::told;
use crate::domain::personal_number::{INTERIM_LETTERS, NumberKind, PersonalNumber};

/// A proven number and where it stands, in bytes of the folded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub number: PersonalNumber,
    /// Where its digits stand; a second stretch when the last four stand apart.
    pub at: [(u32, u32); 2],
}

impl Found {
    /// The stretches, one or two.
    pub fn stretches(&self) -> &[(u32, u32)] {
        if self.at[1] == (0, 0) { &self.at[..1] } else { &self.at }
    }
}

/// How far from the date the last four may stand when a word says what they are, in bytes.
const APART: usize = 60;

/// Every personal number in folded text, in order. `out` is emptied first.
pub fn find(text: &[u8], out: &mut Vec<Found>) {
    out.clear();
    digits::rows::<Freely>(text, |window| {
        let stopped = in_chain(text, &window, out);
        if window.ends() {
            interim(text, window.digits, out);
            apart(text, window.digits, out);
        }
        stopped
    });
    told::find(text, out);
    out.sort_by_key(|f| f.at[0]);
    out.dedup_by(|next, kept| {
        let overlaps = next.at[0].0 < kept.at[0].1;
        overlaps && (next.at[0].1 <= kept.at[0].1 || next.number.ten() == kept.number.ten())
    });
}

/// The digit that a letter is written for.
const fn letter_digit(b: u8) -> Option<u8> {
    Some(match b {
        b'o' => 0,
        b'i' | b'l' => 1,
        b'z' => 2,
        b'e' => 3,
        b'a' => 4,
        b's' => 5,
        b'b' => 8,
        b'g' => 9,
        _ => return None,
    })
}

/// As people disguise personal numbers: many letters stand for digits, and many signs separate.
#[derive(Debug)]
struct Freely;

impl Manner for Freely {
    /// Part of a run of digits and such letters only, half of them digits at least.
    fn letter(text: &[u8], i: usize) -> Option<u8> {
        let value = letter_digit(text[i])?;
        let (from, to) = digits::run_around(text, i, 14, letter_digit)?;
        let run = &text[from..to];
        // SE in front is the country's code of a VAT number.
        if run.len() < 4 || text[from..].starts_with(b"se") {
            return None;
        }
        let digits = run.iter().filter(|b| b.is_ascii_digit()).count();
        // The closest look-alikes may be all but one; of the others half at most.
        let close = |b: &u8| b.is_ascii_digit() || matches!(b, b'o' | b'i' | b'l');
        let enough = digits * 2 >= run.len() || digits > 0 && run.iter().all(close);
        enough.then_some(value)
    }

    fn sign(text: &[u8], i: usize) -> Option<usize> {
        match text[i] {
            b' ' | b'-' | b'+' | b'.' | b'/' | b'_' | b'(' | b')' | b'[' | b']' | b'{' | b'}'
            | b'\n' | b'\r' | b'\t' | b'*' | b'|' | b'\\' | b'~' | b'\'' | b'=' | b';' => Some(1),
            // A hyphen, blank or plus inside an address.
            b'%' if matches!(text.get(i + 1..i + 3), Some(b"2d" | b"20" | b"2b")) => Some(3),
            // Pictures and arrows set between digits.
            0xF0 if text.get(i + 1) == Some(&0x9F) => Some(4),
            0xE2 if matches!(text.get(i + 1), Some(0x86 | 0x87 | 0x9C..=0x9E)) => Some(3),
            0x80.. => digits::high_sign(text, i, |c| matches!(c, 0x90..=0x95 | 0xA2)),
            _ => None,
        }
    }

    fn first(text: &[u8], from: usize, digit: usize) -> usize {
        let mut start = digit;
        while start > from && digit - start < 14 && letter_digit(text[start - 1]).is_some() {
            start -= 1;
        }
        while start < digit && Self::letter(text, start).is_none() {
            start += 1;
        }
        start
    }
}

/// Numbers that begin at a digit to be judged; gives where it stopped.
fn in_chain(text: &[u8], window: &Window<'_>, out: &mut Vec<Found>) -> usize {
    let Window { digits: chain, mut from, until } = *window;
    // Digits before a number may make another with its first ones: both are given then.
    let mut covered = 0;
    while from < until && from + 10 <= chain.len() {
        if from > 0 && chain[from].gap.none() {
            from += 1;
            continue;
        }
        for length in [12, 10] {
            let to = from + length;
            if to > chain.len()
                || to <= covered
                || (to < chain.len() && chain[to].gap.none()) && !is_vat_tail(text, chain, from, to)
            {
                continue;
            }
            let digits = &chain[from..to];
            let alone = from == 0 && to == chain.len();
            if !separators_fit(digits) || !alone && is_in_small_groups(digits) {
                continue;
            }
            let values: SmallVec<[u8; 12]> = digits.iter().map(|d| d.value).collect();
            let Ok(number) = PersonalNumber::from_digits(&values) else { continue };
            if is_something_else(text, chain, from, to, &number) {
                continue;
            }
            out.push(Found { number, at: [(digits[0].at, digits[length - 1].at + 1), (0, 0)] });
            covered = to;
            break;
        }
        from += 1;
    }
    from
}

/// `SE` + ten digits + `01` is a VAT number: a sole trader's holds the personal number.
fn is_vat_tail(text: &[u8], chain: &[Digit], from: usize, to: usize) -> bool {
    let start = chain[from].at as usize;
    to - from == 10
        && start >= 2
        && &text[start - 2..start] == b"se"
        && chain.len() == to + 2
        && chain[to].value == 0
        && chain[to + 1].value == 1
}

/// Whether the separators stand where people put them in a personal number.
fn separators_fit(digits: &[Digit]) -> bool {
    let length = digits.len();
    // Positions counted from the end: the last four, day, month, year.
    let gaps: SmallVec<[usize; 12]> =
        (1..length).filter(|i| !digits[*i].gap.none()).map(|i| length - i).collect();
    if gaps.len() == length - 1 {
        return true;
    }
    let mut wrapped = 0;
    let mut ok = true;
    for from_end in &gaps {
        let gap = digits[length - from_end].gap;
        match from_end {
            4 => {}
            6 | 8 | 10 => {}
            // Pairs all through: 85 07 09 98 05.
            2 if gap.line_break => wrapped += 1,
            2 => ok &= [4, 6, 8].iter().all(|p| gaps.contains(p)),
            _ if gap.line_break && gap.signs <= 2 => wrapped += 1,
            _ => return false,
        }
    }
    // A plus stands only before the last four.
    let plus = (1..length).any(|i| digits[i].gap.plus && length - i != 4);
    ok && wrapped <= 1 && !plus
}

/// Digits one by one or in pairs all through: times and drawn numbers look alike, so such a row
/// must be the number and nothing else.
fn is_in_small_groups(digits: &[Digit]) -> bool {
    !digits[digits.len() - 2].gap.none()
}

/// Digits that date and check digit would let pass, but whose form or words say otherwise.
fn is_something_else(
    text: &[u8],
    chain: &[Digit],
    from: usize,
    to: usize,
    number: &PersonalNumber,
) -> bool {
    let digits = &chain[from..to];
    let bare = digits[1..].iter().all(|d| d.gap.none());
    let start = digits[0].at as usize;
    // 070 followed by a "day" over 60 is a mobile number, unless written with a separator where personal numbers have
    // theirs: the one after four digits (0701-74 06 05, all in one) is that of a telephone.
    let after_four = (1..digits.len()).all(|i| digits[i].gap.none() == (i != 4));
    let mobile = (bare || after_four)
        && digits.len() == 10
        && digits[0].value == 0
        && digits[1].value == 7
        && digits[2].value == 0;
    // What stands in a bracket of its own begins and ends there; an amount has its unit behind.
    let end = digits[digits.len() - 1].at as usize + 1;
    let last = digits[digits.len() - 4];
    if !last.gap.none() {
        let bracket = matches!(text[last.at as usize - 1], b'(' | b'[');
        let closed = text.get(end).is_none_or(|b| matches!(b, b')' | b']'));
        let blank = text[last.at as usize - 1] == b' ';
        if bracket && !closed || blank && is_unit(first_word(&text[end..text.len().min(end + 20)]))
        {
            return true;
        }
    }
    let before = last_word(&text[..start]);
    if mobile && number.kind() == NumberKind::Coordination && !is_told_personal(text, start) {
        return true;
    }
    if mobile && PHONE_WORDS.contains(&before) {
        return true;
    }
    bare && PAYMENT_WORDS.contains(&before)
}

/// Whether a word just before says that a personal number comes.
fn is_told_personal(text: &[u8], start: usize) -> bool {
    let before = &text[start.saturating_sub(30)..start];
    [&b"personn"[..], b"pnr", b"samordning", b"samnr", b"persnr"]
        .iter()
        .any(|w| memchr::memmem::find(before, w).is_some())
}

const PHONE_WORDS: &[&[u8]] = &[
    b"tel",
    b"telefon",
    b"tfn",
    b"mobil",
    b"ring",
    b"sms",
    b"smsa",
    b"swish",
    b"swisha",
    b"nummer",
    b"mobilnummer",
];
const PAYMENT_WORDS: &[&[u8]] = &[
    b"order",
    b"ordernummer",
    b"ordernr",
    b"kolli",
    b"kollinr",
    b"kollinummer",
    b"lott",
    b"ocr",
    b"ocrnummer",
    b"bankgiro",
    b"plusgiro",
    b"bg",
    b"pg",
    b"isbn",
    b"ean",
    b"imei",
];

/// The last word before the end, without the signs after it.
fn last_word(text: &[u8]) -> &[u8] {
    let text = &text[text.len().saturating_sub(40)..];
    let Some(end) = text.iter().rposition(u8::is_ascii_alphabetic) else { return b"" };
    if text[end + 1..].iter().any(u8::is_ascii_digit) {
        return b"";
    }
    let start = text[..end].iter().rposition(|b| !b.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    &text[start..=end]
}

/// `850709-T123`: a letter first among the last four.
fn interim(text: &[u8], chain: &[Digit], out: &mut Vec<Found>) {
    let n = chain.len();
    for length in [8, 6] {
        if n < length || (n > length && chain[n - length].gap.none()) {
            continue;
        }
        let birth = &chain[n - length..];
        let mut at = birth[length - 1].at as usize + 1;
        let mut signs = 0;
        while signs < 2 && text.get(at).is_some_and(|b| matches!(b, b'-' | b'+' | b' ')) {
            at += 1;
            signs += 1;
        }
        let Some([letter, a, b, c]) =
            text.get(at..at + 4).and_then(|s| <[u8; 4]>::try_from(s).ok())
        else {
            continue;
        };
        let is_letter = INTERIM_LETTERS.contains(&letter.to_ascii_uppercase());
        let ends = !text.get(at + 4).is_some_and(u8::is_ascii_alphanumeric);
        if !is_letter || !ends || ![a, b, c].iter().all(u8::is_ascii_digit) {
            continue;
        }
        let values: SmallVec<[u8; 8]> = birth.iter().map(|d| d.value).collect();
        if let Ok(number) = PersonalNumber::from_interim(&values, [a - b'0', b - b'0', c - b'0']) {
            out.push(Found { number, at: [(birth[0].at, at as u32 + 4), (0, 0)] });
            return;
        }
    }
}

/// *född 850709, sista fyra är NNNN*: a word says what the four digits are.
fn apart(text: &[u8], chain: &[Digit], out: &mut Vec<Found>) {
    for length in [8, 6] {
        let n = chain.len();
        if n < length || (n > length && chain[n - length].gap.none()) {
            continue;
        }
        let birth = &chain[n - length..];
        let gaps_fit = (1..length).all(|i| birth[i].gap.none() || matches!(length - i, 2 | 4 | 6));
        if !gaps_fit {
            continue;
        }
        let bare = n == length && birth[1..].iter().all(|d| d.gap.none());
        let end = birth[length - 1].at as usize + 1;
        let window = &text[end..text.len().min(end + APART)];
        let mut i = 0;
        while i + 4 <= window.len() {
            let four = &window[i..i + 4];
            let alone = (i == 0 || !window[i - 1].is_ascii_alphanumeric())
                && !window.get(i + 4).is_some_and(u8::is_ascii_alphanumeric);
            if alone && four.iter().all(u8::is_ascii_digit) {
                let words = &window[..i];
                let after = &window[i + 4..];
                let says = |part: &[u8]| {
                    LAST_FOUR_WORDS.iter().any(|w| memchr::memmem::find(part, w).is_some())
                };
                let told = says(words) || says(&after[..after.len().min(20)]);
                // Without a word that says so, date and digits must stand close and whole, and
                // nothing may make them a time, an amount or a telephone number.
                // Eight figures are as often a day of this century: only signs or the word for
                // the hyphen may stand between.
                let wordless = !words.iter().any(u8::is_ascii_alphabetic);
                let joined = length == 6 || wordless || is_joint(first_word(words));
                let close = bare
                    && joined
                    && i <= CLOSE
                    && !is_other_kind(words)
                    && !is_other_kind(first_word(after));
                if told || close {
                    let mut values: SmallVec<[u8; 12]> = birth.iter().map(|d| d.value).collect();
                    values.extend(four.iter().map(|b| b - b'0'));
                    if let Ok(number) = PersonalNumber::from_digits(&values) {
                        let date = (birth[0].at, end as u32);
                        let last = ((end + i) as u32, (end + i + 4) as u32);
                        out.push(Found { number, at: [date, last] });
                        return;
                    }
                }
                return;
            }
            i += 1;
        }
    }
}

/// Whether the word behind makes the figures an amount.
fn is_unit(word: &[u8]) -> bool {
    const UNITS: &[&str] = &[
        "kr",
        "kronor",
        "sek",
        "st",
        "stycken",
        "kwh",
        "km",
        "meter",
        "personer",
        "besökare",
        "deltagare",
        "invånare",
        "elever",
        "barn",
        "bilar",
        "procent",
        "röster",
        "biljetter",
        "platser",
        "medlemmar",
        "besök",
        "samtal",
        "ärenden",
        "hushåll",
    ];
    let word = word.trim_ascii();
    UNITS.iter().any(|u| u.as_bytes() == word)
}

/// Words for the sign before the last four.
fn is_joint(words: &[u8]) -> bool {
    matches!(
        words.trim_ascii(),
        b"streck" | b"bindestreck" | b"minus" | b"plus" | b"dash" | b"hyphen"
    )
}

/// How close the four digits must stand to the date where no word says what they are, in bytes.
const CLOSE: usize = 36;

/// The first word, with what stands before it.
fn first_word(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|b| is_letter(*b)).unwrap_or(text.len());
    let end = text[start..].iter().position(|b| !is_letter(*b)).map_or(text.len(), |n| start + n);
    &text[..end]
}

fn is_letter(b: u8) -> bool {
    b.is_ascii_alphabetic() || b >= 0x80
}

/// Whether a word between or behind says that the four digits are something else.
fn is_other_kind(words: &[u8]) -> bool {
    const OTHER: &[&[u8]] = &[
        b"kl", b"klockan", b"kr", b"kronor", b"sek", b"st", b"tel", b"ring", b"rum", b"sal", b"nr",
        b"till", b"och", b"km", b"kwh", b"dnr", b"den", b"inv", b"procent", b"budget",
    ];
    words.split(|b| !is_letter(*b)).any(|w| OTHER.contains(&w))
}

const LAST_FOUR_WORDS: &[&[u8]] =
    &[b"sista", b"slutar", b"slutsiffr", b"kontrollsiffr", b"fyra", b"personn", b"pnr", b"avsluta"];

#[cfg(test)]
pub mod tests;
