//! Evidence records: row, leaf, manifest, parts and the version they are of, each held against the others.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rayon::prelude::*;

use crate::domain::action::ActionKind;
use crate::domain::evidence::{Manifest, PartKind};
use crate::domain::ids::{ContentHash, EvidenceId};
use crate::domain::item::content_hash;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::facts::SubjectFacts;
use crate::store::rows::{EvidenceRow, EvidenceState};

use super::chain::{DisposedUnder, Leaf, LogRead, Sealing};
use super::{Report, in_swedish};
use crate::evidence::blob::BlobStore;
use crate::evidence::{EvidenceError, EvidenceStore};

/// What is left to hold of a sealed record once its rows were: its files.
pub(super) struct Files {
    id: EvidenceId,
    place: String,
    manifest: ContentHash,
    sealing: Option<Sealing>,
    subject: Option<SubjectFacts>,
    /// The files that the database says it rests on; none of records from before that was noted.
    noted: Vec<ContentHash>,
}

/// Verifies the rows of one record against a log that reaches at least as far as the record says.
pub(super) async fn verify_row(
    store: &Store,
    mut row: EvidenceRow,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<Option<Files>, EvidenceError> {
    if matches!(row.state, EvidenceState::Wanted) && log.sealings.contains_key(&row.id.0) {
        // Sealed since the page it stood on was read, or else a fault.
        row = store.evidence(row.id).await?;
    }
    if let EvidenceState::Sealed { log_seq, .. } | EvidenceState::Disposed { log_seq, .. } =
        row.state
        && log_seq >= log.next
    {
        log.read_on(store, report).await?;
    }
    if matches!(row.state, EvidenceState::Disposed { .. }) && !log.disposed.contains_key(&row.id.0)
    {
        // Since the log was read, or else a fault.
        log.read_on(store, report).await?;
    }
    let known = (log.sealings.get(&row.id.0), log.disposed.get(&row.id.0));
    verify(store, &row, known, report).await
}

/// Verifies the files of records, as many at a time as there are cores: here the disk or the hashing
/// sets the pace.
pub(super) async fn verify_files(
    evidence: &EvidenceStore,
    files: Vec<Files>,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let blobs = evidence.blobs.clone();
    let held = tokio::task::spawn_blocking(move || {
        files.into_par_iter().map(|files| (files.id, files.hold(&blobs))).collect::<Vec<_>>()
    })
    .await
    .map_err(|_| EvidenceError::BrokenOff)?;
    for (id, part) in held {
        report.n_parts += part.n_parts;
        if part.faults.is_empty() {
            continue;
        }
        let row = evidence.store.evidence(id).await?;
        if matches!(row.state, EvidenceState::Disposed { .. }) {
            // Disposed of while its files were read.
            report.n_sealed -= 1;
            report.n_disposed += 1;
        } else {
            report.faults.extend(part.faults);
        }
    }
    Ok(())
}

impl Files {
    fn hold(&self, blobs: &BlobStore) -> Report {
        let mut report = Report::default();
        let manifest = blobs.get(self.manifest).map_err(EvidenceError::Blob).and_then(|bytes| {
            serde_json::from_slice::<Manifest>(&bytes)
                .map_err(|source| EvidenceError::Manifest { hash: self.manifest, source })
        });
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(error) => {
                let what = format!("manifestet kan inte styrkas: {}", in_swedish(&error));
                report.fault(&self.place, what);
                return report;
            }
        };
        if let Some(record) = &self.sealing
            && (record.content_sha256 != manifest.content_sha256
                || record.platform_id != manifest.item.as_str()
                || record.account != manifest.account.as_str()
                || record.version != manifest.version)
        {
            report.fault(
                &self.place,
                "manifestets innehåll är inte det som loggen säger förseglades",
            );
        }
        if let Some(subject) = &self.subject {
            verify_copy(&manifest, subject, &self.place, &mut report);
        }
        // By this a disposal knows what others still need.
        let rests: BTreeSet<_> =
            manifest.parts.iter().map(|part| part.sha256).chain([self.manifest]).collect();
        if !self.noted.is_empty() && rests != self.noted.iter().copied().collect() {
            let what = "databasen säger annat än manifestet om vilka filer beviset vilar på";
            report.fault(&self.place, what);
        }
        for part in &manifest.parts {
            match blobs.get(part.sha256) {
                // Today's bytes are right, and somebody else has them in hand.
                Ok(_) if blobs.is_link(part.sha256) => {
                    report.fault(&self.place, format!("{}: filen är en länk", part.name));
                }
                Ok(bytes) if bytes.len() as u64 == part.size_bytes => report.n_parts += 1,
                Ok(_) => report.fault(&self.place, format!("{}: fel storlek", part.name)),
                Err(error) => {
                    let why = in_swedish(&EvidenceError::Blob(error));
                    report.fault(&self.place, format!("{}: {why}", part.name));
                }
            }
        }
        report
    }
}

