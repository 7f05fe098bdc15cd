//! The card of an account in the authority's register (*kontoregister*): what it is for, who answers for it,
//! where its duties text is published, and what is amiss with it.

use jiff::civil::Date;

use super::account::PlatformKind;
use super::breaker::Trouble;
use super::connection::{Nearing, mend, nearing, when};
use super::duties::{Duties, Strength, a_year_after};
use super::incident::OpenIncident;

/// How carefully an account has to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Care {
    /// As the policy says.
    #[default]
    Ordinary,
    /// *Skolkonto*: strong secrecy, pupils in pictures and by name (Finspång, line 399).
    School,
    /// People with protected identity (*skyddade personuppgifter*) may be named there (Kungälv, line 99).
    Protected,
}

impl Care {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Ordinary, Self::School, Self::Protected];

    /// Identifier in the store and in forms.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ordinary => "vanligt",
            Self::School => "skola",
            Self::Protected => "skyddat",
        }
    }

    /// The one with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|care| care.id() == id)
    }

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ordinary => "vanligt konto",
            Self::School => "skolkonto",
            Self::Protected => "konto där skyddade personuppgifter kan förekomma",
        }
    }

    /// Whether the stricter settings hold: see [`Policy::stricter`](super::policy::Policy::stricter).
    pub const fn is_strict(self) -> bool {
        match self {
            Self::Ordinary => false,
            Self::School | Self::Protected => true,
        }
    }
}

/// What an account has to tell those who write there: the first two by *lag (1998:112) 3 §*, the others by the
/// rulebooks (Jönköping, lines 105-119; Nässjö, rule 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// Who provides the service.
    Identity,
    /// Who can see what is written.
    Visibility,
    /// That what is written becomes a public record (*allmän handling*).
    PublicRecords,
    /// Where the rules for comments stand.
    Rules,
}

impl Said {
    /// All of them, in the order in which they are shown.
    pub const ALL: &[Self] = &[Self::Identity, Self::Visibility, Self::PublicRecords, Self::Rules];

    /// Identifier in the store and in forms.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Identity => "avsandare",
            Self::Visibility => "synlighet",
            Self::PublicRecords => "allman_handling",
            Self::Rules => "regler",
        }
    }

    /// The one with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|said| said.id() == id)
    }

    /// What has to stand there, in Swedish.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Identity => "vem som ansvarar för kontot",
            Self::Visibility => "vilka som kan se det som skrivs",
            Self::PublicRecords => "att det som skrivs blir allmän handling",
            Self::Rules => "länk till reglerna för kommentarer",
        }
    }
}

/// What is noted of an account's safety (Jönköping, lines 271-302; Nässjö, rule 14; T18, T25).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Safety {
    /// Its password was changed.
    Password,
    /// Its login has two steps.
    TwoSteps,
    /// Somebody works with it no more, and may know the password.
    Left,
    /// It was taken over by somebody, or lost.
    Incident,
}

impl Safety {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Password, Self::TwoSteps, Self::Left, Self::Incident];

    /// Identifier in the store and in forms.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Password => "losenord",
            Self::TwoSteps => "tvasteg",
            Self::Left => "lamnade",
            Self::Incident => "incident",
        }
    }

    /// The one with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.id() == id)
    }

    /// What happened, in Swedish.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Password => "Lösenordet byttes",
            Self::TwoSteps => "Inloggning i två steg är på",
            Self::Left => "Någon slutade ha hand om kontot",
            Self::Incident => "Kontot kapades eller förlorades",
        }
    }
}

/// What is written on the card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// What the account is for.
    pub purpose: String,
    /// For whom.
    pub audience: String,
    /// The unit that answers for it (*verksamhet*).
    pub unit: String,
    /// Where the public finds it.
    pub address: String,
    /// Where the rules for comments are published.
    pub rules_link: String,
    /// Whether whoever answers for it is a manager and employed (Jönköping, line 131).
    pub owner_is_manager: bool,
    /// How carefully it has to be kept.
    pub care: Care,
    /// Whether it stands in the list that the authority publishes.
    pub listed: bool,
}

/// A text without what differs from one way of writing to another.
fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A link without its beginning and its last slash, as people write it.
fn bare(link: &str) -> String {
    let link = plain(link);
    let link =
        link.strip_prefix("https://").or_else(|| link.strip_prefix("http://")).unwrap_or(&link);
    link.strip_prefix("www.").unwrap_or(link).trim_end_matches('/').to_owned()
}

