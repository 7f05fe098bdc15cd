use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use flate2::read::{GzDecoder, MultiGzDecoder};
use proptest::prelude::*;

use super::*;

fn about(most_bytes: u64) -> About {
    About {
        title: "Sidan hos Kommunen".into(),
        software: "uppsikt 0.0.0".into(),
        created: "2026-10-15T01:02:03.456Z".parse().unwrap(),
        most_bytes,
    }
}

fn answer(url: &str, status: u16, body: &[u8]) -> Answer {
    Answer {
        url: url.into(),
        at: "2026-10-15T01:02:04Z".parse().unwrap(),
        status,
        reason: "OK".into(),
        headers: vec![
            ("Content-Type".into(), "text/html; charset=utf-8".into()),
            ("Set-Cookie".into(), "hemlighet=1".into()),
            ("Content-Encoding".into(), "br".into()),
        ],
        body: body.into(),
    }
}

fn written(answers: &[Answer]) -> Vec<u8> {
    let mut writer = Writer::begin(Cursor::new(Vec::new()), about(1 << 20)).unwrap();
    for answer in answers {
        writer.answer(answer.clone()).unwrap();
    }
    writer.page(&Page {
        url: "https://kommun.example/sida#c1".into(),
        at: about(0).created,
        title: Some("Sidan".into()),
    });
    writer.finish("Inget är utelämnat.").unwrap().into_inner()
}

/// The files of an archive by path.
fn files(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = BTreeMap::new();
    for n in 0..zip.len() {
        let mut file = zip.by_index(n).unwrap();
        assert_eq!(file.compression(), CompressionMethod::Stored);
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        files.insert(file.name().unwrap().into_owned(), content);
    }
    files
}

/// What the index says of each record, and the record.
fn found(files: &BTreeMap<String, Vec<u8>>) -> Vec<(serde_json::Value, Vec<u8>)> {
    let mut lines = String::new();
    MultiGzDecoder::new(&files["indexes/index.cdx.gz"][..]).read_to_string(&mut lines).unwrap();
    assert!(lines.lines().is_sorted());
    let records = &files["archive/data.warc.gz"];
    let open = |line: &str| {
        let said: serde_json::Value =
            serde_json::from_str(line.splitn(3, ' ').nth(2).unwrap()).unwrap();
        let number = |name: &str| said[name].as_str().unwrap().parse::<usize>().unwrap();
        let (at, long) = (number("offset"), number("length"));
        let mut record = Vec::new();
        GzDecoder::new(&records[at..at + long]).read_to_end(&mut record).unwrap();
        (said, record)
    };
    lines.lines().map(open).collect()
}

/// Kept where `tests/check-wacz.sh` holds it against a tool that is not ours.
#[test]
fn an_archive_tells_sums_of_all_its_files_and_the_place_of_each_record() {
    let page = "<!doctype html><title>Sidan</title><img src=/a.png><p>Sidan som den var";
    let mut moved = answer("https://kommun.example/gammal", 301, b"");
    moved.headers = vec![("Location".into(), "https://kommun.example/sida".into())];
    let bytes = written(&[
        answer("https://kommun.example/sida#c1", 200, page.as_bytes()),
        answer("https://www.kommun.example:8443/a.png?b=2&a=1", 200, b"\x89PNG"),
        moved,
    ]);
    let files = files(&bytes);
    let package: serde_json::Value = serde_json::from_slice(&files["datapackage.json"]).unwrap();
    let digest: serde_json::Value =
        serde_json::from_slice(&files["datapackage-digest.json"]).unwrap();
    let sum = |bytes: &[u8]| format!("sha256:{}", ContentHash::of(bytes));
    assert_eq!(digest["hash"], sum(&files["datapackage.json"]));
    let listed = package["resources"].as_array().unwrap();
    assert_eq!(listed.len(), files.len() - 2);
    for file in listed {
        let content = &files[file["path"].as_str().unwrap()];
        assert_eq!((&file["hash"], &file["bytes"]), (&sum(content).into(), &content.len().into()));
    }
    let found = found(&files);
    assert_eq!(found.len(), 3);
    let (_, record) =
        found.iter().find(|(said, _)| said["url"] == "https://kommun.example/sida").unwrap();
    let record = String::from_utf8(record.clone()).unwrap();
    assert!(record.starts_with("WARC/1.1\r\n") && record.ends_with(&format!("{page}\r\n\r\n")));
    assert!(!record.contains("hemlighet") && !record.contains("Encoding"), "{record}");
    insta::assert_snapshot!(record.replace('\r', ""));
    let mut lines = String::new();
    MultiGzDecoder::new(&files["indexes/index.cdx.gz"][..]).read_to_string(&mut lines).unwrap();
    insta::assert_snapshot!(lines);
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/wacz-check");
    std::fs::create_dir_all(&kept).unwrap();
    std::fs::write(kept.join("prov.wacz"), bytes).unwrap();
}

