//! Against a real WordPress: acts included, which need warrants that only unit tests may make.

use url::Url;

use crate::domain::ids::PlatformItemId;
use crate::domain::item::{ItemKind, LiveReading};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, World, fetch_all};
use crate::platforms::error::PlatformError;
use crate::platforms::http::HttpSettings;
use crate::platforms::settings::WordPressSettings;
use crate::platforms::wordpress::WordPress;
use crate::platforms::{Platform, Receipt};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

#[path = "../../../../tests/it/real/wordpress_site.rs"]
mod wordpress_site;
use wordpress_site::Site;

/// One test, since all share one site and some look at the whole of it.
#[tokio::test]
async fn a_real_wordpress_keeps_every_promise() {
    let site = Site::from_env();
    let wordpress = site.connector();
    conformance::everything(&wordpress, &site, &RemovalWarrant::for_test).await;
    a_binned_comment_is_not_brought_back(&wordpress, &site).await;
    the_same_answer_is_not_published_twice(&wordpress, &site).await;
    what_another_site_sends_is_read(&wordpress, &site).await;
    what_plug_ins_let_people_write_is_read(&wordpress, &site).await;
    rights_and_passwords_are_told_apart(&site).await;
}

/// A comment of another kind than people write: lists leave it out unless they are asked for all.
async fn what_another_site_sends_is_read(wordpress: &WordPress, site: &Site) {
    let before = fetch_all(wordpress, None).await.unwrap();
    site.trackback("Vi har skrivit om ert bad.").await;
    let after = fetch_all(wordpress, before.cursor.as_ref()).await.unwrap();
    let found = after.items.values().find(|item| item.text.contains("skrivit om ert bad"));
    let found = found.expect("it is read");
    let item = ItemAddress::from(found);
    let hidden = wordpress.hide(RemovalWarrant::for_test(item.clone())).await;
    assert!(hidden.is_ok(), "and can be hidden as others: {hidden:?}");
    wordpress.delete(RemovalWarrant::for_test(item)).await.unwrap();
    site.remove(&found.platform_id).await;
}

/// A shop's reviews and a kind that nobody knows are read, edits and all; what a plug-in notes for itself is left out.
async fn what_plug_ins_let_people_write_is_read(wordpress: &WordPress, site: &Site) {
    let before = fetch_all(wordpress, None).await.unwrap();
    let review = site.by_plugin("review", "Bra badhus, fyra av fem.");
    let unknown = site.by_plugin("kommunens_fraga", "När öppnar badet?");
    let note = site.by_plugin("order_note", "Beställningen har betalats.");
    let after = fetch_all(wordpress, before.cursor.as_ref()).await.unwrap();
    assert_eq!(after.items[&review].kind, ItemKind::Review);
    assert_eq!(after.items[&review].text, "Bra badhus, fyra av fem.");
    assert_eq!(after.items[&unknown].kind, ItemKind::Comment);
    assert!(!after.items.contains_key(&note));
    let item = ItemAddress::from(&after.items[&unknown]);
    let LiveReading::Present(live) = wordpress.read_live(&item).await.unwrap() else {
        panic!("it is read by its id as well")
    };
    assert_eq!(live.text, "När öppnar badet?");
    wordpress.hide(RemovalWarrant::for_test(item.clone())).await.unwrap();
    assert_eq!(site.status(&unknown).await, "hold");
    wordpress.delete(RemovalWarrant::for_test(item)).await.unwrap();
    for id in [&review, &unknown, &note] {
        site.remove(id).await;
    }
}

async fn a_binned_comment_is_not_brought_back(wordpress: &WordPress, site: &Site) {
    let id = site.write("I papperskorgen", None).await;
    let all = fetch_all(wordpress, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&id]);
    wordpress.delete(RemovalWarrant::for_test(item.clone())).await.unwrap();
    let hidden = wordpress.hide(RemovalWarrant::for_test(item.clone())).await;
    assert_eq!(hidden, Ok(Receipt::AlreadySo("trash".into())));
    assert!(matches!(wordpress.unhide(&item).await, Err(PlatformError::Refused { .. })));
    assert_eq!(site.status(&id).await, "trash");
}

async fn the_same_answer_is_not_published_twice(wordpress: &WordPress, site: &Site) {
    let id = site.write("Frågan ställs", None).await;
    let all = fetch_all(wordpress, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&id]);
    let first = wordpress.reply(&item, "Svaret <b>är</b> &amp; nej", "nyckel").await.unwrap();
    let Receipt::Done(answer) = first else { panic!("{first:?}") };
    let again = wordpress.reply(&item, "Svaret <b>är</b> &amp; nej", "nyckel").await;
    assert_eq!(again, Ok(Receipt::AlreadySo(answer)));
}

async fn rights_and_passwords_are_told_apart(site: &Site) {
    let author = site.connector_for(&site.author);
    assert!(matches!(author.fetch(None, None).await, Err(PlatformError::Forbidden { .. })));
    assert_eq!(author.check().await.unwrap().missing.len(), 1);
    let wrong = site.connector_for(&(site.editor.0.clone(), "fel fel fel".into()));
    let error = wrong.fetch(None, None).await.unwrap_err();
    assert!(matches!(error, PlatformError::ReauthNeeded { .. }), "{error:?}");
    // Where there is no such site nothing is found, and nothing is gone either.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut elsewhere = Site::from_env();
    elsewhere.url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new()).await });
    let error = elsewhere.connector().fetch(None, None).await.unwrap_err();
    assert!(!matches!(error, PlatformError::Gone), "{error:?}");
}
