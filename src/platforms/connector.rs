//! The frame around every platform that can be asked: what a connector has to tell of its
//! platform, and what follows from that for all of them alike.
//!
//! A connector says how its platform is spoken to; here stands, once, what is made of it. A walk
//! begins at the stored position and moves it. A verb that the capability record denies is refused
//! before anything is called. An act that changes visibility is a look, a call and a look again
//! (`platforms` sheet, section 1.9): what was so already is told apart from what we did, and an
//! answer that the second look contradicts is a failure. What a call for many items does not tell
//! of is read alone before it is called gone.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::account::PlatformKind;
use crate::domain::action::ActionKind;
use crate::domain::ids::Cursor;
use crate::domain::item::{
    Barred, Batch, FetchedItem, ItemKind, LiveReading, Presence, Thread, Walk,
};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::{Capabilities, Offer};
use crate::platforms::error::PlatformError;
use crate::platforms::http::heard::listening;
use crate::platforms::limit::Shares;
use crate::platforms::push::{Callback, Subscribed};
use crate::platforms::{ConnectionReport, Platform, Receipt, Sought, position};
use crate::runtime::clock::Clock;

/// So many readings in a row may fail by what may pass before the rest is left for another time.
const MOST_IN_A_ROW: u32 = 3;

/// What an act is to bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Hidden,
    Visible,
    Away,
}

/// A small position is stored at every step. A large one at the first step of a walk, at each so many,
/// and at the end: whoever dies between reads those steps again, which changes nothing.
const STORED_EVERY: u32 = 10;
const SMALL_BYTES: usize = 16_000;

/// A walk between two steps, in memory alone.
#[derive(Serialize, Deserialize)]
struct InHand<S, P> {
    step: S,
    position: P,
    /// Steps since the position was stored.
    unstored: u32,
}

/// How an item stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub presence: Presence,
    /// The platform's own word for it.
    pub word: String,
    /// What the platform will not do with this very item.
    pub barred: Vec<Bar>,
}

impl Standing {
    /// From what an item says of itself.
    pub fn new(presence: Presence, barred: Vec<Barred>) -> Self {
        let barred = barred.into_iter().filter_map(|Barred { act, why }| {
            let wanted = Wanted::of(act)?;
            Some(Bar { wanted, code: "barred".into(), reason: why })
        });
        Self { presence, word: presence.id().to_owned(), barred: barred.collect() }
    }
}

/// A change that the platform will not make.
#[derive(Clone, Debug)]
pub struct Bar {
    pub wanted: Wanted,
    /// The platform's code.
    pub code: String,
    /// Why and what to do, in Swedish.
    pub reason: String,
}

/// What a call that changes something was answered with.
#[derive(Clone, Debug)]
pub enum Answered {
    /// With success: how the item stands now has to be looked at.
    Success,
    /// With how the item stands now.
    Now(Standing),
    /// It stood so before the call came.
    Before(Standing),
}

/// How a platform's lists are read: a walk in steps, from what was remembered.
#[async_trait]
pub trait Walks: Send + Sync {
    /// What is remembered between fetches.
    type Position: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync;

    /// Where a walk stands.
    type Step: Serialize + DeserializeOwned + Send + Sync;

    /// Where a walk from this position begins.
    fn begin(&self, from: &Self::Position, now: Timestamp) -> Self::Step;

    /// Takes one step: fills the batch, moves the position, and gives the step after it, or `None`
    /// at the end of the walk.
    async fn step(
        &self,
        step: Self::Step,
        position: &mut Self::Position,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Self::Step>, PlatformError>;
}

/// One account on one platform, as its connector knows it. Every connector is a [`Platform`].
#[async_trait]
pub trait Connector: Walks + 'static {
    /// Which platform.
    const KIND: PlatformKind;

    fn clock(&self) -> &Clock;

    /// What it has in common with other accounts.
    fn shares(&self) -> Shares {
        Shares::alone(Self::KIND)
    }

    fn capabilities(&self) -> Arc<Capabilities>;

    async fn check(&self) -> Result<ConnectionReport, PlatformError>;

    /// What the account says of itself: nothing where the platform does not tell.
    async fn description(&self) -> Result<Option<String>, PlatformError> {
        Ok(None)
    }

    /// Whether reading in the background may go on: that we are who we should be, and that enough
    /// of the platform's limit is left to editors.
    async fn may_read_on(&self) -> Result<(), PlatformError>;

    /// One item as it stands. [`PlatformError::Gone`] only where that is certain.
    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError>;

    /// The same where an item may also be there and not be shown to us.
    async fn look(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        match self.read(item).await {
            Ok(item) => Ok(LiveReading::Present(Box::new(item))),
            Err(PlatformError::Gone) => Ok(LiveReading::Gone),
            Err(error) => Err(error),
        }
    }

