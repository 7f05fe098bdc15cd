//! What a person decides about an item (*beslut*).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::ActionKind;
use super::calendar::local;
use super::case::Outcome;
use super::ground::Ground;
use super::ids::ContentHash;
use super::text::is_blank;

/// Short for what a warning about an answer says: who publishes in spite of one sends it, so that no other warning
/// passes unread. Not a secret.
pub fn warning_mark(warning: &str) -> String {
    ContentHash::of(warning.as_bytes()).to_hex().chars().take(16).collect()
}

/// One choice. Several may be combined in a [`Decision`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "choice", rename_all = "snake_case")]
pub enum Choice {
    /// *Dölj*.
    Hide,
    /// *Visa igen*.
    Unhide,
    /// *Ta bort*.
    Delete,
    /// *Diarieför*.
    Register,
    /// *Diarieför inte*: kept, with its reason.
    NotRegister {
        /// Why it need not be registered.
        reason: String,
    },
    /// *Svara*.
    Answer {
        /// The answer's text.
        text: String,
    },
    /// *Hänvisa*: politics and individual matters are answered with where to turn.
    Refer {
        /// The text that says where to turn.
        text: String,
    },
    /// *Vidarebefordra*.
    Forward {
        /// To whom, a mail address or a unit.
        to: String,
        /// What to tell them.
        note: String,
    },
    /// *Anmäl till plattformen*: whoever runs the platform is told of it, and judges by its own rules.
    Report {
        /// What they are told, beside which item it is.
        reason: String,
    },
    /// *Avfärda*: nothing wrong with it.
    Dismiss,
    /// *Polisanmälan övervägs*.
    ConsiderPoliceReport,
    /// *Påminn mig*: the case rests (*vilar*) until then.
    Hold {
        /// Until when.
        until: Timestamp,
    },
}

impl Choice {
    /// Identifier in forms, in the store and on keys' labels.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Hide => "hide",
            Self::Unhide => "unhide",
            Self::Delete => "delete",
            Self::Register => "register",
            Self::NotRegister { .. } => "not_register",
            Self::Answer { .. } => "answer",
            Self::Refer { .. } => "refer",
            Self::Forward { .. } => "forward",
            Self::Report { .. } => "report",
            Self::Dismiss => "dismiss",
            Self::ConsiderPoliceReport => "police",
            Self::Hold { .. } => "hold",
        }
    }

    /// The Swedish words for what was decided, in the past tense of a record.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Hide => "dölj",
            Self::Unhide => "visa igen",
            Self::Delete => "ta bort",
            Self::Register => "diarieför",
            Self::NotRegister { .. } => "diarieför inte",
            Self::Answer { .. } => "svara",
            Self::Refer { .. } => "hänvisa",
            Self::Forward { .. } => "vidarebefordra",
            Self::Report { .. } => "anmäl till plattformen",
            Self::Dismiss => "avfärda",
            Self::ConsiderPoliceReport => "polisanmälan övervägs",
            Self::Hold { .. } => "påminn mig",
        }
    }

    /// The action that carries the choice out, where one is needed.
    pub const fn action(&self) -> Option<ActionKind> {
        match self {
            Self::Hide => Some(ActionKind::Hide),
            Self::Unhide => Some(ActionKind::Unhide),
            Self::Delete => Some(ActionKind::Delete),
            Self::Register => Some(ActionKind::Register),
            Self::Answer { .. } | Self::Refer { .. } => Some(ActionKind::Reply),
            Self::Forward { .. } => Some(ActionKind::Forward),
            Self::Report { .. } => Some(ActionKind::Report),
            Self::NotRegister { .. }
            | Self::Dismiss
            | Self::ConsiderPoliceReport
            | Self::Hold { .. } => None,
        }
    }

    /// Whether it is made for a ground: it removes, or a crime may be reported. What is registered alone is no breach,
    /// and a ground that stood preselected would say that it was.
    pub const fn rests_on_ground(&self) -> bool {
        match self {
            Self::Hide | Self::Delete | Self::ConsiderPoliceReport => true,
            Self::Unhide
            | Self::Register
            | Self::NotRegister { .. }
            | Self::Answer { .. }
            | Self::Refer { .. }
            | Self::Forward { .. }
            | Self::Report { .. }
            | Self::Dismiss
            | Self::Hold { .. } => false,
        }
    }

    /// The person's own words that belong to it, with what they are: `Svar: Tack!`.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::NotRegister { reason } => Some(format!("Skäl: {}", reason.trim())),
            Self::Answer { text } => Some(format!("Svar: {}", text.trim())),
            Self::Refer { text } => Some(format!("Hänvisning: {}", text.trim())),
            Self::Report { reason } => Some(format!("Anmälan: {}", reason.trim())),
            Self::Forward { to, note } if is_blank(note) => Some(format!("Till: {}", to.trim())),
            Self::Forward { to, note } => {
                Some(format!("Till: {}. Meddelande: {}", to.trim(), note.trim()))
            }
            Self::Hold { until } => {
                Some(format!("Vilar till {}", local(*until).strftime("%Y-%m-%d %H:%M")))
            }
            Self::Hide
            | Self::Unhide
            | Self::Delete
            | Self::Register
            | Self::Dismiss
            | Self::ConsiderPoliceReport => None,
        }
    }

    /// The words that its action carries, where it carries any.
    pub fn action_text(&self) -> Option<&str> {
        match self {
            Self::Answer { text } | Self::Refer { text } => Some(text.trim()),
            Self::Report { reason } => Some(reason.trim()),
            Self::Forward { note, .. } => Some(note),
            Self::Hide
            | Self::Unhide
            | Self::Delete
            | Self::Register
            | Self::NotRegister { .. }
            | Self::Dismiss
            | Self::ConsiderPoliceReport
            | Self::Hold { .. } => None,
        }
    }
}

