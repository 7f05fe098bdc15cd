//! What people do in the queue: they look, open, decide by what is drawn, undo, let rest, and enter diary numbers.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::truth::Made;
use super::{Place, Year, at, days_on, is_free};
use crate::domain::action::ActionKind;
use crate::domain::category::Category;
use crate::domain::decision::{Choice, Decision};
use crate::domain::ground::Ground;
use crate::domain::ids::CaseId;
use crate::domain::item::ItemKind;
use crate::domain::register::Answered;
use crate::services::claims::Look;
use crate::services::{ServiceError, Viewer};

/// So many cases of each policy are looked at in one go.
const AT_ONCE: usize = 40;

const ANSWER: &str = "Tack för att du hör av dig. Vi återkommer.";

impl Year {
    /// Whoever of the staff is there looks at all accounts; on free days whoever is on duty, once.
    pub(super) async fn somebody_looks(&mut self, nth: usize) {
        if is_free(self.today) && self.crisis.is_none() && nth != 1 {
            return;
        }
        let all: Vec<_> = (0..3).flat_map(|group| self.at_work(group)).collect();
        let pick = self.random.below(all.len().max(1) as u64) as usize;
        let Some(viewer) = all.get(pick) else { return };
        self.services.looked(viewer, None).await;
        self.truth.looks.push((self.now(), None));
    }

    /// A round through the queue, policy by policy; then the time to undo goes by and what was decided is carried out.
    pub(super) async fn people_work(&mut self) {
        if is_free(self.today) && self.crisis.is_none() {
            return;
        }
        for group in 0..3 {
            let people = self.at_work(group);
            if people.is_empty() {
                continue;
            }
            for (case, account) in self.open_cases(group) {
                // Some are left for later, and so become late.
                if self.random.once_in(4) {
                    continue;
                }
                let pick = self.random.below(people.len() as u64) as usize;
                self.works_on(&people[pick].clone(), case, account).await;
            }
        }
        self.clock.advance(SignedDuration::from_mins(6));
        self.act().await;
        self.tasks_are_done().await;
        self.numbers_come_back().await;
    }

    fn open_cases(&self, group: usize) -> Vec<(CaseId, usize)> {
        let sql = "select k.id, i.account_id from cases k join items i on i.id = k.item_id
                   where k.state in ('waiting', 'returned') order by k.rank, k.due_at, k.id";
        let mut read = self.raw.prepare_cached(sql).unwrap();
        let rows =
            read.query_map([], |row| Ok((CaseId(row.get(0)?), row.get::<_, i64>(1)?))).unwrap();
        rows.map(Result::unwrap)
            .filter_map(|(case, account)| {
                let n = self.accounts.iter().position(|held| held.id.0 == account)?;
                (self.accounts[n].group == group).then_some((case, n))
            })
            .take(AT_ONCE)
            .collect()
    }

    async fn works_on(&mut self, viewer: &Viewer, case: CaseId, account: usize) {
        match self.services.case_opened(viewer, case, Look::Opens).await {
            Ok(_) => self.truth.looks.push((self.now(), Some(account))),
            // A smaller circle opens it.
            Err(ServiceError::Shut { .. }) => return self.refused("smaller circle"),
            Err(error) => return self.wrong(format!("case {case} cannot be opened: {error:?}")),
        }
        if self.random.once_in(15) {
            // Taken on purpose, and left lying.
            drop(self.services.claim(viewer, case).await);
            return;
        }
        let row = self.store().case(case).await.unwrap();
        let item = self.store().item(row.item).await.unwrap();
        let verdict = self.store().version(row.version).await.unwrap().verdict;
        let policy = &self.policies[self.accounts[account].group];
        let suggested = verdict.as_ref().and_then(|verdict| {
            policy.suggested(verdict, item.no_copy).first().map(|(ground, _)| *ground)
        });
        let private = item.kind == ItemKind::DirectMessage;
        for choices in self.candidates(row.category, private, suggested.is_some()) {
            let note = Some("Enligt riktlinjen, efter en samlad bedömning.".to_owned());
            let Ok(decision) = Decision::new(choices, suggested, note) else { continue };
            let (ground, removes) = (decision.ground(), decision.removes());
            let rests = decision.held_until().is_some();
            let answered = Answered::default();
            let made =
                self.services.decide_with(viewer, case, row.revision, decision, &answered).await;
            match made {
                Ok(id) => {
                    self.truth.tally.decisions += 1;
                    self.truth.tally.rested += u64::from(rests);
                    let (at, due) = (self.now(), row.due_at);
                    let mut made = Made { at, due, ground, removes, rests, undone: false };
                    if self.random.once_in(14) {
                        match self.services.undo(viewer, case, id).await {
                            Ok(()) => {
                                made.undone = true;
                                self.truth.tally.undone += 1;
                            }
                            Err(error) => self.refused(&format!("undo: {error}")),
                        }
                    }
                    self.truth.made.entry(case).or_default().push(made);
                    return;
                }
                Err(ServiceError::Refused { why }) => {
                    let words: Vec<_> = why.split_whitespace().take(6).collect();
                    self.refused(&words.join(" "));
                }
                Err(ServiceError::Conflict { .. }) => return self.refused("somebody else has it"),
                Err(error) => return self.wrong(format!("case {case}: {error:?}")),
            }
        }
        self.wrong(format!(
            "case {case} ({:?}, {:?}) could not be decided at all",
            row.category, row.state
        ));
    }

    fn refused(&mut self, why: &str) {
        *self.truth.tally.refused.entry(why.to_owned()).or_default() += 1;
    }

