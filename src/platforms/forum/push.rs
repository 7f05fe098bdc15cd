//! Pushes from an own site: the signature, and the body (`platforms` sheet, section 15).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use crate::domain::ids::ContentHash;
use crate::platforms::forum::item;
use crate::platforms::push::{Push, PushRefused};
use crate::runtime::secret::Secret;

/// The header that carries the signature, in lower case.
pub const SIGNATURE_HEADER: &str = "x-uppsikt-signature";

/// How far the signature's time may be from ours. Within it, deliveries are told apart by
/// `X-Uppsikt-Delivery`.
const MOST_OFF_S: i64 = 300;

/// Largest body.
pub const MOST_BYTES: usize = 1 << 20;

/// Over these parts, with a full stop between.
fn mac_of(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            mac.update(b".");
        }
        mac.update(part);
    }
    mac
}

fn mac(secret: &Secret, t: i64, body: &[u8]) -> Hmac<Sha256> {
    mac_of(secret.expose().as_bytes(), &[t.to_string().as_bytes(), body])
}

/// What secrets of [`standard`] begin with.
const STANDARD_HEAD: &str = "whsec_";

/// The value of `webhook-signature` as Standard Webhooks has it, for a message of this identity as of now: one
/// signature for each secret, so that a receiver may change to a new one. A secret that is not
/// `whsec_` with Base64 behind signs nothing.
pub fn standard(secrets: &[Secret], id: &str, body: &[u8], now: Timestamp) -> String {
    let t = now.as_second().to_string();
    let signed = secrets.iter().filter_map(|secret| {
        let key = BASE64.decode(secret.expose().strip_prefix(STANDARD_HEAD)?).ok()?;
        let mac = mac_of(&key, &[id.as_bytes(), t.as_bytes(), body]);
        Some(format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())))
    });
    signed.collect::<Vec<_>>().join(" ")
}

/// The header's value for a body, as of now: `t={unix s},v1={hex}`.
pub fn sign(secret: &Secret, body: &[u8], now: Timestamp) -> String {
    let t = now.as_second();
    format!("t={t},v1={}", hex::encode(mac(secret, t, body).finalize().into_bytes()))
}

/// Checks a signature against any of the secrets, in constant time.
///
/// # Errors
/// [`PushRefused`]: the header malformed, its time off, or no secret fits.
pub fn verify_signature(
    header: Option<&str>,
    body: &[u8],
    secrets: &[Secret],
    now: Timestamp,
) -> Result<(), PushRefused> {
    let malformed = |problem| PushRefused::NoSignature { problem };
    let header =
        header.ok_or_else(|| malformed("send X-Uppsikt-Signature: t={unix s},v1={hex}"))?;
    let (mut t, mut given) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) if t.is_none() => {
                // Only the digits that were signed: `+5` and `5` are the same number.
                let is_plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
                t = value.parse::<i64>().ok().filter(|_| is_plain);
                if t.is_none() {
                    return Err(malformed("t is to be the time in whole unix seconds"));
                }
            }
            Some(("v1", value)) => {
                let mut digest = [0_u8; 32];
                hex::decode_to_slice(value, &mut digest)
                    .map_err(|_| malformed("v1 is to be 64 hexadecimal digits"))?;
                given.push(digest);
            }
            // Later versions of the signature may stand beside this one.
            Some((name, _)) if name != "t" => {}
            Some(_) | None => {
                return Err(malformed("the parts are t={unix s} and v1={hex}, once each"));
            }
        }
    }
    let t = t.ok_or_else(|| malformed("t is missing"))?;
    if given.is_empty() || given.len() > 4 {
        return Err(malformed("v1 is missing, or there too often"));
    }
    let off_by_s = now.as_second().saturating_sub(t);
    if off_by_s.saturating_abs() > MOST_OFF_S {
        return Err(PushRefused::OffTime { off_by_s, most_s: MOST_OFF_S });
    }
    // Every pair is compared, so that the time taken tells nothing of which one fitted.
    let mut fits = false;
    for secret in secrets.iter().filter(|secret| !secret.expose().is_empty()) {
        for digest in &given {
            fits |= mac(secret, t, body).verify_slice(digest).is_ok();
        }
    }
    if fits { Ok(()) } else { Err(PushRefused::WrongSignature) }
}

/// The hash of what a signature that holds was made over: its time and the body, however the header is
/// written.
pub fn signed(header: Option<&str>, body: &[u8]) -> ContentHash {
    let t = header.unwrap_or("").split(',').find_map(|part| {
        let (name, value) = part.trim().split_once('=')?;
        (name == "t").then(|| value.parse::<i64>().ok())?
    });
    let mut bytes = t.map_or_else(String::new, |t| t.to_string()).into_bytes();
    bytes.push(b'.');
    bytes.extend_from_slice(body);
    ContentHash::of(&bytes)
}