/// Whether words stand in a text as words, and not within others.
fn stands_in(text: &str, words: &str) -> bool {
    let borders = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    let whole = |(at, found): (usize, &str)| {
        let (before, after) = (&text[..at], &text[at + found.len()..]);
        borders(before.chars().next_back()) && borders(after.chars().next())
    };
    !words.is_empty() && text.match_indices(words).any(whole)
}

impl Card {
    /// What of the duties text stands in the account's own description.
    pub fn said_in(&self, authority: &str, description: &str) -> Vec<(Said, bool)> {
        let text = plain(description);
        let holds = |needle: &str| !needle.is_empty() && text.contains(needle);
        let found = |said: &Said| match said {
            Said::Identity => {
                let unit = plain(&self.unit);
                // Letters such as IT stand for many a thing and name nobody.
                let names = unit.chars().count() > 3 && stands_in(&text, &unit);
                names || stands_in(&text, &plain(authority))
            }
            Said::Visibility => [
                "kan ses av",
                "kan läsas av",
                "syns för",
                "synliga för",
                "synligt för",
                "öppet för alla",
            ]
            .iter()
            .any(|words| holds(words)),
            Said::PublicRecords => [
                "allmän handling",
                "allmänna handlingar",
                "offentlig handling",
                "offentliga handlingar",
            ]
            .iter()
            .any(|words| holds(words)),
            Said::Rules => holds(&bare(&self.rules_link)),
        };
        Said::ALL.iter().map(|said| (*said, found(said))).collect()
    }

    /// A text to paste into the account's description.
    pub fn ready_text(&self, authority: &str) -> String {
        let by = match self.unit.trim() {
            "" => authority.to_owned(),
            unit => format!("{unit}, {authority}"),
        };
        let rules = match self.rules_link.trim() {
            "" => "[skriv länken till era regler]",
            link => link,
        };
        format!(
            "Här skriver {by}. Kommentarer syns för alla. Det du skriver här, också i meddelanden, blir allmän handling och kan lämnas ut till den som begär det, om det inte omfattas av sekretess. Skriv inget om din eller andras hälsa, ekonomi eller andra privata förhållanden: kontakta oss på annat sätt om ditt eget ärende. Vi läser kommentarerna och tar bort det som strider mot lagen eller våra regler: {rules}"
        )
    }
}

/// How somebody confirmed an account in the yearly inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inventory {
    /// The policy has none, or its month has not begun this year.
    NotYet,
    /// Asked for and not answered; `late` when the month is over.
    Asked {
        /// By which day.
        by: Date,
        /// Whether that day is over.
        late: bool,
    },
    /// Answered.
    Confirmed,
}

/// Where the inventory of an account stands on a day; `confirmed` is the last year for which it was.
pub fn inventory(duties: &Duties, today: Date, confirmed: Option<i16>, since: Date) -> Inventory {
    match duties.accounts.inventory(today.year()) {
        Some((first, _)) if today < first => Inventory::NotYet,
        // What came to be known after the month is asked about next year.
        Some((_, last)) if since > last => Inventory::NotYet,
        Some(_) if confirmed.is_some_and(|year| year >= today.year()) => Inventory::Confirmed,
        Some((_, last)) => Inventory::Asked { by: last, late: today > last },
        None => Inventory::NotYet,
    }
}

/// What is known of an account beside its card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its platform.
    pub platform: PlatformKind,
    /// Since when it is known here.
    pub since: Date,
    /// Whether somebody answers for it.
    pub has_owner: bool,
    /// How many have access: owner, editors and substitutes.
    pub holders: usize,
    /// What of the duties text stands there, by a person's or the platform's word.
    pub said: Vec<Said>,
    /// When something was last published there by ourselves; none where nothing is known.
    pub last_own: Option<Date>,
    /// When purpose and audience were last looked over.
    pub reviewed: Option<Date>,
    /// When its layout and content were last handed to the archive.
    pub archived: Option<Date>,
    /// When a person last took it to the archive in another way than by a run of ours.
    pub taken: Option<Date>,
    /// When they were last captured by an archive run.
    pub captured: Option<Date>,
    /// The last year for which it was confirmed.
    pub confirmed: Option<i16>,
    /// Whether it is closed.
    pub is_closed: bool,
    /// Why and since when it is not read.
    pub unread: Option<(Trouble, Date)>,
    /// When its login ends, where that is known.
    pub login_ends: Option<Date>,
    /// What its login lacks for full service, in Swedish.
    pub login_lacks: Vec<String>,
    /// When its password was last changed, as far as somebody has noted it.
    pub password: Option<Date>,
    /// When somebody last ceased to work with it who may still know its password.
    pub left: Option<Date>,
    /// That it was taken over or lost, where that is not over.
    pub incident: Option<OpenIncident>,
    /// Whether its login has two steps, by a person's word.
    pub two_steps: bool,
}

