//! Mastodon's client interface, as Mastodon and other software speak it, with an access token
//! (`platforms` sheet, section 11).
//!
//! Nobody but its author can take a post off the network, so there is nothing to hide with; what
//! there is instead is to report, and to delete what is our own. Private messages are posts whose
//! audience is closed: an answer never goes to more people than what it answers did.
//!
//! A server says the same of a post that was deleted and of an address that it does not have, so
//! before a post is called gone the server has to know us.

mod api;
mod fetch;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::domain::account::PlatformKind;
use crate::domain::ids::Cursor;
use crate::domain::item::{Batch, LiveReading, Thread, Walk};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::{self, Capabilities, LengthUnit, ReplyLimit};
use crate::platforms::error::PlatformError;
use crate::platforms::http::{Answer, BadHttpSettings, Http};
use crate::platforms::settings::MastodonSettings;
use crate::platforms::{ConnectionReport, CredentialKeeper, Platform, Receipt, json};
use crate::runtime::clock::Clock;

use api::{Api, object};
use wire::{Account, Application, Audience, Context, Id, Instance, Read, Status};

/// Nobody reads a thread deeper than this; where a server shows one level at a time it would cost
/// a call each.
const DEEPEST_THREAD: usize = 40;

/// Places remembered before they are forgotten all at once.
const MOST_PLACES: usize = 50_000;

/// The longest reason that a report takes, in characters.
const LONGEST_REASON: usize = 1_000;

/// What an answer needs beside its text: `@name` of at most thirty characters and a space.
const ADDRESS_ROOM: u32 = 32;

/// What the token should be allowed, and what is lost without it.
const SCOPES: &[(&str, &str)] = &[
    ("read:notifications", "läsa omnämnanden och meddelanden"),
    ("read:statuses", "läsa trådar"),
    ("read:accounts", "se vilket konto nyckeln hör till"),
    ("write:statuses", "svara"),
    ("write:reports", "anmäla till plattformen"),
];

/// The connector for one account.
pub struct Mastodon {
    api: Api,
    capabilities: Mutex<Arc<Capabilities>>,
    me: OnceCell<Id>,
    /// Which post of ours stands above what was read; `None`: none does.
    places: Mutex<HashMap<Id, Option<Id>>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Mastodon {
    /// A connector for the account.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: MastodonSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let secrets = vec![settings.token.clone()];
        let http = Http::new(&settings.server, &settings.http, clock, secrets)?;
        Ok(Self {
            api: Api::new(http, settings.server, settings.token),
            capabilities: Mutex::new(Arc::new(capability::of(PlatformKind::Mastodon))),
            me: OnceCell::new(),
            places: Mutex::default(),
        })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Id, Option<Id>>> {
        let mut places = held(&self.places);
        if places.len() >= MOST_PLACES {
            places.clear();
        }
        places
    }

    /// Whom the server takes us for.
    async fn who(&self) -> Result<Account, PlatformError> {
        match self.api.get("v1/accounts/verify_credentials", &[]).await {
            Ok(answer) => object(&answer),
            Err(PlatformError::Gone) => Err(no_such_interface()),
            // snac's word for a token that it does not know.
            Err(PlatformError::Refused { code, .. }) => {
                Err(PlatformError::ReauthNeeded { detail: format!("HTTP {code}") })
            }
            Err(error) => Err(error),
        }
    }

    /// Our own account's id. Along with it the server's longest post is learnt.
    async fn me(&self) -> Result<&Id, PlatformError> {
        let first = async || {
            let me = self.who().await?;
            self.learn_limits().await?;
            Ok(me.id)
        };
        self.me.get_or_try_init(first).await
    }

    async fn learn_limits(&self) -> Result<(), PlatformError> {
        for path in ["v2/instance", "v1/instance"] {
            let answer = match self.api.get(path, &[]).await {
                Ok(answer) => answer,
                Err(PlatformError::Gone) => continue,
                Err(error) => return Err(error),
            };
            if let Some(most) = object::<Instance>(&answer)?.longest_status() {
                let mut can = held(&self.capabilities);
                let limit = ReplyLimit {
                    most: most.saturating_sub(ADDRESS_ROOM),
                    unit: LengthUnit::Characters,
                };
                let mut changed = (**can).clone();
                changed.longest_reply = Some(limit);
                changed.longest_message = Some(limit);
                *can = Arc::new(changed);
                return Ok(());
            }
        }
        Ok(())
    }

    /// A list that every server has.
    async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        self.api.get(path, query).await.map_err(|error| match error {
            PlatformError::Gone => no_such_interface(),
            other => other,
        })
    }

