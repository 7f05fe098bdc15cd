//! How much of its limit an app has used, as its answers tell, for all accounts of the app alike
//! (`platforms` sheet, section 2.3).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use crate::platforms::held;

/// How long a usage figure is believed.
pub const HOLDS: SignedDuration = SignedDuration::from_mins(10);

/// How much of a limit is used, in per cent, and when that was told.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Option<(u32, Timestamp)>>);

impl Meter {
    /// Notes a figure, where one was told.
    pub fn note(&self, used: Option<u32>, at: Timestamp) {
        if let Some(used) = used {
            *held(&self.0) = Some((used, at));
        }
    }

    /// What it stood at, where that is still believed.
    pub fn read(&self, now: Timestamp) -> Option<(u32, Timestamp)> {
        let told = *held(&self.0);
        told.filter(|(_, at)| now.duration_since(*at) < HOLDS)
    }
}

/// The meters of all apps, so that accounts of one app share one.
#[derive(Clone, Debug, Default)]
pub struct Apps(Arc<Mutex<BTreeMap<String, Arc<Meter>>>>);

impl Apps {
    /// The meter of one app.
    pub fn of(&self, app: &str) -> Arc<Meter> {
        Arc::clone(held(&self.0).entry(app.to_owned()).or_default())
    }
}
