//! A small writer of XML 1.0: every text and attribute escaped, every element closed.
//!
//! What anybody wrote may hold characters that XML 1.0 forbids even escaped (most control characters,
//! U+FFFE, U+FFFF). They stand as their code points in brackets, as on sheets; the exact bytes lie in the
//! files that the document describes.

use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes a document, or a piece of one, to `out` as it comes.
#[derive(Debug)]
pub struct Xml<W: Write> {
    out: W,
    open: Vec<&'static str>,
    indent: usize,
}

/// An attribute: our own name, anybody's value.
pub type Attribute<'a> = (&'static str, &'a str);

impl<W: Write> Xml<W> {
    /// Begins a document.
    ///
    /// # Errors
    /// Of the writer, as all methods.
    pub fn document(mut out: W) -> io::Result<Self> {
        out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        Ok(Self { out, open: Vec::new(), indent: 0 })
    }

    /// Begins a piece that is put into a document later, so deep within it.
    pub fn piece(out: W, indent: usize) -> Self {
        Self { out, open: Vec::new(), indent }
    }

    fn start(&mut self, name: &str, attributes: &[Attribute<'_>], end: &str) -> io::Result<()> {
        let mut tag = "  ".repeat(self.indent + self.open.len());
        // Writing to a string cannot fail.
        let _ = write!(tag, "<{name}");
        for (attribute, value) in attributes {
            let _ = write!(tag, " {attribute}=\"");
            escape(value, true, &mut tag);
            tag.push('"');
        }
        tag.push_str(end);
        self.out.write_all(tag.as_bytes())
    }

    /// Opens an element that holds others.
    ///
    /// # Errors
    /// Of the writer.
    pub fn open(&mut self, name: &'static str, attributes: &[Attribute<'_>]) -> io::Result<()> {
        self.start(name, attributes, ">\n")?;
        self.open.push(name);
        Ok(())
    }

    /// Closes the element opened last; nothing where none is open.
    ///
    /// # Errors
    /// Of the writer.
    pub fn close(&mut self) -> io::Result<()> {
        let Some(name) = self.open.pop() else { return Ok(()) };
        let indent = "  ".repeat(self.indent + self.open.len());
        writeln!(self.out, "{indent}</{name}>")
    }

    /// An element without content.
    ///
    /// # Errors
    /// Of the writer.
    pub fn empty(&mut self, name: &str, attributes: &[Attribute<'_>]) -> io::Result<()> {
        self.start(name, attributes, "/>\n")
    }

    /// An element with a text.
    ///
    /// # Errors
    /// Of the writer.
    pub fn text(&mut self, name: &str, attributes: &[Attribute<'_>], text: &str) -> io::Result<()> {
        self.start(name, attributes, ">")?;
        let mut escaped = String::with_capacity(text.len());
        escape(text, false, &mut escaped);
        writeln!(self.out, "{escaped}</{name}>")
    }

    /// A piece that [`Xml::piece`] has written.
    ///
    /// # Errors
    /// Of the writer, or of what the piece is read from.
    pub fn insert(&mut self, mut piece: impl io::Read) -> io::Result<()> {
        io::copy(&mut piece, &mut self.out).map(|_| ())
    }

    /// Closes what is open and gives the writer back.
    ///
    /// # Errors
    /// Of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        while !self.open.is_empty() {
            self.close()?;
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Whether XML 1.0 lets the character stand in a document (production 2, *Char*).
const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn escape(text: &str, in_attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // Only "]]>" must not stand in a text, but nobody misses the bare sign.
            '>' => out.push_str("&gt;"),
            '"' if in_attribute => out.push_str("&quot;"),
            // Readers turn a bare return into a line feed, and either into a space within attributes.
            '\r' => out.push_str("&#13;"),
            '\n' if in_attribute => out.push_str("&#10;"),
            '\t' if in_attribute => out.push_str("&#9;"),
            c if is_allowed(c) => out.push(c),
            c => {
                let _ = write!(out, "[U+{:04X}]", u32::from(c));
            }
        }
    }
}

/// A path as it stands in an address: what is not plain ASCII becomes percent signs.
pub fn href(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        let mut xml = Xml::document(Vec::new()).expect("a buffer");
        xml.open("a", &[("b", text)]).expect("a buffer");
        xml.text("c", &[], text).expect("a buffer");
        String::from_utf8(xml.finish().expect("a buffer")).expect("UTF-8")
    }

    #[test]
    fn hostile_texts_stay_texts() {
        insta::assert_snapshot!(written("\0</c>]]>\"'&amp;\r\n\u{b}\u{FFFE}å 🦊"), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <a b="[U+0000]&lt;/c&gt;]]&gt;&quot;'&amp;amp;&#13;&#10;[U+000B][U+FFFE]å 🦊">
          <c>[U+0000]&lt;/c&gt;]]&gt;"'&amp;amp;&#13;
        [U+000B][U+FFFE]å 🦊</c>
        </a>
        "#);
        assert_eq!(href("data/å b.txt"), "data/%C3%A5%20b.txt");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_that_anybody_writes_makes_markup(text in "\\PC{0,40}|[\0-\u{7f}]{0,40}") {
            let document = written(&text);
            prop_assert_eq!(document.matches('<').count(), 5, "{}", document);
            // Line feeds stand escaped in attributes, so that one is on one line.
            prop_assert_eq!(document.lines().nth(1).unwrap_or("").matches('"').count(), 2);
            prop_assert!(document.chars().all(is_allowed));
        }
    }
}
