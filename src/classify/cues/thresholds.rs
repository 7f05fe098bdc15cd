//! From which sum on a category is found, learnt from comments whose author the weights have not
//! seen.

use crate::classify::cues::table::{LANES, Row, WEIGHED};
use crate::domain::category::{Severity, Task};

/// A labelled comment with what was made of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// For each category whether it must be found; nothing where it does not matter.
    pub found: [Option<bool>; LANES],
    /// Something in it calls for removal.
    pub removal: bool,
    /// What rules alone say.
    pub by_rules: [Option<Severity>; LANES],
    /// The sums of weights that were learnt without its author.
    pub sums: [i32; LANES],
}

/// The thresholds of all categories, in hundredths.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// From here on there is a finding.
    pub finding: Row,
    /// From here on it is certain enough for the category's own severity.
    pub sure: Row,
    /// Below this a rule's finding becomes a note.
    pub doubt: Row,
}

/// What one false alarm on a harmless comment costs, against one find.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// For a finding that only the sum makes.
    pub finding: f64,
    /// For a finding that a rule made and the sum could take back.
    pub doubt: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { finding: 2.0, doubt: 1.5 }
    }
}

/// What a needless label costs where the comment calls for removal anyhow.
const BESIDE_ANOTHER: f64 = 0.3;
/// Never found, never doubted.
const NEVER: i16 = i16::MAX;
/// What share of those found must be right from the sure sum on.
const SURE: f64 = 0.9;

/// Chooses the thresholds at which finds less costs are greatest.
pub fn choose(judged: &[Judged], costs: &Costs) -> Thresholds {
    let mut thresholds =
        Thresholds { finding: [NEVER; LANES], sure: [NEVER; LANES], doubt: [-NEVER; LANES] };
    for (lane, category) in WEIGHED.iter().enumerate() {
        let least = match category.task() {
            Task::Removal => Severity::Medium,
            Task::Routing => Severity::Low,
        };
        let of = |by_rule: bool| {
            let mut sums: Vec<(i32, bool, f64)> = judged
                .iter()
                .filter(|j| j.by_rules[lane].is_some_and(|s| s >= least) == by_rule)
                .filter_map(|j| {
                    let harm = if j.removal { BESIDE_ANOTHER } else { 1.0 };
                    j.found[lane].map(|yes| (j.sums[lane], yes, harm))
                })
                .collect();
            sums.sort_by_key(|(sum, ..)| *sum);
            sums
        };
        // From the top down: every find is a gain, every false alarm a loss.
        let mut best = 0.0;
        let mut worth = 0.0;
        let mut right = 0;
        let alone = of(false);
        for (n, (sum, yes, harm)) in alone.iter().rev().enumerate() {
            worth += if *yes { 1.0 } else { -costs.finding * harm };
            right += usize::from(*yes);
            if worth > best {
                best = worth;
                thresholds.finding[lane] = small(*sum);
            }
            if right as f64 >= SURE * (n + 1) as f64 {
                thresholds.sure[lane] = small(*sum);
            }
        }
        thresholds.sure[lane] = thresholds.sure[lane].max(thresholds.finding[lane]);
        // From the bottom up: every false alarm that goes is a gain.
        let mut best = 0.0;
        let mut worth = 0.0;
        for (sum, yes, harm) in of(true) {
            worth += if yes { -1.0 } else { costs.doubt * harm };
            if worth > best {
                best = worth;
                thresholds.doubt[lane] = small(sum + 1);
            }
        }
    }
    thresholds
}

fn small(sum: i32) -> i16 {
    sum.clamp(i32::from(-NEVER), i32::from(NEVER)) as i16
}
