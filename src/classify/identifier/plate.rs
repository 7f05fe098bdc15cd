//! Number plates (*registreringsnummer*): three letters and three characters, by the rules of
//! *Transportstyrelsen*.

/// The plate that begins at byte `at` of the original: where it ends. Written with capitals, with
/// or without a blank or hyphen; in small letters only without.
pub fn at(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let letters = bytes.get(at..at + 3)?;
    let capitals = letters.iter().all(u8::is_ascii_uppercase);
    let small = letters.iter().all(u8::is_ascii_lowercase);
    let allowed = letters
        .iter()
        .all(|b| b.is_ascii_alphabetic() && !matches!(b.to_ascii_uppercase(), b'I' | b'Q' | b'V'));
    if !(capitals || small) || !allowed || !borders(text[..at].chars().next_back()) {
        return None;
    }
    let (mut i, separated) = match bytes.get(at + 3)? {
        b' ' | b'-' | 0xB7 => (at + 4, true),
        0xC2 if bytes.get(at + 4) == Some(&0xA0) => (at + 5, true),
        _ => (at + 3, false),
    };
    if bytes.get(i) == Some(&b' ') && separated {
        return None;
    }
    let tail = bytes.get(i..i + 3)?;
    let last = tail[2].to_ascii_uppercase();
    let tail_fits = tail[..2].iter().all(u8::is_ascii_digit)
        && (last.is_ascii_digit()
            || last.is_ascii_alphabetic()
                && !matches!(last, b'I' | b'Q' | b'V' | b'O')
                && (tail[2].is_ascii_uppercase() == capitals || !separated));
    i += 3;
    // Asked last: it goes through the whole list.
    let known = || WORDS.iter().any(|w| w.as_bytes().eq_ignore_ascii_case(letters));
    let fits = tail_fits
        && (capitals || !separated)
        && !(separated && known())
        && borders(text[i..].chars().next())
        && !text[i..].starts_with("-")
        && !text[i..].starts_with(",0");
    fits.then_some(i)
}

fn borders(c: Option<char>) -> bool {
    c.is_none_or(|c| !c.is_alphanumeric())
}

/// Words and well-known abbreviations of three letters that stand before numbers.
const WORDS: &[&str] = &[
    "det", "och", "som", "med", "har", "den", "att", "var", "kan", "ska", "men", "sen", "nya",
    "alla", "fem", "sex", "sju", "tre", "kostar", "mot", "hos", "ner", "upp", "per", "tel", "sal",
    "rum", "mat", "eng", "sfs", "skr", "sou", "kap", "art", "par", "sek", "eur", "usd", "cet",
    "gmt", "usb", "kwh", "abc", "nej", "dem", "dom", "han", "hon", "man", "oss", "mer", "max",
    "min", "nr", "dec", "nov", "okt", "aug", "jul", "jun", "maj", "apr", "mar", "feb", "jan",
    "ltd", "dnr", "tom", "fom", "kod", "pkt", "nbr", "ext", "ca",
];
