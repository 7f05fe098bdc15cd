//! Calls in the name of one channel: the access token, units, and errors (`platforms` sheet,
//! sections 5.1, 5.5 and 5.6).

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::Value;

use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::grant::{self, Consent, Granted, Session, Told};
use crate::platforms::http::{Answer, BadHttpSettings, Http, below};
use crate::platforms::settings::YouTubeSettings;
use crate::platforms::youtube::quota::Quota;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// What a call costs in units.
pub const READ: u32 = 1;
pub const ACT: u32 = 50;
/// The part that an answer of ours consists of may be counted as well.
pub const ANSWER: u32 = 52;

/// How long to wait where the platform only says "too fast".
const TOO_FAST: SignedDuration = SignedDuration::from_secs(60);

/// Calls in the name of one channel.
#[derive(Clone)]
pub struct Google {
    pub http: Http,
    pub settings: YouTubeSettings,
    pub quota: Arc<Quota>,
    consent: Consent,
}

#[async_trait]
impl Session for Google {
    fn http(&self) -> &Http {
        &self.http
    }

    fn consent(&self) -> &Consent {
        &self.consent
    }

    async fn renew(&self, refresh: &Secret) -> Result<Granted, PlatformError> {
        let settings = &self.settings;
        let form = [
            ("client_id", settings.client_id.as_str()),
            ("client_secret", settings.client_secret.expose()),
            ("refresh_token", refresh.expose()),
            ("grant_type", "refresh_token"),
        ];
        let call = self.http.call(Method::POST, settings.token_url.clone()).form(&form);
        let answer = self.http.send(call).await?;
        if answer.is_success() {
            Ok(answer.object::<Told>()?.into())
        } else {
            Err(token_fault(&answer))
        }
    }

    /// Paid for before it leaves.
    async fn attempt(&self, call: RequestBuilder, units: u32) -> Result<Answer, PlatformError> {
        self.quota.take(&self.settings.channel_id, units, self.http.clock().now())?;
        let answer = self.http.send(call).await?;
        if answer.is_success() { Ok(answer) } else { Err(self.fault(&answer)) }
    }
}

impl Google {
    pub fn new(
        settings: YouTubeSettings,
        quota: Arc<Quota>,
        clock: Clock,
    ) -> Result<Self, BadHttpSettings> {
        let secrets = vec![settings.client_secret.clone(), settings.refresh_token.clone()];
        let http = Http::new(&settings.base, &settings.http, clock, secrets)?;
        let consent = Consent::lasting(settings.refresh_token.clone());
        Ok(Self { http, settings, quota, consent })
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        let url = below(&self.settings.base, path, query);
        self.send(READ, &|| self.http.call(Method::GET, url.clone())).await
    }

    pub async fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
        units: u32,
    ) -> Result<Answer, PlatformError> {
        let url = below(&self.settings.base, path, query);
        self.send(units, &|| {
            let call = self.http.call(Method::POST, url.clone());
            match body {
                Some(body) => call.json(body),
                None => call.header(reqwest::header::CONTENT_LENGTH, 0),
            }
        })
        .await
    }

    fn fault(&self, answer: &Answer) -> PlatformError {
        match reason(answer).as_deref() {
            Some("quotaExceeded" | "dailyLimitExceeded") => self.quota.note_gone(answer.at),
            reason => fault(answer, reason),
        }
    }
}

/// What the address that renews tokens answers.
fn token_fault(answer: &Answer) -> PlatformError {
    match reason(answer) {
        // Google's front answers so in front of every service.
        Some(reason) => fault(answer, Some(&reason)),
        None => grant::refused(answer, "client_id eller client_secret godtas inte av Google"),
    }
}

#[derive(Deserialize)]
struct Fault {
    error: FaultBody,
}

#[derive(Deserialize)]
struct FaultBody {
    #[serde(default)]
    errors: Vec<FaultReason>,
}

#[derive(Deserialize)]
struct FaultReason {
    #[serde(default)]
    reason: String,
}

/// The name of an error, where the answer is one of the interface's own.
fn reason(answer: &Answer) -> Option<String> {
    let fault: Fault = serde_json::from_slice(&answer.body).ok()?;
    let reason = fault.error.errors.into_iter().next()?.reason;
    // It goes into logs and to editors, so nothing but a short name is let through.
    let is_name = reason.len() <= 80 && reason.bytes().all(|b| b.is_ascii_alphanumeric());
    Some(if is_name { reason } else { "unnamed".to_owned() })
}

