//! Who is told of what: planned once, kept over a crash, quiet at night but for what hurries, tried until
//! it comes through or a person takes over; deadlines that go on.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::{Time, date};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::harness::{Stage, THREAT};
use crate::domain::case::CaseState;
use crate::domain::category::{Category, Severity};
use crate::domain::deadline::Clock;
use crate::domain::decision::Choice;
use crate::domain::duties::Told;
use crate::domain::escalation::Escalation;
use crate::domain::ids::CaseId;
use crate::domain::notice::{Part, QuietHours};
use crate::domain::person::Role;
use crate::domain::policy::Policy;
use crate::platforms::simulate::faults::Fault;
use crate::runtime::secret::Secret;
use crate::services::notices::courier::{
    Courier, HookForm, MailSettings, Security, WebhookSettings,
};
use crate::services::notices::{Notifier, Settings};
use crate::services::people;
use crate::store::sqlite::notices::NoticeRow;

/// A swear word at nobody: opens a case that does not hurry.
pub(super) const SWEARING: &str = "Vilken jävla kukväg ni har byggt.";

pub(super) fn mail_to_nowhere() -> MailSettings {
    MailSettings {
        host: "127.0.0.1".into(),
        // Nobody listens on the port of discard.
        port: 9,
        security: Security::Plain,
        login: None,
        from: "Uppsikt <uppsikt@exempelstad.example>".into(),
        ca_pem: None,
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        public_url: "https://uppsikt.exempelstad.example/".parse().unwrap(),
        quiet: Some(QuietHours {
            opens: Time::constant(7, 0, 0, 0),
            closes: Time::constant(20, 0, 0, 0),
            free_days: true,
        }),
        shows_text: false,
        told: BTreeMap::from([(Told::Manager, "chef@exempelstad.example".to_owned())]),
    }
}

pub(super) fn notifier_by(
    stage: &Stage,
    mail: Option<&MailSettings>,
    hooks: &[WebhookSettings],
) -> Notifier {
    let courier = Courier::new(mail, hooks, "prov".into(), stage.clock.clock()).unwrap();
    Notifier::new(stage.services.clone(), settings(), courier)
}

/// With mail that does not come through.
pub(super) fn notifier(stage: &Stage) -> Notifier {
    notifier_by(stage, Some(&mail_to_nowhere()), &[])
}

/// Kim owns the account, Eva steps in, Arne keeps the system; all have addresses.
pub(super) async fn staffed(stage: &Stage) {
    stage.person(Role::Editor, "Eva").await;
    stage.person(Role::Administrator, "Arne").await;
    let (store, clock) = (stage.store(), stage.clock.clock());
    for login in ["kim", "eva", "arne"] {
        let mail = format!("{login}@exempelstad.example");
        people::set_mail(store, &clock, login, Some(&mail)).await.unwrap();
    }
    for (login, part) in [("kim", Part::Owner), ("eva", Part::Substitute)] {
        people::set_part(store, &clock, "facebook", login, Some(part)).await.unwrap();
    }
}

/// Everything that waits to be sent, at any time.
pub(super) async fn waiting(stage: &Stage) -> Vec<NoticeRow> {
    let ever = stage.now() + SignedDuration::from_hours(24 * 30);
    stage.store().due_notices(ever, 100).await.unwrap()
}

