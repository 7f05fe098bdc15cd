//! Calls in the name of one account: signed by OAuth 1.0a (RFC 5849), with failures that come with success
//! (`platforms` sheet, section 13).

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use url::Url;

use crate::platforms::error::{Lane, PlatformError};
use crate::platforms::http::{Answer, BadHttpSettings, Http, below};
use crate::platforms::settings::FlickrSettings;
use crate::runtime::clock::Clock;
use crate::runtime::secret::Secret;

/// How long to wait where the platform says that comments are written too fast.
const TOO_FAST: SignedDuration = SignedDuration::from_secs(60);

/// Calls in the name of one account.
pub struct Calls {
    pub http: Http,
    pub settings: FlickrSettings,
}

/// As RFC 3986 has it, which OAuth takes at its word: all but letters, digits and `-._~`.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The signature of a call: its method, address and all that is sent along, query, form and header alike
/// (RFC 5849, section 3.4).
pub fn signature(
    method: &Method,
    url: &Url,
    sent: &[(String, String)],
    app: &Secret,
    token: &Secret,
) -> String {
    let mut pairs: Vec<_> = sent.iter().map(|(n, v)| (encoded(n), encoded(v))).collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut bare = url.clone();
    bare.set_query(None);
    let text = format!("{method}&{}&{}", encoded(bare.as_str()), encoded(&pairs.join("&")));
    let key = format!("{}&{}", encoded(app.expose()), encoded(token.expose()));
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

/// What a signed call shows in its header.
pub fn header(shown: &[(String, String)]) -> String {
    let shown: Vec<_> = shown.iter().map(|(n, v)| format!("{n}=\"{}\"", encoded(v))).collect();
    format!("OAuth {}", shown.join(", "))
}

impl Calls {
    pub fn new(settings: FlickrSettings, clock: Clock) -> Result<Self, BadHttpSettings> {
        let secrets = [&settings.api_secret, &settings.token, &settings.token_secret];
        let secrets = secrets.map(Clone::clone).to_vec();
        let http = Http::new(&settings.base, &settings.http, clock, secrets)?;
        Ok(Self { http, settings })
    }

    /// One call. Every method has the same address.
    async fn call(
        &self,
        verb: Method,
        method: &str,
        of: &[(&str, &str)],
    ) -> Result<Answer, PlatformError> {
        let own = [("method", method), ("format", "json"), ("nojsoncallback", "1")];
        let sent: Vec<_> = own.iter().chain(of).copied().collect();
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| PlatformError::Local {
            detail: "no randomness".into(),
            mend: "Datorn gav inga slumptal. Starta om Uppsikt.".into(),
        })?;
        let Self { http, settings } = self;
        let mut shown = vec![
            ("oauth_consumer_key".to_owned(), settings.api_key.clone()),
            ("oauth_nonce".to_owned(), hex::encode(nonce)),
            ("oauth_signature_method".to_owned(), "HMAC-SHA1".to_owned()),
            ("oauth_timestamp".to_owned(), http.clock().now().as_second().to_string()),
            ("oauth_token".to_owned(), settings.token.expose().to_owned()),
            ("oauth_version".to_owned(), "1.0".to_owned()),
        ];
        let bare = below(&settings.base, "services/rest/", &[]);
        let all: Vec<_> = sent
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .chain(shown.iter().cloned())
            .collect();
        let signed = signature(&verb, &bare, &all, &settings.api_secret, &settings.token_secret);
        shown.push(("oauth_signature".to_owned(), signed));
        let call = if verb == Method::GET {
            http.call(verb, below(&settings.base, "services/rest/", &sent))
        } else {
            http.call(verb, bare).form(&sent)
        };
        let answer = http.send(call.header(AUTHORIZATION, header(&shown)));
        let answer = answer.await?;
        match fault(&answer) {
            None => Ok(answer),
            Some(error) => Err(error),
        }
    }

    pub async fn get(&self, method: &str, of: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        self.call(Method::GET, method, of).await
    }

    pub async fn post(&self, method: &str, of: &[(&str, &str)]) -> Result<Answer, PlatformError> {
        self.call(Method::POST, method, of).await
    }
}

#[derive(Deserialize)]
struct Stat {
    stat: String,
    #[serde(default)]
    code: i64,
}

