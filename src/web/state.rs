//! What handlers share, who is asking, and how a service's error becomes a page.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use tokio::sync::Semaphore;
use url::Url;

use crate::runtime::supervise::Health;
use crate::services::api_keys::Meter;
use crate::services::claims::Look;
use crate::services::session::Session;
use crate::services::{ServiceError, Services, Viewer};
use crate::telemetry::metrics::Metrics;

use super::cookie::SessionCookie;
use super::drafts::Drafts;
use super::guard::{self, Guard, csrf_matches, csrf_token};
use super::once::Sent;
use super::pages::search::Typed;
use super::proxies::Proxies;
use super::public::PublicGate;
use super::refused::Refusals;
use super::searches::Searches;
use super::streams::Streams;
use super::throttle::LoginThrottle;
use super::view::error::{ErrorPage, Trouble};
use super::view::login::Unsaved;
use super::view::shell::{Keys, Place, Shell, Who};

/// What the web page needs to know beside its services.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether the page is reached over TLS.
    pub secure_cookies: bool,
    /// Proxies whose word on the caller's address is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// Tries to log in from one address, a minute.
    pub logins_per_min: NonZeroU32,
    /// The address people type.
    pub public_url: Url,
    /// Largest signed push, in bytes.
    pub intake_body_bytes: usize,
    /// Whether any account is simulated: then every page says so.
    pub simulated: bool,
}

/// Shared by all handlers.
#[derive(Clone)]
pub struct Site {
    pub(super) services: Services,
    pub(super) settings: Arc<Settings>,
    pub(super) guard: Guard,
    pub(super) throttle: Arc<LoginThrottle>,
    /// Before the one form that anybody may send.
    pub(super) public: Arc<PublicGate>,
    /// Calls that programs have left.
    pub(super) meter: Arc<Meter>,
    /// A turn for each large body that is held.
    pub(super) large_bodies: Arc<Semaphore>,
    /// The same for pushes.
    pub(super) pushes: Arc<Semaphore>,
    pub(super) streams: Streams,
    pub(super) drafts: Arc<Drafts>,
    pub(super) sent: Arc<Sent>,
    pub(super) searches: Arc<Searches<Typed>>,
    pub(super) refusals: Arc<Refusals>,
    pub(super) proxies: Arc<Proxies>,
    pub(super) health: Health,
    pub(super) metrics: Metrics,
    pub(super) stopping: tokio_util::sync::CancellationToken,
}

impl Site {
    /// The cookie of sessions here.
    pub(super) fn cookie(&self) -> SessionCookie {
        self.guard.cookie()
    }

    /// The shell of a page for nobody.
    pub(super) fn outside(&self) -> Shell {
        let now = self.services.clock().now();
        Shell::outside(self.services.authority(), self.settings.simulated, now)
    }

    /// From where a request comes: the peer, or what a trusted proxy says of it.
    pub(super) fn address(&self, parts: &Parts) -> IpAddr {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
        self.proxies.caller(peer, &parts.headers)
    }

    /// A page for a service's error. What is ours to mend is logged with a number to quote.
    pub(super) fn error(&self, error: ServiceError) -> Response {
        let trouble = match error {
            ServiceError::NotFound { .. } => Trouble::NotFound,
            ServiceError::NotPermitted { act } => Trouble::NotPermitted(act),
            ServiceError::Shut { why } => Trouble::Shut(why),
            ServiceError::Refused { why } => Trouble::Declined(why),
            ServiceError::Conflict { why } => Trouble::Conflict(why),
            ServiceError::Damaged { why } => Trouble::Damaged(why),
            ServiceError::TryLater { .. } => Trouble::TryLater,
            ServiceError::NotWritable { .. } => {
                tracing::error!("a request failed: the database cannot be written");
                Trouble::DiskFull
            }
            ServiceError::Broken { .. } => {
                let number = guard::error_number();
                let error = &error as &dyn std::error::Error;
                tracing::error!(error.number = number, error, "a request failed");
                return self.guard.trouble(Trouble::Broken, Some(number));
            }
        };
        self.guard.trouble(trouble, None)
    }
}

