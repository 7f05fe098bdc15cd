//! Comments, answers and messages of a professional Instagram account, through the Graph interface
//! that it shares with Facebook (`platforms` sheet, section 4), by either of its two ways.
//!
//! Where others mention the account is told by pushes alone, and read by what those name. An answer
//! to an answer lands under the topmost comment, and says to whom it is by their name.

mod fetch;
mod mentions;
mod messages;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::domain::account::PlatformKind;
use crate::domain::item::{FetchedItem, ItemKind, LiveReading, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities, Offer};
use crate::platforms::connector::{Answered, Connector, Standing, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::graph::messages as messages_of;
use crate::platforms::graph::{Graph, Page, TokenTold, carried_out};
use crate::platforms::http::{BadHttpSettings, Http};
use crate::platforms::limit::Shares;
use crate::platforms::patience::Patience;
use crate::platforms::push::{Callback, NO_PUSHES, Subscribed};
use crate::platforms::settings::{InstagramLogin, InstagramSettings};
use crate::platforms::usage::Apps;
use crate::platforms::{ConnectionReport, Receipt, Sought, html};
use crate::runtime::clock::Clock;

use wire::{COMMENT_FIELDS, Comment, MEDIA_FIELDS, Media, Met, Us};

const OLD_MESSAGE: &str = "plattformen lämnar bara ut de 20 senaste meddelandena i en konversation";

const NO_MESSAGES: &str = "kontot lämnar inte ut sina meddelanden till appen";

/// The connector for one account.
pub struct Instagram {
    graph: Graph,
    ig_id: String,
    login: InstagramLogin,
    /// Whether the app may answer messages for a week.
    human_agent: bool,
    /// Messages are listed by their own edge.
    by_edge: AtomicBool,
    capabilities: Arc<Capabilities>,
    /// The same where the account may not read its conversations, and whether that was seen.
    without_messages: Arc<Capabilities>,
    lacks_messages: AtomicBool,
    patience: Patience,
    /// The account's name, once the token has been seen to be its own.
    identity: OnceCell<String>,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

#[derive(Deserialize)]
struct Account {
    #[serde(default)]
    id: String,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    username: Option<String>,
}

impl Instagram {
    /// A connector for the account.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: InstagramSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        Self::sharing(settings, &Apps::default(), clock)
    }

    /// A connector for the account, whose app has other accounts too.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn sharing(
        settings: InstagramSettings,
        apps: &Apps,
        clock: Clock,
    ) -> Result<Self, BadHttpSettings> {
        let mut secrets = vec![settings.token.clone()];
        secrets.extend(settings.app_secret.clone());
        let http = Http::new(&settings.base, &settings.http, clock, secrets)?;
        let mut capabilities = capability::of(PlatformKind::Instagram);
        if !settings.pushes {
            capabilities.webhook = Offer::No { why: NO_PUSHES };
        }
        capabilities.reply_message =
            Offer::Conditional { condition: messages_of::answered_when(settings.human_agent) };
        capabilities.answers_messages_for = Some(messages_of::window(settings.human_agent));
        if (InstagramLogin::Page { page_id: None }) == settings.login {
            capabilities.answers_messages_for = None;
            let by_hand = Offer::ByHand {
                why: "sidans nummer (page_id) saknas i inställningarna; läs och svara i appen",
            };
            capabilities.messages = by_hand.clone();
            capabilities.reply_message = by_hand;
        }
        let by_hand = Offer::ByHand {
            why: "kontot lämnar inte ut sina meddelanden till appar, eller appen saknar rätten; läs och svara i appen",
        };
        let without_messages = Capabilities {
            messages: by_hand.clone(),
            reply_message: by_hand,
            answers_messages_for: None,
            ..capabilities.clone()
        };
        let InstagramSettings { base, version, token, app_secret, human_agent, .. } = settings;
        Ok(Self {
            graph: Graph::new(http, base, version, token, app_secret, apps),
            ig_id: settings.ig_id,
            login: settings.login,
            human_agent,
            by_edge: AtomicBool::new(false),
            without_messages: Arc::new(without_messages),
            lacks_messages: AtomicBool::new(false),
            capabilities: Arc::new(capabilities),
            patience: Patience::default(),
            identity: OnceCell::new(),
        })
    }

    async fn ask_identity(&self) -> Result<String, PlatformError> {
        let answer = match &self.login {
            InstagramLogin::Page { .. } => {
                self.graph.get(&self.ig_id, &[("fields", "id,username")]).await?
            }
            // The `id` beside it is the app's own and wrong everywhere else.
            InstagramLogin::Own => self.graph.get("me", &[("fields", "user_id,username")]).await?,
        };
        let account: Account = answer.object()?;
        let id = account.user_id.as_ref().unwrap_or(&account.id);
        if *id != self.ig_id {
            return Err(PlatformError::Forbidden {
                what: "inloggningen hör till ett annat konto än det i inställningarna; anslut kontot på nytt".into(),
            });
        }
        Ok(account.username.unwrap_or(account.id))
    }

    async fn us(&self) -> Result<Us<'_>, PlatformError> {
        let username = self.identity.get_or_try_init(|| self.ask_identity()).await?;
        Ok(Us { id: &self.ig_id, username })
    }

    /// Where comments of this account are met, as far as all have it alike.
    async fn met<'a>(&'a self, permalink: Option<&'a str>) -> Result<Met<'a>, PlatformError> {
        Ok(Met { us: self.us().await?, media: None, permalink, parent: None })
    }

    async fn gone_or_out_of_sight(
        &self,
        item: &ItemAddress,
    ) -> Result<PlatformError, PlatformError> {
        let media = item.post_id.as_ref().map(|media| media.as_str());
        self.graph.why_gone(media, self.ask_identity()).await
    }

    /// One comment, with the answer as received.
    async fn comment(&self, item: &ItemAddress) -> Result<(Comment, Vec<u8>), PlatformError> {
        match self.graph.get(item.platform_id.as_str(), &[("fields", COMMENT_FIELDS)]).await {
            Ok(answer) => Ok((answer.object()?, answer.body)),
            Err(PlatformError::Gone) => Err(self.gone_or_out_of_sight(item).await?),
            Err(error) => Err(error),
        }
    }

    async fn item(
        &self,
        comment: Comment,
        raw: &[u8],
        of: &ItemAddress,
    ) -> Result<FetchedItem, PlatformError> {
        let met = self.met(None).await?;
        Ok(comment.into_item(raw, Met { media: of.post_id.as_ref(), ..met }))
    }

    /// The topmost comment of the thread.
    fn top_of(item: &ItemAddress) -> &str {
        item.parent_id.as_ref().map_or(item.platform_id.as_str(), |parent| parent.as_str())
    }

    /// Whether this text, with somebody's name before it or without, is what was to be said.
    fn says(text: &str, wanted: &str) -> bool {
        let (text, wanted) = (html::folded(text), html::folded(wanted));
        text == wanted
            || text.strip_prefix('@').is_some_and(|rest| {
                rest.split_once(char::is_whitespace).is_some_and(|(_, rest)| rest == wanted)
            })
    }
}

