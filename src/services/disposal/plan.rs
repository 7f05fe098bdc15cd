//! What is due by one policy, and what is left alone although it is.

use jiff::Timestamp;

use crate::domain::calendar::local;
use crate::domain::ids::{CaseId, EvidenceId};
use crate::domain::retention::{Destroyed, DisposalLine, RetentionClass, RetentionRule};
use crate::store::keeping::{KeptCase, Spared};

/// A case that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueCase {
    /// The case.
    pub case: CaseId,
    /// The account's name.
    pub account: String,
    /// Its class.
    pub class: RetentionClass,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// Since when it is due.
    pub due_at: Timestamp,
    /// Its records.
    pub records: Vec<EvidenceId>,
}

/// What is due, what is left alone although it is, and what carrying it out would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is due and may go, by class and then the longest due first; no more than a protocol holds.
    pub due: Vec<DueCase>,
    /// More is due than that.
    pub more: bool,
    /// What is due and left alone, and why, in Swedish.
    pub spared: Vec<(CaseId, String)>,
    /// More is left alone than is told of.
    pub more_spared: bool,
    /// The lines of a protocol.
    pub lines: Vec<DisposalLine>,
    /// What would be destroyed.
    pub destroyed: Destroyed,
}

/// Why a case is left alone, in Swedish.
pub(super) fn spared_words(case: CaseId, spared: &Spared) -> String {
    match spared {
        Spared::Held(hold) if hold.case == case => {
            format!("undantaget från gallring av {}: {}", hold.set_by, hold.reason)
        }
        Spared::Held(hold) => format!(
            "i samma tråd som ärende {}, som {} har undantagit från gallring: {}",
            hold.case, hold.set_by, hold.reason
        ),
        Spared::Barred => {
            "får inte kopieras (misstänkt barnpornografibrott, här eller på samma sida): gallras bara på polisens besked".into()
        }
        Spared::Unread => "en ny lydelse är inte bedömd än".into(),
        Spared::Unsealed => "ett bevis av en ny lydelse är inte säkrat än".into(),
        Spared::Reported => "en anmälan utifrån är inte läst än".into(),
        Spared::Asked => "någon har begärt sina uppgifter, och det är inte besvarat än".into(),
        Spared::Untold => "inget beslut och ingen historik visar att ärendet stängdes då: låt den som sköter servern köra uppsikt evidence verify".into(),
    }
}

impl Plan {
    pub(super) fn take(
        &mut self,
        case: KeptCase,
        class: RetentionClass,
        rule: &RetentionRule,
        due_at: Timestamp,
    ) {
        // What has no months is never due.
        let Some(months) = rule.months else { return };
        for record in &case.records {
            self.lines.push(DisposalLine {
                evidence: record.id,
                manifest: record.manifest,
                log_seq: record.log_seq,
                case: case.case,
                account: case.account.clone(),
                class,
                months,
                why: rule.why.clone(),
                closed_at: case.closed_at,
                due_at,
            });
        }
        self.due.push(DueCase {
            case: case.case,
            account: case.account,
            class,
            closed_at: case.closed_at,
            due_at,
            records: case.records.into_iter().map(|record| record.id).collect(),
        });
    }

    /// For people: a line a case.
    pub fn words(&self) -> Vec<String> {
        let due = self.due.iter().map(|due| {
            format!(
                "ärende {}\tkan gallras sedan {}\t{}\t{} bevis\t{}",
                due.case,
                local(due.due_at).date(),
                due.class.label(),
                due.records.len(),
                due.account
            )
        });
        let spared =
            self.spared.iter().map(|(case, why)| format!("ärende {case}\tgallras inte\t{why}"));
        due.chain(spared).collect()
    }

    /// For programs: a line a case.
    pub fn json(&self) -> Vec<String> {
        let due = self.due.iter().map(|due| {
            serde_json::json!({
                "case": due.case, "due": true, "class": due.class.id(), "closed_at": due.closed_at,
                "due_at": due.due_at, "evidence": due.records, "account": due.account,
            })
        });
        let spared = self
            .spared
            .iter()
            .map(|(case, why)| serde_json::json!({ "case": case, "due": false, "why": why }));
        due.chain(spared).map(|line| line.to_string()).collect()
    }

    /// What carrying it out would come to, in a sentence.
    pub fn summary(&self) -> String {
        let Destroyed { n_files, n_bytes, n_shared } = self.destroyed;
        format!(
            "{} ärenden, {} bevis: {n_files} filer ({n_bytes} byte) skulle förstöras, {n_shared} delas med bevis som finns kvar.",
            self.due.len(),
            self.lines.len()
        )
    }
}
