//! A mailbox on a mail server, read by IMAP (RFC 3501, with MOVE and UIDPLUS where the server has them).
//!
//! Only what the reports need: what waits, one message at a time within a bound, and moving it beside. The server's
//! answers are read into memory, so a connection is cut off where it has sent more than a round may take.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_imap::error::Error as ImapError;
use async_imap::types::Fetch;
use async_imap::{Client, Session};
use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use futures_util::TryStreamExt as _;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::{self, ClientConfig};

use super::notices::courier::Security;
use crate::runtime::secret::Secret;

/// How long one step may take; a large mail on a slow line is the longest.
const PATIENCE: Duration = Duration::from_secs(60);
/// What one connection may send: what a round takes, twice.
const MOST_SENT_BYTES: u64 = 160 * 1024 * 1024;

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
    /// It takes too long.
    #[error("Servern svarade inte i tid")]
    Slow,
    /// The server says something else than was asked for, or breaks off.
    #[error("Servern bröt, eller svarade något som inte går att förstå")]
    Broken(#[source] ImapError),
}

/// A stream that gives so many bytes and no more.
#[derive(Debug)]
struct Bounded {
    inner: Box<dyn Wire>,
    left: u64,
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Wire for T {}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the server sends more than a round takes")));
        }
        let before = buf.filled().len();
        let ready = Pin::new(&mut self.inner).poll_read(cx, buf);
        self.left = self.left.saturating_sub((buf.filled().len() - before) as u64);
        ready
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
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

async fn in_time<T>(step: impl Future<Output = Result<T, ImapError>>) -> Result<T, MailboxAway> {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(done) => done.map_err(MailboxAway::Broken),
        Err(_) => Err(MailboxAway::Slow),
    }
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

fn client(wire: Box<dyn Wire>) -> Client<Bounded> {
    Client::new(Bounded { inner: wire, left: MOST_SENT_BYTES })
}