/// What our script says of itself in every request.
const BY_SCRIPT: &str = "x-uppsikt-del";

/// The person at the page, by their session. Without one the request ends at the log-in page.
pub struct Inside {
    /// Who.
    pub viewer: Viewer,
    /// Whether keys are on.
    pub keys: Keys,
    csrf_secret: String,
    token: String,
    script: Option<Look>,
}

impl Inside {
    /// The shell of a page for this person.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the whole answer, made once a request"
    )]
    pub(super) fn shell(&self, site: &Site, here: Place) -> Result<Shell, Response> {
        let csrf = csrf_token(self.csrf_secret.as_bytes()).map_err(|e| {
            site.error(ServiceError::Broken { doing: "form token", source: Box::new(e) })
        })?;
        let who = Who::new(&self.viewer.name, self.viewer.role);
        let now = site.services.clock().now();
        let authority = site.services.authority();
        let shell =
            Shell::inside(authority, who, csrf, self.keys, here, site.settings.simulated, now);
        Ok(Shell { crisis: site.services.crisis_words(), ..shell })
    }

    /// Refuses a form that this session's pages did not make.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the whole answer, made once a request"
    )]
    pub(super) fn check(&self, site: &Site, csrf: &str) -> Result<(), Response> {
        if csrf_matches(self.csrf_secret.as_bytes(), csrf) {
            Ok(())
        } else {
            Err(site.guard.trouble(Trouble::StaleForm, None))
        }
    }

    /// Whether the session is still open: what lives longer than a request asks again.
    pub(super) async fn is_open(&self, site: &Site) -> bool {
        let session = site.services.session(&self.token, self.viewer.address).await;
        session.is_ok_and(|session| session.is_some_and(|s| s.viewer.role == self.viewer.role))
    }

    /// Whether a script of ours asks, which keeps drafts by itself and shows parts of pages.
    pub(super) const fn is_script(&self) -> bool {
        self.script.is_some()
    }

    /// Whether the person opens the case that is asked for. A script says when it is only looking after a page.
    pub(super) fn look(&self) -> Look {
        self.script.unwrap_or(Look::Opens)
    }

    /// The session's token, for logging out and for counting its streams.
    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

impl FromRequestParts<Site> for Inside {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Response> {
        let address = site.address(parts);
        let token = site.cookie().read(&parts.headers);
        let session = match &token {
            Some(token) => {
                site.services.session(token, address).await.map_err(|e| site.error(e))?
            }
            None => None,
        };
        let (Some(Session { viewer, csrf }), Some(token)) = (session, token) else {
            return Err(to_login(parts));
        };
        site.drafts.used(&token, viewer.user, site.services.clock().now());
        let jar = CookieJar::from_headers(&parts.headers);
        let keys = Keys::from_cookie(jar.get(Keys::COOKIE).map(|cookie| cookie.value()));
        let script = parts.headers.get(BY_SCRIPT).map(|says| match says.as_bytes() {
            b"oppnar" => Look::Opens,
            _ => Look::Follows,
        });
        Ok(Self { viewer, keys, csrf_secret: csrf, token, script })
    }
}

/// Whether a script of ours asks.
pub(super) fn is_by_script(headers: &HeaderMap) -> bool {
    headers.contains_key(BY_SCRIPT)
}

/// To the log-in page, and back to what was asked for. What was sent too late is not kept, and the
/// log-in page says so.
fn to_login(parts: &Parts) -> Response {
    let mut serializer = url::form_urlencoded::Serializer::new(String::new());
    if parts.method.is_safe() {
        let asked = parts.uri.path_and_query().map_or("/", |p| p.as_str());
        serializer.append_pair("sedan", asked);
    } else {
        serializer.append_pair("sedan", &page_of_form(parts.uri.path()));
        if let Some(unsaved) = Unsaved::by(parts.uri.path()) {
            serializer.append_pair("sparat", unsaved.id());
        }
    }
    Redirect::to(&format!("/logga-in?{}", serializer.finish())).into_response()
}

