//! Chance that spreads work over time. Nothing that has to be hard to guess is drawn here.

/// A number from 0 to 1. Where the machine gives none, the middle: spreading is a courtesy.
pub fn share() -> f64 {
    #[cfg(test)]
    if let Some(share) = seeded::share() {
        return share;
    }
    getrandom::u32().map_or(0.5, |n| f64::from(n) / f64::from(u32::MAX))
}

/// Chance that comes again, for whoever has to live the same hours twice. It holds for the thread that asked for it.
#[cfg(test)]
pub mod seeded {
    use std::cell::Cell;

    thread_local! {
        static STATE: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// From now on what is drawn on this thread follows from `seed`.
    pub fn begin(seed: u64) {
        STATE.set(Some(seed));
    }

    /// The next number, where somebody has begun: SplitMix64.
    pub fn share() -> Option<f64> {
        let state = STATE.get()?.wrapping_add(0x9E37_79B9_7F4A_7C15);
        STATE.set(Some(state));
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        // The upper half of the bits.
        Some(((mixed ^ (mixed >> 31)) >> 32) as f64 / f64::from(u32::MAX))
    }
}
