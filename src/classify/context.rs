//! What stands around a text: the same text written elsewhere, and the same person gone for again.
//!
//! Pure, like all of the classifier: what is known of earlier items comes in as values, and the
//! verdict is a function of text and context. A text's fingerprint is made of the hashes of its words
//! and of its pairs of words, in matching form, so that case, look-alike letters and hidden characters
//! change nothing. Min-hashing in bands makes keys of it: texts of which a word in
//! ten was changed share a key nearly surely, those of which one in four was do so in six cases of ten, and texts
//! that share little do not, so that an index finds the few that are worth comparing. Since pairs count, a
//! quarter of the words changed here and there leaves half in common: that is not nearly the same any more.
//! What is compared is exact for two texts that have some thirty words between them.
//!
//! That many write the same is not wrong by itself: an appeal that a whole village sends in is an opinion.
//! So sameness alone is a note (`low`), and comes before a person only where there is something to it (an
//! address, a number to call, another finding) or where one author says it again and again.
//!
//! Whether a long text shares anything with the post it stands under is a note of its own ([`subject`]).

mod subject;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::classify::findings::order;
use crate::classify::fold::Folded;
use crate::classify::tokens::{Kind, Token};
use crate::classify::words::ClassId;
use crate::classify::{Classifier, Context, SCRATCH, Scratch};
use crate::domain::category::{Category, Severity, Task};
use crate::domain::ids::{AccountId, ItemId};
use crate::domain::likeness::{EarlierPrint, N_BANDS, Print, RuleFired, SKETCH, Traces};
use crate::domain::rule_watch::SetAside;
use crate::domain::verdict::{Finding, Span, Verdict};

use subject::OTHER_SUBJECT;

/// Texts with fewer words are no campaign: *Tack för svaret!* is written by many.
const FEWEST_WORDS: usize = 8;
/// Words beyond this are not looked at: linear time for any text.
const MOST_WORDS: usize = 4_000;
/// From here two texts are nearly the same, in percent.
pub const ALIKE_PERCENT: u8 = 60;
/// Values of a band: all must be equal.
const BAND_ROWS: usize = 3;
/// From so many items in all, this one included, one author repeats the same.
const REPEATED: usize = 3;
/// From so many items in all, by so many authors, the same is a campaign.
const CAMPAIGN: usize = 4;
const CAMPAIGN_AUTHORS: usize = 3;
/// From so many earlier items, an author goes for the same person again and again.
const EARLIER_ATTACKS: u32 = 2;

/// What is found by what stands around a text.
const REPETITION: &str = "sammanhang.upprepning";
const CAMPAIGNING: &str = "sammanhang.kampanj";
const SAME_PERSON: &str = "sammanhang.samma-person";
/// All of these.
pub const RULES: [&str; 4] = [REPETITION, CAMPAIGNING, SAME_PERSON, OTHER_SUBJECT];

/// What is known around a text beside the thread.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The account it stands on.
    pub account: AccountId,
    /// A number for its author.
    pub author: Option<u64>,
    /// A number for the author of what it answers.
    pub answers: Option<u64>,
    /// Earlier items that may be nearly the same.
    pub earlier: &'a [EarlierPrint],
    /// Whom its author has gone for before, with in how many items.
    pub attacks: &'a [(u64, u32)],
    /// Rules that are to be counted and not shown, beside those of which the lexicon says so.
    pub shadowed: &'a BTreeMap<Arc<str>, SetAside>,
}

/// A verdict with what it leaves for later items.
#[derive(Clone, Debug)]
pub struct Assessed {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule whose finding would open a case, were it not set aside for running wild.
    pub held: Option<Arc<str>>,
    /// The rest.
    pub traces: Traces,
}

