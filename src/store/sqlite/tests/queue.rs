//! The queue: its order, its neighbours, its counts, its plan.

use proptest::prelude::*;

use super::*;
use crate::domain::action::ActionEvent;
use crate::domain::case::CaseState;
use crate::domain::ids::DiaryNumber;
use crate::domain::item::Author;
use crate::store::rows::{CaseCounts, QueueFilter};
use crate::store::sqlite::cases::{FilterSql, filter_sql};

async fn queue(bench: &Bench, filter: QueueFilter) -> Vec<CaseId> {
    let rows = bench.store.queue(filter, None, 0, 1_000).await.unwrap();
    rows.into_iter().map(|row| row.case.id).collect()
}

#[tokio::test]
async fn lives_stand_first_then_what_came_back_then_threats_then_the_rest_by_deadline() {
    let bench = Bench::new().await;
    let late = bench.open("1", 3, at(900)).await.case;
    let soon = bench.open("2", 3, at(100)).await.case;
    let threat = bench.open("3", 2, at(5_000)).await.case;
    let back = bench.open("4", 3, at(9_000)).await;
    let life = bench.open("5", 0, at(99_000)).await.case;
    bench.decide(back.case, vec![Choice::Answer { text: "Hej".into() }], at(0)).await.unwrap();
    let action = bench.store.actions_on(back.case).await.unwrap()[0].id;
    let go = |event| bench.store.move_action(action, event, at(20));
    go(ActionEvent::Begin { at: at(20) }).await.unwrap();
    assert_eq!(queue(&bench, QueueFilter::Decided).await, [back.case]);
    go(ActionEvent::FailForGood { at: at(20), reason: "Nej.".into(), may_have_acted: false })
        .await
        .unwrap();
    assert_eq!(queue(&bench, QueueFilter::Open).await, [life, back.case, threat, soon, late]);
    let only = |key: &str| bench.store.queue(QueueFilter::Open, Some(key.into()), 0, 9);
    assert_eq!(only("konto").await.unwrap().len(), 5);
    assert!(only("okänt").await.unwrap().is_empty());
    let page = bench.store.queue(QueueFilter::Open, None, 2, 2).await.unwrap();
    assert_eq!(page.iter().map(|r| r.case.id).collect::<Vec<_>>(), [threat, soon]);
    assert_eq!(bench.store.neighbours(soon).await.unwrap(), (Some(threat), Some(late)));
    assert_eq!(bench.store.neighbours(back.case).await.unwrap(), (Some(life), Some(threat)));
    // A cry for help that comes back is still one.
    bench.decide(life, vec![Choice::Answer { text: "Hej".into() }], at(0)).await.unwrap();
    let action = bench.store.actions_on(life).await.unwrap()[0].id;
    let go = |event| bench.store.move_action(action, event, at(20));
    go(ActionEvent::Begin { at: at(20) }).await.unwrap();
    go(ActionEvent::FailForGood { at: at(20), reason: "Nej.".into(), may_have_acted: false })
        .await
        .unwrap();
    assert_eq!(queue(&bench, QueueFilter::Open).await[0], life);
}

#[tokio::test]
async fn earlier_cases_are_those_of_the_same_author_on_the_same_account() {
    let bench = Bench::new().await;
    let by = |id: &str, author: Option<&str>| FetchedItem {
        author: Author { platform_id: author.map(str::to_owned), ..Author::default() },
        ..item(id, id)
    };
    let items = vec![
        by("1", Some("p")),
        by("2", Some("q")),
        by("3", Some("p")),
        by("4", None),
        by("5", None),
    ];
    bench.commit(batch(items), at(0)).await;
    let cases = bench.assess(1, at(60), at(0)).await;
    let earlier = |n: usize| bench.store.earlier_cases_of_author(cases[n], 9);
    let found = earlier(2).await.unwrap();
    assert_eq!(found, [(cases[0], at(0), CaseState::Waiting)]);
    assert!(earlier(1).await.unwrap().is_empty());
    assert!(earlier(3).await.unwrap().is_empty(), "nobody known is nobody's earlier case");
}

