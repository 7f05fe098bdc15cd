//! A lexicon tried on its own examples: what `uppsikt lexicon test` runs.

use serde::{Deserialize, Serialize};

use crate::classify::{Classifier, Scratch};

/// An example that did not come out as its rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The file.
    pub file: String,
    /// The line of the example.
    pub line: usize,
    /// The rule.
    pub rule: String,
    /// The text.
    pub text: String,
    /// The rule should have hit.
    pub should_hit: bool,
    /// What hit instead, by rule.
    pub others: Vec<String>,
}

/// Which of these texts a rule does not hit any more.
pub fn missed<'t>(classifier: &Classifier, rule: &str, texts: &'t [String]) -> Vec<&'t str> {
    let mut scratch = Scratch::default();
    let is_missed = |text: &&'t str| {
        let verdict = classifier.by_rules(&mut scratch, text);
        !verdict.findings.iter().any(|finding| &*finding.rule == rule)
    };
    texts.iter().map(String::as_str).filter(is_missed).collect()
}

/// Runs every example and counterexample; returns how many there were, and those that failed.
pub fn run(classifier: &Classifier) -> (usize, Vec<Failed>) {
    let lexicon = classifier.lexicon();
    let mut failed = Vec::new();
    let mut scratch = Scratch::default();
    for example in &lexicon.examples {
        let rule = &lexicon.rules[example.rule as usize];
        let verdict = classifier.by_rules(&mut scratch, &example.text);
        let hit = verdict.findings.iter().any(|f| f.rule == rule.id)
            || classifier.shadow_hits(&scratch).contains(&rule.id);
        if hit != example.hits {
            failed.push(Failed {
                file: example.file.clone(),
                line: example.line,
                rule: rule.id.to_string(),
                text: example.text.clone(),
                should_hit: example.hits,
                others: verdict
                    .findings
                    .iter()
                    .map(|f| f.rule.to_string())
                    .filter(|r| **r != *rule.id)
                    .collect(),
            });
        }
    }
    (lexicon.examples.len(), failed)
}
