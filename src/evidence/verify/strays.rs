//! Files among the evidence that no record rests on: put there past the program, left by it where it must not be, or
//! of records that an older database, put back, knows nothing of.

use std::collections::BTreeSet;

use super::{PAGE, Report};
use crate::domain::ids::ContentHash;
use crate::evidence::blob::Found;
use crate::evidence::{EvidenceError, EvidenceStore, blocking};
use crate::store::Store;

/// Holds what lies in the folder against what the database knows, in the order of the disk.
pub(super) async fn verify(
    evidence: &EvidenceStore,
    store: &Store,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    if !store.unindexed_evidence(1).await?.is_empty() {
        report.note("För äldre bevis är det inte antecknat vilka filer de vilar på. Om det ligger främmande filer bland bevisen är därför inte prövat; det prövas efter nästa gallring.");
        return Ok(());
    }
    let blobs = evidence.blobs.clone();
    let folders = blocking(move || blobs.folders()).await?;
    let mut n_on_the_way = 0;
    for folder in folders {
        let blobs = evidence.blobs.clone();
        let mut hashes = Vec::new();
        for found in blocking(move || blobs.found_in(folder)).await? {
            match found {
                Found::Blob(hash) => hashes.push(hash),
                Found::Other(path) => report.fault(
                    // A name of somebody else's may hold line breaks.
                    format!("fil {}", path.to_string_lossy().escape_debug()),
                    "ligger bland bevisen men hör inte dit: namnet är ingen kontrollsumma",
                ),
            }
        }
        for page in hashes.chunks(PAGE as usize) {
            let (strays, on_the_way) = strays(evidence, store, page.to_vec()).await?;
            n_on_the_way += on_the_way;
            for hash in strays {
                report.fault(
                    format!("fil {hash}"),
                    "ligger bland bevisen, men inget bevis vilar på den: den är ditlagd, eller så är databasen äldre än filerna",
                );
            }
        }
    }
    if n_on_the_way > 0 {
        report.note(format!(
            "Filer som en försegling har lagt dit och inget bevis vilar på än: {n_on_the_way}. De blir bevis, eller tas bort senast när Uppsikt startar nästa gång; står det här kvar efter det har någon lagt dit dem."
        ));
    }
    Ok(())
}

/// Those that nothing knows, and how many others are on their way. A service that runs may be sealing meanwhile: what is on its way is noted before it is
/// put, and noted until its row stands.
async fn strays(
    evidence: &EvidenceStore,
    store: &Store,
    found: Vec<ContentHash>,
) -> Result<(Vec<ContentHash>, usize), EvidenceError> {
    let unknown = store.unknown_blobs(found).await?;
    if unknown.is_empty() {
        return Ok((unknown, 0));
    }
    let pending = evidence.pending.lock().await.clone();
    let on_the_way: BTreeSet<_> = blocking(move || pending.named()).await?;
    let n_unknown = unknown.len();
    let left: Vec<_> = unknown.into_iter().filter(|hash| !on_the_way.contains(hash)).collect();
    let n_on_the_way = n_unknown - left.len();
    let blobs = evidence.blobs.clone();
    // One that was sealed or taken back since was never astray.
    let unknown = store.unknown_blobs(left).await?;
    let there = move || Ok(unknown.into_iter().filter(|hash| blobs.path(*hash).exists()).collect());
    Ok((blocking(there).await?, n_on_the_way))
}
