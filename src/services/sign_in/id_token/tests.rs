use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use super::*;

const ISSUER: &str = "https://id.exempelstad.example/v2.0";

/// A key and two tokens that OpenSSL made.
const MODULUS: &str = "phjnW5pC7KjmfotzQk8bOl0KJGpgcp9FCMeZdpY5Lni8X-ljK3Ol_tZVyoQgVBcVjOQIJ3CwMbmUPAUu2iOTR20Wu6_m-nLbLrtdYX2CtrXZD5D_2ass2b8ji4HihDh27U5A09TNXkLtkeY93grFMGy1JxiP_MFpr1jpHNansuZZrGo-NbqjKlC-pkrjMGEmVoBSE4JsTX2FO1i3gtdkR6n4Qm9igzaExGll6UCMEnDAOovUEg6ejcWgPI4B2V4em-8YpUrekZfKmV2DtF8HEA2Sz4uZ6miwk5r2yvy54-8rfVyqu3e6QjdLADAgjkdkE4xWJsma3Xl7m7yjE4oqYw";
const RS256: &str = "eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInJzYSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGVtcGVsc3RhZC5leGFtcGxlL3YyLjAiLCAiYXVkIjogInVwcHNpa3QiLCAic3ViIjogInBlcnNvbi0xIiwgIm5vbmNlIjogImVuZ2FuZyIsICJpYXQiOiAxNzkwMDAwMDAwLCAiZXhwIjogMTc5MDAwMDYwMCwgIm5hbWUiOiAiS2ltIEV4ZW1wZWwiLCAicHJlZmVycmVkX3VzZXJuYW1lIjogImtpbUBleGVtcGVsc3RhZC5leGFtcGxlIiwgImdyb3VwcyI6IFsidXBwc2lrdC1yZWRha3RvciJdfQ.Il2_JPnFkKt72xT5oZ995iDlb6ITK8LP8E4SIHLPe1dKVFhtjIrKbSLyygXpHXpgMjIoz1oN0-kNN27V8qMcau4f7tH_qk0VmX4se-jitynEsmn3ypMBT188rGIjDp5Cmb6vGS_J9yFezDoW29PLqlynMihqoSPdp03wXMM7cPfbpSFYBhNRUxRwWJXj4kkEIKsafSxYl3w-CD7ITokduHCJuAr6M_FFdi4C8GjhLEb5foP2zmVldTY7cLuaQNnDi9cdJiQoUypEDTgR7EJwM3JN_jI8oCPolVCnu6RZDkSn08L96Q6VXvlEGQWI7CPns06gmNhs2cWPyOtINhPTLQ";
const PS256: &str = "eyJhbGciOiAiUFMyNTYiLCAia2lkIjogInJzYSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGVtcGVsc3RhZC5leGFtcGxlL3YyLjAiLCAiYXVkIjogInVwcHNpa3QiLCAic3ViIjogInBlcnNvbi0xIiwgIm5vbmNlIjogImVuZ2FuZyIsICJpYXQiOiAxNzkwMDAwMDAwLCAiZXhwIjogMTc5MDAwMDYwMCwgIm5hbWUiOiAiS2ltIEV4ZW1wZWwiLCAicHJlZmVycmVkX3VzZXJuYW1lIjogImtpbUBleGVtcGVsc3RhZC5leGFtcGxlIiwgImdyb3VwcyI6IFsidXBwc2lrdC1yZWRha3RvciJdfQ.KVTO9Q6wd1uNcOqr490an0PLsTs0p_GAAwTNP5yfeJrARO7taE8Y--g55fAKIrnZ4E4dEsUzpdFdLgJtzxmGa-UOpMwIp_lkBUSHOpU_2dsJDd6zb6afILZQmVUssu6H8r9nN_2Dh2y3ytXF_T58aGWu3-e3ZR0JtKC5XXKLw2DnJX-_AItG1rBIwXuOx1BnGlZNinoYwkxC7j-rDwhrmp-h7Ysrg_-d3hFV5qD_O5pQ9lvzvcrPIW6hDStm8m7GEeORq1LQer5l0lHBAwnRser8ESCqQSfH5gmnSHezeoycMtOx6dryvlqChvCcBwZBAYptoVzUUuRROm_4NtW9qQ";

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: ISSUER,
        client: "uppsikt",
        nonce: "engang",
        now: now(),
        groups_claim: "groups",
    }
}

