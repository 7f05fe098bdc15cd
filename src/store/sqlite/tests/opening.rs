//! Opening a database: ours, a newer one, none at all; and a disk that is full.

use super::*;

fn open(path: &std::path::Path) -> Result<Store, StoreError> {
    Store::open(&Settings { path: path.to_owned() })
}

#[tokio::test]
async fn a_database_is_opened_again_with_all_it_held() {
    let bench = Bench::new().await;
    bench.commit(batch(vec![item("1", "a")]), at(0)).await;
    let path = bench.store.path().to_owned();
    let Bench { dir, store, .. } = bench;
    drop(store);
    let again = open(&path).unwrap();
    assert_eq!(again.version(VersionId(1)).await.unwrap().text, "a");
    assert_eq!(again.settle_fact("installation", "annan".into()).await.unwrap(), "prov");
    drop(dir);
}

#[test]
fn a_database_of_the_first_version_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("uppsikt.db");
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch(include_str!("../migrations/0001_ground.sql")).unwrap();
    raw.execute_batch(
        "insert into accounts values (1, 'a', 'facebook', 'A', 1, 0);
         insert into fetch_states (account_id) values (1);
         insert into items (account_id, platform_id, kind, by_us, presence, presence_at,
           first_fetched_at, last_fetched_at) values (1, '1', 'comment', 0, 'visible', 0, 0, 0);
         insert into versions (id, item_id, number, content_hash, text, author, attachments, presence,
           fetched_at, payload) values (1, 1, 1, zeroblob(32), 'a', '{}', '[]', 'visible', 0, x'7b7d');
         insert into cases (item_id, version_id, state, state_json, rank, severity, opened_at, due_at,
           changed_at) values (1, 1, 'waiting', '{\"state\":\"waiting\"}', 2, 2, 0, 0, 0);
         pragma user_version = 1;",
    )
    .unwrap();
    drop(raw);
    drop(open(&path).unwrap());
    let raw = Connection::open(&path).unwrap();
    let n: i64 = raw.query_row("select n_items from fetch_states", [], |r| r.get(0)).unwrap();
    assert_eq!(n, 1);
    let account: i64 = raw.query_row("select account_id from cases", [], |r| r.get(0)).unwrap();
    assert_eq!(account, 1);
    let moved = raw.execute("update cases set account_id = 2", []);
    assert!(moved.unwrap_err().to_string().contains("belongs to the account"));
    let journal: String = raw.pragma_query_value(None, "journal_mode", |r| r.get(0)).unwrap();
    assert_eq!(journal, "wal");
}

#[test]
fn places_in_the_queue_are_told_apart_when_an_older_database_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("uppsikt.db");
    let raw = Connection::open(&path).unwrap();
    for migration in [
        include_str!("../migrations/0001_ground.sql"),
        include_str!("../migrations/0002_counts_and_authors.sql"),
        include_str!("../migrations/0003_cases_by_account.sql"),
        include_str!("../migrations/0004_line_chains.sql"),
        include_str!("../migrations/0005_seen_signatures.sql"),
        include_str!("../migrations/0006_likeness_and_rules.sql"),
    ] {
        raw.execute_batch(migration).unwrap();
    }
    raw.execute_batch("insert into accounts values (1, 'a', 'facebook', 'A', 1, 0);").unwrap();
    let help = r#"{"findings":[{"category":"case","severity":"high"}]}"#;
    let other = r#"{"findings":[{"category":"threat","severity":"high"}]}"#;
    for (id, rank, state, verdict) in [
        (1, 0, "waiting", help),
        (2, 0, "returned", other),
        (3, 1, "waiting", other),
        (4, 2, "closed", help),
    ] {
        raw.execute_batch(&format!(
            "insert into items (id, account_id, platform_id, kind, by_us, presence, presence_at,
               first_fetched_at, last_fetched_at) values ({id}, 1, '{id}', 'comment', 0, 'visible', 0, 0, 0);
             insert into versions (id, item_id, number, content_hash, text, author, attachments, presence,
               fetched_at, payload, assessed_by)
             values ({id}, {id}, 1, zeroblob(32), 'a', '{{}}', '[]', 'visible', 0, x'7b7d', 'l');
             insert into verdicts values ({id}, 'l', 0, '{verdict}');
             insert into cases (id, item_id, version_id, state, state_json, rank, severity, opened_at,
               due_at, changed_at, account_id)
             values ({id}, {id}, {id}, '{state}', '{{\"state\":\"{state}\"}}', {rank}, 3, 0, 0, 0, 1);"
        ))
        .unwrap();
    }
    raw.pragma_update(None, "user_version", 6).unwrap();
    drop(raw);
    drop(open(&path).unwrap());
    let raw = Connection::open(&path).unwrap();
    let mut ranks = raw.prepare("select rank from cases order by id").unwrap();
    let ranks: Vec<i64> = ranks.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(ranks, [0, 1, 2, 3]);
    let beyond = raw.execute("update cases set rank = 4 where id = 1", []);
    assert!(beyond.unwrap_err().to_string().contains("CHECK"));
}