/// A whole decision: checked, ready to be committed with its actions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Decision {
    choices: Vec<Choice>,
    ground: Option<Ground>,
    note: Option<String>,
}

/// What a stored decision looks like before it is checked again.
#[derive(Deserialize)]
struct Unchecked {
    choices: Vec<Choice>,
    ground: Option<Ground>,
    note: Option<String>,
}

impl TryFrom<Unchecked> for Decision {
    type Error = DecisionError;
    fn try_from(read: Unchecked) -> Result<Self, DecisionError> {
        Self::new(read.choices, read.ground, read.note)
    }
}

/// Why a set of choices is no decision. Every variant tells a person what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// Nothing chosen.
    #[error("no choice was made")]
    Empty,
    /// The same choice twice.
    #[error("{0} was chosen twice")]
    Twice(&'static str),
    /// Two choices that exclude each other.
    #[error("{0} and {1} exclude each other")]
    Exclusive(&'static str, &'static str),
    /// Removing without a ground.
    #[error("hide and delete need a ground")]
    NoGround,
    /// A choice that needs words came without.
    #[error("{0} needs a text")]
    NoText(&'static str),
}

impl DecisionError {
    /// The Swedish sentence for the editor.
    pub fn swedish(self) -> String {
        match self {
            Self::Empty => "Välj vad som ska göras.".into(),
            Self::Twice(_) => "Samma val är gjort två gånger. Välj det en gång.".into(),
            Self::Exclusive(..) => {
                "Valen går inte att kombinera. Ta bort ett av dem och försök igen.".into()
            }
            Self::NoGround => "Välj en grund innan du döljer eller tar bort.".into(),
            Self::NoText(choice) => match choice {
                "not_register" => "Skriv varför det inte ska diarieföras.".into(),
                "forward" => "Skriv vem det ska vidarebefordras till.".into(),
                "report" => "Skriv vad plattformen ska få veta i anmälan.".into(),
                _ => "Skriv texten som ska publiceras.".into(),
            },
        }
    }
}

impl Decision {
    /// Checks that the choices fit together.
    ///
    /// # Errors
    /// See [`DecisionError`]; each is mended by the person who decides.
    pub fn new(
        choices: Vec<Choice>,
        ground: Option<Ground>,
        note: Option<String>,
    ) -> Result<Self, DecisionError> {
        if choices.is_empty() {
            return Err(DecisionError::Empty);
        }
        for (i, a) in choices.iter().enumerate() {
            for b in &choices[..i] {
                if a.id() == b.id() {
                    return Err(DecisionError::Twice(a.id()));
                }
                if exclusive(a, b) || exclusive(b, a) {
                    return Err(DecisionError::Exclusive(b.id(), a.id()));
                }
            }
            if lacks_text(a) {
                return Err(DecisionError::NoText(a.id()));
            }
        }
        let removes = choices.iter().filter_map(Choice::action).any(ActionKind::removes);
        if removes && ground.is_none() {
            return Err(DecisionError::NoGround);
        }
        // A ground that was preselected says nothing of a decision that removes nothing; that it is secret is said of
        // what the diary has too.
        let registers = choices.contains(&Choice::Register);
        let ground = ground.filter(|ground| {
            choices.iter().any(Choice::rests_on_ground) || (registers && ground.may_be_secret())
        });
        let note = note.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty());
        Ok(Self { choices, ground, note })
    }

    /// The same decision with its registration first: where a policy wants what is removed in the diary
    /// before it is gone, it is carried out in that order.
    pub fn registering_first(mut self) -> Self {
        self.choices.sort_by_key(|choice| *choice != Choice::Register);
        self
    }

    /// The same decision with each text that is published as `change` has it; as it was where that gives nothing.
    pub fn with_published(mut self, change: impl Fn(&str) -> Option<String>) -> Self {
        for choice in &mut self.choices {
            match choice {
                Choice::Answer { text } | Choice::Refer { text } => {
                    if let Some(changed) = change(text) {
                        *text = changed;
                    }
                }
                Choice::Hide
                | Choice::Unhide
                | Choice::Delete
                | Choice::Register
                | Choice::NotRegister { .. }
                | Choice::Forward { .. }
                | Choice::Report { .. }
                | Choice::Dismiss
                | Choice::ConsiderPoliceReport
                | Choice::Hold { .. } => {}
            }
        }
        self
    }

    /// What was chosen, at least one.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// For what; always there when something is removed, never where nothing is removed or reported, but for secrecy,
    /// which the diary is told of too.
    pub fn ground(&self) -> Option<Ground> {
        self.ground
    }

    /// The person's own words, if any.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Whether the decision removes something from a platform.
    pub fn removes(&self) -> bool {
        self.choices.iter().filter_map(Choice::action).any(ActionKind::removes)
    }

    /// Until when the case is to wait, if that was the choice.
    pub fn held_until(&self) -> Option<Timestamp> {
        self.choices.iter().find_map(|c| match c {
            Choice::Hold { until } => Some(*until),
            Choice::Hide
            | Choice::Unhide
            | Choice::Delete
            | Choice::Register
            | Choice::NotRegister { .. }
            | Choice::Answer { .. }
            | Choice::Refer { .. }
            | Choice::Forward { .. }
            | Choice::Report { .. }
            | Choice::Dismiss
            | Choice::ConsiderPoliceReport => None,
        })
    }
}