#[async_trait]
impl Connector for Instagram {
    const KIND: PlatformKind = PlatformKind::Instagram;

    fn clock(&self) -> &Clock {
        self.graph.http.clock()
    }

    fn shares(&self) -> Shares {
        self.graph.shares()
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        let lacks_messages = self.lacks_messages.load(Ordering::Relaxed);
        Arc::clone(if lacks_messages { &self.without_messages } else { &self.capabilities })
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        let acting_as = format!("@{}", self.ask_identity().await?);
        // A token of the account's own is told of nowhere but where it is made.
        let token = match self.login {
            InstagramLogin::Page { .. } => self.graph.token(&[]).await,
            InstagramLogin::Own => TokenTold::default(),
        };
        Ok(ConnectionReport { acting_as, missing: token.lacks, expires_at: token.ends })
    }

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        self.us().await?;
        self.graph.may_read_on()
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        if item.kind == ItemKind::DirectMessage {
            let (message, raw) = self.message(item).await?;
            return Ok(messages::message_item(message, &raw, self.us().await?));
        }
        if item.kind == ItemKind::Mention {
            return self.mention(item).await;
        }
        let (comment, raw) = self.comment(item).await?;
        self.item(comment, &raw, item).await
    }

    async fn look(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        match self.read(item).await {
            Ok(item) => Ok(LiveReading::Present(Box::new(item))),
            // An old message is answered like one that was deleted.
            Err(PlatformError::Gone) if item.kind == ItemKind::DirectMessage => {
                Ok(LiveReading::NotReadable { why: OLD_MESSAGE })
            }
            // What was said stays said where the right to read it has gone.
            Err(PlatformError::Forbidden { .. }) if item.kind == ItemKind::DirectMessage => {
                Ok(LiveReading::NotReadable { why: NO_MESSAGES })
            }
            // It may be gone, or no longer be shown to us.
            Err(PlatformError::Gone) if item.kind == ItemKind::Mention => {
                Ok(LiveReading::NotReadable { why: mentions::NOT_SHOWN })
            }
            Err(PlatformError::Gone) => Ok(LiveReading::Gone),
            Err(error) => Err(error),
        }
    }

    async fn read_several(&self, items: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        let is_comment =
            |item: &&ItemAddress| !matches!(item.kind, ItemKind::DirectMessage | ItemKind::Mention);
        let comments: Vec<_> = items.iter().filter(is_comment).collect();
        if comments.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = comments.iter().map(|item| item.platform_id.to_string()).collect();
        let mut told = self.graph.several::<Comment>(&ids, COMMENT_FIELDS).await?;
        let mut found = Vec::new();
        for item in comments {
            let Some((comment, raw)) = told.remove(item.platform_id.as_str()) else { continue };
            found.push(self.item(comment, &raw, item).await?);
        }
        Ok(found)
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let mut thread = Thread::default();
        if item.kind == ItemKind::DirectMessage {
            thread.missing = Some("övriga meddelanden i konversationen läses i appen".into());
            return Ok(thread);
        }
        if item.kind == ItemKind::Mention {
            thread.missing = Some("plattformen lämnar inte ut tråden under andras inlägg".into());
            return Ok(thread);
        }
        if let Some(media) = &item.post_id {
            match self.graph.get(media.as_str(), &[("fields", MEDIA_FIELDS)]).await {
                Ok(answer) => thread.post = Some(answer.object::<Media>()?.into_post()),
                Err(PlatformError::Gone) => thread.missing = Some("inlägget är borttaget".into()),
                Err(error) => return Err(error),
            }
        }
        // The platform shows one level: a parent has none of its own.
        if let Some(parent) = &item.parent_id {
            match self.graph.get(parent.as_str(), &[("fields", COMMENT_FIELDS)]).await {
                Ok(answer) => {
                    let comment: Comment = answer.object()?;
                    thread.above.push(self.item(comment, &answer.body, item).await?);
                }
                Err(PlatformError::Gone) => {
                    thread.missing = Some("kommentaren ovanför är borttagen".into());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(thread)
    }

    async fn standing(&self, item: &ItemAddress) -> Result<Standing, PlatformError> {
        let FetchedItem { presence, barred, .. } = self.read(item).await?;
        Ok(Standing::new(presence, barred))
    }

    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError> {
        match item.kind {
            ItemKind::DirectMessage => return Err(messages_of::stays()),
            ItemKind::Mention => return Err(mentions::stays()),
            ItemKind::Comment | ItemKind::Reply | ItemKind::PostByOther | ItemKind::Review => {}
        }
        let id = item.platform_id.as_str();
        let answer = match wanted {
            Wanted::Hidden => self.graph.post(id, &[("hide", "true")]).await,
            Wanted::Visible => self.graph.post(id, &[("hide", "false")]).await,
            Wanted::Away => self.graph.delete(id).await,
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(PlatformError::Gone) => return Err(self.gone_or_out_of_sight(item).await?),
            Err(error) => return Err(error),
        };
        carried_out(&answer, wanted)
    }

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        if item.kind == ItemKind::DirectMessage {
            return self.write_to(item, text).await;
        }
        if item.kind == ItemKind::Mention {
            return self.answer_mention(item, text).await;
        }
        let (to, _) = self.comment(item).await?;
        if to.hidden == Some(true) {
            return Err(PlatformError::Refused {
                code: "hidden".into(),
                reason: "En dold kommentar går inte att svara på. Visa den först.".into(),
            });
        }
        let top = Self::top_of(item);
        let addressed = match (&item.parent_id, &to.username) {
            (Some(_), Some(name)) if !text.contains(&format!("@{name}")) => {
                format!("@{name} {text}")
            }
            _ => text.to_owned(),
        };
        let path = format!("{top}/replies");
        let answer = match self.graph.post(&path, &[("message", &addressed)]).await {
            Ok(answer) => answer,
            Err(PlatformError::Gone) => return Err(self.gone_or_out_of_sight(item).await?),
            Err(error) => return Err(error),
        };
        let created: Created = answer.object()?;
        if created.id == top || created.id == item.platform_id.as_str() {
            return Err(PlatformError::Contract {
                detail: "the answer got the id of the comment it was to answer".into(),
            });
        }
        Ok(Receipt::Done(created.id))
    }

    async fn subscribe(&self, _: &Callback) -> Result<Subscribed, PlatformError> {
        match &self.login {
            // Told by way of the Page that it is linked to.
            InstagramLogin::Page { page_id: Some(page) } => self.graph.tell_app_of(page).await,
            InstagramLogin::Page { page_id: None } | InstagramLogin::Own => Ok(Subscribed::ByHand),
        }
    }

    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        if item.kind == ItemKind::DirectMessage {
            return self.own_message(item, sought).await;
        }
        // What stands under others' media is not listed.
        if item.kind == ItemKind::Mention {
            return Ok(None);
        }
        let us = self.us().await?;
        let path = format!("{}/replies", Self::top_of(item));
        let mut after: Option<String> = None;
        loop {
            let mut query = vec![("fields", COMMENT_FIELDS), ("limit", "50")];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let answer = self.graph.get(&path, &query).await?;
            let body = answer.text();
            let page: Page<'_> = answer.view(&body)?;
            let mut comments = readable::<Comment>(&page.data).map(|(comment, _)| comment);
            let is_it = |c: &Comment| {
                c.is_by(us)
                    && Self::says(&c.text, sought.text)
                    && sought.can_be(&c.id, c.written_at())
            };
            if let Some(ours) = comments.find(is_it) {
                return Ok(Some(ours.id));
            }
            let next = page.after().map(str::to_owned);
            if next.is_none() || next == after {
                return Ok(None);
            }
            after = next;
        }
    }
}
