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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;
use tokio::sync::OnceCell;
use url::Url;

use crate::domain::account::PlatformKind;
use crate::domain::ids::PlatformItemId;
use crate::domain::item::{FetchedItem, Presence, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities};
use crate::platforms::climb::climb;
use crate::platforms::connector::{Answered, Bar, Connector, Standing, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::http::{Answer, BadHttpSettings, Http, below};
use crate::platforms::settings::WordPressSettings;
use crate::platforms::{ConnectionReport, Receipt, Sought, html, json};
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
#[derive(Debug)]
struct Base {
    site: Url,
    /// Sites with plain links have it elsewhere, which is found out.
    pretty: AtomicBool,
}

impl Base {
    /// The address of `path` under `wp/v2/`.
    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        if self.pretty.load(Ordering::Relaxed) {
            return below(&self.site, &format!("wp-json/wp/v2/{path}"), query);
        }
        let route = format!("/wp/v2/{path}");
        let query: Vec<_> = [("rest_route", route.as_str())].iter().chain(query).copied().collect();
        below(&self.site, "", &query)
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
            base: Base { site: settings.site, pretty: AtomicBool::new(settings.pretty_links) },
            user: settings.user,
            password: settings.password,
            capabilities: Arc::new(capability::of(PlatformKind::WordPress)),
            me: OnceCell::new(),
            posts_given: Mutex::new(HashMap::new()),
        })
    }

    /// The answer whatever its status.
    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        let call = self.http.call(Method::GET, self.base.url(path, query));
        self.http.send(call.basic_auth(&self.user, Some(self.password.expose()))).await
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        let answer = self.ask(path, query).await?;
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
        let mut answer = self.ask("users/me", &fields).await?;
        let is_page = || serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_err();
        // Where links are plain there is nothing at that address, and the site says so with a page of its own.
        if answer.status == 404 && is_page() && self.base.pretty.load(Ordering::Relaxed) {
            self.base.pretty.store(false, Ordering::Relaxed);
            let other = self.ask("users/me", &fields).await?;
            match serde_json::from_slice::<serde::de::IgnoredAny>(&other.body) {
                Ok(_) => answer = other,
                Err(_) => self.base.pretty.store(true, Ordering::Relaxed),
            }
        }
        if !answer.is_success() {
            return Err(wire::fault(&answer));
        }
        json::decode(&answer.text()).map_err(|_| answer.not_json())
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
        Ok((answer.object()?, answer.body))
    }

    /// Lists comments of all kinds in all states: the elements, and on how many pages they stand.
    async fn list(&self, query: &[(&str, &str)]) -> Result<(Answer, Option<u64>), PlatformError> {
        let mut all = vec![("context", "edit"), ("status", "any"), ("type", "all")];
        all.extend_from_slice(query);
        let answer = self.get("comments", &all).await?;
        let pages = answer.number("x-wp-totalpages");
        Ok((answer, pages))
    }
}

/// The status that an act asks for.
const fn status_for(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Hidden => "hold",
        Wanted::Visible => "approved",
        Wanted::Away => "trash",
    }
}

