//! `[[change]]` and `[[list]]`: what is different about the rules and classes of other files. So an authority keeps
//! what it wants otherwise, and nothing else, and what is built in goes on being mended under it.

use super::{Member, Reader, Table};
use crate::domain::category::Severity;

/// What is different about a rule of another file.
#[derive(Clone, Debug, Default)]
pub struct RawChange {
    /// The rule.
    pub rule: String,
    /// Looked for no more.
    pub off: bool,
    /// Counted, but never shown.
    pub shadow: bool,
    /// How grave from now on.
    pub severity: Option<Severity>,
    /// The sentence for the editor from now on.
    pub why: Option<String>,
    /// More words, where the rule is a list of words.
    pub members: Vec<Member>,
    /// More to look for.
    pub patterns: Vec<(String, usize)>,
    /// More idioms.
    pub except: Vec<(String, usize)>,
    /// More that excuses a sentence.
    pub unless: Vec<(String, usize)>,
    /// More that excuses a text.
    pub unless_text: Vec<(String, usize)>,
    /// More guards.
    pub guards: Vec<(String, usize)>,
    /// Texts that must be hit.
    pub examples: Vec<(String, usize)>,
    /// Texts that must not be any more.
    pub counterexamples: Vec<(String, usize)>,
    /// Where it stands.
    pub line: usize,
}

/// What is put into a class of another file, and taken out of it.
#[derive(Clone, Debug, Default)]
pub struct RawList {
    /// The class, without `@`.
    pub name: String,
    /// Put in.
    pub members: Vec<Member>,
    /// Taken out.
    pub without: Vec<Member>,
    /// Where it stands.
    pub line: usize,
}

impl Reader<'_> {
    pub(super) fn change(&mut self, table: Table<'_>, at: usize) -> Option<RawChange> {
        const KNOWN: &[&str] = &[
            "rule",
            "off",
            "shadow",
            "severity",
            "why",
            "lexemes",
            "paradigm",
            "patterns",
            "except",
            "unless",
            "unless_text",
            "guards",
            "examples",
            "counterexamples",
        ];
        let mut change = RawChange { line: self.line(at), ..RawChange::default() };
        let paradigm = self.default_paradigm(table);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "rule" => change.rule = self.text("rule", value)?,
                "off" => change.off = self.flag("off", value),
                "shadow" => change.shadow = self.flag("shadow", value),
                "severity" => change.severity = self.severity(value),
                "why" => change.why = self.text("why", value),
                "lexemes" => change.members = self.lexemes(value, &paradigm),
                "paradigm" => {}
                "patterns" => change.patterns = self.texts("patterns", value),
                "except" => change.except = self.texts("except", value),
                "unless" => change.unless = self.texts("unless", value),
                "unless_text" => change.unless_text = self.texts("unless_text", value),
                "guards" => change.guards = self.texts("guards", value),
                "examples" => change.examples = self.texts("examples", value),
                "counterexamples" => change.counterexamples = self.texts("counterexamples", value),
                other => self.unknown(key.span().start, other, KNOWN),
            }
        }
        if change.rule.is_empty() {
            self.complain(
                at,
                "`[[change]]` säger inte vilken regel".into(),
                "Skriv `rule = \"regelns.namn\"`",
            );
            return None;
        }
        Some(change)
    }

    pub(super) fn list(&mut self, table: Table<'_>, at: usize) -> Option<RawList> {
        const KNOWN: &[&str] = &["name", "lexemes", "not", "paradigm"];
        let mut list = RawList { line: self.line(at), ..RawList::default() };
        let paradigm = self.default_paradigm(table);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "name" => list.name = self.text("name", value)?,
                "lexemes" => list.members = self.lexemes(value, &paradigm),
                "not" => list.without = self.lexemes(value, &paradigm),
                "paradigm" => {}
                other => self.unknown(key.span().start, other, KNOWN),
            }
        }
        if list.name.is_empty() || (list.members.is_empty() && list.without.is_empty()) {
            self.complain(
                at,
                "`[[list]]` behöver `name`, och `lexemes` eller `not`".into(),
                "Lägg till det som saknas",
            );
            return None;
        }
        Some(list)
    }
}
