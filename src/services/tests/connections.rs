//! Logins that end, and accounts that rest: who is told, when, and that no other account is the worse for it.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::harness::{Stage, idle, services_of_all};
use super::notices::{notifier, staffed, waiting};
use crate::domain::account::PlatformKind;
use crate::domain::breaker::{Breaker, Trouble};
use crate::domain::card::Flag;
use crate::domain::ids::AccountKey;
use crate::evidence::fetch::FetchLimits;
use crate::platforms::facebook::Facebook;
use crate::platforms::hooks::{Hook, HookSettings};
use crate::platforms::settings::FacebookSettings;
use crate::platforms::simulate::faults::Fault;
use crate::services::Served;
use crate::store::sqlite::notices::NoticeRow;

/// Asks the platforms about logins and waits for the answers.
async fn ask(stage: &Stage) {
    stage.services.begin_checks().await.unwrap();
    idle(&stage.services.inner.checks).await;
}

/// Who was told what of an account's login or rest, in order.
async fn told(stage: &Stage) -> Vec<(String, String)> {
    let of_account = |notice: &NoticeRow| notice.case.is_none();
    let all = waiting(stage).await.into_iter().filter(of_account);
    let mut all: Vec<_> = all
        .filter(|n| {
            n.subject.contains("logga in")
                || n.subject.contains("nlogg")
                || n.subject.contains("nslut")
                || n.subject.contains("läses inte")
        })
        .map(|n| (n.subject, n.recipient))
        .collect();
    all.sort_unstable();
    all
}

const KIM: &str = "kim@exempelstad.example";
const ARNE: &str = "arne@exempelstad.example";

#[tokio::test]
async fn a_login_that_ends_is_told_21_7_and_1_days_before_once_each() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let ends: Timestamp = "2026-12-24T12:00:00Z".parse().unwrap();
    stage.simulator.set_login(Some(ends), &[]);
    ask(&stage).await;
    let notifier = notifier(&stage);
    let on = stage.now();
    let mut days_told = Vec::new();
    for day in 0..40 {
        let at = on + SignedDuration::from_hours(24 * day);
        stage.clock.advance(at.duration_since(stage.now()));
        let before = told(&stage).await.len();
        // As often as the notifier looks, also after a restart.
        for _ in 0..3 {
            notifier.register().await.unwrap();
        }
        let now = told(&stage).await;
        if now.len() > before {
            let left = (ends.duration_since(at).as_secs() as f64 / 86_400.0).round();
            days_told.push((left as i64, now.len() - before));
        }
    }
    // The owner, and from the last day on the administrator too.
    assert_eq!(days_told, [(21, 1), (7, 1), (1, 2), (-1, 2)]);
    // Renewed: nothing more is amiss, and the next end is another one to tell.
    stage.simulator.set_login(Some(stage.now() + SignedDuration::from_hours(24 * 6)), &[]);
    ask(&stage).await;
    let before = told(&stage).await.len();
    notifier.register().await.unwrap();
    notifier.register().await.unwrap();
    assert_eq!(told(&stage).await.len(), before + 1);
}

#[tokio::test]
async fn what_a_login_lacks_and_when_it_ends_stands_on_the_accounts_page() {
    let stage = Stage::new().await;
    stage
        .simulator
        .set_login(Some("2026-11-28T12:00:00Z".parse().unwrap()), &["pages_manage_engagement"]);
    ask(&stage).await;
    let file = stage.services.account_file(&stage.editor, "facebook").await.unwrap();
    let words: Vec<_> = file.entry.flags.iter().map(Flag::words).collect();
    assert!(words[0].contains("går ut 2026-11-28, om 7 dagar. Logga in på Meta"), "{words:?}");
    assert!(words[1].contains("rätten pages_manage_engagement saknas"), "{words:?}");
    let watch = stage.services.watches(&stage.editor).await.unwrap().remove(0);
    assert_eq!(watch.login_ends, Some(date(2026, 11, 28)));
    // Asked again at most each hour, and a platform that does not tell leaves what was known.
    let calls = stage.simulator.calls().len();
    ask(&stage).await;
    assert_eq!(stage.simulator.calls().len(), calls);
    stage.wait_s(3_601);
    stage.simulator.fail_next(Fault::ServerError, 1);
    ask(&stage).await;
    let watch = stage.services.watches(&stage.editor).await.unwrap().remove(0);
    assert_eq!(watch.login_ends, Some(date(2026, 11, 28)));
}

