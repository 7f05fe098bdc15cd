//! One page: open, wait, picture.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::browser::{
    BrowserContextId, EventDownloadWillBegin, SetDownloadBehaviorBehavior,
    SetDownloadBehaviorParams,
};
use chromiumoxide::cdp::browser_protocol::emulation::{
    SetLocaleOverrideParams, SetTimezoneOverrideParams,
};
use chromiumoxide::cdp::browser_protocol::fetch::{
    self, ContinueRequestParams, EventRequestPaused, FailRequestParams, RequestPattern,
};
use chromiumoxide::cdp::browser_protocol::network::{
    ErrorReason, EventResponseReceived, ResourceType,
};
use chromiumoxide::cdp::browser_protocol::page::{
    CaptureScreenshotFormat, EventJavascriptDialogOpening, HandleJavaScriptDialogParams,
    NavigateParams, Viewport,
};
use chromiumoxide::cdp::browser_protocol::target::{
    CreateBrowserContextParams, CreateTargetParams,
};
use chromiumoxide::error::CdpError;
use chromiumoxide::listeners::EventStream;
use chromiumoxide::page::ScreenshotParams;
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::task::JoinSet;
use url::Url;

use super::address::PageAddress;
use super::log::{Heard, Listener};
use super::process::Running;
use super::record::{Recorded, Recorder};
use super::{
    BrowserSettings, CaptureError, CaptureRequest, Cut, Over, PageArchive, Screenshot, WholePage,
};
use crate::domain::page_log::PageLog;
use crate::evidence::media::BarredMedia;
use crate::formats::framed::Area;
use crate::formats::wacz::Page as Begin;
use crate::runtime::clock::Clock;

/// What archives say that they were made by, beside the browser.
const OUR_NAME: &str = concat!("uppsikt ", env!("CARGO_PKG_VERSION"));
/// The zone and the language that pages see.
const ZONE: &str = "Europe/Stockholm";
const LOCALE: &str = "sv-SE";
/// How long a loaded page gets to place its fonts and late pictures.
const SETTLE: Duration = Duration::from_millis(400);
/// How long it gets to draw its head anew when it is shown from its top again.
const BACK: Duration = Duration::from_millis(100);
/// How long the picture of the whole page may take beside the one of the item, which must not be lost for it.
const WHOLE_LIMIT: Duration = Duration::from_secs(10);
/// How far an element may move, in pixels, while a picture is taken.
const STILL_PX: f64 = 2.0;
/// Space around an element, in pixels: who wrote it and what it answers often stands there.
const MARGIN_PX: f64 = 32.0;
/// Characters of a title that are kept.
const MOST_TITLE_CHARS: usize = 500;

/// What Chromium calls its own page that says that a page cannot be shown.
const ERROR_PAGE: &str = "chrome-error:";

/// What every tab shows before it has opened anything.
const BLANK: &str = "about:blank";
/// The reason given for an address that is a file to save.
const DOWNLOAD: &str = "the address is a download, not a page";

/// Goes to the element, or to the page's top, and asks the page for its size and the element's place; both in
/// whole-page pixels.
const MEASURE: &str = r"
(id, toElement) => {
  const root = document.documentElement;
  const element = id === null ? null : document.getElementById(id);
  let box = null;
  if (!toElement) window.scrollTo({left: 0, top: 0, behavior: 'instant'});
  if (element) {
    if (toElement) element.scrollIntoView({block: 'center', behavior: 'instant'});
    const r = element.getBoundingClientRect();
    box = {x: r.left + window.scrollX, y: r.top + window.scrollY, width: r.width, height: r.height};
  }
  const body = document.body;
  let over = null;
  if (toElement) {
    // What lies on top where the item is, or in the middle of the window: a dialog, or a large box that does not scroll.
    const r = element ? element.getBoundingClientRect() : {left: 0, top: 0, width: innerWidth, height: innerHeight};
    const within = (at, most) => Math.min(Math.max(at, 0), most - 1);
    let top = document.elementFromPoint(within(r.left + r.width / 2, innerWidth), within(r.top + r.height / 2, innerHeight));
    const isOwn = element && top && (element.contains(top) || top.contains(element));
    const dialogs = 'dialog[open],[role=dialog],[role=alertdialog],[aria-modal=true]';
    for (; top && !isOwn && top !== root && top !== body; top = top.parentElement) {
      const box = top.getBoundingClientRect();
      const lies = getComputedStyle(top).position === 'fixed' && box.width * box.height >= innerWidth * innerHeight / 4;
      if (!lies && !top.matches(dialogs)) continue;
      const said = [top, ...document.querySelectorAll(dialogs)].map((one) => (one.innerText || '').slice(0, 4000)).join(' ');
      if (/kakor|cookie|samtyck|consent/i.test(said)) over = 'cookies';
      else if (/logga in|log in|sign in|skapa (ett )?(nytt )?konto|sign up/i.test(said)) over = 'login';
      else over = 'other';
      break;
    }
  }
  return {
    over,
    width: Math.max(root ? root.scrollWidth : 0, body ? body.scrollWidth : 0),
    height: Math.max(root ? root.scrollHeight : 0, body ? body.scrollHeight : 0),
    box,
  };
}";

