//! The facts of the platforms' sheet that nobody has verified, held against the tests that show that either answer works.

use std::fs;
use std::path::Path;

const TABLE: &str = include_str!("../../../fixtures/platforms/unverified.tsv");

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
    let lines = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
    let mut n = 0;
    for line in lines {
        let columns: Vec<_> = line.split('\t').collect();
        let [section, _, fact, built, tests] = columns.as_slice() else { panic!("{line}") };
        assert!(!section.is_empty() && !fact.is_empty() && !built.is_empty(), "{line}");
        for test in tests.split(", ") {
            let (place, name) = test.split_once("::").unwrap_or_else(|| panic!("{line}"));
            let is_there = found
                .iter()
                .any(|(path, text)| path.contains(place) && text.contains(&format!("fn {name}(")));
            assert!(is_there, "{section}: there is no test {test}");
        }
        n += 1;
    }
    assert!(n >= 60, "the sheet has more of them than {n}");
}
