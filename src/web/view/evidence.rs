//! Evidence (*bevis*) as it is shown: the seal in words, the sheet, the manifest as a table.

use jiff::Timestamp;

use crate::domain::evidence::{Manifest, Part, PartKind};
use crate::domain::file_kind::FileKind;
use crate::domain::ids::EvidenceId;
use crate::domain::page_log::PageLog;

use super::decision::RemovalGate;
use super::outside::Outside;
use super::shell::{Place, Shell};
use super::times::Moment;
use super::words::size;

/// What checking the seal gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Everything was recomputed and agrees.
    Sound,
    /// Something does not agree: what, in Swedish.
    Broken(String),
}

/// Where the evidence of the shown version stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// Sealed.
    Sealed {
        /// When.
        at: Moment,
        /// Whether it has been checked.
        checked: Checked,
    },
    /// Being captured.
    Taking,
    /// Could not be captured yet: why, in Swedish; it is tried again.
    Lacking(String),
    /// Disposed of (*gallrat*) under a rule on a date.
    Disposed {
        /// The rule.
        rule: String,
        /// When.
        at: Moment,
    },
}

impl Seal {
    /// Sealed at `at`.
    pub fn sealed(at: Timestamp, checked: Checked, now: Timestamp) -> Self {
        Self::Sealed { at: Moment::exact(at, now), checked }
    }

    /// Class in the stylesheet.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Sealed { checked: Checked::Sound, .. } => "sigill god",
            Self::Sealed { checked: Checked::Broken(_), .. } | Self::Lacking(_) => "sigill dalig",
            Self::Taking | Self::Disposed { .. } => "sigill vantar",
        }
    }

    /// Whether removing choices may be made, and if not, why.
    pub fn gate(&self) -> RemovalGate {
        let closed = |words: &str| RemovalGate::Closed(words.to_owned());
        match self {
            Self::Sealed { checked: Checked::Sound, .. } => RemovalGate::Open,
            Self::Sealed { checked: Checked::Broken(what), .. } => RemovalGate::Closed(format!(
                "Beviset stämmer inte ({what}). Dölj och ta bort spärras tills ett nytt bevis är säkrat."
            )),
            Self::Taking => closed(
                "Bevis tas just nu. Du kan dölja och ta bort när det är säkrat, oftast inom en minut.",
            ),
            Self::Lacking(why) => RemovalGate::Closed(format!(
                "Bevis saknas: {why} Du kan dölja och ta bort när ett bevis är säkrat."
            )),
            Self::Disposed { .. } => closed(
                "Beviset är gallrat. Läs inlägget på nytt, så tas ett nytt bevis. Sedan kan du dölja eller ta bort.",
            ),
        }
    }
}

/// A part that could not be captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingView {
    /// What.
    pub what: &'static str,
    /// Why, in Swedish.
    pub reason: String,
}

impl MissingView {
    /// A missing part in words.
    pub fn new(kind: PartKind, reason: impl Into<String>) -> Self {
        Self { what: kind.label(), reason: reason.into() }
    }
}

/// A picture on a page: always drawn by us, blurred where it may be hard to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot {
    /// What the page shows.
    pub src: String,
    /// Where it stands as it is.
    pub href: String,
    /// Whether what the page shows is blurred.
    pub blurred: bool,
}

impl Shot {
    fn of(id: EvidenceId, manifest: &Manifest, part: &Part) -> Self {
        let (name, blurred) = (&part.name, manifest.is_part_blurred(part));
        let clear = match part.kind {
            PartKind::SheetPng => {
                let pages = manifest.parts.iter().filter(|p| p.kind == PartKind::SheetPng);
                let before = pages.take_while(|page| *page != part).count();
                format!("/bevis/{id}/sida/{}.png", before + 1)
            }
            // Our browser's own.
            PartKind::Screenshot | PartKind::FullPage => format!("/bevis/{id}/fil/{name}"),
            PartKind::Attachment
            | PartKind::Payload
            | PartKind::Text
            | PartKind::Thread
            | PartKind::Exchange
            | PartKind::Links
            | PartKind::PageArchive
            | PartKind::PageLog
            | PartKind::SheetPdf => format!("/bevis/{id}/bild/{name}"),
        };
        let src = if blurred { format!("/bevis/{id}/sudd/{name}") } else { clear.clone() };
        Self { src, href: clear, blurred }
    }
}

