//! Texts that never became a case: routine disposal (*gallring*) by the policy's plan and decision, once a day.

use crate::domain::calendar::local;
use crate::domain::ids::ItemId;
use crate::domain::retention::Sweep;
use crate::services::{ServiceError, Services};
use crate::store::rows::AuditLine;
use crate::store::sqlite::sweeps::NewSweep;

/// Items in one transaction: other writers wait for it.
const AT_ONCE: u32 = 500;
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
        if let Err(error) = super::clock::trusted(&self.inner.store, now).await {
            let ServiceError::Refused { .. } = error else { return Err(error) };
            tracing::warn!("texts without a case are not disposed of: the clock is in doubt");
            return Ok(0);
        }
        let disposing = self.disposing();
        let (groups, _) = disposing.policies.groups(self.inner.store.accounts().await?);
        let mut n = 0;
        for group in &groups {
            let Some(retention) = &group.policy.retention else { continue };
            let (Some(before), Some(decision)) = (retention.sweep_before(now), &retention.decision)
            else {
                continue;
            };
            for account in &group.accounts {
                let new = NewSweep {
                    account: account.id,
                    plan: retention.plan.clone(),
                    decision: decision.clone(),
                    policy: group.policy.version,
                    before,
                };
                let mut after = ItemId(i64::MIN);
                loop {
                    let line = AuditLine {
                        user: None,
                        user_name: "Uppsikt".into(),
                        act: "disposal.sweep",
                        subject: format!("account {}", account.id),
                        address: "lokalt".into(),
                        detail: None,
                    };
                    let gone =
                        self.inner.store.sweep(new.clone(), after, AT_ONCE, line, now).await?;
                    let Some((last, n_items)) = gone else { break };
                    (after, n) = (last, n + n_items);
                }
            }
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
