//! What leaves the house: reports to the police, and public records that somebody asks for.

use askama::Template;

use crate::domain::ids::{CaseId, EvidenceId};
use crate::domain::release::ReleaseId;

use super::marked::MarkedText;
use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/arende/12/polis`.
#[derive(Clone, Debug, Template)]
#[template(path = "police.html", config = "src/web/askama.toml")]
pub struct PolicePage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The case.
    pub case: CaseId,
    /// What is shown: the wording's number and how many decisions there are.
    pub seen: (i64, usize),
    /// The short form.
    pub form: Vec<(String, String)>,
    /// Crimes to choose among.
    pub crimes: Vec<CrimeView>,
    /// Decisions so far, newest first.
    pub decisions: Vec<PoliceRow>,
    /// Whether the person at the page may decide.
    pub may_decide: bool,
    /// Nothing of the content may be copied.
    pub no_copy: bool,
    /// What was typed, where it comes back.
    pub filled: PoliceFilled,
}

/// A crime to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrimeView {
    /// Its code.
    pub code: &'static str,
    /// Its name.
    pub label: &'static str,
    /// Where the law has it.
    pub statute: &'static str,
    /// Whose report counts.
    pub by: &'static str,
    /// Findings or a decision suggest it.
    pub suggested: bool,
    /// It is chosen.
    pub chosen: bool,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoliceRow {
    /// When.
    pub at: Moment,
    /// Who.
    pub by: String,
    /// `Anmäls`.
    pub what: &'static str,
    /// The crime.
    pub crime: &'static str,
    /// Who was hurt.
    pub injured: Option<String>,
    /// Why.
    pub reason: String,
}

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoliceFilled {
    /// Whether to report, where that was chosen.
    pub reported: Option<bool>,
    /// Who was hurt.
    pub injured: String,
    /// Why.
    pub reason: String,
}

/// The page `/utlamnanden`.
#[derive(Clone, Debug, Template)]
#[template(path = "releases.html", config = "src/web/askama.toml")]
pub struct ReleasesPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// What was typed: what is asked for, and by whom.
    pub filled: (String, String),
    /// Requests that are pending.
    pub pending: Vec<ReleaseRow>,
    /// Requests that have ended.
    pub ended: Vec<ReleaseRow>,
}

/// A request in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRow {
    /// Its number.
    pub id: ReleaseId,
    /// What is asked for.
    pub subject: String,
    /// Who asks, or that nobody has said.
    pub asker: String,
    /// When it came, and who noted it.
    pub opened: (Moment, String),
    /// How it ended: when, by whom, how, and the person's words.
    pub ended: Option<(Moment, String, &'static str, String)>,
    /// How many records.
    pub n_records: u64,
}

/// The page `/utlamnanden/3`.
#[derive(Clone, Debug, Template)]
#[template(path = "release.html", config = "src/web/askama.toml")]
pub struct ReleasePage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The request.
    pub row: ReleaseRow,
    /// There is a document that was handed out.
    pub released: bool,
    /// Its records.
    pub items: Vec<ReleaseItemView>,
    /// What was searched for.
    pub wanted: String,
    /// What was found.
    pub hits: Vec<HitView>,
    /// There is more than is shown.
    pub more: bool,
}

/// A record of a request.
#[derive(Clone, Debug)]
pub struct ReleaseItemView {
    /// The record.
    pub evidence: EvidenceId,
    /// Its case.
    pub case: CaseId,
    /// What it is.
    pub what: String,
    /// When.
    pub when: String,
    /// The author as they would go out.
    pub author: String,
    /// Where it stands, as it would go out.
    pub place: String,
    /// Phrases that are to be masked and stand nowhere in it.
    pub nowhere: Vec<String>,
    /// On which ground sender and link do not go out.
    pub sender_withheld: String,
    /// The text as it would go out, or why it does not.
    pub text: Result<MarkedText, String>,
    /// What is masked on which ground.
    pub grounds: Vec<String>,
    /// Masks as lines of the form, and how many lines to show.
    pub lines: String,
    /// Some masks have no ground yet.
    pub lacks_ground: bool,
    /// On which ground nothing of the text goes out.
    pub withheld: String,
    /// The secrecy mark of its case, in words.
    pub secrecy: Option<String>,
}

/// A hit of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HitView {
    /// The record.
    pub evidence: EvidenceId,
    /// Its case.
    pub case: CaseId,
    /// The beginning of its text.
    pub text: String,
    /// It is part of the request already.
    pub chosen: bool,
}

/// Provisions that secrecy often rests on in these records, to choose from or overwrite.
pub const PROVISIONS: &[&str] = &[
    "21 kap. 1 § OSL (hälsa och sexualliv)",
    "21 kap. 3 § OSL (skyddade adresser)",
    "21 kap. 7 § OSL (behandling i strid med dataskyddet)",
    "23 kap. 2 § OSL (elevhälsa)",
    "25 kap. 1 § OSL (hälso- och sjukvård)",
    "26 kap. 1 § OSL (socialtjänst)",
    "18 kap. 1 § OSL (förundersökning)",
];

impl ReleasePage {
    /// See [`PROVISIONS`].
    pub const fn provisions(&self) -> &'static [&'static str] {
        PROVISIONS
    }

    /// Whether a record's case is under a secrecy mark.
    pub fn is_marked(&self) -> bool {
        self.items.iter().any(|item| item.secrecy.is_some())
    }
}
