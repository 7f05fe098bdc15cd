//! Disposal (*gallring*): what is due and why, the proposal, another person's yes where the policy asks for
//! it, the carrying out, and the protocol. What a crash leaves is completed at the next start.

use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::domain::calendar::{local, stockholm};
use crate::domain::case::Outcome;
use crate::domain::ids::{CaseId, ContentHash, DisposalId, EvidenceId};
use crate::domain::person::Act;
use crate::domain::policy::Policy;
use crate::domain::retention::{
    Destroyed, Disposal, DisposalLine, DisposalState, Protocol, Retention, RetentionClass,
};
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::formats::protocol::csv;
use crate::formats::sheet::{SheetError, render_protocol};
use crate::runtime::clock::Clock;
use crate::store::Store;
use crate::store::keeping::{KeptCase, Spared};
use crate::store::rows::AuditLine;
use crate::store::sqlite::disposals::{CarryOut, NewDisposal};

use super::corrections::reason;
use super::{ServiceError, Services, Viewer};

/// How many cases one protocol holds: it is one transaction, and other writers wait for it.
pub const MOST_CASES: usize = 500;

/// How many spared cases are told of.
pub const MOST_SPARED: usize = 200;

/// Cases that are read at a time.
const PAGE: u32 = 500;

/// How many earlier protocols are listed.
const MOST_PROTOCOLS: u32 = 100;

/// Months have different lengths: so much later than the day in question is looked for, too.
const SLACK: SignedDuration = SignedDuration::from_hours(4 * 24);

/// Disposal as commands and pages do it: everything it needs, and nothing of a running daemon.
#[derive(Clone, Copy)]
pub struct Disposing<'d> {
    /// The store.
    pub store: &'d Store,
    /// The evidence.
    pub evidence: &'d EvidenceStore,
    /// The policy in force.
    pub policy: &'d Policy,
    /// The authority's name.
    pub authority: &'d str,
    /// The clock.
    pub clock: &'d Clock,
}

/// A case that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueCase {
    /// The case.
    pub case: CaseId,
    /// The account's name.
    pub account: String,
    /// Its class.
    pub class: RetentionClass,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// Since when it is due.
    pub due_at: Timestamp,
    /// Its records.
    pub records: Vec<EvidenceId>,
}

/// What is due, what is left alone although it is, and what carrying it out would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is due and may go, by class and then the longest due first; no more than a protocol holds.
    pub due: Vec<DueCase>,
    /// More is due than that.
    pub more: bool,
    /// What is due and left alone, and why, in Swedish.
    pub spared: Vec<(CaseId, String)>,
    /// More is left alone than is told of.
    pub more_spared: bool,
    /// The lines of a protocol.
    pub lines: Vec<DisposalLine>,
    /// What would be destroyed.
    pub destroyed: Destroyed,
}

/// Why a case is left alone, in Swedish.
fn spared_words(case: CaseId, spared: &Spared) -> String {
    match spared {
        Spared::Held(hold) if hold.case == case => {
            format!("undantaget från gallring av {}: {}", hold.set_by, hold.reason)
        }
        Spared::Held(hold) => format!(
            "i samma tråd som ärende {}, som {} har undantagit från gallring: {}",
            hold.case, hold.set_by, hold.reason
        ),
        Spared::Barred => {
            "får inte kopieras (misstänkt barnpornografibrott, här eller på samma sida): gallras bara på polisens besked".into()
        }
        Spared::Unsealed => "ett bevis av en ny lydelse är inte säkrat än".into(),
    }
}

/// What the rules say, or why nothing is due, in Swedish.
///
/// # Errors
/// The reason.
pub fn rules(policy: &Policy) -> Result<(&Retention, &str), String> {
    let retention = policy.retention.as_ref().ok_or(
        "Riktlinjen säger inget om gallring. Lägg till avsnittet [retention] i riktlinjens fil; då står här vad som kan gallras.",
    )?;
    let decision = retention.decision.as_deref().ok_or(
        "Riktlinjen anger inget gallringsbeslut, så ingenting får gallras (arkivlagen 10 §). Skriv in beslutet som `decision` i avsnittet [retention].",
    )?;
    Ok((retention, decision))
}

fn outcome(class: RetentionClass) -> Outcome {
    match class {
        RetentionClass::Dismissed => Outcome::Dismissed,
        RetentionClass::CarriedOut => Outcome::CarriedOut,
        RetentionClass::NotRegistered => Outcome::NotRegistered,
        RetentionClass::Registered => Outcome::Registered,
    }
}

