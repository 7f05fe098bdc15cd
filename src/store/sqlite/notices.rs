//! Notices: what somebody is to be told, tried until it came through or a person took over; and
//! deadlines that went on to the next person.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::audit;
use super::cases::{note_event, touch};
use super::value::{at, maybe_at, maybe_row, ms, rows};
use crate::domain::escalation::EscalationStep;
use crate::domain::ids::{CaseId, NoticeId, UserId};
use crate::domain::notice::Channel;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// A notice to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// The same thing is told the same person once: what makes it the same.
    pub key: String,
    /// What it is about: `case`, `escalation`.
    pub kind: &'static str,
    /// The case it leads to.
    pub case: Option<CaseId>,
    /// Sent at any hour.
    pub urgent: bool,
    /// By what way.
    pub channel: Channel,
    /// The address, or the webhook's name; nothing where nobody could be found.
    pub recipient: Option<String>,
    /// For whom, in Swedish.
    pub who: String,
    /// The subject, without personal data of outsiders.
    pub subject: String,
    /// One paragraph more, without the comment's text.
    pub body: String,
    /// When to send it.
    pub due_at: Timestamp,
}

/// A notice as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRow {
    /// Its row.
    pub id: NoticeId,
    /// What it is about: `case`, `escalation`.
    pub kind: String,
    /// The case it leads to.
    pub case: Option<CaseId>,
    /// Sent at any hour.
    pub urgent: bool,
    /// By what way.
    pub channel: Channel,
    /// The address, or the webhook's name; empty where nobody could be found.
    pub recipient: String,
    /// For whom, in Swedish.
    pub who: String,
    /// The subject.
    pub subject: String,
    /// One paragraph more.
    pub body: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// `waiting`, `sent`, `undeliverable`, `seen_to`.
    pub state: String,
    /// Why it did not come through, in Swedish.
    pub problem: Option<String>,
    /// Since when it is being tried in vain; nothing before the first failure.
    pub tried_since: Option<Timestamp>,
}

/// A case of which somebody may have to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which.
    pub case: CaseId,
    /// Tells this mark from one that was set while it was looked at.
    pub n: u32,
    /// The revision at which the case came back from where nobody waited for it any more.
    pub came_back: Option<u64>,
}

const NOTICE: &str = "n.id, n.case_id, n.urgent, n.channel, n.recipient, n.who, n.subject, n.body,
    n.made_at, n.attempts, n.state, n.problem, n.tried_since, n.kind";

fn notice_row(row: &Row<'_>) -> Result<NoticeRow, StoreError> {
    let channel: String = row.get(3)?;
    Ok(NoticeRow {
        id: NoticeId(row.get(0)?),
        case: row.get::<_, Option<i64>>(1)?.map(CaseId),
        urgent: row.get(2)?,
        channel: Channel::from_id(&channel)
            .ok_or_else(|| StoreError::row("notices", format!("channel `{channel}`")))?,
        recipient: row.get(4)?,
        who: row.get(5)?,
        subject: row.get(6)?,
        body: row.get(7)?,
        made_at: at(row.get(8)?)?,
        attempts: row.get(9)?,
        state: row.get(10)?,
        problem: row.get(11)?,
        tried_since: maybe_at(row.get(12)?)?,
        kind: row.get(13)?,
    })
}

/// Why a notice that names nobody cannot be sent.
const NOBODY: &str = "Det finns ingen att skriva till: ingen e-postadress är angiven.";

pub(super) fn add(
    tx: &Transaction<'_>,
    notices: &[NewNotice],
    now: Timestamp,
) -> Result<(), StoreError> {
    for notice in notices {
        let known = notice.recipient.is_some();
        tx.prepare_cached(
            "insert into notices (key, kind, case_id, urgent, channel, recipient, who, subject, body,
                made_at, due_at, state, problem)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             on conflict (key) do nothing",
        )?
        .execute(params![
            notice.key,
            notice.kind,
            notice.case.map(|case| case.0),
            notice.urgent,
            notice.channel.id(),
            notice.recipient.as_deref().unwrap_or_default(),
            notice.who,
            notice.subject,
            notice.body,
            ms(now),
            known.then_some(ms(notice.due_at)),
            if known { "waiting" } else { "undeliverable" },
            (!known).then_some(NOBODY),
        ])?;
    }
    Ok(())
}

/// Tells a trouble that concerns whoever keeps the diary or the like, as a task that a person ends. The same key
/// once. `who` is for whom, in Swedish; neither subject nor problem hold personal data.
#[expect(clippy::too_many_arguments, reason = "one row, told where it is made")]
pub(super) fn tell_trouble(
    tx: &Transaction<'_>,
    key: &str,
    kind: &'static str,
    case: Option<CaseId>,
    who: &str,
    subject: &str,
    problem: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into notices (key, kind, case_id, urgent, channel, recipient, who, subject, body,
            made_at, due_at, state, problem)
         values (?1, ?2, ?3, 0, 'mail', '', ?4, ?5, '', ?6, null, 'undeliverable', ?7)
         on conflict (key) do nothing",
    )?
    .execute(params![key, kind, case.map(|case| case.0), who, subject, ms(now), problem])?;
    Ok(())
}

