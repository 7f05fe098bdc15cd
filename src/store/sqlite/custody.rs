//! Events around a record: the lines of the audit log that are about it, its case, or all records.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::value::{at, json, maybe_row, ms, rows};
use crate::domain::custody::{CustodyAct, EVERY_RECORD};
use crate::domain::ids::{CaseId, EvidenceId};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::keeping::{CustodyRow, VerificationRow};

/// Lines about a case or one of its records; about an archive run of its account that was made when the item was
/// known, for it may stand there; about all records since it has one.
const SUBJECTS: &str = "from audit a where a.act in (select value from json_each(?2)) and a.subject in (
       select 'case ' || ?1
       union all select 'evidence ' || e.id from evidence e join cases k on k.item_id = e.item_id where k.id = ?1
       union all select 'archive run ' || r.id from cases k join items i on i.id = k.item_id
         join archive_runs r on r.account_id = i.account_id
         where k.id = ?1 and r.ended_at >= (select min(v.fetched_at) from versions v where v.item_id = i.id)
       union all select ?3)
     and (a.subject <> ?3 or a.at >= coalesce((select min(e.sealed_at) from evidence e
            join cases k on k.item_id = e.item_id where k.id = ?1), 9223372036854775807))";

fn custody(row: &Row<'_>) -> Result<CustodyRow, StoreError> {
    let act: String = row.get(2)?;
    let subject: String = row.get(3)?;
    Ok(CustodyRow {
        at: at(row.get(0)?)?,
        who: row.get(1)?,
        act: CustodyAct::from_id(&act)
            .ok_or_else(|| StoreError::row("audit", format!("act `{act}`")))?,
        evidence: subject
            .strip_prefix("evidence ")
            .and_then(|number| number.parse().ok())
            .map(EvidenceId),
        detail: row.get(4)?,
    })
}

fn acts() -> Result<String, StoreError> {
    json(&CustodyAct::ALL.iter().map(|act| act.id()).collect::<Vec<_>>())
}

impl Store {
    /// What happened around a case's records: how many events in all, and the newest `most`, oldest
    /// first.
    pub async fn custody(
        &self,
        case: CaseId,
        most: u32,
    ) -> Result<(u64, Vec<CustodyRow>), StoreError> {
        self.read(move |c| {
            let acts = acts()?;
            let n = c
                .prepare_cached(&format!("select count(*) {SUBJECTS}"))?
                .query_row(params![case.0, acts, EVERY_RECORD], |row| row.get(0))?;
            let sql = format!(
                "select a.at, a.user_name, a.act, a.subject, a.detail {SUBJECTS} order by a.id desc limit ?4"
            );
            let mut newest = rows(
                &mut c.prepare_cached(&sql)?,
                params![case.0, acts, EVERY_RECORD, most],
                custody,
            )?;
            newest.reverse();
            Ok((n, newest))
        })
        .await
    }

    /// Keeps what a verification of the whole found.
    pub async fn record_verification(&self, row: VerificationRow) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "insert into verifications (began_at, ended_at, by_name, whole, report)
                 values (?1, ?2, ?3, ?4, ?5)",
                params![ms(row.began_at), ms(row.ended_at), row.by, row.whole, row.report],
            )?;
            Ok(())
        })
        .await
    }

    /// What the last verification of the whole found, and when one last found nothing wrong.
    pub async fn last_verification(
        &self,
    ) -> Result<(Option<VerificationRow>, Option<Timestamp>), StoreError> {
        self.read(|c| {
            let last = maybe_row(
                &mut c.prepare_cached(
                    "select began_at, ended_at, by_name, whole, report from verifications
                     order by id desc limit 1",
                )?,
                [],
                |row| {
                    Ok(VerificationRow {
                        began_at: at(row.get(0)?)?,
                        ended_at: at(row.get(1)?)?,
                        by: row.get(2)?,
                        whole: row.get(3)?,
                        report: row.get(4)?,
                    })
                },
            )?;
            let whole = maybe_row(
                &mut c.prepare_cached(
                    "select ended_at from verifications where whole = 1 order by id desc limit 1",
                )?,
                [],
                |row| at(row.get(0)?),
            )?;
            Ok((last, whole))
        })
        .await
    }
}
