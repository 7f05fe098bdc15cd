//! Tree, keys and checkpoints: made, noted, changed; and every way of changing them past our code
//! is found and named.

use super::*;
use crate::evidence::checkpoints::CheckpointSettings;
use crate::evidence::package::Form;
use crate::evidence::verify::one::verify_one;
use crate::evidence::verify::{Options, Report};
use crate::store::anchors::CheckpointRow;

/// Two checkpoints by one key, one by the next.
pub(super) async fn signed() -> Bench {
    let bench = Bench::new().await;
    bench.store.settle_fact("installation", "prov".into()).await.unwrap();
    bench.sealed("1").await;
    bench.sealed("2").await;
    assert_eq!(
        bench.evidence.checkpoint().await.unwrap().unwrap().size,
        3,
        "two seals and the key"
    );
    bench.sealed("3").await;
    // Signs what is before it, then takes the new key in, then signs that.
    bench.evidence.rotate_key().await.unwrap();
    bench.sealed("4").await;
    bench
}

fn kept_elsewhere(bench: &Bench) -> PathBuf {
    let copy = bench.dir.path().join("vittne.txt");
    std::fs::copy(bench.evidence.checkpoints_file(), &copy).unwrap();
    copy
}

pub(super) async fn report(bench: &Bench, store: &Store, witnesses: Vec<PathBuf>) -> Report {
    let options = Options { witnesses, progress: None };
    verify(&bench.evidence, store, &options).await.unwrap()
}

#[tokio::test]
async fn what_was_signed_verifies_and_tells_what_it_cannot_know() {
    let bench = signed().await;
    let alone = report(&bench, &bench.store, Vec::new()).await;
    assert_eq!(alone.faults, []);
    assert_eq!((alone.n_checkpoints, alone.n_signed_entries, alone.n_entries), (3, 5, 6));
    assert!(alone.notes.iter().any(|n| n.contains("kan det inte uteslutas")), "{:?}", alone.notes);
    let witness = kept_elsewhere(&bench);
    let held = report(&bench, &bench.store, vec![witness]).await;
    assert_eq!(held.faults, []);
    assert!(held.notes.iter().any(|n| n.contains("omfattar 5 av 6")), "{:?}", held.notes);
}

#[tokio::test]
async fn a_checkpoint_is_made_by_number_by_age_and_not_twice() {
    let bench = Bench::new().await;
    let sizes = async || -> Vec<u64> {
        bench.evidence.checkpoint_if_due().await.unwrap();
        let rows = bench.store.checkpoints_after(0, 100).await.unwrap();
        rows.into_iter().map(|row| row.size).collect()
    };
    assert!(sizes().await.is_empty(), "nothing has come");
    bench.sealed("1").await;
    assert!(sizes().await.is_empty(), "neither many nor old");
    bench.clock.advance(SignedDuration::from_mins(61));
    assert_eq!(sizes().await, [2], "the first key is an entry too");
    bench.clock.advance(SignedDuration::from_mins(61));
    assert_eq!(sizes().await, [2], "nothing new");
    for n in 2..258 {
        bench.sealed(&n.to_string()).await;
    }
    assert_eq!(sizes().await, [2, 258]);
}

#[tokio::test]
async fn a_checkpoint_that_died_before_its_note_is_noted_later_and_half_a_note_spoils_none() {
    let bench = signed().await;
    let file = bench.evidence.checkpoints_file();
    let whole = std::fs::read_to_string(&file).unwrap();
    // Between row and file; and after any part of it was written.
    let second = whole.match_indices("uppsikt/prov\n").nth(1).unwrap().0;
    for end in [0, second, second + 5, second + 60, whole.len() - 30, whole.len() - 1] {
        let end = (end..).find(|at| whole.is_char_boundary(*at)).unwrap();
        std::fs::write(&file, &whole[..end]).unwrap();
        assert_eq!(bench.faults().await, [], "a moment ago, at {end}");
        bench.evidence.checkpoint_if_due().await.unwrap();
        // Only the blank line behind a note that was whole already may be missing.
        let mended = std::fs::read_to_string(&file).unwrap();
        assert_eq!(mended.trim_end(), whole.trim_end(), "at {end}");
    }
    std::fs::remove_file(&file).unwrap();
    bench.clock.advance(SignedDuration::from_mins(11));
    bench.expect_fault("kontrollpunkterna", "saknas eller har kortats: 3").await;
}

