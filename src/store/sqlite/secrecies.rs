//! Secrecy marks (*sekretessmarkering*): set and lifted by a person with a reason, each a leaf in the log, and who
//! was let into the circle of a case by name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;

use super::bars::pages_may_meet;
use super::cases::{note_event, the_case, touch};
use super::value::{at, each_row, maybe_at, maybe_row, ms, rows};
use super::{audit, log};
use crate::domain::custody::CustodyAct;
use crate::domain::ids::{AccountId, CaseId, ContentHash, ItemId, UserId};
use crate::domain::log::{LogKind, words_hash};
use crate::domain::notice::Part;
use crate::domain::secrecy::{Grounds, Mark};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::keeping::{HoldFacts, SecrecyFacts};
use crate::store::rows::{AuditLine, Readable};

const MARK: &str = "m.id, m.case_id, m.set_at, m.set_by,
    coalesce((select name from users u where u.id = m.set_by), ''), m.provision, m.reason";

/// What the log says of a mark, or of its lifting.
#[derive(Serialize)]
struct SecrecyRecord {
    secrecy: i64,
    case: i64,
    user: i64,
    words_sha256: ContentHash,
}

fn mark_row(row: &Row<'_>) -> Result<Mark, StoreError> {
    Ok(Mark {
        id: row.get(0)?,
        case: CaseId(row.get(1)?),
        set_at: at(row.get(2)?)?,
        set_by: (UserId(row.get(3)?), row.get(4)?),
        provision: row.get(5)?,
        reason: row.get(6)?,
    })
}

fn standing(c: &Connection, case: CaseId) -> Result<Option<Mark>, StoreError> {
    let sql =
        format!("select {MARK} from secrecies m where m.case_id = ?1 and m.lifted_at is null");
    maybe_row(&mut c.prepare_cached(&sql)?, [case.0], mark_row)
}

fn user(row: &Row<'_>) -> Result<(UserId, String), StoreError> {
    Ok((UserId(row.get(0)?), row.get(1)?))
}

/// What the circle of a case follows from.
fn grounds(c: &Connection, case: CaseId) -> Result<Grounds, StoreError> {
    let row = the_case(c, case)?;
    let mark = standing(c, case)?;
    let no_copy: bool = c
        .prepare_cached("select no_copy from items where id = ?1")?
        .query_row([row.item.0], |row| row.get(0))?;
    if mark.is_none() && !no_copy {
        return Ok(Grounds::default());
    }
    let named = rows(
        &mut c.prepare_cached(
            "select u.id, u.name from circles c join users u on u.id = c.user_id
             where c.case_id = ?1 and u.active = 1 order by u.name, u.id",
        )?,
        [case.0],
        user,
    )?;
    let people = rows(
        &mut c.prepare_cached(
            "select u.id, u.name, p.part from items i join account_people p on p.account_id = i.account_id
               join users u on u.id = p.user_id
             where i.id = ?1 and u.active = 1
             order by case p.part when 'owner' then 0 when 'substitute' then 1 else 2 end, u.name, u.id",
        )?,
        [row.item.0],
        |row| {
            let part: String = row.get(2)?;
            let part = Part::from_id(&part)
                .ok_or_else(|| StoreError::row("account_people", format!("part `{part}`")))?;
            Ok((UserId(row.get(0)?), row.get(1)?, part))
        },
    )?;
    Ok(Grounds { mark, no_copy, named, people })
}

fn written(
    tx: &Transaction<'_>,
    case: CaseId,
    what: &str,
    detail: &str,
    line: &AuditLine,
    now: Timestamp,
) -> Result<(), StoreError> {
    let by = line.user.map(|user| (user, line.user_name.as_str()));
    note_event(tx, case, by, what, Some(detail), now)?;
    touch(tx, case, now)?;
    let line = AuditLine {
        subject: format!("case {case}"),
        detail: Some(detail.to_owned()),
        ..line.clone()
    };
    audit::append(tx, &line, now)
}

/// Marks a case, unless a mark stands: gives that one then.
pub(super) fn mark(
    tx: &Transaction<'_>,
    case: CaseId,
    by: UserId,
    (provision, reason): &(String, String),
    line: &AuditLine,
    now: Timestamp,
) -> Result<Option<Mark>, StoreError> {
    if let Some(known) = standing(tx, case)? {
        return Ok(Some(known));
    }
    let line = AuditLine { act: CustodyAct::Mark.id(), ..line.clone() };
    let detail = format!("{provision}. Skäl: {reason}");
    written(tx, case, "Sekretessmarkerades", &detail, &line, now)?;
    let id: i64 = tx
        .prepare_cached("select coalesce(max(id), 0) + 1 from secrecies")?
        .query_row([], |row| row.get(0))?;
    let words_sha256 = words_hash(&[provision, reason]);
    let record = SecrecyRecord { secrecy: id, case: case.0, user: by.0, words_sha256 };
    // After the lines it is to hold.
    let seq = log::append(tx, LogKind::Secrecy, &record, now)?;
    tx.execute(
        "insert into secrecies (id, case_id, set_at, set_by, provision, reason, set_seq)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![id, case.0, ms(now), by.0, provision, reason, seq],
    )?;
    Ok(None)
}

