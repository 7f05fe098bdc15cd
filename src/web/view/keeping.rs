//! Keeping: disposal (*gallring*) with its protocols, and verification of the archive.

use askama::Template;

use crate::domain::ids::{CaseId, DisposalId};

use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/gallring`.
#[derive(Clone, Debug, Template)]
#[template(path = "disposal.html", config = "src/web/askama.toml")]
pub struct DisposalPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// What rests on what, policy by policy; or why nothing is due.
    pub policies: Vec<PolicyView>,
    /// Accounts of which nothing is due, and why.
    pub unknown: Vec<String>,
    /// The proposal that waits.
    pub proposed: Option<ProposalView>,
    /// Earlier protocols, newest first.
    pub earlier: Vec<ProtocolView>,
    /// What went without ever having been a case, newest first.
    pub swept: Vec<SweptView>,
    /// Why nothing goes until somebody says that the clock is right.
    pub clock: Option<String>,
    /// What the server's clock shows.
    pub now: String,
}

/// Texts without a case that were disposed of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweptView {
    /// When.
    pub at: Moment,
    /// Of which account.
    pub account: String,
    /// How many.
    pub n_items: String,
    /// From before when.
    pub before: String,
    /// On which decision.
    pub decision: String,
}

/// What one policy lets fall due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyView {
    /// Its hash, for the form; what the ids on the page end in, too.
    pub version: String,
    /// Its name and the accounts that go by it; nothing where there is but one.
    pub of: Option<String>,
    /// What rests on what; or why nothing is due.
    pub rules: Result<RulesView, String>,
}

/// What is due, by which rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesView {
    /// The plan.
    pub plan: String,
    /// The decision.
    pub decision: String,
    /// Whether another person has to approve.
    pub four_eyes: bool,
    /// One line a class.
    pub classes: Vec<ClassView>,
    /// What carrying it out would come to, in a sentence; none where nothing is due.
    pub summary: Option<String>,
    /// The cases that are due.
    pub due: Vec<DueView>,
    /// More is due than one protocol holds.
    pub more: bool,
    /// The cases that are due and left alone, and why.
    pub spared: Vec<(CaseId, String)>,
    /// There are more of those.
    pub more_spared: bool,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassView {
    /// `avfärdade`.
    pub label: &'static str,
    /// `24 månader`, or that it is kept.
    pub time: String,
    /// On what that rests.
    pub why: String,
    /// How many cases are due.
    pub n_due: usize,
}

/// One case that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueView {
    /// The case.
    pub case: CaseId,
    /// The account's name.
    pub account: String,
    /// `avfärdade`.
    pub class: &'static str,
    /// When it was closed.
    pub closed: Moment,
    /// Since when it is due.
    pub due: Moment,
    /// How many records.
    pub n_records: usize,
}

/// A proposal that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalView {
    /// The number of the protocol to be.
    pub id: DisposalId,
    /// Who proposed it.
    pub by: String,
    /// When.
    pub at: Moment,
    /// `3 ärenden, 4 bevis`.
    pub extent: String,
    /// The plan.
    pub plan: String,
    /// The decision.
    pub decision: String,
    /// What it is about, a line a case.
    pub lines: Vec<DueView>,
    /// Whether the person at the page may approve it.
    pub may_approve: bool,
    /// Why nobody may.
    pub hindered: Option<String>,
    /// A hash of what is shown.
    pub shown: String,
}

/// A protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolView {
    /// Its number.
    pub id: DisposalId,
    /// When it ended.
    pub at: Moment,
    /// `gallrade 3 ärenden, 4 bevis`, or that it was withdrawn and why.
    pub what: String,
    /// Who proposed, and who approved or withdrew.
    pub who: String,
    /// The decision.
    pub decision: String,
    /// Whether there are files.
    pub done: bool,
}

/// The page `/bevis/kontroll`.
#[derive(Clone, Debug, Template)]
#[template(path = "verification.html", config = "src/web/askama.toml")]
pub struct VerificationPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// What goes on now: since when, for whom, and how far.
    pub running: Option<(Moment, String, String)>,
    /// The last one.
    pub last: Option<LastCheck>,
    /// When one last found nothing wrong, where the last one did.
    pub last_whole: Option<Moment>,
    /// Whether checkpoints are also written elsewhere.
    pub has_witnesses: bool,
}

/// What the last verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastCheck {
    /// When it ended.
    pub at: Moment,
    /// Who asked for it.
    pub by: String,
    /// Nothing was wrong.
    pub whole: bool,
    /// Why it came to no end, where it did not.
    pub broken_off: Option<String>,
    /// What was recomputed.
    pub counts: Vec<(&'static str, String)>,
    /// What has to be known.
    pub notes: Vec<String>,
    /// What does not add up: where and what.
    pub faults: Vec<(String, String)>,
}
