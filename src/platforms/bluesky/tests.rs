//! The connector against the simulator.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::domain::action::ActionKind;
use crate::domain::ids::{Cursor, PlatformItemId};
use crate::domain::item::{FetchedItem, ItemKind, LiveReading, Presence};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::bluesky::Bluesky;
use crate::platforms::bluesky::session::fault;
use crate::platforms::bluesky::wire::{Around, Post, Uri};
use crate::platforms::conformance::{self, Collected, World as _, fetch_all};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::settings::BlueskySettings;
use crate::platforms::simulate::bluesky::{KIM, ME, Options, Simulator};
use crate::platforms::simulate::faults::{Fault, Faults};
use crate::platforms::testing::{self, NOW, answer, at, line};
use crate::platforms::{Platform, Receipt, Sought, json};
use crate::runtime::clock::TestClock;
use crate::runtime::secret::Secret;

mod lexicons;
#[cfg(feature = "real-servers")]
mod real;

struct Stage {
    simulator: Simulator,
    bluesky: Bluesky,
    clock: TestClock,
}

async fn stage_with(options: Options) -> Stage {
    let clock = TestClock::at(at(NOW));
    let simulator = Simulator::start(options, clock.clock()).await.unwrap();
    let bluesky = Bluesky::new(simulator.settings(), clock.clock()).unwrap();
    Stage { simulator, bluesky, clock }
}

async fn stage() -> Stage {
    stage_with(Options::default()).await
}

fn warrant(item: &ItemAddress) -> RemovalWarrant {
    RemovalWarrant::for_test(item.clone())
}

async fn live(bluesky: &Bluesky, item: &ItemAddress) -> FetchedItem {
    match bluesky.read_live(item).await.unwrap() {
        LiveReading::Present(item) => *item,
        other => panic!("{other:?}"),
    }
}

/// A post of ours and an answer to it, as fetched.
async fn answered(stage: &Stage) -> (String, ItemAddress) {
    let post = stage.simulator.post(ME, "Badet öppnar", None);
    let comment = stage.simulator.post(KIM, "Skamligt!", Some(&post));
    let all = fetch_all(&stage.bluesky, None).await.unwrap();
    let found = all.items.values().find(|item| item.platform_id.as_str() == comment);
    (post, ItemAddress::from(found.unwrap()))
}