fn rsa(more: Value) -> Value {
    let mut key = json!({"kty": "RSA", "kid": "rsa", "n": MODULUS, "e": "AQAB"});
    key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    key
}

fn keys(keys: &[Value]) -> Keys {
    Keys::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// A signing key, and what is published of it.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn published(&self, id: &str) -> Value {
        let point = self.0.public_key().as_ref();
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": id,
               "x": coordinate(&point[1..33]), "y": coordinate(&point[33..])})
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn claims(more: Value) -> Value {
    let at = now().as_second();
    let mut claims = json!({"iss": ISSUER, "aud": "uppsikt", "sub": "person-1", "nonce": "engang",
        "iat": at, "exp": at + 600, "groups": ["a", "b"], "name": "Kim Exempel"});
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

#[test]
fn tokens_that_others_made_are_read() {
    for token in [RS256, PS256] {
        let said = read(token, &keys(&[rsa(json!({}))]), &expected()).unwrap();
        assert_eq!(
            (said.subject.as_str(), said.groups),
            ("person-1", vec!["uppsikt-redaktor".to_owned()])
        );
        assert_eq!(said.name.as_deref(), Some("Kim Exempel"));
        assert_eq!(said.login.as_deref(), Some("kim@exempelstad.example"));
    }
}

#[test]
fn a_key_is_used_for_what_it_is_published_for_alone() {
    let with = |more| keys(&[rsa(more)]);
    for (set, refusal) in [
        (with(json!({"use": "enc"})), Refusal::UnknownKey),
        (with(json!({"alg": "HS256"})), Refusal::UnknownKey),
        (with(json!({"alg": "PS256"})), Refusal::Signature),
        (with(json!({"kid": "another"})), Refusal::UnknownKey),
        (with(json!({"n": URL_SAFE_NO_PAD.encode([255; 256])})), Refusal::Signature),
        // Too short to be held for safe.
        (with(json!({"n": URL_SAFE_NO_PAD.encode([255; 128])})), Refusal::Signature),
        (keys(&[json!({"kty": "oct", "kid": "rsa", "k": "c2Vj"})]), Refusal::UnknownKey),
        (Keys::default(), Refusal::UnknownKey),
    ] {
        assert_eq!(read(RS256, &set, &expected()), Err(refusal), "{set:?}");
    }
    assert!(read(RS256, &with(json!({"alg": "RS256", "use": "sig"})), &expected()).is_ok());
    assert_eq!(Keys::read(b"<html>"), None);
}

/// Every way of signing that is none, or that anybody can do who has read the published key.
#[test]
fn what_is_not_signed_by_the_provider_is_refused() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let set = keys(&[signer.published("k1"), rsa(json!({}))]);
    let good = signer.token(&json!({"alg": "ES256", "kid": "k1"}), &claims(json!({})));
    assert!(read(&good, &set, &expected()).is_ok());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let none = |alg: &str| {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": alg}).to_string());
        let body = URL_SAFE_NO_PAD.encode(claims(json!({})).to_string());
        format!("{header}.{body}.")
    };
    let hs256 = {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed =
            format!("{}.{}", part(json!({"alg": "HS256", "kid": "rsa"})), part(claims(json!({}))));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, MODULUS.as_bytes());
        let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    let with = |header: Value| signer.token(&header, &claims(json!({})));
    let other_body = {
        let (head, rest) = good.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let body = URL_SAFE_NO_PAD.encode(claims(json!({"sub": "chef"})).to_string());
        format!("{head}.{body}.{signature}")
    };
    for (token, refusal) in [
        (none("none"), Refusal::Algorithm),
        (none("None"), Refusal::Algorithm),
        (none("ES256"), Refusal::Signature),
        (hs256, Refusal::Algorithm),
        (format!("{signed}."), Refusal::Signature),
        (other_body, Refusal::Signature),
        (
            stranger.token(&json!({"alg": "ES256", "kid": "k1"}), &claims(json!({}))),
            Refusal::Signature,
        ),
        (
            stranger.token(&json!({"alg": "ES256", "kid": "k2"}), &claims(json!({}))),
            Refusal::UnknownKey,
        ),
        (with(json!({"alg": "RS256", "kid": "k1"})), Refusal::Signature),
        (with(json!({"alg": "ES256", "kid": "rsa"})), Refusal::Signature),
        (with(json!({"alg": "ES256", "kid": "k1", "crit": ["exp"]})), Refusal::Algorithm),
        // A key that the token brings along is nobody's.
        (
            stranger.token(
                &json!({"alg": "ES256", "jwk": stranger.published("x")}),
                &claims(json!({})),
            ),
            Refusal::Signature,
        ),
        ("a.b".into(), Refusal::Unreadable),
        (String::new(), Refusal::Unreadable),
        ("x".repeat(LONGEST + 1), Refusal::Unreadable),
    ] {
        assert_eq!(
            read(&token, &set, &expected()),
            Err(refusal),
            "{}",
            &token[..token.len().min(60)]
        );
    }
}

