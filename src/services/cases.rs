//! What people see of cases: the queue, masked, and one case in full.

use jiff::Timestamp;
use metrics::gauge;

use crate::classify::mask::masked;
use crate::domain::account::Account;
use crate::domain::action::{ActionKind, ActionState};
use crate::domain::case::CaseState;
use crate::domain::category::{Category, Severity};
use crate::domain::decision::Choice;
use crate::domain::evidence::{Manifest, PartKind, Thread, ThreadItem};
use crate::domain::ground::Ground;
use crate::domain::ids::{
    ActionId, CaseId, ContentHash, DecisionId, DiaryNumber, EvidenceId, RegistrationId, UserId,
};
use crate::domain::item::{Author, Barred, ItemKind, Permalink, Presence};
use crate::domain::person::Act;
use crate::domain::policy::Proposal;
use crate::domain::verdict::{Finding, Verdict};
use crate::store::rows::{self, EvidenceState, QueueRow};

use crate::telemetry::metrics as names;

use super::offers::Offers;
use super::{ServiceError, Services, Viewer};

/// No number or address that is masked takes more room, however it is spaced.
const LONGEST_NUMBER_BYTES: usize = 96;

/// How many cases a page of the queue holds.
pub const PAGE: u32 = 50;

/// How many answers below an item are shown.
const BELOW: u32 = 20;

/// How many earlier cases of an author are shown.
const EARLIER: u32 = 10;

/// What the queue shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    /// What needs a person now.
    Open,
    /// Put off by a person.
    Held,
    /// Decided, being carried out.
    Decided,
    /// Waiting for its diary number.
    AwaitingDiary,
    /// Finished.
    Closed,
}

impl Filter {
    /// All filters, in the order of the page.
    pub const ALL: &[Self] =
        &[Self::Open, Self::Held, Self::Decided, Self::AwaitingDiary, Self::Closed];

    /// Identifier in addresses.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Open => "oppna",
            Self::Held => "vantar",
            Self::Decided => "genomfors",
            Self::AwaitingDiary => "diarium",
            Self::Closed => "avslutade",
        }
    }

    /// The filter with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|f| f.id() == id)
    }

    const fn row(self) -> rows::QueueFilter {
        match self {
            Self::Open => rows::QueueFilter::Open,
            Self::Held => rows::QueueFilter::Held,
            Self::Decided => rows::QueueFilter::Decided,
            Self::AwaitingDiary => rows::QueueFilter::AwaitingDiary,
            Self::Closed => rows::QueueFilter::Closed,
        }
    }
}

/// How many cases stand under each filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// What needs a person now.
    pub open: u64,
    /// Put off.
    pub held: u64,
    /// Being carried out.
    pub decided: u64,
    /// Waiting for a diary number.
    pub awaiting_diary: u64,
    /// Finished.
    pub closed: u64,
}

impl Counts {
    /// The count of one filter.
    pub const fn of(&self, filter: Filter) -> u64 {
        match filter {
            Filter::Open => self.open,
            Filter::Held => self.held,
            Filter::Decided => self.decided,
            Filter::AwaitingDiary => self.awaiting_diary,
            Filter::Closed => self.closed,
        }
    }
}

/// Who works on a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedBy {
    /// Who.
    pub user: UserId,
    /// Name.
    pub name: String,
    /// Until when.
    pub until: Timestamp,
}

/// One line of the queue. Text and names are masked.
#[derive(Clone, Debug)]
pub struct Line {
    /// The case.
    pub case: CaseId,
    /// Where it stands.
    pub state: CaseState,
    /// Its account.
    pub account: Account,
    /// What the item is.
    pub kind: ItemKind,
    /// Author as shown, masked.
    pub author: String,
    /// The beginning of the text, masked, on one line.
    pub text: String,
    /// When the platform says it was written.
    pub created_at: Option<Timestamp>,
    /// When it was first fetched.
    pub fetched_at: Timestamp,
    /// When it is due.
    pub due_at: Timestamp,
    /// What was found, hardest first, each category once.
    pub categories: Vec<(Category, Severity)>,
    /// Who works on it.
    pub claim: Option<ClaimedBy>,
    /// Whether evidence of the current version is sealed.
    pub sealed: bool,
}

/// A page of the queue.
#[derive(Clone, Debug)]
pub struct Page {
    /// The lines, most urgent first.
    pub lines: Vec<Line>,
    /// Counts of all filters.
    pub counts: Counts,
    /// Whether there are more.
    pub more: bool,
}

