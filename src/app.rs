//! The composition root: builds store, evidence, platforms, services and web page from settings,
//! starts the loops and stops them in order.

pub mod accounts;
pub mod connect;
pub mod demo;
pub mod doctor;
pub mod notices;
pub mod policies;
pub mod sign_in;
pub mod simulate;
#[cfg(test)]
mod year;

use std::fs::{File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::net::TcpListener;

use crate::config::account::AccountConfig;
use crate::config::{self, Config, ExportForm, TimestampConfig};
use crate::domain::account::PlatformKind;
use crate::evidence::browser::{Browser, BrowserSettings};
use crate::evidence::checkpoints::CheckpointSettings;
use crate::evidence::fetch::FetchLimits;
use crate::evidence::{self, EvidenceError, EvidenceStore};
use crate::platforms::http::BadHttpSettings;
use crate::platforms::limit::{Limited, Limits};
use crate::runtime::clock::Clock;
use crate::runtime::private;
use crate::runtime::shutdown::{Shutdown, Stage};
use crate::runtime::supervise::{Health, Round, run_loop};
use crate::services::deliveries::PackageForm;
use crate::services::exports::sweep;
use crate::services::handovers::Handovers;
use crate::services::hooks::Hooks;
use crate::services::lexicons::Loader;
use crate::services::notices::Notifier;
use crate::services::rule_desk::Bench;
use crate::services::stamps::Stamping;
use crate::services::{
    self, BeforeRemoval, Parts, Served, ServiceError, Services, lexicons, rule_book,
};
use crate::store::error::StoreError;
use crate::store::{self, Store};
use crate::telemetry::metrics::Metrics;
use crate::web;
use crate::web::serve::Bounds;

use accounts::{Shared, connector};

/// How often the loops look when nobody wakes them. Polls and acts go by the clock, so theirs is
/// the finest unit that a person would notice.
const POLL_TICK: Duration = Duration::from_millis(500);
const ACT_TICK: Duration = Duration::from_millis(500);
const ASSESS_TICK: Duration = Duration::from_secs(2);
const CAPTURE_TICK: Duration = Duration::from_secs(5);
const ARCHIVE_TICK: Duration = Duration::from_secs(5);
const HOUSEKEEPING_TICK: Duration = Duration::from_secs(30);
const SWEEP_TICK: Duration = Duration::from_secs(600);
/// As often as `/metrics` is usually asked. Counting takes a look at every case.
const GAUGES_TICK: Duration = Duration::from_secs(15);
/// Finer than any setting of how old an unsigned entry may be.
const CHECKPOINT_TICK: Duration = Duration::from_secs(10);
const STAMP_TICK: Duration = Duration::from_secs(5);
/// A threat is told within this of being found.
/// Eight accounts a round: a thousand are asked about within an hour and a half.
const LOGINS_TICK: Duration = Duration::from_secs(30);
const NOTICE_TICK: Duration = Duration::from_secs(2);
const HANDOVER_TICK: Duration = Duration::from_secs(5);

/// Answered pushes are remembered for a week (platform sheet, section 15).
const DELIVERIES_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The program cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration is not in order.
    #[error(transparent)]
    Config(#[from] config::complaint::ConfigError),
    /// Another process works on the same database.
    #[error("Uppsikt körs redan mot {path}. Stoppa det först, eller använd en annan mapp")]
    AlreadyRunning {
        /// The lock file.
        path: PathBuf,
    },
    /// A folder or the lock file cannot be made.
    #[error("kan inte skriva {path}: kontrollera att mappen finns och får skrivas")]
    Folder {
        /// What could not be written.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is evidence of a database that is not there.
    #[error(
        "databasen {database} saknas, men {evidence} har bevis som hör till den: kontrollera att disken \
         är monterad eller återställ databasen ur säkerhetskopian. Ska allt börja om: flytta undan bevismappen"
    )]
    DatabaseMissing {
        /// Where it should be.
        database: PathBuf,
        /// Where its evidence is.
        evidence: PathBuf,
    },
    /// The store cannot be opened.
    #[error("databasen kan inte öppnas")]
    Store(#[from] StoreError),
    /// The evidence folder cannot be opened.
    #[error("bevismappen kan inte öppnas")]
    Evidence(#[from] EvidenceError),
    /// A connector cannot be made.
    #[error("kontot `{account}` kan inte anslutas")]
    Account {
        /// Its key.
        account: String,
        /// Why.
        #[source]
        source: BadHttpSettings,
    },
    /// The address is taken or not ours.
    #[error("kan inte lyssna på {address}: ange en annan adress med `listen` eller --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The operating system refused something at the start.
    #[error("{doing} misslyckades")]
    System {
        /// What.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no simulator of this platform.
    #[error("det finns ingen simulator av {platform}: välj {known}")]
    NoSimulator {
        /// Which.
        platform: PlatformKind,
        /// Those there are.
        known: String,
    },
    /// There is no such fault.
    #[error("simulatorer kan inte gå fel på sättet `{name}`: välj bland {known}")]
    NoFault {
        /// As given.
        name: String,
        /// Those there are.
        known: String,
    },
    /// A service refused.
    #[error("starten misslyckades")]
    Service(#[from] ServiceError),
}

/// Keeps other daemons away from the same database while it lives.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    /// Takes the lock beside the database.
    ///
    /// # Errors
    /// [`AppError::AlreadyRunning`], [`AppError::Folder`].
    pub fn take(database: &Path) -> Result<Self, AppError> {
        let path = database.with_extension("lock");
        if let Some(folder) = path.parent() {
            private::folder(folder)
                .map_err(|source| AppError::Folder { path: folder.to_owned(), source })?;
        }
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| AppError::Folder { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(AppError::AlreadyRunning { path }),
            Err(TryLockError::Error(source)) => Err(AppError::Folder { path, source }),
        }
    }
}

/// The program, put together.
pub struct App {
    services: Services,
    store: Store,
    evidence: EvidenceStore,
    shutdown: Arc<Shutdown>,
    health: Health,
    metrics: Metrics,
    web: web::state::Settings,
    stamping: Option<Stamping>,
    notifier: Notifier,
    handovers: Handovers,
    hooks: Hooks,
    _lock: InstanceLock,
}

/// The thread that reads lexicons.
fn loader() -> Result<Loader, AppError> {
    Loader::start()
        .map_err(|e| AppError::System {
            doing: "tråden som läser ordlistor", source: Box::new(e)
        })
}

impl App {
    /// Builds everything; nothing runs yet.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn build(config: &Config, clock: Clock, metrics: Metrics) -> Result<Self, AppError> {
        let lock = InstanceLock::take(&config.store_path)?;
        refuse_to_begin_anew(&config.store_path, &config.evidence.folder)?;
        let (store, evidence) = open_stores(config, clock.clone())?;
        store.settle_fact("installation", uuid::Uuid::new_v4().simple().to_string()).await?;
        // Seals of a run that was killed before it noted the chain's end are noted now.
        evidence.note_head().await?;
        // And files of one that it was killed in the midst of are taken away.
        evidence.settle_pending().await?;
        // The first start makes the key; what was signed and not noted beside the database is now.
        let is_signed = match evidence.known_signer().await {
            Ok(Some(_)) => evidence.checkpoint_if_due().await,
            Ok(None) => {
                // A folder that takes no key takes no evidence either.
                evidence.signer().await?;
                evidence.checkpoint_if_due().await
            }
            Err(error) => Err(error),
        };
        match is_signed {
            // Comments are still to be read and evidence to be sealed; nothing is signed, `readyz` says
            // so at every turn of the loop, and verification names what is wrong.
            Err(
                error @ (EvidenceError::Rewritten { .. }
                | EvidenceError::KeyLost { .. }
                | EvidenceError::Key { .. }),
            ) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the log is not signed until a person has looked at it");
            }
            other => other?,
        }
        let stamping = config
            .evidence
            .timestamp
            .as_ref()
            .map(|authority| stamping(authority, &store, &clock))
            .transpose()?;
        let limits = Arc::new(Limits::new(clock.clone()));
        let shared = Shared::beside(config);
        let mut accounts = Vec::with_capacity(config.accounts.len());
        for account in &config.accounts {
            let mut served = connect(account, &store, &shared, &clock).await?;
            let (key, limits) = (served.account.key.clone(), limits.clone());
            served.platform = Arc::new(Limited::new(served.platform, key, limits));
            accounts.push(served);
        }
        let settings = services::Settings {
            authority: config.authority.clone(),
            export_dir: config.export_folder.clone(),
            export_form: match &config.export_form {
                ExportForm { eark: false, .. } => PackageForm::Zip,
                ExportForm { eark: true, schemas } => {
                    PackageForm::Eark { schemas: schemas.clone() }
                }
            },
            sheet_embeds: config.evidence.sheet_embeds,
            claim: signed(config.limits.claim),
            session: signed(config.limits.session),
            sign_in: sign_in::sign_in(config, &clock)?,
            polls_at_once: config.limits.polls_at_once as usize,
            rule_quota: u64::from(config.limits.rule_quota_per_day),
            fetch: FetchLimits {
                file_bytes: config.evidence.attachment_most_bytes,
                record_bytes: config.evidence.attachments_most_bytes,
                record_time: config.evidence.attachments_limit,
                ..FetchLimits::default()
            },
            page_archives: config.evidence.page_archive,
            before_removal: match config.evidence.again_before_removal {
                true => BeforeRemoval::Seal,
                false => BeforeRemoval::Compare,
            },
            diary: notices::ways(config),
            public_reports: notices::reports(&config.public_reports),
            hooks: notices::hooks(config),
        };
        let rules = rule_book::Desk {
            bench: Bench::of_this_program(),
            kept: lexicons::beside(&config.store_path),
            loader: loader()?,
        };
        let (classifier, own_rules) = rule_book::begin(&store, &rules).await?;
        let services = Services::new(Parts {
            store: store.clone(),
            evidence: evidence.clone(),
            classifier: Arc::new(classifier),
            policy: config.policy.clone(),
            clock: clock.clone(),
            settings,
            accounts,
            browser: open_browser(config, clock.clone()),
        });
        services.open_places().await?;
        services.open_policies(policies::desk(config)).await?;
        services.open_rules(rules, own_rules);
        services.tell_refused_rules().await?;
        services.open_cards().await?;
        services.open_crisis().await?;
        services.hold_reported().await?;
        let courier = notices::courier(config, &store, &clock).await?;
        services.open_forwarding(courier.clone(), notices::forwarding(config));
        let handovers = notices::handovers(config, services.clone(), courier.clone())?;
        let hooks = Hooks::new(services.clone(), notices::hooks(config));
        let notifier = Notifier::new(services.clone(), notices::settings(config), courier)
            .witnessed_by(config.evidence.checkpoint.witness_mail.clone());
        // Disposals that were carried out in the database and cut off before their files were gone.
        if let Err(error) = services.complete_disposals().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "a disposal could not be completed; it is tried again");
        }
        // Packages that nobody will fetch any more.
        if let Err(error) = sweep(&config.export_folder) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "what was left of packages could not be taken away");
        }
        if config.server.proxy_is_untold() {
            tracing::warn!(
                "public_url is https but trusted_proxies is empty: everybody behind the proxy counts \
                 as one caller, and anybody can slow down all logins"
            );
        }
        let web = web::state::Settings {
            secure_cookies: config.server.secure_cookies,
            trusted_proxies: config.server.trusted_proxies.clone(),
            public_url: config.server.public_url.clone(),
            logins_per_min: config.limits.logins_per_min,
            intake_body_bytes: config.limits.intake_body_bytes as usize,
            simulated: config.accounts.iter().any(|account| account.simulated),
        };
        Ok(Self {
            services,
            store,
            evidence,
            shutdown: Arc::new(Shutdown::new()),
            health: Health::new(clock),
            metrics,
            web,
            stamping,
            notifier,
            handovers,
            hooks,
            _lock: lock,
        })
    }

    /// The services, for the command line and tests.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// What stops the program.
    pub fn shutdown(&self) -> &Arc<Shutdown> {
        &self.shutdown
    }

    /// Listens on an address.
    ///
    /// # Errors
    /// [`AppError::Listen`].
    pub async fn listen(address: SocketAddr) -> Result<TcpListener, AppError> {
        TcpListener::bind(address).await.map_err(|source| AppError::Listen { address, source })
    }

    /// Runs until somebody asks it to stop, then stops in order.
    ///
    /// # Errors
    /// [`AppError::System`] where signals cannot be listened for.
    pub async fn run(self, listener: TcpListener) -> Result<(), AppError> {
        self.shutdown
            .listen_for_signals()
            .map_err(|e| AppError::System { doing: "signalhanteringen", source: Box::new(e) })?;
        self.start_loops();
        let router = self.router();
        let stop = self.shutdown.token(Stage::Requests);
        let proxies = self.web.trusted_proxies.clone();
        self.shutdown.spawn(Stage::Requests, async move {
            let bounds = Bounds::of_this_process();
            web::serve::serve(listener, router, bounds, &proxies, stop).await;
        });
        self.shutdown.requested().await;
        tracing::info!("stopping");
        self.shutdown.finish().await;
        if let Err(error) = self.evidence.note_head().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the end of the log could not be noted");
        }
        if let Err(error) = self.evidence.checkpoint().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the log could not be signed");
        }
        drop(self.services);
        // The last handle: the writing thread finishes, checkpoints and ends.
        drop(self.evidence);
        drop(self.store);
        tracing::info!("stopped");
        Ok(())
    }

    /// The web page.
    pub fn router(&self) -> axum::Router {
        web::routes::router(
            self.services.clone(),
            self.web.clone(),
            self.health.clone(),
            self.metrics.clone(),
            self.shutdown.token(Stage::Requests),
        )
    }

    fn start_loops(&self) {
        let wakes = self.services.wakes().clone();
        let s = self.services.clone();
        self.start(Stage::Intake, "intake", wakes.intake, POLL_TICK, move || {
            let s = s.clone();
            async move { s.begin_polls().await.map(|()| Round::Idle) }
        });
        let (s, never) = (self.services.clone(), Arc::new(tokio::sync::Notify::new()));
        self.start(Stage::Intake, "logins", never, LOGINS_TICK, move || {
            let s = s.clone();
            async move { s.begin_checks().await.map(|_| Round::Idle) }
        });
        let s = self.services.clone();
        self.start(Stage::Intake, "assess", wakes.assess, ASSESS_TICK, move || {
            let s = s.clone();
            async move { s.assess_waiting().await.map(round) }
        });
        let s = self.services.clone();
        self.start(Stage::Captures, "capture", wakes.capture, CAPTURE_TICK, move || {
            let s = s.clone();
            async move { s.capture_wanted().await.map(round) }
        });
        let (s, never) = (self.services.clone(), Arc::new(tokio::sync::Notify::new()));
        self.start(Stage::Captures, "archive", never, ARCHIVE_TICK, move || {
            let s = s.clone();
            async move { s.archive_round().await.map(round) }
        });
        let s = self.services.clone();
        self.start(Stage::Acts, "outbox", wakes.outbox, ACT_TICK, move || {
            let s = s.clone();
            async move { s.begin_acts().await.map(|()| Round::Idle) }
        });
        let (s, store) = (self.services.clone(), self.store.clone());
        let never = Arc::new(tokio::sync::Notify::new());
        self.start(Stage::Acts, "housekeeping", never, HOUSEKEEPING_TICK, move || {
            let (s, store) = (s.clone(), store.clone());
            async move {
                // Each by itself: what fails in one keeps none of the others waiting.
                let holds = s.end_holds().await;
                let claims = s.end_claims().await;
                s.note_log().await;
                let deliveries = match s.clock().now().saturating_sub(DELIVERIES_KEPT) {
                    Ok(before) => store.forget_deliveries(before).await.map(drop),
                    Err(_) => Ok(()),
                };
                let traces = store.forget_traces(s.clock().now()).await;
                let sign = s.note_sign().await;
                let disposals = s.complete_disposals().await;
                let mailbox = s.read_mailbox().await;
                let recounts = s.recount_late().await;
                holds?;
                claims?;
                deliveries?;
                traces?;
                sign?;
                disposals?;
                mailbox?;
                recounts?;
                Ok::<_, ServiceError>(Round::Idle)
            }
        });
        // By itself: a mail server that hangs holds nobody up.
        let (s, never) = (self.services.clone(), Arc::new(tokio::sync::Notify::new()));
        self.start(Stage::Acts, "mailbox", never, HOUSEKEEPING_TICK, move || {
            let s = s.clone();
            async move { s.read_imap().await.map(|_| Round::Idle) }
        });
        // By itself: it goes through everything once a day, and nothing that people wait for stands behind it.
        let (s, never) = (self.services.clone(), Arc::new(tokio::sync::Notify::new()));
        self.start(Stage::Acts, "sweep", never, SWEEP_TICK, move || {
            let s = s.clone();
            async move {
                let veiled = s.veil_closed().await;
                s.sweep_uncased().await?;
                veiled.map(|_| Round::Idle)
            }
        });
        let evidence = self.evidence.clone();
        let never = Arc::new(tokio::sync::Notify::new());
        self.start(Stage::Acts, "checkpoints", never, CHECKPOINT_TICK, move || {
            let evidence = evidence.clone();
            async move {
                let signed = evidence.checkpoint_if_due().await;
                signed.map_err(services::archive::broken).map(|()| Round::Idle)
            }
        });
        if let Some(stamping) = &self.stamping {
            let stamping = stamping.clone();
            let never = Arc::new(tokio::sync::Notify::new());
            self.start(Stage::Captures, "stamps", never, STAMP_TICK, move || {
                let stamping = stamping.clone();
                async move { stamping.ask().await.map(round) }
            });
        }
        let (notifier, never) = (self.notifier.clone(), Arc::new(tokio::sync::Notify::new()));
        self.start(Stage::Acts, "notices", never, NOTICE_TICK, move || {
            let notifier = notifier.clone();
            async move { notifier.round().await.map(round) }
        });
        // By itself: a package of many MB keeps no notice waiting.
        let (handovers, never) = (self.handovers.clone(), Arc::new(tokio::sync::Notify::new()));
        self.start(Stage::Acts, "handovers", never, HANDOVER_TICK, move || {
            let handovers = handovers.clone();
            async move { handovers.round().await.map(round) }
        });
        let (hooks, never) = (self.hooks.clone(), Arc::new(tokio::sync::Notify::new()));
        self.start(Stage::Acts, "hooks", never, NOTICE_TICK, move || {
            let hooks = hooks.clone();
            async move { hooks.round().await.map(round) }
        });
        let (s, never) = (self.services.clone(), Arc::new(tokio::sync::Notify::new()));
        self.start(Stage::Acts, "gauges", never, GAUGES_TICK, move || {
            let s = s.clone();
            async move { s.gauge_cases().await.map(|()| Round::Idle) }
        });
        // Lanes begun by a loop outlive its round; the stage waits for them.
        let (s, token) = (self.services.clone(), self.shutdown.token(Stage::Intake));
        self.shutdown.spawn(Stage::Intake, async move {
            token.cancelled().await;
            s.finish_polls().await;
        });
        let (s, token) = (self.services.clone(), self.shutdown.token(Stage::Acts));
        self.shutdown.spawn(Stage::Acts, async move {
            token.cancelled().await;
            s.finish_acts().await;
        });
    }

    fn start<F, Fut>(
        &self,
        stage: Stage,
        name: &'static str,
        wake: Arc<tokio::sync::Notify>,
        tick: Duration,
        round: F,
    ) where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Round, ServiceError>> + Send + 'static,
    {
        self.health.expect(name);
        let token = self.shutdown.token(stage);
        self.shutdown.spawn(stage, run_loop(name, wake, tick, token, self.health.clone(), round));
    }
}

