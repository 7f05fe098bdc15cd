//! The evidence sheet (*bevisblad*) as PDF/A and PNG.

use crate::domain::evidence::{RenderedSheet, SheetContent};

/// The sheet could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The program was built without the `pdf` feature.
    #[error("this build cannot render sheets: it was made without the pdf feature")]
    NotBuiltIn,
}

/// Renders the sheet.
///
/// # Errors
/// See [`SheetError`].
pub fn render(_content: &SheetContent) -> Result<RenderedSheet, SheetError> {
    Err(SheetError::NotBuiltIn)
}
