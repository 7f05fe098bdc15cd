//! A year in the life: a municipality with 30 accounts on nine kinds of platforms under three of the ready policies, 12
//! people with holidays of whom two leave, a crisis week, archive runs by policy, the inventory in February, a summer
//! weekend with the server down, both changes of the clock, and retention that falls due. The clock is simulated.
//!
//! People write by a seed. What the platforms handed out and what people did is the table of truth (`square`, `truth`),
//! kept apart from the program's rows; each evening the database is held against it and against what may never be
//! (`truth`), each month everything is verified and the supervision log is counted anew, and in the end the committee's
//! report is counted three times: by the program, by `tests/lib/recount.py` over its lines, and from the table of truth.
//!
//! Everything that does not add up names its day and the seed:
//! `UPPSIKT_SEED=0x… UPPSIKT_YEAR_COMMENTS=2000 cargo test a_year_in_the_life`.

mod duties;
mod ending;
mod opening;
mod square;
pub(crate) mod suite;
mod texts;
mod truth;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::civil::{Date, Weekday, date};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tempfile::TempDir;

use opening::open;

use super::harness::{idle, seal_plainly, viewer};
use super::notices;
use super::schedules::faults::Random;
use super::schedules::{folder, from_environment};
use super::witnesses::mail_server;
use crate::classify::BUILT_IN;
use crate::domain::account::PlatformKind;
use crate::domain::calendar::{local, stockholm};
use crate::domain::category::Category;
use crate::domain::ids::{AccountId, AccountKey, CaseId};
use crate::domain::item::ItemKind;
use crate::domain::person::Role;
use crate::domain::policy::Policy;
use crate::domain::report::Span;
use crate::domain::retention::{NoCase, Retention, RetentionClass, RetentionRule};
use crate::evidence::EvidenceStore;
use crate::evidence::fetch::FetchLimits;
use crate::platforms::Platform;
use crate::platforms::facebook::Facebook;
use crate::platforms::simulate::facebook::{Options, Simulator};
use crate::platforms::simulate::script::Script;
use crate::runtime::chance;
use crate::runtime::clock::TestClock;
use crate::services::deliveries::PackageForm;
use crate::services::handovers::Ways;
use crate::services::notices::Notifier;
use crate::services::notices::courier::{Courier, MailSettings};
use crate::services::public_reports::Bounds;
use crate::services::{BeforeRemoval, Parts, Served, Services, Settings, Viewer};
use crate::store::rows::AuditLine;
use crate::store::sqlite::users::NewUser;
use crate::store::{self, Store};
use square::{Comment, Square};
use truth::Truth;

/// How many comments are written unless `UPPSIKT_YEAR_COMMENTS` says otherwise.
const COMMENTS: u64 = 2_000;
/// The first number unless `UPPSIKT_SEED` says otherwise.
const SEED: u64 = 0x2027_0101;
/// Of a thousand comments so many are such as a person has to look at; in a small year more, or little would happen.
const FLAGGED: u64 = 15;
const FLAGGED_LEAST: u64 = 50;
/// How many the one account on the whole simulated Facebook gets at most: that one replays its script at each call.
const ON_FACEBOOK: u64 = 120;

/// So many days are lived again.
const AGAIN_DAYS: i32 = 12;

const ACCOUNTS: usize = 30;
const KINDS: &[PlatformKind] = &[
    PlatformKind::Facebook,
    PlatformKind::Instagram,
    PlatformKind::YouTube,
    PlatformKind::WordPress,
    PlatformKind::TikTok,
    PlatformKind::OwnSite,
    PlatformKind::X,
    PlatformKind::Bluesky,
    PlatformKind::Reddit,
];

