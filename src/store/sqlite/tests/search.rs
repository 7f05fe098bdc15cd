//! Full-text search: what is found, what leaves the index, and that it is written with the item.

use proptest::prelude::*;

use super::{Bench, at, batch, item};
use crate::domain::ids::VersionId;
use crate::domain::search::{Question, indexed};
use crate::store::rows::QueueFilter;
use crate::store::sqlite::search::{Search, Sought};

fn search(sought: Sought) -> Search {
    Search {
        sought,
        account: None,
        state: None,
        beyond_cases: true,
        from: None,
        before: None,
        offset: 0,
        most: 10,
        shut: Vec::new(),
    }
}

fn words(asked: &str) -> Search {
    search(Sought::Words(Question::read(asked).unwrap().expression()))
}

async fn found(bench: &Bench, search: Search) -> Vec<i64> {
    bench.store.search(search).await.unwrap().into_iter().map(|row| row.version.0).collect()
}

/// What the index itself holds of a stem, in every page of the file and of what is written ahead.
fn lies_in_the_file(bench: &Bench, stem: &str) -> bool {
    bench.raw().query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
    let bytes = std::fs::read(bench.dir.path().join("uppsikt.db")).unwrap();
    bytes.windows(stem.len()).any(|window| window == stem.as_bytes())
}

/// SQLite's cutting of words knows other letters than ours.
#[test]
fn whatever_is_asked_the_index_answers() {
    let index = rusqlite::Connection::open_in_memory().unwrap();
    index
        .execute_batch(
            "create virtual table w using fts5 (words,
               tokenize = \"unicode61 remove_diacritics 0 tokenchars '§'\", detail = 'none')",
        )
        .unwrap();
    let found = |text: &str| {
        let Ok(question) = Question::read(text) else { return None };
        index.execute("insert into w (words) values (?1)", [indexed(text)]).unwrap();
        let n: i64 = index
            .query_row(
                "select count(*) from w where w match ?1 and rowid = last_insert_rowid()",
                [question.expression()],
                |row| row.get(0),
            )
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        Some(n)
    };
    for text in [
        "مُحمد",
        "น้ำ",
        "हिन्दी",
        "🅰🅱c",
        "ⓐb",
        "a\u{10D0}",
        "ᏣᎳᎩ",
        "𐓏𐓘",
        "ꟊx",
        "ΐ",
        "ß",
        "İstanbul",
        "ſkola",
    ] {
        assert_eq!(found(text), Some(1), "{text}");
    }
    proptest!(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() },
    |(text in "[\\p{L}\\p{M}\\p{N}\\p{S}* ]{1,12}")| {
        let text = text.replace('*', " ");
        prop_assert_ne!(found(&text), Some(0), "what is in the index is found: {}", text);
    });
}

#[tokio::test]
async fn items_are_found_by_any_form_newest_first_within_limits() {
    let bench = Bench::new().await;
    let one = bench.open("1", 1, at(60)).await;
    bench.commit(batch(vec![item("2", "Skolorna i Granby")]), at(100)).await;
    bench.commit(batch(vec![item("3", "Vår skola; ring 070-123 45 67")]), at(200)).await;
    bench.commit(batch(vec![item("3", "Vår buss")]), at(300)).await;
    assert_eq!(found(&bench, words("skolan")).await, [3, 2]);
    assert_eq!(found(&bench, words("skol* granby")).await, [2]);
    assert_eq!(found(&bench, Search { offset: 1, most: 1, ..words("skola") }).await, [2]);
    let spans =
        [(Some(150), None, vec![3]), (None, Some(200), vec![2]), (Some(100), Some(101), vec![2])];
    for (from, before, expected) in spans {
        let (from, before) = (from.map(at), before.map(at));
        assert_eq!(found(&bench, Search { from, before, ..words("skola") }).await, expected);
    }
    // What has no case is found where that is asked for.
    assert!(found(&bench, Search { beyond_cases: false, ..words("skola") }).await.is_empty());
    // An earlier wording is found, and told from what stands now.
    let row = &bench.store.search(words("skola granby")).await.unwrap()[0];
    assert!(row.current && row.case.is_none());
    assert!(!bench.store.search(words("skola")).await.unwrap()[0].current);
    // Nobody's number and nobody's name.
    assert!(found(&bench, words("070 45")).await.is_empty());
    assert!(!lies_in_the_file(&bench, "07012"));
    let open = Some(QueueFilter::Open);
    assert!(found(&bench, Search { state: open, ..words("skola") }).await.is_empty());
    let its = words(&bench.store.version(one.version).await.unwrap().text);
    assert_eq!(found(&bench, Search { state: open, ..its.clone() }).await, [one.version.0]);
    let account = Some("annat".to_owned());
    assert!(found(&bench, Search { account, ..its }).await.is_empty());
    assert!(found(&bench, search(Sought::Diary("KS 2026/1".into()))).await.is_empty());
    assert!(found(&bench, search(Sought::Evidence(99))).await.is_empty());
}

#[tokio::test]
async fn what_is_wiped_or_suspected_leaves_the_index_and_its_file() {
    let bench = Bench::new().await;
    bench.commit(batch(vec![item("1", "Flaggstångsknopparna")]), at(0)).await;
    bench.commit(batch(vec![item("2", "Gräsklipparbladen")]), at(0)).await;
    assert_eq!(found(&bench, words("flaggstångsknopp*")).await.len(), 1);
    assert!(lies_in_the_file(&bench, "gräsklipparbl"));
    // As disposal wipes it, whoever does.
    let raw = bench.raw();
    raw.pragma_update(None, "secure_delete", true).unwrap();
    raw.execute("update versions set text = '[gallrat]', payload = x'' where id = 2", []).unwrap();
    assert!(found(&bench, words("gräsklipparbladen")).await.is_empty());
    assert!(!lies_in_the_file(&bench, "gräsklipparbl"));
    raw.execute("update items set no_copy = 1 where id = 1", []).unwrap();
    assert!(found(&bench, words("flaggstångsknopparna")).await.is_empty());
    // An edit of it comes in no more.
    bench.commit(batch(vec![item("1", "Flaggstångsknopparna igen")]), at(5)).await;
    assert!(found(&bench, words("flaggstångsknopparna")).await.is_empty());
}

#[tokio::test]
async fn a_database_older_than_the_index_is_taken_in_when_it_is_opened() {
    let bench = Bench::new().await;
    for n in 0..5 {
        bench.commit(batch(vec![item(&n.to_string(), "Skolorna")]), at(n)).await;
    }
    let raw = bench.raw();
    raw.execute("delete from item_words", []).unwrap();
    raw.execute("insert into item_words (rowid, words) values (1, '§1 skol')", []).unwrap();
    let settings = crate::store::Settings { path: bench.dir.path().join("uppsikt.db") };
    let again = crate::store::Store::open(&settings).unwrap();
    let rows = again.search(words("skola")).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.version).collect::<Vec<_>>(),
        [5, 4, 3, 2, 1].map(VersionId)
    );
}
