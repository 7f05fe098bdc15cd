//! A case (*ärende i kön*): what a person has to decide about an item.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything decided was carried out.
    CarriedOut,
    /// Nothing wrong with it.
    Dismissed,
    /// Kept and deliberately not registered.
    NotRegistered,
    /// Registered, with its diary number.
    Registered,
}

impl Outcome {
    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::CarriedOut => "åtgärdat",
            Self::Dismissed => "avfärdat",
            Self::NotRegistered => "behöver inte diarieföras",
            Self::Registered => "diariefört",
        }
    }
}

/// Where a case stands. Who claims it is a lease beside the state, since a claim never changes
/// what has to be done (see [`Claim`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CaseState {
    /// Waits for a person.
    Waiting,
    /// Came back to the person because something did not go.
    Returned {
        /// What happened, what is safe, what to do; in Swedish.
        reason: String,
    },
    /// A person chose to wait.
    Held {
        /// Comes back then.
        until: Timestamp,
        /// Why it had come back before it was put to rest, in Swedish: it comes back with that again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Decided; actions are pending or under way.
    Decided,
    /// Everything is carried out but the diary number has not come.
    AwaitingDiary,
    /// Nothing more to do.
    Closed {
        /// How it ended.
        outcome: Outcome,
    },
}

/// What may happen to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseEvent {
    /// A person decided something that has actions or ends the matter.
    Decide,
    /// A person chose to wait.
    Hold {
        /// Until when.
        until: Timestamp,
    },
    /// The time of waiting is over.
    HoldEnds,
    /// The person undid the decision while nothing had begun.
    Undo,
    /// An action was given up.
    ActionFailed {
        /// What happened, in Swedish.
        reason: String,
    },
    /// Every action is settled, none failed.
    ActionsSettled {
        /// Whether a diary number is still to come.
        awaits_diary: bool,
        /// How it ends otherwise.
        outcome: Outcome,
    },
    /// The diary number was entered.
    DiaryNumberEntered,
    /// The author changed the item, or it was reported or picked up again.
    Reopen {
        /// Why, in Swedish.
        reason: String,
    },
}

/// The event does not fit the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a case that is {state} cannot {event}")]
pub struct CaseRefused {
    /// Identifier of the state.
    pub state: &'static str,
    /// Name of the event.
    pub event: &'static str,
}

impl CaseEvent {
    /// Name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Decide => "be decided",
            Self::Hold { .. } => "be held",
            Self::HoldEnds => "come back from holding",
            Self::Undo => "be undone",
            Self::ActionFailed { .. } => "have a failed action",
            Self::ActionsSettled { .. } => "have its actions settled",
            Self::DiaryNumberEntered => "get a diary number",
            Self::Reopen { .. } => "be reopened",
        }
    }
}