async fn recipients(stage: &Stage) -> Vec<String> {
    let mut all: Vec<_> = waiting(stage).await.into_iter().map(|n| n.recipient).collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn a_threat_in_the_night_is_told_everybody_of_the_account_at_once_and_once() {
    let mut stage = Stage::new().await;
    staffed(&stage).await;
    // A Saturday night.
    stage.clock.advance(SignedDuration::from_hours(10));
    let (_, case) = stage.written(THREAT).await;
    // Nothing is planned yet, and the program dies: the mark on the case was written with it.
    stage.restart().await;
    notifier(&stage).plan().await.unwrap();
    let told = stage.store().due_notices(stage.now(), 10).await.unwrap();
    assert_eq!(recipients(&stage).await, ["eva@exempelstad.example", "kim@exempelstad.example"]);
    assert_eq!(told.len(), 2);
    for notice in &told {
        assert!(notice.urgent);
        assert_eq!(
            notice.subject,
            format!("Hot: ärende {case} på Exempelstads kommun (simulerad)")
        );
        assert!(!format!("{notice:?}").contains("slå ihjäl"), "{notice:?}");
    }
    stage.restart().await;
    notifier(&stage).plan().await.unwrap();
    assert_eq!(waiting(&stage).await.len(), 2);
}

#[tokio::test]
async fn what_does_not_hurry_waits_for_the_morning_and_goes_to_whom_the_policy_names() {
    let mut stage = Stage::new().await;
    staffed(&stage).await;
    stage
        .under(|policy| {
            let old = policy.clone();
            let rule = |category| {
                let mut rule = old.rule(category).clone();
                if category == Category::Profanity {
                    rule.tell = vec![Told::Manager, Told::Owner, Told::Registrar, Told::Citizen];
                }
                rule
            };
            let (name, message) = (old.name.clone(), old.message.clone());
            *policy = Policy::new(name, old.version, old.undo, old.office, message, rule);
        })
        .await;
    // Saturday noon: the next working morning is Monday's.
    let (_, _) = stage.written(SWEARING).await;
    let notifier = notifier(&stage);
    notifier.plan().await.unwrap();
    assert!(stage.store().due_notices(stage.now(), 10).await.unwrap().is_empty());
    let on_monday = "2026-11-23T06:00:00Z".parse().unwrap();
    let due = stage.store().due_notices(on_monday, 10).await.unwrap();
    assert_eq!(due.len(), 2);
    assert_eq!(recipients(&stage).await, ["chef@exempelstad.example", "kim@exempelstad.example"]);
    // Nobody has given the registrar's address: that is not passed over in silence.
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    assert_eq!(troubles.len(), 1);
    assert_eq!(troubles[0].who, "registrator");
    assert!(troubles[0].needs_a_person && !troubles[0].has_recipient);
}

#[tokio::test]
async fn what_does_not_come_through_is_tried_again_and_comes_back_as_a_task() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let (_, case) = stage.written(THREAT).await;
    let notifier = notifier(&stage);
    notifier.round().await.unwrap();
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    // The server is away: the second letter was not tried, but its time runs and people see it.
    assert_eq!(troubles.len(), 2);
    assert!(troubles.iter().all(|trouble| !trouble.needs_a_person));
    assert!(troubles[0].problem.contains("E-postservern svarar inte"), "{troubles:?}");
    assert_eq!(stage.services.n_tasks(&stage.editor).await.unwrap(), 0);
    for _ in 0..12 {
        stage.wait_s(600);
        notifier.send_due().await.unwrap();
    }
    assert!(waiting(&stage).await.is_empty());
    assert_eq!(stage.services.n_tasks(&stage.editor).await.unwrap(), 2);
    let history = stage.history(case).await;
    assert!(
        history.contains(&"Aviseringen till Kim Exempel (kontoansvarig) kom inte fram".to_owned()),
        "{history:?}"
    );

    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    assert!(troubles.iter().all(|trouble| trouble.needs_a_person));
    let auditor = stage.person(Role::Auditor, "Gun").await;
    assert!(stage.services.end_notice(&auditor, troubles[0].notice, false).await.is_err());
    stage.services.end_notice(&stage.editor, troubles[0].notice, false).await.unwrap();
    stage.services.end_notice(&stage.editor, troubles[1].notice, true).await.unwrap();
    assert_eq!(stage.services.n_tasks(&stage.editor).await.unwrap(), 0);
    assert_eq!(waiting(&stage).await.len(), 1);
    // What is settled is settled.
    assert!(stage.services.end_notice(&stage.editor, troubles[0].notice, true).await.is_err());
    assert_eq!(stage.store().audit_count("notice.seen_to").await.unwrap(), 1);
}

