//! `[mail]` and `[notices]`: by what ways people are told, and when not.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::civil::Time;

use super::reader::{At, Table};
use super::root_certificate;
use super::secret::{Places, resolve};
use crate::domain::duties::Told;
use crate::domain::notice::QuietHours;
use crate::runtime::secret::Secret;

/// How the way to the mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS after a greeting, demanded.
    StartTls,
    /// TLS from the start.
    Tls,
    /// None: the server is on this machine.
    Plain,
}

/// `[mail]`.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is kept.
    pub security: MailSecurity,
    /// Who we log in as.
    pub login: Option<(String, Secret)>,
    /// Who writes.
    pub from: String,
    /// A root certificate (PEM) beside the machine's.
    pub ca_pem: Option<String>,
}

/// In whose form a webhook is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookForm {
    /// Teams.
    Teams,
    /// Slack.
    Slack,
}

/// `[[notices.webhook]]`.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// Its name, for people.
    pub name: String,
    /// In whose form.
    pub form: WebhookForm,
    /// Where: a secret.
    pub url: Secret,
    /// Takes what is urgent alone.
    pub only_urgent: bool,
}

/// `[notices]`.
#[derive(Clone, Debug)]
pub struct NoticesConfig {
    /// When only what is urgent is sent.
    pub quiet: Option<QuietHours>,
    /// Whether the comment's beginning stands in a notice, masked.
    pub shows_text: bool,
    /// Where those are written to whom a policy tells of a finding.
    pub told: BTreeMap<Told, String>,
    /// Webhooks.
    pub webhooks: Vec<WebhookConfig>,
}

/// A mail address as one writes it: something, an at sign, a name with a dot or one of this house.
fn is_address(text: &str) -> bool {
    let bare = match text.rsplit_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or(""),
        None => text,
    };
    let parts = bare.rsplit_once('@');
    parts.is_some_and(|(name, domain)| {
        !name.is_empty()
            && !domain.is_empty()
            && !bare.chars().any(|c| c.is_whitespace() || c.is_control() || c == ',')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
    })
}

pub(super) fn address(table: &Table<'_, '_>, key: &str, at: &At<String>) -> Option<String> {
    if is_address(&at.value) {
        return Some(at.value.clone());
    }
    table.complain(
        at,
        format!("`{key}` är ingen e-postadress: skriv till exempel `chef@exempelstad.example`"),
    );
    None
}

/// A mail server that we call.
pub(super) struct Server {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is kept.
    pub security: MailSecurity,
    /// Who we log in as.
    pub login: Option<(String, Secret)>,
    /// A root certificate (PEM) beside the machine's.
    pub ca_pem: Option<String>,
}

/// What is usual of a server.
pub(super) struct Usual {
    /// The section, in complaints.
    pub section: &'static str,
    /// A line that shows how its name is written.
    pub example: &'static str,
    /// How the way is kept where nothing is said.
    pub security: MailSecurity,
    /// Its port by how the way is kept.
    pub port: fn(MailSecurity) -> u64,
}

/// Reads how a mail server is reached.
pub(super) fn server(
    table: &mut Table<'_, '_>,
    places: &Places<'_>,
    usual: &Usual,
) -> Option<Server> {
    let host = table.demanded_text("host", usual.example);
    let security = table.word(
        "security",
        usual.security,
        &[
            ("starttls", MailSecurity::StartTls),
            ("tls", MailSecurity::Tls),
            ("ingen", MailSecurity::Plain),
        ],
    );
    let kept = security.as_ref().map_or(usual.security, |at| at.value);
    let port = table.number("port", (usual.port)(kept), 1..=65_535, "(portnummer)");
    let login = login(table, places);
    let ca_written = table.has("ca");
    let ca = match table.text("ca") {
        Some(at) => {
            let key = format!("`ca` i {}", usual.section);
            root_certificate(table, &at, places.folder, &key).map(Some)
        }
        None => (!ca_written).then_some(None),
    };
    let (host, security, login) = (host?, security?, login?);
    let own =
        host.value == "localhost" || host.value.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if security.value == MailSecurity::Plain && !own {
        table.complain(
            &security,
            "`security = \"ingen\"` skickar brev öppet över nätet: skriv `starttls` eller `tls`, eller låt `host` vara en e-postserver på den här datorn (127.0.0.1)",
        );
        return None;
    }
    Some(Server {
        host: host.value,
        // Within bounds that are 16 bits themselves.
        port: port? as u16,
        security: security.value,
        login,
        ca_pem: ca?,
    })
}