/// No case closed after this can be due now: a little later than so many months ago.
fn closed_before(now: Timestamp, months: u16) -> Option<Timestamp> {
    let day = local(now).date().checked_sub(i32::from(months).months()).ok()?;
    let at = day.to_zoned(stockholm()).ok()?.timestamp();
    at.checked_add(SLACK).ok()
}

fn broken(error: EvidenceError) -> ServiceError {
    match error {
        EvidenceError::Blob(_) | EvidenceError::Manifest { .. } => ServiceError::Damaged {
            why: "Ett bevis går inte att läsa, och då går det inte att avgöra vilka filer det delar med andra. Ingenting har gallrats. Kör uppsikt evidence verify.".into(),
        },
        EvidenceError::Store(error) => error.into(),
        error => ServiceError::broken("disposal", error),
    }
}

impl Disposing<'_> {
    /// What is due and why.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where the policy lets nothing fall due, with why;
    /// [`ServiceError::Damaged`] where a record cannot be read.
    pub async fn plan(&self) -> Result<Plan, ServiceError> {
        let (retention, _) = rules(self.policy).map_err(|why| ServiceError::Refused { why })?;
        let now = self.clock.now();
        let mut plan = Plan::default();
        for class in RetentionClass::ALL {
            let rule = retention.rule(*class);
            let Some((months, before)) =
                rule.months.and_then(|months| Some((months, closed_before(now, months)?)))
            else {
                continue;
            };
            let mut after = None;
            loop {
                let page = self.store.kept_cases(outcome(*class), before, after, PAGE).await?;
                let Some((last, _)) = page.last() else { break };
                after = Some((last.closed_at, last.case));
                for (case, spared) in page {
                    let due_at = retention.due(*class, case.closed_at);
                    let Some(due_at) = due_at.filter(|due| *due <= now) else { continue };
                    match spared {
                        Some(_) if plan.spared.len() >= MOST_SPARED => plan.more_spared = true,
                        Some(spared) => {
                            plan.spared.push((case.case, spared_words(case.case, &spared)));
                        }
                        None if plan.due.len() >= MOST_CASES => plan.more = true,
                        None => plan.take(case, *class, months, &rule.why, due_at),
                    }
                }
                if plan.more {
                    break;
                }
            }
        }
        plan.lines.sort_by_key(|line| (line.case, line.evidence));
        let records = plan.lines.iter().map(|line| line.evidence).collect();
        plan.destroyed = self.evidence.would_destroy(records).await.map_err(broken)?;
        Ok(plan)
    }

    /// Proposes what is due now. Where the policy asks for no second person it is carried out at once.
    ///
    /// # Errors
    /// As [`Disposing::plan`]; [`ServiceError::Refused`] where nothing is due or a proposal waits.
    pub async fn propose(&self, line: AuditLine) -> Result<Disposal, ServiceError> {
        let (retention, decision) =
            rules(self.policy).map_err(|why| ServiceError::Refused { why })?;
        let plan = self.plan().await?;
        if plan.lines.is_empty() {
            return Err(ServiceError::Refused { why: "Ingenting är gallringsbart nu.".into() });
        }
        let new = NewDisposal {
            authority: self.authority.to_owned(),
            plan: retention.plan.clone(),
            decision: decision.to_owned(),
            policy: self.policy.version,
            four_eyes: retention.four_eyes,
            lines: plan.lines,
        };
        let proposed = AuditLine { act: "disposal.propose", ..line.clone() };
        let id = self.store.propose_disposal(new, proposed, self.clock.now()).await?;
        if retention.four_eyes {
            return Ok(self.store.disposal(id).await?);
        }
        self.carry_out(id, line).await
    }

    /// Carries a proposal out, and writes its protocol. The files go by the process that seals: see
    /// [`Disposing::complete`].
    ///
    /// # Errors
    /// [`ServiceError::Refused`], naming the case, where anything has changed since.
    pub async fn carry_out(
        &self,
        id: DisposalId,
        line: AuditLine,
    ) -> Result<Disposal, ServiceError> {
        let row = self.store.disposal(id).await?;
        let lines = self.store.disposal_lines(id).await?;
        let records = lines.iter().map(|line| line.evidence).collect();
        let destroyed = self.evidence.would_destroy(records).await.map_err(broken)?;
        let now = self.clock.now();
        let done = (now, line.user_name.clone());
        let protocol = Self::protocol(&row, done, destroyed, lines);
        let csv_sha256 = ContentHash::of(&csv(&protocol));
        let line =
            AuditLine { act: "disposal.carry_out", subject: format!("disposal {id}"), ..line };
        let carry = CarryOut { disposal: id, csv_sha256, destroyed };
        self.store.dispose(carry, line, now).await?;
        tracing::info!(disposal.id = %id, n_records = protocol.lines.len(), "disposed of");
        self.evidence.note_head().await.map_err(broken)?;
        self.write(protocol).await?;
        Ok(self.store.disposal(id).await?)
    }

    fn protocol(
        row: &Disposal,
        done: (Timestamp, String),
        destroyed: Destroyed,
        lines: Vec<DisposalLine>,
    ) -> Protocol {
        // As the database keeps it: the table is the same when it is written anew.
        let to_ms = |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        Protocol {
            number: row.id,
            authority: row.authority.clone(),
            plan: row.plan.clone(),
            decision: row.decision.clone(),
            policy: row.policy,
            proposed: (row.proposed_at, row.proposed_name.clone()),
            done: (to_ms(done.0), done.1),
            four_eyes: row.four_eyes,
            destroyed,
            lines,
        }
    }

    async fn write(&self, protocol: Protocol) -> Result<(), ServiceError> {
        let table = csv(&protocol);
        let id = protocol.number;
        let hash = ContentHash::of(&table);
        let render = move || render_protocol(&protocol, hash);
        let rendered = tokio::task::spawn_blocking(render)
            .await
            .map_err(|e| ServiceError::broken("disposal", e))?;
        let pdf = match rendered {
            Ok(pdf) => Some(pdf),
            // The table is the protocol; the sheet is for reading.
            Err(SheetError::NotBuiltIn) => None,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, disposal.id = %id, "the sheet of a protocol cannot be made");
                None
            }
        };
        self.evidence.write_protocol(id, table, pdf).await.map_err(broken)
    }

    /// Completes what was carried out in the database: destroys its files, and writes protocols that
    /// are not written. At start-up and now and then, by the process that seals.
    ///
    /// # Errors
    /// [`ServiceError`]; what is left is done the next time.
    pub async fn complete(&self) -> Result<(), ServiceError> {
        for row in self.store.disposals_to_write().await? {
            let Some(done) = row.ended.clone() else { continue };
            let lines = self.store.disposal_lines(row.id).await?;
            let destroyed = row.destroyed.unwrap_or_default();
            self.write(Self::protocol(&row, done, destroyed, lines)).await?;
        }
        let n = self.evidence.destroy_doomed().await.map_err(broken)?;
        if n > 0 {
            tracing::info!(n_files = n, "files that were disposed of are destroyed");
        }
        Ok(())
    }
}

