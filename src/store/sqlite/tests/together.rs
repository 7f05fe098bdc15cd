//! Similar cases as one line of the queue, and the act that decides many.

use super::*;
use crate::domain::action::ActionKind;
use crate::domain::together::{Became, Over};
use crate::store::rows::QueueFilter;
use crate::store::sqlite::together::{NewBulk, SIMILAR};

/// Cases in one queue order; the first of each group, by looking at all of them.
fn first_of_each(raw: &Connection, account: Option<i64>) -> Vec<i64> {
    let mut statement = raw
        .prepare(
            "select id, group_id, account_id from cases where state in ('waiting', 'returned')
             order by rank, due_at, id",
        )
        .unwrap();
    let all = statement
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?, row.get(2)?)))
        .unwrap();
    let mut seen = std::collections::BTreeSet::new();
    all.map(Result::unwrap)
        .filter(|(_, _, own): &(i64, Option<i64>, i64)| {
            account.is_none_or(|account| *own == account)
        })
        .filter(|(_, group, _)| group.is_none_or(|group| seen.insert(group)))
        .map(|(id, _, _)| id)
        .collect()
}

#[tokio::test]
async fn whatever_happens_one_case_of_each_group_stands_in_front() {
    let bench = Bench::new().await;
    let key = AccountKey::new("annat");
    let other =
        bench.store.ensure_account(key, PlatformKind::Facebook, "Annat".into(), true, at(0)).await;
    let other = other.unwrap().id;
    let mut items = Vec::new();
    for n in 0..8_i64 {
        let opened = bench.open(&n.to_string(), 2, at(n)).await;
        items.push((opened.case.0, opened.item.0));
    }
    let raw = bench.raw();
    for (case, item) in &items[5..] {
        raw.execute_batch(&format!(
            "update items set account_id = {0} where id = {item};
             update cases set account_id = {0} where id = {case};",
            other.0
        ))
        .unwrap();
    }
    // A small generator of numbers: the same run each time.
    let mut seed = 7_u64;
    let mut draw = |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % most
    };
    for step in 0..300 {
        let (case, item) = items[draw(items.len())];
        let sql = match draw(6) {
            0 => format!(
                "insert into alikes (item_id, group_id) values ({item}, {0})
                 on conflict (item_id) do update set group_id = excluded.group_id",
                draw(3)
            ),
            1 => format!("update cases set rank = {} where id = {case}", draw(3)),
            2 => format!("update cases set due_at = {} where id = {case}", draw(4)),
            3 => format!("update alikes set group_id = {} where group_id = {}", draw(3), draw(3)),
            4 => format!("delete from alikes where item_id = {item}"),
            _ => {
                let state = ["waiting", "returned", "held", "decided"][draw(4)];
                format!("update cases set state = '{state}' where id = {case}")
            }
        };
        raw.execute(&sql, []).unwrap();
        for account in [None, Some(bench.account.0), Some(other.0)] {
            let (behind, only) = match account {
                None => ("behind", String::new()),
                Some(id) => ("behind_here", format!("and account_id = {id}")),
            };
            let sql = format!(
                "select id from cases where state in ('waiting', 'returned') and {behind} = 0 {only}
                 order by rank, due_at, id"
            );
            let mut statement = raw.prepare(&sql).unwrap();
            let kept: Vec<i64> =
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            assert_eq!(kept, first_of_each(&raw, account), "step {step}: {account:?}");
        }
    }
}

