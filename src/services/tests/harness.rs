//! A stage: everything that the program puts together, on a temporary folder.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::classify::BUILT_IN;
use crate::domain::account::PlatformKind;
use crate::domain::action::{ActionKind, ActionState};
use crate::domain::calendar::OfficeHours;
use crate::domain::case::CaseState;
use crate::domain::deadline;
use crate::domain::decision::{Choice, Decision};
use crate::domain::evidence::{Manifest, PartKind};
use crate::domain::ground::Ground;
use crate::domain::ids::{
    AccountId, AccountKey, CaseId, ContentHash, DecisionId, EvidenceId, UserId,
};
use crate::domain::person::Role;
use crate::domain::policy::{Line, Policy, Proposed, Rule};
use crate::domain::retention::{NoCase, Retention, RetentionClass, RetentionRule};
use crate::evidence::browser::Browser;
use crate::evidence::fetch::FetchLimits;
use crate::evidence::media::{CopyLeave, MediaPolicy};
use crate::evidence::verify;
use crate::evidence::{EvidenceStore, NewPart};
use crate::platforms::Platform;
use crate::platforms::facebook::Facebook;
use crate::platforms::simulate::facebook::{Options, Simulator};
use crate::platforms::simulate::script::Script;
use crate::platforms::simulate::world::Comment;
use crate::runtime::clock::TestClock;
use crate::runtime::disk::Disk;
use crate::services::deliveries::PackageForm;
use crate::services::handovers::Ways;
use crate::services::public_reports::Bounds;
use crate::services::{
    BeforeRemoval, Lanes, Parts, Served, ServiceError, Services, Settings, Viewer,
};
use crate::store::rows::{ActionRow, AuditLine, EvidenceRow};
use crate::store::sqlite::users::NewUser;
use crate::store::{self, Store};

/// The undo window of these tests.
pub const UNDO: SignedDuration = SignedDuration::from_secs(10);

/// How many reports of the public these tests take in a day.
pub const REPORTS_A_DAY: u32 = 5;

/// A text that opens a case.
pub const THREAT: &str = "Jag vet var du bor och ska slå ihjäl dig.";

/// What the Page posted.
pub const POSTS: &str = r#"[
    {"key": "bad", "title": "Nya badet", "text": "Nu bygger vi."},
    {"key": "bro", "title": "Nya bron", "text": "Den öppnar i maj."}
]"#;

pub struct Stage {
    pub dir: Arc<TempDir>,
    pub clock: TestClock,
    pub simulator: Arc<Simulator>,
    pub services: Services,
    pub account: AccountId,
    pub editor: Viewer,
}

pub fn policy() -> Policy {
    let line = |choices: &[Proposed]| Line {
        choices: choices.to_vec(),
        clock: deadline::Clock::ELAPSED_24H,
    };
    let rule = || {
        Rule::plain(
            Some(Ground::Threat),
            "Prov.".into(),
            [
                line(&[Proposed::Dismiss]),
                line(&[Proposed::Hide]),
                line(&[Proposed::Hide, Proposed::Register]),
            ],
        )
    };
    let office = OfficeHours::default();
    let version = ContentHash::of(b"prov");
    let mut policy = Policy::new("Prov".into(), version, UNDO, office, rule(), |_| rule());
    let kept = |class| RetentionRule {
        months: (class != RetentionClass::Registered).then_some(1),
        why: "Prov.".into(),
    };
    let decision = Some("KS 2026/1".to_owned());
    policy.retention = Some(Retention::new(
        "Plan".into(),
        decision,
        true,
        Some(NoCase { rule: kept(RetentionClass::Dismissed), decision: Some("KS 2026/1".into()) }),
        kept,
    ));
    policy
}

/// The program's parts on a folder, as `app` puts them together.
pub async fn open(dir: &Path, clock: &TestClock, simulator: &Simulator) -> (Services, AccountId) {
    let platform = Arc::new(Facebook::new(simulator.settings(), clock.clock()).unwrap());
    put_together(dir, clock, platform, Disk::default()).await.unwrap()
}

