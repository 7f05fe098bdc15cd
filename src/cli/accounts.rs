//! `uppsikt accounts`: what each account lets us do, and who answers for it.

use std::process::ExitCode;

use super::users::in_words;
use super::{ConfigFile, init_logging, runtime};
use crate::app;
use crate::app::accounts::{abilities_of_accounts, all_abilities};
use crate::app::connect::{self, Wanted};
use crate::domain::account::PlatformKind;
use crate::domain::calendar::local;
use crate::domain::notice::Part;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;
use crate::services::people;

/// Visar vad konton och plattformar klarar, och vem som ansvarar för dem.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one of them is made, once, at the start")]
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
    /// Ansluter ett konto med OAuth: någon loggar in hos plattformen och godkänner, och nyckeln förseglas i en fil.
    Connect {
        #[command(flatten)]
        config: ConfigFile,
        /// Plattformen: facebook, instagram, youtube, linkedin, x, tiktok, reddit eller flickr.
        platform: String,
        /// Namnet som nyckeln förseglas under; plattformens om inget anges.
        #[arg(long)]
        name: Option<String>,
        /// Appens client_id hos plattformen.
        #[arg(long)]
        client_id: String,
        /// Miljövariabeln som har appens client_secret. Utan: appen har ingen.
        #[arg(long, value_name = "VARIABEL")]
        client_secret_env: Option<String>,
        /// Porten på den här datorn som plattformen skickar tillbaka till; 0 tar en ledig.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// TikTok: adressen som portalen har utfärdat. Annars en annan adress att godkänna på, för prov.
        #[arg(long)]
        authorize_url: Option<url::Url>,
        /// En annan adress att hämta nyckeln på, för prov.
        #[arg(long, requires = "authorize_url")]
        token_url: Option<url::Url>,
        /// Andra rättigheter än de vanliga; kan anges flera gånger.
        #[arg(long)]
        scope: Vec<String>,
        /// Sidans nummer, när den som loggar in har hand om flera (Facebook och Instagram).
        #[arg(long, value_name = "NUMMER")]
        page: Option<String>,
    },
    /// Vem som ansvarar för ett konto, arbetar med det och är ersättare. Utan val: visar alla kontons.
    People {
        #[command(flatten)]
        config: ConfigFile,
        /// Kontots nyckel.
        account: Option<String>,
        /// Kontoansvarig (inloggningsnamn). Den förra blir redaktör.
        #[arg(long, requires = "account")]
        owner: Option<String>,
        /// Redaktör; kan anges flera gånger.
        #[arg(long, requires = "account")]
        editor: Vec<String>,
        /// Ersättare; kan anges flera gånger.
        #[arg(long, requires = "account")]
        substitute: Vec<String>,
        /// Har inte längre någon del i kontot; kan anges flera gånger.
        #[arg(long, requires = "account")]
        remove: Vec<String>,
        /// Listan som JSON, en rad per person.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// Where the configuration cannot be read, or an account cannot be made of it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Capabilities { config, all, json } => capabilities(config, *all, *json),
        Command::Connect {
            config,
            platform,
            name,
            client_id,
            client_secret_env,
            port,
            authorize_url,
            token_url,
            scope,
            page,
        } => {
            let kind = PlatformKind::from_id(platform).ok_or_else(|| {
                anyhow::anyhow!(
                    "`{platform}` är ingen plattform: skriv facebook, instagram, youtube, linkedin, x, tiktok, reddit eller flickr"
                )
            })?;
            let client_secret = match client_secret_env {
                Some(name) => match std::env::var(name) {
                    Ok(secret) if !secret.is_empty() => Some(Secret::new(secret)),
                    Ok(_) | Err(_) => {
                        anyhow::bail!("miljövariabeln `{name}` finns inte: sätt den först")
                    }
                },
                None => None,
            };
            let wanted = Wanted {
                platform: kind,
                name: name.clone().unwrap_or_else(|| kind.id().to_owned()),
                client_id: client_id.clone(),
                client_secret,
                port: *port,
                authorize_url: authorize_url.clone(),
                token_url: token_url.clone(),
                scopes: scope.clone(),
                page: page.clone(),
            };
            connect(config, wanted)
        }
        Command::People { config, account, owner, editor, substitute, remove, json } => {
            let parts = owner
                .iter()
                .map(|login| (login, Some(Part::Owner)))
                .chain(editor.iter().map(|login| (login, Some(Part::Editor))))
                .chain(substitute.iter().map(|login| (login, Some(Part::Substitute))))
                .chain(remove.iter().map(|login| (login, None)));
            let parts: Vec<_> = parts.collect();
            people(config, account.as_deref(), &parts, *json)
        }
    }
}

