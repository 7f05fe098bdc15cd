//! A dump as a stream: plain, `.gz` or `.zst` by its first bytes, from a file or standard input,
//! with a count of what has been read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Read, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// How much is read at a time.
const BUFFER: usize = 1 << 18;

/// An opened dump.
pub struct Input {
    /// The unpacked bytes.
    pub reader: Box<dyn BufRead + Send>,
    /// How many bytes have been read as stored.
    pub read: Arc<AtomicU64>,
    /// How many there are, where that is known.
    pub size: Option<u64>,
    /// Whether unpacking came to a sound end.
    pub broken: Broken,
}

struct Counting<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Opens a dump; `-` is standard input.
///
/// # Errors
/// The file cannot be opened, or its packing cannot be read.
pub fn open(path: &Path) -> anyhow::Result<Input> {
    let read = Arc::new(AtomicU64::new(0));
    let (raw, size): (Box<dyn Read + Send>, Option<u64>) = if path == Path::new("-") {
        (Box::new(io::stdin()), None)
    } else {
        let file =
            File::open(path).with_context(|| format!("{} kan inte öppnas", path.display()))?;
        let size = file.metadata().ok().filter(|m| m.is_file()).map(|m| m.len());
        (Box::new(file), size)
    };
    let mut counted =
        BufReader::with_capacity(BUFFER, Counting { inner: raw, read: Arc::clone(&read) });
    let head = counted.fill_buf().with_context(|| format!("{} kan inte läsas", path.display()))?;
    let broken = Broken::default();
    let reader: Box<dyn BufRead + Send> = if head.starts_with(&[0x1F, 0x8B]) {
        unpacked(flate2::bufread::MultiGzDecoder::new(counted), &broken)
    } else if head.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
        let decoder = zstd::stream::read::Decoder::with_buffer(counted)
            .context("zstd-filen kan inte läsas")?;
        unpacked(decoder, &broken)
    } else {
        Box::new(counted)
    };
    Ok(Input { reader, read, size, broken })
}

fn unpacked(decoder: impl Read + Send + 'static, broken: &Broken) -> Box<dyn BufRead + Send> {
    let until = UntilBroken { inner: decoder, broken: broken.clone() };
    Box::new(BufReader::with_capacity(BUFFER, until))
}

/// Whether a packed file broke off or went over into something else. What came before is read.
#[derive(Clone, Default)]
pub struct Broken(Arc<AtomicBool>);

impl Broken {
    /// What to tell about it, once everything has been read.
    pub fn complaint(&self) -> Option<&'static str> {
        self.0.load(Ordering::Relaxed).then_some(
            "den packade filen är avbruten eller har annat efter slutet; det som gick att packa upp är läst",
        )
    }
}

/// Ends where unpacking fails, and notes that it did: an error would lose what was unpacked before.
struct UntilBroken<R> {
    inner: R,
    broken: Broken,
}

impl<R: Read> Read for UntilBroken<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.broken.0.load(Ordering::Relaxed) {
            return Ok(0);
        }
        match self.inner.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(_) => {
                self.broken.0.store(true, Ordering::Relaxed);
                Ok(0)
            }
            read => read,
        }
    }
}

/// Progress on standard error: one line that is rewritten on a terminal, a plain line now and then
/// elsewhere.
pub struct Progress {
    started: Instant,
    last: Instant,
    terminal: bool,
    read: Arc<AtomicU64>,
    size: Option<u64>,
}

impl Progress {
    /// Begins now.
    pub fn new(input: &Input) -> Self {
        let now = Instant::now();
        let terminal = io::stderr().is_terminal();
        Self { started: now, last: now, terminal, read: Arc::clone(&input.read), size: input.size }
    }

    /// Shows how far it has come, seldom enough to cost nothing.
    pub fn tick(&mut self, records: u64) {
        let every =
            if self.terminal { Duration::from_millis(200) } else { Duration::from_secs(10) };
        if self.last.elapsed() < every {
            return;
        }
        self.last = Instant::now();
        let read = self.read.load(Ordering::Relaxed);
        let seconds = self.started.elapsed().as_secs_f64().max(1e-6);
        let rate = read as f64 / 1e6 / seconds;
        let line = match self.size.filter(|s| *s > 0) {
            Some(size) => {
                let share = (read as f64 / size as f64).min(1.0);
                let full = (share * 30.0) as usize;
                if self.terminal {
                    format!(
                        "[{}{}] {:3.0} % {records} poster, {rate:.1} MB/s",
                        "=".repeat(full),
                        " ".repeat(30 - full),
                        share * 100.0
                    )
                } else {
                    format!("{:.0} % läst, {records} poster, {rate:.1} MB/s", share * 100.0)
                }
            }
            None => format!("{:.1} MB läst, {records} poster, {rate:.1} MB/s", read as f64 / 1e6),
        };
        // Standard error may be closed; progress is then nobody's.
        let _ = if self.terminal {
            write!(io::stderr(), "\r{line}\x1b[K")
        } else {
            writeln!(io::stderr(), "{line}")
        };
    }

    /// Clears the rewritten line and says what was done.
    pub fn done(&self, records: u64, malformed: u64) {
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        let seconds = self.started.elapsed().as_secs_f64();
        let _ = match malformed {
            0 => writeln!(io::stderr(), "{clear}{records} poster på {seconds:.1} s"),
            n => writeln!(
                io::stderr(),
                "{clear}{records} poster på {seconds:.1} s, {n} kunde inte läsas"
            ),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).expect("to memory");
        packed.finish().expect("to memory")
    }

    fn read(bytes: &[u8]) -> (String, bool) {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), bytes).expect("written");
        let mut input = open(file.path()).expect("opens");
        let mut text = String::new();
        input.reader.read_to_string(&mut text).expect("no error loses what was read");
        (text, input.broken.complaint().is_some())
    }

    #[test]
    fn a_packed_file_that_breaks_off_gives_what_it_had() {
        let text: String = (0..20_000).map(|n| format!("rad {n} {}\n", n * 7_919)).collect();
        let whole = gzip(&text);
        assert_eq!(read(&whole), (text.clone(), false));
        let two = [whole.clone(), whole.clone()].concat();
        assert_eq!(read(&two), (text.repeat(2), false), "several members are one file");
        let (half, broken) = read(&whole[..whole.len() / 2]);
        assert!(broken && text.starts_with(&half) && half.len() > text.len() / 3, "{}", half.len());
        let trailing = [&whole[..], b"skr\xE4p"].concat();
        assert_eq!(read(&trailing), (text, true));
    }
}
