//! Recompute everything: every link of the log, every manifest, every part.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{ContentHash, EvidenceId};
use crate::domain::log::{LogKind, chain_hash, genesis, leaf_hash};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{EvidenceRow, EvidenceState};

use super::{EvidenceError, EvidenceStore};

/// How many rows are read at a time, so that memory stays level on a large archive.
const PAGE: u32 = 500;

/// What verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries of the log.
    pub n_entries: u64,
    /// Sealed records.
    pub n_sealed: u64,
    /// Records whose content was disposed of under a rule.
    pub n_disposed: u64,
    /// Records still to be taken.
    pub n_wanted: u64,
    /// Parts read and recomputed.
    pub n_parts: u64,
    /// The last link of the chain.
    pub head: Option<ContentHash>,
    /// Everything that does not add up. Empty means whole.
    pub faults: Vec<Fault>,
}

/// One thing that does not add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which record or entry: `bevis 17`, `logg 203`.
    pub place: String,
    /// What is wrong, in Swedish.
    pub what: String,
}

impl Report {
    fn fault(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.faults.push(Fault { place: place.into(), what: what.into() });
    }
}

/// What the log says was sealed.
#[derive(serde::Deserialize)]
struct SealBody {
    seq: u64,
    record: SealRecord,
}

#[derive(serde::Deserialize)]
struct SealRecord {
    evidence: i64,
    content_sha256: ContentHash,
    manifest_sha256: ContentHash,
}

struct Sealing {
    seq: u64,
    content: ContentHash,
    manifest: ContentHash,
}

/// The log as far as it has been read.
struct LogRead {
    sealings: BTreeMap<i64, Sealing>,
    links: Vec<ContentHash>,
    chain: ContentHash,
    /// The place that comes next.
    next: u64,
}

/// Verifies the whole archive. Faults are found, named and counted, never a reason to stop.
///
/// The daemon may go on sealing meanwhile: what is held against the log is always read before the
/// log, or the log is read on first.
///
/// # Errors
/// Only where the database itself cannot be read.
pub async fn verify(evidence: &EvidenceStore, store: &Store) -> Result<Report, EvidenceError> {
    let mut report = Report::default();
    let heads = std::fs::read_to_string(evidence.heads_file());
    let mut log =
        LogRead { sealings: BTreeMap::new(), links: Vec::new(), chain: genesis(), next: 1 };
    read_log(store, &mut log, &mut report).await?;
    verify_heads(heads, &log.links, !log.sealings.is_empty(), &mut report);
    let mut seen = BTreeSet::new();
    let mut after = EvidenceId(0);
    loop {
        let rows = store.evidence_after(after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in rows {
            seen.insert(row.id.0);
            verify_row(evidence, store, row, &mut log, &mut report).await?;
        }
    }
    let unseen: Vec<_> = log.sealings.keys().copied().filter(|id| !seen.contains(id)).collect();
    for id in unseen {
        match store.evidence(EvidenceId(id)).await {
            // Came while we were reading.
            Ok(row) => verify_row(evidence, store, row, &mut log, &mut report).await?,
            Err(StoreError::NotFound { .. }) => {
                let seq = log.sealings.get(&id).map_or(0, |sealing| sealing.seq);
                let what =
                    format!("loggen (post {seq}) säger att det förseglades, men posten saknas");
                report.fault(format!("bevis {id}"), what);
            }
            Err(error) => return Err(error.into()),
        }
    }
    report.head = (report.n_entries > 0).then_some(log.chain);
    Ok(report)
}

/// Verifies one record against a log that reaches at least as far as the record says.
async fn verify_row(
    evidence: &EvidenceStore,
    store: &Store,
    mut row: EvidenceRow,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    if matches!(row.state, EvidenceState::Wanted) && log.sealings.contains_key(&row.id.0) {
        // Sealed since the page it stood on was read, or else a fault.
        row = store.evidence(row.id).await?;
    }
    if let EvidenceState::Sealed { log_seq, .. } | EvidenceState::Disposed { log_seq, .. } =
        row.state
        && log_seq >= log.next
    {
        read_log(store, log, report).await?;
    }
    verify_record(evidence, &row, log.sealings.get(&row.id.0), report).await;
    Ok(())
}

/// Reads on in the log, to its present end.
async fn read_log(
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    loop {
        let entries = store.log_after(log.next - 1, PAGE).await?;
        if entries.is_empty() {
            return Ok(());
        }
        for entry in entries {
            let place = format!("logg {}", entry.seq);
            if entry.seq != log.next {
                report.fault(
                    &place,
                    format!("poster saknas mellan {} och {}", log.next - 1, entry.seq),
                );
            }
            if leaf_hash(entry.body.as_bytes()) != entry.leaf {
                report.fault(&place, "innehållet har ändrats: lövets kontrollsumma stämmer inte");
            }
            log.chain = chain_hash(log.chain, entry.leaf);
            if log.chain != entry.chain {
                report.fault(&place, "kedjan är bruten: länken stämmer inte med posterna före");
                // Go on from what is stored, so that one fault is one fault.
                log.chain = entry.chain;
            }
            if entry.kind == LogKind::Seal {
                match serde_json::from_str::<SealBody>(&entry.body) {
                    Ok(body) if body.seq == entry.seq => {
                        let sealing = Sealing {
                            seq: entry.seq,
                            content: body.record.content_sha256,
                            manifest: body.record.manifest_sha256,
                        };
                        log.sealings.insert(body.record.evidence, sealing);
                    }
                    Ok(_) => report.fault(&place, "posten bär ett annat nummer än sin plats"),
                    Err(_) => report.fault(&place, "posten om försegling går inte att läsa"),
                }
            }
            log.links.push(entry.chain);
            report.n_entries += 1;
            log.next = entry.seq + 1;
        }
    }
}

/// Holds the noted heads against the log: a database that was put back or cut short disagrees.
fn verify_heads(
    heads: std::io::Result<String>,
    links: &[ContentHash],
    any_seal: bool,
    report: &mut Report,
) {
    let text = match heads {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if any_seal {
                report.fault(
                    "kedjans ändar",
                    "filen heads.txt saknas; starta Uppsikt så skrivs den på nytt",
                );
            }
            return;
        }
        Err(_) => {
            report.fault("kedjans ändar", "filen heads.txt går inte att läsa");
            return;
        }
    };
    for (n, line) in text.lines().enumerate() {
        let place = format!("heads.txt rad {}", n + 1);
        let Some((seq, chain)) = line.split_once(' ') else {
            // The last line may be half-written after a power cut; the next seal writes a new one.
            if n + 1 < text.lines().count() || text.ends_with('\n') {
                report.fault(place, "raden går inte att läsa");
            }
            continue;
        };
        let noted = seq.parse::<usize>().ok().zip(chain.parse::<ContentHash>().ok());
        let Some((seq, chain)) = noted else {
            if text.ends_with('\n') || n + 1 < text.lines().count() {
                report.fault(place, "raden går inte att läsa");
            }
            continue;
        };
        match seq.checked_sub(1).and_then(|i| links.get(i)) {
            Some(link) if *link == chain => {}
            Some(_) => report
                .fault(place, format!("loggens post {seq} är inte den som fanns när raden skrevs")),
            None => report
                .fault(place, format!("loggen har kortats: post {seq} fanns när raden skrevs")),
        }
    }
}

