//! What the frame makes of a platform that answers badly.

use std::sync::Mutex;

use super::*;
use crate::domain::ids::PlatformItemId;
use crate::platforms::capability;
use crate::platforms::testing::{NOW, at};
use crate::platforms::{Sought, held};
use crate::runtime::clock::TestClock;

/// A platform whose answer for many items some of them spoil.
struct Spoilt {
    clock: Clock,
    /// What makes a call fail, for a group or alone.
    bad: Vec<&'static str>,
    calls: Mutex<u32>,
}

fn transient() -> PlatformError {
    PlatformError::Transient { detail: "HTTP 500".into(), may_have_acted: false, retry_at: None }
}

#[async_trait]
impl Walks for Spoilt {
    type Position = ();
    type Step = ();

    fn begin(&self, _: &(), _: Timestamp) {}

    async fn step(
        &self,
        (): (),
        (): &mut (),
        _: &mut Batch,
        _: Timestamp,
    ) -> Result<Option<()>, PlatformError> {
        Ok(None)
    }
}

#[async_trait]
impl Connector for Spoilt {
    const KIND: PlatformKind = PlatformKind::Facebook;

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        let mut can = capability::of(PlatformKind::Facebook);
        can.read_batch = 25;
        Arc::new(can)
    }

    async fn check(&self) -> Result<ConnectionReport, PlatformError> {
        Err(transient())
    }

    async fn may_read_on(&self) -> Result<(), PlatformError> {
        Ok(())
    }

    async fn read(&self, item: &ItemAddress) -> Result<FetchedItem, PlatformError> {
        *held(&self.calls) += 1;
        if self.bad.contains(&item.platform_id.as_str()) {
            return Err(transient());
        }
        Ok(FetchedItem::new(item.platform_id.clone(), item.kind, "a", "{}"))
    }

    async fn read_several(&self, items: &[ItemAddress]) -> Result<Vec<FetchedItem>, PlatformError> {
        *held(&self.calls) += 1;
        if items.iter().any(|item| self.bad.contains(&item.platform_id.as_str())) {
            return Err(transient());
        }
        let item =
            |item: &ItemAddress| FetchedItem::new(item.platform_id.clone(), item.kind, "a", "{}");
        Ok(items.iter().map(item).collect())
    }

    async fn thread(&self, _: &ItemAddress) -> Result<Thread, PlatformError> {
        Err(transient())
    }

    async fn change(&self, _: &ItemAddress, _: Wanted) -> Result<Answered, PlatformError> {
        Err(transient())
    }

    async fn answer(&self, _: &ItemAddress, _: &str, _: &str) -> Result<Receipt, PlatformError> {
        Err(transient())
    }

    async fn own_answer(
        &self,
        _: &ItemAddress,
        _: &Sought<'_>,
    ) -> Result<Option<String>, PlatformError> {
        Err(transient())
    }
}

const IDS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];

fn items() -> Vec<ItemAddress> {
    let item = |id: &&str| {
        let id = PlatformItemId::new(*id);
        ItemAddress::from(&FetchedItem::new(id, ItemKind::Comment, "a", "{}"))
    };
    IDS.iter().map(item).collect()
}

fn spoilt(bad: Vec<&'static str>) -> Spoilt {
    Spoilt { clock: TestClock::at(at(NOW)).clock(), bad, calls: Mutex::new(0) }
}

#[tokio::test]
async fn one_item_that_spoils_a_group_keeps_no_other_from_being_read() {
    let platform = spoilt(vec!["3"]);
    let readings = platform.read_live_many(&items()).await.expect("the others");
    let read: Vec<_> = readings.iter().map(Result::is_ok).collect();
    assert_eq!(read, [true, true, false, true, true, true, true, true]);
}

#[tokio::test]
async fn a_platform_that_is_ill_is_left_alone() {
    let platform = spoilt(IDS.to_vec());
    let failed = platform.read_live_many(&items()).await;
    assert_eq!(failed.map(|_| ()), Err(transient()));
    assert!(*held(&platform.calls) < IDS.len() as u32, "{:?}", platform.calls);
}
