//! Patterns: classes of words in order, with gaps, inside one sentence.
//!
//! | Written | Means |
//! | --- | --- |
//! | `dig` | the word |
//! | `dig\|er\|@klass` | any of these |
//! | `@klass&%name` `@klass&!@annan` | all of these at once |
//! | `@klass` | a word of the class |
//! | `%name` `%number` `%mention` `%picture` `%any` | a token of that kind |
//! | `%address` `%mail` `%phone` `%plate` … | a token with that mark ([`crate::classify::identifier::Mark`]) |
//! | `%address(@klass)` | an address with a word of the class inside |
//! | `*` `*5` | up to three (five) tokens of any kind |
//! | `*5!inte\|@klass` | the same, but none of them may be this |
//! | `**` `**5` | the same, and one border between sentences may be crossed |
//! | `ord?` | may be missing |
//! | `!ord` | the next token is not this |
//! | `%money` `%percent` `%hashtag` `%repeat` | a price, a share, a word behind `#`; the text repeats itself |
//! | `<` `>` | the sentence begins, ends here |
//! | `%asks` `%asks_text` | the sentence (some sentence) ends with a question mark |
//! | `^ord` | begin to look here (otherwise the first class that is not of everyday words) |

pub mod code;
mod stored;

use smallvec::SmallVec;

use crate::classify::rules::View;
use crate::classify::rules::everyday::Often;
use crate::classify::rules::pattern::code::Code;
use crate::classify::rules::sets::{Asked, Gate, Wanted, wanted};
use crate::classify::tokens::Kind;
use crate::classify::words::ClassId;

/// What one token must be: any one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Test {
    /// A word of one of the classes.
    pub classes: SmallVec<[ClassId; 4]>,
    /// A token of one of the kinds.
    pub kinds: SmallVec<[Kind; 2]>,
    /// A capitalised word inside a sentence.
    pub name: bool,
    /// A capitalised word anywhere.
    pub capital: bool,
    /// A word behind `#`.
    pub hashtag: bool,
    /// Any token of a text that repeats itself.
    pub repeat: Option<ClassId>,
    /// All of several at once.
    pub all: Vec<Vec<Literal>>,
    /// Any token at all.
    pub any: bool,
    /// An address (the first class) with a word of one of these classes inside.
    pub inside: Option<(ClassId, SmallVec<[ClassId; 4]>)>,
}

/// One of several things that a token must be at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// What.
    pub test: Test,
    /// It must not be that.
    pub not: bool,
}

impl Test {
    /// Classes of which the token must have one, where the test says so: what more it asks, and
    /// what is not said by classes, is left out.
    fn needs(&self) -> Option<SmallVec<[ClassId; 4]>> {
        let by_class = self.inside.is_none() && self.repeat.is_none();
        self.anchors().filter(|_| {
            by_class
                && self
                    .all
                    .iter()
                    .flatten()
                    .all(|l| l.test.inside.is_none() && l.test.repeat.is_none())
        })
    }

    /// Classes and kinds of which the token must have one, where they tell.
    fn wants(&self) -> Option<Wanted> {
        if self.kinds.is_empty() {
            return self.needs().map(|classes| wanted(&classes, &[]));
        }
        let plain = Self { kinds: SmallVec::new(), ..self.clone() };
        let classes = if plain == Self::default() { SmallVec::new() } else { plain.needs()? };
        Some(wanted(&classes, &self.kinds))
    }

    /// Words of classes that stand wherever the test passes, so that looking may begin there.
    fn anchors(&self) -> Option<SmallVec<[ClassId; 4]>> {
        if !self.kinds.is_empty() || self.name || self.capital || self.hashtag || self.any {
            return None;
        }
        let mut anchors = self.classes.clone();
        anchors.extend(self.inside.iter().map(|(address, _)| *address));
        anchors.extend(self.repeat);
        for literals in &self.all {
            anchors.extend(literals.iter().filter(|l| !l.not).find_map(|l| l.test.anchors())?);
        }
        (!anchors.is_empty()).then_some(anchors)
    }
}

/// One element of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// One token.
    One {
        /// What it must be.
        test: Test,
        /// It may be missing.
        optional: bool,
    },
    /// The next token is not this; takes up no token.
    Not(Test),
    /// Up to so many tokens.
    Gap {
        /// How many.
        most: u8,
        /// None of them may be this.
        without: Option<Test>,
        /// One border between sentences may be crossed.
        crosses: bool,
    },
    /// The sentence begins here.
    Begins,
    /// The sentence ends here.
    Ends,
    /// The sentence ends with a question mark.
    Asks,
    /// Some sentence of the text does.
    AsksText,
}

