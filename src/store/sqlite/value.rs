//! Values of the domain as columns, and back. What cannot be read is an error, never a guess.

use jiff::Timestamp;
use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::ids::ContentHash;
use crate::store::error::StoreError;
use crate::store::rows::Readable;

/// An instant as a column: UTC milliseconds.
pub(in crate::store) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A column of milliseconds as an instant.
pub(in crate::store) fn at(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|_| StoreError::row("time", ms))
}

/// An optional column of milliseconds.
pub(in crate::store) fn maybe_at(ms: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    ms.map(at).transpose()
}

/// A value as JSON text.
pub(in crate::store) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::row("json", e))
}

/// JSON text as a value. The error names table and place, never the content.
pub(in crate::store) fn from_json<T: DeserializeOwned>(
    table: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|e| StoreError::row(table, format!("line {} column {}", e.line(), e.column())))
}

/// A column of 32 bytes as a hash.
pub(in crate::store) fn hash(table: &'static str, bytes: &[u8]) -> Result<ContentHash, StoreError> {
    let digest: [u8; 32] =
        bytes.try_into().map_err(|_| StoreError::row(table, "a hash of the wrong length"))?;
    Ok(ContentHash::new(digest))
}

/// Reads all rows of a query with a function that may refuse a row.
pub(in crate::store) fn rows<T>(
    statement: &mut rusqlite::CachedStatement<'_>,
    parameters: impl rusqlite::Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = statement.query(parameters)?;
    let mut values = Vec::new();
    while let Some(row) = found.next()? {
        values.push(read(row)?);
    }
    Ok(values)
}

/// Reads all rows of a query of which the first column is the number; one that cannot be read keeps
/// none of the others from being so.
pub(in crate::store) fn each_row<T>(
    statement: &mut rusqlite::CachedStatement<'_>,
    parameters: impl rusqlite::Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<Readable<T>>, StoreError> {
    let mut found = statement.query(parameters)?;
    let mut values = Vec::new();
    while let Some(row) = found.next()? {
        let value = match read(row) {
            Ok(value) => Some(value),
            Err(StoreError::Row { .. }) => None,
            Err(error) => return Err(error),
        };
        values.push(Readable { id: row.get(0)?, value });
    }
    Ok(values)
}

/// Reads the one row of a query, if there is one.
pub(in crate::store) fn maybe_row<T>(
    statement: &mut rusqlite::CachedStatement<'_>,
    parameters: impl rusqlite::Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut found = statement.query(parameters)?;
    match found.next()? {
        Some(row) => read(row).map(Some),
        None => Ok(None),
    }
}
