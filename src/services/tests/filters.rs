//! Filters of the queue, those that are saved, and who is responsible for what.

use super::harness::{Stage, THREAT};
use crate::domain::calendar::local;
use crate::domain::ids::CaseId;
use crate::domain::notice::Part;
use crate::domain::person::{Act, Role};
use crate::services::filters::Query;
use crate::services::people;
use crate::services::{ServiceError, Viewer};

const ASKS: &str = "När öppnar badhuset i Provdalen? Kan ni svara på det?";

async fn picked(stage: &Stage, viewer: &Viewer, query: &str) -> Vec<CaseId> {
    let page = stage.services.sifted(viewer, &Query::read(query), 0).await.unwrap();
    page.lines.iter().map(|line| line.case).collect()
}

#[tokio::test]
async fn the_queue_shows_what_is_asked_for_also_behind_a_similar_one() {
    let stage = Stage::new().await;
    let (_, threat) = stage.written(THREAT).await;
    let (_, same) = stage.written(THREAT).await;
    let (_, asks) = stage.written(ASKS).await;
    let kim = &stage.editor;
    assert_eq!(picked(&stage, kim, "").await.len(), 2, "one line stands for both threats");
    assert_eq!(picked(&stage, kim, "kategori=threat").await, [threat, same]);
    assert_eq!(picked(&stage, kim, "kategori=question&konto=facebook").await, [asks]);
    for nothing in ["kategori=insult", "alder=vecka", "konto=ingen&alder=nya", "vems=arbetar"] {
        assert_eq!(picked(&stage, kim, nothing).await, [], "{nothing}");
    }
    stage.services.claim(kim, same).await.unwrap();
    assert_eq!(picked(&stage, kim, "vems=arbetar").await, [same]);
    assert_eq!(picked(&stage, kim, "vems=lediga&allvar=hog").await, [threat]);
    // What was found in a secret one is not told by what it is asked for.
    stage.services.mark_secret(kim, threat, "OSL 26 kap. 1 §", "Om hälsa.").await.unwrap();
    assert_eq!(picked(&stage, kim, "kategori=threat").await, [same]);
    assert_eq!(picked(&stage, kim, "alder=nya").await.len(), 3);
    // Nobody is found by who wrote.
    assert_eq!(picked(&stage, kim, "avsandare=ingen&forfattare=ingen").await.len(), 2);
}

#[tokio::test]
async fn a_saved_filter_is_counted_renamed_and_taken_back_by_those_whose_it_is() {
    let stage = Stage::new().await;
    stage.written(THREAT).await;
    let (services, kim) = (&stage.services, &stage.editor);
    let eva = stage.person(Role::Editor, "Eva").await;
    let (own, shared) = (false, true);
    let query = Some("kategori=threat&visa=oppna&okant=1");
    let mine = services.keep_filter(kim, None, "Hot", query, own).await.unwrap();
    let all = services.keep_filter(kim, None, "Nya", Some("alder=nya"), shared).await.unwrap();
    let names = async |who: &Viewer| {
        let saved = services.saved_filters(who).await.unwrap();
        saved.into_iter().map(|c| (c.saved.name, c.n, c.saved.query)).collect::<Vec<_>>()
    };
    let nya = || ("Nya".to_owned(), 1, "visa=oppna&alder=nya".to_owned());
    let hot = ("Hot".to_owned(), 1, "visa=oppna&kategori=threat".to_owned());
    assert_eq!(names(kim).await, [hot, nya()]);
    assert_eq!(names(&eva).await, [nya()]);
    // Nobody changes another's own.
    for shared in [false, true] {
        let tried = services.keep_filter(&eva, Some(mine), "Mitt", None, shared).await;
        assert!(matches!(tried, Err(ServiceError::NotFound { .. })), "{shared}");
        let tried = services.turn_filter(&eva, mine, shared, true).await;
        assert!(matches!(tried, Err(ServiceError::NotFound { .. })), "{shared}");
    }
    services.keep_filter(&eva, Some(all), "Färska", None, shared).await.unwrap();
    services.turn_filter(&eva, all, shared, true).await.unwrap();
    assert_eq!(names(kim).await.len(), 1);
    assert_eq!(services.removed_filters(kim).await.unwrap()[0].name, "Färska");
    services.turn_filter(kim, all, shared, false).await.unwrap();
    assert_eq!(names(kim).await.len(), 2);
    for bad in ["", " ", "a\nb", &"å".repeat(61)] {
        assert!(services.keep_filter(kim, None, bad, query, own).await.is_err(), "{bad}");
    }
    let closed = Some("visa=avslutade&kategori=threat");
    assert!(services.keep_filter(kim, None, "Gamla", closed, own).await.is_err());
    for &role in Role::ALL {
        let person = stage.person(role, &format!("P{}", role.id())).await;
        let for_all = services.keep_filter(&person, None, "Delat", query, shared).await;
        assert_eq!(for_all.is_ok(), role.may(Act::Decide), "{role:?}");
        assert!(services.keep_filter(&person, None, "Eget", query, own).await.is_ok(), "{role:?}");
    }
    for n in 0..28 {
        services.keep_filter(kim, None, &format!("F{n}"), query, own).await.unwrap();
    }
    let one_too_many = [
        services.keep_filter(kim, None, "G1", query, own).await.is_ok(),
        services.keep_filter(kim, None, "G2", query, own).await.is_ok(),
    ];
    assert_eq!(one_too_many, [true, false]);
}

