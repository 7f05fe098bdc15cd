//! Invariant 1: nothing fetched is lost, and nothing is stored twice.

use super::*;
use crate::domain::evidence::ThreadItem;
use crate::domain::ids::PlatformPostId;
use crate::domain::item::{FetchedPost, LiveReading, Unreadable};
use crate::store::rows::{Committed, Delivery, PushTold};

fn edited(text: &str, seconds: i64) -> FetchedItem {
    FetchedItem { edited_at: Some(at(seconds)), ..item("1", text) }
}

async fn texts(bench: &Bench) -> (Vec<String>, String) {
    let raw = bench.raw();
    let id: i64 = raw.query_row("select id from items", [], |r| r.get(0)).unwrap();
    let versions = bench.store.versions_of(ItemId(id)).await.unwrap();
    let current = bench.store.item(ItemId(id)).await.unwrap().current_version;
    let current = bench.store.version(current).await.unwrap().text;
    (versions.into_iter().map(|v| v.text).collect(), current)
}

#[tokio::test]
async fn fetching_twice_changes_nothing() {
    let bench = Bench::new().await;
    let both = || batch(vec![item("1", "a"), item("2", "b")]);
    let first = bench.commit(both(), at(0)).await;
    assert_eq!(first, Committed { new_items: 2, ..Committed::default() });
    let again = bench.commit(both(), at(60)).await;
    assert_eq!(again, Committed { unchanged: 2, ..Committed::default() });
    let raw = bench.raw();
    let n: i64 = raw.query_row("select count(*) from versions", [], |r| r.get(0)).unwrap();
    assert_eq!(n, 2);
    let overview = bench.store.account_overview().await.unwrap();
    assert_eq!((overview[0].n_items, overview[0].n_unreadable), (2, 0));
}

#[tokio::test]
async fn items_and_cursor_commit_together_or_not_at_all() {
    let bench = Bench::new().await;
    bench.commit(batch(vec![item("1", "a")]), at(0)).await;
    // Something that the database refuses in the middle of the batch.
    let raw = bench.raw();
    raw.execute_batch(
        "create trigger no_third before insert on items when new.platform_id = '3'
         begin select raise(abort, 'no'); end;",
    )
    .unwrap();
    let mut next = batch(vec![item("2", "b"), item("3", "c")]);
    next.next = Some(Cursor::new("c2"));
    bench.store.commit_batch(bench.account, next.clone(), at(5), at(5)).await.unwrap_err();
    let state = bench.store.fetch_state(bench.account).await.unwrap();
    assert_eq!(state.cursor, Some(Cursor::new("c1")));
    let n: i64 = raw.query_row("select count(*) from items", [], |r| r.get(0)).unwrap();
    assert_eq!(n, 1, "the second item went back with the third");
    raw.execute_batch("drop trigger no_third").unwrap();
    let stored = bench.commit(next, at(6)).await;
    assert_eq!(stored.new_items, 2);
    let state = bench.store.fetch_state(bench.account).await.unwrap();
    assert_eq!(state.cursor, Some(Cursor::new("c2")));
}

#[tokio::test]
async fn an_edit_and_its_reversal_are_three_versions_with_the_first_text_current() {
    let bench = Bench::new().await;
    for (n, text) in ["A", "B", "A"].into_iter().enumerate() {
        bench.commit(batch(vec![item("1", text)]), at(n as i64)).await;
    }
    assert_eq!(texts(&bench).await, (vec!["A".into(), "B".into(), "A".into()], "A".into()));
}

#[tokio::test]
async fn a_late_older_edit_becomes_a_version_without_becoming_current() {
    let bench = Bench::new().await;
    bench.commit(batch(vec![item("1", "A")]), at(0)).await;
    bench.commit(batch(vec![edited("C", 200)]), at(201)).await;
    bench.commit(batch(vec![edited("B", 100)]), at(202)).await;
    let all = vec!["A".into(), "C".into(), "B".into()];
    assert_eq!(texts(&bench).await, (all.clone(), "C".into()));
    // Nor does the first text, sent again without any time of an edit.
    bench.commit(batch(vec![item("1", "A")]), at(203)).await;
    assert_eq!(texts(&bench).await, (all, "C".into()));
}

/// What the platform calls an edit is a version, though we see no difference: the payload does.
#[tokio::test]
async fn an_edit_that_leaves_the_text_alone_is_a_version() {
    let bench = Bench::new().await;
    bench.commit(batch(vec![item("1", "A")]), at(0)).await;
    assert_eq!(bench.commit(batch(vec![edited("A", 100)]), at(101)).await.new_versions, 1);
    assert_eq!(bench.commit(batch(vec![edited("A", 100)]), at(102)).await.new_versions, 0);
    assert_eq!(bench.commit(batch(vec![edited("A", 200)]), at(201)).await.new_versions, 1);
    // A list that does not tell of edits changes nothing, and neither does an older one.
    assert_eq!(bench.commit(batch(vec![item("1", "A")]), at(202)).await.new_versions, 0);
    assert_eq!(bench.commit(batch(vec![edited("A", 100)]), at(203)).await.new_versions, 0);
}

