//! Against servers of others: acts included, which need warrants that only unit tests may make.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use url::Url;

use crate::domain::ids::PlatformItemId;
use crate::domain::item::LiveReading;
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, World, fetch_all};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::http::HttpSettings;
use crate::platforms::mastodon::Mastodon;
use crate::platforms::settings::MastodonSettings;
use crate::platforms::{Platform, Receipt};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

#[path = "../../../../tests/it/real/mastodon_server.rs"]
mod mastodon_server;
use mastodon_server::{Make, Server};

/// A citizen's question and our answer to it.
async fn answered(mastodon: &Mastodon, server: &Server) -> (ItemAddress, ItemAddress) {
    let id = server.write("Vem bestämmer?", None).await;
    let all = fetch_all(mastodon, None).await.unwrap();
    let question = ItemAddress::from(&all.items[&id]);
    let sent = mastodon.reply(&question, "Nämnden.", "nyckel").await.unwrap();
    let Receipt::Done(answer) = sent else { panic!("{sent:?}") };
    let mut answer_address = question.clone();
    answer_address.platform_id = PlatformItemId::new(answer);
    (question, answer_address)
}

/// One test, since all share one server, and faults are for everybody on it.
#[tokio::test]
async fn a_stand_in_for_mastodon_keeps_every_promise() {
    let server = Server::from_env(Make::StandIn);
    let mastodon = server.connector();
    conformance::everything(&mastodon, &server, &RemovalWarrant::for_test).await;

    let (question, answer) = answered(&mastodon, &server).await;
    let again = mastodon.reply(&question, "Nämnden.", "nyckel").await;
    let same = answer.platform_id.to_string();
    assert_eq!(again, Ok(Receipt::Done(same)), "the same key never makes two");
    let reported = mastodon.report(&question, "Olaga hot").await;
    assert!(matches!(reported, Ok(Receipt::Done(_))), "{reported:?}");
    let done = mastodon.delete(RemovalWarrant::for_test(answer.clone())).await;
    assert_eq!(done, Ok(Receipt::Done("deleted".into())));
    assert_eq!(mastodon.read_live(&answer).await, Ok(LiveReading::Gone));
    let again = mastodon.delete(RemovalWarrant::for_test(answer)).await;
    assert_eq!(again, Err(PlatformError::Gone));

    what_is_reported_reaches_a_moderator(&server).await;
    an_author_is_limited_and_what_was_reported_settled(&server).await;
    faults_are_told_apart(&mastodon, &server, &question).await;
}

/// A citizen's post that names nobody, reported to the server's own moderators.
async fn what_is_reported_reaches_a_moderator(server: &Server) {
    let text = json!({"status": "Ingen här är nämnd.", "visibility": "public"});
    let post = server.citizen(Method::POST, "statuses", text).await;
    let moderator = server.moderator();
    assert_eq!(moderator.check().await.unwrap().missing, Vec::<String>::new());
    let before = fetch_all(&moderator, None).await.unwrap();
    assert!(!before.items.contains_key(&server.id(&post)), "nothing has told of it");
    let report = json!({
        "account_id": post["account"]["id"], "status_ids": [post["id"]], "category": "violation",
    });
    let (status, answer) = server.ask(&server.token, Method::POST, "reports", Some(report)).await;
    assert_eq!(status, 200, "{answer}");
    let after = fetch_all(&moderator, before.cursor.as_ref()).await.unwrap();
    assert_eq!(after.items[&server.id(&post)].text, "Ingen här är nämnd.");
    let again = fetch_all(&moderator, after.cursor.as_ref()).await.unwrap();
    assert!(!again.items.contains_key(&server.id(&post)), "each report is read once");
}

/// On a server of one's own, where the settings say so.
async fn an_author_is_limited_and_what_was_reported_settled(server: &Server) {
    let limiting = server.limiting();
    conformance::hiding_is_idempotent(&limiting, server, &RemovalWarrant::for_test).await;
    let id = server.write("Anmäls och begränsas", None).await;
    let all = fetch_all(&limiting, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&id]);
    let reported = limiting.report(&item, "Olaga hot").await.unwrap();
    let Receipt::Done(report) = reported else { panic!("{reported:?}") };
    let is_open = async || {
        let open = server.see("admin/reports").await;
        open.as_array().unwrap().iter().any(|one| one["id"] == report)
    };
    assert!(is_open().await, "it waits for a moderator");
    limiting.hide(RemovalWarrant::for_test(item.clone())).await.unwrap();
    assert!(!is_open().await, "and is settled by what was done");
    limiting.unhide(&item).await.unwrap();
    assert!(matches!(limiting.read_live(&item).await, Ok(LiveReading::Present(_))));
}

