//! The protocol of a disposal (*gallringsprotokoll*) as PDF/A-2a with PDF/UA-1, by the same engine and
//! fonts as the evidence sheet.

use serde::Serialize;

use super::fonts::{FAMILIES, fonts};
use super::shown::{Preparer, Repertoire, Shown};
use super::{SheetError, engine, words};
use crate::domain::calendar::local;
use crate::domain::ids::ContentHash;
use crate::domain::retention::{Protocol, RetentionClass};

/// Characters of a name or a decision.
const VALUE_BUDGET: usize = 1_200;
/// Characters of an account's name in a row.
const CELL_BUDGET: usize = 80;

/// The values that `protocol.typ` reads, under these names.
#[derive(Serialize)]
struct Data {
    fonts: &'static [&'static str],
    title: String,
    authority: Shown,
    authority_plain: String,
    footer: String,
    facts: Vec<Fact>,
    rules: Vec<[Shown; 4]>,
    notes: Vec<&'static str>,
    lines: Vec<[Shown; 6]>,
}

#[derive(Serialize)]
struct Fact {
    label: &'static str,
    value: Shown,
}

const NOTES: &[&str] = &[
    "Gallrat är det sparade innehållet: texter, namn, bilder, plattformens svar och bevisets filer. Kvar är att ärendet fanns, hur det beslutades, bevisets kontrollsumma, dess plats i loggen och det här protokollet.",
    "Bevis i andra ärenden kan visa samma inlägg som sammanhang: i tråden eller på en bild av sidan. De gallras när deras egen tid är ute, och arkivkörningar är arkivets exemplar.",
    "Bevisens kontrollsummor och platser i loggen står i protokollets tabell (CSV).",
];

/// Renders the protocol. `csv_sha256` is the hash of its table, which the log holds.
///
/// # Errors
/// As [`super::render`].
pub fn render(protocol: &Protocol, csv_sha256: ContentHash) -> Result<Vec<u8>, SheetError> {
    let with = |repertoire| -> Result<Vec<u8>, SheetError> {
        let data = data(protocol, csv_sha256, repertoire);
        engine::pdf(engine::Job {
            template: engine::Template::Protocol,
            data: serde_json::to_vec(&data).map_err(SheetError::Data)?,
            strips: Vec::new(),
            files: Vec::new(),
            ident: format!("gallring/{}/{csv_sha256}", protocol.number),
            date: protocol.done.0,
        })
    };
    match with(Repertoire::Fonts) {
        Err(SheetError::Layout(_) | SheetError::Export(_) | SheetError::Broken) => {
            with(Repertoire::Latin)
        }
        made => made,
    }
}

fn data(protocol: &Protocol, csv_sha256: ContentHash, repertoire: Repertoire) -> Data {
    let mut show = Preparer::new(fonts(), repertoire);
    let authority = show.show(&protocol.authority, VALUE_BUDGET);
    let who =
        |(at, name): &(jiff::Timestamp, String)| format!("{name}, {}", words::swedish_time(*at));
    let destroyed = protocol.destroyed;
    let kept = match destroyed.n_shared {
        0 => String::new(),
        n => format!(" {} filer finns kvar, eftersom andra bevis vilar på dem.", words::number(n)),
    };
    let facts = [
        ("Protokoll", protocol.number.to_string()),
        ("Plan", protocol.plan.clone()),
        ("Gallringsbeslut", protocol.decision.clone()),
        ("Riktlinjens kontrollsumma (SHA-256)", words::digest(&protocol.policy.to_string())),
        ("Föreslaget av", who(&protocol.proposed)),
        ("Genomfört av", who(&protocol.done)),
        (
            "Två personer",
            if protocol.four_eyes {
                "Ja: riktlinjen kräver att en föreslår och en annan godkänner."
            } else {
                "Nej: riktlinjen kräver det inte."
            }
            .into(),
        ),
        (
            "Omfattning",
            format!(
                "{} ärenden, {} bevis. {} filer förstördes ({}).{kept}",
                words::count(protocol.n_cases()),
                words::count(protocol.lines.len()),
                words::number(destroyed.n_files),
                words::bytes(destroyed.n_bytes),
            ),
        ),
        ("Tabellens kontrollsumma (SHA-256)", words::digest(&csv_sha256.to_string())),
    ];
    let facts =
        facts.map(|(label, value)| Fact { label, value: show.show(&value, VALUE_BUDGET) }).into();
    let mut rules = Vec::new();
    for class in RetentionClass::ALL {
        let mut of_class = protocol.lines.iter().filter(|line| line.class == *class).peekable();
        // One policy gives one rule to each class.
        let Some(first) = of_class.peek() else { continue };
        let (months, why) = (crate::domain::retention::months(first.months), first.why.clone());
        rules.push([
            show.show(class.label(), CELL_BUDGET),
            show.show(&months, CELL_BUDGET),
            show.show(&why, VALUE_BUDGET),
            show.show(&words::count(of_class.count()), CELL_BUDGET),
        ]);
    }
    let day = |at: jiff::Timestamp| local(at).date().to_string();
    let lines = protocol
        .lines
        .iter()
        .map(|line| {
            [
                line.evidence.to_string(),
                line.case.to_string(),
                line.account.clone(),
                line.class.label().to_owned(),
                day(line.closed_at),
                day(line.due_at),
            ]
            .map(|cell| show.show(&cell, CELL_BUDGET))
        })
        .collect();
    Data {
        fonts: FAMILIES,
        title: format!("Gallringsprotokoll {}", protocol.number),
        authority_plain: authority.plain(),
        authority,
        footer: format!("Gallringsprotokoll {} · Uppsikt", protocol.number),
        facts,
        rules,
        notes: NOTES.to_vec(),
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::protocol::{csv, tests::protocol};

    #[test]
    fn a_protocol_is_an_archive_document_and_the_same_every_time() {
        // An account's name is what somebody else chose.
        let protocol = protocol("#set page(fill: red) \u{202E}Kontot 🦊");
        let hash = ContentHash::of(&csv(&protocol));
        let pdf = render(&protocol, hash).expect("a PDF");
        assert!(pdf.starts_with(b"%PDF-1.7"));
        let is_in = |words: &str| memchr::memmem::find(&pdf, words.as_bytes()).is_some();
        assert!(is_in("<pdfaid:part>2</pdfaid:part>") && is_in("<pdfuaid:part>1</pdfuaid:part>"));
        assert_eq!(render(&protocol, hash).expect("a PDF"), pdf);
    }
}
