//! Deciding on many cases in one act: the choice with its summary, and what became of it.

use askama::Template;

use crate::domain::ids::{BulkId, CaseId};

use super::choice::ChoiceKind;
use super::decision::{Filled, HoldOption};
use super::grounds::GroundGroup;
use super::masked::Masked;
use super::queue::QueueRow;
use super::register::RegisterView;
use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/flera`.
#[derive(Clone, Debug, Template)]
#[template(path = "together.html", config = "src/web/askama.toml")]
pub struct TogetherPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Why the last try was refused.
    pub problem: Option<String>,
    /// The picked cases.
    pub rows: Vec<PickRow>,
    /// How many more were asked for than can be decided at once.
    pub n_left_out: usize,
    /// So many can.
    pub most: u32,
    /// Whether the person may decide.
    pub may_decide: bool,
    /// What can be chosen.
    pub choices: Vec<TogetherChoice>,
    /// The grounds of all policies concerned.
    pub grounds: Vec<GroundGroup>,
    /// What is asked about the diary, for all of them; nothing where no policy asks.
    pub diary: Option<RegisterView>,
    /// Times to wait until, each with whether it is chosen.
    pub holds: Vec<(HoldOption, bool)>,
    /// Texts.
    pub filled: Filled,
    /// Says that the policy proposes what stands ticked.
    pub proposal: Option<String>,
    /// What it comes to; nothing while nothing whole is chosen.
    pub summary: Option<Summary>,
}

impl TogetherPage {
    /// How many are ticked.
    pub fn n_ticked(&self) -> usize {
        self.rows.iter().filter(|row| row.ticked).count()
    }
}

/// Until when a case is to rest, as a form sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// The time that was chosen: ISO 8601, or `egen`.
    pub chosen: String,
    /// The person's own time, as typed.
    pub own: String,
}

/// A picked case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickRow {
    /// As in the queue.
    pub row: QueueRow,
    /// The whole text, where the row has only its beginning.
    pub whole: Option<Masked>,
    /// The case and its revision, as the form sends it.
    pub value: String,
    /// Whether it is ticked.
    pub ticked: bool,
    /// Whether it waits for nobody any more.
    pub settled: bool,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TogetherChoice {
    /// Which.
    pub kind: ChoiceKind,
    /// Whether it is ticked.
    pub checked: bool,
    /// Identifiers of choices it excludes.
    pub excludes: String,
}

impl TogetherChoice {
    /// Those that can be made on many.
    pub fn all(filled: &Filled) -> Vec<Self> {
        let many = |kind: &&ChoiceKind| match kind {
            ChoiceKind::Unhide | ChoiceKind::Forward | ChoiceKind::Report => false,
            ChoiceKind::Hide
            | ChoiceKind::Delete
            | ChoiceKind::Register
            | ChoiceKind::Answer
            | ChoiceKind::Refer
            | ChoiceKind::Dismiss
            | ChoiceKind::NotRegister
            | ChoiceKind::Hold
            | ChoiceKind::Police => true,
        };
        let view = |kind: &ChoiceKind| Self {
            kind: *kind,
            checked: filled.choices.contains(kind),
            excludes: kind.excludes(),
        };
        ChoiceKind::ALL.iter().filter(many).map(view).collect()
    }
}

/// What a decision on the ticked ones would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// `8 ärenden`.
    pub n_words: String,
    /// How many would be decided.
    pub n: usize,
    /// How many on each account.
    pub accounts: Vec<(String, String)>,
    /// For what.
    pub ground: Option<String>,
    /// The words that go with it: `Svar: …`.
    pub words: Vec<String>,
    /// What is done with how many, the most first, and with which.
    pub gets: Vec<(String, Vec<Brief>)>,
    /// What cannot be decided so, by reason.
    pub cannot: Vec<(String, Vec<Brief>)>,
    /// `Ärende 999 finns inte.`
    pub unknown: Option<String>,
    /// What the form sends when it is decided.
    pub sends: Vec<(&'static str, String)>,
}

/// A case in few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// Which.
    pub case: CaseId,
    /// The beginning of its text.
    pub line: Masked,
    /// Its account's name.
    pub account: String,
}

/// The page `/flera/N`.
#[derive(Clone, Debug, Template)]
#[template(path = "together_done.html", config = "src/web/askama.toml")]
pub struct DecidedPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message.
    pub notice: Option<Notice>,
    /// Its number.
    pub id: BulkId,
    /// `8 ärenden är beslutade.`
    pub heading: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Moment,
    /// What was decided, each with how many where it differs: `Döljs, diarieförs.`
    pub what: Vec<String>,
    /// Nothing is going to begin: they rest, or are dismissed.
    pub is_done: bool,
    /// Seconds left to undo all of it, and until when.
    pub undo: Option<(i64, String)>,
    /// What was decided.
    pub decided: Vec<Brief>,
    /// What was undone.
    pub undone: Vec<Brief>,
    /// What was undone, and does not wait any more.
    pub decided_since: Vec<Brief>,
    /// What was not undone with the others, by reason.
    pub stays: Vec<(String, Vec<Brief>)>,
    /// What was not decided, by reason.
    pub refused: Vec<(String, Vec<Brief>)>,
    /// What was not come to.
    pub not_come_to: Vec<Brief>,
    /// Address that picks those which were not decided.
    pub again: Option<String>,
}
