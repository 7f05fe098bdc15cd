//! `uppsikt archive`: archive runs of whole accounts.

use std::path::PathBuf;
use std::process::ExitCode;

use super::users::in_words;
use super::{ConfigFile, init_logging, runtime};
use crate::app;
use crate::domain::archive_run::{Occasion, RunId};
use crate::runtime::clock::Clock;
use crate::services::archive_runs;
use crate::services::deliveries::PackageForm;

/// Arkivkörningar: hela kontons utseende och innehåll, fångade för arkivet.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Listar körningarna, den nyaste först.
    List {
        /// Bara det här kontots, efter dess nyckel.
        #[arg(long, value_name = "NYCKEL")]
        account: Option<String>,
        /// Som JSON, en rad per körning.
        #[arg(long)]
        json: bool,
    },
    /// Visar vad en körning fångade, och vad den inte kunde fånga och varför.
    Show {
        /// Körningens nummer.
        run: i64,
        /// Som JSON.
        #[arg(long)]
        json: bool,
    },
    /// Begär en extra körning av ett konto. Tjänsten gör den inom någon minut.
    Run {
        /// Kontots nyckel.
        account: String,
        /// Varför.
        #[arg(long, value_enum, default_value_t = Why::Annat)]
        why: Why,
        /// En anteckning till körningen.
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
    /// Skriver en körning som paket.
    Export {
        /// Körningens nummer.
        run: i64,
        /// Paketets fil; får inte finnas. En leverans (eark) blir zip eller tar efter filens ändelse, annars en mapp.
        #[arg(long, value_name = "FIL")]
        out: PathBuf,
        /// zip: ett paket att skicka. eark: en leverans till ett e-arkiv enligt FGS Paketstruktur (E-ARK).
        #[arg(long, value_enum, default_value_t = Format::Eark)]
        format: Format,
        /// Skäl, där något på kontot är sekretessmarkerat. Det antecknas i läsloggen.
        #[arg(long, value_name = "SKÄL")]
        secrecy: Option<String>,
    },
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Why {
    Ombyggnad,
    Avslut,
    Annat,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Format {
    Zip,
    Eark,
}

impl Why {
    const fn occasion(self) -> Occasion {
        match self {
            Self::Ombyggnad => Occasion::Redesign,
            Self::Avslut => Occasion::Closing,
            Self::Annat => Occasion::Other,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Where the configuration cannot be read, or what is asked for cannot be had.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = args.config.load()?;
    init_logging(&config)?;
    let clock = Clock::system();
    let (store, evidence) = app::open_stores(&config, clock.clone())?;
    runtime()?.block_on(async {
        match &args.command {
            Command::List { account, json } => {
                let listed = archive_runs::list(&store, &evidence, account.as_deref()).await;
                for run in listed.map_err(in_words)? {
                    say!("{}", if *json { run.json() } else { run.line() });
                }
            }
            Command::Show { run, json } => {
                let run = archive_runs::one(&store, &evidence, RunId(*run)).await;
                let run = run.map_err(in_words)?;
                say!("{}", if *json { run.json() } else { run.words() });
            }
            Command::Run { account, why, note } => {
                let (why, now) = (why.occasion(), clock.now());
                let id = archive_runs::want(&store, account, why, note, now).await;
                say!("{}", id.map_err(in_words)?);
            }
            Command::Export { run, out, format, secrecy } => {
                let form = match format {
                    Format::Zip => PackageForm::Zip,
                    Format::Eark => {
                        PackageForm::Eark { schemas: config.export_form.schemas.clone() }
                    }
                };
                let (id, now) = (RunId(*run), clock.now());
                archive_runs::export(&store, &evidence, id, out, &form, secrecy.as_deref(), now)
                    .await
                    .map_err(in_words)?;
                say!("{}", out.display());
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
