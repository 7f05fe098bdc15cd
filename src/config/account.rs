//! `[[account]]`: one page, channel or profile, with what its platform needs.

mod address;
mod apps;
mod connected;
pub mod webhook;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;
use url::Url;

use super::reader::{At, Table};
use super::secret::{Places, resolve};
use crate::domain::account::PlatformKind;
use crate::domain::action::ActionKind;
use crate::domain::calendar::local;
use crate::domain::ids::AccountKey;
use crate::domain::policy::Policy;
use crate::runtime::secret::Secret;

use address::{Reach, address, simulator};
use connected::Connected;

/// Time between polls unless said otherwise: platforms sheet, polling plan.
const INTERVAL_DEFAULT_S: u64 = 60;
/// The same where each poll reads several lists.
const INTERVAL_LISTS_S: u64 = 2 * 60;
/// The same where each poll costs units of a day, or many calls.
const INTERVAL_COUNTED_S: u64 = 5 * 60;
/// The same where there are a hundred calls in a day.
const INTERVAL_RARE_S: u64 = 60 * 60;
/// Below this a platform takes us for an attack.
const INTERVAL_LEAST_S: u64 = 5;
/// *Helst dagligen* is the least that any rulebook asks of watching.
const INTERVAL_MOST_S: u64 = 24 * 60 * 60;
/// Shortest shared secret for signatures, in characters: 128 bits as hexadecimal.
const SHARED_SECRET_LEAST: usize = 32;
/// Two secrets may be valid at once while one replaces the other.
const SHARED_SECRETS_MOST: usize = 2;
/// What the user on a WordPress site is called unless told otherwise.
const WORDPRESS_USER: &str = "uppsikt";
/// The platform that a Facebook account talks to unless told otherwise.
const FACEBOOK_API: &str = "https://graph.facebook.com/";
/// Where a Bluesky account logs in unless told otherwise, and where people read it.
const BLUESKY_LOGIN: &str = "https://bsky.social/";
const BLUESKY_APP: &str = "https://bsky.app/";

/// An account as configured: checked, its secrets fetched.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// Its key in addresses and logs, unique.
    pub key: AccountKey,
    /// Its name as people know it.
    pub name: String,
    /// Time between polls.
    pub interval: Duration,
    /// Whether a labelled simulator serves it; then its address is on this machine.
    pub simulated: bool,
    /// Whether its addresses may lead into private networks.
    pub allow_private_addresses: bool,
    /// Its own policy, where it does not go by the authority's.
    pub policy: Option<Policy>,
    /// The day on which its login ends, for platforms that do not tell.
    pub token_expires: Option<Date>,
    /// How the pushes of its app are known, where it takes any.
    pub webhook: Option<webhook::WebhookConfig>,
    /// What its platform needs.
    pub platform: PlatformConfig,
}

impl AccountConfig {
    /// The account's own address, where it may lie on a private network.
    pub fn private_at(&self) -> Option<Url> {
        if !self.allow_private_addresses && !self.simulated {
            return None;
        }
        match &self.platform {
            PlatformConfig::WordPress { url, .. } | PlatformConfig::Mastodon { url, .. } => {
                Some(url.clone())
            }
            PlatformConfig::Facebook { api_url, .. } => Some(api_url.clone()),
            // Its pages are what is captured.
            PlatformConfig::Bluesky { app, .. } => Some(app.clone()),
            PlatformConfig::Instagram { simulator, .. }
            | PlatformConfig::LinkedIn { simulator, .. }
            | PlatformConfig::Reddit { simulator, .. }
            | PlatformConfig::X { simulator, .. }
            | PlatformConfig::TikTok { simulator, .. }
            | PlatformConfig::Flickr { simulator, .. }
            | PlatformConfig::YouTube { simulator, .. } => simulator.clone(),
            PlatformConfig::OwnSite { acts, .. } => acts.as_ref().map(|acts| acts.url.clone()),
        }
    }
}

