//! Comments on a Facebook Page's posts, through Graph with a Page token (`platforms` sheet,
//! sections 2 and 3). Messages and pushes are not read yet; the account's record says so.
//!
//! Two traps are guarded against. A person's token lists comments as empty instead of failing, so
//! the token has to answer to the Page's own id before anything is read. And posting a message to
//! a comment of the Page's *edits* it: answers go to the `comments` edge only, and are read back.

mod fetch;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;

use crate::domain::account::PlatformKind;
use crate::domain::ids::{Cursor, PlatformPostId};
use crate::domain::item::{Batch, LiveReading, Thread, Walk};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::{self, Capabilities, Offer};
use crate::platforms::error::PlatformError;
use crate::platforms::graph::{self, Graph};
use crate::platforms::http::{BadHttpSettings, Http};
use crate::platforms::settings::FacebookSettings;
use crate::platforms::{ConnectionReport, CredentialKeeper, Platform, Receipt, html, json};
use crate::runtime::clock::Clock;

use wire::{COMMENT_FIELDS, Comment, Post, last_segment};

/// The connector for one Page.
pub struct Facebook {
    graph: Graph,
    page_id: String,
    capabilities: Arc<Capabilities>,
    /// The Page's name, once the token has been seen to be the Page's.
    identity: OnceCell<String>,
}

