//! Calls in the name of one account: the pair of tokens, errors and limits (`platforms` sheet, sections
//! 7.1 and 7.6).

use async_trait::async_trait;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::Value;

use crate::platforms::allowance::{Allowance, Said, believed};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::grant::{self, Consent, Granted, Session, Told};
use crate::platforms::http::{Answer, BadHttpSettings, Http, below};
use crate::platforms::settings::XSettings;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// How long to wait for somebody who has to pay.
const UNPAID: SignedDuration = SignedDuration::from_hours(6);

/// Calls in the name of one account.
#[derive(Clone)]
pub struct Calls {
    pub http: Http,
    pub settings: XSettings,
    /// What is left of reading posts. The platform counts each of its calls by itself.
    pub posts: Allowance,
    /// The same of reading messages, of which there is little.
    pub messages: Allowance,
    consent: Consent,
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
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
            ("client_id", settings.client_id.as_str()),
        ];
        let mut call = self.http.call(Method::POST, settings.token_url.clone()).form(&form);
        if let Some(secret) = &settings.client_secret {
            call = call.basic_auth(&settings.client_id, Some(secret.expose()));
        }
        let answer = self.http.send(call).await?;
        if answer.is_success() {
            return Ok(answer.object::<Told>()?.into());
        }
        // A spent token is called a request that cannot be understood.
        if answer.status == 400 && answer.text().contains("invalid_request") {
            return Err(PlatformError::ReauthNeeded { detail: "invalid_request".into() });
        }
        Err(grant::refused(&answer, "client_id eller client_secret godtas inte av X"))
    }

    async fn attempt(&self, call: RequestBuilder, _cost: u32) -> Result<Answer, PlatformError> {
        let answer = self.http.send(call).await?;
        if answer.is_success() { Ok(answer) } else { Err(fault(&answer)) }
    }
}

impl Calls {
    pub fn new(settings: XSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let mut secrets = vec![settings.refresh_token.clone()];
        secrets.extend(settings.client_secret.clone());
        let http = Http::new(&settings.base, &settings.http, clock, secrets)?;
        let consent = Consent::replaced(settings.refresh_token.clone(), settings.kept.clone());
        let (posts, messages) = (Allowance::default(), Allowance::default());
        Ok(Self { http, settings, posts, messages, consent })
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        let url = below(&self.settings.base, path, query);
        let answer = self.send(0, &|| self.http.call(Method::GET, url.clone())).await?;
        let left = if path.starts_with("dm_") { &self.messages } else { &self.posts };
        left.note(said(&answer));
        Ok(answer)
    }

