//! WordPress' own REST interface, with an application password (`platforms` sheet, section 10).
//!
//! Asked always in the edit context: only there a wrong password fails instead of showing what a
//! visitor may see, and only there the source of a comment comes. Decides on error codes, since
//! messages are in the site's language. Comments in all states are read, so that one held back
//! and approved later is not missed for its old date.
//!
//! Changing a comment's status makes WordPress overwrite the author's address and browser with
//! ours: evidence has to be sealed before the first act, which the warrant sees to.

mod fetch;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;
use url::Url;

use crate::domain::account::PlatformKind;
use crate::domain::ids::{Cursor, PlatformItemId};
use crate::domain::item::{Batch, FetchedItem, LiveReading, Presence, Thread, Walk};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::{self, Capabilities};
use crate::platforms::error::PlatformError;
use crate::platforms::http::{Answer, BadHttpSettings, Http};
use crate::platforms::settings::WordPressSettings;
use crate::platforms::{ConnectionReport, CredentialKeeper, Platform, Receipt, html, json};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

use wire::{Comment, Me, Post};

/// The most that WordPress gives at once; one more is answered with 400.
const PER_PAGE: usize = 100;

/// WordPress nests answers five deep as installed, ten at most in its settings.
const DEEPEST_THREAD: usize = 20;

/// The connector for one site.
pub struct WordPress {
    http: Http,
    base: Base,
    user: String,
    password: Secret,
    capabilities: Arc<Capabilities>,
    me: OnceCell<u64>,
    /// Posts handed over, and when: they are context, and fetched again once an hour at most.
    posts_given: Mutex<HashMap<u64, Timestamp>>,
}

/// Where the REST interface lies.
#[derive(Clone, Debug)]
struct Base {
    site: Url,
    pretty: bool,
}

impl Base {
    /// The address of `path` under `wp/v2/`.
    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.site.clone();
        url.set_query(None);
        url.set_fragment(None);
        let root = url.path().trim_end_matches('/').to_owned();
        if self.pretty {
            url.set_path(&format!("{root}/wp-json/wp/v2/{path}"));
        } else {
            url.set_path(&format!("{root}/"));
            url.query_pairs_mut().append_pair("rest_route", &format!("/wp/v2/{path}"));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl WordPress {
    /// A connector for the site.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: WordPressSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let secrets = vec![settings.password.clone()];
        let http = Http::new(&settings.site, &settings.http, clock, secrets)?;
        Ok(Self {
            http,
            base: Base { site: settings.site, pretty: settings.pretty_links },
            user: settings.user,
            password: settings.password,
            capabilities: Arc::new(capability::of(PlatformKind::WordPress)),
            me: OnceCell::new(),
            posts_given: Mutex::new(HashMap::new()),
        })
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        let call = self.http.call(Method::GET, self.base.url(path, query));
        let answer =
            self.http.send(call.basic_auth(&self.user, Some(self.password.expose()))).await?;
        if answer.is_success() { Ok(answer) } else { Err(wire::fault(&answer)) }
    }

    /// A writing call. The answer is given whatever its status.
    async fn write(
        &self,
        method: Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Result<Answer, PlatformError> {
        let mut call = self.http.call(method, self.base.url(path, &[("context", "edit")]));
        if let Some(body) = body {
            call = call.json(&body);
        }
        self.http.send(call.basic_auth(&self.user, Some(self.password.expose()))).await
    }

    async fn who(&self) -> Result<Me, PlatformError> {
        let fields = [("context", "edit"), ("_fields", "id,name,roles,capabilities")];
        let answer = self.get("users/me", &fields).await?;
        json::decode(&json::text(&answer.body)).map_err(|_| answer.not_json())
    }

    /// Our own user's id. Also the proof that the password holds and that the user may moderate,
    /// before anything is listed: to others WordPress shows less without a word.
    async fn me(&self) -> Result<u64, PlatformError> {
        let first = async || {
            let me = self.who().await?;
            if me.may_moderate() { Ok(me.id) } else { Err(wire::may_not_moderate()) }
        };
        self.me.get_or_try_init(first).await.copied()
    }

    /// One comment in the edit context, with its element as received.
    async fn comment(&self, id: &str) -> Result<(Comment, Vec<u8>), PlatformError> {
        let answer = self.get(&format!("comments/{id}"), &[("context", "edit")]).await?;
        Ok((decode(&answer)?, answer.body))
    }

    /// Lists comments in all states: the elements, and on how many pages they stand.
    async fn list(&self, query: &[(&str, &str)]) -> Result<(Answer, Option<u64>), PlatformError> {
        let mut all = vec![("context", "edit"), ("status", "any"), ("type", "comment")];
        all.extend_from_slice(query);
        let answer = self.get("comments", &all).await?;
        let pages = answer.number("x-wp-totalpages");
        Ok((answer, pages))
    }

    async fn set_status(&self, id: &str, wanted: &str) -> Result<Receipt, PlatformError> {
        let path = format!("comments/{id}");
        let answer = self.write(Method::POST, &path, Some(json!({ "status": wanted }))).await?;
        let (status, receipt): (String, fn(String) -> Receipt) = if answer.is_success() {
            // An unknown status is answered with 200 and changes nothing, so the answer counts.
            (decode(&answer)?.status, Receipt::Done)
        } else if wire::code(&answer).as_deref() == Some("rest_comment_failed_edit") {
            // Some versions answer so when the status was the same already.
            let read = self.comment(id).await.map_err(PlatformError::after_the_act)?;
            (read.0.status, Receipt::AlreadySo)
        } else {
            return Err(wire::fault(&answer));
        };
        if wire::presence(&status) == wire::presence(wanted) {
            Ok(receipt(status))
        } else if answer.is_success() {
            Err(PlatformError::Contract {
                detail: format!("status {wanted} was asked for, the comment has another"),
            })
        } else {
            Err(wire::fault(&answer))
        }
    }

    /// The newest answer of ours with this text directly under the comment.
    async fn own_reply(&self, parent: &str, text: &str) -> Result<Option<String>, PlatformError> {
        let me = self.me().await?;
        let (author, wanted) = (me.to_string(), html::folded(text));
        let mut page = 1_u64;
        loop {
            let number = page.to_string();
            let (answer, pages) = self
                .list(&[
                    ("parent", parent),
                    ("author", &author),
                    ("orderby", "date_gmt"),
                    ("order", "desc"),
                    ("per_page", "100"),
                    ("page", &number),
                ])
                .await?;
            let text = json::text(&answer.body);
            for element in elements(&answer, &text)? {
                let Ok(comment) = Comment::read(element.get()) else { continue };
                let is_shown = wire::presence(&comment.status) != Presence::Binned;
                let plain = html::to_plain(&comment.content.raw, html::Newlines::Keep).text;
                if is_shown && comment.author == me && html::folded(&plain) == wanted {
                    return Ok(Some(comment.id.to_string()));
                }
            }
            if pages.is_none_or(|pages| page >= pages) {
                return Ok(None);
            }
            page += 1;
        }
    }
}

fn decode(answer: &Answer) -> Result<Comment, PlatformError> {
    Comment::read(&json::text(&answer.body)).map_err(|error| answer.unexpected(&error))
}

/// The elements of a list. Anything but a list is a page in the way or a changed interface.
fn elements<'a>(answer: &Answer, text: &'a str) -> Result<Vec<&'a RawValue>, PlatformError> {
    json::elements(text).map_err(|error| answer.unexpected(&error))
}

