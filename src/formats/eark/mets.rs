//! METS: the lists of a package's files, by E-ARK CSIP 2.1.0 and SIP 2.1.0.

use std::io::{self, Write};

use crate::formats::xml::{Attribute, Xml, href};

use super::{Delivery, Held, PROGRAM, VERSION};

/// Every METS document has these names.
const NAMES: &[Attribute<'static>] = &[
    ("xmlns", "http://www.loc.gov/METS/"),
    ("xmlns:xlink", "http://www.w3.org/1999/xlink"),
    ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ("xmlns:csip", "https://DILCIS.eu/XML/METS/CSIPExtensionMETS"),
    ("xmlns:sip", "https://DILCIS.eu/XML/METS/SIPExtensionMETS"),
    (
        "xsi:schemaLocation",
        "http://www.loc.gov/METS/ http://www.loc.gov/standards/mets/mets.xsd \
         http://www.w3.org/1999/xlink http://www.loc.gov/standards/mets/xlink.xsd \
         https://DILCIS.eu/XML/METS/CSIPExtensionMETS https://earkcsip.dilcis.eu/schema/DILCISExtensionMETS.xsd \
         https://DILCIS.eu/XML/METS/SIPExtensionMETS https://earksip.dilcis.eu/schema/DILCISExtensionSIPMETS.xsd",
    ),
];

/// What the content is, where no vocabulary has a word for it.
const CONTENT: [Attribute<'static>; 2] = [
    ("csip:CONTENTINFORMATIONTYPE", "OTHER"),
    ("csip:OTHERCONTENTINFORMATIONTYPE", "Uppsikt bevispaket 1"),
];

/// The folder of the one representation.
pub const REPRESENTATION: &str = "representations/rep1";
/// What its file group and its division are called.
const REPRESENTATIONS: &str = "Representations/rep1";

fn root<W: Write>(
    xml: &mut Xml<W>,
    id: &str,
    profile: &str,
    delivery: &Delivery,
) -> io::Result<()> {
    let mut attributes = NAMES.to_vec();
    attributes.extend([
        ("OBJID", id),
        ("LABEL", "Bevis från sociala medier"),
        ("TYPE", "Mixed"),
        ("PROFILE", profile),
    ]);
    attributes.extend(CONTENT);
    xml.open("mets", &attributes)?;
    let created = delivery.created.to_string();
    xml.open("metsHdr", &[("CREATEDATE", &created), ("csip:OAISPACKAGETYPE", "SIP")])?;
    let software = [("ROLE", "CREATOR"), ("TYPE", "OTHER"), ("OTHERTYPE", "SOFTWARE")];
    xml.open("agent", &software)?;
    xml.text("name", &[], PROGRAM)?;
    xml.text("note", &[("csip:NOTETYPE", "SOFTWARE VERSION")], VERSION)?;
    xml.close()?;
    // Who formed the archive, and who hands it over.
    for (role, other) in [("ARCHIVIST", ""), ("OTHER", "SUBMITTER")] {
        let mut attributes = vec![("ROLE", role), ("TYPE", "ORGANIZATION")];
        if !other.is_empty() {
            attributes.push(("OTHERROLE", other));
        }
        xml.open("agent", &attributes)?;
        xml.text("name", &[], &delivery.authority)?;
        xml.close()?;
    }
    xml.close()
}

fn reference<W: Write>(
    xml: &mut Xml<W>,
    section: [&'static str; 2],
    id: &str,
    (kind, version): (&str, &str),
    file: &Held,
) -> io::Result<()> {
    let created = file.created.to_string();
    let [outer, status] = section;
    match status {
        "" => xml.open(outer, &[("ID", id), ("CREATED", &created)])?,
        status => xml.open(outer, &[("ID", id), ("STATUS", status)])?,
    }
    let (size, sum, path) = (file.size.to_string(), file.sha256.to_hex(), href(&file.path));
    let name = format!("{id}-fil");
    let mut attributes = vec![
        ("ID", name.as_str()),
        ("LOCTYPE", "URL"),
        ("xlink:type", "simple"),
        ("xlink:href", &path),
        ("MDTYPE", kind),
    ];
    if kind == "OTHER" {
        attributes.push(("OTHERMDTYPE", "ERMS"));
    }
    attributes.extend([
        ("MDTYPEVERSION", version),
        ("MIMETYPE", &file.media_type),
        ("SIZE", &size),
        ("CREATED", &created),
        ("CHECKSUM", &sum),
        ("CHECKSUMTYPE", "SHA-256"),
    ]);
    xml.empty("mdRef", &attributes)?;
    xml.close()
}

fn group<W: Write>(xml: &mut Xml<W>, id: &str, using: &str) -> io::Result<()> {
    let mut attributes = vec![("ID", id), ("USE", using)];
    attributes.extend(CONTENT);
    xml.open("fileGrp", &attributes)
}

fn file<W: Write>(xml: &mut Xml<W>, id: &str, file: &Held) -> io::Result<()> {
    let (size, sum, created) =
        (file.size.to_string(), file.sha256.to_hex(), file.created.to_string());
    xml.open(
        "file",
        &[
            ("ID", id),
            ("MIMETYPE", &file.media_type),
            ("SIZE", &size),
            ("CREATED", &created),
            ("CHECKSUM", &sum),
            ("CHECKSUMTYPE", "SHA-256"),
        ],
    )?;
    let path = href(&file.path);
    xml.empty("FLocat", &[("LOCTYPE", "URL"), ("xlink:type", "simple"), ("xlink:href", &path)])?;
    xml.close()
}

/// What the package's own list names.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The description of the records.
    pub erms: Held,
    /// What was done with them.
    pub premis: Held,
    /// What explains the package, at least one.
    pub documentation: Vec<Held>,
    /// The schemas of its documents, at least one.
    pub schemas: Vec<Held>,
    /// The list of the representation's files.
    pub representation: Held,
}