async fn poll(stage: &Stage) -> Breaker {
    stage.services.begin_polls().await.unwrap();
    idle(&stage.services.inner.polls).await;
    stage.store().fetch_state(stage.account).await.unwrap().breaker(stage.now())
}

#[tokio::test]
async fn a_revoked_login_is_told_at_once_with_the_mend_and_once() {
    let mut stage = Stage::new().await;
    staffed(&stage).await;
    stage.simulator.fail_next(Fault::ExpiredToken, 9);
    let breaker = poll(&stage).await;
    assert_eq!(breaker.opened().map(|(why, _)| why), Some(Trouble::Login));
    for _ in 0..2 {
        notifier(&stage).connections().await.unwrap();
        stage.restart().await;
    }
    let subject = "Anslut kontot Exempelstads kommun (simulerad) på nytt";
    let to_both = [(subject.to_owned(), ARNE.to_owned()), (subject.to_owned(), KIM.to_owned())];
    assert_eq!(told(&stage).await, to_both);
    let notice = waiting(&stage).await.into_iter().find(|n| n.subject == subject).unwrap();
    assert!(notice.urgent);
    assert!(notice.body.contains("skapa en ny nyckel åt kontot"), "{}", notice.body);
    // Still the same trouble after a failed probe; then it is mended, and breaks anew.
    stage.wait_s(901);
    poll(&stage).await;
    notifier(&stage).connections().await.unwrap();
    assert_eq!(told(&stage).await.len(), 2);
    stage.simulator.front().calm();
    stage.wait_s(901);
    assert_eq!(poll(&stage).await.opened(), None);
    stage.wait_s(120);
    stage.simulator.fail_next(Fault::ExpiredToken, 9);
    poll(&stage).await;
    notifier(&stage).connections().await.unwrap();
    assert_eq!(told(&stage).await.len(), 4);
}

#[tokio::test]
async fn an_account_whose_platform_does_not_answer_rests_and_is_told_after_an_hour() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    stage.simulator.fail_next(Fault::ServerError, 1_000);
    let notifier = notifier(&stage);
    let (mut probes, mut told_at) = (0, None);
    let began = stage.now();
    while stage.now().duration_since(began) < SignedDuration::from_hours(3) {
        let before = stage.simulator.calls().len();
        let breaker = poll(&stage).await;
        probes += usize::from(stage.simulator.calls().len() > before);
        notifier.connections().await.unwrap();
        if told_at.is_none() && !told(&stage).await.is_empty() {
            told_at = Some(stage.now().duration_since(began).as_mins());
            assert_eq!(
                told(&stage).await[0].0,
                "Kontot Exempelstads kommun (simulerad) läses inte"
            );
        }
        let next = breaker.next_at().unwrap();
        let wait = next.duration_since(stage.now()).as_secs();
        assert!(wait <= 900, "{wait}");
        stage.wait_s(wait + 1);
    }
    assert!(told_at.is_some_and(|min| (60..=80).contains(&min)), "{told_at:?}");
    assert!((14..=30).contains(&probes), "{probes}");
    let watch = stage.services.watches(&stage.editor).await.unwrap().remove(0);
    let rest = watch.rest.unwrap();
    assert_eq!(rest.why, Trouble::NoAnswer);
    assert!(rest.failures >= 14 && rest.next_at > began, "{rest:?}");
    stage.simulator.front().calm();
    stage.wait_s(901);
    assert_eq!(poll(&stage).await.opened(), None);
    let watch = stage.services.watches(&stage.editor).await.unwrap().remove(0);
    assert_eq!((watch.rest, watch.problem), (None, None));
}

