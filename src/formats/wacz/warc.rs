//! Records of WARC 1.1 (ISO 28500:2017), each a gzip member of its own, so that a reader can open any of them by
//! its place. No clock and no chance goes in: the same values give the same bytes.

use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};
use jiff::Timestamp;
use uuid::Builder;

use crate::domain::ids::ContentHash;

/// What a server answered, as a browser got it: unpacked.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The address, `http` or `https`, without what stands after `#`.
    pub url: String,
    /// When it came.
    pub at: Timestamp,
    /// The status, from 100 to 599.
    pub status: u16,
    /// The word for it.
    pub reason: String,
    /// Names and values of the header, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Addresses and contents stay out of logs and of failing tests.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("n_headers", &self.headers.len())
            .field("size_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Headers that are never kept: what opens something, and what tells of a packing that is undone.
const LEFT_OUT: &[&str] = &[
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "set-cookie",
    "set-cookie2",
    "transfer-encoding",
];

/// A name as the grammar of HTTP has it.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// One line: whatever would begin another is a blank.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Answer {
    /// The type of the body, without its parameters.
    pub(super) fn mime(&self) -> String {
        let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-type");
        let value = self.headers.iter().find(named).map_or("", |(_, value)| value.as_str());
        let mime = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/+-.".contains(&b);
        match mime.is_empty() || !mime.bytes().all(plain) {
            true => "unk".into(),
            false => mime,
        }
    }

    /// The answer as it would have come unpacked.
    fn block(&self) -> Vec<u8> {
        let mut block = format!("HTTP/1.1 {} {}\r\n", self.status, line(&self.reason)).into_bytes();
        let kept = |(name, _): &&(String, String)| {
            is_name(name) && !LEFT_OUT.iter().any(|left| name.eq_ignore_ascii_case(left))
        };
        for (name, value) in self.headers.iter().filter(kept) {
            block.extend(format!("{name}: {}\r\n", line(value)).bytes());
        }
        block.extend(format!("Content-Length: {}\r\n\r\n", self.body.len()).bytes());
        block.extend(&self.body);
        block
    }

    /// The record, packed.
    pub(super) fn record(&self, n: u64) -> io::Result<Vec<u8>> {
        let payload = ContentHash::of(&self.body);
        record(Record {
            n,
            kind: "response",
            media_type: "application/http; msgtype=response",
            at: self.at,
            more: vec![
                ("WARC-Target-URI", line(&self.url)),
                ("WARC-Payload-Digest", format!("sha256:{payload}")),
            ],
            block: &self.block(),
            // Packing once more what is packed gains nothing.
            packing: match self.mime().split('/').next() {
                Some("image" | "font") => Compression::fast(),
                Some(_) | None => Compression::default(),
            },
        })
    }
}

/// The record that begins a file and says by what it was made.
pub(super) fn info(file: &str, software: &str, at: Timestamp) -> io::Result<Vec<u8>> {
    let block = format!("software: {}\r\nformat: WARC File Format 1.1\r\n", line(software));
    record(Record {
        n: 0,
        kind: "warcinfo",
        media_type: "application/warc-fields",
        at,
        more: vec![("WARC-Filename", line(file))],
        block: block.as_bytes(),
        packing: Compression::default(),
    })
}

struct Record<'a> {
    n: u64,
    kind: &'static str,
    media_type: &'static str,
    at: Timestamp,
    more: Vec<(&'static str, String)>,
    block: &'a [u8],
    packing: Compression,
}

fn record(record: Record<'_>) -> io::Result<Vec<u8>> {
    let Record { n, kind, media_type, at, more, block, packing } = record;
    let digest = ContentHash::of(block);
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let mut head = format!("WARC-Type: {kind}\r\nWARC-Date: {at}\r\n");
    for (name, value) in more {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!(
        "WARC-Block-Digest: sha256:{digest}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n",
        block.len()
    ));
    // A number of its own that is always the same one.
    let id = ContentHash::of(format!("{n}\n{head}").as_bytes());
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(id.bytes()) {
        *to = *from;
    }
    let id = Builder::from_custom_bytes(bytes).into_uuid();
    let mut packed = GzBuilder::new().write(Vec::new(), packing);
    packed.write_all(
        format!("WARC/1.1\r\nWARC-Record-ID: <urn:uuid:{id}>\r\n{head}\r\n").as_bytes(),
    )?;
    packed.write_all(block)?;
    packed.write_all(b"\r\n\r\n")?;
    packed.finish()
}
