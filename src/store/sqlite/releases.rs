//! Requests for public records (*utlämnande av allmän handling*): what they are about, what is masked, how they
//! ended. What a pending one touches is exempt from disposal.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::bars::cut_off;
use super::cases::note_event;
use super::holds::{end_hold, hold_case, of_a_request, standing};
use super::value::{at, each_row, from_json, hash, json, maybe_at, maybe_row, ms, rows};
use super::{audit, log};
use crate::domain::evidence::CutOff;
use crate::domain::ids::{CaseId, ContentHash, EvidenceId, UserId, VersionId};
use crate::domain::log::{LogKind, words_hash};
use crate::domain::release::{Mask, Release, ReleaseId, ReleaseOutcome, ReleaseRecord};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::handed::{ReleaseFacts, RuledFacts, RuledRecord};
use crate::store::rows::{AuditLine, Readable};

const RELEASE: &str =
    "r.id, r.subject, r.asker, r.opened_at, (select name from users u where u.id = r.opened_by),
     r.ended_at, (select name from users u where u.id = r.ended_by), r.outcome, r.words, r.pdf_sha256,
     (select count(*) from release_records x where x.release_id = r.id)";

/// The end of a request, to be committed.
#[derive(Clone)]
pub struct EndOfRelease {
    /// The request.
    pub release: ReleaseId,
    /// Who ends it.
    pub user: UserId,
    /// How.
    pub outcome: ReleaseOutcome,
    /// How it was handed over, or why not.
    pub words: String,
    /// The document that was handed out.
    pub pdf: Option<ContentHash>,
    /// The records as they were when the document was made: none may have changed since.
    pub records: Vec<ReleaseRecord>,
    /// Those of which something is in the document.
    pub handed_out: Vec<EvidenceId>,
    /// What is written on each of these, in the same breath.
    pub lines: Vec<AuditLine>,
    /// Drawn at random: nobody can guess what was masked from the hash that stays.
    pub salt: [u8; 32],
}

fn outcome(id: &str) -> Result<ReleaseOutcome, StoreError> {
    ReleaseOutcome::from_id(id)
        .ok_or_else(|| StoreError::row("releases", format!("outcome `{id}`")))
}

fn release(row: &Row<'_>) -> Result<Release, StoreError> {
    let ended = match maybe_at(row.get(5)?)? {
        Some(at) => {
            let words = row.get::<_, Option<String>>(8)?.unwrap_or_default();
            Some((at, row.get(6)?, outcome(&row.get::<_, String>(7)?)?, words))
        }
        None => None,
    };
    Ok(Release {
        id: ReleaseId(row.get(0)?),
        subject: row.get(1)?,
        asker: row.get(2)?,
        opened: (at(row.get(3)?)?, row.get(4)?),
        ended,
        pdf: pdf_of(row.get(9)?)?,
        n_records: row.get(10)?,
    })
}

fn pdf_of(bytes: Option<Vec<u8>>) -> Result<Option<ContentHash>, StoreError> {
    bytes.map(|bytes| hash("releases", &bytes)).transpose()
}

fn record(row: &Row<'_>) -> Result<ReleaseRecord, StoreError> {
    Ok(ReleaseRecord {
        evidence: EvidenceId(row.get(0)?),
        case: CaseId(row.get(1)?),
        withheld: row.get(2)?,
        sender_withheld: row.get(4)?,
        masks: from_json("release_records", &row.get::<_, String>(3)?)?,
    })
}

fn records(c: &Connection, id: ReleaseId) -> Result<Vec<ReleaseRecord>, StoreError> {
    rows(
        &mut c.prepare_cached(
            "select evidence_id, case_id, withheld, masks, sender_withheld from release_records
             where release_id = ?1 order by evidence_id",
        )?,
        [id.0],
        record,
    )
}

fn the_release(c: &Connection, id: ReleaseId) -> Result<Release, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!("select {RELEASE} from releases r where r.id = ?1"))?,
        [id.0],
        release,
    )?
    .ok_or(StoreError::NotFound { what: "release" })
}

/// Refuses what has ended.
fn pending(c: &Connection, id: ReleaseId) -> Result<Release, StoreError> {
    let row = the_release(c, id)?;
    match row.ended {
        None => Ok(row),
        Some(_) => Err(StoreError::Refused {
            why: "Begäran är avslutad. Öppna en ny om något mer ska lämnas ut.".into(),
        }),
    }
}