impl CaseState {
    /// Identifier in the store and in filters.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Returned { .. } => "returned",
            Self::Held { .. } => "held",
            Self::Decided => "decided",
            Self::AwaitingDiary => "awaiting_diary",
            Self::Closed { .. } => "closed",
        }
    }

    /// The Swedish word.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Waiting => "väntar på beslut",
            Self::Returned { .. } => "kom tillbaka",
            Self::Held { .. } => "vilar",
            Self::Decided => "beslutat, genomförs",
            Self::AwaitingDiary => "väntar på diarienummer",
            Self::Closed { .. } => "avslutat",
        }
    }

    /// Whether a person has to do something now.
    pub const fn needs_a_person(&self) -> bool {
        match self {
            Self::Waiting | Self::Returned { .. } => true,
            Self::Held { .. } | Self::Decided | Self::AwaitingDiary | Self::Closed { .. } => false,
        }
    }

    /// Whether a decision may be made: also while holding, and anew on a case that awaits its
    /// diary number or is closed (a hidden comment may be shown again, a kept one deleted).
    pub const fn may_be_decided(&self) -> bool {
        match self {
            Self::Waiting
            | Self::Returned { .. }
            | Self::Held { .. }
            | Self::AwaitingDiary
            | Self::Closed { .. } => true,
            // One decision at a time: what is under way must settle first.
            Self::Decided => false,
        }
    }

    /// The next state, or why there is none.
    pub fn on(self, event: CaseEvent) -> Result<Self, CaseRefused> {
        use CaseEvent as E;
        use CaseState as S;
        let refused = CaseRefused { state: self.id(), event: event.name() };
        match self {
            S::Waiting => match event {
                E::Decide => Ok(S::Decided),
                E::Hold { until } => Ok(S::Held { until, reason: None }),
                // A new version of a waiting item changes what is shown, not that it waits; a
                // number for an earlier registration is noted there and changes nothing here.
                E::Reopen { .. } | E::DiaryNumberEntered => Ok(self),
                E::HoldEnds | E::Undo | E::ActionFailed { .. } | E::ActionsSettled { .. } => {
                    Err(refused)
                }
            },
            S::Returned { reason: known } => match event {
                E::Decide => Ok(S::Decided),
                E::Hold { until } => Ok(S::Held { until, reason: Some(known) }),
                E::Reopen { .. } | E::DiaryNumberEntered => Ok(S::Returned { reason: known }),
                // Another action of the same decision was given up too: its reason is the news.
                E::ActionFailed { reason } => Ok(S::Returned { reason }),
                // The person let the failed action go again, and now all is done.
                E::ActionsSettled { awaits_diary, outcome } => Ok(settled(awaits_diary, outcome)),
                E::HoldEnds | E::Undo => Err(refused),
            },
            S::Held { until, reason: known } => match event {
                E::Decide => Ok(S::Decided),
                E::Hold { until } => Ok(S::Held { until, reason: known }),
                // What had come back comes back with why: resting has mended nothing.
                E::HoldEnds | E::Undo => Ok(match known {
                    Some(reason) => S::Returned { reason },
                    None => S::Waiting,
                }),
                E::Reopen { reason } | E::ActionFailed { reason } => Ok(S::Returned { reason }),
                // The person chose to wait, whatever becomes of an earlier decision's actions.
                E::ActionsSettled { .. } | E::DiaryNumberEntered => {
                    Ok(S::Held { until, reason: known })
                }
            },
            S::Decided => match event {
                E::Undo => Ok(S::Waiting),
                E::ActionFailed { reason } => Ok(S::Returned { reason }),
                E::ActionsSettled { awaits_diary, outcome } => Ok(settled(awaits_diary, outcome)),
                // What was decided is carried out on the version decided about; the outbox meets
                // the changed text and captures it anew. The case comes back when that is done.
                // A number for an earlier registration is noted there.
                E::Reopen { .. } | E::DiaryNumberEntered => Ok(S::Decided),
                E::Decide | E::Hold { .. } | E::HoldEnds => Err(refused),
            },
            S::AwaitingDiary => match event {
                E::DiaryNumberEntered => Ok(S::Closed { outcome: Outcome::Registered }),
                E::Decide => Ok(S::Decided),
                E::Reopen { reason } => Ok(S::Returned { reason }),
                E::Hold { .. }
                | E::HoldEnds
                | E::Undo
                | E::ActionFailed { .. }
                | E::ActionsSettled { .. } => Err(refused),
            },
            S::Closed { .. } => match event {
                E::Decide => Ok(S::Decided),
                E::Reopen { reason } => Ok(S::Returned { reason }),
                // A number may come after a case was reopened and closed again.
                E::DiaryNumberEntered => Ok(S::Closed { outcome: Outcome::Registered }),
                E::Hold { .. }
                | E::HoldEnds
                | E::Undo
                | E::ActionFailed { .. }
                | E::ActionsSettled { .. } => Err(refused),
            },
        }
    }
}

/// Where a case goes when everything decided is done.
const fn settled(awaits_diary: bool, outcome: Outcome) -> CaseState {
    if awaits_diary { CaseState::AwaitingDiary } else { CaseState::Closed { outcome } }
}