impl Classifier {
    /// The verdict on a text in its context, and what it leaves for those after it. Pure, too: the same
    /// text, lexicon and context always give the same answer.
    pub fn assess(&self, text: &str, context: &Context<'_>) -> Assessed {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut verdict = self.classify_with(scratch, text, context);
            let mut traces = Traces::default();
            if let Some(around) = &context.around {
                let named = || self.named(text, scratch);
                let found =
                    judge(text, &scratch.tokens.tokens, around, named, &mut verdict.findings);
                traces.author = around.author;
                (traces.alike, traces.targets) = (found.alike, found.targets);
            }
            if let (Some(post), Some(_)) = (context.post, context.around) {
                verdict.findings.extend(subject::judge(text, post, context.parent));
            }
            let shadowed = |rule: &Arc<str>| {
                context.around.and_then(|around| around.shadowed.get(rule).copied())
            };
            let fired = verdict.findings.iter().map(|f| RuleFired {
                rule: Arc::clone(&f.rule),
                severity: self.lexicon.severity_of(&f.rule).unwrap_or(f.severity),
                in_shadow: shadowed(&f.rule).is_some() && f.severity < Severity::High,
            });
            traces.rules = fired.collect();
            traces.rules.extend(self.shadow_hits(scratch).into_iter().map(|rule| RuleFired {
                rule,
                severity: Severity::Low,
                in_shadow: true,
            }));
            let held = verdict
                .findings
                .iter()
                .find(|f| f.opens_case() && shadowed(&f.rule) == Some(SetAside::ByProgram))
                .map(|f| Arc::clone(&f.rule));
            // What is grave is shown, whoever set its rule aside.
            verdict
                .findings
                .retain(|f| f.severity == Severity::High || shadowed(&f.rule).is_none());
            verdict.findings.sort_by(order);
            traces.print = print(text);
            Assessed { verdict, held, traces }
        })
    }

    /// Who is named by first and last name in the text that was read into `scratch` last: two words with
    /// nothing but blanks between them, with capitals, of which the first is a first name.
    fn named(&self, text: &str, scratch: &Scratch) -> Vec<String> {
        let Scratch { folded, tokens, .. } = scratch;
        let first_names: Vec<ClassId> = FIRST_NAMES
            .iter()
            .filter_map(|name| self.lexicon.class_names.iter().position(|known| known == name))
            .filter_map(|class| u16::try_from(class).ok().map(ClassId))
            .collect();
        let is_first = |token: &Token| {
            let classes = self.lexicon.words.classes_of(token.entry);
            classes.iter().any(|class| first_names.contains(class))
        };
        let of = |token: &Token| folded.original(token.start, token.end);
        let mut named = Vec::new();
        for pair in tokens.tokens.windows(2) {
            let [first, last] = pair else { continue };
            if first.kind != Kind::Word || last.kind != Kind::Word || !is_first(first) {
                continue;
            }
            let (first, last) = (of(first), of(last));
            let between = text.get(first.end as usize..last.start as usize);
            let word = |span: Span| text.get(span.start as usize..span.end as usize).unwrap_or("");
            if between.is_some_and(|b| b.chars().all(char::is_whitespace))
                && is_name(word(first))
                && is_name(word(last))
            {
                let last = word(last).to_lowercase();
                // *Kim Exempels* is Kim Exempel.
                let last = last.strip_suffix('s').unwrap_or(&last);
                named.push(format!("{} {last}", word(first)));
            }
        }
        named
    }
}

/// The classes of first names.
const FIRST_NAMES: [&str; 2] = ["förnamn", "förnamn_tvetydigt"];

/// Whether a word is written as a name: one capital, then small letters.
fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase)
        && chars.clone().next().is_some()
        && chars.all(|c| c.is_lowercase() || c == '-')
}

/// What the surroundings came to, beside findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Earlier items with nearly the same text.
    pub alike: Vec<ItemId>,
    /// Numbers for the persons whom the text goes for.
    pub targets: Vec<u64>,
}

/// FNV-1a with a finish that mixes all bits (from splitmix64): the same on every machine and in every
/// release, since it is kept.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for b in bytes {
        h = (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
    }
    mixed(h)
}

