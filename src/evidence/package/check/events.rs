//! What was decided and done about a record's item, held against the signed log.

use super::{Opened, PackageReport};
use crate::domain::ids::ContentHash;
use crate::domain::log::leaf_hash;
use crate::domain::tree::root_of_path;
use crate::evidence::package::{EVENTS, Event, Listed};

impl Opened {
    /// What was decided and done: each entry in what is signed, of the case that the package tells of, and nothing
    /// removed before it was sealed. Packages from before the entries went along have none.
    pub(super) fn check_events(
        &mut self,
        record: &Listed,
        (root, size): (ContentHash, u64),
        report: &mut PackageReport,
    ) {
        let place = format!("{}/{EVENTS}", record.folder);
        if !self.there.contains_key(&place) {
            return;
        }
        let file = format!("{}/arende.json", record.folder);
        let (Some(events), Some(told)) =
            (self.json::<Vec<Event>>(&place, report), self.json::<Option<Told>>(&file, report))
        else {
            return;
        };
        let mut last = 0;
        for Event { post, index, path } in events {
            let Ok(entry) = serde_json::from_str::<EventEntry>(&post) else {
                report.fault(&place, "en post går inte att tolka");
                continue;
            };
            let led = root_of_path(leaf_hash(post.as_bytes()), index, size, &path);
            if led != Some(root) || index.checked_add(1) != Some(entry.seq) {
                report.fault(&place, "en post ingår inte i den undertecknade loggen");
            }
            if entry.seq <= last {
                report.fault(&place, "posterna står inte i loggens ordning");
            }
            last = entry.seq;
            let is_told = told
                .as_ref()
                .is_some_and(|told| told.case == entry.record.case && entry.is_told(told));
            if !is_told {
                report.fault(&file, format!("post {} i loggen saknas här", entry.seq));
            }
            if entry.removed_by(record.evidence) && entry.seq < record.log_seq {
                report.fault(&place, "åtgärden kom före förseglingen");
            }
        }
    }
}

/// What was decided and done, as the package tells it.
#[derive(Default, serde::Deserialize)]
struct Told {
    case: i64,
    decisions: Vec<ToldDecision>,
    actions: Vec<ToldAction>,
}

#[derive(serde::Deserialize)]
struct ToldDecision {
    decision: i64,
}

#[derive(serde::Deserialize)]
struct ToldAction {
    action: i64,
}

/// An entry about a case, as far as a package is held against it.
#[derive(serde::Deserialize)]
struct EventEntry {
    seq: u64,
    kind: String,
    record: EventRecord,
}

#[derive(serde::Deserialize)]
struct EventRecord {
    case: i64,
    decision: Option<i64>,
    action: Option<i64>,
    /// Of an action.
    kind: Option<String>,
    end: Option<String>,
    evidence: Option<i64>,
}

impl EventEntry {
    /// Whether the package tells of it.
    fn is_told(&self, told: &Told) -> bool {
        match self.kind.as_str() {
            "decision" => told.decisions.iter().any(|d| Some(d.decision) == self.record.decision),
            "action" => told.actions.iter().any(|a| Some(a.action) == self.record.action),
            _ => true,
        }
    }

    /// Whether something was removed on the strength of that record.
    fn removed_by(&self, evidence: i64) -> bool {
        self.kind == "action"
            && self.record.end.as_deref() == Some("done")
            && matches!(self.record.kind.as_deref(), Some("hide" | "delete"))
            && self.record.evidence == Some(evidence)
    }
}
