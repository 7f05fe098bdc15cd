//! `uppsikt policy`: which policies there are, whether a file is one, and what follows from a finding.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::policy;
use crate::config::policy::ready::Ready;
use crate::domain::calendar::MONTHS;
use crate::domain::category::{Category, Severity, Task};
use crate::domain::duties::{Duties, PolicyGround, Told};
use crate::domain::item::ItemKind;
use crate::domain::policy::{Policy, Proposed, Rule};
use crate::domain::register::{self, Answered, Subject};

/// Visar riktlinjerna: vilka som finns, om en fil går att använda, och vad som följer av en träff.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Visar de färdiga riktlinjerna, med vad som skiljer dem åt.
    List {
        /// Som JSON, en rad per riktlinje.
        #[arg(long)]
        json: bool,
    },
    /// Kontrollerar riktlinjefiler; utan fil de färdiga.
    Check {
        /// Filerna.
        files: Vec<PathBuf>,
    },
    /// Förklarar vad som följer av en kategori, och varför.
    Explain {
        /// Kategorin, till exempel threat; "barn" för sexuellt innehåll om barn; "alla" för hela riktlinjen.
        category: String,
        /// En färdig riktlinje, eller en fil.
        #[arg(long, default_value = "standard", value_name = "NAMN|FIL")]
        policy: String,
    },
}

/// Runs the command.
///
/// # Errors
/// What the person must change, in Swedish.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match &args.command {
        Command::List { json } => {
            for ready in Ready::ALL {
                let policy = ready.read()?;
                let line = if *json { in_json(*ready, &policy) } else { in_line(*ready, &policy) };
                writeln!(out, "{line}")?;
            }
        }
        Command::Check { files } => return check(files, &mut out),
        Command::Explain { category, policy } => {
            let policy = named(policy)?;
            out.write_all(explained(&policy, category)?.as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A ready policy, or one from a file.
fn named(name: &str) -> anyhow::Result<Policy> {
    match Ready::from_id(name) {
        Some(ready) => Ok(ready.read()?),
        None if name.contains(['.', '/']) => Ok(policy::load(Path::new(name))?),
        None => {
            let names: Vec<_> = Ready::ALL.iter().map(|ready| ready.id()).collect();
            anyhow::bail!(
                "riktlinjen {name} finns inte: välj {}, eller skriv sökvägen till en fil",
                names.join(", ")
            )
        }
    }
}

fn check(files: &[PathBuf], out: &mut impl std::io::Write) -> anyhow::Result<ExitCode> {
    let mut whole = true;
    let ready = Ready::ALL.iter().filter(|_| files.is_empty());
    let ready = ready.map(|ready| (ready.file().to_owned(), ready.read()));
    let own = files.iter().map(|file| (file.display().to_string(), policy::load(file)));
    for (file, read) in ready.chain(own) {
        match read {
            Ok(policy) => writeln!(
                out,
                "{file}: {}, {} grunder, i ordning",
                policy.name,
                policy.duties.grounds.len()
            )?,
            Err(error) => {
                whole = false;
                eprintln!("{error}");
            }
        }
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn in_line(ready: Ready, policy: &Policy) -> String {
    let Duties { removal, answers, politics, register, .. } = &policy.duties;
    format!(
        "{}\t{}\tta bort: {}\tsvara: {}\t{}\t{}",
        ready.id(),
        ready.what(),
        removal.target.figure,
        answers.target.figure,
        politics.label(),
        register.on_removal.label(),
    )
}

fn in_json(ready: Ready, policy: &Policy) -> String {
    let duties = &policy.duties;
    let grounds: Vec<_> = duties
        .grounds
        .iter()
        .map(|g| {
            serde_json::json!({
                "code": g.ground.code(), "stands": g.standing.id(), "words": g.words, "source": g.source,
            })
        })
        .collect();
    serde_json::json!({
        "id": ready.id(), "name": policy.name, "file": ready.file(), "version": policy.version,
        "removal_clock": duties.removal.target.clock.id(), "removal_figure": duties.removal.target.figure,
        "answer_clock": duties.answers.target.clock.id(), "answer_figure": duties.answers.target.figure,
        "hours48": duties.answers.forty_eight.id(), "politics": duties.politics.id(),
        "register_on_removal": duties.register.on_removal.id(), "signature": duties.answers.signature.id(),
        "grounds": grounds,
    })
    .to_string()
}

fn explained(policy: &Policy, category: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{}", policy.name);
    match category {
        "barn" => child(&mut text),
        "alla" => {
            settings(&mut text, policy);
            for &category in Category::ALL {
                one(&mut text, policy, category);
            }
        }
        id => match id.parse() {
            Ok(category) => one(&mut text, policy, category),
            Err(_) => {
                let ids: Vec<_> = Category::ALL.iter().map(|c| c.id()).collect();
                anyhow::bail!("kategorin {id} finns inte: välj {}, barn eller alla", ids.join(", "))
            }
        },
    }
    Ok(text)
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
            "konton läses av minst var {}:e sekund, regler får slå till {} gånger så ofta innan de ställs åt sidan, slut efter {} timmar om inget annat sägs",
            crisis.poll_s, crisis.limit_times, crisis.hours
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
        row("Stänga konto", format!("tidigast {days} dagar efter besked på kontot"));
    }
    row(
        "Grunder",
        format!("{} av {}", duties.grounds.len(), crate::domain::ground::Ground::ALL.len()),
    );
}

const fn said(choice: Proposed) -> &'static str {
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
fn listed(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} och {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn place(source: Option<&str>) -> String {
    source.map_or_else(String::new, |source| format!(" ({source})"))
}

fn capitalised(words: &str) -> String {
    crate::domain::text::capitalised(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_of_every_ready_policy_is_explained() {
        for ready in Ready::ALL {
            let policy = ready.read().expect("valid");
            for category in Category::ALL {
                let text = explained(&policy, category.id()).expect("known");
                assert!(text.contains("Varför: ") && text.contains("Diariet: "), "{text}");
            }
            assert!(explained(&policy, "barn").expect("known").contains("16:10 a"));
        }
        let policy = named("standard").expect("valid");
        assert!(explained(&policy, "hett").expect_err("unknown").to_string().contains("threat"));
        assert!(named("lund").expect_err("unknown").to_string().contains("finspang"));
        assert!(named("/finns/inte.toml").is_err());
    }

    #[test]
    fn what_follows_and_why_reads_as_plain_swedish() {
        let five = ["jonkoping", "nassjo", "smedjebacken", "kungalv", "finspang"];
        let mut texts = String::new();
        for name in five {
            texts += &explained(&named(name).expect("valid"), "party_political").expect("known");
            texts += "\n";
        }
        texts += &explained(&named("finspang").expect("valid"), "sensitive_data").expect("known");
        texts += "\n";
        texts += &explained(&named("jonkoping").expect("valid"), "threat").expect("known");
        let mut whole = String::from("Nässjö\n");
        settings(&mut whole, &named("nassjo").expect("valid"));
        insta::assert_snapshot!("policy_explained", texts + "\n" + &whole);
    }
}
