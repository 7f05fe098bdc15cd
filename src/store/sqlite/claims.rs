//! Who works on a case: opened, kept, taken over, let go, run out.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction, params};

use super::audit;
use super::cases::{note_event, the_case};
use super::value::{at, ms, rows};
use crate::domain::case::CaseState;
use crate::domain::claim::{Claim, Granted, Hold, Wish};
use crate::domain::ids::{CaseId, UserId};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// What a person wants of a case.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The case.
    pub case: CaseId,
    /// Who.
    pub user: UserId,
    /// What.
    pub wish: Wish,
    /// How long a lease lasts.
    pub lease: SignedDuration,
}

/// What opening a case changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// How the person came to hold it; nothing where somebody else does, or it needs nobody.
    pub granted: Option<Granted>,
    /// Other cases that the person let go by it.
    pub let_go: Vec<CaseId>,
}

/// A case that somebody took over from the person asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Its row.
    pub id: i64,
    /// The case.
    pub case: CaseId,
    /// Name of whoever has it now.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Whether looking at a case takes it: what is decided or closed is read by many.
const fn is_taken_by_looking(state: &CaseState) -> bool {
    match state {
        CaseState::Waiting | CaseState::Returned { .. } | CaseState::Held { .. } => true,
        CaseState::Decided | CaseState::AwaitingDiary | CaseState::Closed { .. } => false,
    }
}

fn set_claim(tx: &Transaction<'_>, case: CaseId, claim: &Claim) -> Result<(), StoreError> {
    let kept = claim.hold == Hold::Kept;
    tx.prepare_cached(
        "update cases set claimed_by = ?2, claimed_until = ?3, claim_kept = ?4 where id = ?1",
    )?
    .execute(params![case.0, claim.by.0, ms(claim.until), kept])?;
    Ok(())
}

/// Lets a case go, whoever holds it.
pub(super) fn clear_claim(tx: &Transaction<'_>, case: CaseId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "update cases set claimed_by = null, claimed_until = null, claim_kept = 0 where id = ?1",
    )?
    .execute([case.0])?;
    Ok(())
}

/// Lets go of all that a person had only opened, but for one.
fn leave(
    tx: &Transaction<'_>,
    user: UserId,
    but: Option<CaseId>,
) -> Result<Vec<CaseId>, StoreError> {
    let held = rows(
        &mut tx.prepare_cached(
            "select id from cases where claimed_by = ?1 and claim_kept = 0 and id is not ?2",
        )?,
        params![user.0, but.map(|case| case.0)],
        |row| Ok(CaseId(row.get(0)?)),
    )?;
    for case in &held {
        clear_claim(tx, *case)?;
    }
    Ok(held)
}

/// Asks for a case and writes down what came of it.
fn ask(tx: &Transaction<'_>, asking: &Asking, now: Timestamp) -> Result<Granted, StoreError> {
    let &Asking { case, user, wish, lease } = asking;
    let held = the_case(tx, case)?.claim.map(|(claim, _)| claim);
    let (claim, granted) = Claim::ask(held, user, wish, lease, now)
        .map_err(|_| StoreError::Conflict { what: "claim" })?;
    set_claim(tx, case, &claim)?;
    if let Granted::TakenFrom(from) = granted {
        tx.prepare_cached(
            "insert into handovers (case_id, from_user, to_user, at) values (?1, ?2, ?3, ?4)",
        )?
        .execute(params![case.0, from.0, user.0, ms(now)])?;
    }
    Ok(granted)
}

fn name_of(c: &Connection, user: UserId) -> Result<String, StoreError> {
    Ok(c.prepare_cached("select name from users where id = ?1")?
        .query_row([user.0], |row| row.get(0))?)
}

const NEEDS_NOBODY: &str = "Ärendet väntar inte på någon, så det behöver inte tas.";

