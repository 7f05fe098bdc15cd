//! From which sum on a category is found, learnt from comments whose author the weights have not
//! seen.

use crate::classify::cues::fit::small;
use crate::classify::cues::table::{LANES, Row, WEIGHED};
use crate::domain::category::{Severity, Task};

/// A labelled comment with what was made of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// For each category whether it must be found; nothing where it does not matter.
    pub found: [Option<bool>; LANES],
    /// Something in it calls for removal.
    pub removal: bool,
    /// What rules alone say, those left out that are always believed.
    pub by_rules: [Option<Severity>; LANES],
    /// Whether a rule said so that is always believed: nothing that a threshold could change.
    pub believed: [bool; LANES],
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
    /// The same for what a rule says is high.
    pub grave: Row,
}

/// What one false alarm on a harmless comment costs, against one find.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// For a finding that only the sum makes.
    pub finding: f64,
    /// For a finding that a rule made and the sum could take back.
    pub doubt: f64,
    /// The same where the rule says that it is high: one lost is dearer than some looked at in vain.
    pub grave: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { finding: 2.0, doubt: 1.5, grave: 0.3 }
    }
}

/// What a needless label costs where the comment calls for removal anyhow.
pub const BESIDE_ANOTHER: f64 = 0.3;
/// Never found, never doubted.
pub const NEVER: i16 = i16::MAX;
/// How far below the threshold of a finding a rule may be doubted at the nearest, in hundredths: what
/// nearly is a finding without the rule is no reason to doubt the rule.
pub const BETWEEN: i16 = 20;
/// What share of those found must be right from the sure sum on.
const SURE: f64 = 0.9;

/// Chooses the thresholds at which finds less costs are greatest.
pub fn choose(judged: &[Judged], costs: &Costs) -> Thresholds {
    let mut thresholds = Thresholds {
        finding: [NEVER; LANES],
        sure: [NEVER; LANES],
        doubt: [-NEVER; LANES],
        grave: [-NEVER; LANES],
    };
    for (lane, category) in WEIGHED.iter().enumerate() {
        let least = match category.task() {
            Task::Removal => Severity::Medium,
            Task::Routing => Severity::Low,
        };
        let of = |by_rule: fn(Option<Severity>, Severity) -> bool| {
            let mut sums: Vec<(i32, bool, f64)> = judged
                .iter()
                .filter(|j| !j.believed[lane] && by_rule(j.by_rules[lane], least))
                .filter_map(|j| {
                    let harm = if j.removal { BESIDE_ANOTHER } else { 1.0 };
                    j.found[lane].map(|yes| (j.sums[lane], yes, harm))
                })
                .collect();
            sums.sort_by_key(|(sum, ..)| *sum);
            sums
        };
        // From the top down: every find is a gain, every false alarm a loss. A threshold takes in
        // all comments of its sum.
        let (mut best, mut worth, mut right, mut taken) = (0.0, 0.0, 0, 0);
        for same in of(|by, least| by < Some(least)).chunk_by(|a, b| a.0 == b.0).rev() {
            for (_, yes, harm) in same {
                worth += if *yes { 1.0 } else { -costs.finding * harm };
                right += usize::from(*yes);
                taken += 1;
            }
            if worth > best {
                best = worth;
                thresholds.finding[lane] = small(same[0].0);
            }
            if right as f64 >= SURE * f64::from(taken) {
                thresholds.sure[lane] = small(same[0].0);
            }
        }
        thresholds.sure[lane] = thresholds.sure[lane].max(thresholds.finding[lane]);
        // From the bottom up: every false alarm that goes is a gain.
        let most = match thresholds.finding[lane] {
            NEVER => NEVER,
            finding => finding.saturating_sub(BETWEEN),
        };
        let below = |sums: Vec<(i32, bool, f64)>, cost: f64| {
            let (mut best, mut worth, mut below) = (0.0, 0.0, -NEVER);
            for same in sums.chunk_by(|a, b| a.0 == b.0) {
                for (_, yes, harm) in same {
                    worth += if *yes { -1.0 } else { cost * harm };
                }
                let doubt = small(same[0].0 + 1);
                if worth > best && doubt <= most {
                    best = worth;
                    below = doubt;
                }
            }
            below
        };
        let milder = of(|by, least| by >= Some(least) && by < Some(Severity::High));
        thresholds.doubt[lane] = below(milder, costs.doubt);
        thresholds.grave[lane] = below(of(|by, _| by == Some(Severity::High)), costs.grave);
    }
    thresholds
}