    /// What the app asks for by itself.
    pub async fn as_app(
        &self,
        token: &Secret,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, PlatformError> {
        let fields = [("webhook_config.fields", "created_at,id,url,valid")];
        let query = if method == Method::GET && path == "webhooks" { &fields[..] } else { &[] };
        let url = below(&self.settings.base, path, query);
        let mut call = self.http.call(method, url).bearer_auth(token.expose());
        if let Some(body) = body {
            call = call.json(body);
        }
        match self.attempt(call, 0).await {
            // The account's own login is another one, and renewing it mends nothing.
            Err(PlatformError::TokenExpired { .. }) => Err(PlatformError::Forbidden {
                what: "appens egen nyckel (webhook_app_token) godtas inte; hämta en ny i utvecklarportalen hos X".into(),
            }),
            other => other,
        }
    }

    pub async fn write(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Answer, PlatformError> {
        let url = below(&self.settings.base, path, &[]);
        self.send(0, &|| self.http.call(method.clone(), url.clone()).json(body)).await
    }
}

/// When the limit is filled up again: in seconds since 1970 by the platform's own clock, which every
/// answer tells.
fn reset(answer: &Answer) -> Option<Timestamp> {
    let at = i64::try_from(answer.number("x-rate-limit-reset")?).ok()?;
    let at = Timestamp::from_second(at).ok()?;
    let theirs =
        answer.header("date").and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    let wait = at.duration_since(theirs.unwrap_or(answer.at));
    Some(believed(answer.at.saturating_add(wait).unwrap_or(at), answer))
}

fn said(answer: &Answer) -> Option<Said> {
    let number = |name: &str| answer.number(name);
    Some(Said {
        limit: number("x-rate-limit-limit")?,
        left: number("x-rate-limit-remaining")?,
        until: reset(answer)?,
    })
}

/// A problem as the platform writes it, or the older form with a list.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    detail: String,
    errors: Vec<OldProblem>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OldProblem {
    message: String,
}

/// Turns an answer that is no success into an error. Decides on status and problem, and where one
/// status covers six causes on the platform's own words, which quote nobody.
fn fault(answer: &Answer) -> PlatformError {
    let told = serde_json::from_slice::<Problem>(&answer.body);
    let is_json = told.is_ok();
    let told = told.unwrap_or_default();
    let kind = told.kind.rsplit('/').next().unwrap_or_default();
    let is_name = kind.len() <= 60 && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let code = format!("HTTP {} {}", answer.status, if is_name { kind } else { "unnamed" });
    let code = code.trim().to_owned();
    let words = told.errors.first().map_or(told.detail.as_str(), |first| first.message.as_str());
    let words = words.to_lowercase();
    let after = |wait| answer.at.saturating_add(wait).unwrap_or(answer.at);
    let refused = |why: &str| PlatformError::Refused { code: code.clone(), reason: why.into() };
    match (answer.status, kind) {
        (402, _) | (_, "usage-capped") => {
            PlatformError::QuotaGone { until: after(UNPAID), lane: Lane::App, detail: code }
        }
        (401, _) => PlatformError::TokenExpired { detail: code },
        (404, _) if is_json => PlatformError::Gone,
        (429, _) => PlatformError::Throttled {
            until: answer
                .retry_after()
                .max(reset(answer))
                .unwrap_or_else(|| answer.after_a_long_wait()),
            lane: Lane::Token,
            detail: code,
        },
        (403, _) if !is_json => answer.not_json(),
        (403, _) if words.contains("duplicate") => refused("Plattformen har redan ett likadant svar."),
        (403, "client-forbidden" | "unsupported-authentication") => PlatformError::Forbidden {
            what: "appen eller anslutningen saknar åtkomst; se efter i utvecklarportalen hos X och anslut kontot på nytt".into(),
        },
        (403, _) if !answer.was_write => PlatformError::Forbidden {
            what: "anslutningen saknar rätten att läsa detta; anslut kontot på nytt med alla rättigheter".into(),
        },
        (403, _) if words.contains("reply") || words.contains("mention") => refused(
            "Plattformen låter bara kontot svara den som har nämnt eller citerat det. Svara via länken, på plattformen.",
        ),
        (403, _) => refused(
            "Plattformen tillåter det inte: tråden är kanske inte kontots egen, eller så saknas en rättighet. Gör det via länken, på plattformen.",
        ),
        (400, _) if answer.was_write && words.contains("text") => {
            refused("Plattformen godtar inte texten. Korta den eller skriv om den.")
        }
        _ if is_json && (400..500).contains(&answer.status) => {
            PlatformError::Contract { detail: code }
        }
        _ => answer.trouble().unwrap_or_else(|| answer.not_json()),
    }
}

#[cfg(test)]
mod tests {
    use crate::platforms::testing::{answer, line};

    use super::*;

    #[test]
    fn every_error_of_the_sheet_has_its_class() {
        let problem = |kind: &str, detail: &str| {
            format!(
                r#"{{"title":"x","type":"https://api.x.com/2/problems/{kind}","detail":"{detail}"}}"#
            )
        };
        let table = [
            (400, problem("invalid-request", "One or more parameters")),
            (400, r#"{"errors":[{"message":"text is too long","parameters":{}}]}"#.to_owned()),
            (401, r#"{"title":"Unauthorized","type":"about:blank","status":401}"#.to_owned()),
            (402, "{}".to_owned()),
            (403, problem("client-forbidden", "x")),
            (403, problem("not-authorized-for-resource", "x")),
            (
                403,
                r#"{"detail":"You are not allowed to create a Tweet with duplicate content."}"#
                    .to_owned(),
            ),
            (403, r#"{"detail":"Reply to this conversation is not allowed"}"#.to_owned()),
            (403, "<html>".to_owned()),
            (404, problem("resource-not-found", "x")),
            (404, "<html>".to_owned()),
            (429, r#"{"errors":[{"code":88,"message":"Rate limit exceeded."}]}"#.to_owned()),
            (429, problem("usage-capped", "x")),
            (500, "{}".to_owned()),
            (503, String::new()),
        ];
        let mut lines = String::new();
        for (status, body) in table {
            lines.push_str(&line(&format!("{status} {body}"), &fault(&answer(status, &body, &[]))));
        }
        let limit = [("x-rate-limit-reset", "1795262700")];
        lines.push_str(&line("429 with its end", &fault(&answer(429, "{}", &limit))));
        insta::assert_snapshot!(lines);
    }
}
