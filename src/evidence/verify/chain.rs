//! The log itself: every leaf, every link, and what the leaves say.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::ContentHash;
use crate::domain::log::{LogKind, chain_hash, genesis, leaf_hash};
use crate::store::Store;
use crate::store::rows::{LinesHeld, LogEntry, Readable};

use super::tree::TreeRead;
use super::{PAGE, Report};
use crate::evidence::EvidenceError;

/// What every entry's body has.
#[derive(serde::Deserialize)]
struct Body {
    seq: u64,
    at: Timestamp,
    kind: String,
    /// Not in entries from before the running hashes.
    lines: Option<LinesAt>,
    record: serde_json::Value,
}

/// The tables that only grow, as they stood when an entry was written.
#[derive(Clone, Copy, serde::Deserialize)]
pub(super) struct LinesAt {
    pub(super) audit: LinesHeld,
    pub(super) history: LinesHeld,
}

/// What the log says was sealed.
#[derive(Clone, serde::Deserialize)]
pub(super) struct Sealing {
    pub(super) evidence: i64,
    pub(super) account: String,
    pub(super) platform_id: String,
    pub(super) version: u32,
    pub(super) content_sha256: ContentHash,
    pub(super) manifest_sha256: ContentHash,
}

/// What the log says was decided.
#[derive(serde::Deserialize)]
pub(super) struct Decided {
    pub(super) decision: i64,
    pub(super) case: i64,
    pub(super) version: i64,
    pub(super) user: i64,
    pub(super) choices: Vec<String>,
    pub(super) ground: Option<String>,
    /// Not in entries from before words were hashed; so for actions.
    pub(super) words_sha256: Option<ContentHash>,
    /// Not in entries from before the policy was held.
    pub(super) policy_sha256: Option<ContentHash>,
    /// Not in entries from before these were held.
    pub(super) terms: Option<Terms>,
}

/// What else of a decision's row decides what is done, and when.
#[derive(serde::Deserialize)]
pub(super) struct Terms {
    pub(super) undo_until: i64,
    pub(super) due_at: i64,
    pub(super) bulk: Option<i64>,
    pub(super) by_hand: Vec<String>,
}

/// What the log says was undone.
#[derive(serde::Deserialize)]
struct Undone {
    decision: i64,
}

/// Which failed action the log says was to be tried again.
#[derive(serde::Deserialize)]
struct Retried {
    action: i64,
}

/// How the log says an action ended.
#[derive(serde::Deserialize)]
pub(super) struct Ended {
    pub(super) action: i64,
    pub(super) case: i64,
    pub(super) kind: String,
    pub(super) version: i64,
    pub(super) evidence: Option<i64>,
    pub(super) end: String,
    pub(super) words_sha256: Option<ContentHash>,
    /// Of registrations alone, and not in entries from before it was held.
    pub(super) package: Option<Handed>,
}

/// What the log says was handed to the diary.
#[derive(serde::Deserialize)]
pub(super) struct Handed {
    pub(super) name: String,
    pub(super) sha256: ContentHash,
}

/// Which number the log says was entered.
#[derive(serde::Deserialize)]
pub(super) struct Entered {
    pub(super) case: i64,
    pub(super) registration: i64,
    pub(super) package_sha256: ContentHash,
    pub(super) diary_number: String,
    pub(super) user: i64,
}

/// What the log says was barred from copying.
#[derive(serde::Deserialize)]
pub(super) struct Barred {
    pub(super) bar: i64,
    pub(super) account: String,
    pub(super) platform_id: String,
    pub(super) version: u32,
    pub(super) user: Option<i64>,
}

/// Of which item the log says that the bar was lifted, by whom, and with which words.
#[derive(serde::Deserialize)]
pub(super) struct Lifted {
    pub(super) item: i64,
    pub(super) user: i64,
    pub(super) words_sha256: ContentHash,
}

