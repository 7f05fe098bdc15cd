//! Values as flat bytes, little endian, and back: what a compiled lexicon is kept as.
//!
//! Reading checks every length, place and number that is an index later, so that no bytes
//! whatever make the engine panic. It does not tell whether the values are those that were
//! written; the caller has a checksum for that (see [`crate::classify::lexicon::compiled`]).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::classify::words::{ClassId, EntryId};

/// The bytes do not hold what should be there.
#[derive(Debug, thiserror::Error)]
#[error("the bytes do not hold what should be there")]
pub struct Damaged;

/// Where values are written, one after the other.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// How many of something follow.
    pub fn count(&mut self, n: usize) {
        u32::try_from(n).expect("a lexicon has fewer than 2^32 of anything").put(self);
    }

    /// Many numbers.
    pub fn numbers(&mut self, numbers: impl ExactSizeIterator<Item = u64>) {
        self.count(numbers.len());
        self.0.reserve(8 * numbers.len());
        numbers.for_each(|n| self.bytes(&n.to_le_bytes()));
    }
}

/// Where values are read from.
#[derive(Debug)]
pub struct Reader<'b> {
    rest: &'b [u8],
    /// No class may have this number or a higher one.
    pub n_classes: usize,
    /// The same for entries.
    pub n_entries: usize,
    /// How many values of a kind that may hold itself are being read, one in the other.
    depth: u8,
}

/// The most of them.
const DEEPEST: u8 = 4;
/// For how many values room is made before the first is read.
const MOST_AT_ONCE: usize = 1 << 14;

impl<'b> Reader<'b> {
    /// Reads from the first byte.
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, n_classes: 0, n_entries: 0, depth: 0 }
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn bytes(&mut self, n: usize) -> Result<&'b [u8], Damaged> {
        let (bytes, rest) = self.rest.split_at_checked(n).ok_or(Damaged)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// How many bytes are left.
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Damaged)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// How many of something follow, each of at least `size` bytes.
    ///
    /// # Errors
    /// There is no room for so many.
    pub fn count(&mut self, size: usize) -> Result<usize, Damaged> {
        let n = u32::take(self)? as usize;
        if n.checked_mul(size).is_some_and(|bytes| bytes <= self.rest.len()) {
            Ok(n)
        } else {
            Err(Damaged)
        }
    }

    /// What [`Writer::numbers`] wrote.
    ///
    /// # Errors
    /// There are fewer than it says.
    pub fn numbers(&mut self) -> Result<impl ExactSizeIterator<Item = u64> + 'b, Damaged> {
        let n = self.count(8)?;
        let (numbers, _) = self.bytes(8 * n)?.as_chunks::<8>();
        Ok(numbers.iter().map(|n| u64::from_le_bytes(*n)))
    }

    /// Reads something that may hold its own kind.
    ///
    /// # Errors
    /// Those of `take`; it lies deeper than anything that is written.
    pub fn inner<T>(
        &mut self,
        take: impl FnOnce(&mut Self) -> Result<T, Damaged>,
    ) -> Result<T, Damaged> {
        if self.depth == DEEPEST {
            return Err(Damaged);
        }
        self.depth += 1;
        let taken = take(self);
        self.depth -= 1;
        taken
    }

    /// Whether all has been read.
    ///
    /// # Errors
    /// Something is left.
    pub const fn end(&self) -> Result<(), Damaged> {
        if self.rest.is_empty() { Ok(()) } else { Err(Damaged) }
    }
}

/// A value that can be kept.
pub trait Stored: Sized {
    /// Writes it.
    fn put(&self, to: &mut Writer);

    /// Reads it.
    ///
    /// # Errors
    /// The bytes hold no such value.
    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged>;
}

