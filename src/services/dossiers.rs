//! Chapters of documents for somebody outside, made of what was sealed. What is cut off of a record stays out of
//! them, asked anew for each.

use crate::domain::account::PlatformKind;
use crate::domain::calendar::local;
use crate::domain::dossier::{Chapter, ChapterPicture, Dossier, DossierFile, Passage, PictureLook};
use crate::domain::evidence::{CutOff, Manifest, PartKind, Thread};
use crate::domain::text::capitalised;
use crate::domain::verdict::Finding;
use crate::evidence::EvidenceStore;
use crate::formats::sheet::{SheetError, render_dossier};
use crate::store::Store;
use crate::store::rows::{EvidenceRow, EvidenceState};

use super::ServiceError;
use super::archive::broken;
use super::packages::withheld;

/// A sealed record with what of it may be shown.
pub(super) struct Sealed {
    pub(super) row: EvidenceRow,
    pub(super) manifest: Manifest,
    pub(super) cut: CutOff,
    pub(super) log_seq: u64,
    pub(super) manifest_sha256: String,
    /// The account's name as people know it.
    pub(super) account: String,
}

/// Reads a sealed record; nothing where it is not sealed, or disposed of.
pub(super) async fn sealed(
    store: &Store,
    evidence: &EvidenceStore,
    row: EvidenceRow,
) -> Result<Option<Sealed>, ServiceError> {
    let EvidenceState::Sealed { manifest: hash, log_seq, .. } = row.state else { return Ok(None) };
    let manifest = evidence.manifest(&row).await.map_err(broken)?;
    let cut = store.cut_off(row.version).await?;
    let account = match store.case_of(row.item).await? {
        Some(case) => store.queue_line(case.id).await?.account.name,
        None => manifest.account.to_string(),
    };
    let manifest_sha256 = hash.to_hex();
    Ok(Some(Sealed { row, manifest, cut, log_seq, manifest_sha256, account }))
}

impl Sealed {
    /// The bytes of a part, unless there is none or it is cut off.
    async fn part(
        &self,
        evidence: &EvidenceStore,
        kind: PartKind,
    ) -> Result<Option<Vec<u8>>, ServiceError> {
        let part = self.manifest.parts.iter().find(|part| part.kind == kind);
        match part.filter(|part| !self.manifest.is_cut_off(part.kind, self.cut)) {
            Some(part) => Ok(Some(evidence.bytes(part.sha256).await.map_err(broken)?)),
            None => Ok(None),
        }
    }

    /// The text, unless it is cut off.
    pub(super) async fn text(
        &self,
        evidence: &EvidenceStore,
    ) -> Result<Option<String>, ServiceError> {
        let bytes = self.part(evidence, PartKind::Text).await?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Why nothing of the content, or no picture, may be copied; none where all of it may.
    pub(super) fn withheld(&self) -> Option<&'static str> {
        let is_metadata = self.manifest.parts.is_empty();
        match self.cut {
            CutOff::Nothing if !is_metadata => None,
            CutOff::Nothing | CutOff::Everything => Some(withheld(CutOff::Everything)),
            cut @ (CutOff::OwnPictures | CutOff::PagePictures) => Some(withheld(cut)),
        }
    }

    /// `Kommentar på Facebook, Kommunens sida`.
    pub(super) fn what(&self) -> String {
        let kind = capitalised(self.manifest.kind.label());
        let simulated =
            if self.manifest.simulated { " (SIMULERAD: inte ett riktigt inlägg)" } else { "" };
        format!("{kind} på {}, {}{simulated}", self.platform(), self.account)
    }

    /// The platform's name as people know it.
    fn platform(&self) -> &str {
        match PlatformKind::from_id(&self.manifest.platform) {
            Some(platform) => platform.label(),
            None => &self.manifest.platform,
        }
    }

    /// Day and minute when it was published, or when it was fetched where the platform does not say.
    pub(super) fn when(&self) -> String {
        match self.manifest.created_at {
            Some(at) => time(at),
            None => {
                format!("hämtat {} (plattformen anger ingen tid)", time(self.manifest.fetched_at))
            }
        }
    }