fn standing(status: String) -> Standing {
    let presence = wire::presence(&status);
    let barred = (presence == Presence::Binned).then(|| Bar {
        wanted: Wanted::Visible,
        code: status.clone(),
        reason:
            "Kommentaren ligger i papperskorgen eller bland skräpposten. Återställ den i WordPress."
                .into(),
    });
    Standing { presence, word: status, barred: barred.into_iter().collect() }
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
impl Connector for WordPress {
    const KIND: PlatformKind = PlatformKind::WordPress;

    fn clock(&self) -> &Clock {
        self.http.clock()
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

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        self.me().await.map(drop)
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        let me = self.me().await?;
        let (comment, raw) = self.comment(id_of(item)?).await?;
        Ok(comment.into_item(&raw, me))
    }

    /// Lists leave out what a plugin filters away: only a single reading tells that a comment is
    /// gone.
    async fn read_several(&self, items: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        let me = self.me().await?;
        let ids = items.iter().map(id_of).collect::<Result<Vec<_>, _>>()?.join(",");
        let (answer, _) = self.list(&[("include", &ids), ("per_page", "100")]).await?;
        let text = answer.text();
        let comments = answer.view::<Vec<_>>(&text)?;
        Ok(readable(&comments).map(|(c, raw): (Comment, _)| c.into_item(raw, me)).collect())
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let me = self.me().await?;
        let (start, _) = self.comment(id_of(item)?).await?;
        let gone = "en kommentar högre upp i tråden är borttagen";
        let climbed = climb(start.parent(), DEEPEST_THREAD, gone, |id| async move {
            let (comment, raw) = self.comment(&id.to_string()).await?;
            let above = comment.parent();
            Ok((comment.into_item(&raw, me), above))
        })
        .await?;
        let post_href = start.post_href().map(str::to_owned);
        let posts = match start.post {
            0 => Vec::new(),
            post => self.posts(&[(post, post_href)]).await?,
        };
        Ok(Thread {
            post: posts.into_iter().next().map(Post::into_post),
            above: climbed.above,
            missing: climbed.missing,
        })
    }

    async fn standing(&self, item: &ItemAddress) -> Result<Standing, PlatformError> {
        Ok(standing(self.comment(id_of(item)?).await?.0.status))
    }

    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError> {
        let path = format!("comments/{}", id_of(item)?);
        let answer = match wanted {
            Wanted::Away => self.write(Method::DELETE, &path, None).await?,
            Wanted::Hidden | Wanted::Visible => {
                let body = json!({ "status": status_for(wanted) });
                self.write(Method::POST, &path, Some(body)).await?
            }
        };
        if answer.is_success() {
            // An unknown status is answered with 200 and changes nothing, so the answer counts.
            return Ok(Answered::Now(standing(answer.object::<Comment>()?.status)));
        }
        match (wire::code(&answer).as_deref(), wanted) {
            (Some("rest_already_trashed"), Wanted::Away) => {
                Ok(Answered::Before(standing(status_for(wanted).into())))
            }
            // Some versions answer so when the status was the same already.
            (Some("rest_comment_failed_edit"), Wanted::Hidden | Wanted::Visible) => {
                let now = self.standing(item).await.map_err(PlatformError::after_the_act)?;
                if now.presence == wire::presence(status_for(wanted)) {
                    Ok(Answered::Before(now))
                } else {
                    Err(wire::fault(&answer))
                }
            }
            _ => Err(wire::fault(&answer)),
        }
    }

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        key: &str,
    ) -> Result<Receipt, PlatformError> {
        let id = id_of(item)?;
        let (parent, _) = self.comment(id).await?;
        // What an editor types is text, and what WordPress takes is HTML.
        let body = json!({
            "post": parent.post, "parent": parent.id, "content": html::escape(text),
        });
        let answer = self.write(Method::POST, "comments", Some(body)).await?;
        if answer.is_success() {
            let reply: Comment = answer.object()?;
            if reply.parent != parent.id {
                return Err(PlatformError::Contract {
                    detail: "the answer was put in another place".into(),
                });
            }
            return Ok(Receipt::Done(reply.id.to_string()));
        }
        // An earlier attempt may have gone through: WordPress refuses the same text twice.
        if wire::code(&answer).as_deref() == Some("comment_duplicate")
            && let Some(id) = self.own_answer(item, &Sought::ever(text, key)).await?
        {
            return Ok(Receipt::AlreadySo(id));
        }
        Err(wire::fault(&answer))
    }

    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let parent = id_of(item)?;
        let me = self.me().await?;
        let (author, wanted) = (me.to_string(), html::folded(sought.text));
        let is_it = |comment: &Comment| {
            let is_shown = wire::presence(&comment.status) != Presence::Binned;
            let plain = html::to_plain(&comment.content.raw, html::Newlines::Keep).text;
            is_shown
                && comment.author == me
                && html::folded(&plain) == wanted
                && sought.can_be(&comment.id.to_string(), comment.written_at())
        };
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
            let text = answer.text();
            let found = readable(&answer.view::<Vec<_>>(&text)?).map(|(c, _)| c).find(is_it);
            if found.is_some() || pages.is_none_or(|pages| page >= pages) {
                return Ok(found.map(|comment| comment.id.to_string()));
            }
            page += 1;
        }
    }
}
