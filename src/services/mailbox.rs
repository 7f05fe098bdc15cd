//! The mailbox for reports from the public: a folder that the authority's mail server, or `uppsikt intake mail`, puts
//! whole messages into. Each becomes a report as those of the form do, and is then moved beside: nothing is deleted,
//! and what cannot be taken now stays until it can.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::domain::ids::ContentHash;
use crate::formats::report_mail::{self, Mail};
use crate::runtime::private;

use super::public_reports::Answer;
use super::{ServiceError, Services};

/// The largest mail that is read: pictures hang on it, and none of them is taken in.
const MOST_BYTES: u64 = 25 * 1024 * 1024;
/// So many in one round: other work waits for it.
const AT_ONCE: usize = 20;
/// Where mails go that became reports.
const READ: &str = "lästa";
/// Where answers of machines go.
const AUTOMATIC: &str = "automatiska";
/// Where those go that a person has to look at.
const FAULTY: &str = "fel";

/// Messages that lie there whole, by name: whoever writes one names it so only when it is whole, as maildirs do.
fn waiting(folder: &Path) -> io::Result<Vec<PathBuf>> {
    private::folder(folder)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let is_whole =
            !name.starts_with('.') && !name.ends_with(".tmp") && !name.ends_with(".part");
        // Of the entry itself: a link leads to what somebody else chose.
        if is_whole && entry.metadata()?.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    found.truncate(AT_ONCE);
    Ok(found)
}

fn read_bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MOST_BYTES).then_some(bytes))
}

/// Moves a message beside, under a name that nothing has yet.
fn put_away(path: &Path, folder: &str, now: Timestamp) -> io::Result<()> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let name = path.file_name().ok_or_else(missing)?.to_string_lossy().into_owned();
    let folder = path.parent().ok_or_else(missing)?.join(folder);
    private::folder(&folder)?;
    let mut target = folder.join(&name);
    if target.exists() {
        target = folder.join(format!("{}-{name}", now.as_millisecond()));
    }
    fs::rename(path, target)
}

/// Puts a message into the folder, whole or not at all, under the name that its content gives: the same twice is one.
///
/// # Errors
/// What the disk says; whoever sends is to try again.
pub fn drop_in(folder: &Path, message: &[u8]) -> io::Result<PathBuf> {
    private::folder(folder)?;
    let name = ContentHash::of(message).to_hex();
    let (aside, path) = (folder.join(format!(".{name}.part")), folder.join(format!("{name}.eml")));
    let mut file = private::options().write(true).create(true).truncate(true).open(&aside)?;
    io::Write::write_all(&mut file, message)?;
    file.sync_all()?;
    fs::rename(&aside, &path)?;
    fs::File::open(folder)?.sync_all()?;
    Ok(path)
}

/// What became of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Became reports, or were there already.
    pub reports: usize,
    /// Written by machines.
    pub automatic: usize,
    /// A person has to look at them.
    pub faulty: usize,
    /// Stay until there is room.
    pub left: usize,
}

impl Services {
    /// Reads what lies in the mailbox's folder.
    ///
    /// # Errors
    /// [`ServiceError::Broken`] where the folder cannot be read; what is left goes the next time.
    pub async fn read_mailbox(&self) -> Result<Round, ServiceError> {
        let mut round = Round::default();
        let bounds = self.public_reporting().and_then(|bounds| bounds.mailbox.clone());
        let Some(folder) = bounds else { return Ok(round) };
        let broken = |e: io::Error| ServiceError::broken("reading of the mailbox", e);
        let joined = |e| ServiceError::broken("reading of the mailbox", e);
        let found = tokio::task::spawn_blocking(move || waiting(&folder)).await.map_err(joined)?;
        let now = self.inner.clock.now();
        for path in found.map_err(broken)? {
            let from = path.clone();
            let read = move || {
                read_bounded(&from)
                    .map(|bytes| bytes.map(|b| (ContentHash::of(&b), report_mail::read(&b))))
            };
            let read = match tokio::task::spawn_blocking(read).await.map_err(joined)? {
                Ok(read) => read,
                // Taken away since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    // It keeps none of those after it from being read.
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a message in the mailbox cannot be read"
                    );
                    round.left += 1;
                    continue;
                }
            };
            let (hash, to) = match read {
                Some((hash, Mail::Report(told))) => {
                    match self.keep_report(told.link, told.reason, told.contact).await? {
                        Answer::Taken(_) => {
                            round.reports += 1;
                            (hash, READ)
                        }
                        Answer::Full => {
                            round.left += 1;
                            continue;
                        }
                        Answer::Faulty(_) => (hash, FAULTY),
                    }
                }
                Some((hash, Mail::Automatic)) => {
                    round.automatic += 1;
                    (hash, AUTOMATIC)
                }
                Some((hash, Mail::Unreadable)) => (hash, FAULTY),
                None => (ContentHash::of(path.to_string_lossy().as_bytes()), FAULTY),
            };
            if to == FAULTY {
                round.faulty += 1;
                let problem = format!(
                    "Brevet är för stort (över 25 MB) eller saknar läsbar text. Det ligger i mappen {FAULTY} och är en inkommen handling: läs det och lägg in anmälan för hand."
                );
                // Before it goes: whoever finds it again after a crash tells the same, once.
                let key = format!("report mail {}", hash.to_hex());
                let subject = "Ett brev till anmälningarnas brevlåda kunde inte läsas".to_owned();
                self.inner.store.tell_unread_mail(key, subject, problem, now).await?;
            }
            tokio::task::spawn_blocking(move || put_away(&path, to, now))
                .await
                .map_err(joined)?
                .map_err(broken)?;
        }
        if round != Round::default() {
            tracing::info!(
                reports = round.reports,
                automatic = round.automatic,
                faulty = round.faulty,
                left = round.left,
                "the mailbox for reports was read"
            );
        }
        Ok(round)
    }
}
