//! Pictures of live pages by headless Chromium (*skärmbild*), kept apart from everything else.
//!
//! One page at a time, each in a context of its own without cookies or log-in; a profile in a
//! temporary folder that is removed; no environment of ours, so no secret reaches it; all its
//! traffic through [`gate`], which alone decides which addresses may be reached. Whatever happens
//! to us, a watcher takes the browser's whole process group down.
//!
//! What it never does: follow links, click, log in, save downloads.

pub mod address;
#[cfg(feature = "browser")]
mod capture;
#[cfg(feature = "browser")]
mod gate;
#[cfg(feature = "browser")]
mod log;
#[cfg(feature = "browser")]
mod process;
#[cfg(feature = "browser")]
mod record;
#[cfg(feature = "browser")]
mod shared;
#[cfg(all(test, feature = "browser"))]
mod tests;
pub mod wall;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::page_log::PageLog;
use crate::evidence::media::{NoPicture, PictureLeave};
use crate::formats::framed::Area;
use crate::runtime::clock::Clock;

/// Where Chromium is looked for when the settings name no place.
pub const USUAL_PLACES: &[&str] = &[
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/usr/bin/google-chrome-stable",
];

/// Whether Chromium's own sandbox must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sandbox {
    /// On, except where we run as root (so that Chromium runs as nobody) on a machine that lets nobody make one;
    /// then a warning is logged.
    #[default]
    UnlessRoot,
    /// On; where there can be none nothing is captured.
    Always,
}

/// The window in which pages are shown, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Width.
    pub width_px: u32,
    /// Height.
    pub height_px: u32,
}

/// How pages are captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserSettings {
    /// Chromium's program file; `None` looks in [`USUAL_PLACES`].
    pub executable: Option<PathBuf>,
    /// Whether the sandbox must hold.
    pub sandbox: Sandbox,
    /// The window.
    pub window: Window,
    /// How long a page may take to load before it is captured as it stands.
    pub load_limit: Duration,
    /// How long a page may take from when its turn has come until its picture is there; after that
    /// the browser is ended.
    pub capture_limit: Duration,
    /// How long Chromium may take to start.
    pub start_limit: Duration,
    /// After so many pages a new browser is started.
    pub pages_per_process: u32,
    /// Above so much memory (resident, all its processes, shared pages counted in each) a new
    /// browser is started before the next page.
    pub memory_limit_bytes: u64,
    /// How many hosts a page may ask; the next ones are refused.
    pub most_hosts: usize,
    /// How many bytes they may send for one page, in all; then nothing more comes.
    pub most_bytes: u64,
    /// Pictures end at this height; what lies below is left out, and `method` says so.
    pub most_height_px: u32,
    /// Folder for profiles; `None` is the system's temporary folder.
    pub profiles: Option<PathBuf>,
}

impl Default for BrowserSettings {
    fn default() -> Self {
        Self {
            executable: None,
            sandbox: Sandbox::default(),
            window: Window { width_px: 1280, height_px: 900 },
            load_limit: Duration::from_secs(15),
            // Well within the minute that the design gives the sealing of evidence.
            capture_limit: Duration::from_secs(30),
            start_limit: Duration::from_secs(20),
            pages_per_process: 50,
            memory_limit_bytes: 1_500_000_000,
            // Pages of newspapers ask some hundred.
            most_hosts: 300,
            most_bytes: 200_000_000,
            most_height_px: 20_000,
            profiles: None,
        }
    }
}

/// What to take a picture of.
#[derive(Clone, Debug)]
pub struct CaptureRequest {
    /// The page; `http` or `https`.
    pub url: String,
    /// The `id` of the element that the picture should be cut to, for example `comment-57`.
    pub anchor: Option<String>,
    /// Whether the page's own host and port may lie on a private network, as the municipality's own
    /// site may. Nothing else may, whatever the page asks for. Never to be set for an address that a
    /// stranger chose.
    pub allow_private: bool,
    /// That a picture of the page may be taken at all. Asked once more when its turn has come.
    pub leave: PictureLeave,
    /// Whether what the page loads is kept too, as a web archive.
    pub record: bool,
}

