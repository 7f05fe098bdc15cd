//! The keys that sign checkpoints: private ones in files that the service alone can read, public
//! ones in the database, each change an entry of the log.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use zeroize::Zeroizing;

use super::blob::put_file;
use super::{EvidenceError, EvidenceStore};
use crate::domain::checkpoint::{Origin, PublicKey, Signer, key_change};
use crate::runtime::disk::Disk;
use crate::runtime::private;
use crate::store::anchors::KeyRow;

/// The folder of private keys, within the folder of evidence.
const FOLDER: &str = "keys";

/// A key file is some 120 bytes.
const MOST_KEY_BYTES: u64 = 16 * 1024;

impl EvidenceStore {
    /// The log's name: how its checkpoints and keys are told from those of other installations.
    ///
    /// # Errors
    /// [`EvidenceError::Store`].
    pub async fn origin(&self) -> Result<Origin, EvidenceError> {
        Ok(Origin::of(&self.store.installation().await?.unwrap_or_default()))
    }

    /// The public keys of the log, oldest first.
    ///
    /// # Errors
    /// [`EvidenceError::Store`]; [`EvidenceError::Key`] where one is no key.
    pub async fn keys(&self) -> Result<Vec<(KeyRow, PublicKey)>, EvidenceError> {
        let origin = self.origin().await?;
        let read = |row: KeyRow| match PublicKey::new(&origin, &row.public) {
            Ok(key) if key.id().to_string() == row.id => Ok((row, key)),
            Ok(_) | Err(_) => Err(EvidenceError::Key {
                path: PathBuf::from(format!("log_keys {}", row.id)),
                source: io::Error::other("not a key of this log"),
            }),
        };
        self.store.keys().await?.into_iter().map(read).collect()
    }

    /// What signs checkpoints now. Where there is none yet a new one is made and taken into the log.
    /// One whose file is gone is never replaced by itself: a folder that is not mounted for a
    /// minute would end it for ever.
    ///
    /// # Errors
    /// [`EvidenceError::KeyLost`]; [`EvidenceError`].
    pub async fn signer(&self) -> Result<Signer, EvidenceError> {
        if self.store.installation().await?.is_none() {
            // A command that signs before the daemon ever ran: the name must stand from the first key.
            let number = uuid::Uuid::new_v4().simple().to_string();
            self.store.settle_fact("installation", number).await?;
        }
        match self.known_signer().await? {
            Some(signer) => Ok(signer),
            None => self.take_into_use(self.origin().await?, None, None).await,
        }
    }

    /// The same where a key has been taken into use; none is made.
    ///
    /// # Errors
    /// [`EvidenceError::KeyLost`]; [`EvidenceError::Key`] where its file is damaged or another key's.
    pub async fn known_signer(&self) -> Result<Option<Signer>, EvidenceError> {
        let Some(row) = self.store.newest_key().await? else { return Ok(None) };
        match self.read_key(&row.id, self.origin().await?).await? {
            Some(signer) if signer.public().bytes() == &row.public => Ok(Some(signer)),
            Some(_) => Err(EvidenceError::Key {
                path: self.key_path(&row.id),
                source: io::Error::other("the file holds another key than the log"),
            }),
            None => Err(EvidenceError::KeyLost { id: row.id }),
        }
    }