/// What each platform needs.
#[derive(Clone, Debug)]
pub enum PlatformConfig {
    /// A WordPress site, by REST with an application password.
    WordPress {
        /// The site's address, ending with a slash.
        url: Url,
        /// The user that owns the application password.
        user: String,
        /// The application password.
        password: Secret,
    },
    /// A site of the municipality's own: JSON lines in a folder, signed deliveries, or both.
    OwnSite {
        /// The folder that is watched.
        folder: Option<PathBuf>,
        /// Shared secrets that signatures are checked against; none: no deliveries are taken.
        secrets: Vec<Secret>,
        /// Where and how the site takes acts.
        acts: Option<SiteActs>,
    },
    /// An account on a Mastodon server.
    Mastodon {
        /// The server's address, ending with a slash.
        url: Url,
        /// An access token of the account.
        token: Secret,
        /// Whether the account moderates the server.
        moderator: bool,
        /// Whether hiding means that the author is limited there.
        limits: bool,
    },
    /// An account on Bluesky.
    Bluesky {
        /// Where to log in, ending with a slash.
        url: Url,
        /// The account's handle.
        handle: String,
        /// An app password of the account.
        password: Secret,
        /// Where people read, ending with a slash; only a simulator has it anywhere else than at
        /// bsky.app.
        app: Url,
    },
    /// A Facebook page.
    Facebook {
        /// The page's id.
        page_id: String,
        /// The page token.
        token: Secret,
        /// What its app has beside it.
        app: MetaApp,
        /// Where the Graph API is; only a simulator is anywhere else than at Facebook.
        api_url: Url,
    },
    /// A professional account on Instagram.
    Instagram {
        /// The account's id.
        ig_id: String,
        /// Whether the token is the account's own, not that of the Page it is linked to.
        own_login: bool,
        /// The Page's id: messages are read through it.
        page_id: Option<String>,
        /// The token.
        token: Secret,
        /// What its app has beside it.
        app: MetaApp,
        /// Where the simulator is that serves it, ending with a slash.
        simulator: Option<Url>,
    },
    /// An organisation's page on LinkedIn.
    LinkedIn {
        /// The organisation's number.
        organization_id: String,
        /// The token of an administrator of the page.
        token: Secret,
        /// How many calls that person has in a day.
        calls_per_day: u32,
        /// Where the simulator is that serves it, ending with a slash.
        simulator: Option<Url>,
    },
    /// An account on X.
    X {
        /// The account's number.
        user_id: String,
        /// The app's client. Accounts with the same one share its limits.
        client_id: String,
        /// The client's secret, where the app has one.
        client_secret: Option<Secret>,
        /// What the account's consent was exchanged for. Good once.
        refresh_token: Secret,
        /// Where the simulator is that serves it, ending with a slash.
        simulator: Option<Url>,
    },
    /// A business account on TikTok.
    TikTok {
        /// The account, as the platform names it to the app.
        business_id: String,
        /// The app's client. Accounts with the same one share its limits.
        client_id: String,
        /// The client's secret.
        client_secret: Secret,
        /// What the account's consent was exchanged for. Good once.
        refresh_token: Secret,
        /// Where the simulator is that serves it, ending with a slash.
        simulator: Option<Url>,
    },
    /// An account on Reddit.
    Reddit {
        /// The account's name.
        name: String,
        /// The subreddit that it moderates.
        subreddit: Option<String>,
        /// The app's client. Accounts with the same one share its limit.
        client_id: String,
        /// The client's secret.
        client_secret: Secret,
        /// What the account's consent was exchanged for.
        refresh_token: Secret,
        /// Where the simulator is that serves it, ending with a slash.
        simulator: Option<Url>,
    },
    /// An account on Flickr.
    Flickr {
        /// The account's id, as `12345678@N01`.
        user_id: String,
        /// The app's key. Accounts with the same one share its limit.
        api_key: String,
        /// The app's secret.
        api_secret: Secret,
        /// The token that the account's consent was exchanged for.
        token: Secret,
        /// What belongs to that token.
        token_secret: Secret,
        /// Where the simulator is that serves it, ending with a slash.
        simulator: Option<Url>,
    },
    /// A YouTube channel.
    YouTube {
        /// The channel's id.
        channel_id: String,
        /// The client of the Google project. Channels with the same one share its units.
        client_id: String,
        /// The client's secret.
        client_secret: Secret,
        /// What the owner's consent was exchanged for.
        refresh_token: Secret,
        /// How many units the project has in a day.
        units_per_day: u32,
        /// Where the simulator is that serves it, ending with a slash.
        simulator: Option<Url>,
    },
}

