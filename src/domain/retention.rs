//! How long what is kept is kept (*bevarande och gallring*), as a policy says it.
//!
//! Public records may be disposed of where a decision of the authority allows it, and never otherwise
//! (*arkivlagen 1990:782 10 §*). So a policy without such a decision lets nothing fall due.

use jiff::{Timestamp, ToSpan as _};

use super::calendar::{local, stockholm};
use super::case::Outcome;
use super::ids::{AccountId, CaseId, ContentHash, DisposalId, EvidenceId, HoldId, UserId};

/// What sort of case it was, as far as keeping goes: how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetentionClass {
    /// Nothing was wrong with it.
    Dismissed,
    /// Something was done: hidden, removed, answered, referred.
    CarriedOut,
    /// Kept and deliberately not registered.
    NotRegistered,
    /// Registered: the diary has its own copy.
    Registered,
}

impl RetentionClass {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Dismissed, Self::CarriedOut, Self::NotRegistered, Self::Registered];

    /// The class of a case that ended so.
    pub const fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Dismissed => Self::Dismissed,
            Outcome::CarriedOut => Self::CarriedOut,
            Outcome::NotRegistered => Self::NotRegistered,
            Outcome::Registered => Self::Registered,
        }
    }

    /// Identifier in policies and in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Dismissed => "dismissed",
            Self::CarriedOut => "carried_out",
            Self::NotRegistered => "not_registered",
            Self::Registered => "registered",
        }
    }

    /// The class with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.id() == id)
    }

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dismissed => "avfärdade",
            Self::CarriedOut => "åtgärdade",
            Self::NotRegistered => "medvetet inte diarieförda",
            Self::Registered => "diarieförda",
        }
    }
}

/// What a policy says of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionRule {
    /// Months after the case was closed; none where it is kept for ever (*bevaras*).
    pub months: Option<u16>,
    /// On what that rests, in one Swedish sentence.
    pub why: String,
}

/// What a policy says of texts that never became a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCase {
    /// How long they are kept, and on what that rests.
    pub rule: RetentionRule,
    /// The decision on disposal that names them (*gallringsbeslut*); without one they are kept.
    pub decision: Option<String>,
}

/// What a policy says of keeping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The plan it follows (*informationshanteringsplan*).
    pub plan: String,
    /// The decision that allows disposal, as the authority calls it; without one nothing is due.
    pub decision: Option<String>,
    /// Whether another person has to approve.
    pub four_eyes: bool,
    /// For what never became a case; without it that is kept for ever.
    pub no_case: Option<NoCase>,
    /// For reports from the public that led to no case and for answered requests about personal data, refusals among
    /// them; where it is not said, the rule for what never became a case holds, and refusals are kept.
    pub from_people: Option<NoCase>,
    /// Months after a case was closed when its text and names are no longer shown unasked; none where they always
    /// are.
    pub mask_after: Option<u16>,
    /// One rule a class, in the order of [`RetentionClass::ALL`].
    rules: Vec<RetentionRule>,
}

impl Retention {
    /// Puts it together from one rule for each class.
    pub fn new(
        plan: String,
        decision: Option<String>,
        four_eyes: bool,
        no_case: Option<NoCase>,
        rule: impl FnMut(RetentionClass) -> RetentionRule,
    ) -> Self {
        let rules = RetentionClass::ALL.iter().copied().map(rule).collect();
        let from_people = None;
        Self { plan, decision, four_eyes, no_case, from_people, mask_after: None, rules }
    }

    /// What holds for a class.
    pub fn rule(&self, class: RetentionClass) -> &RetentionRule {
        // `ALL` lists the variants in their order, and `new` made one rule for each.
        &self.rules[class as usize]
    }

    /// The class of a case in which more than one thing was decided: the one that is kept longest, and of
    /// equals the first.
    pub fn longest(&self, outcomes: &[Outcome]) -> Option<RetentionClass> {
        let months = |class: &RetentionClass| self.rule(*class).months;
        let classes = outcomes.iter().rev().map(|outcome| RetentionClass::of(*outcome));
        classes.max_by_key(|class| (months(class).is_none(), months(class)))
    }

    /// When a case of this class that was closed at `closed_at` may be disposed of: the first midnight
    /// in Sweden after its months. Never where it is kept for ever or no decision allows it.
    pub fn due(&self, class: RetentionClass, closed_at: Timestamp) -> Option<Timestamp> {
        self.decision.as_ref()?;
        let months = self.rule(class).months?;
        let day = local(closed_at).date().checked_add(i32::from(months).months()).ok()?;
        let midnight = day.tomorrow().ok()?.to_zoned(stockholm()).ok()?;
        Some(midnight.timestamp())
    }
}