const fn mixed(mut h: u64) -> u64 {
    h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    h ^ (h >> 31)
}

/// A number for a person as the platform knows them: nothing that a name could be read from.
pub fn person(platform: &str, identity: &str) -> u64 {
    hash(
        format!("{platform}\0{}", identity.trim().trim_start_matches('@').to_lowercase())
            .as_bytes(),
    )
}

/// A number for an author: with certainty where the platform gives an identity, by the shown name where
/// it gives none. Names tell people apart as far as they differ; that they are equal tells nothing.
pub fn author(platform: &str, identity: Option<&str>, name: Option<&str>) -> Option<u64> {
    let given = |text: Option<&str>| text.filter(|t| !t.trim().is_empty()).map(str::to_owned);
    given(identity)
        .map(|identity| person(platform, &identity) | 1)
        .or_else(|| given(name).map(|name| person(platform, &name) & !1))
}

/// Whether equal numbers are the same author.
pub const fn is_certain(author: u64) -> bool {
    author & 1 == 1
}

/// The fingerprint of a text; none of one that is too short.
pub fn print(text: &str) -> Option<Print> {
    let mut folded = Folded::default();
    folded.fold(text);
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b >= 0x80;
    let words = folded.bytes().split(|b| !is_word(b)).filter(|w| !w.is_empty());
    let words: Vec<u64> = words.take(MOST_WORDS).map(hash).collect();
    if words.len() < FEWEST_WORDS {
        return None;
    }
    let pairs = words.windows(2).map(|w| mixed(w[0].rotate_left(17) ^ w[1]));
    let mut all: Vec<u64> = words.iter().copied().chain(pairs).collect();
    all.sort_unstable();
    all.dedup();
    let mut bands = [0; N_BANDS];
    for (n, band) in bands.iter_mut().enumerate() {
        *band = (0..BAND_ROWS).fold(n as u64, |key, row| {
            let seed = mixed((n * BAND_ROWS + row) as u64 + 1);
            // There are at least eight words.
            let least = all.iter().map(|h| mixed(h ^ seed)).min().unwrap_or(0);
            mixed(key.rotate_left(21) ^ least)
        });
    }
    // The upper half: the lower has served the order of `all`.
    let mut sketch: Vec<u32> = all.iter().map(|h| (mixed(*h) >> 32) as u32).collect();
    sketch.sort_unstable();
    sketch.dedup();
    sketch.truncate(SKETCH);
    Some(Print { bands, sketch })
}

/// Which of the earlier items are nearly the same.
pub fn alike(print: &Print, earlier: &[EarlierPrint]) -> Vec<usize> {
    let same = |e: &&EarlierPrint| print.likeness_percent(&e.print) >= ALIKE_PERCENT;
    earlier.iter().enumerate().filter(|(_, e)| same(e)).map(|(at, _)| at).collect()
}

/// Adds what the surroundings say to the findings of the text itself.
pub fn judge(
    text: &str,
    tokens: &[Token],
    around: &Surroundings<'_>,
    named: impl FnOnce() -> Vec<String>,
    findings: &mut Vec<Finding>,
) -> Around {
    let mut found = Around::default();
    if !around.earlier.is_empty()
        && let Some(print) = print(text)
    {
        let same: Vec<&EarlierPrint> =
            alike(&print, around.earlier).into_iter().map(|at| &around.earlier[at]).collect();
        findings.extend(repetition(tokens, around, &same, findings));
        found.alike = same.iter().map(|e| e.item).collect();
    }
    if findings.iter().any(is_attack) {
        found.targets = targets(text, around.answers, &named());
        let again = |t: &u64| {
            around.attacks.iter().filter(|(to, _)| to == t).map(|(_, n)| *n).max().unwrap_or(0)
        };
        let most = found.targets.iter().map(again).max().unwrap_or(0);
        if most >= EARLIER_ATTACKS {
            findings.push(again_and_again(findings, most));
        }
    }
    found
}

