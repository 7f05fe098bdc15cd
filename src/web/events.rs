//! `/handelser`: the stream of server-sent events for open pages.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use tokio::sync::broadcast::error::RecvError;

use crate::services::Change;
use crate::web::live::LiveEvent;
use crate::web::state::{Inside, Site};

/// A quiet stream is told that it lives, so that proxies do not cut it.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The stream. Events say that something happened, never what it says.
pub async fn stream(
    State(site): State<Site>,
    inside: Inside,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = site.services.changes();
    let events =
        stream::unfold((site, inside, changes), |(site, inside, mut changes)| async move {
            loop {
                let change = tokio::select! {
                    change = changes.recv() => change,
                    () = site.stopping.cancelled() => return None,
                };
                if !inside.is_open(&site).await {
                    return None;
                }
                let event = match change {
                    Ok(Change::Case(case)) => {
                        match site.services.case_news(&inside.viewer, case).await {
                            Ok(Some((open, words))) => Some(if open {
                                LiveEvent::Ny { arende: case }
                            } else {
                                LiveEvent::Andrad { arende: case, ord: words }
                            }),
                            Ok(None) => None,
                            Err(error) => {
                                let error = &error as &dyn std::error::Error;
                                tracing::warn!(error, "news of a case could not be read");
                                Some(LiveEvent::HamtaOm)
                            }
                        }
                    }
                    Ok(Change::Seal(case)) => Some(LiveEvent::Bevis { arende: case }),
                    Ok(Change::Account(_)) => None,
                    Err(RecvError::Lagged(_)) => Some(LiveEvent::HamtaOm),
                    Err(RecvError::Closed) => return None,
                };
                // An event that does not serialise is impossible: numbers and strings only.
                if let Some(Ok(event)) = event.map(|event| event.to_sse()) {
                    return Some((Ok(event), (site, inside, changes)));
                }
            }
        });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}
