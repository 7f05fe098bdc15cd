//! Checkpoints that are mailed to whoever keeps them, queued until they were taken.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::value::{maybe_row, ms, rows};
use crate::store::Store;
use crate::store::error::StoreError;

/// A checkpoint for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessMail {
    /// How many entries it is over.
    pub size: u64,
    /// The mail address.
    pub recipient: String,
    /// The signed note, byte for byte.
    pub note: String,
    /// How often it was tried.
    pub attempts: u32,
}

/// The newest checkpoint, where none was queued for the recipient since.
fn wanting(c: &Connection, recipient: &str, since: Timestamp) -> Result<Option<i64>, StoreError> {
    let newest = c
        .prepare_cached("select max(size) from checkpoints")?
        .query_row([], |row| row.get::<_, Option<i64>>(0))?;
    let Some(newest) = newest else { return Ok(None) };
    let known = c
        .prepare_cached(
            "select 1 from witness_mails where recipient = ?1 and (size >= ?2 or queued_at > ?3)",
        )?
        .exists(params![recipient, newest, ms(since)])?;
    Ok((!known).then_some(newest))
}

impl Store {
    /// Queues the newest checkpoint for each recipient for whom none was queued since `since`. What has not been
    /// sent yet gives way: the newest speaks for all before it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn queue_witness_mails(
        &self,
        recipients: Vec<String>,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let wanted = self
            .read(move |c| {
                let mut wanted = Vec::new();
                for recipient in recipients {
                    let size = wanting(c, &recipient, since)?;
                    wanted.extend(size.map(|size| (recipient, size)));
                }
                Ok(wanted)
            })
            .await?;
        if wanted.is_empty() {
            return Ok(());
        }
        self.write(move |tx| {
            for (recipient, size) in &wanted {
                tx.execute(
                    "delete from witness_mails where recipient = ?1 and sent_at is null",
                    [recipient],
                )?;
                tx.execute(
                    "insert into witness_mails (size, recipient, queued_at, next_at)
                     values (?1, ?2, ?3, ?3) on conflict do nothing",
                    params![size, recipient, ms(now)],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Those that are to be sent now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_witness_mails(
        &self,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<WitnessMail>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select w.size, w.recipient, c.note, w.attempts
                     from witness_mails w join checkpoints c on c.size = w.size
                     where w.sent_at is null and w.next_at <= ?1 order by w.next_at limit ?2",
                )?,
                params![ms(now), most],
                |row| {
                    Ok(WitnessMail {
                        size: row.get(0)?,
                        recipient: row.get(1)?,
                        note: row.get(2)?,
                        attempts: row.get(3)?,
                    })
                },
            )
        })
        .await
    }

    /// It was taken, or why not and when to try again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn witness_mailed(
        &self,
        mail: &WitnessMail,
        outcome: Result<(), (String, Timestamp)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (size, recipient) = (mail.size, mail.recipient.clone());
        self.write(move |tx| {
            match outcome {
                Ok(()) => tx.execute(
                    "update witness_mails set sent_at = ?3, attempts = attempts + 1, problem = null
                     where size = ?1 and recipient = ?2",
                    params![size, recipient, ms(now)],
                )?,
                Err((problem, again)) => tx.execute(
                    "update witness_mails set next_at = ?3, attempts = attempts + 1, problem = ?4
                     where size = ?1 and recipient = ?2",
                    params![size, recipient, ms(again), problem],
                )?,
            };
            Ok(())
        })
        .await
    }

    /// When a checkpoint was last taken, and what is wrong with the one that waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn witness_mail_state(
        &self,
    ) -> Result<(Option<Timestamp>, Option<String>), StoreError> {
        self.read(|c| {
            let sent = c
                .prepare_cached("select max(sent_at) from witness_mails")?
                .query_row([], |row| row.get::<_, Option<i64>>(0))?;
            let problem = maybe_row(
                &mut c.prepare_cached(
                    "select problem from witness_mails
                     where sent_at is null and problem is not null order by attempts desc limit 1",
                )?,
                [],
                |row| Ok(row.get::<_, String>(0)?),
            )?;
            Ok((sent.map(super::value::at).transpose()?, problem))
        })
        .await
    }
}
