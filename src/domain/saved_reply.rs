//! Saved replies (*sparade svar*): texts of ours with fields in them. A field that is not known is refused when
//! the text is saved, and none is ever published unfilled.

use super::text::hidden_at;

/// Something that differs from case to case, written `{diarienummer}` in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// First name of whoever answers.
    FirstName,
    /// Their whole name.
    Name,
    /// Their title.
    Title,
    /// The diary number that the case was given.
    DiaryNumber,
    /// The account's name.
    Account,
    /// The unit that answers for the account (*verksamhet*).
    Unit,
    /// The authority's name.
    Authority,
    /// The link to the account's rules for comments.
    RulesLink,
}

impl Field {
    /// All of them, in the order in which they are told.
    pub const ALL: &[Self] = &[
        Self::FirstName,
        Self::Name,
        Self::Title,
        Self::DiaryNumber,
        Self::Account,
        Self::Unit,
        Self::Authority,
        Self::RulesLink,
    ];

    /// The word between the braces.
    pub const fn id(self) -> &'static str {
        match self {
            Self::FirstName => "förnamn",
            Self::Name => "namn",
            Self::Title => "titel",
            Self::DiaryNumber => "diarienummer",
            Self::Account => "konto",
            Self::Unit => "verksamhet",
            Self::Authority => "myndighet",
            Self::RulesLink => "länk",
        }
    }

    /// What stands there in the end, in Swedish.
    pub const fn label(self) -> &'static str {
        match self {
            Self::FirstName => "ditt förnamn",
            Self::Name => "ditt namn",
            Self::Title => "din titel",
            Self::DiaryNumber => "ärendets diarienummer",
            Self::Account => "kontots namn",
            Self::Unit => "verksamheten som ansvarar för kontot",
            Self::Authority => "myndighetens namn",
            Self::RulesLink => "länken till kontots regler för kommentarer",
        }
    }

    /// As it is written in a text.
    pub fn written(self) -> String {
        format!("{{{}}}", self.id())
    }

    /// The field with this word, however its letters are cased.
    pub fn from_id(id: &str) -> Option<Self> {
        let id = id.trim().to_lowercase();
        Self::ALL.iter().copied().find(|field| field.id() == id)
    }

    /// Whether it tells who answers, so that no signature is added.
    const fn signs(self) -> bool {
        match self {
            Self::FirstName | Self::Name => true,
            Self::Title
            | Self::DiaryNumber
            | Self::Account
            | Self::Unit
            | Self::Authority
            | Self::RulesLink => false,
        }
    }
}

/// Why a text cannot be saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nothing but blanks.
    #[error("it is empty")]
    Empty,
    /// More than [`LONGEST`] characters.
    #[error("it has {0} characters")]
    TooLong(usize),
    /// A brace that is not opened or not closed.
    #[error("a brace has no other")]
    LooseBrace,
    /// A field that there is not.
    #[error("there is no field `{0}`")]
    UnknownField(String),
    /// A character that nobody sees.
    #[error("it holds a hidden character")]
    Hidden,
}

impl Unusable {
    /// What to change, in Swedish.
    pub fn swedish(&self) -> String {
        let known = || {
            let all: Vec<_> = Field::ALL.iter().map(|field| field.written()).collect();
            all.join(", ")
        };
        match self {
            Self::Empty => "Skriv svarets text.".into(),
            Self::TooLong(n) => {
                format!("Svaret har {n} tecken; högst 5 000 får plats. Korta texten.")
            }
            Self::LooseBrace => format!(
                "En klammer saknar sin andra hälft. Klamrar står bara runt fält: {}.",
                known()
            ),
            Self::UnknownField(name) => format!(
                "Fältet {{{name}}} finns inte. De fält som finns är {}. Ändra stavningen eller ta bort klamrarna.",
                known()
            ),
            Self::Hidden => "Svaret innehåller tecken som inte syns men som kan ändra hur texten visas. Skriv stället för hand i stället för att klistra in det.".into(),
        }
    }
}

/// The longest text, in characters.
pub const LONGEST: usize = 5_000;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Field(Field),
}

/// A text whose fields are all known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyText {
    text: String,
    parts: Vec<Part>,
}

/// A text with what is known put in its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The text. What was not known stands as the field was written.
    pub text: String,
    /// The fields that nothing was known for, each once.
    pub missing: Vec<Field>,
}

