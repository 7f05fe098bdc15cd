//! What `uppsikt accounts connect` has sealed under an account's key stands for what its lines leave out: the token, and
//! the app that it belongs to. So an account is its key, its platform and its number there.

use jiff::Timestamp;

use super::{Places, secret};
use crate::config::reader::{At, Table};
use crate::config::secret::{SealedToken, is_name, resolve, sealed, second_name};
use crate::domain::account::PlatformKind;
use crate::runtime::secret::Secret;

/// What was sealed for an account, if anything was.
pub(super) struct Connected {
    /// Under which name, where its lines name it or leave the token out.
    name: Option<String>,
    token: Option<SealedToken>,
}

/// What the token is called on a platform that people connect accounts of.
const fn token_key(kind: PlatformKind) -> Option<&'static str> {
    match kind {
        PlatformKind::YouTube | PlatformKind::X | PlatformKind::TikTok | PlatformKind::Reddit => {
            Some("refresh_token")
        }
        PlatformKind::Facebook
        | PlatformKind::Instagram
        | PlatformKind::LinkedIn
        | PlatformKind::Flickr => Some("token"),
        PlatformKind::WordPress
        | PlatformKind::Mastodon
        | PlatformKind::Bluesky
        | PlatformKind::Snapchat
        | PlatformKind::OwnSite
        | PlatformKind::Manual => None,
    }
}

impl Connected {
    /// Of the account with this key. Complains of nothing: what is missing is told by whatever asks for it.
    pub(super) fn of(
        table: &Table<'_, '_>,
        kind: PlatformKind,
        key: Option<&At<String>>,
        places: &Places<'_>,
    ) -> Self {
        let name = token_key(kind).and_then(|token| {
            if table.has(token) {
                return table.peek(token)?.strip_prefix("sealed:").map(str::to_owned);
            }
            let key = key.filter(|key| places.tokens.is_some() && is_name(&key.value))?;
            Some(key.value.clone())
        });
        let token = name.as_ref().and_then(|name| sealed("token", name, places).ok());
        Self { name, token }
    }