#[tokio::test]
async fn the_connector_keeps_every_promise() {
    let Stage { simulator, bluesky, .. } = stage().await;
    simulator.fill(3);
    conformance::everything(&bluesky, &simulator, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn it_keeps_them_over_many_pages() {
    let Stage { simulator, bluesky, .. } = stage().await;
    simulator.fill(170);
    for n in 0..110 {
        simulator.post(ME, &format!("Eget inlägg {n}"), None);
    }
    conformance::reading_holds(&bluesky, &simulator).await;
}

/// One level of a thread at a time, and a token that keeps running out.
#[tokio::test]
async fn it_keeps_them_on_a_server_that_shows_little() {
    let Stage { simulator, bluesky, .. } =
        stage_with(Options { deepest: 1, ..Options::default() }).await;
    simulator.fill(20);
    let mut above = simulator.post(ME, "Högst upp", None);
    for n in 0..12 {
        above = simulator.post(KIM, &format!("Nivå {n}"), Some(&above));
        simulator.expire();
    }
    conformance::everything(&bluesky, &simulator, &RemovalWarrant::for_test).await;
}

#[tokio::test]
async fn answers_mentions_and_quotes_are_told_apart() {
    let Stage { simulator, bluesky, .. } = stage().await;
    let post = simulator.post(ME, "Badet öppnar", None);
    let comment = simulator.post(KIM, "När då?", Some(&post));
    let nested = simulator.post(KIM, "Och hur länge?", Some(&comment));
    let mention = simulator.post(KIM, "Hallå @exempelstad.example", None);
    let quote = simulator.quote(KIM, "Titta här", &post);
    let elsewhere = simulator.post(KIM, "Jag talar med mig själv", Some(&mention));
    let all = fetch_all(&bluesky, None).await.unwrap();
    let item = |uri: &str| all.items.values().find(|item| item.platform_id.as_str() == uri);
    let kind = |uri: &str| item(uri).map(|item| item.kind);
    assert_eq!(kind(&comment), Some(ItemKind::Comment));
    assert_eq!(kind(&nested), Some(ItemKind::Reply));
    assert_eq!(kind(&mention), Some(ItemKind::Mention));
    assert_eq!(kind(&quote), Some(ItemKind::Mention));
    assert_eq!(kind(&elsewhere), None, "what neither names us nor answers us is not ours to read");
    let (comment, nested) = (item(&comment).unwrap(), item(&nested).unwrap());
    assert_eq!(nested.parent_id.as_ref(), Some(&comment.platform_id));
    assert_eq!(comment.parent_id, None, "the post is no item");
    assert_eq!(nested.post_id.as_ref().map(|id| id.as_str()), Some(post.as_str()));
    assert_eq!(item(&quote).unwrap().attachments[0].name.as_deref(), Some(post.as_str()));
    assert!(comment.barred.is_empty());
    let barred: Vec<_> = item(&mention).unwrap().barred.iter().map(|barred| barred.act).collect();
    assert_eq!(barred, [ActionKind::Hide, ActionKind::Unhide]);
    let link = &comment.permalink.as_ref().unwrap().url;
    let rkey = comment.platform_id.as_str().rsplit('/').next().unwrap();
    assert!(link.ends_with(&format!("/profile/{KIM}/post/{rkey}")), "{link}");
    let page = reqwest::get(link).await.unwrap();
    assert_eq!(page.headers()["x-uppsikt-simulator"], "bluesky");
    assert!(page.text().await.unwrap().contains("När då?"));
}

/// Deep answers and those under a hidden one are told to nobody.
#[tokio::test]
async fn answers_that_nobody_is_told_of_are_found_in_their_thread() {
    let stage = stage().await;
    let (_, hidden) = answered(&stage).await;
    let Stage { simulator, bluesky, clock } = stage;
    bluesky.hide(warrant(&hidden)).await.unwrap();
    let before = fetch_all(&bluesky, None).await.unwrap();
    clock.advance(SignedDuration::from_mins(6));
    let mut above = hidden.platform_id.to_string();
    for n in 0..4 {
        above = simulator.post(KIM, &format!("Djupare {n}"), Some(&above));
    }
    let after = fetch_all(&bluesky, before.cursor.as_ref()).await.unwrap();
    let found = after.items.values().find(|item| item.platform_id.as_str() == above);
    assert_eq!(found.unwrap().text, "Djupare 3");
}

#[tokio::test]
async fn a_walk_goes_back_as_far_as_its_overlap_and_no_further() {
    let Stage { simulator, bluesky, clock } = stage().await;
    simulator.fill(150);
    let first = fetch_all(&bluesky, None).await.unwrap();
    assert_eq!(first.items.len(), 300);
    clock.advance(SignedDuration::from_mins(20));
    let calls = simulator.calls().len();
    let second = fetch_all(&bluesky, first.cursor.as_ref()).await.unwrap();
    let told =
        |calls: &[String]| calls.iter().filter(|call| call.ends_with("listNotifications")).count();
    assert_eq!(told(&simulator.calls()[calls..]), 3, "what was seen is only just old enough");
    simulator.post(KIM, "@exempelstad.example ny", None);
    let calls = simulator.calls().len();
    let third = fetch_all(&bluesky, second.cursor.as_ref()).await.unwrap();
    assert!(third.items.values().any(|item| item.text == "@exempelstad.example ny"));
    clock.advance(SignedDuration::from_mins(20));
    let fourth = fetch_all(&bluesky, third.cursor.as_ref()).await.unwrap();
    assert!(told(&simulator.calls()[calls..]) <= 6);
    assert!(fourth.items.len() < 301, "not everything again");
}

/// Fetches as intake does, through failures that may pass.
async fn fetch_through(bluesky: &Bluesky, cursor: Option<&Cursor>) -> (Collected, Option<String>) {
    let (mut all, mut gap, mut walk) = (Collected::default(), None, None);
    all.cursor = cursor.cloned();
    for _ in 0..60 {
        let batch = match bluesky.fetch(all.cursor.as_ref(), walk.as_ref()).await {
            Ok(batch) => batch,
            Err(error) => {
                assert_eq!(error.class(), "transient", "{error:?}");
                walk = None;
                continue;
            }
        };
        all.items.extend(batch.items.into_iter().map(|item| (item.platform_id.clone(), item)));
        all.cursor = batch.next.or(all.cursor);
        gap = gap.or(batch.gap);
        walk = batch.walk;
        if walk.is_none() {
            return (all, gap);
        }
    }
    panic!("one look-up that fails has stopped the account");
}

/// One thread, or the record beside it, that the platform never answers for.
#[tokio::test]
async fn one_look_up_that_fails_does_not_stop_the_account() {
    for status in [400, 500] {
        let Stage { simulator, bluesky, .. } = stage().await;
        let bad = simulator.post(ME, "Badet öppnar", None);
        let under_bad = simulator.post(KIM, "Under det trasiga", Some(&bad));
        let good = simulator.post(ME, "Biblioteket flyttar", None);
        let mut deep = good.clone();
        for n in 0..4 {
            deep = simulator.post(KIM, &format!("Djupt {n}"), Some(&deep));
        }
        simulator.break_look_up(bad.rsplit('/').next().unwrap(), status);
        let (all, gap) = fetch_through(&bluesky, None).await;
        let item = |uri: &str| all.items.values().find(|item| item.platform_id.as_str() == uri);
        assert!(item(&deep).is_some(), "{status}: what stands elsewhere is read");
        assert_eq!(item(&under_bad).unwrap().presence, Presence::Unknown, "{status}");
        let key = bad.rsplit('/').next().unwrap();
        assert!(gap.unwrap().contains(key), "{status}: the gap names the thread");
        assert!(all.cursor.is_some());
    }
}

/// The network sorts by the earlier of the author's date and its own.
#[tokio::test]
async fn a_mention_with_an_old_date_is_found_within_the_hour_and_deep_down_within_the_day() {
    for (n, after) in [(60, SignedDuration::from_mins(61)), (600, SignedDuration::from_hours(25))] {
        let Stage { simulator, bluesky, clock } = stage().await;
        simulator.fill(n);
        clock.advance(SignedDuration::from_hours(24 * 20));
        simulator.post(KIM, "@exempelstad.example i dag", None);
        let first = fetch_all(&bluesky, None).await.unwrap();
        clock.advance(SignedDuration::from_mins(1));
        let text = "@exempelstad.example jag vet var du bor";
        let old = simulator.post_dated(KIM, text, None, "2010-01-01T00:00:00Z");
        clock.advance(after);
        let second = fetch_all(&bluesky, first.cursor.as_ref()).await.unwrap();
        let found = second.items.keys().any(|id| id.as_str() == old);
        assert!(found, "{n}: among {}", second.items.len());
    }
}

/// Whoever blocks us is shown nowhere any more, and has still written what they wrote.
#[tokio::test]
async fn an_author_who_blocks_us_does_not_take_the_answer_away() {
    let stage = stage().await;
    let (post, item) = answered(&stage).await;
    let Stage { simulator, bluesky, .. } = stage;
    simulator.block(KIM);
    let read = bluesky.read_live(&item).await.unwrap();
    assert!(
        matches!(read, LiveReading::NotReadable { why } if why.contains("blockera")),
        "{read:?}"
    );
    assert_eq!(bluesky.hide(warrant(&item)).await, Ok(Receipt::Done("hidden".into())));
    assert_eq!(simulator.gate(&post).unwrap()["hiddenReplies"][0], item.platform_id.as_str());
    assert_eq!(bluesky.unhide(&item).await, Ok(Receipt::Done("visible".into())));
    let refused = bluesky.reply(&item, "Hej!", "svar-1").await.unwrap_err();
    assert!(refused.swedish().contains("blockerat"), "{refused:?}");
    simulator.remove(&item.platform_id).await;
    assert_eq!(bluesky.read_live(&item).await, Ok(LiveReading::Gone));
}

#[tokio::test]
async fn one_that_cannot_be_read_again_leaves_the_others_readable() {
    let Stage { simulator, bluesky, .. } = stage().await;
    let (bad, good) = (simulator.post(ME, "Ett", None), simulator.post(ME, "Två", None));
    let bad_answer = simulator.post(KIM, "Under det trasiga", Some(&bad));
    let good_answer = simulator.post(KIM, "Under det hela", Some(&good));
    let all = fetch_all(&bluesky, None).await.unwrap();
    let address = |uri: &str| {
        let found = all.items.values().find(|item| item.platform_id.as_str() == uri);
        ItemAddress::from(found.unwrap())
    };
    let mut damaged = address(&good_answer);
    damaged.platform_id = PlatformItemId::new("ingen adress");
    let asked = [address(&bad_answer), address(&good_answer), damaged];
    simulator.break_look_up(bad.rsplit('/').next().unwrap(), 500);
    let readings = bluesky.read_live_many(&asked).await.unwrap();
    assert_eq!(readings[0].as_ref().unwrap_err().class(), "transient");
    assert!(matches!(readings[1], Ok(LiveReading::Present(_))), "{:?}", readings[1]);
    assert_eq!(readings[2].as_ref().unwrap_err().class(), "contract");
}

/// The text stays as it is, and what hangs on it is another.
#[tokio::test]
async fn an_edit_of_a_link_or_of_what_is_unknown_is_another_version() {
    let link = |uri: &str| {
        json!([{"index": {"byteStart": 0, "byteEnd": 4},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": uri}]}])
    };
    let card = |uri: &str| {
        json!({"$type": "app.bsky.embed.external",
            "external": {"uri": uri, "title": "Badet", "description": ""}})
    };
    let unknown = |what: &str| json!({"$type": "app.bsky.embed.ny", "vad": what});
    let table = [
        ("facets", link("https://ett.example/"), link("https://annat.example/")),
        ("embed", card("https://ett.example/"), card("https://annat.example/")),
        ("embed", unknown("ett"), unknown("annat")),
    ];
    for (field, before, after) in table {
        let stage = stage().await;
        let (_, item) = answered(&stage).await;
        stage.simulator.amend(item.platform_id.as_str(), field, before.clone());
        let first = live(&stage.bluesky, &item).await;
        stage.simulator.amend(item.platform_id.as_str(), field, after);
        let second = live(&stage.bluesky, &item).await;
        assert_eq!(first.text, second.text);
        assert_ne!(first.content_hash(), second.content_hash(), "{before}");
    }
}

#[tokio::test]
async fn an_edit_is_another_version_under_the_same_address() {
    let stage = stage().await;
    let (_, item) = answered(&stage).await;
    let before = live(&stage.bluesky, &item).await;
    stage.simulator.edit(&item.platform_id, "Mycket skamligt!").await;
    let after = live(&stage.bluesky, &item).await;
    assert_eq!(after.text, "Mycket skamligt!");
    assert_eq!(after.platform_id, before.platform_id);
    assert_ne!(after.content_hash(), before.content_hash());
    assert_eq!(after.edited_at, None, "the platform does not say when");
}

#[tokio::test]
async fn what_its_author_deleted_is_told_as_gone_even_where_answers_stand_under_it() {
    let stage = stage().await;
    let (_, item) = answered(&stage).await;
    let Stage { simulator, bluesky, clock } = stage;
    let below = simulator.post(KIM, "Håller med", Some(item.platform_id.as_str()));
    let before = fetch_all(&bluesky, None).await.unwrap();
    simulator.remove(&item.platform_id).await;
    clock.advance(SignedDuration::from_mins(6));
    let after = fetch_all(&bluesky, before.cursor.as_ref()).await.unwrap();
    assert!(after.gone.contains(&item.platform_id));
    assert_eq!(bluesky.read_live(&item).await, Ok(LiveReading::Gone));
    let below = before.items.values().find(|item| item.platform_id.as_str() == below).unwrap();
    let thread = bluesky.read_thread(&below.into()).await.unwrap();
    assert!(thread.above.is_empty() && thread.missing.unwrap().contains("borttaget"));
}

/// Who may answer is left as it is: an empty rule would shut the thread for everybody.
#[tokio::test]
async fn hiding_changes_the_list_of_hidden_answers_and_nothing_else() {
    let stage = stage().await;
    let (post, item) = answered(&stage).await;
    let Stage { simulator, bluesky, .. } = stage;
    assert_eq!(bluesky.hide(warrant(&item)).await, Ok(Receipt::Done("hidden".into())));
    let gate = simulator.gate(&post).unwrap();
    assert_eq!(gate["hiddenReplies"], json!([item.platform_id.as_str()]));
    assert_eq!((&gate["post"], gate.get("allow")), (&Value::from(post.as_str()), None));
    let rules = json!({
        "$type": "app.bsky.feed.threadgate", "post": post, "createdAt": "2026-01-01T00:00:00Z",
        "allow": [{"$type": "app.bsky.feed.threadgate#mentionRule"}], "eget": 1,
        "hiddenReplies": ["at://did:plc:annan/app.bsky.feed.post/3annan", item.platform_id.as_str()],
    });
    simulator.set_gate(&post, rules.clone());
    assert_eq!(live(&bluesky, &item).await.presence, Presence::Hidden);
    assert_eq!(bluesky.hide(warrant(&item)).await, Ok(Receipt::AlreadySo("hidden".into())));
    assert_eq!(bluesky.unhide(&item).await, Ok(Receipt::Done("visible".into())));
    let mut expected = rules;
    expected["hiddenReplies"] = json!(["at://did:plc:annan/app.bsky.feed.post/3annan"]);
    assert_eq!(simulator.gate(&post).unwrap(), expected);
}

#[tokio::test]
async fn a_record_changed_meanwhile_is_read_again() {
    let stage = stage().await;
    let (post, item) = answered(&stage).await;
    let Stage { simulator, bluesky, .. } = stage;
    simulator.interfere(2);
    assert_eq!(bluesky.hide(warrant(&item)).await, Ok(Receipt::Done("hidden".into())));
    simulator.interfere(100);
    let error = bluesky.unhide(&item).await.unwrap_err();
    assert_eq!(error.class(), "refused", "it gives up in the end");
    assert_eq!(simulator.gate(&post).unwrap()["hiddenReplies"][0], item.platform_id.as_str());
}

#[tokio::test]
async fn what_cannot_be_hidden_is_refused_before_anything_is_written() {
    let stage = stage().await;
    let (post, item) = answered(&stage).await;
    let Stage { simulator, bluesky, .. } = stage;
    let mention = simulator.post(KIM, "@exempelstad.example hot", None);
    let all = fetch_all(&bluesky, None).await.unwrap();
    let mention = all.items.values().find(|item| item.platform_id.as_str() == mention).unwrap();
    let error = bluesky.hide(warrant(&mention.into())).await.unwrap_err();
    assert!(error.swedish().contains("kontot självt har startat"), "{}", error.swedish());
    let others: Vec<_> =
        (0..300).map(|n| format!("at://did:plc:x/app.bsky.feed.post/{n}")).collect();
    simulator.set_gate(&post, json!({"hiddenReplies": others}));
    let error = bluesky.hide(warrant(&item)).await.unwrap_err();
    assert!(error.swedish().contains("300 dolda svar"), "{}", error.swedish());
    assert!(!simulator.calls().iter().any(|call| call.ends_with("putRecord")));
    assert_eq!(bluesky.delete(warrant(&item)).await, PlatformError::not_offered("delete"));
}

#[tokio::test]
async fn an_answer_stands_in_its_thread_once_whatever_happens_to_the_call() {
    let stage = stage().await;
    let (post, item) = answered(&stage).await;
    let Stage { simulator, bluesky, .. } = stage;
    let text = "Hej! Läs mer på https://exempelstad.example/bad. /Kommunen";
    // Reading what is to be answered goes well; the answer to the writing is lost.
    bluesky.read_live(&item).await.unwrap();
    simulator.fail_next(Fault::LostAnswer, 1);
    let lost = bluesky.reply(&item, text, "svar-1").await.unwrap_err();
    assert!(!lost.may_have_acted(), "it was the reading that was lost: {lost:?}");
    let Receipt::Done(id) = bluesky.reply(&item, text, "svar-1").await.unwrap() else {
        panic!("answered now")
    };
    let record = simulator.record(&id).unwrap();
    assert_eq!(record["reply"]["root"]["uri"], post.as_str());
    assert_eq!(record["reply"]["parent"]["uri"], item.platform_id.as_str());
    assert_eq!(record["facets"][0]["features"][0]["uri"], "https://exempelstad.example/bad");
    let found = bluesky.find_reply(&item, &Sought::ever(text, "svar-1")).await;
    assert_eq!(found, Ok(Some(Receipt::AlreadySo(id.clone()))));
    let again = bluesky.reply(&item, text, "svar-1").await;
    assert_eq!(again, Ok(Receipt::AlreadySo(id)), "the same key never makes two");
    let other = bluesky.reply(&item, "En annan text", "svar-1").await.unwrap_err();
    assert_eq!(other.class(), "refused", "nor overwrites one: {other:?}");
    assert_eq!(bluesky.find_reply(&item, &Sought::ever(text, "svar-2")).await, Ok(None));
    // What was answered may be gone when it has to be found out.
    simulator.remove(&item.platform_id).await;
    assert!(bluesky.find_reply(&item, &Sought::ever(text, "svar-1")).await.unwrap().is_some());
    assert_eq!(bluesky.reply(&item, "Nytt", "svar-3").await, Err(PlatformError::Gone));
    assert_eq!(bluesky.reply(&item, &"å".repeat(301), "n").await.unwrap_err().class(), "refused");
}

#[tokio::test]
async fn a_lost_answer_to_a_write_is_told_as_unknown() {
    let stage = stage().await;
    let (post, item) = answered(&stage).await;
    let Stage { simulator, bluesky, .. } = stage;
    // Two readings (the item, its thread's record), twice, come before the write.
    for nth in 0..8 {
        for _ in 0..nth {
            simulator.fail_next(Fault::Slow(std::time::Duration::ZERO), 1);
        }
        simulator.fail_next(Fault::LostAnswer, 1);
        match bluesky.hide(warrant(&item)).await {
            Ok(receipt) => panic!("the answer was lost: {receipt:?}"),
            Err(error) if error.may_have_acted() => {
                let gate = simulator.gate(&post).unwrap();
                assert_eq!(gate["hiddenReplies"][0], item.platform_id.as_str());
                let again = bluesky.hide(warrant(&item)).await;
                assert_eq!(again, Ok(Receipt::AlreadySo("hidden".into())));
                return;
            }
            Err(_) => assert_eq!(simulator.gate(&post), None, "nothing was written yet"),
        }
    }
    panic!("no write was met");
}

#[tokio::test]
async fn a_login_that_fails_is_not_taken_for_an_act() {
    let Stage { simulator, bluesky, .. } = stage().await;
    for fault in [Fault::ServerError, Fault::HtmlPage, Fault::BrokenJson, Fault::LostAnswer] {
        simulator.fail_next(fault, 1);
        let error = bluesky.fetch(None, None).await.unwrap_err();
        assert_eq!(error.class(), "transient", "{fault:?}: {error:?}");
        assert!(!error.may_have_acted(), "{fault:?}: {error:?}");
    }
    bluesky.fetch(None, None).await.unwrap();
}

#[tokio::test]
async fn a_report_names_the_version_and_goes_to_the_moderation_service() {
    let stage = stage().await;
    let (_, item) = answered(&stage).await;
    let Stage { simulator, bluesky, .. } = stage;
    assert_eq!(bluesky.report(&item, "Olaga hot").await, Ok(Receipt::Done("9001".into())));
    let report = simulator.report().unwrap();
    assert_eq!(report["subject"]["uri"], item.platform_id.as_str());
    assert!(report["subject"]["cid"].as_str().unwrap().starts_with("bafyrei"));
    assert_eq!(report["reason"], "Olaga hot");
    let error = bluesky.report(&item, &"å".repeat(2_001)).await.unwrap_err();
    assert!(error.swedish().contains("2000 tecken"), "{}", error.swedish());
}

fn sessions(simulator: &Simulator) -> [usize; 2] {
    let calls = simulator.calls();
    ["createSession", "refreshSession"]
        .map(|name| calls.iter().filter(|call| call.ends_with(name)).count())
}

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_and_the_password_used_again_only_when_that_fails() {
    let stage = stage().await;
    let (_, item) = answered(&stage).await;
    let Stage { simulator, bluesky, clock } = stage;
    assert_eq!(sessions(&simulator), [1, 0]);
    simulator.expire();
    // Several at once renew but once.
    let (one, two) = tokio::join!(bluesky.read_live(&item), bluesky.read_live(&item));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(sessions(&simulator), [1, 1]);
    simulator.expire();
    bluesky.hide(warrant(&item)).await.expect("an act goes through as well");
    simulator.forget_sessions();
    bluesky.fetch(None, None).await.expect("the password still counts");
    assert_eq!(sessions(&simulator), [2, 3]);
    simulator.forget_sessions();
    simulator.revoke_password();
    let error = bluesky.fetch(None, None).await.unwrap_err();
    assert_eq!(error.class(), "reauth_needed", "{error:?}");
    let wrong = BlueskySettings { password: Secret::new("fel"), ..simulator.settings() };
    let wrong = Bluesky::new(wrong, clock.clock()).unwrap();
    assert_eq!(wrong.check().await.unwrap_err().class(), "reauth_needed");
}

#[tokio::test]
async fn limits_are_kept_as_the_headers_say_and_the_last_tenth_is_left_to_editors() {
    let stage = stage_with(Options { limit: 60, ..Options::default() }).await;
    let (_, item) = answered(&stage).await;
    let Stage { simulator, bluesky, clock } = stage;
    simulator.fail_next(Fault::PageLimit { minutes: 7 }, 1);
    let error = bluesky.fetch(None, None).await.unwrap_err();
    let PlatformError::Throttled { until, lane, .. } = error else { panic!("{error:?}") };
    assert_eq!((until, lane), (at("2026-11-21T12:07:01Z"), Lane::Account));
    let held = loop {
        if let Err(error) = bluesky.fetch(None, None).await {
            break error;
        }
    };
    let PlatformError::Throttled { until, lane, .. } = held else { panic!("{held:?}") };
    assert_eq!((until, lane), (at("2026-11-21T12:05:01Z"), Lane::Call));
    bluesky.read_live(&item).await.expect("a person's act goes through");
    clock.advance(SignedDuration::from_mins(6));
    simulator.refill();
    bluesky.fetch(None, None).await.unwrap();
}

#[tokio::test]
async fn one_damaged_post_does_not_hide_the_others() {
    let Stage { simulator, bluesky, .. } = stage().await;
    let post = simulator.post(ME, "Badet öppnar", None);
    let damaged = simulator.post(KIM, "Trasig", Some(&post));
    let below = simulator.post(KIM, "Under den trasiga", Some(&damaged));
    let whole = simulator.post(KIM, "Hel 😀", Some(&post));
    simulator.damage(
        &damaged,
        json!({
            "text": 7, "reply": {
                "root": {"uri": post, "cid": "x"}, "parent": {"uri": post, "cid": "x"}
            }
        }),
    );
    let all = fetch_all(&bluesky, None).await.unwrap();
    let has = |uri: &str| all.items.keys().any(|id| id.as_str() == uri);
    assert!(has(&whole) && has(&below) && !has(&damaged));
    let places: Vec<_> = all.unreadable.iter().map(|element| element.place.as_str()).collect();
    assert_eq!(places, ["notifications, element 3", "thread, element 2"]);
    for unread in &all.unreadable {
        assert!(String::from_utf8_lossy(&unread.raw).contains(r#""text":7"#), "kept as it came");
        assert!(unread.problem.contains("Blueskys beskrivning"), "{}", unread.problem);
    }
    simulator.fail_next(Fault::BrokenJson, 1);
    let error = bluesky.fetch(None, None).await.unwrap_err();
    assert_eq!(error.class(), "transient", "{error:?}");
}

#[tokio::test]
async fn random_faults_lose_nothing() {
    let kinds = Fault::MILD.iter().copied().filter(|f| !matches!(f, Fault::Slow(_))).collect();
    let faults = Faults { seed: 42, per_thousand: 200, kinds };
    let stage = stage_with(Options { faults, ..Options::default() }).await;
    let Stage { simulator, bluesky, clock } = stage;
    simulator.fill(150);
    testing::random_faults_lose_nothing(&bluesky, &simulator, &clock).await;
}

#[test]
fn a_post_is_read_with_all_that_is_given() {
    let raw = r#"{"uri":"at://did:plc:kim/app.bsky.feed.post/3zzexempel22b","cid":"bafyrei1","likeCount":3,
        "author":{"did":"did:plc:kim","handle":"kim.example","displayName":"Kim","avatar":"https://cdn.example/a"},
        "record":{"$type":"app.bsky.feed.post","text":"Hej \ud83d <b>","createdAt":"2010-01-01T00:00:00Z","langs":["sv"],
          "embed":{"$type":"app.bsky.embed.recordWithMedia","record":{"$type":"app.bsky.embed.record","record":{"uri":"at://did:plc:x/app.bsky.feed.post/3x","cid":"y"}},
            "media":{"$type":"app.bsky.embed.images","images":[
              {"alt":"Ett hus","image":{"$type":"blob","ref":{"$link":"bafkhus"},"mimeType":"image/jpeg","size":5}},
              {"alt":"","image":{"$type":"blob","ref":{"$link":"bafkbil"},"mimeType":"image/png","size":5}}]}}},
        "embed":{"$type":"app.bsky.embed.recordWithMedia#view","media":{"images":[{"fullsize":"https://cdn.example/hus"},{"fullsize":"javascript:alert(1)"}]},"record":{"record":{}}},
        "indexedAt":"2026-07-23T08:35:19.001Z","labels":[]}"#;
    let app = "https://bsky.app/".parse().unwrap();
    let post: Post = json::decode(raw).unwrap();
    let item = post.into_item(raw.as_bytes(), ME, &app, Around::NotOurs);
    assert_eq!(item.text, "Hej \u{FFFD} <b>");
    assert_eq!(item.created_at, Some(at("2026-07-23T08:35:19.001Z")), "not what a program claims");
    assert_eq!(item.created_raw.as_deref(), Some("2026-07-23T08:35:19.001Z"));
    assert_eq!(item.author.handle.as_deref(), Some("kim.example"));
    assert_eq!(item.author.url.as_deref(), Some("https://bsky.app/profile/did:plc:kim"));
    let link = item.permalink.unwrap().url;
    assert_eq!(link, "https://bsky.app/profile/did:plc:kim/post/3zzexempel22b");
    let attached: Vec<_> = item
        .attachments
        .iter()
        .map(|a| (a.kind.as_str(), a.name.as_deref().unwrap(), a.url.as_deref()))
        .collect();
    assert_eq!(
        attached,
        [
            ("quote", "at://did:plc:x/app.bsky.feed.post/3x", None),
            ("image", "Ett hus (bafkhus)", Some("https://cdn.example/hus")),
            ("image", "bafkbil", None),
        ]
    );
}

#[test]
fn only_addresses_of_posts_are_taken() {
    let table = [
        ("at://did:plc:kim/app.bsky.feed.post/3l6a", true),
        ("at://did:web:kommun.example/app.bsky.feed.post/a_b~c", true),
        ("at://kim.example/app.bsky.feed.post/3l6a", false),
        ("at://did:plc:kim/app.bsky.feed.like/3l6a", false),
        ("at://did:plc:kim/app.bsky.feed.post/../x", false),
        ("at://did:plc:kim/app.bsky.feed.post/..", false),
        ("at://did:plc:kim/app.bsky.feed.post/a?b", false),
        ("at://did:plc:kim/app.bsky.feed.post/", false),
        ("https://bsky.app/profile/did:plc:kim/post/3l6a", false),
        ("", false),
    ];
    for (text, good) in table {
        assert_eq!(Uri::new(text).is_some(), good, "{text}");
    }
    assert!(Uri::of(KIM, &"a".repeat(512)).is_some());
    assert_eq!(Uri::of(KIM, &"a".repeat(513)), None, "longer than a key may be");
    assert_eq!(
        Uri::of(KIM, "3l6a").map(|uri| (uri.did() == KIM, uri.rkey() == "3l6a")),
        Some((true, true))
    );
}

#[test]
fn every_error_of_the_sheet_has_its_class() {
    let names = [
        (400, "ExpiredToken"),
        (400, "InvalidToken"),
        (401, "AuthMissing"),
        (401, "AuthenticationRequired"),
        (401, "AccountTakedown"),
        (401, "Annat"),
        (400, "NotFound"),
        (400, "RecordNotFound"),
        (400, "InvalidRequest"),
        (400, "InvalidSwap"),
        (400, "BlockedActor"),
        (403, "Forbidden"),
        (429, "RateLimitExceeded"),
        (500, "InternalServerError"),
        (502, "UpstreamFailure"),
        (504, "UpstreamTimeout"),
        (400, "<b>elakt</b>"),
    ];
    // 2026-11-21T12:03:20Z.
    let headers = [("ratelimit-reset", "1795262600")];
    let mut table = String::new();
    for (status, name) in names {
        let body = json!({"error": name, "message": "Kim Exempel"}).to_string();
        table += &line(&format!("{status} {name}"), &fault(&answer(status, &body, &headers)));
    }
    for status in [403, 429, 502, 503] {
        let page = fault(&answer(status, "<html>Blockerad</html>", &headers));
        table += &line(&format!("{status} html"), &page);
    }
    let absurd = [("ratelimit-reset", "4795262600")];
    table += &line("429 in a century", &fault(&answer(429, "{}", &absurd)));
    insta::assert_snapshot!(table);
}

/// The end of a silence is told in whole seconds, rounded down.
#[tokio::test]
async fn a_silence_that_ends_within_a_second_is_kept_to_its_end() {
    let Stage { simulator, bluesky, clock } = stage().await;
    bluesky.fetch(None, None).await.unwrap();
    clock.advance(SignedDuration::from_millis(300));
    simulator.fail_next(Fault::PageLimit { minutes: 1 }, 1);
    let error = bluesky.fetch(None, None).await.unwrap_err();
    let PlatformError::Throttled { until, .. } = error else { panic!("{error:?}") };
    clock.advance(until.duration_since(clock.clock().now()));
    bluesky.fetch(None, None).await.unwrap();
    assert_eq!(simulator.front().disobeyed(), 0);
}

#[test]
fn whatever_happens_the_store_ends_equal_to_the_truth() {
    testing::weathered(8, async |storm| {
        let Stage { simulator, bluesky, clock } = stage().await;
        // Nothing leads to an answer under a stranger's post.
        simulator.post(ME, "Badet öppnar", None);
        let front = simulator.front();
        storm.rage(Arc::new(bluesky), &simulator, front, &clock).await;
    });
}
