//! Texts that never became a case: routine disposal (*gallring*) by the policy's plan and decision, once a day.

use crate::domain::calendar::local;
use crate::domain::ids::ItemId;
use crate::domain::retention::Sweep;
use crate::services::{ServiceError, Services};

use super::clock;
use crate::store::rows::AuditLine;
use crate::store::sqlite::sweeps::NewSweep;

/// Items that are looked at in one reading.
const WINDOW: u32 = 5_000;
/// Items that go in one transaction: other writers wait for it.
const AT_ONCE: usize = 100;
/// Earlier ones on the page.
const ON_PAGE: u32 = 30;

impl Services {
    /// Disposes of texts whose time has run out, account by account, once each day in Sweden. Says how many.
    ///
    /// # Errors
    /// [`ServiceError`]; what is left goes the next time.
    pub async fn sweep_uncased(&self) -> Result<u64, ServiceError> {
        let now = self.inner.clock.now();
        let today = local(now).date();
        if *self.inner.swept.lock().await == Some(today) {
            return Ok(0);
        }
        // While somebody waits for public records nothing goes; asked again in a while.
        let store = &self.inner.store;
        if store.has_pending_release().await? || store.has_pending_subject().await? {
            return Ok(0);
        }
        if let Err(error) = clock::trusted(store, now).await {
            let ServiceError::Refused { .. } = error else { return Err(error) };
            tracing::warn!("texts without a case are not disposed of: the clock is in doubt");
            return Ok(0);
        }
        let disposing = self.disposing();
        let (groups, _) = disposing.policies.groups(self.inner.store.accounts().await?);
        let mut n = 0;
        for group in &groups {
            let Some(retention) = &group.policy.retention else { continue };
            let Some((before, decision)) = retention.sweep(now) else { continue };
            let accounts: Vec<_> = group.accounts.iter().map(|account| account.id).collect();
            let mut after = ItemId(0);
            while let Some((last, mut found)) =
                store.to_sweep(accounts.clone(), before, after, WINDOW).await?
            {
                after = last;
                found.sort_unstable_by_key(|(account, item)| (account.0, item.0));
                for of_one in found.chunk_by(|a, b| a.0 == b.0) {
                    let account = of_one[0].0;
                    let new = NewSweep {
                        account,
                        plan: retention.plan.clone(),
                        decision: decision.to_owned(),
                        policy: group.policy.version,
                        before,
                    };
                    for batch in of_one.chunks(AT_ONCE) {
                        let line = AuditLine {
                            user: None,
                            user_name: "Uppsikt".into(),
                            act: "disposal.sweep",
                            subject: format!("account {account}"),
                            address: "lokalt".into(),
                            detail: None,
                        };
                        let items = batch.iter().map(|(_, item)| *item).collect();
                        n += store.sweep(new.clone(), items, line, now).await?;
                    }
                }
            }
        }
        // Of no account: the authority's own plan goes for them.
        let policy = self.policy();
        let own = policy.retention.as_ref().and_then(|retention| retention.forgets(now));
        if let Some((before, decision, refusals)) = own {
            store.sweep_reports(before, decision.to_owned(), now).await?;
            store.forget_subjects(before, refusals, decision.to_owned(), now).await?;
            // After the reports that came by them.
            self.sweep_mails(before, decision).await?;
        }
        *self.inner.swept.lock().await = Some(today);
        if n > 0 {
            self.note_log().await;
            tracing::info!(n_items = n, "texts that never became a case are disposed of");
        }
        Ok(n)
    }

    /// What went so, newest first.
    pub(super) async fn swept(&self) -> Result<Vec<Sweep>, ServiceError> {
        Ok(self.inner.store.sweeps(ON_PAGE).await?)
    }
}
