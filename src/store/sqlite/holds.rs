//! Exemptions from disposal (*undantag från gallring*): set and lifted by a person with a reason, each a
//! leaf in the log. One on a case covers its evidence and the thread above and below it.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;

use super::cases::{note_event, the_case, touch};
use super::releases::asked_for;
use super::value::{at, each_row, maybe_at, maybe_row, ms, rows};
use super::{audit, log};
use crate::domain::custody::CustodyAct;
use crate::domain::ids::{CaseId, ContentHash, HoldId, ItemId, UserId};
use crate::domain::log::{LogKind, words_hash};
use crate::domain::retention::Exemption;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::keeping::HoldFacts;
use crate::store::rows::{AuditLine, Readable};

const HOLD: &str =
    "h.id, h.case_id, h.set_at, (select name from users u where u.id = h.set_by), h.reason,
       h.lifted_at, (select name from users u where u.id = h.lifted_by), h.lift_reason";

/// What the log says of an exemption, or of its lifting.
#[derive(Serialize)]
struct HoldRecord {
    hold: i64,
    case: i64,
    user: i64,
    words_sha256: ContentHash,
    /// The request that asks for it, 0 where none does: then a person alone lifts it. Not said of a lifting.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<i64>,
}

fn hold(row: &Row<'_>) -> Result<Exemption, StoreError> {
    let name = |column| -> Result<String, StoreError> {
        Ok(row.get::<_, Option<String>>(column)?.unwrap_or_default())
    };
    let lifted = match maybe_at(row.get(5)?)? {
        Some(at) => Some((at, name(6)?, name(7)?)),
        None => None,
    };
    Ok(Exemption {
        id: HoldId(row.get(0)?),
        case: CaseId(row.get(1)?),
        set_at: at(row.get(2)?)?,
        set_by: name(3)?,
        reason: row.get(4)?,
        lifted,
    })
}

/// The exemption that covers an item: one that stands on its own case or on that of an item above or
/// below it in the thread. Its own goes first.
pub(super) fn covering(c: &Connection, item: ItemId) -> Result<Option<Exemption>, StoreError> {
    // Nearly always there is none at all.
    if !c.prepare_cached("select 1 from holds where lifted_at is null")?.exists([])? {
        return Ok(None);
    }
    maybe_row(
        &mut c.prepare_cached(&format!(
            "with recursive
               up (id, account_id, parent_id, n) as (
                 select id, account_id, parent_id, 0 from items where id = ?1
                 union
                 select i.id, i.account_id, i.parent_id, n + 1 from up join items i
                   on i.account_id = up.account_id and i.platform_id = up.parent_id where n < 100),
               down (id, account_id, platform_id, n) as (
                 select id, account_id, platform_id, 0 from items where id = ?1
                 union
                 select i.id, i.account_id, i.platform_id, n + 1 from down join items i
                   on i.account_id = down.account_id and i.parent_id = down.platform_id where n < 100)
             select {HOLD} from holds h join cases k on k.id = h.case_id
             where h.lifted_at is null
               and k.item_id in (select id from up union select id from down)
             order by k.item_id <> ?1, h.id limit 1"
        ))?,
        [item.0],
        hold,
    )
}

/// Exempts a case on which no exemption stands. `release` is the request that asks for it.
pub(super) fn hold_case(
    tx: &Transaction<'_>,
    case: CaseId,
    user: UserId,
    reason: String,
    line: &AuditLine,
    release: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let by = Some((user, line.user_name.as_str()));
    note_event(tx, case, by, "Undantogs från gallring", Some(&format!("Skäl: {reason}")), now)?;
    touch(tx, case, now)?;
    let line = AuditLine {
        act: CustodyAct::Exempt.id(),
        subject: format!("case {case}"),
        detail: Some(reason.clone()),
        ..line.clone()
    };
    audit::append(tx, &line, now)?;
    let hold: i64 = tx
        .prepare_cached("select coalesce(max(id), 0) + 1 from holds")?
        .query_row([], |row| row.get(0))?;
    let words_sha256 = words_hash(&[&reason]);
    let release_said = Some(release.unwrap_or(0));
    let record =
        HoldRecord { hold, case: case.0, user: user.0, words_sha256, release: release_said };
    // After the lines it is to hold.
    let seq = log::append(tx, LogKind::Hold, &record, now)?;
    tx.execute(
        "insert into holds (id, case_id, set_at, set_by, reason, set_seq, release_id)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![hold, case.0, ms(now), user.0, reason, seq, release],
    )?;
    Ok(())
}

/// Lifts an exemption.
pub(super) fn end_hold(
    tx: &Transaction<'_>,
    known: &Exemption,
    user: UserId,
    reason: String,
    line: &AuditLine,
    now: Timestamp,
) -> Result<(), StoreError> {
    let case = known.case;
    let by = Some((user, line.user_name.as_str()));
    let detail = format!("Skäl: {reason}");
    note_event(tx, case, by, "Undantaget från gallring hävdes", Some(&detail), now)?;
    touch(tx, case, now)?;
    let line = AuditLine {
        act: CustodyAct::EndExemption.id(),
        subject: format!("case {case}"),
        detail: Some(reason.clone()),
        ..line.clone()
    };
    audit::append(tx, &line, now)?;
    let words_sha256 = words_hash(&[&reason]);
    let record =
        HoldRecord { hold: known.id.0, case: case.0, user: user.0, words_sha256, release: None };
    let seq = log::append(tx, LogKind::HoldLift, &record, now)?;
    tx.execute(
        "update holds set lifted_at = ?2, lifted_by = ?3, lift_reason = ?4, lift_seq = ?5
         where id = ?1",
        params![known.id.0, ms(now), user.0, reason, seq],
    )?;
    Ok(())
}

