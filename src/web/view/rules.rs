//! Rules and words (*regler*): trying a text, what each rule has done, and changing the authority's own.

use askama::Template;

use super::case::WhyRow;
use super::marked::MarkedText;
use super::policies::{Side, VersionRow};
use super::shell::{Notice, Place, Shell};

/// The page `/regler`.
#[derive(Clone, Debug, Template)]
#[template(path = "rules.html", config = "src/web/askama.toml")]
pub struct RulesPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message.
    pub notice: Option<Notice>,
    /// The text to try, as typed.
    pub text: String,
    /// What came of it.
    pub tried: Option<TriedView>,
    /// What was asked for among the rules.
    pub asked: String,
    /// The rules that fit.
    pub rows: Vec<RuleRow>,
    /// How many more than these there are, and how many in all.
    pub more: (usize, usize),
    /// Which own rules are in force, in words.
    pub from: String,
    /// The own rules.
    pub own: String,
    /// Their versions, the newest first.
    pub versions: Vec<VersionRow>,
    /// The one that waits for a second person.
    pub waiting: Option<WaitingRules>,
    /// Whether the person at the page may change them.
    pub may_edit: bool,
}

/// What came of a text that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedView {
    /// The text with its findings.
    pub text: MarkedText,
    /// As rules read it.
    pub folded: MarkedText,
    /// What was found, numbered as in the text.
    pub why: Vec<WhyRow>,
    /// Its language where rules are not written for it.
    pub foreign: Option<&'static str>,
    /// What was not believed, or is counted in shadow, in sentences.
    pub notes: Vec<String>,
    /// Rules that came near: name, word, what stopped them.
    pub near: Vec<(String, String, String)>,
    /// All of it, for whoever writes rules.
    pub whole: Vec<String>,
}

/// A rule on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRow {
    /// Its name.
    pub id: String,
    /// What it finds.
    pub category: &'static str,
    /// How grave.
    pub severity: &'static str,
    /// The sentence for the editor.
    pub why: String,
    /// How often it has hit, in words.
    pub fired: String,
    /// How often it was right, in words.
    pub right: String,
    /// Why it tells nobody, where it does not.
    pub quiet: Option<String>,
}

/// Own rules that wait for a second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRules {
    /// The version.
    pub id: i64,
    /// Who proposed it when, and why.
    pub words: String,
    /// How it differs from what rules.
    pub text: Vec<(Side, String)>,
    /// Whether the person at the page may look at what it does, and take it back.
    pub may_withdraw: bool,
    /// Whether they may approve it.
    pub may_approve: bool,
}

/// What rules would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RulesChange {
    /// What was tried, in sentences.
    pub told: Vec<String>,
    /// What is understood, but cannot be meant.
    pub warnings: Vec<String>,
    /// Built-in rules about somebody's life that would find less, and the mark of having read that.
    pub weakened: Option<(Vec<String>, String)>,
    /// Built-in examples that come out otherwise.
    pub otherwise: Vec<String>,
    /// What is found otherwise: category, what becomes of it, how often, samples.
    pub changes: Vec<ChangeRow>,
    /// The texts compared.
    pub text: Vec<(Side, String)>,
}

/// A kind of change with its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// What is found.
    pub category: &'static str,
    /// What becomes of it.
    pub what: String,
    /// How often.
    pub n: u64,
    /// Samples: text, rules, case.
    pub samples: Vec<(String, String, Option<i64>)>,
}

/// The page where own rules are changed.
#[derive(Clone, Debug, Template)]
#[template(path = "rules_edit.html", config = "src/web/askama.toml")]
pub struct RulesEditPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message.
    pub notice: Option<Notice>,
    /// The text as typed.
    pub text: String,
    /// Why, as typed.
    pub why: String,
    /// The version that ruled when the change was begun.
    pub base: i64,
    /// Faults: where, what.
    pub faults: Vec<(String, String)>,
    /// What it would change, with the hash of the text that was looked at.
    pub preview: Option<(RulesChange, String)>,
    /// Whether a second person has to approve.
    pub four_eyes: bool,
}

/// The page of one rule, one class of words, or one version of the own rules.
#[derive(Clone, Debug, Template)]
#[template(path = "rule.html", config = "src/web/askama.toml")]
pub struct RulePage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message.
    pub notice: Option<Notice>,
    /// What stands over it.
    pub title: String,
    /// What it is, in words.
    pub from: String,
    /// A rule's figures.
    pub row: Option<RuleRow>,
    /// As it stands: where, and the lines.
    pub blocks: Vec<(String, Vec<String>)>,
    /// What it would change, where that was asked for.
    pub change: Option<RulesChange>,
    /// Faults that this program finds: where, what.
    pub faults: Vec<(String, String)>,
    /// Cases in which it was called wrong.
    pub wrong: Vec<i64>,
    /// Where a change begins, for whoever may: address and words.
    pub edit: Option<(String, &'static str)>,
}
