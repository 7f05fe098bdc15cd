//! What the database itself refuses, whoever asks: invariants 2, 3, 4, 5 and 6 once more in SQL.

use super::*;

/// Inserts an action by hand.
fn insert_action(
    raw: &Connection,
    opened: Opened,
    decision: DecisionId,
    kind: &str,
    evidence: Option<i64>,
) -> rusqlite::Result<usize> {
    raw.execute(
        "insert into actions (key, decision_id, case_id, item_id, version_id, evidence_id, kind,
           payload, state, state_json, due_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, '{}', 'pending', '{}', 1)",
        rusqlite::params![
            format!("k-{kind}-{evidence:?}"),
            decision.0,
            opened.case.0,
            opened.item.0,
            opened.version.0,
            evidence,
            kind
        ],
    )
}

fn refused(result: rusqlite::Result<usize>, what: &str) {
    let error = result.map(|n| n.to_string()).expect_err(what);
    assert_eq!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::ConstraintViolation),
        "{what}: {error}"
    );
}

#[tokio::test]
async fn a_removal_needs_sealed_evidence_of_the_very_version() {
    let bench = Bench::new().await;
    let (one, evidence) = bench.open_sealed("1").await;
    let (_, of_other) = bench.open_sealed("2").await;
    let waiting = bench.open("3", 1, at(60)).await;
    let unsealed = bench.store.want_evidence(waiting.version, at(1)).await.unwrap().id;
    let decision = bench.decide(one.case, vec![Choice::Dismiss], at(2)).await.unwrap();
    let raw = bench.raw();
    for kind in ["hide", "delete"] {
        refused(insert_action(&raw, one, decision, kind, None), "without evidence");
        refused(insert_action(&raw, one, decision, kind, Some(of_other.0)), "of another version");
        refused(insert_action(&raw, waiting, decision, kind, Some(unsealed.0)), "unsealed");
        assert_eq!(insert_action(&raw, one, decision, kind, Some(evidence.0)), Ok(1), "{kind}");
    }
    assert_eq!(insert_action(&raw, one, decision, "reply", None), Ok(1));
    // Nor afterwards.
    let update = |sql: &str| raw.execute(sql, []);
    refused(update("update actions set evidence_id = null where kind = 'hide'"), "taken away");
    let other = format!("update actions set evidence_id = {} where kind = 'hide'", of_other.0);
    refused(update(&other), "another version's");
    refused(update("update actions set kind = 'hide' where kind = 'reply'"), "changed kind");
    let version =
        format!("update actions set version_id = {} where kind = 'hide'", waiting.version);
    refused(update(&version), "another version");
    refused(insert_action(&raw, one, decision, "hide", Some(evidence.0)), "the same key twice");
}

#[tokio::test]
async fn what_is_recorded_can_be_neither_changed_nor_deleted() {
    let bench = Bench::new().await;
    let (one, _) = bench.open_sealed("1").await;
    bench.decide(one.case, vec![Choice::Dismiss], at(2)).await.unwrap();
    let raw = bench.raw();
    for sql in [
        "update evidence set manifest_hash = zeroblob(32)",
        "update evidence set sealed_at = 1",
        "update evidence set log_seq = null, manifest_hash = null, sealed_at = null, state = 'wanted'",
        "update evidence set version_id = version_id + 1",
        "delete from evidence",
        "update log set body = '{}'",
        "update log set at = 1",
        "delete from log",
        "delete from log where seq = (select max(seq) from log)",
        "insert into log (seq, at, kind, body, leaf_hash, chain_hash)
           select max(seq) + 2, 1, 'seal', '{}', zeroblob(32), zeroblob(32) from log",
        "insert into log (seq, at, kind, body, leaf_hash, chain_hash)
           values (0, 1, 'seal', '{}', zeroblob(32), zeroblob(32))",
        "update audit set act = 'x'",
        "delete from audit",
        "update case_events set what = 'x'",
        "delete from case_events",
        // A person decides.
        "insert into decisions (case_id, version_id, at, choices, undo_until)
           select id, version_id, 1, '[]', 1 from cases",
        "insert into decisions (case_id, version_id, user_id, policy, at, choices, undo_until)
           select id, version_id, 1, 'p', 1, '[]', 1 from cases",
        // Identity.
        "insert into items (account_id, platform_id, kind, by_us, presence, presence_at,
            first_fetched_at, last_fetched_at) values (1, '1', 'comment', 0, 'visible', 1, 1, 1)",
        "update items set presence = 'kanske'",
        "insert into versions (item_id, number, content_hash, text, author, attachments, presence,
            fetched_at, payload) values (1, 1, zeroblob(32), '', '{}', '[]', 'visible', 1, x'')",
        "update cases set state = 'kanske'",
        "update cases set claimed_by = 1, claimed_until = null",
        "update actions set due_at = null where state = 'pending'",
    ] {
        let tried = raw.execute(sql, []);
        let nothing_there = sql.contains("actions");
        match tried {
            Ok(0) if nothing_there => {}
            tried => refused(tried, sql),
        }
    }
}

#[tokio::test]
async fn a_trigger_that_is_gone_or_a_table_that_is_not_ours_is_named() {
    let bench = Bench::new().await;
    assert_eq!(bench.store.damage().await.unwrap(), Vec::<String>::new());
    let raw = rusqlite::Connection::open(bench.store.path()).unwrap();
    raw.execute_batch("drop trigger log_is_never_cut; create table eget (n integer)").unwrap();
    assert_eq!(
        bench.store.damage().await.unwrap(),
        ["trigger log_is_never_cut saknas", "table eget hör inte till Uppsikt"]
    );
}

/// Two administrators who shut each other out at once would leave nobody: the second is refused in its own step.
#[tokio::test]
async fn the_last_administrator_is_not_shut_out_by_a_person() {
    let bench = Bench::new().await;
    let (one, two) = (bench.user_named("ada").await, bench.user_named("bo").await);
    bench
        .raw()
        .execute("update users set role = 'administrator' where id in (?1, ?2)", [one.0, two.0])
        .unwrap();
    let by = |user: UserId| AuditLine { user: Some(user), ..line("user.disable") };
    bench.store.set_active(one, false, by(two), at(1)).await.unwrap();
    let refused = bench.store.set_active(two, false, by(one), at(1)).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Refused { why } if why.contains("enda")), "{refused:?}");
    // On the server itself it can be done.
    bench.store.set_active(two, false, line("user.disable"), at(2)).await.unwrap();
}
