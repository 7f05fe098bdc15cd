//! Web addresses, mail addresses and mentions: recognised by form, a chunk at a time; addresses
//! written out over several words are put together afterwards, where a sign of one stands.
//!
//! Look-alike and full-width letters, capitals and hidden characters are gone by then: the text is
//! folded. What is left to undo is `hxxp`, brackets round the stop, and words in its place.

use smallvec::SmallVec;

use crate::classify::tokens::{Kind, Token};
use crate::classify::words::{ClassId, EntryId, Words, hash_of};

/// Top domains that are taken as a sign of an address even without `http`. An unknown ending with
/// a path behind it is an address all the same.
const TOP_DOMAINS: &[&str] = &[
    "se", "nu", "com", "org", "net", "info", "eu", "io", "tv", "no", "dk", "fi", "de", "uk", "ru",
    "biz", "shop", "store", "online", "xyz", "top", "site", "club", "app", "me", "co", "cc", "to",
    "ly", "gg", "dev", "example", "link", "live", "news", "vip", "win", "bet", "casino", "loan",
    "onion", "pw", "su", "ws", "pl", "pro", "page", "nl", "ch", "fr", "vc", "sx", "ag", "mx",
    "life", "world", "group", "space", "website", "tech", "cloud", "download", "stream", "movie",
    "video", "porn", "xxx", "adult", "sex", "cam", "dating", "host", "fun", "icu", "click", "zip",
    "test", "invalid", "cz", "lt", "lv", "ee", "ai", "blog", "email", "gov", "edu", "int", "jp",
    "cn", "in", "bz", "tk", "ml", "ga", "cf", "gq", "buzz", "guru", "best", "rocks", "social",
    "chat", "party", "trade", "webcam", "review", "date", "bid", "men", "wtf", "lol", "gl", "fm",
    "ax", "is",
];

/// Top domains that are Swedish words: after a word for the stop they need more to go by.
const WORDLIKE: &[&str] = &[
    "se", "nu", "de", "to", "me", "no", "in", "men", "is", "fi", "live", "link", "top", "test",
    "party", "video", "chat", "date", "best", "fun", "sex",
];

/// Hosts that hide where they lead.
const SHORTENERS: &[&str] = &[
    "bit.ly",
    "tinyurl.com",
    "t.co",
    "goo.gl",
    "ow.ly",
    "is.gd",
    "buff.ly",
    "cutt.ly",
    "rb.gy",
    "t.me",
    "telegram.me",
    "wa.me",
    "chat.whatsapp.com",
    "discord.gg",
    "lnkd.in",
    "shorturl.at",
    "tiny.cc",
    "s.id",
    "linktr.ee",
    "adf.ly",
    "v.gd",
    "rebrand.ly",
    "bl.ink",
    "t.ly",
    "qr.ae",
    "shorte.st",
    "ouo.io",
    "bc.vc",
    "soo.gd",
    "clck.ru",
    "dub.sh",
    "surl.li",
    "u.to",
    "snip.ly",
];

/// First labels of hosts that shorten, whatever their domain.
const SHORT_LABELS: &[&str] = &[
    "kort",
    "kortlänk",
    "kortlank",
    "short",
    "shortlink",
    "shorturl",
    "tiny",
    "tinyurl",
    "lnk",
    "qr",
];

/// Whether what stands between two blanks is one address; its kind and the stretch it fills
/// within the chunk, without the signs around it.
pub fn whole_chunk(chunk: &[u8]) -> Option<(Kind, usize, usize)> {
    let from = chunk.iter().position(|b| !matches!(b, b'(' | b'[' | b'<' | b'"' | b'\'' | b','))?;
    let to =
        from + chunk[from..].iter().rposition(|b| {
            !matches!(
                b,
                b')' | b']' | b'>' | b'"' | b'\'' | b',' | b'.' | b'!' | b'?' | b';' | b':'
            )
        })? + 1;
    let core = &chunk[from..to];
    if core.len() < 3 || core.len() > 2048 {
        return None;
    }
    if core[0] == b'@'
        && core[1..]
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.') || *b >= 0x80)
    {
        return Some((Kind::Mention, from, to));
    }
    if is_mail(core) {
        return Some((Kind::Mail, from, to));
    }
    if is_web(core) {
        return Some((Kind::Address, from, to));
    }
    let plain = without_brackets(core)?;
    if is_mail(&plain) {
        return Some((Kind::Mail, from, to));
    }
    is_web(&plain).then_some((Kind::Address, from, to))
}

/// An address as it would be typed.
pub type Plain = SmallVec<[u8; 128]>;

