//! The editors' own tools as a browser without scripts meets them: saved replies, filters, notes, statistics.

use super::*;

pub(super) async fn roles(site: &Site) -> Vec<(Role, String)> {
    let mut cookies = Vec::new();
    for &role in Role::ALL {
        let (login, name) = (format!("p-{}", role.id()), format!("{} Exempel", role.label()));
        let person = Person { login: login.clone(), name, title: "prov".to_owned(), role };
        site.app.services().add_user(person, Secret::new(PASSWORD)).await.unwrap();
        cookies.push((role, site.log_in_as(&login, "/").await.cookie.unwrap()));
    }
    cookies
}

async fn csrf(site: &Site, cookie: &str) -> String {
    field(&site.get("/hjalp", cookie).await.body, "csrf").to_owned()
}

/// Whoever examines reads who opened a secret case, and never the case.
#[tokio::test]
async fn the_audit_log_is_read_by_those_who_examine_and_tells_of_shut_cases_too() {
    let site = Site::with_a_case().await;
    let everybody = roles(&site).await;
    let owner = &everybody.iter().find(|(role, _)| *role == Role::Owner).unwrap().1;
    let token = csrf(&site, owner).await;
    let mark =
        [("csrf", token.as_str()), ("lagrum", "OSL 26 kap. 1 §"), ("skal", "Skyddade uppgifter.")];
    site.post("/arende/1/sekretess", owner, &mark).await;
    for (role, cookie) in &everybody {
        site.get("/arende/1", cookie).await;
        let examines = [Role::Auditor, Role::Administrator].contains(role);
        for page in ["/granskning", "/granskning?arende=1", "/granskning?vem=robin"] {
            let status = site.get(page, cookie).await.status;
            let expected = if examines { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(status, expected, "{role:?} {page}");
        }
        let menu = site.get("/konton", cookie).await.body.contains("href=\"/granskning\"");
        assert_eq!(menu, examines, "{role:?}");
    }
    let auditor = &everybody.iter().find(|(role, _)| *role == Role::Auditor).unwrap().1;
    assert_eq!(site.get("/arende/1", auditor).await.status, StatusCode::FORBIDDEN);
    let log = site.get("/granskning?arende=1", auditor).await.body;
    assert!(log.contains("nekades att öppna ärendet"), "{log}");
    assert!(site.get("/granskning", auditor).await.body.contains("läste granskningsloggen"));
    for secret in ["Jag vet var du bor", "Skyddade uppgifter", "OSL 26"] {
        assert!(!log.contains(secret), "what the case says stands nowhere in it: {secret}");
    }
    // No page of it is read without a trace.
    site.get("/granskning?fore=9223372036854775807&vem=Robin", auditor).await;
    let whole = site.get("/granskning", auditor).await.body;
    assert!(whole.contains("person: Robin, före rad 9223372036854775807"), "{whole}");
    let odd = site.get("/granskning?arende=sjutton", auditor).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(odd.body.contains("med siffror"), "{}", odd.body);
}

/// Who comes to which page, and whose forms are taken.
#[tokio::test]
async fn each_role_meets_each_page_of_the_desk_as_the_table_says() {
    let site = Site::with_a_case().await;
    let editors = [Role::Editor, Role::Owner];
    for (role, cookie) in roles(&site).await {
        let csrf = csrf(&site, &cookie).await;
        let works = editors.contains(&role);
        for page in [
            "/svar",
            "/filter",
            "/omnamnanden",
            "/statistik",
            "/statistik?tid=2026",
            "/konton/forum/publicister",
            "/?kategori=threat",
        ] {
            assert_eq!(site.get(page, &cookie).await.status, StatusCode::OK, "{role:?} {page}");
        }
        for page in ["/svar/99", "/konton/ingen/publicister", "/statistik/2026-11/annat.csv"] {
            let answer = site.get(page, &cookie).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{role:?} {page}");
        }
        let text = [("namn", "Hej"), ("text", "Hej på er!"), ("fraga", "kategori=threat")];
        for (path, may) in [
            ("/svar", works),
            ("/filter", true),
            ("/filter?", works),
            ("/arende/1/infoga", works),
            ("/arende/1/granska", works),
            ("/arende/1/anteckna", works || [Role::Registrar, Role::Archivist].contains(&role)),
            ("/omnamnanden", true),
            ("/konton/forum/publicister", role == Role::Administrator),
        ] {
            let shared = [("delat", if path == "/filter?" { "ja" } else { "" })];
            let fields = [&[("csrf", csrf.as_str())], &text[..], &shared].concat();
            let sent = site.post(path, &cookie, &fields).await;
            assert_ne!(
                sent.status == StatusCode::FORBIDDEN,
                may,
                "{role:?} {path}: {}",
                sent.status
            );
            assert!(!sent.status.is_server_error(), "{role:?} {path}");
            // Nobody else's page sends it.
            let forged = site.post(path, &cookie, &text).await;
            assert_eq!(forged.status, StatusCode::FORBIDDEN, "{role:?} {path} without a token");
        }
    }
    // Nobody comes there without having logged in.
    for page in [
        "/svar",
        "/svar/1",
        "/filter",
        "/omnamnanden",
        "/statistik",
        "/statistik/2026/statistik.csv",
        "/statistik/2026/oppenhet.csv",
        "/konton/forum/publicister",
    ] {
        assert!(site.get(page, "").await.location.starts_with("/logga-in?"), "{page}");
    }
}

#[tokio::test]
async fn a_saved_reply_is_written_put_in_an_answer_and_taken_out_without_a_script() {
    let site = Site::with_a_case_of("Hej! När öppnar simhallen på söndag?", "").await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let csrf = csrf(&site, &cookie).await;
    let reply = |text| [("csrf", csrf.as_str()), ("namn", "Tider <b>"), ("text", text)];
    let refused = site.post("/svar", &cookie, &reply("Dnr {dnr}. <i>")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("Fältet {dnr} finns inte."), "{}", refused.body);
    assert!(refused.body.contains("Dnr {dnr}. &#60;i&#62;"), "what was typed stands there");
    let kept = site.post("/svar", &cookie, &reply("Vi öppnar tio. Dnr {diarienummer}. <i>")).await;
    assert_eq!(kept.location, "/svar?sparat=ja");
    let list = site.get("/svar?sparat=ja", &cookie).await.body;
    assert!(list.contains("Tider &#60;b&#62;") && list.contains("Sparat."), "{list}");

    let page = site.get("/arende/1", &cookie).await.body;
    assert!(page.contains("<option value=\"1\" data-text=\"Vi öppnar tio."), "{page}");
    let (steps, revision) = (field(&page, "steg"), field(&page, "utgava"));
    let form = |more: &[(&'static str, &str)]| {
        let mut all =
            vec![("csrf", csrf.clone()), ("steg", steps.into()), ("utgava", revision.into())];
        all.extend([("lydelse", "1".to_owned()), ("anteckning", "Ringde <badet>.".to_owned())]);
        all.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
        all
    };
    let send = async |path: &str, fields: Vec<(&'static str, String)>| {
        let fields: Vec<_> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
        site.post(path, &cookie, &fields).await
    };
    let put_in = send("/arende/1/infoga", form(&[("mall", "1"), ("svar", "Hej!")])).await;
    assert_eq!(put_in.status, StatusCode::OK);
    let whole = "Hej!\n\nVi öppnar tio. Dnr {diarienummer}. &#60;i&#62;";
    assert!(put_in.body.contains(whole), "{}", put_in.body);
    for words in
        ["ärendets diarienummer är inte känt", "Ringde &#60;badet&#62;.", "Ångra det insatta"]
    {
        assert!(put_in.body.contains(words), "{words}");
    }
    // It is kept for who comes back, and never published as it stands.
    assert!(site.get("/arende/1", &cookie).await.body.contains(whole));
    let text = "Vi öppnar tio. Dnr {diarienummer}.";
    let unfilled = send("/arende/1/beslut", form(&[("val", "answer"), ("svar", text)])).await;
    assert_eq!(unfilled.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unfilled.body.contains("I svaret står {diarienummer} kvar."), "{}", unfilled.body);
    let undo = form(&[("infoga", "angra"), ("svar_fore", "Hej!"), ("svar", text), ("mall", "1")]);
    let undone = send("/arende/1/infoga", undo).await.body;
    assert!(undone.contains(">Hej!</textarea>") && undone.contains("Det insatta är borttaget."));
    // As it will look, without anything being sent; what would be refused is said there.
    let look = form(&[("val", "answer"), ("svar", "Badet <öppnar> tio.\nHej!")]);
    let looked = send("/arende/1/granska", look).await.body;
    let shown = looked.split_once("Så här ser svaret ut").expect("the preview").1;
    assert!(shown.contains("Badet &#60;öppnar&#62; tio."), "{shown}");
    assert!(looked.contains("Ringde &#60;badet&#62;."), "the rest of the form stands");
    let unfilled = form(&[("val", "refer"), ("hanvisning", "Ring {enhet}."), ("svar", "Nej.")]);
    let unfilled = send("/arende/1/granska", unfilled).await.body;
    let shown = unfilled.split_once("Så här ser svaret ut").expect("the preview").1;
    assert!(shown.contains("I svaret står {enhet} kvar."), "{shown}");
    // The draft says first what is to be ticked.
    let early = send("/arende/1/infoga", form(&[("mall", "invanaren")])).await.body;
    assert!(early.contains("Kryssa först för Dölj"), "{early}");
    let ticked = [("mall", "invanaren"), ("val", "register"), ("grund", "")];
    let drafted = send("/arende/1/infoga", form(&ticked)).await.body;
    assert!(
        drafted.contains("Hej! Vi har tagit emot din kommentar och diariefört den."),
        "{drafted}"
    );

    // Taken away and back, without anything lost.
    let turn = |more: &[(&'static str, &'static str)]| {
        [&[("csrf", csrf.as_str()), ("sedd", "1")], more].concat()
    };
    let gone = site.post("/svar/1/ta-bort", &cookie, &turn(&[])).await;
    assert_eq!(gone.location, "/svar?borttaget=1");
    let list = site.get(&gone.location, &cookie).await.body;
    assert!(list.contains("action=\"/svar/1/aterstall\""), "{list}");
    assert!(!site.get("/arende/1", &cookie).await.body.contains("<option value=\"1\" data-text"));
    let stale = site.post("/svar/1/aterstall", &cookie, &turn(&[("version", "1")])).await;
    assert!(stale.body.contains("har ändrat svaret sedan"), "{}", stale.body);
    let back = [("csrf", csrf.as_str()), ("sedd", "2"), ("version", "1")];
    assert_eq!(site.post("/svar/1/aterstall", &cookie, &back).await.location, "/svar/1?sparat=ja");
    let versions = site.get("/svar/1", &cookie).await.body;
    assert_eq!(versions.matches("<p>Version ").count(), 3, "{versions}");
}

#[tokio::test]
async fn the_queue_is_filtered_and_the_filter_saved_without_a_script() {
    let site = Site::with_a_case().await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/?visa=oppna&kategori=threat", &cookie).await.body;
    assert!(page.contains("data-arende=\"1\"") && page.contains("Visar: hot."), "{page}");
    let none = site.get("/?visa=oppna&kategori=insult", &cookie).await.body;
    assert!(!none.contains("data-arende=\"1\""));
    let query = field(&page, "fraga").replace("&#38;", "&");
    let fields = [("csrf", field(&page, "csrf")), ("fraga", &query), ("namn", "Hot <b>")];
    let kept = site.post("/filter", &cookie, &fields).await;
    assert_eq!(kept.location, "/?visa=oppna&kategori=threat");
    let shown = site.get("/", &cookie).await.body;
    assert!(shown.contains("Hot &#60;b&#62; <span class=\"antal\">1</span>"), "{shown}");
    let csrf = [("csrf", field(&page, "csrf"))];
    let gone = site.post("/filter/1/ta-bort", &cookie, &csrf).await;
    assert_eq!(gone.location, "/filter?borttaget=1");
    assert!(!site.get("/", &cookie).await.body.contains("Hot &#60;b&#62;"));
    assert!(site.get(&gone.location, &cookie).await.body.contains("<strong>Borttaget:</strong>"));
    assert_eq!(site.post("/filter/1/aterstall", &cookie, &csrf).await.location, "/filter");
    assert!(site.get("/", &cookie).await.body.contains("Hot &#60;b&#62;"));
}

#[tokio::test]
async fn a_note_names_a_colleague_who_finds_it_and_a_wrong_name_is_told_without_a_script() {
    let site = Site::with_a_case().await;
    let eva = Person {
        login: "eva".into(),
        name: "Eva <b>Exempel".into(),
        title: "prov".into(),
        role: Role::Registrar,
    };
    site.app.services().add_user(eva, Secret::new(PASSWORD)).await.unwrap();
    let cookie = site.log_in("/").await.cookie.unwrap();
    let csrf = csrf(&site, &cookie).await;
    let note = |text| [("csrf", csrf.as_str()), ("text", text)];
    let refused = site.post("/arende/1/anteckna", &cookie, &note("@Robin: se <i>")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for words in ["Det finns ingen som heter @Robin.", "@Robin: se &#60;i&#62;</textarea>"] {
        assert!(refused.body.contains(words), "{words}");
    }
    let kept = site.post("/arende/1/anteckna", &cookie, &note("@eva: se <i>")).await;
    assert_eq!(kept.location, "/arende/1#anteckningar");
    assert!(site.get("/arende/1", &cookie).await.body.contains("@eva: se &#60;i&#62;"));
    let hers = site.log_in_as("eva", "/").await.cookie.unwrap();
    let head = "Omnämnanden <span class=\"antal\">1</span>";
    assert!(site.get("/", &hers).await.body.contains(head));
    let own = site.get("/omnamnanden", &hers).await.body;
    assert!(own.contains("@eva: se &#60;i&#62;") && own.contains("<strong>Nytt</strong>"), "{own}");
    let seen = [("csrf", field(&own, "csrf"))];
    assert_eq!(site.post("/omnamnanden", &hers, &seen).await.location, "/omnamnanden");
    assert!(!site.get("/", &hers).await.body.contains(head));
}

#[tokio::test]
async fn statistics_stand_as_charts_with_tables_and_leave_as_files() {
    let site = Site::with_a_case().await;
    let cookie = site.log_in("/").await.cookie.unwrap();
    let page = site.get("/statistik", &cookie).await.body;
    for words in
        ["<svg viewBox=\"0 0 1000 200\"", "Falska larm", "Centerpartiet", "Tabell: Frister"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("Robin"));
    let span = field_of(&page, "/statistik/", "/statistik.csv");
    for (name, begins) in
        [("statistik.csv", "tid"), ("oppenhet.csv", "tid"), ("oppenhet.pdf", "%PDF")]
    {
        let file = site.get(&format!("/statistik/{span}/{name}"), &cookie).await;
        assert_eq!(file.status, StatusCode::OK, "{name}");
        assert!(file.body.trim_start_matches('\u{feff}').starts_with(begins), "{name}");
    }
    let ahead = site.get("/statistik?tid=2190", &cookie).await;
    assert_eq!(ahead.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// What stands between two pieces of a page.
fn field_of<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let end = page.find(after).unwrap();
    let start = page[..end].rfind(before).unwrap() + before.len();
    &page[start..end]
}