/// The place that could not be found out when it came.
#[tokio::test]
async fn what_was_unknown_of_its_place_is_filled_in_later() {
    let bench = Bench::new().await;
    let parent = |id: &str| Some(PlatformItemId::new(id));
    let unknown = FetchedItem { post_id: None, parent_id: parent("9"), ..item("1", "A") };
    let known =
        FetchedItem { post_id: Some(PlatformPostId::new("9")), parent_id: None, ..item("1", "A") };
    bench.commit(batch(vec![unknown.clone()]), at(0)).await;
    bench.commit(batch(vec![known]), at(1)).await;
    bench.commit(batch(vec![unknown]), at(2)).await;
    let row = bench.store.item(ItemId(1)).await.unwrap();
    assert_eq!((row.post_id, row.parent_id), (Some(PlatformPostId::new("9")), None));
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_once() {
    let bench = Bench::new().await;
    let broken = || Unreadable {
        place: "sida 1, element 2".into(),
        problem: "inget id".into(),
        raw: b"{\"x\":\xff".to_vec(),
    };
    let both = || Batch { unreadable: vec![broken()], ..batch(vec![item("1", "a")]) };
    assert_eq!(bench.commit(both(), at(0)).await.unreadable, 1);
    assert_eq!(bench.commit(both(), at(1)).await.unreadable, 0);
    let raw: Vec<u8> =
        bench.raw().query_row("select raw from unreadable", [], |r| r.get(0)).unwrap();
    assert_eq!(raw, b"{\"x\":\xff");
    assert_eq!(bench.store.account_overview().await.unwrap()[0].n_unreadable, 1);
}

#[tokio::test]
async fn what_is_gone_keeps_its_text() {
    let bench = Bench::new().await;
    bench.commit(batch(vec![item("1", "a")]), at(0)).await;
    let gone = || Batch {
        gone: vec![PlatformItemId::new("1"), PlatformItemId::new("okänd")],
        ..Batch::default()
    };
    assert_eq!(bench.commit(gone(), at(1)).await.presence_changes, 1);
    assert_eq!(bench.commit(gone(), at(2)).await.presence_changes, 0);
    let row = bench.store.item(ItemId(1)).await.unwrap();
    assert_eq!((row.presence, row.presence_at), (Presence::Gone, at(1)));
    assert_eq!(texts(&bench).await.1, "a");
    // It comes back when the platform shows it again.
    bench.commit(batch(vec![item("1", "a")]), at(3)).await;
    assert_eq!(bench.store.item(ItemId(1)).await.unwrap().presence, Presence::Visible);
}

#[tokio::test]
async fn a_reading_of_another_item_is_refused() {
    let bench = Bench::new().await;
    bench.commit(batch(vec![item("1", "a")]), at(0)).await;
    let other = LiveReading::Present(Box::new(item("2", "b")));
    let refused = bench.store.record_live_reading(ItemId(1), other, at(1)).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    let (version, changed) = bench
        .store
        .record_live_reading(ItemId(1), LiveReading::Present(Box::new(item("1", "b"))), at(2))
        .await
        .unwrap();
    assert!(changed);
    assert_eq!(bench.store.version(version).await.unwrap().text, "b");
}

#[tokio::test]
async fn odd_texts_come_back_byte_for_byte() {
    let bench = Bench::new().await;
    let large = "jävla 🤬 ".repeat(480_000);
    assert!(large.len() > 5_000_000);
    let odd = ["", "\0", "a\0b\0", "\u{202E}abc", "e\u{301}\u{301}\u{301}", large.as_str()];
    let items = odd.iter().enumerate().map(|(n, text)| item(&n.to_string(), text)).collect();
    bench.commit(batch(items), at(0)).await;
    for (n, text) in odd.iter().enumerate() {
        let version = VersionId(n as i64 + 1);
        assert_eq!(bench.store.version(version).await.unwrap().text, *text, "{n}");
        assert_eq!(bench.store.payload(version).await.unwrap(), text.as_bytes(), "{n}");
    }
    bench.assess(1, at(60), at(1)).await;
    let lines =
        bench.store.queue(crate::store::rows::QueueFilter::Open, None, 0, 50).await.unwrap();
    let heads: Vec<_> = lines.iter().map(|l| (l.text_head.as_str(), l.text_is_cut)).collect();
    assert_eq!(heads[2], ("a\0b\0", false), "a NUL hides nothing from the queue");
    assert!(heads[5].1 && heads[5].0.len() <= 800 && large.starts_with(heads[5].0));
}

const APART: jiff::SignedDuration = jiff::SignedDuration::from_secs(15);

fn told(account: AccountId, batch: Batch) -> PushTold {
    PushTold { batches: [(account, batch)].into(), ..PushTold::default() }
}

#[tokio::test]
async fn a_push_is_answered_once_and_another_body_is_no_repeat() {
    let bench = Bench::new().await;
    let push = |text: &'static str, now| {
        let (store, account) = (bench.store.clone(), bench.account);
        async move {
            let hash = ContentHash::of(text.as_bytes());
            let answer = |c: &Committed| format!("{} nya", c.new_items);
            let batch = batch(vec![item(text, text)]);
            let delivery = Delivery { id: "d1".into(), body: hash, signed: hash, is_hint: false };
            store
                .commit_push(account, told(account, batch), delivery, answer, APART, now)
                .await
                .map(|stored| stored.answer)
        }
    };
    assert_eq!(push("a", at(0)).await.unwrap(), "1 nya");
    assert_eq!(push("a", at(1)).await.unwrap(), "1 nya");
    assert!(matches!(push("b", at(2)).await, Err(StoreError::Conflict { what: "delivery" })));
    assert_eq!(bench.store.forget_deliveries(at(1)).await.unwrap(), 1);
    assert_eq!(push("b", at(3)).await.unwrap(), "1 nya");
    // What a push gave leaves the cursor of polling alone.
    assert_eq!(bench.store.fetch_state(bench.account).await.unwrap().cursor, None);
}

