//! Traps in single patterns, told by how they are written.

/// Why a pattern cannot mean what was meant, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub struct Trap {
    pub what: String,
    pub mend: String,
}

/// Words that hardly ever stand for a whole idea: last or first among alternatives whose others
/// do, they belong to a phrase.
const OF_PHRASES: [&str; 30] = [
    "i", "på", "av", "till", "om", "för", "med", "en", "ett", "att", "som", "upp", "ner", "ned",
    "ut", "in", "bort", "fram", "från", "hos", "under", "över", "efter", "mot", "emot", "ihjäl",
    "åt", "vid", "ur", "utav",
];
/// Words that stand well beside those: `bakom|i huvudet`, `någon|en`, `you|i`.
const OF_THEIR_KIND: [&str; 18] = [
    "bakom", "framför", "undan", "omkull", "hit", "dit", "hem", "hemma", "förbi", "tillbaka",
    "den", "det", "någon", "nån", "er", "sig", "we", "you",
];
/// Of these, those that nearly always begin a phrase.
const ARTICLES: [&str; 2] = ["en", "ett"];

/// The names of classes in a pattern.
pub fn classes(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', '|', '&', '!', '(', ')', '?', '^', '*', '<', '>'])
        .filter_map(|part| part.strip_prefix('@'))
}

/// The plain words of a pattern; those of phrases one by one.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .filter(|piece| !matches!(*piece, "<" | ">"))
        .flat_map(|piece| {
            match piece.strip_prefix('*') {
                // Behind the sign stands what may not be in the gap.
                Some(gap) => gap.split_once('!').map_or("", |(_, without)| without),
                None => piece.trim_start_matches(['^', '!']).trim_end_matches('?'),
            }
            .split(['|', '&', '(', ')'])
        })
        .filter(|word| !word.contains(['@', '%']))
        .flat_map(|word| word.trim_start_matches('!').split('_'))
        .filter(|word| !word.is_empty())
}

/// Every trap in a pattern.
pub fn traps(text: &str) -> Vec<Trap> {
    let pieces: Vec<&str> = text.split_whitespace().collect();
    let mut traps = Vec::new();
    borders(&pieces, &mut traps);
    for (at, piece) in pieces.iter().enumerate() {
        contradiction(piece, &mut traps);
        let Some(alternatives) = plain(piece) else { continue };
        if alternatives.len() < 2 {
            continue;
        }
        let of_phrase = |word: &&str| OF_PHRASES.contains(word);
        let beside = |word: &&str| of_phrase(word) || OF_THEIR_KIND.contains(word);
        let only = alternatives.iter().filter(|word| beside(word)).count() == 1;
        // Beside a single word it is most often meant as it stands: `full av|fart`.
        let is_list = |at: usize, word: &str| {
            let fewest = if ARTICLES.contains(&word) { 1 } else { 2 };
            let words = pieces.get(at).and_then(|piece| plain(piece));
            words.is_some_and(|words| words.len() >= fewest)
        };
        let (first, last) = (alternatives[0], alternatives[alternatives.len() - 1]);
        if only && of_phrase(&last) && is_list(at + 1, last) {
            let next = plain(pieces[at + 1]).map_or("", |words| words[0]);
            traps.push(phrase(last, next));
        }
        if only && of_phrase(&first) && at > 0 && is_list(at - 1, first) {
            let before = plain(pieces[at - 1]).and_then(|w| w.last().copied()).unwrap_or_default();
            traps.push(phrase(before, first));
        }
    }
    negated(&pieces, &mut traps);
    traps
}

fn phrase(first: &str, second: &str) -> Trap {
    Trap {
        what: format!("`|` skiljer bara ord åt, så `{first} {second}` läses inte som en fras"),
        mend: format!("Menades frasen, skriv `{first}_{second}` bland alternativen"),
    }
}

/// The alternatives of a piece that holds plain words alone.
fn plain(piece: &str) -> Option<Vec<&str>> {
    let piece = piece.trim_start_matches('^').trim_end_matches('?');
    let is_plain =
        !piece.is_empty() && !piece.contains(['@', '%', '&', '*', '!', '<', '>', '_', '(']);
    is_plain.then(|| piece.split('|').collect())
}

/// Whether a token must stand there.
fn is_required(piece: &str) -> bool {
    let is_width = !matches!(piece, "<" | ">" | "%asks" | "%asks_text");
    is_width && !piece.starts_with(['*', '!']) && !piece.ends_with('?')
}

/// `<` behind a word and `>` before one: nothing stands there.
fn borders(pieces: &[&str], traps: &mut Vec<Trap>) {
    if pieces.iter().any(|piece| piece.starts_with("**")) {
        return;
    }
    for (at, piece) in pieces.iter().enumerate() {
        let (beyond, mend) = match *piece {
            "<" => (&pieces[..at], "Ställ `<` först"),
            ">" => (&pieces[at + 1..], "Ställ `>` sist"),
            _ => continue,
        };
        if beyond.iter().any(|piece| is_required(piece)) {
            traps.push(Trap {
                what: format!("`{piece}` kan aldrig stämma här: det står ord på fel sida om det"),
                mend: mend.to_owned(),
            });
        }
    }
}

/// `a&!a` is nothing.
fn contradiction(piece: &str, traps: &mut Vec<Trap>) {
    for word in piece.trim_start_matches('^').split('|').filter(|word| word.contains('&')) {
        let parts: Vec<&str> = word.split('&').collect();
        let twice = parts
            .iter()
            .find(|part| part.strip_prefix('!').is_some_and(|not| parts.contains(&not)));
        if let Some(part) = twice {
            traps.push(Trap {
                what: format!("`{word}` kan aldrig stämma: `{part}` utesluter det andra"),
                mend: "Ta bort det ena".to_owned(),
            });
        }
    }
}

/// `!a a`: what may not come next is just what must. Looking goes outwards from `^`, so before it
/// the word to the left is the next.
fn negated(pieces: &[&str], traps: &mut Vec<Trap>) {
    let Some(anchor) = pieces.iter().position(|piece| piece.starts_with('^')) else { return };
    for (at, piece) in pieces.iter().enumerate() {
        let Some(not) = piece.strip_prefix('!') else { continue };
        let next = if at > anchor { at.checked_add(1) } else { at.checked_sub(1) };
        let Some(next) = next.and_then(|at| pieces.get(at)) else { continue };
        let not: Vec<&str> = not.split('|').collect();
        let next_words = next.trim_start_matches('^');
        if is_required(next) && next_words.split('|').all(|word| not.contains(&word)) {
            traps.push(Trap {
                what: format!("`{piece}` utesluter `{next}`, så mönstret kan aldrig stämma"),
                mend: "Ta bort det ena".to_owned(),
            });
        }
    }
}
