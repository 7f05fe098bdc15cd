//! The audit log and the histories of cases: recomputed, and held against every entry of the log.

use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{Lines, LinesHeld};

use super::Report;
use super::chain::LogRead;
use crate::evidence::EvidenceError;

const fn place(lines: Lines) -> &'static str {
    match lines {
        Lines::Audit => "granskningsloggen",
        Lines::History => "ärendenas historik",
    }
}

/// What is known of a table's lines at one length of it.
struct Known {
    held: LinesHeld,
    /// Where it is known from; none for the database's own note.
    seq: Option<u64>,
}

/// Verifies both. `noted` was read before the lines are.
pub(super) async fn verify(
    store: &Store,
    noted: Vec<(Lines, Option<LinesHeld>)>,
    log: &LogRead,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    for (lines, noted) in noted {
        let mut known: Vec<Known> = log
            .lines
            .iter()
            .map(|(seq, at)| {
                let held = match lines {
                    Lines::Audit => at.audit,
                    Lines::History => at.history,
                };
                Known { held, seq: Some(*seq) }
            })
            .collect();
        match noted {
            Some(held) => known.push(Known { held, seq: None }),
            None => report.fault(place(lines), "databasens egen anteckning går inte att läsa"),
        }
        known.sort_by_key(|known| known.held.n);
        if let Some(what) = fault(store, lines, &known).await? {
            report.fault(place(lines), what);
        }
    }
    Ok(())
}

/// The first place at which the lines are not those that were counted.
async fn fault(
    store: &Store,
    lines: Lines,
    known: &[Known],
) -> Result<Option<String>, EvidenceError> {
    let mut known = known.iter().skip_while(|known| known.held.n == 0).peekable();
    let (mut after, mut held, mut n, mut good) = (i64::MIN, None, 0, 0);
    while known.peek().is_some() {
        let read = match store.recompute_lines(lines, after, held).await {
            Err(StoreError::Row { .. }) => {
                return Ok(Some(format!("någon av raderna efter {n} går inte att läsa")));
            }
            read => read?,
        };
        let Some((id, last)) = read.last() else { break };
        (after, held) = (*id, Some(*last));
        for (_, now) in read {
            n = now.n;
            while let Some(at) = known.next_if(|at| at.held.n == now.n) {
                if at.held != now {
                    return Ok(Some(format!(
                        "någon av raderna {} till {n} har ändrats, tagits bort eller skjutits in ({})",
                        good + 1,
                        source(at)
                    )));
                }
                good = now.n;
            }
        }
    }
    if let Some(at) = known.last() {
        let source = source(at);
        return Ok(Some(format!(
            "rader har tagits bort: {} fanns ({source}), {n} finns",
            at.held.n
        )));
    }
    Ok(match store.uncounted_lines(lines).await? {
        0 => None,
        n => Some(format!(
            "{n} rader har skjutits in efter den sista som databasen har antecknat: Uppsikt har inte skrivit dem"
        )),
    })
}

fn source(known: &Known) -> String {
    match known.seq {
        Some(seq) => format!("loggens post {seq}"),
        None => "databasens egen anteckning".to_owned(),
    }
}