fn round(more: bool) -> Round {
    if more { Round::More } else { Round::Idle }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// Opens store and evidence as the configuration says, for the daemon and for commands that read.
///
/// # Errors
/// [`AppError::Store`], [`AppError::Evidence`], [`AppError::Folder`].
pub fn open_stores(config: &Config, clock: Clock) -> Result<(Store, EvidenceStore), AppError> {
    if let Some(folder) = config.store_path.parent() {
        private::folder(folder)
            .map_err(|source| AppError::Folder { path: folder.to_owned(), source })?;
    }
    let store = Store::open(&store::Settings { path: config.store_path.clone() })?;
    let checkpoint = &config.evidence.checkpoint;
    let settings = evidence::Settings {
        dir: config.evidence.folder.clone(),
        checkpoints: CheckpointSettings {
            every_entries: checkpoint.every_entries,
            every: signed(checkpoint.every),
            witnesses: checkpoint.witnesses.clone(),
            stamped: config.evidence.timestamp.is_some(),
            stamp_roots: {
                let now = config.evidence.timestamp.iter().map(|authority| &authority.ca_pem);
                now.chain(&checkpoint.earlier_stamp_roots).cloned().collect()
            },
            acknowledged: checkpoint.acknowledged_keys.clone(),
        },
        disk: crate::runtime::disk::Disk::default(),
    };
    let evidence = EvidenceStore::open(&settings, store.clone(), clock)?;
    Ok((store, evidence))
}

/// Refuses a new database beside evidence of an older one: a disk that is not mounted would have
/// everything fetched anew, and what was disposed of brought back.
fn refuse_to_begin_anew(database: &Path, evidence: &Path) -> Result<(), AppError> {
    let heads = evidence.join(evidence::HEADS_FILE);
    let has_log = std::fs::metadata(heads).is_ok_and(|heads| heads.len() > 0);
    if has_log && !database.exists() {
        let (database, evidence) = (database.to_owned(), evidence.to_owned());
        return Err(AppError::DatabaseMissing { database, evidence });
    }
    Ok(())
}

fn stamping(
    authority: &TimestampConfig,
    store: &Store,
    clock: &Clock,
) -> Result<Stamping, AppError> {
    let settings = services::stamps::Settings {
        url: authority.url.clone(),
        ca_pem: authority.ca_pem.clone(),
        allow_private: authority.allow_private_addresses,
    };
    Stamping::new(settings, store.clone(), clock.clone())
        .map_err(|e| AppError::System { doing: "tidsstämplingen", source: Box::new(e) })
}

async fn connect(
    account: &AccountConfig,
    store: &Store,
    shared: &Shared,
    clock: &Clock,
) -> Result<Served, AppError> {
    let known = store
        .ensure_account(
            account.key.clone(),
            account.kind(),
            account.name.clone(),
            account.simulated,
            clock.now(),
        )
        .await?;
    // A restart is a moment when a person may have mended what was wrong.
    store.resume_fetching(known.id, clock.now()).await?;
    let (platform, push) = connector(account, shared, clock)
        .map_err(|source| AppError::Account { account: account.key.as_str().to_owned(), source })?;
    Ok(Served {
        account: known,
        platform,
        interval: account.interval,
        policy: account.policy.clone(),
        token_expires: account.token_expires,
        push,
        private_at: account.private_at(),
    })
}

/// The browser, or why there is none, in Swedish.
fn open_browser(config: &Config, clock: Clock) -> Result<Browser, String> {
    use crate::config::Browser as Chosen;
    let executable = match &config.evidence.browser {
        Chosen::Off => {
            return Err("Skärmbilder är avstängda i inställningarna.".to_owned());
        }
        Chosen::Auto => None,
        Chosen::Path(path) => Some(path.clone()),
    };
    let settings = BrowserSettings {
        executable,
        capture_limit: config.evidence.capture_limit,
        ..BrowserSettings::default()
    };
    let browser = Browser::new(settings, clock);
    match browser.executable() {
        Ok(_) => Ok(browser),
        Err(error) => Err(error.swedish()),
    }
}
