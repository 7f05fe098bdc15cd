//! What people write in the year: our own sentences, harmless ones and such as a person has to look at, each with what
//! it is to be found as. All names and numbers are made up (telephone numbers from the series for fiction).

use crate::domain::category::Category;
use crate::services::tests::schedules::faults::Random;

/// Who writes.
pub const NAMES: &[&str] = &[
    "Robin Påhitt",
    "Love Provare",
    "Mika Fiktivsson",
    "Tintin Låtsas",
    "Alex Sagobarn",
    "Charlie Exempelgren",
    "Sam Hittepåsson",
    "Noa Provrum",
];

const OPENINGS: &[&str] = &[
    "Tack för",
    "Så fint med",
    "Kul med",
    "Vi njuter av",
    "Härligt med",
    "Barnen gillade",
    "Äntligen kom",
    "Bra jobbat med",
    "Längtar till",
    "Vi bor nära",
    "Min morfar byggde",
    "Ser fram emot",
];
const THINGS: &[&str] = &[
    "badet",
    "biblioteket",
    "den nya bron",
    "parken",
    "dansbanan",
    "isbanan",
    "loppisen",
    "utställningen",
    "blommorna",
    "skolgården",
    "hembygdsdagen",
    "torghandeln",
    "lekplatsen",
    "cykelvägen",
    "konserten",
    "vandringsleden",
    "skidspåret",
    "bryggan",
    "växthuset",
    "caféet",
];
const PLACES: &[&str] = &[
    "Provdalen",
    "Exempelstad",
    "Granåsa",
    "Påhittsvik",
    "Låtsaslund",
    "Sagoby",
    "Fiktivholm",
    "Tänkeboda",
    "Björkdalen",
    "Hittepåköping",
    "Mellanby",
    "Övre Provet",
];
const WHENS: &[&str] = &[
    "i dag",
    "i går",
    "i helgen",
    "i morse",
    "i våras",
    "på lovet",
    "i juni",
    "till jul",
    "nästa vecka",
    "förra året",
    "på söndag",
    "nu i kväll",
];

fn pick<'t>(random: &mut Random, from: &[&'t str]) -> &'t str {
    from[random.below(from.len() as u64) as usize]
}

/// Something that nobody has to look at.
pub fn harmless(random: &mut Random) -> String {
    let [opening, thing, place, when] =
        [OPENINGS, THINGS, PLACES, WHENS].map(|words| pick(random, words));
    let text = match random.below(5) {
        0 => format!("{opening} {thing}!"),
        1 => format!("{opening} {thing} {when}."),
        2 => format!("{opening} {thing} i {place}."),
        3 => format!("{place}: {opening} {thing}."),
        _ => format!("{opening} {thing} i {place} {when}."),
    };
    // Eight words and more that many write nearly the same are a campaign, which somebody has to look at.
    match text.split_whitespace().count() {
        0..=6 => text,
        _ => format!("{opening} {thing}!"),
    }
}

/// Something that a person has to look at, and as what it is to be found.
pub fn flagged(random: &mut Random) -> (String, Category) {
    let [place, when] = [PLACES, WHENS].map(|words| pick(random, words));
    let name = pick(random, NAMES);
    let n = random.below(90) + 10;
    match random.below(16) {
        0 => (format!("Jag ska slå ihjäl dig, {name}."), Category::Threat),
        1 => (format!("Jag bryter benen av dig, {name}."), Category::Threat),
        2 => (format!("Du är dum i huvudet, {name}."), Category::Insult),
        3 => (format!("{name}, du är en fegis."), Category::Insult),
        4 => (format!("Vilken jävla kukväg ni byggt {when}."), Category::Profanity),
        5 => (format!("Vilken jävla kukväg i {place}."), Category::Profanity),
        6 => (format!("Min mamma svarar på 031-39006{n}."), Category::PersonalData),
        7 => (format!("Mitt hemnummer är 031-39006{n}."), Category::PersonalData),
        8 => (format!("Invandrarna förökar sig som råttor i {place}."), Category::Hate),
        9 => ("Mitt nummer 19121212-1212 gäller fortfarande.".to_owned(), Category::PersonalId),
        10 => (format!("Kostar det {n} kr att bada?"), Category::Question),
        11 => (format!("Kostar det {n} kr i {place}?"), Category::Question),
        12 => (format!("Trafikljuset i {place} visar grönt åt båda hållen."), Category::Case),
        13 => (format!("Bilverkstaden i {place}: hjulskifte {n} kr!"), Category::Commercial),
        14 => (format!("Hundtrim i {place}, nya kunder halva priset."), Category::Commercial),
        _ => (format!("När öppnar badhuset i {place}?"), Category::Question),
    }
}