impl Retention {
    /// Cases that were closed before this are no longer shown unasked: the midnight in Sweden so many months ago.
    pub fn veils_before(&self, now: Timestamp) -> Option<Timestamp> {
        let day = local(now).date().checked_sub(i32::from(self.mask_after?).months()).ok()?;
        Some(day.to_zoned(stockholm()).ok()?.timestamp())
    }

    /// What never became a case and was seen for the last time before this may be disposed of, by which decision:
    /// the midnight in Sweden so many months ago. None where it is kept for ever or no decision of its own allows
    /// it: one about cases says nothing of what was none.
    pub fn sweep(&self, now: Timestamp) -> Option<(Timestamp, &str)> {
        self.no_case.as_ref()?.before(now)
    }

    /// What came from people and led to no case goes where it ended before this, by which decision; and whether
    /// refusals do.
    pub fn forgets(&self, now: Timestamp) -> Option<(Timestamp, &str, bool)> {
        let rule = self.from_people.as_ref().or(self.no_case.as_ref())?;
        let (before, decision) = rule.before(now)?;
        Some((before, decision, self.from_people.is_some()))
    }
}

impl NoCase {
    /// The midnight in Sweden so many months ago, and the decision. None where it is kept or no decision names it.
    fn before(&self, now: Timestamp) -> Option<(Timestamp, &str)> {
        let decision = self.decision.as_deref()?;
        let day = local(now).date().checked_sub(i32::from(self.rule.months?).months()).ok()?;
        Some((day.to_zoned(stockholm()).ok()?.timestamp(), decision))
    }
}

/// A disposal of texts that never became a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Of which account.
    pub account: AccountId,
    /// What it is called.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// The plan it followed.
    pub plan: String,
    /// The decision that allowed it.
    pub decision: String,
    /// The policy's hash.
    pub policy: ContentHash,
    /// What was fetched for the last time before then.
    pub before: Timestamp,
    /// How many items.
    pub n_items: u64,
}

/// What a disposal destroys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// Files.
    pub n_files: u64,
    /// Their bytes.
    pub n_bytes: u64,
    /// Files that stay because a living record shares them.
    pub n_shared: u64,
}

/// One line of a protocol: a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisposalLine {
    /// The record.
    pub evidence: EvidenceId,
    /// Its manifest's hash: it stays.
    pub manifest: ContentHash,
    /// Its place in the log: it stays.
    pub log_seq: u64,
    /// The case.
    pub case: CaseId,
    /// The account's name.
    pub account: String,
    /// The class.
    pub class: RetentionClass,
    /// Months after closing.
    pub months: u16,
    /// On what that rests.
    pub why: String,
    /// When the case was closed.
    pub closed_at: Timestamp,
    /// When it fell due.
    pub due_at: Timestamp,
}

/// An exemption of a case from disposal (*undantag från gallring*).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// Its row.
    pub id: HoldId,
    /// The case.
    pub case: CaseId,
    /// When it was set.
    pub set_at: Timestamp,
    /// Who set it.
    pub set_by: String,
    /// Why.
    pub reason: String,
    /// When, by whom and why it was lifted.
    pub lifted: Option<(Timestamp, String, String)>,
}

/// Where a disposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisposalState {
    /// Waits for another person.
    Proposed,
    /// Carried out.
    Done,
    /// Not carried out.
    Withdrawn,
}

/// A disposal with its protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposal {
    /// The number of the protocol.
    pub id: DisposalId,
    /// Where it stands.
    pub state: DisposalState,
    /// The authority's name then.
    pub authority: String,
    /// The plan that it follows.
    pub plan: String,
    /// The decision that allows it.
    pub decision: String,
    /// The policy's hash.
    pub policy: ContentHash,
    /// Whether another person had to approve.
    pub four_eyes: bool,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// By whom; none where the command line did.
    pub proposed_by: Option<UserId>,
    /// By whom, in words.
    pub proposed_name: String,
    /// When and by whom it ended.
    pub ended: Option<(Timestamp, String)>,
    /// Why it was withdrawn.
    pub reason: Option<String>,
    /// Its place in the log.
    pub log_seq: Option<u64>,
    /// The hash of the protocol's table.
    pub csv_sha256: Option<ContentHash>,
    /// Files and bytes that were destroyed, and files kept because others share them.
    pub destroyed: Option<Destroyed>,
    /// How many cases and records.
    pub n: (u64, u64),
}