#[tokio::test]
async fn a_webhook_gets_the_case_without_its_words_and_refusals_come_back() {
    let server = MockServer::start().await;
    let stage = Stage::new().await;
    let hook = |name: &str, form, only_urgent| WebhookSettings {
        name: name.into(),
        form,
        url: Secret::new(format!("{}/hemlig-adress", server.uri())),
        only_urgent,
    };
    let hooks = [hook("Jour", HookForm::Slack, true), hook("Alla", HookForm::Teams, false)];
    let notifier = notifier_by(&stage, None, &hooks);
    let busy = Mock::given(method("POST")).respond_with(ResponseTemplate::new(503));
    busy.up_to_n_times(1).mount(&server).await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_string("ok"))
        .mount(&server)
        .await;
    let (_, case) = stage.written(THREAT).await;
    notifier.round().await.unwrap();
    assert_eq!(waiting(&stage).await.len(), 1);
    stage.wait_s(90);
    notifier.send_due().await.unwrap();
    assert!(waiting(&stage).await.is_empty());
    let bodies: Vec<_> = server
        .received_requests()
        .await
        .unwrap()
        .into_iter()
        .map(|request| String::from_utf8(request.body).unwrap())
        .collect();
    assert_eq!(bodies.len(), 3);
    for body in &bodies {
        assert!(body.contains(&format!("https://uppsikt.exempelstad.example/arende/{case}")));
        assert!(!body.contains("slå ihjäl") && !body.contains("Robin"), "{body}");
    }
    assert!(bodies.iter().any(|body| body.contains("AdaptiveCard")));

    server.reset().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    stage.written("Jag vet var du bor och kommer och skjuter dig.").await;
    notifier.round().await.unwrap();
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    assert_eq!(troubles.len(), 2);
    for trouble in &troubles {
        assert!(trouble.needs_a_person && trouble.problem.contains("HTTP 404"), "{trouble:?}");
        assert!(!trouble.problem.contains("hemlig-adress"));
    }
}

async fn steps(stage: &Stage, case: CaseId) -> Vec<&'static str> {
    let taken = stage.store().steps_taken(case).await.unwrap();
    taken.iter().map(|taken| taken.step.id()).collect()
}

#[tokio::test]
async fn a_deadline_goes_on_to_owner_substitute_and_administrator_once_each() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let (_, case) = stage.written(SWEARING).await;
    let row = stage.store().case(case).await.unwrap();
    let notifier = notifier(&stage);
    let points = Escalation::default();
    let until = |at: jiff::Timestamp| at.duration_since(stage.now());
    notifier.plan().await.unwrap();
    notifier.escalate().await.unwrap();
    assert!(steps(&stage, case).await.is_empty());

    for (n, step) in crate::domain::escalation::EscalationStep::ALL.iter().enumerate() {
        let at = points.at(*step, row.opened_at, row.due_at);
        stage.clock.advance(until(at) - SignedDuration::from_secs(1));
        notifier.escalate().await.unwrap();
        assert_eq!(steps(&stage, case).await.len(), n, "{step:?} came too early");
        stage.wait_s(1);
        for _ in 0..3 {
            notifier.escalate().await.unwrap();
            notifier.plan().await.unwrap();
        }
        assert_eq!(steps(&stage, case).await.len(), n + 1, "{step:?} once");
    }
    assert_eq!(steps(&stage, case).await, ["owner", "substitute", "administrator"]);
    assert_eq!(
        recipients(&stage).await,
        ["arne@exempelstad.example", "eva@exempelstad.example", "kim@exempelstad.example"]
    );
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    let told: Vec<_> = file
        .history
        .iter()
        .filter(|step| step.what.starts_with("Fristen gick vidare"))
        .map(|step| format!("{}: {}", step.what, step.detail.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            "Fristen gick vidare till kontoansvarig: Lagt för utskick 23 november 2026 kl. 07:00 till Kim Exempel (kontoansvarig).",
            "Fristen gick vidare till ersättaren: Lagt för utskick 23 november 2026 kl. 07:00 till Eva Exempel (ersättare).",
            "Fristen gick vidare till administratören: Lagt för utskick 23 november 2026 kl. 07:00 till Arne Exempel (administratör).",
        ]
    );
    let page = stage
        .services
        .queue(&stage.editor, crate::services::queue::Filter::Open, None, 0)
        .await
        .unwrap();
    let line = page.lines.iter().find(|line| line.case == case).unwrap();
    assert_eq!(line.went_on_to, Some(crate::domain::escalation::EscalationStep::Administrator));
}

