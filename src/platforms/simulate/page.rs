//! The page for people: a post with its visible comments, each under its own anchor.

use std::fmt::Write as _;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::platforms::html::escape;
use crate::platforms::simulate::LABEL;
use crate::platforms::simulate::world::{Comment, World};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:0 auto;padding:1rem;background:#f3f4f6;color:#1c1e21}\
 .label{background:#fff3c4;border:1px solid #d9a400;padding:.5rem .75rem;border-radius:.5rem}\
 main,article{background:#fff;border-radius:.5rem;padding:.75rem 1rem;margin:.75rem 0}\
 article{border:1px solid #dcdfe4}article article{margin-left:1.5rem}article:target{outline:3px solid #b45309}\
 p{white-space:pre-wrap;overflow-wrap:anywhere;margin:.25rem 0}time{color:#5b6270;font-size:.875rem}h1{font-size:1.25rem;margin:0}";

/// Whose page it is.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// The platform, as answers are labelled.
    pub platform: &'static str,
    /// The page's name.
    pub name: &'static str,
    /// What somebody is called whose name the platform withholds.
    pub nobody: &'static str,
}

/// The account itself: its posts, each with the way to it.
pub fn render_account(owner: Owner, world: &World) -> Response {
    let mut html = head(owner);
    let _ = write!(html, "<main><h1>{}</h1></main>", escape(owner.name));
    for post in world.posts() {
        // Writing to a String does not fail.
        let _ = write!(
            html,
            "<article>{}<p>{}</p><a href=\"/inlagg/{}\">Till inlägget</a></article>",
            time(post.created),
            escape(&post.message),
            post.number,
        );
    }
    dressed(owner, html)
}

fn head(owner: Owner) -> String {
    format!(
        "<!doctype html><html lang=\"sv\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{name}</title><style>{STYLE}</style>\
         <p class=\"label\">Simulerad sida i Uppsikt. Inga riktiga personer eller inlägg.</p>",
        name = escape(owner.name),
    )
}

fn dressed(owner: Owner, html: String) -> Response {
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    let policy = (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'");
    ([kind, policy], [(LABEL, owner.platform)], html).into_response()
}

/// `is_away` is what the platform shows to nobody although it was neither hidden nor deleted.
pub fn render(
    owner: Owner,
    world: &World,
    now: Timestamp,
    post: Option<u64>,
    is_away: impl Fn(&Comment) -> bool,
) -> Response {
    let posts = world.posts();
    let Some(post) = posts.iter().find(|p| Some(p.number) == post) else {
        return (StatusCode::NOT_FOUND, [(LABEL, owner.platform)], "Inlägget finns inte.")
            .into_response();
    };
    let all = world.comments(now);
    let visible: Vec<_> = all
        .iter()
        .filter(|c| c.post == post.number && !c.deleted && !c.hidden && !is_away(c))
        .collect();
    let mut html = head(owner);
    let _ = write!(
        html,
        "<main><h1>{name}</h1>{time}<p>{text}</p></main>",
        name = escape(owner.name),
        time = time(post.created),
        text = escape(&post.message),
    );
    for top in visible.iter().filter(|c| c.parent.is_none()) {
        open(&mut html, owner, top);
        for answer in visible.iter().filter(|c| c.parent == Some(top.number)) {
            open(&mut html, owner, answer);
            html.push_str("</article>");
        }
        html.push_str("</article>");
    }
    dressed(owner, html)
}

fn open(html: &mut String, owner: Owner, comment: &Comment) {
    let name = match &comment.from {
        Some((_, name)) => escape(name),
        None if comment.by_page => escape(owner.name),
        None => owner.nobody.to_owned(),
    };
    // Writing to a String does not fail.
    let _ = write!(
        html,
        "<article id=\"comment-{}\"><strong>{name}</strong> {}<p>{}</p>",
        comment.number,
        time(comment.created),
        escape(&comment.text),
    );
}

fn time(at: Timestamp) -> String {
    let zone = TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC);
    let local = at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string();
    format!("<time datetime=\"{at}\">{local}</time>")
}
