//! Exemptions and disposals: each row against its leaves, the protocols' files, and that what was disposed
//! of is gone.

use jiff::Timestamp;

use crate::domain::ids::{ContentHash, DisposalId};
use crate::store::Store;
use crate::store::keeping::{DisposalFacts, HoldFacts, SecrecyFacts};
use crate::store::rows::Readable;

use super::chain::{Held, Leaf, LogRead, Marked};
use super::rows::{Logged, kind};
use super::{PAGE, Report};
use crate::evidence::{EvidenceError, EvidenceStore};

/// Verifies them all.
pub(super) async fn verify(
    evidence: &EvidenceStore,
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    kind::<HoldFacts>(store, log, report).await?;
    kind::<SecrecyFacts>(store, log, report).await?;
    for case in store.wrongly_open().await? {
        let what =
            "kolumnen som säger om ärendet är sekretessmarkerat stämmer inte med markeringarna";
        report.fault(format!("ärende {case}"), what);
    }
    for case in store.wrongly_disposable().await? {
        let what =
            "kolumnen som säger om ärendet är undantaget från gallring stämmer inte med undantagen";
        report.fault(format!("ärende {case}"), what);
    }
    kind::<DisposalFacts>(store, log, report).await?;
    protocols(evidence, store, report).await?;
    destroyed(evidence, store, report).await
}

impl Logged for HoldFacts {
    const NAME: &'static str = "undantag från gallring";
    const LEAF_SAYS: &'static str = "säger att det sattes";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.hold_facts(after, PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        let Some(leaf) = log.held.get(&self.id) else {
            return Some("raden finns, men loggen har ingen post om det".into());
        };
        let (user, at, words) = &self.set;
        if leaf.seq != self.set_seq || !fits(leaf, self.case, *user, *at, *words) {
            return Some(format!("raden stämmer inte med loggens post {}", leaf.seq));
        }
        match (&self.lifted, log.unheld.get(&self.id)) {
            (None, None) => None,
            (Some(_), None) => Some("det är hävt, men loggen har ingen post om det".into()),
            (None, Some(leaf)) => {
                Some(format!("loggen (post {}) säger att det hävdes, men det står kvar", leaf.seq))
            }
            (Some((user, at, words, seq)), Some(leaf)) => (leaf.seq != *seq
                || !fits(leaf, self.case, *user, *at, *words))
            .then(|| format!("hävandet stämmer inte med loggens post {}", leaf.seq)),
        }
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.held.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

fn fits(leaf: &Leaf<Held>, case: i64, user: i64, at: Timestamp, words: ContentHash) -> bool {
    leaf.record.case == case
        && leaf.record.user == user
        && leaf.at.as_millisecond() == at.as_millisecond()
        && leaf.record.words_sha256 == words
}

impl Logged for SecrecyFacts {
    const NAME: &'static str = "sekretessmarkering";
    const LEAF_SAYS: &'static str = "säger att den gjordes";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.secrecy_facts(after, PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        let row = &self.0;
        let Some(leaf) = log.marked.get(&row.id) else {
            return Some("raden finns, men loggen har ingen post om den".into());
        };
        let (user, at, words) = &row.set;
        if leaf.seq != row.set_seq || !says(leaf, row.case, *user, *at, *words) {
            return Some(format!("raden stämmer inte med loggens post {}", leaf.seq));
        }
        match (&row.lifted, log.unmarked.get(&row.id)) {
            (None, None) => None,
            (Some(_), None) => Some("den är hävd, men loggen har ingen post om det".into()),
            (None, Some(leaf)) => {
                Some(format!("loggen (post {}) säger att den hävdes, men den står kvar", leaf.seq))
            }
            (Some((user, at, words, seq)), Some(leaf)) => (leaf.seq != *seq
                || !says(leaf, row.case, *user, *at, *words))
            .then(|| format!("hävandet stämmer inte med loggens post {}", leaf.seq)),
        }
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.marked.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

fn says(leaf: &Leaf<Marked>, case: i64, user: i64, at: Timestamp, words: ContentHash) -> bool {
    leaf.record.case == case
        && leaf.record.user == user
        && leaf.at.as_millisecond() == at.as_millisecond()
        && leaf.record.words_sha256 == words
}

impl Logged for DisposalFacts {
    const NAME: &'static str = "gallringsprotokoll";
    const LEAF_SAYS: &'static str = "säger att gallringen gjordes";

