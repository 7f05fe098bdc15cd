//! What the store hands out of decisions that something leaves the house.

use jiff::Timestamp;

use crate::domain::ids::ContentHash;

/// Such a decision, as verification holds it against the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuledFacts {
    /// Its row.
    pub row: i64,
    /// The case; none where it is about several.
    pub case: Option<i64>,
    /// Who.
    pub user: i64,
    /// When.
    pub at: Timestamp,
    /// What `domain::log::words_hash` gives of all that was decided.
    pub words: ContentHash,
    /// Its place in the log.
    pub log_seq: u64,
}

/// A decision about a report to the police.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoliceFacts(pub RuledFacts);

/// A request for public records that came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// The decision.
    pub facts: RuledFacts,
    /// The document that was handed out.
    pub pdf: Option<ContentHash>,
}

/// Texts without a case that were disposed of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepFacts(pub RuledFacts);

/// An archive run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFacts {
    /// What it came to.
    pub facts: RuledFacts,
    /// Its manifest.
    pub manifest: ContentHash,
    /// The files that the database says it rests on, without the manifest.
    pub files: Vec<ContentHash>,
}
/// A sealed item that was gone from its platform by no doing of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VanishedFacts(pub RuledFacts);

/// A version of a policy that has come to rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFacts {
    /// What was decided.
    pub facts: RuledFacts,
    /// What `domain::log::words_hash` gives of when it was written and how it came to rule.
    pub rest: ContentHash,
}

/// What the log says of one.
#[derive(Debug, serde::Serialize)]
pub(in crate::store) struct RuledRecord {
    pub(in crate::store) row: i64,
    pub(in crate::store) case: Option<i64>,
    pub(in crate::store) user: i64,
    pub(in crate::store) words_sha256: ContentHash,
}
