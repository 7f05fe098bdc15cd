//! One item as an own site writes it (`platforms` sheet, section 15) → ours.
//!
//! Beside the sheet's fields one more is read: `own`, true for what the authority itself has
//! written there, so that it never opens a case.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::domain::ids::{PlatformItemId, PlatformPostId};
use crate::domain::item::{
    Attachment, Author, FetchedItem, FetchedPost, ItemKind, Permalink, PermalinkSource, Presence,
    Unreadable,
};
use crate::platforms::html::{Newlines, to_plain};
use crate::platforms::json;
use crate::platforms::push::{News, Push, Pushed};

/// Longest id: it goes into addresses, keys and file names.
const LONGEST_ID: usize = 512;

/// Most items in one push.
const MOST_ITEMS: usize = 500;

/// What is wrong with the whole, as a Swedish sentence that names the mend.
pub type Problem = String;

/// Reads `{"items":[…]}` or a single item. Each item is told or unreadable by itself; `place` is
/// put before the number of an item that cannot be read.
pub fn read(text: &str, place: &str) -> Result<Push, Problem> {
    let outer: Map<String, Value> = match serde_json::from_str(text) {
        Ok(Value::Object(outer)) => outer,
        Ok(_) => {
            return Err("ett JSON-objekt väntades: {\"items\":[…]} eller ett ensamt inlägg".into());
        }
        // Halves of surrogate pairs, or no JSON at all: the single reading tells.
        Err(_) => match json::decode(text) {
            Ok(Value::Object(outer)) => outer,
            Ok(_) | Err(_) => {
                let error = serde_json::from_str::<Value>(text).err();
                let error =
                    error.map_or_else(String::new, |error| format!(": {}", json::place(&error)));
                return Err(format!("texten är inte giltig JSON{error}"));
            }
        },
    };
    if !outer.contains_key("items") {
        return Ok(vec![one(text).map_err(|problem| Unreadable {
            place: place.to_owned(),
            problem,
            raw: text.into(),
        })]);
    }
    #[derive(serde::Deserialize)]
    struct Several<'a> {
        #[serde(borrow)]
        items: Vec<&'a RawValue>,
    }
    let several: Several<'_> = serde_json::from_str(text).map_err(|error| {
        format!("fältet items ska vara en lista med inlägg: {}", json::place(&error))
    })?;
    if several.items.is_empty() || several.items.len() > MOST_ITEMS {
        return Err(format!(
            "fältet items har {} inlägg: skicka 1 till {MOST_ITEMS} åt gången",
            several.items.len()
        ));
    }
    Ok(several
        .items
        .iter()
        .enumerate()
        .map(|(index, raw)| {
            one(raw.get()).map_err(|problem| Unreadable {
                place: format!("{place} items[{index}]").trim_start().to_owned(),
                problem,
                raw: raw.get().into(),
            })
        })
        .collect())
}

/// Reads one item.
fn one(json_text: &str) -> Result<Pushed, Problem> {
    let fields = match json::decode(json_text) {
        Ok(Value::Object(fields)) => Fields(fields),
        Ok(_) => return Err("inlägget ska vara ett JSON-objekt".into()),
        Err(error) => return Err(format!("inlägget är inte giltig JSON: {}", json::place(&error))),
    };
    let id = fields.id("id")?.ok_or("fältet id saknas")?;
    let deleted = fields.flag("deleted")?.unwrap_or(false);
    let source = fields.text("text")?;
    let post_id = fields.id("post_id")?.map(PlatformPostId::new);
    let title = fields.text("title")?.filter(|title| !title.is_empty());
    let post = post_id.clone().zip(title).map(|(platform_id, title)| FetchedPost {
        published_by: None,
        platform_id,
        title: Some(title),
        text: String::new(),
        created_at: None,
        permalink: None,
    });
    if deleted && source.as_deref().is_none_or(str::is_empty) {
        let told = News::Gone(PlatformItemId::new(id));
        return Ok(Pushed { account: None, told, post });
    }
    let source = source.ok_or("fältet text saknas (utan text går det bara om deleted är true)")?;
    let created_raw = fields.text("created_at")?.ok_or("fältet created_at saknas")?;
    let parent_id = fields.id("parent_id")?.map(PlatformItemId::new);
    let kind = match fields.text("kind")? {
        Some(kind) => kind_of(&kind)?,
        None if parent_id.is_some() => ItemKind::Reply,
        None => ItemKind::Comment,
    };
    let (text, images) = match fields.text("text_format")?.as_deref() {
        // Markdown is kept as written: its links stand in it.
        None | Some("plain" | "markdown") => (source, Vec::new()),
        Some("html") => {
            let plain = to_plain(&source, Newlines::Fold);
            (plain.text, plain.images)
        }
        Some(_) => return Err("fältet text_format ska vara plain, html eller markdown".into()),
    };
    let mut item = FetchedItem::new(PlatformItemId::new(id), kind, text, json_text);
    item.post_id = post_id;
    item.parent_id = parent_id;
    item.author = author(&fields)?;
    // No text is held back for its date: when it was written is unknown then.
    item.created_at = created_raw.parse().ok();
    item.created_raw = Some(created_raw);
    item.edited_at = fields.text("edited_at")?.and_then(|raw| raw.parse().ok());
    item.permalink =
        fields.text("url")?.map(|url| Permalink { url, source: PermalinkSource::Given });
    item.attachments = attachments(&fields)?;
    item.attachments.extend(images.into_iter().map(|image| Attachment {
        kind: "image".into(),
        url: Some(image.src),
        media_type: None,
        name: image.alt,
    }));
    item.presence = match (deleted, fields.flag("hidden")?) {
        (true, _) => Presence::Gone,
        (false, Some(true)) => Presence::Hidden,
        (false, Some(false)) => Presence::Visible,
        (false, None) => Presence::Unknown,
    };
    item.by_us = fields.flag("own")?.unwrap_or(false);
    Ok(Pushed { account: None, told: News::Item(Box::new(item)), post })
}