/// Reads `[mail]`.
pub(super) fn mail(table: &mut Table<'_, '_>, places: &Places<'_>) -> Option<MailConfig> {
    let usual = Usual {
        section: "[mail]",
        example: "host = \"smtp.exempelstad.example\"",
        security: MailSecurity::StartTls,
        port: |security| match security {
            MailSecurity::Tls => 465,
            MailSecurity::Plain => 25,
            MailSecurity::StartTls => 587,
        },
    };
    let server = server(table, places, &usual);
    let from = table.demanded_text("from", "from = \"Uppsikt <uppsikt@exempelstad.example>\"");
    let from = from.and_then(|at| address(table, "from", &at));
    let Server { host, port, security, login, ca_pem } = server?;
    Some(MailConfig { host, port, security, login, from: from?, ca_pem })
}

/// `user` and `password`: both or none.
#[expect(clippy::option_option, reason = "left out and faulty are told apart")]
fn login(table: &mut Table<'_, '_>, places: &Places<'_>) -> Option<Option<(String, Secret)>> {
    let written = (table.has("user"), table.has("password"));
    let (user, password) = (table.text("user"), table.text("password"));
    match (user, password) {
        (Some(user), Some(at)) => match resolve("password", &at.value, places) {
            Ok(secret) => Some(Some((user.value, secret))),
            Err(what) => {
                table.complain(&at, what);
                None
            }
        },
        (Some(at), None) if !written.1 => {
            table.complain(&at, "`user` kräver `password`: skriv till exempel `password = \"env:UPPSIKT_EPOST_LOSEN\"`");
            None
        }
        (None, Some(at)) if !written.0 => {
            table.complain(&at, "`password` kräver `user`: skriv namnet som e-postservern känner");
            None
        }
        (None, None) if written == (false, false) => Some(None),
        // Told already.
        (Some(_) | None, Some(_) | None) => None,
    }
}

/// Reads `[notices]`.
pub(super) fn notices(table: &mut Table<'_, '_>, places: &Places<'_>) -> Option<NoticesConfig> {
    let quiet = quiet(table);
    let shows_text = table.yes("text", false);
    let told = told(table);
    let mut webhooks: Vec<WebhookConfig> = Vec::new();
    let mut whole = true;
    for mut hook in table.tables("webhook") {
        let read = webhook(&mut hook, places);
        hook.done();
        match read {
            Some((name, _)) if webhooks.iter().any(|known| known.name == name.value) => {
                hook.complain(&name, "två kanaler har samma `name`: ge dem var sitt");
                whole = false;
            }
            Some((_, read)) => webhooks.push(read),
            None => whole = false,
        }
    }
    let (quiet, shows_text, told) = (quiet?, shows_text?.value, told?);
    whole.then_some(NoticesConfig { quiet, shows_text, told, webhooks })
}

fn webhook(table: &mut Table<'_, '_>, places: &Places<'_>) -> Option<(At<String>, WebhookConfig)> {
    let name = table.demanded_text("name", "name = \"Jourkanalen\"");
    let forms = [("teams", WebhookForm::Teams), ("slack", WebhookForm::Slack)];
    let form = table.demanded_text("format", "format = \"teams\"");
    let form = form.and_then(|at| table.one_of("format", &at, &forms));
    let url = table.demanded_text("url", "url = \"env:UPPSIKT_TEAMS_ADRESS\"");
    let url = url.and_then(|at| {
        resolve("url", &at.value, places).map_err(|what| table.complain(&at, what)).ok()
    });
    let only_urgent = table.yes("only_urgent", false);
    let name = name?;
    let (form, url, only_urgent) = (form?, url?, only_urgent?.value);
    Some((name.clone(), WebhookConfig { name: name.value, form, url, only_urgent }))
}

