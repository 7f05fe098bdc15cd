//! The little of DER that time stamps need: definite lengths, shortest form, nothing left over.

/// The bytes are not DER, or not of the shape that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the asn.1 that was expected")]
pub(super) struct BadDer;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const UTF8: u8 = 0x0C;
pub(super) const TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The tag of a context-specific, constructed element.
pub(super) const fn context(n: u8) -> u8 {
    0xA0 | n
}

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'d> {
    pub(super) tag: u8,
    pub(super) content: &'d [u8],
    /// With tag and length.
    pub(super) whole: &'d [u8],
}

/// Elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'d> {
    rest: &'d [u8],
}

impl<'d> Reader<'d> {
    pub(super) fn new(bytes: &'d [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The one element that `bytes` are.
    pub(super) fn only(bytes: &'d [u8], tag: u8) -> Result<Element<'d>, BadDer> {
        let mut reader = Self::new(bytes);
        let element = reader.expect(tag)?;
        reader.done()?;
        Ok(element)
    }

    pub(super) fn done(&self) -> Result<(), BadDer> {
        if self.rest.is_empty() { Ok(()) } else { Err(BadDer) }
    }

    /// The next element, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Element<'d>>, BadDer> {
        let Some((&tag, after)) = self.rest.split_first() else { return Ok(None) };
        // Tags of more than one byte are in nothing that we read.
        if tag & 0x1F == 0x1F {
            return Err(BadDer);
        }
        let (&first, after) = after.split_first().ok_or(BadDer)?;
        let (length, after) = if first < 0x80 {
            (usize::from(first), after)
        } else {
            let n = usize::from(first & 0x7F);
            if n == 0 || n > 4 {
                return Err(BadDer);
            }
            let (digits, after) = after.split_at_checked(n).ok_or(BadDer)?;
            let length = digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
            // The shortest form alone.
            if digits[0] == 0 || length < 0x80 {
                return Err(BadDer);
            }
            (length, after)
        };
        let (content, rest) = after.split_at_checked(length).ok_or(BadDer)?;
        let whole = &self.rest[..self.rest.len() - rest.len()];
        self.rest = rest;
        Ok(Some(Element { tag, content, whole }))
    }

    /// The next element, which has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<Element<'d>, BadDer> {
        self.next()?.filter(|element| element.tag == tag).ok_or(BadDer)
    }

    /// The next element if it has this tag.
    pub(super) fn maybe(&mut self, tag: u8) -> Result<Option<Element<'d>>, BadDer> {
        if self.rest.first() == Some(&tag) { self.next() } else { Ok(None) }
    }

    /// All elements that are left.
    pub(super) fn all(mut self) -> Result<Vec<Element<'d>>, BadDer> {
        let mut all = Vec::new();
        while let Some(element) = self.next()? {
            all.push(element);
        }
        Ok(all)
    }
}

impl<'d> Element<'d> {
    pub(super) fn inside(&self) -> Reader<'d> {
        Reader::new(self.content)
    }
}

/// An element of this tag.
pub(super) fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        // Fits by the condition.
        out.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
        // At most eight.
        out.push(0x80 | digits.len() as u8);
        out.extend_from_slice(digits);
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_der_is_refused() {
        for bytes in [
            &[0x30][..],
            &[0x30, 0x80, 0x00, 0x00], // length told by an end mark
            &[0x30, 0x81, 0x01, 0x00], // a longer form than needed
            &[0x30, 0x82, 0x00, 0x80],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x1F, 0x81, 0x00],
            &[0x30, 0x02, 0x00],
            &[0x30, 0x00, 0x00],
            b"this is not DER",
        ] {
            assert_eq!(Reader::only(bytes, SEQUENCE), Err(BadDer), "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(content in prop::collection::vec(any::<u8>(), 0..70_000)) {
            let written = write(OCTETS, &content);
            let read = Reader::only(&written, OCTETS).unwrap();
            prop_assert_eq!(read.content, &content[..]);
            prop_assert_eq!(read.whole, &written[..]);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Reader::new(&bytes).all();
        }
    }
}