/// How one account is being watched, for the empty queue and the accounts page.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The account.
    pub account: Account,
    /// When it was last looked at successfully.
    pub last_ok_at: Option<Timestamp>,
    /// When it is looked at next.
    pub next_at: Timestamp,
    /// What is wrong, in Swedish.
    pub problem: Option<String>,
    /// Why items may be missing, in Swedish.
    pub gap: Option<String>,
    /// A person must act.
    pub stopped: bool,
    /// Items known.
    pub n_items: u64,
    /// Elements kept aside because they could not be read.
    pub n_unreadable: u64,
    /// What it can do; none where it is no longer configured.
    pub offers: Option<Offers>,
}

/// Evidence of the version at hand.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// Nobody has asked for it.
    None,
    /// It is being taken.
    Wanted {
        /// Why the last attempt failed, in Swedish.
        problem: Option<String>,
    },
    /// Sealed.
    Sealed(Box<SealedEvidence>),
    /// Its content was disposed of under a rule.
    Disposed {
        /// The record.
        id: EvidenceId,
    },
}

impl Evidence {
    /// Whether a removal may be decided.
    pub fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }
}

/// A sealed record with what was just checked of it.
#[derive(Clone, Debug)]
pub struct SealedEvidence {
    /// The record.
    pub id: EvidenceId,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// Its place in the log.
    pub log_seq: u64,
    /// The manifest's hash.
    pub manifest_hash: ContentHash,
    /// The manifest, or why it cannot be relied on, in Swedish. It was read and recomputed for
    /// this very view.
    pub manifest: Result<Manifest, String>,
}

/// A file of a sealed record.
#[derive(Clone, Debug)]
pub struct PartFile {
    /// What it is; none for the manifest itself.
    pub kind: Option<PartKind>,
    /// Its name in the manifest.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// The bytes, checked against their hash.
    pub bytes: Vec<u8>,
}

/// The file name of a page of the sheet, from 1.
pub fn sheet_page_name(number: u32) -> String {
    format!("bevisblad-{number}.png")
}

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

/// A case that waits for its diary number, or got one lately.
#[derive(Clone, Debug)]
pub struct DiaryLine {
    /// The registration.
    pub registration: RegistrationId,
    /// The case as a line of the queue.
    pub line: Line,
    /// File name of the package.
    pub package: String,
    /// When it was written.
    pub exported_at: Timestamp,
    /// The number with when and by whom it was entered.
    pub number: Option<(DiaryNumber, Timestamp, String)>,
}

/// Everything about one case.
#[derive(Clone, Debug)]
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
    /// The number of the version at hand, and how many there are.
    pub version: (u32, u32),
    /// Earlier versions' texts, oldest first.
    pub earlier_texts: Vec<(Timestamp, String)>,
    /// When the platform says it was written.
    pub created_at: Option<Timestamp>,
    /// When the version was fetched.
    pub fetched_at: Timestamp,
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
    /// What the policy proposes.
    pub proposal: Proposal,
    /// The thread above.
    pub above: Thread,
    /// The answers below.
    pub below: Vec<ThreadItem>,
    /// The author's earlier cases: dates and outcomes, never categories (invariant 8).
    pub earlier_cases: Vec<(CaseId, Timestamp, CaseState)>,
    /// Evidence.
    pub evidence: Evidence,
    /// The decision that stands.
    pub standing: Option<Standing>,
    /// Actions of all decisions, oldest first.
    pub actions: Vec<ActionView>,
    /// Diary numbers, oldest first; none where it is awaited.
    pub diary: Vec<Option<DiaryNumber>>,
    /// History, oldest first.
    pub history: Vec<Step>,
    /// What the account can do; none where it is no longer configured.
    pub offers: Option<Offers>,
    /// Whether the viewer may read sealed evidence.
    pub may_read_evidence: bool,
    /// Whether the viewer may decide.
    pub may_decide: bool,
    /// Whether the viewer may enter a diary number.
    pub may_enter_number: bool,
}

impl CaseFile {
    /// Personal data struck out, for roles that may not read it (invariant 8). The findings keep
    /// their reasons but not their places: those are of the text as it was written.
    fn mask(&mut self) {
        let strike = |text: &mut String| *text = masked(text).into_owned();
        strike(&mut self.text);
        self.earlier_texts.iter_mut().for_each(|(_, text)| strike(text));
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
        self.history.iter_mut().filter_map(|step| step.detail.as_mut()).for_each(strike);
        self.findings.iter_mut().for_each(|finding| finding.spans.clear());
    }
}

