//! `uppsikt intake`: what comes in by other ways than platforms and the page.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::ConfigFile;
use crate::services::mailbox;

/// The largest message that is taken; what is larger the sender has to be told.
const MOST_BYTES: u64 = 50 * 1024 * 1024;
/// `EX_TEMPFAIL`: the mail server keeps the message and tries again.
const TRY_AGAIN: u8 = 75;

/// Tar emot det som kommer in på andra vägar än plattformar och webbsidan.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Tar emot ett brev på standard in och lägger det i brevlådan för anmälningar, till exempel ur ett alias hos
    /// e-postservern. Slutar med 75 om det inte gick, så att servern behåller brevet och försöker igen.
    Mail,
}

/// Runs the command. Works whether the daemon runs or not.
///
/// # Errors
/// What the person must change, in Swedish.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Command::Mail = args.command;
    // A fault in our own settings is no fault of the letter: whoever hands it over keeps it and tries again.
    let config = match args.config.load() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error:#}");
            return Ok(ExitCode::from(TRY_AGAIN));
        }
    };
    let Some(folder) = config.public_reports.mailbox else {
        eprintln!("ingen brevlåda är inställd: skriv `mailbox` i [public_reports]");
        return Ok(ExitCode::from(TRY_AGAIN));
    };
    let mut message = Vec::new();
    std::io::stdin()
        .lock()
        .take(MOST_BYTES + 1)
        .read_to_end(&mut message)
        .context("brevet kunde inte läsas")?;
    if message.len() as u64 > MOST_BYTES {
        bail!("brevet är större än 50 MB och tas inte emot");
    }
    if message.is_empty() {
        bail!("brevet är tomt");
    }
    match mailbox::drop_in(&folder, &message) {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("brevet kunde inte läggas i {}: {error}", folder.display());
            Ok(ExitCode::from(TRY_AGAIN))
        }
    }
}
