//! What a rulebook says beside what follows from each category: the settings in which the
//! municipalities differ (duties, section 5). Values only; each came from a policy file.

use jiff::civil::{Date, date};

use super::calendar::{is_working_day, next_working_day};
use super::deadline::{Clock, FortyEight};
use super::escalation::Escalation;
use super::ground::{Force, Ground};
use super::policy::HelpLine;

macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $id:literal, $label:literal;)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Identifier in policies.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// The Swedish words.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }
        }
    )*};
}

words! {
    /// How a rulebook stands to a ground.
    Standing {
        /// It names the ground as something to remove.
        Named = "named", "tas bort";
        /// A wider wording of it covers the ground.
        Covered = "covered", "tas bort, ryms i en vidare skrivning";
        /// It may have to be removed: a person weighs it.
        May = "may", "kan behöva tas bort, bedöms från fall till fall";
        /// Not removed as such: its author is told where it belongs.
        Refer = "refer", "tas inte bort, hänvisas";
        /// Told to the nearest manager.
        Escalate = "escalate", "berättas för närmaste chef";
        /// Not named by the rulebook, but the removal duty of the act is there all the same.
        Statute = "statute", "nämns inte, men lag (1998:112) 5 § gäller ändå";
    }

    /// A step on the way to removing something.
    Step {
        /// Evidence is sealed. Always before the removal (design, invariant 2).
        Capture = "bevis", "säkra bevis";
        /// It is handed to the diary.
        Register = "diariefor", "diarieför";
        /// It is hidden or deleted.
        Remove = "ta_bort", "dölj eller ta bort";
    }

    /// Whether what is removed goes to the diary.
    OnRemoval {
        /// Always, before it is removed.
        Always = "alltid", "allt som tas bort diarieförs först";
        /// Where somebody raises a matter by it.
        IfMatter = "om_arende", "det som tas bort diarieförs bara när det är ett ärende";
        /// Where it concerns an ongoing case.
        IfOngoing = "om_pagaende", "det som tas bort diarieförs bara när det rör ett pågående ärende";
        /// The document plan says.
        ByPlan = "enligt_plan", "dokumenthanteringsplanen avgör om det som tas bort diarieförs";
    }

    /// What calls for the diary.
    MustRegister {
        /// Somebody clearly raises a matter (Nässjö).
        RaisesMatter = "vill_fora_fram_arende", "någon tydligt vill föra fram ett ärende";
        /// It concerns a case that is under way (Smedjebacken).
        OngoingCase = "pagaende_arende", "det rör ett pågående ärende";
        /// It leads to action: handle, take a position, decide (Finspång).
        LeadsToAction = "leder_till_atgard", "det leder till att kommunen måste handlägga, ta ställning eller besluta";
        /// It is judged to become a case (Finspång).
        BecomesCase = "blir_arende", "det bedöms bli ett ärende";
        /// It may matter to cases in the diary (Finspång).
        ExistingCase = "befintligt_arende", "det kan ha betydelse för ett ärende som redan finns i diariet";
        /// Of special interest (Finspång).
        SpecialInterest = "sarskilt_intresse", "det är av särskilt intresse";
        /// It holds what is secret (OSL 5:1; Finspång).
        Secrecy = "sekretess", "det innehåller sekretess";
        /// A private message, an incoming document (Smedjebacken).
        Message = "meddelande", "privata meddelanden är i regel inkomna handlingar";
    }

    /// What is not to be in the diary.
    MustNotRegister {
        /// A public forum keeps it (Smedjebacken).
        PublicForum = "offentligt_forum", "kommentarer i ett öppet forum behöver inte diarieföras";
        /// Simple or of passing importance: a question that got its answer (Finspång).
        Simple = "enkel_karaktar", "enkel kommunikation av tillfällig betydelse diarieförs inte";
        /// Outside the authority's responsibility (Finspång).
        OutsideOurs = "utanfor_ansvar", "det som ligger utanför kommunens ansvar diarieförs inte";
    }

    /// Who keeps the diary that it goes to.
    RegisterTarget {
        /// The board's diary.
        Board = "namnd", "nämndens diarium";
        /// The board's, or the company's own rules.
        BoardOrCompany = "namnd_eller_bolag", "nämndens diarium, för bolag enligt bolagsstyrelsens bestämmelser";
        /// The municipality's.
        Municipality = "kommun", "kommunens diarium";
        /// The authority's mailbox, or straight into the case system.
        Mailbox = "brevlada_eller_system", "myndighetsbrevlådan eller dokument- och ärendesystemet";
        /// The unit that owns the account.
        Unit = "verksamhet", "verksamheten som ansvarar för kontot";
        /// The registrar, by an extract.
        Registrar = "registrator", "registrator, som får ett utdrag";
    }

    /// What becomes of party politics.
    Politics {
        /// Removed.
        Remove = "ta_bort", "partipolitiska budskap tas bort";
        /// May be removed: a person weighs it.
        MayRemove = "far_tas_bort", "partipolitiska budskap kan behöva tas bort";
        /// Referred, never removed as such.
        Refer = "hanvisa", "partipolitik tas inte bort utan hänvisas";
        /// Left alone.
        Leave = "lat_sta", "partipolitik får stå kvar";
    }

    /// How an answer is signed.
    Signature {
        /// Nothing is said.
        Free = "fri", "ingen bestämd form";
        /// Whoever is responsible can be reached in a way that is shown.
        Contact = "kontakt", "det framgår hur man når den ansvarige";
        /// First name and title.
        FirstName = "fornamn_titel", "förnamn och titel";
        /// Name and title.
        Name = "namn_titel", "namn och titel";
        /// Name and title, of the editor or of the expert who answers.
        NameOrExpert = "namn_titel_eller_sakkunnig", "namn och titel, redaktörens eller den sakkunniges";
    }

    /// How often an account is to be looked at.
    Watch {
        /// Regularly; no number is given.
        Regularly = "regelbundet", "regelbundet";
        /// Every day of the year.
        Daily = "dagligen", "varje dag, också när den ansvarige är ledig";
        /// Every weekday that is no holiday.
        WorkingDays = "helgfria_vardagar", "alla helgfria vardagar";
    }

    /// How strongly a rule is put.
    Strength {
        /// *Ska, måste*.
        Must = "ska", "ska";
        /// *Bör, helst*.
        Should = "bor", "bör";
    }

    /// Where the list of accounts is.
    AccountList {
        /// Kept inside the authority.
        Internal = "intern", "förteckningen är intern";
        /// Published.
        Website = "webbplats", "förteckningen publiceras på webbplatsen";
    }

    /// Who is told of a finding.
    Told {
        /// The account's owner.
        Owner = "kontoansvarig", "kontoansvarig";
        /// The manager of the unit.
        Manager = "chef", "ansvarig chef";
        /// The officer that the matter belongs to.
        Officer = "handlaggare", "handläggaren som ansvarar för frågan";
        /// The communications unit.
        Communications = "kommunikation", "kommunikationsavdelningen";
        /// The registrar.
        Registrar = "registrator", "registrator";
        /// Whoever keeps IT safe.
        Security = "informationssakerhet", "informationssäkerhet";
        /// Who wrote it.
        Citizen = "invanaren", "den som skrev";
    }
}

