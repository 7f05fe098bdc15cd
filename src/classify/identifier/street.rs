//! Street addresses: a name that ends as streets do, and a house number.

use crate::classify::tokens::{Kind, Token};

/// How names of streets end, whatever stands before.
const STRONG: &[&str] = &[
    "gatan",
    "vägen",
    "vagen",
    "stigen",
    "gränden",
    "granden",
    "gränd",
    "torget",
    "backen",
    "allén",
    "esplanaden",
    "kajen",
    "slingan",
    "rundan",
    "svängen",
    "svangen",
    "brinken",
    "stråket",
];

/// Endings that many other words have too: only after a name of four bytes or more.
const WEAK: &[&str] = &[
    "leden",
    "ringen",
    "gården",
    "kullen",
    "åsen",
    "ängen",
    "hagen",
    "höjden",
    "allen",
    "dalen",
    "kroken",
    "lyckan",
    "kvarnen",
    "bågen",
    "gärdet",
    "terrassen",
    "stranden",
];

/// What stands alone after a name in the genitive: *Karl Johans gata*.
const ALONE: &[&str] =
    &["gata", "väg", "vag", "gränd", "plan", "plats", "torg", "allé", "stig", "backe"];

/// Words with such an ending that name no street: kinds of roads, other things.
const NO_STREET: &[&str] = &[
    "motorvägen",
    "cykelvägen",
    "gångvägen",
    "riksvägen",
    "länsvägen",
    "bilvägen",
    "hemvägen",
    "landsvägen",
    "europavägen",
    "järnvägen",
    "sidogatan",
    "gågatan",
    "utvägen",
    "infartsvägen",
    "genomfartsvägen",
    "omvägen",
    "huvudvägen",
    "huvudleden",
    "skogsvägen",
    "grusvägen",
    "bussgatan",
    "tvärgatan",
    "bostadsgatan",
    "halvvägen",
    "luftvägen",
    "vattenvägen",
    "ringvägen",
    "skolgården",
    "sjukhusgården",
    "fritidsgården",
    "vårdgården",
    "bondgården",
    "herrgården",
    "innergården",
    "bakgården",
    "kyrkogården",
    "skidbacken",
    "pulkabacken",
    "badstranden",
    "cykelleden",
    "vandringsleden",
    "europaleden",
    "budgeten",
    "marknadstorget",
    "busstorget",
    "modellen",
    "skivallen",
    "fotbollsvallen",
    "intervallen",
    "medaljen",
    "skandalen",
    "sandalen",
    "pedalen",
    "lokalen",
    "avdalen",
    "förvaltningen",
    "turistbacken",
    "förordningen",
    "sjuklingen",
];

/// What stands after a number that is no house number.
const UNITS: &[&str] = &[
    "km",
    "m",
    "meter",
    "mil",
    "kr",
    "kronor",
    "kl",
    "gånger",
    "ggr",
    "år",
    "dagar",
    "dygn",
    "st",
    "stycken",
    "procent",
    "veckor",
    "månader",
    "timmar",
    "tim",
    "min",
    "minuter",
    "personer",
    "bilar",
    "hus",
    "träd",
    "lampor",
    "januari",
    "februari",
    "mars",
    "april",
    "maj",
    "juni",
    "juli",
    "augusti",
    "september",
    "oktober",
    "november",
    "december",
    "h",
    "miljoner",
    "mkr",
    "mnkr",
    "tusen",
    "maj",
    "lägenheter",
    "platser",
    "cyklar",
    "olyckor",
];

/// The street address whose house number is the token `at`; gives the byte where its name begins
/// and the byte where it ends.
pub fn at(text: &[u8], tokens: &[Token], at: usize) -> Option<(u32, u32)> {
    let number = &tokens[at];
    let before = at.checked_sub(1).map(|i| &tokens[i])?;
    if before.kind != Kind::Word || !is_house(text, number) {
        return None;
    }
    // An abbreviated name ends with its full stop: *Storg. 5*.
    let between = &text[before.end as usize..number.start as usize];
    let stop = match between {
        b". " | b"." => true,
        b" " | [0xC2, 0xA0] if before.sentence == number.sentence => false,
        _ => return None,
    };
    let name = &text[before.start as usize..before.end as usize];
    if NO_STREET.iter().any(|w| w.as_bytes() == name) {
        return None;
    }
    let start = match shape(name, stop)? {
        Shape::Whole => before.start,
        Shape::Alone => {
            let genitive = at.checked_sub(2).map(|i| &tokens[i])?;
            let word = &text[genitive.start as usize..genitive.end as usize];
            let own = genitive.kind == Kind::Word && word.len() > 3 && word.ends_with(b"s");
            if !own || genitive.sentence != number.sentence {
                return None;
            }
            genitive.start
        }
    };
    let mut end = number.end;
    let mut next = at + 1;
    if let Some(letter) = tokens.get(next)
        && letter.kind == Kind::Word
        && letter.end - letter.start == 1
        && letter.start == number.end + 1
        && text[letter.start as usize].is_ascii_lowercase()
        && !matches!(text[letter.start as usize], b'i' | b'e' | b'o')
    {
        end = letter.end;
        next += 1;
    }
    let unit = tokens.get(next).is_some_and(|t| {
        t.sentence == number.sentence
            && UNITS.iter().any(|u| u.as_bytes() == &text[t.start as usize..t.end as usize])
    });
    let goes_on = text.get(number.end as usize).is_some_and(|b| matches!(b, b'%' | b':'))
        && text.get(number.end as usize + 1).is_some_and(u8::is_ascii_digit);
    let percent = text[end as usize..].trim_ascii_start().first() == Some(&b'%');
    (!unit && !goes_on && !percent).then_some((start, end))
}

/// How a word names a street.
enum Shape {
    /// By itself.
    Whole,
    /// With the name before it.
    Alone,
}

fn shape(name: &[u8], stop: bool) -> Option<Shape> {
    let after = |endings: &[&str], least: usize| {
        endings.iter().any(|e| name.len() >= e.len() + least && name.ends_with(e.as_bytes()))
    };
    if stop {
        return after(&["g", "v"], 4).then_some(Shape::Whole);
    }
    if after(STRONG, 2) || after(WEAK, 4) {
        Some(Shape::Whole)
    } else {
        ALONE.iter().any(|w| w.as_bytes() == name).then_some(Shape::Alone)
    }
}

/// One to three figures, perhaps with a letter: *14*, *14b*.
fn is_house(text: &[u8], token: &Token) -> bool {
    let word = &text[token.start as usize..token.end as usize];
    let digits = word.iter().take_while(|b| b.is_ascii_digit()).count();
    let letters = &word[digits..];
    (1..=3).contains(&digits)
        && word[0] != b'0'
        && letters.len() <= 1
        && letters.iter().all(u8::is_ascii_lowercase)
}
