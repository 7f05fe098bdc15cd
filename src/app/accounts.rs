//! A connector for each configured account, and what it lets us do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use crate::app::AppError;
use crate::config::Config;
use crate::config::account::{AccountConfig, PlatformConfig};
use crate::domain::account::PlatformKind;
use crate::domain::calendar::local;
use crate::domain::connection::{Nearing, mend, nearing, when};
use crate::platforms::bluesky::Bluesky;
use crate::platforms::capability::{self, Capabilities};
use crate::platforms::facebook::Facebook;
use crate::platforms::flickr::Flickr;
use crate::platforms::forum::OwnSite;
use crate::platforms::hooks::{Hook, HookSettings};
use crate::platforms::http::clients::Clients;
use crate::platforms::http::{BadHttpSettings, HttpSettings, below};
use crate::platforms::instagram::Instagram;
use crate::platforms::limit::fingerprint;
use crate::platforms::linkedin::LinkedIn;
use crate::platforms::mastodon::Mastodon;
use crate::platforms::push::{Callback, PushSource};
use crate::platforms::reddit::Reddit;
use crate::platforms::settings::{
    BlueskySettings, FacebookSettings, FlickrSettings, InstagramLogin, InstagramSettings,
    LinkedInSettings, MastodonSettings, OwnSiteActions, OwnSiteSettings, OwnSiteVerb,
    RedditSettings, TikTokSettings, WordPressSettings, XSettings, YouTubeSettings,
};
use crate::platforms::tiktok::TikTok;
use crate::platforms::usage::Apps;
use crate::platforms::wordpress::WordPress;
use crate::platforms::x::X;
use crate::platforms::youtube::YouTube;
use crate::platforms::youtube::quota::Quotas;
use crate::platforms::{ConnectionReport, Platform};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;
use crate::runtime::vault::{Key, Shelf};

/// The version of the Graph interface that is spoken (platform sheet, section 2.1).
const GRAPH_VERSION: &str = "v26.0";

/// Where Instagram is asked: through the Page, or with a token of its own.
const GRAPH_API: &str = "https://graph.facebook.com/";
const INSTAGRAM_API: &str = "https://graph.instagram.com/";

/// Where LinkedIn is asked, in which version, and where people read.
const LINKEDIN_API: &str = "https://api.linkedin.com/rest/";
const LINKEDIN_VERSION: &str = "202607";
const LINKEDIN_SITE: &str = "https://www.linkedin.com/";

/// What accounts of one app or project have in common.
#[derive(Default)]
pub(super) struct Shared {
    apps: Apps,
    quotas: Quotas,
    /// Where pairs of tokens are kept that are good once.
    tokens: Option<PathBuf>,
    /// What they are sealed with, where the settings say so.
    key: Option<Key>,
    /// What they call with.
    clients: Clients,
    /// The consents of all accounts that are good once.
    consents: Vec<ConsentMark>,
    /// Where each app is pushed to: platform and mark of its secret, with the address.
    addresses: BTreeMap<(PlatformKind, String), Url>,
}

impl Shared {
    /// What accounts share that are called: beside the database lies what they renew.
    pub fn beside(config: &Config) -> Self {
        let key = config.tokens.as_ref().and_then(|tokens| tokens.key.clone());
        // One address serves an app, that of its first account: asked for by each in turn, another would end
        // the one before.
        let mut addresses = BTreeMap::new();
        for account in &config.accounts {
            let path = format!("api/v1/intake/{}", account.key);
            if let Some(webhook) = &account.webhook
                // Platforms push over https alone; a simulator stands on this machine.
                && (config.server.public_url.scheme() == "https" || account.simulated)
                && let Ok(url) = config.server.public_url.join(&path)
            {
                let app = (account.kind(), fingerprint(&webhook.secret));
                addresses.entry(app).or_insert(url);
            }
        }
        let tokens = Some(config.store_path.with_extension("tokens"));
        let consents = config.accounts.iter().filter_map(ConsentMark::of).collect();
        Self { tokens, key, consents, addresses, ..Self::default() }
    }

