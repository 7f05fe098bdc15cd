//! ERMS: the records described for the archive, one aggregation a case. What is written here is valid by
//! versions 2.1.2 and 3.0.2 of the schema.

use std::io::{self, Write};

use crate::domain::calendar::local;
use crate::formats::xml::Xml;

use super::{Delivery, Described, PROGRAM, Subject, VERSION};

/// The description, written as records come.
#[derive(Debug)]
pub struct Erms<W: Write> {
    xml: Xml<W>,
    /// The case that is open.
    case: Option<Option<i64>>,
    /// Records of it so far.
    n: u64,
}

impl<W: Write> Erms<W> {
    /// Begins it.
    ///
    /// # Errors
    /// Of the writer.
    pub fn begin(out: W, delivery: &Delivery) -> io::Result<Self> {
        let mut xml = Xml::document(out)?;
        xml.open(
            "erms",
            &[
                ("xmlns", "https://DILCIS.eu/XML/ERMS"),
                ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
                (
                    "xsi:schemaLocation",
                    "https://DILCIS.eu/XML/ERMS https://citserms.dilcis.eu/schema/ERMS.xsd",
                ),
            ],
        )?;
        xml.open("control", &[])?;
        xml.text("identification", &[("identificationType", "OBJID")], &delivery.id)?;
        xml.open("maintenanceInformation", &[])?;
        xml.empty("maintenanceStatus", &[("value", "new")])?;
        xml.open("maintenanceAgency", &[])?;
        xml.text("agencyName", &[], &delivery.authority)?;
        xml.close()?;
        xml.open("maintenanceHistory", &[])?;
        xml.open("maintenanceEvent", &[])?;
        xml.empty("eventType", &[("value", "created")])?;
        xml.text("eventDateTime", &[], &delivery.created.to_string())?;
        xml.open("agent", &[("agentType", "other"), ("otherAgentType", "software")])?;
        xml.text("name", &[], &format!("{PROGRAM} {VERSION}"))?;
        for _ in 0..5 {
            xml.close()?;
        }
        xml.open("aggregations", &[])?;
        Ok(Self { xml, case: None, n: 0 })
    }

    /// Adds a record. Those of one case must come after each other.
    ///
    /// # Errors
    /// Of the writer.
    pub fn record(&mut self, record: &Described) -> io::Result<()> {
        let xml = &mut self.xml;
        if self.case != Some(record.case) || record.case.is_none() {
            if self.case.is_some() {
                xml.close()?;
            }
            self.case = Some(record.case);
            self.n = 0;
            let name = match record.case {
                Some(case) => format!("arende-{case}"),
                None => match record.subject {
                    Subject::Evidence => format!("utan-arende-{}", record.evidence),
                    Subject::ArchiveRun => format!("korning-{}", record.evidence),
                },
            };
            let attributes = [("systemIdentifier", name.as_str()), ("aggregationType", "caseFile")];
            xml.open("aggregation", &attributes)?;
            xml.text("objectId", &[], &name)?;
            for number in &record.diary {
                xml.text("extraId", &[("extraIdType", "diarienummer")], number)?;
            }
            let title = match record.case {
                Some(case) => format!("Ärende {case} i Uppsikt, {}", record.account),
                None => match record.subject {
                    Subject::Evidence => {
                        format!("Bevis {} utan ärende, {}", record.evidence, record.account)
                    }
                    Subject::ArchiveRun => {
                        format!("Arkivkörning {} av {}", record.evidence, record.account)
                    }
                },
            };
            xml.text("title", &[], &title)?;
        }
        self.n += 1;
        let name = format!("{}-{}", record.subject.stem(), record.evidence);
        // Whether it is digital is left unsaid: the two schemas spell the word differently.
        xml.open("record", &[("systemIdentifier", &name)])?;
        xml.text("objectId", &[], &name)?;
        xml.text("extraId", &[("extraIdType", "plattformens id")], &record.item)?;
        let day = local(record.received).date();
        let title = match record.subject {
            Subject::Evidence => format!(
                "{}, {} på {}, version {}",
                day, record.kind, record.platform, record.version
            ),
            Subject::ArchiveRun => format!("{}, {} på {}", day, record.kind, record.platform),
        };
        xml.text("title", &[], &title)?;
        xml.text("runningNumber", &[], &self.n.to_string())?;
        if let Some(why) = &record.withheld {
            xml.open("restriction", &[("restrictionType", "confidential")])?;
            xml.text("explanatoryText", &[], why)?;
            xml.text("regulation", &[], "Brottsbalken 16 kap. 10 a §")?;
            xml.close()?;
        }
        if let Some(provision) = record.secrecy.as_ref().filter(|_| record.withheld.is_none()) {
            xml.open("restriction", &[("restrictionType", "confidential")])?;
            xml.text("explanatoryText", &[], "Sekretessmarkerad hos myndigheten.")?;
            xml.text("regulation", &[], provision)?;
            xml.close()?;
        }
        xml.empty("direction", &[("directionDefinition", "incoming")])?;
        if let Some(author) = &record.author {
            xml.open("agents", &[])?;
            xml.open("agent", &[("agentType", "sender")])?;
            xml.text("name", &[], author)?;
            xml.close()?;
            xml.close()?;
        }
        xml.open("dates", &[])?;
        for (kind, at) in [("received", record.received), ("captured", record.fetched)] {
            xml.text("date", &[("dateType", kind)], &at.to_string())?;
        }
        xml.close()?;
        if let Some(link) = &record.permalink {
            xml.open("notes", &[])?;
            let note = [("noteType", "länk")];
            xml.text("note", &note, link)?;
            xml.close()?;
        }
        xml.close()
    }

    /// Ends it.
    ///
    /// # Errors
    /// Of the writer.
    pub fn finish(self) -> io::Result<W> {
        self.xml.finish()
    }
}
