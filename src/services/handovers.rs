//! Handing packages over to the diary by mail and by signed call, beside the export folder; and the numbers that
//! come back by call and by reply file.
//!
//! What is handed over is noted before it leaves, so that whoever finds it unfinished after a crash knows that it
//! may have come through: the next try carries the same identity and says so.

mod replies;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use jiff::Timestamp;
use lettre::message::header::ContentType;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use url::Url;

use crate::domain::calendar::local;
use crate::domain::evidence::{CutOff, PartKind};
use crate::domain::handover::{HandoverWay, reference};
use crate::domain::ids::{ContentHash, RegistrationId};
use crate::domain::notice::next_try;
use crate::domain::person::Act;
use crate::platforms::forum::push::{self, sign, verify_signature};
use crate::platforms::http::{BadHttpSettings, Http, HttpSettings};
use crate::runtime::secret::Secret;
use crate::store::rows::EvidenceState;
use crate::store::sqlite::handovers::{Handover, HandoverTrouble};

use super::notices::courier::{Courier, Enclosed, Undelivered};
use super::secrecy::{marks_beside, says_secret};
use super::{Change, ServiceError, Services, Viewer};
use crate::domain::secrecy::Mark;

/// How long one call may take: a package of the largest size on a slow line.
const PATIENCE: Duration = Duration::from_secs(120);
/// Largest answer of the diary system that is read.
const MOST_ANSWER_BYTES: usize = 64 * 1024;
/// The header of the signature, as of pushes.
pub const SIGNATURE: &str = push::SIGNATURE_HEADER;
/// The header that tells one hand-over from another, the same at each try.
pub const DELIVERY_HEADER: &str = "x-uppsikt-delivery";

/// By what ways packages are queued, and what the diary system signs its numbers with.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// Beside the export folder.
    pub ways: Vec<HandoverWay>,
    /// Of calls from the diary system; nothing where it makes none.
    pub secret: Option<Secret>,
}

/// To whom packages are mailed.
#[derive(Clone, Debug)]
pub struct MailTo {
    /// The registrar's address.
    pub address: String,
    /// The largest package that is attached, in bytes.
    pub most_bytes: u64,
    /// Whether what is marked as secret is attached too.
    pub secret_too: bool,
}

/// The diary system's address.
#[derive(Clone, Debug)]
pub struct HookTo {
    /// Where.
    pub url: Url,
    /// Signs.
    pub secret: Secret,
    /// The largest package that goes along, in bytes.
    pub most_bytes: u64,
    /// It may lie on a private network.
    pub allow_private: bool,
}

/// How hand-overs leave.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// By mail.
    pub mail: Option<MailTo>,
    /// By call.
    pub hook: Option<HookTo>,
    /// The folder of answers.
    pub replies: Option<PathBuf>,
    /// The address that people type.
    pub public_url: Option<Url>,
}

/// A file in the folder of answers as it was last seen: its size, when it was written, and since when it looks so.
type Seen = BTreeMap<PathBuf, (u64, SystemTime, Timestamp)>;

/// Hands packages over and takes numbers in.
#[derive(Clone)]
pub struct Handovers {
    services: Services,
    courier: Courier,
    settings: Settings,
    http: Option<Http>,
    seen: Arc<Mutex<Seen>>,
}

/// What goes along with a hand-over.
struct Parcel {
    /// The sheet as PDF/A.
    sheet: Option<Vec<u8>>,
    /// The package.
    package: Option<Vec<u8>>,
    /// Why something is left out, in Swedish.
    left_out: Vec<String>,
    /// The account's name.
    account: String,
    /// When it came in.
    received: Timestamp,
}

impl Handovers {
    /// Nothing is called yet.
    ///
    /// # Errors
    /// [`BadHttpSettings`] where the diary system's address cannot be used.
    pub fn new(
        services: Services,
        courier: Courier,
        settings: Settings,
    ) -> Result<Self, BadHttpSettings> {
        let clock = services.inner.clock.clone();
        let made = settings.hook.as_ref().map(|hook| {
            let http = HttpSettings {
                total_timeout: PATIENCE,
                max_body_bytes: MOST_ANSWER_BYTES,
                // Plain http to this machine alone: a bridge to another system, or a test.
                allow_http_loopback: hook.url.host_str() == Some("127.0.0.1"),
                allow_private: hook.allow_private,
                ..HttpSettings::default()
            };
            Http::new(&hook.url, &http, clock, vec![hook.secret.clone()])
        });
        let http = made.transpose()?;
        Ok(Self { services, courier, settings, http, seen: Arc::default() })
    }

