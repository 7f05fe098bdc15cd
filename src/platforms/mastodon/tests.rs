//! The connector against a small fake, and with `real-servers` against servers of others.

mod entities;
mod fake;
#[cfg(feature = "real-servers")]
mod real;

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::action::ActionKind;
use crate::domain::item::{FetchedItem, ItemKind, LiveReading};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::conformance::{self, World as _, fetch_all};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::http::HttpSettings;
use crate::platforms::mastodon::Mastodon;
use crate::platforms::mastodon::api::{Older, fault, older};
use crate::platforms::mastodon::wire::{Id, Status};
use crate::platforms::settings::MastodonSettings;
use crate::platforms::testing::{self, Fake, NOW, answer, at, item_id, line};
use crate::platforms::{Platform, Receipt, json};
use crate::runtime::clock::TestClock;
use crate::runtime::secret::Secret;

use fake::{KIM, ME, Manners, Server};

struct Stage {
    fake: Fake<Server>,
    mastodon: Mastodon,
    clock: TestClock,
}

async fn stage(manners: Manners) -> Stage {
    let clock = TestClock::at(at(NOW));
    let fake = Fake::<Server>::open(manners, clock.clock()).await;
    let settings = MastodonSettings {
        server: fake.base().clone(),
        token: Secret::new("hemlig-nyckel"),
        moderator: false,
        limits: false,
        http: HttpSettings::loopback(),
    };
    let mastodon = Mastodon::new(settings, clock.clock()).unwrap();
    Stage { fake, mastodon, clock }
}

