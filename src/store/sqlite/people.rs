//! Who answers for an account, how they are reached, and when they are away.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Row, params};

use super::account_safety::note_left;
use super::audit;
use super::cards::note_history;
use super::users::{USER, user_row};
use super::value::{ms, rows};
use crate::domain::ids::{AccountId, UserId};
use crate::domain::notice::Part;
use crate::domain::person::Role;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, UserRow};

/// Somebody who may be told.
#[derive(Clone, Debug)]
pub struct Reachable {
    /// Who.
    pub user: UserRow,
    /// Their part in the account; none for those who are asked for by role.
    pub part: Option<Part>,
    /// Where they are written to.
    pub mail: Option<String>,
    /// Whether they are away on the day asked for.
    pub away: bool,
}

/// Days on which somebody is away, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Its row.
    pub id: i64,
    /// Who.
    pub user: UserId,
    /// Login name.
    pub login: String,
    /// Name.
    pub name: String,
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

/// Reads [`USER`], then address, whether away, part.
fn reachable(row: &Row<'_>) -> Result<Reachable, StoreError> {
    let part: Option<String> = row.get(8)?;
    Ok(Reachable {
        user: user_row(row)?,
        mail: row.get(6)?,
        away: row.get(7)?,
        part: part
            .map(|id| {
                Part::from_id(&id)
                    .ok_or_else(|| StoreError::row("account_people", format!("part `{id}`")))
            })
            .transpose()?,
    })
}

const AWAY: &str = "exists (select 1 from absences b
    where b.user_id = u.id and b.first <= ?1 and b.last >= ?1)";

