//! Labelled simulators of platforms that nobody can run: in-process servers on loopback that
//! speak a platform's interface over HTTP, for the demo and for tests.
//!
//! Every answer carries `X-Uppsikt-Simulator`, the Page's name says "(simulerad)", and accounts
//! served by one are marked in the store. What happens follows from a script, the clock and a
//! seed, so the same run can be had again.

pub mod bluesky;
pub mod consent;
pub mod facebook;
pub mod faults;
pub mod flickr;
pub(super) mod graph;
pub mod instagram;
pub mod linkedin;
mod page;
pub mod reddit;
pub mod replay;
pub mod reply;
pub mod script;
pub mod server;
pub mod stage;
pub mod tiktok;
pub mod world;
pub mod x;
pub mod youtube;

/// The header that every simulated answer carries, with the platform's name as its value.
pub const LABEL: &str = "x-uppsikt-simulator";

/// Whether what is shown is this credential. What stands after a full stop tells the accounts of one drill apart: with
/// one and the same token they would be held back together.
fn is_shown(shown: &str, known: &str) -> bool {
    shown.strip_prefix(known).is_some_and(|mark| mark.is_empty() || mark.starts_with('.'))
}
