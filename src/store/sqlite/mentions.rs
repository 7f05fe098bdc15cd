//! Internal notes, and who is named in them.

use jiff::Timestamp;
use rusqlite::params;

use super::audit;
use super::cases::{note_event, the_case, touch};
use super::value::{at, ms, rows};
use crate::domain::ids::{CaseId, UserId};
use crate::domain::mention::NOTE;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;
use crate::store::sqlite::notices::{NewNotice, add};

/// Somebody who is to be told that they were named.
#[derive(Clone, Debug)]
pub struct Untold {
    /// The mention.
    pub id: i64,
    /// In which case.
    pub case: CaseId,
    /// Their name.
    pub name: String,
    /// Their address, where they have one.
    pub mail: Option<String>,
    /// Who named them.
    pub by: String,
}

/// A mention of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MentionRow {
    /// Its row.
    pub id: i64,
    /// In which case.
    pub case: CaseId,
    /// When.
    pub at: Timestamp,
    /// Who named them.
    pub by: String,
    /// What they wrote.
    pub text: String,
    /// Whether they have seen it.
    pub seen: bool,
}

impl Store {
    /// Writes a note in a case's history, with who is named in it.
    pub async fn add_note(
        &self,
        case: CaseId,
        by: UserId,
        text: String,
        named: Vec<UserId>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            the_case(tx, case)?;
            note_event(tx, case, Some((by, &line.user_name)), NOTE, Some(&text), now)?;
            // By its case: keeping the chain of lines has written rows of its own since.
            let event: i64 = tx
                .prepare_cached("select max(id) from case_events where case_id = ?1")?
                .query_row([case.0], |row| row.get(0))?;
            for user in &named {
                tx.prepare_cached(
                    "insert into mentions (event_id, case_id, user_id, at) values (?1, ?2, ?3, ?4)",
                )?
                .execute(params![event, case.0, user.0, ms(now)])?;
            }
            audit::append(tx, &line, now)?;
            touch(tx, case, now)
        })
        .await
    }

    /// Who is still to be told that they were named.
    pub async fn untold_mentions(&self, most: u32) -> Result<Vec<Untold>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select m.id, m.case_id, u.name, t.mail, coalesce(e.user_name, 'Uppsikt')
                     from mentions m indexed by mentions_to_tell
                     join users u on u.id = m.user_id join case_events e on e.id = m.event_id
                     left join contacts t on t.user_id = u.id
                     where m.noticed_at is null order by m.id limit ?1",
                )?,
                [most],
                |row| {
                    Ok(Untold {
                        id: row.get(0)?,
                        case: CaseId(row.get(1)?),
                        name: row.get(2)?,
                        mail: row.get(3)?,
                        by: row.get(4)?,
                    })
                },
            )
        })
        .await
    }

    /// Adds the notices of a mention and notes that they were made.
    pub async fn tell_of_mention(
        &self,
        mention: i64,
        notices: Vec<NewNotice>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            add(tx, &notices, now)?;
            tx.prepare_cached("update mentions set noticed_at = ?2 where id = ?1")?
                .execute(params![mention, ms(now)])?;
            Ok(())
        })
        .await
    }

    /// Where somebody was named, the newest first.
    pub async fn mentions_of(
        &self,
        user: UserId,
        most: u32,
    ) -> Result<Vec<MentionRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select m.id, m.case_id, m.at, coalesce(e.user_name, 'Uppsikt'),
                            coalesce(e.detail, ''), m.seen_at is not null
                     from mentions m indexed by mentions_of_user
                     join case_events e on e.id = m.event_id
                     where m.user_id = ?1 order by m.id desc limit ?2",
                )?,
                params![user.0, most],
                |row| {
                    Ok(MentionRow {
                        id: row.get(0)?,
                        case: CaseId(row.get(1)?),
                        at: at(row.get(2)?)?,
                        by: row.get(3)?,
                        text: row.get(4)?,
                        seen: row.get(5)?,
                    })
                },
            )
        })
        .await
    }

    /// How many mentions somebody has not seen.
    pub async fn n_unseen_mentions(&self, user: UserId) -> Result<u64, StoreError> {
        self.read(move |c| {
            Ok(c.prepare_cached(
                "select count(*) from mentions indexed by mentions_of_user
                 where user_id = ?1 and seen_at is null",
            )?
            .query_row([user.0], |row| row.get(0))?)
        })
        .await
    }

    /// Notes that somebody has seen where they were named: in one case, or everywhere.
    pub async fn see_mentions(
        &self,
        user: UserId,
        case: Option<CaseId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update mentions set seen_at = ?3
                 where user_id = ?1 and (?2 is null or case_id = ?2) and seen_at is null",
            )?
            .execute(params![user.0, case.map(|case| case.0), ms(now)])?;
            Ok(())
        })
        .await
    }
}
