//! Who is told of what: planned once, kept over a crash, quiet at night but for what hurries, tried until
//! it comes through or a person takes over; deadlines that go on.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::{Time, date};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::harness::{Stage, THREAT};
use crate::domain::category::Category;
use crate::domain::decision::Choice;
use crate::domain::duties::Told;
use crate::domain::escalation::Escalation;
use crate::domain::ids::CaseId;
use crate::domain::notice::{Part, QuietHours};
use crate::domain::person::Role;
use crate::domain::policy::Policy;
use crate::runtime::secret::Secret;
use crate::services::notices::courier::{
    Courier, HookForm, MailSettings, Security, WebhookSettings,
};
use crate::services::notices::{Notifier, Settings};
use crate::services::people;
use crate::store::sqlite::notices::NoticeRow;

/// A swear word at nobody: opens a case that does not hurry.
const SWEARING: &str = "Vilken jävla skitväg ni har byggt.";

fn mail_to_nowhere() -> MailSettings {
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

fn settings() -> Settings {
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

fn notifier_by(stage: &Stage, mail: Option<&MailSettings>, hooks: &[WebhookSettings]) -> Notifier {
    let courier = Courier::new(mail, hooks, "prov".into(), stage.clock.clock()).unwrap();
    Notifier::new(stage.services.clone(), settings(), courier)
}

/// With mail that does not come through.
pub(super) fn notifier(stage: &Stage) -> Notifier {
    notifier_by(stage, Some(&mail_to_nowhere()), &[])
}

/// Kim owns the account, Eva steps in, Arne keeps the system; all have addresses.
async fn staffed(stage: &Stage) {
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
async fn waiting(stage: &Stage) -> Vec<NoticeRow> {
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
    // The server is away, so the second letter was not tried.
    assert_eq!(troubles.len(), 1);
    assert!(!troubles[0].needs_a_person);
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
            "Fristen gick vidare till kontoansvarig: Brev till Kim Exempel (kontoansvarig).",
            "Fristen gick vidare till ersättaren: Brev till Eva Exempel (ersättare).",
            "Fristen gick vidare till administratören: Brev till Arne Exempel (administratör).",
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
    assert_eq!(steps(&stage, case).await.len(), 3);
    let told = stage.store().steps_taken(case).await.unwrap().remove(0).told;
    assert!(told.contains("E-post är inte inkopplad"), "{told}");
    assert!(stage.services.notice_troubles(&stage.editor).await.unwrap().is_empty());
}

#[cfg(feature = "real-servers")]
mod real {
    use super::*;

    fn setting(name: &str) -> String {
        std::env::var(name).unwrap_or_else(|_| {
            panic!("{name} is not set: run `bash tests/run`, which starts the server and sets it")
        })
    }

    fn server(port: &str, security: Security) -> MailSettings {
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
    fn received(address: &str) -> Vec<String> {
        let folder = std::path::Path::new(&setting("SMTP_MAILDIR")).join("new");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let letters = files.map(|file| std::fs::read_to_string(file).unwrap());
        letters.filter(|letter| letter.contains(&format!("X-RcptTo: {address}"))).collect()
    }

    /// An address that no other run has used.
    fn fresh(name: &str) -> String {
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