#[tokio::test]
async fn what_was_signed_once_counts_once_under_any_delivery() {
    let bench = Bench::new().await;
    let push = |text: &'static str, t: &'static str, delivery: &'static str, now| {
        let (store, account) = (bench.store.clone(), bench.account);
        async move {
            let hash = ContentHash::of(text.as_bytes());
            let signed = ContentHash::of(format!("{t}.{text}").as_bytes());
            let answer = |c: &Committed| format!("{}+{}", c.new_items, c.new_versions);
            let batch = batch(vec![item("1", text)]);
            let delivery = Delivery { id: delivery.into(), body: hash, signed, is_hint: false };
            store
                .commit_push(account, told(account, batch), delivery, answer, APART, now)
                .await
                .map(|stored| stored.answer)
        }
    };
    assert_eq!(push("gammal", "5", "d1", at(0)).await.unwrap(), "1+0");
    // The same delivery sent again is signed anew.
    assert_eq!(push("gammal", "6", "d1", at(1)).await.unwrap(), "1+0");
    assert_eq!(push("ny", "7", "d2", at(2)).await.unwrap(), "0+1");
    // Somebody who saw them sends the old ones under identities of their own.
    for (t, delivery) in [("5", "d3"), ("6", "d4")] {
        assert_eq!(push("gammal", t, delivery, at(3)).await.unwrap(), "1+0", "as answered before");
    }
    let current = bench.store.item(ItemId(1)).await.unwrap().current_version;
    assert_eq!(bench.store.version(current).await.unwrap().text, "ny");
    // Who may sign may of course go back to the old text.
    assert_eq!(push("gammal", "8", "d5", at(4)).await.unwrap(), "0+1");
}

