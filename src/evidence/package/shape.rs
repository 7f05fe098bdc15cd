//! The one shape of archive that our writer makes, walked by hand. The format has several ways to say
//! where its directory lies and what it lists, and readers differ in which of them they believe; what
//! is of this shape is the same to all.
//!
//! Numbers in comments are sections of PKWARE's APPNOTE.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};

/// Directories of a hundred thousand files are some 8 MB.
const MOST_DIRECTORY_BYTES: u64 = 64 << 20;

const END_BYTES: u64 = 22;
const LARGE_END_BYTES: u64 = 56;
const LOCATOR_BYTES: u64 = 20;

/// What is wrong with an archive, in Swedish.
type Wrong = String;

/// The bytes of each file as the archive states them, by name, in order.
pub(super) type Sizes = Vec<(String, u64)>;

/// Where the directory lies, and what it is said to list.
struct Directory {
    n: u64,
    size: u64,
    from: u64,
}

/// Walks an archive from its end to its beginning and back.
///
/// # Errors
/// The outer where the file cannot be read; the inner where it is of another shape.
pub(super) fn walk(file: &mut (impl Read + Seek)) -> io::Result<Result<Sizes, Wrong>> {
    match walk_inner(file) {
        Ok(sizes) => Ok(Ok(sizes)),
        Err(Broken::Shape(wrong)) => Ok(Err(wrong)),
        // An end where there ought to be more is a shape, too.
        Err(Broken::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(Err("den är avhuggen".into()))
        }
        Err(Broken::Io(error)) => Err(error),
    }
}

enum Broken {
    Shape(Wrong),
    Io(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn wrong<T>(what: impl Into<String>) -> Result<T, Broken> {
    Err(Broken::Shape(what.into()))
}

fn demand(holds: bool, what: &str) -> Result<(), Broken> {
    if holds { Ok(()) } else { wrong(what) }
}

/// A number as archives write them, the least byte first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn read_at(file: &mut (impl Read + Seek), from: u64, n: u64) -> Result<Vec<u8>, Broken> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(n).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < n {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(bytes)
}

fn walk_inner(file: &mut (impl Read + Seek)) -> Result<Sizes, Broken> {
    let length = file.seek(SeekFrom::End(0))?;
    let directory = find_directory(file, length)?;
    let bytes = read_at(file, directory.from, directory.size)?;
    let mut left = bytes.as_slice();
    let (mut at, mut sizes, mut names) = (0, Sizes::new(), BTreeSet::new());
    while !left.is_empty() {
        let Some(entry) = Entry::read(left) else {
            return wrong("en post i dess förteckning går inte att läsa");
        };
        left = &left[entry.length..];
        entry.demand_plain()?;
        let name = entry.name.to_owned();
        if entry.from != at {
            return wrong(format!("{name} ligger inte där den ska"));
        }
        entry.demand_same(&read_at(file, at, 30 + entry.name.len() as u64)?)?;
        at += 30 + entry.name.len() as u64 + entry.packed;
        if !names.insert(name.clone()) {
            return wrong(format!("två filer har samma namn: {name}"));
        }
        sizes.push((name, entry.size));
    }
    demand(at == directory.from, "den har något som förteckningen inte nämner")?;
    demand(sizes.len() as u64 == directory.n, "förteckningen har fler filer än den säger")?;
    Ok(sizes)
}

/// The end of the directory (4.3.16), and the larger form (4.3.14, 4.3.15) where the plain one is too
/// small for what it has to say, and only there.
fn find_directory(file: &mut (impl Read + Seek), length: u64) -> Result<Directory, Broken> {
    let cut = || Broken::Shape("den är avhuggen".into());
    let end_at = length.checked_sub(END_BYTES).ok_or_else(cut)?;
    let end = read_at(file, end_at, END_BYTES)?;
    demand(end.starts_with(b"PK\x05\x06") && end[20..] == [0, 0], "den slutar inte som den ska")?;
    demand(end[4..8] == [0; 4] && end[8..10] == end[10..12], "den är delad på flera filer")?;
    let (n, size, from) = (number(&end[10..12]), number(&end[12..16]), number(&end[16..20]));
    let (most_n, most) = (u64::from(u16::MAX), u64::from(u32::MAX));
    let (directory, ends_at) = if n == most_n || size == most || from == most {
        let locator_at = end_at.checked_sub(LOCATOR_BYTES).ok_or_else(cut)?;
        let large_at = locator_at.checked_sub(LARGE_END_BYTES).ok_or_else(cut)?;
        let locator = read_at(file, locator_at, LOCATOR_BYTES)?;
        let large = read_at(file, large_at, LARGE_END_BYTES)?;
        let fits = locator.starts_with(b"PK\x06\x07\0\0\0\0")
            && number(&locator[8..16]) == large_at
            && number(&locator[16..20]) == 1
            && large.starts_with(b"PK\x06\x06")
            && number(&large[4..12]) == LARGE_END_BYTES - 12
            && large[16..24] == [0; 8]
            && large[24..32] == large[32..40];
        demand(fits, "den slutar inte som den ska")?;
        let found = Directory {
            n: number(&large[32..40]),
            size: number(&large[40..48]),
            from: number(&large[48..56]),
        };
        let same = n == found.n.min(most_n) && from == found.from.min(most) && size == most;
        let needed = found.n > most_n || found.size > most || found.from > most;
        demand(same && needed, "den säger två saker om sin förteckning")?;
        (found, large_at)
    } else {
        (Directory { n, size, from }, end_at)
    };
    demand(
        directory.from.checked_add(directory.size) == Some(ends_at),
        "förteckningen slutar inte där den ska",
    )?;
    demand(directory.size <= MOST_DIRECTORY_BYTES, "förteckningen är för stor")?;
    Ok(directory)
}

/// An entry of the directory (4.3.12).
struct Entry<'d> {
    bytes: &'d [u8],
    name: &'d str,
    /// Of the entry itself.
    length: usize,
    packed: u64,
    size: u64,
    from: u64,
}

