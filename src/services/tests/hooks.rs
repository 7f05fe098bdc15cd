//! Webhooks to a real receiver: what they say, how they are signed, how long they are tried, where they may not go.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::Sha256;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::harness::{Stage, THREAT};
use crate::domain::decision::Choice;
use crate::domain::hook::HookEvent;
use crate::domain::ids::HookId;
use crate::domain::person::Role;
use crate::runtime::secret::Secret;
use crate::services::hooks::{Hooks, Settings};
use crate::services::{ServiceError, Viewer};

fn settings() -> Settings {
    let public_url = Some("https://uppsikt.exempelstad.example/".parse().unwrap());
    Settings { allow_loopback: true, allow_private: false, keys_for_others: false, public_url }
}

async fn receiver(status: u16) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(status)).mount(&server).await;
    server
}

/// A stage with an administrator and a receiver of everything.
async fn hooked(server: &MockServer) -> (Stage, Hooks, Viewer, HookId, Secret) {
    hooked_to(server, HookEvent::ALL).await
}

/// The same with a receiver of these events.
async fn hooked_to(
    server: &MockServer,
    events: &[HookEvent],
) -> (Stage, Hooks, Viewer, HookId, Secret) {
    let stage = Stage::new().await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    let events = events.iter().copied().collect();
    let url = format!("{}/uppsikt", server.uri());
    let (hook, secret) =
        stage.services.add_hook(&ada, "Ärendesystemet", &url, events).await.unwrap();
    let hooks = Hooks::new(stage.services.clone(), settings());
    (stage, hooks, ada, hook, secret)
}

/// Whether one of a message's signatures is what anybody else computes with this secret.
fn is_signed(request: &Request, secret: &Secret) -> bool {
    let header = |name: &str| request.headers.get(name).unwrap().to_str().unwrap().to_owned();
    let key = BASE64.decode(secret.expose().strip_prefix("whsec_").unwrap()).unwrap();
    let body = std::str::from_utf8(&request.body).unwrap();
    let said = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(said.as_bytes());
    let own = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
    header("webhook-signature").split(' ').any(|one| one == own)
}

async fn heard(server: &MockServer) -> Vec<(Request, Value)> {
    let all = server.received_requests().await.unwrap().into_iter();
    all.map(|request| (request.clone(), serde_json::from_slice(&request.body).unwrap())).collect()
}

