//! `[diary]`: by what ways packages reach the diary beside the export folder, and how its numbers come back; and
//! `[public_reports]`: whether anybody may report what stands somewhere; and
//! `[api]`: where messages to other systems may go.

use std::path::PathBuf;

use url::Url;

use super::notices::{MailSecurity, Server, Usual, address, server};
use super::reader::Table;
use super::secret::{Places, resolve};
use super::section;
use crate::runtime::secret::Secret;

/// The shortest shared secret, as for pushes from an own site.
const SHORTEST_SECRET: usize = 32;

/// `[diary]`.
#[derive(Clone, Debug, Default)]
pub struct DiaryConfig {
    /// To whom packages are mailed.
    pub mail: Option<String>,
    /// The largest package that is attached, in bytes.
    pub mail_most_bytes: u64,
    /// Whether what is marked as secret is attached too.
    pub mail_secret: bool,
    /// Where packages are sent by a signed call.
    pub webhook: Option<Url>,
    /// The largest package in such a call, in bytes.
    pub webhook_most_bytes: u64,
    /// The diary system may lie on a private network.
    pub allow_private_addresses: bool,
    /// Signs such calls, and those by which the diary system tells its numbers.
    pub secret: Option<Secret>,
    /// The folder in which the diary system lays its answers.
    pub replies: Option<PathBuf>,
}

/// `[public_reports]`.
#[derive(Clone, Debug, Default)]
pub struct PublicReportsConfig {
    /// Whether the form is there.
    pub enabled: bool,
    /// Where to turn when it is full or of no use: telephone or mail, in words.
    pub contact: String,
    /// How many reports the form takes in a day, from everybody together.
    pub per_day: u32,
    /// How many from one address in an hour.
    pub per_address_hour: u32,
    /// How many are taken in a day by mail.
    pub mails_per_day: u32,
    /// The folder into which the mail server puts reports by mail.
    pub mailbox: Option<PathBuf>,
    /// `[public_reports.imap]`, where there is one.
    pub imap: Option<ImapConfig>,
}

/// `[public_reports.imap]`: a mailbox on a mail server that is read for reports.
#[derive(Clone, Debug)]
pub struct ImapConfig {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is kept.
    pub security: MailSecurity,
    /// Who we log in as.
    pub login: (String, Secret),
    /// A root certificate (PEM) beside the machine's.
    pub ca_pem: Option<String>,
    /// The folder that is read.
    pub folder: String,
}

/// Reads `[public_reports.imap]`.
fn imap(table: &mut Table<'_, '_>, places: &Places<'_>) -> Option<ImapConfig> {
    let usual = Usual {
        section: "[public_reports.imap]",
        example: "host = \"imap.exempelstad.example\"",
        security: MailSecurity::Tls,
        port: |security| match security {
            MailSecurity::Tls => 993,
            MailSecurity::StartTls | MailSecurity::Plain => 143,
        },
    };
    let has_login = table.has("user") || table.has("password");
    let server = server(table, places, &usual);
    if !has_login {
        table.missing("user", "user = \"anmalningar\"");
        table.missing("password", "password = \"env:UPPSIKT_IMAP_LOSEN\"");
    }
    let written = table.has("folder");
    let folder = match table.text("folder") {
        Some(at) if at.value.trim().is_empty() || at.value.chars().any(char::is_control) => {
            table.complain(&at, "`folder` i [public_reports.imap] är namnet på en mapp på servern, till exempel `INBOX`");
            None
        }
        Some(at) => Some(at.value),
        None => (!written).then(|| "INBOX".to_owned()),
    };
    let Server { host, port, security, login, ca_pem } = server?;
    Some(ImapConfig { host, port, security, login: login?, ca_pem, folder: folder? })
}

/// `[api]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiConfig {
    /// Webhooks may go over plain http to this machine.
    pub allow_http_loopback: bool,
    /// Webhooks may go to a private network.
    pub allow_private_addresses: bool,
    /// Administrators may make keys that act for others.
    pub keys_for_others: bool,
}

/// Reads `[api]`.
pub(super) fn api(table: &mut Table<'_, '_>) -> Option<ApiConfig> {
    let loopback = table.yes("allow_http_loopback", false);
    let private = table.yes("allow_private_addresses", false);
    let keys_for_others = table.yes("keys_for_others", false);
    Some(ApiConfig {
        keys_for_others: keys_for_others?.value,
        allow_http_loopback: loopback?.value,
        allow_private_addresses: private?.value,
    })
}

