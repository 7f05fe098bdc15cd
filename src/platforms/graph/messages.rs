//! Messages as Messenger and Instagram give them alike (`platforms` sheet, sections 3.5 and 4.5), and until when one can
//! be answered: 24 hours after the person's last message, and for seven days where the app has the right
//! `HUMAN_AGENT`.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::action::ActionKind;
use crate::domain::ids::PlatformItemId;
use crate::domain::item::{
    Attachment, Author, Barred, FetchedItem, ItemKind, Permalink, PermalinkSource, Presence,
};
use crate::platforms::error::PlatformError;
use crate::platforms::graph::time;

/// What is asked of a message.
pub const FIELDS: &str = "id,created_time,from,to,message,attachments";

const MESSAGE_STAYS: &str = "meddelanden kan varken döljas eller tas bort av kontot";

/// How long an answer is taken without further leave, and with `HUMAN_AGENT`.
const PLAIN: SignedDuration = SignedDuration::from_hours(24);
const HUMAN_AGENT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The condition for answering messages, as the capability record has it.
pub const fn answered_when(human_agent: bool) -> &'static str {
    if human_agent {
        "inom 7 dygn efter personens senaste meddelande (efter 24 timmar med rätten Human Agent); därefter bara i inkorgen på plattformen"
    } else {
        "inom 24 timmar efter personens senaste meddelande; därefter bara i inkorgen på plattformen"
    }
}

/// How long messages can be answered.
pub const fn window(human_agent: bool) -> SignedDuration {
    if human_agent { HUMAN_AGENT } else { PLAIN }
}

/// A person as messages name them: by a name on Facebook, by a user name on Instagram.
#[derive(Clone, Deserialize)]
pub struct Person {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
}

#[derive(Deserialize)]
pub struct People {
    #[serde(default)]
    pub data: Vec<Person>,
}

/// A conversation, as lists tell of it.
#[derive(Deserialize)]
pub struct Conversation {
    pub id: String,
    #[serde(default)]
    updated_time: Option<String>,
    #[serde(default)]
    participants: Option<People>,
    #[serde(default)]
    pub can_reply: Option<bool>,
}

impl Conversation {
    pub fn updated_at(&self) -> Option<Timestamp> {
        self.updated_time.as_deref().and_then(time)
    }

    /// Whether this person takes part, as far as it is told.
    pub fn may_have(&self, person: &str) -> bool {
        self.participants.as_ref().is_none_or(|all| all.data.iter().any(|one| one.id == person))
    }
}

#[derive(Deserialize)]
pub struct Message {
    pub id: String,
    #[serde(default)]
    created_time: Option<String>,
    #[serde(default)]
    pub from: Option<Person>,
    #[serde(default)]
    pub to: Option<People>,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    attachments: Option<Attachments>,
}

#[derive(Deserialize)]
struct Attachments {
    #[serde(default)]
    data: Vec<Attached>,
}

#[derive(Deserialize)]
struct Attached {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    mime_type: Option<String>,
    #[serde(default)]
    image_data: Option<Located>,
    #[serde(default)]
    video_data: Option<Located>,
    #[serde(default)]
    file_url: Option<String>,
}

#[derive(Deserialize)]
struct Located {
    #[serde(default)]
    url: Option<String>,
}

/// What sending is answered with.
#[derive(Deserialize)]
pub struct Sent {
    pub message_id: String,
}

impl Message {
    pub fn written_at(&self) -> Option<Timestamp> {
        self.created_time.as_deref().and_then(time)
    }

    /// The message as an item. `inbox` is where people read it: single ones have no link.
    pub fn into_item(self, raw: &[u8], by_us: bool, inbox: String) -> FetchedItem {
        let created_at = self.written_at();
        let id = PlatformItemId::new(self.id);
        let mut item = FetchedItem::new(id, ItemKind::DirectMessage, self.message, raw);
        item.created_at = created_at;
        item.created_raw = self.created_time;
        if let Some(from) = self.from {
            item.author = Author {
                platform_id: Some(from.id),
                name: from.name.or_else(|| from.username.clone()),
                handle: from.username,
                url: None,
            };
        }
        item.permalink = Some(Permalink { url: inbox, source: PermalinkSource::Built });
        let attached = self.attachments.map(|all| all.data).unwrap_or_default();
        item.attachments = attached.into_iter().map(Attached::into_attachment).collect();
        item.presence = Presence::Visible;
        item.by_us = by_us;
        let barred = |act| Barred { act, why: MESSAGE_STAYS.into() };
        item.barred = vec![barred(ActionKind::Hide), barred(ActionKind::Delete)];
        item
    }
}

