//! `uppsikt policy`: which policies there are, whether a file is one, and what follows from a finding.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{ConfigFile, init_logging, runtime};
use crate::app;
use crate::config::policy;
use crate::config::policy::ready::Ready;
use crate::domain::category::Category;
use crate::domain::duties::Duties;
use crate::domain::policy::Policy;
use crate::domain::policy_words;
use crate::runtime::clock::Clock;
use crate::services::ServiceError;
use crate::services::policies::{AUTHORITY, history};

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
    /// Visar versionerna av en riktlinje: vem som ändrade, när och varför, och vilken som gäller.
    Versions {
        /// Myndighetens, eller nyckeln för ett konto som har en egen.
        #[arg(default_value = AUTHORITY, value_name = "KONTO")]
        whose: String,
        /// Skriver ut texten i versionen med det här numret.
        #[arg(long, value_name = "NUMMER")]
        text: Option<i64>,
        /// Som JSON, en rad per version.
        #[arg(long, conflicts_with = "text")]
        json: bool,
        #[command(flatten)]
        config: ConfigFile,
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
        Command::Versions { whose, text, json, config } => {
            return versions((whose, *text, *json), config, &mut out);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn versions(
    (whose, text, json): (&str, Option<i64>, bool),
    config: &ConfigFile,
    out: &mut impl std::io::Write,
) -> anyhow::Result<ExitCode> {
    let config = config.load()?;
    init_logging(&config)?;
    let (store, _evidence) = app::open_stores(&config, Clock::system())?;
    let all = match runtime()?.block_on(history(&store, whose)) {
        Ok(all) => all,
        Err(ServiceError::NotFound { .. }) => {
            anyhow::bail!("kontot {whose} finns inte: skriv dess nyckel, eller {AUTHORITY}")
        }
        Err(error) => return Err(anyhow::Error::new(error).context("versionerna kunde inte läsas")),
    };
    if let Some(wanted) = text {
        let found = all.iter().find(|version| version.id.0 == wanted);
        let found = found.ok_or_else(|| anyhow::anyhow!("version {wanted} finns inte"))?;
        out.write_all(found.text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let rules = all.iter().filter_map(|version| version.seq).max();
    for version in &all {
        let by = version.made_by.as_ref().map_or("filen", |(_, name)| name);
        let state = match (version.ruled_from, version.withdrawn_at) {
            (Some(from), _) if version.seq == rules => format!("gäller sedan {from}"),
            (Some(from), _) => format!("gällde från {from}"),
            (None, Some(_)) => "drogs tillbaka".to_owned(),
            (None, None) => "väntar på godkännande".to_owned(),
        };
        match json {
            true => writeln!(
                out,
                "{}",
                serde_json::json!({
                    "version": version.id.0, "name": version.name, "sha256": version.hash, "by": by,
                    "at": version.made_at, "why": version.why, "ruled_from": version.ruled_from,
                    "approved_by": version.approved_by.as_ref().map(|(_, name)| name),
                    "withdrawn_at": version.withdrawn_at, "rules": version.seq.is_some() && version.seq == rules,
                })
            )?,
            false => writeln!(
                out,
                "{}\t{}\t{by}\t{state}\t{}",
                version.id, version.made_at, version.why
            )?,
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
    match category {
        "barn" => Ok(policy_words::of_children(policy)),
        "alla" => Ok(policy_words::whole(policy)),
        id => match id.parse() {
            Ok(category) => Ok(policy_words::of_category(policy, category)),
            Err(_) => {
                let ids: Vec<_> = Category::ALL.iter().map(|c| c.id()).collect();
                anyhow::bail!("kategorin {id} finns inte: välj {}, barn eller alla", ids.join(", "))
            }
        },
    }
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
        let whole = explained(&named("nassjo").expect("valid"), "alla").expect("known");
        // The settings alone: they end where the first category begins.
        let settings = whole.split_once("\n\n").map_or(&whole[..], |(settings, _)| settings);
        insta::assert_snapshot!("policy_explained", texts + "\n" + settings);
    }
}
