//! What pushes of Meta tell of being named elsewhere (`platforms` sheet, sections 3.6 and 4.6): nothing else tells it, and no
//! walk finds it. Instagram names what to read; Facebook tells the text along with it, since few apps may read it.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::action::ActionKind;
use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{Barred, FetchedItem, ItemKind, Permalink, PermalinkSource, Presence};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::push::News;

use super::id;
use super::meta::last;

/// What cannot be done where somebody else's page is the place.
pub const ELSEWHERE: &str = "Det står på någon annans sida, där kontot inte bestämmer. Anmäl det på plattformen, eller ta kontakt med den som har sidan.";

const STAYS: &str = "står på någon annans sida, där kontot varken kan dölja eller ta bort; anmäl det på plattformen";
const ANSWERED_THERE: &str =
    "står på någon annans sida, där Uppsikt inte kan svara; öppna länken och svara på plattformen";

/// What may not be done to what stands elsewhere.
pub fn stays() -> Vec<Barred> {
    let barred = |act| Barred { act, why: STAYS.into() };
    vec![barred(ActionKind::Hide), barred(ActionKind::Unhide), barred(ActionKind::Delete)]
}

/// The same where it cannot be answered either.
pub fn barred() -> Vec<Barred> {
    let mut barred = stays();
    barred.push(Barred { act: ActionKind::Reply, why: ANSWERED_THERE.into() });
    barred
}

fn address(id: String, post: Option<String>) -> ItemAddress {
    ItemAddress {
        platform_id: PlatformItemId::new(id),
        kind: ItemKind::Mention,
        post_id: post.map(PlatformPostId::new),
        parent_id: None,
    }
}

/// An id that names something: some deliveries write 0 for none.
fn named(value: &Value) -> Option<String> {
    id(value).filter(|id| id != "0")
}

/// A comment or a medium of somebody else's that names the account on Instagram.
pub fn on_instagram(value: &Value) -> Option<News> {
    let (comment, media) = (named(&value["comment_id"]), named(&value["media_id"]));
    match (comment, media) {
        (Some(comment), Some(media)) => Some(News::Look(address(comment, Some(media)))),
        (None, Some(media)) => Some(News::Look(address(media, None))),
        // Without its medium a comment cannot be asked for.
        (_, None) => None,
    }
}

/// A post or comment elsewhere that names the Page.
pub fn on_facebook(value: &Value, at: Option<i64>) -> Option<News> {
    let (comment, post) = (named(&value["comment_id"]), named(&value["post_id"]));
    let address = match (comment, post) {
        (Some(comment), Some(post)) => address(last(&comment).to_owned(), Some(post)),
        (None, Some(post)) => address(post, None),
        (Some(comment), None) => address(comment, None),
        (None, None) => return None,
    };
    if matches!(value["verb"].as_str(), Some("remove" | "delete")) {
        return Some(News::Gone(address.platform_id));
    }
    let Some(text) = value["message"].as_str() else { return Some(News::Look(address)) };
    let id = address.platform_id.clone();
    let mut item = FetchedItem::new(id, ItemKind::Mention, text, value.to_string());
    let link = match &address.post_id {
        Some(post) => format!(
            "https://www.facebook.com/{}?comment_id={}",
            post.as_str(),
            address.platform_id.as_str()
        ),
        None => format!("https://www.facebook.com/{}", address.platform_id.as_str()),
    };
    item.permalink = Some(Permalink { url: link, source: PermalinkSource::Built });
    item.post_id = address.post_id;
    let told = value["created_time"].as_i64().or(at);
    item.created_at = told.and_then(|at| Timestamp::from_second(at).ok());
    item.created_raw = told.map(|at| at.to_string());
    item.presence = Presence::Visible;
    item.barred = barred();
    Some(News::Item(Box::new(item)))
}