/// The same with a policy of the account's own.
async fn open_under(
    dir: &Path,
    clock: &TestClock,
    simulator: &Simulator,
    own: Policy,
) -> (Services, AccountId) {
    let platform = Arc::new(Facebook::new(simulator.settings(), clock.clock()).unwrap());
    put_together_under(dir, clock, platform, Disk::default(), Some(own)).await.unwrap()
}

/// The same with any platform, on any disk.
pub async fn put_together(
    dir: &Path,
    clock: &TestClock,
    platform: Arc<dyn Platform>,
    disk: Disk,
) -> anyhow::Result<(Services, AccountId)> {
    put_together_under(dir, clock, platform, disk, None).await
}

/// The same with a policy of the account's own.
pub async fn put_together_under(
    dir: &Path,
    clock: &TestClock,
    platform: Arc<dyn Platform>,
    disk: Disk,
    own: Option<Policy>,
) -> anyhow::Result<(Services, AccountId)> {
    put_together_sealing(dir, clock, platform, disk, own, BeforeRemoval::Compare).await
}

/// The same with what is done right before a removal.
pub async fn put_together_sealing(
    dir: &Path,
    clock: &TestClock,
    platform: Arc<dyn Platform>,
    disk: Disk,
    own: Option<Policy>,
    before: BeforeRemoval,
) -> anyhow::Result<(Services, AccountId)> {
    let path = dir.join("uppsikt.db");
    let store = Store::open_on(&store::Settings { path }, disk.clone())?;
    store.settle_fact("installation", "prov".into()).await?;
    let in_folder = crate::evidence::Settings::in_folder(dir.join("evidence"));
    let settings = crate::evidence::Settings { disk, ..in_folder };
    let evidence = EvidenceStore::open(&settings, store.clone(), clock.clock())?;
    evidence.note_head().await?;
    let account = store
        .ensure_account(
            AccountKey::new("facebook"),
            PlatformKind::Facebook,
            "Exempelstads kommun (simulerad)".into(),
            true,
            clock.clock().now(),
        )
        .await?;
    let id = account.id;
    let interval = Duration::from_secs(60);
    let served = Served {
        account,
        platform,
        interval,
        policy: own,
        token_expires: None,
        push: None,
        private_at: None,
    };
    let (fetch, none) = (FetchLimits::default(), Err("Ingen webbläsare i provet.".into()));
    let accounts = vec![served];
    Ok((services_with(dir, clock, store, evidence, accounts, fetch, none, before), id))
}

/// The services of one account.
pub fn services_of(
    dir: &Path,
    clock: &TestClock,
    store: Store,
    evidence: EvidenceStore,
    served: Served,
) -> Services {
    services_within(dir, clock, store, evidence, served, FetchLimits::default())
}

/// The same within other limits for what hangs on items.
pub fn services_within(
    dir: &Path,
    clock: &TestClock,
    store: Store,
    evidence: EvidenceStore,
    served: Served,
    fetch: FetchLimits,
) -> Services {
    services_of_all(dir, clock, store, evidence, vec![served], fetch)
}

/// The same of several accounts.
pub fn services_of_all(
    dir: &Path,
    clock: &TestClock,
    store: Store,
    evidence: EvidenceStore,
    accounts: Vec<Served>,
    fetch: FetchLimits,
) -> Services {
    let none = Err("Ingen webbläsare i provet.".into());
    let before = BeforeRemoval::Compare;
    services_with(dir, clock, store, evidence, accounts, fetch, none, before)
}

/// The same with a browser, and with what is done right before a removal.
#[expect(clippy::too_many_arguments, reason = "each is a part of the program")]
pub fn services_with(
    dir: &Path,
    clock: &TestClock,
    store: Store,
    evidence: EvidenceStore,
    accounts: Vec<Served>,
    fetch: FetchLimits,
    browser: Result<Browser, String>,
    before: BeforeRemoval,
) -> Services {
    Services::new(Parts {
        store,
        evidence,
        classifier: Arc::clone(&BUILT_IN),
        policy: policy(),
        clock: clock.clock(),
        settings: Settings {
            authority: "Exempelstads kommun".into(),
            export_dir: dir.join("export"),
            export_form: PackageForm::Zip,
            sheet_embeds: false,
            claim: SignedDuration::from_mins(10),
            sign_in: crate::services::sign_in::SignIn {
                key_file: dir.join("inloggning.nyckel"),
                ..Default::default()
            },
            session: SignedDuration::from_hours(8),
            polls_at_once: 4,
            rule_quota: 200,
            fetch,
            page_archives: true,
            before_removal: before,
            diary: Ways::default(),
            public_reports: Bounds {
                enabled: true,
                contact: "växeln".into(),
                per_day: REPORTS_A_DAY,
                per_address_hour: 5,
                mails_per_day: REPORTS_A_DAY,
                mailbox: None,
                imap: None,
            },
            hooks: crate::services::hooks::Settings {
                allow_loopback: true,
                keys_for_others: true,
                ..crate::services::hooks::Settings::default()
            },
        },
        accounts,
        browser,
    })
}

