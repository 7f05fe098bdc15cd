//! The queue as people see it, masked, and the lists beside it.

use jiff::Timestamp;
use metrics::gauge;

use crate::domain::account::Account;
use crate::domain::case::CaseState;
use crate::domain::category::{Category, Severity};
use crate::domain::escalation::EscalationStep;
use crate::domain::handover::HandoverNow;
use crate::domain::ids::{CaseId, DiaryNumber, RegistrationId, UserId};
use crate::domain::item::{Author, ItemKind};
use crate::domain::person::Act;
use crate::domain::secrecy::WITHHELD;
use crate::domain::verdict::Verdict;
use crate::store::queue::QueueRow;
use crate::store::rows;
use crate::telemetry::metrics as names;

use super::connections::Rest;
use super::offers::Offers;
use super::veiled::VEILED;
use super::{ServiceError, Services, Viewer};

/// No number or address that is masked takes more room, however it is spaced or read out.
pub(super) const LONGEST_NUMBER_BYTES: usize = 192;

/// What stands in lists instead of what may not be copied: seeing it leaves a line in the audit log.
pub const SHOWN_IN_THE_CASE: &str = "[Får inte kopieras: visas bara i ärendet.]";

/// How many cases a page of the queue holds.
pub const PAGE: u32 = 50;

/// Cases that are passed over on the way to the next one that a person may open.
const MOST_PASSED: usize = 20;

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
    /// Exempt from disposal, in whatever state.
    Exempt,
    /// Marked as secret, in whatever state.
    Secret,
}

impl Filter {
    /// All filters, in the order of the page.
    pub const ALL: &[Self] = &[
        Self::Open,
        Self::Held,
        Self::Decided,
        Self::AwaitingDiary,
        Self::Closed,
        Self::Exempt,
        Self::Secret,
    ];

