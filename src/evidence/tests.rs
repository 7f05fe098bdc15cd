//! What is sealed stays whole, every way of tampering is named, and leave to remove is given for
//! exactly what is sealed.

mod keys;
mod signing;
mod tampering;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

use super::verify::{Fault, verify};
use super::*;
use crate::domain::account::PlatformKind;
use crate::domain::ids::{AccountId, AccountKey, ItemId, PlatformItemId};
use crate::domain::item::{Author, Batch, FetchedItem, ItemKind, Presence};
use crate::domain::log::{chain_hash, genesis, leaf_hash};
use crate::domain::tree::Growing;
use crate::runtime::clock::TestClock;
use warrant::WarrantBasis;

pub(super) struct Bench {
    pub(super) dir: TempDir,
    pub(super) store: Store,
    pub(super) evidence: EvidenceStore,
    account: AccountId,
    clock: TestClock,
}

/// One sealed record.
pub(super) struct Sealed {
    item: ItemId,
    version: VersionId,
    pub(super) id: EvidenceId,
    manifest: ContentHash,
    text_blob: ContentHash,
}

fn item(id: &str, text: &str) -> FetchedItem {
    let mut item = FetchedItem::new(PlatformItemId::new(id), ItemKind::Comment, text, "{}");
    item.presence = Presence::Visible;
    item
}

fn present(id: &str, text: &str) -> LiveReading {
    LiveReading::Present(Box::new(item(id, text)))
}

fn address(id: &str) -> ItemAddress {
    ItemAddress::from(&item(id, ""))
}

fn text_of(id: &str) -> String {
    format!("Text nummer {id}")
}

