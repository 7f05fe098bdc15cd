//! Text for lists, notices and logs of work: personal data masked (design, invariant 8).
//!
//! Found by the same finders as the verdict's: personal numbers (the birth date stays, the last
//! four go), mailboxes, telephone numbers, number plates, bank accounts, cards and coordinates;
//! and beyond these every run of digits that reads as a telephone number of any series. Streets stay, for most of them are where a lamp is broken. What is masked here
//! is masked for display; whether it *is* personal data is the verdict's matter.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::classify::fold::Folded;
use crate::classify::identifier::marks::{MarkEntries, Marks};
use crate::classify::identifier::personal_number::{self, Found};
use crate::classify::identifier::{Identifier, Mark};
use crate::classify::tokens::{Kind, Tokens};
use crate::classify::words::Words;
use crate::classify::words::builder::WordsBuilder;

/// What stands in the place of masked digits.
const STARS: &str = "****";

/// A lexicon without words: masking goes by form alone.
static NO_WORDS: LazyLock<Words> = LazyLock::new(|| WordsBuilder::default().build(&[], &[]));

/// `text` with personal data masked; borrowed when there is nothing to mask.
pub fn masked(text: &str) -> Cow<'_, str> {
    let digits = text.chars().filter(|c| c.is_numeric()).take(2).count();
    let at = text.bytes().any(|b| matches!(b, b'@' | b'(' | b'[' | b'{'));
    if digits < 2 && !at && text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut folded = Folded::default();
    folded.fold(text);
    let mut found = Vec::new();
    personal_number::find(folded.bytes(), &mut found);
    let mut cuts = Vec::new();
    numbers(&folded, &found, &mut cuts);
    marked(text, &folded, &found, &mut cuts);
    mails(&folded, &mut cuts);
    phones(&folded, &mut cuts);
    if cuts.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(cut(text, cuts)) }
}

/// As [`masked`], for personal numbers alone.
pub fn mask_personal_numbers(text: &str) -> Cow<'_, str> {
    let mut folded = Folded::default();
    folded.fold(text);
    let mut found = Vec::new();
    personal_number::find(folded.bytes(), &mut found);
    let mut cuts = Vec::new();
    numbers(&folded, &found, &mut cuts);
    if cuts.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(cut(text, cuts)) }
}