#[test]
fn a_token_says_who_for_whom_when_and_for_which_log_in() {
    let signer = Signer::new();
    let set = keys(&[signer.published("k1")]);
    let at = now().as_second();
    let told = |more: Value| {
        read(&signer.token(&json!({"alg": "ES256", "kid": "k1"}), &claims(more)), &set, &expected())
            .map(|_| ())
    };
    for (more, outcome) in [
        (json!({}), Ok(())),
        (json!({"iss": "https://id.exempelstad.example/v2.0/"}), Err(Refusal::Issuer)),
        (json!({"iss": null}), Err(Refusal::Issuer)),
        (json!({"aud": "annan"}), Err(Refusal::Audience)),
        (json!({"aud": null}), Err(Refusal::Audience)),
        (json!({"aud": ["uppsikt"]}), Ok(())),
        (json!({"aud": ["uppsikt", "annan"]}), Err(Refusal::Audience)),
        (json!({"aud": ["uppsikt", "annan"], "azp": "uppsikt"}), Ok(())),
        (json!({"aud": ["uppsikt", "annan"], "azp": "annan"}), Err(Refusal::Audience)),
        (json!({"azp": "annan"}), Err(Refusal::Audience)),
        (json!({"exp": at - 60}), Ok(())),
        (json!({"exp": at - 120}), Err(Refusal::Time)),
        (json!({"exp": null}), Err(Refusal::Time)),
        (json!({"exp": "9999999999"}), Err(Refusal::Time)),
        (json!({"iat": at + 60}), Ok(())),
        (json!({"iat": at + 600}), Err(Refusal::Time)),
        (json!({"iat": null}), Err(Refusal::Time)),
        (json!({"nbf": at + 600}), Err(Refusal::Time)),
        (json!({"nbf": "snart"}), Err(Refusal::Time)),
        (json!({"nonce": "annan"}), Err(Refusal::Nonce)),
        (json!({"nonce": null}), Err(Refusal::Nonce)),
        (json!({"sub": ""}), Err(Refusal::Nobody)),
        (json!({"sub": null}), Err(Refusal::Nobody)),
        (json!({"groups": null, "_claim_names": {"groups": "src1"}}), Err(Refusal::TooManyGroups)),
        (json!({"groups": null}), Ok(())),
    ] {
        assert_eq!(told(more.clone()), outcome, "{more}");
    }
}
