//! snac, a server of its own make, and the stand-in for Mastodon's whole interface. What needs
//! warrants is shown in the connector's own tests.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uppsikt::domain::ids::PlatformItemId;
use uppsikt::domain::item::ItemKind;
use uppsikt::evidence::warrant::ItemAddress;
use uppsikt::platforms::conformance::{self, World, fetch_all};
use uppsikt::platforms::error::PlatformError;
use uppsikt::platforms::http::HttpSettings;
use uppsikt::platforms::mastodon::Mastodon;
use uppsikt::platforms::settings::MastodonSettings;
use uppsikt::platforms::{Platform as _, Receipt, Sought};
use uppsikt::runtime::clock::Clock;
use uppsikt::runtime::secret::Secret;
use url::Url;

#[path = "mastodon_server.rs"]
pub mod mastodon_server;
use mastodon_server::{Make, PATIENCE, Server, setting};

#[tokio::test]
async fn a_stand_in_for_mastodon_is_read_and_answered() {
    let server = Server::from_env(Make::StandIn);
    let mastodon = server.connector();
    conformance::the_connection_is_whole(&mastodon).await;
    conformance::reading_holds(&mastodon, &server).await;
    conformance::an_answer_can_be_found_again(&mastodon, &server).await;
    a_message_is_answered_in_private(&mastodon, &server).await;
    let wrong = server.connector_with("0123456789abcdef");
    assert!(matches!(wrong.fetch(None, None).await, Err(PlatformError::ReauthNeeded { .. })));
}

#[tokio::test]
async fn a_real_server_is_read_and_answered() {
    let server = Server::from_env(Make::Snac);
    let mastodon = server.connector();
    conformance::the_connection_is_whole(&mastodon).await;
    conformance::a_fetch_from_scratch_sees_everything(&mastodon, &server).await;
    conformance::a_later_fetch_sees_what_is_new(&mastodon, &server).await;
    conformance::an_edit_becomes_known(&mastodon, &server).await;
    conformance::a_thread_is_read_from_the_top(&mastodon, &server).await;
    the_seeded_comments_are_read_as_they_were_written(&mastodon).await;
    an_answer_is_found_though_the_server_drew_pictures_in_it(&mastodon, &server).await;
    a_message_is_answered_in_private(&mastodon, &server).await;
    a_token_taken_back_needs_a_new_login(&server).await;
}

async fn the_seeded_comments_are_read_as_they_were_written(mastodon: &Mastodon) {
    let seed: Value = serde_json::from_str(include_str!("../../real/seed-sv.json")).unwrap();
    let all = fetch_all(mastodon, None).await.unwrap();
    let texts: Vec<_> = all.items.values().map(|item| item.text.as_str()).collect();
    let comments = seed["comments"].as_array().unwrap();
    // Signs that snac takes for its own markup are the exception, and what citizens answered each
    // other: snac brings that to nobody else.
    let plain = comments
        .iter()
        .filter(|c| c["parent"].is_null())
        .map(|c| c["text"].as_str().unwrap())
        .filter(|text| {
            !text.contains(['<', '*', '_', '`', '~', ':', '\n', '#', '/', ';'])
                && !text.contains("  ")
        });
    let (mut found, mut lacking) = (0, Vec::new());
    for text in plain {
        if texts.contains(&text) { found += 1 } else { lacking.push(text) }
    }
    assert!(found >= 10 && lacking.is_empty(), "{found} found, not {lacking:?}");
}

async fn an_answer_is_found_though_the_server_drew_pictures_in_it(
    mastodon: &Mastodon,
    server: &Server,
) {
    let text = "Hej! Vi har öppet 8–16, \"vardagar\" & lördagar <3\nHälsningar\nKommunen";
    let id = server.write("När har ni öppet?", None).await;
    let all = fetch_all(mastodon, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&id]);
    assert_eq!(mastodon.find_reply(&item, &Sought::ever(text, "svar-1")).await, Ok(None));
    let sent = mastodon.reply(&item, text, "svar-1").await.unwrap();
    let Receipt::Done(answer) = sent else { panic!("{sent:?}") };
    let found = mastodon.find_reply(&item, &Sought::ever(text, "svar-1")).await;
    assert_eq!(found, Ok(Some(Receipt::AlreadySo(answer.clone()))));
    assert_eq!(mastodon.find_reply(&item, &Sought::ever("Något annat", "svar-2")).await, Ok(None));
    let all = fetch_all(mastodon, None).await.unwrap();
    let ours = &all.items[&PlatformItemId::new(answer)];
    assert!(ours.by_us && ours.text.starts_with("Hej! Vi har öppet 8–16, \"vardagar\" & lördagar"));
}

