//! Archives that say one thing to one reader and another to the next: made byte by byte, since no
//! library writes them.

use zip::write::SimpleFileOptions;

use super::*;

/// A whole package taken apart: what lies before the directory, the directory, how many it lists.
struct Parts {
    files: Vec<u8>,
    directory: Vec<u8>,
    n: u16,
}

const END_BYTES: usize = 22;

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |sum, b| sum << 8 | usize::from(*b))
}

impl Parts {
    fn of(zip: &[u8]) -> Self {
        let end = &zip[zip.len() - END_BYTES..];
        let (size, from) = (number(&end[12..16]), number(&end[16..20]));
        Self {
            files: zip[..from].to_vec(),
            directory: zip[from..from + size].to_vec(),
            n: u16::try_from(number(&end[10..12])).unwrap(),
        }
    }

    /// The end as it is written: how many, how large, from where.
    fn end(n: u16, size: usize, from: usize) -> Vec<u8> {
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        end.extend(n.to_le_bytes());
        end.extend(n.to_le_bytes());
        end.extend(u32::try_from(size).unwrap().to_le_bytes());
        end.extend(u32::try_from(from).unwrap().to_le_bytes());
        end.extend([0, 0]);
        end
    }

    fn whole(&self) -> Vec<u8> {
        let end = Self::end(self.n, self.directory.len(), self.files.len());
        [self.files.as_slice(), &self.directory, &end].concat()
    }

    /// Where the entry of that name begins in the directory, and how long it is.
    fn entry(&self, name: &str) -> (usize, usize) {
        let mut at = 0;
        while at < self.directory.len() {
            let entry = &self.directory[at..];
            let long = number(&entry[28..30]);
            let length = 46 + long + number(&entry[30..32]) + number(&entry[32..34]);
            if &entry[46..46 + long] == name.as_bytes() {
                return (at, length);
            }
            at += length;
        }
        panic!("{name} is not listed");
    }

    /// Where the file of that name begins.
    fn file(&self, name: &str) -> usize {
        let (at, _) = self.entry(name);
        number(&self.directory[at + 42..at + 46])
    }

