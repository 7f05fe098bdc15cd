//! Evidence as people see it: the manifest recomputed for every view, its parts whenever their files have
//! changed, each showing audited.

use jiff::Timestamp;

use crate::domain::calendar::local;
use crate::domain::custody::CustodyAct;
use crate::domain::evidence::{CutOff, Manifest, MissingPart, PartKind};
use crate::domain::ids::{CaseId, ContentHash, DisposalId, EvidenceId, VersionId};
use crate::domain::page_log::PageLog;
use crate::domain::person::Act;
use crate::evidence::EvidenceError;
use crate::evidence::blob::BlobError;
use crate::formats::preview;
use crate::store::rows::{EvidenceRow, EvidenceState};

use super::{ServiceError, Services, Viewer};

/// Evidence of the version at hand.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// Nobody has asked for it.
    None,
    /// It is being taken.
    Wanted {
        /// Why the last attempt failed, in Swedish.
        problem: Option<String>,
    },
    /// Sealed.
    Sealed(Box<SealedEvidence>),
    /// Its content was disposed of under a rule.
    Disposed {
        /// The record.
        id: EvidenceId,
        /// Under which protocol, and when; none where there is none, which verification names.
        under: Option<(DisposalId, Timestamp)>,
    },
}

impl Evidence {
    /// Whether a removal may be decided.
    pub fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }
}

/// A sealed record with what was just checked of it.
#[derive(Clone, Debug)]
pub struct SealedEvidence {
    /// The record.
    pub id: EvidenceId,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// Its place in the log.
    pub log_seq: u64,
    /// The manifest's hash.
    pub manifest_hash: ContentHash,
    /// Nothing of the item may be copied or looked at.
    pub no_copy: bool,
    /// Its case was closed long ago: names and pictures are not shown unasked.
    pub veiled: bool,
    /// The manifest, or why it cannot be relied on, in Swedish. It was read and recomputed for
    /// this very view; each part was recomputed since its file last changed.
    pub manifest: Result<Manifest, String>,
    /// What its page was refused and what it complained of: on its own page, for whoever may see that page.
    pub page_log: Option<PageLog>,
}

/// How a picture of a record is drawn anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// As it is, small.
    Clear,
    /// As fields of colour: of what may be hard to look at.
    Blurred,
}

/// A file of a sealed record.
#[derive(Clone)]
pub struct PartFile {
    /// What it is; none for the manifest itself.
    pub kind: Option<PartKind>,
    /// Its name in the manifest.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// The bytes, checked against their hash.
    pub bytes: Vec<u8>,
}

/// Its bytes stay out of logs.
impl std::fmt::Debug for PartFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartFile")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("n_bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Why a part of a record is not shown, in Swedish.
const fn cut_off(cut: CutOff) -> &'static str {
    match cut {
        // Nothing is cut off for that; the sentence holds for whatever is.
        CutOff::Nothing | CutOff::Everything => {
            "Innehållet visas inte: inlägget misstänks vara barnpornografibrott och får varken visas eller kopieras."
        }
        CutOff::OwnPictures => {
            "Bilden visas inte: en annan lydelse av inlägget misstänks vara barnpornografibrott, och det som hängde på inlägget får varken visas eller kopieras."
        }
        CutOff::PagePictures => {
            "Bilden visas inte: på samma sida står, eller kan stå, ett inlägg som misstänks vara barnpornografibrott."
        }
    }
}

/// The name under which the manifest itself is shown.
const MANIFEST: &str = "manifest.json";

/// Which files of a record are not what was sealed, in Swedish.
fn damaged(names: &[String]) -> String {
    let what = match names {
        [] => "En fil i beviset saknas eller har ändrats.".to_owned(),
        [name] => format!("Filen {name} i beviset saknas eller har ändrats."),
        names => format!("Filer i beviset saknas eller har ändrats: {}.", names.join(", ")),
    };
    format!("{what} Rör inget och kontakta den som sköter servern.")
}

