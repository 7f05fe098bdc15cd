//! Cases decided together: similar ones, the act, and what became of each.

use jiff::Timestamp;
use rusqlite::params;

use super::audit;
use super::value::{at, from_json, maybe_at, maybe_row, ms, rows};
use crate::domain::ids::{BulkId, CaseId, DecisionId, UserId};
use crate::domain::together::{Became, Over};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// Open cases of a case's group, over all accounts and within its own.
pub(super) const SIMILAR: [&str; 2] = [
    "select g.id from cases k cross join cases g indexed by cases_of_group on g.group_id = k.group_id
     where k.id = ?1 and g.state in ('waiting', 'returned')
     order by g.rank, g.due_at, g.id limit ?2",
    "select g.id from cases k cross join cases g indexed by cases_of_group_here
       on g.group_id = k.group_id and g.account_id = k.account_id
     where k.id = ?1 and g.state in ('waiting', 'returned')
     order by g.rank, g.due_at, g.id limit ?2",
];

/// An act that decides many cases, about to begin.
#[derive(Clone, Debug)]
pub struct NewBulk {
    /// Who.
    pub user: UserId,
    /// The cases, in the order in which they are decided.
    pub cases: Vec<CaseId>,
    /// Until when all of it can be undone.
    pub undo_until: Timestamp,
    /// For the audit log.
    pub line: AuditLine,
}

/// An act that decided many cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkRow {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// When it began.
    pub at: Timestamp,
    /// Until when all of it can be undone.
    pub undo_until: Timestamp,
    /// The cases in order.
    pub cases: Vec<(CaseId, Became)>,
}

impl Store {
    /// Open cases with nearly the same text as one at hand, itself among them where it is open: the most urgent
    /// first. None where it is in no group.
    pub async fn similar_open(
        &self,
        case: CaseId,
        over: Over,
        most: u32,
    ) -> Result<Vec<CaseId>, StoreError> {
        let sql = match over {
            Over::AllAccounts => SIMILAR[0],
            Over::ItsAccount => SIMILAR[1],
        };
        self.read(move |c| {
            rows(&mut c.prepare_cached(sql)?, params![case.0, most], |row| Ok(CaseId(row.get(0)?)))
        })
        .await
    }

    /// Writes down what is about to be decided together.
    pub async fn begin_bulk(&self, new: NewBulk, now: Timestamp) -> Result<BulkId, StoreError> {
        self.write(move |tx| {
            tx.prepare_cached("insert into bulks (user_id, at, undo_until) values (?1, ?2, ?3)")?
                .execute(params![new.user.0, ms(now), ms(new.undo_until)])?;
            let bulk = BulkId(tx.last_insert_rowid());
            let mut insert = tx.prepare_cached(
                "insert into bulk_cases (bulk_id, case_id, place) values (?1, ?2, ?3)",
            )?;
            for (place, case) in (0_i64..).zip(&new.cases) {
                insert.execute(params![bulk.0, case.0, place])?;
            }
            let mut line = new.line;
            line.detail = Some(format!("urval {bulk}, {} ärenden", new.cases.len()));
            audit::append(tx, &line, now)?;
            Ok(bulk)
        })
        .await
    }

    /// Notes why one case of it was not decided.
    pub async fn bulk_refused(
        &self,
        bulk: BulkId,
        case: CaseId,
        why: String,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update bulk_cases set refused = ?3 where bulk_id = ?1 and case_id = ?2",
            )?
            .execute(params![bulk.0, case.0, why])?;
            Ok(())
        })
        .await
    }

    /// Notes why one case of it was not undone with the others.
    pub async fn bulk_stays(
        &self,
        bulk: BulkId,
        case: CaseId,
        why: String,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update bulk_cases set stays = ?3 where bulk_id = ?1 and case_id = ?2",
            )?
            .execute(params![bulk.0, case.0, why])?;
            Ok(())
        })
        .await
    }

    /// What became of an act that decided many cases.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn bulk(&self, bulk: BulkId) -> Result<BulkRow, StoreError> {
        self.read(move |c| {
            let head = maybe_row(
                &mut c.prepare_cached(
                    "select b.user_id, u.name, b.at, b.undo_until
                     from bulks b join users u on u.id = b.user_id where b.id = ?1",
                )?,
                [bulk.0],
                |row| Ok((UserId(row.get(0)?), row.get(1)?, at(row.get(2)?)?, at(row.get(3)?)?)),
            )?;
            let (user, name, begun_at, undo_until) =
                head.ok_or(StoreError::NotFound { what: "bulk" })?;
            let cases = rows(
                &mut c.prepare_cached(
                    "select b.case_id, b.refused, b.stays, d.id, d.choices, d.undone_at
                     from bulk_cases b
                          left join decisions d on d.bulk_id = b.bulk_id and d.case_id = b.case_id
                     where b.bulk_id = ?1 order by b.place",
                )?,
                [bulk.0],
                |row| {
                    let refused: Option<String> = row.get(1)?;
                    let became = match (row.get::<_, Option<i64>>(3)?, refused) {
                        (Some(decision), _) => Became::Decided {
                            decision: DecisionId(decision),
                            choices: from_json("decisions", &row.get::<_, String>(4)?)?,
                            undone_at: maybe_at(row.get(5)?)?,
                            stays: row.get(2)?,
                        },
                        (None, Some(why)) => Became::Refused(why),
                        (None, None) => Became::NotComeTo,
                    };
                    Ok((CaseId(row.get(0)?), became))
                },
            )?;
            Ok(BulkRow { user, name, at: begun_at, undo_until, cases })
        })
        .await
    }
}
