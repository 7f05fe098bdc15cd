//! Packages as others meet them: our own check, the independent checker and the commands of the text
//! beside it agree on whole ones and on every way of tampering.

mod forged;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Cursor, Read as _, Write as _};
use std::process::Command;

use zip::write::SimpleFileOptions;

use super::check::{PackageReport, check};
use super::*;
use crate::domain::evidence::PartKind;
use crate::evidence::tests::Bench;
use crate::store::rows::EvidenceState;

type Files = BTreeMap<String, Vec<u8>>;

/// What is said of a package that has none.
const EMPTY: &str = "listan nämner inget bevis";

fn why(_: CutOff) -> &'static str {
    "Prov."
}

/// A package of two records, of which the second may not be copied, nor the picture of the first,
/// since nobody knows on which page the second stands; and its files.
async fn package(bench: &Bench) -> (PathBuf, Files) {
    bench.store.settle_fact("installation", "prov".into()).await.unwrap();
    let payload = (PartKind::Payload, "payload.json", "{}");
    let picture = (PartKind::Screenshot, "screenshot.png", "bilden");
    let page = (PartKind::FullPage, "hela-sidan.png", "sidan");
    let log = (PartKind::PageLog, "webbsida-logg.json", "{}");
    let one = bench.sealed_with("1", &[payload, picture, page, log]).await;
    let two = bench.sealed("2").await;
    bench.sealed("3").await;
    let path = bench.dir.path().join("paket.zip");
    let newest = |row: &EvidenceRow| match row.state {
        EvidenceState::Sealed { log_seq, .. } => log_seq,
        EvidenceState::Wanted | EvidenceState::Disposed { .. } => panic!("{row:?}"),
    };
    let rows =
        [bench.store.evidence(one.id).await.unwrap(), bench.store.evidence(two.id).await.unwrap()];
    let mut package = bench
        .evidence
        .begin_package(&path, "Exempelstads kommun", newest(&rows[1]), Form::ZIP)
        .await
        .unwrap();
    bench
        .raw()
        .execute("update items set no_copy = 1, parent_id = 'x' where platform_id = '2'", [])
        .unwrap();
    package.add(&rows[0], why, None, b"null\n".to_vec(), None, None).await.unwrap();
    package.add(&rows[1], why, None, b"null\n".to_vec(), None, None).await.unwrap();
    package.finish().await.unwrap();
    let files = unzip(&path);
    (path, files)
}

fn unzip(path: &Path) -> Files {
    let mut zip = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut files = Files::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(file.name().unwrap().into_owned(), bytes);
    }
    files
}

