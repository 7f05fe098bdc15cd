//! Text for lists, notices and logs of work: personal data masked (design, invariant 8).
//!
//! Masked is what the verdict goes by, found by the same finders with the same lexicon: personal
//! numbers in figures (the birth date stays, the last four go) and in words, mailboxes, telephone
//! numbers, number plates, bank accounts, cards and coordinates; and beyond these
//! every run of digits that reads as a telephone number of any series, and every mail address.
//! Streets stay, for most of them are where a lamp is broken. What is masked here is masked for
//! display; whether it *is* personal data is the verdict's matter.

use std::borrow::Cow;

use crate::classify::fold::Folded;
use crate::classify::identifier::personal_number::Found;
use crate::classify::identifier::{Identifier, Mark};
use crate::classify::tokens::{Kind, Token};
use crate::classify::{Classifier, SCRATCH, Scratch};

/// What stands in the place of masked digits.
const STARS: &str = "****";
/// What stands in the place of a masked name.
const NAME: &str = "***";

impl Classifier {
    /// `text` with personal data masked; borrowed when there is nothing to mask.
    pub fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        SCRATCH.with_borrow_mut(|scratch| self.masked_with(scratch, text))
    }

    /// As [`Self::masked`], with the caller's buffers.
    pub fn masked_with<'t>(&self, scratch: &mut Scratch, text: &'t str) -> Cow<'t, str> {
        let cuts = self.cuts(scratch, text);
        if cuts.is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(self.without_numbers(scratch, cut(text, cuts)))
    }

    fn cuts(&self, scratch: &mut Scratch, text: &str) -> Vec<Cut> {
        self.read(scratch, text);
        self.find_numbers(scratch, text);
        let Scratch { folded, tokens, numbers, marks, .. } = scratch;
        let mut cuts = Vec::new();
        personal_numbers(folded, numbers, &mut cuts);
        marked(folded, marks.found(), &mut cuts);
        mailboxes(folded, &tokens.tokens, &mut cuts);
        mails(folded, &mut cuts);
        phones(folded, &mut cuts);
        cuts
    }

    /// What [`Self::masked`] strikes out, as it is written and each once: numbers with all their digits, since what
    /// is left of them in a list is too much for a stranger.
    pub fn personal(&self, text: &str) -> Vec<String> {
        let cuts = SCRATCH.with_borrow_mut(|scratch| self.cuts(scratch, text));
        let mut found: Vec<String> = Vec::new();
        for (from, to, _) in cuts {
            let is_part = |c: char| c.is_ascii_digit() || "+-".contains(c);
            let before = text.get(..from).unwrap_or_default().trim_end_matches(is_part).len();
            let after = text.get(to..).unwrap_or_default();
            let after = to + (after.len() - after.trim_start_matches(is_part).len());
            let whole = text.get(before..after).unwrap_or_default().trim();
            if !whole.is_empty() && !found.iter().any(|known| known == whole) {
                found.push(whole.to_owned());
            }
        }
        found
    }

    /// Masks the personal numbers that come to light once others are masked: the date of one and
    /// the last four of another are one more, which only the nearer four had hidden.
    fn without_numbers(&self, scratch: &mut Scratch, mut text: String) -> String {
        for _ in 0..MOST_ROUNDS {
            self.read(scratch, &text);
            self.find_numbers(scratch, &text);
            let Scratch { folded, numbers, .. } = &*scratch;
            if numbers.is_empty() {
                return text;
            }
            let mut cuts = Vec::new();
            personal_numbers(folded, numbers, &mut cuts);
            text = cut(&text, cuts);
        }
        // Nobody writes like this but to see what happens.
        text.chars().map(|c| if c.is_numeric() { '*' } else { c }).collect()
    }
}

/// How often a text is read again for numbers that came to light.
const MOST_ROUNDS: usize = 8;

