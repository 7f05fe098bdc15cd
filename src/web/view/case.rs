//! A case (*ärende i kön*) as it is shown: seven parts, always in the same order.

use std::collections::BTreeSet;

use askama::Template;
use jiff::Timestamp;

use crate::domain::case::Outcome;
use crate::domain::ids::{ActionId, CaseId, DecisionId};
use crate::domain::verdict::Finding;

use super::changed::{ChangedView, Piece};
use super::decision::DecisionForm;
use super::evidence::{Checked, EvidenceBox, Seal};
use super::marked::MarkedText;
use super::masked::Masked;
use super::mentions::NotesView;
use super::outside::Outside;
use super::shell::{Notice, Place, Shell};
use super::tasks::TaskView;
use super::times::{Deadline, Moment};
use super::versions::{ChangedText, VersionsView};
use super::words::Tone;

/// The page `/arende/N`.
#[derive(Clone, Debug, Template)]
#[template(path = "case.html", config = "src/web/askama.toml")]
pub struct CasePage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The case before this one in the queue, if any.
    pub previous: Option<CaseId>,
    /// The case after this one in the queue, if any.
    pub next: Option<CaseId>,
    /// The case.
    pub case: CaseView,
}

impl CasePage {
    /// The case is the page: its heading is the page's.
    pub const fn is_beside(&self) -> bool {
        false
    }
}

/// The case itself: alone on its page, or beside the queue.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// Its number.
    pub id: CaseId,
    /// `Kommentar på Facebook`.
    pub heading: String,
    /// The account's name.
    pub account: String,
    /// Who is responsible.
    pub responsible: Option<String>,
    /// Its state in words.
    pub state: &'static str,
    /// When it has to be decided.
    pub deadline: Option<Deadline>,
    /// The author as the platform shows them.
    pub author: AuthorView,
    /// When it was written, as the platform says; unknown is said as such.
    pub written: Option<Moment>,
    /// When it was fetched.
    pub fetched: Moment,
    /// Who recorded it by hand; none where it was fetched.
    pub recorded_by: Option<String>,
    /// Its content has been disposed of.
    pub disposed: bool,
    /// Its text and names are not shown unasked; whether the person at the page may ask.
    pub veiled: Option<bool>,
    /// `Redigerad av författaren, lydelse 2 av 2`, where there is more than one.
    pub version: Option<String>,
    /// How the platform shows it now.
    pub presence: &'static str,
    /// The item on its platform.
    pub permalink: Option<Outside>,
    /// Who works on it.
    pub claim: ClaimView,
    /// What did not go, on top.
    pub failed: Vec<FailedAction>,
    /// What a person still has to do on the platform itself.
    pub tasks: Vec<TaskView>,
    /// The decision that can still be undone.
    pub undo: Option<UndoBar>,
    /// 1. The text.
    pub text: MarkedText,
    /// How the rule read it, where that differs from the text.
    pub folded: Option<MarkedText>,
    /// Nothing of it may be copied or shown: what to do instead.
    pub barred: bool,
    /// Whether the viewer may bar it.
    pub may_suspect: bool,
    /// Whether the viewer may call findings wrong.
    pub may_judge: bool,
    /// Whether the person at the page may lift that bar.
    pub may_lift: bool,
    /// Numbers to ring, for what.
    pub help: Vec<(String, String)>,
    /// Others with nearly the same text.
    pub alike: Option<AlikeView>,
    /// That the text is in another language than the rules are written for.
    pub foreign: Option<&'static str>,
    /// 2. Why, in the order of the numbers in the text.
    pub why: Vec<WhyRow>,
    /// 3. Context.
    pub context: ContextView,
    /// 4. Evidence.
    pub evidence: EvidenceBox,
    /// 5. Decisions.
    pub decision: DecisionForm,
    /// What happened since the person opened it, where their decision was refused for that.
    pub changed: ChangedView,
    /// What the author changed in it.
    pub versions: VersionsView,
    /// 6. Events around the evidence, newest last, and how many older ones are left out.
    pub custody: Vec<CustodyRow>,
    /// Those that are not shown.
    pub custody_older: u64,
    /// The exemption from disposal that covers it.
    pub exemption: Option<ExemptionView>,
    /// Whether the viewer may exempt it, or lift that.
    pub may_exempt: bool,
    /// The smaller circle that opens it, and what can be done about that.
    pub secrecy: SecrecyView,
    /// Internal notes.
    pub notes: NotesView,
    /// 7. History, newest last.
    pub history: Vec<HistoryRow>,
}

