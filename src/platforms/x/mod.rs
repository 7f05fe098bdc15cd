//! Posts that name the account, what stands in its threads, and its messages on X (`platforms` sheet,
//! section 7).
//!
//! Only answers in threads that the account began can be hidden, and whether one is hidden is told
//! nowhere: what an act brought about is known by its answer alone. What is edited gets a new name;
//! the first one is what it is known by. Encrypted chats are shown to no program.

mod fetch;
mod session;
mod subscribe;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::domain::account::PlatformKind;
use crate::domain::item::{Batch, FetchedItem, ItemKind, LiveReading, Presence, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities, Offer};
use crate::platforms::climb::climb;
use crate::platforms::connector::{Answered, Connector, Standing, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::grant::Session as _;
use crate::platforms::http::{Answer, BadHttpSettings};
use crate::platforms::limit::{Shares, fingerprint};
use crate::platforms::patience::Patience;
use crate::platforms::push::{Callback, NO_PUSHES, Subscribed};
use crate::platforms::settings::XSettings;
use crate::platforms::{ConnectionReport, Receipt, Sought, held, html, json as text_json};
use crate::runtime::clock::Clock;

use fetch::{FIELDS, MESSAGE_FIELDS};
use session::Calls;
use wire::{
    Created, Hidden, Includes, Me, Message, Met, One, Page, Post, Sent, User, without_names,
};

/// How far up a thread is read.
const MOST_ABOVE: usize = 10;

/// What the account must be allowed.
pub(super) const RIGHTS: &[&str] = &[
    "tweet.read",
    "users.read",
    "tweet.write",
    "tweet.moderate.write",
    "dm.read",
    "dm.write",
    "offline.access",
];

const MESSAGES_LATER: &str =
    "meddelanden kan bara läsas några få gånger i kvarten; det läses igen senare";

/// The connector for one account.
pub struct X {
    calls: Calls,
    capabilities: Arc<Capabilities>,
    patience: Patience,
    identity: OnceCell<User>,
    /// Whether threads, by the post that they began with, are ours. In memory only.
    roots: Mutex<BTreeMap<String, bool>>,
}

/// A post with its bytes as received.
type Found = (Post, Vec<u8>);

impl X {
    /// A connector for the account.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: XSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let mut can = capability::of(PlatformKind::X);
        if !settings.pushes {
            can.webhook = Offer::No { why: NO_PUSHES };
        }
        Ok(Self {
            calls: Calls::new(settings, clock)?,
            capabilities: Arc::new(can),
            patience: Patience::default(),
            identity: OnceCell::new(),
            roots: Mutex::default(),
        })
    }

    fn us(&self) -> &str {
        &self.calls.settings.user_id
    }

    fn met(&self, is_ours: Option<bool>) -> Met<'_> {
        Met { us: self.us(), site: &self.calls.settings.site, is_ours }
    }

    /// Whether the thread that it stands in began with a post of ours.
    fn root(&self, post: &Post) -> Option<bool> {
        held(&self.roots).get(post.conversation_id.as_ref()?).copied()
    }

    async fn ask_identity(&self) -> Result<User, PlatformError> {
        let query = [("user.fields", "name,username")];
        let Me { data: user } = self.calls.get("users/me", &query).await?.object()?;
        if user.id == self.us() {
            return Ok(user);
        }
        Err(PlatformError::Forbidden {
            what: "inloggningen hör till ett annat konto än det i inställningarna; anslut kontot på nytt".into(),
        })
    }

    /// Those of at most a hundred posts that are there, as asked for: of what was edited since, an
    /// older version.
    pub async fn by_ids(&self, ids: &[String]) -> Result<(Vec<Found>, Includes), PlatformError> {
        let ids = ids.join(",");
        let mut query = vec![("ids", ids.as_str())];
        query.extend_from_slice(FIELDS);
        let answer = match self.calls.get("tweets", &query).await {
            Ok(answer) => answer,
            Err(PlatformError::Gone) => return Ok((Vec::new(), Includes::default())),
            Err(error) => return Err(error),
        };
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        let found: Vec<_> =
            readable::<Post>(&page.data).map(|(post, raw)| (post, raw.to_vec())).collect();
        if found.is_empty() && !page.data.is_empty() {
            return Err(PlatformError::Contract { detail: "a post of another shape".into() });
        }
        Ok((found, page.includes))
    }

    /// The same in their newest versions.
    async fn newest(&self, ids: &[String]) -> Result<Vec<FetchedItem>, PlatformError> {
        let (found, includes) = self.by_ids(ids).await?;
        let (older, found): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(post, _)| post.newest_id().is_some());
        let newer: Vec<_> =
            older.iter().filter_map(|(post, _)| post.newest_id().map(str::to_owned)).collect();
        let mut items = self.items(found, &includes).await?;
        if !newer.is_empty() {
            let (found, includes) = self.by_ids(&newer).await?;
            items.extend(self.items(found, &includes).await?);
        }
        Ok(items)
    }

    async fn items(
        &self,
        found: Vec<Found>,
        includes: &Includes,
    ) -> Result<Vec<FetchedItem>, PlatformError> {
        let roots = found.iter().filter_map(|(post, _)| post.conversation_id.clone());
        self.learn_roots(roots.collect(), &mut Batch::default()).await?;
        let items = found.into_iter().map(|(post, raw)| {
            let is_ours = self.root(&post);
            post.into_item(&raw, includes, self.met(is_ours))
        });
        Ok(items.collect())
    }

    async fn message(&self, id: &str) -> Result<(Message, Vec<u8>, Includes), PlatformError> {
        let answer = self.calls.get(&format!("dm_events/{id}"), MESSAGE_FIELDS).await?;
        one(&answer)
    }

    /// Our own newest posts.
    async fn own_posts(&self) -> Result<Vec<Post>, PlatformError> {
        let mut query = vec![("max_results", "100"), ("exclude", "retweets")];
        query.extend_from_slice(FIELDS);
        let answer = self.calls.get(&format!("users/{}/tweets", self.us()), &query).await?;
        let text = answer.text();
        let page: Page<'_> = answer.view(&text)?;
        Ok(readable::<Post>(&page.data).map(|(post, _)| post).collect())
    }
}

