//! From an item up to the top of its thread.

use crate::platforms::error::PlatformError;

/// What stands above an item, the topmost first.
#[derive(Debug)]
pub struct Climbed<T> {
    pub above: Vec<T>,
    /// Why something is missing, in Swedish.
    pub missing: Option<String>,
}

/// Reads upwards from `first`. `read` gives what stands there and where to go on. Nobody reads a
/// thread deeper than `most`, and each level may cost a call.
pub async fn climb<I, T, F>(
    first: Option<I>,
    most: usize,
    gone: &str,
    mut read: impl FnMut(I) -> F,
) -> Result<Climbed<T>, PlatformError>
where
    F: Future<Output = Result<(T, Option<I>), PlatformError>>,
{
    let mut climbed = Climbed { above: Vec::new(), missing: None };
    let mut next = first;
    while let Some(place) = next.take() {
        if climbed.above.len() == most {
            climbed.missing = Some("tråden är djupare än vad som läses".into());
            break;
        }
        match read(place).await {
            Ok((found, above)) => {
                climbed.above.push(found);
                next = above;
            }
            Err(PlatformError::Gone) => climbed.missing = Some(gone.into()),
            Err(error) => return Err(error),
        }
    }
    climbed.above.reverse();
    Ok(climbed)
}
