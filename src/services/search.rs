//! Search in what items say.
//!
//! *Dataskyddslagen 3:3* forbids searching for a selection of persons by opinion, belief, origin, health or
//! sexuality. So a search is always for words, a diary number or a record; there is none by category or by
//! author, no name is in the index, and a result does not say who wrote it. Who wrote it stands in the case,
//! whose opening is audited one by one. Each search is on the audit log with what was asked, masked. What has
//! no case is nobody's task, so it is searched only by those who say why (GDPR art. 5.1 b).

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::account::Account;
use crate::domain::calendar::start_of_day;
use crate::domain::case::CaseState;
use crate::domain::ids::{CaseId, ItemId, VersionId};
use crate::domain::item::ItemKind;
use crate::domain::person::Act;
use crate::domain::search::{NoQuestion, Question, words};
use crate::domain::secrecy::WITHHELD;
use crate::domain::text::is_blank;
use crate::store::sqlite::search::{FoundRow, Search, Sought};

use super::queue::{Filter, SHOWN_IN_THE_CASE};
use super::veiled::VEILED;
use super::{ServiceError, Services, Viewer};

/// How many results a page holds.
pub const PAGE: u32 = 30;
/// The deepest page: an offset costs what it skips.
pub const LAST_PAGE: u32 = 50;
/// The shortest reason for a search beyond cases, in letters.
const SHORTEST_REASON: usize = 5;
/// The longest reason for a search beyond cases, in bytes.
const MOST_REASON_BYTES: usize = 2_000;
/// How much of a text stands before its first hit and after it, in characters.
const BEFORE_HIT: usize = 80;
const AFTER_HIT: usize = 220;

/// What a person asks for, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Words.
    pub words: String,
    /// A diary number.
    pub diary: String,
    /// The number of a record of evidence.
    pub evidence: String,
    /// Key of an account; empty for all.
    pub account: String,
    /// Where its case stands.
    pub state: Option<Filter>,
    /// Fetched on this day or later.
    pub from: Option<Date>,
    /// Fetched on this day at the latest.
    pub to: Option<Date>,
    /// Why what has no case is searched too; empty: it is not.
    pub reason: String,
    /// The page, from 0.
    pub page: u32,
}

impl Asked {
    /// Whether anything is asked for: limits alone are no question.
    pub fn is_question(&self) -> bool {
        [&self.words, &self.diary, &self.evidence].iter().any(|asked| !asked.trim().is_empty())
    }

    /// All of it on one line, for the audit log.
    fn told(&self) -> String {
        let (from, to) = (self.from.map(|d| d.to_string()), self.to.map(|d| d.to_string()));
        let fields = [
            ("", self.words.as_str()),
            ("", self.diary.as_str()),
            ("", self.evidence.as_str()),
            ("konto ", self.account.as_str()),
            ("från ", from.as_deref().unwrap_or_default()),
            ("till ", to.as_deref().unwrap_or_default()),
            ("även utan ärende, skäl: ", self.reason.as_str()),
        ];
        let said = fields.iter().filter(|(_, value)| !is_blank(value));
        said.map(|(name, value)| format!("{name}{}", value.trim())).collect::<Vec<_>>().join("; ")
    }
}

/// A stretch of a masked text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// As it is.
    Plain(String),
    /// A word that was asked for.
    Hit(String),
}

/// One result.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its case and where that stands.
    pub case: Option<(CaseId, CaseState)>,
    /// Its account.
    pub account: Account,
    /// What it is.
    pub kind: ItemKind,
    /// The text about the first hit, masked.
    pub text: Vec<Stretch>,
    /// When it was written or, where that is not known, fetched.
    pub at: Timestamp,
    /// Whether the item says this now; its author may have changed it since.
    pub current: bool,
}

/// A page of results, newest first.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The results.
    pub found: Vec<Found>,
    /// Whether there are more.
    pub more: bool,
}