    /// Where it stands.
    pub(super) fn place(&self) -> String {
        let link = self.manifest.permalink.as_ref().map(|link| link.url.clone());
        link.unwrap_or_else(|| "Plattformen anger ingen länk.".into())
    }

    /// Number of the wording; where it is one that its author did not change, why it was sealed once more.
    pub(super) fn wording(&self) -> String {
        let number = self.manifest.version;
        match self.manifest.read_before {
            Some(removal) => {
                format!(
                    "{number}, samma text säkrad en gång till före åtgärden att {}",
                    removal.label()
                )
            }
            None => number.to_string(),
        }
    }

    /// What the author is called where they are shown: names that may stand in the text as well.
    pub(super) fn identity(&self) -> Vec<String> {
        let author = &self.manifest.author;
        [author.name.as_ref(), author.handle.as_ref(), author.platform_id.as_ref()]
            .into_iter()
            .flatten()
            .map(|name| name.trim_start_matches('@').to_owned())
            .filter(|name| name.chars().count() > 2)
            .collect()
    }

    /// Nothing of its content may be copied.
    pub(super) fn is_barred(&self) -> bool {
        self.cut == CutOff::Everything || self.manifest.parts.is_empty()
    }

    /// The author as shown.
    pub(super) fn author(&self) -> String {
        let author = &self.manifest.author;
        let id = author.platform_id.as_ref().map(|id| format!("id hos plattformen: {id}"));
        let handle = author.handle.as_ref().map(|handle| format!("användarnamn: {handle}"));
        let told: Vec<_> =
            [author.name.clone(), handle, id, author.url.clone()].into_iter().flatten().collect();
        if told.is_empty() { "Plattformen lämnar inga uppgifter.".into() } else { told.join("\n") }
    }

    /// All that is known of it, for whoever may read it in full; and the originals of the pictures that stand
    /// blurred in it.
    pub(super) async fn chapter(
        &self,
        evidence: &EvidenceStore,
    ) -> Result<(Chapter, Vec<DossierFile>), ServiceError> {
        let manifest = &self.manifest;
        let fact = |label: &str, value: String| (label.to_owned(), value);
        let mut facts = vec![
            fact("Konto", self.account.clone()),
            fact("Plattform", self.platform().to_owned()),
            fact("Plattformens id", manifest.item.as_str().to_owned()),
            fact("Länk", self.place()),
            fact("Författare som visad", self.author()),
            fact("Publicerat", self.when()),
            fact("Lydelse", self.wording()),
            fact("Hämtat av oss", time(manifest.fetched_at)),
            fact("Förseglat av oss", time(manifest.sealed_at)),
            fact("Plats i loggen", self.log_seq.to_string()),
            fact("Manifestets kontrollsumma (SHA-256)", grouped(&self.manifest_sha256)),
        ];
        if let Some(earlier) = &manifest.earlier {
            let told = format!("lydelse {}, plats {} i loggen", earlier.version, earlier.log_seq);
            facts.push(fact("Säkrat dessförinnan", told));
        }
        for attachment in &manifest.attachments {
            let name = attachment.name.as_deref().or(attachment.media_type.as_deref());
            facts.push(fact(
                "Bilaga enligt plattformen",
                match name {
                    Some(name) => format!("{} ({name})", attachment.kind),
                    None => attachment.kind.clone(),
                },
            ));
        }
        let mut passages = vec![Passage {
            title: "Texten".into(),
            notes: self.withheld().map(str::to_owned).into_iter().collect(),
            text: self.text(evidence).await?,
        }];
        if self.cut != CutOff::Everything
            && let Some(verdict) = &manifest.verdict
            && !verdict.findings.is_empty()
        {
            let told = |f: &Finding| {
                format!("{}, {}: {} ({})", f.category.label(), f.severity.label(), f.why, f.legal)
            };
            let mut notes = vec!["Ett förslag av ett program, inte ett beslut.".to_owned()];
            notes.extend(verdict.findings.iter().map(told));
            passages.push(Passage { title: "Maskinens bedömning".into(), notes, text: None });
        }
        if let Some(bytes) = self.part(evidence, PartKind::Thread).await?
            && let Ok(thread) = serde_json::from_slice::<Thread>(&bytes)
        {
            passages.extend(around(thread));
        }
        let parts = manifest.parts.iter().filter(|p| !manifest.is_cut_off(p.kind, self.cut));
        let parts: Vec<_> = parts
            .map(|p| format!("{} ({}): {}", p.kind.label(), p.name, p.sha256.to_hex()))
            .collect();
        let missing = manifest.missing.iter();
        let missing = missing.map(|m| format!("Saknas: {}. {}", m.kind.label(), m.reason));
        let notes = parts.into_iter().chain(missing).collect();
        passages.push(Passage {
            title: "Bevisets delar och deras kontrollsummor (SHA-256)".into(),
            notes,
            text: None,
        });
        let (mut pictures, mut originals) = (Vec::new(), Vec::new());
        for (kind, about, look) in [
            (PartKind::Screenshot, "Skärmbild av sidan", PictureLook::InFull),
            (PartKind::FullPage, "Hela sidan", PictureLook::OnOnePage),
        ] {
            let Some(png) = self.part(evidence, kind).await? else { continue };
            let part = manifest.parts.iter().find(|part| part.kind == kind);
            let mut notes: Vec<_> = part.map(|part| part.method.clone()).into_iter().collect();
            let mut look = look;
            if manifest.is_blurred() {
                let name = format!("bevis-{}-{}.png", self.row.id, kind.id());
                notes.insert(0, format!("Bilden är suddad här, eftersom den kan visa våld eller sexuellt innehåll. Den osuddade ligger som filen {name} i den här PDF-filen, och i bevisets paket."));
                look = PictureLook::Blurred;
                originals.push(DossierFile {
                    name,
                    what: format!("{about}, osuddad, bevis {}", self.row.id),
                    media_type: "image/png".into(),
                    bytes: png.clone(),
                });
            }
            pictures.push(ChapterPicture { png, about: about.to_owned(), notes, look });
        }
        let title = format!("Bevis {}: {}", self.row.id, self.what());
        Ok((Chapter { title, facts, passages, pictures }, originals))
    }
}

