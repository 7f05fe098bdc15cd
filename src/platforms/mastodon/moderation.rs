//! What an account that moderates its own server sees beside its mentions: posts that have been reported there
//! (`platforms` sheet, section 11.4). They are read like others, as far as they are known: who reported them is left
//! where it is. What is done to an account on the server, moderators do there: nothing the interface has takes one post
//! away.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::item::Batch;
use crate::platforms::elements::List;
use crate::platforms::error::PlatformError;
use crate::platforms::json;
use crate::platforms::mastodon::Mastodon;
use crate::platforms::mastodon::api::{Older, older};
use crate::platforms::mastodon::wire::{Id, Status};

/// Under what lists of reports are called, and what is expected there.
const LIST: List<'static> =
    List { name: "admin/reports", shape: "Mastodons beskrivning av en anmälan" };

/// What a moderator's token should be allowed, and what is lost without it.
pub const SCOPE: (&str, &str) = ("admin:read:reports", "läsa vad som har anmälts på servern");

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
                match json::decode::<Status>(raw.get()) {
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
}
