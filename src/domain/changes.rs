//! What was changed between two texts, word by word, for somebody who decided on the one before.

/// So many words on either side are compared; what lies between equal ends is then shown as replaced.
const MOST_WORDS: usize = 600;

/// A stretch of text and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch<'a> {
    /// In both texts.
    Same(&'a str),
    /// In the one before alone.
    Gone(&'a str),
    /// In the one now alone.
    New(&'a str),
}

/// The words of a text, each with the blanks that follow it, so that all of them joined are the text.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut in_blanks) = (0, false);
    for (at, c) in text.char_indices() {
        if in_blanks && !c.is_whitespace() {
            words.push(&text[start..at]);
            start = at;
        }
        in_blanks = c.is_whitespace();
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

/// The longest common subsequence of words, as pairs of places.
fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut longest = vec![0_u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// The stretches of both texts in reading order. All that are not [`Stretch::New`] make the text before, all
/// that are not [`Stretch::Gone`] the text now. Takes time by the product of both lengths, at most
/// [`MOST_WORDS`] each.
pub fn between<'a>(old: &'a str, new: &'a str) -> Vec<Stretch<'a>> {
    of_units(old, new, &words(old), &words(new))
}

/// The same line by line, for what people write in lines: a file of settings.
pub fn by_lines<'a>(old: &'a str, new: &'a str) -> Vec<Stretch<'a>> {
    let lines = |text: &'a str| text.split_inclusive('\n').collect::<Vec<_>>();
    of_units(old, new, &lines(old), &lines(new))
}

/// Over texts that were cut into `a` and `b` without leaving anything out.
fn of_units<'a>(old: &'a str, new: &'a str, a: &[&'a str], b: &[&'a str]) -> Vec<Stretch<'a>> {
    let ahead = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (rest_a, rest_b) = (&a[ahead..], &b[ahead..]);
    let behind = rest_a.iter().rev().zip(rest_b.iter().rev()).take_while(|(x, y)| x == y).count();
    let middle_a = &rest_a[..rest_a.len() - behind];
    let middle_b = &rest_b[..rest_b.len() - behind];
    let mut pairs: Vec<(usize, usize)> = (0..ahead).map(|n| (n, n)).collect();
    if middle_a.len() <= MOST_WORDS && middle_b.len() <= MOST_WORDS {
        pairs.extend(common(middle_a, middle_b).iter().map(|(i, j)| (i + ahead, j + ahead)));
    }
    pairs.extend((0..behind).map(|n| (a.len() - behind + n, b.len() - behind + n)));
    // An end after all, so that what stands last is told too.
    pairs.push((a.len(), b.len()));

    let offsets = |words: &[&str]| {
        let mut at = 0;
        let mut ends = vec![0];
        ends.extend(words.iter().map(|word| {
            at += word.len();
            at
        }));
        ends
    };
    let (at_a, at_b) = (offsets(a), offsets(b));
    let (mut i, mut j, mut same_from) = (0, 0, None);
    let mut stretches = Vec::new();
    for (x, y) in pairs {
        if x > i || y > j {
            if let Some(from) = same_from.take() {
                stretches.push(Stretch::Same(&new[at_b[from]..at_b[j]]));
            }
            if x > i {
                stretches.push(Stretch::Gone(&old[at_a[i]..at_a[x]]));
            }
            if y > j {
                stretches.push(Stretch::New(&new[at_b[j]..at_b[y]]));
            }
        }
        if y < b.len() && x < a.len() {
            same_from.get_or_insert(y);
        }
        (i, j) = (x + 1, y + 1);
    }
    if let Some(from) = same_from {
        stretches.push(Stretch::Same(&new[at_b[from]..]));
    }
    stretches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(old: &str, new: &str) -> String {
        let mark = |stretch: &Stretch<'_>| match stretch {
            Stretch::Same(words) => (*words).to_owned(),
            Stretch::Gone(words) => format!("[-{words}-]"),
            Stretch::New(words) => format!("[+{words}+]"),
        };
        between(old, new).iter().map(mark).collect()
    }

    #[test]
    fn what_was_changed_in_a_file_is_told_by_its_lines() {
        let told = by_lines("a = 1\nb = 2\nc = 3\n", "a = 1\nb = 4\nc = 3\n");
        let expected = [
            Stretch::Same("a = 1\n"),
            Stretch::Gone("b = 2\n"),
            Stretch::New("b = 4\n"),
            Stretch::Same("c = 3\n"),
        ];
        assert_eq!(told, expected);
        assert_eq!(by_lines("a\n", "a\n"), [Stretch::Same("a\n")]);
    }

    #[test]
    fn what_was_changed_is_told_by_words() {
        for (old, new, expected) in [
            ("Jag kommer inte hem", "Jag kommer hem", "Jag kommer [-inte -]hem"),
            ("Bra", "Bra skola", "[-Bra-][+Bra skola+]"),
            ("a b c d e", "a x c y e", "a [-b -][+x +]c [-d -][+y +]e"),
            ("", "nytt", "[+nytt+]"),
            ("gammalt", "", "[-gammalt-]"),
            ("lika", "lika", "lika"),
            ("", "", ""),
        ] {
            assert_eq!(told(old, new), expected, "{old} / {new}");
        }
    }

    #[test]
    fn long_texts_are_told_as_replaced_where_they_differ() {
        let long = |word: &str| format!("början {}slut", format!("{word} ").repeat(MOST_WORDS + 1));
        let (old, new) = (long("a"), long("b"));
        assert_eq!(between(&old, &new).len(), 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn both_texts_are_in_it_whole(old in "[ab å\n]{0,30}", new in "[ab å\n]{0,30}") {
            let stretches = between(&old, &new);
            let before: String = stretches.iter().filter_map(|s| match s {
                Stretch::Same(words) | Stretch::Gone(words) => Some(*words),
                Stretch::New(_) => None,
            }).collect();
            let now: String = stretches.iter().filter_map(|s| match s {
                Stretch::Same(words) | Stretch::New(words) => Some(*words),
                Stretch::Gone(_) => None,
            }).collect();
            prop_assert_eq!(before, old);
            prop_assert_eq!(now, new);
        }
    }
}
