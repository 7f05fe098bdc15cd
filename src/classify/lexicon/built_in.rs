//! The lexicon that is built into the program: the files under `lexicons/sv`, word for word.

use crate::classify::lexicon::Source;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../lexicons/", $name)))),*]
    };
}

const FILES: &[(&str, &str)] = files![
    "sv/authorities.toml",
    "sv/case.toml",
    "sv/case_request.toml",
    "sv/case_worry.toml",
    "sv/commercial.toml",
    "sv/common.toml",
    "sv/hate.toml",
    "sv/incitement.toml",
    "sv/insult.toml",
    "sv/names.toml",
    "sv/party_political.toml",
    "sv/personal_data.toml",
    "sv/places.toml",
    "sv/profanity.toml",
    "sv/question.toml",
    "sv/question_forms.toml",
    "sv/sensitive_data.toml",
    "sv/sensitive_data_crime.toml",
    "sv/sensitive_data_health.toml",
    "sv/sensitive_data_private.toml",
    "sv/sensitive_data_secrecy.toml",
    "sv/sensitive_data_social.toml",
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
