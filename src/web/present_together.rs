//! Many cases decided in one act → display values.

use jiff::Timestamp;

use crate::domain::decision::{Choice, Decision};
use crate::domain::duties::Duties;
use crate::domain::ids::{CaseId, UserId};
use crate::domain::register::Subject;
use crate::domain::together::{Became, MOST_TOGETHER, Pick};
use crate::services::queue::Line;
use crate::services::together::{Decided, Picked, Plan, Selection};

use super::forms::DecisionFields;
use super::present::{self, comes_to, within_reach};
use super::view::case::seconds_left;
use super::view::choice::ChoiceKind;
use super::view::decision::{Filled, HoldOption, rests};
use super::view::grounds::GroundMenu;
use super::view::masked::Masked;
use super::view::register::{QuestionView, RegisterView};
use super::view::shell::{Notice, Shell};
use super::view::times::Moment;
use super::view::together::{Brief, DecidedPage, PickRow, Summary, TogetherChoice, TogetherPage};
use super::view::words::count;

/// How a pick stands in a form.
pub fn value(pick: Pick) -> String {
    format!("{}:{}", pick.case, pick.revision)
}

/// The pick that stands so in a form.
pub fn pick(value: &str) -> Option<Pick> {
    let (case, revision) = value.split_once(':')?;
    Some(Pick { case: CaseId(case.parse().ok()?), revision: revision.parse().ok()? })
}

/// What stands chosen before anybody has chosen: what the policies propose for all of them.
pub fn proposed(selection: &Selection) -> Option<Filled> {
    let proposal = selection.proposal()?;
    let kinds = proposal.choices.iter().filter_map(|choice| ChoiceKind::from_id(choice.id()));
    // As far as all of the platforms have it: else the summary tells which have not.
    let offers = selection.picked.first().and_then(|picked| picked.offers.as_ref());
    let choices = kinds.map(|kind| offers.map_or(kind, |offers| within_reach(kind, offers)));
    Some(Filled { choices: choices.collect(), ground: proposal.ground, ..Filled::default() })
}

/// What the page is made of.
pub struct Chosen {
    /// What stands in the form.
    pub filled: Filled,
    /// Cases that stand ticked; all that wait where nothing is said.
    pub ticked: Option<Vec<CaseId>>,
    /// Whether that is what the policies propose.
    pub is_proposal: bool,
    /// What it comes to.
    pub summary: Option<Summary>,
    /// Why it was refused.
    pub problem: Option<String>,
}

/// The page.
pub fn page(
    shell: Shell,
    selection: &Selection,
    chosen: Chosen,
    may_decide: bool,
    me: UserId,
    now: Timestamp,
) -> TogetherPage {
    let Chosen { filled, ticked, is_proposal, summary, problem } = chosen;
    let row = |picked: &Picked| {
        let case = picked.pick.case;
        let wanted = ticked.as_ref().is_none_or(|ticked| ticked.contains(&case));
        PickRow {
            whole: whole_of(picked),
            row: present::row(&picked.line, me, now),
            value: value(picked.pick),
            ticked: picked.waits && wanted,
            settled: !picked.waits,
        }
    };
    let mut suggested = Vec::new();
    for ground in selection.picked.iter().flat_map(|picked| &picked.suggested) {
        if !suggested.contains(ground) && ground.code() != CHILD_ABUSE {
            suggested.push(*ground);
        }
    }
    let mut grounds = GroundMenu::of_all(suggested, &selection.duties).groups(filled.ground);
    for group in &mut grounds {
        group.options.retain(|option| option.code != CHILD_ABUSE);
    }
    grounds.retain(|group| !group.options.is_empty());
    let waiting = selection.picked.iter().filter(|picked| picked.waits);
    let earliest_due = waiting.map(|picked| picked.line.due_at).min();
    TogetherPage {
        shell,
        problem,
        rows: selection.picked.iter().map(row).collect(),
        n_left_out: selection.n_left_out,
        most: MOST_TOGETHER,
        may_decide,
        choices: TogetherChoice::all(&filled),
        grounds,
        diary: diary(selection, &filled),
        holds: holds(earliest_due, &filled, now),
        proposal: is_proposal.then(|| {
            "Riktlinjen föreslår samma sak för alla, och det är förvalt. Du bestämmer.".to_owned()
        }),
        filled,
        summary,
    }
}

/// What the policies concerned ask about the diary, each question once: the answers hold for all of the cases.
fn diary(selection: &Selection, filled: &Filled) -> Option<RegisterView> {
    let kind = selection.picked.iter().find(|picked| picked.waits)?.line.kind;
    let removes =
        filled.choices.iter().any(|kind| matches!(kind, ChoiceKind::Hide | ChoiceKind::Delete));
    let subject = Subject { kind, ground: filled.ground, removes };
    let of = |duties: &Duties| RegisterView::new("", duties, subject, filled);
    let mut views = selection.duties.iter().map(of);
    let mut first = views.next()?;
    for other in views {
        let new = |q: &QuestionView| !first.questions.iter().any(|known| known.id == q.id);
        let more: Vec<_> = other.questions.into_iter().filter(new).collect();
        first.questions.extend(more);
        first.asks_number |= other.asks_number;
        first.asks_provision |= other.asks_provision;
    }
    (!first.questions.is_empty()).then_some(first)
}