/// A file that hung on the item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hanging {
    /// File name.
    pub name: String,
    /// Sort and size in words.
    pub what: String,
    /// Where to fetch it.
    pub href: String,
    /// A picture of it.
    pub shot: Option<Shot>,
}

/// The files that hung on the item, as far as they may be shown.
pub fn hanging(id: EvidenceId, manifest: &Manifest) -> Vec<Hanging> {
    let parts = manifest.parts.iter().filter(|part| part.kind == PartKind::Attachment);
    let one = |part: &Part| {
        let kind = FileKind::from_media_type(&part.media_type);
        let what = kind.map_or("fil", |kind| kind.family().label());
        Hanging {
            name: part.name.clone(),
            what: format!("{what}, {}, {}", part.media_type, size(part.size_bytes)),
            href: format!("/bevis/{id}/fil/{}", part.name),
            shot: kind.filter(|kind| kind.is_drawn()).map(|_drawn| Shot::of(id, manifest, part)),
        }
    };
    parts.map(one).collect()
}

/// A picture of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageShot {
    /// The picture.
    pub shot: Shot,
    /// What it shows, for whoever does not see it.
    pub alt: &'static str,
    /// What is to be known of it: how it was taken, and what of it is ours.
    pub caption: String,
}

fn page_shots(id: EvidenceId, manifest: &Manifest) -> Vec<PageShot> {
    let kinds = [
        (PartKind::Screenshot, "Skärmbild av sidan när beviset togs"),
        (PartKind::FullPage, "Hela sidan när beviset togs"),
    ];
    let one = |(kind, alt)| {
        let part = manifest.parts.iter().find(|part| part.kind == kind)?;
        let shot = Shot::of(id, manifest, part);
        Some(PageShot { shot, alt, caption: part.method.clone() })
    };
    kinds.into_iter().filter_map(one).collect()
}

/// What a page was refused and what it complained of, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLogView {
    /// In one sentence.
    pub summary: String,
    /// Calls that were stopped or did not come through.
    pub stopped: Vec<StoppedView>,
    /// What more there was, in words.
    pub stopped_beyond: Option<String>,
    /// Lines of the console.
    pub console: Vec<ConsoleView>,
    /// What more there was, in words.
    pub console_beyond: Option<String>,
}

/// A call that was stopped or did not come through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoppedView {
    /// Where it went; hidden characters are marked.
    pub address: String,
    /// What was asked for, why it did not come, how often.
    pub words: String,
}

/// A line of the page's console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleView {
    /// How grave, and how often.
    pub words: String,
    /// The page's own words; hidden characters are marked.
    pub text: String,
}

impl PageLogView {
    fn new(log: &PageLog) -> Self {
        let shown = |text: &str| super::visible::Visible::new(text).into_line();
        let often = |n: u64| if n > 1 { format!(", {n} gånger") } else { String::new() };
        let beyond = |n: u64| (n > 0).then(|| format!("och {n} till, som inte är uppräknade"));
        Self {
            summary: log.summary(),
            stopped: log
                .stopped
                .iter()
                .map(|call| {
                    let detail = call.detail.as_deref().map(shown);
                    let detail = detail.map_or_else(String::new, |detail| format!(" ({detail})"));
                    let (what, why) = (call.resource.label(), call.reason.label());
                    StoppedView {
                        address: shown(&call.address),
                        words: format!("{what}, {why}{detail}{}", often(call.times)),
                    }
                })
                .collect(),
            stopped_beyond: beyond(log.stopped_beyond),
            console: log
                .console
                .iter()
                .map(|line| ConsoleView {
                    words: format!("{}{}", line.level.label(), often(line.times)),
                    text: match &line.from {
                        Some(from) => format!("{} ({})", shown(&line.text), shown(from)),
                        None => shown(&line.text),
                    },
                })
                .collect(),
            console_beyond: beyond(log.console_beyond),
        }
    }
}

