//! What the store hands out: rows joined to what a service needs, as values.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::account::Account;
use crate::domain::action::{ActionKind, ActionState};
use crate::domain::breaker::{Breaker, Event, Trouble};
use crate::domain::case::CaseState;
use crate::domain::category::{Category, Severity};
use crate::domain::claim::Claim;
use crate::domain::decision::Choice;
use crate::domain::ground::Ground;
use crate::domain::ids::{
    AccountId, ActionId, CaseId, ContentHash, Cursor, DecisionId, DiaryNumber, EvidenceId, ItemId,
    LexiconVersion, PlatformItemId, PlatformPostId, RegistrationId, UserId, VersionId,
};
use crate::domain::item::{
    Attachment, Author, Barred, Batch, FetchedItem, ItemKind, Permalink, Presence,
};
use crate::domain::likeness::Traces;
use crate::domain::log::LogKind;
use crate::domain::person::Role;
use crate::domain::register::Kept;
use crate::domain::rule_watch::RuleAlarm;
use crate::domain::sign_in::Way;
use crate::domain::verdict::Verdict;

/// What storing a batch came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Items never seen before.
    pub new_items: u32,
    /// Known items with changed content.
    pub new_versions: u32,
    /// Items that were the same as before.
    pub unchanged: u32,
    /// Elements that could not be decoded and are kept aside.
    pub unreadable: u32,
    /// Known items whose visibility changed.
    pub presence_changes: u32,
    /// Cases that were told of it.
    pub touched: Vec<CaseId>,
}

/// What a push is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The identity that the sender gave it; not signed.
    pub id: String,
    /// The hash of its body.
    pub body: ContentHash,
    /// The hash of what was signed.
    pub signed: ContentHash,
    /// Whether it only says where to look: nothing has been read by it.
    pub is_hint: bool,
}

/// What a push tells: of the account that it came to, of others of the same app, and where to look.
#[derive(Clone, Debug, Default)]
pub struct PushTold {
    /// What it brought along, by account.
    pub batches: BTreeMap<AccountId, Batch>,
    /// What it points at, by account. An account without any is to be read all the same.
    pub looks: BTreeMap<AccountId, Vec<PointedAt>>,
}

/// Something that a push has pointed at and nobody has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointedAt {
    /// The platform's identity of the item.
    pub platform_id: PlatformItemId,
    /// What it is.
    pub kind: ItemKind,
    /// The post it stands under.
    pub post_id: Option<PlatformPostId>,
    /// The item it answers.
    pub parent_id: Option<PlatformItemId>,
    /// When it was pointed at last.
    pub at: Timestamp,
    /// How often it could not be read.
    pub tries: u32,
}

/// A push that was stored, or had been before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushStored {
    /// The answer, the same each time.
    pub answer: String,
    /// The cases that were told of something.
    pub touched: Vec<CaseId>,
    /// Whether it had not come before, under whatever identity.
    pub is_new: bool,
    /// Whether it may have left entries in the log: something that was sealed is gone.
    pub is_log_longer: bool,
}

impl PushStored {
    /// One that had come before: nothing is changed by it.
    pub const fn before(answer: String) -> Self {
        Self { answer, touched: Vec::new(), is_new: false, is_log_longer: false }
    }
}

/// Where fetching of an account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchState {
    /// Where to go on.
    pub cursor: Option<Cursor>,
    /// When it last went well.
    pub last_ok_at: Option<Timestamp>,
    /// When it was last tried.
    pub last_try_at: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// Not before this.
    pub next_at: Timestamp,
    /// What is wrong, in Swedish.
    pub problem: Option<String>,
    /// Why items may be missing although fetching went well, in Swedish.
    pub gap: Option<String>,
    /// A person must act before it is tried again.
    pub stopped: bool,
    /// The kind of the last failure, and how many of that kind came in a row.
    pub alike: Option<(Trouble, u32)>,
    /// Since when it rests, or is being probed; nothing while it is read as usual.
    pub open_since: Option<Timestamp>,
}

impl FetchState {
    /// Where the account's breaker stands now.
    pub fn breaker(&self, now: Timestamp) -> Breaker {
        let (failures, until) = (self.failures, self.next_at);
        match (self.open_since, self.alike) {
            (Some(since), Some((why, _))) => {
                Breaker::Open { why, since, failures, until }.on(Event::Tick { at: now })
            }
            (None, alike) => Breaker::Closed { failures, alike, next_at: until },
            // The schema refuses a rest without a reason.
            (Some(_), None) => Breaker::Closed { failures, alike: None, next_at: until },
        }
    }
}