/// How a case ends by these choices, carried out. `registered`: the diary has what they were about.
pub fn outcome_of(choices: &[Choice], registered: bool) -> Outcome {
    if registered {
        return Outcome::Registered;
    }
    let ends = |choice: &Choice| match choice {
        Choice::NotRegister { .. } => Some(Outcome::NotRegistered),
        Choice::Dismiss => Some(Outcome::Dismissed),
        Choice::Hide
        | Choice::Unhide
        | Choice::Delete
        | Choice::Register
        | Choice::Answer { .. }
        | Choice::Refer { .. }
        | Choice::Forward { .. }
        | Choice::Report { .. }
        | Choice::ConsiderPoliceReport
        | Choice::Hold { .. } => None,
    };
    let mut found: Vec<_> = choices.iter().filter_map(ends).collect();
    // Who dismisses and says that it need not be registered has said more.
    found.sort_by_key(|outcome| *outcome != Outcome::NotRegistered);
    found.first().copied().unwrap_or(Outcome::CarriedOut)
}

/// One direction is enough; the caller asks both ways.
fn exclusive(a: &Choice, b: &Choice) -> bool {
    match a {
        // Waiting and dismissing say that nothing else is to be done now; a dismissed item may
        // still be noted as not to be registered.
        Choice::Hold { .. } => true,
        Choice::Dismiss => !matches!(b, Choice::NotRegister { .. }),
        Choice::Hide => matches!(b, Choice::Delete | Choice::Unhide),
        Choice::Unhide => matches!(b, Choice::Delete),
        Choice::Register => matches!(b, Choice::NotRegister { .. }),
        Choice::Answer { .. } => matches!(b, Choice::Refer { .. }),
        Choice::Delete
        | Choice::NotRegister { .. }
        | Choice::Refer { .. }
        | Choice::Forward { .. }
        | Choice::Report { .. }
        | Choice::ConsiderPoliceReport => false,
    }
}

fn lacks_text(choice: &Choice) -> bool {
    match choice {
        Choice::Answer { text } | Choice::Refer { text } => is_blank(text),
        Choice::NotRegister { reason } | Choice::Report { reason } => is_blank(reason),
        Choice::Forward { to, .. } => is_blank(to),
        Choice::Hide
        | Choice::Unhide
        | Choice::Delete
        | Choice::Register
        | Choice::Dismiss
        | Choice::ConsiderPoliceReport
        | Choice::Hold { .. } => false,
    }
}
