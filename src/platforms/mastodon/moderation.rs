//! What an account that moderates its own server sees beside its mentions: posts that have been reported there
//! (`platforms` sheet, section 11.4). They are read like others, as far as they are known: who reported them is left
//! where it is. Nothing the interface has takes one post away: what a moderator can do is done to its author's account, and
//! from here only where the settings say that hiding is to mean that.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::domain::item::{Batch, Presence};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::connector::{Answered, Standing};
use crate::platforms::elements::List;
use crate::platforms::error::PlatformError;
use crate::platforms::json as text_json;
use crate::platforms::mastodon::api::{Older, older};
use crate::platforms::mastodon::wire::{Id, Status};
use crate::platforms::mastodon::{Mastodon, id_of};

/// Under what lists of reports are called, and what is expected there.
const LIST: List<'static> =
    List { name: "admin/reports", shape: "Mastodons beskrivning av en anmälan" };

/// What a moderator's token should be allowed, and what is lost without it.
pub const SCOPE: (&str, &str) = ("admin:read:reports", "läsa vad som har anmälts på servern");

/// The same where authors are limited.
pub const ACTS: &[(&str, &str)] = &[
    ("admin:write:accounts", "begränsa skribenters konton"),
    ("admin:write:reports", "avsluta anmälningar"),
];

/// How an account stands, as its server's moderators see it.
#[derive(Deserialize)]
struct Moderated {
    #[serde(default)]
    silenced: bool,
    #[serde(default)]
    suspended: bool,
}

/// An open report, as far as it tells what it is about.
#[derive(Deserialize)]
struct About {
    id: Id,
    #[serde(default)]
    statuses: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: Id,
}

/// A report, without who made it.
#[derive(Deserialize)]
struct Report<'a> {
    id: Id,
    #[serde(borrow, default)]
    statuses: Vec<&'a RawValue>,
}

/// One page of them.
pub struct Reports {
    /// The newest on it.
    pub newest: Option<Id>,
    /// Where the next page begins; nothing where what is known has come.
    pub below: Option<Id>,
}

/// Whether one id was given out after another: longer ones are later.
pub fn is_after(id: &Id, other: &Id) -> bool {
    let place = |id: &Id| (id.as_str().len(), id.as_str().to_owned());
    place(id) > place(other)
}

impl Mastodon {
    /// One page of open reports, the newest first, down to those that are known. Where the token may not read them
    /// nothing is given: whoever looks after the account is told so when the connection is checked.
    pub async fn reports(
        &self,
        me: &Id,
        below: Option<&Id>,
        known: Option<&Id>,
        batch: &mut Batch,
    ) -> Result<Reports, PlatformError> {
        let none = Reports { newest: None, below: None };
        // Open ones: to name `resolved`, with whatever value, asks for the others.
        let mut query = vec![("limit", "40")];
        query.extend(below.map(|below| ("max_id", below.as_str())));
        let answer = match self.api.get("v1/admin/reports", &query).await {
            Ok(answer) => answer,
            Err(error @ (PlatformError::Forbidden { .. } | PlatformError::Gone)) => {
                tracing::info!(error = %error, "the account may not read reports");
                return Ok(none);
            }
            Err(error) => return Err(error),
        };
        let text = answer.text();
        let elements: Vec<&RawValue> = answer.view(&text)?;
        let (mut newest, mut last, mut is_known) = (None, None, false);
        for (index, element) in elements.iter().enumerate() {
            let report: Report<'_> = match serde_json::from_str(element.get()) {
                Ok(report) => report,
                Err(error) => {
                    // Who reported it is in there: only its place is told.
                    batch.unreadable.push(LIST.unreadable(index, &error, b"{}"));
                    continue;
                }
            };
            last = Some(report.id.clone());
            if known.is_some_and(|known| !is_after(&report.id, known)) {
                is_known = true;
                break;
            }
            newest = newest.or(Some(report.id));
            for raw in report.statuses {
                match text_json::decode::<Status>(raw.get()) {
                    Ok(status) if status.is_by(me) => {}
                    Ok(status) => {
                        let place = self.place_of(me, &status).await?.unwrap_or_default();
                        batch.items.push(place.item(status, raw.get().as_bytes(), me));
                    }
                    Err(error) => {
                        let raw = raw.get().as_bytes();
                        batch.unreadable.push(LIST.unreadable(index, &error, raw));
                    }
                }
            }
        }
        let next = match older(&answer) {
            _ if is_known || elements.is_empty() => None,
            Older::Than(id) => Some(id),
            Older::None => None,
            Older::Untold => last,
        };
        Ok(Reports { newest, below: next.filter(|next| Some(next) != below) })
    }

    /// Limits the author of a post on the server (*begränsar*), or ends that; open reports of the post are settled with it.
    pub async fn limit_author(
        &self,
        item: &ItemAddress,
        on: bool,
    ) -> Result<Answered, PlatformError> {
        let id = id_of(item)?;
        let (status, _) = self.status(&id).await?;
        let author = status.account.id;
        if author == *self.me().await? {
            return Err(PlatformError::Refused {
                code: "own".into(),
                reason:
                    "Inlägget är kontots eget: att begränsa det egna kontot görs inte härifrån."
                        .into(),
            });
        }
        let account = format!("v1/admin/accounts/{author}");
        let (path, body) = match on {
            true => (format!("{account}/action"), json!({"type": "silence"})),
            false => (format!("{account}/unsilence"), json!({})),
        };
        self.api.post(&path, &body, None).await?;
        let now: Moderated =
            self.api.get(&account, &[]).await.map_err(after)?.object().map_err(after)?;
        let presence = match now.silenced || now.suspended {
            true => Presence::Hidden,
            false => Presence::Visible,
        };
        if on
            && presence == Presence::Hidden
            && let Err(error) = self.settle(&id, &author).await
        {
            // What was asked for is done; the report stays with the server's moderators.
            tracing::warn!(error = %error, "reports of a post whose author was limited stay open");
        }
        Ok(Answered::Now(Standing::new(presence, Vec::new())))
    }

    /// Settles what has been reported of a post and is open.
    async fn settle(&self, post: &Id, author: &Id) -> Result<(), PlatformError> {
        let query = [("target_account_id", author.as_str()), ("limit", "40")];
        let answer = self.api.get("v1/admin/reports", &query).await?;
        let open: Vec<About> = answer.view(&answer.text())?;
        for report in open.iter().filter(|report| report.statuses.iter().any(|s| s.id == *post)) {
            let path = format!("v1/admin/reports/{}/resolve", report.id);
            self.api.post(&path, &json!({}), None).await?;
        }
        Ok(())
    }
}

/// The call before has been answered with success: what comes after it is no reason to think that nothing was done.
fn after(error: PlatformError) -> PlatformError {
    error.after_the_act()
}
