//! The classifier for a lexicon: from its compiled form where that is kept, else from the sources.
//!
//! What is kept is never more than a short cut. It is used only if it was made of exactly these
//! sources by exactly this program and is whole ([`compiled::decode`]); else the sources are
//! compiled, as if nothing had been there, and the file is written anew. A folder that cannot be
//! read or written costs time at every start and nothing else.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::classify::Classifier;
use crate::classify::lexicon::compiled::{self, Unusable};
use crate::classify::lexicon::{Lexicon, Source, SourcesHash};
use crate::domain::ids::ContentHash;
use crate::runtime::private;

/// The file's name for the built-in lexicon.
const BUILT_IN: &str = "lexicon.compiled";
/// What half-written files end with.
const HALF: &str = "tmp";
/// From then on, half-written files have been left behind by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(3_600);
/// No larger file is read, in bytes: forty times what the built-in lexicon takes.
const MOST_BYTES: u64 = 256 << 20;

/// Where the compiled form of the built-in lexicon is kept beside a database.
pub fn beside(database: &Path) -> Option<PathBuf> {
    database.parent().map(|folder| folder.join(BUILT_IN))
}

/// Where it is kept for somebody who runs a command: in the user's folder for what can be made
/// again (XDG Base Directory Specification). `sources` is the folder of a lexicon of one's own;
/// each has a file of its own. `env` answers for the environment.
pub fn of_user(sources: Option<&Path>, env: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    let name = match sources {
        None => BUILT_IN.to_owned(),
        Some(folder) => {
            let path = fs::canonicalize(folder).ok()?;
            let hash = ContentHash::of(path.as_os_str().as_encoded_bytes()).to_hex();
            format!("lexicon-{}.compiled", &hash[..16])
        }
    };
    Some(caches.join("uppsikt").join(name))
}

/// The classifier for these sources. `kept` is the file of its compiled form, if there may be one.
pub fn classifier(sources: &[Source], kept: Option<&Path>) -> Classifier {
    Classifier::new(match kept {
        None => Lexicon::compile(sources),
        Some(file) => lexicon(sources, file).0,
    })
}

/// Compiles these sources and keeps their compiled form. Whether it is kept from now on.
pub fn keep(sources: &[Source], file: &Path) -> bool {
    let hash = SourcesHash::of(sources);
    lexicon(sources, file);
    read(file, &hash).is_ok()
}

/// The one thread on which lexicons are read. An allocator keeps what is freed for the thread that it was made on: read
/// here and there, each change of rules would leave another lexicon's room behind.
#[derive(Clone, Debug)]
pub struct Loader(std::sync::mpsc::Sender<Box<dyn FnOnce() + Send>>);

impl Loader {
    /// Starts the thread. It ends with the last handle.
    ///
    /// # Errors
    /// [`io::Error`] where the system gives no thread.
    pub fn start() -> io::Result<Self> {
        let (to, wanted) = std::sync::mpsc::channel::<Box<dyn FnOnce() + Send>>();
        let work = move || wanted.into_iter().for_each(|work| work());
        std::thread::Builder::new().name("lexikon".into()).spawn(work)?;
        Ok(Self(to))
    }

    /// Does some work there.
    ///
    /// # Errors
    /// [`io::Error`] where the thread has died.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (done, answer) = tokio::sync::oneshot::channel();
        let work = move || {
            if let Ok(value) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                // Whoever asked may have gone.
                drop(done.send(value));
            }
        };
        let gone = |_| io::Error::other("reading a lexicon broke off");
        self.0.send(Box::new(work)).map_err(|_| io::Error::other("no thread reads lexicons"))?;
        answer.await.map_err(gone)
    }
}

/// Where a lexicon came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Sources,
    Kept,
}

/// Why the kept form was not used.
#[derive(Debug, thiserror::Error)]
enum NotUsed {
    /// The file cannot be read, most often since there is none.
    #[error("the file cannot be read")]
    File(#[from] io::Error),
    /// What it holds is of no use.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

fn lexicon(sources: &[Source], file: &Path) -> (Lexicon, From) {
    let hash = SourcesHash::of(sources);
    match read(file, &hash) {
        Ok(lexicon) => return (lexicon, From::Kept),
        Err(NotUsed::File(error)) if error.kind() == io::ErrorKind::NotFound => {}
        Err(why) => {
            let why = &why as &dyn std::error::Error;
            tracing::info!(path = %file.display(), why, "compiling the lexicon anew");
        }
    }
    let lexicon = Lexicon::compile(sources);
    if let Err(error) = write(file, &compiled::encode(&lexicon, &hash)) {
        let error = &error as &dyn std::error::Error;
        tracing::info!(path = %file.display(), error, "the compiled lexicon could not be kept");
    }
    (lexicon, From::Sources)
}

fn read(file: &Path, hash: &SourcesHash) -> Result<Lexicon, NotUsed> {
    let found = fs::metadata(file)?;
    if !found.is_file() || found.len() > MOST_BYTES {
        return Err(Unusable::Foreign.into());
    }
    Ok(compiled::decode(&fs::read(file)?, hash)?)
}

/// Writes the file aside and moves it into its place, so that nobody ever reads half of it.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
    private::folder(folder)?;
    let aside = file.with_extension(format!("{}.{HALF}", uuid::Uuid::new_v4().simple()));
    let written = private::options()
        .write(true)
        .create_new(true)
        .open(&aside)
        .and_then(|mut half| half.write_all(bytes))
        .and_then(|()| fs::rename(&aside, file));
    if written.is_err() {
        // Of the two errors the first says what is wrong.
        let _ = fs::remove_file(&aside);
    }
    written?;
    sweep(folder, fs::metadata(file)?.modified()?)
}

/// Removes what processes that were killed left behind.
fn sweep(folder: &Path, now: std::time::SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_half = path.extension().is_some_and(|e| e == HALF)
            && path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("lexicon"));
        if is_half
            && let Ok(modified) = fs::metadata(&path).and_then(|found| found.modified())
            && now.duration_since(modified).is_ok_and(|age| age > LEFT_BEHIND)
        {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
