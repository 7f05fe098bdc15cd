//! A policy in plain words (*vad riktlinjen säger*): what follows from each category and why, and the settings beside.

use std::fmt::Write as _;

use super::calendar::MONTHS;
use super::category::{Category, Severity, Task};
use super::duties::{PolicyGround, Told};
use super::ground::Ground;
use super::item::ItemKind;
use super::policy::{Policy, Proposed, Rule};
use super::register::{self, Answered, Subject};
use super::text::capitalised;

/// All of a policy: its name, its settings, then every category.
pub fn whole(policy: &Policy) -> String {
    // Writing to a text cannot fail.
    let mut text = format!("{}\n", policy.name);
    settings(&mut text, policy);
    for &category in Category::ALL {
        one(&mut text, policy, category);
    }
    text
}

/// What follows from one category.
pub fn of_category(policy: &Policy, category: Category) -> String {
    let mut text = format!("{}\n", policy.name);
    one(&mut text, policy, category);
    text
}

/// What follows where children are concerned, whatever the policy says.
pub fn of_children(policy: &Policy) -> String {
    let mut text = format!("{}\n", policy.name);
    child(&mut text);
    text
}

fn child(text: &mut String) {
    let _ = writeln!(
        text,
        "\nSexuellt innehåll om barn (barn)\n  Lagen lämnar inget val, vad riktlinjen än säger (brottsbalken 16:10 a).\n  Föreslås: dölj genast, diarieför uppgifterna om inlägget, ring polisen.\n  Inget kopieras, hämtas eller visas. Grunden är barnpornografibrott."
    );
}

fn one(text: &mut String, policy: &Policy, category: Category) {
    let rule = policy.rule(category);
    let _ = writeln!(text, "\n{} ({category})", capitalised(category.label()));
    let _ = writeln!(text, "  Varför: {}{}", rule.why, place(rule.source.as_deref()));
    for severity in [Severity::High, Severity::Medium, Severity::Low] {
        let line = rule.line(severity);
        let does: Vec<_> = line.choices.iter().map(|choice| said(*choice)).collect();
        let note = match (category.task(), severity) {
            (Task::Removal, Severity::Low) => " (en anteckning; öppnar inget ärende)",
            (Task::Removal | Task::Routing, _) => "",
        };
        let _ = writeln!(
            text,
            "  {} allvarsgrad: {}, {}{note}",
            capitalised(severity.label()),
            listed(&does),
            line.clock.label()
        );
    }
    grounds(text, policy, rule);
    diary(text, policy, rule);
    if !rule.tell.is_empty() {
        let told: Vec<_> = rule.tell.iter().map(|told: &Told| told.label()).collect();
        let _ = writeln!(text, "  Ska få veta: {}", told.join(", "));
    }
}

/// The grounds that a person is offered first.
fn grounds(text: &mut String, policy: &Policy, rule: &Rule) {
    for (n, ground) in rule.suggests.iter().enumerate() {
        let Some(PolicyGround { standing, words, source, .. }) = policy.duties.ground(*ground)
        else {
            continue;
        };
        let head = if n == 0 { "Grund" } else { "Annan grund" };
        let basis = policy.duties.ground(*ground).and_then(PolicyGround::basis);
        let basis = basis.map_or_else(String::new, |basis| format!(" [{basis}]"));
        let _ = writeln!(
            text,
            "  {head}: {words} ({}){basis}: {}{}",
            ground.code(),
            standing.label(),
            place(source.as_deref())
        );
    }
}

/// What the diary gets where the suggestion of high severity is followed.
fn diary(text: &mut String, policy: &Policy, rule: &Rule) {
    let removes = rule.high.choices.iter().any(|choice| choice.removes());
    let subject =
        Subject { kind: ItemKind::Comment, ground: rule.ground.filter(|_| removes), removes };
    let proposal = register::propose(&policy.duties, subject, &Answered::default());
    let _ = writeln!(text, "  Diariet: {}. {} ({})", proposal.label(), proposal.why, proposal.rule);
}

