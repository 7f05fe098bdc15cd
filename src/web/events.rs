//! `/handelser`: the stream of server-sent events for open pages.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::future::ready;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::domain::ids::CaseId;
use crate::services::Change;
use crate::services::queue::News;
use crate::web::live::LiveEvent;
use crate::web::state::{Inside, Site};
use crate::web::streams::OpenStream;
use crate::web::view::queue::Claimed;

/// A quiet stream is told that it lives, so that proxies do not cut it.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// What one stream goes on with.
struct Stream {
    site: Site,
    inside: Inside,
    changes: Receiver<Change>,
    open: OpenStream,
}

/// The stream. Events say that something happened, never what it says.
pub async fn stream(
    State(site): State<Site>,
    inside: Inside,
) -> Sse<impl futures_util::Stream<Item = Result<Event, Infallible>>> {
    let changes = site.services.changes();
    let open = site.streams.open(inside.token());
    let events = stream::unfold(Some(Stream { site, inside, changes, open }), |stream| async {
        let mut stream = stream?;
        let event = stream.next().await?;
        let last = event == LiveEvent::Trangt;
        // An event that does not serialise is impossible: numbers and strings only.
        Some((event.to_sse().ok().map(Ok), (!last).then_some(stream)))
    });
    Sse::new(events.filter_map(ready)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

impl Stream {
    /// The next thing to tell, or the end.
    async fn next(&mut self) -> Option<LiveEvent> {
        loop {
            let change = tokio::select! {
                change = self.changes.recv() => change,
                () = self.site.stopping.cancelled() => return None,
                () = self.open.crowded_out() => return Some(LiveEvent::Trangt),
            };
            if !self.inside.is_open(&self.site).await {
                return None;
            }
            match change {
                Ok(Change::Case(case)) => {
                    if let Some(event) = self.news(case).await {
                        return Some(event);
                    }
                }
                Ok(Change::Claim(case)) => return Some(self.holding(case).await),
                Ok(Change::Seal(case)) => return Some(LiveEvent::Bevis { arende: case }),
                Ok(Change::Account(_)) => {}
                Err(RecvError::Lagged(_)) => return Some(LiveEvent::HamtaOm),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn holding(&self, case: CaseId) -> LiveEvent {
        let viewer = &self.inside.viewer;
        match self.site.services.holding(viewer, case).await {
            Ok(holding) => {
                let claim = holding.claim.as_ref();
                LiveEvent::Tagen {
                    arende: case,
                    vem: claim
                        .map(|claim| Claimed::new(&claim.name, claim.user == viewer.user).words)
                        .unwrap_or_default(),
                    annan: claim.is_some_and(|claim| claim.user != viewer.user),
                    ord: holding.lost.map(|lost| lost.words()).unwrap_or_default(),
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "who has a case could not be read");
                LiveEvent::HamtaOm
            }
        }
    }

    async fn news(&self, case: CaseId) -> Option<LiveEvent> {
        match self.site.services.case_news(&self.inside.viewer, case).await {
            Ok(Some(News::Entered)) => Some(LiveEvent::Ny { arende: case }),
            Ok(Some(News::Changed(words))) => Some(LiveEvent::Andrad { arende: case, ord: words }),
            Ok(Some(News::Left(words))) => Some(LiveEvent::Borta { arende: case, ord: words }),
            Ok(None) => None,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "news of a case could not be read");
                Some(LiveEvent::HamtaOm)
            }
        }
    }
}