    /// Where the pair lies that has come out of an account's consent: accounts with the same one share it, since
    /// each renewal spends the pair before. Platform and app belong to its name, so that the like of it
    /// elsewhere is another.
    fn kept(&self, account: &AccountConfig) -> Option<Shelf> {
        let (folder, mark) = (self.tokens.as_ref()?, ConsentMark::of(account)?);
        let of = |name: &str| {
            let path = folder.join(format!("{name}.json"));
            Shelf::new(path, format!("pair {name}"), self.key.clone())
        };
        let shelf = of(&mark.name);
        if shelf.path().exists() {
            return Some(shelf);
        }
        // As it was called once, by the consent alone and before that by the account.
        for before in [of(&mark.consent), of(account.key.as_str())] {
            if let Ok(Some(pair)) = before.read()
                && pair.expose().contains(&format!("\"of\":\"{}\"", mark.consent))
                && shelf.write(pair.expose()).is_ok()
            {
                // Whose it was does not stand in it: where another app may have to take it over as well, it stays.
                if !self.consents.iter().any(|c| c.consent == mark.consent && c.name != mark.name) {
                    // One that stays behind is never read again.
                    drop(std::fs::remove_file(before.path()));
                }
                break;
            }
        }
        Some(shelf)
    }
}

/// What a consent is known by that is good once.
struct ConsentMark {
    /// By itself.
    consent: String,
    /// With the platform and the app that it was given to.
    name: String,
}

impl ConsentMark {
    /// Of an account whose renewals spend its consent; others have none.
    fn of(account: &AccountConfig) -> Option<Self> {
        let (client, consent) = match &account.platform {
            PlatformConfig::X { client_id, refresh_token, .. }
            | PlatformConfig::TikTok { client_id, refresh_token, .. } => (client_id, refresh_token),
            PlatformConfig::WordPress { .. }
            | PlatformConfig::OwnSite { .. }
            | PlatformConfig::Mastodon { .. }
            | PlatformConfig::Bluesky { .. }
            | PlatformConfig::Facebook { .. }
            | PlatformConfig::Instagram { .. }
            | PlatformConfig::LinkedIn { .. }
            | PlatformConfig::Reddit { .. }
            | PlatformConfig::Flickr { .. }
            | PlatformConfig::YouTube { .. } => return None,
        };
        let platform = account.kind().id();
        // No platform's id and no client's has a line break.
        let whole = Secret::new(format!("{platform}\n{client}\n{}", consent.expose()));
        let name = format!("{platform}-{}", fingerprint(&whole));
        Some(Self { consent: fingerprint(consent), name })
    }
}

fn address(fixed: &str) -> Url {
    Url::parse(fixed).expect("a fixed address is one")
}

/// Where YouTube is asked, where consents are renewed, and where people watch.
const YOUTUBE_API: &str = "https://www.googleapis.com/youtube/v3/";
const GOOGLE_TOKENS: &str = "https://oauth2.googleapis.com/token";
const YOUTUBE_WATCH: &str = "https://www.youtube.com/";

/// Where Reddit is asked, where consents are renewed, and where people read.
const REDDIT_API: &str = "https://oauth.reddit.com/";
const REDDIT_TOKENS: &str = "https://www.reddit.com/api/v1/access_token";
const REDDIT_SITE: &str = "https://www.reddit.com/";

/// Where X is asked, and where people read.
const X_API: &str = "https://api.x.com/2/";
const X_TOKENS: &str = "https://api.x.com/2/oauth2/token";
const X_SITE: &str = "https://x.com/";

/// Where TikTok is asked.
const TIKTOK_API: &str = "https://business-api.tiktok.com/open_api/v1.3/";

/// Where Flickr is asked, and where people look.
const FLICKR_API: &str = "https://api.flickr.com/";
const FLICKR_SITE: &str = "https://www.flickr.com/photos/";

/// An address of a platform's, or the same below the simulator that stands in for it.
fn address_or(simulator: &Option<Url>, fixed: &str, path: &str) -> Url {
    match simulator {
        Some(url) => below(url, path, &[]),
        None => address(fixed),
    }
}

/// A connector, and what reads its account's pushes where it takes any.
pub(super) type Connector = (Arc<dyn Platform>, Option<Arc<dyn PushSource>>);

