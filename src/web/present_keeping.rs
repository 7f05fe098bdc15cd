//! What the services of keeping give → display values.

use jiff::Timestamp;

use crate::domain::calendar::local;
use crate::domain::policy::Policy;
use crate::domain::retention::{
    Destroyed, Disposal, DisposalState, Exemption, RetentionClass, Sweep,
};
use crate::services::case_file::CaseFile;
use crate::services::custody::{Custody, CustodyEvent};
use crate::services::disposal::plan::Plan;
use crate::services::disposal::rules::rules;
use crate::services::disposal::{Overview, UnderPolicy, Waiting, unknown_words};
use crate::services::verification::{Checks, Found};

use super::view::case::{CustodyRow, ExemptionView, SecrecyView};
use super::view::keeping::{
    ClassView, DisposalPage, DueView, LastCheck, PolicyView, ProposalView, ProtocolView, RulesView,
    SweptView, VerificationPage,
};
use super::view::shell::{Notice, Shell};
use super::view::times::Moment;
use super::view::words::{count, size, thousands};

use crate::domain::ids::{CaseId, UserId};

fn number(n: u64) -> String {
    thousands(usize::try_from(n).unwrap_or(usize::MAX))
}

fn extent((cases, records): (u64, u64)) -> String {
    let cases = usize::try_from(cases).unwrap_or(usize::MAX);
    format!("{}, {} bevis", count(cases, "ärende", "ärenden"), number(records))
}

/// The events around a case's records, for its page.
pub fn custody(custody: &Custody, now: Timestamp) -> Vec<CustodyRow> {
    let row = |event: &CustodyEvent| CustodyRow {
        at: Moment::exact(event.at, now),
        who: event.who.clone(),
        what: match event.evidence {
            Some(id) => format!("{} ({id})", event.what),
            None => event.what.to_owned(),
        },
        times: event
            .since
            .map(|since| format!("{} gånger sedan {}", event.n, Moment::new(since, now).short)),
        detail: event.detail.clone(),
    };
    custody.events.iter().map(row).collect()
}

/// The exemption that covers a case.
pub fn exemption(hold: &Exemption, case: CaseId, now: Timestamp) -> ExemptionView {
    let own = hold.case == case;
    let words = match own {
        true => format!("Satt av {}.", hold.set_by),
        false => format!("Ärende {} i samma tråd är undantaget av {}.", hold.case, hold.set_by),
    };
    ExemptionView { own, words, reason: hold.reason.clone(), at: Moment::new(hold.set_at, now) }
}

/// The smaller circle that opens a case.
pub fn secrecy(file: &CaseFile) -> SecrecyView {
    let known = file.secrecy.as_ref();
    let of = |users: &[(UserId, String)]| {
        users.iter().map(|(user, name)| (user.0, name.clone())).collect::<Vec<_>>()
    };
    SecrecyView {
        mark: known.and_then(|known| known.mark.as_ref()).map(|mark| {
            let day = local(mark.set_at).date();
            let stamp = format!("Sekretess. {}. {day}.", mark.provision.trim_end_matches('.'));
            (stamp, mark.set_by.1.clone(), mark.reason.clone())
        }),
        circle: known.map(|known| known.circle.clone()),
        named: known.map(|known| of(&known.named)).unwrap_or_default(),
        others: known.map(|known| of(&known.others)).unwrap_or_default(),
        proposed: file.secrecy_proposed && known.is_none_or(|known| known.mark.is_none()),
        may_mark: file.may_mark_secrecy,
        may_lift: file.may_lift_secrecy,
    }
}

fn swept(sweep: Sweep, now: Timestamp) -> SweptView {
    SweptView {
        at: Moment::new(sweep.at, now),
        account: sweep.name,
        n_items: number(sweep.n_items),
        before: local(sweep.before).date().to_string(),
        decision: sweep.decision,
    }
}

fn summary(plan: &Plan) -> Option<String> {
    if plan.due.is_empty() {
        return None;
    }
    let Destroyed { n_files, n_bytes, n_shared } = plan.destroyed;
    let kept = match n_shared {
        0 => String::new(),
        n => format!(
            " {} delas med bevis som finns kvar, och sparas.",
            count(usize::try_from(n).unwrap_or(usize::MAX), "fil", "filer")
        ),
    };
    let n = (plan.due.len() as u64, plan.lines.len() as u64);
    let files = if n_files == 1 { "fil" } else { "filer" };
    Some(format!("{}: {} {files} ({}) förstörs.{kept}", extent(n), number(n_files), size(n_bytes)))
}

fn rules_view(policy: &Policy, plan: Plan, now: Timestamp) -> Result<RulesView, String> {
    let (retention, decision) = rules(policy)?;
    let class = |class: &RetentionClass| {
        let rule = retention.rule(*class);
        ClassView {
            label: class.label(),
            time: rule.months.map_or("bevaras".to_owned(), crate::domain::retention::months),
            why: rule.why.clone(),
            n_due: plan.due.iter().filter(|due| due.class == *class).count(),
        }
    };
    Ok(RulesView {
        plan: retention.plan.clone(),
        decision: decision.to_owned(),
        four_eyes: retention.four_eyes,
        classes: RetentionClass::ALL.iter().map(class).collect(),
        summary: summary(&plan),
        due: plan
            .due
            .iter()
            .map(|due| DueView {
                case: due.case,
                account: due.account.clone(),
                class: due.class.label(),
                closed: Moment::new(due.closed_at, now),
                due: Moment::new(due.due_at, now),
                n_records: due.records.len(),
            })
            .collect(),
        more: plan.more,
        spared: plan.spared,
        more_spared: plan.more_spared,
    })
}