    /// When the login ends, where the platform told.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        self.token.as_ref()?.ends
    }

    /// The token, as the lines have it or as it was sealed. `variable` is where one would keep it else.
    pub(super) fn token(
        &self,
        table: &mut Table<'_, '_>,
        key: &'static str,
        variable: &str,
        places: &Places<'_>,
    ) -> Option<Secret> {
        self.lies_under(table, key, self.name.clone(), variable, places)
    }

    /// What is secret beside the token, likewise.
    pub(super) fn second(
        &self,
        table: &mut Table<'_, '_>,
        key: &'static str,
        variable: &str,
        places: &Places<'_>,
    ) -> Option<Secret> {
        let name = self.name.as_deref().map(second_name);
        self.lies_under(table, key, name, variable, places)
    }

    fn lies_under(
        &self,
        table: &mut Table<'_, '_>,
        key: &'static str,
        name: Option<String>,
        variable: &str,
        places: &Places<'_>,
    ) -> Option<Secret> {
        let written = table.text(key);
        match (written, name) {
            (Some(at), _) => secret(table, key, &at, places),
            // What is there and is no text has been complained about.
            (None, _) if table.has(key) => None,
            (None, Some(name)) => match resolve(key, &format!("sealed:{name}"), places) {
                Ok(secret) => Some(secret),
                Err(what) => {
                    let place = At { value: (), place: table.place.clone() };
                    let what = format!("{what}, eller skriv `{key} = \"env:{variable}\"`");
                    table.complain(&place, what);
                    None
                }
            },
            (None, None) => {
                table.missing(key, &format!("{key} = \"env:{variable}\""));
                None
            }
        }
    }

    /// What the app is called, as the lines have it or as the account was connected with.
    pub(super) fn client(
        &self,
        table: &mut Table<'_, '_>,
        key: &'static str,
        mend: &str,
    ) -> Option<String> {
        let known = self.token.as_ref().and_then(|token| token.client_id.clone());
        match (table.text(key), known) {
            (Some(at), _) => Some(at.value),
            (None, _) if table.has(key) => None,
            (None, Some(known)) => Some(known),
            (None, None) => {
                table.missing(key, mend);
                None
            }
        }
    }

    /// The app's secret, likewise; an app may have none. `None` where there is one that cannot be had.
    pub(super) fn maybe_client_secret(
        &self,
        table: &mut Table<'_, '_>,
        key: &'static str,
        places: &Places<'_>,
    ) -> Option<Option<Secret>> {
        match table.text(key) {
            Some(at) => secret(table, key, &at, places).map(Some),
            None if table.has(key) => None,
            None => {
                let known = self.token.as_ref().and_then(|token| token.client_secret.clone());
                Some(known.map(Secret::new))
            }
        }
    }

    /// The same where every app has one.
    pub(super) fn client_secret(
        &self,
        table: &mut Table<'_, '_>,
        key: &'static str,
        variable: &str,
        places: &Places<'_>,
    ) -> Option<Secret> {
        let known = self.maybe_client_secret(table, key, places)?;
        if known.is_none() {
            table.missing(key, &format!("{key} = \"env:{variable}\""));
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::secret::Tokens;
    use crate::config::{Config, ConfigError, parse};
    use crate::runtime::vault::Key;

    /// The fewest lines of each platform, by header. What is sealed was sealed by `accounts connect`.
    const SHORTEST: &[(PlatformKind, &str)] = &[
        (PlatformKind::WordPress, "url = \"https://blogg.example/\"\npassword = \"env:LOSEN\""),
        (PlatformKind::OwnSite, "dir = \"inkorg\""),
        (PlatformKind::Mastodon, "url = \"https://social.example/\"\ntoken = \"env:TOKEN\""),
        (PlatformKind::Bluesky, "handle = \"exempelstad.example\"\npassword = \"env:LOSEN\""),
        (PlatformKind::Facebook, "page_id = \"1\"\ntoken = \"env:TOKEN\""),
        (PlatformKind::Facebook, "page_id = \"1\""),
        (PlatformKind::Instagram, "ig_id = \"1\"\ntoken = \"env:TOKEN\""),
        (PlatformKind::Instagram, "ig_id = \"1\""),
        (PlatformKind::LinkedIn, "organization_id = \"1\"\ntoken = \"env:TOKEN\""),
        (PlatformKind::LinkedIn, "organization_id = \"1\""),
        (PlatformKind::YouTube, "channel_id = \"UC0123456789012345678901\""),
        (PlatformKind::X, "user_id = \"1\""),
        (PlatformKind::TikTok, "business_id = \"_000a\""),
        (PlatformKind::Reddit, "account = \"exempelstad\"\nsubreddit = \"exempelstad\""),
        (PlatformKind::Flickr, "user_id = \"1@N01\""),
    ];

    const HEAD: &str = "[authority]\nname = \"A\"\n[tokens]\nkey_file = \"nyckel\"\n";

    fn read(text: &str, folder: &Path) -> Result<Config, ConfigError> {
        let env = |_: &str| Some("hemligt".to_owned());
        parse("config.toml", text, folder, &env)
    }

    fn seal(folder: &Path, name: &str, client: Option<&str>) {
        let key = Some(Key::read_or_make(&folder.join("nyckel")).unwrap());
        let tokens = Tokens { key_file: folder.join("nyckel"), folder: folder.join("tokens"), key };
        let told = SealedToken {
            token: "nyckeln".into(),
            ends: Some("2027-01-31T12:00:00Z".parse().unwrap()),
            scope: None,
            since: Timestamp::UNIX_EPOCH,
            client_id: client.map(str::to_owned),
            client_secret: client.map(|_| "appens".to_owned()),
        };
        let text = serde_json::to_string(&told).unwrap();
        tokens.shelf(name).write(&text).unwrap();
    }

    #[test]
    fn an_account_takes_five_lines_at_the_most_on_every_platform() {
        let folder = tempfile::tempdir().unwrap();
        for (kind, lines) in SHORTEST {
            seal(folder.path(), "kontot", Some("appen"));
            seal(folder.path(), "kontot-hemlighet", Some("appen"));
            let account =
                format!("[[account]]\nkey = \"kontot\"\nplatform = \"{}\"\n{lines}\n", kind.id());
            assert!(account.lines().count() <= 5, "{account}");
            let config = read(&format!("{HEAD}{account}"), folder.path()).unwrap();
            assert_eq!(config.accounts[0].kind(), *kind);
            let has_token = lines.contains("env:") || *kind == PlatformKind::OwnSite;
            let ends = config.accounts[0].token_expires;
            assert_eq!(ends.is_some(), !has_token, "{account}");
        }
        let those = |kind: &PlatformKind| SHORTEST.iter().any(|(known, _)| known == kind);
        for kind in PlatformKind::ALL {
            let has_no_lines = matches!(kind, PlatformKind::Snapchat | PlatformKind::Manual);
            assert_ne!(those(kind), has_no_lines, "{kind}");
        }
    }

    #[test]
    fn what_was_not_sealed_is_told_with_both_ways_to_mend_it() {
        let folder = tempfile::tempdir().unwrap();
        let account = "[[account]]\nkey = \"kanalen\"\nplatform = \"youtube\"\nchannel_id = \"UC0123456789012345678901\"\n";
        seal(folder.path(), "annat", None);
        let told = read(&format!("{HEAD}{account}"), folder.path()).unwrap_err().to_string();
        assert!(told.contains("accounts connect PLATTFORM --name kanalen"), "{told}");
        assert!(told.contains("eller skriv `refresh_token = \"env:UPPSIKT_YOUTUBE_TOKEN\"`"));
        // One that an earlier version sealed has no app in it.
        seal(folder.path(), "kanalen", None);
        let told = read(&format!("{HEAD}{account}"), folder.path()).unwrap_err().to_string();
        assert!(told.contains("`client_id` saknas") && told.contains("`client_secret` saknas"));
        // What is written goes before what was sealed.
        seal(folder.path(), "kanalen", Some("appen"));
        let account = format!("{account}client_id = \"en annan\"\n");
        let config = read(&format!("{HEAD}{account}"), folder.path()).unwrap();
        let told = format!("{:?}", config.accounts[0].platform);
        assert!(told.contains("en annan") && !told.contains("appens"), "{told}");
    }
}
