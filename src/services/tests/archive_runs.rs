//! Archive runs: when they are made, what they hold, what they tell of what they could not have.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::harness::{Stage, THREAT, services_within};
use crate::domain::archive_run::{FileKind, Occasion, RunId, RunManifest};
use crate::domain::card::ClosingStep;
use crate::domain::custody::CustodyAct;
use crate::domain::person::Role;
use crate::evidence::fetch::FetchLimits;
use crate::evidence::verify;
use crate::platforms::forum::OwnSite;
use crate::platforms::settings::OwnSiteSettings;
use crate::services::archive_runs as runs;
use crate::services::deliveries::PackageForm;
use crate::services::packages;
use crate::services::{Served, ServiceError, Services};
use crate::store::sqlite::archive_runs::RunRow;

/// Hits the rules of children by a word of the trade, nothing more.
const SUSPECTED: &str = "Byter lolitabilder, skriv dm";

/// The clock goes to a moment of Swedish time in the zone given.
fn go_to(stage: &Stage, at: &str) {
    let at: Timestamp = at.parse().unwrap();
    stage.clock.advance(at.duration_since(stage.now()));
}

/// Somebody writes a text, and it is taken in. Gives its number at the platform.
async fn comment(stage: &Stage, text: &str) -> u64 {
    let number = stage.simulator.write("Robin Påhitt", text, None);
    stage.wait_s(150);
    stage.take_in_plainly().await;
    number
}

async fn all(stage: &Stage) -> Vec<RunRow> {
    stage.store().runs(None, 100).await.unwrap()
}

async fn manifest(stage: &Stage, id: RunId) -> RunManifest {
    let (_, manifest, _) = runs::files(stage.store(), evidence(&stage.services), id).await.unwrap();
    manifest
}

fn evidence(services: &Services) -> &crate::evidence::EvidenceStore {
    &services.inner.evidence
}

async fn content(stage: &Stage, id: RunId) -> Vec<serde_json::Value> {
    let manifest = manifest(stage, id).await;
    let file = manifest.files.iter().find(|file| file.kind == FileKind::Content).unwrap();
    let bytes = evidence(&stage.services).run_file(file.sha256).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is amiss with archiving.
async fn archive_flags(stage: &Stage) -> Vec<&'static str> {
    let register = stage.services.register(&stage.editor).await.unwrap();
    let ids = register[0].flags.iter().map(|flag| flag.id());
    ids.filter(|id| id.starts_with("arkiv")).collect()
}

async fn faults(stage: &Stage) -> Vec<String> {
    let options = verify::Options { witnesses: Vec::new(), progress: None };
    let found = verify::verify(evidence(&stage.services), stage.store(), &options).await.unwrap();
    found.faults.into_iter().map(|fault| format!("{}: {}", fault.place, fault.what)).collect()
}

/// Wants a run and makes it.
async fn made(stage: &Stage, occasion: Occasion) -> RunId {
    let admin = stage.person(Role::Administrator, "Ada").await;
    let wanted = stage.services.want_archive_run(&admin, "facebook", occasion, "Prov").await;
    let id = wanted.unwrap();
    // The page cannot be had in these tests, which have no browser.
    stage.services.archive_round().await.unwrap();
    id
}

