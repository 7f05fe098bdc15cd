//! Users and their sessions, and the facts of this installation.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};

use super::audit;
use super::cases::{note_event, touch};
use super::claims::clear_claim;
use super::value::{at, maybe_at, maybe_row, ms, rows};
use crate::domain::ids::{CaseId, ContentHash, UserId};
use crate::domain::person::Role;
use crate::domain::sign_in::Way;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, SessionRow, UserRow};

pub(super) const USER: &str = "u.id, u.login, u.name, u.title, u.role, u.active";

pub(super) fn user_row(row: &Row<'_>) -> Result<UserRow, StoreError> {
    user_row_at(row, 0)
}

/// The same where these columns stand behind others.
pub(super) fn user_row_at(row: &Row<'_>, first: usize) -> Result<UserRow, StoreError> {
    let role: String = row.get(first + 4)?;
    Ok(UserRow {
        id: UserId(row.get(first)?),
        login: row.get(first + 1)?,
        name: row.get(first + 2)?,
        title: row.get(first + 3)?,
        role: Role::from_id(&role)
            .ok_or_else(|| StoreError::row("users", format!("role `{role}`")))?,
        active: row.get(first + 5)?,
    })
}

pub(super) fn way_of(id: String) -> Result<Way, StoreError> {
    Way::from_id(&id).ok_or_else(|| StoreError::row("sessions", format!("way `{id}`")))
}

/// A user to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Login name.
    pub login: String,
    /// Name.
    pub name: String,
    /// Title, for signatures.
    pub title: String,
    /// Role.
    pub role: Role,
    /// Argon2id hash in PHC form.
    pub password_hash: String,
}

/// Ends all sessions of a user and lets go of the cases they had taken.
pub(super) fn put_out(
    tx: &Transaction<'_>,
    user: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute("delete from sessions where user_id = ?1", [user.0])?;
    // Whoever is let in again gets new keys: none from before wakes.
    tx.execute(
        "update api_keys set revoked_at = ?2, revoked_by = 'Uppsikt, när användaren stängdes ute'
         where user_id = ?1 and revoked_at is null",
        params![user.0, ms(now)],
    )?;
    let held = rows(
        &mut tx.prepare_cached("select id, claimed_until from cases where claimed_by = ?1")?,
        [user.0],
        |row| Ok((CaseId(row.get(0)?), maybe_at(row.get(1)?)?)),
    )?;
    for (case, until) in held {
        clear_claim(tx, case)?;
        touch(tx, case, now)?;
        // A claim that had run out by itself is no news.
        if until.is_some_and(|until| until > now) {
            let why = "Den som hade tagit ärendet har loggats ut av den som sköter Uppsikt";
            note_event(tx, case, None, "Ärendet släpptes", Some(why), now)?;
        }
    }
    Ok(())
}

