//! `uppsikt rules`: what each rule has done, which are set aside, and back in force with them.

use std::io::Write as _;
use std::process::ExitCode;

use super::{ConfigFile, init_logging, runtime};
use crate::app;
use crate::domain::rule_watch::RuleFigures;
use crate::runtime::clock::Clock;
use crate::services::rule_book::{self, Desk};
use crate::services::rule_desk::Bench;
use crate::services::{ServiceError, lexicons, rules};

/// Visar hur ofta varje regel slår till, och sätter regler i och ur skugga.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Visar regler med träffar i dag och de senaste 28 dygnen, och vilka som är satta i skugga.
    List {
        /// Som JSON, en rad per regel.
        #[arg(long)]
        json: bool,
    },
    /// Sätter en regel i skugga: den räknas men visas inte, om den inte är av hög allvarlighet.
    Shadow {
        /// Regelns id.
        rule: String,
        /// Varför.
        #[arg(long)]
        why: String,
        /// Vem som gör det, till loggen.
        #[arg(long)]
        who: String,
    },
    /// Tar en regel i bruk igen. Visar först vad den har gjort.
    Promote {
        /// Regelns id.
        rule: String,
        /// Vem som gör det, till loggen.
        #[arg(long)]
        who: String,
    },
}

/// Runs the command. Works beside a running daemon.
///
/// # Errors
/// What the person must change, in Swedish.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = args.config.load()?;
    init_logging(&config)?;
    let clock = Clock::system();
    let (store, _evidence) = app::open_stores(&config, clock.clone())?;
    let mut out = std::io::stdout().lock();
    runtime()?.block_on(async {
        match &args.command {
            Command::List { json } => {
                for figures in rules::figures(&store, &clock).await.map_err(in_words)? {
                    let line = if *json { in_json(&figures) } else { in_line(&figures) };
                    writeln!(out, "{line}")?;
                }
                for alarm in rules::alarms(&store, &clock).await.map_err(in_words)? {
                    eprintln!("{}", alarm.words());
                }
            }
            Command::Shadow { rule, why, who } => {
                let kept = lexicons::beside(&config.store_path);
                let loader = lexicons::Loader::start()?;
                let desk = Desk { bench: Bench::of_this_program(), kept, loader };
                let (classifier, _) = rule_book::begin(&store, &desk).await.map_err(in_words)?;
                let lexicon = classifier.lexicon();
                let set = rules::set_aside(&store, &clock, lexicon, rule, why, who);
                set.await.map_err(in_words)?;
                eprintln!("{rule} är satt i skugga.");
            }
            Command::Promote { rule, who } => {
                let all = rules::figures(&store, &clock).await.map_err(in_words)?;
                for figures in all.iter().filter(|f| f.rule == *rule) {
                    writeln!(out, "{}", in_line(figures))?;
                }
                rules::promote(&store, &clock, rule, who).await.map_err(in_words)?;
                eprintln!("{rule} är i bruk igen.");
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn in_words(error: ServiceError) -> anyhow::Error {
    match error {
        ServiceError::Refused { why }
        | ServiceError::Conflict { why }
        | ServiceError::TryLater { why }
        | ServiceError::Shut { why }
        | ServiceError::Damaged { why }
        | ServiceError::NotWritable { why } => anyhow::anyhow!(why),
        error @ (ServiceError::NotFound { .. }
        | ServiceError::NotPermitted { .. }
        | ServiceError::Broken { .. }) => {
            anyhow::Error::new(error).context("reglerna kunde inte läsas eller ändras")
        }
    }
}

fn in_line(figures: &RuleFigures) -> String {
    let RuleFigures { rule, shadow, today, past, in_shadow } = figures;
    let state = match shadow {
        Some((at, why)) => format!("i skugga sedan {at}: {why}"),
        None if *in_shadow > 0 => format!("{in_shadow} räknade i skugga"),
        None => "i bruk".to_owned(),
    };
    format!(
        "{rule}\ti dag {} av {}\ttidigare {} av {}\t{state}",
        today.fired, today.of, past.fired, past.of
    )
}

fn in_json(figures: &RuleFigures) -> String {
    let RuleFigures { rule, shadow, today, past, in_shadow } = figures;
    serde_json::json!({
        "rule": rule, "today": today.fired, "texts_today": today.of, "past": past.fired,
        "texts_past": past.of, "in_shadow": in_shadow,
        "shadowed_at": shadow.as_ref().map(|s| s.0), "why": shadow.as_ref().map(|s| s.1.as_str()),
    })
    .to_string()
}
