//! Web addresses, mail addresses and mentions: recognised by form, a chunk at a time.

use crate::classify::tokens::Kind;

/// Top domains that are taken as a sign of an address even without `http`. A short list: an
/// unknown ending with a path behind it is an address all the same.
const TOP_DOMAINS: &[&[u8]] = &[
    b"se", b"nu", b"com", b"org", b"net", b"info", b"eu", b"io", b"tv", b"no", b"dk", b"fi", b"de",
    b"uk", b"ru", b"biz", b"shop", b"store", b"online", b"xyz", b"top", b"site", b"club", b"app",
    b"me", b"co", b"cc", b"to", b"ly", b"gg", b"dev", b"example", b"link", b"live", b"news",
    b"vip", b"win", b"bet", b"casino", b"loan",
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
    is_web(core).then_some((Kind::Address, from, to))
}

fn is_mail(core: &[u8]) -> bool {
    let core = core.strip_prefix(b"mailto:").unwrap_or(core);
    let Some(at) = memchr::memchr(b'@', core) else { return false };
    let (local, host) = (&core[..at], &core[at + 1..]);
    !local.is_empty()
        && local.iter().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+') || *b >= 0xC3
        })
        && is_host(host)
}

fn is_web(core: &[u8]) -> bool {
    if memchr::memmem::find(core, b"://").is_some_and(|at| at <= 6) || core.starts_with(b"www.") {
        return true;
    }
    let host_end =
        core.iter().position(|b| matches!(b, b'/' | b'?' | b':' | b'#')).unwrap_or(core.len());
    is_host(&core[..host_end])
}

/// Labels of letters, digits and hyphens between dots, the last a known top domain.
fn is_host(host: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', host) else { return false };
    let top = &host[dot + 1..];
    dot > 0
        && TOP_DOMAINS.contains(&top)
        && host[..dot].split(|b| *b == b'.').all(|label| {
            !label.is_empty()
                && label.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-' || *b >= 0xC3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_sentences_without_blanks() {
        for (chunk, want) in [
            ("https://a.example/b?c=1", Some(Kind::Address)),
            ("(www.exempelstad.example).", Some(Kind::Address)),
            ("exempelstad.se/bygg", Some(Kind::Address)),
            ("kim.exempel@exempelstad.example,", Some(Kind::Mail)),
            ("@kim_exempel:", Some(Kind::Mention)),
            ("slut.nu", Some(Kind::Address)),
            ("slut.börja", None),
            ("t.ex.", None),
            ("h@ra", None),
            ("...", None),
        ] {
            assert_eq!(whole_chunk(chunk.as_bytes()).map(|(k, ..)| k), want, "{chunk}");
        }
    }
}