#[tokio::test]
async fn a_file_that_cannot_be_written_keeps_no_checkpoint_from_being_made() {
    let bench = Bench::new().await;
    bench.sealed("1").await;
    // A folder in its place refuses as a full disk does.
    let file = bench.evidence.checkpoints_file();
    std::fs::create_dir(&file).unwrap();
    assert!(matches!(bench.evidence.checkpoint().await, Err(EvidenceError::Heads { .. })));
    assert_eq!(bench.store.newest_checkpoint().await.unwrap().unwrap().size, 2);
    std::fs::remove_dir(&file).unwrap();
    bench.evidence.checkpoint_if_due().await.unwrap();
    assert_eq!(bench.faults().await, []);
    assert!(std::fs::read_to_string(&file).unwrap().contains("\n2\n"));
}

#[tokio::test]
async fn a_database_put_back_with_all_files_beside_it_is_found_by_what_was_kept_elsewhere() {
    let bench = Bench::new().await;
    bench.store.settle_fact("installation", "prov".into()).await.unwrap();
    bench.sealed("1").await;
    bench.evidence.checkpoint().await.unwrap();
    let copy = bench.dir.path().join("copy.db");
    bench.raw().execute("vacuum into ?1", [copy.to_str().unwrap()]).unwrap();
    let beside: Vec<_> =
        [bench.evidence.heads_file().to_owned(), bench.evidence.checkpoints_file()]
            .into_iter()
            .map(|path| (std::fs::read(&path).unwrap(), path))
            .collect();
    bench.sealed("2").await;
    bench.evidence.checkpoint().await.unwrap();
    let witness = kept_elsewhere(&bench);
    for (bytes, path) in beside {
        std::fs::write(path, bytes).unwrap();
    }
    let old = Store::open(&crate::store::Settings { path: copy }).unwrap();
    let files = report(&bench, &old, Vec::new()).await.faults;
    assert!(files.len() == 2 && files.iter().all(|f| f.place.starts_with("fil ")), "{files:#?}");
    for fault in files {
        let hex = fault.place.trim_start_matches("fil ");
        let path = bench.dir.path().join("evidence/blobs").join(&hex[..2]).join(&hex[2..]);
        std::fs::remove_file(path).unwrap();
    }
    let alone = report(&bench, &old, Vec::new()).await;
    assert_eq!(alone.faults, [], "nothing here can tell");
    assert!(alone.notes.iter().any(|n| n.contains("kan det inte uteslutas")));
    let held = report(&bench, &old, vec![witness]).await;
    let fault = &held.faults[0];
    assert!(fault.what.contains("rullats tillbaka"), "{fault:?}");
    assert_eq!(held.faults.len(), 1);
    assert!(held.notes.iter().all(|note| !note.contains("har inte rullats tillbaka")), "{held:?}");
}

