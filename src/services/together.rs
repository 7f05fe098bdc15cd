//! Deciding on many cases in one act: what each would get, the deciding, and the undoing.
//!
//! Every case goes through the same decision as alone, in a transaction of its own. What cannot be decided is
//! told and stops none of the others; which cases were picked is durable before the first is decided, so that
//! what a crash leaves undecided can be told as well.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::action::ActionKind;
use crate::domain::category::Severity;
use crate::domain::decision::{Choice, Decision};
use crate::domain::duties::Duties;
use crate::domain::ground::Ground;
use crate::domain::ids::{BulkId, CaseId};
use crate::domain::person::Act;
use crate::domain::policy::Proposal;
use crate::domain::register::Answered;
use crate::domain::together::{
    Became, MOST_TOGETHER, Over, Pick, Weight, Within, left_to_itself, refuses, undo_until,
};
use crate::store::rows::{CaseRow, EvidenceState, ItemRow};
use crate::store::sqlite::together::{BulkRow, NewBulk};

use super::decide::{Warned, signed};
use super::offers::Offers;
use super::queue::{LONGEST_NUMBER_BYTES, Line};
use super::session::random_hex;
use super::{ServiceError, Services, Viewer};

/// Who stands before all others in the queue: see `cases.rank`.
const FOR_A_LIFE: u8 = 0;
/// Where threats stand, see there.
const THREAT: u8 = 2;

/// Of a longer text no more is masked and shown for one of many; the case has all of it.
const LONGEST_WHOLE_BYTES: usize = 40_000;

/// So often it is looked whether the act that the same form has begun is over, and so many times.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const LOOKS: u32 = 100;

/// A case that a person has picked.
#[derive(Clone, Debug)]
pub struct Picked {
    /// The case, with the revision at hand.
    pub pick: Pick,
    /// As a line of the queue.
    pub line: Line,
    /// The whole text, masked as the line is: nobody decides on what they could not read.
    pub whole: String,
    /// Whether it waits for a person now.
    pub waits: bool,
    /// What its policy proposes; nothing of a text that is not assessed.
    pub proposal: Option<Proposal>,
    /// Grounds that its findings suggest.
    pub suggested: Vec<Ground>,
    /// What its account can do; none where it is no longer configured.
    pub offers: Option<Offers>,
}

/// What was picked, and what is known of all of it.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The cases, each once: what waits for a person first, in the queue's order.
    pub picked: Vec<Picked>,
    /// How many more were asked for than can be decided at once.
    pub n_left_out: usize,
    /// The settings of the policies that they go by, each once.
    pub duties: Vec<Duties>,
}

impl Selection {
    /// What the policies propose, where that is the same for all that wait.
    pub fn proposal(&self) -> Option<&Proposal> {
        let mut waiting = self.picked.iter().filter(|picked| picked.waits);
        let first = waiting.next()?.proposal.as_ref()?;
        let same = |other: &Picked| {
            let other = other.proposal.as_ref();
            other.is_some_and(|o| o.choices == first.choices && o.ground == first.ground)
        };
        waiting.all(same).then_some(first)
    }
}

/// A case that would be decided.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Which.
    pub case: CaseId,
    /// What of the decision a person has to do on the platform itself.
    pub by_hand: Vec<ActionKind>,
}

/// What a decision on many cases would come to.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Those that would be decided.
    pub will: Vec<Planned>,
    /// Those that would not, and why, in Swedish.
    pub cannot: Vec<(CaseId, String)>,
    /// Numbers of no case.
    pub unknown: Vec<CaseId>,
}

/// An act that has decided many cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its number.
    pub bulk: BulkId,
    /// Numbers among the picks that are of no case.
    pub unknown: Vec<CaseId>,
}

/// What became of one case of an act.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case as a line of the queue.
    pub line: Line,
    /// What became of it.
    pub became: Became,
}

/// An act that decided many cases, as it stands.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Its number.
    pub id: BulkId,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when all of it can be undone.
    pub undo_until: Timestamp,
    /// Whether the viewer may undo.
    pub may_undo: bool,
    /// The cases in order.
    pub cases: Vec<Outcome>,
}