async fn greeted(client: &mut Client<Bounded>) -> Result<(), MailboxAway> {
    let lost = || MailboxAway::Broken(ImapError::ConnectionLost);
    let greeting = async { client.read_response().await.map_err(ImapError::Io) };
    in_time(greeting).await?.map(drop).ok_or_else(lost)
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
    folder: String,
    /// Between a folder and those in it.
    delimiter: String,
    moves: bool,
    uid_plus: bool,
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
        let client = match settings.security {
            Security::Plain => {
                let mut client = client(tcp);
                greeted(&mut client).await?;
                client
            }
            Security::Tls => {
                let mut client = client(over_tls(tcp, settings).await?);
                greeted(&mut client).await?;
                client
            }
            Security::StartTls => {
                let mut client = client(tcp);
                greeted(&mut client).await?;
                let told = in_time(client.run_command_and_check_ok("STARTTLS", None)).await;
                told.map_err(|_| {
                    MailboxAway::Tls(io::Error::other("the server does not offer STARTTLS"))
                })?;
                // What was read in the open goes with the client: nobody slips answers in before the TLS.
                self::client(over_tls(client.into_inner().inner, settings).await?)
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
        let known = in_time(session.capabilities()).await?;
        let (moves, uid_plus) = (known.has_str("MOVE"), known.has_str("UIDPLUS"));
        let listed = async { session.list(None, None).await?.try_collect::<Vec<_>>().await };
        let named = in_time(listed).await?;
        let delimiter = named.first().and_then(|name| name.delimiter()).unwrap_or("/").to_owned();
        Ok(Self {
            session,
            folder: settings.folder.clone(),
            delimiter,
            moves,
            uid_plus,
            validity: 0,
        })
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
        let name = self.name(beside);
        let opened = match to_write {
            true => in_time(self.session.select(name)).await,
            false => in_time(self.session.examine(name)).await,
        };
        match opened {
            Ok(found) => {
                self.validity = found.uid_validity.unwrap_or_default();
                Ok(found.exists)
            }
            Err(MailboxAway::Broken(ImapError::No(_))) => {
                Err(MailboxAway::Folder(beside.unwrap_or(&self.folder).to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    /// Numbers of messages that a search finds, the lowest first.
    pub(super) async fn numbers(&mut self, query: &str) -> Result<Vec<u32>, MailboxAway> {
        let mut found: Vec<_> =
            in_time(self.session.uid_search(query)).await?.into_iter().collect();
        found.sort_unstable();
        Ok(found)
    }

    async fn fetch(&mut self, uids: &[u32], what: &str) -> Result<Vec<Fetch>, MailboxAway> {
        let set: Vec<_> = uids.iter().map(ToString::to_string).collect();
        let set = set.join(",");
        let fetched =
            async { self.session.uid_fetch(set, what).await?.try_collect::<Vec<_>>().await };
        in_time(fetched).await
    }

    /// The first messages that wait, at most so many.
    pub(super) async fn waiting(&mut self, most: usize) -> Result<Vec<Waiting>, MailboxAway> {
        self.select(None, true).await?;
        let mut uids = self.numbers("UNDELETED").await?;
        uids.truncate(most);
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let fetched = self.fetch(&uids, "(UID RFC822.SIZE)").await?;
        let sizes: BTreeMap<_, _> =
            fetched.iter().filter_map(|one| one.uid.zip(one.size)).collect();
        let sized = |uid| sizes.get(&uid).map(|bytes| Waiting { uid, bytes: u64::from(*bytes) });
        Ok(uids.into_iter().filter_map(sized).collect())
    }

    /// All of one message; nothing where it has gone meanwhile. It is not marked as read.
    pub(super) async fn message(&mut self, uid: u32) -> Result<Option<Vec<u8>>, MailboxAway> {
        let fetched = self.fetch(&[uid], "(UID BODY.PEEK[])").await?;
        let own = fetched.iter().find(|one| one.uid == Some(uid));
        Ok(own.and_then(Fetch::body).map(<[u8]>::to_vec))
    }

    /// The heads of these messages.
    pub(super) async fn heads(&mut self, uids: &[u32]) -> Result<Vec<(u32, Vec<u8>)>, MailboxAway> {
        let fetched = self.fetch(uids, "(UID BODY.PEEK[HEADER])").await?;
        let head = |one: &Fetch| one.uid.zip(one.header().map(<[u8]>::to_vec));
        Ok(fetched.iter().filter_map(head).collect())
    }

    /// Moves a message of the folder into one beside, which is made where it is missing.
    pub(super) async fn put_away(&mut self, uid: u32, beside: &str) -> Result<(), MailboxAway> {
        let name = self.name(Some(beside));
        // The session writes names of moves and copies in quotes itself.
        match self.moved(uid, &name).await {
            Err(MailboxAway::Broken(ImapError::No(_))) => {}
            done => return done,
        }
        // What can be wrong with it is told by the second try.
        drop(in_time(self.session.create(&name)).await);
        match self.moved(uid, &name).await {
            Err(MailboxAway::Broken(ImapError::No(_))) => {
                Err(MailboxAway::Beside(format!("{}{}{beside}", self.folder, self.delimiter)))
            }
            done => done,
        }
    }

    async fn moved(&mut self, uid: u32, name: &str) -> Result<(), MailboxAway> {
        if self.moves {
            return in_time(self.session.uid_mv(uid.to_string(), name)).await;
        }
        in_time(self.session.uid_copy(uid.to_string(), name)).await?;
        self.remove(uid).await
    }

    /// Takes a message out of the folder that is worked in.
    pub(super) async fn remove(&mut self, uid: u32) -> Result<(), MailboxAway> {
        let uid = uid.to_string();
        let flagged = async {
            let told = self.session.uid_store(&uid, "+FLAGS.SILENT (\\Deleted)").await?;
            told.try_collect::<Vec<_>>().await
        };
        in_time(flagged).await?;
        // Without UIDPLUS only all that is flagged could be taken out, and others may have flagged something: it
        // stays flagged, and is met no more.
        if self.uid_plus {
            let gone =
                async { self.session.uid_expunge(&uid).await?.try_collect::<Vec<_>>().await };
            in_time(gone).await?;
        }
        Ok(())
    }

    /// Says goodbye. What goes wrong with that changes nothing.
    pub(super) async fn close(mut self) {
        drop(in_time(self.session.logout()).await);
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
