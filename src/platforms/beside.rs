//! What a platform shows beside a text: the author's picture, and how others reacted. Read out of the very
//! payload that is sealed, so that nothing more is asked for.

use serde_json::Value;

use crate::domain::account::PlatformKind;
use crate::domain::evidence::{Beside, Told};

/// Where a platform's answer holds it, as JSON pointers; the first that holds something counts.
struct Places {
    picture: &'static [&'static str],
    counts: &'static [(&'static str, &'static [&'static str])],
}

const NOWHERE: Places = Places { picture: &[], counts: &[] };

/// After each platform's documented shapes. A platform that is not here tells none of it with a comment.
const fn places(platform: PlatformKind) -> Places {
    match platform {
        PlatformKind::Facebook => Places {
            picture: &["/from/picture/data/url"],
            counts: &[("gilla-markeringar", &["/like_count"]), ("svar", &["/comment_count"])],
        },
        PlatformKind::Instagram => {
            Places { picture: &[], counts: &[("gilla-markeringar", &["/like_count"])] }
        }
        PlatformKind::YouTube => Places {
            picture: &[
                "/snippet/authorProfileImageUrl",
                "/snippet/topLevelComment/snippet/authorProfileImageUrl",
            ],
            counts: &[
                (
                    "gilla-markeringar",
                    &["/snippet/likeCount", "/snippet/topLevelComment/snippet/likeCount"],
                ),
                ("svar", &["/snippet/totalReplyCount"]),
            ],
        },
        PlatformKind::LinkedIn => Places {
            picture: &[],
            counts: &[
                (
                    "gilla-markeringar",
                    &["/likesSummary/aggregatedTotalLikes", "/likesSummary/totalLikes"],
                ),
                ("svar", &["/commentsSummary/totalFirstLevelComments"]),
            ],
        },
        PlatformKind::X => Places {
            picture: &[],
            counts: &[
                ("gilla-markeringar", &["/public_metrics/like_count"]),
                ("reposter", &["/public_metrics/retweet_count"]),
                ("svar", &["/public_metrics/reply_count"]),
                ("citat", &["/public_metrics/quote_count"]),
            ],
        },
        PlatformKind::TikTok => Places {
            picture: &["/profile_image", "/user/profile_image"],
            counts: &[("gilla-markeringar", &["/likes"]), ("svar", &["/replies"])],
        },
        PlatformKind::Reddit => {
            Places { picture: &[], counts: &[("poäng", &["/data/score", "/score"])] }
        }
        PlatformKind::WordPress => Places {
            picture: &[
                "/author_avatar_urls/96",
                "/author_avatar_urls/48",
                "/author_avatar_urls/24",
            ],
            counts: &[],
        },
        PlatformKind::Mastodon => Places {
            picture: &["/account/avatar", "/status/account/avatar"],
            counts: &[
                ("favoritmarkeringar", &["/favourites_count", "/status/favourites_count"]),
                ("boostar", &["/reblogs_count", "/status/reblogs_count"]),
                ("svar", &["/replies_count", "/status/replies_count"]),
            ],
        },
        PlatformKind::Bluesky => Places {
            picture: &["/author/avatar", "/post/author/avatar"],
            counts: &[
                ("gilla-markeringar", &["/likeCount", "/post/likeCount"]),
                ("reposter", &["/repostCount", "/post/repostCount"]),
                ("svar", &["/replyCount", "/post/replyCount"]),
                ("citat", &["/quoteCount", "/post/quoteCount"]),
            ],
        },
        PlatformKind::OwnSite => {
            Places { picture: &["/author/avatar"], counts: &[("gilla-markeringar", &["/likes"])] }
        }
        PlatformKind::Flickr | PlatformKind::Snapchat | PlatformKind::Manual => NOWHERE,
    }
}

/// Larger payloads are not read once more.
const LARGEST_BYTES: usize = 4 << 20;

/// What the payload tells. An empty answer says that the platform told nothing of the kind.
pub fn read(platform: PlatformKind, payload: &[u8]) -> Beside {
    let Places { picture, counts } = places(platform);
    if payload.len() > LARGEST_BYTES {
        return Beside::default();
    }
    let value: Value = serde_json::from_slice(payload).unwrap_or_default();
    let first = |places: &[&str]| places.iter().find_map(|place| value.pointer(place));
    Beside {
        picture: first(picture).and_then(Value::as_str).filter(|at| !at.is_empty()).map(Into::into),
        counts: counts
            .iter()
            .filter_map(|(what, at)| {
                let n = first(at).and_then(number)?;
                Some(Told { what: (*what).into(), n })
            })
            .collect(),
    }
}

/// A count. Some platforms write numbers as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_payload_is_told_and_nothing_else() {
        let table = [
            (
                PlatformKind::Mastodon,
                r#"{"account":{"avatar":"https://m.example/a.png"},"favourites_count":2,"replies_count":0}"#,
                Some("https://m.example/a.png"),
                "2 favoritmarkeringar, 0 svar",
            ),
            (
                PlatformKind::YouTube,
                r#"{"snippet":{"topLevelComment":{"snippet":{"likeCount":"7","authorProfileImageUrl":"https://y.example/a"}},"totalReplyCount":3}}"#,
                Some("https://y.example/a"),
                "7 gilla-markeringar, 3 svar",
            ),
            (PlatformKind::Reddit, r#"{"kind":"t1","data":{"score":-4}}"#, None, "-4 poäng"),
            (
                PlatformKind::WordPress,
                r#"{"author_avatar_urls":{"24":"https://w.example/24","96":"https://w.example/96"}}"#,
                Some("https://w.example/96"),
                "",
            ),
            (
                PlatformKind::Facebook,
                r#"{"like_count":1,"comment_count":{"a":1}}"#,
                None,
                "1 gilla-markeringar",
            ),
            (PlatformKind::Manual, r#"{"like_count":1}"#, None, ""),
            (PlatformKind::X, "inte json", None, ""),
        ];
        for (platform, payload, picture, counts) in table {
            let beside = read(platform, payload.as_bytes());
            assert_eq!(beside.picture.as_deref(), picture, "{platform:?}");
            assert_eq!(beside.counts_in_words(), counts, "{platform:?}");
        }
    }
}