/// What reads the pushes of an account's app, where the settings say how they are known.
fn hook(account: &AccountConfig, shared: &Shared, identity: &str) -> Option<Arc<dyn PushSource>> {
    let webhook = account.webhook.clone()?;
    let app = (account.kind(), fingerprint(&webhook.secret));
    let callback = shared.addresses.get(&app).map(|url| Callback {
        url: url.clone(),
        secret: webhook.secret.clone(),
        app: webhook.app,
        person: webhook.person,
        token: webhook.token,
    });
    let settings = HookSettings {
        kind: account.kind(),
        account: identity.to_owned(),
        secret: webhook.secret,
        verify: webhook.verify,
        callback,
    };
    Some(Arc::new(Hook::new(settings)?))
}

pub(super) fn connector(
    account: &AccountConfig,
    shared: &Shared,
    clock: &Clock,
) -> Result<Connector, BadHttpSettings> {
    // Plain http has been refused by the configuration except towards this machine.
    let http = |url: &Url| HttpSettings {
        allow_http_loopback: url.scheme() == "http",
        allow_private: account.allow_private_addresses || account.simulated,
        clients: Some(shared.clients.clone()),
        ..HttpSettings::default()
    };
    let pushes = account.webhook.is_some();
    match &account.platform {
        PlatformConfig::WordPress { url, user, password } => {
            let settings = WordPressSettings {
                site: url.clone(),
                user: user.clone(),
                password: password.clone(),
                pretty_links: true,
                http: http(url),
            };
            Ok((Arc::new(WordPress::new(settings, clock.clone())?), None))
        }
        PlatformConfig::Facebook { page_id, token, app, api_url } => {
            let settings = FacebookSettings {
                base: api_url.clone(),
                version: GRAPH_VERSION.to_owned(),
                page_id: page_id.clone(),
                token: token.clone(),
                app_secret: app.secret.clone(),
                human_agent: app.human_agent,
                http: http(api_url),
                pushes,
            };
            let connector = Facebook::sharing(settings, &shared.apps, clock.clone())?;
            Ok((Arc::new(connector), hook(account, shared, page_id)))
        }
        PlatformConfig::Mastodon { url, token, moderator, limits } => {
            let settings = MastodonSettings {
                server: url.clone(),
                token: token.clone(),
                moderator: *moderator,
                limits: *limits,
                http: http(url),
            };
            Ok((Arc::new(Mastodon::new(settings, clock.clone())?), None))
        }
        PlatformConfig::Bluesky { url, handle, password, app } => {
            let settings = BlueskySettings {
                server: url.clone(),
                handle: handle.clone(),
                password: password.clone(),
                app: app.clone(),
                http: http(url),
            };
            Ok((Arc::new(Bluesky::new(settings, clock.clone())?), None))
        }
        PlatformConfig::Instagram { ig_id, own_login, page_id, token, app, simulator } => {
            let fixed = if *own_login { INSTAGRAM_API } else { GRAPH_API };
            let base = simulator.clone().unwrap_or_else(|| address(fixed));
            let settings = InstagramSettings {
                http: http(&base),
                base,
                version: GRAPH_VERSION.to_owned(),
                login: if *own_login {
                    InstagramLogin::Own
                } else {
                    InstagramLogin::Page { page_id: page_id.clone() }
                },
                ig_id: ig_id.clone(),
                token: token.clone(),
                app_secret: app.secret.clone(),
                human_agent: app.human_agent,
                pushes,
            };
            let connector = Instagram::sharing(settings, &shared.apps, clock.clone())?;
            Ok((Arc::new(connector), hook(account, shared, ig_id)))
        }
        PlatformConfig::LinkedIn { organization_id, token, calls_per_day, simulator } => {
            let at = |fixed, path| address_or(simulator, fixed, path);
            let base = at(LINKEDIN_API, "rest/");
            let settings = LinkedInSettings {
                http: http(&base),
                base,
                site: at(LINKEDIN_SITE, ""),
                version: LINKEDIN_VERSION.to_owned(),
                organization_id: organization_id.clone(),
                token: token.clone(),
                calls_per_day: *calls_per_day,
                pushes,
            };
            let connector = LinkedIn::new(settings, clock.clone())?;
            Ok((Arc::new(connector), hook(account, shared, organization_id)))
        }
        PlatformConfig::YouTube {
            channel_id,
            client_id,
            client_secret,
            refresh_token,
            units_per_day,
            simulator,
        } => {
            let at = |fixed, path| address_or(simulator, fixed, path);
            let base = at(YOUTUBE_API, "youtube/v3/");
            let settings = YouTubeSettings {
                http: http(&base),
                base,
                token_url: at(GOOGLE_TOKENS, "token"),
                watch: at(YOUTUBE_WATCH, ""),
                channel_id: channel_id.clone(),
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
                refresh_token: refresh_token.clone(),
                units_per_day: *units_per_day,
            };
            Ok((Arc::new(YouTube::sharing(settings, &shared.quotas, clock.clone())?), None))
        }
        PlatformConfig::X { user_id, client_id, client_secret, refresh_token, simulator } => {
            let at = |fixed, path| address_or(simulator, fixed, path);
            let base = at(X_API, "2/");
            let settings = XSettings {
                http: http(&base),
                base,
                token_url: at(X_TOKENS, "2/oauth2/token"),
                site: at(X_SITE, ""),
                user_id: user_id.clone(),
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
                refresh_token: refresh_token.clone(),
                kept: shared.kept(account),
                pushes,
            };
            Ok((Arc::new(X::new(settings, clock.clone())?), hook(account, shared, user_id)))
        }
        PlatformConfig::TikTok {
            business_id,
            client_id,
            client_secret,
            refresh_token,
            simulator,
        } => {
            let base = address_or(simulator, TIKTOK_API, "open_api/v1.3/");
            let settings = TikTokSettings {
                http: http(&base),
                base,
                business_id: business_id.clone(),
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
                refresh_token: refresh_token.clone(),
                kept: shared.kept(account),
                pushes,
            };
            Ok((
                Arc::new(TikTok::new(settings, clock.clone())?),
                hook(account, shared, business_id),
            ))
        }
        PlatformConfig::Reddit {
            name,
            subreddit,
            client_id,
            client_secret,
            refresh_token,
            simulator,
        } => {
            let at = |fixed, path| address_or(simulator, fixed, path);
            let base = at(REDDIT_API, "");
            let settings = RedditSettings {
                http: http(&base),
                base,
                token_url: at(REDDIT_TOKENS, "api/v1/access_token"),
                site: at(REDDIT_SITE, ""),
                name: name.clone(),
                subreddit: subreddit.clone(),
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
                refresh_token: refresh_token.clone(),
            };
            Ok((Arc::new(Reddit::new(settings, clock.clone())?), None))
        }
        PlatformConfig::Flickr { user_id, api_key, api_secret, token, token_secret, simulator } => {
            let base = address_or(simulator, FLICKR_API, "");
            let settings = FlickrSettings {
                http: http(&base),
                base,
                site: address_or(simulator, FLICKR_SITE, "photos/"),
                user_id: user_id.clone(),
                api_key: api_key.clone(),
                api_secret: api_secret.clone(),
                token: token.clone(),
                token_secret: token_secret.clone(),
            };
            Ok((Arc::new(Flickr::new(settings, clock.clone())?), None))
        }
        PlatformConfig::OwnSite { folder, secrets, acts } => {
            // A configured act takes at least one secret: it is what acts are signed with.
            let actions = acts.as_ref().zip(secrets.first()).map(|(acts, secret)| OwnSiteActions {
                url: acts.url.clone(),
                secret: secret.clone(),
                can: acts.can.iter().filter_map(|act| OwnSiteVerb::from_id(act.id())).collect(),
                hide_effect: None,
                http: http(&acts.url),
            });
            let settings = OwnSiteSettings {
                directory: folder.clone(),
                push_secrets: secrets.clone(),
                actions,
            };
            let site = Arc::new(OwnSite::new(settings, clock.clone())?);
            let push = (!secrets.is_empty()).then(|| site.clone() as Arc<dyn PushSource>);
            Ok((site, push))
        }
    }
}