/// An event around the evidence, or several equal ones in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyRow {
    /// When, the last time.
    pub at: Moment,
    /// Who.
    pub who: String,
    /// `öppnade beviset (88)`.
    pub what: String,
    /// `3 gånger sedan i går 09:10`.
    pub times: Option<String>,
    /// A file, a reason, a result.
    pub detail: Option<String>,
}

/// Whether a case is marked as secret, and who opens it then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecrecyView {
    /// The mark: `Sekretess. OSL 26 kap. 1 §. 2026-11-23.`, who set it and why.
    pub mark: Option<(String, String, String)>,
    /// Who may open it, where that is a smaller circle.
    pub circle: Option<String>,
    /// Who was let in by name.
    pub named: Vec<(i64, String)>,
    /// Who could be.
    pub others: Vec<(i64, String)>,
    /// Somebody answered that there may be secrecy in it.
    pub proposed: bool,
    /// Whether the viewer may mark it, and let people in.
    pub may_mark: bool,
    /// Whether the viewer may lift the mark.
    pub may_lift: bool,
}

/// An exemption from disposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExemptionView {
    /// Whether it stands on this very case.
    pub own: bool,
    /// Who set it, and where it stands.
    pub words: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Moment,
}

impl CaseView {
    /// Address of its page.
    pub fn href(&self) -> String {
        format!("/arende/{}", self.id)
    }

    /// Whether an exemption from disposal stands on this very case.
    pub fn is_exempt_itself(&self) -> bool {
        self.exemption.as_ref().is_some_and(|exemption| exemption.own)
    }
}

/// Items with nearly the same text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlikeView {
    /// `4 andra, från 3 konton`.
    pub words: String,
    /// Some of them, newest first.
    pub rows: Vec<AlikeRow>,
    /// How many there are beside those.
    pub more: u64,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlikeRow {
    /// Its case, where it has one.
    pub case: Option<CaseId>,
    /// The account's name.
    pub account: String,
    /// When it was written.
    pub at: Moment,
    /// Where it is, where it has no case.
    pub link: Option<Outside>,
}

/// The author as shown by the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorView {
    /// Name, or words that none is known.
    pub name: Masked,
    /// Handle.
    pub handle: Option<Masked>,
    /// Profile.
    pub profile: Option<Outside>,
    /// Dates and outcomes of the author's earlier cases here. Never categories (invariant 8).
    pub earlier: Vec<EarlierCase>,
}

/// An earlier case by the same author: when and how it ended, nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierCase {
    /// Its number.
    pub id: CaseId,
    /// When it came.
    pub at: Moment,
    /// How it ended, or that it is open.
    pub outcome: &'static str,
}

impl EarlierCase {
    /// A case that came at `at` and ended with `outcome`, if it has ended.
    pub fn new(id: CaseId, at: Timestamp, outcome: Option<Outcome>, now: Timestamp) -> Self {
        Self { id, at: Moment::new(at, now), outcome: outcome.map_or("öppet", Outcome::label) }
    }
}

/// Who works on the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimView {
    /// Nobody.
    Free,
    /// The person at the page.
    Mine,
    /// A colleague.
    Other {
        /// Name.
        name: String,
        /// Whether the person at the page may take it over.
        may_take: bool,
    },
}

impl ClaimView {
    /// As the script reads it.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Free => "ledigt",
            Self::Mine => "mitt",
            Self::Other { .. } => "annans",
        }
    }
}

/// An action that was given up and came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAction {
    /// The action, to try again.
    pub action: ActionId,
    /// `Det gick inte att dölja kommentaren`.
    pub what: String,
    /// Why and what to do, in Swedish.
    pub reason: String,
    /// When.
    pub at: Moment,
    /// Whether trying again may help.
    pub may_retry: bool,
}

/// The time in which a decision can be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoBar {
    /// The case.
    pub case: CaseId,
    /// The decision.
    pub decision: DecisionId,
    /// `Döljs`, `Tas bort och diarieförs`.
    pub what: String,
    /// Seconds left when the page was made.
    pub seconds: i64,
    /// When it begins, as ISO 8601.
    pub until: String,
    /// It rests already: nothing is going to begin.
    pub rests: bool,
}

impl UndoBar {
    /// A bar for a decision whose actions begin at `until`; none once that has passed.
    pub fn new(
        case: CaseId,
        decision: DecisionId,
        what: impl Into<String>,
        until: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        let seconds = seconds_left(until, now)?;
        Some(Self {
            case,
            decision,
            what: what.into(),
            seconds,
            until: until.to_string(),
            rests: false,
        })
    }
}