fn claimed(
    claim: Option<(crate::domain::case::Claim, String)>,
    now: Timestamp,
) -> Option<ClaimedBy> {
    claim.filter(|(claim, _)| claim.until > now).map(|(claim, name)| ClaimedBy {
        user: claim.by,
        name,
        until: claim.until,
    })
}

fn categories(verdict: Option<&Verdict>) -> Vec<(Category, Severity)> {
    let mut seen: Vec<(Category, Severity)> = Vec::new();
    for finding in verdict.map_or(&[][..], |v| &v.findings) {
        match seen.iter_mut().find(|(category, _)| *category == finding.category) {
            Some((_, severity)) => *severity = (*severity).max(finding.severity),
            None => seen.push((finding.category, finding.severity)),
        }
    }
    seen
}

/// The words for who wrote it; never an empty name.
fn author_words(author: &Author) -> String {
    author
        .name
        .as_deref()
        .or(author.handle.as_deref())
        .filter(|name| !name.trim().is_empty())
        .unwrap_or("okänd")
        .to_owned()
}

impl Services {
    fn line(&self, row: QueueRow) -> Line {
        let one_line = row.text_head.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut text = masked(&one_line).into_owned();
        if row.text_is_cut {
            // Half a number at the cut is no number to the mask, so the end is left out.
            let end = text.floor_char_boundary(text.len().saturating_sub(LONGEST_NUMBER_BYTES));
            text.truncate(end);
            text.push('…');
        }
        Line {
            case: row.case.id,
            state: row.case.state,
            account: row.account,
            kind: row.kind,
            author: masked(&author_words(&row.author)).into_owned(),
            text,
            created_at: row.created_at,
            fetched_at: row.first_fetched_at,
            due_at: row.case.due_at,
            categories: categories(row.verdict.as_ref()),
            claim: claimed(row.case.claim, self.inner.clock.now()),
            sealed: row.sealed,
        }
    }

