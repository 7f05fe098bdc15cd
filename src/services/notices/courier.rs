//! How a notice leaves: by SMTP, or to a webhook in the form of Teams or Slack.

use std::collections::BTreeMap;
use std::time::Duration;

use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{self, AsyncSmtpTransport};
use lettre::{AsyncTransport as _, Message, Tokio1Executor};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use url::Url;

use crate::domain::notice::Channel;
use crate::formats::notice::Letter;
use crate::platforms::http::{BadHttpSettings, Http, HttpSettings};
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;
use crate::store::sqlite::notices::NoticeRow;
use crate::store::sqlite::witnesses::WitnessMail;

use super::witnesses::file_name;

/// How long one letter or message may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Largest answer of a webhook that is read: they say a word or two.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

/// How the way to the mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS after a greeting in the open (port 587); demanded, never left out.
    StartTls,
    /// TLS from the start (port 465).
    Tls,
    /// None: a mail server on this machine.
    Plain,
}

/// The mail server.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is kept.
    pub security: Security,
    /// Who we log in as, where it asks for that.
    pub login: Option<(String, Secret)>,
    /// Who writes: `Uppsikt <uppsikt@exempelstad.example>`. Bounces go there.
    pub from: String,
    /// A root certificate (PEM) trusted beside the machine's.
    pub ca_pem: Option<String>,
}

/// In whose form a webhook is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookForm {
    /// A Teams workflow ("When a Teams webhook request is received").
    Teams,
    /// A Slack incoming webhook.
    Slack,
}

/// A webhook.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Its name, for people.
    pub name: String,
    /// In whose form.
    pub form: HookForm,
    /// Where. A secret: whoever knows the address may write there.
    pub url: Secret,
    /// Takes what is urgent alone.
    pub only_urgent: bool,
}

/// Why a notice did not come through; each sentence is Swedish, for the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// It never will by itself.
    #[error("refused: {why}")]
    Refused {
        /// Why.
        why: String,
    },
    /// Not now; others may.
    #[error("later: {why}")]
    Later {
        /// Why.
        why: String,
    },
    /// The server does not answer, or lets nobody in.
    #[error("away: {why}")]
    Away {
        /// Why.
        why: String,
    },
}

/// The settings cannot be used. Each sentence is Swedish.
#[derive(Debug, thiserror::Error)]
pub enum BadCourier {
    /// The sender is no mail address.
    #[error(
        "`from` i [mail] är ingen e-postadress: skriv till exempel Uppsikt <uppsikt@exempelstad.example>"
    )]
    From(#[source] lettre::address::AddressError),
    /// TLS could not be set up.
    #[error(
        "krypteringen mot e-postservern kan inte ställas in: kontrollera `host` och `ca` i [mail]"
    )]
    Tls(#[source] smtp::Error),
    /// A webhook's address cannot be used.
    #[error("adressen till kanalen {name} kan inte användas")]
    Hook {
        /// The webhook.
        name: String,
        /// Why.
        #[source]
        source: BadHttpSettings,
    },
    /// A webhook's address is none. It is not repeated: it is a secret.
    #[error(
        "adressen till kanalen {name} är ingen webbadress: kontrollera hemligheten som `url` pekar på"
    )]
    HookAddress {
        /// The webhook.
        name: String,
    },
}

#[derive(Clone)]
struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// What message ids end in.
    domain: String,
}

#[derive(Clone)]
struct Hook {
    http: Http,
    url: Url,
    form: HookForm,
    only_urgent: bool,
}

/// A file in a letter.
pub struct Enclosed {
    /// Its name.
    pub name: String,
    /// What it is.
    pub media_type: ContentType,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Carries notices.
#[derive(Clone)]
pub struct Courier {
    mail: Option<Mail>,
    hooks: BTreeMap<String, Hook>,
    /// Of this installation, so that the ids of letters are its own.
    installation: String,
    clock: Clock,
}

impl Courier {
    /// A courier by these ways. Nothing is called yet.
    ///
    /// # Errors
    /// [`BadCourier`].
    pub fn new(
        mail: Option<&MailSettings>,
        hooks: &[WebhookSettings],
        installation: String,
        clock: Clock,
    ) -> Result<Self, BadCourier> {
        let mail = mail.map(Mail::new).transpose()?;
        let mut ready = BTreeMap::new();
        for hook in hooks {
            let name = hook.name.clone();
            let url = Url::parse(hook.url.expose())
                .map_err(|_| BadCourier::HookAddress { name: name.clone() })?;
            let own = url.host_str() == Some("127.0.0.1");
            let settings = HttpSettings {
                total_timeout: PATIENCE,
                max_body_bytes: MOST_ANSWER_BYTES,
                // Plain http to this machine alone: a bridge to another system, or a test.
                allow_http_loopback: own,
                ..HttpSettings::default()
            };
            let http = Http::new(&url, &settings, clock.clone(), vec![hook.url.clone()])
                .map_err(|source| BadCourier::Hook { name: name.clone(), source })?;
            let (form, only_urgent) = (hook.form, hook.only_urgent);
            ready.insert(name, Hook { http, url, form, only_urgent });
        }
        Ok(Self { mail, hooks: ready, installation, clock })
    }

