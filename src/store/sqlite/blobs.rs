//! Which files records rest on, and which are to be destroyed after a disposal.

use rusqlite::{Transaction, params};

use super::value::{hash, json, rows};
use crate::domain::ids::{ContentHash, EvidenceId};
use crate::store::Store;
use crate::store::error::StoreError;

/// Notes what a record rests on.
pub(super) fn note_blobs(
    tx: &Transaction<'_>,
    evidence: EvidenceId,
    blobs: impl IntoIterator<Item = ContentHash>,
) -> Result<(), StoreError> {
    let mut note = tx.prepare_cached(
        "insert or ignore into evidence_blobs (evidence_id, sha256) values (?1, ?2)",
    )?;
    for blob in blobs {
        note.execute(params![evidence.0, blob.bytes()])?;
    }
    Ok(())
}

impl Store {
    /// Sealed records of which nobody has noted yet what they rest on, at most `most`.
    pub async fn unindexed_evidence(
        &self,
        most: u32,
    ) -> Result<Vec<(EvidenceId, ContentHash)>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select e.id, e.manifest_hash from evidence e where e.state = 'sealed'
                       and not exists (select 1 from evidence_blobs b where b.evidence_id = e.id)
                     order by e.id limit ?1",
                )?,
                [most],
                |row| Ok((EvidenceId(row.get(0)?), hash("evidence", &row.get::<_, Vec<u8>>(1)?)?)),
            )
        })
        .await
    }

    /// Notes what records from before such notes rest on.
    pub async fn index_blobs(
        &self,
        records: Vec<(EvidenceId, Vec<ContentHash>)>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            records.into_iter().try_for_each(|(id, blobs)| note_blobs(tx, id, blobs))
        })
        .await
    }

    /// Files that are to be destroyed, at most `most`.
    pub async fn doomed_blobs(&self, most: u32) -> Result<Vec<ContentHash>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c
                    .prepare_cached("select sha256 from doomed_blobs order by sha256 limit ?1")?,
                [most],
                |row| hash("doomed_blobs", &row.get::<_, Vec<u8>>(0)?),
            )
        })
        .await
    }

    /// Those of these files on which a living record rests, except the records given.
    pub async fn shared_blobs(
        &self,
        blobs: Vec<ContentHash>,
        but: Vec<EvidenceId>,
    ) -> Result<Vec<ContentHash>, StoreError> {
        self.read(move |c| {
            let but = json(&but)?;
            let mut ask = c.prepare_cached(
                "select 1 from evidence_blobs b join evidence e on e.id = b.evidence_id
                 where b.sha256 = ?1 and e.state <> 'disposed'
                   and e.id not in (select value from json_each(?2))",
            )?;
            let mut shared = Vec::new();
            for blob in blobs {
                if ask.exists(params![blob.bytes(), but])? {
                    shared.push(blob);
                }
            }
            Ok(shared)
        })
        .await
    }

    /// Those of these files on which no record rests, nor ever did.
    pub async fn unknown_blobs(
        &self,
        blobs: Vec<ContentHash>,
    ) -> Result<Vec<ContentHash>, StoreError> {
        self.read(move |c| {
            let mut ask = c.prepare_cached("select 1 from evidence_blobs where sha256 = ?1")?;
            let mut unknown = Vec::new();
            for blob in blobs {
                if !ask.exists([blob.bytes()])? {
                    unknown.push(blob);
                }
            }
            Ok(unknown)
        })
        .await
    }

    /// What these records rest on, each file once.
    pub async fn blobs_of(&self, records: Vec<EvidenceId>) -> Result<Vec<ContentHash>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select distinct sha256 from evidence_blobs
                     where evidence_id in (select value from json_each(?1)) order by sha256",
                )?,
                [json(&records)?],
                |row| hash("evidence_blobs", &row.get::<_, Vec<u8>>(0)?),
            )
        })
        .await
    }

    /// Files that only records rest on that were disposed of, in order after `after`: none of them may be
    /// there, but for those that are still to be destroyed.
    pub async fn blobs_of_disposed(
        &self,
        after: Option<ContentHash>,
        most: u32,
    ) -> Result<Vec<ContentHash>, StoreError> {
        self.read(move |c| {
            let after = after.map_or(Vec::new(), |hash| hash.bytes().to_vec());
            rows(
                &mut c.prepare_cached(
                    "select distinct b.sha256 from evidence e join evidence_blobs b on b.evidence_id = e.id
                     where e.state = 'disposed' and b.sha256 > ?1
                       and not exists (select 1 from doomed_blobs d where d.sha256 = b.sha256)
                       and not exists (select 1 from evidence_blobs o join evidence l on l.id = o.evidence_id
                                       where o.sha256 = b.sha256 and l.state <> 'disposed')
                     order by b.sha256 limit ?2",
                )?,
                params![after, most],
                |row| hash("evidence_blobs", &row.get::<_, Vec<u8>>(0)?),
            )
        })
        .await
    }

    /// Crosses files out that were destroyed, or that a living record shares.
    pub async fn spare_blobs(&self, blobs: Vec<ContentHash>) -> Result<(), StoreError> {
        self.write(move |tx| {
            let mut cross = tx.prepare_cached("delete from doomed_blobs where sha256 = ?1")?;
            for blob in blobs {
                cross.execute([blob.bytes()])?;
            }
            Ok(())
        })
        .await
    }
}
