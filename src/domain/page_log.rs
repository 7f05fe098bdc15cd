//! What a page was refused, and what it complained of, while it was pictured (*logg från webbläsaren*), as values.
//!
//! What a page writes is anybody's: it is sealed and shown, and never comes into a log of ours.

use serde::{Deserialize, Serialize};

/// Version of the shape.
pub const FORMAT: u32 = 1;

/// What stands in `webbsida-logg.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageLog {
    /// Version of the shape.
    pub format: u32,
    /// Calls that were refused or did not come through, each sort once.
    pub stopped: Vec<StoppedCall>,
    /// How many more there were than are listed.
    pub stopped_beyond: u64,
    /// Errors and warnings of the page's console, each once.
    pub console: Vec<ConsoleLine>,
    /// How many more there were than are listed.
    pub console_beyond: u64,
}

/// A call of the page's that was refused or did not come through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedCall {
    /// Where it went, without what may be a secret; host and port alone where no more is known.
    pub address: String,
    /// What was asked for.
    pub resource: Resource,
    /// Why it did not come through.
    pub reason: StopReason,
    /// The browser's own name for the reason, for example `net::ERR_NAME_NOT_RESOLVED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How often.
    pub times: u64,
}

/// A line of the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLine {
    /// How grave the page or the browser finds it.
    pub level: ConsoleLevel,
    /// The words, cut where they are long.
    pub text: String,
    /// Which file it comes from, where that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How often.
    pub times: u64,
}

/// How grave a line of the console is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleLevel {
    /// An error.
    Error,
    /// A warning.
    Warning,
}

impl ConsoleLevel {
    /// The Swedish word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Error => "fel",
            Self::Warning => "varning",
        }
    }
}

/// What a page asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// A page, or a frame in it.
    Document,
    /// How it looks.
    Stylesheet,
    /// A picture.
    Image,
    /// A film or a sound.
    Media,
    /// A typeface.
    Font,
    /// A program.
    Script,
    /// What a program of the page's asked for.
    Data,
    /// A line that is kept open.
    Socket,
    /// A file to save.
    Download,
    /// Something else, or not known.
    Other,
}

impl Resource {
    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Document => "sida eller ram",
            Self::Stylesheet => "stilmall",
            Self::Image => "bild",
            Self::Media => "film eller ljud",
            Self::Font => "typsnitt",
            Self::Script => "skript",
            Self::Data => "data",
            Self::Socket => "öppen förbindelse",
            Self::Download => "fil att spara",
            Self::Other => "annat",
        }
    }
}

/// Why a call did not come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It leads into a private network, or to this machine.
    PrivateAddress,
    /// It is neither `http` nor `https`.
    Scheme,
    /// The page had already asked as many hosts as one page may.
    TooManyHosts,
    /// The page had already loaded as much as one page may.
    TooMuch,
    /// Nothing is saved.
    Download,
    /// It was not done when the picture was taken.
    Time,
    /// The host name is unknown.
    UnknownHost,
    /// Rules of the page's own or of the browser's (content policy, mixed content, foreign origin).
    Rules,
    /// The page or the browser gave it up.
    GivenUp,
    /// It failed.
    Failed,
}

impl StopReason {
    /// Whether Uppsikt refused it; otherwise it failed of itself.
    pub const fn is_ours(self) -> bool {
        match self {
            Self::PrivateAddress
            | Self::Scheme
            | Self::TooManyHosts
            | Self::TooMuch
            | Self::Download => true,
            Self::Time | Self::UnknownHost | Self::Rules | Self::GivenUp | Self::Failed => false,
        }
    }

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PrivateAddress => "stoppat: leder till ett privat nät",
            Self::Scheme => "stoppat: bara http och https öppnas",
            Self::TooManyHosts => "stoppat: sidan frågade fler servrar än en sida får",
            Self::TooMuch => "stoppat: sidan laddade mer än en sida får",
            Self::Download => "stoppat: inget sparas från sidor",
            Self::Time => "inte klart när bilden togs",
            Self::UnknownHost => "värdnamnet finns inte",
            Self::Rules => "stoppat av sidans eller webbläsarens regler",
            Self::GivenUp => "avbrutet av sidan eller webbläsaren",
            Self::Failed => "kom inte fram",
        }
    }
}

impl PageLog {
    /// How many calls Uppsikt refused, and how many failed of themselves, as far as they are listed.
    fn counts(&self) -> (u64, u64) {
        let times = |ours: bool| {
            let those = self.stopped.iter().filter(|call| call.reason.is_ours() == ours);
            those.map(|call| call.times).sum()
        };
        (times(true), times(false))
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.stopped.is_empty() && self.console.is_empty()
    }

    /// In one Swedish sentence.
    pub fn summary(&self) -> String {
        let calls = |n: u64| if n == 1 { "1 anrop".to_owned() } else { format!("{n} anrop") };
        let (ours, others) = self.counts();
        let lines = self.console.iter().map(|line| line.times).sum::<u64>() + self.console_beyond;
        let console = match lines {
            0 => "Sidan skrev inga fel eller varningar.".to_owned(),
            1 => "Sidan skrev 1 fel eller varning.".to_owned(),
            n => format!("Sidan skrev {n} fel och varningar."),
        };
        match (ours, others, self.stopped_beyond) {
            (0, 0, 0) => {
                format!("Inga anrop stoppades eller uteblev när sidan laddades. {console}")
            }
            (_, _, 0) => format!(
                "{} stoppades av Uppsikt när sidan laddades och {} kom inte fram. {console}",
                calls(ours),
                calls(others)
            ),
            (_, _, beyond) => format!(
                "{} stoppades av Uppsikt när sidan laddades, {} kom inte fram, och {beyond} till är inte uppräknade. {console}",
                calls(ours),
                calls(others)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_told_in_one_sentence() {
        let call = |reason, times| StoppedCall {
            address: "http://10.0.0.1/".into(),
            resource: Resource::Image,
            reason,
            detail: None,
            times,
        };
        let line =
            ConsoleLine { level: ConsoleLevel::Error, text: "x".into(), from: None, times: 2 };
        let mut log = PageLog::default();
        assert_eq!(
            log.summary(),
            "Inga anrop stoppades eller uteblev när sidan laddades. Sidan skrev inga fel eller varningar."
        );
        log.stopped = vec![call(StopReason::PrivateAddress, 1), call(StopReason::Failed, 3)];
        log.console = vec![line];
        assert_eq!(
            log.summary(),
            "1 anrop stoppades av Uppsikt när sidan laddades och 3 anrop kom inte fram. Sidan skrev 2 fel och varningar."
        );
        log.stopped_beyond = 7;
        log.console_beyond = 5;
        assert!(
            log.summary().contains(
                "3 anrop kom inte fram, och 7 till är inte uppräknade. Sidan skrev 7 fel"
            )
        );
    }
}
