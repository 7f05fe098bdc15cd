//! The table as bytes. Only slots that hold something are written; what follows from the rest
//! (gates and filters of parts, masks) is made anew.

use crate::classify::gate::ClassMask;
use crate::classify::stored::{Damaged, Reader, Stored, Writer};
use crate::classify::words::compounds::{Part, Parts, first_four, last_four};
use crate::classify::words::{EMPTY, Entry, Form, Key, LongForm, LongForms, Slot, Words};

/// The fewest slots that a table has.
const FEWEST_SLOTS: usize = 64;

impl Stored for Words {
    fn put(&self, to: &mut Writer) {
        let Self {
            slots,
            long,
            filter,
            entries,
            n_begin,
            classes,
            bits: _,
            firsts,
            lasts,
            n_forms,
        } = self;
        classes.put(to);
        to.numbers(entries.iter().map(|e| {
            let (from, until) = e.classes;
            u64::from(from) << 32 | u64::from(until) << 1 | u64::from(e.disguisable)
        }));
        n_begin.put(to);
        n_forms.put(to);
        to.count(slots.len());
        let taken: Vec<(usize, &Slot)> =
            slots.iter().enumerate().filter(|(_, slot)| slot.entry != 0).collect();
        // Three numbers a slot: what and where, and its key.
        let numbers: Vec<u64> = taken
            .iter()
            .flat_map(|(at, slot)| {
                let head = (*at as u64) << 34 | u64::from(slot.entry) << 2 | slot.form as u64;
                [head, slot.key.front, slot.key.back]
            })
            .collect();
        to.numbers(numbers.into_iter());
        long.put(to);
        to.numbers(filter.iter().copied());
        firsts.by_text.put(to);
        lasts.by_text.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let mut words = Self { classes: Stored::take(from)?, ..Self::default() };
        for number in from.numbers()? {
            let classes = ((number >> 32) as u32, (number as u32) >> 1);
            if classes.0 > classes.1 || classes.1 as usize > words.classes.len() {
                return Err(Damaged);
            }
            let disguisable = number & 1 == 1;
            words.entries.push(Entry { classes, disguisable, mask: ClassMask::default() });
        }
        from.n_entries = words.entries.len();
        words.n_begin = Stored::take(from)?;
        words.n_forms = Stored::take(from)?;
        let n_slots = u32::take(from)?;
        // A form has three slots at most and takes more bytes: whoever claims more would only
        // have us fill the memory.
        if n_slots as usize > from.left().max(FEWEST_SLOTS) {
            return Err(Damaged);
        }
        // Without an entry for what is unknown, or an empty slot, looking up would find no end.
        let n_taken = take_slots(&mut words, n_slots, from)?;
        if words.entries.is_empty() || !n_slots.is_power_of_two() || n_taken >= n_slots {
            return Err(Damaged);
        }
        words.long = Stored::take(from)?;
        words.filter = from.numbers()?.collect();
        words.firsts = Parts::new(Stored::take(from)?, first_four);
        words.lasts = Parts::new(Stored::take(from)?, last_four);
        if !words.filter.len().is_power_of_two() {
            return Err(Damaged);
        }
        Ok(words)
    }
}

fn take_slots(words: &mut Words, n_slots: u32, from: &mut Reader<'_>) -> Result<u32, Damaged> {
    let mut numbers = from.numbers()?;
    if numbers.len() % 3 != 0 {
        return Err(Damaged);
    }
    words.slots = vec![EMPTY; n_slots as usize];
    let mut n_taken = 0;
    while let (Some(head), Some(front), Some(back)) =
        (numbers.next(), numbers.next(), numbers.next())
    {
        let (at, entry) = ((head >> 34) as usize, (head >> 2) as u32);
        let slot = words.slots.get_mut(at).filter(|slot| slot.entry == 0).ok_or(Damaged)?;
        if entry == 0 || entry as usize >= words.entries.len() {
            return Err(Damaged);
        }
        *slot = Slot { key: Key { front, back }, entry, form: form(head & 3)? };
        n_taken += 1;
    }
    Ok(n_taken)
}

fn form(number: u64) -> Result<Form, Damaged> {
    match number {
        0 => Ok(Form::Exact),
        1 => Ok(Form::Stripped),
        2 => Ok(Form::Squeezed),
        _ => Err(Damaged),
    }
}

impl Stored for Form {
    fn put(&self, to: &mut Writer) {
        (*self as u8).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        form(u64::from(u8::take(from)?))
    }
}

impl Stored for LongForms {
    fn put(&self, to: &mut Writer) {
        let Self { letters, forms, slots: _ } = self;
        to.count(letters.len());
        to.bytes(letters);
        forms.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let n = from.count(1)?;
        let letters = from.bytes(n)?.to_vec();
        let forms: Vec<LongForm> = Stored::take(from)?;
        if forms.iter().any(|f| f.from > f.to || f.to as usize > letters.len()) {
            return Err(Damaged);
        }
        let mut long = Self { letters, forms, slots: Vec::new() };
        long.index_all();
        Ok(long)
    }
}

stored!(LongForm { place, from, to, entry, form });
stored!(Part { entry, rest, stops });