impl<'d> Entry<'d> {
    /// None where it is cut off, or where its name or its extra field is none of ours.
    fn read(left: &'d [u8]) -> Option<Self> {
        let at = |from: usize, to: usize| left.get(from..to).map(number);
        let of = |from, to| usize::try_from(at(from, to)?).ok();
        let (long, extra, comment) = (of(28, 30)?, of(30, 32)?, of(32, 34)?);
        let length = 46 + long + extra;
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/".contains(byte);
        let name = left.get(46..46 + long).filter(|name| name.iter().all(plain))?;
        let place = at(42, 46)?;
        // Where a file begins beyond four gigabytes (4.5.3), and nothing else.
        let from = match left.get(46 + long..length)? {
            [] => place,
            [1, 0, 8, 0, from @ ..] if from.len() == 8 && place == u64::from(u32::MAX) => {
                number(from)
            }
            _ => return None,
        };
        let is_one = left.starts_with(b"PK\x01\x02") && comment == 0 && at(34, 36)? == 0;
        is_one.then_some(Self {
            bytes: left.get(..length)?,
            name: std::str::from_utf8(name).ok()?,
            length,
            packed: at(20, 24)?,
            size: at(24, 28)?,
            from,
        })
    }

    /// A file in plain, stored or deflated, and nothing else.
    fn demand_plain(&self) -> Result<(), Broken> {
        let kind = number(&self.bytes[40..42]) & 0o170_000;
        let plain = self.bytes[8..10] == [0, 0]
            && matches!(number(&self.bytes[10..12]), 0 | 8)
            && matches!(kind, 0 | 0o100_000)
            && self.name.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if plain { Ok(()) } else { wrong(format!("{} är ingen vanlig fil", self.name)) }
    }

    /// What stands at the file itself (4.3.7) is what the directory says of it.
    fn demand_same(&self, head: &[u8]) -> Result<(), Broken> {
        let same = head.starts_with(b"PK\x03\x04")
            // Version, flags, method, time, checksum and sizes, length of the name.
            && head[4..28] == self.bytes[6..30]
            // Nothing newer than large archives: other programs refuse it.
            && number(&head[4..6]) <= 45
            && head[28..30] == [0, 0]
            && &head[30..] == self.name.as_bytes();
        if same { Ok(()) } else { wrong(format!("{} heter eller är två saker", self.name)) }
    }
}
