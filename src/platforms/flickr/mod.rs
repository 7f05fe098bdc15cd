//! Comments on an account's photos on Flickr (`platforms` sheet, section 13). They lie flat: nothing answers
//! anything there. Nothing can be hidden, and whether the owner of a photo may delete what others wrote
//! through the interface nobody has confirmed: it is tried, and a no sends the editor to the page.
//!
//! Comments on albums are not read.

mod fetch;
pub mod session;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::domain::account::PlatformKind;
use crate::domain::item::{FetchedItem, Thread};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::capability::{self, Capabilities};
use crate::platforms::connector::{Answered, Connector, Wanted};
use crate::platforms::elements::readable;
use crate::platforms::error::PlatformError;
use crate::platforms::http::{Answer, BadHttpSettings};
use crate::platforms::limit::{Shares, fingerprint};
use crate::platforms::patience::Patience;
use crate::platforms::settings::FlickrSettings;
use crate::platforms::{ConnectionReport, Receipt, Sought, html};
use crate::runtime::clock::Clock;

use session::Calls;
use wire::{Checked, Comment, Comments, Created, Login, Person, PhotoInfo};

/// The connector for one account.
pub struct Flickr {
    calls: Calls,
    capabilities: Arc<Capabilities>,
    patience: Patience,
    /// The account's name, once the token has been seen to be its own.
    identity: OnceCell<String>,
}

impl Flickr {
    /// A connector for the account.
    ///
    /// # Errors
    /// [`BadHttpSettings`], each with its mend.
    pub fn new(settings: FlickrSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        Ok(Self {
            calls: Calls::new(settings, clock)?,
            capabilities: Arc::new(capability::of(PlatformKind::Flickr)),
            patience: Patience::default(),
            identity: OnceCell::new(),
        })
    }

    /// Where the account's photos are looked at.
    fn site(&self) -> String {
        format!("{}{}/", self.calls.settings.site, self.calls.settings.user_id)
    }

    async fn ask_identity(&self) -> Result<String, PlatformError> {
        let answer = self.calls.get("flickr.test.login", &[]).await?;
        let Login { user } = answer.object()?;
        if user.id != self.calls.settings.user_id {
            return Err(PlatformError::Forbidden {
                what: "inloggningen hör till ett annat konto än det i inställningarna; anslut kontot på nytt".into(),
            });
        }
        Ok(if user.username.text.is_empty() { user.id } else { user.username.text })
    }

    /// The photo that an item stands under. Every call wants it.
    fn photo(item: &ItemAddress) -> Result<&str, PlatformError> {
        let photo = item.post_id.as_ref().map(|photo| photo.as_str());
        photo.ok_or_else(|| PlatformError::Contract { detail: "the item has no photo".into() })
    }

    /// All comments of a photo, in one piece.
    async fn comments(&self, photo: &str) -> Result<Answer, PlatformError> {
        self.calls.get("flickr.photos.comments.getList", &[("photo_id", photo)]).await
    }

    /// The same of a photo that was once listed. What was deleted and what this login may not see is answered
    /// alike; the account's own photos can be seen by the account.
    async fn comments_of_known(&self, photo: &str) -> Result<Answer, PlatformError> {
        match self.comments(photo).await {
            Err(PlatformError::Gone) => {
                self.ask_identity().await?;
                Err(PlatformError::Gone)
            }
            other => other,
        }
    }

    /// Those comments of a photo that are asked for.
    async fn those(
        &self,
        photo: &str,
        is_it: impl Fn(&Comment) -> bool + Send,
    ) -> Result<Vec<FetchedItem>, PlatformError> {
        let answer = self.comments_of_known(photo).await?;
        let text = answer.text();
        let told: Comments<'_> = answer.view(&text)?;
        let all: Vec<(Comment, &[u8])> = readable(&told.comments.comment).collect();
        if all.is_empty() && !told.comments.comment.is_empty() {
            return Err(PlatformError::Contract { detail: "a comment of another shape".into() });
        }
        let found = all.into_iter().filter(|(comment, _)| is_it(comment));
        let us = &self.calls.settings.user_id;
        Ok(found.map(|(comment, raw)| comment.into_item(raw, photo, us)).collect())
    }
}

#[async_trait]
impl Connector for Flickr {
    const KIND: PlatformKind = PlatformKind::Flickr;

    fn clock(&self) -> &Clock {
        self.calls.http.clock()
    }

