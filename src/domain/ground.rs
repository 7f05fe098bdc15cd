//! What a person removes or registers for (*grund*): never the same as a machine's category.
//!
//! Breach of 1998:112 5 § is one family of grounds, the account's published house rules another;
//! the page must say which of the two is used (regulation, JO on general rules). Criticism of the
//! authority is in neither.

use serde::{Deserialize, Serialize};

use super::category::Category;

/// Where a ground gets its force from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// The removal duty of *lag (1998:112) 5 §*.
    Statute,
    /// Data protection or secrecy.
    DataProtection,
    /// The account's own published rules.
    HouseRules,
}

impl Force {
    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Statute => "lag (1998:112) 5 §",
            Self::DataProtection => "dataskydd och sekretess",
            Self::HouseRules => "sidans egna regler",
        }
    }
}

macro_rules! grounds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $label:literal, $statute:expr, $force:ident;)*) => {
        /// A ground for removing or registering, with the code that policies use.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Ground {
            $($(#[$doc])* $name,)*
        }

        impl Ground {
            /// Every ground, statute first.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The Swedish words.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }

            /// The paragraph, where the ground is an offence.
            pub const fn statute(self) -> Option<&'static str> {
                match self { $(Self::$name => $statute),* }
            }

            /// Where its force comes from.
            pub const fn force(self) -> Force {
                match self { $(Self::$name => Force::$force),* }
            }
        }
    };
}

grounds! {
    /// *Olaga hot.*
    Threat = "hot", "olaga hot", Some("1998:112 5 § 1 a; BrB 4:5"), Statute;
    /// *Olaga integritetsintrång.*
    Privacy = "integritet", "olaga integritetsintrång", Some("1998:112 5 § 1 b; BrB 4:6 c"), Statute;
    /// *Uppvigling.*
    Sedition = "uppvigling", "uppvigling", Some("1998:112 5 § 1 c; BrB 16:5"), Statute;
    /// *Hets mot folkgrupp.*
    Agitation = "hets", "hets mot folkgrupp", Some("1998:112 5 § 1 d; BrB 16:8"), Statute;
    /// *Barnpornografibrott*: handled without any copy (regulation 2.2).
    ChildAbuse = "barnporr", "barnpornografibrott", Some("1998:112 5 § 1 e; BrB 16:10 a"), Statute;
    /// *Olaga våldsskildring.*
    Violence = "vald", "olaga våldsskildring", Some("1998:112 5 § 1 f; BrB 16:10 c"), Statute;
    /// *Offentlig uppmaning till terrorism.*
    Terror = "terror", "uppmaning till terrorism eller särskilt allvarlig brottslighet", Some("1998:112 5 § 1 g; 7 § 2022:666"), Statute;
    /// *Upphovsrättsintrång.*
    Copyright = "upphovsratt", "upphovsrättsintrång", Some("1998:112 5 § 2"), Statute;
    /// Personal data that may not stand there.
    PersonalData = "personuppgifter", "personuppgifter", Some("GDPR art. 5 och 6"), DataProtection;
    /// Secret or sensitive data.
    Secrecy = "sekretess", "känsliga eller sekretessbelagda uppgifter", Some("GDPR art. 9 och 10; OSL"), DataProtection;
    /// Sensitive personal data (*känsliga personuppgifter*, GDPR art. 9), where a policy keeps it apart.
    SensitiveData = "kanslig_pu", "känsliga personuppgifter", Some("GDPR art. 9"), DataProtection;
    /// What hurts the most of the rest: numbers, offences, pay, judgements, social circumstances.
    SpecialData = "sarskild_pu", "personnummer, lagöverträdelser och andra särskilt skyddsvärda uppgifter", Some("GDPR art. 10; dataskyddslagen 3:10"), DataProtection;
    /// Material that an authority, a company or another body has stamped secret.
    StampedSecret = "hemligstampel", "hemligstämplat material", None, DataProtection;
    /// Data contrary to the law on protection of persons; protected identity.
    PersonProtection = "personskydd", "skyddad identitet eller personskydd", Some("OSL 21:3 och 22:1"), DataProtection;
    /// Harassment (*trakasserier*).
    Harassment = "trakasseri", "trakasserier", None, HouseRules;
    /// Racist or sexist remarks.
    Racism = "rasism_sexism", "rasistiskt eller sexistiskt innehåll", None, HouseRules;
    /// Other hateful content.
    Hatred = "hat", "hatiskt innehåll", None, HouseRules;
    /// Abuse (*kränkande påståenden, tillmälen*).
    Abusive = "krankande", "kränkande innehåll", None, HouseRules;
    /// Attack on a private person (*personangrepp*).
    PersonalAttack = "personangrepp", "personangrepp", None, HouseRules;
    /// Defamation (*förtal*).
    Defamation = "fortal", "förtal", None, HouseRules;
    /// Swearing and obscene words.
    Profanity = "svordom", "svordomar och obscena ord", None, HouseRules;
    /// Pornography.
    Pornography = "porr", "pornografi", None, HouseRules;
    /// Calls to crime that are not sedition.
    CrimeCall = "uppmaning_brott", "uppmaning till brott", None, HouseRules;
    /// Advertising.
    Advertising = "reklam", "reklam", None, HouseRules;
    /// Campaigns and spam.
    Spam = "kampanj_spam", "kampanjer och skräp", None, HouseRules;
    /// Party-political message (*partipolitiskt budskap*).
    PartyPolitical = "partipolitik", "partipolitiskt budskap", None, HouseRules;
    /// Links to material of the kinds above.
    Link = "lank", "länk till otillåtet material", None, HouseRules;
    /// Offence by sexual orientation, sex, religion or ethnicity.
    ProtectedGround = "grund", "kränkning för kön, läggning, religion eller ursprung", None, HouseRules;
    /// Discriminating content.
    Discrimination = "diskriminering", "diskriminerande innehåll", None, HouseRules;
    /// Insult (*förolämpning*, BrB 5:3: not in 5 §).
    Insult = "forolampning", "förolämpning", None, HouseRules;
    /// Other criminal activity: the person writes which.
    OtherCrime = "annat_brott", "annan brottslig verksamhet", None, HouseRules;
    /// Gossip (*skvaller*).
    Gossip = "skvaller", "skvaller", None, HouseRules;
    /// Systematic spreading of propaganda: never seen in one text alone.
    Propaganda = "propaganda", "systematisk propaganda", None, HouseRules;
    /// Political views and debate. No policy removes them: they are referred.
    PoliticalView = "politisk_asikt", "politisk åsikt eller debatt", None, HouseRules;
    /// Does not keep to the post's subject.
    OffTopic = "off_topic", "hör inte till inläggets ämne", None, HouseRules;
    /// Bullying of a colleague, a pupil, a client: the manager is told.
    Bullying = "mobbning", "mobbning", None, HouseRules;
    /// Breaks the account's published community rules otherwise.
    CommunityRules = "community", "bryter mot kontots publicerade regler", None, HouseRules;
    /// May be presumed contrary to law, directive or policy: the person writes which.
    LawOrPolicy = "lag_policy", "strider mot lag eller styrdokument", None, HouseRules;
}

