//! `uppsikt keys`: keys for programs.

use std::process::ExitCode;

use super::users::in_words;
use super::{ConfigFile, init_logging, runtime};
use crate::app;
use crate::domain::api_key::{Scope, USUAL_PER_MIN};
use crate::runtime::clock::Clock;
use crate::services::api_keys::{self, Wanted};

/// Skapar, visar och återkallar API-nycklar för program.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Skapar en nyckel och skriver den på standard ut, den enda gång den visas.
    Add {
        /// Namn på systemet som ska använda den.
        name: String,
        /// Inloggningsnamn för den som nyckeln handlar för.
        #[arg(long)]
        user: String,
        /// Behörighet, till exempel queue:read. Kan anges flera gånger.
        #[arg(long = "scope", required = true, value_parser = scope)]
        scopes: Vec<Scope>,
        /// Nyckeln till ett konto i inställningarna. Kan anges flera gånger; utan den gäller alla.
        #[arg(long = "account")]
        accounts: Vec<String>,
        /// Dagar tills den går ut.
        #[arg(long, default_value_t = 365)]
        days: u32,
        /// Anrop i minuten.
        #[arg(long, default_value_t = USUAL_PER_MIN)]
        per_minute: u32,
    },
    /// Visar nycklarna, utan det hemliga.
    List {
        /// Som JSON, en rad per nyckel.
        #[arg(long)]
        json: bool,
    },
    /// Återkallar en nyckel, så att den genast slutar gälla.
    Revoke {
        /// Den del som visas: åtta tecken.
        prefix: String,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::from_id(text).ok_or_else(|| {
        let ids: Vec<_> = Scope::ALL.iter().map(|scope| scope.id()).collect();
        format!("okänd behörighet; välj bland {}", ids.join(", "))
    })
}

/// Makes, lists and revokes keys. Works beside a running daemon.
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
            Command::Add { name, user, scopes, accounts, days, per_minute } => {
                let wanted = Wanted {
                    name: name.clone(),
                    login: user.clone(),
                    scopes: scopes.iter().copied().collect(),
                    accounts: accounts.iter().cloned().collect(),
                    days: *days,
                    per_min: *per_minute,
                };
                let key = api_keys::add(&store, &clock, &wanted).await.map_err(in_words)?;
                say!("{}", key.expose());
                eprintln!("Nyckeln visas bara nu. Lägg den där programmet läser sina hemligheter.");
            }
            Command::List { json } => {
                for key in api_keys::all(&store).await.map_err(in_words)? {
                    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.id()).collect();
                    let is_over = key.revoked.is_some() || key.expires_at <= clock.now();
                    if *json {
                        let line = serde_json::json!({
                            "prefix": key.prefix, "name": key.name, "user": key.user.login,
                            "scopes": scopes, "accounts": key.accounts, "per_minute": key.per_min,
                            "expires_at": key.expires_at, "used_at": key.used_at,
                            "revoked_at": key.revoked.map(|(at, _)| at),
                        });
                        say!("{line}");
                    } else {
                        let state = if is_over { "\tgäller inte" } else { "" };
                        let (prefix, name, user) = (&key.prefix, &key.name, &key.user.login);
                        say!("{prefix}\t{name}\t{user}\t{}{state}", scopes.join(" "));
                    }
                }
            }
            Command::Revoke { prefix } => {
                api_keys::revoke(&store, &clock, prefix).await.map_err(in_words)?;
                eprintln!("Nyckeln {prefix} gäller inte längre.");
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