/// What is done, where the fault is, and what it says.
const BY_SQL: &[(&str, &str, &str)] = &[
    ("update log_nodes set hash = zeroblob(32) where place = 0", "trädet", "1 delträd saknas"),
    ("delete from log_nodes where place = 1", "trädet", "det första på plats 1"),
    ("delete from log_nodes", "trädet", "delträd saknas"),
    ("insert into log_nodes values (99, zeroblob(32))", "trädet", "poster som inte finns"),
    (
        "update checkpoints set root = zeroblob(32) where size = 3",
        "kontrollpunkt 3",
        "inte den som undertecknades",
    ),
    (
        "update checkpoints set at = at - 1000 where size = 3",
        "kontrollpunkt 3",
        "inte den som undertecknades",
    ),
    (
        "update checkpoints set key_id = (select max(id) from log_keys where id <> checkpoints.key_id) where size = 3",
        "kontrollpunkt 3",
        "inte den som undertecknades",
    ),
    (
        "update checkpoints set note = replace(note, char(10) || '3' || char(10), char(10) || '2' || char(10)) where size = 3",
        "kontrollpunkt 3",
        "underskriften",
    ),
    ("update checkpoints set note = 'x' where size = 3", "kontrollpunkt 3", "går inte att läsa"),
    ("update checkpoints set root = x'00' where size = 3", "kontrollpunkt 3", "går inte att läsa"),
    ("delete from checkpoints where size = 3", "checkpoints.txt rad 1", "saknas i databasen"),
    (
        "delete from log_keys where previous is not null",
        "kontrollpunkt 5",
        "inte gjord med någon av loggens nycklar",
    ),
    (
        "update log_keys set public = zeroblob(32) where previous is null",
        "kontrollpunkt 3",
        "inte gjord med någon av loggens nycklar",
    ),
    (
        "update log_keys set signature = zeroblob(64) where previous is not null",
        "nyckel",
        "inte undertecknat av den förra",
    ),
    (
        "update log_keys set signature = null where previous is not null",
        "nyckel",
        "inte den som loggen säger",
    ),
    ("update log_keys set made_at = 0, public = x'00'", "nycklarna", "går inte att läsa"),
    (
        "insert into stamps (size, state, next_at, authority, answer, stamped_at, ca_pem) values (3, 'kept', 0, 'x', x'3000', 0, 'x')",
        "tidsstämpel 3",
        "inte en tidsstämpel",
    ),
    (
        "insert into stamps (size, state, next_at) values (3, 'x', 0)",
        "tidsstämpel 3",
        "går inte att läsa",
    ),
    // The log itself, with every hash of the chain left as it was.
    (
        "update log set body = replace(body, '\"version\":1', '\"version\":2'), leaf_hash = zeroblob(32) where seq = 1",
        "kontrollpunkt 3",
        "inte de som undertecknades",
    ),
    (
        "update log set seq = 0 where seq = 1; update log set seq = 1 where seq = 2; update log set seq = 2 where seq = 0",
        "kontrollpunkt 3",
        "inte de som undertecknades",
    ),
    ("delete from log where seq > 4", "kontrollpunkt 5", "rullats tillbaka eller kortats"),
];

#[tokio::test]
async fn every_way_through_the_database_is_named() {
    for (sql, place, what) in BY_SQL {
        let bench = signed().await;
        let raw = bench.raw();
        let triggers: Vec<String> = raw
            .prepare("select name from sqlite_master where type = 'trigger'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for name in triggers {
            raw.execute_batch(&format!("drop trigger \"{name}\"")).unwrap();
        }
        raw.execute_batch(&format!("pragma ignore_check_constraints = on; {sql}")).unwrap();
        let faults = bench.faults().await;
        assert!(
            faults.iter().any(|f| f.place.starts_with(place) && f.what.contains(what)),
            "{sql}: expected `{place}: {what}`, found {faults:#?}"
        );
    }
}

