//! The register of accounts: cards, what stands on the accounts themselves, confirmations, and the history
//! of it all.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Row, Transaction, params};

use super::audit;
use super::value::{at, maybe_row, ms, rows};
use crate::domain::card::{Card, Care, Said};
use crate::domain::ids::{AccountId, UserId};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// A card as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRow {
    /// Of which account.
    pub account: AccountId,
    /// What is written on it.
    pub card: Card,
    /// When purpose and audience were last looked over.
    pub reviewed: Date,
    /// Grows each time that it is written; one to be written bears the one that was read.
    pub revision: u64,
}

/// By whose word a part of the duties text stands on the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextRow {
    /// Of which account.
    pub account: AccountId,
    /// Which part.
    pub said: Said,
    /// Whether the platform itself gave the description in which it was sought.
    pub by_platform: bool,
    /// Whether it stands there.
    pub holds: bool,
    /// When it was looked at.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A line of an account's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What.
    pub what: String,
}

/// An answer to the yearly inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmationRow {
    /// Of which account.
    pub account: AccountId,
    /// For which year.
    pub year: i16,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Whether the account is active.
    pub active: bool,
    /// What they said beside.
    pub note: String,
}

/// Something that was handed to the archive of a whole account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivingRow {
    /// Of which account.
    pub account: AccountId,
    /// When.
    pub day: Date,
    /// What.
    pub what: String,
    /// The archive's receipt.
    pub receipt: String,
    /// Who noted it.
    pub by: String,
    /// An archive run of ours, which shows the account as it was when the run was made.
    pub of_run: bool,
}

/// A Swedish date in a column.
pub(super) fn day(table: &'static str, text: String) -> Result<Date, StoreError> {
    text.parse().map_err(|_| StoreError::row(table, text))
}

/// Writes a line of an account's history inside the transaction of what it tells of.
pub(super) fn note_history(
    tx: &Transaction<'_>,
    account: AccountId,
    by: &str,
    what: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into account_history (account_id, at, by_name, what) values (?1, ?2, ?3, ?4)",
    )?
    .execute(params![account.0, ms(now), by, what])?;
    Ok(())
}

fn card_row(row: &Row<'_>) -> Result<CardRow, StoreError> {
    let care: String = row.get(7)?;
    Ok(CardRow {
        account: AccountId(row.get(0)?),
        card: Card {
            purpose: row.get(1)?,
            audience: row.get(2)?,
            unit: row.get(3)?,
            address: row.get(4)?,
            rules_link: row.get(5)?,
            owner_is_manager: row.get(6)?,
            care: Care::from_id(&care)
                .ok_or_else(|| StoreError::row("account_cards", format!("care `{care}`")))?,
            listed: row.get(8)?,
        },
        reviewed: day("account_cards", row.get(9)?)?,
        revision: row.get(10)?,
    })
}

fn write_text(
    tx: &Transaction<'_>,
    account: AccountId,
    (said, holds): (Said, bool),
    source: &str,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into account_texts (account_id, said, source, holds, at, by_name)
         values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (account_id, said, source) do update set holds = excluded.holds,
           at = excluded.at, by_name = excluded.by_name",
    )?
    .execute(params![account.0, said.id(), source, holds, ms(now), by])?;
    Ok(())
}

