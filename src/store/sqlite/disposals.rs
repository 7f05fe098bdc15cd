//! Disposal (*gallring*): what is due, the proposal, its carrying out in one transaction, and which files
//! are to be destroyed after it.
//!
//! What goes: texts, authors, original answers, verdicts and uploads of the item's versions, and the files
//! of its records. What stays: that there was an item, its versions' hashes, the history, the decisions,
//! the leaves of the log, and the protocol.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;

use super::bars::cut_off;
use super::cases::{note_event, the_case};
use super::decide::outcomes_of;
use super::holds::covering;
use super::public_reports::wipe_of_case;
use super::value::{at, each_row, from_json, hash, json, maybe_at, maybe_row, ms, rows};
use super::{audit, log};
use crate::domain::case::{CaseState, Outcome};
use crate::domain::custody::CustodyAct;
use crate::domain::evidence::CutOff;
use crate::domain::ids::{
    AccountId, CaseId, ContentHash, DisposalId, EvidenceId, ItemId, UserId, VersionId,
};
use crate::domain::log::LogKind;
use crate::domain::retention::{Destroyed, Disposal, DisposalLine, DisposalState, RetentionClass};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::keeping::{DisposalFacts, DoneFacts, KeptCase, KeptRecord, Spared};
use crate::store::rows::{AuditLine, Readable};

/// What stands in the place of a text that was disposed of.
pub const DISPOSED_TEXT: &str = "[Innehållet är gallrat.]";

const DISPOSAL: &str = "d.id, d.state, d.plan, d.decision, d.policy, d.four_eyes, d.proposed_at, d.proposed_by,
       d.proposed_name, d.ended_at, d.ended_name, d.reason, d.log_seq, d.csv_sha256, d.n_files, d.n_bytes,
       d.n_shared,
       (select count(distinct case_id) from disposal_lines l where l.disposal_id = d.id),
       (select count(*) from disposal_lines l where l.disposal_id = d.id),
       d.authority";

/// What the log says of a disposal.
#[derive(Serialize)]
struct DisposalRecord<'a> {
    disposal: i64,
    plan: &'a str,
    decision: &'a str,
    policy_sha256: ContentHash,
    /// The protocol's table.
    csv_sha256: ContentHash,
    proposed_by: Option<i64>,
    by: Option<i64>,
    destroyed: DestroyedRecord,
    records: Vec<Disposed>,
}

/// What the sheet of the protocol says went with them; the table does not.
#[derive(Serialize)]
struct DestroyedRecord {
    n_files: u64,
    n_bytes: u64,
    n_shared: u64,
}

#[derive(Serialize)]
struct Disposed {
    evidence: i64,
    manifest_sha256: ContentHash,
}

/// A disposal to be proposed.
#[derive(Clone, Debug)]
pub struct NewDisposal {
    /// The authority's name.
    pub authority: String,
    /// The plan that it follows.
    pub plan: String,
    /// The decision that allows it.
    pub decision: String,
    /// The policy's hash.
    pub policy: ContentHash,
    /// Whether another person has to approve.
    pub four_eyes: bool,
    /// Its records.
    pub lines: Vec<DisposalLine>,
}

/// A disposal to be carried out.
#[derive(Clone, Debug)]
pub struct CarryOut {
    /// Which.
    pub disposal: DisposalId,
    /// The accounts that go by the policy that it was proposed under.
    pub accounts: Vec<AccountId>,
    /// The hash of the protocol's table.
    pub csv_sha256: ContentHash,
    /// What it destroys.
    pub destroyed: Destroyed,
}

