//! What went wrong, as RFC 9457 has it, in Swedish.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use crate::services::ServiceError;
use crate::web::guard::error_number;
use crate::web::view::error::listed;

shape! {
    "Ett fel på ett ställe i det som skickades"
    Fault {
        "Var, som JSON-pekare eller namn" pointer: String,
        "Vad som är fel" problem: String,
    }
}

shape! {
    "Ett fel (RFC 9457)"
    Problem {
        "Vilket slags fel, urn:uppsikt:problem: följt av ett ord" r#type: String,
        "Felet i korthet" title: String,
        "Svarets status" status: u32,
        "Vad som hände och vad som går att göra" detail: String,
        "Vad som är fel var, när det som skickades inte går att läsa" errors: Option<Vec<Fault>>,
        "Sekunder att vänta innan samma anrop skickas igen" retry_after: Option<u64>,
    }
}

/// The type of every problem.
pub(super) const KIND: &str = "application/problem+json";

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        id: &str,
        title: &str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            r#type: format!("urn:uppsikt:problem:{id}"),
            title: title.to_owned(),
            status: u32::from(status.as_u16()),
            detail: detail.into(),
            errors: None,
            retry_after: None,
        }
    }

    /// It cannot be read.
    pub(super) fn unreadable(errors: Vec<Fault>) -> Self {
        let detail =
            "Det som skickades har inte den form som dokumentationen anger. Inget är gjort.";
        let plain = Self::new(StatusCode::BAD_REQUEST, "form", "Går inte att läsa", detail);
        Self { errors: Some(errors), ..plain }
    }

    /// The same where one place is at fault.
    pub(super) fn unreadable_at(pointer: &str, problem: impl Into<String>) -> Self {
        Self::unreadable(vec![Fault { pointer: pointer.to_owned(), problem: problem.into() }])
    }

    /// Nobody shows a key that is in force.
    pub(super) fn no_key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "nyckel",
            "Nyckel krävs",
            "Skicka en giltig nyckel: Authorization: Bearer uppsikt_… En nyckel som har gått ut eller återkallats gäller inte.",
        )
    }

    /// The key is not for that.
    pub(super) fn beyond_key(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "behorighet", "Nyckeln får inte det", detail)
    }

    /// There is no such thing.
    pub(super) fn not_found() -> Self {
        let detail =
            "Det som adressen pekar på finns inte, eller ligger utanför det som nyckeln gäller.";
        Self::new(StatusCode::NOT_FOUND, "saknas", "Finns inte", detail)
    }

    /// The rules do not allow it.
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "regler", "Reglerna tillåter det inte", why)
    }

    /// Too many calls.
    pub(super) fn too_many(retry_after_s: u64) -> Self {
        let detail = format!(
            "Nyckeln har gjort så många anrop som den får på en minut. Vänta {retry_after_s} s."
        );
        let plain = Self::new(StatusCode::TOO_MANY_REQUESTS, "takt", "För många anrop", detail);
        Self { retry_after: Some(retry_after_s), ..plain }
    }

    /// Something of ours is broken: what, stands in the log.
    pub(super) fn broken(error: &(dyn std::error::Error + 'static)) -> Self {
        let number = error_number();
        tracing::error!(error.number = number, error, "a call of a program failed");
        let detail = format!(
            "Ett fel i Uppsikt stoppade anropet. Det är antecknat i loggen under nummer {number}."
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "fel", "Fel i Uppsikt", detail)
    }

    fn later(why: impl Into<String>) -> Self {
        let plain = Self::new(StatusCode::SERVICE_UNAVAILABLE, "senare", "Går inte just nu", why);
        Self { retry_after: Some(30), ..plain }
    }

    /// As an answer.
    pub(super) fn response(&self) -> Response {
        let status = u16::try_from(self.status).ok().and_then(|s| StatusCode::from_u16(s).ok());
        let mut body = json!({
            "type": self.r#type, "title": self.title, "status": self.status, "detail": self.detail,
        });
        if let Some(errors) = &self.errors {
            body["errors"] = json!(errors);
        }
        if let Some(seconds) = self.retry_after {
            body["retry_after"] = json!(seconds);
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(KIND));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == 401 {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Uppsikt\""));
        }
        response
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound { .. } => Self::not_found(),
            ServiceError::NotPermitted { act } => {
                let roles: Vec<_> = act.roles().map(|role| role.plural()).collect();
                Self::new(
                    StatusCode::FORBIDDEN,
                    "roll",
                    "Rollen får inte det",
                    format!(
                        "Den som nyckeln handlar för får inte {}. Det får {}.",
                        act.label(),
                        listed(&roles)
                    ),
                )
            }
            ServiceError::Shut { why } => {
                Self::new(StatusCode::FORBIDDEN, "sekretess", "Sekretessmarkerat", why)
            }
            ServiceError::Refused { why } => Self::refused(why),
            ServiceError::Conflict { why } => {
                Self::new(StatusCode::CONFLICT, "andrat", "Ärendet är ändrat eller upptaget", why)
            }
            ServiceError::TryLater { why } | ServiceError::NotWritable { why } => Self::later(why),
            ServiceError::Damaged { why } => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "bevis", "Beviset är inte helt", why)
            }
            ServiceError::Broken { .. } => Self::broken(&error),
        }
    }
}
