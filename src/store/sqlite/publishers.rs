//! Who published the authority's posts, and who is responsible for what is written under them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::params;

use super::audit;
use super::cards::note_history;
use super::value::{json, maybe_at, ms, rows};
use crate::domain::ids::{AccountId, CaseId, UserId};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// Who is responsible for a case by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responsible {
    /// Who: the substitute, where whoever it would be is away.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// For whom they step in.
    pub stands_in_for: Option<String>,
    /// Whether it is because they published the post, and not because they answer for the account.
    pub published: bool,
}

/// A user of the platform that has published there, and whom it is known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// As the platform names them.
    pub platform_user: String,
    /// When they last published something that we know of.
    pub last: Option<Timestamp>,
    /// The title of that, or how it begins.
    pub what: Option<String>,
    /// Who that is: login and name.
    pub user: Option<(String, String)>,
}

const AWAY: &str = "exists (select 1 from absences b
    where b.user_id = {} and b.first <= ?2 and b.last >= ?2)";

impl Store {
    /// Who is responsible for each of these cases on a day: whoever published the post that it stands under,
    /// where that is known, and else whoever answers for the account. Whoever is away gives way to the first
    /// substitute who is not.
    pub async fn responsible(
        &self,
        cases: Vec<CaseId>,
        day: Date,
    ) -> Result<BTreeMap<CaseId, Responsible>, StoreError> {
        self.read(move |c| {
            let numbers = json(&cases.iter().map(|case| case.0).collect::<Vec<_>>())?;
            let (away, spare) = (AWAY.replace("{}", "u.id"), AWAY.replace("{}", "p.user_id"));
            let sql = format!(
                "select k.id, u.id, u.name, m.id is not null,
                        case when {away} then (
                          select p.user_id from account_people p
                          join users x on x.id = p.user_id and x.active = 1
                          where p.account_id = i.account_id and p.part = 'substitute' and not {spare}
                          order by x.login limit 1) end
                 from json_each(?1) w
                 cross join cases k on k.id = w.value
                 cross join items i on i.id = k.item_id
                 left join posts t on t.account_id = i.account_id and t.platform_id = i.post_id
                 left join publishers q
                   on q.account_id = i.account_id and q.platform_user = t.published_by
                 left join users m on m.id = q.user_id and m.active = 1
                 left join account_people o on o.account_id = i.account_id and o.part = 'owner'
                 left join users h on h.id = o.user_id and h.active = 1
                 join users u on u.id = coalesce(m.id, h.id)"
            );
            let found = rows(&mut c.prepare_cached(&sql)?, params![numbers, day.to_string()], |row| {
                let one = Responsible {
                    user: UserId(row.get(1)?),
                    name: row.get(2)?,
                    stands_in_for: None,
                    published: row.get(3)?,
                };
                Ok((CaseId(row.get(0)?), one, row.get::<_, Option<i64>>(4)?))
            })?;
            let mut all = BTreeMap::new();
            for (case, mut one, spare) in found {
                if let Some(spare) = spare {
                    let name = c
                        .prepare_cached("select name from users where id = ?1")?
                        .query_row([spare], |row| row.get(0))?;
                    one = Responsible {
                        user: UserId(spare),
                        stands_in_for: Some(std::mem::replace(&mut one.name, name)),
                        ..one
                    };
                }
                all.insert(case, one);
            }
            Ok(all)
        })
        .await
    }

    /// Whoever has published on an account as far as it is known, and whom they are known to be.
    pub async fn publishers(&self, account: AccountId) -> Result<Vec<Publisher>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select n.who, max(t.created_at), coalesce(t.title, substr(t.text, 1, 60)),
                            u.login, u.name
                     from (select published_by who from posts
                             where account_id = ?1 and published_by is not null
                           union select platform_user from publishers where account_id = ?1) n
                     left join posts t on t.account_id = ?1 and t.published_by = n.who
                     left join publishers q on q.account_id = ?1 and q.platform_user = n.who
                     left join users u on u.id = q.user_id
                     group by n.who order by n.who limit 200",
                )?,
                [account.0],
                |row| {
                    let login: Option<String> = row.get(3)?;
                    let name: Option<String> = row.get(4)?;
                    Ok(Publisher {
                        platform_user: row.get(0)?,
                        last: maybe_at(row.get(1)?)?,
                        what: row.get(2)?,
                        user: login.zip(name),
                    })
                },
            )
        })
        .await
    }

    /// Notes whom a user of the platform is, or that nobody knows.
    pub async fn set_publisher(
        &self,
        account: AccountId,
        platform_user: String,
        user: Option<UserId>,
        by: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let what = match user {
                Some(user) => {
                    tx.execute(
                        "insert into publishers (account_id, platform_user, user_id, set_at, set_by)
                         values (?1, ?2, ?3, ?4, ?5)
                         on conflict (account_id, platform_user) do update set
                           user_id = excluded.user_id, set_at = excluded.set_at, set_by = excluded.set_by",
                        params![account.0, platform_user, user.0, ms(now), by.0],
                    )?;
                    let name: String = tx.query_row(
                        "select name from users where id = ?1",
                        [user.0],
                        |row| row.get(0),
                    )?;
                    format!("{name} är den som publicerar som {platform_user}.")
                }
                None => {
                    tx.execute(
                        "delete from publishers where account_id = ?1 and platform_user = ?2",
                        params![account.0, platform_user],
                    )?;
                    format!("Ingen är kopplad till den som publicerar som {platform_user}.")
                }
            };
            note_history(tx, account, &line.user_name, &what, now)?;
            audit::append(tx, &line, now)
        })
        .await
    }
}
