//! Flickr's shapes → ours (`platforms` sheet, section 13).

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Author, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource, Presence,
};
use crate::platforms::html::{Newlines, to_plain};

/// A text within an object of its own.
#[derive(Default, Deserialize)]
pub struct Content {
    #[serde(default, rename = "_content")]
    pub text: String,
}

/// A number as text or as a number: the platform writes both.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// A text that stands by itself or within an object.
fn either<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Object(of) => of["_content"].as_str().unwrap_or_default().to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => String::new(),
    })
}

#[derive(Deserialize)]
pub struct Photos<'a> {
    #[serde(borrow)]
    pub photos: PhotoPage<'a>,
}

#[derive(Deserialize)]
pub struct PhotoPage<'a> {
    #[serde(default, deserialize_with = "number")]
    pub pages: Option<i64>,
    #[serde(borrow, default)]
    pub photo: Vec<&'a RawValue>,
}

/// A photo as lists tell of it.
#[derive(Deserialize)]
pub struct Photo {
    pub id: String,
    #[serde(default, deserialize_with = "either")]
    title: String,
    #[serde(default, deserialize_with = "either")]
    description: String,
    #[serde(default, rename = "dateupload", deserialize_with = "number")]
    uploaded: Option<i64>,
    #[serde(default, rename = "lastupdate", deserialize_with = "number")]
    pub updated: Option<i64>,
}

/// A photo by itself.
#[derive(Deserialize)]
pub struct PhotoInfo {
    pub photo: PhotoAlone,
}

#[derive(Deserialize)]
pub struct PhotoAlone {
    id: String,
    #[serde(default, deserialize_with = "either")]
    title: String,
    #[serde(default, deserialize_with = "either")]
    description: String,
    #[serde(default, rename = "dateuploaded", deserialize_with = "number")]
    uploaded: Option<i64>,
}

#[derive(Deserialize)]
pub struct Comments<'a> {
    #[serde(borrow)]
    pub comments: CommentList<'a>,
}

/// All comments of a photo. Where there are none the list is not there.
#[derive(Deserialize)]
pub struct CommentList<'a> {
    #[serde(borrow, default)]
    pub comment: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
pub struct Comment {
    pub id: String,
    #[serde(default)]
    pub author: Option<String>,
    #[serde(default)]
    authorname: Option<String>,
    #[serde(default)]
    realname: Option<String>,
    #[serde(default)]
    path_alias: Option<String>,
    #[serde(default, rename = "datecreate", deserialize_with = "number")]
    created: Option<i64>,
    #[serde(default)]
    permalink: Option<String>,
    #[serde(default, rename = "_content")]
    content: String,
}

#[derive(Deserialize)]
pub struct Created {
    pub comment: Reference,
}

#[derive(Deserialize)]
pub struct Reference {
    pub id: String,
}

#[derive(Deserialize)]
pub struct Login {
    pub user: User,
}

#[derive(Deserialize)]
pub struct User {
    pub id: String,
    #[serde(default)]
    pub username: Content,
}

#[derive(Deserialize)]
pub struct Checked {
    pub oauth: Oauth,
}

#[derive(Deserialize)]
pub struct Oauth {
    #[serde(default)]
    pub perms: Content,
}

#[derive(Deserialize)]
pub struct Person {
    pub person: Described,
}

#[derive(Deserialize)]
pub struct Described {
    #[serde(default, deserialize_with = "either")]
    pub description: String,
}

fn at(seconds: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_second(seconds?).ok()
}

fn not_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Texts hold simple HTML and entities.
pub fn plain(html: &str) -> String {
    to_plain(html, Newlines::Keep).text
}

fn post(site: &str, id: String, title: &str, about: &str, uploaded: Option<i64>) -> FetchedPost {
    FetchedPost {
        published_by: None,
        created_at: at(uploaded),
        permalink: Some(format!("{site}{id}/")),
        platform_id: PlatformPostId::new(id),
        title: Some(plain(title)).filter(|title| !title.is_empty()),
        text: plain(about),
    }
}