/// Reads `[diary]`. `has_mail`: there is a mail server in the file.
pub(super) fn diary(
    table: &mut Table<'_, '_>,
    places: &Places<'_>,
    has_mail: bool,
) -> Option<DiaryConfig> {
    let written = table.has("mail");
    let mail = match table.text("mail") {
        Some(at) if !has_mail => {
            table.complain(&at, "`mail` i [diary] kräver en e-postserver: skriv avsnittet [mail]");
            None
        }
        Some(at) => address(table, "mail", &at).map(Some),
        None => (!written).then_some(None),
    };
    let mail_most = table.number("mail_most_mb", 10, 1..=100, "MB");
    let mail_secret = table.yes("mail_secret", false);
    let written = table.has("webhook");
    let webhook = match table.text("webhook") {
        Some(at) => {
            let url = Url::parse(&at.value).ok().filter(|url| {
                let own = url.scheme() == "http" && url.host_str() == Some("127.0.0.1");
                (url.scheme() == "https" || own)
                    && url.host().is_some()
                    && url.username().is_empty()
                    && url.password().is_none()
            });
            if url.is_none() {
                table.complain(&at, "`webhook` i [diary] ska vara diariesystemets https-adress, utan användarnamn och lösenord");
            } else if !table.has("secret") {
                table.complain(&at, "`webhook` i [diary] kräver `secret`: skriv till exempel `secret = \"env:UPPSIKT_DIARIE_HEMLIGHET\"`");
            }
            url.map(Some)
        }
        None => (!written).then_some(None),
    };
    let webhook_most = table.number("webhook_most_mb", 50, 1..=500, "MB");
    let private = table.yes("allow_private_addresses", false);
    let written = table.has("secret");
    let secret = match table.text("secret") {
        Some(at) => match resolve("secret", &at.value, places) {
            Ok(secret) if secret.expose().chars().count() < SHORTEST_SECRET => {
                table.complain(&at, format!("hemligheten som `secret` i [diary] pekar på är för kort: den ska ha minst {SHORTEST_SECRET} tecken"));
                None
            }
            Ok(secret) => Some(Some(secret)),
            Err(what) => {
                table.complain(&at, what);
                None
            }
        },
        None => (!written).then_some(None),
    };
    let written = table.has("replies");
    let replies = match table.text("replies") {
        Some(at) => Some(Some(places.folder.join(at.value))),
        None => (!written).then_some(None),
    };
    Some(DiaryConfig {
        mail: mail?,
        mail_most_bytes: mail_most? * 1024 * 1024,
        mail_secret: mail_secret?.value,
        webhook: webhook?,
        webhook_most_bytes: webhook_most? * 1024 * 1024,
        allow_private_addresses: private?.value,
        secret: secret?,
        replies: replies?,
    })
}

/// Reads `[public_reports]`.
pub(super) fn public_reports(
    table: &mut Table<'_, '_>,
    places: &Places<'_>,
) -> Option<PublicReportsConfig> {
    let enabled = table.yes("enabled", false);
    let written = table.has("contact");
    let contact = match table.text("contact") {
        Some(at) => Some(at.value),
        None if written => None,
        None if enabled.as_ref().is_some_and(|at| at.value) => {
            table.missing("contact", "contact = \"växeln, 0000-00 00 00\"");
            None
        }
        None => Some(String::new()),
    };
    let per_day = table.number("per_day", 200, 1..=10_000, "anmälningar");
    let per_address = table.number("per_address_hour", 5, 1..=1_000, "anmälningar");
    let mails_per_day = table.number("mails_per_day", 200, 1..=10_000, "brev");
    let imap = match table.has("imap") {
        true => section(table, "imap", |table| imap(table, places)).map(Some),
        false => Some(None),
    };
    let has_mailbox = table.has("mailbox");
    let mailbox = table.text("mailbox");
    if has_mailbox && mailbox.is_none() {
        return None;
    }
    let mailbox = mailbox.map(|at| places.folder.join(at.value));
    Some(PublicReportsConfig {
        mailbox,
        enabled: enabled?.value,
        contact: contact?,
        // Within bounds that are 32 bits themselves.
        per_day: per_day? as u32,
        per_address_hour: per_address? as u32,
        mails_per_day: mails_per_day? as u32,
        imap: imap?,
    })
}
