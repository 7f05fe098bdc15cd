//! Tokens sealed in files: ChaCha20-Poly1305 (RFC 8439) under a key of its own for each writing, which
//! HMAC-SHA256 makes of the service's key and a salt. The name of what is sealed is bound to it, so that one
//! cannot be put in another's place.
//!
//! The key lies in a file of the service alone. Whoever has the folder of tokens and not the key has nothing;
//! whoever can read both is the service.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::runtime::private;
use crate::runtime::secret::Secret;

/// What a sealed file begins with.
const HEAD: &str = "uppsikt-sealed-1\n";

const KEY_BYTES: usize = 32;
const SALT_BYTES: usize = 32;

/// Largest sealed file that is read.
const MOST_BYTES: u64 = 256 * 1024;

/// Something sealed cannot be had. The texts are whole Swedish sentences with the mend.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key's file cannot be read.
    #[error("nyckelfilen {} kan inte läsas: kontrollera att den finns och att tjänsten får läsa den", path.display())]
    Key {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others may read the key's file.
    #[error("nyckelfilen {} får läsas av andra än tjänsten (rättigheter {mode:03o}): kör `chmod 600 {}`", path.display(), path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// The key's file holds something else.
    #[error("nyckelfilen {} är ingen nyckel: den ska ha 64 hexadecimala tecken. Lägg tillbaka den från en säkerhetskopia", path.display())]
    NoKey {
        /// Which.
        path: PathBuf,
    },
    /// The sealed file cannot be read or written.
    #[error("den förseglade filen {} kan inte läsas eller skrivas: kontrollera mappen, rättigheterna och disken", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The seal does not hold: another key, another name, or a damaged file.
    #[error("den förseglade filen {} går inte att öppna med nyckeln: den är skadad, har bytt namn eller är förseglad med en annan nyckel. Anslut kontot på nytt", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
    },
    /// The machine gave no randomness.
    #[error("datorn gav inga slumptal")]
    Chance,
}

/// The service's key.
#[derive(Clone)]
pub struct Key(Arc<Zeroizing<[u8; KEY_BYTES]>>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("•••")
    }
}

fn fill(bytes: &mut [u8]) -> Result<(), VaultError> {
    getrandom::fill(bytes).map_err(|_| VaultError::Chance)
}