/// What the log says of an exemption from disposal, or of its lifting.
#[derive(serde::Deserialize)]
pub(super) struct Held {
    pub(super) hold: i64,
    pub(super) case: i64,
    pub(super) user: i64,
    pub(super) words_sha256: ContentHash,
    /// The request that asks for it, 0 where none does. Not in entries from before it was held, nor of a lifting.
    pub(super) release: Option<i64>,
}

/// What the log says of a secrecy mark, or of its lifting.
#[derive(serde::Deserialize)]
pub(super) struct Marked {
    pub(super) secrecy: i64,
    pub(super) case: i64,
    pub(super) user: i64,
    pub(super) words_sha256: ContentHash,
}

/// What the log says of a decision that something leaves the house, or does not.
#[derive(serde::Deserialize)]
pub(super) struct Ruled {
    pub(super) row: i64,
    /// The case, or nothing where it is about several.
    pub(super) case: Option<i64>,
    pub(super) user: i64,
    pub(super) words_sha256: ContentHash,
    /// Of versions of policies, and not in entries from before it was held.
    pub(super) rest_sha256: Option<ContentHash>,
}

/// What the log says was disposed of.
#[derive(serde::Deserialize)]
pub(super) struct Disposal {
    pub(super) disposal: i64,
    pub(super) plan: String,
    pub(super) decision: String,
    pub(super) policy_sha256: ContentHash,
    pub(super) csv_sha256: ContentHash,
    /// Not in entries from before it was held.
    pub(super) destroyed: Option<Destroyed>,
    pub(super) proposed_by: Option<i64>,
    pub(super) by: Option<i64>,
    pub(super) records: Vec<DisposedRecord>,
}

/// What the log says went with a disposal.
#[derive(serde::Deserialize)]
pub(super) struct Destroyed {
    pub(super) n_files: u64,
    pub(super) n_bytes: u64,
    pub(super) n_shared: u64,
}

/// One record of a disposal.
#[derive(serde::Deserialize)]
pub(super) struct DisposedRecord {
    pub(super) evidence: i64,
    pub(super) manifest_sha256: ContentHash,
}

/// Under which protocol the log says a record was disposed of.
#[derive(Clone)]
pub(super) struct DisposedUnder {
    pub(super) protocol: i64,
    pub(super) decision: String,
    pub(super) seq: u64,
    pub(super) manifest: ContentHash,
}

/// Which key the log says was taken into use.
#[derive(serde::Deserialize, PartialEq, Eq)]
pub(super) struct KeyTaken {
    pub(super) key: String,
    pub(super) public: String,
    pub(super) previous: Option<String>,
    pub(super) signature: Option<String>,
}

/// A leaf with its place and time.
pub(super) struct Leaf<T> {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) record: T,
}

/// One link, for the noted heads.
pub(super) struct Link {
    pub(super) chain: ContentHash,
    pub(super) at: Timestamp,
    pub(super) is_seal: bool,
    /// Written since every entry is noted in the file of heads.
    pub(super) is_noted: bool,
}

