//! Every address on one page. Pages demand a session by taking [`Inside`]; what a role may do is
//! decided in the services.
//!
//! [`Inside`]: crate::web::state::Inside

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get, post};
use metrics::counter;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;

use crate::runtime::supervise::Health;
use crate::services::Services;
use crate::telemetry::metrics::{self as names, Metrics};

use super::cookie::SessionCookie;
use super::guard::{Guard, LARGEST_PUBLIC_BYTES};
use super::pages::{
    account_card, accounts, api_help, archive, audit_log, case, crisis, diary, evidence, filters,
    handed, help, hooks, keeping, keys, login, me, mentions, policies, publishers, queue, record,
    replies, report, reported, rules, search, secrecy, sign_in, statistics, subjects, supervision,
    tasks, together, users,
};
use super::proxies::Proxies;
use super::public::PublicGate;
use super::state::{Settings, Site, back_to_page, not_found};
use super::streams::Streams;
use super::throttle::LoginThrottle;
use super::{api, assets, events, machine, refused, vouched};

/// The whole site.
pub fn router(
    services: Services,
    settings: Settings,
    health: Health,
    metrics: Metrics,
    stopping: CancellationToken,
) -> Router {
    let cookie =
        if settings.secure_cookies { SessionCookie::Secure } else { SessionCookie::Loopback };
    let clock = services.clock().clone();
    let guard = Guard::new(services.authority(), settings.simulated, cookie, clock);
    let bounds = services.public_reporting();
    let per_hour = bounds.and_then(|bounds| NonZeroU32::new(bounds.per_address_hour));
    let per_hour = per_hour.unwrap_or(NonZeroU32::MIN);
    let site = Site {
        services,
        guard: guard.clone(),
        public: Arc::new(PublicGate::new(per_hour)),
        meter: Arc::default(),
        throttle: Arc::new(LoginThrottle::new(settings.logins_per_min)),
        large_bodies: Arc::new(Semaphore::new(record::LARGE_BODIES)),
        pushes: Arc::new(Semaphore::new(machine::PUSHES_AT_ONCE)),
        streams: Streams::default(),
        drafts: Arc::default(),
        sent: Arc::default(),
        searches: Arc::default(),
        refusals: Arc::default(),
        proxies: Arc::new(Proxies::new(&settings.trusted_proxies)),
        settings: Arc::new(settings),
        health,
        metrics,
        stopping,
    };
    let pages = Router::new()
        .route("/", get(queue::show))
        .route("/logga-in", get(login::show).post(login::log_in))
        .route("/logga-in/kod", get(sign_in::ask_code).post(sign_in::give_code))
        .route("/logga-in/tvasteg", get(sign_in::ask_factor).post(sign_in::set_factor))
        .route("/logga-in/konto", get(sign_in::to_provider))
        .route("/logga-in/svar", get(sign_in::from_provider))
        .route("/logga-in/proxy", get(sign_in::by_proxy))
        .route("/mig", get(me::show))
        .route("/mig/inloggningar", post(me::end_sessions).get(back_to_page))
        .route("/mig/tvasteg", get(me::ask_factor).post(me::set_factor))
        .route("/mig/tvasteg/ta-bort", post(me::remove_factor).get(back_to_page))
        .route("/mig/koder", post(me::renew_codes).get(back_to_page))
        .route("/anvandare", get(users::show))
        .route("/anvandare/{id}/{act}", post(users::act).get(back_to_page))
        .route("/logga-ut", post(login::log_out).get(back_to_page))
        .route("/sok", get(search::show).post(search::ask))
        .route("/sok/{number}", get(search::asked))
        .route("/flera", get(together::show).post(together::decide))
        .route("/flera/{id}", get(together::decided))
        .route("/flera/{id}/angra", post(together::undo).get(back_to_page))
        .route("/arende/{id}", get(case::show))
        .route("/arende/{id}/beslut", post(case::decide).get(back_to_page))
        .route("/arende/{id}/forslag", post(case::propose).get(back_to_page))
        .route("/arende/{id}/fel", post(rules::wrong).get(back_to_page))
        .route("/arende/{id}/infoga", post(replies::insert).get(back_to_page))
        .route("/arende/{id}/granska", post(case::preview).get(back_to_page))
        .route("/filter", get(filters::show).post(filters::add))
        .route("/filter/{id}", post(filters::save).get(back_to_page))
        .route("/filter/{id}/ta-bort", post(filters::remove).get(back_to_page))
        .route("/filter/{id}/aterstall", post(filters::restore).get(back_to_page))
        .route("/arende/{id}/anteckna", post(mentions::write).get(back_to_page))
        .route("/omnamnanden", get(mentions::show).post(mentions::seen))
        .route("/statistik", get(statistics::show))
        .route("/statistik/{tid}/{name}", get(statistics::file))
        .route("/svar", get(replies::show).post(replies::add))
        .route("/svar/{id}", get(replies::show_one).post(replies::save))
        .route("/svar/{id}/ta-bort", post(replies::remove).get(replies::back))
        .route("/svar/{id}/aterstall", post(replies::restore).get(replies::back))
        .route("/arende/{id}/angra", post(case::undo).get(back_to_page))
        .route("/arende/{id}/forsok-igen", post(case::try_again).get(back_to_page))
        .route("/arende/{id}/sparra", post(case::suspect).get(back_to_page))
        .route("/arende/{id}/las-pa-nytt", post(case::read_anew).get(back_to_page))
        .route("/arende/{id}/visa", post(case::unveil).get(back_to_page))
        .route("/arende/{id}/ta", post(case::claim).get(back_to_page))
        .route("/arende/{id}/ta-over", post(case::take_over).get(back_to_page))
        .route("/arende/{id}/kvar", post(case::stay).get(back_to_page))
        .route("/arende/{id}/lamna", post(case::leave).get(back_to_page))
        .route("/arende/{id}/slapp", post(case::release).get(back_to_page))
        .route("/arende/{id}/hav", post(case::lift).get(back_to_page))
        .route("/arende/{id}/undanta", post(case::exempt).get(back_to_page))
        .route("/arende/{id}/hav-undantag", post(case::end_exemption).get(back_to_page))
        .route("/arende/{id}/sekretess", post(secrecy::mark).get(back_to_page))
        .route("/arende/{id}/hav-sekretess", post(secrecy::lift).get(back_to_page))
        .route("/arende/{id}/krets", post(secrecy::circle).get(back_to_page))
        .route("/arende/{id}/polis", get(handed::police).post(handed::decide_police))
        .route("/arende/{id}/polis/underlag.pdf", get(handed::police_bundle))
        .route("/arende/{id}/utifran", get(reported::of_case))
        .route("/arende/{id}/utanfor", post(reported::mark).get(back_to_page))
        .route("/arende/{id}/hav-utanfor", post(reported::unmark).get(back_to_page))
        .route(
            "/anmal",
            // Anybody may send it: so much is read, whatever length is told.
            get(reported::ask)
                .post(reported::receive)
                .layer(DefaultBodyLimit::max(LARGEST_PUBLIC_BYTES)),
        )
        .route("/anmalningar", get(reported::list))
        .route("/anmalningar/{id}", get(reported::show))
        .route("/anmalningar/{id}/last", post(reported::read).get(back_to_page))
        .route("/anmalningar/{id}/lagg-undan", post(reported::set_aside).get(back_to_page))
        .route("/anmalningar/{id}/koppla", post(reported::join).get(back_to_page))
        .route("/registrerade", get(subjects::list).post(subjects::open))
        .route("/registrerade/{id}", get(subjects::show))
        .route("/registrerade/{id}/sok", post(subjects::search).get(back_to_page))
        .route("/registrerade/{id}/valj", post(subjects::choose).get(back_to_page))
        .route("/registrerade/{id}/ta-bort", post(subjects::take_out).get(back_to_page))
        .route("/registrerade/{id}/anteckna", post(subjects::note).get(back_to_page))
        .route("/registrerade/{id}/forlang", post(subjects::extend).get(back_to_page))
        .route("/registrerade/{id}/svara", post(subjects::end).get(back_to_page))
        .route("/registrerade/{id}/svar.pdf", get(subjects::document))
        .route("/utlamnanden", get(handed::releases).post(handed::open))
        .route("/utlamnanden/{id}", get(handed::show))
        .route("/utlamnanden/{id}/lagg-till", post(handed::add).get(back_to_page))
        .route("/utlamnanden/{id}/maskera", post(handed::mask).get(back_to_page))
        .route("/utlamnanden/{id}/ta-bort", post(handed::take_out).get(back_to_page))
        .route("/utlamnanden/{id}/avsluta", post(handed::end).get(back_to_page))
        .route("/utlamnanden/{id}/utlamnande.pdf", get(handed::release_document))
        .route("/gallring", get(keeping::show).post(keeping::propose))
        .route("/gallring/klocka", post(keeping::clock).get(back_to_page))
        .route("/gallring/{id}/godkann", post(keeping::approve).get(back_to_page))
        .route("/gallring/{id}/dra-tillbaka", post(keeping::withdraw).get(back_to_page))
        .route("/gallring/{id}/{name}", get(keeping::file))
        .route("/bevis/kontroll", get(keeping::checks).post(keeping::check))
        .route("/bevis/paket", post(evidence::packages).get(back_to_page))
        .route("/bevis/{id}", get(evidence::show))
        .route("/bevis/{id}/visa", post(evidence::unveil).get(back_to_page))
        .route("/bevis/{id}/paket.zip", get(evidence::package))
        .route("/bevis/{id}/manifest.json", get(evidence::manifest))
        .route("/bevis/{id}/sida/{page}", get(evidence::sheet_page))
        .route("/bevis/{id}/fil/{name}", get(evidence::file))
        .route("/bevis/{id}/bild/{name}", get(evidence::picture))
        .route("/bevis/{id}/sudd/{name}", get(evidence::blurred))
        .route("/diarium", get(diary::show))
        .route("/diarium/{id}", post(diary::enter).get(back_to_page))
        .route("/diarium/{id}/ratta", post(diary::correct).get(back_to_page))
        .route("/diarium/{id}/lamna-over", post(diary::again).get(back_to_page))
        .route(
            "/nytt",
            // Its body is read by its own hand, within its own bound.
            get(record::show).post(record::record),
        )
        .route("/uppgifter", get(tasks::show))
        .route("/uppgifter/avisering/{id}/klart", post(tasks::told).get(back_to_page))
        .route("/uppgifter/avisering/{id}/igen", post(tasks::again).get(back_to_page))
        .route("/uppgifter/{id}/klart", post(tasks::done).get(back_to_page))
        .route("/uppgifter/{id}/gick-inte", post(tasks::not_done).get(back_to_page))
        .route("/konton", get(accounts::show))
        .route("/konton/bemanning", get(account_card::coverage))
        .route("/konton/lista.csv", get(account_card::public_csv))
        .route("/konton/lista.json", get(account_card::public_json))
        .route("/konton/{key}", get(account_card::show).post(account_card::save))
        .route("/granskning", get(audit_log::show))
        .route("/konton/{key}/publicister", get(publishers::show).post(publishers::save))
        .route("/konton/{key}/{act}", post(account_card::act).get(account_card::back))
        .route("/arkiv", get(archive::show).post(archive::want))
        .route("/arkiv/{id}", get(archive::one))
        .route("/arkiv/{id}/fil/{name}", get(archive::file))
        .route("/arkiv/{id}/levererad", post(archive::delivered).get(back_to_page))
        .route("/rapport", get(report::show))
        .route("/rapport/{tid}/{name}", get(report::file))
        .route("/krislage", get(crisis::show).post(crisis::begin))
        .route("/krislage/blad", get(crisis::sheet))
        .route("/krislage/flytta", post(crisis::move_end).get(back_to_page))
        .route("/krislage/avsluta", post(crisis::end).get(back_to_page))
        .route("/nycklar", get(keys::show).post(keys::add))
        .route("/nycklar/{id}/aterkalla", post(keys::revoke).get(back_to_page))
        .route("/webbhookar", get(hooks::show).post(hooks::add))
        .route("/webbhookar/{id}/ny-hemlighet", post(hooks::turn).get(back_to_page))
        .route("/webbhookar/{id}/ta-bort", post(hooks::end).get(back_to_page))
        .route("/webbhookar/{id}/igen", post(hooks::again).get(back_to_page))
        .route("/hjalp/api", get(api_help::show))
        .route("/riktlinjer", get(policies::list))
        .route("/riktlinjer/fardig/{id}", get(policies::ready))
        .route("/riktlinjer/{id}", get(policies::show))
        .route("/riktlinjer/{id}/andra", get(policies::edit).post(policies::save))
        .route("/riktlinjer/{id}/{version}", get(policies::version))
        .route("/riktlinjer/{id}/{version}/godkann", post(policies::approve).get(back_to_page))
        .route(
            "/riktlinjer/{id}/{version}/dra-tillbaka",
            post(policies::withdraw).get(back_to_page),
        )
        .route("/regler", get(rules::show).post(rules::attempt))
        .route("/regler/andra", get(rules::edit).post(rules::save))
        .route("/regler/regel/{id}", get(rules::rule))
        .route("/regler/lista/{name}", get(rules::list))
        .route("/regler/version/{id}", get(rules::version))
        .route("/regler/version/{id}/prova", get(rules::weigh))
        .route("/regler/version/{id}/godkann", post(rules::approve).get(back_to_page))
        .route("/regler/version/{id}/dra-tillbaka", post(rules::withdraw).get(back_to_page))
        .route("/uppsikt", get(supervision::show))
        .route("/uppsikt/uppsiktslogg.csv", get(supervision::table))
        .route("/uppsikt/uppsiktslogg.pdf", get(supervision::document))
        .route("/hjalp", get(help::show))
        .route("/hjalp/tangenter", post(help::keys).get(back_to_page))
        .fallback(|State(site): State<Site>| async move { not_found(&site) })
        .layer(CompressionLayer::new());
    // The stream stands outside compression, which would hold its events back.
    let live = Router::new().route("/handelser", get(events::stream));
    let pages = pages.merge(live).layer(from_fn_with_state(site.clone(), vouched::refuse_forged));
    let pages = guard.around(pages).layer(from_fn_with_state(site.clone(), refused::noted));
    let machines = Router::new()
        .route("/healthz", get(machine::healthz))
        .route("/readyz", get(machine::readyz))
        .route("/metrics", get(machine::metrics))
        .route("/api/v1/intake/{account}", post(machine::intake).get(machine::handshake))
        .route("/api/v1/items", post(record::api))
        .route("/api/v1/diary", post(machine::numbers))
        .route("/api/v1/{*rest}", any(api::serve))
        .route(assets::ROUTE, get(assets::serve));
    machines
        .merge(pages)
        .with_state(site)
        .layer(from_fn(count_answer))
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http().make_span_with(|request: &Request| {
            // The path alone: what is searched for stands behind the question mark.
            let (method, path) = (request.method(), request.uri().path());
            tracing::debug_span!("request", %method, path, version = ?request.version())
        }))
}

async fn count_answer(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    counter!(names::REQUESTS, "status" => status).increment(1);
    response
}
