//! `/nytt`: recording by hand, and the same for machines at `/api/v1/items`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use crate::domain::item::ItemKind;
use crate::domain::person::Act;
use crate::runtime::secret::Secret;
use crate::services::manual::{MOST_PICTURES, Recorded, Typed, new_key};
use crate::services::{ServiceError, Viewer, picture};
use crate::web::multipart::{self, BadForm};
use crate::web::state::{From, Inside, Site, page_with};
use crate::web::view::error::{Trouble, listed, wait_words};
use crate::web::view::record::RecordPage;
use crate::web::view::shell::Place;

/// The largest body, in bytes: two of the largest pictures and some, or five of ordinary size.
pub const LARGEST_BYTES: usize = 25 * 1024 * 1024;

/// What a form said.
#[derive(Default)]
struct Sent {
    csrf: String,
    typed: Typed,
    pictures: Vec<Vec<u8>>,
}

/// Fields that our form has; others are passed over.
fn sent(headers: &HeaderMap, body: &Bytes) -> Result<Sent, BadForm> {
    let mut sent = Sent::default();
    for field in multipart::fields(headers, body)? {
        if field.name == "bild" {
            // A browser sends an empty file where none was chosen.
            if !field.bytes.is_empty() && sent.pictures.len() <= MOST_PICTURES {
                sent.pictures.push(field.bytes.to_vec());
            }
            continue;
        }
        // What is no UTF-8 is shown as such and refused where it matters.
        let text = String::from_utf8_lossy(&field.bytes).into_owned();
        let place = match field.name.as_str() {
            "csrf" => &mut sent.csrf,
            "plats" => &mut sent.typed.place,
            "slag" => &mut sent.typed.kind,
            "text" => &mut sent.typed.text,
            "lank" => &mut sent.typed.link,
            "avsandare" => &mut sent.typed.author,
            "anvandarnamn" => &mut sent.typed.handle,
            "skrivet" => &mut sent.typed.written,
            "nyckel" => &mut sent.typed.key,
            _ => continue,
        };
        *place = text;
    }
    Ok(sent)
}

async fn draw(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    typed: Typed,
    problem: Option<String>,
    had_pictures: bool,
) -> Result<Response, Response> {
    let view = RecordPage {
        shell: inside.shell(site, Place::Queue)?,
        typed,
        problem,
        had_pictures,
        places: site.services.places(),
        may: inside.viewer.may(Act::Decide),
    };
    Ok(page_with(site, status, &view))
}

/// The form.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let kind = ItemKind::PostByOther.id().to_owned();
    let typed = Typed { key: new_key(), kind, ..Typed::default() };
    draw(&site, &inside, StatusCode::OK, typed, None, false).await
}

/// Records. A refused form comes back with everything but the pictures, and says so.
pub async fn record(
    State(site): State<Site>,
    inside: Inside,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let body = body.map_err(|_| site.guard.trouble(Trouble::TooLarge, None))?;
    let sent =
        sent(&headers, &body).map_err(|_| site.guard.trouble(Trouble::NotUnderstood, None))?;
    inside.check(&site, &sent.csrf)?;
    let had_pictures = !sent.pictures.is_empty();
    let recorded = site.services.record_by_hand(&inside.viewer, &sent.typed, sent.pictures).await;
    match recorded {
        Ok(Recorded { case: Some(case), .. }) => {
            Ok(Redirect::to(&format!("/arende/{case}")).into_response())
        }
        // It is stored; its case comes to the queue when it has been assessed.
        Ok(Recorded { case: None, .. }) => Ok(Redirect::to("/").into_response()),
        Err(ServiceError::Refused { why }) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw(&site, &inside, status, sent.typed, Some(why), had_pictures).await
        }
        Err(error) => Err(site.error(error)),
    }
}

fn told(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

/// The name and password of HTTP basic authentication.
fn basic(headers: &HeaderMap) -> Option<(String, Secret)> {
    let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, coded) = given.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(base64_decoded(coded.trim())?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), Secret::new(password.to_owned())))
}

/// Base64 as RFC 4648 section 4 has it; nothing where it is not.
fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut held, mut n_bits) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(six)) & 0xFFFF;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            // Eight bits are left after the shift and the mask.
            bytes.push((held >> n_bits & 0xFF) as u8);
        }
    }
    Some(bytes)
}

