//! The index of a web archive (CDXJ): where in the file of records each address lies.

use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};
use jiff::Timestamp;
use url::{Host, Url};

use crate::domain::ids::ContentHash;

/// How many lines are packed together.
const BLOCK_LINES: usize = 3_000;

/// An address turned round so that what belongs together sorts together: the host from its end, then port, path
/// and query, all in small letters.
///
/// Readers look addresses up by this key as a prefix; what they do beside (leaving out session numbers) is not
/// done here, since it would make two addresses one.
pub(super) fn key(url: &Url) -> String {
    let mut host = match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let bare = name.strip_prefix("www.").unwrap_or(&name);
            bare.rsplit('.').collect::<Vec<_>>().join(",")
        }
        Some(other) => other.to_string(),
        None => String::new(),
    };
    if let Some(port) = url.port() {
        host.push_str(&format!(":{port}"));
    }
    let mut key = format!("{host}){}", url.path().to_lowercase());
    if let Some(query) = url.query() {
        let query = query.to_lowercase();
        let mut pairs: Vec<_> = query.split('&').collect();
        pairs.sort_unstable();
        key.push('?');
        key.push_str(&pairs.join("&"));
    }
    // A blank ends the key in its line.
    key.replace(' ', "%20")
}

/// Where a record lies.
pub(super) struct Place {
    pub offset: u64,
    pub length: u64,
}

/// One line of the index.
pub(super) fn line(
    url: &Url,
    at: Timestamp,
    (status, mime): (u16, &str),
    digest: ContentHash,
    place: &Place,
    file: &str,
) -> String {
    let said = serde_json::json!({
        "url": url.as_str(), "mime": mime, "status": status.to_string(),
        "digest": format!("sha256:{digest}"), "length": place.length.to_string(),
        "offset": place.offset.to_string(), "filename": file,
    });
    format!("{} {} {said}\n", key(url), at.strftime("%Y%m%d%H%M%S"))
}

fn member(text: &str) -> io::Result<Vec<u8>> {
    let mut member = GzBuilder::new().write(Vec::new(), Compression::default());
    member.write_all(text.as_bytes())?;
    member.finish()
}

/// The lines, sorted and packed in blocks, and the list of the blocks.
pub(super) fn packed(mut lines: Vec<String>, name: &str) -> io::Result<(Vec<u8>, Vec<u8>)> {
    lines.sort_unstable();
    let head = serde_json::json!({ "format": "cdxj-gzip-1.0", "filename": name });
    let mut list = format!("!meta 0 {head}\n");
    let mut all = Vec::new();
    if lines.is_empty() {
        // Nothing, packed: a file without a byte is none that can be unpacked.
        all.extend(member("")?);
    }
    for block in lines.chunks(BLOCK_LINES) {
        let member = member(&block.concat())?;
        let said = serde_json::json!({
            "offset": all.len(), "length": member.len(),
            "digest": format!("sha256:{}", ContentHash::of(&member)), "filename": name,
        });
        let first = block.first().map_or("", String::as_str);
        let begins: Vec<_> = first.splitn(3, ' ').take(2).collect();
        list.push_str(&format!("{} {said}\n", begins.join(" ")));
        all.extend(member);
    }
    Ok((all, list.into_bytes()))
}