#[derive(Debug, Deserialize)]
struct Measured {
    width: f64,
    height: f64,
    #[serde(rename = "box")]
    element: Option<Place>,
    /// What lies over it.
    over: Option<Over>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Place {
    /// Whether it is where the other is, as far as an eye sees.
    fn is_near(&self, other: &Self) -> bool {
        let pairs = [
            (self.x, other.x),
            (self.y, other.y),
            (self.width, other.width),
            (self.height, other.height),
        ];
        pairs.iter().all(|(a, b)| (a - b).abs() <= STILL_PX)
    }

    /// In whole pixels.
    fn area(&self) -> Area {
        let (left, top) = (self.x.max(0.0).floor(), self.y.max(0.0).floor());
        let (right, bottom) = ((self.x + self.width).ceil(), (self.y + self.height).ceil());
        Area {
            x: pixels(left),
            y: pixels(top),
            width: pixels((right - left).max(1.0)),
            height: pixels((bottom - top).max(1.0)),
        }
    }
}

pub(super) fn broken(error: CdpError) -> CaptureError {
    CaptureError::Browser(error.into())
}

/// A picture, and what was heard of its page.
pub(super) struct Taken {
    pub(super) shot: Screenshot,
    pub(super) heard: Heard,
}

/// Takes a picture in a context of its own, which is gone afterwards with all it stored.
pub async fn take(
    browser: &Running,
    settings: &BrowserSettings,
    clock: &Clock,
    address: &PageAddress,
    request: (&CaptureRequest, &BarredMedia),
) -> Result<Taken, CaptureError> {
    let context = CreateBrowserContextParams::builder().dispose_on_detach(true).build();
    let context = browser.cdp.create_browser_context(context).await.map_err(broken)?;
    let outcome = in_context(browser, settings, clock, address, request, &context).await;
    if let Err(error) = browser.cdp.dispose_browser_context(context).await {
        tracing::warn!(%error, "a browser context could not be closed");
        browser.give_up();
    }
    outcome
}

async fn in_context(
    browser: &Running,
    settings: &BrowserSettings,
    clock: &Clock,
    address: &PageAddress,
    (request, barred): (&CaptureRequest, &BarredMedia),
    context: &BrowserContextId,
) -> Result<Taken, CaptureError> {
    let no_downloads = SetDownloadBehaviorParams::builder()
        .behavior(SetDownloadBehaviorBehavior::Deny)
        .browser_context_id(context.clone())
        .events_enabled(true)
        .build()
        .map_err(|e| CaptureError::Browser(e.into()))?;
    let downloads = browser.cdp.event_listener::<EventDownloadWillBegin>().await.map_err(broken)?;
    browser.cdp.execute(no_downloads).await.map_err(broken)?;
    let target = CreateTargetParams::builder()
        .url(BLANK)
        .browser_context_id(context.clone())
        .build()
        .map_err(|e| CaptureError::Browser(e.into()))?;
    let page = browser.cdp.new_page(target).await.map_err(broken)?;
    page.execute(SetTimezoneOverrideParams::new(ZONE)).await.map_err(broken)?;
    page.execute(SetLocaleOverrideParams::builder().locale(LOCALE).build())
        .await
        .map_err(broken)?;
    // Dropped, and thereby ended, with this function.
    let mut listeners = JoinSet::new();
    dismiss_dialogs(&page, &mut listeners).await?;
    let status = watch_status(&page, &mut listeners).await?;
    let listener = Listener::begin(browser, &page, &mut listeners).await?;
    block(&page, barred, &mut listeners).await?;
    let recorder = match request.record {
        true => Some((Recorder::begin(&page, clock, &mut listeners).await?, clock.now())),
        false => None,
    };

    let whole = navigate(&page, address, settings, downloads).await?;
    tokio::time::sleep(SETTLE).await;
    let mut measured = measure(&page, request.anchor.as_deref(), true).await?;
    if measured.element.is_some() {
        // Scrolling there may have loaded pictures above it.
        tokio::time::sleep(SETTLE).await;
        measured = measure(&page, request.anchor.as_deref(), true).await?;
    }
    let (clip, cut) = clip(&measured, request.anchor.is_some(), settings);
    let shortened = match (cut, measured.element) {
        (Cut::Element, Some(e)) => e.height > clip.height,
        (Cut::Element, None) | (Cut::WholePage | Cut::ElementMissing, _) => {
            measured.height > clip.height
        }
    };
    let (width_px, height_px) = (pixels(clip.width), pixels(clip.height));
    let png = picture(&page, clip).await?;
    let taken_at = clock.now();
    let anchor = request.anchor.as_deref().filter(|_| cut == Cut::Element);
    let whole_page = match anchor {
        Some(anchor) => Some(whole_page(&page, anchor, settings).await),
        None => None,
    };
    let heard = listener.end();
    let final_url = page.url().await.map_err(broken)?.unwrap_or_else(|| address.url.clone());
    if final_url.starts_with(ERROR_PAGE) {
        return Err(CaptureError::Unreachable { reason: "the page led on to nowhere".to_owned() });
    }
    let title = page.get_title().await.map_err(broken)?;
    let title =
        title.filter(|t| !t.trim().is_empty()).map(|t| t.chars().take(MOST_TITLE_CHARS).collect());
    let version = browser.cdp.version().await.map_err(broken)?.product;
    let archive = match recorder {
        Some((recorder, at)) => {
            let begin = Begin { url: final_url.clone(), at, title: title.clone() };
            let program = version.replace('/', " ");
            let software = format!("{OUR_NAME}, {program}");
            let recorded = recorder.finish(&page, begin, software).await;
            let method =
                |words: &str| format!("Vad {program} laddade för sidan, utan kakor. {words}");
            Some(
                recorded
                    .map(|Recorded { wacz, words }| PageArchive { wacz, method: method(&words) }),
            )
        }
        None => None,
    };
    let http_status = *status.lock().unwrap_or_else(PoisonError::into_inner);
    let facts = Facts { version: &version, settings, whole, cut, shortened, width_px, height_px };
    let method = facts.method();
    let begun = facts.begun();
    let whole_page = whole_page.map(|taken| {
        taken.map(|whole| WholePage { method: format!("{begun}{}", whole.method), ..whole })
    });
    if let Err(error) = page.close().await {
        tracing::debug!(%error, "a page could not be closed");
    }
    let shot = Screenshot {
        png,
        width_px,
        height_px,
        final_url,
        title,
        http_status,
        cut,
        over: measured.over,
        method,
        taken_at,
        whole_page,
        archive,
        // What the gate refused is known when it has closed.
        log: PageLog::default(),
    };
    Ok(Taken { shot, heard })
}

/// Media that may not be copied are asked for by no page, whoever shows them there (regulation 2.2). Holds in frames too,
/// since those of other sites have no process of their own (`process::arguments`). Whatever a page asks of a host where
/// one of them lies waits until it was looked at: a pattern of the browser's own would let other spellings by.
async fn block(
    page: &Page,
    barred: &BarredMedia,
    listeners: &mut JoinSet<()>,
) -> Result<(), CaptureError> {
    let pattern = |host| RequestPattern::builder().url_pattern(format!("*{host}*")).build();
    let patterns: Vec<_> = barred.hosts().into_iter().map(pattern).collect();
    if patterns.is_empty() {
        return Ok(());
    }
    let mut paused = page.event_listener::<EventRequestPaused>().await.map_err(broken)?;
    let hold = fetch::EnableParams::builder().patterns(patterns).build();
    page.execute(hold).await.map_err(broken)?;
    let (page, barred) = (page.clone(), barred.clone());
    listeners.spawn(async move {
        while let Some(asked) = paused.next().await {
            let id = asked.request_id.clone();
            // What cannot be read as an address leads nowhere of ours.
            let is_barred = Url::parse(&asked.request.url).map_or(true, |url| barred.holds(&url));
            let answered = match is_barred {
                true => page
                    .execute(FailRequestParams::new(id, ErrorReason::BlockedByClient))
                    .await
                    .map(drop),
                false => page.execute(ContinueRequestParams::new(id)).await.map(drop),
            };
            if let Err(error) = answered {
                tracing::debug!(%error, "a call of a page could not be answered");
            }
        }
    });
    Ok(())
}

async fn picture(page: &Page, clip: Viewport) -> Result<Vec<u8>, CaptureError> {
    let shot = ScreenshotParams::builder()
        .format(CaptureScreenshotFormat::Png)
        .clip(clip)
        .capture_beyond_viewport(true)
        .build();
    page.screenshot(shot).await.map_err(broken)
}

/// The page from its top, untouched, and where the element stands on it. Why there is none, in Swedish.
async fn whole_page(
    page: &Page,
    anchor: &str,
    settings: &BrowserSettings,
) -> Result<WholePage, String> {
    let take = async {
        measure(page, Some(anchor), false).await?;
        tokio::time::sleep(BACK).await;
        let before = measure(page, Some(anchor), false).await?;
        let (clip, _) = clip(&Measured { element: None, ..before }, false, settings);
        let (width, height) = (clip.width, clip.height);
        let png = picture(page, clip).await?;
        let after = measure(page, Some(anchor), false).await?;
        Ok::<_, CaptureError>((png, before, after, (width, height)))
    };
    let (png, before, after, (width, height)) = match tokio::time::timeout(WHOLE_LIMIT, take).await
    {
        Ok(Ok(taken)) => taken,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a whole page could not be pictured");
            return Err("Hela sidan gick inte att avbilda.".to_owned());
        }
        Err(_) => {
            return Err(format!(
                "Hela sidan gick inte att avbilda inom {} sekunder.",
                WHOLE_LIMIT.as_secs()
            ));
        }
    };
    let mut method = format!("Hela sidan, {width} × {height} bildpunkter.");
    if before.height > height {
        method.push_str(&format!(
            " Sidan är {} bildpunkter hög; det som ligger nedanför bilden är inte med.",
            before.height.ceil()
        ));
    }
    let frame = match (before.element, after.element) {
        (Some(place), Some(still)) if !place.is_near(&still) => {
            Err("det flyttade sig medan bilden togs")
        }
        (Some(place), Some(_)) if place.y >= height || place.x >= width => {
            Err("det står på en del av sidan som inte är med på bilden")
        }
        (Some(place), Some(_)) => Ok(place.area()),
        (None, _) | (_, None) => Err("det fanns inte kvar när bilden togs"),
    };
    if let Err(why) = frame {
        method.push_str(&format!(" Ingen ram är ritad runt inlägget: {why}."));
    }
    let (width_px, height_px) = (pixels(width), pixels(height));
    Ok(WholePage { png, width_px, height_px, frame: frame.ok(), method })
}

