//! Requests of people about their own personal data, what they are about, and how they ended.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::audit;
use super::cases::{case_of_item, note_event, touch};
use super::holds::{covering, end_hold, hold_case};
use super::notices::tell_trouble;
use super::releases::asked_for;
use super::value::{at, from_json, json, maybe_at, maybe_row, ms, rows};
use crate::domain::ids::{CaseId, ContentHash, ItemId, UserId, VersionId};
use crate::domain::item::Author;
use crate::domain::subject::{SubjectKind, SubjectOutcome, SubjectRequest, stands_in};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;

/// A request to be noted.
#[derive(Clone)]
pub struct NewSubject {
    /// What is asked for.
    pub kind: SubjectKind,
    /// Whom it is about.
    pub whom: String,
    /// How the answer reaches them.
    pub asker: Option<String>,
    /// When it came in.
    pub received_at: Timestamp,
    /// When an answer is due.
    pub due_at: Timestamp,
    /// Who notes it.
    pub user: UserId,
}

/// An item in which the person writes or is spoken of.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The item.
    pub item: ItemId,
    /// The version in which they were found.
    pub version: VersionId,
    /// Whether the person wrote it.
    pub wrote: bool,
}

/// An item of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectItem {
    /// The item.
    pub item: ItemId,
    /// Its case.
    pub case: Option<CaseId>,
    /// Whether the person wrote it.
    pub wrote: bool,
    /// What is wrong in it, in their words.
    pub note: Option<String>,
}

/// The end of a request.
#[derive(Clone)]
pub struct EndOfSubject {
    /// Which.
    pub id: i64,
    /// How.
    pub outcome: SubjectOutcome,
    /// The words.
    pub words: String,
    /// The document.
    pub pdf: Option<Vec<u8>>,
    /// What the document tells of: items, and what was noted on each. What came or went meanwhile refuses the end.
    pub items: Vec<(ItemId, Option<String>)>,
    /// Cases that may be disposed of because of it.
    pub may_go: Vec<CaseId>,
    /// Who ends it.
    pub user: UserId,
}

const SUBJECT: &str = "s.id, s.kind, s.whom, s.asker, s.received_at,
    (select name from users u where u.id = s.opened_by), s.due_at, s.extended, s.ended_at,
    (select name from users u where u.id = s.ended_by), s.outcome, s.words, s.pdf is not null,
    (select count(*) from subject_items i where i.request_id = s.id)";

fn subject(row: &Row<'_>) -> Result<SubjectRequest, StoreError> {
    let bad = |what: String| StoreError::row("subject_requests", what);
    let kind: String = row.get(1)?;
    let ended = match (maybe_at(row.get(8)?)?, row.get::<_, Option<String>>(10)?) {
        (Some(at), Some(outcome)) => Some((
            at,
            row.get::<_, Option<String>>(9)?.unwrap_or_default(),
            SubjectOutcome::from_id(&outcome).ok_or_else(|| bad(outcome))?,
            row.get(11)?,
        )),
        (Some(_), None) | (None, Some(_) | None) => None,
    };
    Ok(SubjectRequest {
        id: row.get(0)?,
        kind: SubjectKind::from_id(&kind).ok_or_else(|| bad(kind))?,
        whom: row.get(2)?,
        asker: row.get(3)?,
        received_at: at(row.get(4)?)?,
        opened_by: row.get(5)?,
        due_at: at(row.get(6)?)?,
        extended: row.get(7)?,
        ended,
        has_pdf: row.get(12)?,
        n_items: row.get(13)?,
    })
}

fn the_subject(c: &Connection, id: i64) -> Result<SubjectRequest, StoreError> {
    maybe_row(
        &mut c
            .prepare_cached(&format!("select {SUBJECT} from subject_requests s where s.id = ?1"))?,
        [id],
        subject,
    )?
    .ok_or(StoreError::NotFound { what: "request" })
}

fn pending(c: &Connection, id: i64) -> Result<SubjectRequest, StoreError> {
    let row = the_subject(c, id)?;
    match row.ended {
        None => Ok(row),
        Some(_) => Err(StoreError::Refused { why: "Begäran är redan avslutad.".into() }),
    }
}

