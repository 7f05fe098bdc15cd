//! Having X push to us (`platforms` sheet, section 7.7): the app makes the address known, and the account subscribes what it is to
//! be told there. Both are looked for before they are made.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::platforms::error::PlatformError;
use crate::platforms::push::{Callback, Subscribed};

use super::session::Calls;

/// What is told: posts that name the account, answers among them, and messages to it.
const EVENTS: &[&str] = &["post.mention.create", "dm.received"];

/// What ours are marked with.
const TAG: &str = "uppsikt";

#[derive(Deserialize)]
struct Listed<T> {
    // Absent where there are none.
    #[serde(default = "Vec::new")]
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Made<T> {
    data: T,
}

#[derive(Deserialize)]
struct Webhook {
    id: String,
    #[serde(default)]
    url: String,
    /// Whether the platform still finds us there.
    #[serde(default)]
    valid: bool,
}

#[derive(Deserialize)]
struct Subscription {
    #[serde(default)]
    event_type: String,
    #[serde(default)]
    filter: Filter,
    #[serde(default)]
    webhook_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Filter {
    #[serde(default)]
    user_id: Option<String>,
}

impl Calls {
    pub async fn subscribe(&self, callback: &Callback) -> Result<Subscribed, PlatformError> {
        let Some(token) = &callback.token else { return Ok(Subscribed::ByHand) };
        let list = self.as_app(token, Method::GET, "webhooks", None).await?;
        let known = list.object::<Listed<Webhook>>()?.data.into_iter();
        let webhook = match known.into_iter().find(|known| known.url == callback.url.as_str()) {
            Some(known) if known.valid => known.id,
            // It has not found us there, and asks no more until it is told to.
            Some(known) => {
                let path = format!("webhooks/{}", known.id);
                self.as_app(token, Method::PUT, &path, None).await?;
                known.id
            }
            None => {
                let body = json!({ "url": callback.url.as_str() });
                let made = self.as_app(token, Method::POST, "webhooks", Some(&body)).await?;
                made.object::<Made<Webhook>>()?.data.id
            }
        };
        let user = self.settings.user_id.as_str();
        let list = self.as_app(token, Method::GET, "activity/subscriptions", None).await?;
        let known: Vec<Subscription> = list.object::<Listed<Subscription>>()?.data;
        for event in EVENTS {
            let is_known = known.iter().any(|known| {
                known.event_type == *event
                    && known.filter.user_id.as_deref() == Some(user)
                    && known.webhook_id.as_deref().is_none_or(|id| id == webhook)
            });
            if !is_known {
                let body = json!({
                    "event_type": event, "filter": { "user_id": user }, "webhook_id": webhook, "tag": TAG,
                });
                // The account's own leave is needed for what concerns it.
                self.write(Method::POST, "activity/subscriptions", &body).await?;
            }
        }
        Ok(Subscribed::Yes)
    }
}