/// A pattern with the element where looking begins.
#[derive(Clone, Debug)]
pub struct Pattern {
    elements: Vec<Element>,
    anchor: usize,
    /// It may reach into a neighbouring sentence.
    crosses: bool,
    anchors: SmallVec<[ClassId; 4]>,
    /// What is run; see [`Pattern::prepare`].
    code: Code,
}

/// What can be told of a pattern without looking for it, places counted from its anchor.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// Words and kinds that must stand there.
    pub needs: Vec<Needed>,
    /// Where its sentence must begin, at the earliest and at the latest.
    pub begins: Option<(i16, i16)>,
    /// Where its sentence must be over.
    pub ends: Option<(i16, i16)>,
    /// Its sentence must ask, or some sentence of the text if the pattern crosses borders.
    pub asks: bool,
    /// It may reach into a neighbouring sentence; then nothing is said of where it begins or ends.
    pub crosses: bool,
}

/// A token that a pattern needs.
#[derive(Clone, Debug)]
pub struct Needed {
    /// A word of one of these classes.
    pub classes: SmallVec<[ClassId; 4]>,
    /// Or a token of one of these kinds.
    pub kinds: SmallVec<[Kind; 2]>,
    /// How many tokens behind the anchor it stands, at least; negative in front of it.
    pub least: i16,
    /// The same, at most.
    pub most: i16,
}

/// The tokens that a pattern took, in reading order; gaps are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Token indices, rising.
    pub tokens: SmallVec<[u32; 8]>,
}

impl Match {
    /// First and last token.
    pub fn bounds(&self) -> (usize, usize) {
        let first = self.tokens.first().copied().unwrap_or(0);
        (first as usize, self.tokens.last().copied().unwrap_or(first) as usize)
    }

    /// Whether the token is one of them.
    pub fn holds(&self, at: usize) -> bool {
        self.tokens.iter().any(|t| *t as usize == at)
    }

    /// Whether it shares ground with `lo..=hi`.
    pub fn overlaps(&self, lo: usize, hi: usize) -> bool {
        let (a, b) = self.bounds();
        a <= hi && lo <= b
    }
}

impl Outline {
    /// Goes through the elements to one side of the anchor, as looking does.
    fn go<'e>(&mut self, elements: impl Iterator<Item = &'e Element>, first: i16, step: i16) {
        // Where the next element may stand, nearest and farthest.
        let (mut near, mut far) = (first, first);
        for element in elements {
            match element {
                Element::One { test, optional } => {
                    if !optional && let Some((classes, kinds)) = test.wants() {
                        let (least, most) = (near.min(far), near.max(far));
                        self.needs.push(Needed { classes, kinds, least, most });
                    }
                    far += step;
                    near += if *optional { 0 } else { step };
                }
                Element::Gap { most, .. } => far += step * i16::from(*most),
                Element::Begins if step < 0 && !self.crosses => {
                    self.begins = Some((far + 1, near + 1));
                }
                Element::Ends if step > 0 && !self.crosses => self.ends = Some((near, far)),
                Element::Asks => self.asks = true,
                Element::Not(_) | Element::Begins | Element::Ends | Element::AsksText => {}
            }
        }
    }
}

/// What a pattern names, as the compiler of lexicons resolves it.
pub trait Resolve {
    /// The class of that name (without `@`).
    fn class(&mut self, name: &str) -> Option<ClassId>;
    /// The class of that single word.
    fn word(&mut self, word: &str) -> ClassId;
    /// Whether the class is one of everyday words.
    fn is_common(&self, class: ClassId) -> bool;
}