/// What a person is told where a case could not be decided, or undone. A fault of ours is told as one, and
/// stands in the log.
fn told(error: ServiceError, doing: &'static str, case: CaseId) -> String {
    match error {
        ServiceError::Refused { why }
        | ServiceError::Shut { why }
        | ServiceError::Conflict { why }
        | ServiceError::Damaged { why } => why,
        ServiceError::NotFound { .. } => "Ärendet finns inte.".to_owned(),
        ServiceError::NotPermitted { .. } => "Din roll får inte besluta.".to_owned(),
        ServiceError::TryLater { .. }
        | ServiceError::NotWritable { .. }
        | ServiceError::Broken { .. } => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(case.id = %case, error, doing, "one of many cases failed");
            "Uppsikt kunde inte spara. Inget har ändrats i ärendet. Försök igen om en stund."
                .to_owned()
        }
    }
}

impl Services {
    /// The cases that a person has picked: these, and all that wait in the groups of those. On one account, where
    /// it is named.
    ///
    /// # Errors
    /// [`ServiceError`]; a case that there is not is left out.
    pub async fn picked(
        &self,
        viewer: &Viewer,
        cases: &[CaseId],
        groups: &[CaseId],
        over: Over,
    ) -> Result<Selection, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let store = &self.inner.store;
        let most = MOST_TOGETHER as usize;
        let (wanted, n) = store.picked(cases.to_vec(), groups.to_vec(), over, most).await?;
        let n_left_out = n.saturating_sub(wanted.len());
        let mut selection = Selection { picked: Vec::new(), n_left_out, duties: Vec::new() };
        for case in wanted {
            let row = store.queue_line(case).await?;
            let is_cut = row.text_is_cut && !row.no_copy && !row.secret;
            let version = row.case.version;
            let account = row.account.id;
            let policy = self.policy_of(account);
            if !selection.duties.contains(&policy.duties) {
                selection.duties.push(policy.duties.clone());
            }
            // What is thought to stand in a secret case tells of it.
            let is_open = !row.secret || self.is_open_to(viewer, case).await?;
            let verdict = row.verdict.clone().filter(|_| is_open);
            let suggested = |v| policy.suggested(v, row.no_copy).into_iter().map(|(g, _)| g);
            let suggested = verdict.iter().flat_map(suggested).collect();
            let (revision, waits) = (row.case.revision, row.case.state.needs_a_person());
            let line = self.line(row);
            let whole = match is_cut {
                true => self.whole_text(store.version(version).await?.text),
                false => line.text.clone(),
            };
            selection.picked.push(Picked {
                whole,
                pick: Pick { case, revision },
                waits,
                proposal: verdict.as_ref().map(|v| policy.proposal(v)),
                suggested,
                offers: self.offers(account),
                line,
            });
        }
        // Whoever works here through a campaign sees what the queue would show of these accounts.
        let accounts: BTreeSet<_> =
            selection.picked.iter().map(|picked| picked.line.account.id).collect();
        for account in accounts {
            self.looked(viewer, Some(account)).await;
        }
        Ok(selection)
    }

    /// A text on one line, masked as lines of the queue are, however long.
    fn whole_text(&self, mut text: String) -> String {
        let is_cut = text.len() > LONGEST_WHOLE_BYTES;
        text.truncate(text.floor_char_boundary(LONGEST_WHOLE_BYTES));
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut masked = self.classifier().masked(&one_line).into_owned();
        if is_cut {
            // As in lines: half a number at the cut is no number to the mask.
            let end = masked.len().saturating_sub(LONGEST_NUMBER_BYTES);
            masked.truncate(masked.floor_char_boundary(end));
            masked.push_str("… (resten står i ärendet)");
        }
        masked
    }

    /// What tells one form from every other: see [`Services::decide_together`].
    ///
    /// # Errors
    /// [`ServiceError::Broken`] where the machine gives no random numbers.
    pub fn new_form(&self) -> Result<String, ServiceError> {
        random_hex()
    }

    /// Refuses what is not decided on many at all, and an answer that a person has to read once more: the words
    /// are the same for all, so they are asked about before anything is written.
    fn check_together(&self, picks: &[Pick], decision: &Decision) -> Result<(), ServiceError> {
        check_together(picks, decision)?;
        let said = decision.choices().iter().filter_map(Choice::action_text);
        match self.warns_of(said, false) {
            Some(warning) => Err(ServiceError::Refused {
                why: format!(
                    "{warning} Ändra texten. Ska den ändå publiceras beslutar du i varje ärende för sig."
                ),
            }),
            None => Ok(()),
        }
    }

    /// What a decision on these would come to, case by case. Nothing is changed. That the files of each seal are
    /// whole is checked when it is decided.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where it is nothing to be decided on many at all.
    pub async fn plan_together(
        &self,
        viewer: &Viewer,
        picks: &[Pick],
        decision: &Decision,
        answered: &Answered,
    ) -> Result<Plan, ServiceError> {
        viewer.demand(Act::Decide)?;
        self.check_together(picks, decision)?;
        let known = self.known(picks).await?;
        let mut plan = Plan::default();
        for pick in picks {
            if !known.contains(&pick.case) {
                plan.unknown.push(pick.case);
                continue;
            }
            match self.plan_one(viewer, *pick, decision, answered).await {
                Ok(planned) => plan.will.push(planned),
                Err(error) => plan.cannot.push((pick.case, told(error, "planning", pick.case))),
            }
        }
        Ok(plan)
    }

    async fn known(&self, picks: &[Pick]) -> Result<BTreeSet<CaseId>, ServiceError> {
        let cases = picks.iter().map(|pick| pick.case).collect();
        Ok(self.inner.store.known_cases(cases).await?)
    }

    async fn plan_one(
        &self,
        viewer: &Viewer,
        pick: Pick,
        decision: &Decision,
        answered: &Answered,
    ) -> Result<Planned, ServiceError> {
        let refused = |why: &str| ServiceError::Refused { why: why.to_owned() };
        self.demand_open(viewer, pick.case).await?;
        let store = &self.inner.store;
        let now = self.inner.clock.now();
        let row = store.case(pick.case).await?;
        let item = store.item(row.item).await?;
        check_alone(&row, &item, decision)?;
        if row.revision != pick.revision {
            return Err(refused("Ärendet har ändrats sedan det visades. Läs det på nytt."));
        }
        if let Some((claim, name)) = &row.claim
            && claim.blocks(viewer.user, now)
        {
            return Err(ServiceError::Refused { why: format!("{name} arbetar med ärendet.") });
        }
        let decision = &signed(viewer, &self.policy_of(item.account), decision.clone());
        let examined = self.examine(&row, &item, decision, answered, now).await?;
        if decision.removes() {
            let evidence = store.evidence_of(row.version).await?;
            if !evidence.is_some_and(|e| matches!(e.state, EvidenceState::Sealed { .. })) {
                return Err(refused("Beviset är inte säkrat än."));
            }
        }
        Ok(Planned { case: pick.case, by_hand: examined.by_hand })
    }

    /// Decides on each of these by itself. What cannot be decided is noted and stops none of the others. Goes on
    /// to its end where whoever asked goes away. `form` tells what was sent from every other form: sent again,
    /// it leads to what it has begun.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where it is nothing to be decided on many at all; nothing has changed then.
    pub async fn decide_together(
        &self,
        viewer: &Viewer,
        mut picks: Vec<Pick>,
        (decision, answered): (Decision, Answered),
        form: Option<String>,
    ) -> Result<Made, ServiceError> {
        viewer.demand(Act::Decide)?;
        self.check_together(&picks, &decision)?;
        let known = self.known(&picks).await?;
        let unknown: Vec<_> =
            picks.iter().map(|pick| pick.case).filter(|case| !known.contains(case)).collect();
        picks.retain(|pick| known.contains(&pick.case));
        if picks.is_empty() {
            let why = "Ingen av de markerade finns som ärende. Gå till kön och markera på nytt.";
            return Err(ServiceError::Refused { why: why.to_owned() });
        }
        let now = self.inner.clock.now();
        let undo = self.longest_undo();
        let until = undo_until(now, undo, picks.len());
        let new = NewBulk {
            user: viewer.user,
            cases: picks.iter().map(|pick| pick.case).collect(),
            undo_until: until,
            form,
            line: viewer.line("case.decide_together", "cases"),
        };
        let begun = self.inner.store.begin_bulk(new, now).await?;
        let bulk = begun.id;
        if !begun.is_new {
            self.until_decided(bulk).await?;
            return Ok(Made { bulk, unknown });
        }
        let within = Within { bulk, n_cases: picks.len(), undo_until: until };
        let (services, viewer) = (self.clone(), viewer.clone());
        let all = tokio::spawn(async move {
            for pick in picks {
                services.decide_one_of(&viewer, pick, (&decision, &answered), within).await;
            }
        });
        all.await.map_err(|e| ServiceError::Broken {
            doing: "decisions together",
            source: Box::new(e),
        })?;
        Ok(Made { bulk, unknown })
    }

    /// Waits until an act that is under way is over. What a crash has left half done is shown so after a while.
    async fn until_decided(&self, bulk: BulkId) -> Result<(), ServiceError> {
        for _ in 0..LOOKS {
            let row = self.inner.store.bulk(bulk).await?;
            if !row.cases.iter().any(|(_, became)| matches!(became, Became::NotComeTo)) {
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    async fn decide_one_of(
        &self,
        viewer: &Viewer,
        pick: Pick,
        (decision, answered): (&Decision, &Answered),
        within: Within,
    ) {
        let case = pick.case;
        let decided = async {
            // First: what else is told of it is for those who may open it.
            self.demand_open(viewer, case).await?;
            let row = self.inner.store.case(case).await?;
            let item = self.inner.store.item(row.item).await?;
            check_alone(&row, &item, decision)?;
            self.decide_within(
                viewer,
                pick,
                decision.clone(),
                answered,
                // The words are the same for all, and were judged before anything was written.
                Warned::Before,
                Some(within),
            )
            .await
        };
        let Err(error) = decided.await else { return };
        let why = told(error, "deciding", case);
        if let Err(error) = self.inner.store.bulk_refused(within.bulk, case, why).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(case.id = %case, error, "why a case was not decided could not be noted");
        }
    }

    /// The longest time to undo of any policy in use.
    fn longest_undo(&self) -> SignedDuration {
        self.inner.policies.all().iter().map(|policy| policy.undo).max().unwrap_or_default()
    }

    /// Undoes what was decided together, as far as that is still possible. What cannot be undone is noted with its
    /// reason.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn undo_together(&self, viewer: &Viewer, bulk: BulkId) -> Result<(), ServiceError> {
        viewer.demand(Act::Decide)?;
        let BulkRow { cases, .. } = self.inner.store.bulk(bulk).await?;
        let (services, viewer) = (self.clone(), viewer.clone());
        let all = tokio::spawn(async move {
            for (case, became) in cases {
                let Became::Decided { decision, undone_at: None, .. } = became else { continue };
                let Err(error) = services.undo(&viewer, case, decision).await else { continue };
                let why = told(error, "undoing", case);
                if let Err(error) = services.inner.store.bulk_stays(bulk, case, why).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(case.id = %case, error, "why a case was not undone could not be noted");
                }
            }
        });
        all.await
            .map_err(|e| ServiceError::Broken { doing: "undoing together", source: Box::new(e) })
    }

    /// What became of an act that decided many cases.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn decided_together(
        &self,
        viewer: &Viewer,
        bulk: BulkId,
    ) -> Result<Decided, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let row = self.inner.store.bulk(bulk).await?;
        let mut cases = Vec::with_capacity(row.cases.len());
        for (case, became) in row.cases {
            cases.push(Outcome { line: self.unasked_line(case).await?, became });
        }
        Ok(Decided {
            id: bulk,
            by: row.name,
            at: row.at,
            undo_until: row.undo_until,
            may_undo: viewer.may(Act::Decide),
            cases,
        })
    }
}