fn rezip(path: &Path, files: &Files) {
    let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn lay_out(folder: &Path, files: &Files) {
    drop(fs::remove_dir_all(folder));
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn ours(path: &Path) -> PackageReport {
    check(path, &|_| {}).unwrap()
}

/// What the independent checker says: whether all is well, and its words. Of the program in the
/// repository, not of one that came with a package.
fn theirs(target: &Path) -> (bool, String) {
    run_checker(&[target.as_os_str()])
}

fn run_checker(arguments: &[&OsStr]) -> (bool, String) {
    let checker = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/evidence/package/kontroll.py");
    let done = Command::new("python3").arg(checker).args(arguments).output().expect("python3 runs");
    (done.status.success(), String::from_utf8(done.stdout).unwrap())
}

/// The commands of the text, one by one: each indented passage is one.
fn commands(readme: &str) -> Vec<String> {
    let after = readme.split("SÅ KONTROLLERAR DU").nth(1).unwrap();
    let mut all: Vec<String> = Vec::new();
    let mut inside = false;
    for line in after.lines() {
        match line.strip_prefix("    ") {
            Some(command) if inside => {
                let last = all.last_mut().unwrap();
                last.push('\n');
                last.push_str(command);
            }
            Some(command) => all.push(command.to_owned()),
            None => {}
        }
        inside = line.starts_with("    ");
    }
    all
}

/// Whether every command of the text succeeds there.
fn by_hand(folder: &Path, readme: &str) -> Result<(), String> {
    for command in commands(readme) {
        let done = Command::new("bash")
            .args(["-e", "-u", "-o", "pipefail", "-c", &command])
            .current_dir(folder)
            .output()
            .expect("bash runs");
        if !done.status.success() {
            return Err(format!("{command}: {}", String::from_utf8_lossy(&done.stderr)));
        }
    }
    Ok(())
}

#[test]
fn the_independent_checker_has_at_most_a_hundred_lines_and_needs_nothing() {
    assert!(CHECKER.lines().count() <= 100, "{}", CHECKER.lines().count());
    let imports: Vec<_> = CHECKER.lines().filter(|line| line.starts_with("import ")).collect();
    assert_eq!(
        imports,
        [
            "import base64, calendar, hashlib, json, os, re, shutil, subprocess, sys, tempfile, time, zipfile"
        ]
    );
}

#[tokio::test]
async fn a_whole_package_holds_for_us_for_the_checker_and_by_hand() {
    let bench = Bench::new().await;
    let (path, files) = package(&bench).await;
    let report = ours(&path);
    assert_eq!(report.faults, []);
    assert_eq!((report.n_records, report.size, report.n_withheld), (2, 4, 4));
    assert_eq!(report.n_files as usize, files.len() - 2, "all but the sums and their signature");
    let (well, words) = theirs(&path);
    assert!(well, "{words}");
    assert!(words.starts_with("2 bevis stämmer, i en undertecknad logg av 4 poster.\n"), "{words}");
    // Of anybody's package it says so much: whose key it is has to be asked elsewhere.
    assert!(words.contains(&report.fingerprint.unwrap()), "{words}");
    assert!(words.contains("Exempelstads kommun har publicerat"), "{words}");
    assert!(words.contains("Ingen tidsstämpel"), "{words}");
    let folder = bench.dir.path().join("uppackat");
    lay_out(&folder, &files);
    assert!(theirs(&folder).0);
    let readme = String::from_utf8(files["LASMIG.txt"].clone()).unwrap();
    assert_eq!(commands(&readme).len(), 7, "{readme}");
    by_hand(&folder, &readme).unwrap();
    assert!(!readme.contains(['{', '[']) || !readme.contains("[slut]"), "{readme}");
    // What may not be copied is not there.
    assert!(files.contains_key("bevis-1/delar/text.txt"));
    assert!(!files.keys().any(|name| name.starts_with("bevis-2/delar")));
}

#[tokio::test]
async fn pictures_of_a_page_its_log_and_attachments_lie_in_a_package_and_hold_there() {
    let bench = Bench::new().await;
    bench.store.settle_fact("installation", "prov".into()).await.unwrap();
    let of_page = [
        (PartKind::Screenshot, "screenshot.png", "bilden"),
        (PartKind::FullPage, "hela-sidan.png", "sidan"),
        (PartKind::PageLog, "webbsida-logg.json", "{}"),
        (PartKind::Attachment, "bilaga-1.jpg", "fotot"),
    ];
    let one = bench.sealed_with("1", &of_page).await;
    let row = bench.store.evidence(one.id).await.unwrap();
    let EvidenceState::Sealed { log_seq, .. } = row.state else { panic!("{row:?}") };
    let path = bench.dir.path().join("paket.zip");
    let mut package = bench
        .evidence
        .begin_package(&path, "Exempelstads kommun", log_seq, Form::ZIP)
        .await
        .unwrap();
    package.add(&row, why, None, b"null\n".to_vec(), None, None).await.unwrap();
    package.finish().await.unwrap();
    let files = unzip(&path);
    for (_, name, bytes) in of_page {
        assert_eq!(files[&format!("bevis-1/delar/{name}")], bytes.as_bytes());
    }
    assert_eq!(ours(&path).faults, []);
    assert!(theirs(&path).0, "{}", theirs(&path).1);
    // And each is held, by both, against what was sealed.
    for (_, name, _) in of_page {
        let mut changed = files.clone();
        turn(&mut changed, &format!("bevis-1/delar/{name}"), 0);
        resign(&bench.evidence, &mut changed).await;
        rezip(&path, &changed);
        assert_ne!(ours(&path).faults, [], "{name}");
        assert!(!theirs(&path).0, "{name}");
    }
}

#[tokio::test]
async fn a_package_is_not_written_over_another_nor_left_half() {
    let bench = Bench::new().await;
    let (path, files) = package(&bench).await;
    let before = fs::read(&path).unwrap();
    let again = bench.evidence.begin_package(&path, "x", 1, Form::ZIP).await;
    assert!(matches!(again, Err(EvidenceError::Package { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    // Given up before its end.
    let other = bench.dir.path().join("annat.zip");
    let package = bench.evidence.begin_package(&other, "x", 1, Form::ZIP).await.unwrap();
    let writing = {
        let Package { entries, writing, .. } = package;
        drop(entries);
        writing
    };
    assert!(writing.await.unwrap().is_err());
    let left = |name: &str| name.starts_with("annat") || name.ends_with(".part");
    let names = || fs::read_dir(bench.dir.path()).unwrap().map(|file| file.unwrap().file_name());
    assert!(!names().any(|name| left(name.to_str().unwrap())));
    // One that is called like what others write aside, beside a stranger's of that name.
    let stranger = bench.dir.path().join("nytt.part");
    fs::write(&stranger, "en annans").unwrap();
    for name in ["nytt.zip", "paket.part"] {
        let path = bench.dir.path().join(name);
        let package = bench.evidence.begin_package(&path, "x", 1, Form::ZIP).await.unwrap();
        package.finish().await.unwrap();
        let wrong: Vec<_> = ours(&path).faults.into_iter().map(|fault| fault.what).collect();
        assert_eq!(wrong, [EMPTY], "{name}: whole, but of no record");
    }
    assert_eq!(fs::read_to_string(stranger).unwrap(), "en annans");
    // A folder that is not there.
    let nowhere = bench.dir.path().join("finns/inte.zip");
    let package = bench.evidence.begin_package(&nowhere, "x", 1, Form::ZIP).await.unwrap();
    assert!(package.finish().await.is_err());
    drop(files);
}

/// Signs the sums anew over whatever the files are, as whoever has the key could.
async fn resign(evidence: &EvidenceStore, files: &mut Files) {
    let mut sums = String::new();
    for (name, bytes) in files.iter().filter(|(name, _)| !name.starts_with("SHA256SUMS")) {
        let _ = writeln!(sums, "{}  {name}", ContentHash::of(bytes));
    }
    let signature = evidence.signer().await.unwrap().sign(sums.as_bytes());
    files.insert(SUMS.into(), sums.into_bytes());
    files.insert(SUMS_SIGNATURE.into(), signature.to_vec());
}

fn turn(files: &mut Files, name: &str, at: usize) {
    let bytes = files.get_mut(name).unwrap_or_else(|| panic!("{name} is there"));
    let at = at % bytes.len();
    bytes[at] ^= 1;
}

fn replace(files: &mut Files, name: &str, from: &str, to: &str) {
    let text = String::from_utf8(files[name].clone()).unwrap();
    assert!(text.contains(from), "{name}: {from}");
    files.insert(name.into(), text.replacen(from, to, 1).into_bytes());
}

#[tokio::test]
async fn a_turned_bit_in_any_file_is_found_by_all_three() {
    let bench = Bench::new().await;
    let (path, files) = package(&bench).await;
    let readme = String::from_utf8(files["LASMIG.txt"].clone()).unwrap();
    let folder = bench.dir.path().join("uppackat");
    for name in files.keys() {
        let mut changed = files.clone();
        turn(&mut changed, name, 17);
        rezip(&path, &changed);
        lay_out(&folder, &changed);
        assert_ne!(ours(&path).faults, [], "{name}");
        assert!(!theirs(&path).0, "{name}");
        assert!(by_hand(&folder, &readme).is_err(), "{name}");
    }
}

/// What is done by somebody who has no key, or who has it and signs the sums anew; and whether the
/// commands by hand see it too, which look at less than the two programs.
type Tampering = (&'static str, bool, bool, fn(&mut Files));

const TAMPERINGS: &[Tampering] = &[
    ("a file is taken away", false, true, |f| drop(f.remove("bevis-1/delar/text.txt"))),
    ("a file is added", false, true, |f| drop(f.insert("bevis-1/mer.txt".into(), b"x".to_vec()))),
    ("a record is taken away", false, true, |f| f.retain(|n, _| !n.starts_with("bevis-1/"))),
    ("the sums are empty", false, true, |f| drop(f.insert("SHA256SUMS".into(), Vec::new()))),
    ("the sums' signature is of another length", false, true, |f| {
        f.insert("SHA256SUMS.sig".into(), vec![0; 63]);
    }),
    ("the key is no key", false, true, |f| drop(f.insert("logg/nyckel.pem".into(), b"x".to_vec()))),
    ("a part is another, sums anew", true, true, |f| {
        f.insert("bevis-1/delar/text.txt".into(), b"Annan text".to_vec());
    }),
    ("a part is taken away, sums anew", true, false, |f| drop(f.remove("bevis-1/delar/text.txt"))),
    ("a part is added, sums anew", true, true, |f| {
        f.insert("bevis-1/delar/mer.txt".into(), b"x".to_vec());
    }),
    ("the manifest is another, sums anew", true, true, |f| {
        replace(f, "bevis-1/manifest.json", "\"version\":1", "\"version\":2");
    }),
    ("entry and manifest are others, sums anew", true, true, |f| {
        let was = ContentHash::of(&f["bevis-1/manifest.json"]).to_hex();
        replace(f, "bevis-1/manifest.json", "\"version\":1", "\"version\":2");
        let is = ContentHash::of(&f["bevis-1/manifest.json"]).to_hex();
        replace(f, "bevis-1/loggpost.json", &was, &is);
    }),
    ("two records change places, sums anew", true, true, |f| {
        for file in ["manifest.json", "loggpost.json", "loggbevis.json", "vag.txt"] {
            let one = f[&format!("bevis-1/{file}")].clone();
            let two = f.insert(format!("bevis-2/{file}"), one).unwrap();
            f.insert(format!("bevis-1/{file}"), two);
        }
    }),
    ("the proof says another place, sums anew", true, false, |f| {
        replace(f, "bevis-1/loggbevis.json", "\"index\": 0", "\"index\": 1");
    }),
    ("the proof says another size, sums anew", true, false, |f| {
        replace(f, "bevis-1/loggbevis.json", "\"size\": 4", "\"size\": 3");
    }),
    ("the proof is shorter, sums anew", true, true, |f| {
        let text = String::from_utf8(f["bevis-1/vag.txt"].clone()).unwrap();
        let (cut, last) = text.trim_end().rsplit_once('\n').unwrap();
        let hash = last.split_once(' ').unwrap().1.to_owned();
        f.insert("bevis-1/vag.txt".into(), format!("{cut}\n").into_bytes());
        let proof = String::from_utf8(f["bevis-1/loggbevis.json"].clone()).unwrap();
        let proof = proof.replace(&format!(",\n    \"{hash}\""), "");
        f.insert("bevis-1/loggbevis.json".into(), proof.into_bytes());
    }),
    ("the withheld is called whole, sums anew", true, false, |f| {
        replace(f, "paket.json", "\"withheld\": \"Prov.\"", "\"withheld\": null");
    }),
    ("a part that was left out is called here, sums anew", true, false, |f| {
        replace(f, "paket.json", "\"name\": \"screenshot.png\"", "\"name\": \"annan.png\"");
    }),
    ("a part that is here is called left out, sums anew", true, false, |f| {
        replace(f, "paket.json", "\"name\": \"screenshot.png\"", "\"name\": \"text.txt\"");
    }),
    ("two parts of a record change names, sums anew", true, true, |f| {
        let text = f.remove("bevis-1/delar/text.txt").unwrap();
        let payload = f.insert("bevis-1/delar/payload.json".into(), text).unwrap();
        f.insert("bevis-1/delar/text.txt".into(), payload);
    }),
    ("a record is left out of the list, sums anew", true, false, |f| {
        replace(f, "paket.json", "\"folder\": \"bevis-1\"", "\"folder\": \"bevis-9\"");
    }),
    ("the checkpoint says another size, sums anew", true, true, |f| {
        for file in ["logg/kontrollpunkt.txt", "logg/kontrollpunkt.text"] {
            replace(f, file, "\n4\n", "\n5\n");
        }
    }),
    ("the checkpoint's text is not its own, sums anew", true, true, |f| {
        replace(f, "logg/kontrollpunkt.txt", "\n4\n", "\n5\n");
    }),
    ("a stamp of something else is put in, sums anew", true, false, |f| {
        let answer = include_bytes!("../../../fixtures/tsa/good.tsr");
        f.insert("logg/stampel.tsr".into(), answer.to_vec());
        let root = include_bytes!("../../../fixtures/tsa/ca.pem");
        f.insert("logg/stampel-rot.pem".into(), root.to_vec());
    }),
    ("the way for a shell is another, sums anew", true, true, |f| {
        let way = String::from_utf8(f["bevis-1/vag.txt"].clone()).unwrap();
        let turned = way.replace('V', "v").replace('H', "V").replace('v', "H");
        f.insert("bevis-1/vag.txt".into(), turned.into_bytes());
    }),
    ("the list names another root, sums anew", true, false, |f| {
        let index: serde_json::Value = serde_json::from_slice(&f["paket.json"]).unwrap();
        let root = index["root"].as_str().unwrap().to_owned();
        replace(f, "paket.json", &root, &ContentHash::of(b"another").to_hex());
    }),
    ("the list cannot be read, sums anew", true, false, |f| {
        f.insert("paket.json".into(), b"{".to_vec());
    }),
    ("what happened is left out, sums anew", true, false, |f| {
        drop(f.remove("bevis-1/handelser.json"));
    }),
    ("case and what happened are left out, sums anew", true, false, |f| {
        drop(f.remove("bevis-1/handelser.json"));
        drop(f.remove("bevis-1/arende.json"));
    }),
    ("a record is listed twice, sums anew", true, false, |f| {
        let mut index: serde_json::Value = serde_json::from_slice(&f["paket.json"]).unwrap();
        let first = index["records"][0].clone();
        index["records"].as_array_mut().unwrap().push(first);
        f.insert("paket.json".into(), index.to_string().into_bytes());
    }),
    ("no record is left, sums anew", true, true, |f| {
        let mut index: serde_json::Value = serde_json::from_slice(&f["paket.json"]).unwrap();
        index["records"] = serde_json::json!([]);
        f.insert("paket.json".into(), index.to_string().into_bytes());
        f.retain(|name, _| !name.starts_with("bevis-"));
    }),
    ("a part that never was is said to be left out, sums anew", true, false, |f| {
        let mut index: serde_json::Value = serde_json::from_slice(&f["paket.json"]).unwrap();
        let without = index["records"][0]["without"].as_array_mut().unwrap();
        without.push(serde_json::json!({ "name": "film.mp4", "reason": "Prov." }));
        f.insert("paket.json".into(), index.to_string().into_bytes());
    }),
    ("the text on how to check is gone, sums anew", true, false, |f| drop(f.remove("LASMIG.txt"))),
    ("the checker is gone, sums anew", true, false, |f| drop(f.remove("kontroll.py"))),
    ("a file lies beside the records, sums anew", true, false, |f| {
        f.insert("bevis-1/mer.txt".into(), b"x".to_vec());
    }),
    ("a certificate lies there without a stamp, sums anew", true, false, |f| {
        f.insert("logg/stampel-rot.pem".into(), b"x".to_vec());
    }),
    ("an entry is no json, sums anew", true, true, |f| {
        f.insert("bevis-1/loggpost.json".into(), b"x".to_vec());
    }),
];

#[tokio::test]
async fn every_way_of_tampering_is_found_by_both_programs() {
    let bench = Bench::new().await;
    let (path, files) = package(&bench).await;
    let readme = String::from_utf8(files["LASMIG.txt"].clone()).unwrap();
    let folder = bench.dir.path().join("uppackat");
    for (what, has_key, by_hand_too, tamper) in TAMPERINGS {
        let mut changed = files.clone();
        tamper(&mut changed);
        assert_ne!(changed, files, "{what}");
        if *has_key {
            resign(&bench.evidence, &mut changed).await;
        }
        rezip(&path, &changed);
        assert_ne!(ours(&path).faults, [], "{what}");
        let (well, words) = theirs(&path);
        assert!(!well, "{what}: {words}");
        assert!(words.contains(": "), "{what}: {words}");
        lay_out(&folder, &changed);
        assert_eq!(by_hand(&folder, &readme).is_err(), *by_hand_too, "{what}");
    }
}

#[tokio::test]
async fn a_list_of_sums_in_any_other_form_is_refused_by_both_also_where_it_is_signed() {
    let bench = Bench::new().await;
    let (path, files) = package(&bench).await;
    let sums = String::from_utf8(files[SUMS].clone()).unwrap();
    let forms = [
        sums.replace('\n', "\r\n"),
        sums.replacen("  ", " *", 1),
        sums.to_uppercase().replace("SHA256SUMS", SUMS),
        format!("{sums}\n"),
        format!("# {sums}"),
    ];
    for form in forms {
        let signature = bench.evidence.signer().await.unwrap().sign(form.as_bytes());
        let mut changed = files.clone();
        changed.insert(SUMS.into(), form.clone().into_bytes());
        changed.insert(SUMS_SIGNATURE.into(), signature.to_vec());
        rezip(&path, &changed);
        assert_ne!(ours(&path).faults, [], "{form}");
        assert!(!theirs(&path).0, "{form}");
    }
}

#[tokio::test]
async fn a_package_signed_by_another_key_holds_but_shows_another_fingerprint() {
    let (one, two) = (Bench::new().await, Bench::new().await);
    let prints = [ours(&package(&one).await.0), ours(&package(&two).await.0)];
    assert_eq!((&prints[0].faults, &prints[1].faults), (&Vec::new(), &Vec::new()));
    assert_ne!(prints[0].fingerprint, prints[1].fingerprint, "that is what tells them apart");
}

#[tokio::test]
async fn the_independent_checker_follows_no_link_overlooks_no_folder_and_takes_a_key_to_hold() {
    let bench = Bench::new().await;
    let (path, files) = package(&bench).await;
    let folder = bench.dir.path().join("uppackat");
    let parts = folder.join("bevis-1/delar");
    lay_out(&folder, &files);
    fs::create_dir(parts.join("tom")).unwrap();
    assert!(theirs(&folder).1.contains("mappen är tom eller har en länk"));
    assert_eq!(ours(&folder).faults.len(), 1, "{:?}", ours(&folder).faults);
    fs::remove_dir(parts.join("tom")).unwrap();
    std::os::unix::fs::symlink("/", parts.join("lank")).unwrap();
    assert!(theirs(&folder).1.contains("mappen är tom eller har en länk"));
    fs::remove_file(parts.join("lank")).unwrap();
    fs::rename(parts.join("text.txt"), bench.dir.path().join("text.txt")).unwrap();
    std::os::unix::fs::symlink(bench.dir.path().join("text.txt"), parts.join("text.txt")).unwrap();
    assert!(theirs(&folder).1.contains("mappen är tom eller har en länk"));
    let published = bench.dir.path().join("publicerad.pem");
    let with_key = |key: &[u8]| {
        fs::write(&published, key).unwrap();
        let arguments = [OsStr::new("--nyckel"), published.as_os_str(), path.as_os_str()];
        run_checker(&arguments)
    };
    assert!(with_key(&files["logg/nyckel.pem"]).0);
    let other = Bench::new().await.evidence.signer().await.unwrap().public().pem();
    let (well, words) = with_key(other.as_bytes());
    assert!(!well && words.contains("det är inte nyckeln i"), "{words}");
}

/// A package of no record, stamped in 2020 by an authority whose certificate ran out the year after.
#[test]
fn a_stamp_holds_for_all_three_when_its_certificate_has_run_out_since() {
    const NOTE: &str = include_str!("../../../fixtures/tsa/expired.txt");
    let note = Note::parse(NOTE).unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let signer = Signer::new(note.origin.clone(), key);
    assert_eq!(signer.note(&note.checkpoint), NOTE);
    let index = Index {
        format: FORMAT,
        program: "Uppsikt".into(),
        authority: "Exempelstads kommun".into(),
        origin: note.origin.as_str().to_owned(),
        made_at: note.checkpoint.at,
        size: note.checkpoint.size,
        root: note.checkpoint.root,
        records: Vec::new(),
    };
    let mut files = Files::new();
    let mut put = |name: &str, bytes: &[u8]| drop(files.insert(name.into(), bytes.to_vec()));
    put("logg/kontrollpunkt.txt", NOTE.as_bytes());
    put("logg/kontrollpunkt.text", note.text.as_bytes());
    put("logg/kontrollpunkt.sig", &note.signatures[0].1);
    put("logg/nyckel.pem", signer.public().pem().as_bytes());
    put("logg/stampel.tsr", include_bytes!("../../../fixtures/tsa/expired.tsr"));
    put("logg/stampel-rot.pem", include_bytes!("../../../fixtures/tsa/expired-ca.pem"));
    put("paket.json", &json(&index));
    put("kontroll.py", CHECKER.as_bytes());
    put("LASMIG.txt", readme(&index, &signer.public().fingerprint(), true).as_bytes());
    let mut sums = String::new();
    for (name, bytes) in &files {
        let _ = writeln!(sums, "{}  {name}", ContentHash::of(bytes));
    }
    let signature = signer.sign(sums.as_bytes());
    files.insert(SUMS.into(), sums.into_bytes());
    files.insert(SUMS_SIGNATURE.into(), signature.to_vec());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("paket.zip");
    rezip(&path, &files);
    let report = ours(&path);
    let wrong: Vec<_> = report.faults.iter().map(|fault| fault.what.as_str()).collect();
    assert_eq!(wrong, [EMPTY], "nothing but that it has no record");
    assert_eq!(report.stamped_at, Some("2020-06-01T00:00:00Z".parse().unwrap()));
    let (_, words) = theirs(&path);
    let empty = "paket.json: bevisen eller kontrollpunkten är inte de på listan\n";
    assert_eq!(words, empty, "nothing but that it has no record");
    let folder = dir.path().join("uppackat");
    lay_out(&folder, &files);
    let readme = readme(&index, &signer.public().fingerprint(), true);
    let step = commands(&readme).into_iter().find(|step| step.contains("-attime")).unwrap();
    let done = Command::new("bash").args(["-euc", &step]).current_dir(&folder).output().unwrap();
    assert!(done.status.success(), "{step}: {}", String::from_utf8_lossy(&done.stderr));
    // Of another checkpoint it is no stamp.
    files.insert(
        "logg/stampel.tsr".into(),
        include_bytes!("../../../fixtures/tsa/good.tsr").to_vec(),
    );
    rezip(&path, &files);
    assert!(ours(&path).faults.iter().any(|fault| fault.place.contains("stampel")));
    assert!(theirs(&path).1.contains("logg/stampel.tsr: tidsstämpeln håller inte"));
}

#[tokio::test]
async fn what_is_no_package_is_refused_without_panic() {
    let bench = Bench::new().await;
    let (path, files) = package(&bench).await;
    let whole = fs::read(&path).unwrap();
    for n in [0, 1, 21, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..n]).unwrap();
        assert_ne!(ours(&path).faults, [], "{n}");
        assert!(!theirs(&path).0, "{n}");
    }
    // Something behind the end, and a name that leads out.
    fs::write(&path, [whole.as_slice(), b"x"].concat()).unwrap();
    assert_ne!(ours(&path).faults, []);
    let mut changed = files.clone();
    changed.insert("../ute.txt".into(), b"x".to_vec());
    resign(&bench.evidence, &mut changed).await;
    rezip(&path, &changed);
    assert_ne!(ours(&path).faults, []);
    assert!(!theirs(&path).0);
    assert!(!bench.dir.path().join("ute.txt").exists());
    // The same name twice.
    let mut bytes = Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut bytes);
    for name in ["SHA256SUMS", "SHA256SUMX"] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
    }
    zip.finish().unwrap();
    let mut bytes = bytes.into_inner();
    while let Some(at) = bytes.windows(10).position(|w| w == b"SHA256SUMX") {
        bytes[at + 9] = b'S';
    }
    fs::write(&path, &bytes).unwrap();
    let faults = ours(&path).faults;
    assert!(
        faults.iter().any(|f| f.what.contains("samma namn") || f.what.contains("zip")),
        "{faults:?}"
    );
    assert!(!theirs(&path).0);
}
