//! A version of a policy, or of the authority's own rules: each that ever ruled, and each that was proposed.

use jiff::Timestamp;

use super::ids::{AccountId, ContentHash, PolicyVersionId, UserId};

/// What a version is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Governs {
    /// A policy: an account's own, or the authority's.
    Policy(Option<AccountId>),
    /// The authority's own rules and words, beside those that are built in (*egna regler*).
    Rules,
}

impl Governs {
    /// The account whose own it is.
    pub const fn account(self) -> Option<AccountId> {
        match self {
            Self::Policy(account) => account,
            Self::Rules => None,
        }
    }

    /// Whether it is about rules and words.
    pub const fn is_rules(self) -> bool {
        matches!(self, Self::Rules)
    }
}

/// A version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its row.
    pub id: PolicyVersionId,
    /// What it is of.
    pub of: Governs,
    /// The policy's name; of rules what they are called.
    pub name: String,
    /// Its whole text.
    pub text: String,
    /// The text's hash, by which decisions remember it.
    pub hash: ContentHash,
    /// Who wrote it; nobody: it was read from a file.
    pub made_by: Option<(UserId, String)>,
    /// When.
    pub made_at: Timestamp,
    /// Why.
    pub why: String,
    /// The text that ruled when it was written, by its hash; none in those from before that was kept, and of a file.
    pub base: Option<ContentHash>,
    /// Whether a second person has to approve it.
    pub four_eyes: bool,
    /// Whether deadlines of open cases are counted anew by it.
    pub recounts: bool,
    /// Who approved it.
    pub approved_by: Option<(UserId, String)>,
    /// When it was taken back without ever having ruled.
    pub withdrawn_at: Option<Timestamp>,
    /// Since when it rules, or from when it ruled.
    pub ruled_from: Option<Timestamp>,
    /// Its place in the log.
    pub seq: Option<u64>,
}

impl PolicyVersion {
    /// Whether it waits for a second person.
    pub fn waits(&self) -> bool {
        self.ruled_from.is_none() && self.withdrawn_at.is_none()
    }
}
