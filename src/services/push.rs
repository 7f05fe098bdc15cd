//! Pushes: verified, stored, then answered. What is told to be looked at is polled at once.

use metrics::counter;
use uuid::Uuid;

use crate::domain::ids::{AccountKey, ContentHash};
use crate::domain::item::Batch;
use crate::platforms::push::{News, PushRefused, PushRequest};
use crate::store::error::StoreError;
use crate::store::rows::Delivery;
use crate::telemetry::metrics as names;

use super::{ServiceError, Services};

/// Why a push is not taken. The words are for the developer of the site that pushes.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No such account, or one that takes no pushes.
    #[error("there is no account of that name that takes pushes")]
    NoSuchAccount,
    /// Signature missing, wrong or too old.
    #[error("{0}")]
    Signature(String),
    /// The body has not the agreed shape.
    #[error("{0}")]
    Shape(String),
    /// The delivery header is missing, no UUID, or was used for another body.
    #[error("the header X-Uppsikt-Delivery is to be a UUID, new for each push")]
    Delivery,
    /// Not durable: send again.
    #[error("the items could not be stored: send the same delivery again")]
    NotStored(#[source] ServiceError),
}

impl From<PushRefused> for PushError {
    fn from(refused: PushRefused) -> Self {
        match refused {
            PushRefused::Shape { problem } => Self::Shape(problem),
            PushRefused::NoSignature { .. }
            | PushRefused::WrongSignature
            | PushRefused::OffTime { .. } => Self::Signature(refused.to_string()),
        }
    }
}

impl Services {
    /// Whether a push may come in at all, before its body is read: the account takes pushes, and the
    /// signature is there, well formed and of this time. What it is over is seen afterwards.
    ///
    /// # Errors
    /// [`PushError::NoSuchAccount`], [`PushError::Signature`].
    pub fn may_push(&self, key: &AccountKey, headers: &[(&str, &str)]) -> Result<(), PushError> {
        let served = self.served_by_key(key).ok_or(PushError::NoSuchAccount)?;
        let source = served.push.as_ref().ok_or(PushError::NoSuchAccount)?;
        match source.receive(PushRequest { headers, body: &[] }, self.inner.clock.now()) {
            Err(refused @ (PushRefused::NoSignature { .. } | PushRefused::OffTime { .. })) => {
                Err(refused.into())
            }
            Ok(_) | Err(PushRefused::WrongSignature | PushRefused::Shape { .. }) => Ok(()),
        }
    }

    /// Takes a push: checks the signature over the raw body, stores, and gives the answer. The
    /// same delivery again gets the same answer and changes nothing, and so does the same signature
    /// under another delivery.
    ///
    /// # Errors
    /// [`PushError`].
    pub async fn take_push(
        &self,
        key: &AccountKey,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<String, PushError> {
        let served = self.served_by_key(key).ok_or(PushError::NoSuchAccount)?;
        let source = served.push.as_ref().ok_or(PushError::NoSuchAccount)?;
        let now = self.inner.clock.now();
        let request = PushRequest { headers, body };
        // Before anything is looked up: a stranger learns nothing of deliveries.
        let told = source.receive(request, now)?;
        let delivery = request.header("x-uppsikt-delivery").and_then(|d| Uuid::parse_str(d).ok());
        let delivery = delivery.ok_or(PushError::Delivery)?.to_string();
        let signed = source.signed(request);
        let delivery = Delivery { id: delivery, body: ContentHash::of(body), signed };
        let account = served.account.id;
        let n_told = told.len();
        let mut batch = Batch::default();
        let mut rejected = Vec::new();
        let mut look = false;
        for (index, element) in told.into_iter().enumerate() {
            match element {
                Ok(pushed) => {
                    batch.posts.extend(pushed.post);
                    match pushed.told {
                        News::Item(item) => batch.items.push(*item),
                        News::Gone(id) => batch.gone.push(id),
                        News::Look(_) => look = true,
                    }
                }
                Err(unreadable) => {
                    let problem = &unreadable.problem;
                    rejected.push(serde_json::json!({ "index": index, "error": problem }));
                    batch.unreadable.push(unreadable);
                }
            }
        }
        let n_rejected = rejected.len();
        let committed = self.inner.store.commit_push(
            account,
            batch,
            delivery,
            move |committed| {
                let accepted = committed.new_items + committed.new_versions;
                let duplicates =
                    n_told.saturating_sub(n_rejected).saturating_sub(accepted as usize);
                serde_json::json!({
                    "accepted": accepted, "duplicates": duplicates, "rejected": rejected,
                })
                .to_string()
            },
            now,
        );
        let (answer, touched) = committed.await.map_err(|error| match error {
            StoreError::Conflict { .. } => PushError::Delivery,
            error => PushError::NotStored(error.into()),
        })?;
        let account_key = key.as_str().to_owned();
        counter!(names::POLLS, "account" => account_key, "outcome" => "push").increment(1);
        self.inner.wakes.assess.notify_one();
        self.tell_cases(&touched);
        if look {
            self.inner
                .store
                .resume_fetching(account, now)
                .await
                .map_err(|e| PushError::NotStored(e.into()))?;
            self.inner.wakes.intake.notify_one();
        }
        Ok(answer)
    }
}