/// The file name of a page of the sheet, from 1.
pub fn sheet_page_name(number: u32) -> String {
    format!("bevisblad-{number}.png")
}

/// What whoever follows a number from a protocol or the diary is told.
fn disposed(id: EvidenceId, under: Option<(DisposalId, Timestamp)>) -> ServiceError {
    let under = under.map_or_else(String::new, |(protocol, at)| {
        format!(" enligt protokoll {protocol} den {}", local(at).date())
    });
    ServiceError::Refused {
        why: format!(
            "Bevis {id} är gallrat{under}. Kvar finns ärendets historik, protokollet och det som diariet har fått."
        ),
    }
}

impl Services {
    /// Evidence of a version.
    pub(super) async fn evidence_at_hand(
        &self,
        version: VersionId,
    ) -> Result<Evidence, ServiceError> {
        let Some(row) = self.inner.store.evidence_of(version).await? else {
            return Ok(Evidence::None);
        };
        Ok(match row.state {
            EvidenceState::Wanted => Evidence::Wanted { problem: row.problem },
            EvidenceState::Disposed { .. } => {
                let under = self.inner.store.disposal_of(row.id).await?;
                let under = under.and_then(|row| row.ended.map(|(at, _)| (row.id, at)));
                Evidence::Disposed { id: row.id, under }
            }
            EvidenceState::Sealed { manifest, log_seq, at } => {
                let cut = self.inner.store.cut_off(row.version).await?;
                let read = self.inner.evidence.intact(&row).await.map(|mut manifest| {
                    // What was copied before anybody suspected anything is cut off from view.
                    let parts = std::mem::take(&mut manifest.parts);
                    let (off, left): (Vec<_>, Vec<_>) = {
                        let whole = Manifest { parts: parts.clone(), ..manifest.clone() };
                        parts.into_iter().partition(|part| whole.is_cut_off(part.kind, cut))
                    };
                    let reason = || cut_off(cut).to_owned();
                    let off =
                        off.into_iter().map(|p| MissingPart { kind: p.kind, reason: reason() });
                    manifest.missing.extend(off);
                    manifest.parts = left;
                    manifest
                });
                let read = match read {
                    Ok(manifest) => Ok(manifest),
                    Err(error) => {
                        tracing::error!(evidence.id = %row.id, error = &error as &dyn std::error::Error, "the evidence fails its check");
                        Err(damaged(&self.inner.evidence.damaged(&row).await))
                    }
                };
                Evidence::Sealed(Box::new(SealedEvidence {
                    id: row.id,
                    sealed_at: at,
                    log_seq,
                    manifest_hash: manifest,
                    veiled: false,
                    no_copy: matches!(cut, CutOff::OwnPictures | CutOff::Everything),
                    manifest: read,
                    page_log: None,
                }))
            }
        })
    }

    /// One evidence record, for its own page. The showing is audited.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], [`ServiceError::NotFound`] where it is not sealed.
    pub async fn evidence_record(
        &self,
        viewer: &Viewer,
        id: EvidenceId,
    ) -> Result<(SealedEvidence, Option<CaseId>), ServiceError> {
        self.record_with(viewer, id, false).await
    }

    /// The same with what is not shown unasked, since somebody asks to see it: an event on the record.
    ///
    /// # Errors
    /// As of [`Self::evidence_record`].
    pub async fn evidence_unveiled(
        &self,
        viewer: &Viewer,
        id: EvidenceId,
    ) -> Result<(SealedEvidence, Option<CaseId>), ServiceError> {
        self.record_with(viewer, id, true).await
    }