fn disposal(row: &Row<'_>) -> Result<Disposal, StoreError> {
    let state: String = row.get(1)?;
    let ended = match maybe_at(row.get(9)?)? {
        Some(at) => Some((at, row.get::<_, Option<String>>(10)?.unwrap_or_default())),
        None => None,
    };
    let destroyed = match row.get::<_, Option<u64>>(14)? {
        Some(n_files) => Some(Destroyed { n_files, n_bytes: row.get(15)?, n_shared: row.get(16)? }),
        None => None,
    };
    Ok(Disposal {
        id: DisposalId(row.get(0)?),
        state: match state.as_str() {
            "proposed" => DisposalState::Proposed,
            "done" => DisposalState::Done,
            "withdrawn" => DisposalState::Withdrawn,
            other => return Err(StoreError::row("disposals", format!("state `{other}`"))),
        },
        plan: row.get(2)?,
        decision: row.get(3)?,
        policy: hash("disposals", &row.get::<_, Vec<u8>>(4)?)?,
        four_eyes: row.get(5)?,
        proposed_at: at(row.get(6)?)?,
        proposed_by: row.get::<_, Option<i64>>(7)?.map(UserId),
        proposed_name: row.get(8)?,
        ended,
        reason: row.get(11)?,
        log_seq: row.get(12)?,
        csv_sha256: row
            .get::<_, Option<Vec<u8>>>(13)?
            .map(|bytes| hash("disposals", &bytes))
            .transpose()?,
        destroyed,
        n: (row.get(17)?, row.get(18)?),
        authority: row.get(19)?,
    })
}

fn the_disposal(c: &Connection, id: DisposalId) -> Result<Disposal, StoreError> {
    maybe_row(
        &mut c.prepare_cached(&format!("select {DISPOSAL} from disposals d where d.id = ?1"))?,
        [id.0],
        disposal,
    )?
    .ok_or(StoreError::NotFound { what: "disposal" })
}

fn lines_of(c: &Connection, id: DisposalId) -> Result<Vec<DisposalLine>, StoreError> {
    rows(
        &mut c.prepare_cached(
            "select l.evidence_id, e.manifest_hash, e.log_seq, l.case_id, l.account, l.class, l.months, l.why,
               l.closed_at, l.due_at
             from disposal_lines l join evidence e on e.id = l.evidence_id
             where l.disposal_id = ?1 order by l.case_id, l.evidence_id",
        )?,
        [id.0],
        |row| {
            Ok(DisposalLine {
                evidence: EvidenceId(row.get(0)?),
                manifest: hash("evidence", &row.get::<_, Vec<u8>>(1)?)?,
                log_seq: row.get(2)?,
                case: CaseId(row.get(3)?),
                account: row.get(4)?,
                class: RetentionClass::from_id(&row.get::<_, String>(5)?)
                    .ok_or_else(|| StoreError::row("disposal_lines", "a class that is none"))?,
                months: row.get(6)?,
                why: row.get(7)?,
                closed_at: at(row.get(8)?)?,
                due_at: at(row.get(9)?)?,
            })
        },
    )
}

fn records_of(c: &Connection, item: ItemId) -> Result<Vec<KeptRecord>, StoreError> {
    rows(
        &mut c.prepare_cached(
            "select id, version_id, manifest_hash, log_seq from evidence
             where item_id = ?1 and state = 'sealed' order by id",
        )?,
        [item.0],
        |row| {
            Ok(KeptRecord {
                id: EvidenceId(row.get(0)?),
                version: VersionId(row.get(1)?),
                manifest: hash("evidence", &row.get::<_, Vec<u8>>(2)?)?,
                log_seq: row.get(3)?,
            })
        },
    )
}

/// Why a case is left alone although it is due.
fn spared(
    c: &Connection,
    item: ItemId,
    records: &[KeptRecord],
) -> Result<Option<Spared>, StoreError> {
    if let Some(hold) = covering(c, item)? {
        return Ok(Some(Spared::Held(hold)));
    }
    for record in records {
        // Also pictures of a page on which such an item stands: the police may need them.
        if cut_off(c, record.version)? != CutOff::Nothing {
            return Ok(Some(Spared::Barred));
        }
    }
    let unread = c
        .prepare_cached("select 1 from versions where item_id = ?1 and assessed_by is null")?
        .exists([item.0])?;
    if unread {
        return Ok(Some(Spared::Unread));
    }
    let unsealed = c
        .prepare_cached("select 1 from evidence where item_id = ?1 and state = 'wanted'")?
        .exists([item.0])?;
    if unsealed {
        return Ok(Some(Spared::Unsealed));
    }
    let reported = c
        .prepare_cached(
            "select 1 from public_reports r join cases k on k.id = r.case_id
             where k.item_id = ?1 and r.state = 'joined'",
        )?
        .exists([item.0])?;
    if reported {
        return Ok(Some(Spared::Reported));
    }
    let asked = c
        .prepare_cached(
            "select 1 from subject_items s join subject_requests r on r.id = s.request_id
             where s.item_id = ?1 and r.ended_at is null",
        )?
        .exists([item.0])?;
    if asked {
        return Ok(Some(Spared::Asked));
    }
    // Decisions are leaves of the log, and the history is hashed: a row that was put back in time agrees with neither.
    let told = c
        .prepare_cached(
            "select 1 from cases k where k.item_id = ?1
               and exists (select 1 from decisions d where d.case_id = k.id and d.undone_at is null
                             and d.at <= k.closed_at)
               and exists (select 1 from case_events e where e.case_id = k.id and e.at = k.closed_at)",
        )?
        .exists([item.0])?;
    Ok((!told).then_some(Spared::Untold))
}

