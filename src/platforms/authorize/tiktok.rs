//! TikTok: people agree at an address that the portal issues, and are sent back to an https address of the
//! authority's own, never to this machine (`platforms` sheet, section 8.1). So whoever connects the account copies
//! where they came to, and what stands in it is good for ten minutes and once.

use jiff::SignedDuration;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq as _;
use url::Url;

use super::{Client, Connected, NotConnected, chance};
use crate::platforms::error::PlatformError;
use crate::platforms::http::{Http, HttpSettings};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// What the account must be allowed.
const RIGHTS: &[&str] = &["user.info.basic", "video.list", "comment.list", "comment.list.manage"];

/// A connection that waits for what a person copies.
#[derive(Debug)]
pub struct Pasted {
    address: Url,
    state: Secret,
    token: Url,
    client: Client,
}

#[derive(Deserialize)]
struct Answer {
    code: i64,
    #[serde(default)]
    data: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Told {
    refresh_token: String,
    #[serde(default)]
    refresh_token_expires_in: Option<u32>,
    #[serde(default)]
    open_id: Option<String>,
    #[serde(default)]
    scope: Option<String>,
}

impl Pasted {
    /// `issued` is what the portal gave; what stands there of state is replaced by our own.
    ///
    /// # Errors
    /// [`NotConnected::Chance`].
    pub fn begin(issued: &Url, token: Url, client: Client) -> Result<Self, NotConnected> {
        let state = chance()?;
        let mut address = issued.clone();
        let others: Vec<_> =
            issued.query_pairs().into_owned().filter(|(name, _)| name != "state").collect();
        address.query_pairs_mut().clear().extend_pairs(others).append_pair("state", state.expose());
        Ok(Self { address, state, token, client })
    }

    /// What the person has to open.
    pub fn address(&self) -> &Url {
        &self.address
    }

    /// The code and where it was sent, out of the address that the person came to.
    fn code(&self, pasted: &str) -> Result<(Secret, String), NotConnected> {
        let came = Url::parse(pasted.trim()).map_err(|_| NotConnected::Pasted)?;
        let field = |wanted: &str| {
            let mut found = came.query_pairs().filter(|(name, _)| name == wanted);
            found.next().map(|(_, value)| value.into_owned())
        };
        let theirs = field("state").unwrap_or_default();
        if !bool::from(theirs.as_bytes().ct_eq(self.state.expose().as_bytes())) {
            return Err(NotConnected::Pasted);
        }
        let code = field("auth_code").or_else(|| field("code")).filter(|code| !code.is_empty());
        let mut redirect = came.clone();
        redirect.set_query(None);
        redirect.set_fragment(None);
        Ok((Secret::new(code.ok_or(NotConnected::Pasted)?), redirect.to_string()))
    }

    /// Exchanges what the person came back with.
    ///
    /// # Errors
    /// [`NotConnected`].
    pub async fn finish(
        self,
        pasted: &str,
        settings: &HttpSettings,
        clock: Clock,
    ) -> Result<Connected, NotConnected> {
        let (code, redirect) = self.code(pasted)?;
        let app = self.client.secret.as_ref().map_or("", |secret| secret.expose());
        let secrets = self.client.secret.iter().cloned().chain([code.clone()]).collect();
        let http =
            Http::new(&self.token, settings, clock, secrets).map_err(NotConnected::Address)?;
        let body = json!({
            "client_id": self.client.id, "client_secret": app, "grant_type": "authorization_code",
            "auth_code": code.expose(), "redirect_uri": redirect,
        });
        let call = http.call(Method::POST, self.token.clone()).json(&body);
        let answer = http.send(call).await.map_err(NotConnected::Exchange)?;
        // Failures come with success.
        let told: Answer = answer.object().map_err(NotConnected::Exchange)?;
        let data = match told {
            Answer { code: 0, data: Some(data) } => data,
            Answer { code, .. } => {
                return Err(NotConnected::Exchange(PlatformError::ReauthNeeded {
                    detail: format!("TikTok code {code}"),
                }));
            }
        };
        let told: Told = serde_json::from_value(data)
            .map_err(|error| NotConnected::Exchange(answer.unexpected(&error)))?;
        let after = |seconds: u32| answer.at.checked_add(SignedDuration::from_secs(seconds.into()));
        let lacks = match &told.scope {
            None => Vec::new(),
            Some(scope) => {
                let has: Vec<_> = scope.split([',', ' ']).collect();
                let lacking = RIGHTS.iter().filter(|right| !has.contains(right));
                lacking.map(|right| (*right).to_owned()).collect()
            }
        };
        Ok(Connected {
            token: Secret::new(told.refresh_token),
            ends: told.refresh_token_expires_in.and_then(|lives| after(lives).ok()),
            scope: told.scope,
            lacks,
            beside: told.open_id.into_iter().map(|id| ("business_id", id)).collect(),
            second: None,
        })
    }
}
