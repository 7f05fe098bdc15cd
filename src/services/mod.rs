//! Where the layers meet. All state is in the store: each loop takes due work from durable rows
//! and writes its own, so that a crash anywhere resumes there.
//!
//! What people do goes through the methods of [`Services`] that take a [`Viewer`]: they check the
//! permission, mask, and write the audit log. `web` and `cli` cannot read past them.

pub mod account_safety;
pub mod anew;
pub mod api_keys;
pub mod archive;
pub mod archive_runs;
pub mod assess;
mod attachments;
pub mod audit_log;
pub mod capture;
pub mod cards;
pub mod case_file;
mod case_sheet;
pub mod claims;
mod closing;
pub mod connections;
pub mod corrections;
pub mod coverage;
pub mod crisis;
pub mod crisis_sheet;
pub mod custody;
pub mod decide;
pub mod deliveries;
pub mod disposal;
mod dossiers;
pub mod exports;
pub mod filters;
pub mod forward;
pub mod handovers;
pub mod hooks;
pub mod imap;
pub mod intake;
pub mod lexicons;
mod linked;
pub mod mailbox;
pub mod manual;
pub mod mentions;
pub mod notices;
pub mod offers;
pub mod outbox;
mod pace;
pub mod packages;
mod page_pictures;
pub mod past;
pub mod people;
pub mod picture;
pub mod police;
pub mod policies;
mod public_accounts;
pub mod public_reports;
pub mod push;
pub mod queue;
mod read_again;
pub mod records;
pub mod recounts;
pub mod registration;
pub mod releases;
pub mod replies;
pub mod reports;
pub mod responsible;
pub mod rule_book;
pub mod rule_desk;
pub mod rule_facts;
pub mod rules;
pub mod search;
pub mod secrecy;
pub mod session;
pub mod sign_in;
pub mod stamps;
pub mod statistics;
mod subject_documents;
pub mod subjects;
pub mod supervision;
pub mod tasks;
pub mod together;
pub mod users;
pub mod veiled;
pub mod verification;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, Semaphore, broadcast};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use url::Url;

use crate::classify::Classifier;
use crate::domain::account::Account;
use crate::domain::crisis::Crisis;
use crate::domain::ids::{AccountId, AccountKey, CaseId, PolicyVersionId, UserId};
use crate::domain::person::{Act, Role};
use crate::domain::policy::Policy;
use crate::evidence::EvidenceStore;
use crate::evidence::browser::Browser;
use crate::evidence::fetch::{FetchLimits, Fetcher};
use crate::platforms::Platform;
use crate::platforms::push::PushSource;
use crate::runtime::clock::Clock;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

use deliveries::PackageForm;

/// Pictures that are drawn at the same time: each may take some hundred MB while it is unpacked.
const DRAWN_AT_ONCE: usize = 2;

/// How many changes an open page may lag behind before it is told to load anew.
const CHANGES_KEPT: usize = 1024;

/// How a stage works.
#[derive(Debug)]
pub struct Settings {
    /// The authority's name, as on sheets.
    pub authority: String,
    /// Where packages for the diary are written.
    pub export_dir: PathBuf,
    /// Their form.
    pub export_form: PackageForm,
    /// Whether the platform's answer and the manifest lie in the sheet itself (PDF/A-3a).
    pub sheet_embeds: bool,
    /// How long a claim holds without activity.
    pub claim: SignedDuration,
    /// How long a session lasts.
    pub session: SignedDuration,
    /// How many accounts may be polled at once.
    pub polls_at_once: usize,
    /// How often a rule that fires far above its past may fire in a day before it is set aside.
    pub rule_quota: u64,
    /// How much of what hangs on an item is fetched.
    pub fetch: FetchLimits,
    /// Whether evidence holds what the page loaded, as a web archive.
    pub page_archives: bool,
    /// What is done right before an item is removed, beside reading it.
    pub before_removal: BeforeRemoval,
    /// By what ways packages reach the diary, and its numbers us.
    pub diary: handovers::Ways,
    /// Whether the public may report, and how much.
    pub public_reports: public_reports::Bounds,
    /// How people log in.
    pub sign_in: sign_in::SignIn,
    /// Where messages to other systems may go.
    pub hooks: hooks::Settings,
}

