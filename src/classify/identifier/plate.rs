//! Number plates (*registreringsnummer*): three letters and three characters, by the rules of
//! *Transportstyrelsen*.

/// The plate that begins at byte `at` of the original: where it ends. Written with capitals, with
/// or without a blank, hyphen or middle dot; in small letters only without.
pub fn at(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let letters = bytes.get(at..at + 3)?;
    let separator = match bytes.get(at + 3..)? {
        [b' ' | b'-', ..] => 1,
        // The unbroken blank and the middle dot.
        [0xC2, 0xA0 | 0xB7, ..] => 2,
        _ => 0,
    };
    let i = at + 3 + separator;
    let tail = bytes.get(i..i + 3)?;
    // Behind most words stands another.
    if !tail[..2].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let capitals = letters.iter().all(u8::is_ascii_uppercase);
    let small = letters.iter().all(u8::is_ascii_lowercase);
    if !(capitals || small)
        || !letters.iter().copied().all(is_letter)
        || !borders(text[..at].chars().next_back())
    {
        return None;
    }
    // Nobody sets a dot between a word and a number.
    let dotted = bytes.get(at + 4) == Some(&0xB7) && separator == 2;
    let separated = separator > 0;
    let tail_fits = is_last(tail[2])
        && (tail[2].is_ascii_digit() || tail[2].is_ascii_uppercase() == capitals || !separated);
    let end = i + 3;
    // Asked last: it goes through the whole list.
    let known = || WORDS.iter().any(|w| w.as_bytes().eq_ignore_ascii_case(letters));
    let fits = tail_fits
        && (capitals || !separated)
        && !(separated && !dotted && known())
        && borders(text[end..].chars().next())
        && !text[end..].starts_with("-")
        && !text[end..].starts_with(",0");
    fits.then_some(end)
}

/// The plate set apart sign by sign that begins at byte `at` of the original, all in capitals or
/// all in small letters: where it ends. Many things look like that; see [`is_clue`].
pub fn spaced(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let sign = |n: usize| bytes.get(at + 2 * n).copied();
    let apart = (1..6).all(|n| bytes.get(at + 2 * n - 1) == Some(&b' '));
    let letters = [sign(0)?, sign(1)?, sign(2)?];
    let case = |f: fn(&u8) -> bool| letters.iter().all(f);
    let end = at + 11;
    let fits = apart
        && (case(u8::is_ascii_uppercase) || case(u8::is_ascii_lowercase))
        && letters.into_iter().all(is_letter)
        && sign(3)?.is_ascii_digit()
        && sign(4)?.is_ascii_digit()
        && is_last(sign(5)?);
    let border = |c: Option<char>, next: Option<char>| {
        borders(c) && (c != Some(' ') || !next.is_some_and(|c| c.is_ascii_digit()))
    };
    let mut after = text.get(end..)?.chars();
    let mut before = text[..at].chars().rev();
    (fits && border(after.next(), after.next()) && border(before.next(), before.next()))
        .then_some(end)
}

/// Whether a word (folded) says that a plate stands near.
pub fn is_clue(word: &[u8]) -> bool {
    const STARTS: [&[u8]; 6] =
        [b"registrering", b"regnr", b"regnum", b"regskylt", b"skylt", b"nummer"];
    const WHOLE: [&[u8]; 11] = [
        b"reg",
        b"bil",
        b"bilen",
        b"bilens",
        b"bilar",
        b"nr",
        b"numret",
        b"fordon",
        b"fordonet",
        b"car",
        b"plate",
    ];
    STARTS.iter().any(|s| word.starts_with(s)) || WHOLE.contains(&word)
}

/// The letters of plates: I, Q and V are left out, and å, ä, ö.
fn is_letter(b: u8) -> bool {
    b.is_ascii_alphabetic() && !matches!(b.to_ascii_uppercase(), b'I' | b'Q' | b'V')
}

/// What may stand last: a digit, or a letter but O, which is too like a zero.
fn is_last(b: u8) -> bool {
    b.is_ascii_digit() || is_letter(b) && !b.eq_ignore_ascii_case(&b'o')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates_are_read_with_every_separator() {
        for text in ["APA123", "apa12c", "APA 123", "APA-12C", "APA·123", "ABC·123", "APA\u{A0}123"]
        {
            assert_eq!(at(text, 0), Some(text.len()), "{text}");
        }
        for text in
            ["ABC 123", "apa 123", "APA·12", "APA·1234", "APA·12O", "QPA·123", "APA· 123", "APA12°"]
        {
            assert_eq!(at(text, 0), None, "{text}");
        }
    }

    #[test]
    fn plates_set_apart_sign_by_sign_stand_alone() {
        for text in ["T B C 3 9 2", "t b c 3 9 c"] {
            assert_eq!(spaced(text, 0), Some(11), "{text}");
            assert_eq!(spaced(&format!("bil {text}, ja"), 4), Some(15), "{text}");
        }
        for text in ["T B c 3 9 2", "T B C 3 9", "T B C 3 9 2 1", "T B C 3 9 2a", "T B C  3 9 2"] {
            assert_eq!(spaced(text, 0), None, "{text}");
        }
        assert_eq!(spaced("å T B C 3 9 å", 3), None);
    }
}
