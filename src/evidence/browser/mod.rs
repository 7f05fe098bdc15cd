//! Stand-in until the browser is merged.
/// x
#[derive(Debug, Clone)]
pub struct Browser;
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
        String::new()
    }
}
impl Browser {
    /// x
    pub async fn capture(&self, _r: &CaptureRequest) -> Result<Screenshot, CaptureError> {
        Err(CaptureError)
    }
}