impl Photo {
    pub fn uploaded_at(&self) -> Option<Timestamp> {
        at(self.uploaded)
    }

    pub fn updated_at(&self) -> Option<Timestamp> {
        at(self.updated)
    }

    /// `site` is where the account's photos are looked at.
    pub fn into_post(self, site: &str) -> FetchedPost {
        post(site, self.id, &self.title, &self.description, self.uploaded)
    }
}

impl PhotoAlone {
    pub fn into_post(self, site: &str) -> FetchedPost {
        post(site, self.id, &self.title, &self.description, self.uploaded)
    }
}

impl Comment {
    pub fn text(&self) -> String {
        plain(&self.content)
    }

    pub fn written_at(&self) -> Option<Timestamp> {
        at(self.created)
    }

    pub fn is_by(&self, user: &str) -> bool {
        self.author.as_deref() == Some(user)
    }

    pub fn into_item(self, raw: &[u8], photo: &str, us: &str) -> FetchedItem {
        let (text, by_us) = (self.text(), self.is_by(us));
        let mut item = FetchedItem::new(PlatformItemId::new(self.id), ItemKind::Comment, text, raw);
        item.post_id = Some(PlatformPostId::new(photo));
        item.created_at = at(self.created);
        item.created_raw = self.created.map(|seconds| seconds.to_string());
        let handle = not_empty(self.authorname);
        let page = not_empty(self.path_alias).or_else(|| self.author.clone());
        item.author = Author {
            platform_id: self.author,
            name: not_empty(self.realname).or_else(|| handle.clone()),
            handle,
            url: page.map(|page| format!("https://www.flickr.com/photos/{page}/")),
        };
        let given = |url| Permalink { url, source: PermalinkSource::Given };
        item.permalink = not_empty(self.permalink).map(given);
        // Nothing can be hidden there: what is listed can be seen by whoever sees the photo.
        item.presence = Presence::Visible;
        item.by_us = by_us;
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_read_as_the_sheet_has_it() {
        let raw = r#"{"id":"9001-50000000001-72157700000000001","author":"12345678@N01","authorname":"Kim","realname":"","datecreate":"1784796918","permalink":"https://www.flickr.com/photos/exempelstad/50000000001/#comment72157700000000001","_content":"Hej &amp; tack\n<a href=\"https://x.example/\">här<\/a>"}"#;
        let comment: Comment = serde_json::from_str(raw).unwrap();
        let item = comment.into_item(raw.as_bytes(), "50000000001", "99999999@N01");
        assert_eq!(item.text, "Hej & tack\nhär (https://x.example/)");
        assert_eq!(item.created_at.unwrap().to_string(), "2026-07-23T08:55:18Z");
        assert_eq!(item.author.name.as_deref(), Some("Kim"));
        assert_eq!(item.platform_id.as_str(), "9001-50000000001-72157700000000001");
        assert!(item.permalink.unwrap().url.ends_with("#comment72157700000000001"));
        assert!(!item.by_us && item.parent_id.is_none());
    }

    #[test]
    fn a_photo_without_comments_has_no_list_and_numbers_come_in_both_forms() {
        let none = r#"{"comments":{"photo_id":"50000000001"},"stat":"ok"}"#;
        assert!(serde_json::from_str::<Comments<'_>>(none).unwrap().comments.comment.is_empty());
        for photo in [
            r#"{"id":"1","title":"Badet","description":{"_content":"x"},"dateupload":"1784796918","lastupdate":"1784796919"}"#,
            r#"{"id":"1","title":{"_content":"Badet"},"dateupload":1784796918,"lastupdate":1784796919}"#,
        ] {
            let photo: Photo = serde_json::from_str(photo).unwrap();
            assert_eq!(photo.updated, Some(1_784_796_919));
            let post = photo.into_post("https://www.flickr.com/photos/exempelstad/");
            assert_eq!(post.title.as_deref(), Some("Badet"));
            assert_eq!(post.permalink.unwrap(), "https://www.flickr.com/photos/exempelstad/1/");
        }
    }
}
