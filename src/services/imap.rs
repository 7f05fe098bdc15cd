//! A mailbox on a mail server, read by IMAP (RFC 3501, with MOVE and UIDPLUS where the server has them).
//!
//! Only what the reports need: what waits, one message at a time within a bound, and moving it beside. A command that
//! the server refuses is an error: a mail that is not taken out is met again. The server's answers are read into memory,
//! so a connection is cut off where it sends or announces more than a round may take ([`wire`]).

mod wire;

use std::collections::BTreeMap;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_imap::error::Error as ImapError;
use async_imap::imap_proto::{
    AttributeValue, MailboxDatum, MessageSection, Response, ResponseCode, SectionPath, Status,
};
use async_imap::{Client, Session};
use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::{self, ClientConfig};

use super::notices::courier::Security;
use crate::runtime::secret::Secret;
use wire::{Bounded, Came, Wire};

/// How long a server may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many times that a step may take while something comes: a large mail on a slow line is the longest.
const PATIENT_TIMES: u32 = 10;
/// So many messages of a folder are searched at once, so that no answer grows with the folder.
const WINDOW: u32 = 500;

/// The mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImapSettings {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is kept.
    pub security: Security,
    /// Who we log in as.
    pub login: (String, Secret),
    /// A root certificate (PEM) trusted beside the machine's.
    pub ca_pem: Option<String>,
    /// The folder that is read.
    pub folder: String,
}

/// Why the mailbox cannot be read; each sentence is Swedish, for the person.
#[derive(Debug, thiserror::Error)]
pub enum MailboxAway {
    /// Nobody answers.
    #[error(
        "Servern {host}:{port} svarar inte: kontrollera `host` och `port` i [public_reports.imap], och att servern går"
    )]
    NoAnswer {
        /// Where.
        host: String,
        /// Where.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// TLS could not be had.
    #[error(
        "Krypteringen mot servern gick inte att få: kontrollera `security` och `ca` i [public_reports.imap]"
    )]
    Tls(#[source] io::Error),
    /// The login is refused.
    #[error(
        "Servern godtog inte inloggningen: kontrollera `user` och `password` i [public_reports.imap]"
    )]
    Login,
    /// There is no such folder, or it may not be read.
    #[error(
        "Mappen {0} finns inte på servern eller får inte läsas: kontrollera `folder` i [public_reports.imap]"
    )]
    Folder(String),
    /// Mails cannot be moved there.
    #[error(
        "Brev kan inte flyttas till mappen {0} på servern: skapa mappen, eller ge kontot rätt att göra det"
    )]
    Beside(String),
    /// Mails cannot be taken out of it; they were copied beside, or nothing was done.
    #[error(
        "Brev kan inte tas bort ur mappen {0} på servern: ge kontot rätt att ändra och ta bort brev där"
    )]
    Kept(String),
    /// It takes too long.
    #[error("Servern svarade inte i tid")]
    Slow,
    /// The server says something else than was asked for, or breaks off.
    #[error("Servern bröt, eller svarade något som inte går att förstå")]
    Broken(#[source] ImapError),
}

/// A folder's name as the protocol writes it (modified UTF-7, RFC 3501 5.1.3).
pub(super) fn folder_name(name: &str) -> String {
    const CODE: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);
    let mut written = String::with_capacity(name.len());
    let mut aside: Vec<u8> = Vec::new();
    let flush = |aside: &mut Vec<u8>, written: &mut String| {
        if !aside.is_empty() {
            written.push('&');
            written.push_str(&CODE.encode(&*aside));
            written.push('-');
            aside.clear();
        }
    };
    for c in name.chars() {
        match c {
            ' '..='~' => {
                flush(&mut aside, &mut written);
                written.push(c);
                if c == '&' {
                    written.push('-');
                }
            }
            _ => {
                let mut units = [0; 2];
                aside.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
            }
        }
    }
    flush(&mut aside, &mut written);
    written
}

