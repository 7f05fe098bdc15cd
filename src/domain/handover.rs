//! Handing a package over to the diary (*överlämning*), and what comes back: the number, by reference.

use jiff::Timestamp;
use serde::Deserialize;

/// By what way a package goes to the diary beside the export folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HandoverWay {
    /// By mail to the registrar.
    Mail,
    /// By a signed call to the diary system.
    Webhook,
}

impl HandoverWay {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Mail, Self::Webhook];

    /// Identifier in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }

    /// The way with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|way| way.id() == id)
    }

    /// As in "lämnades till diariet …".
    pub const fn label(self) -> &'static str {
        match self {
            Self::Mail => "med e-post",
            Self::Webhook => "med ett signerat anrop",
        }
    }
}

/// Where a hand-over stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandoverState {
    /// To be tried.
    Waiting,
    /// Being tried; found so after a crash, it may have come through.
    Sending,
    /// It was taken.
    Handed,
    /// Given up: a person has to see to it.
    Failed,
    /// The number came before it left.
    Moot,
}

impl HandoverState {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Waiting, Self::Sending, Self::Handed, Self::Failed, Self::Moot];

    /// Identifier in the store.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Handed => "handed",
            Self::Failed => "failed",
            Self::Moot => "moot",
        }
    }

    /// The state with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.id() == id)
    }

    /// Whether a person may have it handed over once more.
    pub const fn may_go_again(self) -> bool {
        match self {
            Self::Handed | Self::Failed => true,
            Self::Waiting | Self::Sending | Self::Moot => false,
        }
    }
}

/// How a hand-over stands, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverNow {
    /// By what way.
    pub way: HandoverWay,
    /// Where it stands.
    pub state: HandoverState,
    /// 1, and one more each time a person wanted it handed over anew.
    pub n: u32,
    /// Why it did not come through.
    pub problem: Option<String>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What the diary calls a package by: its file name without the ending.
pub fn reference(package: &str) -> &str {
    package.strip_suffix(".zip").unwrap_or(package)
}

/// One answer of the diary: which package, which number. Both as they were written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Reply {
    /// The package's reference.
    #[serde(alias = "referens")]
    pub reference: String,
    /// The number it got.
    #[serde(alias = "diarienummer")]
    pub diary_number: String,
}

/// A line that says nothing we understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadReply {
    /// From 1.
    pub line: usize,
    /// What is wrong with it, in Swedish.
    pub why: String,
}

/// More lines than this in one file are not a day's work of a registrar but a mistake.
pub const MOST_REPLIES: usize = 10_000;

/// The longest reference or number that is looked at, in characters.
const LONGEST: usize = 200;

const NOT_TWO: &str = "Raden ska ha två fält, referens och diarienummer, med semikolon mellan.";
const NOT_JSON: &str = "Raden ska vara JSON med reference och diary_number, som texter.";

/// Reads what a diary system answers: lines `reference;diary number`, or JSON objects one a line, or a JSON
/// array of them. A heading and empty lines are passed over.
pub fn read_replies(text: &str) -> (Vec<(usize, Reply)>, Vec<BadReply>) {
    let text = text.trim_start_matches('\u{feff}');
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    if text.trim_start().starts_with('[') {
        match serde_json::from_str::<Vec<serde_json::Value>>(text) {
            Ok(all) => {
                let n_all = all.len();
                for (n, value) in all.into_iter().enumerate().take(MOST_REPLIES) {
                    sort(n + 1, of_json(value), &mut good, &mut bad);
                }
                if n_all > MOST_REPLIES {
                    let why = format!("Högst {MOST_REPLIES} rader läses ur en fil: dela upp den.");
                    bad.push(BadReply { line: MOST_REPLIES + 1, why });
                }
            }
            Err(_) => bad.push(BadReply { line: 1, why: "Filen är inte giltig JSON.".into() }),
        }
        return (good, bad);
    }
    for (n, line) in text.lines().enumerate() {
        let (n, line) = (n + 1, line.trim());
        if line.is_empty() || is_heading(line) {
            continue;
        }
        if good.len() + bad.len() >= MOST_REPLIES {
            let why = format!("Högst {MOST_REPLIES} rader läses ur en fil: dela upp den.");
            bad.push(BadReply { line: n, why });
            break;
        }
        let read = match line.starts_with('{') {
            true => match serde_json::from_str(line) {
                Ok(value) => of_json(value),
                Err(_) => Err(NOT_JSON),
            },
            false => of_fields(line),
        };
        sort(n, read, &mut good, &mut bad);
    }
    (good, bad)
}