impl Store {
    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the login name is taken.
    pub async fn add_user(
        &self,
        user: NewUser,
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
            audit::append(tx, &line, now)?;
            Ok(id)
        })
        .await
    }

    /// Every user, by login name.
    pub async fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(&format!("select {USER} from users u order by u.login"))?,
                [],
                user_row,
            )
        })
        .await
    }

    /// The user with this login name, with the password's hash.
    pub async fn user_by_login(
        &self,
        login: String,
    ) -> Result<Option<(UserRow, String)>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(&format!(
                    "select {USER}, u.password_hash from users u where u.login = ?1"
                ))?,
                [login],
                |row| Ok((user_row(row)?, row.get(6)?)),
            )
        })
        .await
    }

    /// Sets a new password, ends the user's sessions and lets go of what they had taken.
    pub async fn set_password(
        &self,
        user: UserId,
        password_hash: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "update users set password_hash = ?2 where id = ?1",
                params![user.0, password_hash],
            )?;
            put_out(tx, user, now)?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Shuts a user out or lets them in again. Who is shut out has no session and no case any more.
    pub async fn set_active(
        &self,
        user: UserId,
        active: bool,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            // Where a person does it, in this very step: two who shut each other out at once would leave none.
            let leaves_none = !active
                && line.user.is_some()
                && tx.query_row(
                    "select role = ?2 and not exists (
                       select 1 from users o where o.id <> ?1 and o.active = 1 and o.role = ?2)
                     from users where id = ?1",
                    params![user.0, Role::Administrator.id()],
                    |row| row.get::<_, bool>(0),
                )?;
            if leaves_none {
                let why = "Det är den enda administratören. Lägg till en annan först.".to_owned();
                return Err(StoreError::Refused { why });
            }
            tx.execute("update users set active = ?2 where id = ?1", params![user.0, active])?;
            // Also when let in again: nothing from before may wake with them.
            put_out(tx, user, now)?;
            if !active {
                super::account_safety::note_left_all(tx, user, &line.user_name, now)?;
            }
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Opens a session, if the password that was held against `password_hash` is still the one that
    /// counts: checking it takes a while, and it may have been changed meanwhile. Only the hash of
    /// its token is kept. Says whether it was opened.
    pub async fn open_session(
        &self,
        token: ContentHash,
        (user, password_hash): (UserId, String),
        csrf: String,
        expires_at: Timestamp,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.open_session_by(
            Way::Password,
            token,
            (user, password_hash),
            csrf,
            expires_at,
            line,
            now,
        )
        .await
    }

    /// The same for any way. Who is vouched for by somebody else has no password that could change; the hash that
    /// stands in its place is held against all the same.
    #[expect(clippy::too_many_arguments, reason = "a session is made of so much")]
    pub async fn open_session_by(
        &self,
        way: Way,
        token: ContentHash,
        (user, password_hash): (UserId, String),
        csrf: String,
        expires_at: Timestamp,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let opened = tx.execute(
                "insert into sessions (token_hash, user_id, csrf, opened_at, seen_at, expires_at, address, way)
                 select ?1, u.id, ?3, ?4, ?4, ?5, ?6, ?8 from users u
                 where u.id = ?2 and u.active = 1 and u.password_hash = ?7",
                params![
                    token.bytes(),
                    user.0,
                    csrf,
                    ms(now),
                    ms(expires_at),
                    line.address,
                    password_hash,
                    way.id()
                ],
            )?;
            tx.execute("delete from sessions where expires_at <= ?1", [ms(now)])?;
            if opened > 0 {
                audit::append(tx, &line, now)?;
            }
            Ok(opened > 0)
        })
        .await
    }

    /// The open session of a token: alive, of an active user.
    pub async fn session(
        &self,
        token: ContentHash,
        now: Timestamp,
    ) -> Result<Option<SessionRow>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(&format!(
                    "select {USER}, s.csrf, s.seen_at, s.way,
                       exists (select 1 from second_factors f where f.user_id = u.id)
                     from sessions s join users u on u.id = s.user_id
                     where s.token_hash = ?1 and s.expires_at > ?2 and u.active = 1"
                ))?,
                params![token.bytes(), ms(now)],
                |row| {
                    Ok(SessionRow {
                        user: user_row(row)?,
                        csrf: row.get(6)?,
                        seen_at: at(row.get(7)?)?,
                        way: way_of(row.get(8)?)?,
                        has_factor: row.get(9)?,
                    })
                },
            )
        })
        .await
    }

    /// Notes that a session was used just now.
    pub async fn note_session(&self, token: ContentHash, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update sessions set seen_at = max(seen_at, ?2) where token_hash = ?1",
            )?
            .execute(params![token.bytes(), ms(now)])?;
            Ok(())
        })
        .await
    }

    /// Ends a session.
    pub async fn end_session(
        &self,
        token: ContentHash,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute("delete from sessions where token_hash = ?1", [token.bytes()])?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// A fact of this installation.
    pub async fn fact(&self, name: &'static str) -> Result<Option<String>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached("select value from facts where name = ?1")?,
                [name],
                |row| Ok(row.get(0)?),
            )
        })
        .await
    }

    /// Sets a fact that is not yet known; gives the one that stands.
    pub async fn settle_fact(
        &self,
        name: &'static str,
        value: String,
    ) -> Result<String, StoreError> {
        self.write(move |tx| {
            tx.execute(
                "insert into facts (name, value) values (?1, ?2) on conflict do nothing",
                params![name, value],
            )?;
            Ok(tx.query_row("select value from facts where name = ?1", [name], |row| row.get(0))?)
        })
        .await
    }
}
