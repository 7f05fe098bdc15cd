//! The last step: from what was gathered to what the engine reads.

use crate::classify::cues::table::Cues;
use crate::classify::identifier::marks::MarkEntries;
use crate::classify::identifier::{ADDRESS_SIGN, Mark};
use crate::classify::lexicon::compiler::Compiler;
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::lexicon::{Lexicon, prepare, starts_of};
use crate::classify::near::Near;
use crate::classify::repair::glued::Small;
use crate::classify::repair::{self, Repair};
use crate::classify::rules::Guards;
use crate::classify::rules::guard::GuardClasses;
use crate::classify::words::{ClassId, hash_of};
use crate::domain::ids::LexiconVersion;

impl Compiler {
    pub(super) fn finish(mut self, version: LexiconVersion) -> Lexicon {
        let n_classes = self.names.len();
        let starts = starts_of(&self.rules, n_classes);
        let mut anchors: Vec<bool> = starts.iter().map(|s| !s.is_empty()).collect();
        let address_sign = self.by_name.get(ADDRESS_SIGN).copied();
        if let Some(class) = address_sign {
            // Their texts must not be passed over, though no rule begins at them.
            anchors[class.0 as usize] = true;
        }
        let mut class = |name: &str| {
            let found = self.by_name.get(name).copied();
            if found.is_none() {
                self.complaints.push(Complaint {
                    file: "sv".to_owned(),
                    line: 1,
                    what: format!("ordklassen `{name}`, som spärrarna behöver, saknas"),
                    mend: "Lägg till den, se sv/common.toml och sv/guards.toml".to_owned(),
                });
            }
            found
        };
        let classes = GuardClasses {
            negation: class("negation"),
            refusal: class("negation_verb"),
            apparent: class("negation_sken"),
            bridge: class("negation_bro"),
            light: class("negation_lätt"),
            border: class("satsgräns"),
            modal: class("hjälpverb"),
            first_person: class("första_person"),
            subject: class("subjekt"),
            other_person: class("annan_person"),
            utterance: class("utterance"),
            said: class("sägeverb"),
            report: class("report"),
            report_thing: class("report_sak"),
            number_word: class("talord"),
        };
        let mut guards = Guards { list: self.guards, classes };
        // A compound that one file lists stays what its parts make it in the others.
        let first = self.builder.build_as_spelled(&anchors, &self.disguise);
        self.builder.add_compounds(&first, ClassId(0));
        let mut words = self.builder.build(&anchors, &self.disguise);
        let repeat = self.by_name[repair::REPEAT];
        let (sets, index) =
            prepare(&mut words, &mut self.rules, &mut guards.list, n_classes, repeat);
        let entry = |mark: Mark| {
            let name = mark.classes()[0].as_bytes();
            words.look_up(hash_of(name), name, false)
        };
        let marks = MarkEntries {
            entries: Mark::ALL.into_iter().map(entry).collect(),
            address_sign,
            number_word: guards.classes.number_word,
        };
        let named = |name: &str| words.look_up(hash_of(name.as_bytes()), name.as_bytes(), false);
        let repair = Repair {
            near: Near::new(self.builder.disguised().into_iter(), &words),
            money: named("%money"),
            percent: named("%percent"),
            small: self.by_name.get(repair::SMALL).map(|class| Small::new(*class, &words)),
        };
        Lexicon {
            sets,
            index,
            words,
            marks,
            repair,
            cues: Cues::default(),
            repeat,
            rules: self.rules,
            starts,
            guards,
            version,
            complaints: self.complaints,
            examples: self.examples,
            class_names: self.names,
            counts: self.counts,
        }
    }
}
