//! Personal numbers spelled out in words: *åttiofem noll sju noll nio, nittioåtta noll fem*.

use smallvec::SmallVec;

use crate::classify::identifier::personal_number::Found;
use crate::classify::tokens::{Kind, Token};
use crate::domain::personal_number::PersonalNumber;

/// How many bytes may stand between two number words.
const MOST_BETWEEN: u32 = 14;
/// The most digits one token may give.
const MOST_DIGITS: usize = 4;
/// The longest word that is read as digits, in bytes: *nollnollsjuttioåtta* has 20.
const LONGEST_WORD: usize = 24;

const UNITS: [&str; 10] = ["noll", "ett", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio"];
const TEENS: [&str; 10] =
    ["tio", "elva", "tolv", "tretton", "fjorton", "femton", "sexton", "sjutton", "arton", "nitton"];
const TENS: [&str; 8] =
    ["tjugo", "trettio", "fyrtio", "femtio", "sextio", "sjuttio", "åttio", "nittio"];

/// Words that join the parts.
const JOINING: &[&str] =
    &["streck", "bindestreck", "minus", "plus", "och", "sedan", "sen", "dubbel"];

/// The digits that a word is read out for.
fn digits(word: &[u8]) -> Option<SmallVec<[u8; MOST_DIGITS]>> {
    // Most words begin as no number does.
    let may_begin = matches!(
        word,
        [b'a', b'r', ..]
            | [b'e', b'l' | b'n' | b't', ..]
            | [b'f', b'e' | b'j' | b'y', ..]
            | [b'n', b'i' | b'o', ..]
            | [b's', b'e' | b'j', ..]
            | [b't', b'i' | b'j' | b'o' | b'r' | b'v', ..]
            | [0xC3, 0xA5, ..]
    );
    if !may_begin || word.len() > LONGEST_WORD {
        return None;
    }
    let mut values = SmallVec::new();
    let mut rest = word;
    // *Nollsju, nollsjuttio.*
    while let Some(after) = rest.strip_prefix(b"noll")
        && !after.is_empty()
    {
        values.push(0);
        rest = after;
    }
    values.extend(number(rest)?);
    Some(values)
}

/// The digits of one number below a hundred.
fn number(word: &[u8]) -> Option<SmallVec<[u8; 2]>> {
    let at = |list: &[&str]| list.iter().position(|w| w.as_bytes() == word).map(|n| n as u8);
    if let Some(n) = at(&UNITS) {
        return Some(SmallVec::from_slice(&[n]));
    }
    match word {
        b"en" => return Some(SmallVec::from_slice(&[1])),
        b"nitti" => return Some(SmallVec::from_slice(&[9, 0])),
        _ => {}
    }
    if let Some(n) = at(&TEENS) {
        return Some(SmallVec::from_slice(&[1, n]));
    }
    TENS.iter().enumerate().find_map(|(n, tens)| {
        let rest = word.strip_prefix(tens.as_bytes())?;
        let unit = if rest.is_empty() {
            0
        } else {
            UNITS.iter().skip(1).position(|w| w.as_bytes() == rest)? as u8 + 1
        };
        Some(SmallVec::from_slice(&[n as u8 + 2, unit]))
    })
}

/// Digits in a row that are spelled out, at least in part.
#[derive(Default)]
pub struct Row {
    values: SmallVec<[u8; 32]>,
    parts: SmallVec<[Part; 16]>,
}

/// What one token gave.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Its first digit.
    from: usize,
    /// Itself.
    token: usize,
    /// How many number words stand before it in the row.
    words: usize,
}

/// Digits that begin and end where tokens do.
#[derive(Clone, Copy)]
pub struct Stretch<'a> {
    /// 0 to 9.
    pub values: &'a [u8],
    /// The first token.
    pub first: usize,
    /// The last one.
    pub last: usize,
    /// Number words among the tokens.
    pub words: usize,
}

impl Row {
    fn clear(&mut self) {
        self.values.clear();
        self.parts.clear();
    }

    fn add(&mut self, values: &[u8], token: usize, is_word: bool) {
        let words = self.n_words() + usize::from(is_word);
        if self.parts.is_empty() {
            self.parts.push(Part { from: 0, token, words: 0 });
        }
        self.values.extend_from_slice(values);
        // The last part is none: it stands behind the digits.
        if let Some(part) = self.parts.last_mut() {
            part.token = token;
        }
        self.parts.push(Part { from: self.values.len(), token, words });
    }

    fn n_words(&self) -> usize {
        self.parts.last().map_or(0, |part| part.words)
    }

    /// How many places there are where a stretch may begin.
    pub fn n_parts(&self) -> usize {
        self.parts.len().saturating_sub(1)
    }

