//! Evidence (*bevis*) as it is shown: the seal in words, the sheet, the manifest as a table.

use jiff::Timestamp;

use crate::domain::evidence::{Manifest, PartKind};
use crate::domain::ids::EvidenceId;

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

/// The evidence on a case's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceBox {
    /// The seal.
    pub seal: Seal,
    /// The record, where there is one and the role may see it.
    pub record: Option<EvidenceId>,
    /// Whether the sheet has a picture to show.
    pub has_sheet: bool,
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
    /// How many pages the sheet has as pictures.
    pub sheet_pages: usize,
    /// Address of the screenshot, if one was taken.
    pub screenshot: Option<String>,
    /// Its place in the log.
    pub leaf: Option<String>,
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
        manifest: &Manifest,
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
            sheet_pages: named(PartKind::SheetPng).count(),
            screenshot: named(PartKind::Screenshot)
                .next()
                .map(|part| format!("/bevis/{id}/fil/{}", part.name)),
            leaf: verification.leaf,
        }
    }

    /// Numbers of the sheet's pages.
    pub fn pages(&self) -> std::ops::RangeInclusive<usize> {
        1..=self.sheet_pages
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

    use crate::web::view::fixtures::others::evidence_of;

    #[test]
    fn of_what_may_not_be_looked_at_no_address_can_be_opened() {
        for (barred, opens) in [(false, true), (true, false)] {
            let html = evidence_of(barred).render().unwrap();
            assert!(html.contains("Länk till inlägget"), "it can be read all the same");
            assert_eq!(html.contains("i ny flik"), opens, "barred: {barred}");
        }
    }
}