/// How the picture was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The whole page, as asked.
    WholePage,
    /// The element that was asked for, with some margin.
    Element,
    /// The whole page, because the element that was asked for is not on it.
    ElementMissing,
}

/// What a page loaded, as a web archive.
#[derive(Clone, PartialEq, Eq)]
pub struct PageArchive {
    /// The archive (WACZ).
    pub wacz: Vec<u8>,
    /// In plain Swedish: program, version, how much is in it and what was left out.
    pub method: String,
}

/// Its bytes stay out of logs.
impl fmt::Debug for PageArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageArchive")
            .field("size_bytes", &self.wacz.len())
            .field("method", &self.method)
            .finish()
    }
}

/// A picture of a whole page, beside the one that is cut to an element of it.
#[derive(Clone, PartialEq, Eq)]
pub struct WholePage {
    /// The picture, PNG.
    pub png: Vec<u8>,
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// Around what of it we drew a frame, on the picture and never on the page; nothing where none could be.
    pub frame: Option<Area>,
    /// In plain Swedish, also of the frame.
    pub method: String,
}

/// Without the picture.
impl fmt::Debug for WholePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WholePage")
            .field("size_bytes", &self.png.len())
            .field("frame", &self.frame)
            .finish_non_exhaustive()
    }
}

/// A picture of a page.
#[derive(Clone, PartialEq, Eq)]
pub struct Screenshot {
    /// The picture, PNG.
    pub png: Vec<u8>,
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// The address after redirects.
    pub final_url: String,
    /// The page's title.
    pub title: Option<String>,
    /// What the server answered for the page itself; `None` where none was seen.
    pub http_status: Option<u16>,
    /// How the picture was cut.
    pub cut: Cut,
    /// What lay over the item, or over the page where the picture is of that.
    pub over: Option<Over>,
    /// In plain Swedish: program, version, window, zone, language, and what was not as wished.
    pub method: String,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// What the page loaded, or why that was not kept, in Swedish; nothing where it was not asked for.
    pub archive: Option<Result<PageArchive, String>>,
    /// The whole page with a frame around the element, or why there is no picture of it, in Swedish; nothing where
    /// the picture is of the whole page already.
    pub whole_page: Option<Result<WholePage, String>>,
    /// What the page was refused and what it complained of.
    pub log: PageLog,
}

/// What lies over what was asked for: a dialog, or a box that does not scroll with the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// It asks about cookies.
    Cookies,
    /// It asks for a log-in.
    Login,
    /// Something else.
    Other,
}

/// Without the picture and the page's own words, so that neither can end up in a log.
impl fmt::Debug for Screenshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screenshot")
            .field("size_bytes", &self.png.len())
            .field("width_px", &self.width_px)
            .field("height_px", &self.height_px)
            .field("http_status", &self.http_status)
            .field("cut", &self.cut)
            .field("method", &self.method)
            .field("taken_at", &self.taken_at)
            .finish_non_exhaustive()
    }
}