    /// Whether letters can be sent.
    pub fn has_mail(&self) -> bool {
        self.mail.is_some()
    }

    /// The names of the webhooks that take such a notice.
    pub fn webhooks(&self, urgent: bool) -> impl Iterator<Item = &str> {
        self.hooks
            .iter()
            .filter(move |(_, hook)| urgent || !hook.only_urgent)
            .map(|(name, _)| name.as_str())
    }

    /// Sends one notice. Sent twice it has the same id, so that a mail program shows it once.
    ///
    /// # Errors
    /// [`Undelivered`].
    pub async fn carry(&self, notice: &NoticeRow, letter: &Letter) -> Result<(), Undelivered> {
        match notice.channel {
            Channel::Mail => match &self.mail {
                Some(mail) => {
                    let id = format!("avisering-{}-{}", notice.id, self.installation);
                    mail.send(&notice.recipient, &id, notice.urgent, letter, &self.clock).await
                }
                None => Err(Undelivered::Away {
                    why: "E-post är inte inkopplad längre: skriv [mail] i inställningarna.".into(),
                }),
            },
            Channel::Webhook => match self.hooks.get(&notice.recipient) {
                Some(hook) => hook.post(letter).await,
                None => Err(Undelivered::Refused {
                    why: format!(
                        "Kanalen {} finns inte längre i inställningarna.",
                        notice.recipient
                    ),
                }),
            },
        }
    }

    /// Sends a checkpoint to somebody who keeps it, with the note as a file, byte for byte.
    ///
    /// # Errors
    /// [`Undelivered`].
    pub async fn witness(
        &self,
        mail: &WitnessMail,
        subject: &str,
        text: &str,
    ) -> Result<(), Undelivered> {
        let file = Enclosed {
            name: file_name(mail.size),
            media_type: ContentType::TEXT_PLAIN,
            bytes: mail.note.clone().into_bytes(),
        };
        let id = format!("kontrollpunkt-{}", mail.size);
        self.enclose(&mail.recipient, &id, subject, text, vec![file]).await
    }

    /// Sends a plain letter with files. Sent twice it has the same id.
    ///
    /// # Errors
    /// [`Undelivered`].
    pub async fn enclose(
        &self,
        recipient: &str,
        id: &str,
        subject: &str,
        text: &str,
        files: Vec<Enclosed>,
    ) -> Result<(), Undelivered> {
        let Some(way) = &self.mail else {
            return Err(Undelivered::Away {
                why: "E-post är inte inkopplad: skriv [mail] i inställningarna.".into(),
            });
        };
        let refused = |why: String| Undelivered::Refused { why };
        let to: Mailbox = recipient.parse().map_err(|_| {
            refused(format!("{recipient} är ingen e-postadress: rätta den i inställningarna."))
        })?;
        let plain = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(text.to_owned());
        let mut parts = MultiPart::mixed().singlepart(plain);
        for file in files {
            // Base64, so that no server on the way breaks its lines anew.
            let body = lettre::message::Body::new_with_encoding(
                file.bytes,
                ContentTransferEncoding::Base64,
            )
            .map_err(|_| refused(format!("{} kunde inte sättas in i brevet.", file.name)))?;
            parts = parts.singlepart(Attachment::new(file.name).body(body, file.media_type));
        }
        let message = Message::builder()
            .from(way.from.clone())
            .to(to.clone())
            .subject(subject)
            .date(std::time::SystemTime::from(self.clock.now()))
            .message_id(Some(format!("<{id}-{}@{}>", self.installation, way.domain)))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(parts)
            .map_err(|_| refused("Brevet kunde inte sättas ihop.".into()))?;
        match way.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(undelivered(&error, to.email.as_ref())),
        }
    }

    /// Whether the mail server answers and lets us in; nothing where mail is not set up. For `doctor`.
    ///
    /// # Errors
    /// What is wrong, in Swedish.
    pub async fn try_mail(&self) -> Option<Result<(), String>> {
        let mail = self.mail.as_ref()?;
        Some(match mail.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("e-postservern svarar men tar inte emot just nu".into()),
            Err(error) => Err(server_words(&error).to_lowercase()),
        })
    }
}

