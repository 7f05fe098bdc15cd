//! Evidence records: wanted, sealed with a leaf in the log, never changed again.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;

use super::assessments::want_evidence;
use super::bars::page_state;
use super::blobs::note_blobs;
use super::cases::{case_of_item, note_event, touch};
use super::items::{the_item, the_version};
use super::log;
use super::value::{at, each_row, hash, maybe_row, ms, rows};
use crate::domain::ids::{CaseId, ContentHash, EvidenceId, ItemId, VersionId};
use crate::domain::log::LogKind;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{EvidenceRow, EvidenceState, PageState, Readable, SealHolds};

const EVIDENCE: &str = "e.id, e.version_id, e.item_id, e.state, e.manifest_hash, e.log_seq, e.sealed_at, e.attempts, e.problem";

/// What the log says of a seal.
#[derive(Serialize)]
struct SealRecord<'a> {
    evidence: i64,
    account: &'a str,
    platform_id: &'a str,
    version: u32,
    content_sha256: ContentHash,
    manifest_sha256: ContentHash,
}

fn evidence_row(row: &Row<'_>) -> Result<EvidenceRow, StoreError> {
    let state: String = row.get(3)?;
    let sealed = || -> Result<_, StoreError> {
        let manifest = hash("evidence", &row.get::<_, Vec<u8>>(4)?)?;
        Ok((manifest, row.get::<_, u64>(5)?, at(row.get(6)?)?))
    };
    let state = match state.as_str() {
        "wanted" => EvidenceState::Wanted,
        "sealed" => {
            let (manifest, log_seq, at) = sealed()?;
            EvidenceState::Sealed { manifest, log_seq, at }
        }
        "disposed" => {
            let (manifest, log_seq, at) = sealed()?;
            EvidenceState::Disposed { manifest, log_seq, at }
        }
        other => return Err(StoreError::row("evidence", format!("state `{other}`"))),
    };
    Ok(EvidenceRow {
        id: EvidenceId(row.get(0)?),
        version: VersionId(row.get(1)?),
        item: ItemId(row.get(2)?),
        state,
        attempts: row.get(7)?,
        problem: row.get(8)?,
    })
}

/// The record of a version, if evidence was ever asked for.
pub(super) fn of_version(
    c: &Connection,
    version: VersionId,
) -> Result<Option<EvidenceRow>, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!(
            "select {EVIDENCE} from evidence e where e.version_id = ?1"
        ))?,
        [version.0],
        evidence_row,
    )
}

/// Why a seal on this may not be set, in Swedish.
fn not_to_be_sealed(
    c: &Connection,
    version: VersionId,
    item: ItemId,
    holds: SealHolds,
) -> Result<Option<&'static str>, StoreError> {
    if holds == SealHolds::MetadataOnly {
        return Ok(None);
    }
    if the_item(c, item)?.no_copy {
        return Ok(Some("Inlägget får inte kopieras; det förseglas med bara uppgifter om det."));
    }
    if holds == SealHolds::Copies {
        return Ok(None);
    }
    Ok(match page_state(c, version)? {
        PageState::Clean => None,
        PageState::Barred | PageState::Unread => {
            Some("På samma sida står något som inte får kopieras; beviset tas utan bild.")
        }
        PageState::Unassessed => {
            Some("På samma sida kom något nytt medan beviset togs; det tas en gång till.")
        }
    })
}

impl Store {
    /// Asks for evidence of a version and gives the record, sealed or not.
    pub async fn want_evidence(
        &self,
        version: VersionId,
        now: Timestamp,
    ) -> Result<EvidenceRow, StoreError> {
        self.write(move |tx| {
            let item = the_version(tx, version)?.item;
            want_evidence(tx, item, version, 0, now)?;
            of_version(tx, version)?.ok_or(StoreError::NotFound { what: "evidence" })
        })
        .await
    }

