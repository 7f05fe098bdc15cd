//! Logging in: by what way, who has to show a second factor, one-time codes (RFC 6238), and which role a group gives.

use std::collections::BTreeSet;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};

use super::ids::AccountKey;
use super::notice::Part;
use super::person::Role;

/// By what way a session was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A password alone.
    Password,
    /// A password, and a code of the second factor or a recovery code.
    Code,
    /// The authority's own provider vouched for the person (OpenID Connect).
    Provider,
    /// A trusted proxy vouched for the person (SAML before us).
    Proxy,
}

impl Way {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Password, Self::Code, Self::Provider, Self::Proxy];

    /// Identifier in the store and the audit log.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::Provider => "provider",
            Self::Proxy => "proxy",
        }
    }

    /// The way with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|way| way.id() == id)
    }

    /// In Swedish, for lists.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Password => "lösenord",
            Self::Code => "lösenord och kod",
            Self::Provider => "organisationens inloggning",
            Self::Proxy => "organisationens inloggning (proxy)",
        }
    }
}

/// Who has to show a second factor beside a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demanded(BTreeSet<&'static str>);

impl Demanded {
    /// Those with these roles.
    pub fn of(roles: impl IntoIterator<Item = Role>) -> Self {
        Self(roles.into_iter().map(Role::id).collect())
    }

    /// Everybody.
    pub fn all() -> Self {
        Self::of(Role::ALL.iter().copied())
    }

    /// Whether somebody with this role has to.
    pub fn of_role(&self, role: Role) -> bool {
        self.0.contains(role.id())
    }
}

/// Whether a session opened by this way is good for somebody: one by a password alone is not where a second factor is
/// demanded or was set up, whenever the session was opened.
pub const fn is_enough(way: Way, has_factor: bool, demanded: bool) -> bool {
    match way {
        Way::Password => !has_factor && !demanded,
        Way::Code | Way::Provider | Way::Proxy => true,
    }
}

/// What a group at the provider means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRule {
    /// The group's name or id, as the provider sends it.
    pub group: String,
    /// The role that its members have.
    pub role: Role,
    /// Accounts that they work with.
    pub accounts: Vec<AccountKey>,
    /// The unit (*verksamhet*) whose accounts they work with, as it stands on the accounts' cards.
    pub unit: Option<String>,
    /// Their part in these.
    pub part: Part,
}

impl GroupRule {
    /// Whether it says anything of this account, which the unit answers for.
    pub fn covers(&self, account: &AccountKey, unit: &str) -> bool {
        let same = |own: &String| own.trim().to_lowercase() == unit.trim().to_lowercase();
        self.accounts.contains(account) || self.unit.as_ref().is_some_and(same)
    }
}

/// The rules that hold for somebody in these groups, the first first. Names are told apart by every letter.
pub fn rules_of<'r>(rules: &'r [GroupRule], groups: &[String]) -> Vec<&'r GroupRule> {
    rules.iter().filter(|rule| groups.contains(&rule.group)).collect()
}

/// The part in an account that rules give. One that works with it goes before one that only steps in.
pub fn part_in(rules: &[&GroupRule], account: &AccountKey, unit: &str) -> Option<Part> {
    let parts: Vec<_> =
        rules.iter().filter(|rule| rule.covers(account, unit)).map(|rule| rule.part).collect();
    let has = |part| parts.contains(&part).then_some(part);
    has(Part::Editor).or_else(|| has(Part::Substitute))
}

/// How long a code is good, in seconds (RFC 6238, section 5.2).
pub const STEP_S: i64 = 30;
/// Digits of a code.
pub const DIGITS: u32 = 6;
/// Bytes of a secret: as many as HMAC-SHA-1 makes (RFC 4226, section 4).
pub const SECRET_BYTES: usize = 20;
/// Steps before and after the present one whose codes are taken: clocks differ, and typing takes a while.
const LEEWAY: u64 = 1;
/// Wrong codes in a row that cost nothing.
const FREE: u64 = 4;

/// The time step of an instant.
pub fn step_at(now: Timestamp) -> u64 {
    u64::try_from(now.as_second().div_euclid(STEP_S)).unwrap_or(0)
}

/// The code of a step (RFC 4226, section 5.3).
pub fn code_at(secret: &[u8], step: u64) -> String {
    // What the authenticators of telephones know; RFC 6238 leaves it open, they do not.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
    let four = tag.get(offset..offset + 4).unwrap_or(&[0; 4]);
    let number = four.iter().fold(0_u32, |n, byte| (n << 8) | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:0width$}", number % 10_u32.pow(DIGITS), width = DIGITS as usize)
}

/// The step whose code this is, among those that are taken now and came after `last`. All are reckoned and compared
/// in constant time.
pub fn step_of(secret: &[u8], code: &str, now: Timestamp, last: u64) -> Option<u64> {
    let present = step_at(now);
    let mut found = None;
    for step in present.saturating_sub(LEEWAY)..=present + LEEWAY {
        let fits = verify_slices_are_equal(code_at(secret, step).as_bytes(), code.as_bytes());
        if fits.is_ok() && step > last {
            found = Some(step);
        }
    }
    found
}

/// What was typed without the spaces that people put between digits, where it can be a code at all.
pub fn typed_code(typed: &str) -> Option<String> {
    let code: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    (code.len() == DIGITS as usize && code.bytes().all(|b| b.is_ascii_digit())).then_some(code)
}