impl Mail {
    fn new(settings: &MailSettings) -> Result<Self, BadCourier> {
        let from: Mailbox = settings.from.parse().map_err(BadCourier::From)?;
        let tls = || {
            let mut builder = TlsParameters::builder(settings.host.clone());
            if let Some(pem) = &settings.ca_pem {
                builder = builder.add_root_certificate(Certificate::from_pem(pem.as_bytes())?);
            }
            builder.build()
        };
        let tls = match settings.security {
            Security::StartTls => Tls::Required(tls().map_err(BadCourier::Tls)?),
            Security::Tls => Tls::Wrapper(tls().map_err(BadCourier::Tls)?),
            Security::Plain => Tls::None,
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.as_str())
                .port(settings.port)
                .tls(tls)
                .timeout(Some(PATIENCE));
        if let Some((user, password)) = &settings.login {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            builder = builder.credentials(credentials);
        }
        let domain = from.email.domain().to_owned();
        Ok(Self { transport: builder.build(), from, domain })
    }

    async fn send(
        &self,
        to: &str,
        id: &str,
        urgent: bool,
        letter: &Letter,
        clock: &Clock,
    ) -> Result<(), Undelivered> {
        let refused = |why: String| Undelivered::Refused { why };
        let to: Mailbox = to.parse().map_err(|_| {
            refused(format!("{to} är ingen e-postadress: rätta den och försök igen."))
        })?;
        let header = |name: &'static str, value: &str| {
            HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
        };
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(to.clone())
            .subject(letter.subject.clone())
            .date(std::time::SystemTime::from(clock.now()))
            .message_id(Some(format!("<{id}@{}>", self.domain)))
            // RFC 3834: no absence notes in answer.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", "sv"));
        if urgent {
            builder = builder.raw_header(header("X-Priority", "1"));
        }
        let message = builder
            .multipart(
                MultiPart::alternative()
                    .singlepart(
                        SinglePart::builder().header(ContentType::TEXT_PLAIN).body(letter.plain()),
                    )
                    .singlepart(
                        SinglePart::builder().header(ContentType::TEXT_HTML).body(letter.html()),
                    ),
            )
            .map_err(|_| refused("Brevet kunde inte sättas ihop.".into()))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(undelivered(&error, to.email.as_ref())),
        }
    }
}

/// Answers that are about us and not about the letter: who we are, whether we may.
fn is_about_us(code: u16) -> bool {
    matches!(code, 421 | 454 | 530 | 534 | 535 | 538)
}

fn undelivered(error: &smtp::Error, to: &str) -> Undelivered {
    match error.status().map(u16::from) {
        Some(code) if is_about_us(code) => Undelivered::Away { why: server_words(error) },
        Some(code) if error.is_permanent() => Undelivered::Refused {
            why: format!(
                "E-postservern tog inte emot brevet till {to} (svar {code}). Kontrollera adressen."
            ),
        },
        Some(code) => Undelivered::Later {
            why: format!("E-postservern vill vänta med brevet till {to} (svar {code})."),
        },
        // A letter that cannot even be put into the protocol.
        None if error.is_client() => Undelivered::Refused {
            why: format!("Brevet till {to} kan inte skickas av den här e-postservern."),
        },
        None => Undelivered::Away { why: server_words(error) },
    }
}

/// What is wrong with the server itself.
fn server_words(error: &smtp::Error) -> String {
    match error.status().map(u16::from) {
        Some(535 | 534 | 530 | 538) => {
            "E-postservern godtog inte inloggningen: kontrollera `user` och `password` i [mail]."
                .into()
        }
        Some(code) => format!("E-postservern svarade {code} innan något brev kunde lämnas."),
        None if error.is_tls() => {
            "Krypteringen mot e-postservern gick inte att få: kontrollera `security` och `ca` i [mail].".into()
        }
        None if error.is_timeout() => {
            "E-postservern svarade inte i tid: kontrollera `host` och `port` i [mail].".into()
        }
        None => "E-postservern svarar inte, eller bröt: kontrollera `host` och `port` i [mail], och att servern går.".into(),
    }
}

impl Hook {
    async fn post(&self, letter: &Letter) -> Result<(), Undelivered> {
        let body = match self.form {
            HookForm::Teams => letter.teams(),
            HookForm::Slack => letter.slack(),
        };
        let call = self
            .http
            .call(Method::POST, self.url.clone())
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body.to_string());
        let answer = self.http.send(call).await.map_err(|_| Undelivered::Later {
            why: "Kanalen svarar inte. Det kan vara ett tillfälligt fel.".into(),
        })?;
        if answer.is_success() {
            return Ok(());
        }
        let status = answer.status;
        let why = format!("Kanalen svarade med HTTP {status}.");
        // Too many, and faults of theirs, pass; anything else is about what we sent or where.
        match status {
            408 | 429 | 500..=599 => Err(Undelivered::Later { why }),
            _ => Err(Undelivered::Refused {
                why: format!("{why} Kontrollera adressen i inställningarna."),
            }),
        }
    }
}
