//! Identities. One macro, so that no two kinds of number can be swapped by mistake.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! row_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    )*};
}

row_ids! {
    /// An account (*konto*): one page, channel or profile.
    AccountId,
    /// An item (*inlägg, kommentar, meddelande*) by an outsider.
    ItemId,
    /// One version (*lydelse*) of an item.
    VersionId,
    /// A case (*ärende i kön*).
    CaseId,
    /// A decision (*beslut*) by a person.
    DecisionId,
    /// An action (*åtgärd*) in the outbox.
    ActionId,
    /// An evidence record (*bevis*).
    EvidenceId,
    /// A registration (*diarieföring*).
    RegistrationId,
    /// An exemption from disposal (*undantag från gallring*).
    HoldId,
    /// A disposal (*gallring*): the number of its protocol.
    DisposalId,
    /// A notice (*avisering*).
    NoticeId,
    /// Decisions made together on many cases.
    BulkId,
    /// A saved reply (*sparat svar*).
    SavedReplyId,
    /// A saved filter of the queue (*sparat filter*).
    SavedFilterId,
    /// A version of a policy (*riktlinje*).
    PolicyVersionId,
    /// A user of Uppsikt (*användare*).
    UserId,
    /// A key for a program (*API-nyckel*).
    ApiKeyId,
    /// A receiver of webhooks (*mottagare*).
    HookId,
    /// A message to one of them.
    HookMessageId,
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as the identity; it is opaque and compared byte for byte.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text of the identity.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0)
            }
        }
    )*};
}

text_ids! {
    /// The account's key in `config.toml` and in addresses, for example `blogg`.
    AccountKey,
    /// What the platform calls an item: opaque, never a number in our code, since several
    /// platforms exceed 2^53.
    PlatformItemId,
    /// What the platform calls the post that a comment stands under.
    PlatformPostId,
    /// Where to go on fetching, in the connector's own form. Opaque to everybody else.
    Cursor,
    /// The version of lexicon and rules that made a verdict: a hash over all their sources.
    LexiconVersion,
    /// The diary number (*diarienummer*) that the authority's register gave.
    DiaryNumber,
}

/// A SHA-256 digest of content. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// Wraps a digest that somebody has computed.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The SHA-256 digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The digest's bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("not a sha-256 digest in hexadecimal: 64 digits 0-9 a-f are expected")]
pub struct NotAHash;

impl FromStr for ContentHash {
    type Err = NotAHash;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let mut digest = [0; 32];
        hex::decode_to_slice(s, &mut digest).map_err(|_| NotAHash)?;
        Ok(Self(digest))
    }
}

impl Serialize for ContentHash {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
