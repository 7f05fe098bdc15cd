//! Recording by hand (*lägg in*): the form for what an editor has seen anywhere.

use askama::Template;

use crate::domain::item::ItemKind;
use crate::services::manual::Typed;

use super::shell::{Place, Shell};

/// The page `/nytt`.
#[derive(Clone, Debug, Template)]
#[template(path = "record.html", config = "src/web/askama.toml")]
pub struct RecordPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was typed, shown again after a refused try.
    pub typed: Typed,
    /// What was wrong with it.
    pub problem: Option<String>,
    /// Whether pictures were sent along, which no browser puts back.
    pub had_pictures: bool,
    /// Places at which items have been recorded before.
    pub places: Vec<String>,
    /// Whether the person at the page may record.
    pub may: bool,
}

impl RecordPage {
    /// What it can be, with the chosen one.
    pub fn kinds(&self) -> Vec<(&'static str, &'static str, bool)> {
        [
            (ItemKind::PostByOther, "inlägg"),
            (ItemKind::Comment, "kommentar"),
            (ItemKind::DirectMessage, "meddelande, brev eller e-post"),
            (ItemKind::Mention, "omnämnande någon annanstans"),
            (ItemKind::Review, "omdöme"),
        ]
        .map(|(kind, words)| (kind.id(), words, self.typed.kind == kind.id()))
        .to_vec()
    }
}
