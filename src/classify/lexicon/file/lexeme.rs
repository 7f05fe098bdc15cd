//! A word as authors write it: form, paradigm, and what else is said of it.

use super::{Member, RawLexeme};

pub(super) fn read(text: &str, paradigm: &str, line: usize) -> Result<Member, String> {
    if let Some(class) = text.strip_prefix('@') {
        return Ok(Member::Class(class.to_owned(), line));
    }
    let mut words = text.split_whitespace();
    let word = words.next().unwrap_or_default().to_owned();
    if word.chars().any(char::is_uppercase) {
        return Err(format!("`{word}` har stor bokstav; ord skrivs med små"));
    }
    let mut lexeme = RawLexeme {
        word,
        paradigm: paradigm.to_owned(),
        first: None,
        last: None,
        stops: Vec::new(),
        exact: false,
        line,
    };
    for flag in words {
        if let Some(stops) = flag.strip_prefix("not=") {
            lexeme.stops = stops.split(',').map(str::to_owned).collect();
        } else if let Some(rest) = flag.strip_prefix("first") {
            let (form, class) = rest
                .split_once('@')
                .map_or((rest, None), |(form, class)| (form, Some(class.to_owned())));
            let form = match form.strip_prefix('=') {
                Some(form) => form,
                None if form.is_empty() => "",
                None => return Err(format!("`{flag}` förstås inte")),
            };
            lexeme.first = Some((form.to_owned(), class));
        } else if let Some(rest) = flag.strip_prefix("last") {
            lexeme.last = Some(match rest.strip_prefix('@') {
                Some(class) => Some(class.to_owned()),
                None if rest.is_empty() => None,
                None => return Err(format!("`{flag}` förstås inte")),
            });
        } else if flag == "exact" {
            lexeme.exact = true;
        } else if flag.starts_with(['n', 'a', 'v', 'x']) {
            lexeme.paradigm = flag.to_owned();
        } else {
            return Err(format!(
                "`{flag}` är varken böjningsmönster, first, last, not= eller exact"
            ));
        }
    }
    Ok(Member::Lexeme(lexeme))
}
