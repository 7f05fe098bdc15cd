//! The documents of an archive package after E-ARK: METS that lists its files (CSIP and SIP 2.1.0, which
//! is *FGS Paketstruktur 2.0*), ERMS that describes its records (*FGS Ärendehantering 2.0*) and PREMIS that says
//! what was done with them. Each is written as its records come, so that ten thousand take no more
//! memory than one.

pub mod erms;
pub mod mets;
pub mod premis;
#[cfg(test)]
pub(crate) mod tests;

use jiff::Timestamp;

use crate::domain::ids::ContentHash;

/// What a delivery (*leverans*) is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its name, which its folder has too: ASCII letters, digits, `.`, `-` and `_`.
    pub id: String,
    /// The authority that hands it over.
    pub authority: String,
    /// When the newest of what it tells came to be. No clock goes in, so that the same records give the
    /// same bytes.
    pub created: Timestamp,
}

/// The program that made it, as documents name it.
pub const PROGRAM: &str = "Uppsikt";
/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A file in the package, as documents list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its path, from the folder of the document that lists it.
    pub path: String,
    /// Media type.
    pub media_type: String,
    /// How many bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: ContentHash,
    /// When it came to be.
    pub created: Timestamp,
}

/// What a description is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A sealed record of one item.
    Evidence,
    /// An archive run of a whole account.
    ArchiveRun,
}

impl Subject {
    /// What its name begins with.
    pub const fn stem(self) -> &'static str {
        match self {
            Self::Evidence => "bevis",
            Self::ArchiveRun => "arkivkorning",
        }
    }
}

/// What a record is, and what was done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What it is.
    pub subject: Subject,
    /// Its number.
    pub evidence: i64,
    /// The case it belongs to; records of one case come after each other.
    pub case: Option<i64>,
    /// `kommentar`.
    pub kind: String,
    /// The platform's identifier.
    pub platform: String,
    /// The account's key.
    pub account: String,
    /// The platform's identity of the item.
    pub item: String,
    /// Number of the version.
    pub version: u32,
    /// The author's name as shown, where there is one.
    pub author: Option<String>,
    /// Link to it.
    pub permalink: Option<String>,
    /// When it was published, where the platform says so, else when it was fetched: a record is received when it is
    /// published (*tryckfrihetsförordningen* 2 kap. 9 §).
    pub received: Timestamp,
    /// When it was fetched.
    pub fetched: Timestamp,
    /// When it was sealed.
    pub sealed: Timestamp,
    /// Its place in the log.
    pub log_seq: u64,
    /// Why its content is not here, where it is not.
    pub withheld: Option<String>,
    /// The provision under which its case is marked as secret, where it is.
    pub secrecy: Option<String>,
    /// Numbers that the diary has given the case.
    pub diary: Vec<String>,
    /// What was decided and done, oldest first.
    pub events: Vec<Event>,
}

/// Something that was decided or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `decision`.
    pub kind: &'static str,
    /// When.
    pub at: Timestamp,
    /// Who, where a person did.
    pub by: Option<String>,
    /// What, in Swedish.
    pub detail: String,
}
