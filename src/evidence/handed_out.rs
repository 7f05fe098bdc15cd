//! The documents that were handed out (*utlämnande av allmän handling*), beside the evidence. A document's name
//! holds its hash, so that two people who end the same request never write over each other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::ids::ContentHash;
use crate::domain::release::ReleaseId;
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::runtime::private;

/// The folder beside the evidence.
const FOLDER: &str = "utlamnanden";

fn name(id: ReleaseId, pdf: ContentHash) -> String {
    format!("utlamnande-{id}-{}.pdf", pdf.to_hex())
}

/// What documents were called before their names held a hash.
fn old_name(id: ReleaseId) -> String {
    format!("utlamnande-{id}.pdf")
}

/// The documents of a request that lie there, whichever was handed out.
fn of_request(folder: &Path, id: ReleaseId) -> io::Result<Vec<PathBuf>> {
    let begins = format!("utlamnande-{id}-");
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&begins) || *name == old_name(id) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

impl EvidenceStore {
    async fn blocking<T: Send + 'static>(
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
        folder: PathBuf,
    ) -> Result<T, EvidenceError> {
        let done = tokio::task::spawn_blocking(work).await.map_err(|_| EvidenceError::BrokenOff)?;
        done.map_err(|source| EvidenceError::HandedOut { path: folder, source })
    }

    /// Keeps a document, before the row that says it was handed out.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub async fn keep_handed_out(
        &self,
        id: ReleaseId,
        bytes: Vec<u8>,
    ) -> Result<ContentHash, EvidenceError> {
        let pdf = ContentHash::of(&bytes);
        let path = self.folder.join(FOLDER).join(name(id, pdf));
        let at = path.clone();
        Self::blocking(move || private::replace(&path, &bytes), at).await?;
        Ok(pdf)
    }

    /// The document with that hash; nothing where it is not there, or is another one.
    ///
    /// # Errors
    /// [`EvidenceError`] where the folder cannot be read.
    pub async fn handed_out(
        &self,
        id: ReleaseId,
        pdf: ContentHash,
    ) -> Result<Option<Vec<u8>>, EvidenceError> {
        let folder = self.folder.join(FOLDER);
        let at = folder.clone();
        let read = move || {
            let is_it = |bytes: &Vec<u8>| ContentHash::of(bytes) == pdf;
            let names = [name(id, pdf), old_name(id)];
            let found = names.into_iter().filter_map(|name| private::read(&folder.join(name)).ok());
            Ok(found.into_iter().find(is_it))
        };
        Self::blocking(read, at).await
    }

    /// Destroys documents of a request but the one with that hash; all where none is given. Says how many.
    ///
    /// # Errors
    /// [`EvidenceError`]; what is left is destroyed the next time.
    pub async fn destroy_handed_out(
        &self,
        id: ReleaseId,
        but: Option<ContentHash>,
    ) -> Result<usize, EvidenceError> {
        let folder = self.folder.join(FOLDER);
        let at = folder.clone();
        let destroy = move || {
            let kept = but.map(|pdf| folder.join(name(id, pdf)));
            let mut n = 0;
            for path in of_request(&folder, id)? {
                if Some(&path) != kept.as_ref() {
                    fs::remove_file(path)?;
                    n += 1;
                }
            }
            Ok(n)
        };
        Self::blocking(destroy, at).await
    }
}