/// A stretch of the original and what is shown in its place.
type Cut = (usize, usize, &'static str);

fn personal_numbers(folded: &Folded, found: &[Found], cuts: &mut Vec<Cut>) {
    for f in found {
        // The last four digits, however they are spaced, end the stretch that holds them: the
        // second one, unless the date stands there.
        let four = f.stretches().iter().rev().find(|(a, b)| figures(folded, *a, *b) == 4);
        let (from, to) = *four.or(f.stretches().last()).unwrap_or(&f.at[0]);
        let mut start = from as usize;
        if !in_words(&folded.bytes()[from as usize..to as usize]) {
            start = to as usize;
            let mut left = 4;
            while left > 0 && start > from as usize {
                start -= 1;
                left -= usize::from(is_figure(folded.bytes(), start));
            }
        }
        let span = folded.original(start as u32, to);
        cuts.push((span.start as usize, span.end as usize, STARS));
    }
}

/// Whether one of a number's signs stands there, and no part of a blank that is written `%20`.
fn is_figure(bytes: &[u8], at: usize) -> bool {
    let percent = |back: usize| at.checked_sub(back).is_some_and(|at| bytes[at] == b'%');
    bytes[at].is_ascii_alphanumeric() && !percent(1) && !percent(2)
}

/// Whether a number is read out, at least in part: a word without digits stands in it. Look-alike
/// letters stand among digits.
fn in_words(number: &[u8]) -> bool {
    number
        .split(|b| !(b.is_ascii_alphanumeric() || *b >= 0xC3))
        .any(|word| word.len() > 1 && !word.iter().any(u8::is_ascii_digit))
}

fn figures(folded: &Folded, from: u32, to: u32) -> usize {
    let bytes = &folded.bytes()[from as usize..to as usize];
    bytes.iter().filter(|b| b.is_ascii_digit()).count()
}

/// What the classifier marks.
fn marked(folded: &Folded, found: &[Identifier], cuts: &mut Vec<Cut>) {
    for i in found {
        let written = &folded.bytes()[i.start as usize..i.end as usize];
        let shown = match i.mark {
            Mark::Phone if in_words(written) => "*** ** **",
            Mark::Phone => " *** ** **",
            Mark::Account | Mark::AccountForm | Mark::Card => "**** ****",
            Mark::Plate => " ***",
            Mark::Coordinates => "**, **",
            // Set apart or written out: where the name ends is hard to tell, so all of it goes.
            Mark::PrivateMail | Mark::OfficeMail => NAME,
            Mark::ServicePhone
            | Mark::StreetAddress
            | Mark::Giro
            | Mark::Address
            | Mark::Shortener
            | Mark::MaskedAddress => continue,
        };
        let span = folded.original(keep(folded, i), i.end);
        cuts.push((span.start as usize, span.end as usize, shown));
    }
}

/// Mail addresses written in one piece, brackets and all: the name goes, the host stays.
fn mailboxes(folded: &Folded, tokens: &[Token], cuts: &mut Vec<Cut>) {
    for token in tokens.iter().filter(|t| t.kind == Kind::Mail) {
        let bytes = &folded.bytes()[token.start as usize..token.end as usize];
        let local = bytes.iter().position(|b| !is_local(*b)).unwrap_or(bytes.len());
        if local > 0 {
            let span = folded.original(token.start, token.start + local as u32);
            cuts.push((span.start as usize, span.end as usize, NAME));
        }
    }
}

/// What may stay of a number, so that one is told from another: of a telephone number the first
/// three figures, of a plate the letters.
fn keep(folded: &Folded, i: &Identifier) -> u32 {
    let bytes = &folded.bytes()[i.start as usize..i.end as usize];
    let shown = match i.mark {
        Mark::Phone if in_words(bytes) => 0,
        Mark::Phone | Mark::Plate => 3,
        _ => 0,
    };
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

/// Cuts that overlap become one, with what the longer of them shows.
fn cut(text: &str, mut cuts: Vec<Cut>) -> String {
    cuts.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut cuts = cuts.into_iter().peekable();
    while let Some((from, mut to, mut shown)) = cuts.next() {
        let mut longest = to - from;
        while let Some((next_from, next_to, next_shown)) = cuts.next_if(|next| next.0 < to) {
            if next_to - next_from > longest {
                (longest, shown) = (next_to - next_from, next_shown);
            }
            to = to.max(next_to);
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
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::personal_number::luhn;

    static BUILT_IN: LazyLock<Classifier> = LazyLock::new(Classifier::built_in);

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
            assert_eq!(BUILT_IN.masked(&text), want);
        }
    }

    #[test]
    fn a_number_that_comes_to_light_behind_a_masked_one_is_masked_too() {
        let ten = complete("850709980");
        let (date, last) = ten.split_at(6);
        let text = format!("{date}-{last}, 19850718 {last}, {date}+{last}, {date} {last}");
        let masked = BUILT_IN.masked(&text).into_owned();
        assert!(masked.starts_with(&format!("{date}-****, 19850718")), "{masked}");
        assert_eq!(BUILT_IN.masked(&masked), masked);
    }

    #[test]
    fn what_is_read_out_or_set_apart_is_masked_as_well() {
        for (text, want) in [
            (
                "Hon är åttiofem noll sju noll nio nittioåtta noll NN, så det så",
                "Hon är ****, så det så",
            ),
            ("Ring noll sju noll ett sju fyra noll sex noll fem nu", "Ring *** ** ** nu"),
            ("Skriv till kim snabel-a exempel punkt se.", "Skriv till ***."),
            ("Skriv till kim punkt exempel snabel-a gmail punkt com", "Skriv till ***"),
            ("Mejla kim (a) exempel.se i dag", "Mejla *** i dag"),
            ("Bil med skylt T B C 3 9 2 smet", "Bil med skylt T B C *** smet"),
        ] {
            let ten = complete("850709980");
            let last = ["noll", "ett", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio"]
                [usize::from(ten.as_bytes()[9] - b'0')];
            assert_eq!(BUILT_IN.masked(&text.replace("NN", last)), want, "{text}");
        }
    }

    #[test]
    fn cuts_that_overlap_become_one() {
        let text = "0123456789";
        assert_eq!(cut(text, vec![(2, 5, "a"), (4, 9, "b"), (9, 10, "c")]), "01bc");
        assert_eq!(cut(text, vec![(0, 9, "a"), (2, 3, "b"), (8, 10, "c")]), "a");
        assert_eq!(cut(text, vec![(1, 2, "a"), (2, 3, "b")]), "0ab3456789");
    }

    proptest! {
        #[test]
        fn any_text_is_masked_without_panic(text in any::<String>()) {
            let _ = BUILT_IN.masked(&text);
        }

        #[test]
        fn nothing_that_a_cut_covers_survives(
            cuts in proptest::collection::vec((0usize..40, 1usize..20), 1..12)
        ) {
            let text: String = ('\u{100}'..).take(60).collect();
            let cuts: Vec<Cut> = cuts.into_iter().map(|(a, n)| (2 * a, 2 * (a + n), "*")).collect();
            let shown = cut(&text, cuts.clone());
            for (at, c) in text.char_indices() {
                let covered = cuts.iter().any(|(from, to, _)| *from <= at && at < *to);
                prop_assert_eq!(shown.contains(c), !covered);
            }
        }

        #[test]
        fn no_last_four_survive(serial in 100u32..1000, sep in "[-+ ]?") {
            let ten = complete(&format!("850709{serial}"));
            let text = format!("Hon heter {}{sep}{} så", &ten[..6], &ten[6..]);
            prop_assert!(!BUILT_IN.masked(&text).contains(&ten[6..]));
        }

        #[test]
        fn none_of_the_last_four_survives_among_signs(
            serial in 100u32..1000,
            sep in prop::sample::select(vec!["%20", " ", ".", "-", "\u{a0}"]),
        ) {
            let ten = complete(&format!("850709{serial}"));
            let pairs: Vec<&str> = (0..5).map(|n| &ten[2 * n..2 * n + 2]).collect();
            let shown = BUILT_IN.masked(&pairs.join(sep)).replace("%20", "");
            let left: String = shown.chars().filter(char::is_ascii_digit).collect();
            // A bank account may be seen in it as well: more may go, never less.
            prop_assert!("850709".starts_with(&left), "{left}");
        }
    }
}
