//! `/nytt`: recording by hand, and the same for machines at `/api/v1/items`.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use crate::domain::item::ItemKind;
use crate::domain::person::Act;
use crate::runtime::secret::Secret;
use crate::services::manual::{MOST_PICTURES, Recorded, Typed, new_key};
use crate::services::{ServiceError, Viewer, picture};
use crate::web::api;
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

/// Why a form is none.
#[derive(Debug, PartialEq, Eq)]
enum NotSent {
    /// No fields.
    Form,
    /// A text that is not UTF-8: changed into something readable it would be somebody else's words.
    Text(&'static str),
}

/// The name of a field of ours.
const FIELDS: [&str; 9] =
    ["csrf", "plats", "slag", "text", "lank", "avsandare", "anvandarnamn", "skrivet", "nyckel"];

/// Fields that our form has; others are passed over.
fn sent(headers: &HeaderMap, body: &Bytes) -> Result<Sent, NotSent> {
    let mut sent = Sent::default();
    for field in multipart::fields(headers, body).map_err(|_: BadForm| NotSent::Form)? {
        if field.name == "bild" {
            // A browser sends an empty file where none was chosen.
            if !field.bytes.is_empty() && sent.pictures.len() <= MOST_PICTURES {
                sent.pictures.push(field.bytes.to_vec());
            }
            continue;
        }
        let Some(name) = FIELDS.into_iter().find(|name| *name == field.name) else { continue };
        let text = String::from_utf8(field.bytes.to_vec()).map_err(|_| NotSent::Text(name))?;
        let place = match name {
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

/// The report from the public that made somebody record it.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Reported {
    anmalan: Option<i64>,
}

/// The form, with the link of a report where it is about one.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Query(reported): Query<Reported>,
) -> Result<Response, Response> {
    let kind = ItemKind::PostByOther.id().to_owned();
    let link = match reported.anmalan {
        Some(id) => {
            let report = site.services.report_at(&inside.viewer, id).await;
            report.map_err(|e| site.error(e))?.link.unwrap_or_default()
        }
        None => String::new(),
    };
    let typed = Typed { key: new_key(), kind, link, ..Typed::default() };
    draw(&site, &inside, StatusCode::OK, typed, None, false).await
}

/// Records. A refused form comes back with everything but the pictures, and says so.
pub async fn record(
    State(site): State<Site>,
    inside: Inside,
    request: Request,
) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let (body, _turn) = read_large(&site, &headers, body).await.map_err(|why| match why {
        NotRead::TooLarge => site.guard.trouble(Trouble::TooLarge, None),
        NotRead::Busy => site.guard.trouble(Trouble::TryLater, None),
        NotRead::Torn => site.guard.trouble(Trouble::NotUnderstood, None),
    })?;
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

/// Why a large body was not read.
enum NotRead {
    /// It is larger than anything we take.
    TooLarge,
    /// Others' are being read.
    Busy,
    /// It did not come in whole.
    Torn,
}

/// Reads a large body, of whoever was let in already: a few at a time for the whole site, each with
/// its turn until it is done with.
async fn read_large(
    site: &Site,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, OwnedSemaphorePermit), NotRead> {
    let told = headers.get(CONTENT_LENGTH).and_then(|told| told.to_str().ok()?.parse().ok());
    if told.is_some_and(|told: u64| told > LARGEST_BYTES as u64) {
        return Err(NotRead::TooLarge);
    }
    let turn = site.large_bodies.clone().acquire_owned();
    let turn = match tokio::time::timeout(TURN_WITHIN, turn).await {
        Ok(Ok(turn)) => turn,
        Ok(Err(_)) | Err(_) => return Err(NotRead::Busy),
    };
    match tokio::time::timeout(READ_WITHIN, to_bytes(body, LARGEST_BYTES)).await {
        Ok(Ok(bytes)) => Ok((bytes, turn)),
        // One that tells no length and grows beyond the limit ends like one that breaks off.
        Ok(Err(_)) if told.is_none() => Err(NotRead::TooLarge),
        Ok(Err(_)) | Err(_) => Err(NotRead::Torn),
    }
}

/// What went wrong, as the rest of the interface tells it (RFC 9457). `error` is what it was called before.
fn told(status: StatusCode, error: &str) -> Response {
    let problem = json!({
        "type": format!("urn:uppsikt:problem:inlagg-{}", status.as_u16()),
        "title": "Inlägget togs inte in",
        "status": status.as_u16(),
        "detail": error,
        "error": error,
    });
    (status, [(CONTENT_TYPE, "application/problem+json")], problem.to_string()).into_response()
}

/// Whether a browser says that somebody else's page sends this. Programs say nothing of the kind.
fn is_from_a_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign =
        text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let host = text("host").unwrap_or_default();
    let is_ours = |origin: &str| {
        let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
    };
    foreign || text("origin").is_some_and(|origin| !is_ours(origin))
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

/// Records for a program that acts for an editor: by a key, or name and password by HTTP basic authentication, the
/// form's fields as `multipart/form-data`. The password is checked like any log-in, throttled and
/// audited, and no session is left behind.
pub async fn api(State(site): State<Site>, From(address): From, request: Request) -> Response {
    // The body stays where it is until it is known who sends it.
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    // A browser that remembers the password would send it from anybody's page.
    if is_from_a_page(&headers) {
        let why =
            "Det här gränssnittet är för program. En webbsida får inte lägga in något härifrån.";
        return told(StatusCode::FORBIDDEN, why);
    }
    if api::shown_key(&headers).is_some() {
        return match api::recorder(&site, address, &headers).await {
            Ok(caller) => record_for(&site, &caller.viewer, &headers, body).await,
            Err(refused) => refused,
        };
    }
    let Some((name, password)) = basic(&headers) else {
        let why = "Visa en nyckel, eller ange användarnamn och lösenord med HTTP Basic.";
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

async fn record_for(site: &Site, viewer: &Viewer, headers: &HeaderMap, body: Body) -> Response {
    let (body, _turn) = match read_large(site, headers, body).await {
        Ok(read) => read,
        Err(NotRead::TooLarge) => {
            let most = LARGEST_BYTES / (1024 * 1024);
            return told(StatusCode::PAYLOAD_TOO_LARGE, &format!("Högst {most} MB tas emot."));
        }
        Err(NotRead::Busy) => {
            let why = "Andra lägger in bilder just nu. Skicka samma sak igen om en stund.";
            return told(StatusCode::SERVICE_UNAVAILABLE, why);
        }
        Err(NotRead::Torn) => {
            let why = "Begäran kom inte fram hel. Skicka samma sak igen.";
            return told(StatusCode::BAD_REQUEST, why);
        }
    };
    let sent = match sent(headers, &body) {
        Ok(sent) => sent,
        Err(NotSent::Text(field)) => {
            let why = format!("Fältet {field} är inte text i UTF-8. Skicka det i UTF-8.");
            return told(StatusCode::UNPROCESSABLE_ENTITY, &why);
        }
        Err(NotSent::Form) => {
            return told(
                StatusCode::BAD_REQUEST,
                "Skicka fälten som multipart/form-data: plats, slag, text, lank, avsandare, anvandarnamn, skrivet, nyckel, bild.",
            );
        }
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
        ServiceError::Shut { why } => told(StatusCode::FORBIDDEN, &why),
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

/// So many large bodies are held at a time, in the whole site.
pub const LARGE_BODIES: usize = 3;

/// How long somebody waits for their turn.
const TURN_WITHIN: Duration = Duration::from_secs(30);

/// How long a large body may take: 25 MB at 0.7 Mbit/s.
const READ_WITHIN: Duration = Duration::from_secs(300);

// Two of the largest pictures fit into a body.
const _: () = assert!(LARGEST_BYTES > 2 * picture::LARGEST_BYTES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_not_utf8_is_refused_by_the_name_of_its_field() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "multipart/form-data; boundary=x".parse().unwrap());
        let form = |field: &str, text: &[u8]| {
            let head = format!("--x\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n");
            Bytes::from([head.as_bytes(), text, b"\r\n--x--\r\n"].concat())
        };
        for field in FIELDS {
            let wrong = sent(&headers, &form(field, b"d\xE5")).err();
            assert_eq!(wrong, Some(NotSent::Text(field)));
        }
        let sent = sent(&headers, &form("text", "då \u{FFFD}".as_bytes())).ok().unwrap();
        assert_eq!(sent.typed.text, "då \u{FFFD}", "one that stands there already is the writer's");
    }

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
