//! What the store hands out of keeping: events around records, exemptions from disposal, disposals.

use jiff::Timestamp;

use crate::domain::case::Outcome;
use crate::domain::custody::CustodyAct;
use crate::domain::ids::{
    CaseId, ContentHash, DisposalId, EvidenceId, HoldId, ItemId, UserId, VersionId,
};
use crate::domain::retention::Destroyed;

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

/// An exemption of a case from disposal (*undantag från gallring*).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRow {
    /// Its row.
    pub id: HoldId,
    /// The case.
    pub case: CaseId,
    /// When it was set.
    pub set_at: Timestamp,
    /// Who set it.
    pub set_by: String,
    /// Why.
    pub reason: String,
    /// When, by whom and why it was lifted.
    pub lifted: Option<(Timestamp, String, String)>,
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
}

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
    Held(HoldRow),
    /// Suspected images of child abuse, on it or on its page.
    Barred,
    /// Evidence of a version is still to be taken.
    Unsealed,
}

/// Where a disposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisposalState {
    /// Waits for another person.
    Proposed,
    /// Carried out.
    Done,
    /// Not carried out.
    Withdrawn,
}

/// A disposal with its protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisposalRow {
    /// The number of the protocol.
    pub id: DisposalId,
    /// Where it stands.
    pub state: DisposalState,
    /// The authority's name then.
    pub authority: String,
    /// The plan that it follows.
    pub plan: String,
    /// The decision that allows it.
    pub decision: String,
    /// The policy's hash.
    pub policy: ContentHash,
    /// Whether another person had to approve.
    pub four_eyes: bool,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// By whom; none where the command line did.
    pub proposed_by: Option<UserId>,
    /// By whom, in words.
    pub proposed_name: String,
    /// When and by whom it ended.
    pub ended: Option<(Timestamp, String)>,
    /// Why it was withdrawn.
    pub reason: Option<String>,
    /// Its place in the log.
    pub log_seq: Option<u64>,
    /// The hash of the protocol's table.
    pub csv_sha256: Option<ContentHash>,
    /// Files and bytes that were destroyed, and files kept because others share them.
    pub destroyed: Option<Destroyed>,
    /// How many cases and records.
    pub n: (u64, u64),
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
    /// The decision that it rests on.
    pub decision: String,
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