/// The log as far as it has been read.
pub(super) struct LogRead {
    pub(super) sealings: BTreeMap<i64, Leaf<Sealing>>,
    pub(super) decided: BTreeMap<i64, Leaf<Decided>>,
    pub(super) undone: BTreeMap<i64, Timestamp>,
    /// The last end of each action: one that a person let be tried again has several.
    pub(super) ended: BTreeMap<i64, Leaf<Ended>>,
    /// Where the log last says that an action was to be tried again.
    pub(super) retried: BTreeMap<i64, u64>,
    pub(super) entered: BTreeMap<i64, Leaf<Entered>>,
    pub(super) barred: BTreeMap<i64, Leaf<Barred>>,
    /// Exemptions from disposal, and those that were lifted, by their number.
    pub(super) held: BTreeMap<i64, Leaf<Held>>,
    pub(super) unheld: BTreeMap<i64, Leaf<Held>>,
    /// Secrecy marks, and those that were lifted, by their number.
    pub(super) marked: BTreeMap<i64, Leaf<Marked>>,
    pub(super) unmarked: BTreeMap<i64, Leaf<Marked>>,
    /// Decisions about reports to the police, and requests for records that came to their end.
    pub(super) police: BTreeMap<i64, Leaf<Ruled>>,
    pub(super) releases: BTreeMap<i64, Leaf<Ruled>>,
    pub(super) sweeps: BTreeMap<i64, Leaf<Ruled>>,
    pub(super) archive_runs: BTreeMap<i64, Leaf<Ruled>>,
    pub(super) policies: BTreeMap<i64, Leaf<Ruled>>,
    /// Sealed items that were gone.
    pub(super) vanished: BTreeMap<i64, Leaf<Ruled>>,
    pub(super) disposals: BTreeMap<i64, Leaf<Disposal>>,
    /// Records that were disposed of.
    pub(super) disposed: BTreeMap<i64, DisposedUnder>,
    /// By item, in order: each takes off the bars before it and none after.
    pub(super) lifted: BTreeMap<i64, Vec<Leaf<Lifted>>>,
    /// By their places in the log.
    pub(super) keys: BTreeMap<u64, KeyTaken>,
    pub(super) lines: Vec<(u64, LinesAt)>,
    pub(super) links: BTreeMap<u64, Link>,
    pub(super) chain: ContentHash,
    pub(super) tree: TreeRead,
    /// The place that comes next.
    pub(super) next: u64,
    /// The entry before could not be read, so the chain goes on from what is stored.
    is_torn: bool,
    /// When the entry before was made.
    before: Option<Timestamp>,
}

/// So much a clock may go back without a word: machines are set right now and then.
const SET_RIGHT: SignedDuration = SignedDuration::from_mins(5);

impl LogRead {
    /// `sizes` are those at which the tree's head matters.
    pub(super) fn new(sizes: Vec<u64>) -> Self {
        Self {
            sealings: BTreeMap::new(),
            decided: BTreeMap::new(),
            undone: BTreeMap::new(),
            ended: BTreeMap::new(),
            retried: BTreeMap::new(),
            entered: BTreeMap::new(),
            barred: BTreeMap::new(),
            held: BTreeMap::new(),
            unheld: BTreeMap::new(),
            marked: BTreeMap::new(),
            unmarked: BTreeMap::new(),
            police: BTreeMap::new(),
            releases: BTreeMap::new(),
            sweeps: BTreeMap::new(),
            archive_runs: BTreeMap::new(),
            policies: BTreeMap::new(),
            vanished: BTreeMap::new(),
            disposals: BTreeMap::new(),
            disposed: BTreeMap::new(),
            lifted: BTreeMap::new(),
            keys: BTreeMap::new(),
            lines: Vec::new(),
            links: BTreeMap::new(),
            chain: genesis(),
            tree: TreeRead::new(sizes),
            next: 1,
            is_torn: false,
            before: None,
        }
    }

    /// Reads on, to the log's present end.
    pub(super) async fn read_on(
        &mut self,
        store: &Store,
        report: &mut Report,
    ) -> Result<(), EvidenceError> {
        loop {
            let entries = store.log_to_verify(self.next - 1, PAGE).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for Readable { id, value } in entries {
                match value {
                    Some(entry) => self.take(&entry, report),
                    None => {
                        report.fault(format!("logg {id}"), "posten går inte att läsa");
                        report.n_entries += 1;
                        // A number below nought is no place: what follows is missed instead.
                        self.next = u64::try_from(id).map_or(self.next, |seq| seq + 1);
                        self.is_torn = true;
                        self.tree.tear();
                    }
                }
            }
            self.tree.hold(store).await?;
        }
    }