fn items(c: &Connection, id: i64) -> Result<Vec<SubjectItem>, StoreError> {
    rows(
        &mut c.prepare_cached(
            "select item_id, case_id, wrote, note from subject_items where request_id = ?1 order by item_id",
        )?,
        [id],
        |row| {
            Ok(SubjectItem {
                item: ItemId(row.get(0)?),
                case: row.get::<_, Option<i64>>(1)?.map(CaseId),
                wrote: row.get(2)?,
                note: row.get(3)?,
            })
        },
    )
}

/// Lifts what was exempted because of an item of a request, where that still stands.
fn let_go(
    tx: &Transaction<'_>,
    id: i64,
    item: ItemId,
    user: UserId,
    line: &AuditLine,
    now: Timestamp,
) -> Result<(), StoreError> {
    let own: Option<i64> = tx
        .prepare_cached("select hold_id from subject_items where request_id = ?1 and item_id = ?2")?
        .query_row(params![id, item.0], |row| row.get(0))?;
    let standing = covering(tx, item)?;
    if let (Some(own), Some(standing)) = (own, standing)
        && standing.id.0 == own
    {
        end_hold(tx, &standing, user, format!("Begäran {id} är besvarad."), line, now)?;
        // What somebody else's request for public records still touches stays exempt because of that one.
        if let Some(release) = asked_for(tx, standing.case, None)? {
            let why = format!("Begäran {release} om utlämnande av allmän handling.");
            hold_case(tx, standing.case, user, why, line, Some(release.0), now)?;
        }
    }
    Ok(())
}

