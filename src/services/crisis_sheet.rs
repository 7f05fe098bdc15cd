//! The crisis leaf (*krisblad*): on one sheet of paper who does what, whom to ring, how it stands, how to go back, and
//! texts to publish (Jönköping, lines 408–420; Nässjö, rule 10; Finspång, lines 187, 245).

use crate::domain::calendar::local;
use crate::domain::notice::Part;
use crate::domain::person::{Act, Role};

use super::crisis::changes;
use super::{ServiceError, Services, Viewer};

/// The leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Whose.
    pub authority: String,
    /// How it stands, in words.
    pub state: Vec<String>,
    /// What a crisis changes: of one that stands, or of one that may come.
    pub changes: (&'static str, Vec<String>),
    /// Accounts with who works with them: the account, then part and name.
    pub accounts: Vec<(String, Vec<(&'static str, String)>)>,
    /// Who does what besides: what, who.
    pub tasks: Vec<(&'static str, String)>,
    /// Whom to ring: what for, the number.
    pub numbers: Vec<(String, String)>,
    /// How to go back.
    pub back: Vec<String>,
    /// Texts to publish: when, and the text with its gaps in square brackets.
    pub texts: Vec<(&'static str, String)>,
    /// When it was made.
    pub made: String,
}

/// What an authority says itself where the policy names no texts.
fn ready_texts(authority: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "Det första beskedet",
            format!("{authority} har fått veta att [vad som har hänt, var och när]. Vi tar reda på mer och berättar här så snart vi vet. Vid fara för liv: ring 112. Information vid olyckor och kriser: ring 113 13. Det senaste står på [er webbplats]."),
        ),
        (
            "Medan det pågår",
            "Läget klockan [tid]: [vad vi vet]. Det här gör vi: [åtgärder]. Det här kan du göra: [råd]. Nästa besked kommer klockan [tid]. Vi läser kommentarerna men hinner inte svara alla. Skriv inga uppgifter om andra personer.".into(),
        ),
        (
            "När något sprids som inte stämmer",
            "Det sprids uppgifter om [vad] som inte stämmer. Det här vet vi: [fakta]. Det här vet vi inte än: [vad]. Dela gärna det här inlägget.".into(),
        ),
        (
            "Regler för kommentarer under krisen",
            "Hot, hets och uppgifter om enskilda tas bort. Allt som skrivs här är allmän handling. Frågor om ditt eget ärende: ring [växeln].".into(),
        ),
        (
            "När det är över",
            "Läget är [stabilt]. [Vad som gäller nu.] Från [dag] besvarar vi frågor här på vanliga tider igen. Tack till alla som har hjälpt till.".into(),
        ),
    ]
}

impl Services {
    /// The leaf, as it stands now.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn crisis_sheet(&self, viewer: &Viewer) -> Result<Sheet, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let now = self.inner.clock.now();
        let policy = self.policy();
        let board = self.crises(viewer).await?;
        let moment = |at| local(at).strftime("%Y-%m-%d %H:%M").to_string();
        let state = match &board.standing {
            Some(crisis) => vec![
                format!("Krisläge råder sedan {}, infört av {}.", moment(crisis.began_at), crisis.began_by),
                format!("Det tar slut av sig självt {}.", moment(crisis.until)),
                format!("Skäl: {}", crisis.why),
            ],
            None => vec!["Krisläge råder inte. En administratör inför det på sidan Krisläge (/krislage i Uppsikt): vad som har hänt, när det ska ta slut, vilka konton och vilka som kallas in.".into()],
        };
        // On paper nobody chooses anything.
        let changes = changes(&policy.duties, "de som är inkallade");
        let heading = match board.standing {
            Some(_) => "Det här gäller i krisläget",
            None => "Det här gäller när krisläget har införts",
        };
        let covered = |id| board.standing.as_ref().is_none_or(|crisis| crisis.covers(id));
        let entries = self.register(viewer).await?.into_iter();
        let open = entries.filter(|entry| !entry.known.is_closed && covered(entry.account.id));
        let accounts = open.map(|entry| {
            let mut people: Vec<_> = entry.people.iter().filter(|p| p.user.active).collect();
            people.sort_by_key(|p| Part::ALL.iter().position(|part| Some(*part) == p.part));
            let people = people.iter().filter_map(|p| {
                let away = if p.away { " (borta i dag)" } else { "" };
                Some((p.part?.label(), format!("{}{away}", p.user.name)))
            });
            (entry.account.name.clone(), people.collect())
        });
        let accounts = accounts.collect();
        let users = self.inner.store.users().await?;
        let named = |wanted: &dyn Fn(&crate::store::rows::UserRow) -> bool| {
            let names = users.iter().filter(|user| user.active && wanted(user));
            let names: Vec<_> = names.map(|user| user.name.clone()).collect();
            if names.is_empty() { "ingen utsedd".to_owned() } else { names.join(", ") }
        };
        let called = board.standing.as_ref().map(|crisis| crisis.people.clone());
        let mut tasks = vec![
            ("Inför, flyttar och avslutar krisläget", named(&|u| u.role == Role::Administrator)),
            ("Diarieför", named(&|u| u.role == Role::Registrar)),
        ];
        if let Some(called) = called.filter(|called| !called.is_empty()) {
            tasks.push((
                "Inkallade, får besked om varje nytt ärende",
                named(&|u| called.contains(&u.id)),
            ));
        }
        if let Some(who) = board.who {
            tasks.push(("Sköter sociala medier i kris enligt riktlinjen", who));
        }
        let numbers = policy.help.iter().map(|line| (line.what.clone(), line.number.clone()));
        let own = policy.duties.crisis_numbers.iter();
        let own = own.map(|line| (line.what.clone(), line.number.clone()));
        let known = ("Information vid olyckor och kriser".to_owned(), "113 13".to_owned());
        Ok(Sheet {
            authority: self.authority().to_owned(),
            state,
            changes: (heading, changes),
            accounts,
            tasks,
            numbers: own.chain([known]).chain(numbers).collect(),
            back: vec![
                "En administratör väljer Avsluta krisläget nu på sidan Krisläge (/krislage i Uppsikt). Annars tar det slut av sig självt.".into(),
                "I samma ögonblick läses kontona som vanligt, besked går till dem som brukar få dem, och reglernas gränser är de vanliga.".into(),
                "Gå igenom kön: det som väntar ligger kvar med sina frister.".into(),
                "Publicera beskedet om att det är över, och ta bort det fästa inlägget.".into(),
                "Ta ut uppsiktsloggen för dagarna och rapporten för månaden. Skriv av er vad som gick bra och dåligt.".into(),
            ],
            texts: ready_texts(self.authority()),
            made: moment(now),
        })
    }
}