/// Something amiss with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flag {
    /// It was taken over or lost (T25).
    Incident(OpenIncident),
    /// It is not read: its breaker is open.
    Unread {
        /// Why.
        why: Trouble,
        /// Since when.
        since: Date,
        /// Its platform.
        platform: PlatformKind,
    },
    /// Its login ends soon, or has ended.
    LoginEnds {
        /// On this day.
        on: Date,
        /// Seen from this day.
        today: Date,
        /// How near that is.
        near: Nearing,
        /// Its platform.
        platform: PlatformKind,
    },
    /// Its login may do too little.
    LoginLacks {
        /// What is missing, in Swedish.
        what: Vec<String>,
    },
    /// Nobody answers for it.
    NoOwner,
    /// Whoever answers for it is not known to be a manager.
    OwnerNoManager,
    /// Fewer have access than the policy wants (T24).
    FewHolders {
        /// So many have.
        has: usize,
        /// So many there should be.
        least: u8,
        /// How strongly that is put.
        how: Strength,
    },
    /// Nothing of ours was published for longer than the policy lets it be.
    Inactive {
        /// Since when.
        since: Date,
    },
    /// The duties text is not known to stand there whole.
    NoText {
        /// What is missing.
        missing: Vec<Said>,
    },
    /// No purpose, audience or unit is written down.
    NoPurpose,
    /// Purpose and audience have not been looked over for a year (T26).
    ReviewDue {
        /// When it was due.
        since: Date,
    },
    /// The inventory asks and nobody has answered (T15, T16).
    Unconfirmed {
        /// By which day.
        by: Date,
        /// Whether that day is over.
        late: bool,
    },
    /// It was to be archived (T22).
    ArchiveDue {
        /// On this day.
        since: Date,
    },
    /// The archive run of the policy's day was not made (T19-T21).
    RunMissed {
        /// Of this day.
        since: Date,
    },
    /// Its password is to be changed (T18).
    PasswordDue {
        /// Since this day.
        since: Date,
        /// Somebody left who may know it; else a year has gone.
        left: bool,
    },
    /// Nobody has noted that its login has two steps.
    OneStep,
}