/// How long no code is tried after so many wrong ones in a row: a minute after the fifth, twice as long after each
/// that follows, an hour at most. Guessing a code in a million takes years so.
pub fn wait_after(wrong: u64) -> Option<SignedDuration> {
    let over = wrong.checked_sub(FREE + 1)?;
    let minutes = 1_i64.checked_shl(u32::try_from(over).unwrap_or(32).min(32)).unwrap_or(60);
    Some(SignedDuration::from_mins(minutes.clamp(1, 60)))
}

/// The letters of base 32 (RFC 4648, section 6).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bytes in base 32, as authenticators take them: without padding.
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut n_bits) = (0_u32, 0_u32);
    for &byte in bytes {
        held = (held << 8) | u32::from(byte);
        n_bits += 8;
        while n_bits >= 5 {
            n_bits -= 5;
            text.push(char::from(BASE32[(held >> n_bits & 31) as usize]));
        }
    }
    if n_bits > 0 {
        text.push(char::from(BASE32[(held << (5 - n_bits) & 31) as usize]));
    }
    text
}

/// Bytes out of base 32, whatever the case of its letters; spaces and hyphens between them do not count.
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut n_bits) = (0_u32, 0_u32);
    for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let letter = u8::try_from(c.to_ascii_uppercase()).ok()?;
        let place = BASE32.iter().position(|known| *known == letter)?;
        held = (held << 5) | u32::try_from(place).ok()?;
        n_bits += 5;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((held >> n_bits & 255) as u8);
        }
    }
    Some(bytes)
}

/// A text in groups of four, for people who type it.
pub fn in_fours(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, for SHA-1: the last six of eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let at = Timestamp::from_second(second).unwrap();
            assert_eq!(code_at(secret, step_at(at)), code, "{second}");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_only_near_its_time() {
        let secret = b"12345678901234567890";
        let now = Timestamp::from_second(1_111_111_111).unwrap();
        let present = step_at(now);
        for (away, taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let step = present.checked_add_signed(away).unwrap();
            let code = code_at(secret, step);
            assert_eq!(step_of(secret, &code, now, 0), taken.then_some(step), "{away}");
            assert_eq!(step_of(secret, &code, now, step), None, "again");
        }
        for wrong in ["", "05047", "0504711", "åäöåäö"] {
            assert_eq!(step_of(secret, wrong, now, 0), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_typed_is_read_as_people_write_it() {
        assert_eq!(typed_code(" 050 471\n").as_deref(), Some("050471"));
        for wrong in ["05047", "0504711", "05047a", "٠٥٠٤٧١", ""] {
            assert_eq!(typed_code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn guessing_gets_slower() {
        let minutes: Vec<_> = (0..14).map(|n| wait_after(n).map(|w| w.as_mins())).collect();
        let expected = [None; 5].into_iter().chain([1, 2, 4, 8, 16, 32, 60, 60, 60].map(Some));
        assert_eq!(minutes, expected.collect::<Vec<_>>());
        assert_eq!(wait_after(u64::MAX).unwrap().as_mins(), 60);
    }

    #[test]
    fn base_32_goes_there_and_back() {
        for (bytes, text) in [("", ""), ("f", "MY"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
            assert_eq!(from_base32(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(from_base32("mzxw 6ytb-oi").unwrap(), b"foobar");
        assert_eq!(from_base32("MZXW1"), None);
        assert_eq!(in_fours("MZXW6YTBOI"), "MZXW 6YTB OI");
    }

    #[test]
    fn a_password_alone_is_enough_only_where_nothing_more_is_there_or_asked_for() {
        for way in Way::ALL {
            for (has, demanded) in [(false, false), (false, true), (true, false), (true, true)] {
                let enough = is_enough(*way, has, demanded);
                assert_eq!(enough, *way != Way::Password || !has && !demanded, "{way:?}");
            }
            assert_eq!(Way::from_id(way.id()), Some(*way));
        }
        assert!(Demanded::all().of_role(Role::Auditor));
        assert!(!Demanded::of([Role::Administrator]).of_role(Role::Editor));
        assert!(!Demanded::default().of_role(Role::Administrator));
    }

    #[test]
    fn groups_give_the_first_role_and_parts_by_account_or_unit() {
        let key = |text: &str| AccountKey::new(text);
        let rule = |group: &str, role, accounts: &[&str], unit: Option<&str>, part| GroupRule {
            group: group.into(),
            role,
            accounts: accounts.iter().map(|a| key(a)).collect(),
            unit: unit.map(str::to_owned),
            part,
        };
        let rules = [
            rule("chefer", Role::Owner, &[], Some("Kultur och fritid"), Part::Substitute),
            rule("redaktion", Role::Editor, &["facebook"], None, Part::Editor),
        ];
        let of = |groups: &[&str]| {
            rules_of(&rules, &groups.iter().map(|g| (*g).to_owned()).collect::<Vec<_>>())
        };
        assert!(of(&["Redaktion", "andra"]).is_empty(), "every letter counts");
        let both = of(&["redaktion", "chefer"]);
        assert_eq!(both[0].role, Role::Owner, "in the order of the settings");
        assert_eq!(part_in(&both, &key("facebook"), "Kommunikation"), Some(Part::Editor));
        assert_eq!(part_in(&both, &key("facebook"), " kultur och fritid"), Some(Part::Editor));
        assert_eq!(part_in(&both, &key("badet"), "KULTUR och fritid"), Some(Part::Substitute));
        assert_eq!(part_in(&both, &key("badet"), ""), None);
    }
}
