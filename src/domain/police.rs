//! Reports to the police (*polisanmälan*): what may be a crime, and what the manager decides about it.

use jiff::Timestamp;

use super::ground::Ground;

/// A manager's decision to report or not (*beslut om polisanmälan*).
#[derive(Clone, PartialEq, Eq)]
pub struct PoliceDecision {
    /// Its row.
    pub id: i64,
    /// Whether it is reported.
    pub reported: bool,
    /// The crime it may be.
    pub ground: Ground,
    /// Who the injured party is and whether they want it reported, where anybody has said so.
    pub injured: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
}

/// Reasons and names stay out of logs.
impl std::fmt::Debug for PoliceDecision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoliceDecision")
            .field("id", &self.id)
            .field("reported", &self.reported)
            .finish_non_exhaustive()
    }
}

/// The crimes that a report may concern, and where the law has them (regulation 2.1). The copyright act's is
/// reported by whom it hurts.
pub const CRIMES: &[(Ground, &str)] = &[
    (Ground::Threat, "brottsbalken 4 kap. 5 §"),
    (Ground::Privacy, "brottsbalken 4 kap. 6 c §"),
    (Ground::Harassment, "brottsbalken 4 kap. 7 §"),
    (Ground::Defamation, "brottsbalken 5 kap. 1 §"),
    (Ground::Insult, "brottsbalken 5 kap. 3 §"),
    (Ground::Sedition, "brottsbalken 16 kap. 5 §"),
    (Ground::Agitation, "brottsbalken 16 kap. 8 §"),
    (Ground::ChildAbuse, "brottsbalken 16 kap. 10 a §"),
    (Ground::Violence, "brottsbalken 16 kap. 10 c §"),
    (Ground::Terror, "terroristbrottslagen (2022:666) 7 §"),
    (Ground::CrimeCall, "brottsbalken 16 kap. 5 §"),
    (Ground::OtherCrime, "det brott som skälet anger"),
    (Ground::Copyright, "lagen (1960:729) om upphovsrätt 53 §"),
];

/// Where the law has a crime; none where the ground is no crime.
pub fn statute(ground: Ground) -> Option<&'static str> {
    CRIMES.iter().find(|(crime, _)| *crime == ground).map(|(_, statute)| *statute)
}

/// Whether the injured party's own wish weighs (*BrB 4:11 och 5:5*): then the form asks for it.
pub const fn asks_injured(ground: Ground) -> bool {
    matches!(ground, Ground::Privacy | Ground::Harassment | Ground::Defamation | Ground::Insult)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ground::Force;

    #[test]
    fn every_crime_that_the_law_on_boards_names_can_be_reported() {
        for ground in Ground::ALL.iter().filter(|ground| ground.force() == Force::Statute) {
            assert!(statute(*ground).is_some(), "{}", ground.code());
        }
        assert_eq!(statute(Ground::Profanity), None);
    }
}