/// The chunk with `[.]`, `(dot)`, `{at}` and their kin read as the signs they stand for, and a
/// comma before a top domain as a stop; nothing when it holds none.
pub fn without_brackets(core: &[u8]) -> Option<Plain> {
    let mut out = Plain::new();
    let mut changed = false;
    let mut i = 0;
    while i < core.len() {
        if let Some((sign, length)) = bracketed(&core[i..]) {
            out.push(sign);
            changed = true;
            i += length;
        } else {
            out.push(core[i]);
            i += 1;
        }
    }
    if let Some(comma) = memchr::memrchr(b',', &out) {
        let top = &out[comma + 1..];
        let word = WORDLIKE.iter().any(|w| w.as_bytes() == top);
        if is_top(top) && (!word || memchr::memchr(b'@', &out[..comma]).is_some()) {
            out[comma] = b'.';
            changed = true;
        }
    }
    changed.then_some(out)
}

/// The sign that stands in brackets at the start, and how long it is with them.
fn bracketed(text: &[u8]) -> Option<(u8, usize)> {
    const SIGNS: &[(&[u8], u8)] = &[
        (b".", b'.'),
        (b"dot", b'.'),
        (b"punkt", b'.'),
        (b"prick", b'.'),
        (b"at", b'@'),
        (b"@", b'@'),
        (b"snabela", b'@'),
        (b"snabel-a", b'@'),
        (b":", b':'),
        (b"://", b':'),
        (b"/", b'/'),
        (b"slash", b'/'),
    ];
    let close = match text[0] {
        b'[' => b']',
        b'(' => b')',
        b'{' => b'}',
        b'<' => b'>',
        b @ (b'*' | b'_' | b'-') => b,
        _ => return None,
    };
    let inner = &text[1..];
    let (word, sign) = SIGNS
        .iter()
        .find(|(word, _)| inner.starts_with(word) && inner.get(word.len()) == Some(&close))?;
    let clear = close != text[0] || word.len() >= 3;
    clear.then_some((*sign, word.len() + 2))
}

fn is_mail(core: &[u8]) -> bool {
    let core = core.strip_prefix(b"mailto:").unwrap_or(core);
    let Some(at) = memchr::memchr(b'@', core) else { return false };
    let (local, host) = (&core[..at], &core[at + 1..]);
    !local.is_empty()
        && local.iter().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+') || *b >= 0x80
        })
        && is_host(host)
}

fn is_web(core: &[u8]) -> bool {
    if memchr::memmem::find(core, b"://").is_some_and(|at| (3..=6).contains(&at))
        || core.starts_with(b"www.") && core.len() > 6
        || core.starts_with(b"hxxp") && core.len() > 10
    {
        return true;
    }
    let end = core.iter().position(|b| matches!(b, b'/' | b'?' | b':' | b'#'));
    let host = &core[..end.unwrap_or(core.len())];
    let path = end.is_some_and(|end| core[end] == b'/' && core.len() > end + 1);
    is_host(host) || path && is_host_of_any_top(host)
}

/// Labels of letters, digits and hyphens between dots, the last a known top domain.
fn is_host(host: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', host) else { return false };
    is_top(&host[dot + 1..]) && dot > 0 && host[..dot].split(|b| *b == b'.').all(is_label)
}

/// As [`is_host`], with any ending of two letters or more; the name before it must be long enough
/// to be no abbreviation.
fn is_host_of_any_top(host: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', host) else { return false };
    let top = &host[dot + 1..];
    let name = host[..dot].rsplit(|b| *b == b'.').next().unwrap_or_default();
    (2..=12).contains(&top.len())
        && top.iter().all(u8::is_ascii_lowercase)
        && name.len() >= 4
        && host[..dot].split(|b| *b == b'.').all(is_label)
}

fn is_label(label: &[u8]) -> bool {
    !label.is_empty()
        && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') || *b >= 0x80)
}

fn is_top(top: &[u8]) -> bool {
    TOP_DOMAINS.iter().any(|t| t.as_bytes() == top)
}

/// An address put together from several words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loose {
    /// First byte.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
    /// Of a mail address: where the local part ends and where the host begins.
    pub at: Option<(u32, u32)>,
}

/// The most labels that one host written out may have.
const MOST_LABELS: usize = 6;

