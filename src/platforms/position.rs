//! What connectors remember, as text: the stored cursor and the unstored walk.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::ids::Cursor;
use crate::domain::item::Walk;
use crate::platforms::error::PlatformError;
use crate::platforms::json;

/// The remembered position. A cursor that cannot be read begins from the start: twice is
/// harmless, never is not.
pub fn read<T: DeserializeOwned + Default>(platform: &str, cursor: Option<&Cursor>) -> T {
    let Some(cursor) = cursor else { return T::default() };
    serde_json::from_str(cursor.as_str()).unwrap_or_else(|error| {
        tracing::warn!(
            platform,
            error = json::place(&error),
            "cursor not understood, fetching from the start"
        );
        T::default()
    })
}

/// Where a walk stands.
pub fn step<T: DeserializeOwned>(walk: &Walk) -> Result<T, PlatformError> {
    serde_json::from_str(walk.as_str()).map_err(|error| PlatformError::Contract {
        detail: format!("not a walk of this connector: {}", json::place(&error)),
    })
}

/// A position or step as text.
pub fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain structs with text keys serialize")
}

/// Whether `every` has passed since `last`.
pub fn is_due(last: Option<Timestamp>, every: SignedDuration, now: Timestamp) -> bool {
    last.is_none_or(|last| now.duration_since(last) >= every)
}
