//! Calls in the name of one business account: the pair of tokens, and errors, which come with success
//! (`platforms` sheet, sections 8.1 and 8.5).

use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::grant::{Consent, Granted, Session, Told};
use crate::platforms::http::{Answer, BadHttpSettings, Http, below};
use crate::platforms::settings::TikTokSettings;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// Limits by the minute clear so late.
const TOO_FAST: SignedDuration = SignedDuration::from_mins(5);

/// Calls in the name of one account.
#[derive(Clone)]
pub struct Calls {
    pub http: Http,
    pub settings: TikTokSettings,
    consent: Consent,
}

/// What every answer is wrapped in.
#[derive(Deserialize)]
struct Envelope {
    code: i64,
}

/// The same with what it holds.
#[derive(Deserialize)]
struct Full<T> {
    data: T,
}

#[async_trait]
impl Session for Calls {
    fn http(&self) -> &Http {
        &self.http
    }

    fn consent(&self) -> &Consent {
        &self.consent
    }

    async fn renew(&self, refresh: &Secret) -> Result<Granted, PlatformError> {
        let settings = &self.settings;
        let body = json!({
            "client_id": settings.client_id, "client_secret": settings.client_secret.expose(),
            "grant_type": "refresh_token", "refresh_token": refresh.expose(),
        });
        let url = below(&settings.base, "tt_user/oauth2/refresh_token/", &[]);
        let answer = self.http.send(self.http.call(Method::POST, url).json(&body)).await?;
        match fault(&answer) {
            None => Ok(data::<Told>(&answer)?.into()),
            // Here nothing but the consent can have run out.
            Some(PlatformError::TokenExpired { detail }) => {
                Err(PlatformError::ReauthNeeded { detail })
            }
            Some(error) => Err(error),
        }
    }

    async fn attempt(&self, call: RequestBuilder, _cost: u32) -> Result<Answer, PlatformError> {
        let answer = self.http.send(call).await?;
        match fault(&answer) {
            None => Ok(answer),
            Some(error) => Err(error),
        }
    }

    fn show(&self, call: RequestBuilder, token: &Secret) -> RequestBuilder {
        call.header("Access-Token", token.expose())
    }
}

impl Calls {
    pub fn new(settings: TikTokSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let secrets = vec![settings.client_secret.clone(), settings.refresh_token.clone()];
        let http = Http::new(&settings.base, &settings.http, clock, secrets)?;
        let consent = Consent::replaced(settings.refresh_token.clone(), settings.kept.clone());
        Ok(Self { http, settings, consent })
    }

    /// A question about the account. Every path ends with a slash.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        let mut whole = vec![("business_id", self.settings.business_id.as_str())];
        whole.extend_from_slice(query);
        let url = below(&self.settings.base, path, &whole);
        self.send(0, &|| self.http.call(Method::GET, url.clone())).await
    }

    pub async fn post(&self, path: &str, mut body: Value) -> Result<Answer, PlatformError> {
        body["business_id"] = self.settings.business_id.as_str().into();
        let url = below(&self.settings.base, path, &[]);
        self.send(0, &|| self.http.call(Method::POST, url.clone()).json(&body)).await
    }

    /// What the app asks for by itself: it shows its secret, and no account's token.
    pub async fn as_app(&self, path: &str, body: &Value) -> Result<Answer, PlatformError> {
        let url = below(&self.settings.base, path, &[]);
        self.attempt(self.http.call(Method::POST, url).json(body), 0).await
    }
}

/// What an answer holds.
pub fn data<T: DeserializeOwned>(answer: &Answer) -> Result<T, PlatformError> {
    Ok(answer.object::<Full<T>>()?.data)
}

/// The answer as an error, where it is one. Decides on the code alone: failures come with HTTP 200.
fn fault(answer: &Answer) -> Option<PlatformError> {
    let Ok(Envelope { code }) = answer.object::<Envelope>() else {
        return Some(answer.trouble().unwrap_or_else(|| answer.not_json()));
    };
    let detail = format!("code {code}");
    let refused = |why: &str| PlatformError::Refused { code: detail.clone(), reason: why.into() };
    Some(match code {
        0 | 20001 => return None,
        40102 => PlatformError::TokenExpired { detail },
        40103 | 40104 | 40105 | 40107 | 40110 => PlatformError::ReauthNeeded { detail },
        40001 | 40003 | 40113 | 40118 | 40130 => PlatformError::Forbidden {
            what: format!("en behörighet saknas för appen eller kontot (kod {code}); anslut kontot på nytt och godkänn alla rättigheter"),
        },
        40007 => PlatformError::Gone,
        40050 => refused("Plattformen har redan ett likadant svar."),
        40016 | 40100 | 40132 | 61000 => PlatformError::Throttled {
            until: answer.at.saturating_add(TOO_FAST).unwrap_or(answer.at),
            lane: if code == 40100 { Lane::App } else { Lane::Account },
            detail,
        },
        41000 => PlatformError::Forbidden {
            what: "plattformen har spärrat kontot eller appen; se meddelandet på plattformen innan något görs igen".into(),
        },
        40202 | 50000 | 50002 | 51000..=52999 | 60001 => PlatformError::Transient {
            detail,
            // A conflict between two writers leaves one of them undone.
            may_have_acted: answer.was_write && code != 40202,
            retry_at: None,
        },
        _ => PlatformError::Contract { detail },
    })
}

#[cfg(test)]
mod tests {
    use crate::platforms::testing::{answer, line};

    use super::*;

    #[test]
    fn every_error_of_the_sheet_has_its_class() {
        let codes = [
            40102, 40103, 40104, 40105, 40107, 40110, 40001, 40003, 40113, 40118, 40130, 40000,
            40002, 40006, 40051, 40400, 40007, 40050, 40016, 40100, 40132, 61000, 40202, 41000,
            50000, 50002, 51001, 52999, 60001, 99999,
        ];
        let mut lines = String::new();
        for code in codes {
            let body = format!(r#"{{"code":{code},"message":"x","request_id":"1","data":{{}}}}"#);
            lines.push_str(&line(&code.to_string(), &fault(&answer(200, &body, &[])).unwrap()));
        }
        for (status, body) in [(502, "<html>"), (403, "<html>"), (429, "")] {
            lines.push_str(&line(&status.to_string(), &fault(&answer(status, body, &[])).unwrap()));
        }
        insta::assert_snapshot!(lines);
        assert!(fault(&answer(200, r#"{"code":0,"data":{}}"#, &[])).is_none());
    }
}
