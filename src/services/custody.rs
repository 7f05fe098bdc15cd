//! Events around a record's evidence, as people and packages get them, and exemptions from disposal.

use jiff::Timestamp;

use crate::domain::custody::CustodyAct;
use crate::domain::ids::{CaseId, EvidenceId};
use crate::domain::person::Act;
use crate::domain::retention::Exemption;
use crate::store::Store;
use crate::store::keeping::CustodyRow;

use super::corrections::reason;
use super::{Change, ServiceError, Services, Viewer};

/// How many of the newest events a page holds, before equal ones are put together.
const ON_PAGE: u32 = 200;

/// How many of them go into a package: in fact all.
const IN_PACKAGE: u32 = 1_000_000;

/// One event, or several equal ones in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyEvent {
    /// When, the last time.
    pub at: Timestamp,
    /// When the first of them was, where they are several.
    pub since: Option<Timestamp>,
    /// How many.
    pub n: u32,
    /// Who.
    pub who: String,
    /// What, in words that follow the name.
    pub what: &'static str,
    /// Which record, where the event is about one.
    pub evidence: Option<EvidenceId>,
    /// More: a file, a reason, a result.
    pub detail: Option<String>,
}

/// The events of a case's records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Custody {
    /// Oldest first.
    pub events: Vec<CustodyEvent>,
    /// How many older ones are left out.
    pub n_older: u64,
}

/// Equal events in a row become one.
fn grouped(rows: Vec<CustodyRow>) -> Vec<CustodyEvent> {
    let mut events: Vec<CustodyEvent> = Vec::new();
    for CustodyRow { at, who, act, evidence, detail } in rows {
        let what = act.label();
        match events.last_mut() {
            Some(last)
                if last.who == who
                    && last.what == what
                    && last.evidence == evidence
                    && last.detail == detail =>
            {
                last.since.get_or_insert(last.at);
                last.at = at;
                last.n += 1;
            }
            Some(_) | None => {
                events.push(CustodyEvent { at, since: None, n: 1, who, what, evidence, detail });
            }
        }
    }
    events
}

/// The events of a case's records for a package: each by itself.
pub(super) async fn for_package(
    store: &Store,
    case: CaseId,
) -> Result<Vec<serde_json::Value>, ServiceError> {
    let (_, rows) = store.custody(case, IN_PACKAGE).await?;
    let event = |row: CustodyRow| {
        serde_json::json!({
            "at": row.at, "who": row.who, "what": row.act.label(), "act": row.act.id(),
            "evidence": row.evidence, "detail": row.detail,
        })
    };
    Ok(rows.into_iter().map(event).collect())
}

impl Services {
    /// What happened around a case's records.
    pub(super) async fn custody(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<Custody, ServiceError> {
        let (n, mut rows) = self.inner.store.custody(case, ON_PAGE).await?;
        let n_older = n.saturating_sub(rows.len() as u64);
        for row in &mut rows {
            // Reasons are people's words.
            row.detail = row.detail.take().map(|detail| self.shown_to(viewer, detail));
        }
        Ok(Custody { events: grouped(rows), n_older })
    }

    /// The exemption that covers a case, and whether it is its own.
    pub(super) async fn exemption(
        &self,
        viewer: &Viewer,
        case: CaseId,
    ) -> Result<Option<Exemption>, ServiceError> {
        let hold = self.inner.store.covering_hold(case).await?;
        Ok(hold.map(|hold| Exemption { reason: self.shown_to(viewer, hold.reason), ..hold }))
    }

    /// Exempts a case from disposal, with its evidence and thread.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] with words for the person.
    pub async fn exempt(
        &self,
        viewer: &Viewer,
        case: CaseId,
        why: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Exempt)?;
        self.demand_open(viewer, case).await?;
        let reason = reason(why)?;
        let line = viewer.line(CustodyAct::Exempt.id(), format!("case {case}"));
        let now = self.inner.clock.now();
        self.inner.store.set_hold(case, viewer.user, reason, line, now).await?;
        self.note_log().await;
        tracing::info!(case.id = %case, user.id = %viewer.user, "exempted from disposal");
        self.tell(Change::Case(case));
        Ok(())
    }

    /// Lifts the exemption of a case.
    ///
    /// # Errors
    /// As [`Services::exempt`].
    pub async fn end_exemption(
        &self,
        viewer: &Viewer,
        case: CaseId,
        why: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Exempt)?;
        self.demand_open(viewer, case).await?;
        let reason = reason(why)?;
        let line = viewer.line(CustodyAct::EndExemption.id(), format!("case {case}"));
        let now = self.inner.clock.now();
        self.inner.store.lift_hold(case, viewer.user, reason, line, now).await?;
        self.note_log().await;
        tracing::info!(case.id = %case, user.id = %viewer.user, "no longer exempt from disposal");
        self.tell(Change::Case(case));
        Ok(())
    }
}
