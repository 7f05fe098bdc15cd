//! One run, from its content to its leaf in the log.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use crate::domain::archive_run::{
    FileKind, NotCaptured, Occasion, RunFile, RunManifest, first_day,
};
use crate::domain::calendar::{local, start_of_day};
use crate::domain::dossier::{Chapter, ChapterPicture, Dossier};
use crate::domain::evidence::TEXT_NOT_COPIED;
use crate::domain::ids::{AccountId, PlatformItemId};
use crate::domain::item::{Author, FetchedItem, FetchedPost, ItemKind, Presence};
use crate::domain::text::capitalised;
use crate::evidence::browser::wall::stands_before;
use crate::evidence::browser::{CaptureError, CaptureRequest, PageArchive, Screenshot};
use crate::evidence::fetch::is_at;
use crate::evidence::media::NoPicture;
use crate::formats::sheet::render_dossier;
use crate::formats::wacz;
use crate::services::archive::broken;
use crate::services::dossiers::time;
use crate::services::{Change, Served, ServiceError, Services};
use crate::store::sqlite::archive_runs::{OnPage, RunEnd, RunRow};

use super::{Hindered, MANIFEST, system};

/// Version of the manifest's shape.
const FORMAT: u32 = 1;
/// So many steps the platform is asked for older content, at most.
const MOST_STEPS: usize = 200;
/// And so long.
const FILL_LIMIT: Duration = Duration::from_secs(600);
/// So many of the newest lines stand in the document; all stand in the file.
const MOST_ROWS: usize = 400;
/// So much of each text, in characters.
const MOST_ROW_CHARS: usize = 240;

/// A line of the content.
#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    under: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a Author>,
    by_us: bool,
    text: &'a str,
    created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<Timestamp>,
    permalink: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence: Option<&'static str>,
    /// Fetched for this run, since it was not known.
    filled: bool,
}

/// What stands on the page, each with whether it was fetched for this run.
struct Content {
    lines: Vec<(OnPage, bool)>,
    from: Timestamp,
    to: Timestamp,
}

/// The page.
struct Pictured {
    shot: Screenshot,
    url: String,
}

/// The page as the document shows it.
struct PageView {
    png: Vec<u8>,
    url: String,
    taken_at: Timestamp,
    title: Option<String>,
    method: String,
}

/// Why there is no picture of the page.
enum NoPage {
    /// There will be none.
    Never(String),
    /// There may be one later.
    Later(String),
}

/// Whether others see such a thing on the account's page.
const fn stands_on_page(kind: ItemKind) -> bool {
    match kind {
        ItemKind::Comment | ItemKind::Reply | ItemKind::PostByOther | ItemKind::Review => true,
        ItemKind::Mention | ItemKind::DirectMessage => false,
    }
}

fn filled_post(post: FetchedPost) -> OnPage {
    OnPage {
        platform_id: post.platform_id.as_str().to_owned(),
        kind: None,
        under: None,
        title: post.title,
        author: None,
        by_us: true,
        text: post.text,
        created_at: post.created_at,
        edited_at: None,
        permalink: post.permalink,
        attachments: None,
        presence: None,
        no_copy: false,
        secret: false,
    }
}

fn filled_item(item: FetchedItem) -> OnPage {
    let under = item.parent_id.map(|id| id.as_str().to_owned());
    OnPage {
        platform_id: item.platform_id.as_str().to_owned(),
        kind: Some(item.kind),
        under: under.or_else(|| item.post_id.map(|id| id.as_str().to_owned())),
        title: None,
        author: Some(item.author),
        by_us: item.by_us,
        text: item.text,
        created_at: item.created_at,
        edited_at: item.edited_at,
        permalink: item.permalink.map(|link| link.url),
        attachments: serde_json::to_string(&item.attachments).ok(),
        presence: Some(item.presence),
        no_copy: false,
        secret: false,
    }
}

/// What stands in place of a text whose case has a secrecy mark.
const SECRET: &str = "[Sekretessmarkerat. Texten finns i ärendets egna bevis.]";

/// What may not be copied, or is for a smaller circle than the run, is told of, and nothing else of it.
fn without_copies(line: &mut OnPage) {
    let instead = match (line.no_copy, line.secret) {
        (true, _) => TEXT_NOT_COPIED,
        (false, true) => SECRET,
        (false, false) => return,
    };
    line.text = instead.into();
    (line.author, line.attachments, line.permalink) = (None, None, None);
}

