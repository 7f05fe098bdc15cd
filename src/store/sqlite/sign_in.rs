//! Second factors, recovery codes, sessions that are told apart, and users whom somebody else vouches for.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::audit;
use super::cards::note_history;
use super::users::{NewUser, USER, put_out, user_row, way_of};
use super::value::{at, hash, maybe_at, maybe_row, ms, rows};
use crate::domain::ids::{AccountId, CaseId, ContentHash, UserId};
use crate::domain::notice::Part;
use crate::domain::person::Role;
use crate::domain::sign_in::wait_after;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, FactorRow, OpenSessionRow, UserRow};

/// Which of somebody's sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// One.
    One(ContentHash),
    /// All but one.
    AllBut(ContentHash),
    /// All.
    All,
}

/// What groups make of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Their role.
    pub role: Role,
    /// Their name.
    pub name: String,
    /// Their part in each account that groups say anything of; none for those that they have none in.
    pub parts: Vec<(AccountId, Option<Part>)>,
}

fn session_row(row: &Row<'_>) -> Result<OpenSessionRow, StoreError> {
    let token: Vec<u8> = row.get(0)?;
    Ok(OpenSessionRow {
        token: hash("sessions", &token)?,
        user: UserId(row.get(1)?),
        opened_at: at(row.get(2)?)?,
        seen_at: at(row.get(3)?)?,
        expires_at: at(row.get(4)?)?,
        address: row.get(5)?,
        way: way_of(row.get(6)?)?,
    })
}

fn put_codes(tx: &Transaction<'_>, user: UserId, codes: &[ContentHash]) -> Result<(), StoreError> {
    tx.execute("delete from recovery_codes where user_id = ?1", [user.0])?;
    for code in codes {
        tx.execute(
            "insert into recovery_codes (user_id, code_hash) values (?1, ?2)",
            params![user.0, code.bytes()],
        )?;
    }
    Ok(())
}

