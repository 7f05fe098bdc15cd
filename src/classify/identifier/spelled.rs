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

/// Adds every number that is spelled out, at least in part, to `out`.
pub fn find(text: &[u8], tokens: &[Token], out: &mut Vec<Found>) {
    let mut i = 0;
    while i < tokens.len() {
        let mut values: SmallVec<[(u8, usize); 16]> = SmallVec::new();
        let mut words = 0;
        let mut j = i;
        while j < tokens.len() && values.len() < 16 {
            let token = &tokens[j];
            let word = &text[token.start as usize..token.end as usize];
            if j > i && token.start - tokens[j - 1].end > MOST_BETWEEN {
                break;
            }
            match token.kind {
                Kind::Number if word.len() <= 8 => {
                    values.extend(word.iter().map(|b| (b - b'0', j)))
                }
                Kind::Word
                    if matches!(
                        word,
                        b"streck" | b"bindestreck" | b"minus" | b"plus" | b"och" | b"sedan"
                    ) && j > i => {}
                Kind::Word => match digits(word) {
                    Some(digits) => {
                        words += 1;
                        values.extend(digits.iter().map(|d| (*d, j)));
                    }
                    None => break,
                },
                Kind::Number | Kind::Picture | Kind::Address | Kind::Mail | Kind::Mention => break,
            }
            j += 1;
        }
        if words >= 2 && matches!(values.len(), 10 | 12) {
            let digits: SmallVec<[u8; 12]> = values.iter().map(|(d, _)| *d).collect();
            if let Ok(number) = PersonalNumber::from_digits(&digits) {
                let (first, last) = (&tokens[i], &tokens[values[values.len() - 1].1]);
                out.push(Found { number, at: [(first.start, last.end), (0, 0)] });
            }
        }
        i = j.max(i + 1);
    }
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