/// Makes a case's content go: that of all its versions, for the wordings before the one that was flagged
/// have no record of their own and would stay for ever. Its versions keep their hashes, so that the same text fetched again is
/// known and does not come back.
pub(super) fn wipe(tx: &Transaction<'_>, item: ItemId) -> Result<(), StoreError> {
    for sql in [
        "delete from verdicts where version_id in (select id from versions where item_id = ?1)",
        "delete from wrong_findings where version_id in (select id from versions where item_id = ?1)",
        "update uploads set bytes = null where item_id = ?1",
        "delete from prints where item_id = ?1",
    ] {
        tx.prepare_cached(sql)?.execute([item.0])?;
    }
    tx.prepare_cached(
        "update versions set text = ?2, author = '{}', attachments = '[]', payload = x'', exchange = null
         where item_id = ?1",
    )?
    .execute(params![item.0, DISPOSED_TEXT])?;
    Ok(())
}

impl Store {
    /// Cases of these accounts that ended so, were closed before `before` and have sealed records, the
    /// longest closed first, after the one given by when it was closed and its number; each with why it
    /// is left alone.
    pub async fn kept_cases(
        &self,
        accounts: &[AccountId],
        outcome: Outcome,
        before: Timestamp,
        after: Option<(Timestamp, CaseId)>,
        most: u32,
    ) -> Result<Vec<(KeptCase, Option<Spared>)>, StoreError> {
        let accounts = json(&accounts.iter().map(|account| account.0).collect::<Vec<_>>())?;
        self.read(move |c| {
            let outcome_id = serde_json::to_value(outcome)
                .ok()
                .and_then(|value| value.as_str().map(str::to_owned))
                .unwrap_or_default();
            let after = after.map_or((i64::MIN, 0), |(at, case)| (ms(at), case.0));
            let found = rows(
                &mut c.prepare_cached(
                    "select k.id, k.item_id, a.name, k.closed_at
                     from cases k indexed by cases_closed join accounts a on a.id = k.account_id
                     where k.closed_at < ?2 and (k.closed_at, k.id) > (?3, ?4)
                       and json_extract(k.state_json, '$.outcome') = ?1
                       and k.account_id in (select value from json_each(?6))
                       and exists (select 1 from evidence e where e.item_id = k.item_id and e.state = 'sealed')
                     order by k.closed_at, k.id limit ?5",
                )?,
                params![outcome_id, ms(before), after.0, after.1, most, accounts],
                |row| {
                    Ok(KeptCase {
                        case: CaseId(row.get(0)?),
                        item: ItemId(row.get(1)?),
                        account: row.get(2)?,
                        outcome,
                        outcomes: Vec::new(),
                        closed_at: at(row.get(3)?)?,
                        records: Vec::new(),
                    })
                },
            )?;
            let mut kept = Vec::with_capacity(found.len());
            for mut case in found {
                case.records = records_of(c, case.item)?;
                case.outcomes = outcomes_of(c, case.case, case.outcome)?;
                let spared = spared(c, case.item, &case.records)?;
                kept.push((case, spared));
            }
            Ok(kept)
        })
        .await
    }