/// The error that an answer is. Decides on the code; status and text count only where there is none.
pub fn fault(answer: &Answer) -> Option<PlatformError> {
    if answer.status == 429 {
        // Counted by the key, which all accounts of the app show.
        return Some(PlatformError::Throttled {
            until: answer.retry_after().unwrap_or_else(|| answer.after_a_long_wait()),
            lane: Lane::App,
            detail: "HTTP 429".into(),
        });
    }
    if answer.status == 401 {
        let text = answer.text();
        let problem = text.split('&').find_map(|part| part.strip_prefix("oauth_problem="));
        let problem = problem.unwrap_or("unnamed");
        let is_name =
            problem.len() <= 40 && problem.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let detail = format!("HTTP 401 {}", if is_name { problem } else { "unnamed" });
        return Some(match problem {
            "timestamp_refused" => PlatformError::Local {
                detail,
                mend: "Datorns klocka går fel, så plattformen godtar inte anropen. Ställ klockan."
                    .into(),
            },
            _ => PlatformError::ReauthNeeded { detail },
        });
    }
    let Ok(Stat { stat, code }) = serde_json::from_slice::<Stat>(&answer.body) else {
        return Some(answer.trouble().unwrap_or_else(|| answer.not_json()));
    };
    if stat == "ok" && answer.is_success() {
        return None;
    }
    let name = format!("Flickr code {code}");
    let transient = || PlatformError::Transient {
        detail: name.clone(),
        may_have_acted: answer.was_write,
        retry_at: answer.retry_after(),
    };
    Some(match code {
        1 | 2 => PlatformError::Gone,
        8 => PlatformError::Refused {
            code: name,
            reason: "Plattformen godtar inte texten: den är tom.".into(),
        },
        9 => PlatformError::Throttled {
            until: answer.at.saturating_add(TOO_FAST).unwrap_or(answer.at),
            lane: Lane::Call,
            detail: name,
        },
        98 => PlatformError::ReauthNeeded { detail: name },
        99 => PlatformError::Forbidden {
            what: "kontots anslutning saknar rätten att göra det; anslut kontot på nytt med rätten write".into(),
        },
        100 => PlatformError::Forbidden {
            what: "appens nyckel (api_key) godtas inte; kontrollera den hos plattformen".into(),
        },
        105 | 106 | 201 => transient(),
        _ => answer.trouble().unwrap_or(PlatformError::Contract { detail: name }),
    })
}

#[cfg(test)]
mod tests {
    use crate::platforms::testing::{answer, line};

    use super::*;

    #[test]
    fn a_signature_is_what_the_standard_computes() {
        // OAuth Core 1.0a, appendix A.5.
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let sent = [
            pair("file", "vacation.jpg"),
            pair("size", "original"),
            pair("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            pair("oauth_token", "nnch734d00sl2jdk"),
            pair("oauth_signature_method", "HMAC-SHA1"),
            pair("oauth_timestamp", "1191242096"),
            pair("oauth_nonce", "kllo9940pd9333jh"),
            pair("oauth_version", "1.0"),
        ];
        let url = Url::parse("http://photos.example.net/photos?file=vacation.jpg").unwrap();
        let (app, token) = (Secret::new("kd94hf93k423kf44"), Secret::new("pfkkdhi9sl3r4s00"));
        let signed = signature(&Method::GET, &url, &sent, &app, &token);
        assert_eq!(signed, "tR3+Ty81lMeYAr/Fid0kMTYa/WM=");
    }

    #[test]
    fn what_is_signed_is_encoded_as_the_standard_says() {
        assert_eq!(encoded("Åsa & Kim~_-."), "%C3%85sa%20%26%20Kim~_-.");
        assert_eq!(encoded("a+b*'()"), "a%2Bb%2A%27%28%29");
    }

    #[test]
    fn every_error_of_the_sheet_has_its_class() {
        let mut lines = String::new();
        for code in [1, 2, 8, 9, 95, 96, 97, 98, 99, 100, 105, 106, 111, 112, 114, 115, 116, 201] {
            let body = format!(r#"{{"stat":"fail","code":{code},"message":"x"}}"#);
            let error = fault(&answer(200, &body, &[])).expect("a failure");
            lines.push_str(&line(&format!("code {code}"), &error));
        }
        for (status, body) in [
            (401, "oauth_problem=signature_invalid&debug_sbs=x"),
            (401, "oauth_problem=timestamp_refused"),
            (429, ""),
            (503, ""),
            (200, "<html>"),
            (200, "jsonFlickrApi({})"),
        ] {
            let error = fault(&answer(status, body, &[])).expect("a failure");
            lines.push_str(&line(&format!("{status} {body}"), &error));
        }
        insta::assert_snapshot!(lines);
        assert_eq!(fault(&answer(200, r#"{"stat":"ok"}"#, &[])), None);
    }
}