impl Bench {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("uppsikt.db");
        let store = Store::open(&crate::store::Settings { path }).unwrap();
        let clock = TestClock::at(Timestamp::from_second(1_790_000_000).unwrap());
        let key = AccountKey::new("konto");
        let name = "Exempelstad".to_owned();
        let account = store
            .ensure_account(key, PlatformKind::Facebook, name, true, clock.clock().now())
            .await
            .unwrap();
        let settings = Settings::in_folder(dir.path().join("evidence"));
        let evidence = EvidenceStore::open(&settings, store.clone(), clock.clock()).unwrap();
        Self { dir, store, evidence, account: account.id, clock }
    }

    /// With three sealed records.
    async fn with_three() -> (Self, Vec<Sealed>) {
        let bench = Self::new().await;
        let mut sealed = Vec::new();
        for id in ["1", "2", "3"] {
            sealed.push(bench.sealed(id).await);
        }
        (bench, sealed)
    }

    async fn version(&self, id: &str, text: &str) -> (ItemId, VersionId) {
        self.clock.advance(SignedDuration::from_secs(1));
        let now = self.clock.clock().now();
        let batch = Batch { items: vec![item(id, text)], ..Batch::default() };
        self.store.commit_batch(self.account, batch, now, now).await.unwrap();
        let waiting = self.store.unassessed(1_000).await.unwrap();
        let last = waiting.last().unwrap();
        (last.item, last.version)
    }

    async fn manifest(
        &self,
        id: &str,
        version: VersionId,
    ) -> (Manifest, ContentHash, media::CopyLeave) {
        let row = self.store.version(version).await.unwrap();
        let part = NewPart {
            kind: PartKind::Text,
            name: "text.txt".into(),
            media_type: "text/plain; charset=utf-8",
            method: "prov".into(),
            bytes: row.text.clone().into_bytes(),
        };
        let leave = media::CopyLeave::for_test(row.item);
        let part = self.evidence.keep(&leave, part).await.unwrap();
        let text_blob = part.sha256;
        let manifest = Manifest {
            format: 1,
            account: AccountKey::new("konto"),
            platform: "facebook".into(),
            simulated: true,
            item: PlatformItemId::new(id),
            version: row.number,
            content_sha256: row.content_hash,
            kind: ItemKind::Comment,
            author: Author::default(),
            created_raw: None,
            created_at: None,
            edited_at: None,
            fetched_at: row.fetched_at,
            sealed_at: self.clock.clock().now(),
            presence: Presence::Visible,
            permalink: None,
            attachments: Vec::new(),
            verdict: None,
            parts: vec![part],
            missing: Vec::new(),
            beside: None,
            sealed_by: "prov".into(),
            earlier: None,
            read_before: None,
            sheet_is_blurred: false,
        };
        (manifest, text_blob, leave)
    }

    pub(super) async fn sealed(&self, id: &str) -> Sealed {
        self.sealed_with(id, &[]).await
    }

    /// With more parts than the text: what each is, what it is called, and its bytes.
    pub(super) async fn sealed_with(&self, id: &str, more: &[(PartKind, &str, &str)]) -> Sealed {
        let (item, version) = self.version(id, &text_of(id)).await;
        let (mut manifest, text_blob, leave) = self.manifest(id, version).await;
        for (kind, name, bytes) in more {
            let part = NewPart {
                kind: *kind,
                name: (*name).to_owned(),
                media_type: "application/octet-stream",
                method: "prov".into(),
                bytes: bytes.as_bytes().to_vec(),
            };
            manifest.parts.push(self.evidence.keep(&leave, part).await.unwrap());
        }
        let row = self.store.want_evidence(version, self.clock.clock().now()).await.unwrap();
        let (row, _) = self.evidence.seal(row.id, &manifest, Some(&leave)).await.unwrap();
        let EvidenceState::Sealed { manifest, .. } = row.state else { panic!("{row:?}") };
        Sealed { item, version, id: row.id, manifest, text_blob }
    }

    pub(super) fn raw(&self) -> Connection {
        self.raw_at(self.store.path())
    }

    /// Somebody with the file in hand: no trigger and no foreign key stops them.
    fn raw_at(&self, path: &Path) -> Connection {
        let raw = Connection::open(path).unwrap();
        raw.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        raw.execute_batch(
            "pragma foreign_keys = off;
             drop trigger if exists log_is_never_changed; drop trigger if exists log_is_never_cut;
             drop trigger if exists evidence_is_never_deleted;
             drop trigger if exists sealed_evidence_stays;
             drop trigger if exists log_nodes_are_never_changed;
             drop trigger if exists log_nodes_are_never_cut;",
        )
        .unwrap();
        raw
    }

    /// Lays the tree anew over whatever the log says now, as a forger would.
    fn relay_tree(&self) {
        let raw = self.raw();
        raw.execute("delete from log_nodes", []).unwrap();
        let mut leaves = raw.prepare("select leaf_hash from log order by seq").unwrap();
        let leaves = leaves.query_map([], |row| row.get::<_, [u8; 32]>(0)).unwrap();
        let mut growing = Growing::default();
        for leaf in leaves {
            growing.push(ContentHash::new(leaf.unwrap()), |place, head| {
                let row = rusqlite::params![place, head.bytes()];
                raw.execute("insert into log_nodes (place, hash) values (?1, ?2)", row).unwrap();
            });
        }
    }

    fn blob(&self, hash: ContentHash) -> PathBuf {
        self.evidence.blobs.path(hash)
    }

    async fn faults(&self) -> Vec<Fault> {
        verify(&self.evidence, &self.store, &Default::default()).await.unwrap().faults
    }

    /// Verification finds this at that place.
    async fn expect_fault(&self, place: &str, what: &str) {
        let faults = self.faults().await;
        assert!(
            faults.iter().any(|f| f.place == place && f.what.contains(what)),
            "expected `{place}: {what}`, found {faults:#?}"
        );
    }

    async fn leave(&self, sealed: &Sealed, id: &str, live: &LiveReading) -> Leave {
        self.evidence.leave_to_remove(address(id), sealed.version, live).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_sealed_verifies_whole() {
    let (bench, sealed) = Bench::with_three().await;
    bench.version("4", "väntar").await;
    let (_, version) = bench.version("5", "väntar med").await;
    bench.store.want_evidence(version, bench.clock.clock().now()).await.unwrap();
    let report = verify(&bench.evidence, &bench.store, &Default::default()).await.unwrap();
    assert_eq!(report.faults, []);
    assert_eq!((report.n_entries, report.n_sealed, report.n_wanted, report.n_parts), (3, 3, 1, 3));
    assert_eq!(report.head, Some(bench.store.log_head().await.unwrap().1));
    let row = bench.store.evidence(sealed[0].id).await.unwrap();
    let manifest = bench.evidence.manifest(&row).await.unwrap();
    assert_eq!(bench.evidence.bytes(manifest.parts[0].sha256).await.unwrap(), b"Text nummer 1");
}

#[tokio::test]
async fn changed_and_missing_files_are_named() {
    let (bench, sealed) = Bench::with_three().await;
    std::fs::write(bench.blob(sealed[0].text_blob), "Annan text").unwrap();
    std::fs::remove_file(bench.blob(sealed[1].text_blob)).unwrap();
    std::fs::write(bench.blob(sealed[2].manifest), "{}").unwrap();
    bench.expect_fault("bevis 1", "text.txt: filen").await;
    bench.expect_fault("bevis 1", "har ändrats").await;
    bench.expect_fault("bevis 2", "saknas").await;
    bench.expect_fault("bevis 3", "manifestet kan inte styrkas").await;
    assert_eq!(bench.faults().await.len(), 3, "nothing else is accused");
}

#[tokio::test]
async fn a_changed_entry_of_the_log_is_named() {
    let (bench, _) = Bench::with_three().await;
    bench
        .raw()
        .execute("update log set body = replace(body, '\"seal\"', '\"seal\" ') where seq = 2", [])
        .unwrap();
    bench.expect_fault("logg 2", "kontrollsumma").await;
    assert_eq!(bench.faults().await.len(), 1);
}

#[tokio::test]
async fn a_removed_entry_in_the_middle_is_named() {
    let (bench, _) = Bench::with_three().await;
    bench.raw().execute("delete from log where seq = 2", []).unwrap();
    bench.expect_fault("logg 3", "poster saknas mellan 1 och 3").await;
    bench.expect_fault("bevis 2", "finns inte i loggen").await;
}

#[tokio::test]
async fn a_log_cut_short_is_found_with_its_heads_and_without() {
    let (bench, _) = Bench::with_three().await;
    bench.raw().execute("delete from log where seq = 3", []).unwrap();
    bench.expect_fault("heads.txt rad 3", "loggen har kortats").await;
    // Whoever removes the noted heads as well leaves the record itself, and no heads.
    std::fs::remove_file(bench.evidence.heads_file()).unwrap();
    bench.expect_fault("bevis 3", "finns inte i loggen").await;
    bench.expect_fault("kedjans ändar", "heads.txt saknas").await;
    // And with the record gone too, the file of heads is still missed.
    bench.raw().execute("delete from evidence where id = 3", []).unwrap();
    bench.expect_fault("kedjans ändar", "heads.txt saknas").await;
}

#[tokio::test]
async fn a_removed_record_is_missed() {
    let (bench, _) = Bench::with_three().await;
    bench.raw().execute("delete from evidence where id = 2", []).unwrap();
    bench.expect_fault("bevis 2", "posten saknas").await;
    assert_eq!(bench.faults().await.len(), 1);
}

#[tokio::test]
async fn a_record_set_back_to_waiting_is_named() {
    let (bench, _) = Bench::with_three().await;
    bench
        .raw()
        .execute(
            "update evidence set state = 'wanted', manifest_hash = null, log_seq = null,
               sealed_at = null where id = 2",
            [],
        )
        .unwrap();
    bench.expect_fault("bevis 2", "säger att det väntar").await;
}

#[tokio::test]
async fn a_database_put_back_to_an_older_copy_disagrees_with_the_heads() {
    let bench = Bench::new().await;
    bench.sealed("1").await;
    let copy = bench.dir.path().join("copy.db");
    bench.raw().execute("vacuum into ?1", [copy.to_str().unwrap()]).unwrap();
    bench.sealed("2").await;
    let old = Store::open(&crate::store::Settings { path: copy }).unwrap();
    let report = verify(&bench.evidence, &old, &Default::default()).await.unwrap();
    let fault = &report.faults[0];
    assert_eq!(fault.place.as_str(), "heads.txt rad 2");
    assert!(fault.what.contains("loggen har kortats: post 2"), "{fault:?}");
    // And the manifest and the payload of the record that it knows nothing of.
    let of_files =
        report.faults[1..].iter().filter(|f| f.what.contains("äldre än filerna")).count();
    assert_eq!((of_files, report.faults.len()), (2, 3), "{report:?}");
}

#[tokio::test]
async fn a_forgery_with_every_hash_recomputed_is_caught_by_the_heads() {
    let (bench, sealed) = Bench::with_three().await;
    // A new manifest with another text, sealed in the place of the first.
    let row = bench.store.evidence(sealed[0].id).await.unwrap();
    let mut manifest = bench.evidence.manifest(&row).await.unwrap();
    manifest.author.name = Some("Någon Annan".into());
    let bytes = canonical_json::to_vec(&manifest).unwrap();
    let forged = bench.evidence.blobs.put(&bytes).unwrap();
    let raw = bench.raw();
    raw.execute("update evidence set manifest_hash = ?1 where id = 1", [forged.bytes()]).unwrap();
    let (was, is) = (sealed[0].manifest.to_hex(), forged.to_hex());
    raw.execute("update log set body = replace(body, ?1, ?2)", [was, is]).unwrap();
    let mut chain = genesis();
    for seq in 1..=3 {
        let body: String =
            raw.query_row("select body from log where seq = ?1", [seq], |r| r.get(0)).unwrap();
        let leaf = leaf_hash(body.as_bytes());
        chain = chain_hash(chain, leaf);
        raw.execute(
            "update log set leaf_hash = ?2, chain_hash = ?3 where seq = ?1",
            rusqlite::params![seq, leaf.bytes(), chain.bytes()],
        )
        .unwrap();
    }
    bench.relay_tree();
    let faults = bench.faults().await;
    assert_eq!(faults.len(), 6, "{faults:#?}");
    bench.expect_fault(&format!("fil {forged}"), "inget bevis vilar på den").await;
    bench.expect_fault("bevis 1", "författaren").await;
    bench.expect_fault("bevis 1", "vilka filer beviset vilar på").await;
    bench.expect_fault("heads.txt rad 1", "inte den som fanns när raden skrevs").await;
}

#[tokio::test]
async fn half_a_line_at_the_end_of_the_heads_is_no_fault_and_spoils_no_later_one() {
    let (bench, _) = Bench::with_three().await;
    let heads = bench.evidence.heads_file().to_owned();
    let whole = std::fs::read_to_string(&heads).unwrap();
    assert_eq!(whole.lines().count(), 3);
    for half in ["4", "4 ", "4 abcdef"] {
        std::fs::write(&heads, format!("{whole}{half}")).unwrap();
        assert_eq!(bench.faults().await, [], "{half:?}");
    }
    bench.sealed("4").await;
    let now = std::fs::read_to_string(&heads).unwrap();
    assert!(now.starts_with(&whole) && now.lines().count() == 4, "{now}");
    assert_eq!(bench.faults().await, []);
    // Rubbish anywhere else is a fault.
    std::fs::write(&heads, format!("skräp\n{now}")).unwrap();
    bench.expect_fault("heads.txt rad 1", "går inte att läsa").await;
}

#[tokio::test]
async fn sealing_while_verifying_is_no_fault() {
    let bench = Bench::new().await;
    bench.sealed("0").await;
    let verifying = async {
        for _ in 0..20 {
            assert_eq!(bench.faults().await, []);
        }
    };
    let sealing = async {
        for n in 1..20 {
            bench.sealed(&n.to_string()).await;
        }
    };
    tokio::join!(verifying, sealing);
}

#[tokio::test]
async fn leave_is_given_for_exactly_what_is_sealed() {
    let (bench, sealed) = Bench::with_three().await;
    let one = &sealed[0];
    match bench.leave(one, "1", &present("1", &text_of("1"))).await {
        Leave::Granted(warrant) => {
            let content = item("1", &text_of("1")).content_hash();
            assert_eq!(warrant.basis(), WarrantBasis::Sealed { evidence: one.id, content });
            assert_eq!(warrant.item(), &address("1"));
        }
        other => panic!("{other:?}"),
    }
    let changed = present("1", "Ändrad text");
    assert!(matches!(bench.leave(one, "1", &changed).await, Leave::NotSealed));
    assert!(matches!(bench.leave(one, "1", &LiveReading::Gone).await, Leave::Gone));
    // Another item with a seal that is not its own.
    let twin = present("2", &text_of("1"));
    assert!(matches!(bench.leave(one, "2", &twin).await, Leave::NotSealed));
    let unreadable = LiveReading::NotReadable { why: "prov" };
    assert!(matches!(bench.leave(one, "1", &unreadable).await, Leave::Granted(_)));
}

#[tokio::test]
async fn no_leave_without_a_seal() {
    let bench = Bench::new().await;
    let (_, version) = bench.version("1", "a").await;
    let leave = || bench.evidence.leave_to_remove(address("1"), version, &LiveReading::Gone);
    assert!(matches!(leave().await.unwrap(), Leave::NotSealed), "never asked for");
    bench.store.want_evidence(version, bench.clock.clock().now()).await.unwrap();
    assert!(matches!(leave().await.unwrap(), Leave::NotSealed), "not taken yet");
}

#[tokio::test]
async fn no_leave_on_evidence_that_is_not_whole() {
    let (bench, sealed) = Bench::with_three().await;
    let leave = async |n: usize| {
        let id = (n + 1).to_string();
        let live = present(&id, &text_of(&id));
        bench.evidence.leave_to_remove(address(&id), sealed[n].version, &live).await
    };
    std::fs::remove_file(bench.blob(sealed[0].manifest)).unwrap();
    assert!(matches!(leave(0).await, Err(EvidenceError::Blob(BlobError::Missing { .. }))));
    std::fs::write(bench.blob(sealed[1].manifest), "{}").unwrap();
    assert!(matches!(leave(1).await, Err(EvidenceError::Blob(BlobError::Changed { .. }))));
    std::fs::remove_file(bench.blob(sealed[2].text_blob)).unwrap();
    assert!(matches!(leave(2).await, Err(EvidenceError::Blob(BlobError::Missing { .. }))));
}

#[tokio::test]
async fn what_may_not_be_copied_is_removed_on_metadata_alone() {
    let (bench, sealed) = Bench::with_three().await;
    let one = &sealed[0];
    bench.raw().execute("update items set no_copy = 1 where id = ?1", [one.item.0]).unwrap();
    match bench.leave(one, "1", &present("1", &text_of("1"))).await {
        Leave::Granted(warrant) => {
            assert_eq!(warrant.basis(), WarrantBasis::MetadataOnly { evidence: one.id });
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_seal_that_stands_is_told_as_one_where_it_cannot_be_noted() {
    let (bench, _) = Bench::with_three().await;
    let heads = bench.evidence.heads_file().to_owned();
    std::fs::remove_file(&heads).unwrap();
    std::fs::create_dir(&heads).unwrap();
    let (_, version) = bench.version("4", "a").await;
    let (manifest, _, leave) = bench.manifest("4", version).await;
    let row = bench.store.want_evidence(version, bench.clock.clock().now()).await.unwrap();
    let (sealed, _) = bench.evidence.seal(row.id, &manifest, Some(&leave)).await.unwrap();
    assert!(matches!(sealed.state, EvidenceState::Sealed { .. }));
}

/// On police order what was copied goes; the item can be hidden all the same.
#[tokio::test]
async fn what_is_cut_off_need_not_be_there_for_a_removal() {
    let (bench, sealed) = Bench::with_three().await;
    let one = &sealed[0];
    bench.store.bar_copying(one.version, bench.clock.clock().now()).await.unwrap();
    std::fs::remove_file(bench.blob(one.text_blob)).unwrap();
    let leave = bench.leave(one, "1", &present("1", &text_of("1"))).await;
    assert!(matches!(leave, Leave::Granted(_)), "{leave:?}");
    let row = bench.store.evidence(one.id).await.unwrap();
    bench.evidence.intact(&row).await.unwrap();
    assert_eq!(bench.evidence.damaged(&row).await, [] as [String; 0]);
}

#[tokio::test]
async fn a_damaged_key_is_named_keeps_nothing_from_being_sealed_and_signs_again_when_it_is_back() {
    let bench = Bench::new().await;
    bench.sealed("1").await;
    let signer = bench.evidence.signer().await.unwrap();
    let file = bench.dir.path().join(format!("evidence/keys/{}.pem", signer.public().id()));
    let whole = std::fs::read(&file).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"", b"\xff\xfe", &[b'a'; 100_000]] {
        std::fs::write(&file, damaged).unwrap();
        let error = bench.evidence.known_signer().await.unwrap_err();
        let EvidenceError::Key { path, .. } = &error else { panic!("{error:?}") };
        assert_eq!(path, &file);
        assert!(bench.evidence.checkpoint().await.is_err(), "nothing is signed");
    }
    bench.sealed("2").await;
    std::fs::write(&file, &whole).unwrap();
    let back = bench.evidence.known_signer().await.unwrap().unwrap();
    assert_eq!(back.public().bytes(), signer.public().bytes());
    bench.evidence.checkpoint().await.unwrap();
    assert_eq!(bench.faults().await, []);
}