/// The longest gap.
const LONGEST_GAP: u8 = 12;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What cannot be understood, in Swedish.
    pub fn parse(text: &str, names: &mut impl Resolve) -> Result<Self, String> {
        let pattern = Self::parse_condition(text, names)?;
        if pattern.anchors.is_empty() {
            return Err("mönstret har inget ord eller ingen klass att börja vid".to_owned());
        }
        Ok(pattern)
    }

    /// As [`Self::parse`], for conditions: these need no listed word.
    ///
    /// # Errors
    /// What cannot be understood, in Swedish.
    pub fn parse_condition(text: &str, names: &mut impl Resolve) -> Result<Self, String> {
        let mut elements: Vec<Element> = Vec::new();
        let mut marked = None;
        for piece in text.split_whitespace() {
            let piece = match piece.strip_prefix('^') {
                Some(rest) => {
                    marked = Some(elements.len());
                    rest
                }
                None => piece,
            };
            elements.push(element(piece, names)?);
        }
        if elements.iter().all(|e| matches!(e, Element::Asks | Element::AsksText)) {
            // A condition on the text alone holds at any word of it.
            let test = Test { any: true, ..Test::default() };
            elements.push(Element::One { test, optional: false });
        }
        let listed = |e: &Element| match e {
            Element::One { test, optional: false } => test.anchors(),
            Element::One { optional: true, .. }
            | Element::Not(_)
            | Element::Gap { .. }
            | Element::Begins
            | Element::Ends
            | Element::Asks
            | Element::AsksText => None,
        };
        let anchor = match marked {
            Some(at) => Some(at),
            None => elements
                .iter()
                .position(|e| listed(e).is_some_and(|c| !c.iter().any(|c| names.is_common(*c))))
                .or_else(|| elements.iter().position(|e| listed(e).is_some()))
                .or_else(|| {
                    elements.iter().position(|e| matches!(e, Element::One { optional: false, .. }))
                }),
        };
        let anchor = anchor.ok_or("mönstret har inget ord som måste finnas")?;
        let Element::One { optional: false, .. } = &elements[anchor] else {
            return Err("^ ska stå vid ett ord eller en klass som måste finnas".to_owned());
        };
        let anchors = listed(&elements[anchor]).unwrap_or_default();
        let crosses = elements.iter().any(|e| matches!(e, Element::Gap { crosses: true, .. }));
        Ok(Self { elements, anchor, crosses, anchors, code: Code::default() })
    }

    /// The classes at which looking begins.
    pub fn anchors(&self) -> &[ClassId] {
        &self.anchors
    }

    /// Asks for the sets of words that it will need.
    pub fn ask(&self, asked: &mut Asked) {
        for element in &self.elements {
            match element {
                Element::One { test, .. }
                | Element::Not(test)
                | Element::Gap { without: Some(test), .. } => test.ask(asked),
                Element::Gap { without: None, .. }
                | Element::Begins
                | Element::Ends
                | Element::Asks
                | Element::AsksText => {}
            }
        }
    }

    /// Asks for those that its sentence must have, as well.
    pub fn ask_gate(&self, asked: &mut Asked, often: &Often) {
        self.needs_here(often).for_each(|(often, set)| asked.of_sentence(often, set));
    }

    /// Makes it ready to be looked for. Without this nothing is found.
    pub fn prepare(&mut self, asked: &Asked) {
        self.code = Code::new(&self.elements, self.anchor, Gate::default(), asked);
    }

    /// As [`Self::prepare`], for a pattern that asked for its gate.
    pub fn prepare_gated(&mut self, asked: &Asked, often: &Often) {
        let asks = !self.crosses && self.elements.contains(&Element::Asks);
        let gate = asked.gate(self.needs_here(often), asks);
        self.code = Code::new(&self.elements, self.anchor, gate, asked);
    }

    /// The sets that must stand in its sentence (or in the text, if it crosses).
    fn needs_here(&self, often: &Often) -> impl Iterator<Item = (f32, Wanted)> {
        let of = |e: &Element| match e {
            Element::One { test, optional: false } => test.wants(),
            Element::One { optional: true, .. }
            | Element::Not(_)
            | Element::Gap { .. }
            | Element::Begins
            | Element::Ends
            | Element::Asks
            | Element::AsksText => None,
        };
        self.elements.iter().filter_map(of).map(|set| (often.of(&set.0, &set.1), set))
    }

    /// Whether it may reach into a neighbouring sentence.
    pub fn crosses(&self) -> bool {
        self.crosses
    }

    /// What is run.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// Sets of classes; of each, a word must stand in the text for the pattern to be found.
    pub fn needs(&self) -> impl Iterator<Item = SmallVec<[ClassId; 4]>> {
        self.elements.iter().filter_map(|e| match e {
            Element::One { test, optional: false } => test.needs(),
            Element::One { optional: true, .. }
            | Element::Not(_)
            | Element::Gap { .. }
            | Element::Begins
            | Element::Ends
            | Element::Asks
            | Element::AsksText => None,
        })
    }

    /// What can be told of it without looking.
    pub fn outline(&self) -> Outline {
        let mut outline = Outline { crosses: self.crosses, ..Outline::default() };
        let (before, from) = self.elements.split_at(self.anchor);
        outline.go(before.iter().rev(), -1, -1);
        outline.go(from.iter(), 0, 1);
        outline
    }

    /// Whether the pattern is one element alone.
    pub fn is_single(&self) -> bool {
        self.elements.len() == 1
    }

    /// Looks for the pattern with its anchor at token `at`.
    #[inline]
    pub fn at(&self, view: &View<'_>, at: usize) -> Option<Match> {
        self.code.at(view, at)
    }
}