/// A ground as the account's policy has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyGround {
    /// Which.
    pub ground: Ground,
    /// How the rulebook stands to it.
    pub standing: Standing,
    /// The policy's own words for it.
    pub words: String,
    /// On what it rests, where the policy says otherwise than the ground's own statute.
    pub legal: Option<String>,
    /// Where the rulebook says it.
    pub source: Option<String>,
}

impl PolicyGround {
    /// A ground in its own words.
    pub fn plain(ground: Ground, standing: Standing) -> Self {
        Self { ground, standing, words: ground.label().to_owned(), legal: None, source: None }
    }

    /// Whether something may be removed for it.
    pub const fn removes(&self) -> bool {
        match self.standing {
            Standing::Named | Standing::Covered | Standing::May | Standing::Statute => true,
            Standing::Refer | Standing::Escalate => false,
        }
    }

    /// On what it rests, in words.
    pub fn basis(&self) -> Option<&str> {
        self.legal.as_deref().or(self.ground.statute())
    }
}

/// Who decided the policy, when and under what number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDecision {
    /// The body.
    pub body: String,
    /// The day, where it is known.
    pub date: Option<Date>,
    /// Paragraph or diary number.
    pub reference: Option<String>,
    /// What it replaces or revises.
    pub replaces: Option<String>,
    /// Where it is read.
    pub source: Option<String>,
}

