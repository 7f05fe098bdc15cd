//! Payment numbers: bank accounts by clearing ranges and check methods (*Bankgirot, Bankernas
//! kontonummer*), IBAN (ISO 13616), cards (ISO 7812), and the numbers of organisations.

use crate::classify::identifier::digits::{Digit, ends, groups, luhn, value};

/// How the check digit of an account is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// Modulus 11 over the last three figures of the clearing number and seven of the account.
    ElevenOverTen,
    /// Modulus 11 over the whole clearing number and seven figures.
    ElevenOverEleven,
    /// Modulus 10 over ten figures of the account.
    Ten,
    /// Modulus 11 over nine figures of the account.
    ElevenOverNine,
    /// Modulus 10 over an account of two to ten figures.
    TenAny,
}

/// First and last clearing number, and how their accounts are checked.
const CLEARING: &[(u16, u16, Check)] = &[
    (1100, 1199, Check::ElevenOverTen),
    (1200, 1399, Check::ElevenOverTen),
    (1400, 2099, Check::ElevenOverTen),
    (2300, 2399, Check::ElevenOverEleven),
    (2400, 2499, Check::ElevenOverTen),
    (3000, 3299, Check::ElevenOverTen),
    (3300, 3300, Check::Ten),
    (3301, 3781, Check::ElevenOverTen),
    (3782, 3782, Check::Ten),
    (3783, 3999, Check::ElevenOverTen),
    (4000, 4999, Check::ElevenOverEleven),
    (5000, 5999, Check::ElevenOverTen),
    (6000, 6999, Check::ElevenOverNine),
    (7000, 7999, Check::ElevenOverTen),
    (8000, 8999, Check::TenAny),
    (9020, 9029, Check::ElevenOverEleven),
    (9040, 9049, Check::ElevenOverEleven),
    (9060, 9069, Check::ElevenOverTen),
    (9100, 9109, Check::ElevenOverEleven),
    (9120, 9149, Check::ElevenOverTen),
    (9150, 9169, Check::ElevenOverEleven),
    (9170, 9179, Check::ElevenOverTen),
    (9180, 9189, Check::Ten),
    (9190, 9199, Check::ElevenOverEleven),
    (9230, 9239, Check::ElevenOverTen),
    (9250, 9259, Check::ElevenOverTen),
    (9260, 9269, Check::ElevenOverEleven),
    (9270, 9289, Check::ElevenOverTen),
    (9300, 9349, Check::Ten),
    (9390, 9399, Check::ElevenOverEleven),
    (9400, 9449, Check::ElevenOverTen),
    (9460, 9469, Check::ElevenOverTen),
    (9470, 9479, Check::ElevenOverEleven),
    (9500, 9549, Check::TenAny),
    (9550, 9569, Check::ElevenOverEleven),
    (9570, 9579, Check::Ten),
    (9590, 9599, Check::ElevenOverEleven),
    (9630, 9639, Check::ElevenOverTen),
    (9640, 9659, Check::ElevenOverEleven),
    (9660, 9679, Check::ElevenOverEleven),
    (9680, 9689, Check::ElevenOverTen),
    (9700, 9709, Check::ElevenOverEleven),
    (9710, 9719, Check::ElevenOverEleven),
    (9750, 9759, Check::ElevenOverEleven),
    (9780, 9789, Check::ElevenOverEleven),
    (9880, 9889, Check::ElevenOverEleven),
    (9890, 9899, Check::Ten),
    (9960, 9969, Check::TenAny),
];

fn check_of(clearing: u16) -> Option<Check> {
    let at = CLEARING.partition_point(|(from, ..)| *from <= clearing).checked_sub(1)?;
    let (_, to, check) = CLEARING[at];
    (clearing <= to).then_some(check)
}

/// Modulus 11 with the weights 1 to 10 from the right.
fn eleven(digits: &[Digit]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| u32::from(d.value) * (i as u32 % 10 + 1))
        .sum();
    sum.is_multiple_of(11)
}

