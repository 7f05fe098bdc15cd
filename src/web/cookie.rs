//! The session's cookie.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

/// How the session's cookie is set: depends only on whether the page is reached over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionCookie {
    /// Over TLS, here or in a proxy before us: `__Host-uppsikt`, `Secure`.
    Secure,
    /// Plain HTTP, allowed on loopback only: `uppsikt`.
    Loopback,
}

impl SessionCookie {
    /// The cookie's name. The prefix makes browsers refuse it unless it is secure, bound to this
    /// host and to the whole site.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-uppsikt",
            Self::Loopback => "uppsikt",
        }
    }

    /// The name of the cookie that holds a step of a log-in: another one, so that no step is ever taken for a session.
    pub const fn step_name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-uppsikt-steg",
            Self::Loopback => "uppsikt-steg",
        }
    }

    /// The cookie for a step of a log-in.
    pub fn set_step(self, token: String) -> Cookie<'static> {
        self.bound(self.step_name(), token)
    }

    /// The cookie that takes a step away from the browser.
    pub fn clear_step(self) -> Cookie<'static> {
        let mut cookie = self.set_step(String::new());
        cookie.make_removal();
        cookie
    }

    /// The cookie for a new session. It ends with the browser; how long the session lives is the
    /// server's matter.
    pub fn set(self, token: String) -> Cookie<'static> {
        self.bound(self.name(), token)
    }

    /// Hidden from scripts, sent to this host alone. Lax, since a provider's page leads back to us.
    fn bound(self, name: &'static str, token: String) -> Cookie<'static> {
        let secure = match self {
            Self::Secure => true,
            Self::Loopback => false,
        };
        Cookie::build((name, token))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(secure)
            .build()
    }

    /// The cookie that takes the session away from the browser.
    pub fn clear(self) -> Cookie<'static> {
        let mut cookie = self.set(String::new());
        cookie.make_removal();
        cookie
    }

    /// The session's token, if the request has one.
    pub fn read(self, headers: &HeaderMap) -> Option<String> {
        CookieJar::from_headers(headers).get(self.name()).map(|cookie| cookie.value().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_bound_and_hidden_from_scripts() {
        assert_eq!(
            SessionCookie::Secure.set("abc".into()).to_string(),
            "__Host-uppsikt=abc; HttpOnly; SameSite=Lax; Secure; Path=/"
        );
        assert_eq!(
            SessionCookie::Loopback.set("abc".into()).to_string(),
            "uppsikt=abc; HttpOnly; SameSite=Lax; Path=/"
        );
    }

    #[test]
    fn the_cookie_of_the_other_kind_is_not_taken() {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", "uppsikt=falsk; __Host-uppsikt=sann".parse().unwrap());
        assert_eq!(SessionCookie::Secure.read(&headers).as_deref(), Some("sann"));
        headers.insert("cookie", "uppsikt=falsk".parse().unwrap());
        assert_eq!(SessionCookie::Secure.read(&headers), None);
    }
}
