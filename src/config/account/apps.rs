//! What accounts on the platforms that are spoken to by an app need.

use super::{Connected, Places, PlatformConfig, Reach, meta_app, number, simulator};
use crate::config::reader::{At, Table};

/// Calls that LinkedIn gives a person in a day in its lowest tier.
const CALLS_DEFAULT: u64 = 100;
const CALLS_LEAST: u64 = 20;
const CALLS_MOST: u64 = 10_000_000;
/// Units that Google gives a project in a day, and the most that one may be granted.
const UNITS_DEFAULT: u64 = 10_000;
const UNITS_LEAST: u64 = 500;
const UNITS_MOST: u64 = 100_000_000;

const LOGINS: &[(&str, bool)] = &[("page", false), ("instagram", true)];

pub(super) fn instagram(
    table: &mut Table<'_, '_>,
    connected: &Connected,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    let ig_id = table.demanded_text("ig_id", "ig_id = \"17841400000000001\"");
    let ig_id = ig_id.filter(|at| number(table, "ig_id", at));
    let login = match table.text("login") {
        Some(at) => table.one_of("login", &at, LOGINS),
        None => Some(false),
    };
    let page_id = match table.text("page_id") {
        Some(at) if login == Some(true) => {
            table.complain(&at, "`page_id` används bara med `login = \"page\"`: ta bort raden, med `login = \"instagram\"` läses meddelanden utan den");
            None
        }
        Some(at) => number(table, "page_id", &at).then_some(Some(at.value)),
        None => Some(None),
    };
    let token = connected.token(table, "token", "UPPSIKT_INSTAGRAM_TOKEN", places);
    let app = meta_app(table, places);
    let simulator = simulator(table, reach);
    Some(PlatformConfig::Instagram {
        ig_id: ig_id?.value,
        own_login: login?,
        page_id: page_id?,
        token: token?,
        app: app?,
        simulator: simulator?,
    })
}

pub(super) fn linkedin(
    table: &mut Table<'_, '_>,
    connected: &Connected,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    let id = table.demanded_text("organization_id", "organization_id = \"1234567\"");
    let id = id.filter(|at| number(table, "organization_id", at));
    let token = connected.token(table, "token", "UPPSIKT_LINKEDIN_TOKEN", places);
    let calls = table.number("calls_per_day", CALLS_DEFAULT, CALLS_LEAST..=CALLS_MOST, "anrop");
    let simulator = simulator(table, reach);
    Some(PlatformConfig::LinkedIn {
        organization_id: id?.value,
        token: token?,
        calls_per_day: u32::try_from(calls?).ok()?,
        simulator: simulator?,
    })
}

pub(super) fn youtube(
    table: &mut Table<'_, '_>,
    connected: &Connected,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    let channel = table.demanded_text("channel_id", "channel_id = \"UCxxxxxxxxxxxxxxxxxxxxxx\"");
    let channel = channel.filter(|at| {
        let fits = at.value.len() == 24
            && at.value.starts_with("UC")
            && at.value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !fits {
            table.complain(at, "`channel_id` är kanalens id, 24 tecken som börjar med UC: det står under Inställningar → Avancerade inställningar på youtube.com");
        }
        fits
    });
    let client = connected.client(
        table,
        "client_id",
        "client_id = \"1234-abcd.apps.googleusercontent.com\"",
    );
    let client_secret =
        connected.client_secret(table, "client_secret", "UPPSIKT_YOUTUBE_KLIENT", places);
    let refresh_token = connected.token(table, "refresh_token", "UPPSIKT_YOUTUBE_TOKEN", places);
    let units = table.number("units_per_day", UNITS_DEFAULT, UNITS_LEAST..=UNITS_MOST, "enheter");
    let simulator = simulator(table, reach);
    Some(PlatformConfig::YouTube {
        channel_id: channel?.value,
        client_id: client?,
        client_secret: client_secret?,
        refresh_token: refresh_token?,
        units_per_day: u32::try_from(units?).ok()?,
        simulator: simulator?,
    })
}