fn finding(
    category: Category,
    severity: Severity,
    rule: &str,
    why: String,
    legal: &str,
) -> Finding {
    Finding {
        category,
        severity,
        rule: Arc::from(rule),
        spans: Vec::new(),
        why: Arc::from(why),
        legal: Arc::from(legal),
        mark: None,
    }
}

fn times(n: usize) -> String {
    if n == 1 { "en gång".into() } else { format!("{n} gånger") }
}

fn repetition(
    tokens: &[Token],
    around: &Surroundings<'_>,
    same: &[&EarlierPrint],
    findings: &[Finding],
) -> Option<Finding> {
    const HOUSE: &str = "sidans regler: kampanjer och skräp";
    let by_author = around
        .author
        .filter(|me| is_certain(*me))
        .map_or(0, |me| same.iter().filter(|e| e.author == Some(me)).count());
    if by_author + 1 >= REPEATED {
        let why = format!(
            "Samma avsändare har skrivit nästan samma text {} tidigare den senaste veckan.",
            times(by_author)
        );
        return Some(finding(Category::Spam, Severity::Medium, REPETITION, why, HOUSE));
    }
    let authors: BTreeSet<Option<u64>> =
        same.iter().map(|e| e.author).chain([around.author]).collect();
    if same.len() + 1 < CAMPAIGN || authors.len() < CAMPAIGN_AUTHORS {
        return None;
    }
    let accounts: BTreeSet<AccountId> =
        same.iter().map(|e| e.account).chain([around.account]).collect();
    let lures = tokens.iter().any(|t| matches!(t.kind, Kind::Address | Kind::Mail));
    let more = findings.iter().any(|f| f.opens_case() && f.category.task() == Task::Removal);
    let severity = if lures || more { Severity::Medium } else { Severity::Low };
    let where_ =
        if accounts.len() > 1 { format!(", på {} konton", accounts.len()) } else { String::new() };
    let why = format!(
        "Nästan samma text har skrivits {} den senaste veckan av minst {} avsändare{where_}: det kan vara en kampanj. Att många tycker lika är tillåtet.",
        times(same.len()),
        authors.len(),
    );
    Some(finding(Category::Spam, severity, CAMPAIGNING, why, HOUSE))
}

/// Whether a finding says that somebody is gone for.
fn is_attack(finding: &Finding) -> bool {
    finding.severity >= Severity::Medium
        && matches!(
            finding.category,
            Category::Threat | Category::Insult | Category::Sexual | Category::Hate
        )
}

fn again_and_again(findings: &[Finding], n: u32) -> Finding {
    let threat = findings.iter().any(|f| f.category == Category::Threat && is_attack(f));
    let severity = if threat { Severity::High } else { Severity::Medium };
    let why = format!(
        "Samma avsändare har gått till angrepp mot samma person i minst {n} tidigare inlägg den senaste månaden: det kan vara ofredande eller olaga förföljelse."
    );
    finding(Category::Insult, severity, SAME_PERSON, why, "BrB 4:4 b och 4:7; sidans regler")
}

/// Numbers for the persons a text goes for: whom it answers, whom it mentions with an @, and whom it
/// names.
fn targets(text: &str, answers: Option<u64>, named: &[String]) -> Vec<u64> {
    let mut found: BTreeSet<u64> = answers.into_iter().collect();
    let clean = |w: &str| w.trim_matches(|c: char| !c.is_alphanumeric() && c != '@').to_owned();
    for word in text.split_whitespace().take(MOST_WORDS).map(clean) {
        if let Some(handle) = word.strip_prefix('@').filter(|h| h.chars().count() > 1) {
            found.insert(person("@", handle));
        }
    }
    found.extend(named.iter().map(|name| person("namn", name)));
    found.into_iter().collect()
}
