//! WordPress. Hiding and deleting need warrants, which come out of the evidence layer alone; they
//! are shown in the connector's own tests and on the program's whole way.

use uppsikt::domain::ids::PlatformItemId;
use uppsikt::platforms::conformance::{self, World};
use uppsikt::platforms::http::HttpSettings;
use uppsikt::platforms::settings::WordPressSettings;
use uppsikt::platforms::wordpress::WordPress;
use uppsikt::runtime::clock::Clock;
use uppsikt::runtime::secret::Secret;
use url::Url;

#[path = "wordpress_site.rs"]
pub mod wordpress_site;
use wordpress_site::Site;

fn connector(site: &Site) -> WordPress {
    let settings = WordPressSettings {
        site: Url::parse(&site.url).unwrap(),
        user: site.editor.0.clone(),
        password: Secret::new(site.editor.1.clone()),
        pretty_links: true,
        http: HttpSettings { allow_http_loopback: true, ..HttpSettings::default() },
    };
    WordPress::new(settings, Clock::system()).unwrap()
}

#[tokio::test]
async fn a_real_wordpress_is_read_and_answered() {
    let site = Site::from_env();
    let wordpress = connector(&site);
    conformance::the_connection_is_whole(&wordpress).await;
    conformance::reading_holds(&wordpress, &site).await;
    conformance::an_answer_can_be_found_again(&wordpress, &site).await;
}

/// The seed's own texts, tags and half-escaped signs included, as a reader sees them.
#[tokio::test]
async fn the_seeded_comments_are_read_as_they_were_written() {
    let site = Site::from_env();
    let seed = include_str!("../../real/seed-sv.json");
    let seed: serde_json::Value = serde_json::from_str(seed).unwrap();
    let all = conformance::fetch_all(&connector(&site), None).await.unwrap();
    let texts: Vec<_> = all.items.values().map(|item| item.text.as_str()).collect();
    for comment in seed["comments"].as_array().unwrap() {
        // A reader does not see the tags.
        let written = comment["text"].as_str().unwrap().replace("<b>", "").replace("</b>", "");
        assert!(texts.contains(&written.as_str()), "{}: {written}", comment["key"]);
    }
}
