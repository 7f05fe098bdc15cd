//! Comments on an organisation's LinkedIn posts, through the Community Management API
//! (`platforms` sheet, section 6). Nothing can be hidden, and messages are not given to programs.
//!
//! Whether what others wrote can be deleted is told differently by different sources: it is tried,
//! and where the platform once says no, the account's record says so from then on. Names of people
//! are not given out at all.

mod fetch;
mod session;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use crate::domain::account::PlatformKind;
use crate::domain::item::{FetchedItem, Presence, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities, Offer};
use crate::platforms::connector::{Answered, Connector, Standing, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::http::{Answer, BadHttpSettings};
use crate::platforms::limit::{Shares, fingerprint};
use crate::platforms::patience::Patience;
use crate::platforms::push::{Callback, NO_PUSHES, Subscribed};
use crate::platforms::settings::LinkedInSettings;
use crate::platforms::{ConnectionReport, Receipt, Sought, html};
use crate::runtime::clock::Clock;

use session::Rest;
use wire::{Comment, Page, Post, parts};

/// The connector for one organisation.
pub struct LinkedIn {
    rest: Rest,
    /// The organisation, as the platform names it.
    us: String,
    may_delete: Arc<Capabilities>,
    may_not_delete: Arc<Capabilities>,
    /// The platform has once refused to delete what somebody else wrote.
    was_refused: AtomicBool,
    patience: Patience,
}

/// Where the organisation's role is told.
#[derive(Deserialize)]
struct Organization {
    #[serde(default, rename = "localizedName")]
    name: Option<String>,
}

/// A name as it stands in paths and lists: every sign that means something there is encoded.
fn encoded(urn: &str) -> String {
    url::form_urlencoded::byte_serialize(urn.as_bytes()).collect()
}

/// The number of a comment within its thread.
fn number(urn: &str) -> &str {
    parts(urn).map_or(urn, |(_, number)| number)
}

/// What the platform lists a comment under.
fn thread_of(item: &ItemAddress) -> Result<&str, PlatformError> {
    let thread = item.post_id.as_ref().map(|post| post.as_str());
    let thread = thread.or_else(|| parts(item.platform_id.as_str()).map(|(thread, _)| thread));
    thread.ok_or_else(|| PlatformError::Contract {
        detail: "the item's id is not the name of a comment".into(),
    })
}

impl LinkedIn {
    /// A connector for the organisation.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: LinkedInSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let mut can = capability::of(PlatformKind::LinkedIn);
        if !settings.pushes {
            can.webhook = Offer::No { why: NO_PUSHES };
        }
        let mut cannot = can.clone();
        cannot.delete = Offer::ByHand {
            why: "plattformen har svarat att kontot inte får ta bort andras kommentarer; gör det via länken",
        };
        Ok(Self {
            us: format!("urn:li:organization:{}", settings.organization_id),
            rest: Rest::new(settings, clock)?,
            may_delete: Arc::new(can),
            may_not_delete: Arc::new(cannot),
            was_refused: AtomicBool::new(false),
            patience: Patience::default(),
        })
    }

    fn organization(&self) -> &str {
        &self.rest.settings.organization_id
    }

    /// One page of what stands under a post or a comment.
    async fn comments(&self, under: &str, start: u64) -> Result<Answer, PlatformError> {
        let path = format!("socialActions/{}/comments", encoded(under));
        self.rest.get(&path, &format!("start={start}&count=100")).await
    }

    fn path(item: &ItemAddress) -> Result<String, PlatformError> {
        let (thread, id) = (thread_of(item)?, number(item.platform_id.as_str()));
        Ok(format!("socialActions/{}/comments/{id}", encoded(thread)))
    }

    fn item(&self, comment: Comment, raw: &[u8], of: &ItemAddress) -> FetchedItem {
        comment.into_item(raw, &self.us, of.post_id.as_ref(), &self.rest.settings.site)
    }

    async fn comment(&self, item: &ItemAddress) -> Result<(Comment, Vec<u8>), PlatformError> {
        let answer = self.rest.get(&Self::path(item)?, "").await?;
        Ok((answer.object()?, answer.body))
    }
}

#[async_trait]
impl Connector for LinkedIn {
    const KIND: PlatformKind = PlatformKind::LinkedIn;

    fn clock(&self) -> &Clock {
        self.rest.http.clock()
    }