/// A time to keep, with the rulebook's own figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// How it is computed.
    pub clock: Clock,
    /// As the rulebook puts it, in our words: *helst inom 24 timmar*.
    pub figure: String,
}

/// Removing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// In what order.
    pub steps: Vec<Step>,
    /// Hiding before deleting, or the other way round.
    pub hides_first: bool,
    /// By when.
    pub target: Target,
    /// Whether a report to the police is to be considered, and how strongly.
    pub police: Option<Strength>,
}

/// Answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// By when.
    pub target: Target,
    /// What "48 hours" means here.
    pub forty_eight: FortyEight,
    /// How an answer is signed.
    pub signature: Signature,
    /// Who answers for it that it is answered, in words.
    pub responsible: Option<String>,
}

/// The diary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// What is removed.
    pub on_removal: OnRemoval,
    /// What calls for it.
    pub must: Vec<MustRegister>,
    /// What is not to be in it.
    pub must_not: Vec<MustNotRegister>,
    /// Where it goes.
    pub target: RegisterTarget,
    /// Whether the person who raised it is told.
    pub tell_citizen: bool,
    /// Whether nothing is answered in public any more once it comes to what is secret.
    pub secrecy_ends_talk: bool,
    /// Where the rulebook says it.
    pub source: Option<String>,
}

/// Capturing whole accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// How often a year; nothing where the document plan says.
    pub per_year: Option<u8>,
    /// On which days, month and day, in the order of the year.
    pub days: Vec<(i8, i8)>,
    /// Also when an account is closed.
    pub at_closing: bool,
    /// Also before a large visual change.
    pub before_redesign: bool,
}

/// Watching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watching {
    /// How often.
    pub how: Watch,
    /// Longest time between two looks while the office is open, in minutes; for accounts with open
    /// comments.
    pub gap_min: Option<u16>,
    /// The same in a crisis.
    pub crisis_gap_min: u16,
    /// Who works with it in a crisis, in words.
    pub crisis_who: Option<String>,
}

/// A crisis (*krisläge*), beside what [`Watching`] says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crisis {
    /// Accounts are read at least so often, in seconds.
    pub poll_s: u16,
    /// So many times as often as otherwise a rule may fire in a day before it is set aside: in a crisis many
    /// write the same, and no rule is silenced for that.
    pub limit_times: u8,
    /// When it ends by itself unless whoever begins it says otherwise, in hours.
    pub hours: u16,
    /// Every editor works in one queue: what is on one's own accounts means all accounts that the crisis is for.
    pub central_queue: bool,
    /// Everybody who decides is told of each new case, not the account's own people alone.
    pub tells_everybody: bool,
}

impl Default for Crisis {
    fn default() -> Self {
        Self { poll_s: 60, limit_times: 10, hours: 72, central_queue: true, tells_everybody: true }
    }
}

/// Accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// Least number of people with access.
    pub least_holders: u8,
    /// How strongly that is put.
    pub holders: Strength,
    /// Where the list is.
    pub list: AccountList,
    /// The month of the yearly inventory.
    pub inventory_month: Option<i8>,
    /// Days between announcing that an account closes and closing it.
    pub notice_days: Option<u8>,
    /// After so many months without anything published an account counts as inactive.
    pub inactive_months: Option<u8>,
    /// The password is changed every year, and when somebody leaves.
    pub yearly_password: bool,
    /// Every login has two steps.
    pub two_steps: bool,
    /// What the account came to is reported every year.
    pub yearly_report: bool,
}

/// Everything that a rulebook says beside its categories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duties {
    /// Who decided it.
    pub decision: Option<PolicyDecision>,
    /// The grounds, in the order in which they are shown.
    pub grounds: Vec<PolicyGround>,
    /// Removing.
    pub removal: Removal,
    /// Answering.
    pub answers: Answers,
    /// Party politics.
    pub politics: Politics,
    /// Where politics belongs, in words that follow "hänvisa till".
    pub politics_to: Option<String>,
    /// The diary.
    pub register: Register,
    /// Whether links in what is flagged are followed and what they lead to is kept as text.
    pub follow_links: bool,
    /// Capturing accounts.
    pub archive: Archive,
    /// Watching.
    pub watching: Watching,
    /// Crises.
    pub crisis: Crisis,
    /// Whom to ring in a crisis, on its leaf.
    pub crisis_numbers: Vec<HelpLine>,
    /// Accounts.
    pub accounts: Accounts,
    /// When deadlines go on to the next person.
    pub escalation: Escalation,
    /// Whether a changed version of the policy has to be approved by a second person.
    pub changed_by_two: bool,
}

