//! The clock is a parameter, so that tests own time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Tells the time. Cheap to clone; everybody who needs the time holds one.
#[derive(Clone)]
pub struct Clock(Arc<dyn ReadClock>);

trait ReadClock: Send + Sync {
    fn now(&self) -> Timestamp;
}

struct SystemClock;

impl ReadClock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until a test moves it.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl ReadClock for TestClock {
    fn now(&self) -> Timestamp {
        // Only valid instants are ever stored.
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl TestClock {
    /// A clock that says `at`, to the millisecond.
    pub fn at(at: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(at.as_millisecond())))
    }

    /// Moves it forward.
    pub fn advance(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(by, Ordering::SeqCst);
    }

    /// The clock to hand to the program.
    pub fn clock(&self) -> Clock {
        Clock(Arc::new(self.clone()))
    }
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Arc::new(SystemClock))
    }

    /// Now, in whole milliseconds: what the store can hold.
    pub fn now(&self) -> Timestamp {
        let now = self.0.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
