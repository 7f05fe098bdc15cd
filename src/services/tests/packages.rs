//! Packages from the whole program: what was decided goes with them, each export is an event, and what
//! may not be copied stays where it is.

mod told;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::domain::action::ActionKind;
use crate::domain::decision::Choice;
use crate::domain::ids::{CaseId, ContentHash, EvidenceId};
use crate::domain::person::Role;
use crate::services::deliveries::PackageForm;
use crate::services::tests::harness::{Stage, THREAT};
use crate::services::{ServiceError, packages};

async fn evidence_of(stage: &Stage, case: CaseId) -> EvidenceId {
    let version = stage.store().case(case).await.unwrap().version;
    stage.store().evidence_of(version).await.unwrap().unwrap().id
}

async fn export(stage: &Stage, ids: &[EvidenceId], name: &str) -> Result<(), ServiceError> {
    export_as(stage, ids, name, &PackageForm::Zip).await
}

async fn export_as(
    stage: &Stage,
    ids: &[EvidenceId],
    name: &str,
    form: &PackageForm,
) -> Result<(), ServiceError> {
    let (services, out) = (&stage.services.inner, stage.dir.path().join(name));
    let (evidence, clock) = (&services.evidence, &services.clock);
    let authority = &services.settings.authority;
    packages::export(stage.store(), evidence, ids, &out, authority, clock, form).await
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

/// The files of a package, by name.
fn files_of(stage: &Stage, package: &str) -> BTreeMap<String, String> {
    let mut zip =
        zip::ZipArchive::new(File::open(stage.dir.path().join(package)).unwrap()).unwrap();
    let names: Vec<_> =
        (0..zip.len()).map(|n| zip.by_index(n).unwrap().name().unwrap().into_owned()).collect();
    let plain =
        names.into_iter().filter(|name| !name.contains("/delar/") && !name.ends_with(".pdf"));
    let text = |name: String| read(stage, package, &name).map(|text| (name, text));
    plain.filter(|name| !name.ends_with(".sig")).filter_map(text).collect()
}

/// Whether our check and the independent one find all well in a package that is unpacked there, signed anew.
async fn well_when_signed_anew(stage: &Stage, folder: &Path) -> (bool, bool) {
    let listed = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let sum_of = |line: &str| {
        let (_, name) = line.split_once("  ").unwrap();
        // What was taken away is not on the list either.
        let bytes = std::fs::read(folder.join(name)).ok()?;
        Some(format!("{}  {name}\n", ContentHash::of(&bytes).to_hex()))
    };
    let sums: String = listed.lines().filter_map(sum_of).collect();
    let signer = stage.services.inner.evidence.signer().await.unwrap();
    std::fs::write(folder.join("SHA256SUMS.sig"), signer.sign(sums.as_bytes())).unwrap();
    std::fs::write(folder.join("SHA256SUMS"), sums).unwrap();
    let checker = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/evidence/package/kontroll.py");
    let theirs = std::process::Command::new("python3").arg(checker).arg(folder).output().unwrap();
    (packages::verify(folder, &|_, _| {}).unwrap().is_whole(), theirs.status.success())
}

#[tokio::test]
async fn what_was_decided_and_done_is_proved_by_the_log_and_any_change_is_found_by_both_programs() {
    let stage = Stage::new().await;
    let (_, one) = stage.written(THREAT).await;
    let (_, two) = stage.written("Du är en jävla idiot som ska dö.").await;
    for case in [one, two] {
        stage.decide(case, vec![Choice::Hide, Choice::Register]).await;
    }
    stage.act_after_undo().await;
    let ids = [evidence_of(&stage, one).await, evidence_of(&stage, two).await];
    export(&stage, &ids, "paket.zip").await.unwrap();
    let folder = stage.dir.path().join("uppackat");
    let unpack = || {
        let zip = File::open(stage.dir.path().join("paket.zip")).unwrap();
        zip::ZipArchive::new(zip).unwrap().extract(&folder).unwrap();
    };
    unpack();
    assert_eq!(well_when_signed_anew(&stage, &folder).await, (true, true), "as it is");
    let events = format!("bevis-{}/handelser.json", ids[0]);
    let case = format!("bevis-{}/arende.json", ids[0]);
    let files = files_of(&stage, "paket.zip");
    let told: Vec<serde_json::Value> = serde_json::from_str(&files[&events]).unwrap();
    let post = |n: usize| told[n]["post"].as_str().unwrap().to_owned();
    let kinds: Vec<_> = (0..told.len())
        .map(|n| serde_json::from_str::<serde_json::Value>(&post(n)).unwrap()["kind"].clone())
        .collect();
    assert!(kinds.contains(&"decision".into()) && kinds.contains(&"action".into()), "{kinds:?}");
    let as_text = |told: &[serde_json::Value]| serde_json::to_string(told).unwrap();
    let others = &files[&format!("bevis-{}/handelser.json", ids[1])];
    let changed = |n: usize, from: &str, to: &str| {
        let mut told = told.clone();
        let was = post(n);
        assert!(was.contains(from), "{was}");
        told[n]["post"] = was.replace(from, to).into();
        as_text(&told)
    };
    let moved = |n: usize| {
        let mut told = told.clone();
        told[n]["index"] = 0.into();
        as_text(&told)
    };
    let turned: Vec<_> = told.iter().rev().cloned().collect();
    let twice: Vec<_> = told.iter().chain(&told[..1]).cloned().collect();
    let untold = files[&case].replace("\"decision\":", "\"beslut\":");
    let undone = files[&case].replace("\"actions\": [", "\"actions\": [], \"andra\": [");
    let table = [
        ("another ground", &events, changed(0, "\"ground\":\"hot\"", "\"ground\":\"annat\"")),
        ("another end", &events, changed(told.len() - 1, "\"seq\":", "\"seq\":1")),
        ("another place", &events, moved(0)),
        ("another order", &events, as_text(&turned)),
        ("one twice", &events, as_text(&twice)),
        ("those of another case", &events, others.clone()),
        ("no list", &events, "{".to_owned()),
        ("a decision that is not told", &case, untold),
        ("actions that are not told", &case, undone),
        ("no case at all", &case, "null".to_owned()),
    ];
    for (what, file, text) in table {
        unpack();
        assert_ne!(text, files[file], "{what}");
        std::fs::write(folder.join(file), text).unwrap();
        assert_eq!(well_when_signed_anew(&stage, &folder).await, (false, false), "{what}");
    }
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

#[tokio::test]
async fn a_delivery_is_verified_as_it_is_and_unpacked_and_whatever_changes_in_it_is_named() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let id = evidence_of(&stage, case).await;
    let eark = PackageForm::Eark { schemas: None };
    for name in ["leverans.zip", "leverans", "leverans.tar"] {
        export_as(&stage, &[id], name, &eark).await.unwrap();
    }
    let root = stage.dir.path().join("leverans");
    let words = |path: &std::path::Path| {
        let found = packages::verify(path, &|_, _| {}).unwrap();
        (found.is_whole(), found.words())
    };
    let inner = root.join("representations/rep1/data");
    for path in [stage.dir.path().join("leverans.zip"), root.clone(), inner.clone()] {
        let (whole, words) = words(&path);
        assert!(whole, "{}: {words}", path.display());
    }
    let (whole, told) = words(&stage.dir.path().join("leverans.tar"));
    assert!(!whole && told.contains("packa upp den och ange mappen"), "{told}");
    for (file, says) in [
        ("documentation/om-leveransen.txt", "inte den som METS.xml nämner"),
        ("metadata/preservation/premis.xml", "inte den som METS.xml nämner"),
        ("representations/rep1/METS.xml", "inte den som METS.xml nämner"),
        ("representations/rep1/data/paket.json", "filen har ändrats"),
    ] {
        let before = std::fs::read(root.join(file)).unwrap();
        std::fs::write(root.join(file), [before.as_slice(), b" "].concat()).unwrap();
        let (whole, told) = words(&root);
        assert!(!whole && told.contains(says), "{file}: {told}");
        std::fs::write(root.join(file), before).unwrap();
    }
    // With its sum mended in METS, and METS itself.
    let mets = std::fs::read_to_string(root.join("METS.xml")).unwrap();
    for (file, from, to) in [
        ("metadata/descriptive/erms.xml", "Exempelstads kommun", "Låtsasbo kommun"),
        ("metadata/preservation/premis.xml", "premis", "primis"),
        ("documentation/om-leveransen.txt", "LEVERANS", "leverans"),
    ] {
        let before = std::fs::read_to_string(root.join(file)).unwrap();
        let after = before.replacen(from, to, 1);
        assert_ne!(after, before, "{file}");
        let sum = |text: &str| ContentHash::of(text.as_bytes()).to_hex();
        let (old, new) =
            (format!("SIZE=\"{}\"", before.len()), format!("SIZE=\"{}\"", after.len()));
        let mended = mets.replace(&sum(&before), &sum(&after)).replace(&old, &new);
        std::fs::write(root.join(file), after).unwrap();
        std::fs::write(root.join("METS.xml"), mended).unwrap();
        let (whole, told) = words(&root);
        assert!(!whole && told.contains("inte det som undertecknades"), "{file}: {told}");
        std::fs::write(root.join(file), before).unwrap();
    }
    let another = mets.replace("Exempelstads kommun", "Låtsasbo kommun");
    assert_ne!(another, mets);
    std::fs::write(root.join("METS.xml"), another).unwrap();
    assert!(
        words(&root).1.contains("METS.xml: det är inte det som undertecknades"),
        "{}",
        words(&root).1
    );
    // The rest of the list, which names files by sums that hold and says another thing of them.
    let map = &mets[mets.find("<structMap").unwrap()..mets.find("</mets>").unwrap()];
    let invented =
        "<dmdSec ID=\"x\"><mdWrap MDTYPE=\"DC\"><xmlData>Kim Falsk</xmlData></mdWrap></dmdSec>";
    for other in [
        mets.replace(map, ""),
        mets.replacen("<amdSec", &format!("{invented}<amdSec"), 1),
        mets.replace("OTHERMDTYPE=\"ERMS\"", "OTHERMDTYPE=\"EAD\""),
        mets.replace("STATUS=\"CURRENT\"", "STATUS=\"SUPERSEDED\""),
        mets.replace("LABEL=\"Schemas\"", "LABEL=\"Metadata\""),
        mets.replace("xlink:title=\"rep1\"", "xlink:title=\"rep2\""),
        mets.replace("MIMETYPE=\"text/plain\"", "MIMETYPE=\"text/html\""),
        mets.replacen(" CREATED=\"20", " CREATED=\"19", 9),
        mets.replace("</mets>", "<!-- tillagt --></mets>"),
    ] {
        assert_ne!(other, mets);
        std::fs::write(root.join("METS.xml"), &other).unwrap();
        let (whole, told) = words(&root);
        assert!(!whole && told.contains("METS.xml: det är inte det som undertecknades"), "{told}");
    }
    std::fs::write(root.join("METS.xml"), &mets).unwrap();
    assert!(words(&root).0, "{}", words(&root).1);
    // By hand, with the words of the delivery itself.
    let about = std::fs::read_to_string(root.join("documentation/om-leveransen.txt")).unwrap();
    let from = about.find("NOLLOR=").unwrap();
    let by_hand = &about[from..about.find("| sha256sum\n").unwrap() + "| sha256sum".len()];
    let run = std::process::Command::new("sh").args(["-ec", by_hand]).current_dir(&root).output();
    let said = String::from_utf8(run.unwrap().stdout).unwrap();
    let sums = std::fs::read_to_string(root.join("documentation/leverans-sha256.txt")).unwrap();
    assert!(sums.contains(&format!("# {}  METS.xml med nollor", &said[..64])), "{said} {sums}");
    std::fs::write(root.join("tillagd.txt"), "x").unwrap();
    assert!(words(&root).1.contains("står inte i METS.xml"));
    std::fs::remove_file(root.join("tillagd.txt")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", inner.join("lank")).unwrap();
    assert!(words(&root).1.contains("en länk"));
    std::fs::remove_file(inner.join("lank")).unwrap();
    std::fs::remove_file(root.join("METS.xml")).unwrap();
    assert!(words(&root).1.contains("METS.xml"));
}

/// The files of a tar archive, read by hand.
fn untar(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut rest = bytes;
    while let Some((header, after)) = rest.split_at_checked(512)
        && header[0] != 0
    {
        let text = |range: std::ops::Range<usize>| {
            let field = header[range].split(|b| *b == 0).next().unwrap_or_default();
            String::from_utf8(field.to_vec()).unwrap()
        };
        let size = usize::from_str_radix(&text(124..135), 8).unwrap();
        let name = match text(345..500).as_str() {
            "" => text(0..100),
            prefix => format!("{prefix}/{}", text(0..100)),
        };
        files.push((name, after[..size].to_vec()));
        rest = &after[size.next_multiple_of(512)..];
    }
    assert!(rest.len() == 1024 && rest.iter().all(|b| *b == 0), "two empty blocks end it");
    files
}

#[tokio::test]
async fn a_delivery_lists_each_file_with_its_sum_and_is_the_same_in_every_form_and_time() {
    let stage = Stage::new().await;
    let (_, one) = stage.written(THREAT).await;
    let (_, two) = stage.written("Du är en jävla idiot som ska dö.").await;
    stage.decide(one, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    let ids = [evidence_of(&stage, one).await, evidence_of(&stage, two).await];
    let eark = PackageForm::Eark { schemas: None };
    for name in ["a/leverans.tar", "b/leverans.tar", "c/leverans", "leverans.zip"] {
        let path = stage.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        export_as(&stage, &ids, name, &eark).await.unwrap();
    }
    let tar = std::fs::read(stage.dir.path().join("a/leverans.tar")).unwrap();
    assert!(tar == std::fs::read(stage.dir.path().join("b/leverans.tar")).unwrap());
    let files = untar(&tar);
    let zip = File::open(stage.dir.path().join("leverans.zip")).unwrap();
    assert_eq!(zip::ZipArchive::new(zip).unwrap().len(), files.len());
    for (name, bytes) in &files {
        let path = stage.dir.path().join("c").join(name);
        assert!(std::fs::read(&path).unwrap() == *bytes, "{name}");
    }
    let left = std::fs::read_dir(stage.dir.path().join("c")).unwrap().count();
    assert_eq!(left, 1, "nothing is left aside");
    // Each file stands once in a list, with its size and sum; the two lists themselves aside.
    let text = |name: &str| {
        let found = files.iter().find(|(n, _)| *n == format!("leverans/{name}"));
        String::from_utf8(found.unwrap_or_else(|| panic!("{name}")).1.clone()).unwrap()
    };
    let lists =
        [("", text("METS.xml")), ("representations/rep1/", text("representations/rep1/METS.xml"))];
    let mut n_listed = 0;
    for (name, bytes) in &files {
        let name = name.strip_prefix("leverans/").unwrap();
        let sum = crate::domain::ids::ContentHash::of(bytes).to_hex();
        for (folder, list) in &lists {
            let Some(path) = name.strip_prefix(folder) else { continue };
            let Some((before, _)) = list
                .split_once(&format!("xlink:href=\"{path}\" "))
                .or_else(|| list.split_once(&format!("xlink:href=\"{path}\"/")))
            else {
                continue;
            };
            let around = &list[before.rfind("<file ").or(before.rfind("<mdRef ")).unwrap()..];
            assert!(around.contains(&format!("SIZE=\"{}\"", bytes.len())), "{name}");
            assert!(list.contains(&sum), "{name}");
            n_listed += 1;
            break;
        }
    }
    assert_eq!(n_listed + 1, files.len(), "all but the package's own list");
    let erms = text("metadata/descriptive/erms.xml");
    assert_eq!(erms.matches("<aggregation ").count(), 2);
    let premis = text("metadata/preservation/premis.xml");
    assert!(premis.contains("<eventDetail>") && premis.contains("Kim Exempel"), "{premis}");
    // For tests/check-eark.sh.
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/eark-check");
    drop(std::fs::remove_dir_all(&kept));
    for (name, bytes) in &files {
        let path = kept.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    // What lies within is the package that anybody can verify.
    let inner = stage.dir.path().join("c/leverans/representations/rep1/data");
    let checked =
        std::process::Command::new("python3").arg("kontroll.py").current_dir(inner).output();
    let checked = checked.unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[tokio::test]
async fn a_delivery_holds_nothing_of_what_may_not_be_copied() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let id = evidence_of(&stage, case).await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute("update items set no_copy = 1", []).unwrap();
    export_as(&stage, &[id], "leverans.tar", &PackageForm::Eark { schemas: None }).await.unwrap();
    let files = untar(&std::fs::read(stage.dir.path().join("leverans.tar")).unwrap());
    for (name, bytes) in &files {
        assert!(!name.contains("/delar/"), "{name}");
        assert!(memchr::memmem::find(bytes, THREAT.as_bytes()).is_none(), "{name}");
    }
    let erms = files.iter().find(|(name, _)| name.ends_with("erms.xml")).unwrap();
    assert!(memchr::memmem::find(&erms.1, "16 kap. 10 a §".as_bytes()).is_some());
}

#[tokio::test]
async fn a_delivery_has_a_name_that_every_system_takes() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let id = evidence_of(&stage, case).await;
    let eark = PackageForm::Eark { schemas: None };
    for name in ["åäö.zip", "med blanksteg.tar", ".dold"] {
        let refused = export_as(&stage, &[id], name, &eark).await;
        assert!(matches!(refused, Err(ServiceError::Refused { .. })), "{name}");
    }
    assert_eq!(stage.store().audit_count("evidence.export").await.unwrap(), 0);
}

#[tokio::test]
async fn a_delivery_for_the_diary_is_written_once_more_where_an_attempt_broke_off() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Register]).await;
    let action = stage.action(case, ActionKind::Register).await;
    let id = evidence_of(&stage, case).await;
    let folder = stage.services.inner.settings.export_dir.clone();
    std::fs::create_dir_all(&folder).unwrap();
    let left = folder.join(format!("arende-{case}-{}.zip", action.key));
    std::fs::write(&left, "halvfärdigt").unwrap();
    let form = PackageForm::Eark { schemas: None };
    let name = stage.services.export_delivery(&action, id, &form).await.unwrap();
    assert_eq!(folder.join(&name), left);
    let zip = zip::ZipArchive::new(File::open(left).unwrap()).unwrap();
    let root = name.strip_suffix(".zip").unwrap();
    assert!(zip.file_names().all(|name| name.unwrap().starts_with(&format!("{root}/"))));
    // The attempt breaks off after it was put on record, and the case goes on: what was collected stays.
    let first = std::fs::read(folder.join(&name)).unwrap();
    let on_record = stage.store().registrations_of(case).await.unwrap().remove(0).package_sha256;
    assert_eq!(on_record, ContentHash::of(&first));
    stage
        .services
        .exempt(&stage.person(Role::Owner, "Olle").await, case, "Ett mål.")
        .await
        .unwrap();
    assert_eq!(stage.services.export_delivery(&action, id, &form).await.unwrap(), name);
    assert_eq!(std::fs::read(folder.join(&name)).unwrap(), first);
    std::fs::write(folder.join(&name), "något annat").unwrap();
    let other = stage.services.export_delivery(&action, id, &form).await;
    assert!(matches!(other, Err(ServiceError::Damaged { .. })), "{other:?}");
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing aside is left: {left:?}");
    assert_eq!(
        stage.store().audit_count("evidence.export").await.unwrap(),
        0,
        "registering is the event"
    );
}

