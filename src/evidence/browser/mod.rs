//! Stand-in until the browser is merged.
use crate::runtime::clock::Clock;
use std::path::PathBuf;
use std::time::Duration;
/// x
#[derive(Debug, Clone)]
pub struct Browser;
/// x
#[derive(Debug, Clone, Default)]
pub struct BrowserSettings {
    pub executable: Option<PathBuf>,
    pub capture_limit: Duration,
}
/// x
pub struct CaptureRequest {
    pub url: String,
    pub anchor: Option<String>,
    pub allow_private: bool,
}
/// x
pub struct Screenshot {
    pub png: Vec<u8>,
    pub method: String,
}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct CaptureError;
impl CaptureError {
    /// x
    pub fn swedish(&self) -> String {
        "Ingen webbläsare.".into()
    }
}
impl Browser {
    /// x
    pub fn new(_s: BrowserSettings, _c: Clock) -> Self {
        Self
    }
    /// x
    pub fn executable(&self) -> Result<PathBuf, CaptureError> {
        Err(CaptureError)
    }
    /// x
    pub async fn capture(&self, _r: CaptureRequest) -> Result<Screenshot, CaptureError> {
        Err(CaptureError)
    }
    /// x
    pub async fn stop(&self) {}
}
