//! Reads TOML table by table, keeps the place of every value, and collects complaints instead of
//! stopping at the first.
//!
//! Not serde: its derived readers stop at the first fault and speak English. Here every key is
//! asked for by name, so that [`Table::done`] knows which ones nobody asked for.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

use jiff::civil::Date;
use toml::de::{DeTable, DeValue};

use super::complaint::{Complaint, ConfigError};
use crate::domain::toml_words;

/// One file while it is read.
pub(super) struct Source<'t> {
    file: String,
    text: &'t str,
    complaints: RefCell<Vec<Complaint>>,
}

/// A value with its place in the file, in bytes.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Range<usize>,
}

impl<'t> Source<'t> {
    pub(super) fn new(file: impl Into<String>, text: &'t str) -> Self {
        Self { file: file.into(), text, complaints: RefCell::default() }
    }

    /// Parses the file and hands its root to `read`; gives the value if nothing was wrong.
    pub(super) fn read<T>(
        self,
        read: impl FnOnce(&mut Table<'_, 't>) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        if !errors.is_empty() {
            // What the parser saved of a broken file is not to be trusted, so only the broken
            // places are told.
            for error in errors {
                let place = error.span().unwrap_or(0..0);
                let what = toml_words::syntax(error.message());
                self.complain(&place, format!("filen följer inte TOML här: {what}"));
            }
            return Err(self.refused());
        }
        let mut table = Table::new(&self, String::new(), 0..0, root.get_ref());
        let value = read(&mut table);
        table.done();
        match value {
            Some(value) if self.complaints.borrow().is_empty() => Ok(value),
            _ => Err(self.refused()),
        }
    }

    pub(super) fn complain(&self, place: &Range<usize>, what: impl Into<String>) {
        let (line, column) = position(self.text.as_bytes(), place.start);
        let what = what.into();
        self.complaints.borrow_mut().push(Complaint {
            file: self.file.clone(),
            line,
            column,
            what,
        });
    }

    /// Takes over the complaints about a file that this one refers to.
    pub(super) fn absorb(&self, complaints: Vec<Complaint>) {
        self.complaints.borrow_mut().extend(complaints);
    }

    fn refused(self) -> ConfigError {
        let mut complaints = self.complaints.into_inner();
        // By file too: those of a file that this one refers to stay together.
        complaints.sort_by(|a, b| {
            let own = |c: &Complaint| c.file != self.file;
            (own(a), a.line, a.column).cmp(&(own(b), b.line, b.column))
        });
        // A word that breaks the syntax twice is one fault.
        complaints.dedup_by(|a, b| (&a.file, a.line, &a.what) == (&b.file, b.line, &b.what));
        ConfigError::Refused(complaints)
    }
}

/// Line and column, from 1, of a byte. The column counts characters, as editors do.
pub(super) fn position(text: &[u8], byte: usize) -> (usize, usize) {
    let before = &text[..byte.min(text.len())];
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |i| i + 1);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    (line, column)
}

/// What a table that is left out holds.
static EMPTY: LazyLock<DeTable<'static>> = LazyLock::new(DeTable::new);

/// One table of the file, from which keys are asked.
pub(super) struct Table<'s, 't> {
    pub(super) source: &'s Source<'t>,
    /// `[server]`, `[[account]]`, or nothing for the root.
    name: String,
    /// Where its header stands: the place of what is missing in it.
    pub(super) place: Range<usize>,
    entries: &'s DeTable<'t>,
    known: Vec<&'static str>,
    /// Only a part of it is read.
    is_part: bool,
}

impl<'s, 't> Table<'s, 't> {
    fn new(
        source: &'s Source<'t>,
        name: String,
        place: Range<usize>,
        entries: &'s DeTable<'t>,
    ) -> Self {
        Self { source, name, place, entries, known: Vec::new(), is_part: false }
    }

    fn value(&mut self, key: &'static str) -> Option<At<&'s DeValue<'t>>> {
        self.known.push(key);
        let (_, value) = self.entries.iter().find(|(k, _)| k.get_ref() == key)?;
        Some(At { value: value.get_ref(), place: value.span() })
    }

