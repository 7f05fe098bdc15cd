//! `[retention]` of a policy → [`Retention`].

use super::reader::Table;
use crate::domain::retention::{NoCase, Retention, RetentionClass, RetentionRule};

/// The longest time, in months: a hundred years.
const MOST_MONTHS: u64 = 1_200;

/// Reads the section.
pub(super) fn read(mut table: Table<'_, '_>) -> Option<Retention> {
    let plan = table.demanded_text("plan", "plan = \"Informationshanteringsplan\"");
    // Left out, nothing is ever due; empty is a mistake.
    let has_decision = table.has("decision");
    let decision = table.text("decision");
    let four_eyes = table.yes("four_eyes", true);
    let mut rules = Vec::with_capacity(RetentionClass::ALL.len());
    for class in RetentionClass::ALL {
        rules.push(rule(&mut table, class.id()));
    }
    // What never became a case is kept for ever unless a rule says otherwise.
    let has_no_case = table.has("no_case");
    let no_case = if has_no_case { by_itself(&mut table, "no_case") } else { None };
    let has_people = table.has("from_people");
    let from_people = if has_people { by_itself(&mut table, "from_people") } else { None };
    let has_mask = table.has("mask_after");
    let mask_after = table.number("mask_after", 0, 0..=MOST_MONTHS, "månader");
    table.done();
    // At most 1,200.
    let mask_after: Option<u16> = match (has_mask, mask_after) {
        (_, None) => return None,
        (false, Some(_)) => None,
        (true, Some(months)) => Some(months.try_into().ok()?),
    };
    if (has_no_case && no_case.is_none()) || (has_people && from_people.is_none()) {
        return None;
    }
    let rules: Vec<_> = rules.into_iter().collect::<Option<_>>()?;
    let (plan, four_eyes) = (plan?.value, four_eyes?.value);
    if has_decision && decision.is_none() {
        return None;
    }
    let decision = decision.map(|at| at.value);
    let mut retention = Retention::new(plan, decision, four_eyes, no_case, |class| {
        // One rule for each class, in their order.
        rules[class as usize].clone()
    });
    retention.mask_after = mask_after;
    retention.from_people = from_people;
    Some(retention)
}

/// What goes by itself has a decision of its own: nobody proposes and approves there, so it has to be named.
fn by_itself(table: &mut Table<'_, '_>, key: &'static str) -> Option<NoCase> {
    let mut rule = table.table(key)?;
    let has_decision = rule.has("decision");
    let decision = rule.text("decision");
    let rule = rule_in(rule)?;
    if has_decision && decision.is_none() {
        return None;
    }
    Some(NoCase { rule, decision: decision.map(|at| at.value) })
}

fn rule(table: &mut Table<'_, '_>, key: &'static str) -> Option<RetentionRule> {
    let Some(rule) = table.table(key) else {
        if !table.has(key) {
            table.missing(key, &format!("{key} = {{ months = 24, why = \"Varför.\" }}"));
        }
        return None;
    };
    rule_in(rule)
}

fn rule_in(mut rule: Table<'_, '_>) -> Option<RetentionRule> {
    let why = rule.demanded_text("why", "why = \"Varför.\"");
    let has_months = rule.has("months");
    let months = rule.number("months", 0, 0..=MOST_MONTHS, "månader");
    rule.done();
    // At most 1,200.
    let months = months?.try_into().ok()?;
    Some(RetentionRule { months: has_months.then_some(months), why: why?.value })
}

#[cfg(test)]
mod tests {
    use crate::config::policy::parse;
    use crate::config::policy::ready::standard;
    use crate::domain::retention::RetentionClass;

    const RULES: &str = "dismissed = { months = 1, why = \"a\" }\ncarried_out = { why = \"b\" }\n\
        not_registered = { months = 0, why = \"c\" }\nregistered = { months = 12, why = \"d\" }\n";

    /// The policy that is built in, with another section.
    fn with(section: &str) -> Result<Option<crate::domain::retention::Retention>, String> {
        let text = include_str!("../../lexicons/policies/standard.toml");
        let (head, tail) = text.split_once("[retention]\n").unwrap();
        let (_, tail) = tail.split_once("# ── Lagens").unwrap();
        let policy = parse("prov.toml", &format!("{head}{section}\n# ── Lagens{tail}"));
        policy.map(|policy| policy.retention).map_err(|error| error.to_string())
    }