    /// One post, with its element as received. Gone only where the server knows us.
    async fn status(&self, id: &Id) -> Result<(Status, Vec<u8>), PlatformError> {
        match self.api.get(&format!("v1/statuses/{id}"), &[]).await {
            Ok(answer) => {
                let status: Status = object(&answer)?;
                if status.id == *id {
                    return Ok((status, answer.body));
                }
                Err(PlatformError::Contract { detail: "another post came than asked for".into() })
            }
            Err(PlatformError::Gone) => {
                self.who().await?;
                Err(PlatformError::Gone)
            }
            Err(error) => Err(error),
        }
    }

    /// Our own post at the top of a thread, from what stands above one of its answers.
    fn own_post_among(&self, me: &Id, context: &Context<'_>) -> Option<Id> {
        let above: Vec<Status> = context
            .ancestors
            .iter()
            .filter_map(|element| Read::of(element).ok())
            .map(|read| read.status)
            .collect();
        let top = above.iter().find(|status| status.in_reply_to_id.is_none())?;
        let post = top.is_by(me).then(|| top.id.clone());
        let mut places = self.places();
        for status in &above {
            places.insert(status.id.clone(), post.clone());
        }
        post
    }

    /// Our own post above this one, asked of the server where it is not known and `ask` is set.
    async fn post_above(
        &self,
        me: &Id,
        status: &Status,
        ask: bool,
    ) -> Result<Option<Id>, PlatformError> {
        let Some(parent) = &status.in_reply_to_id else { return Ok(None) };
        let known = self.places().get(parent).cloned();
        let post = match known {
            Some(post) => post,
            None if ask => {
                match self.api.get(&format!("v1/statuses/{}/context", status.id), &[]).await {
                    Ok(answer) => {
                        let text = json::text(&answer.body);
                        let context: Context<'_> = serde_json::from_str(&text)
                            .map_err(|error| answer.unexpected(&error))?;
                        self.own_post_among(me, &context)
                    }
                    Err(PlatformError::Gone) => None,
                    Err(error) => return Err(error),
                }
            }
            None => return Ok(None),
        };
        self.places().insert(status.id.clone(), post.clone());
        Ok(post)
    }

    /// The newest answer of ours with this text directly under the post.
    async fn own_reply(&self, parent: &Id, text: &str) -> Result<Option<String>, PlatformError> {
        let me = self.me().await?;
        // The thread first; then our own newest posts, since a thread may be gone or late.
        let thread = match self.api.get(&format!("v1/statuses/{parent}/context"), &[]).await {
            Ok(answer) => Some(answer),
            Err(PlatformError::Gone) => None,
            Err(error) => return Err(error),
        };
        if let Some(answer) = &thread {
            let body = json::text(&answer.body);
            let context: Context<'_> =
                serde_json::from_str(&body).map_err(|error| answer.unexpected(&error))?;
            if let Some(id) = said_under(&context.descendants, me, parent, text) {
                return Ok(Some(id));
            }
        }
        let query = [("exclude_reblogs", "true"), ("limit", "40")];
        let answer = self.list(&format!("v1/accounts/{me}/statuses"), &query).await?;
        let body = json::text(&answer.body);
        let own = json::elements(&body).map_err(|error| answer.unexpected(&error))?;
        Ok(said_under(&own, me, parent, text))
    }
}

/// Which of these is our answer to `parent` with this text.
fn said_under(
    elements: &[&serde_json::value::RawValue],
    me: &Id,
    parent: &Id,
    text: &str,
) -> Option<String> {
    elements.iter().rev().find_map(|element| {
        let status = Read::of(element).ok()?.status;
        let is_it =
            status.is_by(me) && status.in_reply_to_id.as_ref() == Some(parent) && status.says(text);
        is_it.then(|| status.id.to_string())
    })
}

fn no_such_interface() -> PlatformError {
    PlatformError::Contract {
        detail: "HTTP 404: the address is not that of a server with Mastodon's interface".into(),
    }
}

fn id_of(item: &ItemAddress) -> Result<Id, PlatformError> {
    Id::new(item.platform_id.as_str()).ok_or_else(|| PlatformError::Contract {
        detail: "the item's id is none of this platform".into(),
    })
}

