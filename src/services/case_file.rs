//! One case in full.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::classify::{Classifier, language};
use crate::domain::account::Account;
use crate::domain::action::{ActionKind, ActionState};
use crate::domain::case::CaseState;
use crate::domain::custody::MASKED;
use crate::domain::decision::Choice;
use crate::domain::duties::Duties;
use crate::domain::evidence::{Thread, ThreadItem};
use crate::domain::ground::Ground;
use crate::domain::ids::{ActionId, CaseId, DecisionId, DiaryNumber, EvidenceId};
use crate::domain::item::{Author, Barred, ItemKind, Permalink, Presence};
use crate::domain::language::Language;
use crate::domain::likeness::Alike;
use crate::domain::person::Act;
use crate::domain::policy::{HelpLine, Proposal};
use crate::domain::register::Question;
use crate::domain::snooze::is_grave;
use crate::domain::verdict::{Finding, Verdict};

use super::claims::Look;
use super::custody::Custody;
use super::offers::Offers;
use super::queue::{ClaimedBy, claimed};
use super::records::Evidence;
use super::replies::Help;
use super::secrecy::Secrecy;
use super::tasks::task_text;
use super::{ServiceError, Services, Viewer};
use crate::domain::retention::Exemption;
use crate::store::rows::EvidenceState;
use crate::store::sqlite::disposals::DISPOSED_TEXT;

/// How many answers below an item are shown.
const BELOW: u32 = 20;

/// How many earlier cases of an author are shown.
const EARLIER: u32 = 10;

/// An action as a person sees it.
#[derive(Clone, Debug)]
pub struct ActionView {
    /// Its row.
    pub id: ActionId,
    /// What.
    pub kind: ActionKind,
    /// Where it stands.
    pub state: ActionState,
    /// The decision it belongs to.
    pub decision: DecisionId,
    /// Whether a person does it on the platform itself.
    pub by_hand: bool,
    /// What is to be published, where it is an answer.
    pub text: Option<String>,
    /// Why a person is not to remove it yet, in Swedish, where it is theirs to do.
    pub hindered: Option<&'static str>,
}

/// A decision that can still be undone, or the last one.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its row.
    pub id: DecisionId,
    /// What was chosen.
    pub choices: Vec<Choice>,
    /// For what.
    pub ground: Option<Ground>,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when it can be undone.
    pub undo_until: Timestamp,
}

/// One step of the history.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Who; none for the machine.
    pub by: Option<String>,
    /// What.
    pub what: String,
    /// More.
    pub detail: Option<String>,
}

/// A wording (*lydelse*) that the author has changed since.
#[derive(Clone)]
pub struct EarlierVersion {
    /// From 1.
    pub number: u32,
    /// Its text; what stands for it where it has been disposed of.
    pub text: String,
    /// Its content has been disposed of.
    pub disposed: bool,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// Its sealed record, where there is one.
    pub record: Option<EvidenceId>,
}

