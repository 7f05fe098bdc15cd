//! Archive runs: wanted, tried, ended. What a run captured lies beside the evidence; here is that it was made,
//! what it rests on, and its leaf in the log.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::Serialize;

use super::bars::account_page;
use super::cards::{day, note_history};
use super::items::presence;
use super::value::{at, each_row, from_json, hash, maybe_at, maybe_row, ms, rows};
use super::{audit, log};
use crate::domain::archive_run::{Occasion, RunId};
use crate::domain::card::ClosingStep;
use crate::domain::ids::{AccountId, ContentHash};
use crate::domain::item::{Author, ItemKind, Presence};
use crate::domain::log::{LogKind, words_hash};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::handed::{RuledFacts, RuledRecord, RunFacts};
use crate::store::rows::{AuditLine, PageState, Readable};

/// The leaf of a run: whoever has its files alone can hold them against it.
#[derive(Serialize)]
struct RunRecord {
    #[serde(flatten)]
    record: RuledRecord,
    manifest_sha256: ContentHash,
}

/// A run that somebody or the policy wants.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Of which account.
    pub account: AccountId,
    /// Why.
    pub occasion: Occasion,
    /// The policy's day.
    pub due: Option<Date>,
    /// Why, in words.
    pub note: String,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// The hash of its manifest.
    pub manifest: ContentHash,
    /// The first moment of its content.
    pub content_from: Timestamp,
    /// The last.
    pub content_to: Timestamp,
    /// Its place in the log.
    pub log_seq: u64,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its number.
    pub id: RunId,
    /// Of which account.
    pub account: AccountId,
    /// Why.
    pub occasion: Occasion,
    /// The policy's day.
    pub due: Option<Date>,
    /// When it was wanted, and by whom.
    pub wanted: (Timestamp, String),
    /// Why, in words.
    pub note: String,
    /// How often it was tried.
    pub tries: u32,
    /// What hindered it the last time, in Swedish.
    pub problem: Option<String>,
    /// What it came to.
    pub ended: Option<Ended>,
    /// When it was handed to the archive, with the receipt.
    pub delivered: Option<(Date, String)>,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// The hash of its manifest.
    pub manifest: ContentHash,
    /// The first and the last moment of its content.
    pub content: (Timestamp, Timestamp),
    /// Its files, without the manifest.
    pub files: Vec<ContentHash>,
    /// Whether a picture of the page is among them.
    pub has_picture: bool,
}

/// Something that stands on an account's page.
#[derive(Clone, Debug)]
pub struct OnPage {
    /// The platform's identity.
    pub platform_id: String,
    /// What it is; none where it is a post of the authority's own.
    pub kind: Option<ItemKind>,
    /// The post or the item that it stands under.
    pub under: Option<String>,
    /// Title of a post.
    pub title: Option<String>,
    /// Author as shown; none of a post.
    pub author: Option<Author>,
    /// Whether the authority wrote it.
    pub by_us: bool,
    /// Its text.
    pub text: String,
    /// When it was written.
    pub created_at: Option<Timestamp>,
    /// When it was edited.
    pub edited_at: Option<Timestamp>,
    /// Link.
    pub permalink: Option<String>,
    /// What hangs on it, as the platform describes it, JSON.
    pub attachments: Option<String>,
    /// Whether the platform says that everybody sees it.
    pub presence: Option<Presence>,
    /// It may not be copied: text, author and what hangs on it are left out.
    pub no_copy: bool,
    /// A secrecy mark stands on its case: who reads the run need not be in the circle.
    pub secret: bool,
}

const RUN: &str =
    "r.id, r.account_id, r.occasion, r.due, r.wanted_at, r.wanted_by, r.note, r.tries, r.problem,
    r.content_from, r.content_to, r.ended_at, r.manifest, r.log_seq, v.day, v.receipt
  from archive_runs r left join archive_run_deliveries d on d.run_id = r.id
    left join account_archivings v on v.id = d.archiving_id";

