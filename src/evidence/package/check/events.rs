//! What was decided and done about a record's item, held against the signed log.

use std::collections::{BTreeMap, BTreeSet};

use super::{Opened, PackageReport};
use crate::domain::ids::ContentHash;
use crate::domain::log::leaf_hash;
use crate::domain::tree::root_of_path;
use crate::evidence::package::{EVENTS, Event, Listed};

impl Opened {
    /// What was decided and done: each entry in what is signed, of the case that the package tells of, and nothing
    /// removed before it was sealed; and nothing told of which there is no entry.
    pub(super) fn check_events(
        &mut self,
        record: &Listed,
        (root, size): (ContentHash, u64),
        report: &mut PackageReport,
    ) {
        let place = format!("{}/{EVENTS}", record.folder);
        let file = format!("{}/arende.json", record.folder);
        let (Some(events), Some(told)) =
            (self.json::<Vec<Event>>(&place, report), self.json::<Option<Told>>(&file, report))
        else {
            return;
        };
        let told = told.unwrap_or_default();
        if !told.is_once() {
            report.fault(&file, "något står två gånger");
        }
        let (mut last, mut stood, mut ends) = (0, BTreeSet::new(), BTreeMap::new());
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
            if told.case != Some(entry.record.case) || !entry.is_told(&told) {
                let what = format!("post {} i loggen saknas här, eller säger annat", entry.seq);
                report.fault(&file, what);
            }
            if entry.removed_by(record.evidence) && entry.seq < record.log_seq {
                report.fault(&place, "åtgärden kom före förseglingen");
            }
            stood.extend(entry.happened());
            match (entry.kind.as_str(), entry.record.action, entry.record.end) {
                ("action", Some(action), Some(end)) => drop(ends.insert(action, end)),
                ("retry", Some(action), _) => drop(ends.remove(&action)),
                _ => {}
            }
        }
        if !told.happened().all(|one| stood.contains(&one)) || told.ends() != ends {
            report.fault(
                &file,
                format!("något som står här har ingen post i {EVENTS}, eller slutade annorlunda"),
            );
        }
    }
}

/// What has an entry of its own in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happened {
    Decided(i64),
    Undone(i64),
}

/// What was decided and done, as the package tells it.
#[derive(Default, serde::Deserialize)]
struct Told {
    case: Option<i64>,
    decisions: Vec<ToldDecision>,
    actions: Vec<ToldAction>,
}

impl Told {
    /// Everything that must have an entry of its own, but for how actions ended.
    fn happened(&self) -> impl Iterator<Item = Happened> {
        let decided = self.decisions.iter().map(|d| Happened::Decided(d.decision));
        let undone = self.decisions.iter().filter(|d| d.undone_at.is_some());
        decided.chain(undone.map(|d| Happened::Undone(d.decision)))
    }

    /// How each action ended that did.
    fn ends(&self) -> BTreeMap<i64, String> {
        let ended = |a: &&ToldAction| matches!(a.state.state.as_str(), "done" | "moot" | "failed");
        self.actions.iter().filter(ended).map(|a| (a.action, a.state.state.clone())).collect()
    }

    /// Whether nothing is told twice.
    fn is_once(&self) -> bool {
        let decisions: BTreeSet<_> = self.decisions.iter().map(|d| d.decision).collect();
        let actions: BTreeSet<_> = self.actions.iter().map(|a| a.action).collect();
        decisions.len() == self.decisions.len() && actions.len() == self.actions.len()
    }
}

#[derive(serde::Deserialize)]
struct ToldDecision {
    decision: i64,
    version: i64,
    choices: Vec<ToldChoice>,
    #[serde(deserialize_with = "Option::deserialize")]
    undone_at: Option<String>,
}

#[derive(serde::Deserialize)]
struct ToldChoice {
    choice: String,
}

#[derive(serde::Deserialize)]
struct ToldAction {
    action: i64,
    version: i64,
    kind: String,
    state: ToldState,
}

#[derive(serde::Deserialize)]
struct ToldState {
    state: String,
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
    version: Option<i64>,
    /// Of a decision.
    choices: Option<Vec<String>>,
    /// Of an action.
    kind: Option<String>,
    end: Option<String>,
    evidence: Option<i64>,
}

impl EventEntry {
    /// Whether the package tells of it, and what it says.
    fn is_told(&self, told: &Told) -> bool {
        let said = &self.record;
        match self.kind.as_str() {
            "decision" => told.decisions.iter().any(|d| {
                let choices = d.choices.iter().map(|told| &told.choice);
                Some(d.decision) == said.decision
                    && Some(d.version) == said.version
                    && said.choices.as_ref().is_some_and(|said| choices.eq(said))
            }),
            "undo" => told
                .decisions
                .iter()
                .any(|d| Some(d.decision) == said.decision && d.undone_at.is_some()),
            "action" => told.actions.iter().any(|a| {
                Some(a.action) == said.action
                    && Some(a.version) == said.version
                    && Some(&a.kind) == said.kind.as_ref()
            }),
            _ => true,
        }
    }

    /// What it is the entry of.
    fn happened(&self) -> Option<Happened> {
        let said = &self.record;
        match self.kind.as_str() {
            "decision" => said.decision.map(Happened::Decided),
            "undo" => said.decision.map(Happened::Undone),
            _ => None,
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