/// What is done right before an item is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeforeRemoval {
    /// The live text is held against the sealed one, and sealed where it changed.
    Compare,
    /// What stands there is sealed once more as well.
    Seal,
    /// The same without a sheet, which is nearly all the time it takes.
    #[cfg(test)]
    SealPlainly,
}

/// An account with all it takes to serve it.
pub struct Served {
    /// The account as the store knows it.
    pub account: Account,
    /// Its connector.
    pub platform: Arc<dyn Platform>,
    /// How often it is polled.
    pub interval: Duration,
    /// Its own policy, where it does not go by the authority's.
    pub policy: Option<Policy>,
    /// The day on which its login ends by the settings, where the platform does not tell.
    pub token_expires: Option<jiff::civil::Date>,
    /// What reads its pushes, where it takes any.
    pub push: Option<Arc<dyn PushSource>>,
    /// The account's own address, where it may lie on a private network: screenshots of pages at
    /// this very host and port may too, and no others.
    pub private_at: Option<Url>,
}

/// Something that open pages want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A case was opened or changed in any way.
    Case(CaseId),
    /// Somebody took a case, or let it go.
    Claim(CaseId),
    /// Evidence of a case's version was sealed.
    Seal(CaseId),
    /// An account's fetching went well or failed.
    Account(AccountId),
}

/// Notices that wake the loops before their tick.
#[derive(Clone, Debug, Default)]
pub struct Wakes {
    /// New versions wait for a verdict.
    pub assess: Arc<Notify>,
    /// Evidence is wanted.
    pub capture: Arc<Notify>,
    /// Actions are due.
    pub outbox: Arc<Notify>,
    /// An account is to be polled now.
    pub intake: Arc<Notify>,
}

/// Everything a service needs. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    evidence: EvidenceStore,
    classifier: RwLock<Arc<Classifier>>,
    /// What changing rules takes; set at the start.
    rule_desk: OnceLock<rule_book::Desk>,
    /// Which own rules are in force.
    own_rules: RwLock<rule_book::InForce>,
    /// Held while rules are tried or put in force: each has lexicons of its own.
    rule_turn: tokio::sync::Mutex<()>,
    /// What forwarding by mail takes; set at the start, where there is a mail server.
    forwarding: OnceLock<forward::Desk>,
    policies: policies::InForce,
    /// What changing policies takes; set at the start.
    policy_desk: OnceLock<policies::Desk>,
    /// Held while what rules is read and put in force.
    policy_turn: tokio::sync::Mutex<()>,
    clock: Clock,
    settings: Settings,
    accounts: BTreeMap<AccountId, Arc<Served>>,
    /// Places whose items are recorded by hand; new ones come while the program runs.
    places: RwLock<BTreeMap<AccountId, Arc<Served>>>,
    browser: Option<Browser>,
    no_browser: Option<String>,
    /// Fetches attachments; none where TLS could not be set up.
    fetcher: Option<Fetcher>,
    /// Pictures that are drawn at the same time.
    drawing: Semaphore,
    changes: broadcast::Sender<Change>,
    wakes: Wakes,
    walks: intake::Walks,
    stirred: pace::Stirred,
    assessing: assess::Assessing,
    polls: Arc<Lanes>,
    polls_at_once: Arc<Semaphore>,
    /// The same for accounts that are not well.
    probes_at_once: Arc<Semaphore>,
    /// Polls that took long and have given their turn on.
    waits_at_once: Arc<Semaphore>,
    /// Accounts whose logins are being asked about.
    checks: Arc<Lanes>,
    acts: Arc<Lanes>,
    checking: verification::Checking,
    seen: supervision::Seen,
    /// Held by whoever ends a request for records, from reading it until its document is what the row says.
    ending: tokio::sync::Mutex<()>,
    /// When the mailbox on the mail server is read again.
    mailbox_rest: tokio::sync::Mutex<mailbox::Rest>,
    /// Something is amiss with an account that its people are told of at once.
    amiss: AtomicBool,
    /// How far disposal has come among mails that became reports.
    mails_swept: tokio::sync::Mutex<mailbox::SweptUpTo>,
    /// Versions of policies whose late deadlines were counted anew since the start.
    recounted: Mutex<BTreeSet<PolicyVersionId>>,
    /// The day on which texts without a case were last gone through.
    swept: tokio::sync::Mutex<Option<jiff::civil::Date>>,
    /// When it was last asked which archive runs are due.
    runs_asked: tokio::sync::Mutex<Option<jiff::Timestamp>>,
    /// Accounts at which personal data weighs more.
    strict: RwLock<BTreeSet<AccountId>>,
    /// The crisis that stands, as far as is known; it may be over by itself.
    crisis: RwLock<Option<Crisis>>,
    /// Log-ins that wait for their next step.
    steps: sign_in::Steps,
}

