//! The same package as an archive takes it: E-ARK CSIP/SIP 2.1.0 (*FGS Paketstruktur 2.0*).
//!
//! All that [`super`] writes lies unchanged in `representations/rep1/data`, so that it can be checked there with
//! public tools as ever; around it stand METS, ERMS and PREMIS.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::domain::checkpoint::Signer;
use crate::domain::ids::ContentHash;
use crate::formats::eark::erms::Erms;
use crate::formats::eark::mets::{self, Listed, REPRESENTATION, Representation};
use crate::formats::eark::{Delivery, Described, Held, Subject, premis};
use crate::formats::xml::Xml;
use crate::runtime::private;

use super::sink::{Sink, reopened, spool, sum};

const ABOUT: &str = include_str!("om-leveransen.txt");
const SCHEMAS: &str = include_str!("scheman.txt");

const METS: &str = "mets.xml";
const ERMS: &str = "erms.xml";
const OBJECTS: &str = "objects.xml";
const EVENTS: &str = "events.xml";
const PREMIS: &str = "premis.xml";

/// The sums over what stands around the package, and the signature over them, in the delivery's folder.
pub(super) const SUMS_AROUND: &str = "documentation/leverans-sha256.txt";
pub(super) const SUMS_AROUND_SIGNATURE: &str = "documentation/leverans-sha256.sig";

/// How the sums begin. `sha256sum` passes over lines that begin so.
pub(super) const SUMS_BEGIN: &str = "# Det som står runt paketet. Underskriften bredvid prövas mot representations/rep1/data/logg/nyckel.pem.\n# ";

/// What the sums call the list of the package, as [`unsummed`] has it.
pub(super) const LIST: &str =
    "METS.xml med nollor i stället för de här två filernas kontrollsummor";

/// What stands where the list has the checksums of the sums and of their signature: these name the list.
const NO_SUM: ContentHash = ContentHash::new([0; 32]);

/// The list as it was before the sums over it, which it lists itself.
pub(super) fn unsummed(mets: &[u8], sums: &[u8], signature: &[u8]) -> ContentHash {
    let mut text = String::from_utf8_lossy(mets).into_owned();
    for own in [sums, signature] {
        text = text.replace(&ContentHash::of(own).to_hex(), &NO_SUM.to_hex());
    }
    ContentHash::of(text.as_bytes())
}

/// What the sums of earlier versions call the head of the list, which was all of it that they held.
pub(super) const HEAD: &str = "METS.xml till och med </metsHdr>";

/// The part of a list that names the delivery, its sender and its time.
pub(super) fn head(mets: &[u8]) -> Option<&[u8]> {
    const END: &[u8] = b"</metsHdr>";
    let at = mets.windows(END.len()).position(|window| window == END)?;
    mets.get(..at + END.len())
}

/// An Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

/// What makes a package one for an archive.
#[derive(Clone, Debug)]
pub struct Archive {
    /// What it is.
    pub delivery: Delivery,
    /// The schemas to put in, by name; where there are none, a list says where they are published.
    pub schemas: Vec<(String, Vec<u8>)>,
}

type Spool = BufWriter<File>;

/// An archive package that is being written.
pub(super) struct Eark {
    sink: Sink,
    archive: Archive,
    folder: PathBuf,
    mets: Representation<Spool>,
    erms: Erms<Spool>,
    objects: Xml<Spool>,
    events: Xml<Spool>,
    agents: premis::Agents,
}

impl Eark {
    /// Begins it. `folder` is an empty one for documents that grow.
    pub(super) fn begin(sink: Sink, archive: Archive, folder: &Path) -> io::Result<Self> {
        private::folder(folder)?;
        Ok(Self {
            sink,
            mets: Representation::begin(spool(folder, METS)?, &archive.delivery)?,
            erms: Erms::begin(spool(folder, ERMS)?, &archive.delivery)?,
            objects: Xml::piece(spool(folder, OBJECTS)?, 1),
            events: Xml::piece(spool(folder, EVENTS)?, 1),
            agents: premis::Agents::default(),
            folder: folder.to_owned(),
            archive,
        })
    }

    fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.archive.delivery.id)
    }

    /// Adds a file of the package inside.
    pub(super) fn file(
        &mut self,
        name: &str,
        bytes: &[u8],
        of: Option<(&str, Timestamp)>,
    ) -> io::Result<()> {
        let (media_type, created) = of.unwrap_or((media_type(name), self.archive.delivery.created));
        let held = Held {
            path: format!("data/{name}"),
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
            sha256: ContentHash::of(bytes),
            created,
        };
        self.mets.file(&held)?;
        let path = format!("{REPRESENTATION}/data/{name}");
        premis::object(&mut self.objects, &path, &held)?;
        self.sink.put(&self.path(&path), held.size, bytes)
    }

    /// Adds the description of a record.
    pub(super) fn record(&mut self, record: &Described) -> io::Result<()> {
        self.erms.record(record)?;
        let manifest = match record.subject {
            Subject::Evidence => format!("bevis-{}/manifest.json", record.evidence),
            Subject::ArchiveRun => "forteckning.json".to_owned(),
        };
        let manifest = format!("{REPRESENTATION}/data/{manifest}");
        premis::events(&mut self.events, &mut self.agents, record, &manifest)
    }

    /// Adds the documents around, signed, and ends it.
    pub(super) fn finish(self, by: &Signer) -> io::Result<()> {
        drop(self.mets.finish()?);
        drop(self.erms.finish()?);
        drop(self.objects.finish()?);
        drop(self.events.finish()?);
        let (_, objects) = reopened(&self.folder, OBJECTS)?;
        let (_, events) = reopened(&self.folder, EVENTS)?;
        drop(premis::document(spool(&self.folder, PREMIS)?, objects, events, &self.agents)?);
        let Archive { delivery, schemas } = &self.archive;
        let mut around = Around { sink: self.sink, delivery, folder: &self.folder };
        let mut listed = Listed {
            erms: around.spooled(ERMS, "metadata/descriptive/erms.xml")?,
            premis: around.spooled(PREMIS, "metadata/preservation/premis.xml")?,
            representation: around.spooled(METS, &format!("{REPRESENTATION}/METS.xml"))?,
            documentation: vec![around.text(
                "documentation/om-leveransen.txt",
                ABOUT.replace("{myndighet}", &delivery.authority).as_bytes(),
            )?],
            schemas: match schemas.as_slice() {
                [] => vec![around.text("schemas/scheman.txt", SCHEMAS.as_bytes())?],
                schemas => schemas
                    .iter()
                    .map(|(name, bytes)| around.text(&format!("schemas/{name}"), bytes))
                    .collect::<io::Result<_>>()?,
            },
        };
        let mut rest = String::new();
        let main = [&listed.erms, &listed.premis, &listed.representation];
        for held in main.into_iter().chain(&listed.documentation).chain(&listed.schemas) {
            // Writing to a string cannot fail.
            let _ = writeln!(rest, "{}  {}", held.sha256, held.path);
        }
        let sums = |list: ContentHash| format!("{SUMS_BEGIN}{list}  {LIST}\n{rest}");
        // The list names the sums and their signature as well, so in what they hold of it their own checksums are
        // left open. Their lengths are known before.
        let n = listed.documentation.len();
        for (path, size) in
            [(SUMS_AROUND, sums(NO_SUM).len()), (SUMS_AROUND_SIGNATURE, SIGNATURE_BYTES)]
        {
            listed.documentation.push(around.held(path, size as u64, NO_SUM));
        }
        let open = mets::package(Vec::new(), delivery, &listed)?;
        listed.documentation.truncate(n);
        let sums = sums(ContentHash::of(&open));
        let signature = by.sign(sums.as_bytes());
        for (path, bytes) in
            [(SUMS_AROUND, sums.as_bytes()), (SUMS_AROUND_SIGNATURE, &signature[..])]
        {
            listed.documentation.push(around.text(path, bytes)?);
        }
        let root = mets::package(Vec::new(), delivery, &listed)?;
        around.put("METS.xml", root.len() as u64, root.as_slice())?;
        around.sink.finish()
    }
}

/// Puts in what stands around the representation.
struct Around<'a> {
    sink: Sink,
    delivery: &'a Delivery,
    folder: &'a Path,
}

impl Around<'_> {
    fn put(&mut self, path: &str, size: u64, from: impl Read) -> io::Result<()> {
        self.sink.put(&format!("{}/{path}", self.delivery.id), size, from)
    }

    fn held(&self, path: &str, size: u64, sha256: ContentHash) -> Held {
        let (path, created) = (path.to_owned(), self.delivery.created);
        Held { media_type: media_type(&path).to_owned(), path, size, sha256, created }
    }

    fn text(&mut self, path: &str, bytes: &[u8]) -> io::Result<Held> {
        self.put(path, bytes.len() as u64, bytes)?;
        Ok(self.held(path, bytes.len() as u64, ContentHash::of(bytes)))
    }

    /// A document that has grown on the disk: read once for its sum and once to be copied.
    fn spooled(&mut self, name: &str, path: &str) -> io::Result<Held> {
        let (size, from) = reopened(self.folder, name)?;
        let sha256 = sum(from)?;
        let (_, from) = reopened(self.folder, name)?;
        self.put(path, size, from)?;
        Ok(self.held(path, size, sha256))
    }
}

/// The media type of a file of ours, by its ending.
fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "json" => "application/json",
        "jsonl" => "application/jsonl",
        "xml" | "xsd" => "application/xml",
        "txt" | "text" | "SHA256SUMS" => "text/plain",
        "pem" => "application/x-pem-file",
        "py" => "text/x-python",
        "tsr" => "application/timestamp-reply",
        _ if name.ends_with("SHA256SUMS") => "text/plain",
        _ => "application/octet-stream",
    }
}
