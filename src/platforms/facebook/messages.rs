//! What people write to a Page in Messenger (`platforms` sheet, section 3.5). Conversations with the public need a
//! right of their own: where it is missing comments are read all the same, and messages by hand. An answer can be
//! sent for 24 hours after the person's last message, and not where somebody else has taken the conversation over.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use crate::domain::action::ActionKind;
use crate::domain::ids::PlatformItemId;
use crate::domain::item::{
    Attachment, Author, Barred, Batch, FetchedItem, ItemKind, Permalink, PermalinkSource, Presence,
};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::elements::{List, readable};
use crate::platforms::error::PlatformError;
use crate::platforms::facebook::Facebook;
use crate::platforms::facebook::wire::Person;
use crate::platforms::graph::{self, Page};
use crate::platforms::http::Answer;
use crate::platforms::patience::Part;
use crate::platforms::{Receipt, Sought, html};

const FIELDS: &str = "id,created_time,from,to,message,attachments";
const TALK_FIELDS: &str = "id,updated_time,participants,can_reply";

const MESSAGE_STAYS: &str = "meddelanden kan varken döljas eller tas bort av sidan";
const UNREAD: &str = "En konversation kunde inte läsas. Läs den i sidans inkorg.";

/// How far behind the newest message known a conversation is read.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);

/// In how many pages of conversations one is looked for, and in how many of its messages.
const MOST_SEARCHED: usize = 5;

/// A conversation, as lists tell of it.
#[derive(Deserialize)]
pub struct Talk {
    id: String,
    #[serde(default)]
    updated_time: Option<String>,
    #[serde(default)]
    participants: Option<People>,
    #[serde(default)]
    can_reply: Option<bool>,
}

#[derive(Deserialize)]
struct People {
    #[serde(default)]
    data: Vec<Person>,
}

#[derive(Deserialize)]
pub struct Message {
    id: String,
    #[serde(default)]
    created_time: Option<String>,
    #[serde(default)]
    from: Option<Person>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    attachments: Option<Attachments>,
}

#[derive(Deserialize)]
struct Attachments {
    #[serde(default)]
    data: Vec<Attached>,
}

#[derive(Deserialize)]
struct Attached {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    mime_type: Option<String>,
    #[serde(default)]
    image_data: Option<Located>,
    #[serde(default)]
    video_data: Option<Located>,
    #[serde(default)]
    file_url: Option<String>,
}

#[derive(Deserialize)]
struct Located {
    #[serde(default)]
    url: Option<String>,
}

#[derive(Deserialize)]
struct Sent {
    message_id: String,
}

impl Talk {
    fn updated_at(&self) -> Option<Timestamp> {
        self.updated_time.as_deref().and_then(graph::time)
    }

    fn has(&self, person: &str) -> bool {
        self.participants.as_ref().is_none_or(|all| all.data.iter().any(|one| one.id == person))
    }
}

impl Message {
    fn written_at(&self) -> Option<Timestamp> {
        self.created_time.as_deref().and_then(graph::time)
    }

    fn is_by(&self, page_id: &str) -> bool {
        self.from.as_ref().is_some_and(|from| from.id == page_id)
    }

    fn into_item(self, raw: &[u8], page_id: &str) -> FetchedItem {
        let (by_us, created_at) = (self.is_by(page_id), self.written_at());
        let id = PlatformItemId::new(self.id);
        let mut item = FetchedItem::new(id, ItemKind::DirectMessage, self.message, raw);
        item.created_at = created_at;
        item.created_raw = self.created_time;
        if let Some(from) = self.from {
            item.author =
                Author { platform_id: Some(from.id), name: from.name, ..Author::default() };
        }
        let url = format!("https://www.facebook.com/{page_id}/inbox/");
        item.permalink = Some(Permalink { url, source: PermalinkSource::Built });
        let attached = self.attachments.map(|all| all.data).unwrap_or_default();
        item.attachments = attached
            .into_iter()
            .map(|one| {
                let is_film = one.video_data.is_some();
                let located = one.image_data.or(one.video_data).and_then(|at| at.url);
                let kind = match &located {
                    Some(_) if is_film => "video",
                    Some(_) => "image",
                    None => "file",
                };
                Attachment {
                    kind: kind.into(),
                    url: located.or(one.file_url),
                    media_type: one.mime_type,
                    // The signed address changes at every reading, this does not.
                    name: one.id,
                }
            })
            .collect();
        item.presence = Presence::Visible;
        item.by_us = by_us;
        let barred = |act| Barred { act, why: MESSAGE_STAYS.into() };
        item.barred = vec![barred(ActionKind::Hide), barred(ActionKind::Delete)];
        item
    }
}

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
        for (talk, _) in list.read::<Talk>(&page.data, batch) {
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
            batch.items.push(message.into_item(raw, &self.page_id));
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
        Ok(message.into_item(&raw, &self.page_id))
    }

    /// Who wrote a message to the Page.
    async fn writer(&self, item: &ItemAddress) -> Result<String, PlatformError> {
        let (message, _) = self.message(item).await?;
        if message.is_by(&self.page_id) {
            return Err(PlatformError::Refused {
                code: "own message".into(),
                reason: "Meddelandet är sidans eget.".into(),
            });
        }
        message.from.map(|from| from.id).ok_or_else(|| PlatformError::Refused {
            code: "no sender".into(),
            reason: "Plattformen lämnar inte ut vem som skrev meddelandet. Svara i sidans inkorg."
                .into(),
        })
    }

    /// The conversation with a person, where it is found among the newest.
    async fn talk_with(&self, person: &str) -> Result<Option<Talk>, PlatformError> {
        let mut after: Option<String> = None;
        for _ in 0..MOST_SEARCHED {
            let answer = self.talks(after.as_deref()).await?;
            let text = answer.text();
            let page: Page<'_> = answer.view(&text)?;
            let mut talks = readable::<Talk>(&page.data).map(|(talk, _)| talk);
            if let Some(talk) = talks.find(|talk| talk.has(person)) {
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

    pub async fn write_to(&self, item: &ItemAddress, text: &str) -> Result<Receipt, PlatformError> {
        let to = self.writer(item).await?;
        let talk = self.talk_with(&to).await?;
        // Another app or a colleague has taken it over, or its time is out.
        if talk.and_then(|talk| talk.can_reply) == Some(false) {
            return Err(PlatformError::Refused {
                code: "can_reply".into(),
                reason: "Plattformen tar inte emot svar i konversationen: tiden (24 timmar) har gått ut, personen har stängt den, eller en annan inkorg har hand om den. Svara i sidans inkorg om det går.".into(),
            });
        }
        let path = format!("{}/messages", self.page_id);
        let body = json!({
            "recipient": {"id": to}, "messaging_type": "RESPONSE", "message": {"text": text},
        });
        let sent: Sent = self.graph.post_json(&path, &body).await?.object()?;
        Ok(Receipt::Done(sent.message_id))
    }

    /// A message of ours with this text to whoever wrote the item.
    pub async fn own_message(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let to = self.writer(item).await?;
        let Some(talk) = self.talk_with(&to).await? else { return Ok(None) };
        let wanted = html::folded(sought.text);
        let is_it = |message: &Message| {
            message.is_by(&self.page_id)
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
