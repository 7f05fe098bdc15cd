//! What the program says of itself: log lines on stderr and counted numbers.
//!
//! Dotted field names, the same thing under the same name: `account.id`, `platform`, `item.id`,
//! `version.id`, `case.id`, `action.id`, `action.kind`, `rule.id`, `lexicon.hash`, `user.id`,
//! `duration_ms`, `size_bytes`, `attempt`. Never comment text, names, personal numbers, tokens or
//! bodies: what must be mentioned goes through [`redact`].

pub mod metrics;
pub mod redact;

use std::any::Any;
use std::fmt;
use std::io;

use tracing::Subscriber;
use tracing_subscriber::filter::{Directive, EnvFilter, LevelFilter};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// The environment variable that overrides the level, in the filter language of
/// `tracing-subscriber`, for example `info,uppsikt::platforms=debug`.
pub const FILTER_VARIABLE: &str = "UPPSIKT_LOG";

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Human,
    /// One JSON object a line, for machines that collect logs.
    Json,
}

impl Format {
    /// All formats.
    pub const ALL: &[Self] = &[Self::Human, Self::Json];

    /// Identifier in configuration.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

/// How much is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Somebody should look.
    Error,
    /// We coped.
    Warn,
    /// What happened.
    Info,
    /// How it happened.
    Debug,
    /// Every step.
    Trace,
}

impl Level {
    /// All levels, the quietest first.
    pub const ALL: &[Self] = &[Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// Identifier in configuration.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter in the environment is not in the filter language.
    #[error("{FILTER_VARIABLE} is not a log filter: write for example `info,uppsikt=debug`")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// Somebody has set up logging in this process already.
    #[error("logging is set up already")]
    Twice(#[source] TryInitError),
}

/// Sets up logging on stderr for the whole process, and makes panics log lines without content. `filter` is what [`FILTER_VARIABLE`] holds,
/// and wins over `level`.
///
/// # Errors
/// See [`TelemetryError`].
pub fn init(format: Format, level: Level, filter: Option<&str>) -> Result<(), TelemetryError> {
    let filter = env_filter(level, filter)?;
    match format {
        Format::Human => human(filter, io::stderr).try_init(),
        Format::Json => json(filter, io::stderr).try_init(),
    }
    .map_err(TelemetryError::Twice)?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic_message(panic.payload());
        tracing::error!(panic.place = place, panic.message = message, "panic");
    }));
    Ok(())
}

/// What may be told of a panic: a fixed message. A composed one may quote a comment (slicing a
/// string does), so only its length is told.
fn panic_message(payload: &(dyn Any + Send)) -> String {
    if let Some(fixed) = payload.downcast_ref::<&'static str>() {
        (*fixed).to_owned()
    } else if let Some(composed) = payload.downcast_ref::<String>() {
        format!("⟨{} bytes, left out⟩", composed.len())
    } else {
        "⟨not a text⟩".to_owned()
    }
}

/// What is never heard of others, however loud the log is. The mail client traces every command that it sends, the log-in
/// among them. What speaks with the browser warns of each message that it has no type for, with what the message says of
/// the page, and newer browsers send such at every picture.
const NEVER_HEARD: [&str; 2] = ["async_imap=warn", "chromiumoxide=error"];

fn env_filter(level: Level, filter: Option<&str>) -> Result<EnvFilter, TelemetryError> {
    let chosen = match filter.map(str::trim).filter(|f| !f.is_empty()) {
        Some(filter) => EnvFilter::try_new(filter).map_err(TelemetryError::Filter),
        None => {
            // Other people's crates speak at debug and trace of bodies and headers, which may hold
            // content: our level never raises theirs above info.
            let others = level.filter().min(LevelFilter::INFO);
            EnvFilter::try_new(format!("{others},uppsikt={level}")).map_err(TelemetryError::Filter)
        }
    };
    NEVER_HEARD.iter().try_fold(chosen?, |chosen, quiet| {
        let quiet = quiet.parse::<Directive>().map_err(TelemetryError::Filter)?;
        Ok(chosen.add_directive(quiet))
    })
}

fn human<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    tracing_subscriber::registry().with(filter).with(layer)
}

fn json<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer);
    tracing_subscriber::registry().with(filter).with(layer)
}

#[cfg(test)]
mod tests;
