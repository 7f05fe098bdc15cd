//! What has changed: in a case since somebody opened it, and in an item from wording to wording.

use jiff::Timestamp;

use crate::services::case_file::CaseFile;
use crate::services::records::Evidence;

use super::present::Extent;
use super::view::changed::{ChangedView, Seen};
use super::view::evidence::SealedAgain;
use super::view::times::Moment;
use super::view::versions::{VersionsView, Wording};

/// What a refused decision had not seen of its case.
pub fn changed(file: &CaseFile, seen: Seen, now: Timestamp) -> ChangedView {
    let steps = file.history.iter().map(|step| (step.at, step.by.clone(), step.what.clone()));
    let before = file.earlier.iter().find(|earlier| earlier.number == seen.version);
    let texts = before.map(|earlier| (earlier.text.as_str(), file.text.as_str()));
    ChangedView::new(steps, seen, texts.filter(|(before, now)| before != now), now)
}

/// What was sealed once more right before it was removed, for whoever may read evidence.
pub fn sealed_again(file: &CaseFile, now: Timestamp) -> Vec<SealedAgain> {
    let seen = file.sealed_again.iter().filter(|_| file.may_read_evidence);
    seen.map(|(record, at)| SealedAgain { record: *record, at: Moment::new(*at, now) }).collect()
}

/// What the author changed.
pub fn versions(file: &CaseFile, extent: Extent, now: Timestamp) -> VersionsView {
    let mut wordings: Vec<_> = file
        .earlier
        .iter()
        .map(|earlier| Wording {
            number: earlier.number,
            text: (!earlier.disposed).then_some(earlier.text.as_str()),
            fetched_at: earlier.fetched_at,
            record: earlier.record.filter(|_| file.may_read_evidence),
        })
        .collect();
    let disposed = matches!(file.evidence, Evidence::Disposed { .. });
    wordings.push(Wording {
        number: file.version.0,
        text: (!disposed).then_some(file.text.as_str()),
        fetched_at: file.fetched_at,
        record: None,
    });
    VersionsView::new(&wordings, extent == Extent::Whole, now)
}
