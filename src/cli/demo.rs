//! `uppsikt demo`: everything on this machine with no set-up. Real daemon, real database, real
//! evidence; the platform is a labelled simulator that goes on producing comments.

use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::SignedDuration;

use super::{init_logging, runtime};
use crate::app::demo::simulator;
use crate::app::{App, InstanceLock};
use crate::config;
use crate::domain::notice::Part;
use crate::domain::person::Role;
use crate::domain::text::capitalised;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;
use crate::services::users::Person;
use crate::telemetry::metrics::Metrics;

/// Where the page is when nothing else is said.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Comments on the authority's own forum, with their age instead of a time.
const FORUM: &str = include_str!("../../fixtures/comments/forum.jsonl");

/// The logins of the demo; the file is kept so that a demo that goes on keeps its passwords.
const LOGINS_FILE: &str = "inloggningar.txt";

/// Visar allt på den här datorn, utan förberedelser: påhittade kommentarer från en simulerad plattform.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Mapp för databas, bevis och inställningar. En ny tillfällig mapp om den utelämnas.
    #[arg(long, value_name = "MAPP")]
    dir: Option<PathBuf>,
    /// Adress för webbsidan. Utan den: 127.0.0.1:8080, eller en ledig port om den är upptagen.
    #[arg(long, value_name = "ADRESS")]
    listen: Option<SocketAddr>,
}

/// Runs the demo until it is asked to stop.
///
/// # Errors
/// Whatever keeps it from starting, in Swedish with its mend.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => temporary_folder()?,
    };
    fs::create_dir_all(&dir).with_context(|| format!("kan inte skapa mappen {}", dir.display()))?;
    // An absolute path, since addresses of files are printed and kept.
    let dir = dir.canonicalize().with_context(|| format!("kan inte läsa {}", dir.display()))?;
    runtime()?.block_on(async {
        let clock = Clock::system();
        // Before the simulator, whose port would be the first thing a second demo stumbles over.
        drop(InstanceLock::take(&dir.join("uppsikt.db"))?);
        let simulator = simulator(&dir, clock.clone()).await?;
        let file = dir.join("config.toml");
        if !file.exists() {
            write_config(
                &dir,
                simulator.base().as_str(),
                simulator.page_id(),
                &simulator.settings().token,
            )?;
            write_forum(&dir, &clock)?;
        }
        let config = config::load(&file, &|name| std::env::var(name).ok())?;
        init_logging(&config)?;
        let app = App::build(&config, clock, Metrics::install()?).await?;
        let listener = match args.listen {
            Some(address) => App::listen(address).await?,
            None => match App::listen(LISTEN).await {
                Ok(listener) => listener,
                Err(_) => App::listen(SocketAddr::new(LISTEN.ip(), 0)).await?,
            },
        };
        let logins = logins(&dir, &app).await?;
        say!("http://{}/", listener.local_addr()?);
        for login in &logins {
            say!("{}: {} / {}", login.role.label(), login.name, login.password);
        }
        say!("");
        say!("Allt är påhittat och plattformen simulerad. Mappen: {}", dir.display());
        if let Some(why) = app.services().no_browser() {
            say!("Utan skärmbilder av sidorna: {why}");
        }
        say!("Avsluta med Ctrl-C. Gå vidare senare med: uppsikt demo --dir {}", dir.display());
        app.run(listener).await?;
        drop(simulator);
        Ok(ExitCode::SUCCESS)
    })
}

fn random_hex(n_bytes: usize) -> anyhow::Result<String> {
    let mut bytes = vec![0; n_bytes];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("inga slumptal: {e}"))?;
    Ok(hex::encode(bytes))
}

fn temporary_folder() -> anyhow::Result<PathBuf> {
    Ok(std::env::temp_dir().join(format!("uppsikt-demo-{}", random_hex(6)?)))
}

/// Writes a file that only the owner may read.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("kan inte skriva {}", path.display()))
}