fn jsonl(content: &Content) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::new();
    for (line, filled) in &content.lines {
        let attachments = line.attachments.as_deref().map(serde_json::from_str);
        let said = Line {
            kind: line.kind.map_or("post", ItemKind::id),
            id: &line.platform_id,
            under: line.under.as_deref(),
            title: line.title.as_deref(),
            author: line.author.as_ref(),
            by_us: line.by_us,
            text: &line.text,
            created_at: line.created_at,
            edited_at: line.edited_at,
            permalink: line.permalink.as_deref(),
            attachments: attachments.transpose()?,
            presence: line.presence.map(Presence::id),
            filled: *filled,
        };
        serde_json::to_writer(&mut bytes, &said)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

fn row(line: &OnPage) -> Vec<String> {
    let name =
        line.author.as_ref().and_then(|author| author.name.clone().or(author.handle.clone()));
    let by = match (line.by_us, name) {
        (true, _) => "Myndigheten".to_owned(),
        (false, Some(name)) => name,
        (false, None) => "(namn saknas)".to_owned(),
    };
    let whole = match &line.title {
        Some(title) => format!("{title}: {}", line.text),
        None => line.text.clone(),
    };
    let mut text: String = whole.chars().take(MOST_ROW_CHARS).collect();
    if whole.chars().nth(MOST_ROW_CHARS).is_some() {
        text.push('…');
    }
    let when = line.created_at.map_or_else(|| "(tid saknas)".into(), time);
    let what = capitalised(line.kind.map_or("inlägg", ItemKind::label));
    vec![when, format!("{what}, {by}"), text]
}

impl Services {
    /// Makes a run. `last` ends it also without what may come later.
    pub(super) async fn make_run(&self, run: &RunRow, last: bool) -> Result<(), Hindered> {
        let Some(served) = self.served(run.account) else {
            let problem =
                "Kontot finns inte i inställningarna. Lägg tillbaka det så görs körningen.";
            return Err(Hindered { problem: problem.into(), error: None });
        };
        let mut gaps = Vec::new();
        let content = self.content(&served, run.account, &mut gaps).await?;
        let page = match self.page(&served, run.account).await? {
            Ok(page) => Some(page),
            Err(NoPage::Later(why)) if !last => return Err(Hindered { problem: why, error: None }),
            Err(NoPage::Later(why) | NoPage::Never(why)) => {
                gaps.push(NotCaptured { what: "Bild och webbarkiv av sidan".into(), why });
                None
            }
        };
        let manifest = self.keep(&served, run, &content, page, gaps).await?;
        let has_picture = manifest.files.iter().any(|file| file.kind == FileKind::Picture);
        let hash = self.inner.evidence.keep_run(&manifest).await.map_err(broken)?;
        let end = RunEnd {
            manifest: hash,
            content: (content.from, content.to),
            files: manifest.files.iter().map(|file| file.sha256).collect(),
            has_picture,
        };
        let by = system("archive.done", &served.account);
        self.inner.store.end_run(run.id, end, by, manifest.ended_at).await?;
        self.note_log().await;
        self.tell(Change::Account(run.account));
        tracing::info!(
            run.id = %run.id,
            n_files = manifest.files.len(),
            n_not_captured = manifest.not_captured.len(),
            "an archive run is done"
        );
        Ok(())
    }

    /// All that stands on the page since the last run, or for as long as the policy lets lie between two.
    async fn content(
        &self,
        served: &Served,
        account: AccountId,
        gaps: &mut Vec<NotCaptured>,
    ) -> Result<Content, Hindered> {
        let (store, to) = (&self.inner.store, self.inner.clock.now());
        let last = store.last_runs().await?.into_iter().find(|(id, ..)| *id == account);
        let archive = &self.policy_of(account).duties.archive;
        let from = match last.and_then(|(_, ended, _)| ended) {
            Some((_, content_to)) => content_to,
            None => {
                let first = first_day(archive, local(to).date());
                start_of_day(first).unwrap_or(Timestamp::MIN)
            }
        };
        let known = store.on_page(account, from, to).await?;
        let mut lines: Vec<_> = known.into_iter().map(|line| (line, false)).collect();
        let since = store.accounts_since().await?.into_iter().find(|(id, _)| *id == account);
        if let Some((_, since)) = since.filter(|(_, since)| *since > from) {
            self.fill(served, (from, to), since, &mut lines, gaps).await?;
        }
        let n_barred = lines.iter().filter(|(line, _)| line.no_copy).count();
        if n_barred > 0 {
            gaps.push(NotCaptured {
                what: format!("Texten i {n_barred} inlägg"),
                why: "Får inte kopieras: misstänkt barnpornografibrott (brottsbalken 16:10 a)."
                    .into(),
            });
        }
        for (line, _) in &mut lines {
            without_copies(line);
        }
        lines.sort_by(|(a, _), (b, _)| {
            (a.created_at, &a.platform_id).cmp(&(b.created_at, &b.platform_id))
        });
        Ok(Content { lines, from, to })
    }

    /// Older content, from the platform: what was written before the account came to be read here.
    async fn fill(
        &self,
        served: &Served,
        (from, to): (Timestamp, Timestamp),
        since: Timestamp,
        lines: &mut Vec<(OnPage, bool)>,
        gaps: &mut Vec<NotCaptured>,
    ) -> Result<(), Hindered> {
        let what = format!("En del av det som skrevs före {}", local(since).date());
        let mut missing = |why: String| gaps.push(NotCaptured { what: what.clone(), why });
        let mut known: BTreeSet<String> =
            lines.iter().map(|(line, _)| line.platform_id.clone()).collect();
        let in_span = |at: Option<Timestamp>| at.is_some_and(|at| from <= at && at < to);
        let until = tokio::time::Instant::now() + FILL_LIMIT;
        let (mut cursor, mut walk, mut found) = (None, None, Vec::new());
        for step in 0.. {
            if step >= MOST_STEPS {
                missing("Plattformen lämnar för mycket på en gång; det äldsta är inte med.".into());
                break;
            }
            // From the beginning, as far as the platform lists: some go on from a position, others page by page. No
            // position is stored. What runs out of time is the
            // reading: a renewal of the login that it began ends by itself.
            let asked = served.platform.fetch(cursor.as_ref(), walk.as_ref());
            let batch = match tokio::time::timeout_at(until, asked).await {
                Ok(Ok(batch)) => batch,
                Ok(Err(error)) => {
                    missing(error.swedish());
                    break;
                }
                Err(_) => {
                    missing("Plattformen svarade inte i tid.".into());
                    break;
                }
            };
            if let Some(gap) = batch.gap {
                missing(gap);
            }
            let posts = batch.posts.into_iter().filter(|post| in_span(post.created_at));
            let items = batch.items.into_iter().filter(|item| {
                in_span(item.created_at)
                    && stands_on_page(item.kind)
                    && matches!(item.presence, Presence::Visible | Presence::Unknown)
            });
            for line in posts.map(filled_post).chain(items.map(filled_item)) {
                if known.insert(line.platform_id.clone()) {
                    found.push(line);
                }
            }
            cursor = batch.next.or(cursor);
            walk = batch.walk;
            if walk.is_none() {
                break;
            }
        }
        self.mark_barred(served.account.id, &mut found).await?;
        lines.extend(found.into_iter().map(|line| (line, true)));
        Ok(())
    }

    /// What was just fetched, held against what is barred and what would be had it been fetched before.
    async fn mark_barred(
        &self,
        account: AccountId,
        found: &mut Vec<OnPage>,
    ) -> Result<(), Hindered> {
        let ids = found.iter().map(|line| PlatformItemId::new(line.platform_id.as_str())).collect();
        let (barred, unknown) = self.inner.store.barred_or_unknown(account, ids).await?;
        // What the store knows and did not give (disposed of, hidden, gone) does not come back this way.
        let is_among = |ids: &[PlatformItemId], line: &OnPage| {
            ids.iter().any(|id| id.as_str() == line.platform_id)
        };
        found.retain(|line| {
            line.kind.is_none() || is_among(&unknown, line) || is_among(&barred, line)
        });
        let texts = found.iter().map(|line| line.text.clone()).collect();
        let Some(bars) = self.bars_copying(texts).await else {
            let problem = "Det gick inte att avgöra om något av det äldre inte får kopieras.";
            return Err(Hindered { problem: problem.into(), error: None });
        };
        for (line, bars) in found.iter_mut().zip(bars) {
            let id = line.platform_id.as_str();
            line.no_copy = bars || barred.iter().any(|barred| barred.as_str() == id);
        }
        Ok(())
    }

    /// The account's page in the browser.
    async fn page(
        &self,
        served: &Served,
        account: AccountId,
    ) -> Result<Result<Pictured, NoPage>, Hindered> {
        let own = served.private_at.as_ref().map(ToString::to_string);
        let card = self.inner.store.cards().await?.into_iter().find(|row| row.account == account);
        let told = card.map(|row| row.card.address).filter(|address| !address.is_empty());
        let Some(url) = told.or(own) else {
            let why = "Kontots adress står inte i kontoregistret, så sidan kan inte öppnas.";
            return Ok(Err(NoPage::Never(why.into())));
        };
        let Some(browser) = &self.inner.browser else {
            let why = self.inner.no_browser.clone().unwrap_or_else(|| "Ingen webbläsare.".into());
            return Ok(Err(NoPage::Never(why)));
        };
        let leave = match self.inner.evidence.page_leave(account).await {
            Ok(leave) => leave,
            Err(why) => return Ok(Err(no_leave(why))),
        };
        let request = CaptureRequest {
            allow_private: served
                .private_at
                .as_ref()
                .is_some_and(|own| Url::parse(&url).is_ok_and(|url| is_at(own, &url))),
            url: url.clone(),
            anchor: None,
            leave,
            record: true,
        };
        Ok(match browser.capture(request).await {
            Ok(shot) => match stands_before(&url, &shot) {
                Some(what) => Err(NoPage::Never(format!("{what}, i stället för sidan."))),
                None => Ok(Pictured { shot, url }),
            },
            Err(CaptureError::NotAllowed(why)) => Err(no_leave(why)),
            Err(error) => {
                tracing::info!(%error, "no picture of an account's page");
                Err(if may_pass(&error) {
                    NoPage::Later(error.swedish())
                } else {
                    NoPage::Never(error.swedish())
                })
            }
        })
    }

    /// Keeps all files, and gives the manifest that names them.
    async fn keep(
        &self,
        served: &Served,
        run: &RunRow,
        content: &Content,
        page: Option<Pictured>,
        gaps: Vec<NotCaptured>,
    ) -> Result<RunManifest, Hindered> {
        let account = &served.account;
        let n_posts = content.lines.iter().filter(|(line, _)| line.kind.is_none()).count() as u64;
        let mut manifest = RunManifest {
            format: FORMAT,
            run: run.id.0,
            authority: self.inner.settings.authority.clone(),
            account: account.key.clone(),
            account_name: account.name.clone(),
            platform: account.platform.id().to_owned(),
            simulated: account.simulated,
            occasion: run.occasion,
            due: run.due,
            asked_by: run.wanted.1.clone(),
            note: run.note.clone(),
            content_from: content.from,
            content_to: content.to,
            n_posts,
            n_items: content.lines.len() as u64 - n_posts,
            n_filled: content.lines.iter().filter(|(_, filled)| *filled).count() as u64,
            ended_at: self.inner.clock.now(),
            files: Vec::new(),
            not_captured: gaps,
            made_by: concat!("uppsikt ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let lines = jsonl(content).map_err(|e| ServiceError::broken("an archive run", e))?;
        let method = "ur Uppsikts databas, och det som är märkt filled hämtat från plattformen";
        self.add(
            &mut manifest,
            FileKind::Content,
            "innehall.jsonl",
            "application/jsonl",
            method,
            lines,
        )
        .await?;
        let mut picture = None;
        if let Some(Pictured { shot, url }) = page {
            let Screenshot { png, method, archive, taken_at, title, .. } = shot;
            let (shown, told) = (png.clone(), method.clone());
            picture = Some(PageView { png: shown, url, taken_at, title, method: told });
            self.add(&mut manifest, FileKind::Picture, "sida.png", "image/png", &method, png)
                .await?;
            match archive {
                Some(Ok(PageArchive { wacz: bytes, method })) => {
                    let kind = FileKind::PageArchive;
                    self.add(&mut manifest, kind, "sida.wacz", wacz::MEDIA_TYPE, &method, bytes)
                        .await?;
                }
                Some(Err(why)) => manifest
                    .not_captured
                    .push(NotCaptured { what: "Webbarkiv av sidan".into(), why }),
                None => {}
            }
        }
        let dossier = dossier(&manifest, account.platform.label(), content, picture);
        let rendered = tokio::task::spawn_blocking(move || render_dossier(&dossier))
            .await
            .map_err(|e| ServiceError::broken("an archive run", e))?;
        match rendered {
            Ok(pdf) => {
                let method = "framställt av Uppsikt med typst, PDF/A-2a och PDF/UA-1";
                self.add(
                    &mut manifest,
                    FileKind::Sheet,
                    "arkivblad.pdf",
                    "application/pdf",
                    method,
                    pdf,
                )
                .await?;
            }
            // The rest stands by itself.
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the document of an archive run could not be made");
                let why = "Dokumentet kunde inte framställas.".to_owned();
                manifest.not_captured.push(NotCaptured { what: "Arkivbladet (PDF/A)".into(), why });
            }
        }
        manifest.ended_at = self.inner.clock.now();
        Ok(manifest)
    }

    async fn add(
        &self,
        manifest: &mut RunManifest,
        kind: FileKind,
        name: &str,
        media_type: &str,
        method: &str,
        bytes: Vec<u8>,
    ) -> Result<(), Hindered> {
        let size_bytes = bytes.len() as u64;
        let sha256 = self.inner.evidence.keep_for_run(bytes).await.map_err(broken)?;
        manifest.files.push(RunFile {
            kind,
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            sha256,
            size_bytes,
            method: method.to_owned(),
        });
        Ok(())
    }
}

fn no_leave(why: NoPicture) -> NoPage {
    match why {
        NoPicture::Barred | NoPicture::Unread => NoPage::Never(why.swedish().to_owned()),
        NoPicture::Unassessed | NoPicture::Unknown => NoPage::Later(why.swedish().to_owned()),
    }
}

/// Whether another try may go better.
fn may_pass(error: &CaptureError) -> bool {
    match error {
        CaptureError::Unreachable { .. }
        | CaptureError::TimedOut { .. }
        | CaptureError::Start(_)
        | CaptureError::Io(_)
        | CaptureError::Browser(_) => true,
        CaptureError::NoBrowser { .. }
        | CaptureError::NoSandbox
        | CaptureError::NotBuiltIn
        | CaptureError::Address(_)
        | CaptureError::Private { .. }
        | CaptureError::NotAllowed(_) => false,
    }
}

fn dossier(
    manifest: &RunManifest,
    platform: &str,
    content: &Content,
    picture: Option<PageView>,
) -> Dossier {
    let at = time(content.to);
    let occasion = match (manifest.occasion, manifest.due) {
        (Occasion::Scheduled, Some(day)) => format!("{}, dag {day}", manifest.occasion.label()),
        (occasion, _) => occasion.label().to_owned(),
    };
    let mut facts = vec![
        ("Konto".to_owned(), format!("{} ({platform})", manifest.account_name)),
        ("Arkivkörning".to_owned(), format!("Nummer {}, {occasion}", manifest.run)),
        ("Begärd av".to_owned(), manifest.asked_by.clone()),
        ("Innehåll".to_owned(), format!("Från {} till {at}", time(manifest.content_from))),
        (
            "Omfattning".to_owned(),
            format!(
                "{} egna inlägg, {} kommentarer och andra texter. {} av dem hämtades för körningen.",
                manifest.n_posts, manifest.n_items, manifest.n_filled
            ),
        ),
    ];
    if !manifest.note.is_empty() {
        facts.push(("Anteckning".to_owned(), manifest.note.clone()));
    }
    for file in &manifest.files {
        let told = format!("{}\nSHA-256 {}", file.kind.label(), file.sha256);
        facts.push((file.name.clone(), told));
    }
    let mut notes = Vec::new();
    if manifest.simulated {
        notes.push("SIMULERAT: plattformen är ingen riktig plattform.".to_owned());
    }
    notes.push("Med är det som alla kan se på kontots sida. Det som är dolt eller borttaget, och privata meddelanden, är inte med: det finns i ärendena.".to_owned());
    match manifest.not_captured.as_slice() {
        [] => notes.push("Inget som skulle fångas saknas.".to_owned()),
        gaps => notes.extend(gaps.iter().map(|gap| format!("Saknas: {}. {}", gap.what, gap.why))),
    }
    let n = content.lines.len();
    if n > MOST_ROWS {
        notes.push(format!(
            "Förteckningen visar de {MOST_ROWS} senaste av {n}. Alla står i innehall.jsonl."
        ));
    }
    notes.push(format!(
        "Förteckningen över filerna, {MANIFEST}, har sin kontrollsumma i myndighetens logg."
    ));
    let rows = content.lines.iter().skip(n.saturating_sub(MOST_ROWS)).map(|(line, _)| row(line));
    let chapters = picture.map(|PageView { png, url, taken_at, title, method }| Chapter {
        title: "Kontots sida".into(),
        facts: vec![
            ("Adress".to_owned(), url),
            ("Titel".to_owned(), title.unwrap_or_else(|| "(ingen)".into())),
            ("Avbildad".to_owned(), time(taken_at)),
            ("Hur".to_owned(), method),
        ],
        passages: Vec::new(),
        pictures: vec![ChapterPicture {
            png,
            about: "Bild av kontots sida".into(),
            ..ChapterPicture::default()
        }],
    });
    Dossier {
        title: format!("Arkivering av {}", manifest.account_name),
        authority: manifest.authority.clone(),
        at: content.to,
        ident: format!("arkivkorning/{}", manifest.run),
        heading: "I korthet",
        facts,
        notes,
        columns: vec!["När", "Vad och av vem", "Text"],
        rows: rows.collect(),
        chapters: chapters.into_iter().collect(),
        files: Vec::new(),
    }
}
