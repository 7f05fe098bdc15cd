//! What hangs on an item (*bilagor*) and the picture that the platform shows of its author: their bytes, fetched when
//! the evidence is taken.
//!
//! By its address alone and as anybody would: addresses of pictures are public or signed, no platform that we
//! serve asks for a token there, and so none can be sent astray. What a file is, its content says. Whatever
//! does not come is stated with its reason and holds no seal up.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::domain::evidence::SheetPicture;
use crate::domain::file_kind::FileKind;
use crate::domain::item::Attachment;
use crate::evidence::fetch::{Bounds, FetchError, FetchLimits, Fetched, Fetcher};
use crate::evidence::media::{NoPicture, PictureLeave};
use crate::formats::preview;

use super::capture::{MANY_WAITED, NOTHING_WAITED_FOR};
use super::{Served, Services};

/// What is no file: it leads on to something, or holds other words.
const NO_FILES: [&str; 7] = ["link", "external", "quote", "poll", "share", "card", "embed"];

/// Attachments that are gone through one by one.
const MOST_LISTED: usize = 100;

/// Pictures that are drawn on the sheet; all of them lie in the package.
const MOST_ON_SHEET: usize = 6;

/// The author's picture stands on every comment and proves least: nobody waits long for it.
const AUTHOR_WITHIN: Duration = Duration::from_secs(5);

/// What the file of the author's picture is called, without its ending.
pub(super) const AUTHOR_PICTURE: &str = "forfattarens-bild";

/// Of a platform's word for a type, so many characters are told.
const MOST_WORD_CHARS: usize = 120;

/// What hung on an item, as it goes into the evidence.
#[derive(Default)]
pub(super) struct Hung {
    pub(super) files: Vec<File>,
    /// Why something is missing, one sentence each.
    pub(super) missing: Vec<String>,
}

/// What is fetched to an item.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) attachments: &'a [Attachment],
    /// Where the author's picture is.
    pub(super) author: Option<&'a str>,
}

impl Wanted<'_> {
    /// What it is called where none of it is fetched; nothing where there is nothing to fetch.
    const fn called(self) -> Option<&'static str> {
        match (self.attachments.is_empty(), self.author) {
            (true, None) => None,
            (true, Some(_)) => Some("Bilden av författaren"),
            (false, None) => Some("Bilagorna"),
            (false, Some(_)) => Some("Bilagorna och bilden av författaren"),
        }
    }
}

/// One file.
pub(super) struct File {
    pub(super) kind: FileKind,
    pub(super) name: String,
    pub(super) method: String,
    pub(super) bytes: Vec<u8>,
}

/// A stranger's word, as it may stand in a sentence of ours: letters, digits and plain signs, on one line.
fn plain(word: &str) -> String {
    let plain = word.chars().filter(|c| c.is_alphanumeric() || c.is_ascii_graphic() || *c == ' ');
    plain.take(MOST_WORD_CHARS).collect()
}

/// How an attachment is called in a sentence.
fn called(number: usize, attachment: &Attachment) -> String {
    let name = attachment.name.as_deref().unwrap_or(&attachment.kind);
    format!("Bilaga {number} ({})", plain(name))
}

/// Where it is; an address without a host stands on the item's own page.
fn address(at: Option<&str>, page: Option<&str>) -> Option<String> {
    let address = at.filter(|address| !address.is_empty())?;
    match (Url::parse(address), page.and_then(|page| Url::parse(page).ok())) {
        (Err(url::ParseError::RelativeUrlWithoutBase), Some(page)) => {
            Some(page.join(address).map_or_else(|_| address.to_owned(), Into::into))
        }
        (Ok(_) | Err(_), _) => Some(address.to_owned()),
    }
}

impl Services {
    /// Fetches what hangs on the item of a `page`, and its author's picture, within the limits of a record, and within `hurry`.
    pub(super) async fn attachments(
        &self,
        served: &Served,
        wanted: Wanted<'_>,
        page: Option<&str>,
        leave: Result<PictureLeave, NoPicture>,
        hurry: Option<Duration>,
    ) -> Hung {
        let mut hung = Hung::default();
        let Some(all) = wanted.called() else { return hung };
        let Wanted { attachments, author } = wanted;
        let leave = match leave {
            Ok(leave) => leave,
            Err(why) => {
                hung.missing.push(format!("{all} hämtades inte: {}.", why.because()));
                return hung;
            }
        };
        let Some(fetcher) = &self.inner.fetcher else {
            hung.missing
                .push(format!("{all} hämtades inte: nätet gick inte att förbereda på servern."));
            return hung;
        };
        if hurry == Some(NOTHING_WAITED_FOR) {
            hung.missing.push(format!("{all} hämtades inte: {MANY_WAITED}."));
            return hung;
        }
        let limits = self.inner.settings.fetch;
        let within = hurry.map_or(limits.record_time, |hurry| hurry.min(limits.record_time));
        let mut course = Course { fetcher, limits, leave, ends: Instant::now() + within, taken: 0 };
        let mut asked: Vec<String> = Vec::new();
        if attachments.len() > MOST_LISTED {
            let more = attachments.len() - MOST_LISTED;
            hung.missing
                .push(format!("{more} bilagor utöver de {MOST_LISTED} första gicks inte igenom."));
        }
        for (n, attachment) in attachments.iter().take(MOST_LISTED).enumerate() {
            let called = called(n + 1, attachment);
            let Some(address) = address(attachment.url.as_deref(), page) else {
                hung.missing
                    .push(format!("{called}: plattformen anger ingen adress till innehållet."));
                continue;
            };
            if NO_FILES.contains(&attachment.kind.as_str()) {
                hung.missing.push(format!("{called} är en länk eller ett citat, ingen fil."));
                continue;
            }
            // The same address has the same bytes, or was refused for the same reason.
            if asked.contains(&address) {
                continue;
            }
            asked.push(address.clone());
            if hung.files.len() >= limits.files {
                let why = format!("högst {} filer hämtas till ett bevis", limits.files);
                hung.missing.push(format!("{called} hämtades inte: {why}."));
                continue;
            }
            let own = served.private_at.as_ref();
            match course.fetch(&address, own, limits.record_time).await {
                Ok((kind, fetched)) => {
                    let word = plain(&attachment.kind);
                    let what = format!("plattformens bilaga {} ({word})", n + 1);
                    let method = self.told(&what, kind, &fetched);
                    let name = format!("bilaga-{}.{}", n + 1, kind.ending());
                    hung.files.push(File { kind, name, method, bytes: fetched.bytes });
                }
                Err(why) => hung.missing.push(format!("{called} hämtades inte: {why}.")),
            }
        }
        if let Some(address) = address(author, page) {
            let fetched = course.fetch(&address, served.private_at.as_ref(), AUTHOR_WITHIN).await;
            match fetched.map(|(kind, fetched)| (kind.is_drawn().then_some(kind), fetched)) {
                Ok((Some(kind), fetched)) => {
                    let method =
                        self.told("bilden som plattformen visar av författaren", kind, &fetched);
                    let name = format!("{AUTHOR_PICTURE}.{}", kind.ending());
                    hung.files.push(File { kind, name, method, bytes: fetched.bytes });
                }
                Ok((None, _)) => hung
                    .missing
                    .push("Bilden av författaren hämtades inte: innehållet är ingen bild.".into()),
                Err(why) => {
                    hung.missing.push(format!("Bilden av författaren hämtades inte: {why}."));
                }
            }
        }
        hung
    }

