//! Rules and guards as bytes.

use crate::classify::rules::conditions::Conditions;
use crate::classify::rules::guard::{Guard, GuardClasses, Shape};
use crate::classify::rules::{Guards, Rule, TextPattern};
use crate::classify::stored::{Damaged, Reader, Stored, Writer};
use crate::domain::category::{Category, Severity};
use crate::domain::verdict::Mark;

stored!(Rule {
    id,
    category,
    severity,
    why,
    legal,
    patterns,
    except,
    unless,
    requires,
    unless_text,
    requires_text,
    guards,
    yields_to,
    shadow,
    certain,
    mark,
});

stored!(TextPattern { slot, pattern });

/// The patterns alone: what stands beside them follows from them.
impl Stored for Conditions {
    fn put(&self, to: &mut Writer) {
        to.count(self.iter().count());
        self.iter().for_each(|pattern| pattern.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Vec::take(from).map(Self::from)
    }
}

stored!(Guards { list, classes });

stored!(Guard {
    id,
    shape,
    lead,
    tail,
    before,
    after,
    sentence,
    overlap,
    text,
    except,
    except_text,
});

stored!(GuardClasses {
    negation,
    refusal,
    apparent,
    bridge,
    light,
    border,
    modal,
    first_person,
    subject,
    other_person,
    utterance,
    said,
    report,
    report_thing,
    number_word,
});

impl Stored for Shape {
    fn put(&self, to: &mut Writer) {
        let number = Self::ALL.iter().position(|(_, shape)| shape == self);
        (number.expect("all shapes are listed") as u8).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let number = u8::take(from)?;
        Self::ALL.get(usize::from(number)).map(|(_, shape)| *shape).ok_or(Damaged)
    }
}

impl Stored for Category {
    fn put(&self, to: &mut Writer) {
        let number = Self::ALL.iter().position(|category| category == self);
        (number.expect("all categories are listed") as u8).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let number = u8::take(from)?;
        Self::ALL.get(usize::from(number)).copied().ok_or(Damaged)
    }
}

impl Stored for Severity {
    fn put(&self, to: &mut Writer) {
        let number: u8 = match self {
            Self::Low => 0,
            Self::Medium => 1,
            Self::High => 2,
        };
        number.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        match u8::take(from)? {
            0 => Ok(Self::Low),
            1 => Ok(Self::Medium),
            2 => Ok(Self::High),
            _ => Err(Damaged),
        }
    }
}

impl Stored for Mark {
    fn put(&self, to: &mut Writer) {
        let number = Self::ALL.iter().position(|mark| mark == self);
        (number.expect("all marks are listed") as u8).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let number = u8::take(from)?;
        Self::ALL.get(usize::from(number)).copied().ok_or(Damaged)
    }
}