/// Everything about one case.
#[derive(Clone)]
pub struct CaseFile {
    /// The case.
    pub id: CaseId,
    /// Where it stands.
    pub state: CaseState,
    /// Grows with every change; a decision names the one it was made on.
    pub revision: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it is due.
    pub due_at: Timestamp,
    /// Since when it waits under that deadline.
    pub waits_since: Timestamp,
    /// What it is about stands outside our control: the deadline does not count.
    pub outside: bool,
    /// It was closed so long ago that its text and names are not shown unasked, and nobody has asked.
    pub veiled: bool,
    /// Units that a letter goes to when it is forwarded.
    pub units: Vec<String>,
    /// Who works on it.
    pub claim: Option<ClaimedBy>,
    /// The account.
    pub account: Account,
    /// What the item is.
    pub kind: ItemKind,
    /// Author as shown.
    pub author: Author,
    /// The text at hand, in full: shown to those who may read cases, whose look is audited.
    pub text: String,
    /// The language of the text, where it can be told.
    pub language: Option<Language>,
    /// The number of the version at hand, and how many there are.
    pub version: (u32, u32),
    /// The versions before, oldest first.
    pub earlier: Vec<EarlierVersion>,
    /// When the platform says it was written.
    pub created_at: Option<Timestamp>,
    /// When the version was fetched.
    pub fetched_at: Timestamp,
    /// Who recorded it by hand; none where it was fetched.
    pub recorded_by: Option<String>,
    /// Visibility now.
    pub presence: Presence,
    /// When that was read.
    pub presence_at: Timestamp,
    /// Link to it.
    pub permalink: Option<Permalink>,
    /// What cannot be done with this very item.
    pub barred: Vec<Barred>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Which of them stand at words that this viewer may not read.
    pub withheld: Vec<usize>,
    /// The rules whose findings in it a person has called wrong.
    pub wrong: BTreeSet<String>,
    /// What the policy proposes.
    pub proposal: Proposal,
    /// The policy's name.
    pub policy: String,
    /// What the policy says beside its categories.
    pub duties: Duties,
    /// Grounds that the findings suggest, each with its reason.
    pub suggested: Vec<(Ground, String)>,
    /// The thread above.
    pub above: Thread,
    /// The answers below.
    pub below: Vec<ThreadItem>,
    /// The author's earlier cases: dates and outcomes, never categories (invariant 8).
    pub earlier_cases: Vec<(CaseId, Timestamp, CaseState)>,
    /// Evidence.
    pub evidence: Evidence,
    /// What was read once more right before a removal and sealed, with when it was read.
    pub sealed_again: Vec<(EvidenceId, Timestamp)>,
    /// The decision that stands.
    pub standing: Option<Standing>,
    /// Actions of all decisions, oldest first.
    pub actions: Vec<ActionView>,
    /// Diary numbers, oldest first; none where it is awaited.
    pub diary: Vec<Option<DiaryNumber>>,
    /// History, oldest first.
    pub history: Vec<Step>,
    /// What happened around its evidence.
    pub custody: Custody,
    /// The exemption from disposal that covers it: its own, or that of a case in the same thread.
    pub exemption: Option<Exemption>,
    /// Whether the viewer may exempt it or lift that.
    pub may_exempt: bool,
    /// How its circle is smaller, where it is.
    pub secrecy: Option<Secrecy>,
    /// Somebody answered for the diary that there may be secrecy in it, and nobody has marked it.
    pub secrecy_proposed: bool,
    /// Whether the viewer may mark it as secret.
    pub may_mark_secrecy: bool,
    /// Whether the viewer may lift that.
    pub may_lift_secrecy: bool,
    /// Nothing of the item may be copied or shown (regulation 2.2).
    pub no_copy: bool,
    /// Why it may not be put aside, where that is never done.
    pub grave: bool,
    /// Numbers to ring, where somebody's life, health or a child is at stake.
    pub help: Vec<HelpLine>,
    /// Items with nearly the same text.
    pub alike: Option<Alike>,
    /// What the account can do; none where it is no longer configured.
    pub offers: Option<Offers>,
    /// Who is responsible, in words.
    pub responsible: Option<String>,
    /// Who can be named in a note; nothing where the viewer may not write one.
    pub names_to_mention: Vec<String>,
    /// Whether the viewer may write notes.
    pub may_write_notes: bool,
    /// What helps to write an answer.
    pub help_to_answer: Help,
    /// Whether the viewer may read sealed evidence.
    pub may_read_evidence: bool,
    /// Whether the viewer may decide.
    pub may_decide: bool,
    /// Whether the viewer may enter a diary number.
    pub may_enter_number: bool,
    /// Whether the viewer may lift the bar on copying.
    pub may_lift_bar: bool,
}