    async fn record_with(
        &self,
        viewer: &Viewer,
        id: EvidenceId,
        unveiled: bool,
    ) -> Result<(SealedEvidence, Option<CaseId>), ServiceError> {
        viewer.demand(Act::ReadEvidence)?;
        let row = self.inner.store.evidence(id).await?;
        self.demand_open_item(viewer, row.item).await?;
        let now = self.inner.clock.now();
        let line = viewer.line(CustodyAct::OpenRecord.id(), format!("evidence {id}"));
        self.inner.store.record_audit(line, now).await?;
        let case = self.inner.store.case_of(row.item).await?;
        let veiled = case.as_ref().is_some_and(|case| case.veiled);
        let case = case.map(|case| case.id);
        if let Some(case) = case.filter(|_| veiled && unveiled) {
            let line = viewer.line(CustodyAct::Unveil.id(), format!("case {case}"));
            self.inner.store.record_audit(line, now).await?;
        }
        match self.evidence_at_hand(row.version).await? {
            Evidence::Sealed(mut sealed) if veiled && !unveiled => {
                sealed.veil();
                Ok((*sealed, case))
            }
            Evidence::Sealed(mut sealed) => {
                sealed.page_log = self.page_log(viewer, &row, &sealed).await;
                Ok((*sealed, case))
            }
            Evidence::Disposed { under, .. } => Err(disposed(id, under)),
            Evidence::None | Evidence::Wanted { .. } => {
                Err(ServiceError::NotFound { what: "sealed evidence" })
            }
        }
    }

    /// What its page was refused and what it complained of, where that is there and may be shown.
    async fn page_log(
        &self,
        viewer: &Viewer,
        row: &EvidenceRow,
        sealed: &SealedEvidence,
    ) -> Option<PageLog> {
        let manifest = sealed.manifest.as_ref().ok()?;
        let part = manifest.parts.iter().find(|part| part.kind == PartKind::PageLog)?;
        if !self.is_page_open_to(viewer, row.item).await.unwrap_or(false) {
            return None;
        }
        let read = self.inner.evidence.bytes(part.sha256).await;
        match read.map(|bytes| serde_json::from_slice(&bytes)) {
            Ok(Ok(log)) => Some(log),
            Ok(Err(_)) => {
                tracing::warn!(evidence.id = %row.id, "what a page was refused cannot be read");
                None
            }
            // The check of the record has told it.
            Err(_) => None,
        }
    }