/// What the platform said of an account, for `doctor`: in order, or what is missing and how to mend
/// it.
pub(super) fn in_order(
    report: ConnectionReport,
    account: &AccountConfig,
    now: Timestamp,
) -> Result<String, String> {
    let told = report.expires_at.map(|at| local(at).date());
    let (ends, today) = (told.or(account.token_expires), local(now).date());
    let mut missing = report.missing;
    if let Some(ends) = ends
        && let Some(near) = nearing(ends, today)
    {
        let (when, mend) = (when(ends, today), mend(account.kind()));
        missing.push(match (near, told) {
            // It answers: the platform would not, were it so.
            (Nearing::Over, None) => format!(
                "inloggningen gick enligt inställningarna ut {ends} ({when}), men plattformen svarar: rätta `token_expires`"
            ),
            (Nearing::Over, Some(_)) => format!("inloggningen gick ut {ends} ({when}). {mend}"),
            (Nearing::ThreeWeeks | Nearing::Week | Nearing::Day, _) => {
                format!("inloggningen går ut {ends} ({when}). {mend}")
            }
        });
    }
    if !missing.is_empty() {
        return Err(missing.join("; "));
    }
    let until = ends.map(|ends| format!("; inloggningen gäller till {ends}"));
    Ok(format!("svarar; vi är {}{}", report.acting_as, until.unwrap_or_default()))
}

