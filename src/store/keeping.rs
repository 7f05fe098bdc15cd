//! What the store hands out of keeping: events around records, exemptions from disposal, disposals.

use jiff::Timestamp;

use crate::domain::case::Outcome;
use crate::domain::custody::CustodyAct;
use crate::domain::ids::{CaseId, ContentHash, EvidenceId, ItemId, VersionId};
use crate::domain::retention::{Destroyed, Exemption};

/// One event around a record, as the audit log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyRow {
    /// When.
    pub at: Timestamp,
    /// Who, in words.
    pub who: String,
    /// What.
    pub act: CustodyAct,
    /// Which record; none where it is about the case, or about all records.
    pub evidence: Option<EvidenceId>,
    /// More: a file, a reason, a result.
    pub detail: Option<String>,
}

/// One exemption, as verification holds it against the log.
pub struct HoldFacts {
    /// Its row.
    pub id: i64,
    /// The case.
    pub case: i64,
    /// Who set it, when, and the hash of the reason.
    pub set: (i64, Timestamp, ContentHash),
    /// Its place in the log.
    pub set_seq: u64,
    /// The same of its lifting.
    pub lifted: Option<(i64, Timestamp, ContentHash, u64)>,
    /// The request for public records that asks for it.
    pub release: Option<i64>,
}

/// One secrecy mark, as verification holds it against the log: as an exemption, its words being provision and
/// reason.
pub struct SecrecyFacts(pub HoldFacts);

/// A closed case with sealed evidence, as disposal looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCase {
    /// The case.
    pub case: CaseId,
    /// Its item.
    pub item: ItemId,
    /// The account's name.
    pub account: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How each decision that was not undone would have ended it, that one among them.
    pub outcomes: Vec<Outcome>,
    /// When it was closed, or changed last after that.
    pub closed_at: Timestamp,
    /// Its sealed records.
    pub records: Vec<KeptRecord>,
}

/// A sealed record of such a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRecord {
    /// The record.
    pub id: EvidenceId,
    /// Its version.
    pub version: VersionId,
    /// The manifest's hash.
    pub manifest: ContentHash,
    /// Its place in the log.
    pub log_seq: u64,
}

/// Why a case that is due is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spared {
    /// An exemption stands, on it or on a case in the same thread.
    Held(Exemption),
    /// Suspected images of child abuse, on it or on its page.
    Barred,
    /// A version has not been assessed: nobody knows yet what it says.
    Unread,
    /// Evidence of a version is still to be taken.
    Unsealed,
    /// Somebody outside has reported it, and nobody has read that yet.
    Reported,
    /// Somebody whose data it holds has asked about it.
    Asked,
    /// No decision that stands and no step of its history say that it was closed then: its row alone does, and
    /// nothing holds that.
    Untold,
}

/// A disposal, as verification holds it against the log.
pub struct DisposalFacts {
    /// The number of the protocol.
    pub id: i64,
    /// When it was carried out, by whom and after whose proposal; its place in the log.
    pub done: Option<DoneFacts>,
}

/// What is known of a disposal that was carried out.
pub struct DoneFacts {
    /// When.
    pub at: Timestamp,
    /// By whom; none where the command line did.
    pub by: Option<i64>,
    /// Who proposed it.
    pub proposed_by: Option<i64>,
    /// The plan that it followed.
    pub plan: String,
    /// The decision that it rests on.
    pub decision: String,
    /// The policy's hash.
    pub policy: ContentHash,
    /// What was destroyed.
    pub destroyed: Destroyed,
    /// The hash of the protocol's table.
    pub csv_sha256: ContentHash,
    /// Its place in the log.
    pub log_seq: u64,
    /// Its records.
    pub records: Vec<i64>,
    /// Its files lie beside the evidence.
    pub written: bool,
}

/// What the last verification of the whole found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationRow {
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// Nothing was wrong.
    pub whole: bool,
    /// The report as JSON.
    pub report: String,
}

/// Which lines of the audit log are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSought {
    /// About one case.
    pub case: Option<CaseId>,
    /// By one person, as the name stands in it.
    pub who: Option<String>,
    /// Before this row.
    pub before: Option<i64>,
}

/// A line of the audit log as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRead {
    /// Its row.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What.
    pub act: String,
    /// On what.
    pub subject: String,
    /// From where.
    pub address: String,
    /// More.
    pub detail: Option<String>,
    /// It is about a case under a secrecy mark, or one of its records.
    pub is_shut: bool,
}