    fn in_name(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!(" i {}", self.name) }
    }

    fn wrong_type(&self, key: &str, at: &At<&DeValue<'_>>, wanted: &str) {
        let what =
            format!("`{key}`{} ska vara {wanted}, inte {}", self.in_name(), swedish(at.value));
        self.source.complain(&at.place, what);
    }

    /// Complains about a value.
    pub(super) fn complain<T>(&self, at: &At<T>, what: impl Into<String>) {
        self.source.complain(&at.place, what);
    }

    /// Complains that a key is missing; `mend` is a line to write.
    pub(super) fn missing(&self, key: &str, mend: &str) {
        let what = format!("nyckeln `{key}` saknas{}: skriv till exempel `{mend}`", self.in_name());
        self.source.complain(&self.place, what);
    }

    /// Complains that a section is missing.
    pub(super) fn missing_section(&self, key: &str) {
        let what = format!("avsnittet `[{key}]` saknas: lägg till det");
        self.source.complain(&self.place, what);
    }

    /// A text that is not blank.
    pub(super) fn text(&mut self, key: &'static str) -> Option<At<String>> {
        let at = self.value(key)?;
        match at.value.as_str() {
            Some(text) if text.trim().is_empty() => {
                self.complain(
                    &at,
                    format!(
                        "`{key}`{} är tom: skriv ett värde eller ta bort raden",
                        self.in_name()
                    ),
                );
                None
            }
            Some(text) if text.chars().any(char::is_control) => {
                self.complain(
                    &at,
                    format!(
                        "`{key}`{} innehåller styrtecken: skriv om texten på en rad",
                        self.in_name()
                    ),
                );
                None
            }
            Some(text) => Some(At { value: text.trim().to_owned(), place: at.place }),
            None => {
                self.wrong_type(key, &at, "en text inom citattecken");
                None
            }
        }
    }

    /// A text that has to be there.
    pub(super) fn demanded_text(&mut self, key: &'static str, mend: &str) -> Option<At<String>> {
        if !self.has(key) {
            self.known.push(key);
            self.missing(key, mend);
            return None;
        }
        self.text(key)
    }

    /// A day, as `2027-01-31`.
    pub(super) fn date(&mut self, key: &'static str) -> Option<At<Date>> {
        let at = self.value(key)?;
        let text = match (at.value.as_datetime(), at.value.as_str()) {
            (Some(day), _) => day.to_string(),
            (None, Some(text)) => text.trim().to_owned(),
            (None, None) => {
                self.wrong_type(key, &at, "en dag, till exempel 2027-01-31");
                return None;
            }
        };
        // A moment would be read as its day, and mean something else near midnight.
        match text.parse::<Date>().ok().filter(|day| day.to_string() == text) {
            Some(value) => Some(At { value, place: at.place }),
            None => {
                self.complain(
                    &at,
                    format!(
                        "`{key}`{} ska vara en dag: skriv till exempel `{key} = 2027-01-31`",
                        self.in_name()
                    ),
                );
                None
            }
        }
    }

    /// A whole number within bounds, or the default.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        default: u64,
        bounds: RangeInclusive<u64>,
        unit: &str,
    ) -> Option<u64> {
        let Some(at) = self.value(key) else { return Some(default) };
        let DeValue::Integer(digits) = at.value else {
            self.wrong_type(key, &at, &format!("ett heltal ({unit})"));
            return None;
        };
        match u64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) if bounds.contains(&number) => Some(number),
            _ => {
                let (least, most) = (bounds.start(), bounds.end());
                let what = format!(
                    "`{key}`{} ska vara mellan {least} och {most} {unit}, inte {digits}",
                    self.in_name()
                );
                self.complain(&at, what);
                None
            }
        }
    }

    /// True or false, or the default.
    pub(super) fn yes(&mut self, key: &'static str, default: bool) -> Option<At<bool>> {
        let Some(at) = self.value(key) else {
            return Some(At { value: default, place: self.place.clone() });
        };
        match at.value.as_bool() {
            Some(value) => Some(At { value, place: at.place }),
            None => {
                self.wrong_type(key, &at, "`true` eller `false`");
                None
            }
        }
    }

    /// One of a few words, or the default.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        default: T,
        words: &[(&'static str, T)],
    ) -> Option<At<T>> {
        if !self.has(key) {
            self.known.push(key);
            return Some(At { value: default, place: self.place.clone() });
        }
        let at = self.text(key)?;
        self.one_of(key, &at, words).map(|value| At { value, place: at.place })
    }

    /// Finds a text among words, or complains.
    pub(super) fn one_of<T: Copy>(
        &self,
        key: &str,
        at: &At<String>,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == at.value).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let mend = match nearest(&at.value, &names) {
                Some(word) => format!("menade du `{word}`?"),
                None => format!("skriv {}", either(&names)),
            };
            let what =
                format!("`{key}`{} kan inte vara `{}`: {mend}", self.in_name(), short(&at.value));
            self.complain(at, what);
        }
        found
    }

    /// A list of texts; empty when left out.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<At<Vec<At<String>>>> {
        let Some(at) = self.value(key) else {
            return Some(At { value: Vec::new(), place: self.place.clone() });
        };
        let Some(array) = at.value.as_array() else {
            self.wrong_type(key, &at, "en lista inom hakparenteser");
            return None;
        };
        let mut texts = Vec::with_capacity(array.len());
        for element in array.iter() {
            let place = element.span();
            match element.get_ref().as_str().map(str::trim) {
                Some("") => {
                    let what = format!(
                        "en tom text i `{key}`{}: skriv ett värde eller ta bort den",
                        self.in_name()
                    );
                    self.source.complain(&place, what);
                    return None;
                }
                Some(text) => texts.push(At { value: text.to_owned(), place }),
                None => {
                    let element = At { value: element.get_ref(), place };
                    self.wrong_type(key, &element, "en lista av texter");
                    return None;
                }
            }
        }
        Some(At { value: texts, place: at.place })
    }

    /// A sub-table.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Table<'s, 't>> {
        let at = self.value(key)?;
        let name = if self.name.is_empty() {
            format!("[{key}]")
        } else {
            format!("`{key}`{}", self.in_name())
        };
        match at.value.as_table() {
            Some(entries) => Some(Table::new(self.source, name, at.place, entries)),
            None => {
                let wanted = format!("ett avsnitt: skriv `[{key}]` på en egen rad");
                self.wrong_type(key, &at, &wanted);
                None
            }
        }
    }

    /// A list of tables.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Table<'s, 't>> {
        let Some(at) = self.value(key) else { return Vec::new() };
        let wanted = format!("en lista av avsnitt: skriv `[[{key}]]` på en egen rad");
        let Some(array) = at.value.as_array() else {
            self.wrong_type(key, &at, &wanted);
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(array.len());
        for element in array.iter() {
            let element = At { value: element.get_ref(), place: element.span() };
            match element.value.as_table() {
                Some(entries) => {
                    let name = format!("[[{key}]]");
                    tables.push(Table::new(self.source, name, element.place, entries));
                }
                None => self.wrong_type(key, &element, &wanted),
            }
        }
        tables
    }

    /// An empty table in the place of one that is left out.
    pub(super) fn absent(&mut self, key: &'static str) -> Self {
        self.known.push(key);
        let name = format!("[{key}]");
        Self::new(self.source, name, self.place.clone(), &EMPTY)
    }

    /// A text that another reading asks for, without complaints.
    pub(super) fn peek(&self, key: &str) -> Option<&'s str> {
        let (_, value) = self.entries.iter().find(|(known, _)| known.get_ref() == key)?;
        value.get_ref().as_str().map(str::trim)
    }

    /// Whoever reads only a part of a file does not complain of the rest.
    pub(super) fn leave_the_rest(&mut self) {
        self.is_part = true;
    }

    /// Whether a key is written down.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(k, _)| k.get_ref() == key)
    }

    /// Names the table more exactly, for its later complaints.
    pub(super) fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// Complains about every key that nobody asked for.
    pub(super) fn done(&self) {
        if self.is_part {
            return;
        }
        for (key, _) in self.entries {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let mend = match nearest(name, &self.known) {
                Some(known) => format!("menade du `{known}`?"),
                None => format!("här finns {}", listed(&self.known)),
            };
            let what = format!("okänd nyckel `{}`{}: {mend}", short(name), self.in_name());
            self.source.complain(&key.span(), what);
        }
    }
}