    /// Takes a new key into use without the old one's word, since that is lost, and signs the log as
    /// it is now. A person's act; verification names it until its fingerprint is acknowledged.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub async fn replace_key(&self) -> Result<Signer, EvidenceError> {
        let origin = self.origin().await?;
        let old = self.store.newest_key().await?.map(|row| row.id);
        // What was remembered is of the lost key; what was noted elsewhere still holds.
        let memory = self.memory_file();
        self.on_keys(memory.clone(), move || gone(fs::remove_file(&memory))).await?;
        self.hold_signed().await?;
        let new = self.take_into_use(origin, old, None).await?;
        self.checkpoint().await?;
        Ok(new)
    }

    /// Takes a new key into use; the old one signs that it is followed. The old private key is
    /// removed, since nothing may be signed by it any more. A checkpoint by the new key follows.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub async fn rotate_key(&self) -> Result<Signer, EvidenceError> {
        let old = self.signer().await?;
        // What was before is signed by the old key, so that the change is held by both.
        self.checkpoint().await?;
        let id = old.public().id().to_string();
        let new = self.take_into_use(old.origin().clone(), Some(id.clone()), Some(&old)).await?;
        let path = self.key_path(&id);
        self.on_keys(path.clone(), move || gone(fs::remove_file(&path))).await?;
        self.checkpoint().await?;
        Ok(new)
    }

    /// The file first, then the log: a key that the log knows can always sign. A file of a key
    /// that the log never took in is of no use to anybody.
    async fn take_into_use(
        &self,
        origin: Origin,
        previous: Option<String>,
        old: Option<&Signer>,
    ) -> Result<Signer, EvidenceError> {
        let mut seed = Zeroizing::new([0; 32]);
        let path = self.key_path("");
        getrandom::fill(seed.as_mut())
            .map_err(|e| EvidenceError::Key { path, source: io::Error::other(e) })?;
        let signer = Signer::new(origin.clone(), SigningKey::from_bytes(&seed));
        let id = signer.public().id().to_string();
        let path = self.key_path(&id);
        let unwritable = |e: ed25519_dalek::pkcs8::Error| EvidenceError::Key {
            path: path.clone(),
            source: io::Error::other(e.to_string()),
        };
        // In the older form (RFC 5958 version 1), without the public half: OpenSSL 3.0 reads no other,
        // and a key has to be tested and kept with public tools.
        let pair = KeypairBytes { secret_key: *seed, public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(unwritable)?;
        let (file, disk) = (path.clone(), self.disk.clone());
        self.on_keys(path.clone(), move || write_key(&file, pem.as_bytes(), &disk)).await?;
        let signature = old.map(|old| {
            old.sign(key_change(&origin, old.public().id(), signer.public()).as_bytes())
        });
        let public = *signer.public().bytes();
        self.store.add_key(id, public, previous, signature, self.clock.now()).await?;
        self.note_head().await?;
        Ok(signer)
    }

    /// The private key of that name; none where its file is gone.
    async fn read_key(&self, id: &str, origin: Origin) -> Result<Option<Signer>, EvidenceError> {
        let path = self.key_path(id);
        let file = path.clone();
        let pem = self
            .on_keys(path.clone(), move || match fs::metadata(&file) {
                Ok(known) if known.len() > MOST_KEY_BYTES => {
                    Err(io::Error::other("larger than a key"))
                }
                Ok(_) => private::read_text(&file).map(|pem| Some(Zeroizing::new(pem))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            })
            .await?;
        let Some(pem) = pem else { return Ok(None) };
        // The parser's error tells nothing of what it read.
        let key = SigningKey::from_pkcs8_pem(&pem)
            .map_err(|e| EvidenceError::Key { path, source: io::Error::other(e.to_string()) })?;
        Ok(Some(Signer::new(origin, key)))
    }

    /// Where the one who signs remembers what it signed last.
    pub(super) fn memory_file(&self) -> PathBuf {
        self.folder.join(FOLDER).join("signed.txt")
    }

    fn key_path(&self, id: &str) -> PathBuf {
        self.folder.join(FOLDER).join(format!("{id}.pem"))
    }

    async fn on_keys<T: Send + 'static>(
        &self,
        path: PathBuf,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, EvidenceError> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| EvidenceError::BrokenOff)?
            .map_err(|source| EvidenceError::Key { path, source })
    }
}

/// Writes a key so that it is there whole or not at all, and nobody else may read it.
fn write_key(path: &Path, pem: &[u8], disk: &Disk) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("no folder"))?;
    private::folder(folder)?;
    put_file(disk, &path.with_extension("part"), path, pem)
}

/// A file that is not there any more is gone as well.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