/// The post that stands above, as it was known when the item was stored.
fn post_of(item: &ItemAddress) -> Option<Id> {
    item.post_id.as_ref().and_then(|post| Id::new(post.as_str()))
}

#[async_trait]
impl Platform for Mastodon {
    fn kind(&self) -> PlatformKind {
        PlatformKind::Mastodon
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&held(&self.capabilities))
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        let me = self.who().await?;
        let mut missing = Vec::new();
        // What the token is allowed shows in what it opens; what it may write only in what it was
        // made for, which new servers tell.
        let own = format!("v1/accounts/{}/statuses", me.id);
        let trials = [("v1/notifications", SCOPES[0]), (own.as_str(), SCOPES[1])];
        for (path, scope) in trials {
            match self.list(path, &[("limit", "1")]).await {
                Ok(_) => {}
                Err(PlatformError::Forbidden { .. }) => missing.push(scope),
                Err(error) => return Err(error),
            }
        }
        let told = match self.api.get("v1/apps/verify_credentials", &[]).await {
            Ok(answer) => object::<Application>(&answer).map(|app| app.scopes).unwrap_or_default(),
            // Not all software knows this call, and without it nothing is known to be missing.
            Err(error) if error.may_pass() => return Err(error),
            Err(_) => Vec::new(),
        };
        if !told.is_empty() {
            missing.extend(SCOPES.iter().filter(|(scope, _)| {
                let whole = scope.split_once(':').map_or(*scope, |(whole, _)| whole);
                !told.iter().any(|has| has == scope || has == whole)
            }));
            missing.dedup();
        }
        let missing = missing
            .into_iter()
            .map(|(scope, without)| {
                format!("åtkomstnyckeln saknar rättigheten {scope} och kan inte {without}: skapa en ny nyckel på servern under Inställningar → Utveckling")
            })
            .collect();
        Ok(ConnectionReport { acting_as: format!("@{}", me.acct), missing, expires_at: None })
    }

    async fn renew(&self, _keeper: &dyn CredentialKeeper) -> Result<(), PlatformError> {
        // A token holds until somebody revokes it.
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
        match self.status(&id_of(item)?).await {
            Ok((status, raw)) => {
                let item = status.into_item(&raw, me, post_of(item).as_ref());
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
        for item in items {
            readings.push(self.read_live(item).await?);
        }
        Ok(readings)
    }

    async fn read_thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let me = self.me().await?;
        let id = id_of(item)?;
        let (status, _) = self.status(&id).await?;
        let answer = self.api.get(&format!("v1/statuses/{id}/context"), &[]).await?;
        let text = json::text(&answer.body);
        let context: Context<'_> =
            serde_json::from_str(&text).map_err(|error| answer.unexpected(&error))?;
        let mut thread = Thread::default();
        let mut above: HashMap<Id, (Status, Vec<u8>)> = HashMap::new();
        for element in &context.ancestors {
            match Read::of(element) {
                Ok(Read { status, raw }) => {
                    above.insert(status.id.clone(), (status, raw.to_vec()));
                }
                Err(_) => thread.missing = Some("ett inlägg i tråden gick inte att läsa".into()),
            }
        }
        let mut chain: Vec<(Status, Vec<u8>)> = Vec::new();
        let mut next = status.in_reply_to_id;
        while let Some(parent) = next {
            if chain.len() == DEEPEST_THREAD {
                thread.missing = Some("tråden är djupare än vad som läses".into());
                break;
            }
            // Some servers show one level at a time.
            let read = match above.remove(&parent) {
                Some(read) => read,
                None => match self.status(&parent).await {
                    Ok(read) => read,
                    Err(PlatformError::Gone) => {
                        thread.missing = Some(
                            "ett inlägg högre upp i tråden är borttaget eller syns inte för kontot"
                                .into(),
                        );
                        break;
                    }
                    Err(error) => return Err(error),
                },
            };
            next = read.0.in_reply_to_id.clone();
            chain.push(read);
        }
        let is_ours =
            |(status, _): &(Status, Vec<u8>)| status.is_by(me) && status.in_reply_to_id.is_none();
        let post = chain.pop_if(|top| is_ours(top)).map(|(status, _)| status);
        let post_id = post.as_ref().map(|post| post.id.clone());
        thread.above = chain
            .into_iter()
            .rev()
            .map(|(status, raw)| status.into_item(&raw, me, post_id.as_ref()))
            .collect();
        thread.post = post.map(Status::into_post);
        Ok(thread)
    }

    async fn hide(&self, _warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("hide")
    }

    async fn delete(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        let me = self.me().await?;
        let id = id_of(warrant.item())?;
        let (status, _) = self.status(&id).await?;
        if !status.is_by(me) {
            return Err(PlatformError::Refused {
                code: "not_own".into(),
                reason: "Servern låter bara skribenten själv ta bort inlägget. Anmäl det i stället, eller blockera skribenten på plattformen.".into(),
            });
        }
        match self.api.delete(&format!("v1/statuses/{id}")).await {
            Ok(_) => {}
            // It was there a moment ago: the server has no such call, or somebody was faster.
            Err(PlatformError::Gone) => {
                return match self.status(&id).await {
                    Err(error) => Err(error),
                    Ok(_) => Err(PlatformError::Refused {
                        code: "404".into(),
                        reason: "Den här servern låter inte program ta bort inlägg. Ta bort det på plattformen.".into(),
                    }),
                };
            }
            Err(error) => return Err(error),
        }
        match self.status(&id).await {
            Err(PlatformError::Gone) => Ok(Receipt::Done("deleted".into())),
            Ok(_) => Err(PlatformError::Contract {
                detail: "delete was answered with success and the post is there".into(),
            }),
            Err(error) => Err(error.after_the_act()),
        }
    }

    async fn unhide(&self, _item: &ItemAddress) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("unhide")
    }

    async fn reply(
        &self,
        item: &ItemAddress,
        text: &str,
        key: &str,
    ) -> Result<Receipt, PlatformError> {
        let me = self.me().await?;
        let id = id_of(item)?;
        let (parent, _) = self.status(&id).await?;
        let closed = parent.audience() == Audience::Closed;
        // Only those named are told of an answer, and see one that is closed.
        let address = format!("@{} ", parent.account.acct);
        let said = if text.starts_with(&address) || parent.is_by(me) {
            text.to_owned()
        } else {
            format!("{address}{text}")
        };
        let body = json!({
            "status": said,
            "in_reply_to_id": id.as_str(),
            // Never wider than what is answered: our followers are not the writer's.
            "visibility": if closed { "direct" } else { "unlisted" },
            "language": "sv",
        });
        // The server remembers keys by account alone: with the post in it, one key is one answer.
        let key = format!("{key}-{id}");
        let answer = self.api.post("v1/statuses", &body, Some(&key)).await?;
        let published: Status = object(&answer)?;
        let is_in_place = published.in_reply_to_id.as_ref() == Some(&id) && published.is_by(me);
        if !is_in_place || (closed && published.audience() != Audience::Closed) {
            return Err(PlatformError::Contract {
                detail: "the answer stands in another place, or before more people, than asked for"
                    .into(),
            });
        }
        Ok(Receipt::Done(published.id.to_string()))
    }

    async fn find_reply(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Option<Receipt>, PlatformError> {
        Ok(self.own_reply(&id_of(item)?, text).await?.map(Receipt::AlreadySo))
    }

    async fn report(&self, item: &ItemAddress, reason: &str) -> Result<Receipt, PlatformError> {
        if reason.chars().count() > LONGEST_REASON {
            return Err(PlatformError::Refused {
                code: "too_long".into(),
                reason: format!(
                    "Skälet är för långt: servern tar högst {LONGEST_REASON} tecken. Korta det."
                ),
            });
        }
        let id = id_of(item)?;
        let (status, _) = self.status(&id).await?;
        let body = json!({
            "account_id": status.account.id.as_str(),
            "status_ids": [id.as_str()],
            "comment": reason,
            "category": "other",
            // Only the writer's own server can take the post away.
            "forward": status.account.is_remote(),
        });
        #[derive(serde::Deserialize)]
        struct Report {
            id: Id,
        }
        match self.api.post("v1/reports", &body, None).await {
            Ok(answer) => Ok(Receipt::Done(object::<Report>(&answer)?.id.to_string())),
            // The post is there, so it is the call that the server does not know.
            Err(PlatformError::Gone | PlatformError::Refused { .. }) => Err(PlatformError::Refused {
                code: "report".into(),
                reason: "Servern tog inte emot anmälan. Anmäl inlägget på plattformen, via länken till det.".into(),
            }),
            Err(error) => Err(error),
        }
    }
}