/// Grounds that one rulebook alone has, or none: a policy that wants them says so (duties, section 1).
const OFF: &[Ground] = &[
    Ground::SensitiveData,
    Ground::SpecialData,
    Ground::StampedSecret,
    Ground::PersonProtection,
    Ground::ProtectedGround,
    Ground::Discrimination,
    Ground::Insult,
    Ground::OtherCrime,
    Ground::Gossip,
    Ground::Propaganda,
    Ground::PoliticalView,
    Ground::OffTopic,
    Ground::Bullying,
    Ground::CommunityRules,
    Ground::LawOrPolicy,
];

impl Default for Duties {
    /// What holds where a policy says nothing: no duty that no statute has.
    fn default() -> Self {
        let on = |ground: &&Ground| !OFF.contains(ground);
        Self {
            decision: None,
            grounds: Ground::ALL
                .iter()
                .filter(on)
                .map(|ground| PolicyGround::plain(*ground, Standing::Named))
                .collect(),
            removal: Removal {
                steps: vec![Step::Capture, Step::Remove],
                hides_first: true,
                target: Target {
                    clock: Clock::ELAPSED_24H, figure: "så snart som möjligt".into()
                },
                police: Some(Strength::Should),
            },
            answers: Answers {
                target: Target {
                    clock: Clock::TWO_WORKING_DAYS,
                    figure: "inom 48 timmar på arbetsdagar".into(),
                },
                forty_eight: FortyEight::WorkingDays,
                signature: Signature::Free,
                responsible: None,
            },
            politics: Politics::Refer,
            politics_to: None,
            register: Register {
                on_removal: OnRemoval::IfMatter,
                // OSL 5:1.
                must: vec![MustRegister::Secrecy],
                must_not: Vec::new(),
                target: RegisterTarget::Municipality,
                tell_citizen: false,
                secrecy_ends_talk: false,
                source: None,
            },
            follow_links: false,
            archive: Archive {
                per_year: Some(1),
                days: vec![(10, 15)],
                at_closing: true,
                before_redesign: false,
            },
            watching: Watching {
                how: Watch::WorkingDays,
                gap_min: None,
                crisis_gap_min: 60,
                crisis_who: None,
            },
            crisis: Crisis::default(),
            crisis_numbers: Vec::new(),
            accounts: Accounts {
                least_holders: 2,
                holders: Strength::Should,
                list: AccountList::Internal,
                inventory_month: Some(2),
                notice_days: Some(14),
                inactive_months: Some(12),
                yearly_password: true,
                two_steps: false,
                yearly_report: true,
            },
            escalation: Escalation::default(),
            changed_by_two: false,
        }
    }
}

impl Duties {
    /// Adds the grounds of the removal duty that the rulebook does not name: whatever it says, the
    /// act holds, and an editor must be able to give its ground.
    pub fn complete_by_statute(grounds: &mut Vec<PolicyGround>) {
        for &ground in Ground::ALL.iter().filter(|g| g.force() == Force::Statute) {
            if !grounds.iter().any(|known| known.ground == ground) {
                grounds.push(PolicyGround::plain(ground, Standing::Statute));
            }
        }
    }

    /// Whether what is removed is in the diary before it is removed.
    pub fn registers_before_removal(&self) -> bool {
        self.removal.steps.contains(&Step::Register)
    }

    /// A ground as this policy has it.
    pub fn ground(&self, ground: Ground) -> Option<&PolicyGround> {
        self.grounds.iter().find(|known| known.ground == ground)
    }

    /// Whether something may be removed for a ground.
    pub fn may_remove_for(&self, ground: Ground) -> bool {
        self.ground(ground).is_some_and(PolicyGround::removes)
    }
}

impl Archive {
    /// The first day to capture an account after `after`; a free day gives way to the next working day.
    pub fn next(&self, after: Date) -> Option<Date> {
        let years = (after.year()..=after.year().saturating_add(1)).take(2);
        years.flat_map(|year| self.in_year(year)).find(|day| *day > after)
    }

    /// The days of one year, in order.
    pub fn in_year(&self, year: i16) -> Vec<Date> {
        let day = |(month, day): &(i8, i8)| Date::new(year, *month, *day).ok();
        self.days.iter().filter_map(day).map(working_day_from).collect()
    }
}

