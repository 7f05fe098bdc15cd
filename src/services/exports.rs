//! Packages of evidence for somebody at the page: written aside record by record, so that many need no more memory
//! than one, and handed over as a file that is gone from the disk when it has been read.

use std::fs::File;
use std::path::PathBuf;

use crate::domain::custody::CustodyAct;
use crate::domain::ids::{CaseId, EvidenceId};
use crate::domain::person::Act;
use crate::runtime::private;

use super::deliveries::PackageForm;
use super::{ServiceError, Services, Viewer, packages};

/// Records in one package from the page; more is for the command line.
const MOST_RECORDS: usize = 10_000;

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
        let folder = &inner.settings.export_dir;
        private::folder(folder).map_err(broken)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|e| ServiceError::broken("random number", std::io::Error::other(e)))?;
        // A name that nobody collects, as of packages that are being written.
        let aside = Aside(folder.join(format!(".hamtas-{}.part", hex::encode(random))));
        let (store, evidence) = (&inner.store, &inner.evidence);
        let line = viewer.line(CustodyAct::Export.id(), String::new());
        let (authority, form) = (&inner.settings.authority, &PackageForm::Zip);
        let noted = Some((&inner.clock, line));
        packages::write(store, evidence, &ids, &aside.0, authority, form, noted).await?;
        let path = aside.0.clone();
        let opened = tokio::task::spawn_blocking(move || -> std::io::Result<(File, u64)> {
            let file = File::open(&path)?;
            let size = file.metadata()?.len();
            Ok((file, size))
        });
        let opened = opened.await.map_err(|e| ServiceError::broken("export", e))?;
        let (file, size_bytes) = opened.map_err(broken)?;
        let name = match ids.as_slice() {
            [id] => format!("bevis-{id}.zip"),
            ids => format!("bevis-{}-stycken.zip", ids.len()),
        };
        tracing::info!(user.id = %viewer.user, n_records = ids.len(), size_bytes, "a package was fetched");
        Ok(Package { file, size_bytes, name })
    }
}