impl Plan {
    fn take(
        &mut self,
        case: KeptCase,
        class: RetentionClass,
        months: u16,
        why: &str,
        due_at: Timestamp,
    ) {
        for record in &case.records {
            self.lines.push(DisposalLine {
                evidence: record.id,
                manifest: record.manifest,
                log_seq: record.log_seq,
                case: case.case,
                account: case.account.clone(),
                class,
                months,
                why: why.to_owned(),
                closed_at: case.closed_at,
                due_at,
            });
        }
        self.due.push(DueCase {
            case: case.case,
            account: case.account,
            class,
            closed_at: case.closed_at,
            due_at,
            records: case.records.into_iter().map(|record| record.id).collect(),
        });
    }
}

impl Plan {
    /// For people: a line a case.
    pub fn words(&self) -> Vec<String> {
        let due = self.due.iter().map(|due| {
            format!(
                "ärende {}\tkan gallras sedan {}\t{}\t{} bevis\t{}",
                due.case,
                local(due.due_at).date(),
                due.class.label(),
                due.records.len(),
                due.account
            )
        });
        let spared =
            self.spared.iter().map(|(case, why)| format!("ärende {case}\tgallras inte\t{why}"));
        due.chain(spared).collect()
    }

    /// For programs: a line a case.
    pub fn json(&self) -> Vec<String> {
        let due = self.due.iter().map(|due| {
            serde_json::json!({
                "case": due.case, "due": true, "class": due.class.id(), "closed_at": due.closed_at,
                "due_at": due.due_at, "evidence": due.records, "account": due.account,
            })
        });
        let spared = self
            .spared
            .iter()
            .map(|(case, why)| serde_json::json!({ "case": case, "due": false, "why": why }));
        due.chain(spared).map(|line| line.to_string()).collect()
    }