/// What an account, or a platform at best, lets us do, in words.
#[derive(Clone, Debug)]
pub struct Abilities {
    /// The account's name; `None` for a platform as such.
    pub account: Option<String>,
    /// The platform.
    pub platform: PlatformKind,
    /// Whether Uppsikt reads it by itself.
    pub has_connector: bool,
    /// Each verb with what holds for it.
    pub verbs: Vec<(&'static str, String)>,
    /// Who still sees what is hidden.
    pub hide_effect: String,
    /// What deleting does.
    pub delete_effect: String,
    /// What the platform's terms say of what is stored.
    pub storage_terms: &'static str,
}

fn abilities(platform: PlatformKind, account: Option<String>, can: &Capabilities) -> Abilities {
    Abilities {
        account,
        platform,
        has_connector: has_connector(platform),
        verbs: can.rows().iter().map(|(verb, offer)| (*verb, offer.words())).collect(),
        hide_effect: can.hide_effect.clone().into_owned(),
        delete_effect: can.delete_effect.clone().into_owned(),
        storage_terms: can.storage_terms,
    }
}

const fn has_connector(platform: PlatformKind) -> bool {
    match platform {
        PlatformKind::Facebook
        | PlatformKind::Instagram
        | PlatformKind::YouTube
        | PlatformKind::LinkedIn
        | PlatformKind::X
        | PlatformKind::TikTok
        | PlatformKind::Reddit
        | PlatformKind::WordPress
        | PlatformKind::Mastodon
        | PlatformKind::Bluesky
        | PlatformKind::Flickr
        | PlatformKind::OwnSite => true,
        PlatformKind::Snapchat | PlatformKind::Manual => false,
    }
}

/// What every platform offers at best.
pub fn all_abilities() -> Vec<Abilities> {
    let all = PlatformKind::ALL.iter();
    all.map(|kind| abilities(*kind, None, &capability::of(*kind))).collect()
}

/// What each configured account offers. Nothing is called.
///
/// # Errors
/// [`AppError::Account`].
pub fn abilities_of_accounts(config: &Config) -> Result<Vec<Abilities>, AppError> {
    let (shared, clock) = (Shared::default(), Clock::system());
    let told = config.accounts.iter().map(|account| {
        let (platform, _) = connector(account, &shared, &clock).map_err(|source| {
            AppError::Account { account: account.key.as_str().to_owned(), source }
        })?;
        Ok(abilities(account.kind(), Some(account.name.clone()), &platform.capabilities()))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn account(lines: &str) -> AccountConfig {
        let text = format!(
            "[authority]\nname = \"A\"\n[[account]]\nkey = \"m\"\nplatform = \"mastodon\"\nname = \"M\"\nurl = \"https://m.example/\"\ntoken = \"env:T\"\n{lines}"
        );
        let env = |_: &str| Some("nyckel".to_owned());
        let config = crate::config::parse("config.toml", &text, Path::new(""), &env).unwrap();
        config.accounts.into_iter().next().unwrap()
    }

    /// Accounts that have all the same consent, by key, platform and app.
    fn consented(accounts: &[(&str, &str, &str)]) -> Config {
        let mut text = "[authority]\nname = \"A\"\n".to_owned();
        for (key, platform, app) in accounts {
            let id = if *platform == "x" { "user_id = \"1\"" } else { "business_id = \"_1\"" };
            text.push_str(&format!(
                "[[account]]\nkey = \"{key}\"\nplatform = \"{platform}\"\n{id}\nclient_id = \"{app}\"\nclient_secret = \"env:S\"\nrefresh_token = \"env:T\"\n"
            ));
        }
        let env = |_: &str| Some("medgivande".to_owned());
        crate::config::parse("config.toml", &text, Path::new(""), &env).unwrap()
    }

    fn beside(folder: &Path, config: &Config) -> Shared {
        Shared { tokens: Some(folder.to_owned()), ..Shared::beside(config) }
    }

    #[test]
    fn a_pair_that_was_kept_by_an_older_name_is_found_under_its_platform_app_and_consent() {
        let mark = fingerprint(&Secret::new("medgivande"));
        for older in ["m", mark.as_str()] {
            let dir = tempfile::tempdir().unwrap();
            let config = consented(&[("m", "x", "appen"), ("n", "x", "appen")]);
            let shared = beside(dir.path(), &config);
            let before = dir.path().join(format!("{older}.json"));
            std::fs::write(&before, r#"{"of":"another","access":"a"}"#).unwrap();
            let kept = |of: usize| shared.kept(&config.accounts[of]).unwrap();
            assert!(kept(0).read().unwrap().is_none());
            assert!(before.exists(), "what belongs to another consent is left alone");
            let pair = format!(r#"{{"of":"{mark}","access":"a"}}"#);
            std::fs::write(&before, &pair).unwrap();
            assert_eq!(kept(0).read().unwrap().unwrap().expose(), pair);
            assert!(!before.exists());
            // Two accounts with one consent have one pair.
            assert_eq!(kept(1).path(), kept(0).path());
        }
        assert!(Shared::default().kept(&account("")).is_none());
    }

    #[test]
    fn the_same_consent_at_another_platform_or_app_has_a_pair_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let config = consented(&[("a", "x", "ena"), ("b", "x", "andra"), ("c", "tiktok", "ena")]);
        let shared = beside(dir.path(), &config);
        let mark = fingerprint(&Secret::new("medgivande"));
        let before = dir.path().join(format!("{mark}.json"));
        let pair = format!(r#"{{"of":"{mark}","access":"a"}}"#);
        std::fs::write(&before, &pair).unwrap();
        let mut paths = std::collections::BTreeSet::new();
        for account in &config.accounts {
            let shelf = shared.kept(account).unwrap();
            // Whose the older file was nobody can say: each may have it, and whose it is goes on.
            assert_eq!(shelf.read().unwrap().unwrap().expose(), pair);
            shelf.write(account.key.as_str()).unwrap();
            paths.insert(shelf.path().to_owned());
        }
        assert_eq!(paths.len(), 3);
        for account in &config.accounts {
            let mine = shared.kept(account).unwrap().read().unwrap().unwrap();
            assert_eq!(mine.expose(), account.key.as_str());
        }
    }

    #[test]
    fn an_account_that_must_be_connected_anew_is_told_three_weeks_before_with_the_mend() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let told = |expires_at: Option<&str>, lines: &str| {
            let expires_at = expires_at.map(|at| at.parse().unwrap());
            let acting_as = "@exempelstad".to_owned();
            let report = ConnectionReport { acting_as, missing: Vec::new(), expires_at };
            in_order(report, &account(lines), now)
        };
        assert_eq!(told(None, "").unwrap(), "svarar; vi är @exempelstad");
        let far = told(Some("2027-06-01T00:00:00Z"), "").unwrap();
        assert_eq!(far, "svarar; vi är @exempelstad; inloggningen gäller till 2027-06-01");
        for (at, words) in [
            ("2026-12-12T12:00:00Z", "om 21 dagar"),
            ("2026-11-22T12:00:00Z", "i morgon"),
            ("2026-11-20T12:00:00Z", "gick ut 2026-11-20 (i går)"),
        ] {
            let words_now = told(Some(at), "").unwrap_err();
            assert!(words_now.contains(words), "{words_now}");
            assert!(words_now.contains("ny åtkomstnyckel"), "{words_now}");
        }
        // By the settings where the platform does not tell, and not else.
        let line = "token_expires = 2026-11-28\n";
        assert!(told(None, line).unwrap_err().contains("om 7 dagar"));
        assert!(told(Some("2027-06-01T00:00:00Z"), line).is_ok());
        assert!(told(None, "token_expires = 2026-11-01\n").unwrap_err().contains("rätta"));
    }
}
