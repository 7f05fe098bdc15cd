//! Reports to the police (*polisanmälan*): what may be a crime, and what the manager decides about it.

use jiff::Timestamp;

use super::ground::Ground;

/// A manager's decision to report or not (*beslut om polisanmälan*).
#[derive(Clone, PartialEq, Eq)]
pub struct PoliceDecision {
    /// Its row.
    pub id: i64,
    /// Whether it is reported.
    pub reported: bool,
    /// The crime it may be.
    pub crime: Crime,
    /// Who the injured party is and whether they want it reported, where anybody has said so.
    pub injured: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
}

/// Reasons and names stay out of logs.
impl std::fmt::Debug for PoliceDecision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoliceDecision")
            .field("id", &self.id)
            .field("reported", &self.reported)
            .finish_non_exhaustive()
    }
}

macro_rules! crimes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $label:literal, $statute:literal, $by:ident;)*) => {
        /// A crime that a report may concern (regulation 2.1): more than there are grounds for removing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Crime {
            $($(#[$doc])* $name,)*
        }

        impl Crime {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable code; a ground's own where there is one for it.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The Swedish words.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }

            /// Where the law has it.
            pub const fn statute(self) -> &'static str {
                match self { $(Self::$name => $statute),* }
            }

            /// Whose matter it is.
            pub const fn reported_by(self) -> ReportedBy {
                match self { $(Self::$name => ReportedBy::$by),* }
            }
        }
    };
}

/// Whose report counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportedBy {
    /// Anybody's: the prosecutor acts without the injured party.
    Anybody,
    /// As a rule the injured party's (*BrB 4:11 och 5:5*).
    Injured,
    /// The authority's, of what hits its staff (*BrB 17 kap.*).
    Authority,
    /// The holder of the right's.
    Holder,
}

impl ReportedBy {
    /// In Swedish, for whoever decides.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Anybody => "Vem som helst kan anmäla.",
            Self::Injured => {
                "Åtalas som regel bara om den som har drabbats anmäler det eller om det krävs från allmän synpunkt. Ange målsägande."
            }
            Self::Authority => {
                "Myndigheten kan anmäla, vad den som har drabbats än vill. Skriv i skälet vem det gällde och i vilken tjänst."
            }
            Self::Holder => "Anmäls av den som har rätten till verket.",
        }
    }
}