#[tokio::test]
async fn the_connector_keeps_every_promise() {
    let Stage { fake, mastodon, .. } = stage(Manners::default()).await;
    fake.fill(3);
    conformance::everything(&mastodon, &fake, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn it_keeps_them_over_many_pages() {
    let Stage { fake, mastodon, .. } = stage(Manners::default()).await;
    fake.fill(170);
    for n in 0..45 {
        fake.post(ME, &format!("Eget inlägg {n}"), None, "public");
    }
    conformance::everything(&mastodon, &fake, &RemovalWarrant::for_test).await;
}

/// No `Link`, one level of a thread at a time, and a list that knows no `max_id`.
#[tokio::test]
async fn it_keeps_them_on_a_server_of_other_make() {
    let manners =
        Manners { links: false, shallow: true, own_list_pages: false, ..Manners::default() };
    let Stage { fake, mastodon, .. } = stage(manners).await;
    fake.fill(90);
    conformance::everything(&mastodon, &fake, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn mentions_messages_and_answers_are_told_apart() {
    let Stage { fake, mastodon, .. } = stage(Manners::default()).await;
    let post = fake.post(ME, "Badet öppnar", None, "public");
    let comment = fake.post(KIM, "När då?", Some(post), "public");
    let nested = fake.post(KIM, "Och hur länge?", Some(comment), "unlisted");
    let mention = fake.post(KIM, "Hallå @kommunen", None, "public");
    let message = fake.post(KIM, "@kommunen en fråga", None, "direct");
    let followers = fake.post(KIM, "@kommunen mellan oss", None, "private");
    let elsewhere = fake.post(KIM, "Jag talar med mig själv", Some(mention), "public");
    let all = fetch_all(&mastodon, None).await.unwrap();
    let kind = |id: u64| all.items.get(&item_id(id)).map(|item| item.kind);
    assert_eq!(kind(comment), Some(ItemKind::Comment));
    assert_eq!(kind(nested), Some(ItemKind::Reply));
    assert_eq!(kind(mention), Some(ItemKind::Mention));
    assert_eq!(kind(message), Some(ItemKind::DirectMessage));
    assert_eq!(kind(followers), Some(ItemKind::DirectMessage));
    assert_eq!(kind(elsewhere), None, "what neither names us nor answers us is not ours to read");
    let nested = &all.items[&item_id(nested)];
    assert_eq!(nested.parent_id, Some(item_id(comment)));
    assert_eq!(nested.post_id.as_ref().map(|post| post.as_str()), Some(&*post.to_string()));
    assert_eq!(all.items[&item_id(comment)].parent_id, None, "the post is no item");
    assert_eq!(all.posts[0].text, "Badet öppnar");
    let barred: Vec<_> = nested.barred.iter().map(|barred| barred.act).collect();
    assert_eq!(barred, [ActionKind::Delete]);
}

/// New ones come at every fetch, whether they name us or only answer us.
#[tokio::test]
async fn an_answer_that_names_nobody_is_found_without_waiting() {
    let Stage { fake, mastodon, clock } = stage(Manners::default()).await;
    let post = fake.post(ME, "Badet öppnar", None, "public");
    let first = fetch_all(&mastodon, None).await.unwrap();
    clock.advance(SignedDuration::from_mins(1));
    let quiet = fake.post(KIM, "Utan namn", Some(post), "public");
    let second = fetch_all(&mastodon, first.cursor.as_ref()).await.unwrap();
    assert!(second.items.contains_key(&item_id(quiet)));
    // An answer further down moves no number: it is found when the thread is read again.
    clock.advance(SignedDuration::from_mins(6));
    let deeper = fake.post(KIM, "Djupare, utan namn", Some(quiet), "public");
    let third = fetch_all(&mastodon, second.cursor.as_ref()).await.unwrap();
    assert_eq!(third.items[&item_id(deeper)].parent_id, Some(item_id(quiet)));
}

#[tokio::test]
async fn an_edit_comes_again_with_the_overlap() {
    let Stage { fake, mastodon, clock } = stage(Manners::default()).await;
    let mention = fake.post(KIM, "@kommunen första", None, "public");
    let first = fetch_all(&mastodon, None).await.unwrap();
    clock.advance(SignedDuration::from_mins(61));
    fake.edit(&item_id(mention), "@kommunen andra").await;
    let second = fetch_all(&mastodon, first.cursor.as_ref()).await.unwrap();
    let item = &second.items[&item_id(mention)];
    assert_eq!(item.text, "@kommunen andra");
    assert_eq!(item.edited_at, Some(clock.clock().now()));
}

/// A walk down ten pages that breaks off each time goes on below what was stored.
#[tokio::test]
async fn a_broken_walk_goes_on_where_it_was() {
    let Stage { fake, mastodon, clock } = stage(Manners::default()).await;
    let first = fetch_all(&mastodon, None).await.unwrap();
    clock.advance(SignedDuration::from_mins(1));
    let all: Vec<_> =
        (0..400).map(|n| fake.post(KIM, &format!("@kommunen {n}"), None, "public")).collect();
    let mut cursor = first.cursor;
    let mut seen = Vec::new();
    for _ in 0..5 {
        let batch = mastodon.fetch(cursor.as_ref(), None).await.unwrap();
        seen.extend(batch.items.into_iter().map(|item| item.platform_id));
        cursor = batch.next.or(cursor);
    }
    assert!(all.iter().all(|id| seen.contains(&item_id(*id))), "{} of 400", seen.len());
}

#[tokio::test]
async fn a_list_that_drops_what_was_not_read_is_told() {
    let Stage { fake, mastodon, clock } = stage(Manners { kept: 60, ..Manners::default() }).await;
    fake.post(KIM, "@kommunen först", None, "public");
    let first = fetch_all(&mastodon, None).await.unwrap();
    clock.advance(SignedDuration::from_hours(2));
    for n in 0..70 {
        fake.post(KIM, &format!("@kommunen {n}"), None, "public");
    }
    let mut batch = mastodon.fetch(first.cursor.as_ref(), None).await.unwrap();
    while batch.gap.is_none() {
        batch = mastodon.fetch(first.cursor.as_ref(), batch.walk.as_ref()).await.unwrap();
    }
    assert!(batch.gap.unwrap().starts_with("Servern listar bara de senaste"));
}

/// A list of exactly one page has no sign that something came before it but the empty page after.
#[tokio::test]
async fn a_list_that_ends_with_an_empty_page_is_told_as_well() {
    let manners = Manners { kept: 80, links: false, ..Manners::default() };
    let Stage { fake, mastodon, clock } = stage(manners).await;
    fake.post(KIM, "@kommunen först", None, "public");
    let first = fetch_all(&mastodon, None).await.unwrap();
    clock.advance(SignedDuration::from_hours(2));
    for n in 0..100 {
        fake.post(KIM, &format!("@kommunen {n}"), None, "public");
    }
    let (mut cursor, mut walk, mut gap) = (first.cursor, None, None);
    loop {
        let batch = mastodon.fetch(cursor.as_ref(), walk.as_ref()).await.unwrap();
        gap = gap.or(batch.gap);
        cursor = batch.next.or(cursor);
        walk = batch.walk;
        if walk.is_none() {
            break;
        }
    }
    assert!(gap.is_some_and(|gap| gap.starts_with("Servern listar bara de senaste")));
}

/// One thread that the server never gives.
#[tokio::test]
async fn one_look_up_that_fails_does_not_stop_the_account() {
    for status in [400, 403, 500] {
        let Stage { fake, mastodon, clock } = stage(Manners::default()).await;
        let first = fetch_all(&mastodon, None).await.unwrap();
        clock.advance(SignedDuration::from_mins(1));
        let bad = fake.post(ME, "Badet öppnar", None, "public");
        let answer = fake.post(KIM, "@kommunen under det trasiga", Some(bad), "public");
        let good = fake.post(ME, "Biblioteket flyttar", None, "public");
        let quiet = fake.post(KIM, "Utan namn", Some(good), "public");
        fake.break_thread(bad, status);
        fake.break_thread(answer, status);
        let (mut cursor, mut walk, mut gap) = (first.cursor, None, None);
        let mut items = std::collections::BTreeMap::new();
        let mut n = 0;
        loop {
            n += 1;
            assert!(n < 60, "{status}: one look-up that fails has stopped the account");
            match mastodon.fetch(cursor.as_ref(), walk.as_ref()).await {
                Ok(batch) => {
                    items.extend(batch.items.into_iter().map(|i| (i.platform_id.clone(), i)));
                    gap = gap.or(batch.gap);
                    cursor = batch.next.or(cursor);
                    walk = batch.walk;
                    if walk.is_none() {
                        break;
                    }
                }
                Err(error) => {
                    assert_eq!(error.class(), "transient", "{error:?}");
                    walk = None;
                }
            }
        }
        // Our own posts have told meanwhile where it stands: the next walk asks again.
        assert_eq!(items[&item_id(answer)].post_id, None, "{status}");
        let next = fetch_all(&mastodon, cursor.as_ref()).await.unwrap();
        let post =
            next.items[&item_id(answer)].post_id.as_ref().map(|post| post.as_str().to_owned());
        assert_eq!(post, Some(bad.to_string()), "{status}");
        assert!(items.contains_key(&item_id(quiet)), "{status}: what stands elsewhere is read");
        assert!(gap.unwrap().contains(&bad.to_string()), "{status}: the gap names the thread");
    }
}

/// Eighty people name us in one thread that its server never gives.
#[tokio::test]
async fn threads_that_are_not_given_hold_up_nothing_else() {
    let Stage { fake, mastodon, clock } = stage(Manners::default()).await;
    let first = fetch_all(&mastodon, None).await.unwrap();
    clock.advance(SignedDuration::from_mins(1));
    let huge = fake.post("3", "Säg vad ni vill", None, "public");
    let named: Vec<_> =
        (0..80).map(|n| fake.post(KIM, &format!("@kommunen {n}"), Some(huge), "public")).collect();
    for answer in &named {
        fake.break_thread(*answer, 503);
    }
    let good = fake.post(ME, "Biblioteket flyttar", None, "public");
    let quiet = fake.post(KIM, "Utan namn", Some(good), "public");
    let all = fetch_all(&mastodon, first.cursor.as_ref()).await.expect("no step fails");
    assert!(all.items.contains_key(&item_id(quiet)));
    let placed = |item: &FetchedItem| item.post_id.is_some() || item.page.is_some();
    assert!(named.iter().all(|answer| !placed(&all.items[&item_id(*answer)])));
    // Where they stand is asked again, a few at a time, and told when the server gives it.
    for answer in &named {
        fake.mend_thread(*answer);
    }
    let (mut cursor, mut known) = (all.cursor, 0);
    for _ in 0..10 {
        clock.advance(SignedDuration::from_mins(1));
        let next = fetch_all(&mastodon, cursor.as_ref()).await.unwrap();
        known +=
            named.iter().filter(|id| next.items.get(&item_id(**id)).is_some_and(placed)).count();
        cursor = next.cursor.or(cursor);
    }
    assert!(known >= named.len(), "{known}");
}

#[tokio::test]
async fn an_author_who_blocks_us_has_not_deleted_anything() {
    let Stage { fake, mastodon, .. } = stage(Manners::default()).await;
    let post = fake.post(ME, "Badet öppnar", None, "public");
    let answer = fake.post(KIM, "@kommunen usch", Some(post), "public");
    let message = fake.post(KIM, "@kommunen mellan oss", None, "direct");
    let all = fetch_all(&mastodon, None).await.unwrap();
    let [answer, message] = [answer, message].map(|id| ItemAddress::from(&all.items[&item_id(id)]));
    fake.block(KIM);
    let read = mastodon.read_live(&answer).await.unwrap();
    assert!(
        matches!(read, LiveReading::NotReadable { why } if why.contains("blockerar")),
        "{read:?}"
    );
    let read = mastodon.read_live(&message).await.unwrap();
    assert!(matches!(read, LiveReading::NotReadable { .. }), "{read:?}");
    fake.remove(&answer.platform_id).await;
    assert_eq!(mastodon.read_live(&answer).await, Ok(LiveReading::Gone));
}

#[tokio::test]
async fn an_answer_goes_to_its_person_and_no_wider() {
    let Stage { fake, mastodon, .. } = stage(Manners::default()).await;
    let post = fake.post(ME, "Badet öppnar", None, "public");
    let table = [
        ("public", Some(post), "unlisted"),
        ("direct", None, "direct"),
        ("private", None, "direct"),
    ];
    for (audience, parent, wanted) in table {
        let id = fake.post(KIM, "@kommunen fråga", parent, audience);
        let all = fetch_all(&mastodon, None).await.unwrap();
        let item = ItemAddress::from(&all.items[&item_id(id)]);
        let sent = mastodon.reply(&item, "Svar", "nyckel").await.unwrap();
        let Receipt::Done(answer) = sent else { panic!("{sent:?}") };
        let answer = fake.status(answer.parse().unwrap());
        assert_eq!(
            (answer.visibility.as_str(), answer.text.as_str()),
            (wanted, "@kim@annan.example Svar")
        );
        // The same key never makes two.
        let again = mastodon.reply(&item, "Svar", "nyckel").await.unwrap();
        assert_eq!(again, Receipt::Done(answer.id.to_string()));
        fake.forget_keys();
    }
}

#[tokio::test]
async fn an_answer_before_more_people_than_asked_for_is_an_alarm() {
    let Stage { fake, mastodon, .. } = stage(Manners { opens: true, ..Manners::default() }).await;
    let id = fake.post(KIM, "@kommunen mellan oss", None, "direct");
    let all = fetch_all(&mastodon, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&item_id(id)]);
    let error = mastodon.reply(&item, "Svar", "nyckel").await.unwrap_err();
    assert_eq!(error.class(), "contract");
    assert!(error.may_have_acted());
}

#[tokio::test]
async fn only_what_is_our_own_is_deleted() {
    let Stage { fake, mastodon, .. } = stage(Manners::default()).await;
    let post = fake.post(ME, "Badet öppnar", None, "public");
    let theirs = fake.post(KIM, "När då?", Some(post), "public");
    let ours = fake.post(ME, "@kim@annan.example I maj", Some(theirs), "public");
    let all = fetch_all(&mastodon, None).await.unwrap();
    let address = |id: u64| ItemAddress::from(&all.items[&item_id(id)]);
    let refused = mastodon.delete(RemovalWarrant::for_test(address(theirs))).await.unwrap_err();
    assert_eq!(refused.class(), "refused");
    assert!(!fake.calls().iter().any(|call| call.starts_with("DELETE")), "it was not tried");
    assert!(all.items[&item_id(ours)].barred.is_empty());
    assert_eq!(all.items[&item_id(ours)].text, "I maj");
    let done = mastodon.delete(RemovalWarrant::for_test(address(ours))).await;
    assert_eq!(done, Ok(Receipt::Done("deleted".into())));
    let again = mastodon.delete(RemovalWarrant::for_test(address(ours))).await;
    assert_eq!(again, Err(PlatformError::Gone));
}

#[tokio::test]
async fn a_report_names_post_and_person_and_reaches_their_server() {
    let Stage { fake, mastodon, .. } = stage(Manners::default()).await;
    let id = fake.post(KIM, "@kommunen hot", None, "public");
    let all = fetch_all(&mastodon, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&item_id(id)]);
    assert_eq!(mastodon.report(&item, "Olaga hot").await, Ok(Receipt::Done("9001".into())));
    let report = fake.report();
    assert_eq!(report["account_id"], KIM);
    assert_eq!(report["status_ids"][0], id.to_string());
    assert_eq!((&report["comment"], &report["forward"]), (&"Olaga hot".into(), &true.into()));
    let error = mastodon.report(&item, &"å".repeat(1_001)).await.unwrap_err();
    assert!(error.swedish().contains("1000 tecken"), "{}", error.swedish());
}

/// A parked domain answers 404 to everything; that must not close anybody's case.
#[tokio::test]
async fn a_server_that_is_not_there_does_not_make_posts_gone() {
    let Stage { fake, mastodon, .. } = stage(Manners::default()).await;
    let id = fake.post(KIM, "@kommunen hej", None, "public");
    let all = fetch_all(&mastodon, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&item_id(id)]);
    fake.instead(404, "<html>Domänen är till salu</html>", 2);
    let error = mastodon.read_live(&item).await.unwrap_err();
    assert_eq!(error.class(), "contract");
    fake.instead(401, "", 1);
    assert_eq!(mastodon.read_live(&item).await.unwrap_err().class(), "reauth_needed");
    assert!(matches!(mastodon.read_live(&item).await, Ok(LiveReading::Present(_))));
}

#[tokio::test]
async fn the_last_tenth_of_the_limit_is_left_to_editors() {
    let Stage { fake, mastodon, clock } =
        stage(Manners { limit: Some(100), ..Manners::default() }).await;
    let id = fake.post(KIM, "@kommunen hej", None, "public");
    let all = fetch_all(&mastodon, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&item_id(id)]);
    let held = loop {
        if let Err(error) = mastodon.fetch(all.cursor.as_ref(), None).await {
            break error;
        }
    };
    let PlatformError::Throttled { until, lane, .. } = held else { panic!("{held:?}") };
    assert_eq!((until, lane), (at("2026-11-21T12:05:00.5Z"), Lane::Call));
    assert!(mastodon.read_live(&item).await.is_ok(), "a person's act goes through");
    clock.advance(SignedDuration::from_mins(6));
    fake.refill();
    assert!(mastodon.fetch(all.cursor.as_ref(), None).await.is_ok());
}