/// Verifies the rows of one record against what its entries say was sealed, and disposed of.
pub(super) async fn verify(
    store: &Store,
    row: &EvidenceRow,
    (sealing, disposal): (Option<&Leaf<Sealing>>, Option<&DisposedUnder>),
    report: &mut Report,
) -> Result<Option<Files>, EvidenceError> {
    let place = format!("bevis {}", row.id);
    let (manifest_hash, seq, at, disposed) = match row.state {
        EvidenceState::Wanted => {
            report.n_wanted += 1;
            if sealing.is_some() {
                report.fault(
                    place,
                    "loggen säger att det är förseglat, men posten säger att det väntar",
                );
            }
            return Ok(None);
        }
        EvidenceState::Sealed { manifest, log_seq, at } => (manifest, log_seq, at, false),
        EvidenceState::Disposed { manifest, log_seq, at } => (manifest, log_seq, at, true),
    };
    match sealing {
        None => report.fault(&place, "förseglingen finns inte i loggen"),
        Some(s) if s.seq != seq || s.record.manifest_sha256 != manifest_hash => {
            report.fault(&place, "posten stämmer inte med förseglingen i loggen");
        }
        Some(s) if s.at.as_millisecond() != at.as_millisecond() => {
            report.fault(&place, "postens tid för förseglingen är inte den som står i loggen");
        }
        Some(_) => {}
    }
    let subject = match store.subject_facts(row.id).await {
        Ok(subject) => Some(subject),
        Err(StoreError::NotFound { .. }) => {
            report.fault(&place, "lydelsen eller inlägget som beviset gäller saknas i databasen");
            None
        }
        Err(StoreError::Row { .. }) => {
            report.fault(&place, "lydelsen som beviset gäller går inte att läsa i databasen");
            None
        }
        Err(error) => return Err(error.into()),
    };
    if let (Some(sealing), Some(subject)) = (sealing, &subject) {
        verify_subject(row, &sealing.record, subject, &place, report);
        // What was disposed of has no text any more.
        if !disposed {
            verify_text(subject, &place, report);
        }
    }
    match (disposed, disposal) {
        (true, Some(under)) if under.manifest == manifest_hash => {
            report.n_disposed += 1;
            report.disposed_under(under.protocol, &under.decision);
            return Ok(None);
        }
        (true, Some(under)) => {
            report.n_disposed += 1;
            let what = format!("posten stämmer inte med gallringen i loggens post {}", under.seq);
            report.fault(place, what);
            return Ok(None);
        }
        (true, None) => {
            report.n_disposed += 1;
            report.fault(
                place,
                "posten säger att innehållet är gallrat, men loggen har ingen post om gallring",
            );
            return Ok(None);
        }
        (false, Some(under)) => {
            let what = format!(
                "loggen (post {}) säger att innehållet gallrades enligt protokoll {}, men posten säger att det finns kvar",
                under.seq, under.protocol
            );
            report.fault(&place, what);
        }
        (false, None) => {}
    }
    report.n_sealed += 1;
    let sealing = sealing.map(|leaf| leaf.record.clone());
    let noted = store.blobs_of(vec![row.id]).await?;
    Ok(Some(Files { id: row.id, place, manifest: manifest_hash, sealing, subject, noted }))
}

/// The leaf against the version that the record points to.
fn verify_subject(
    row: &EvidenceRow,
    sealing: &Sealing,
    subject: &SubjectFacts,
    place: &str,
    report: &mut Report,
) {
    if sealing.platform_id != subject.platform_id
        || sealing.account != subject.account
        || sealing.version != subject.number
        || sealing.content_sha256 != subject.content_hash
        || row.item != subject.item
    {
        report.fault(
            place,
            format!(
                "posten pekar på en annan lydelse än den som förseglades: loggen säger lydelse {} av {}",
                sealing.version, sealing.platform_id
            ),
        );
    }
}

/// The text in the database against the hash beside it.
fn verify_text(subject: &SubjectFacts, place: &str, report: &mut Report) {
    if content_hash(&subject.text, &subject.attachments) != subject.content_hash {
        report.fault(
            place,
            "texten eller bilagorna i databasen har ändrats: de stämmer inte med lydelsens kontrollsumma",
        );
    }
}

/// What the database says of the version against what was sealed of it.
fn verify_copy(manifest: &Manifest, subject: &SubjectFacts, place: &str, report: &mut Report) {
    let sealed_part = |kind: PartKind| manifest.parts.iter().find(|part| part.kind == kind);
    let differs = |kind: PartKind, hash: ContentHash| {
        sealed_part(kind).is_some_and(|part| part.sha256 != hash)
    };
    let mut changed = Vec::new();
    if differs(PartKind::Text, ContentHash::of(subject.text.as_bytes())) {
        changed.push("texten");
    }
    if differs(PartKind::Payload, subject.payload) {
        changed.push("plattformens svar i original");
    }
    if manifest.author != subject.author {
        changed.push("författaren");
    }
    if manifest.kind.id() != subject.kind {
        changed.push("slaget");
    }
    let ms = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    if ms(manifest.created_at) != ms(subject.created_at)
        || manifest.created_raw != subject.created_raw
    {
        changed.push("när det skrevs");
    }
    if ms(manifest.edited_at) != ms(subject.edited_at) {
        changed.push("när det redigerades");
    }
    if manifest.presence.id() != subject.presence {
        changed.push("synligheten");
    }
    if manifest.fetched_at.as_millisecond() != subject.fetched_at.as_millisecond() {
        changed.push("tiden för hämtningen");
    }
    if manifest.read_before.map(ActionKind::id) != subject.read_before.as_deref() {
        changed.push("vilken åtgärd det lästes före");
    }
    if let Some(exchange) = &subject.exchange
        && serde_json::to_vec_pretty(exchange)
            .is_ok_and(|bytes| differs(PartKind::Exchange, ContentHash::of(&bytes)))
    {
        changed.push("anropet");
    }
    // Later versions of the lexicon may say otherwise; what this one said is kept.
    if let Some(said) = &manifest.verdict {
        let mut kept = subject.verdicts.iter().filter(|kept| kept.lexicon == said.lexicon);
        if kept.any(|kept| kept != said) {
            changed.push("maskinens bedömning");
        }
    }
    // Where nothing may be copied, the manifest names no attachments.
    if !manifest.attachments.is_empty() && manifest.attachments != subject.attachments {
        changed.push("bilagorna");
    }
    if !changed.is_empty() {
        let what = changed.join(", ");
        report.fault(place, format!("databasen säger annat än det som förseglades: {what}"));
    }
}