/// What somebody wrote, of any length and content, fit to stand in a message.
fn short(written: &str) -> String {
    written.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// The word that was most likely meant, if one is near.
fn nearest<'w>(written: &str, words: &[&'w str]) -> Option<&'w str> {
    let most = (written.chars().count() / 3).max(1);
    words
        .iter()
        .map(|word| (distance(&written.to_lowercase(), word), *word))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, word)| word)
}

/// Levenshtein's distance: letters to add, drop or change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn quoted(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| format!("`{word}`")).collect()
}

/// `a`, `b` eller `c`.
fn either(words: &[&str]) -> String {
    let quoted = quoted(words);
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} eller {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// `a`, `b` och `c`.
fn listed(words: &[&str]) -> String {
    let quoted = quoted(words);
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} och {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn swedish(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "en text",
        DeValue::Integer(_) => "ett heltal",
        DeValue::Float(_) => "ett decimaltal",
        DeValue::Boolean(_) => "`true` eller `false`",
        DeValue::Datetime(_) => "ett datum",
        DeValue::Array(_) => "en lista",
        DeValue::Table(_) => "ett avsnitt",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let text = "a = 1\nåäö = 2\n".as_bytes();
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 6), (2, 1));
        let two = text.iter().position(|b| *b == b'2').expect("there is a 2");
        assert_eq!(position(text, two), (2, 7));
        assert_eq!(position(text, 9999), (3, 1));
        assert_eq!(position(b"\xff\xfe", 1), (1, 2));
    }

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let words = ["interval_s", "name", "url"];
        assert_eq!(nearest("intervall_sek", &words), Some("interval_s"));
        assert_eq!(nearest("NAME", &words), Some("name"));
        assert_eq!(nearest("uri", &words), Some("url"));
        assert_eq!(nearest("password", &words), None);
        assert_eq!(nearest("", &words), None);
        assert_eq!(distance("åäö", "aäo"), 2);
    }
}