/// Answers every question of the page's with no, so that none holds it up.
async fn dismiss_dialogs(page: &Page, listeners: &mut JoinSet<()>) -> Result<(), CaptureError> {
    let mut dialogs =
        page.event_listener::<EventJavascriptDialogOpening>().await.map_err(broken)?;
    let page = page.clone();
    listeners.spawn(async move {
        while dialogs.next().await.is_some() {
            if let Err(error) = page.execute(HandleJavaScriptDialogParams::new(false)).await {
                tracing::debug!(%error, "a page's dialog could not be dismissed");
            }
        }
    });
    Ok(())
}

/// Keeps the status of the last answer for the page itself, which is the one after redirects.
async fn watch_status(
    page: &Page,
    listeners: &mut JoinSet<()>,
) -> Result<Arc<Mutex<Option<u16>>>, CaptureError> {
    let main = page.mainframe().await.map_err(broken)?;
    let mut answers = page.event_listener::<EventResponseReceived>().await.map_err(broken)?;
    let status = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&status);
    listeners.spawn(async move {
        while let Some(answer) = answers.next().await {
            if answer.r#type == ResourceType::Document && answer.frame_id == main {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) =
                    u16::try_from(answer.response.status).ok();
            }
        }
    });
    Ok(status)
}

/// Opens the page; returns whether it was loaded to its end.
async fn navigate(
    page: &Page,
    address: &PageAddress,
    settings: &BrowserSettings,
    downloads: EventStream<EventDownloadWillBegin>,
) -> Result<bool, CaptureError> {
    let main = page.mainframe().await.map_err(broken)?;
    // A frame within the page may try to save what it likes; it will not succeed.
    let mut downloads = std::pin::pin!(downloads.filter(|download| {
        let of_the_page = Some(&download.frame_id) == main.as_ref();
        async move { of_the_page }
    }));
    let load = page.execute(NavigateParams::new(address.url.clone()));
    let loaded = tokio::select! {
        loaded = tokio::time::timeout(settings.load_limit, load) => loaded,
        // A download leaves the page as it was, and the call above would wait for ever.
        Some(_) = downloads.next() => {
            return Err(CaptureError::Unreachable { reason: DOWNLOAD.to_owned() });
        }
    };
    match loaded {
        Ok(Ok(answer)) => match answer.result.error_text {
            None => Ok(true),
            Some(reason) => Err(CaptureError::Unreachable { reason }),
        },
        Ok(Err(error)) if !matches!(error, CdpError::Timeout) => Err(broken(error)),
        // The call answers when the page is loaded. One that never is gets captured as it
        // stands, if there is anything of it at all.
        Ok(Err(_)) | Err(_) => match page.url().await.map_err(broken)? {
            Some(url) if url != BLANK => Ok(false),
            Some(_) | None => Err(CaptureError::TimedOut { after: settings.load_limit }),
        },
    }
}

