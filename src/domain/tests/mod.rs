//! Tables and properties of the rules of the trade.

mod breaker;
mod calendar;
mod checkpoint;
mod clocks;
mod deadline;
mod decision;
mod machines;
mod notices;
mod person;
mod policy;
mod register;
mod text;
mod tree;
mod values;

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::domain::calendar::stockholm;

/// The instant of a Swedish wall clock: `2026-03-28 12:00`.
fn swedish(wall_clock: &str) -> Timestamp {
    let at: DateTime = wall_clock.parse().expect("a date and a time");
    at.to_zoned(stockholm()).expect("a time that the calendar can hold").timestamp()
}

/// Any instant of some years around now, to the second.
fn instants() -> impl proptest::strategy::Strategy<Value = Timestamp> {
    use proptest::strategy::Strategy as _;
    let (first, last) = (swedish("2020-01-01 00:00"), swedish("2035-12-31 23:59"));
    (first.as_second()..=last.as_second())
        .prop_map(|s| Timestamp::from_second(s).expect("between two instants"))
}
