//! What the store hands out of the tree over the log: proofs, checkpoints, keys and time stamps.

use jiff::Timestamp;

use crate::domain::ids::ContentHash;

/// What stands in the audit log where the log's tree lacked subtrees.
pub const TREE_FILLED: &str = "evidence.tree_filled";

/// That a leaf is in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The leaf's hash.
    pub leaf: ContentHash,
    /// Its place, from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// From below.
    pub path: Vec<ContentHash>,
}

/// That a tree goes on from an older one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// Leaves of the older.
    pub old: u64,
    /// Leaves of the newer.
    pub new: u64,
    /// See `domain::tree::consistency`.
    pub path: Vec<ContentHash>,
}

/// A public key of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its short name, eight hexadecimal digits.
    pub id: String,
    /// Its bytes.
    pub public: [u8; 32],
    /// Since when.
    pub made_at: Timestamp,
    /// The entry by which the log took it in.
    pub log_seq: u64,
    /// The key before it.
    pub previous: Option<String>,
    /// That the key before it signed the change.
    pub signature: Option<[u8; 64]>,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRow {
    /// How many entries.
    pub size: u64,
    /// When.
    pub at: Timestamp,
    /// The tree's head.
    pub root: ContentHash,
    /// By which key.
    pub key: String,
    /// The signed note, byte for byte.
    pub note: String,
}

/// A time stamp on a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StampRow {
    /// Of which checkpoint.
    pub size: u64,
    /// Where it stands.
    pub state: StampState,
}

/// Where a time stamp stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StampState {
    /// To be asked for.
    Wanted {
        /// How often it was.
        attempts: u32,
        /// When it will be.
        next_at: Timestamp,
        /// Why the last attempt came to nothing, in Swedish.
        problem: Option<String>,
    },
    /// Kept.
    Kept {
        /// Who answered.
        authority: String,
        /// The answer, byte for byte.
        answer: Vec<u8>,
        /// The time it states.
        at: Timestamp,
        /// The root certificate it was held against.
        ca_pem: String,
    },
}

impl StampState {
    /// What the audit log says of one that is kept: all of it, by hashes where it is long.
    pub fn words(&self) -> Option<String> {
        let Self::Kept { authority, answer, at, ca_pem } = self else { return None };
        let (answer, ca) = (ContentHash::of(answer), ContentHash::of(ca_pem.as_bytes()));
        let at = at.as_millisecond();
        Some(format!("{authority}, {at}, svar sha256 {answer}, rotcertifikat sha256 {ca}"))
    }
}
