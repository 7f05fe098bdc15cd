//! One record alone: its rows, files and entry, and that a signed checkpoint holds the entry. What this
//! cannot tell is whether other records are missing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::chain::{disposal_of, is_noted, key_of, sealing_of};
use super::tree::{Force, held_stamp, key_rows, keys_in_force, signature_fault};
use super::{Report, heads, record};
use crate::domain::checkpoint::{Note, PublicKey, notes};
use crate::domain::ids::EvidenceId;
use crate::domain::log::{chain_hash, genesis, leaf_hash};
use crate::domain::tree::root_of_path;
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::runtime::private;
use crate::store::Store;
use crate::store::anchors::StampState;
use crate::store::error::StoreError;
use crate::store::rows::{EvidenceState, LogEntry};

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
    hold_link(evidence, store, &entry, &mut report).await?;
    let keys = keys(evidence, store, &mut report).await?;
    let (entries, _) = store.log_head().await?;
    let mut by = BTreeSet::new();
    let leaf = leaf_hash(entry.body.as_bytes());
    let mut checkpoints = Vec::new();
    match store.checkpoint_of(entry.seq).await? {
        Some(row) => {
            let roots = &evidence.checkpoints.stamp_roots;
            hold_stamp(store, row.size, &row.note, roots, &mut report).await?;
            checkpoints.push((format!("kontrollpunkt {}", row.size), Note::parse(&row.note).ok()));
        }
        None => report.note("Förseglingen omfattas inte av någon undertecknad kontrollpunkt än."),
    }
    for path in witnesses {
        let name = path.display().to_string();
        match private::read_text(path) {
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
        match signature_fault(&note, &keys, entries) {
            Some(what) => report.fault(&place, what),
            None => {
                let publics: Vec<_> = keys.iter().map(|force| force.key.clone()).collect();
                by.extend(note.signer(&publics).map(PublicKey::fingerprint));
            }
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
    for print in by {
        report.note(format!(
            "Undertecknat med nyckeln som har fingeravtrycket {print}: jämför med det ni har publicerat."
        ));
    }
    report.note(
        "Bara det här beviset har kontrollerats: om något annat saknas syns när allt kontrolleras.",
    );
    Ok(report)
}

/// The keys of the log, each held against the entry by which the log took it in.
async fn keys(
    evidence: &EvidenceStore,
    store: &Store,
    report: &mut Report,
) -> Result<Vec<Force>, EvidenceError> {
    let rows = key_rows(store, report).await?;
    let mut taken = BTreeMap::new();
    for row in &rows {
        match store.log_entry(row.log_seq).await {
            Ok(entry) => taken.extend(key_of(&entry).map(|said| (row.log_seq, said))),
            Err(StoreError::NotFound { .. } | StoreError::Row { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let acknowledged = &evidence.checkpoints.acknowledged;
    Ok(keys_in_force(&evidence.origin().await?, &rows, &taken, acknowledged, report))
}

/// The entry's link to the one before it, and the line in the file of heads that noted it.
async fn hold_link(
    evidence: &EvidenceStore,
    store: &Store,
    entry: &LogEntry,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let place = format!("logg {}", entry.seq);
    let before = match entry.seq {
        0 | 1 => Some(genesis()),
        seq => match store.log_entry(seq - 1).await {
            Ok(before) => Some(before.chain),
            Err(StoreError::NotFound { .. } | StoreError::Row { .. }) => None,
            Err(error) => return Err(error.into()),
        },
    };
    if before.map(|before| chain_hash(before, entry.leaf)) != Some(entry.chain) {
        report.fault(&place, "kedjan är bruten: länken stämmer inte med posten före");
    }
    let file = evidence.heads_file().to_owned();
    let heads = tokio::task::spawn_blocking(move || private::read_text(&file))
        .await
        .map_err(|_| EvidenceError::BrokenOff)?;
    let Ok(heads) = heads else {
        report.fault("kedjans ändar", "filen heads.txt går inte att läsa");
        return Ok(());
    };
    let noted: Vec<_> =
        heads.lines().filter_map(heads::parse).filter(|(seq, _)| *seq == entry.seq).collect();
    if noted.iter().any(|(_, chain)| *chain != entry.chain) {
        report.fault(&place, "posten är inte den som fanns när raden skrevs i heads.txt");
    }
    let ought =
        is_noted(entry) && evidence.clock.now().duration_since(entry.at) > heads::NOTED_WITHIN;
    if noted.is_empty() && ought {
        report.fault(&place, "posten står inte i heads.txt, fast den borde");
    }
    Ok(())
}

async fn hold_stamp(
    store: &Store,
    size: u64,
    note: &str,
    roots: &[String],
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let place = format!("tidsstämpel {size}");
    match store.stamp(size).await {
        Ok(Some(stamp)) => match stamp.state {
            StampState::Kept { answer, ca_pem, .. } => {
                match held_stamp(&answer, note, &ca_pem, roots, report) {
                    Ok(_) => report.n_stamps += 1,
                    Err(what) => report.fault(place, what),
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
