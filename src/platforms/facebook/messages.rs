//! What people write to a Page in Messenger (`platforms` sheet, section 3.5). Conversations with the public need a
//! right of their own: where it is missing comments are read all the same, and messages by hand. Nothing is answered
//! where somebody else has taken the conversation over.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use crate::domain::item::{Batch, FetchedItem};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::elements::{List, readable};
use crate::platforms::error::PlatformError;
use crate::platforms::facebook::Facebook;
use crate::platforms::graph::Page;
use crate::platforms::graph::messages::{Conversation, FIELDS, Leave, Message, Sent, writer};
use crate::platforms::http::Answer;
use crate::platforms::patience::Part;
use crate::platforms::{Receipt, Sought, html};

const TALK_FIELDS: &str = "id,updated_time,participants,can_reply";

const UNREAD: &str = "En konversation kunde inte läsas. Läs den i sidans inkorg.";

/// How far behind the newest message known a conversation is read.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);

/// In how many pages of conversations one is looked for, and in how many of its messages.
const MOST_SEARCHED: usize = 5;

/// What one page of conversations told.
pub struct Listed {
    /// Those that have moved, the next one last.
    pub talks: Vec<String>,
    /// When the newest moved.
    pub newest: Option<Timestamp>,
    /// The page after it.
    pub next: Option<String>,
}

impl Facebook {
    async fn talks(&self, after: Option<&str>) -> Result<Answer, PlatformError> {
        let mut query = vec![("platform", "messenger"), ("fields", TALK_FIELDS), ("limit", "50")];
        query.extend(after.map(|after| ("after", after)));
        self.graph.get(&format!("{}/conversations", self.page_id), &query).await
    }

    async fn messages_of(&self, talk: &str, after: Option<&str>) -> Result<Answer, PlatformError> {
        let mut query = vec![("fields", FIELDS), ("limit", "50")];
        query.extend(after.map(|after| ("after", after)));
        self.graph.get(&format!("{talk}/messages"), &query).await
    }

