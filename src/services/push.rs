//! Pushes: verified, stored, then answered. What is told to be looked at is polled at once.

use metrics::counter;
use std::sync::Arc;

use crate::domain::account::PlatformKind;
use crate::domain::ids::{AccountKey, ContentHash};
use crate::domain::item::{Batch, LiveReading};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::error::PlatformError;
use crate::platforms::push::{News, PushRefused, PushRequest, PushSource};
use crate::store::error::StoreError;
use crate::store::rows::{Delivery, PointedAt, PushStored, PushTold};
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

/// So many of what pushes have pointed at are read after one walk.
pub(super) const READ_AT_ONCE: u32 = 100;

/// How soon after the last look another may be wanted by a push.
const APART: jiff::SignedDuration = jiff::SignedDuration::from_secs(15);

fn address(one: &PointedAt) -> ItemAddress {
    ItemAddress {
        platform_id: one.platform_id.clone(),
        kind: one.kind,
        post_id: one.post_id.clone(),
        parent_id: one.parent_id.clone(),
    }
}

fn pointed_at(item: ItemAddress, at: jiff::Timestamp) -> PointedAt {
    let ItemAddress { platform_id, kind, post_id, parent_id } = item;
    PointedAt { platform_id, kind, post_id, parent_id, at, tries: 0 }
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

    /// Reads what platforms have pointed at. What cannot be read just now stays to be read after the next walk, some
    /// times.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub(super) async fn read_pointed_at(
        &self,
        served: &Served,
        next_at: jiff::Timestamp,
    ) -> Result<(), ServiceError> {
        let account = served.account.id;
        let pointed_at = self.inner.store.pointed_at(account, READ_AT_ONCE).await?;
        if pointed_at.is_empty() {
            return Ok(());
        }
        let items: Vec<_> = pointed_at.iter().map(address).collect();
        let readings = match served.platform.read_live_many(&items).await {
            Ok(readings) => readings,
            Err(error) => {
                // The account's own trouble: they all stay, and nothing is counted.
                tracing::warn!(error = %error, "what was pointed at could not be read");
                return Ok(());
            }
        };
        let (mut batch, mut read, mut unread) = (Batch::default(), Vec::new(), Vec::new());
        for (one, reading) in pointed_at.into_iter().zip(readings) {
            match reading {
                Ok(LiveReading::Present(item)) => batch.items.push(*item),
                Ok(LiveReading::Gone) => batch.gone.push(one.platform_id.clone()),
                Ok(LiveReading::NotReadable { .. }) | Err(PlatformError::Gone) => {}
                Err(error) => {
                    tracing::warn!(error = %error, "an item pointed at cannot be read");
                    unread.push(one);
                    continue;
                }
            }
            read.push(one);
        }
        let now = self.inner.clock.now();
        let committed = self.inner.store.commit_batch(account, batch, next_at, now).await?;
        // Afterwards: whoever stops in between reads them twice, which changes nothing.
        let given_up = self.inner.store.note_pointed_at(account, read, unread).await?;
        if given_up > 0 {
            tracing::warn!(given_up, "what was pointed at is given up: it could never be read");
        }
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
        let mut what = PushTold::default();
        let mut rejected = Vec::new();
        for (index, element) in told.into_iter().enumerate() {
            match element {
                Ok(pushed) => {
                    let named = self.named(&served, source.as_ref(), pushed.account.as_deref());
                    let Some(named) = named.map(|named| named.account.id) else {
                        // An account of the same app that is not ours to read.
                        continue;
                    };
                    let batch = what.batches.entry(named).or_default();
                    batch.posts.extend(pushed.post);
                    match pushed.told {
                        News::Item(item) => batch.items.push(*item),
                        News::Gone(id) => batch.gone.push(id),
                        News::Look(item) => {
                            what.looks.entry(named).or_default().push(pointed_at(item, now));
                        }
                        News::Poll => drop(what.looks.entry(named).or_default()),
                    }
                }
                Err(unreadable) => {
                    let problem = &unreadable.problem;
                    rejected.push(serde_json::json!({ "index": index, "error": problem }));
                    what.batches.entry(account).or_default().unreadable.push(unreadable);
                }
            }
        }
        let is_told = !what.looks.is_empty();
        let n_rejected = rejected.len();
        let committed = self.inner.store.commit_push(
            account,
            what,
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
            APART,
            now,
        );
        let PushStored { answer, touched, is_new, is_log_longer } =
            committed.await.map_err(|error| match error {
                StoreError::Conflict { .. } => PushError::Delivery,
                error => PushError::NotStored(error.into()),
            })?;
        let account_key = key.as_str().to_owned();
        counter!(names::POLLS, "account" => account_key, "outcome" => "push").increment(1);
        self.inner.wakes.assess.notify_one();
        self.tell_cases(&touched);
        if is_log_longer {
            self.note_log().await;
        }
        if is_new && is_told {
            self.inner.wakes.intake.notify_one();
        }
        Ok(Taken { from: source.kind(), answer })
    }
}