/// The page could not be captured.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Chromium is not installed.
    #[error("no Chromium found; looked at {}", list(.looked_at))]
    NoBrowser {
        /// The places that were looked at.
        looked_at: Vec<PathBuf>,
    },
    /// The program runs as root, Chromium did not start with a sandbox, and the settings demand one.
    #[error("Chromium has no sandbox here; run as a user of its own")]
    NoSandbox,
    /// This build has no browser in it.
    #[error("this build cannot capture pages: it was made without the browser feature")]
    NotBuiltIn,
    /// The address is none that may be opened.
    #[error("the address may not be opened: {0}")]
    Address(#[from] address::AddressError),
    /// The page, or a page it led on to, lies on a private network.
    #[error("{host} lies on a private network")]
    Private {
        /// The host.
        host: String,
    },
    /// What stands on the page may not be copied, as came to be known while the browser was awaited.
    #[error("no picture may be taken of the page any more")]
    NotAllowed(NoPicture),
    /// The page cannot be reached.
    #[error("the page cannot be reached: {reason}")]
    Unreachable {
        /// Chromium's name for the reason, for example `net::ERR_NAME_NOT_RESOLVED`.
        reason: String,
    },
    /// It took too long.
    #[error("no picture within {} s", .after.as_secs())]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// Chromium did not start.
    #[error("Chromium did not start: {0}")]
    Start(String),
    /// A file or process of the browser's could not be handled.
    #[error("the browser's files or processes could not be handled")]
    Io(#[from] std::io::Error),
    /// Chromium broke down or did not answer as agreed.
    #[error("Chromium broke down")]
    Browser(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl CaptureError {
    /// The reason in Swedish, for the manifest's list of what is missing and for the editor.
    pub fn swedish(&self) -> String {
        match self {
            Self::NoBrowser { looked_at } => format!(
                "Chromium är inte installerat på servern (sökte på {}).",
                list(looked_at)
            ),
            Self::NotAllowed(why) => why.swedish().to_owned(),
            Self::NoSandbox => {
                "Chromium kunde inte starta med sin sandlåda, och får inte köras utan den när tjänsten är root. Tjänsten behöver en egen användare."
                    .to_owned()
            }
            Self::NotBuiltIn => "Programmet är byggt utan stöd för skärmbilder.".to_owned(),
            Self::Address(error) => error.swedish(),
            Self::Private { host } => format!(
                "Sidan ligger på ett privat nät ({host}), vilket kontots inställningar inte tillåter."
            ),
            Self::Unreachable { reason } => format!("Sidan gick inte att nå ({reason})."),
            Self::TimedOut { after } => {
                format!("Sidan gav ingen bild inom {} sekunder.", after.as_secs())
            }
            Self::Start(_) => "Chromium gick inte att starta på servern.".to_owned(),
            Self::Io(_) => {
                "Serverns disk eller processer gav fel när sidan skulle avbildas.".to_owned()
            }
            Self::Browser(_) => "Chromium slutade fungera medan sidan avbildades.".to_owned(),
        }
    }
}

/// Takes pictures, one at a time. Cheap to clone; the clones share one Chromium, which is started
/// at the first picture and ended with the last clone.
#[derive(Clone)]
pub struct Browser {
    #[cfg(feature = "browser")]
    inner: std::sync::Arc<shared::Shared>,
}

#[cfg(feature = "browser")]
impl Browser {
    /// A browser that is not started yet.
    pub fn new(settings: BrowserSettings, clock: Clock) -> Self {
        Self { inner: std::sync::Arc::new(shared::Shared::new(settings, clock)) }
    }

    /// Where Chromium is, for `doctor` and for saying beforehand what is lacking.
    ///
    /// # Errors
    /// [`CaptureError::NoBrowser`] with the places looked at.
    pub fn executable(&self) -> Result<PathBuf, CaptureError> {
        self.inner.executable()
    }

    /// Takes a picture of a page. Must run on a tokio runtime. Where the future is dropped while a
    /// page is open, the browser is ended with the page.
    ///
    /// # Errors
    /// [`CaptureError`]; every variant has its Swedish sentence.
    pub async fn capture(&self, request: CaptureRequest) -> Result<Screenshot, CaptureError> {
        self.inner.capture(request).await
    }

    /// Ends Chromium now and waits until it is gone. It is started again when needed.
    pub async fn stop(&self) {
        self.inner.stop().await;
    }
}

/// The same face in a build without the browser.
#[cfg(not(feature = "browser"))]
impl Browser {
    /// Nothing that could be started.
    pub fn new(_settings: BrowserSettings, _clock: Clock) -> Self {
        Self {}
    }

    /// Where Chromium is.
    ///
    /// # Errors
    /// Always [`CaptureError::NotBuiltIn`].
    pub fn executable(&self) -> Result<PathBuf, CaptureError> {
        Err(CaptureError::NotBuiltIn)
    }

    /// Takes a picture of a page.
    ///
    /// # Errors
    /// Always [`CaptureError::NotBuiltIn`].
    pub async fn capture(&self, _request: CaptureRequest) -> Result<Screenshot, CaptureError> {
        Err(CaptureError::NotBuiltIn)
    }

    /// There is nothing to end.
    pub async fn stop(&self) {}
}