    /// One round: reads answers, then hands over what is due. Says whether there is more.
    ///
    /// # Errors
    /// [`ServiceError`] where the store fails; what did not come through is a row.
    pub async fn round(&self) -> Result<bool, ServiceError> {
        // Each by itself: a folder that cannot be read holds up no package.
        let read = self.read_replies().await;
        let services = &self.services.inner;
        let due = services.store.begin_handover(services.clock.now()).await?;
        let more = match due {
            Some(due) => {
                self.hand_over(&due).await?;
                true
            }
            None => false,
        };
        read.map(|()| more)
    }

    async fn hand_over(&self, of: &Handover) -> Result<(), ServiceError> {
        let services = &self.services.inner;
        let outcome = match of.way {
            HandoverWay::Mail => self.by_mail(of).await,
            HandoverWay::Webhook => self.by_call(of).await,
        };
        // All that can fail so does before anything is sent: it is tried again, and becomes a task in the end.
        let outcome = outcome.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::error!(case.id = %of.case, error, "a package could not be put together");
            let why = "Beviset eller paketet går inte att läsa: den som sköter servern kör uppsikt evidence verify.";
            Err(Undelivered::Later { why: why.into() })
        });
        let now = services.clock.now();
        let again = || next_try(of.tried_since.unwrap_or(now), now, of.attempts, false);
        let trouble = match outcome {
            Ok(number) => {
                tracing::info!(case.id = %of.case, way = of.way.id(), "a package was handed over");
                // The number first: what is found unfinished later is not sent again where it has come.
                if let Some(number) = number {
                    let by = "svar på det signerade anropet".to_owned();
                    let of = reference(&of.package).to_owned();
                    self.services.take_number(of, &number, by).await?;
                }
                services.store.handed_over(of, now).await?;
                self.services.tell(Change::Case(of.case));
                return Ok(());
            }
            Err(Undelivered::Refused { why }) => {
                HandoverTrouble { problem: why, next: None, perhaps: false }
            }
            Err(Undelivered::Later { why }) => {
                HandoverTrouble { problem: why, next: again(), perhaps: false }
            }
            // It may have been heard, and the answer not by us.
            Err(Undelivered::Away { why }) => {
                HandoverTrouble { problem: why, next: again(), perhaps: true }
            }
        };
        tracing::warn!(
            case.id = %of.case, way = of.way.id(), attempts = of.attempts,
            given_up = trouble.next.is_none(), "a package was not taken"
        );
        services.store.handover_failed(of, trouble, now).await?;
        self.services.tell(Change::Case(of.case));
        Ok(())
    }

    async fn by_mail(
        &self,
        of: &Handover,
    ) -> Result<Result<Option<String>, Undelivered>, ServiceError> {
        let Some(to) = &self.settings.mail else {
            return Ok(Err(not_set("mail")));
        };
        let mut parcel = self.parcel(of, to.most_bytes).await?;
        let why = match self.mark_on(of).await? {
            Some(_) => Some("Handlingen är sekretessmarkerad"),
            None => self
                .is_said_secret(of)
                .await?
                .then_some("Beslutet säger att handlingen kan omfattas av sekretess"),
        };
        if let (Some(why), false) = (why, to.secret_too) {
            (parcel.sheet, parcel.package) = (None, None);
            parcel.left_out = vec![format!(
                "{why} och den skickas därför inte med brev. Hämta paketet i exportmappen."
            )];
        }
        let mut files = Vec::new();
        if let Some(bytes) = parcel.sheet.take() {
            let name = format!("{}.pdf", reference(&of.package));
            files.push(enclosed(name, "application/pdf", bytes)?);
        }
        if let Some(bytes) = parcel.package.take() {
            files.push(enclosed(of.package.clone(), "application/zip", bytes)?);
        }
        let (subject, text) = self.words(of, &parcel, &files);
        let id = format!("diarium-{}-{}", reference(&of.package), of.n);
        let sent = self.courier.enclose(&to.address, &id, &subject, &text, files).await;
        Ok(sent.map(|()| None))
    }

    /// The secrecy mark that what is handed over stands under: its case's own, or one of a case that its thread or a
    /// picture of its page may show.
    async fn mark_on(&self, of: &Handover) -> Result<Option<Mark>, ServiceError> {
        let store = &self.services.inner.store;
        if let Some(own) = store.secrecy_of(of.case).await?.mark {
            return Ok(Some(own));
        }
        let row = store.evidence_of(of.version).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(marks_beside(store, &row, true).await?.into_iter().next())
    }

    /// Whether whoever decided said that secrecy may apply, by ground or answer, though nobody has marked it.
    async fn is_said_secret(&self, of: &Handover) -> Result<bool, ServiceError> {
        let decision = self.services.inner.store.standing_decision(of.case).await?;
        Ok(decision.is_some_and(|decision| says_secret(&decision)))
    }

    fn words(&self, of: &Handover, parcel: &Parcel, files: &[Enclosed]) -> (String, String) {
        let authority = self.services.authority();
        let (case, reference) = (of.case, reference(&of.package));
        let again = if of.perhaps { " (kan ha skickats förut)" } else { "" };
        let subject = format!("Att diarieföra: ärende {case} i Uppsikt{again}");
        let mut lines = vec![format!("{authority} lämnar över en handling till diariet.")];
        if of.perhaps {
            lines.push("Samma paket kan ha skickats förut. Har du redan registrerat referensen nedan behöver du inte göra något mer.".into());
        }
        let received = local(parcel.received).strftime("%Y-%m-%d kl. %H:%M");
        lines.push(format!(
            "Referens: {reference}\r\nÄrende i Uppsikt: {case}\r\nKonto: {}\r\nInkom: {received}\r\nPaketets kontrollsumma (SHA-256): {}",
            parcel.account, of.package_sha256
        ));
        for file in files {
            lines.push(format!("Bifogat: {}", file.name));
        }
        lines.extend(parcel.left_out.iter().cloned());
        let page = self.settings.public_url.as_ref().and_then(|url| url.join("diarium").ok());
        let page = page.map_or(String::new(), |page| format!(": {page}"));
        lines.push(format!("Skriv in diarienumret på sidan Diarieföring i Uppsikt{page}"));
        lines.push("Svara inte på det här brevet.".into());
        (subject, format!("{}\r\n", lines.join("\r\n\r\n")))
    }

    async fn by_call(
        &self,
        of: &Handover,
    ) -> Result<Result<Option<String>, Undelivered>, ServiceError> {
        let (Some(to), Some(http)) = (&self.settings.hook, &self.http) else {
            return Ok(Err(not_set("webhook")));
        };
        let parcel = self.parcel(of, to.most_bytes).await?;
        let file = |bytes: &Option<Vec<u8>>, name: &str| {
            bytes.as_ref().map(|bytes| {
                json!({
                    "name": name, "bytes": bytes.len(), "sha256": ContentHash::of(bytes),
                    "content": base64::engine::general_purpose::STANDARD.encode(bytes),
                })
            })
        };
        let reference = reference(&of.package);
        let mark = self.mark_on(of).await?;
        let body = json!({
            "kind": "register", "authority": self.services.authority(), "reference": reference,
            "case": of.case, "account": parcel.account, "received": parcel.received,
            "may_have_come_before": of.perhaps, "secrecy": mark.map(|mark| mark.provision),
            "said_to_be_secret": self.is_said_secret(of).await?,
            "package_sha256": of.package_sha256, "package": file(&parcel.package, &of.package),
            "sheet": file(&parcel.sheet, &format!("{reference}.pdf")),
            "left_out": parcel.left_out,
        })
        .to_string();
        let now = self.services.inner.clock.now();
        let call = http
            .call(Method::POST, to.url.clone())
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header(SIGNATURE, sign(&to.secret, body.as_bytes(), now))
            .header(DELIVERY_HEADER, format!("{reference}-{}", of.n))
            .body(body);
        let Ok(answer) = http.send(call).await else {
            let why = "Diariesystemet svarar inte, eller bröt.".into();
            return Ok(Err(Undelivered::Away { why }));
        };
        if answer.is_success() {
            let told: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
            let number = told.and_then(|told| Some(told.get("diary_number")?.as_str()?.to_owned()));
            return Ok(Ok(number));
        }
        let why = format!("Diariesystemet svarade med HTTP {}.", answer.status);
        Ok(Err(match answer.status {
            408 | 429 => Undelivered::Later { why },
            // A fault of theirs may have come after it was kept.
            500..=599 => Undelivered::Away { why },
            _ => Undelivered::Refused {
                why: format!("{why} Kontrollera `webhook` och `secret` i [diary]."),
            },
        }))
    }

    /// What can go along now: a package that is still what was noted, a sheet that may be copied.
    async fn parcel(&self, of: &Handover, most_bytes: u64) -> Result<Parcel, ServiceError> {
        let services = &self.services.inner;
        let (store, mut left_out) = (&services.store, Vec::new());
        let item = store.item(store.case(of.case).await?.item).await?;
        let version = store.version(of.version).await?;
        let received = item.created_at.unwrap_or(version.fetched_at);
        let served = self.services.served(item.account);
        let account = served.map_or(String::new(), |served| served.account.name.clone());
        if store.cut_off(of.version).await? != CutOff::Nothing {
            left_out.push("Innehållet får inte kopieras och skickas därför inte. Uppgifterna om handlingen finns i exportmappen.".into());
            return Ok(Parcel { sheet: None, package: None, left_out, account, received });
        }
        let path = services.settings.export_dir.join(&of.package);
        let package = match read_package(&path, of.package_sha256, most_bytes).await {
            Ok(bytes) => Some(bytes),
            Err(why) => {
                left_out.push(why);
                None
            }
        };
        let sheet = match store.evidence_of(of.version).await? {
            Some(row) if matches!(row.state, EvidenceState::Sealed { .. }) => {
                let manifest = services.evidence.manifest(&row).await;
                let manifest = manifest.map_err(super::archive::broken)?;
                match manifest.parts.iter().find(|part| part.kind == PartKind::SheetPdf) {
                    Some(part) => {
                        let bytes = services.evidence.bytes(part.sha256).await;
                        Some(bytes.map_err(super::archive::broken)?)
                    }
                    None => None,
                }
            }
            Some(_) | None => None,
        };
        if sheet.is_none() {
            left_out.push("Det finns inget bevisblad att bifoga.".into());
        }
        Ok(Parcel { sheet, package, left_out, account, received })
    }
}

