//! Records of a dump, read in batches from anything that can be read: JSON lines, CSV, or a text
//! a line. Memory is bounded by the size of a batch and of the longest record allowed.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

/// How many bytes a batch holds at least, unless the input ends.
const BATCH: usize = 256 * 1024;
/// The longest line, in bytes. A longer one is reported and skipped.
pub const LONGEST_LINE: usize = 64 * 1024 * 1024;

/// How the dump is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// Comma, semicolon or tab between fields, names in the first row.
    Csv,
    /// One text a line; the identity is the line number.
    Text,
}

/// Where identity and text stand.
#[derive(Clone, Debug)]
pub struct Fields {
    /// The name of the identity's field.
    pub id: String,
    /// The names that the text's field may have; the first one under which a record has a text counts.
    /// With a plus between them several are read as one text, `title+selftext`.
    pub text: Vec<String>,
}

impl Fields {
    /// Every name that is asked for.
    fn parts(&self) -> impl Iterator<Item = &str> {
        self.text.iter().flat_map(|name| name.split('+'))
    }

    fn names_of_text(&self) -> String {
        self.text.join("` eller `")
    }
}

/// Some records, still as read.
#[derive(Debug)]
pub enum Batch {
    /// Whole lines.
    Lines {
        /// The number of the first, from 1.
        first_line: u64,
        /// The lines with their line breaks.
        bytes: Vec<u8>,
    },
    /// Rows of a CSV file: line, identity, text.
    Rows(Vec<(u64, Row)>),
    /// A line that was too long to read.
    TooLong {
        /// Its number, from 1.
        line: u64,
    },
}

/// A row of a CSV file: identity and text, or what is wrong with it.
type Row = Result<(String, String), String>;

/// One record.
#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The identity as JSON, as it was written.
    pub id: Cow<'a, str>,
    /// The text.
    pub text: Cow<'a, str>,
}

/// A record that cannot be used: where it stands and what is wrong, in Swedish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Line, from 1.
    pub line: u64,
    /// What is wrong and how to mend it.
    pub what: String,
}

/// The dump cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum CannotRead {
    /// Reading failed.
    #[error("filen kan inte läsas vidare")]
    Io(#[from] io::Error),
    /// The CSV has no such column.
    #[error("kolumnen `{missing}` saknas; de som finns är {known}")]
    Column {
        /// What was asked for.
        missing: String,
        /// What there is.
        known: String,
    },
    /// The first row of a CSV cannot be read.
    #[error("första raden i CSV-filen kan inte läsas; spara filen som UTF-8")]
    Header,
    /// Two bytes a character.
    #[error("filen är skriven som UTF-16; spara den som UTF-8")]
    Utf16,
}

/// Reads batches.
pub enum Batches<R> {
    /// Lines.
    Lines {
        /// What is read.
        input: Begun<R>,
        /// The number of the next line.
        line: u64,
    },
    /// CSV rows.
    Rows {
        /// The reader.
        rows: csv::Reader<io::Chain<Begun<R>, &'static [u8]>>,
        /// The column of the identity, if there is one.
        id: Option<usize>,
        /// The columns of the text: of the first group that holds one, all are read.
        text: Vec<Vec<usize>>,
    },
}

impl<R: BufRead> Batches<R> {
    /// Begins reading. A byte order mark is skipped.
    ///
    /// # Errors
    /// Reading fails, or a CSV lacks the text's column.
    pub fn new(mut input: R, format: Format, fields: &Fields) -> Result<Self, CannotRead> {
        let mut input = Begun { head: first_bytes(&mut input, format)?, at: 0, rest: input };
        if input.fill_buf()?.starts_with("\u{FEFF}".as_bytes()) {
            input.consume(3);
        }
        let head = input.fill_buf()?;
        if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) {
            return Err(CannotRead::Utf16);
        }
        if format != Format::Csv {
            return Ok(Self::Lines { input, line: 1 });
        }
        let head = input.fill_buf()?;
        let first = &head[..memchr::memchr(b'\n', head).unwrap_or(head.len())];
        let count = |b: u8| first.iter().filter(|c| **c == b).count();
        let delimiter =
            [b',', b';', b'\t'].into_iter().max_by_key(|b| (count(*b), *b == b',')).unwrap_or(b',');
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(input.chain(END));
        let headers = rows.headers().map_err(|_| CannotRead::Header)?.clone();
        let column = |name: &str| headers.iter().position(|h| h.trim() == name);
        let columns = |name: &String| name.split('+').filter_map(column).collect();
        let mut text: Vec<Vec<usize>> = fields.text.iter().map(columns).collect();
        text.retain(|group| !group.is_empty());
        if text.is_empty() {
            return Err(CannotRead::Column {
                missing: fields.names_of_text(),
                known: headers.iter().collect::<Vec<_>>().join(", "),
            });
        }
        Ok(Self::Rows { rows, id: column(&fields.id), text })
    }

    /// The next batch; nothing at the end.
    ///
    /// # Errors
    /// Reading fails.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, CannotRead> {
        match self {
            Self::Lines { input, line } => next_lines(input, line),
            Self::Rows { rows, id, text } => next_rows(rows, *id, text),
        }
    }
}