#[tokio::test]
async fn what_is_decided_goes_on_to_nobody() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let (_, case) = stage.written(SWEARING).await;
    let notifier = notifier(&stage);
    notifier.plan().await.unwrap();
    stage.decide(case, vec![Choice::Dismiss]).await;
    stage.clock.advance(SignedDuration::from_hours(72));
    notifier.escalate().await.unwrap();
    assert!(steps(&stage, case).await.is_empty());
    assert!(stage.store().escalations_due(stage.now(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn whoever_is_away_is_stood_in_for() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let (store, clock) = (stage.store(), stage.clock.clock());
    let days = (date(2026, 11, 21), date(2026, 11, 29));
    people::set_away(store, &clock, "kim", Some(days)).await.unwrap();
    let (_, case) = stage.written(SWEARING).await;
    let notifier = notifier(&stage);
    notifier.plan().await.unwrap();
    stage.clock.advance(SignedDuration::from_hours(20));
    notifier.escalate().await.unwrap();
    assert_eq!(steps(&stage, case).await, ["owner"]);
    assert_eq!(recipients(&stage).await, ["eva@exempelstad.example"]);
    // Back again: what comes next goes to Kim.
    people::set_away(store, &clock, "kim", None).await.unwrap();
    stage.written(THREAT).await;
    notifier.plan().await.unwrap();
    assert!(recipients(&stage).await.contains(&"kim@exempelstad.example".to_owned()));
}

#[tokio::test]
async fn without_mail_a_step_is_taken_all_the_same_and_says_so() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(SWEARING).await;
    let notifier = notifier_by(&stage, None, &[]);
    notifier.plan().await.unwrap();
    stage.clock.advance(SignedDuration::from_hours(48));
    notifier.escalate().await.unwrap();
    assert_eq!(steps(&stage, case).await, ["owner"]);
    stage.wait_s(15 * 60);
    notifier.escalate().await.unwrap();
    // Nobody stands in for anybody here.
    assert_eq!(steps(&stage, case).await, ["owner", "administrator"]);
    let told = stage.store().steps_taken(case).await.unwrap().remove(0).told;
    assert!(told.contains("E-post är inte inkopplad"), "{told}");
    assert!(stage.services.notice_troubles(&stage.editor).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_came_back_is_told_again() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let (_, case) = stage.written(THREAT).await;
    let notifier = notifier(&stage);
    notifier.plan().await.unwrap();
    assert_eq!(waiting(&stage).await.len(), 2);
    // What a person decided cannot be done, and they have gone home.
    stage.decide(case, vec![Choice::Hide]).await;
    stage.simulator.fail_next(Fault::ExpiredToken, 1);
    stage.act_after_undo().await;
    assert!(matches!(stage.state(case).await, CaseState::Returned { .. }));
    for _ in 0..2 {
        notifier.plan().await.unwrap();
    }
    let told = waiting(&stage).await;
    let back: Vec<_> =
        told.iter().filter(|n| n.subject.starts_with("Hot, tillbaka i kön: ärende")).collect();
    assert_eq!((told.len(), back.len()), (4, 2), "{told:?}");
    assert!(back[0].urgent && back[0].body.starts_with("Ärendet var beslutat men är tillbaka"));
}

#[tokio::test]
async fn what_waited_over_a_weekend_is_not_given_up_at_the_first_failure() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let (_, case) = stage.written(SWEARING).await;
    let notifier = notifier(&stage);
    notifier.plan().await.unwrap();
    stage.clock.advance(SignedDuration::from_hours(20));
    // The owner's step, on a Sunday: waits for Monday.
    notifier.escalate().await.unwrap();
    assert_eq!(steps(&stage, case).await, ["owner"]);
    stage.clock.advance(SignedDuration::from_hours(40));
    notifier.send_due().await.unwrap();
    let tried = waiting(&stage).await;
    assert!(tried.iter().any(|notice| notice.attempts == 1), "{tried:?}");
    assert_eq!(stage.services.n_tasks(&stage.editor).await.unwrap(), 0);
    // A day of failures later it is a person's, and tried anew it has its day again.
    for _ in 0..30 {
        stage.wait_s(3600);
        notifier.send_due().await.unwrap();
    }
    assert!(waiting(&stage).await.is_empty());
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    for trouble in &troubles {
        stage.services.end_notice(&stage.editor, trouble.notice, true).await.unwrap();
    }
    notifier.send_due().await.unwrap();
    assert_eq!(waiting(&stage).await.len(), troubles.len());
}

#[tokio::test]
async fn a_case_that_cannot_be_read_keeps_no_other_waiting() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let (_, first) = stage.written(THREAT).await;
    let (_, second) = stage.written("Jag vet var du bor och kommer och skjuter dig.").await;
    let notifier = notifier(&stage);
    // As an older program finds what a newer one has written.
    damage(&stage, "update cases set state_json = '{}' where id = ?1", first);
    notifier.plan().await.unwrap();
    let told: Vec<_> = waiting(&stage).await.into_iter().filter_map(|n| n.case).collect();
    assert_eq!(told, [second, second]);
    notifier.round().await.unwrap();
    // It is looked at again, and not at each round.
    let marked = stage.store().cases_to_tell(stage.now(), 10).await.unwrap();
    assert!(marked.is_empty(), "{marked:?}");
    stage.wait_s(600);
    let marked = stage.store().cases_to_tell(stage.now(), 10).await.unwrap();
    assert_eq!(marked.iter().map(|mark| mark.case).collect::<Vec<_>>(), [first]);
    damage(&stage, "update cases set state_json = '{\"state\":\"waiting\"}' where id = ?1", first);
    notifier.plan().await.unwrap();
    assert_eq!(waiting(&stage).await.len(), 4);
    // Neither does one that has become so after it was planned: it is told without its facts.
    damage(&stage, "update cases set state_json = '{}' where id = ?1", first);
    stage.wait_s(300);
    notifier.send_due().await.unwrap();
    assert_eq!(waiting(&stage).await.len(), 4);
}

