//! Telephone numbers, by the Swedish numbering plan (*svensk telefoninummerplan*, PTS): which
//! series are private subscriptions, which belong to authorities and services.

use crate::classify::identifier::Mark;
use crate::classify::identifier::digits::{Digit, ends, groups};

/// Whose a number can be, by its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// 070, 072, 073, 076, 079.
    Mobile,
    /// A geographic area code, or a number abroad.
    Landline,
    /// 010, 020, 077, 0900 and the like, and landline numbers that end as switchboards do.
    Service,
}

impl Series {
    /// How rules know a number of it.
    pub const fn mark(self) -> Mark {
        match self {
            Self::Mobile | Self::Landline => Mark::Phone,
            Self::Service => Mark::ServicePhone,
        }
    }
}

/// Area codes of three figures, the leading zero left out.
const THREE: [u16; 20] =
    [11, 13, 16, 18, 19, 21, 23, 26, 31, 33, 35, 36, 40, 42, 44, 46, 54, 60, 63, 90];

/// Area codes of four figures, the leading zero left out, rising.
const FOUR: &[u16] = &[
    120, 121, 122, 123, 125, 140, 141, 142, 143, 144, 150, 151, 152, 155, 156, 157, 158, 159, 171,
    173, 174, 175, 176, 220, 221, 222, 223, 224, 225, 226, 227, 240, 241, 243, 246, 247, 248, 250,
    251, 253, 258, 270, 271, 278, 280, 281, 290, 291, 292, 293, 294, 295, 297, 300, 301, 302, 303,
    304, 320, 321, 322, 325, 340, 345, 346, 370, 371, 372, 380, 381, 382, 383, 390, 392, 393, 410,
    411, 413, 414, 415, 416, 417, 418, 430, 431, 433, 435, 451, 454, 455, 456, 457, 459, 470, 471,
    472, 474, 476, 477, 478, 479, 480, 481, 485, 486, 490, 491, 492, 493, 494, 495, 496, 498, 499,
    500, 501, 502, 503, 504, 505, 506, 510, 511, 512, 513, 514, 515, 519, 520, 521, 522, 523, 524,
    525, 526, 528, 530, 531, 532, 533, 534, 550, 551, 552, 553, 554, 555, 560, 563, 564, 565, 570,
    571, 573, 580, 581, 582, 583, 584, 585, 586, 587, 589, 590, 591, 610, 611, 612, 613, 620, 621,
    622, 623, 624, 640, 642, 643, 644, 645, 647, 650, 651, 652, 653, 657, 660, 661, 662, 663, 670,
    671, 672, 680, 682, 684, 687, 690, 691, 692, 693, 695, 696, 910, 911, 912, 913, 914, 915, 916,
    918, 920, 921, 922, 923, 924, 925, 926, 927, 928, 929, 930, 932, 933, 934, 935, 940, 941, 942,
    943, 950, 951, 952, 953, 954, 960, 961, 970, 971, 973, 975, 976, 977, 978, 980, 981,
];

/// The telephone number that begins at digit `from`: whose it can be, and how many digits it has.
pub fn at(text: &[u8], reading: &[Digit], from: usize) -> Option<(Series, usize)> {
    let digits = &reading[from..];
    let first = digits.first()?;
    let plus = before(text, first.at).is_some_and(|b| b == b'+');
    if !plus && !may_begin(text, reading, from) {
        return None;
    }
    if is_among_pairs(reading, from) || is_in_code(text, first.at) {
        return None;
    }
    let starts =
        |n: &[u8]| digits.len() > n.len() && n.iter().zip(digits).all(|(n, d)| *n == d.value);
    if starts(&[0, 0, 4, 6]) {
        return home(digits, 4).map(|(s, n)| (s, n + 4));
    }
    let lone =
        |i: usize| !reading[i].gap.none() && reading.get(i + 1).is_none_or(|d| !d.gap.none());
    if from > 0 && lone(from) && (from == 1 || lone(from - 1)) {
        // Digits set apart one by one: a number is all of them, not the last ten.
        return None;
    }
    if plus && starts(&[4, 6]) {
        return home(digits, 2).map(|(s, n)| (s, n + 2));
    }
    if plus {
        // A foreign number: eight to fifteen digits, as far as they are written together.
        let n = (8..=15.min(digits.len())).rev().find(|n| ends(digits, *n))?;
        return (first.value != 0).then_some((Series::Landline, n));
    }
    if starts(&[4, 6, 7]) && groups(&digits[..11.min(digits.len())]).len() == 1 {
        return home(digits, 2).filter(|(s, _)| *s == Series::Mobile).map(|(s, n)| (s, n + 2));
    }
    if first.value != 0 || is_hours(digits) || is_date(digits) {
        return None;
    }
    national(digits)
}

