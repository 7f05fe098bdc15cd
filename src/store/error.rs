//! What can go wrong in the store, by what a caller can do about it.

use std::path::PathBuf;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such row.
    #[error("there is no {what}")]
    NotFound {
        /// What was asked for.
        what: &'static str,
    },
    /// Somebody else changed the row first: read again and decide anew.
    #[error("{what} has been changed by somebody else")]
    Conflict {
        /// What was to be changed.
        what: &'static str,
    },
    /// The rules of the trade do not allow it in the present state.
    #[error("not allowed now: {why}")]
    Refused {
        /// Why, in Swedish, for the person.
        why: String,
    },
    /// The disk is full or not writable; nothing was changed.
    #[error("the database cannot be written: the disk is full or read-only")]
    NotWritable(#[source] rusqlite::Error),
    /// The database was made by a newer version of the program.
    #[error(
        "the database {path} was made by a newer version: start that version, or restore an older copy"
    )]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// The database cannot be opened.
    #[error("the database {path} cannot be opened")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The schema cannot be brought up to date.
    #[error("the database {path} cannot be upgraded")]
    Upgrade {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite_migration::Error,
    },
    /// The secret beside the database can be neither read nor made.
    #[error("the secret {path} beside the database cannot be read or made")]
    Secret {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A row holds something that this version cannot read.
    #[error("a row of {table} cannot be read: {what}")]
    Row {
        /// Which table.
        table: &'static str,
        /// What was found, without content.
        what: String,
    },
    /// Any other error of the database.
    #[error("the database refused")]
    Database(#[source] rusqlite::Error),
    /// The writing or reading thread is gone: the program is stopping.
    #[error("the store is closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        // What stands in a cell, rather than the database: the texts name kind and column alone.
        if matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
        ) {
            return Self::row("the database", error);
        }
        match error.sqlite_error_code() {
            Some(Code::DiskFull | Code::ReadOnly | Code::SystemIoFailure | Code::CannotOpen) => {
                Self::NotWritable(error)
            }
            _ => Self::Database(error),
        }
    }
}

impl StoreError {
    /// A commit that was cut off by whoever watches the disk.
    pub(super) fn cut_off(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull => {
                let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
                Self::NotWritable(rusqlite::Error::SqliteFailure(full, None))
            }
            _ => Self::Closed,
        }
    }

    /// A row that cannot be read.
    pub(super) fn row(table: &'static str, what: impl std::fmt::Display) -> Self {
        Self::Row { table, what: what.to_string() }
    }
}
