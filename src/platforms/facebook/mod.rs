//! Comments on a Facebook Page's posts, what visitors post on it, and what people write to it in Messenger,
//! through Graph with a Page token (`platforms` sheet, sections 2 and 3). Where others name the Page elsewhere
//! the platform tells by pushes alone, text included; reading it again takes a right that few apps have.
//!
//! Two traps are guarded against. A person's token lists comments as empty instead of failing, so
//! the token has to answer to the Page's own id before anything is read. And posting a message to
//! a comment of the Page's *edits* it: answers go to the `comments` edge only, and are read back.

mod fetch;
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
use crate::domain::ids::PlatformPostId;
use crate::domain::item::{FetchedItem, ItemKind, LiveReading, Presence, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities, Offer};
use crate::platforms::connector::{Answered, Bar, Connector, Standing, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::graph::messages as messages_of;
use crate::platforms::graph::{Graph, Page, carried_out};
use crate::platforms::hooks::mentions;
use crate::platforms::http::{Answer, BadHttpSettings, Http};
use crate::platforms::limit::Shares;
use crate::platforms::patience::Patience;
use crate::platforms::push::{Callback, NO_PUSHES, Subscribed};
use crate::platforms::settings::FacebookSettings;
use crate::platforms::usage::Apps;
use crate::platforms::{ConnectionReport, Receipt, Sought, html};
use crate::runtime::clock::Clock;

use wire::{COMMENT_FIELDS, Comment, Post, Presented, VISITOR_FIELDS, last_segment};

/// What the token has to be allowed (`platforms` sheet, section 3.1), without messages.
pub const RIGHTS: &[&str] =
    &["pages_read_engagement", "pages_read_user_content", "pages_manage_engagement"];

/// Why what names the Page elsewhere cannot be read again.
const NOT_SHOWN: &str = "plattformen visar inte sidan det som står på andras sidor: det kan vara kvar eller borttaget. Se efter via länken";

/// The connector for one Page.
pub struct Facebook {
    graph: Graph,
    page_id: String,
    capabilities: Arc<Capabilities>,
    /// The same where the Page may not read its conversations, and whether that was seen.
    without_messages: Arc<Capabilities>,
    lacks_messages: AtomicBool,
    patience: Patience,
    /// Whether the app may answer messages for a week.
    human_agent: bool,
    /// The Page's name, once the token has been seen to be the Page's.
    identity: OnceCell<String>,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

impl Facebook {
    /// A connector for the Page.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: FacebookSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        Self::sharing(settings, &Apps::default(), clock)
    }

    /// A connector for the Page, whose app has other accounts too.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn sharing(
        settings: FacebookSettings,
        apps: &Apps,
        clock: Clock,
    ) -> Result<Self, BadHttpSettings> {
        let mut secrets = vec![settings.token.clone()];
        secrets.extend(settings.app_secret.clone());
        let http = Http::new(&settings.base, &settings.http, clock, secrets)?;
        let mut capabilities = capability::of(PlatformKind::Facebook);
        if !settings.pushes {
            capabilities.webhook = Offer::No { why: NO_PUSHES };
        }
        capabilities.reply_message =
            Offer::Conditional { condition: messages_of::answered_when(settings.human_agent) };
        capabilities.answers_messages_for = Some(messages_of::window(settings.human_agent));
        let by_hand = Offer::ByHand {
            why: "sidan saknar rätten pages_messaging; läs och svara i sidans inkorg på plattformen",
        };
        let without_messages = Capabilities {
            messages: by_hand.clone(),
            reply_message: by_hand,
            answers_messages_for: None,
            ..capabilities.clone()
        };
        Ok(Self {
            human_agent: settings.human_agent,
            without_messages: Arc::new(without_messages),
            lacks_messages: AtomicBool::new(false),
            graph: Graph::new(
                http,
                settings.base,
                settings.version,
                settings.token,
                settings.app_secret,
                apps,
            ),
            page_id: settings.page_id,
            capabilities: Arc::new(capabilities),
            patience: Patience::default(),
            identity: OnceCell::new(),
        })
    }

    async fn ask_identity(&self) -> Result<String, PlatformError> {
        let answer = self.graph.get("me", &[("fields", "id,name")]).await?;
        let me: wire::Person = answer.object()?;
        if me.id != self.page_id {
            return Err(PlatformError::Forbidden {
                what: "inloggningen hör inte till sidan utan till en person eller en annan sida; anslut sidan på nytt".into(),
            });
        }
        Ok(me.name.unwrap_or(me.id))
    }

    async fn identity(&self) -> Result<&String, PlatformError> {
        self.identity.get_or_try_init(|| self.ask_identity()).await
    }

    /// One page of the comments on all levels under a post or comment, the newest first.
    async fn comments(&self, under: &str, after: Option<&str>) -> Result<Answer, PlatformError> {
        let mut query = vec![
            ("filter", "stream"),
            ("order", "reverse_chronological"),
            ("limit", "100"),
            ("fields", COMMENT_FIELDS),
        ];
        query.extend(after.map(|after| ("after", after)));
        self.graph.get(&format!("{under}/comments"), &query).await
    }

    /// One comment, with the answer as received. `Gone` is certain only for the caller who knows
    /// that the comment once was visible to this token.
    async fn comment(&self, item: &ItemAddress) -> Result<(Comment, Vec<u8>), PlatformError> {
        match self.graph.get(&path_of(item), &[("fields", COMMENT_FIELDS)]).await {
            Ok(answer) => Ok((answer.object()?, answer.body)),
            Err(PlatformError::Gone) => Err(self.gone_or_out_of_sight(item).await?),
            Err(error) => Err(error),
        }
    }

    /// What somebody else posted on the Page.
    async fn visitor_post(&self, item: &ItemAddress) -> Result<(Post, Vec<u8>), PlatformError> {
        match self.graph.get(item.platform_id.as_str(), &[("fields", VISITOR_FIELDS)]).await {
            Ok(answer) => Ok((answer.object()?, answer.body)),
            Err(PlatformError::Gone) => Err(self.gone_or_out_of_sight(item).await?),
            Err(error) => Err(error),
        }
    }

    /// What stands elsewhere and names the Page: most apps may not read it, and the platform says the same of what is
    /// gone.
    async fn mention(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        let is_comment = item.post_id.is_some();
        let fields = [("fields", if is_comment { COMMENT_FIELDS } else { VISITOR_FIELDS })];
        let answer = match self.graph.get(&path_of(item), &fields).await {
            Ok(answer) => answer,
            Err(PlatformError::Gone) => {
                return Err(PlatformError::Forbidden { what: NOT_SHOWN.into() });
            }
            Err(error) => return Err(error),
        };
        let mut read = if is_comment {
            let comment: Comment = answer.object()?;
            comment.into_item(item.post_id.as_ref(), &answer.body, &self.page_id)
        } else {
            answer.object::<Post>()?.to_item(&answer.body, &self.page_id)
        };
        read.kind = ItemKind::Mention;
        read.platform_id = item.platform_id.clone();
        read.barred = mentions::barred();
        Ok(read)
    }

    async fn gone_or_out_of_sight(
        &self,
        item: &ItemAddress,
    ) -> Result<PlatformError, PlatformError> {
        let post = item.post_id.as_ref().map(|post| post.as_str());
        self.graph.why_gone(post, self.ask_identity()).await
    }
}

