//! Many platforms, one face.
//!
//! A connector knows its platform's shapes and nothing of the store: it turns answers into
//! [`FetchedItem`]s and every failure into one [`PlatformError`]. Rate limits, recording and
//! faults are wrappers around the same trait.
//!
//! The removing calls take a [`RemovalWarrant`] by value: that is the only thing a connector may
//! name of the evidence layer, and it cannot make one.
//!
//! # Why the trait looks as it does
//!
//! It was laid against all fourteen platforms of the sheet:
//!
//! - **Fetching is a walk in steps.** Some platforms go forward from an id or a time (WordPress,
//!   Mastodon, own sites), others list newest first without any filter (Instagram, YouTube, X
//!   messages). The latter may move the durable cursor only when a walk has ended, and their page
//!   tokens must not be stored: hence a stored [`Cursor`] and an unstored [`Walk`].
//! - **Comments, mentions and messages come out of one `fetch`**, told apart by their kind, since
//!   several platforms mix them in one list (Mastodon, Reddit) and one credential pays for all.
//!   Which kinds come is in [`Capabilities`].
//! - **Edits and deletions are mostly silent**, so known items are read again: one by one before
//!   an act, in batches of [`Capabilities::read_batch`] while a case is open.
//! - **What can be done differs by item, not only by account** (Facebook's `can_hide`): the item
//!   says so in `barred`. And an account may learn by trying (LinkedIn, Flickr), so
//!   [`Platform::capabilities`] is asked anew each time.
//! - **Credentials that run out** are the connector's own matter: Bluesky renews its pair by itself,
//!   and as its app password is never spent, a lost pair costs a login and nothing else. Access tokens
//!   that come out of a consent are renewed in `grant`; where each renewal spends the consent, the new
//!   pair is written down before it is used.
//! - **Pushes** reach one address per app or per account and are hints at best, so they are a
//!   trait of their own, [`push::PushSource`]; only own sites push whole items.
//!
//! What follows from that for every platform that can be asked stands once, in `connector`.
//!
//! [`FetchedItem`]: crate::domain::item::FetchedItem

mod allowance;
pub mod authorize;
pub mod beside;
pub mod bluesky;
pub mod capability;
mod climb;
pub mod conformance;
mod connector;
mod elements;
pub mod error;
pub mod facebook;
pub mod flickr;
pub mod forum;
mod grant;
mod graph;
pub mod hooks;
pub mod html;
pub mod http;
pub mod instagram;
mod json;
pub mod limit;
pub mod linkedin;
pub mod manual;
pub mod mastodon;
mod newest;
mod patience;
mod position;
pub mod push;
mod reach;
pub mod reddit;
pub mod settings;
pub mod simulate;
#[cfg(test)]
mod testing;
mod threads;
pub mod tiktok;
pub mod usage;
pub mod wordpress;
pub mod x;
pub mod youtube;

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::account::PlatformKind;
use crate::domain::ids::Cursor;
use crate::domain::item::{Batch, LiveReading, Thread, Walk};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::runtime::clock::Clock;

use capability::Capabilities;
use error::PlatformError;
use limit::Shares;
use push::{Callback, Subscribed};
use settings::AccountSettings;

/// What came back from an act that worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The platform did it now. Holds the platform's word for the new state or object: a status,
    /// the id of the answer.
    Done(String),
    /// It was so already.
    AlreadySo(String),
}

/// An answer of ours that may have gone out, and what tells it from others with the same words: the
/// same thanks are given many times in one conversation.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// Its words.
    pub text: &'a str,
    /// As in [`Platform::reply`].
    pub key: &'a str,
    /// What was written before this is another. [`Timestamp::MIN`] where any time will do.
    pub since: Timestamp,
    /// What the account's other answers are known by.
    pub others: &'a [String],
}

impl<'a> Sought<'a> {
    /// Any with these words, whenever it was written.
    pub const fn ever(text: &'a str, key: &'a str) -> Self {
        Self { text, key, since: Timestamp::MIN, others: &[] }
    }

    /// Whether what has these words can be it. What has no time can be anything.
    pub fn can_be(&self, id: &str, written: Option<Timestamp>) -> bool {
        let is_late = self.since == Timestamp::MIN || written.is_some_and(|at| at >= self.since);
        is_late && !self.others.iter().any(|other| other == id)
    }
}

/// Who the platform takes us for, and what we may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionReport {
    /// The name or id the platform knows us by.
    pub acting_as: String,
    /// What is missing for full service, in Swedish; empty when all is well.
    pub missing: Vec<String>,
    /// When the credential runs out, where it does.
    pub expires_at: Option<Timestamp>,
}

