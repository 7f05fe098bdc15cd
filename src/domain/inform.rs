//! What whoever wrote something is told (*informera invånaren*) when it was hidden, removed or registered: a
//! draft from rule and ground in plain Swedish. A person reads and changes it; nothing sends it by itself.
//!
//! Others may read it too, so it names no crime and no person: it says what was weighed, not what somebody is.

use super::ground::{Force, Ground};
use super::item::ItemKind;

/// What was done, or is about to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Hidden.
    pub hidden: bool,
    /// Deleted.
    pub deleted: bool,
    /// Handed to the diary.
    pub registered: bool,
}

impl Done {
    /// Whether there is nothing to tell.
    pub const fn is_nothing(self) -> bool {
        !self.hidden && !self.deleted && !self.registered
    }

    /// Whether it was taken from where others see it.
    pub const fn removed(self) -> bool {
        self.hidden || self.deleted
    }
}

/// How long what was sealed is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptFor {
    /// For ever (*bevaras*).
    Always,
    /// So many months after the case was closed, where a decision allows disposal.
    Months(u16),
    /// Nobody has decided.
    Undecided,
}

/// What a draft is made of.
#[derive(Clone, Copy, Debug)]
pub struct Inform<'a> {
    /// What the item is.
    pub kind: ItemKind,
    /// What was done.
    pub done: Done,
    /// On what ground, where it was removed.
    pub ground: Option<Ground>,
    /// Where the authority's rules for comments stand.
    pub rules_link: Option<&'a str>,
    /// The diary number, where it is known.
    pub number: Option<&'a str>,
    /// How long it is kept.
    pub kept: KeptFor,
    /// The authority.
    pub authority: &'a str,
    /// How whoever answers signs, where the policy wants that.
    pub signature: Option<&'a str>,
}

/// What it may hold, after "kan innehålla": never that it does, and never the name of a crime.
const fn plain(ground: Ground) -> &'static str {
    match ground {
        Ground::Threat => "hot",
        Ground::Privacy => "uppgifter om någons privatliv",
        Ground::Sedition | Ground::CrimeCall | Ground::Terror => "uppmaningar att begå brott",
        Ground::Agitation | Ground::Racism | Ground::Hatred | Ground::ProtectedGround => {
            "påståenden som angriper människor för vilka de är"
        }
        Ground::Discrimination => "påståenden som behandlar människor olika för vilka de är",
        Ground::ChildAbuse | Ground::Violence => "sådant som inte får visas",
        Ground::Copyright => "material som någon annan har rätt till",
        Ground::PersonalData | Ground::SpecialData | Ground::SensitiveData => {
            "uppgifter om personer som inte ska stå öppet"
        }
        Ground::Secrecy | Ground::StampedSecret | Ground::PersonProtection => {
            "uppgifter som inte ska stå öppet"
        }
        Ground::Harassment | Ground::Bullying => "påhopp som riktas mot någon",
        Ground::Abusive | Ground::PersonalAttack | Ground::Insult => "ord som kränker någon",
        Ground::Defamation | Ground::Gossip => "påståenden om andra som kan skada dem",
        Ground::Profanity => "svordomar eller grova ord",
        Ground::Pornography => "pornografiskt innehåll",
        Ground::Advertising => "reklam",
        Ground::Spam | Ground::Propaganda => "upprepade utskick",
        Ground::PartyPolitical => "partipolitiska budskap",
        Ground::PoliticalView => "politisk debatt som hör hemma hos partierna",
        Ground::Link => "länkar till sådant som inte får stå här",
        Ground::OffTopic => "sådant som inte hör till ämnet",
        Ground::OtherCrime | Ground::CommunityRules | Ground::LawOrPolicy => {
            "sådant som våra regler inte tillåter"
        }
    }
}

/// The item with its pronoun: `din kommentar`, `den`.
const fn named(kind: ItemKind) -> (&'static str, &'static str) {
    match kind {
        ItemKind::Comment => ("din kommentar", "den"),
        ItemKind::Reply => ("ditt svar", "det"),
        ItemKind::PostByOther => ("ditt inlägg", "det"),
        ItemKind::Mention => ("ditt omnämnande", "det"),
        ItemKind::DirectMessage => ("ditt meddelande", "det"),
        ItemKind::Review => ("ditt omdöme", "det"),
    }
}

/// `24 månader` as `2 år`.
fn span(months: u16) -> String {
    match months {
        1 => "en månad".to_owned(),
        12 => "ett år".to_owned(),
        n if n % 12 == 0 => format!("{} år", n / 12),
        n => format!("{n} månader"),
    }
}