/// A record that was sealed once more right before a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedAgain {
    /// The record.
    pub record: EvidenceId,
    /// When it was read.
    pub at: Moment,
}

/// The evidence on a case's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceBox {
    /// The seal.
    pub seal: Seal,
    /// The record, where there is one and the role may see it.
    pub record: Option<EvidenceId>,
    /// Whether the sheet has a picture to show.
    pub has_sheet: bool,
    /// Records that were sealed once more right before a removal.
    pub again: Vec<SealedAgain>,
    /// What hung on the item.
    pub hanging: Vec<Hanging>,
    /// What could not be captured.
    pub missing: Vec<MissingView>,
    /// Whether the content was disposed of, and the person at the page may have it read anew.
    pub may_read_anew: bool,
}

impl EvidenceBox {
    /// Address of the record's page.
    pub fn href(&self) -> Option<String> {
        self.record.map(|id| format!("/bevis/{id}"))
    }

    /// Address of the sheet's first page as a picture.
    pub fn thumbnail(&self) -> Option<String> {
        self.record.filter(|_| self.has_sheet).map(|id| format!("/bevis/{id}/sida/1.png"))
    }
}

/// A file of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartRow {
    /// What it is.
    pub what: &'static str,
    /// File name.
    pub name: String,
    /// Where to fetch it.
    pub href: String,
    /// Size in words.
    pub size: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// When it was captured.
    pub captured: Moment,
    /// How, in words.
    pub method: String,
}

/// A row of the manifest: name and value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What.
    pub name: &'static str,
    /// The value. Text from strangers has its hidden characters marked.
    pub value: String,
}

/// The page `/bevis/N`.
#[derive(Clone, Debug, askama::Template)]
#[template(path = "evidence.html", config = "src/web/askama.toml")]
pub struct EvidencePage {
    /// What surrounds it.
    pub shell: Shell,
    /// The record.
    pub id: EvidenceId,
    /// Back to the case.
    pub case_href: String,
    /// The seal.
    pub seal: Seal,
    /// What checking found, one sentence each.
    pub checks: Vec<CheckRow>,
    /// Facts of the manifest.
    pub facts: Vec<Fact>,
    /// Link to the item.
    pub permalink: Option<Outside>,
    /// Files.
    pub parts: Vec<PartRow>,
    /// What is missing.
    pub missing: Vec<MissingView>,
    /// The pages of the sheet as pictures.
    pub sheet_pages: Vec<Shot>,
    /// Pictures of the page, the item's first.
    pub screenshots: Vec<PageShot>,
    /// What the page was refused and what it complained of, where it was pictured.
    pub page_log: Option<PageLogView>,
    /// What hung on the item.
    pub hanging: Vec<Hanging>,
    /// Its place in the log.
    pub leaf: Option<String>,
    /// Names and pictures are not shown unasked.
    pub veiled: bool,
}

/// What `uppsikt evidence verify` finds for one record, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// In one word.
    pub checked: Checked,
    /// One row each: files, manifest, leaf, checkpoint.
    pub rows: Vec<CheckRow>,
    /// The leaf in words: `löv 214 av 1 180`.
    pub leaf: Option<String>,
}

/// One line of what checking found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRow {
    /// What was checked.
    pub what: &'static str,
    /// What was found.
    pub words: String,
    /// Whether it agrees.
    pub sound: bool,
}

