//! Personal and coordination numbers (*personnummer, samordningsnummer*): proven by date and
//! check digit, never guessed by looks.
//!
//! Form: *folkbokföringslagen (1991:481) 18 §* (birth time, birth number, check digit);
//! coordination numbers add 60 to the day (*lagen (2022:1697) om samordningsnummer*). The check
//! digit is the Luhn sum over the ten digits without century. Printing one of these values shows
//! the birth date with the last four masked; the digits themselves come out through
//! [`PersonalNumber::ten`] alone.

use std::fmt;
use std::str::FromStr;

/// Which register the number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberKind {
    /// *Personnummer.*
    Personal,
    /// *Samordningsnummer*: the day is 61 to 91, or 60 where it is unknown.
    Coordination,
    /// An interim number (*interimsnummer, tillfälligt nummer*): a letter stands first among the
    /// last four; the letter counts as 1 in the check sum.
    Interim,
}

impl NumberKind {
    /// The Swedish word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Personal => "personnummer",
            Self::Coordination => "samordningsnummer",
            Self::Interim => "tillfälligt nummer",
        }
    }
}

/// Why a text is no personal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPersonalNumber {
    /// Neither ten nor twelve digits in one of the usual forms.
    #[error("not ten or twelve digits")]
    Form,
    /// The first digits are no day of the calendar.
    #[error("no such date")]
    Date,
    /// The last digit does not fit the others.
    #[error("wrong check digit")]
    CheckDigit,
}

/// The letters that may stand in an interim number.
pub const INTERIM_LETTERS: &[u8] = b"TRSUWXJKLMN";

/// A number whose date exists and whose check digit is right.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PersonalNumber {
    century: Option<u8>,
    ten: [u8; 10],
    kind: NumberKind,
}

impl PersonalNumber {
    /// Proves ten digits, or twelve with the century first; each element is 0 to 9.
    ///
    /// # Errors
    /// [`NotPersonalNumber`], by the first thing that does not hold.
    pub fn from_digits(digits: &[u8]) -> Result<Self, NotPersonalNumber> {
        let (century, ten): (Option<u8>, [u8; 10]) = match digits.len() {
            10 => (None, digits.try_into().map_err(|_| NotPersonalNumber::Form)?),
            12 => {
                let century = digits[0] * 10 + digits[1];
                (Some(century), digits[2..].try_into().map_err(|_| NotPersonalNumber::Form)?)
            }
            _ => return Err(NotPersonalNumber::Form),
        };
        if ten.iter().any(|d| *d > 9) {
            return Err(NotPersonalNumber::Form);
        }
        let kind = date_kind(century, &ten)?;
        if luhn(&ten) {
            Ok(Self { century, ten, kind })
        } else {
            Err(NotPersonalNumber::CheckDigit)
        }
    }

    /// Proves an interim number: six or eight digits of birth time, and the three digits after
    /// the letter.
    ///
    /// # Errors
    /// As [`Self::from_digits`].
    pub fn from_interim(birth: &[u8], last: [u8; 3]) -> Result<Self, NotPersonalNumber> {
        let mut digits = [0; 12];
        let n = birth.len();
        if n != 6 && n != 8 {
            return Err(NotPersonalNumber::Form);
        }
        digits[..n].copy_from_slice(birth);
        digits[n] = 1;
        digits[n + 1..n + 4].copy_from_slice(&last);
        Ok(Self { kind: NumberKind::Interim, ..Self::from_digits(&digits[..n + 4])? })
    }

    /// Which register it comes from.
    pub const fn kind(&self) -> NumberKind {
        self.kind
    }

    /// The ten digits without century, each 0 to 9.
    pub const fn ten(&self) -> &[u8; 10] {
        &self.ten
    }

    /// The century as written (18, 19 or 20), where it was written.
    pub const fn century(&self) -> Option<u8> {
        self.century
    }
}

/// Reads `YYMMDD-NNNN`, `YYMMDD+NNNN`, `YYYYMMDD-NNNN`, and the same without the sign. Other
/// written forms are the classifier's matter.
impl FromStr for PersonalNumber {
    type Err = NotPersonalNumber;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let bytes = s.as_bytes();
        let mut digits = Vec::with_capacity(12);
        for (i, b) in bytes.iter().enumerate() {
            match b {
                b'0'..=b'9' => digits.push(b - b'0'),
                b'-' | b'+' if bytes.len() - i == 5 => {}
                _ => return Err(NotPersonalNumber::Form),
            }
        }
        Self::from_digits(&digits)
    }
}