#[tokio::test]
async fn similar_cases_are_one_line_and_are_found_by_index() {
    let bench = Bench::new().await;
    let mut cases = Vec::new();
    let raw = bench.raw();
    for n in 0..4_i64 {
        let opened = bench.open(&n.to_string(), 2, at(100 - n)).await;
        if n > 0 {
            let sql = "insert into alikes (item_id, group_id) values (?1, 1)";
            raw.execute(sql, [opened.item.0]).unwrap();
        }
        cases.push(opened.case);
    }
    let rows = bench.store.queue(QueueFilter::Open, None, 0, 9).await.unwrap();
    let lines: Vec<_> = rows.iter().map(|row| (row.case.id, row.n_similar)).collect();
    assert_eq!(lines, [(cases[3], 2), (cases[0], 0)]);
    let here = bench.store.queue(QueueFilter::Open, Some("konto".into()), 0, 9).await.unwrap();
    assert_eq!(here.iter().map(|row| row.n_similar).collect::<Vec<_>>(), [2, 0]);
    let group = bench.store.picked(vec![], vec![cases[1]], Over::ItsAccount, 2).await.unwrap();
    assert_eq!(group, (vec![cases[3], cases[2]], 3));
    // Whatever order they were picked in, and however often; what there is not is left out.
    let picked = vec![cases[0], cases[0], cases[1], CaseId(9_999)];
    let all = bench.store.picked(picked, vec![cases[0], cases[2]], Over::AllAccounts, 9).await;
    assert_eq!(all.unwrap(), (vec![cases[3], cases[2], cases[1], cases[0]], 4));
    for (sql, index) in
        SIMILAR.iter().zip(["cases_of_group (group_id=?", "cases_of_group_here (group_id=?"])
    {
        let sql = format!("explain query plan {sql}").replace("?1", "1").replace("?2", "9");
        let mut statement = raw.prepare(&sql).unwrap();
        let steps: Vec<String> =
            statement.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(steps.iter().any(|step| step.contains(index)), "{steps:?}");
        assert!(
            !steps.iter().any(|s| s.contains("TEMP B-TREE") || s.starts_with("SCAN")),
            "{steps:?}"
        );
    }
    // What the triggers do at each change is looked up as well.
    for sql in [
        "update cases set behind = 1 where group_id = 1 and behind = 0 and state in ('waiting', 'returned')
           and id <> (select g.id from cases g where g.group_id = 1
             and g.state in ('waiting', 'returned') order by g.rank, g.due_at, g.id limit 1)",
        "update cases set behind_here = 1 where group_id = 1 and account_id = 1 and behind_here = 0
           and state in ('waiting', 'returned')
           and id <> (select g.id from cases g where g.group_id = 1 and g.account_id = 1
             and g.state in ('waiting', 'returned') order by g.rank, g.due_at, g.id limit 1)",
    ] {
        let mut statement = raw.prepare(&format!("explain query plan {sql}")).unwrap();
        let steps: Vec<String> =
            statement.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(steps[0].contains("cases_leading"), "{steps:?}");
        assert!(!steps.iter().any(|s| s.contains("TEMP B-TREE") || s.starts_with("SCAN")), "{steps:?}");
    }
}

#[tokio::test]
async fn what_an_act_did_not_come_to_is_told_apart_from_what_it_decided_and_what_was_refused() {
    let bench = Bench::new().await;
    let mut cases = Vec::new();
    for n in 0..3_i64 {
        cases.push(bench.open(&n.to_string(), 2, at(n)).await.case);
    }
    let new = NewBulk {
        user: bench.user,
        cases: cases.clone(),
        undo_until: at(10),
        form: Some("ett".into()),
        line: line("case.decide_together"),
    };
    let bulk = bench.store.begin_bulk(new.clone(), at(0)).await.unwrap();
    assert!(bulk.is_new);
    // The same form once more is the same act.
    let again = bench.store.begin_bulk(new, at(1)).await.unwrap();
    assert_eq!((again.id, again.is_new), (bulk.id, false));
    let bulk = bulk.id;
    let within = crate::domain::together::Within { bulk, n_cases: 3, undo_until: at(10) };
    let decide = NewDecision {
        mark: None,
        policy: ContentHash::of(b"prov"),
        answered: None,
        by_hand: Vec::new(),
        case: cases[0],
        revision: bench.store.case(cases[0]).await.unwrap().revision,
        user: bench.user,
        decision: decision(vec![Choice::Dismiss]),
        undo_until: at(10),
        bulk: Some(within),
        line: line("case.decide"),
    };
    let decided = bench.store.decide(decide, at(0)).await.unwrap();
    bench.store.bulk_refused(bulk, cases[1], "Kim arbetar med det.".into()).await.unwrap();
    let row = bench.store.bulk(bulk).await.unwrap();
    assert_eq!((row.user, row.undo_until), (bench.user, at(10)));
    let became: Vec<_> = row.cases.into_iter().map(|(_, became)| became).collect();
    let done = Became::Decided {
        decision: decided,
        choices: vec![Choice::Dismiss],
        by_hand: Vec::new(),
        undone_at: None,
        stays: None,
    };
    let refused = Became::Refused("Kim arbetar med det.".into());
    assert_eq!(became, [done, refused, Became::NotComeTo]);
    // What a person does on the platform is told apart from what is carried out from here.
    let answer = Choice::Answer { text: "Tack.".into() };
    let by_hand = NewDecision {
        mark: None,
        policy: ContentHash::of(b"prov"),
        answered: None,
        by_hand: vec![ActionKind::Reply],
        case: cases[1],
        revision: bench.store.case(cases[1]).await.unwrap().revision,
        user: bench.user,
        decision: decision(vec![answer]),
        undo_until: at(10),
        bulk: Some(within),
        line: line("case.decide"),
    };
    bench.store.decide(by_hand, at(0)).await.unwrap();
    let row = bench.store.bulk(bulk).await.unwrap();
    let Became::Decided { by_hand, .. } = &row.cases[1].1 else { panic!("{row:?}") };
    assert_eq!(by_hand, &[ActionKind::Reply]);
    let history = bench.store.case_history(cases[0]).await.unwrap();
    let told = history.last().unwrap().detail.clone().unwrap();
    assert!(told.contains("tillsammans med 2 andra ärenden"), "{told}");
}
