//! A municipality's rules as data (*riktlinje*): what follows from a finding, by when, on what
//! ground.
//!
//! A policy proposes; a person decides (invariant 3). The values come from a file
//! (`lexicons/policies/`) that the configuration layer reads; here are only the checked values and
//! the pure functions over them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::calendar::OfficeHours;
use super::category::{Category, Severity, Task};
use super::deadline::{self, Clock};
use super::duties::{Duties, MustRegister, OnRemoval, Told};
use super::ground::Ground;
use super::ids::ContentHash;
use super::item::ItemKind;
use super::retention::Retention;
use super::verdict::{Finding, Verdict};

/// A choice that a policy may suggest. What needs a person's words ([`Proposed::Answer`] and the
/// like) is suggested without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proposed {
    /// *Dölj*.
    Hide,
    /// *Ta bort*.
    Delete,
    /// *Diarieför*.
    Register,
    /// *Svara*.
    Answer,
    /// *Hänvisa*.
    Refer,
    /// *Vidarebefordra*.
    Forward,
    /// *Avfärda*.
    Dismiss,
    /// *Polisanmälan övervägs*.
    ConsiderPoliceReport,
}

impl Proposed {
    /// All of them, in the order in which they are shown.
    pub const ALL: &[Self] = &[
        Self::Hide,
        Self::Delete,
        Self::Register,
        Self::Answer,
        Self::Refer,
        Self::Forward,
        Self::Dismiss,
        Self::ConsiderPoliceReport,
    ];

    /// Identifier in policies and forms: that of the [`super::decision::Choice`] it suggests.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Hide => "hide",
            Self::Delete => "delete",
            Self::Register => "register",
            Self::Answer => "answer",
            Self::Refer => "refer",
            Self::Forward => "forward",
            Self::Dismiss => "dismiss",
            Self::ConsiderPoliceReport => "police",
        }
    }

    /// The choice with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.id() == id)
    }

    /// Whether it removes something from a platform and so needs a ground.
    pub const fn removes(self) -> bool {
        match self {
            Self::Hide | Self::Delete => true,
            Self::Register
            | Self::Answer
            | Self::Refer
            | Self::Forward
            | Self::Dismiss
            | Self::ConsiderPoliceReport => false,
        }
    }

    /// Whether two suggestions cannot stand in one decision.
    pub fn excludes(self, other: Self) -> bool {
        let one_way = |a: Self, b: Self| match a {
            Self::Dismiss => true,
            Self::Hide => b == Self::Delete,
            Self::Answer => b == Self::Refer,
            Self::Delete
            | Self::Register
            | Self::Refer
            | Self::Forward
            | Self::ConsiderPoliceReport => false,
        };
        self != other && (one_way(self, other) || one_way(other, self))
    }

    /// Whether a duty stands behind it that no other finding may push aside.
    const fn is_duty(self) -> bool {
        match self {
            Self::Register | Self::ConsiderPoliceReport => true,
            Self::Hide
            | Self::Delete
            | Self::Answer
            | Self::Refer
            | Self::Forward
            | Self::Dismiss => false,
        }
    }
}

/// What follows from one category at one severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What is suggested, without doubles and without what excludes each other.
    pub choices: Vec<Proposed>,
    /// How fast.
    pub clock: Clock,
}

/// What follows from one category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The ground suggested for removing; always there where a line removes.
    pub ground: Option<Ground>,
    /// One Swedish sentence for the editor: on what it rests.
    pub why: String,
    /// Grounds that the category suggests here, the likeliest first.
    pub suggests: Vec<Ground>,
    /// Who is told, beside whoever has the case.
    pub tell: Vec<Told>,
    /// Where the rulebook says it.
    pub source: Option<String>,
    /// At low severity.
    pub low: Line,
    /// At medium severity.
    pub medium: Line,
    /// At high severity.
    pub high: Line,
}

impl Rule {
    /// A rule that says nothing more than what is done at each severity, on what ground and why.
    pub fn plain(ground: Option<Ground>, why: String, [low, medium, high]: [Line; 3]) -> Self {
        let suggests = ground.into_iter().collect();
        let (tell, source) = (Vec::new(), None);
        Self { ground, why, suggests, tell, source, low, medium, high }
    }

    /// The line for a severity.
    pub const fn line(&self, severity: Severity) -> &Line {
        match severity {
            Severity::Low => &self.low,
            Severity::Medium => &self.medium,
            Severity::High => &self.high,
        }
    }
}

