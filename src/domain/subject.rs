//! What people ask about their own personal data (*registerutdrag, rättelse, radering*; data protection regulation
//! (EU) 2016/679, articles 15 to 17), and by when they are to have an answer (article 12.3).

use jiff::{Timestamp, ToSpan as _};

use super::calendar::{local, stockholm};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    /// *Registerutdrag*: what we have, why, from whom, for how long (article 15).
    Access,
    /// *Rättelse*: something is wrong (article 16).
    Rectification,
    /// *Radering*: something is to go (article 17).
    Erasure,
}

impl SubjectKind {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Access, Self::Rectification, Self::Erasure];

    /// Identifier in forms and in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Rectification => "rectification",
            Self::Erasure => "erasure",
        }
    }

    /// The kind with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.id() == id)
    }

    /// The Swedish word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Access => "registerutdrag",
            Self::Rectification => "rättelse",
            Self::Erasure => "radering",
        }
    }

    /// The article.
    pub const fn article(self) -> &'static str {
        match self {
            Self::Access => "artikel 15",
            Self::Rectification => "artikel 16",
            Self::Erasure => "artikel 17",
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectOutcome {
    /// All that was asked for was done.
    Granted,
    /// Some of it.
    Partly,
    /// None of it.
    Refused,
    /// Whoever asked took it back.
    Withdrawn,
}

impl SubjectOutcome {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Granted, Self::Partly, Self::Refused, Self::Withdrawn];

    /// Identifier in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Partly => "partly",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The outcome with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|outcome| outcome.id() == id)
    }

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Granted => "bifallen",
            Self::Partly => "delvis bifallen",
            Self::Refused => "avslagen",
            Self::Withdrawn => "återtagen",
        }
    }
}

/// A request.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectRequest {
    /// Its number.
    pub id: i64,
    /// What is asked for.
    pub kind: SubjectKind,
    /// Whom it is about; nothing when that has been disposed of.
    pub whom: Option<String>,
    /// How the answer reaches them.
    pub asker: Option<String>,
    /// When it came in.
    pub received_at: Timestamp,
    /// Who noted it.
    pub opened_by: String,
    /// When an answer is due.
    pub due_at: Timestamp,
    /// Why the time was made longer.
    pub extended: Option<String>,
    /// When, by whom and how it ended, and the words.
    pub ended: Option<(Timestamp, String, SubjectOutcome, Option<String>)>,
    /// Whether there is a document.
    pub has_pdf: bool,
    /// How many items it is about.
    pub n_items: u64,
}

/// Whom it is about stays out of logs.
impl std::fmt::Debug for SubjectRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubjectRequest")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The end of the day in Sweden that lies so many months after this one.
fn end_after(at: Timestamp, months: i32) -> Timestamp {
    let day = local(at).date();
    let end = day.checked_add(months.months()).and_then(jiff::civil::Date::tomorrow);
    let end = end.and_then(|day| day.to_zoned(stockholm()));
    end.map_or(at, |end| end.timestamp())
}

/// By when an answer is due: within one month of when it came in (article 12.3). A month ends on the day of the same
/// number, or the last one where there is none.
pub fn due(received: Timestamp) -> Timestamp {
    end_after(received, 1)
}

/// The same where the time was made longer by two further months, since it is complicated or there are many.
pub fn due_extended(received: Timestamp) -> Timestamp {
    end_after(received, 3)
}

/// In which ways a name may be written where it is searched for byte by byte: as typed, in small letters, in
/// capitals, and with a capital first.
pub fn spellings(name: &str) -> Vec<String> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let (small, large) = (name.to_lowercase(), name.to_uppercase());
    let words = small.split(' ').map(super::text::capitalised).collect::<Vec<_>>().join(" ");
    let mut all = vec![name, small, large, words];
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether one of these names stands in a text by itself, or in the genitive: *Ek* in *Ek, Eks* and *@Ek*, and not in
/// *Ekonomi* or *Björnek*.
pub fn stands_in(text: &str, names: &[String]) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    names.iter().filter(|name| !name.is_empty()).any(|name| {
        text.match_indices(name.as_str()).any(|(at, _)| {
            let after = &text[at + name.len()..];
            let genitive = after.strip_prefix(['s', 'S']).unwrap_or(after);
            let begins = text[..at].chars().next_back().is_none_or(|c| !is_part(c));
            let ends = |rest: &str| rest.chars().next().is_none_or(|c| !is_part(c));
            begins && (ends(after) || ends(genitive))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_due_within_a_month_and_at_most_three() {
        for (received, one, three) in [
            ("2026-11-23T09:00:00Z", "2026-12-23T23:00:00Z", "2027-02-23T23:00:00Z"),
            // There is no 31 February; summer time begins in between.
            ("2027-01-31T09:00:00Z", "2027-02-28T23:00:00Z", "2027-04-30T22:00:00Z"),
            // After midnight in Sweden it is the next day.
            ("2026-11-22T23:30:00Z", "2026-12-23T23:00:00Z", "2027-02-23T23:00:00Z"),
        ] {
            let received: Timestamp = received.parse().unwrap();
            assert_eq!(due(received), one.parse().unwrap(), "{received}");
            assert_eq!(due_extended(received), three.parse().unwrap(), "{received}");
        }
    }

    #[test]
    fn a_name_is_found_however_it_is_written() {
        assert_eq!(spellings(" kim  åkerblom "), ["KIM ÅKERBLOM", "Kim Åkerblom", "kim åkerblom"]);
        assert_eq!(spellings("@kim"), ["@KIM", "@kim"]);
    }

    #[test]
    fn a_name_inside_another_word_is_nobody() {
        let names = spellings("Ek");
        for (text, stands) in [
            ("Ek", true),
            ("Jag såg Eks bil", true),
            ("@ek, svara!", true),
            ("(EK)", true),
            ("Fru Ek.", true),
            ("Ekonomi är tråkigt", false),
            ("Björnek", false),
            ("ekar", false),
            ("ek_99", false),
            ("Eksjö", false),
            ("Björnek och Ek", true),
        ] {
            assert_eq!(stands_in(text, &names), stands, "{text}");
        }
        assert!(stands_in("Åsa Åkes hus", &spellings("åsa åke")));
    }

    #[test]
    fn identifiers_lead_back() {
        for kind in SubjectKind::ALL {
            assert_eq!(SubjectKind::from_id(kind.id()), Some(*kind));
        }
        for outcome in SubjectOutcome::ALL {
            assert_eq!(SubjectOutcome::from_id(outcome.id()), Some(*outcome));
        }
    }
}
