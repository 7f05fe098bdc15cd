//! Keys of the usual form: a time, and ten bits that tell programs apart.

/// The protocol's alphabet for keys, in the order of their values.
const ALPHABET: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

/// Five bits a sign, and the first of the 65 is nought.
pub const LENGTH: usize = 13;

/// Bits below the microseconds since 1970.
pub const CLOCK_BITS: u32 = 10;

/// The key with this value.
pub fn key_of(value: u64) -> String {
    let sign = |place: usize| {
        let bits = value >> (5 * (LENGTH - 1 - place)) & 31;
        // Five bits are less than the alphabet's 32 signs.
        char::from(ALPHABET[bits as usize])
    };
    (0..LENGTH).map(sign).collect()
}

/// Microseconds since 1970, where the key is of the usual form and before the year 2112.
pub fn time_of(key: &str) -> Option<u64> {
    if key.len() != LENGTH {
        return None;
    }
    let mut value = 0_u64;
    for byte in key.bytes() {
        let bits = ALPHABET.iter().position(|sign| *sign == byte)?;
        value = value.checked_mul(32)? | bits as u64;
    }
    let micros = value >> CLOCK_BITS;
    (micros < 1 << 52).then_some(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_their_time_and_others_none() {
        for value in [0, 1, u64::MAX >> 2, 0x1234_5678_9abc_def0] {
            let key = key_of(value);
            assert_eq!(time_of(&key), Some(value >> CLOCK_BITS), "{key}");
        }
        for other in
            ["self", "", "3l6aexempel2", "3L6AEXEMPEL2B", "zzzzzzzzzzzzz", "eget-namn.1234"]
        {
            assert_eq!(time_of(other), None, "{other}");
        }
    }
}