async fn faults_are_told_apart(mastodon: &Mastodon, server: &Server, item: &ItemAddress) {
    fault(server, "notifications", "ratelimit").await;
    let asked = Clock::system().now();
    let cursor = fetch_all(mastodon, None).await;
    let Err(PlatformError::Throttled { until, lane, .. }) = cursor else { panic!("{cursor:?}") };
    assert_eq!(lane, Lane::Account);
    assert!(until.duration_since(asked) > SignedDuration::from_mins(4), "as long as it says");
    no_faults(server).await;
    let whole = fetch_all(mastodon, None).await.expect("as before");
    fault(server, "notifications", "malformed").await;
    let error = mastodon.fetch(whole.cursor.as_ref(), None).await.unwrap_err();
    assert!(matches!(error.class(), "transient" | "contract"), "{error:?}");
    no_faults(server).await;
    fault(server, "statuses", "status").await;
    let error = mastodon.read_live(item).await.unwrap_err();
    assert_eq!(error.class(), "transient", "{error:?}");
    let error = mastodon.reply(item, "Nämnden.", "en annan").await.unwrap_err();
    assert_eq!(error.class(), "transient", "{error:?}");
    no_faults(server).await;
    assert!(matches!(mastodon.read_live(item).await, Ok(LiveReading::Present(_))));
}

#[tokio::test]
async fn a_real_server_keeps_the_promises_that_it_can() {
    let server = Server::from_env(Make::Snac);
    let mastodon = server.connector();
    conformance::a_broken_walk_loses_nothing(&mastodon, &server).await;
    a_deletion_is_not_told_from_a_block_where_strangers_see_nothing(&mastodon, &server).await;
    conformance::deleting_is_idempotent(&mastodon, &server, &RemovalWarrant::for_test).await;
    let (question, answer) = answered(&mastodon, &server).await;
    conformance::what_is_lacking_is_refused(&mastodon, &question, &RemovalWarrant::for_test).await;
    // snac lets no program delete or report, and says so in its own way.
    let error = mastodon.delete(RemovalWarrant::for_test(answer)).await.unwrap_err();
    assert_eq!(error.class(), "refused", "{error:?}");
    let error = mastodon.report(&question, "Olaga hot").await.unwrap_err();
    assert_eq!(error.class(), "refused", "{error:?}");
    an_edit_does_not_make_another_post(&mastodon, &server).await;
}

/// snac answers no stranger, so nobody can tell whether the post is gone or its author blocks us.
async fn a_deletion_is_not_told_from_a_block_where_strangers_see_nothing(
    mastodon: &Mastodon,
    server: &Server,
) {
    let (goes, stays) = (server.write("Ska bort", None).await, server.write("Stannar", None).await);
    let all = fetch_all(mastodon, None).await.unwrap();
    let (goes, stays) =
        (ItemAddress::from(&all.items[&goes]), ItemAddress::from(&all.items[&stays]));
    server.remove(&goes.platform_id).await;
    let one = mastodon.read_live(&goes).await;
    assert!(matches!(one, Ok(LiveReading::NotReadable { .. })), "{one:?}");
    let both = mastodon.read_live_many(&[goes, stays]).await.unwrap();
    assert!(matches!(both[0], Ok(LiveReading::NotReadable { .. })), "{both:?}");
    assert!(matches!(both[1], Ok(LiveReading::Present(_))), "{both:?}");
}

async fn an_edit_does_not_make_another_post(mastodon: &Mastodon, server: &Server) {
    let id = server.write("Före ändringen", None).await;
    // The time of the last change is counted in seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    server.edit(&id, "Efter ändringen").await;
    let all = fetch_all(mastodon, None).await.unwrap();
    assert_eq!(all.items[&id].text, "Efter ändringen");
    assert!(all.items[&id].edited_at.is_some());
    assert!(all.items.values().all(|item| item.text != "Före ändringen"));
}

/// Has the stand-in fail on everything whose path holds the word.
async fn fault(server: &Server, path: &str, kind: &str) {
    let mut effect = json!({"type": kind});
    if kind == "status" {
        effect["status"] = 503.into();
    }
    let rule = json!({"match": {"path": format!("/api/v1/{path}*")}, "effect": effect});
    let (status, answer) =
        server.ask(&server.token, Method::POST, "_mock/faults", Some(rule)).await;
    assert!(status < 300, "{status} {answer}");
}

/// Ends that.
async fn no_faults(server: &Server) {
    server.ask(&server.token, Method::DELETE, "_mock/faults", None).await;
}
