//! The one form that anybody may send, and who may do what with what comes by it; what people ask about their own
//! data; the diary system's numbers.

use jiff::SignedDuration;
use uppsikt::platforms::forum::push::sign;
use uppsikt::runtime::clock::TestClock;

use super::*;

const ON: &str = "[public_reports]\nenabled = true\ncontact = \"växeln <0000>\"\n\
    per_day = 4\nper_address_hour = 6\n[diary]\nsecret = \"env:DIARIE\"\n";
const THREAT: &str = "Jag vet var du bor och ska slå ihjäl dig.";

async fn open() -> (Site, TestClock) {
    let clock = TestClock::at("2026-11-23T09:00:00Z".parse().unwrap());
    (Site::with_a_case_at(THREAT, ON, clock.clock()).await, clock)
}

async fn send(site: &Site, token: &str, link: &str, reason: &str, trap: &str) -> Answer {
    let fields = [
        ("stampel", token),
        ("lank", link),
        ("skal", reason),
        ("kontakt", ""),
        ("webbplats", trap),
    ];
    site.post("/anmal", "", &fields).await
}

#[tokio::test]
async fn the_form_of_the_public_needs_nobody_known_tells_nothing_and_is_bounded() {
    let (site, clock) = open().await;
    let shown = site.get("/anmal", "").await;
    assert_eq!((shown.status, shown.cookie), (StatusCode::OK, None), "no cookie");
    assert!(shown.body.contains("allmän handling") && shown.body.contains("växeln &#60;0000&#62;"));
    let token = field(&shown.body, "stampel").to_owned();
    let link = "https://exempel.example/1";
    let fast = send(&site, &token, link, "Det är ett hot.", "").await;
    assert_eq!(fast.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(fast.body.contains("Det gick för fort") && fast.body.contains("Det är ett hot."));
    clock.advance(SignedDuration::from_secs(5));
    for (token, trap, link, says) in [
        ("", "", link, "öppen för länge"),
        ("1790000000-00", "", link, "öppen för länge"),
        (token.as_str(), "https://skräp.example", link, "ska vara tomt"),
        (token.as_str(), "", "javascript:alert(1)", "https://"),
        (token.as_str(), "", "", "Klistra in länken"),
    ] {
        let refused = send(&site, token, link, "Det är \"<b>ett</b>\" hot.", trap).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{says}");
        assert!(refused.body.contains(says), "{says}: {}", refused.body);
        assert!(refused.body.contains("&#60;b&#62;ett") && !refused.body.contains("<b>ett"));
    }
    // A known link and one that nobody knows are answered alike.
    let unknown = send(&site, &token, link, "Det är ett hot.", "").await;
    assert_eq!((unknown.status, unknown.cookie), (StatusCode::OK, None));
    assert!(unknown.body.contains("Din referens är") && !unknown.body.contains("rende 1"));
    let large = "x".repeat(60_000);
    assert_eq!(send(&site, &token, link, &large, "").await.status, StatusCode::PAYLOAD_TOO_LARGE);
    // The page of a stranger's cannot send it.
    let foreign =
        Request::builder().method("POST").uri("/anmal").header("sec-fetch-site", "cross-site");
    let foreign = foreign.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(site.ask(foreign.body(Body::empty()).unwrap()).await.status, StatusCode::FORBIDDEN);
    // Six from one address, those with faults among them; then somebody else is to be asked.
    let mut taken = 0;
    for n in 0..8 {
        let sent = send(&site, &token, &format!("{link}{n}"), "Det är ett hot.", "").await;
        match sent.status {
            StatusCode::OK => taken += 1,
            StatusCode::TOO_MANY_REQUESTS => {
                assert!(sent.body.contains("växeln") && sent.body.contains("Det är ett hot."));
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(taken, 3, "four in a day from everybody together");

    // Inside: listed, masked, escaped, and no page of it without a log-in.
    for path in ["/anmalningar", "/anmalningar/1", "/arende/1/utifran", "/registrerade"] {
        let out = site.get(path, "").await;
        assert!(out.location.starts_with("/logga-in"), "{path}: {}", out.status);
    }
    let kim = site.log_in("/").await.cookie.unwrap();
    assert!(site.get("/anmalningar", &kim).await.body.contains("Anmälan 4"));
    let one = site.get("/anmalningar/1", &kim).await.body;
    assert!(one.contains("Det är ett hot.") && one.contains("/nytt?anmalan=1"), "{one}");
    assert!(site.get("/nytt?anmalan=1", &kim).await.body.contains(link));
    assert!(site.get("/uppgifter", &kim).await.body.contains("Anmälningar utifrån att läsa: 4"));
}

#[tokio::test]
async fn without_a_setting_there_is_no_form() {
    let site = Site::with_a_case().await;
    assert_eq!(site.get("/anmal", "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(send(&site, "", "", "", "").await.status, StatusCode::NOT_FOUND);
    let request = Request::builder().method("POST").uri("/api/v1/diary");
    assert_eq!(
        site.ask(request.body(Body::from("{}")).unwrap()).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn each_new_address_answers_each_role_as_the_table_says_and_no_form_without_its_token() {
    let (site, clock) = open().await;
    let token = field(&site.get("/anmal", "").await.body, "stampel").to_owned();
    clock.advance(SignedDuration::from_secs(5));
    for n in 0..3 {
        send(&site, &token, &format!("https://exempel.example/{n}"), "Det är ett hot.", "").await;
    }
    let mut cookies = Vec::new();
    for role in Role::ALL {
        let login = format!("{}-prov", role.id());
        let person = Person {
            login: login.clone(),
            name: format!("{login} Exempel"),
            title: "prov".into(),
            role: *role,
        };
        site.app.services().add_user(person, Secret::new(PASSWORD)).await.unwrap();
        cookies.push((*role, site.log_in_as(&login, "/").await.cookie.unwrap()));
    }
    let eva = &cookies.iter().find(|(role, _)| *role == Role::Registrar).unwrap().1;
    let csrf = field(&site.get("/registrerade", eva).await.body, "csrf").to_owned();
    let new = [("csrf", csrf.as_str()), ("slag", "access"), ("vem", "Robin Påhitt")];
    let opened = site.post("/registrerade", eva, &new).await;
    assert_eq!(opened.location, "/registrerade/1");
    use Role::{Administrator, Archivist, Auditor, Editor, Owner, Registrar};
    let all: &[Role] = Role::ALL;
    let decide: &[Role] = &[Editor, Owner];
    let number: &[Role] = &[Editor, Owner, Registrar];
    let subjects: &[Role] = &[Registrar, Administrator];
    let answers: &[Role] = &[Registrar];
    let evidence: &[Role] = &[Editor, Owner, Registrar, Archivist, Auditor];
    for (path, allowed) in [
        ("/anmalningar", all),
        ("/anmalningar/1", all),
        ("/arende/1/utifran", all),
        ("/registrerade", subjects),
        ("/registrerade/1", subjects),
        ("/registrerade/1/svar.pdf", answers),
    ] {
        for (role, cookie) in &cookies {
            let answer = site.get(path, cookie).await;
            let shut = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(shut, !allowed.contains(role), "{role:?} {path}: {}", answer.status);
            assert!(!answer.status.is_server_error(), "{role:?} {path}");
        }
    }
    for (path, allowed) in [
        ("/diarium/1/lamna-over", number),
        ("/anmalningar/1/last", decide),
        ("/anmalningar/1/lagg-undan", decide),
        ("/anmalningar/1/koppla", decide),
        ("/arende/1/utanfor", decide),
        ("/arende/1/hav-utanfor", decide),
        ("/arende/1/visa", evidence),
        ("/bevis/1/visa", evidence),
        ("/registrerade", subjects),
        ("/registrerade/1/sok", answers),
        ("/registrerade/1/valj", answers),
        ("/registrerade/1/ta-bort", answers),
        ("/registrerade/1/anteckna", answers),
        ("/registrerade/1/forlang", subjects),
        ("/registrerade/1/svara", answers),
    ] {
        for (role, cookie) in &cookies {
            let csrf = field(&site.get("/hjalp", cookie).await.body, "csrf").to_owned();
            let fields =
                [("skal", ""), ("svar", ""), ("arende", "x"), ("inlagg", "99"), ("vem", "")];
            let bare = site.post(path, cookie, &fields).await;
            assert_eq!(bare.status, StatusCode::FORBIDDEN, "{role:?} {path} without its token");
            let with: Vec<_> = fields.into_iter().chain([("csrf", csrf.as_str())]).collect();
            let answer = site.post(path, cookie, &with).await;
            let shut = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(shut, !allowed.contains(role), "{role:?} {path}: {}", answer.status);
            assert!(!answer.status.is_server_error(), "{role:?} {path}: {}", answer.body);
            // Loaded anew, the address of a form leads back to its page.
            if path != "/registrerade" {
                assert_eq!(site.get(path, cookie).await.status, StatusCode::SEE_OTHER, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn the_diary_system_gives_numbers_by_a_signed_call_alone() {
    let (site, clock) = open().await;
    let body = "okänd;KS 2026/1\nbara en\n";
    let call = |signature: String| {
        let request = Request::builder().method("POST").uri("/api/v1/diary");
        let request = request.header("x-uppsikt-signature", signature);
        request.body(Body::from(body)).unwrap()
    };
    let now = clock.clock().now();
    for wrong in [
        String::new(),
        sign(&Secret::new("en-annan-hemlighet"), body.as_bytes(), now),
        sign(&Secret::new(SHARED), b"annat", now),
        sign(&Secret::new(SHARED), body.as_bytes(), now - SignedDuration::from_hours(1)),
    ] {
        assert_eq!(site.ask(call(wrong)).await.status, StatusCode::UNAUTHORIZED);
    }
    let taken = site.ask(call(sign(&Secret::new(SHARED), body.as_bytes(), now))).await;
    assert_eq!(taken.status, StatusCode::OK);
    let told: serde_json::Value = serde_json::from_str(&taken.body).unwrap();
    assert_eq!(told["entered"], 0);
    assert_eq!(told["rejected"].as_array().unwrap().len(), 2);
}
