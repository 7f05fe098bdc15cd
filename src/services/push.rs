//! Signed pushes from the authority's own sites: verified, stored, then answered.

use metrics::counter;
use uuid::Uuid;

use crate::domain::ids::{AccountKey, ContentHash};
use crate::domain::item::{Batch, Unreadable};
use crate::platforms::forum;
use crate::telemetry::metrics as names;

use super::{ServiceError, Services};

/// Why a push is not taken. Each has its status and its words for the site's developer.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No such account, or one that takes no pushes.
    #[error("there is no account of that name that takes pushes")]
    NoSuchAccount,
    /// Signature missing, wrong or too old.
    #[error("the signature is not valid: {0}")]
    Signature(String),
    /// The delivery header is missing or no UUID.
    #[error("header X-Uppsikt-Delivery must be a UUID")]
    Delivery,
    /// The body is not what the contract says.
    #[error("the body cannot be read: {0}")]
    Body(String),
    /// Not durable: send again.
    #[error("the items could not be stored; send again")]
    NotStored(#[source] ServiceError),
}

impl Services {
    /// Takes a push: checks the signature over the raw body, stores, and gives the answer. The
    /// same delivery again gets the same answer and changes nothing.
    ///
    /// # Errors
    /// [`PushError`].
    pub async fn take_push(
        &self,
        key: &AccountKey,
        signature: Option<&str>,
        delivery: Option<&str>,
        body: &[u8],
    ) -> Result<String, PushError> {
        let served = self
            .served_by_key(key)
            .filter(|served| !served.push_secrets.is_empty())
            .ok_or(PushError::NoSuchAccount)?;
        let now = self.inner.clock.now();
        let signature = signature
            .ok_or_else(|| PushError::Signature("header X-Uppsikt-Signature is missing".into()))?;
        forum::verify_signature(signature, body, &served.push_secrets, now)
            .map_err(|e| PushError::Signature(e.to_string()))?;
        let delivery =
            delivery.and_then(|d| Uuid::parse_str(d).ok()).ok_or(PushError::Delivery)?.to_string();
        let account = served.account.id;
        let answered = self.inner.store.answered_delivery(account, delivery.clone()).await;
        if let Some(answer) = answered.map_err(|e| PushError::NotStored(e.into()))? {
            return Ok(answer);
        }
        let parsed = forum::parse_push(body).map_err(|e| PushError::Body(e.to_string()))?;
        let n_given = parsed.len();
        let mut batch = Batch::default();
        let mut rejected = Vec::new();
        for (index, element) in parsed.into_iter().enumerate() {
            match element {
                Ok(item) => batch.items.push(item),
                Err(problem) => {
                    let problem = problem.to_string();
                    rejected.push(serde_json::json!({ "index": index, "error": problem }));
                    // Refused elements are told to the sender; the whole push is kept beside
                    // them, so that nothing received is lost.
                    batch.unreadable.push(Unreadable {
                        place: format!("push {delivery}, element {index}"),
                        problem,
                        raw: body.to_vec(),
                    });
                }
            }
        }
        let n_rejected = rejected.len();
        let answer = self
            .inner
            .store
            .commit_push(
                account,
                batch,
                delivery,
                ContentHash::of(body),
                move |committed| {
                    let accepted = committed.new_items + committed.new_versions;
                    serde_json::json!({
                        "accepted": accepted,
                        "duplicates": n_given.saturating_sub(n_rejected).saturating_sub(accepted as usize),
                        "rejected": rejected,
                    })
                    .to_string()
                },
                now,
            )
            .await
            .map_err(|e| PushError::NotStored(e.into()))?;
        counter!(names::POLLS, "account" => key.as_str().to_owned(), "outcome" => "push").increment(1);
        self.inner.wakes.assess.notify_one();
        Ok(answer)
    }
}
