//! Places that nobody but a person can reach: Snapchat, a closed group, a telephone picture, a
//! letter. Items are recorded by an editor; nothing is fetched, and every act is the person's own.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::account::PlatformKind;
use crate::domain::ids::Cursor;
use crate::domain::item::{Batch, LiveReading, Thread, Walk};
use crate::evidence::warrant::{ItemAddress, RemovalWarrant};
use crate::platforms::capability::{self, Capabilities};
use crate::platforms::error::PlatformError;
use crate::platforms::{ConnectionReport, Platform, Receipt, Sought};

const NOT_READABLE: &str = "inlägget är inlagt för hand; det som gäller är vad en person har sett";

/// A place whose items are recorded by hand.
#[derive(Debug)]
pub struct Manual {
    capabilities: Arc<Capabilities>,
}

impl Manual {
    /// Any such place.
    pub fn new() -> Self {
        Self { capabilities: Arc::new(capability::of(PlatformKind::Manual)) }
    }
}

impl Default for Manual {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Platform for Manual {
    fn kind(&self) -> PlatformKind {
        PlatformKind::Manual
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        let acting_as = "den som lägger in".to_owned();
        Ok(ConnectionReport { acting_as, missing: Vec::new(), expires_at: None })
    }

    async fn fetch(
        &self,
        _cursor: Option<&Cursor>,
        _walk: Option<&Walk>,
    ) -> Result<Batch, PlatformError> {
        Ok(Batch::default())
    }

    async fn read_live(&self, _item: &ItemAddress) -> Result<LiveReading, PlatformError> {
        Ok(LiveReading::NotReadable { why: NOT_READABLE })
    }

    async fn read_live_many(
        &self,
        items: &[ItemAddress],
    ) -> Result<Vec<Result<LiveReading, PlatformError>>, PlatformError> {
        Ok(items.iter().map(|_| Ok(LiveReading::NotReadable { why: NOT_READABLE })).collect())
    }

    async fn read_thread(&self, _item: &ItemAddress) -> Result<Thread, PlatformError> {
        Ok(Thread::default())
    }

    async fn hide(&self, _warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("hide")
    }

    async fn delete(&self, _warrant: RemovalWarrant) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("delete")
    }

    async fn unhide(&self, _item: &ItemAddress) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("unhide")
    }

    async fn reply(
        &self,
        _item: &ItemAddress,
        _text: &str,
        _key: &str,
    ) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("reply")
    }

    async fn find_reply(
        &self,
        _item: &ItemAddress,
        _sought: &Sought<'_>,
    ) -> Result<Option<Receipt>, PlatformError> {
        Ok(None)
    }

    async fn report(&self, _item: &ItemAddress, _reason: &str) -> Result<Receipt, PlatformError> {
        PlatformError::not_offered("report")
    }
}