    /// What is tried, the drawn first; what item, platform or policy refuses is followed by the next.
    fn candidates(
        &mut self,
        category: Option<Category>,
        private: bool,
        removable: bool,
    ) -> Vec<Vec<Choice>> {
        let answer = || Choice::Answer { text: ANSWER.into() };
        let refer =
            || Choice::Refer { text: "Hör av dig till kundtjänst, så hjälper de dig.".into() };
        let kept = || Choice::NotRegister { reason: "En enkel fråga som fått svar.".into() };
        let forward = || Choice::Forward {
            to: "gata@exempelstad.example".into(),
            note: "Se ärendet.".into(),
        };
        let rest = || Choice::Hold { until: at(days_on(self.today, 1), 8, 0) };
        let all: Vec<Vec<Choice>> = match (private, category) {
            (true, _) | (_, None) => vec![
                vec![answer(), kept()],
                vec![answer()],
                vec![answer(), Choice::Register],
                vec![refer()],
                vec![rest()],
                vec![forward()],
            ],
            (false, Some(Category::Question | Category::Case)) => vec![
                vec![answer()],
                vec![answer(), Choice::Register],
                vec![kept()],
                vec![rest()],
                vec![forward()],
                vec![Choice::Register],
                vec![refer()],
            ],
            (false, Some(_)) if removable => vec![
                vec![Choice::Hide, Choice::Register],
                vec![Choice::Delete, Choice::Register],
                vec![Choice::Hide],
                vec![Choice::Delete],
                vec![Choice::Hide, Choice::Register, Choice::ConsiderPoliceReport],
                vec![Choice::Dismiss],
                vec![rest()],
            ],
            (false, Some(_)) => vec![vec![Choice::Dismiss], vec![answer()], vec![Choice::Register]],
        };
        let first = self.random.below(all.len() as u64) as usize;
        let mut tried = all[first..].to_vec();
        tried.extend_from_slice(&all[..first]);
        tried.push(vec![Choice::Dismiss]);
        tried.push(vec![Choice::Register]);
        tried
    }

    /// What only a person can do on the platform, or by mail, is said to be done.
    async fn tasks_are_done(&mut self) {
        let viewer = self.person("siv");
        for task in self.store().tasks(50).await.unwrap() {
            if task.kind != ActionKind::Forward {
                continue;
            }
            match self.services.task_done(&viewer, task.id).await {
                Ok(_) => self.truth.tally.tasks += 1,
                // The time to undo, or a smaller circle.
                Err(error) => self.refused(&format!("task: {error}")),
            }
        }
        self.act().await;
    }

    /// The registrar enters what has come back, a while after it was handed over.
    async fn numbers_come_back(&mut self) {
        if !self.is_at_work("rut") {
            return;
        }
        let rut = self.person("rut");
        let sql = "select distinct r.case_id from registrations r join cases k on k.id = r.case_id
                   where r.diary_number is null and r.exported_at < ?1 order by r.case_id";
        let before = self.now() - SignedDuration::from_hours(20);
        let cases: Vec<CaseId> = {
            let mut read = self.raw.prepare_cached(sql).unwrap();
            let rows = read.query_map([before.as_millisecond()], |row| Ok(CaseId(row.get(0)?)));
            rows.unwrap().map(Result::unwrap).collect()
        };
        for case in cases {
            if self.random.once_in(3) {
                continue;
            }
            let number = format!("KS 2027/{}", self.truth.tally.numbers + 1);
            // A number that a person enters is that of all that the case awaits.
            let sql =
                "select count(*) from registrations where case_id = ?1 and diary_number is null";
            let awaited: u64 = self.raw.query_row(sql, [case.0], |row| row.get(0)).unwrap();
            match self.services.enter_diary_number(&rut, case, &number).await {
                Ok(_) => self.truth.tally.numbers += awaited,
                Err(ServiceError::Refused { why }) => self.refused(&format!("number: {why}")),
                Err(error) => self.wrong(format!("number of case {case}: {error:?}")),
            }
        }
    }

    /// How the platforms stand: what was hidden and deleted by us, with the ground of the decision behind it.
    pub(super) fn removed_by_ground(&self) -> BTreeMap<&'static str, (u64, u64)> {
        let mut counted = BTreeMap::<&'static str, (u64, u64)>::new();
        let mut count = |ground: Option<Ground>, deleted: bool| {
            let of = counted.entry(ground.map_or("", Ground::code)).or_default();
            match deleted {
                true => of.1 += 1,
                false => of.0 += 1,
            }
        };
        let standing = |account: usize, number: u64| {
            let case = self.truth.by_item.get(&(account, number))?;
            let made = self.truth.made.get(case)?;
            made.iter().rev().find(|made| made.removes && !made.undone)?.ground
        };
        for (n, held) in self.accounts.iter().enumerate() {
            match &held.place {
                Place::Square(square) => {
                    for removed in &square.world().removed {
                        count(standing(n, removed.number), removed.deleted);
                    }
                }
                // Nobody else hides or deletes there.
                Place::Facebook(simulator) => {
                    for comment in simulator.truth().iter().filter(|c| c.hidden || c.deleted) {
                        if comment.hidden {
                            count(standing(n, comment.number), false);
                        }
                        if comment.deleted {
                            count(standing(n, comment.number), true);
                        }
                    }
                }
            }
        }
        counted
    }

    pub(super) fn first_decision(&self, case: CaseId) -> Option<(Timestamp, Timestamp)> {
        let made = self.truth.made.get(&case)?;
        let first = made.iter().find(|made| !made.undone && !made.rests)?;
        Some((first.due, first.at))
    }
}