#[tokio::test]
async fn what_happens_to_a_case_is_told_signed_and_without_a_word_of_it() {
    let server = receiver(204).await;
    let (stage, hooks, ada, hook, secret) = hooked(&server).await;
    let (_, case) = stage.written(THREAT).await;
    let decision = stage.decide(case, vec![Choice::Register]).await;
    stage.services.undo(&stage.editor, case, decision).await.unwrap();
    stage.decide(case, vec![Choice::Register]).await;
    stage.act_after_undo().await;
    stage.services.enter_diary_number(&stage.editor, case, "KS 2026/7").await.unwrap();
    while hooks.round().await.unwrap() {}
    let told = heard(&server).await;
    let types: Vec<_> = told.iter().map(|(_, body)| body["type"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        [
            "case.opened",
            "evidence.sealed",
            "case.decided",
            "case.undone",
            "case.decided",
            "case.registered"
        ]
    );
    let (_, decided) = &told[2];
    assert_eq!(decided["data"]["decision"], json!(decision));
    assert_eq!(decided["data"]["case"], json!(case));
    assert_eq!(decided["data"]["account"], "facebook");
    assert_eq!(
        decided["data"]["link"],
        format!("https://uppsikt.exempelstad.example/arende/{case}")
    );
    let mut ids = std::collections::BTreeSet::new();
    for (request, body) in &told {
        assert!(is_signed(request, &secret), "{body}");
        assert!(!is_signed(request, &Secret::new("whsec_AAAA")), "any secret would do");
        ids.insert(request.headers["webhook-id"].to_str().unwrap().to_owned());
        let said = body.to_string();
        for word in ["ihjäl", "Robin", "Kim", "KS 2026"] {
            assert!(!said.contains(word), "{said}");
        }
    }
    assert_eq!(ids.len(), told.len(), "each has its own identity");

    // The secret that is turned away signs along for a day.
    let newer = stage.services.turn_hook(&ada, hook).await.unwrap();
    assert_ne!(newer.expose(), secret.expose());
    stage.written("Jag ska slå ihjäl dig i morgon, din idiot.").await;
    while hooks.round().await.unwrap() {}
    let (both, _) = heard(&server).await.pop().unwrap();
    assert!(is_signed(&both, &secret) && is_signed(&both, &newer));
    stage.clock.advance(SignedDuration::from_hours(25));
    stage.written("Vi kommer hem till dig och bränner ner ditt hus.").await;
    while hooks.round().await.unwrap() {}
    let (newest, _) = heard(&server).await.pop().unwrap();
    assert!(!is_signed(&newest, &secret) && is_signed(&newest, &newer));
}

#[tokio::test]
async fn a_near_deadline_is_told_once() {
    let server = receiver(200).await;
    let (stage, hooks, _, _, _) = hooked(&server).await;
    let (_, case) = stage.written(THREAT).await;
    let due = stage.store().case(case).await.unwrap().due_at;
    stage.clock.advance(due.duration_since(stage.now()) - SignedDuration::from_mins(30));
    for _ in 0..3 {
        while hooks.round().await.unwrap() {}
        stage.wait_s(90);
    }
    let told = heard(&server).await;
    let near = told.iter().filter(|(_, body)| body["type"] == "case.deadline_near").count();
    assert_eq!(near, 1);
}

#[tokio::test]
async fn what_is_not_taken_is_tried_with_growing_waits_and_becomes_a_task_that_can_be_sent_again() {
    let server = receiver(500).await;
    let (stage, hooks, ada, hook, _) =
        hooked_to(&server, &[HookEvent::CaseOpened, HookEvent::EvidenceSealed]).await;
    stage.written(THREAT).await;
    let n = async || heard(&server).await.len();
    hooks.round().await.unwrap();
    assert_eq!(n().await, 1, "the next one would fail too");
    hooks.round().await.unwrap();
    assert_eq!(n().await, 2, "it has its own first try");
    hooks.round().await.unwrap();
    assert_eq!(n().await, 2, "nothing is tried before its time");
    stage.wait_s(61);
    hooks.round().await.unwrap();
    let first = heard(&server).await;
    let (a, b) = (&first[0], &first[2]);
    assert_eq!(a.0.headers["webhook-id"], b.0.headers["webhook-id"], "the same message");
    assert_eq!(a.1, b.1, "says the same");
    assert_eq!(stage.services.n_tasks(&ada).await.unwrap(), 0);
    for _ in 0..60 {
        stage.wait_s(3_601);
        hooks.round().await.unwrap();
    }
    let (known, messages) = stage.services.hooks(&ada).await.unwrap();
    assert_eq!((known[0].waiting, known[0].dead), (0, 2));
    assert!(messages.iter().all(|m| m.status == Some(500) && m.problem.is_some()));
    let troubles = stage.services.notice_troubles(&ada).await.unwrap();
    assert_eq!(troubles.len(), 1, "one task for a receiver, not one a message");
    assert!(troubles[0].needs_a_person && troubles[0].subject.contains("Ärendesystemet"));
    // Mended on the other side, and sent again by hand.
    server.reset().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let editor = stage.services.send_hook_again(&stage.editor, hook, None).await;
    assert!(matches!(editor, Err(ServiceError::NotPermitted { .. })));
    assert_eq!(stage.services.send_hook_again(&ada, hook, None).await.unwrap(), 2);
    while hooks.round().await.unwrap() {}
    assert_eq!(n().await, 2);
    let (known, _) = stage.services.hooks(&ada).await.unwrap();
    assert_eq!((known[0].waiting, known[0].dead), (0, 0));
    let nothing = stage.services.send_hook_again(&ada, hook, None).await;
    assert!(matches!(nothing, Err(ServiceError::Refused { .. })));
}

#[tokio::test]
async fn a_receiver_that_is_gone_or_taken_away_is_told_nothing_more() {
    let server = receiver(410).await;
    let (stage, hooks, ada, hook, _) = hooked(&server).await;
    stage.written(THREAT).await;
    hooks.round().await.unwrap();
    let (known, _) = stage.services.hooks(&ada).await.unwrap();
    assert_eq!((known[0].waiting, known[0].dead), (1, 1), "gone is said on purpose");
    stage.services.end_hook(&ada, hook).await.unwrap();
    stage.written("Jag ska slå ihjäl dig i morgon, din idiot.").await;
    while hooks.round().await.unwrap() {}
    assert_eq!(heard(&server).await.len(), 1);
    let again = stage.services.send_hook_again(&ada, hook, None).await;
    assert!(matches!(again, Err(ServiceError::Refused { .. })));
}

#[tokio::test]
async fn a_webhook_goes_neither_inside_nor_where_a_redirect_points() {
    let stage = Stage::new().await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    let all = || HookEvent::ALL.iter().copied().collect();
    for url in [
        "http://system.exempelstad.example/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://arendesystem/",
        "https://diariet.exempelstad.internal/",
        "https://skrivaren.local/",
        "https://kim:hemligt@system.exempelstad.example/",
        "file:///etc/passwd",
        "gopher://system.exempelstad.example/",
        "",
    ] {
        let refused = stage.services.add_hook(&ada, "Prov", url, all()).await;
        assert!(matches!(refused, Err(ServiceError::Refused { .. })), "{url}");
    }
    let editor = stage.services.add_hook(&stage.editor, "P", "https://a.example/", all()).await;
    assert!(matches!(editor, Err(ServiceError::NotPermitted { .. })));

    // A name that leads inside is found out when it is looked up; a redirect is never followed.
    let inner = receiver(200).await;
    let outer = MockServer::start().await;
    let moved = ResponseTemplate::new(307).insert_header("location", inner.uri().as_str());
    Mock::given(method("POST")).respond_with(moved).mount(&outer).await;
    let port = inner.address().port();
    stage.services.add_hook(&ada, "Utåt", &format!("{}/x", outer.uri()), all()).await.unwrap();
    let named = format!("https://localhost:{port}/x");
    stage.services.add_hook(&ada, "Namn", &named, all()).await.unwrap();
    stage.written(THREAT).await;
    let hooks = Hooks::new(stage.services.clone(), settings());
    hooks.round().await.unwrap();
    assert!(heard(&inner).await.is_empty(), "the redirect was followed");
    let (_, messages) = stage.services.hooks(&ada).await.unwrap();
    assert!(
        messages.iter().any(|m| m.problem.as_deref().is_some_and(|p| p.contains("annan adress")))
    );
    // What the settings let through once is judged anew at each call.
    let strict =
        Hooks::new(stage.services.clone(), Settings { allow_loopback: false, ..settings() });
    let before = outer.received_requests().await.unwrap().len();
    stage.wait_s(3_600);
    strict.round().await.unwrap();
    assert_eq!(outer.received_requests().await.unwrap().len(), before);
    let (known, messages) = stage.services.hooks(&ada).await.unwrap();
    let named = known.iter().find(|hook| hook.name == "Namn").unwrap().id;
    let told = messages.iter().filter(|m| m.hook == named);
    let told: Vec<_> = told.filter_map(|m| m.problem.as_deref()).collect();
    assert!(told.iter().any(|problem| problem.contains("privat nät")), "{told:?}");
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other_and_a_long_answer_is_an_answer() {
    let (slow, quick) = (MockServer::start().await, MockServer::start().await);
    let hanging = ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(9));
    Mock::given(method("POST")).respond_with(hanging).mount(&slow).await;
    let long = ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 200_000]);
    Mock::given(method("POST")).respond_with(long).mount(&quick).await;
    let stage = Stage::new().await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    let events = || [HookEvent::CaseOpened].into();
    let mut ids = Vec::new();
    for (name, server) in [("Trög", &slow), ("Snabb", &quick)] {
        let url = format!("{}/uppsikt", server.uri());
        ids.push(stage.services.add_hook(&ada, name, &url, events()).await.unwrap().0);
    }
    let hooks = Hooks::new(stage.services.clone(), settings());
    stage.written(THREAT).await;
    hooks.round().await.unwrap();
    stage.written("Jag ska slå ihjäl dig i morgon, din idiot.").await;
    hooks.round().await.unwrap();
    assert_eq!(heard(&quick).await.len(), 2, "the second round did not wait for the slow one");
    assert_eq!(heard(&slow).await.len(), 1, "which has one call at a time");
    let (known, _) = stage.services.hooks(&ada).await.unwrap();
    let waiting = |id| known.iter().find(|hook| hook.id == id).unwrap().waiting;
    assert_eq!((waiting(ids[0]), waiting(ids[1])), (2, 0), "a long answer came through");
}