/// Changes a row behind the program's back.
fn damage(stage: &Stage, sql: &str, case: CaseId) {
    let file = rusqlite::Connection::open(stage.store().path()).unwrap();
    file.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    assert_eq!(file.execute(sql, [case.0]).unwrap(), 1);
}

#[tokio::test]
async fn ways_do_not_wait_for_each_other() {
    let server = MockServer::start().await;
    let stage = Stage::new().await;
    staffed(&stage).await;
    let hook = WebhookSettings {
        name: "Jour".into(),
        form: HookForm::Slack,
        url: Secret::new(server.uri()),
        only_urgent: true,
    };
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_string("ok"))
        .mount(&server)
        .await;
    let notifier = notifier_by(&stage, Some(&mail_to_nowhere()), &[hook]);
    // More letters than a round takes, all older than the last threat's message.
    for n in 0..11 {
        stage.written(&format!("Jag vet var du bor och ska slå ihjäl dig, nummer {n}.")).await;
    }
    notifier.plan().await.unwrap();
    notifier.send_due().await.unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 11, "each threat is told there");
    assert_eq!(waiting(&stage).await.len(), 22);
}

#[tokio::test]
async fn what_is_due_at_once_goes_on_step_by_step_and_a_channel_is_told_each_thing_once() {
    let server = MockServer::start().await;
    let mut stage = Stage::new().await;
    stage
        .under(|policy| {
            let old = policy.clone();
            let rule = |category| {
                let mut rule = old.rule(category).clone();
                rule.high.clock = Clock::AtOnce;
                rule
            };
            let (name, message) = (old.name.clone(), old.message.clone());
            *policy = Policy::new(name, old.version, old.undo, old.office, message, rule);
        })
        .await;
    staffed(&stage).await;
    let hook = WebhookSettings {
        name: "Jour".into(),
        form: HookForm::Slack,
        url: Secret::new(server.uri()),
        only_urgent: true,
    };
    let notifier = notifier_by(&stage, Some(&mail_to_nowhere()), &[hook]);
    let (_, case) = stage.written(THREAT).await;
    let row = stage.store().case(case).await.unwrap();
    assert!(row.due_at <= row.waits_since);
    notifier.plan().await.unwrap();
    notifier.escalate().await.unwrap();
    assert!(steps(&stage, case).await.is_empty(), "nobody could see it before");
    stage.wait_s(12 * 60);
    for (minutes, expected) in [
        (0, &["owner"][..]),
        (14, &["owner"]),
        (1, &["owner", "substitute"]),
        (60, &["owner", "substitute", "administrator"]),
    ] {
        stage.wait_s(minutes * 60);
        notifier.escalate().await.unwrap();
        notifier.escalate().await.unwrap();
        assert_eq!(steps(&stage, case).await, expected);
    }
    let mut subjects: Vec<_> = waiting(&stage)
        .await
        .into_iter()
        .filter(|notice| notice.recipient == "Jour")
        .map(|notice| notice.subject)
        .collect();
    let n = subjects.len();
    subjects.sort_unstable();
    subjects.dedup();
    assert_eq!((subjects.len(), n), (4, 4), "{subjects:?}");
}