impl Store {
    /// What the circle of a case follows from: empty where it is no smaller than others.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn secrecy_of(&self, case: CaseId) -> Result<Grounds, StoreError> {
        self.read(move |c| grounds(c, case)).await
    }

    /// Every item with a smaller circle, with its case and what that circle follows from.
    pub async fn secret_items(&self) -> Result<BTreeMap<ItemId, Grounds>, StoreError> {
        self.read(|c| {
            let cases = rows(
                &mut c.prepare_cached(
                    "select k.item_id, k.id from secrecies m join cases k on k.id = m.case_id
                     where m.lifted_at is null
                     union
                     select k.item_id, k.id
                     from items i indexed by items_not_to_copy join cases k on k.item_id = i.id
                     where i.no_copy = 1",
                )?,
                [],
                |row| Ok((ItemId(row.get(0)?), CaseId(row.get(1)?))),
            )?;
            cases.into_iter().map(|(item, case)| Ok((item, grounds(c, case)?))).collect()
        })
        .await
    }

    /// Marks a case as secret.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is marked already.
    pub async fn mark_secret(
        &self,
        case: CaseId,
        by: UserId,
        (provision, reason): (String, String),
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            the_case(tx, case)?;
            match mark(tx, case, by, &(provision, reason), &line, now)? {
                None => Ok(()),
                Some(known) => Err(StoreError::Refused {
                    why: format!("Ärendet är redan sekretessmarkerat av {}.", known.set_by.1),
                }),
            }
        })
        .await
    }

    /// Lifts the mark of a case; its circle goes with it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where none stands.
    pub async fn lift_secrecy(
        &self,
        case: CaseId,
        by: UserId,
        reason: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let known = standing(tx, case)?.ok_or_else(|| StoreError::Refused {
                why: "Ärendet är inte sekretessmarkerat.".into(),
            })?;
            let line = AuditLine { act: CustodyAct::LiftMark.id(), ..line };
            let detail = format!("Skäl: {reason}");
            written(tx, case, "Sekretessmarkeringen hävdes", &detail, &line, now)?;
            let words_sha256 = words_hash(&[&reason]);
            let record =
                SecrecyRecord { secrecy: known.id, case: case.0, user: by.0, words_sha256 };
            let seq = log::append(tx, LogKind::SecrecyLift, &record, now)?;
            tx.execute(
                "update secrecies set lifted_at = ?2, lifted_by = ?3, lift_reason = ?4, lift_seq = ?5
                 where id = ?1",
                params![known.id, ms(now), by.0, reason, seq],
            )?;
            // Where copying is barred the circle stays small, and whoever was let in stays in it.
            tx.execute(
                "delete from circles where case_id = ?1 and not exists (
                   select 1 from cases k join items i on i.id = k.item_id
                   where k.id = ?1 and i.no_copy = 1)",
                [case.0],
            )?;
            Ok(())
        })
        .await
    }

    /// Lets somebody into the circle of a case by name, or out of it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the case has no smaller circle.
    pub async fn change_circle(
        &self,
        case: CaseId,
        (who, name): (UserId, String),
        is_in: bool,
        reason: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let known = grounds(tx, case)?;
            if known.mark.is_none() && !known.no_copy {
                return Err(StoreError::Refused {
                    why: "Ärendet är inte sekretessmarkerat: alla vars roll får det kan öppna det."
                        .into(),
                });
            }
            let changed = match is_in {
                true => tx.execute(
                    "insert into circles (case_id, user_id, added_at, added_by) values (?1, ?2, ?3, ?4)
                     on conflict do nothing",
                    params![case.0, who.0, ms(now), line.user.map_or(who.0, |user| user.0)],
                )?,
                false => tx.execute(
                    "delete from circles where case_id = ?1 and user_id = ?2",
                    params![case.0, who.0],
                )?,
            };
            if changed == 0 {
                let why = match is_in {
                    true => format!("{name} får redan öppna ärendet."),
                    false => format!("{name} är inte tillagd i det här ärendet."),
                };
                return Err(StoreError::Refused { why });
            }
            let what = match is_in {
                true => "En person fick rätt att öppna ärendet",
                false => "En persons rätt att öppna ärendet togs bort",
            };
            let line = AuditLine { act: CustodyAct::ChangeCircle.id(), ..line };
            let verb = if is_in { "får öppna" } else { "får inte längre öppna" };
            written(tx, case, what, &format!("{name} {verb}. Skäl: {reason}"), &line, now)
        })
        .await
    }

    /// Cases under a mark in the thread of an item, above and below it, its own left out: what was sealed of the item
    /// may hold their words.
    pub async fn secret_in_thread(&self, item: ItemId) -> Result<Vec<CaseId>, StoreError> {
        self.read(move |c| {
            // Nearly always there is none at all.
            if !c.prepare_cached("select 1 from secrecies where lifted_at is null")?.exists([])? {
                return Ok(Vec::new());
            }
            rows(
                &mut c.prepare_cached(
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
                     select k.id from cases k
                     where k.secret = 1 and k.item_id <> ?1
                       and k.item_id in (select id from up union select id from down) order by 1",
                )?,
                [item.0],
                |row| Ok(CaseId(row.get(0)?)),
            )
        })
        .await
    }

    /// Cases under a mark that may stand on the same page as an item, its own left out: pictures of it may show them.
    pub async fn secret_on_page(&self, item: ItemId) -> Result<Vec<CaseId>, StoreError> {
        self.read(move |c| {
            // Nearly always there is none at all.
            let marked = rows(
                &mut c.prepare_cached(
                    "select id, item_id from cases where secret = 1 and item_id <> ?1 order by id",
                )?,
                [item.0],
                |row| Ok((CaseId(row.get(0)?), ItemId(row.get(1)?))),
            )?;
            let mut found = Vec::new();
            for (case, other) in marked {
                // Each of the two pages may show the other: the thread below stands on that above it.
                if pages_may_meet(c, item, other)? {
                    found.push(case);
                }
            }
            Ok(found)
        })
        .await
    }

    /// Cases under a mark on an account, whose words a capture of its page may hold.
    pub async fn secret_on_account(&self, account: AccountId) -> Result<Vec<CaseId>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select k.id from cases k join items i on i.id = k.item_id
                     where k.secret = 1 and i.account_id = ?1 order by k.id",
                )?,
                [account.0],
                |row| Ok(CaseId(row.get(0)?)),
            )
        })
        .await
    }

    /// Marks after `after`, in order, for verification.
    pub async fn secrecy_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<SecrecyFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(
                    "select id, case_id, set_by, set_at, provision, reason, set_seq, lifted_by, lifted_at,
                       lift_reason, lift_seq
                     from secrecies where id > ?1 order by id limit ?2",
                )?,
                params![after, most],
                |row| {
                    let (provision, reason): (String, String) = (row.get(4)?, row.get(5)?);
                    let lifted = match maybe_at(row.get(8)?)? {
                        Some(at) => {
                            let words = words_hash(&[&row.get::<_, String>(9)?]);
                            Some((row.get(7)?, at, words, row.get(10)?))
                        }
                        None => None,
                    };
                    let words = words_hash(&[&provision, &reason]);
                    Ok(SecrecyFacts(HoldFacts {
                        id: row.get(0)?,
                        case: row.get(1)?,
                        set: (row.get(2)?, at(row.get(3)?)?, words),
                        set_seq: row.get(6)?,
                        lifted,
                        release: None,
                    }))
                },
            )
        })
        .await
    }

    /// Cases whose column says otherwise than their exemptions from disposal do.
    pub async fn wrongly_disposable(&self) -> Result<Vec<CaseId>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select k.id from cases k where k.exempt = 1 and not exists (
                       select 1 from holds h where h.case_id = k.id and h.lifted_at is null)
                     union
                     select h.case_id from holds h join cases k on k.id = h.case_id
                     where h.lifted_at is null and k.exempt = 0 order by 1",
                )?,
                [],
                |row| Ok(CaseId(row.get(0)?)),
            )
        })
        .await
    }

    /// Cases whose column says otherwise than their marks do.
    pub async fn wrongly_open(&self) -> Result<Vec<CaseId>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select k.id from cases k where k.secret = 1 and not exists (
                       select 1 from secrecies m where m.case_id = k.id and m.lifted_at is null)
                     union
                     select m.case_id from secrecies m join cases k on k.id = m.case_id
                     where m.lifted_at is null and k.secret = 0 order by 1",
                )?,
                [],
                |row| Ok(CaseId(row.get(0)?)),
            )
        })
        .await
    }
}