/// What an app of Meta's has beside a token.
#[derive(Clone, Debug, Default)]
pub struct MetaApp {
    /// Its secret, where calls are to prove that they come from it.
    pub secret: Option<Secret>,
    /// Whether it has the right to answer messages for seven days.
    pub human_agent: bool,
}

/// What an own site lets us do, and where.
#[derive(Clone, Debug)]
pub struct SiteActs {
    /// Where acts are posted.
    pub url: Url,
    /// Which of hide, unhide, delete and reply it takes.
    pub can: Vec<ActionKind>,
}

impl AccountConfig {
    /// The account's platform.
    pub fn kind(&self) -> PlatformKind {
        match &self.platform {
            PlatformConfig::WordPress { .. } => PlatformKind::WordPress,
            PlatformConfig::OwnSite { .. } => PlatformKind::OwnSite,
            PlatformConfig::Mastodon { .. } => PlatformKind::Mastodon,
            PlatformConfig::Bluesky { .. } => PlatformKind::Bluesky,
            PlatformConfig::Facebook { .. } => PlatformKind::Facebook,
            PlatformConfig::Instagram { .. } => PlatformKind::Instagram,
            PlatformConfig::LinkedIn { .. } => PlatformKind::LinkedIn,
            PlatformConfig::X { .. } => PlatformKind::X,
            PlatformConfig::TikTok { .. } => PlatformKind::TikTok,
            PlatformConfig::Reddit { .. } => PlatformKind::Reddit,
            PlatformConfig::Flickr { .. } => PlatformKind::Flickr,
            PlatformConfig::YouTube { .. } => PlatformKind::YouTube,
        }
    }
}

/// Platforms that can be configured so far.
const PLATFORMS: &[(&str, PlatformKind)] = &[
    (PlatformKind::WordPress.id(), PlatformKind::WordPress),
    (PlatformKind::OwnSite.id(), PlatformKind::OwnSite),
    (PlatformKind::Facebook.id(), PlatformKind::Facebook),
    (PlatformKind::Mastodon.id(), PlatformKind::Mastodon),
    (PlatformKind::Bluesky.id(), PlatformKind::Bluesky),
    (PlatformKind::Instagram.id(), PlatformKind::Instagram),
    (PlatformKind::YouTube.id(), PlatformKind::YouTube),
    (PlatformKind::LinkedIn.id(), PlatformKind::LinkedIn),
    (PlatformKind::Reddit.id(), PlatformKind::Reddit),
    (PlatformKind::X.id(), PlatformKind::X),
    (PlatformKind::TikTok.id(), PlatformKind::TikTok),
    (PlatformKind::Flickr.id(), PlatformKind::Flickr),
];

const VERBS: &[(&str, ActionKind)] = &[
    (ActionKind::Hide.id(), ActionKind::Hide),
    (ActionKind::Unhide.id(), ActionKind::Unhide),
    (ActionKind::Delete.id(), ActionKind::Delete),
    (ActionKind::Reply.id(), ActionKind::Reply),
];

/// Reads every account; keys must differ.
pub(super) fn read_all(tables: Vec<Table<'_, '_>>, places: &Places<'_>) -> Vec<AccountConfig> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut accounts = Vec::with_capacity(tables.len());
    for mut table in tables {
        let key = key(&mut table);
        if let Some(key) = &key
            && !seen.insert(key.value.clone())
        {
            table.complain(
                key,
                format!("två konton har nyckeln `{}`: ge dem olika nycklar", key.value),
            );
        }
        accounts.extend(read(table, key, places));
    }
    accounts
}