async fn measure(
    page: &Page,
    anchor: Option<&str>,
    to_element: bool,
) -> Result<Measured, CaptureError> {
    // The identifier goes in as a JSON string, which is a string in JavaScript too.
    let id = serde_json::to_string(&anchor).map_err(|e| CaptureError::Browser(e.into()))?;
    let call = format!("({MEASURE})({id}, {to_element})");
    let answer = page.evaluate_expression(call).await.map_err(broken)?;
    answer.into_value().map_err(|e| CaptureError::Browser(e.into()))
}

/// What the picture shows, in whole-page pixels.
fn clip(measured: &Measured, asked: bool, settings: &BrowserSettings) -> (Viewport, Cut) {
    let width = measured.width.max(1.0);
    let height = measured.height.max(1.0);
    let most = f64::from(settings.most_height_px);
    let viewport =
        |x: f64, y: f64, width: f64, height: f64| Viewport { x, y, width, height, scale: 1.0 };
    // An element without extent cannot be seen, so it counts as missing.
    match measured.element.filter(|e| e.width >= 1.0 && e.height >= 1.0) {
        Some(e) => {
            let left = (e.x - MARGIN_PX).clamp(0.0, width).floor();
            let top = (e.y - MARGIN_PX).clamp(0.0, height).floor();
            let right = (e.x + e.width + MARGIN_PX).clamp(left + 1.0, width.max(left + 1.0));
            let bottom = (e.y + e.height + MARGIN_PX).clamp(top + 1.0, height.max(top + 1.0));
            let tall = (bottom - top).ceil().min(most);
            (viewport(left, top, (right - left).ceil(), tall), Cut::Element)
        }
        None => {
            let cut = if asked { Cut::ElementMissing } else { Cut::WholePage };
            // A page wider than the window is cut at its right edge as a reader sees it.
            let wide = width.min(f64::from(settings.window.width_px)).ceil();
            let tall = height.max(f64::from(settings.window.height_px)).min(most).ceil();
            (viewport(0.0, 0.0, wide, tall), cut)
        }
    }
}