/// The bank account that begins at digit `from` with its clearing number: how many digits it has,
/// and whether the check digit holds.
pub fn account(reading: &[Digit], from: usize) -> Option<(usize, bool)> {
    let digits = &reading[from..];
    if digits.len() < 9 || digits[0].value == 0 {
        return None;
    }
    let check = check_of(value(&digits[..4]) as u16)?;
    // The clearing number stands alone, has a fifth figure (8327-9), or all is written together.
    let lengths = groups(digits);
    let together = lengths[0] >= 11;
    let skip = if lengths[0] == 4 && lengths.get(1) == Some(&1) && check == Check::TenAny {
        5
    } else if lengths[0] == 4 || lengths[0] == 5 && check == Check::TenAny {
        lengths[0]
    } else if together {
        4
    } else {
        return None;
    };
    let wanted = match check {
        Check::ElevenOverTen | Check::ElevenOverEleven => 7..=7,
        Check::ElevenOverNine => 8..=9,
        Check::Ten => 10..=10,
        Check::TenAny => 6..=10,
    };
    // A comma may part clearing number and account; anywhere else something new begins behind it.
    let in_one = |n: usize| (1..n).all(|i| i == skip || !digits[i].gap.comma);
    let fits = |n: &usize| {
        let n = skip + n;
        digits.len() >= n && ends(digits, n) && in_one(n)
    };
    let n = wanted.rev().find(fits)?;
    let own = &digits[skip..skip + n];
    let proved = match check {
        Check::ElevenOverTen => eleven(&digits[1..4 + 7]),
        Check::ElevenOverEleven => eleven(&digits[..4 + 7]),
        Check::ElevenOverNine => eleven(own),
        Check::Ten | Check::TenAny => luhn(own),
    };
    Some((skip + n, proved))
}

/// The card number that begins at digit `from`: issuer, length and check digit must hold.
pub fn card(reading: &[Digit], from: usize) -> Option<usize> {
    let digits = &reading[from..];
    (13..=19.min(digits.len())).rev().find(|n| {
        ends(digits, *n)
            && is_issuer(digits, *n)
            && luhn(&digits[..*n])
            && digits[..*n].iter().any(|d| d.value != digits[0].value)
            && {
                let g = groups(&digits[..*n]);
                g.len() == 1
                    || g.len() == *n
                    || g[..g.len() - 1].iter().all(|n| *n == 4)
                    || g.as_slice() == [4, 6, 5]
            }
    })
}

fn is_issuer(digits: &[Digit], n: usize) -> bool {
    let (two, four) = (value(&digits[..2]), value(&digits[..4]));
    match digits[0].value {
        4 => n == 16,
        5 => matches!(two, 51..=55) && n == 16 || matches!(two, 50 | 56..=58) && n >= 16,
        2 => matches!(four, 2221..=2720) && n == 16,
        3 => {
            matches!(two, 34 | 37) && n == 15
                || matches!(two, 36 | 38 | 30) && n == 14
                || two == 35 && n == 16
        }
        6 => (four == 6011 || matches!(two, 62..=65)) && n >= 16,
        _ => false,
    }
}

/// The payment number of an organisation that begins at digit `from`: Swish 123, bankgiro with
/// its hyphen. These are no personal data.
pub fn giro(reading: &[Digit], from: usize) -> Option<usize> {
    let digits = &reading[from..];
    if digits.len() >= 10 && value(&digits[..3]) == 123 && ends(digits, 10) {
        return Some(10);
    }
    [8, 7].into_iter().find(|n| {
        digits.len() >= *n
            && ends(digits, *n)
            && luhn(&digits[..*n])
            && groups(&digits[..*n]).as_slice() == [n - 4, 4]
            && digits[n - 4].gap.sign == b'-'
    })
}

/// The length of an IBAN by country, in characters.
const IBAN: &[(&[u8; 2], usize)] = &[
    (b"ae", 23),
    (b"at", 20),
    (b"be", 16),
    (b"bg", 22),
    (b"ch", 21),
    (b"cy", 28),
    (b"cz", 24),
    (b"de", 22),
    (b"dk", 18),
    (b"ee", 20),
    (b"es", 24),
    (b"fi", 18),
    (b"fr", 27),
    (b"gb", 22),
    (b"gr", 27),
    (b"hr", 21),
    (b"hu", 28),
    (b"ie", 22),
    (b"is", 26),
    (b"it", 27),
    (b"li", 21),
    (b"lt", 20),
    (b"lu", 20),
    (b"lv", 21),
    (b"mt", 31),
    (b"nl", 18),
    (b"no", 15),
    (b"pl", 28),
    (b"pt", 25),
    (b"ro", 24),
    (b"se", 24),
    (b"si", 19),
    (b"sk", 24),
    (b"tr", 26),
    (b"ua", 29),
];