    /// How a file came, for the manifest.
    fn told(&self, what: &str, kind: FileKind, fetched: &Fetched) -> String {
        let host = |at: &Url| at.host_str().unwrap_or_default().to_owned();
        let mut hosts: Vec<String> = fetched.hops.iter().map(|hop| host(&hop.address)).collect();
        hosts.dedup();
        let mut told = format!(
            "{what}, hämtad utan inloggning från {} {}; typen avgjord efter innehållet",
            hosts.join(" och sedan "),
            self.inner.clock.now(),
        );
        let stated = fetched.stated_type.as_deref().map(|stated| {
            let essence = stated.split(';').next().unwrap_or_default().trim();
            essence.to_ascii_lowercase()
        });
        match stated {
            Some(stated) if stated == kind.media_type() => {}
            Some(stated) => told.push_str(&format!(", servern kallar den {stated}")),
            None => told.push_str(", servern anger ingen typ"),
        }
        told
    }
}

impl NoPicture {
    /// Why nothing is fetched, as the end of a sentence.
    const fn because(self) -> &'static str {
        match self {
            Self::Barred => "på samma sida står, eller kan stå, ett inlägg som inte får kopieras",
            Self::Unassessed => {
                "på samma sida står, eller kan stå, ett inlägg som inte är bedömt än"
            }
            Self::Unread => {
                "Uppsikt kunde inte bedöma texten, och ingen hade läst den när beviset togs"
            }
            Self::Unknown => "det gick inte att avgöra om något på sidan inte får kopieras",
        }
    }
}

/// The fetching for one record.
struct Course<'a> {
    fetcher: &'a Fetcher,
    limits: FetchLimits,
    leave: PictureLeave,
    ends: Instant,
    /// Bytes so far.
    taken: u64,
}

impl Course<'_> {
    /// One file, or why it is not there, as the end of a sentence.
    async fn fetch(
        &mut self,
        address: &str,
        private_at: Option<&Url>,
        most: Duration,
    ) -> Result<(FileKind, Fetched), String> {
        let within = self.ends.saturating_duration_since(Instant::now()).min(most);
        let left = self.limits.record_bytes.saturating_sub(self.taken);
        if within.is_zero() {
            return Err("tiden för att hämta bilagor var slut".into());
        }
        if left == 0 {
            return Err("bilagorna är större än vad som ryms i ett bevis".into());
        }
        let most_bytes = self.limits.file_bytes.min(left);
        let bounds = Bounds { most_bytes, within };
        let fetched = match self.fetcher.fetch(&self.leave, address, private_at, bounds).await {
            Ok(fetched) => fetched,
            Err(error) => {
                let shown = &error as &dyn std::error::Error;
                tracing::info!(error = shown, "an attachment was not fetched");
                return Err(match error {
                    FetchError::TooLarge { .. } if left < self.limits.file_bytes => {
                        "bilagorna är större än vad som ryms i ett bevis".into()
                    }
                    error => error.swedish(),
                });
            }
        };
        // What is let go again was in memory all the same.
        let Some(kind) = FileKind::of(&fetched.bytes) else {
            return Err("innehållet är varken bild, film, ljud eller PDF".into());
        };
        self.taken += fetched.bytes.len() as u64;
        Ok((kind, fetched))
    }
}

/// The pictures among files, drawn small for the sheet. Call it from a thread that may block.
pub(super) fn drawn_for_sheet(files: &[File]) -> Vec<SheetPicture> {
    let pictures = files.iter().filter(|file| file.kind.is_drawn());
    let drawn = pictures.filter_map(|file| {
        // What cannot be drawn is listed with its hash like any other file.
        let drawn = preview::small(&file.bytes, preview::ON_SHEET).ok()?;
        let preview::Drawn { png, width, height } = drawn;
        let of_author = file.name.starts_with(AUTHOR_PICTURE);
        Some(SheetPicture { name: file.name.clone(), of_author, png, width, height })
    });
    drawn.take(MOST_ON_SHEET).collect()
}
