//! `uppsikt lexicon check|stats|test`: for those who write words and rules.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::classify::lexicon::{Lexicon, lint, trial};
use crate::classify::{Classifier, Scratch};
use crate::cli::classify::sources;
use crate::cli::{contribution, fit};
use crate::services::rule_desk;

/// Granskar, räknar och provar ordlistor.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Vad som ska göras.
    #[command(subcommand)]
    pub command: Command,
    /// Mapp med ordlistor i stället för de inbyggda.
    #[arg(long, global = true)]
    pub lexicons: Option<PathBuf>,
}

/// What to do with the lexicon.
#[derive(Clone, Debug, PartialEq, clap::Subcommand)]
pub enum Command {
    /// Visar fel med fil, rad och hur de rättas, och varnar för fällor.
    Check {
        /// Avsluta med felkod också när det bara finns varningar.
        #[arg(long)]
        strict: bool,
    },
    /// Räknar ord, former och regler.
    Stats,
    /// Kör varje regels egna exempel och motexempel.
    Test,
    /// Provar regler åt den som redigerar dem på webbsidan: ett uppdrag in, ett svar ut.
    #[command(hide = true)]
    Examine,
    /// Läser ord från standard in, ett per rad, och skriver dem som tas för felstavade ord ur listorna.
    Collisions,
    /// Läser texter från standard in, en per rad, och skriver de tecken som vägs i varje.
    Cues,
    /// Räknar fram vikter och gränser ur kommentarer som människor har bedömt.
    Fit(fit::Args),
    /// Visar vad varje fil och regelgrupp ger: hur många bedömda kommentarer som är rätt tack vare den.
    Contribution(contribution::Args),
}

/// Runs the command.
///
/// # Errors
/// The lexicon cannot be read, or standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.command == Command::Examine {
        rule_desk::serve(std::io::stdin().lock(), std::io::stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    }
    // Always from the sources: whoever asks here asks about these.
    let sources = sources(args.lexicons.as_deref())?;
    let classifier = Classifier::new(Lexicon::compile(&sources));
    let lexicon = classifier.lexicon();
    let mut out = std::io::stdout().lock();
    match &args.command {
        Command::Check { strict } => {
            for complaint in &lexicon.complaints {
                writeln!(out, "{complaint}")?;
            }
            let warnings = lint::warnings(&sources, &classifier);
            for warning in &warnings {
                writeln!(out, "Varning: {warning}")?;
            }
            let told = match warnings.len() {
                0 => String::new(),
                n => format!(" {n} varningar."),
            };
            if lexicon.complaints.is_empty() {
                let (n, version) = (lexicon.rules.len(), &lexicon.version);
                writeln!(out, "Inga fel.{told} {n} regler, version {version}.")?;
            } else {
                writeln!(out, "{} fel.{told}", lexicon.complaints.len())?;
            }
            let passed = lexicon.complaints.is_empty() && (warnings.is_empty() || !strict);
            Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Stats => {
            let counts = &lexicon.counts;
            for file in counts
                .lexemes
                .keys()
                .chain(counts.rules.keys())
                .collect::<std::collections::BTreeSet<_>>()
            {
                let n = |map: &std::collections::BTreeMap<String, usize>| {
                    map.get(file).copied().unwrap_or(0)
                };
                writeln!(out, "{file}: {} ord, {} regler", n(&counts.lexemes), n(&counts.rules))?;
            }
            writeln!(out, "Ordklasser: {}", counts.classes)?;
            writeln!(out, "Regler: {}", lexicon.rules.len())?;
            writeln!(out, "Former: {}", lexicon.words.n_forms())?;
            writeln!(out, "Minne för former: {} kB", lexicon.words.n_bytes() / 1000)?;
            writeln!(out, "Version: {}", lexicon.version)?;
            Ok(ExitCode::SUCCESS)
        }
        // Done above, without these sources.
        Command::Examine => Ok(ExitCode::SUCCESS),
        Command::Collisions => {
            let mut scratch = Scratch::default();
            for word in std::io::stdin().lock().lines() {
                let word = word?;
                if let Some(target) = classifier.taken_for(&mut scratch, word.trim()) {
                    writeln!(out, "{}\t{target}", word.trim())?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Fit(args) => {
            drop(out);
            fit::run(args, &classifier)
        }
        Command::Cues => {
            let mut scratch = Scratch::default();
            for text in std::io::stdin().lock().lines() {
                let text: String = serde_json::from_str(&text?)?;
                serde_json::to_writer(&mut out, &classifier.cues(&mut scratch, &text))?;
                writeln!(out)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Contribution(args) => {
            contribution::run(args, &sources, &classifier, &mut out)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Test => {
            let (n, failed) = trial::run(&classifier);
            for f in &failed {
                let what = if f.should_hit {
                    "borde ge träff men gör det inte"
                } else {
                    "ger träff men ska inte göra det"
                };
                writeln!(
                    out,
                    "{}:{}: {}: ”{}” {what}; andra träffar: {}",
                    f.file,
                    f.line,
                    f.rule,
                    f.text,
                    f.others.join(", ")
                )?;
            }
            writeln!(out, "{} av {n} exempel stämmer.", n - failed.len())?;
            Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