    /// Those of at most [`Capabilities::read_batch`] items that one call tells of; the rest is
    /// read one by one.
    async fn read_several(&self, _: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        Ok(Vec::new())
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError>;

    /// How an item stands.
    async fn standing(&self, item: &ItemAddress) -> Result<Standing, PlatformError> {
        let FetchedItem { presence, barred, .. } = self.read(item).await?;
        Ok(Standing::new(presence, barred))
    }

    /// Has the platform make the change. Called only for what the capability record offers.
    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError>;

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        key: &str,
    ) -> Result<Receipt, PlatformError>;

    /// The id of an answer of ours directly under the item that has the text and that
    /// [`Sought::can_be`] the one sought.
    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError>;

    /// As [`Platform::subscribe`].
    async fn subscribe(&self, _: &Callback) -> Result<Subscribed, PlatformError> {
        Ok(Subscribed::ByHand)
    }

    /// Called only where the capability record offers it.
    async fn accuse(&self, _: &ItemAddress, _reason: &str) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("report")
    }
}

impl Wanted {
    const fn of(act: ActionKind) -> Option<Self> {
        match act {
            ActionKind::Hide => Some(Self::Hidden),
            ActionKind::Unhide => Some(Self::Visible),
            ActionKind::Delete => Some(Self::Away),
            ActionKind::Reply | ActionKind::Report | ActionKind::Register | ActionKind::Forward => {
                None
            }
        }
    }

    const fn verb(self) -> &'static str {
        match self {
            Self::Hidden => "hide",
            Self::Visible => "unhide",
            Self::Away => "delete",
        }
    }

    const fn offer(self, can: &Capabilities) -> &Offer {
        match self {
            Self::Hidden => &can.hide,
            Self::Visible => &can.unhide,
            Self::Away => &can.delete,
        }
    }

    /// Whether this is what was to be brought about.
    const fn is(self, presence: Presence) -> bool {
        match self {
            Self::Hidden => matches!(presence, Presence::Hidden),
            Self::Visible => matches!(presence, Presence::Visible),
            Self::Away => matches!(presence, Presence::Binned | Presence::Gone),
        }
    }

    /// Whether nothing is left to do. Hiding what lies in the bin would bring it back from there.
    const fn needs_nothing(self, presence: Presence) -> bool {
        self.is(presence) || matches!((self, presence), (Self::Hidden, Presence::Binned))
    }
}

/// Refuses a verb that the record denies.
fn offered(offer: &Offer, verb: &'static str) -> Result<(), PlatformError> {
    if offer.is_native() { Ok(()) } else { PlatformError::not_offered(verb) }
}

