//! The grounds for removing (*grunder*) that a person chooses among: those that the account's policy has.

use crate::domain::duties::{Duties, PolicyGround};
use crate::domain::ground::{Force, Ground};

/// One ground in the list to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroundOption {
    /// Its code.
    pub code: &'static str,
    /// Its words, with the paragraph.
    pub label: String,
    /// Whether it is chosen.
    pub selected: bool,
}

/// Grounds of one force, or those that the findings suggest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroundGroup {
    /// What they have in common.
    pub label: &'static str,
    /// The grounds.
    pub options: Vec<GroundOption>,
}

/// The grounds that the account's policy has for removing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroundMenu {
    /// What findings suggest, most likely first.
    pub suggested: Vec<Ground>,
    /// Why the first is suggested.
    pub why: Option<String>,
    /// All of them in the policy's order and words.
    known: Vec<(Ground, String)>,
}

impl GroundMenu {
    /// The menu of a policy.
    pub fn new(suggested: Vec<Ground>, why: Option<String>, duties: &Duties) -> Self {
        let label = |known: &PolicyGround| match known.basis() {
            Some(basis) => format!("{} ({basis})", known.words),
            None => known.words.clone(),
        };
        let known = duties.grounds.iter().filter(|known| known.removes());
        Self { suggested, why, known: known.map(|k| (k.ground, label(k))).collect() }
    }

    /// The menu of several policies: every ground that any of them has.
    pub fn of_all(suggested: Vec<Ground>, duties: &[Duties]) -> Self {
        let mut menu = Self { suggested, ..Self::default() };
        for one in duties {
            for known in Self::new(Vec::new(), None, one).known {
                if !menu.known.iter().any(|(ground, _)| *ground == known.0) {
                    menu.known.push(known);
                }
            }
        }
        menu
    }

    /// The grounds as they are listed.
    pub fn groups(&self, chosen: Option<Ground>) -> Vec<GroundGroup> {
        let option = |(ground, label): &(Ground, String)| GroundOption {
            code: ground.code(),
            label: label.clone(),
            selected: chosen == Some(*ground),
        };
        let mut first: Vec<GroundOption> = Vec::new();
        for ground in &self.suggested {
            let known = self.known.iter().find(|(known, _)| known == ground);
            first.extend(known.map(option).filter(|option| !first.contains(option)));
        }
        let mut groups =
            vec![GroundGroup { label: "Föreslås av träffarna", options: first.clone() }];
        for (force, label) in [
            (Force::Statute, "Lag (1998:112) 5 §"),
            (Force::DataProtection, "Dataskydd och sekretess"),
            (Force::HouseRules, "Sidans egna regler"),
        ] {
            let rest = self.known.iter().filter(|(ground, _)| ground.force() == force);
            let rest = rest.map(option).filter(|option| !first.contains(option));
            groups.push(GroundGroup { label, options: rest.collect() });
        }
        groups.retain(|group| !group.options.is_empty());
        groups
    }
}
