//! Sites that the authority runs itself: items come as JSON lines in a watched directory, as
//! signed pushes, or both; acts go out as signed calls, where the site offers them
//! (`platforms` sheet, section 15).
//!
//! Such a site cannot be asked how an item stands now. What it last told us is the best reading
//! there is, and [`LiveReading::NotReadable`] says so instead of passing it off as a look.

pub mod directory;
pub mod item;
pub mod push;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::account::PlatformKind;
use crate::domain::ids::{ContentHash, Cursor};
use crate::domain::item::{Batch, LiveReading, Thread, Walk};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::{self, Capabilities, Offer};
use crate::platforms::error::PlatformError;
use crate::platforms::http::{BadHttpSettings, Http};
use crate::platforms::push::{News, Push, PushRefused, PushRequest, PushSource};
use crate::platforms::settings::{OwnSiteActions, OwnSiteSettings, OwnSiteVerb};
use crate::platforms::{ConnectionReport, Platform, Receipt, Sought, position};
use crate::runtime::clock::Clock;

const NOT_READABLE: &str =
    "webbplatsen kan inte tillfrågas; det som gäller är vad den senast har skickat";

/// The connector for one own site.
pub struct OwnSite {
    settings: OwnSiteSettings,
    acts: Option<Acts>,
    capabilities: Arc<Capabilities>,
    clock: Clock,
}

struct Acts {
    http: Http,
    settings: OwnSiteActions,
}

#[derive(Deserialize)]
struct ActAnswer {
    #[serde(default)]
    status: String,
    #[serde(default)]
    id: Option<String>,
}

#[derive(Default, Deserialize)]
struct ActFault {
    #[serde(default)]
    error: String,
    #[serde(default)]
    message: String,
}

impl OwnSite {
    /// A connector for the site.
    ///
    /// # Errors
    /// [`BadHttpSettings`] for the address of acts, each with its mend.
    pub fn new(settings: OwnSiteSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let acts = match settings.actions.clone() {
            Some(actions) => {
                let secrets = vec![actions.secret.clone()];
                let http = Http::new(&actions.url, &actions.http, clock.clone(), secrets)?;
                Some(Acts { http, settings: actions })
            }
            None => None,
        };
        let capabilities = Arc::new(declared(&settings));
        Ok(Self { settings, acts, capabilities, clock })
    }

    /// Asks the site to act. Each attempt at hiding, showing and deleting has an id of its own:
    /// they are harmless twice, and a site that remembers ids must not take a later hiding for an
    /// earlier one.
    async fn act(
        &self,
        verb: OwnSiteVerb,
        action_id: &str,
        item: &ItemAddress,
        text: Option<&str>,
    ) -> Result<Receipt, PlatformError> {
        let acts = match &self.acts {
            Some(acts) if acts.settings.can.contains(&verb) => acts,
            Some(_) | None => return PlatformError::not_offered(verb.id()),
        };
        let mut body = serde_json::json!({
            "action": verb.id(), "action_id": action_id, "id": item.platform_id,
        });
        if let Some(text) = text {
            body["text"] = text.into();
        }
        let body = body.to_string().into_bytes();
        let signature = push::sign(&acts.settings.secret, &body, self.clock.now());
        let call = acts
            .http
            .call(Method::POST, acts.settings.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(push::SIGNATURE_HEADER, signature)
            .body(body);
        let answer = acts.http.send(call).await?;
        if let Some(trouble) = answer.trouble() {
            return Err(trouble);
        }
        if answer.is_success() {
            let told: ActAnswer =
                serde_json::from_slice(&answer.body).map_err(|_| answer.not_json())?;
            let state = told.id.unwrap_or_else(|| told.status.clone());
            return match told.status.as_str() {
                "done" => Ok(Receipt::Done(state)),
                "already" => Ok(Receipt::AlreadySo(state)),
                "gone" => Err(PlatformError::Gone),
                _ => Err(PlatformError::Contract {
                    detail: "the status is none of done, already and gone".into(),
                }),
            };
        }
        let fault: ActFault = serde_json::from_slice(&answer.body).unwrap_or_default();
        let message: String = fault.message.chars().take(300).collect();
        match answer.status {
            401 => {
                Err(PlatformError::ReauthNeeded { detail: "the site refused the signature".into() })
            }
            403 => Err(PlatformError::Forbidden {
                what: format!("webbplatsen tillåter det inte. {message}").trim_end().to_owned(),
            }),
            404 => Err(PlatformError::Gone),
            422 => Err(PlatformError::Refused {
                code: fault.error.chars().take(80).collect(),
                reason: if message.is_empty() {
                    "Webbplatsen godtog inte åtgärden och sade inte varför.".into()
                } else {
                    message
                },
            }),
            status => Err(PlatformError::Contract { detail: format!("HTTP {status}") }),
        }
    }
}

/// What the site's settings say it can do.
fn declared(settings: &OwnSiteSettings) -> Capabilities {
    let mut capabilities = capability::of(PlatformKind::OwnSite);
    let can = settings.actions.as_ref().map_or(&[][..], |actions| &actions.can);
    let offer = |verb| {
        if can.contains(&verb) {
            Offer::Native
        } else {
            Offer::ByHand {
                why: "görs på webbplatsen; den har inte angett att Uppsikt kan göra det",
            }
        }
    };
    capabilities.hide = offer(OwnSiteVerb::Hide);
    capabilities.unhide = offer(OwnSiteVerb::Unhide);
    capabilities.delete = offer(OwnSiteVerb::Delete);
    capabilities.reply_comment = offer(OwnSiteVerb::Reply);
    capabilities.reply_message = offer(OwnSiteVerb::Reply);
    if settings.push_secrets.is_empty() {
        capabilities.webhook =
            Offer::No { why: "ingen hemlighet för signerade anrop är angiven för webbplatsen" };
    }
    if let Some(effect) = settings.actions.as_ref().and_then(|actions| actions.hide_effect.clone())
    {
        capabilities.hide_effect = effect.into();
    }
    capabilities
}

fn once() -> String {
    uuid::Uuid::new_v4().to_string()
}

#[async_trait]
impl Platform for OwnSite {
    fn kind(&self) -> PlatformKind {
        PlatformKind::OwnSite
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        let mut missing = Vec::new();
        if let Some(directory) = &self.settings.directory
            && let Err(error) = tokio::fs::read_dir(directory).await
        {
            missing.push(format!("katalogen {} kan inte läsas: {error}", directory.display()));
        }
        if self.settings.directory.is_none() && self.settings.push_secrets.is_empty() {
            missing.push("varken katalog eller hemlighet för signerade anrop är angiven, så inget kan komma in".into());
        }
        let acting_as = match &self.acts {
            Some(acts) => acts.settings.url.host_str().unwrap_or("webbplatsen").to_owned(),
            None => "webbplatsen (bara läsning)".to_owned(),
        };
        Ok(ConnectionReport { acting_as, missing, expires_at: None })
    }