#[test]
fn items_whose_text_became_another_stand_in_no_group_when_an_older_database_is_brought_up_to_date()
{
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("uppsikt.db");
    let raw = Connection::open(&path).unwrap();
    for migration in [
        include_str!("../migrations/0001_ground.sql"),
        include_str!("../migrations/0002_counts_and_authors.sql"),
        include_str!("../migrations/0003_cases_by_account.sql"),
        include_str!("../migrations/0004_line_chains.sql"),
        include_str!("../migrations/0005_seen_signatures.sql"),
        include_str!("../migrations/0006_likeness_and_rules.sql"),
    ] {
        raw.execute_batch(migration).unwrap();
    }
    raw.execute_batch("insert into accounts values (1, 'a', 'facebook', 'A', 1, 0);").unwrap();
    for id in 1..=3 {
        raw.execute_batch(&format!(
            "insert into items (id, account_id, platform_id, kind, by_us, presence, presence_at,
               first_fetched_at, last_fetched_at) values ({id}, 1, '{id}', 'comment', 0, 'visible', 0, 0, 0);
             insert into versions (id, item_id, number, content_hash, text, author, attachments, presence,
               fetched_at, payload, assessed_by)
             values ({id}, {id}, 1, zeroblob(32), 'a', '{{}}', '[]', 'visible', 0, x'7b7d', 'l');
             update items set current_version_id = {id} where id = {id};
             insert into alikes (item_id, group_id) values ({id}, 1);
             insert into cases (id, item_id, version_id, state, state_json, rank, severity, opened_at,
               due_at, changed_at, account_id)
             values ({id}, {id}, {id}, 'waiting', '{{\"state\":\"waiting\"}}', 2, 1, 0, 0, 0, 1);"
        ))
        .unwrap();
    }
    // The first of them was edited.
    raw.execute_batch(
        "insert into versions (id, item_id, number, content_hash, text, author, attachments, presence,
           fetched_at, payload, assessed_by)
         values (9, 1, 2, randomblob(32), 'b', '{}', '[]', 'visible', 0, x'7b7d', 'l');
         update items set current_version_id = 9 where id = 1;",
    )
    .unwrap();
    raw.pragma_update(None, "user_version", 6).unwrap();
    drop(raw);
    drop(open(&path).unwrap());
    let raw = Connection::open(&path).unwrap();
    let mut stands = raw.prepare("select group_id, behind from cases order by id").unwrap();
    let stands: Vec<(Option<i64>, i64)> = stands
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(stands, [(None, 0), (Some(1), 0), (Some(1), 1)]);
}

#[test]
fn a_newer_database_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("uppsikt.db");
    drop(open(&path).unwrap());
    let raw = Connection::open(&path).unwrap();
    raw.pragma_update(None, "user_version", 999).unwrap();
    drop(raw);
    let refused = open(&path);
    assert!(matches!(&refused, Err(StoreError::Newer { path: p }) if *p == path), "{refused:?}");
    let raw = Connection::open(&path).unwrap();
    let version: i64 = raw.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap();
    assert_eq!(version, 999);
}

#[test]
fn what_is_no_database_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("uppsikt.db");
    let text = "detta är ingen databas. ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    let refused = open(&path);
    assert!(matches!(&refused, Err(StoreError::Open { path: p, .. }) if *p == path), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let folder = open(dir.path());
    assert!(matches!(folder, Err(StoreError::Open { .. })), "{folder:?}");
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let bench = Bench::new().await;
    bench.commit(batch(vec![item("1", "a")]), at(0)).await;
    // The database may not grow: to its writer that is a full disk.
    let set = |pages: i64| {
        bench.store.write(move |tx| {
            Ok(tx.query_row(&format!("pragma max_page_count = {pages}"), [], |r| {
                r.get::<_, i64>(0)
            })?)
        })
    };
    set(1).await.unwrap();
    let many = (2..200).map(|n| item(&n.to_string(), &"x".repeat(2_000))).collect();
    let mut large = batch(many);
    large.next = Some(Cursor::new("c2"));
    let refused = bench.store.commit_batch(bench.account, large.clone(), at(1), at(1)).await;
    assert!(matches!(refused, Err(StoreError::NotWritable(_))), "{refused:?}");
    assert!(!bench.store.is_writable(), "said at once");
    let raw = bench.raw();
    let n: i64 = raw.query_row("select count(*) from items", [], |r| r.get(0)).unwrap();
    assert_eq!(n, 1);
    let state = bench.store.fetch_state(bench.account).await.unwrap();
    assert_eq!(state.cursor, Some(Cursor::new("c1")));
    // With room again the same batch goes through.
    set(1_000_000).await.unwrap();
    assert_eq!(bench.commit(large, at(2)).await.new_items, 198);
    assert!(bench.store.is_writable());
}

#[tokio::test]
async fn a_write_that_panics_is_rolled_back_and_the_next_one_goes() {
    let bench = Bench::new().await;
    let account = bench.account;
    let panicked = bench
        .store
        .write(move |tx| -> Result<(), StoreError> {
            tx.execute("update accounts set name = 'halv' where id = ?1", [account.0])?;
            panic!("on purpose");
        })
        .await;
    assert!(panicked.is_err());
    bench.commit(batch(vec![item("1", "a")]), at(0)).await;
    assert_eq!(bench.store.account_overview().await.unwrap()[0].account.name, "Exempelstad");
}