crimes! {
    /// *Olaga hot.*
    Threat = "hot", "olaga hot", "brottsbalken 4 kap. 5 §", Anybody;
    /// *Våld eller hot mot tjänsteman*: also against health, social-service, rescue and education staff (17:5).
    OfficialThreat = "hot_tjansteman", "våld eller hot mot tjänsteman", "brottsbalken 17 kap. 1 §", Authority;
    /// *Angrepp mot tjänsteman*: also the official's family.
    OfficialAttack = "angrepp_tjansteman", "angrepp mot tjänsteman", "brottsbalken 17 kap. 2 §", Authority;
    /// *Förolämpning mot tjänsteman* (SFS 2025:579).
    OfficialInsult = "forolampning_tjansteman", "förolämpning mot tjänsteman", "brottsbalken 17 kap. 3 §", Authority;
    /// *Olovlig identitetsanvändning.*
    Identity = "identitet", "olovlig identitetsanvändning", "brottsbalken 4 kap. 6 b §", Anybody;
    /// *Olaga integritetsintrång.*
    Privacy = "integritet", "olaga integritetsintrång", "brottsbalken 4 kap. 6 c §", Injured;
    /// *Ofredande.*
    Harassment = "trakasseri", "ofredande", "brottsbalken 4 kap. 7 §", Injured;
    /// *Uppmaning till självmord.*
    Suicide = "sjalvmord", "uppmaning till självmord", "brottsbalken 4 kap. 7 a §", Anybody;
    /// *Förtal.*
    Defamation = "fortal", "förtal", "brottsbalken 5 kap. 1 §", Injured;
    /// *Förolämpning.*
    Insult = "forolampning", "förolämpning", "brottsbalken 5 kap. 3 §", Injured;
    /// *Uppvigling.*
    Sedition = "uppvigling", "uppvigling", "brottsbalken 16 kap. 5 §", Anybody;
    /// *Hets mot folkgrupp.*
    Agitation = "hets", "hets mot folkgrupp", "brottsbalken 16 kap. 8 §", Anybody;
    /// *Barnpornografibrott.*
    ChildAbuse = "barnporr", "barnpornografibrott", "brottsbalken 16 kap. 10 a §", Anybody;
    /// *Olaga våldsskildring.*
    Violence = "vald", "olaga våldsskildring", "brottsbalken 16 kap. 10 c §", Anybody;
    /// *Otillbörligt verkande vid röstning.*
    Voting = "rostning", "otillbörligt verkande vid röstning", "brottsbalken 17 kap. 8 §", Anybody;
    /// *Offentlig uppmaning till terrorism eller särskilt allvarlig brottslighet.*
    Terror = "terror", "uppmaning till terrorism eller särskilt allvarlig brottslighet", "terroristbrottslagen (2022:666) 7 §", Anybody;
    /// Calls to crime that are not called sedition in the house rules.
    CrimeCall = "uppmaning_brott", "uppmaning till brott", "brottsbalken 16 kap. 5 §", Anybody;
    /// Another one: the reason says which.
    OtherCrime = "annat_brott", "annan brottslig verksamhet", "det brott som skälet anger", Anybody;
    /// *Upphovsrättsintrång.*
    Copyright = "upphovsratt", "upphovsrättsintrång", "lagen (1960:729) om upphovsrätt 53 §", Holder;
}

impl Crime {
    /// The crime with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|crime| crime.code() == code)
    }

    /// Crimes that a ground for removing may be; none where the ground is no crime. What is said to an authority
    /// is often said to its officials, for whom the law has paragraphs of their own.
    pub fn suggested_by(ground: Ground) -> Vec<Self> {
        let crime = Self::from_code(ground.code());
        let official = match crime {
            Some(Self::Threat) => Some(Self::OfficialThreat),
            Some(Self::Insult) => Some(Self::OfficialInsult),
            Some(Self::Harassment) => Some(Self::OfficialAttack),
            Some(_) | None => None,
        };
        crime.into_iter().chain(official).collect()
    }

    /// Whether the injured party's own wish weighs (*BrB 4:11 och 5:5*): then the form asks for it.
    pub fn asks_injured(self) -> bool {
        self.reported_by() == ReportedBy::Injured
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ground::Force;

    #[test]
    fn every_crime_that_the_law_on_boards_names_can_be_reported() {
        for ground in Ground::ALL.iter().filter(|ground| ground.force() == Force::Statute) {
            assert!(!Crime::suggested_by(*ground).is_empty(), "{}", ground.code());
        }
        assert!(Crime::suggested_by(Ground::Profanity).is_empty());
    }

    #[test]
    fn what_hits_an_official_is_a_crime_of_its_own_and_asks_no_injured_party() {
        assert_eq!(Crime::suggested_by(Ground::Threat), [Crime::Threat, Crime::OfficialThreat]);
        for (code, statute) in [
            ("hot_tjansteman", "brottsbalken 17 kap. 1 §"),
            ("angrepp_tjansteman", "brottsbalken 17 kap. 2 §"),
            ("forolampning_tjansteman", "brottsbalken 17 kap. 3 §"),
            ("identitet", "brottsbalken 4 kap. 6 b §"),
            ("sjalvmord", "brottsbalken 4 kap. 7 a §"),
        ] {
            let crime = Crime::from_code(code).unwrap();
            assert_eq!((crime.statute(), crime.asks_injured()), (statute, false));
        }
        let mut codes: Vec<_> = Crime::ALL.iter().map(|crime| crime.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Crime::ALL.len());
    }
}
