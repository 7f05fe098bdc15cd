//! How often everyday words are met, so that a pattern is looked for at its rarest word.
//!
//! Rough figures of our own for comments in Swedish: nothing but speed hangs on them. A word that
//! is not listed counts as rare.

use crate::classify::tokens::Kind;
use crate::classify::words::{ClassId, EntryId, Words, hash_of};

/// Words by how often they are met among ten thousand, in falling bands.
const BANDS: [(f32, &str); 7] = [
    (
        250.0,
        "och att det i är på som en av för inte jag med till har om vi så den ni de man ett kan",
    ),
    (
        80.0,
        "men var du han ska från när vad här nu hon då alla mig sig dem er oss där också skulle \
         eller bara nog mer mycket får vara blir efter ha dig hur finns in ut upp bra än hade ju \
         vill år detta någon sin dom min kommer något gör utan under måste måste vilket",
    ),
    (
        30.0,
        "varför väl igen år denna dessa deras sina sitt mot vid över blev varit bli går ta se \
         kommun kommunen aldrig alltid många andra hela två ingen inget så inga några nya ny helt \
         själv samma bör borde kunde ville tror tycker vet gå komma göra få sen sedan dag dags tid \
         idag folk människor barn tack hej ja nej mitt ditt din dina mina vår vårt våra ert era \
         honom henne hans hennes era varje både ens lite dock kanske innan medan därför eftersom \
         stor stora bort hem kvar annat annan åt fram ner tillbaka istället the to is of and you",
    ),
    (
        10.0,
        "år säger sa säga ser såg tar tog ger ge gav ligger står stå sitter bor bo kör köra köp \
         köpa betala betalar kostar pengar kronor kr problem fel rätt sak saker sätt ord plats \
         väg vägen vägar gatan gata stad staden staten sverige svenska svensk land landet politik \
         politiker politikerna parti partier regeringen skola skolan skolor skolorna lärare elever \
         förskola arbete jobb jobba jobbar jobbat arbeta hus huset bil bilar buss bussen bussar \
         cykel cykla träd park parken parkering vatten snö vinter sommar sommaren vecka veckan \
         veckor månad månader dagar timmar morgon kväll natt gång gånger första sista nästa förra \
         tre fyra fem tio bättre bäst sämre dåligt dålig bra fint fin fina god gott gör gjort \
         hjälp hjälpa behöver behövs behov fråga frågor svar svara svarar viktigt viktig läs läsa \
         läser läst skriva skriver skrev håller hålla heter kallas känner känns tänk tänka tänker \
         börja börjar börjat sluta slutar öppet öppna stängt stänga bygga bygger byggs byggt vem \
         vilka vilken vars sådan sådana så precis faktiskt egentligen redan fortfarande ännu snart \
         aldrig nånsin någonsin ibland ofta oftast självklart givetvis tydligen absolut verkligen \
         väldigt ganska rätt alldeles endast enbart flera fler flesta färre mindre mest minst \
         största hela halva ihop tillsammans ute inne hemma borta nära långt runt mellan genom \
         hos bland enligt trots förutom angående gällande person personer personal personalen \
         man män kvinna kvinnor flicka pojke familj vänner vän grannar granne äldre unga ungdomar \
         ung gammal gamla medborgare invånare boende ansvar ansvariga chef nämnden beslut beslutet \
         förslag förslaget ärende området område centrum torget byn orten kommuner kommunens",
    ),
    (
        4.0,
        "död dö dör dött dog döda liv livet leva lever världen krig makt makten lag lagen lagar \
         polis polisen rätten domstol brott våld hot hota rädd rädda trygg trygghet otrygg säker \
         säkert säkerhet hat hata hatar rasist rasister rasism invandrare invandring flyktingar \
         muslim muslimer judar islam religion kyrka moské hem hemlös fattig rik pensionär \
         pensionärer sjuk sjuka sjukhus sjukdom vård vården läkare cancer alkohol droger \
         narkotika knark bråk slag slå slår slog spark sparka sparkas ut kasta kastar kastas \
         bränna brinner brann eld skjuta skjuter skjuten sköt kniv vapen bomb hämnd straff \
         straffa fängelse idiot idioter dum dumma dumt korkad jävla fan skit helvete satan \
         förbannad arg sur ledsen glad glada rolig roligt kul trist tråkigt synd skam skäms \
         skandal katastrof ljug ljuger lögn lögner korrupt korruption förrädare avgå avgår rösta \
         röstar valet val moderaterna socialdemokraterna sverigedemokraterna centern vänstern \
         miljöpartiet sossarna sd kd liberalerna rea pris priser billigt gratis erbjudande beställ \
         rabatt salu säljes säljer sälja sök söker länk länken klicka sida sidan hemsida hemsidan \
         mejl mejla mail maila ring ringa ringer ringde telefon nummer adress namn namnet bild \
         bilder film video facebook gruppen grupp inlägg kommentar kommentarer kommentera följ \
         följa följer dela delar gilla gillar lördag söndag måndag tisdag onsdag torsdag fredag \
         januari februari mars april maj juni juli augusti september oktober november december \
         klockan kl kväll hund hundar katt katter djur fågel skog skogen sjön sjö strand bad \
         badet simhallen biblioteket bibliotek vårdcentral äldreboende hemtjänst soc socialen \
         socialtjänsten rektor rektorn handläggare handläggaren tjänsteman tjänstemän ledning \
         ledningen styrelsen budget skatt skatten skattepengar skattebetalare ekonomi miljö klimat \
         trafik trafiken hastighet fart ljus lampa lampor belysning sand sopor sophämtning papper \
         avlopp el värme bredband jord mark tomt bygglov detaljplan medborgarförslag protokoll \
         möte mötet samråd synpunkt synpunkter felanmälan anmäl anmäla anmälan klaga klagar \
         klagomål kritik lycka lyckas välkommen välkomna grattis beklagar ursäkta förlåt snälla \
         kom gick fick blivit gjorde låt låta låter lät hör höra hörde hört visa visar visade \
         händer hända hände hänt äta äter mat maten dricka sova sover springa gående sitta ligga",
    ),
    (
        2.0,
        "kropp huvud hand handen händer fot ben arm ögon öga mun tand hår blod hjärta själ mamma \
         pappa mor far son dotter bror syster fru make maka sambo barnbarn bebis tjej tjejer kille \
         killar gubbe gubbar kärring kärringar tant tanter herr fröken kung kungen drottning \
         minister statsminister riksdag riksdagen eu usa ryssland ukraina danmark norge finland \
         tyskland israel palestina gaza afrika somalia syrien irak iran turkiet kina stockholm \
         göteborg malmö röd rött blå grön grönt gul vit vita svart svarta mörk ljus hög högt låg \
         lågt kort lång långa snabb snabbt sakta tung lätt svårt svår enkelt hårt mjuk varm kallt \
         kall torr blöt ren rent smutsig stark svag frisk hel trasig sönder full fulla tom tomma \
         öppen stängd fri fria fast lös sann sant falsk falskt äkta vanlig vanligt konstig konstigt \
         märkligt speciell särskild särskilt exakt ungefär cirka hundra tusen miljon miljoner \
         miljard procent hälften del delen antal mängd summa kostnad kostnader lön löner bidrag \
         avgift avgifter hyra hyror lägenhet lägenheter bostad bostäder villa gård torp stuga \
         dörr fönster tak golv vägg kök rum säng stol bord kläder skor jacka tröja byxor väska \
         dator mobil tv radio tidning bok böcker spel musik sång dans konst teater bio fest jul \
         påsk midsommar nyår semester resa resor resan tåg tåget flyg båt moped motorcykel lastbil \
         traktor rondell korsning bro tunnel trottoar gångväg cykelväg hållplats station",
    ),
    (
        5.0,
        "in on it for this that with are be have not your we they he she my me at as by from or an \
         all was will can if so no do what when who how why get go out up one just like",
    ),
];