/// Waits for a step as long as something comes, and not for ever.
async fn in_time<T>(
    came: &Came,
    step: impl Future<Output = Result<T, ImapError>>,
) -> Result<T, MailboxAway> {
    let mut step = pin!(step);
    for _ in 0..PATIENT_TIMES {
        let before = came.so_far();
        match tokio::time::timeout(PATIENCE, &mut step).await {
            Ok(done) => return done.map_err(MailboxAway::Broken),
            Err(_) if came.so_far() == before => return Err(MailboxAway::Slow),
            Err(_) => {}
        }
    }
    Err(MailboxAway::Slow)
}

/// Whether the server refused what it understood; the connection goes on.
pub(super) const fn is_refusal(error: &MailboxAway) -> bool {
    matches!(error, MailboxAway::Broken(ImapError::No(_) | ImapError::Bad(_)))
}

fn tls_settings(settings: &ImapSettings) -> Result<ClientConfig, MailboxAway> {
    let broken = |e: rustls::Error| MailboxAway::Tls(io::Error::other(e));
    let provider = Arc::new(default_provider());
    let pem = settings.ca_pem.as_deref().unwrap_or_default();
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let roots = roots.map_err(|e| MailboxAway::Tls(io::Error::other(e)))?;
    let verifier = Verifier::new_with_extra_roots(roots, provider.clone()).map_err(broken)?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(broken)?
        // The machine's own roots, and the one of the settings: the name only says that they are not built in.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

async fn over_tls(
    wire: Box<dyn Wire>,
    settings: &ImapSettings,
) -> Result<Box<dyn Wire>, MailboxAway> {
    let config = tls_settings(settings)?;
    let name = ServerName::try_from(settings.host.clone())
        .map_err(|e| MailboxAway::Tls(io::Error::other(e)))?;
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, wire);
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(MailboxAway::Tls(error)),
        Err(_) => Err(MailboxAway::Slow),
    }
}

fn client(wire: Box<dyn Wire>, came: &Came) -> Client<Bounded> {
    Client::new(Bounded::new(wire, came.clone()))
}

async fn greeted(client: &mut Client<Bounded>, came: &Came) -> Result<(), MailboxAway> {
    let lost = || MailboxAway::Broken(ImapError::ConnectionLost);
    let greeting = async { client.read_response().await.map_err(ImapError::Io) };
    in_time(came, greeting).await?.map(drop).ok_or_else(lost)
}

