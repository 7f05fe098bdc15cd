//! An answer of a simulator, before it goes through what may go wrong with it.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::platforms::simulate::LABEL;

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    pub body: String,
    /// Minutes until a limit ends, where that is why it was turned away.
    pub wait: Option<u32>,
    /// Beside those that all answers have.
    pub headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub fn told(status: u16, body: &Value) -> Self {
        Self::text(status, body.to_string())
    }

    pub fn ok(body: &Value) -> Self {
        Self::told(200, body)
    }

    /// Of another form than JSON, or nothing at all.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), wait: None, headers: Vec::new() }
    }

    /// What a firewall in between says.
    pub fn blocked() -> Self {
        Self::text(403, "<html><title>Blocked</title></html>")
    }

    /// What a gateway in between says when it has lost the answer.
    pub fn gateway() -> Self {
        Self::text(502, "<html><title>502</title></html>")
    }

    /// Turned away for so many minutes.
    #[must_use]
    pub fn after(self, minutes: u32) -> Self {
        Self { wait: Some(minutes), ..self }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// As it goes out, with the label of its platform.
    pub fn into_response(self, platform: &'static str, body: Vec<u8>) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let is_page = body.starts_with(b"<");
        let kind = if is_page { "text/html; charset=utf-8" } else { "application/json" };
        let mut answer = (status, body).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(HeaderName::from_static(LABEL), HeaderValue::from_static(platform));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        answer
    }
}