/// Another pending request that a case is part of.
pub(super) fn asked_for(
    c: &Connection,
    case: CaseId,
    but: Option<ReleaseId>,
) -> Result<Option<ReleaseId>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(
            "select r.id from release_records x join releases r on r.id = x.release_id
             where x.case_id = ?1 and r.ended_at is null and r.id is not ?2 order by r.id limit 1",
        )?,
        params![case.0, but.map(|id| id.0)],
        |row| Ok(ReleaseId(row.get(0)?)),
    )
}

/// A request for a case that ended since a moment in a refusal, in whole or in part: that can be appealed.
fn refused_since(
    c: &Connection,
    case: CaseId,
    since: Timestamp,
    but: ReleaseId,
) -> Result<bool, StoreError> {
    Ok(c.prepare_cached(
        "select 1 from release_records x join releases r on r.id = x.release_id
         where x.case_id = ?1 and r.id <> ?2 and r.ended_at >= ?3
           and (r.outcome = 'refused' or r.outcome = 'released' and exists (
             select 1 from release_records y where y.release_id = r.id
               and (y.withheld is not null or y.sender_withheld is not null or y.masks <> '[]')))",
    )?
    .exists(params![case.0, but.0, ms(since)])?)
}

/// Lifts the exemption that requests have set, where none touches the case any more and none was refused.
fn let_go(
    tx: &Transaction<'_>,
    case: CaseId,
    id: ReleaseId,
    user: UserId,
    line: &AuditLine,
    now: Timestamp,
) -> Result<(), StoreError> {
    if asked_for(tx, case, Some(id))?.is_some() {
        return Ok(());
    }
    let Some(known) = standing(tx, case)? else { return Ok(()) };
    if !of_a_request(tx, &known)? || refused_since(tx, case, known.set_at, id)? {
        return Ok(());
    }
    let reason = format!("Begäran {id} om utlämnande rör det inte längre.");
    end_hold(tx, &known, user, reason, line, now)
}

/// All that the leaf of an end holds.
fn words(
    release: &Release,
    end: (ReleaseOutcome, &str),
    pdf: Option<ContentHash>,
    records: &str,
) -> ContentHash {
    let pdf = pdf.map(|hash| hash.to_hex()).unwrap_or_default();
    let asker = release.asker.as_deref().unwrap_or("");
    words_hash(&[&release.subject, asker, end.0.id(), end.1, &pdf, records])
}

/// The records of an ended request as its leaf holds them. Phrases stand there as a hash, so that they can go
/// when the record does; a request that ended before there were such hashes holds them as they are.
fn records_text(c: &Connection, id: ReleaseId) -> Result<String, StoreError> {
    let told = rows(
        &mut c.prepare_cached(
            "select evidence_id, case_id, withheld, masks, sender_withheld, masks_sha256 from release_records
             where release_id = ?1 order by evidence_id",
        )?,
        [id.0],
        |row| {
            let record = record(row)?;
            let (evidence, case) = (record.evidence.0, record.case.0);
            match row.get::<_, Option<Vec<u8>>>(5)? {
                Some(masks) => {
                    let masks = hash("release_records", &masks)?;
                    json(&(evidence, case, &record.withheld, &record.sender_withheld, masks))
                }
                None => json(&(evidence, case, &record.withheld, &record.masks)),
            }
        },
    )?;
    Ok(format!("[{}]", told.join(",")))
}

/// Puts the hash of what is masked beside each record of a request that ends.
fn seal_masks(tx: &Transaction<'_>, id: ReleaseId, salt: [u8; 32]) -> Result<(), StoreError> {
    let drawn = ContentHash::of(&salt).to_hex();
    for record in records(tx, id)? {
        // One of its own for each record: they do not go together.
        let salt = words_hash(&[&drawn, &record.evidence.to_string()]);
        let masks = words_hash(&[&salt.to_hex(), &json(&record.masks)?]);
        tx.prepare_cached(
            "update release_records set mask_salt = ?3, masks_sha256 = ?4
             where release_id = ?1 and evidence_id = ?2",
        )?
        .execute(params![id.0, record.evidence.0, salt.bytes(), masks.bytes()])?;
    }
    Ok(())
}

