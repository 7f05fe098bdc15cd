//! What each connector needs to know of an account. The configuration layer reads the file and
//! hands these over; nothing here knows how a file looks.

use std::path::PathBuf;

use url::Url;

use crate::domain::account::PlatformKind;
use crate::platforms::http::HttpSettings;
use crate::runtime::secret::Secret;
use crate::runtime::vault::Shelf;

/// One account's connection, by platform.
#[derive(Clone, Debug)]
pub enum AccountSettings {
    /// A WordPress site.
    WordPress(WordPressSettings),
    /// A Facebook Page.
    Facebook(FacebookSettings),
    /// An account on a Mastodon server.
    Mastodon(MastodonSettings),
    /// An account on Bluesky.
    Bluesky(BlueskySettings),
    /// A professional account on Instagram.
    Instagram(InstagramSettings),
    /// An organisation's page on LinkedIn.
    LinkedIn(LinkedInSettings),
    /// An account on X.
    X(XSettings),
    /// A business account on TikTok.
    TikTok(TikTokSettings),
    /// An account on Reddit, with a subreddit of its own or without.
    Reddit(RedditSettings),
    /// A YouTube channel.
    YouTube(YouTubeSettings),
    /// An account on Flickr.
    Flickr(FlickrSettings),
    /// A site of the authority's own.
    OwnSite(OwnSiteSettings),
}

impl AccountSettings {
    /// The platform.
    pub const fn kind(&self) -> PlatformKind {
        match self {
            Self::WordPress(_) => PlatformKind::WordPress,
            Self::Facebook(_) => PlatformKind::Facebook,
            Self::Mastodon(_) => PlatformKind::Mastodon,
            Self::Bluesky(_) => PlatformKind::Bluesky,
            Self::Instagram(_) => PlatformKind::Instagram,
            Self::LinkedIn(_) => PlatformKind::LinkedIn,
            Self::X(_) => PlatformKind::X,
            Self::TikTok(_) => PlatformKind::TikTok,
            Self::Reddit(_) => PlatformKind::Reddit,
            Self::YouTube(_) => PlatformKind::YouTube,
            Self::Flickr(_) => PlatformKind::Flickr,
            Self::OwnSite(_) => PlatformKind::OwnSite,
        }
    }
}

/// A WordPress site and a user of it who may moderate comments.
#[derive(Clone, Debug)]
pub struct WordPressSettings {
    /// The site's address, `https://blogg.exempelstad.example/`.
    pub site: Url,
    /// The user's login.
    pub user: String,
    /// An application password of that user.
    pub password: Secret,
    /// Whether the site answers under `/wp-json/` (pretty links); otherwise `?rest_route=`.
    pub pretty_links: bool,
    /// How calls are made.
    pub http: HttpSettings,
}

/// A Facebook Page with its Page token.
#[derive(Clone, Debug)]
pub struct FacebookSettings {
    /// `https://graph.facebook.com/`, or a simulator's address.
    pub base: Url,
    /// The Graph version, as `v26.0`.
    pub version: String,
    /// The Page's id.
    pub page_id: String,
    /// A Page token (not a person's).
    pub token: Secret,
    /// The app's secret, where the app demands `appsecret_proof`.
    pub app_secret: Option<Secret>,
    /// Whether the app has the right `HUMAN_AGENT`: messages are answered for seven days.
    pub human_agent: bool,
    /// Whether its app pushes to us.
    pub pushes: bool,
    /// How calls are made.
    pub http: HttpSettings,
}

/// A professional account on Instagram.
#[derive(Clone, Debug)]
pub struct InstagramSettings {
    /// `https://graph.facebook.com/` or `https://graph.instagram.com/`, as the token is from, or a
    /// simulator's address.
    pub base: Url,
    /// The Graph version, as `v26.0`.
    pub version: String,
    /// How the account was connected.
    pub login: InstagramLogin,
    /// The account's id.
    pub ig_id: String,
    /// The token of the Page, or of the account itself.
    pub token: Secret,
    /// The app's secret, where the app demands `appsecret_proof`.
    pub app_secret: Option<Secret>,
    /// Whether the app has the right `HUMAN_AGENT`: messages are answered for seven days.
    pub human_agent: bool,
    /// Whether its app pushes to us.
    pub pushes: bool,
    /// How calls are made.
    pub http: HttpSettings,
}