impl Ground {
    /// The ground with this code. `personuppgift`, as the rulebooks' matrix has it, means the same as the
    /// plural that decisions have been kept with.
    pub fn from_code(code: &str) -> Option<Self> {
        let code = if code == "personuppgift" { Self::PersonalData.code() } else { code };
        Self::ALL.iter().copied().find(|g| g.code() == code)
    }

    /// Whether it says too little by itself: the person writes which crime, law or document.
    pub const fn needs_words(self) -> bool {
        matches!(self, Self::OtherCrime | Self::LawOrPolicy)
    }

    /// Whether the data may be secret, so that the diary always has it (*OSL 5:1*; Finspång 427).
    pub const fn is_secrecy(self) -> bool {
        matches!(self, Self::Secrecy | Self::StampedSecret | Self::PersonProtection)
    }

    /// Whether whoever decides for it is taken to say that the data may be secret unless they answer no: sensitive
    /// data are seldom free to be handed out (*OSL 21 kap. 1 och 7 §§*).
    pub const fn may_be_secret(self) -> bool {
        self.is_secrecy() || matches!(self, Self::SensitiveData)
    }

    /// The provision that is likely to apply, where the ground tells; a person may name another.
    pub const fn provision(self) -> Option<&'static str> {
        match self {
            Self::SensitiveData => Some("OSL 21 kap. 7 §"),
            Self::PersonProtection => Some("OSL 21 kap. 3 § och 22 kap. 1 §"),
            _ => None,
        }
    }

    /// What a category suggests; empty where nothing calls for removal.
    pub const fn suggested_by(category: Category) -> &'static [Self] {
        match category {
            Category::Threat => &[Self::Threat, Self::Harassment],
            Category::Incitement => &[Self::Sedition, Self::CrimeCall, Self::Terror],
            Category::Hate => &[Self::Agitation, Self::Racism, Self::Hatred],
            Category::Violence => &[Self::Violence],
            Category::Sexual => &[Self::Pornography, Self::Harassment],
            Category::PersonalId | Category::PersonalData => &[Self::PersonalData],
            Category::SensitiveData => &[Self::Secrecy, Self::Privacy],
            Category::Insult => &[Self::Abusive, Self::PersonalAttack, Self::Defamation],
            Category::Profanity => &[Self::Profanity],
            Category::LinkIllegal => &[Self::Link],
            Category::Copyright => &[Self::Copyright],
            Category::Spam => &[Self::Spam],
            Category::Commercial => &[Self::Advertising],
            Category::PartyPolitical => &[Self::PartyPolitical],
            Category::Case | Category::Question => &[],
        }
    }
}

impl Serialize for Ground {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Ground {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::from_code(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown ground `{text}`")))
    }
}
