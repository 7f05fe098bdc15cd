use super::erms::Erms;
use super::mets::{Listed, Representation};
use super::premis::Agents;
use super::*;
use crate::formats::xml::Xml;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn held(path: &str) -> Held {
    Held {
        path: path.into(),
        media_type: "text/plain".into(),
        size: 3,
        sha256: ContentHash::new([7; 32]),
        created: at("2026-11-22T10:00:00Z"),
    }
}

fn delivery() -> Delivery {
    Delivery {
        id: "leverans-1".into(),
        authority: "Exempelstads <kommun>".into(),
        created: at("2026-11-22T12:00:00Z"),
    }
}

pub(crate) fn record(evidence: i64, case: Option<i64>) -> Described {
    Described {
        subject: Subject::Evidence,
        evidence,
        case,
        kind: "kommentar".into(),
        platform: "wordpress".into(),
        account: "torget".into(),
        item: "a&b\0".into(),
        version: 1,
        author: Some("</name><x> Kim \"Exempel\"".into()),
        permalink: Some("https://torget.example/?a=1&b=2".into()),
        received: at("2026-11-20T23:30:00Z"),
        fetched: at("2026-11-21T10:00:00Z"),
        sealed: at("2026-11-21T10:00:05Z"),
        log_seq: 4,
        withheld: None,
        secrecy: None,
        diary: vec!["KS 2026/114".into()],
        events: vec![Event {
            kind: "decision",
            at: at("2026-11-21T11:00:00Z"),
            by: Some("Lo Påhitt".into()),
            detail: "dölj".into(),
        }],
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn records_of_one_case_stand_in_one_aggregation() {
    let mut erms = Erms::begin(Vec::new(), &delivery()).expect("a buffer");
    for described in [record(1, Some(9)), record(2, Some(9)), record(3, None), record(4, None)] {
        erms.record(&described).expect("a buffer");
    }
    let text = text(erms.finish().expect("a buffer"));
    assert_eq!(text.matches("<aggregation ").count(), 3);
    assert_eq!(text.matches("<record ").count(), 4);
    assert_eq!(text.matches("<name>&lt;/name&gt;&lt;x&gt; Kim \"Exempel\"</name>").count(), 4);
    assert!(text.contains(">a&amp;b[U+0000]</extraId>"));
    // The day on which it was published here, not that of the clock in Greenwich.
    assert!(text.contains("<title>2026-11-21, kommentar på wordpress, version 1</title>"));
    assert!(!text.contains("restriction"));
}

#[test]
fn what_is_withheld_says_by_which_paragraph() {
    let mut erms = Erms::begin(Vec::new(), &delivery()).expect("a buffer");
    let withheld = Some("Innehållet får inte kopieras.".into());
    erms.record(&Described { withheld, ..record(1, None) }).expect("a buffer");
    let text = text(erms.finish().expect("a buffer"));
    assert!(text.contains("<regulation>Brottsbalken 16 kap. 10 a §</regulation>"), "{text}");
}

#[test]
fn a_package_lists_all_it_holds() {
    let listed = Listed {
        erms: held("metadata/descriptive/erms.xml"),
        premis: held("metadata/preservation/premis.xml"),
        documentation: vec![held("documentation/om.txt")],
        schemas: vec![held("schemas/scheman.txt")],
        representation: held("representations/rep1/METS.xml"),
    };
    let written = mets::package(Vec::new(), &delivery(), &listed).expect("a buffer");
    insta::assert_snapshot!(text(written).replace(&"07".repeat(32), "SUMMA"));
}

#[test]
fn a_representation_lists_its_files() {
    let mut mets = Representation::begin(Vec::new(), &delivery()).expect("a buffer");
    mets.file(&held("data/bevis-1/manifest.json")).expect("a buffer");
    mets.file(&held("data/bevis-1/delar/å.png")).expect("a buffer");
    let text = text(mets.finish().expect("a buffer"));
    assert_eq!(text.matches("<file ").count(), 2);
    assert!(text.contains("xlink:href=\"data/bevis-1/delar/%C3%A5.png\""));
    assert!(text.contains("<agent ROLE=\"ARCHIVIST\" TYPE=\"ORGANIZATION\">"));
    assert!(text.contains("<name>Exempelstads &lt;kommun&gt;</name>"));
}

#[test]
fn what_was_done_names_who_and_when() {
    let mut agents = Agents::default();
    let (mut objects, mut events) = (Xml::piece(Vec::new(), 1), Xml::piece(Vec::new(), 1));
    premis::object(&mut objects, "a/manifest.json", &held("x")).expect("a buffer");
    premis::events(&mut events, &mut agents, &record(1, Some(9)), "a/manifest.json")
        .expect("a buffer");
    let (objects, events) =
        (objects.finish().expect("a buffer"), events.finish().expect("a buffer"));
    let document = premis::document(Vec::new(), objects.as_slice(), events.as_slice(), &agents)
        .expect("a buffer");
    insta::assert_snapshot!(
        text(document).replace(&"07".repeat(32), "SUMMA").replace(VERSION, "VERSION")
    );
}