async fn verify_record(
    evidence: &EvidenceStore,
    row: &EvidenceRow,
    sealing: Option<&Sealing>,
    report: &mut Report,
) {
    let place = format!("bevis {}", row.id);
    let (manifest_hash, seq, disposed) = match row.state {
        EvidenceState::Wanted => {
            report.n_wanted += 1;
            if sealing.is_some() {
                report.fault(
                    place,
                    "loggen säger att det är förseglat, men posten säger att det väntar",
                );
            }
            return;
        }
        EvidenceState::Sealed { manifest, log_seq, .. } => (manifest, log_seq, false),
        EvidenceState::Disposed { manifest, log_seq, .. } => (manifest, log_seq, true),
    };
    match sealing {
        None => report.fault(&place, "förseglingen finns inte i loggen"),
        Some(s) if s.seq != seq || s.manifest != manifest_hash => {
            report.fault(&place, "posten stämmer inte med förseglingen i loggen");
        }
        Some(_) => {}
    }
    if disposed {
        report.n_disposed += 1;
        return;
    }
    report.n_sealed += 1;
    let manifest = match evidence.manifest(row).await {
        Ok(manifest) => manifest,
        Err(error) => {
            report.fault(place, format!("manifestet kan inte styrkas: {}", in_swedish(&error)));
            return;
        }
    };
    if sealing.is_some_and(|s| s.content != manifest.content_sha256) {
        report.fault(&place, "manifestets innehåll är inte det som loggen säger förseglades");
    }
    for part in &manifest.parts {
        match evidence.bytes(part.sha256).await {
            Ok(bytes) if bytes.len() as u64 == part.size_bytes => report.n_parts += 1,
            Ok(_) => report.fault(&place, format!("{}: fel storlek", part.name)),
            Err(error) => report.fault(&place, format!("{}: {}", part.name, in_swedish(&error))),
        }
    }
}

fn in_swedish(error: &EvidenceError) -> String {
    use super::blob::BlobError;
    match error {
        EvidenceError::Blob(BlobError::Missing { hash }) => format!("filen {hash} saknas"),
        EvidenceError::Blob(BlobError::Changed { hash, .. }) => format!("filen {hash} har ändrats"),
        EvidenceError::Blob(BlobError::Io { path, .. }) => {
            format!("filen {} går inte att läsa", path.display())
        }
        EvidenceError::Manifest { hash, .. } => format!("manifestet {hash} går inte att tolka"),
        EvidenceError::Store(_)
        | EvidenceError::Canonical(_)
        | EvidenceError::Heads { .. }
        | EvidenceError::NotSealed(_)
        | EvidenceError::BrokenOff => error.to_string(),
    }
}