/// The address that the sign at token `i` (*punkt, dot, www, com …*) is part of.
pub fn loose(text: &[u8], tokens: &[Token], i: usize) -> Option<Loose> {
    let word = |t: usize| {
        tokens.get(t).map(|t| &text[t.start as usize..t.end as usize]).unwrap_or_default()
    };
    match word(i) {
        b"www" | b"http" | b"https" | b"hxxp" | b"hxxps" => {
            let name = if word(i + 1) == b"www" { i + 2 } else { i + 1 };
            if tokens.get(name)?.kind == Kind::Address && between_fits(text, tokens, name) {
                return Some(Loose { start: tokens[i].start, end: tokens[name].end, at: None });
            }
            let last = host_from(text, tokens, name, true)?;
            Some(Loose { start: tokens[i].start, end: with_path(text, tokens, last), at: None })
        }
        b"snabel" | b"snabela" => mail_at(text, tokens, i),
        b"dot" | b"punkt" | b"prick" => {
            let name = i.checked_sub(1)?;
            let last = host_from(text, tokens, name, false)?;
            finish(text, tokens, name, last)
        }
        // *namn . com*
        _ => {
            let name = i.checked_sub(1)?;
            let last = host_from(text, tokens, name, false)?;
            (last >= i).then(|| finish(text, tokens, name, last)).flatten()
        }
    }
}

/// A host found at `name..=last`: with what stands before it, if that makes a mail address.
fn finish(text: &[u8], tokens: &[Token], name: usize, last: usize) -> Option<Loose> {
    let at = name.checked_sub(1)?;
    let marker = &text[tokens[at].start as usize..tokens[at].end as usize];
    if matches!(marker, b"at" | b"snabela" | b"a" | b"snabel")
        && let Some(mail) = mail_at(text, tokens, at)
    {
        return Some(mail);
    }
    Some(Loose { start: tokens[name].start, end: with_path(text, tokens, last), at: None })
}

/// The mail address whose *at* is the token `at`: *kim snabel-a exempel punkt se*.
fn mail_at(text: &[u8], tokens: &[Token], at: usize) -> Option<Loose> {
    let word = |t: usize| {
        tokens.get(t).map(|t| &text[t.start as usize..t.end as usize]).unwrap_or_default()
    };
    let at = if word(at) == b"a" { at.checked_sub(1)? } else { at };
    let host = if word(at) == b"snabel" && word(at + 1) == b"a" { at + 2 } else { at + 1 };
    if word(at) == b"snabel" && host == at + 1 {
        return None;
    }
    let mut local = at.checked_sub(1)?;
    let local_end = tokens[local].end;
    let gap = |a: usize, b: usize| &text[tokens[a].end as usize..tokens[b].start as usize];
    for _ in 0..MOST_LABELS {
        let Some(before) = local.checked_sub(1) else { break };
        if matches!(gap(before, local), b"." | b"_" | b"-") {
            local = before;
        } else if is_stop_word(word(before)) && before > 0 {
            local = before - 1;
        } else {
            break;
        }
    }
    if !matches!(tokens[local].kind, Kind::Word | Kind::Number) || gap(at - 1, at).len() > 4 {
        return None;
    }
    let first = tokens.get(host)?;
    let bracketed = gap(at - 1, at).ends_with(b"(") || gap(at - 1, at).ends_with(b"[");
    let end = if first.kind == Kind::Address {
        (word(at) != b"at" || bracketed).then_some(first.end)?
    } else if let Some(last) = host_from(text, tokens, host, true) {
        tokens[last].end
    } else if word(at) != b"at"
        && matches!(
            word(host),
            b"gmail" | b"hotmail" | b"outlook" | b"live" | b"yahoo" | b"telia" | b"icloud"
        )
    {
        first.end
    } else {
        return None;
    };
    Some(Loose { start: tokens[local].start, end, at: Some((local_end, first.start)) })
}

/// The address set apart letter by letter whose last stop stands before `after`:
/// *e x e m p e l . c o m*.
pub fn spread(text: &[u8], after: u32) -> Option<(u32, u32)> {
    let after = after as usize;
    let letter = |i: usize| text.get(i).is_some_and(|b| b.is_ascii_alphanumeric());
    let blank = |i: usize| text.get(i).is_none_or(|b| matches!(b, b' ' | b',' | b'/' | b'\n'));
    let mut end = after;
    let mut top: SmallVec<[u8; 16]> = SmallVec::new();
    while letter(end) && blank(end + 1) && top.len() < 16 {
        top.push(text[end]);
        if is_top(&top) && !letter(end + 2) {
            end += 2;
            break;
        }
        end += 2;
    }
    let mut start = after.checked_sub(3)?;
    let mut n = 0;
    while letter(start.checked_sub(1)?) && n < 40 {
        start -= 1;
        n += 1;
        if start < 2 || text[start - 1] != b' ' || !letter(start - 2) || letter(start + 1) {
            break;
        }
        start -= 1;
    }
    (n >= 3 && is_top(&top)).then_some((start as u32, end as u32 - 1))
}