pub(super) fn enclosed(name: String, kind: &str, bytes: Vec<u8>) -> Result<Enclosed, ServiceError> {
    let media_type =
        ContentType::parse(kind).map_err(|e| ServiceError::broken("letter", e.to_string()))?;
    Ok(Enclosed { name, media_type, bytes })
}

fn not_set(key: &str) -> Undelivered {
    Undelivered::Refused {
        why: format!("Vägen finns inte längre i inställningarna: `{key}` saknas i [diary]."),
    }
}

/// The package as it was noted, or why it does not go along.
async fn read_package(path: &Path, noted: ContentHash, most: u64) -> Result<Vec<u8>, String> {
    let size = match tokio::fs::metadata(path).await {
        Ok(about) => about.len(),
        Err(_) => {
            return Err("Paketet ligger inte kvar i exportmappen och följer inte med.".into());
        }
    };
    if size > most {
        const MB: u64 = 1024 * 1024;
        return Err(format!(
            "Paketet är {} MB och följer inte med, eftersom gränsen är {} MB. Hämta det i exportmappen.",
            size.div_ceil(MB),
            most / MB
        ));
    }
    match tokio::fs::read(path).await {
        Ok(bytes) if ContentHash::of(&bytes) == noted => Ok(bytes),
        Ok(_) => Err("Paketet i exportmappen är inte längre det som antecknades när det skrevs, och följer inte med.".into()),
        Err(_) => Err("Paketet i exportmappen kan inte läsas och följer inte med.".into()),
    }
}

