//! What the clones of a [`super::Browser`] share: one Chromium, used by one capture at a time.

use std::path::PathBuf;

use tokio::sync::{Mutex, MutexGuard};

use super::address;
use super::capture::{self, Taken};
use super::gate::{Most, Refusal, Refused};
use super::process::{self, Running};
use super::{BrowserSettings, CaptureError, CaptureRequest, Screenshot, WholePage};
use crate::formats::framed::framed;
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
        let barred = request.leave.barred_media().await.map_err(CaptureError::NotAllowed)?;
        if let Some(old) = turn.running.take_if(|r| r.is_worn(&self.settings)) {
            old.stop().await;
        }
        let browser = match &mut *turn.running {
            Some(browser) => browser,
            none => none.insert(Running::start(&self.settings).await?),
        };
        turn.page_may_be_open = true;
        // Also when this future is dropped half-way, as at shutdown.
        let most = Most { hosts: self.settings.most_hosts, bytes: self.settings.most_bytes };
        let gate = browser.gate.open(&page.host, page.port, request.allow_private, most);
        // Before Chromium is asked: its own message for a refused address would be the gate's.
        let outcome = match browser.gate.check(&page.host, page.port).await {
            Ok(()) => {
                let lost = browser.lost();
                let take =
                    capture::take(browser, &self.settings, &self.clock, &page, (&request, &barred));
                // The page's own time: it begins with its turn, and does not count the queue.
                let take = tokio::time::timeout(self.settings.capture_limit, take);
                tokio::select! {
                    taken = take => taken.unwrap_or_else(|_| {
                        Err(CaptureError::TimedOut { after: self.settings.capture_limit })
                    }),
                    () = lost.cancelled() => Err(CaptureError::Browser(ENDED.into())),
                }
            }
            Err(refused) => Err(refused.of_page()),
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
        // The browser is free for the next one meanwhile.
        drop(turn);
        let mut shot = outcome?;
        shot.whole_page = match shot.whole_page.take() {
            Some(Ok(whole)) => Some(with_frame(whole).await),
            none => none,
        };
        Ok(shot)
    }
}

/// Draws the frame on the picture, and says so with it.
async fn with_frame(whole: WholePage) -> Result<WholePage, String> {
    let Some(area) = whole.frame else { return Ok(whole) };
    let draw = move || framed(&whole.png, area).map(|png| WholePage { png, ..whole });
    match tokio::task::spawn_blocking(draw).await {
        Ok(Ok(mut drawn)) => {
            drawn.method.push_str(FRAME);
            Ok(drawn)
        }
        Ok(Err(_)) | Err(_) => Err("Ramen gick inte att rita på bilden av hela sidan.".to_owned()),
    }
}

/// What is told where the browser is killed, by the system or by its page.
const ENDED: &str = "Chromium ended while the page was open";

/// What the record says of the frame.
const FRAME: &str = " Ramen runt inlägget är ritad av Uppsikt på den färdiga bilden; sidan själv är orörd, och det som ramen täcker syns på den beskurna skärmbilden.";

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
    outcome: Result<Taken, CaptureError>,
    refused: &[Refused],
) -> Result<Screenshot, CaptureError> {
    let private = || refused.iter().filter(|refused| refused.why == Refusal::Private);
    match outcome {
        Ok(Taken { shot, heard }) => match address::host_of(&shot.final_url) {
            Some(host) if private().any(|r| r.host == host) => Err(CaptureError::Private { host }),
            Some(_) | None => Ok(Screenshot { log: heard.into_log(refused), ..shot }),
        },
        Err(CaptureError::Unreachable { reason }) => match private().next_back() {
            Some(refused) => Err(CaptureError::Private { host: refused.host.clone() }),
            None => Err(CaptureError::Unreachable { reason }),
        },
        Err(other) => Err(other),
    }
}
