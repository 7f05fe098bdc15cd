//! Every word of Debian's Swedish word list (package `wswedish`), alone and in a sentence that says
//! nothing: what is flagged of it stands in `fixtures/classify/dictionary.tsv`, with a reason for
//! each rule, and nothing else may be.
//!
//! The list itself is Debian's and not kept here. `tests/run` installs it; where it is missing, the
//! words on record are tried alone, and with the feature `real-servers` its absence is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use uppsikt::classify::{Classifier, Context, Scratch};

const RECORD: &str = include_str!("../../fixtures/classify/dictionary.tsv");
const LIST: &str = "/usr/share/dict/swedish";

/// What is flagged: where and by which rule, with the words.
type Flagged = BTreeMap<(String, String), BTreeSet<String>>;

/// The two texts that a word is tried in.
fn texts(word: &str) -> [(&'static str, String); 2] {
    [("alone", word.to_owned()), ("sentence", format!("I texten står {word} på en rad."))]
}

fn flagged<'w>(words: impl Iterator<Item = &'w str>) -> Flagged {
    let classifier = Classifier::built_in();
    let mut scratch = Scratch::default();
    let mut flagged = Flagged::new();
    for word in words {
        for (place, text) in texts(word) {
            let verdict = classifier.classify_with(&mut scratch, &text, &Context::default());
            for finding in &verdict.findings {
                let key = (place.to_owned(), finding.rule.to_string());
                flagged.entry(key).or_default().insert(word.to_owned());
            }
        }
    }
    flagged
}

fn record() -> Flagged {
    RECORD
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [place, rule, reason, words] = fields[..] else { panic!("four fields: {line}") };
            assert!(reason.len() > 5, "no reason: {line}");
            let words = words.split(' ').map(str::to_owned).collect();
            ((place.to_owned(), rule.to_owned()), words)
        })
        .collect()
}

#[test]
fn of_the_swedish_dictionary_only_what_is_on_record_is_flagged() {
    let record = record();
    let words: Vec<String> = match fs::read(LIST) {
        // The list is written in ISO 8859-1, whose bytes are the first code points.
        Ok(bytes) => {
            let text: String = bytes.iter().map(|b| char::from(*b)).collect();
            text.lines().map(str::to_owned).collect()
        }
        Err(_) if cfg!(feature = "real-servers") => {
            panic!("{LIST} is missing: install the Debian package wswedish")
        }
        Err(_) => {
            let words: BTreeSet<&String> = record.values().flatten().collect();
            words.into_iter().cloned().collect()
        }
    };
    assert!(words.len() > 100);
    let found = flagged(words.iter().map(String::as_str));
    let keys: BTreeSet<_> = found.keys().chain(record.keys()).collect();
    let mut differences = String::new();
    let none = BTreeSet::new();
    for key in keys {
        let (is, was) = (found.get(key).unwrap_or(&none), record.get(key).unwrap_or(&none));
        for (sign, words) in [("+", is.difference(was)), ("-", was.difference(is))] {
            for word in words {
                differences.push_str(&format!("{sign} {} {} {word}\n", key.0, key.1));
            }
        }
    }
    assert!(differences.is_empty(), "flagged (+) or no longer (-):\n{differences}");
}
