//! Patterns as bytes, as they were before [`Pattern::prepare`].

use crate::classify::rules::pattern::code::Code;
use crate::classify::rules::pattern::{Element, Literal, Pattern, Test};
use crate::classify::stored::{Damaged, Reader, Stored, Writer};
use crate::classify::tokens::Kind;

impl Stored for Pattern {
    fn put(&self, to: &mut Writer) {
        let Self { elements, anchor, crosses, anchors, code: _ } = self;
        elements.put(to);
        anchor.put(to);
        crosses.put(to);
        anchors.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let elements: Vec<Element> = Stored::take(from)?;
        let anchor = usize::take(from)?;
        let Some(Element::One { optional: false, .. }) = elements.get(anchor) else {
            return Err(Damaged);
        };
        let (crosses, anchors) = (Stored::take(from)?, Stored::take(from)?);
        Ok(Self { elements, anchor, crosses, anchors, code: Code::default() })
    }
}

impl Stored for Element {
    fn put(&self, to: &mut Writer) {
        match self {
            Self::One { test, optional } => {
                to.bytes(&[u8::from(*optional)]);
                test.put(to);
            }
            Self::Not(test) => {
                to.bytes(&[2]);
                test.put(to);
            }
            Self::Gap { most, without, crosses } => {
                to.bytes(&[3, *most, u8::from(*crosses)]);
                without.put(to);
            }
            Self::Begins => to.bytes(&[4]),
            Self::Ends => to.bytes(&[5]),
            Self::Asks => to.bytes(&[6]),
            Self::AsksText => to.bytes(&[7]),
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(match u8::take(from)? {
            0 => Self::One { test: Stored::take(from)?, optional: false },
            1 => Self::One { test: Stored::take(from)?, optional: true },
            2 => Self::Not(Stored::take(from)?),
            3 => {
                let (most, crosses) = (Stored::take(from)?, Stored::take(from)?);
                Self::Gap { most, crosses, without: Stored::take(from)? }
            }
            4 => Self::Begins,
            5 => Self::Ends,
            6 => Self::Asks,
            7 => Self::AsksText,
            _ => return Err(Damaged),
        })
    }
}

impl Stored for Test {
    fn put(&self, to: &mut Writer) {
        let Self { classes, kinds, name, capital, hashtag, repeat, all, any, inside } = self;
        // Most are classes and nothing else.
        let classes_alone = kinds.is_empty()
            && !(*name || *capital || *hashtag || *any)
            && repeat.is_none()
            && all.is_empty()
            && inside.is_none();
        classes_alone.put(to);
        classes.put(to);
        if !classes_alone {
            kinds.put(to);
            [name, capital, hashtag, any].into_iter().for_each(|flag| flag.put(to));
            repeat.put(to);
            all.put(to);
            inside.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let classes_alone = bool::take(from)?;
        let mut test = Self { classes: Stored::take(from)?, ..Self::default() };
        if !classes_alone {
            test.kinds = Stored::take(from)?;
            for flag in [&mut test.name, &mut test.capital, &mut test.hashtag, &mut test.any] {
                *flag = Stored::take(from)?;
            }
            test.repeat = Stored::take(from)?;
            test.all = from.inner(Stored::take)?;
            test.inside = Stored::take(from)?;
        }
        Ok(test)
    }
}

stored!(Literal { test, not });

impl Stored for Kind {
    fn put(&self, to: &mut Writer) {
        let number: u8 = match self {
            Self::Word => 0,
            Self::Number => 1,
            Self::Picture => 2,
            Self::Address => 3,
            Self::Mail => 4,
            Self::Mention => 5,
            Self::Identifier => 6,
        };
        number.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(match u8::take(from)? {
            0 => Self::Word,
            1 => Self::Number,
            2 => Self::Picture,
            3 => Self::Address,
            4 => Self::Mail,
            5 => Self::Mention,
            6 => Self::Identifier,
            _ => return Err(Damaged),
        })
    }
}