    /// Writes over a part of the entry of that name in the directory.
    fn set(&mut self, name: &str, from: usize, bytes: &[u8]) {
        let at = self.entry(name).0 + from;
        self.directory[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

const TEXT: &str = "bevis-1/delar/text.txt";

/// A file of one more text, and the entry that lists it, to lie at `from`.
fn forged(from: usize) -> (Vec<u8>, Vec<u8>) {
    let mut bytes = Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut bytes);
    zip.start_file(TEXT, SimpleFileOptions::default()).unwrap();
    zip.write_all("FÖRFALSKAD TEXT".as_bytes()).unwrap();
    zip.finish().unwrap();
    let Parts { files, mut directory, .. } = Parts::of(&bytes.into_inner());
    directory[42..46].copy_from_slice(&u32::try_from(from).unwrap().to_le_bytes());
    (files, directory)
}

/// One more entry than is counted.
fn uncounted(zip: &[u8], is_sized: bool) -> Vec<u8> {
    let Parts { files, directory, n } = Parts::of(zip);
    let (file, entry) = forged(files.len());
    let before = files.len() + file.len();
    let size = directory.len() + if is_sized { entry.len() } else { 0 };
    let end = Parts::end(n, size, before);
    [files, file, directory, entry, end].concat()
}

/// A second directory with the forged text, which the larger form of the end points to.
fn with_second_directory(zip: &[u8]) -> Vec<u8> {
    let parts = Parts::of(zip);
    let (file, entry) = forged(parts.files.len());
    let (at, length) = parts.entry(TEXT);
    let mut second = parts.directory.clone();
    second.splice(at..at + length, entry);
    let first_at = parts.files.len() + file.len();
    let second_at = first_at + parts.directory.len();
    let mut large = b"PK\x06\x06".to_vec();
    large.extend(44_u64.to_le_bytes());
    large.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [parts.n.into(), parts.n.into(), second.len() as u64, second_at as u64] {
        large.extend(number.to_le_bytes());
    }
    large.extend(b"PK\x06\x07\0\0\0\0");
    large.extend(((second_at + second.len()) as u64).to_le_bytes());
    large.extend([1, 0, 0, 0]);
    let end = Parts::end(parts.n, parts.directory.len(), first_at);
    [parts.files, file, parts.directory, second, large, end].concat()
}

/// The end says that the larger form counts, which points to the second directory.
fn with_larger_form_alone(zip: &[u8]) -> Vec<u8> {
    let mut bytes = with_second_directory(zip);
    let end = bytes.len() - END_BYTES;
    bytes[end + 8..end + 20].fill(0xFF);
    bytes
}

type Forging = (&'static str, fn(&[u8]) -> Vec<u8>);

const FORGINGS: &[Forging] = &[
    ("one more entry than is counted, in a directory of that size", |zip| uncounted(zip, true)),
    ("one more entry than is counted, behind the directory", |zip| uncounted(zip, false)),
    ("a second directory by the larger form of the end", with_second_directory),
    ("the larger form alone, where nothing demands it", with_larger_form_alone),
    ("a file that no directory lists", |zip| {
        let mut parts = Parts::of(zip);
        parts.files.extend(forged(0).0);
        parts.whole()
    }),
    ("something before the first file", |zip| [b"#!/bin/sh\n", zip].concat()),
    ("something behind the end", |zip| {
        let mut bytes = [zip, b"x"].concat();
        let comment = zip.len() - 2;
        bytes[comment] = 1;
        bytes
    }),
    ("another name at the file than in the directory", |zip| {
        let mut parts = Parts::of(zip);
        let at = parts.file(TEXT) + 30;
        parts.files[at..at + TEXT.len()].copy_from_slice(b"bevis-1/delar/texu.txt");
        parts.whole()
    }),
    ("another size at the file than in the directory", |zip| {
        let mut parts = Parts::of(zip);
        let at = parts.file(TEXT) + 22;
        parts.files[at] ^= 1;
        parts.whole()
    }),
    ("a file that is a link", |zip| {
        let mut parts = Parts::of(zip);
        parts.set(TEXT, 40, &0o120_777_u16.to_le_bytes());
        parts.whole()
    }),
    ("two entries of one file", |zip| {
        let mut parts = Parts::of(zip);
        let (at, length) = parts.entry(TEXT);
        let entry = parts.directory[at..at + length].to_vec();
        parts.directory.extend(entry);
        parts.n += 1;
        parts.whole()
    }),
    ("a second name in an extra field", |zip| {
        let mut parts = Parts::of(zip);
        let (at, length) = parts.entry(TEXT);
        // Info-ZIP's Unicode path (APPNOTE 4.6.9): unzip goes by it.
        let mut extra = vec![0x75, 0x70, 9, 0, 1];
        extra.extend(crc32(TEXT.as_bytes()).to_le_bytes());
        extra.extend(b"x.md");
        parts.directory[at + 30] = u8::try_from(extra.len()).unwrap();
        parts.directory.splice(at + length..at + length, extra);
        parts.whole()
    }),
    ("a comment to an entry", |zip| {
        let mut parts = Parts::of(zip);
        let (at, length) = parts.entry(TEXT);
        parts.directory[at + 32] = 1;
        parts.directory.insert(at + length, b'x');
        parts.whole()
    }),
];

/// The checksum of zip archives (APPNOTE 4.4.7), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[tokio::test]
async fn an_archive_that_readers_may_read_differently_is_found_by_both_programs() {
    let bench = Bench::new().await;
    let (path, _) = package(&bench).await;
    let whole = fs::read(&path).unwrap();
    assert_eq!(Parts::of(&whole).whole(), whole, "taken apart and put together");
    let mut wrong = Vec::new();
    for (what, forge) in FORGINGS {
        let bytes = forge(&whole);
        assert_ne!(bytes, whole, "{what}");
        fs::write(&path, bytes).unwrap();
        let (we, (they_say_well, words)) = (ours(&path), theirs(&path));
        if we.faults.is_empty() || they_say_well {
            wrong.push(format!("{what}: {:?}, {words}", we.faults));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
