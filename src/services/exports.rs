//! Packages of evidence for somebody at the page: written aside record by record, so that many need no more memory
//! than one, and handed over as a file that is gone from the disk when it has been read.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::domain::custody::CustodyAct;
use crate::domain::ids::{CaseId, EvidenceId};
use crate::domain::person::Act;
use crate::runtime::private;
use crate::store::rows::AuditLine;

use super::deliveries::PackageForm;
use super::{ServiceError, Services, Viewer, packages};

/// Records in one package from the page; more is for the command line.
const MOST_RECORDS: usize = 10_000;

/// How the names of packages begin that are being made for somebody at the page.
const ASIDE: &str = ".hamtas-";

/// A package on its way to whoever asked for it.
#[derive(Debug)]
pub struct Package {
    /// The file, at its beginning. Nothing on the disk has its name any more.
    pub file: File,
    /// Its bytes.
    pub size_bytes: u64,
    /// What it is called.
    pub name: String,
}

fn broken(error: std::io::Error) -> ServiceError {
    ServiceError::broken("export", error)
}

/// Takes away what a death left behind while packages were made for somebody at the page: they hold evidence
/// that nobody would find there.
///
/// # Errors
/// [`io::Error`](std::io::Error) where the folder cannot be read or cleared.
pub fn sweep(folder: &Path) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // What is being written has a name of its own, with a dot more before it.
        if name.starts_with(ASIDE) || name.strip_prefix('.').is_some_and(|n| n.starts_with(ASIDE)) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The file's own name goes when this does, whatever becomes of the export.
struct Aside(PathBuf);

impl Drop for Aside {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

impl Services {
    /// A package of these records and of all sealed records of these cases: PDF/A, PNG, JSON and whatever else was
    /// sealed, each as it is, with what proves it. Each record that goes out is an event on it.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Shut`] where one of them, or what was sealed around it, is for
    /// a smaller circle; [`ServiceError::Refused`] with words for the person.
    pub async fn package(
        &self,
        viewer: &Viewer,
        records: &[EvidenceId],
        cases: &[CaseId],
    ) -> Result<Package, ServiceError> {
        viewer.demand(Act::ReadEvidence)?;
        let inner = &self.inner;
        let mut ids = records.to_vec();
        for case in cases {
            ids.extend(packages::of_case(&inner.store, *case).await?);
        }
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Err(ServiceError::Refused { why: "Markera minst ett ärende.".into() });
        }
        if ids.len() > MOST_RECORDS {
            return Err(ServiceError::Refused {
                why: "Högst 10 000 bevis hämtas på en gång. Den som sköter servern kan exportera fler med uppsikt evidence export.".into(),
            });
        }
        for id in &ids {
            let row = inner.store.evidence(*id).await?;
            self.demand_record_open(viewer, &row).await?;
        }
        let name = match ids.as_slice() {
            [id] => format!("bevis-{id}.zip"),
            ids => format!("bevis-{}-stycken.zip", ids.len()),
        };
        let line = viewer.line(CustodyAct::Export.id(), String::new());
        let line = AuditLine { detail: Some(name.clone()), ..line };
        let (file, size_bytes) = self.set_aside(&ids, Some(line)).await?;
        tracing::info!(user.id = %viewer.user, n_records = ids.len(), size_bytes, "a package was fetched");
        Ok(Package { file, size_bytes, name })
    }

    /// A package of these records as an open file that has no name any more, and its bytes; an event on each where
    /// one is given.
    pub(super) async fn set_aside(
        &self,
        ids: &[EvidenceId],
        noted: Option<AuditLine>,
    ) -> Result<(File, u64), ServiceError> {
        let inner = &self.inner;
        let folder = &inner.settings.export_dir;
        private::folder(folder).map_err(broken)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|e| ServiceError::broken("random number", std::io::Error::other(e)))?;
        // A name that nobody collects, as of packages that are being written.
        let aside = Aside(folder.join(format!("{ASIDE}{}.part", hex::encode(random))));
        let (store, evidence) = (&inner.store, &inner.evidence);
        let (authority, form) = (&inner.settings.authority, &PackageForm::Zip);
        let noted = noted.map(|line| (&inner.clock, line));
        packages::write(store, evidence, ids, &aside.0, authority, form, noted).await?;
        let path = aside.0.clone();
        let opened = tokio::task::spawn_blocking(move || -> std::io::Result<(File, u64)> {
            let file = File::open(&path)?;
            let size = file.metadata()?.len();
            Ok((file, size))
        });
        let opened = opened.await.map_err(|e| ServiceError::broken("export", e))?;
        opened.map_err(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_death_left_of_packages_is_taken_away_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        assert!(sweep(&dir.path().join("not there")).is_ok());
        for name in [".hamtas-08.part", "..hamtas-08.part.d5.part", "..hamtas-08.part.d5.spool"] {
            std::fs::write(dir.path().join(name), "PK").unwrap();
        }
        for name in ["arende-1-x.zip", ".arende-1-x.part", "hamtas-allt.zip", "eget.part"] {
            std::fs::write(dir.path().join(name), "eget").unwrap();
        }
        sweep(dir.path()).unwrap();
        let mut left: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort_unstable();
        assert_eq!(left, [".arende-1-x.part", "arende-1-x.zip", "eget.part", "hamtas-allt.zip"]);
    }
}
