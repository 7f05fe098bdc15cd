//! Calls with one token: errors, limits and pages of Mastodon's interface (`platforms` sheet,
//! sections 11.1, 11.2 and 11.5).

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{CONNECTION, LINK};
use url::Url;

use crate::platforms::allowance::{Allowance, Said, believed, throttled};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::http::{Answer, Http, below};
use crate::platforms::mastodon::wire::Id;
use crate::runtime::secret::Secret;

/// Calls to one server with one token.
pub struct Api {
    pub http: Http,
    server: Url,
    token: Secret,
    pub allowance: Allowance,
}

impl Api {
    pub fn new(http: Http, server: Url, token: Secret) -> Self {
        Self { http, server, token, allowance: Allowance::default() }
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        below(&self.server, &format!("api/{path}"), query)
    }

    /// Sends the call; any answer but success becomes an error.
    async fn send(&self, call: reqwest::RequestBuilder) -> Result<Answer, PlatformError> {
        // snac closes after every answer without saying so: a second call on the same connection
        // would fail, and of a write that failed so nobody knows whether it went through.
        let call = call.header(CONNECTION, "close").bearer_auth(self.token.expose());
        let answer = self.http.send(call).await?;
        if answer.is_success() { Ok(answer) } else { Err(fault(&answer)) }
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        let call = self.http.call(Method::GET, self.url(path, query));
        let answer = self.send(call).await?;
        // Deletions have a limit of their own in the same headers, so only reading is counted.
        self.allowance.note(said(&answer));
        Ok(answer)
    }

    /// The same as anybody may ask who has no token.
    pub async fn get_as_anybody(&self, path: &str) -> Result<Answer, PlatformError> {
        let call = self.http.call(Method::GET, self.url(path, &[]));
        let answer = self.http.send(call.header(CONNECTION, "close")).await?;
        if answer.is_success() { Ok(answer) } else { Err(fault(&answer)) }
    }

    /// `key` makes the server carry out the same call once, where it knows such keys.
    pub async fn post(
        &self,
        path: &str,
        body: &serde_json::Value,
        key: Option<&str>,
    ) -> Result<Answer, PlatformError> {
        let mut call = self.http.call(Method::POST, self.url(path, &[])).json(body);
        if let Some(key) = key {
            call = call.header("Idempotency-Key", key);
        }
        self.send(call).await
    }

    pub async fn delete(&self, path: &str) -> Result<Answer, PlatformError> {
        self.send(self.http.call(Method::DELETE, self.url(path, &[]))).await.map_err(|error| {
            match error {
                // 30 in half an hour, counted apart from all else.
                PlatformError::Throttled { until, detail, .. } => {
                    PlatformError::Throttled { until, lane: Lane::Call, detail }
                }
                other => other,
            }
        })
    }
}

/// When the limit is filled up again; ISO 8601 with fractions.
fn reset(answer: &Answer) -> Option<Timestamp> {
    let at = answer.header("x-ratelimit-reset")?.trim().parse().ok()?;
    Some(believed(at, answer))
}

fn said(answer: &Answer) -> Option<Said> {
    Some(Said {
        limit: answer.number("x-ratelimit-limit")?,
        left: answer.number("x-ratelimit-remaining")?,
        until: reset(answer)?,
    })
}

/// What the `Link` header says of the next older page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Older {
    /// It begins below this id.
    Than(Id),
    /// There is none.
    None,
    /// The server sends no such header: only an empty page is the end.
    Untold,
}

/// Only the id is taken out of the address: following what a server names would carry the token
/// wherever it likes.
pub fn older(answer: &Answer) -> Older {
    let mut told = false;
    for value in answer.headers.get_all(LINK) {
        let Ok(value) = value.to_str() else { continue };
        told = true;
        for link in value.split(',') {
            let Some((address, rest)) = link.trim().trim_start_matches('<').split_once('>') else {
                continue;
            };
            if !rest.contains("rel=\"next\"") && !rest.contains("rel=next") {
                continue;
            }
            let id = Url::parse(address).ok().and_then(|url| {
                let (_, id) = url.query_pairs().find(|(name, _)| name == "max_id")?;
                Id::new(&id)
            });
            return id.map_or(Older::Untold, Older::Than);
        }
    }
    if told { Older::None } else { Older::Untold }
}

/// Turns an answer that is no success into an error. Decides on the status: the text follows the
/// account's language.
pub fn fault(answer: &Answer) -> PlatformError {
    match answer.status {
        401 => PlatformError::ReauthNeeded { detail: "HTTP 401".into() },
        // A firewall says so in HTML, the server in JSON.
        403 if serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_err() => {
            answer.not_json()
        }
        403 => PlatformError::Forbidden {
            what: "åtkomstnyckeln saknar en rättighet (scope), eller så är kontot begränsat på servern; logga in på servern och se efter, eller skapa en ny nyckel".into(),
        },
        404 | 410 => PlatformError::Gone,
        422 => PlatformError::Refused {
            code: "422".into(),
            reason: "Servern godtar inte detta: texten kan vara för lång eller tom, eller så går det inte att svara på eller anmäla inlägget där. Gör det direkt på plattformen.".into(),
        },
        429 => throttled(answer, reset(answer)),
        status => answer.trouble().unwrap_or_else(|| PlatformError::Contract {
            detail: format!("HTTP {status}"),
        }),
    }
}