pub fn viewer(role: Role, user: UserId) -> Viewer {
    Viewer {
        user,
        name: "Kim Exempel".into(),
        title: "kommunikatör".into(),
        role,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        key: None,
    }
}

/// What describes a record's version, with no part.
pub async fn manifest_of(services: &Services, row: &EvidenceRow) -> Manifest {
    try_manifest_of(services, row).await.unwrap()
}

async fn try_manifest_of(services: &Services, row: &EvidenceRow) -> anyhow::Result<Manifest> {
    let store = &services.inner.store;
    let item = store.item(row.item).await?;
    let version = store.version(row.version).await?;
    let mut accounts = store.accounts().await?.into_iter();
    let account = accounts.find(|account| account.id == item.account).expect("an item has one");
    Ok(Manifest {
        format: 1,
        account: account.key,
        platform: account.platform.id().into(),
        simulated: true,
        item: item.platform_id,
        version: version.number,
        content_sha256: version.content_hash,
        kind: item.kind,
        author: version.author,
        created_raw: item.created_raw,
        created_at: item.created_at,
        edited_at: version.edited_at,
        fetched_at: version.fetched_at,
        sealed_at: services.inner.clock.now(),
        presence: version.presence,
        permalink: item.permalink,
        attachments: version.attachments,
        verdict: version.verdict,
        parts: Vec::new(),
        missing: Vec::new(),
        beside: None,
        sealed_by: "prov".into(),
        earlier: None,
        read_before: match version.read_for {
            Some(action) => Some(store.action(action).await?.kind),
            None => None,
        },
        sheet_is_blurred: false,
    })
}

/// Seals what is wanted with the text as its only part. Rendering sheets is nearly all the time
/// that a capture takes, and most tests are not about them.
pub async fn seal_plainly(services: &Services) {
    try_to_seal_plainly(services).await.unwrap();
}

/// The same, where it may fail on the way.
pub async fn try_to_seal_plainly(services: &Services) -> anyhow::Result<()> {
    let (store, evidence) = (&services.inner.store, &services.inner.evidence);
    let now = services.inner.clock.now();
    for row in store.wanted_evidence(now, 1_000).await? {
        let (manifest, leave) = match evidence.media_policy(row.version).await? {
            MediaPolicy::Copy(leave) => {
                (plain_manifest(services, &row, &leave).await?, Some(leave))
            }
            MediaPolicy::MetadataOnly => (try_manifest_of(services, &row).await?, None),
        };
        evidence.seal(row.id, &manifest, leave.as_ref()).await?;
    }
    Ok(())
}

/// A manifest with the text as its only part.
pub async fn plain_manifest(
    services: &Services,
    row: &EvidenceRow,
    leave: &CopyLeave,
) -> anyhow::Result<Manifest> {
    let part = NewPart {
        kind: PartKind::Text,
        name: "text.txt".into(),
        media_type: "text/plain; charset=utf-8",
        method: "prov".into(),
        bytes: services.inner.store.version(row.version).await?.text.into_bytes(),
    };
    let mut manifest = try_manifest_of(services, row).await?;
    manifest.parts.push(services.inner.evidence.keep(leave, part).await?);
    Ok(manifest)
}