/// Writes the package's own list, `METS.xml` in its root.
///
/// # Errors
/// Of the writer.
pub fn package<W: Write>(out: W, delivery: &Delivery, listed: &Listed) -> io::Result<W> {
    let mut xml = Xml::document(out)?;
    let profile = "https://earksip.dilcis.eu/profile/E-ARK-SIP.xml";
    root(&mut xml, &delivery.id, profile, delivery)?;
    reference(&mut xml, ["dmdSec", ""], "erms", ("OTHER", "2.1.2"), &listed.erms)?;
    xml.open("amdSec", &[])?;
    reference(&mut xml, ["digiprovMD", "CURRENT"], "premis", ("PREMIS", "3.0"), &listed.premis)?;
    xml.close()?;
    xml.open("fileSec", &[("ID", "filer")])?;
    let groups = [
        ("dokumentation", "Documentation", listed.documentation.as_slice()),
        ("scheman", "Schemas", &listed.schemas),
        ("rep1", REPRESENTATIONS, std::slice::from_ref(&listed.representation)),
    ];
    for (id, using, files) in groups {
        group(&mut xml, id, using)?;
        for (n, held) in files.iter().enumerate() {
            file(&mut xml, &format!("{id}-{}", n + 1), held)?;
        }
        xml.close()?;
    }
    xml.close()?;
    let structure = [("ID", "struktur"), ("TYPE", "PHYSICAL"), ("LABEL", "CSIP")];
    xml.open("structMap", &structure)?;
    xml.open("div", &[("ID", "div-paket"), ("LABEL", &delivery.id)])?;
    let metadata =
        [("ID", "div-metadata"), ("LABEL", "Metadata"), ("DMDID", "erms"), ("ADMID", "premis")];
    xml.empty("div", &metadata)?;
    for (id, label, group) in [
        ("div-dokumentation", "Documentation", "dokumentation"),
        ("div-scheman", "Schemas", "scheman"),
        // The validator asks for this one beside that of the representation; CSIP does not forbid it.
        ("div-representationer", "Representations", "rep1"),
    ] {
        xml.open("div", &[("ID", id), ("LABEL", label)])?;
        xml.empty("fptr", &[("FILEID", group)])?;
        xml.close()?;
    }
    xml.open("div", &[("ID", "div-rep1"), ("LABEL", REPRESENTATIONS)])?;
    let path = href(&listed.representation.path);
    let pointer = [
        ("LOCTYPE", "URL"),
        ("xlink:type", "simple"),
        ("xlink:href", path.as_str()),
        ("xlink:title", "rep1"),
    ];
    xml.empty("mptr", &pointer)?;
    xml.finish()
}

/// Path and SHA-256 of each file that a METS of ours lists, as they stand there.
pub fn sums(text: &str) -> Vec<(String, String)> {
    let (mut found, mut sum) = (Vec::new(), None);
    for element in text.split('<') {
        let value = |name: &str| {
            let from = element.split_once(&format!(" {name}=\""))?.1;
            Some(from.split_once('"')?.0.to_owned())
        };
        match element.split([' ', '>']).next() {
            Some("mdRef") => found.extend(value("xlink:href").zip(value("CHECKSUM"))),
            Some("file") => sum = value("CHECKSUM"),
            Some("FLocat") => found.extend(value("xlink:href").zip(sum.take())),
            Some(_) | None => {}
        }
    }
    found
}

/// The list of the representation's files, written as they come.
#[derive(Debug)]
pub struct Representation<W: Write> {
    xml: Xml<W>,
    n: u64,
}

impl<W: Write> Representation<W> {
    /// Begins it.
    ///
    /// # Errors
    /// Of the writer.
    pub fn begin(out: W, delivery: &Delivery) -> io::Result<Self> {
        let mut xml = Xml::document(out)?;
        let profile = "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml";
        root(&mut xml, "rep1", profile, delivery)?;
        xml.open("fileSec", &[("ID", "filer")])?;
        group(&mut xml, "data", "Data")?;
        Ok(Self { xml, n: 0 })
    }

    /// Adds a file.
    ///
    /// # Errors
    /// Of the writer.
    pub fn file(&mut self, held: &Held) -> io::Result<()> {
        self.n += 1;
        file(&mut self.xml, &format!("fil-{}", self.n), held)
    }

    /// Ends it.
    ///
    /// # Errors
    /// Of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.xml.close()?;
        self.xml.close()?;
        let structure = [("ID", "struktur"), ("TYPE", "PHYSICAL"), ("LABEL", "CSIP")];
        self.xml.open("structMap", &structure)?;
        self.xml.open("div", &[("ID", "div-rep1"), ("LABEL", "rep1")])?;
        self.xml.open("div", &[("ID", "div-data"), ("LABEL", "Data")])?;
        self.xml.empty("fptr", &[("FILEID", "data")])?;
        self.xml.finish()
    }
}