fn pixels(length: f64) -> u32 {
    // Lengths are bounded by the settings and never negative.
    length.round() as u32
}

struct Facts<'a> {
    version: &'a str,
    settings: &'a BrowserSettings,
    whole: bool,
    cut: Cut,
    shortened: bool,
    width_px: u32,
    height_px: u32,
}

impl Facts<'_> {
    /// What holds for each picture of the page.
    fn begun(&self) -> String {
        let window = self.settings.window;
        format!(
            "{}, fönster {} × {} bildpunkter, tidszon {ZONE}, språk {LOCALE}, utan inloggning och kakor. ",
            self.version.replace('/', " "),
            window.width_px,
            window.height_px,
        )
    }

    fn method(&self) -> String {
        let mut words = self.begun();
        words.push_str(match self.cut {
            Cut::WholePage => "Hela sidan",
            Cut::Element => "Beskuren till inlägget",
            Cut::ElementMissing => "Inlägget hittades inte på sidan, därför hela sidan",
        });
        words.push_str(&format!(", {} × {} bildpunkter.", self.width_px, self.height_px));
        if self.shortened {
            words.push_str(match self.cut {
                Cut::Element => " Inlägget är högre än så; det som ligger nedanför är inte med.",
                Cut::WholePage | Cut::ElementMissing => {
                    " Sidan är längre än så; det som ligger nedanför är inte med."
                }
            });
        }
        if !self.whole {
            words.push_str(&format!(
                " Sidan blev inte färdigladdad på {} sekunder och avbildades som den var.",
                self.settings.load_limit.as_secs()
            ));
        }
        words
    }
}