    /// Proposes a disposal. Gives the number of its protocol.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where another one waits.
    pub async fn propose_disposal(
        &self,
        new: NewDisposal,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<DisposalId, StoreError> {
        self.write(move |tx| {
            if tx.prepare_cached("select 1 from disposals where state = 'proposed'")?.exists([])? {
                return Err(StoreError::Refused {
                    why: "Ett förslag till gallring väntar redan. Godkänn eller dra tillbaka det först.".into(),
                });
            }
            tx.execute(
                "insert into disposals (state, plan, decision, policy, four_eyes, proposed_at, proposed_by,
                   proposed_name, authority, last_version)
                 values ('proposed', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, (select max(id) from versions))",
                params![
                    new.plan,
                    new.decision,
                    new.policy.bytes(),
                    new.four_eyes,
                    ms(now),
                    line.user.map(|user| user.0),
                    line.user_name,
                    new.authority
                ],
            )?;
            let id = DisposalId(tx.last_insert_rowid());
            let mut insert = tx.prepare_cached(
                "insert into disposal_lines (disposal_id, evidence_id, case_id, account, class, months, why,
                   closed_at, due_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            for one in &new.lines {
                insert.execute(params![
                    id.0,
                    one.evidence.0,
                    one.case.0,
                    one.account,
                    one.class.id(),
                    one.months,
                    one.why,
                    ms(one.closed_at),
                    ms(one.due_at)
                ])?;
            }
            let line = AuditLine { subject: format!("disposal {id}"), ..line };
            audit::append(tx, &line, now)?;
            Ok(id)
        })
        .await
    }

    /// Withdraws a proposal, with the reason.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it does not wait any more.
    pub async fn withdraw_disposal(
        &self,
        id: DisposalId,
        reason: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let withdrawn = tx.execute(
                "update disposals set state = 'withdrawn', ended_at = ?2, ended_by = ?3, ended_name = ?4,
                   reason = ?5 where id = ?1 and state = 'proposed'",
                params![id.0, ms(now), line.user.map(|user| user.0), line.user_name, reason],
            )?;
            if withdrawn == 0 {
                return Err(StoreError::Refused { why: "Förslaget väntar inte längre.".into() });
            }
            audit::append(tx, &AuditLine { detail: Some(reason), ..line }, now)
        })
        .await
    }

    /// Carries a proposal out: the records become disposed of, content goes from the database, the
    /// files are noted to be destroyed, and the leaf is written, all in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Refused`], naming the case, where anything has changed since the proposal, where
    /// an exemption has come, or where the same person would be both pairs of eyes.
    pub async fn dispose(
        &self,
        carry: CarryOut,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let refused = |why: String| StoreError::Refused { why };
            let row = the_disposal(tx, carry.disposal)?;
            if row.state != DisposalState::Proposed {
                return Err(refused("Förslaget väntar inte längre.".into()));
            }
            if row.four_eyes && (line.user.is_none() || line.user == row.proposed_by) {
                return Err(refused(
                    "Riktlinjen kräver att någon annan än den som föreslog gallringen godkänner den.".into(),
                ));
            }
            let lines = lines_of(tx, row.id)?;
            let mut items: Vec<(CaseId, ItemId)> = Vec::new();
            for one in &lines {
                if items.last().is_some_and(|(case, _)| *case == one.case) {
                    continue;
                }
                items.push((one.case, unchanged(tx, row.id, one, &lines, &carry.accounts)?));
            }
            let by = line.user.map(|user| (user, line.user_name.as_str()));
            for (case, item) in &items {
                wipe(tx, *item)?;
                wipe_of_case(tx, *case, now)?;
                let detail = format!("Protokoll {}, {}", row.id, row.decision);
                note_event(tx, *case, by, "Innehållet gallrades", Some(&detail), now)?;
            }
            for one in &lines {
                let line = AuditLine {
                    act: CustodyAct::Dispose.id(),
                    subject: format!("evidence {}", one.evidence),
                    detail: Some(format!("Protokoll {}, {}", row.id, row.decision)),
                    ..line.clone()
                };
                audit::append(tx, &line, now)?;
            }
            let record = DisposalRecord {
                disposal: row.id.0,
                plan: &row.plan,
                decision: &row.decision,
                policy_sha256: row.policy,
                csv_sha256: carry.csv_sha256,
                proposed_by: row.proposed_by.map(|user| user.0),
                by: line.user.map(|user| user.0),
                destroyed: DestroyedRecord {
                    n_files: carry.destroyed.n_files,
                    n_bytes: carry.destroyed.n_bytes,
                    n_shared: carry.destroyed.n_shared,
                },
                records: lines
                    .iter()
                    .map(|one| Disposed { evidence: one.evidence.0, manifest_sha256: one.manifest })
                    .collect(),
            };
            // After the lines it is to hold.
            let seq = log::append(tx, LogKind::Disposal, &record, now)?;
            tx.execute(
                "update disposals set state = 'done', ended_at = ?2, ended_by = ?3, ended_name = ?4,
                   log_seq = ?5, csv_sha256 = ?6, n_files = ?7, n_bytes = ?8, n_shared = ?9
                 where id = ?1",
                params![
                    row.id.0,
                    ms(now),
                    line.user.map(|user| user.0),
                    line.user_name,
                    seq,
                    carry.csv_sha256.bytes(),
                    carry.destroyed.n_files,
                    carry.destroyed.n_bytes,
                    carry.destroyed.n_shared
                ],
            )?;
            for one in &lines {
                tx.prepare_cached("update evidence set state = 'disposed' where id = ?1")?
                    .execute([one.evidence.0])?;
                // What was masked in it says as much as the text did.
                tx.prepare_cached(
                    "update release_records set masks = '[]', mask_salt = null
                     where evidence_id = ?1 and masks_sha256 is not null",
                )?
                .execute([one.evidence.0])?;
                tx.prepare_cached(
                    "insert or ignore into doomed_blobs (sha256, disposal_id)
                     select sha256, ?2 from evidence_blobs where evidence_id = ?1",
                )?
                .execute(params![one.evidence.0, row.id.0])?;
            }
            Ok(())
        })
        .await
    }

    /// One disposal.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn disposal(&self, id: DisposalId) -> Result<Disposal, StoreError> {
        self.read(move |c| the_disposal(c, id)).await
    }

    /// Disposals, newest first, at most `most`.
    pub async fn disposals(&self, most: u32) -> Result<Vec<Disposal>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {DISPOSAL} from disposals d order by d.id desc limit ?1"
                ))?,
                [most],
                disposal,
            )
        })
        .await
    }

    /// The records of a disposal, by case.
    pub async fn disposal_lines(&self, id: DisposalId) -> Result<Vec<DisposalLine>, StoreError> {
        self.read(move |c| lines_of(c, id)).await
    }

    /// Under which disposal a record's content went.
    pub async fn disposal_of(&self, evidence: EvidenceId) -> Result<Option<Disposal>, StoreError> {
        self.read(move |c| {
            maybe_row(
                &mut c.prepare_cached(&format!(
                    "select {DISPOSAL} from disposals d join disposal_lines l on l.disposal_id = d.id
                     where l.evidence_id = ?1 and d.state = 'done'"
                ))?,
                [evidence.0],
                disposal,
            )
        })
        .await
    }

    /// Disposals that were carried out and whose protocol does not lie beside the evidence yet.
    pub async fn disposals_to_write(&self) -> Result<Vec<Disposal>, StoreError> {
        self.read(|c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {DISPOSAL} from disposals d where d.state = 'done' and d.written = 0
                     order by d.id"
                ))?,
                [],
                disposal,
            )
        })
        .await
    }

    /// Notes that the protocol of a disposal lies beside the evidence.
    pub async fn note_protocol_written(&self, id: DisposalId) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute("update disposals set written = 1 where id = ?1", [id.0])?;
            Ok(())
        })
        .await
    }

    /// Disposals after `after`, in order, for verification.
    pub async fn disposal_facts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<Readable<DisposalFacts>>, StoreError> {
        self.read(move |c| {
            each_row(
                &mut c.prepare_cached(
                    "select d.id, d.ended_at, d.ended_by, d.proposed_by, d.decision, d.csv_sha256, d.log_seq,
                       (select json_group_array(evidence_id) from
                         (select evidence_id from disposal_lines l where l.disposal_id = d.id
                          order by evidence_id)),
                       d.state, d.written, d.plan, d.policy, d.n_files, d.n_bytes, d.n_shared
                     from disposals d where d.id > ?1 order by d.id limit ?2",
                )?,
                params![after, most],
                |row| {
                    let done = match row.get::<_, String>(8)?.as_str() {
                        "done" => Some(DoneFacts {
                            at: at(row.get(1)?)?,
                            by: row.get(2)?,
                            proposed_by: row.get(3)?,
                            decision: row.get(4)?,
                            csv_sha256: hash("disposals", &row.get::<_, Vec<u8>>(5)?)?,
                            log_seq: row.get(6)?,
                            records: from_json("disposal_lines", &row.get::<_, String>(7)?)?,
                            written: row.get(9)?,
                            plan: row.get(10)?,
                            policy: hash("disposals", &row.get::<_, Vec<u8>>(11)?)?,
                            destroyed: Destroyed {
                                n_files: row.get::<_, Option<u64>>(12)?.unwrap_or(0),
                                n_bytes: row.get::<_, Option<u64>>(13)?.unwrap_or(0),
                                n_shared: row.get::<_, Option<u64>>(14)?.unwrap_or(0),
                            },
                        }),
                        _ => None,
                    };
                    Ok(DisposalFacts { id: row.get(0)?, done })
                },
            )
        })
        .await
    }
}