/// The thread around it, the post first.
fn around(thread: Thread) -> Vec<Passage> {
    let mut passages = Vec::new();
    if let Some(post) = thread.post {
        passages.push(Passage {
            title: "Myndighetens inlägg".into(),
            notes: post.created_at.map(time).into_iter().collect(),
            text: Some(post.text),
        });
    }
    for item in thread.above {
        let name = item.author.name.or(item.author.handle).unwrap_or("okänd författare".into());
        let when = item.created_at.map(time);
        passages.push(Passage {
            title: format!("Svar ovanför, av {}", name.replace(['\n', '\r'], " ")),
            notes: when.into_iter().collect(),
            text: Some(item.text),
        });
    }
    for item in thread.below {
        let name = item.author.name.or(item.author.handle).unwrap_or("okänd författare".into());
        passages.push(Passage {
            title: format!("Svar under, av {}", name.replace(['\n', '\r'], " ")),
            notes: item.created_at.map(time).into_iter().collect(),
            text: Some(item.text),
        });
    }
    passages
}

/// `2026-11-22 14:05`, Swedish time.
pub(super) fn time(at: jiff::Timestamp) -> String {
    local(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Hexadecimal digits in groups of eight, to be compared by eye.
pub(super) fn grouped(hex: &str) -> String {
    let mut out = String::with_capacity(hex.len() + 8);
    for (n, digit) in hex.chars().enumerate() {
        if n > 0 && n.is_multiple_of(8) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Renders a document on a thread that may block.
pub(super) async fn rendered(dossier: Dossier) -> Result<Vec<u8>, ServiceError> {
    let made = tokio::task::spawn_blocking(move || render_dossier(&dossier)).await;
    made.map_err(|e| ServiceError::broken("document", e))?.map_err(|error| match error {
        SheetError::NotBuiltIn => ServiceError::Refused {
            why: "Det här programmet är byggt utan PDF. Använd det som ges ut.".into(),
        },
        error => ServiceError::broken("document", error),
    })
}
