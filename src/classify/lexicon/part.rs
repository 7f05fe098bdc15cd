//! Parts of a lexicon that can be silenced, to see what each brings (`lexicon contribution`).

use std::collections::BTreeSet;

use crate::classify::lexicon::Lexicon;
use crate::classify::lexicon::file::RawFile;

/// A part of a lexicon.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LexiconPart {
    /// The rules of a file. Its classes stay, since other files' rules name them; of a file
    /// without rules it is the words, or what guards know.
    File(String),
    /// The rules whose name begins so: `hot` is all of `hot.…`.
    Group(String),
    /// What is weighed.
    Cues,
}

impl LexiconPart {
    /// Every part of a lexicon, files first.
    pub fn all(lexicon: &Lexicon) -> Vec<Self> {
        let counts = &lexicon.counts;
        let files: BTreeSet<_> = counts.lexemes.keys().chain(counts.rules.keys()).collect();
        let groups: BTreeSet<_> = lexicon.rules.iter().map(|r| group(&r.id)).collect();
        let files = files.into_iter().map(|f| Self::File(f.clone()));
        let groups = groups.into_iter().map(|g| Self::Group(g.to_owned()));
        files.chain(groups).chain([Self::Cues]).collect()
    }

    /// The name in tables.
    pub fn label(&self) -> &str {
        match self {
            Self::File(name) | Self::Group(name) => name,
            Self::Cues => "cues",
        }
    }

    /// Makes what belongs to the part say nothing. Rules go into shadow, so that whatever names
    /// them still holds.
    pub(super) fn silence(&self, name: &str, file: &mut RawFile) {
        match self {
            Self::File(of) if of != name => {}
            Self::File(_) if !file.rules.is_empty() => {
                file.rules.iter_mut().for_each(|r| r.shadow = true);
            }
            Self::File(_) => {
                file.classes.iter_mut().for_each(|c| c.members.clear());
                file.harmless.clear();
                file.guards.iter_mut().for_each(|g| g.patterns.clear());
            }
            Self::Group(of) => {
                let of_group = file.rules.iter_mut().filter(|r| group(&r.id) == of);
                of_group.for_each(|r| r.shadow = true);
            }
            Self::Cues => {}
        }
    }
}

fn group(rule: &str) -> &str {
    rule.split_once('.').map_or(rule, |(group, _)| group)
}
