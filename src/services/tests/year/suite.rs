//! The labelled suite through the whole program under each ready policy, as comments and as private messages: fetched,
//! assessed, sealed, decided as the policy proposes, carried out. What the platform removed is held against the seals by
//! the platform itself ([`super::square`]), and what should be refused is tried.
//!
//! Over the classifier's own verdicts; what the policies do with the labels is tried where policies are read.

use std::collections::BTreeMap;

use super::*;
use crate::domain::decision::{Choice, Decision};
use crate::domain::duties::{MustNotRegister, OnRemoval};
use crate::domain::ground::Ground;
use crate::domain::policy::{Proposal, Proposed};
use crate::domain::register::{Answered, Question};
use crate::evidence::verify;
use crate::services::ServiceError;

const SUITE: &str = include_str!("../../../../fixtures/classify/dev-suite.jsonl");
/// One text in so many, unless `UPPSIKT_SUITE_EVERY` says otherwise; `tests/run --long` takes all.
const EVERY: u64 = 170;

fn words() -> String {
    "Tack, vi återkommer.".to_owned()
}

fn choice(proposed: &Proposed) -> Choice {
    match proposed {
        Proposed::Hide => Choice::Hide,
        Proposed::Delete => Choice::Delete,
        Proposed::Register => Choice::Register,
        Proposed::Answer => Choice::Answer { text: words() },
        Proposed::Refer => Choice::Refer { text: words() },
        Proposed::Forward => {
            Choice::Forward { to: "prov@exempelstad.example".into(), note: words() }
        }
        Proposed::Dismiss => Choice::Dismiss,
        Proposed::ConsiderPoliceReport => Choice::ConsiderPoliceReport,
    }
}

/// What a person did, to be held against what became of it.
struct Done {
    case: CaseId,
    account: usize,
    number: u64,
    removes: bool,
    registers: bool,
}

struct Trial {
    services: Services,
    clock: TestClock,
    raw: rusqlite::Connection,
    policies: Vec<Policy>,
    accounts: Vec<Held>,
    viewer: Viewer,
    done: Vec<Done>,
    /// What was refused that had to be.
    n_refused: BTreeMap<&'static str, u64>,
    /// Where the proposal cannot be carried out on the platform, and a person has to find another way.
    n_otherwise: u64,
}

/// Runs it and says what does not add up.
pub(crate) fn runs(policies: Vec<Policy>) {
    let every = from_environment("UPPSIKT_SUITE_EVERY").unwrap_or(EVERY);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let dir = folder();
        let mut trial = Trial::begin(dir.path(), policies).await;
        let n = trial.people_write(every);
        trial.machine().await;
        trial.people_decide().await;
        for _ in 0..200 {
            trial.clock.advance(SignedDuration::from_mins(7));
            trial.acts().await;
            let left = "select count(*) from actions where due_at is not null and by_hand = 0";
            if trial.count(left) == 0 {
                break;
            }
        }
        trial.everything_ended_as_it_may(n).await;
    });
}

impl Trial {
    async fn begin(dir: &Path, policies: Vec<Policy>) -> Self {
        let clock = TestClock::at(at(date(2026, 11, 20), 15, 0));
        let path = dir.join("uppsikt.db");
        let store = Store::open(&store::Settings { path: path.clone() }).unwrap();
        store.settle_fact("installation", "prov".into()).await.unwrap();
        let kind = PlatformKind::Facebook;
        let mut accounts = Vec::new();
        for group in 0..policies.len() {
            let key = format!("konto-{group}");
            let name = format!("Exempelstad {group} (simulerad)");
            let now = clock.clock().now();
            let account = store.ensure_account(AccountKey::new(&*key), kind, name, true, now);
            let place = Place::Square(Square::new(kind, &key, dir, clock.clock()));
            accounts.push(Held { id: account.await.unwrap().id, key, group, place });
        }
        let user = NewUser {
            login: "olle".into(),
            name: "Olle Exempel".into(),
            title: "kommunikatör".into(),
            role: Role::Owner,
            password_hash: "x".into(),
        };
        let line = AuditLine {
            user: None,
            user_name: "prov".into(),
            act: "user.add",
            subject: "user olle".into(),
            address: "local".into(),
            detail: None,
        };
        let id = store.add_user(user, line, clock.clock().now()).await.unwrap();
        let viewer = Viewer { name: "Olle Exempel".into(), ..viewer(Role::Owner, id) };
        drop(store);
        let services = open(dir, &clock, &policies, &accounts).await;
        let raw = rusqlite::Connection::open(&path).unwrap();
        let (n_refused, done) = (BTreeMap::new(), Vec::new());
        Self { services, clock, raw, policies, accounts, viewer, done, n_refused, n_otherwise: 0 }
    }

