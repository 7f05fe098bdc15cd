//! Headers of tar archives (POSIX.1-1988 *ustar*), for files that the service alone may read. No clock and
//! no owner goes in, so that the same files give the same bytes.

/// Archives are made of blocks of so many bytes.
pub const BLOCK: usize = 512;
/// The longest name that a header takes without a prefix.
const NAME: usize = 100;
/// The longest prefix.
const PREFIX: usize = 155;
/// Eleven octal digits.
const MOST_BYTES: u64 = 0o77_777_777_777;

/// The header of a file; none where its name is too long, not ASCII, or the file too large (8 GiB) for the
/// format.
pub fn header(name: &str, size: u64) -> Option<[u8; BLOCK]> {
    let (prefix, name) = split(name)?;
    if size > MOST_BYTES {
        return None;
    }
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        for (to, from) in header.iter_mut().skip(at).zip(bytes) {
            *to = *from;
        }
    };
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    // The sum is taken with spaces in its own place.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(345, prefix.as_bytes());
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    for (to, from) in header.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *to = from;
    }
    Some(header)
}

/// Prefix and name, cut at a slash where it is too long for one field.
fn split(name: &str) -> Option<(&str, &str)> {
    if name.is_empty() || !name.is_ascii() {
        return None;
    }
    if name.len() <= NAME {
        return Some(("", name));
    }
    let fits = |at: &usize| *at <= PREFIX && name.len() - at - 1 <= NAME && name.len() > at + 1;
    let at = name.match_indices('/').map(|(at, _)| at).find(fits)?;
    Some((name.get(..at)?, name.get(at + 1..)?))
}

/// How many zeros follow a file of so many bytes.
pub const fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64) - size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_at_a_slash() {
        let long = format!("{}/{}", "a".repeat(120), "b".repeat(90));
        assert_eq!(split(&long), Some(("a".repeat(120).as_str(), "b".repeat(90).as_str())));
        assert_eq!(split(&"a".repeat(101)), None);
        assert_eq!(split("å"), None);
        assert!(header("a", MOST_BYTES + 1).is_none());
        assert_eq!((padding(0), padding(1), padding(512)), (0, 511, 0));
    }
}
