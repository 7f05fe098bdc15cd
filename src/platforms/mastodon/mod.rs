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
mod moderation;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;

use crate::domain::account::PlatformKind;
use crate::domain::item::{FetchedItem, ItemKind, LiveReading, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities, LengthUnit, Offer, ReplyLimit};
use crate::platforms::climb::climb;
use crate::platforms::connector::{Answered, Connector, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::http::{Answer, BadHttpSettings, Http};
use crate::platforms::patience::Patience;
use crate::platforms::settings::MastodonSettings;
use crate::platforms::{ConnectionReport, Receipt, Sought, held};
use crate::runtime::clock::Clock;

use api::Api;
use wire::{Account, Application, Audience, Context, Id, Instance, Presented, Status};

/// Nobody reads a thread deeper than this; where a server shows one level at a time it would cost
/// a call each.
const DEEPEST_THREAD: usize = 40;

/// Places remembered before they are forgotten all at once.
const MOST_PLACES: usize = 50_000;

/// Why what is still there cannot be read.
const NOT_SHOWN: &str = "skribenten blockerar kontot på plattformen, så inlägget visas inte för kontot; det finns kvar för andra";
/// Why nobody knows whether it is still there.
const MAYBE_GONE: &str = "servern visar inte inlägget för kontot: det är borttaget, eller så blockerar skribenten kontot";

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

/// Where posts are taken away on a server of one's own.
/// What limiting does, where the account may.
const LIMITS: &str = "begränsar skribentens hela konto på den egna servern, inte bara inlägget";
const LIMITED: &str = "Skribentens hela konto begränsas på den egna servern: inläggen syns bara för dem som följer det, och på andra servrar som förut. Öppna anmälningar av inlägget avslutas. Kan hävas.";

const MODERATED: &str = "görs i serverns administration: öppna inlägget via länken och välj att moderera kontot eller inlägget; där kan det döljas, tas bort eller kontot begränsas";

/// The connector for one account.
pub struct Mastodon {
    api: Api,
    capabilities: Mutex<Arc<Capabilities>>,
    /// Whether the account moderates the server.
    is_moderator: bool,
    /// Whether it limits authors there.
    limits: bool,
    me: OnceCell<Id>,
    /// Where what was read stands.
    places: Mutex<HashMap<Id, Place>>,
    patience: Patience,
}

/// Where a post stands, as far as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    /// Our own post above.
    post: Option<Id>,
    /// What stands at the top where that is not ours.
    page: Option<String>,
}

impl Place {
    const fn under(post: Id) -> Self {
        Self { post: Some(post), page: None }
    }

    fn item(&self, status: Status, raw: &[u8], me: &Id) -> FetchedItem {
        let mut item = status.into_item(raw, me, self.post.as_ref());
        item.page.clone_from(&self.page);
        item
    }
}

impl Mastodon {
    /// A connector for the account.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: MastodonSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let secrets = vec![settings.token.clone()];
        let http = Http::new(&settings.server, &settings.http, clock, secrets)?;
        let mut capabilities = capability::of(PlatformKind::Mastodon);
        if settings.limits {
            capabilities.hide = Offer::Conditional { condition: LIMITS };
            capabilities.unhide = Offer::Conditional { condition: LIMITS };
            capabilities.hide_effect = LIMITED.into();
        } else if settings.moderator {
            capabilities.hide = Offer::ByHand { why: MODERATED };
        }
        Ok(Self {
            api: Api::new(http, settings.server, settings.token),
            capabilities: Mutex::new(Arc::new(capabilities)),
            is_moderator: settings.moderator,
            limits: settings.limits,
            me: OnceCell::new(),
            places: Mutex::default(),
            patience: Patience::default(),
        })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Id, Place>> {
        let mut places = held(&self.places);
        if places.len() >= MOST_PLACES {
            places.clear();
        }
        places
    }