    /// Identifier in addresses.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Open => "oppna",
            Self::Held => "vantar",
            Self::Decided => "genomfors",
            Self::AwaitingDiary => "diarium",
            Self::Closed => "avslutade",
            Self::Exempt => "undantagna",
            Self::Secret => "sekretess",
        }
    }

    /// The filter with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|f| f.id() == id)
    }

    pub(super) const fn row(self) -> rows::QueueFilter {
        match self {
            Self::Open => rows::QueueFilter::Open,
            Self::Held => rows::QueueFilter::Held,
            Self::Decided => rows::QueueFilter::Decided,
            Self::AwaitingDiary => rows::QueueFilter::AwaitingDiary,
            Self::Closed => rows::QueueFilter::Closed,
            Self::Exempt => rows::QueueFilter::Exempt,
            Self::Secret => rows::QueueFilter::Secret,
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
    /// Exempt from disposal.
    pub exempt: u64,
    /// Marked as secret, in whatever state.
    pub secret: u64,
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
            Filter::Exempt => self.exempt,
            Filter::Secret => self.secret,
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
    /// Since when it waits under that deadline.
    pub waits_since: Timestamp,
    /// What it is about stands outside our control: the deadline does not count.
    pub outside: bool,
    /// What was found, hardest first, each category once.
    pub categories: Vec<(Category, Severity)>,
    /// Who works on it.
    pub claim: Option<ClaimedBy>,
    /// Whether evidence of the current version is sealed.
    pub sealed: bool,
    /// It bears a secrecy mark: text, author and categories stand in the case alone.
    pub secret: bool,
    /// How many other items have nearly the same text; counted up to a hundred.
    pub n_alike: u32,
    /// How many others of them wait for a person, on the accounts that were asked for.
    pub n_similar: u32,
    /// Until when it rests.
    pub rests_until: Option<Timestamp>,
    /// It is back since its time to rest was over.
    pub has_rested: bool,
    /// To whom the deadline has gone on, if it has.
    pub went_on_to: Option<EscalationStep>,
    /// Who is responsible, in words, as far as a page of the queue has asked.
    pub responsible: Option<String>,
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
    /// Why it rests; nothing while it is read as usual.
    pub rest: Option<Rest>,
    /// When its login ends, where that is known.
    pub login_ends: Option<jiff::civil::Date>,
    /// Items known.
    pub n_items: u64,
    /// Elements kept aside because they could not be read.
    pub n_unreadable: u64,
    /// The last of these: when, where it stood and what is wrong with it, in Swedish.
    pub last_unreadable: Option<(Timestamp, String)>,
    /// What it can do; none where it is no longer configured.
    pub offers: Option<Offers>,
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
    /// How it goes by each way beside the export folder, while the number is awaited.
    pub handovers: Vec<HandoverNow>,
}

pub(super) fn claimed(
    claim: Option<(crate::domain::claim::Claim, String)>,
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

/// What an open page is told of a changed case. The words are the newest step of its history, without
/// content, and empty for what the reader did themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It is new in the open queue.
    Entered,
    /// It stands in the open queue, and something happened to it.
    Changed(String),
    /// It does not stand in the open queue.
    Left(String),
}

impl Services {
    pub(super) fn line(&self, row: QueueRow) -> Line {
        // Whoever sees what is suspected has opened the case, which is a line of the audit log.
        let (mut author, mut withheld) = (author_words(&row.author), None);
        if row.case.veiled {
            author = "avsändaren".into();
            withheld = Some(VEILED.to_owned());
        }
        if row.no_copy || row.secret {
            author = "avsändaren".into();
            withheld = Some(if row.no_copy { SHOWN_IN_THE_CASE } else { WITHHELD }.to_owned());
        }
        let one_line = row.text_head.split_whitespace().collect::<Vec<_>>().join(" ");
        let classifier = self.classifier();
        let mut text = classifier.masked(&one_line).into_owned();
        if row.text_is_cut {
            // Half a number at the cut is no number to the mask, so the end is left out.
            let end = text.floor_char_boundary(text.len().saturating_sub(LONGEST_NUMBER_BYTES));
            text.truncate(end);
            text.push('…');
        }
        Line {
            case: row.case.id,
            rests_until: match row.case.state {
                CaseState::Held { until, .. } => Some(until),
                CaseState::Waiting
                | CaseState::Returned { .. }
                | CaseState::Decided
                | CaseState::AwaitingDiary
                | CaseState::Closed { .. } => None,
            },
            has_rested: row.case.has_rested,
            state: row.case.state,
            account: row.account,
            kind: row.kind,
            author: classifier.masked(&author).into_owned(),
            text: withheld.unwrap_or(text),
            created_at: row.created_at,
            fetched_at: row.first_fetched_at,
            due_at: row.case.due_at,
            waits_since: row.case.waits_since,
            outside: row.case.outside,
            // What is thought to stand in it tells of it.
            categories: if row.secret { Vec::new() } else { categories(row.verdict.as_ref()) },
            secret: row.secret,
            claim: claimed(row.case.claim, self.inner.clock.now()),
            sealed: row.sealed,
            n_alike: row.n_alike,
            n_similar: row.n_similar,
            went_on_to: None,
            responsible: None,
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
        let went_on = store.last_steps(rows.iter().map(|row| row.case.id).collect()).await?;
        let line = |row: QueueRow| {
            let went_on_to = went_on.get(&row.case.id).copied();
            Line { went_on_to, ..self.line(row) }
        };
        let mut lines: Vec<_> = rows.into_iter().map(line).collect();
        self.name_lines(&mut lines).await?;
        Ok(Page { lines, counts: self.counts(viewer).await?, more })
    }

    pub(super) fn offers(&self, account: crate::domain::ids::AccountId) -> Option<Offers> {
        self.served(account).map(|served| Offers::of(&served.platform.capabilities()))
    }

    /// One line of the queue, for a live page.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn queue_line(&self, viewer: &Viewer, case: CaseId) -> Result<Line, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        self.unasked_line(case).await
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
            let handovers = match number {
                None => self.inner.store.handovers_of(registration.id).await?,
                Some(_) => Vec::new(),
            };
            let list = if number.is_some() { &mut lists.1 } else { &mut lists.0 };
            list.push(DiaryLine {
                registration: registration.id,
                line,
                package: registration.package,
                exported_at: registration.exported_at,
                number: number.map(|(number, (at, by))| (number, at, by)),
                handovers,
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
            exempt: counts.exempt,
            secret: counts.secret,
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
        let (mut previous, mut next) = self.inner.store.neighbours(case).await?;
        // Nobody is led to a page that refuses them.
        for _ in 0..MOST_PASSED {
            match previous {
                Some(at) if !self.is_open_to(viewer, at).await? => {
                    previous = self.inner.store.neighbours(at).await?.0;
                }
                Some(_) | None => break,
            }
        }
        for _ in 0..MOST_PASSED {
            match next {
                Some(at) if !self.is_open_to(viewer, at).await? => {
                    next = self.inner.store.neighbours(at).await?.1;
                }
                Some(_) | None => break,
            }
        }
        Ok((previous, next))
    }

    /// What to tell an open page of a changed case, nothing of one without a history.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn case_news(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<Option<News>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let row = self.inner.store.case(case).await?;
        let last = self.inner.store.case_history(case).await?.pop();
        Ok(last.map(|step| {
            // Nobody is told what they just did themselves.
            let own = step.user.as_deref() == Some(viewer.name.as_str());
            let who = step.user.unwrap_or_else(|| "Uppsikt".into());
            let words = if own { String::new() } else { format!("{who}: {}", step.what) };
            match row.state.needs_a_person() {
                true if row.revision == 1 && row.claim.is_none() => News::Entered,
                true => News::Changed(words),
                false => News::Left(words),
            }
        }))
    }

    /// How every account is being watched.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn watches(&self, viewer: &Viewer) -> Result<Vec<Watch>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let overview = self.inner.store.account_overview().await?;
        let logins = self.inner.store.credentials().await?;
        let now = self.inner.clock.now();
        Ok(overview
            .into_iter()
            .map(|o| Watch {
                rest: Rest::of(&o.fetch, now),
                login_ends: self.login_of(o.account.id, &logins).0,
                offers: self.offers(o.account.id),
                account: o.account,
                last_ok_at: o.fetch.last_ok_at,
                next_at: o.fetch.next_at,
                problem: o.fetch.problem,
                gap: o.fetch.gap,
                stopped: o.fetch.stopped,
                n_items: o.n_items,
                n_unreadable: o.n_unreadable,
                last_unreadable: o.last_unreadable,
            })
            .collect())
    }
}
