//! The pass that gives tokens their marks, so that rules can name them.
//!
//! Runs between cutting and rules, and only over texts with digits, addresses or signs of an
//! address written out; others pay three comparisons.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use smallvec::SmallVec;

use crate::classify::address::{self, Loose};
use crate::classify::fold::Folded;
use crate::classify::identifier::mail::{self, Mailbox};
use crate::classify::identifier::personal_number::Found;
use crate::classify::identifier::phone::Series;
use crate::classify::identifier::{self, Identifier, Mark, phone, plate, spelled, street};
use crate::classify::tokens::{Kind, Token, Tokens};
use crate::classify::vocabulary::WordId;
use crate::classify::words::{ClassId, EntryId, Words};

/// How many digits a text needs before a payment or telephone number can be in it.
const FEWEST_DIGITS: usize = 5;
/// How many figures, before one is looked for that is spelled out.
const FEWEST_READ_OUT: usize = 8;
/// How many number words, before figures are read out.
const FEWEST_WORDS: usize = 4;
/// How many words from a plate set apart sign by sign the word may stand that tells of it.
const CLUE_WITHIN: usize = 5;

/// A full stop between blanks.
static SPACED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" . "));

/// The entries of the words that stand for marks, and the class of address signs.
#[derive(Clone, Debug, Default)]
pub struct MarkEntries {
    /// By position in [`Mark::ALL`].
    pub entries: SmallVec<[EntryId; 16]>,
    /// *dot, punkt, www …*
    pub address_sign: Option<ClassId>,
    /// *noll, ett, två …*
    pub number_word: Option<ClassId>,
}

impl MarkEntries {
    /// The entry of a mark.
    pub fn of(&self, mark: Mark) -> EntryId {
        self.entries.get(mark as usize).copied().unwrap_or(EntryId::UNKNOWN)
    }
}

/// What was marked in one text. Kept and refilled.
#[derive(Debug, Default)]
pub struct Marks {
    found: Vec<Identifier>,
    /// By the first byte of the address: the classes of the words in it.
    inside: Vec<(u32, SmallVec<[ClassId; 8]>)>,
}

impl Marks {
    /// What was marked, in order.
    pub fn found(&self) -> &[Identifier] {
        &self.found
    }

    /// The classes of the words in the address that begins at byte `start`.
    pub fn inside(&self, start: u32) -> &[ClassId] {
        self.inside
            .binary_search_by_key(&start, |(at, _)| *at)
            .map_or(&[], |at| self.inside[at].1.as_slice())
    }

    /// The stretch to show for a token: the whole address for the number that carries its mark.
    pub fn stretch(&self, token: &Token) -> (u32, u32) {
        let whole = |i: &&Identifier| {
            i.mark == Mark::StreetAddress && i.start <= token.start && token.end <= i.end
        };
        match self.found.iter().find(whole) {
            Some(i) if token.kind == Kind::Number || token.end == i.end => (i.start, i.end),
            _ => (token.start, token.end),
        }
    }

    /// Forgets the last text.
    pub fn clear(&mut self) {
        self.found.clear();
        self.inside.clear();
    }

    /// Finds what can be marked and marks the tokens.
    pub fn mark(
        &mut self,
        original: &str,
        folded: &Folded,
        tokens: &mut Tokens,
        words: &Words,
        entries: &MarkEntries,
        personal: &[Found],
    ) {
        self.clear();
        let text = folded.bytes();
        if tokens.n_digits > 0 {
            if tokens.n_digits >= FEWEST_DIGITS {
                identifier::numbers(text, &mut self.found);
                leave_personal(&mut self.found, personal);
            }
            self.plates_and_streets(original, folded, tokens);
        }
        let spaced = SPACED.find(text).is_some();
        if tokens.may_match && tokens.seen.n_numbers >= FEWEST_WORDS {
            self.read_out(text, tokens, personal);
        }
        if tokens.may_match && tokens.seen.address_sign || spaced {
            self.loose_addresses(text, tokens, words, entries, spaced);
        }
        if !self.found.is_empty() {
            self.found.sort_by_key(|i| (i.start, i.mark));
            self.found.dedup_by(|next, kept| next.start < kept.end);
            leave_addresses(&mut self.found, &tokens.tokens);
            merge(tokens, &self.found, entries);
            tokens.may_match |= self.found.iter().any(|i| words.begins_rule(entries.of(i.mark)));
        }
        if tokens.n_addresses > 0 || self.found.iter().any(|i| i.mark == Mark::MaskedAddress) {
            self.addresses(original, folded, tokens, words, entries);
        }
    }

