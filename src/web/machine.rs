//! What machines ask: `/healthz`, `/readyz`, `/metrics`, and signed pushes.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::domain::ids::AccountKey;
use crate::services::push::PushError;
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

/// `POST /api/v1/intake/{account}` (platform sheet, section 15): 202 only when durable.
pub async fn intake(
    State(site): State<Site>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    // Names of accounts are short; what is longer is no name, and not worth a line in the log.
    if account.len() > LONGEST_KEY {
        return StatusCode::NOT_FOUND.into_response();
    }
    let key = AccountKey::new(account);
    // A header that is no text is none of those that are asked for.
    let given: Vec<(&str, &str)> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let json = [(CONTENT_TYPE, "application/json")];
    let body = match body {
        Ok(body) => body,
        Err(refused) => return body_refused(&refused),
    };
    match site.services.take_push(&key, &given, &body).await {
        Ok(answer) => (StatusCode::ACCEPTED, json, answer).into_response(),
        Err(error) => {
            let status = match &error {
                PushError::NoSuchAccount => StatusCode::NOT_FOUND,
                PushError::Signature(_) => StatusCode::UNAUTHORIZED,
                PushError::Delivery | PushError::Shape(_) => StatusCode::BAD_REQUEST,
                PushError::NotStored(_) => StatusCode::SERVICE_UNAVAILABLE,
            };
            let chain = &error as &dyn std::error::Error;
            tracing::warn!(
                account = key.as_str(),
                status = status.as_u16(),
                error = chain,
                "push refused"
            );
            let answer = serde_json::json!({ "error": error.to_string() }).to_string();
            (status, json, answer).into_response()
        }
    }
}

/// A body that did not come in whole, in the words of the interface; the framework's are English.
fn body_refused(refused: &BytesRejection) -> Response {
    let status = refused.status();
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
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::DefaultBodyLimit;
    use axum::http::Request;
    use axum::routing::post;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_in_swedish_json() {
        let take = async |body: Result<Bytes, BytesRejection>| {
            body.map_or_else(|refused| body_refused(&refused), |_| StatusCode::OK.into_response())
        };
        let router = Router::new().route("/", post(take)).layer(DefaultBodyLimit::max(4));
        let request = Request::post("/").body(Body::from("12345")).expect("a request");
        let response = router.oneshot(request).await.expect("answers");
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let body = to_bytes(response.into_body(), 1_000).await.expect("a body");
        let answer: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert!(answer["error"].as_str().is_some_and(|why| why.contains("för stor")), "{answer}");
    }
}