/// Gives the parts that groups say; those that stand so already are left as they are.
fn put_parts(
    tx: &Transaction<'_>,
    (user, name): (UserId, &str),
    parts: &[(AccountId, Option<Part>)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (account, part) in parts {
        let had: Option<String> = tx
            .query_row(
                "select part from account_people where account_id = ?1 and user_id = ?2",
                params![account.0, user.0],
                |row| row.get(0),
            )
            .optional()?;
        let had = had.as_deref().and_then(Part::from_id);
        // Who answers for an account was named by a person, and stays so until one says otherwise.
        if had == *part || had == Some(Part::Owner) {
            continue;
        }
        let what = match part {
            Some(part) => {
                tx.execute(
                    "insert into account_people (account_id, user_id, part, since) values (?1, ?2, ?3, ?4)
                     on conflict (account_id, user_id) do update set part = excluded.part,
                       since = excluded.since",
                    params![account.0, user.0, part.id(), ms(now)],
                )?;
                format!("{name} är {} genom sin grupp.", part.label())
            }
            None => {
                tx.execute(
                    "delete from account_people where account_id = ?1 and user_id = ?2",
                    params![account.0, user.0],
                )?;
                super::account_safety::note_left(tx, *account, "Uppsikt", now)?;
                format!("{name} har inte längre hand om kontot: gruppen är en annan.")
            }
        };
        note_history(tx, *account, "Uppsikt", &what, now)?;
    }
    Ok(())
}

impl Store {
    /// A user by number, with the password's hash.
    pub async fn user_by_id(&self, user: UserId) -> Result<Option<(UserRow, String)>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(&format!(
                    "select {USER}, u.password_hash from users u where u.id = ?1"
                ))?,
                [user.0],
                |row| Ok((user_row(row)?, row.get(6)?)),
            )
        })
        .await
    }

    /// A user's second factor.
    pub async fn factor(&self, user: UserId) -> Result<Option<FactorRow>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(
                    "select sealed, since, last_step, wrong_until,
                       (select count(*) from recovery_codes r
                        where r.user_id = f.user_id and r.used_at is null)
                     from second_factors f where f.user_id = ?1",
                )?,
                [user.0],
                |row| {
                    Ok(FactorRow {
                        sealed: row.get(0)?,
                        since: at(row.get(1)?)?,
                        last_step: row.get(2)?,
                        wrong_until: maybe_at(row.get(3)?)?,
                        codes_left: row.get(4)?,
                    })
                },
            )
        })
        .await
    }

    /// Cases that somebody has taken.
    pub async fn held_by(&self, user: UserId) -> Result<Vec<CaseId>, StoreError> {
        self.read(move |c| {
            let sql = "select id from cases where claimed_by = ?1";
            rows(&mut c.prepare_cached(sql)?, [user.0], |row| Ok(CaseId(row.get(0)?)))
        })
        .await
    }

    /// Users with a second factor.
    pub async fn with_factor(&self) -> Result<Vec<UserId>, StoreError> {
        self.read(|c| {
            rows(&mut c.prepare_cached("select user_id from second_factors")?, [], |row| {
                Ok(UserId(row.get(0)?))
            })
        })
        .await
    }

    /// Users whom somebody else vouches for.
    pub async fn vouched_for(&self) -> Result<Vec<UserId>, StoreError> {
        self.read(|c| {
            rows(&mut c.prepare_cached("select user_id from outside_users")?, [], |row| {
                Ok(UserId(row.get(0)?))
            })
        })
        .await
    }

    /// Takes the code of a time step. Says whether it was good: one that was taken before is not, nor is any while
    /// the user has to wait.
    pub async fn spend_step(
        &self,
        user: UserId,
        step: u64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let spent = tx.execute(
                "update second_factors set last_step = ?2, wrong = 0, wrong_until = null
                 where user_id = ?1 and last_step < ?2 and coalesce(wrong_until, 0) <= ?3",
                params![user.0, step, ms(now)],
            )?;
            Ok(spent > 0)
        })
        .await
    }

    /// Takes a recovery code. Says whether it was good.
    pub async fn spend_recovery(
        &self,
        user: UserId,
        code: ContentHash,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let spent = tx.execute(
                "update recovery_codes set used_at = ?3
                 where user_id = ?1 and code_hash = ?2 and used_at is null
                   and exists (select 1 from second_factors f
                     where f.user_id = ?1 and coalesce(f.wrong_until, 0) <= ?3)",
                params![user.0, code.bytes(), ms(now)],
            )?;
            if spent > 0 {
                tx.execute(
                    "update second_factors set wrong = 0, wrong_until = null where user_id = ?1",
                    [user.0],
                )?;
                audit::append(tx, &line, now)?;
            }
            Ok(spent > 0)
        })
        .await
    }

    /// Notes a wrong code, and until when no further one is tried.
    pub async fn note_wrong_code(
        &self,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.write(move |tx| {
            let wrong: Option<u64> = tx
                .query_row(
                    "update second_factors set wrong = wrong + 1 where user_id = ?1 returning wrong",
                    [user.0],
                    |row| row.get(0),
                )
                .optional()?;
            let until = wrong.and_then(wait_after).and_then(|wait| now.checked_add(wait).ok());
            if let Some(until) = until {
                tx.execute(
                    "update second_factors set wrong_until = ?2 where user_id = ?1",
                    params![user.0, ms(until)],
                )?;
            }
            audit::append(tx, &line, now)?;
            Ok(until)
        })
        .await
    }

    /// Gives a user a second factor in place of any they had, with codes for when it is gone. Every session of
    /// theirs ends: those were opened without it.
    pub async fn set_factor(
        &self,
        user: UserId,
        (sealed, step): (String, u64),
        codes: Vec<ContentHash>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            // Somebody else may have set one up since this one was asked for: theirs stands.
            let is_there = tx
                .prepare_cached("select 1 from second_factors where user_id = ?1")?
                .exists([user.0])?;
            if is_there {
                let why = "Tvåstegsinloggning är redan påslagen för kontot. Logga in igen.".into();
                return Err(StoreError::Refused { why });
            }
            tx.execute("delete from recovery_codes where user_id = ?1", [user.0])?;
            tx.execute(
                "insert into second_factors (user_id, sealed, since, last_step) values (?1, ?2, ?3, ?4)",
                params![user.0, sealed, ms(now), step],
            )?;
            put_codes(tx, user, &codes)?;
            tx.execute("delete from sessions where user_id = ?1", [user.0])?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// New recovery codes in place of the old ones.
    pub async fn set_recovery(
        &self,
        user: UserId,
        codes: Vec<ContentHash>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            put_codes(tx, user, &codes)?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Takes a second factor away. Every session of theirs ends.
    pub async fn remove_factor(
        &self,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            tx.execute("delete from recovery_codes where user_id = ?1", [user.0])?;
            let gone = tx.execute("delete from second_factors where user_id = ?1", [user.0])?;
            tx.execute("delete from sessions where user_id = ?1", [user.0])?;
            audit::append(tx, &line, now)?;
            Ok(gone > 0)
        })
        .await
    }

    /// Open sessions, of one user or of all, the last used first.
    pub async fn open_sessions(
        &self,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<Vec<OpenSessionRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select s.token_hash, s.user_id, s.opened_at, s.seen_at, s.expires_at, s.address, s.way
                     from sessions s join users u on u.id = s.user_id and u.active = 1
                     where s.expires_at > ?1 and (?2 is null or s.user_id = ?2)
                     order by s.seen_at desc, s.opened_at desc, s.token_hash",
                )?,
                params![ms(now), user.map(|user| user.0)],
                session_row,
            )
        })
        .await
    }

    /// Ends sessions of one user. Says how many there were; the line is written where there was any.
    pub async fn end_sessions(
        &self,
        user: UserId,
        ending: Ending,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(move |tx| {
            let ended = match ending {
                Ending::One(token) => tx.execute(
                    "delete from sessions where user_id = ?1 and token_hash = ?2",
                    params![user.0, token.bytes()],
                )?,
                Ending::AllBut(token) => tx.execute(
                    "delete from sessions where user_id = ?1 and token_hash <> ?2",
                    params![user.0, token.bytes()],
                )?,
                Ending::All => tx.execute("delete from sessions where user_id = ?1", [user.0])?,
            };
            if ended > 0 {
                audit::append(tx, &line, now)?;
            }
            Ok(ended)
        })
        .await
    }

    /// The user whom `issuer` knows as `subject`.
    pub async fn outside_user(
        &self,
        issuer: String,
        subject: String,
    ) -> Result<Option<(UserRow, String)>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(&format!(
                    "select {USER}, u.password_hash from users u
                     join outside_users o on o.user_id = u.id
                     where o.issuer = ?1 and o.subject = ?2"
                ))?,
                params![issuer, subject],
                |row| Ok((user_row(row)?, row.get(6)?)),
            )
        })
        .await
    }

    /// Adds a user whom `issuer` vouches for.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the login name is taken.
    pub async fn join_user(
        &self,
        user: NewUser,
        (issuer, subject): (String, String),
        line: AuditLine,
        now: Timestamp,
    ) -> Result<UserId, StoreError> {
        self.write(move |tx| {
            let added = tx.execute(
                "insert into users (login, name, title, role, password_hash, added_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (login) do nothing",
                params![
                    user.login,
                    user.name,
                    user.title,
                    user.role.id(),
                    user.password_hash,
                    ms(now)
                ],
            )?;
            if added == 0 {
                return Err(StoreError::Conflict { what: "login name" });
            }
            let id = UserId(tx.last_insert_rowid());
            tx.execute(
                "insert into outside_users (user_id, issuer, subject, since) values (?1, ?2, ?3, ?4)",
                params![id.0, issuer, subject, ms(now)],
            )?;
            audit::append(tx, &line, now)?;
            Ok(id)
        })
        .await
    }

    /// Makes of a user what their groups say. The line is written where their role changes.
    pub async fn follow_groups(
        &self,
        user: UserId,
        standing: Standing,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let changed = tx.execute(
                "update users set role = ?2 where id = ?1 and role <> ?2",
                params![user.0, standing.role.id()],
            )?;
            put_parts(tx, (user, &standing.name), &standing.parts, now)?;
            if changed > 0 {
                audit::append(tx, &line, now)?;
            }
            Ok(())
        })
        .await
    }

    /// Ends what a user had who is in none of our groups any more: sessions, taken cases, and their parts in accounts
    /// that groups say anything of.
    pub async fn turn_out(
        &self,
        user: UserId,
        name: String,
        accounts: Vec<AccountId>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            put_out(tx, user, now)?;
            let none: Vec<_> = accounts.into_iter().map(|account| (account, None)).collect();
            put_parts(tx, (user, &name), &none, now)?;
            audit::append(tx, &line, now)
        })
        .await
    }
}