/// The id as it goes into an address: WordPress' ids are numbers, nothing else is sent.
fn id_of(item: &ItemAddress) -> Result<&str, PlatformError> {
    checked_id(&item.platform_id)
}

fn checked_id(id: &PlatformItemId) -> Result<&str, PlatformError> {
    let id = id.as_str();
    if !id.is_empty() && id.len() <= 20 && id.bytes().all(|b| b.is_ascii_digit()) {
        Ok(id)
    } else {
        Err(PlatformError::Contract { detail: "the item's id is not a number".into() })
    }
}

#[async_trait]
impl Platform for WordPress {
    fn kind(&self) -> PlatformKind {
        PlatformKind::WordPress
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        let me = self.who().await?;
        let mut missing = Vec::new();
        if !me.may_moderate() {
            missing.push(format!(
                "användaren {} saknar rätten moderate_comments: ge den rollen redaktör i WordPress",
                self.user
            ));
        }
        Ok(ConnectionReport { acting_as: me.name, missing, expires_at: None })
    }

    async fn renew(&self, _keeper: &dyn CredentialKeeper) -> Result<(), PlatformError> {
        // An application password holds until somebody revokes it.
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
        let me = self.me().await?;
        match self.comment(id_of(item)?).await {
            Ok((comment, raw)) => Ok(LiveReading::Present(Box::new(comment.into_item(&raw, me)))),
            Err(PlatformError::Gone) => Ok(LiveReading::Gone),
            Err(error) => Err(error),
        }
    }