/// One thing that was asked for by its name, with its bytes.
fn one<T: DeserializeOwned>(answer: &Answer) -> Result<(T, Vec<u8>, Includes), PlatformError> {
    let text = answer.text();
    let told: One<'_> = answer.view(&text)?;
    // A list of errors alone says that it is not there, or not for us.
    let raw = told.data.ok_or(PlatformError::Gone)?.get();
    let value = text_json::decode(raw).map_err(|error| answer.unexpected(&error))?;
    Ok((value, raw.as_bytes().to_vec(), told.includes))
}

#[async_trait]
impl Connector for X {
    const KIND: PlatformKind = PlatformKind::X;

    fn clock(&self) -> &Clock {
        self.calls.http.clock()
    }

    fn shares(&self) -> Shares {
        let settings = &self.calls.settings;
        Shares {
            app: format!("x {}", settings.client_id),
            token: Some(fingerprint(&settings.refresh_token)),
        }
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        let user = self.ask_identity().await?;
        let access = self.calls.access(None).await?;
        let acting_as = user.username.map_or(user.id, |name| format!("@{name}"));
        let missing = access.lacks(RIGHTS);
        Ok(ConnectionReport { acting_as, missing, expires_at: access.ends })
    }

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        self.identity.get_or_try_init(|| self.ask_identity()).await?;
        self.calls.posts.may_read_on(self.clock().now())
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        let id = item.platform_id.as_str();
        if item.kind == ItemKind::DirectMessage {
            let (message, raw, includes) = self.message(id).await?;
            return Ok(self.message_item(message, &raw, &includes));
        }
        let found = self.newest(&[id.to_owned()]).await?;
        found
            .into_iter()
            .find(|found| found.platform_id == item.platform_id)
            .ok_or(PlatformError::Gone)
    }

    async fn look(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        let is_message = item.kind == ItemKind::DirectMessage;
        if is_message && self.calls.messages.may_read_on(self.clock().now()).is_err() {
            return Ok(LiveReading::NotReadable { why: MESSAGES_LATER });
        }
        match self.read(item).await {
            Ok(item) => Ok(LiveReading::Present(Box::new(item))),
            Err(PlatformError::Gone) => Ok(LiveReading::Gone),
            Err(error) => Err(error),
        }
    }

    async fn read_several(&self, items: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        let posts = items.iter().filter(|item| item.kind != ItemKind::DirectMessage);
        let ids: Vec<_> = posts.map(|item| item.platform_id.as_str().to_owned()).collect();
        if ids.is_empty() { Ok(Vec::new()) } else { self.newest(&ids).await }
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let mut thread = Thread::default();
        if item.kind == ItemKind::DirectMessage {
            thread.missing =
                Some("övriga meddelanden i konversationen läses på plattformen".into());
            return Ok(thread);
        }
        if let Some(post) = &item.post_id {
            let (found, _) = self.by_ids(&[post.as_str().to_owned()]).await?;
            match found.into_iter().next() {
                Some((post, _)) => thread.post = Some(post.into_post(&self.calls.settings.site)),
                None => thread.missing = Some("inlägget är borttaget".into()),
            }
        }
        let gone = "ett inlägg ovanför är borttaget eller skyddat";
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
        let hidden = match wanted {
            Wanted::Hidden => true,
            Wanted::Visible => false,
            Wanted::Away => return PlatformError::not_offered("delete"),
        };
        let path = format!("tweets/{}/hidden", item.platform_id);
        let answer = self.calls.write(Method::PUT, &path, &json!({"hidden": hidden})).await?;
        // The answer is all that tells.
        let told: Hidden = answer.object()?;
        let presence = if told.data.hidden { Presence::Hidden } else { Presence::Visible };
        Ok(Answered::Now(Standing::new(presence, Vec::new())))
    }

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        let id = item.platform_id.as_str();
        if item.kind == ItemKind::DirectMessage {
            let (message, ..) = self.message(id).await?;
            let conversation = message.dm_conversation_id.ok_or(PlatformError::Gone)?;
            let path = format!("dm_conversations/{conversation}/messages");
            let sent = self.calls.write(Method::POST, &path, &json!({"text": text})).await?;
            return Ok(Receipt::Done(sent.object::<Sent>()?.data.dm_event_id));
        }
        let body = json!({"text": text, "reply": {"in_reply_to_tweet_id": id}});
        let created: Created = self.calls.write(Method::POST, "tweets", &body).await?.object()?;
        if created.data.id == id {
            return Err(PlatformError::Contract {
                detail: "the answer got the id of the post it was to answer".into(),
            });
        }
        Ok(Receipt::Done(created.data.id))
    }

    async fn subscribe(&self, callback: &Callback) -> Result<Subscribed, PlatformError> {
        self.calls.subscribe(callback).await
    }

    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let id = item.platform_id.as_str();
        let wanted = html::folded(without_names(sought.text));
        if item.kind == ItemKind::DirectMessage {
            let (message, ..) = self.message(id).await?;
            let conversation = message.dm_conversation_id.ok_or(PlatformError::Gone)?;
            let path = format!("dm_conversations/{conversation}/dm_events");
            let mut query = vec![("event_types", "MessageCreate"), ("max_results", "100")];
            query.extend_from_slice(MESSAGE_FIELDS);
            let answer = self.calls.get(&path, &query).await?;
            let body = answer.text();
            let page: Page<'_> = answer.view(&body)?;
            let mut messages = readable::<Message>(&page.data).map(|(message, _)| message);
            let is_it = |m: &Message| {
                m.is_by(self.us())
                    && html::folded(without_names(&m.text())) == wanted
                    && sought.can_be(&m.id, m.written_at())
            };
            return Ok(messages.find(is_it).map(|message| message.id));
        }
        let is_it = |post: &Post| {
            post.parent() == Some(id)
                && html::folded(without_names(&post.text())) == wanted
                && sought.can_be(post.first_id(), post.written_at())
        };
        let found = self.own_posts().await?.into_iter().find(is_it);
        Ok(found.map(|post| post.first_id().to_owned()))
    }
}
