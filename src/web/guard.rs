//! Guards around every page: headers, foreign requests, forms' tokens, sizes.
//!
//! Two locks against forged requests, neither trusting the other: the browser's own word on where
//! a request comes from ([`refuse_foreign`]), and a token in every form that only a page of the
//! same session can hold ([`csrf_token`]).

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template as _;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName,
    ORIGIN, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use crate::runtime::clock::Clock;

use super::cookie::SessionCookie;
use super::pages::record;
use super::view::error::{ErrorPage, Trouble};
use super::view::shell::Shell;

/// Largest form in bytes: an answer may have 65 kB on the most generous platform, and form
/// encoding makes three bytes of each byte that is not a letter.
pub const LARGEST_FORM_BYTES: usize = 256 * 1024;

/// Largest form of the public, in bytes: a link, a reason and a contact, each byte of them three.
pub const LARGEST_PUBLIC_BYTES: usize = 48 * 1024;

/// Nothing from elsewhere, nothing inline, nothing framed, no markup made by scripts.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// Nothing a queue needs.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), \
    encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), \
    microphone=(), midi=(), payment=(), publickey-credentials-get=(), usb=(), \
    xr-spatial-tracking=()";

const TOKEN_BYTES: usize = 32;

/// What the guards need to know to answer with a page of their own.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    authority: String,
    simulated: bool,
    cookie: SessionCookie,
    clock: Clock,
}

impl Guard {
    /// Guards for a site.
    pub fn new(
        authority: impl Into<String>,
        simulated: bool,
        cookie: SessionCookie,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Inner { authority: authority.into(), simulated, cookie, clock }))
    }

    /// Puts the guards around pages. Not for the interfaces of machines (`/api/v1`, webhooks),
    /// which carry signatures instead.
    pub fn around<S: Clone + Send + Sync + 'static>(&self, pages: Router<S>) -> Router<S> {
        pages
            .layer(DefaultBodyLimit::max(LARGEST_FORM_BYTES))
            // Inside what dresses answers, so that a page that breaks is told of like any other.
            .layer(CatchPanicLayer::new())
            .layer(from_fn_with_state(self.clone(), say_in_swedish))
            .layer(from_fn_with_state(self.clone(), refuse_unreadable))
            .layer(from_fn_with_state(self.clone(), refuse_too_large))
            .layer(from_fn_with_state(self.clone(), refuse_foreign))
            .layer(from_fn_with_state(self.cookie(), headers))
            .layer(from_fn(never_stored))
    }

    /// How the session's cookie is set.
    pub fn cookie(&self) -> SessionCookie {
        self.0.cookie
    }

    /// A page of trouble for somebody of whom nothing is known.
    pub fn trouble(&self, trouble: Trouble, number: Option<String>) -> Response {
        let Inner { authority, simulated, clock, .. } = &*self.0;
        let shell = Shell::outside(authority.clone(), *simulated, clock.now());
        trouble_page(ErrorPage { shell, trouble, number })
    }
}

/// A page of trouble as an answer, with its status and, where one must wait, for how long.
pub fn trouble_page(page: ErrorPage) -> Response {
    let status =
        StatusCode::from_u16(page.trouble.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let wait = match page.trouble {
        Trouble::TooMany { retry_after_s } => Some(retry_after_s),
        Trouble::TryLater => Some(30),
        Trouble::NotFound
        | Trouble::NotPermitted(_)
        | Trouble::Shut(_)
        | Trouble::Conflict(_)
        | Trouble::Declined(_)
        | Trouble::Damaged(_)
        | Trouble::NotUnderstood
        | Trouble::StaleForm
        | Trouble::ForeignForm
        | Trouble::TooLarge
        | Trouble::DiskFull
        | Trouble::Broken => None,
    };
    let mut response = match page.render() {
        Ok(html) => (status, [(CONTENT_TYPE, HTML)], html).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "an error page could not be drawn");
            (status, page.trouble.title()).into_response()
        }
    };
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The type of every page.
pub const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Security headers on everything.
pub async fn headers(
    State(cookie): State<SessionCookie>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // What comes from outside, files of the evidence, is answered with a policy stricter than that.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(CSP));
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    match cookie {
        SessionCookie::Secure => {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(STRICT_TRANSPORT_SECURITY, year);
        }
        SessionCookie::Loopback => {}
    }
    response
}

