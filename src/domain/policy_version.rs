//! A version of a policy: each that ever ruled, and each that was proposed.

use jiff::Timestamp;

use super::ids::{AccountId, ContentHash, PolicyVersionId, UserId};

/// A version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its row.
    pub id: PolicyVersionId,
    /// Whose own policy it is; none: the authority's.
    pub account: Option<AccountId>,
    /// The policy's name.
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