/// How Graph finds a comment: by its own number behind that of its post.
fn path(post: Option<&PlatformPostId>, id: &str) -> String {
    match post {
        Some(post) => format!("{}_{id}", last_segment(post.as_str())),
        None => id.to_owned(),
    }
}

fn path_of(item: &ItemAddress) -> String {
    // A post has its own name, whole.
    if item.kind == ItemKind::PostByOther {
        return item.platform_id.as_str().to_owned();
    }
    path(item.post_id.as_ref(), item.platform_id.as_str())
}

/// What cannot be done where somebody else's page is the place.
fn elsewhere() -> PlatformError {
    PlatformError::Refused { code: "elsewhere".into(), reason: mentions::ELSEWHERE.into() }
}

/// The platform's word for a state of its `is_hidden`.
fn standing(comment: &Comment) -> Standing {
    let (presence, word) = match comment.is_hidden {
        Some(true) => (Presence::Hidden, "is_hidden"),
        Some(false) => (Presence::Visible, "visible"),
        None => (Presence::Unknown, "unknown"),
    };
    let barred = (comment.can_hide == Some(false)).then(|| Bar {
        wanted: Wanted::Hidden,
        code: "can_hide".into(),
        reason: "Plattformen låter inte sidan dölja den här kommentaren.".into(),
    });
    Standing { presence, word: word.into(), barred: barred.into_iter().collect() }
}