/// Whether each record that still has its phrases has those that its hash is of.
fn masks_are_whole(c: &Connection, id: ReleaseId) -> Result<bool, StoreError> {
    let all = rows(
        &mut c.prepare_cached(
            "select mask_salt, masks, masks_sha256 from release_records
             where release_id = ?1 and masks_sha256 is not null and mask_salt is not null",
        )?,
        [id.0],
        |row| {
            let salt = hash("release_records", &row.get::<_, Vec<u8>>(0)?)?;
            let masks: String = row.get(1)?;
            let known = hash("release_records", &row.get::<_, Vec<u8>>(2)?)?;
            Ok(words_hash(&[&salt.to_hex(), &masks]) == known)
        },
    )?;
    Ok(all.into_iter().all(|whole| whole))
}

impl Store {
    /// Notes a request.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_release(
        &self,
        user: UserId,
        subject: String,
        asker: Option<String>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<ReleaseId, StoreError> {
        self.write(move |tx| {
            tx.execute(
                "insert into releases (subject, asker, opened_at, opened_by) values (?1, ?2, ?3, ?4)",
                params![subject, asker, ms(now), user.0],
            )?;
            let id = ReleaseId(tx.last_insert_rowid());
            let line = AuditLine { subject: format!("release {id}"), ..line.clone() };
            audit::append(tx, &line, now)?;
            Ok(id)
        })
        .await
    }

