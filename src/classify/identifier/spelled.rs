//! Personal numbers spelled out in words: *åttiofem noll sju noll nio, nittioåtta noll fem*.

use smallvec::SmallVec;

use crate::classify::identifier::personal_number::Found;
use crate::classify::tokens::{Kind, Token};
use crate::domain::personal_number::PersonalNumber;

/// How many bytes may stand between two number words.
const MOST_BETWEEN: u32 = 14;
/// The most digits one token may give.
const MOST_DIGITS: usize = 4;

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
    if !matches!(word.first(), Some(b'a' | b'e' | b'f' | b'n' | b's' | b't' | 0xC3)) {
        return None;
    }
    let at = |list: &[&str]| list.iter().position(|w| w.as_bytes() == word).map(|n| n as u8);
    if let Some(n) = at(&UNITS) {
        return Some(SmallVec::from_slice(&[n]));
    }
    // *Nollsju, nollsjuttio.*
    if let Some(rest) = word.strip_prefix(b"noll")
        && !rest.is_empty()
    {
        let mut values = digits(rest)?;
        values.insert(0, 0);
        return Some(values);
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

/// Calls `each` with every row of `fewest` digits or more that is spelled out at least in part, with its
/// first and last token.
pub fn sequences(
    text: &[u8],
    tokens: &[Token],
    fewest: usize,
    mut each: impl FnMut(&[u8], usize, usize),
) {
    let mut i = 0;
    while i < tokens.len() {
        let mut values: SmallVec<[u8; 24]> = SmallVec::new();
        let mut words = 0;
        let mut last = i;
        let mut j = i;
        while j < tokens.len() && values.len() < 20 {
            let token = &tokens[j];
            let word = &text[token.start as usize..token.end as usize];
            if j > i && token.start - tokens[j - 1].end > MOST_BETWEEN {
                break;
            }
            match token.kind {
                Kind::Number if word.len() <= 8 => {
                    values.extend(word.iter().map(|b| b - b'0'));
                    last = j;
                }
                Kind::Word if j > i && JOINING.iter().any(|w| w.as_bytes() == word) => {}
                Kind::Word => match digits(word) {
                    Some(digits) => {
                        words += 1;
                        values.extend(digits);
                        last = j;
                    }
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
        if words >= 2 && values.len() >= fewest {
            each(&values, i, last);
        }
        i = j.max(i + 1);
    }
}

/// How many tokens may stand between a birth date and the last four, both read out.
const MOST_APART: usize = 10;

/// Adds every number that is spelled out, at least in part, to `out`; also where the last four
/// are read out apart from the date: *född sjuttioett noll sex nitton, sista fyra …*
pub fn find(text: &[u8], tokens: &[Token], out: &mut Vec<Found>) {
    let mut date: Option<(SmallVec<[u8; 24]>, usize, usize)> = None;
    let stretch = |first: usize, last: usize| (tokens[first].start, tokens[last].end);
    sequences(text, tokens, 4, |values, first, last| {
        if matches!(values.len(), 10 | 12)
            && let Ok(number) = PersonalNumber::from_digits(values)
        {
            out.push(Found { number, at: [stretch(first, last), (0, 0)] });
        }
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
        ] {
            assert_eq!(digits(word.as_bytes()).as_deref(), want, "{word}");
        }
    }
}