    async fn fetch(
        &self,
        cursor: Option<&Cursor>,
        _walk: Option<&Walk>,
    ) -> Result<Batch, PlatformError> {
        let Some(directory) = self.settings.directory.clone() else {
            return Ok(Batch::default());
        };
        let from: directory::Position = position::read("jsonl", cursor);
        let failed = |problem: String| PlatformError::Transient {
            detail: format!("the watched directory: {problem}"),
            may_have_acted: false,
            retry_at: None,
        };
        let read = tokio::task::spawn_blocking({
            let from = from.clone();
            move || directory::read(&directory, &from)
        })
        .await
        .map_err(|error| failed(error.to_string()))?
        .map_err(|error| failed(error.to_string()))?;
        let mut batch = Batch::default();
        for told in read.told {
            let pushed = match told {
                Ok(pushed) => pushed,
                Err(unreadable) => {
                    batch.unreadable.push(unreadable);
                    continue;
                }
            };
            batch.posts.extend(pushed.post);
            match pushed.told {
                News::Item(item) => batch.items.push(*item),
                News::Gone(id) => batch.gone.push(id),
                // Own sites tell whole items; there is nothing to look at.
                News::Look(_) | News::Poll => {}
            }
        }
        if read.unusable {
            batch.gap = Some(
                "en fil i katalogen har ett namn som inte är UTF-8 och läses inte: byt namn på den"
                    .into(),
            );
        }
        if read.position != from {
            batch.next = Some(Cursor::new(position::write(&read.position)));
        }
        // The cursor says it all: the walk only tells that there is more.
        batch.walk = read.more.then(|| Walk::new("more"));
        Ok(batch)
    }

    async fn read_live(&self, _item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        Ok(LiveReading::NotReadable { why: NOT_READABLE })
    }

    async fn read_live_many(
        &self,
        items: &[ItemAddress],
    ) -> Result<Vec<Result<LiveReading, PlatformError>>, PlatformError> {
        Ok(items.iter().map(|_| Ok(LiveReading::NotReadable { why: NOT_READABLE })).collect())
    }

    async fn read_thread(&self, _item: &ItemAddress) -> Result<Thread, PlatformError> {
        Ok(Thread { missing: Some(NOT_READABLE.into()), ..Thread::default() })
    }

    async fn hide(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        self.act(OwnSiteVerb::Hide, &once(), warrant.item(), None).await
    }

    async fn delete(&self, warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        self.act(OwnSiteVerb::Delete, &once(), warrant.item(), None).await
    }

    async fn unhide(&self, item: &ItemAddress) -> Result<Receipt, PlatformError> {
        self.act(OwnSiteVerb::Unhide, &once(), item, None).await
    }

    async fn reply(
        &self,
        item: &ItemAddress,
        text: &str,
        key: &str,
    ) -> Result<Receipt, PlatformError> {
        self.act(OwnSiteVerb::Reply, key, item, Some(text)).await
    }

    /// Nothing can be looked for, and need not be: the site knows the key again, so the same
    /// attempt can be made once more.
    async fn find_reply(
        &self,
        _item: &ItemAddress,
        _sought: &Sought<'_>,
    ) -> Result<Option<Receipt>, PlatformError> {
        Ok(None)
    }

    async fn report(&self, _item: &ItemAddress, _reason: &str) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("report")
    }
}

impl PushSource for OwnSite {
    fn kind(&self) -> PlatformKind {
        PlatformKind::OwnSite
    }

    fn delivery(&self, request: PushRequest<'_>) -> Option<String> {
        let delivery = request.header("x-uppsikt-delivery")?;
        Some(Uuid::parse_str(delivery).ok()?.to_string())
    }

    fn handshake(&self, _query: &[(&str, &str)]) -> Option<String> {
        None
    }

    fn receive(&self, request: PushRequest<'_>, now: Timestamp) -> Result<Push, PushRefused> {
        let header = request.header(push::SIGNATURE_HEADER);
        push::verify_signature(header, request.body, &self.settings.push_secrets, now)?;
        push::parse_push(request.body)
    }

    fn signed(&self, request: PushRequest<'_>) -> ContentHash {
        push::signed(request.header(push::SIGNATURE_HEADER), request.body)
    }
}