/// The day, or the next working day where it is free.
fn working_day_from(day: Date) -> Date {
    if is_working_day(day) { day } else { next_working_day(day) }
}

/// Whether a day lies in the middle of a school term, not in summer and not around Christmas (*mitt i
/// terminer*; duties, T21).
pub fn is_mid_term(month: i8, day: i8) -> bool {
    let summer = matches!(month, 7) || (month == 6 && day > 6) || (month == 8 && day < 20);
    let christmas = (month == 12 && day > 14) || (month == 1 && day < 15);
    !summer && !christmas
}

impl Accounts {
    /// The yearly inventory: the first day of its month and the last, by which everybody has answered.
    pub fn inventory(&self, year: i16) -> Option<(Date, Date)> {
        let first = Date::new(year, self.inventory_month?, 1).ok()?;
        Some((first, first.last_of_month()))
    }

    /// The first day on which an account may be closed that was announced on `announced`.
    pub fn may_close(&self, announced: Date) -> Option<Date> {
        let days = jiff::Span::new().days(i64::from(self.notice_days?));
        announced.checked_add(days).ok()
    }

    /// Whether an account counts as inactive where the last was published on `since`.
    pub fn is_inactive(&self, since: Date, today: Date) -> bool {
        let Some(months) = self.inactive_months else { return false };
        let until = since.checked_add(jiff::Span::new().months(i64::from(months)));
        until.is_ok_and(|until| until <= today)
    }

    /// Whether fewer hold access than the policy wants.
    pub const fn lacks_holders(&self, holders: usize) -> bool {
        holders < self.least_holders as usize
    }
}

/// The same day a year later: for what is due every year (passwords, T18; follow-up, T17 and T26). The
/// leap day becomes the last of February.
pub fn a_year_after(day: Date) -> Date {
    let year = day.year().saturating_add(1);
    Date::new(year, day.month(), day.day())
        .unwrap_or_else(|_| date(year.min(9999), day.month(), 28))
}

impl Watching {
    /// The longest time between two looks while the office is open, in a crisis or not.
    pub fn gap_min(&self, crisis: bool) -> Option<u16> {
        if crisis { Some(self.crisis_gap_min) } else { self.gap_min }
    }
}

impl Signature {
    /// How this person signs; nothing where no form is set.
    pub fn of(self, name: &str, title: &str) -> Option<String> {
        match self {
            Self::Free | Self::Contact => None,
            Self::FirstName => {
                Some(in_one_line(name.split_whitespace().next().unwrap_or(name), title))
            }
            Self::Name | Self::NameOrExpert => Some(in_one_line(name, title)),
        }
    }

    /// A text with this person's signature last, where a form is set and the text does not end with it: in the
    /// writer's own words, or, where an expert may sign, with somebody's name and title.
    pub fn under(self, text: &str, name: &str, title: &str) -> Option<String> {
        let signature = self.of(name, title)?;
        let text = text.trim_end();
        let start = text.char_indices().rev().nth(SIGNED_WITHIN).map_or(0, |(at, _)| at);
        let end = text.get(start..).unwrap_or(text).to_lowercase();
        let signed = signature.to_lowercase().split(", ").all(|part| end.contains(part));
        let by_expert = self == Self::NameOrExpert && is_name_and_title(text);
        (!signed && !by_expert).then(|| format!("{text}\n\n{signature}"))
    }
}

/// A signature stands in so many characters at the end of a text.
const SIGNED_WITHIN: usize = 200;

fn in_one_line(name: &str, title: &str) -> String {
    if title.is_empty() { name.to_owned() } else { format!("{name}, {title}") }
}

/// Whether the last line of a text is a name and a title: `Eva Exempel, trafikingenjör`.
fn is_name_and_title(text: &str) -> bool {
    let mut lines = text.lines().rev();
    let (last, before) = (lines.next().unwrap_or_default().trim(), lines.next());
    let Some((name, title)) = last.split_once(", ") else { return false };
    let words: Vec<&str> = name.split_whitespace().collect();
    before.is_some()
        && (1..=4).contains(&words.len())
        && words.iter().all(|word| word.starts_with(char::is_uppercase))
        && !title.is_empty()
        && title.split_whitespace().count() <= 5
        && !last.ends_with(['.', '!', '?'])
}