#[tokio::test]
async fn every_way_through_the_files_is_named() {
    let bench = signed().await;
    let own = bench.evidence.checkpoints_file();
    let whole = std::fs::read_to_string(&own).unwrap();
    let signature = whole.lines().find(|line| line.starts_with("— ")).unwrap();
    let another = Bench::new().await;
    another.store.settle_fact("installation", "annan".into()).await.unwrap();
    another.sealed("1").await;
    another.evidence.checkpoint().await.unwrap();
    let foreign = std::fs::read_to_string(another.evidence.checkpoints_file()).unwrap();
    let cut = whole.find("\n\n— ").unwrap();
    for (text, what) in [
        (whole.replacen("\n3\n", "\n4\n", 1), "underskriften är inte gjord"),
        (whole.replacen("\n3\n", "\n900\n", 1), "rullats tillbaka"),
        (whole.replacen("\n3\n", "\nx\n", 1), "går inte att läsa"),
        (
            whole.replacen(&signature[20..40], "AAAAAAAAAAAAAAAAAAAA", 1),
            "underskriften är inte gjord",
        ),
        (foreign, "annan installations"),
        (whole[..cut].to_owned(), "går inte att läsa"),
        (String::new(), "ingen kontrollpunkt"),
    ] {
        let witness = bench.dir.path().join("vittne.txt");
        std::fs::write(&witness, &text).unwrap();
        let faults = report(&bench, &bench.store, vec![witness]).await.faults;
        assert!(faults.iter().any(|f| f.what.contains(what)), "{what}: {text} {faults:#?}");
    }
    // One that lost a line in the middle, beside the database.
    bench.clock.advance(SignedDuration::from_mins(11));
    let second = whole.match_indices("uppsikt/prov\n").nth(1).unwrap().0;
    std::fs::write(&own, &whole[second..]).unwrap();
    bench.expect_fault("kontrollpunkterna", "den första över 3 poster").await;
}

#[tokio::test]
async fn a_log_from_before_the_tree_is_taken_in_when_it_is_opened() {
    let bench = signed().await;
    let entries = bench.store.log_head().await.unwrap().0;
    for left in 0..4 {
        let raw = bench.raw();
        raw.execute("delete from log_nodes where place >= ?1", [left]).unwrap();
        drop(raw);
        let path = bench.store.path().to_owned();
        let again = Store::open(&crate::store::Settings { path }).unwrap();
        for seq in 1..=entries {
            let proof = again.inclusion(seq, entries).await.unwrap();
            let (size, root, _) = again.tree_head_and_key().await.unwrap();
            let led = crate::domain::tree::root_of_path(proof.leaf, proof.index, size, &proof.path);
            assert_eq!(led, Some(root));
        }
        assert_eq!(bench.faults().await, [], "{left} were left");
        // And it is told that it was so.
        let notes = report(&bench, &bench.store, Vec::new()).await.notes;
        let told = format!("Loggens träd har {} gånger saknat delträd", left + 1);
        assert!(notes.iter().any(|note| note.starts_with(&told)), "{notes:#?}");
    }
}

/// Wherever an entry is missing, with its subtrees or without, and whether or not the database was opened anew after
/// it: verification comes to its end and names the place.
#[tokio::test]
async fn a_gap_anywhere_in_the_log_is_named_and_stops_nothing() {
    let entries = signed().await.store.log_head().await.unwrap().0;
    for seq in 1..=entries {
        for (with_tree, reopened) in [(false, false), (false, true), (true, false), (true, true)] {
            let bench = signed().await;
            let raw = bench.raw();
            raw.execute("delete from log where seq = ?1", [seq]).unwrap();
            if with_tree {
                raw.execute("delete from log_nodes", []).unwrap();
            }
            drop(raw);
            let store = match reopened {
                true => {
                    let path = bench.store.path().to_owned();
                    Store::open(&crate::store::Settings { path }).unwrap()
                }
                false => bench.store.clone(),
            };
            let faults = report(&bench, &store, Vec::new()).await.faults;
            let places = ["logg", "kontrollpunkt", "heads.txt rad"];
            let named = |f: &Fault| places.iter().any(|place| f.place.starts_with(place));
            let at = format!("entry {seq}, tree {with_tree}, reopened {reopened}");
            assert!(faults.iter().any(named), "{at}: {faults:#?}");
        }
    }
}