/// Reads a body: `{"items":[…]}` or a single item, each told or unreadable by itself.
///
/// # Errors
/// [`PushRefused::Shape`] when nothing of it can be used.
pub fn parse_push(body: &[u8]) -> Result<Push, PushRefused> {
    if body.len() > MOST_BYTES {
        return Err(PushRefused::Shape {
            problem: format!("högst {MOST_BYTES} byte tas emot åt gången"),
        });
    }
    let text = std::str::from_utf8(body).map_err(|error| PushRefused::Shape {
        problem: format!("texten är inte UTF-8 från byte {}", error.valid_up_to()),
    })?;
    item::read(text, "").map_err(|problem| PushRefused::Shape { problem })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn check(header: &str, secrets: &[&str], at: Timestamp) -> Result<(), PushRefused> {
        let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        verify_signature(Some(header), b"{}", &secrets, at)
    }

    #[test]
    fn the_signature_is_what_anybody_else_computes() {
        // printf '1795262400.{}' | openssl dgst -sha256 -hmac hemligt
        let expected =
            "t=1795262400,v1=0118ae92ec7d4b8bd785414ed6db6e463c137953b86c1e5a8ec44b728c7592df";
        assert_eq!(sign(&Secret::new("hemligt"), b"{}", now()), expected);
    }

    #[test]
    fn a_message_is_signed_as_standard_webhooks_has_it() {
        // printf 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}' |
        //   openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw | base64 -d | xxd -p) -binary | base64
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(standard(std::slice::from_ref(&secret), id, body, at), expected);
        let both = standard(&[secret, Secret::new("whsec_AAAA"), Secret::new("x")], id, body, at);
        assert_eq!(both.split(' ').count(), 2, "{both}");
        assert!(both.starts_with(expected), "{both}");
    }

    #[test]
    fn either_of_two_secrets_holds_and_no_other() {
        let header = sign(&Secret::new("nytt"), b"{}", now());
        assert_eq!(check(&header, &["gammalt", "nytt"], now()), Ok(()));
        assert_eq!(check(&header, &["gammalt"], now()), Err(PushRefused::WrongSignature));
        assert_eq!(check(&header, &[], now()), Err(PushRefused::WrongSignature));
        let empty = sign(&Secret::new(""), b"{}", now());
        assert_eq!(check(&empty, &[""], now()), Err(PushRefused::WrongSignature));
    }

    #[test]
    fn another_body_or_another_time_does_not_hold() {
        let secret = Secret::new("s");
        let header = sign(&secret, b"{ }", now());
        assert_eq!(check(&header, &["s"], now()), Err(PushRefused::WrongSignature));
        let header = sign(&secret, b"{}", now());
        let moved = header.replacen("t=1", "t=2", 1);
        assert!(matches!(check(&moved, &["s"], now()), Err(PushRefused::OffTime { .. })));
        for (seconds, holds) in [(-301, false), (-300, true), (300, true), (301, false)] {
            let at = now() + SignedDuration::from_secs(seconds);
            assert_eq!(check(&header, &["s"], at).is_ok(), holds, "{seconds}");
        }
    }

    #[test]
    fn malformed_headers_are_told_as_that() {
        let good = sign(&Secret::new("s"), b"{}", now());
        let (t, v1) = good.split_once(',').unwrap();
        let table = [
            "",
            "t=",
            "t=1",
            v1,
            "t=1,v1=",
            "t=x,v1=00",
            "t=-5,v1=00",
            "t=1;v1=00",
            &format!("{t},{t},{v1}"),
            &format!("{t}, v1=åäö"),
            &format!("{t},v1"),
        ];
        for header in table {
            let result = check(header, &["s"], now());
            assert!(matches!(result, Err(PushRefused::NoSignature { .. })), "{header}: {result:?}");
        }
        assert!(verify_signature(None, b"{}", &[Secret::new("s")], now()).is_err());
        assert_eq!(check(&format!("{t}, {v1}, v2=xyz"), &["s"], now()), Ok(()));
    }

    #[test]
    fn what_was_signed_is_the_same_however_the_header_is_written() {
        let same = signed(Some("t=5,v1=00"), b"{}");
        for header in ["v1=11, t=5", "t=05,v2=x"] {
            assert_eq!(signed(Some(header), b"{}"), same, "{header}");
        }
        assert_ne!(signed(Some("t=6,v1=00"), b"{}"), same);
        assert_ne!(signed(Some("t=5,v1=00"), b"{ }"), same);
    }

    #[test]
    fn bodies_that_are_too_large_or_no_text_are_refused() {
        assert!(parse_push(&vec![b' '; MOST_BYTES + 1]).is_err());
        assert!(parse_push(b"{\"id\":\"\xff\"}").is_err());
    }

    proptest! {
        #[test]
        fn no_header_or_body_panics(header in ".{0,80}", body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&header, &["s"], now());
            let _ = parse_push(&body);
        }
    }
}