/// Waits until no lane is busy.
pub async fn idle(lanes: &Lanes) {
    while !lanes.state().busy.is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

impl Stage {
    pub async fn new() -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let clock = TestClock::at("2026-11-21T12:00:00Z".parse().unwrap());
        let script = Script::read(POSTS, "").unwrap();
        let simulator =
            Arc::new(Simulator::start(Options::new(script), clock.clock()).await.unwrap());
        let (services, account) = open(dir.path(), &clock, &simulator).await;
        let user = NewUser {
            login: "kim".into(),
            name: "Kim Exempel".into(),
            title: "kommunikatör".into(),
            role: Role::Editor,
            password_hash: "x".into(),
        };
        let line = AuditLine {
            user: None,
            user_name: "prov".into(),
            act: "user.add",
            subject: "user kim".into(),
            address: "local".into(),
            detail: None,
        };
        let user = services.inner.store.add_user(user, line, clock.clock().now()).await.unwrap();
        let editor = viewer(Role::Editor, user);
        Self { dir, clock, simulator, services, account, editor }
    }

    /// Somebody else with a login.
    pub async fn person(&self, role: Role, name: &str) -> Viewer {
        let line = AuditLine {
            user: None,
            user_name: "prov".into(),
            act: "user.add",
            subject: format!("user {name}"),
            address: "local".into(),
            detail: None,
        };
        let user = NewUser {
            login: name.to_lowercase(),
            name: format!("{name} Exempel"),
            title: "arkivarie".into(),
            role,
            password_hash: "x".into(),
        };
        let id = self.store().add_user(user, line, self.now()).await.unwrap();
        Viewer { name: format!("{name} Exempel"), ..viewer(role, id) }
    }

    /// The program dies and is started again on the same folder.
    pub async fn restart(&mut self) {
        let (services, _) = open(self.dir.path(), &self.clock, &self.simulator).await;
        self.services = services;
    }

    /// What stands there is sealed once more right before a removal.
    pub async fn sealing(&mut self, before: BeforeRemoval) {
        let settings = self.simulator.settings();
        let platform = Arc::new(Facebook::new(settings, self.clock.clock()).unwrap());
        let disk = Disk::default();
        let opened =
            put_together_sealing(self.dir.path(), &self.clock, platform, disk, None, before).await;
        self.services = opened.unwrap().0;
    }

    /// The account gets a policy of its own, as the authority's but for what `change` does.
    pub async fn under(&mut self, change: impl FnOnce(&mut Policy)) {
        let mut own = policy();
        change(&mut own);
        let (services, _) = open_under(self.dir.path(), &self.clock, &self.simulator, own).await;
        self.services = services;
    }

    pub fn store(&self) -> &Store {
        &self.services.inner.store
    }

    pub fn now(&self) -> Timestamp {
        self.clock.clock().now()
    }

    pub fn wait_s(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Polls until the next poll lies ahead.
    pub async fn poll(&self) {
        for _ in 0..10 {
            self.services.begin_polls().await.unwrap();
            idle(&self.services.inner.polls).await;
            if self.store().fetch_state(self.account).await.unwrap().next_at > self.now() {
                return;
            }
        }
        panic!("polling never came to its end");
    }

    /// Fetches, assesses, and seals without a sheet: see [`seal_plainly`].
    pub async fn take_in_plainly(&self) {
        self.poll().await;
        while self.services.assess_waiting().await.unwrap() {}
        seal_plainly(&self.services).await;
    }

    /// Somebody writes a text, and it is taken in, without a sheet. Gives its number at the platform and its case.
    pub async fn written(&self, text: &str) -> (u64, CaseId) {
        let number = self.simulator.write("Robin Påhitt", text, None);
        self.wait_s(150);
        self.take_in_plainly().await;
        (number, self.case_of(number).await)
    }

    /// The case of a comment, also where it stands behind a similar one.
    pub async fn case_of(&self, number: u64) -> CaseId {
        let raw = rusqlite::Connection::open(self.store().path()).unwrap();
        let sql =
            "select k.id from cases k join items i on i.id = k.item_id where i.platform_id = ?1";
        let found = raw.query_row(sql, [number.to_string()], |row| row.get(0));
        CaseId(found.unwrap_or_else(|_| panic!("no case of comment {number}")))
    }

    pub async fn try_decide(
        &self,
        case: CaseId,
        choices: Vec<Choice>,
    ) -> Result<DecisionId, ServiceError> {
        let revision = self.store().case(case).await.unwrap().revision;
        let decision = Decision::new(choices, Some(Ground::Threat), None).unwrap();
        self.services.decide(&self.editor, case, revision, decision).await
    }

    pub async fn decide(&self, case: CaseId, choices: Vec<Choice>) -> DecisionId {
        self.try_decide(case, choices).await.unwrap()
    }

    /// One round of the outbox, to its end, and the settling after it.
    pub async fn act(&self) {
        self.services.begin_acts().await.unwrap();
        idle(&self.services.inner.acts).await;
        self.services.begin_acts().await.unwrap();
        idle(&self.services.inner.acts).await;
    }

    /// The undo window passes, and the outbox works.
    pub async fn act_after_undo(&self) {
        self.clock.advance(UNDO);
        self.act().await;
    }

    pub async fn action(&self, case: CaseId, kind: ActionKind) -> ActionRow {
        let actions = self.store().actions_on(case).await.unwrap();
        actions.into_iter().rev().find(|a| a.kind == kind).expect("an action of that kind")
    }

    pub async fn action_state(&self, case: CaseId, kind: ActionKind) -> ActionState {
        self.action(case, kind).await.state
    }

    /// The person asks for another try of one failed action.
    pub async fn try_again(&self, case: CaseId, kind: ActionKind) -> Result<(), ServiceError> {
        let action = self.action(case, kind).await.id;
        self.services.try_again(&self.editor, case, action).await
    }

    /// The person asks for another try of whatever has failed.
    pub async fn try_all_again(&self, case: CaseId) {
        for action in self.store().actions_on(case).await.unwrap() {
            if matches!(action.state, ActionState::Failed { .. }) {
                self.services.try_again(&self.editor, case, action.id).await.unwrap();
            }
        }
    }

    pub async fn state(&self, case: CaseId) -> CaseState {
        self.store().case(case).await.unwrap().state
    }

    pub async fn history(&self, case: CaseId) -> Vec<String> {
        self.store().case_history(case).await.unwrap().into_iter().map(|e| e.what).collect()
    }

    /// A comment as it stands at the platform.
    pub fn truth(&self, number: u64) -> Comment {
        self.simulator.truth().into_iter().find(|c| c.number == number).expect("was written")
    }

    /// What the Page has written with this text.
    pub fn answers(&self, text: &str) -> usize {
        let all = self.simulator.truth();
        all.iter().filter(|c| c.by_page && c.text == text && !c.deleted).count()
    }

    /// How many calls changed something at the platform.
    pub fn n_writing_calls(&self) -> usize {
        self.simulator.calls().iter().filter(|call| !call.starts_with("GET")).count()
    }

    /// A file and the note of a seal on its way, as a death in its midst leaves them. Gives the file.
    pub fn left_on_its_way(&self, evidence: EvidenceId, bytes: &[u8]) -> PathBuf {
        let (hash, never) = (ContentHash::of(bytes).to_hex(), ContentHash::of(b"never"));
        let dir = self.dir.path().join("evidence");
        let file = dir.join("blobs").join(&hash[..2]).join(&hash[2..]);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::create_dir_all(dir.join("pending")).unwrap();
        std::fs::write(&file, bytes).unwrap();
        let note = format!("{evidence} {never}\n{hash}\n");
        std::fs::write(dir.join("pending").join(evidence.to_string()), note).unwrap();
        file
    }

    /// Every file that lies among the evidence.
    pub fn n_blobs(&self) -> usize {
        let folders = std::fs::read_dir(self.dir.path().join("evidence").join("blobs")).unwrap();
        folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }

    pub async fn n_sealed(&self) -> usize {
        let report = self.verified().await;
        usize::try_from(report.n_sealed).unwrap()
    }

    /// Everything sealed verifies.
    pub async fn verified(&self) -> verify::Report {
        // As the daemon does now and then.
        self.services.inner.evidence.checkpoint_if_due().await.unwrap();
        let report =
            verify::verify(&self.services.inner.evidence, self.store(), &Default::default())
                .await
                .unwrap();
        assert_eq!(report.faults, []);
        report
    }
}
