//! An export of many records, and what memory it takes: the same for ten thousand as for a few hundred.
//!
//! `UPPSIKT_RECORDS=10000 cargo test many::an_export` says what it took; the long tier does so. Records are sealed
//! with texts of 20 kB, so that an export that held them all would show.

use crate::domain::ids::{EvidenceId, PlatformItemId};
use crate::domain::item::{Batch, FetchedItem, ItemKind};
use crate::services::deliveries::PackageForm;
use crate::services::packages;
use crate::services::tests::harness::{Stage, seal_plainly};

/// How many unless `UPPSIKT_RECORDS` says otherwise: about two seconds.
const FEW: usize = 40;
/// From so many on what it takes is held against the bound: fewer drown in what else the process holds.
const MEASURED: usize = 2_000;
/// What an export may take beside what was there before, however many records it has.
const MOST_KB: u64 = 100 * 1024;
/// Items that come in at a time.
const AT_ONCE: usize = 500;

/// A line of `/proc/self/status`, in kB; nothing where there is none.
fn memory_kb(what: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()
}

#[tokio::test]
async fn an_export_of_many_takes_no_more_memory_than_one_of_few() {
    let n = std::env::var("UPPSIKT_RECORDS").ok().and_then(|n| n.parse().ok()).unwrap_or(FEW);
    let stage = Stage::new().await;
    let store = stage.store();
    let text = "Hur gick det med bron till slut? ".repeat(600);
    let ids: Vec<_> = (0..n).collect();
    for some in ids.chunks(AT_ONCE) {
        let item = |id: &usize| {
            let id = format!("m{id}");
            let said = format!("{id} {text}");
            FetchedItem::new(PlatformItemId::new(id), ItemKind::Comment, &said, "{}")
        };
        let batch = Batch { items: some.iter().map(item).collect(), ..Batch::default() };
        store.commit_batch(stage.account, batch, stage.now(), stage.now()).await.unwrap();
    }
    while stage.services.assess_waiting().await.unwrap() {}
    let raw = rusqlite::Connection::open(store.path()).unwrap();
    let versions: Vec<i64> = raw
        .prepare("select id from versions order by id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for version in versions {
        store.want_evidence(crate::domain::ids::VersionId(version), stage.now()).await.unwrap();
    }
    while !store.wanted_evidence(stage.now(), 1).await.unwrap().is_empty() {
        seal_plainly(&stage.services).await;
    }
    let records: Vec<i64> = raw
        .prepare("select id from evidence where state = 'sealed' order by id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(records.len(), n);
    let records: Vec<_> = records.into_iter().map(EvidenceId).collect();
    // From here on the highest is that of the export.
    let forgets = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = memory_kb("VmRSS");
    let (out, begun) = (stage.dir.path().join("many.zip"), std::time::Instant::now());
    let (evidence, clock) = (&stage.services.inner.evidence, stage.clock.clock());
    let form = PackageForm::Zip;
    packages::export(store, evidence, &records, &out, "Exempelstad", &clock, &form).await.unwrap();
    let took = begun.elapsed();
    let (peak, size) = (memory_kb("VmHWM"), std::fs::metadata(&out).unwrap().len());
    assert!(packages::verify(&out, &|_, _| {}).unwrap().is_whole());
    if let (true, Some(before), Some(peak)) = (forgets && n >= MEASURED, before, peak) {
        let more = peak.saturating_sub(before);
        println!(
            "{n} records, {} MB of texts, a package of {} kB in {:.1} s: {more} kB more at the most than the {before} kB before",
            n * text.len() / 1_000_000,
            size / 1_000,
            took.as_secs_f64(),
        );
        assert!(more < MOST_KB, "{more} kB");
    }
}