    #[test]
    fn the_built_in_policy_lets_nothing_fall_due_since_it_can_name_no_decision() {
        let retention = standard().unwrap().retention.unwrap();
        assert_eq!(retention.decision, None);
        assert!(retention.four_eyes);
        assert!(RetentionClass::ALL.iter().all(|class| retention.rule(*class).months.is_some()));
    }

    #[test]
    fn what_is_said_is_read_and_without_a_section_nothing_is() {
        let section =
            format!("[retention]\nplan = \"P\"\ndecision = \"KS 1\"\nfour_eyes = false\n{RULES}");
        let retention = with(&section).unwrap().unwrap();
        assert_eq!(retention.decision.as_deref(), Some("KS 1"));
        assert!(!retention.four_eyes);
        let months: Vec<_> =
            RetentionClass::ALL.iter().map(|class| retention.rule(*class).months).collect();
        assert_eq!(months, [Some(1), None, Some(0), Some(12)]);
        assert_eq!(with("").unwrap(), None);
    }

    #[test]
    fn personal_data_in_closed_cases_is_masked_after_the_months_that_are_said() {
        let of = |line: &str| with(&format!("[retention]\nplan = \"P\"\n{line}{RULES}"));
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(of("").unwrap().unwrap().veils_before(now), None);
        let before = of("mask_after = 6\n").unwrap().unwrap().veils_before(now);
        assert_eq!(before, Some("2026-05-22T22:00:00Z".parse().unwrap()));
        assert!(of("mask_after = \"snart\"\n").is_err() && of("mask_after = -1\n").is_err());
    }

    #[test]
    fn what_never_became_a_case_needs_a_decision_that_names_it() {
        let of = |no_case: &str| {
            let section = format!(
                "[retention]\nplan = \"P\"\ndecision = \"KS 1\"\n{RULES}no_case = {no_case}\n"
            );
            with(&section).unwrap().unwrap()
        };
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(of("{ months = 1, why = \"e\" }").sweep(now), None);
        assert_eq!(of("{ decision = \"KS 2\", why = \"e\" }").sweep(now), None, "kept for ever");
        let named = of("{ months = 1, decision = \"KS 2\", why = \"e\" }");
        let before = "2026-10-22T22:00:00Z".parse().unwrap();
        assert_eq!(named.sweep(now), Some((before, "KS 2")));
    }

    #[test]
    fn what_came_from_people_goes_by_a_rule_of_its_own_and_refusals_only_by_that() {
        let of = |rules: &str| {
            let section = format!("[retention]\nplan = \"P\"\ndecision = \"KS 1\"\n{RULES}{rules}");
            with(&section).unwrap().unwrap()
        };
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let no_case = "no_case = { months = 1, decision = \"KS 2\", why = \"e\" }\n";
        let people = "from_people = { months = 6, decision = \"KS 3\", why = \"f\" }\n";
        assert_eq!(of("").forgets(now), None);
        let month = "2026-10-22T22:00:00Z".parse().unwrap();
        let half_a_year = "2026-05-22T22:00:00Z".parse().unwrap();
        assert_eq!(of(no_case).forgets(now), Some((month, "KS 2", false)));
        assert_eq!(of(people).forgets(now), Some((half_a_year, "KS 3", true)));
        let both = of(&format!("{no_case}{people}"));
        assert_eq!(both.forgets(now), Some((half_a_year, "KS 3", true)));
        assert_eq!(both.sweep(now), Some((month, "KS 2")), "of texts the other one is said");
        let kept = of(&format!("{no_case}from_people = {{ why = \"g\" }}\n"));
        assert_eq!(kept.forgets(now), None, "said, and said to be kept");
    }

    #[test]
    fn faults_are_named_with_their_mend() {
        for (section, expected) in [
            (format!("[retention]\n{RULES}"), "plan"),
            (format!("[retention]\nplan = \"P\"\ndecision = \"\"\n{RULES}"), "decision"),
            (format!("[retention]\nplan = \"P\"\nbeslut = \"x\"\n{RULES}"), "beslut"),
            (
                format!(
                    "[retention]\nplan = \"P\"\n{}",
                    RULES.replace("months = 12", "months = 1201")
                ),
                "1200",
            ),
            (
                format!("[retention]\nplan = \"P\"\n{}", RULES.replace("dismissed", "avfardade")),
                "dismissed",
            ),
        ] {
            let error = with(&section).unwrap_err();
            assert!(error.contains(expected), "{section}: {error}");
        }
    }
}
