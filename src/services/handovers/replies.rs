//! Answers of the diary system: a folder of files, or the body of a call, with lines of reference and number.
//!
//! A file is read when it has looked the same for a while, so that none is read half-written; names that begin with
//! a full stop or end in `.part` or `.tmp` are somebody's work in hand. When it has been read it goes to `lästa`,
//! or to `fel` with a list of what could not be used. Reading one twice changes nothing, so a crash between
//! costs nothing.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};

use crate::domain::handover::{BadReply, read_replies};
use crate::domain::ids::ContentHash;
use crate::domain::registration::parse_diary_number;
use crate::runtime::private;
use crate::services::corrections::NOT_A_NUMBER;
use crate::services::{Change, ServiceError, Services};
use crate::store::sqlite::handovers::NumberCame;

use super::Handovers;

/// How long a file has to look the same.
const STILL: SignedDuration = SignedDuration::from_secs(5);
/// The largest file that is read.
const MOST_BYTES: u64 = 5 * 1024 * 1024;
/// Files in one round.
const AT_ONCE: usize = 20;
/// Bad lines that a task names.
const NAMED: usize = 5;
/// Where a file goes that was read whole.
const READ: &str = "lästa";
/// Where a file goes of which something could not be used.
const FAULTY: &str = "fel";

/// What became of the lines of an answer.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Numbers that were entered.
    pub(super) n_entered: usize,
    /// Numbers that stood there already.
    pub(super) n_known: usize,
    /// Lines that could not be used.
    pub(super) bad: Vec<BadReply>,
}

impl Services {
    /// Enters a number that the diary gave; one that cannot be entered is a task.
    pub(super) async fn take_number(
        &self,
        reference: String,
        number: &str,
        by: String,
    ) -> Result<(), ServiceError> {
        let told = format!("{reference};{number}");
        let taken = self.take_replies(told.as_bytes(), &by).await?;
        if let Some(bad) = taken.bad.first() {
            let key = format!("diary reply {}", ContentHash::of(told.as_bytes()).to_hex());
            let subject = "Diariesystemet gav ett nummer som inte kan användas".to_owned();
            let (now, store) = (self.inner.clock.now(), &self.inner.store);
            store.tell_bad_replies(key, subject, bad.why.clone(), now).await?;
        }
        Ok(())
    }

    /// Enters what an answer holds. `by` says how it came.
    pub(super) async fn take_replies(&self, bytes: &[u8], by: &str) -> Result<Taken, ServiceError> {
        let (replies, bad) = read_replies(&text_of(bytes));
        let mut taken = Taken { bad, ..Taken::default() };
        let mut cases = Vec::new();
        for (line, reply) in replies {
            let Ok(number) = parse_diary_number(&reply.diary_number) else {
                taken.bad.push(BadReply { line, why: NOT_A_NUMBER.into() });
                continue;
            };
            let (store, now) = (&self.inner.store, self.inner.clock.now());
            match store.number_came(reply.reference, number, by.to_owned(), now).await? {
                NumberCame::Entered(case) => {
                    taken.n_entered += 1;
                    cases.push(case);
                }
                NumberCame::Known => taken.n_known += 1,
                NumberCame::Refused(why) => taken.bad.push(BadReply { line, why }),
            }
        }
        taken.bad.sort_by_key(|bad| bad.line);
        if !cases.is_empty() {
            self.note_log().await;
        }
        for case in cases {
            self.tell(Change::Case(case));
        }
        Ok(taken)
    }
}

/// UTF-8, or what older systems write: Latin-1, in which every byte is a character.
fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Files that may be answers, each with size and time, by name.
fn waiting(folder: &Path) -> io::Result<Vec<(PathBuf, u64, SystemTime)>> {
    private::folder(folder)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let is_answer = !name.starts_with('.')
            && [".csv", ".json", ".jsonl", ".txt"].iter().any(|ending| name.ends_with(ending));
        // Of the entry itself: a link leads to what somebody else chose.
        let about = entry.metadata()?;
        if is_answer && about.is_file() {
            found.push((path, about.len(), about.modified()?));
        }
    }
    found.sort();
    Ok(found)
}

fn read_bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MOST_BYTES).then_some(bytes))
}

