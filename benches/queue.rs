//! How long a page of the queue takes with 1,000,000 cases stored (budget: 50 ms at p95).
//!
//! `cargo bench --bench queue`, or in another profile `cargo bench --profile dev --bench queue`.
//! The number of cases may be given as an argument.
//!
//! The cases are laid in by plain SQL, beside the store's own methods, since a million through the
//! front door takes half an hour: nine in ten closed, the rest spread over the other states.

use std::time::{Duration, Instant};

use uppsikt::domain::ids::CaseId;
use uppsikt::store::rows::QueueFilter;
use uppsikt::store::{Settings, Store};

const CASES: u64 = 1_000_000;
const ROUNDS: usize = 200;
const PAGE: u32 = 51;

/// Lays in accounts, items, versions, verdicts and cases.
fn fill(path: &std::path::Path, n_cases: u64) -> rusqlite::Result<()> {
    let raw = rusqlite::Connection::open(path)?;
    raw.execute_batch(
        "pragma synchronous = off; pragma cache_size = -200000;
         pragma foreign_keys = off; begin;",
    )?;
    raw.execute_batch(
        "with recursive s(n) as (select 1 union all select n + 1 from s where n < 20)
         insert into accounts select n, 'konto-' || n, 'facebook', 'Konto ' || n, 1, 0 from s;",
    )?;
    raw.execute_batch("insert into fetch_states (account_id) select id from accounts;")?;
    let series = format!(
        "with recursive s(n) as (select 1 union all select n + 1 from s where n < {n_cases})"
    );
    raw.execute_batch(&format!(
        "{series} insert into items (id, account_id, platform_id, kind, post_id, by_us, presence,
             presence_at, first_fetched_at, last_fetched_at, created_at, current_version_id)
           select n, n % 20 + 1, 'p' || n, 'comment', 'post-' || (n / 200), 0, 'visible',
             n * 1000, n * 1000, n * 1000, n * 1000, n from s;
         {series} insert into versions (id, item_id, number, content_hash, text, author,
             attachments, presence, fetched_at, payload, assessed_by)
           select n, n, 1, zeroblob(32),
             'Kommentar nummer ' || n || ' som är så lång som kommentarer brukar vara, en mening eller två.',
             json_object('platform_id', 'a' || (n % 50000), 'name', 'Kim Exempel', 'handle', null, 'url', null),
             '[]', 'visible', n * 1000, x'7b7d', 'l1' from s;
         {series} insert into verdicts (version_id, lexicon, at, verdict)
           select n, 'l1', n * 1000,
             '{{\"lexicon\":\"l1\",\"findings\":[{{\"category\":\"threat\",\"severity\":\"high\",\"rule\":\"hot.prov\",\"spans\":[[0,9]],\"why\":\"Prov.\",\"legal\":\"BrB 4:5\"}}]}}'
           from s;
         {series} insert into cases (id, item_id, version_id, state, state_json, rank, severity,
             category, opened_at, due_at, changed_at, account_id)
           select n, n, n, state,
             case state when 'closed' then '{{\"state\":\"closed\",\"outcome\":\"dismissed\"}}'
               when 'returned' then '{{\"state\":\"returned\",\"reason\":\"Prov.\"}}'
               when 'held' then '{{\"state\":\"held\",\"until\":\"2030-01-01T00:00:00Z\"}}'
               else json_object('state', state) end,
             case state when 'returned' then 0 else n % 2 + 1 end, 3, 'threat', n * 1000,
             (n * 7919 % {n_cases}) * 1000, n * 1000, n % 20 + 1
           from (select n, case n % 20 when 0 then 'waiting' when 1 then
                   case n % 100 when 1 then 'returned' when 21 then 'held' when 41 then 'awaiting_diary'
                   else 'waiting' end else 'closed' end as state from s);"
    ))?;
    raw.execute_batch("commit;")?;
    Ok(())
}

/// Runs something many times and says how long it took.
fn measure<F: Future<Output = usize>>(
    runtime: &tokio::runtime::Runtime,
    name: &str,
    mut once: impl FnMut(usize) -> F,
) {
    let mut times: Vec<Duration> = Vec::with_capacity(ROUNDS);
    let mut n_rows = 0;
    for round in 0..ROUNDS {
        let begun = Instant::now();
        n_rows = n_rows.max(runtime.block_on(once(round)));
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let at = |share: f64| times[((ROUNDS - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    let (p50, p95, most) = (at(0.5), at(0.95), at(1.0));
    println!("{name:<28} p50 {p50:>8.2} ms  p95 {p95:>8.2} ms  max {most:>8.2} ms  {n_rows} rows");
}

fn main() {
    let n_cases =
        std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(CASES);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("uppsikt.db");
    // Makes the schema.
    drop(Store::open(&Settings { path: path.clone() }).expect("a new database"));
    let begun = Instant::now();
    fill(&path, n_cases).expect("the cases go in");
    println!("{n_cases} cases laid in, {:.0} s", begun.elapsed().as_secs_f64());
    let store = Store::open(&Settings { path }).expect("the database opens");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (name, filter, offset) in [
        ("open", QueueFilter::Open, 0),
        ("open, page 20", QueueFilter::Open, 1_000),
        ("held", QueueFilter::Held, 0),
        ("awaiting diary", QueueFilter::AwaitingDiary, 0),
        ("closed", QueueFilter::Closed, 0),
    ] {
        measure(&runtime, name, |_| async {
            store.queue(filter, None, offset, PAGE).await.expect("a page").len()
        });
    }
    measure(&runtime, "open, one account", |round| {
        let key = Some(format!("konto-{}", round % 20 + 1));
        let store = &store;
        async move { store.queue(QueueFilter::Open, key, 0, PAGE).await.expect("a page").len() }
    });
    measure(&runtime, "open, unknown account", |_| async {
        let key = Some("okänt".to_owned());
        store.queue(QueueFilter::Open, key, 0, PAGE).await.expect("a page").len()
    });
    measure(&runtime, "counts", |_| async {
        store.case_counts().await.expect("counts").open as usize
    });
    measure(&runtime, "accounts' overview", |_| async {
        store.account_overview().await.expect("an overview").len()
    });
    let case = |round: usize| CaseId((round as i64 * 7_919) % n_cases as i64 + 1);
    measure(&runtime, "neighbours", |round| {
        let store = &store;
        async move { usize::from(store.neighbours(case(round)).await.expect("two").0.is_some()) }
    });
    measure(&runtime, "an author's earlier cases", |round| {
        let store = &store;
        async move { store.earlier_cases_of_author(case(round), 10).await.expect("cases").len() }
    });
}