/// An input whose first bytes were taken from it, to see how it is written: a pipe may give them one by
/// one.
pub struct Begun<R> {
    head: Vec<u8>,
    /// How many of those were read again.
    at: usize,
    rest: R,
}

impl<R: BufRead> Read for Begun<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let n = ready.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Begun<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at < self.head.len() { Ok(&self.head[self.at..]) } else { self.rest.fill_buf() }
    }

    fn consume(&mut self, n: usize) {
        if self.at < self.head.len() {
            self.at += n;
        } else {
            self.rest.consume(n);
        }
    }
}

/// How much of a CSV is looked at for its first row, in bytes.
const LONGEST_HEAD: u64 = 1 << 16;

/// As much as is needed to see marks at the beginning and, of a CSV, the row of headers.
fn first_bytes(input: &mut impl BufRead, format: Format) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    input.take(3).read_to_end(&mut head)?;
    if format == Format::Csv && !head.contains(&b'\n') {
        input.take(LONGEST_HEAD).read_until(b'\n', &mut head)?;
    }
    Ok(head)
}

fn next_lines(input: &mut impl BufRead, line: &mut u64) -> Result<Option<Batch>, CannotRead> {
    let mut bytes = Vec::with_capacity(BATCH + BATCH / 4);
    let first_line = *line;
    while bytes.len() < BATCH {
        let before = bytes.len();
        // A line that would be too long is seen before it is read whole.
        let n = input.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut bytes)?;
        if n == 0 {
            break;
        }
        if n == LONGEST_LINE && bytes.last() != Some(&b'\n') {
            skip_line(input)?;
            bytes.truncate(before);
            if !bytes.is_empty() {
                // Its number is kept by an empty line, which is reported when it is reached.
                bytes.extend_from_slice(TOO_LONG);
                *line += 1;
                continue;
            }
            *line += 1;
            return Ok(Some(Batch::TooLong { line: *line - 1 }));
        }
        *line += 1;
    }
    Ok((!bytes.is_empty()).then_some(Batch::Lines { first_line, bytes }))
}

/// What stands in a batch for a line that was too long: no valid record in any format.
const TOO_LONG: &[u8] = b"\xFF\xFE\xFFtoo long\n";

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        match memchr::memchr(b'\n', buffer) {
            Some(at) => {
                input.consume(at + 1);
                return Ok(());
            }
            None => {
                let n = buffer.len();
                input.consume(n);
            }
        }
    }
}

/// No comment has so many lines. A quotation mark that is never closed makes one of all that follows.
const MOST_BREAKS: usize = 2_000;
const NEVER_CLOSED: &str = "ett citattecken som börjar här stängs inte förrän tusentals rader senare, så raderna där \
     emellan är inte bedömda; stäng citattecknet eller dubblera det och kör filen på nytt";
const OPEN_AT_END: &str = "ett citattecken som börjar här stängs aldrig, så raderna efter det är inte bedömda; \
     stäng citattecknet eller dubblera det och kör filen på nytt";

/// Stands behind every file of rows: where it is no row of its own, a quotation mark is still open.
const END: &[u8] = b"\n\x00uppsikt-end\n";

