//! Tasks: actions that a person carries out on the platform itself, and says so.

use jiff::Timestamp;

use super::actions::{ACTION, action_row, moved, the_action};
use super::audit;
use super::items::set_presence;
use super::value::rows;
use crate::domain::action::ActionEvent;
use crate::domain::ids::{ActionId, UserId};
use crate::domain::item::Presence;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{ActionRow, AuditLine};

/// How a task ended, by the word of the person who had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    /// It is done.
    Done {
        /// The words for the record.
        words: String,
        /// The item's visibility after it, where it changes that.
        presence: Option<Presence>,
    },
    /// It could not be done.
    NotDone {
        /// Why, in Swedish.
        reason: String,
    },
}

impl Store {
    /// Tasks that wait, oldest first.
    pub async fn tasks(&self, most: u32) -> Result<Vec<ActionRow>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(&format!(
                    "select {ACTION} from actions x indexed by actions_by_hand
                     join items i on i.id = x.item_id
                     where x.by_hand = 1 and x.due_at is not null order by x.id limit ?1"
                ))?,
                [most],
                action_row,
            )
        })
        .await
    }

    /// How many tasks wait.
    pub async fn n_tasks(&self) -> Result<u64, StoreError> {
        self.read(|c| {
            Ok(c.prepare_cached(
                "select count(*) from actions indexed by actions_by_hand
                 where by_hand = 1 and due_at is not null",
            )?
            .query_row([], |row| row.get(0))?)
        })
        .await
    }

    /// A person says how their task ended: an end of the action like any other, with their name.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is no task, or has ended or been undone already.
    pub async fn end_task(
        &self,
        action: ActionId,
        user: UserId,
        end: TaskEnd,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<ActionRow, StoreError> {
        self.write(move |tx| {
            let known = the_action(tx, action)?;
            if !known.by_hand || known.state.is_settled() {
                return Err(StoreError::Refused {
                    why: "Uppgiften är redan avslutad eller ångrad.".into(),
                });
            }
            let by = Some((user, line.user_name.as_str()));
            moved(tx, action, ActionEvent::Begin { at: now }, by, now)?;
            let event = match end {
                TaskEnd::Done { words, presence } => {
                    if let Some(presence) = presence {
                        set_presence(tx, known.item, presence, now)?;
                    }
                    ActionEvent::Succeed { at: now, receipt: words }
                }
                TaskEnd::NotDone { reason } => {
                    ActionEvent::FailForGood { at: now, reason, may_have_acted: false }
                }
            };
            let ended = moved(tx, action, event, by, now)?;
            audit::append(tx, &line, now)?;
            Ok(ended)
        })
        .await
    }
}
