//! Web archives (*webbarkiv*) as WACZ 1.1.1: what a page was made of, so that it can be played back.
//!
//! A zip of records ([`warc`], stored), an index of them, a list of pages and sums of all of it. Records go to
//! the file as they come; what is kept in memory is a line of the index for each. Whoever opens one opens
//! somebody else's page: nothing of ours ever shows it, it is only handed out as a file.

mod index;
pub mod warc;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{self, Seek, Write};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use url::Url;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use self::warc::Answer;
use crate::domain::ids::ContentHash;

/// Media type of the whole.
pub const MEDIA_TYPE: &str = "application/wacz";

/// The version of the format.
const VERSION: &str = "1.1.1";
/// The file of records.
const RECORDS: &str = "data.warc.gz";
/// The index.
const INDEX: &str = "index.cdx.gz";
/// The most records of one archive.
const MOST_RECORDS: usize = 5_000;

/// What an archive says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// What it is, in a line.
    pub title: String,
    /// Who made it.
    pub software: String,
    /// When it was begun.
    pub created: Timestamp,
    /// The most bytes of records.
    pub most_bytes: u64,
}

/// A page that a reader may begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its address; the answer for it stands among the records.
    pub url: String,
    /// When it was opened.
    pub at: Timestamp,
    /// Its title.
    pub title: Option<String>,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is among the records.
    Kept,
    /// The same answer is there already.
    Known,
    /// There is no room for it.
    NoRoom,
    /// Its address or status is none that can be played back.
    Unfit,
}

struct Listed {
    name: &'static str,
    path: String,
    hash: ContentHash,
    bytes: u64,
}

/// An archive that is being written.
pub struct Writer<W: Write + Seek> {
    zip: ZipWriter<W>,
    about: About,
    sum: Sha256,
    bytes: u64,
    n: u64,
    lines: Vec<String>,
    known: BTreeSet<ContentHash>,
    pages: Vec<String>,
}

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
}

fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An address that can be looked up: of the web, and without what stands after `#`.
fn address(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_fragment(None);
    // Who logged in with it is nobody's business.
    (url.set_username("").is_ok() && url.set_password(None).is_ok()).then_some(url)
}

impl<W: Write + Seek> Writer<W> {
    /// Begins an archive.
    ///
    /// # Errors
    /// Of what is written to.
    pub fn begin(out: W, about: About) -> io::Result<Self> {
        let mut zip = ZipWriter::new(out);
        // What is packed already must not be packed again: readers open parts of it by their place.
        let large = about.most_bytes > u64::from(u32::MAX / 2);
        zip.start_file(format!("archive/{RECORDS}"), stored().large_file(large))
            .map_err(io::Error::other)?;
        let mut writer = Self {
            zip,
            sum: Sha256::new(),
            bytes: 0,
            n: 0,
            lines: Vec::new(),
            known: BTreeSet::new(),
            pages: Vec::new(),
            about,
        };
        let info = warc::info(RECORDS, &writer.about.software, writer.about.created)?;
        writer.put(&info)?;
        Ok(writer)
    }

    /// Adds what a server answered. Cookies and what else opens something are left out.
    ///
    /// # Errors
    /// Of what is written to.
    pub fn answer(&mut self, mut answer: Answer) -> io::Result<Added> {
        let Some(url) = address(&answer.url) else { return Ok(Added::Unfit) };
        if !(100..600).contains(&answer.status) {
            return Ok(Added::Unfit);
        }
        url.as_str().clone_into(&mut answer.url);
        let digest = ContentHash::of(&answer.body);
        let same = format!("{url}\n{}\n{digest}", answer.status);
        let same = ContentHash::of(same.as_bytes());
        if self.known.contains(&same) {
            return Ok(Added::Known);
        }
        self.n += 1;
        let record = answer.record(self.n)?;
        let length = record.len() as u64;
        if self.bytes.saturating_add(length) > self.about.most_bytes
            || self.lines.len() >= MOST_RECORDS
        {
            return Ok(Added::NoRoom);
        }
        let place = index::Place { offset: self.bytes, length };
        let kind = answer.mime();
        let line = index::line(&url, answer.at, (answer.status, &kind), digest, &place, RECORDS);
        self.put(&record)?;
        self.known.insert(same);
        self.lines.push(line);
        Ok(Added::Kept)
    }

    /// Names a page to begin with.
    pub fn page(&mut self, page: &Page) {
        let Some(url) = address(&page.url) else { return };
        let id = ContentHash::of(format!("{} {url}", self.pages.len()).as_bytes()).to_hex();
        let id = id.get(..16).unwrap_or_default();
        let said = match &page.title {
            Some(title) => serde_json::json!({
                "id": id, "url": url.as_str(), "ts": instant(page.at), "title": title,
            }),
            None => serde_json::json!({ "id": id, "url": url.as_str(), "ts": instant(page.at) }),
        };
        self.pages.push(format!("{said}\n"));
    }

    /// How many answers are among the records.
    pub fn n_records(&self) -> usize {
        self.lines.len()
    }

    fn put(&mut self, record: &[u8]) -> io::Result<()> {
        self.zip.write_all(record)?;
        self.sum.update(record);
        self.bytes += record.len() as u64;
        Ok(())
    }

    fn file(&mut self, name: &'static str, folder: &str, bytes: &[u8]) -> io::Result<Listed> {
        let path = format!("{folder}/{name}");
        self.zip.start_file(&path, stored()).map_err(io::Error::other)?;
        self.zip.write_all(bytes)?;
        Ok(Listed { name, path, hash: ContentHash::of(bytes), bytes: bytes.len() as u64 })
    }

    /// Ends it; `description` tells what a reader should know, such as what was left out.
    ///
    /// # Errors
    /// Of what is written to.
    pub fn finish(mut self, description: &str) -> io::Result<W> {
        let records = Listed {
            name: RECORDS,
            path: format!("archive/{RECORDS}"),
            hash: ContentHash::new(std::mem::take(&mut self.sum).finalize().into()),
            bytes: self.bytes,
        };
        let (index, blocks) = index::packed(std::mem::take(&mut self.lines), INDEX)?;
        let head = serde_json::json!({
            "format": "json-pages-1.0", "id": "pages", "title": "Sidor",
        });
        let pages = format!("{head}\n{}", self.pages.concat());
        let listed = [
            records,
            self.file(INDEX, "indexes", &index)?,
            self.file("index.idx", "indexes", &blocks)?,
            self.file("pages.jsonl", "pages", pages.as_bytes())?,
        ];
        let resources: Vec<_> = listed
            .iter()
            .map(|file| {
                serde_json::json!({
                    "name": file.name, "path": file.path, "hash": format!("sha256:{}", file.hash),
                    "bytes": file.bytes,
                })
            })
            .collect();
        let about = &self.about;
        let package = serde_json::json!({
            "profile": "data-package", "wacz_version": VERSION, "title": about.title,
            "description": description, "software": about.software,
            "created": instant(about.created), "resources": resources,
        });
        let package = serde_json::to_vec_pretty(&package).map_err(io::Error::other)?;
        let digest = serde_json::json!({
            "path": "datapackage.json", "hash": format!("sha256:{}", ContentHash::of(&package)),
        });
        for (name, bytes) in
            [("datapackage.json", package), ("datapackage-digest.json", digest.to_string().into())]
        {
            self.zip.start_file(name, stored()).map_err(io::Error::other)?;
            self.zip.write_all(&bytes)?;
        }
        self.zip.finish().map_err(io::Error::other)
    }
}