    async fn read_live_many(
        &self,
        items: &[ItemAddress],
    ) -> Result<Vec<LiveReading>, PlatformError> {
        let me = self.me().await?;
        let mut found: HashMap<String, FetchedItem> = HashMap::new();
        for chunk in items.chunks(PER_PAGE) {
            let ids = chunk.iter().map(id_of).collect::<Result<Vec<_>, _>>()?.join(",");
            let (answer, _) = self.list(&[("include", &ids), ("per_page", "100")]).await?;
            let text = json::text(&answer.body);
            for element in elements(&answer, &text)? {
                let Ok(comment) = Comment::read(element.get()) else { continue };
                found.insert(
                    comment.id.to_string(),
                    comment.into_item(element.get().as_bytes(), me),
                );
            }
        }
        let mut readings = Vec::with_capacity(items.len());
        for item in items {
            readings.push(match found.get(item.platform_id.as_str()) {
                Some(found) => LiveReading::Present(Box::new(found.clone())),
                // Lists leave out what a plugin filters away: only a single reading tells that
                // a comment is gone.
                None => self.read_live(item).await?,
            });
        }
        Ok(readings)
    }

    async fn read_thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let me = self.me().await?;
        let mut thread = Thread::default();
        let (start, _) = self.comment(id_of(item)?).await?;
        let post_href = start.post_href().map(str::to_owned);
        let post = start.post;
        let mut above = start.parent;
        while above != 0 {
            if thread.above.len() == DEEPEST_THREAD {
                thread.missing = Some("tråden är djupare än vad som läses".into());
                break;
            }
            match self.comment(&above.to_string()).await {
                Ok((comment, raw)) => {
                    above = comment.parent;
                    thread.above.push(comment.into_item(&raw, me));
                }
                Err(PlatformError::Gone) => {
                    thread.missing = Some("en kommentar högre upp i tråden är borttagen".into());
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        thread.above.reverse();
        if post != 0 {
            thread.post =
                self.posts(&[(post, post_href)]).await?.into_iter().next().map(Post::into_post);
        }
        Ok(thread)
    }

    async fn hide(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        let id = id_of(warrant.item())?;
        let (now, _) = self.comment(id).await?;
        match wire::presence(&now.status) {
            // A binned comment would come back into the moderation queue.
            Presence::Hidden | Presence::Binned => Ok(Receipt::AlreadySo(now.status)),
            Presence::Gone => Err(PlatformError::Gone),
            Presence::Visible | Presence::Unknown => self.set_status(id, "hold").await,
        }
    }

    async fn delete(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        let path = format!("comments/{}", id_of(warrant.item())?);
        let answer = self.write(Method::DELETE, &path, None).await?;
        if answer.is_success() {
            let status = decode(&answer)?.status;
            if wire::presence(&status) == Presence::Binned {
                return Ok(Receipt::Done(status));
            }
            return Err(PlatformError::Contract {
                detail: "the comment was to be binned and has another status".into(),
            });
        }
        match wire::code(&answer).as_deref() {
            Some("rest_already_trashed") => Ok(Receipt::AlreadySo("trash".into())),
            _ => Err(wire::fault(&answer)),
        }
    }

    async fn unhide(&self, item: &ItemAddress) -> Result<Receipt, PlatformError> {
        let id = id_of(item)?;
        let (now, _) = self.comment(id).await?;
        match wire::presence(&now.status) {
            Presence::Visible => Ok(Receipt::AlreadySo(now.status)),
            Presence::Binned => Err(PlatformError::Refused {
                code: now.status,
                reason: "Kommentaren ligger i papperskorgen eller bland skräpposten. Återställ den i WordPress.".into(),
            }),
            Presence::Gone => Err(PlatformError::Gone),
            Presence::Hidden | Presence::Unknown => self.set_status(id, "approved").await,
        }
    }

    async fn reply(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        let id = id_of(item)?;
        let (parent, _) = self.comment(id).await?;
        // What an editor types is text, and what WordPress takes is HTML.
        let body = json!({
            "post": parent.post, "parent": parent.id, "content": html::escape(text),
        });
        let answer = self.write(Method::POST, "comments", Some(body)).await?;
        if answer.is_success() {
            let reply = decode(&answer)?;
            if reply.parent != parent.id {
                return Err(PlatformError::Contract {
                    detail: "the answer was put in another place".into(),
                });
            }
            return Ok(Receipt::Done(reply.id.to_string()));
        }
        // An earlier attempt may have gone through: WordPress refuses the same text twice.
        if wire::code(&answer).as_deref() == Some("comment_duplicate")
            && let Some(id) = self.own_reply(id, text).await?
        {
            return Ok(Receipt::AlreadySo(id));
        }
        Err(wire::fault(&answer))
    }

    async fn find_reply(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Option<Receipt>, PlatformError> {
        Ok(self.own_reply(id_of(item)?, text).await?.map(Receipt::AlreadySo))
    }

    async fn report(&self, _item: &ItemAddress, _reason: &str) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("report")
    }
}
