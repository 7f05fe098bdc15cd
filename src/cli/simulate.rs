//! `uppsikt simulate`: a labelled simulator of a platform by itself, for drills.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::runtime;
use crate::app::simulate::{Drill, SIMULATED, Simulated, fault_names, read_recording, simulate};
use crate::domain::account::PlatformKind;
use crate::runtime::clock::Clock;

/// Startar en simulator av en plattform på den här datorn, med påhittade kommentarer och de fel som önskas.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = after_help())]
pub struct Args {
    /// Plattformen.
    #[arg(value_name = "PLATTFORM", value_parser = platform, required_unless_present = "replay")]
    platform: Option<PlatformKind>,
    /// Spela upp en inspelning i stället: HAR, eller en kassett av VCR eller vcrpy (YAML).
    #[arg(long, value_name = "FIL", conflicts_with_all = ["platform", "faults"])]
    replay: Option<PathBuf>,
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
    /// Så många konton i stället för ett, vart och ett på en egen ledig port och från början tomt. Rader på standard in driver
    /// dem: "skriv NUMMER TEXT", "lugnt" (inga fel mer) och "läget" (vad som finns, som JSON).
    #[arg(long, value_name = "ANTAL", value_parser = clap::value_parser!(u32).range(1..=1000), conflicts_with = "replay")]
    accounts: Option<u32>,
}

/// How soon a call that was not recorded is told.
const LOOK: Duration = Duration::from_millis(500);

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
    if let Some(file) = &args.replay {
        return replay(file, args.listen);
    }
    let Some(platform) = args.platform else { anyhow::bail!("välj en plattform") };
    let drill = Drill {
        platform,
        listen: args.listen,
        faults: args.faults.clone(),
        per_thousand: if args.faults.is_empty() { 0 } else { args.per_thousand },
        seed: args.seed,
        number: None,
    };
    if let Some(n) = args.accounts {
        return runtime()?.block_on(many(drill, n));
    }
    runtime()?.block_on(async {
        let simulated = simulate(drill, Clock::system()).await?;
        say!("# {} Avsluta med Ctrl-C.", simulated.base);
        say!("# Kontot i config.toml, och variablerna som det läser:");
        say!("\n{}", simulated.account);
        for (name, value) in &simulated.variables {
            say!("# {name}={value}");
        }
        tokio::signal::ctrl_c().await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Many accounts of a platform, until the lines that drive them end.
async fn many(drill: Drill, n: u32) -> anyhow::Result<ExitCode> {
    let mut all = Vec::new();
    for number in 1..=n {
        let listen = SocketAddr::new(drill.listen.ip(), 0);
        let seed = drill.seed.wrapping_add(number.into());
        let one = Drill { number: Some(number), listen, seed, ..drill.clone() };
        let simulated = simulate(one, Clock::system()).await?;
        say!("{}", simulated.account);
        for (name, value) in &simulated.variables {
            say!("# {name}={value}");
        }
        all.push(simulated);
    }
    say!("# Klart.");
    loop {
        let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next());
        let Some(line) = line.await?.transpose()? else { return Ok(ExitCode::SUCCESS) };
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("skriv"), Some(number), Some(text)) => {
                let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                let one = place.and_then(|place| all.get(place));
                let one = one.ok_or_else(|| anyhow::anyhow!("det finns inget konto {number}"))?;
                one.write(text).await;
            }
            (Some("lugnt"), None, None) => all.iter().for_each(Simulated::calm),
            (Some("läget"), None, None) => {
                for one in &all {
                    say!("{}", serde_json::to_string(&one.standing().await)?);
                }
            }
            _ => anyhow::bail!("`{line}` är inget av skriv NUMMER TEXT, lugnt och läget"),
        }
    }
}

/// Plays a recording back until it is asked to stop; then tells what did not fit.
fn replay(file: &Path, listen: SocketAddr) -> anyhow::Result<ExitCode> {
    let recording = read_recording(file)?;
    let hosts: Vec<_> = recording.hosts().map(str::to_owned).collect();
    let n = recording.n_calls();
    runtime()?.block_on(async {
        let replay = recording.play(listen).await?;
        say!("# Spelar upp {n} anrop till {} på {} Avsluta med Ctrl-C.", hosts.join(", "), replay.base());
        say!("# I kontot i config.toml: simulated = true, och den adressen som `url` eller `api_url`.");
        let mut told = 0;
        loop {
            let stopped = tokio::select! {
                stopped = tokio::signal::ctrl_c() => Some(stopped),
                () = tokio::time::sleep(LOOK) => None,
            };
            let unmatched = replay.unmatched();
            for call in &unmatched[told..] {
                eprintln!("Inte inspelat: {}", call.call);
                if let Some(nearest) = &call.nearest {
                    eprintln!("  närmast:     {nearest}");
                }
            }
            told = unmatched.len();
            if let Some(stopped) = stopped {
                stopped?;
                for call in replay.unplayed() {
                    eprintln!("Inspelat, men inte anropat: {call}");
                }
                return Ok(if told == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) });
            }
        }
    })
}
