//! `uppsikt serve`: the daemon and the web page.

use std::process::ExitCode;

use super::{ConfigFile, init_logging, runtime};
use crate::app::App;
use crate::runtime::clock::Clock;
use crate::telemetry::metrics::Metrics;

/// Kör tjänsten: hämtar, bedömer, säkrar, genomför och visar webbsidan.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
}

/// Runs until it is asked to stop.
///
/// # Errors
/// Whatever keeps it from starting, in Swedish with its mend.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = args.config.load()?;
    init_logging(&config)?;
    let metrics = Metrics::install()?;
    runtime()?.block_on(async {
        let app = App::build(&config, Clock::system(), metrics).await?;
        let listener = App::listen(config.server.listen).await?;
        let address = listener.local_addr()?;
        if !app.services().has_users().await? {
            eprintln!("Ingen kan logga in än. Lägg till någon med: uppsikt users add");
        }
        tracing::info!(%address, "ready");
        say!("Uppsikt svarar på http://{address}");
        app.run(listener).await?;
        Ok(ExitCode::SUCCESS)
    })
}