impl Store {
    /// Writes down that a case was opened and, for somebody who may decide on it (`asking`), takes it as far
    /// as it is free. What they had opened before is let go. Somebody else's claim is no fault here.
    pub async fn open_case(
        &self,
        case: CaseId,
        asking: Option<Asking>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<Opened, StoreError> {
        self.write(move |tx| {
            let known = the_case(tx, case)?;
            audit::append(tx, &line, now)?;
            let Some(asking) = asking else { return Ok(Opened::default()) };
            let let_go = leave(tx, asking.user, Some(case))?;
            let granted = match is_taken_by_looking(&known.state) {
                true => match ask(tx, &asking, now) {
                    Ok(granted) => Some(granted),
                    Err(StoreError::Conflict { .. }) => None,
                    Err(error) => return Err(error),
                },
                false => None,
            };
            Ok(Opened { granted, let_go })
        })
        .await
    }

    /// Renews a claim for somebody who is active, or takes the case anew where nobody has it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] while somebody else holds it; [`StoreError::Refused`] where it needs nobody.
    pub async fn renew_claim(&self, asking: Asking, now: Timestamp) -> Result<Granted, StoreError> {
        self.write(move |tx| {
            let known = the_case(tx, asking.case)?;
            let own = known.claim.is_some_and(|(claim, _)| claim.by == asking.user);
            if !own && !is_taken_by_looking(&known.state) {
                return Err(StoreError::Refused { why: NEEDS_NOBODY.into() });
            }
            ask(tx, &asking, now)
        })
        .await
    }

    /// Takes a case on purpose, or over from somebody else, which stands in its history and in the audit log.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] while somebody else holds it and the wish is not to take it over.
    pub async fn claim_case(
        &self,
        asking: Asking,
        mut line: AuditLine,
        now: Timestamp,
    ) -> Result<Granted, StoreError> {
        self.write(move |tx| {
            let granted = ask(tx, &asking, now)?;
            let by = Some((asking.user, line.user_name.as_str()));
            match granted {
                Granted::Renewed => return Ok(granted),
                Granted::Taken => note_event(tx, asking.case, by, "Tog ärendet", None, now)?,
                Granted::TakenFrom(from) => {
                    let from = name_of(tx, from)?;
                    let what = format!("Tog över ärendet från {from}");
                    note_event(tx, asking.case, by, &what, None, now)?;
                    line.detail = Some(format!("från {from}"));
                }
            }
            audit::append(tx, &line, now)?;
            Ok(granted)
        })
        .await
    }

    /// Lets a case go on purpose. False where the person did not hold it.
    pub async fn release_case(
        &self,
        case: CaseId,
        by: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let held = the_case(tx, case)?.claim.is_some_and(|(claim, _)| claim.by == by);
            if held {
                clear_claim(tx, case)?;
                note_event(tx, case, Some((by, &line.user_name)), "Släppte ärendet", None, now)?;
                audit::append(tx, &line, now)?;
            }
            Ok(held)
        })
        .await
    }

    /// Lets go of what a person had only opened: they have gone back to the list, or closed the page.
    /// Returns the cases.
    pub async fn leave_cases(&self, user: UserId) -> Result<Vec<CaseId>, StoreError> {
        let any = self
            .read(move |c| {
                Ok(c.prepare_cached(
                    "select 1 from cases where claimed_by = ?1 and claim_kept = 0",
                )?
                .exists([user.0])?)
            })
            .await?;
        if !any {
            return Ok(Vec::new());
        }
        self.write(move |tx| leave(tx, user, None)).await
    }

    /// Lets go of one case where the person had only opened it. False where there was nothing to let go.
    pub async fn leave_case(&self, case: CaseId, user: UserId) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let claim = the_case(tx, case)?.claim.map(|(claim, _)| claim);
            let leaves = claim.is_some_and(|claim| claim.ends_by_leaving(user));
            if leaves {
                clear_claim(tx, case)?;
            }
            Ok(leaves)
        })
        .await
    }

    /// Lets go of every case whose lease has run out, so that open pages hear of it. Returns the cases.
    pub async fn end_claims(&self, now: Timestamp) -> Result<Vec<CaseId>, StoreError> {
        let over = "select id from cases where claimed_by is not null and claimed_until <= ?1";
        let ended = move |c: &Connection| {
            rows(&mut c.prepare_cached(over)?, [ms(now)], |row| Ok(CaseId(row.get(0)?)))
        };
        if self.read(ended).await?.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |tx| {
            let ended = ended(tx)?;
            for case in &ended {
                clear_claim(tx, *case)?;
            }
            Ok(ended)
        })
        .await
    }

    /// Cases taken over from a person who has not been told yet, oldest first.
    pub async fn untold_handovers(&self, user: UserId) -> Result<Vec<Handover>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select h.id, h.case_id, u.name, h.at from handovers h join users u on u.id = h.to_user
                     where h.from_user = ?1 and h.told_at is null order by h.id",
                )?,
                [user.0],
                |row| {
                    Ok(Handover {
                        id: row.get(0)?,
                        case: CaseId(row.get(1)?),
                        by: row.get(2)?,
                        at: at(row.get(3)?)?,
                    })
                },
            )
        })
        .await
    }

    /// Notes that a person has been told of the cases taken over from them, up to and with `last`.
    pub async fn handovers_told(
        &self,
        user: UserId,
        last: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update handovers set told_at = ?3 where from_user = ?1 and id <= ?2 and told_at is null",
            )?
            .execute(params![user.0, last, ms(now)])?;
            Ok(())
        })
        .await
    }
}