/// The IBAN that begins at byte `at` of folded text; gives where it ends.
pub fn iban(text: &[u8], at: usize) -> Option<usize> {
    let country: [u8; 2] = text.get(at..at + 2)?.try_into().ok()?;
    if at > 0 && text[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let (_, length) = IBAN.iter().find(|(c, _)| **c == country)?;
    let mut rest: u32 = 0;
    let mut head = [0_u8; 4];
    let mut n = 0;
    let mut i = at;
    let mut blanks = 0;
    let add = |rest: &mut u32, b: u8| {
        *rest = match b {
            b'0'..=b'9' => (*rest * 10 + u32::from(b - b'0')) % 97,
            _ => (*rest * 100 + u32::from(b - b'a') + 10) % 97,
        };
    };
    while n < *length {
        let b = *text.get(i)?;
        match b {
            b'0'..=b'9' | b'a'..=b'z' => {
                if n < 4 {
                    head[n] = b;
                } else {
                    add(&mut rest, b);
                }
                n += 1;
                blanks = 0;
            }
            b' ' | b'-' | b'.' | b'\n' if blanks < 2 && n > 0 => blanks += 1,
            0xC2 if text.get(i + 1) == Some(&0xA0) && blanks < 2 => {
                blanks += 1;
                i += 1;
            }
            _ => return None,
        }
        if n == 4 && !head[2..].iter().all(u8::is_ascii_digit) {
            return None;
        }
        i += 1;
    }
    for b in head {
        add(&mut rest, b);
    }
    let ends = !text.get(i).is_some_and(u8::is_ascii_alphanumeric);
    (rest == 1 && ends).then_some(i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::identifier::digits::{Loosely, rows};

    fn read(text: &str) -> Vec<Digit> {
        let mut digits = Vec::new();
        rows::<Loosely>(text.as_bytes(), |window| {
            digits.extend_from_slice(window.digits);
            window.until
        });
        digits
    }

    /// The last digit that makes `f` hold.
    fn complete(start: &str, f: impl Fn(&[Digit]) -> bool) -> String {
        (0..10)
            .map(|d| format!("{start}{d}"))
            .find(|t| f(&read(t)))
            .unwrap_or_else(|| panic!("no digit completes {start}"))
    }

    #[test]
    fn accounts_are_proved_by_their_banks_method() {
        for start in
            ["5001-123456", "6000-12345678", "3300-850709980", "8000-2-123456789", "9150-765432"]
        {
            let proved = (0..10)
                .filter(|d| account(&read(&format!("{start}{d}")), 0).is_some_and(|(_, p)| p))
                .count();
            assert!(proved <= 1, "{start}");
            let any =
                (0..10).filter(|d| account(&read(&format!("{start}{d}")), 0).is_some()).count();
            assert_eq!(any, 10, "{start}");
        }
        for text in ["0140-1234567", "2200-1234567", "9999-1234567", "12-34567890", "5001-12345"] {
            assert_eq!(account(&read(text), 0), None, "{text}");
        }
    }

    #[test]
    fn cards_need_issuer_length_and_check_digit() {
        for start in ["411111111111111", "5555 5555 5555 444", "37828224631000", "3714-496353-9843"]
        {
            let text = complete(start, |r| card(r, 0).is_some());
            let wrong = format!(
                "{}{}",
                &text[..text.len() - 1],
                (text.as_bytes()[text.len() - 1] - b'0' + 1) % 10
            );
            assert_eq!(card(&read(&wrong), 0), None, "{wrong}");
        }
        for text in ["1234 5678 9012 3456", "9999 9999 9999 9995", "0000 0000 0000 0000"] {
            assert_eq!(card(&read(text), 0), None, "{text}");
        }
    }

    #[test]
    fn iban_is_proved_by_its_remainder() {
        for text in [
            "se45 5000 0000 0583 9825 7466",
            "se4550000000058398257466",
            "gb82 west 1234 5698 7654 32",
            "de89 3704 0044 0532 0130 00",
        ] {
            assert_eq!(iban(text.as_bytes(), 0), Some(text.len()), "{text}");
        }
        for text in [
            "se45 5000 0000 0583 9825 7467",
            "se455000000005839825746",
            "se 2024",
            "xx45 5000 0000 0583 9825 7466",
        ] {
            assert_eq!(iban(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn organisations_numbers_are_known() {
        assert_eq!(giro(&read("123 456 78 90"), 0), Some(10));
        let bankgiro = complete("5050-105", |r| giro(r, 0).is_some());
        assert_eq!(giro(&read(&bankgiro), 0), Some(8));
        assert_eq!(giro(&read("0701740605"), 0), None);
    }
}