impl Store {
    /// Every card, by account.
    pub async fn cards(&self) -> Result<Vec<CardRow>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select account_id, purpose, audience, unit, address, rules_link,
                            owner_is_manager, care, listed, reviewed, revision
                     from account_cards order by account_id",
                )?,
                [],
                card_row,
            )
        })
        .await
    }

    /// Writes a card, with what a person says of the duties text, and what was changed as lines of the
    /// history.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is no longer the card that was read.
    pub async fn save_card(
        &self,
        row: CardRow,
        said: Vec<(Said, bool)>,
        changes: Vec<String>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let Card { purpose, audience, unit, address, rules_link, .. } = &row.card;
            let stands: Option<u64> = maybe_row(
                &mut tx.prepare_cached("select revision from account_cards where account_id = ?1")?,
                [row.account.0],
                |row| Ok(row.get(0)?),
            )?;
            if stands.unwrap_or(0) != row.revision {
                return Err(StoreError::Refused {
                    why: "Uppgifterna ändrades av någon annan i samma stund. Det du skrev står kvar här nedanför: läs och spara igen.".into(),
                });
            }
            tx.execute(
                "insert into account_cards (account_id, purpose, audience, unit, address, rules_link,
                   owner_is_manager, care, listed, reviewed, changed_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                 on conflict (account_id) do update set purpose = excluded.purpose,
                   audience = excluded.audience, unit = excluded.unit, address = excluded.address,
                   rules_link = excluded.rules_link, owner_is_manager = excluded.owner_is_manager,
                   care = excluded.care, listed = excluded.listed, reviewed = excluded.reviewed,
                   changed_at = excluded.changed_at, revision = revision + 1",
                params![
                    row.account.0,
                    purpose,
                    audience,
                    unit,
                    address,
                    rules_link,
                    row.card.owner_is_manager,
                    row.card.care.id(),
                    row.card.listed,
                    row.reviewed.to_string(),
                    ms(now)
                ],
            )?;
            for said in said {
                write_text(tx, row.account, said, "person", &line.user_name, now)?;
            }
            for what in &changes {
                note_history(tx, row.account, &line.user_name, what, now)?;
            }
            audit::append(tx, &line, now)
        })
        .await
    }

    /// What stands of the duties text on every account, by whose word.
    pub async fn account_texts(&self) -> Result<Vec<TextRow>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select account_id, said, source, holds, at, by_name from account_texts
                     order by account_id, said, source",
                )?,
                [],
                |row| {
                    let said: String = row.get(1)?;
                    Ok(TextRow {
                        account: AccountId(row.get(0)?),
                        said: Said::from_id(&said)
                            .ok_or_else(|| StoreError::row("account_texts", said))?,
                        by_platform: row.get::<_, String>(2)? == "platform",
                        holds: row.get(3)?,
                        at: at(row.get(4)?)?,
                        by: row.get(5)?,
                    })
                },
            )
        })
        .await
    }

    /// Notes what the account's own description holds, as the platform gave it.
    pub async fn note_description(
        &self,
        account: AccountId,
        said: Vec<(Said, bool)>,
        what: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            for said in said {
                write_text(tx, account, said, "platform", &line.user_name, now)?;
            }
            note_history(tx, account, &line.user_name, &what, now)?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// An account's history, the newest first.
    pub async fn account_history(
        &self,
        account: AccountId,
        most: u32,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select at, by_name, what from account_history
                     where account_id = ?1 order by id desc limit ?2",
                )?,
                params![account.0, most],
                |row| Ok(HistoryRow { at: at(row.get(0)?)?, by: row.get(1)?, what: row.get(2)? }),
            )
        })
        .await
    }

    /// When something of ours was last published on each account, as far as it is known.
    pub async fn last_own(&self) -> Result<Vec<(AccountId, Timestamp)>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    // The last of an index for each account, never all that was published.
                    "select id, max(coalesce(post, item), coalesce(item, post)) from (
                       select a.id,
                         (select max(coalesce(p.created_at, p.fetched_at))
                          from posts p indexed by posts_by_time where p.account_id = a.id) as post,
                         (select max(coalesce(i.created_at, i.first_fetched_at))
                          from items i indexed by items_by_us
                          where i.account_id = a.id and i.by_us = 1) as item
                       from accounts a)
                     where post is not null or item is not null",
                )?,
                [],
                |row| Ok((AccountId(row.get(0)?), at(row.get(1)?)?)),
            )
        })
        .await
    }

    /// Every answer to the inventory.
    pub async fn confirmations(&self) -> Result<Vec<ConfirmationRow>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select c.account_id, c.year, c.at, u.name, c.active, c.note
                     from account_confirmations c join users u on u.id = c.user_id
                     order by c.account_id, c.year",
                )?,
                [],
                |row| {
                    Ok(ConfirmationRow {
                        account: AccountId(row.get(0)?),
                        year: row.get(1)?,
                        at: at(row.get(2)?)?,
                        by: row.get(3)?,
                        active: row.get(4)?,
                        note: row.get(5)?,
                    })
                },
            )
        })
        .await
    }

    /// Answers the inventory of a year. Where the account goes on, it counts as looked over.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is answered already.
    #[expect(clippy::too_many_arguments, reason = "one row, one line of the audit log")]
    pub async fn confirm_account(
        &self,
        account: AccountId,
        (year, today): (i16, Date),
        user: UserId,
        active: bool,
        note: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let known = maybe_row(
                &mut tx.prepare_cached(
                    "select 1 from account_confirmations where account_id = ?1 and year = ?2",
                )?,
                params![account.0, year],
                |_| Ok(()),
            )?;
            if known.is_some() {
                return Err(StoreError::Refused {
                    why: format!("Genomgången för {year} är redan besvarad."),
                });
            }
            tx.execute(
                "insert into account_confirmations (account_id, year, at, user_id, active, note)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
                params![account.0, year, ms(now), user.0, active, note],
            )?;
            if active {
                tx.execute(
                    "update account_cards set reviewed = ?2 where account_id = ?1",
                    params![account.0, today.to_string()],
                )?;
            }
            let what = match (active, note.trim()) {
                (true, "") => format!("Bekräftade kontot i genomgången {year}."),
                (true, note) => format!("Bekräftade kontot i genomgången {year}: {note}"),
                (false, "") => format!("Sa i genomgången {year} att kontot inte används."),
                (false, note) => format!("Sa i genomgången {year} att kontot inte används: {note}"),
            };
            note_history(tx, account, &line.user_name, &what, now)?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// What was handed to the archive of whole accounts, the newest first.
    pub async fn archivings(&self) -> Result<Vec<ArchivingRow>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select account_id, day, what, receipt, by_name,
                       id in (select archiving_id from archive_run_deliveries)
                     from account_archivings order by day desc, id desc",
                )?,
                [],
                |row| {
                    Ok(ArchivingRow {
                        account: AccountId(row.get(0)?),
                        day: day("account_archivings", row.get(1)?)?,
                        what: row.get(2)?,
                        receipt: row.get(3)?,
                        by: row.get(4)?,
                        of_run: row.get(5)?,
                    })
                },
            )
        })
        .await
    }

    /// Notes that a whole account was handed to the archive.
    pub async fn note_archiving(
        &self,
        row: ArchivingRow,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "insert into account_archivings (account_id, day, what, receipt, at, by_name)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
                params![row.account.0, row.day.to_string(), row.what, row.receipt, ms(now), row.by],
            )?;
            let receipt = match row.receipt.trim() {
                "" => String::new(),
                receipt => format!(" Kvitto: {receipt}."),
            };
            let what = format!("Arkiverat {}: {}.{receipt}", row.day, row.what);
            note_history(tx, row.account, &line.user_name, &what, now)?;
            audit::append(tx, &line, now)
        })
        .await
    }
}