/// Whether an exemption was set by a request for public records, which lifts it again by itself.
pub(super) fn of_a_request(c: &Connection, known: &Exemption) -> Result<bool, StoreError> {
    Ok(c.prepare_cached("select 1 from holds where id = ?1 and release_id is not null")?
        .exists([known.id.0])?)
}

/// Whether an exemption lasts only as long as a request does: for public records, or by somebody who asks about
/// their own data.
fn lasts_as_a_request(c: &Connection, known: &Exemption) -> Result<bool, StoreError> {
    let of_a_person =
        c.prepare_cached("select 1 from subject_items where hold_id = ?1")?.exists([known.id.0])?;
    Ok(of_a_person || of_a_request(c, known)?)
}

/// The pending request of somebody who asks about their own data that a case is part of.
fn asked_by_a_person(c: &Connection, case: CaseId) -> Result<Option<i64>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(
            "select min(r.id) from cases k join subject_items s on s.item_id = k.item_id
             join subject_requests r on r.id = s.request_id
             where k.id = ?1 and r.ended_at is null having count(*) > 0",
        )?,
        [case.0],
        |row| Ok(row.get(0)?),
    )
}

/// Exempts a case for a reason that only a person ends. One that a request had set gives way to it, or the
/// end of the request would lift what this one is to keep.
pub(super) fn hold_until_lifted(
    tx: &Transaction<'_>,
    case: CaseId,
    user: UserId,
    reason: String,
    line: &AuditLine,
    now: Timestamp,
) -> Result<(), StoreError> {
    match standing(tx, case)? {
        Some(known) if lasts_as_a_request(tx, &known)? => {
            let why = "Ersätts av ett undantag som står kvar tills en person häver det.".to_owned();
            end_hold(tx, &known, user, why, line, now)?;
        }
        Some(_) => return Ok(()),
        None => {}
    }
    hold_case(tx, case, user, reason, line, None, now)
}

pub(super) fn standing(c: &Connection, case: CaseId) -> Result<Option<Exemption>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!(
            "select {HOLD} from holds h where h.case_id = ?1 and h.lifted_at is null"
        ))?,
        [case.0],
        hold,
    )
}

impl Store {
    /// Exempts a case from disposal until a person lifts it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is exempt already, and not merely for as long as a request lasts.
    pub async fn set_hold(
        &self,
        case: CaseId,
        user: UserId,
        reason: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            the_case(tx, case)?;
            if let Some(known) = standing(tx, case)?
                && !lasts_as_a_request(tx, &known)?
            {
                return Err(StoreError::Refused {
                    why: format!("Ärendet är redan undantaget från gallring av {}.", known.set_by),
                });
            }
            hold_until_lifted(tx, case, user, reason, &line, now)
        })
        .await
    }

    /// Lifts the exemption of a case.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where none stands.
    pub async fn lift_hold(
        &self,
        case: CaseId,
        user: UserId,
        reason: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let known = standing(tx, case)?.ok_or_else(|| StoreError::Refused {
                why: "Ärendet är inte undantaget från gallring.".into(),
            })?;
            if let Some(release) = asked_for(tx, case, None)? {
                return Err(StoreError::Refused {
                    why: format!(
                        "Ärendet ingår i begäran {release} om utlämnande. Avsluta den först."
                    ),
                });
            }
            if let Some(request) = asked_by_a_person(tx, case)? {
                return Err(StoreError::Refused {
                    why: format!(
                        "Ärendet ingår i begäran {request} från en registrerad. Besvara den först."
                    ),
                });
            }
            end_hold(tx, &known, user, reason, &line, now)
        })
        .await
    }

    /// All exemptions of a case, oldest first.
    pub async fn holds_of(&self, case: CaseId) -> Result<Vec<Exemption>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {HOLD} from holds h where h.case_id = ?1 order by h.id"
                ))?,
                [case.0],
                hold,
            )
        })
        .await
    }

    /// The exemption that covers a case: its own, or that of a case in the same thread.
    pub async fn covering_hold(&self, case: CaseId) -> Result<Option<Exemption>, StoreError> {
        self.read(move |c| covering(c, the_case(c, case)?.item)).await
    }

    /// How many cases are exempt.
    pub async fn n_held(&self) -> Result<u64, StoreError> {
        self.read(|c| {
            Ok(c.prepare_cached("select count(*) from holds where lifted_at is null")?
                .query_row([], |row| row.get(0))?)
        })
        .await
    }

    /// Exemptions after `after`, in order, for verification.
    pub async fn hold_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<HoldFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(
                    "select id, case_id, set_by, set_at, reason, set_seq, lifted_by, lifted_at, lift_reason,
                       lift_seq, release_id
                     from holds where id > ?1 order by id limit ?2",
                )?,
                params![after, most],
                |row| {
                    let words = |column| -> Result<ContentHash, StoreError> {
                        Ok(words_hash(&[&row.get::<_, String>(column)?]))
                    };
                    let lifted = match maybe_at(row.get(7)?)? {
                        Some(at) => Some((row.get(6)?, at, words(8)?, row.get(9)?)),
                        None => None,
                    };
                    Ok(HoldFacts {
                        id: row.get(0)?,
                        case: row.get(1)?,
                        set: (row.get(2)?, at(row.get(3)?)?, words(4)?),
                        set_seq: row.get(5)?,
                        lifted,
                        release: row.get(10)?,
                    })
                },
            )
        })
        .await
    }
}
