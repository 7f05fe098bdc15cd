//! Wrappers that cannot print what they hold: for spans, log fields and error texts.
//!
//! They show the length and the first digits of a hash, so that two lines about the same text can
//! be told to be about the same text, and nothing more.

use std::fmt;

use crate::domain::ids::ContentHash;

/// Hash digits shown: enough to tell texts of one day apart, far too few to find a text by.
const SHOWN_HASH_DIGITS: usize = 8;

/// Something that came from outside: a comment, a payload, a header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Untrusted<T>(T);

impl<T> Untrusted<T> {
    /// Wraps it.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for those who handle it rather than mention it.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// A look at the value.
    pub const fn inner(&self) -> &T {
        &self.0
    }
}

impl<T: AsRef<[u8]>> fmt::Display for Untrusted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.as_ref();
        let hash = ContentHash::of(bytes).to_hex();
        write!(f, "⟨{} byte, {}…⟩", bytes.len(), &hash[..SHOWN_HASH_DIGITS])
    }
}

impl<T: AsRef<[u8]>> fmt::Debug for Untrusted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text about a person: a name, a number, an address. Shows its length only: names are so few
/// that even a short hash would point them out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PersonText<T>(T);

impl<T> PersonText<T> {
    /// Wraps it.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The text, for those who handle it rather than mention it.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// A look at the text.
    pub const fn inner(&self) -> &T {
        &self.0
    }
}

impl<T: AsRef<str>> fmt::Display for PersonText<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "⟨person, {} tecken⟩", self.0.as_ref().chars().count())
    }
}

impl<T: AsRef<str>> fmt::Debug for PersonText<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