#[tokio::test]
async fn whoever_may_read_evidence_fetches_a_selection_as_one_package_and_each_record_tells_who() {
    let stage = Stage::new().await;
    let (_, one) = stage.written(THREAT).await;
    let (_, two) = stage.written("Du är en jävla idiot som ska dö.").await;
    let services = &stage.services;
    let package = services.package(&stage.editor, &[], &[one, two, one]).await.unwrap();
    assert_eq!(package.name, "bevis-2-stycken.zip");
    let zip = stage.dir.path().join("fetched.zip");
    let mut file = package.file;
    std::io::copy(&mut file, &mut std::fs::File::create(&zip).unwrap()).unwrap();
    assert_eq!(std::fs::metadata(&zip).unwrap().len(), package.size_bytes);
    assert!(packages::verify(&zip, &|_, _| {}).unwrap().is_whole());
    let left: Vec<_> = std::fs::read_dir(stage.dir.path().join("export")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(stage.store().audit_count("evidence.export").await.unwrap(), 2);
    let file = services.case_file(&stage.editor, one).await.unwrap();
    let told = file.custody.events.iter();
    assert!(told.clone().any(|e| e.who == "Kim Exempel" && e.what == "exporterade beviset"));
    // What is for a smaller circle is fetched by that circle alone, also among others.
    services.mark_secret(&stage.editor, two, "OSL 25 kap. 1 §", "Om hälsa.").await.unwrap();
    let other = stage.person(Role::Editor, "Alex").await;
    assert!(services.package(&other, &[], &[one, two]).await.is_err());
    services.package(&other, &[], &[one]).await.unwrap();
    let administrator = stage.person(Role::Administrator, "Ada").await;
    assert!(services.package(&administrator, &[], &[one]).await.is_err());
    assert!(services.package(&stage.editor, &[], &[]).await.is_err());
}