    /// How many requests the audit log says came in that are not there.
    pub async fn missing_releases(&self) -> Result<u64, StoreError> {
        self.read(|c| {
            let sql = "select count(*) from audit a where a.act = 'release.open'
                 and not exists (select 1 from releases r where a.subject = 'release ' || r.id)";
            Ok(c.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
        })
        .await
    }

    /// Requests of which the audit log does not say that they came in then, to that person: at most `most`.
    pub async fn untold_releases(&self, most: u32) -> Result<Vec<i64>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select r.id from releases r where not exists (
                       select 1 from audit a where a.act = 'release.open' and a.subject = 'release ' || r.id
                         and a.at = r.opened_at and a.user_id = r.opened_by)
                     order by r.id limit ?1",
                )?,
                [most],
                |row| Ok(row.get(0)?),
            )
        })
        .await
    }

    /// A request.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn release(&self, id: ReleaseId) -> Result<Release, StoreError> {
        self.read(move |c| the_release(c, id)).await
    }

    /// Whether anybody waits for public records.
    pub async fn has_pending_release(&self) -> Result<bool, StoreError> {
        self.read(|c| {
            Ok(c.prepare_cached("select 1 from releases where ended_at is null")?.exists([])?)
        })
        .await
    }

    /// Its records, by number.
    pub async fn release_records(&self, id: ReleaseId) -> Result<Vec<ReleaseRecord>, StoreError> {
        self.read(move |c| records(c, id)).await
    }

    /// Requests, pending ones first, then the newest.
    pub async fn releases(&self, most: u32) -> Result<Vec<Release>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {RELEASE} from releases r order by r.ended_at is not null, r.id desc limit ?1"
                ))?,
                [most],
                release,
            )
        })
        .await
    }

    /// Adds records with what is proposed to be masked, and exempts their cases from disposal.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the request has ended.
    pub async fn add_to_release(
        &self,
        id: ReleaseId,
        user: UserId,
        added: Vec<ReleaseRecord>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            pending(tx, id)?;
            for record in &added {
                let masks = json(&record.masks)?;
                let n = tx.execute(
                    "insert into release_records
                       (release_id, evidence_id, case_id, added_at, withheld, masks, sender_withheld)
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict do nothing",
                    params![
                        id.0,
                        record.evidence.0,
                        record.case.0,
                        ms(now),
                        record.withheld,
                        masks,
                        record.sender_withheld
                    ],
                )?;
                if n == 0 {
                    continue;
                }
                audit::append(
                    tx,
                    &AuditLine { detail: Some(format!("bevis {}", record.evidence)), ..line.clone() },
                    now,
                )?;
                if standing(tx, record.case)?.is_none() {
                    let reason = format!("Begäran {id} om utlämnande av allmän handling.");
                    hold_case(tx, record.case, user, reason, &line, Some(id.0), now)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Sets what of a record is masked or withheld.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the request has ended; [`StoreError::NotFound`].
    pub async fn mask_in_release(
        &self,
        id: ReleaseId,
        evidence: EvidenceId,
        (withheld, sender_withheld): (Option<String>, Option<String>),
        masks: Vec<Mask>,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            pending(tx, id)?;
            let n = tx.execute(
                "update release_records set withheld = ?3, masks = ?4, sender_withheld = ?5
                 where release_id = ?1 and evidence_id = ?2",
                params![id.0, evidence.0, withheld, json(&masks)?, sender_withheld],
            )?;
            if n == 0 {
                return Err(StoreError::NotFound { what: "record of the release" });
            }
            audit::append(tx, &line, now)
        })
        .await
    }

    /// Takes a record out of a request, and lifts its exemption.
    ///
    /// # Errors
    /// As [`Store::mask_in_release`].
    pub async fn drop_from_release(
        &self,
        id: ReleaseId,
        evidence: EvidenceId,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            pending(tx, id)?;
            let known = records(tx, id)?;
            let record = known
                .iter()
                .find(|record| record.evidence == evidence)
                .ok_or(StoreError::NotFound { what: "record of the release" })?;
            tx.execute(
                "delete from release_records where release_id = ?1 and evidence_id = ?2",
                params![id.0, evidence.0],
            )?;
            audit::append(tx, &line, now)?;
            let is_left = known.iter().any(|r| r.case == record.case && r.evidence != evidence);
            match is_left {
                true => Ok(()),
                false => let_go(tx, record.case, id, user, &line, now),
            }
        })
        .await
    }

    /// Ends a request. Exemptions that it has set are lifted where all was handed out or the request was taken
    /// back; a refusal, in whole or in part, can be appealed, so there they stay until a person lifts them.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it has ended; [`StoreError::Conflict`] where its records have
    /// changed since the document was made.
    pub async fn end_release(
        &self,
        end: EndOfRelease,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let id = end.release;
            let row = pending(tx, id)?;
            let known = records(tx, id)?;
            if known != end.records {
                return Err(StoreError::Conflict { what: "release" });
            }
            // Suspected while the document was made: what went into it may not go out.
            for evidence in &end.handed_out {
                let version = tx
                    .prepare_cached("select version_id from evidence where id = ?1")?
                    .query_row([evidence.0], |row| Ok(VersionId(row.get(0)?)))?;
                if cut_off(tx, version)? == CutOff::Everything {
                    return Err(StoreError::Refused {
                        why: "Något i begäran får inte längre kopieras. Läs om sidan och gå igenom handlingarna igen.".into(),
                    });
                }
            }
            let mut cases: Vec<_> = known.iter().map(|record| record.case).collect();
            cases.sort_unstable();
            cases.dedup();
            let by = Some((end.user, line.user_name.as_str()));
            let goes_out = |case: CaseId| {
                known.iter().any(|r| r.case == case && end.handed_out.contains(&r.evidence))
            };
            for case in &cases {
                let what = match end.outcome {
                    ReleaseOutcome::Released if goes_out(*case) => "Lämnades ut som allmän handling",
                    ReleaseOutcome::Released | ReleaseOutcome::Refused => "Begäran om utlämnande avslogs",
                    ReleaseOutcome::Withdrawn => "Begäran om utlämnande återtogs",
                };
                note_event(tx, *case, by, what, Some(&format!("Begäran {id}. {}", end.words)), now)?;
            }
            for line in &end.lines {
                audit::append(tx, line, now)?;
            }
            audit::append(tx, &line, now)?;
            seal_masks(tx, id, end.salt)?;
            let told = records_text(tx, id)?;
            let words_sha256 = words(&row, (end.outcome, &end.words), end.pdf, &told);
            let record = RuledRecord { row: id.0, case: None, user: end.user.0, words_sha256 };
            // After the lines it is to hold.
            let seq = log::append(tx, LogKind::Release, &record, now)?;
            tx.execute(
                "update releases set ended_at = ?2, ended_by = ?3, outcome = ?4, words = ?5, pdf_sha256 = ?6, log_seq = ?7
                 where id = ?1",
                params![
                    id.0,
                    ms(now),
                    end.user.0,
                    end.outcome.id(),
                    end.words,
                    end.pdf.map(|hash| hash.bytes().to_vec()),
                    seq
                ],
            )?;
            let is_partial = known
                .iter()
                .any(|r| r.withheld.is_some() || r.sender_withheld.is_some() || !r.masks.is_empty());
            let may_be_appealed = match end.outcome {
                ReleaseOutcome::Released => is_partial,
                ReleaseOutcome::Refused => true,
                ReleaseOutcome::Withdrawn => false,
            };
            for case in cases.into_iter().filter(|_| !may_be_appealed) {
                let_go(tx, case, id, end.user, &line, now)?;
            }
            Ok(())
        })
        .await
    }

    /// What has become of the records of a request since: whether some were disposed of, and whether the content
    /// of some is cut off that went into the document. Of what was withheld nothing did.
    pub async fn release_now(&self, id: ReleaseId) -> Result<(bool, bool), StoreError> {
        self.read(move |c| {
            let versions = rows(
                &mut c.prepare_cached(
                    "select e.version_id, e.state = 'disposed', r.withheld is not null from release_records r
                     join evidence e on e.id = r.evidence_id where r.release_id = ?1",
                )?,
                [id.0],
                |row| {
                    Ok((VersionId(row.get(0)?), row.get::<_, bool>(1)?, row.get::<_, bool>(2)?))
                },
            )?;
            let disposed = versions.iter().any(|(_, disposed, _)| *disposed);
            let mut barred = false;
            for (version, _, withheld) in versions {
                barred |= !withheld && cut_off(c, version)? == CutOff::Everything;
            }
            Ok((disposed, barred))
        })
        .await
    }

    /// Whether anything that was handed out for a request is disposed of.
    pub async fn release_is_disposed(&self, id: ReleaseId) -> Result<bool, StoreError> {
        self.read(move |c| {
            Ok(c.prepare_cached(
                "select 1 from release_records r join evidence e on e.id = r.evidence_id
                 where r.release_id = ?1 and e.state = 'disposed'",
            )?
            .exists([id.0])?)
        })
        .await
    }

    /// Requests that were handed out and of whose records some were disposed of since: their documents go, too.
    pub async fn releases_disposed(&self) -> Result<Vec<ReleaseId>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(
                    "select distinct x.id from releases x
                     cross join release_records r on r.release_id = x.id
                     cross join evidence e on e.id = r.evidence_id
                     where x.outcome = 'released' and e.state = 'disposed'",
                )?,
                [],
                |row| Ok(ReleaseId(row.get(0)?)),
            )
        })
        .await
    }

    /// Ended requests after `after`, in order, for verification.
    pub async fn release_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<ReleaseFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(&format!(
                    "select r.id, {RELEASE}, r.ended_by, r.pdf_sha256, r.log_seq from releases r
                     where r.id > ?1 and r.ended_at is not null order by r.id limit ?2"
                ))?,
                params![after, most],
                |row| {
                    // The number stands first, where each_row looks for it, and once more in its own place.
                    let id: i64 = row.get(0)?;
                    let of = |n: usize| n + 1;
                    let (subject, asker) = (row.get(of(1))?, row.get(of(2))?);
                    let end: String = row.get(of(7))?;
                    let said: String = row.get(of(8))?;
                    let ended_at = at(row.get(of(5))?)?;
                    let pdf = pdf_of(row.get(13)?)?;
                    let known = Release {
                        id: ReleaseId(id),
                        subject,
                        asker,
                        opened: (ended_at, String::new()),
                        ended: None,
                        pdf,
                        n_records: 0,
                    };
                    let told = records_text(c, ReleaseId(id))?;
                    // Phrases that are not those of the hash make it another text.
                    let told = match masks_are_whole(c, ReleaseId(id))? {
                        true => told,
                        false => String::new(),
                    };
                    let facts = RuledFacts {
                        row: id,
                        case: None,
                        user: row.get(12)?,
                        at: ended_at,
                        words: words(&known, (outcome(&end)?, &said), pdf, &told),
                        log_seq: row.get(14)?,
                    };
                    Ok(ReleaseFacts { facts, pdf })
                },
            )
        })
        .await
    }
}
