//! An account on Bluesky, through its own server with an app password (`platforms` sheet,
//! section 12). Messages are not read; the account's record says so.
//!
//! Nobody can take another's post away. What there is instead is to lay an answer among the hidden
//! ones, in threads that the account began itself: that is a record of our own beside the thread's
//! first post, and as such it is read and changed, never through what the network shows of it
//! later. Who may answer stands in the same record and is left exactly as it is: no rule is not
//! the same as an empty one, which shuts the thread for everybody.

mod answer;
mod fetch;
mod session;
pub mod tid;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use unicode_segmentation::UnicodeSegmentation as _;
use url::Url;

use crate::domain::account::PlatformKind;
use crate::domain::item::{FetchedItem, LiveReading, Presence, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities, Offer};
use crate::platforms::climb::climb;
use crate::platforms::connector::{Answered, Connector, Standing, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::http::{Answer, BadHttpSettings};
use crate::platforms::patience::Patience;
use crate::platforms::settings::BlueskySettings;
use crate::platforms::{ConnectionReport, Receipt, Sought, html, json};
use crate::runtime::clock::Clock;

use session::{BLOCKED, CHANGED_MEANWHILE, Server, blocked};
use wire::{Around, Node, POST, Post, Posts, Uri};

const GATE: &str = "app.bsky.feed.threadgate";

/// The moderation service that reports go to.
const MODERATION: &str = "did:plc:ar7c4by46qjdydhdevvrndac#atproto_labeler";

/// What the platform takes of hidden answers in one thread.
const MOST_HIDDEN: usize = 300;

/// How often a change is made anew because the record was changed meanwhile.
const TRIES: usize = 4;

const NOT_SHOWN: &str = "kontot och skribenten blockerar varandra på plattformen, så inlägget visas inte för kontot; det kan finnas kvar för andra";

/// Nobody reads a thread deeper than this.
const DEEPEST_THREAD: usize = 80;

/// What a report takes, in signs as people see them.
const LONGEST_REASON: usize = 2_000;

/// The connector for one account.
pub struct Bluesky {
    server: Server,
    app: Url,
    capabilities: Arc<Capabilities>,
    patience: Patience,
    /// What the walk in hand has looked up; each walk begins without.
    looked_up: tokio::sync::Mutex<Gates>,
}

/// A thread's record of who may answer and which answers are hidden, as it came, and its version.
#[derive(Default, Deserialize)]
struct Gate {
    #[serde(default)]
    cid: Option<String>,
    #[serde(default)]
    value: Map<String, Value>,
}

#[derive(Deserialize)]
struct Written {
    uri: String,
}

#[derive(Deserialize)]
struct Published {
    value: wire::Record,
}

/// The hidden answers of threads of ours, each asked for once; `None` where it was not to be had.
#[derive(Default)]
struct Gates(BTreeMap<Uri, Option<BTreeSet<String>>>);

impl Gate {
    fn hidden(&self) -> Vec<&str> {
        let all = self.value.get("hiddenReplies").and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn all_hidden(&self) -> BTreeSet<String> {
        self.hidden().into_iter().map(str::to_owned).collect()
    }
}

impl Gates {
    /// Those of the thread that this post stands in.
    async fn around(
        &mut self,
        bluesky: &Bluesky,
        me: &str,
        post: &Post,
    ) -> Result<Around<'_>, PlatformError> {
        let Some(root) = post.our_root(me) else { return Ok(Around::NotOurs) };
        if !self.0.contains_key(&root) {
            let gate = bluesky.gate(&root).await?;
            self.0.insert(root.clone(), Some(gate.all_hidden()));
        }
        Ok(self.known(&root))
    }

    /// The same for a walk: one thread that cannot be looked up is left unknown.
    async fn around_at_best(
        &mut self,
        bluesky: &Bluesky,
        me: &str,
        post: &Post,
        gap: &mut Option<String>,
    ) -> Result<Around<'_>, PlatformError> {
        let Some(root) = post.our_root(me) else { return Ok(Around::NotOurs) };
        if !self.0.contains_key(&root) {
            let gate = bluesky.gate(&root).await;
            let gate = bluesky.patience.answer(&format!("gate {root}"), gate)?;
            if gate.is_none() {
                gap.get_or_insert_with(|| unread_thread(&root));
            }
            self.0.insert(root.clone(), gate.map(|gate| gate.all_hidden()));
        }
        Ok(self.known(&root))
    }

    fn known(&self, root: &Uri) -> Around<'_> {
        match self.0.get(root) {
            Some(Some(hidden)) => Around::Hidden(hidden),
            Some(None) | None => Around::Unknown,
        }
    }
}