    /// All of it from part `p` on.
    pub fn rest(&self, p: usize) -> Stretch<'_> {
        self.between(p, self.n_parts())
    }

    /// The `length` digits from part `p` on, if a token ends behind them, and that token's number
    /// among the parts.
    pub fn window(&self, p: usize, length: usize) -> Option<(Stretch<'_>, usize)> {
        let to = self.parts[p].from + length;
        // Each part has a digit at least.
        let behind = self.parts[p..].iter().take(length + 1).position(|part| part.from == to)?;
        Some((self.between(p, p + behind), p + behind))
    }

    fn between(&self, p: usize, q: usize) -> Stretch<'_> {
        let (a, b) = (&self.parts[p], &self.parts[q]);
        let last = self.parts[q - 1].token;
        Stretch {
            values: &self.values[a.from..b.from],
            first: a.token,
            last,
            words: b.words - a.words,
        }
    }
}

/// The fewest words for a stretch to count as spelled out.
const FEWEST_WORDS: usize = 2;

/// Calls `each` with every row of `fewest` digits or more that is spelled out at least in part.
pub fn rows(text: &[u8], tokens: &[Token], fewest: usize, mut each: impl FnMut(&Row)) {
    let mut row = Row::default();
    let mut i = 0;
    while i < tokens.len() {
        row.clear();
        let mut j = i;
        while j < tokens.len() {
            let token = &tokens[j];
            let word = &text[token.start as usize..token.end as usize];
            if j > i && token.start - tokens[j - 1].end > MOST_BETWEEN {
                break;
            }
            match token.kind {
                Kind::Number if word.len() <= 8 => {
                    let values: SmallVec<[u8; 8]> = word.iter().map(|b| b - b'0').collect();
                    row.add(&values, j, false);
                }
                Kind::Word if j > i && JOINING.iter().any(|w| w.as_bytes() == word) => {}
                Kind::Word => match digits(word) {
                    Some(digits) => row.add(&digits, j, true),
                    None => break,
                },
                Kind::Number
                | Kind::Picture
                | Kind::Address
                | Kind::Mail
                | Kind::Mention
                | Kind::Identifier => break,
            }
            j += 1;
        }
        if row.n_words() >= FEWEST_WORDS && row.values.len() >= fewest {
            each(&row);
        }
        i = j.max(i + 1);
    }
}

/// How many tokens may stand between a birth date and the last four, both read out.
const MOST_APART: usize = 10;

/// Adds every number that is spelled out, at least in part, to `out`, whatever number words stand
/// before and behind; also where the last four are read out apart from the date: *född sjuttioett
/// noll sex nitton, sista fyra …*
pub fn find(text: &[u8], tokens: &[Token], out: &mut Vec<Found>) {
    let mut date: Option<(SmallVec<[u8; 8]>, usize, usize)> = None;
    let stretch = |first: usize, last: usize| (tokens[first].start, tokens[last].end);
    rows(text, tokens, 4, |row| {
        let mut p = 0;
        while p < row.n_parts() {
            let found = [12, 10].into_iter().find_map(|length| {
                let (digits, behind) = row.window(p, length)?;
                let number = PersonalNumber::from_digits(digits.values).ok()?;
                let at = [stretch(digits.first, digits.last), (0, 0)];
                (digits.words >= FEWEST_WORDS).then_some((Found { number, at }, behind))
            });
            p = match found {
                Some((found, behind)) => {
                    out.push(found);
                    behind
                }
                None => p + 1,
            };
        }
        let Stretch { values, first, last, .. } = row.rest(0);
        if values.len() == 4
            && let Some((birth, from, to)) = &date
            && first - to <= MOST_APART
        {
            let mut all = birth.clone();
            all.extend_from_slice(values);
            if let Ok(number) = PersonalNumber::from_digits(&all) {
                out.push(Found { number, at: [stretch(*from, *to), stretch(first, last)] });
            }
        }
        if matches!(values.len(), 6 | 8) {
            date = Some((values.into(), first, last));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_words_give_the_digits_read_out() {
        for (word, want) in [
            ("noll", Some(&[0][..])),
            ("fem", Some(&[5])),
            ("arton", Some(&[1, 8])),
            ("åttio", Some(&[8, 0])),
            ("åttiofem", Some(&[8, 5])),
            ("hundra", None),
            ("femma", None),
            ("nollsju", Some(&[0, 7])),
            ("nollnollsjuttioåtta", Some(&[0, 0, 7, 8])),
            ("nollnoll", Some(&[0, 0])),
            ("nollhundra", None),
        ] {
            assert_eq!(digits(word.as_bytes()).as_deref(), want, "{word}");
        }
    }

    #[test]
    fn a_word_of_any_length_is_read_without_ado() {
        assert_eq!(digits("noll".repeat(1_000_000).as_bytes()), None);
        assert_eq!(digits("noll".repeat(7).as_bytes()), None);
    }
}
