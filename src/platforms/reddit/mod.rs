//! A subreddit that the account moderates, its own posts elsewhere, what is written to it, and the
//! moderators' mail (`platforms` sheet, section 9).
//!
//! To hide is to remove as a moderator, which can be approved again. What its author has taken away
//! is still listed, without text or name. Chats are shown to no program.

mod fetch;
mod session;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;

use crate::domain::account::PlatformKind;
use crate::domain::item::{FetchedItem, ItemKind, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities, Offer};
use crate::platforms::climb::climb;
use crate::platforms::connector::{Answered, Connector, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::grant::Session as _;
use crate::platforms::http::{Answer, BadHttpSettings};
use crate::platforms::limit::{Shares, fingerprint};
use crate::platforms::patience::Patience;
use crate::platforms::settings::RedditSettings;
use crate::platforms::{ConnectionReport, Receipt, Sought, html};
use crate::runtime::clock::Clock;

use fetch::kept_kind;
use session::Calls;
use wire::{
    About, Below, Done, Entry, Listing, Mail, Me, Met, Talk, Thing, mail_id, mail_parts, short,
};

/// How far up a thread is read.
const MOST_ABOVE: usize = 10;

/// The longest reason that a report takes, in characters.
const LONGEST_REASON: usize = 100;

/// What the account must be allowed, and what more with a subreddit.
const RIGHTS: &[&str] = &["identity", "read", "history", "submit", "privatemessages", "report"];
/// Of an account that may come to moderate: what is asked for when it is connected.
pub(super) const ALL_RIGHTS: &[&str] =
    &["identity", "read", "history", "submit", "privatemessages", "report", "modposts", "modmail"];
const RIGHTS_OF_A_MODERATOR: &[&str] = &["modposts", "modmail"];

/// The connector for one account.
pub struct Reddit {
    calls: Calls,
    capabilities: Arc<Capabilities>,
    patience: Patience,
    /// Set once the consent has been seen to be the account's.
    identity: OnceCell<()>,
}

impl Reddit {
    /// A connector for the account.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: RedditSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let mut can = capability::of(PlatformKind::Reddit);
        if settings.subreddit.is_none() {
            let why = "ingen egen subreddit finns i inställningarna; anmäl inlägget, eller skriv till subredditens moderatorer";
            can.hide = Offer::ByHand { why };
            can.unhide = Offer::ByHand { why };
            let condition = "inkorgen; chatt kan inte läsas";
            can.messages = Offer::Conditional { condition };
        }
        Ok(Self {
            calls: Calls::new(settings, clock)?,
            capabilities: Arc::new(can),
            patience: Patience::default(),
            identity: OnceCell::new(),
        })
    }

    fn subreddit(&self) -> Option<&str> {
        self.calls.settings.subreddit.as_deref()
    }

    fn us(&self) -> &str {
        &self.calls.settings.name
    }

    fn met(&self, kind: Option<ItemKind>) -> Met<'_> {
        let site = &self.calls.settings.site;
        Met { us: self.us(), subreddit: self.subreddit(), site, kind }
    }

    async fn ask_identity(&self) -> Result<(), PlatformError> {
        let me: Me = self.calls.get("api/v1/me", &[]).await?.object()?;
        if me.name.eq_ignore_ascii_case(self.us()) {
            return Ok(());
        }
        Err(PlatformError::Forbidden {
            what: "inloggningen hör till ett annat konto än det i inställningarna; anslut kontot på nytt".into(),
        })
    }

    /// A comment, post or private message, with its bytes as received.
    async fn entry(&self, item: &ItemAddress) -> Result<(Entry, Vec<u8>), PlatformError> {
        let name = item.platform_id.as_str();
        let found = if name.starts_with("t4_") {
            let answer = self.calls.get(&format!("message/messages/{}", short(name)), &[]).await?;
            in_conversation(&answer, |entry| entry.name == name)?
        } else {
            self.info(name).await?.into_iter().find(|(entry, _)| entry.name == name)
        };
        match found {
            Some((entry, raw)) if !entry.is_gone() => Ok((entry, raw)),
            Some(_) | None => Err(PlatformError::Gone),
        }
    }

    /// A message in the moderators' mail that is as told.
    async fn mail(
        &self,
        conversation: &str,
        is_it: impl Fn(&Mail) -> bool + Send,
    ) -> Result<Option<FetchedItem>, PlatformError> {
        let answer = self.talk(conversation).await?;
        mail_in(&answer, is_it)
    }
}