/// One account on one platform, ready to be asked.
///
/// Every method maps every answer to a value or a [`PlatformError`]; none retries by itself, none
/// emulates one verb with another, none logs content. A verb that the capability record denies
/// gives [`PlatformError::NotOffered`].
#[async_trait]
pub trait Platform: Send + Sync + 'static {
    /// Which platform.
    fn kind(&self) -> PlatformKind;

    /// What it has in common with other accounts, which are limited together with it.
    fn shares(&self) -> Shares {
        Shares::alone(self.kind())
    }

    /// What this account can do, as far as it is known now.
    fn capabilities(&self) -> Arc<Capabilities>;

    /// Asks the platform who we are and what we may do, for `doctor` and the health page.
    async fn check(&self) -> Result<ConnectionReport, PlatformError>;

    /// What the account says of itself to whoever looks at it (*presentation*): nothing where the platform does
    /// not tell.
    async fn description(&self) -> Result<Option<String>, PlatformError> {
        Ok(None)
    }

    /// Fetches one step: on with `walk` where one is in hand, otherwise anew from `cursor` (the
    /// beginning where there is none), with enough overlap that late and edited items come again.
    /// Whoever stores the batch moves the cursor, and hands the batch's walk to the next call.
    async fn fetch(
        &self,
        cursor: Option<&Cursor>,
        walk: Option<&Walk>,
    ) -> Result<Batch, PlatformError>;

    /// Reads one item as it stands now. An item that is there but hidden or binned is *present*.
    async fn read_live(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError>;

    /// Reads at most [`Capabilities::read_batch`] items as they stand now: the answers stand in
    /// the order of the questions, and one that cannot be read spoils none of the others. Costs one
    /// call where the platform has such a call.
    ///
    /// # Errors
    /// What concerns the whole account, or the call for all of them.
    async fn read_live_many(
        &self,
        items: &[ItemAddress],
    ) -> Result<Vec<Result<LiveReading, PlatformError>>, PlatformError>;

    /// Reads what stands above an item, for evidence where the store has not seen all of it.
    async fn read_thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError>;

    /// Hides an item. [`PlatformError::Gone`] where there is nothing left to hide.
    async fn hide(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError>;

    /// Deletes an item, to the platform's bin where it has one. [`PlatformError::Gone`] where
    /// there is nothing left to delete.
    async fn delete(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError>;

    /// Shows a hidden item again.
    async fn unhide(&self, item: &ItemAddress) -> Result<Receipt, PlatformError>;

    /// Answers an item. `key` is the same for every attempt at the same answer; platforms that
    /// take an idempotency key or let us choose the identity get it.
    async fn reply(
        &self,
        item: &ItemAddress,
        text: &str,
        key: &str,
    ) -> Result<Receipt, PlatformError>;

    /// Looks for an answer of ours under the item: asked after an attempt at [`Platform::reply`] of
    /// which nobody knows whether it went out.
    async fn find_reply(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<Receipt>, PlatformError>;

    /// Reports an item to the platform.
    async fn report(&self, item: &ItemAddress, reason: &str) -> Result<Receipt, PlatformError>;

    /// Has the platform push to an address of ours, or makes sure that it does: asked for again each day, since a
    /// subscription may end without a word. Costs a call or three.
    async fn subscribe(&self, _: &Callback) -> Result<Subscribed, PlatformError> {
        Ok(Subscribed::ByHand)
    }
}

/// What a mutex holds. Nothing here panics half-way through a change, so a poisoned one is whole.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The connector for an account. Wrap it in [`limit::Limited`] before use.
///
/// # Errors
/// [`http::BadHttpSettings`], each with its mend.
pub fn connect(
    settings: AccountSettings,
    clock: Clock,
) -> Result<Arc<dyn Platform>, http::BadHttpSettings> {
    Ok(match settings {
        AccountSettings::WordPress(settings) => {
            Arc::new(wordpress::WordPress::new(settings, clock)?)
        }
        AccountSettings::Facebook(settings) => Arc::new(facebook::Facebook::new(settings, clock)?),
        AccountSettings::Mastodon(settings) => Arc::new(mastodon::Mastodon::new(settings, clock)?),
        AccountSettings::Bluesky(settings) => Arc::new(bluesky::Bluesky::new(settings, clock)?),
        AccountSettings::Instagram(settings) => {
            Arc::new(instagram::Instagram::new(settings, clock)?)
        }
        AccountSettings::LinkedIn(settings) => Arc::new(linkedin::LinkedIn::new(settings, clock)?),
        AccountSettings::X(settings) => Arc::new(x::X::new(settings, clock)?),
        AccountSettings::TikTok(settings) => Arc::new(tiktok::TikTok::new(settings, clock)?),
        AccountSettings::Reddit(settings) => Arc::new(reddit::Reddit::new(settings, clock)?),
        AccountSettings::YouTube(settings) => Arc::new(youtube::YouTube::new(settings, clock)?),
        AccountSettings::Flickr(settings) => Arc::new(flickr::Flickr::new(settings, clock)?),
        AccountSettings::OwnSite(settings) => Arc::new(forum::OwnSite::new(settings, clock)?),
    })
}
