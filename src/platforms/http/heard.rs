//! Which call an item came by: request line and response headers, without secrets.
//!
//! Every call of a connector goes out in one place, and every step of it is begun in one place. What is heard
//! in between is held against the items that the step gave: an item came by the answer in whose body it stands,
//! byte for byte. Where none holds it, nothing is claimed.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;

use crate::domain::item::{Exchange, FetchedItem};
use crate::runtime::address::without_secrets;

/// Headers that are kept. None of them carries a credential, a cookie, or the address of a next page with one.
const KEPT: [&str; 25] = [
    "age",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "expires",
    "facebook-api-version",
    "last-modified",
    "retry-after",
    "server",
    "via",
    "x-app-usage",
    "x-fb-request-id",
    "x-fb-trace-id",
    "x-li-uuid",
    "x-rate-limit-remaining",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-request-id",
    "x-runtime",
    "x-transaction-id",
    "x-wp-total",
    "x-wp-totalpages",
];

/// Characters of a header and of an address that are kept.
const MOST_VALUE: usize = 400;
const MOST_ADDRESS: usize = 4_000;

/// Larger answers are not held against items: memory is worth more.
const LARGEST_BODY: usize = 16 << 20;

/// Bytes that are gone through for items that do not stand where they are looked for first.
const MOST_LOOKED: usize = 256 << 20;

tokio::task_local! {
    static HEARD: RefCell<Vec<(Arc<Exchange>, Vec<u8>)>>;
}

/// What is done, and what was heard meanwhile, to be held against items.
pub struct Heard(Vec<(Arc<Exchange>, Vec<u8>)>);

/// Does something, and hears the calls that it makes in its own task.
pub async fn listening<T>(work: impl Future<Output = T>) -> (T, Heard) {
    HEARD
        .scope(RefCell::default(), async move {
            let done = work.await;
            (done, Heard(HEARD.with(RefCell::take)))
        })
        .await
}

/// Notes a call that was answered, where anybody listens. `clean` strikes out known secrets.
pub(super) fn note(
    (method, address): (&Method, &Url),
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    at: Timestamp,
    clean: impl Fn(&str) -> String,
) {
    // A call that nobody listens to (a check, an act) is no item's.
    let _noted = HEARD.try_with(|heard| {
        if body.len() > LARGEST_BODY {
            return;
        }
        let exchange = Exchange {
            method: method.as_str().to_owned(),
            // Addresses of strangers may be long.
            address: without_secrets(address, &clean).chars().take(MOST_ADDRESS).collect(),
            status,
            headers: kept(headers, &clean),
            at,
        };
        heard.borrow_mut().push((Arc::new(exchange), body.to_owned()));
    });
}

impl Heard {
    /// Tells each item by which call it came.
    pub fn tell<'a>(&self, items: impl Iterator<Item = &'a mut FetchedItem>) {
        let (mut last, mut after, mut looked) = (0, 0, 0);
        for item in items.filter(|item| item.exchange.is_none() && !item.raw.is_empty()) {
            // They mostly come in the order in which they stand: on from the one before, then anywhere.
            let rest = self.0.get(last).and_then(|(_, body)| body.get(after..)).unwrap_or_default();
            let mut found = memchr::memmem::find(rest, &item.raw).map(|at| (last, after + at));
            if found.is_none() && looked < MOST_LOOKED {
                found = self.0.iter().enumerate().find_map(|(call, (_, body))| {
                    looked += body.len();
                    Some((call, memchr::memmem::find(body, &item.raw)?))
                });
            }
            if let Some((call, at)) = found {
                (last, after) = (call, at + item.raw.len());
                item.exchange = self.0.get(call).map(|(exchange, _)| Arc::clone(exchange));
            }
        }
    }
}

fn kept(headers: &HeaderMap, clean: &impl Fn(&str) -> String) -> Vec<(String, String)> {
    let mut kept: Vec<_> = headers
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()))
        .filter_map(|(name, value)| {
            let value = clean(value.to_str().ok()?);
            Some((name.as_str().to_owned(), value.chars().take(MOST_VALUE).collect()))
        })
        .collect();
    kept.sort();
    kept
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;
    use crate::domain::ids::PlatformItemId;
    use crate::domain::item::ItemKind;
    use crate::runtime::address::STRUCK;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(n, v)| {
            (reqwest::header::HeaderName::from_static(n), HeaderValue::from_static(v))
        });
        pairs.collect()
    }

    fn item(id: &str, raw: &str) -> FetchedItem {
        FetchedItem::new(PlatformItemId::new(id), ItemKind::Comment, "x", raw)
    }

    fn note_all(calls: &[(&str, &str)]) {
        let headers = headers(&[
            ("date", "Sat, 21 Nov 2026 12:00:00 GMT"),
            ("content-type", "application/json"),
            ("set-cookie", "s=hemligt"),
            ("authorization", "Bearer hemligt"),
            ("link", "<https://a.example/?access_token=hemligt>; rel=next"),
            ("server", "kalle-hemligt"),
        ]);
        for (address, body) in calls {
            let address = Url::parse(address).unwrap();
            let clean = |text: &str| text.replace("hemligt", STRUCK);
            note((&Method::GET, &address), 200, &headers, body.as_bytes(), Timestamp::MIN, clean);
        }
    }

    #[tokio::test]
    async fn an_item_is_told_by_which_answer_it_came() {
        let calls = [
            ("https://a.example/1", r#"{"data":[{"id":1},{"id":2}]}"#),
            ("https://a.example/2", r#"{"data":[{"id":3}]}"#),
        ];
        let ((), heard) = listening(async { note_all(&calls) }).await;
        let mut items =
            [item("3", r#"{"id":3}"#), item("1", r#"{"id":1}"#), item("4", r#"{"id":4}"#)];
        heard.tell(items.iter_mut());
        let told: Vec<_> =
            items.iter().map(|i| i.exchange.as_ref().map(|e| e.address.as_str())).collect();
        assert_eq!(told, [Some("https://a.example/2"), Some("https://a.example/1"), None]);
        // Nobody listens: nothing is noted, and nothing breaks.
        note_all(&calls);
    }

    #[tokio::test]
    async fn no_secret_is_kept() {
        let addresses = [
            "https://a.example/v25.0/1?fields=id&access_token=abc&appsecret_proof=def&limit=5",
            "https://kim:losen@a.example/hemligt/x?q=hemligt&pageToken=ghi#frag",
            "https://a.example/?key=jkl&client_secret=mno&X-Amz-Signature=pqr&oauth_nonce=stu",
        ];
        for address in addresses {
            let ((), heard) = listening(async { note_all(&[(address, "{}")]) }).await;
            let told = serde_json::to_string(&*heard.0[0].0).unwrap();
            for secret in [
                "hemligt",
                "losen",
                "kim",
                "abc",
                "def",
                "ghi",
                "jkl",
                "mno",
                "pqr",
                "stu",
                "cookie",
                "uthorization",
            ] {
                assert!(!told.contains(secret), "{secret} in {told}");
            }
            assert!(told.contains("a.example") && told.contains("application/json"), "{told}");
        }
        let ((), heard) = listening(async { note_all(&[(addresses[0], "{}")]) }).await;
        assert!(
            heard.0[0].0.address.contains("fields=id") && heard.0[0].0.address.contains("limit=5")
        );
    }
}