impl Store {
    /// Who answers for an account, works with it and steps in: the owner first. Those who may not log in
    /// any more are left out.
    pub async fn people_of(
        &self,
        account: AccountId,
        day: Date,
    ) -> Result<Vec<Reachable>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {USER}, c.mail, {AWAY}, p.part
                     from account_people p join users u on u.id = p.user_id
                     left join contacts c on c.user_id = u.id
                     where p.account_id = ?2 and u.active = 1
                     order by case p.part when 'owner' then 0 when 'editor' then 1 else 2 end, u.login"
                ))?,
                params![day.to_string(), account.0],
                reachable,
            )
        })
        .await
    }

    /// Everybody with a role, who may log in.
    pub async fn people_with_role(
        &self,
        role: Role,
        day: Date,
    ) -> Result<Vec<Reachable>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {USER}, c.mail, {AWAY}, null
                     from users u left join contacts c on c.user_id = u.id
                     where u.role = ?2 and u.active = 1 order by u.login"
                ))?,
                params![day.to_string(), role.id()],
                reachable,
            )
        })
        .await
    }

    /// Who has each account, and the days of each one's absences that had not ended by `from`.
    pub async fn cover(
        &self,
        from: Date,
    ) -> Result<BTreeMap<AccountId, Vec<Vec<(Date, Date)>>>, StoreError> {
        self.read(move |c| {
            let found = rows(
                &mut c.prepare_cached(
                    "select p.account_id, p.user_id, b.first, b.last
                     from account_people p join users u on u.id = p.user_id and u.active = 1
                     left join absences b on b.user_id = p.user_id and b.last >= ?1",
                )?,
                [from.to_string()],
                |row| {
                    let day = |text: Option<String>| -> Result<Option<Date>, StoreError> {
                        text.map(|t| t.parse().map_err(|_| StoreError::row("absences", t)))
                            .transpose()
                    };
                    let days = day(row.get(2)?)?.zip(day(row.get(3)?)?);
                    Ok((AccountId(row.get(0)?), UserId(row.get(1)?), days))
                },
            )?;
            let mut people: BTreeMap<(AccountId, UserId), Vec<(Date, Date)>> = BTreeMap::new();
            for (account, user, days) in found {
                people.entry((account, user)).or_default().extend(days);
            }
            let mut cover: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for ((account, _), days) in people {
                cover.entry(account).or_default().push(days);
            }
            Ok(cover)
        })
        .await
    }

    /// Sets where a user is written to, or that they are not. Whoever gets an address is told of what is
    /// grave and still waits.
    pub async fn set_contact(
        &self,
        user: UserId,
        mail: Option<String>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            match mail {
                Some(mail) => tx.execute(
                    "insert into contacts (user_id, mail, changed_at) values (?1, ?2, ?3)
                     on conflict (user_id) do update set mail = excluded.mail,
                       changed_at = excluded.changed_at",
                    params![user.0, mail, ms(now)],
                )?,
                None => tx.execute("delete from contacts where user_id = ?1", [user.0])?,
            };
            // Looked at anew; whoever was told of it is not told again.
            tx.execute(
                "insert into notice_due (case_id, since)
                 select id, ?1 from cases
                 where state in ('waiting', 'returned', 'held') and (rank = 0 or severity = 3)
                 on conflict (case_id) do update set n = n + 1",
                [ms(now)],
            )?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Gives somebody a part in an account, or none. A new owner takes the place of the old one, who goes on
    /// as an editor.
    pub async fn set_part(
        &self,
        account: AccountId,
        user: UserId,
        part: Option<Part>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            if part == Some(Part::Owner) {
                tx.execute(
                    "update account_people set part = 'editor', since = ?3
                     where account_id = ?1 and part = 'owner' and user_id <> ?2",
                    params![account.0, user.0, ms(now)],
                )?;
            }
            match part {
                Some(part) => tx.execute(
                    "insert into account_people (account_id, user_id, part, since)
                     values (?1, ?2, ?3, ?4)
                     on conflict (account_id, user_id) do update set part = excluded.part,
                       since = excluded.since",
                    params![account.0, user.0, part.id(), ms(now)],
                )?,
                None => tx.execute(
                    "delete from account_people where account_id = ?1 and user_id = ?2",
                    params![account.0, user.0],
                )?,
            };
            if part.is_none() {
                note_left(tx, account, &line.user_name, now)?;
            }
            let name: String =
                tx.query_row("select name from users where id = ?1", [user.0], |row| row.get(0))?;
            let what = match part {
                Some(part) => format!("{name} är {}.", part.label()),
                None => format!("{name} har inte längre hand om kontot."),
            };
            note_history(tx, account, &line.user_name, &what, now)?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Notes that somebody is away from one day to another, both included.
    pub async fn add_absence(
        &self,
        user: UserId,
        (first, last): (Date, Date),
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "insert into absences (user_id, first, last, set_at) values (?1, ?2, ?3, ?4)
                 on conflict do nothing",
                params![user.0, first.to_string(), last.to_string(), ms(now)],
            )?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Who is away from a day on, by name and first day.
    pub async fn absences_from(&self, day: Date) -> Result<Vec<Absence>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select a.id, a.user_id, u.login, u.name, a.first, a.last
                     from absences a join users u on u.id = a.user_id
                     where a.last >= ?1 and u.active = 1 order by u.name, a.first",
                )?,
                [day.to_string()],
                |row| {
                    let date = |column: usize| -> Result<Date, StoreError> {
                        let text: String = row.get(column)?;
                        text.parse().map_err(|_| StoreError::row("absences", text))
                    };
                    Ok(Absence {
                        id: row.get(0)?,
                        user: UserId(row.get(1)?),
                        login: row.get(2)?,
                        name: row.get(3)?,
                        first: date(4)?,
                        last: date(5)?,
                    })
                },
            )
        })
        .await
    }

    /// Takes one absence back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is gone already.
    pub async fn end_absence(
        &self,
        absence: i64,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            if tx.execute("delete from absences where id = ?1", [absence])? == 0 {
                return Err(StoreError::NotFound { what: "absence" });
            }
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Takes all absences back that have not ended before `today`.
    pub async fn clear_absences(
        &self,
        user: UserId,
        today: Date,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "delete from absences where user_id = ?1 and last >= ?2",
                params![user.0, today.to_string()],
            )?;
            audit::append(tx, &line, now)
        })
        .await
    }
}
