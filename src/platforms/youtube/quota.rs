//! What one Google project may use of the interface in a day, shared by all its channels
//! (`platforms` sheet, section 5.6).
//!
//! No answer tells what is left, so it is counted here: before a call goes out, so that none goes
//! out that the day has no room for. Reading is spread over the day, and a part is kept for what
//! editors do. What a channel has used is stored with its position, so that a restart at noon does
//! not begin the day anew.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::held;

/// One unit in so many is kept for acts.
const KEPT_FOR_ACTS: u32 = 5;

/// One in so many of what reading may use is there from the start of the day, for long lists.
const AT_ONCE: u32 = 4;

const DAY_S: i64 = 24 * 60 * 60;

/// What one channel has used of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The end of that day.
    pub until: Option<Timestamp>,
    pub units: u32,
}

/// The account of one project.
#[derive(Debug)]
pub struct Quota {
    per_day: u32,
    zone: TimeZone,
    day: Mutex<Day>,
}

#[derive(Debug, Default)]
struct Day {
    until: Option<Timestamp>,
    by_channel: BTreeMap<String, u32>,
    /// The platform itself has said that nothing is left.
    is_gone: bool,
}

impl Day {
    fn spent(&self) -> u32 {
        self.by_channel.values().fold(0, |sum, units| sum.saturating_add(*units))
    }
}

impl Quota {
    pub fn new(per_day: u32) -> Self {
        // Midnight at the platform's home. The rule is written out, since a machine may know no zones.
        let zone = TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").unwrap_or(TimeZone::UTC);
        Self::in_zone(per_day, zone)
    }

    /// The same for another platform, whose days end elsewhere.
    pub fn in_zone(per_day: u32, zone: TimeZone) -> Self {
        Self { per_day, zone, day: Mutex::default() }
    }

    /// The end of the platform's day.
    pub fn resets_at(&self, now: Timestamp) -> Timestamp {
        let tomorrow = now.to_zoned(self.zone.clone()).tomorrow();
        let midnight = tomorrow.and_then(|day| day.start_of_day());
        let a_day_on = || now.saturating_add(SignedDuration::from_secs(DAY_S)).unwrap_or(now);
        midnight.map_or_else(|_| a_day_on(), |day| day.timestamp())
    }

    fn today<T>(&self, now: Timestamp, read: impl FnOnce(&mut Day) -> T) -> T {
        let mut day = held(&self.day);
        if day.until.is_none_or(|until| until <= now) {
            *day = Day { until: Some(self.resets_at(now)), ..Day::default() };
        }
        read(&mut day)
    }

    fn gone(&self, now: Timestamp) -> PlatformError {
        PlatformError::QuotaGone {
            until: self.resets_at(now),
            lane: Lane::App,
            detail: "the units of the day are spent".into(),
        }
    }

    /// Takes units before a call; where there are none left, nothing may be called.
    pub fn take(&self, channel: &str, units: u32, now: Timestamp) -> Result<(), PlatformError> {
        let has_room = self.today(now, |day| {
            let has_room = !day.is_gone && day.spent().saturating_add(units) <= self.per_day;
            if has_room {
                *day.by_channel.entry(channel.to_owned()).or_default() += units;
            }
            has_room
        });
        if has_room { Ok(()) } else { Err(self.gone(now)) }
    }

    /// The platform says that the day's units are gone, whatever was counted here.
    pub fn note_gone(&self, now: Timestamp) -> PlatformError {
        self.today(now, |day| day.is_gone = true);
        self.gone(now)
    }

    /// How many units may have been used by now for reading to go on.
    fn due(&self, now: Timestamp, until: Timestamp) -> u32 {
        let for_reading = self.per_day - self.per_day / KEPT_FOR_ACTS;
        let at_once = for_reading / AT_ONCE;
        let left_s = until.duration_since(now).as_secs().clamp(0, DAY_S);
        let spread = i64::from(for_reading - at_once) * (DAY_S - left_s) / DAY_S;
        at_once.saturating_add(u32::try_from(spread).unwrap_or(0))
    }

    /// Whether reading in the background may go on; otherwise when.
    pub fn may_read_on(&self, now: Timestamp) -> Result<(), PlatformError> {
        let until = self.resets_at(now);
        let (spent, is_gone) = self.today(now, |day| (day.spent(), day.is_gone));
        if is_gone {
            return Err(self.gone(now));
        }
        if spent < self.due(now, until) {
            return Ok(());
        }
        // Looked for minute by minute: the day is short.
        let minute = |n| now.saturating_add(SignedDuration::from_mins(n)).unwrap_or(until);
        let again = (1..=24 * 60).map(minute).find(|at| spent < self.due(*at, until));
        Err(PlatformError::Throttled {
            until: again.unwrap_or(until).min(until),
            lane: Lane::Call,
            detail: "the units for reading are spread over the day".into(),
        })
    }