fn key(table: &mut Table<'_, '_>) -> Option<At<String>> {
    let at = table.demanded_text("key", "key = \"kommunbloggen\"")?;
    let fits = at.value.len() <= 40
        && at.value.starts_with(|c: char| c.is_ascii_lowercase())
        && at.value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !fits {
        table.complain(&at, "`key` i [[account]] ska börja med en bokstav a–z och bara ha a–z, 0–9 och bindestreck, högst 40 tecken, till exempel `kommunbloggen`");
        return None;
    }
    Some(at)
}

fn read(
    mut table: Table<'_, '_>,
    key: Option<At<String>>,
    places: &Places<'_>,
) -> Option<AccountConfig> {
    let kind = match table.demanded_text("platform", "platform = \"wordpress\"") {
        Some(at) => table.one_of("platform", &at, PLATFORMS),
        None => None,
    };
    let name = table.text("name");
    let is_unnamed = name.is_none() && !table.has("name");
    let usual = match kind {
        Some(PlatformKind::YouTube | PlatformKind::TikTok) => INTERVAL_COUNTED_S,
        Some(PlatformKind::LinkedIn | PlatformKind::Flickr) => INTERVAL_RARE_S,
        Some(PlatformKind::Reddit | PlatformKind::X) => INTERVAL_LISTS_S,
        Some(_) | None => INTERVAL_DEFAULT_S,
    };
    let interval =
        table.number("interval_s", usual, INTERVAL_LEAST_S..=INTERVAL_MOST_S, "sekunder");
    let simulated = table.yes("simulated", false);
    let private = table.yes("allow_private_addresses", false);
    let policy = super::chosen::named_policy(&mut table, "policy", "policy_file", places.folder);
    let token_expires = match table.has("token_expires") {
        true => table.date("token_expires").map(|at| Some(at.value)),
        false => {
            // Asked for, so that the key is known.
            let _ = table.date("token_expires");
            Some(None)
        }
    };
    // Without its platform and its reach nobody can say which other keys are right.
    let kind = kind?;
    let reach = Reach { simulated: simulated?.value, private: private?.value };
    table.rename(format!("[[account]] ({kind})"));
    let connected = Connected::of(&table, kind, key.as_ref(), places);
    let platform = match kind {
        PlatformKind::WordPress => wordpress(&mut table, reach, places),
        PlatformKind::OwnSite => own_site(&mut table, reach, places),
        PlatformKind::Facebook => facebook(&mut table, &connected, reach, places),
        PlatformKind::Mastodon => mastodon(&mut table, reach, places),
        PlatformKind::Bluesky => bluesky(&mut table, reach, places),
        PlatformKind::YouTube => apps::youtube(&mut table, &connected, reach, places),
        PlatformKind::Instagram => apps::instagram(&mut table, &connected, reach, places),
        PlatformKind::LinkedIn => apps::linkedin(&mut table, &connected, reach, places),
        PlatformKind::Reddit => apps::reddit(&mut table, &connected, reach, places),
        PlatformKind::X => apps::x(&mut table, &connected, reach, places),
        PlatformKind::TikTok => apps::tiktok(&mut table, &connected, reach, places),
        PlatformKind::Flickr => apps::flickr(&mut table, &connected, reach, places),
        PlatformKind::Snapchat | PlatformKind::Manual => None, // Not among `PLATFORMS`, so refused already.
    };
    let webhook = webhook::read(&mut table, kind, places);
    table.done();
    // What was told when the account was connected, unless somebody has written another day.
    let told = connected.ends().map(|at| local(at).date());
    let token_expires = token_expires.map(|day| day.or(told));
    Some(AccountConfig {
        key: AccountKey::new(key?.value),
        // By its platform, until somebody names it.
        name: if is_unnamed { kind.label().to_owned() } else { name?.value },
        interval: Duration::from_secs(interval?),
        simulated: reach.simulated,
        allow_private_addresses: reach.private,
        policy: policy.ok()?,
        token_expires: token_expires?,
        webhook: webhook?,
        platform: platform?,
    })
}