/// Refuses what is not decided on many at all.
fn check_together(picks: &[Pick], decision: &Decision) -> Result<(), ServiceError> {
    let refused = |why: String| Err(ServiceError::Refused { why });
    if picks.is_empty() {
        return refused("Markera minst ett ärende.".to_owned());
    }
    if picks.len() > MOST_TOGETHER as usize {
        return refused(format!(
            "{} ärenden är markerade. Högst {MOST_TOGETHER} beslutas på en gång.",
            picks.len()
        ));
    }
    match refuses(decision) {
        Some(why) => refused(why.to_owned()),
        None => Ok(()),
    }
}

/// Refuses one case that is to be decided by itself, or that needs nobody any more.
fn check_alone(row: &CaseRow, item: &ItemRow, decision: &Decision) -> Result<(), ServiceError> {
    let weight = match (row.rank, row.severity) {
        (FOR_A_LIFE, _) => Weight::Life,
        (THREAT, _) | (_, Some(Severity::High)) => Weight::Grave,
        (_, Some(Severity::Low | Severity::Medium) | None) => Weight::Other,
    };
    let why = left_to_itself(decision, item.no_copy, weight);
    let why = why.or_else(|| {
        (!row.state.needs_a_person()).then_some("Ärendet väntar inte längre på beslut.")
    });
    match why {
        Some(why) => Err(ServiceError::Refused { why: why.to_owned() }),
        None => Ok(()),
    }
}
