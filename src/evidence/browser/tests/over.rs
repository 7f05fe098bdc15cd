//! What lies over what was asked for.

use super::*;

const COMMENT: &str = "<article id=\"c1\">Kommentaren</article>";

#[tokio::test]
async fn what_lies_over_the_item_is_told_and_what_lies_beside_it_is_not() {
    let fixed = |style: &str, words: &str| {
        format!("{COMMENT}<div style=\"position:fixed;background:#fff;{style}\">{words}</div>")
    };
    let pages = [
        ("/fri", COMMENT.to_owned(), None),
        ("/kakor", fixed("inset:0", "Vi använder kakor"), Some(Over::Cookies)),
        ("/remsa", fixed("bottom:0;width:100%;height:20%", "Vi använder kakor"), None),
        (
            "/ruta",
            format!(
                "{COMMENT}<dialog id=d>Logga in för att se mer</dialog><script>d.showModal()</script>"
            ),
            Some(Over::Login),
        ),
        ("/annat", fixed("inset:0", "Prenumerera på nyhetsbrevet"), Some(Over::Other)),
        // The item itself may lie in such a box.
        (
            "/egen",
            format!("<div role=dialog style=\"position:fixed;inset:0\">{COMMENT}</div>"),
            None,
        ),
    ];
    let mut app = Router::new();
    for (path, body, _) in &pages {
        let html = format!(
            "<!doctype html><html lang=sv><title>Sidan</title><body style=\"height:3000px;padding-top:1500px\">{body}"
        );
        app = app.route(path, get(move || async move { Html(html) }));
    }
    let port = serve("127.0.0.1", app).await;
    let Fixture { browser, profiles } = browser(|_| {});
    for (path, _, over) in pages {
        let asked = CaptureRequest { anchor: Some("c1".into()), ..request(port, path) };
        let shot = browser.capture(asked).await.expect("a picture");
        assert_eq!((shot.cut, shot.over), (Cut::Element, over), "{path}");
    }
    browser.stop().await;
    assert_gone(profiles.path()).await;
}