/// The newest message of a conversation that is as told.
fn mail_in(
    answer: &Answer,
    is_it: impl Fn(&Mail) -> bool,
) -> Result<Option<FetchedItem>, PlatformError> {
    let text = answer.text();
    let talk: Talk<'_> = answer.view(&text)?;
    let elements: Vec<_> = talk.messages.values().copied().collect();
    let found = readable::<Mail>(&elements).filter(|(mail, _)| is_it(mail));
    Ok(found
        .map(|(mail, raw)| mail.into_item(raw, &talk.conversation))
        .max_by_key(|m| m.created_at))
}

/// A private message, which stands in a list with what was answered below it.
fn in_conversation(
    answer: &Answer,
    is_it: impl Fn(&Entry) -> bool,
) -> Result<Option<(Entry, Vec<u8>)>, PlatformError> {
    let text = answer.text();
    Ok(find(answer.view(&text)?, is_it))
}

/// An entry that is as told, in a list or below what stands there.
fn find(list: Listing<'_>, is_it: impl Fn(&Entry) -> bool) -> Option<(Entry, Vec<u8>)> {
    let mut stack = list.data.children;
    while let Some(element) = stack.pop() {
        let Ok(thing) = serde_json::from_str::<Thing<'_>>(element.get()) else { continue };
        if let Ok(entry) = serde_json::from_str::<Entry>(thing.data.get())
            && is_it(&entry)
        {
            return Some((entry, element.get().as_bytes().to_vec()));
        }
        stack.extend(replies(thing.data));
    }
    None
}

