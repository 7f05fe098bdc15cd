//! The audit log: who, when, what, on what, from where (invariant 6).

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::lines;
use super::value::ms;
use crate::store::Store;
use crate::store::error::StoreError;
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

    /// How many lines the audit log has for an act, for tests and reports.
    pub async fn audit_count(&self, act: &'static str) -> Result<u64, StoreError> {
        self.read(move |c| {
            Ok(c.prepare_cached("select count(*) from audit where act = ?1")?
                .query_row([act], |row| row.get(0))?)
        })
        .await
    }
}
