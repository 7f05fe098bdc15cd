//! A compiled lexicon as bytes, so that a start need not compile what was compiled before.
//!
//! In front stands what it was made of: the program that compiled and the sources, as one SHA-256;
//! then a CRC-32 over all that follows, which finds damage and not malice, in a thirtieth of the
//! time. Bytes that were made of
//! anything else, or are not whole, are refused, and whoever asked compiles. What is read back is
//! the same in every part that counts for a verdict, a complaint or a trial.

use crate::classify::identifier::marks::MarkEntries;
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::lexicon::{Counts, Example, Lexicon, SourcesHash, prepare, starts_of};
use crate::classify::repair::Repair;
use crate::classify::rules::{Guards, Rule, TextPattern};
use crate::classify::stored::{Damaged, Reader, Stored, Writer};
use crate::classify::words::Words;

/// What every such file begins with.
const SIGN: &[u8; 8] = b"uppsikt\x01";

/// Why kept bytes are of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// They are something else.
    #[error("not a compiled lexicon")]
    Foreign,
    /// Other sources, or another program.
    #[error("compiled from other sources or by another program")]
    Stale,
    /// They are not whole.
    #[error("the compiled lexicon is damaged")]
    Damaged,
}

impl From<Damaged> for Unusable {
    fn from(Damaged: Damaged) -> Self {
        Self::Damaged
    }
}

/// The lexicon that was compiled from these sources, as bytes.
pub fn encode(lexicon: &Lexicon, sources: &SourcesHash) -> Vec<u8> {
    let mut to = Writer::default();
    lexicon.put(&mut to);
    let body = to.into_bytes();
    let checksum = crc32fast::hash(&body).to_le_bytes();
    [SIGN, sources.0.bytes().as_slice(), &checksum, &body].concat()
}

/// The lexicon that [`encode`] wrote, if it was compiled from these sources by this program.
///
/// # Errors
/// [`Unusable`]: the sources must be compiled.
pub fn decode(bytes: &[u8], sources: &SourcesHash) -> Result<Lexicon, Unusable> {
    let rest = bytes.strip_prefix(SIGN).ok_or(Unusable::Foreign)?;
    let (of, rest) = rest.split_first_chunk::<32>().ok_or(Unusable::Damaged)?;
    if of != sources.0.bytes() {
        return Err(Unusable::Stale);
    }
    let (checksum, body) = rest.split_first_chunk().ok_or(Unusable::Damaged)?;
    if u32::from_le_bytes(*checksum) != crc32fast::hash(body) {
        return Err(Unusable::Damaged);
    }
    Ok(read(body, sources)?)
}

impl Lexicon {
    fn put(&self, to: &mut Writer) {
        // The version follows from the sources, and where rules begin from the rules.
        let Self {
            words,
            rules,
            starts: _,
            sets: _,
            index: _,
            guards,
            marks,
            repair,
            cues,
            repeat,
            version: _,
            complaints,
            examples,
            class_names,
            counts,
        } = self;
        class_names.put(to);
        words.put(to);
        rules.put(to);
        guards.put(to);
        marks.put(to);
        repair.put(to);
        cues.put(to);
        repeat.put(to);
        complaints.put(to);
        examples.put(to);
        counts.put(to);
    }
}

fn read(body: &[u8], sources: &SourcesHash) -> Result<Lexicon, Damaged> {
    let mut from = Reader::new(body);
    let class_names: Vec<String> = Stored::take(&mut from)?;
    from.n_classes = class_names.len();
    let mut words = Words::take(&mut from)?;
    let mut rules: Vec<Rule> = Stored::take(&mut from)?;
    let mut guards = Guards::take(&mut from)?;
    let marks = Stored::take(&mut from)?;
    let repair = Stored::take(&mut from)?;
    let cues = Stored::take(&mut from)?;
    let repeat = Stored::take(&mut from)?;
    let n_classes = class_names.len();
    let (sets, index) = prepare(&mut words, &mut rules, &mut guards.list, n_classes, repeat);
    let lexicon = Lexicon {
        starts: starts_of(&rules, class_names.len()),
        sets,
        index,
        words,
        rules,
        guards,
        marks,
        repair,
        cues,
        repeat,
        version: sources.version(),
        complaints: Stored::take(&mut from)?,
        examples: Stored::take(&mut from)?,
        class_names,
        counts: Stored::take(&mut from)?,
    };
    from.end()?;
    if refers_inside(&lexicon) { Ok(lexicon) } else { Err(Damaged) }
}

/// Whether rules, guards and examples name each other by numbers that there are.
fn refers_inside(lexicon: &Lexicon) -> bool {
    let Lexicon { rules, guards, examples, .. } = lexicon;
    if !lexicon.cues.fits(lexicon.class_names.len(), rules.len()) {
        return false;
    }
    let is_rule = |n: &u32| (*n as usize) < rules.len();
    let of_texts = || {
        let of_rules = rules.iter().flat_map(|r| r.unless_text.iter().chain(&r.requires_text));
        of_rules.chain(guards.list.iter().flat_map(|g| g.text.iter().chain(&g.except_text)))
    };
    let n_texts = of_texts().count();
    rules.iter().flat_map(|r| &r.yields_to).all(is_rule)
        && rules.iter().flat_map(|r| &r.guards).all(|g| usize::from(*g) < guards.list.len())
        && rules.iter().all(|r| u16::try_from(r.patterns.len()).is_ok())
        && examples.iter().all(|e| is_rule(&e.rule))
        && of_texts().all(|TextPattern { slot, .. }| (*slot as usize) < n_texts)
}

stored!(MarkEntries { entries, address_sign, number_word });
stored!(Repair { near, money, percent, small });
stored!(Complaint { file, line, what, mend });
stored!(Example { rule, text, hits, file, line });
stored!(Counts { lexemes, rules, classes });

#[cfg(test)]
mod tests;