/// What stands directly below an entry.
fn replies(data: &RawValue) -> Vec<&RawValue> {
    let below = serde_json::from_str::<Below<'_>>(data.get()).ok();
    let listing = below.and_then(|below| below.replies);
    let listing = listing.and_then(|raw| serde_json::from_str::<Listing<'_>>(raw.get()).ok());
    listing.map(|listing| listing.data.children).unwrap_or_default()
}

#[async_trait]
impl Connector for Reddit {
    const KIND: PlatformKind = PlatformKind::Reddit;

    fn clock(&self) -> &Clock {
        self.calls.http.clock()
    }

    fn shares(&self) -> Shares {
        let settings = &self.calls.settings;
        Shares {
            app: format!("reddit {}", settings.client_id),
            token: Some(fingerprint(&settings.refresh_token)),
        }
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        self.ask_identity().await?;
        let access = self.calls.access(None).await?;
        let mut missing = access.lacks(RIGHTS);
        if let Some(sub) = self.subreddit() {
            missing.extend(access.lacks(RIGHTS_OF_A_MODERATOR));
            let about: About = self.calls.get(&format!("r/{sub}/about"), &[]).await?.object()?;
            if about.data.user_is_moderator == Some(false) {
                missing.push(format!(
                    "kontot är inte moderator i r/{sub}: be en moderator lägga till det, med rätten posts"
                ));
            }
        }
        let acting_as = format!("u/{}", self.us());
        Ok(ConnectionReport { acting_as, missing, expires_at: access.ends })
    }

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        self.identity.get_or_try_init(|| self.ask_identity()).await?;
        self.calls.allowance.may_read_on(self.clock().now())
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        if let Some((conversation, message)) = mail_parts(item.platform_id.as_str()) {
            let found = self.mail(conversation, |mail| mail.id == message).await?;
            return found.ok_or(PlatformError::Gone);
        }
        let (entry, raw) = self.entry(item).await?;
        Ok(entry.into_item(&raw, self.met(kept_kind(item.kind))))
    }

    async fn read_several(&self, items: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        let can = |item: &&ItemAddress| {
            ["t1_", "t3_"].iter().any(|kind| item.platform_id.as_str().starts_with(kind))
        };
        let names: Vec<_> =
            items.iter().filter(can).map(|item| item.platform_id.as_str()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let there = self.info(&names.join(",")).await?.into_iter();
        let found = there.filter(|(entry, _)| !entry.is_gone()).filter_map(|(entry, raw)| {
            let of = items.iter().find(|item| item.platform_id.as_str() == entry.name)?;
            Some(entry.into_item(&raw, self.met(kept_kind(of.kind))))
        });
        Ok(found.collect())
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let mut thread = Thread::default();
        if item.kind == ItemKind::DirectMessage {
            thread.missing =
                Some("övriga meddelanden i konversationen läses på plattformen".into());
            return Ok(thread);
        }
        if let Some(post) = &item.post_id {
            let found = self.info(post.as_str()).await?.into_iter().next();
            match found.filter(|(post, _)| !post.is_gone()) {
                Some((post, _)) => {
                    thread.post = Some(post.into_post(&self.calls.settings.site));
                }
                None => thread.missing = Some("inlägget är borttaget".into()),
            }
        }
        let gone = "en kommentar ovanför är borttagen";
        let climbed = climb(item.parent_id.clone(), MOST_ABOVE, gone, async |id| {
            let address = ItemAddress { platform_id: id, parent_id: None, ..item.clone() };
            let above = self.read(&address).await?;
            let next = above.parent_id.clone();
            Ok((above, next))
        });
        let climbed = climbed.await?;
        thread.above = climbed.above;
        thread.missing = climbed.missing.or(thread.missing);
        Ok(thread)
    }

    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError> {
        let id = item.platform_id.as_str();
        // Both are answered with nothing: what became of it is looked at.
        match wanted {
            Wanted::Hidden => {
                self.calls.post("api/remove", &[("id", id), ("spam", "false")]).await?
            }
            Wanted::Visible => self.calls.post("api/approve", &[("id", id)]).await?,
            Wanted::Away => return PlatformError::not_offered("delete"),
        };
        Ok(Answered::Success)
    }

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        let id = item.platform_id.as_str();
        if let Some((conversation, _)) = mail_parts(id) {
            let form = [("body", text), ("isAuthorHidden", "false"), ("isInternal", "false")];
            let path = format!("api/mod/conversations/{conversation}");
            let answer = self.calls.post(&path, &form).await?;
            let wanted = html::folded(text);
            let written = mail_in(&answer, |mail| html::folded(mail.text()) == wanted)?;
            // The answer is there, under whatever id: the platform has said yes.
            let id = written.map_or_else(
                || mail_id(conversation, "ny"),
                |mail| mail.platform_id.as_str().to_owned(),
            );
            return Ok(Receipt::Done(id));
        }
        let form = [("api_type", "json"), ("thing_id", id), ("text", text)];
        let answer = self.calls.post("api/comment", &form).await?;
        let body = answer.text();
        let done: Done<'_> = answer.view(&body)?;
        let written = done.json.data.things.first().and_then(|thing| {
            let thing: Thing<'_> = serde_json::from_str(thing.get()).ok()?;
            serde_json::from_str::<Entry>(thing.data.get()).ok()
        });
        match written {
            Some(written) if written.parent_id.as_deref().is_none_or(|parent| parent == id) => {
                Ok(Receipt::Done(written.name))
            }
            Some(_) | None => Err(PlatformError::Contract {
                detail: "the answer stands in another place, or was not told".into(),
            }),
        }
    }

    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let (id, wanted) = (item.platform_id.as_str(), html::folded(sought.text));
        if let Some((conversation, _)) = mail_parts(id) {
            let is_it = |mail: &Mail| {
                mail.is_by(self.us())
                    && html::folded(mail.text()) == wanted
                    && sought.can_be(&mail_id(conversation, &mail.id), mail.written_at())
            };
            let found = self.mail(conversation, is_it).await?;
            return Ok(found.map(|mail| mail.platform_id.as_str().to_owned()));
        }
        let is_it = |entry: &Entry| {
            entry.parent_id.as_deref() == Some(id)
                && entry.is_by(self.us())
                && html::folded(&entry.text()) == wanted
                && sought.can_be(&entry.name, entry.written_at())
        };
        if id.starts_with("t4_") {
            let answer = self.calls.get(&format!("message/messages/{}", short(id)), &[]).await?;
            return Ok(in_conversation(&answer, is_it)?.map(|(entry, _)| entry.name));
        }
        let (post, below) = match &item.post_id {
            Some(post) if !id.starts_with("t3_") => (post.as_str(), Some(id)),
            Some(_) | None => (id, None),
        };
        let answer = self.tree(short(post), below).await?;
        let body = answer.text();
        let (_, tree): (Listing<'_>, Listing<'_>) = answer.view(&body)?;
        Ok(find(tree, is_it).map(|(entry, _)| entry.name))
    }

    async fn accuse(&self, item: &ItemAddress, reason: &str) -> Result<Receipt, PlatformError> {
        let reason: String = reason.chars().take(LONGEST_REASON).collect();
        let id = item.platform_id.as_str();
        let form = [("api_type", "json"), ("thing_id", id), ("reason", reason.as_str())];
        self.calls.post("api/report", &form).await?;
        Ok(Receipt::Done("reported".into()))
    }
}
