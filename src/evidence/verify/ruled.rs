//! Decisions about what leaves the house: reports to the police, and public records that were asked for.

use crate::domain::release::ReleaseId;
use crate::evidence::EvidenceStore;
use crate::store::Store;
use crate::store::handed::{
    PoliceFacts, PolicyFacts, ReleaseFacts, RuledFacts, RunFacts, SweepFacts, VanishedFacts,
};
use crate::store::rows::Readable;

use super::chain::{Leaf, LogRead, Ruled};
use super::rows::{Logged, kind};
use super::{PAGE, Report};
use crate::evidence::EvidenceError;

/// Verifies them all.
pub(super) async fn verify(
    evidence: &EvidenceStore,
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    kind::<PoliceFacts>(store, log, report).await?;
    kind::<ReleaseFacts>(store, log, report).await?;
    for id in store.untold_releases(PAGE).await? {
        let what =
            "när begäran kom in eller vem som tog emot den är inte det som granskningsloggen säger";
        report.fault(format!("utlämnande {id}"), what);
    }
    kind::<SweepFacts>(store, log, report).await?;
    kind::<RunFacts>(store, log, report).await?;
    runs(evidence, store, report).await?;
    kind::<VanishedFacts>(store, log, report).await?;
    kind::<PolicyFacts>(store, log, report).await?;
    documents(evidence, store, report).await
}

/// What archive runs captured lies there, and the database rests on what the manifests name.
async fn runs(
    evidence: &EvidenceStore,
    store: &Store,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let mut after = i64::MIN;
    loop {
        let page = store.run_facts(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for Readable { id, value } in page {
            let Some(RunFacts { manifest, mut files, .. }) = value else { continue };
            let place = format!("arkivkörning {id}");
            let said = match evidence.run_manifest(manifest).await {
                Ok(said) => said,
                Err(EvidenceError::Blob(_) | EvidenceError::Manifest { .. }) => {
                    report.fault(place, "förteckningen saknas eller är ändrad");
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut named: Vec<_> = said.files.iter().map(|file| file.sha256).collect();
            named.sort_unstable();
            named.dedup();
            files.sort_unstable();
            if said.run != id || named != files {
                report.fault(&place, "förteckningen stämmer inte med databasen");
            }
            for file in &said.files {
                match evidence.run_file(file.sha256).await {
                    Ok(_) => report.n_parts += 1,
                    Err(EvidenceError::Blob(_)) => {
                        report.fault(&place, format!("filen {} saknas eller är ändrad", file.name));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

/// What was handed out is what lies there.
async fn documents(
    evidence: &EvidenceStore,
    store: &Store,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let mut after = i64::MIN;
    loop {
        let page = store.release_facts(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for Readable { id, value } in page {
            let Some(pdf) = value.and_then(|facts| facts.pdf) else { continue };
            let id = ReleaseId(id);
            let found = evidence.handed_out(id, pdf).await?;
            let disposed = store.release_is_disposed(id).await?;
            let place = format!("utlämnande {id}");
            match (found, disposed) {
                (Some(_), false) | (None, true) => {}
                (None, false) => report.fault(
                    place,
                    "dokumentet som lämnades ut saknas, eller är inte det som loggen har kontrollsumman av",
                ),
                (Some(_), true) => report.note(format!(
                    "Dokumentet i utlämnande {id} innehåller det som är gallrat. Det förstörs vid nästa start."
                )),
            }
        }
    }
}

fn fault(row: &RuledFacts, leaf: Option<&Leaf<Ruled>>) -> Option<String> {
    let Some(leaf) = leaf else {
        return Some("raden finns, men loggen har ingen post om det".into());
    };
    let said = &leaf.record;
    let fits = leaf.seq == row.log_seq
        && leaf.at.as_millisecond() == row.at.as_millisecond()
        && (said.case, said.user, said.words_sha256) == (row.case, row.user, row.words);
    (!fits).then(|| format!("raden stämmer inte med loggens post {}", leaf.seq))
}

impl Logged for PoliceFacts {
    const NAME: &'static str = "beslut om polisanmälan";
    const LEAF_SAYS: &'static str = "säger att det fattades";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.police_facts(after, PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        fault(&self.0, log.police.get(&self.0.row))
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.police.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

impl Logged for ReleaseFacts {
    const NAME: &'static str = "utlämnande";
    const LEAF_SAYS: &'static str = "säger att det avslutades";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.release_facts(after, PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        fault(&self.facts, log.releases.get(&self.facts.row))
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.releases.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

impl Logged for SweepFacts {
    const NAME: &'static str = "gallring av inlägg utan ärende";
    const LEAF_SAYS: &'static str = "säger att den gjordes";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.sweep_facts(after, PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        fault(&self.0, log.sweeps.get(&self.0.row))
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.sweeps.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

impl Logged for RunFacts {
    const NAME: &'static str = "arkivkörning";
    const LEAF_SAYS: &'static str = "säger att den gjordes";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.run_facts(after, PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        fault(&self.facts, log.archive_runs.get(&self.facts.row))
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.archive_runs.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

impl Logged for VanishedFacts {
    const NAME: &'static str = "försvunnet inlägg";
    const LEAF_SAYS: &'static str = "säger att det var borta";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.vanished_facts(after, PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        fault(&self.0, log.vanished.get(&self.0.row))
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.vanished.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

impl Logged for PolicyFacts {
    const NAME: &'static str = "version av riktlinjen";
    const LEAF_SAYS: &'static str = "säger att den började gälla";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.policy_facts(after, PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        let leaf = log.policies.get(&self.facts.row);
        let said = leaf.and_then(|leaf| Some((leaf.seq, leaf.record.rest_sha256?)));
        fault(&self.facts, leaf).or_else(|| {
            let (seq, _) = said.filter(|(_, rest)| *rest != self.rest)?;
            Some(format!(
                "raden stämmer inte med loggens post {seq}: när den skrevs, om två personer krävdes eller om frister räknades om"
            ))
        })
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.policies.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}