/// Pages hold personal data: no cache may keep them. Static files say otherwise themselves.
async fn never_stored(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().entry(CACHE_CONTROL).or_insert(no_store);
    response
}

/// The largest form of a page, in bytes: one of them takes pictures.
fn largest(path: &str) -> usize {
    match path {
        "/nytt" => record::LARGEST_BYTES,
        // Anybody may send it.
        "/anmal" => LARGEST_PUBLIC_BYTES,
        _ => LARGEST_FORM_BYTES,
    }
}

async fn refuse_too_large(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let said = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let too_large = said
        .and_then(|length| length.parse::<usize>().ok())
        .is_some_and(|length| length > largest(request.uri().path()));
    if too_large { guard.trouble(Trouble::TooLarge, None) } else { next.run(request).await }
}

/// Refuses a form with a field whose name is no text: the framework would take it for a field that it does not know,
/// and go on without what was meant.
async fn refuse_unreadable(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind.is_none_or(|kind| !kind.starts_with(b"application/x-www-form-urlencoded")) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match to_bytes(body, largest(parts.uri.path())).await {
        Ok(form) if names_are_text(&form) => {
            next.run(Request::from_parts(parts, Body::from(form))).await
        }
        Ok(_) => guard.trouble(Trouble::NotUnderstood, None),
        Err(_) => guard.trouble(Trouble::TooLarge, None),
    }
}

fn names_are_text(form: &[u8]) -> bool {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let is_text = |name: &[u8]| {
        let (mut bytes, mut at) = (Vec::with_capacity(name.len()), 0);
        while let Some(byte) = name.get(at) {
            match (byte, digit(name.get(at + 1)), digit(name.get(at + 2))) {
                (b'%', Some(high), Some(low)) => {
                    bytes.push((high * 16 + low) as u8);
                    at += 3;
                }
                _ => {
                    bytes.push(*byte);
                    at += 1;
                }
            }
        }
        std::str::from_utf8(&bytes).is_ok()
    };
    let name = |pair: &[u8]| is_text(pair.split(|byte| *byte == b'=').next().unwrap_or_default());
    form.split(|byte| *byte == b'&').all(name)
}

/// What the framework refuses by itself (an address or a form that cannot be read, a method that is not
/// offered, a handler that broke) becomes a page like any other; it would answer with a bare line of
/// English. Its status stays, and `Allow` with it.
async fn say_in_swedish(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let ours = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == HTML);
    let status = response.status();
    let mut said = match status {
        _ if ours => return response,
        StatusCode::PAYLOAD_TOO_LARGE => guard.trouble(Trouble::TooLarge, None),
        StatusCode::BAD_REQUEST
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => guard.trouble(Trouble::NotUnderstood, None),
        StatusCode::INTERNAL_SERVER_ERROR => {
            let number = error_number();
            tracing::error!(error.number = number, "a page could not be answered");
            guard.trouble(Trouble::Broken, Some(number))
        }
        _ => return response,
    };
    *said.status_mut() = status;
    if let Some(allow) = response.headers().get(ALLOW) {
        said.headers_mut().insert(ALLOW, allow.clone());
    }
    said
}

/// A number to quote, that is found in the log.
pub fn error_number() -> String {
    Uuid::new_v4().simple().to_string()[..8].to_uppercase()
}

/// Refuses requests that change something and do not come from one of our own pages.
pub async fn refuse_foreign(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if is_own(request.method(), request.headers()) {
        next.run(request).await
    } else {
        guard.trouble(Trouble::ForeignForm, None)
    }
}

/// Whether a request only reads, or comes from one of our own pages by the browser's own word.
/// A browser that says neither `Sec-Fetch-Site` nor `Origin` on a form is older than any that
/// gets security updates, and is refused.
fn is_own(method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    match (text(ORIGIN), text(HOST)) {
        (Some(origin), Some(host)) => {
            let own = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            own.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
        }
        (None, _) | (_, None) => false,
    }
}

/// A token for the forms of one page. `secret` belongs to the session and never leaves the
/// server. Each call gives another token, so that compressing pages tells nothing about it.
///
/// # Errors
/// When the machine has no randomness to give.
pub fn csrf_token(secret: &[u8]) -> Result<String, getrandom::Error> {
    let mut pad = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut pad)?;
    let mut token = hex::encode(pad);
    for (byte, pad) in mac(secret).iter().zip(pad) {
        // Writing to a string cannot fail.
        let _ = write!(token, "{:02x}", byte ^ pad);
    }
    Ok(token)
}

