//! Who is named with an at sign in an internal note (*@namn*): by login, by whole name, or by a first name that
//! only one has.

use super::ids::UserId;

/// What a note is called in a case's history.
pub const NOTE: &str = "Anteckning";

/// Somebody who can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub user: UserId,
    /// Login name.
    pub login: String,
    /// Name.
    pub name: String,
}

/// A name that leads to nobody, or to several.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// Nobody is called that.
    #[error("nobody is called `{0}`")]
    Nobody(String),
    /// Several are.
    #[error("several are called `{0}`")]
    Several(String, Vec<String>),
}

impl Unclear {
    /// What to change, in Swedish.
    pub fn swedish(&self) -> String {
        match self {
            Self::Nobody(name) => format!(
                "Det finns ingen som heter @{name}. Skriv hela namnet eller inloggningsnamnet, eller ta bort snabel-a. Anteckningen är inte sparad."
            ),
            Self::Several(name, who) => format!(
                "Flera heter @{name}: {}. Skriv hela namnet. Anteckningen är inte sparad.",
                who.join(", ")
            ),
        }
    }
}

/// Letters of names: those that may stand within one.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '\'' | '’')
}

fn begins(text: &str, name: &str) -> bool {
    let mut text = text.chars().flat_map(char::to_lowercase);
    let whole = name.chars().flat_map(char::to_lowercase).all(|c| text.next() == Some(c));
    whole && !text.next().is_some_and(is_letter)
}

/// Who is named in a text, each once, in its order. An at sign within a word, as in a mail address, names nobody.
///
/// # Errors
/// [`Unclear`] for the first name that does not lead to one person.
pub fn named(text: &str, known: &[Known]) -> Result<Vec<UserId>, Unclear> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let before = text[..at].chars().next_back();
        let after = &text[at + 1..];
        if before.is_some_and(|c| is_letter(c) || c == '.') || !after.starts_with(is_letter) {
            continue;
        }
        // The longest that fits: Anna Berg Lund is not Anna Berg.
        let fits = |one: &Known| {
            let names = [&one.name, &one.login].into_iter().filter(|name| begins(after, name));
            names.map(|name| name.chars().count()).max()
        };
        let longest = known.iter().filter_map(fits).max();
        let whole: Vec<_> =
            known.iter().filter(|one| longest.is_some() && fits(one) == longest).collect();
        let user = match whole.as_slice() {
            [one] => one.user,
            several if !several.is_empty() => {
                let names = several.iter().map(|one| one.name.clone()).collect();
                let word = after.chars().take_while(|c| is_letter(*c)).collect();
                return Err(Unclear::Several(word, names));
            }
            _ => {
                let word: String = after.chars().take_while(|c| is_letter(*c)).collect();
                let first = |one: &&Known| {
                    one.name.split_whitespace().next().is_some_and(|first| begins(&word, first))
                };
                let so_called: Vec<_> = known.iter().filter(first).collect();
                match so_called.as_slice() {
                    [] => return Err(Unclear::Nobody(word)),
                    [one] => one.user,
                    several => {
                        let names = several.iter().map(|one| one.name.clone()).collect();
                        return Err(Unclear::Several(word, names));
                    }
                }
            }
        };
        if !found.contains(&user) {
            found.push(user);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn people() -> Vec<Known> {
        let one = |n, login: &str, name: &str| Known {
            user: UserId(n),
            login: login.into(),
            name: name.into(),
        };
        vec![
            one(1, "kim", "Kim Exempel"),
            one(2, "asa.e", "Åsa Exempel"),
            one(3, "asa2", "Åsa Påhitt"),
            one(4, "per-ola", "Per-Ola Exempel"),
        ]
    }

    #[test]
    fn names_logins_and_a_first_name_that_only_one_has_are_found() {
        for (text, who) in [
            ("Hej @kim!", Ok(vec![1])),
            ("@Kim Exempel och @åsa påhitt: läs", Ok(vec![1, 3])),
            ("@ASA.E, @kim. @kim", Ok(vec![2, 1])),
            ("@Per-Ola kan", Ok(vec![4])),
            ("kim@exempelstad.example eller a @ b, snabel @", Ok(vec![])),
            ("se x.@kim", Ok(vec![])),
            ("@Robin", Err(Unclear::Nobody("Robin".into()))),
            ("@kimmo", Err(Unclear::Nobody("kimmo".into()))),
            (
                "@Åsa vet",
                Err(Unclear::Several(
                    "Åsa".into(),
                    vec!["Åsa Exempel".into(), "Åsa Påhitt".into()],
                )),
            ),
        ] {
            let who = who.map(|who| who.into_iter().map(UserId).collect());
            assert_eq!(named(text, &people()), who, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_fault(text in "[@a-zåÅ .\\-\u{1F600}]{0,40}") {
            if let Ok(found) = named(&text, &people()) {
                prop_assert!(found.len() <= text.matches('@').count());
            }
        }
    }
}