/// Whole seconds until then, the begun one counted; none once it has passed.
pub fn seconds_left(until: Timestamp, now: Timestamp) -> Option<i64> {
    let left = until.duration_since(now).as_millis();
    let seconds = i64::try_from(left.div_euclid(1_000) + i128::from(left % 1_000 > 0));
    (left > 0).then(|| seconds.unwrap_or(i64::MAX))
}

/// Why the case is here: one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyRow {
    /// Its number in the text.
    pub number: usize,
    /// Category word.
    pub word: &'static str,
    /// How grave.
    pub tone: Tone,
    /// Severity in words.
    pub severity: &'static str,
    /// One sentence.
    pub why: String,
    /// The rule's name.
    pub rule: String,
    /// The law or house rule it rests on.
    pub legal: String,
    /// Where in the text it stands.
    pub stands: Stands,
    /// Whether a person has called it wrong.
    pub wrong: bool,
}

/// Where a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// At words that are marked in the text.
    Marked,
    /// Nowhere in particular: it is about the text as a whole.
    Whole,
    /// At words that this role may not read.
    Withheld,
}

impl Stands {
    /// The words beside the severity.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Marked => "",
            Self::Whole => ", gäller hela texten",
            Self::Withheld => ", stället i texten visas inte för din roll",
        }
    }
}

impl WhyRow {
    /// The rows for findings, numbered as [`MarkedText::new`] numbers them.
    /// `withheld` holds those that stand at words which are not shown.
    pub fn rows(findings: &[Finding], withheld: &[usize]) -> Vec<Self> {
        findings
            .iter()
            .enumerate()
            .map(|(index, finding)| Self {
                number: index + 1,
                word: finding.category.label(),
                tone: Tone::of(finding.category, finding.severity),
                severity: finding.severity.label(),
                why: finding.why.to_string(),
                rule: finding.rule.to_string(),
                legal: finding.legal.to_string(),
                stands: match finding.spans.is_empty() {
                    false => Stands::Marked,
                    true if withheld.contains(&index) => Stands::Withheld,
                    true => Stands::Whole,
                },
                wrong: false,
            })
            .collect()
    }

    /// The same, with those that a person has called wrong.
    pub fn judged(findings: &[Finding], withheld: &[usize], wrong: &BTreeSet<String>) -> Vec<Self> {
        let rows = Self::rows(findings, withheld).into_iter();
        rows.map(|row| Self { wrong: wrong.contains(&row.rule), ..row }).collect()
    }
}

/// The municipality's post and the thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextView {
    /// The authority's post.
    pub post: Option<PostView>,
    /// Above, from the top down.
    pub above: Vec<ThreadItem>,
    /// Below, oldest first.
    pub below: Vec<ThreadItem>,
    /// What is missing of the thread, in Swedish sentences.
    pub missing: Vec<String>,
}

impl ContextView {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.post.is_none()
            && self.above.is_empty()
            && self.below.is_empty()
            && self.missing.is_empty()
    }
}

/// The authority's own post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostView {
    /// Title.
    pub title: Option<Masked>,
    /// Text.
    pub text: MarkedText,
    /// When it was published.
    pub at: Option<Moment>,
    /// Where it is.
    pub link: Option<Outside>,
}

/// Another item of the thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadItem {
    /// Author as shown.
    pub author: Masked,
    /// When it was written.
    pub at: Option<Moment>,
    /// Text.
    pub text: MarkedText,
    /// Its own case, if it has one.
    pub case: Option<CaseId>,
}

/// One step of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// When.
    pub at: Moment,
    /// Who: a name, or `Uppsikt`.
    pub who: String,
    /// What: `beslutade: dölj, grund olaga hot`.
    pub what: String,
    /// More: a note, a platform's receipt, a reason.
    pub detail: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_can_be_undone_until_its_actions_begin() {
        let now: Timestamp = "2026-11-04T08:00:00Z".parse().unwrap();
        let bar = |until: &str| {
            UndoBar::new(CaseId(1), DecisionId(2), "Döljs", until.parse().unwrap(), now)
        };
        assert_eq!(bar("2026-11-04T08:00:09.200Z").map(|b| b.seconds), Some(10));
        assert_eq!(bar("2026-11-04T08:00:10Z").map(|b| b.seconds), Some(10));
        assert_eq!(bar("2026-11-04T08:00:00Z"), None);
        assert_eq!(bar("2026-11-04T07:59:00Z"), None);
    }
}
