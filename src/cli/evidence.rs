//! `uppsikt evidence`: list, show, verify, export, disposal, keys.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};

use super::{ConfigFile, init_logging, runtime};
use crate::app;
use crate::domain::custody::CustodyAct;
use crate::domain::ids::{CaseId, EvidenceId};
use crate::runtime::clock::Clock;
use crate::runtime::private;
use crate::services::deliveries::PackageForm;
use crate::services::disposal::plan::Plan;
use crate::services::disposal::{self, Disposing};
use crate::services::secrecy::demand_reason;
use crate::services::{ServiceError, archive, packages, police};

/// Visar och kontrollerar bevis.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Listar bevisen, ett per rad.
    List {
        /// Som JSON, en rad per bevis.
        #[arg(long)]
        json: bool,
    },
    /// Visar ett bevis manifest, byte för byte som det förseglades.
    Show {
        /// Bevisets nummer.
        id: EvidenceId,
        /// Varför ett sekretessmarkerat bevis läses; skälet står sedan i ärendets läslogg.
        #[arg(long, value_name = "SKÄL")]
        secrecy: Option<String>,
    },
    /// Skriver ett paket med bevis som vem som helst kan kontrollera utan Uppsikt.
    Export {
        /// Bevisens nummer.
        #[arg(required_unless_present = "cases")]
        ids: Vec<EvidenceId>,
        /// Alla säkrade bevis i ett ärende; kan anges flera gånger.
        #[arg(long = "case", value_name = "NUMMER")]
        cases: Vec<CaseId>,
        /// Paketets fil; får inte finnas. En leverans (eark) blir zip eller tar efter filens ändelse, annars en mapp.
        #[arg(long, value_name = "FIL")]
        out: PathBuf,
        /// zip: ett paket att skicka. eark: en leverans till ett e-arkiv enligt FGS Paketstruktur (E-ARK).
        #[arg(long, value_enum, default_value_t = Format::Zip)]
        format: Format,
        /// Varför sekretessmarkerade bevis lämnas ut; skälet står sedan i ärendets läslogg.
        #[arg(long, value_name = "SKÄL")]
        secrecy: Option<String>,
    },
    /// Underlag till polisanmälan av ett ärende: visar det i korthet, eller skriver hela underlaget.
    Police {
        /// Ärendets nummer.
        case: CaseId,
        /// Skriver underlaget som PDF/A till den här filen, som inte får finnas.
        #[arg(long, value_name = "FIL")]
        out: Option<PathBuf>,
        /// Varför ett sekretessmarkerat ärende läses; skälet står sedan i ärendets läslogg.
        #[arg(long, value_name = "SKÄL")]
        secrecy: Option<String>,
    },
    /// Räknar om allt: loggens kedja och träd, varje underskrift, tidsstämpel, manifest och fil. Slutar med 1 om något
    /// inte stämmer.
    Verify {
        /// Ett bevis nummer, eller ett exporterat paket; utan något kontrolleras allt.
        what: Option<String>,
        /// Rapporten som JSON.
        #[arg(long)]
        json: bool,
        /// En fil med kontrollpunkter som har förvarats någon annanstans: visar att databasen inte har rullats tillbaka.
        #[arg(long, value_name = "FIL")]
        witness: Vec<PathBuf>,
    },
    /// Gallring: vad som kan gallras enligt riktlinjen, och att gallra det.
    Disposal {
        #[command(subcommand)]
        command: Disposal,
    },
    /// Nycklarna som loggen undertecknas med.
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Format {
    Zip,
    Eark,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Disposal {
    /// Listar de ärenden som kan gallras nu, och dem som har nått sin tid men är undantagna.
    Due {
        /// Som JSON, en rad per ärende.
        #[arg(long)]
        json: bool,
    },
    /// Gallrar. Kräver riktlinjen två personer blir det ett förslag, som någon godkänner på sidan /gallring.
    Run {
        /// Bara vad som skulle hända; ingenting ändras.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Keys {
    /// Listar nycklarna, äldst först, med fingeravtryck att publicera.
    List,
    /// Tar en ny nyckel i bruk. Den gamla undertecknar bytet och kastas; det den har undertecknat gäller fortfarande.
    Rotate,
    /// Tar en ny nyckel i bruk i stället för en vars fil är förlorad, och undertecknar loggen som den är nu.
    Replace,
}

/// Lists, shows or verifies. Works beside a running daemon.
///
/// # Errors
/// Where configuration or database cannot be read; faults in the evidence are exit code 1.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // A package is verified anywhere, without settings and database.
    if let Command::Verify { what: Some(what), json, .. } = &args.command
        && what.parse::<EvidenceId>().is_err()
    {
        let tell = |what: &str, n: u64| eprintln!("{n} {what} lästa");
        let path = PathBuf::from(what);
        let found = packages::verify(&path, &tell)
            .with_context(|| format!("kan inte läsa paketet {}", path.display()))?;
        say!("{}", if *json { found.json() } else { found.words() });
        return Ok(if found.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(1) });
    }
    let config = args.config.load()?;
    init_logging(&config)?;
    if !config.store_path.exists() {
        bail!("databasen {} finns inte: kontrollera --config", config.store_path.display());
    }
    let (store, evidence) = app::open_stores(&config, Clock::system())?;
    runtime()?.block_on(async {
        match &args.command {
            Command::List { json } => {
                archive::list(&store, |record| {
                    if *json {
                        say!("{}", record.json());
                    } else {
                        say!("{}", record.line());
                    }
                })
                .await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Show { id, secrecy } => {
                let now = Clock::system().now();
                let why = secrecy.as_deref();
                demand_reason(&store, &[*id], why, now).await.map_err(plain)?;
                let manifest =
                    archive::manifest_text(&store, &evidence, *id, Clock::system().now())
                        .await
                        .map_err(plain)?;
                say!("{manifest}");
                Ok(ExitCode::SUCCESS)
            }
            Command::Keys { command: Keys::List } => {
                for key in archive::keys(&evidence).await? {
                    say!("{key}");
                }
                Ok(ExitCode::SUCCESS)
            }
            Command::Keys { command: Keys::Rotate } => {
                let now = Clock::system().now();
                say!("{}", archive::rotate_key(&store, &evidence, now).await.map_err(plain)?);
                Ok(ExitCode::SUCCESS)
            }
            Command::Keys { command: Keys::Replace } => {
                let now = Clock::system().now();
                let print = archive::replace_key(&store, &evidence, now).await.map_err(plain)?;
                say!("{print}");
                eprintln!(
                    "Publicera fingeravtrycket och skriv in det under acknowledged_keys i [evidence.checkpoint]."
                );
                Ok(ExitCode::SUCCESS)
            }
            Command::Export { ids, cases, out, format, secrecy } => {
                let clock = Clock::system();
                let authority = &config.authority;
                let mut ids = ids.clone();
                for case in cases {
                    ids.extend(packages::of_case(&store, *case).await.map_err(plain)?);
                }
                let why = secrecy.as_deref();
                demand_reason(&store, &ids, why, clock.now()).await.map_err(plain)?;
                let form = match format {
                    Format::Zip => PackageForm::Zip,
                    Format::Eark => {
                        PackageForm::Eark { schemas: config.export_form.schemas.clone() }
                    }
                };
                packages::export(&store, &evidence, &ids, out, authority, &clock, &form)
                    .await
                    .map_err(plain)?;
                say!("{}", out.display());
                Ok(ExitCode::SUCCESS)
            }
            Command::Police { case, out: None, secrecy } => {
                let (authority, now) = (&config.authority, Clock::system().now());
                let records = packages::of_case(&store, *case).await.map_err(plain)?;
                let why = secrecy.as_deref();
                demand_reason(&store, &records, why, now).await.map_err(plain)?;
                let line = archive::line(CustodyAct::OpenCase.id(), format!("case {case}"));
                let form =
                    police::short_form(&store, &evidence, authority, *case, line, now).await;
                for (label, value) in form.map_err(plain)? {
                    say!("{label}: {}", value.replace('\n', "\n  "));
                }
                Ok(ExitCode::SUCCESS)
            }
            Command::Police { case, out: Some(out), secrecy } => {
                let (authority, now) = (&config.authority, Clock::system().now());
                let records = packages::of_case(&store, *case).await.map_err(plain)?;
                let why = secrecy.as_deref();
                demand_reason(&store, &records, why, now).await.map_err(plain)?;
                let line = archive::line(CustodyAct::PoliceBundle.id(), String::new());
                // The place first: what cannot be written is not noted as made.
                let mut file = private::options().write(true).create_new(true).open(out)
                    .with_context(|| format!("kan inte skriva {}", out.display()))?;
                let pdf = police::bundle(&store, &evidence, authority, *case, line, now).await;
                if pdf.is_err() {
                    // Ours, and empty.
                    drop(std::fs::remove_file(out));
                }
                let pdf = pdf.map_err(plain)?;
                file.write_all(&pdf).with_context(|| format!("kan inte skriva {}", out.display()))?;
                say!("{}", out.display());
                Ok(ExitCode::SUCCESS)
            }
            Command::Disposal { command } => {
                let clock = Clock::system();
                // What was published on the page rules here too.
                let policies = app::policies::in_force(&config, &store).await?;
                let disposing = Disposing {
                    store: &store,
                    evidence: &evidence,
                    policies,
                    authority: &config.authority,
                    clock: &clock,
                };
                dispose(command, &disposing, &config.store_path).await
            }
            Command::Verify { what, json, witness } => {
                let tell = |what: &str, n: u64| eprintln!("{n} {what} lästa");
                let id = what.as_ref().and_then(|what| what.parse().ok());
                let report = match id {
                    Some(id) => archive::verify_one(&store, &evidence, id, witness.clone()).await?,
                    None => {
                        archive::verify(&store, &evidence, witness.clone(), Some(&tell)).await?
                    }
                };
                let (by, now) = (archive::line("", String::new()), Clock::system().now());
                archive::note_verified(&store, id, &report, by, now).await;
                if *json {
                    say!("{}", report.json());
                } else {
                    say!("{}", report.words());
                }
                Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(1) })
            }
        }
    })
}