/// The part of a masked text about its first hit, with all hits in it.
fn excerpt(text: &str, question: Option<&Question>) -> Vec<Stretch> {
    let hits: Vec<_> = match question {
        Some(question) => words(text).into_iter().filter(|word| question.hits(word)).collect(),
        None => Vec::new(),
    };
    let first = hits.first().map_or(0, |word| word.start);
    let start = text[..first].char_indices().rev().nth(BEFORE_HIT).map_or(0, |(at, _)| at);
    let end = text[first..].char_indices().nth(AFTER_HIT).map_or(text.len(), |(at, _)| first + at);
    let mut stretches = Vec::new();
    let mut at = start;
    let mut push = |from: usize, to: usize, hit: bool| {
        if from < to {
            let words = text[from..to].to_owned();
            stretches.push(if hit { Stretch::Hit(words) } else { Stretch::Plain(words) });
        }
    };
    for hit in hits.iter().filter(|hit| hit.end <= end) {
        push(at, hit.start, false);
        push(hit.start, hit.end, true);
        at = hit.end;
    }
    push(at, end, false);
    if start > 0 {
        stretches.insert(0, Stretch::Plain("…".into()));
    }
    if end < text.len() {
        stretches.push(Stretch::Plain("…".into()));
    }
    stretches
}

fn refused(why: &str) -> ServiceError {
    ServiceError::Refused { why: why.into() }
}

fn question(typed: &str) -> Result<Question, ServiceError> {
    Question::read(typed).map_err(|no| refused(match no {
        NoQuestion::Empty => "Skriv minst ett ord att söka efter.",
        NoQuestion::LongNumber => {
            "Långa nummer går inte att söka på: personnummer, telefonnummer och kontonummer ska inte kunna letas upp. Sök på ord, eller på diarienummer i sitt eget fält."
        }
        NoQuestion::TooShort => "Skriv minst tre bokstäver före stjärnan.",
        NoQuestion::TooLong => "Det är för många ord. Sök på högst tolv.",
    }))
}

/// What is sought, and the question whose hits are marked.
fn sought(asked: &Asked) -> Result<(Sought, Option<Question>), ServiceError> {
    let (typed, diary, evidence) = (asked.words.trim(), asked.diary.trim(), asked.evidence.trim());
    let n = [typed, diary, evidence].iter().filter(|asked| !asked.is_empty()).count();
    if n > 1 {
        return Err(refused(
            "Sök på ord, på diarienummer eller på bevisnummer, ett i taget. Töm de andra fälten.",
        ));
    }
    if !diary.is_empty() {
        return Ok((Sought::Diary(diary.to_owned()), None));
    }
    if !evidence.is_empty() {
        let id = evidence.parse().map_err(|_| {
            refused("Bevisnumret är ett heltal, som i adressen till beviset: /bevis/12.")
        })?;
        return Ok((Sought::Evidence(id), None));
    }
    let question = question(typed)?;
    Ok((Sought::Words(question.expression()), Some(question)))
}

impl Services {
    fn found(&self, row: FoundRow, question: Option<&Question>) -> Found {
        let text = match (row.no_copy, row.secret, row.veiled) {
            (true, _, _) => vec![Stretch::Plain(SHOWN_IN_THE_CASE.into())],
            (false, true, _) => vec![Stretch::Plain(WITHHELD.into())],
            (false, false, true) => vec![Stretch::Plain(VEILED.into())],
            (false, false, false) => {
                let one_line = row.text.split_whitespace().collect::<Vec<_>>().join(" ");
                excerpt(&self.classifier().masked(&one_line), question)
            }
        };
        Found {
            case: row.case,
            account: row.account,
            kind: row.kind,
            text,
            at: row.created_at.unwrap_or(row.fetched_at),
            current: row.current,
        }
    }