fn set_clock(
    tx: &Transaction<'_>,
    case: CaseId,
    next: Option<Timestamp>,
) -> Result<(), StoreError> {
    match next {
        Some(next) => tx
            .prepare_cached(
                "insert into escalation_clocks (case_id, at) values (?1, ?2)
                 on conflict (case_id) do update set at = excluded.at",
            )?
            .execute(params![case.0, ms(next)])?,
        None => tx
            .prepare_cached("delete from escalation_clocks where case_id = ?1")?
            .execute([case.0])?,
    };
    Ok(())
}

/// A step that was taken for a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTaken {
    /// Which.
    pub step: EscalationStep,
    /// The deadline that it is about.
    pub due_at: Timestamp,
    /// Who was told, in Swedish.
    pub told: String,
    /// When.
    pub at: Timestamp,
}

fn steps_of(c: &Connection, case: CaseId) -> Result<Vec<StepTaken>, StoreError> {
    rows(
        &mut c.prepare_cached(
            "select step, due_at, told, at from escalations where case_id = ?1 order by due_at, at",
        )?,
        [case.0],
        |row| {
            let step: String = row.get(0)?;
            Ok(StepTaken {
                step: EscalationStep::from_id(&step)
                    .ok_or_else(|| StoreError::row("escalations", format!("step `{step}`")))?,
                due_at: at(row.get(1)?)?,
                told: row.get(2)?,
                at: at(row.get(3)?)?,
            })
        },
    )
}