/// No number of the plan has more figures, with the leading zero.
const LONGEST_READ_OUT: usize = 10;

/// Whether digits from `text` may be a telephone number read out: no forms, only the plan.
pub fn read_out(values: &[u8]) -> Option<Series> {
    if values.first() != Some(&0) || values.len() > LONGEST_READ_OUT {
        return None;
    }
    let digits: smallvec::SmallVec<[Digit; 16]> = values
        .iter()
        .map(|v| Digit {
            value: *v,
            at: 0,
            gap: crate::classify::identifier::digits::Gap::default(),
        })
        .collect();
    let (series, n) = national(&digits)?;
    (n == values.len()).then_some(series)
}

fn before(text: &[u8], at: u32) -> Option<u8> {
    (at as usize).checked_sub(1).map(|i| text[i])
}

/// One of a longer row of pairs, as drawn numbers and times are.
fn is_among_pairs(reading: &[Digit], from: usize) -> bool {
    let pair = |i: usize| {
        reading.get(i).is_some_and(|d| !d.gap.none() || i == 0)
            && reading.get(i + 1).is_some_and(|d| d.gap.none())
            && ends(reading, i + 2)
    };
    let row = (0..4).all(|n| pair(from + 2 * n));
    let pairs = (from..reading.len()).step_by(2).take_while(|i| pair(*i)).count();
    row && (from >= 2 && pair(from - 2) || pairs > 5)
}

/// Inside letters mixed with digits, as in a checksum or key: `ea06c054…`.
fn is_in_code(text: &[u8], at: u32) -> bool {
    let before = &text[..at as usize];
    let letters = before.iter().rev().take(40).take_while(|b| b.is_ascii_alphabetic()).count();
    letters > 0 && before[..before.len() - letters].last().is_some_and(u8::is_ascii_digit)
}

/// A number begins after a blank, a bracket or a letter, not inside a longer row of digits.
fn may_begin(text: &[u8], reading: &[Digit], from: usize) -> bool {
    let gap = reading[from].gap;
    let sign_between = || {
        before(text, reading[0].at)
            .is_none_or(|b| !matches!(b, b'-' | b'.' | b',' | b'#' | b'%' | b'&' | b'='))
            || before(text, reading[0].at.saturating_sub(1)).is_none_or(|b| !b.is_ascii_digit())
    };
    if from == 0 { sign_between() } else { gap.blank || matches!(gap.sign, b',' | b':') }
}

/// After 46: the digits as dialled at home, an extra zero allowed.
fn home(digits: &[Digit], skip: usize) -> Option<(Series, usize)> {
    let mut rest: smallvec::SmallVec<[Digit; 16]> =
        digits[skip..].iter().copied().take(14).collect();
    let zero = rest.first()?.value == 0;
    if !zero {
        let mut first = rest[0];
        first.value = 0;
        rest[0].gap = crate::classify::identifier::digits::Gap::default();
        rest.insert(0, first);
    } else if let Some(next) = rest.get_mut(1) {
        // +46 (0)70: the bracket is no border.
        next.gap = crate::classify::identifier::digits::Gap::default();
    }
    national(&rest).map(|(s, n)| (s, if zero { n } else { n - 1 }))
}

/// The number as dialled at home, beginning with zero.
fn national(digits: &[Digit]) -> Option<(Series, usize)> {
    let figure = |i: usize| digits.get(i).map(|d| u16::from(d.value));
    let (a, b) = (figure(1)?, figure(2)?);
    let three = a * 10 + b;
    if a == 7 && matches!(b, 0 | 2 | 3 | 6 | 9) {
        // Six and four are how birth dates are written, never telephones.
        let fits =
            digits.len() >= 10 && ends(digits, 10) && groups(&digits[..10]).as_slice() != [6, 4];
        return fits.then_some((Series::Mobile, 10));
    }
    // 010, 020, 077 and the payment series.
    let service = match three {
        10 => Some(10..=10),
        20 | 77 => Some(7..=10),
        90 | 93 | 94 | 99
            if matches!(figure(3), Some(0 | 9 | 4)) && area_length(digits) != Some(3) =>
        {
            Some(8..=10)
        }
        _ => None,
    };
    if let Some(mut lengths) = service
        && let Some(n) = lengths.rfind(|n| digits.len() >= *n && ends(digits, *n))
    {
        return Some((Series::Service, n));
    }
    let area = area_length(digits)?;
    let lengths = match area {
        2 => 8..=10,
        3 => 8..=10,
        _ => 9..=10,
    };
    for n in lengths.rev() {
        if digits.len() < n || !ends(digits, n) || digits[area].value == 0 {
            continue;
        }
        let groups = groups(&digits[..n]);
        let whole = groups.len() == 1;
        let single = groups.len() == n;
        let bordered = groups[0] == area && groups[1..].iter().all(|g| *g >= 2);
        if !(whole || single || bordered) {
            continue;
        }
        let zeros = digits[..n].iter().rev().take_while(|d| d.value == 0).count();
        return Some((if zeros >= 2 { Series::Service } else { Series::Landline }, n));
    }
    None
}