/// One version of an item with all that later stages need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// Its row.
    pub id: VersionId,
    /// The item.
    pub item: ItemId,
    /// From 1.
    pub number: u32,
    /// Hash of text and attachments.
    pub content_hash: ContentHash,
    /// Text.
    pub text: String,
    /// Author as shown.
    pub author: Author,
    /// What hung on it.
    pub attachments: Vec<Attachment>,
    /// When edited, where stated.
    pub edited_at: Option<Timestamp>,
    /// Visibility when fetched.
    pub presence: Presence,
    /// When fetched.
    pub fetched_at: Timestamp,
    /// The newest verdict.
    pub verdict: Option<Verdict>,
    /// The removal that it was read and sealed once more for; none where it was fetched.
    pub read_for: Option<ActionId>,
}

/// What is sealed once more right before a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnceMore {
    /// As it was just read.
    Read(Box<FetchedItem>),
    /// It cannot be read: as this version was fetched, with what stands around it now.
    AsFetched(VersionId),
}

/// An item without its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    /// Its row.
    pub id: ItemId,
    /// Its account.
    pub account: AccountId,
    /// The platform's identity.
    pub platform_id: PlatformItemId,
    /// What it is.
    pub kind: ItemKind,
    /// The post it stands under.
    pub post_id: Option<PlatformPostId>,
    /// What it answers.
    pub parent_id: Option<PlatformItemId>,
    /// Written by the authority itself.
    pub by_us: bool,
    /// Link.
    pub permalink: Option<Permalink>,
    /// When the platform says it was written.
    pub created_at: Option<Timestamp>,
    /// That time as received.
    pub created_raw: Option<String>,
    /// Visibility now, as far as known.
    pub presence: Presence,
    /// When that was read.
    pub presence_at: Timestamp,
    /// What the platform says cannot be done with this very item.
    pub barred: Vec<Barred>,
    /// No copy may be made of it: it, or the same on another account, is suspected.
    pub no_copy: bool,
    /// The version that stands now.
    pub current_version: VersionId,
    /// When first fetched.
    pub first_fetched_at: Timestamp,
    /// Who recorded it by hand; none where it was fetched.
    pub recorded_by: Option<String>,
}

/// A version that waits for its verdict.
#[derive(Clone, Debug)]
pub struct Unassessed {
    /// The version.
    pub version: VersionId,
    /// The item.
    pub item: ItemId,
    /// What it is.
    pub kind: ItemKind,
    /// Written by the authority itself.
    pub by_us: bool,
    /// The account.
    pub account: AccountId,
    /// The account's platform, as an identifier.
    pub platform: String,
    /// Who wrote it.
    pub author: Author,
    /// Who wrote what it answers; none where that was the authority.
    pub answers: Option<Author>,
    /// Its text.
    pub text: String,
    /// The text it answers.
    pub parent_text: Option<String>,
    /// The post it stands under.
    pub post_text: Option<String>,
    /// When it reached the authority: when it was published (a later version: edited), or else
    /// when it was fetched.
    pub received_at: Timestamp,
    /// When we fetched it.
    pub fetched_at: Timestamp,
}

/// A version as it was assessed, with all that is stored of it at once.
#[derive(Clone, Debug)]
pub struct AssessedVersion {
    /// The version.
    pub version: VersionId,
    /// What the classifier says.
    pub verdict: Verdict,
    /// The case that it opens.
    pub opening: Option<CaseOpening>,
    /// What it leaves for later items.
    pub traces: Traces,
    /// The machine could not read the text.
    pub unread: bool,
}

/// What storing a round of assessments came to.
#[derive(Clone, Debug, Default)]
pub struct RecordedAssessments {
    /// Cases that were opened or changed.
    pub touched: Vec<CaseId>,
    /// Rules that fire far above their past, since this round.
    pub alarms: Vec<RuleAlarm>,
}

/// What is being assessed, noted before it begins: whoever finds the note after a death knows
/// which texts may have been its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderAssessment {
    /// The first version.
    pub first: VersionId,
    /// The last one.
    pub last: VersionId,
    /// How many times the program has died while the first was among them.
    pub deaths: u32,
}

/// What opening a case takes.
#[derive(Clone, Debug)]
pub struct CaseOpening {
    /// See `cases.rank` in the schema.
    pub rank: u8,
    /// The gravest severity.
    pub severity: Option<Severity>,
    /// The primary category.
    pub category: Option<Category>,
    /// When it is due.
    pub due_at: Timestamp,
    /// Why it was opened, in Swedish, for the history.
    pub why: String,
}