    async fn page(store: &Store, after: i64) -> Result<Vec<Readable<Self>>, EvidenceError> {
        Ok(store.disposal_facts(after, PAGE).await?)
    }

    fn fault(&self, log: &LogRead) -> Option<String> {
        let leaf = log.disposals.get(&self.id);
        let Some(row) = &self.done else {
            return leaf.map(|leaf| {
                format!("loggen (post {}) säger att gallringen gjordes, men inte raden", leaf.seq)
            });
        };
        let Some(leaf) = leaf else {
            return Some(
                "raden säger att gallringen gjordes, men loggen har ingen post om det".into(),
            );
        };
        let said = &leaf.record;
        let mut records: Vec<_> = said.records.iter().map(|record| record.evidence).collect();
        records.sort_unstable();
        let mut differ = Vec::new();
        if leaf.seq != row.log_seq || leaf.at.as_millisecond() != row.at.as_millisecond() {
            differ.push("tiden eller platsen i loggen");
        }
        if said.by != row.by || said.proposed_by != row.proposed_by {
            differ.push("vem som föreslog eller godkände");
        }
        if said.decision != row.decision {
            differ.push("beslutet");
        }
        if said.csv_sha256 != row.csv_sha256 {
            differ.push("protokollets kontrollsumma");
        }
        if records != row.records {
            differ.push("vilka bevis det gällde");
        }
        (!differ.is_empty()).then(|| {
            format!("raden stämmer inte med loggens post {}: {}", leaf.seq, differ.join(", "))
        })
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.disposals.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}

/// The protocols' tables beside the evidence are those that the log holds.
async fn protocols(
    evidence: &EvidenceStore,
    store: &Store,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let mut after = i64::MIN;
    loop {
        let page = store.disposal_facts(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for Readable { id, value } in page {
            let Some(done) = value.and_then(|facts| facts.done) else { continue };
            let path = evidence.protocol_file(DisposalId(id), "csv");
            let bytes = tokio::task::spawn_blocking(move || std::fs::read(path))
                .await
                .map_err(|_| EvidenceError::BrokenOff)?;
            let place = format!("gallringsprotokoll {id}");
            match bytes {
                Ok(bytes) if ContentHash::of(&bytes) == done.csv_sha256 => {}
                Ok(_) => report.fault(place, "filen är inte den som loggen har kontrollsumman av"),
                Err(_) if !done.written => {
                    report.note(format!("Gallringsprotokoll {id} är inte skrivet till fil än."));
                }
                Err(_) => report.fault(place, "filen saknas eller går inte att läsa"),
            }
        }
    }
}

/// Nothing is left of what was disposed of, but for what waits to be destroyed.
async fn destroyed(
    evidence: &EvidenceStore,
    store: &Store,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let mut after = None;
    let mut left = Vec::new();
    loop {
        let page = store.blobs_of_disposed(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        let blobs = evidence.blobs.clone();
        let there = move || page.into_iter().filter(|hash| blobs.path(*hash).exists()).collect();
        let there: Vec<ContentHash> =
            tokio::task::spawn_blocking(there).await.map_err(|_| EvidenceError::BrokenOff)?;
        left.extend(there);
    }
    // A seal may rest on the same file since.
    let shared = store.shared_blobs(left.clone(), Vec::new()).await?;
    for hash in left.into_iter().filter(|hash| !shared.contains(hash)) {
        report.fault(
            format!("fil {hash}"),
            "det som filen hörde till är gallrat, men den ligger kvar",
        );
    }
    let doomed = store.doomed_blobs(PAGE).await?.len();
    if doomed > 0 {
        report.note("Filer som gallrats i databasen väntar på att förstöras: det görs inom en minut när Uppsikt kör.");
    }
    Ok(())
}