impl Store {
    /// Cases of which somebody may have to be told, oldest first.
    pub async fn cases_to_tell(&self, now: Timestamp, most: u32) -> Result<Vec<Mark>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select case_id, n, came_back from notice_due where not_before <= ?1
                     order by since, case_id limit ?2",
                )?,
                params![ms(now), most],
                |row| {
                    Ok(Mark { case: CaseId(row.get(0)?), n: row.get(1)?, came_back: row.get(2)? })
                },
            )
        })
        .await
    }

    /// A mark whose case could not be read is looked at again at `next`, and does not keep others waiting.
    pub async fn put_off_mark(&self, mark: Mark, next: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update notice_due set not_before = ?3 where case_id = ?1 and n = ?2",
            )?
            .execute(params![mark.case.0, mark.n, ms(next)])?;
            Ok(())
        })
        .await
    }

    /// The same for a case whose deadline was to go on.
    pub async fn put_off_clock(&self, case: CaseId, next: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| set_clock(tx, case, Some(next))).await
    }

    /// Notes who is told of a case and when its deadline goes on. What happened to the case since it was
    /// read is looked at again.
    pub async fn tell_of_case(
        &self,
        mark: Mark,
        notices: Vec<NewNotice>,
        next_step: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            add(tx, &notices, now)?;
            set_clock(tx, mark.case, next_step)?;
            tx.prepare_cached("delete from notice_due where case_id = ?1 and n = ?2")?
                .execute(params![mark.case.0, mark.n])?;
            Ok(())
        })
        .await
    }

    /// Adds notices that no case is behind.
    pub async fn add_notices(
        &self,
        notices: Vec<NewNotice>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| add(tx, &notices, now)).await
    }

    /// Cases whose deadline goes on to somebody now.
    pub async fn escalations_due(
        &self,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<CaseId>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select case_id from escalation_clocks where at <= ?1 order by at limit ?2",
                )?,
                params![ms(now), most],
                |row| Ok(CaseId(row.get(0)?)),
            )
        })
        .await
    }

    /// The steps that were taken for a case, the first one first.
    pub async fn steps_taken(&self, case: CaseId) -> Result<Vec<StepTaken>, StoreError> {
        self.read(move |c| steps_of(c, case)).await
    }

    /// The last step taken for the present deadline of each of these cases.
    pub async fn last_steps(
        &self,
        cases: Vec<CaseId>,
    ) -> Result<BTreeMap<CaseId, EscalationStep>, StoreError> {
        self.read(move |c| {
            let mut last = BTreeMap::new();
            let mut ask = c.prepare_cached(
                "select e.step from escalations e join cases k on k.id = e.case_id
                 where e.case_id = ?1 and e.due_at = k.due_at",
            )?;
            for case in cases {
                let steps = rows(&mut ask, [case.0], |row| Ok(row.get::<_, String>(0)?))?;
                let step = steps.iter().filter_map(|id| EscalationStep::from_id(id)).max();
                if let Some(step) = step {
                    last.insert(case, step);
                }
            }
            Ok(last)
        })
        .await
    }

    /// Takes a step: noted in the case's history, and told. Each is taken once for each deadline.
    pub async fn escalate(
        &self,
        case: CaseId,
        step: Option<StepTaken>,
        notices: Vec<NewNotice>,
        next: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let mut taken = false;
            if let Some(step) = step {
                let new = tx
                    .prepare_cached(
                        "insert into escalations (case_id, due_at, step, at, told)
                         values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
                    )?
                    .execute(params![
                        case.0,
                        ms(step.due_at),
                        step.step.id(),
                        ms(now),
                        step.told
                    ])?;
                if new > 0 {
                    let what = format!("Fristen gick vidare till {}", step.step.label());
                    note_event(tx, case, None, &what, Some(&step.told), now)?;
                    taken = true;
                }
            }
            if taken {
                add(tx, &notices, now)?;
                touch(tx, case, now)?;
            }
            set_clock(tx, case, next)
        })
        .await
    }

    /// Notices whose time has come, what is urgent first: so many for the mail server and for each webhook,
    /// since none of them is to stand in another's way.
    pub async fn due_notices(
        &self,
        now: Timestamp,
        most_each: u32,
    ) -> Result<Vec<NoticeRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {NOTICE} from (
                       select *, row_number() over (
                         partition by case channel when 'mail' then '' else recipient end
                         order by urgent desc, due_at, id) as place
                       from notices where state = 'waiting' and due_at <= ?1) n
                     where n.place <= ?2 order by n.urgent desc, n.due_at, n.id"
                ))?,
                params![ms(now), most_each],
                notice_row,
            )
        })
        .await
    }

    /// It was taken by the other side.
    pub async fn notice_sent(&self, notice: NoticeId, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update notices set state = 'sent', due_at = null, problem = null, ended_at = ?2,
                        attempts = attempts + 1
                 where id = ?1 and state = 'waiting'",
            )?
            .execute(params![notice.0, ms(now)])?;
            Ok(())
        })
        .await
    }

    /// It did not come through: tried again at `next`, or a person takes over.
    pub async fn notice_failed(
        &self,
        notice: NoticeId,
        problem: String,
        next: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update notices set attempts = attempts + 1, problem = ?2, due_at = ?3,
                        tried_since = coalesce(tried_since, ?4),
                        state = case when ?3 is null then 'undeliverable' else 'waiting' end
                 where id = ?1 and state = 'waiting'",
            )?
            .execute(params![notice.0, problem, next.map(ms), ms(now)])?;
            let case = maybe_row(
                &mut tx.prepare_cached(
                    "select case_id, who from notices where id = ?1 and state = 'undeliverable'
                       and case_id is not null",
                )?,
                [notice.0],
                |row| Ok((CaseId(row.get(0)?), row.get::<_, String>(1)?)),
            )?;
            if let Some((case, who)) = case {
                let what = format!("Aviseringen till {who} kom inte fram");
                note_event(tx, case, None, &what, Some(&problem), now)?;
            }
            Ok(())
        })
        .await
    }

    /// It was not tried, since its server answers nobody: its time runs all the same.
    pub async fn notice_stands_back(
        &self,
        notice: NoticeId,
        problem: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update notices set problem = ?2, tried_since = coalesce(tried_since, ?3)
                 where id = ?1 and state = 'waiting'",
            )?
            .execute(params![notice.0, problem, ms(now)])?;
            Ok(())
        })
        .await
    }

    /// What did not come through and waits for a person, and what is tried again.
    pub async fn notices_in_trouble(&self, most: u32) -> Result<Vec<NoticeRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {NOTICE} from notices n
                     where n.state = 'undeliverable' or (n.state = 'waiting' and n.problem is not null)
                     order by n.state, n.urgent desc, n.id limit ?1"
                ))?,
                [most],
                notice_row,
            )
        })
        .await
    }

    /// How many notices wait for a person to tell it in another way.
    pub async fn n_undeliverable(&self) -> Result<u64, StoreError> {
        self.read(|c| {
            Ok(c.prepare_cached("select count(*) from notices where state = 'undeliverable'")?
                .query_row([], |row| row.get(0))?)
        })
        .await
    }

    /// A person has told it in another way, or wants it tried again.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is not waiting for a person.
    pub async fn end_notice(
        &self,
        notice: NoticeId,
        by: UserId,
        again: bool,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let changed = match again {
                // From now on: its time to be tried begins anew.
                true => tx
                    .prepare_cached(
                        "update notices set state = 'waiting', due_at = ?2, attempts = 0,
                                tried_since = null
                         where id = ?1 and state = 'undeliverable' and recipient <> ''",
                    )?
                    .execute(params![notice.0, ms(now)])?,
                false => tx
                    .prepare_cached(
                        "update notices set state = 'seen_to', due_at = null, ended_at = ?2, ended_by = ?3
                         where id = ?1 and state = 'undeliverable'",
                    )?
                    .execute(params![notice.0, ms(now), by.0])?,
            };
            if changed == 0 {
                return Err(StoreError::Refused {
                    why: "Aviseringen väntar inte på någon längre, eller har ingen mottagare att försöka med.".into(),
                });
            }
            audit::append(tx, &line, now)
        })
        .await
    }
}