impl EvidencePage {
    /// The page for a sealed record. Of what is `barred` no address can be opened.
    pub fn new(
        shell: Shell,
        id: EvidenceId,
        case_href: String,
        (manifest, page_log): (&Manifest, Option<&PageLog>),
        barred: bool,
        verification: Verification,
        now: Timestamp,
    ) -> Self {
        let named = |kind: PartKind| manifest.parts.iter().filter(move |p| p.kind == kind);
        Self {
            shell,
            id,
            case_href,
            seal: Seal::sealed(manifest.sealed_at, verification.checked, now),
            checks: verification.rows,
            facts: facts(manifest, now),
            permalink: manifest.permalink.as_ref().map(|link| match barred {
                true => Outside::read_only("Länk till inlägget", &link.url),
                false => Outside::new("Länk till inlägget", &link.url),
            }),
            parts: manifest
                .parts
                .iter()
                .map(|part| PartRow {
                    what: part.kind.label(),
                    name: part.name.clone(),
                    href: format!("/bevis/{id}/fil/{}", part.name),
                    size: size(part.size_bytes),
                    sha256: part.sha256.to_hex(),
                    captured: Moment::exact(part.captured_at, now),
                    method: part.method.clone(),
                })
                .collect(),
            missing: manifest
                .missing
                .iter()
                .map(|missing| MissingView::new(missing.kind, &missing.reason))
                .collect(),
            sheet_pages: named(PartKind::SheetPng)
                .map(|part| Shot::of(id, manifest, part))
                .collect(),
            screenshots: page_shots(id, manifest),
            page_log: page_log.map(PageLogView::new),
            hanging: hanging(id, manifest),
            leaf: verification.leaf,
            veiled: false,
        }
    }

    /// The same without pictures, of a record whose case was closed long ago.
    pub fn veiled(mut self) -> Self {
        self.veiled = true;
        self.sheet_pages.clear();
        self.screenshots.clear();
        self.hanging.clear();
        self
    }

    /// Whether anything on the page stands blurred.
    pub fn is_blurred(&self) -> bool {
        let pages = self.screenshots.iter().map(|page| &page.shot);
        let shots = self.sheet_pages.iter().chain(pages);
        let mut all = shots.chain(self.hanging.iter().filter_map(|file| file.shot.as_ref()));
        all.any(|shot| shot.blurred)
    }
}

fn facts(manifest: &Manifest, now: Timestamp) -> Vec<Fact> {
    let shown = |text: &str| super::visible::Visible::new(text).into_line();
    let exact = |at: Timestamp| Moment::exact(at, now).full;
    let unknown = || "plattformen säger det inte".to_owned();
    let author = &manifest.author;
    let mut facts = vec![
        Fact { name: "Konto", value: manifest.account.to_string() },
        Fact {
            name: "Plattform",
            value: match crate::domain::account::PlatformKind::from_id(&manifest.platform) {
                Some(kind) => kind.label().to_owned(),
                None => shown(&manifest.platform),
            },
        },
        Fact { name: "Slag", value: manifest.kind.label().to_owned() },
        Fact { name: "Plattformens nummer", value: shown(manifest.item.as_str()) },
        Fact { name: "Lydelse", value: manifest.version.to_string() },
        Fact { name: "Skrivet av", value: author.name.as_deref().map_or_else(unknown, shown) },
    ];
    if let Some(handle) = &author.handle {
        facts.push(Fact { name: "Användarnamn", value: shown(handle) });
    }
    if let Some(beside) = &manifest.beside {
        let picture = beside.picture.as_deref().map_or_else(unknown, shown);
        facts.push(Fact { name: "Författarens bild", value: picture });
        let counts = Some(beside.counts_in_words()).filter(|counts| !counts.is_empty());
        let counts = counts.unwrap_or_else(unknown);
        facts.push(Fact { name: "Reaktioner när det hämtades", value: counts });
    }
    let by_hand = manifest.is_by_hand();
    let told = |by_platform, by_person| if by_hand { by_person } else { by_platform };
    facts.extend([
        Fact {
            name: told("Skrivet, enligt plattformen", "Skrivet, enligt uppgift"),
            value: manifest.created_at.map_or_else(unknown, exact),
        },
        Fact { name: told("Hämtat", "Inlagt för hand"), value: exact(manifest.fetched_at) },
        Fact { name: "Säkrat", value: exact(manifest.sealed_at) },
        Fact {
            name: "Synlighet när det hämtades",
            value: told(manifest.presence.label(), "okänd: Uppsikt har inte sett inlägget")
                .to_owned(),
        },
        Fact { name: "Innehållets SHA-256", value: manifest.content_sha256.to_hex() },
        Fact { name: "Säkrat av", value: manifest.sealed_by.clone() },
    ]);
    if manifest.simulated {
        facts.insert(0, Fact { name: "Obs", value: "Från en simulerad plattform".to_owned() });
    }
    facts
}