/// Leaf and subtrees are one transaction: where the second cannot be written the first is not there,
/// and the record still waits.
#[tokio::test]
async fn an_entry_without_its_subtrees_is_no_entry() {
    let bench = signed().await;
    let before = bench.store.log_head().await.unwrap();
    let raw = bench.raw();
    raw.execute_batch(
        "create trigger full before insert on log_nodes begin select raise(abort, 'full'); end;",
    )
    .unwrap();
    let (_, version) = bench.version("5", "Text nummer 5").await;
    let (manifest, _, leave) = bench.manifest("5", version).await;
    let now = bench.clock.clock().now();
    let row = bench.store.want_evidence(version, now).await.unwrap();
    // The seventh entry completes nothing; the eighth does.
    bench.evidence.seal(row.id, &manifest, Some(&leave)).await.unwrap();
    let (_, version) = bench.version("6", "Text nummer 6").await;
    let (manifest, _, leave) = bench.manifest("6", version).await;
    let row = bench.store.want_evidence(version, now).await.unwrap();
    assert!(bench.evidence.seal(row.id, &manifest, Some(&leave)).await.is_err());
    assert_eq!(bench.store.log_head().await.unwrap().0, before.0 + 1);
    let row = bench.store.evidence(row.id).await.unwrap();
    assert_eq!(row.state, EvidenceState::Wanted);
    raw.execute_batch("drop trigger full").unwrap();
    bench.evidence.seal(row.id, &manifest, Some(&leave)).await.unwrap();
    assert_eq!(bench.faults().await, []);
}

#[tokio::test]
async fn one_record_is_verified_alone() {
    let bench = signed().await;
    let witness = kept_elsewhere(&bench);
    let one = async |id: i64| {
        let (evidence, id) = (&bench.evidence, EvidenceId(id));
        verify_one(evidence, &bench.store, id, std::slice::from_ref(&witness)).await.unwrap()
    };
    for id in 1..=3 {
        let report = one(id).await;
        assert_eq!(report.faults, [], "{id}");
        // The newest that holds it, and those of the file that do.
        assert!(report.n_checkpoints >= 2, "{id}: {}", report.n_checkpoints);
    }
    let report = one(4).await;
    assert_eq!(report.faults, []);
    assert!(report.notes.iter().any(|n| n.contains("inte av någon")), "{:?}", report.notes);
    bench
        .raw()
        .execute_batch(
            "update log set body = replace(body, '\"version\":1', '\"version\":2') where seq = 1",
        )
        .unwrap();
    let report = one(1).await;
    let has = |what: &str| report.faults.iter().any(|f| f.what.contains(what));
    assert!(
        has("kontrollsumma") && has("ingår inte i det som undertecknades"),
        "{:?}",
        report.faults
    );
    assert_eq!(one(2).await.faults, [], "nothing else is accused");
}

/// Somebody without the key: one entry says something else, every hash, subtree and noted head is laid
/// anew over it, and what was signed is taken away where that is asked.
fn rewrite(bench: &Bench, rows_too: bool, file_too: bool) {
    let raw = bench.raw();
    raw.execute_batch("drop trigger if exists checkpoints_are_never_cut").unwrap();
    let (mut chain, mut heads) = (genesis(), format!("0 {}\n", genesis()));
    let n: u64 = raw.query_row("select max(seq) from log", [], |row| row.get(0)).unwrap();
    for seq in 1..=n {
        let body: String =
            raw.query_row("select body from log where seq = ?1", [seq], |r| r.get(0)).unwrap();
        let body = if seq == 1 { body.replace("\"version\":1", "\"version\":2") } else { body };
        let leaf = leaf_hash(body.as_bytes());
        chain = chain_hash(chain, leaf);
        raw.execute(
            "update log set body = ?2, leaf_hash = ?3, chain_hash = ?4 where seq = ?1",
            rusqlite::params![seq, body, leaf.bytes(), chain.bytes()],
        )
        .unwrap();
        heads.push_str(&format!("{seq} {chain}\n"));
    }
    bench.relay_tree();
    std::fs::write(bench.evidence.heads_file(), heads).unwrap();
    if rows_too {
        raw.execute("delete from checkpoints", []).unwrap();
    }
    if file_too {
        std::fs::write(bench.evidence.checkpoints_file(), "").unwrap();
    }
}