#[tokio::test]
async fn what_the_token_lacks_is_named_with_its_mend() {
    let Stage { fake, mastodon, .. } = stage(Manners::default()).await;
    let whole = mastodon.check().await.unwrap();
    assert_eq!((whole.acting_as.as_str(), whole.missing.len()), ("@kommunen", 0));
    fake.set_scopes(&["read", "profile"]);
    let missing = mastodon.check().await.unwrap().missing;
    assert_eq!(missing.len(), 2, "{missing:?}");
    assert!(missing[0].contains("write:statuses") && missing[0].contains("Utveckling"));
    assert_eq!(mastodon.capabilities().longest_reply.map(|limit| limit.most), Some(500));
    mastodon.fetch(None, None).await.unwrap();
    assert_eq!(mastodon.capabilities().longest_reply.map(|limit| limit.most), Some(968));
}

#[tokio::test]
async fn one_damaged_element_does_not_hide_the_others() {
    let Stage { fake, mastodon, clock } = stage(Manners::default()).await;
    let first = fetch_all(&mastodon, None).await.unwrap();
    clock.advance(SignedDuration::from_mins(1));
    let whole = fake.notification(fake.post(KIM, "@kommunen hel", None, "public"));
    let page = format!(
        r#"[{{"id":"5","type":"mention","status":{{"id":"../x","content":"a","account":{{"id":"1"}}}}}},
            {{"id":"6","type":"mention","status":null}}, {{"id":"7","type":"poll"}}, {{"type":"mention"}}, {whole}]"#
    );
    fake.instead(200, page, 1);
    let batch = mastodon.fetch(first.cursor.as_ref(), None).await.unwrap();
    let texts: Vec<_> = batch.items.iter().map(|item| item.text.as_str()).collect();
    assert_eq!(texts, ["@kommunen hel"]);
    let places: Vec<_> = batch.unreadable.iter().map(|element| element.place.as_str()).collect();
    assert_eq!(places, ["notifications, element 1", "notifications, element 4"]);
}