/// How many figures the area code has, zero counted.
fn area_length(digits: &[Digit]) -> Option<usize> {
    let figure = |i: usize| digits.get(i).map(|d| u16::from(d.value));
    let (a, b, c) = (figure(1)?, figure(2)?, figure(3)?);
    if a == 8 {
        Some(2)
    } else if THREE.contains(&(a * 10 + b)) {
        Some(3)
    } else if FOUR.binary_search(&(a * 100 + b * 10 + c)).is_ok() {
        Some(4)
    } else {
        None
    }
}

/// `08.00-17.00`, `07 30 - 16 30`: hours, not a number.
fn is_hours(digits: &[Digit]) -> bool {
    if digits.len() < 8 {
        return false;
    }
    let g = groups(&digits[..8]);
    let two = |i: usize| digits[i].value * 10 + digits[i + 1].value;
    let pairs = g.len() == 4 && g.iter().all(|n| *n == 2);
    let fours = g.len() == 2 && g.iter().all(|n| *n == 4);
    let dash = digits[4].gap.sign == b'-' || digits[4].gap.sign == b' ' && digits[4].gap.signs > 1;
    (pairs || fours)
        && two(0) <= 24
        && two(2) < 60
        && two(4) <= 24
        && two(6) < 60
        && (dash || digits[2].gap.sign == b'.' || digits[2].gap.sign == b':')
        && (digits[2].gap.sign != digits[4].gap.sign || fours)
}

/// `08-12-2024`, `08/12 2024`: a day, not a number.
fn is_date(digits: &[Digit]) -> bool {
    if digits.len() < 8 || !ends(digits, 8) {
        return false;
    }
    let g = groups(&digits[..8]);
    let two = |i: usize| digits[i].value * 10 + digits[i + 1].value;
    g.as_slice() == [2, 2, 4] && two(2) <= 31 && matches!(two(4), 19 | 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::identifier::digits::{Loosely, rows};

    fn series(text: &str) -> Option<Series> {
        let mut found = None;
        rows::<Loosely>(text.as_bytes(), |window| {
            let digits = window.digits;
            let starts = (0..digits.len()).filter(|g| *g == 0 || !digits[*g].gap.none());
            let mut series = starts.filter_map(|g| at(text.as_bytes(), digits, g));
            found = found.or(series.next().map(|(series, _)| series));
            window.until
        });
        found
    }

    #[test]
    fn numbers_are_told_by_the_plan() {
        for (text, want) in [
            ("070-174 06 05", Series::Mobile),
            ("0701740605", Series::Mobile),
            ("07 01 74 06 05", Series::Mobile),
            ("076 174 06 05", Series::Mobile),
            ("+46 70 174 06 05", Series::Mobile),
            ("+46 (0)70-174 06 05", Series::Mobile),
            ("0046701740605", Series::Mobile),
            ("46701740605", Series::Mobile),
            ("0.7.0.1.7.4.0.6.0.5", Series::Mobile),
            ("o7o-l74o6o5", Series::Mobile),
            ("nr0701740605ring", Series::Mobile),
            ("08-465 004 12", Series::Landline),
            ("031-390 06 12", Series::Landline),
            ("0980-319 12", Series::Landline),
            ("+46 8 465 004 12", Series::Landline),
            ("0980/31912", Series::Landline),
            ("+47 22 12 34 56", Series::Landline),
            ("0140-38 50 00", Series::Service),
            ("010-123 45 67", Series::Service),
            ("020-12 34 56", Series::Service),
            ("0771-11 22 33", Series::Service),
        ] {
            assert_eq!(series(text), Some(want), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_left() {
        for text in [
            "08.00-17.00",
            "08:00 - 17:30",
            "07.30-16.30",
            "08-12-2024",
            "2024-08-12 10.30",
            "08-17",
            "850709-9805",
            "0129-45-678",
            "1234567890",
            "58.410807, 15.621373",
            "KS 2024/0701",
            "0",
            "070-12",
            "SFS 2009:400",
        ] {
            assert_eq!(series(text), None, "{text}");
        }
    }
}
