//! Somebody's consent: access tokens come out of it that run out (RFC 6749, section 6).

use std::collections::BTreeMap;

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

    fn refresh(&self, rotates: bool) -> String {
        match self.handed_out {
            n @ 1.. if rotates => format!("{}-{n}", Self::FIRST),
            _ => Self::FIRST.to_owned(),
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
        rotates: bool,
    ) -> Result<Pair, &'static str> {
        let field = |name: &str| form.get(name).map(String::as_str);
        if field("grant_type") != Some("refresh_token") {
            return Err("unsupported_grant_type");
        }
        if self.is_revoked || field("refresh_token") != Some(&self.refresh(rotates)) {
            return Err("invalid_grant");
        }
        self.handed_out += 1;
        let access = format!("simulerad-nyckel-{}", self.handed_out);
        Ok(Pair { access, refresh: self.refresh(rotates) })
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
