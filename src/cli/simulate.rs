//! `uppsikt simulate`: a labelled simulator of a platform by itself, for drills.

use std::net::SocketAddr;
use std::process::ExitCode;

use super::runtime;
use crate::app::simulate::{Drill, SIMULATED, fault_names, simulate};
use crate::domain::account::PlatformKind;
use crate::runtime::clock::Clock;

/// Startar en simulator av en plattform på den här datorn, med påhittade kommentarer och de fel som önskas.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = after_help())]
pub struct Args {
    /// Plattformen.
    #[arg(value_name = "PLATTFORM", value_parser = platform)]
    platform: PlatformKind,
    /// Adressen, på den egna datorn.
    #[arg(long, value_name = "ADRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// Fel som ska inträffa, med komma emellan.
    #[arg(long, value_name = "FEL", value_delimiter = ',')]
    faults: Vec<String>,
    /// Hur många anrop av tusen som går fel.
    #[arg(long, value_name = "ANTAL", default_value_t = 100, value_parser = clap::value_parser!(u16).range(0..=1000))]
    per_thousand: u16,
    /// Samma frö och samma anrop ger samma fel.
    #[arg(long, value_name = "TAL", default_value_t = 1)]
    seed: u64,
}

fn platform(text: &str) -> Result<PlatformKind, String> {
    let known = PlatformKind::from_id(text).filter(|kind| SIMULATED.contains(kind));
    known.ok_or_else(|| {
        let all: Vec<_> = SIMULATED.iter().map(|kind| kind.id()).collect();
        format!("välj en av {}", all.join(", "))
    })
}

fn after_help() -> String {
    let platforms: Vec<_> = SIMULATED.iter().map(|kind| kind.id()).collect();
    let faults: Vec<_> = fault_names().collect();
    format!("Plattformar: {}\nFel: {}", platforms.join(", "), faults.join(", "))
}

/// Runs the simulator until it is asked to stop.
///
/// # Errors
/// Whatever keeps it from starting, in Swedish with its mend.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let drill = Drill {
        platform: args.platform,
        listen: args.listen,
        faults: args.faults.clone(),
        per_thousand: if args.faults.is_empty() { 0 } else { args.per_thousand },
        seed: args.seed,
    };
    runtime()?.block_on(async {
        let simulated = simulate(drill, Clock::system()).await?;
        println!("# {} Avsluta med Ctrl-C.", simulated.base);
        println!("# Kontot i config.toml, och variablerna som det läser:");
        println!("\n{}", simulated.account);
        for (name, value) in &simulated.variables {
            println!("# {name}={value}");
        }
        tokio::signal::ctrl_c().await?;
        Ok(ExitCode::SUCCESS)
    })
}
