//! PREMIS 3.0: every file as it is kept, and what was done with the records.
//!
//! The schema wants all objects before all events and these before all agents, so objects and events are
//! pieces of their own until the end.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use crate::formats::xml::Xml;

use super::{Described, Held, PROGRAM, VERSION};

/// Those who did something: few, since they are the authority's own people.
#[derive(Debug, Default)]
pub struct Agents(BTreeSet<String>);

/// Writes a file among the objects.
///
/// # Errors
/// Of the writer.
pub fn object<W: Write>(xml: &mut Xml<W>, path: &str, held: &Held) -> io::Result<()> {
    xml.open("object", &[("xsi:type", "file")])?;
    xml.open("objectIdentifier", &[])?;
    xml.text("objectIdentifierType", &[], "path")?;
    xml.text("objectIdentifierValue", &[], path)?;
    xml.close()?;
    xml.open("objectCharacteristics", &[])?;
    xml.open("fixity", &[])?;
    xml.text("messageDigestAlgorithm", &[], "SHA-256")?;
    xml.text("messageDigest", &[], &held.sha256.to_hex())?;
    xml.close()?;
    xml.text("size", &[], &held.size.to_string())?;
    xml.open("format", &[])?;
    xml.open("formatDesignation", &[])?;
    xml.text("formatName", &[], &held.media_type)?;
    for _ in 0..4 {
        xml.close()?;
    }
    Ok(())
}

/// Writes what was done with a record. `manifest` is the path of the file that its seal is of.
///
/// # Errors
/// Of the writer.
pub fn events<W: Write>(
    xml: &mut Xml<W>,
    agents: &mut Agents,
    record: &Described,
    manifest: &str,
) -> io::Result<()> {
    let number = record.evidence;
    let captured = (
        "capture",
        record.fetched,
        None,
        format!("Hämtat från {}, konto {}.", record.platform, record.account),
    );
    let sealed = (
        "message digest calculation",
        record.sealed,
        None,
        format!("Förseglat: post {} i loggen håller manifestets kontrollsumma.", record.log_seq),
    );
    let rest = record.events.iter().map(|e| (e.kind, e.at, e.by.as_deref(), e.detail.clone()));
    for (n, (kind, at, by, detail)) in [captured, sealed].into_iter().chain(rest).enumerate() {
        xml.open("event", &[])?;
        xml.open("eventIdentifier", &[])?;
        xml.text("eventIdentifierType", &[], "local")?;
        xml.text(
            "eventIdentifierValue",
            &[],
            &format!("{}-{number}-{}", record.subject.stem(), n + 1),
        )?;
        xml.close()?;
        xml.text("eventType", &[], kind)?;
        xml.text("eventDateTime", &[], &at.to_string())?;
        xml.open("eventDetailInformation", &[])?;
        xml.text("eventDetail", &[], &detail)?;
        xml.close()?;
        xml.open("linkingAgentIdentifier", &[])?;
        match by {
            Some(name) => {
                agents.0.insert(name.to_owned());
                xml.text("linkingAgentIdentifierType", &[], "name")?;
                xml.text("linkingAgentIdentifierValue", &[], name)?;
            }
            None => {
                xml.text("linkingAgentIdentifierType", &[], "software")?;
                xml.text("linkingAgentIdentifierValue", &[], PROGRAM)?;
            }
        }
        xml.close()?;
        xml.open("linkingObjectIdentifier", &[])?;
        xml.text("linkingObjectIdentifierType", &[], "path")?;
        xml.text("linkingObjectIdentifierValue", &[], manifest)?;
        xml.close()?;
        xml.close()?;
    }
    Ok(())
}

/// Writes the whole document from its pieces.
///
/// # Errors
/// Of the writer, or of what the pieces are read from.
pub fn document<W: Write>(
    out: W,
    objects: impl Read,
    events: impl Read,
    agents: &Agents,
) -> io::Result<W> {
    let mut xml = Xml::document(out)?;
    xml.open(
        "premis",
        &[
            ("xmlns", "http://www.loc.gov/premis/v3"),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            (
                "xsi:schemaLocation",
                "http://www.loc.gov/premis/v3 https://www.loc.gov/standards/premis/premis.xsd",
            ),
            ("version", "3.0"),
        ],
    )?;
    xml.insert(objects)?;
    xml.insert(events)?;
    let persons = agents.0.iter().map(|name| ("name", name.as_str(), "person", None));
    let program = ("software", PROGRAM, "software", Some(VERSION));
    for (id_type, name, kind, version) in std::iter::once(program).chain(persons) {
        xml.open("agent", &[])?;
        xml.open("agentIdentifier", &[])?;
        xml.text("agentIdentifierType", &[], id_type)?;
        xml.text("agentIdentifierValue", &[], name)?;
        xml.close()?;
        xml.text("agentName", &[], name)?;
        xml.text("agentType", &[], kind)?;
        if let Some(version) = version {
            xml.text("agentVersion", &[], version)?;
        }
        xml.close()?;
    }
    xml.finish()
}
