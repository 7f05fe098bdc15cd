//! The choices of the decision form: their words, keys, and what excludes what.

use jiff::Timestamp;

use crate::domain::decision::{Choice, Decision, DecisionError};
use crate::domain::ground::Ground;

/// A choice, without the words that belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChoiceKind {
    /// *Dölj*.
    Hide,
    /// *Visa igen*.
    Unhide,
    /// *Ta bort*.
    Delete,
    /// *Diarieför*.
    Register,
    /// *Svara*.
    Answer,
    /// *Hänvisa*.
    Refer,
    /// *Vidarebefordra*.
    Forward,
    /// *Anmäl till plattformen*.
    Report,
    /// *Avfärda*.
    Dismiss,
    /// *Diarieför inte*.
    NotRegister,
    /// *Påminn mig*.
    Hold,
    /// *Polisanmälan övervägs*.
    Police,
}

impl ChoiceKind {
    /// All, in the order of the page.
    pub const ALL: &[Self] = &[
        Self::Hide,
        Self::Unhide,
        Self::Delete,
        Self::Register,
        Self::Answer,
        Self::Refer,
        Self::Forward,
        Self::Report,
        Self::Dismiss,
        Self::NotRegister,
        Self::Hold,
        Self::Police,
    ];

    /// The identifier that [`Choice::id`] gives, in forms.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Hide => "hide",
            Self::Unhide => "unhide",
            Self::Delete => "delete",
            Self::Register => "register",
            Self::Answer => "answer",
            Self::Refer => "refer",
            Self::Forward => "forward",
            Self::Report => "report",
            Self::Dismiss => "dismiss",
            Self::NotRegister => "not_register",
            Self::Hold => "hold",
            Self::Police => "police",
        }
    }

    /// The kind with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.id() == id)
    }

    /// The word on the page.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hide => "Dölj",
            Self::Unhide => "Visa igen",
            Self::Delete => "Ta bort",
            Self::Register => "Diarieför",
            Self::Answer => "Svara",
            Self::Refer => "Hänvisa",
            Self::Forward => "Vidarebefordra",
            Self::Report => "Anmäl till plattformen",
            Self::Dismiss => "Avfärda",
            Self::NotRegister => "Diarieför inte",
            Self::Hold => "Påminn mig",
            Self::Police => "Polisanmälan övervägs",
        }
    }

    /// The key that makes the choice.
    pub const fn key(self) -> char {
        match self {
            Self::Hide => 'h',
            Self::Unhide => 'i',
            Self::Delete => 't',
            Self::Register => 'r',
            Self::Answer => 's',
            Self::Refer => 'n',
            Self::Forward => 'v',
            Self::Report => 'm',
            Self::Dismiss => 'a',
            Self::NotRegister => 'e',
            Self::Hold => 'w',
            Self::Police => 'p',
        }
    }

    /// Whether it takes something away from a platform: needs sealed evidence and a ground.
    pub const fn removes(self) -> bool {
        match self {
            Self::Hide | Self::Delete => true,
            Self::Unhide
            | Self::Register
            | Self::Answer
            | Self::Refer
            | Self::Forward
            | Self::Report
            | Self::Dismiss
            | Self::NotRegister
            | Self::Hold
            | Self::Police => false,
        }
    }

    /// What it does, where the word alone does not say it.
    pub const fn hint(self) -> Option<&'static str> {
        match self {
            Self::Dismiss => Some("Inget fel på den. Den ligger kvar."),
            Self::NotRegister => Some("Den bevaras, med skälet."),
            Self::Police => Some("Antecknas i ärendet."),
            Self::Refer => Some("Politik och enskilda ärenden."),
            Self::Report => Some("Plattformen prövar den mot sina egna regler."),
            Self::Hide
            | Self::Unhide
            | Self::Delete
            | Self::Register
            | Self::Answer
            | Self::Forward
            | Self::Hold => None,
        }
    }

    /// The choice with words that fit, only to ask [`Decision`] what goes together.
    fn sample(self) -> Choice {
        let text = || "x".to_owned();
        match self {
            Self::Hide => Choice::Hide,
            Self::Unhide => Choice::Unhide,
            Self::Delete => Choice::Delete,
            Self::Register => Choice::Register,
            Self::Answer => Choice::Answer { text: text() },
            Self::Refer => Choice::Refer { text: text() },
            Self::Forward => Choice::Forward { to: text(), note: String::new() },
            Self::Report => Choice::Report { reason: text() },
            Self::Dismiss => Choice::Dismiss,
            Self::NotRegister => Choice::NotRegister { reason: text() },
            Self::Hold => Choice::Hold { until: Timestamp::UNIX_EPOCH },
            Self::Police => Choice::ConsiderPoliceReport,
        }
    }

    /// Identifiers of the choices that exclude this one, with spaces between. Asked of
    /// [`Decision`], so that page and rule cannot drift apart.
    pub fn excludes(self) -> String {
        let excluded = |other: &&Self| {
            let both = vec![self.sample(), other.sample()];
            matches!(
                Decision::new(both, Some(Ground::Threat), None),
                Err(DecisionError::Exclusive(..))
            )
        };
        let ids: Vec<_> =
            Self::ALL.iter().filter(|o| **o != self).filter(excluded).map(|o| o.id()).collect();
        ids.join(" ")
    }

    /// Whether it cannot stand beside another.
    pub fn is_excluded_by(self, other: Self) -> bool {
        self.excludes().split(' ').any(|id| id == other.id())
    }
}

/// What a choice of this identifier will have done, as the bar says it.
pub const fn will_be(choice: &'static str) -> &'static str {
    match choice.as_bytes() {
        b"hide" => "döljs",
        b"unhide" => "visas igen",
        b"delete" => "tas bort",
        b"register" => "diarieförs",
        b"not_register" => "diarieförs inte",
        b"answer" => "besvaras",
        b"refer" => "hänvisas",
        b"forward" => "vidarebefordras",
        b"report" => "anmäls till plattformen",
        b"dismiss" => "avfärdas",
        b"police" => "polisanmälan antecknas",
        _ => "vilar",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_bear_the_identifiers_of_choices_and_own_a_key_each() {
        let mut keys: Vec<_> = ChoiceKind::ALL.iter().map(|k| k.key()).collect();
        for kind in ChoiceKind::ALL {
            assert_eq!(kind.id(), kind.sample().id());
            assert_eq!(ChoiceKind::from_id(kind.id()), Some(*kind));
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), ChoiceKind::ALL.len());
    }

    #[test]
    fn what_excludes_what_is_told_to_the_page() {
        assert_eq!(ChoiceKind::Hide.excludes(), "unhide delete dismiss hold");
        assert_eq!(ChoiceKind::Register.excludes(), "dismiss not_register hold");
        assert_eq!(
            ChoiceKind::Dismiss.excludes(),
            "hide unhide delete register answer refer forward report hold police"
        );
    }
}