#[tokio::test]
async fn the_open_queue_and_an_authors_cases_are_read_by_index() {
    let bench = Bench::new().await;
    let raw = bench.raw();
    let plan = |sql: &str| -> Vec<String> {
        let mut statement = raw.prepare(&format!("explain query plan {sql}")).unwrap();
        let rows = statement.query_map([], |row| row.get(3)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    for (filter, over_all, within) in [
        (QueueFilter::Open, "cases_front", "cases_front_of_account"),
        (QueueFilter::Held, "cases_by_state", "cases_of_account_by_state"),
        (QueueFilter::Closed, "cases_by_state", "cases_of_account_by_state"),
    ] {
        let FilterSql { index, condition, in_front, order } = filter_sql(filter);
        for (named, wanted, in_front, only) in [
            (index[0], over_all, in_front[0], "null is null"),
            (
                index[1],
                within,
                in_front[1],
                "k.account_id = (select id from accounts where key = 'x')",
            ),
        ] {
            let sql = format!(
                "select k.id from cases k indexed by {named}
                 where {condition} {in_front} and {only} order by {order} limit 50"
            );
            let steps = plan(&sql);
            assert!(steps[0].contains(wanted), "{filter:?}: {steps:?}");
            assert!(!steps.iter().any(|s| s.contains("TEMP B-TREE")), "{filter:?}: {steps:?}");
        }
    }
    let steps =
        plan(&crate::store::sqlite::cases::EARLIER_CASES.replace("?1", "1").replace("?2", "9"));
    assert!(steps.iter().any(|s| s.contains("versions_by_author")), "{steps:?}");
    assert!(!steps.iter().any(|s| s.starts_with("SCAN")), "{steps:?}");
    let numbered =
        |sql: &str| ["?1", "?2", "?3"].iter().fold(sql.to_owned(), |s, n| s.replace(n, "1"));
    for (sql, index) in [
        (
            crate::store::sqlite::items::TO_READ_AGAIN,
            "cases_of_account_by_state (account_id=? AND state=?",
        ),
        (crate::store::sqlite::threads::BELOW, "items_by_parent (account_id=? AND parent_id=?"),
        ("from cases k where k.claimed_by = 1", "cases_by_holder (claimed_by=?"),
    ] {
        let alias = if sql.contains("cases k join") || sql.contains("items i") { "i" } else { "k" };
        let steps = plan(&numbered(&format!("select {alias}.id {sql}")));
        assert!(steps.iter().any(|s| s.contains(index)), "{sql}: {steps:?}");
        assert!(!steps.iter().any(|s| s.starts_with("SCAN")), "{sql}: {steps:?}");
    }
}

/// Something that happens to one of the cases.
#[derive(Clone, Debug)]
enum Step {
    Open,
    Dismiss(usize),
    Answer(usize),
    Hold(usize),
    Undo(usize),
    Begin(usize),
    Fail(usize),
    Succeed(usize),
    TryAgain(usize),
    Edit(usize),
    Number(usize),
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Open),
        2 => Just(Step::Wait),
        1 => (0..6_usize).prop_map(Step::Dismiss),
        2 => (0..6_usize).prop_map(Step::Answer),
        1 => (0..6_usize).prop_map(Step::Hold),
        1 => (0..6_usize).prop_map(Step::Undo),
        1 => (0..6_usize).prop_map(Step::Begin),
        1 => (0..6_usize).prop_map(Step::Fail),
        1 => (0..6_usize).prop_map(Step::Succeed),
        1 => (0..6_usize).prop_map(Step::TryAgain),
        1 => (0..6_usize).prop_map(Step::Edit),
        1 => (0..6_usize).prop_map(Step::Number),
    ]
}