    /// Texts of cases in which all words of the question stand, newest first, masked, with version and case; and
    /// whether there are more. Nothing whose content may not be shown is among them.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with what to change, where nothing can be searched for.
    pub(super) async fn texts_with(
        &self,
        typed: &str,
        most: u32,
        shut: Vec<ItemId>,
    ) -> Result<(Vec<(VersionId, CaseId, String)>, bool), ServiceError> {
        let question = question(typed)?;
        let search = Search {
            sought: Sought::Words(question.expression()),
            account: None,
            state: None,
            from: None,
            before: None,
            offset: 0,
            most: most + 1,
            beyond_cases: false,
            shut,
        };
        let mut rows = self.inner.store.search(search).await?;
        let more = rows.len() > most as usize;
        rows.truncate(most as usize);
        let mut texts = Vec::with_capacity(rows.len());
        for row in rows.into_iter().filter(|row| !row.no_copy) {
            let (version, case) = (row.version, row.case.as_ref().map(|(case, _)| *case));
            let Some(case) = case else { continue };
            let told = |stretch| match stretch {
                Stretch::Plain(words) | Stretch::Hit(words) => words,
            };
            let text = self.found(row, Some(&question)).text.into_iter().map(told).collect();
            texts.push((version, case, text));
        }
        Ok((texts, more))
    }

    /// Searches. Texts are masked, and nobody is named.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with what to change, where nothing can be searched for.
    pub async fn search(&self, viewer: &Viewer, asked: &Asked) -> Result<Results, ServiceError> {
        viewer.demand(Act::Search)?;
        let (sought, question) = sought(asked)?;
        if asked.reason.len() > MOST_REASON_BYTES {
            return Err(refused("Skriv skälet kortare, högst några meningar."));
        }
        // It stands in the audit log, to be read by somebody who asks why.
        let letters = asked.reason.chars().filter(|c| c.is_alphabetic()).count();
        if !is_blank(&asked.reason) && letters < SHORTEST_REASON {
            return Err(refused("Skriv skälet med några ord. Det sparas i granskningsloggen."));
        }
        if asked.from.zip(asked.to).is_some_and(|(from, to)| from > to) {
            return Err(refused("Från-dagen ligger efter till-dagen. Byt plats på dem."));
        }
        let before = asked.to.and_then(|day| day.tomorrow().ok()).and_then(start_of_day);
        let search = Search {
            sought,
            account: Some(asked.account.clone()).filter(|key| !key.is_empty()),
            state: asked.state.map(Filter::row),
            beyond_cases: !is_blank(&asked.reason),
            from: asked.from.and_then(start_of_day),
            before,
            offset: asked.page.min(LAST_PAGE) * PAGE,
            // One more than a page holds tells whether there are more.
            most: PAGE + 1,
            shut: self.shut_to(viewer).await?,
        };
        let mut rows = self.inner.store.search(search).await?;
        let mut line = viewer.line("search", "items");
        line.detail = Some(self.classifier().masked(&asked.told()).into_owned());
        self.inner.store.record_audit(line, self.inner.clock.now()).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let found = rows.into_iter().map(|row| self.found(row, question.as_ref())).collect();
        Ok(Results { found, more })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, asked: &str) -> String {
        let question = Question::read(asked).unwrap();
        let mark = |stretch: &Stretch| match stretch {
            Stretch::Plain(words) => words.clone(),
            Stretch::Hit(words) => format!("[{words}]"),
        };
        excerpt(text, Some(&question)).iter().map(mark).collect()
    }

    #[test]
    fn hits_are_marked_in_the_part_that_is_shown() {
        assert_eq!(
            shown("Vår skola är bra. Skolorna!", "skolan"),
            "Vår [skola] är bra. [Skolorna]!"
        );
        assert_eq!(shown("ingenting", "skola"), "ingenting");
        let long = format!("{}skolan{}", "å ".repeat(300), " ö".repeat(300));
        let part = shown(&long, "skola");
        assert!(part.starts_with('…') && part.ends_with('…') && part.contains("[skolan]"));
        assert!(part.chars().count() < 320);
    }

    #[test]
    fn one_thing_is_sought_at_a_time() {
        let both = Asked { words: "skola".into(), diary: "KS 1".into(), ..Asked::default() };
        assert!(matches!(sought(&both), Err(ServiceError::Refused { .. })));
        let number = Asked { evidence: "tolv".into(), ..Asked::default() };
        assert!(matches!(sought(&number), Err(ServiceError::Refused { .. })));
        let limits = Asked { account: "fb".into(), ..Asked::default() };
        assert!(!limits.is_question() && sought(&limits).is_err());
    }
}