fn policy_view(under: UnderPolicy, alone: bool, now: Timestamp) -> PolicyView {
    let UnderPolicy { policy, accounts, plan } = under;
    let accounts = match accounts.is_empty() {
        true => "inga konton".to_owned(),
        false => accounts.join(", "),
    };
    PolicyView {
        version: policy.version.to_hex(),
        of: (!alone).then(|| format!("{}: {accounts}", policy.name)),
        rules: plan.and_then(|plan| rules_view(&policy, plan, now)),
    }
}

/// A proposal with the cases that it is about, as they were proposed.
fn proposal(waiting: Waiting, now: Timestamp) -> ProposalView {
    let Waiting { row, lines: of, may, hindered, shown } = waiting;
    let mut lines: Vec<DueView> = Vec::new();
    for line in of {
        match lines.last_mut().filter(|last| last.case == line.case) {
            Some(last) => last.n_records += 1,
            None => lines.push(DueView {
                case: line.case,
                account: line.account,
                class: line.class.label(),
                closed: Moment::new(line.closed_at, now),
                due: Moment::new(line.due_at, now),
                n_records: 1,
            }),
        }
    }
    ProposalView {
        id: row.id,
        by: row.proposed_name,
        at: Moment::new(row.proposed_at, now),
        extent: extent(row.n),
        plan: row.plan,
        decision: row.decision,
        lines,
        may_approve: may,
        hindered,
        shown: shown.to_hex(),
    }
}

fn protocol(row: Disposal, now: Timestamp) -> ProtocolView {
    let (at, by) = row.ended.unwrap_or((row.proposed_at, String::new()));
    let done = row.state == DisposalState::Done;
    let reason = row.reason.unwrap_or_default();
    ProtocolView {
        id: row.id,
        at: Moment::new(at, now),
        what: match done {
            true => format!("gallrade {}", extent(row.n)),
            false => format!("drogs tillbaka: {reason}"),
        },
        who: format!(
            "föreslaget av {}, {} av {by}",
            row.proposed_name,
            match done {
                true => "genomfört",
                false => "tillbakadraget",
            }
        ),
        decision: row.decision,
        done,
    }
}

/// The page of disposal.
pub fn disposal(
    shell: Shell,
    notice: Option<Notice>,
    all: Overview,
    now: Timestamp,
) -> DisposalPage {
    let alone = all.plans.len() == 1;
    DisposalPage {
        shell,
        notice,
        policies: all.plans.into_iter().map(|under| policy_view(under, alone, now)).collect(),
        unknown: all.unknown.iter().map(|name| unknown_words(name)).collect(),
        proposed: all.proposed.map(|waiting| proposal(waiting, now)),
        earlier: all.earlier.into_iter().map(|row| protocol(row, now)).collect(),
        clock: all.clock,
        now: local(now).strftime("%Y-%m-%d kl. %H.%M").to_string(),
        swept: all.swept.into_iter().map(|sweep| swept(sweep, now)).collect(),
    }
}

fn counts(found: &Found) -> Vec<(&'static str, String)> {
    vec![
        ("Säkrade bevis", number(found.sealed)),
        ("Gallrade enligt protokoll", number(found.disposed)),
        ("Bevis som ännu inte är säkrade", number(found.wanted)),
        ("Omräknade filer", number(found.parts)),
        ("Poster i loggen", number(found.log_entries)),
        (
            "Undertecknade kontrollpunkter",
            format!(
                "{}, den senaste över {} poster",
                number(found.checkpoints),
                number(found.signed_entries)
            ),
        ),
        ("Tidsstämplar som håller", number(found.stamps)),
    ]
}

fn last_check(at: Timestamp, by: String, found: Found, now: Timestamp) -> LastCheck {
    let at = Moment::new(at, now);
    if found.broken_off {
        let why = found.faults.into_iter().next().map(|fault| fault.what);
        // Nothing was counted to its end, and nothing found wrong.
        let broken_off = Some(why.unwrap_or_default());
        let (counts, notes, faults) = (Vec::new(), Vec::new(), Vec::new());
        return LastCheck { at, by, whole: false, broken_off, counts, notes, faults };
    }
    LastCheck {
        at,
        by,
        whole: found.whole,
        broken_off: None,
        counts: counts(&found),
        notes: found.notes,
        faults: found.faults.into_iter().map(|fault| (fault.place, fault.what)).collect(),
    }
}

/// The page of verification.
pub fn verification(
    shell: Shell,
    notice: Option<Notice>,
    checks: Checks,
    now: Timestamp,
) -> VerificationPage {
    let running = checks.running.map(|running| {
        let how_far = match running.at {
            Some((what, n)) => format!("Hittills {} {what}.", number(n)),
            None => "Den har just börjat.".to_owned(),
        };
        (Moment::new(running.began_at, now), running.by, how_far)
    });
    let whole_last = checks.last.as_ref().is_some_and(|(_, _, _, found)| found.whole);
    VerificationPage {
        shell,
        notice,
        running,
        last: checks.last.map(|(_, at, by, found)| last_check(at, by, found, now)),
        last_whole: checks.last_whole.filter(|_| !whole_last).map(|at| Moment::new(at, now)),
        has_witnesses: checks.has_witnesses,
    }
}
