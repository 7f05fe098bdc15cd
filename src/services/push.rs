//! Pushes: verified, stored, then answered. What is told to be looked at is polled at once.

use metrics::counter;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::account::PlatformKind;
use crate::domain::ids::{AccountId, AccountKey, ContentHash};
use crate::domain::item::{Batch, LiveReading};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::error::PlatformError;
use crate::platforms::push::{News, PushRefused, PushRequest, PushSource};
use crate::store::error::StoreError;
use crate::store::rows::{Delivery, PushStored};
use crate::telemetry::metrics as names;

use super::{Served, ServiceError, Services};

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

/// A push that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who pushed.
    pub from: PlatformKind,
    /// What whoever pushed is answered, as JSON.
    pub answer: String,
}

/// So many items that were pointed at wait for one account, at the most: the walk finds the others.
const MOST_POINTED_AT: usize = 500;

/// So many of them are read after one walk.
pub(super) const READ_AT_ONCE: usize = 100;

/// How soon after the last look another may be wanted by a push.
const APART: jiff::SignedDuration = jiff::SignedDuration::from_secs(15);

/// What platforms have pointed at and nobody has read yet. In memory alone: a push is a hint, and that an
/// account is to be read is stored.
#[derive(Debug, Default)]
pub(super) struct PointedAt(Mutex<BTreeMap<AccountId, Vec<ItemAddress>>>);

impl PointedAt {
    fn add(&self, account: AccountId, items: Vec<ItemAddress>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = all.entry(account).or_default();
        for item in items {
            if waiting.len() < MOST_POINTED_AT && !waiting.contains(&item) {
                waiting.push(item);
            }
        }
    }

    fn take(&self, account: AccountId) -> Vec<ItemAddress> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = all.remove(&account).unwrap_or_default();
        if waiting.len() > READ_AT_ONCE {
            all.insert(account, waiting.split_off(READ_AT_ONCE));
        }
        waiting
    }
}

impl Services {
    /// Answers a platform that asks whether an address is ours: the body to send back; nothing where it is not
    /// meant for us.
    pub fn shake_hands(&self, key: &AccountKey, query: &[(&str, &str)]) -> Option<String> {
        self.served_by_key(key)?.push.as_ref()?.handshake(query)
    }

    /// The account that a push through `source` names: its own, or another one of the same app.
    fn named(
        &self,
        served: &Arc<Served>,
        source: &dyn PushSource,
        account: Option<&str>,
    ) -> Option<Arc<Served>> {
        if account.is_none() || account == source.account() {
            return Some(Arc::clone(served));
        }
        let is_it = |other: &&Arc<Served>| {
            other.push.as_ref().is_some_and(|other| {
                other.account() == account && other.app().is_some() && other.app() == source.app()
            })
        };
        self.inner.accounts.values().find(is_it).cloned()
    }

    /// Reads what platforms have pointed at. What cannot be read just now is left to the walk and to the reading
    /// of open cases.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub(super) async fn read_pointed_at(
        &self,
        served: &Served,
        next_at: jiff::Timestamp,
    ) -> Result<(), ServiceError> {
        let account = served.account.id;
        let items = self.inner.pointed_at.take(account);
        if items.is_empty() {
            return Ok(());
        }
        let readings = match served.platform.read_live_many(&items).await {
            Ok(readings) => readings,
            Err(error) => {
                tracing::warn!(error = %error, "what was pointed at could not be read");
                return Ok(());
            }
        };
        let mut batch = Batch::default();
        for (item, reading) in items.into_iter().zip(readings) {
            match reading {
                Ok(LiveReading::Present(read)) => batch.items.push(*read),
                Ok(LiveReading::Gone) => batch.gone.push(item.platform_id),
                Ok(LiveReading::NotReadable { .. }) | Err(PlatformError::Gone) => {}
                Err(error) => tracing::warn!(error = %error, "an item pointed at cannot be read"),
            }
        }
        let now = self.inner.clock.now();
        let committed = self.inner.store.commit_batch(account, batch, next_at, now).await?;
        if committed.presence_changes > 0 {
            // What was sealed and is gone is an entry of the log.
            self.note_log().await;
        }
        if committed.new_items + committed.new_versions > 0 {
            self.inner.wakes.assess.notify_one();
        }
        self.tell_cases(&committed.touched);
        Ok(())
    }

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
    ) -> Result<Taken, PushError> {
        let served = self.served_by_key(key).ok_or(PushError::NoSuchAccount)?;
        let source = served.push.as_ref().ok_or(PushError::NoSuchAccount)?;
        let now = self.inner.clock.now();
        let request = PushRequest { headers, body };
        // Before anything is looked up: a stranger learns nothing of deliveries.
        let told = source.receive(request, now)?;
        let delivery = source.delivery(request).ok_or(PushError::Delivery)?;
        let signed = source.signed(request);
        let is_hint = source.kind() != PlatformKind::OwnSite;
        let delivery = Delivery { id: delivery, body: ContentHash::of(body), signed, is_hint };
        let account = served.account.id;
        let n_told = told.len();
        let mut batch = Batch::default();
        let mut rejected = Vec::new();
        let mut looks: BTreeMap<AccountId, Vec<ItemAddress>> = BTreeMap::new();
        for (index, element) in told.into_iter().enumerate() {
            match element {
                Ok(pushed) => {
                    let named = self.named(&served, source.as_ref(), pushed.account.as_deref());
                    let Some(named) = named.map(|named| named.account.id) else {
                        // An account of the same app that is not ours to read.
                        continue;
                    };
                    batch.posts.extend(pushed.post);
                    match pushed.told {
                        News::Item(item) => batch.items.push(*item),
                        News::Gone(id) => batch.gone.push(id),
                        News::Look(item) => looks.entry(named).or_default().push(item),
                        News::Poll => {
                            looks.entry(named).or_default();
                        }
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
        let PushStored { answer, touched, is_new } =
            committed.await.map_err(|error| match error {
                StoreError::Conflict { .. } => PushError::Delivery,
                error => PushError::NotStored(error.into()),
            })?;
        let account_key = key.as_str().to_owned();
        counter!(names::POLLS, "account" => account_key, "outcome" => "push").increment(1);
        self.inner.wakes.assess.notify_one();
        self.tell_cases(&touched);
        if !is_new {
            return Ok(Taken { from: source.kind(), answer });
        }
        let is_told = !looks.is_empty();
        for (account, items) in looks {
            self.inner.pointed_at.add(account, items);
            let hastened = self.inner.store.hasten_fetching(account, APART, now).await;
            hastened.map_err(|e| PushError::NotStored(e.into()))?;
        }
        if is_told {
            self.inner.wakes.intake.notify_one();
        }
        Ok(Taken { from: source.kind(), answer })
    }
}
