//! What stands between two blanks, while it is read: whether it can be more than a plain word.

/// What a character is to cutting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Blank or line break.
    Blank,
    /// Part of a word.
    Letter,
    /// The same, a figure.
    Digit,
    /// Anything that stands between words.
    Sign,
    /// First byte of a longer character: decided by the bytes that follow.
    High,
}

const fn classes() -> [Class; 256] {
    let mut table = [Class::Sign; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = match b as u8 {
            b' ' | b'\t' | b'\n' | b'\r' => Class::Blank,
            b'a'..=b'z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            0x80..=0xFF => Class::High,
            _ => Class::Sign,
        };
        b += 1;
    }
    table
}

static CLASS: [Class; 256] = classes();

/// What stands at a byte, and how long it is.
pub fn class_at(text: &[u8], i: usize) -> (Class, usize) {
    match CLASS[text[i] as usize] {
        Class::High => match text[i] {
            0xC2 => (if text[i + 1] == 0xA0 { Class::Blank } else { Class::Sign }, 2),
            0xC3 => {
                (if matches!(text[i + 1], 0x97 | 0xB7) { Class::Sign } else { Class::Letter }, 2)
            }
            0xC4..=0xDF => (Class::Letter, 2),
            // Crosses, skulls, scissors and other dingbats are pictures.
            0xE2 if matches!(text[i + 1], 0x98..=0x9E) => (Class::High, 3),
            0xE2 => (Class::Sign, 3),
            0xE3 if text[i + 1] == 0x80 => (Class::Sign, 3),
            0xE0..=0xEF => (Class::Letter, 3),
            _ => (Class::High, 4),
        },
        class => (class, 1),
    }
}

/// How far the chunk being read keeps to the order of signs in which nothing can be hidden:
/// brackets and the like, a word, full stops and the like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing yet but opening signs of ASCII.
    #[default]
    Opening,
    /// A sign or picture beyond ASCII.
    HighOpening,
    /// The word.
    Word,
    /// A sign or picture beyond ASCII behind it.
    HighClosing,
    /// Closing signs of ASCII.
    Closing,
    /// Anything else: the chunk may hide a word or be an address.
    Other,
}

/// What was seen in the chunk being read.
#[derive(Clone, Copy, Default)]
pub struct Chunk {
    /// First byte.
    pub start: usize,
    /// The first token that stands in it.
    pub first_token: usize,
    /// A letter was seen.
    pub letters: bool,
    /// A digit was seen.
    pub digits: bool,
    /// A sign other than a quotation mark was seen.
    pub signs: bool,
    /// How far it has come.
    pub stage: Stage,
}

impl Chunk {
    /// Takes note of a word.
    pub fn word(&mut self) {
        self.stage = if self.stage < Stage::Word { Stage::Word } else { Stage::Other };
    }

    /// Takes note of a sign or picture that begins with this byte.
    pub fn sign(&mut self, b: u8) {
        self.stage = match (self.stage, b) {
            (Stage::Opening, b'(' | b'[' | b'<' | b'"' | b'\'' | b',') => Stage::Opening,
            (Stage::Opening | Stage::HighOpening, 0x80..) => Stage::HighOpening,
            (Stage::Word | Stage::HighClosing, 0x80..) => Stage::HighClosing,
            (
                Stage::Word | Stage::HighClosing | Stage::Closing,
                b')' | b']' | b'>' | b'"' | b'\'' | b',' | b'.' | b'!' | b'?' | b';' | b':',
            ) => Stage::Closing,
            _ => Stage::Other,
        };
    }

    /// Whether it may be an address or hide a word.
    pub fn needs_a_look(&self) -> bool {
        self.letters && (self.digits || (self.signs && self.stage == Stage::Other))
    }
}
