//! Whoever was named in a note is told: that it was, by whom and in which case. Never what stands there.

use jiff::Timestamp;

use crate::services::ServiceError;
use crate::store::sqlite::mentions::Untold;

use super::plan::{Message, To};
use super::{AT_ONCE, Notifier};

/// What such a notice is called.
pub(super) const KIND: &str = "mention";

impl Notifier {
    /// Turns mentions into notices. Says whether there are more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn mentions(&self) -> Result<bool, ServiceError> {
        let store = &self.services.inner.store;
        let now = self.services.inner.clock.now();
        let untold = store.untold_mentions(AT_ONCE).await?;
        let more = untold.len() == AT_ONCE as usize;
        for one in untold {
            let id = one.id;
            store.tell_of_mention(id, self.of_mention(one, now), now).await?;
        }
        Ok(more)
    }

    fn of_mention(
        &self,
        one: Untold,
        now: Timestamp,
    ) -> Vec<crate::store::sqlite::notices::NewNotice> {
        let message = Message {
            key: format!("mention:{}", one.id),
            kind: KIND,
            case: Some(one.case),
            urgent: false,
            subject: format!("Du är nämnd i ärende {}", one.case),
            body: format!("{} har nämnt dig i en anteckning i ärendet. Läs den där.", one.by),
        };
        let to = To { who: format!("{} (nämnd i ärendet)", one.name), mail: one.mail };
        self.notices(&message, &[to], now)
    }
}
