//! What the machine says it found: categories and severity.
//!
//! A category is never a ground (*grund*): it suggests grounds, and a person chooses one
//! (see [`crate::domain::ground`]).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! categories {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $label:literal, $task:ident;)*) => {
        /// A kind of finding, with the identifier that `uppsikt classify` prints.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Category {
            $($(#[$doc])* $name,)*
        }

        impl Category {
            /// Every category, in the order in which a person should see them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable identifier, used in files, in the store and in output.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// The Swedish word an editor sees.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }

            /// Whether the finding may call for removal, or only for routing to somebody.
            pub const fn task(self) -> Task {
                match self { $(Self::$name => Task::$task),* }
            }
        }
    };
}

/// What a finding of a category asks of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Something that may have to be hidden or deleted.
    Removal,
    /// Nothing wrong with it: somebody has to answer or register it.
    Routing,
}

categories! {
    /// Unlawful threat (*olaga hot*, BrB 4:5) and wishes of harm.
    Threat = "threat", "hot", Removal;
    /// Calls to crime (*uppvigling*, BrB 16:5).
    Incitement = "incitement", "uppmaning till brott", Removal;
    /// Contempt for a group (*hets mot folkgrupp*, BrB 16:8) or sexism.
    Hate = "hate", "hat mot grupp", Removal;
    /// Graphic violence (*olaga våldsskildring*, BrB 16:10 c).
    Violence = "violence", "våldsskildring", Removal;
    /// Pornography, offers of sex, sexual remarks on people.
    Sexual = "sexual", "sexuellt innehåll", Removal;
    /// A personal or coordination number (*personnummer, samordningsnummer*).
    PersonalId = "personal_id", "personnummer", Removal;
    /// Sensitive data (*känsliga personuppgifter*, GDPR art. 9 and 10) on an identifiable person.
    SensitiveData = "sensitive_data", "känsliga uppgifter", Removal;
    /// Private phone, address, number plate, bank account.
    PersonalData = "personal_data", "personuppgifter", Removal;
    /// Abuse of a pointed-out person (*förolämpning, förtal*).
    Insult = "insult", "personangrepp", Removal;
    /// Swearing and obscene words.
    Profanity = "profanity", "svordomar", Removal;
    /// Addresses that lead to unlawful material.
    LinkIllegal = "link_illegal", "olaglig länk", Removal;
    /// Sharing of unlawful copies (1998:112 5 § 2).
    Copyright = "copyright", "upphovsrätt", Removal;
    /// Fraud and mass posting.
    Spam = "spam", "skräp och bedrägeri", Removal;
    /// Advertising.
    Commercial = "commercial", "reklam", Removal;
    /// Messages for or against a party.
    PartyPolitical = "party_political", "partipolitik", Removal;
    /// Something to act on or register.
    Case = "case", "ärende att ta hand om", Routing;
    /// A serious question to the authority.
    Question = "question", "fråga", Routing;
}

/// The text names no category that this version knows.
#[derive(Debug, thiserror::Error)]
#[error("unknown category `{0}`")]
pub struct UnknownCategory(pub String);

impl FromStr for Category {
    type Err = UnknownCategory;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|c| c.id() == s).ok_or_else(|| UnknownCategory(s.to_owned()))
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Category {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Category {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// How grave a finding is; for routing categories, how urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A note on the item; nothing enters the queue.
    Low,
    /// A person decides today.
    Medium,
    /// Evidence first, then hide or delete now.
    High,
}

impl Severity {
    /// The identifier used in files, in the store and in output.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The Swedish word an editor sees.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Low => "låg",
            Self::Medium => "medel",
            Self::High => "hög",
        }
    }
}