    fn take(&mut self, entry: &LogEntry, report: &mut Report) {
        let place = format!("logg {}", entry.seq);
        if entry.seq != self.next {
            let last = self.next - 1;
            report.fault(&place, format!("poster saknas mellan {last} och {}", entry.seq));
        }
        if leaf_hash(entry.body.as_bytes()) != entry.leaf {
            report.fault(&place, "innehållet har ändrats: lövets kontrollsumma stämmer inte");
        }
        self.chain = chain_hash(self.chain, entry.leaf);
        if self.chain != entry.chain && !self.is_torn {
            report.fault(&place, "kedjan är bruten: länken stämmer inte med posterna före");
        }
        self.tree.take(entry.seq, entry.leaf);
        if let Some(before) = self.before.filter(|at| at.duration_since(entry.at) > SET_RIGHT) {
            report.note(format!(
                "Klockan har ställts tillbaka: {place} är daterad {}, efter en post från {before}. Ordningen håller, men tiderna före den posten kan vara fel.",
                entry.at
            ));
        }
        self.before = Some(entry.at);
        // Go on from what is stored, so that one fault is one fault.
        self.chain = entry.chain;
        self.is_torn = false;
        let body = serde_json::from_str::<Body>(&entry.body);
        self.links.insert(
            entry.seq,
            Link {
                chain: entry.chain,
                at: entry.at,
                is_seal: entry.kind == LogKind::Seal,
                is_noted: body.as_ref().is_ok_and(|body| body.lines.is_some()),
            },
        );
        report.n_entries += 1;
        self.next = entry.seq + 1;
        match body {
            Ok(body) => self.understand(entry, body, &place, report),
            Err(_) => report.fault(&place, "posten går inte att läsa"),
        }
    }

    fn understand(&mut self, entry: &LogEntry, body: Body, place: &str, report: &mut Report) {
        if body.seq != entry.seq {
            report.fault(place, "posten bär ett annat nummer än sin plats");
            return;
        }
        if body.at.as_millisecond() != entry.at.as_millisecond() {
            report.fault(place, "radens tid är inte den som lövet bär");
        }
        if body.kind != entry.kind.id() {
            report.fault(place, "radens slag är inte det som lövet bär");
            return;
        }
        let (seq, at) = (body.seq, body.at);
        if let Some(lines) = body.lines {
            self.lines.push((seq, lines));
        }
        let record = body.record;
        let read = match entry.kind {
            LogKind::Seal => leaf::<Sealing>(seq, at, record).map(|leaf| {
                self.sealings.insert(leaf.record.evidence, leaf);
            }),
            LogKind::Decision => leaf::<Decided>(seq, at, record).map(|leaf| {
                self.decided.insert(leaf.record.decision, leaf);
            }),
            LogKind::Undo => leaf::<Undone>(seq, at, record).map(|leaf| {
                self.undone.insert(leaf.record.decision, at);
            }),
            LogKind::Action => leaf::<Ended>(seq, at, record).map(|leaf| {
                self.ended.insert(leaf.record.action, leaf);
            }),
            LogKind::Retry => leaf::<Retried>(seq, at, record).map(|leaf| {
                self.retried.insert(leaf.record.action, seq);
            }),
            LogKind::Registration => leaf::<Entered>(seq, at, record).map(|leaf| {
                self.entered.insert(leaf.record.registration, leaf);
            }),
            LogKind::Bar => leaf::<Barred>(seq, at, record).map(|leaf| {
                self.barred.insert(leaf.record.bar, leaf);
            }),
            LogKind::Lift => leaf::<Lifted>(seq, at, record).map(|leaf| {
                self.lifted.entry(leaf.record.item).or_default().push(leaf);
            }),
            LogKind::Hold => leaf::<Held>(seq, at, record).map(|leaf| {
                self.held.insert(leaf.record.hold, leaf);
            }),
            LogKind::HoldLift => leaf::<Held>(seq, at, record).map(|leaf| {
                self.unheld.insert(leaf.record.hold, leaf);
            }),
            LogKind::Secrecy => leaf::<Marked>(seq, at, record).map(|leaf| {
                self.marked.insert(leaf.record.secrecy, leaf);
            }),
            LogKind::SecrecyLift => leaf::<Marked>(seq, at, record).map(|leaf| {
                self.unmarked.insert(leaf.record.secrecy, leaf);
            }),
            LogKind::Disposal => leaf::<Disposal>(seq, at, record).map(|leaf| {
                self.disposed.extend(disposed_under(&leaf));
                self.disposals.insert(leaf.record.disposal, leaf);
            }),
            LogKind::Police => leaf::<Ruled>(seq, at, record).map(|leaf| {
                self.police.insert(leaf.record.row, leaf);
            }),
            LogKind::Release => leaf::<Ruled>(seq, at, record).map(|leaf| {
                self.releases.insert(leaf.record.row, leaf);
            }),
            LogKind::Sweep => leaf::<Ruled>(seq, at, record).map(|leaf| {
                self.sweeps.insert(leaf.record.row, leaf);
            }),
            LogKind::ArchiveRun => leaf::<Ruled>(seq, at, record).map(|leaf| {
                self.archive_runs.insert(leaf.record.row, leaf);
            }),
            LogKind::Policy => leaf::<Ruled>(seq, at, record).map(|leaf| {
                self.policies.insert(leaf.record.row, leaf);
            }),
            LogKind::Vanished => leaf::<Ruled>(seq, at, record).map(|leaf| {
                self.vanished.insert(leaf.record.row, leaf);
            }),
            LogKind::Key => leaf::<KeyTaken>(seq, at, record).map(|leaf| {
                self.keys.insert(seq, leaf.record);
            }),
        };
        if read.is_err() {
            report.fault(place, "posten går inte att läsa");
        }
    }
}

