//! Values that are never printed (invariant 9).

use std::fmt;

use zeroize::Zeroizing;

/// A password, token or key. Wiped from memory when dropped; printing it shows `•••`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the secret over.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The secret itself, for the call that needs it. Never store or format what this gives.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` with every occurrence of the secret struck out.
    pub fn strike_out(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(self.0.as_str(), "•••") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_not_printed_even_inside_other_values() {
        let secret = Secret::new("hemligt");
        assert_eq!(format!("{:?}", Some(&secret)), "Some(•••)");
        assert_eq!(secret.strike_out("?token=hemligt&x=1"), "?token=•••&x=1");
        assert_eq!(Secret::new("").strike_out("abc"), "abc");
    }
}
