//! Registration: the package that goes to the diary, written once however often it is tried.

use std::fs::{self, File};
use std::io::{self, Cursor, Write as _};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;

use crate::domain::calendar::local;
use crate::domain::ids::{ContentHash, EvidenceId};
use crate::domain::text::capitalised;
use crate::evidence::package::sink;
use crate::runtime::private;
use crate::store::rows::{ActionRow, EvidenceState};

use super::case_sheet::{self, Told, case_sheet};
use super::deliveries::PackageForm;
use super::secrecy::{marked_json, marks_beside, says_secret};
use super::{ServiceError, Services, packages, public_reports};

impl Services {
    /// Writes the package of a registration to the export directory and notes it. Gives the file
    /// name. The name comes from the action, so a repeated attempt writes the same file.
    ///
    /// # Errors
    /// [`ServiceError::TryLater`] while the evidence is not sealed; [`ServiceError::Broken`] where
    /// the directory cannot be written.
    pub(super) async fn export_package(&self, action: &ActionRow) -> Result<String, ServiceError> {
        let not_yet = || ServiceError::TryLater { why: "Beviset är inte säkrat än.".into() };
        let row = self.inner.store.evidence_of(action.version).await?.ok_or_else(not_yet)?;
        let EvidenceState::Sealed { manifest: manifest_hash, log_seq, at } = row.state else {
            return Err(not_yet());
        };
        let name = match &self.inner.settings.export_form {
            PackageForm::Zip => format!("arende-{}-{}.zip", action.case, action.key),
            form @ PackageForm::Eark { .. } => {
                return self.export_delivery(action, row.id, form).await;
            }
        };
        let broken = |e| ServiceError::broken("reading of evidence", e);
        let manifest = self.inner.evidence.manifest(&row).await.map_err(broken)?;
        let mut files = Vec::with_capacity(manifest.parts.len() + 2);
        for part in &manifest.parts {
            // Anew before each: it may be suspected any moment.
            let cut = self.inner.store.cut_off(row.version).await?;
            if manifest.is_cut_off(part.kind, cut) {
                continue;
            }
            let bytes = self.inner.evidence.bytes(part.sha256).await.map_err(broken)?;
            files.push((part.name.clone(), bytes));
        }
        // The very bytes that were sealed: written anew by a later version they might differ.
        let sealed = self.inner.evidence.bytes(manifest_hash).await.map_err(broken)?;
        files.push(("manifest.json".into(), sealed));
        let decision = self.inner.store.standing_decision(action.case).await?;
        let policy = self.policy_of(action.account);
        let answered = decision.as_ref().and_then(|d| d.answered.as_ref());
        // What was sealed as the sender goes as it was sealed; the line says what it is about, as a diary does.
        let subject = format!(
            "{} på {} den {}",
            capitalised(manifest.kind.label()),
            manifest.account,
            local(manifest.created_at.unwrap_or(manifest.fetched_at)).date()
        );
        let reports = public_reports::for_package(&self.inner.store, action.case).await?;
        let mark = self.inner.store.secrecy_of(action.case).await?.mark;
        let mut cover = serde_json::json!({
            "authority": self.inner.settings.authority,
            "case": action.case,
            "action": action.key,
            "received": manifest.created_at.unwrap_or(manifest.fetched_at),
            "subject": subject,
            "sender": &manifest.author,
            "direction": "incoming",
            "channel": manifest.platform,
            "account": manifest.account,
            "permalink": manifest.permalink,
            "ground": decision.as_ref().and_then(|d| d.ground).map(|g| g.label()),
            "decided_by": decision.as_ref().map(|d| d.by.clone()),
            "decided_at": decision.as_ref().map(|d| d.at),
            "note": decision.as_ref().and_then(|d| d.note.clone()),
            "said_to_be_secret": decision.as_ref().is_some_and(says_secret),
            "diary": {
                "policy": policy.name,
                "policy_sha256": decision.as_ref().and_then(|d| d.policy),
                "target": policy.duties.register.target.label(),
                "concerns_case": answered.and_then(|kept| kept.number.clone()),
                "rule": answered.map(|kept| kept.rule.clone()),
                "why": answered.map(|kept| kept.why.clone()),
            },
            "reports_from_the_public": reports,
            "evidence": { "manifest_sha256": manifest_hash, "log_seq": log_seq, "sealed_at": at },
        });
        if let (Some(mark), Some(cover)) = (mark, cover.as_object_mut()) {
            let told = marked_json(&mark, &self.inner.settings.authority);
            cover.insert("secrecy".to_owned(), told);
        }
        let beside = marks_beside(&self.inner.store, &row, manifest.holds_picture()).await?;
        if let (false, Some(cover)) = (beside.is_empty(), cover.as_object_mut()) {
            let authority = &self.inner.settings.authority;
            let marks: Vec<_> = beside.iter().map(|mark| marked_json(mark, authority)).collect();
            cover.insert("secrecy_beside".to_owned(), marks.into());
        }
        let cover =
            serde_json::to_vec_pretty(&cover).map_err(|e| ServiceError::broken("cover", e))?;
        files.push(("arende.json".into(), cover));
        let (store, evidence) = (&self.inner.store, &self.inner.evidence);
        let authority = &self.inner.settings.authority;
        if let Some(decision) = &decision {
            let told = Told::AsDecided(decision.at);
            let made = case_sheet(store, evidence, authority, action.case, told).await?;
            files.extend(made.map(|(sheet, _)| (case_sheet::NAME.into(), sheet)));
        }
        let dir = self.inner.settings.export_dir.clone();
        let write_name = name.clone();
        let write = move || -> io::Result<ContentHash> {
            let package = zip_of(&files)?;
            write_aside(&dir, &write_name, &package)?;
            Ok(ContentHash::of(&package))
        };
        let hash = tokio::task::spawn_blocking(write)
            .await
            .map_err(|e| ServiceError::broken("export", e))?
            .map_err(|e| ServiceError::broken("export", e))?;
        let now = self.inner.clock.now();
        let ways = self.inner.settings.diary.ways.clone();
        let store = &self.inner.store;
        store.record_export(action.id, action.case, name.clone(), hash, ways, now).await?;
        Ok(name)
    }