fn run(row: &Row<'_>) -> Result<RunRow, StoreError> {
    let occasion: String = row.get(2)?;
    let due: Option<String> = row.get(3)?;
    let ended = match (row.get::<_, Option<i64>>(11)?, row.get::<_, Option<Vec<u8>>>(12)?) {
        (Some(ended), Some(manifest)) => Some(Ended {
            at: at(ended)?,
            manifest: hash("archive_runs", &manifest)?,
            content_from: at(row.get(9)?)?,
            content_to: at(row.get(10)?)?,
            log_seq: row.get(13)?,
        }),
        (None, None) => None,
        _ => return Err(StoreError::row("archive_runs", "half an end")),
    };
    let delivered: Option<String> = row.get(14)?;
    let delivered = delivered.map(|text| day("account_archivings", text)).transpose()?;
    Ok(RunRow {
        id: RunId(row.get(0)?),
        account: AccountId(row.get(1)?),
        occasion: Occasion::from_id(&occasion)
            .ok_or_else(|| StoreError::row("archive_runs", occasion))?,
        due: due.map(|text| day("archive_runs", text)).transpose()?,
        wanted: (at(row.get(4)?)?, row.get(5)?),
        note: row.get(6)?,
        tries: row.get(7)?,
        problem: row.get(8)?,
        ended,
        delivered: delivered.zip(row.get(15)?),
    })
}

fn the_run(c: &Connection, id: RunId) -> Result<RunRow, StoreError> {
    let sql = format!("select {RUN} where r.id = ?1");
    maybe_row(&mut c.prepare_cached(&sql)?, [id.0], run)?
        .ok_or(StoreError::NotFound { what: "archive run" })
}

/// All that the leaf holds.
fn words(run: &RunRow, manifest: ContentHash, (from, to): (Timestamp, Timestamp)) -> ContentHash {
    words_hash(&[
        &manifest.to_hex(),
        &run.account.to_string(),
        run.occasion.id(),
        &run.due.map_or(String::new(), |day| day.to_string()),
        &ms(run.wanted.0).to_string(),
        &run.wanted.1,
        &run.note,
        &ms(from).to_string(),
        &ms(to).to_string(),
    ])
}

/// Whether something on the account came to be suspected after what a run captured was read.
fn suspected_since(
    c: &Connection,
    account: AccountId,
    read_at: Timestamp,
) -> Result<bool, StoreError> {
    // A mark without a suspicion on record may be of any time.
    let sql = concat!(
        "select 1 from items i where i.account_id = ?1 and i.by_us = 0 and ",
        barred!(),
        // What was written after the run is not in it.
        " and min(coalesce(i.created_at, i.first_fetched_at), i.first_fetched_at) <= ?2
          and coalesce((select min(b.at) from bars b join items t on t.id = b.item_id
             where b.ended = 0 and t.no_copy = 1
               and (t.id = i.id or t.platform_id = i.platform_id or t.permalink = i.permalink)),
           ?2 + 1) > ?2 limit 1"
    );
    Ok(c.prepare_cached(sql)?.exists(params![account.0, ms(read_at)])?)
}