    fn square(&self, account: usize) -> &Square {
        match &self.accounts[account].place {
            Place::Square(square) => square,
            Place::Facebook(_) => unreachable!("there are squares alone"),
        }
    }

    /// Each text twice on each account. Says how many texts.
    fn people_write(&self, every: u64) -> usize {
        let now = self.clock.clock().now();
        let texts: Vec<String> = SUITE
            .lines()
            .step_by(usize::try_from(every).unwrap())
            .map(|line| {
                let record: serde_json::Value = serde_json::from_str(line).unwrap();
                record["text"].as_str().unwrap().to_owned()
            })
            .collect();
        for account in 0..self.accounts.len() {
            for (n, text) in texts.iter().enumerate() {
                for kind in [ItemKind::Comment, ItemKind::DirectMessage] {
                    self.square(account).write(Comment {
                        kind,
                        author: n as u64 + 1,
                        name: texts::NAMES[n % texts::NAMES.len()],
                        text: text.clone(),
                        parent: None,
                        at: now - SignedDuration::from_mins(1),
                        by_us: false,
                        hidden: false,
                        deleted: false,
                    });
                }
            }
        }
        texts.len()
    }

    async fn machine(&self) {
        let s = &self.services;
        for _ in 0..40 {
            s.begin_polls().await.unwrap();
            idle(&s.inner.polls).await;
        }
        while s.assess_waiting().await.unwrap() {}
        for _ in 0..20 {
            seal_plainly(s).await;
        }
    }

    async fn acts(&self) {
        for _ in 0..12 {
            self.services.begin_acts().await.unwrap();
            idle(&self.services.inner.acts).await;
        }
        while self.services.assess_waiting().await.unwrap() {}
        seal_plainly(&self.services).await;
    }

    async fn people_decide(&mut self) {
        let sql = "select k.id, i.account_id, i.platform_id from cases k join items i on i.id = k.item_id order by k.id";
        let cases: Vec<(i64, i64, String)> = {
            let mut read = self.raw.prepare(sql).unwrap();
            let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            rows.unwrap().map(Result::unwrap).collect()
        };
        for (case, account, number) in cases {
            let account = self.accounts.iter().position(|held| held.id.0 == account).unwrap();
            self.decide(CaseId(case), account, number.parse().unwrap()).await;
        }
    }

    async fn decide(&mut self, case: CaseId, account: usize, number: u64) {
        let store = &self.services.inner.store;
        let row = store.case(case).await.unwrap();
        let item = store.item(row.item).await.unwrap();
        let verdict = store.version(row.version).await.unwrap().verdict.unwrap();
        let policy = self.policies[account].clone();
        let at = format!("{}: {number} as {:?}", policy.name, item.kind);
        let written = item.created_at.unwrap();
        assert_eq!(row.due_at, policy.due(&verdict, item.kind, written), "{at}: the deadline");

        let proposal = policy.proposal(&verdict);
        let choices: Vec<_> = proposal.choices.iter().map(choice).collect();
        let decision =
            |choices: Vec<Choice>, note| Decision::new(choices, proposal.ground, note).ok();
        let note = Some("Enligt riktlinjen.".to_owned());
        // Of a private message the platform refuses more than the policy does.
        if item.kind == ItemKind::Comment {
            self.what_must_be_refused_is(case, row.revision, &policy, &proposal, &choices).await;
        }
        // As proposed; where the platform cannot do that (nobody hides a private message), as a person then does.
        let ways = [
            choices.clone(),
            vec![Choice::Answer { text: words() }, Choice::NotRegister { reason: words() }],
            vec![Choice::Answer { text: words() }, Choice::Register],
            vec![Choice::Register],
            vec![Choice::Dismiss],
        ];
        let (mut why, nothing) = (Vec::new(), Answered::default());
        for (nth, choices) in ways.into_iter().enumerate() {
            let Some(decision) = decision(choices, note.clone()) else { continue };
            let (removes, registers) =
                (decision.removes(), decision.choices().contains(&Choice::Register));
            let made =
                self.services.decide_with(&self.viewer, case, row.revision, decision, &nothing);
            match made.await {
                Ok(_) => {
                    self.n_otherwise += u64::from(nth > 0);
                    assert!(
                        nth == 0 || item.kind == ItemKind::DirectMessage,
                        "{at}: what is proposed for a comment can be done: {why:?}"
                    );
                    self.done.push(Done { case, account, number, removes, registers });
                    return;
                }
                Err(ServiceError::Refused { why: told }) => why.push(told),
                Err(error) => panic!("{at}: {error:?}"),
            }
        }
        panic!("{at} could not be decided at all: {why:?}");
    }

