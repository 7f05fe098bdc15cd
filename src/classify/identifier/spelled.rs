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

/// Calls `each` with every row of digits that is spelled out at least in part, and its bytes.
pub fn sequences(text: &[u8], tokens: &[Token], mut each: impl FnMut(&[u8], u32, u32)) {
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
        if words >= 2 && values.len() >= 8 {
            each(&values, tokens[i].start, tokens[last].end);
        }
        i = j.max(i + 1);
    }
}

/// Adds every number that is spelled out, at least in part, to `out`.
pub fn find(text: &[u8], tokens: &[Token], out: &mut Vec<Found>) {
    sequences(text, tokens, |values, start, end| {
        if matches!(values.len(), 10 | 12)
            && let Ok(number) = PersonalNumber::from_digits(values)
        {
            out.push(Found { number, at: [(start, end), (0, 0)] });
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