/// Records for a program that acts for an editor: name and password by HTTP basic authentication, the
/// form's fields as `multipart/form-data`. The password is checked like any log-in, throttled and
/// audited, and no session is left behind.
pub async fn api(
    State(site): State<Site>,
    From(address): From,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some((name, password)) = basic(&headers) else {
        let why = "Ange användarnamn och lösenord med HTTP Basic.";
        let mut answer = told(StatusCode::UNAUTHORIZED, why);
        answer.headers_mut().insert(
            WWW_AUTHENTICATE,
            axum::http::HeaderValue::from_static("Basic realm=\"Uppsikt\", charset=\"UTF-8\""),
        );
        return answer;
    };
    if let Err(throttled) = site.throttle.check(address, &name) {
        let wait = wait_words(throttled.retry_after_s);
        let mut answer =
            told(StatusCode::TOO_MANY_REQUESTS, &format!("För många försök. Vänta {wait}."));
        answer.headers_mut().insert("retry-after", throttled.retry_after_s.into());
        return answer;
    }
    let opened = match site.services.log_in(&name, password, address).await {
        Ok(opened) => opened,
        Err(ServiceError::Refused { why }) => return told(StatusCode::UNAUTHORIZED, &why),
        Err(error) => return told_of(error),
    };
    site.throttle.succeeded(address, &name);
    let answer = record_for(&site, &opened.viewer, &headers, body).await;
    if let Err(error) = site.services.log_out(&opened.viewer, opened.token.expose()).await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "a session of the interface could not be ended");
    }
    answer
}

async fn record_for(
    site: &Site,
    viewer: &Viewer,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(body) = body else {
        let most = LARGEST_BYTES / (1024 * 1024);
        return told(StatusCode::PAYLOAD_TOO_LARGE, &format!("Högst {most} MB tas emot."));
    };
    let Ok(sent) = sent(headers, &body) else {
        return told(
            StatusCode::BAD_REQUEST,
            "Skicka fälten som multipart/form-data: plats, slag, text, lank, avsandare, anvandarnamn, skrivet, nyckel, bild.",
        );
    };
    match site.services.record_by_hand(viewer, &sent.typed, sent.pictures).await {
        Ok(Recorded { item, case }) => {
            let link = case.map(|case| format!("/arende/{case}"));
            let told = json!({ "inlagg": item, "arende": case, "lank": link });
            (StatusCode::CREATED, Json(told)).into_response()
        }
        Err(error) => told_of(error),
    }
}

fn told_of(error: ServiceError) -> Response {
    match error {
        ServiceError::Refused { why } => told(StatusCode::UNPROCESSABLE_ENTITY, &why),
        ServiceError::NotPermitted { act } => {
            let roles: Vec<_> = act.roles().map(|role| role.plural()).collect();
            let why = format!("Din roll får inte {}. Det får {}.", act.label(), listed(&roles));
            told(StatusCode::FORBIDDEN, &why)
        }
        ServiceError::NotFound { .. } => told(StatusCode::NOT_FOUND, "Det finns inte."),
        ServiceError::Conflict { why } => told(StatusCode::CONFLICT, &why),
        ServiceError::TryLater { why } | ServiceError::NotWritable { why } => {
            told(StatusCode::SERVICE_UNAVAILABLE, &why)
        }
        ServiceError::Damaged { why } => told(StatusCode::INTERNAL_SERVER_ERROR, &why),
        ServiceError::Broken { .. } => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "recording by hand failed");
            told(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Ett fel i Uppsikt stoppade begäran. Felet är antecknat i loggen.",
            )
        }
    }
}

// Two of the largest pictures fit into a body.
const _: () = assert!(LARGEST_BYTES > 2 * picture::LARGEST_BYTES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_come_as_they_were_coded() {
        for (coded, bytes) in [
            ("", &b""[..]),
            ("YQ==", b"a"),
            ("YWI=", b"ab"),
            ("YWJj", b"abc"),
            ("w6XDpDrDtg==", "åä:ö".as_bytes()),
            ("/+8=", &[0xFF, 0xEF]),
        ] {
            assert_eq!(base64_decoded(coded).as_deref(), Some(bytes), "{coded}");
        }
        assert_eq!(base64_decoded("Y-Q="), None);
        let headers = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            headers
        };
        let (name, password) = basic(&headers("basic a2ltOmV0dDpsw7ZzZW4=")).unwrap();
        assert_eq!((name.as_str(), password.expose()), ("kim", "ett:lösen"));
        for wrong in ["Bearer x", "Basic", "Basic !", "Basic a2lt"] {
            assert!(basic(&headers(wrong)).is_none(), "{wrong}");
        }
    }
}