#[cfg(test)]
mod tests {
    use askama::Template as _;

    use super::*;
    use crate::web::view::fixtures::others::evidence_of;

    fn manifest(category: &str) -> Manifest {
        let part = |kind: &str, name: &str, media_type: &str| {
            serde_json::json!({
                "kind": kind, "name": name, "media_type": media_type, "sha256": "0".repeat(64),
                "size_bytes": 1_200, "captured_at": "2026-11-21T12:00:00Z", "method": "prov",
            })
        };
        let found = serde_json::json!({
            "category": category, "severity": "high", "rule": "prov.regel", "spans": [], "why": "", "legal": "",
        });
        serde_json::from_value(serde_json::json!({
            "format": 1, "account": "a", "platform": "facebook", "simulated": true, "item": "1", "version": 1,
            "content_sha256": "0".repeat(64), "kind": "comment",
            "author": {"platform_id": null, "name": null, "handle": null, "url": null},
            "created_raw": null, "created_at": null, "edited_at": null,
            "fetched_at": "2026-11-21T12:00:00Z", "sealed_at": "2026-11-21T12:00:00Z",
            "presence": "visible", "permalink": null, "attachments": [],
            "verdict": {"lexicon": "x", "findings": [found]},
            "parts": [
                part("screenshot", "screenshot.png", "image/png"),
                part("attachment", "bilaga-1.jpg", "image/jpeg"),
                part("attachment", "bilaga-2.pdf", "application/pdf"),
                part("sheet_png", "bevisblad-1.png", "image/png"),
                part("sheet_png", "bevisblad-2.png", "image/png"),
            ],
            "missing": [], "sealed_by": "prov",
        }))
        .unwrap()
    }

    #[test]
    fn what_hung_on_an_item_is_shown_as_drawn_by_us_and_blurred_where_need_be() {
        let shown = |category: &str| {
            let manifest = manifest(category);
            let files = hanging(EvidenceId(7), &manifest);
            let srcs = files.into_iter().map(|file| (file.href, file.shot.map(|shot| shot.src)));
            srcs.collect::<Vec<_>>()
        };
        let file = |name: &str| format!("/bevis/7/fil/{name}");
        for (category, way) in [("threat", "bild"), ("violence", "sudd"), ("sexual", "sudd")] {
            assert_eq!(
                shown(category),
                [
                    (file("bilaga-1.jpg"), Some(format!("/bevis/7/{way}/bilaga-1.jpg"))),
                    (file("bilaga-2.pdf"), None),
                ],
                "{category}"
            );
        }
        let grave = manifest("sexual");
        let blurred = grave.parts.iter().filter(|part| grave.is_part_blurred(part));
        let blurred: Vec<_> = blurred.map(|part| part.name.as_str()).collect();
        assert_eq!(blurred, ["screenshot.png", "bilaga-1.jpg", "bilaga-2.pdf", "bevisblad-2.png"]);
    }

    #[test]
    fn of_what_may_not_be_looked_at_no_address_can_be_opened() {
        for (barred, opens) in [(false, true), (true, false)] {
            let html = evidence_of(barred).render().unwrap();
            assert!(html.contains("Länk till inlägget"), "it can be read all the same");
            assert_eq!(html.contains("i ny flik"), opens, "barred: {barred}");
        }
    }
}