    /// No removal past the diary, none on a ground that the policy has not, and no registration that must not be.
    async fn what_must_be_refused_is(
        &mut self,
        case: CaseId,
        revision: u64,
        policy: &Policy,
        proposal: &Proposal,
        choices: &[Choice],
    ) {
        let removes = choices.iter().any(|c| matches!(c, Choice::Hide | Choice::Delete));
        let note = Some("Enligt riktlinjen.".to_owned());
        let register = &policy.duties.register;
        let mut tried = Vec::new();
        if removes && register.on_removal == OnRemoval::Always {
            let without = choices.iter().filter(|c| **c != Choice::Register).cloned().collect();
            let made = Decision::new(without, proposal.ground, note.clone()).unwrap();
            tried.push(("a removal past the diary", made, Answered::default()));
        }
        let unknown = Ground::ALL.iter().find(|ground| !policy.duties.may_remove_for(**ground));
        if let (true, Some(ground)) = (removes, unknown) {
            let made = Decision::new(choices.to_vec(), Some(*ground), note).unwrap();
            tried.push(("a ground that is none here", made, Answered::default()));
        }
        if !removes && register.must_not.contains(&MustNotRegister::Simple) {
            let choices = vec![Choice::Register];
            let made = Decision::new(choices, None, None).unwrap();
            tried.push(("what is simple", made, Answered::yes(&[Question::Simple])));
        }
        for (what, decision, answered) in tried {
            let made =
                self.services.decide_with(&self.viewer, case, revision, decision, &answered).await;
            assert!(
                matches!(made, Err(ServiceError::Refused { .. })),
                "{}, case {case}: {what} went through: {made:?}",
                policy.name
            );
            *self.n_refused.entry(what).or_default() += 1;
        }
    }

    fn count(&self, sql: &str) -> u64 {
        self.raw.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    async fn everything_ended_as_it_may(&self, n: usize) {
        for (account, policy) in self.policies.iter().enumerate() {
            let world = self.square(account).world();
            assert_eq!(
                world.wrong,
                Vec::<String>::new(),
                "{}: removed without a seal",
                policy.name
            );
            assert_eq!(world.first.len(), 2 * n, "{}: all was fetched", policy.name);
            let removed: BTreeSet<_> = world.removed.iter().map(|removed| removed.number).collect();
            let meant = self.done.iter().filter(|done| done.account == account && done.removes);
            let meant: BTreeSet<_> = meant.map(|done| done.number).collect();
            assert_eq!(
                removed, meant,
                "{}: what was decided was removed, and nothing else",
                policy.name
            );
            let forced = policy.duties.register.on_removal == OnRemoval::Always;
            let of_it = || self.done.iter().filter(|done| done.account == account);
            assert!(
                !forced || of_it().all(|done| done.registers || !done.removes),
                "{}",
                policy.name
            );
        }
        for done in &self.done {
            let sql = "select count(*) from registrations where case_id = ";
            let n = self.count(&format!("{sql}{}", done.case.0));
            assert_eq!(n, u64::from(done.registers), "case {} in the diary", done.case);
        }
        // Everybody has their message looked at, and no case lies between two states.
        let n_messages = self.done.iter().filter(|done| done.number % 2 == 0).count();
        assert_eq!(n_messages, n * self.policies.len(), "each private message is a case");
        assert_eq!(self.count("select count(*) from cases"), self.done.len() as u64);
        let open = "select count(*) from cases k where k.state not in ('closed', 'awaiting_diary')
             and not exists (select 1 from actions a where a.case_id = k.id and a.by_hand = 1
               and a.due_at is not null)";
        assert_eq!(self.count(open), 0, "a state that no policy allows");
        assert_eq!(self.count("select count(*) from actions where state = 'failed'"), 0);
        let (evidence, store) = (&self.services.inner.evidence, &self.services.inner.store);
        let report = verify::verify(evidence, store, &Default::default()).await.unwrap();
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        println!(
            "{} cases of {n} texts under {} policies; refused as they must be: {:?}; otherwise than proposed: {}",
            self.done.len(),
            self.policies.len(),
            self.n_refused,
            self.n_otherwise
        );
        assert!(self.done.len() > n * self.policies.len() && self.n_refused.len() == 3);
    }
}
