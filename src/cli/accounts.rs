//! `uppsikt accounts`: what each account lets us do.

use std::process::ExitCode;

use super::ConfigFile;
use crate::app::accounts::{abilities_of_accounts, all_abilities};

/// Visar vad konton och plattformar klarar.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Vad som kan göras på varje konto i inställningarna, eller på alla plattformar.
    Capabilities {
        #[command(flatten)]
        config: ConfigFile,
        /// Alla plattformar som Uppsikt känner till, i stället för kontona.
        #[arg(long)]
        all: bool,
        /// Som JSON, en rad per konto eller plattform.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// Where the configuration cannot be read, or an account cannot be made of it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Command::Capabilities { config, all, json } = &args.command;
    let told = if *all { all_abilities() } else { abilities_of_accounts(&config.load()?)? };
    for able in told {
        if *json {
            let verbs: serde_json::Map<_, _> = able
                .verbs
                .iter()
                .map(|(verb, words)| ((*verb).to_owned(), words.as_str().into()))
                .collect();
            println!(
                "{}",
                serde_json::json!({
                    "account": able.account, "platform": able.platform.id(),
                    "connected": able.has_connector, "verbs": verbs, "hides": able.hide_effect,
                    "deletes": able.delete_effect, "storage": able.storage_terms,
                })
            );
            continue;
        }
        let account = able.account.map_or(String::new(), |account| format!(" ({account})"));
        let by_hand = if able.has_connector { "" } else { ": läses inte av Uppsikt än" };
        println!("{}{account}{by_hand}", able.platform.label());
        for (verb, words) in &able.verbs {
            println!("  {verb}: {words}");
        }
        println!("  när något döljs: {}", able.hide_effect);
        println!("  när något tas bort: {}", able.delete_effect);
        println!("  lagring: {}\n", able.storage_terms);
    }
    Ok(ExitCode::SUCCESS)
}