fn read(status: &str) -> crate::domain::item::FetchedItem {
    let status: Status = json::decode(status).unwrap();
    status.into_item(b"raw", &Id::new("1").unwrap(), None)
}

#[test]
fn a_post_is_read_with_all_that_is_given() {
    let item = read(
        r##"{"id":117000000000000002,"uri":"https://annan.example/users/kim/statuses/117","url":null,
        "created_at":"2026-07-23T07:49:01.940Z","edited_at":"2026-07-23T08:00:00Z","in_reply_to_id":"117000000000000001",
        "content":"<p><span class=\"h-card\"><a href=\"https://s.example/@kommunen\" class=\"u-url mention\">@<span>kommunen</span></a></span> Se <a href=\"https://bluff.example/\">gratis</a> &amp; <script>alert(1)</script>3 &lt; 5</p><p>Rad två<br>tre</p>",
        "spoiler_text":"Varning","visibility":"public","mentions":[{"url":"https://s.example/@kommunen"}],"tags":null,
        "account":{"id":"55001","acct":"kim@annan.example","display_name":"Kim","url":"javascript:alert(1)"},
        "media_attachments":[{"id":"6","type":"image","url":null,"remote_url":"https://m.example/1.png","description":"Ett hus"}],
        "poll":{"options":[{"title":"Ja"},{"title":"Nej"}]}}"##,
    );
    assert_eq!(
        item.text,
        "Varning\n\n@kommunen Se gratis (https://bluff.example/) & alert(1)3 < 5\n\nRad två\ntre\n\nJa\nNej"
    );
    assert_eq!(item.platform_id.as_str(), "117000000000000002");
    assert_eq!(item.author.handle.as_deref(), Some("kim@annan.example"));
    assert_eq!(item.author.url, None, "only links to the web are links");
    assert_eq!(item.permalink.unwrap().url, "https://annan.example/users/kim/statuses/117");
    assert_eq!(item.attachments[0].name.as_deref(), Some("Ett hus (6)"));
    assert_eq!(item.attachments[0].url.as_deref(), Some("https://m.example/1.png"));
    assert_eq!(item.edited_at, Some(at("2026-07-23T08:00:00Z")));
}