#[test]
fn what_cannot_be_played_back_or_has_no_room_is_told() {
    let mut writer = Writer::begin(Cursor::new(Vec::new()), about(2_000)).unwrap();
    for (url, status) in [("data:text/plain,x", 200), ("file:///etc/passwd", 200), ("x", 200)] {
        assert_eq!(writer.answer(answer(url, status, b"")).unwrap(), Added::Unfit, "{url}");
    }
    assert_eq!(writer.answer(answer("https://a.example/", 0, b"")).unwrap(), Added::Unfit);
    assert_eq!(writer.answer(answer("https://a.example/", 200, b"a")).unwrap(), Added::Kept);
    assert_eq!(writer.answer(answer("https://a.example/#b", 200, b"a")).unwrap(), Added::Known);
    let noise: Vec<u8> =
        (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert_eq!(writer.answer(answer("https://a.example/b", 200, &noise)).unwrap(), Added::NoRoom);
    assert_eq!(writer.n_records(), 1);
    assert_eq!(found(&files(&writer.finish("").unwrap().into_inner())).len(), 1);
}

#[test]
fn a_header_begins_no_line_of_its_own_and_an_address_tells_no_password() {
    let mut hostile = answer("https://u:hemlighet@a.example/", 200, b"");
    hostile.reason = "OK\r\nWARC-Type: warcinfo".into();
    hostile.headers = vec![
        ("X-A".into(), "a\r\n\r\nWARC/1.1".into()),
        ("X B\r\n".into(), "b".into()),
        ("authorization".into(), "hemlighet".into()),
    ];
    let files = files(&written(&[hostile]));
    let (said, record) = found(&files).remove(0);
    let record = String::from_utf8(record).unwrap();
    assert!(!format!("{said}{record}").contains("hemlighet"));
    assert_eq!(record.matches("WARC/1.1").count(), 2);
    assert_eq!(record.lines().filter(|line| line.starts_with("WARC")).count(), 7, "{record}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_body_comes_back_and_the_same_answers_give_the_same_bytes(
        bodies in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..300)), 0..12),
        value in "\\PC{0,40}",
    ) {
        let mut answers = Vec::new();
        for (n, (path, body)) in bodies.iter().enumerate() {
            let mut one = answer(&format!("http://127.0.0.1:8080/{path}?n={n}"), 200, body);
            one.headers.push(("X-Value".into(), value.clone()));
            answers.push(one);
        }
        let bytes = written(&answers);
        prop_assert_eq!(&bytes, &written(&answers));
        let found = found(&files(&bytes));
        prop_assert_eq!(found.len(), bodies.len());
        for one in &answers {
            let (_, record) = found.iter().find(|(said, _)| said["url"] == one.url).unwrap();
            let tail = [b"\r\n\r\n", &one.body[..], b"\r\n\r\n"].concat();
            prop_assert!(record.ends_with(&tail));
        }
    }
}
