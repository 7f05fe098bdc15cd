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
    "sv/commercial_business.toml",
    "sv/commercial_offer.toml",
    "sv/commercial_private.toml",
    "sv/common.toml",
    "sv/copyright.toml",
    "sv/guards.toml",
    "sv/hate.toml",
    "sv/hate_code.toml",
    "sv/hate_contempt.toml",
    "sv/hate_exclusion.toml",
    "sv/hate_gender.toml",
    "sv/hate_implicit.toml",
    "sv/hate_metaphor.toml",
    "sv/hate_more.toml",
    "sv/hate_slurs.toml",
    "sv/hate_stereotype.toml",
    "sv/incitement.toml",
    "sv/incitement_lowharm.toml",
    "sv/incitement_person.toml",
    "sv/incitement_signal.toml",
    "sv/incitement_terror.toml",
    "sv/incitement_wide.toml",
    "sv/insult.toml",
    "sv/insult_collective.toml",
    "sv/insult_defamation.toml",
    "sv/insult_defamation_data.toml",
    "sv/insult_direct.toml",
    "sv/insult_more.toml",
    "sv/insult_person.toml",
    "sv/insult_wide.toml",
    "sv/insult_words.toml",
    "sv/link_illegal.toml",
    "sv/link_illegal_address.toml",
    "sv/names.toml",
    "sv/party_political.toml",
    "sv/party_political_parties.toml",
    "sv/personal_data.toml",
    "sv/personal_data_numbers.toml",
    "sv/places.toml",
    "sv/profanity.toml",
    "sv/profanity_mild.toml",
    "sv/profanity_obscene.toml",
    "sv/question.toml",
    "sv/question_forms.toml",
    "sv/sensitive_data.toml",
    "sv/sensitive_data_crime.toml",
    "sv/sensitive_data_forms.toml",
    "sv/sensitive_data_health.toml",
    "sv/sensitive_data_private.toml",
    "sv/sensitive_data_reference.toml",
    "sv/sensitive_data_secrecy.toml",
    "sv/sensitive_data_social.toml",
    "sv/sexual.toml",
    "sv/sexual_barn.toml",
    "sv/sexual_harass.toml",
    "sv/sexual_more.toml",
    "sv/sexual_more_hints.toml",
    "sv/sexual_solicit.toml",
    "sv/sexual_wide.toml",
    "sv/spam.toml",
    "sv/spam_mass.toml",
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
