//! Which cases of the queue somebody wants to see (*filter*): by account, category, severity, age, deadline and
//! whose they are. Never by who wrote them: nobody is picked out by opinion, origin or health (*dataskyddslagen
//! 3:3*), so there is no field for that.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::category::{Category, Severity};
use super::ids::{AccountId, CaseId, UserId};

macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $id:literal, $label:literal;)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// All of them, in the order of the form.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Identifier in addresses.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// The one with this identifier.
            pub fn from_id(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.id() == id)
            }

            /// The Swedish words.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }
        }
    )*};
}

kinds! {
    /// How long a case has waited.
    Age {
        /// At most a day.
        Fresh = "nya", "högst ett dygn";
        /// More than a day.
        Day = "dygn", "mer än ett dygn";
        /// More than three days.
        ThreeDays = "tre-dygn", "mer än tre dygn";
        /// More than a week.
        Week = "vecka", "mer än en vecka";
    }

    /// How its deadline stands.
    DueIn {
        /// It is over.
        Overdue = "ute", "tiden är ute";
        /// Within three hours, or over.
        Soon = "snart", "inom tre timmar";
        /// Within a day, or over.
        Today = "dygn", "inom ett dygn";
    }

    /// Whose it is.
    Mine {
        /// The person at the page works with it.
        Working = "arbetar", "som jag arbetar med";
        /// The person at the page is responsible for it.
        Responsible = "ansvarar", "som jag ansvarar för";
        /// It is on an account that they have a part in.
        Accounts = "konton", "på mina konton";
        /// Nobody works with it.
        Free = "lediga", "som ingen arbetar med";
    }

    /// At least how grave.
    AtLeast {
        /// Of medium severity.
        Medium = "medel", "minst medel";
        /// Of high severity.
        High = "hog", "hög";
    }
}

impl Age {
    fn takes(self, waited: SignedDuration) -> bool {
        let hours = |n| SignedDuration::from_hours(n);
        match self {
            Self::Fresh => waited <= hours(24),
            Self::Day => waited > hours(24),
            Self::ThreeDays => waited > hours(72),
            Self::Week => waited > hours(168),
        }
    }
}

impl DueIn {
    fn takes(self, left: SignedDuration) -> bool {
        match self {
            Self::Overdue => left < SignedDuration::ZERO,
            Self::Soon => left <= SignedDuration::from_hours(3),
            Self::Today => left <= SignedDuration::from_hours(24),
        }
    }
}

/// What is asked for. What is not said lets everything through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sieve {
    /// The gravest finding is of this category.
    pub category: Option<Category>,
    /// It is at least so grave.
    pub at_least: Option<AtLeast>,
    /// It has waited so long.
    pub age: Option<Age>,
    /// Its deadline stands so.
    pub due: Option<DueIn>,
    /// It is theirs.
    pub mine: Option<Mine>,
}

/// What is known of a case without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The case.
    pub case: CaseId,
    /// Its account.
    pub account: AccountId,
    /// The category of its gravest finding.
    pub category: Option<Category>,
    /// How grave that is.
    pub severity: Option<Severity>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it is due.
    pub due_at: Timestamp,
    /// Who works with it now.
    pub claimed_by: Option<UserId>,
    /// Who is responsible for it by name.
    pub responsible: Option<UserId>,
    /// It bears a secrecy mark.
    pub secret: bool,
}

/// Who asks, and when.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Who.
    pub user: UserId,
    /// The accounts that they have a part in.
    pub accounts: BTreeSet<AccountId>,
    /// When.
    pub now: Timestamp,
}

impl Sieve {
    /// Whether everything goes through.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a case goes through. What was found in a secret one is told nobody who only looks at a list, so
    /// none goes through by what was found.
    pub fn takes(&self, case: &Candidate, asker: &Asker) -> bool {
        let Self { category, at_least, age, due, mine } = self;
        if case.secret && (category.is_some() || at_least.is_some()) {
            return false;
        }
        let least = at_least.map(|least| match least {
            AtLeast::Medium => Severity::Medium,
            AtLeast::High => Severity::High,
        });
        category.is_none_or(|wanted| case.category == Some(wanted))
            && least.is_none_or(|least| case.severity.is_some_and(|severity| severity >= least))
            && age.is_none_or(|age| age.takes(asker.now.duration_since(case.opened_at)))
            && due.is_none_or(|due| due.takes(case.due_at.duration_since(asker.now)))
            && mine.is_none_or(|mine| match mine {
                Mine::Working => case.claimed_by == Some(asker.user),
                Mine::Responsible => case.responsible == Some(asker.user),
                Mine::Accounts => asker.accounts.contains(&case.account),
                Mine::Free => case.claimed_by.is_none(),
            })
    }

