//! Handing out public records (*utlämnande av allmän handling*, tryckfrihetsförordningen 2 kap.).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{CaseId, EvidenceId};

/// The number of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseId(pub i64);

impl std::fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// Handed out, whole or in part.
    Released,
    /// Refused: nothing was handed out.
    Refused,
    /// Whoever asked took it back.
    Withdrawn,
}

impl ReleaseOutcome {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Released, Self::Refused, Self::Withdrawn];

    /// Identifier in forms and in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Released => "utlämnat",
            Self::Refused => "avslaget",
            Self::Withdrawn => "återtaget av den som bad om det",
        }
    }

    /// The outcome with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|outcome| outcome.id() == id)
    }
}

/// A request.
#[derive(Clone, PartialEq, Eq)]
pub struct Release {
    /// Its number.
    pub id: ReleaseId,
    /// What is asked for.
    pub subject: String,
    /// Who asks, where they have said so of their own will: nobody has to (2 kap. 18 §).
    pub asker: Option<String>,
    /// When it came, and who noted it.
    pub opened: (Timestamp, String),
    /// How it ended: when, by whom, how, and the person's words.
    pub ended: Option<(Timestamp, String, ReleaseOutcome, String)>,
    /// How many records it is about.
    pub n_records: u64,
}

/// What and who stay out of logs.
impl std::fmt::Debug for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Release")
            .field("id", &self.id)
            .field("n_records", &self.n_records)
            .finish_non_exhaustive()
    }
}

/// A word or phrase that is masked wherever it stands in a record, and the provision under which: a note of
/// secrecy must name its own (2 kap. 20 §).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask {
    /// As it is written.
    pub phrase: String,
    /// For example *21 kap. 7 § OSL*.
    pub provision: String,
}

/// A record of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// The record.
    pub evidence: EvidenceId,
    /// Its case.
    pub case: CaseId,
    /// The provision under which nothing of its content is handed out.
    pub withheld: Option<String>,
    /// What is masked.
    pub masks: Vec<Mask>,
}

/// What stands in the place of what is masked.
pub const MASKED: &str = "[maskat]";

/// The text with what is masked struck out, and under which provisions in how many places. Capitals and small
/// letters are one: a name is the same at the beginning of a sentence.
pub fn masked(text: &str, masks: &[Mask]) -> (String, Vec<(String, usize)>) {
    let mut cuts: Vec<(usize, usize, &str)> = Vec::new();
    for mask in masks {
        let phrase = mask.phrase.trim();
        if phrase.is_empty() {
            continue;
        }
        let wanted: Vec<char> = phrase.chars().flat_map(char::to_lowercase).collect();
        let mut from = 0;
        while let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty()) {
            match prefix(rest, &wanted) {
                Some(length) => {
                    cuts.push((from, from + length, &mask.provision));
                    from += length;
                }
                None => from += rest.chars().next().map_or(1, char::len_utf8),
            }
        }
    }
    cuts.sort_unstable_by_key(|(from, to, _)| (*from, std::cmp::Reverse(*to)));
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    let mut grounds: Vec<(String, usize)> = Vec::new();
    for (from, to, provision) in cuts {
        // Within or over the end of one that is struck out already.
        if from >= at {
            out.push_str(text.get(at..from).unwrap_or_default());
            out.push_str(MASKED);
            match grounds.iter_mut().find(|(known, _)| known == provision) {
                Some((_, n)) => *n += 1,
                None => grounds.push((provision.to_owned(), 1)),
            }
        }
        at = at.max(to);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    (out, grounds)
}

/// How many bytes of the text the wanted small letters take, where it begins with them.
fn prefix(text: &str, wanted: &[char]) -> Option<usize> {
    let mut left = wanted;
    for (at, c) in text.char_indices() {
        if left.is_empty() {
            return Some(at);
        }
        for small in c.to_lowercase() {
            left = left.strip_prefix(&[small])?;
        }
    }
    left.is_empty().then_some(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask(phrase: &str, provision: &str) -> Mask {
        Mask { phrase: phrase.into(), provision: provision.into() }
    }

    #[test]
    fn a_phrase_goes_wherever_it_stands_and_its_ground_is_told() {
        let masks = [mask("åsa ek", "21:7"), mask("070-123 45 67", "21:1"), mask("Ek", "21:7")];
        let text = "Åsa Ek och ÅSA EK, ring 070-123 45 67. Eken står kvar.";
        let (out, grounds) = masked(text, &masks);
        assert_eq!(out, "[maskat] och [maskat], ring [maskat]. [maskat]en står kvar.");
        assert_eq!(grounds, [("21:7".to_owned(), 3), ("21:1".to_owned(), 1)]);
        assert_eq!(masked("hej", &[mask(" ", "x")]), ("hej".to_owned(), vec![]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn nothing_masked_is_left(text in "[aAbBåÅ ßİ]{0,30}", phrase in "[abåß]{1,3}") {
            let (out, _) = masked(&text, &[mask(&phrase, "x")]);
            let kept = out.replace(MASKED, "\u{0}");
            prop_assert!(!kept.to_lowercase().split('\u{0}').any(|piece| piece.contains(&phrase)), "{}", out);
        }
    }
}