    /// The bytes of one part of a sealed record, by its file name, with its media type. Checked
    /// against the manifest; the showing is audited.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn evidence_part(
        &self,
        viewer: &Viewer,
        id: EvidenceId,
        name: &str,
    ) -> Result<PartFile, ServiceError> {
        self.part_file(viewer, id, name, None).await
    }

    /// The bytes of one part, and how they are going to be drawn, where they are.
    async fn part_file(
        &self,
        viewer: &Viewer,
        id: EvidenceId,
        name: &str,
        look: Option<Look>,
    ) -> Result<PartFile, ServiceError> {
        viewer.demand(Act::ReadEvidence)?;
        let row = self.inner.store.evidence(id).await?;
        self.demand_open_item(viewer, row.item).await?;
        let broken = |name: &str, error: EvidenceError| match error {
            EvidenceError::Blob(BlobError::Missing { .. } | BlobError::Changed { .. })
            | EvidenceError::Manifest { .. } => {
                tracing::error!(evidence.id = %id, error = &error as &dyn std::error::Error, "the evidence fails its check");
                ServiceError::Damaged { why: damaged(&[name.to_owned()]) }
            }
            EvidenceError::Blob(BlobError::Io { .. })
            | EvidenceError::Store(_)
            | EvidenceError::Canonical(_)
            | EvidenceError::Heads { .. }
            | EvidenceError::Key { .. }
            | EvidenceError::Package { .. }
            | EvidenceError::HandedOut { .. }
            | EvidenceError::NotSealed(_)
            | EvidenceError::NotTaken { .. }
            | EvidenceError::Rewritten { .. }
            | EvidenceError::KeyLost { .. }
            | EvidenceError::BrokenOff => ServiceError::broken("reading of evidence", error),
        };
        if matches!(row.state, EvidenceState::Wanted) {
            return Err(ServiceError::NotFound { what: "sealed evidence" });
        }
        if let Evidence::Disposed { under, .. } = self.evidence_at_hand(row.version).await? {
            return Err(disposed(id, under));
        }
        let manifest = self.inner.evidence.manifest(&row).await.map_err(|e| broken(MANIFEST, e))?;
        let mut line = viewer.line(CustodyAct::OpenPart.id(), format!("evidence {id}"));
        let now = self.inner.clock.now();
        if name == MANIFEST {
            line.detail = Some(name.to_owned());
            self.inner.store.record_audit(line, now).await?;
            let EvidenceState::Sealed { manifest: hash, .. } = row.state else {
                return Err(ServiceError::NotFound { what: "sealed evidence" });
            };
            let bytes = self.inner.evidence.bytes(hash).await.map_err(|e| broken(MANIFEST, e))?;
            let (name, media_type) = (name.to_owned(), "application/json".to_owned());
            return Ok(PartFile { kind: None, name, media_type, bytes });
        }
        let part = manifest
            .parts
            .iter()
            .find(|part| part.name == name)
            .ok_or(ServiceError::NotFound { what: "part of the evidence" })?;
        let cut = self.inner.store.cut_off(row.version).await?;
        if manifest.is_cut_off(part.kind, cut) {
            return Err(ServiceError::Refused { why: cut_off(cut).into() });
        }
        match part.kind {
            PartKind::Screenshot
            | PartKind::FullPage
            | PartKind::PageArchive
            | PartKind::PageLog => {
                self.demand_page_open(viewer, row.item).await?;
            }
            // The sheet has the picture in it, where there is one.
            PartKind::SheetPdf | PartKind::SheetPng if manifest.holds_picture() => {
                self.demand_page_open(viewer, row.item).await?;
            }
            PartKind::SheetPdf | PartKind::SheetPng | PartKind::Thread | PartKind::Payload => {
                self.demand_thread_open(viewer, row.item).await?;
            }
            PartKind::Text | PartKind::Attachment | PartKind::Links | PartKind::Exchange => {}
        }
        if manifest.is_part_blurred(part) {
            line.act = CustodyAct::ShowBlurred.id();
        }
        line.detail = Some(part.name.clone());
        if look != Some(Look::Blurred) {
            self.inner.store.record_audit(line, now).await?;
        }
        let bytes =
            self.inner.evidence.bytes(part.sha256).await.map_err(|e| broken(&part.name, e))?;
        Ok(PartFile {
            kind: Some(part.kind),
            name: part.name.clone(),
            media_type: part.media_type.clone(),
            bytes,
        })
    }

    /// A picture of a record, drawn anew as PNG: what strangers sent never reaches a browser. The showing is
    /// audited like the file's own; of what is blurred nothing is seen, so that is none.
    ///
    /// # Errors
    /// As [`Services::evidence_part`]; [`ServiceError::Refused`] where it cannot be drawn.
    pub async fn evidence_picture(
        &self,
        viewer: &Viewer,
        id: EvidenceId,
        name: &str,
        look: Look,
    ) -> Result<PartFile, ServiceError> {
        let file = self.part_file(viewer, id, name, Some(look)).await?;
        // Unpacked pictures are large: a few at a time.
        let _turn = self.inner.drawing.acquire().await;
        let PartFile { kind, name, bytes, .. } = file;
        let draw = move || match look {
            Look::Clear => preview::small(&bytes, preview::ON_PAGE),
            Look::Blurred => preview::blurred(&bytes),
        };
        let drawn = tokio::task::spawn_blocking(draw)
            .await
            .map_err(|error| ServiceError::broken("drawing of a picture", error))?
            .map_err(|why| ServiceError::Refused { why: why.swedish().into() })?;
        Ok(PartFile { kind, name, media_type: "image/png".into(), bytes: drawn.png })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_shows_nothing_of_its_bytes() {
        let (name, media_type) = ("text.txt".to_owned(), "text/plain".to_owned());
        let file = PartFile { kind: Some(PartKind::Text), name, media_type, bytes: b"hej".into() };
        let shown = format!("{file:?}");
        assert_eq!(shown, "PartFile { kind: Some(Text), name: \"text.txt\", n_bytes: 3, .. }");
    }
}