#[tokio::test]
async fn t20_t21_the_policys_day_makes_one_run_at_night_and_verification_holds_it() {
    let stage = Stage::new().await;
    comment(&stage, "Tack för det nya badet").await;
    assert!(!stage.services.archive_round().await.unwrap());
    assert!(all(&stage).await.is_empty(), "no day has gone by since the account is known");
    // Days of the default policy: 15 October.
    go_to(&stage, "2027-10-15T10:00:00+02:00");
    stage.services.archive_round().await.unwrap();
    let waiting = all(&stage).await;
    assert_eq!(waiting[0].due, Some(date(2027, 10, 15)));
    assert_eq!(waiting[0].ended, None, "people work by day");
    go_to(&stage, "2027-10-15T20:30:00+02:00");
    for _ in 0..3 {
        stage.services.archive_round().await.unwrap();
    }
    let done = all(&stage).await;
    assert_eq!((done.len(), done[0].occasion), (1, Occasion::Scheduled));
    let end = done[0].ended.expect("an end");
    let said = manifest(&stage, done[0].id).await;
    assert_eq!((said.run, said.content_to), (done[0].id.0, end.content_to));
    let kinds: Vec<_> = said.files.iter().map(|file| file.kind).collect();
    assert_eq!(kinds, [FileKind::Content, FileKind::Sheet]);
    assert_eq!(said.not_captured.len(), 1, "{:?}", said.not_captured);
    assert!(said.not_captured[0].why.contains("adress"), "{:?}", said.not_captured);
    assert_eq!(faults(&stage).await, Vec::<String>::new());
    // That it is to be handed over stays told until it is; the next day of the policy is another run.
    go_to(&stage, "2027-10-16T09:00:00+02:00");
    assert_eq!(archive_flags(&stage).await, ["arkivering"]);
    // Handed over on the very day of the next run: that run is made all the same.
    go_to(&stage, "2028-10-16T00:30:00+02:00");
    let (archivist, id) = (stage.person(Role::Archivist, "Ro").await, done[0].id);
    let delivered =
        stage.services.deliver_archive_run(&archivist, id, date(2028, 10, 16), "DA 2028-1").await;
    delivered.unwrap();
    assert_eq!(archive_flags(&stage).await, Vec::<String>::new());
    go_to(&stage, "2028-10-16T01:00:00+02:00");
    stage.services.archive_round().await.unwrap();
    let two = all(&stage).await;
    assert_eq!(two.len(), 2);
    let next = manifest(&stage, two[0].id).await;
    assert_eq!(next.content_from, end.content_to, "nothing falls between two runs");
}

#[tokio::test]
async fn t21_a_run_that_was_missed_is_told_of_until_one_is_made() {
    let stage = Stage::new().await;
    go_to(&stage, "2027-10-15T21:00:00+02:00");
    assert_eq!(archive_flags(&stage).await, ["arkivering"], "the night is not over");
    go_to(&stage, "2027-10-16T09:00:00+02:00");
    assert_eq!(archive_flags(&stage).await, ["arkivering", "arkivkorning"]);
    made(&stage, Occasion::Other).await;
    assert_eq!(archive_flags(&stage).await, ["arkivering"]);
}

#[tokio::test]
async fn a_run_holds_what_stands_on_the_page_and_nothing_of_what_may_not_be_copied() {
    let stage = Stage::new().await;
    comment(&stage, "Tack för det nya badet").await;
    let hidden = stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.simulator.hide(hidden);
    let barred = &comment(&stage, SUSPECTED).await.to_string();
    let id = made(&stage, Occasion::Redesign).await;
    let lines = content(&stage, id).await;
    let texts: Vec<_> = lines.iter().filter_map(|line| line["text"].as_str()).collect();
    let stands = |words: &str| texts.iter().any(|text| text.contains(words));
    assert!(stands("Tack för det nya badet") && stands("Nu bygger vi."), "{texts:?}");
    assert!(!stands(THREAT), "hidden on the platform");
    let told = lines.iter().find(|line| line["id"] == *barred).expect("told of");
    assert!(told["text"].as_str().unwrap().starts_with("[Texten får inte kopieras"), "{told}");
    assert_eq!(told.get("author"), None);
    let said = manifest(&stage, id).await;
    assert!(said.not_captured.iter().any(|gap| gap.what == "Texten i 1 inlägg"), "{said:?}");
}