#[tokio::test]
async fn who_gets_an_address_is_told_of_the_threats_that_wait() {
    let stage = Stage::new().await;
    let notifier = notifier(&stage);
    for n in 0..3 {
        stage.written(&format!("Jag vet var du bor och ska slå ihjäl dig, nummer {n}.")).await;
    }
    notifier.plan().await.unwrap();
    // One task, and not one for each threat.
    assert_eq!(stage.services.n_tasks(&stage.editor).await.unwrap(), 1);
    assert!(waiting(&stage).await.is_empty());
    stage.person(Role::Administrator, "Arne").await;
    let address = Some("arne@exempelstad.example");
    people::set_mail(stage.store(), &stage.clock.clock(), "arne", address).await.unwrap();
    for _ in 0..2 {
        notifier.plan().await.unwrap();
    }
    assert_eq!(recipients(&stage).await, ["arne@exempelstad.example"; 3]);
}

#[tokio::test]
async fn a_case_that_comes_back_has_its_time_counted_anew() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let (number, case) = stage.written(SWEARING).await;
    let notifier = notifier(&stage);
    notifier.plan().await.unwrap();
    stage.decide(case, vec![Choice::Dismiss]).await;
    stage.act_after_undo().await;
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
    stage.clock.advance(SignedDuration::from_hours(24 * 20));
    stage.simulator.edit(number, "Vilken jävla kukväg ni har byggt, igen.");
    stage.take_in_plainly().await;
    let row = stage.store().case(case).await.unwrap();
    assert!(matches!(row.state, CaseState::Returned { .. }), "{:?}", row.state);
    assert_eq!(row.waits_since, stage.now());
    notifier.plan().await.unwrap();
    notifier.escalate().await.unwrap();
    assert!(steps(&stage, case).await.is_empty());
}

#[test]
fn an_address_never_leaves_with_the_text() {
    use crate::services::notices::quote_of;
    let private = [(Category::Threat, Severity::High), (Category::PersonalData, Severity::Medium)];
    let words = "Hon bor på Storgatan 4";
    let kept = quote_of(&private, words.into(), true).unwrap();
    assert!(!kept.contains("Storgatan") && kept.contains("bara i ärendet"), "{kept}");
    assert_eq!(quote_of(&private[..1], words.into(), true).as_deref(), Some(words));
    assert_eq!(quote_of(&private[..1], words.into(), false), None);
    assert_eq!(quote_of(&private, String::new(), true), None);
}

#[cfg(feature = "real-servers")]
pub(super) mod real {
    use super::*;

    fn setting(name: &str) -> String {
        std::env::var(name).unwrap_or_else(|_| {
            panic!("{name} is not set: run `bash tests/run`, which starts the server and sets it")
        })
    }

    pub(in crate::services::tests) fn server(port: &str, security: Security) -> MailSettings {
        MailSettings {
            // The name that the certificate is for.
            host: "localhost".into(),
            port: setting(port).parse().unwrap(),
            security,
            login: (security != Security::Plain)
                .then(|| (setting("SMTP_USER"), Secret::new(setting("SMTP_PASSWORD")))),
            from: "Uppsikt <uppsikt@exempelstad.example>".into(),
            ca_pem: Some(std::fs::read_to_string(setting("SMTP_CA")).unwrap()),
        }
    }

    /// What the server has taken for somebody, as it came.
    pub(in crate::services::tests) fn received(address: &str) -> Vec<String> {
        let folder = std::path::Path::new(&setting("SMTP_MAILDIR")).join("new");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let letters = files.map(|file| std::fs::read_to_string(file).unwrap());
        letters.filter(|letter| letter.contains(&format!("X-RcptTo: {address}"))).collect()
    }