/// A protocol of disposal (*gallringsprotokoll*): which rule, which decision, who, and what went. It holds
/// nothing of what was disposed of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Its number.
    pub number: DisposalId,
    /// The authority's name.
    pub authority: String,
    /// The plan that it follows.
    pub plan: String,
    /// The decision that allows it.
    pub decision: String,
    /// The hash of the policy that named both.
    pub policy: ContentHash,
    /// When and by whom it was proposed.
    pub proposed: (Timestamp, String),
    /// When and by whom it was carried out.
    pub done: (Timestamp, String),
    /// Whether those had to be two.
    pub four_eyes: bool,
    /// What was destroyed.
    pub destroyed: Destroyed,
    /// What it was about, by case.
    pub lines: Vec<DisposalLine>,
}

impl Protocol {
    /// That of a disposal, carried out when and by whom `done` says.
    pub fn of(
        row: &Disposal,
        done: (Timestamp, String),
        destroyed: Destroyed,
        lines: Vec<DisposalLine>,
    ) -> Self {
        // As the database keeps it: the table is the same when it is written anew.
        let to_ms = |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        Self {
            number: row.id,
            authority: row.authority.clone(),
            plan: row.plan.clone(),
            decision: row.decision.clone(),
            policy: row.policy,
            proposed: (row.proposed_at, row.proposed_name.clone()),
            done: (to_ms(done.0), done.1),
            four_eyes: row.four_eyes,
            destroyed,
            lines,
        }
    }

    /// How many cases.
    pub fn n_cases(&self) -> usize {
        let mut cases: Vec<_> = self.lines.iter().map(|line| line.case).collect();
        cases.dedup();
        cases.len()
    }
}

/// `1 månad`, `24 månader`.
pub fn months(n: u16) -> String {
    if n == 1 { "1 månad".to_owned() } else { format!("{n} månader") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(decision: Option<&str>, months: Option<u16>) -> Retention {
        let rule = |_| RetentionRule { months, why: "Prov.".into() };
        Retention::new("Plan".into(), decision.map(str::to_owned), true, None, rule)
    }

    #[test]
    fn due_at_the_first_swedish_midnight_after_the_months() {
        for (closed, months, due) in [
            ("2026-01-31T12:00:00Z", 1, "2026-02-28T23:00:00Z"),
            ("2026-06-30T21:59:00Z", 0, "2026-06-30T22:00:00Z"),
            ("2026-06-30T22:01:00Z", 0, "2026-07-01T22:00:00Z"),
            ("2024-02-29T10:00:00Z", 12, "2025-02-28T23:00:00Z"),
            ("2026-11-22T10:00:00Z", 24, "2028-11-22T23:00:00Z"),
        ] {
            let at = retention(Some("KS 2026/1"), Some(months))
                .due(RetentionClass::Dismissed, closed.parse().unwrap());
            assert_eq!(at, Some(due.parse().unwrap()), "{closed} + {months}");
        }
    }

    #[test]
    fn of_what_was_decided_the_longest_kept_counts() {
        use Outcome::{CarriedOut, Dismissed, Registered};
        let rule = |class| RetentionRule {
            months: match class {
                RetentionClass::CarriedOut => Some(60),
                RetentionClass::NotRegistered => None,
                RetentionClass::Dismissed | RetentionClass::Registered => Some(24),
            },
            why: "Prov.".into(),
        };
        let kept = Retention::new("Plan".into(), Some("KS 2026/1".into()), true, None, rule);
        for (outcomes, longest) in [
            (&[Dismissed][..], RetentionClass::Dismissed),
            (&[Dismissed, CarriedOut], RetentionClass::CarriedOut),
            (&[Registered, Dismissed], RetentionClass::Registered),
            (&[CarriedOut, Outcome::NotRegistered], RetentionClass::NotRegistered),
        ] {
            assert_eq!(kept.longest(outcomes), Some(longest), "{outcomes:?}");
        }
        assert_eq!(kept.longest(&[]), None);
    }

    #[test]
    fn nothing_is_due_without_a_decision_or_where_it_is_kept_for_ever() {
        let closed = "2000-01-01T00:00:00Z".parse().unwrap();
        for class in RetentionClass::ALL {
            assert_eq!(retention(None, Some(0)).due(*class, closed), None);
            assert_eq!(retention(Some("KS 2026/1"), None).due(*class, closed), None);
            assert_eq!(RetentionClass::from_id(class.id()), Some(*class));
        }
        let end = retention(Some("KS 2026/1"), Some(u16::MAX))
            .due(RetentionClass::Registered, Timestamp::MAX);
        assert_eq!(end, None, "what a calendar cannot name is never due");
    }
}
