//! `config.toml` → checked settings. The only reader of the file, and of the secrets it refers to.
//!
//! Everything that can be wrong is told at once, with file, line, column and mend, in Swedish,
//! since it is read by those who run the program. What comes out can only hold sense: addresses
//! are parsed, paths are joined to the file's folder, secrets are fetched, the policy is read.

pub mod account;
pub mod chosen;
pub mod complaint;
pub mod diary;
pub mod notices;
pub mod policy;
mod reader;
mod retention;
pub mod secret;
pub mod sign_in;

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::domain::policy::Policy;
use crate::runtime::vault::{Key, VaultError};
use crate::telemetry::{Format, Level};
use account::AccountConfig;
use chosen::Beside;
use complaint::{Complaint, ConfigError};
use reader::{At, Source, Table, position};
use secret::{Places, Tokens};

/// Largest file that is read: a thousand accounts take a third of it.
const FILE_MOST_BYTES: u64 = 1024 * 1024;

/// Everything that `config.toml` says.
#[derive(Clone, Debug)]
pub struct Config {
    /// The authority's name, as on evidence sheets.
    pub authority: String,
    /// `[server]`.
    pub server: ServerConfig,
    /// The database file.
    pub store_path: PathBuf,
    /// `[evidence]`.
    pub evidence: EvidenceConfig,
    /// Where packages for the diary are written.
    pub export_folder: PathBuf,
    /// What these packages have around them, where they are for an archive.
    pub export_form: ExportForm,
    /// `[diary]`.
    pub diary: diary::DiaryConfig,
    /// `[forward]`.
    pub forward: notices::ForwardConfig,
    /// `[public_reports]`.
    pub public_reports: diary::PublicReportsConfig,
    /// `[api]`.
    pub api: diary::ApiConfig,
    /// `[log]`.
    pub log: LogConfig,
    /// The policy with what `[policy]` changes in it.
    pub policy: Policy,
    /// What `[policy]` changes, for versions of it that come later.
    pub policy_beside: Beside,
    /// `[limits]`.
    pub limits: LimitsConfig,
    /// `[login]`.
    pub login: sign_in::LoginConfig,
    /// `[mail]`, where there is one.
    pub mail: Option<notices::MailConfig>,
    /// `[notices]`.
    pub notices: notices::NoticesConfig,
    /// `[tokens]`, where there is one.
    pub tokens: Option<Tokens>,
    /// `[[account]]`, in the order of the file.
    pub accounts: Vec<AccountConfig>,
}

/// How packages for the diary are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportForm {
    /// As a delivery to an archive (E-ARK, *FGS Paketstruktur*).
    pub eark: bool,
    /// A folder of schemas that go into such deliveries.
    pub schemas: Option<PathBuf>,
}

/// `[server]`.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address that people type, without a path.
    pub public_url: Url,
    /// Whether session cookies are marked `Secure`.
    pub secure_cookies: bool,
    /// Proxies whose word on the caller's address is taken.
    pub trusted_proxies: Vec<IpAddr>,
}

impl ServerConfig {
    /// Whether people come through a proxy (only one can make `https` of what is served here) that is
    /// not trusted to say who they are. Then everybody has the proxy's address, and whoever types
    /// wrong passwords slows down all the others.
    pub fn proxy_is_untold(&self) -> bool {
        self.public_url.scheme() == "https" && self.trusted_proxies.is_empty()
    }
}