/// Whether a form's token was made for this session.
pub fn csrf_matches(secret: &[u8], token: &str) -> bool {
    let mut bytes = [0_u8; TOKEN_BYTES * 2];
    if hex::decode_to_slice(token, &mut bytes).is_err() {
        return false;
    }
    let (pad, masked) = bytes.split_at_mut(TOKEN_BYTES);
    for (byte, pad) in masked.iter_mut().zip(pad) {
        *byte ^= *pad;
    }
    masked.ct_eq(&mac(secret)).into()
}

/// Bound to its purpose, so that the secret's other uses give nothing away.
fn mac(secret: &[u8]) -> [u8; TOKEN_BYTES] {
    let mut mac = <Hmac<Sha256>>::new_from_slice(secret).expect("any length of key will do");
    mac.update(b"uppsikt form token v1");
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::{get, post};
    use tower::ServiceExt as _;

    use super::*;

    const SECRET: &[u8] = b"a session's secret";

    #[test]
    fn tokens_fit_their_session_alone() {
        let token = csrf_token(SECRET).unwrap();
        assert!(csrf_matches(SECRET, &token));
        assert!(!csrf_matches(b"another", &token));
        assert_ne!(token, csrf_token(SECRET).unwrap());
        for wrong in ["", "00", "åäö", &token[1..], &format!("{token}00")] {
            assert!(!csrf_matches(SECRET, wrong), "{wrong}");
        }
        let mut flipped = token.clone().into_bytes();
        flipped[100] = if flipped[100] == b'0' { b'1' } else { b'0' };
        assert!(!csrf_matches(SECRET, std::str::from_utf8(&flipped).unwrap()));
    }

    #[test]
    fn only_our_own_pages_may_change_anything() {
        for (method, headers, own) in [
            (Method::GET, &[("sec-fetch-site", "cross-site")][..], true),
            (Method::POST, &[("sec-fetch-site", "same-origin")], true),
            (Method::POST, &[("sec-fetch-site", "cross-site")], false),
            (Method::POST, &[("sec-fetch-site", "same-site")], false),
            (Method::POST, &[("sec-fetch-site", "none")], false),
            // The browser's word on the site counts before an origin that looks right.
            (
                Method::POST,
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://uppsikt.example"),
                    ("host", "uppsikt.example"),
                ],
                false,
            ),
            (
                Method::POST,
                &[("origin", "https://uppsikt.example"), ("host", "uppsikt.example")],
                true,
            ),
            (
                Method::POST,
                &[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")],
                true,
            ),
            (
                Method::POST,
                &[("origin", "https://fel.example"), ("host", "uppsikt.example")],
                false,
            ),
            (Method::POST, &[("origin", "null"), ("host", "uppsikt.example")], false),
            (Method::POST, &[("host", "uppsikt.example")], false),
            (Method::DELETE, &[], false),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
                .collect();
            assert_eq!(is_own(&method, &map), own, "{method} {headers:?}");
        }
    }

    fn guarded(cookie: SessionCookie) -> Router {
        let clock = crate::runtime::clock::TestClock::at(jiff::Timestamp::UNIX_EPOCH).clock();
        let pages =
            Router::new().route("/", get(|| async { "ja" }).post(|_: String| async { "ja" }));
        Guard::new("Exempelstads kommun", false, cookie, clock).around(pages)
    }

    async fn ask(router: Router, request: axum::http::request::Builder, body: &str) -> Response {
        router.oneshot(request.uri("/").body(Body::from(body.to_owned())).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn every_answer_carries_the_headers() {
        let response = ask(guarded(SessionCookie::Secure), Request::builder(), "").await;
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert!(
            header("content-security-policy").starts_with("default-src 'none'; script-src 'self';")
        );
        assert!(!header("content-security-policy").contains("unsafe"));
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("strict-transport-security"), "max-age=31536000");
        let plain = ask(guarded(SessionCookie::Loopback), Request::builder(), "").await;
        assert!(!plain.headers().contains_key("strict-transport-security"));
    }

    #[tokio::test]
    async fn a_page_that_is_stricter_with_itself_is_left_so() {
        let clock = crate::runtime::clock::TestClock::at(jiff::Timestamp::UNIX_EPOCH).clock();
        let strict = || async { [(CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox")] };
        let pages = Router::new().route("/", get(strict));
        let guard = Guard::new("Exempelstads kommun", false, SessionCookie::Loopback, clock);
        let response = ask(guard.around(pages), Request::builder(), "").await;
        let policies: Vec<_> = response.headers().get_all(CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(policies, ["default-src 'none'; sandbox"]);
    }

    #[tokio::test]
    async fn refusals_are_pages_that_say_what_to_do() {
        let foreign = Request::builder().method("POST").header("sec-fetch-site", "cross-site");
        let response = ask(guarded(SessionCookie::Loopback), foreign, "a=b").await;
        assert_eq!(response.status(), 403);
        assert_eq!(response.headers()["x-frame-options"], "DENY");

        let own = || Request::builder().method("POST").header("sec-fetch-site", "same-origin");
        let response = ask(guarded(SessionCookie::Loopback), own(), "a=b").await;
        assert_eq!(response.status(), 200);

        let large = own().header("content-length", "99999999");
        let response = ask(guarded(SessionCookie::Loopback), large, "a=b").await;
        assert_eq!(response.status(), 413);
        let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
        assert!(String::from_utf8(body.to_vec()).unwrap().contains("Inget har sparats"));
    }

    #[tokio::test]
    async fn what_the_framework_refuses_is_said_in_swedish() {
        let clock = crate::runtime::clock::TestClock::at(jiff::Timestamp::UNIX_EPOCH).clock();
        let number =
            |axum::extract::Path(n): axum::extract::Path<i64>| async move { n.to_string() };
        let breaks = || async {
            if true {
                panic!("prov")
            }
        };
        let bare = || async { StatusCode::INTERNAL_SERVER_ERROR };
        let pages = Router::new()
            .route("/arende/{n}", get(number))
            .route("/spricker", get(breaks))
            .route("/naken", get(bare))
            .route(
                "/form",
                post(|_: axum::extract::Form<std::collections::HashMap<String, u8>>| async {}),
            );
        let site =
            Guard::new("Exempelstads kommun", false, SessionCookie::Loopback, clock).around(pages);
        let form = "application/x-www-form-urlencoded";
        for (method, uri, kind, body, status, words) in [
            ("GET", "/arende/ett", form, "", 400, "gick inte att läsa"),
            ("POST", "/arende/1", form, "", 405, "gick inte att läsa"),
            ("POST", "/form", "text/plain", "a=1", 415, "gick inte att läsa"),
            ("POST", "/form", form, "a=ett", 422, "gick inte att läsa"),
            ("GET", "/naken", form, "", 500, "Nummer att ange"),
            ("GET", "/spricker", form, "", 500, "Nummer att ange"),
        ] {
            let request = Request::builder().method(method).header("sec-fetch-site", "same-origin");
            let request = request.header(CONTENT_TYPE, kind).uri(uri);
            let request = request.body(Body::from(body)).unwrap();
            let response = site.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{method} {uri}");
            let allow = response.headers().get(ALLOW).map(|allow| allow.to_str().unwrap());
            assert_eq!(allow, (status == 405).then_some("GET,HEAD"), "{method} {uri}");
            let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(body.contains(words), "{method} {uri}: {body}");
        }
    }

    #[test]
    fn names_of_fields_are_text() {
        for (form, is_text) in [
            ("", true),
            ("csrf=x&namn=%FF", true),
            ("sm%C3%B6r=1&a%20b=2&100%=3", true),
            ("csrf=x&%FF%FE=1", false),
            ("n\u{e5}mn=1", true),
        ] {
            assert_eq!(names_are_text(form.as_bytes()), is_text, "{form}");
        }
        assert!(!names_are_text(b"a=1&\xff=2"));
    }

    #[test]
    fn waiting_is_told_to_browsers_too() {
        let shell = Shell::outside("Exempelstads kommun", false, jiff::Timestamp::UNIX_EPOCH);
        let trouble = Trouble::TooMany { retry_after_s: 40 };
        let response = trouble_page(ErrorPage { shell, trouble, number: None });
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "40");
    }
}