#[tokio::test]
async fn a_log_that_was_rewritten_is_not_signed_whatever_of_the_signed_was_taken_away() {
    for (rows_too, file_too) in [(false, false), (true, false), (false, true), (true, true)] {
        let bench = signed().await;
        rewrite(&bench, rows_too, file_too);
        let of = |done: Result<_, EvidenceError>| match done {
            Err(EvidenceError::Rewritten { .. }) => {}
            other => panic!("{rows_too} {file_too}: {other:?}"),
        };
        of(bench.evidence.checkpoint().await.map(drop));
        of(bench.evidence.checkpoint_if_due().await);
        of(bench.evidence.rotate_key().await.map(drop));
        let out = bench.dir.path().join("paket.zip");
        of(bench.evidence.begin_package(&out, "x", 1, Form::ZIP).await.map(drop));
        of(bench.evidence.begin_package(&out, "x", 6, Form::ZIP).await.map(drop));
    }
}

#[tokio::test]
async fn a_log_of_which_nothing_is_signed_any_more_is_no_whole_log() {
    let bench = signed().await;
    let raw = bench.raw();
    raw.execute_batch("drop trigger checkpoints_are_never_cut; delete from checkpoints").unwrap();
    std::fs::write(bench.evidence.checkpoints_file(), "").unwrap();
    assert_eq!(bench.faults().await, [], "it may be signed in a moment");
    bench.clock.advance(SignedDuration::from_mins(71));
    bench.expect_fault("kontrollpunkterna", "från och med post 1").await;
    let keys = bench.evidence.keys().await.unwrap();
    for (row, _) in keys {
        bench.expect_fault(&format!("nyckel {}", row.id), "inget som den har undertecknat").await;
    }
}

#[tokio::test]
async fn entries_that_ought_to_be_signed_by_now_are_missed() {
    let bench = signed().await;
    bench.clock.advance(SignedDuration::from_mins(69));
    assert_eq!(bench.faults().await, [], "the daemon signs within the hour");
    bench.clock.advance(SignedDuration::from_mins(2));
    bench.expect_fault("kontrollpunkterna", "från och med post 6").await;
    bench.evidence.checkpoint_if_due().await.unwrap();
    assert_eq!(bench.faults().await, []);
}

#[tokio::test]
async fn a_database_put_back_alone_is_not_signed_and_the_alarm_stays() {
    let bench = Bench::new().await;
    bench.store.settle_fact("installation", "prov".into()).await.unwrap();
    bench.sealed("1").await;
    bench.evidence.checkpoint().await.unwrap();
    let copy = bench.dir.path().join("copy.db");
    bench.raw().execute("vacuum into ?1", [copy.to_str().unwrap()]).unwrap();
    bench.sealed("2").await;
    bench.evidence.checkpoint().await.unwrap();
    let store = Store::open(&crate::store::Settings { path: copy }).unwrap();
    let settings = Settings::in_folder(bench.dir.path().join("evidence"));
    let evidence = EvidenceStore::open(&settings, store, bench.clock.clock()).unwrap();
    for _ in 0..2 {
        let done = evidence.checkpoint_if_due().await;
        assert!(matches!(done, Err(EvidenceError::Rewritten { .. })), "{done:?}");
    }
}