/// Turns an answer that is no success into an error. Decides on the reason.
fn fault(answer: &Answer, reason: Option<&str>) -> PlatformError {
    let Some(code) = reason else {
        return match answer.status {
            401 => PlatformError::TokenExpired { detail: "HTTP 401".into() },
            _ => answer.trouble().unwrap_or_else(|| answer.not_json()),
        };
    };
    let refused = |why: &str| PlatformError::Refused { code: code.into(), reason: why.into() };
    let forbidden = |what: &str| PlatformError::Forbidden { what: what.into() };
    let transient = || PlatformError::Transient {
        detail: format!("HTTP {} {code}", answer.status),
        may_have_acted: answer.was_write && answer.status >= 500,
        retry_at: answer.retry_after(),
    };
    match code {
        "authError" => PlatformError::TokenExpired { detail: code.into() },
        "rateLimitExceeded" | "userRateLimitExceeded" => PlatformError::Throttled {
            until: answer
                .retry_after()
                .unwrap_or_else(|| answer.at.saturating_add(TOO_FAST).unwrap_or(answer.at)),
            // The whole project, or one user of it.
            lane: if code == "rateLimitExceeded" { Lane::App } else { Lane::Token },
            detail: code.into(),
        },
        "forbidden" | "insufficientPermissions" => forbidden(
            "inloggningen räcker inte till det här; anslut kanalen på nytt som dess ägare och godkänn rätten att hantera kommentarer",
        ),
        "ineligibleAccount" | "authenticatedUserNotChannel" => forbidden(
            "Google-kontot kan inte användas för kanalens kommentarer; logga in på youtube.com med det och se vad som saknas",
        ),
        COMMENTS_OFF => refused("Kommentarerna är avstängda för videon."),
        "commentNotFound" | "parentCommentNotFound" | "videoNotFound" | "channelNotFound" => {
            PlatformError::Gone
        }
        "commentTextTooLong" => refused("Svaret är längre än vad plattformen tar emot. Korta det."),
        "commentTextRequired" => refused("Svaret är tomt."),
        "invalidCustomEmoji" => refused("En av bilderna i svaret godtas inte. Ta bort den."),
        "parentCommentIsPrivate" => {
            refused("Kommentaren är inte publicerad, så den går inte att svara på. Visa den först.")
        }
        "operationNotSupported" => {
            refused("Plattformen låter inte kanalen göra det här med den här kommentaren.")
        }
        // It may pass; whoever keeps asking gives up in the end.
        "processingFailure" => transient(),
        // The walk begins anew with a place that the platform knows.
        "invalidPageToken" => transient(),
        _ => match answer.status {
            401 => PlatformError::TokenExpired { detail: code.into() },
            500..=599 => transient(),
            429 => answer.trouble().unwrap_or_else(transient),
            status => PlatformError::Contract { detail: format!("HTTP {status} {code}") },
        },
    }
}

/// The reason of a video without comments.
pub const COMMENTS_OFF: &str = "commentsDisabled";

#[cfg(test)]
mod tests {
    use crate::platforms::testing::{answer, line};

    use super::*;

    #[test]
    fn every_error_of_the_sheet_has_its_class() {
        let table = [
            (401, "authError"),
            (403, "rateLimitExceeded"),
            (429, "userRateLimitExceeded"),
            (403, "forbidden"),
            (403, "insufficientPermissions"),
            (403, "commentsDisabled"),
            (403, "ineligibleAccount"),
            (403, "authenticatedUserNotChannel"),
            (404, "commentNotFound"),
            (404, "parentCommentNotFound"),
            (404, "videoNotFound"),
            (404, "channelNotFound"),
            (400, "commentTextTooLong"),
            (400, "commentTextRequired"),
            (400, "invalidCustomEmoji"),
            (400, "parentCommentIsPrivate"),
            (400, "operationNotSupported"),
            (400, "processingFailure"),
            (400, "invalidPageToken"),
            (400, "banWithoutReject"),
            (400, "invalidCommentMetadata"),
            (400, "parentIdMissing"),
            (400, "keyInvalid"),
            (500, "backendError"),
            (503, "backendError"),
            (403, "Kim Exempel"),
        ];
        let mut lines = String::new();
        for (status, name) in table {
            let body =
                format!(r#"{{"error":{{"code":{status},"errors":[{{"reason":"{name}"}}]}}}}"#);
            let answer = answer(status, &body, &[]);
            let error = fault(&answer, reason(&answer).as_deref());
            lines.push_str(&line(&format!("{status} {name}"), &error));
        }
        for (status, body) in [(401, "<html>"), (429, ""), (502, "<html>"), (404, "<html>")] {
            let answer = answer(status, body, &[]);
            lines.push_str(&line(&format!("{status} page"), &fault(&answer, None)));
        }
        for (status, name) in [(400, "invalid_grant"), (401, "invalid_client"), (500, "x")] {
            let answer = answer(status, &format!(r#"{{"error":"{name}"}}"#), &[]);
            lines.push_str(&line(&format!("token {name}"), &token_fault(&answer)));
        }
        insta::assert_snapshot!(lines);
    }
}