/// The birth date with the last four masked: `850709-****`.
impl fmt::Display for PersonalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(century) = self.century {
            write!(f, "{century}")?;
        }
        for d in &self.ten[..6] {
            write!(f, "{d}")?;
        }
        f.write_str("-****")
    }
}

impl fmt::Debug for PersonalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonalNumber({self}, {:?})", self.kind)
    }
}

/// Whether the ten digits end in the check digit of the nine before.
pub fn luhn(ten: &[u8; 10]) -> bool {
    let sum: u32 = ten
        .iter()
        .enumerate()
        .map(|(i, d)| {
            let d = u32::from(*d) * if i % 2 == 0 { 2 } else { 1 };
            d / 10 + d % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The earliest year that a written century may give: nobody alive in 1947, when the numbers were
/// introduced, was born before it.
const EARLIEST_YEAR: u16 = 1840;

fn date_kind(century: Option<u8>, ten: &[u8; 10]) -> Result<NumberKind, NotPersonalNumber> {
    let year = ten[0] * 10 + ten[1];
    let month = ten[2] * 10 + ten[3];
    let written_day = ten[4] * 10 + ten[5];
    let coordination = written_day >= 60;
    let (day, kind) = if coordination {
        (written_day - 60, NumberKind::Coordination)
    } else {
        (written_day, NumberKind::Personal)
    };
    // Coordination numbers are given with month or day unknown (zero), and with days that their
    // month lacks: the official test numbers hold 30 February and 31 April.
    let is_day =
        |year: u16| if coordination { month <= 12 && day <= 31 } else { is_day(year, month, day) };
    let exists = match century {
        Some(century @ 18..=20) => {
            let year = u16::from(century) * 100 + u16::from(year);
            year >= EARLIEST_YEAR && is_day(year)
        }
        Some(_) => false,
        // 1900 was no leap year, 2000 was: without century the kinder reading holds.
        None => is_day(2000 + u16::from(year)),
    };
    if exists { Ok(kind) } else { Err(NotPersonalNumber::Date) }
}

fn is_day(year: u16, month: u8, day: u8) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=last).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nine digits with their check digit, so that no real number need be written down.
    fn complete(nine: &str) -> String {
        for last in 0..10 {
            let text = format!("{nine}{last}");
            let ten: Vec<u8> = text.bytes().map(|b| b - b'0').collect();
            if luhn(&ten.try_into().expect("ten digits")) {
                return text;
            }
        }
        unreachable!("one of ten digits always fits")
    }

    #[test]
    fn real_dates_with_right_check_digit_are_numbers() {
        for (nine, kind) in [
            ("850709980", NumberKind::Personal),
            ("000229980", NumberKind::Personal),
            ("850769980", NumberKind::Coordination),
            ("850069980", NumberKind::Coordination),
            ("850760980", NumberKind::Coordination),
            ("850290980", NumberKind::Coordination),
        ] {
            let number: PersonalNumber = complete(nine).parse().expect("valid");
            assert_eq!(number.kind(), kind, "{nine}");
        }
    }

    #[test]
    fn impossible_dates_and_organisation_numbers_are_refused() {
        for nine in ["851309980", "850732980", "010229980", "556012579", "850700980", "850799980"] {
            assert_eq!(
                complete(nine).parse::<PersonalNumber>(),
                Err(NotPersonalNumber::Date),
                "{nine}"
            );
        }
    }

    #[test]
    fn every_wrong_check_digit_is_refused() {
        let right = complete("850709980");
        for last in 0..10 {
            let text = format!("850709980{last}");
            assert_eq!(text.parse::<PersonalNumber>().is_ok(), text == right, "{text}");
        }
    }

    #[test]
    fn centuries_are_read_and_leap_days_checked_against_them() {
        let ten = complete("000229980");
        assert!(format!("20{ten}").parse::<PersonalNumber>().is_ok());
        assert_eq!(format!("19{ten}").parse::<PersonalNumber>(), Err(NotPersonalNumber::Date));
        assert_eq!(format!("16{ten}").parse::<PersonalNumber>(), Err(NotPersonalNumber::Date));
    }

    #[test]
    fn printing_masks_the_last_four() {
        let number: PersonalNumber = complete("850709980").parse().expect("valid");
        assert_eq!(number.to_string(), "850709-****");
        assert!(!format!("{number:?}").contains("980"));
    }

    #[test]
    fn interim_letter_counts_as_one() {
        let ten = complete("850709198");
        let digits: Vec<u8> = ten.bytes().map(|b| b - b'0').collect();
        let number = PersonalNumber::from_interim(&digits[..6], [digits[7], digits[8], digits[9]]);
        assert_eq!(number.map(|n| n.kind()), Ok(NumberKind::Interim));
    }
}