/// Walks a person through the platform's consent.
fn connect(config: &ConfigFile, wanted: Wanted) -> anyhow::Result<ExitCode> {
    let tokens = config.load_tokens()?.tokens;
    runtime()?.block_on(async {
        let begun = connect::begin(wanted, tokens, Clock::system()).await?;
        if let Some(redirect) = begun.redirect() {
            eprintln!("Adressen {redirect} ska stå bland appens återvändsadresser hos plattformen.");
        }
        eprintln!("Öppna den här adressen i en webbläsare på den här datorn, logga in som den som har hand om kontot och godkänn:\n");
        say!("{}", begun.address());
        let mut pasted = String::new();
        if begun.redirect().is_none() {
            eprintln!("\nKlistra in hela adressen som webbläsaren sedan hamnar på, och tryck på retur:");
            std::io::stdin().read_line(&mut pasted)?;
        }
        let sealed = begun.finish(&pasted, Clock::system()).await?;
        eprintln!("\nKlart. Lägg till kontot i inställningarna (finns det redan: byt ut raderna med samma namn), och starta om Uppsikt:\n");
        say!("{}", sealed.line);
        match sealed.ends {
            Some(at) => eprintln!("\nInloggningen gäller till {}.", local(at).date()),
            None => eprintln!("\nPlattformen säger inte när inloggningen går ut. Skriv dagen om du vet den: token_expires = 2027-01-31"),
        }
        if sealed.lacks.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("Rättigheter som saknas: {}. Ge appen dem hos plattformen och anslut på nytt.", sealed.lacks.join(", "));
        Ok(ExitCode::from(1))
    })
}

/// Gives people their parts, or takes them, and shows the list.
fn people(
    config: &ConfigFile,
    account: Option<&str>,
    parts: &[(&String, Option<Part>)],
    json: bool,
) -> anyhow::Result<ExitCode> {
    let config = config.load()?;
    init_logging(&config)?;
    let clock = Clock::system();
    let (store, _evidence) = app::open_stores(&config, clock.clone())?;
    runtime()?.block_on(async {
        if let Some(account) = account {
            for (login, part) in parts {
                people::set_part(&store, &clock, account, login, *part).await.map_err(in_words)?;
            }
        }
        let listed = people::all(&store, &clock).await.map_err(in_words)?;
        for someone in listed.iter().filter(|l| account.is_none_or(|key| key == l.account)) {
            if json {
                say!(
                    "{}",
                    serde_json::json!({
                        "account": someone.account, "login": someone.login, "name": someone.name,
                        "part": someone.part, "mail": someone.mail, "away": someone.away,
                    })
                );
                continue;
            }
            let mail = someone.mail.as_deref().unwrap_or("ingen e-postadress");
            let away = if someone.away { "\tborta i dag" } else { "" };
            say!("{}\t{}\t{}\t{mail}{away}", someone.account, someone.part, someone.name);
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn capabilities(config: &ConfigFile, all: bool, json: bool) -> anyhow::Result<ExitCode> {
    let told = if all { all_abilities() } else { abilities_of_accounts(&config.load()?)? };
    for able in told {
        if json {
            let verbs: serde_json::Map<_, _> = able
                .verbs
                .iter()
                .map(|(verb, words)| ((*verb).to_owned(), words.as_str().into()))
                .collect();
            say!(
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
        say!("{}{account}{by_hand}", able.platform.label());
        for (verb, words) in &able.verbs {
            say!("  {verb}: {words}");
        }
        say!("  när något döljs: {}", able.hide_effect);
        say!("  när något tas bort: {}", able.delete_effect);
        say!("  lagring: {}\n", able.storage_terms);
    }
    Ok(ExitCode::SUCCESS)
}