impl Flag {
    /// In Swedish, for page, notice and table.
    pub fn words(&self) -> String {
        match self {
            Self::Incident(incident) => {
                let left: Vec<_> =
                    incident.missing().iter().map(|step| step.label().to_lowercase()).collect();
                let left = match left.is_empty() {
                    true => "Allt är noterat: avsluta incidenten.".to_owned(),
                    false => format!("Inte noterat ännu: {}.", left.join("; ")),
                };
                format!("Kontot kapades eller förlorades {}. {left}", incident.since)
            }
            Self::Unread { why, since, platform } if why.is_of_login() => format!(
                "Kontot läses inte sedan {since}, eftersom {}. {}",
                why.words(),
                mend(*platform)
            ),
            Self::Unread { why, since, .. } => {
                format!("Kontot läses inte sedan {since}, eftersom {}.", why.words())
            }
            Self::LoginEnds { on, today, near: Nearing::Over, platform } => format!(
                "Inloggningen hos {} gick ut {on}, {}. {}",
                platform.label(),
                when(*on, *today),
                mend(*platform)
            ),
            Self::LoginEnds { on, today, platform, .. } => format!(
                "Inloggningen hos {} går ut {on}, {}. {}",
                platform.label(),
                when(*on, *today),
                mend(*platform)
            ),
            Self::LoginLacks { what } => {
                format!("Inloggningen räcker inte till allt: {}.", what.join("; "))
            }
            Self::NoOwner => "Ingen kontoansvarig.".into(),
            Self::OwnerNoManager => "Det är inte angivet att den kontoansvarige är chef.".into(),
            Self::FewHolders { has, least, how } => format!(
                "{} har hand om kontot, och minst {least} {} ha det.",
                match has {
                    0 => "Ingen".to_owned(),
                    1 => "Bara en person".to_owned(),
                    n => format!("{n} personer"),
                },
                how.label()
            ),
            Self::Inactive { since } => format!("Inget har publicerats sedan {since}."),
            Self::NoText { missing } => {
                let missing: Vec<_> = missing.iter().map(|said| said.label()).collect();
                format!("I kontots presentation saknas: {}.", missing.join(", "))
            }
            Self::NoPurpose => "Syfte, målgrupp eller ansvarig verksamhet saknas.".into(),
            Self::ReviewDue { since } => {
                format!("Syfte och målgrupp skulle ha setts över {since}.")
            }
            Self::Unconfirmed { by, late: false } => {
                format!("Årets genomgång väntar på svar, senast {by}.")
            }
            Self::Unconfirmed { by, late: true } => {
                format!("Årets genomgång är inte besvarad. Den skulle ha varit det {by}.")
            }
            Self::ArchiveDue { since } => format!("Kontot skulle ha arkiverats {since}."),
            Self::RunMissed { since } => format!("Arkivkörningen för {since} är inte gjord."),
            Self::PasswordDue { since, left: true } => format!(
                "Någon slutade ha hand om kontot {since}: byt lösenordet på plattformen, och notera det."
            ),
            Self::PasswordDue { since, left: false } => format!(
                "Lösenordet skulle ha bytts {since}: byt det på plattformen, och notera det."
            ),
            Self::OneStep => {
                "Det är inte noterat att inloggningen på plattformen sker i två steg.".into()
            }
        }
    }

    /// Identifier in notices and tables.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Incident(_) => "incident",
            Self::Unread { .. } => "lases_inte",
            Self::LoginEnds { .. } => "inloggning_slut",
            Self::LoginLacks { .. } => "inloggning_rackvidd",
            Self::NoOwner => "ingen_ansvarig",
            Self::OwnerNoManager => "ansvarig_ej_chef",
            Self::FewHolders { .. } => "for_fa",
            Self::Inactive { .. } => "inaktivt",
            Self::NoText { .. } => "saknar_text",
            Self::NoPurpose => "saknar_syfte",
            Self::ReviewDue { .. } => "oversyn",
            Self::Unconfirmed { .. } => "genomgang",
            Self::ArchiveDue { .. } => "arkivering",
            Self::RunMissed { .. } => "arkivkorning",
            Self::PasswordDue { .. } => "losenord",
            Self::OneStep => "ett_steg",
        }
    }

    /// Whether somebody is written to about it. What an owner sees on the card and nobody is hurt by is not.
    pub const fn is_told(&self) -> bool {
        match self {
            Self::Incident(_)
            | Self::Unread { .. }
            | Self::LoginEnds { .. }
            | Self::NoOwner
            | Self::FewHolders { .. }
            | Self::Inactive { .. }
            | Self::ReviewDue { .. }
            | Self::Unconfirmed { .. }
            | Self::ArchiveDue { .. }
            | Self::RunMissed { .. }
            | Self::PasswordDue { .. } => true,
            Self::LoginLacks { .. }
            | Self::OwnerNoManager
            | Self::OneStep
            | Self::NoText { .. }
            | Self::NoPurpose => false,
        }
    }
}

