//! Where others mention the account under their own media (`platforms` sheet, sections 4.2 and 4.6). Pushes name a comment
//! and its medium, or a medium whose caption names the account; what was pushed is asked of the account itself, and can
//! be answered. Nothing there is the account's to hide or delete.

use crate::domain::item::{FetchedItem, ItemKind};
use crate::evidence::warrant::ItemAddress;
use crate::platforms::Receipt;
use crate::platforms::error::PlatformError;
use crate::platforms::hooks::mentions;
use crate::platforms::http::Answer;
use crate::platforms::instagram::wire::{
    MENTIONED_COMMENT_FIELDS, MENTIONED_MEDIA_FIELDS, Mentioned, Met,
};
use crate::platforms::instagram::{Created, Instagram};

/// Why a mention cannot be read again.
pub const NOT_SHOWN: &str = "plattformen visar inte längre inlägget för kontot: det är borttaget, eller så har dess konto stängts för andra. Se efter via länken";

/// What every version of the interface gives of a mentioned comment.
const LEAST_COMMENT_FIELDS: &str = "id,text,timestamp";

/// What is said where somebody wants to hide or delete what stands under others' media.
pub fn stays() -> PlatformError {
    PlatformError::Refused { code: "elsewhere".into(), reason: mentions::ELSEWHERE.into() }
}

/// An id as it may stand within an expression of fields.
fn number(id: &str) -> Result<&str, PlatformError> {
    let is_number = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(id).ok_or_else(|| PlatformError::Contract {
        detail: "the id of what mentions the account is no number".into(),
    })
}

impl Instagram {
    async fn mentioned(&self, call: &str, id: &str, of: &str) -> Result<Answer, PlatformError> {
        let fields = format!("{call}({}){{{of}}}", number(id)?);
        self.graph.get(&self.ig_id, &[("fields", &fields)]).await
    }

    /// What mentions the account, as it stands now.
    pub async fn mention(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        let id = item.platform_id.as_str();
        let mut read = if item.post_id.is_some() {
            let call = "mentioned_comment.comment_id";
            let answer = match self.mentioned(call, id, MENTIONED_COMMENT_FIELDS).await {
                // Which of the fields are given there is documented in two ways.
                Err(PlatformError::Contract { .. }) => {
                    self.mentioned(call, id, LEAST_COMMENT_FIELDS).await?
                }
                answer => answer?,
            };
            let told: Mentioned = answer.object()?;
            let comment = told.mentioned_comment.ok_or(PlatformError::Gone)?;
            // Under the account's own media it is a comment like others, and can be hidden.
            if comment.is_under_media_of(&self.ig_id) {
                let (comment, raw) = self.comment(item).await?;
                return self.item(comment, &raw, item).await;
            }
            let met = Met { media: item.post_id.as_ref(), ..self.met(None).await? };
            comment.into_item(&answer.body, met)
        } else {
            let call = "mentioned_media.media_id";
            let answer = self.mentioned(call, id, MENTIONED_MEDIA_FIELDS).await?;
            let told: Mentioned = answer.object()?;
            let media = told.mentioned_media.ok_or(PlatformError::Gone)?;
            media.into_item(&answer.body)
        };
        read.kind = ItemKind::Mention;
        read.barred = mentions::stays();
        Ok(read)
    }

    /// Answers under the medium, to the comment where one was named.
    pub async fn answer_mention(
        &self,
        item: &ItemAddress,
        text: &str,
    ) -> Result<Receipt, PlatformError> {
        let id = number(item.platform_id.as_str())?;
        let media = item.post_id.as_ref().map(|media| media.as_str());
        let mut form = vec![("media_id", media.unwrap_or(id)), ("message", text)];
        if media.is_some() {
            form.push(("comment_id", id));
        }
        let answer = self.graph.post(&format!("{}/mentions", self.ig_id), &form).await?;
        let created: Created = answer.object()?;
        if created.id == id {
            return Err(PlatformError::Contract {
                detail: "the answer got the id of what it was to answer".into(),
            });
        }
        Ok(Receipt::Done(created.id))
    }
}
