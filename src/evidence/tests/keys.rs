//! Who signs: the private key, the change to another, and what is remembered of what was signed last.

use std::os::unix::fs::PermissionsExt as _;

use super::signing::{report, signed};
use super::*;
use crate::evidence::checkpoints::CheckpointSettings;
use crate::evidence::verify::Options;

#[tokio::test]
async fn a_private_key_is_a_file_of_the_service_alone_and_an_old_one_is_gone() {
    let bench = signed().await;
    let folder = bench.dir.path().join("evidence/keys");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    for path in files.iter().chain([&folder]) {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
    let pems: Vec<_> = files.iter().filter(|path| path.extension().unwrap() == "pem").collect();
    assert_eq!((pems.len(), files.len()), (1, 2), "a key, and what it signed last: {files:?}");
    let pem = std::fs::read_to_string(pems[0]).unwrap();
    let secret: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let database = std::fs::read(bench.store.path()).unwrap();
    let has = |hay: &[u8], needle: &[u8]| hay.windows(needle.len()).any(|part| part == needle);
    assert!(!has(&database, secret.as_bytes()), "no secret in the database");
    let keys = bench.evidence.keys().await.unwrap();
    assert_eq!(keys.len(), 2);
    // With public tools it is the same key.
    let arguments = ["pkey", "-pubout", "-in", pems[0].to_str().unwrap()];
    let read = std::process::Command::new("openssl").args(arguments).output().unwrap();
    assert_eq!(String::from_utf8(read.stdout).unwrap(), keys[1].1.pem(), "{:?}", read.status);
}

#[tokio::test]
async fn a_lost_key_is_followed_by_another_when_a_person_says_so_and_is_a_fault_until_acknowledged()
{
    let bench = signed().await;
    let keys = bench.dir.path().join("evidence/keys");
    let aside = bench.dir.path().join("inte-monterad");
    std::fs::rename(&keys, &aside).unwrap();
    let before = bench.store.log_head().await.unwrap();
    for _ in 0..2 {
        let done = bench.evidence.checkpoint().await;
        assert!(matches!(done, Err(EvidenceError::KeyLost { .. })), "{done:?}");
    }
    assert_eq!(bench.store.log_head().await.unwrap(), before, "no key of its own accord");
    std::fs::rename(&aside, &keys).unwrap();
    bench.evidence.checkpoint().await.unwrap();
    assert_eq!(bench.faults().await, [], "it was only away");
    std::fs::remove_dir_all(&keys).unwrap();
    let new = bench.evidence.replace_key().await.unwrap();
    let place = format!("nyckel {}", new.public().id());
    bench.expect_fault(&place, &new.public().fingerprint()).await;
    let acknowledged = vec![new.public().fingerprint()];
    let checkpoints = CheckpointSettings { acknowledged, ..CheckpointSettings::default() };
    let in_folder = Settings::in_folder(bench.dir.path().join("evidence"));
    let settings = Settings { checkpoints, ..in_folder };
    let told = EvidenceStore::open(&settings, bench.store.clone(), bench.clock.clock()).unwrap();
    let report = verify(&told, &bench.store, &Options::default()).await.unwrap();
    assert_eq!(report.faults, []);
    assert!(report.notes.iter().any(|n| n.contains("gått förlorad")), "{:?}", report.notes);
}

/// Who holds the disk could write log and checkpoints anew and put another key in the old one's
/// place; what the service itself remembers of its signing is held for that.
#[tokio::test]
async fn what_the_service_signs_with_and_remembers_is_named_where_it_is_not_what_it_was() {
    const MEMORY: &str = "signed.txt";
    let another = signed().await;
    let pem_of = |bench: &Bench| {
        let folder = bench.dir.path().join("evidence/keys");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        files.into_iter().find(|path| path.extension().unwrap() == "pem").unwrap()
    };
    let foreign = std::fs::read(pem_of(&another)).unwrap();
    let theirs = std::fs::read(pem_of(&another).with_file_name(MEMORY)).unwrap();
    for (of_key, bytes, what) in [
        (true, None, "saknas i mappen keys"),
        (true, Some(foreign), "är inte den privata nyckel som loggen undertecknas med"),
        (true, Some(b"skr\xc3\xa4p".to_vec()), "är inte den privata nyckel"),
        (false, None, "keys/signed.txt, minnet av vad som senast undertecknades, saknas"),
        (false, Some(Vec::new()), "går inte att tolka"),
        (false, Some(theirs), "loggen är inte den som undertecknades senast"),
        (false, Some(b"\xff\xfe".to_vec()), "går inte att läsa"),
    ] {
        let bench = signed().await;
        let key = pem_of(&bench);
        let path = if of_key { key } else { key.with_file_name(MEMORY) };
        match bytes {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        bench.expect_fault("undertecknandet", what).await;
    }
    // A pipe would never end.
    let bench = signed().await;
    let memory = pem_of(&bench).with_file_name(MEMORY);
    std::fs::remove_file(&memory).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&memory).status().unwrap().success());
    bench.expect_fault("undertecknandet", "går inte att läsa").await;
    // A copy that leaves the private keys at home is no fault, but it is told what was not tried.
    let bench = signed().await;
    std::fs::remove_dir_all(bench.dir.path().join("evidence/keys")).unwrap();
    let copied = report(&bench, &bench.store, Vec::new()).await;
    assert_eq!(copied.faults, []);
    assert!(copied.notes.iter().any(|n| n.contains("Mappen keys")), "{:?}", copied.notes);
}
