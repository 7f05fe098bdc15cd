//! One schedule: lives of the program that end by a fault, each doing things drawn at random, and a last
//! one without faults in which everything has to come to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jiff::SignedDuration;

use super::faults::{Faults, Random};
use super::folder;
use super::page::{Comment, Page, whole_record};
use crate::domain::action::ActionState;
use crate::domain::decision::{Choice, Decision};
use crate::domain::duties::{OnRemoval, PolicyGround, Standing, Step};
use crate::domain::ground::Ground;
use crate::domain::ids::{AccountId, CaseId, ContentHash, DecisionId, EvidenceId, UserId};
use crate::domain::person::Role;
use crate::domain::retention::DisposalState;
use crate::evidence::verify::{Options, verify};
use crate::runtime::clock::TestClock;
use crate::runtime::disk::Disk;
use crate::services::deliveries::PackageForm;
use crate::services::tests::harness::{
    THREAT, UNDO, idle, policy, put_together_sealing, try_to_seal_plainly, viewer,
};
use crate::services::{BeforeRemoval, Services, Viewer, packages};
use crate::store::rows::{AuditLine, EvidenceState, QueueFilter};
use crate::store::sqlite::disposals::DISPOSED_TEXT;
use crate::store::sqlite::users::NewUser;
use crate::store::{Settings, Store};

/// How many things a life does at most.
const MOST_DEEDS: u64 = 22;

/// What happened in schedules, so that they cannot pass by nothing happening.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub deaths: u64,
    pub full: u64,
    pub sealed: u64,
    pub removed: u64,
    pub registered: u64,
    pub held: u64,
    pub disposed: u64,
    /// Sealed once more right before a removal.
    pub sealed_again: u64,
    /// Answers of the platform that never came after it had acted.
    pub lost: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.deaths += other.deaths;
        self.full += other.full;
        self.sealed += other.sealed;
        self.removed += other.removed;
        self.registered += other.registered;
        self.held += other.held;
        self.disposed += other.disposed;
        self.lost += other.lost;
        self.sealed_again += other.sealed_again;
    }
}

/// What was acknowledged, and so has to be there for ever after.
#[derive(Default)]
struct Acknowledged {
    decisions: BTreeSet<DecisionId>,
    /// By record.
    seals: BTreeMap<EvidenceId, ContentHash>,
    /// Checkpoints as somebody outside keeps them.
    outside: Vec<String>,
    /// Records of cases that were exempted while they were there, and not let go since.
    kept: BTreeMap<CaseId, BTreeSet<EvidenceId>>,
    numbers: u64,
}

struct Run {
    random: Random,
    dir: tempfile::TempDir,
    clock: TestClock,
    page: Page,
    faults: Arc<Faults>,
    services: Services,
    people: [Viewer; 4],
    known: Acknowledged,
    tally: Tally,
    /// The account has a policy of its own: everything that is removed goes to the diary first.
    diary_first: bool,
}

/// The program on a folder, with the policy that was drawn.
async fn open(
    dir: &Path,
    clock: &TestClock,
    page: &Page,
    disk: Disk,
    diary_first: bool,
) -> anyhow::Result<(Services, AccountId)> {
    let own = diary_first.then(|| {
        let mut own = policy();
        own.version = ContentHash::of(b"diariet forst");
        own.duties.removal.steps = vec![Step::Capture, Step::Register, Step::Remove];
        own.duties.register.on_removal = OnRemoval::Always;
        own.duties.grounds = vec![PolicyGround::plain(Ground::Threat, Standing::Named)];
        own
    });
    let page = Arc::new(page.clone());
    put_together_sealing(dir, clock, page, disk, own, BeforeRemoval::SealPlainly).await
}