impl Attached {
    fn into_attachment(self) -> Attachment {
        let is_film = self.video_data.is_some();
        let located = self.image_data.or(self.video_data).and_then(|at| at.url);
        let kind = match &located {
            Some(_) if is_film => "video",
            Some(_) => "image",
            None => "file",
        };
        Attachment {
            kind: kind.into(),
            url: located.or(self.file_url),
            media_type: self.mime_type,
            // The signed address changes at every reading, this does not.
            name: self.id,
        }
    }
}

/// By which leave a message can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// As an answer within a day.
    Response,
    /// As a person's answer within a week.
    HumanAgent,
}

impl Leave {
    /// For a person who last wrote then. Where that is not known the platform says.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] where it is too late, with what to do instead.
    pub fn at(
        last: Option<Timestamp>,
        now: Timestamp,
        human_agent: bool,
    ) -> Result<Self, PlatformError> {
        let Some(last) = last else { return Ok(Self::Response) };
        let age = now.duration_since(last);
        let refused = |reason: &str| {
            Err(PlatformError::Refused { code: "window".into(), reason: reason.into() })
        };
        match (age, human_agent) {
            (age, _) if age < PLAIN => Ok(Self::Response),
            (age, true) if age < HUMAN_AGENT => Ok(Self::HumanAgent),
            (age, false) if age < HUMAN_AGENT => refused(
                "Plattformen tar emot svar i 24 timmar efter personens senaste meddelande, och de har gått ut. Svara i kontots inkorg på plattformen. Har appen rätten Human Agent (`human_agent = true` i inställningarna) går det att svara härifrån i 7 dygn.",
            ),
            (_, _) => refused(
                "Plattformen tar emot svar i högst 7 dygn efter personens senaste meddelande, och de har gått ut. Svara i kontots inkorg på plattformen om det går, eller på ett annat sätt.",
            ),
        }
    }

    /// The body of the call that sends. Only Messenger has a word for an ordinary answer.
    pub fn body(self, to: &str, text: &str, has_word: bool) -> Value {
        let mut body = json!({"recipient": {"id": to}, "message": {"text": text}});
        match self {
            Self::Response if has_word => body["messaging_type"] = "RESPONSE".into(),
            Self::Response => {}
            Self::HumanAgent => {
                body["messaging_type"] = "MESSAGE_TAG".into();
                body["tag"] = "HUMAN_AGENT".into();
            }
        }
        body
    }
}

/// Who wrote a message, where it can be answered.
///
/// # Errors
/// [`PlatformError::Refused`] for a message of our own, or where the platform does not name who wrote it.
pub fn writer(message: Message, is_ours: bool) -> Result<String, PlatformError> {
    let refused = |code: &str, reason: &str| PlatformError::Refused {
        code: code.into(),
        reason: reason.into(),
    };
    if is_ours {
        return Err(refused("own message", "Meddelandet är kontots eget."));
    }
    message.from.map(|from| from.id).ok_or_else(|| {
        refused(
            "no sender",
            "Plattformen lämnar inte ut vem som skrev meddelandet. Svara i kontots inkorg på plattformen.",
        )
    })
}

/// What is said where somebody wants to hide or delete a message.
pub fn stays() -> PlatformError {
    PlatformError::Refused {
        code: "message".into(),
        reason: "Plattformen låter inte kontot dölja eller ta bort andras meddelanden.".into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::platforms::testing::{NOW, at};

    use super::*;

    #[test]
    fn an_answer_goes_by_the_leave_that_its_age_has() {
        let leave = |hours, human_agent| {
            let last = at(NOW) - SignedDuration::from_hours(hours);
            Leave::at(Some(last), at(NOW), human_agent)
        };
        assert_eq!(leave(23, false), Ok(Leave::Response));
        assert_eq!(leave(23, true), Ok(Leave::Response));
        assert_eq!(leave(25, true), Ok(Leave::HumanAgent));
        assert_eq!(leave(167, true), Ok(Leave::HumanAgent));
        for (hours, human_agent, says) in
            [(24, false, "human_agent"), (169, false, "7 dygn"), (168, true, "7 dygn")]
        {
            let error = leave(hours, human_agent).unwrap_err();
            assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
            let said = error.swedish();
            assert!(said.contains("inkorg") && said.contains(says), "{hours} {said}");
        }
        assert_eq!(Leave::at(None, at(NOW), false), Ok(Leave::Response), "the platform says");
        let body = Leave::HumanAgent.body("77", "Hej", false);
        let told = (&body["messaging_type"], &body["tag"]);
        assert_eq!(told, (&json!("MESSAGE_TAG"), &json!("HUMAN_AGENT")));
        assert!(Leave::Response.body("77", "Hej", true).get("tag").is_none());
    }
}