impl Store {
    /// Notes a request. Gives its number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_subject(
        &self,
        new: NewSubject,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        self.write(move |tx| {
            tx.execute(
                "insert into subject_requests (kind, whom, asker, received_at, opened_at, opened_by, due_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    new.kind.id(),
                    new.whom,
                    new.asker,
                    ms(new.received_at),
                    ms(now),
                    new.user.0,
                    ms(new.due_at)
                ],
            )?;
            let id = tx.last_insert_rowid();
            let subject = format!("subject request {id}");
            let detail = Some(new.kind.label().to_owned());
            audit::append(tx, &AuditLine { subject, detail, ..line.clone() }, now)?;
            Ok(id)
        })
        .await
    }

    /// Requests: pending ones first, by when they are due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn subjects(&self, most: u32) -> Result<Vec<SubjectRequest>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {SUBJECT} from subject_requests s
                     order by s.ended_at is not null, case when s.ended_at is null then s.due_at end, s.id desc
                     limit ?1"
                ))?,
                [most],
                subject,
            )
        })
        .await
    }

    /// One request with what it is about.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn subject(&self, id: i64) -> Result<(SubjectRequest, Vec<SubjectItem>), StoreError> {
        self.read(move |c| Ok((the_subject(c, id)?, items(c, id)?))).await
    }

    /// Makes the time of a request longer, once, with the reason.
    ///
    /// # Errors
    /// [`StoreError::Refused`].
    pub async fn extend_subject(
        &self,
        id: i64,
        due_at: Timestamp,
        reason: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let row = pending(tx, id)?;
            let refused = |why: &str| Err(StoreError::Refused { why: why.into() });
            if row.extended.is_some() {
                return refused("Tiden har redan förlängts en gång.");
            }
            if now > row.due_at {
                return refused("Den första tiden är ute: den kan bara förlängas inom en månad.");
            }
            tx.execute(
                "update subject_requests set due_at = ?2, extended = ?3 where id = ?1",
                params![id, ms(due_at), reason],
            )?;
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Items that somebody of such a name or account wrote (`names`, each compared without regard to case), or in
    /// whose text one of these spellings stands; newest first, without those to `skip`. For a request of that
    /// person alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_person(
        &self,
        names: Vec<String>,
        spellings: Vec<String>,
        skip: BTreeSet<ItemId>,
        most: usize,
    ) -> Result<Vec<Found>, StoreError> {
        self.read(move |c| {
            let small: Vec<_> = names
                .iter()
                .map(|name| name.trim_start_matches('@').to_lowercase())
                .filter(|name| !name.is_empty())
                .collect();
            let is = |told: Option<&String>| {
                told.is_some_and(|told| {
                    let told = told.trim().trim_start_matches('@').to_lowercase();
                    small.contains(&told)
                })
            };
            // Every text is gone through: nothing is kept by author to be asked.
            let mut ask = c.prepare(
                "select v.item_id, v.id, v.author, exists (
                   select 1 from json_each(?1) s where instr(v.text, s.value) > 0) as spoken, v.text
                 from versions v join items i on i.id = v.item_id
                 where i.by_us = 0 and (spoken or exists (
                   select 1 from json_each(?1) s where instr(v.author, s.value) > 0))
                 order by v.id desc",
            )?;
            let mut found: Vec<Found> = Vec::new();
            let mut all = ask.query([json(&spellings)?])?;
            while let Some(row) = all.next()? {
                let item = ItemId(row.get(0)?);
                if skip.contains(&item) {
                    continue;
                }
                let author: Author = from_json("versions", &row.get::<_, String>(2)?)?;
                let wrote = is(author.name.as_ref())
                    || is(author.handle.as_ref())
                    || is(author.platform_id.as_ref());
                // Within another word it is no name.
                let is_named = || -> Result<bool, StoreError> {
                    Ok(row.get::<_, bool>(3)? && stands_in(&row.get::<_, String>(4)?, &spellings))
                };
                if !wrote && !is_named()? {
                    continue;
                }
                if let Some(known) = found.iter_mut().find(|known| known.item == item) {
                    known.wrote |= wrote;
                    continue;
                }
                if found.len() >= most {
                    break;
                }
                found.push(Found { item, version: VersionId(row.get(1)?), wrote });
            }
            Ok(found)
        })
        .await
    }

    /// Adds items to a request; their cases are exempted from disposal while it is pending.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it has ended.
    pub async fn add_to_subject(
        &self,
        id: i64,
        chosen: Vec<(ItemId, bool)>,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            pending(tx, id)?;
            for (item, wrote) in &chosen {
                let case = case_of_item(tx, *item)?.map(|case| case.id);
                let is_new = tx
                    .prepare_cached(
                        "insert into subject_items (request_id, item_id, case_id, wrote, added_at)
                         values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
                    )?
                    .execute(params![id, item.0, case.map(|case| case.0), wrote, ms(now)])?
                    > 0;
                let Some(case) = case.filter(|_| is_new) else { continue };
                let by = Some((user, line.user_name.as_str()));
                let what = "Ingår i en begäran från en registrerad";
                note_event(tx, case, by, what, Some(&format!("Begäran {id}")), now)?;
                touch(tx, case, now)?;
                if covering(tx, *item)?.is_none() {
                    let reason = format!("Begäran {id} från en registrerad väntar på svar.");
                    hold_case(tx, case, user, reason, &line, None, now)?;
                    tx.execute(
                        "update subject_items set hold_id = (select max(id) from holds where case_id = ?3)
                         where request_id = ?1 and item_id = ?2",
                        params![id, item.0, case.0],
                    )?;
                }
            }
            let detail = Some(format!("{} inlägg", chosen.len()));
            audit::append(tx, &AuditLine { detail, ..line.clone() }, now)
        })
        .await
    }

    /// Takes an item out of a request.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it has ended.
    pub async fn drop_from_subject(
        &self,
        id: i64,
        item: ItemId,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            pending(tx, id)?;
            if !items(tx, id)?.iter().any(|known| known.item == item) {
                return Err(StoreError::NotFound { what: "item" });
            }
            let_go(tx, id, item, user, &line, now)?;
            tx.execute(
                "delete from subject_items where request_id = ?1 and item_id = ?2",
                params![id, item.0],
            )?;
            audit::append(
                tx,
                &AuditLine { detail: Some(format!("item {item}")), ..line.clone() },
                now,
            )
        })
        .await
    }

    /// Joins what the person says is wrong to an item's case. Nothing that was sealed is changed by it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the request has ended; [`StoreError::NotFound`] for another item.
    pub async fn note_on_subject(
        &self,
        id: i64,
        item: ItemId,
        note: String,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            pending(tx, id)?;
            let known = items(tx, id)?.into_iter().find(|known| known.item == item);
            let known = known.ok_or(StoreError::NotFound { what: "item" })?;
            tx.execute(
                "update subject_items set note = ?3 where request_id = ?1 and item_id = ?2",
                params![id, item.0, note],
            )?;
            if let Some(case) = known.case {
                let by = Some((user, line.user_name.as_str()));
                let detail = format!("Begäran {id}. {note}");
                note_event(
                    tx,
                    case,
                    by,
                    "Rättelse antecknades på begäran av en registrerad",
                    Some(&detail),
                    now,
                )?;
                touch(tx, case, now)?;
            }
            audit::append(
                tx,
                &AuditLine { detail: Some(format!("item {item}")), ..line.clone() },
                now,
            )
        })
        .await
    }

    /// Ends a request: its document is kept, its exemptions are lifted, and what may go is a task for whoever
    /// disposes.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it has ended.
    pub async fn end_subject(
        &self,
        end: EndOfSubject,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let row = pending(tx, end.id)?;
            let id = end.id;
            let now_there = items(tx, id)?.into_iter().map(|known| (known.item, known.note));
            if !now_there.eq(end.items.iter().cloned()) {
                return Err(StoreError::Refused {
                    why: "Begäran har ändrats medan svaret skrevs: inlägg eller anteckningar har kommit till eller tagits bort. Läs den på nytt och svara sedan. Inget är avslutat.".into(),
                });
            }
            let by = Some((end.user, line.user_name.as_str()));
            let mut told: Vec<CaseId> = Vec::new();
            for item in items(tx, id)? {
                let_go(tx, id, item.item, end.user, &line, now)?;
                if let Some(case) = item.case.filter(|case| !told.contains(case)) {
                    told.push(case);
                    let detail = format!("Begäran {id} om {}: {}", row.kind.label(), end.outcome.label());
                    note_event(tx, case, by, "En registrerad fick svar", Some(&detail), now)?;
                    touch(tx, case, now)?;
                }
            }
            let pdf_sha256 = end.pdf.as_ref().map(|pdf| ContentHash::of(pdf));
            tx.execute(
                "update subject_requests set ended_at = ?2, ended_by = ?3, outcome = ?4, words = ?5, pdf = ?6,
                        pdf_sha256 = ?7 where id = ?1",
                params![
                    id,
                    ms(now),
                    end.user.0,
                    end.outcome.id(),
                    end.words,
                    end.pdf,
                    pdf_sha256.map(|hash| hash.bytes().to_vec())
                ],
            )?;
            if !end.may_go.is_empty() {
                let cases: Vec<_> = end.may_go.iter().map(CaseId::to_string).collect();
                tell_trouble(
                    tx,
                    &format!("subject {id}"),
                    "subject",
                    None,
                    "arkivarie",
                    &format!("Begäran {id} om radering: gallra ärende {}", cases.join(", ")),
                    "Tiden i gallringsplanen har gått, och den registrerade har fått besked om att uppgifterna gallras. Föreslå gallringen på sidan Gallring.",
                    now,
                )?;
            }
            let sum = pdf_sha256.map_or(String::new(), |hash| format!(", SHA-256 {hash}"));
            let detail = Some(format!("{}{sum}", end.outcome.label()));
            audit::append(tx, &AuditLine { detail, ..line.clone() }, now)
        })
        .await
    }

    /// The document that a request ended with.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none, or it has been disposed of.
    pub async fn subject_document(&self, id: i64) -> Result<Vec<u8>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached("select pdf from subject_requests where id = ?1")?,
                [id],
                |row| Ok(row.get::<_, Option<Vec<u8>>>(0)?),
            )?
            .flatten()
            .ok_or(StoreError::NotFound { what: "document" })
        })
        .await
    }

    /// Whether somebody waits for an answer about their data: until then nothing is swept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_pending_subject(&self) -> Result<bool, StoreError> {
        self.read(|c| {
            Ok(c.prepare_cached("select 1 from subject_requests where ended_at is null")?
                .exists([])?)
        })
        .await
    }

    /// Makes names, words and documents of requests go that ended before then with all that was asked for, or by
    /// whoever asked. A refusal is a decision that can be appealed: it goes only by a rule that names such requests
    /// (`refusals`). Says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_subjects(
        &self,
        before: Timestamp,
        refusals: bool,
        decision: String,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(move |tx| {
            // What was noted as wrong stands in the history of its case as well.
            tx.execute(
                "update subject_items set note = null where note is not null and request_id in
                   (select id from subject_requests where ended_at < ?1 and forgotten_at is null
                      and (?2 or outcome in ('granted', 'withdrawn')))",
                params![ms(before), refusals],
            )?;
            let n = tx.execute(
                "update subject_requests set whom = null, asker = null, words = null, pdf = null, forgotten_at = ?2
                 where ended_at < ?1 and forgotten_at is null and (?3 or outcome in ('granted', 'withdrawn'))",
                params![ms(before), ms(now), refusals],
            )?;
            if n > 0 {
                let detail = format!("{n} besvarade begäranden, {decision}");
                audit::swept(tx, "disposal.subjects", "subject requests", detail, now)?;
            }
            Ok(n as u64)
        })
        .await
    }
}
