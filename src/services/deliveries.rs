//! Packages as an archive takes them (E-ARK, *FGS Paketstruktur*): what the delivery is called and what it says
//! of each record.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::domain::ids::EvidenceId;
use crate::evidence::EvidenceStore;
use crate::evidence::package::Form;
use crate::evidence::package::eark::Archive;
use crate::evidence::package::sink::Container;
use crate::formats::eark::{Delivery, Described, Event, Subject};
use crate::store::Store;
use crate::store::rows::{EvidenceRow, EvidenceState};

use super::ServiceError;
use super::archive::broken;
use super::secrecy::marks_beside;

/// The form of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PackageForm {
    /// A zip with what it takes to verify it.
    #[default]
    Zip,
    /// The same with METS, ERMS and PREMIS around it, as zip, tar or folder by the ending of its name.
    Eark {
        /// A folder of schemas (XSD) to put in.
        schemas: Option<PathBuf>,
    },
}

/// The longest name of a delivery: with the longest path in it, it fits a tar header.
const LONGEST_NAME: usize = 80;

impl PackageForm {
    /// What the package is written as. `created` is the time of the newest that it tells.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where the name cannot be that of a delivery or the schemas cannot be read.
    pub(super) async fn of(
        &self,
        out: &Path,
        authority: &str,
        created: Timestamp,
    ) -> Result<Form, ServiceError> {
        let Self::Eark { schemas } = self else { return Ok(Form::ZIP) };
        let container = Container::of(out);
        let name = match container {
            Container::Zip | Container::Tar => out.file_stem(),
            Container::Folder => out.file_name(),
        };
        let name = name.and_then(|name| name.to_str()).unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty()
            || name.len() > LONGEST_NAME
            || !name.chars().all(plain)
            || name.starts_with('.')
        {
            return Err(ServiceError::Refused {
                why: format!(
                    "En leverans heter som sin fil och får bara ha a–z, 0–9, punkt, bindestreck och understreck, högst \
                     {LONGEST_NAME} tecken: välj till exempel leverans-2026-1.zip."
                ),
            });
        }
        let (id, authority) = (name.to_owned(), authority.to_owned());
        let schemas = match schemas.clone() {
            Some(folder) => read_schemas(folder).await?,
            None => Vec::new(),
        };
        let delivery = Delivery { id, authority, created };
        Ok(Form { container, archive: Some(Archive { delivery, schemas }) })
    }
}

/// The schemas of a folder, by name.
async fn read_schemas(folder: PathBuf) -> Result<Vec<(String, Vec<u8>)>, ServiceError> {
    let shown = folder.display().to_string();
    let read = move || -> std::io::Result<Vec<(String, Vec<u8>)>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if name.ends_with(".xsd") && name.chars().all(plain) {
                found.push((name.to_owned(), std::fs::read(&path)?));
            }
        }
        found.sort();
        Ok(found)
    };
    let found = tokio::task::spawn_blocking(read)
        .await
        .map_err(|e| ServiceError::broken("reading of schemas", e))?;
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => {
            Err(ServiceError::Refused { why: format!("Mappen {shown} har inga scheman (.xsd).") })
        }
        Err(_) => Err(ServiceError::Refused {
            why: format!("Mappen med scheman, {shown}, kan inte läsas."),
        }),
    }
}

/// When the newest of what is told of a record came to be.
pub(super) async fn newest(store: &Store, row: &EvidenceRow) -> Result<Timestamp, ServiceError> {
    let sealed = match row.state {
        EvidenceState::Sealed { at, .. } | EvidenceState::Disposed { at, .. } => at,
        EvidenceState::Wanted => Timestamp::UNIX_EPOCH,
    };
    let Some(case) = store.case_of(row.item).await? else { return Ok(sealed) };
    let last = store.case_history(case.id).await?.into_iter().map(|event| event.at).max();
    Ok(last.map_or(sealed, |last| last.max(sealed)))
}

/// What the archive is told of a record.
pub(super) async fn described(
    store: &Store,
    evidence: &EvidenceStore,
    row: &EvidenceRow,
) -> Result<Described, ServiceError> {
    let manifest = evidence.manifest(row).await.map_err(broken)?;
    let log_seq = match row.state {
        EvidenceState::Sealed { log_seq, .. } | EvidenceState::Disposed { log_seq, .. } => log_seq,
        EvidenceState::Wanted => 0,
    };
    let EvidenceId(number) = row.id;
    let case = store.case_of(row.item).await?;
    let (mut diary, mut events, mut secrecy) = (Vec::new(), Vec::new(), None);
    if let Some(case) = &case {
        secrecy = store.secrecy_of(case.id).await?.mark.map(|mark| mark.provision);
        let given = store.registrations_of(case.id).await?;
        diary = given.into_iter().filter_map(|r| Some(r.diary_number?.to_string())).collect();
        events = store
            .case_history(case.id)
            .await?
            .into_iter()
            .map(|event| Event {
                kind: "case event",
                at: event.at,
                by: event.user,
                detail: match event.detail {
                    Some(detail) => format!("{}. {detail}", event.what),
                    None => event.what,
                },
            })
            .collect();
    }
    if secrecy.is_none() {
        let beside = marks_beside(store, row, manifest.holds_picture()).await?;
        secrecy = beside.into_iter().next().map(|mark| mark.provision);
    }
    Ok(Described {
        subject: Subject::Evidence,
        evidence: number,
        case: case.map(|case| case.id.0),
        kind: manifest.kind.label().to_owned(),
        platform: manifest.platform,
        account: manifest.account.to_string(),
        item: manifest.item.as_str().to_owned(),
        version: manifest.version,
        author: manifest.author.name.or(manifest.author.handle),
        permalink: manifest.permalink.map(|link| link.url),
        received: manifest.created_at.unwrap_or(manifest.fetched_at),
        fetched: manifest.fetched_at,
        sealed: manifest.sealed_at,
        log_seq,
        withheld: None,
        secrecy,
        diary,
        events,
    })
}