    /// Evidence to be taken now, most urgent first.
    pub async fn wanted_evidence(
        &self,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<EvidenceRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {EVIDENCE} from evidence e
                     where e.state = 'wanted' and e.next_at <= ?1 order by e.priority, e.next_at limit ?2"
                ))?,
                params![ms(now), most],
                evidence_row,
            )
        })
        .await
    }

    /// One evidence record.
    pub async fn evidence(&self, evidence: EvidenceId) -> Result<EvidenceRow, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(&format!(
                    "select {EVIDENCE} from evidence e where e.id = ?1"
                ))?,
                [evidence.0],
                evidence_row,
            )?
            .ok_or(StoreError::NotFound { what: "evidence" })
        })
        .await
    }

    /// The evidence of a version, if any was ever asked for.
    pub async fn evidence_of(&self, version: VersionId) -> Result<Option<EvidenceRow>, StoreError> {
        self.read(move |c| of_version(c, version)).await
    }

    /// Every evidence record after `after`, in order, at most `most`.
    pub async fn evidence_after(
        &self,
        after: EvidenceId,
        most: u32,
    ) -> Result<Vec<EvidenceRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {EVIDENCE} from evidence e where e.id > ?1 order by e.id limit ?2"
                ))?,
                params![after.0, most],
                evidence_row,
            )
        })
        .await
    }

    /// The same for verification, to which a record that cannot be read is a finding.
    pub async fn evidence_to_verify(
        &self,
        after: EvidenceId,
        most: u32,
    ) -> Result<Vec<Readable<EvidenceRow>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(&format!(
                    "select {EVIDENCE} from evidence e where e.id > ?1 order by e.id limit ?2"
                ))?,
                params![after.0, most],
                evidence_row,
            )
        })
        .await
    }

    /// Seals: the manifest's hash, which files it rests on, and its leaf in the log commit together.
    /// Sealing what is sealed already changes nothing and gives the first seal, so a repeated capture is harmless.
    pub async fn seal(
        &self,
        evidence: EvidenceId,
        manifest: ContentHash,
        parts: Vec<ContentHash>,
        holds: SealHolds,
        now: Timestamp,
    ) -> Result<(EvidenceRow, Option<CaseId>), StoreError> {
        self.write(move |tx| {
            let (version, item, state) = tx
                .prepare_cached("select version_id, item_id, state from evidence where id = ?1")?
                .query_row([evidence.0], |row| {
                    Ok((
                        VersionId(row.get(0)?),
                        ItemId(row.get(1)?),
                        row.get::<_, String>(2)?,
                    ))
                })?;
            let case = case_of_item(tx, item)?.map(|case| case.id);
            if state == "wanted" {
                // It may have been barred while it was being taken (regulation 2.2).
                if let Some(why) = not_to_be_sealed(tx, version, item, holds)? {
                    return Err(StoreError::Refused { why: why.into() });
                }
                let sealed = the_version(tx, version)?;
                let (account, platform_id): (String, String) = tx
                    .prepare_cached(
                        "select a.key, i.platform_id from items i join accounts a on a.id = i.account_id
                         where i.id = ?1",
                    )?
                    .query_row([item.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let record = SealRecord {
                    evidence: evidence.0,
                    account: &account,
                    platform_id: &platform_id,
                    version: sealed.number,
                    content_sha256: sealed.content_hash,
                    manifest_sha256: manifest,
                };
                let seq = log::append(tx, LogKind::Seal, &record, now)?;
                tx.prepare_cached(
                    "update evidence set state = 'sealed', manifest_hash = ?2, log_seq = ?3,
                            sealed_at = ?4, problem = null where id = ?1",
                )?
                .execute(params![evidence.0, manifest.bytes(), seq, ms(now)])?;
                note_blobs(tx, evidence, parts.into_iter().chain([manifest]))?;
                if let Some(case) = case {
                    let detail = format!("Lydelse {}, logg {seq}", sealed.number);
                    note_event(tx, case, None, "Bevis säkrat", Some(&detail), now)?;
                    touch(tx, case, now)?;
                }
            }
            let row = of_version(tx, version)?.ok_or(StoreError::NotFound { what: "evidence" })?;
            Ok((row, case))
        })
        .await
    }

    /// Notes that taking evidence did not succeed, and when to try again.
    pub async fn record_capture_failure(
        &self,
        evidence: EvidenceId,
        problem: String,
        next_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "update evidence set attempts = attempts + 1, problem = ?2, next_at = ?3
                 where id = ?1 and state = 'wanted'",
            )?
            .execute(params![evidence.0, problem, ms(next_at)])?;
            Ok(())
        })
        .await
    }
}