/// Moves a file beside, under a name that nothing has yet, and lays a list of faults beside it.
fn put_away(path: &Path, folder: &str, faults: Option<&str>, now: Timestamp) -> io::Result<()> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let name = path.file_name().ok_or_else(missing)?.to_string_lossy().into_owned();
    let folder = path.parent().ok_or_else(missing)?.join(folder);
    private::folder(&folder)?;
    let mut target = folder.join(&name);
    if target.exists() {
        target = folder.join(format!("{}-{name}", now.as_millisecond()));
    }
    if let Some(faults) = faults {
        let list = format!("{}.fel.txt", target.display());
        let mut file = private::options().write(true).create(true).truncate(true).open(list)?;
        io::Write::write_all(&mut file, faults.as_bytes())?;
    }
    fs::rename(path, target)
}

impl Handovers {
    /// Reads what lies in the folder of answers and has come to rest.
    pub(super) async fn read_replies(&self) -> Result<(), ServiceError> {
        let Some(folder) = self.settings.replies.clone() else { return Ok(()) };
        let broken = |e| ServiceError::broken("reading of the diary's answers", e);
        let found = tokio::task::spawn_blocking(move || waiting(&folder));
        let found = found.await.map_err(|e| ServiceError::broken("reading", e))?.map_err(broken)?;
        // One that cannot be read keeps none of the others.
        let mut first = Ok(());
        for path in self.still(found) {
            first = first.and(self.read_reply(path).await);
        }
        first
    }

    /// Those that look as they did a while ago; the others are remembered.
    fn still(&self, found: Vec<(PathBuf, u64, SystemTime)>) -> Vec<PathBuf> {
        let now = self.services.inner.clock.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *seen);
        let mut ready = Vec::new();
        for (path, size, written) in found {
            let since = match before.get(&path) {
                Some((s, w, since)) if (*s, *w) == (size, written) => *since,
                Some(_) | None => now,
            };
            if now.duration_since(since) >= STILL && ready.len() < AT_ONCE {
                ready.push(path.clone());
            }
            seen.insert(path, (size, written, since));
        }
        ready
    }

    async fn read_reply(&self, path: PathBuf) -> Result<(), ServiceError> {
        let broken = |e: io::Error| ServiceError::broken("reading of the diary's answers", e);
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let from = path.clone();
        let bytes = tokio::task::spawn_blocking(move || read_bounded(&from))
            .await
            .map_err(|e| ServiceError::broken("reading", e))?
            .map_err(broken)?;
        let (hash, taken) = match bytes {
            Some(bytes) => {
                let by = format!("svarsfil {name}");
                (ContentHash::of(&bytes), self.services.take_replies(&bytes, &by).await?)
            }
            None => {
                let why = "Filen är för stor: högst 5 MB läses.".to_owned();
                let bad = vec![BadReply { line: 1, why }];
                (ContentHash::of(name.as_bytes()), Taken { bad, ..Taken::default() })
            }
        };
        tracing::info!(
            entered = taken.n_entered,
            known = taken.n_known,
            bad = taken.bad.len(),
            "an answer of the diary was read"
        );
        let list: Vec<_> =
            taken.bad.iter().map(|bad| format!("Rad {}: {}", bad.line, bad.why)).collect();
        let now = self.services.inner.clock.now();
        if !list.is_empty() {
            let more = list.len().saturating_sub(NAMED);
            let mut problem = list.iter().take(NAMED).cloned().collect::<Vec<_>>().join(" ");
            if more > 0 {
                problem.push_str(&format!(" Och {more} rader till."));
            }
            problem.push_str(&format!(" Filen ligger i mappen {FAULTY} med en lista över felen."));
            // Before the file goes: whoever finds it again after a crash tells the same, once.
            let key = format!("diary reply {name} {}", hash.to_hex());
            let subject = format!("Det finns rader i svarsfilen {name} som inte kunde användas");
            self.services.inner.store.tell_bad_replies(key, subject, problem, now).await?;
        }
        let folder = if list.is_empty() { READ } else { FAULTY };
        let faults = (!list.is_empty()).then(|| format!("{}\n", list.join("\n")));
        tokio::task::spawn_blocking(move || put_away(&path, folder, faults.as_deref(), now))
            .await
            .map_err(|e| ServiceError::broken("reading", e))?
            .map_err(broken)
    }
}