#[test]
fn a_picture_replaced_by_another_is_another_version() {
    let with = |id: &str| {
        read(&format!(
            r#"{{"id":"2","content":"Se","visibility":"public","account":{{"id":"2"}},
            "media_attachments":[{{"id":{id},"type":"image","url":"https://m.example/1.png"}}]}}"#
        ))
        .content_hash()
    };
    assert_ne!(with("\"66001\""), with("\"66002\""));
    assert_eq!(with("\"66001\""), with("66001"), "however it is written");
    let hash = "135ac71a48f01b0941d7b73d858dabe0";
    let moving = |time: &str| with(&format!("\"{time}{hash}_0\""));
    assert_eq!(moving("1795324512"), moving("1795324518"), "an id that moves is held still");
}

/// A link that only looks like a name keeps its target in sight.
#[test]
fn a_link_dressed_as_a_name_shows_where_it_leads() {
    let item = read(
        r#"{"id":"2","content":"<a href=\"https://bluff.example/\" class=\"mention\">@kommunen</a>","visibility":"public",
        "mentions":[{"url":"https://s.example/@kommunen"}],"account":{"id":"2"}}"#,
    );
    assert_eq!(item.text, "@kommunen (https://bluff.example/)");
}

#[test]
fn an_id_that_moves_with_each_edit_is_held_still() {
    let table = [
        (
            "1795324512135ac71a48f01b0941d7b73d858dabe0",
            Some("0000000000135ac71a48f01b0941d7b73d858dabe0"),
        ),
        (
            "1795324518135ac71a48f01b0941d7b73d858dabe0",
            Some("0000000000135ac71a48f01b0941d7b73d858dabe0"),
        ),
        ("117000000000000002", Some("117000000000000002")),
        ("01HZ-x_9", Some("01HZ-x_9")),
        ("../admin", None),
        ("1?x=1", None),
        ("", None),
        ("１", None),
    ];
    for (given, expected) in table {
        assert_eq!(Id::new(given).as_ref().map(Id::as_str), expected, "{given}");
    }
    assert_eq!(Id::new(&"1".repeat(129)), None);
}