/// `[evidence]`.
#[derive(Clone, Debug)]
pub struct EvidenceConfig {
    /// Where blobs lie.
    pub folder: PathBuf,
    /// Which browser takes screenshots.
    pub browser: Browser,
    /// Time for one capture.
    pub capture_limit: Duration,
    /// Whether what a page loads is kept as a web archive.
    pub page_archive: bool,
    /// Whether an item is read and sealed once more right before it is removed.
    pub again_before_removal: bool,
    /// Whether the platform's answer and the manifest lie in the sheet itself (PDF/A-3a in place of PDF/A-2a).
    pub sheet_embeds: bool,
    /// Largest attachment that is fetched.
    pub attachment_most_bytes: u64,
    /// All attachments of one record together.
    pub attachments_most_bytes: u64,
    /// Time for all attachments of one record together.
    pub attachments_limit: Duration,
    /// `[evidence.checkpoint]`.
    pub checkpoint: CheckpointConfig,
    /// `[evidence.timestamp]`, where there is one.
    pub timestamp: Option<TimestampConfig>,
}

/// `[evidence.checkpoint]`: when the log is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointConfig {
    /// As soon as so many entries have come.
    pub every_entries: u64,
    /// As soon as the oldest entry that is not signed is so old.
    pub every: Duration,
    /// Folders elsewhere into which each is written as well.
    pub witnesses: Vec<PathBuf>,
    /// Mail addresses to which the newest goes once a day.
    pub witness_mail: Vec<String>,
    /// Fingerprints of keys that took the place of a lost one.
    pub acknowledged_keys: Vec<String>,
    /// Root certificates (PEM) of authorities that stamped before.
    pub earlier_stamp_roots: Vec<String>,
}

/// `[evidence.timestamp]`: who stamps checkpoints with the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampConfig {
    /// Where the authority answers.
    pub url: Url,
    /// Its root certificate, PEM.
    pub ca_pem: String,
    /// It may lie on a private network.
    pub allow_private_addresses: bool,
}

/// Which browser takes screenshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Chromium where it is usually found, if it is.
    Auto,
    /// None: evidence says that no screenshot was taken.
    Off,
    /// This program.
    Path(PathBuf),
}

/// `[log]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// How lines are written.
    pub format: Format,
    /// How much is written.
    pub level: Level,
}

/// `[limits]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Largest signed delivery.
    pub intake_body_bytes: u64,
    /// Polls at the same time.
    pub polls_at_once: u32,
    /// How often a rule that fires far above its past may fire in a day before it is set aside.
    pub rule_quota_per_day: u32,
    /// Calls to one platform with one credential.
    pub calls_per_min: u32,
    /// Login attempts from one address; twice as many at once.
    pub logins_per_min: NonZeroU32,
    /// How long a claimed case stays claimed without activity.
    pub claim: Duration,
    /// How long a login lasts without activity.
    pub session: Duration,
}

/// Reads and checks a configuration file. `env` answers for the environment.
///
/// # Errors
/// [`ConfigError`]: the file cannot be read, or has faults, all of which are told.
pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    let text = read_text(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&shown(path), &text, folder, env)
}