/// Where the local part stands when the address at token `i` follows an at sign set apart:
/// *kim (a) exempel.se, kim @ exempel.se*.
pub fn local_before(text: &[u8], tokens: &[Token], i: usize) -> Option<(u32, u32)> {
    const SIGNS: &[&[u8]] =
        &[b"@", b"(a)", b"[a]", b"(at)", b"[at]", b"{at}", b"<at>", b"(@)", b"[@]", b"*at*"];
    if tokens[i].kind != Kind::Address {
        return None;
    }
    let before = text[..tokens[i].start as usize].trim_ascii_end();
    let sign = SIGNS.iter().find(|s| before.ends_with(s))?;
    let at = (before.len() - sign.len()) as u32;
    let local = tokens[..i].iter().rev().take(2).find(|t| t.end <= at && t.end + 2 >= at)?;
    (local.kind == Kind::Word).then_some((local.start, local.end))
}

fn is_stop_word(word: &[u8]) -> bool {
    matches!(word, b"dot" | b"punkt" | b"prick")
}

/// Whether only blanks and the signs of a scheme stand before the token.
fn between_fits(text: &[u8], tokens: &[Token], at: usize) -> bool {
    let between = &text[tokens[at - 1].end as usize..tokens[at].start as usize];
    between.len() <= 8
        && between.iter().all(|b| matches!(b, b' ' | b':' | b'/' | b'[' | b']' | b'.'))
}

/// The last label of a host written over several tokens, the first being `name`. `announced`:
/// something before it says that an address comes.
fn host_from(text: &[u8], tokens: &[Token], name: usize, announced: bool) -> Option<usize> {
    let word = |t: usize| {
        tokens.get(t).map(|t| &text[t.start as usize..t.end as usize]).unwrap_or_default()
    };
    let gap = |a: usize, b: usize| -> &[u8] {
        tokens.get(b).map(|t| &text[tokens[a].end as usize..t.start as usize]).unwrap_or_default()
    };
    let is_word = |t: usize| {
        tokens.get(t).is_some_and(|t| matches!(t.kind, Kind::Word | Kind::Number))
            && is_label(word(t))
    };
    if !is_word(name) || is_stop_word(word(name)) || word(name).len() < 2 {
        return None;
    }
    let mut last = None;
    let mut strong = announced;
    let mut weak = false;
    let mut at = name;
    for _ in 0..MOST_LABELS {
        let quiet = |g: &[u8]| {
            g.len() <= 3
                && g.iter().all(|b| {
                    matches!(
                        b,
                        b' ' | b'('
                            | b')'
                            | b'['
                            | b']'
                            | b'{'
                            | b'}'
                            | b'<'
                            | b'>'
                            | b'.'
                            | b'-'
                            | b'_'
                            | b'*'
                    )
                })
        };
        let next =
            if is_stop_word(word(at + 1)) && quiet(gap(at, at + 1)) && quiet(gap(at + 1, at + 2)) {
                strong |= word(at + 1) == b"dot" || gap(at, at + 1).trim_ascii() != b"";
                at + 2
            } else {
                let g = gap(at, at + 1);
                let stop = matches!(g.trim_ascii(), b"." | b"[.]" | b"(.)") && g.len() <= 5;
                // *bra. Com hem*: the stop of a sentence, unless the text ends there.
                let full_stop = g == b". " && tokens[at].sentence != tokens[at + 1].sentence;
                strong &= !full_stop;
                weak |= full_stop;
                if !(stop || announced && matches!(g, b" " | b".")) {
                    break;
                }
                at + 1
            };
        if !is_word(next) {
            break;
        }
        at = next;
        if is_top(word(at)) {
            last = Some(at);
            break;
        }
    }
    let last = last?;
    let top = word(last);
    if strong || !weak && !WORDLIKE.iter().any(|w| w.as_bytes() == top) {
        return Some(last);
    }
    // *punkt se*, *punkt nu* may be plain Swedish: a path, a sign or the end must follow, and what
    // stands before must not be what stands before the noun.
    let after = text.get(tokens[last].end as usize);
    let ends = after.is_none_or(|b| matches!(b, b'/' | b',' | b'!' | b'?' | b')' | b'\n' | b'.'))
        || matches!(word(last + 1), b"slash" | b"snedstreck");
    let noun = matches!(
        word(name),
        b"en"
            | b"den"
            | b"denna"
            | b"varje"
            | b"sista"
            | b"samma"
            | b"ingen"
            | b"vilken"
            | b"till"
            | b"viktig"
            | b"din"
            | b"min"
            | b"er"
            | b"annan"
    );
    (ends && !noun && word(name).len() >= 3).then_some(last)
}

