//! The steps by which something comes to lie on the disk: each can be watched, so that tests can end
//! the program, or fill the disk, before and after every one of them.

use std::io;
use std::path::Path;
use std::sync::Arc;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Bytes are written to a file.
    Write,
    /// They are made durable.
    Sync,
    /// A file gets its name.
    Rename,
    /// Names in a folder are made durable.
    SyncFolder,
    /// A file is removed.
    Remove,
    /// The database commits.
    Commit,
}

/// When, around a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// Before it.
    Before,
    /// After it.
    After,
}

/// Told of every step.
pub trait Watch: Send + Sync {
    /// May end the work by an error: before the step it is not taken, after it it is, and whoever
    /// asked for it does not hear so.
    ///
    /// # Errors
    /// What the step is to fail with.
    fn at(&self, step: Step, moment: Moment, path: &Path) -> io::Result<()>;
}

/// Takes the steps.
#[derive(Clone, Default)]
pub struct Disk {
    watch: Option<Arc<dyn Watch>>,
}

impl Disk {
    /// A disk whose every step is watched.
    pub fn watched(watch: Arc<dyn Watch>) -> Self {
        Self { watch: Some(watch) }
    }

    /// Takes a step.
    ///
    /// # Errors
    /// Those of the work, and those of the watch.
    pub fn step<T>(
        &self,
        step: Step,
        path: &Path,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        self.before(step, path)?;
        let done = work()?;
        self.after(step, path)?;
        Ok(done)
    }

    /// That a step is about to be taken.
    ///
    /// # Errors
    /// Those of the watch.
    pub fn before(&self, step: Step, path: &Path) -> io::Result<()> {
        self.watch.as_ref().map_or(Ok(()), |watch| watch.at(step, Moment::Before, path))
    }

    /// That a step was taken.
    ///
    /// # Errors
    /// Those of the watch.
    pub fn after(&self, step: Step, path: &Path) -> io::Result<()> {
        self.watch.as_ref().map_or(Ok(()), |watch| watch.at(step, Moment::After, path))
    }
}

impl PartialEq for Disk {
    fn eq(&self, other: &Self) -> bool {
        match (&self.watch, &other.watch) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
}

impl Eq for Disk {}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("is_watched", &self.watch.is_some()).finish()
    }
}