/// Texts, names and notes stay out of logs.
impl std::fmt::Debug for CaseFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaseFile")
            .field("id", &self.id)
            .field("revision", &self.revision)
            .field("account", &self.account.key)
            .field("kind", &self.kind)
            .field("n_text_bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl CaseFile {
    /// Personal data struck out, for roles that may not read it (invariant 8). The findings keep
    /// their reasons but not their places: those are of the text as it was written.
    fn mask(&mut self, classifier: &Classifier) {
        let strike = |text: &mut String| *text = classifier.masked(text).into_owned();
        strike(&mut self.text);
        self.earlier.iter_mut().for_each(|earlier| strike(&mut earlier.text));
        let authors = std::iter::once(&mut self.author);
        let thread = self.above.above.iter_mut().chain(self.below.iter_mut());
        let mut others = Vec::new();
        for item in thread {
            strike(&mut item.text);
            others.push(&mut item.author);
        }
        for author in authors.chain(others) {
            author.name.iter_mut().chain(author.handle.iter_mut()).for_each(strike);
            author.url = None;
        }
        // On a forum or Reddit the post is a citizen's, and its title says as much as its text.
        if let Some(post) = &mut self.above.post {
            post.title.iter_mut().for_each(strike);
            strike(&mut post.text);
        }
        self.history.iter_mut().filter_map(|step| step.detail.as_mut()).for_each(strike);
        for (index, finding) in self.findings.iter_mut().enumerate() {
            if !finding.spans.is_empty() {
                finding.spans.clear();
                self.withheld.push(index);
            }
        }
    }
}

