//! Disposal (*gallring*): what is due and why, the proposal, another person's yes where the policy asks for
//! it, the carrying out, and the protocol. What a crash leaves is completed at the next start.
//!
//! Each account by its own policy, and by that as it stands when it is carried out: a decision that was
//! withdrawn meanwhile destroys nothing.

mod clock;
pub mod plan;
pub mod rules;
pub mod sweep;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::domain::account::Account;
use crate::domain::calendar::{local, stockholm};
use crate::domain::case::Outcome;
use crate::domain::ids::{ContentHash, DisposalId};
use crate::domain::log::words_hash;
use crate::domain::person::Act;
use crate::domain::policy::Policy;
use crate::domain::retention::{
    Disposal, DisposalLine, DisposalState, Protocol, RetentionClass, Sweep,
};
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::formats::protocol::csv;
use crate::formats::sheet::{SheetError, render_protocol};
use crate::runtime::clock::Clock;
use crate::store::Store;
use crate::store::rows::AuditLine;
use crate::store::sqlite::disposals::{CarryOut, NewDisposal};

use super::corrections::reason;
use super::{Served, ServiceError, Services, Viewer};
use plan::{Plan, spared_words};
use rules::{Group, Policies, rules, still_allowed};

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
#[derive(Clone)]
pub struct Disposing<'d> {
    /// The store.
    pub store: &'d Store,
    /// The evidence.
    pub evidence: &'d EvidenceStore,
    /// The policies in force.
    pub policies: Policies,
    /// The authority's name.
    pub authority: &'d str,
    /// The clock.
    pub clock: &'d Clock,
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
    async fn groups(&self) -> Result<(Vec<Group>, Vec<Account>), ServiceError> {
        Ok(self.policies.groups(self.store.accounts().await?))
    }

    /// What is due and why, policy by policy; and the accounts that are in no settings, of which nothing
    /// is due.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer.
    pub async fn plans(&self) -> Result<(Vec<UnderPolicy>, Vec<String>), ServiceError> {
        let (groups, unknown) = self.groups().await?;
        let mut plans = Vec::with_capacity(groups.len());
        for group in &groups {
            let plan = match self.plan_of(group).await {
                Ok(plan) => Ok(plan),
                Err(ServiceError::Refused { why } | ServiceError::Damaged { why }) => Err(why),
                Err(error) => return Err(error),
            };
            let accounts = group.accounts.iter().map(|account| account.name.clone()).collect();
            plans.push(UnderPolicy { policy: (*group.policy).clone(), accounts, plan });
        }
        Ok((plans, unknown.into_iter().map(|account| account.name).collect()))
    }

    /// What is proposed next: what is due by the policy with this hash, or else by the first one by which
    /// anything is.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where no policy lets anything fall due, with why;
    /// [`ServiceError::Damaged`] where a record cannot be read.
    async fn next(&self, policy: Option<ContentHash>) -> Result<(Group, Plan), ServiceError> {
        let (groups, _) = self.groups().await?;
        let mut first = None;
        for group in groups {
            if policy.is_some_and(|asked| asked != group.policy.version) {
                continue;
            }
            match self.plan_of(&group).await {
                Ok(plan) if !plan.lines.is_empty() => return Ok((group, plan)),
                Ok(plan) if matches!(first, None | Some(Err(_))) => first = Some(Ok((group, plan))),
                Err(error @ ServiceError::Refused { .. }) if first.is_none() => {
                    first = Some(Err(error));
                }
                Ok(_) | Err(ServiceError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let gone = "Riktlinjen används inte längre. Läs om sidan.";
        first.unwrap_or_else(|| Err(ServiceError::Refused { why: gone.into() }))
    }

    /// What is due and why, by the first policy by which anything is.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where no policy lets anything fall due, with why;
    /// [`ServiceError::Damaged`] where a record cannot be read.
    pub async fn plan(&self) -> Result<Plan, ServiceError> {
        Ok(self.next(None).await?.1)
    }

    async fn plan_of(&self, group: &Group) -> Result<Plan, ServiceError> {
        let (retention, _) = rules(&group.policy).map_err(|why| ServiceError::Refused { why })?;
        let (now, accounts) = (self.clock.now(), group.ids());
        let mut plan = Plan::default();
        for ended in RetentionClass::ALL {
            let before =
                retention.rule(*ended).months.and_then(|months| closed_before(now, months));
            let Some(before) = before else { continue };
            let mut after = None;
            loop {
                let page =
                    self.store.kept_cases(&accounts, outcome(*ended), before, after, PAGE).await?;
                let Some((last, _)) = page.last() else { break };
                after = Some((last.closed_at, last.case));
                for (case, spared) in page {
                    let class = retention.longest(&case.outcomes).unwrap_or(*ended);
                    let due_at = retention.due(class, case.closed_at);
                    let Some(due_at) = due_at.filter(|due| *due <= now) else { continue };
                    match spared {
                        Some(_) if plan.spared.len() >= MOST_SPARED => plan.more_spared = true,
                        Some(spared) => {
                            plan.spared.push((case.case, spared_words(case.case, &spared)));
                        }
                        None if plan.due.len() >= MOST_CASES => plan.more = true,
                        None => plan.take(case, class, retention.rule(class), due_at),
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

    /// Proposes what is due now, by the policy with this hash, or else by the first one by which anything
    /// is: a protocol names one decision. Where the policy asks for no second person it is carried out at
    /// once.
    ///
    /// # Errors
    /// As [`Disposing::plan`]; [`ServiceError::Refused`] where nothing is due or a proposal waits.
    pub async fn propose(
        &self,
        policy: Option<ContentHash>,
        line: AuditLine,
    ) -> Result<Disposal, ServiceError> {
        clock::trusted(self.store, self.clock.now()).await?;
        let (group, plan) = self.next(policy).await?;
        if plan.lines.is_empty() {
            return Err(ServiceError::Refused { why: "Ingenting är gallringsbart nu.".into() });
        }
        let (retention, decision) =
            rules(&group.policy).map_err(|why| ServiceError::Refused { why })?;
        let new = NewDisposal {
            authority: self.authority.to_owned(),
            plan: retention.plan.clone(),
            decision: decision.to_owned(),
            policy: group.policy.version,
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

    /// Why a proposal that waits may not be carried out, in Swedish; nothing where it may.
    async fn hindered(
        &self,
        row: &Disposal,
        lines: &[DisposalLine],
    ) -> Result<Option<String>, ServiceError> {
        let (groups, _) = self.groups().await?;
        Ok(still_allowed(&groups, row, lines, self.clock.now()).err())
    }

    /// Carries a proposal out, and writes its protocol. The files go by the process that seals: see
    /// [`Disposing::complete`].
    ///
    /// # Errors
    /// [`ServiceError::Refused`], naming the case, where anything has changed since: the case, or the
    /// policy and the decision that it was proposed under.
    pub async fn carry_out(
        &self,
        id: DisposalId,
        line: AuditLine,
    ) -> Result<Disposal, ServiceError> {
        self.carry(id, None, line).await
    }

    /// The same, bound to what was shown to whoever approves it: [`shown_hash`].
    async fn carry(
        &self,
        id: DisposalId,
        shown: Option<ContentHash>,
        line: AuditLine,
    ) -> Result<Disposal, ServiceError> {
        let row = self.store.disposal(id).await?;
        let lines = self.store.disposal_lines(id).await?;
        if shown.is_some_and(|shown| shown != shown_hash(&row, &lines)) {
            return Err(ServiceError::Conflict {
                why: "Förslaget är inte det som visades när du godkände det. Läs det på nytt. Inget har gallrats.".into(),
            });
        }
        let now = self.clock.now();
        clock::trusted(self.store, now).await?;
        let accounts = match row.state {
            DisposalState::Proposed => {
                let (groups, _) = self.groups().await?;
                still_allowed(&groups, &row, &lines, now)
                    .map_err(|why| ServiceError::Refused { why })?
                    .ids()
            }
            // The store says so, in words.
            DisposalState::Done | DisposalState::Withdrawn => Vec::new(),
        };
        let records = lines.iter().map(|line| line.evidence).collect();
        let destroyed = self.evidence.would_destroy(records).await.map_err(broken)?;
        let done = (now, line.user_name.clone());
        let protocol = Protocol::of(&row, done, destroyed, lines);
        let csv_sha256 = ContentHash::of(&csv(&protocol));
        let line =
            AuditLine { act: "disposal.carry_out", subject: format!("disposal {id}"), ..line };
        let carry = CarryOut { disposal: id, accounts, csv_sha256, destroyed };
        self.store.dispose(carry, line, now).await?;
        tracing::info!(disposal.id = %id, n_records = protocol.lines.len(), "disposed of");
        self.evidence.note_head().await.map_err(broken)?;
        self.write(protocol).await?;
        Ok(self.store.disposal(id).await?)
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
            self.write(Protocol::of(&row, done, destroyed, lines)).await?;
        }
        let n = self.evidence.destroy_doomed().await.map_err(broken)?;
        if n > 0 {
            tracing::info!(n_files = n, "files that were disposed of are destroyed");
        }
        for id in self.store.releases_disposed().await? {
            let n = self.evidence.destroy_handed_out(id, None).await.map_err(broken)?;
            if n > 0 {
                tracing::info!(release.id = %id, "a document that held what is disposed of is destroyed");
            }
        }
        Ok(())
    }
}

/// What became of a proposal, in a sentence.
pub fn told(row: &Disposal) -> String {
    let (cases, records) = row.n;
    let cases = if cases == 1 { "1 ärende".to_owned() } else { format!("{cases} ärenden") };
    match row.state {
        DisposalState::Proposed => format!(
            "Protokoll {}: {cases}, {records} bevis är föreslagna. Någon annan godkänner på sidan /gallring; inget är gallrat än.",
            row.id
        ),
        DisposalState::Done => {
            format!("Protokoll {}: {cases}, {records} bevis är gallrade.", row.id)
        }
        DisposalState::Withdrawn => format!("Protokoll {} är tillbakadraget.", row.id),
    }
}

/// Why nothing of an account is due that is in the settings no more.
pub fn unknown_words(name: &str) -> String {
    format!(
        "Kontot {name} finns inte i inställningarna, så det går inte att se vilken riktlinje det följde. Inget av det gallras. Lägg tillbaka kontot med sin riktlinje om det ska gallras."
    )
}

/// What is due by one policy.
#[derive(Clone, Debug)]
pub struct UnderPolicy {
    /// The policy.
    pub policy: Policy,
    /// The names of the accounts that go by it.
    pub accounts: Vec<String>,
    /// What is due; or why nothing can be, in Swedish.
    pub plan: Result<Plan, String>,
}

/// A proposal that waits, whole: whoever approves it has to see what it is about.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The proposal.
    pub row: Disposal,
    /// What it is about, by case.
    pub lines: Vec<DisposalLine>,
    /// Whether the viewer may approve it.
    pub may: bool,
    /// Why nobody may, in Swedish: the rules have changed since.
    pub hindered: Option<String>,
    /// A hash of all that is shown of it.
    pub shown: ContentHash,
}

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What is due, policy by policy, the authority's first.
    pub plans: Vec<UnderPolicy>,
    /// Accounts that are in the settings no more, by name: of them nothing is due.
    pub unknown: Vec<String>,
    /// The proposal that waits.
    pub proposed: Option<Waiting>,
    /// Earlier ones, newest first.
    pub earlier: Vec<Disposal>,
    /// Texts that never became a case and went by themselves, newest first.
    pub swept: Vec<Sweep>,
    /// Why nothing goes until somebody says that the clock is right, in Swedish.
    pub clock: Option<String>,
}

/// A hash of all that a person is shown of a proposal before they approve it.
fn shown_hash(row: &Disposal, lines: &[DisposalLine]) -> ContentHash {
    let mut words = vec![
        format!("{} {} {} {}", row.id, row.proposed_at, row.four_eyes, row.policy),
        row.plan.clone(),
        row.decision.clone(),
    ];
    words.extend(lines.iter().map(|line| format!("{line:?}")));
    words_hash(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

impl Services {
    /// Disposal with this program's parts.
    pub fn disposing(&self) -> Disposing<'_> {
        let served = self.inner.accounts.values();
        let own = |one: &Arc<Served>| self.inner.policies.own(one.account.id);
        let accounts = served.map(|one| (one.account.key.clone(), own(one)));
        Disposing {
            store: &self.inner.store,
            evidence: &self.inner.evidence,
            policies: Policies::new(self.policy(), accounts),
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
        let disposing = self.disposing();
        let (plans, unknown) = disposing.plans().await?;
        let mut earlier = self.inner.store.disposals(MOST_PROTOCOLS).await?;
        let waiting = earlier.iter().position(|row| row.state == DisposalState::Proposed);
        let proposed = match waiting.map(|at| earlier.remove(at)) {
            Some(row) => {
                let lines = self.inner.store.disposal_lines(row.id).await?;
                let may = !row.four_eyes || row.proposed_by != Some(viewer.user);
                let hindered = disposing.hindered(&row, &lines).await?;
                let shown = shown_hash(&row, &lines);
                Some(Waiting { row, lines, may, hindered, shown })
            }
            None => None,
        };
        let swept = self.swept().await?;
        let clock = self.clock_in_doubt().await?;
        Ok(Overview { plans, unknown, proposed, earlier, swept, clock })
    }

    /// Proposes what is due, by the policy with this hash, or else by the first one by which anything is;
    /// carried out at once where it asks for no second person.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn propose_disposal(
        &self,
        viewer: &Viewer,
        policy: Option<ContentHash>,
    ) -> Result<Disposal, ServiceError> {
        viewer.demand(Act::Dispose)?;
        let row = self.disposing().propose(policy, viewer.line("", String::new())).await?;
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

    /// The same, only if the proposal is the one that was shown.
    ///
    /// # Errors
    /// As [`Services::approve_disposal`]; [`ServiceError::Conflict`] where it is another one.
    pub async fn approve_as_shown(
        &self,
        viewer: &Viewer,
        id: DisposalId,
        shown: ContentHash,
    ) -> Result<Disposal, ServiceError> {
        viewer.demand(Act::Dispose)?;
        let line = viewer.line("", String::new());
        let row = self.disposing().carry(id, Some(shown), line).await?;
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