impl Store {
    /// Wants a run. Gives its number; nothing where the policy's day has one already.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where one is under way that a person would have to wait for.
    pub async fn want_run(
        &self,
        new: NewRun,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<Option<RunId>, StoreError> {
        self.write(move |tx| {
            let due = new.due.map(|day| day.to_string());
            let known = tx
                .prepare_cached("select 1 from archive_runs where account_id = ?1 and due = ?2")?
                .exists(params![new.account.0, due])?;
            let under_way = tx
                .prepare_cached(
                    "select 1 from archive_runs where account_id = ?1 and ended_at is null",
                )?
                .exists([new.account.0])?;
            match (known || under_way, new.occasion) {
                (true, Occasion::Scheduled) => return Ok(None),
                (true, Occasion::Redesign | Occasion::Closing | Occasion::Other) => {
                    return Err(StoreError::Refused {
                        why: "En arkivkörning av kontot pågår redan. Vänta tills den är klar.".into(),
                    });
                }
                (false, _) => {}
            }
            tx.execute(
                "insert into archive_runs (account_id, occasion, due, wanted_at, wanted_by, note, next_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?4)",
                params![new.account.0, new.occasion.id(), due, ms(now), line.user_name, new.note],
            )?;
            let id = RunId(tx.last_insert_rowid());
            if new.occasion != Occasion::Scheduled {
                let note = match new.note.trim() {
                    "" => String::new(),
                    note => format!(" {note}"),
                };
                let what = format!("Arkivkörning {id} begärd, {}.{note}", new.occasion.label());
                note_history(tx, new.account, &line.user_name, &what, now)?;
            }
            audit::append(tx, &line, now)?;
            Ok(Some(id))
        })
        .await
    }

    /// Runs that wait, the oldest first, whose next try has come by `now`.
    pub async fn waiting_runs(&self, now: Timestamp) -> Result<Vec<RunRow>, StoreError> {
        self.read(move |c| {
            let sql =
                format!("select {RUN} where r.ended_at is null and r.next_at <= ?1 order by r.id");
            rows(&mut c.prepare_cached(&sql)?, [ms(now)], run)
        })
        .await
    }

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn run(&self, id: RunId) -> Result<RunRow, StoreError> {
        self.read(move |c| the_run(c, id)).await
    }

    /// Runs, the newest first, at most `most`; of one account, where it is named.
    pub async fn runs(
        &self,
        account: Option<AccountId>,
        most: u32,
    ) -> Result<Vec<RunRow>, StoreError> {
        self.read(move |c| {
            let sql = format!(
                "select {RUN} where ?1 is null or r.account_id = ?1 order by r.id desc limit ?2"
            );
            let account = account.map(|account| account.0);
            rows(&mut c.prepare_cached(&sql)?, params![account, most], run)
        })
        .await
    }

    /// Of each account that has any: its newest run that has ended, and the last day of the policy for which
    /// one was wanted.
    pub async fn last_runs(
        &self,
    ) -> Result<Vec<(AccountId, Option<(Timestamp, Timestamp)>, Option<Date>)>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select account_id, max(ended_at), max(content_to), max(due) from archive_runs
                     group by account_id order by account_id",
                )?,
                [],
                |row| {
                    let ended = maybe_at(row.get(1)?)?.zip(maybe_at(row.get(2)?)?);
                    let due: Option<String> = row.get(3)?;
                    let due = due.map(|text| day("archive_runs", text)).transpose()?;
                    Ok((AccountId(row.get(0)?), ended, due))
                },
            )
        })
        .await
    }

    /// Notes that a run did not come to its end, and when it is tried again.
    pub async fn put_off_run(
        &self,
        id: RunId,
        problem: String,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "update archive_runs set tries = tries + 1, problem = ?2, next_at = ?3
                 where id = ?1 and ended_at is null",
                params![id.0, problem, ms(next)],
            )?;
            Ok(())
        })
        .await
    }

    /// Ends a run: it rests on these files from now on. What came to be suspected while it was made stops it.
    ///
    /// # Errors
    /// [`StoreError::Refused`]; then it is to be made anew.
    pub async fn end_run(
        &self,
        id: RunId,
        end: RunEnd,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<RunRow, StoreError> {
        self.write(move |tx| {
            let known = the_run(tx, id)?;
            if known.ended.is_some() {
                return Err(StoreError::Refused { why: "Arkivkörningen är redan klar.".into() });
            }
            let barred = end.has_picture
                && matches!(account_page(tx, known.account)?, PageState::Barred);
            if barred || suspected_since(tx, known.account, end.content.1)? {
                return Err(StoreError::Refused {
                    why: "Något på kontot spärrades mot kopiering medan körningen gjordes. Den görs om.".into(),
                });
            }
            audit::append(tx, &line, now)?;
            let what = format!("Arkivkörning {id} är klar, {}.", known.occasion.label());
            note_history(tx, known.account, &line.user_name, &what, now)?;
            note_step(tx, &known, &line.user_name, now)?;
            let words_sha256 = words(&known, end.manifest, end.content);
            let record = RuledRecord { row: id.0, case: None, user: 0, words_sha256 };
            let leaf = RunRecord { record, manifest_sha256: end.manifest };
            // After the lines it is to hold.
            let seq = log::append(tx, LogKind::ArchiveRun, &leaf, now)?;
            for file in &end.files {
                tx.prepare_cached(
                    "insert into archive_run_files (run_id, sha256) values (?1, ?2)
                     on conflict do nothing",
                )?
                .execute(params![id.0, file.bytes()])?;
            }
            tx.execute(
                "update archive_runs set problem = null, content_from = ?2, content_to = ?3,
                   ended_at = ?4, manifest = ?5, log_seq = ?6 where id = ?1",
                params![
                    id.0,
                    ms(end.content.0),
                    ms(end.content.1),
                    ms(now),
                    end.manifest.bytes(),
                    seq
                ],
            )?;
            the_run(tx, id)
        })
        .await
    }

    /// Notes that a run was handed to the archive, among the account's deliveries.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it has not ended, or was handed over already.
    pub async fn deliver_run(
        &self,
        id: RunId,
        on: Date,
        receipt: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let known = the_run(tx, id)?;
            let why = match (&known.ended, &known.delivered) {
                (None, _) => Some("Arkivkörningen är inte klar än."),
                (Some(_), Some(_)) => Some("Arkivkörningen är redan levererad."),
                (Some(_), None) => None,
            };
            if let Some(why) = why {
                return Err(StoreError::Refused { why: why.into() });
            }
            let what = format!("Arkivkörning {id}, {}", known.occasion.label());
            tx.execute(
                "insert into account_archivings (account_id, day, what, receipt, at, by_name)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
                params![known.account.0, on.to_string(), what, receipt, ms(now), line.user_name],
            )?;
            tx.execute(
                "insert into archive_run_deliveries (run_id, archiving_id) values (?1, ?2)",
                params![id.0, tx.last_insert_rowid()],
            )?;
            let told = match receipt.trim() {
                "" => format!("{what}, levererades till arkivet {on}."),
                receipt => format!("{what}, levererades till arkivet {on}. Kvitto: {receipt}."),
            };
            note_history(tx, known.account, &line.user_name, &told, now)?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Every file that a run rests on, manifests too.
    pub async fn run_files(&self) -> Result<Vec<ContentHash>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select sha256 from archive_run_files
                     union select manifest from archive_runs where manifest is not null",
                )?,
                [],
                |row| hash("archive_run_files", &row.get::<_, Vec<u8>>(0)?),
            )
        })
        .await
    }

    /// Whether what a run captured may neither be shown nor exported any more: something on the account came to
    /// be suspected after it was read, and may be in it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn run_is_cut_off(&self, id: RunId) -> Result<bool, StoreError> {
        self.read(move |c| {
            let known = the_run(c, id)?;
            known.ended.map_or(Ok(false), |end| suspected_since(c, known.account, end.content_to))
        })
        .await
    }

    /// Whether a picture may be taken of an account's page, as known now.
    pub async fn account_page(&self, account: AccountId) -> Result<PageState, StoreError> {
        self.read(move |c| account_page(c, account)).await
    }

    /// What stands on the account's page of what was written from `from` until `to`, by the platform's
    /// identity: posts first. Private messages and what is hidden, gone or disposed of do not stand there.
    pub async fn on_page(
        &self,
        account: AccountId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnPage>, StoreError> {
        self.read(move |c| {
            let span = params![account.0, ms(from), ms(to)];
            let mut found = rows(
                &mut c.prepare_cached(
                    "select platform_id, title, text, created_at, permalink from posts
                     where account_id = ?1 and max(coalesce(created_at, 0), fetched_at) >= ?2
                       and coalesce(created_at, fetched_at) < ?3 and fetched_at < ?3
                     order by coalesce(created_at, fetched_at), platform_id",
                )?,
                span,
                |row| {
                    Ok(OnPage {
                        platform_id: row.get(0)?,
                        kind: None,
                        under: None,
                        title: row.get(1)?,
                        author: None,
                        by_us: true,
                        text: row.get(2)?,
                        created_at: maybe_at(row.get(3)?)?,
                        edited_at: None,
                        permalink: row.get(4)?,
                        attachments: None,
                        presence: None,
                        no_copy: false,
                        secret: false,
                    })
                },
            )?;
            let items = rows(
                &mut c.prepare_cached(concat!(
                    "select i.platform_id, i.kind, coalesce(i.parent_id, i.post_id), v.author, i.by_us,
                       v.text, i.created_at, v.edited_at, i.permalink, v.attachments, i.presence, ",
                    barred!(),
                    ", exists (select 1 from cases k where k.item_id = i.id and k.secret = 1)
                     from items i join versions v on v.id = i.current_version_id
                     where i.account_id = ?1
                       and max(coalesce(i.created_at, 0), i.first_fetched_at) >= ?2
                       and i.first_fetched_at < ?3
                       and i.kind in ('comment', 'reply', 'post_by_other', 'review')
                       and i.presence in ('visible', 'unknown') and v.text <> ?4
                     order by coalesce(i.created_at, i.first_fetched_at), i.platform_id"
                ))?,
                params![account.0, ms(from), ms(to), super::disposals::DISPOSED_TEXT],
                |row| {
                    let kind: String = row.get(1)?;
                    let author: String = row.get(3)?;
                    Ok(OnPage {
                        platform_id: row.get(0)?,
                        kind: Some(super::items::item_kind(&kind)?),
                        under: row.get(2)?,
                        title: None,
                        author: Some(from_json("versions", &author)?),
                        by_us: row.get(4)?,
                        text: row.get(5)?,
                        created_at: maybe_at(row.get(6)?)?,
                        edited_at: maybe_at(row.get(7)?)?,
                        permalink: row.get(8)?,
                        attachments: row.get(9)?,
                        presence: Some(presence(&row.get::<_, String>(10)?)?),
                        no_copy: row.get(11)?,
                        secret: row.get(12)?,
                    })
                },
            )?;
            found.extend(items);
            Ok(found)
        })
        .await
    }

    /// Runs that have ended after `after`, in order, for verification.
    pub async fn run_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<RunFacts>>, StoreError> {
        self.read(move |c| {
            let sql = format!(
                "select {RUN} where r.ended_at is not null and r.id > ?1 order by r.id limit ?2"
            );
            each_row(&mut c.prepare_cached(&sql)?, params![after, most], |row| {
                let known = run(row)?;
                let end = known.ended.ok_or_else(|| StoreError::row("archive_runs", "no end"))?;
                let facts = RuledFacts {
                    row: known.id.0,
                    case: None,
                    user: 0,
                    at: end.at,
                    words: words(&known, end.manifest, (end.content_from, end.content_to)),
                    log_seq: end.log_seq,
                };
                let files = rows(
                    &mut c.prepare_cached(
                        "select sha256 from archive_run_files where run_id = ?1 order by sha256",
                    )?,
                    [known.id.0],
                    |row| hash("archive_run_files", &row.get::<_, Vec<u8>>(0)?),
                )?;
                Ok(RunFacts { facts, manifest: end.manifest, files })
            })
        })
        .await
    }
}

/// The step of a closing that waits for such a run, whatever it was made for.
fn note_step(
    tx: &Transaction<'_>,
    run: &RunRow,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let closing: Option<i64> = tx
        .prepare_cached(
            "select id from account_closings
             where account_id = ?1 and withdrawn_at is null and closed_at is null",
        )?
        .query_row([run.account.0], |row| row.get(0))
        .optional()?;
    let Some(closing) = closing else { return Ok(()) };
    tx.execute(
        "insert into closing_steps (closing_id, step, at, by_name, note)
         values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
        params![
            closing,
            ClosingStep::Archived.id(),
            ms(now),
            by,
            format!("Arkivkörning {}", run.id)
        ],
    )?;
    Ok(())
}
