//! Stand-in until the classifier's own masking is merged.

/// The text.
pub fn masked(text: &str) -> String {
    text.to_owned()
}
