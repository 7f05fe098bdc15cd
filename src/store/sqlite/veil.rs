//! Numbers for persons, as they stand in the database: under a secret that lies beside it.
//!
//! A number for an author is made of what the platform calls them, so whoever has a list of names could
//! read it back. In the database it stands enciphered (four rounds of a Feistel network over SHA-256,
//! which is a permutation of 64 bits), so that a copy of the database alone tells nothing. Where the
//! secret is lost a new one is made: the numbers of the last weeks then match nothing, and are
//! forgotten in their time.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::runtime::private;

const ROUNDS: u8 = 4;

/// The secret. Cheap to clone, and never shown.
#[derive(Clone)]
pub(in crate::store) struct Veil(Arc<[u8; 32]>);

/// Where the secret of a database lies.
pub(in crate::store) fn path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".secret");
    PathBuf::from(path)
}

impl Veil {
    /// Reads the secret, or makes it.
    pub(in crate::store) fn open(path: &Path) -> io::Result<Self> {
        let mut secret = [0; 32];
        match std::fs::File::open(path) {
            Ok(mut file) => match file.read_exact(&mut secret) {
                Ok(()) => return Ok(Self(Arc::new(secret))),
                // Half of it, as a power cut leaves it: nothing was made with it yet.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let mut file = private::options().write(true).create(true).truncate(true).open(path)?;
        file.write_all(&secret)?;
        file.sync_all()?;
        Ok(Self(Arc::new(secret)))
    }

    fn mixed(&self, round: u8, half: u32) -> u32 {
        let mut hasher = Sha256::new();
        hasher.update(*self.0);
        hasher.update([round]);
        hasher.update(half.to_be_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }

    /// A secret of its own for a purpose, the same each time: nothing of it stands anywhere.
    pub(super) fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).expect("HMAC takes any key");
        mac.update(b"uppsikt derived secret v1\0");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// A number as it stands in the database. SQLite's numbers have a sign; the same bits.
    pub(super) fn cover(&self, number: u64) -> i64 {
        let (mut left, mut right) = ((number >> 32) as u32, number as u32);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.mixed(round, right));
        }
        ((u64::from(left) << 32) | u64::from(right)).cast_signed()
    }

    /// What [`Veil::cover`] was given.
    pub(super) fn uncover(&self, column: i64) -> u64 {
        let number = column.cast_unsigned();
        let (mut left, mut right) = ((number >> 32) as u32, number as u32);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.mixed(round, left), left);
        }
        (u64::from(left) << 32) | u64::from(right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_covered_comes_back_under_the_same_secret_alone() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let [one, other] = ["a.secret", "b.secret"].map(|name| dir.path().join(name));
        let veil = Veil::open(&one).expect("made");
        let again = Veil::open(&one).expect("read");
        let another = Veil::open(&other).expect("made");
        for number in [0, 1, 2, u64::MAX, 0x0123_4567_89ab_cdef] {
            let column = veil.cover(number);
            assert_eq!(again.uncover(column), number);
            assert_ne!(column.cast_unsigned(), number);
            assert_ne!(another.cover(number), column);
        }
        assert_eq!(veil.derived("a"), again.derived("a"));
        assert_ne!(veil.derived("a"), veil.derived("b"));
        assert_ne!(veil.derived("a"), another.derived("a"));
        std::fs::write(&one, b"halv").expect("cut");
        Veil::open(&one).expect("made anew");
    }
}