impl Services {
    /// Everything about one case. Opening it is audited, since its text is shown in full.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn case_file(&self, viewer: &Viewer, case: CaseId) -> Result<CaseFile, ServiceError> {
        self.case_opened(viewer, case, Look::Follows).await
    }

    /// As [`Services::case_file`]; where a person opens it in order to decide, it is theirs as far as nobody
    /// else has it (see [`Look`]).
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn case_opened(
        &self,
        viewer: &Viewer,
        case: CaseId,
        look: Look,
    ) -> Result<CaseFile, ServiceError> {
        self.case_with(viewer, case, look, false).await
    }

    /// The same; with `unveiled` also what is not shown unasked.
    pub(super) async fn case_with(
        &self,
        viewer: &Viewer,
        case: CaseId,
        look: Look,
        unveiled: bool,
    ) -> Result<CaseFile, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let store = &self.inner.store;
        let now = self.inner.clock.now();
        self.demand_open(viewer, case).await?;
        let masked = (!viewer.may(Act::ReadEvidence)).then(|| MASKED.into());
        self.open(viewer, case, look, masked).await?;
        let row = store.case(case).await?;
        let item = store.item(row.item).await?;
        // A page that follows a case by itself is read by nobody.
        if look == Look::Opens {
            if store.n_unseen_mentions(viewer.user).await? > 0 {
                store.see_mentions(viewer.user, Some(case), now).await?;
            }
            self.looked(viewer, Some(item.account)).await;
            if viewer.may(Act::ReadEvidence) {
                store.note_read(row.version).await?;
            }
        }
        let versions = store.versions_of(row.item).await?;
        let version = store.version(row.version).await?;
        let mut earlier = Vec::new();
        let mut sealed_again = Vec::new();
        let (again, versions): (Vec<_>, Vec<_>) =
            versions.into_iter().partition(|v| v.read_for.is_some());
        for read in again {
            if let Some(row) = store.evidence_of(read.id).await?
                && let EvidenceState::Sealed { at, .. } = row.state
            {
                sealed_again.push((row.id, at));
            }
        }
        let n_versions = versions.iter().map(|v| v.number).max().unwrap_or(version.number);
        for before in versions.into_iter().filter(|v| v.number < version.number) {
            let sealed = store
                .evidence_of(before.id)
                .await?
                .filter(|row| matches!(row.state, EvidenceState::Sealed { .. }));
            earlier.push(EarlierVersion {
                number: before.number,
                disposed: before.text == DISPOSED_TEXT,
                text: before.text,
                fetched_at: before.fetched_at,
                record: sealed.map(|row| row.id),
            });
        }
        let standing = store.standing_decision(case).await?;
        let secrecy_proposed = standing.as_ref().is_some_and(|d| {
            let answers = d.answered.as_ref().map(|kept| &kept.answers);
            answers.and_then(|said| said.get(Question::Secrecy.id())).copied().unwrap_or_default()
        });
        let standing = standing.map(|d| Standing {
            id: d.id,
            choices: d.choices,
            ground: d.ground,
            by: d.by,
            at: d.at,
            undo_until: d.undo_until,
        });
        let stands = standing.as_ref().is_none_or(|standing| standing.undo_until <= now);
        let mut actions = Vec::new();
        for a in store.actions_on(case).await? {
            let waits = a.by_hand && !a.state.is_settled();
            let hindered = if waits { self.hindered(&a, stands).await? } else { None };
            let choices = standing.as_ref().map_or(&[][..], |standing| &standing.choices);
            let text = task_text(&a, choices);
            actions.push(ActionView {
                id: a.id,
                kind: a.kind,
                state: a.state,
                decision: a.decision,
                by_hand: a.by_hand,
                text: text.map(|text| self.shown_to(viewer, text)),
                hindered,
            });
        }
        let history = store.case_history(case).await?.into_iter().map(|e| Step {
            at: e.at,
            by: e.user,
            what: e.what,
            detail: e.detail,
        });
        let help_to_answer = self.help_to_answer(viewer, &row, &item).await?;
        let diary = store.registrations_of(case).await?.into_iter().map(|r| r.diary_number);
        let account = store.queue_line(case).await?.account;
        let policy = self.policy_of(item.account);
        let empty =
            || Verdict { lexicon: self.classifier().version().clone(), findings: Vec::new() };
        let verdict = version.verdict.clone().unwrap_or_else(empty);
        let mut file = CaseFile {
            id: case,
            state: row.state,
            revision: row.revision,
            opened_at: row.opened_at,
            due_at: row.due_at,
            waits_since: row.waits_since,
            outside: row.outside,
            veiled: row.veiled && !unveiled,
            units: self.unit_names(),
            claim: claimed(row.claim, now),
            account,
            kind: item.kind,
            author: version.author,
            language: language::of(&version.text),
            text: version.text,
            version: (version.number, n_versions),
            earlier,
            created_at: item.created_at,
            fetched_at: version.fetched_at,
            recorded_by: item.recorded_by,
            presence: item.presence,
            presence_at: item.presence_at,
            permalink: item.permalink,
            barred: item.barred,
            custody: self.custody(viewer, case).await?,
            exemption: self.exemption(viewer, case).await?,
            secrecy: self.secrecy(viewer, case).await?,
            secrecy_proposed,
            may_mark_secrecy: viewer.may(Act::MarkSecrecy),
            may_lift_secrecy: viewer.may(Act::LiftSecrecy),
            may_exempt: viewer.may(Act::Exempt),
            no_copy: item.no_copy,
            grave: version.verdict.as_ref().is_none_or(is_grave) || item.no_copy,
            help: if verdict.asks_for_help() { policy.help.clone() } else { Vec::new() },
            alike: store.alike(row.item).await?,
            proposal: policy.proposal(&verdict),
            policy: policy.name.clone(),
            duties: policy.duties.clone(),
            suggested: policy
                .suggested(&verdict, item.no_copy)
                .into_iter()
                .map(|(ground, why)| (ground, why.to_owned()))
                .collect(),
            findings: verdict.findings,
            withheld: Vec::new(),
            wrong: store.wrong_findings(row.version).await?,
            above: store.thread_above(row.item).await?,
            below: store.thread_below(row.item, BELOW).await?,
            earlier_cases: store.earlier_cases_of_author(case, EARLIER).await?,
            evidence: self.evidence_at_hand(row.version).await?,
            sealed_again,
            standing,
            actions,
            diary: diary.collect(),
            history: history.collect(),
            offers: self.offers(item.account),
            responsible: self.responsible_for(case).await?,
            names_to_mention: self.names_to_mention(viewer, case).await?,
            may_write_notes: viewer.may(Act::WriteNotes),
            help_to_answer,
            may_read_evidence: viewer.may(Act::ReadEvidence),
            may_decide: viewer.may(Act::Decide),
            may_enter_number: viewer.may(Act::EnterDiaryNumber),
            may_lift_bar: viewer.may(Act::LiftCopyBar),
        };
        if !file.may_read_evidence {
            file.mask(&self.classifier());
        }
        if file.veiled {
            file.veil();
        }
        // Neighbours that are no longer shown unasked are not shown by the way either.
        let thread = file.above.above.iter().chain(&file.below);
        let ids = thread.map(|item| item.platform_id.clone()).collect();
        let veiled = store.veiled_among(item.account, ids).await?;
        file.veil_beside(&veiled);
        Ok(file)
    }
}