#[async_trait]
impl Connector for Facebook {
    const KIND: PlatformKind = PlatformKind::Facebook;

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
        let acting_as = self.ask_identity().await?;
        let token = self.graph.token(RIGHTS).await;
        Ok(ConnectionReport { acting_as, missing: token.lacks, expires_at: token.ends })
    }

    /// The Page's fields `about` (short) and `description` (long).
    async fn description(&self) -> Result<Option<String>, PlatformError> {
        let answer = self.graph.get(&self.page_id, &[("fields", "about,description")]).await?;
        let page = answer.object::<Presented>()?;
        let told: Vec<_> = [page.about, page.description].into_iter().flatten().collect();
        Ok(Some(told.join("\n")))
    }

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        self.identity().await?;
        self.graph.may_read_on()
    }

    async fn look(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        match self.read(item).await {
            Ok(item) => Ok(LiveReading::Present(Box::new(item))),
            Err(PlatformError::Gone) => Ok(LiveReading::Gone),
            // What was said stays said where the right to read it has gone.
            Err(PlatformError::Forbidden { .. }) if item.kind == ItemKind::DirectMessage => {
                Ok(LiveReading::NotReadable { why: "sidan får inte läsa sina konversationer" })
            }
            // So is what stands elsewhere: it may be gone, or be shown to others.
            Err(PlatformError::Forbidden { .. }) if item.kind == ItemKind::Mention => {
                Ok(LiveReading::NotReadable { why: NOT_SHOWN })
            }
            Err(error) => Err(error),
        }
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        match item.kind {
            ItemKind::DirectMessage => return self.read_message(item).await,
            ItemKind::PostByOther => {
                let (post, raw) = self.visitor_post(item).await?;
                return Ok(post.to_item(&raw, &self.page_id));
            }
            ItemKind::Mention => return self.mention(item).await,
            ItemKind::Comment | ItemKind::Reply | ItemKind::Review => {}
        }
        let (comment, raw) = self.comment(item).await?;
        Ok(comment.into_item(item.post_id.as_ref(), &raw, &self.page_id))
    }

    async fn read_several(&self, items: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        let is_comment = |item: &&ItemAddress| {
            !matches!(
                item.kind,
                ItemKind::DirectMessage | ItemKind::PostByOther | ItemKind::Mention
            )
        };
        // What is not told of here is read alone.
        let items: Vec<_> = items.iter().filter(is_comment).collect();
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let paths: Vec<_> = items.iter().map(|item| path_of(item)).collect();
        let mut told = self.graph.several::<Comment>(&paths, COMMENT_FIELDS).await?;
        let found = items.iter().zip(&paths).filter_map(|(item, path)| {
            let (comment, raw) = told.remove(path)?;
            Some(comment.into_item(item.post_id.as_ref(), &raw, &self.page_id))
        });
        Ok(found.collect())
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let mut thread = Thread::default();
        if item.kind == ItemKind::DirectMessage {
            thread.missing =
                Some("övriga meddelanden i konversationen läses i sidans inkorg".into());
            return Ok(thread);
        }
        if item.kind == ItemKind::Mention {
            thread.missing = Some("plattformen lämnar inte ut tråden på andras sidor".into());
            return Ok(thread);
        }
        if let Some(post) = &item.post_id {
            let fields = [("fields", "id,message,created_time,permalink_url")];
            match self.graph.get(post.as_str(), &fields).await {
                Ok(answer) => thread.post = Some(answer.object::<Post>()?.into_post()),
                Err(PlatformError::Gone) => thread.missing = Some("inlägget är borttaget".into()),
                Err(error) => return Err(error),
            }
        }
        // The platform shows one level: a parent has none of its own.
        if let Some(parent) = &item.parent_id {
            let address = path(item.post_id.as_ref(), parent.as_str());
            match self.graph.get(&address, &[("fields", COMMENT_FIELDS)]).await {
                Ok(answer) => {
                    let comment: Comment = answer.object()?;
                    let post = item.post_id.as_ref();
                    thread.above.push(comment.into_item(post, &answer.body, &self.page_id));
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
        match item.kind {
            ItemKind::DirectMessage | ItemKind::PostByOther | ItemKind::Mention => {
                let FetchedItem { presence, barred, .. } = self.read(item).await?;
                Ok(Standing::new(presence, barred))
            }
            ItemKind::Comment | ItemKind::Reply | ItemKind::Review => {
                Ok(standing(&self.comment(item).await?.0))
            }
        }
    }

    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError> {
        match item.kind {
            ItemKind::DirectMessage => return Err(messages_of::stays()),
            ItemKind::Mention => return Err(elsewhere()),
            ItemKind::Comment | ItemKind::Reply | ItemKind::PostByOther | ItemKind::Review => {}
        }
        let path = path_of(item);
        let answer = match wanted {
            Wanted::Hidden => self.graph.post(&path, &[("is_hidden", "true")]).await?,
            Wanted::Visible => self.graph.post(&path, &[("is_hidden", "false")]).await?,
            Wanted::Away => match self.graph.delete(&path).await {
                Ok(answer) => answer,
                Err(PlatformError::Gone) => return Err(self.gone_or_out_of_sight(item).await?),
                Err(error) => return Err(error),
            },
        };
        carried_out(&answer, wanted)
    }

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        match item.kind {
            ItemKind::DirectMessage => return self.write_to(item, text).await,
            ItemKind::Mention => return Err(elsewhere()),
            ItemKind::Comment | ItemKind::Reply | ItemKind::PostByOther | ItemKind::Review => {}
        }
        let target = path_of(item);
        let edge = format!("{target}/comments");
        let answer = match self.graph.post(&edge, &[("message", text)]).await {
            Ok(answer) => answer,
            Err(PlatformError::Gone) => return Err(self.gone_or_out_of_sight(item).await?),
            Err(error) => return Err(error),
        };
        let created: Created = answer.object()?;
        let id = last_segment(&created.id).to_owned();
        if id == item.platform_id.as_str() {
            return Err(PlatformError::Contract {
                detail: "the answer got the id of the comment it was to answer".into(),
            });
        }
        // Under a visitor's post the answer is a comment on it.
        let is_post = item.kind == ItemKind::PostByOther;
        let post = PlatformPostId::new(item.platform_id.as_str());
        let address = path(if is_post { Some(&post) } else { item.post_id.as_ref() }, &id);
        let fields = [("fields", COMMENT_FIELDS)];
        let read = self.graph.get(&address, &fields).await;
        let published: Comment = read.map_err(PlatformError::after_the_act)?.object()?;
        let parent = published.parent.as_ref().map(|parent| last_segment(&parent.id));
        let expected =
            [Some(item.platform_id.as_str()), item.parent_id.as_ref().map(|p| p.as_str())];
        let stands_there =
            if is_post { parent.is_none() } else { parent.is_some() && expected.contains(&parent) };
        if !stands_there || !published.is_by(&self.page_id) {
            return Err(PlatformError::Contract {
                detail: "the answer stands in another place or under another name".into(),
            });
        }
        Ok(Receipt::Done(id))
    }

    async fn subscribe(&self, _: &Callback) -> Result<Subscribed, PlatformError> {
        self.graph.tell_app_of(&self.page_id).await
    }

    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        if item.kind == ItemKind::DirectMessage {
            return self.own_message(item, sought).await;
        }
        if item.kind == ItemKind::Mention {
            return Ok(None);
        }
        let wanted = html::folded(sought.text);
        let is_it = |comment: &Comment| {
            comment.is_by(&self.page_id)
                && html::folded(&comment.message) == wanted
                && sought.can_be(last_segment(&comment.id), comment.written_at())
        };
        // Answers to answers are moved up one level.
        let mut above = vec![path_of(item)];
        if let Some(parent) = &item.parent_id {
            above.push(path(item.post_id.as_ref(), parent.as_str()));
        }
        for parent in above {
            let mut after: Option<String> = None;
            loop {
                let answer = self.comments(&parent, after.as_deref()).await?;
                let text = answer.text();
                let page: Page<'_> = answer.view(&text)?;
                if let Some(comment) = readable(&page.data).map(|(c, _)| c).find(is_it) {
                    return Ok(Some(last_segment(&comment.id).to_owned()));
                }
                after = page.after().map(str::to_owned);
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(None)
    }
}
