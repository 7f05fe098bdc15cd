//! Pictures of the live page: asked of the browser, and kept as parts of the evidence.

use url::Url;

use crate::domain::evidence::{FullPage, MissingPart, Part, PartKind};
use crate::domain::item::Permalink;
use crate::domain::page_log::PageLog;
use crate::evidence::NewPart;
use crate::evidence::browser::wall::{lies_over, stands_before};
use crate::evidence::browser::{CaptureRequest, PageArchive, WholePage};
use crate::evidence::fetch::is_at;
use crate::evidence::media::{CopyLeave, PictureLeave};
use crate::formats::wacz;
use crate::store::sqlite::manual::Upload;

use super::capture::{CaptureError, MANY_WAITED, NOTHING_WAITED_FOR, Subject};
use super::{Served, Services};

/// A picture of the page.
pub(super) struct Pictured {
    png: Vec<u8>,
    method: String,
    /// What the page was instead of the one asked for, in Swedish.
    wall: Option<String>,
    /// What the page loaded, where that was asked for.
    archive: Option<Result<PageArchive, String>>,
    /// The whole page, where the picture is cut to the item.
    whole_page: Option<Result<WholePage, String>>,
    /// What the page was refused and what it complained of; nothing where a person handed the picture in.
    log: Option<PageLog>,
}

/// What of it the sheet shows.
#[derive(Default)]
pub(super) struct OnSheet {
    /// The item, or the page where the item was not found on it.
    pub(super) screenshot: Option<Vec<u8>>,
    /// The whole page.
    pub(super) full_page: Option<FullPage>,
    /// What was stopped.
    pub(super) log: Option<PageLog>,
}

impl Services {
    /// A picture of the live page, or why there is none, in Swedish. The browser bounds each page's
    /// time by itself; `hurry` bounds the whole wait.
    pub(super) async fn screenshot(
        &self,
        served: &Served,
        subject: &Subject,
        leave: PictureLeave,
        hurry: Option<std::time::Duration>,
    ) -> Result<Pictured, String> {
        if hurry == Some(NOTHING_WAITED_FOR) {
            return Err(format!("Sidan fotograferades inte: {MANY_WAITED}."));
        }
        let Some(browser) = &self.inner.browser else {
            return Err(self
                .inner
                .no_browser
                .clone()
                .unwrap_or_else(|| "Ingen webbläsare.".into()));
        };
        if subject.is_late {
            return Err("Beviset förseglades efter åtgärden; sidan var då en annan.".into());
        }
        let Some(Permalink { url, .. }) = &subject.item.permalink else {
            return Err("Plattformen har ingen länk till inlägget.".into());
        };
        let anchor = url.split_once('#').map(|(_, anchor)| anchor.to_owned());
        let request = CaptureRequest {
            url: url.clone(),
            anchor,
            allow_private: served
                .private_at
                .as_ref()
                .is_some_and(|own| Url::parse(url).is_ok_and(|url| is_at(own, &url))),
            leave,
            record: self.inner.settings.page_archives,
        };
        let taken = match hurry {
            None => browser.capture(request).await,
            Some(limit) => match tokio::time::timeout(limit, browser.capture(request)).await {
                Ok(taken) => taken,
                Err(_) => {
                    return Err(format!(
                        "Ingen bild hann tas inom {} sekunder, och åtgärden fick inte vänta längre.",
                        limit.as_secs()
                    ));
                }
            },
        };
        match taken {
            Ok(shot) => {
                let wall = stands_before(url, &shot).or_else(|| lies_over(&shot));
                Ok(Pictured {
                    png: shot.png,
                    method: shot.method,
                    wall,
                    archive: shot.archive,
                    whole_page: shot.whole_page,
                    log: Some(shot.log),
                })
            }
            Err(error) => {
                tracing::info!(error = %error, "no screenshot");
                Err(error.swedish())
            }
        }
    }

    /// Keeps what was taken of a page, and gives what of it the sheet shows.
    pub(super) async fn keep_pictures(
        &self,
        leave: &CopyLeave,
        pictured: Pictured,
        parts: &mut Vec<Part>,
        missing: &mut Vec<MissingPart>,
    ) -> Result<OnSheet, CaptureError> {
        let Pictured { png, method, wall, archive, whole_page, log } = pictured;
        let keep = |kind, name: &str, media_type, method: String, bytes| {
            let part = NewPart { kind, name: name.to_owned(), media_type, method, bytes };
            self.inner.evidence.keep(leave, part)
        };
        missing.extend(wall.map(|what| MissingPart {
            kind: PartKind::Screenshot,
            reason: format!(
                "{what}; bilden visar det och inte inlägget. Bevisbladet gäller i stället."
            ),
        }));
        let mut shown = OnSheet { screenshot: Some(png.clone()), full_page: None, log: None };
        parts.push(keep(PartKind::Screenshot, "screenshot.png", "image/png", method, png).await?);
        let kind = PartKind::FullPage;
        match whole_page {
            Some(Ok(WholePage { png, method, frame, .. })) => {
                shown.full_page = Some(FullPage { png: png.clone(), is_framed: frame.is_some() });
                parts.push(keep(kind, "hela-sidan.png", "image/png", method, png).await?);
            }
            Some(Err(reason)) => missing.push(MissingPart { kind, reason }),
            None => {}
        }
        let kind = PartKind::PageArchive;
        match archive {
            Some(Ok(PageArchive { wacz, method })) => {
                parts.push(keep(kind, "sida.wacz", wacz::MEDIA_TYPE, method, wacz).await?);
            }
            Some(Err(reason)) => missing.push(MissingPart { kind, reason }),
            None => {}
        }
        if let Some(log) = log {
            let bytes = serde_json::to_vec_pretty(&log).map_err(|_| CaptureError::BrokenOff)?;
            let (name, method) = ("webbsida-logg.json", log.summary());
            parts.push(keep(PartKind::PageLog, name, "application/json", method, bytes).await?);
            shown.log = Some(log);
        }
        Ok(shown)
    }
}

/// The first PNG that was handed in is the picture of the item, on the sheet too; the others are
/// kept beside it.
pub(super) fn first_picture(uploads: &mut Vec<Upload>, method: &str) -> Result<Pictured, String> {
    let png = |upload: &Upload| upload.media_type == "image/png" && upload.bytes.is_some();
    let first = uploads.iter().position(png).map(|at| uploads.remove(at));
    match first.and_then(|upload| upload.bytes) {
        Some(png) => Ok(Pictured {
            png,
            method: method.to_owned(),
            wall: None,
            archive: None,
            whole_page: None,
            log: None,
        }),
        None if uploads.iter().any(|upload| upload.bytes.is_some()) => {
            Err("Ingen skärmbild som PNG har lagts in; det foto som lades in ligger som bilaga."
                .to_owned())
        }
        None => Err("Ingen skärmbild har lagts in.".to_owned()),
    }
}