fn next_rows(
    rows: &mut csv::Reader<impl io::Read>,
    id: Option<usize>,
    text: &[Vec<usize>],
) -> Result<Option<Batch>, CannotRead> {
    let mut out = Vec::new();
    let mut size = 0;
    let mut row = csv::ByteRecord::new();
    while size < BATCH {
        let line = rows.position().line();
        match rows.read_byte_record(&mut row) {
            Ok(false) => break,
            Ok(true) if row.len() == 1 && row[0] == *END.trim_ascii() => break,
            Ok(true) => {
                let field = |at: usize| row.get(at).map(|b| std::str::from_utf8(b));
                let record = match (text_of(&row, text), id.map(field)) {
                    _ if row.as_slice().trim_ascii_end().ends_with(END.trim_ascii()) => {
                        Err(OPEN_AT_END.to_owned())
                    }
                    _ if memchr::memchr_iter(b'\n', row.as_slice()).count() > MOST_BREAKS => {
                        Err(NEVER_CLOSED.to_owned())
                    }
                    (Some(Ok(text)), Some(Some(Ok(id)))) => Ok((id.to_owned(), text.into_owned())),
                    (Some(Ok(text)), None) => Ok((line.to_string(), text.into_owned())),
                    (None, _) | (_, Some(None)) => {
                        Err("raden har för få fält; kontrollera citattecken och skiljetecken"
                            .to_owned())
                    }
                    (Some(Err(_)), _) | (_, Some(Some(Err(_)))) => {
                        Err("raden är inte giltig UTF-8; spara filen som UTF-8".to_owned())
                    }
                };
                size += row.as_slice().len() + 32;
                out.push((line, record));
            }
            Err(error) if error.is_io_error() => {
                // What was read comes first; the next call meets the error again.
                if !out.is_empty() {
                    break;
                }
                return Err(CannotRead::Io(error.into()));
            }
            Err(_) => {
                let what = "raden kan inte läsas som CSV; kontrollera citattecken och skiljetecken";
                out.push((line, Err(what.to_owned())));
                size += 64;
            }
        }
    }
    Ok((!out.is_empty()).then_some(Batch::Rows(out)))
}

/// The text of a row: nothing where it has none of the columns.
fn text_of<'r>(
    row: &'r csv::ByteRecord,
    columns: &[Vec<usize>],
) -> Option<Result<Cow<'r, str>, std::str::Utf8Error>> {
    let mut known = None;
    for group in columns {
        let mut text = Cow::Borrowed("");
        for field in group.iter().filter_map(|at| row.get(*at)) {
            match std::str::from_utf8(field) {
                Ok(part) => join(&mut text, Cow::Borrowed(part)),
                Err(error) => return Some(Err(error)),
            }
            known = Some(Ok(Cow::Borrowed("")));
        }
        // An empty field hides none that comes after it.
        if !text.trim().is_empty() {
            return Some(Ok(text));
        }
    }
    known
}

/// Puts a part of a text behind what was read of it.
fn join<'t>(text: &mut Cow<'t, str>, part: Cow<'t, str>) {
    if text.trim().is_empty() {
        *text = part;
    } else if !part.trim().is_empty() {
        let text = text.to_mut();
        text.push_str("\n\n");
        text.push_str(&part);
    }
}

impl Batch {
    /// Gives every record of the batch, in order; empty lines are skipped.
    pub fn for_each<'a>(
        &'a self,
        format: Format,
        fields: &Fields,
        mut then: impl FnMut(Result<Record<'a>, Malformed>),
    ) {
        match self {
            Self::TooLong { line } => then(Err(too_long(*line))),
            Self::Rows(rows) => {
                for (line, row) in rows {
                    then(match row {
                        Ok((id, text)) => {
                            Ok(Record { id: Cow::Owned(json_text(id)), text: Cow::Borrowed(text) })
                        }
                        Err(what) => Err(Malformed { line: *line, what: what.clone() }),
                    });
                }
            }
            Self::Lines { first_line, bytes } => {
                let mut line = *first_line;
                // One check for the whole batch; line by line only where it fails.
                let valid = simdutf8::basic::from_utf8(bytes).ok();
                let mut at = 0;
                while at < bytes.len() {
                    let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
                    let text = match valid {
                        Some(whole) => Ok(&whole[at..end]),
                        None => std::str::from_utf8(&bytes[at..end]),
                    };
                    match text {
                        Ok(text) => {
                            let text = text.strip_suffix('\r').unwrap_or(text);
                            if !text.trim().is_empty() {
                                then(record(text, line, format, fields));
                            }
                        }
                        Err(_) if bytes[at..].starts_with(TOO_LONG) => then(Err(too_long(line))),
                        Err(error) => then(Err(Malformed {
                            line,
                            what: format!(
                                "inte giltig UTF-8 vid byte {} på raden; spara filen som UTF-8",
                                error.valid_up_to() + 1
                            ),
                        })),
                    }
                    at = end + 1;
                    line += 1;
                }
            }
        }
    }
}