    /// An address that no other run has used.
    pub(in crate::services::tests) fn fresh(name: &str) -> String {
        format!("{name}.{}@exempelstad.example", uuid::Uuid::new_v4().simple())
    }

    #[tokio::test]
    async fn a_real_server_takes_a_letter_by_each_way_and_it_holds_no_word_of_the_comment() {
        for (port, security) in [
            ("SMTP_PORT", Security::Plain),
            ("SMTP_STARTTLS_PORT", Security::StartTls),
            ("SMTP_TLS_PORT", Security::Tls),
        ] {
            let stage = Stage::new().await;
            staffed(&stage).await;
            let address = fresh("eva");
            let (store, clock) = (stage.store(), stage.clock.clock());
            people::set_mail(store, &clock, "eva", Some(&address)).await.unwrap();
            let (_, case) = stage.written(THREAT).await;
            let notifier = notifier_by(&stage, Some(&server(port, security)), &[]);
            notifier.round().await.unwrap();
            assert!(waiting(&stage).await.is_empty(), "{security:?}");
            let letters = received(&address);
            assert_eq!(letters.len(), 1, "{security:?}");
            let letter = &letters[0];
            for told in [
                "Auto-Submitted: auto-generated",
                "multipart/alternative",
                "text/plain",
                "text/html",
                "Message-ID: <avisering-",
                "From: Uppsikt <uppsikt@exempelstad.example>",
                &format!("https://uppsikt.exempelstad.example/arende/{case}"),
            ] {
                assert!(letter.contains(told), "{told} in\n{letter}");
            }
            for kept in ["ihj", "Robin"] {
                assert!(!letter.contains(kept), "{kept} in\n{letter}");
            }
        }
    }

    #[tokio::test]
    async fn refusals_of_a_real_server_are_told_apart() {
        let stage = Stage::new().await;
        staffed(&stage).await;
        let (store, clock) = (stage.store(), stage.clock.clock());
        let host = uuid::Uuid::new_v4().simple().to_string();
        let refused = format!("nekad@{host}.example");
        let late = format!("senare@{host}.example");
        people::set_mail(store, &clock, "kim", Some(&refused)).await.unwrap();
        people::set_mail(store, &clock, "eva", Some(&late)).await.unwrap();
        stage.written(THREAT).await;
        let plain = server("SMTP_PORT", Security::Plain);
        let notifier = notifier_by(&stage, Some(&plain), &[]);
        notifier.round().await.unwrap();
        let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
        let by = |who: &str| troubles.iter().find(|t| t.who.starts_with(who)).unwrap();
        assert!(by("Kim").needs_a_person && by("Kim").problem.contains("550"));
        assert!(!by("Eva").needs_a_person && by("Eva").problem.contains("451"));
        stage.wait_s(120);
        notifier.send_due().await.unwrap();
        assert_eq!(received(&late).len(), 1);

        // A connection that is cut is no refusal, and neither is a wrong password.
        people::set_mail(store, &clock, "eva", Some("kopplaner@kommun.example")).await.unwrap();
        people::set_part(store, &clock, "facebook", "kim", None).await.unwrap();
        stage.written("Jag vet var du bor och kommer och skjuter dig.").await;
        notifier.round().await.unwrap();
        assert!(waiting(&stage).await.iter().any(|n| n.recipient.starts_with("kopplaner")));
        let mut wrong = server("SMTP_STARTTLS_PORT", Security::StartTls);
        wrong.login = Some((setting("SMTP_USER"), Secret::new("fel-losenord")));
        let courier = Courier::new(Some(&wrong), &[], "prov".into(), clock).unwrap();
        let words = courier.try_mail().await.unwrap().unwrap_err();
        assert!(words.contains("inloggningen") && !words.contains("fel-losenord"), "{words}");
        let right = server("SMTP_STARTTLS_PORT", Security::StartTls);
        let courier = Courier::new(Some(&right), &[], "prov".into(), stage.clock.clock()).unwrap();
        courier.try_mail().await.unwrap().unwrap();
    }
}
