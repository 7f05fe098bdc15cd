//! `/bevis/N`: one evidence record, its pictures and files.

use axum::Form;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
};
use axum::http::{HeaderValue, Response as HttpResponse};
use axum::response::Response;
use axum_extra::extract::Form as RepeatedForm;
use serde::Deserialize;

use crate::domain::evidence::PartKind;
use crate::domain::ids::{CaseId, EvidenceId};
use crate::services::ServiceError;
use crate::services::exports::Package;
use crate::services::records::Look;
use crate::web::forms::BareForm;
use crate::web::present;
use crate::web::state::{Inside, Site, not_found, page};
use crate::web::view::error::Trouble;
use crate::web::view::evidence::EvidencePage;
use crate::web::view::shell::Place;

/// The record.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
) -> Result<Response, Response> {
    drawn_record(&site, &inside, EvidenceId(id), false).await
}

/// The record with what is not shown unasked: by a form, so that no link shows it by itself.
pub async fn unveil(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    drawn_record(&site, &inside, EvidenceId(id), true).await
}

async fn drawn_record(
    site: &Site,
    inside: &Inside,
    id: EvidenceId,
    unveiled: bool,
) -> Result<Response, Response> {
    let found = match unveiled {
        true => site.services.evidence_unveiled(&inside.viewer, id).await,
        false => site.services.evidence_record(&inside.viewer, id).await,
    };
    let (sealed, case) = found.map_err(|e| site.error(e))?;
    let verification = present::verification(&sealed);
    let manifest = match &sealed.manifest {
        Ok(manifest) => manifest,
        Err(problem) => return Err(site.guard.trouble(Trouble::Damaged(problem.clone()), None)),
    };
    let now = site.services.clock().now();
    let back = case.map_or_else(|| "/".to_owned(), |case| format!("/arende/{case}"));
    let shell = inside.shell(site, Place::Queue)?;
    let barred = sealed.no_copy;
    let log = sealed.page_log.as_ref();
    let view = EvidencePage::new(shell, id, back, (manifest, log), barred, verification, now);
    let view = if sealed.veiled { view.veiled() } else { view };
    Ok(page(site, &view))
}

/// A page of the sheet as a picture: `/bevis/7/sida/1.png`.
pub async fn sheet_page(
    State(site): State<Site>,
    inside: Inside,
    Path((id, file)): Path<(i64, String)>,
) -> Result<Response, Response> {
    let number = file.strip_suffix(".png").and_then(|n| n.parse::<u32>().ok());
    let Some(number) = number else { return Err(not_found(&site)) };
    let name = crate::services::records::sheet_page_name(number);
    part(&site, &inside, EvidenceId(id), &name).await
}

/// A file of the record by its name in the manifest: `/bevis/7/fil/payload.json`.
pub async fn file(
    State(site): State<Site>,
    inside: Inside,
    Path((id, name)): Path<(i64, String)>,
) -> Result<Response, Response> {
    part(&site, &inside, EvidenceId(id), &name).await
}

/// A picture of the record, drawn anew and small: `/bevis/7/bild/bilaga-1.jpg`.
pub async fn picture(
    State(site): State<Site>,
    inside: Inside,
    Path((id, name)): Path<(i64, String)>,
) -> Result<Response, Response> {
    drawn(&site, &inside, EvidenceId(id), &name, Look::Clear).await
}

/// The same as fields of colour: `/bevis/7/sudd/bilaga-1.jpg`.
pub async fn blurred(
    State(site): State<Site>,
    inside: Inside,
    Path((id, name)): Path<(i64, String)>,
) -> Result<Response, Response> {
    drawn(&site, &inside, EvidenceId(id), &name, Look::Blurred).await
}