fn kind_of(word: &str) -> Result<ItemKind, Problem> {
    match word {
        "comment" => Ok(ItemKind::Comment),
        "reply" => Ok(ItemKind::Reply),
        "post" | "post_by_other" => Ok(ItemKind::PostByOther),
        "mention" => Ok(ItemKind::Mention),
        "message" | "direct_message" => Ok(ItemKind::DirectMessage),
        "review" => Ok(ItemKind::Review),
        _ => Err("fältet kind ska vara comment, reply, post, mention, message eller review".into()),
    }
}

fn author(fields: &Fields) -> Result<Author, Problem> {
    let Some(author) = fields.object("author")? else { return Ok(Author::default()) };
    Ok(Author {
        platform_id: author.id("id")?,
        name: author.text("name")?,
        handle: author.text("handle")?,
        url: author.text("url")?,
    })
}

fn attachments(fields: &Fields) -> Result<Vec<Attachment>, Problem> {
    let Some(list) = fields.0.get("attachments").filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let wrong = || "fältet attachments ska vara en lista med objekt".to_owned();
    let mut attachments = Vec::new();
    for one in list.as_array().ok_or_else(wrong)? {
        let one = Fields(one.as_object().ok_or_else(wrong)?.clone());
        let media_type = one.text("mime")?;
        let kind = media_type.as_deref().and_then(|m| m.split('/').next()).unwrap_or("file");
        attachments.push(Attachment {
            kind: kind.to_owned(),
            url: one.text("url")?,
            media_type: media_type.clone(),
            name: one.text("name")?,
        });
    }
    Ok(attachments)
}

/// An object's fields by name. `null` is the same as absent, and unknown fields are let be.
struct Fields(Map<String, Value>);