    /// What this channel has used today.
    pub fn spent_by(&self, channel: &str, now: Timestamp) -> Spent {
        self.today(now, |day| Spent {
            until: day.until,
            units: day.by_channel.get(channel).copied().unwrap_or(0),
        })
    }

    /// What this channel had used when it was last written down.
    pub fn remember(&self, channel: &str, spent: Spent, now: Timestamp) {
        self.today(now, |day| {
            if spent.until.is_some() && spent.until == day.until {
                let known = day.by_channel.entry(channel.to_owned()).or_default();
                *known = (*known).max(spent.units);
            }
        });
    }
}

/// The accounts of all projects, so that channels of one project share one.
#[derive(Clone, Debug, Default)]
pub struct Quotas(Arc<Mutex<BTreeMap<String, Arc<Quota>>>>);

impl Quotas {
    /// The account of a project, named by its client. Of several sizes the smallest counts.
    pub fn of(&self, project: &str, per_day: u32) -> Arc<Quota> {
        let mut all = held(&self.0);
        let known = all.entry(project.to_owned()).or_insert_with(|| Arc::new(Quota::new(per_day)));
        if per_day < known.per_day {
            *known = Arc::new(Quota::new(per_day));
        }
        Arc::clone(known)
    }
}

#[cfg(test)]
mod tests {
    use crate::platforms::testing::at;

    use super::*;

    #[test]
    fn the_day_ends_at_midnight_where_the_platform_lives() {
        let quota = Quota::new(10_000);
        let table = [
            ("2026-11-21T12:00:00Z", "2026-11-22T08:00:00Z"),
            ("2026-11-22T07:59:59Z", "2026-11-22T08:00:00Z"),
            ("2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z"),
            ("2026-07-01T12:00:00Z", "2026-07-02T07:00:00Z"),
            // The day on which clocks go forward has 23 hours.
            ("2026-03-08T12:00:00Z", "2026-03-09T07:00:00Z"),
        ];
        for (now, end) in table {
            assert_eq!(quota.resets_at(at(now)), at(end), "{now}");
        }
    }

    #[test]
    fn reading_is_spread_over_the_day_and_leaves_a_fifth_to_editors() {
        let quota = Quota::new(10_000);
        let morning = at("2026-11-22T08:00:00Z");
        quota.take("UCa", 1_999, morning).unwrap();
        quota.may_read_on(morning).unwrap();
        quota.take("UCa", 1, morning).unwrap();
        let error = quota.may_read_on(morning).unwrap_err();
        let PlatformError::Throttled { until, lane, .. } = error else { panic!("{error:?}") };
        assert_eq!((until, lane), (at("2026-11-22T08:01:00Z"), Lane::Call));
        let noon = at("2026-11-22T20:00:00Z");
        quota.take("UCb", 2_999, noon).unwrap();
        quota.may_read_on(noon).unwrap();
        quota.take("UCb", 1, noon).unwrap();
        quota.may_read_on(noon).unwrap_err();
        let last = at("2026-11-23T07:59:00Z");
        quota.take("UCb", 2_999, last).unwrap();
        assert!(quota.may_read_on(last).is_err());
        for _ in 0..40 {
            quota.take("UCa", 50, last).unwrap();
        }
        let error = quota.take("UCa", 50, last).unwrap_err();
        let PlatformError::QuotaGone { until, lane, .. } = error else { panic!("{error:?}") };
        assert_eq!((until, lane), (at("2026-11-23T08:00:00Z"), Lane::App));
        quota.take("UCa", 50, at("2026-11-23T08:00:00Z")).unwrap();
    }

    #[test]
    fn what_was_used_before_a_restart_counts_on_the_same_day_alone() {
        let now = at("2026-11-22T12:00:00Z");
        let before = Quota::new(10_000);
        before.take("UCa", 700, now).unwrap();
        let stored = before.spent_by("UCa", now);
        let quotas = Quotas::default();
        let after = quotas.of("projekt", 10_000);
        after.take("UCa", 3, now).unwrap();
        quotas.of("projekt", 10_000).remember("UCa", stored, now);
        assert_eq!(after.spent_by("UCa", now).units, 700, "the same account, by either way");
        let tomorrow = at("2026-11-23T12:00:00Z");
        after.remember("UCa", stored, tomorrow);
        assert_eq!(after.spent_by("UCa", tomorrow).units, 0);
        after.note_gone(tomorrow);
        assert_eq!(after.may_read_on(tomorrow).unwrap_err().class(), "quota_gone");
    }
}