/// Why a call from the diary system is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NumbersRefused {
    /// No secret is set: there is no such address.
    #[error("there is no such address")]
    Off,
    /// The signature is missing, wrong or too old.
    #[error("{0}")]
    Signature(String),
    /// Not stored: send again.
    #[error("the numbers could not be stored: send the same call again")]
    NotStored(#[source] ServiceError),
}

impl Services {
    /// Takes numbers that the diary system tells by a signed call; the body is what a reply file would hold. Gives
    /// what became of each line, as JSON.
    ///
    /// # Errors
    /// [`NumbersRefused`].
    pub async fn take_numbers(
        &self,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<String, NumbersRefused> {
        let secret = self.inner.settings.diary.secret.clone().ok_or(NumbersRefused::Off)?;
        verify_signature(signature, body, &[secret], self.inner.clock.now())
            .map_err(|refused| NumbersRefused::Signature(refused.to_string()))?;
        let by = "signerat anrop från diariesystemet".to_owned();
        let taken = self.take_replies(body, &by).await.map_err(NumbersRefused::NotStored)?;
        let bad: Vec<_> =
            taken.bad.iter().map(|bad| json!({ "line": bad.line, "error": bad.why })).collect();
        Ok(json!({ "entered": taken.n_entered, "known": taken.n_known, "rejected": bad })
            .to_string())
    }

    /// Whether the diary system may call at all.
    pub fn takes_numbers(&self) -> bool {
        self.inner.settings.diary.secret.is_some()
    }

    /// Hands a package over once more by every way by which it ended; whoever gets it is told that it may have come
    /// before.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn hand_over_again(
        &self,
        viewer: &Viewer,
        registration: RegistrationId,
    ) -> Result<(), ServiceError> {
        viewer.demand(Act::EnterDiaryNumber)?;
        let case = self.inner.store.case_of_registration(registration).await?;
        self.demand_open(viewer, case).await?;
        let line = viewer.line("case.hand_over_again", format!("registration {registration}"));
        let now = self.inner.clock.now();
        self.inner.store.hand_over_again(registration, viewer.user, line, now).await?;
        self.tell(Change::Case(case));
        Ok(())
    }
}
