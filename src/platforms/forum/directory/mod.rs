//! A watched directory of `*.jsonl` files, one item a line.
//!
//! Files may be appended to while they are read: only lines with their end are taken, the half
//! one waits. A file is known again by what stands just before the place reached, so that one
//! that was cut, replaced or rotated away under another name is neither skipped nor read twice.
//! Nothing tells a half line from a last line that never gets its end: each line has to end with
//! a line feed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::ids::ContentHash;
use crate::domain::item::Unreadable;
use crate::platforms::forum::item;
use crate::platforms::push::Push;

/// How much is read in one step.
const CHUNK_BYTES: usize = 1 << 20;

/// Longest line: a comment of 10 MB fits, even with escapes.
const LONGEST_LINE: usize = 64 << 20;

/// How much of a line that is too long is kept.
const KEPT_BYTES: usize = 64 << 10;

/// How much is compared before going on in a file.
const COMPARED_BYTES: u64 = 4096;

/// Where reading stands in every file, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    files: BTreeMap<String, Place>,
}

/// Where reading stands in one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    inode: u64,
    offset: u64,
    /// Lines done.
    line: u64,
    /// Hash of what stands right before `offset`.
    before: ContentHash,
    /// Within a line that is too long.
    #[serde(default)]
    skipping: bool,
}

/// What one step gave.
#[derive(Debug, Default)]
pub struct Read {
    pub told: Push,
    pub position: Position,
    /// Something was read, so there may be more.
    pub more: bool,
    /// File names that cannot be used.
    pub unusable: bool,
}

/// Reads on from `position`: at most one chunk of one file.
pub fn read(directory: &Path, position: &Position) -> io::Result<Read> {
    let mut read = Read::default();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            read.unusable = true;
            continue;
        };
        // Asked before it is opened: opening a pipe waits for somebody to write to it.
        if !std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        // Gone between the listing and now is as if it had not been listed.
        let Ok(file) = File::open(&path) else { continue };
        let metadata = file.metadata()?;
        if metadata.is_file() {
            files.push((name, file, metadata.ino(), metadata.len()));
        }
    }
    files.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut open = Vec::new();
    for (name, mut file, inode, len) in files {
        let place = find_place(&mut file, &name, inode, len, position)?;
        read.position.files.insert(name.clone(), place);
        open.push((name, file, len));
    }
    for (name, mut file, len) in open {
        let place = read.position.files.get_mut(&name).expect("each open file has its place");
        if place.offset < len && step(&mut file, &name, place, &mut read.told)? {
            read.more = true;
            break;
        }
    }
    Ok(read)
}

/// Where to go on in a file: where it was left under this inode or name, if what stands before is
/// the same; otherwise at its beginning.
fn find_place(
    file: &mut File,
    name: &str,
    inode: u64,
    len: u64,
    position: &Position,
) -> io::Result<Place> {
    let same_inode = position.files.values().filter(|place| place.inode == inode);
    for place in same_inode.chain(position.files.get(name)) {
        if place.offset <= len && before(file, place.offset)? == place.before {
            return Ok(Place { inode, ..place.clone() });
        }
    }
    Ok(Place { inode, offset: 0, line: 0, before: ContentHash::of(b""), skipping: false })
}

/// The hash of what stands before `offset`.
fn before(file: &mut File, offset: u64) -> io::Result<ContentHash> {
    let from = offset.saturating_sub(COMPARED_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(offset - from).read_to_end(&mut bytes)?;
    Ok(ContentHash::of(&bytes))
}

/// Reads whole lines from `place` on. Whether anything was done.
fn step(file: &mut File, name: &str, place: &mut Place, told: &mut Push) -> io::Result<bool> {
    file.seek(SeekFrom::Start(place.offset))?;
    let mut bytes = Vec::new();
    let mut source = file.take(LONGEST_LINE as u64 + 1);
    // A chunk, and more only where the first line is not at its end in it.
    let end = loop {
        let grown = source.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut bytes)?;
        let last_end = memchr::memrchr(b'\n', &bytes).map(|at| at + 1);
        if last_end.is_some() || grown == 0 {
            break last_end;
        }
    };
    let end = match end {
        Some(end) => end,
        // Too long even without its end: noted once, then passed over up to the end.
        None if bytes.len() > LONGEST_LINE || place.skipping => {
            if !place.skipping {
                told.push(Err(too_long(name, place.line + 1, &bytes)));
            }
            place.skipping = true;
            place.offset += bytes.len() as u64;
            place.before = before(file, place.offset)?;
            return Ok(!bytes.is_empty());
        }
        None => return Ok(false),
    };
    for line in bytes[..end].split_inclusive(|byte| *byte == b'\n') {
        place.line += 1;
        if std::mem::take(&mut place.skipping) {
            continue;
        }
        read_line(line, name, place.line, told);
    }
    place.offset += end as u64;
    place.before = before(file, place.offset)?;
    Ok(true)
}

fn read_line(line: &[u8], name: &str, number: u64, told: &mut Push) {
    let place = format!("{name}:{number}");
    let line = if number == 1 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) } else { line };
    let line = line.trim_ascii();
    if line.is_empty() {
        return;
    }
    let unreadable =
        |problem: String| Err(Unreadable { place: place.clone(), problem, raw: line.to_vec() });
    match std::str::from_utf8(line) {
        Ok(text) => match item::read(text, &place) {
            Ok(items) => told.extend(items),
            Err(problem) => told.push(unreadable(problem)),
        },
        Err(error) => told.push(unreadable(format!(
            "raden är inte UTF-8 från byte {}: spara filen som UTF-8",
            error.valid_up_to()
        ))),
    }
}

fn too_long(name: &str, line: u64, bytes: &[u8]) -> Unreadable {
    Unreadable {
        place: format!("{name}:{line}"),
        problem: format!(
            "raden är längre än {LONGEST_LINE} byte; bara början sparas, resten finns i filen"
        ),
        raw: bytes[..KEPT_BYTES.min(bytes.len())].to_vec(),
    }
}

#[cfg(test)]
mod tests;