#[tokio::test]
async fn what_comes_to_be_suspected_after_a_run_cuts_it_off_and_leaves_the_next_alone() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let id = made(&stage, Occasion::Other).await;
    let archivist = stage.person(Role::Archivist, "Ro").await;
    let name = "innehall.jsonl";
    stage.services.archive_run_file(&archivist, id, name).await.unwrap();
    assert_eq!(stage.store().audit_count("archive.fetch").await.unwrap(), 1);
    // It may stand in what was fetched; what was written after the run does not.
    let (_, later) = stage.written("Du ska få dö, din jävel").await;
    let fetched = async |case| {
        let (_, events) = stage.store().custody(case, 50).await.unwrap();
        events.iter().filter(|event| event.act == CustodyAct::FetchRun).count()
    };
    assert_eq!((fetched(case).await, fetched(later).await), (1, 0));
    let version = stage.store().case(case).await.unwrap().version;
    stage.clock.advance(SignedDuration::from_secs(60));
    stage.store().bar_copying(version, stage.now()).await.unwrap();
    let refused = stage.services.archive_run_file(&archivist, id, name).await;
    assert!(matches!(refused, Err(ServiceError::Refused { .. })));
    let out = stage.dir.path().join("korning.zip");
    let exported = runs::export(
        stage.store(),
        evidence(&stage.services),
        id,
        &out,
        &PackageForm::Zip,
        None,
        stage.now(),
    );
    assert!(exported.await.is_err() && !out.exists());
    stage.clock.advance(SignedDuration::from_secs(60));
    let wanted = stage.services.want_archive_run(&archivist, "facebook", Occasion::Other, "");
    let next = wanted.await.unwrap();
    stage.services.archive_round().await.unwrap();
    stage.services.archive_run_file(&archivist, next, name).await.unwrap();
}

#[tokio::test]
async fn a_run_that_is_cut_off_leaves_nothing_that_counts_and_is_made_anew() {
    let mut stage = Stage::new().await;
    comment(&stage, "Tack för det nya badet").await;
    let admin = stage.person(Role::Administrator, "Ada").await;
    let wanted = stage.services.want_archive_run(&admin, "facebook", Occasion::Other, "").await;
    let id = wanted.unwrap();
    // A second one has to wait.
    let second = stage.services.want_archive_run(&admin, "facebook", Occasion::Redesign, "").await;
    assert!(matches!(second, Err(ServiceError::Refused { .. } | ServiceError::Conflict { .. })));
    // The program dies between the files and the row.
    let lost = evidence(&stage.services).keep_for_run(b"halvt".to_vec()).await.unwrap();
    stage.restart().await;
    assert_eq!(stage.store().run(id).await.unwrap().ended, None);
    stage.services.archive_round().await.unwrap();
    assert!(stage.store().run(id).await.unwrap().ended.is_some());
    assert!(evidence(&stage.services).run_file(lost).await.is_err(), "nothing rests on it");
    assert_eq!(faults(&stage).await, Vec::<String>::new());
}

#[tokio::test]
async fn verification_names_a_run_whose_file_row_or_leaf_was_changed() {
    let stage = Stage::new().await;
    let id = made(&stage, Occasion::Other).await;
    let said = manifest(&stage, id).await;
    let path = |hash: crate::domain::ids::ContentHash| {
        let hex = hash.to_hex();
        stage.dir.path().join("evidence/arkiv/blobs").join(&hex[..2]).join(&hex[2..])
    };
    let file = path(said.files[0].sha256);
    let kept = std::fs::read(&file).unwrap();
    std::fs::write(&file, b"annat").unwrap();
    assert_eq!(
        faults(&stage).await,
        ["arkivkörning 1: filen innehall.jsonl saknas eller är ändrad"]
    );
    std::fs::write(&file, kept).unwrap();
    let db = rusqlite::Connection::open(stage.dir.path().join("uppsikt.db")).unwrap();
    db.execute_batch("drop trigger archive_runs_stay; update archive_runs set note = 'annat'")
        .unwrap();
    let found = faults(&stage).await;
    assert!(found.iter().any(|f| f.starts_with("arkivkörning 1: raden stämmer inte")), "{found:?}");
    db.execute_batch(
        "update archive_runs set note = 'Prov'; drop trigger archive_runs_are_never_cut;
         drop trigger archive_run_files_are_never_cut;
         pragma foreign_keys = off; delete from archive_runs",
    )
    .unwrap();
    let found = faults(&stage).await;
    assert!(found.iter().any(|fault| fault.contains("arkivkörning 1")), "{found:?}");
}