/// What an entry says was sealed; nothing where it is of another kind or cannot be read.
pub(super) fn sealing_of(entry: &LogEntry) -> Option<Leaf<Sealing>> {
    let body = serde_json::from_str::<Body>(&entry.body).ok()?;
    let is_own =
        entry.kind == LogKind::Seal && body.kind == LogKind::Seal.id() && body.seq == entry.seq;
    is_own.then(|| leaf(body.seq, body.at, body.record).ok())?
}

/// The records that an entry says were disposed of.
fn disposed_under(leaf: &Leaf<Disposal>) -> impl Iterator<Item = (i64, DisposedUnder)> {
    leaf.record.records.iter().map(|record| {
        let (protocol, decision) = (leaf.record.disposal, leaf.record.decision.clone());
        let manifest = record.manifest_sha256;
        (record.evidence, DisposedUnder { protocol, decision, seq: leaf.seq, manifest })
    })
}

/// What an entry says of the disposal of one record; nothing where it is of another kind, of other
/// records or cannot be read.
pub(super) fn disposal_of(entry: &LogEntry, evidence: i64) -> Option<DisposedUnder> {
    let body = serde_json::from_str::<Body>(&entry.body).ok()?;
    let is_own = entry.kind == LogKind::Disposal
        && body.kind == LogKind::Disposal.id()
        && body.seq == entry.seq
        && leaf_hash(entry.body.as_bytes()) == entry.leaf;
    if !is_own {
        return None;
    }
    let leaf = leaf::<Disposal>(body.seq, body.at, body.record).ok()?;
    disposed_under(&leaf).find(|(id, _)| *id == evidence).map(|(_, under)| under)
}

/// What an entry says of a key; nothing where it is of another kind or cannot be read.
pub(super) fn key_of(entry: &LogEntry) -> Option<KeyTaken> {
    let body = serde_json::from_str::<Body>(&entry.body).ok()?;
    let is_own = entry.kind == LogKind::Key
        && body.kind == LogKind::Key.id()
        && body.seq == entry.seq
        && leaf_hash(entry.body.as_bytes()) == entry.leaf;
    is_own.then(|| serde_json::from_value(body.record).ok())?
}

/// Whether an entry is of those that the file of heads has a line for.
pub(super) fn is_noted(entry: &LogEntry) -> bool {
    serde_json::from_str::<Body>(&entry.body).is_ok_and(|body| body.lines.is_some())
}

fn leaf<T: serde::de::DeserializeOwned>(
    seq: u64,
    at: Timestamp,
    record: serde_json::Value,
) -> Result<Leaf<T>, serde_json::Error> {
    Ok(Leaf { seq, at, record: serde_json::from_value(record)? })
}