/// A database with its users, made once and copied for each schedule.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = TEMPLATE.get_or_init(|| {
        let dir = folder();
        std::thread::scope(|scope| {
            // A runtime within a runtime is refused.
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    let path = dir.path().join("uppsikt.db");
                    let store = Store::open(&Settings { path }).unwrap();
                    for (role, name) in ROLES {
                        let user = NewUser {
                            login: (*name).into(),
                            name: (*name).into(),
                            title: String::new(),
                            role: *role,
                            password_hash: "x".into(),
                        };
                        let line = AuditLine {
                            user: None,
                            user_name: "prov".into(),
                            act: "user.add",
                            subject: "user".into(),
                            address: "local".into(),
                            detail: None,
                        };
                        let now = "2026-01-02T12:00:00Z".parse().unwrap();
                        store.add_user(user, line, now).await.unwrap();
                    }
                });
            });
        });
        dir
    });
    made.path()
}

const ROLES: &[(Role, &str)] = &[
    (Role::Editor, "Kim Exempel"),
    (Role::Owner, "Olle Exempel"),
    (Role::Archivist, "Arne Exempel"),
    (Role::Archivist, "Eva Exempel"),
];

/// Runs one.
pub async fn run(seed: u64) -> Result<Tally, String> {
    let mut random = Random::new(seed);
    let dir = folder();
    for file in std::fs::read_dir(template()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    let clock = TestClock::at("2026-01-02T12:00:00Z".parse().unwrap());
    let diary_first = random.once_in(3);
    let page = Page::new(dir.path(), diary_first);
    let faults = Faults::new(random.clone(), None);
    let opened = open(dir.path(), &clock, &page, faults.disk(), diary_first).await;
    let (services, _) = opened.map_err(|e| e.to_string())?;
    let mut person = 0;
    let people = [(); 4].map(|()| {
        let (role, name) = ROLES[person];
        person += 1;
        Viewer { name: name.into(), ..viewer(role, UserId(person as i64)) }
    });
    let lives = 1 + random.below(3);
    let (known, tally) = (Acknowledged::default(), Tally::default());
    let mut run =
        Run { random, dir, clock, page, faults, services, people, known, tally, diary_first };
    for life in 1..=lives {
        // Few steps kill in the middle of what begins, many let much be done before.
        let left = match run.random.below(3) {
            _ if life == lives => 100 + run.random.below(900),
            0 => run.random.below(60),
            _ => run.random.below(300),
        };
        run.live(Some(left)).await?;
    }
    run.comes_to_its_end().await?;
    Ok(run.tally)
}

impl Run {
    async fn open(&self) -> anyhow::Result<(Services, AccountId)> {
        let (dir, disk) = (self.dir.path(), self.faults.disk());
        open(dir, &self.clock, &self.page, disk, self.diary_first).await
    }

    /// Starts the program; says whether it lives.
    async fn start(&mut self, left: Option<u64>) -> bool {
        let seed = Random::new(self.random.next());
        self.faults = Faults::new(seed, left);
        let Ok((services, _)) = self.open().await else { return false };
        self.services = services;
        let evidence = &self.services.inner.evidence;
        // As `app` starts.
        let started = async {
            evidence.note_head().await.ok()?;
            evidence.settle_pending().await.ok()?;
            evidence.signer().await.ok()?;
            evidence.checkpoint_if_due().await.ok()?;
            self.services.complete_disposals().await.ok()
        };
        started.await.is_some()
    }

    async fn live(&mut self, left: Option<u64>) -> Result<(), String> {
        if self.start(left).await {
            self.write();
            self.write();
            self.take_in().await;
            for _ in 0..3 + self.random.below(MOST_DEEDS) {
                if self.faults.is_dead() {
                    break;
                }
                self.deed().await;
                self.note().await;
            }
        }
        self.tally.full += self.faults.n_full();
        self.tally.deaths += u64::from(self.faults.is_dead());
        self.faults.set_full(false);
        {
            let mut world = self.page.world.lock().unwrap();
            (world.away, world.loses) = (false, 0);
        }
        idle(&self.services.inner.acts).await;
        idle(&self.services.inner.polls).await;
        self.seals_have_their_files()
    }

    /// One thing, drawn at random. What a fault refuses is refused; nothing else is looked at here.
    async fn deed(&mut self) {
        let [editor, owner, archivist, other] = self.people.clone();
        let s = self.services.clone();
        match self.random.below(30) {
            0..=3 => {
                self.write();
                self.take_in().await;
            }
            4 => self.edit(),
            5 => self.author_deletes(),
            // Fetched and not assessed yet: what comes next meets that.
            6 => match self.random.once_in(2) {
                true => self.poll().await,
                false => self.take_in().await,
            },
            7..=11 => self.decide(&editor).await,
            12..=15 => {
                self.clock.advance(UNDO);
                self.act().await;
                self.enter_number(&editor).await;
            }
            16..=18 => {
                self.decide(&editor).await;
                self.clock.advance(UNDO);
                self.act().await;
            }
            19 => self.exempt(&owner).await,
            20 => {
                if let Some(case) = self.some_case(QueueFilter::Exempt).await {
                    // Let go before it is asked for: whether it was heard of or not, it may go now.
                    self.known.kept.remove(&case);
                    drop(s.end_exemption(&owner, case, "Behövs inte längre").await);
                }
            }
            21..=23 => {
                self.clock.advance(SignedDuration::from_hours(24 * 40));
                let proposed = s.propose_disposal(&archivist, None).await;
                if let Ok(row) = proposed
                    && self.random.once_in(2)
                {
                    drop(s.approve_disposal(&other, row.id).await);
                }
            }
            24..=26 => {
                let waiting = s.inner.store.disposals(1).await.ok().and_then(|mut all| all.pop());
                if let Some(row) = waiting.filter(|row| row.state == DisposalState::Proposed)
                    && s.approve_disposal(&other, row.id).await.is_err()
                    && self.random.once_in(2)
                {
                    drop(s.withdraw_disposal(&archivist, row.id, "Något har ändrats").await);
                }
            }
            27 => {
                drop(s.inner.evidence.checkpoint().await);
                // The authority that stamps is away.
                for due in
                    s.inner.store.wanted_stamps(s.inner.clock.now(), 9).await.unwrap_or_default()
                {
                    let (size, now) = (due.size, s.inner.clock.now());
                    drop(s.inner.store.put_off_stamp(size, "borta".into(), now).await);
                }
            }
            28 => {
                let lost = self.random.below(3);
                match self.random.below(3) {
                    0 => self.faults.set_full(!self.faults.is_full()),
                    1 => {
                        let mut world = self.page.world.lock().unwrap();
                        world.away = !world.away;
                    }
                    _ => self.page.world.lock().unwrap().loses = lost,
                }
            }
            _ => self.beside().await,
        }
        self.clock.advance(SignedDuration::from_secs(70));
    }

    /// Fetches, assesses and seals; any of it may be where the program dies.
    async fn take_in(&self) {
        self.poll().await;
        while let Ok(true) = self.services.assess_waiting().await {}
        drop(try_to_seal_plainly(&self.services).await);
    }

    fn write(&self) {
        let mut world = self.page.world.lock().unwrap();
        let number = world.comments.len() as u64 + 1;
        // Some write the very same: their records share a file.
        let text = match number % 3 {
            0 => THREAT.to_owned(),
            _ => format!("{THREAT} Nummer {number}."),
        };
        let comment = Comment { text, hidden: false, deleted: false, removed: false };
        world.comments.insert(number, comment);
        world.told.push(number);
    }

    fn edit(&mut self) {
        let pick = self.random.next();
        let mut world = self.page.world.lock().unwrap();
        let n = world.comments.len() as u64;
        let number = pick % n.max(1) + 1;
        if let Some(comment) = world.comments.get_mut(&number) {
            comment.text.push_str(" Och en gång till.");
            world.told.push(number);
        }
    }

    fn author_deletes(&mut self) {
        let pick = self.random.next();
        let mut world = self.page.world.lock().unwrap();
        let n = world.comments.len() as u64;
        if let Some(comment) = world.comments.get_mut(&(pick % n.max(1) + 1)) {
            comment.deleted = true;
        }
    }

    async fn poll(&self) {
        drop(self.services.begin_polls().await);
        idle(&self.services.inner.polls).await;
    }

    async fn act(&self) {
        for _ in 0..2 {
            drop(self.services.begin_acts().await);
            idle(&self.services.inner.acts).await;
        }
    }

    async fn some_case(&mut self, filter: QueueFilter) -> Option<CaseId> {
        let rows = self.services.inner.store.queue(filter, None, 0, 50).await.ok()?;
        let pick = self.random.below(rows.len() as u64) as usize;
        rows.get(pick).map(|row| row.case.id)
    }

    async fn decide(&mut self, editor: &Viewer) {
        let Some(case) = self.some_case(QueueFilter::Open).await else { return };
        let mut choices = match self.random.below(7) {
            0 => vec![Choice::Delete],
            1 => vec![Choice::Hide, Choice::Register],
            2 => vec![Choice::Register],
            3..=4 => vec![Choice::Dismiss],
            _ => vec![Choice::Hide],
        };
        let removes = choices.iter().any(|c| matches!(c, Choice::Hide | Choice::Delete));
        if self.diary_first && removes && !choices.contains(&Choice::Register) {
            choices.push(Choice::Register);
        }
        let Ok(row) = self.services.inner.store.case(case).await else { return };
        let ground = (choices[0] != Choice::Dismiss).then_some(Ground::Threat);
        let decision = Decision::new(choices, ground, None).unwrap();
        if let Ok(id) = self.services.decide(editor, case, row.revision, decision).await {
            self.known.decisions.insert(id);
        }
    }

    async fn enter_number(&mut self, editor: &Viewer) {
        let Some(case) = self.some_case(QueueFilter::AwaitingDiary).await else { return };
        let number = format!("KS 2026/{}", self.known.numbers + 1);
        if self.services.enter_diary_number(editor, case, &number).await.is_ok() {
            self.known.numbers += 1;
            self.tally.registered += 1;
        }
    }

    async fn exempt(&mut self, owner: &Viewer) {
        let filter = match self.random.below(2) {
            0 => QueueFilter::Closed,
            _ => QueueFilter::Open,
        };
        let Some(case) = self.some_case(filter).await else { return };
        if self.services.exempt(owner, case, "Begärd och inte utlämnad").await.is_err() {
            return;
        }
        self.tally.held += 1;
        let store = &self.services.inner.store;
        let Ok(item) = store.case(case).await.map(|row| row.item) else { return };
        let mut there = BTreeSet::new();
        for version in store.versions_of(item).await.unwrap_or_default() {
            if let Ok(Some(row)) = store.evidence_of(version.id).await
                && matches!(row.state, EvidenceState::Sealed { .. })
            {
                there.insert(row.id);
            }
        }
        self.known.kept.insert(case, there);
    }

    /// A command at work on the same folder while the daemon lives: it notes, signs and exports.
    async fn beside(&mut self) {
        let Ok((command, _)) = self.open().await else { return };
        let (store, evidence) = (&command.inner.store, &command.inner.evidence);
        if self.random.once_in(3) {
            drop(evidence.rotate_key().await);
        }
        let seals: Vec<_> = self.known.seals.keys().copied().collect();
        let Some(id) = seals.get(self.random.below(seals.len() as u64) as usize) else { return };
        let out = self.dir.path().join(format!("paket-{}.zip", self.random.next()));
        drop(
            packages::export(
                store,
                evidence,
                &[*id],
                &out,
                "Exempelstad",
                &command.inner.clock,
                &PackageForm::Zip,
            )
            .await,
        );
    }

    /// What the program has acknowledged by now.
    async fn note(&mut self) {
        if self.faults.is_dead() {
            return;
        }
        let store = &self.services.inner.store;
        if let Ok(Some(newest)) = store.newest_checkpoint().await
            && self.known.outside.last() != Some(&newest.note)
        {
            self.known.outside.push(newest.note);
        }
        for row in store.evidence_after(EvidenceId(0), 1_000).await.unwrap_or_default() {
            if let EvidenceState::Sealed { manifest, .. }
            | EvidenceState::Disposed { manifest, .. } = row.state
            {
                self.known.seals.insert(row.id, manifest);
            }
        }
    }

    /// Past all our code, right after a death: every seal has its files.
    fn seals_have_their_files(&self) -> Result<(), String> {
        let raw = rusqlite::Connection::open(self.dir.path().join("uppsikt.db")).unwrap();
        let mut sealed =
            raw.prepare("select id, manifest_hash from evidence where state = 'sealed'").unwrap();
        let rows = sealed
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .unwrap();
        for row in rows {
            let (id, manifest) = row.unwrap();
            whole_record(self.dir.path(), &manifest)
                .map_err(|why| format!("seal {id} lacks its files: {why}"))?;
        }
        let wrong = self.page.world.lock().unwrap().wrong.pop();
        wrong.map_or(Ok(()), Err)
    }

    /// The last life: no faults, and everything comes to its end.
    async fn comes_to_its_end(&mut self) -> Result<(), String> {
        if !self.start(None).await {
            return Err("it does not start again".into());
        }
        for _ in 0..4 {
            // Longer than any wait before another try.
            self.clock.advance(SignedDuration::from_hours(30));
            self.poll().await;
            while self.services.assess_waiting().await.map_err(|e| e.to_string())? {}
            try_to_seal_plainly(&self.services).await.map_err(|e| format!("{e:?}"))?;
            self.clock.advance(UNDO);
            self.act().await;
        }
        self.services.complete_disposals().await.map_err(|e| format!("{e:?}"))?;
        self.services.inner.evidence.checkpoint().await.map_err(|e| e.to_string())?;
        self.note().await;
        self.seals_have_their_files()?;
        self.decisions_came_to_their_end().await?;
        self.what_was_kept_is_there().await?;
        self.nothing_is_lost()?;
        self.nothing_else_lies_there()?;
        self.log_agrees_with_what_is_outside().await?;
        let raw = rusqlite::Connection::open(self.dir.path().join("uppsikt.db")).unwrap();
        let sql = "select count(*) from versions v join evidence e on e.version_id = v.id
                   where v.read_for is not null and e.state <> 'wanted'";
        let sealed_again: u64 = raw.query_row(sql, [], |row| row.get(0)).unwrap();
        self.tally.sealed_again += sealed_again;
        let world = self.page.world.lock().unwrap();
        self.tally.removed += world.n_removed;
        self.tally.lost += world.n_lost;
        Ok(())
    }

    /// Past all our code: each comment as it stands is known and assessed, and sealed as it stands or
    /// disposed of by protocol; and nothing was sealed over the words that stand for what is disposed of.
    fn nothing_is_lost(&self) -> Result<(), String> {
        let raw = rusqlite::Connection::open(self.dir.path().join("uppsikt.db")).unwrap();
        let mut known = raw
            .prepare(
                "select v.text, v.assessed_by is not null, coalesce(e.state, 'none') from items i
                 join versions v on v.id = i.current_version_id
                 left join evidence e on e.version_id = v.id
                 where i.platform_id = ?1 and v.content_hash = ?2",
            )
            .unwrap();
        let comments = self.page.world.lock().unwrap().comments.clone();
        for (number, comment) in comments.iter().filter(|(_, comment)| !comment.deleted) {
            let content = Page::item(*number, comment).content_hash();
            let found =
                known.query_row(rusqlite::params![number.to_string(), content.bytes()], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, String>(2)?))
                });
            let (text, assessed, evidence) =
                found.map_err(|e| format!("comment {number} as it stands is lost: {e}"))?;
            match (assessed, evidence.as_str()) {
                (true, "sealed") if text == comment.text => {}
                (true, "disposed") if text == DISPOSED_TEXT => {}
                _ => {
                    return Err(format!(
                        "comment {number}: assessed {assessed}, {evidence}, kept as it stands: {}",
                        text == comment.text
                    ));
                }
            }
        }
        let over: i64 = raw
            .query_row(
                "select count(*) from evidence e join versions v on v.id = e.version_id
                 where e.state = 'sealed' and v.text = ?1",
                [DISPOSED_TEXT],
                |row| row.get(0),
            )
            .unwrap();
        match over {
            0 => Ok(()),
            n => Err(format!("{n} records are of what was disposed of before it was sealed")),
        }
    }

    async fn decisions_came_to_their_end(&self) -> Result<(), String> {
        let store = &self.services.inner.store;
        let mut found = BTreeSet::new();
        let n_comments = self.page.world.lock().unwrap().comments.len() as i64;
        for case in 1..=n_comments {
            let case = CaseId(case);
            found.extend(store.decisions_on(case).await.unwrap_or_default().iter().map(|d| d.id));
            for action in store.actions_on(case).await.unwrap_or_default() {
                let ended = match &action.state {
                    ActionState::Done { .. }
                    | ActionState::Moot { .. }
                    | ActionState::Failed { .. }
                    | ActionState::Cancelled { .. } => true,
                    ActionState::Pending { .. }
                    | ActionState::UnderWay { .. }
                    | ActionState::Retrying { .. } => false,
                };
                if !ended {
                    return Err(format!("action {} never ends: {:?}", action.id, action.state));
                }
            }
        }
        match self.known.decisions.difference(&found).next() {
            Some(lost) => Err(format!("decision {lost} was acknowledged and is lost")),
            None => Ok(()),
        }
    }

    async fn what_was_kept_is_there(&mut self) -> Result<(), String> {
        let store = self.services.inner.store.clone();
        for (id, sealed) in &self.known.seals {
            let row = store.evidence(*id).await.map_err(|e| format!("seal {id}: {e}"))?;
            match row.state {
                EvidenceState::Sealed { manifest, .. } if manifest == *sealed => {
                    self.tally.sealed += 1;
                }
                EvidenceState::Disposed { manifest, .. } if manifest == *sealed => {
                    self.tally.disposed += 1;
                    if self.known.kept.values().any(|kept| kept.contains(id)) {
                        return Err(format!("record {id} was exempt and is disposed of"));
                    }
                }
                other => return Err(format!("seal {id} was acknowledged and is now {other:?}")),
            }
        }
        Ok(())
    }

    /// No file that no living record names: nothing of what was refused, cut off or disposed of.
    fn nothing_else_lies_there(&self) -> Result<(), String> {
        let raw = rusqlite::Connection::open(self.dir.path().join("uppsikt.db")).unwrap();
        let mut named = raw
            .prepare(
                "select lower(hex(b.sha256)) from evidence_blobs b join evidence e on e.id = b.evidence_id
                 where e.state = 'sealed'",
            )
            .unwrap();
        let named: BTreeSet<String> =
            named.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let blobs: PathBuf = self.dir.path().join("evidence/blobs");
        for folder in std::fs::read_dir(blobs).unwrap() {
            let folder = folder.unwrap();
            for file in std::fs::read_dir(folder.path()).unwrap() {
                let name = format!(
                    "{}{}",
                    folder.file_name().to_string_lossy(),
                    file.unwrap().file_name().to_string_lossy()
                );
                if !named.contains(&name) {
                    return Err(format!("the file {name} belongs to nothing"));
                }
            }
        }
        Ok(())
    }

    async fn log_agrees_with_what_is_outside(&self) -> Result<(), String> {
        let outside = self.dir.path().join("outside.txt");
        let notes: String = self.known.outside.iter().map(|note| format!("{note}\n")).collect();
        std::fs::write(&outside, notes).unwrap();
        let options = Options { witnesses: vec![outside], progress: None };
        let inner = &self.services.inner;
        let report =
            verify(&inner.evidence, &inner.store, &options).await.map_err(|e| e.to_string())?;
        match report.faults.is_empty() {
            true => Ok(()),
            false => Err(format!("verification: {:#?}", report.faults)),
        }
    }
}