/// By which of its two ways an Instagram account is connected. Ids of people differ between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstagramLogin {
    /// Through the Page that it is linked to, with the Page's token. Messages are the Page's, so
    /// without its id they are not read.
    Page {
        /// The Page's id.
        page_id: Option<String>,
    },
    /// With a token of its own.
    Own,
}

/// An organisation's page on LinkedIn, with the token of an administrator of it.
#[derive(Clone, Debug)]
pub struct LinkedInSettings {
    /// `https://api.linkedin.com/rest/`, or a simulator's address.
    pub base: Url,
    /// Where people read: links to comments begin with it, `https://www.linkedin.com/`.
    pub site: Url,
    /// The version of the interface, as `202607`.
    pub version: String,
    /// The organisation's number.
    pub organization_id: String,
    /// An access token with r_organization_social_feed and w_organization_social_feed.
    pub token: Secret,
    /// How many calls the person behind the token has in a day: 100 in the lowest tier.
    pub calls_per_day: u32,
    /// Whether its app pushes to us.
    pub pushes: bool,
    /// How calls are made.
    pub http: HttpSettings,
}

/// An account on a Mastodon server, or on one that speaks its interface.
#[derive(Clone, Debug)]
pub struct MastodonSettings {
    /// The server's address, `https://social.exempelstad.example/`.
    pub server: Url,
    /// An access token of the account.
    pub token: Secret,
    /// Whether the account moderates the server, which is the authority's own: what is reported there is read.
    pub moderator: bool,
    /// Whether hiding means that the author is limited there.
    pub limits: bool,
    /// How calls are made.
    pub http: HttpSettings,
}

/// An account on Bluesky, or on a server of one's own in the same network.
#[derive(Clone, Debug)]
pub struct BlueskySettings {
    /// Where to log in: `https://bsky.social/`. The account's own server is asked for there.
    pub server: Url,
    /// The account's handle, `exempelstad.bsky.social`.
    pub handle: String,
    /// An app password of the account, not the password that people log in with.
    pub password: Secret,
    /// Where people read: links to posts begin with it, `https://bsky.app/`.
    pub app: Url,
    /// How calls are made.
    pub http: HttpSettings,
}

/// An account on X, with its consent to an app.
#[derive(Clone, Debug)]
pub struct XSettings {
    /// `https://api.x.com/2/`, or a simulator's address.
    pub base: Url,
    /// Where pairs of tokens are renewed: `https://api.x.com/2/oauth2/token`.
    pub token_url: Url,
    /// Where people read: links begin with it, `https://x.com/`.
    pub site: Url,
    /// The account's number.
    pub user_id: String,
    /// The app's client. Accounts with the same client share its limits.
    pub client_id: String,
    /// The client's secret, where the app has one.
    pub client_secret: Option<Secret>,
    /// What the account's consent was exchanged for. Good once.
    pub refresh_token: Secret,
    /// Where the pair that came out of it is kept; `None` forgets it at the end.
    pub kept: Option<Shelf>,
    /// Whether its app pushes to us.
    pub pushes: bool,
    /// How calls are made.
    pub http: HttpSettings,
}

/// A business account on TikTok, with its consent to an app.
#[derive(Clone, Debug)]
pub struct TikTokSettings {
    /// `https://business-api.tiktok.com/open_api/v1.3/`, or a simulator's address.
    pub base: Url,
    /// The account, as `open_id` in what the consent was exchanged for.
    pub business_id: String,
    /// The app's client. Accounts with the same client share its limits.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// What the account's consent was exchanged for. Good once.
    pub refresh_token: Secret,
    /// Where the pair that came out of it is kept; `None` forgets it at the end.
    pub kept: Option<Shelf>,
    /// Whether its app pushes to us.
    pub pushes: bool,
    /// How calls are made.
    pub http: HttpSettings,
}