/// Login, role, and the holidays: month and day of the first and the last.
type Holidays = &'static [((i8, i8), (i8, i8))];
const STAFF: &[(&str, Role, Holidays)] = &[
    ("ada", Role::Administrator, &[((7, 19), (8, 6))]),
    ("olle", Role::Owner, &[((7, 5), (7, 30))]),
    ("siv", Role::Owner, &[((7, 12), (8, 8)), ((2, 22), (2, 26))]),
    ("ylva", Role::Owner, &[((6, 28), (7, 23)), ((12, 27), (12, 31))]),
    ("kim", Role::Editor, &[((7, 5), (7, 18)), ((11, 1), (11, 5))]),
    ("eva", Role::Editor, &[((7, 19), (8, 15))]),
    ("nils", Role::Editor, &[((3, 1), (3, 5))]),
    ("tove", Role::Editor, &[((6, 28), (7, 25))]),
    ("per", Role::Editor, &[((7, 26), (8, 20)), ((4, 5), (4, 9))]),
    ("rut", Role::Registrar, &[((7, 12), (7, 30))]),
    ("arne", Role::Archivist, &[((8, 2), (8, 20))]),
    ("berit", Role::Archivist, &[((6, 28), (7, 9))]),
];
/// Who works with the accounts of each policy: who answers for them first.
const PEOPLE: [&[&str]; 3] =
    [&["olle", "kim", "eva"], &["siv", "nils", "tove"], &["ylva", "per", "eva"]];

/// Working days that are none, beside Saturdays and Sundays: by hand, as the almanac has them.
const FREE: &[(i8, i8)] = &[(1, 1), (1, 6), (3, 26), (3, 29), (5, 6), (6, 25), (12, 24), (12, 31)];

pub(super) fn is_free(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
        || FREE.contains(&(day.month(), day.day()))
}

struct Person {
    login: &'static str,
    viewer: Viewer,
    holidays: Holidays,
    left: bool,
}

/// Where an account's people write.
enum Place {
    Square(Square),
    Facebook(Arc<Simulator>),
}

struct Held {
    id: AccountId,
    key: String,
    group: usize,
    place: Place,
}

pub(super) struct Year {
    seed: u64,
    /// What people at work do.
    random: Random,
    /// What is written, and when: the same for the same seed.
    writers: Random,
    dir: TempDir,
    clock: TestClock,
    policies: [Policy; 3],
    services: Services,
    notifier: Notifier,
    letters: Arc<Mutex<Vec<String>>>,
    port: u16,
    raw: rusqlite::Connection,
    accounts: Vec<Held>,
    staff: Vec<Person>,
    truth: Truth,
    today: Date,
    comments: u64,
    written: u64,
    /// When people last wrote: what lies between is drawn.
    wrote_at: Timestamp,
    crisis: Option<(Timestamp, Timestamp)>,
    began: Instant,
}

pub(super) fn at(day: Date, hour: i8, minute: i8) -> Timestamp {
    day.at(hour, minute, 0, 0).to_zoned(stockholm()).unwrap().timestamp()
}

/// What a ready policy leaves to the authority: its own decision on disposal, and months.
fn with_retention(mut policy: Policy, nth: usize) -> Policy {
    let decision = Some(format!("KS 2026/{}", 100 + nth));
    let rule = |months| RetentionRule { months: Some(months), why: "Ringa betydelse.".into() };
    let no_case = NoCase { rule: rule(5), decision: decision.clone() };
    let months = |class| match class {
        RetentionClass::Dismissed | RetentionClass::NotRegistered => rule(2),
        RetentionClass::CarriedOut => rule(3),
        RetentionClass::Registered => rule(4),
    };
    let no_case = (nth == 1).then_some(no_case);
    policy.retention = Some(Retention::new("Plan".into(), decision, true, no_case, months));
    policy
}

