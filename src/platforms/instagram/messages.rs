//! Messages to the account (`platforms` sheet, section 4.5). Only the twenty newest of a
//! conversation can be read; an older one is answered as if it had been deleted.

use serde::Deserialize;
use serde_json::json;

use crate::domain::item::Batch;
use crate::evidence::warrant::ItemAddress;
use crate::platforms::elements::{List, readable};
use crate::platforms::error::PlatformError;
use crate::platforms::graph::Page;
use crate::platforms::html;
use crate::platforms::http::Answer;
use crate::platforms::instagram::Instagram;
use crate::platforms::instagram::wire::{Conversation, MESSAGE_FIELDS, Message, Talk, elements};
use crate::platforms::patience::Part;
use crate::platforms::settings::InstagramLogin;
use crate::platforms::{Receipt, Sought};

/// What is missing where a conversation is not given.
const UNREAD: &str = "En konversation kunde inte läsas. Läs den på plattformen.";

/// In how many conversations an answer of ours is looked for.
const MOST_SEARCHED: usize = 10;

#[derive(Deserialize)]
struct Sent {
    message_id: String,
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

    async fn talk(&self, id: &str) -> Result<Answer, PlatformError> {
        let fields = format!("messages{{{MESSAGE_FIELDS}}}");
        self.graph.get(id, &[("fields", &fields)]).await
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
        for (message, raw) in list.read::<Message>(&elements(talk.messages.as_ref()), batch) {
            batch.items.push(message.into_item(raw, us));
        }
        Ok(())
    }

    /// One message, with the answer as received.
    pub async fn message(&self, item: &ItemAddress) -> Result<(Message, Vec<u8>), PlatformError> {
        let fields = [("fields", MESSAGE_FIELDS)];
        let answer = self.graph.get(item.platform_id.as_str(), &fields).await?;
        Ok((answer.object()?, answer.body))
    }

    /// Who wrote a message to us.
    async fn writer(&self, item: &ItemAddress) -> Result<String, PlatformError> {
        let (message, _) = self.message(item).await?;
        let us = self.us().await?;
        if message.is_by(us) {
            return Err(PlatformError::Refused {
                code: "own message".into(),
                reason: "Meddelandet är kontots eget.".into(),
            });
        }
        message.from.map(|from| from.id).ok_or_else(|| PlatformError::Refused {
            code: "no sender".into(),
            reason: "Plattformen lämnar inte ut vem som skrev meddelandet. Svara i appen.".into(),
        })
    }

    pub async fn write_to(&self, item: &ItemAddress, text: &str) -> Result<Receipt, PlatformError> {
        let to = self.writer(item).await?;
        let path = match &self.login {
            InstagramLogin::Page { .. } => format!("{}/messages", self.ig_id),
            InstagramLogin::Own => "me/messages".to_owned(),
        };
        let body = json!({"recipient": {"id": to}, "message": {"text": text}});
        let sent: Sent = self.graph.post_json(&path, &body).await?.object()?;
        Ok(Receipt::Done(sent.message_id))
    }

    /// A message of ours with this text to whoever wrote the item.
    pub async fn own_message(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let (to, us) = (self.writer(item).await?, self.us().await?);
        let wanted = html::folded(sought.text);
        let is_it = |message: &Message| {
            let reaches = message.to.as_ref().is_none_or(|to_| to_.data.iter().any(|p| p.id == to));
            message.is_by(us)
                && reaches
                && html::folded(&message.message) == wanted
                && sought.can_be(&message.id, message.written_at())
        };
        let answer = self.conversations(None).await?;
        let body = answer.text();
        let page: Page<'_> = answer.view(&body)?;
        let talks = readable::<Conversation>(&page.data).map(|(talk, _)| talk);
        let talks: Vec<_> = talks.filter(|talk| talk.may_have(&to)).take(MOST_SEARCHED).collect();
        for talk in talks {
            let answer = self.talk(&talk.id).await?;
            let body = answer.text();
            let told: Talk<'_> = answer.view(&body)?;
            let messages = elements(told.messages.as_ref());
            if let Some((ours, _)) = readable::<Message>(&messages).find(|(m, _)| is_it(m)) {
                return Ok(Some(ours.id));
            }
        }
        Ok(None)
    }
}
