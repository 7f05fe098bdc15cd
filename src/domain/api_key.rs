//! Keys for programs (*API-nycklar*): what one may be used for, and how one is written.
//!
//! A key does what its user may, and of that only what its scopes name, on the accounts that it is for.

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $label:literal;)*) => {
        /// What a key may be used for (*behörighet*).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope {
            $($(#[$doc])* $name,)*
        }

        impl Scope {
            /// All of them, in the order of the page.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Identifier in the store, on the command line and in the documentation.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// What it lets a program do, in Swedish.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }
        }
    };
}

scopes! {
    /// The queue's lines and the search.
    QueueRead = "queue:read", "läsa kön och söka";
    /// A case in full.
    CasesRead = "cases:read", "läsa ärenden i sin helhet";
    /// Decide, undo, take and let go.
    CasesDecide = "cases:decide", "besluta, ångra, ta och släppa ärenden";
    /// Internal notes.
    NotesWrite = "notes:write", "skriva interna anteckningar";
    /// Record by hand.
    IntakeWrite = "intake:write", "lägga in inlägg för hand";
    /// The list of the diary, and its numbers.
    RegisterWrite = "register:write", "läsa diarielistan och skriva in diarienummer";
    /// Sealed records and packages of them.
    EvidenceRead = "evidence:read", "läsa säkrade bevis och hämta paket";
    /// Statistics.
    StatisticsRead = "statistics:read", "läsa statistik";
    /// Accounts and what they can do.
    AccountsRead = "accounts:read", "läsa konton och vad de klarar";
}

impl Scope {
    /// The scope with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.id() == id)
    }
}

/// What every key begins with, so that one that has leaked is found by a search.
const HEAD: &str = "uppsikt_";
/// Digits of the part that is shown.
pub const PREFIX_DIGITS: usize = 8;
/// Digits of the part that is not.
pub const SECRET_DIGITS: usize = 64;

/// A key as it is written: the part that is shown, and the secret.
pub fn written(prefix: &str, secret: &str) -> String {
    format!("{HEAD}{prefix}_{secret}")
}

/// The part of a key that is shown; nothing where it cannot be one of ours.
pub fn prefix_of(key: &str) -> Option<&str> {
    let (prefix, secret) = key.strip_prefix(HEAD)?.split_once('_')?;
    let digits = |text: &str, n: usize| {
        text.len() == n && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    (digits(prefix, PREFIX_DIGITS) && digits(secret, SECRET_DIGITS)).then_some(prefix)
}

/// How long a key may live, in days: two years.
pub const LONGEST_DAYS: u32 = 730;
/// Calls a minute that a key is given where nothing else is said.
pub const USUAL_PER_MIN: u32 = 120;
/// The most calls a minute that one can be given.
pub const MOST_PER_MIN: u32 = 6_000;

/// How a program is kept to its calls a minute: the whole minute's at once, then as they come back. A pure
/// function of what is left, so that time belongs to the caller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// Calls left.
    left: f64,
    /// When that was reckoned, in milliseconds.
    at_ms: i64,
}

impl Allowance {
    /// A whole minute's calls.
    pub fn full(per_min: u32, now_ms: i64) -> Self {
        Self { left: f64::from(per_min), at_ms: now_ms }
    }

    /// Takes one call.
    ///
    /// # Errors
    /// Whole seconds until there is one again, at least one.
    pub fn take(&mut self, per_min: u32, now_ms: i64) -> Result<(), u64> {
        let per_ms = f64::from(per_min.max(1)) / 60_000.0;
        // A clock that goes back gives nothing.
        let passed = now_ms.saturating_sub(self.at_ms).max(0) as f64;
        self.left = (self.left + passed * per_ms).min(f64::from(per_min));
        self.at_ms = self.at_ms.max(now_ms);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        let wait_s = ((1.0 - self.left) / per_ms / 1_000.0).ceil();
        Err((wait_s as u64).max(1))
    }

    /// Whether nothing of it is used, as of one that was never asked.
    pub fn is_full(&self, per_min: u32, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.at_ms) >= 60_000 || self.left >= f64::from(per_min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_shown_part_and_nothing_else_passes_for_one() {
        let secret = "ab".repeat(32);
        let key = written("0123abcd", &secret);
        assert_eq!(prefix_of(&key), Some("0123abcd"));
        for wrong in [
            "",
            "uppsikt_",
            &secret,
            &key[1..],
            &key[..key.len() - 1],
            &key.to_uppercase(),
            &format!("{key}0"),
            &format!("uppsikt_0123abc_{secret}a"),
            &format!("uppsikt_0123abcå_{secret}"),
        ] {
            assert_eq!(prefix_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn scopes_are_told_apart_and_found_again() {
        for &scope in Scope::ALL {
            assert_eq!(Scope::from_id(scope.id()), Some(scope));
        }
        assert_eq!(Scope::from_id("allt"), None);
    }

    #[test]
    fn so_many_calls_a_minute_pass_and_then_as_they_come_back() {
        let mut allowance = Allowance::full(60, 0);
        let taken = (0..100).filter(|_| allowance.take(60, 0).is_ok()).count();
        assert_eq!(taken, 60);
        assert_eq!(allowance.take(60, 0), Err(1));
        assert!(!allowance.is_full(60, 500));
        assert_eq!(allowance.take(60, 1_000), Ok(()));
        assert_eq!(allowance.take(60, 900), Err(1), "a clock that goes back gives nothing");
        let later = (0..100).filter(|_| allowance.take(60, 3_600_000).is_ok()).count();
        assert_eq!(later, 60, "no more than a minute's calls are saved up");
        assert_eq!(Allowance::full(1, 0).take(1, 0), Ok(()));
        let mut slow = Allowance::full(1, 0);
        slow.take(1, 0).unwrap();
        assert_eq!(slow.take(1, 0), Err(60));
    }
}
