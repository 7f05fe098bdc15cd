//! `uppsikt doctor`: what is in order, what is not, and how to mend it.

use std::process::ExitCode;

use super::{ConfigFile, init_logging, runtime};
use crate::app;
use crate::runtime::clock::Clock;

/// Kontrollerar inställningar, databas, bevis, konton, webbläsare, klocka och disk.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Som JSON, en rad per kontroll.
    #[arg(long)]
    json: bool,
}

/// Runs every check; exit code 1 where one fails.
///
/// # Errors
/// Where the configuration cannot be read: that is the first check.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = args.config.load()?;
    init_logging(&config)?;
    let checks = runtime()?.block_on(app::doctor::diagnose(&config, Clock::system()));
    let mut all_well = true;
    for check in &checks {
        all_well &= check.found.is_ok();
        let (ok, words) = match &check.found {
            Ok(words) => (true, words),
            Err(words) => (false, words),
        };
        if args.json {
            say!("{}", serde_json::json!({ "what": check.what, "ok": ok, "found": words }));
        } else {
            say!("{} {}: {words}", if ok { "✓" } else { "✗" }, check.what);
        }
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
