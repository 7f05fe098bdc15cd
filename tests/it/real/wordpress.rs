//! WordPress. Hiding and deleting need warrants, which come out of the evidence layer alone; they
//! are shown in the connector's own tests and on the program's whole way.

use uppsikt::domain::ids::PlatformItemId;
use uppsikt::domain::item::Presence;
use uppsikt::evidence::warrant::ItemAddress;
use uppsikt::platforms::Platform as _;
use uppsikt::platforms::conformance::{self, World};
use uppsikt::platforms::error::PlatformError;
use uppsikt::platforms::http::HttpSettings;
use uppsikt::platforms::settings::WordPressSettings;
use uppsikt::platforms::wordpress::WordPress;
use uppsikt::runtime::clock::Clock;
use uppsikt::runtime::secret::Secret;
use url::Url;

#[path = "wordpress_site.rs"]
pub mod wordpress_site;
use wordpress_site::Site;

#[tokio::test]
async fn a_real_wordpress_is_read_and_answered() {
    let site = Site::from_env();
    let wordpress = site.connector();
    conformance::the_connection_is_whole(&wordpress).await;
    conformance::reading_holds(&wordpress, &site).await;
    conformance::an_answer_can_be_found_again(&wordpress, &site).await;
}

/// The seed's own texts, tags and half-escaped signs included, as a reader sees them.
#[tokio::test]
async fn the_seeded_comments_are_read_as_they_were_written() {
    let site = Site::from_env();
    let seed = include_str!("../../real/seed-sv.json");
    let seed: serde_json::Value = serde_json::from_str(seed).unwrap();
    let all = conformance::fetch_all(&site.connector(), None).await.unwrap();
    let texts: Vec<_> = all.items.values().map(|item| item.text.as_str()).collect();
    for comment in seed["comments"].as_array().unwrap() {
        // A reader does not see the tags.
        let written = comment["text"].as_str().unwrap().replace("<b>", "").replace("</b>", "");
        assert!(texts.contains(&written.as_str()), "{}: {written}", comment["key"]);
    }
}

#[tokio::test]
async fn what_is_shown_again_is_shown_there() {
    let site = Site::from_env();
    let wordpress = site.connector();
    let id = site.write("Väntar på granskning", None).await;
    let hold = serde_json::json!({"status": "hold"});
    site.call(reqwest::Method::POST, &format!("comments/{id}"), Some(hold)).await;
    let all = conformance::fetch_all(&wordpress, None).await.unwrap();
    let item = &all.items[&id];
    assert_eq!(item.presence, Presence::Hidden);
    wordpress.unhide(&ItemAddress::from(item)).await.unwrap();
    assert_eq!(site.status(&id).await, "approved");
}

/// WordPress would show such a user less, without a word.
#[tokio::test]
async fn a_user_who_may_not_moderate_is_refused() {
    let site = Site::from_env();
    let error = site.connector_for(&site.author).fetch(None, None).await.unwrap_err();
    assert!(matches!(error, PlatformError::Forbidden { .. }), "{error:?}");
}
