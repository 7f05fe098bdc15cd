//! Decisions whether to report to the police.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::cases::{note_event, the_case, touch};
use super::holds::hold_until_lifted;
use super::value::{at, each_row, ms, rows};
use super::{audit, log};
use crate::domain::ids::{CaseId, ContentHash, UserId, VersionId};
use crate::domain::log::{LogKind, words_hash};
use crate::domain::police::{Crime, PoliceDecision};
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
    /// The wording that was read.
    pub version: VersionId,
    /// How many decisions there were when it was made.
    pub n_before: usize,
    /// The crime.
    pub crime: Crime,
    /// Who was hurt, and what they want.
    pub injured: Option<String>,
    /// Why.
    pub reason: String,
}

/// All that was decided, as the log holds it. `version` is none in entries from before it was held.
fn words(
    reported: bool,
    crime: &str,
    injured: Option<&str>,
    reason: &str,
    version: Option<i64>,
) -> ContentHash {
    let reported = if reported { "1" } else { "0" };
    let (injured, version) = (injured.unwrap_or(""), version.map(|id| id.to_string()));
    match &version {
        Some(version) => words_hash(&[reported, crime, injured, reason, version]),
        None => words_hash(&[reported, crime, injured, reason]),
    }
}

fn decision(row: &Row<'_>) -> Result<PoliceDecision, StoreError> {
    let crime: String = row.get(2)?;
    Ok(PoliceDecision {
        id: row.get(0)?,
        reported: row.get(1)?,
        crime: Crime::from_code(&crime)
            .ok_or_else(|| StoreError::row("police_decisions", format!("crime `{crime}`")))?,
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
    /// [`StoreError::NotFound`]; [`StoreError::Refused`] where the text or the decisions are others than those
    /// that were read.
    pub async fn decide_police(
        &self,
        new: NewPoliceDecision,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let case = the_case(tx, new.case)?;
            let refused = |why: &str| Err(StoreError::Refused { why: why.into() });
            if case.version != new.version {
                return refused(
                    "Inlägget har ändrats sedan du öppnade sidan. Läs den nya lydelsen och besluta igen.",
                );
            }
            let n: usize = tx
                .prepare_cached("select count(*) from police_decisions where case_id = ?1")?
                .query_row([case.id.0], |row| row.get(0))?;
            if n != new.n_before {
                return refused(
                    "Ett beslut om anmälan har sparats sedan du öppnade sidan. Läs det först.",
                );
            }
            let what = match new.reported {
                true => "Beslut: polisanmäls",
                false => "Beslut: polisanmäls inte",
            };
            let detail = format!("Brott: {}. Skäl: {}", new.crime.label(), new.reason);
            let by = Some((new.user, line.user_name.as_str()));
            note_event(tx, case.id, by, what, Some(&detail), now)?;
            touch(tx, case.id, now)?;
            audit::append(tx, &line, now)?;
            // Investigation and court may ask for the original for years.
            if new.reported {
                let reason = "Polisanmäls. Undantaget står kvar tills en person häver det.".to_owned();
                hold_until_lifted(tx, case.id, new.user, reason, &line, now)?;
            }
            let row: i64 = tx
                .prepare_cached("select coalesce(max(id), 0) + 1 from police_decisions")?
                .query_row([], |row| row.get(0))?;
            let crime = new.crime.code();
            let injured = new.injured.as_deref();
            let version = Some(case.version.0);
            let words_sha256 = words(new.reported, crime, injured, &new.reason, version);
            let record =
                RuledRecord { row, case: Some(case.id.0), user: new.user.0, words_sha256 };
            // After the lines it is to hold.
            let seq = log::append(tx, LogKind::Police, &record, now)?;
            tx.execute(
                "insert into police_decisions
                   (id, case_id, version_id, user_id, at, reported, ground, injured, reason, log_seq,
                    holds_version)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)",
                params![
                    row,
                    case.id.0,
                    case.version.0,
                    new.user.0,
                    ms(now),
                    new.reported,
                    crime,
                    new.injured,
                    new.reason,
                    seq
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// Exempts the cases that were reported to the police before such a decision did that by itself. Where a person
    /// has lifted an exemption since, that stands. Says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_reported(&self, line: AuditLine, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |tx| {
            let left = rows(
                &mut tx.prepare_cached(
                    "select p.case_id, p.user_id from police_decisions p
                     where p.reported = 1
                       and p.id = (select max(l.id) from police_decisions l where l.case_id = p.case_id)
                       and not exists (select 1 from holds h where h.case_id = p.case_id
                         and h.release_id is null
                         and not exists (select 1 from subject_items s where s.hold_id = h.id)
                         and (h.lifted_at is null or h.lifted_at >= p.at))",
                )?,
                [],
                |row| Ok((CaseId(row.get(0)?), UserId(row.get(1)?))),
            )?;
            let mut n = 0;
            for (case, user) in left {
                let reason = "Polisanmäls. Undantaget står kvar tills en person häver det.".to_owned();
                hold_until_lifted(tx, case, user, reason, &line, now)?;
                n += 1;
            }
            Ok(n)
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
                    "select id, case_id, user_id, at, reported, ground, injured, reason, log_seq,
                       case when holds_version = 1 then version_id end
                     from police_decisions where id > ?1 order by id limit ?2",
                )?,
                params![after, most],
                |row| {
                    let (crime, reason): (String, String) = (row.get(5)?, row.get(7)?);
                    let injured: Option<String> = row.get(6)?;
                    Ok(PoliceFacts(RuledFacts {
                        row: row.get(0)?,
                        case: Some(row.get(1)?),
                        user: row.get(2)?,
                        at: at(row.get(3)?)?,
                        words: words(row.get(4)?, &crime, injured.as_deref(), &reason, row.get(9)?),
                        log_seq: row.get(8)?,
                    }))
                },
            )
        })
        .await
    }
}