fn too_long(line: u64) -> Malformed {
    Malformed {
        line,
        what: format!("raden är längre än {} MiB; dela upp den", LONGEST_LINE / 1024 / 1024),
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn record<'a>(
    text: &'a str,
    line: u64,
    format: Format,
    fields: &Fields,
) -> Result<Record<'a>, Malformed> {
    match format {
        Format::Text | Format::Csv => {
            Ok(Record { id: Cow::Owned(line.to_string()), text: Cow::Borrowed(text) })
        }
        Format::JsonLines => json_record(text, fields).map_err(|what| Malformed { line, what }),
    }
}

fn json_record<'a>(line: &'a str, fields: &Fields) -> Result<Record<'a>, String> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let picked = serde::Deserializer::deserialize_map(&mut deserializer, Pick { fields })
        .and_then(|picked| deserializer.end().map(|()| picked))
        .map_err(|e| format!("inte giltig JSON vid tecken {}: {}", e.column(), plain(&e)))?;
    let id = picked.id.map_or(Cow::Borrowed("null"), |id| Cow::Borrowed(id.get()));
    let names = || fields.names_of_text();
    let mut place = 0;
    let mut is_text = !picked.texts.is_empty();
    for field in &fields.text {
        let n = field.split('+').count();
        let parts = (place..place + n)
            .filter_map(|place| picked.texts.iter().find(|(p, _)| *p == place).map(|(_, raw)| raw));
        let mut text = Cow::Borrowed("");
        for raw in parts.filter(|raw| raw.get() != "null") {
            match json_string(raw.get()) {
                Some(part) => join(&mut text, part),
                None => is_text = false,
            }
        }
        // An empty field hides none that comes after it.
        if !text.trim().is_empty() {
            return Ok(Record { id, text });
        }
        place += n;
    }
    match (is_text, picked.texts.is_empty()) {
        (true, _) => Ok(Record { id, text: Cow::Borrowed("") }),
        (false, true) => {
            Err(format!("fältet `{}` saknas; ange fältets namn med --text-field", names()))
        }
        (false, false) => Err(format!("fältet `{}` är ingen text", names())),
    }
}

/// What the parser found, in Swedish; the place is said already.
fn plain(error: &serde_json::Error) -> &'static str {
    use serde_json::error::Category;
    match error.classify() {
        Category::Eof => "raden slutar för tidigt",
        Category::Data => "raden ska vara ett JSON-objekt",
        Category::Syntax | Category::Io => {
            "tecknet är oväntat här; kontrollera citattecken och kommatecken, eller ange --format om filen inte är JSON"
        }
    }
}

/// The text of a JSON string literal. Half a surrogate pair, which JSON can write and no text can
/// hold, becomes the replacement character.
fn json_string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    if let Ok(text) = serde_json::from_str::<String>(raw) {
        return Some(Cow::Owned(text));
    }
    struct Bytes;
    impl<'de> Visitor<'de> for Bytes {
        type Value = Vec<u8>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string")
        }
        fn visit_bytes<E>(self, v: &[u8]) -> Result<Vec<u8>, E> {
            Ok(v.to_vec())
        }
        fn visit_str<E>(self, v: &str) -> Result<Vec<u8>, E> {
            Ok(v.as_bytes().to_vec())
        }
    }
    let mut bytes =
        serde::Deserializer::deserialize_bytes(&mut serde_json::Deserializer::from_str(raw), Bytes)
            .ok()?;
    for i in 0..bytes.len().saturating_sub(2) {
        if bytes[i] == 0xED && bytes[i + 1] >= 0xA0 {
            bytes[i..i + 3].copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
    Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
}

struct Picked<'a> {
    id: Option<&'a RawValue>,
    /// What stands under names of texts, with the place of the name among [`Fields::parts`].
    texts: SmallVec<[(usize, &'a RawValue); 3]>,
}

struct Pick<'f> {
    fields: &'f Fields,
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Picked<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Picked<'de>, A::Error> {
        let mut picked = Picked { id: None, texts: SmallVec::new() };
        while let Some(key) = map.next_key::<Key<'de>>()? {
            if let Some(place) = self.fields.parts().position(|name| *key.0 == *name) {
                let value = map.next_value()?;
                // Of a name that stands there twice the last one counts, as everywhere.
                picked.texts.retain(|(known, _)| *known != place);
                picked.texts.push((place, value));
            } else if *key.0 == *self.fields.id {
                picked.id = Some(map.next_value()?);
            } else {
                map.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(picked)
    }
}

/// A field's name, borrowed where it holds no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests;