impl ReplyText {
    /// Reads a text as a person wrote it.
    ///
    /// # Errors
    /// [`Unusable`], which a person mends.
    pub fn parse(typed: &str) -> Result<Self, Unusable> {
        let text = typed.replace("\r\n", "\n").trim().to_owned();
        if text.is_empty() {
            return Err(Unusable::Empty);
        }
        let length = text.chars().count();
        if length > LONGEST {
            return Err(Unusable::TooLong(length));
        }
        let unreadable = text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        if unreadable || !hidden_at(&text).is_empty() {
            return Err(Unusable::Hidden);
        }
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            let (words, brace) = rest.split_at(at);
            let inside = brace.strip_prefix('{').ok_or(Unusable::LooseBrace)?;
            let (name, after) = inside.split_once('}').ok_or(Unusable::LooseBrace)?;
            if name.contains('{') {
                return Err(Unusable::LooseBrace);
            }
            let field =
                Field::from_id(name).ok_or_else(|| Unusable::UnknownField(name.trim().into()))?;
            if !words.is_empty() {
                parts.push(Part::Words(words.to_owned()));
            }
            parts.push(Part::Field(field));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Words(rest.to_owned()));
        }
        Ok(Self { text, parts })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// With what is known in its fields; `signature` comes last unless a field tells who answers.
    pub fn fill(&self, known: impl Fn(Field) -> Option<String>, signature: Option<&str>) -> Ready {
        let mut ready = Ready { text: String::new(), missing: Vec::new() };
        for part in &self.parts {
            match part {
                Part::Words(words) => ready.text.push_str(words),
                Part::Field(field) => {
                    match known(*field).filter(|value| !value.trim().is_empty()) {
                        Some(value) => ready.text.push_str(value.trim()),
                        None => {
                            ready.text.push_str(&field.written());
                            if !ready.missing.contains(field) {
                                ready.missing.push(*field);
                            }
                        }
                    }
                }
            }
        }
        let signs = |part: &Part| matches!(part, Part::Field(field) if field.signs());
        if let Some(signature) = signature.filter(|_| !self.parts.iter().any(signs)) {
            ready.text.push_str("\n\n");
            ready.text.push_str(signature);
        }
        ready
    }
}

/// The longest word between braces that is taken for a field, in characters.
const LONGEST_FIELD: usize = 40;

/// The first field that stands unfilled in a text that is to be published, as it is written there: letters
/// between braces, whether there is such a field or not.
pub fn unfilled(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let inside = &rest[at + 1..];
        let field = inside.split_once('}').map(|(name, _)| name).filter(|name| {
            let letters = |c: char| c.is_alphabetic() || matches!(c, ' ' | '_' | '-');
            !name.trim().is_empty()
                && name.chars().count() <= LONGEST_FIELD
                && name.chars().all(letters)
        });
        if let Some(name) = field {
            return Some(&rest[at..at + name.len() + 2]);
        }
        rest = inside;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_filled_is_refused_with_words_that_tell_the_mend() {
        for (typed, why) in [
            ("  \n", Unusable::Empty),
            ("Hej {", Unusable::LooseBrace),
            ("Hej }", Unusable::LooseBrace),
            ("Hej {konto {namn}}", Unusable::LooseBrace),
            ("Hej {}", Unusable::UnknownField(String::new())),
            ("Ert {diarienumer}.", Unusable::UnknownField("diarienumer".into())),
            ("Hej\u{202e}!", Unusable::Hidden),
            ("Hej\u{7}!", Unusable::Hidden),
        ] {
            assert_eq!(ReplyText::parse(typed), Err(why), "{typed}");
        }
        let long = "å".repeat(LONGEST + 1);
        assert_eq!(ReplyText::parse(&long), Err(Unusable::TooLong(LONGEST + 1)));
        let said = Unusable::UnknownField("diarienumer".into()).swedish();
        assert!(said.starts_with("Fältet {diarienumer} finns inte."), "{said}");
        for field in Field::ALL {
            assert!(said.contains(&field.written()), "{field:?}");
        }
    }

    #[test]
    fn fields_are_filled_and_what_is_not_known_stays_to_be_seen() {
        let text =
            ReplyText::parse("Hej! Dnr {Diarienummer} på {konto}.\r\n{diarienummer}").unwrap();
        let known = |field| (field == Field::Account).then(|| " Provsidan ".to_owned());
        let ready = text.fill(known, Some("Kim, kommunikatör"));
        let said = "Hej! Dnr {diarienummer} på Provsidan.\n{diarienummer}\n\nKim, kommunikatör";
        assert_eq!((ready.text.as_str(), &ready.missing[..]), (said, &[Field::DiaryNumber][..]));
        assert_eq!(unfilled(&ready.text), Some("{diarienummer}"));
        // Who signs by a field is not signed for once more.
        let signed = ReplyText::parse("Tack! {förnamn}").unwrap();
        let ready = signed.fill(|_| Some("Kim".into()), Some("Kim, kommunikatör"));
        assert_eq!(ready.text, "Tack! Kim");
    }

    #[test]
    fn only_letters_between_braces_are_a_field() {
        for (text, found) in [
            ("Ert nummer är {diarienummer}.", Some("{diarienummer}")),
            ("Se {länk} och {namn}", Some("{länk}")),
            ("{{namn}}", Some("{namn}")),
            ("Mängden {1, 2} och {}", None),
            ("En { ensam", None),
            ("{a}} {namn}", Some("{a}")),
        ] {
            assert_eq!(unfilled(text), found, "{text}");
        }
    }

    proptest! {
        /// Whatever is saved can be filled, and then nothing is left of its fields.
        #[test]
        fn a_text_that_was_taken_is_filled_whole(
            words in proptest::collection::vec((0..Field::ALL.len(), "[a-zåäö .!\n]{0,12}"), 1..8)
        ) {
            let typed: String =
                words.iter().map(|(n, w)| format!("{w}{}", Field::ALL[*n].written())).collect();
            let text = ReplyText::parse(&typed).unwrap();
            let ready = text.fill(|_| Some("x".into()), Some("Kim"));
            prop_assert_eq!(unfilled(&ready.text), None);
            prop_assert!(ready.missing.is_empty());
            prop_assert_eq!(text.fill(|_| None, None).missing.is_empty(), false);
        }
    }
}