    /// A page of the queue.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn queue(
        &self,
        viewer: &Viewer,
        filter: Filter,
        account: Option<String>,
        offset: u32,
    ) -> Result<Page, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let store = &self.inner.store;
        // One more than a page holds tells whether there are more.
        let mut rows = store.queue(filter.row(), account, offset, PAGE + 1).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let lines = rows.into_iter().map(|row| self.line(row)).collect();
        Ok(Page { lines, counts: self.counts(viewer).await?, more })
    }

    fn offers(&self, account: crate::domain::ids::AccountId) -> Option<Offers> {
        self.served(account).map(|served| Offers::of(&served.platform.capabilities()))
    }

    /// One line of the queue, for a live page.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn queue_line(&self, viewer: &Viewer, case: CaseId) -> Result<Line, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        Ok(self.line(self.inner.store.queue_line(case).await?))
    }

    /// Registrations that await their number, oldest first, and the latest that have one.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn diary(
        &self,
        viewer: &Viewer,
    ) -> Result<(Vec<DiaryLine>, Vec<DiaryLine>), ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let mut lists = (Vec::new(), Vec::new());
        for row in self.inner.store.registrations_for_page(PAGE).await? {
            let line = self.line(self.inner.store.queue_line(row.registration.case).await?);
            let registration = row.registration;
            let number = registration.diary_number.zip(row.entered);
            let list = if number.is_some() { &mut lists.1 } else { &mut lists.0 };
            list.push(DiaryLine {
                registration: registration.id,
                line,
                package: registration.package,
                exported_at: registration.exported_at,
                number: number.map(|(number, (at, by))| (number, at, by)),
            });
        }
        Ok(lists)
    }

    /// The case that a registration belongs to.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn case_of_registration(
        &self,
        viewer: &Viewer,
        registration: RegistrationId,
    ) -> Result<CaseId, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        Ok(self.inner.store.case_of_registration(registration).await?)
    }

    /// How many cases stand under each filter.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn counts(&self, viewer: &Viewer) -> Result<Counts, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let counts = self.inner.store.case_counts().await?;
        Ok(Counts {
            open: counts.open,
            held: counts.held,
            decided: counts.decided,
            awaiting_diary: counts.awaiting_diary,
            closed: counts.closed,
        })
    }

    /// Brings the gauges of waiting and overdue cases up to date, for `/metrics`.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn gauge_cases(&self) -> Result<(), ServiceError> {
        let store = &self.inner.store;
        gauge!(names::CASES_WAITING).set(store.case_counts().await?.open as f64);
        gauge!(names::CASES_OVERDUE).set(store.n_overdue(self.inner.clock.now()).await? as f64);
        Ok(())
    }

    /// The open cases before and after one in the queue's order.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn neighbours(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<(Option<CaseId>, Option<CaseId>), ServiceError> {
        viewer.demand(Act::ReadCases)?;
        Ok(self.inner.store.neighbours(case).await?)
    }

    /// What to tell an open page of a changed case: whether it stands in the open queue now, and
    /// the newest step of its history in words without content.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn case_news(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<Option<(bool, String)>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let row = self.inner.store.case(case).await?;
        let last = self.inner.store.case_history(case).await?.pop();
        Ok(last.map(|step| {
            // Nobody is told what they just did themselves.
            let own = step.user.as_deref() == Some(viewer.name.as_str());
            let who = step.user.unwrap_or_else(|| "Uppsikt".into());
            let new = row.state.needs_a_person() && row.revision == 1 && row.claim.is_none();
            (new, if own { String::new() } else { format!("{who}: {}", step.what) })
        }))
    }

    /// How every account is being watched.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn watches(&self, viewer: &Viewer) -> Result<Vec<Watch>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let overview = self.inner.store.account_overview().await?;
        Ok(overview
            .into_iter()
            .map(|o| Watch {
                offers: self.offers(o.account.id),
                account: o.account,
                last_ok_at: o.fetch.last_ok_at,
                next_at: o.fetch.next_at,
                problem: o.fetch.problem,
                gap: o.fetch.gap,
                stopped: o.fetch.stopped,
                n_items: o.n_items,
                n_unreadable: o.n_unreadable,
            })
            .collect())
    }

    /// Everything about one case. Opening it is audited, since its text is shown in full.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn case_file(&self, viewer: &Viewer, case: CaseId) -> Result<CaseFile, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let store = &self.inner.store;
        let now = self.inner.clock.now();
        let row = store.case(case).await?;
        let line = viewer.line("case.open", format!("case {case}"));
        store.record_audit(line, now).await?;
        let item = store.item(row.item).await?;
        let versions = store.versions_of(row.item).await?;
        let version = store.version(row.version).await?;
        let n_versions = versions.len().try_into().unwrap_or(u32::MAX);
        let earlier_texts = versions
            .into_iter()
            .filter(|v| v.number < version.number)
            .map(|v| (v.fetched_at, v.text))
            .collect();
        let standing = store.standing_decision(case).await?.map(|d| Standing {
            id: d.id,
            choices: d.choices,
            ground: d.ground,
            by: d.by,
            at: d.at,
            undo_until: d.undo_until,
        });
        let actions = store.actions_on(case).await?.into_iter().map(|a| ActionView {
            id: a.id,
            kind: a.kind,
            state: a.state,
            decision: a.decision,
        });
        let history = store.case_history(case).await?.into_iter().map(|e| Step {
            at: e.at,
            by: e.user,
            what: e.what,
            detail: e.detail,
        });
        let diary = store.registrations_of(case).await?.into_iter().map(|r| r.diary_number);
        let account = store.queue_line(case).await?.account;
        let empty =
            || Verdict { lexicon: self.inner.classifier.version().clone(), findings: Vec::new() };
        let verdict = version.verdict.clone().unwrap_or_else(empty);
        let mut file = CaseFile {
            id: case,
            state: row.state,
            revision: row.revision,
            opened_at: row.opened_at,
            due_at: row.due_at,
            claim: claimed(row.claim, now),
            account,
            kind: item.kind,
            author: version.author,
            text: version.text,
            version: (version.number, n_versions),
            earlier_texts,
            created_at: item.created_at,
            fetched_at: version.fetched_at,
            presence: item.presence,
            presence_at: item.presence_at,
            permalink: item.permalink,
            barred: item.barred,
            proposal: self.inner.policy.proposal(&verdict),
            findings: verdict.findings,
            above: store.thread_above(row.item).await?,
            below: store.thread_below(row.item, BELOW).await?,
            earlier_cases: store.earlier_cases_of_author(case, EARLIER).await?,
            evidence: self.evidence_at_hand(row.version).await?,
            standing,
            actions: actions.collect(),
            diary: diary.collect(),
            history: history.collect(),
            offers: self.offers(item.account),
            may_read_evidence: viewer.may(Act::ReadEvidence),
            may_decide: viewer.may(Act::Decide),
            may_enter_number: viewer.may(Act::EnterDiaryNumber),
        };
        if !file.may_read_evidence {
            file.mask();
        }
        Ok(file)
    }

    async fn evidence_at_hand(
        &self,
        version: crate::domain::ids::VersionId,
    ) -> Result<Evidence, ServiceError> {
        let Some(row) = self.inner.store.evidence_of(version).await? else {
            return Ok(Evidence::None);
        };
        Ok(match row.state {
            EvidenceState::Wanted => Evidence::Wanted { problem: row.problem },
            EvidenceState::Disposed { .. } => Evidence::Disposed { id: row.id },
            EvidenceState::Sealed { manifest, log_seq, at } => {
                let read = self.inner.evidence.intact(&row).await;
                let read = read.map_err(|error| {
                    tracing::error!(evidence.id = %row.id, error = &error as &dyn std::error::Error, "the manifest fails its check");
                    "En fil i beviset saknas eller har ändrats. Rör inget och kontakta den som sköter servern.".to_owned()
                });
                Evidence::Sealed(Box::new(SealedEvidence {
                    id: row.id,
                    sealed_at: at,
                    log_seq,
                    manifest_hash: manifest,
                    manifest: read,
                }))
            }
        })
    }

    /// One evidence record, for its own page. The showing is audited.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], [`ServiceError::NotFound`] where it is not sealed.
    pub async fn evidence_record(
        &self,
        viewer: &Viewer,
        id: EvidenceId,
    ) -> Result<(SealedEvidence, Option<CaseId>), ServiceError> {
        viewer.demand(Act::ReadEvidence)?;
        let row = self.inner.store.evidence(id).await?;
        let line = viewer.line("evidence.open", format!("evidence {id}"));
        self.inner.store.record_audit(line, self.inner.clock.now()).await?;
        let case = self.inner.store.case_of(row.item).await?.map(|case| case.id);
        match self.evidence_at_hand(row.version).await? {
            Evidence::Sealed(sealed) => Ok((*sealed, case)),
            Evidence::None | Evidence::Wanted { .. } | Evidence::Disposed { .. } => {
                Err(ServiceError::NotFound { what: "sealed evidence" })
            }
        }
    }

    /// The bytes of one part of a sealed record, by its file name, with its media type. Checked
    /// against the manifest; the showing is audited.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn evidence_part(
        &self,
        viewer: &Viewer,
        id: EvidenceId,
        name: &str,
    ) -> Result<PartFile, ServiceError> {
        viewer.demand(Act::ReadEvidence)?;
        let row = self.inner.store.evidence(id).await?;
        let broken = |e| ServiceError::broken("reading of evidence", e);
        if matches!(row.state, EvidenceState::Wanted | EvidenceState::Disposed { .. }) {
            return Err(ServiceError::NotFound { what: "sealed evidence" });
        }
        let manifest = self.inner.evidence.manifest(&row).await.map_err(broken)?;
        let mut line = viewer.line("evidence.part", format!("evidence {id}"));
        let now = self.inner.clock.now();
        if name == "manifest.json" {
            line.detail = Some(name.to_owned());
            self.inner.store.record_audit(line, now).await?;
            let EvidenceState::Sealed { manifest: hash, .. } = row.state else {
                return Err(ServiceError::NotFound { what: "sealed evidence" });
            };
            let bytes = self.inner.evidence.bytes(hash).await.map_err(broken)?;
            let (name, media_type) = (name.to_owned(), "application/json".to_owned());
            return Ok(PartFile { kind: None, name, media_type, bytes });
        }
        let part = manifest
            .parts
            .iter()
            .find(|part| part.name == name)
            .ok_or(ServiceError::NotFound { what: "part of the evidence" })?;
        line.detail = Some(part.name.clone());
        self.inner.store.record_audit(line, now).await?;
        let bytes = self.inner.evidence.bytes(part.sha256).await.map_err(broken)?;
        Ok(PartFile {
            kind: Some(part.kind),
            name: part.name.clone(),
            media_type: part.media_type.clone(),
            bytes,
        })
    }
}
