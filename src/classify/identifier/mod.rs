//! Numbers, addresses and mailboxes proved by their own rules, never guessed by looks alone.
//!
//! Two kinds of result. Personal numbers ([`personal_number`], [`spelled`]) are findings by
//! themselves. Everything else is a *mark*: a token that rules may name (`%phone`, `%plate`,
//! `%streetaddress` …), for whether a telephone number is private is told by the words around it,
//! and those belong to the lexicon (`sv/personal_data_numbers.toml`).

pub mod account;
pub mod coordinates;
pub mod digits;
pub mod mail;
pub mod marks;
pub mod personal_number;
pub mod phone;
pub mod plate;
pub mod spelled;
pub mod street;
pub mod told;

use crate::classify::identifier::digits::{Digit, Loosely, Window};

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
    digits::rows::<Loosely>(text, |window| in_window(text, &window, out));
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

/// The fewest digits that any of them has.
const FEWEST: usize = 5;

/// Identifiers that begin at a digit to be judged; gives where it stopped.
fn in_window(text: &[u8], window: &Window<'_>, out: &mut Vec<Identifier>) -> usize {
    let Window { digits, from: mut g, until } = *window;
    while g < until && g + FEWEST <= digits.len() {
        if g > 0 && digits[g].gap.none() {
            g += 1;
            continue;
        }
        let Some((mark, n)) = what(text, digits, g) else {
            g += 1;
            continue;
        };
        // Behind a comma another number may begin: *08, 070-174 06 05*.
        let another = |i: &usize| digits[*i].gap.comma && is_whole(text, digits, *i);
        if let Some(next) = (g + 1..g + n).find(another) {
            g = next;
            continue;
        }
        let start = digits[g].at;
        let plus = matches!(mark, Mark::Phone | Mark::ServicePhone)
            && start > 0
            && text[start as usize - 1] == b'+';
        let end = digits[g + n - 1].at + 1;
        out.push(Identifier { start: start - u32::from(plus), end, mark });
        g += n;
    }
    g
}

/// Whether a number that needs nothing before it begins at digit `g`.
fn is_whole(text: &[u8], digits: &[Digit], g: usize) -> bool {
    match what(text, digits, g) {
        Some((mark, _)) => matches!(mark, Mark::Phone | Mark::Card | Mark::Coordinates),
        None => false,
    }
}

/// What begins at digit `g`, and how many digits it has.
fn what(text: &[u8], digits: &[Digit], g: usize) -> Option<(Mark, usize)> {
    if let Some(end) = coordinates::at(text, digits[g].at as usize) {
        let n = digits[g..].iter().take_while(|d| (d.at as usize) < end).count();
        Some((Mark::Coordinates, n))
    } else if let Some(n) = account::card(digits, g) {
        Some((Mark::Card, n))
    } else if let Some((series, n)) = phone::at(text, digits, g) {
        Some((series.mark(), n))
    } else if let Some((n, proved)) = account::account(digits, g) {
        Some((if proved { Mark::Account } else { Mark::AccountForm }, n))
    } else {
        account::giro(digits, g).map(|n| (Mark::Giro, n))
    }
}

/// Countries' letters stand before the digits: looked for from the two check digits backwards.
fn ibans(text: &[u8], out: &mut Vec<Identifier>) {
    let to = text.len().saturating_sub(10);
    let mut from = 2;
    while let Some(i) = digits::next_digit(text, from, to) {
        from = i + 1;
        if text[i + 1].is_ascii_digit()
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