/// A stretch of the original and what is shown in its place.
type Cut = (usize, usize, &'static str);

fn numbers(folded: &Folded, found: &[Found], cuts: &mut Vec<Cut>) {
    for f in found {
        // The last four digits, however they are spaced, end the stretch that holds them: the
        // second one, unless the date stands there.
        let four = f.stretches().iter().rev().find(|(a, b)| figures(folded, *a, *b) == 4);
        let (from, to) = *four.unwrap_or(&f.at[0]);
        let mut start = to as usize;
        let mut left = 4;
        while left > 0 && start > from as usize {
            start -= 1;
            left -= usize::from(folded.bytes()[start].is_ascii_alphanumeric());
        }
        let span = folded.original(start as u32, to);
        cuts.push((span.start as usize, span.end as usize, STARS));
    }
}

fn figures(folded: &Folded, from: u32, to: u32) -> usize {
    let bytes = &folded.bytes()[from as usize..to as usize];
    bytes.iter().filter(|b| b.is_ascii_digit()).count()
}

/// What the classifier would mark.
fn marked(text: &str, folded: &Folded, personal: &[Found], cuts: &mut Vec<Cut>) {
    let mut tokens = Tokens::default();
    tokens.cut(folded.padded(), &NO_WORDS, false);
    let mut marks = Marks::default();
    marks.mark(text, folded, &mut tokens, &NO_WORDS, &MarkEntries::default(), personal);
    for i in marks.found() {
        let shown = match i.mark {
            Mark::Phone => " *** ** **",
            Mark::Account | Mark::AccountForm | Mark::Card => "**** ****",
            Mark::Plate => " ***",
            Mark::Coordinates => "**, **",
            Mark::ServicePhone
            | Mark::PrivateMail
            | Mark::OfficeMail
            | Mark::StreetAddress
            | Mark::Giro
            | Mark::Address
            | Mark::Shortener
            | Mark::MaskedAddress => continue,
        };
        let span = folded.original(keep(folded, i), i.end);
        cuts.push((span.start as usize, span.end as usize, shown));
    }
    for token in tokens.tokens.iter().filter(|t| t.kind == Kind::Mail) {
        let bytes = &folded.bytes()[token.start as usize..token.end as usize];
        let local = bytes.iter().position(|b| !is_local(*b)).unwrap_or(bytes.len());
        let (start, end) = (token.start, token.start + local as u32);
        if local > 0 {
            let span = folded.original(start, end);
            cuts.push((span.start as usize, span.end as usize, "***"));
        }
    }
}

/// What may stay of a number, so that one is told from another: of a telephone number the first
/// three figures, of a plate the letters.
fn keep(folded: &Folded, i: &Identifier) -> u32 {
    let shown = match i.mark {
        Mark::Phone | Mark::Plate => 3,
        _ => 0,
    };
    let bytes = &folded.bytes()[i.start as usize..i.end as usize];
    let mut left = shown;
    let n = bytes
        .iter()
        .take_while(|b| {
            let stays = left > 0;
            left -= usize::from(stays && b.is_ascii_alphanumeric());
            stays
        })
        .count();
    i.start + n as u32
}

fn is_local(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+') || b >= 0x80
}

/// Mail addresses of any host, also such as are no address on the net.
fn mails(folded: &Folded, cuts: &mut Vec<Cut>) {
    let text = folded.bytes();
    let mut end_of_last = 0;
    for at in memchr::memchr_iter(b'@', text) {
        let start = text[end_of_last..at]
            .iter()
            .rposition(|b| !is_local(*b))
            .map_or(end_of_last, |i| end_of_last + i + 1);
        let mut end = at + 1;
        while end < text.len() && is_local(text[end]) {
            end += 1;
        }
        while end > at + 1 && text[end - 1] == b'.' {
            end -= 1;
        }
        if start < at && memchr::memchr(b'.', &text[at + 1..end]).is_some() {
            let span = folded.original(start as u32, at as u32);
            cuts.push((span.start as usize, span.end as usize, "***"));
        }
        end_of_last = end;
    }
}

/// Digits that begin with 0 or +46, eight to twelve in all, with at most two signs between two.
fn phones(folded: &Folded, cuts: &mut Vec<Cut>) {
    let text = folded.bytes();
    let mut i = 0;
    while i < text.len() {
        let begins = (text[i] == b'0' || text[i] == b'+')
            && (i == 0 || !text[i - 1].is_ascii_alphanumeric());
        if !begins {
            i += 1;
            continue;
        }
        let (mut digits, mut signs, mut end, mut j) = (0, 0, i, i);
        let mut keep = i;
        while j < text.len() && digits < 14 {
            match text[j] {
                b'0'..=b'9' => {
                    digits += 1;
                    signs = 0;
                    end = j + 1;
                    if digits == 3 {
                        keep = j + 1;
                    }
                }
                b'+' if j == i => {}
                b' ' | b'-' | b'(' | b')' | b'/' if signs < 2 => signs += 1,
                _ => break,
            }
            j += 1;
        }
        if (8..=13).contains(&digits) && !text.get(end).is_some_and(u8::is_ascii_alphanumeric) {
            let span = folded.original(keep as u32, end as u32);
            cuts.push((span.start as usize, span.end as usize, " *** ** **"));
        }
        i = j.max(i + 1);
    }
}

fn cut(text: &str, mut cuts: Vec<Cut>) -> String {
    cuts.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (from, to, shown) in cuts {
        if from < at {
            continue;
        }
        out.push_str(&text[at..from]);
        out.push_str(shown);
        at = to;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::personal_number::luhn;

    fn complete(nine: &str) -> String {
        (0..10)
            .map(|last| format!("{nine}{last}"))
            .find(|t| {
                luhn(
                    &t.bytes()
                        .map(|b| b - b'0')
                        .collect::<Vec<_>>()
                        .try_into()
                        .expect("ten digits"),
                )
            })
            .expect("one of ten digits fits")
    }

    #[test]
    fn personal_data_is_masked_and_the_rest_kept() {
        let ten = complete("850709980");
        let (date, last) = ten.split_at(6);
        for (text, want) in [
            (format!("Jag är {date}-{last} ja"), format!("Jag är {date}-**** ja")),
            (format!("Född {date}, sista fyra {last}."), format!("Född {date}, sista fyra ****.")),
            ("Ring 070-174 06 05 nu".into(), "Ring 070 *** ** ** nu".into()),
            (
                "Mejla kim.exempel@exempelstad.example!".into(),
                "Mejla ***@exempelstad.example!".into(),
            ),
            ("Mitt konto: 4111 1111 1111 1111".into(), "Mitt konto: **** ****".into()),
            ("Ring +46 70 174 06 05".into(), "Ring +46 7 *** ** **".into()),
            ("Bilen APA 12C igen".into(), "Bilen APA ***".to_owned() + " igen"),
            ("Bor på 58.410807, 15.621373".into(), "Bor på **, **".into()),
            ("Mejla kim(at)exempel.se".into(), "Mejla ***(at)exempel.se".into()),
            (format!("Sista fyra {last}, född {date}"), format!("Sista fyra ****, född {date}")),
            ("Lampan vid Exempelgatan 14".into(), "Lampan vid Exempelgatan 14".into()),
            (
                "Inget att dölja, 2024-01-15 kl. 10".into(),
                "Inget att dölja, 2024-01-15 kl. 10".into(),
            ),
        ] {
            assert_eq!(masked(&text), want);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_masked_without_panic(text in any::<String>()) {
            let _ = masked(&text);
        }

        #[test]
        fn no_last_four_survive(serial in 100u32..1000, sep in "[-+ ]?") {
            let ten = complete(&format!("850709{serial}"));
            let text = format!("Hon heter {}{sep}{} så", &ten[..6], &ten[6..]);
            prop_assert!(!masked(&text).contains(&ten[6..]));
        }
    }
}
