//! The last four figures of a personal number, said to be these, with the birth date elsewhere:
//! *född 8 mars 1971, sista fyra är …*. Date and check digit prove it.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use smallvec::SmallVec;

use crate::classify::identifier::digits::figures;
use crate::classify::identifier::personal_number::Found;
use crate::domain::personal_number::PersonalNumber;

/// Words that say what four figures are. Each is looked for near the figures.
const CUES: &[&[u8]] = &[
    b"sista ",
    b"fyra sista",
    b"slutar p",
    b"slutsiff",
    b"kontrollsiff",
    b"fyra siff",
    b"personnum",
    b"personnr",
    b"pnr",
    b" slutet",
    b"last four",
    b"last 4",
    b"persnr",
];

/// Finds any of them. What is searched is short, so a look ahead would cost more than it saves.
static CUE: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    builder.prefilter(false).kind(Some(AhoCorasickKind::DFA));
    builder.build(CUES).expect("thirteen short words make an automaton")
});

const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"maj", b"jun", b"jul", b"aug", b"sep", b"okt", b"nov", b"dec",
];

/// How far from the figures the cue may stand, in bytes.
const CUE_WITHIN: usize = 40;
/// How far from the figures the date may stand, in bytes.
const DATE_WITHIN: usize = 90;
/// How many groups of four figures are looked at in one text.
const MOST: usize = 64;

/// Adds every number whose last four are told apart from its date.
pub fn find(text: &[u8], out: &mut Vec<Found>) {
    let mut looked = 0;
    for (start, end) in figures(text, 0, text.len()) {
        if end - start == 4 && looked < MOST && is_told(text, start, end) {
            looked += 1;
            if let Some(found) = with_date(text, start, end) {
                out.push(found);
            }
        }
    }
}

fn is_told(text: &[u8], start: usize, end: usize) -> bool {
    CUE.is_match(&text[start.saturating_sub(CUE_WITHIN)..start])
        || CUE.is_match(&text[end..text.len().min(end + CUE_WITHIN / 2)])
}

fn with_date(text: &[u8], start: usize, end: usize) -> Option<Found> {
    let last: SmallVec<[u8; 4]> = text[start..end].iter().map(|b| b - b'0').collect();
    let from = start.saturating_sub(DATE_WITHIN);
    let to = text.len().min(end + DATE_WITHIN);
    let prove = |(birth, at): (SmallVec<[u8; 8]>, (u32, u32))| {
        let mut digits: SmallVec<[u8; 12]> = birth.iter().copied().collect();
        digits.extend_from_slice(&last);
        let number = PersonalNumber::from_digits(&digits).ok()?;
        Some(Found { number, at: ordered(at, (start as u32, end as u32)) })
    };
    dates(text, from, start)
        .into_iter()
        .rev()
        .find_map(prove)
        .or_else(|| dates(text, end, to).into_iter().find_map(prove))
}

fn ordered(a: (u32, u32), b: (u32, u32)) -> [(u32, u32); 2] {
    if a < b { [a, b] } else { [b, a] }
}

/// A group of digits.
#[derive(Clone, Copy, Debug)]
struct Group {
    start: usize,
    end: usize,
}

type Dates = SmallVec<[(SmallVec<[u8; 8]>, (u32, u32)); 4]>;