fn sort(
    line: usize,
    read: Result<Reply, &'static str>,
    good: &mut Vec<(usize, Reply)>,
    bad: &mut Vec<BadReply>,
) {
    match read {
        Ok(reply) => good.push((line, reply)),
        Err(why) => bad.push(BadReply { line, why: why.into() }),
    }
}

fn is_heading(line: &str) -> bool {
    let first = line.split([';', '\t', ',']).next().unwrap_or_default();
    matches!(unquoted(first).to_lowercase().as_str(), "referens" | "reference")
}

fn unquoted(field: &str) -> &str {
    let field = field.trim();
    field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(field).trim()
}

fn of_json(value: serde_json::Value) -> Result<Reply, &'static str> {
    let reply: Reply = serde_json::from_value(value).map_err(|_| NOT_JSON)?;
    checked(reply, NOT_JSON)
}

fn of_fields(line: &str) -> Result<Reply, &'static str> {
    let mut fields = line.split([';', '\t']).map(unquoted);
    let (Some(reference), Some(number)) = (fields.next(), fields.next()) else {
        return Err(NOT_TWO);
    };
    // What follows may be a date or a name: not ours to read.
    let reply = Reply { reference: reference.to_owned(), diary_number: number.to_owned() };
    checked(reply, NOT_TWO)
}

fn checked(reply: Reply, why: &'static str) -> Result<Reply, &'static str> {
    let fits = |text: &str| !text.is_empty() && text.chars().count() <= LONGEST;
    match fits(&reply.reference) && fits(&reply.diary_number) {
        true => Ok(reply),
        false => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(reference: &str, number: &str) -> Reply {
        Reply { reference: reference.into(), diary_number: number.into() }
    }

    #[test]
    fn lines_json_lines_and_arrays_say_the_same() {
        let wanted = [reply("arende-1-a", "KS 2026/1"), reply("arende-2-b", "KS 2026/2")];
        for text in [
            "arende-1-a;KS 2026/1\narende-2-b;KS 2026/2\n",
            "\u{feff}Referens;Diarienummer\r\n\"arende-1-a\";\"KS 2026/1\";2026-11-23\r\n\r\narende-2-b\tKS 2026/2",
            "{\"reference\":\"arende-1-a\",\"diary_number\":\"KS 2026/1\"}\n{\"referens\":\"arende-2-b\",\"diarienummer\":\"KS 2026/2\"}",
            "[{\"reference\":\"arende-1-a\",\"diary_number\":\"KS 2026/1\",\"by\":\"x\"},\n {\"reference\":\"arende-2-b\",\"diary_number\":\"KS 2026/2\"}]",
        ] {
            let (good, bad) = read_replies(text);
            assert_eq!(bad, [], "{text}");
            assert_eq!(good.into_iter().map(|(_, r)| r).collect::<Vec<_>>(), wanted, "{text}");
        }
    }

    #[test]
    fn a_bad_line_is_named_and_hinders_no_other() {
        let (good, bad) = read_replies("a;1\nbara en\n;2\nb;\n{\"reference\":3}\nc;3\n");
        assert_eq!(good, [(1, reply("a", "1")), (6, reply("c", "3"))]);
        assert_eq!(bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
        assert_eq!(read_replies("[{").1.len(), 1);
    }

    proptest! {
        #[test]
        fn anything_is_read_to_its_end(text in ".{0,200}") {
            let (good, bad) = read_replies(&text);
            prop_assert!(good.len() + bad.len() <= text.lines().count().max(1));
        }
    }

    #[test]
    fn identifiers_lead_back() {
        for way in HandoverWay::ALL {
            assert_eq!(HandoverWay::from_id(way.id()), Some(*way));
        }
        for state in HandoverState::ALL {
            assert_eq!(HandoverState::from_id(state.id()), Some(*state));
        }
        assert_eq!(reference("arende-1-x.zip"), "arende-1-x");
    }
}