/// Counts by reading every case.
fn recount(raw: &Connection) -> CaseCounts {
    let n = |states: &str| -> u64 {
        let sql = format!("select count(*) from cases where state in ({states})");
        raw.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    CaseCounts {
        open: n("'waiting', 'returned'"),
        returned: n("'returned'"),
        held: n("'held'"),
        decided: n("'decided'"),
        awaiting_diary: n("'awaiting_diary'"),
        closed: n("'closed'"),
        exempt: 0,
        secret: 0,
    }
}

/// Does a step. What does not fit the present state is refused, and that is as good.
async fn take(bench: &Bench, step: &Step, n: usize, now: Timestamp) {
    let store = &bench.store;
    let of = |nth: usize| CaseId(nth as i64 + 1);
    let on_action = async |nth: usize, event: ActionEvent| {
        for action in store.actions_on(of(nth)).await.unwrap() {
            drop(store.move_action(action.id, event.clone(), now).await);
        }
    };
    let exists = async |nth: usize| store.case(of(nth)).await.is_ok();
    match step {
        Step::Open => {
            bench.open(&n.to_string(), (n % 3) as u8, at((n as i64 * 37) % 11)).await;
        }
        Step::Dismiss(c) if exists(*c).await => {
            drop(bench.decide(of(*c), vec![Choice::Dismiss], now).await);
        }
        Step::Answer(c) if exists(*c).await => {
            let text = "Hej".to_owned();
            drop(bench.decide(of(*c), vec![Choice::Answer { text }], now).await);
        }
        Step::Hold(c) if exists(*c).await => {
            let until = now + SignedDuration::from_secs(25);
            drop(bench.decide(of(*c), vec![Choice::Hold { until }], now).await);
        }
        Step::Undo(c) => {
            if let Some(standing) = store.standing_decision(of(*c)).await.unwrap() {
                let line = line("case.undo");
                drop(store.undo(of(*c), standing.id, bench.user, line, now).await);
            }
        }
        Step::Begin(c) => on_action(*c, ActionEvent::Begin { at: now }).await,
        Step::Fail(c) => {
            on_action(
                *c,
                ActionEvent::FailForGood { at: now, reason: "Nej.".into(), may_have_acted: false },
            )
            .await;
        }
        Step::Succeed(c) => {
            on_action(*c, ActionEvent::Succeed { at: now, receipt: "1".into() }).await;
        }
        Step::TryAgain(c) => {
            for action in store.actions_on(of(*c)).await.unwrap() {
                let again = line("again");
                drop(store.try_failed_again(of(*c), action.id, bench.user, again, now).await);
            }
        }
        Step::Edit(c) => {
            if let Ok(case) = store.case(of(*c)).await {
                let id = store.item(case.item).await.unwrap().platform_id;
                bench.commit(batch(vec![item(id.as_str(), &format!("ny {n}"))]), now).await;
                bench.assess(1, now, now).await;
            }
        }
        Step::Number(c) => {
            let number = DiaryNumber::new("KS 1");
            drop(store.enter_diary_number(of(*c), number, bench.user, line("n"), now).await);
        }
        Step::Wait => {
            store.end_holds(now).await.unwrap();
            store.settle_decided(now).await.unwrap();
        }
        Step::Dismiss(_) | Step::Answer(_) | Step::Hold(_) => {}
    }
}

async fn hold_after(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let bench = Bench::new().await;
    // Durability is tested elsewhere; here it only costs time.
    let relax =
        |tx: &rusqlite::Transaction<'_>| Ok(tx.pragma_update(None, "synchronous", "off")?);
    drop(bench.store.write(relax).await);
    for (n, step) in steps.iter().enumerate() {
        take(&bench, step, n, at(n as i64 * 6)).await;
    }
    let raw = bench.raw();
    prop_assert_eq!(bench.store.case_counts().await.unwrap(), recount(&raw));
    // State as a word and as a value agree, and no action is without an end or a moment.
    let torn: i64 = raw
        .query_row(
            "select count(*) from cases where state <> json_extract(state_json, '$.state')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    prop_assert_eq!(torn, 0);
    // A case that is finished has nothing on its way.
    let loose: i64 = raw
        .query_row(
            "select count(*) from actions x join cases k on k.id = x.case_id
             where x.due_at is not null and k.state in ('closed', 'awaiting_diary', 'waiting')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    prop_assert_eq!(loose, 0);
    let order = queue(&bench, QueueFilter::Open).await;
    for (n, case) in order.iter().enumerate() {
        let (before, after) = bench.store.neighbours(*case).await.unwrap();
        prop_assert_eq!(before, n.checked_sub(1).map(|n| order[n]));
        prop_assert_eq!(after, order.get(n + 1).copied());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_order_and_neighbours_hold_after_anything(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(hold_after(steps))?;
    }
}
