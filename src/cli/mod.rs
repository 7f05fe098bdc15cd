//! The command line: one file per command, data on stdout, progress on stderr.
//!
//! Exit codes: 0 done, 1 the check failed, 2 usage or configuration, 3 done with per-record
//! errors.

/// Prints a line of a command's answer.
macro_rules! say {
    ($($words:tt)*) => { $crate::cli::print_line(format_args!($($words)*)) };
}

pub mod accounts;
pub mod archive;
pub mod backtest;
pub mod bench;
pub mod classify;
pub mod contribution;
pub mod demo;
pub mod doctor;
pub mod evidence;
pub mod explain;
pub mod fit;
pub mod input;
pub mod intake;
pub mod keys;
pub mod lexicon;
pub mod policy;
mod resume;
pub mod rules;
pub mod serve;
pub mod simulate;
mod swedish;
pub mod users;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _};

use crate::config::{self, Config};
use crate::telemetry::{self, FILTER_VARIABLE};

/// Modereringsstöd för svenska myndigheter: hittar, säkrar bevis, köar, genomför och visar.
#[derive(clap::Parser)]
#[command(name = "uppsikt", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Demo(demo::Args),
    Serve(serve::Args),
    Classify(classify::Args),
    Bench(bench::Args),
    Backtest(backtest::Args),
    Explain(explain::Args),
    Lexicon(lexicon::Args),
    Rules(rules::Args),
    Policy(policy::Args),
    Evidence(evidence::Args),
    Accounts(accounts::Args),
    Archive(archive::Args),
    Intake(intake::Args),
    Simulate(simulate::Args),
    Users(users::Args),
    Keys(keys::Args),
    Doctor(doctor::Args),
}

/// Reads a command line.
///
/// # Errors
/// How the process ends where there is nothing to run: after help, or after telling what was wrong.
pub fn parse(
    line: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Arguments, ExitCode> {
    let command = swedish::in_swedish(Arguments::command());
    let read = command
        .try_get_matches_from(line)
        .and_then(|mut matches| Arguments::from_arg_matches_mut(&mut matches));
    read.map_err(|error| match swedish::complaint(&error) {
        Some(complaint) => {
            eprintln!("{complaint}");
            ExitCode::from(2)
        }
        None => {
            // A terminal that has gone wants no help.
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { 2 } else { 0 })
        }
    })
}

/// Runs the command and tells how it went.
pub fn run(arguments: Arguments) -> ExitCode {
    // Before there is another thread.
    crate::runtime::allocator::give_back_large_blocks();
    let outcome = match arguments.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Classify(args) => classify::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Backtest(args) => backtest::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Lexicon(args) => lexicon::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Evidence(args) => evidence::run(&args),
        Command::Accounts(args) => accounts::run(&args),
        Command::Archive(args) => archive::run(&args),
        Command::Intake(args) => intake::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Users(args) => users::run(&args),
        Command::Keys(args) => keys::run(&args),
        Command::Doctor(args) => doctor::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::from(2)
    })
}

/// Writes one line to stdout. A reader that has gone (`| head`) wants no more, and what the command does goes on
/// without it; any other failure ends the command, since its answer is lost.
fn print_line(words: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_fmt(words).and_then(|()| out.write_all(b"\n"))
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("svaret kunde inte skrivas: {error}");
        std::process::exit(2);
    }
}

/// Where the configuration is.
#[derive(clap::Args, Clone, Debug)]
pub struct ConfigFile {
    /// Inställningarna.
    #[arg(long, global = true, default_value = "config.toml", value_name = "FIL")]
    config: PathBuf,
}

impl ConfigFile {
    fn load(&self) -> anyhow::Result<Config> {
        Ok(config::load(&self.config, &|name| std::env::var(name).ok())?)
    }

    /// The part that connecting an account needs.
    fn load_tokens(&self) -> anyhow::Result<config::Connecting> {
        Ok(config::load_tokens(&self.config)?)
    }
}

/// Sets up logging as the configuration says, or as `UPPSIKT_LOG` says.
fn init_logging(config: &Config) -> anyhow::Result<()> {
    let filter = std::env::var(FILTER_VARIABLE).ok();
    telemetry::init(config.log.format, config.log.level, filter.as_deref())
        .context("loggningen kunde inte sättas upp")
}

/// The runtime of commands that wait for something.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("operativsystemet gav inga trådar")
}
