//! The lexicon that is built into the program: the files under `lexicons/sv`, word for word.

use crate::classify::lexicon::Source;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../lexicons/", $name)))),*]
    };
}

const FILES: &[(&str, &str)] = files![
    "sv/case.toml",
    "sv/commercial.toml",
    "sv/common.toml",
    "sv/guards.toml",
    "sv/hate.toml",
    "sv/incitement.toml",
    "sv/insult.toml",
    "sv/party_political.toml",
    "sv/personal_data_numbers.toml",
    "sv/profanity.toml",
    "sv/question.toml",
    "sv/sexual.toml",
    "sv/threat.toml",
];

/// The sources, in order of name.
pub fn sources() -> Vec<Source> {
    FILES
        .iter()
        .map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() })
        .collect()
}
