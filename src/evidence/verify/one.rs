//! One record alone: its rows, files and entry, and that a signed checkpoint holds the entry. What this
//! cannot tell is whether other records are missing.

use std::path::PathBuf;

use super::chain::{disposal_of, sealing_of};
use super::{Report, record};
use crate::domain::checkpoint::{Note, PublicKey, notes};
use crate::domain::ids::EvidenceId;
use crate::domain::log::leaf_hash;
use crate::domain::tree::root_of_path;
use crate::evidence::timestamp;
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::store::Store;
use crate::store::anchors::StampState;
use crate::store::error::StoreError;
use crate::store::rows::EvidenceState;

/// Verifies one record.
///
/// # Errors
/// Where the database cannot be read, or has no such record.
pub async fn verify_one(
    evidence: &EvidenceStore,
    store: &Store,
    id: EvidenceId,
    witnesses: &[PathBuf],
) -> Result<Report, EvidenceError> {
    let mut report = Report::default();
    let row = store.evidence(id).await?;
    let seq = match row.state {
        EvidenceState::Wanted => None,
        EvidenceState::Sealed { log_seq, .. } | EvidenceState::Disposed { log_seq, .. } => {
            Some(log_seq)
        }
    };
    let entry = match seq {
        None => None,
        Some(seq) => match store.log_entry(seq).await {
            Ok(entry) => Some(entry),
            Err(StoreError::NotFound { .. }) => None,
            Err(StoreError::Row { .. }) => {
                report.fault(format!("logg {seq}"), "posten går inte att läsa");
                None
            }
            Err(error) => return Err(error.into()),
        },
    };
    let sealing = entry.as_ref().and_then(sealing_of).filter(|s| s.record.evidence == id.0);
    let disposal = match store.disposal_of(id).await?.and_then(|disposal| disposal.log_seq) {
        Some(seq) => match store.log_entry(seq).await {
            Ok(entry) => disposal_of(&entry, id.0),
            Err(StoreError::NotFound { .. } | StoreError::Row { .. }) => None,
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    let known = (sealing.as_ref(), disposal.as_ref());
    let files = record::verify(store, &row, known, &mut report).await?;
    report.tell_of_disposals();
    record::verify_files(evidence, files.into_iter().collect(), &mut report).await?;
    let Some(entry) = entry else { return Ok(report) };
    report.n_entries = 1;
    if leaf_hash(entry.body.as_bytes()) != entry.leaf {
        let place = format!("logg {}", entry.seq);
        report.fault(place, "innehållet har ändrats: lövets kontrollsumma stämmer inte");
    }
    let keys: Vec<PublicKey> =
        evidence.keys().await?.into_iter().map(|(_, public)| public).collect();
    let leaf = leaf_hash(entry.body.as_bytes());
    let mut checkpoints = Vec::new();
    match store.checkpoint_of(entry.seq).await? {
        Some(row) => {
            hold_stamp(store, row.size, &row.note, &mut report).await?;
            checkpoints.push((format!("kontrollpunkt {}", row.size), Note::parse(&row.note).ok()));
        }
        None => report.note("Förseglingen omfattas inte av någon undertecknad kontrollpunkt än."),
    }
    for path in witnesses {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => checkpoints.extend(
                notes(&text)
                    .into_iter()
                    .map(|(line, note)| (format!("{name} rad {line}"), note.ok())),
            ),
            Err(_) => report.fault(name, "filen går inte att läsa"),
        }
    }
    for (place, note) in checkpoints {
        let Some(note) = note else {
            report.fault(place, "kontrollpunkten går inte att läsa");
            continue;
        };
        if note.signer(&keys).is_none() {
            report.fault(&place, "underskriften är inte gjord med någon av loggens nycklar");
        }
        let size = note.checkpoint.size;
        // Older than the seal: says nothing of it.
        if size < entry.seq {
            continue;
        }
        let led = match store.inclusion(entry.seq, size).await {
            Ok(proof) => root_of_path(leaf, proof.index, size, &proof.path),
            Err(StoreError::Row { .. } | StoreError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        if led == Some(note.checkpoint.root) {
            report.n_checkpoints += 1;
            report.n_signed_entries = report.n_signed_entries.max(size);
        } else {
            report
                .fault(place, format!("posten {} ingår inte i det som undertecknades", entry.seq));
        }
    }
    report.note(
        "Bara det här beviset har kontrollerats: om något annat saknas syns när allt kontrolleras.",
    );
    Ok(report)
}

async fn hold_stamp(
    store: &Store,
    size: u64,
    note: &str,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let place = format!("tidsstämpel {size}");
    match store.stamp(size).await {
        Ok(Some(stamp)) => match stamp.state {
            StampState::Kept { answer, ca_pem, .. } => {
                match timestamp::check(&answer, note.as_bytes(), &ca_pem) {
                    Ok(_) => report.n_stamps += 1,
                    Err(error) => report.fault(place, error.swedish()),
                }
            }
            StampState::Wanted { .. } => {}
        },
        Ok(None) => {}
        Err(StoreError::Row { .. }) => report.fault(place, "raden går inte att läsa"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