    /// One page of conversations, the one that moved last first. Nothing where the Page may not read them, which is
    /// remembered, and tried again by whoever says so.
    pub async fn list_talks(
        &self,
        after: Option<&str>,
        known: Option<Timestamp>,
        batch: &mut Batch,
    ) -> Result<Option<Listed>, PlatformError> {
        let answer = match self.talks(after).await {
            Ok(answer) => answer,
            Err(error @ PlatformError::Forbidden { .. }) => {
                if !self.lacks_messages.swap(true, Ordering::Relaxed) {
                    tracing::info!(error = %error, "the Page may not read its conversations");
                }
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.lacks_messages.store(false, Ordering::Relaxed);
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list =
            List { name: "conversations", shape: "Facebooks beskrivning av en konversation" };
        let until = known.and_then(|at| at.saturating_sub(OVERLAP).ok());
        let (mut newest, mut is_below, mut talks) = (None, false, Vec::new());
        for (talk, _) in list.read::<Conversation>(&page.data, batch) {
            let at = talk.updated_at();
            newest = newest.max(at);
            if matches!((at, until), (Some(at), Some(until)) if at < until) {
                is_below = true;
            } else {
                talks.push(talk.id);
            }
        }
        talks.reverse();
        let next = page.after().filter(|next| !is_below && Some(*next) != after);
        Ok(Some(Listed { talks, newest, next: next.map(str::to_owned) }))
    }

    /// One page of a conversation, the newest first; gives the page after it, where something on that may be new.
    pub async fn read_talk(
        &self,
        talk: &str,
        after: Option<&str>,
        known: Option<Timestamp>,
        batch: &mut Batch,
    ) -> Result<Option<String>, PlatformError> {
        let looked = self.messages_of(talk, after).await;
        let Part::There(answer) = self.patience.part(talk, looked, batch, || UNREAD.into())? else {
            return Ok(None);
        };
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let list = List { name: "messages", shape: "Facebooks beskrivning av ett meddelande" };
        let until = known.and_then(|at| at.saturating_sub(OVERLAP).ok());
        let mut oldest = None;
        for (message, raw) in list.read::<Message>(&page.data, batch) {
            oldest = message.written_at().or(oldest);
            batch.items.push(self.message_item(message, raw));
        }
        let is_below = matches!((oldest, until), (Some(at), Some(until)) if at < until);
        let next = page.after().filter(|next| !is_below && Some(*next) != after);
        Ok(next.map(str::to_owned))
    }

    /// One message.
    async fn message(&self, item: &ItemAddress) -> Result<(Message, Vec<u8>), PlatformError> {
        let answer = self.graph.get(item.platform_id.as_str(), &[("fields", FIELDS)]).await?;
        Ok((answer.object()?, answer.body))
    }

    pub async fn read_message(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        let (message, raw) = self.message(item).await?;
        Ok(self.message_item(message, &raw))
    }

    fn message_item(&self, message: Message, raw: &[u8]) -> FetchedItem {
        let by_us = self.wrote(&message);
        let inbox = format!("https://www.facebook.com/{}/inbox/", self.page_id);
        message.into_item(raw, by_us, inbox)
    }

    /// Whether a message is the Page's own.
    fn wrote(&self, message: &Message) -> bool {
        message.from.as_ref().is_some_and(|from| from.id == self.page_id)
    }

    /// The conversation with a person, where it is found among the newest.
    async fn talk_with(&self, person: &str) -> Result<Option<Conversation>, PlatformError> {
        let mut after: Option<String> = None;
        for _ in 0..MOST_SEARCHED {
            let answer = self.talks(after.as_deref()).await?;
            let text = answer.text();
            let page: Page<'_> = answer.view(&text)?;
            let mut talks = readable::<Conversation>(&page.data).map(|(talk, _)| talk);
            if let Some(talk) = talks.find(|talk| talk.may_have(person)) {
                return Ok(Some(talk));
            }
            let next = page.after().map(str::to_owned);
            if next.is_none() || next == after {
                break;
            }
            after = next;
        }
        Ok(None)
    }

    /// By which leave a person can be answered: by the age of this message, or of a newer one of theirs.
    async fn leave(
        &self,
        written: Option<Timestamp>,
        talk: Option<&Conversation>,
    ) -> Result<Leave, PlatformError> {
        let now = self.graph.http.clock().now();
        let leave = Leave::at(written, now, false);
        let (Err(_), Some(talk)) = (&leave, talk) else { return leave };
        let answer = self.messages_of(&talk.id, None).await?;
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let theirs = readable::<Message>(&page.data).filter(|(one, _)| !self.wrote(one));
        let newest = theirs.filter_map(|(one, _)| one.written_at()).max();
        Leave::at(newest.max(written), now, self.human_agent)
    }

    pub async fn write_to(&self, item: &ItemAddress, text: &str) -> Result<Receipt, PlatformError> {
        let (message, _) = self.message(item).await?;
        let (written, is_ours) = (message.written_at(), self.wrote(&message));
        let to = writer(message, is_ours)?;
        let talk = self.talk_with(&to).await?;
        let leave = self.leave(written, talk.as_ref()).await?;
        // Another app or a colleague has taken it over. After a day the platform says so of every conversation.
        if leave == Leave::Response && talk.and_then(|talk| talk.can_reply) == Some(false) {
            return Err(PlatformError::Refused {
                code: "can_reply".into(),
                reason: "Plattformen tar inte emot svar i konversationen: personen har stängt den, eller en annan inkorg har hand om den. Svara i sidans inkorg om det går.".into(),
            });
        }
        let path = format!("{}/messages", self.page_id);
        let sent: Sent =
            self.graph.post_json(&path, &leave.body(&to, text, true)).await?.object()?;
        Ok(Receipt::Done(sent.message_id))
    }

    /// A message of ours with this text to whoever wrote the item.
    pub async fn own_message(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let (message, _) = self.message(item).await?;
        let is_ours = self.wrote(&message);
        let to = writer(message, is_ours)?;
        let Some(talk) = self.talk_with(&to).await? else { return Ok(None) };
        let wanted = html::folded(sought.text);
        let is_it = |message: &Message| {
            self.wrote(message)
                && html::folded(&message.message) == wanted
                && sought.can_be(&message.id, message.written_at())
        };
        let mut after: Option<String> = None;
        for _ in 0..MOST_SEARCHED {
            let answer = self.messages_of(&talk.id, after.as_deref()).await?;
            let text = answer.text();
            let page: Page<'_> = answer.view(&text)?;
            let mut messages = readable::<Message>(&page.data).map(|(message, _)| message);
            if let Some(ours) = messages.find(is_it) {
                return Ok(Some(ours.id));
            }
            let next = page.after().map(str::to_owned);
            if next.is_none() || next == after {
                break;
            }
            after = next;
        }
        Ok(None)
    }
}
