//! Decisions whether to report to the police.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::cases::{note_event, the_case, touch};
use super::value::{at, each_row, ms, rows};
use super::{audit, log};
use crate::domain::ground::Ground;
use crate::domain::ids::{CaseId, ContentHash, UserId};
use crate::domain::log::{LogKind, words_hash};
use crate::domain::police::PoliceDecision;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::handed::{PoliceFacts, RuledFacts, RuledRecord};
use crate::store::rows::{AuditLine, Readable};

/// A decision to be committed.
#[derive(Clone)]
pub struct NewPoliceDecision {
    /// The case.
    pub case: CaseId,
    /// Who.
    pub user: UserId,
    /// Whether it is reported.
    pub reported: bool,
    /// The crime.
    pub ground: Ground,
    /// Who was hurt, and what they want.
    pub injured: Option<String>,
    /// Why.
    pub reason: String,
}

fn words(reported: bool, ground: &str, injured: Option<&str>, reason: &str) -> ContentHash {
    words_hash(&[if reported { "1" } else { "0" }, ground, injured.unwrap_or(""), reason])
}

fn decision(row: &Row<'_>) -> Result<PoliceDecision, StoreError> {
    let ground: String = row.get(2)?;
    Ok(PoliceDecision {
        id: row.get(0)?,
        reported: row.get(1)?,
        ground: Ground::from_code(&ground)
            .ok_or_else(|| StoreError::row("police_decisions", format!("ground `{ground}`")))?,
        injured: row.get(3)?,
        reason: row.get(4)?,
        at: at(row.get(5)?)?,
        by: row.get(6)?,
    })
}

impl Store {
    /// Commits a decision whether to report to the police.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn decide_police(
        &self,
        new: NewPoliceDecision,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let case = the_case(tx, new.case)?;
            let what = match new.reported {
                true => "Beslut: polisanmäls",
                false => "Beslut: polisanmäls inte",
            };
            let detail = format!("Brott: {}. Skäl: {}", new.ground.label(), new.reason);
            let by = Some((new.user, line.user_name.as_str()));
            note_event(tx, case.id, by, what, Some(&detail), now)?;
            touch(tx, case.id, now)?;
            audit::append(tx, &line, now)?;
            let row: i64 = tx
                .prepare_cached("select coalesce(max(id), 0) + 1 from police_decisions")?
                .query_row([], |row| row.get(0))?;
            let ground = new.ground.code();
            let words_sha256 = words(new.reported, ground, new.injured.as_deref(), &new.reason);
            let record =
                RuledRecord { row, case: Some(case.id.0), user: new.user.0, words_sha256 };
            // After the lines it is to hold.
            let seq = log::append(tx, LogKind::Police, &record, now)?;
            tx.execute(
                "insert into police_decisions
                   (id, case_id, version_id, user_id, at, reported, ground, injured, reason, log_seq)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    row,
                    case.id.0,
                    case.version.0,
                    new.user.0,
                    ms(now),
                    new.reported,
                    ground,
                    new.injured,
                    new.reason,
                    seq
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// All such decisions about a case, oldest first.
    pub async fn police_decisions(&self, case: CaseId) -> Result<Vec<PoliceDecision>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select id, reported, ground, injured, reason, at,
                       (select name from users u where u.id = user_id)
                     from police_decisions where case_id = ?1 order by id",
                )?,
                [case.0],
                decision,
            )
        })
        .await
    }

    /// Decisions after `after`, in order, for verification.
    pub async fn police_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<PoliceFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(
                    "select id, case_id, user_id, at, reported, ground, injured, reason, log_seq
                     from police_decisions where id > ?1 order by id limit ?2",
                )?,
                params![after, most],
                |row| {
                    let (ground, reason): (String, String) = (row.get(5)?, row.get(7)?);
                    let injured: Option<String> = row.get(6)?;
                    Ok(PoliceFacts(RuledFacts {
                        row: row.get(0)?,
                        case: Some(row.get(1)?),
                        user: row.get(2)?,
                        at: at(row.get(3)?)?,
                        words: words(row.get(4)?, &ground, injured.as_deref(), &reason),
                        log_seq: row.get(8)?,
                    }))
                },
            )
        })
        .await
    }
}