/// Work in hand, one lane an account: nothing waits for another account, and nothing is begun
/// twice. Whoever stops the program waits for the lanes.
#[derive(Debug, Default)]
struct Lanes {
    state: Mutex<LaneState>,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct LaneState {
    busy: BTreeSet<AccountId>,
    /// What could not even be recorded rests until then, so that a full disk is not met by
    /// asking the platform the same thing twice a second.
    resting: BTreeMap<AccountId, Timestamp>,
    closed: bool,
}

/// How long a lane rests whose outcome could not be recorded.
const REST: SignedDuration = SignedDuration::from_secs(10);

impl Lanes {
    fn state(&self) -> std::sync::MutexGuard<'_, LaneState> {
        // Short sections; a panic in between leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lane of an account, unless it is busy or resting or the program stops.
    fn take(self: &Arc<Self>, account: AccountId, now: Timestamp) -> Option<Lane> {
        let mut state = self.state();
        let resting = state.resting.get(&account).is_some_and(|until| *until > now);
        if state.closed || resting || !state.busy.insert(account) {
            return None;
        }
        state.resting.remove(&account);
        // Counted under the lock: whoever closes the lanes waits for it.
        Some(Lane { lanes: self.clone(), account, _token: self.tasks.token() })
    }

    async fn finish(&self) {
        self.state().closed = true;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The lane of one account, given back when dropped.
#[derive(Debug)]
struct Lane {
    lanes: Arc<Lanes>,
    account: AccountId,
    _token: TaskTrackerToken,
}

impl Lane {
    fn rest(&self, now: Timestamp) {
        let until = now.saturating_add(REST).unwrap_or(Timestamp::MAX);
        self.lanes.state().resting.insert(self.account, until);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.lanes.state().busy.remove(&self.account);
    }
}

/// What [`Services::new`] is made of.
pub struct Parts {
    /// The store.
    pub store: Store,
    /// The evidence store.
    pub evidence: EvidenceStore,
    /// The classifier.
    pub classifier: Arc<Classifier>,
    /// The policy.
    pub policy: Policy,
    /// The clock.
    pub clock: Clock,
    /// Settings.
    pub settings: Settings,
    /// Every account that is served.
    pub accounts: Vec<Served>,
    /// The browser, or why there is none, in Swedish.
    pub browser: Result<Browser, String>,
}

/// Who asks. Every act of a person carries one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Who.
    pub user: UserId,
    /// Name, for the history.
    pub name: String,
    /// Title, for signatures.
    pub title: String,
    /// Role.
    pub role: Role,
    /// From where.
    pub address: IpAddr,
    /// What is shown of the key, where a program asks for them.
    pub key: Option<String>,
}

impl Viewer {
    /// Whether the role allows the act.
    pub fn may(&self, act: Act) -> bool {
        self.role.may(act)
    }

    fn demand(&self, act: Act) -> Result<(), ServiceError> {
        if self.may(act) { Ok(()) } else { Err(ServiceError::NotPermitted { act }) }
    }

    /// Who, and by which key where a program asks for them.
    fn named(&self) -> String {
        match &self.key {
            Some(key) => format!("{} (nyckel {key})", self.name),
            None => self.name.clone(),
        }
    }