/// A name or a word as commands take it. Names are written in modified UTF-7, so there is no end of line in them.
fn quoted(words: &str) -> String {
    format!("\"{}\"", words.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A message that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Its number in the folder.
    pub uid: u32,
    /// Its size as the server says, in bytes.
    pub bytes: u64,
}

/// A mailbox that is open.
pub(super) struct Mailbox {
    session: Session<Bounded>,
    came: Came,
    folder: String,
    /// Between a folder and those in it.
    delimiter: String,
    moves: bool,
    uid_plus: bool,
    /// How many lie in the folder that is worked in.
    exists: u32,
    /// Under which the numbers of the folder hold: another one means that they are given anew.
    pub(super) validity: u32,
}

impl Mailbox {
    /// Connects and logs in; nothing is opened yet.
    pub(super) async fn open(settings: &ImapSettings) -> Result<Self, MailboxAway> {
        let away = |source| MailboxAway::NoAnswer {
            host: settings.host.clone(),
            port: settings.port,
            source,
        };
        let connecting = TcpStream::connect((settings.host.as_str(), settings.port));
        let tcp = match tokio::time::timeout(PATIENCE, connecting).await {
            Ok(tcp) => tcp.map_err(away)?,
            Err(_) => return Err(away(io::ErrorKind::TimedOut.into())),
        };
        let tcp: Box<dyn Wire> = Box::new(tcp);
        let came = Came::default();
        let client = match settings.security {
            Security::Plain => {
                let mut client = client(tcp, &came);
                greeted(&mut client, &came).await?;
                client
            }
            Security::Tls => {
                let mut client = client(over_tls(tcp, settings).await?, &came);
                greeted(&mut client, &came).await?;
                client
            }
            Security::StartTls => {
                let mut client = client(tcp, &came);
                greeted(&mut client, &came).await?;
                let told = client.run_command_and_check_ok("STARTTLS", None);
                in_time(&came, told).await.map_err(|_| {
                    MailboxAway::Tls(io::Error::other("the server does not offer STARTTLS"))
                })?;
                // What was read in the open goes with the client: nobody slips answers in before the TLS.
                let wire = client.into_inner().into_inner();
                self::client(over_tls(wire, settings).await?, &came)
            }
        };
        let (user, password) = &settings.login;
        let logging_in = client.login(user, password.expose());
        let mut session = match tokio::time::timeout(PATIENCE, logging_in).await {
            Ok(Ok(session)) => session,
            Ok(Err((ImapError::No(_) | ImapError::Bad(_) | ImapError::Validate(_), _))) => {
                return Err(MailboxAway::Login);
            }
            Ok(Err((error, _))) => return Err(MailboxAway::Broken(error)),
            Err(_) => return Err(MailboxAway::Slow),
        };
        let known = in_time(&came, session.capabilities()).await?;
        let (moves, uid_plus) = (known.has_str("MOVE"), known.has_str("UIDPLUS"));
        let mut mailbox = Self {
            session,
            came,
            folder: settings.folder.clone(),
            delimiter: "/".to_owned(),
            moves,
            uid_plus,
            exists: 0,
            validity: 0,
        };
        let mut delimiter = None;
        // The empty name asks for nothing but what stands between names (RFC 3501 6.3.8).
        let heard = |answer: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::List(listed)) = answer {
                delimiter =
                    delimiter.take().or_else(|| listed.delimiter.as_deref().map(str::to_owned));
            }
        };
        match mailbox.run("LIST \"\" \"\"", heard).await {
            Err(error) if is_refusal(&error) => {}
            done => done?,
        }
        mailbox.delimiter = delimiter.unwrap_or_else(|| "/".to_owned());
        Ok(mailbox)
    }

    /// Runs a command and hands on each answer that comes with it.
    async fn run(
        &mut self,
        command: &str,
        mut heard: impl FnMut(&Response<'_>) + Send,
    ) -> Result<(), MailboxAway> {
        let session = &mut self.session;
        let step = async {
            let id = session.run_command(command).await?;
            loop {
                let answer = session.read_response().await?.ok_or(ImapError::ConnectionLost)?;
                match answer.parsed() {
                    Response::Done { tag, status, .. } if *tag == id => {
                        return match status {
                            Status::Ok => Ok(()),
                            // Without its words, which may quote anything.
                            Status::No => Err(ImapError::No(String::new())),
                            Status::Bad | Status::PreAuth | Status::Bye => {
                                Err(ImapError::Bad(String::new()))
                            }
                        };
                    }
                    other => heard(other),
                }
            }
        };
        in_time(&self.came, step).await
    }

    /// The name of the folder, or of one in it.
    fn name(&self, beside: Option<&str>) -> String {
        let folder = match beside {
            None => self.folder.clone(),
            Some(beside) => format!("{}{}{beside}", self.folder, self.delimiter),
        };
        folder_name(&folder)
    }

    /// Makes a folder the one that is worked in, for reading alone or not. Says how many lie there.
    pub(super) async fn select(
        &mut self,
        beside: Option<&str>,
        to_write: bool,
    ) -> Result<u32, MailboxAway> {
        let verb = if to_write { "SELECT" } else { "EXAMINE" };
        let (mut exists, mut validity, mut may_delete, mut read_only) = (0, 0, true, false);
        let command = format!("{verb} {}", quoted(&self.name(beside)));
        let opened = self.run(&command, |answer| match answer {
            Response::MailboxData(MailboxDatum::Exists(n)) => exists = *n,
            Response::Data { outcome, .. } => match &outcome.code {
                Some(ResponseCode::UidValidity(n)) => validity = *n,
                Some(ResponseCode::PermanentFlags(flags)) => {
                    may_delete = flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Deleted"));
                }
                Some(ResponseCode::ReadOnly) => read_only = true,
                _ => {}
            },
            _ => {}
        });
        match opened.await {
            // A server may say so in the answer's end alone; a mail that cannot be taken out is found out then.
            Ok(()) if to_write && (!may_delete || read_only) => {
                Err(MailboxAway::Kept(beside.unwrap_or(&self.folder).to_owned()))
            }
            Ok(()) => {
                (self.exists, self.validity) = (exists, validity);
                Ok(exists)
            }
            Err(MailboxAway::Broken(ImapError::No(_))) => {
                Err(MailboxAway::Folder(beside.unwrap_or(&self.folder).to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    /// Numbers of messages that a search finds, the lowest first: those that `wanted` says, at most so many. The folder
    /// is gone through piece by piece, and no further than that.
    pub(super) async fn numbers(
        &mut self,
        query: &str,
        most: usize,
        wanted: impl Fn(u32) -> bool,
    ) -> Result<Vec<u32>, MailboxAway> {
        let mut found = Vec::new();
        let mut from = 1;
        while from <= self.exists && found.len() < most {
            let upto = from.saturating_add(WINDOW - 1).min(self.exists);
            let mut some = Vec::new();
            self.run(&format!("UID SEARCH {from}:{upto} {query}"), |answer| {
                if let Response::MailboxData(MailboxDatum::Search(uids)) = answer {
                    some.extend_from_slice(uids);
                }
            })
            .await?;
            some.sort_unstable();
            found.extend(some.into_iter().filter(|uid| wanted(*uid)));
            from = upto + 1;
        }
        found.truncate(most);
        Ok(found)
    }

    async fn fetch<T: Send>(
        &mut self,
        uids: &[u32],
        what: &str,
        read: impl Fn(&AttributeValue<'_>) -> Option<T> + Send + Sync,
    ) -> Result<BTreeMap<u32, T>, MailboxAway> {
        let set: Vec<_> = uids.iter().map(ToString::to_string).collect();
        let mut fetched = BTreeMap::new();
        let command = format!("UID FETCH {} (UID {what})", set.join(","));
        self.run(&command, |answer| {
            if let Response::Fetch(_, values) = answer {
                let uid = values.iter().find_map(|value| match value {
                    AttributeValue::Uid(uid) => Some(*uid),
                    _ => None,
                });
                fetched.extend(uid.zip(values.iter().find_map(&read)));
            }
        })
        .await?;
        Ok(fetched)
    }

    /// The first messages that wait, at most so many; without those that are `passed_over`.
    pub(super) async fn waiting(
        &mut self,
        most: usize,
        passed_over: impl Fn(u32, u32) -> bool,
    ) -> Result<Vec<Waiting>, MailboxAway> {
        self.select(None, true).await?;
        let validity = self.validity;
        let uids = self.numbers("UNDELETED", most, |uid| !passed_over(validity, uid)).await?;
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let sizes = self.fetch(&uids, "RFC822.SIZE", |value| match value {
            AttributeValue::Rfc822Size(bytes) => Some(u64::from(*bytes)),
            _ => None,
        });
        let sizes = sizes.await?;
        let sized = |uid| sizes.get(&uid).map(|bytes| Waiting { uid, bytes: *bytes });
        Ok(uids.into_iter().filter_map(sized).collect())
    }

    /// All of one message; nothing where it has gone meanwhile. It is not marked as read.
    pub(super) async fn message(&mut self, uid: u32) -> Result<Option<Vec<u8>>, MailboxAway> {
        let one = [uid];
        let fetched = self.fetch(&one, "BODY.PEEK[]", |value| match value {
            AttributeValue::BodySection { section: None, data: Some(data), .. } => {
                Some(data.to_vec())
            }
            _ => None,
        });
        Ok(fetched.await?.remove(&uid))
    }

    /// The heads of these messages.
    pub(super) async fn heads(
        &mut self,
        uids: &[u32],
    ) -> Result<BTreeMap<u32, Vec<u8>>, MailboxAway> {
        let header = SectionPath::Full(MessageSection::Header);
        let fetched = self.fetch(uids, "BODY.PEEK[HEADER]", |value| match value {
            AttributeValue::BodySection { section: Some(section), data: Some(data), .. } => {
                (*section == header).then(|| data.to_vec())
            }
            _ => None,
        });
        fetched.await
    }

    /// Moves a message of the folder into one beside, which is made where it is missing.
    ///
    /// # Errors
    /// [`MailboxAway::Kept`] where it was copied there and cannot be taken out here: the next time it is to be
    /// [removed](Self::remove) alone.
    pub(super) async fn put_away(&mut self, uid: u32, beside: &str) -> Result<(), MailboxAway> {
        let name = quoted(&self.name(Some(beside)));
        match self.moved(uid, &name).await {
            Err(error) if is_refusal(&error) => {}
            done => return done,
        }
        // What can be wrong with it is told by the second try.
        drop(self.run(&format!("CREATE {name}"), |_| {}).await);
        match self.moved(uid, &name).await {
            Err(error) if is_refusal(&error) => {
                Err(MailboxAway::Beside(format!("{}{}{beside}", self.folder, self.delimiter)))
            }
            done => done,
        }
    }

    async fn moved(&mut self, uid: u32, name: &str) -> Result<(), MailboxAway> {
        if self.moves {
            return self.run(&format!("UID MOVE {uid} {name}"), |_| {}).await;
        }
        self.run(&format!("UID COPY {uid} {name}"), |_| {}).await?;
        self.take_out(uid).await
    }

    /// Takes out a message that was copied beside.
    ///
    /// # Errors
    /// [`MailboxAway::Kept`] where the server refuses that.
    pub(super) async fn take_out(&mut self, uid: u32) -> Result<(), MailboxAway> {
        match self.remove(uid).await {
            Err(error) if is_refusal(&error) => Err(MailboxAway::Kept(self.folder.clone())),
            // Flagged is enough here: it is met no more.
            done => done.map(drop),
        }
    }

    /// Takes a message out of the folder that is worked in. Says whether it has gone: without UIDPLUS only all that is
    /// flagged could be taken out, and others may have flagged something, so it stays flagged.
    ///
    /// # Errors
    /// [`MailboxAway`], a refusal among them.
    pub(super) async fn remove(&mut self, uid: u32) -> Result<bool, MailboxAway> {
        self.run(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"), |_| {}).await?;
        if self.uid_plus {
            self.run(&format!("UID EXPUNGE {uid}"), |_| {}).await?;
        }
        Ok(self.uid_plus)
    }

    /// What is still to be taken out: what is flagged stays where nothing else can be done.
    pub(super) const fn still_there(&self) -> &'static str {
        if self.uid_plus { "ALL" } else { "UNDELETED" }
    }

    /// Says goodbye. What goes wrong with that changes nothing.
    pub(super) async fn close(mut self) {
        drop(in_time(&self.came, self.session.logout()).await);
    }
}

/// Whether the mailbox can be read, and how many mails lie in it.
///
/// # Errors
/// Why not.
pub async fn try_mailbox(settings: &ImapSettings) -> Result<u32, MailboxAway> {
    let mut mailbox = Mailbox::open(settings).await?;
    let found = mailbox.select(None, false).await;
    mailbox.close().await;
    found
}

#[cfg(test)]
mod tests {
    use super::folder_name;

    #[test]
    fn folders_are_named_as_the_protocol_writes_them() {
        for (name, written) in [
            ("INBOX", "INBOX"),
            ("INBOX/lästa", "INBOX/l&AOQ-sta"),
            ("Frågor & svar", "Fr&AOU-gor &- svar"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(folder_name(name), written, "{name}");
        }
    }
}
