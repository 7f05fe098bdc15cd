//! Deciding on many cases in one act: what each would get, the deciding, and the undoing.
//!
//! Every case goes through the same decision as alone, in a transaction of its own. What cannot be decided is
//! told and stops none of the others; which cases were picked is durable before the first is decided, so that
//! what a crash leaves undecided can be told as well.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::domain::action::ActionKind;
use crate::domain::decision::Decision;
use crate::domain::duties::Duties;
use crate::domain::ground::Ground;
use crate::domain::ids::{BulkId, CaseId};
use crate::domain::person::Act;
use crate::domain::policy::{Policy, Proposal};
use crate::domain::register::Answered;
use crate::domain::together::{
    Became, MOST_TOGETHER, Over, Pick, Within, left_to_itself, refuses, undo_until,
};
use crate::store::rows::{CaseRow, EvidenceState, ItemRow};
use crate::store::sqlite::together::{BulkRow, NewBulk};

use super::decide::Warned;
use super::offers::Offers;
use super::queue::Line;
use super::{ServiceError, Services, Viewer};

/// Who stands before all others in the queue: see `cases.rank`.
const FOR_A_LIFE: u8 = 0;

/// A case that a person has picked.
#[derive(Clone, Debug)]
pub struct Picked {
    /// The case, with the revision at hand.
    pub pick: Pick,
    /// As a line of the queue.
    pub line: Line,
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
    /// The cases, in the order picked, each once.
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
        let mut wanted = Vec::new();
        let mut seen = BTreeSet::new();
        let mut add = |case: CaseId| {
            if seen.insert(case) {
                wanted.push(case);
            }
        };
        cases.iter().copied().for_each(&mut add);
        for group in groups {
            add(*group);
            // One more tells that there are more.
            let similar = store.similar_open(*group, over, MOST_TOGETHER + 1).await?;
            similar.into_iter().for_each(&mut add);
        }
        let n_left_out = wanted.len().saturating_sub(MOST_TOGETHER as usize);
        wanted.truncate(MOST_TOGETHER as usize);
        let mut selection = Selection { picked: Vec::new(), n_left_out, duties: Vec::new() };
        for case in wanted {
            let row = match store.queue_line(case).await.map_err(ServiceError::from) {
                Ok(row) => row,
                Err(ServiceError::NotFound { .. }) => continue,
                Err(error) => return Err(error),
            };
            let account = row.account.id;
            let policy: &Policy = self.policy_of(account);
            if !selection.duties.contains(&policy.duties) {
                selection.duties.push(policy.duties.clone());
            }
            // What is thought to stand in a secret case tells of it.
            let is_open = !row.secret || self.is_open_to(viewer, case).await?;
            let verdict = row.verdict.clone().filter(|_| is_open);
            let suggested = |v| policy.suggested(v, row.no_copy).into_iter().map(|(g, _)| g);
            selection.picked.push(Picked {
                pick: Pick { case, revision: row.case.revision },
                waits: row.case.state.needs_a_person(),
                proposal: verdict.as_ref().map(|v| policy.proposal(v)),
                suggested: verdict.iter().flat_map(suggested).collect(),
                offers: self.offers(account),
                line: self.line(row),
            });
        }
        Ok(selection)
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
    ) -> Result<Plan, ServiceError> {
        viewer.demand(Act::Decide)?;
        check_together(picks, decision)?;
        let mut plan = Plan::default();
        for pick in picks {
            match self.plan_one(viewer, *pick, decision).await {
                Ok(planned) => plan.will.push(planned),
                Err(error) => plan.cannot.push((pick.case, told(error, "planning", pick.case))),
            }
        }
        Ok(plan)
    }

    async fn plan_one(
        &self,
        viewer: &Viewer,
        pick: Pick,
        decision: &Decision,
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
        let examined = self.examine(&row, &item, decision, &Answered::default(), now).await?;
        if decision.removes() {
            let evidence = store.evidence_of(row.version).await?;
            if !evidence.is_some_and(|e| matches!(e.state, EvidenceState::Sealed { .. })) {
                return Err(refused("Beviset är inte säkrat än."));
            }
        }
        Ok(Planned { case: pick.case, by_hand: examined.by_hand })
    }

    /// Decides on each of these by itself. What cannot be decided is noted and stops none of the others. Goes on
    /// to its end where whoever asked goes away.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where it is nothing to be decided on many at all; nothing has changed then.
    pub async fn decide_together(
        &self,
        viewer: &Viewer,
        picks: Vec<Pick>,
        decision: Decision,
    ) -> Result<BulkId, ServiceError> {
        viewer.demand(Act::Decide)?;
        check_together(&picks, &decision)?;
        let now = self.inner.clock.now();
        let undo = self.longest_undo();
        let until = undo_until(now, undo, picks.len());
        let new = NewBulk {
            user: viewer.user,
            cases: picks.iter().map(|pick| pick.case).collect(),
            undo_until: until,
            line: viewer.line("case.decide_together", "cases"),
        };
        let bulk = self.inner.store.begin_bulk(new, now).await?;
        let within = Within { bulk, n_cases: picks.len(), undo_until: until };
        let (services, viewer) = (self.clone(), viewer.clone());
        let all = tokio::spawn(async move {
            for pick in picks {
                services.decide_one_of(&viewer, pick, &decision, within).await;
            }
        });
        all.await.map_err(|e| ServiceError::Broken {
            doing: "decisions together",
            source: Box::new(e),
        })?;
        Ok(bulk)
    }

    async fn decide_one_of(
        &self,
        viewer: &Viewer,
        pick: Pick,
        decision: &Decision,
        within: Within,
    ) {
        let case = pick.case;
        let decided = async {
            let row = self.inner.store.case(case).await?;
            let item = self.inner.store.item(row.item).await?;
            check_alone(&row, &item, decision)?;
            let none = Answered::default();
            self.decide_within(
                viewer,
                pick,
                decision.clone(),
                &none,
                Warned::Of(String::new()),
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
        let own = self.inner.accounts.values().filter_map(|served| served.policy.as_ref());
        own.map(|policy| policy.undo).fold(self.inner.policy.undo, Ord::max)
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
    let why = left_to_itself(decision, item.no_copy, row.rank == FOR_A_LIFE);
    let why = why.or_else(|| {
        (!row.state.needs_a_person()).then_some("Ärendet väntar inte längre på beslut.")
    });
    match why {
        Some(why) => Err(ServiceError::Refused { why: why.to_owned() }),
        None => Ok(()),
    }
}
