//! The OpenID provider: discovery, its login pages, the code, the token signed by its own key, groups.

use std::process::Command;

use url::Url;

use crate::web::{Site, field_of};

/// A setting of `tests/real/oidc/start`.
fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `bash tests/run`, which starts the server and sets it")
    })
}

/// What somebody does at the provider's pages: gives where the browser is sent back to.
fn at_the_provider(login: &str, address: &str) -> Url {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/oidc/login");
    let done = Command::new(script).args([login, address]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Url::parse(String::from_utf8(done.stdout).unwrap().trim()).unwrap()
}

async fn site() -> Site {
    let group = |name: &str, role: &str| {
        format!("[[login.group]]\ngroup = \"{name}\"\nrole = \"{role}\"\n")
    };
    let more = format!(
        "[limits]\nlogins_per_min = 600\n[login.oidc]\nissuer = \"{}\"\nclient_id = \"{}\"\n\
         client_secret = \"env:OIDC\"\nscopes = [\"profile\", \"email\", \"groups\"]\n{}{}{}",
        setting("OIDC_ISSUER"),
        setting("OIDC_CLIENT_ID"),
        group("uppsikt-admin", "administrator"),
        group("uppsikt-redaktor", "redaktor"),
        group("uppsikt-lasare", "granskare"),
    );
    Site::with_secret(&more, setting("OIDC_CLIENT_SECRET")).await
}

#[tokio::test]
async fn people_of_a_real_provider_log_in_by_their_groups() {
    let site = site().await;
    for (login, shown) in [
        ("redaktor", Some("Rut Redaktör</a>, redaktör")),
        ("admin", Some("Åsa Administratör</a>, administratör")),
        ("lasare", Some("Lars Läsare</a>, granskare")),
        ("utangrupp", None),
        ("registrator", None),
    ] {
        let sent = site.get("/logga-in/konto?sedan=/hjalp", "").await;
        let step = sent.cookie.clone().unwrap();
        let back = at_the_provider(login, &sent.location);
        assert_eq!(back.path(), "/logga-in/svar");
        let answer = format!("{}?{}", back.path(), back.query().unwrap());
        let done = site.get(&answer, &step).await;
        let Some(shown) = shown else {
            assert_eq!(done.status, 401, "{login}");
            assert!(done.body.contains("hör inte till någon grupp"), "{login}: {}", done.body);
            continue;
        };
        assert_eq!(
            (done.status.as_u16(), done.location.as_str()),
            (303, "/hjalp"),
            "{login}: {}",
            done.body
        );
        let session = done.cookies.iter().find(|c| c.starts_with("uppsikt=")).unwrap();
        let page = site.get("/hjalp", session).await.body;
        assert!(page.contains(shown), "{login}: {page}");
        // The code is spent at the provider, and the answer here.
        assert_eq!(site.get(&answer, &step).await.status, 401, "{login} again");
        assert_eq!(field_of(&page, "csrf").len(), 128);
    }
}
