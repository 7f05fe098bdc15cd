//! Accounts (*konto*): one page, channel or profile of the authority on one platform.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::{AccountId, AccountKey};

macro_rules! platforms {
    ($($name:ident = $id:literal, $label:literal;)*) => {
        /// The platforms that Uppsikt knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PlatformKind {
            $(#[doc = $label] $name,)*
        }

        impl PlatformKind {
            /// Every platform.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Identifier in configuration, store and manifests.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// The name people know.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }
        }
    };
}

platforms! {
    Facebook = "facebook", "Facebook";
    Instagram = "instagram", "Instagram";
    YouTube = "youtube", "YouTube";
    LinkedIn = "linkedin", "LinkedIn";
    X = "x", "X";
    TikTok = "tiktok", "TikTok";
    Reddit = "reddit", "Reddit";
    WordPress = "wordpress", "WordPress";
    Mastodon = "mastodon", "Mastodon";
    Bluesky = "bluesky", "Bluesky";
    Flickr = "flickr", "Flickr";
    Snapchat = "snapchat", "Snapchat";
    OwnSite = "jsonl", "egen webbplats";
    Manual = "manual", "manuell inmatning";
}

impl PlatformKind {
    /// The platform with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.id() == id)
    }

    /// By what two accounts on the platform know that they were given the same item.
    pub const fn identity(self) -> ItemIdentity {
        match self {
            Self::Facebook
            | Self::Instagram
            | Self::YouTube
            | Self::LinkedIn
            | Self::X
            | Self::TikTok
            | Self::Reddit
            | Self::Bluesky
            | Self::Flickr
            | Self::Snapchat => ItemIdentity::Id,
            Self::Mastodon => ItemIdentity::Link,
            Self::WordPress | Self::OwnSite | Self::Manual => ItemIdentity::OneAccount,
        }
    }
}

/// By what an item is the same to several accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemIdentity {
    /// The platform's identity is the same to everybody.
    Id,
    /// Each server numbers by itself, and the link is the same everywhere.
    Link,
    /// Each account is a place of its own.
    OneAccount,
}

impl fmt::Display for PlatformKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for PlatformKind {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for PlatformKind {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::from_id(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown platform `{text}`")))
    }
}

/// An account as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its row.
    pub id: AccountId,
    /// Its key in configuration.
    pub key: AccountKey,
    /// Its platform.
    pub platform: PlatformKind,
    /// Its name as people know it.
    pub name: String,
    /// Whether it is served by a labelled simulator.
    pub simulated: bool,
}
