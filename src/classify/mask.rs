//! Text for lists, notices and logs of work: personal data masked (design, invariant 8).
//!
//! Masked are personal numbers (birth date stays, the last four go), mail addresses and runs of
//! digits that read as telephone numbers. What is masked here is masked for display; whether it
//! *is* personal data is the verdict's matter.

use std::borrow::Cow;

use crate::classify::fold::Folded;
use crate::classify::identifier::personal_number;

/// What stands in the place of masked digits.
const STARS: &str = "****";

/// `text` with personal numbers, mail addresses and telephone-like numbers masked; borrowed when
/// there is nothing to mask.
pub fn masked(text: &str) -> Cow<'_, str> {
    let digits = text.chars().filter(|c| c.is_numeric()).take(7).count();
    if digits < 7 && memchr::memchr(b'@', text.as_bytes()).is_none() && text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut folded = Folded::default();
    folded.fold(text);
    let mut cuts = Vec::new();
    numbers(&folded, &mut cuts);
    mails(&folded, &mut cuts);
    phones(&folded, &mut cuts);
    if cuts.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(cut(text, cuts)) }
}

/// As [`masked`], for personal numbers alone.
pub fn mask_personal_numbers(text: &str) -> Cow<'_, str> {
    let mut folded = Folded::default();
    folded.fold(text);
    let mut cuts = Vec::new();
    numbers(&folded, &mut cuts);
    if cuts.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(cut(text, cuts)) }
}

/// A stretch of the original and what is shown in its place.
type Cut = (usize, usize, &'static str);

fn numbers(folded: &Folded, cuts: &mut Vec<Cut>) {
    let mut found = Vec::new();
    personal_number::find(folded.bytes(), &mut found);
    for f in found {
        // The last four digits, however they are spaced, begin after the last border.
        let (from, to) = *f.stretches().last().unwrap_or(&f.at[0]);
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

fn mails(folded: &Folded, cuts: &mut Vec<Cut>) {
    let text = folded.bytes();
    let part =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+') || b >= 0xC3;
    let mut end_of_last = 0;
    for at in memchr::memchr_iter(b'@', text) {
        let start = text[end_of_last..at]
            .iter()
            .rposition(|b| !part(*b))
            .map_or(end_of_last, |i| end_of_last + i + 1);
        let mut end = at + 1;
        while end < text.len() && part(text[end]) {
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
