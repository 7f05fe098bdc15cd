//! Randomised schedules with faults: capture → seal → decide → act → register → exempt → dispose, with the
//! program dying before or after any step on the disk, the disk full, the platform or the time-stamp
//! authority away, pictures that fail, and a command at work beside the daemon. Nothing of what follows
//! may ever be found:
//!
//! - a removal on the platform without a whole seal of exactly the text that stood there, or, under a policy
//!   that has the diary first, without a package of it;
//! - a comment that stands there and is not known, assessed, and sealed as it stands or disposed of;
//! - something hidden a second time, also where the platform acted and its answer was lost;
//! - a seal without its files, or a file that no record names;
//! - a decision that was acknowledged and is not there, or never comes to an end;
//! - a log that disagrees with what was signed and kept outside;
//! - an exempt record disposed of.
//!
//! A schedule is drawn from one number. What fails names it:
//! `UPPSIKT_SEED=0x… UPPSIKT_SCHEDULES=1 cargo test schedules::many`.

pub mod faults;
pub mod page;
mod run;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use faults::Random;
use run::{Tally, run};

/// How many are run unless `UPPSIKT_SCHEDULES` says otherwise: some seconds.
const MANY: u64 = 40;

/// The first number of those runs, so that they are the same everywhere.
const SEED: u64 = 0x5EED_2026_1122;

pub fn from_environment(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    let read = match value.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => value.parse(),
    };
    Some(read.unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

/// Runs one, on a thread of its own with a runtime of its own: what dies with it leaves nothing behind.
fn run_one(seed: u64) -> Result<Tally, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ran =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(run(seed))));
    match ran {
        Ok(found) => found,
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned()));
            Err(format!("panicked: {}", words.unwrap_or_default()))
        }
    }
}

#[test]
fn many_schedules_with_faults_lose_nothing_and_remove_nothing_unsealed() {
    let n = from_environment("UPPSIKT_SCHEDULES").unwrap_or(MANY);
    let first = from_environment("UPPSIKT_SEED").unwrap_or(SEED);
    println!("{n} schedules from UPPSIKT_SEED={first:#x}");
    let next = AtomicU64::new(0);
    let failed = Mutex::new(Vec::new());
    let whole = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        // They wait for their databases more than they compute.
        for _ in 0..std::thread::available_parallelism().map_or(4, |n| 2 * n.get()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= n {
                        return;
                    }
                    // The first is the seed itself, so that one alone can be run again.
                    let seed = if at == 0 { first } else { Random::new(first ^ at).next() };
                    match run_one(seed) {
                        Ok(tally) => whole.lock().unwrap().add(&tally),
                        Err(what) => failed.lock().unwrap().push((seed, what)),
                    }
                }
            });
        }
    });
    let whole = whole.into_inner().unwrap();
    println!("{whole:?}");
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {n} failed; the first: UPPSIKT_SEED={:#x}: {}",
        failed.len(),
        failed[0].0,
        failed[0].1
    );
    // Schedules in which nothing happens would prove nothing.
    if n >= MANY {
        for (what, least) in [
            (whole.deaths, n / 2),
            (whole.full, n / 10),
            (whole.sealed, n),
            (whole.removed, n / 4),
            (whole.registered, n / 20),
            (whole.disposed, n / 20),
            (whole.held, n / 20),
            (whole.lost, n / 40),
            (whole.sealed_again, n / 20),
        ] {
            assert!(what >= least, "too little happened: {whole:?}");
        }
    }
}

/// A folder in memory where there is one: thousands of databases are made durable here.
pub fn folder() -> tempfile::TempDir {
    static BASE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let base = BASE.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        tempfile::tempdir_in(&memory).is_ok().then_some(memory)
    });
    match base {
        Some(base) => tempfile::tempdir_in(base).unwrap(),
        None => tempfile::tempdir().unwrap(),
    }
}