#[tokio::test]
async fn what_was_written_before_the_account_was_known_is_filled_in_from_the_platform() {
    let stage = Stage::new().await;
    // Never fetched: the platform alone knows of it.
    let number = stage.simulator.write("Robin Påhitt", "Från i våras", None);
    stage.wait_s(150);
    let id = made(&stage, Occasion::Other).await;
    let lines = content(&stage, id).await;
    let old = lines.iter().find(|line| line["text"] == "Från i våras").expect("the old one");
    assert_eq!(old["filled"], true);
    assert!(manifest(&stage, id).await.n_filled > 0);
    assert_eq!(old["id"], number.to_string());
    // It is in the run alone: what nobody was to moderate is no item.
    let account = stage.account;
    let known = stage.store().on_page(account, Timestamp::MIN, Timestamp::MAX).await.unwrap();
    assert!(known.iter().all(|line| line.text != "Från i våras"));
}

#[tokio::test]
async fn t19_r24_a_closing_account_is_captured_and_the_run_is_the_step() {
    let stage = Stage::new().await;
    let admin = stage.person(Role::Administrator, "Ada").await;
    let today = date(2026, 11, 21);
    let words = ("Kontot läggs ner", "");
    stage.services.announce_closing(&admin, "facebook", today, words).await.unwrap();
    let wanted = all(&stage).await;
    assert_eq!((wanted.len(), wanted[0].occasion), (1, Occasion::Closing));
    stage.services.archive_round().await.unwrap();
    let file = stage.services.account_file(&admin, "facebook").await.unwrap();
    let closing = file.entry.closing.expect("a closing");
    let step = closing.steps.iter().find(|(step, ..)| *step == ClosingStep::Archived);
    assert_eq!(
        step.map(|(_, by, note)| (by.as_str(), note.as_str())),
        Some(("Uppsikt", "Arkivkörning 1"))
    );
}

#[tokio::test]
async fn t22_a_delivery_with_its_receipt_stands_on_the_run_and_the_account() {
    let stage = Stage::new().await;
    let id = made(&stage, Occasion::Other).await;
    let archivist = stage.person(Role::Archivist, "Ro").await;
    let services = &stage.services;
    let future = services.deliver_archive_run(&archivist, id, date(2027, 1, 1), "").await;
    assert!(matches!(future, Err(ServiceError::Refused { .. })));
    let refused = services.deliver_archive_run(&stage.editor, id, date(2026, 11, 21), "").await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));
    services.deliver_archive_run(&archivist, id, date(2026, 11, 21), "AKT 7").await.unwrap();
    let again = services.deliver_archive_run(&archivist, id, date(2026, 11, 21), "AKT 8").await;
    assert!(matches!(again, Err(ServiceError::Refused { .. })));
    let run = services.archive_run(&archivist, id).await.unwrap();
    assert_eq!(run.row.delivered, Some((date(2026, 11, 21), "AKT 7".into())));
    let file = services.account_file(&archivist, "facebook").await.unwrap();
    assert_eq!(file.entry.archivings.len(), 1);
    assert_eq!(faults(&stage).await, Vec::<String>::new());
}

