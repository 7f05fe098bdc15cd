//! Cases decided together: similar ones, the act, and what became of each.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::audit;
use super::value::{at, from_json, maybe_at, maybe_row, ms, rows};
use crate::domain::action::ActionKind;
use crate::domain::ids::{BulkId, CaseId, DecisionId, UserId};
use crate::domain::together::{Became, Over};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// Open cases of a case's group, over all accounts and within its own, each with its place in the queue.
pub(super) const SIMILAR: [&str; 2] = [
    "select 0, g.rank, g.due_at, g.id
     from cases k cross join cases g indexed by cases_of_group on g.group_id = k.group_id
     where k.id = ?1 and g.state in ('waiting', 'returned')
     order by g.rank, g.due_at, g.id",
    "select 0, g.rank, g.due_at, g.id from cases k cross join cases g indexed by cases_of_group_here
       on g.group_id = k.group_id and g.account_id = k.account_id
     where k.id = ?1 and g.state in ('waiting', 'returned')
     order by g.rank, g.due_at, g.id",
];

/// Whether a case waits for nobody, then its place in the queue.
type InOrder = (bool, i64, i64, i64);

fn in_order(row: &Row<'_>) -> Result<InOrder, StoreError> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

/// An act that decides many cases, about to begin.
#[derive(Clone, Debug)]
pub struct NewBulk {
    /// Who.
    pub user: UserId,
    /// The cases, in the order in which they are decided.
    pub cases: Vec<CaseId>,
    /// Until when all of it can be undone.
    pub undo_until: Timestamp,
    /// What tells the form that was sent from every other: sent again, it is the same act.
    pub form: Option<String>,
    /// For the audit log.
    pub line: AuditLine,
}

/// An act that is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Its number.
    pub id: BulkId,
    /// Whether it was not there before.
    pub is_new: bool,
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
    /// These cases and all open ones with nearly the same text as each of `groups`, as far as there are such
    /// cases: each once, what waits for a person first, in the queue's order. Not more than `most`, with how
    /// many there are of all.
    pub async fn picked(
        &self,
        cases: Vec<CaseId>,
        groups: Vec<CaseId>,
        over: Over,
        most: usize,
    ) -> Result<(Vec<CaseId>, usize), StoreError> {
        let sql = match over {
            Over::AllAccounts => SIMILAR[0],
            Over::ItsAccount => SIMILAR[1],
        };
        self.read(move |c| {
            let mut one = c.prepare_cached(
                "select state not in ('waiting', 'returned'), rank, due_at, id from cases where id = ?1",
            )?;
            let mut similar = c.prepare_cached(sql)?;
            let mut all: BTreeSet<InOrder> = BTreeSet::new();
            for group in &groups {
                // One of a group that was gone through already.
                let known = maybe_row(&mut one, [group.0], in_order)?;
                if known.is_some_and(|known| !all.contains(&known)) {
                    all.extend(rows(&mut similar, [group.0], in_order)?);
                }
            }
            for case in cases.iter().chain(&groups) {
                all.extend(maybe_row(&mut one, [case.0], in_order)?);
            }
            let n = all.len();
            Ok((all.into_iter().take(most).map(|(.., id)| CaseId(id)).collect(), n))
        })
        .await
    }

    /// Which of these there are.
    pub async fn known_cases(&self, cases: Vec<CaseId>) -> Result<BTreeSet<CaseId>, StoreError> {
        self.read(move |c| {
            let mut one = c.prepare_cached("select 1 from cases where id = ?1")?;
            let mut known = BTreeSet::new();
            for case in cases {
                if one.exists([case.0])? {
                    known.insert(case);
                }
            }
            Ok(known)
        })
        .await
    }

    /// Writes down what is about to be decided together; gives the act that the same form has begun, where it
    /// has.
    pub async fn begin_bulk(&self, new: NewBulk, now: Timestamp) -> Result<Begun, StoreError> {
        self.write(move |tx| {
            let known = maybe_row(
                &mut tx.prepare_cached("select id from bulks where user_id = ?1 and form = ?2")?,
                params![new.user.0, new.form],
                |row| Ok(BulkId(row.get(0)?)),
            )?;
            if let Some(id) = known {
                return Ok(Begun { id, is_new: false });
            }
            tx.prepare_cached(
                "insert into bulks (user_id, at, undo_until, form) values (?1, ?2, ?3, ?4)",
            )?
            .execute(params![new.user.0, ms(now), ms(new.undo_until), new.form])?;
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
            Ok(Begun { id: bulk, is_new: true })
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
                    "select b.case_id, b.refused, b.stays, d.id, d.choices, d.undone_at,
                            (select json_group_array(a.kind) from actions a
                             where a.case_id = d.case_id and a.decision_id = d.id and a.by_hand = 1)
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
                            by_hand: by_hand(&row.get::<_, String>(6)?)?,
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

/// The kinds of actions that stand in a list of their identifiers.
fn by_hand(kinds: &str) -> Result<Vec<ActionKind>, StoreError> {
    let kinds: Vec<String> = from_json("actions", kinds)?;
    let kind =
        |id: &String| ActionKind::from_id(id).ok_or_else(|| StoreError::row("actions", "kind"));
    kinds.iter().map(kind).collect()
}
