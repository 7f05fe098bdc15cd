//! What machines ask: `/healthz`, `/readyz`, `/metrics`, and signed pushes.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::domain::account::PlatformKind;
use crate::domain::ids::AccountKey;
use crate::services::handovers::{NumbersRefused, SIGNATURE};
use crate::services::push::{PushError, Taken};
use crate::web::state::Site;

/// The longest key that the configuration takes.
const LONGEST_KEY: usize = 40;

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Every loop is well and the disk can be written; otherwise what is not.
pub async fn readyz(State(site): State<Site>) -> Response {
    let mut ailing = site.health.ailing();
    // Said at once, not when the loops have failed often enough.
    if !site.services.disk_is_writable() {
        ailing.push("disk");
    }
    if ailing.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", ailing.join(", "))).into_response()
}

/// Prometheus' text format. Everything in it is counted elsewhere: anybody may ask, so an answer must
/// cost nothing.
pub async fn metrics(State(site): State<Site>) -> Response {
    let text = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, text)], site.metrics.render()).into_response()
}

/// So many pushes are read at a time.
pub const PUSHES_AT_ONCE: usize = 8;

/// How long the body of a push may take.
const READ_WITHIN: Duration = Duration::from_secs(120);

/// `POST /api/v1/intake/{account}` (platform sheet, section 15): 202 only when durable. The body of
/// whoever could not have signed it is never read.
pub async fn intake(
    State(site): State<Site>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    // Names of accounts are short; what is longer is no name, and not worth a line in the log.
    if account.len() > LONGEST_KEY {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (parts, body) = request.into_parts();
    let key = AccountKey::new(account);
    // A header that is no text is none of those that are asked for.
    let given: Vec<(&str, &str)> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    if let Err(error) = site.services.may_push(&key, &given) {
        return refused(&key, &error);
    }
    // The semaphore is never closed.
    let _turn = site.pushes.clone().acquire_owned().await.ok();
    let body = match read(&parts.headers, body, site.settings.intake_body_bytes).await {
        Ok(body) => body,
        Err(status) => return body_refused(status),
    };
    match site.services.take_push(&key, &given, &body).await {
        Ok(Taken { from, answer }) => {
            let status = match from {
                PlatformKind::OwnSite => StatusCode::ACCEPTED,
                // Some take nothing else for an answer.
                _ => StatusCode::OK,
            };
            (status, [(CONTENT_TYPE, "application/json")], answer).into_response()
        }
        Err(error) => refused(&key, &error),
    }
}

/// `GET /api/v1/intake/{account}`: a platform asks whether the address is ours.
pub async fn handshake(
    State(site): State<Site>,
    Path(account): Path<String>,
    Query(asked): Query<Vec<(String, String)>>,
) -> Response {
    if account.len() > LONGEST_KEY {
        return StatusCode::NOT_FOUND.into_response();
    }
    let asked: Vec<_> = asked.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    match site.services.shake_hands(&AccountKey::new(account), &asked) {
        Some(answer) => {
            let is_json = answer.starts_with('{');
            let kind = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
            ([(CONTENT_TYPE, kind), (X_CONTENT_TYPE_OPTIONS, "nosniff")], answer).into_response()
        }
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

/// The largest call of a diary system: some thousand numbers.
const MOST_NUMBERS_BYTES: usize = 256 * 1024;

/// `POST /api/v1/diary`: numbers that the diary system gives back, signed like a push.
pub async fn numbers(State(site): State<Site>, request: Request) -> Response {
    if !site.services.takes_numbers() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (parts, body) = request.into_parts();
    let body = match read(&parts.headers, body, MOST_NUMBERS_BYTES).await {
        Ok(body) => body,
        Err(status) => return body_refused(status),
    };
    let signature = parts.headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    let (status, answer) = match site.services.take_numbers(signature, &body).await {
        Ok(answer) => (StatusCode::OK, answer),
        Err(error) => {
            let status = match &error {
                NumbersRefused::Off => StatusCode::NOT_FOUND,
                NumbersRefused::Signature(_) => StatusCode::UNAUTHORIZED,
                NumbersRefused::NotStored(_) => StatusCode::SERVICE_UNAVAILABLE,
            };
            let chain = &error as &dyn std::error::Error;
            tracing::warn!(status = status.as_u16(), error = chain, "diary numbers refused");
            (status, serde_json::json!({ "error": error.to_string() }).to_string())
        }
    };
    (status, [(CONTENT_TYPE, "application/json")], answer).into_response()
}

fn refused(key: &AccountKey, error: &PushError) -> Response {
    let status = match error {
        PushError::NoSuchAccount => StatusCode::NOT_FOUND,
        PushError::Signature(_) => StatusCode::UNAUTHORIZED,
        PushError::Delivery | PushError::Shape(_) => StatusCode::BAD_REQUEST,
        PushError::NotStored(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let chain = error as &dyn std::error::Error;
    tracing::warn!(account = key.as_str(), status = status.as_u16(), error = chain, "push refused");
    let answer = serde_json::json!({ "error": error.to_string() }).to_string();
    (status, [(CONTENT_TYPE, "application/json")], answer).into_response()
}

/// The body, within a bound of bytes and of time.
async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, StatusCode> {
    let told = headers.get(CONTENT_LENGTH).and_then(|told| told.to_str().ok()?.parse().ok());
    if told.is_some_and(|told: usize| told > most) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(READ_WITHIN, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // One that tells no length and grows beyond the bound ends like one that breaks off.
        Ok(Err(_)) if told.is_none() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) | Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}

/// A body that did not come in whole.
fn body_refused(status: StatusCode) -> Response {
    let why = if status == StatusCode::PAYLOAD_TOO_LARGE {
        "leveransen är för stor: dela upp den i flera"
    } else {
        "leveransen kom inte fram hel: skicka samma leverans igen"
    };
    let json = [(CONTENT_TYPE, "application/json")];
    (status, json, serde_json::json!({ "error": why }).to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_in_swedish_json() {
        let status = read(&HeaderMap::new(), Body::from("12345"), 4).await.unwrap_err();
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        let response = body_refused(status);
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let body = to_bytes(response.into_body(), 1_000).await.expect("a body");
        let answer: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert!(answer["error"].as_str().is_some_and(|why| why.contains("för stor")), "{answer}");
        assert_eq!(read(&HeaderMap::new(), Body::from("1234"), 4).await.unwrap(), "1234");
    }
}
