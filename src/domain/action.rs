//! One thing to carry out because of a decision (*åtgärd*): a row in the outbox.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Hide on the platform; reversible.
    Hide,
    /// Show again.
    Unhide,
    /// Delete on the platform (to the bin where there is one).
    Delete,
    /// Publish an answer.
    Reply,
    /// Report to the platform.
    Report,
    /// Hand the record to the diary (*diarieföra*).
    Register,
    /// Send by mail to somebody inside the authority (*vidarebefordra*).
    Forward,
}

impl ActionKind {
    /// All kinds.
    pub const ALL: &[Self] = &[
        Self::Hide,
        Self::Unhide,
        Self::Delete,
        Self::Reply,
        Self::Report,
        Self::Register,
        Self::Forward,
    ];

    /// Identifier in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Hide => "hide",
            Self::Unhide => "unhide",
            Self::Delete => "delete",
            Self::Reply => "reply",
            Self::Report => "report",
            Self::Register => "register",
            Self::Forward => "forward",
        }
    }

    /// The kind with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|k| k.id() == id)
    }

    /// Removing kinds need sealed evidence of exactly the version removed (invariant 2).
    pub const fn removes(self) -> bool {
        match self {
            Self::Hide | Self::Delete => true,
            Self::Unhide | Self::Reply | Self::Report | Self::Register | Self::Forward => false,
        }
    }

    /// The Swedish noun for what is done, as in "Döljandet misslyckades".
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hide => "dölja",
            Self::Unhide => "visa igen",
            Self::Delete => "ta bort",
            Self::Reply => "svara",
            Self::Report => "anmäla till plattformen",
            Self::Register => "diarieföra",
            Self::Forward => "vidarebefordra",
        }
    }
}

/// What is taken of states that were stored before it was told apart: nobody knows.
const fn untold() -> bool {
    true
}

/// Where an action stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ActionState {
    /// Waits for its moment: the undo window, then the outbox.
    Pending {
        /// Not to be begun before this.
        not_before: Timestamp,
    },
    /// The intent is recorded and the call may be out. After a crash this means *unknown*: look
    /// at the live state before anything is repeated.
    UnderWay {
        /// When the intent was recorded.
        since: Timestamp,
        /// Which attempt this is, from 1.
        attempt: u32,
    },
    /// Failed for now; goes again by itself.
    Retrying {
        /// When.
        at: Timestamp,
        /// Attempts made so far, since a person last asked for one.
        attempt: u32,
        /// Why, in Swedish.
        reason: String,
        /// Whether any attempt so far may have reached the platform without our hearing of it: only
        /// then is what stands there now possibly our doing.
        #[serde(default = "untold")]
        may_have_acted: bool,
    },
    /// Carried out, with what the platform answered.
    Done {
        /// When.
        at: Timestamp,
        /// What came back, in short: an id, a status.
        receipt: String,
    },
    /// Already so on the platform: deleted by its author, hidden by a colleague.
    Moot {
        /// When that was found.
        at: Timestamp,
        /// What was found, in Swedish.
        reason: String,
    },
    /// Given up; a person sees it.
    Failed {
        /// When.
        at: Timestamp,
        /// Why and what to do, in Swedish.
        reason: String,
        /// As in [`ActionState::Retrying`].
        #[serde(default = "untold")]
        may_have_acted: bool,
    },
    /// Undone before it began.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

/// What may happen to an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionEvent {
    /// The outbox takes it and records its intent.
    Begin {
        /// Now.
        at: Timestamp,
    },
    /// The platform did it.
    Succeed {
        /// Now.
        at: Timestamp,
        /// What came back.
        receipt: String,
    },
    /// It was so already.
    FoundMoot {
        /// Now.
        at: Timestamp,
        /// What was found.
        reason: String,
    },
    /// It did not go, but may later.
    FailForNow {
        /// When to try again.
        again_at: Timestamp,
        /// Why.
        reason: String,
        /// Whether this attempt or one before it may have reached the platform.
        may_have_acted: bool,
    },
    /// It will not go.
    FailForGood {
        /// Now.
        at: Timestamp,
        /// Why.
        reason: String,
        /// Whether this attempt or one before it may have reached the platform.
        may_have_acted: bool,
    },
    /// The person changed their mind.
    Cancel {
        /// Now.
        at: Timestamp,
    },
    /// A person asks for another try of a failed action.
    TryAgain {
        /// Now.
        at: Timestamp,
    },
}

/// The event does not fit the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an action that is {state} cannot {event}")]
pub struct ActionRefused {
    /// Identifier of the state.
    pub state: &'static str,
    /// Name of the event.
    pub event: &'static str,
}