    /// A plate set apart sign by sign, where a word near by says that it is one.
    fn spaced_plate(&mut self, original: &str, folded: &Folded, tokens: &[Token], i: usize) {
        let from = folded.original(tokens[i].start, tokens[i].end).start as usize;
        let Some(to) = plate::spaced(original, from) else { return };
        let ends = |t: &Token| folded.original(t.start, t.end).end as usize == to;
        let Some(last) = tokens[i..].iter().take(6).position(ends).map(|n| i + n) else { return };
        let text = folded.bytes();
        let before = &tokens[i.saturating_sub(CLUE_WITHIN)..i];
        let after = &tokens[last + 1..tokens.len().min(last + 1 + CLUE_WITHIN)];
        let clue = |t: &Token| plate::is_clue(&text[t.start as usize..t.end as usize]);
        if before.iter().chain(after).any(clue) {
            let (start, end) = (tokens[i].start, tokens[last].end);
            self.found.push(Identifier { start, end, mark: Mark::Plate });
        }
    }

    fn plates_and_streets(&mut self, original: &str, folded: &Folded, tokens: &Tokens) {
        let text = folded.bytes();
        for (i, token) in tokens.tokens.iter().enumerate() {
            let word = &text[token.start as usize..token.end as usize];
            if token.kind == Kind::Address || token.kind == Kind::Mail {
                continue;
            }
            if word[0].is_ascii_digit() {
                if word.len() <= 4
                    && let Some((start, end)) = street::at(text, &tokens.tokens, i)
                {
                    self.found.push(Identifier { start, end, mark: Mark::StreetAddress });
                }
            } else if matches!(word.len(), 3 | 6) && word[..3].iter().all(u8::is_ascii_lowercase) {
                let from = folded.original(token.start, token.end).start as usize;
                let Some(to) = plate::at(original, from) else { continue };
                let last = tokens.tokens[i..]
                    .iter()
                    .take(2)
                    .find(|t| folded.original(t.start, t.end).end as usize == to);
                if let Some(last) = last {
                    let (start, end) = (token.start, last.end);
                    self.found.push(Identifier { start, end, mark: Mark::Plate });
                }
            } else if word.len() == 1 || word[1] == b' ' {
                // The letters may spell a word, and be one token by now.
                self.spaced_plate(original, folded, &tokens.tokens, i);
            }
        }
    }

    /// Telephone numbers in words: *noll sju noll …*
    fn read_out(&mut self, text: &[u8], tokens: &Tokens, personal: &[Found]) {
        let tokens = &tokens.tokens;
        let mut found = Vec::new();
        spelled::rows(text, tokens, FEWEST_READ_OUT, |row| {
            let mut p = 0;
            while p < row.n_parts() {
                // To the end of the row, or ten figures with other number words behind them.
                let rest = row.rest(p);
                let number = match phone::read_out(rest.values) {
                    Some(series) => Some((series, rest, row.n_parts())),
                    None => row.window(p, 10).and_then(|(ten, behind)| {
                        let series = phone::read_out(ten.values)?;
                        (series == Series::Mobile).then_some((series, ten, behind))
                    }),
                };
                p = match number {
                    Some((series, read, behind)) if read.values.len() >= FEWEST_READ_OUT => {
                        let (start, end) = (tokens[read.first].start, tokens[read.last].end);
                        found.push(Identifier { start, end, mark: series.mark() });
                        behind
                    }
                    Some(_) | None => p + 1,
                };
            }
        });
        leave_personal(&mut found, personal);
        self.found.append(&mut found);
    }

    fn loose_addresses(
        &mut self,
        text: &[u8],
        tokens: &Tokens,
        words: &Words,
        entries: &MarkEntries,
        spaced: bool,
    ) {
        let Some(class) = entries.address_sign else { return };
        let mut end = 0;
        for (i, token) in tokens.tokens.iter().enumerate() {
            let after_stop = spaced && text[..token.start as usize].ends_with(b" . ");
            let sign = token.start >= end
                && (after_stop || token.entry != EntryId::UNKNOWN && words.is(token.entry, class));
            if !sign {
                continue;
            }
            let found = address::loose(text, &tokens.tokens, i).or_else(|| {
                let (start, end) = after_stop.then(|| address::spread(text, token.start))??;
                Some(Loose { start, end, at: None })
            });
            if let Some(Loose { start, end: to, at }) = found {
                let mark = match at {
                    None => Mark::MaskedAddress,
                    Some((local_end, host)) => {
                        let local = &text[start as usize..local_end as usize];
                        match mail::of(local, &text[host as usize..to as usize]) {
                            Mailbox::Private => Mark::PrivateMail,
                            Mailbox::Office => Mark::OfficeMail,
                        }
                    }
                };
                self.found.push(Identifier { start, end: to, mark });
                end = to;
            }
        }
    }

