//! One list of what every connector is held against: platform by test, read out of the tests themselves. What a platform
//! lacks the suite knows by its capability record; a test that a connector does not run stands here as a hole.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::domain::account::PlatformKind;

const SUITE: &str = include_str!("../conformance.rs");

/// Functions of the suite, in order, and what two of them stand for.
fn suite() -> Vec<String> {
    let name = |line: &str| {
        let rest = line.strip_prefix("pub async fn ")?;
        let end = rest.find(['(', '<'])?;
        Some(rest[..end].to_owned())
    };
    let helpers = ["fetch_all", "everything", "reading_holds"];
    SUITE.lines().filter_map(name).filter(|name| !helpers.contains(&name.as_str())).collect()
}

/// What a function of the suite calls of it.
fn called_by(name: &str) -> BTreeSet<String> {
    let body = SUITE.split(&format!("pub async fn {name}(")).nth(1).unwrap();
    let body = body.split("\n}\n").next().unwrap();
    let mut all: BTreeSet<_> =
        suite().into_iter().filter(|one| body.contains(&format!("{one}("))).collect();
    if body.contains("reading_holds(") {
        all.extend(called_by("reading_holds"));
    }
    all
}

fn texts(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            texts(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// What is asked beside the suite, and by what it is known.
const BESIDE: &[(&str, &str)] = &[
    (
        "any order of pages, edits, deletions and faults ends in the truth; no call where silence was asked for",
        ".rage(",
    ),
    ("every error has its class", "every_error_of_the_sheet_has_its_class"),
    ("every fault has its class", "faults_have_their_classes("),
    ("a lost answer to an act is found out", "a_lost_answer"),
    ("what is refused stops nothing else", "a_refusal_stops_nothing_else("),
    ("held against what is published", "PUBLISHED"),
    ("the platform's own software, or another's that speaks its interface", "mod real;"),
];

#[test]
fn every_connector_runs_the_whole_suite_and_the_storm() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platforms");
    let (all, whole) = (suite(), called_by("everything"));
    assert!(all.len() >= 14 && whole.len() == all.len(), "{all:?} {whole:?}");
    let mut table = String::new();
    for kind in PlatformKind::ALL {
        let folder = match kind {
            PlatformKind::OwnSite => "forum",
            // Nothing can be asked.
            PlatformKind::Snapchat | PlatformKind::Manual => continue,
            other => other.id(),
        };
        let mut text = String::new();
        texts(&root.join(folder), &mut text);
        let shared = fs::read_to_string(root.join("graph.rs")).unwrap();
        if matches!(kind, PlatformKind::Facebook | PlatformKind::Instagram) {
            text.push_str(&shared.replace("every_code_of_the_sheet", "every_error_of_the_sheet"));
        }
        let runs = |name: &str| text.contains(&format!("conformance::{name}("));
        let mut run: BTreeSet<String> = all.iter().filter(|name| runs(name)).cloned().collect();
        if runs("everything") {
            run.extend(whole.clone());
        }
        let holes: Vec<_> = all.iter().filter(|name| !run.contains(*name)).cloned().collect();
        writeln!(table, "{}: suite {} of {}", kind.label(), run.len(), all.len()).unwrap();
        assert_eq!(holes, Vec::<String>::new(), "{kind}: what is not run");
        for (what, sign) in BESIDE {
            let is_there =
                text.contains(sign) || text.contains("testing::meta") && *sign == "PUBLISHED";
            writeln!(table, "    {} {what}", if is_there { "x" } else { "-" }).unwrap();
            // An own site pushes: there are no pages to come in any order.
            let must = *sign == ".rage(" && *kind != PlatformKind::OwnSite;
            assert!(is_there || !must, "{kind}: {what}");
        }
    }
    insta::assert_snapshot!(table);
}