    /// What carrying it out would come to, in a sentence.
    pub fn summary(&self) -> String {
        let Destroyed { n_files, n_bytes, n_shared } = self.destroyed;
        format!(
            "{} ärenden, {} bevis: {n_files} filer ({n_bytes} byte) skulle förstöras, {n_shared} delas med bevis som finns kvar.",
            self.due.len(),
            self.lines.len()
        )
    }
}

/// What became of a proposal, in a sentence.
pub fn told(row: &Disposal) -> String {
    let (cases, records) = row.n;
    match row.state {
        DisposalState::Proposed => format!(
            "Protokoll {}: {cases} ärenden, {records} bevis är föreslagna. Någon annan godkänner på sidan /gallring; inget är gallrat än.",
            row.id
        ),
        DisposalState::Done => {
            format!("Protokoll {}: {cases} ärenden, {records} bevis är gallrade.", row.id)
        }
        DisposalState::Withdrawn => format!("Protokoll {} är tillbakadraget.", row.id),
    }
}

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What is due; or why nothing can be, in Swedish.
    pub plan: Result<Plan, String>,
    /// The proposal that waits, with whether the viewer may approve it.
    pub proposed: Option<(Disposal, bool)>,
    /// Earlier ones, newest first.
    pub earlier: Vec<Disposal>,
}

impl Services {
    /// Disposal with this program's parts.
    pub fn disposing(&self) -> Disposing<'_> {
        Disposing {
            store: &self.inner.store,
            evidence: &self.inner.evidence,
            policy: &self.inner.policy,
            authority: &self.inner.settings.authority,
            clock: &self.inner.clock,
        }
    }

    /// What is due, what waits, and what was done.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub async fn disposals(&self, viewer: &Viewer) -> Result<Overview, ServiceError> {
        viewer.demand(Act::Dispose)?;
        let plan = match self.disposing().plan().await {
            Ok(plan) => Ok(plan),
            Err(ServiceError::Refused { why } | ServiceError::Damaged { why }) => Err(why),
            Err(error) => return Err(error),
        };
        let mut earlier = self.inner.store.disposals(MOST_PROTOCOLS).await?;
        let waiting = earlier.iter().position(|row| row.state == DisposalState::Proposed);
        let proposed = waiting.map(|at| {
            let row = earlier.remove(at);
            let may = !row.four_eyes || row.proposed_by != Some(viewer.user);
            (row, may)
        });
        Ok(Overview { plan, proposed, earlier })
    }

    /// Proposes what is due; carried out at once where the policy asks for no second person.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn propose_disposal(&self, viewer: &Viewer) -> Result<Disposal, ServiceError> {
        viewer.demand(Act::Dispose)?;
        let row = self.disposing().propose(viewer.line("", String::new())).await?;
        if row.state == DisposalState::Done {
            self.disposing().complete().await?;
        }
        Ok(row)
    }

    /// Approves a proposal and carries it out.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has gone then.
    pub async fn approve_disposal(
        &self,
        viewer: &Viewer,
        id: DisposalId,
    ) -> Result<Disposal, ServiceError> {
        viewer.demand(Act::Dispose)?;
        let row = self.disposing().carry_out(id, viewer.line("", String::new())).await?;
        self.disposing().complete().await?;
        Ok(row)
    }

    /// Withdraws a proposal: nothing goes.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn withdraw_disposal(
        &self,
        viewer: &Viewer,
        id: DisposalId,
        why: &str,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::Dispose)?;
        let reason = reason(why)?;
        let line = viewer.line("disposal.withdraw", format!("disposal {id}"));
        Ok(self.inner.store.withdraw_disposal(id, reason, line, self.inner.clock.now()).await?)
    }

    /// A file of a protocol: `csv`, `pdf`, `sha256`, `sha256.sig` or `pem`.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for any other.
    pub async fn protocol_file(
        &self,
        viewer: &Viewer,
        id: DisposalId,
        ending: &str,
    ) -> Result<Vec<u8>, ServiceError> {
        viewer.demand(Act::Dispose)?;
        let missing = || ServiceError::NotFound { what: "protocol" };
        if !["csv", "pdf", "sha256", "sha256.sig", "pem"].contains(&ending) {
            return Err(missing());
        }
        let row = self.inner.store.disposal(id).await?;
        if row.state != DisposalState::Done {
            return Err(missing());
        }
        self.inner.evidence.protocol(id, ending).await.map_err(|_| missing())
    }

    /// Completes disposals that a crash cut off. At start-up and by housekeeping.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn complete_disposals(&self) -> Result<(), ServiceError> {
        self.disposing().complete().await
    }
}
