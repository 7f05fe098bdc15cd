//! Saved replies and all their versions.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::audit;
use super::value::{at, maybe_row, ms, rows};
use crate::domain::ids::{AccountId, SavedReplyId, UserId};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// A version of a saved reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyVersion {
    /// Of which reply.
    pub reply: SavedReplyId,
    /// For which account; none: for all of them.
    pub account: Option<AccountId>,
    /// Its number, from 1.
    pub number: u32,
    /// What it is called in the list.
    pub title: String,
    /// Its text, with fields.
    pub text: String,
    /// Whether it is offered; not where this version took it away.
    pub offered: bool,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A version to be written.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// Of which reply, and the number of the version that the person saw; none for a new reply.
    pub of: Option<(SavedReplyId, u32)>,
    /// For which account a new reply is; none: for all of them.
    pub account: Option<AccountId>,
    /// What it is called.
    pub title: String,
    /// Its text.
    pub text: String,
    /// Whether it is offered.
    pub offered: bool,
    /// Who writes it.
    pub by: UserId,
}

const VERSION: &str = "v.reply_id, r.account_id, v.number, v.title, v.text, v.offered, v.at, u.name
    from saved_reply_versions v join saved_replies r on r.id = v.reply_id join users u on u.id = v.by_id";

const NEWEST: &str =
    "v.number = (select max(n.number) from saved_reply_versions n where n.reply_id = v.reply_id)";

fn version(row: &Row<'_>) -> Result<ReplyVersion, StoreError> {
    Ok(ReplyVersion {
        reply: SavedReplyId(row.get(0)?),
        account: row.get::<_, Option<i64>>(1)?.map(AccountId),
        number: row.get(2)?,
        title: row.get(3)?,
        text: row.get(4)?,
        offered: row.get(5)?,
        at: at(row.get(6)?)?,
        by: row.get(7)?,
    })
}

impl Store {
    /// Every saved reply as it stands, also those that were taken away, by title.
    pub async fn saved_replies(&self) -> Result<Vec<ReplyVersion>, StoreError> {
        self.read(|c| {
            let sql = format!("select {VERSION} where {NEWEST} order by v.title, v.reply_id");
            rows(&mut c.prepare_cached(&sql)?, [], version)
        })
        .await
    }

    /// What is offered on an account: its own first, then those for all accounts.
    pub async fn replies_for(&self, account: AccountId) -> Result<Vec<ReplyVersion>, StoreError> {
        self.read(move |c| {
            let sql = format!(
                "select {VERSION} where {NEWEST} and v.offered = 1
                   and (r.account_id is null or r.account_id = ?1)
                 order by r.account_id is null, v.title, v.reply_id"
            );
            rows(&mut c.prepare_cached(&sql)?, [account.0], version)
        })
        .await
    }

    /// All versions of a reply, the newest first.
    pub async fn reply_versions(
        &self,
        reply: SavedReplyId,
    ) -> Result<Vec<ReplyVersion>, StoreError> {
        self.read(move |c| {
            let sql = format!("select {VERSION} where v.reply_id = ?1 order by v.number desc");
            rows(&mut c.prepare_cached(&sql)?, [reply.0], version)
        })
        .await
    }

    /// Writes a version. Gives its reply.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where somebody has changed it since, or where it is no longer there.
    pub async fn save_reply(
        &self,
        new: NewVersion,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<SavedReplyId, StoreError> {
        self.write(move |tx| {
            let (reply, number) = match new.of {
                None => {
                    let account = new.account.map(|account| account.0);
                    tx.execute("insert into saved_replies (account_id) values (?1)", [account])?;
                    (tx.last_insert_rowid(), 1)
                }
                Some((reply, seen)) => {
                    let newest = maybe_row(
                        &mut tx.prepare_cached(
                            "select v.number, u.name from saved_reply_versions v
                             join users u on u.id = v.by_id
                             where v.reply_id = ?1 order by v.number desc limit 1",
                        )?,
                        [reply.0],
                        |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)),
                    )?;
                    let Some((number, by)) = newest else {
                        return Err(StoreError::NotFound { what: "saved reply" });
                    };
                    if number != seen {
                        return Err(StoreError::Refused { why: format!(
                            "{by} har ändrat svaret sedan du öppnade sidan. Inget har sparats. Läs hur det står nu under Versioner och gör om ändringen."
                        ) });
                    }
                    (reply.0, number.saturating_add(1))
                }
            };
            tx.execute(
                "insert into saved_reply_versions (reply_id, number, title, text, offered, at, by_id)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![reply, number, new.title, new.text, new.offered, ms(now), new.by.0],
            )?;
            let subject = format!("saved reply {reply}");
            let detail = Some(format!("version {number}"));
            audit::append(tx, &AuditLine { subject, detail, ..line }, now)?;
            Ok(SavedReplyId(reply))
        })
        .await
    }
}