    /// Gives addresses and mailboxes their entries, and looks into addresses.
    fn addresses(
        &mut self,
        original: &str,
        folded: &Folded,
        tokens: &mut Tokens,
        words: &Words,
        entries: &MarkEntries,
    ) {
        let text = folded.bytes();
        let mut begins = false;
        for i in 0..tokens.tokens.len() {
            let local = address::local_before(text, &tokens.tokens, i);
            let token = &mut tokens.tokens[i];
            let bytes = &text[token.start as usize..token.end as usize];
            let mark = match token.kind {
                Kind::Mail if token.entry != EntryId::UNKNOWN => continue,
                Kind::Mail => match mail::mailbox(bytes) {
                    Mailbox::Private => Mark::PrivateMail,
                    Mailbox::Office => Mark::OfficeMail,
                },
                Kind::Address if local.is_some() => {
                    let (from, to) = local.unwrap_or_default();
                    token.kind = Kind::Mail;
                    let mark = match mail::of(&text[from as usize..to as usize], bytes) {
                        Mailbox::Private => Mark::PrivateMail,
                        Mailbox::Office => Mark::OfficeMail,
                    };
                    self.found.push(Identifier { start: from, end: token.end, mark });
                    mark
                }
                Kind::Address => {
                    let span = folded.original(token.start, token.end);
                    let written = &original[span.start as usize..span.end as usize];
                    let mut classes = SmallVec::new();
                    address::words_inside(bytes, words, &mut classes);
                    if bytes.contains(&b' ') {
                        // Set apart letter by letter, it is read closed up as well.
                        let closed: SmallVec<[u8; 128]> =
                            bytes.iter().copied().filter(|b| *b != b' ').collect();
                        address::words_inside(&closed, words, &mut classes);
                    }
                    self.inside.push((token.start, classes));
                    if token.entry == entries.of(Mark::MaskedAddress)
                        || address::is_masked(bytes, written)
                    {
                        Mark::MaskedAddress
                    } else if address::is_shortener(bytes) {
                        Mark::Shortener
                    } else {
                        Mark::Address
                    }
                }
                Kind::Word | Kind::Number | Kind::Picture | Kind::Mention | Kind::Identifier => {
                    continue;
                }
            };
            token.entry = entries.of(mark);
            begins |= words.begins_rule(token.entry);
        }
        self.found.sort_by_key(|i| (i.start, i.mark));
        tokens.may_match |= begins;
    }
}

/// Takes out what a personal number covers; a card or account may hold one.
fn leave_personal(found: &mut Vec<Identifier>, personal: &[Found]) {
    let mut covered: SmallVec<[(u32, u32); 8]> =
        personal.iter().flat_map(|f| f.stretches().iter().copied()).collect();
    covered.sort_unstable();
    let mut next = 0;
    found.retain(|i| {
        while next < covered.len() && covered[next].1 <= i.start {
            next += 1;
        }
        let overlaps = covered.get(next).is_some_and(|(from, _)| *from < i.end);
        !overlaps || matches!(i.mark, Mark::Card | Mark::Account | Mark::AccountForm)
    });
}

/// Takes out what stands inside a web or mail address.
fn leave_addresses(found: &mut Vec<Identifier>, tokens: &[Token]) {
    let mut next = 0;
    found.retain(|i| {
        while next < tokens.len() && tokens[next].end <= i.start {
            next += 1;
        }
        !tokens[next..].iter().take_while(|t| t.start < i.end).any(|t| {
            let covered = i.start <= t.start && t.end <= i.end;
            matches!(t.kind, Kind::Address | Kind::Mail) && !covered
        })
    });
}

/// One token in the place of those that an identifier covers; a street's mark goes to its number.
fn merge(tokens: &mut Tokens, found: &[Identifier], entries: &MarkEntries) {
    tokens.is_changed = true;
    let mut next = 0;
    let mut kept: usize = 0;
    let mut current: Option<usize> = None;
    for at in 0..tokens.tokens.len() {
        let token = tokens.tokens[at];
        while next < found.len() && found[next].end <= token.start {
            next += 1;
            current = None;
        }
        let inside = found.get(next).filter(|i| i.start < token.end);
        match inside {
            Some(i) if i.mark.is_one_token() => {
                if current != Some(next) {
                    current = Some(next);
                    let kind = match i.mark {
                        Mark::MaskedAddress => Kind::Address,
                        Mark::PrivateMail | Mark::OfficeMail => Kind::Mail,
                        _ => Kind::Identifier,
                    };
                    tokens.tokens[kept] = Token {
                        start: i.start,
                        end: i.end,
                        kind,
                        entry: entries.of(i.mark),
                        word: WordId::NONE,
                        ..token
                    };
                    kept += 1;
                }
            }
            other => {
                tokens.tokens[kept] = token;
                if let Some(i) = other
                    && token.start < i.end
                    && token.kind != Kind::Picture
                    && is_number_of(&token, i, tokens.tokens.get(at + 1))
                {
                    tokens.tokens[kept].entry = entries.of(i.mark);
                }
                kept += 1;
            }
        }
    }
    tokens.tokens.truncate(kept);
    let mut at = 0;
    for (n, sentence) in tokens.sentences.iter_mut().enumerate() {
        sentence.first = at as u32;
        while at < kept && tokens.tokens[at].sentence as usize == n {
            at += 1;
        }
        sentence.last = at as u32;
    }
}

/// Whether the token is the last of the street address, where its mark is carried.
fn is_number_of(token: &Token, street: &Identifier, next: Option<&Token>) -> bool {
    token.start > street.start && next.is_none_or(|n| n.start >= street.end)
}