/// What the editor is offered first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The choices, in the order of [`Proposed::ALL`].
    pub choices: Vec<Proposed>,
    /// The ground, where something is to be removed.
    pub ground: Option<Ground>,
    /// Why, in Swedish.
    pub why: String,
}

/// A number that the routine for cries for help gives: to ring, or to give on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpLine {
    /// For what: *Akut fara för liv*.
    pub what: String,
    /// The number as it is written.
    pub number: String,
}

/// The national numbers, for a policy that names none.
const HELP: &[(&str, &str)] = &[
    ("Akut fara för liv", "112"),
    ("Självmordslinjen (Mind), dygnet runt", "90101"),
    ("Sjukvårdsrådgivningen", "1177"),
    ("Bris, för barn och unga", "116 111"),
    ("Kvinnofridslinjen", "020-50 50 50"),
    ("Socialjouren nås utanför kontorstid genom", "112"),
];

impl HelpLine {
    /// The national numbers.
    pub fn national() -> Vec<Self> {
        let line = |(what, number): &(&str, &str)| Self {
            what: (*what).to_owned(),
            number: (*number).to_owned(),
        };
        HELP.iter().map(line).collect()
    }
}

/// A checked policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name as people know it.
    pub name: String,
    /// The hash of the file it was read from: decisions remember it.
    pub version: ContentHash,
    /// The file itself; empty where it was read from none.
    pub text: Arc<str>,
    /// How long a decision may be undone before anything is carried out.
    pub undo: SignedDuration,
    /// When the office is open.
    pub office: OfficeHours,
    /// Private messages and whatever else a person has to answer without any finding.
    pub message: Rule,
    /// Numbers of the routine for cries for help, in the order in which they are shown.
    pub help: Vec<HelpLine>,
    /// What the rulebook says beside its categories.
    pub duties: Duties,
    /// How long what is kept is kept; none where the policy does not say.
    pub retention: Option<Retention>,
    /// Why nothing is removed or disposed of by it: nobody has decided that it rules now. None as a rule.
    pub doubt: Option<Arc<str>>,
    /// Whether it was made stricter for an account at which personal data weighs more.
    strict: bool,
    /// One rule a category, in the order of [`Category::ALL`].
    rules: Vec<Rule>,
}

/// The findings of personal data.
const PERSONAL: [Category; 3] =
    [Category::PersonalId, Category::PersonalData, Category::SensitiveData];

/// What is proposed where children are concerned, whatever the policy says of sexual content: the
/// statute leaves no choice (regulation 2.2).
const CHILD: &str = "Misstänkt barnpornografibrott (brottsbalken 16:10 a): dölj genast, kopiera inget, ring polisen och följ deras anvisning. Diarieför uppgifterna om inlägget.";

impl Policy {
    /// Puts a policy together from one rule for each category.
    pub fn new(
        name: String,
        version: ContentHash,
        undo: SignedDuration,
        office: OfficeHours,
        message: Rule,
        mut rule: impl FnMut(Category) -> Rule,
    ) -> Self {
        let rules = Category::ALL.iter().map(|&c| rule(c)).collect();
        let help = HelpLine::national();
        let duties = Duties::default();
        let (retention, strict) = (None, false);
        let (text, doubt) = (Arc::from(""), None);
        Self {
            name,
            version,
            text,
            undo,
            office,
            message,
            help,
            duties,
            retention,
            doubt,
            strict,
            rules,
        }
    }

    /// The same policy where it stands in for one that cannot be read: deadlines and suggestions go by it, and nothing
    /// is removed or disposed of. What the other one may demand and this one does not is demanded all the same.
    pub fn doubted(self, why: &str) -> Self {
        let mut doubted = Self { doubt: Some(why.into()), ..self };
        let duties = &mut doubted.duties;
        duties.changed_by_two = true;
        duties.register.must = MustRegister::ALL.to_vec();
        duties.register.on_removal = OnRemoval::Always;
        duties.register.secrecy_ends_talk = true;
        duties.accounts.two_steps = true;
        duties.accounts.yearly_password = true;
        if let Some(retention) = &mut doubted.retention {
            (retention.decision, retention.no_case, retention.from_people) = (None, None, None);
            retention.four_eyes = true;
        }
        doubted
    }

    /// The same policy for an account of a school, or one where people with protected identity may be named:
    /// every finding of personal data opens a case, is treated as at least of medium severity, is due at once
    /// and told to whoever answers for the account (Finspång, line 399; Kungälv, line 99).
    pub fn stricter(&self) -> Self {
        let mut strict = Self { strict: true, ..self.clone() };
        for category in PERSONAL {
            let rule = &mut strict.rules[category as usize];
            rule.low = rule.medium.clone();
            for line in [&mut rule.low, &mut rule.medium, &mut rule.high] {
                line.clock = Clock::AtOnce;
            }
            if !rule.tell.contains(&Told::Owner) {
                rule.tell.push(Told::Owner);
            }
        }
        strict
    }

