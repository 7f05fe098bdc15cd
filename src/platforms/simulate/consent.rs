//! Somebody's consent: access tokens come out of it that run out (RFC 6749, section 6).

use std::collections::BTreeMap;

use crate::platforms::simulate::is_shown;

/// What becomes of a refresh token that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It stays.
    Lasting,
    /// Another one is given, and it is spent.
    Once,
    /// The same, and it is good until the one given for it has been shown: an answer that was lost
    /// on the way locks nobody out.
    Lenient,
}

/// What stands of one consent.
#[derive(Debug, Default)]
pub struct Consent {
    /// How many access tokens were handed out, and how many of them have run out.
    handed_out: u32,
    expired: u32,
    /// It was taken back.
    is_revoked: bool,
}

/// What it is exchanged for.
#[derive(Debug)]
pub struct Pair {
    pub access: String,
    pub refresh: String,
}

impl Consent {
    /// What it is first shown by.
    pub const FIRST: &str = "simulerat-medgivande";

    /// The one that was given out at this renewal.
    fn refresh(rotation: Rotation, renewal: u32) -> String {
        match (rotation, renewal) {
            (Rotation::Once | Rotation::Lenient, n @ 1..) => format!("{}-{n}", Self::FIRST),
            (_, _) => Self::FIRST.to_owned(),
        }
    }

    /// A new access token. Where the platform changes the refresh token each time, the one before
    /// is spent.
    ///
    /// # Errors
    /// The standard's name for what is wrong.
    pub fn renew(
        &mut self,
        form: &BTreeMap<String, String>,
        rotation: Rotation,
    ) -> Result<Pair, &'static str> {
        let field = |name: &str| form.get(name).map(String::as_str);
        if field("grant_type") != Some("refresh_token") {
            return Err("unsupported_grant_type");
        }
        let newest = Self::refresh(rotation, self.handed_out);
        let before = Self::refresh(rotation, self.handed_out.saturating_sub(1));
        let shown = field("refresh_token");
        let shown =
            shown.map(|shown| if is_shown(shown, Self::FIRST) { Self::FIRST } else { shown });
        let is_good =
            shown == Some(&newest) || (rotation == Rotation::Lenient && shown == Some(&before));
        if self.is_revoked || !is_good {
            return Err("invalid_grant");
        }
        self.handed_out += 1;
        let access = format!("simulerad-nyckel-{}", self.handed_out);
        Ok(Pair { access, refresh: Self::refresh(rotation, self.handed_out) })
    }

    /// Whether an access token is good.
    pub fn knows(&self, access: Option<&str>) -> bool {
        let number = access.and_then(|token| token.strip_prefix("simulerad-nyckel-")?.parse().ok());
        number.is_some_and(|n: u32| n > self.expired && n <= self.handed_out)
    }

    /// The access tokens handed out so far run out.
    pub fn expire(&mut self) {
        self.expired = self.handed_out;
    }

    /// Whoever gave it takes it back.
    pub fn revoke(&mut self) {
        self.is_revoked = true;
        self.expire();
    }
}