    fn shares(&self) -> Shares {
        let settings = &self.calls.settings;
        let app = format!("{} {}", Self::KIND.id(), settings.api_key);
        Shares { app, token: Some(fingerprint(&settings.token)) }
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        let acting_as = self.ask_identity().await?;
        // Where that is not told nothing is known, and nothing else is the worse for it.
        let token = [("oauth_token", self.calls.settings.token.expose())];
        let told = self.calls.get("flickr.auth.oauth.checkToken", &token).await;
        let perms = told.and_then(|answer| answer.object::<Checked>()).map(|told| told.oauth.perms);
        let mut missing = Vec::new();
        if let Ok(perms) = perms
            && matches!(perms.text.as_str(), "none" | "read")
        {
            missing.push("rätten write saknas: anslut kontot på nytt".to_owned());
        }
        Ok(ConnectionReport { acting_as, missing, expires_at: None })
    }

    async fn description(&self) -> Result<Option<String>, PlatformError> {
        let user = [("user_id", self.calls.settings.user_id.as_str())];
        let answer = self.calls.get("flickr.people.getInfo", &user).await?;
        Ok(Some(wire::plain(&answer.object::<Person>()?.person.description)))
    }

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        self.identity.get_or_try_init(|| self.ask_identity()).await.map(drop)
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        let found = self.those(Self::photo(item)?, |c| c.id == item.platform_id.as_str()).await?;
        found.into_iter().next().ok_or(PlatformError::Gone)
    }

    async fn read_several(&self, items: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        let mut by_photo: BTreeMap<&str, Vec<&ItemAddress>> = BTreeMap::new();
        for item in items {
            by_photo.entry(Self::photo(item)?).or_default().push(item);
        }
        let mut all = Vec::new();
        for (photo, items) in by_photo {
            let is_it = |c: &Comment| items.iter().any(|item| item.platform_id.as_str() == c.id);
            match self.those(photo, is_it).await {
                Ok(found) => all.extend(found),
                // With its photo a comment goes; it is read alone before it is called gone.
                Err(PlatformError::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    async fn thread(&self, item: &ItemAddress) -> Result<Thread, PlatformError> {
        let mut thread = Thread::default();
        let photo = [("photo_id", Self::photo(item)?)];
        match self.calls.get("flickr.photos.getInfo", &photo).await {
            Ok(answer) => {
                thread.post = Some(answer.object::<PhotoInfo>()?.photo.into_post(&self.site()));
            }
            Err(PlatformError::Gone) => thread.missing = Some("fotot är borttaget".into()),
            Err(error) => return Err(error),
        }
        Ok(thread)
    }

    async fn change(&self, item: &ItemAddress, wanted: Wanted) -> Result<Answered, PlatformError> {
        // Nothing else is offered, so nothing else comes here.
        if wanted != Wanted::Away {
            return PlatformError::not_offered("hide");
        }
        let comment = [("comment_id", item.platform_id.as_str())];
        match self.calls.post("flickr.photos.comments.deleteComment", &comment).await {
            Ok(_) => Ok(Answered::Success),
            // ‡ Whether the owner of a photo may delete others' comments so is not confirmed.
            Err(PlatformError::Forbidden { .. }) => Err(PlatformError::Refused {
                code: "99".into(),
                reason: "Plattformen låter inte program ta bort kommentaren. Gör det via länken, på plattformen.".into(),
            }),
            Err(error) => Err(error),
        }
    }

    async fn answer(
        &self,
        item: &ItemAddress,
        text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        let photo = Self::photo(item)?;
        // The platform takes the same words under the same photo for the comment that is there already, and
        // says that it was written: whoever is answered now would wait in vain.
        if self.ours(photo, &Sought::ever(text, "")).await?.is_some() {
            return Err(PlatformError::Refused {
                code: "duplicate".into(),
                reason: "Under fotot finns redan ett likadant svar från kontot, och plattformen tar inte emot ett till. Skriv om svaret.".into(),
            });
        }
        let sent = [("photo_id", photo), ("comment_text", text)];
        let answer = self.calls.post("flickr.photos.comments.addComment", &sent).await?;
        Ok(Receipt::Done(answer.object::<Created>()?.comment.id))
    }

    async fn own_answer(
        &self,
        item: &ItemAddress,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        self.ours(Self::photo(item)?, sought).await
    }
}

impl Flickr {
    /// A comment of ours under a photo.
    async fn ours(
        &self,
        photo: &str,
        sought: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        let (us, wanted) = (&self.calls.settings.user_id, html::folded(sought.text));
        let is_it = |c: &Comment| {
            c.is_by(us) && html::folded(&c.text()) == wanted && sought.can_be(&c.id, c.written_at())
        };
        let found = self.those(photo, is_it).await?;
        Ok(found.into_iter().next().map(|item| item.platform_id.as_str().to_owned()))
    }
}
