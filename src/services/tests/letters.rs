//! What a real mail server has taken, read by a reader that is not ours and drawn by a real browser.

use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::harness::{Stage, THREAT};
use super::notices::real::{fresh, received, server};
use super::notices::{notifier_by, staffed};
use crate::evidence::browser::{Browser, BrowserSettings, CaptureRequest};
use crate::evidence::media::PictureLeave;
use crate::services::notices::courier::Security;
use crate::services::people;

#[tokio::test]
async fn a_letter_that_a_real_server_took_is_read_and_drawn_as_it_was_written() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let address = fresh("eva");
    let (store, clock) = (stage.store(), stage.clock.clock());
    people::set_mail(store, &clock, "eva", Some(&address)).await.unwrap();
    let (_, case) = stage.written(THREAT).await;
    let plain = server("SMTP_PORT", Security::Plain);
    notifier_by(&stage, Some(&plain), &[]).round().await.unwrap();
    // By a reader that is not ours.
    let letter = received(&address).remove(0);
    let message = mail_parser::MessageParser::new().parse(&letter).unwrap();
    let (plain, html) = (message.body_text(0).unwrap(), message.body_html(0).unwrap());
    let link = format!("https://uppsikt.exempelstad.example/arende/{case}");
    for text in [&plain, &html] {
        assert!(text.contains(&link) && text.contains("ä"), "{text}");
    }
    assert!(!plain.contains('<') && message.attachment_count() == 0, "{plain}");
    // And drawn: it asks for nothing from anywhere, and there is something to see.
    let page = MockServer::start().await;
    let body = ResponseTemplate::new(200).set_body_raw(html.as_bytes(), "text/html; charset=utf-8");
    Mock::given(path("/brev")).respond_with(body).mount(&page).await;
    let browser = Browser::new(BrowserSettings::default(), stage.clock.clock());
    let shot = browser
        .capture(CaptureRequest {
            url: format!("{}/brev", page.uri()),
            anchor: None,
            allow_private: true,
            leave: PictureLeave::for_test(),
            record: false,
        })
        .await
        .unwrap();
    browser.stop().await;
    let asked = page.received_requests().await.unwrap();
    assert!(asked.iter().all(|call| ["/brev", "/favicon.ico"].contains(&call.url.path())));
    assert!(shot.log.stopped.is_empty(), "{:?}", shot.log);
    let picture = image::load_from_memory(&shot.png).unwrap().into_luma8();
    let dark = picture.pixels().filter(|pixel| pixel.0[0] < 128).count();
    assert!(dark > 500, "{dark} dark pixels");
}
