//! Times, numbers and sizes as a Swedish reader expects them.

use jiff::Timestamp;

use crate::domain::calendar::{MONTHS, local};

/// `3 april 2026 kl. 14.05.09 svensk tid (Europe/Stockholm, UTC+02:00)`.
pub fn swedish_time(at: Timestamp) -> String {
    let there = local(at);
    let month =
        usize::try_from(there.month() - 1).ok().and_then(|m| MONTHS.get(m)).copied().unwrap_or("");
    format!(
        "{} {month} {} kl. {:02}.{:02}.{:02} svensk tid (Europe/Stockholm, UTC{})",
        there.day(),
        there.year(),
        there.hour(),
        there.minute(),
        there.second(),
        offset(there.offset().seconds()),
    )
}

/// `2026-04-03 12:05:09 UTC`.
pub fn utc_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '−' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `5 242 880`, with spaces that do not break.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push('\u{A0}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count of things in memory, as the number that [`number`] writes.
pub fn count(n: usize) -> String {
    number(u64::try_from(n).unwrap_or(u64::MAX))
}

/// `1 024 byte`.
pub fn bytes(n: u64) -> String {
    format!("{}\u{A0}byte", number(n))
}

/// 64 hexadecimal digits in two lines of four groups, so that they can be compared by eye.
pub fn digest(hex: &str) -> String {
    let mut grouped = String::with_capacity(hex.len() + hex.len() / 8);
    for (i, digit) in hex.chars().enumerate() {
        if i > 0 && i.is_multiple_of(8) {
            grouped.push(if i.is_multiple_of(32) { '\n' } else { ' ' });
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_swedish_with_their_zone_and_utc_beside() {
        let cases = [
            (
                "2026-04-03T12:05:09Z",
                "3 april 2026 kl. 14.05.09 svensk tid (Europe/Stockholm, UTC+02:00)",
                "2026-04-03 12:05:09 UTC",
            ),
            (
                "2026-12-31T23:30:00Z",
                "1 januari 2027 kl. 00.30.00 svensk tid (Europe/Stockholm, UTC+01:00)",
                "2026-12-31 23:30:00 UTC",
            ),
        ];
        for (at, swedish, utc) in cases {
            let at: Timestamp = at.parse().expect("an instant");
            assert_eq!(swedish_time(at), swedish);
            assert_eq!(utc_time(at), utc);
        }
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(5_242_880), "5\u{A0}242\u{A0}880");
        assert_eq!(digest("0123456789abcdef"), "01234567 89abcdef");
    }
}
