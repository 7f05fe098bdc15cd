//! What the author changed: each wording (*lydelse*) of an item beside the one after it.

use jiff::Timestamp;

use crate::domain::ids::EvidenceId;

use super::changed::{Piece, pieces};
use super::times::Moment;

/// So many changes are shown, the newest.
const SHOWN: usize = 10;

/// So many characters of what is the same are shown at either end of a stretch, unless the whole text is wanted.
const AROUND: usize = 200;
/// So many of what is gone or new.
const CHANGED: usize = 4_000;

/// A wording as it is told here.
#[derive(Clone, Copy, Debug)]
pub struct Wording<'a> {
    /// From 1.
    pub number: u32,
    /// Its text; none where it has been disposed of.
    pub text: Option<&'a str>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// Its sealed record, where it has one that the viewer may open.
    pub record: Option<EvidenceId>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Number of the wording before.
    pub from: u32,
    /// Number of the wording after.
    pub to: u32,
    /// When the one after was first fetched.
    pub at: Moment,
    /// What became of the text.
    pub text: ChangedText,
    /// The sealed record of the wording before.
    pub record: Option<EvidenceId>,
}

/// What became of the text between two wordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangedText {
    /// Word by word.
    Words(Vec<Piece>),
    /// The text is the same: what hung on it was changed.
    Same,
    /// The one before has been disposed of.
    Gone,
}

/// The changes of an item, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionsView {
    /// The newest ones.
    pub changes: Vec<Change>,
    /// How many older ones are not shown.
    pub older: usize,
}

impl VersionsView {
    /// `wordings` in order, the newest last. Unless the `whole` text is wanted, what is the same is left out between
    /// its ends, and a very long change too.
    pub fn new(wordings: &[Wording<'_>], whole: bool, now: Timestamp) -> Self {
        let change = |pair: &[Wording<'_>]| {
            let [before, after] = pair else { return None };
            let text = match (before.text, after.text) {
                (Some(old), Some(new)) if old == new => ChangedText::Same,
                (Some(old), Some(new)) => {
                    let pieces = pieces(old, new);
                    let cut = |piece| if whole { piece } else { shortened(piece) };
                    ChangedText::Words(pieces.into_iter().map(cut).collect())
                }
                (None, _) | (_, None) => ChangedText::Gone,
            };
            Some(Change {
                from: before.number,
                to: after.number,
                at: Moment::new(after.fetched_at, now),
                text,
                record: before.record,
            })
        };
        let n_changes = wordings.len().saturating_sub(1);
        Self {
            changes: wordings.windows(2).rev().take(SHOWN).filter_map(change).collect(),
            older: n_changes.saturating_sub(SHOWN),
        }
    }
}

/// A long stretch with its middle left out.
fn shortened(piece: Piece) -> Piece {
    match piece {
        Piece::Same(words) => Piece::Same(ends(words, AROUND)),
        Piece::Gone(words) => Piece::Gone(ends(words, CHANGED)),
        Piece::New(words) => Piece::New(ends(words, CHANGED)),
    }
}

/// The first and last `most` characters, with a mark between where something is left out.
fn ends(words: String, most: usize) -> String {
    let Some((head, _)) = words.char_indices().nth(most) else { return words };
    let Some((tail, _)) = words.char_indices().rev().nth(most - 1) else { return words };
    if tail <= head { words } else { format!("{} […] {}", &words[..head], &words[tail..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wording_is_told_beside_the_one_before_the_newest_first() {
        let now: Timestamp = "2026-11-04T08:00:00Z".parse().unwrap();
        let wording = |number, text| Wording { number, text, fetched_at: now, record: None };
        let texts = [None, Some("Vi ses"), Some("Vi ses"), Some("Vi ses\u{202E} snart")];
        let wordings: Vec<_> = (1..).zip(texts).map(|(n, text)| wording(n, text)).collect();
        let view = VersionsView::new(&wordings, false, now);
        let told: Vec<_> = view.changes.into_iter().map(|c| (c.from, c.to, c.text)).collect();
        let last = vec![
            Piece::Same("Vi ".into()),
            Piece::Gone("ses".into()),
            Piece::New("ses⟦U+202E⟧ snart".into()),
        ];
        assert_eq!(
            told,
            [
                (3, 4, ChangedText::Words(last)),
                (2, 3, ChangedText::Same),
                (1, 2, ChangedText::Gone),
            ]
        );
        assert_eq!(VersionsView::new(&wordings[..1], false, now), VersionsView::default());
    }

    #[test]
    fn of_many_changes_the_newest_are_shown_and_the_rest_counted() {
        let now: Timestamp = "2026-11-04T08:00:00Z".parse().unwrap();
        let wordings: Vec<_> = (1..=15)
            .map(|number| Wording { number, text: Some("hej"), fetched_at: now, record: None })
            .collect();
        let view = VersionsView::new(&wordings, false, now);
        assert_eq!((view.changes.len(), view.older), (10, 4));
        assert_eq!(view.changes[0].to, 15);
    }

    #[test]
    fn what_is_the_same_is_left_out_between_its_ends_unless_the_whole_is_wanted() {
        let now: Timestamp = "2026-11-04T08:00:00Z".parse().unwrap();
        let (same, more) = ("å".repeat(1_000), "ö".repeat(5_000));
        let (old, new) = (format!("{same} hej"), format!("{same} {more}"));
        let wording =
            |number, text| Wording { number, text: Some(text), fetched_at: now, record: None };
        let wordings = [wording(1, old.as_str()), wording(2, new.as_str())];
        let n_chars = |whole| {
            let view = VersionsView::new(&wordings, whole, now);
            let ChangedText::Words(pieces) = &view.changes[0].text else { return Vec::new() };
            let words = |piece: &Piece| match piece {
                Piece::Same(words) | Piece::Gone(words) | Piece::New(words) => {
                    words.chars().count()
                }
            };
            pieces.iter().map(words).collect::<Vec<_>>()
        };
        assert_eq!(n_chars(true), [1_001, 3, 5_000]);
        assert_eq!(n_chars(false), [405, 3, 5_000]);
        assert_eq!(ends("x".repeat(9_000), 4_000).len(), 8_000 + " […] ".len());
    }
}