    fn line(&self, act: &'static str, subject: impl Into<String>) -> AuditLine {
        AuditLine {
            user: Some(self.user),
            user_name: self.named(),
            act,
            subject: subject.into(),
            address: self.address.to_string(),
            detail: None,
        }
    }
}

/// What can go wrong, by what a caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no such thing.
    #[error("there is no {what}")]
    NotFound {
        /// What was asked for.
        what: &'static str,
    },
    /// The role does not allow it.
    #[error("the role does not allow {act:?}")]
    NotPermitted {
        /// What was asked for.
        act: Act,
    },
    /// A smaller circle opens the case, and the person is not in it; the words say what may be known of it and who
    /// they are, in Swedish.
    #[error("shut: {why}")]
    Shut {
        /// For the person.
        why: String,
    },
    /// The rules do not allow it now; the sentence says why and what to do, in Swedish.
    #[error("refused: {why}")]
    Refused {
        /// For the person.
        why: String,
    },
    /// Somebody else was first; the sentence says who and what to do, in Swedish.
    #[error("conflict: {why}")]
    Conflict {
        /// For the person.
        why: String,
    },
    /// Sealed evidence is no longer what was sealed; the sentence names the file, in Swedish.
    #[error("damaged evidence: {why}")]
    Damaged {
        /// For the person.
        why: String,
    },
    /// It cannot be done just now but may go later.
    #[error("try again later: {why}")]
    TryLater {
        /// For the person.
        why: String,
    },
    /// The disk is full or cannot be written; nothing was changed.
    #[error("the database cannot be written")]
    NotWritable {
        /// For the person.
        why: String,
    },
    /// A fault of ours or of the machine.
    #[error("the {doing} failed")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ServiceError {
    pub(crate) fn broken(
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Broken { doing, source: source.into() }
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what } => Self::NotFound { what },
            StoreError::Refused { why } => Self::Refused { why },
            StoreError::Conflict { what: "claim" } => Self::Conflict {
                why: "Någon annan arbetar med ärendet just nu. Vänta tills det släpps, eller ta nästa.".into(),
            },
            StoreError::Conflict { .. } => Self::Conflict {
                why: "Ärendet har ändrats sedan du öppnade sidan. Läs det som står nu och besluta på nytt; inget har utförts.".into(),
            },
            StoreError::NotWritable(_) => Self::NotWritable {
                why: "Databasen kan inte skrivas: disken är full eller skrivskyddad. Inget har ändrats. Kontakta den som sköter servern.".into(),
            },
            StoreError::Closed => Self::TryLater {
                why: "Uppsikt håller på att stängas av. Försök igen om en stund.".into(),
            },
            error @ (StoreError::Newer { .. }
            | StoreError::Open { .. }
            | StoreError::Upgrade { .. }
            | StoreError::Secret { .. }
            | StoreError::Row { .. }
            | StoreError::Database(_)) => Self::broken("database", error),
        }
    }
}

impl Services {
    /// Whether database and evidence can be written: not where the last try found the disk full or
    /// read-only.
    pub fn disk_is_writable(&self) -> bool {
        self.inner.store.is_writable() && self.inner.evidence.is_writable()
    }