#[tokio::test]
async fn the_thread_above_is_found_and_its_holes_are_named() {
    let bench = Bench::new().await;
    let under = |id: &str, parent: Option<&str>| FetchedItem {
        post_id: Some(PlatformPostId::new("p")),
        parent_id: parent.map(PlatformItemId::new),
        ..item(id, id)
    };
    let post = FetchedPost {
        published_by: None,
        platform_id: PlatformPostId::new("p"),
        title: Some("Badet".into()),
        text: "Nu bygger vi.".into(),
        created_at: None,
        permalink: None,
    };
    let items = vec![
        under("a", Some("aldrig-sedd")),
        under("b", Some("a")),
        under("c", Some("b")),
        under("x", Some("y")),
        under("y", Some("x")),
    ];
    bench.commit(Batch { posts: vec![post.clone()], ..batch(items) }, at(0)).await;
    let thread = bench.store.thread_above(ItemId(3)).await.unwrap();
    let above: Vec<_> = thread.above.iter().map(|i| i.text.as_str()).collect();
    assert_eq!(
        (above, thread.missing, thread.post),
        (vec!["a", "b"], vec!["aldrig-sedd".into()], Some(post))
    );
    let circle = bench.store.thread_above(ItemId(4)).await.unwrap();
    assert_eq!(circle.missing.len(), 1, "a circle ends");
    let below = bench.store.thread_below(ItemId(2), 10).await.unwrap();
    assert_eq!(below.len(), 1);
    let all = bench.store.whole_thread(ItemId(1)).await.unwrap();
    assert_eq!((all.below.len(), all.below_left_out), (0, 2), "nothing that is not assessed");
    bench.raw().execute("update versions set assessed_by = 'prov'", []).unwrap();
    // All that stands below, with what it answers where that is another than the item; a circle ends here, too.
    let below = async |id| {
        let thread = bench.store.whole_thread(ItemId(id)).await.unwrap();
        let told = |item: ThreadItem| (item.text, item.answers.map(|id| id.as_str().to_owned()));
        (thread.below.into_iter().map(told).collect::<Vec<_>>(), thread.below_left_out)
    };
    let told = |text: &str, answers: Option<&str>| (text.to_owned(), answers.map(str::to_owned));
    assert_eq!(below(1).await, (vec![told("b", None), told("c", Some("b"))], 0));
    assert_eq!(below(3).await, (vec![], 0));
    assert_eq!(below(4).await, (vec![told("y", None)], 0));
}

#[tokio::test]
async fn a_key_is_never_used_for_another_platform() {
    let bench = Bench::new().await;
    let again = |kind, simulated| {
        bench.store.ensure_account(AccountKey::new("konto"), kind, "Nytt".into(), simulated, at(1))
    };
    let known = again(PlatformKind::Facebook, true).await.unwrap();
    assert_eq!((known.id, known.name.as_str()), (bench.account, "Nytt"));
    for (kind, simulated) in [(PlatformKind::WordPress, true), (PlatformKind::Facebook, false)] {
        assert!(matches!(again(kind, simulated).await, Err(StoreError::Refused { .. })));
    }
}

#[tokio::test]
async fn a_later_version_is_due_from_its_edit() {
    let bench = Bench::new().await;
    let written = FetchedItem { created_at: Some(at(-900)), ..item("1", "A") };
    bench.commit(batch(vec![written.clone()]), at(0)).await;
    assert_eq!(bench.store.unassessed(9).await.unwrap()[0].received_at, at(-900));
    bench.assess(2, at(500), at(0)).await;
    bench.commit(batch(vec![FetchedItem { text: "B".into(), ..written }]), at(90_000)).await;
    assert_eq!(bench.store.unassessed(9).await.unwrap()[0].received_at, at(90_000));
}

#[tokio::test]
async fn a_time_that_cannot_be_true_hurries_nobody_and_is_kept() {
    let table = [
        ("-000044-03-15T12:00:00Z", at(0)),
        ("1999-12-31T23:59:59Z", at(0)),
        ("9999-01-01T00:00:00Z", at(0)),
        ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z".parse().unwrap()),
    ];
    for (said, received) in table {
        let bench = Bench::new().await;
        let created_at = Some(said.parse().unwrap());
        let written = FetchedItem { created_at, created_raw: Some(said.into()), ..item("1", "A") };
        bench.commit(batch(vec![written]), at(0)).await;
        let waiting = bench.store.unassessed(9).await.unwrap();
        assert_eq!(waiting[0].received_at, received, "{said}");
        let kept = bench.store.item(waiting[0].item).await.unwrap();
        assert_eq!((kept.created_at, kept.created_raw.as_deref()), (created_at, Some(said)));
    }
}

#[tokio::test]
async fn what_may_be_missing_is_told_until_it_is_no_longer_missed_and_stays_on_record() {
    let bench = Bench::new().await;
    let gap = async |text: Option<&str>, day: i64| {
        let batch = Batch { gap: text.map(str::to_owned), ..Batch::default() };
        bench.commit(batch, at(day * 86_400)).await;
        bench.store.account_overview().await.unwrap().remove(0).fetch.gap
    };
    assert_eq!(gap(Some("Tråd 1."), 0).await.as_deref(), Some("Tråd 1."));
    // Another does not take its place, and neither goes at once.
    assert_eq!(gap(Some("Tråd 2."), 1).await.as_deref(), Some("Tråd 2. Tråd 1."));
    assert_eq!(gap(Some("Tråd 2."), 3).await.as_deref(), Some("Tråd 2. Tråd 1."));
    assert_eq!(gap(None, 4).await.as_deref(), Some("Tråd 2."));
    assert_eq!(gap(None, 7).await, None);
    let n = "select count(*) from gaps where closed_at is not null";
    assert_eq!(bench.raw().query_row(n, [], |row| row.get::<_, i64>(0)).unwrap(), 2);
}