fn element(piece: &str, names: &mut impl Resolve) -> Result<Element, String> {
    if piece == "<" {
        return Ok(Element::Begins);
    }
    if piece == ">" {
        return Ok(Element::Ends);
    }
    if piece == "%asks" {
        return Ok(Element::Asks);
    }
    if piece == "%asks_text" {
        return Ok(Element::AsksText);
    }
    if let Some(rest) = piece.strip_prefix('*') {
        let (rest, crosses) = match rest.strip_prefix('*') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (n, without) = match rest.split_once('!') {
            Some((n, without)) => (n, Some(test(without, names)?)),
            None => (rest, None),
        };
        let most = if n.is_empty() {
            3
        } else {
            n.parse().map_err(|_| format!("`{piece}` är inget mellanrum"))?
        };
        return if most <= LONGEST_GAP {
            Ok(Element::Gap { most, without, crosses })
        } else {
            Err(format!("mellanrummet `{piece}` är för långt; högst *{LONGEST_GAP}"))
        };
    }
    if let Some(rest) = piece.strip_prefix('!') {
        return Ok(Element::Not(test(rest, names)?));
    }
    match piece.strip_suffix('?') {
        Some(rest) => Ok(Element::One { test: test(rest, names)?, optional: true }),
        None => Ok(Element::One { test: test(piece, names)?, optional: false }),
    }
}

/// `a|b|%address(@c|@d)` cut at the bars outside brackets.
fn alternatives(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == '|' && depth == 0
    })
}

fn test(text: &str, names: &mut impl Resolve) -> Result<Test, String> {
    let mut test = Test::default();
    for word in alternatives(text) {
        match word {
            _ if word.contains('&') => test.all.push(literals(word, names)?),
            "%name" => test.name = true,
            "%capital" => test.capital = true,
            "%number" => test.kinds.extend([Kind::Number, Kind::Identifier]),
            "%mention" => test.kinds.push(Kind::Mention),
            "%picture" => test.kinds.push(Kind::Picture),
            "%any" => test.any = true,
            "%hashtag" => test.hashtag = true,
            "%repeat" => test.repeat = names.class(word),
            _ if word.starts_with("%address(") => {
                let inner = word["%address(".len()..].strip_suffix(')').unwrap_or_default();
                let address = names.class("%address").ok_or("adresser kan inte sökas här")?;
                let (_, classes) = test.inside.get_or_insert((address, SmallVec::new()));
                for name in inner.split('|') {
                    let class = name.strip_prefix('@').and_then(|name| names.class(name));
                    classes.push(class.ok_or_else(|| format!("okänd ordklass `{name}`"))?);
                }
            }
            // Marks are classes of their own, under their name with the sign.
            _ if word.starts_with('%') => {
                test.classes.push(names.class(word).ok_or_else(|| format!("okänd sort `{word}`"))?)
            }
            _ => {
                if let Some(name) = word.strip_prefix('@') {
                    test.classes.push(
                        names.class(name).ok_or_else(|| format!("okänd ordklass `@{name}`"))?,
                    );
                } else if word.is_empty()
                    || word
                        .chars()
                        .any(|c| c.is_uppercase() || (!c.is_alphanumeric() && c.is_ascii()))
                {
                    return Err(format!("`{word}` är inget ord med små bokstäver"));
                } else {
                    test.classes.push(names.word(word));
                }
            }
        }
    }
    Ok(test)
}

fn literals(text: &str, names: &mut impl Resolve) -> Result<Vec<Literal>, String> {
    text.split('&')
        .map(|one| {
            let (one, not) = match one.strip_prefix('!') {
                Some(rest) => (rest, true),
                None => (one, false),
            };
            Ok(Literal { test: test(one, names)?, not })
        })
        .collect()
}