#[test]
fn every_error_of_the_sheet_has_its_class() {
    let reset = ("x-ratelimit-reset", "2026-11-21T12:03:00.123456Z");
    let absurd = ("x-ratelimit-reset", "2036-11-21T12:03:00Z");
    let said = r#"{"error":"x"}"#;
    let table = [
        (400, said, vec![]),
        (401, said, vec![]),
        (401, "", vec![]),
        (403, said, vec![]),
        (403, "<html>", vec![]),
        (404, said, vec![]),
        (410, said, vec![]),
        (422, said, vec![]),
        (429, said, vec![]),
        (429, said, vec![reset]),
        (429, said, vec![reset, ("retry-after", "300")]),
        (429, said, vec![absurd]),
        (500, said, vec![]),
        (503, said, vec![("retry-after", "60")]),
    ];
    let mut lines = String::new();
    for (status, body, headers) in table {
        let error = fault(&answer(status, body, &headers));
        lines += &line(&format!("{status} {body} {headers:?}"), &error);
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn only_the_id_is_taken_from_a_link() {
    let id = |text| Older::Than(Id::new(text).unwrap());
    let table = [
        (None, Older::Untold),
        (
            Some(
                r#"<https://s.example/x?limit=2&max_id=77>; rel="next", <https://s.example/x?min_id=99>; rel="prev""#,
            ),
            id("77"),
        ),
        (Some(r#"<https://s.example/x?min_id=99>; rel="prev""#), Older::None),
        (Some(r#"<https://s.example/x?max_id=../7>; rel="next""#), Older::Untold),
        (Some(r#"<https://s.example/x?page=2>; rel="next""#), Older::Untold),
    ];
    for (header, expected) in table {
        let headers: Vec<_> = header.map(|value| ("link", value)).into_iter().collect();
        assert_eq!(older(&answer(200, "[]", &headers)), expected, "{header:?}");
    }
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(8, async |storm| {
        let Stage { fake, mastodon, clock } = stage(Manners::default()).await;
        fake.post(ME, "Badet öppnar", None, "public");
        storm.rage(Arc::new(mastodon), &fake, &fake, &clock).await;
    });
}

#[tokio::test]
async fn what_is_reported_on_an_own_server_reaches_its_moderator_once() {
    let Stage { fake, clock, .. } = stage(Manners::default()).await;
    let settings = MastodonSettings {
        server: fake.base().clone(),
        token: Secret::new("hemlig-nyckel"),
        moderator: true,
        limits: false,
        http: HttpSettings::loopback(),
    };
    let moderator = Mastodon::new(settings, clock.clock()).unwrap();
    let posts: Vec<_> =
        (0..95).map(|n| fake.post(KIM, &format!("Inlägg {n}"), None, "public")).collect();
    posts.iter().for_each(|id| fake.tell_moderators(*id));
    // Without the right everything else is read, and the check says what is missing.
    let mention = fake.post(KIM, "@kommunen hej", None, "public");
    let all = fetch_all(&moderator, None).await.unwrap();
    assert_eq!(all.items.keys().collect::<Vec<_>>(), [&item_id(mention)]);
    let missing = moderator.check().await.unwrap().missing;
    assert!(missing.iter().any(|line| line.contains("admin:read:reports")), "{missing:?}");
    fake.set_scopes(&["read", "write:statuses", "write:reports", "admin:read:reports"]);
    assert_eq!(moderator.check().await.unwrap().missing, Vec::<String>::new());
    let all = fetch_all(&moderator, all.cursor.as_ref()).await.unwrap();
    assert!(posts.iter().all(|id| all.items.contains_key(&item_id(*id))), "on every page");
    let raw = &all.items[&item_id(posts[0])].raw;
    assert!(!String::from_utf8_lossy(raw).contains("tycker illa"), "who reported stays there");
    let later = fake.post(KIM, "Ett till", None, "public");
    fake.tell_moderators(later);
    let all = fetch_all(&moderator, all.cursor.as_ref()).await.unwrap();
    assert!(all.items.contains_key(&item_id(later)) && !all.items.contains_key(&item_id(posts[0])));
    assert!(moderator.capabilities().hide.words().contains("serverns administration"));
}

#[tokio::test]
async fn an_author_is_limited_on_an_own_server_only_where_the_settings_say_so() {
    let Stage { fake, mastodon, clock } = stage(Manners::default()).await;
    let settings = MastodonSettings {
        server: fake.base().clone(),
        token: Secret::new("hemlig-nyckel"),
        moderator: true,
        limits: true,
        http: HttpSettings::loopback(),
    };
    let limiting = Mastodon::new(settings, clock.clock()).unwrap();
    fake.set_scopes(&["read", "write:statuses", "write:reports", "admin:read:reports"]);
    let missing = limiting.check().await.unwrap().missing;
    assert!(missing.iter().any(|line| line.contains("admin:write:accounts")), "{missing:?}");
    fake.set_scopes(&[
        "read",
        "write:statuses",
        "write:reports",
        "admin:read:reports",
        "admin:write",
    ]);
    assert_eq!(limiting.check().await.unwrap().missing, Vec::<String>::new());
    assert!(limiting.capabilities().hide_effect.contains("hela konto"), "said before the click");

    fake.fill(1);
    let post = fake.post(KIM, "@kommunen ord", None, "public");
    let other = fake.post(KIM, "@kommunen andra ord", None, "public");
    [post, other].iter().for_each(|id| fake.tell_moderators(*id));
    let all = fetch_all(&mastodon, None).await.unwrap();
    let item = ItemAddress::from(&all.items[&item_id(post)]);
    let answer = mastodon.hide(RemovalWarrant::for_test(item.clone())).await;
    assert_eq!(answer, PlatformError::not_offered("hide"), "elsewhere nobody is limited");
    let done = limiting.hide(RemovalWarrant::for_test(item.clone())).await;
    assert_eq!(done, Ok(Receipt::Done("hidden".into())));
    assert_eq!(fake.n_reported(), 1, "the report of that post is settled, and no other");
    assert_eq!(limiting.unhide(&item).await, Ok(Receipt::Done("visible".into())));
    conformance::hiding_is_idempotent(&limiting, &fake, &RemovalWarrant::for_test).await;
    let own = fake.post(ME, "Vårt eget", Some(post), "public");
    let own = ItemAddress { platform_id: item_id(own), ..item };
    let answer = limiting.hide(RemovalWarrant::for_test(own)).await.unwrap_err();
    assert_eq!(answer.class(), "refused", "never the authority's own account");
}