fn wordpress(
    table: &mut Table<'_, '_>,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    let url = table.demanded_text("url", "url = \"https://blogg.exempelstad.example/\"");
    let url = url.and_then(|at| address(table, "url", &at, reach));
    let user = match table.text("user") {
        Some(at) => Some(at.value),
        None if table.has("user") => None,
        None => Some(WORDPRESS_USER.to_owned()),
    };
    let password = table.demanded_text("password", "password = \"env:UPPSIKT_BLOGG_LOSEN\"");
    let password = password.and_then(|at| secret(table, "password", &at, places));
    Some(PlatformConfig::WordPress { url: url?, user: user?, password: password? })
}

fn mastodon(
    table: &mut Table<'_, '_>,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    let url = table.demanded_text("url", "url = \"https://social.exempelstad.example/\"");
    let url = url.and_then(|at| address(table, "url", &at, reach));
    let token = table.demanded_text("token", "token = \"env:UPPSIKT_MASTODON_TOKEN\"");
    let token = token.and_then(|at| secret(table, "token", &at, places));
    let moderator = table.yes("moderator", false);
    let limits = table.yes("limits_authors", false);
    let (moderator, limits) = (moderator?, limits?);
    if limits.value && !moderator.value {
        table.complain(&limits, "`limits_authors` kräver `moderator = true`: bara den som modererar servern kan begränsa konton där");
        return None;
    }
    let (moderator, limits) = (moderator.value, limits.value);
    Some(PlatformConfig::Mastodon { url: url?, token: token?, moderator, limits })
}

fn bluesky(table: &mut Table<'_, '_>, reach: Reach, places: &Places<'_>) -> Option<PlatformConfig> {
    let handle = table.demanded_text("handle", "handle = \"exempelstad.bsky.social\"");
    let handle = handle.filter(|at| {
        let fits = at.value.contains('.')
            && at.value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        if !fits {
            table.complain(at, "`handle` är kontots namn på plattformen, utan @ framför, till exempel `exempelstad.bsky.social`");
        }
        fits
    });
    let password = table.demanded_text("password", "password = \"env:UPPSIKT_BLUESKY_LOSEN\"");
    let password = password.and_then(|at| secret(table, "password", &at, places));
    let url = match table.text("url") {
        Some(at) => address(table, "url", &at, reach),
        None if reach.simulated => {
            table.missing("url", "url = \"http://127.0.0.1:8082/\"");
            None
        }
        None => Url::parse(BLUESKY_LOGIN).ok(),
    };
    let app = if reach.simulated { url.clone() } else { Url::parse(BLUESKY_APP).ok() };
    Some(PlatformConfig::Bluesky {
        url: url?,
        handle: handle?.value,
        password: password?,
        app: app?,
    })
}

fn facebook(
    table: &mut Table<'_, '_>,
    connected: &Connected,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    let page_id = table.demanded_text("page_id", "page_id = \"100000000000001\"");
    let page_id = page_id.filter(|at| {
        let digits = at.value.chars().all(|c| c.is_ascii_digit());
        if !digits {
            table.complain(at, "`page_id` är sidans nummer, bara siffror: det står under Om → Sidtransparens på sidan");
        }
        digits
    });
    let token = connected.token(table, "token", "UPPSIKT_FACEBOOK_TOKEN", places);
    let app = meta_app(table, places);
    let api_url = match table.text("api_url") {
        Some(at) if !reach.simulated => {
            table.complain(&at, "`api_url` används bara för simulatorer: ta bort raden, eller sätt `simulated = true`");
            None
        }
        Some(at) => address(table, "api_url", &at, reach),
        None if reach.simulated => {
            table.missing("api_url", "api_url = \"http://127.0.0.1:8081/\"");
            None
        }
        None => Url::parse(FACEBOOK_API).ok(),
    };
    Some(PlatformConfig::Facebook {
        page_id: page_id?.value,
        token: token?,
        app: app?,
        api_url: api_url?,
    })
}

