//! `uppsikt users`: who may log in.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::civil::Date;

use super::{ConfigFile, init_logging, runtime};
use crate::app;
use crate::domain::person::Role;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;
use crate::services::people;
use crate::services::users::{self, Person};

/// Lägger till, visar och stänger av användare, och byter lösenord.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Lägger till en användare. Lösenordet läses från standard in, en rad.
    Add {
        /// Inloggningsnamn.
        login: String,
        /// Namn som visas, till exempel "Kim Exempel".
        #[arg(long)]
        name: String,
        /// Titel, till signaturer.
        #[arg(long, default_value = "")]
        title: String,
        /// Roll: redaktor, kontoansvarig, registrator, arkivarie, granskare, administrator.
        #[arg(long, default_value = "redaktor", value_parser = role)]
        role: Role,
    },
    /// Byter lösenord. Det nya läses från standard in, en rad. Pågående inloggningar avslutas och
    /// tagna ärenden släpps.
    Password {
        /// Inloggningsnamn.
        login: String,
    },
    /// Stänger av en användare: inloggningar avslutas genast och tagna ärenden släpps. Namnet står
    /// kvar i historik och loggar.
    Disable {
        /// Inloggningsnamn.
        login: String,
    },
    /// Släpper in en avstängd användare igen, med samma lösenord som förut.
    Enable {
        /// Inloggningsnamn.
        login: String,
    },
    /// Nollställer tvåstegsinloggningen för den som har förlorat sin telefon. Pågående inloggningar avslutas.
    ResetTwoFactor {
        /// Inloggningsnamn.
        login: String,
    },
    /// Anger vart aviseringar skickas till en användare. Utan adress skickas inga.
    Mail {
        /// Inloggningsnamn.
        login: String,
        /// E-postadress, till exempel kim.exempel@exempelstad.example.
        address: Option<String>,
    },
    /// Anger att någon är borta, så att ersättaren får veta i stället. Utan dagar: tillbaka igen.
    Away {
        /// Inloggningsnamn.
        login: String,
        /// Första dagen, till exempel 2026-12-21.
        #[arg(requires = "last")]
        first: Option<Date>,
        /// Sista dagen.
        last: Option<Date>,
    },
    /// Visar användarna.
    List {
        /// Som JSON, en rad per användare.
        #[arg(long)]
        json: bool,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::from_id(text).ok_or_else(|| {
        let ids: Vec<_> = Role::ALL.iter().map(|role| role.id()).collect();
        format!("okänd roll; välj en av {}", ids.join(", "))
    })
}

/// Adds, lists, shuts out or lets in users, and changes passwords. Works beside a running daemon.
///
/// # Errors
/// What the person must change, in Swedish.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = args.config.load()?;
    init_logging(&config)?;
    let clock = Clock::system();
    let (store, _evidence) = app::open_stores(&config, clock.clone())?;
    runtime()?.block_on(async {
        match &args.command {
            Command::Add { login, name, title, role } => {
                let person = Person {
                    login: login.clone(),
                    name: name.clone(),
                    title: title.clone(),
                    role: *role,
                };
                users::add(&store, &clock, person, password()?).await.map_err(in_words)?;
                eprintln!("{login} kan nu logga in.");
            }
            Command::Password { login } => {
                users::set_password(&store, &clock, login, password()?).await.map_err(in_words)?;
                eprintln!("{login} har ett nytt lösenord och är utloggad överallt.");
            }
            Command::Disable { login } => {
                users::set_active(&store, &clock, login, false).await.map_err(in_words)?;
                eprintln!("{login} är avstängd och utloggad överallt.");
            }
            Command::Enable { login } => {
                users::set_active(&store, &clock, login, true).await.map_err(in_words)?;
                eprintln!("{login} kan logga in igen.");
            }
            Command::ResetTwoFactor { login } => {
                users::reset_factor(&store, &clock, login).await.map_err(in_words)?;
                eprintln!(
                    "{login} loggar in utan kod nästa gång, eller sätter upp en ny om det krävs."
                );
            }
            Command::Mail { login, address } => {
                people::set_mail(&store, &clock, login, address.as_deref())
                    .await
                    .map_err(in_words)?;
                match address {
                    Some(address) => eprintln!("{login} får aviseringar till {address}."),
                    None => eprintln!("{login} får inga aviseringar."),
                }
            }
            Command::Away { login, first, last } => {
                let days = first.zip(*last);
                people::set_away(&store, &clock, login, days).await.map_err(in_words)?;
                match days {
                    Some((first, last)) => eprintln!("{login} är borta {first} till {last}."),
                    None => eprintln!("{login} är tillbaka."),
                }
            }
            Command::List { json } => {
                for user in users::all(&store).await.map_err(in_words)? {
                    if *json {
                        let line = serde_json::json!({
                            "login": user.login, "name": user.name, "title": user.title,
                            "role": user.role, "active": user.active,
                        });
                        say!("{line}");
                    } else {
                        let state = if user.active { "" } else { "\tavstängd" };
                        say!("{}\t{}\t{}{state}", user.login, user.role, user.name);
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The sentence for the person, where there is one.
pub(super) fn in_words(error: crate::services::ServiceError) -> anyhow::Error {
    use crate::services::ServiceError as E;
    match error {
        E::Refused { why }
        | E::Shut { why }
        | E::Conflict { why }
        | E::Damaged { why }
        | E::TryLater { why }
        | E::NotWritable { why } => anyhow::anyhow!(why),
        error @ (E::NotFound { .. } | E::NotPermitted { .. } | E::Broken { .. }) => error.into(),
    }
}

/// One line from standard input. On a terminal the characters are seen: it says so.
fn password() -> anyhow::Result<Secret> {
    if io::stdin().is_terminal() {
        eprint!("Lösenord (syns när du skriver; minst 12 tecken): ");
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("lösenordet kunde inte läsas")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!(
            "skriv lösenordet på standard in, till exempel: uppsikt users password kim < lösenordsfil"
        );
    }
    Ok(Secret::new(password))
}