/// What a word counts that is in no band.
pub const RARE: f32 = 0.02;

/// The listed words that the lexicon knows, with how often they are met.
pub fn known(words: &Words) -> impl Iterator<Item = (EntryId, f32)> {
    BANDS.iter().flat_map(|(often, list)| list.split_whitespace().map(|word| (*often, word))).map(
        |(often, word)| (words.look_up(hash_of(word.as_bytes()), word.as_bytes(), false), often),
    )
}

/// How often words of each class are met, among ten thousand; `n_classes` classes in all.
pub fn by_class(words: &Words, n_classes: usize) -> Vec<f32> {
    let mut all = vec![0.0; n_classes];
    for (entry, often) in known(words) {
        for class in words.classes_of(entry) {
            all[usize::from(class.0)] += often;
        }
    }
    all
}

/// How often a kind of token is met among ten thousand words.
const KIND: f32 = 60.0;

/// How often words of each class are met, among ten thousand.
#[derive(Debug)]
pub struct Often(Vec<f32>);

impl Often {
    /// Counts the words of all classes.
    pub fn new(words: &Words, n_classes: usize) -> Self {
        let mut all = by_class(words, n_classes);
        for entry in 0..words.n_entries() {
            for class in words.classes_of(EntryId(entry as u32)) {
                all[usize::from(class.0)] += RARE;
            }
        }
        Self(all)
    }

    /// A word that is in several of the classes counts once for each: near enough.
    pub fn of(&self, classes: &[ClassId], kinds: &[Kind]) -> f32 {
        let of_class = |c: &ClassId| self.0.get(usize::from(c.0)).copied().unwrap_or(0.0);
        classes.iter().map(of_class).sum::<f32>() + kinds.len() as f32 * KIND
    }
}