    fn shares(&self) -> Shares {
        let token = Some(fingerprint(&self.rest.settings.token));
        Shares { token, ..Shares::alone(Self::KIND) }
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        let was_refused = self.was_refused.load(Ordering::Relaxed);
        Arc::clone(if was_refused { &self.may_not_delete } else { &self.may_delete })
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        // A role too low lists nothing, with success: so the page is asked for by its own call.
        let path = format!("organizations/{}", self.organization());
        let organization: Organization = self.rest.get(&path, "").await?.object()?;
        let acting_as = organization.name.unwrap_or_else(|| self.us.clone());
        Ok(ConnectionReport { acting_as, missing: Vec::new(), expires_at: None })
    }

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        self.rest.calls.may_read_on(self.clock().now())
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        let (comment, raw) = self.comment(item).await?;
        Ok(self.item(comment, &raw, item))
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let mut thread = Thread::default();
        if let Some(post) = &item.post_id {
            match self.rest.get(&format!("posts/{}", encoded(post.as_str())), "").await {
                Ok(answer) => {
                    let post: Post = answer.object()?;
                    thread.post = Some(post.into_post(&self.rest.settings.site));
                }
                Err(PlatformError::Gone) => thread.missing = Some("inlägget är borttaget".into()),
                Err(error) => return Err(error),
            }
        }
        if let Some(parent) = &item.parent_id {
            let above =
                ItemAddress { platform_id: parent.clone(), parent_id: None, ..item.clone() };
            match self.comment(&above).await {
                Ok((comment, raw)) => thread.above.push(self.item(comment, &raw, &above)),
                Err(PlatformError::Gone) => {
                    thread.missing = Some("kommentaren ovanför är borttagen".into());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(thread)
    }

    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError> {
        if wanted != Wanted::Away {
            return PlatformError::not_offered("hide");
        }
        let actor = format!("actor={}", encoded(&self.us));
        match self.rest.delete(&Self::path(item)?, &actor).await {
            Ok(_) => Ok(Answered::Success),
            Err(PlatformError::Forbidden { .. }) => {
                let (comment, _) = self.comment(item).await?;
                if !comment.is_by(&self.us) {
                    self.was_refused.store(true, Ordering::Relaxed);
                }
                Err(PlatformError::Refused {
                    code: "ACCESS_DENIED".into(),
                    reason: "Plattformen låter inte kontot ta bort kommentaren. Gör det via länken, på plattformen.".into(),
                })
            }
            Err(error) => Err(error),
        }
    }

    async fn standing(&self, item: &ItemAddress) -> Result<Standing, PlatformError> {
        self.comment(item).await?;
        Ok(Standing::new(Presence::Visible, Vec::new()))
    }

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        let thread = thread_of(item)?;
        // The platform shows one level.
        let top = item.parent_id.as_ref().unwrap_or(&item.platform_id);
        let object = parts(top.as_str()).map_or(thread, |(activity, _)| activity);
        let body = json!({
            "actor": self.us, "object": object, "message": {"text": text},
            "parentComment": top.as_str(),
        });
        let path = format!("socialActions/{}/comments", encoded(top.as_str()));
        let written: Comment = self.rest.post(&path, &body).await?.object()?;
        if !written.is_by(&self.us) || written.urn() == item.platform_id.as_str() {
            return Err(PlatformError::Contract {
                detail: "the answer stands in another place or under another name".into(),
            });
        }
        Ok(Receipt::Done(written.urn()))
    }

    /// Where the platform is told by its own names who asks: the app, and the person behind the token.
    async fn subscribe(&self, callback: &Callback) -> Result<Subscribed, PlatformError> {
        let (Some(app), Some(person)) = (&callback.app, &callback.person) else {
            return Ok(Subscribed::ByHand);
        };
        let key = format!(
            "(developerApplication:{},user:{},entity:{},eventType:ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS)",
            encoded(&format!("urn:li:developerApplication:{app}")),
            encoded(&format!("urn:li:person:{person}")),
            encoded(&self.us),
        );
        let body = json!({ "webhook": callback.url.as_str() });
        self.rest.put(&format!("eventSubscriptions/{key}"), &body).await?;
        Ok(Subscribed::Yes)
    }

    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let wanted = html::folded(sought.text);
        let top = item.parent_id.as_ref().unwrap_or(&item.platform_id);
        let mut start = Some(0);
        while let Some(from) = start {
            let answer = self.comments(top.as_str(), from).await?;
            let body = answer.text();
            let page: Page<'_> = answer.view(&body)?;
            let mut comments = readable::<Comment>(&page.elements).map(|(comment, _)| comment);
            let is_it = |c: &Comment| {
                c.is_by(&self.us)
                    && html::folded(c.text()) == wanted
                    && sought.can_be(&c.urn(), c.written_at())
            };
            if let Some(ours) = comments.find(is_it) {
                return Ok(Some(ours.urn()));
            }
            start = page.next(from);
        }
        Ok(None)
    }
}
