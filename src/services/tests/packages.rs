//! Packages from the whole program: what was decided goes with them, each export is an event, and what
//! may not be copied stays where it is.

use std::fs::File;
use std::io::Read as _;

use crate::domain::decision::Choice;
use crate::domain::ids::{CaseId, EvidenceId};
use crate::services::tests::harness::{Stage, THREAT};
use crate::services::{ServiceError, packages};

async fn evidence_of(stage: &Stage, case: CaseId) -> EvidenceId {
    let version = stage.store().case(case).await.unwrap().version;
    stage.store().evidence_of(version).await.unwrap().unwrap().id
}

async fn export(stage: &Stage, ids: &[EvidenceId], name: &str) -> Result<(), ServiceError> {
    let (services, out) = (&stage.services.inner, stage.dir.path().join(name));
    let authority = &services.settings.authority;
    packages::export(stage.store(), &services.evidence, ids, &out, authority, &services.clock).await
}

fn read(stage: &Stage, package: &str, file: &str) -> Option<String> {
    let zip = File::open(stage.dir.path().join(package)).unwrap();
    let mut zip = zip::ZipArchive::new(zip).unwrap();
    let mut text = String::new();
    zip.by_name(file).ok()?.read_to_string(&mut text).unwrap();
    Some(text)
}

#[tokio::test]
async fn a_selection_goes_out_with_what_was_decided_and_each_export_is_an_event() {
    let stage = Stage::new().await;
    let (_, one) = stage.written(THREAT).await;
    let (_, two) = stage.written("Du är en jävla idiot som ska dö.").await;
    stage.decide(one, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    let ids = [evidence_of(&stage, one).await, evidence_of(&stage, two).await];
    // Twice the same is once.
    export(&stage, &[ids[1], ids[0], ids[1]], "paket.zip").await.unwrap();
    assert_eq!(stage.store().audit_count("evidence.export").await.unwrap(), 2);
    let found = packages::verify(&stage.dir.path().join("paket.zip"), &|_, _| {}).unwrap();
    assert!(found.is_whole(), "{}", found.words());
    let case = read(&stage, "paket.zip", &format!("bevis-{}/arende.json", ids[0])).unwrap();
    let case: serde_json::Value = serde_json::from_str(&case).unwrap();
    assert_eq!(case["decisions"][0]["by"], "Kim Exempel");
    assert_eq!(case["actions"][0]["kind"], "hide");
    let text = read(&stage, "paket.zip", &format!("bevis-{}/delar/text.txt", ids[0]));
    assert_eq!(text.as_deref(), Some(THREAT));
    assert_eq!(stage.verified().await.faults, []);
}

#[tokio::test]
async fn of_what_may_not_be_copied_only_what_is_known_goes_out() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let id = evidence_of(&stage, case).await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute("update items set no_copy = 1", []).unwrap();
    export(&stage, &[id], "paket.zip").await.unwrap();
    assert_eq!(read(&stage, "paket.zip", &format!("bevis-{id}/delar/text.txt")), None);
    let list = read(&stage, "paket.zip", "paket.json").unwrap();
    assert!(list.contains("får inte kopieras"), "{list}");
    for file in
        [&format!("bevis-{id}/manifest.json"), &format!("bevis-{id}/arende.json"), "paket.json"]
    {
        let text = read(&stage, "paket.zip", file).unwrap();
        assert!(!text.contains(THREAT), "{file}");
    }
    let found = packages::verify(&stage.dir.path().join("paket.zip"), &|_, _| {}).unwrap();
    assert!(found.is_whole(), "{}", found.words());
}

#[tokio::test]
async fn what_cannot_go_out_is_told_before_anything_is_written() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let id = evidence_of(&stage, case).await;
    let refused =
        async |ids: &[EvidenceId], name: &str, why: &str| match export(&stage, ids, name).await {
            Err(ServiceError::Refused { why: found }) => assert!(found.contains(why), "{found}"),
            other => panic!("{why}: {other:?}"),
        };
    refused(&[], "a.zip", "minst ett").await;
    refused(&[id, EvidenceId(99)], "a.zip", "Bevis 99 finns inte").await;
    std::fs::write(stage.dir.path().join("b.zip"), "x").unwrap();
    refused(&[id], "b.zip", "finns redan").await;
    assert_eq!(stage.store().audit_count("evidence.export").await.unwrap(), 0);
    assert!(!stage.dir.path().join("a.zip").exists());
    // A record that is not whole any more is named, and nothing is left half.
    let row = stage.store().evidence(id).await.unwrap();
    let evidence = &stage.services.inner.evidence;
    let part = evidence.manifest(&row).await.unwrap().parts[0].sha256.to_hex();
    let blob = stage.dir.path().join("evidence/blobs").join(&part[..2]).join(&part[2..]);
    std::fs::write(blob, "Annan text").unwrap();
    assert!(matches!(export(&stage, &[id], "c.zip").await, Err(ServiceError::Damaged { .. })));
    assert!(!stage.dir.path().join("c.zip").exists());
}
