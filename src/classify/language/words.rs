//! The small words of each language: articles, pronouns, conjunctions, prepositions, forms of *be*
//! and *have*, question words. At most eight bytes each. Words that are common in several of the
//! languages stand in each of their lists: they vote for all of them, with less weight.

use crate::domain::language::Language;

/// The languages that are told by words, in the order of their bits.
pub const LATIN: [Language; 15] = [
    Language::Swedish,
    Language::English,
    Language::Norwegian,
    Language::Danish,
    Language::Finnish,
    Language::German,
    Language::French,
    Language::Spanish,
    Language::Polish,
    Language::SerboCroatian,
    Language::Albanian,
    Language::Turkish,
    Language::Kurdish,
    Language::Somali,
    Language::Romanian,
];

/// Each language with its words. Swedish also as it is typed without å, ä and ö, and as it is spoken.
pub const WORDS: &[(Language, &str)] = &[
    (
        Language::Swedish,
        "och att det är en som på för med av till den har de inte om ett jag han men var vi ni du så hon \
         från kan när ska där nu vad hur skulle måste mycket bara också eller blir blev här man sig hade \
         vill varför vilken vilket vilka finns få får gör göra någon något några alla allt detta denna dessa \
         min mitt mina din ditt dina sin sitt sina er era ert vår vårt våra dom dem ju väl nog aldrig alltid \
         utan under över efter innan mellan sedan sen hela mer mest bra än även kanske hos vem mig dig oss \
         honom henne deras hennes hans kommun kommunen tack hej snälla inget ingen inga va nån nåt nåra ej \
         ar pa fran nar dar har bor hor sa aven bade bada gora val nagon nagot mycke aldri varfor fore \
         mej dej sej å o oxå asså ba typ liksom fan jävla lite litet int säger skriver ringt ringa flera gånger ggr tycker blir kommer måste borde vem vems rätt fel dåligt bättre jättebra verkligen nog ens kul roligt synd",
    ),
    (
        Language::English,
        "the and to of is you that it in was for are as with his they this have from or one had by but not \
         what all were we when your can said there an each which she do how their if will up other about \
         out many then them these so some her would make like him into time has look two more go see no way \
         could people my than been who its now did get may why our me just don't dont he at on be i us where \
         does should because never always very really here want stop shut go please thanks thank",
    ),
    (
        Language::Norwegian,
        "og i det er på som en å for av at til den de har ikke om et med jeg han men var vi dere du så hun \
         fra kan når skal der nå hva hvordan skulle må mye bare også eller blir ble her man seg hadde vil \
         hvorfor hvilken finnes få får gjør gjøre noen noe alle alt dette denne disse min mitt mine din ditt \
         dine sin sitt sine vår vårt våre dem jo vel nok aldri alltid uten under over etter før mellom siden \
         hele mer mest bra enn kanskje hos hvem meg deg oss ham henne deres hennes kommune kommunen takk hei \
         ingen ikkje eg dei ein eit frå kva kvifor berre noko nokon vere vore desse dykk hjå være vært mange ganger ringt svar mulig flere skriver sier kommer burde rett feil bedre",
    ),
    (
        Language::Danish,
        "og i det er på som en at for af til den de har ikke om et med jeg han men var vi i du så hun fra \
         kan når skal der nu hvad hvordan skulle må meget kun også eller bliver blev her man sig havde vil \
         hvorfor hvilken findes få får gør gøre nogen noget nogle alle alt dette denne disse min mit mine din \
         dit dine sin sit sine vores jeres dem jo vel nok aldrig altid uden under over efter før mellem siden \
         hele mere mest godt end måske hos hvem mig dig os ham hende deres hendes kommune tak hej ingen \
         været være bare lige selv mange gange ringet svar flere skriver siger kommer burde fejl bedre",
    ),
    (
        Language::Finnish,
        "ja on ei se että hän oli mutta kun niin myös jos tai kuin minä sinä me te he ovat olen olet olla \
         mitä mikä miksi kuka missä nyt vain sitten tämä nämä joka jotka ole en et emme eivät minun sinun \
         hänen meidän teidän heidän sen tämän sitä siellä täällä kaikki hyvin vielä jo kiitos hei voi pitää \
         ollut oli olisi kanssa ilman ennen jälkeen koska aina mukaan kunta kunnan mä sä oon mut joo",
    ),
    (
        Language::German,
        "und der die das ist nicht ein eine einen zu mit den von auf für dem im sich es auch an werden aus er \
         hat dass sie nach wird bei einer um am sind noch wie einem über so zum war haben nur oder aber vor \
         zur bis mehr durch man dann soll ich du wir ihr mich dich uns euch mein dein sein kein keine was wer \
         wo wann warum wenn weil schon sehr immer hier jetzt bitte danke alle",
    ),
    (
        Language::French,
        "le la les de des du et est un une que qui dans pour pas sur au aux avec ce il elle ils nous vous je \
         tu ne se son sa ses leur mais ou où par plus tout être avoir fait comme cette ces mon ma mes ton ta \
         tes votre notre sont ont très bien aussi si non oui pourquoi quand comment merci bonjour c'est",
    ),
    (
        Language::Spanish,
        "el la los las de del y es un una que en por para no con se su sus lo como más pero al le ya o este \
         esta sí porque cuando muy sin sobre también me hasta hay donde quien desde todo nos todos uno les \
         ni contra otros ese eso ante ellos esto mí antes algunos qué yo tú él nosotros son está están hola \
         gracias usted mi tu",
    ),
    (
        Language::Polish,
        "i w na nie się jest to że z do co jak ale po o za od tak ja ty on ona my wy oni ten ta te tego tej \
         tym tych był była było są być dla czy już tylko bardzo przez przy kiedy gdzie dlaczego kto który \
         która które mój moja twój jego jej ich nas was mnie ciebie może też więc bo dziękuję proszę gmina",
    ),
    (
        Language::SerboCroatian,
        "i je u da se na za su ne od sa to što koji koja koje kao ali ili bi ako samo već još kako gdje gde \
         kada zašto tko ko ja ti on ona mi vi oni moj tvoj njegov naš vaš bio bila bilo biti sam si smo ste \
         nije nisu nema ima sve svi ovo ovaj taj kod iz po pre prije hvala molim jer",
    ),
    (
        Language::Albanian,
        "dhe në të një i e është për me nga që u si ka do më nuk ai ajo ne ju ata ato kjo ky këto por ose \
         edhe jam je jemi janë kam ke kemi kanë çfarë pse kur ku kush mund duhet shumë vetëm tani këtu atje \
         faleminderit mos s'ka as po jo im yt tij saj tyre",
    ),
    (
        Language::Turkish,
        "ve bir bu da de için ile çok ne var yok mi mı ben sen o biz siz onlar ama gibi daha en olarak \
         kadar sonra önce değil her şey nasıl neden nerede kim hangi bana sana ona bizim sizin evet hayır \
         olan oldu olur ki ya şu iyi güzel lütfen beni seni",
    ),
    (
        Language::Kurdish,
        "û li ji bo di de da ku ez tu ew em hûn wan min te wî wê me we jî ne na her bi bê çi kî kengî çima \
         çawa li ser heye tune bû bûn dike dikin nav hemû gelek niha spas erê ev vê vî yê yên wek lê",
    ),
    (
        Language::Somali,
        "waa iyo in oo ka ku u la ah ay uu aan aad soo si ma waxaa waxay wuxuu laakiin mid ayaa ayuu ayay \
         waxa marka hadii haddii sida dad dadka wax kale aniga adiga isaga iyada anaga idinka maxaa yaa \
         goorma halkee sidee haa maya mahad fadlan badan kasta kani tan kuwa caruurta qof ugu kala",
    ),
    (
        Language::Romanian,
        "și si este nu la de în cu pe că ce un o din pentru mai care am ai are au sunt fost ca să al ale \
         lui ei noi voi eu tu el ea ele dar sau dacă când unde cine cum foarte doar acum aici acolo tot toate \
         asta acest această mulțumesc bine fără după",
    ),
];