/// What an app of Meta's has beside a token.
fn meta_app(table: &mut Table<'_, '_>, places: &Places<'_>) -> Option<MetaApp> {
    let secret = match table.text("app_secret") {
        Some(at) => secret(table, "app_secret", &at, places).map(Some),
        None => Some(None),
    };
    let human_agent = table.yes("human_agent", false);
    Some(MetaApp { secret: secret?, human_agent: human_agent?.value })
}

/// Whether an id is one of those that are numbers: digits.
fn number(table: &Table<'_, '_>, key: &str, at: &At<String>) -> bool {
    let fits = !at.value.is_empty() && at.value.chars().all(|c| c.is_ascii_digit());
    if !fits {
        table.complain(at, format!("`{key}` är ett nummer, bara siffror; kontots namn duger inte"));
    }
    fits
}

fn own_site(
    table: &mut Table<'_, '_>,
    reach: Reach,
    places: &Places<'_>,
) -> Option<PlatformConfig> {
    // Everything is asked for before anything is given up: a key that nobody asks for is unknown.
    let folder = table.text("dir").map(|at| places.folder.join(at.value));
    let secrets = table.texts("secrets");
    let url = table.text("actions_url");
    let can = table.texts("can");
    let (secrets, can) = (secrets?, can?);

    if folder.is_none() && secrets.value.is_empty() && !table.has("dir") {
        let place = At { value: (), place: table.place.clone() };
        table.complain(&place, "kontot har ingen källa: skriv `dir = \"inkorg\"` (en mapp som bevakas), `secrets = [\"env:UPPSIKT_FORUM\"]` (signerade leveranser) eller båda");
    }
    if secrets.value.len() > SHARED_SECRETS_MOST {
        table.complain(
            &secrets,
            "`secrets` tar högst två hemligheter: den gällande och den som ersätter den",
        );
    }
    let fetched = secrets.value.iter().filter_map(|at| shared_secret(table, at, places)).collect();
    let verbs: Vec<ActionKind> =
        can.value.iter().filter_map(|at| table.one_of("can", at, VERBS)).collect();
    let acts = match (url, can.value.is_empty()) {
        (Some(at), false) => {
            if secrets.value.is_empty() {
                table.complain(&at, "`actions_url` kräver `secrets`: åtgärder skickas signerade");
            }
            address(table, "actions_url", &at, reach).map(|url| SiteActs { url, can: verbs })
        }
        (Some(_), true) => {
            table.missing("can", "can = [\"hide\", \"unhide\", \"delete\", \"reply\"]");
            None
        }
        (None, false) if !table.has("actions_url") => {
            table.complain(&can, "`can` kräver `actions_url`: adressen dit åtgärder skickas");
            None
        }
        (None, _) => None,
    };
    // Whatever was complained about above keeps the whole file from being used.
    Some(PlatformConfig::OwnSite { folder, secrets: fetched, acts })
}

fn shared_secret(table: &Table<'_, '_>, at: &At<String>, places: &Places<'_>) -> Option<Secret> {
    let secret = secret(table, "secrets", at, places)?;
    if secret.expose().chars().count() < SHARED_SECRET_LEAST {
        table.complain(at, format!("hemligheten är för kort: minst {SHARED_SECRET_LEAST} tecken, till exempel från `openssl rand -hex 32`"));
    }
    Some(secret)
}

fn secret(
    table: &Table<'_, '_>,
    key: &str,
    at: &At<String>,
    places: &Places<'_>,
) -> Option<Secret> {
    resolve(key, &at.value, places).map_err(|what| table.complain(at, what)).ok()
}