/// Lives the year and says what does not add up.
pub(crate) fn live(policies: [Policy; 3]) {
    let comments = from_environment("UPPSIKT_YEAR_COMMENTS").unwrap_or(COMMENTS);
    let seed = from_environment("UPPSIKT_SEED").unwrap_or(SEED);
    println!("a year of {comments} comments from UPPSIKT_SEED={seed:#x}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // When an account is read is drawn too: from the seed, so that a year can be lived again.
    chance::seeded::begin(seed);
    runtime.block_on(async {
        let mut year = Year::begin(seed, comments, policies).await;
        let mut day = date(2027, 1, 1);
        while day.year() == 2027 {
            year.today = day;
            year.day().await;
            day = day.tomorrow().unwrap();
        }
        year.ends().await;
        println!("{:?} in {:?}", year.truth.tally, year.began.elapsed());
        println!("what happened: {}", year.told());
        let wrong = &year.truth.wrong;
        assert!(
            wrong.is_empty(),
            "UPPSIKT_SEED={seed:#x}, {} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        year.something_happened();
    });
}

/// Lives the first days of the year twice from one seed, and once from another: the same seed gives the same, to the
/// last line of the report, and another one does not.
pub(crate) fn live_again(policies: &[Policy; 3]) {
    let days = |seed: u64| {
        let policies = policies.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        chance::seeded::begin(seed);
        runtime.block_on(async {
            let mut year = Year::begin(seed, COMMENTS, policies).await;
            for n in 0..AGAIN_DAYS {
                year.today = days_on(date(2027, 1, 1), n);
                year.day().await;
            }
            assert!(year.truth.wrong.is_empty(), "{:?}", year.truth.wrong);
            assert!(year.truth.tally.decisions > 0, "{:?}", year.truth.tally);
            let span = Span::Month { year: 2027, month: 1 };
            let lines = year.services.report_lines(&year.person("ada"), span).await.unwrap();
            (year.told(), lines)
        })
    };
    let (first, second, other) = (days(SEED), days(SEED), days(SEED + 1));
    assert_eq!(first.1, second.1, "the lines of the report");
    assert_eq!(first.0, second.0, "what happened");
    assert_ne!(first.0, other.0, "another seed is another year");
}

impl Year {
    async fn begin(seed: u64, comments: u64, policies: [Policy; 3]) -> Self {
        let mut nth = 0;
        let policies = policies.map(|policy| {
            nth += 1;
            with_retention(policy, nth - 1)
        });
        let dir = folder();
        let began = at(date(2027, 1, 1), 0, 5);
        let clock = TestClock::at(began);
        let path = dir.path().join("uppsikt.db");
        let store = Store::open(&store::Settings { path: path.clone() }).unwrap();
        store.settle_fact("installation", "prov".into()).await.unwrap();
        let mut accounts = Vec::new();
        for n in 0..ACCOUNTS {
            let key = format!("konto-{n:02}");
            let kind = KINDS[n % KINDS.len()];
            let name = format!("Exempelstad {n} (simulerad)");
            let account = store
                .ensure_account(AccountKey::new(&*key), kind, name, true, began)
                .await
                .unwrap();
            let place = match n {
                0 => {
                    let script = Script::read(super::harness::POSTS, "").unwrap();
                    let options = Options::new(script);
                    Place::Facebook(Arc::new(
                        Simulator::start(options, clock.clock()).await.unwrap(),
                    ))
                }
                _ => Place::Square(Square::new(kind, &key, dir.path(), clock.clock())),
            };
            accounts.push(Held { id: account.id, key, group: n % 3, place });
        }
        let mut staff = Vec::new();
        for (login, role, holidays) in STAFF {
            let name = format!("{}{} Exempel", login[..1].to_uppercase(), &login[1..]);
            let user = NewUser {
                login: (*login).into(),
                name: name.clone(),
                title: "kommunikatör".into(),
                role: *role,
                password_hash: "x".into(),
            };
            let line = AuditLine {
                user: None,
                user_name: "prov".into(),
                act: "user.add",
                subject: format!("user {login}"),
                address: "local".into(),
                detail: None,
            };
            let id = store.add_user(user, line, began).await.unwrap();
            let viewer = Viewer { name, ..viewer(*role, id) };
            staff.push(Person { login, viewer, holidays, left: false });
        }
        drop(store);
        let (port, letters) = mail_server(Arc::new(AtomicBool::new(false))).await;
        let services = open(dir.path(), &clock, &policies, &accounts).await;
        let notifier = notifier(&services, &clock, port);
        let raw = rusqlite::Connection::open(&path).unwrap();
        let mut year = Self {
            seed,
            random: Random::new(seed),
            writers: Random::new(seed ^ 0x7E57),
            dir,
            clock,
            policies,
            services,
            notifier,
            letters,
            port,
            raw,
            accounts,
            staff,
            truth: Truth::default(),
            today: date(2027, 1, 1),
            comments,
            written: 0,
            wrote_at: began,
            crisis: None,
            began: Instant::now(),
        };
        year.settles_in().await;
        year
    }

    fn now(&self) -> Timestamp {
        self.clock.clock().now()
    }

    fn store(&self) -> &Store {
        &self.services.inner.store
    }

    fn wrong(&mut self, what: impl std::fmt::Display) {
        self.truth.wrong.push(format!("{}: {what}", self.today));
        assert!(
            self.truth.wrong.len() < 20,
            "UPPSIKT_SEED={:#x}, too much is wrong:\n{}",
            self.seed,
            self.truth.wrong.join("\n")
        );
    }

    fn go_to(&mut self, to: Timestamp) {
        let by = to.duration_since(self.now());
        if by > SignedDuration::ZERO {
            self.clock.advance(by);
        }
        self.people_write();
    }

    /// One day, tick by tick.
    async fn day(&mut self) {
        let day = self.today;
        if day.month() == 7 && (day.day() == 10 || day.day() == 11) {
            // The server is down; people go on writing, and nobody can look.
            return;
        }
        if day == date(2027, 7, 12) {
            self.go_to(at(day, 2, 10));
            self.services =
                open(self.dir.path(), &self.clock, &self.policies, &self.accounts).await;
            self.notifier = notifier(&self.services, &self.clock, self.port);
        }
        // At both changes of the clock also in the hour that is not there, and in the one that is there twice.
        let night: &[(i8, i8)] = match (day.month(), day.day()) {
            (3, 28) => &[(1, 30), (3, 30)],
            (10, 31) => &[(1, 30), (2, 30), (3, 30)],
            (7, 12) => &[(2, 10)],
            _ => &[],
        };
        // Before somebody leaves everybody plans and nobody decides.
        let plans = matches!((day.month(), day.day()), (4, 28..=30) | (9, 13..=15));
        for (hour, minute) in night {
            self.go_to(at(day, *hour, *minute));
            self.machine().await;
        }
        let looks: &[(i8, i8)] = match self.crisis {
            Some(_) => &[
                (8, 10),
                (8, 35),
                (9, 0),
                (9, 25),
                (9, 50),
                (10, 15),
                (10, 40),
                (11, 5),
                (11, 30),
                (11, 55),
                (12, 20),
                (12, 45),
                (13, 10),
                (13, 35),
                (14, 0),
                (14, 25),
                (14, 50),
                (15, 15),
                (15, 40),
                (16, 5),
            ],
            None => &[(8, 10), (10, 0), (11, 50), (13, 40), (15, 20)],
        };
        let nobody = self.random.once_in(25);
        let early = self.random.once_in(12);
        for (n, (hour, minute)) in looks.iter().enumerate() {
            self.go_to(at(day, *hour, *minute));
            let works = n == 0 || n == 10 || matches!((*hour, *minute), (13, 35 | 40));
            if works {
                self.machine().await;
                self.special_acts(*hour).await;
            }
            // Some days nobody comes, on some they go home after lunch.
            let is_empty = nobody || (early && *hour >= 12);
            if !is_empty {
                self.somebody_looks(n).await;
                if works && !plans {
                    self.people_work().await;
                }
            }
        }
        self.go_to(at(day, 20, 40));
        self.machine().await;
        self.housekeeping().await;
        self.check_day().await;
    }

    /// What the loops of `app` do, until nothing waits.
    async fn machine(&mut self) {
        let s = self.services.clone();
        s.note_sign().await.unwrap();
        for _ in 0..40 {
            s.begin_polls().await.unwrap();
            idle(&s.inner.polls).await;
            let due = "select count(*) from fetch_states where next_at <= ?1";
            let now = self.now().as_millisecond();
            let waiting: i64 = self.raw.query_row(due, [now], |row| row.get(0)).unwrap();
            if waiting == 0 {
                break;
            }
        }
        while s.assess_waiting().await.unwrap() {}
        self.seal().await;
        s.end_holds().await.unwrap();
        s.end_claims().await.unwrap();
        self.act().await;
        // What looks days ahead looks at 30 accounts and four months: on Mondays, and where it matters.
        let hour = local(self.now()).hour();
        if hour == 8 && (self.today.weekday() == Weekday::Monday || self.today.day() == 1) {
            while self.notifier.round().await.unwrap() {}
        }
        for _ in 0..50 {
            let planned = self.notifier.plan().await.unwrap();
            let escalated = self.notifier.escalate().await.unwrap();
            if !(self.notifier.send_due().await.unwrap() || planned || escalated) {
                break;
            }
        }
    }

    /// With sheets in the long tier alone: rendering them is nearly all the time that a capture takes.
    async fn seal(&self) {
        match self.comments > COMMENTS {
            true => while self.services.capture_wanted().await.unwrap() {},
            false => seal_plainly(&self.services).await,
        }
    }

    async fn act(&mut self) {
        for _ in 0..2 {
            self.services.begin_acts().await.unwrap();
            idle(&self.services.inner.acts).await;
        }
        while self.services.assess_waiting().await.unwrap() {}
        self.seal().await;
    }

    /// What goes by itself at night.
    async fn housekeeping(&mut self) {
        let s = self.services.clone();
        s.note_log().await;
        s.complete_disposals().await.unwrap();
        self.truth.tally.swept += s.sweep_uncased().await.unwrap();
        s.inner.evidence.checkpoint_if_due().await.unwrap();
        while s.archive_round().await.unwrap() {}
    }

    /// What people have written since the clock stood last.
    fn people_write(&mut self) {
        let (from, to) = (self.wrote_at, self.now());
        self.wrote_at = to;
        if (self.today.month(), self.today.day()) >= (12, 29) {
            // What is written on the last days is fetched in them.
            return;
        }
        let times = if self.crisis.is_some() { 5 } else { 1 };
        let whole = to.duration_since(from).as_secs().max(1).unsigned_abs();
        // In thousandths, so that what is less than one comment is drawn.
        let expected = whole * times * self.comments * 1_000 / (86_400 * (361 + 5 * 4));
        let drawn = (expected + self.writers.below(1_000)) / 1_000;
        let last = (self.today.month(), self.today.day()) == (12, 28) && local(to).hour() >= 20;
        let left = self.comments - self.written;
        let n = if last { left } else { drawn.min(left) };
        for nth in 0..n {
            let back = i64::try_from(whole * (n - nth) / (n + 1)).unwrap_or(0);
            self.somebody_writes(to - SignedDuration::from_secs(back));
        }
        self.authors_change_their_minds();
    }

    fn somebody_writes(&mut self, at: Timestamp) {
        self.written += 1;
        let share = (1_000 * FLAGGED_LEAST / self.comments.max(1)).max(FLAGGED);
        let is_flagged = self.writers.below(1_000) < share;
        // Main accounts get more.
        let n = self.writers.below(30).min(self.writers.below(30)) as usize;
        let author = self.writers.below(400) + 1;
        let name = texts::NAMES[(author % texts::NAMES.len() as u64) as usize];
        let is_message = is_flagged && self.writers.once_in(6);
        let (text, category) = match is_flagged && !is_message {
            true => texts::flagged(&mut self.writers),
            false => (texts::harmless(&mut self.writers), Category::Question),
        };
        let expected = is_flagged.then_some((!is_message).then_some(category));
        let is_answer = self.writers.once_in(8);
        match &self.accounts[n].place {
            Place::Facebook(simulator) if self.truth.on_facebook.len() < ON_FACEBOOK as usize => {
                // Private messages are no part of this one.
                let text =
                    if is_message { "Vilken jävla kukväg ni byggt.".to_owned() } else { text };
                let expected = is_flagged.then_some(Some(match is_message {
                    true => Category::Profanity,
                    false => category,
                }));
                let number = simulator.write(name, &text, None);
                self.truth.on_facebook.push(number);
                if let Some(category) = expected {
                    self.truth.flagged.insert((n, number), category);
                }
            }
            Place::Facebook(_) => {
                self.somebody_writes_at(1, at, (author, name), text, expected, is_answer)
            }
            Place::Square(_) => {
                self.somebody_writes_at(n, at, (author, name), text, expected, is_answer)
            }
        }
    }

    fn somebody_writes_at(
        &mut self,
        n: usize,
        at: Timestamp,
        (author, name): (u64, &'static str),
        text: String,
        expected: Option<Option<Category>>,
        is_answer: bool,
    ) {
        let Place::Square(square) = &self.accounts[n].place else { return };
        let so_far = square.world().comments.len() as u64;
        let parent = (is_answer && so_far > 0).then(|| self.writers.below(so_far) + 1);
        // Nobody answers under a private message.
        let parent = parent.filter(|parent| {
            square.world().comments.get(parent).is_some_and(|c| c.kind != ItemKind::DirectMessage)
        });
        let (kind, parent) = match (expected, parent) {
            (Some(None), _) => (ItemKind::DirectMessage, None),
            (_, Some(parent)) => (ItemKind::Reply, Some(parent)),
            (_, None) => (ItemKind::Comment, None),
        };
        let (by_us, hidden, deleted) = (false, false, false);
        let comment = Comment { kind, author, name, text, parent, at, by_us, hidden, deleted };
        let number = square.write(comment);
        if let Some(category) = expected {
            self.truth.flagged.insert((n, number), category);
        }
    }

    /// Authors edit what was flagged, and take away what they wrote.
    fn authors_change_their_minds(&mut self) {
        if self.writers.once_in(60) {
            let n = self.truth.flagged.len() as u64;
            let pick = self.writers.below(n.max(1)) as usize;
            let Some((&(account, number), category)) = self.truth.flagged.iter().nth(pick) else {
                return;
            };
            let (edits, tells) = (self.writers.once_in(2), self.writers.once_in(2));
            let Place::Square(square) = &self.accounts[account].place else { return };
            let comment = square.world().comments.get(&number).cloned();
            let Some(comment) = comment.filter(|c| !c.hidden && !c.deleted) else { return };
            if edits && category.is_some() {
                square.edit(number, &format!("{} Så är det.", comment.text));
                self.truth.tally.edited += 1;
            } else {
                square.author_deletes(number, tells);
                self.truth.tally.author_deleted += 1;
            }
        }
        if self.writers.once_in(40) {
            let n = 1 + self.writers.below(29) as usize;
            let pick = self.writers.next();
            let edits = self.writers.once_in(2);
            let Place::Square(square) = &self.accounts[n].place else { return };
            let so_far = square.world().comments.len() as u64;
            let number = pick % so_far.max(1) + 1;
            let comment = square.world().comments.get(&number).cloned();
            let Some(comment) = comment.filter(|c| !c.by_us && !c.deleted) else { return };
            if self.truth.flagged.contains_key(&(n, number)) {
                return;
            }
            match edits {
                true => square.edit(number, &format!("{} Tack!", comment.text)),
                false => square.author_deletes(number, true),
            }
        }
    }

    fn person(&self, login: &str) -> Viewer {
        self.staff.iter().find(|p| p.login == login).expect("is on the staff").viewer.clone()
    }

    fn is_at_work(&self, login: &str) -> bool {
        let person = self.staff.iter().find(|p| p.login == login).expect("is on the staff");
        let day = (self.today.month(), self.today.day());
        let away = person.holidays.iter().any(|(first, last)| (*first..=*last).contains(&day));
        !person.left && !away
    }

    /// Who works with the accounts of a policy today.
    fn at_work(&self, group: usize) -> Vec<Viewer> {
        let stand_in: &[&str] = match (group, self.has_left("nils"), self.has_left("per")) {
            (1, true, _) => &["kim"],
            (2, _, true) => &["tove"],
            _ => &[],
        };
        let all = PEOPLE[group].iter().chain(stand_in);
        all.filter(|login| self.is_at_work(login)).map(|login| self.person(login)).collect()
    }

    fn has_left(&self, login: &str) -> bool {
        self.staff.iter().any(|person| person.login == login && person.left)
    }
}

fn notifier(services: &Services, clock: &TestClock, port: u16) -> Notifier {
    let mail = MailSettings { port, ..notices::mail_to_nowhere() };
    let courier = Courier::new(Some(&mail), &[], "prov".into(), clock.clock()).unwrap();
    Notifier::new(services.clone(), notices::settings(), courier)
}

/// A day of the year so many days on.
pub(super) fn days_on(day: Date, n: i32) -> Date {
    day.checked_add(n.days()).unwrap()
}

/// Case numbers by what is drawn: what the table of truth keeps of a case.
pub(super) type Cases<T> = BTreeMap<CaseId, T>;
pub(super) type CaseSet = BTreeSet<CaseId>;