impl Key {
    /// Reads the key.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn read(path: &Path) -> Result<Self, VaultError> {
        let unreadable = |source| VaultError::Key { path: path.to_owned(), source };
        let mut file = fs::File::open(path).map_err(unreadable)?;
        // Asked of the opened file, so that nobody can swap it in between.
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(VaultError::Open { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        (&mut file).take(1_024).read_to_string(&mut text).map_err(unreadable)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        hex::decode_to_slice(text.trim(), key.as_mut_slice())
            .map_err(|_| VaultError::NoKey { path: path.to_owned() })?;
        Ok(Self(Arc::new(key)))
    }

    /// Reads the key, or makes one where there is no file. One that is there is never replaced.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn read_or_make(path: &Path) -> Result<Self, VaultError> {
        let failed = |source| VaultError::Key { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private::folder(folder).map_err(failed)?;
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        fill(key.as_mut_slice())?;
        match private::options().write(true).create_new(true).open(path) {
            Ok(mut file) => {
                let text = Zeroizing::new(format!("{}\n", hex::encode(key.as_slice())));
                let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
                if let Err(source) = written {
                    // Half a key would be taken for one that was damaged.
                    drop(std::fs::remove_file(path));
                    return Err(failed(source));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        Self::read(path)
    }

    fn of(&self, salt: &[u8]) -> LessSafeKey {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice())
            .expect("HMAC takes keys of any length");
        mac.update(HEAD.as_bytes());
        mac.update(salt);
        let key = Zeroizing::new(<[u8; KEY_BYTES]>::from(mac.finalize().into_bytes()));
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice());
        LessSafeKey::new(key.expect("the key has the algorithm's length"))
    }

    /// Seals a text under a name.
    ///
    /// # Errors
    /// [`VaultError::Chance`].
    pub fn seal(&self, name: &str, text: &str) -> Result<String, VaultError> {
        let mut salt = [0; SALT_BYTES];
        fill(&mut salt)?;
        // Room for the tag, so that nothing is copied and left behind in clear.
        let mut sealed = Vec::with_capacity(text.len() + CHACHA20_POLY1305.tag_len());
        sealed.extend_from_slice(text.as_bytes());
        // Each writing has a key of its own, so one nonce is as good as another.
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        self.of(&salt)
            .seal_in_place_append_tag(nonce, Aad::from(name.as_bytes()), &mut sealed)
            .map_err(|_| VaultError::Chance)?;
        let mut whole = salt.to_vec();
        whole.append(&mut sealed);
        Ok(format!("{HEAD}{}\n", STANDARD.encode(whole)))
    }

    /// Opens what was sealed under this name; nothing where the seal does not hold.
    pub fn open(&self, name: &str, sealed: &str) -> Option<Secret> {
        let packed = sealed.strip_prefix(HEAD)?.trim_end();
        let mut whole = STANDARD.decode(packed).ok()?;
        if whole.len() < SALT_BYTES {
            return None;
        }
        let mut body = Zeroizing::new(whole.split_off(SALT_BYTES));
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let name = Aad::from(name.as_bytes());
        let opened = self.of(&whole).open_in_place(nonce, name, &mut body).ok()?;
        Some(Secret::new(std::str::from_utf8(opened).ok()?))
    }
}

/// A file that is sealed where there is a key, and else one that the service alone may read.
#[derive(Clone, Debug)]
pub struct Shelf {
    path: PathBuf,
    name: String,
    key: Option<Key>,
}

/// Held by whoever alone may replace a file; let go when dropped, also by a process that dies.
#[derive(Debug)]
#[expect(dead_code, reason = "held for its end")]
pub struct Alone(fs::File);

impl Shelf {
    /// A file under a name.
    pub fn new(path: PathBuf, name: impl Into<String>, key: Option<Key>) -> Self {
        Self { path, name: name.into(), key }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The leave to replace it, by a lock beside it that other processes keep to as well; nothing where somebody
    /// else has it.
    ///
    /// # Errors
    /// [`VaultError::File`].
    pub fn alone(&self) -> Result<Option<Alone>, VaultError> {
        let path = self.path.with_extension("lock");
        let failed = |source| VaultError::File { path: path.clone(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private::folder(folder).map_err(failed)?;
        }
        let lock = private::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Alone(lock))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// What it holds; nothing where there is no file. One from before there was a key is read too, and sealed
    /// at the next writing.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn read(&self) -> Result<Option<Secret>, VaultError> {
        let failed = |source| VaultError::File { path: self.path.clone(), source };
        let file = match fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut text = Zeroizing::new(String::new());
        file.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
        if !text.starts_with(HEAD) {
            return Ok(Some(Secret::new(text.as_str())));
        }
        let opened = self.key.as_ref().and_then(|key| key.open(&self.name, &text));
        opened.map(Some).ok_or_else(|| VaultError::Broken { path: self.path.clone() })
    }

    /// Replaces it, so that the old or the new one is there, whenever the power goes.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn write(&self, text: &str) -> Result<(), VaultError> {
        let bytes = match &self.key {
            Some(key) => key.seal(&self.name, text)?,
            None => text.to_owned(),
        };
        private::replace(&self.path, Zeroizing::new(bytes).as_bytes())
            .map_err(|source| VaultError::File { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(dir: &Path) -> Key {
        Key::read_or_make(&dir.join("nyckel")).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_sealed_opens_under_its_name_and_nothing_else_does(
            text in ".{0,200}", name in "[a-z]{1,10}", at in any::<prop::sample::Index>(), bit in 0..8_u8,
        ) {
            let key = Key(Arc::new(Zeroizing::new([7; KEY_BYTES])));
            let other = Key(Arc::new(Zeroizing::new([8; KEY_BYTES])));
            let sealed = key.seal(&name, &text).unwrap();
            prop_assert_ne!(&sealed, &key.seal(&name, &text).unwrap());
            let opened = key.open(&name, &sealed);
            prop_assert_eq!(opened.as_ref().map(Secret::expose), Some(text.as_str()));
            let another = format!("{name}x");
            prop_assert!(key.open(&another, &sealed).is_none());
            prop_assert!(other.open(&name, &sealed).is_none());
            let mut whole = STANDARD.decode(sealed[HEAD.len()..].trim_end()).unwrap();
            let at = at.index(whole.len());
            whole[at] ^= 1 << bit;
            let written = |whole: &[u8]| format!("{HEAD}{}\n", STANDARD.encode(whole));
            prop_assert!(key.open(&name, &written(&whole)).is_none());
            whole.truncate(at);
            prop_assert!(key.open(&name, &written(&whole)).is_none());
        }
    }

    #[test]
    fn the_keys_file_is_the_services_alone_and_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/nyckel");
        let sealed = Key::read_or_make(&path).unwrap().seal("x", "hemligt").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Key::read_or_make(&path).unwrap();
        assert_eq!(again.open("x", &sealed).unwrap().expose(), "hemligt");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Key::read(&path).unwrap_err().to_string();
        assert!(refused.contains("rättigheter 640") && refused.contains("chmod 600"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "kort").unwrap();
        assert!(matches!(Key::read_or_make(&path), Err(VaultError::NoKey { .. })));
    }

    #[test]
    fn a_sealed_file_holds_nothing_in_clear_and_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("youtube.sealed");
        let shelf = Shelf::new(path.clone(), "youtube", Some(key(dir.path())));
        assert!(shelf.read().unwrap().is_none());
        // From before there was a key.
        fs::write(&path, "{\"gammal\":1}").unwrap();
        assert_eq!(shelf.read().unwrap().unwrap().expose(), "{\"gammal\":1}");
        shelf.write("förnyelse-4711").unwrap();
        let lies_there = fs::read_to_string(&path).unwrap();
        assert!(!lies_there.contains("4711"), "{lies_there}");
        assert_eq!(shelf.read().unwrap().unwrap().expose(), "förnyelse-4711");
        // Under another name, or without the key, it stays shut and is not taken for none.
        for other in [
            Shelf::new(path.clone(), "reddit", Some(key(dir.path()))),
            Shelf::new(path.clone(), "youtube", None),
        ] {
            assert!(matches!(other.read(), Err(VaultError::Broken { .. })));
        }
    }
}
