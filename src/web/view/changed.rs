//! What has happened to a case since somebody opened it, shown where their decision on it was refused.

use jiff::Timestamp;

use crate::domain::changes::{Stretch, between};

use super::case::HistoryRow;
use super::times::Moment;
use super::visible::Visible;

/// What a form saw of its case: it names how much history there was, and which version was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Steps of the history.
    pub steps: usize,
    /// Number of the version.
    pub version: u32,
}

/// A stretch of the text with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it was.
    Same(String),
    /// No longer there.
    Gone(String),
    /// New.
    New(String),
}

/// What became of `before`, word by word.
pub fn pieces(before: &str, now: &str) -> Vec<Piece> {
    let shown = |words: &str| Visible::new(words).into_line();
    let piece = |stretch: &Stretch<'_>| match stretch {
        Stretch::Same(words) => Piece::Same(shown(words)),
        Stretch::Gone(words) => Piece::Gone(shown(words)),
        Stretch::New(words) => Piece::New(shown(words)),
    };
    between(before, now).iter().map(piece).collect()
}

/// What has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedView {
    /// The steps since, oldest first.
    pub steps: Vec<HistoryRow>,
    /// The text that was seen beside the one that stands now, where they differ.
    pub text: Vec<Piece>,
}

impl ChangedView {
    /// What `seen` did not know of. `texts` are the one that was seen and the one now, where they differ.
    pub fn new(
        history: impl IntoIterator<Item = (Timestamp, Option<String>, String)>,
        seen: Seen,
        texts: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Self {
        let steps = history.into_iter().skip(seen.steps).map(|(at, who, what)| HistoryRow {
            at: Moment::new(at, now),
            who: who.unwrap_or_else(|| "Uppsikt".to_owned()),
            what,
            detail: None,
        });
        let text = texts.map(|(before, now)| pieces(before, now)).unwrap_or_default();
        Self { steps: steps.collect(), text }
    }

    /// Whether there is anything to tell.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.text.is_empty()
    }
}