    /// Whether a finding brings the item before a person here.
    pub fn opens(&self, finding: &Finding) -> bool {
        finding.opens_case() || (self.strict && PERSONAL.contains(&finding.category))
    }

    /// What follows from a category.
    pub fn rule(&self, category: Category) -> &Rule {
        // `Category::ALL` lists the variants in their order, and `new` made one rule for each.
        &self.rules[category as usize]
    }

    /// The grounds for removing that the findings suggest, each with the reason of the category that
    /// does; the likeliest first, and only such as this policy has.
    pub fn suggested(&self, verdict: &Verdict, no_copy: bool) -> Vec<(Ground, &str)> {
        let mut suggested: Vec<(Ground, &str)> = Vec::new();
        let child = (no_copy || verdict.bars_copying()).then_some((Ground::ChildAbuse, CHILD));
        let of_findings = verdict.findings.iter().flat_map(|finding| {
            let rule = self.rule(finding.category);
            rule.suggests.iter().map(|ground| (*ground, &rule.why[..]))
        });
        for (ground, why) in child.into_iter().chain(of_findings) {
            if self.duties.may_remove_for(ground) && !suggested.iter().any(|(g, _)| *g == ground) {
                suggested.push((ground, why));
            }
        }
        suggested
    }

    fn line(&self, finding: &Finding) -> &Line {
        self.rule(finding.category).line(finding.severity)
    }

    /// When the case is due, counted from when the item reached the authority: the earliest of
    /// what its findings demand.
    ///
    /// The removal duty does not cover private messages (*1998:112 2 § 4*: a fixed circle of
    /// recipients), so of their findings only grave ones count that are to be seen at once, a threat
    /// say; beside that they have the clock of messages.
    pub fn due(&self, verdict: &Verdict, kind: ItemKind, received: Timestamp) -> Timestamp {
        let private = kind == ItemKind::DirectMessage;
        let of_findings = verdict
            .findings
            .iter()
            // A low removal finding is a note and hurries nobody; it counts only where nothing
            // else does (see `unwrap_or` below).
            .filter(|f| self.opens(f))
            .map(|f| (f.severity, self.line(f).clock))
            .filter(|now| !private || *now == (Severity::High, Clock::AtOnce))
            .map(|(_, clock)| clock);
        let message = private.then_some(self.message.medium.clock);
        of_findings
            .chain(message)
            .map(|clock| deadline::due(clock, received, self.office))
            .min()
            // Reported by the public or picked up by hand: like a message, somebody waits.
            .unwrap_or_else(|| deadline::due(self.message.medium.clock, received, self.office))
    }

    /// What to suggest to the editor.
    ///
    /// The gravest finding sets what is done and on what ground; other findings that open a case
    /// add their duties (to register, to consider a police report), which a decision must not
    /// lose. A removal finding goes before a routing one of the same severity.
    pub fn proposal(&self, verdict: &Verdict) -> Proposal {
        let gravest = verdict
            .findings
            .iter()
            .enumerate()
            .max_by_key(|(index, f)| {
                // Of equals the first in the verdict's own order wins.
                (f.severity, f.category.task() == Task::Removal, std::cmp::Reverse(*index))
            })
            .map(|(_, f)| f);
        let Some(gravest) = gravest else {
            let choices = self.message.medium.choices.clone();
            return Proposal { choices, ground: None, why: self.message.why.clone() };
        };
        if verdict.bars_copying() {
            return Proposal {
                choices: vec![Proposed::Hide, Proposed::Register, Proposed::ConsiderPoliceReport],
                ground: Some(Ground::ChildAbuse),
                why: CHILD.into(),
            };
        }
        let rule = self.rule(gravest.category);
        let mut choices = self.line(gravest).choices.clone();
        for finding in verdict.findings.iter().filter(|f| self.opens(f)) {
            for &duty in self.line(finding).choices.iter().filter(|c| c.is_duty()) {
                if !choices.contains(&duty) {
                    choices.retain(|c| !c.excludes(duty));
                    choices.push(duty);
                }
            }
        }
        choices.sort_unstable();
        let ground = if choices.iter().any(|c| c.removes()) { rule.ground } else { None };
        Proposal { choices, ground, why: rule.why.clone() }
    }
}