impl Bluesky {
    /// A connector for the account.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: BlueskySettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let mut capabilities = capability::of(PlatformKind::Bluesky);
        let by_hand = Offer::ByHand { why: "läs och svara på meddelanden i appen" };
        capabilities.messages = by_hand.clone();
        capabilities.reply_message = by_hand;
        let app = settings.app.clone();
        Ok(Self {
            server: Server::new(settings, clock)?,
            app,
            capabilities: Arc::new(capabilities),
            patience: Patience::default(),
            looked_up: tokio::sync::Mutex::default(),
        })
    }

    /// Our own permanent id.
    async fn me(&self) -> Result<String, PlatformError> {
        Ok(self.server.session().await?.did)
    }

    /// A record of our own, as it stands on the account's server.
    async fn own_record(&self, collection: &str, rkey: &str) -> Result<Answer, PlatformError> {
        let me = self.me().await?;
        let query = [("repo", me.as_str()), ("collection", collection), ("rkey", rkey)];
        self.server.get("com.atproto.repo.getRecord", &query).await
    }

    /// The record beside the first post of a thread of ours. Without one nothing is hidden.
    async fn gate(&self, root: &Uri) -> Result<Gate, PlatformError> {
        match self.own_record(GATE, root.rkey()).await {
            Ok(answer) => answer.object(),
            Err(PlatformError::Gone) => Ok(Gate::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes a record of our own, if it still has the version that was read.
    async fn put(
        &self,
        collection: &str,
        rkey: &str,
        record: Value,
        version: Option<&str>,
    ) -> Result<Written, PlatformError> {
        let body = json!({
            "repo": self.me().await?, "collection": collection, "rkey": rkey,
            "record": record, "swapRecord": version,
        });
        self.server.post("com.atproto.repo.putRecord", &body, None).await?.object()
    }

    /// Posts as they stand. Those are left out that are gone, or by somebody who blocks us, and of
    /// several those of which something cannot be found out.
    async fn posts(&self, uris: &[Uri]) -> Result<Vec<FetchedItem>, PlatformError> {
        let me = self.me().await?;
        let query: Vec<_> = uris.iter().map(|uri| ("uris", uri.as_str())).collect();
        let answer = self.server.get("app.bsky.feed.getPosts", &query).await?;
        let text = answer.text();
        let posts: Posts<'_> = answer.view(&text)?;
        let (mut gates, mut items) = (Gates::default(), Vec::new());
        for (post, raw) in readable::<Post>(&posts.posts) {
            match gates.around(self, &me, &post).await {
                Ok(around) => items.push(post.into_item(raw, &me, &self.app, around)),
                Err(error) if uris.len() > 1 && !error.concerns_the_account() => {}
                Err(error) => return Err(error),
            }
        }
        if items.len() < posts.posts.len() && uris.len() == 1 {
            return Err(PlatformError::Contract { detail: "a post of another shape".into() });
        }
        Ok(items)
    }

    /// Why a list leaves out a post: gone is only what its own thread says is gone.
    async fn why_left_out(&self, uri: &Uri) -> PlatformError {
        let query = [("uri", uri.as_str()), ("depth", "0"), ("parentHeight", "0")];
        let looked = async {
            let answer = self.server.get("app.bsky.feed.getPostThread", &query).await?;
            let text = answer.text();
            let thread: wire::Thread<'_> = answer.view(&text)?;
            let top: Node<'_> = answer.view(thread.thread.get())?;
            Ok((top.is_gone, top.is_blocked))
        };
        match looked.await {
            Ok((_, true)) => blocked(BLOCKED),
            Ok((true, _)) => PlatformError::Gone,
            // It is there after all, or something else than we know.
            Ok((false, false)) => PlatformError::Transient {
                detail: "a post that is left out of the list of posts".into(),
                may_have_acted: false,
                retry_at: None,
            },
            Err(error) => error,
        }
    }

    /// One post as it stands, for an answer to it or a report of it: these name its version.
    async fn post(&self, uri: &Uri) -> Result<Post, PlatformError> {
        let answer = self.server.get("app.bsky.feed.getPosts", &[("uris", uri.as_str())]).await?;
        let text = answer.text();
        let posts: Posts<'_> = answer.view(&text)?;
        let Some(element) = posts.posts.first() else { return Err(self.why_left_out(uri).await) };
        json::decode(element.get()).map_err(|error| answer.unexpected(&error))
    }
}

/// Our own post above an item, as it was known when the item was stored.
fn root_of(item: &ItemAddress, me: &str) -> Option<Uri> {
    Uri::new(item.post_id.as_ref()?.as_str()).filter(|root| root.did() == me)
}

fn is_blocked(error: &PlatformError) -> bool {
    matches!(error, PlatformError::Refused { code, .. } if code == BLOCKED)
}

/// What is missing when a thread could not be read. By its key alone: the whole address of somebody's
/// answer names its author for good.
fn unread_thread(uri: &Uri) -> String {
    format!("Plattformen lämnar inte ut tråden vid inlägg {}. Läs den på plattformen.", uri.rkey())
}

fn uri_of(item: &ItemAddress) -> Result<Uri, PlatformError> {
    Uri::new(item.platform_id.as_str()).ok_or_else(|| PlatformError::Contract {
        detail: "the item's id is not the address of a post".into(),
    })
}

#[async_trait]
impl Connector for Bluesky {
    const KIND: PlatformKind = PlatformKind::Bluesky;

    fn clock(&self) -> &Clock {
        self.server.http.clock()
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        #[derive(Deserialize)]
        struct Account {
            #[serde(default)]
            handle: String,
            #[serde(default)]
            active: Option<bool>,
        }
        let answer = self.server.get("com.atproto.server.getSession", &[]).await?;
        let account: Account = answer.object()?;
        let mut missing = Vec::new();
        if account.active == Some(false) {
            missing.push(
                "kontot är avstängt eller vilande på plattformen: logga in där och se varför"
                    .into(),
            );
        }
        Ok(ConnectionReport {
            acting_as: format!("@{}", account.handle),
            missing,
            expires_at: None,
        })
    }

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        self.server.allowance.may_read_on(self.clock().now())
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        let uri = uri_of(item)?;
        match self.posts(std::slice::from_ref(&uri)).await?.into_iter().next() {
            Some(found) => Ok(found),
            None => Err(self.why_left_out(&uri).await),
        }
    }

    async fn look(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        match self.read(item).await {
            Ok(item) => Ok(LiveReading::Present(Box::new(item))),
            Err(PlatformError::Gone) => Ok(LiveReading::Gone),
            Err(error) if is_blocked(&error) => Ok(LiveReading::NotReadable { why: NOT_SHOWN }),
            Err(error) => Err(error),
        }
    }

    /// What stands in our own record is known of a post that we are not shown, too.
    async fn standing(&self, item: &ItemAddress) -> Result<Standing, PlatformError> {
        let (presence, barred) = match self.read(item).await {
            Ok(item) => (item.presence, item.barred),
            Err(error) if is_blocked(&error) => {
                let Some(root) = root_of(item, &self.me().await?) else { return Err(error) };
                let gate = self.gate(&root).await?;
                let is_hidden = gate.hidden().contains(&item.platform_id.as_str());
                let presence = if is_hidden { Presence::Hidden } else { Presence::Visible };
                (presence, Vec::new())
            }
            Err(error) => return Err(error),
        };
        Ok(Standing::new(presence, barred))
    }

    async fn read_several(&self, items: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        self.posts(&items.iter().map(uri_of).collect::<Result<Vec<_>, _>>()?).await
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let me = self.me().await?;
        let uri = uri_of(item)?;
        let query = [("uri", uri.as_str()), ("depth", "0"), ("parentHeight", "1000")];
        let answer = self.server.get("app.bsky.feed.getPostThread", &query).await?;
        let text = answer.text();
        let thread: wire::Thread<'_> = answer.view(&text)?;
        let start: Node<'_> = answer.view(thread.thread.get())?;
        if start.is_gone {
            return Err(PlatformError::Gone);
        }
        let gone = "ett inlägg högre upp i tråden är borttaget eller syns inte för kontot";
        let climbed = climb(start.parent, DEEPEST_THREAD, gone, |element| {
            // Whatever is no post has no author that we could show: gone, or blocked.
            let read = serde_json::from_str::<Node<'_>>(element.get())
                .map_err(|error| answer.unexpected(&error))
                .and_then(|node| Ok((node.post.ok_or(PlatformError::Gone)?, node.parent)));
            std::future::ready(read)
        })
        .await?;
        let mut missing = climbed.missing;
        if start.post.is_none() {
            missing = Some("inlägget syns inte för kontot".into());
        }
        let (mut gates, mut above, mut first) = (Gates::default(), Vec::new(), None);
        for (index, element) in climbed.above.iter().enumerate() {
            let Ok(post) = json::decode::<Post>(element.get()) else {
                missing = Some("ett inlägg i tråden gick inte att läsa".into());
                continue;
            };
            if index == 0 && post.is_by(&me) && post.record.reply.is_none() {
                first = Some(post.into_post(&self.app));
                continue;
            }
            if index == 0 && post.record.reply.is_some() && missing.is_none() {
                missing = Some("tråden är djupare än vad som läses".into());
            }
            let around = gates.around(self, &me, &post).await?;
            above.push(post.into_item(element.get().as_bytes(), &me, &self.app, around));
        }
        Ok(Thread { post: first, above, missing })
    }

    /// Changes the list of hidden answers and nothing else.
    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError> {
        let uri = uri_of(item)?;
        let me = self.me().await?;
        let root = match self.post(&uri).await {
            Ok(post) => post.our_root(&me),
            Err(error) if is_blocked(&error) => root_of(item, &me),
            Err(error) => return Err(error),
        };
        let root = match root {
            Some(root) if wanted != Wanted::Away => root,
            Some(_) | None => return PlatformError::not_offered("hide"),
        };
        for left in (0..TRIES).rev() {
            let Gate { cid, mut value } = self.gate(&root).await?;
            let mut hidden: Vec<Value> = match value.remove("hiddenReplies") {
                Some(Value::Array(hidden)) => hidden,
                Some(_) | None => Vec::new(),
            };
            hidden.retain(|other| other.as_str() != Some(uri.as_str()));
            if wanted == Wanted::Hidden {
                hidden.push(uri.as_str().into());
            }
            if hidden.len() > MOST_HIDDEN {
                return Err(PlatformError::Refused {
                    code: "hiddenReplies".into(),
                    reason: format!(
                        "Tråden har redan {MOST_HIDDEN} dolda svar, fler tar plattformen inte. Anmäl svaret i stället, eller stäng tråden för svar på plattformen."
                    ),
                });
            }
            value.insert("hiddenReplies".into(), hidden.into());
            value.insert("$type".into(), GATE.into());
            value.insert("post".into(), root.as_str().into());
            value.entry("createdAt").or_insert_with(|| self.clock().now().to_string().into());
            match self.put(GATE, root.rkey(), value.into(), cid.as_deref()).await {
                Ok(_) => return Ok(Answered::Success),
                // Somebody changed the record between reading and writing.
                Err(PlatformError::Refused { code, .. })
                    if code == CHANGED_MEANWHILE && left > 0 => {}
                Err(error) => return Err(error),
            }
        }
        Err(PlatformError::Contract { detail: "the last try ends the loop".into() })
    }

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        key: &str,
    ) -> Result<Receipt, PlatformError> {
        answer::fits(text)?;
        let uri = uri_of(item)?;
        let place = self.post(&uri).await?.place_below();
        let record = json!({
            "$type": POST, "text": text, "createdAt": self.clock().now().to_string(),
            "langs": ["sv"], "reply": place, "facets": answer::facets(text),
        });
        // No version: only where nothing stands yet.
        match self.put(POST, &answer::rkey(&uri, key), record, None).await {
            Ok(written) => Ok(Receipt::Done(written.uri)),
            // An earlier attempt may have gone through.
            Err(PlatformError::Refused { code, reason }) if code == CHANGED_MEANWHILE => {
                match self.own_answer(item, &Sought::ever(text, key)).await? {
                    Some(id) => Ok(Receipt::AlreadySo(id)),
                    None => Err(PlatformError::Refused { code, reason }),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// It stands where the key has it, or nowhere.
    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let parent = uri_of(item)?;
        let rkey = answer::rkey(&parent, sought.key);
        let found: Published = match self.own_record(POST, &rkey).await {
            Ok(answer) => answer.object()?,
            Err(PlatformError::Gone) => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_in_place = found.value.reply.is_some_and(|place| place.parent.uri == parent);
        let is_it = is_in_place && html::folded(&found.value.text) == html::folded(sought.text);
        let uri = Uri::of(&self.me().await?, &rkey).filter(|_| is_it);
        Ok(uri.map(|uri| uri.to_string()))
    }

    async fn accuse(&self, item: &ItemAddress, reason: &str) -> Result<Receipt, PlatformError> {
        if reason.graphemes(true).count() > LONGEST_REASON {
            return Err(PlatformError::Refused {
                code: "too_long".into(),
                reason: format!(
                    "Skälet är för långt: plattformen tar högst {LONGEST_REASON} tecken. Korta det."
                ),
            });
        }
        let subject = self.post(&uri_of(item)?).await?.reference();
        let body = json!({
            // The words say what kind it is; the platform's own kinds have no Swedish law in them.
            "reasonType": "com.atproto.moderation.defs#reasonOther",
            "subject": {
                "$type": "com.atproto.repo.strongRef", "uri": subject.uri, "cid": subject.cid,
            },
            "reason": reason,
        });
        #[derive(Deserialize)]
        struct Report {
            id: u64,
        }
        let name = "com.atproto.moderation.createReport";
        let answer = match self.server.post(name, &body, Some(MODERATION)).await {
            // A network of its own does not know that service, turns the report away unread, and has one that reports
            // go to by themselves.
            Err(PlatformError::Contract { .. }) => self.server.post(name, &body, None).await?,
            answer => answer?,
        };
        Ok(Receipt::Done(answer.object::<Report>()?.id.to_string()))
    }
}