/// The whole text of a case, where its line is only the beginning.
fn whole_of(picked: &Picked) -> Option<Masked> {
    let whole = Masked::whole(&picked.whole);
    (whole != Masked::line(&picked.line.text)).then_some(whole)
}

/// Times to rest until. What was chosen before stays chosen, also where it is offered no more: *in an hour* is
/// another time a minute later.
fn holds(due: Option<Timestamp>, filled: &Filled, now: Timestamp) -> Vec<(HoldOption, bool)> {
    let offered = due.and_then(|due| rests(due, false, now).ok()).unwrap_or_default();
    let chosen: Option<Timestamp> = filled.rest.chosen.parse().ok();
    let is_chosen = |option: &HoldOption| option.value == filled.rest.chosen;
    let known = offered.iter().any(is_chosen);
    let earlier = chosen.filter(|until| !known && *until > now).map(|until| {
        let label = Moment::new(until, now).short;
        (HoldOption { value: filled.rest.chosen.clone(), label }, true)
    });
    let offered = offered.into_iter().map(|option| {
        let chosen = is_chosen(&option);
        (option, chosen)
    });
    earlier.into_iter().chain(offered).collect()
}

/// `Ärende 998 och 999 finns inte.`
pub fn unknown_words(unknown: &[CaseId]) -> Option<String> {
    let numbers: Vec<_> = unknown.iter().map(CaseId::to_string).collect();
    let (last, others) = numbers.split_last()?;
    Some(match others {
        [] => format!("Ärende {last} finns inte."),
        others => format!("Ärendena {} och {last} finns inte.", others.join(", ")),
    })
}

/// Suspected in each case by itself: see [`crate::domain::together::refuses`].
const CHILD_ABUSE: &str = crate::domain::ground::Ground::ChildAbuse.code();

fn brief(line: &Line) -> Brief {
    Brief { case: line.case, line: Masked::line(&line.text), account: line.account.name.clone() }
}

/// Puts a case under its words, in the order in which words first come.
fn under(groups: &mut Vec<(String, Vec<Brief>)>, words: String, brief: Brief) {
    match groups.iter_mut().find(|(known, _)| *known == words) {
        Some((_, briefs)) => briefs.push(brief),
        None => groups.push((words, vec![brief])),
    }
}

/// What a decision comes to, and what the form sends when it is made.
pub fn summary(
    selection: &Selection,
    plan: &Plan,
    decision: &Decision,
    fields: &DecisionFields,
    form: String,
) -> Summary {
    let line_of = |case: CaseId| selection.picked.iter().find(|p| p.pick.case == case);
    let mut summary = Summary {
        n: plan.will.len(),
        n_words: count(plan.will.len(), "ärende", "ärenden"),
        ground: decision.ground().map(|ground| ground.label().to_owned()),
        words: decision.choices().iter().filter_map(Choice::words).collect(),
        unknown: unknown_words(&plan.unknown),
        ..Summary::default()
    };
    let mut accounts: Vec<(String, usize)> = Vec::new();
    for planned in &plan.will {
        let Some(picked) = line_of(planned.case) else { continue };
        let account = picked.line.account.name.clone();
        match accounts.iter_mut().find(|(known, _)| *known == account) {
            Some((_, n)) => *n += 1,
            None => accounts.push((account, 1)),
        }
        let by_hand =
            |choice: &Choice| choice.action().is_some_and(|kind| planned.by_hand.contains(&kind));
        under(&mut summary.gets, comes_to(decision.choices(), by_hand), brief(&picked.line));
        summary.sends.push(("valda", value(picked.pick)));
    }
    summary.gets.sort_by_key(|(_, briefs)| std::cmp::Reverse(briefs.len()));
    summary.accounts = accounts.into_iter().map(|(name, n)| (name, n.to_string())).collect();
    for (case, why) in &plan.cannot {
        if let Some(picked) = line_of(*case) {
            under(&mut summary.cannot, why.clone(), brief(&picked.line));
        }
    }
    let sent = |name, value: &str| (!value.is_empty()).then(|| (name, value.to_owned()));
    summary.sends.extend(fields.visade.iter().filter_map(|value| sent("visade", value)));
    summary.sends.extend(fields.val.iter().filter_map(|id| sent("val", id)));
    summary.sends.extend(
        [
            ("grund", &fields.grund),
            ("svar", &fields.svar),
            ("hanvisning", &fields.hanvisning),
            ("skal", &fields.skal),
            ("vanta_till", &fields.vanta_till),
            ("vanta_egen", &fields.vanta_egen),
            ("anteckning", &fields.anteckning),
            ("dnr", &fields.dnr),
            ("lagrum", &fields.lagrum),
        ]
        .into_iter()
        .filter_map(|(name, value)| sent(name, value)),
    );
    let answers = fields.answered().to.into_iter();
    let answer = |yes| if yes { "ja" } else { "nej" };
    summary.sends.extend(answers.map(|(question, yes)| (question.id(), answer(yes).to_owned())));
    summary.sends.push(("formular", form));
    summary.sends.push(("gor", "besluta".to_owned()));
    summary
}