    /// The same as a delivery to an archive (E-ARK). One that is on record stays as it is: it may have been
    /// collected, and what has happened to the case since would make it another one.
    pub(super) async fn export_delivery(
        &self,
        action: &ActionRow,
        record: EvidenceId,
        form: &PackageForm,
    ) -> Result<String, ServiceError> {
        let name = format!("arende-{}-{}.zip", action.case, action.key);
        let path = self.inner.settings.export_dir.join(&name);
        let failed = |e: io::Error| ServiceError::broken("export", e);
        private::folder(&self.inner.settings.export_dir).map_err(failed)?;
        let inner = &self.inner;
        let known = inner.store.registrations_of(action.case).await?;
        if let Some(known) = known.into_iter().find(|known| known.package == name) {
            return match file_sum(path).await? {
                None => Ok(name),
                Some(hash) if hash == known.package_sha256 => Ok(name),
                Some(_) => Err(ServiceError::Damaged {
                    why: format!(
                        "Paketet {name} i exportmappen är inte det som antecknades när det skrevs. Ta bort det och hämta ett nytt ur beviset."
                    ),
                }),
            };
        }
        // In a folder of its own and then put in place, so that nobody collects half of it and none of an
        // earlier attempt vanishes before this one is there.
        let aside = inner.settings.export_dir.join(format!(".{}.part", action.key));
        match fs::remove_dir_all(&aside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        private::folder(&aside).map_err(failed)?;
        let written = aside.join(&name);
        let authority = &inner.settings.authority;
        let (store, evidence) = (&inner.store, &inner.evidence);
        // The registration is the event.
        packages::write(store, evidence, &[record], &written, authority, form, None).await?;
        let hash = file_sum(written.clone()).await?.ok_or_else(|| {
            ServiceError::broken("export", io::Error::from(io::ErrorKind::NotFound))
        })?;
        fs::rename(&written, &path).map_err(failed)?;
        fs::remove_dir(&aside).map_err(failed)?;
        let folder = File::open(&inner.settings.export_dir).map_err(failed)?;
        folder.sync_all().map_err(failed)?;
        let now = inner.clock.now();
        let ways = inner.settings.diary.ways.clone();
        inner.store.record_export(action.id, action.case, name.clone(), hash, ways, now).await?;
        Ok(name)
    }
}

/// SHA-256 of a file; nothing where there is none.
async fn file_sum(path: PathBuf) -> Result<Option<ContentHash>, ServiceError> {
    let sum = move || match File::open(&path) {
        Ok(file) => sink::sum(file).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    tokio::task::spawn_blocking(sum)
        .await
        .map_err(|e| ServiceError::broken("export", e))?
        .map_err(|e| ServiceError::broken("export", e))
}

/// A zip of named files. The same files always give the same bytes: no clock goes in.
pub(super) fn zip_of(files: &[(String, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    for (name, bytes) in files {
        writer.start_file(name.as_str(), options).map_err(io::Error::other)?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish().map_err(io::Error::other)?.into_inner())
}

/// Whoever collects the packages never sees a half-written one.
fn write_aside(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    private::folder(dir)?;
    let aside = dir.join(format!(".{name}.part"));
    let mut file = private::options().write(true).create(true).truncate(true).open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, dir.join(name))?;
    File::open(dir)?.sync_all()
}
