//! Evidence: which versions want it, what is collected, the seal.
//!
//! A part that cannot be taken is stated as missing with its reason, and the rest is sealed all
//! the same: evidence with a hole that is named beats no evidence. Only what makes the evidence
//! (payload, text, sheet) must be there.

use futures_util::StreamExt as _;
use jiff::Timestamp;
use metrics::counter;

use crate::classify::Context;
use crate::domain::account::PlatformKind;
use crate::domain::action::ActionKind;
use crate::domain::evidence::{
    EarlierSeal, EmbeddedFile, Manifest, MissingPart, Part, PartKind, RenderedSheet, SheetContent,
    TEXT_NOT_COPIED, Thread, ThreadItem,
};
use crate::domain::ids::{AccountId, VersionId};
use crate::domain::item::Exchange;
use crate::evidence::media::{CopyLeave, MediaPolicy, NoPicture};
use crate::evidence::{EvidenceError, NewPart};
use crate::formats::canonical_json;
use crate::formats::sheet::{self, SheetError};
use crate::platforms::beside;
use crate::store::error::StoreError;
use crate::store::rows::{EvidenceRow, EvidenceState, ItemRow, VersionRow};
use crate::store::sqlite::manual::Upload;
use crate::telemetry::metrics as names;

use super::attachments::{File, Hung, Wanted, drawn_for_sheet};
use super::intake::{address, growing_wait};
use super::page_pictures::{OnSheet, first_picture};
use super::records::sheet_page_name;
use super::{Change, Served, ServiceError, Services, linked};

/// Version of the manifest's shape.
const FORMAT: u32 = 1;

/// How many records are taken in hand at a time.
const AT_ONCE: u32 = 16;

/// How many of them run beside one another: while one waits for its page to load, another for a file to come,
/// the third renders its sheet.
const IN_PARALLEL: usize = 3;

/// Whoever waits with a hand on the button needs the seal now: no screenshot is awaited longer
/// than this, queue and start of the browser included, when a removal has found the text changed.
const HURRIED_SCREENSHOT: std::time::Duration = std::time::Duration::from_secs(10);

/// As patience: nothing that others hold is asked for.
pub(super) const NOTHING_WAITED_FOR: std::time::Duration = std::time::Duration::ZERO;

/// Why nothing was, at the end of a sentence.
pub(super) const MANY_WAITED: &str = "många borttagningar väntade";

/// How long the thread is read for, where the store has not seen all of it.
const THREAD_LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

/// So many times a record waits until what stands on its page is assessed, which takes a moment each;
/// then it is sealed without a picture.
const MOST_WAITS: u32 = 4;