/// An evidence record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRow {
    /// Its row.
    pub id: EvidenceId,
    /// The version it is of.
    pub version: VersionId,
    /// The item.
    pub item: ItemId,
    /// Where it stands.
    pub state: EvidenceState,
    /// Attempts that did not come to a seal.
    pub attempts: u32,
    /// Why the last one did not, in Swedish.
    pub problem: Option<String>,
}

/// What a seal is set on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealHolds {
    /// Copies of the item's content, what may hold a picture among them, and what describes it.
    Pictures,
    /// Copies of the item's content without anything that may hold a picture of its page, and what
    /// describes it.
    Copies,
    /// What describes it and nothing else.
    MetadataOnly,
}

/// One suspicion (see `bars` in the schema) with what is known of its item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarFacts {
    /// Its row.
    pub id: i64,
    /// The item.
    pub item: i64,
    /// The account's key.
    pub account: String,
    /// The platform's identity of the item.
    pub platform_id: String,
    /// Number of the version.
    pub version: u32,
    /// Since when.
    pub at: Timestamp,
    /// Who; none where the program did.
    pub user: Option<i64>,
    /// Its place in the log; none from before such were noted.
    pub log_seq: Option<u64>,
    /// The mark was taken off again.
    pub ended: bool,
    /// Whether the item bears the mark.
    pub no_copy: bool,
}

/// Whether a picture may be taken of the page on which an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// As far as known nothing stands there that may not be copied.
    Clean,
    /// Something stands there, or may, that has not been assessed yet.
    Unassessed,
    /// The item's own text could not be assessed, and nobody has looked at it yet.
    Unread,
    /// Something stands there, or may, that may not be copied.
    Barred,
}

/// Where an evidence record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceState {
    /// To be taken.
    Wanted,
    /// Sealed; never changes again.
    Sealed {
        /// Hash of the canonical manifest.
        manifest: ContentHash,
        /// Place in the log.
        log_seq: u64,
        /// When.
        at: Timestamp,
    },
    /// Content destroyed under a rule; the leaf stays.
    Disposed {
        /// Hash of the canonical manifest.
        manifest: ContentHash,
        /// Place in the log.
        log_seq: u64,
        /// When it was sealed.
        at: Timestamp,
    },
}

/// One entry of the hash-chained log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// From 1, without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What it records.
    pub kind: LogKind,
    /// The very bytes that were hashed.
    pub body: String,
    /// See `domain::log`.
    pub leaf: ContentHash,
    /// See `domain::log`.
    pub chain: ContentHash,
}

/// A case with what its page and its services need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRow {
    /// Its row.
    pub id: CaseId,
    /// The item.
    pub item: ItemId,
    /// The version to be decided about.
    pub version: VersionId,
    /// Where it stands.
    pub state: CaseState,
    /// Place in the queue.
    pub rank: u8,
    /// The gravest severity.
    pub severity: Option<Severity>,
    /// The primary category.
    pub category: Option<Category>,
    /// When opened.
    pub opened_at: Timestamp,
    /// When due.
    pub due_at: Timestamp,
    /// Since when it waits under that deadline: since it was opened, came back, or got another one.
    pub waits_since: Timestamp,
    /// It is back since its time to rest was over, and nothing has happened to it since.
    pub has_rested: bool,
    /// Who works on it.
    pub claim: Option<(Claim, String)>,
    /// Grows with every change; a decision names the one it was made on.
    pub revision: u64,
    /// What it is about stands outside our control: no deadline of ours runs on it.
    pub outside: bool,
    /// It was closed so long ago that its text and names are not shown unasked.
    pub veiled: bool,
}

/// What the queue shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueFilter {
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

/// How many cases per state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaseCounts {
    /// Waiting or returned.
    pub open: u64,
    /// Of these, returned.
    pub returned: u64,
    /// Put off.
    pub held: u64,
    /// Being carried out.
    pub decided: u64,
    /// Waiting for a diary number.
    pub awaiting_diary: u64,
    /// Finished.
    pub closed: u64,
    /// Exempt from disposal, in whatever state.
    pub exempt: u64,
    /// Marked as secret, in whatever state.
    pub secret: u64,
}

/// One step of a case's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseEventRow {
    /// When.
    pub at: Timestamp,
    /// Who; none for the machine.
    pub user: Option<String>,
    /// What happened, in Swedish.
    pub what: String,
    /// More, in Swedish.
    pub detail: Option<String>,
}

