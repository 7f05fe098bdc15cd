//! Lifting the bar on copying an item, by a person (regulation 2.2). The database refuses it without
//! a row that says who, when and why.

use jiff::Timestamp;
use rusqlite::params;
use serde::Serialize;

use super::assessments::want_evidence;
use super::cases::{note_event, the_case};
use super::decide::unsettled;
use super::items::the_item;
use super::search::index_item;
use super::value::{at, each_row, ms};
use super::{audit, log};
use crate::domain::ids::{CaseId, ContentHash, UserId, VersionId};
use crate::domain::log::{LogKind, words_hash};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, Readable};

/// Evidence that is wanted now goes before what waits.
const AT_ONCE: u8 = 0;

/// A bar to be lifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lift {
    /// The case whose item is barred.
    pub case: CaseId,
    /// Who lifts it.
    pub user: UserId,
    /// Why the suspicion was wrong.
    pub reason: String,
    /// The version whose sealed evidence is metadata alone: it is to be captured in full.
    pub recapture: Option<VersionId>,
}

/// One lifting of an item's bar (see `copy_lifts` in the schema).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiftFacts {
    /// The item.
    pub item: i64,
    /// Who.
    pub user: i64,
    /// When.
    pub at: Timestamp,
    /// What `domain::log::words_hash` gives of the reason.
    pub words: ContentHash,
    /// Whether it has lifted its mark, and can lift no other.
    pub spent: bool,
}

#[derive(Serialize)]
struct LiftRecord {
    case: i64,
    item: i64,
    user: i64,
    words_sha256: ContentHash,
}

impl Store {
    /// Lifts the bar on copying a case's item. Where its evidence was sealed as metadata alone, the
    /// same text becomes a version of its own with evidence still to be taken, since a seal is never
    /// changed and nothing may be removed on a seal that does not hold the text.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where nothing is barred or a decision is being carried out;
    /// [`StoreError::Conflict`] where another version has come.
    pub async fn lift_copy_bar(
        &self,
        lift: Lift,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let refused = |why: &str| StoreError::Refused { why: why.into() };
            let case = the_case(tx, lift.case)?;
            let item = the_item(tx, case.item)?;
            if !item.no_copy {
                return Err(refused("Inlägget är inte spärrat."));
            }
            if unsettled(tx, case.id)? > 0 {
                return Err(refused(
                    "Ett beslut genomförs just nu. Vänta tills det är klart och försök igen.",
                ));
            }
            tx.execute(
                "insert into copy_lifts (item_id, user_id, at, reason) values (?1, ?2, ?3, ?4)",
                params![item.id.0, lift.user.0, ms(now), lift.reason],
            )?;
            tx.execute("update items set no_copy = 0 where id = ?1", [item.id.0])?;
            // Whoever was let in for the suspicion is in no circle of a later mark.
            tx.execute(
                "delete from circles where case_id = ?1
                   and (select secret from cases where id = ?1) = 0",
                [case.id.0],
            )?;
            index_item(tx, item.id)?;
            if let Some(version) = lift.recapture {
                if item.current_version != version {
                    return Err(StoreError::Conflict { what: "version" });
                }
                tx.execute(
                    "insert into versions (item_id, number, content_hash, text, author, attachments,
                       edited_at, presence, fetched_at, payload, exchange, assessed_by)
                     select item_id, (select max(number) + 1 from versions o where o.item_id = v.item_id),
                       content_hash, text, author, attachments, edited_at, presence, fetched_at,
                       payload, exchange, assessed_by
                     from versions v where id = ?1",
                    [version.0],
                )?;
                let again = VersionId(tx.last_insert_rowid());
                index_item(tx, item.id)?;
                // With its verdict: assessed once more, the very text would be barred once more.
                tx.execute(
                    "insert into verdicts (version_id, lexicon, at, verdict)
                     select ?2, lexicon, at, verdict from verdicts where version_id = ?1",
                    params![version.0, again.0],
                )?;
                tx.execute(
                    "update items set current_version_id = ?2 where id = ?1",
                    params![item.id.0, again.0],
                )?;
                want_evidence(tx, item.id, again, AT_ONCE, now)?;
                tx.execute(
                    "update cases set version_id = ?2 where id = ?1",
                    params![case.id.0, again.0],
                )?;
            }
            tx.execute(
                "update cases set revision = revision + 1, changed_at = ?2 where id = ?1",
                params![case.id.0, ms(now)],
            )?;
            let by = Some((lift.user, line.user_name.as_str()));
            let detail = format!("Skäl: {}", lift.reason);
            note_event(tx, case.id, by, "Spärren mot kopiering hävdes", Some(&detail), now)?;
            audit::append(tx, &line, now)?;
            let record = LiftRecord {
                case: case.id.0,
                item: item.id.0,
                user: lift.user.0,
                words_sha256: words_hash(&[&lift.reason]),
            };
            log::append(tx, LogKind::Lift, &record, now)?;
            Ok(())
        })
        .await
    }

    /// Liftings after `after`, in order, for verification.
    pub async fn lift_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<LiftFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(
                    "select id, item_id, user_id, at, reason, spent from copy_lifts
                     where id > ?1 order by id limit ?2",
                )?,
                params![after, most],
                |row| {
                    let reason: String = row.get(4)?;
                    Ok(LiftFacts {
                        item: row.get(1)?,
                        user: row.get(2)?,
                        at: at(row.get(3)?)?,
                        words: words_hash(&[&reason]),
                        spent: row.get(5)?,
                    })
                },
            )
        })
        .await
    }
}
