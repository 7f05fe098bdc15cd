//! The one serialisation that hashes are taken of.

use serde::Serialize;

/// The value does not serialise.
#[derive(Debug, thiserror::Error)]
#[error("the value has no canonical json")]
pub struct CanonicalError(#[source] serde_json::Error);

/// Canonical JSON as bytes.
///
/// # Errors
/// [`CanonicalError`].
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let value = serde_json::to_value(value).map_err(CanonicalError)?;
    serde_json::to_vec(&value).map_err(CanonicalError)
}