pub(super) fn x(
    table: &mut Table<'_, '_>,
    connected: &Connected,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    let user = table.demanded_text("user_id", "user_id = \"1234567890\"");
    let user = user.filter(|at| number(table, "user_id", at));
    let client = connected.client(table, "client_id", "client_id = \"aBcDeFgHiJkLmN\"");
    let client_secret = connected.maybe_client_secret(table, "client_secret", places);
    let refresh_token = connected.token(table, "refresh_token", "UPPSIKT_X_TOKEN", places);
    let simulator = simulator(table, reach);
    Some(PlatformConfig::X {
        user_id: user?.value,
        client_id: client?,
        client_secret: client_secret?,
        refresh_token: refresh_token?,
        simulator: simulator?,
    })
}

pub(super) fn tiktok(
    table: &mut Table<'_, '_>,
    connected: &Connected,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    let business = table.demanded_text("business_id", "business_id = \"_000abcdef\"");
    let business = business.filter(|at| {
        let fits = !at.value.is_empty()
            && at.value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !fits {
            table.complain(at, "`business_id` är det som heter open_id i svaret när kontot ansluts, inte kontots namn med @ framför");
        }
        fits
    });
    let client = connected.client(table, "client_id", "client_id = \"7123456789012345678\"");
    let client_secret =
        connected.client_secret(table, "client_secret", "UPPSIKT_TIKTOK_KLIENT", places);
    let refresh_token = connected.token(table, "refresh_token", "UPPSIKT_TIKTOK_TOKEN", places);
    let simulator = simulator(table, reach);
    Some(PlatformConfig::TikTok {
        business_id: business?.value,
        client_id: client?,
        client_secret: client_secret?,
        refresh_token: refresh_token?,
        simulator: simulator?,
    })
}

/// A name on Reddit, without what stands before it there.
fn reddit_name(table: &Table<'_, '_>, key: &str, at: &At<String>) -> bool {
    let fits = (2..=30).contains(&at.value.len())
        && at.value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !fits {
        table.complain(at, format!("`{key}` skrivs utan u/ eller r/ framför, till exempel `exempelstad`: bara bokstäver a–z, siffror, bindestreck och understreck"));
    }
    fits
}

pub(super) fn reddit(
    table: &mut Table<'_, '_>,
    connected: &Connected,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    let name = table.demanded_text("account", "account = \"exempelstads_kommun\"");
    let name = name.filter(|at| reddit_name(table, "account", at));
    let subreddit = match table.text("subreddit") {
        Some(at) => reddit_name(table, "subreddit", &at).then_some(Some(at.value)),
        None => Some(None),
    };
    let client = connected.client(table, "client_id", "client_id = \"aBcDeFgHiJkLmN\"");
    let client_secret =
        connected.client_secret(table, "client_secret", "UPPSIKT_REDDIT_KLIENT", places);
    let refresh_token = connected.token(table, "refresh_token", "UPPSIKT_REDDIT_TOKEN", places);
    let simulator = simulator(table, reach);
    Some(PlatformConfig::Reddit {
        name: name?.value,
        subreddit: subreddit?,
        client_id: client?,
        client_secret: client_secret?,
        refresh_token: refresh_token?,
        simulator: simulator?,
    })
}

pub(super) fn flickr(
    table: &mut Table<'_, '_>,
    connected: &Connected,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    let user = table.demanded_text("user_id", "user_id = \"12345678@N01\"");
    let user = user.filter(|at| {
        let fits = at.value.split_once("@N").is_some_and(|(number, server)| {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits(number) && digits(server)
        });
        if !fits {
            table.complain(at, "`user_id` är kontots id på Flickr, till exempel `12345678@N01`, inte namnet i adressen");
        }
        fits
    });
    let key = connected.client(table, "api_key", "api_key = \"9a0554259914a86fb9e7eb014e4e5d52\"");
    let api_secret = connected.client_secret(table, "api_secret", "UPPSIKT_FLICKR_APP", places);
    let token = connected.token(table, "token", "UPPSIKT_FLICKR_TOKEN", places);
    let token_secret = connected.second(table, "token_secret", "UPPSIKT_FLICKR_HEMLIGHET", places);
    let simulator = simulator(table, reach);
    Some(PlatformConfig::Flickr {
        user_id: user?.value,
        api_key: key?,
        api_secret: api_secret?,
        token: token?,
        token_secret: token_secret?,
        simulator: simulator?,
    })
}