/// An account on Reddit, with its consent to an app.
#[derive(Clone, Debug)]
pub struct RedditSettings {
    /// `https://oauth.reddit.com/`, or a simulator's address.
    pub base: Url,
    /// Where access tokens are renewed: `https://www.reddit.com/api/v1/access_token`.
    pub token_url: Url,
    /// Where people read: links begin with it, `https://www.reddit.com/`.
    pub site: Url,
    /// The account's name, without `u/`.
    pub name: String,
    /// The subreddit that the account moderates, without `r/`.
    pub subreddit: Option<String>,
    /// The app's client. Accounts with the same client share its limit.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// What the account's consent was exchanged for.
    pub refresh_token: Secret,
    /// How calls are made.
    pub http: HttpSettings,
}

/// A YouTube channel, with its owner's consent to a Google project.
#[derive(Clone, Debug)]
pub struct YouTubeSettings {
    /// `https://www.googleapis.com/youtube/v3/`, or a simulator's address.
    pub base: Url,
    /// Where access tokens are renewed: `https://oauth2.googleapis.com/token`.
    pub token_url: Url,
    /// Where people watch: links to comments begin with it, `https://www.youtube.com/`.
    pub watch: Url,
    /// The channel's id, `UC…`.
    pub channel_id: String,
    /// The project's client. Channels with the same client share its units.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// What the owner's consent was exchanged for.
    pub refresh_token: Secret,
    /// How many units the project has in a day.
    pub units_per_day: u32,
    /// How calls are made.
    pub http: HttpSettings,
}

/// An account on Flickr, with its consent to an app.
#[derive(Clone, Debug)]
pub struct FlickrSettings {
    /// `https://api.flickr.com/`, or a simulator's address.
    pub base: Url,
    /// Where people look: links to photos begin with it, `https://www.flickr.com/photos/`.
    pub site: Url,
    /// The account's id, as `12345678@N01`.
    pub user_id: String,
    /// The app's key. Accounts with the same one share its limit.
    pub api_key: String,
    /// The app's secret.
    pub api_secret: Secret,
    /// The token that the account's consent was exchanged for.
    pub token: Secret,
    /// What belongs to that token.
    pub token_secret: Secret,
    /// How calls are made.
    pub http: HttpSettings,
}

/// A site that the authority runs itself.
#[derive(Clone, Debug)]
pub struct OwnSiteSettings {
    /// A directory that is watched for `*.jsonl` files.
    pub directory: Option<PathBuf>,
    /// The secrets that pushes may be signed with: two while one is being replaced.
    pub push_secrets: Vec<Secret>,
    /// What the site can carry out, and where.
    pub actions: Option<OwnSiteActions>,
}

/// Where and how an own site carries out acts.
#[derive(Clone, Debug)]
pub struct OwnSiteActions {
    /// Where acts are posted to.
    pub url: Url,
    /// What acts are signed with.
    pub secret: Secret,
    /// What the site says it can do.
    pub can: Vec<OwnSiteVerb>,
    /// Who still sees a hidden item, in Swedish, as declared by the site.
    pub hide_effect: Option<String>,
    /// How calls are made.
    pub http: HttpSettings,
}

/// What an own site may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnSiteVerb {
    /// Hide.
    Hide,
    /// Show again.
    Unhide,
    /// Delete.
    Delete,
    /// Publish an answer.
    Reply,
}

impl OwnSiteVerb {
    /// The word in configuration and calls.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Hide => "hide",
            Self::Unhide => "unhide",
            Self::Delete => "delete",
            Self::Reply => "reply",
        }
    }

    /// The verb with this word.
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::Hide, Self::Unhide, Self::Delete, Self::Reply].into_iter().find(|v| v.id() == id)
    }
}