/// The fields of a decision that nobody has filled in yet.
pub fn fields(selection: &Selection, filled: &Filled) -> DecisionFields {
    let all = || selection.picked.iter().filter(|p| p.waits).map(|picked| value(picked.pick));
    DecisionFields {
        val: filled.choices.iter().map(|kind| kind.id().to_owned()).collect(),
        grund: filled.ground.map(|ground| ground.code().to_owned()).unwrap_or_default(),
        valda: all().collect(),
        visade: all().collect(),
        ..DecisionFields::default()
    }
}

/// What became of it.
pub fn decided(
    shell: Shell,
    done: &Decided,
    notice: Option<Notice>,
    now: Timestamp,
) -> DecidedPage {
    let (mut decided, mut undone, mut not_come_to) = (Vec::new(), Vec::new(), Vec::new());
    let (mut stays, mut refused) = (Vec::new(), Vec::new());
    let mut what: Vec<(String, usize)> = Vec::new();
    let mut decided_since = Vec::new();
    let mut is_done = true;
    let mut left = Vec::new();
    for case in &done.cases {
        let brief = brief(&case.line);
        if let Became::Decided { choices, by_hand, .. } = &case.became {
            let task =
                |choice: &Choice| choice.action().is_some_and(|kind| by_hand.contains(&kind));
            let words = comes_to(choices, task);
            match what.iter_mut().find(|(known, _)| *known == words) {
                Some((_, n)) => *n += 1,
                None => what.push((words, 1)),
            }
            is_done &= choices.iter().all(|choice| choice.action().is_none() || task(choice));
        }
        match &case.became {
            Became::Decided { undone_at: None, stays: why, .. } => match why {
                Some(why) => under(&mut stays, why.clone(), brief),
                None => decided.push(brief),
            },
            Became::Decided { undone_at: Some(_), .. } => match case.line.state.needs_a_person() {
                true => undone.push(brief),
                false => decided_since.push(brief),
            },
            Became::Refused(why) => {
                left.push(brief.case);
                under(&mut refused, why.clone(), brief);
            }
            Became::NotComeTo => {
                left.push(brief.case);
                not_come_to.push(brief);
            }
        }
    }
    let n =
        decided.len() + stays.iter().map(|(_, briefs): &(_, Vec<_>)| briefs.len()).sum::<usize>();
    let heading = match (n, undone.len() + decided_since.len()) {
        (0, 0) => "Inget ärende är beslutat".to_owned(),
        (0, n) => format!("{} ångrades", count(n, "beslut", "beslut")),
        (1, _) => "1 ärende är beslutat".to_owned(),
        (n, _) => format!("{n} ärenden är beslutade"),
    };
    let again = left.iter().map(|case| format!("arende={case}")).collect::<Vec<_>>().join("&");
    let undo = seconds_left(done.undo_until, now).filter(|_| done.may_undo && !decided.is_empty());
    DecidedPage {
        shell,
        notice,
        id: done.id,
        heading,
        by: done.by.clone(),
        at: Moment::new(done.at, now),
        what: match what.as_slice() {
            [(words, _)] => vec![format!("{words}.")],
            several => several.iter().map(|(words, n)| format!("{words}: {n}.")).collect(),
        },
        is_done,
        undo: undo.map(|seconds| (seconds, done.undo_until.to_string())),
        decided,
        undone,
        decided_since,
        stays,
        refused,
        not_come_to,
        again: (!left.is_empty()).then(|| format!("/flera?{again}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::view::together::Rest;

    #[test]
    fn a_time_to_rest_until_stays_chosen_when_the_page_is_shown_again() {
        let now: Timestamp = "2026-11-06T08:01:00Z".parse().unwrap();
        let due = "2026-12-31T00:00:00Z".parse().ok();
        let filled = |chosen: &str| Filled {
            rest: Rest { chosen: chosen.into(), ..Rest::default() },
            ..Filled::default()
        };
        let chosen = |hold| {
            let all = holds(due, &filled(hold), now).into_iter();
            all.filter(|(_, chosen)| *chosen).map(|(hold, _)| hold.label).collect::<Vec<_>>()
        };
        assert_eq!(chosen("2026-11-06T12:00:00Z"), ["i eftermiddag kl. 13.00"]);
        // An hour from the minute before is offered no more.
        assert_eq!(chosen("2026-11-06T09:00:00Z"), ["i dag 10:00"]);
        assert!(chosen("egen").is_empty() && chosen("").is_empty());
        assert!(chosen("2026-11-06T08:00:00Z").is_empty(), "that time is over");
    }

    #[test]
    fn numbers_of_no_case_are_told() {
        assert_eq!(unknown_words(&[]), None);
        assert_eq!(unknown_words(&[CaseId(7)]).unwrap(), "Ärende 7 finns inte.");
        let three = [CaseId(7), CaseId(8), CaseId(9)];
        assert_eq!(unknown_words(&three).unwrap(), "Ärendena 7, 8 och 9 finns inte.");
    }
}