async fn dispose(
    command: &Disposal,
    disposing: &Disposing<'_>,
    database: &std::path::Path,
) -> anyhow::Result<ExitCode> {
    match command {
        Disposal::Due { json } => {
            for plan in plans(disposing).await? {
                for line in if *json { plan.json() } else { plan.words() } {
                    say!("{line}");
                }
            }
        }
        Disposal::Run { dry_run: true } => {
            for plan in plans(disposing).await? {
                for line in plan.words() {
                    say!("{line}");
                }
                say!("{}", plan.summary());
            }
        }
        Disposal::Run { dry_run: false } => {
            let line = archive::line("", String::new());
            let row = disposing.propose(None, line).await.map_err(plain)?;
            say!("{}", disposal::told(&row));
            // The files go by the process that seals: the daemon where one runs, or else this one.
            match app::InstanceLock::take(database) {
                Ok(_lock) => disposing.complete().await.map_err(plain)?,
                Err(app::AppError::AlreadyRunning { .. }) => {
                    eprintln!(
                        "Uppsikt kör: det som gallrats i databasen förstörs på disken av tjänsten inom en minut."
                    );
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is due by each policy; why nothing is by one is told beside.
async fn plans(disposing: &Disposing<'_>) -> anyhow::Result<Vec<Plan>> {
    let (plans, unknown) = disposing.plans().await.map_err(plain)?;
    let of_all = plans.len();
    let mut found = Vec::with_capacity(of_all);
    let mut refused = Vec::new();
    for under in plans {
        match under.plan {
            Ok(plan) => found.push(plan),
            Err(why) if under.accounts.is_empty() => refused.push(why),
            Err(why) => refused.push(format!("{}: {why}", under.accounts.join(", "))),
        }
    }
    for name in unknown {
        eprintln!("{}", disposal::unknown_words(&name));
    }
    match refused.first() {
        Some(why) if refused.len() == of_all => bail!("{why}"),
        Some(_) | None => {
            for why in refused {
                eprintln!("{why}");
            }
            Ok(found)
        }
    }
}

/// What a service refuses it says in Swedish, for the person.
fn plain(error: ServiceError) -> anyhow::Error {
    match error {
        ServiceError::Refused { why }
        | ServiceError::Shut { why }
        | ServiceError::Damaged { why }
        | ServiceError::Conflict { why }
        | ServiceError::TryLater { why }
        | ServiceError::NotWritable { why } => anyhow!(why),
        ServiceError::NotFound { what } => anyhow!(match what {
            "evidence" | "sealed evidence" => "Det finns inget sådant bevis.",
            "part of the evidence" => "Beviset har ingen sådan del.",
            "archive run" => "Det finns ingen sådan arkivkörning.",
            "account" => "Det finns inget sådant konto.",
            "case" => "Det finns inget sådant ärende.",
            _ => "Det som söktes finns inte.",
        }),
        error @ (ServiceError::NotPermitted { .. } | ServiceError::Broken { .. }) => error.into(),
    }
}
