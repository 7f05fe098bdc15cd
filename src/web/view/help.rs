//! Help and keys.

use askama::Template;

use super::choice::ChoiceKind;
use super::shell::{Notice, Place, Shell};

/// The page `/hjalp`.
#[derive(Clone, Debug, Template)]
#[template(path = "help.html", config = "src/web/askama.toml")]
pub struct HelpPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after the setting was saved.
    pub notice: Option<Notice>,
}

/// A key and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The keys, one after the other.
    pub keys: Vec<String>,
    /// What they do.
    pub does: &'static str,
}

/// All keys: for the dialog on every page and for the help page.
pub fn key_rows() -> Vec<KeyRow> {
    let row =
        |keys: &[&str], does| KeyRow { keys: keys.iter().map(|k| (*k).to_owned()).collect(), does };
    let mut rows = vec![
        row(&["j"], "Nästa ärende"),
        row(&["k"], "Föregående ärende"),
        row(&["Enter"], "Öppna ärendet"),
        row(&["x"], "Markera raden"),
        row(&["Shift", "x"], "Markera alla rader fram till den här"),
        row(&["b"], "Besluta om de markerade"),
        row(&["o"], "Visa dem som liknar raden"),
        row(&["g", "k"], "Till kön"),
        row(&["g", "f"], "Till sparade filter"),
        row(&["g", "1"], "Till det första sparade filtret, med siffrorna 1–9"),
        row(&["g", "u"], "Till det som ska göras för hand"),
        row(&["/"], "Sök"),
        row(&["g", "s"], "Till sökningen"),
        row(&["l"], "Lägg in något för hand"),
        row(&["z"], "Ångra det senaste beslutet"),
        row(&["Ctrl", "Enter"], "Besluta"),
        row(&["?"], "Visa tangenterna"),
    ];
    rows.extend(
        ChoiceKind::ALL
            .iter()
            .map(|kind| KeyRow { keys: vec![kind.key().to_string()], does: kind.label() }),
    );
    rows
}
