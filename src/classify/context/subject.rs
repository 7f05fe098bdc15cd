//! Whether a long text keeps to the subject of the post that it stands under (*håller sig till ämnet*).
//!
//! Rulebooks forbid what does not belong to the post's subject, and no program can judge that: short comments
//! that keep to it (*Äntligen!*, *Hur blir det med bussarna då?*) share no word with it as a rule. What can be seen
//! is that a text of some length shares *none* of its words of content with the post or with what it answers,
//! in no inflection and in no compound. That is a note for whoever reads, never more: on its own it opens no case.
//!
//! Held against 1,500 pairs of paragraphs of public prose that follow one another and 1,500 drawn at random, from
//! twenty words of content on each side: of those that belong together some 8 in a hundred share none
//! (the end of one article and the beginning of the next are among them), of those that do not, 55.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::finding;
use crate::classify::fold::Folded;
use crate::domain::category::{Category, Severity};
use crate::domain::verdict::Finding;

/// The rule's name.
pub const OTHER_SUBJECT: &str = "sammanhang.annat-ämne";

/// Words of content that both sides have to have: of fewer nothing can be said.
const FEWEST: usize = 20;
/// Words beyond this are not looked at: the time taken is bounded.
const MOST: usize = 400;
/// Letters of a word of content.
const SHORTEST: usize = 5;
/// Two words with so many letters in common at the front are one in two forms; a word with them anywhere in it
/// is a compound with the other.
const STEM: usize = 5;

/// Words of five letters or more that say nothing of what a text is about.
const EMPTY: &str = "\
    aldrig alla allas allihop allra alltid alltihop alltså andra andras annan annars annat bakom bara bland \
    bliva blivit borde borta bortom bäst bästa bättre därefter däremot därför därifrån därmed dessa dessas dessutom \
    detta egentligen egna eller emellan emellertid emot enbart endast enligt ersatt eventuellt faktiskt fanns finnas \
    finns fort fortfarande fram framför framåt från först första första förstås förut förutom ganska genast genom \
    gjord gjorde gjort gånger gärna gäller gällde gått gärna heller hellre helst hemma hennes hittills hoppas hoppats \
    huruvida hurdan håller höra hörde hört ibland icke ifall ifrån igenom igång ihop inför ingen ingenting inget inom \
    innan inte istället jämfört jätte kallas kanske klart komma kommer kommit knappt kunde kunna kunnat känner \
    kändes känns ligger liksom liten länge längre längs längst lämna låtit mellan medan mindre minst mitten måste mycket \
    många människa människor människorna nuvarande något någon någonsin någonstans någonting några nämligen närmare \
    nästa nästan ofta också olika otroligt plötsligt precis redan rent riktigt runt samma samman sammanlagt samt \
    samtidigt samtliga sedan senare senast senaste sådan sådana sådant själv själva sällan skall skulle \
    skriva skriver skrev ställe stället större största svårt säger säga sagde sagt särskilt sätta tagit tidigare \
    tillbaka tillräckligt tillsammans troligen trodde tror trots tycker tyckte tänker tänkte tyvärr under undrar \
    unge ungefär utan utanför uppåt vanlig vanligen vanligt vadå varandra varför varje varifrån varit varken vars \
    vartenda velat verkar verkligen vidare vilka vilkas vilken vilket ville vilja vissa visst visste väldigt väldig \
    åtminstone ändå ännu även överallt östra säkert självklart";

/// The same in matching form.
static EMPTY_FOLDED: LazyLock<BTreeSet<Vec<u8>>> =
    LazyLock::new(|| words_of(EMPTY).into_iter().collect());

/// Words of letters, in matching form.
fn words_of(text: &str) -> Vec<Vec<u8>> {
    let mut folded = Folded::default();
    folded.fold(text);
    let is_letter = |b: &u8| b.is_ascii_alphabetic() || *b >= 0x80;
    let words = folded.bytes().split(|b| !is_letter(b)).filter(|word| !word.is_empty());
    words.map(<[u8]>::to_vec).collect()
}

/// Words that say what a text is about, each once.
fn content(text: &str) -> BTreeSet<Vec<u8>> {
    let says = |word: &Vec<u8>| {
        String::from_utf8_lossy(word).chars().count() >= SHORTEST && !EMPTY_FOLDED.contains(word)
    };
    words_of(text).into_iter().filter(says).take(MOST).collect()
}

/// Whether `word` has the first letters of `other` anywhere in it.
fn holds(word: &[u8], other: &[u8]) -> bool {
    other.get(..STEM).is_some_and(|stem| word.windows(STEM).any(|part| part == stem))
}

/// A note where a long text shares no word of content with the post or with what it answers. Nothing is said of
/// short ones, nor where the post has few words.
pub(super) fn judge(text: &str, post: &str, parent: Option<&str>) -> Option<Finding> {
    let said = content(text);
    if said.len() < FEWEST {
        return None;
    }
    let about = content(post);
    if about.len() < FEWEST {
        return None;
    }
    let answered = parent.map(content).unwrap_or_default();
    let mut known = about.iter().chain(&answered);
    if known.any(|word| said.iter().any(|own| holds(own, word) || holds(word, own))) {
        return None;
    }
    let why = "Texten är lång och delar inga sakord med inlägget den står under. Det kan vara ett annat ämne; läs och bedöm själv.";
    let legal = "sidans regler: håll dig till ämnet";
    Some(finding(Category::Spam, Severity::Low, OTHER_SUBJECT, why.to_owned(), legal))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str = "Nu startar ombyggnaden av simhallen vid Storgatan. Bassängerna töms på måndag, \
        omklädningsrummen renoveras och bastun får nya bänkar. Under tiden hänvisas skolklasser och föreningar till \
        badhuset i grannkommunen. Entrén stängs, caféet flyttar till ishallen och årskort förlängs automatiskt.";
    const PARK: &str = "Papperskorgarna längs promenaden svämmar över varje helg, fiskmåsar river ut matrester och \
        råttor springer mellan buskarna. Boende plockar skräp med egna handskar medan gräsmattan växer \
        okontrollerat. Parkförvaltningen borde schemalägga tömning kvällstid, montera lock, anställa \
        sommarungdomar samt bötfälla nedskräpare.";

    #[test]
    fn a_long_text_about_something_else_is_a_note_that_opens_no_case() {
        let found = judge(PARK, POST, None).expect("a note");
        assert_eq!((found.category, found.severity), (Category::Spam, Severity::Low));
        assert!(!found.opens_case());
    }

    #[test]
    fn one_word_in_common_in_any_form_is_enough_to_keep_to_the_subject() {
        for more in ["simhallarna", "årskorten", "nyrenoverade", "Bastubänk", "SKOLKLASSERNAS"] {
            let text = format!("{PARK} {more}");
            assert_eq!(judge(&text, POST, None), None, "{more}");
        }
        // What it answers counts as well.
        assert_eq!(judge(PARK, POST, Some("Men fiskmåsarna då?")), None);
    }

    #[test]
    fn of_short_texts_and_short_posts_nothing_is_said() {
        assert_eq!(judge("Äntligen! Hur blir det med bussarna då?", POST, None), None);
        assert_eq!(judge(PARK, "Vi har sommarstängt vecka 29.", None), None);
        // However often the same is said.
        assert_eq!(judge(&"papperskorgar överallt ".repeat(50), POST, None), None);
    }

    #[test]
    fn words_without_content_are_known_in_matching_form() {
        assert!(content("Därför måste människor också ändå kunna").is_empty());
    }
}
