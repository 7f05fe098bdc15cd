//! The policies (*riktlinjer*): in words and as their files, their versions, and changing them.

use askama::Template;

use super::shell::{Notice, Place, Shell};

/// The page `/riktlinjer`.
#[derive(Clone, Debug, Template)]
#[template(path = "policies.html", config = "src/web/askama.toml")]
pub struct PoliciesPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Those in use: address, whose, name, accounts, since when and by whom, whether one waits.
    pub in_use: Vec<InUseRow>,
    /// Those that are built in: address and what they are.
    pub ready: Vec<(&'static str, &'static str)>,
}

/// A policy in use on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InUseRow {
    /// Its address.
    pub id: String,
    /// Whose it is.
    pub whose: String,
    /// Its name.
    pub name: String,
    /// The accounts that go by it.
    pub accounts: Vec<String>,
    /// Since when it rules and who let it, in words.
    pub since: String,
    /// Whether a version waits for a second person.
    pub waits: bool,
}

/// The page of one policy.
#[derive(Clone, Debug, Template)]
#[template(path = "policy.html", config = "src/web/askama.toml")]
pub struct PolicyPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// Its address; none where it is a built-in one.
    pub id: Option<String>,
    /// What stands over it.
    pub title: String,
    /// Where it comes from and which one rules, in words.
    pub from: String,
    /// What it says.
    pub words: String,
    /// Its file.
    pub text: String,
    /// Its versions, the newest first.
    pub versions: Vec<VersionRow>,
    /// The one that waits for a second person, with what it changes.
    pub waiting: Option<WaitingView>,
    /// Where a change begins, for whoever may: address and words.
    pub edits: Vec<(String, String)>,
}

/// A version on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// Its number.
    pub id: i64,
    /// When it was made and by whom.
    pub made: String,
    /// Why.
    pub why: String,
    /// What became of it.
    pub state: String,
    /// Whether it rules.
    pub rules: bool,
}

/// What waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingView {
    /// Its number.
    pub id: i64,
    /// Who proposed it when, and why.
    pub words: String,
    /// What it changes; nothing for who may not know what it does to cases.
    pub preview: Option<PreviewView>,
    /// Whether the person at the page may approve it.
    pub may_approve: bool,
    /// Whether they may take it back.
    pub may_withdraw: bool,
}

/// What a text would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreviewView {
    /// What it says in words, compared: how the line stands, and the line.
    pub words: Vec<(Side, String)>,
    /// The files compared.
    pub text: Vec<(Side, String)>,
    /// What it does to open cases, in sentences.
    pub effects: Vec<String>,
    /// Suggestions that change: case, before, after.
    pub suggestions: Vec<(i64, String, String)>,
    /// Deadlines that move: case, before, after.
    pub moved: Vec<(i64, String, String)>,
}

/// Where a line of a comparison stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In both.
    Same,
    /// Before alone.
    Gone,
    /// Now alone.
    New,
}

/// The page where a policy is changed.
#[derive(Clone, Debug, Template)]
#[template(path = "policy_edit.html", config = "src/web/askama.toml")]
pub struct PolicyEditPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message.
    pub notice: Option<Notice>,
    /// Its address.
    pub id: String,
    /// Whose it is.
    pub whose: String,
    /// The text as typed.
    pub text: String,
    /// Why, as typed.
    pub why: String,
    /// The version that ruled when the change was begun.
    pub base: i64,
    /// Whether deadlines of open cases are counted anew.
    pub recounts: bool,
    /// Faults: line, column, what.
    pub faults: Vec<(usize, usize, String)>,
    /// What it would change, with the hash of the text that was looked at.
    pub preview: Option<(PreviewView, String)>,
    /// Whether a second person has to approve.
    pub four_eyes: bool,
}
