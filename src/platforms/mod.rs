//! Many platforms, one face.
//!
//! A connector knows its platform's shapes and nothing of the store: it turns answers into
//! [`FetchedItem`]s and every failure into one [`PlatformError`]. Rate limits, recording and
//! faults are wrappers around the same trait.
//!
//! The removing calls take a [`RemovalWarrant`] by value: that is the only thing a connector may
//! name of the evidence layer, and it cannot make one.
//!
//! [`FetchedItem`]: crate::domain::item::FetchedItem

pub mod capability;
pub mod error;

use async_trait::async_trait;

use crate::domain::account::PlatformKind;
use crate::domain::ids::Cursor;
use crate::domain::item::{Batch, LiveReading};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};

use capability::Capabilities;
use error::PlatformError;

/// What came back from an act that worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The platform did it now. Holds the platform's word for the new state or object: a status,
    /// the id of the answer.
    Done(String),
    /// It was so already.
    AlreadySo(String),
}

/// Who the platform takes us for, and what we may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionReport {
    /// The name or id the platform knows us by.
    pub acting_as: String,
    /// What is missing for full service, in Swedish; empty when all is well.
    pub missing: Vec<String>,
    /// When the credential runs out, where it does.
    pub expires_at: Option<jiff::Timestamp>,
}

/// One account on one platform, ready to be asked.
///
/// Every method maps every answer to a value or a [`PlatformError`]; none retries by itself, none
/// emulates one verb with another, none logs content.
#[async_trait]
pub trait Platform: Send + Sync + 'static {
    /// Which platform.
    fn kind(&self) -> PlatformKind;

    /// What this account can do.
    fn capabilities(&self) -> &Capabilities;

    /// Asks the platform who we are and what we may do, for `doctor` and the health page.
    async fn check(&self) -> Result<ConnectionReport, PlatformError>;

    /// Fetches one step on from `cursor` (the beginning where there is none), with enough overlap
    /// that late and edited items come again. The batch carries the next cursor; whoever stores
    /// the items moves it.
    async fn fetch(&self, cursor: Option<&Cursor>) -> Result<Batch, PlatformError>;

    /// Reads one item as it stands now. An item that is there but hidden or binned is *present*.
    async fn read_live(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError>;

    /// Hides an item.
    async fn hide(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError>;

    /// Deletes an item, to the platform's bin where it has one.
    async fn delete(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError>;

    /// Shows a hidden item again.
    async fn unhide(&self, item: &ItemAddress) -> Result<Receipt, PlatformError>;

    /// Answers an item. `key` is the same for every attempt at the same answer; platforms that
    /// take an idempotency key get it.
    async fn reply(
        &self,
        item: &ItemAddress,
        text: &str,
        key: &str,
    ) -> Result<Receipt, PlatformError>;

    /// Looks for an answer of ours with exactly this text under the item: asked after an attempt
    /// at [`Platform::reply`] of which nobody knows whether it went out.
    async fn find_reply(
        &self,
        item: &ItemAddress,
        text: &str,
        key: &str,
    ) -> Result<Option<Receipt>, PlatformError>;

    /// Reports an item to the platform.
    async fn report(&self, item: &ItemAddress, reason: &str) -> Result<Receipt, PlatformError>;
}
