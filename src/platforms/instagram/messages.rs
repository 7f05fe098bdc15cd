//! Messages to the account (`platforms` sheet, section 4.5). Only the twenty newest of a
//! conversation can be read; an older one is answered as if it had been deleted.

use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::domain::item::{Batch, FetchedItem};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::elements::{List, readable};
use crate::platforms::error::PlatformError;
use crate::platforms::graph::Page;
use crate::platforms::graph::messages::{Conversation, FIELDS, Leave, Message, Sent, writer};
use crate::platforms::html;
use crate::platforms::http::Answer;
use crate::platforms::instagram::Instagram;
use crate::platforms::instagram::wire::{Talk, Us};
use crate::platforms::patience::Part;
use crate::platforms::settings::InstagramLogin;
use crate::platforms::{Receipt, Sought};

const INBOX: &str = "https://www.instagram.com/direct/inbox/";

/// What is missing where a conversation is not given.
const UNREAD: &str = "En konversation kunde inte läsas. Läs den på plattformen.";

/// In how many conversations an answer of ours is looked for.
const MOST_SEARCHED: usize = 10;

/// Whether a message is the account's own.
fn is_by(message: &Message, us: Us<'_>) -> bool {
    let from = message.from.as_ref();
    us.is(from.map(|from| from.id.as_str()), from.and_then(|from| from.username.as_deref()))
}

/// A message as an item. Where people read and write messages; single ones have no link.
pub fn message_item(message: Message, raw: &[u8], us: Us<'_>) -> FetchedItem {
    let by_us = is_by(&message, us);
    message.into_item(raw, by_us, INBOX.into())
}

impl Instagram {
    pub fn reads_messages(&self) -> bool {
        self.capabilities.messages.is_native()
    }

    /// Whose conversations they are: by way of the Page they are the Page's.
    fn owner(&self) -> &str {
        match &self.login {
            InstagramLogin::Page { page_id } => page_id.as_deref().unwrap_or(&self.ig_id),
            InstagramLogin::Own => "me",
        }
    }

    /// One page of conversations, the one that moved last first.
    pub async fn conversations(&self, after: Option<&str>) -> Result<Answer, PlatformError> {
        let mut query = vec![
            ("platform", "instagram"),
            ("fields", "id,updated_time,participants"),
            ("limit", "50"),
        ];
        query.extend(after.map(|after| ("after", after)));
        self.graph.get(&format!("{}/conversations", self.owner()), &query).await
    }

    /// A conversation with its messages: as fields of it, or where that is not taken by their own edge (`platforms`
    /// sheet, sections 4.5 and 4.7, which know both and vouch for neither).
    async fn talk(&self, id: &str) -> Result<Answer, PlatformError> {
        if !self.by_edge.load(Ordering::Relaxed) {
            let fields = format!("messages{{{FIELDS}}}");
            match self.graph.get(id, &[("fields", &fields)]).await {
                Err(PlatformError::Contract { .. }) => {}
                answer => return answer,
            }
        }
        let query = [("fields", FIELDS), ("limit", "20")];
        let answer = self.graph.get(&format!("{id}/messages"), &query).await?;
        self.by_edge.store(true, Ordering::Relaxed);
        Ok(answer)
    }

    /// The messages of a conversation that can be read.
    pub async fn read_talk(&self, id: &str, batch: &mut Batch) -> Result<(), PlatformError> {
        let looked = self.talk(id).await;
        let Part::There(answer) = self.patience.part(id, looked, batch, || UNREAD.into())? else {
            return Ok(());
        };
        let us = self.us().await?;
        let text = answer.text();
        let talk: Talk<'_> = answer.view(&text)?;
        let list = List { name: "messages", shape: "Instagrams beskrivning av ett meddelande" };
        for (message, raw) in list.read::<Message>(&talk.elements(), batch) {
            batch.items.push(message_item(message, raw, us));
        }
        Ok(())
    }

    /// One message, with the answer as received.
    pub async fn message(&self, item: &ItemAddress) -> Result<(Message, Vec<u8>), PlatformError> {
        let fields = [("fields", FIELDS)];
        let answer = self.graph.get(item.platform_id.as_str(), &fields).await?;
        Ok((answer.object()?, answer.body))
    }

    /// By which leave a person can be answered: by the age of this message, or of a newer one of theirs.
    async fn leave(&self, written: Option<Timestamp>, to: &str) -> Result<Leave, PlatformError> {
        let now = self.graph.http.clock().now();
        let leave = Leave::at(written, now, false);
        if leave.is_ok() {
            return leave;
        }
        let us = self.us().await?;
        let mut newest = written;
        for talk in self.talks_with(to).await? {
            let answer = self.talk(&talk).await?;
            let body = answer.text();
            let told: Talk<'_> = answer.view(&body)?;
            let messages = told.elements();
            let theirs = readable::<Message>(&messages).filter(|(one, _)| !is_by(one, us));
            newest = theirs.filter_map(|(one, _)| one.written_at()).max().max(newest);
        }
        Leave::at(newest, now, self.human_agent)
    }

    pub async fn write_to(&self, item: &ItemAddress, text: &str) -> Result<Receipt, PlatformError> {
        let (message, _) = self.message(item).await?;
        let (written, is_ours) = (message.written_at(), is_by(&message, self.us().await?));
        let to = writer(message, is_ours)?;
        let leave = self.leave(written, &to).await?;
        let path = match &self.login {
            InstagramLogin::Page { .. } => format!("{}/messages", self.ig_id),
            InstagramLogin::Own => "me/messages".to_owned(),
        };
        let body = leave.body(&to, text, false);
        let sent: Sent = self.graph.post_json(&path, &body).await?.object()?;
        Ok(Receipt::Done(sent.message_id))
    }

    /// The conversations, among those that moved last, in which a person may take part.
    async fn talks_with(&self, person: &str) -> Result<Vec<String>, PlatformError> {
        let answer = self.conversations(None).await?;
        let body = answer.text();
        let page: Page<'_> = answer.view(&body)?;
        let talks = readable::<Conversation>(&page.data).map(|(talk, _)| talk);
        let theirs = talks.filter(|talk| talk.may_have(person)).take(MOST_SEARCHED);
        Ok(theirs.map(|talk| talk.id).collect())
    }

    /// A message of ours with this text to whoever wrote the item.
    pub async fn own_message(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let us = self.us().await?;
        let (message, _) = self.message(item).await?;
        let is_ours = is_by(&message, us);
        let to = writer(message, is_ours)?;
        let wanted = html::folded(sought.text);
        let is_it = |message: &Message| {
            let reaches = message.to.as_ref().is_none_or(|to_| to_.data.iter().any(|p| p.id == to));
            is_by(message, us)
                && reaches
                && html::folded(&message.message) == wanted
                && sought.can_be(&message.id, message.written_at())
        };
        for talk in self.talks_with(&to).await? {
            let answer = self.talk(&talk).await?;
            let body = answer.text();
            let told: Talk<'_> = answer.view(&body)?;
            let messages = told.elements();
            if let Some((ours, _)) = readable::<Message>(&messages).find(|(m, _)| is_it(m)) {
                return Ok(Some(ours.id));
            }
        }
        Ok(None)
    }
}
