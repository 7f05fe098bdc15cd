//! The program: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;

/// Modereringsstöd för kommuner.
#[derive(clap::Parser)]
#[command(name = "uppsikt", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Classify(uppsikt::cli::classify::Args),
    Bench(uppsikt::cli::bench::Args),
    Explain(uppsikt::cli::explain::Args),
    Lexicon(uppsikt::cli::lexicon::Args),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Classify(args) => uppsikt::cli::classify::run(&args),
        Command::Bench(args) => uppsikt::cli::bench::run(&args),
        Command::Explain(args) => uppsikt::cli::explain::run(&args),
        Command::Lexicon(args) => uppsikt::cli::lexicon::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::from(2)
    })
}
