//! Static files, embedded in the binary and served under names that hold their hash.

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::domain::ids::ContentHash;

/// Where static files are served: mount [`serve`] at `/statisk/{namn}`.
pub const ROUTE: &str = "/statisk/{namn}";

/// A year: the name changes when the content does.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// One static file.
#[derive(Debug)]
pub struct Asset {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    bytes: Cow<'static, [u8]>,
}

/// A file with the name and path that its hash gives it.
#[derive(Debug)]
pub struct Named {
    asset: Asset,
    hash: String,
    path: String,
}

impl Named {
    fn new(asset: Asset) -> Self {
        let mut hash = ContentHash::of(&asset.bytes).to_hex();
        hash.truncate(12);
        let path = format!("/statisk/{}.{hash}.{}", asset.stem, asset.extension);
        Self { asset, hash, path }
    }

    /// The address for pages: `/statisk/app.0123456789ab.css`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The content.
    pub fn bytes(&self) -> &[u8] {
        &self.asset.bytes
    }

    fn answers_to(&self, name: &str) -> bool {
        self.path.strip_prefix("/statisk/") == Some(name)
    }
}

/// The stylesheet.
pub static CSS: LazyLock<Named> = LazyLock::new(|| {
    Named::new(Asset {
        stem: "app",
        extension: "css",
        media_type: "text/css; charset=utf-8",
        bytes: Cow::Borrowed(include_bytes!("static/app.css")),
    })
});

/// The script, of files by what they do: together they are one function's body, so that nothing of
/// them is anybody else's.
pub static JS: LazyLock<Named> = LazyLock::new(|| {
    Named::new(Asset {
        stem: "app",
        extension: "js",
        media_type: "text/javascript; charset=utf-8",
        bytes: Cow::Owned(
            [
                "\"use strict\";\n(() => {\n",
                include_str!("static/beslut.js"),
                include_str!("static/tagen.js"),
                include_str!("static/flera.js"),
                include_str!("static/svar.js"),
                include_str!("static/app.js"),
                "})();\n",
            ]
            .concat()
            .into_bytes(),
        ),
    })
});

/// The icon in the browser's tab.
pub static ICON: LazyLock<Named> = LazyLock::new(|| {
    Named::new(Asset {
        stem: "ikon",
        extension: "svg",
        media_type: "image/svg+xml",
        bytes: Cow::Borrowed(include_bytes!("static/ikon.svg")),
    })
});

/// Serves a static file by its hashed name. An old name is not found: the page that asks for it
/// is old too and is fetched anew, since pages are never stored.
pub async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(file) = [&CSS, &JS, &ICON].into_iter().find(|file| file.answers_to(&name)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{}\"", file.hash);
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(CACHE_CONTROL, FOREVER)]).into_response();
    }
    let media_type = HeaderValue::from_static(file.asset.media_type);
    let mut response =
        ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, FOREVER)], file.bytes()).into_response();
    // The hash is hexadecimal, so this header value is always valid.
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(path: &str, known: Option<&str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(etag) = known {
            headers.insert(IF_NONE_MATCH, etag.parse().unwrap());
        }
        serve(Path(path.trim_start_matches("/statisk/").to_owned()), headers).await
    }

    #[tokio::test]
    async fn files_are_kept_for_ever_under_the_name_of_their_content() {
        for file in [&*CSS, &*JS, &*ICON] {
            let response = ask(file.path(), None).await;
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()[CACHE_CONTROL], FOREVER);
            assert_eq!(response.headers()[CONTENT_TYPE], file.asset.media_type);
            let etag = response.headers()[ETAG].to_str().unwrap().to_owned();
            assert_eq!(ask(file.path(), Some(&etag)).await.status(), 304);
        }
        for unknown in ["/statisk/app.css", "/statisk/app.000000000000.css", "/statisk/../guard.rs"]
        {
            assert_eq!(ask(unknown, None).await.status(), 404);
        }
    }
}