    /// Puts the services together.
    pub fn new(parts: Parts) -> Self {
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        let own = parts.accounts.iter().filter_map(|s| Some((s.account.id, s.policy.clone()?)));
        let policies = policies::InForce::new(parts.policy, own.collect());
        let accounts = parts
            .accounts
            .into_iter()
            .map(|served| (served.account.id, Arc::new(served)))
            .collect();
        let (browser, no_browser) = match parts.browser {
            Ok(browser) => (Some(browser), None),
            Err(why) => (None, Some(why)),
        };
        let fetcher = match Fetcher::new() {
            Ok(fetcher) => Some(fetcher),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "attachments cannot be fetched");
                None
            }
        };
        Self {
            inner: Arc::new(Inner {
                store: parts.store,
                evidence: parts.evidence,
                classifier: RwLock::new(parts.classifier),
                rule_desk: OnceLock::new(),
                own_rules: RwLock::default(),
                rule_turn: tokio::sync::Mutex::default(),
                forwarding: OnceLock::new(),
                policies,
                policy_desk: OnceLock::new(),
                policy_turn: tokio::sync::Mutex::default(),
                clock: parts.clock,
                accounts,
                places: RwLock::default(),
                browser,
                no_browser,
                fetcher,
                drawing: Semaphore::new(DRAWN_AT_ONCE),
                changes,
                wakes: Wakes::default(),
                walks: intake::Walks::default(),
                stirred: pace::Stirred::default(),
                assessing: assess::Assessing::default(),
                polls: Arc::default(),
                polls_at_once: Arc::new(Semaphore::new(parts.settings.polls_at_once.max(1))),
                // A quarter: what answers again finds a turn soon, and what does not costs the others none.
                probes_at_once: Arc::new(Semaphore::new((parts.settings.polls_at_once / 4).max(1))),
                waits_at_once: Arc::new(Semaphore::new(intake::MOST_WAITING)),
                checks: Arc::default(),
                acts: Arc::default(),
                checking: verification::Checking::default(),
                seen: supervision::Seen::default(),
                ending: tokio::sync::Mutex::default(),
                mailbox_rest: tokio::sync::Mutex::default(),
                amiss: AtomicBool::default(),
                mails_swept: tokio::sync::Mutex::default(),
                recounted: Mutex::default(),
                swept: tokio::sync::Mutex::default(),
                runs_asked: tokio::sync::Mutex::default(),
                strict: RwLock::default(),
                crisis: RwLock::default(),
                steps: sign_in::Steps::default(),
                settings: parts.settings,
            }),
        }
    }

    /// Ends when no poll is in hand any more. To be called when no new ones are begun.
    pub async fn finish_polls(&self) {
        self.inner.polls.finish().await;
        self.inner.checks.finish().await;
    }

    /// Ends when every action in hand has reached its record.
    pub async fn finish_acts(&self) {
        self.inner.checking.stop();
        self.inner.acts.finish().await;
    }

    /// The notices that wake the loops.
    pub fn wakes(&self) -> &Wakes {
        &self.inner.wakes
    }

    /// A stream of changes for an open page.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// The clock that everything goes by.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The policy of the authority.
    pub fn policy(&self) -> Arc<Policy> {
        self.inner.policies.authority()
    }

    /// The policy of an account: its own, or the authority's; stricter where its card says so.
    fn policy_of(&self, account: AccountId) -> Arc<Policy> {
        let strict = self.inner.strict.read().unwrap_or_else(PoisonError::into_inner);
        self.inner.policies.of(account, strict.contains(&account))
    }

    /// The authority's name.
    pub fn authority(&self) -> &str {
        &self.inner.settings.authority
    }

    /// How a served account is reached, if it is configured.
    pub fn served(&self, account: AccountId) -> Option<Arc<Served>> {
        let places = || self.inner.places.read().unwrap_or_else(PoisonError::into_inner);
        let known = self.inner.accounts.get(&account).cloned();
        known.or_else(|| places().get(&account).cloned())
    }

    /// A served account by its key.
    pub fn served_by_key(&self, key: &AccountKey) -> Option<Arc<Served>> {
        let by_key = |served: &&Arc<Served>| served.account.key == *key;
        let known = self.inner.accounts.values().find(by_key).cloned();
        let places = || self.inner.places.read().unwrap_or_else(PoisonError::into_inner);
        known.or_else(|| places().values().find(by_key).cloned())
    }

    /// Why no screenshots are taken, in Swedish; nothing when they are.
    pub fn no_browser(&self) -> Option<&str> {
        self.inner.no_browser.as_deref()
    }

    /// Notes what the log has grown by beside the database, so that a database put back to before
    /// it is found out. Where that fails the entry stands all the same, and housekeeping notes it
    /// later.
    pub async fn note_log(&self) {
        if let Err(error) = self.inner.evidence.note_head().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the end of the log could not be noted");
        }
    }

    fn tell(&self, change: Change) {
        // Nobody listening is fine: no page is open.
        drop(self.inner.changes.send(change));
    }

    fn tell_cases(&self, cases: &[CaseId]) {
        for case in cases {
            self.tell(Change::Case(*case));
        }
    }
}