async fn drawn(
    site: &Site,
    inside: &Inside,
    id: EvidenceId,
    name: &str,
    look: Look,
) -> Result<Response, Response> {
    let found = site.services.evidence_picture(&inside.viewer, id, name, look).await;
    let part = found.map_err(|e| site.error(e))?;
    let name = format!("bevis-{id}-{}.png", part.name);
    answer(part.bytes, &part.media_type, "inline", &name).map_err(|e| site.error(e))
}

/// The manifest, byte for byte as it was sealed.
pub async fn manifest(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
) -> Result<Response, Response> {
    part(&site, &inside, EvidenceId(id), "manifest.json").await
}

async fn part(
    site: &Site,
    inside: &Inside,
    id: EvidenceId,
    name: &str,
) -> Result<Response, Response> {
    let found = site.services.evidence_part(&inside.viewer, id, name).await;
    let part = found.map_err(|e| site.error(e))?;
    // Pictures are shown; everything else is hostile until somebody opens it outside the browser.
    let shown =
        matches!(part.kind, Some(PartKind::SheetPng | PartKind::Screenshot | PartKind::FullPage))
            && part.media_type == "image/png";
    let disposition = if shown { "inline" } else { "attachment" };
    let name = format!("bevis-{id}-{}", part.name);
    answer(part.bytes, &part.media_type, disposition, &name).map_err(|e| site.error(e))
}

/// A file, so that a browser does nothing with it but show or save it. What it is, the guard around every
/// answer lets nobody guess.
fn answer(
    bytes: Vec<u8>,
    media_type: &str,
    disposition: &str,
    name: &str,
) -> Result<Response, ServiceError> {
    HttpResponse::builder()
        .header(CONTENT_TYPE, media_type)
        .header(CONTENT_DISPOSITION, format!("{disposition}; filename=\"{name}\""))
        .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"))
        .body(Body::from(bytes))
        .map_err(|source| ServiceError::Broken { doing: "answer", source: Box::new(source) })
}

/// What is to be fetched together.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chosen {
    /// See [`csrf_matches`](crate::web::guard::csrf_matches).
    csrf: String,
    /// Cases, each with all that is sealed of it.
    arende: Vec<i64>,
}

/// One record as a package: `/bevis/7/paket.zip`.
pub async fn package(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
) -> Result<Response, Response> {
    let package = site.services.package(&inside.viewer, &[EvidenceId(id)], &[]).await;
    package.and_then(sent).map_err(|e| site.error(e))
}

/// All that is sealed of the chosen cases as one package.
pub async fn packages(
    State(site): State<Site>,
    inside: Inside,
    RepeatedForm(chosen): RepeatedForm<Chosen>,
) -> Result<Response, Response> {
    inside.check(&site, &chosen.csrf)?;
    let cases: Vec<_> = chosen.arende.iter().copied().map(CaseId).collect();
    let package = site.services.package(&inside.viewer, &[], &cases).await;
    package.and_then(sent).map_err(|e| site.error(e))
}

/// The file as it is read from the disk, piece by piece.
pub(in crate::web) fn sent(package: Package) -> Result<Response, ServiceError> {
    let Package { file, size_bytes, name } = package;
    let pieces = futures_util::stream::try_unfold(Some(file), |file| async move {
        let Some(mut file) = file else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE_BYTES];
            let n = std::io::Read::read(&mut file, &mut piece)?;
            piece.truncate(n);
            Ok::<_, std::io::Error>((piece, file))
        });
        let (piece, file) = read.await.map_err(std::io::Error::other)??;
        Ok::<_, std::io::Error>((!piece.is_empty()).then_some((piece, Some(file))))
    });
    let broken = |source: axum::http::Error| ServiceError::Broken {
        doing: "answer",
        source: Box::new(source),
    };
    HttpResponse::builder()
        .header(CONTENT_TYPE, "application/zip")
        .header(CONTENT_LENGTH, size_bytes)
        .header(CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
        .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"))
        .body(Body::from_stream(pieces))
        .map_err(broken)
}

/// How much of a package is in memory at a time.
const PIECE_BYTES: usize = 64 * 1024;
