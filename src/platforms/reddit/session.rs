//! Calls in the name of one account: the access token, errors and limits (`platforms` sheet,
//! sections 9.1 and 9.5).

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::USER_AGENT;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::platforms::allowance::{Allowance, Said};
use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::grant::{self, Consent, Granted, Session, Told};
use crate::platforms::http::{Answer, BadHttpSettings, Http, below};
use crate::platforms::settings::RedditSettings;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// How long to wait where the platform only says "too fast".
const TOO_FAST: SignedDuration = SignedDuration::from_mins(10);

/// No wait that stands in a text is believed to be longer, in seconds.
const LONGEST_TOLD: i64 = 3_600;

/// Calls in the name of one account.
#[derive(Clone)]
pub struct Calls {
    pub http: Http,
    pub settings: RedditSettings,
    pub allowance: Allowance,
    consent: Consent,
    /// Without a name of its own a program is held back hard.
    agent: String,
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
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        let call = self.http.call(Method::POST, settings.token_url.clone());
        let call = call.basic_auth(&settings.client_id, Some(settings.client_secret.expose()));
        let answer = self.http.send(call.header(USER_AGENT, &self.agent).form(&form)).await?;
        match answer.status {
            200..=299 => Ok(answer.object::<Told>()?.into()),
            // Which of the two it does not know, the consent or the program, it does not say.
            401 => Err(PlatformError::ReauthNeeded {
                detail: "neither client_id with client_secret nor the consent is accepted".into(),
            }),
            400 if answer.header("content-type").is_some_and(|kind| kind.contains("json")) => {
                Err(PlatformError::ReauthNeeded { detail: "the consent is not accepted".into() })
            }
            _ => Err(grant::refused(&answer, "client_id eller client_secret godtas inte")),
        }
    }

    async fn attempt(&self, call: RequestBuilder, _cost: u32) -> Result<Answer, PlatformError> {
        let answer = self.http.send(call.header(USER_AGENT, &self.agent)).await?;
        self.allowance.note(said(&answer));
        match fault(&answer) {
            None => Ok(answer),
            Some(error) => Err(error),
        }
    }
}

impl Calls {
    pub fn new(settings: RedditSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let secrets = vec![settings.client_secret.clone(), settings.refresh_token.clone()];
        let http = Http::new(&settings.base, &settings.http, clock, secrets)?;
        let consent = Consent::lasting(settings.refresh_token.clone());
        let version = env!("CARGO_PKG_VERSION");
        let agent = format!("server:{}:{version} (by /u/{})", settings.client_id, settings.name);
        Ok(Self { http, settings, allowance: Allowance::default(), consent, agent })
    }

    /// A question. Texts come as they were written.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        let mut query = query.to_vec();
        query.push(("raw_json", "1"));
        let url = below(&self.settings.base, path, &query);
        self.send(0, &|| self.http.call(Method::GET, url.clone())).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        let url = below(&self.settings.base, path, &[("raw_json", "1")]);
        self.send(0, &|| self.http.call(Method::POST, url.clone()).form(form)).await
    }
}

/// What the headers say of the limit, which is counted over ten minutes.
fn said(answer: &Answer) -> Option<Said> {
    let number = |name: &str| answer.header(name)?.trim().parse::<f64>().ok();
    let (used, left) = (number("x-ratelimit-used")?, number("x-ratelimit-remaining")?);
    let (used, left) = (used.clamp(0.0, 1e9) as u64, left.clamp(0.0, 1e9) as u64);
    Some(Said { limit: used + left, left, until: reset(answer)? })
}

/// When the limit is filled up again: the header counts the seconds until then.
fn reset(answer: &Answer) -> Option<Timestamp> {
    let seconds = answer.header("x-ratelimit-reset")?.trim().parse::<f64>().ok()?;
    let seconds = seconds.clamp(0.0, LONGEST_TOLD as f64).ceil() as i64;
    answer.at.saturating_add(SignedDuration::from_secs(seconds)).ok()
}

/// What a form is answered with.
#[derive(Deserialize)]
struct Form<'a> {
    #[serde(borrow)]
    json: FormBody<'a>,
}

#[derive(Deserialize)]
struct FormBody<'a> {
    #[serde(borrow, default)]
    errors: Vec<Vec<Option<&'a RawValue>>>,
}

/// The code and text of the first thing that a form's answer complains of.
fn complaint(answer: &Answer) -> Option<(String, String)> {
    let text = answer.text();
    let form: Form<'_> = serde_json::from_str(&text).ok()?;
    let first = form.json.errors.into_iter().next()?;
    let part = |index: usize| {
        let raw = (*first.get(index)?)?;
        serde_json::from_str::<String>(raw.get()).ok()
    };
    Some((part(0).unwrap_or_default(), part(1).unwrap_or_default()))
}

/// How long a text asks us to wait: "… in 6 minutes."
fn told_wait(text: &str) -> Option<SignedDuration> {
    let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric()).collect();
    words.windows(2).find_map(|pair| {
        let n: i64 = pair[0].parse().ok()?;
        let unit = match pair[1].to_ascii_lowercase().as_str() {
            "second" | "seconds" => 1,
            "minute" | "minutes" => 60,
            "hour" | "hours" => 3_600,
            _ => return None,
        };
        // A minute more: the text is rounded.
        Some(SignedDuration::from_secs(n.saturating_mul(unit).clamp(0, LONGEST_TOLD) + 60))
    })
}

