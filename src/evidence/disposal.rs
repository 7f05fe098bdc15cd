//! Disposal (*gallring*) as far as files go: which files go with a record, destroying them when the database
//! has let go of them, and the protocol beside the evidence.

use std::path::PathBuf;

use super::blob::{BlobError, put_file};
use super::{EvidenceError, EvidenceStore};
use crate::domain::evidence::Manifest;
use crate::domain::ids::{ContentHash, DisposalId, EvidenceId};
use crate::domain::retention::Destroyed;
use crate::runtime::private;
use crate::store::rows::EvidenceState;

/// The folder of protocols, within the folder of evidence.
const FOLDER: &str = "protokoll";

/// Records or files that are looked at a time.
const PAGE: u32 = 500;

impl EvidenceStore {
    /// Notes for every sealed record from before such notes what files it rests on. Nothing may be
    /// destroyed before that: a record of which it is not known may share any file.
    ///
    /// # Errors
    /// [`EvidenceError`] where a manifest cannot be read: then nothing may be destroyed.
    pub async fn index_blobs(&self) -> Result<(), EvidenceError> {
        loop {
            let page = self.store.unindexed_evidence(PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut found = Vec::with_capacity(page.len());
            for (id, manifest) in page {
                let bytes = self.bytes(manifest).await?;
                let read: Manifest = serde_json::from_slice(&bytes)
                    .map_err(|source| EvidenceError::Manifest { hash: manifest, source })?;
                let parts = read.parts.iter().map(|part| part.sha256).chain([manifest]);
                found.push((id, parts.collect()));
            }
            self.store.index_blobs(found).await?;
        }
    }

    /// Holds what is noted of every living record against its manifest, and notes what is missing: a row that was
    /// taken away would let a file be destroyed that a record rests on.
    ///
    /// # Errors
    /// [`EvidenceError`] where a manifest cannot be read: then nothing may be destroyed.
    async fn hold_notes(&self) -> Result<(), EvidenceError> {
        let mut after = EvidenceId(0);
        loop {
            let page = self.store.evidence_after(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            let mut missing = Vec::new();
            for row in page {
                let EvidenceState::Sealed { manifest, .. } = row.state else { continue };
                let noted = self.store.blobs_of(vec![row.id]).await?;
                let read = self.manifest(&row).await?;
                let rests = read.parts.iter().map(|part| part.sha256).chain([manifest]);
                let lost: Vec<_> = rests.filter(|hash| !noted.contains(hash)).collect();
                if !lost.is_empty() {
                    tracing::error!(evidence.id = %row.id, n = lost.len(), "files that a record rests on were not noted any more");
                    missing.push((row.id, lost));
                }
            }
            self.store.index_blobs(missing).await?;
        }
    }

    /// What destroying these records' files would come to.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub async fn would_destroy(
        &self,
        records: Vec<EvidenceId>,
    ) -> Result<Destroyed, EvidenceError> {
        self.index_blobs().await?;
        let files = self.store.blobs_of(records.clone()).await?;
        let shared = self.store.shared_blobs(files.clone(), records).await?;
        let blobs = self.blobs.clone();
        let n_shared = shared.len() as u64;
        let count = move || {
            let mut all = Destroyed { n_shared, ..Destroyed::default() };
            for hash in files.iter().filter(|hash| !shared.contains(hash)) {
                // What is gone already was erased on police order, or is damage that verification names.
                if let Ok(file) = std::fs::metadata(blobs.path(*hash)) {
                    all.n_files += 1;
                    all.n_bytes += file.len();
                }
            }
            all
        };
        tokio::task::spawn_blocking(count).await.map_err(|_| EvidenceError::BrokenOff)
    }

    /// Destroys every file that a disposal has let go of and no living record rests on. Only by the
    /// process that seals: no seal may come to rest on a file meanwhile.
    ///
    /// # Errors
    /// [`EvidenceError`]; what is left is destroyed the next time.
    pub async fn destroy_doomed(&self) -> Result<u64, EvidenceError> {
        let mut n = 0;
        if !self.store.doomed_blobs(1).await?.is_empty() {
            self.hold_notes().await?;
        }
        loop {
            // No seal between asking who shares a file and its end.
            let _pending = self.pending.lock().await;
            let doomed = self.store.doomed_blobs(PAGE).await?;
            if doomed.is_empty() {
                return Ok(n);
            }
            // A record that nobody has indexed may share them.
            if !self.store.unindexed_evidence(1).await?.is_empty() {
                self.index_blobs().await?;
            }
            let shared = self.store.shared_blobs(doomed.clone(), Vec::new()).await?;
            let blobs = self.blobs.clone();
            let gone: Vec<ContentHash> =
                doomed.iter().copied().filter(|hash| !shared.contains(hash)).collect();
            n += gone.len() as u64;
            let destroy = move || gone.into_iter().try_for_each(|hash| blobs.remove(hash));
            tokio::task::spawn_blocking(destroy).await.map_err(|_| EvidenceError::BrokenOff)??;
            self.store.spare_blobs(doomed).await?;
        }
    }

    /// Where a file of a protocol lies.
    pub fn protocol_file(&self, id: DisposalId, ending: &str) -> PathBuf {
        self.folder.join(FOLDER).join(format!("protokoll-{id}.{ending}"))
    }

    /// Puts a protocol beside the evidence: its table, its sheet where there is one, the sums over both
    /// and a signature over the sums. Writing it again changes nothing but the signature's key.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub async fn write_protocol(
        &self,
        id: DisposalId,
        csv: Vec<u8>,
        pdf: Option<Vec<u8>>,
    ) -> Result<(), EvidenceError> {
        let signer = self.signer().await?;
        let mut files = vec![("csv", csv)];
        files.extend(pdf.map(|pdf| ("pdf", pdf)));
        let sums: String = files
            .iter()
            .map(|(ending, bytes)| format!("{}  protokoll-{id}.{ending}\n", ContentHash::of(bytes)))
            .collect();
        files.push(("sha256.sig", signer.sign(sums.as_bytes()).to_vec()));
        files.push(("pem", signer.public().pem().into_bytes()));
        files.push(("sha256", sums.into_bytes()));
        let folder = self.folder.join(FOLDER);
        let paths: Vec<_> = files
            .into_iter()
            .map(|(ending, bytes)| (self.protocol_file(id, ending), bytes))
            .collect();
        let disk = self.disk.clone();
        let write = move || -> Result<(), BlobError> {
            let failed = |path: &PathBuf| {
                let path = path.clone();
                move |source| BlobError::Io { doing: "written", path, source }
            };
            private::folder(&folder).map_err(failed(&folder))?;
            for (path, bytes) in paths {
                let mut aside = path.clone().into_os_string();
                aside.push(".part");
                put_file(&disk, aside.as_ref(), &path, &bytes).map_err(failed(&path))?;
            }
            Ok(())
        };
        tokio::task::spawn_blocking(write).await.map_err(|_| EvidenceError::BrokenOff)??;
        self.store.note_protocol_written(id).await?;
        Ok(())
    }

    /// A file of a protocol.
    ///
    /// # Errors
    /// [`EvidenceError::Blob`].
    pub async fn protocol(&self, id: DisposalId, ending: &str) -> Result<Vec<u8>, EvidenceError> {
        let path = self.protocol_file(id, ending);
        let read = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || private::read(&path)).await
        };
        let read = read.map_err(|_| EvidenceError::BrokenOff)?;
        read.map_err(|source| BlobError::Io { doing: "read", path, source }.into())
    }
}