/// A decision as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    /// Its row.
    pub id: DecisionId,
    /// The case.
    pub case: CaseId,
    /// The version decided about.
    pub version: VersionId,
    /// What was chosen.
    pub choices: Vec<Choice>,
    /// For what.
    pub ground: Option<Ground>,
    /// The person's words.
    pub note: Option<String>,
    /// What was answered on the diary, where anything was.
    pub answered: Option<Kept>,
    /// When.
    pub at: Timestamp,
    /// Until when it can be undone.
    pub undo_until: Timestamp,
    /// When it was undone.
    pub undone_at: Option<Timestamp>,
    /// Who decided.
    pub by: String,
    /// The version of the policy that it was made under; none where that was not kept yet.
    pub policy: Option<ContentHash>,
}

/// An action with what carrying it out takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRow {
    /// Its row.
    pub id: ActionId,
    /// The same for every attempt; unique over installations.
    pub key: String,
    /// What is to be done.
    pub kind: ActionKind,
    /// Where it stands.
    pub state: ActionState,
    /// The decision.
    pub decision: DecisionId,
    /// The case.
    pub case: CaseId,
    /// The item.
    pub item: ItemId,
    /// The version it is about.
    pub version: VersionId,
    /// The evidence a removal rests on.
    pub evidence: Option<EvidenceId>,
    /// The text of an answer, or nothing.
    pub text: Option<String>,
    /// The account it goes to.
    pub account: AccountId,
    /// Done by a person on the platform itself; the outbox never comes to it.
    pub by_hand: bool,
}

/// A registration that was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationRow {
    /// Its row.
    pub id: RegistrationId,
    /// The case.
    pub case: CaseId,
    /// File name of the package in the export directory.
    pub package: String,
    /// SHA-256 of the package.
    pub package_sha256: ContentHash,
    /// When it was written.
    pub exported_at: Timestamp,
    /// The number, once it has come.
    pub diary_number: Option<DiaryNumber>,
}

/// A registration with when and by whom its number was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationEntry {
    /// The registration.
    pub registration: RegistrationRow,
    /// When and by whom.
    pub entered: Option<(Timestamp, String)>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Its row.
    pub id: UserId,
    /// Login name.
    pub login: String,
    /// Name.
    pub name: String,
    /// Title, for signatures.
    pub title: String,
    /// Role.
    pub role: Role,
    /// May log in.
    pub active: bool,
}

/// An open session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Who.
    pub user: UserRow,
    /// The secret that forms must carry.
    pub csrf: String,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// By what way it was opened.
    pub way: Way,
    /// Whether the user has a second factor now.
    pub has_factor: bool,
}

/// A session as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSessionRow {
    /// The hash of its token.
    pub token: ContentHash,
    /// Whose.
    pub user: UserId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// From where it was opened.
    pub address: String,
    /// By what way it was opened.
    pub way: Way,
}

/// A second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorRow {
    /// Its secret, sealed.
    pub sealed: String,
    /// Since when.
    pub since: Timestamp,
    /// The time step of the last code that was taken.
    pub last_step: u64,
    /// No code is tried before.
    pub wrong_until: Option<Timestamp>,
    /// Recovery codes that are left.
    pub codes_left: u64,
}

/// An account with its fetching, for the accounts page and `doctor`.
#[derive(Clone, Debug)]
pub struct AccountOverview {
    /// The account.
    pub account: Account,
    /// Where fetching stands.
    pub fetch: FetchState,
    /// Items known.
    pub n_items: u64,
    /// Elements kept aside because they could not be read.
    pub n_unreadable: u64,
    /// The last of these: when, where it stood and what is wrong with it, in Swedish.
    pub last_unreadable: Option<(Timestamp, String)>,
}

/// A line for the audit log.
#[derive(Clone, Debug)]
pub struct AuditLine {
    /// Who; none before log-in.
    pub user: Option<UserId>,
    /// Who, in words, as known then.
    pub user_name: String,
    /// What: a dotted name, `case.decide`.
    pub act: &'static str,
    /// On what: `case 17`.
    pub subject: String,
    /// From which address.
    pub address: String,
    /// More, never content.
    pub detail: Option<String>,
}

/// A table of which the lines only grow and are held by a running hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lines {
    /// The audit log.
    Audit,
    /// The histories of all cases.
    History,
}

/// A running hash over the first lines of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LinesHeld {
    /// How many lines.
    pub n: u64,
    /// The hash over them: each link is made as a link of the log is.
    pub sha256: ContentHash,
}

/// A row as verification meets it: somebody may have written anything into it.
#[derive(Debug)]
pub struct Readable<T> {
    /// Its number.
    pub id: i64,
    /// What it holds; none where that cannot be read.
    pub value: Option<T>,
}

/// What a version was assessed by, for `backtest` and the health page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessmentCount {
    /// The lexicon.
    pub lexicon: LexiconVersion,
    /// How many versions.
    pub n: u64,
}