#[tokio::test]
async fn the_first_stamp_that_holds_a_record_is_the_one_that_proves_it() {
    let bench = signed().await;
    let of = async |seq| bench.store.checkpoint_of(seq).await.unwrap().unwrap().size;
    assert_eq!(of(1).await, 5, "the newest, while none is stamped");
    for size in [5, 4] {
        bench
            .raw()
            .execute(
                "insert into stamps (size, state, next_at, authority, answer, stamped_at, ca_pem)
                 values (?1, 'kept', 0, 'x', x'30', 0, 'x')",
                [size],
            )
            .unwrap();
        assert_eq!(of(1).await, size);
    }
    assert_eq!(of(5).await, 5);
}

/// Somebody with the database puts in a stamp of their own authority, with their own root beside it.
#[tokio::test]
async fn a_stamp_is_held_against_the_settings_root_and_not_the_one_beside_it() {
    const CA: &str = include_str!("../../../fixtures/tsa/ca.pem");
    const OTHER: &str = include_str!("../../../fixtures/tsa/other-ca.pem");
    const DATA: &str = include_str!("../../../fixtures/tsa/data.txt");
    let bench = signed().await;
    let raw = bench.raw();
    raw.execute_batch("drop trigger checkpoints_are_never_changed").unwrap();
    raw.execute("update checkpoints set note = ?1 where size = 3", [DATA]).unwrap();
    let stamped_at: Timestamp = "2026-11-22T14:51:56Z".parse().unwrap();
    raw.execute(
        "insert into stamps (size, state, next_at, authority, answer, stamped_at, ca_pem)
         values (3, 'kept', 0, 'x', ?1, ?2, ?3)",
        rusqlite::params![
            include_bytes!("../../../fixtures/tsa/good.tsr"),
            stamped_at.as_millisecond(),
            CA
        ],
    )
    .unwrap();
    let told = async |roots: &[&str]| {
        let stamp_roots = roots.iter().map(|root| (*root).to_owned()).collect();
        let checkpoints = CheckpointSettings { stamp_roots, ..CheckpointSettings::default() };
        let in_folder = Settings::in_folder(bench.dir.path().join("evidence"));
        let settings = Settings { checkpoints, ..in_folder };
        let clock = bench.clock.clock();
        let evidence = EvidenceStore::open(&settings, bench.store.clone(), clock).unwrap();
        let mut report = verify(&evidence, &bench.store, &Options::default()).await.unwrap();
        report.faults.retain(|fault| fault.place.starts_with("tidsstämpel"));
        report
    };
    for roots in [&[CA] as &[&str], &[OTHER, CA]] {
        let report = told(roots).await;
        assert_eq!((report.faults, report.n_stamps), (Vec::new(), 1));
    }
    let report = told(&[OTHER]).await;
    assert_eq!(report.n_stamps, 0);
    assert!(report.faults[0].what.contains("inte står i inställningarna"), "{:?}", report.faults);
    let report = told(&[]).await;
    assert_eq!(report.n_stamps, 1);
    let print = crate::evidence::timestamp::fingerprint(CA).unwrap();
    assert!(report.notes.iter().any(|note| note.contains(&print)), "{:?}", report.notes);
}

/// With anybody's key in the table of keys and every checkpoint signed anew by it.
#[tokio::test]
async fn one_record_alone_is_held_by_the_logs_own_keys_only() {
    let bench = signed().await;
    let own = crate::domain::checkpoint::Signer::new(
        bench.evidence.origin().await.unwrap(),
        ed25519_dalek::SigningKey::from_bytes(&[7; 32]),
    );
    let id = own.public().id().to_string();
    let raw = bench.raw();
    raw.execute_batch(
        "drop trigger checkpoints_are_never_changed; drop trigger log_keys_are_never_changed",
    )
    .unwrap();
    raw.execute(
        "insert into log_keys (id, public, made_at, log_seq) values (?1, ?2, 0, 1)",
        rusqlite::params![id, own.public().bytes()],
    )
    .unwrap();
    for row in bench.store.checkpoints_after(0, 9).await.unwrap() {
        let CheckpointRow { size, root, at, .. } = row;
        let note = own.note(&crate::domain::checkpoint::Checkpoint { size, root, at });
        let set = "update checkpoints set key_id = ?2, note = ?3 where size = ?1";
        raw.execute(set, rusqlite::params![size, id, note]).unwrap();
    }
    let report = verify_one(&bench.evidence, &bench.store, EvidenceId(1), &[]).await.unwrap();
    assert!(report.faults.iter().any(|f| f.place == format!("nyckel {id}")), "{report:?}");
}

