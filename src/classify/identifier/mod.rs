//! Numbers, addresses and mailboxes proved by their own rules, never guessed by looks alone.
//!
//! Two kinds of result. Personal numbers ([`personal_number`], [`spelled`]) are findings by
//! themselves. Everything else is a *mark*: a token that rules may name (`%phone`, `%plate`,
//! `%streetaddress` …), for whether a telephone number is private is told by the words around it,
//! and those belong to the lexicon (`sv/personal_data_numbers.toml`).

pub mod account;
pub mod coordinates;
pub mod mail;
pub mod marks;
pub mod personal_number;
pub mod phone;
pub mod plate;
pub mod reading;
pub mod spelled;
pub mod street;
pub mod told;

use crate::classify::identifier::phone::Series;
use crate::classify::identifier::reading::Reading;

/// What a stretch of text has been proved to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// A telephone number of a series that private persons have.
    Phone,
    /// A telephone number of a series for services, or one that ends as switchboards do.
    ServicePhone,
    /// A person's mailbox.
    PrivateMail,
    /// An office's mailbox.
    OfficeMail,
    /// A street with house number.
    StreetAddress,
    /// A number plate.
    Plate,
    /// A bank account whose check digit holds.
    Account,
    /// Digits in the form of a bank account.
    AccountForm,
    /// A card or an IBAN, by issuer and check digits.
    Card,
    /// Bankgiro or an organisation's Swish number.
    Giro,
    /// A point in Sweden.
    Coordinates,
    /// A web address.
    Address,
    /// A web address of a service that hides where it leads.
    Shortener,
    /// A web address that was written so as not to be read by machines.
    MaskedAddress,
}

impl Mark {
    /// All of them, in order.
    pub const ALL: [Self; 14] = [
        Self::Phone,
        Self::ServicePhone,
        Self::PrivateMail,
        Self::OfficeMail,
        Self::StreetAddress,
        Self::Plate,
        Self::Account,
        Self::AccountForm,
        Self::Card,
        Self::Giro,
        Self::Coordinates,
        Self::Address,
        Self::Shortener,
        Self::MaskedAddress,
    ];

    /// The names under which rules know it. The first is its own.
    pub const fn classes(self) -> &'static [&'static str] {
        match self {
            Self::Phone => &["%phone"],
            Self::ServicePhone => &["%servicephone"],
            Self::PrivateMail => &["%privatemail", "%mail"],
            Self::OfficeMail => &["%officemail", "%mail"],
            Self::StreetAddress => &["%streetaddress"],
            Self::Plate => &["%plate"],
            Self::Account => &["%account", "%accountform"],
            Self::AccountForm => &["%accountform"],
            Self::Card => &["%card"],
            Self::Giro => &["%giro"],
            Self::Coordinates => &["%coordinates"],
            Self::Address => &["%address"],
            Self::Shortener => &["%shortener", "%address"],
            Self::MaskedAddress => &["%masked", "%address"],
        }
    }

    /// Whether its tokens are read as one.
    const fn is_one_token(self) -> bool {
        !matches!(self, Self::StreetAddress)
    }
}

/// Words that are signs of an address written out: looked at only where they stand.
pub const ADDRESS_SIGNS: &[&str] = &[
    "dot", "punkt", "prick", "www", "http", "https", "hxxp", "hxxps", "snabel", "snabela", "com",
    "org", "net", "gmail", "hotmail", "xyz", "io", "biz", "onion", "ru",
];

/// The class of [`ADDRESS_SIGNS`].
pub const ADDRESS_SIGN: &str = "%addresssign";

/// A mark and where it stands, in bytes of the folded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// First byte.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
    /// What it is.
    pub mark: Mark,
}

/// Every identifier made of digits in folded text, in order, none overlapping. `out` is emptied
/// first. Whether one of them is also a personal number is for [`personal_number`] to say.
pub fn numbers(text: &[u8], out: &mut Vec<Identifier>) {
    out.clear();
    let mut reading = Reading::new();
    let mut from = 0;
    while let Some(next) = reading::next(text, from, &mut reading) {
        in_reading(text, &reading, out);
        from = next;
    }
    ibans(text, out);
    out.sort_by_key(|i| (i.start, std::cmp::Reverse(i.end)));
    let mut end = 0;
    out.retain(|i| {
        let free = i.start >= end;
        if free {
            end = i.end;
        }
        free
    });
}

fn in_reading(text: &[u8], reading: &Reading, out: &mut Vec<Identifier>) {
    let mut g = 0;
    while g + 4 < reading.len() {
        if g > 0 && reading[g].gap.none() {
            g += 1;
            continue;
        }
        let start = reading[g].at;
        let mut push = |mark, start, n: usize| {
            out.push(Identifier { start, end: reading[g + n - 1].at + 1, mark });
            n
        };
        let plus = || start - u32::from(start > 0 && text[start as usize - 1] == b'+');
        let taken = if let Some(end) = coordinates::at(text, start as usize) {
            let n = reading[g..].iter().take_while(|d| (d.at as usize) < end).count();
            push(Mark::Coordinates, start, n)
        } else if let Some(n) = account::card(reading, g) {
            push(Mark::Card, start, n)
        } else if let Some((series, n)) = phone::at(text, reading, g) {
            let mark = match series {
                Series::Mobile | Series::Landline => Mark::Phone,
                Series::Service => Mark::ServicePhone,
            };
            push(mark, plus(), n)
        } else if let Some((n, proved)) = account::account(reading, g) {
            push(if proved { Mark::Account } else { Mark::AccountForm }, start, n)
        } else if let Some(n) = account::giro(reading, g) {
            push(Mark::Giro, start, n)
        } else {
            1
        };
        g += taken;
    }
}

/// Countries' letters stand before the digits: looked for from the two check digits backwards.
fn ibans(text: &[u8], out: &mut Vec<Identifier>) {
    for i in 2..text.len().saturating_sub(10) {
        if text[i].is_ascii_digit()
            && text[i + 1].is_ascii_digit()
            && text[i - 1].is_ascii_lowercase()
            && text[i - 2].is_ascii_lowercase()
            && let Some(end) = account::iban(text, i - 2)
        {
            out.push(Identifier { start: i as u32 - 2, end: end as u32, mark: Mark::Card });
        }
    }
}

#[cfg(test)]
mod tests;