fn write_config(dir: &Path, base: &str, page_id: &str, token: &Secret) -> anyhow::Result<()> {
    write_private(&dir.join("sidnyckel"), token.expose())?;
    fs::create_dir_all(dir.join("forum"))?;
    let config = format!(
        r#"# Demonstrationens inställningar. Plattformen är simulerad; allt är påhittat.

[authority]
name = "Exempelstads kommun"

[server]
listen = "{LISTEN}"

[log]
level = "warn"

[[account]]
key = "facebook"
platform = "facebook"
name = "Exempelstads kommun (simulerad)"
interval_s = 10
page_id = "{page_id}"
token = "file:sidnyckel"
api_url = "{base}"
simulated = true
allow_private_addresses = true

[[account]]
key = "forum"
platform = "jsonl"
name = "Medborgarforum"
interval_s = 10
dir = "forum"
"#
    );
    write_private(&dir.join("config.toml"), &config)
}

/// The forum's comments, dated back from now.
fn write_forum(dir: &Path, clock: &Clock) -> anyhow::Result<()> {
    let mut lines = String::new();
    for line in FORUM.lines().filter(|line| !line.trim().is_empty()) {
        let mut item: serde_json::Value = serde_json::from_str(line)?;
        let minutes = item["minutes_ago"].as_i64().unwrap_or(0);
        let at = clock.now().saturating_sub(SignedDuration::from_mins(minutes))?;
        if let Some(fields) = item.as_object_mut() {
            fields.remove("minutes_ago");
            let author = fields.remove("author").unwrap_or_default();
            fields.insert("author".into(), serde_json::json!({ "name": author }));
            fields.insert("created_at".into(), at.to_string().into());
        }
        lines.push_str(&item.to_string());
        lines.push('\n');
    }
    fs::write(dir.join("forum").join("inlagg.jsonl"), lines)
        .with_context(|| format!("kan inte skriva i {}", dir.display()))
}

struct Login {
    role: Role,
    name: String,
    password: String,
}

/// The demo's users: made at the first start, remembered for the next.
async fn logins(dir: &Path, app: &App) -> anyhow::Result<Vec<Login>> {
    let path = dir.join(LOGINS_FILE);
    if let Ok(text) = fs::read_to_string(&path) {
        let known: Vec<_> = text.lines().filter_map(parse_login).collect();
        if !known.is_empty() && app.services().has_users().await? {
            return Ok(known);
        }
    }
    let mut made = Vec::new();
    let mut text = String::new();
    for (role, name, title) in [
        (Role::Editor, "redaktor", "kommunikatör"),
        (Role::Owner, "kontoansvarig", "kommunikationschef"),
        (Role::Registrar, "registrator", "registrator"),
        (Role::Archivist, "arkivarie", "kommunarkivarie"),
        (Role::Auditor, "granskare", "revisor"),
        (Role::Administrator, "admin", "systemförvaltare"),
    ] {
        let password = format!("{}-{}-{}", random_hex(2)?, random_hex(2)?, random_hex(2)?);
        let person = Person {
            login: name.into(),
            name: format!("{} Exempel", capitalised(role.label())),
            title: title.into(),
            role,
        };
        app.services().add_user(person, Secret::new(password.clone())).await?;
        text.push_str(&format!("{}\t{name}\t{password}\n", role.id()));
        made.push(Login { role, name: name.into(), password });
    }
    // Somebody answers for every account, and somebody steps in.
    for account in app.services().accounts() {
        for (login, part) in [("kontoansvarig", Part::Owner), ("redaktor", Part::Substitute)] {
            app.services().set_part(account.as_str(), login, Some(part)).await?;
        }
    }
    write_private(&path, &text)?;
    Ok(made)
}

fn parse_login(line: &str) -> Option<Login> {
    let mut fields = line.split('\t');
    let role = Role::from_id(fields.next()?)?;
    Some(Login { role, name: fields.next()?.to_owned(), password: fields.next()?.to_owned() })
}