#[tokio::test]
async fn whoever_published_the_post_is_responsible_and_their_substitute_while_they_are_away() {
    let stage = Stage::new().await;
    let (store, clock) = (stage.store(), stage.clock.clock());
    let admin = stage.person(Role::Administrator, "Ada").await;
    for name in ["Olle", "Pia", "Siv"] {
        stage.person(Role::Owner, name).await;
    }
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let case = stage.case_of(number).await;
    let who = async || {
        let page = stage.services.sifted(&stage.editor, &Query::read(""), 0).await.unwrap();
        let file = stage.services.case_file(&stage.editor, case).await.unwrap();
        assert_eq!(page.lines[0].responsible, file.responsible);
        file.responsible
    };
    assert_eq!(who().await, None, "nobody answers for the account");
    people::set_part(store, &clock, "facebook", "olle", Some(Part::Owner)).await.unwrap();
    people::set_part(store, &clock, "facebook", "siv", Some(Part::Substitute)).await.unwrap();
    assert_eq!(who().await.as_deref(), Some("Olle Exempel"));
    // The platform tells who published, and somebody says who that is.
    let raw = rusqlite::Connection::open(store.path()).unwrap();
    raw.execute("update posts set published_by = 'u12'", []).unwrap();
    assert_eq!(who().await.as_deref(), Some("Olle Exempel"), "nobody has said who that is");
    let services = &stage.services;
    let told = services.publishers(&stage.editor, "facebook").await.unwrap();
    assert_eq!((told.publishers[0].platform_user.as_str(), told.may_edit), ("u12", false));
    let tried = services.set_publisher(&stage.editor, "facebook", "u12", "pia").await;
    assert!(matches!(tried, Err(ServiceError::NotPermitted { .. })));
    assert!(services.set_publisher(&admin, "facebook", "u12", "ingen").await.is_err());
    services.set_publisher(&admin, "facebook", "u12", "pia").await.unwrap();
    assert_eq!(who().await.as_deref(), Some("Pia Exempel"));
    let today = local(stage.now()).date();
    people::set_away(store, &clock, "pia", Some((today, today))).await.unwrap();
    assert_eq!(who().await.as_deref(), Some("Siv Exempel (ersätter Pia Exempel)"));
    people::set_away(store, &clock, "siv", Some((today, today))).await.unwrap();
    assert_eq!(who().await.as_deref(), Some("Pia Exempel"), "nobody else is there");
    services.set_publisher(&admin, "facebook", "u12", "").await.unwrap();
    assert_eq!(who().await.as_deref(), Some("Olle Exempel"));
    let olle = store.user_by_login("olle".into()).await.unwrap().unwrap().0;
    let olle = Viewer { user: olle.id, name: olle.name, ..stage.editor.clone() };
    assert_eq!(picked(&stage, &olle, "vems=ansvarar").await, [case]);
    assert_eq!(picked(&stage, &olle, "vems=konton").await, [case]);
    assert_eq!(picked(&stage, &stage.editor, "vems=ansvarar").await, []);
}