/// The page that a form's address belongs to.
pub(super) fn page_of_form(path: &str) -> String {
    let mut parts = path.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some(place @ ("arende" | "flera")), Some(number)) => format!("/{place}/{number}"),
        (Some(page @ ("diarium" | "gallring" | "hjalp" | "uppgifter")), Some(_)) => {
            format!("/{page}")
        }
        (Some(place @ ("anmalningar" | "registrerade")), Some(number)) => {
            format!("/{place}/{number}")
        }
        (Some("registrerade"), None) => "/registrerade".to_owned(),
        (Some("omnamnanden"), _) => "/omnamnanden".to_owned(),
        (Some("filter"), _) => "/filter".to_owned(),
        (Some(page @ ("nycklar" | "webbhookar")), _) => format!("/{page}"),
        (Some("regler"), _) => "/regler".to_owned(),
        (Some("svar"), None) => "/svar".to_owned(),
        (Some("svar"), Some(number)) => format!("/svar/{number}"),
        (Some("konton"), Some(account)) => format!("/konton/{account}"),
        (Some("krislage"), _) => "/krislage".to_owned(),
        (Some("sok"), _) => "/sok".to_owned(),
        (Some("mig"), _) => "/mig".to_owned(),
        (Some("anvandare"), _) => "/anvandare".to_owned(),
        (Some("gallring"), None) => "/gallring".to_owned(),
        (Some("bevis"), Some("kontroll")) => "/bevis/kontroll".to_owned(),
        _ => "/".to_owned(),
    }
}

/// For somebody who loads the address of a form anew, or comes back to it: the page it is on.
pub(super) async fn back_to_page(uri: Uri) -> Redirect {
    Redirect::to(&page_of_form(uri.path()))
}

/// From where the request comes.
pub struct From(pub IpAddr);

impl FromRequestParts<Site> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Infallible> {
        Ok(Self(site.address(parts)))
    }
}

/// Who speaks to us, whatever they say of whom they speak for.
pub struct Peer(pub IpAddr);

impl FromRequestParts<Site> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Site) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(peer.map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip().to_canonical())))
    }
}

/// Draws a page.
pub(super) fn page(site: &Site, page: &impl Template) -> Response {
    page_with(site, StatusCode::OK, page)
}

/// Draws a page with a status of its own.
pub(super) fn page_with(site: &Site, status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, [(CONTENT_TYPE, guard::HTML)], html).into_response(),
        Err(error) => {
            site.error(ServiceError::Broken { doing: "drawing of a page", source: Box::new(error) })
        }
    }
}

/// The page for an address that leads nowhere.
pub(super) fn not_found(site: &Site) -> Response {
    guard::trouble_page(ErrorPage {
        shell: site.outside(),
        trouble: Trouble::NotFound,
        number: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_its_page() {
        for (form, page) in [
            ("/arende/4/beslut", "/arende/4"),
            ("/arende/4/angra", "/arende/4"),
            ("/flera/4/angra", "/flera/4"),
            ("/flera", "/"),
            ("/diarium/7", "/diarium"),
            ("/uppgifter/7/klart", "/uppgifter"),
            ("/hjalp/tangenter", "/hjalp"),
            ("/gallring", "/gallring"),
            ("/filter/3/ta-bort", "/filter"),
            ("/svar", "/svar"),
            ("/nycklar/3/aterkalla", "/nycklar"),
            ("/webbhookar/3/ta-bort", "/webbhookar"),
            ("/svar/3/ta-bort", "/svar/3"),
            ("/konton/facebook/bekrafta", "/konton/facebook"),
            ("/konton/facebook", "/konton/facebook"),
            ("/krislage/avsluta", "/krislage"),
            ("/krislage/flytta", "/krislage"),
            ("/mig/tvasteg/ta-bort", "/mig"),
            ("/anvandare/3/stang-av", "/anvandare"),
            ("/gallring/3/godkann", "/gallring"),
            ("/bevis/kontroll", "/bevis/kontroll"),
            ("/logga-ut", "/"),
            ("/", "/"),
            ("", "/"),
        ] {
            assert_eq!(page_of_form(form), page, "{form}");
        }
    }
}