/// Looks, calls, and looks again.
async fn act<C: Connector>(
    connector: &C,
    item: &ItemAddress,
    wanted: Wanted,
) -> Result<Receipt, PlatformError> {
    offered(wanted.offer(&Connector::capabilities(connector)), wanted.verb())?;
    // Deleting twice is told apart by the answer alone, so it costs no look before.
    if wanted != Wanted::Away {
        let now = connector.standing(item).await?;
        if now.presence == Presence::Gone {
            return Err(PlatformError::Gone);
        }
        if wanted.needs_nothing(now.presence) {
            return Ok(Receipt::AlreadySo(now.word));
        }
        if let Some(bar) = now.barred.into_iter().find(|bar| bar.wanted == wanted) {
            return Err(PlatformError::Refused { code: bar.code, reason: bar.reason });
        }
    }
    let now = match connector.change(item, wanted).await? {
        Answered::Before(then) => return Ok(Receipt::AlreadySo(then.word)),
        Answered::Now(now) => now,
        Answered::Success => match connector.standing(item).await {
            Ok(now) => now,
            Err(PlatformError::Gone) if wanted == Wanted::Away => {
                return Ok(Receipt::Done("deleted".into()));
            }
            Err(error) => return Err(error.after_the_act()),
        },
    };
    if wanted.is(now.presence) {
        return Ok(Receipt::Done(now.word));
    }
    Err(PlatformError::Contract {
        detail: format!("{} was answered with success and is not so", wanted.verb()),
    })
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<C: Connector> Platform for C {
    fn kind(&self) -> PlatformKind {
        C::KIND
    }

    fn shares(&self) -> Shares {
        Connector::shares(self)
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Connector::capabilities(self)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        Connector::check(self).await
    }

    async fn description(&self) -> Result<Option<String>, PlatformError> {
        Connector::description(self).await
    }

    async fn fetch(
        &self,
        cursor: Option<&Cursor>,
        walk: Option<&Walk>,
    ) -> Result<Batch, PlatformError> {
        self.may_read_on().await?;
        let now = self.clock().now();
        let from: C::Position = position::read(C::KIND.id(), cursor);
        let InHand { step, mut position, unstored } = match walk {
            Some(walk) => position::step(walk)?,
            None => {
                let step = self.begin(&from, now);
                InHand { step, position: from.clone(), unstored: STORED_EVERY }
            }
        };
        let mut batch = Batch::default();
        let (next, heard) = listening(self.step(step, &mut position, &mut batch, now)).await;
        let next = next?;
        heard.tell(batch.items.iter_mut());
        // Each is written anew as a whole.
        let text = position::write(&position);
        let is_due = text.len() < SMALL_BYTES || unstored + 1 >= STORED_EVERY;
        let is_stored = next.is_none() || is_due;
        batch.next = (is_stored && position != from).then(|| Cursor::new(text));
        batch.walk = next.map(|step| {
            let unstored = if is_stored { 0 } else { unstored + 1 };
            Walk::new(position::write(&InHand { step, position, unstored }))
        });
        Ok(batch)
    }

    async fn read_live(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        let (read, heard) = listening(self.look(item)).await;
        let mut read = read?;
        if let LiveReading::Present(item) = &mut read {
            heard.tell(std::iter::once(&mut **item));
        }
        Ok(read)
    }

    async fn read_live_many(
        &self,
        items: &[ItemAddress],
    ) -> Result<Vec<Result<LiveReading, PlatformError>>, PlatformError> {
        // Editors come first.
        self.may_read_on().await?;
        let mut readings = Vec::with_capacity(items.len());
        let mut failed_in_a_row = 0;
        for chunk in items.chunks(Connector::capabilities(self).read_batch.max(1)) {
            let (found, heard) = listening(self.read_several(chunk)).await;
            let found = match found {
                Ok(mut found) => {
                    heard.tell(found.iter_mut());
                    found
                }
                Err(error) if error.concerns_the_account() => return Err(error),
                // One that cannot be read has spoilt the answer for all, also where the error says
                // that it may pass: each is read alone.
                Err(error) => {
                    tracing::info!(error = %error, "a group is read one by one");
                    Vec::new()
                }
            };
            let found = found.into_iter();
            let found: HashMap<_, _> = found.map(|item| (item.platform_id.clone(), item)).collect();
            for item in chunk {
                readings.push(match found.get(&item.platform_id) {
                    Some(found) => Ok(LiveReading::Present(Box::new(found.clone()))),
                    // Lists leave out more than what is gone.
                    None => match self.read_live(item).await {
                        Err(error) if error.concerns_the_account() => return Err(error),
                        // The platform is ill, and not one item: it is left alone.
                        Err(error) if error.may_pass() && failed_in_a_row >= MOST_IN_A_ROW => {
                            return Err(error);
                        }
                        Err(error) => {
                            failed_in_a_row += u32::from(error.may_pass());
                            Err(error)
                        }
                        Ok(read) => {
                            failed_in_a_row = 0;
                            Ok(read)
                        }
                    },
                });
            }
        }
        Ok(readings)
    }

    async fn read_thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        self.thread(item).await
    }

    async fn hide(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        act(self, warrant.item(), Wanted::Hidden).await
    }

    async fn delete(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        act(self, warrant.item(), Wanted::Away).await
    }

    async fn unhide(&self, item: &ItemAddress) -> Result<Receipt, PlatformError> {
        act(self, item, Wanted::Visible).await
    }

    async fn reply(
        &self,
        item: &ItemAddress,
        text: &str,
        key: &str,
    ) -> Result<Receipt, PlatformError> {
        let can = Connector::capabilities(self);
        let offer = match item.kind {
            ItemKind::DirectMessage => &can.reply_message,
            ItemKind::Comment
            | ItemKind::Reply
            | ItemKind::PostByOther
            | ItemKind::Mention
            | ItemKind::Review => &can.reply_comment,
        };
        offered(offer, "reply")?;
        self.answer(item, text, key).await
    }

    async fn find_reply(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<Receipt>, PlatformError> {
        match self.own_answer(item, sought).await {
            Ok(found) => Ok(found.map(Receipt::AlreadySo)),
            // Under what is gone nothing is shown any more.
            Err(PlatformError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn report(&self, item: &ItemAddress, reason: &str) -> Result<Receipt, PlatformError> {
        offered(&Connector::capabilities(self).report, "report")?;
        self.accuse(item, reason).await
    }

    async fn subscribe(&self, callback: &Callback) -> Result<Subscribed, PlatformError> {
        Connector::subscribe(self, callback).await
    }
}

#[cfg(test)]
mod tests;
