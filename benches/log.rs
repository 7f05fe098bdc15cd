//! What the log takes with 1,000,000 entries (budgets: an entry under 1 ms, a proof under 5 ms), and how
//! long all of it takes to verify.
//!
//! `cargo bench --bench log`, or in another profile `cargo bench --profile dev --bench log`.
//! The number of entries may be given as an argument. Entries are laid in by plain SQL; the tree over them is
//! what opening such a database makes.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use uppsikt::domain::ids::ContentHash;
use uppsikt::domain::log::{chain_hash, genesis, leaf_hash};
use uppsikt::domain::tree::{goes_on, root_of_path};
use uppsikt::evidence::verify::{Options, verify};
use uppsikt::evidence::{self, EvidenceStore};
use uppsikt::runtime::clock::Clock;
use uppsikt::store::rows::AuditLine;
use uppsikt::store::{Settings, Store};

const ENTRIES: u64 = 1_000_000;
const ROUNDS: u64 = 500;

/// Lays in entries as an older version wrote them, without a tree, and their heads.
fn fill(database: &Path, heads: &Path, n: u64) -> rusqlite::Result<()> {
    let mut raw = rusqlite::Connection::open(database)?;
    raw.execute_batch("pragma synchronous = off; pragma cache_size = -200000;")?;
    let mut noted = std::io::BufWriter::new(std::fs::File::create(heads).expect("a file"));
    let tx = raw.transaction()?;
    let mut chain = genesis();
    writeln!(noted, "0 {chain}").expect("written");
    {
        let mut insert = tx.prepare("insert into log values (?1, ?2, 'undo', ?3, ?4, ?5)")?;
        for seq in 1..=n {
            let at = Timestamp::from_millisecond(1_780_000_000_000 + seq as i64).expect("a time");
            let lines = serde_json::json!({ "n": 0, "sha256": genesis() });
            let body = serde_json::json!({
                "seq": seq, "at": at, "kind": "undo", "record": { "decision": seq },
                "lines": { "audit": lines, "history": lines },
            })
            .to_string();
            let leaf = leaf_hash(body.as_bytes());
            chain = chain_hash(chain, leaf);
            let at = at.as_millisecond();
            insert.execute(rusqlite::params![seq, at, body, leaf.bytes(), chain.bytes()])?;
            writeln!(noted, "{seq} {chain}").expect("written");
        }
    }
    tx.commit()?;
    noted.flush().expect("written");
    Ok(())
}

/// What this machine does at most: reading a file from the disk (or its cache), and hashing it, in MB/s.
fn speeds(file: &Path) -> (f64, f64) {
    const CHUNK_BYTES: usize = 1 << 20;
    let mut file = std::fs::File::open(file).expect("the database");
    let mut chunk = vec![0; CHUNK_BYTES];
    let (mut n_bytes, mut reading, mut hashing) = (0_usize, Duration::ZERO, Duration::ZERO);
    loop {
        let begun = Instant::now();
        let n = file.read(&mut chunk).expect("read");
        reading += begun.elapsed();
        if n == 0 {
            break;
        }
        let begun = Instant::now();
        std::hint::black_box(ContentHash::of(&chunk[..n]));
        hashing += begun.elapsed();
        n_bytes += n;
    }
    let mb = n_bytes as f64 / 1e6;
    (mb / reading.as_secs_f64(), mb / hashing.as_secs_f64())
}

fn tell(name: &str, budget_ms: Option<f64>, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at =
        |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    let (p50, p95, most) = (at(0.5), at(0.95), at(1.0));
    let kept = match budget_ms {
        Some(budget) if p95 <= budget => format!("  (budget {budget} ms: kept at p95)"),
        Some(budget) if p50 <= budget => format!("  (budget {budget} ms: kept at p50 alone)"),
        Some(budget) => format!("  (budget {budget} ms: broken)"),
        None => String::new(),
    };
    println!("{name:<28} p50 {p50:>8.3} ms  p95 {p95:>8.3} ms  max {most:>8.3} ms{kept}");
}

fn main() {
    let n = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(ENTRIES);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("uppsikt.db");
    let folder = dir.path().join("evidence");
    std::fs::create_dir(&folder).expect("a folder");
    drop(Store::open(&Settings { path: path.clone() }).expect("a new database"));
    fill(&path, &folder.join("heads.txt"), n).expect("the entries go in");

    let begun = Instant::now();
    let store = Store::open(&Settings { path }).expect("the database opens");
    println!("{n} entries taken into the tree, {:.1} s", begun.elapsed().as_secs_f64());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let clock = Clock::system();
    let settings = evidence::Settings::in_folder(folder);
    let evidence =
        EvidenceStore::open(&settings, store.clone(), clock.clone()).expect("the folder opens");
    runtime.block_on(async {
        // What was laid in is signed first, as a running service has it.
        let begun = Instant::now();
        evidence.checkpoint().await.expect("signed");
        println!("head signed, {:.3} s", begun.elapsed().as_secs_f64());
        let mut times = Vec::new();
        let (_, _, mut previous) = store.tree_head_and_key().await.expect("a head");
        for round in 0..ROUNDS {
            let id = format!("{round:08x}");
            let begun = Instant::now();
            store
                .add_key(id.clone(), [7; 32], previous, None, clock.now())
                .await
                .expect("an entry is added");
            times.push(begun.elapsed());
            previous = Some(id);
        }
        tell("append, durable", Some(1.0), times);
        // The disk's share: a row of the audit log, which has no tree.
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let line = AuditLine {
                user: None,
                user_name: "prov".into(),
                act: "prov",
                subject: "prov".into(),
                address: "lokalt".into(),
                detail: None,
            };
            let begun = Instant::now();
            store.record_audit(line, clock.now()).await.expect("a line is added");
            times.push(begun.elapsed());
        }
        tell("an audit line, durable", None, times);
        let (size, root, _) = store.tree_head_and_key().await.expect("a head");
        // And the key that signed.
        assert_eq!(size, n + ROUNDS + 1);
        let (mut inclusions, mut consistencies) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let seq = (round * 7_919 * 104_729) % size + 1;
            let begun = Instant::now();
            let proof = store.inclusion(seq, size).await.expect("a proof");
            inclusions.push(begun.elapsed());
            assert_eq!(root_of_path(proof.leaf, proof.index, size, &proof.path), Some(root));
            let old = store.tree_root(seq).await.expect("a head");
            let begun = Instant::now();
            let proof = store.consistency(seq, size).await.expect("a proof");
            consistencies.push(begun.elapsed());
            assert!(goes_on((seq, old), (size, root), &proof.path));
        }
        tell("proof of inclusion", Some(5.0), inclusions);
        tell("proof of consistency", Some(5.0), consistencies);
        let begun = Instant::now();
        evidence.note_head().await.expect("noted");
        let report = verify(&evidence, &store, &Options::default()).await.expect("verified");
        // The keys of this bench are none.
        let of_log = |f: &&evidence::verify::Fault| !f.place.starts_with("nyckel");
        assert_eq!(report.faults.iter().find(of_log), None, "whole");
        assert_eq!(report.n_entries, size);
        let took = begun.elapsed().as_secs_f64();
        let mb = std::fs::metadata(store.path()).expect("the database").len() as f64 / 1e6;
        println!("all verified, {took:.1} s: {:.0} entries/s, {:.0} MB/s of database", size as f64 / took, mb / took);
        let (disk, hash) = speeds(store.path());
        println!("for comparison: this disk (or its cache) is read at {disk:.0} MB/s, one core hashes {hash:.0} MB/s");
    });
}