#[tokio::test]
async fn accounts_that_hang_keep_no_healthy_one_from_its_turn() {
    let stage = Stage::new().await;
    // It takes calls and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/", silent.local_addr().unwrap()).parse().unwrap();
    let settings = FacebookSettings { base, ..stage.simulator.settings() };
    let (store, now) = (stage.store().clone(), stage.now());
    let served = |account, settings| Served {
        account,
        platform: Arc::new(Facebook::new(settings, stage.clock.clock()).unwrap()),
        interval: Duration::from_secs(60),
        policy: None,
        token_expires: None,
        push: None,
        private_at: None,
    };
    let healthy = stage.services.served(stage.account).unwrap().account.clone();
    let mut accounts = vec![served(healthy, stage.simulator.settings())];
    // More of them than can be read at once, and all of them longer overdue.
    for n in 0..6 {
        let key = AccountKey::new(format!("sjukt-{n}"));
        let account = store
            .ensure_account(key, PlatformKind::Facebook, "Sjukt".into(), true, now)
            .await
            .unwrap();
        let (why, since) = (Trouble::NoAnswer, now);
        let open = Breaker::Open { why, since, failures: 5, until: now };
        let early = now - SignedDuration::from_secs(9);
        store
            .record_fetch_failure(account.id, "Svarar inte.".into(), open, early, now)
            .await
            .unwrap();
        accounts.push(served(account, settings.clone()));
    }
    let evidence = stage.services.inner.evidence.clone();
    let dir = stage.dir.path();
    let all = services_of_all(dir, &stage.clock, store, evidence, accounts, FetchLimits::default());
    all.begin_polls().await.unwrap();
    let read = async {
        while stage.store().fetch_state(stage.account).await.unwrap().last_ok_at.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("the healthy one is read");
}

/// A platform that is to push may have stopped without a word: it is asked again each day, and what hinders it is told.
#[tokio::test]
async fn pushes_are_asked_for_each_day_and_what_hinders_them_stands_on_the_accounts_page() {
    let mut stage = Stage::new().await;
    let callback = crate::platforms::push::Callback {
        url: "https://uppsikt.exempelstad.example/api/v1/intake/facebook".parse().unwrap(),
        secret: crate::runtime::secret::Secret::new("appens-hemlighet"),
        app: None,
        person: None,
        token: None,
    };
    let hook = HookSettings {
        kind: PlatformKind::Facebook,
        account: stage.simulator.page_id().to_owned(),
        secret: callback.secret.clone(),
        verify: None,
        callback: Some(callback),
    };
    let served = Served {
        account: stage.services.served(stage.account).unwrap().account.clone(),
        platform: Arc::new(Facebook::new(stage.simulator.settings(), stage.clock.clock()).unwrap()),
        interval: Duration::from_secs(60),
        policy: None,
        token_expires: None,
        push: Some(Arc::new(Hook::new(hook).unwrap())),
        private_at: None,
    };
    let evidence = stage.services.inner.evidence.clone();
    let (dir, store) = (stage.dir.path().to_owned(), stage.store().clone());
    let limits = FetchLimits::default();
    stage.services = services_of_all(&dir, &stage.clock, store, evidence, vec![served], limits);
    let asked = |stage: &Stage| {
        stage.simulator.calls().iter().filter(|call| call.contains("subscribed_apps")).count()
    };
    ask(&stage).await;
    assert!(stage.simulator.is_subscribed());
    ask(&stage).await;
    assert_eq!(asked(&stage), 1, "once a day");
    stage.simulator.front().refuse("subscribed_apps");
    stage.clock.advance(SignedDuration::from_hours(25));
    ask(&stage).await;
    assert_eq!(asked(&stage), 2);
    let file = stage.services.account_file(&stage.editor, "facebook").await.unwrap();
    let words: Vec<_> = file.entry.flags.iter().map(Flag::words).collect();
    assert!(words.iter().any(|w| w.contains("besked från plattformen")), "{words:?}");
    // Read as usual all the same.
    assert!(poll(&stage).await.opened().is_none());
}
