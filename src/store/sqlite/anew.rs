//! Reading anew what was disposed of and still stands at the platform: a version of its own, with evidence
//! of its own. The record that was disposed of stays so.

use jiff::Timestamp;

use super::cases::{case_of_item, note_event};
use super::items::{Stored, highest_number, insert_version, make_current, store_item, the_item};
use super::{audit, evidence};
use crate::domain::ids::{ItemId, UserId};
use crate::domain::item::FetchedItem;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AuditLine, EvidenceState};

impl Store {
    /// Takes in what a person had read anew, as a version of its own although the text may be the one that
    /// was disposed of.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the content at hand was not disposed of, or the platform answered with
    /// another item.
    pub async fn take_in_anew(
        &self,
        item: ItemId,
        fetched: FetchedItem,
        user: UserId,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let refused = |why: &str| Err(StoreError::Refused { why: why.into() });
            let known = the_item(tx, item)?;
            if fetched.platform_id != known.platform_id {
                return refused("Plattformen svarade med ett annat inlägg. Inget har ändrats.");
            }
            let kept = evidence::of_version(tx, known.current_version)?;
            if !kept.is_some_and(|row| matches!(row.state, EvidenceState::Disposed { .. })) {
                return refused(
                    "Det som står där har redan lästs på nytt. Vänta tills beviset är säkrat.",
                );
            }
            match store_item(tx, known.account, &fetched, now)? {
                Stored::NewVersion => {}
                Stored::New | Stored::Same { .. } => {
                    let number = highest_number(tx, item)?.saturating_add(1);
                    let content = fetched.content_hash();
                    let version = insert_version(tx, item, number, content, &fetched, now)?;
                    make_current(tx, item, version)?;
                }
            }
            if let Some(case) = case_of_item(tx, item)? {
                let by = Some((user, line.user_name.as_str()));
                let detail = Some("Det som hade sparats är gallrat.");
                note_event(tx, case.id, by, "Inlägget lästes på nytt", detail, now)?;
            }
            audit::append(tx, &line, now)
        })
        .await
    }
}
