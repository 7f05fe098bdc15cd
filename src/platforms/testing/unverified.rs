//! The facts of the platforms' sheet that nobody has verified, held against the tests that show that either answer works.

use std::fs;
use std::path::Path;

const TABLE: &str = include_str!("../../../fixtures/platforms/unverified.tsv");
const MARKS: &str = include_str!("../../../fixtures/platforms/marks.tsv");

/// The lines of a table by columns, without its remarks and its head.
fn columns(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(|line| line.split('\t').collect())
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.to_string_lossy().into_owned(), text));
        }
    }
}

#[test]
fn each_fact_that_nobody_has_verified_names_a_test_that_there_is() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let mut n = 0;
    for line in columns(TABLE) {
        let [section, _, fact, built, tests] = line.as_slice() else { panic!("{line:?}") };
        assert!(!section.is_empty() && !fact.is_empty() && !built.is_empty(), "{line:?}");
        for test in tests.split(", ") {
            let (place, name) = test.split_once("::").unwrap_or_else(|| panic!("{line:?}"));
            let is_there = found
                .iter()
                .any(|(path, text)| path.contains(place) && text.contains(&format!("fn {name}(")));
            assert!(is_there, "{section}: there is no test {test}");
        }
        n += 1;
    }
    assert!(n >= 60, "the sheet has more of them than {n}");
}

/// Sections of the sheet that have a mark.
const MARKED: &[&str] = &[
    "1.1", "1.4", "1.6", "1.7", "1.10", "2.1", "2.2", "3.1", "3.2", "3.3", "3.4", "3.5", "3.7",
    "4.1", "4.3", "4.4", "4.5", "5.1", "5.2", "5.3", "5.4", "5.5", "6.1", "6.2", "6.4", "6.5",
    "6.6", "7.5", "7.6", "8.2", "8.4", "9.2", "9.3", "9.4", "9.5", "10.1", "10.4", "10.5", "11.5",
    "12.5", "13", "17.4", "17.6", "18", "20",
];

#[test]
fn each_mark_of_the_sheet_has_a_line_and_no_line_outlives_its_mark() {
    let lines: Vec<_> = columns(TABLE).collect();
    let marks: Vec<_> = columns(MARKS).collect();
    for mark in &marks {
        let [_, marked, section, fact] = mark.as_slice() else { panic!("{mark:?}") };
        let is_there = lines.iter().any(|line| line[0] == *section && line[2] == *fact);
        assert!(is_there, "{marked}: unverified.tsv has no line {section} {fact}");
    }
    for section in MARKED {
        assert!(marks.iter().any(|mark| mark[0] == *section), "{section} has marks in the sheet");
    }
    for line in lines.iter().filter(|line| line[2].ends_with(['†', '‡'])) {
        let is_marked = marks.iter().any(|mark| mark[2] == line[0] && mark[3] == line[2]);
        assert!(is_marked, "{} {}: the sheet no longer marks it", line[0], line[2]);
    }
    let questions = marks.iter().filter(|mark| mark[0] == "18");
    let numbers: std::collections::BTreeSet<_> =
        questions.filter_map(|mark| mark[1].split(' ').next()?.parse::<u32>().ok()).collect();
    assert_eq!(numbers.into_iter().collect::<Vec<_>>(), (1..=11).collect::<Vec<_>>());
}
