//! Exemptions and disposals: each row against its leaves, the protocols' files, and that what was disposed
//! of is gone.

use jiff::Timestamp;

use crate::domain::checkpoint::{Origin, PublicKey};
use crate::domain::ids::{ContentHash, DisposalId};
use crate::domain::retention::Protocol;
use crate::formats::protocol;
use crate::runtime::private;
use crate::store::Store;
use crate::store::error::StoreError;
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
        if leaf.record.release.is_some_and(|release| release != self.release.unwrap_or(0)) {
            return Some(format!(
                "raden stämmer inte med loggens post {}: vilken begäran om utlämnande det hör till",
                leaf.seq
            ));
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
        if said.plan != row.plan {
            differ.push("planen");
        }
        if said.policy_sha256 != row.policy {
            differ.push("riktlinjen");
        }
        if said.destroyed.as_ref().is_some_and(|said| {
            (said.n_files, said.n_bytes, said.n_shared)
                != (row.destroyed.n_files, row.destroyed.n_bytes, row.destroyed.n_shared)
        }) {
            differ.push("hur mycket som förstördes");
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

/// The protocols' files beside the evidence are those that the log holds and that were signed, and the rows still
/// give the same table.
async fn protocols(
    evidence: &EvidenceStore,
    store: &Store,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let origin = evidence.origin().await?;
    let keys: Vec<PublicKey> = match store.keys().await {
        Ok(rows) => {
            rows.iter().filter_map(|row| PublicKey::new(&origin, &row.public).ok()).collect()
        }
        // Told where keys are verified.
        Err(StoreError::Row { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut after = i64::MIN;
    loop {
        let page = store.disposal_facts(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for Readable { id, value } in page {
            let Some(done) = value.and_then(|facts| facts.done) else { continue };
            let id = DisposalId(id);
            let place = format!("gallringsprotokoll {id}");
            let files = Files::read(evidence, id).await?;
            let ours = match &files.csv {
                Some(bytes) if ContentHash::of(bytes) == done.csv_sha256 => has_our_columns(bytes),
                Some(_) => {
                    report.fault(&place, "filen är inte den som loggen har kontrollsumman av");
                    true
                }
                None if !done.written => {
                    report.note(format!("Gallringsprotokoll {id} är inte skrivet till fil än."));
                    true
                }
                None => {
                    report.fault(&place, "filen saknas eller går inte att läsa");
                    true
                }
            };
            // A table from before it had the columns of today was made otherwise.
            if ours && !gives_the_table(store, id, done.csv_sha256).await? {
                report.fault(
                    &place,
                    "raderna i databasen ger inte den tabell som loggen har kontrollsumman av: vem, när, vilka ärenden, klass, frist eller skäl är ändrat",
                );
            }
            // While it is being written some of them lie there and some do not.
            if done.written {
                for what in files.faults(id, &origin, &keys) {
                    report.fault(&place, what);
                }
            }
        }
    }
}

/// Whether a table begins as ours do today.
fn has_our_columns(table: &[u8]) -> bool {
    table.starts_with(protocol::heading().as_bytes())
}

/// Whether the rows of a disposal still give the table that was signed for.
async fn gives_the_table(
    store: &Store,
    id: DisposalId,
    csv_sha256: ContentHash,
) -> Result<bool, EvidenceError> {
    let read = async || -> Result<Option<Protocol>, StoreError> {
        let row = store.disposal(id).await?;
        let lines = store.disposal_lines(id).await?;
        let Some(ended) = row.ended.clone() else { return Ok(None) };
        let destroyed = row.destroyed.unwrap_or_default();
        Ok(Some(Protocol::of(&row, ended, destroyed, lines)))
    };
    match read().await {
        Ok(protocol) => Ok(protocol
            .is_some_and(|protocol| ContentHash::of(&protocol::csv(&protocol)) == csv_sha256)),
        Err(StoreError::Row { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What lies beside the evidence of one protocol; none where it cannot be read.
struct Files {
    csv: Option<Vec<u8>>,
    pdf: Option<Vec<u8>>,
    sums: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
    pem: Option<Vec<u8>>,
}

impl Files {
    async fn read(evidence: &EvidenceStore, id: DisposalId) -> Result<Self, EvidenceError> {
        let path = |ending| evidence.protocol_file(id, ending);
        let paths = ["csv", "pdf", "sha256", "sha256.sig", "pem"].map(path);
        let read = move || paths.map(|path| private::read(&path).ok());
        let [csv, pdf, sums, signature, pem] =
            tokio::task::spawn_blocking(read).await.map_err(|_| EvidenceError::BrokenOff)?;
        Ok(Self { csv, pdf, sums, signature, pem })
    }

    /// How what lies around the table is not what was signed: the sums, what they are of, the signature, the key.
    fn faults(&self, id: DisposalId, origin: &Origin, keys: &[PublicKey]) -> Vec<String> {
        let mut found = Vec::new();
        let missing =
            |ending: &str| format!("protokoll-{id}.{ending} saknas eller går inte att läsa");
        let known = self.pem.as_deref().map(|pem| {
            let key = PublicKey::from_pem(origin, &String::from_utf8_lossy(pem)).ok();
            key.and_then(|key| keys.iter().find(|known| known.bytes() == key.bytes()))
        });
        match known {
            None => found.push(missing("pem")),
            Some(None) => {
                found.push(format!("nyckeln i protokoll-{id}.pem är ingen av loggens nycklar"));
            }
            Some(Some(_)) => {}
        }
        if self.signature.is_none() {
            found.push(missing("sha256.sig"));
        }
        let Some(sums) = &self.sums else {
            found.push(missing("sha256"));
            return found;
        };
        if let Some(signature) = &self.signature {
            let signature: Option<&[u8; 64]> = signature.as_slice().try_into().ok();
            // The key beside may be what was changed: any of the log's own will do.
            if !signature.is_some_and(|s| keys.iter().any(|key| key.signed(sums, s))) {
                found.push(format!(
                    "protokoll-{id}.sha256 är inte det som undertecknades med någon av loggens nycklar"
                ));
            }
        }
        let sums = String::from_utf8_lossy(sums);
        let is_summed = |ending: &str, bytes: &[u8]| {
            let line = format!("{}  protokoll-{id}.{ending}", ContentHash::of(bytes));
            sums.lines().any(|known| known == line)
        };
        if self.csv.as_deref().is_some_and(|csv| !is_summed("csv", csv)) {
            found.push(format!("protokoll-{id}.sha256 har inte tabellens kontrollsumma"));
        }
        match &self.pdf {
            Some(pdf) if is_summed("pdf", pdf) => {}
            Some(_) => found.push(format!(
                "protokoll-{id}.pdf är inte det som undertecknades: kontrollsumman är en annan"
            )),
            None if sums.contains(&format!("  protokoll-{id}.pdf")) => found.push(missing("pdf")),
            // A build without sheets made none.
            None => {}
        }
        found
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