/// The settings that stand beside the categories.
fn settings(text: &mut String, policy: &Policy) {
    let duties = &policy.duties;
    let mut row = |what: &str, value: String| {
        let _ = writeln!(text, "  {what}: {value}");
    };
    if let Some(decision) = &duties.decision {
        let known = [
            decision.date.map(|day| day.to_string()),
            decision.reference.clone(),
            decision.replaces.as_ref().map(|old| format!("ersätter {old}")),
        ];
        let known: Vec<_> = known.into_iter().flatten().collect();
        row("Beslutad av", format!("{} {}", decision.body, known.join(", ")).trim().to_owned());
    }
    let steps: Vec<_> = duties.removal.steps.iter().map(|step| step.label()).collect();
    row("Ordning", steps.join(" → "));
    row(
        "Ta bort",
        format!("{} ({})", duties.removal.target.figure, duties.removal.target.clock.label()),
    );
    row(
        "Polisanmälan",
        match duties.removal.police {
            Some(strength) => format!("{} övervägas vid brott", strength.label()),
            None => "nämns inte".to_owned(),
        },
    );
    row(
        "Svara",
        format!("{} ({})", duties.answers.target.figure, duties.answers.target.clock.label()),
    );
    row("48 timmar betyder", duties.answers.forty_eight.label().to_owned());
    row("Underskrift", duties.answers.signature.label().to_owned());
    let to = duties.politics_to.as_ref().map_or_else(String::new, |to| format!(", till {to}"));
    row("Partipolitik", format!("{}{to}", duties.politics.label()));
    row(
        "Diariet",
        format!("{}; {}", duties.register.on_removal.label(), duties.register.target.label()),
    );
    for must in &duties.register.must {
        row("Ska diarieföras när", must.label().to_owned());
    }
    for must_not in &duties.register.must_not {
        row("Diariet, undantag", must_not.label().to_owned());
    }
    if duties.register.tell_citizen {
        row("Besked", "den som fört fram ett ärende får veta att det är diariefört".to_owned());
    }
    if duties.register.secrecy_ends_talk {
        row("Sekretess", "samtalet avbryts: inget svar publiceras".to_owned());
    }
    let links = match duties.follow_links {
        true => "följs när bevis tas, och vart de leder sparas som text",
        false => "följs inte",
    };
    row("Länkar i inlägg", links.to_owned());
    let archive = match duties.archive.per_year {
        Some(1) => "hela kontot en gång per år".to_owned(),
        Some(n) => format!("hela kontot {n} gånger per år"),
        None => "som dokumenthanteringsplanen säger".to_owned(),
    };
    row("Bevara", archive);
    if let Some(retention) = &policy.retention {
        row("Gallring", format!("enligt {}", retention.plan));
        let no_case = retention.no_case.as_ref();
        let uncased = match no_case.and_then(|no_case| Some((no_case.rule.months?, no_case))) {
            Some((months, no_case)) => {
                let after =
                    if months == 1 { "en månad".to_owned() } else { format!("{months} månader") };
                match &no_case.decision {
                    Some(decision) => {
                        format!("gallras {after} efter att de senast sågs, enligt {decision}")
                    }
                    None => format!("bevaras tills ett beslut nämner dem; sedan {after}"),
                }
            }
            None => "bevaras; riktlinjen har ingen regel om dem".to_owned(),
        };
        row("Inlägg utan ärende", uncased);
        if let Some(months) = retention.mask_after {
            row("Text och namn i avslutade", format!("dolda efter {months} månader"));
        }
    }
    let points = duties.escalation;
    row(
        "När ingen beslutar",
        format!(
            "kontoansvarig får veta när {} procent av tiden har gått, ersättaren {} och administratören {} minuter efter fristen",
            points.owner_percent, points.substitute_after_min, points.administrator_after_min
        ),
    );
    let watching = &duties.watching;
    let gap = watching.gap_min.map_or_else(String::new, |min| {
        format!(", högst {min} minuter emellan medan det är öppet")
    });
    row(
        "Uppsikt",
        format!(
            "{}{gap}; i kris högst {} minuter emellan",
            watching.how.label(),
            watching.crisis_gap_min
        ),
    );
    let crisis = duties.crisis;
    row(
        "Krisläge",
        format!(
            "konton läses av minst var {}:e sekund, regler får slå till {} gånger så ofta innan de ställs åt sidan, {}, {}, slut efter {} timmar om inget annat sägs",
            crisis.poll_s,
            crisis.limit_times,
            match crisis.central_queue {
                true => "alla redaktörer arbetar i en gemensam kö",
                false => "redaktörerna arbetar med sina konton som vanligt",
            },
            match crisis.tells_everybody {
                true => "alla redaktörer får besked om varje nytt ärende",
                false => "kontots egna får besked om varje nytt ärende",
            },
            crisis.hours
        ),
    );
    let accounts = &duties.accounts;
    row("Åtkomst", format!("minst {} {} ha den", accounts.least_holders, accounts.holders.label()));
    row("Konton", accounts.list.label().to_owned());
    if let Some(months) = accounts.inactive_months {
        row("Inaktivt konto", format!("efter {months} månader utan egna inlägg"));
    }
    if let Some(month) = accounts.inventory_month {
        let month = MONTHS[usize::from(month.unsigned_abs()).saturating_sub(1) % 12];
        row("Årlig genomgång", format!("i {month}: varje kontoansvarig bekräftar sitt konto"));
    }
    if let Some(days) = accounts.notice_days {
        let days = if days == 1 { "en dag".to_owned() } else { format!("{days} dagar") };
        row("Stänga konto", format!("tidigast {days} efter besked på kontot"));
    }
    if duties.changed_by_two {
        row("Ändras", "av två administratörer: en skriver och en annan godkänner".to_owned());
    }
    row("Grunder", format!("{} av {}", duties.grounds.len(), Ground::ALL.len()));
}

/// A suggestion as a word in a list.
pub const fn said(choice: Proposed) -> &'static str {
    match choice {
        Proposed::Hide => "dölj",
        Proposed::Delete => "ta bort",
        Proposed::Register => "diarieför",
        Proposed::Answer => "svara",
        Proposed::Refer => "hänvisa",
        Proposed::Forward => "vidarebefordra",
        Proposed::Dismiss => "låt stå",
        Proposed::ConsiderPoliceReport => "överväg polisanmälan",
    }
}

/// `a, b och c`.
pub fn listed(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} och {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn place(source: Option<&str>) -> String {
    source.map_or_else(String::new, |source| format!(" ({source})"))
}
