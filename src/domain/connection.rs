//! An account's connection to its platform: when the login ends, how long before it is told, and how it is
//! mended.

use jiff::civil::Date;

use super::account::PlatformKind;

/// How near the end of a login is (platform sheet, section 1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nearing {
    /// 21 days are left, or fewer.
    ThreeWeeks,
    /// 7 days are left, or fewer.
    Week,
    /// 1 day is left, or none.
    Day,
    /// It is over.
    Over,
}

impl Nearing {
    /// All of them, in the order in which they come.
    pub const ALL: &[Self] = &[Self::ThreeWeeks, Self::Week, Self::Day, Self::Over];

    /// Identifier in notices.
    pub const fn id(self) -> &'static str {
        match self {
            Self::ThreeWeeks => "21",
            Self::Week => "7",
            Self::Day => "1",
            Self::Over => "slut",
        }
    }
}

/// How near the end is on a day; nothing while it is far away.
pub fn nearing(ends: Date, today: Date) -> Option<Nearing> {
    match days_left(ends, today) {
        i32::MIN..=-1 => Some(Nearing::Over),
        0..=1 => Some(Nearing::Day),
        2..=7 => Some(Nearing::Week),
        8..=21 => Some(Nearing::ThreeWeeks),
        22..=i32::MAX => None,
    }
}

/// Whole days until the day on which it ends; less than nought once that is over.
pub fn days_left(ends: Date, today: Date) -> i32 {
    (ends - today).get_days()
}

/// `i dag`, `i morgon`, `om 7 dagar`, `för 2 dagar sedan`.
pub fn when(ends: Date, today: Date) -> String {
    match days_left(ends, today) {
        0 => "i dag".into(),
        1 => "i morgon".into(),
        -1 => "i går".into(),
        days @ 2.. => format!("om {days} dagar"),
        days => format!("för {} dagar sedan", days.unsigned_abs()),
    }
}

/// How an account is connected anew, in Swedish.
pub const fn mend(platform: PlatformKind) -> &'static str {
    match platform {
        PlatformKind::Facebook | PlatformKind::Instagram => {
            "Logga in på Meta som någon som har hand om sidan, skapa en ny nyckel åt kontot med `uppsikt accounts connect` eller i Metas verktyg, byt ut den som `token` i inställningarna pekar på och starta om Uppsikt."
        }
        PlatformKind::YouTube
        | PlatformKind::LinkedIn
        | PlatformKind::X
        | PlatformKind::TikTok
        | PlatformKind::Reddit => {
            "Kör `uppsikt accounts connect` för kontot, logga in som den som har hand om det och godkänn rättigheterna. Starta sedan om Uppsikt."
        }
        PlatformKind::WordPress => {
            "Skapa ett nytt applikationslösenord åt användaren i WordPress (Användare → Profil), byt ut det som `password` pekar på och starta om Uppsikt."
        }
        PlatformKind::Mastodon => {
            "Skapa en ny åtkomstnyckel på servern (Inställningar → Utveckling), byt ut den som `token` pekar på och starta om Uppsikt."
        }
        PlatformKind::Bluesky => {
            "Skapa ett nytt applösenord (Inställningar → Integritet och säkerhet), byt ut det som `password` pekar på och starta om Uppsikt."
        }
        PlatformKind::Flickr => {
            "Godkänn appen på nytt hos Flickr, byt ut det som `token` och `token_secret` i inställningarna pekar på och starta om Uppsikt."
        }
        PlatformKind::Snapchat | PlatformKind::OwnSite | PlatformKind::Manual => {
            "Kontakta den som sköter Uppsikt."
        }
    }
}