/// Kept where `tests/check-eark.sh` holds it against a validator that is not ours.
#[tokio::test]
async fn a_run_is_a_package_whose_sums_hold_and_the_same_bytes_each_time() {
    let stage = Stage::new().await;
    comment(&stage, "Tack för det nya badet").await;
    let id = made(&stage, Occasion::Other).await;
    let (store, evidence) = (stage.store(), evidence(&stage.services));
    let export = async |name: &str, form: PackageForm| {
        let out = stage.dir.path().join(name);
        runs::export(store, evidence, id, &out, &form, None, stage.now()).await.map(|()| out)
    };
    let first = export("a.zip", PackageForm::Zip).await.unwrap();
    let second = export("b.zip", PackageForm::Zip).await.unwrap();
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    assert!(export("a.zip", PackageForm::Zip).await.is_err(), "nothing is written over");
    let found = packages::verify(&first, &|_, _| {}).unwrap();
    assert!(found.is_whole() && found.words().starts_with("1 bevis"), "{}", found.words());
    let eark = PackageForm::Eark { schemas: None };
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/eark-check/korning");
    drop(std::fs::remove_dir_all(&kept));
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    runs::export(store, evidence, id, &kept, &eark, None, stage.now()).await.unwrap();
    let data = kept.join("representations/rep1/data");
    let sums = std::process::Command::new("sha256sum")
        .args(["--quiet", "-c", "SHA256SUMS"])
        .current_dir(&data)
        .output()
        .unwrap();
    assert!(sums.status.success(), "{}", String::from_utf8_lossy(&sums.stderr));
    // Every command of the text that goes with it holds, and none once a file is another.
    let readme = std::fs::read_to_string(data.join("LASMIG.txt")).unwrap();
    let (_, readme) = readme.split_once("SÅ KONTROLLERAR DU").expect("how to check");
    let commands: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let by_hand = || {
        let mut bash = std::process::Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &commands.join("\n")]).current_dir(&data);
        bash.output().unwrap()
    };
    let done = by_hand();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let listed = std::fs::read(data.join("forteckning.json")).unwrap();
    for (file, other) in [("innehall.jsonl", &b"{}"[..]), ("vag.txt", b""), ("SHA256SUMS", b"")] {
        let kept = std::fs::read(data.join(file)).unwrap();
        std::fs::write(data.join(file), other).unwrap();
        assert!(!by_hand().status.success(), "{file}");
        std::fs::write(data.join(file), kept).unwrap();
    }
    assert_eq!(std::fs::read(data.join("forteckning.json")).unwrap(), listed);
    // And for `tests/check-pdf.sh`.
    let sheets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sheet-check");
    std::fs::create_dir_all(&sheets).unwrap();
    std::fs::copy(data.join("arkivblad.pdf"), sheets.join("arkivblad.pdf")).unwrap();
    let erms = std::fs::read_to_string(kept.join("metadata/descriptive/erms.xml")).unwrap();
    assert!(erms.contains("Arkivkörning 1 av facebook"), "{erms}");
}

#[tokio::test]
async fn a_site_that_is_read_from_a_position_on_is_read_to_its_end() {
    let mut stage = Stage::new().await;
    let folder = tempfile::tempdir().unwrap();
    let before = stage.now().checked_sub(SignedDuration::from_hours(72)).unwrap();
    // More than is read at a time.
    let words = "Badet är fint. ".repeat(60);
    let lines: String = (0..1_500)
        .map(|n| {
            serde_json::json!({
                "id": format!("rad-{n}"), "kind": "comment", "text": format!("{n}. {words}"),
                "created_at": before.to_string(), "author": { "name": "Kim Påhitt" },
            })
            .to_string()
                + "\n"
        })
        .collect();
    assert!(lines.len() > 1 << 20);
    std::fs::write(folder.path().join("gammalt.jsonl"), lines).unwrap();
    let settings = OwnSiteSettings {
        directory: Some(folder.path().to_owned()),
        push_secrets: Vec::new(),
        actions: None,
    };
    let known = stage.services.served(stage.account).unwrap();
    let served = Served {
        account: known.account.clone(),
        platform: std::sync::Arc::new(OwnSite::new(settings, stage.clock.clock()).unwrap()),
        interval: std::time::Duration::from_secs(60),
        policy: None,
        token_expires: None,
        push: None,
        private_at: None,
    };
    let inner = &stage.services.inner;
    let (store, evidence) = (inner.store.clone(), inner.evidence.clone());
    let limits = FetchLimits::default();
    stage.services =
        services_within(stage.dir.path(), &stage.clock, store, evidence, served, limits);
    let id = made(&stage, Occasion::Redesign).await;
    assert_eq!(content(&stage, id).await.len(), 1_500);
    let gaps = manifest(&stage, id).await.not_captured;
    assert!(!gaps.iter().any(|gap| gap.why.contains("för mycket")), "{gaps:?}");
}
