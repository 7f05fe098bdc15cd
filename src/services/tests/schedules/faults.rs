//! When the disk fails: after so many steps, before or after one; or for a while for want of room.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::runtime::disk::{Disk, Moment, Step, Watch};

/// SplitMix64: the same numbers from the same seed on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// Yes, once in `n`.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

struct State {
    random: Random,
    /// Moments until the program dies; none while it is not to.
    left: Option<u64>,
    dead: bool,
    full: bool,
    n_full: u64,
    /// What was written and not made durable: how long the file was before.
    unsynced: BTreeMap<PathBuf, u64>,
    /// What got its name and the folder was not made durable.
    unnamed: Option<PathBuf>,
}

/// Fails steps as told.
pub struct Faults(Mutex<State>);

impl Faults {
    /// Dies after `left` moments, where given.
    pub fn new(random: Random, left: Option<u64>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            random,
            left,
            dead: false,
            full: false,
            n_full: 0,
            unsynced: BTreeMap::new(),
            unnamed: None,
        })))
    }

    pub fn disk(self: &Arc<Self>) -> Disk {
        Disk::watched(self.clone())
    }

    pub fn is_dead(&self) -> bool {
        self.0.lock().unwrap().dead
    }

    /// The disk is full from now on, or no longer.
    pub fn set_full(&self, full: bool) {
        self.0.lock().unwrap().full = full;
    }

    pub fn is_full(&self) -> bool {
        self.0.lock().unwrap().full
    }

    pub fn n_full(&self) -> u64 {
        self.0.lock().unwrap().n_full
    }
}

impl State {
    /// The power goes: what was not made durable may be there in part, or not at all.
    fn die(&mut self) -> io::Error {
        self.dead = true;
        for (path, before) in std::mem::take(&mut self.unsynced) {
            let Ok(now) = std::fs::metadata(&path).map(|known| known.len()) else { continue };
            let least = before.min(now);
            let kept = least + self.random.below(now - least + 1);
            if let Ok(file) = std::fs::File::options().write(true).open(&path) {
                file.set_len(kept).unwrap();
            }
        }
        if let Some(path) = self.unnamed.take()
            && self.random.once_in(2)
        {
            drop(std::fs::remove_file(path));
        }
        io::Error::other("the power went")
    }
}

impl Watch for Faults {
    fn at(&self, step: Step, moment: Moment, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        if state.dead {
            return Err(io::Error::other("there is no power"));
        }
        let grows = matches!(step, Step::Write | Step::Commit);
        if state.full && grows && moment == Moment::Before {
            state.n_full += 1;
            return Err(io::ErrorKind::StorageFull.into());
        }
        match (step, moment) {
            (Step::Write, Moment::Before) => {
                let before = std::fs::metadata(path).map_or(0, |known| known.len());
                state.unsynced.insert(path.to_owned(), before);
            }
            (Step::Sync, Moment::After) => {
                state.unsynced.remove(path);
            }
            (Step::Rename, Moment::After) => {
                // What was not made durable before it got its name is not so under the name either.
                let n_before = state.unsynced.len();
                state.unsynced.retain(|written, _| written.exists());
                if state.unsynced.len() < n_before {
                    state.unsynced.insert(path.to_owned(), 0);
                }
                state.unnamed = Some(path.to_owned());
            }
            (Step::SyncFolder, Moment::After) => state.unnamed = None,
            (Step::Write | Step::Remove | Step::Commit, _)
            | (Step::Sync | Step::Rename | Step::SyncFolder, _) => {}
        }
        match &mut state.left {
            Some(0) => Err(state.die()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}
