//! What the database has seen of the time, and gaps in it that nobody has accounted for.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction, params};

use super::audit;
use super::value::{at, maybe_row, ms};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// So long a time without a sign is no matter: nights, restarts, a server that is moved.
const UNREMARKABLE: SignedDuration = SignedDuration::from_hours(24);
/// So much a clock may go back without a word: machines are set right now and then.
const SET_RIGHT: SignedDuration = SignedDuration::from_mins(5);

/// A gap in what was seen of the time, which nobody has accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// The last sign before it.
    pub from: Timestamp,
    /// The first one after it.
    pub to: Timestamp,
}

fn jump(row: &rusqlite::Row<'_>) -> Result<Jump, StoreError> {
    Ok(Jump { from: at(row.get(0)?)?, to: at(row.get(1)?)? })
}

fn standing(c: &Connection) -> Result<Option<Jump>, StoreError> {
    let sql = "select from_at, to_at from clock_jumps where settled_at is null";
    maybe_row(&mut c.prepare_cached(sql)?, [], jump)
}

fn last_sign(c: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "select at from clock_signs where id = 1";
    maybe_row(&mut c.prepare_cached(sql)?, [], |row| at(row.get(0)?))
}

fn settle(
    tx: &Transaction<'_>,
    how: &str,
    by: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "update clock_jumps set settled_at = ?1, how = ?2, by_name = ?3 where settled_at is null",
    )?
    .execute(params![ms(now), how, by])?;
    Ok(())
}

impl Store {
    /// Notes that the program runs at this moment. A gap before it of more than a day stands until it is accounted
    /// for: by a person, by a time stamp that an authority gave after it, or by the clock going back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_sign(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            let last = last_sign(tx)?;
            match standing(tx)? {
                Some(known) if known.to.duration_since(now) > SET_RIGHT => {
                    settle(tx, "back", None, now)?;
                }
                Some(known) => {
                    let stamped = tx
                        .prepare_cached(
                            "select 1 from stamps where state = 'kept' and stamped_at >= ?1",
                        )?
                        .exists([ms(known.to)])?;
                    if stamped {
                        settle(tx, "stamp", None, now)?;
                    }
                }
                None => {
                    if let Some(last) = last
                        && now.duration_since(last) > UNREMARKABLE
                    {
                        tx.prepare_cached(
                            "insert into clock_jumps (from_at, to_at) values (?1, ?2)",
                        )?
                        .execute(params![ms(last), ms(now)])?;
                    }
                }
            }
            tx.prepare_cached(
                "insert into clock_signs (id, at) values (1, ?1)
                 on conflict (id) do update set at = excluded.at",
            )?
            .execute([ms(now)])?;
            Ok(())
        })
        .await
    }

    /// The gap that stands at this moment, also one that no sign has told of yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clock_jump(&self, now: Timestamp) -> Result<Option<Jump>, StoreError> {
        self.read(move |c| {
            if let Some(known) = standing(c)? {
                return Ok(Some(known));
            }
            let last = last_sign(c)?.filter(|last| now.duration_since(*last) > UNREMARKABLE);
            Ok(last.map(|from| Jump { from, to: now }))
        })
        .await
    }

    /// A person says that the clock is right.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where nothing is in doubt.
    pub async fn confirm_clock(&self, line: AuditLine, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            if let Some(last) = last_sign(tx)?
                && standing(tx)?.is_none()
                && now.duration_since(last) > UNREMARKABLE
            {
                tx.execute(
                    "insert into clock_jumps (from_at, to_at) values (?1, ?2)",
                    params![ms(last), ms(now)],
                )?;
                tx.execute("update clock_signs set at = ?1", [ms(now)])?;
            }
            let Some(known) = standing(tx)? else {
                return Err(StoreError::Refused { why: "Klockan är inte ifrågasatt.".into() });
            };
            let line =
                AuditLine { detail: Some(format!("{} till {}", known.from, known.to)), ..line };
            audit::append(tx, &line, now)?;
            settle(tx, "person", Some(&line.user_name), now)
        })
        .await
    }
}
