//! Receivers of webhooks, and the messages to them: rows from the transaction of what they tell, tried until they
//! came through or a person has to look.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};

use super::audit;
use super::value::{at, maybe_at, maybe_row, ms, rows};
use crate::domain::hook::HookEvent;
use crate::domain::ids::{CaseId, HookId, HookMessageId};
use crate::runtime::secret::Secret;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// A receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRow {
    /// Its number.
    pub id: HookId,
    /// What it is called.
    pub name: String,
    /// Where.
    pub url: String,
    /// What it is told of.
    pub events: BTreeSet<HookEvent>,
    /// Which of its secrets is in force.
    pub turn: u32,
    /// Until when the one before signs as well.
    pub turned_until: Option<Timestamp>,
    /// When it was added, and by whom.
    pub made: (Timestamp, String),
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
    /// Messages that wait, and those that never came through.
    pub waiting: u64,
    /// See `waiting`.
    pub dead: u64,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookMessage {
    /// Its number.
    pub id: HookMessageId,
    /// To whom.
    pub hook: HookId,
    /// What tells it from all others.
    pub token: String,
    /// What has happened.
    pub event: HookEvent,
    /// In which case.
    pub case: CaseId,
    /// The decision, registration or record that it is about.
    pub about: Option<i64>,
    /// When it happened.
    pub at: Timestamp,
    /// As it was first sent.
    pub body: Option<String>,
    /// `waiting`, `sent`, `dead`, `dropped`.
    pub state: String,
    /// When it is tried next.
    pub due_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when in vain.
    pub tried_since: Option<Timestamp>,
    /// What the other side answered last.
    pub status: Option<u16>,
    /// What went wrong, in Swedish.
    pub problem: Option<String>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How a try failed.
#[derive(Clone, Debug)]
pub struct HookTrouble {
    /// What the other side answered.
    pub status: Option<u16>,
    /// What went wrong, in Swedish.
    pub problem: String,
    /// When to try again; nothing where it is given up.
    pub next: Option<Timestamp>,
}

const HOOK: &str =
    "h.id, h.name, h.url, h.events, h.turn, h.turned_until, h.made_at, h.made_by, h.ended_at,
    (select count(*) from hook_messages m where m.hook_id = h.id and m.state = 'waiting'),
    (select count(*) from hook_messages m where m.hook_id = h.id and m.state = 'dead')";

const MESSAGE: &str =
    "m.id, m.hook_id, m.token, m.event, m.case_id, m.ref_id, m.at, m.body, m.state, m.due_at,
    m.attempts, m.tried_since, m.status, m.problem, m.ended_at";

fn event(id: &str) -> Result<HookEvent, StoreError> {
    HookEvent::from_id(id).ok_or_else(|| StoreError::row("hooks", format!("event `{id}`")))
}

fn hook_row(row: &Row<'_>) -> Result<HookRow, StoreError> {
    let events: String = row.get(3)?;
    Ok(HookRow {
        id: HookId(row.get(0)?),
        name: row.get(1)?,
        url: row.get(2)?,
        events: events.split_whitespace().map(event).collect::<Result<_, _>>()?,
        turn: row.get(4)?,
        turned_until: maybe_at(row.get(5)?)?,
        made: (at(row.get(6)?)?, row.get(7)?),
        ended_at: maybe_at(row.get(8)?)?,
        waiting: row.get(9)?,
        dead: row.get(10)?,
    })
}

fn message_row(row: &Row<'_>) -> Result<HookMessage, StoreError> {
    Ok(HookMessage {
        id: HookMessageId(row.get(0)?),
        hook: HookId(row.get(1)?),
        token: row.get(2)?,
        event: event(&row.get::<_, String>(3)?)?,
        case: CaseId(row.get(4)?),
        about: row.get(5)?,
        at: at(row.get(6)?)?,
        body: row.get(7)?,
        state: row.get(8)?,
        due_at: maybe_at(row.get(9)?)?,
        attempts: row.get(10)?,
        tried_since: maybe_at(row.get(11)?)?,
        status: row.get(12)?,
        problem: row.get(13)?,
        ended_at: maybe_at(row.get(14)?)?,
    })
}

fn the_hook(tx: &Transaction<'_>, hook: HookId) -> Result<HookRow, StoreError> {
    let sql = format!("select {HOOK} from hooks h where h.id = ?1");
    maybe_row(&mut tx.prepare_cached(&sql)?, [hook.0], hook_row)?
        .ok_or(StoreError::NotFound { what: "hook" })
}

impl Store {
    /// The secret that messages to a receiver are signed with. It stands nowhere: it is made of the secret beside the
    /// database.
    pub fn hook_secret(&self, hook: HookId, turn: u32) -> Secret {
        use base64::Engine as _;
        let key = self.veil().derived(&format!("hook {hook} {turn}"));
        Secret::new(format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(key)))
    }

    /// Adds a receiver.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its name is taken.
    pub async fn add_hook(
        &self,
        (name, url): (String, String),
        events: BTreeSet<HookEvent>,
        by: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<HookId, StoreError> {
        self.write(move |tx| {
            let events: Vec<_> = events.iter().map(|event| event.id()).collect();
            let n = tx.execute(
                "insert into hooks (name, url, events, made_at, made_by) values (?1, ?2, ?3, ?4, ?5)
                 on conflict (name) do nothing",
                params![name, url, format!(" {} ", events.join(" ")), ms(now), by],
            )?;
            if n == 0 {
                return Err(StoreError::Conflict { what: "hook" });
            }
            let id = HookId(tx.last_insert_rowid());
            audit::append(tx, &line, now)?;
            Ok(id)
        })
        .await
    }

    /// Every receiver, those that are told first.
    pub async fn hooks(&self) -> Result<Vec<HookRow>, StoreError> {
        self.read(|c| {
            let sql = format!("select {HOOK} from hooks h order by h.ended_at is not null, h.id");
            rows(&mut c.prepare_cached(&sql)?, [], hook_row)
        })
        .await
    }

    /// A new secret for a receiver; the one before signs as well until then.
    pub async fn turn_hook(
        &self,
        hook: HookId,
        until: Timestamp,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        self.write(move |tx| {
            let row = the_hook(tx, hook)?;
            if row.ended_at.is_some() {
                return Err(StoreError::Refused { why: "Mottagaren är borttagen.".into() });
            }
            tx.execute(
                "update hooks set turn = turn + 1, turned_until = ?2 where id = ?1",
                params![hook.0, ms(until)],
            )?;
            audit::append(tx, &line, now)?;
            Ok(row.turn + 1)
        })
        .await
    }

    /// Ends a receiver: it is told nothing more, of what waits either.
    pub async fn end_hook(
        &self,
        hook: HookId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let n = tx.execute(
                "update hooks set ended_at = ?2 where id = ?1 and ended_at is null",
                params![hook.0, ms(now)],
            )?;
            if n == 0 {
                return Err(StoreError::NotFound { what: "hook" });
            }
            tx.execute(
                "update hook_messages set state = 'dropped', due_at = null, ended_at = ?2
                 where hook_id = ?1 and state = 'waiting'",
                params![hook.0, ms(now)],
            )?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Messages whose time has come, so many for each receiver, oldest first.
    pub async fn due_hook_messages(
        &self,
        now: Timestamp,
        most_each: u32,
    ) -> Result<Vec<(HookRow, Vec<HookMessage>)>, StoreError> {
        self.read(move |c| {
            let sql = format!(
                "select {HOOK} from hooks h where exists (
                   select 1 from hook_messages m where m.hook_id = h.id and m.state = 'waiting' and m.due_at <= ?1)"
            );
            let hooks = rows(&mut c.prepare_cached(&sql)?, [ms(now)], hook_row)?;
            let sql = format!(
                "select {MESSAGE} from hook_messages m
                 where m.hook_id = ?1 and m.state = 'waiting' and m.due_at <= ?2 order by m.due_at, m.id limit ?3"
            );
            hooks
                .into_iter()
                .map(|hook| {
                    let values = params![hook.id.0, ms(now), most_each];
                    let messages = rows(&mut c.prepare_cached(&sql)?, values, message_row)?;
                    Ok((hook, messages))
                })
                .collect()
        })
        .await
    }

    /// The newest messages, of one receiver or of all.
    pub async fn hook_messages(&self, most: u32) -> Result<Vec<HookMessage>, StoreError> {
        self.read(move |c| {
            let sql = format!("select {MESSAGE} from hook_messages m order by m.id desc limit ?1");
            rows(&mut c.prepare_cached(&sql)?, [most], message_row)
        })
        .await
    }

    /// Notes what a message says before it first leaves, so that each try says the same.
    pub async fn word_hook_message(
        &self,
        message: HookMessageId,
        body: String,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached("update hook_messages set body = ?2 where id = ?1 and body is null")?
                .execute(params![message.0, body])?;
            Ok(())
        })
        .await
    }

    /// It was taken. Those taken before `forgotten` go.
    pub async fn hook_message_sent(
        &self,
        message: HookMessageId,
        status: u16,
        forgotten: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update hook_messages set state = 'sent', due_at = null, problem = null, status = ?2,
                        ended_at = ?3, attempts = attempts + 1
                 where id = ?1 and state = 'waiting'",
            )?
            .execute(params![message.0, status, ms(now)])?;
            tx.prepare_cached(
                "delete from hook_messages where id in (
                   select id from hook_messages where state in ('sent', 'dropped') and ended_at < ?1
                   order by ended_at limit 20)",
            )?
            .execute([ms(forgotten)])?;
            Ok(())
        })
        .await
    }

    /// It was not taken: tried again, or given up. What is given up is a task, one for each receiver at a time.
    pub async fn hook_message_failed(
        &self,
        message: HookMessageId,
        trouble: HookTrouble,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let HookTrouble { status, problem, next } = trouble;
            let n = tx
                .prepare_cached(
                    "update hook_messages set attempts = attempts + 1, status = ?2, problem = ?3, due_at = ?4,
                            tried_since = coalesce(tried_since, ?5),
                            state = case when ?4 is null then 'dead' else 'waiting' end,
                            ended_at = case when ?4 is null then ?5 end
                     where id = ?1 and state = 'waiting'",
                )?
                .execute(params![message.0, status, problem, next.map(ms), ms(now)])?;
            if n == 0 || next.is_some() {
                return Ok(());
            }
            tx.prepare_cached(
                "insert into notices (key, kind, case_id, urgent, channel, recipient, who, subject, body, made_at,
                                      attempts, state, problem)
                 select 'webbhook ' || h.id || ' ' || m.id, 'hook', null, 0, 'webhook', '',
                        'den som sköter ' || h.name,
                        'Webbhooken till ' || h.name || ' tar inte emot',
                        'Meddelanden som inte kom fram står på sidan Webbhookar och kan skickas igen därifrån.',
                        ?2, m.attempts, 'undeliverable', ?3
                 from hook_messages m join hooks h on h.id = m.hook_id
                 where m.id = ?1 and not exists (
                   select 1 from notices n where n.kind = 'hook' and n.state = 'undeliverable'
                     and n.key like 'webbhook ' || h.id || ' %')",
            )?
            .execute(params![message.0, ms(now), problem])?;
            Ok(())
        })
        .await
    }

    /// A message that was given up is tried again from now on; those of a receiver that are, where none is named.
    pub async fn try_hook_again(
        &self,
        hook: HookId,
        only: Option<HookMessageId>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(move |tx| {
            if the_hook(tx, hook)?.ended_at.is_some() {
                return Err(StoreError::Refused { why: "Mottagaren är borttagen.".into() });
            }
            let n = tx.execute(
                "update hook_messages set state = 'waiting', due_at = ?3, attempts = 0, tried_since = null,
                        ended_at = null
                 where hook_id = ?1 and (state = 'dead' or (state = 'sent' and id = ?2)) and (?2 is null or id = ?2)",
                params![hook.0, only.map(|id| id.0), ms(now)],
            )?;
            if n > 0 {
                audit::append(tx, &line, now)?;
            }
            Ok(n as u64)
        })
        .await
    }

    /// Tells of open cases whose deadline comes before `until`, each deadline once.
    pub async fn tell_near_deadlines(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let asked = self
            .read(|c| {
                Ok(c.prepare_cached(
                    "select exists (select 1 from hooks where ended_at is null
                       and instr(events, ' case.deadline_near ') > 0)",
                )?
                .query_row([], |row| row.get::<_, bool>(0))?)
            })
            .await?;
        if !asked {
            return Ok(());
        }
        let near = self
            .read(move |c| {
                let sql = "select k.id, k.due_at from cases k indexed by cases_queue
                    where k.state in ('waiting', 'returned') and k.rank in (0, 1, 2, 3) and k.due_at between ?1 and ?2 and k.outside = 0
                      and not exists (select 1 from hook_deadlines d where d.case_id = k.id and d.due_at = k.due_at)
                    limit 200";
                rows(&mut c.prepare_cached(sql)?, params![ms(now), ms(until)], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
                })
            })
            .await?;
        if near.is_empty() {
            return Ok(());
        }
        self.write(move |tx| {
            for (case, due_at) in near {
                let n = tx
                    .prepare_cached(
                        "insert into hook_deadlines values (?1, ?2) on conflict do nothing",
                    )?
                    .execute([case, due_at])?;
                if n > 0 {
                    tx.prepare_cached(
                        "insert into hook_messages (hook_id, event, case_id, at, due_at)
                         select h.id, 'case.deadline_near', ?1, ?2, ?2 from hooks h
                         where h.ended_at is null and instr(h.events, ' case.deadline_near ') > 0",
                    )?
                    .execute(params![case, ms(now)])?;
                }
            }
            Ok(())
        })
        .await
    }
}