/// A citizen writes to the municipality, to nobody else.
async fn whisper(server: &Server, text: &str) -> PlatformItemId {
    let body = json!({"status": format!("@kommunen {text}"), "visibility": "direct"});
    let id = server.id(&server.citizen(Method::POST, "statuses", body).await);
    for _ in 0..PATIENCE {
        let told = server.see("notifications?limit=80").await;
        let told = told.as_array().unwrap().iter();
        if told.filter(|note| note["status"].is_object()).any(|n| server.id(&n["status"]) == id) {
            return id;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the message did not arrive");
}

async fn a_message_is_answered_in_private(mastodon: &Mastodon, server: &Server) {
    let id = whisper(server, "Får jag fråga en sak?").await;
    let all = fetch_all(mastodon, None).await.unwrap();
    let message = &all.items[&id];
    assert_eq!(message.kind, ItemKind::DirectMessage);
    let sent = mastodon.reply(&ItemAddress::from(message), "Fråga på!", "svar-dm").await.unwrap();
    let Receipt::Done(answer) = sent else { panic!("{sent:?}") };
    let answer = server.see(&format!("statuses/{answer}")).await;
    let visibility = answer["visibility"].as_str().unwrap();
    assert!(matches!(visibility, "direct" | "private"), "{visibility}");
}

async fn a_token_taken_back_needs_a_new_login(server: &Server) {
    let token = log_in_anew(server).await;
    let mastodon = server.connector_with(&token.access);
    let all = fetch_all(&mastodon, None).await.unwrap();
    revoke(server, &token).await;
    let error = mastodon.fetch(all.cursor.as_ref(), None).await.unwrap_err();
    assert!(matches!(error, PlatformError::ReauthNeeded { .. }), "{error:?}");
    let never = server.connector_with("0123456789abcdef");
    let error = never.check().await.unwrap_err();
    assert!(matches!(error, PlatformError::ReauthNeeded { .. }), "{error:?}");
    let anew = server.connector_with(&log_in_anew(server).await.access);
    let later = fetch_all(&anew, all.cursor.as_ref()).await.unwrap();
    assert!(later.cursor.is_some(), "the cursor goes on with another token");
}

/// A token of the municipality's, and the program it was handed out to.
struct Token {
    access: String,
    program: String,
    secret: String,
}

/// As the login page hands it out.
async fn log_in_anew(server: &Server) -> Token {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let post = |path: &str, form: &[(&str, &str)]| {
        server.client.post(format!("{}/{path}", server.url)).form(form).send()
    };
    let oob = "urn:ietf:wg:oauth:2.0:oob";
    let form = [("client_name", "uppsikt"), ("redirect_uris", oob), ("scopes", "read write")];
    let app: Value = post("api/v1/apps", &form).await.unwrap().json().await.unwrap();
    let (program, secret) = (text(&app, "client_id"), text(&app, "client_secret"));
    let (user, password) = (setting("MASTODON_KOMMUN_USER"), setting("MASTODON_KOMMUN_PASSWORD"));
    let form = [("login", &*user), ("passwd", &password), ("redir", oob), ("cid", &program)];
    let code = post("oauth/x-snac-login", &form).await.unwrap().text().await.unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("client_id", &program),
        ("client_secret", &secret),
        ("redirect_uri", oob),
    ];
    let token: Value = post("oauth/token", &form).await.unwrap().json().await.unwrap();
    Token { access: text(&token, "access_token"), program, secret }
}

async fn revoke(server: &Server, token: &Token) {
    let form =
        [("token", &token.access), ("client_id", &token.program), ("client_secret", &token.secret)];
    let call = server.client.post(format!("{}/oauth/revoke", server.url)).form(&form);
    assert!(call.send().await.unwrap().status().is_success(), "the token is taken back");
}