    /// From what an address says. What it does not know is as if it had not been said.
    pub fn read<'q>(pairs: impl Iterator<Item = (&'q str, &'q str)>) -> Self {
        let mut sieve = Self::default();
        for (key, value) in pairs {
            match key {
                "kategori" => sieve.category = value.parse().ok(),
                "allvar" => sieve.at_least = AtLeast::from_id(value),
                "alder" => sieve.age = Age::from_id(value),
                "frist" => sieve.due = DueIn::from_id(value),
                "vems" => sieve.mine = Mine::from_id(value),
                _ => {}
            }
        }
        sieve
    }

    /// As an address says it.
    pub fn pairs(&self) -> Vec<(&'static str, &'static str)> {
        let Self { category, at_least, age, due, mine } = self;
        let all = [
            ("kategori", category.map(Category::id)),
            ("allvar", at_least.map(AtLeast::id)),
            ("alder", age.map(Age::id)),
            ("frist", due.map(DueIn::id)),
            ("vems", mine.map(Mine::id)),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    /// In words: `kategori hot, frist inom tre timmar`.
    pub fn words(&self) -> String {
        let Self { category, at_least, age, due, mine } = self;
        let all = [
            category.map(|c| c.label().to_owned()),
            at_least.map(|least| format!("allvar {}", least.label())),
            age.map(|age| format!("har väntat {}", age.label())),
            due.map(|due| format!("frist: {}", due.label())),
            mine.map(|mine| mine.label().to_owned()),
        ];
        all.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn candidate() -> Candidate {
        Candidate {
            case: CaseId(1),
            account: AccountId(4),
            category: Some(Category::Threat),
            severity: Some(Severity::High),
            opened_at: at("2026-11-20T08:00:00Z"),
            due_at: at("2026-11-21T10:00:00Z"),
            claimed_by: Some(UserId(2)),
            responsible: Some(UserId(3)),
            secret: false,
        }
    }

    fn asker(user: i64, now: &str) -> Asker {
        Asker { user: UserId(user), accounts: BTreeSet::from([AccountId(4)]), now: at(now) }
    }

    #[test]
    fn each_field_keeps_out_what_it_says() {
        let now = "2026-11-21T08:00:00Z";
        for (key, value, user, goes) in [
            ("kategori", "threat", 1, true),
            ("kategori", "insult", 1, false),
            ("kategori", "okänd", 1, true),
            ("allvar", "hog", 1, true),
            ("allvar", "medel", 1, true),
            ("alder", "nya", 1, true),
            ("alder", "dygn", 1, false),
            ("frist", "ute", 1, false),
            ("frist", "snart", 1, true),
            ("frist", "dygn", 1, true),
            ("vems", "arbetar", 2, true),
            ("vems", "arbetar", 1, false),
            ("vems", "ansvarar", 3, true),
            ("vems", "ansvarar", 2, false),
            ("vems", "konton", 1, true),
            ("vems", "lediga", 1, false),
            ("avsandare", "Robin", 1, true),
        ] {
            let sieve = Sieve::read([(key, value)].into_iter());
            assert_eq!(sieve.takes(&candidate(), &asker(user, now)), goes, "{key}={value} {user}");
        }
        let late = asker(1, "2026-11-30T08:00:00Z");
        for (key, value) in [("alder", "vecka"), ("alder", "tre-dygn"), ("frist", "ute")] {
            assert!(Sieve::read([(key, value)].into_iter()).takes(&candidate(), &late), "{value}");
        }
    }

    #[test]
    fn nothing_is_learnt_of_a_secret_case_by_what_it_is_asked_for() {
        let secret = Candidate { secret: true, ..candidate() };
        let asker = asker(1, "2026-11-21T08:00:00Z");
        for pair in [("kategori", "threat"), ("kategori", "insult"), ("allvar", "medel")] {
            assert!(!Sieve::read([pair].into_iter()).takes(&secret, &asker), "{pair:?}");
        }
        assert!(Sieve::read([("frist", "snart")].into_iter()).takes(&secret, &asker));
    }

    proptest! {
        #[test]
        fn what_is_asked_for_stands_whole_in_an_address(
            category in proptest::option::of(proptest::sample::select(Category::ALL)),
            at_least in proptest::option::of(proptest::sample::select(AtLeast::ALL)),
            age in proptest::option::of(proptest::sample::select(Age::ALL)),
            due in proptest::option::of(proptest::sample::select(DueIn::ALL)),
            mine in proptest::option::of(proptest::sample::select(Mine::ALL)),
        ) {
            let sieve = Sieve { category, at_least, age, due, mine };
            prop_assert_eq!(Sieve::read(sieve.pairs().into_iter()), sieve);
            prop_assert_eq!(sieve.words().is_empty(), sieve.is_open());
        }
    }
}
