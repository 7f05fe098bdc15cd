//! The store on a database in a temporary folder; what SQL must refuse is tried by a second
//! connection that knows nothing of our methods.

mod claims;
mod constraints;
mod decisions;
mod items;
mod kept_rows;
mod opening;
mod queue;
mod search;
mod together;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::domain::account::PlatformKind;
use crate::domain::category::{Category, Severity};
use crate::domain::claim::Wish;
use crate::domain::decision::{Choice, Decision};
use crate::domain::ground::Ground;
use crate::domain::ids::{
    AccountId, AccountKey, CaseId, ContentHash, Cursor, DecisionId, EvidenceId, ItemId,
    LexiconVersion, PlatformItemId, UserId, VersionId,
};
use crate::domain::item::{Batch, FetchedItem, ItemKind, Presence};
use crate::domain::likeness::Traces;
use crate::domain::person::Role;
use crate::domain::verdict::{Finding, Verdict};
use crate::store::error::StoreError;
use crate::store::rows::{AssessedVersion, AuditLine, CaseOpening, SealHolds};
use crate::store::sqlite::decide::NewDecision;
use crate::store::sqlite::users::NewUser;
use crate::store::{Settings, Store};

/// How often a rule may fire in a day of these tests.
const QUOTA: u64 = 200;

/// The undo window of these tests.
const UNDO_S: i64 = 10;

/// An instant, in seconds after the tests' beginning.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap() + SignedDuration::from_secs(seconds)
}

struct Bench {
    dir: TempDir,
    store: Store,
    account: AccountId,
    user: UserId,
}

/// A case with its item and version.
#[derive(Clone, Copy)]
struct Opened {
    item: ItemId,
    version: VersionId,
    case: CaseId,
}

fn item(id: &str, text: &str) -> FetchedItem {
    let mut item = FetchedItem::new(PlatformItemId::new(id), ItemKind::Comment, text, text);
    item.presence = Presence::Visible;
    item
}

fn batch(items: Vec<FetchedItem>) -> Batch {
    Batch { items, next: Some(Cursor::new("c1")), ..Batch::default() }
}

fn line(act: &'static str) -> AuditLine {
    AuditLine {
        user: None,
        user_name: "Kim Exempel".into(),
        act,
        subject: "prov".into(),
        address: "127.0.0.1".into(),
        detail: None,
    }
}

fn verdict(severity: Option<Severity>) -> Verdict {
    let findings = severity.map(|severity| Finding {
        category: Category::Threat,
        severity,
        rule: Arc::from("hot.prov"),
        spans: Vec::new(),
        why: Arc::from("Prov."),
        legal: Arc::from("BrB 4:5"),
        mark: None,
    });
    Verdict { lexicon: LexiconVersion::new("l1"), findings: findings.into_iter().collect() }
}

fn case_opening(rank: u8, due: Timestamp) -> CaseOpening {
    CaseOpening {
        rank,
        severity: Some(Severity::High),
        category: Some(Category::Threat),
        due_at: due,
        why: "Prov.".into(),
    }
}

fn decision(choices: Vec<Choice>) -> Decision {
    Decision::new(choices, Some(Ground::Threat), None).unwrap()
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Settings { path: dir.path().join("uppsikt.db") }).unwrap();
        store.settle_fact("installation", "prov".into()).await.unwrap();
        let key = AccountKey::new("konto");
        let account = store
            .ensure_account(key, PlatformKind::Facebook, "Exempelstad".into(), true, at(0))
            .await
            .unwrap();
        let mut bench = Self { dir, store, account: account.id, user: UserId(0) };
        bench.user = bench.user_named("kim").await;
        bench
    }

    async fn user_named(&self, login: &str) -> UserId {
        let user = NewUser {
            login: login.into(),
            name: format!("{login} Exempel"),
            title: String::new(),
            role: Role::Editor,
            password_hash: "x".into(),
        };
        self.store.add_user(user, line("user.add"), at(0)).await.unwrap()
    }

    /// Somebody takes a case on purpose, for five minutes.
    async fn claimed(&self, case: CaseId, user: UserId, now: Timestamp) {
        let asking = claims::asking(case, user, Wish::Keep);
        self.store.claim_case(asking, line("case.claim"), now).await.unwrap();
    }

    /// A connection of somebody who goes past all our code.
    fn raw(&self) -> Connection {
        let raw = Connection::open(self.dir.path().join("uppsikt.db")).unwrap();
        raw.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        raw.pragma_update(None, "foreign_keys", true).unwrap();
        raw
    }

    async fn commit(&self, batch: Batch, now: Timestamp) -> crate::store::rows::Committed {
        self.store.commit_batch(self.account, batch, now, now).await.unwrap()
    }

    /// Gives every version that waits a verdict that opens a case of this rank and deadline.
    async fn assess(&self, rank: u8, due: Timestamp, now: Timestamp) -> Vec<CaseId> {
        let waiting = self.store.unassessed(1_000).await.unwrap();
        let assessed = waiting
            .iter()
            .map(|v| AssessedVersion {
                version: v.version,
                verdict: verdict(Some(Severity::High)),
                opening: Some(case_opening(rank, due)),
                traces: Traces::default(),
                unread: false,
            })
            .collect();
        self.store.record_assessments(assessed, QUOTA, now).await.unwrap().touched
    }

    async fn open(&self, id: &str, rank: u8, due: Timestamp) -> Opened {
        self.commit(batch(vec![item(id, "Jag vet var du bor.")]), at(0)).await;
        let case = self.assess(rank, due, at(0)).await[0];
        let row = self.store.case(case).await.unwrap();
        Opened { item: row.item, version: row.version, case }
    }

    async fn seal(&self, version: VersionId) -> EvidenceId {
        let row = self.store.want_evidence(version, at(1)).await.unwrap();
        let manifest = ContentHash::of(format!("manifest {version}").as_bytes());
        self.store.seal(row.id, manifest, Vec::new(), SealHolds::Copies, at(1)).await.unwrap();
        row.id
    }

    async fn open_sealed(&self, id: &str) -> (Opened, EvidenceId) {
        let opened = self.open(id, 2, at(3_600)).await;
        (opened, self.seal(opened.version).await)
    }

    async fn decide(
        &self,
        case: CaseId,
        choices: Vec<Choice>,
        now: Timestamp,
    ) -> Result<DecisionId, StoreError> {
        let revision = self.store.case(case).await.unwrap().revision;
        self.decide_on(case, revision, choices, now).await
    }

    async fn decide_on(
        &self,
        case: CaseId,
        revision: u64,
        choices: Vec<Choice>,
        now: Timestamp,
    ) -> Result<DecisionId, StoreError> {
        let new = NewDecision {
            mark: None,
            policy: ContentHash::of(b"prov"),
            answered: None,
            bulk: None,
            by_hand: Vec::new(),
            case,
            revision,
            user: self.user,
            decision: decision(choices),
            undo_until: now + SignedDuration::from_secs(UNDO_S),
            line: line("case.decide"),
        };
        self.store.decide(new, now).await
    }
}