#[derive(Deserialize)]
struct Success {
    #[serde(default)]
    success: bool,
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
        let mut secrets = vec![settings.token.clone()];
        secrets.extend(settings.app_secret.clone());
        let http = Http::new(&settings.base, &settings.http, clock, secrets)?;
        let mut capabilities = capability::of(PlatformKind::Facebook);
        let by_hand = Offer::ByHand { why: "läs och svara i sidans inkorg på plattformen" };
        capabilities.messages = by_hand.clone();
        capabilities.reply_message = by_hand;
        capabilities.webhook = Offer::No { why: "Uppsikt frågar plattformen i stället" };
        Ok(Self {
            graph: Graph::new(
                http,
                settings.base,
                settings.version,
                settings.token,
                settings.app_secret,
            ),
            page_id: settings.page_id,
            capabilities: Arc::new(capabilities),
            identity: OnceCell::new(),
        })
    }

    async fn ask_identity(&self) -> Result<String, PlatformError> {
        let answer = self.graph.get("me", &[("fields", "id,name")]).await?;
        let me: wire::Person = graph::object(&answer)?;
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

    /// One comment, with the answer as received. `Gone` is certain only for the caller who knows
    /// that the comment once was visible to this token.
    async fn comment(&self, item: &ItemAddress) -> Result<(Comment, Vec<u8>), PlatformError> {
        match self.graph.get(&path_of(item), &[("fields", COMMENT_FIELDS)]).await {
            Ok(answer) => Ok((graph::object(&answer)?, answer.body)),
            Err(PlatformError::Gone) => Err(self.gone_or_out_of_sight(item).await?),
            Err(error) => Err(error),
        }
    }

    /// The platform says the same of what was deleted and of what this token may not see. Where
    /// the post above can still be read, the comment is gone.
    async fn gone_or_out_of_sight(
        &self,
        item: &ItemAddress,
    ) -> Result<PlatformError, PlatformError> {
        let Some(post) = &item.post_id else { return Ok(PlatformError::Gone) };
        match self.graph.get(post.as_str(), &[("fields", "id")]).await {
            Ok(_) => Ok(PlatformError::Gone),
            // With its post a comment goes as well, unless the token no longer sees the Page.
            Err(PlatformError::Gone) => match self.ask_identity().await {
                Ok(_) => Ok(PlatformError::Gone),
                Err(PlatformError::Gone) => Ok(PlatformError::Forbidden {
                    what: "sidan syns inte längre för inloggningen; anslut den på nytt".into(),
                }),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn set_hidden(&self, item: &ItemAddress, hidden: bool) -> Result<Receipt, PlatformError> {
        let word = if hidden { "true" } else { "false" };
        let state = |hidden| if hidden { "is_hidden" } else { "visible" }.to_owned();
        let (now, _) = self.comment(item).await?;
        if now.is_hidden == Some(hidden) {
            return Ok(Receipt::AlreadySo(state(hidden)));
        }
        if hidden && now.can_hide == Some(false) {
            return Err(PlatformError::Refused {
                code: "can_hide".into(),
                reason: "Plattformen låter inte sidan dölja den här kommentaren.".into(),
            });
        }
        let answer = self.graph.post(&path_of(item), &[("is_hidden", word)]).await?;
        if !graph::object::<Success>(&answer)?.success {
            return Err(PlatformError::Contract { detail: "is_hidden: no success".into() });
        }
        let (now, _) = self.comment(item).await.map_err(PlatformError::after_the_act)?;
        if now.is_hidden != Some(hidden) {
            return Err(PlatformError::Contract {
                detail: format!("is_hidden={word} was answered with success and is not so"),
            });
        }
        Ok(Receipt::Done(state(hidden)))
    }

    async fn own_reply(
        &self,
        item: &ItemAddress,
        text: &str,
    ) -> Result<Option<String>, PlatformError> {
        // Answers to answers are moved up one level.
        let mut above = vec![path_of(item)];
        if let Some(parent) = &item.parent_id {
            above.push(path(item.post_id.as_ref(), parent.as_str()));
        }
        for parent in above {
            let mut after: Option<String> = None;
            loop {
                let mut query = vec![
                    ("filter", "stream"),
                    ("order", "reverse_chronological"),
                    ("limit", "100"),
                    ("fields", COMMENT_FIELDS),
                ];
                if let Some(after) = &after {
                    query.push(("after", after));
                }
                let answer = self.graph.get(&format!("{parent}/comments"), &query).await?;
                let page_text = json::text(&answer.body);
                let page = graph::page(&answer, &page_text)?;
                for element in &page.data {
                    let Ok(comment) = Comment::read(element.get()) else { continue };
                    if comment.is_by(&self.page_id)
                        && html::folded(&comment.message) == html::folded(text)
                    {
                        return Ok(Some(last_segment(&comment.id).to_owned()));
                    }
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

/// How Graph finds a comment: by its own number behind that of its post.
fn path(post: Option<&PlatformPostId>, id: &str) -> String {
    match post {
        Some(post) => format!("{}_{id}", last_segment(post.as_str())),
        None => id.to_owned(),
    }
}

fn path_of(item: &ItemAddress) -> String {
    path(item.post_id.as_ref(), item.platform_id.as_str())
}

#[async_trait]
impl Platform for Facebook {
    fn kind(&self) -> PlatformKind {
        PlatformKind::Facebook
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        let acting_as = self.ask_identity().await?;
        Ok(ConnectionReport { acting_as, missing: Vec::new(), expires_at: None })
    }

    async fn renew(&self, _keeper: &dyn CredentialKeeper) -> Result<(), PlatformError> {
        // Page tokens have no end date and are not renewed.
        PlatformError::not_offered("renew")
    }

    async fn fetch(
        &self,
        cursor: Option<&Cursor>,
        walk: Option<&Walk>,
    ) -> Result<Batch, PlatformError> {
        self.step(cursor, walk).await
    }

    async fn read_live(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        match self.comment(item).await {
            Ok((comment, raw)) => {
                let item = comment.into_item(item.post_id.as_ref(), &raw, &self.page_id);
                Ok(LiveReading::Present(Box::new(item)))
            }
            Err(PlatformError::Gone) => Ok(LiveReading::Gone),
            Err(error) => Err(error),
        }
    }

    async fn read_live_many(
        &self,
        items: &[ItemAddress],
    ) -> Result<Vec<LiveReading>, PlatformError> {
        let mut readings = Vec::with_capacity(items.len());
        for chunk in items.chunks(self.capabilities.read_batch) {
            let paths: Vec<_> = chunk.iter().map(path_of).collect();
            let query = [("ids", paths.join(",")), ("fields", COMMENT_FIELDS.to_owned())];
            let query = query.each_ref().map(|(name, value)| (*name, value.as_str()));
            match self.graph.get("", &query).await {
                Ok(answer) => {
                    let text = json::text(&answer.body);
                    let found: BTreeMap<String, &RawValue> =
                        serde_json::from_str(&text).map_err(|_| answer.not_json())?;
                    for (item, path) in chunk.iter().zip(&paths) {
                        let read = found.get(path).map(|raw| (raw, Comment::read(raw.get())));
                        readings.push(match read {
                            Some((raw, Ok(comment))) => {
                                let raw = raw.get().as_bytes();
                                let post = item.post_id.as_ref();
                                let item = comment.into_item(post, raw, &self.page_id);
                                LiveReading::Present(Box::new(item))
                            }
                            Some((_, Err(_))) | None => self.read_live(item).await?,
                        });
                    }
                }
                // One that is missing fails the lot.
                Err(PlatformError::Gone) => {
                    for item in chunk {
                        readings.push(self.read_live(item).await?);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(readings)
    }

    async fn read_thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let mut thread = Thread::default();
        if let Some(post) = &item.post_id {
            let fields = [("fields", "id,message,created_time,permalink_url")];
            match self.graph.get(post.as_str(), &fields).await {
                Ok(answer) => thread.post = Some(graph::object::<Post>(&answer)?.into_post()),
                Err(PlatformError::Gone) => thread.missing = Some("inlägget är borttaget".into()),
                Err(error) => return Err(error),
            }
        }
        // The platform shows one level: a parent has none of its own.
        if let Some(parent) = &item.parent_id {
            let address = path(item.post_id.as_ref(), parent.as_str());
            match self.graph.get(&address, &[("fields", COMMENT_FIELDS)]).await {
                Ok(answer) => {
                    let comment: Comment = graph::object(&answer)?;
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

    async fn hide(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        self.set_hidden(warrant.item(), true).await
    }

    async fn delete(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        let item = warrant.item();
        match self.graph.delete(&path_of(item)).await {
            Ok(answer) if graph::object::<Success>(&answer)?.success => {}
            Ok(_) => return Err(PlatformError::Contract { detail: "delete: no success".into() }),
            Err(PlatformError::Gone) => return Err(self.gone_or_out_of_sight(item).await?),
            Err(error) => return Err(error),
        }
        match self.comment(item).await {
            Err(PlatformError::Gone) => Ok(Receipt::Done("deleted".into())),
            Ok(_) => Err(PlatformError::Contract {
                detail: "delete was answered with success and the comment is there".into(),
            }),
            Err(error) => Err(error.after_the_act()),
        }
    }

    async fn unhide(&self, item: &ItemAddress) -> Result<Receipt, PlatformError> {
        self.set_hidden(item, false).await
    }

    async fn reply(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        let target = path_of(item);
        let edge = format!("{target}/comments");
        let answer = match self.graph.post(&edge, &[("message", text)]).await {
            Ok(answer) => answer,
            Err(PlatformError::Gone) => return Err(self.gone_or_out_of_sight(item).await?),
            Err(error) => return Err(error),
        };
        let created: Created = graph::object(&answer)?;
        let id = last_segment(&created.id).to_owned();
        if id == item.platform_id.as_str() {
            return Err(PlatformError::Contract {
                detail: "the answer got the id of the comment it was to answer".into(),
            });
        }
        let address = path(item.post_id.as_ref(), &id);
        let fields = [("fields", COMMENT_FIELDS)];
        let read = self.graph.get(&address, &fields).await;
        let published: Comment = graph::object(&read.map_err(PlatformError::after_the_act)?)?;
        let parent = published.parent.as_ref().map(|parent| last_segment(&parent.id));
        let expected =
            [Some(item.platform_id.as_str()), item.parent_id.as_ref().map(|p| p.as_str())];
        if parent.is_none() || !expected.contains(&parent) || !published.is_by(&self.page_id) {
            return Err(PlatformError::Contract {
                detail: "the answer stands in another place or under another name".into(),
            });
        }
        Ok(Receipt::Done(id))
    }

    async fn find_reply(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Option<Receipt>, PlatformError> {
        match self.own_reply(item, text).await {
            Ok(found) => Ok(found.map(Receipt::AlreadySo)),
            Err(PlatformError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn report(&self, _item: &ItemAddress, _reason: &str) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("report")
    }
}
