//! The connector against a small fake, and with `real-servers` against a real WordPress.

mod fake;
#[cfg(feature = "real-servers")]
mod real;

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::ids::PlatformItemId;
use crate::domain::item::{ItemKind, Presence};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, fetch_all};
use crate::platforms::http::{BadHttpSettings, HttpSettings};
use crate::platforms::settings::WordPressSettings;
use crate::platforms::testing::{self, Fake, NOW, answer, item_id, line};
use crate::platforms::wordpress::{WordPress, wire};
use crate::platforms::{Platform, Receipt};
use crate::runtime::clock::TestClock;
use crate::runtime::secret::Secret;

use fake::Blog;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn settings(fake: &Fake<Blog>) -> WordPressSettings {
    WordPressSettings {
        site: fake.base().clone(),
        user: "redaktor".into(),
        password: Secret::new("abcd efgh"),
        pretty_links: true,
        http: HttpSettings::loopback(),
    }
}

fn connect(settings: WordPressSettings) -> WordPress {
    WordPress::new(settings, TestClock::at(NOW.parse().unwrap()).clock()).unwrap()
}

#[tokio::test]
async fn the_connector_keeps_every_promise() {
    let fake = Fake::<Blog>::open().await;
    fake.fill(3, "2026-11-21T08:00:00Z", MINUTE);
    conformance::everything(&connect(settings(&fake)), &fake, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn it_keeps_them_over_many_pages_and_without_pretty_links() {
    let fake = Fake::<Blog>::open().await;
    fake.fill(420, "2026-11-20T08:00:00Z", MINUTE);
    let settings = WordPressSettings { pretty_links: false, ..settings(&fake) };
    conformance::everything(&connect(settings), &fake, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn a_site_with_plain_links_is_found_and_one_that_is_none_is_not() {
    let fake = Fake::<Blog>::open().await;
    fake.fill(3, "2026-11-21T08:00:00Z", MINUTE);
    fake.world().plain_links = true;
    let blog = connect(settings(&fake));
    assert_eq!(fetch_all(&blog, None).await.unwrap().items.len(), 3);
    assert!(blog.check().await.is_ok());
}

#[tokio::test]
async fn hundreds_in_one_second_are_all_seen() {
    let fake = Fake::<Blog>::open().await;
    fake.fill(350, "2026-11-21T08:00:00Z", SignedDuration::ZERO);
    let all = fetch_all(&connect(settings(&fake)), None).await.unwrap();
    assert_eq!(all.items.len(), 350);
}

#[tokio::test]
async fn a_deletion_during_a_walk_hides_nothing() {
    let fake = Fake::<Blog>::open().await;
    fake.fill(150, "2026-11-21T08:00:00Z", SignedDuration::from_secs(1));
    let wordpress = connect(settings(&fake));
    let first = wordpress.fetch(None, None).await.unwrap();
    // By page number the 101st comment would now stand on the page already read.
    for gone in 1..=5 {
        fake.world().comments.remove(&gone);
    }
    let second = wordpress.fetch(first.next.as_ref(), first.walk.as_ref()).await.unwrap();
    let seen: Vec<_> = second.items.iter().map(|item| item.platform_id.clone()).collect();
    assert!((101..=150).all(|n| seen.contains(&item_id(n))), "{seen:?}");
    assert!(second.walk.is_none());
}

#[tokio::test]
async fn a_date_in_the_future_does_not_carry_the_cursor_away() {
    let fake = Fake::<Blog>::open().await;
    fake.fill(1, "2027-11-21T08:00:00Z", MINUTE);
    let wordpress = connect(settings(&fake));
    let all = fetch_all(&wordpress, None).await.unwrap();
    fake.fill(1, "2026-11-21T11:30:00Z", MINUTE);
    let later = fetch_all(&wordpress, all.cursor.as_ref()).await.unwrap();
    assert!(later.items.contains_key(&item_id(2)));
}

#[tokio::test]
async fn a_comment_is_read_with_all_that_is_given() {
    let fake = Fake::<Blog>::open().await;
    let at = "2026-11-21T08:00:00Z".parse().unwrap();
    let raw = "Se <a href=\"https://bluff.example\">kommunen</a> &amp; <img src=\"https://b.example/1.png\" alt=\"bild\">";
    {
        let mut inner = fake.world();
        inner.add(0, 0, raw, at);
        inner.add(1, 3, "Svar från oss", at);
        inner.comments.get_mut(&1).unwrap().status = "spam".into();
    }
    let all = fetch_all(&connect(settings(&fake)), None).await.unwrap();
    let (guest, ours) = (&all.items[&item_id(1)], &all.items[&item_id(2)]);
    assert_eq!(guest.text, "Se kommunen (https://bluff.example) & bild");
    assert_eq!(guest.attachments[0].url.as_deref(), Some("https://b.example/1.png"));
    assert_eq!(guest.presence, Presence::Binned);
    assert_eq!(guest.author.platform_id, None, "guests share the number 0");
    assert_eq!(guest.created_at, Some(at));
    assert_eq!(guest.created_raw.as_deref(), Some("2026-11-21T08:00:00"));
    assert!(!guest.by_us && ours.by_us);
    assert_eq!((ours.kind, ours.parent_id.clone()), (ItemKind::Reply, Some(item_id(1))));
    assert_eq!(all.posts[0].title.as_deref(), Some("Badet"));
}

#[tokio::test]
async fn pingbacks_and_kinds_of_plugins_are_read_and_what_is_internal_is_not() {
    let fake = Fake::<Blog>::open().await;
    fake.fill(6, "2026-11-21T08:00:00Z", MINUTE);
    let sorts = ["comment", "pingback", "trackback", "review", "note", "order_note"];
    for (comment, sort) in fake.world().comments.values_mut().zip(sorts) {
        comment.sort = sort.into();
    }
    let all = fetch_all(&connect(settings(&fake)), None).await.unwrap();
    let kinds: Vec<_> = all.items.values().map(|item| item.kind).collect();
    use ItemKind::{Comment, Mention, Review};
    assert_eq!(kinds, [Comment, Mention, Mention, Review], "notes between editors are nobody's");
}

#[tokio::test]
async fn one_damaged_element_does_not_hide_the_others() {
    let fake = Fake::<Blog>::open().await;
    let wordpress = connect(settings(&fake));
    wordpress.check().await.unwrap();
    fetch_all(&wordpress, None).await.unwrap();
    let page = br#"[{"id":1,"content":{"raw":"halv \ud83d, NUL \u0000, trasig "#;
    let page =
        [&page[..], b"\xff", br#""}}, {"id":2}, {"id":3,"content":{"raw":"hel"}}]"#].concat();
    fake.instead(200, page, 1);
    let batch = wordpress.fetch(None, None).await.unwrap();
    let texts: Vec<_> = batch.items.iter().map(|item| item.text.as_str()).collect();
    assert_eq!(texts, ["halv \u{FFFD}, NUL \0, trasig \u{FFFD}", "hel"]);
    assert_eq!(batch.unreadable[0].place, "comments, page 1, element 2");
    assert_eq!(batch.unreadable[0].raw, br#"{"id":2}"#);
}

#[tokio::test]
async fn a_status_that_does_not_take_is_not_called_done() {
    let fake = Fake::<Blog>::open().await;
    fake.fill(1, "2026-11-21T08:00:00Z", MINUTE);
    let wordpress = connect(settings(&fake));
    let all = fetch_all(&wordpress, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&item_id(1)]);
    let unchanged = r#"{"id":1,"content":{"raw":"x"},"status":"approved"}"#;
    fake.instead(200, unchanged, 1);
    fake.instead(200, unchanged, 1);
    let error = wordpress.hide(RemovalWarrant::for_test(item.clone())).await.unwrap_err();
    assert_eq!(error.class(), "contract");
    // Seen first as approved, and hidden by somebody else before our call comes.
    fake.instead(200, unchanged, 1);
    {
        let mut inner = fake.world();
        inner.strict_status = true;
        inner.comments.get_mut(&1).unwrap().status = "hold".into();
    }
    let receipt = wordpress.hide(RemovalWarrant::for_test(item)).await;
    assert_eq!(receipt, Ok(Receipt::AlreadySo("hold".into())));
}

#[tokio::test]
async fn ids_that_are_no_numbers_never_reach_an_address() {
    let fake = Fake::<Blog>::open().await;
    let wordpress = connect(settings(&fake));
    for wrong in ["../posts/1", "1?force=true", "", "１"] {
        let item = ItemAddress {
            platform_id: PlatformItemId::new(wrong),
            kind: ItemKind::Comment,
            post_id: None,
            parent_id: None,
        };
        let error = wordpress.delete(RemovalWarrant::for_test(item)).await.unwrap_err();
        assert_eq!(error.class(), "contract", "{wrong}");
    }
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn only_https_is_used_unless_loopback_is_permitted() {
    let fake = Fake::<Blog>::open().await;
    let clock = TestClock::at(NOW.parse().unwrap()).clock();
    let refused = |site: &str, http: HttpSettings| {
        let settings = WordPressSettings { site: site.parse().unwrap(), http, ..settings(&fake) };
        WordPress::new(settings, clock.clone()).err()
    };
    let open = HttpSettings::loopback();
    let table = [
        ("http://127.0.0.1:1", HttpSettings::default(), false),
        ("http://blogg.example", open.clone(), false),
        ("http://127.0.0.1:1", open.clone(), true),
        ("http://[::1]:1", open.clone(), true),
        ("https://blogg.example", HttpSettings::default(), true),
        ("ftp://blogg.example", open, false),
    ];
    for (site, http, good) in table {
        assert_eq!(refused(site, http).is_none(), good, "{site}");
    }
    let error = refused("https://kim:hemligt@blogg.example", HttpSettings::default()).unwrap();
    assert!(matches!(error, BadHttpSettings::CredentialsInAddress { .. }));
    assert!(!error.to_string().contains("hemligt"));
}

#[test]
fn every_error_of_the_sheet_has_its_class() {
    let codes = [
        (404, "rest_comment_invalid_id"),
        (404, "rest_post_invalid_id"),
        (410, "rest_already_trashed"),
        (401, "rest_cannot_read"),
        (403, "rest_cannot_edit"),
        (401, "rest_forbidden_context"),
        (403, "rest_forbidden_param"),
        (401, "incorrect_password"),
        (401, "invalid_username"),
        (401, "application_passwords_disabled"),
        (409, "comment_duplicate"),
        (400, "comment_flood"),
        (403, "rest_comment_closed"),
        (403, "rest_comment_draft_post"),
        (403, "rest_comment_trash_post"),
        (400, "rest_comment_content_invalid"),
        (501, "rest_trash_not_supported"),
        (404, "rest_no_route"),
        (404, "ett_tilläggs_egen"),
        (400, "rest_invalid_param"),
        (500, "rest_comment_failed_edit"),
        (500, "internal_server_error"),
    ];
    let answer = |status, body: &str| answer(status, body, &[("retry-after", "120")]);
    let mut table = String::new();
    for (status, code) in codes {
        let body = format!(r#"{{"code":"{code}","message":"x","data":{{"status":{status}}}}}"#);
        table += &line(&format!("{status} {code}"), &wire::fault(&answer(status, &body)));
    }
    for status in [403, 404, 429, 500, 502, 503] {
        let html = "<html>Blockerad</html>";
        table += &line(&format!("{status} html"), &wire::fault(&answer(status, html)));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(8, async |storm| {
        let clock = TestClock::at(NOW.parse().unwrap());
        let fake = Fake::<Blog>::open().await;
        fake.world().clock = Some(clock.clock());
        fake.fill(3, "2026-11-21T08:00:00Z", MINUTE);
        let wordpress = WordPress::new(settings(&fake), clock.clock()).unwrap();
        storm.rage(Arc::new(wordpress), &fake, &fake, &clock).await;
    });
}
