//! What is shut to some, on every address, and searches that stand in none.

use super::*;

/// Everybody who is outside the circle of case 1, and what each address says to them.
#[tokio::test]
async fn a_secret_case_is_shut_on_every_address_to_every_role_outside_its_circle() {
    let site = Site::with_a_case().await;
    while site.app.services().capture_wanted().await.unwrap() {}
    let kim = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/arende/1", &kim).await.body;
    let csrf = field(&page, "csrf").to_owned();
    let mark =
        [("csrf", csrf.as_str()), ("lagrum", "OSL 26 kap. 1 §"), ("skal", "Om <b>hälsa</b>.")];
    let marked = site.post("/arende/1/sekretess", &kim, &mark).await;
    assert_eq!((marked.status, marked.location.as_str()), (StatusCode::SEE_OTHER, "/arende/1"));
    let page = site.get("/arende/1", &kim).await.body;
    assert!(page.contains("Sekretess. OSL 26 kap. 1 §. 20") && page.contains("Om &#60;b&#62;"));
    assert!(!page.contains("/arende/1/hav-sekretess"), "an editor does not lift it");

    let mut cookies = Vec::new();
    for (role, login) in [
        (Role::Editor, "redaktor"),
        (Role::Auditor, "granskare"),
        (Role::Administrator, "administrator"),
        (Role::Registrar, "registrator"),
    ] {
        let (name, title) = (format!("{login} Exempel"), "prov".to_owned());
        let person = Person { login: login.into(), name, title, role };
        site.app.services().add_user(person, Secret::new(PASSWORD)).await.unwrap();
        cookies.push((role, site.log_in_as(login, "/").await.cookie.unwrap()));
    }
    let pages = [
        "/arende/1",
        "/?arende=1",
        "/arende/1?text=hel",
        "/arende/1/polis",
        "/arende/1/polis/underlag.pdf",
        "/bevis/1",
        "/bevis/1/manifest.json",
        "/bevis/1/sida/1.png",
        "/bevis/1/fil/text.txt",
        "/bevis/1/fil/payload.json",
        "/bevis/1/paket.zip",
    ];
    let forms = [
        "beslut",
        "forslag",
        "ta",
        "ta-over",
        "sekretess",
        "krets",
        "hav-sekretess",
        "polis",
        "las-pa-nytt",
    ];
    for (role, cookie) in &cookies {
        let inside = *role == Role::Registrar;
        for path in pages {
            let answer = site.get(path, cookie).await;
            let open = answer.status == StatusCode::OK;
            assert_eq!(open, inside, "{role:?} {path}: {}", answer.status);
            if !inside {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role:?} {path}");
                assert!(!answer.body.contains("ihjäl"), "{role:?} {path}");
            }
        }
        if inside {
            continue;
        }
        let told = site.get("/arende/1", cookie).await.body;
        let says =
            told.contains("öppnas av Kim Exempel, kontoansvariga, registratorer och arkivarier");
        assert!(says || *role == Role::Administrator && told.contains("Kim Exempel"), "{told}");
        let own = site.get("/hjalp", cookie).await.body;
        let csrf = field(&own, "csrf");
        for form in forms {
            let fields = [
                ("csrf", csrf),
                ("utgava", "1"),
                ("val", "dismiss"),
                ("lagrum", "OSL 1 kap. 1 §"),
                ("skal", "Vill se det"),
                ("person", "1"),
                ("beslut", "anmals"),
                ("brott", "olaga_hot"),
                ("lydelse", "1"),
                ("sedda", "0"),
                ("anmals", "ja"),
            ];
            let answer = site.post(&format!("/arende/1/{form}"), cookie, &fields).await;
            assert!(answer.status.is_client_error(), "{role:?} {form}: {}", answer.status);
            assert!(!answer.body.contains("ihjäl"), "{role:?} {form}");
        }
        // Lists say that it is there, and no word of it.
        for path in ["/", "/?visa=sekretess", "/diarium", "/uppgifter", "/flera?arende=1"] {
            let answer = site.get(path, cookie).await;
            assert!(!answer.body.contains("ihjäl"), "{role:?} {path}");
            assert!(!answer.status.is_server_error(), "{role:?} {path}");
        }
        assert!(
            site.get("/?visa=sekretess", cookie).await.body.contains("[Sekretess:"),
            "{role:?}"
        );
    }
    for path in ["/sok?q=ihj%C3%A4l", "/sok?bevis=1"] {
        let found = site.get(path, &cookies[0].1).await.body;
        assert!(!found.contains("slå ihjäl"), "{path}");
    }
}

#[tokio::test]
async fn what_is_searched_for_stands_in_no_address() {
    let site = Site::with_a_case().await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/sok", &cookie).await.body;
    let csrf = field(&page, "csrf").to_owned();
    let foreign = site.post("/sok", &cookie, &[("q", "ihjäl")]).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let sent = site.post("/sok", &cookie, &[("csrf", &csrf), ("q", "ihjäl")]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert!(sent.location.starts_with("/sok/") && !sent.location.contains("ihj"));
    let found = site.get(&sent.location, &cookie).await.body;
    assert!(found.contains("<mark>ihjäl</mark>") && found.contains("value=\"ihjäl\""), "{found}");
    assert!(!found.contains("?q="), "nor in the links");
    // Nobody else's, and nobody's by guessing.
    let other = site.log_in("/").await.cookie.unwrap();
    assert_eq!(site.get(&sent.location, &other).await.location, "/sok");
    assert_eq!(site.get("/sok/0123", &cookie).await.location, "/sok");
}
