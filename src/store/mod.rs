//! All SQL, behind methods named by intent.
//!
//! One thread writes, a few connections read. Every writing method is one transaction that is
//! durable when the method returns; a caller that goes away does not stop a write already sent.
//! The methods are grouped by subject in the files of [`sqlite`].

pub mod anchors;
pub mod error;
pub mod facts;
pub mod handed;
pub mod keeping;
pub mod queue;
pub mod rows;
pub mod sqlite;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::runtime::disk::Disk;

use error::StoreError;
use sqlite::readers::Readers;
use sqlite::veil::Veil;
use sqlite::writer::Writer;

/// Where the database lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The database file; made where there is none.
    pub path: PathBuf,
}

/// How a database file lies there, looked at without changing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// There is one.
    pub exists: bool,
    /// Steps that bring it up to date, which opening it takes.
    pub pending: u64,
    /// The newest moment that it knows of: log, audit log, the machine's rounds.
    pub last_seen: Option<jiff::Timestamp>,
}

/// Handle to the store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    readers: Readers,
    path: PathBuf,
    veil: Veil,
}

impl Store {
    /// How a database file lies there. Changes nothing, and makes none.
    ///
    /// # Errors
    /// [`StoreError`] where there is one that cannot be read.
    pub fn condition(path: &Path) -> Result<Condition, StoreError> {
        sqlite::open::condition(path)
    }

    /// Opens the database, makes or upgrades its schema, starts the writing thread.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Upgrade`], [`StoreError::Newer`], [`StoreError::Secret`].
    pub fn open(settings: &Settings) -> Result<Self, StoreError> {
        Self::open_on(settings, Disk::default())
    }

    /// The same with every commit watched, for tests.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(settings: &Settings, disk: Disk) -> Result<Self, StoreError> {
        let path = settings.path.clone();
        let mut writing = sqlite::open::for_writing(&path)?;
        sqlite::tree::take_in_older(&mut writing)?;
        sqlite::search::take_in(&mut writing)?;
        let readers = Readers::open(&path)?;
        let secret = sqlite::veil::path(&path);
        let veil = Veil::open(&secret)
            .map_err(|source| StoreError::Secret { path: secret.clone(), source })?;
        let writer = Writer::start(writing, disk);
        Ok(Self { inner: Arc::new(Inner { writer, readers, path, veil }) })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Whether the last write could be written: not where it found the disk full or read-only.
    pub fn is_writable(&self) -> bool {
        self.inner.writer.is_writable()
    }

    /// What numbers for persons are covered with.
    fn veil(&self) -> Veil {
        self.inner.veil.clone()
    }

    /// Runs one transaction on the writing thread.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.inner.writer.run(work).await
    }

    /// Runs a query on a reading connection.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.inner.readers.run(work).await
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.inner.path).finish_non_exhaustive()
    }
}