/// Everything amiss with an account on a day, the gravest first. Of a closed account nothing is asked, and of
/// a place at which editors record by hand what others wrote nothing either: it is not the authority's own.
pub fn flags(duties: &Duties, card: &Card, known: &Known, today: Date) -> Vec<Flag> {
    if known.is_closed || known.platform == PlatformKind::Manual {
        return Vec::new();
    }
    let accounts = &duties.accounts;
    let mut flags = Vec::new();
    let platform = known.platform;
    if let Some(incident) = &known.incident {
        flags.push(Flag::Incident(incident.clone()));
    }
    if let Some((why, since)) = known.unread {
        flags.push(Flag::Unread { why, since, platform });
    }
    if let Some(on) = known.login_ends
        && let Some(near) = nearing(on, today)
    {
        flags.push(Flag::LoginEnds { on, today, near, platform });
    }
    if !known.login_lacks.is_empty() {
        flags.push(Flag::LoginLacks { what: known.login_lacks.clone() });
    }
    match known.has_owner {
        false => flags.push(Flag::NoOwner),
        true if !card.owner_is_manager => flags.push(Flag::OwnerNoManager),
        true => {}
    }
    if accounts.lacks_holders(known.holders) {
        let (has, least, how) = (known.holders, accounts.least_holders, accounts.holders);
        flags.push(Flag::FewHolders { has, least, how });
    }
    if let Inventory::Asked { by, late } = inventory(duties, today, known.confirmed, known.since) {
        flags.push(Flag::Unconfirmed { by, late });
    }
    let since = known.last_own.unwrap_or(known.since);
    if accounts.is_inactive(since, today) {
        flags.push(Flag::Inactive { since });
    }
    if [&card.purpose, &card.audience, &card.unit].iter().any(|text| text.trim().is_empty()) {
        flags.push(Flag::NoPurpose);
    }
    let missing: Vec<_> =
        Said::ALL.iter().copied().filter(|said| !known.said.contains(said)).collect();
    if !missing.is_empty() {
        flags.push(Flag::NoText { missing });
    }
    let due = known.reviewed.map(a_year_after);
    if let Some(since) = due.filter(|due| *due <= today) {
        flags.push(Flag::ReviewDue { since });
    }
    let last = known.archived.map_or(known.since, |day| day.max(known.since));
    if let Some(since) = duties.archive.next(last).filter(|day| *day <= today) {
        flags.push(Flag::ArchiveDue { since });
    }
    // Made in the night that the day begins or ends with; what a person took to the archive counts as well.
    // When a run was handed over says nothing of what the account looked like that day.
    let covered = known.captured.max(known.taken).map_or(known.since, |day| day.max(known.since));
    if let Some(since) = duties.archive.next(covered).filter(|day| *day < today) {
        flags.push(Flag::RunMissed { since });
    }
    if accounts.yearly_password {
        let changed = known.password.map_or(known.since, |day| day.max(known.since));
        let left = known.left;
        let yearly = Some(a_year_after(changed)).filter(|due| *due <= today);
        match (left, yearly) {
            (Some(since), _) => flags.push(Flag::PasswordDue { since, left: true }),
            (None, Some(since)) => flags.push(Flag::PasswordDue { since, left: false }),
            (None, None) => {}
        }
    }
    if accounts.two_steps && !known.two_steps {
        flags.push(Flag::OneStep);
    }
    flags
}

/// What has to be done before an account is closed (Jönköping, lines 377-386; R24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClosingStep {
    /// It stands on the account that it closes, why, and where to turn instead.
    Told,
    /// Its layout and content are in the archive.
    Archived,
    /// The board's diary was contacted.
    Diary,
    /// The communications unit was contacted.
    Communications,
}

impl ClosingStep {
    /// All of them, in their order.
    pub const ALL: &[Self] = &[Self::Told, Self::Archived, Self::Diary, Self::Communications];

    /// Identifier in the store and in forms.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Told => "besked",
            Self::Archived => "arkiv",
            Self::Diary => "diarium",
            Self::Communications => "kommunikation",
        }
    }

    /// The one with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|step| step.id() == id)
    }

    /// What was done, in Swedish.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Told => {
                "Det står på kontot att det stängs, varför, och vart man vänder sig i stället"
            }
            Self::Archived => "Kontots utseende och innehåll är arkiverat",
            Self::Diary => "Nämndens diarium är kontaktat",
            Self::Communications => "Kommunikationsavdelningen är kontaktad",
        }
    }
}

/// Why an account cannot be closed yet, in Swedish; nothing where it can.
pub fn hinders_closing(
    duties: &Duties,
    announced: Date,
    done: &[ClosingStep],
    today: Date,
) -> Option<String> {
    let missing: Vec<_> = ClosingStep::ALL
        .iter()
        .filter(|step| !done.contains(step))
        .map(|step| step.label())
        .collect();
    if !missing.is_empty() {
        return Some(format!("Det här är inte gjort: {}.", missing.join("; ")));
    }
    let earliest = duties.accounts.may_close(announced)?;
    (today < earliest)
        .then(|| format!("Beskedet lämnades {announced}. Kontot kan stängas tidigast {earliest}."))
}
