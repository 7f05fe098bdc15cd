//! The audit log: who, when, what, on what, from where (invariant 6).

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::lines;
use super::value::{at, ms, rows};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::keeping::{AuditRead, AuditSought};
use crate::store::rows::{AuditLine, Lines};

/// Writes a line inside the transaction of the act it records.
pub(super) fn append(
    tx: &Transaction<'_>,
    line: &AuditLine,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into audit (at, user_id, user_name, act, subject, address, detail)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        ms(now),
        line.user.map(|u| u.0),
        line.user_name,
        line.act,
        line.subject,
        line.address,
        line.detail
    ])?;
    lines::grown(tx, Lines::Audit)
}

/// Lines about the case `?1`, one of its records, or an archive run of its account.
const ABOUT_A_CASE: &str = "a.subject in (
       select 'case ' || ?1
       union all select 'evidence ' || e.id from evidence e join cases k on k.item_id = e.item_id where k.id = ?1
       union all select 'action ' || x.id from actions x where x.case_id = ?1
       union all select 'registration ' || r.id from registrations r where r.case_id = ?1
       union all select 'archive run ' || r.id from cases k join items i on i.id = k.item_id
         join archive_runs r on r.account_id = i.account_id where k.id = ?1)";

/// Whether a line is about a case that not everybody may open, by a mark or a suspicion: its details are words about it.
const SHUT: &str = "case
       when a.subject like 'case %' then (select k.secret = 1 or (select i.no_copy from items i where i.id = k.item_id) from cases k where k.id = cast(substr(a.subject, 6) as integer))
       when a.subject like 'evidence %' then (select k.secret = 1 or (select i.no_copy from items i where i.id = k.item_id) from evidence e join cases k on k.item_id = e.item_id
         where e.id = cast(substr(a.subject, 10) as integer))
       when a.subject like 'action %' then (select k.secret = 1 or (select i.no_copy from items i where i.id = k.item_id) from actions x join cases k on k.id = x.case_id
         where x.id = cast(substr(a.subject, 8) as integer))
       when a.subject like 'registration %' then (select k.secret = 1 or (select i.no_copy from items i where i.id = k.item_id) from registrations r join cases k on k.id = r.case_id
         where r.id = cast(substr(a.subject, 14) as integer))
     end";
/// Writes that the program made something go by itself, by a decision on disposal.
pub(super) fn swept(
    tx: &Transaction<'_>,
    act: &'static str,
    subject: &str,
    detail: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    let line = AuditLine {
        user: None,
        user_name: "Uppsikt".into(),
        act,
        subject: subject.into(),
        address: "lokalt".into(),
        detail: Some(detail),
    };
    append(tx, &line, now)
}

impl Store {
    /// Writes a line for an act that changes nothing else: a log-in, the showing of evidence.
    pub async fn record_audit(&self, line: AuditLine, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| append(tx, &line, now)).await
    }

    /// The same for several at once: they stand together, or none does.
    pub async fn record_audits(
        &self,
        lines: Vec<AuditLine>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| lines.iter().try_for_each(|line| append(tx, line, now))).await
    }

    /// Lines of the log, newest first, at most `most`. Of a case those about it and its records.
    pub async fn audit_lines(
        &self,
        sought: AuditSought,
        most: u32,
    ) -> Result<Vec<AuditRead>, StoreError> {
        self.read(move |c| {
            let AuditSought { case, who, before } = sought;
            let about = match case {
                Some(_) => ABOUT_A_CASE,
                None => "?1 is null",
            };
            let sql = format!(
                "select a.id, a.at, a.user_name, a.act, a.subject, a.address, a.detail, {SHUT}
                 from audit a
                 where {about} and (?2 is null or a.user_name = ?2
                     or a.user_name between ?2 || ' (nyckel ' and ?2 || ' (nyckel ~') and a.id < ?3
                 order by a.id desc limit ?4"
            );
            rows(
                &mut c.prepare_cached(&sql)?,
                params![case.map(|case| case.0), who, before.unwrap_or(i64::MAX), most],
                |row| {
                    Ok(AuditRead {
                        id: row.get(0)?,
                        at: at(row.get(1)?)?,
                        who: row.get(2)?,
                        act: row.get(3)?,
                        subject: row.get(4)?,
                        address: row.get(5)?,
                        detail: row.get(6)?,
                        is_shut: row.get::<_, Option<bool>>(7)?.unwrap_or_default(),
                    })
                },
            )
        })
        .await
    }

    /// How many lines the audit log has for an act, for tests and reports.
    pub async fn audit_count(&self, act: &'static str) -> Result<u64, StoreError> {
        self.read(move |c| {
            Ok(c.prepare_cached("select count(*) from audit where act = ?1")?
                .query_row([act], |row| row.get(0))?)
        })
        .await
    }
}