/// Why a capture did not come to a seal.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The evidence store refused.
    #[error("the evidence could not be kept")]
    Evidence(#[from] EvidenceError),
    /// The sheet could not be made.
    #[error("the sheet could not be rendered")]
    Sheet(#[source] SheetError),
    /// The store refused.
    #[error("the record could not be read")]
    Store(#[from] StoreError),
    /// The account is no longer configured.
    #[error("the account is not configured")]
    NoAccount,
    /// Something on the page is still to be assessed.
    #[error("something on the page is not assessed yet")]
    Unassessed,
    /// A worker thread ended before its time.
    #[error("the work was broken off")]
    BrokenOff,
}

impl CaptureError {
    /// For the editor: what happened and what to do.
    fn swedish(&self) -> String {
        match self {
            // It was barred while it was being taken; the next attempt takes metadata alone.
            Self::Evidence(EvidenceError::Store(StoreError::Refused { why })) => why.clone(),
            Self::Evidence(_) | Self::Store(_) => {
                "Beviset kunde inte sparas. Kontrollera att disken inte är full; Uppsikt försöker igen.".into()
            }
            Self::Sheet(_) => "Bevisbladet kunde inte framställas. Uppsikt försöker igen.".into(),
            Self::NoAccount => "Kontot finns inte i inställningarna. Lägg tillbaka det så tas beviset.".into(),
            Self::Unassessed => "Ett nyss hämtat inlägg på samma sida bedöms först.".into(),
            Self::BrokenOff => "Arbetet avbröts. Uppsikt försöker igen.".into(),
        }
    }
}

/// All that is known of a version before anything is rendered.
pub(super) struct Subject {
    pub(super) item: ItemRow,
    version: VersionRow,
    payload: Vec<u8>,
    exchange: Option<Exchange>,
    thread: Thread,
    /// The seal of the wording before this one.
    earlier: Option<EarlierSeal>,
    /// The removal that it is sealed once more for.
    read_before: Option<ActionKind>,
    /// That removal has come to its end: the page is another one by now.
    pub(super) is_late: bool,
}

/// A thread as it goes into the evidence.
pub(super) struct Above {
    pub(super) thread: Thread,
    /// How it was read.
    pub(super) method: String,
    /// Why it is not whole, in Swedish.
    pub(super) missing: Option<String>,
}

/// What a manifest says of a thread with a gap.
fn not_whole(why: &str) -> String {
    format!("Tråden ovanför är inte hel: {}.", why.trim_end_matches('.'))
}

impl Services {
    /// Takes the evidence that is wanted now, most urgent first. Says whether there is more.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer. A capture that fails is recorded on its
    /// record and tried again with growing waits.
    pub async fn capture_wanted(&self) -> Result<bool, ServiceError> {
        let now = self.inner.clock.now();
        let wanted = self.inner.store.wanted_evidence(now, AT_ONCE).await?;
        let more = wanted.len() == AT_ONCE as usize;
        let captures = wanted.into_iter().map(|row| self.capture_or_note(row));
        // Begun in order of urgency; one that fails, or waits for somebody's slow server, stops none of the others.
        let mut captures = futures_util::stream::iter(captures).buffer_unordered(IN_PARALLEL);
        let mut failed = None;
        while let Some(captured) = captures.next().await {
            failed = failed.or(captured.err());
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(more),
        }
    }

    /// Takes one record's evidence, or notes why it could not be taken.
    async fn capture_or_note(&self, row: EvidenceRow) -> Result<(), ServiceError> {
        if let Err(error) = self.capture(&row, None).await {
            let problem = error.swedish();
            if matches!(error, CaptureError::Unassessed) {
                tracing::info!(evidence.id = %row.id, "a capture waits for an assessment");
            } else {
                tracing::error!(evidence.id = %row.id, error = &error as &dyn std::error::Error, "capture failed");
            }
            let at = self.inner.clock.now().saturating_add(growing_wait(row.attempts));
            let at = at.unwrap_or(Timestamp::MAX);
            self.inner.store.record_capture_failure(row.id, problem, at).await?;
            // Evidence that cannot be kept is no matter of one item: the loop is unwell.
            if let CaptureError::Evidence(error) = error
                && !matches!(error, EvidenceError::Store(StoreError::Refused { .. }))
            {
                return Err(ServiceError::broken("keeping of evidence", error));
            }
        }
        Ok(())
    }

    /// Seals evidence of a version now, unless it is sealed already: asked for by a removal that
    /// found the text changed.
    pub(super) async fn seal_now(&self, version: VersionId) -> Result<EvidenceRow, CaptureError> {
        self.seal_within(version, HURRIED_SCREENSHOT).await
    }

    /// The same; nothing of the page is waited for longer than `patience`, and with [`NOTHING_WAITED_FOR`] nothing that
    /// others hold is asked for at all.
    pub(super) async fn seal_within(
        &self,
        version: VersionId,
        patience: std::time::Duration,
    ) -> Result<EvidenceRow, CaptureError> {
        let row = self.inner.store.want_evidence(version, self.inner.clock.now()).await?;
        match row.state {
            EvidenceState::Sealed { .. } | EvidenceState::Disposed { .. } => Ok(row),
            EvidenceState::Wanted => self.capture(&row, Some(patience)).await,
        }
    }

    #[tracing::instrument(name = "capture", skip_all, fields(evidence.id = %row.id, version.id = %row.version))]
    async fn capture(
        &self,
        row: &EvidenceRow,
        hurry: Option<std::time::Duration>,
    ) -> Result<EvidenceRow, CaptureError> {
        let store = &self.inner.store;
        let version = store.version(row.version).await?;
        let action = match version.read_for {
            Some(action) => Some(store.action(action).await?),
            None => None,
        };
        let subject = Subject {
            read_before: action.as_ref().map(|action| action.kind),
            is_late: action.is_some_and(|action| action.state.is_settled()),
            item: store.item(row.item).await?,
            earlier: store.earlier_seal(row.item, version.number).await?,
            version,
            payload: store.payload(row.version).await?,
            exchange: store.exchange(row.version).await?,
            thread: store.whole_thread(row.item).await?,
        };
        let served = self.served(subject.item.account).ok_or(CaptureError::NoAccount)?;
        self.bar_before_assessment(&subject).await?;
        let policy = self.inner.evidence.media_policy(row.version).await?;
        let (manifest, leave) = match policy {
            #[cfg(test)]
            MediaPolicy::Copy(leave)
                if self.inner.settings.before_removal == super::BeforeRemoval::SealPlainly =>
            {
                let plain = super::tests::harness::plain_manifest(self, row, &leave).await;
                (plain.map_err(|_| CaptureError::BrokenOff)?, Some(leave))
            }
            MediaPolicy::Copy(leave) => {
                let waits = hurry.is_none() && row.attempts < MOST_WAITS;
                if waits && matches!(leave.picture(), Err(NoPicture::Unassessed)) {
                    return Err(CaptureError::Unassessed);
                }
                (self.collect(&served, &subject, &leave, hurry).await?, Some(leave))
            }
            MediaPolicy::MetadataOnly => (self.described(&served, &subject), None),
        };
        let (sealed, case) = self.inner.evidence.seal(row.id, &manifest, leave.as_ref()).await?;
        counter!(names::SEALS).increment(1);
        for part in &manifest.missing {
            counter!(names::PARTS_MISSING, "part" => part.kind.id()).increment(1);
        }
        tracing::info!(
            n_parts = manifest.parts.len(),
            n_missing = manifest.missing.len(),
            "sealed"
        );
        if let Some(case) = case {
            self.tell(Change::Seal(case));
        }
        Ok(sealed)
    }

    /// Regulation 2.2: metadata alone, not even the thread.
    fn described(&self, served: &Served, subject: &Subject) -> Manifest {
        let mut manifest = self.manifest(served, subject);
        manifest.attachments.clear();
        manifest.beside = None;
        manifest.missing = NOT_TAKEN
            .iter()
            .map(|kind| MissingPart { kind: *kind, reason: NO_COPY.into() })
            .collect();
        manifest
    }

    /// A removal that finds the text changed seals it before it has come to be assessed: what bars
    /// copying must be seen before anything is copied.
    async fn bar_before_assessment(&self, subject: &Subject) -> Result<(), CaptureError> {
        let VersionRow { id, verdict, text, .. } = &subject.version;
        if verdict.is_some() {
            return Ok(());
        }
        let store = &self.inner.store;
        match self.bars_copying(vec![text.clone()]).await.as_deref() {
            Some([true]) => {
                store.bar_copying(*id, self.inner.clock.now()).await?;
            }
            Some(_) => {}
            // A text that breaks the classifier is a person's to read. It is no suspicion, and no
            // picture is taken of it before.
            None => store.note_unread(*id, true).await?,
        }
        Ok(())
    }

    /// Whether each text bars copying by itself; nothing where one of them breaks the classifier.
    pub(super) async fn bars_copying(&self, texts: Vec<String>) -> Option<Vec<bool>> {
        let classifier = self.classifier();
        let bars =
            move |text: &String| classifier.classify(text, &Context::default()).bars_copying();
        tokio::task::spawn_blocking(move || texts.iter().map(bars).collect()).await.ok()
    }

    async fn collect(
        &self,
        served: &Served,
        subject: &Subject,
        leave: &CopyLeave,
        hurry: Option<std::time::Duration>,
    ) -> Result<Manifest, CaptureError> {
        let evidence = &self.inner.evidence;
        let mut manifest = self.manifest(served, subject);
        let mut parts: Vec<Part> = Vec::new();
        let by_hand = served.account.platform == PlatformKind::Manual;
        let fetched = match by_hand {
            true => format!("inlagt för hand av en person {}", subject.version.fetched_at),
            false => format!("hämtat från plattformens gränssnitt {}", subject.version.fetched_at),
        };
        let keep = |kind, name: &str, media_type, method: &str, bytes| {
            let method = method.to_owned();
            let part = NewPart { kind, name: name.to_owned(), media_type, method, bytes };
            evidence.keep(leave, part)
        };
        let json = "application/json";
        let payload = subject.payload.clone();
        parts.push(keep(PartKind::Payload, "payload.json", json, &fetched, payload).await?);
        match &subject.exchange {
            Some(exchange) => {
                let bytes =
                    serde_json::to_vec_pretty(exchange).map_err(|_| CaptureError::BrokenOff)?;
                let method = "antecknat när svaret kom; nycklar och kakor är borttagna";
                parts.push(keep(PartKind::Exchange, "anrop.json", json, method, bytes).await?);
            }
            // Nobody was asked, so nothing is missing.
            None if by_hand || served.account.platform == PlatformKind::OwnSite => {}
            None => {
                let reason = "Anropet som gav inlägget är inte antecknat.".to_owned();
                manifest.missing.push(MissingPart { kind: PartKind::Exchange, reason });
            }
        }
        let text = subject.version.text.clone().into_bytes();
        let plain = "text/plain; charset=utf-8";
        parts.push(keep(PartKind::Text, "text.txt", plain, &fetched, text).await?);
        let Above { thread, method, missing } =
            self.thread_above(served, &subject.item, subject.thread.clone(), hurry).await;
        let bytes = serde_json::to_vec_pretty(&thread).map_err(|_| CaptureError::BrokenOff)?;
        parts.push(keep(PartKind::Thread, "thread.json", json, &method, bytes).await?);
        let left_out = (thread.below_left_out > 0).then(|| match thread.below_left_out {
            1 => "Ett svar under inlägget är inte med.".to_owned(),
            n => format!("{n} svar under inlägget är inte med."),
        });
        let missing = missing.into_iter().chain(left_out);
        manifest
            .missing
            .extend(missing.map(|reason| MissingPart { kind: PartKind::Thread, reason }));

        // What an editor has handed in; the page of a closed place is not asked for.
        let mut uploads = match by_hand {
            true => self.inner.store.uploads_of(subject.item.id).await?,
            false => Vec::new(),
        };
        if by_hand {
            // What the version names is what is sealed, or why it is not.
            let names = |upload: &Upload, name: &str| name.ends_with(&upload.sha256.to_hex());
            let named: Vec<_> =
                subject.version.attachments.iter().filter_map(|a| a.name.as_deref()).collect();
            uploads.retain(|upload| named.iter().any(|name| names(upload, name)));
            for name in named {
                let upload = uploads.iter().find(|upload| names(upload, name));
                if upload.is_none_or(|upload| upload.bytes.is_none()) {
                    let reason = format!("Bilden ({name}) som lades in finns inte kvar.");
                    manifest.missing.push(MissingPart { kind: PartKind::Attachment, reason });
                }
            }
        }
        let screenshot = async {
            match leave.picture() {
                Ok(leave) => self.screenshot(served, subject, leave, hurry).await,
                Err(why) => Err(why.swedish().to_owned()),
            }
        };
        // The manifest is written on meanwhile.
        let author = manifest.beside.as_ref().and_then(|beside| beside.picture.clone());
        let wanted = match by_hand {
            true => Wanted { attachments: &[], author: None },
            false => Wanted {
                attachments: subject.version.attachments.as_slice(),
                author: author.as_deref(),
            },
        };
        let page = subject.item.permalink.as_ref().map(|link| link.url.as_str());
        let hung = self.attachments(served, wanted, page, leave.picture(), hurry);
        // Each waits for somebody else's server.
        let (screenshot, Hung { files, missing }, linked) = match by_hand {
            true => (first_picture(&mut uploads, &fetched), hung.await, Ok(None)),
            false => tokio::join!(screenshot, hung, self.links(subject, leave, hurry)),
        };
        let is_blurred = manifest.is_blurred();
        let OnSheet { screenshot, full_page, log } = match screenshot {
            Ok(pictured) => {
                manifest.sheet_is_blurred = is_blurred;
                self.keep_pictures(leave, pictured, &mut parts, &mut manifest.missing).await?
            }
            Err(reason) => {
                manifest.missing.push(MissingPart { kind: PartKind::Screenshot, reason });
                OnSheet::default()
            }
        };
        for upload in uploads {
            let Some(bytes) = upload.bytes else { continue };
            let media_type =
                if upload.media_type == "image/png" { "image/png" } else { "image/jpeg" };
            let kept = keep(PartKind::Attachment, &upload.name, media_type, &fetched, bytes);
            parts.push(kept.await?);
        }
        match linked {
            Ok(Some(bytes)) => {
                let method = "följda en gång, utan inloggning och kakor, när beviset togs";
                parts.push(keep(PartKind::Links, "lankar.json", json, method, bytes).await?);
            }
            Ok(None) => {}
            Err(reason) => manifest.missing.push(MissingPart { kind: PartKind::Links, reason }),
        }
        let turn = self.inner.drawing.acquire().await;
        let drawing = tokio::task::spawn_blocking(move || {
            // The sheet is read on screens too: what is blurred there is not drawn on it.
            let drawn = if is_blurred { Vec::new() } else { drawn_for_sheet(&files) };
            (files, drawn)
        });
        let (files, pictures) = drawing.await.map_err(|_| CaptureError::BrokenOff)?;
        drop(turn);
        for file in files {
            let File { kind, name, method, bytes } = file;
            let kept = keep(PartKind::Attachment, &name, kind.media_type(), &method, bytes);
            parts.push(kept.await?);
        }
        let missing = missing.into_iter();
        manifest
            .missing
            .extend(missing.map(|reason| MissingPart { kind: PartKind::Attachment, reason }));
        manifest.parts = parts;
        // What is sealed is there now; the sheet itself tells this moment, so it is made after it.
        manifest.sealed_at = self.inner.clock.now();
        let content = SheetContent {
            authority: self.inner.settings.authority.clone(),
            account_name: served.account.name.clone(),
            platform_name: served.account.platform.label().to_owned(),
            simulated: served.account.simulated,
            manifest: manifest.clone(),
            text: subject.version.text.clone(),
            thread,
            screenshot_png: screenshot,
            full_page,
            page_log: log,
            pictures,
            secrecy: self
                .stamp_of_item(subject.item.id)
                .await
                .map_err(|_| CaptureError::BrokenOff)?,
            embedded: self.embedded(subject, &manifest),
        };
        let sheet = tokio::task::spawn_blocking(move || sheet::render(&content))
            .await
            .map_err(|_| CaptureError::BrokenOff)?
            .map_err(CaptureError::Sheet)?;
        let RenderedSheet { pdf, pages_png, uncovered: _, method } = sheet;
        let kept = keep(PartKind::SheetPdf, "bevisblad.pdf", "application/pdf", &method, pdf);
        manifest.parts.push(kept.await?);
        for (n, page) in pages_png.into_iter().enumerate() {
            let name = sheet_page_name(u32::try_from(n + 1).unwrap_or(u32::MAX));
            manifest.parts.push(keep(PartKind::SheetPng, &name, "image/png", &method, page).await?);
        }
        Ok(manifest)
    }

    /// What the item's links lead to, where it has any and the policy asks for it, or why that is not known, in Swedish.
    async fn links(
        &self,
        subject: &Subject,
        leave: &CopyLeave,
        hurry: Option<std::time::Duration>,
    ) -> Result<Option<Vec<u8>>, String> {
        let links = linked::links(&subject.version.text, &subject.version.attachments);
        let is_wanted = self.policy_of(subject.item.account).duties.follow_links;
        if links.is_empty() || !is_wanted {
            return Ok(None);
        }
        let Some(fetcher) = &self.inner.fetcher else {
            return Err("Länkarna följdes inte: nätet gick inte att förbereda på servern.".into());
        };
        let leave = leave.picture().map_err(|_| {
            "Länkarna följdes inte: något på samma sida får inte kopieras, eller är inte bedömt än."
                .to_owned()
        })?;
        if hurry == Some(NOTHING_WAITED_FOR) {
            return Err(format!("Länkarna följdes inte: {MANY_WAITED}."));
        }
        let followed = linked::follow(fetcher, &leave, links, hurry).await;
        followed.map(Some).map_err(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "what links lead to cannot be written");
            "Vart länkarna leder kunde inte skrivas.".into()
        })
    }

    /// What lies in the sheet itself, where the settings have it so: the platform's answer, and what describes the
    /// record as far as it is known before the sheet, which the sealed manifest names, is made.
    fn embedded(&self, subject: &Subject, manifest: &Manifest) -> Vec<EmbeddedFile> {
        if !self.inner.settings.sheet_embeds {
            return Vec::new();
        }
        let mut files = vec![EmbeddedFile {
            name: "payload.json",
            what: "Plattformens svar i original",
            media_type: "application/json",
            bytes: subject.payload.clone(),
        }];
        if let Ok(bytes) = canonical_json::to_vec(manifest) {
            files.push(EmbeddedFile {
                name: "manifest-utan-bevisblad.json",
                what: "Förteckning över bevisets delar, utan bevisbladet självt",
                media_type: "application/json",
                bytes,
            });
        }
        files
    }

    /// What stands above the item: as the store knows it, or as the platform tells it where the store
    /// has not seen all of it.
    pub(super) async fn thread_above(
        &self,
        served: &Served,
        item: &ItemRow,
        known: Thread,
        hurry: Option<std::time::Duration>,
    ) -> Above {
        let method = "ur Uppsikts databas".to_owned();
        let has_gap = !known.missing.is_empty() || (item.post_id.is_some() && known.post.is_none());
        if !has_gap {
            return Above { thread: known, method, missing: None };
        }
        if hurry == Some(NOTHING_WAITED_FOR) {
            return Above { thread: known, method, missing: Some(not_whole(MANY_WAITED)) };
        }
        let limit = hurry.map_or(THREAD_LIMIT, |hurry| hurry.min(THREAD_LIMIT));
        let target = address(item);
        // In a task of its own, which goes on where time is up: it may be renewing a login that is good once.
        let platform = std::sync::Arc::clone(&served.platform);
        let asked = tokio::spawn(async move { platform.read_thread(&target).await });
        let reading = tokio::time::timeout(limit, asked).await;
        let read = match reading {
            Ok(Ok(Ok(read))) => read,
            Ok(Err(_)) => {
                let missing = Some(not_whole("läsningen bröts av ett fel i Uppsikt"));
                return Above { thread: known, method, missing };
            }
            Ok(Ok(Err(error))) => {
                tracing::info!(error = %error, "the thread could not be read");
                let missing = Some(not_whole(&error.swedish()));
                return Above { thread: known, method, missing };
            }
            Err(_) => {
                let why = format!("plattformen svarade inte inom {} sekunder", limit.as_secs());
                return Above { thread: known, method, missing: Some(not_whole(&why)) };
            }
        };
        let missing = read.missing.as_deref().map(not_whole);
        // Both reach from the item upwards: of two that end early the longer holds the other.
        if missing.is_some() && known.above.len() >= read.above.len() {
            let thread = Thread { post: known.post.or(read.post), ..known };
            return Above { thread, method, missing };
        }
        let above = read.above.into_iter().map(|item| ThreadItem {
            platform_id: item.platform_id,
            author: item.author,
            text: item.text,
            created_at: item.created_at,
            answers: None,
        });
        let Some(above) = self.without_barred_texts(item.account, above.collect()).await else {
            let why = "det gick inte att avgöra om något i den inte får kopieras";
            return Above { thread: known, method, missing: Some(not_whole(why)) };
        };
        let thread = Thread {
            post: read.post.or(known.post),
            above,
            missing: if missing.is_some() { known.missing } else { Vec::new() },
            below: known.below,
            below_left_out: known.below_left_out,
        };
        let method = match thread.below.is_empty() {
            true => format!("läst från plattformen {}", self.inner.clock.now()),
            false => format!(
                "ovanför läst från plattformen {}, svaren under ur Uppsikts databas",
                self.inner.clock.now()
            ),
        };
        Above { thread, method, missing }
    }

    /// A thread as it was just read, without the texts of what may not be copied: what is known to be
    /// barred, and what would be had it been fetched. Nothing where that cannot be told.
    async fn without_barred_texts(
        &self,
        account: AccountId,
        mut above: Vec<ThreadItem>,
    ) -> Option<Vec<ThreadItem>> {
        let ids = above.iter().map(|item| item.platform_id.clone()).collect();
        let (mut barred, unknown) = match self.inner.store.barred_or_unknown(account, ids).await {
            Ok(told) => told,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "what a thread holds cannot be looked up");
                return None;
            }
        };
        let unknown: Vec<_> = above
            .iter()
            .filter(|item| unknown.contains(&item.platform_id))
            .map(|item| (item.platform_id.clone(), item.text.clone()))
            .collect();
        let (ids, texts): (Vec<_>, Vec<_>) = unknown.into_iter().unzip();
        let bars = self.bars_copying(texts).await?;
        barred.extend(ids.into_iter().zip(bars).filter(|(_, bars)| *bars).map(|(id, _)| id));
        for item in above.iter_mut().filter(|item| barred.contains(&item.platform_id)) {
            item.text = TEXT_NOT_COPIED.into();
        }
        Some(above)
    }

    fn manifest(&self, served: &Served, subject: &Subject) -> Manifest {
        let Subject { item, version, .. } = subject;
        Manifest {
            format: FORMAT,
            account: served.account.key.clone(),
            platform: served.account.platform.id().to_owned(),
            simulated: served.account.simulated,
            item: item.platform_id.clone(),
            version: version.number,
            content_sha256: version.content_hash,
            kind: item.kind,
            author: version.author.clone(),
            created_raw: item.created_raw.clone(),
            created_at: item.created_at,
            edited_at: version.edited_at,
            fetched_at: version.fetched_at,
            sealed_at: self.inner.clock.now(),
            presence: version.presence,
            permalink: item.permalink.clone(),
            attachments: version.attachments.clone(),
            beside: (served.account.platform != PlatformKind::Manual)
                .then(|| beside::read(served.account.platform, &subject.payload)),
            verdict: version.verdict.clone(),
            parts: Vec::new(),
            missing: Vec::new(),
            sealed_by: concat!("uppsikt ", env!("CARGO_PKG_VERSION")).to_owned(),
            earlier: subject.earlier.clone(),
            read_before: subject.read_before,
            sheet_is_blurred: false,
        }
    }
}

/// What is not there where nothing may be copied.
const NOT_TAKEN: [PartKind; 11] = [
    PartKind::Payload,
    PartKind::Exchange,
    PartKind::Text,
    PartKind::Thread,
    PartKind::Screenshot,
    PartKind::FullPage,
    PartKind::PageArchive,
    PartKind::PageLog,
    PartKind::Attachment,
    PartKind::SheetPdf,
    PartKind::SheetPng,
];

/// Why nothing is copied.
const NO_COPY: &str = "Får inte kopieras: misstänkt barnpornografibrott (brottsbalken 16:10 a).";