impl Inform<'_> {
    /// What was done, in a sentence.
    fn what(&self) -> String {
        let (item, it) = named(self.kind);
        let Done { hidden, deleted, registered } = self.done;
        let did = match (hidden, deleted) {
            (_, true) => Some("tagit bort"),
            (true, false) => Some("dolt"),
            (false, false) => None,
        };
        match (did, registered) {
            (Some(did), true) => format!("Vi har {did} {item} och diariefört {it}."),
            (Some(did), false) => format!("Vi har {did} {item}."),
            (None, _) => format!("Vi har tagit emot {item} och diariefört {it}."),
        }
    }

    /// Why, in a sentence; nothing where nothing was removed.
    fn why(&self) -> Option<String> {
        let ground = self.ground.filter(|_| self.done.removed())?;
        let (_, it) = named(self.kind);
        let rule = match ground.force() {
            Force::Statute => {
                "Enligt lagen om ansvar för elektroniska anslagstavlor (1998:112) måste vi ta bort vissa sorters inlägg"
            }
            Force::DataProtection => "Vi måste skydda uppgifter om människor",
            Force::HouseRules => "Våra regler för kommentarer säger vad som får stå här",
        };
        Some(format!("{rule}, och vi bedömer att {it} kan innehålla {}.", plain(ground)))
    }

    /// That it is kept, for how long, and that it may be handed out.
    fn kept(&self) -> String {
        let (_, it) = named(self.kind);
        let number = self.number.map(|n| format!(" Diarienumret är {n}.")).unwrap_or_default();
        let long = match self.kept {
            KeptFor::Always => format!("Vi bevarar {it} som allmän handling."),
            KeptFor::Months(n) => format!("Vi sparar {it} som allmän handling i {}.", span(n)),
            KeptFor::Undecided => format!("Vi sparar {it} som allmän handling."),
        };
        let whole =
            "Den som begär det kan få ut allmänna handlingar, om de inte omfattas av sekretess.";
        format!("{long}{number} {whole}")
    }

    /// Whom to ask and complain to.
    fn ask(&self) -> String {
        let asks = match self.done.removed() {
            true => "Tycker du att vi har gjort fel, eller vill du fråga något?",
            false => "Vill du fråga något?",
        };
        format!("{asks} Kontakta {}.", self.authority)
    }

    fn put_together(&self, sentences: Vec<String>, apart: &str) -> String {
        let mut text = sentences.join(apart);
        if let Some(signature) = self.signature {
            text.push_str("\n\n");
            text.push_str(signature);
        }
        text
    }

    /// Drafts of the same, from the whole one to the shortest.
    pub fn drafts(&self) -> [String; 3] {
        let link = self.rules_link.filter(|_| self.done.removed());
        let link = link.map(|link| format!("Våra regler: {link}"));
        let first = format!("Hej! {}", self.what());
        let mut head = vec![first.clone()];
        head.extend(self.why());
        let head = head.join(" ");
        let mut end = vec![self.ask()];
        end.extend(link);
        let whole = self.put_together(vec![head.clone(), self.kept(), end.join(" ")], "\n\n");
        let middle = self.put_together(vec![head, end.join(" ")], "\n\n");
        let short = self.put_together(vec![first, self.ask()], " ");
        [whole, middle, short]
    }

    /// The longest draft that has room; where none has, the shortest.
    pub fn fitting(&self, has_room: impl Fn(&str) -> bool) -> String {
        let [whole, middle, short] = self.drafts();
        [whole, middle].into_iter().find(|draft| has_room(draft)).unwrap_or(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inform(kind: ItemKind, done: Done, ground: Option<Ground>) -> Inform<'static> {
        Inform {
            kind,
            done,
            ground,
            rules_link: Some("https://exempelstad.example/regler"),
            number: None,
            kept: KeptFor::Months(24),
            authority: "Exempelstads kommun",
            signature: Some("Kim, kommunikatör"),
        }
    }

    const HIDDEN: Done = Done { hidden: true, deleted: false, registered: false };

    #[test]
    fn the_whole_draft_says_what_why_how_long_and_whom_to_ask() {
        let told =
            inform(ItemKind::Comment, Done { registered: true, ..HIDDEN }, Some(Ground::Profanity));
        let [whole, middle, short] = Inform { number: Some("KS 2026/12"), ..told }.drafts();
        assert_eq!(
            whole,
            "Hej! Vi har dolt din kommentar och diariefört den. Våra regler för kommentarer säger vad som får stå här, och vi bedömer att den kan innehålla svordomar eller grova ord.\n\nVi sparar den som allmän handling i 2 år. Diarienumret är KS 2026/12. Den som begär det kan få ut allmänna handlingar, om de inte omfattas av sekretess.\n\nTycker du att vi har gjort fel, eller vill du fråga något? Kontakta Exempelstads kommun. Våra regler: https://exempelstad.example/regler\n\nKim, kommunikatör"
        );
        assert!(whole.len() > middle.len() && middle.len() > short.len());
        assert!(short.starts_with("Hej! Vi har dolt din kommentar och diariefört den."));
        let message = Done { registered: true, ..Done::default() };
        let [whole, ..] = inform(ItemKind::DirectMessage, message, None).drafts();
        assert!(whole.starts_with("Hej! Vi har tagit emot ditt meddelande och diariefört det.\n"));
        assert!(!whole.contains("gjort fel") && !whole.contains("regler:"), "{whole}");
    }

    /// Whoever reads along is not told that somebody has committed a crime, or of what is secret.
    #[test]
    fn no_draft_names_a_crime_or_a_provision_on_secrecy() {
        for &ground in Ground::ALL {
            for draft in inform(ItemKind::Comment, HIDDEN, Some(ground)).drafts() {
                let lower = draft.to_lowercase();
                for word in
                    ["olaga", "förtal", "brottsbalken", "barnporn", "hets mot", "osl", "terror"]
                {
                    assert!(!lower.contains(word), "{ground:?}: {draft}");
                }
                assert!(!draft.contains('{') && !draft.contains("  "), "{draft}");
            }
        }
    }

    #[test]
    fn a_platform_with_little_room_gets_a_shorter_one() {
        let told = inform(ItemKind::Reply, HIDDEN, Some(Ground::Threat));
        let [whole, middle, short] = told.drafts();
        assert_eq!(told.fitting(|_| true), whole);
        assert_eq!(told.fitting(|text| text.len() < whole.len()), middle);
        assert_eq!(told.fitting(|_| false), short);
        assert!(short.chars().count() < 200, "{short}");
        for (n, words) in [(1, "en månad"), (12, "ett år"), (36, "3 år"), (18, "18 månader")] {
            assert_eq!(span(n), words);
        }
    }
}
