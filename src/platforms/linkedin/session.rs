//! Calls in the name of an organisation: headers, errors and the calls of a day (`platforms` sheet,
//! sections 6.1 and 6.5).

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::http::{Answer, BadHttpSettings, Http};
use crate::platforms::settings::LinkedInSettings;
use crate::platforms::youtube::quota::Quota;
use crate::runtime::clock::Clock;

/// How long to wait where too many comments were written too fast.
const TOO_FAST: SignedDuration = SignedDuration::from_secs(60);

/// Calls in the name of one organisation.
pub struct Rest {
    pub http: Http,
    pub settings: LinkedInSettings,
    /// The calls of a day, which end at midnight UTC.
    pub calls: Quota,
}

impl Rest {
    pub fn new(settings: LinkedInSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let secrets = vec![settings.token.clone()];
        let http = Http::new(&settings.base, &settings.http, clock, secrets)?;
        let calls = Quota::in_zone(settings.calls_per_day, TimeZone::UTC);
        Ok(Self { http, settings, calls })
    }

    /// Names inside a path are encoded whole, parentheses and all, so the path is put together
    /// here and not by a library that takes them for harmless.
    fn url(&self, path: &str, query: &str) -> Url {
        let base = self.settings.base.as_str().trim_end_matches('/');
        let text = format!("{base}/{path}{}{query}", if query.is_empty() { "" } else { "?" });
        Url::parse(&text).unwrap_or_else(|_| self.settings.base.clone())
    }

    async fn send(&self, call: RequestBuilder) -> Result<Answer, PlatformError> {
        self.calls.take(&self.settings.organization_id, 1, self.http.clock().now())?;
        let call = call
            .bearer_auth(self.settings.token.expose())
            .header("Linkedin-Version", &self.settings.version)
            .header("X-Restli-Protocol-Version", "2.0.0");
        let answer = self.http.send(call).await?;
        if answer.is_success() { Ok(answer) } else { Err(fault(&answer, self.midnight())) }
    }

    fn midnight(&self) -> Timestamp {
        self.calls.resets_at(self.http.clock().now())
    }

    pub async fn get(&self, path: &str, query: &str) -> Result<Answer, PlatformError> {
        self.send(self.http.call(Method::GET, self.url(path, query))).await
    }

    /// A question that the platform answers by one of its finders.
    pub async fn find(&self, path: &str, query: &str) -> Result<Answer, PlatformError> {
        let call = self.http.call(Method::GET, self.url(path, query));
        self.send(call.header("X-RestLi-Method", "FINDER")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, PlatformError> {
        self.send(self.http.call(Method::POST, self.url(path, "")).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer, PlatformError> {
        self.send(self.http.call(Method::PUT, self.url(path, "")).json(body)).await
    }

    pub async fn delete(&self, path: &str, query: &str) -> Result<Answer, PlatformError> {
        self.send(self.http.call(Method::DELETE, self.url(path, query))).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fault {
    #[serde(default)]
    service_error_code: Option<i64>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Turns an answer that is no success into an error. Decides on status and number, with one
/// exception that the sheet names.
fn fault(answer: &Answer, midnight: Timestamp) -> PlatformError {
    let Ok(told) = serde_json::from_slice::<Fault>(&answer.body) else {
        return match answer.status {
            401 => PlatformError::ReauthNeeded { detail: "HTTP 401".into() },
            _ => answer.trouble().unwrap_or_else(|| answer.not_json()),
        };
    };
    let number = told.service_error_code.unwrap_or(0);
    let detail = format!("HTTP {} {number}", answer.status);
    match (answer.status, told.code.as_deref()) {
        (401, _) => PlatformError::ReauthNeeded { detail },
        (403, _) => PlatformError::Forbidden {
            what: "rätten saknas, eller så har personen bakom anslutningen inte längre rollen administratör för sidan; en ny anslutning hjälper bara om rollen finns".into(),
        },
        (404, _) => PlatformError::Gone,
        (409, _) => PlatformError::Refused {
            code: detail,
            reason: "Plattformen har redan ett likadant svar.".into(),
        },
        (426, _) | (_, Some("NONEXISTENT_VERSION")) => PlatformError::Contract {
            detail: format!("{detail}: the version of the interface is no longer served"),
        },
        (422, _) => PlatformError::Refused {
            code: detail,
            reason: "Plattformen godtar inte texten. Korta den eller skriv om den.".into(),
        },
        (429, _) => {
            let is_short = told.message.is_some_and(|m| m.contains("Comment create throttled"));
            if is_short {
                let until = answer.at.saturating_add(TOO_FAST).unwrap_or(answer.at);
                PlatformError::Throttled { until, lane: Lane::Call, detail }
            } else {
                PlatformError::QuotaGone { until: midnight, lane: Lane::App, detail }
            }
        }
        _ => answer.trouble().unwrap_or(PlatformError::Contract { detail }),
    }
}

#[cfg(test)]
mod tests {
    use crate::platforms::testing::{answer, at, line};

    use super::*;

    #[test]
    fn every_error_of_the_sheet_has_its_class() {
        let table = [
            (401, r#"{"status":401,"serviceErrorCode":65601,"code":"REVOKED_ACCESS_TOKEN"}"#),
            (401, r#"{"status":401,"serviceErrorCode":65602,"code":"EXPIRED_ACCESS_TOKEN"}"#),
            (401, r#"{"status":401}"#),
            (403, r#"{"status":403,"serviceErrorCode":100,"code":"ACCESS_DENIED"}"#),
            (404, r#"{"status":404}"#),
            (400, r#"{"status":400}"#),
            (400, r#"{"status":400,"code":"NONEXISTENT_VERSION"}"#),
            (422, r#"{"status":422}"#),
            (426, r#"{"status":426}"#),
            (429, r#"{"status":429,"message":"Comment create throttled for this member"}"#),
            (429, r#"{"status":429}"#),
            (500, r#"{"status":500}"#),
            (502, "<html>"),
            (403, "<html>"),
        ];
        let mut lines = String::new();
        for (status, body) in table {
            let error = fault(&answer(status, body, &[]), at("2026-11-22T00:00:00Z"));
            lines.push_str(&line(&format!("{status} {body}"), &error));
        }
        insta::assert_snapshot!(lines);
    }
}