/// Birth dates written between two places, as six or eight figures.
fn dates(text: &[u8], from: usize, to: usize) -> Dates {
    let groups: SmallVec<[Group; 16]> =
        figures(text, from, to).map(|(start, end)| Group { start, end }).collect();
    let mut out = Dates::new();
    for (n, g) in groups.iter().enumerate() {
        let digits = &text[g.start..g.end];
        if matches!(digits.len(), 6 | 8) {
            out.push((digits.iter().map(|b| b - b'0').collect(), (g.start as u32, g.end as u32)));
        } else if matches!(digits.len(), 2 | 4)
            && let Some([_, month, day]) = groups.get(n..n + 3).and_then(|g| g.first_chunk())
            && month.start - g.end <= 2
            && day.start - month.end <= 2
        {
            add(&mut out, text, *g, number(text, *month), number(text, *day), (g.start, day.end));
        }
        // Day first: 8 mars 1971, 8/3 1971, 8.3.71.
        if digits.len() <= 2 {
            let day = number(text, *g);
            if let Some((month, after)) = month_name(text, g.end, to) {
                // The year stands behind the month, or elsewhere: *8 mars, född 1971*.
                let year = groups[n + 1..]
                    .iter()
                    .find(|y| y.start <= after + 24 && matches!(y.end - y.start, 2 | 4));
                if let Some(year) = year {
                    add(&mut out, text, *year, month, day, (g.start, year.end));
                }
            } else if let Some([month, year]) =
                groups.get(n + 1..n + 3).and_then(|g| g.first_chunk())
                && month.start - g.end <= 2
                && year.start - month.end <= 2
                && matches!(year.end - year.start, 2 | 4)
            {
                add(&mut out, text, *year, number(text, *month), day, (g.start, year.end));
            }
        }
    }
    out
}

fn add(out: &mut Dates, text: &[u8], year: Group, month: u32, day: u32, at: (usize, usize)) {
    if !(1..=12).contains(&month) || !matches!(day, 1..=31 | 61..=91) {
        return;
    }
    let mut digits: SmallVec<[u8; 8]> =
        text[year.start..year.end].iter().map(|b| b - b'0').collect();
    for n in [month, day] {
        digits.extend([(n / 10) as u8, (n % 10) as u8]);
    }
    out.push((digits, (at.0 as u32, at.1 as u32)));
}

fn number(text: &[u8], g: Group) -> u32 {
    text[g.start..g.end].iter().take(4).fold(0, |n, b| n * 10 + u32::from(b - b'0'))
}

/// The month whose name begins within a few bytes of `from`, and where its name ends.
fn month_name(text: &[u8], from: usize, to: usize) -> Option<(u32, usize)> {
    let lead = text[from..to].iter().take(6);
    let skip = lead.take_while(|b| matches!(b, b' ' | b':' | b'.' | b'e' | b'a' | b'-')).count();
    // *8:e april*: the letter of the ordinal may be the first of the month's name.
    (from..=from + skip).rev().find_map(|at| {
        let month = MONTHS.iter().position(|m| text[at..to].starts_with(m))?;
        let letters = text[at..to].iter().take_while(|b| b.is_ascii_alphabetic()).count();
        Some((month as u32 + 1, at + letters))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::identifier::personal_number::tests::complete;

    #[test]
    fn dates_in_every_order_prove_the_last_four() {
        let ten = complete("710308980");
        let n = &ten[6..];
        for text in [
            format!("född 8 mars 1971, sista fyra {n}"),
            format!("född den 8:e mars 1971 med slutsiffrorna {n}"),
            format!("8/3 1971, sista fyra {n}"),
            format!("8.3.1971 och {n} på slutet"),
            format!("född 8 mar 71, sista fyra: {n}"),
            format!("fyller år 8 mars, född 1971. sista fyra: {n}"),
            format!("sista fyra {n}, född 710308"),
            format!("de fyra sista är {n} och jag är född 1971-03-08"),
            format!("slutsiffrorna är {n}, född 8 mars 1971"),
        ] {
            let mut out = Vec::new();
            find(text.as_bytes(), &mut out);
            assert_eq!(out.len(), 1, "{text}");
            assert!(out[0].at[0] < out[0].at[1], "{text}");
        }
    }

    #[test]
    fn other_figures_near_a_date_are_left() {
        let ten = complete("710308980");
        let n = &ten[6..];
        let wrong = format!("{}{}", &n[..3], (n.as_bytes()[3] - b'0' + 1) % 10);
        for text in [
            format!("den 8 mars 1971 kom {n} personer"),
            format!("född 8 mars 1971, sista fyra {wrong}"),
            format!("8 mars, sista anmälningsdag, {n} kr"),
            format!("beslutet {n} den 8 mars 1971"),
            format!("avslutas 8 mars 1971, dnr {n}"),
            format!("sista fyra {n}"),
        ] {
            let mut out = Vec::new();
            find(text.as_bytes(), &mut out);
            assert_eq!(out, [], "{text}");
        }
    }
}