/// Keeps a struct as its fields in the order given. All must be named, so that a new one cannot
/// be forgotten.
macro_rules! stored {
    ($name:ty { $($field:ident),* $(,)? }) => {
        impl $crate::classify::stored::Stored for $name {
            fn put(&self, to: &mut $crate::classify::stored::Writer) {
                let Self { $($field),* } = self;
                $($crate::classify::stored::Stored::put($field, to);)*
            }

            fn take(
                from: &mut $crate::classify::stored::Reader<'_>,
            ) -> Result<Self, $crate::classify::stored::Damaged> {
                Ok(Self { $($field: $crate::classify::stored::Stored::take(from)?),* })
            }
        }
    };
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Stored for $number {
            fn put(&self, to: &mut Writer) {
                to.bytes(&self.to_le_bytes());
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
                from.array().map(Self::from_le_bytes)
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, i16);

impl<T: Stored + Default, const N: usize> Stored for [T; N] {
    fn put(&self, to: &mut Writer) {
        self.iter().for_each(|value| value.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let mut all = std::array::from_fn(|_| T::default());
        for value in &mut all {
            *value = T::take(from)?;
        }
        Ok(all)
    }
}

impl Stored for usize {
    fn put(&self, to: &mut Writer) {
        (*self as u64).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        u64::take(from)?.try_into().map_err(|_| Damaged)
    }
}

impl Stored for bool {
    fn put(&self, to: &mut Writer) {
        u8::from(*self).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        match u8::take(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Damaged),
        }
    }
}

impl Stored for ClassId {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let n = u16::take(from)?;
        if usize::from(n) < from.n_classes { Ok(Self(n)) } else { Err(Damaged) }
    }
}

impl Stored for EntryId {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let n = u32::take(from)?;
        if (n as usize) < from.n_entries { Ok(Self(n)) } else { Err(Damaged) }
    }
}

impl Stored for String {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        to.bytes(self.as_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        text(from).map(str::to_owned)
    }
}

fn text<'b>(from: &mut Reader<'b>) -> Result<&'b str, Damaged> {
    let n = from.count(1)?;
    std::str::from_utf8(from.bytes(n)?).map_err(|_| Damaged)
}

impl Stored for Arc<str> {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        to.bytes(self.as_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        text(from).map(Self::from)
    }
}

impl Stored for Box<str> {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        to.bytes(self.as_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        text(from).map(Self::from)
    }
}

impl<T: Stored> Stored for Option<T> {
    fn put(&self, to: &mut Writer) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        if bool::take(from)? { T::take(from).map(Some) } else { Ok(None) }
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        self.iter().for_each(|value| value.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        // Nothing takes less than a byte, so no count is followed by more turns than bytes.
        let n = from.count(1)?;
        let mut all = Self::with_capacity(n.min(MOST_AT_ONCE));
        for _ in 0..n {
            all.push(T::take(from)?);
        }
        Ok(all)
    }
}

impl<A: smallvec::Array> Stored for SmallVec<A>
where
    A::Item: Stored,
{
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        self.iter().for_each(|value| value.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let n = from.count(1)?;
        let mut all = Self::with_capacity(n.min(MOST_AT_ONCE));
        for _ in 0..n {
            all.push(A::Item::take(from)?);
        }
        Ok(all)
    }
}

impl<K: Stored + Ord, V: Stored> Stored for BTreeMap<K, V> {
    fn put(&self, to: &mut Writer) {
        to.count(self.len());
        self.iter().for_each(|(key, value)| {
            key.put(to);
            value.put(to);
        });
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        (0..from.count(2)?).map(|_| Ok((K::take(from)?, V::take(from)?))).collect()
    }
}

/// Written in the order of its keys, so that the same map gives the same bytes.
impl<V: Stored> Stored for HashMap<Vec<u8>, V> {
    fn put(&self, to: &mut Writer) {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        to.count(all.len());
        all.into_iter().for_each(|(key, value)| {
            key.put(to);
            value.put(to);
        });
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        (0..from.count(2)?).map(|_| Ok((Stored::take(from)?, V::take(from)?))).collect()
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok((A::take(from)?, B::take(from)?))
    }
}