/// Checks a configuration. `file` is how complaints name it; relative paths are counted from
/// `folder`.
///
/// # Errors
/// [`ConfigError::Refused`], with every fault.
pub fn parse(
    file: &str,
    text: &str,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, ConfigError> {
    Source::new(file, text).read(|root| {
        let tokens = maybe_tokens(root, folder);
        let places = Places { env, folder, tokens: tokens.clone().flatten() };
        let config = config(root, &places);
        // Told with everything else.
        tokens?;
        config
    })
}

/// What has to be known to connect an account, of a file whose accounts may not be right yet.
#[derive(Clone, Debug)]
pub struct Connecting {
    /// `[tokens]`.
    pub tokens: Tokens,
}

/// Reads `[tokens]` alone: the accounts may name tokens that are only about to be sealed.
///
/// # Errors
/// [`ConfigError`]: the file cannot be read, or the section is missing or wrong.
pub fn load_tokens(path: &Path) -> Result<Connecting, ConfigError> {
    let text = read_text(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Source::new(shown(path), &text).read(|root| {
        root.leave_the_rest();
        let tokens = maybe_tokens(root, folder)?;
        if tokens.is_none() {
            root.missing_section("tokens");
        }
        Some(Connecting { tokens: tokens? })
    })
}

/// `[tokens]`, where there is one.
fn maybe_tokens(root: &mut Table<'_, '_>, folder: &Path) -> Option<Option<Tokens>> {
    if !root.has("tokens") {
        // Asked for, so that the section is known.
        drop(root.absent("tokens"));
        return Some(None);
    }
    section(root, "tokens", |table| {
        let file = table.demanded_text("key_file", "key_file = \"uppsikt.nyckel\"");
        let dir = path(table, "dir", "tokens", folder);
        let (file, dir) = (file?, dir?);
        let key_file = folder.join(&file.value);
        let key = match Key::read(&key_file) {
            Ok(key) => Some(key),
            // Made when the first account is connected.
            Err(VaultError::Key { source, .. }) if source.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                table.complain(&file, format!("`key_file`: {error}"));
                return None;
            }
        };
        Some(Tokens { key_file, folder: dir, key })
    })
    .map(Some)
}

fn config(root: &mut Table<'_, '_>, places: &Places<'_>) -> Option<Config> {
    let authority = section(root, "authority", |table| {
        table.demanded_text("name", "name = \"Exempelstads kommun\"").map(|at| at.value)
    });
    let server = section(root, "server", server);
    let store_path =
        section(root, "store", |table| path(table, "path", "uppsikt.db", places.folder));
    let has_mail = root.has("mail");
    let evidence = section(root, "evidence", |table| evidence(table, places.folder, has_mail));
    let export = section(root, "export", |table| export(table, places.folder));
    let has_mail = root.has("mail");
    let diary = section(root, "diary", |table| diary::diary(table, places, has_mail));
    let forward = section(root, "forward", |table| notices::forward(table, has_mail));
    let public_reports =
        section(root, "public_reports", |table| diary::public_reports(table, places));
    let api = section(root, "api", diary::api);
    let log = section(root, "log", log);
    let policy = section(root, "policy", |table| chosen::chosen_policy(table, places.folder));
    let limits = section(root, "limits", limits);
    let login = section(root, "login", |table| sign_in::login(table, places));
    let mail = notices::maybe_mail(root, places);
    let notices = section(root, "notices", |table| notices::notices(table, places));
    let accounts = account::read_all(root.tables("account"), places);
    let (export_folder, export_form) = export?;
    let (policy, policy_beside) = policy?;
    Some(Config {
        authority: authority?,
        server: server?,
        store_path: store_path?,
        evidence: evidence?,
        export_folder,
        export_form,
        diary: diary?,
        forward: forward?,
        public_reports: public_reports?,
        api: api?,
        log: log?,
        policy,
        policy_beside,
        limits: limits?,
        login: login?,
        mail: mail?,
        notices: notices?,
        tokens: places.tokens.clone(),
        accounts,
    })
}

/// Reads a section; a section left out is read as an empty one, so that defaults and demands are
/// written once.
fn section<'s, 't, T>(
    root: &mut Table<'s, 't>,
    key: &'static str,
    read: impl FnOnce(&mut Table<'s, 't>) -> Option<T>,
) -> Option<T> {
    let mut table = if root.has(key) { root.table(key)? } else { root.absent(key) };
    let value = read(&mut table);
    table.done();
    value
}

fn export(table: &mut Table<'_, '_>, folder: &Path) -> Option<(PathBuf, ExportForm)> {
    let dir = path(table, "dir", "export", folder);
    let eark = table.word("format", false, &[("zip", false), ("eark", true)]);
    let schemas = match table.text("schemas") {
        Some(at) => Some(Some(folder.join(at.value))),
        None if table.has("schemas") => None,
        None => Some(None),
    };
    Some((dir?, ExportForm { eark: eark?.value, schemas: schemas? }))
}

fn server(table: &mut Table<'_, '_>) -> Option<ServerConfig> {
    let listen = match table.text("listen") {
        Some(at) => match at.value.parse::<SocketAddr>() {
            Ok(value) => Some(At { value, place: at.place }),
            Err(_) => {
                table.complain(
                    &at,
                    "`listen` ska vara IP-adress och port: skriv till exempel `127.0.0.1:8080`",
                );
                None
            }
        },
        None if table.has("listen") => None,
        None => {
            Some(At { value: SocketAddr::from(([127, 0, 0, 1], 8080)), place: table.place.clone() })
        }
    };
    let public_url = match table.text("public_url") {
        Some(at) => public_url(table, &at).map(|url| At { value: Some(url), place: at.place }),
        None if table.has("public_url") => None,
        None => Some(At { value: None, place: table.place.clone() }),
    };
    let cookies = table.word(
        "secure_cookies",
        Cookies::Auto,
        &[("auto", Cookies::Auto), ("always", Cookies::Always), ("never", Cookies::Never)],
    );
    let mut trusted_proxies = Vec::new();
    for at in table.texts("trusted_proxies")?.value {
        match at.value.parse::<IpAddr>() {
            Ok(ip) => trusted_proxies.push(ip),
            Err(_) => table.complain(&at, "`trusted_proxies` ska vara en lista av IP-adresser: skriv till exempel `[\"127.0.0.1\"]`"),
        }
    }
    let (listen, public_url, cookies) = (listen?, public_url?, cookies?);
    let url = match &public_url.value {
        Some(url) => url.clone(),
        // A socket address makes an address of a site in all its forms.
        None => Url::parse(&format!("http://{}/", listen.value)).ok()?,
    };
    let https = url.scheme() == "https";
    let open = !listen.value.ip().is_loopback();
    if open && !https && cookies.value != Cookies::Never {
        table.complain(&listen, "`listen` är öppen för andra datorer utan kryptering: lyssna på 127.0.0.1 bakom en proxy med TLS och skriv `public_url = \"https://…\"` (eller `secure_cookies = \"never\"` i ett slutet provnät)");
    }
    if https && cookies.value == Cookies::Never {
        table.complain(
            &cookies,
            "`secure_cookies = \"never\"` går inte ihop med en https-adress: ta bort raden",
        );
    }
    let secure_cookies = match cookies.value {
        Cookies::Auto => https,
        Cookies::Always => true,
        Cookies::Never => false,
    };
    Some(ServerConfig { listen: listen.value, public_url: url, secure_cookies, trusted_proxies })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cookies {
    Auto,
    Always,
    Never,
}

fn public_url(table: &Table<'_, '_>, at: &At<String>) -> Option<Url> {
    let url = Url::parse(&at.value).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if url.is_none() {
        table.complain(at, "`public_url` ska vara adressen som redaktörerna skriver, utan sökväg: skriv till exempel `https://uppsikt.exempelstad.example`");
    }
    url
}

fn evidence(table: &mut Table<'_, '_>, folder: &Path, has_mail: bool) -> Option<EvidenceConfig> {
    let dir = path(table, "dir", "evidence", folder);
    let browser = match table.text("browser") {
        Some(at) if at.value == "auto" => Some(Browser::Auto),
        Some(at) if at.value == "av" => Some(Browser::Off),
        Some(at) if at.value.contains('/') => Some(Browser::Path(folder.join(at.value))),
        Some(at) => {
            table.complain(&at, format!("`browser` i [evidence] kan inte vara `{}`: skriv `auto`, `av` eller en sökväg, till exempel `/usr/bin/chromium`", at.value));
            None
        }
        None if table.has("browser") => None,
        None => Some(Browser::Auto),
    };
    let sheet_embeds = match table.text("sheet") {
        Some(at) if at.value == "pdf/a-2a" => Some(false),
        Some(at) if at.value == "pdf/a-3a" => Some(true),
        Some(at) => {
            table.complain(&at, format!("`sheet` i [evidence] kan inte vara `{}`: skriv `pdf/a-2a`, eller `pdf/a-3a` om arkivet tar emot filer i filen", at.value));
            None
        }
        None if table.has("sheet") => None,
        None => Some(false),
    };
    let capture = table.number("capture_s", 30, 5..=60, "sekunder");
    let page_archive = table.yes("page_archive", true);
    let again_before_removal = table.yes("again_before_removal", true);
    let attachment = table.number("attachment_mb", 50, 1..=1000, "MB");
    let attachments = table.number("attachments_mb", 100, 1..=1000, "MB");
    let attachments_s = table.number("attachments_s", 30, 1..=60, "sekunder");
    let checkpoint = section(table, "checkpoint", |table| checkpoint(table, folder, has_mail));
    let timestamp = if table.has("timestamp") {
        section(table, "timestamp", |table| timestamp(table, folder)).map(Some)
    } else {
        // Asked for, so that the section is known.
        drop(table.absent("timestamp"));
        Some(None)
    };
    Some(EvidenceConfig {
        folder: dir?,
        browser: browser?,
        sheet_embeds: sheet_embeds?,
        capture_limit: Duration::from_secs(capture?),
        page_archive: page_archive?.value,
        again_before_removal: again_before_removal?.value,
        attachment_most_bytes: attachment? * 1024 * 1024,
        attachments_most_bytes: attachments? * 1024 * 1024,
        attachments_limit: Duration::from_secs(attachments_s?),
        checkpoint: checkpoint?,
        timestamp: timestamp?,
    })
}

fn checkpoint(
    table: &mut Table<'_, '_>,
    folder: &Path,
    has_mail: bool,
) -> Option<CheckpointConfig> {
    let entries = table.number("every_entries", 256, 1..=1_000_000, "poster");
    let minutes = table.number("every_min", 60, 1..=1440, "minuter");
    let (witnesses, acknowledged) = (table.texts("witness_dirs"), table.texts("acknowledged_keys"));
    let earlier = table.texts("earlier_stamp_roots");
    let mut witness_mail = Vec::new();
    for at in table.texts("witness_mail")?.value {
        match at.value.parse::<lettre::Address>() {
            // Otherwise nobody would notice that no witness was ever sent.
            Ok(_) if !has_mail => {
                table.complain(&at, "`witness_mail` skickas med e-post, och [mail] saknas: lägg till [mail] eller ta bort `witness_mail`");
                return None;
            }
            Ok(_) => witness_mail.push(at.value),
            Err(_) => {
                table.complain(&at, format!("`{}` under `witness_mail` är ingen e-postadress: skriv den som arkiv@exempelstad.example", at.value));
                return None;
            }
        }
    }
    let (witnesses, acknowledged) = (witnesses?.value, acknowledged?.value);
    let mut roots = Vec::new();
    for at in earlier?.value {
        roots.push(root_certificate(table, &at, folder, "`earlier_stamp_roots`")?);
    }
    Some(CheckpointConfig {
        every_entries: entries?,
        every: Duration::from_secs(minutes? * 60),
        witness_mail,
        witnesses: witnesses.into_iter().map(|at| folder.join(at.value)).collect(),
        earlier_stamp_roots: roots,
        acknowledged_keys: acknowledged.into_iter().map(|at| at.value).collect(),
    })
}

/// A file with root certificates, as text. `key` is what a complaint names.
fn root_certificate(
    table: &mut Table<'_, '_>,
    at: &At<String>,
    folder: &Path,
    key: &str,
) -> Option<String> {
    let file = folder.join(&at.value);
    let pem = fs::read_to_string(&file).ok().filter(|pem| {
        pem.len() as u64 <= FILE_MOST_BYTES && pem.contains("-----BEGIN CERTIFICATE-----")
    });
    if pem.is_none() {
        table.complain(
            at,
            format!(
                "{key} ska vara en fil med rotcertifikat (PEM): {} går inte att läsa som en sådan",
                file.display()
            ),
        );
    }
    pem
}

fn timestamp(table: &mut Table<'_, '_>, folder: &Path) -> Option<TimestampConfig> {
    let url = table.demanded_text("url", "url = \"https://stampel.exempel.example/tsa\"");
    let ca = table.demanded_text("ca", "ca = \"stampel-rot.pem\"");
    let private = table.yes("allow_private_addresses", false);
    let url = url.and_then(|at| {
        let url = Url::parse(&at.value).ok().filter(|url| {
            let own = url.scheme() == "http" && url.host_str() == Some("127.0.0.1");
            (url.scheme() == "https" || own)
                && url.host().is_some()
                && url.username().is_empty()
                && url.password().is_none()
        });
        if url.is_none() {
            table.complain(&at, "`url` i [evidence.timestamp] ska vara stämpeltjänstens https-adress, utan användarnamn och lösenord");
        }
        url
    });
    let ca_pem =
        ca.and_then(|at| root_certificate(table, &at, folder, "`ca` i [evidence.timestamp]"));
    Some(TimestampConfig { url: url?, ca_pem: ca_pem?, allow_private_addresses: private?.value })
}

fn log(table: &mut Table<'_, '_>) -> Option<LogConfig> {
    let formats: Vec<_> = Format::ALL.iter().map(|f| (f.id(), *f)).collect();
    let levels: Vec<_> = Level::ALL.iter().map(|l| (l.id(), *l)).collect();
    let format = table.word("format", Format::Human, &formats);
    let level = table.word("level", Level::Info, &levels);
    Some(LogConfig { format: format?.value, level: level?.value })
}

fn limits(table: &mut Table<'_, '_>) -> Option<LimitsConfig> {
    // The contract of signed deliveries says 1 MiB.
    let intake = table.number("intake_body_kb", 1024, 64..=65_536, "kB");
    let polls = small(table, "polls_at_once", 8, 1, 64, "hämtningar samtidigt");
    let quota = small(table, "rule_quota_per_day", 200, 20, 1_000_000, "träffar per dygn");
    let calls = small(table, "calls_per_min", 60, 1, 6000, "anrop per minut");
    let logins = small(table, "logins_per_min", 10, 1, 600, "försök per minut");
    let claim = table.number("claim_min", 5, 1..=480, "minuter");
    let session = table.number("session_h", 10, 1..=24, "timmar");
    Some(LimitsConfig {
        intake_body_bytes: intake? * 1024,
        polls_at_once: polls?,
        rule_quota_per_day: quota?,
        calls_per_min: calls?,
        logins_per_min: NonZeroU32::new(logins?)?,
        claim: Duration::from_secs(claim? * 60),
        session: Duration::from_secs(session? * 3600),
    })
}

fn small(
    table: &mut Table<'_, '_>,
    key: &'static str,
    default: u32,
    least: u32,
    most: u32,
    unit: &str,
) -> Option<u32> {
    let number = table.number(key, u64::from(default), u64::from(least)..=u64::from(most), unit)?;
    u32::try_from(number).ok() // Within bounds that are 32 bits themselves.
}

fn path(
    table: &mut Table<'_, '_>,
    key: &'static str,
    default: &str,
    folder: &Path,
) -> Option<PathBuf> {
    match table.text(key) {
        Some(at) => Some(folder.join(at.value)),
        None if table.has(key) => None,
        None => Some(folder.join(default)),
    }
}

/// A path as complaints name it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Reads a file that people write: UTF-8, possibly with a byte order mark.
fn read_text(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let refuse = |(line, column), what: &str| {
        let complaint = Complaint { file: shown(path), line, column, what: what.to_owned() };
        ConfigError::Refused(vec![complaint])
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(FILE_MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_MOST_BYTES {
        return Err(refuse((1, 1), "filen är större än 1 MB: det är knappast rätt fil"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let place = position(error.as_bytes(), error.utf8_error().valid_up_to());
        refuse(place, "tecknet är inte UTF-8: spara filen med teckenkodningen UTF-8")
    })?;
    Ok(text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests;
