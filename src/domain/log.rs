//! The hash-chained log (invariant 5), as arithmetic: how a leaf and a link of the chain are made.

use sha2::{Digest as _, Sha256};

use super::ids::ContentHash;

/// What a log entry records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// Evidence was sealed.
    Seal,
    /// A person decided.
    Decision,
    /// A decision was undone before anything had begun.
    Undo,
    /// An action came to its end: done, moot, failed.
    Action,
    /// A person asked for another try of a failed action.
    Retry,
    /// A diary number was entered, or put right.
    Registration,
    /// An item was suspected, and from then on nothing of it is copied (regulation 2.2).
    Bar,
    /// A person lifted the bar on copying an item: the suspicion was wrong.
    Lift,
    /// A person exempted a case from disposal (*undantag från gallring*).
    Hold,
    /// A person lifted that exemption.
    HoldLift,
    /// A person marked a case as secret (*sekretessmarkering*).
    Secrecy,
    /// A person lifted that mark.
    SecrecyLift,
    /// Content was disposed of under a rule (*gallring*), with its protocol.
    Disposal,
    /// A sealed item was gone from its platform, by no call of ours: its author removed it, or somebody else.
    Vanished,
    /// A key that signs checkpoints was taken into use.
    Key,
    /// A manager decided whether to report to the police.
    Police,
    /// A request for public records came to its end (*utlämnande av allmän handling*).
    Release,
    /// Texts that never became a case were disposed of (*gallring*).
    Sweep,
    /// An account's whole page was captured for the archive (*arkivkörning*).
    ArchiveRun,
    /// A version of a policy came to rule (*riktlinje*).
    Policy,
}

impl LogKind {
    /// All kinds.
    pub const ALL: &[Self] = &[
        Self::Seal,
        Self::Decision,
        Self::Undo,
        Self::Action,
        Self::Retry,
        Self::Registration,
        Self::Bar,
        Self::Lift,
        Self::Hold,
        Self::HoldLift,
        Self::Secrecy,
        Self::SecrecyLift,
        Self::Disposal,
        Self::Vanished,
        Self::Key,
        Self::Police,
        Self::Release,
        Self::Sweep,
        Self::ArchiveRun,
        Self::Policy,
    ];

    /// Identifier in the store and in exports.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Decision => "decision",
            Self::Undo => "undo",
            Self::Action => "action",
            Self::Retry => "retry",
            Self::Registration => "registration",
            Self::Bar => "bar",
            Self::Lift => "lift",
            Self::Hold => "hold",
            Self::HoldLift => "hold_lift",
            Self::Secrecy => "secrecy",
            Self::SecrecyLift => "secrecy_lift",
            Self::Disposal => "disposal",
            Self::Vanished => "vanished",
            Self::Key => "key",
            Self::Police => "police",
            Self::Release => "release",
            Self::Sweep => "sweep",
            Self::ArchiveRun => "archive_run",
            Self::Policy => "policy",
        }
    }

    /// The kind with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|k| k.id() == id)
    }
}

/// The chain before the first entry.
pub fn genesis() -> ContentHash {
    ContentHash::of(b"uppsikt log 1")
}

/// The leaf of an entry: SHA-256(0x00 ‖ body), as RFC 6962 section 2.1 makes leaves, so that a
/// Merkle tree can be laid over the same log.
pub fn leaf_hash(body: &[u8]) -> ContentHash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(body);
    ContentHash::new(hasher.finalize().into())
}

/// What a leaf holds of words that a row carries (an answer, a reason, a note), so that changing
/// them is found out and the log itself never tells them.
pub fn words_hash(words: &[&str]) -> ContentHash {
    let mut hasher = Sha256::new();
    for text in words {
        // The length first, so that no two lists give the same bytes.
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    ContentHash::new(hasher.finalize().into())
}

/// The next link: SHA-256(0x02 ‖ previous link ‖ leaf). The leading byte keeps links apart from
/// leaves (0x00) and inner nodes of a tree (0x01).
pub fn chain_hash(previous: ContentHash, leaf: ContentHash) -> ContentHash {
    let mut hasher = Sha256::new();
    hasher.update([0x02]);
    hasher.update(previous.bytes());
    hasher.update(leaf.bytes());
    ContentHash::new(hasher.finalize().into())
}