#[tokio::test]
async fn one_record_alone_is_held_by_its_link_and_its_noted_head_and_names_the_key() {
    let bench = signed().await;
    let one = async || verify_one(&bench.evidence, &bench.store, EvidenceId(2), &[]).await.unwrap();
    let print = bench.evidence.keys().await.unwrap()[1].1.fingerprint();
    bench.clock.advance(SignedDuration::from_mins(11));
    let report = one().await;
    assert_eq!(report.faults, []);
    assert!(report.notes.iter().any(|note| note.contains(&print)), "{:?}", report.notes);
    let heads = std::fs::read_to_string(bench.evidence.heads_file()).unwrap();
    let line = heads.lines().find(|line| line.starts_with("2 ")).unwrap();
    let link = line.split_once(' ').unwrap().1;
    for (heads, what) in [
        (heads.replace(&format!("{line}\n"), ""), "står inte i heads.txt"),
        (
            heads.replace(link, &ContentHash::of(b"x").to_hex()),
            "inte den som fanns när raden skrevs",
        ),
    ] {
        std::fs::write(bench.evidence.heads_file(), heads).unwrap();
        let faults = one().await.faults;
        assert!(faults.iter().any(|f| f.what.contains(what)), "{what}: {faults:?}");
    }
    std::fs::write(bench.evidence.heads_file(), heads).unwrap();
    bench.raw().execute("update log set chain_hash = zeroblob(32) where seq = 2", []).unwrap();
    let faults = one().await.faults;
    assert!(faults.iter().any(|f| f.what.contains("kedjan är bruten")), "{faults:?}");
}

#[tokio::test]
async fn a_witness_gets_every_checkpoint_also_those_from_while_it_was_away() {
    let bench = Bench::new().await;
    let disk = bench.dir.path().join("annan-disk");
    let checkpoints =
        CheckpointSettings { witnesses: vec![disk.clone()], ..CheckpointSettings::default() };
    let settings =
        Settings { checkpoints, ..Settings::in_folder(bench.dir.path().join("evidence")) };
    let evidence =
        EvidenceStore::open(&settings, bench.store.clone(), bench.clock.clock()).unwrap();
    bench.sealed("1").await;
    evidence.checkpoint().await.unwrap();
    assert!(!disk.exists(), "its folder is not made in its stead");
    std::fs::create_dir(&disk).unwrap();
    bench.sealed("2").await;
    evidence.checkpoint().await.unwrap();
    let own = std::fs::read_to_string(evidence.checkpoints_file()).unwrap();
    let file = std::fs::read_dir(&disk).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), own);
    assert_eq!(report(&bench, &bench.store, vec![file]).await.faults, []);
}

#[tokio::test]
async fn the_logs_name_stands_from_the_first_key() {
    let bench = Bench::new().await;
    let first = bench.evidence.signer().await.unwrap();
    let name = bench.evidence.origin().await.unwrap();
    assert_eq!(first.origin(), &name);
    assert!(name.as_str().len() > "uppsikt/".len(), "{name:?}");
    // The daemon, at its first start, takes the name that is there.
    let settled = bench.store.settle_fact("installation", "annan".into()).await.unwrap();
    assert_ne!(settled, "annan");
    bench.evidence.checkpoint().await.unwrap();
    assert_eq!(bench.faults().await, []);
}