/// `quiet_from`, `quiet_to`, `quiet_free_days`.
#[expect(clippy::option_option, reason = "none set and faulty are told apart")]
fn quiet(table: &mut Table<'_, '_>) -> Option<Option<QuietHours>> {
    let on = table.yes("quiet", true);
    let from = hour(table, "quiet_from", Time::constant(20, 0, 0, 0));
    let to = hour(table, "quiet_to", Time::constant(7, 0, 0, 0));
    let free_days = table.yes("quiet_free_days", true);
    let (on, from, to, free_days) = (on?.value, from?, to?, free_days?.value);
    if to.value >= from.value {
        table.complain(&from, "tystnaden ska börja på kvällen och sluta på morgonen: `quiet_from` ska vara senare på dygnet än `quiet_to`, till exempel 20:00 och 07:00");
        return None;
    }
    Some(on.then_some(QuietHours { opens: to.value, closes: from.value, free_days }))
}

fn hour(table: &mut Table<'_, '_>, key: &'static str, default: Time) -> Option<At<Time>> {
    let written = table.has(key);
    match table.text(key) {
        Some(at) => match Time::strptime("%H:%M", &at.value) {
            Ok(value) => Some(At { value, place: at.place }),
            Err(_) => {
                table.complain(
                    &at,
                    format!("`{key}` ska vara ett klockslag: skriv till exempel `20:00`"),
                );
                None
            }
        },
        None => (!written).then(|| At { value: default, place: table.place.clone() }),
    }
}

/// `[notices.to]`: a key for each whom a policy may tell and who is no user of ours.
fn told(table: &mut Table<'_, '_>) -> Option<BTreeMap<Told, String>> {
    let mut to = if table.has("to") { table.table("to")? } else { table.absent("to") };
    let mut told = BTreeMap::new();
    let mut whole = true;
    for &who in Told::ALL {
        match who {
            // Users of ours, by account; and whoever wrote.
            Told::Owner | Told::Citizen => continue,
            Told::Manager
            | Told::Officer
            | Told::Communications
            | Told::Registrar
            | Told::Security => {}
        }
        let written = to.has(who.id());
        match to.text(who.id()) {
            Some(at) => match address(&to, who.id(), &at) {
                Some(address) => {
                    told.insert(who, address);
                }
                None => whole = false,
            },
            None => whole &= !written,
        }
    }
    to.done();
    whole.then_some(told)
}

/// `[forward]`: units that what is forwarded goes to by mail.
#[derive(Clone, Debug, Default)]
pub struct ForwardConfig {
    /// Name and address of each.
    pub units: Vec<(String, String)>,
    /// The largest package that is attached, in bytes.
    pub most_bytes: u64,
}

/// Reads `[forward]`.
pub(super) fn forward(table: &mut Table<'_, '_>, has_mail: bool) -> Option<ForwardConfig> {
    let most = table.number("most_mb", 10, 1..=100, "MB");
    let mut units: Vec<(String, String)> = Vec::new();
    let mut whole = true;
    for mut unit in table.tables("unit") {
        let name = unit.demanded_text("name", "name = \"Elevhälsan\"");
        let mail = unit.demanded_text("mail", "mail = \"elevhalsan@exempelstad.example\"");
        let mail = mail.and_then(|at| address(&unit, "mail", &at));
        unit.done();
        let same = |name: &str| units.iter().any(|(known, _)| known.to_lowercase() == name);
        match (name, mail) {
            (Some(name), Some(_)) if same(&name.value.to_lowercase()) => {
                unit.complain(&name, "två enheter har samma `name`: ge dem var sitt");
                whole = false;
            }
            (Some(name), Some(_)) if !has_mail => {
                unit.complain(&name, "[[forward.unit]] kräver [mail]: skriv hur e-postservern nås, eller ta bort enheten");
                whole = false;
            }
            (Some(name), Some(mail)) => units.push((name.value, mail)),
            (Some(_) | None, Some(_) | None) => whole = false,
        }
    }
    let most = most?;
    whole.then_some(ForwardConfig { units, most_bytes: most * 1024 * 1024 })
}

/// Where `[mail]` is left out: it is known, and there is none.
#[expect(clippy::option_option, reason = "left out and faulty are told apart")]
pub(super) fn maybe_mail(
    root: &mut Table<'_, '_>,
    places: &Places<'_>,
) -> Option<Option<MailConfig>> {
    if !root.has("mail") {
        drop(root.absent("mail"));
        return Some(None);
    }
    let mut table = root.table("mail")?;
    let read = mail(&mut table, places);
    table.done();
    read.map(Some)
}

#[cfg(test)]
mod tests;