    /// Whom the server takes us for.
    async fn who(&self) -> Result<Account, PlatformError> {
        match self.api.get("v1/accounts/verify_credentials", &[]).await {
            Ok(answer) => answer.object(),
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
            if let Some(most) = answer.object::<Instance>()?.longest_status() {
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
                let status: Status = answer.object()?;
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

    /// Whether what the server does not give us is gone. Whoever has blocked the account is hidden
    /// from it in the very same words, and still shown to everybody else.
    async fn gone_or_not_shown(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        if item.kind == ItemKind::DirectMessage {
            return Ok(LiveReading::NotReadable { why: MAYBE_GONE });
        }
        match self.api.get_as_anybody(&format!("v1/statuses/{}", id_of(item)?)).await {
            Ok(_) => Ok(LiveReading::NotReadable { why: NOT_SHOWN }),
            Err(PlatformError::Gone) => Ok(LiveReading::Gone),
            Err(error) if error.may_pass() => Err(error),
            // A server that shows nothing to strangers cannot be asked this way.
            Err(_) => Ok(LiveReading::NotReadable { why: MAYBE_GONE }),
        }
    }

    /// What stands around a post, in a shape that can be read.
    async fn context(&self, id: &Id) -> Result<Answer, PlatformError> {
        let answer = self.api.get(&format!("v1/statuses/{id}/context"), &[]).await?;
        answer.view::<Context<'_>>(&answer.text())?;
        Ok(answer)
    }

    /// Where a thread stands, from what is above one of its answers.
    fn place_below(&self, me: &Id, context: &Context<'_>) -> Place {
        let above: Vec<Status> = readable(&context.ancestors).map(|(status, _)| status).collect();
        let Some(top) = above.iter().find(|status| status.in_reply_to_id.is_none()) else {
            return Place::default();
        };
        let place = if top.is_by(me) {
            Place::under(top.id.clone())
        } else {
            Place { post: None, page: top.link() }
        };
        let mut places = self.places();
        for status in &above {
            places.insert(status.id.clone(), place.clone());
        }
        place
    }

    /// Where a post stands, asked of the server where it is not known. `None` where the server does
    /// not say just now.
    ///
    /// # Errors
    /// Only what concerns the whole account: somebody else's thread, which the server may never give,
    /// must not hold up the reading of everything else.
    async fn place_of(&self, me: &Id, status: &Status) -> Result<Option<Place>, PlatformError> {
        let Some(parent) = &status.in_reply_to_id else { return Ok(Some(Place::default())) };
        let known = self.places().get(parent).cloned();
        let place = match known {
            Some(place) => place,
            None => match self.context(&status.id).await {
                Ok(answer) => self.place_below(me, &answer.view(&answer.text())?),
                Err(PlatformError::Gone) => Place::default(),
                Err(error) if error.concerns_the_account() => return Err(error),
                Err(error) => {
                    tracing::warn!(error = %error, "where a post stands is asked again later");
                    return Ok(None);
                }
            },
        };
        self.places().insert(status.id.clone(), place.clone());
        Ok(Some(place))
    }
}

/// What is missing when a thread could not be read.
fn unread_thread(id: &Id) -> String {
    format!("Servern lämnar inte ut tråden vid inlägg {id}. Läs den på plattformen.")
}

/// Which of these is our answer to `parent` with this text.
fn said_under(elements: &[&RawValue], me: &Id, parent: &Id, sought: &Sought<'_>) -> Option<String> {
    let is_it = |status: &Status| {
        status.is_by(me)
            && status.in_reply_to_id.as_ref() == Some(parent)
            && status.says(sought.text)
            && sought.can_be(status.id.as_str(), status.written_at())
    };
    let found = readable(elements).rev().map(|(status, _)| status).find(is_it)?;
    Some(found.id.to_string())
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
impl Connector for Mastodon {
    const KIND: PlatformKind = PlatformKind::Mastodon;

    fn clock(&self) -> &Clock {
        self.api.http.clock()
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&held(&self.capabilities))
    }

    async fn description(&self) -> Result<Option<String>, PlatformError> {
        let answer = self.api.get("v1/accounts/verify_credentials", &[]).await?;
        Ok(Some(answer.object::<Presented>()?.text()))
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
            Ok(answer) => answer.object::<Application>().map(|app| app.scopes).unwrap_or_default(),
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
        if self.is_moderator {
            match self.api.get("v1/admin/reports", &[("limit", "1")]).await {
                Ok(_) => {}
                Err(PlatformError::Forbidden { .. } | PlatformError::Gone) => {
                    missing.push(moderation::SCOPE);
                }
                Err(error) => return Err(error),
            }
        }
        // Shown only by what the token was made for: trying it would do it.
        if self.limits && !told.is_empty() {
            let has = |wanted: &str| told.iter().any(|scope| scope == wanted);
            let lacking = moderation::ACTS.iter().filter(|(scope, _)| !has(scope));
            missing.extend(lacking.filter(|_| !has("admin:write")));
        }
        let missing = missing
            .into_iter()
            .map(|(scope, without)| {
                format!("åtkomstnyckeln saknar rättigheten {scope} och kan inte {without}: skapa en ny nyckel på servern under Inställningar → Utveckling")
            })
            .collect();
        Ok(ConnectionReport { acting_as: format!("@{}", me.acct), missing, expires_at: None })
    }

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        self.api.allowance.may_read_on(self.clock().now())
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        let me = self.me().await?;
        let (status, raw) = self.status(&id_of(item)?).await?;
        Ok(status.into_item(&raw, me, post_of(item).as_ref()))
    }

    async fn look(&self, item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        match self.read(item).await {
            Ok(item) => Ok(LiveReading::Present(Box::new(item))),
            Err(PlatformError::Gone) => self.gone_or_not_shown(item).await,
            Err(error) => Err(error),
        }
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let me = self.me().await?;
        let id = id_of(item)?;
        let (status, _) = self.status(&id).await?;
        let answer = self.api.get(&format!("v1/statuses/{id}/context"), &[]).await?;
        let text = answer.text();
        let context: Context<'_> = answer.view(&text)?;
        let mut told: HashMap<Id, (Status, Vec<u8>)> = readable(&context.ancestors)
            .map(|(status, raw): (Status, _)| (status.id.clone(), (status, raw.to_vec())))
            .collect();
        let is_damaged = told.len() < context.ancestors.len();
        let gone = "ett inlägg högre upp i tråden är borttaget eller syns inte för kontot";
        let climbed = climb(status.in_reply_to_id, DEEPEST_THREAD, gone, |parent| {
            let told = told.remove(&parent);
            async move {
                // Some servers show one level at a time.
                let read = match told {
                    Some(read) => read,
                    None => self.status(&parent).await?,
                };
                let above = read.0.in_reply_to_id.clone();
                Ok((read, above))
            }
        })
        .await?;
        let mut chain = VecDeque::from(climbed.above);
        let is_ours = |(status, _): &mut (Status, Vec<u8>)| {
            status.is_by(me) && status.in_reply_to_id.is_none()
        };
        let post = chain.pop_front_if(is_ours).map(|(status, _)| status);
        let post_id = post.as_ref().map(|post| post.id.clone());
        let above = chain.into_iter();
        Ok(Thread {
            above: above
                .map(|(status, raw)| status.into_item(&raw, me, post_id.as_ref()))
                .collect(),
            post: post.map(Status::into_post),
            missing: climbed
                .missing
                .or(is_damaged.then(|| "ett inlägg i tråden gick inte att läsa".into())),
        })
    }

    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError> {
        match wanted {
            Wanted::Hidden | Wanted::Visible if !self.limits => {
                return PlatformError::not_offered("hide");
            }
            Wanted::Hidden | Wanted::Visible => {
                return self.limit_author(item, wanted == Wanted::Hidden).await;
            }
            Wanted::Away => {}
        }
        let me = self.me().await?;
        let id = id_of(item)?;
        let (status, _) = self.status(&id).await?;
        if !status.is_by(me) {
            return Err(PlatformError::Refused {
                code: "not_own".into(),
                reason: "Servern låter bara skribenten själv ta bort inlägget. Anmäl det i stället, eller blockera skribenten på plattformen.".into(),
            });
        }
        match self.api.delete(&format!("v1/statuses/{id}")).await {
            Ok(_) => Ok(Answered::Success),
            // It was there a moment ago: the server has no such call, or somebody was faster.
            Err(PlatformError::Gone) => {
                self.status(&id).await?;
                Err(PlatformError::Refused {
                    code: "404".into(),
                    reason: "Den här servern låter inte program ta bort inlägg. Ta bort det på plattformen.".into(),
                })
            }
            Err(error) => Err(error),
        }
    }

    async fn answer(
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
        let published: Status = answer.object()?;
        let is_in_place = published.in_reply_to_id.as_ref() == Some(&id) && published.is_by(me);
        if !is_in_place || (closed && published.audience() != Audience::Closed) {
            return Err(PlatformError::Contract {
                detail: "the answer stands in another place, or before more people, than asked for"
                    .into(),
            });
        }
        Ok(Receipt::Done(published.id.to_string()))
    }

    /// The thread first; then our own newest posts, since a thread may be gone or late.
    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let parent = id_of(item)?;
        let me = self.me().await?;
        match self.api.get(&format!("v1/statuses/{parent}/context"), &[]).await {
            Ok(answer) => {
                let body = answer.text();
                let context: Context<'_> = answer.view(&body)?;
                if let Some(id) = said_under(&context.descendants, me, &parent, sought) {
                    return Ok(Some(id));
                }
            }
            Err(PlatformError::Gone) => {}
            Err(error) => return Err(error),
        }
        let query = [("exclude_reblogs", "true"), ("limit", "40")];
        let answer = self.list(&format!("v1/accounts/{me}/statuses"), &query).await?;
        let body = answer.text();
        Ok(said_under(&answer.view::<Vec<_>>(&body)?, me, &parent, sought))
    }

    async fn accuse(&self, item: &ItemAddress, reason: &str) -> Result<Receipt, PlatformError> {
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
            Ok(answer) => Ok(Receipt::Done(answer.object::<Report>()?.id.to_string())),
            // The post is there, so it is the call that the server does not know.
            Err(PlatformError::Gone | PlatformError::Refused { .. }) => Err(PlatformError::Refused {
                code: "report".into(),
                reason: "Servern tog inte emot anmälan. Anmäl inlägget på plattformen, via länken till det.".into(),
            }),
            Err(error) => Err(error),
        }
    }
}
