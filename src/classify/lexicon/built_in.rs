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
    "sv/incitement_lowharm.toml",
    "sv/incitement_person.toml",
    "sv/incitement_signal.toml",
    "sv/incitement_terror.toml",
    "sv/incitement_wide.toml",
    "sv/insult.toml",
    "sv/party_political.toml",
    "sv/personal_data_numbers.toml",
    "sv/profanity.toml",
    "sv/question.toml",
    "sv/sexual.toml",
    "sv/threat.toml",
    "sv/threat_body.toml",
    "sv/threat_condition.toml",
    "sv/threat_death.toml",
    "sv/threat_english.toml",
    "sv/threat_others.toml",
    "sv/threat_property.toml",
    "sv/threat_signal.toml",
    "sv/threat_veiled.toml",
    "sv/threat_wide.toml",
    "sv/violence.toml",
    "sv/violence_animal.toml",
    "sv/violence_signal.toml",
    "sv/violence_thread.toml",
    "sv/violence_wide.toml",
];

/// The sources, in order of name.
pub fn sources() -> Vec<Source> {
    FILES
        .iter()
        .map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() })
        .collect()
}
