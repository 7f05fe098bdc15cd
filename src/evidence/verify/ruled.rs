//! Decisions about what leaves the house: reports to the police, and public records that were asked for.

use crate::store::Store;
use crate::store::handed::{PoliceFacts, ReleaseFacts, RuledFacts};
use crate::store::rows::Readable;

use super::chain::{Leaf, LogRead, Ruled};
use super::rows::{Logged, kind};
use super::{PAGE, Report};
use crate::evidence::EvidenceError;

/// Verifies them all.
pub(super) async fn verify(
    store: &Store,
    log: &mut LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    kind::<PoliceFacts>(store, log, report).await?;
    kind::<ReleaseFacts>(store, log, report).await
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
        fault(&self.0, log.releases.get(&self.0.row))
    }

    fn leaves(log: &LogRead) -> impl Iterator<Item = (i64, u64)> {
        log.releases.iter().map(|(id, leaf)| (*id, leaf.seq))
    }
}