/// That a case is as it was when its disposal was proposed, and goes by the same policy. Gives its item.
fn unchanged(
    tx: &Transaction<'_>,
    id: DisposalId,
    one: &DisposalLine,
    lines: &[DisposalLine],
    accounts: &[AccountId],
) -> Result<ItemId, StoreError> {
    let refused = |why: String| Err(StoreError::Refused { why });
    let case = the_case(tx, one.case)?;
    let again = "Dra tillbaka förslaget och föreslå på nytt.";
    let (closed_at, account): (Option<i64>, i64) = tx
        .prepare_cached("select closed_at, account_id from cases where id = ?1")?
        .query_row([one.case.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if !accounts.contains(&AccountId(account)) {
        return refused(format!(
            "Ärende {} hör till ett konto med en annan riktlinje än den som gallringen föreslogs enligt. {again}",
            one.case
        ));
    }
    let records = records_of(tx, case.item)?;
    match spared(tx, case.item, &records)? {
        Some(Spared::Held(hold)) => {
            return refused(format!(
                "Ärende {} är undantaget från gallring: {} satte undantaget på ärende {} ({}). {again}",
                one.case, hold.set_by, hold.case, hold.reason
            ));
        }
        Some(Spared::Barred) => {
            return refused(format!(
                "Ärende {} gäller något som inte får kopieras och gallras inte efter regel. {again}",
                one.case
            ));
        }
        Some(Spared::Unread | Spared::Unsealed) => {
            return refused(format!(
                "Ärende {} har fått en ny lydelse som inte är bedömd och säkrad än. {again}",
                one.case
            ));
        }
        Some(Spared::Reported | Spared::Asked) => {
            return refused(format!(
                "Om ärende {} väntar en anmälan utifrån eller en begäran från en registrerad. {again}",
                one.case
            ));
        }
        Some(Spared::Untold) => {
            return refused(format!(
                "Inget beslut och ingen historik visar att ärende {} stängdes när raden säger. {again}",
                one.case
            ));
        }
        None => {}
    }
    // A wording that came after the proposal: nobody has proposed to destroy that one.
    let newer = tx
        .prepare_cached(
            "select 1 from versions v where v.item_id = ?1
               and v.id > (select last_version from disposals where id = ?2)",
        )?
        .exists(params![case.item.0, id.0])?;
    let as_proposed = !newer
        && matches!(case.state, CaseState::Closed { .. })
        && closed_at == Some(ms(one.closed_at))
        && records.iter().all(|r| lines.iter().any(|line| line.evidence == r.id))
        && lines.iter().filter(|line| line.case == one.case).all(|line| {
            records.iter().any(|r| r.id == line.evidence && r.manifest == line.manifest)
        });
    if !as_proposed {
        return refused(format!(
            "Ärende {} har ändrats sedan gallringen föreslogs. {again}",
            one.case
        ));
    }
    Ok(case.item)
}
