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
    "sv/hate.toml",
    "sv/hate_code.toml",
    "sv/hate_contempt.toml",
    "sv/hate_exclusion.toml",
    "sv/hate_gender.toml",
    "sv/hate_slurs.toml",
    "sv/incitement.toml",
    "sv/insult.toml",
    "sv/insult_collective.toml",
    "sv/insult_defamation.toml",
    "sv/insult_defamation_data.toml",
    "sv/insult_direct.toml",
    "sv/insult_person.toml",
    "sv/party_political.toml",
    "sv/profanity.toml",
    "sv/profanity_mild.toml",
    "sv/profanity_obscene.toml",
    "sv/question.toml",
    "sv/sexual.toml",
    "sv/sexual_barn.toml",
    "sv/sexual_harass.toml",
    "sv/sexual_solicit.toml",
    "sv/threat.toml",
];

/// The sources, in order of name.
pub fn sources() -> Vec<Source> {
    FILES
        .iter()
        .map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() })
        .collect()
}