/// The answer as an error, where it is one.
fn fault(answer: &Answer) -> Option<PlatformError> {
    if answer.is_success() {
        // Only forms are answered so.
        return if answer.was_write { refused(answer) } else { None };
    }
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_ok();
    let detail = format!("HTTP {}", answer.status);
    Some(match answer.status {
        401 => PlatformError::TokenExpired { detail },
        429 => PlatformError::Throttled {
            until: answer
                .retry_after()
                .max(reset(answer))
                .unwrap_or_else(|| answer.after_a_long_wait()),
            lane: Lane::App,
            detail,
        },
        403 if is_json => PlatformError::Forbidden {
            what: "kontot är inte moderator där, saknar rätten eller är avstängt; se efter på Reddit och anslut annars kontot på nytt".into(),
        },
        404 if is_json => PlatformError::Gone,
        408 | 500..=599 => answer.trouble().unwrap_or_else(|| PlatformError::Transient {
            detail,
            may_have_acted: answer.was_write,
            retry_at: answer.retry_after(),
        }),
        // A question that it does not understand it answers with whatever page.
        400 => PlatformError::Contract { detail },
        _ if is_json => PlatformError::Contract { detail },
        _ => answer.not_json(),
    })
}

/// What a form was not taken for.
fn refused(answer: &Answer) -> Option<PlatformError> {
    let (code, text) = complaint(answer)?;
    // It goes into logs, so nothing but a short name is let through.
    let is_name = code.len() <= 60 && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let code = if is_name { code } else { "unnamed".to_owned() };
    let refused = |why: &str| PlatformError::Refused { code: code.clone(), reason: why.into() };
    Some(match code.as_str() {
        "RATELIMIT" => {
            let wait = told_wait(&text).unwrap_or(TOO_FAST);
            let until = answer.at.saturating_add(wait).unwrap_or(answer.at);
            PlatformError::Throttled { until, lane: Lane::Call, detail: code }
        }
        "DELETED_COMMENT" | "DELETED_LINK" => PlatformError::Gone,
        "USER_REQUIRED" => PlatformError::ReauthNeeded { detail: code },
        "THREAD_LOCKED" => refused("Tråden är låst, så det går inte att svara i den."),
        "TOO_OLD" => refused("Tråden är arkiverad, så det går inte att svara i den."),
        "TOO_LONG" => refused("Texten är längre än vad plattformen tar emot. Korta den."),
        "NO_TEXT" => refused("Texten är tom."),
        _ => refused("Plattformen tar inte emot det. Gör det via länken, på plattformen."),
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use crate::platforms::testing::{answer, line};

    use super::*;

    #[test]
    fn every_error_of_the_sheet_has_its_class() {
        let mut lines = String::new();
        let said = |code: &str, text: &str| {
            format!(r#"{{"json":{{"errors":[["{code}","{text}","ratelimit"]]}}}}"#)
        };
        let table = [
            (401, r#"{"message":"Unauthorized","error":401}"#.to_owned()),
            (403, r#"{"message":"Forbidden","error":403,"reason":"private"}"#.to_owned()),
            (403, "<html>".to_owned()),
            (404, r#"{"message":"Not Found","error":404}"#.to_owned()),
            (400, r#"{"fields":["id"],"explanation":"x","message":"Bad Request"}"#.to_owned()),
            (400, "our CDN was unable".to_owned()),
            (429, "{}".to_owned()),
            (408, String::new()),
            (500, String::new()),
            (520, "<html>".to_owned()),
            (200, said("RATELIMIT", "Take a break for 6 minutes before trying again.")),
            (200, said("RATELIMIT", "you are doing that too much.")),
            (200, said("DELETED_COMMENT", "")),
            (200, said("DELETED_LINK", "")),
            (200, said("THREAD_LOCKED", "")),
            (200, said("TOO_OLD", "")),
            (200, said("TOO_LONG", "")),
            (200, said("NO_TEXT", "")),
            (200, said("SOMETHING_IS_BROKEN", "")),
            (200, said("USER_REQUIRED", "")),
            (200, said("Kim Exempel", "")),
        ];
        for (status, body) in table {
            let error = fault(&answer(status, &body, &[])).unwrap();
            lines.push_str(&line(&format!("{status} {body}"), &error));
            assert!(!error.to_string().contains("Kim"));
        }
        let limit = answer(429, "", &[("x-ratelimit-reset", "120")]);
        writeln!(lines, "{}", line("429 with its end", &fault(&limit).unwrap())).unwrap();
        insta::assert_snapshot!(lines);
        assert!(fault(&answer(200, r#"{"json":{"errors":[]}}"#, &[])).is_none());
        assert!(fault(&answer(200, "{}", &[])).is_none());
    }

    #[test]
    fn what_is_left_of_the_limit_is_read_with_its_fractions() {
        let headers = [
            ("x-ratelimit-used", "1"),
            ("x-ratelimit-remaining", "999.0"),
            ("x-ratelimit-reset", "60"),
        ];
        let told = said(&answer(200, "{}", &headers)).unwrap();
        assert_eq!((told.limit, told.left), (1_000, 999));
        assert_eq!(told.until.to_string(), "2026-11-21T12:01:00Z");
    }
}