impl Fields {
    fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("fältet {name} ska vara en text")),
        }
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(format!("fältet {name} ska vara true eller false")),
        }
    }

    /// An identity: a text, or a whole number.
    fn id(&self, name: &str) -> Result<Option<String>, Problem> {
        let id = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(number)) if number.is_u64() || number.is_i64() => number.to_string(),
            Some(_) => return Err(format!("fältet {name} ska vara en text eller ett heltal")),
        };
        let is_good = !id.is_empty() && id.len() <= LONGEST_ID && !id.chars().any(char::is_control);
        if is_good {
            Ok(Some(id))
        } else {
            Err(format!("fältet {name} ska ha 1 till {LONGEST_ID} byte och inga styrtecken"))
        }
    }

    fn object(&self, name: &str) -> Result<Option<Self>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self(fields.clone()))),
            Some(_) => Err(format!("fältet {name} ska vara ett objekt")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"id":"forum-8812","kind":"comment","parent_id":"forum-8800","post_id":"trad-77","url":"https://forum.example/trad-77#8812","created_at":"2026-07-23T08:35:18+02:00",
      "edited_at":null,"deleted":false,"hidden":false,"author":{"id":55,"name":"Kim","url":"https://forum.example/u/55"},"text":"Hej","text_format":"plain","title":"Badet",
      "attachments":[{"url":"https://forum.example/f/1.jpg","mime":"image/jpeg","name":"1.jpg"}],"likes":0,"language":"sv"}"#;

    #[test]
    fn the_whole_item_of_the_contract_is_read() {
        let Ok(push) = read(&format!(r#"{{"items":[{WHOLE}]}}"#), "") else { panic!("a push") };
        let [Ok(Pushed { told: News::Item(item), post: Some(post), .. })] = &push[..] else {
            panic!("{push:?}")
        };
        assert_eq!(item.raw, WHOLE.as_bytes());
        assert_eq!(item.text, "Hej");
        assert_eq!(item.created_at, Some("2026-07-23T06:35:18Z".parse().unwrap()));
        assert_eq!(item.author.platform_id.as_deref(), Some("55"));
        assert_eq!(item.attachments[0].kind, "image");
        assert_eq!(item.presence, Presence::Visible);
        assert_eq!(post.title.as_deref(), Some("Badet"));
        assert!(!item.by_us);
        let alone = read(WHOLE, "").unwrap();
        assert_eq!(alone, push);
    }

    #[test]
    fn what_cannot_be_read_names_field_and_mend() {
        let base = |rest: &str| {
            format!(r#"{{"id":"a","text":"x","created_at":"2026-07-23T08:35:18Z"{rest}}}"#)
        };
        let table = [
            r#"{"text":"x","created_at":"2026-07-23T08:35:18Z"}"#.to_owned(),
            r#"{"id":"a","created_at":"2026-07-23T08:35:18Z"}"#.to_owned(),
            r#"{"id":"a","text":"x"}"#.to_owned(),
            r#"{"id":"","text":"x"}"#.to_owned(),
            r#"{"id":1.5,"text":"x"}"#.to_owned(),
            r#"{"id":"a\u0000","text":"x"}"#.to_owned(),
            base(r#","kind":"annat""#),
            base(r#","text_format":"rtf""#),
            base(r#","hidden":"ja""#),
            base(r#","author":"Kim""#),
            base(r#","attachments":[1]"#),
        ];
        let problems: Vec<_> = table
            .iter()
            .map(|json| match &read(json, "fil.jsonl:3").unwrap()[..] {
                [Err(unreadable)] => format!("{}: {}", unreadable.place, unreadable.problem),
                other => panic!("{json}: {other:?}"),
            })
            .collect();
        insta::assert_snapshot!(problems.join("\n"));
    }

    #[test]
    fn a_text_whose_time_is_odd_is_taken_in_and_its_time_is_unknown() {
        for time in ["9999-12-31T23:59:59Z", "2026-07-23 08:35", "i går"] {
            let json =
                format!(r#"{{"id":"a","text":"x","created_at":"{time}","edited_at":"{time}"}}"#);
            let out = read(&json, "fil.jsonl:3").unwrap();
            let [Ok(Pushed { told: News::Item(item), .. })] = &out[..] else { panic!("{out:?}") };
            assert_eq!((item.created_at, item.edited_at), (None, None), "{time}");
            assert_eq!(item.created_raw.as_deref(), Some(time));
        }
    }

    #[test]
    fn one_bad_item_does_not_spoil_the_others() {
        let push = read(r#"{"items":[{"id":"a"},{"id":"b","deleted":true},3]}"#, "").unwrap();
        assert!(matches!(&push[0], Err(unreadable) if unreadable.place == "items[0]"));
        assert!(matches!(&push[1], Ok(Pushed { told: News::Gone(id), .. }) if id.as_str() == "b"));
        assert!(push[2].is_err());
    }

    #[test]
    fn a_whole_that_is_no_push_is_refused() {
        for json in ["", "[]", "{", "{\"items\":[]}", "{\"items\":3}", "3"] {
            assert!(read(json, "").is_err(), "{json}");
        }
    }

    #[test]
    fn damaged_and_hostile_texts_come_through() {
        let json = r#"{"items":[{"id":"a","text":"\ud83d \u0000 <script>","created_at":"2026-07-23T08:35:18Z"}]}"#;
        let push = read(json, "").unwrap();
        let [Ok(Pushed { told: News::Item(item), .. })] = &push[..] else { panic!("{push:?}") };
        assert_eq!(item.text, "\u{FFFD} \0 <script>");
        let html = r#"{"id":"a","text":"<p>Se <a href='https://x.example'>här</a>","text_format":"html","created_at":"2026-07-23T08:35:18Z","own":true}"#;
        let push = read(html, "").unwrap();
        let [Ok(Pushed { told: News::Item(item), .. })] = &push[..] else { panic!("{push:?}") };
        assert_eq!(item.text, "Se här (https://x.example)");
        assert!(item.by_us);
    }
}