impl ActionState {
    /// Identifier of the state.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::UnderWay { .. } => "under_way",
            Self::Retrying { .. } => "retrying",
            Self::Done { .. } => "done",
            Self::Moot { .. } => "moot",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether the outbox is to look at it: its moment has come, or an earlier run died over it.
    pub fn is_due(&self, now: Timestamp) -> bool {
        match self {
            Self::Pending { not_before } => *not_before <= now,
            Self::UnderWay { .. } => true,
            Self::Retrying { at, .. } => *at <= now,
            Self::Done { .. }
            | Self::Moot { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. } => false,
        }
    }

    /// Whether the matter is settled: nothing more will happen without a person.
    pub const fn is_settled(&self) -> bool {
        match self {
            Self::Pending { .. } | Self::UnderWay { .. } | Self::Retrying { .. } => false,
            Self::Done { .. }
            | Self::Moot { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. } => true,
        }
    }

    /// The next state, or why there is none.
    ///
    /// An action under way may be *begun* again: that is what the outbox does after a crash, when
    /// nobody knows whether the call went out. Whoever carries it out must then read the live
    /// state first.
    pub fn on(self, event: ActionEvent) -> Result<Self, ActionRefused> {
        use ActionEvent as E;
        use ActionState as S;
        let state = self.id();
        match self {
            S::Pending { .. } => match event {
                E::Begin { at } => Ok(S::UnderWay { since: at, attempt: 1 }),
                E::Cancel { at } => Ok(S::Cancelled { at }),
                E::Succeed { .. }
                | E::FoundMoot { .. }
                | E::FailForNow { .. }
                | E::FailForGood { .. }
                | E::TryAgain { .. } => Err(event.refused(state)),
            },
            S::UnderWay { attempt, .. } => match event {
                E::Begin { at } => {
                    Ok(S::UnderWay { since: at, attempt: attempt.saturating_add(1) })
                }
                E::Succeed { at, receipt } => Ok(S::Done { at, receipt }),
                E::FoundMoot { at, reason } => Ok(S::Moot { at, reason }),
                E::FailForNow { again_at, reason, may_have_acted } => {
                    Ok(S::Retrying { at: again_at, attempt, reason, may_have_acted })
                }
                E::FailForGood { at, reason, may_have_acted } => {
                    Ok(S::Failed { at, reason, may_have_acted })
                }
                E::Cancel { .. } | E::TryAgain { .. } => Err(event.refused(state)),
            },
            S::Retrying { attempt, may_have_acted, .. } => match event {
                E::Begin { at } => {
                    Ok(S::UnderWay { since: at, attempt: attempt.saturating_add(1) })
                }
                // Undoing is honest only where no attempt can have acted.
                E::Cancel { at } if !may_have_acted => Ok(S::Cancelled { at }),
                E::FailForGood { at, reason, may_have_acted: later } => {
                    Ok(S::Failed { at, reason, may_have_acted: may_have_acted || later })
                }
                E::Succeed { .. }
                | E::FoundMoot { .. }
                | E::FailForNow { .. }
                | E::Cancel { .. }
                | E::TryAgain { .. } => Err(event.refused(state)),
            },
            S::Failed { reason, may_have_acted, .. } => match event {
                // Counted anew: the first attempt after this is a person's, who has been told what may
                // have got through. What is known of that is kept.
                E::TryAgain { at } => Ok(S::Retrying { at, attempt: 0, reason, may_have_acted }),
                E::Begin { .. }
                | E::Succeed { .. }
                | E::FoundMoot { .. }
                | E::FailForNow { .. }
                | E::FailForGood { .. }
                | E::Cancel { .. } => Err(event.refused(state)),
            },
            S::Done { .. } | S::Moot { .. } | S::Cancelled { .. } => match event {
                E::Begin { .. }
                | E::Succeed { .. }
                | E::FoundMoot { .. }
                | E::FailForNow { .. }
                | E::FailForGood { .. }
                | E::Cancel { .. }
                | E::TryAgain { .. } => Err(event.refused(state)),
            },
        }
    }
}

impl ActionEvent {
    /// Name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Begin { .. } => "begin",
            Self::Succeed { .. } => "succeed",
            Self::FoundMoot { .. } => "be found moot",
            Self::FailForNow { .. } => "fail for now",
            Self::FailForGood { .. } => "fail for good",
            Self::Cancel { .. } => "be cancelled",
            Self::TryAgain { .. } => "be tried again",
        }
    }

    fn refused(&self, state: &'static str) -> ActionRefused {
        ActionRefused { state, event: self.name() }
    }
}