/// Where the address ends when a path follows its host.
fn with_path(text: &[u8], tokens: &[Token], last: usize) -> u32 {
    let end = tokens[last].end;
    if text.get(end as usize) == Some(&b'/') {
        let rest = &text[end as usize..];
        let n = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let n =
            rest[..n].iter().rposition(|b| b.is_ascii_alphanumeric() || *b >= 0x80 || *b == b'/');
        return end + n.map_or(0, |n| n as u32 + 1);
    }
    let word = |t: &Token| &text[t.start as usize..t.end as usize];
    match (tokens.get(last + 1), tokens.get(last + 2)) {
        (Some(slash), Some(path)) if matches!(word(slash), b"slash" | b"snedstreck") => path.end,
        _ => end,
    }
}

/// Whether the address was written so that machines should not read it; `written` is the original.
pub fn is_masked(address: &[u8], written: &str) -> bool {
    let host_end = address.iter().skip(8).position(|b| *b == b'/').map_or(address.len(), |n| n + 8);
    address.starts_with(b"hxxp")
        || address[..host_end].iter().any(|b| matches!(b, b'[' | b'(' | b'{'))
        || (address.is_ascii() && !written.is_ascii())
}

/// The host of an address, without scheme and `www.`.
fn host(address: &[u8]) -> &[u8] {
    let start = memchr::memmem::find(address, b"://").map_or(0, |at| at + 3);
    let rest = &address[start..];
    let rest = rest.strip_prefix(b"www.").unwrap_or(rest);
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?' | b':' | b'#'));
    &rest[..end.unwrap_or(rest.len())]
}

/// Whether the host hides where the address leads.
pub fn is_shortener(address: &[u8]) -> bool {
    let host = host(address);
    let label = host.split(|b| *b == b'.').next().unwrap_or_default();
    SHORTENERS.iter().any(|s| s.as_bytes() == host)
        || SHORT_LABELS.iter().any(|s| s.as_bytes() == label)
}

/// How much of an address is looked into, in bytes.
const LOOKED_INTO: usize = 256;
/// The longest word looked for, in bytes.
const LONGEST_WORD: usize = 20;

/// The classes of the words that an address holds: whole between its signs, or run together with
/// others. A word of three letters must begin or end such a run, in the middle it needs five.
pub fn words_inside(address: &[u8], words: &Words, out: &mut SmallVec<[ClassId; 8]>) {
    let address = &address[..address.len().min(LOOKED_INTO)];
    let start = memchr::memmem::find(address, b"://").map_or(0, |at| at + 3);
    let letter = |b: &u8| b.is_ascii_alphanumeric() || *b >= 0x80 || (0x80..0xC0).contains(b);
    for label in address[start..].split(|b| !letter(b)) {
        let digits = label.iter().filter(|b| b.is_ascii_digit()).count();
        if label.len() < 2 || digits * 2 >= label.len() {
            continue;
        }
        in_label(label, words, out);
        if digits > 0 {
            let read: SmallVec<[u8; 64]> = label.iter().map(|b| imitated(*b)).collect();
            in_label(&read, words, out);
        }
    }
}

/// The letter that a digit imitates.
const fn imitated(b: u8) -> u8 {
    match b {
        b'0' => b'o',
        b'1' => b'i',
        b'3' => b'e',
        b'4' => b'a',
        b'5' => b's',
        b'7' => b't',
        b'8' => b'b',
        _ => b,
    }
}

fn in_label(label: &[u8], words: &Words, out: &mut SmallVec<[ClassId; 8]>) {
    /// The class of real words that only look like others.
    const HARMLESS: ClassId = ClassId(0);
    let mut add = |entry: EntryId| {
        for class in words.classes_of(entry) {
            if !out.contains(class) {
                out.push(*class);
            }
        }
        entry != EntryId::UNKNOWN
    };
    let whole = words.look_up(hash_of(label), label, true);
    if words.classes_of(whole).contains(&HARMLESS) {
        return;
    }
    add(whole);
    for from in 0..label.len().saturating_sub(2) {
        for to in from + 3..=label.len().min(from + LONGEST_WORD) {
            let outer = from == 0 || to == label.len();
            if to - from >= 5 || outer {
                let word = &label[from..to];
                add(words.look_up(hash_of(word), word, true));
            }
        }
    }
}

#[cfg(test)]
mod tests;
