//! What the clones of a [`super::Browser`] share: one Chromium, used by one capture at a time.

use std::path::PathBuf;

use tokio::sync::{Mutex, MutexGuard};

use super::address;
use super::capture;
use super::process::{self, Running};
use super::{BrowserSettings, CaptureError, CaptureRequest, Screenshot};
use crate::runtime::clock::Clock;

/// One Chromium, or none yet.
pub struct Shared {
    settings: BrowserSettings,
    clock: Clock,
    // An async lock, because it is held over a whole capture: that is what makes it one at a time.
    running: Mutex<Option<Running>>,
}

/// The browser in the hands of one capture. Where the capture is given up before its page is known
/// to be closed, the browser goes with it: the page is somebody else's, and must not run on beside
/// the next one.
struct Turn<'a> {
    running: MutexGuard<'a, Option<Running>>,
    page_may_be_open: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.page_may_be_open && self.running.take().is_some() {
            tracing::info!("a capture was given up; its browser is ended");
        }
    }
}

impl Shared {
    pub fn new(settings: BrowserSettings, clock: Clock) -> Self {
        Self { settings, clock, running: Mutex::new(None) }
    }

    pub fn executable(&self) -> Result<PathBuf, CaptureError> {
        process::find(self.settings.executable.as_deref())
    }

    pub async fn stop(&self) {
        if let Some(running) = self.running.lock().await.take() {
            running.stop().await;
        }
    }

    pub async fn capture(&self, request: CaptureRequest) -> Result<Screenshot, CaptureError> {
        let page = address::parse(&request.url)?;
        let mut turn = Turn { running: self.running.lock().await, page_may_be_open: false };
        // Others' pages came first, and anything may have been suspected meanwhile.
        request.leave.ask_again().await.map_err(CaptureError::NotAllowed)?;
        if let Some(old) = turn.running.take_if(|r| r.is_worn(&self.settings)) {
            old.stop().await;
        }
        let browser = match &mut *turn.running {
            Some(browser) => browser,
            none => none.insert(Running::start(&self.settings).await?),
        };
        turn.page_may_be_open = true;
        // Also when this future is dropped half-way, as at shutdown.
        let gate = browser.gate.open(&page.host, page.port, request.allow_private);
        // Before Chromium is asked: its own message for a refused address would be the gate's.
        let outcome = match browser.gate.check(&page.host, page.port).await {
            Ok(()) => {
                let take = capture::take(browser, &self.settings, &self.clock, &page, &request);
                // The page's own time: it begins with its turn, and does not count the queue.
                tokio::time::timeout(self.settings.capture_limit, take).await.unwrap_or_else(|_| {
                    Err(CaptureError::TimedOut { after: self.settings.capture_limit })
                })
            }
            Err(refusal) => Err(refusal.into()),
        };
        browser.pages += 1;
        let outcome = judge(outcome, &gate.close());
        if let Err(error) = &outcome
            && spoils_browser(error)
            && let Some(spoiled) = turn.running.take()
        {
            spoiled.stop().await;
        }
        turn.page_may_be_open = false;
        outcome
    }
}

/// Whether the browser itself is in doubt after this, so that the next page gets a new one.
fn spoils_browser(error: &CaptureError) -> bool {
    match error {
        CaptureError::TimedOut { .. }
        | CaptureError::Io(_)
        | CaptureError::Browser(_)
        | CaptureError::Start(_) => true,
        CaptureError::NoBrowser { .. }
        | CaptureError::NoSandbox
        | CaptureError::NotBuiltIn
        | CaptureError::Address(_)
        | CaptureError::Private { .. }
        | CaptureError::NotAllowed(_)
        | CaptureError::Unreachable { .. } => false,
    }
}

/// A page that was led on to a host which the gate refused shows the gate's own words or an error
/// page of Chromium's; that is no picture of the page.
fn judge(
    outcome: Result<Screenshot, CaptureError>,
    refused: &[String],
) -> Result<Screenshot, CaptureError> {
    match outcome {
        Ok(shot) => match address::host_of(&shot.final_url) {
            Some(host) if refused.contains(&host) => Err(CaptureError::Private { host }),
            Some(_) | None => Ok(shot),
        },
        Err(CaptureError::Unreachable { reason }) => match refused.last() {
            Some(host) => Err(CaptureError::Private { host: host.clone() }),
            None => Err(CaptureError::Unreachable { reason }),
        },
        Err(other) => Err(other),
    }
}
