//! Deadlines of cases that were opened while a policy was published: they were counted by the policy before, and are
//! counted anew as those that stood then. It is looked for in the minutes after a version began to rule, and once after
//! each start: the program may have been stopped in those minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{MutexGuard, PoisonError};

use jiff::SignedDuration;

use crate::domain::ids::{AccountId, CaseId, PolicyVersionId};
use crate::domain::policy::Policy;
use crate::domain::policy_version::{Governs, PolicyVersion};

use super::policies::due::{Due, due_by};
use super::{ServiceError, Services};

/// So long after a version began to rule cases are looked for that were opened meanwhile: an assessment takes seconds.
const LATE: SignedDuration = SignedDuration::from_mins(15);
/// Open cases are read so many at a time.
const PAGE: u32 = 500;

/// A version that began to rule a while ago, with the policies before and after it, each with its stricter twin.
struct Replaced {
    version: PolicyVersion,
    before: [Policy; 2],
    after: [Policy; 2],
}

impl Services {
    fn recounted(&self) -> MutexGuard<'_, BTreeSet<PolicyVersionId>> {
        // A set of numbers is whole whatever panicked.
        self.inner.recounted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts deadlines anew that were set by a policy which had just been replaced, where the version that replaced it
    /// says so. Says how many.
    ///
    /// # Errors
    /// [`ServiceError`]; what is left goes the next time.
    pub async fn recount_late(&self) -> Result<usize, ServiceError> {
        let replaced = self.replaced_of_late().await?;
        if replaced.is_empty() {
            return Ok(0);
        }
        let store = &self.inner.store;
        let strict = self.inner.strict.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut moved: BTreeMap<Option<AccountId>, Vec<_>> = BTreeMap::new();
        let mut after = CaseId(0);
        loop {
            let page = store.open_cases(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.case;
            for case in &page {
                let slot = self.policy_slot(case.account);
                let (Some(one), Some(verdict)) = (replaced.get(&slot), &case.verdict) else {
                    continue;
                };
                let twin = usize::from(strict.contains(&case.account));
                if let Due::Moves(due) = due_by(case, verdict, &one.before[twin], &one.after[twin])
                {
                    moved.entry(slot).or_default().push(due);
                }
            }
        }
        let now = self.inner.clock.now();
        let (mut n, mut done) = (0, Vec::new());
        for (slot, one) in replaced {
            done.push(one.version.id);
            let Some(moved) = moved.remove(&slot) else { continue };
            let cases: Vec<_> = moved.iter().map(|moved| moved.case).collect();
            store.move_deadlines(one.version, moved, now).await?;
            n += cases.len();
            self.tell_cases(&cases);
        }
        self.recounted().extend(done);
        if n > 0 {
            tracing::info!(
                n_cases = n,
                "deadlines set while a policy was published are counted anew"
            );
        }
        Ok(n)
    }

    async fn replaced_of_late(
        &self,
    ) -> Result<BTreeMap<Option<AccountId>, Replaced>, ServiceError> {
        let store = &self.inner.store;
        let now = self.inner.clock.now();
        let mut replaced = BTreeMap::new();
        for (slot, version) in store.ruling_policies().await? {
            let is_new = version.ruled_from.is_some_and(|from| now.duration_since(from) <= LATE);
            let is_done = self.recounted().contains(&version.id);
            if !version.recounts || (!is_new && is_done) {
                continue;
            }
            let read = &self.desk()?.read;
            let earlier = store.policy_versions(Governs::Policy(slot)).await?;
            let before = earlier.iter().filter(|one| one.seq.is_some() && one.seq < version.seq);
            let before = before.max_by_key(|one| one.seq);
            let before = before.and_then(|one| read(slot.is_none(), &one.text).ok());
            let after = read(slot.is_none(), &version.text).ok();
            let (Some(before), Some(after)) = (before, after) else { continue };
            let twins = |policy: Policy| [policy.clone(), policy.stricter()];
            let (before, after) = (twins(before), twins(after));
            replaced.insert(slot, Replaced { version, before, after });
        }
        Ok(replaced)
    }
}
