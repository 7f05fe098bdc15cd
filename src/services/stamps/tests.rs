//! Wrong answers are refused, named and asked for again; right ones come from a real authority, which
//! OpenSSL is (`tests/real/tsa`).

use jiff::SignedDuration;
use wiremock::matchers::{header, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Settings, Stamping};
use crate::evidence::checkpoints::CheckpointSettings;
use crate::evidence::verify::{self, Report};
use crate::evidence::{self, EvidenceStore};
use crate::runtime::clock::TestClock;
use crate::store::anchors::StampState;
use crate::store::{self, Store};

const CA: &str = include_str!("../../../fixtures/tsa/ca.pem");

struct Stage {
    _dir: tempfile::TempDir,
    clock: TestClock,
    store: Store,
    evidence: EvidenceStore,
    size: u64,
}

impl Stage {
    /// A log with one checkpoint that wants its stamp.
    async fn new(clock: TestClock) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("uppsikt.db");
        let store = Store::open(&store::Settings { path }).unwrap();
        let checkpoints = CheckpointSettings { stamped: true, ..CheckpointSettings::default() };
        let settings = evidence::Settings {
            checkpoints,
            ..evidence::Settings::in_folder(dir.path().join("evidence"))
        };
        let evidence = EvidenceStore::open(&settings, store.clone(), clock.clock()).unwrap();
        evidence.signer().await.unwrap();
        let size = evidence.checkpoint().await.unwrap().unwrap().size;
        Self { _dir: dir, clock, store, evidence, size }
    }

    fn stamping(&self, url: &str, ca_pem: &str) -> Stamping {
        let settings =
            Settings { url: url.parse().unwrap(), ca_pem: ca_pem.into(), allow_private: false };
        Stamping::new(settings, self.store.clone(), self.clock.clock()).unwrap()
    }

    async fn verify(&self) -> Report {
        verify::verify(&self.evidence, &self.store, &Default::default()).await.unwrap()
    }

    async fn state(&self) -> StampState {
        self.store.stamp(self.size).await.unwrap().unwrap().state
    }

    /// Asks once and gives why nothing was kept.
    async fn problem(&self, stamping: &Stamping) -> String {
        stamping.ask().await.unwrap();
        match self.state().await {
            StampState::Wanted { problem: Some(problem), .. } => problem,
            StampState::Wanted { problem: None, .. } => panic!("not asked"),
            StampState::Kept { .. } => panic!("kept"),
        }
    }
}

#[tokio::test]
async fn wrong_answers_are_named_and_nothing_is_kept() {
    let good = include_bytes!("../../../fixtures/tsa/good.tsr").as_slice();
    let refused = include_bytes!("../../../fixtures/tsa/refuse.tsr").as_slice();
    let large = vec![0x30; 300 * 1024];
    for (status, body, why) in [
        (200, b"garbage".as_slice(), "inte en tidsstämpel"),
        (200, refused, "avböjde (status 2"),
        (200, good, "något annat än kontrollpunkten"),
        (200, &large, "larger than"),
        (500, b"", "HTTP 500"),
        (302, b"", "redirected"),
    ] {
        let stage = Stage::new(TestClock::at("2026-11-22T14:52:00Z".parse().unwrap())).await;
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(header("content-type", "application/timestamp-query"))
            .respond_with(ResponseTemplate::new(status).set_body_bytes(body))
            .mount(&server)
            .await;
        let problem = stage.problem(&stage.stamping(&server.uri(), CA)).await;
        assert!(problem.contains(why), "{status}: {problem}");
    }
}

#[tokio::test]
async fn an_authority_that_is_away_is_asked_again_with_growing_waits() {
    let stage = Stage::new(TestClock::at("2026-11-22T14:52:00Z".parse().unwrap())).await;
    // Nobody listens there.
    let stamping = stage.stamping("http://127.0.0.1:9/", CA);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let problem = stage.problem(&stamping).await;
        assert!(problem.contains("svarade inte"), "{problem}");
        let StampState::Wanted { next_at, .. } = stage.state().await else { panic!("kept") };
        let wait = next_at.duration_since(stage.clock.clock().now());
        waits.push(wait.as_secs());
        // Not before its time.
        stamping.ask().await.unwrap();
        stage.clock.advance(wait);
    }
    assert_eq!(waits, [60, 120, 240, 480]);
    stage.clock.advance(SignedDuration::from_hours(24));
    let StampState::Wanted { attempts, .. } = stage.state().await else { panic!("kept") };
    assert_eq!(attempts, 4);
    let report = stage.verify().await;
    assert_eq!(report.faults, []);
    assert!(report.notes.iter().any(|note| note.contains("1 kontrollpunkter väntar")));
}

/// The answer is of another note, which is a fault of its own; what the audit log says of it is the matter here.
#[tokio::test]
async fn a_stamp_that_was_kept_cannot_be_changed_or_taken_away_unseen() {
    let stage = Stage::new(TestClock::at("2026-11-22T14:52:00Z".parse().unwrap())).await;
    let now = stage.clock.clock().now();
    let answer = include_bytes!("../../../fixtures/tsa/good.tsr").to_vec();
    let keep = |size: u64| {
        let url = "https://tsa.example/".to_owned();
        stage.store.keep_stamp(size, url, answer.clone(), now, CA.into(), now)
    };
    keep(stage.size).await.unwrap();
    // As an older version kept it, without a word; the next takes it in.
    let raw = rusqlite::Connection::open(stage.store.path()).unwrap();
    let triggers: String = raw
        .query_row(
            "select group_concat('drop trigger ' || name, ';') from sqlite_master
             where type = 'trigger' and tbl_name in ('stamps', 'audit')",
            [],
            |row| row.get::<_, Option<String>>(0),
        )
        .unwrap()
        .unwrap_or_default();
    raw.execute_batch(&format!("{triggers}; delete from audit; delete from line_chains")).unwrap();
    let told = async || {
        let faults = stage.verify().await.faults;
        let of_it = |what: &str| what.contains("granskningsloggen säger");
        faults.into_iter().filter(|f| of_it(&f.what)).map(|f| f.what).collect::<Vec<_>>()
    };
    assert_eq!(told().await, [""; 0], "nothing said");
    stage
        .store
        .record_audit(crate::services::archive::line("prov", String::new()), now)
        .await
        .unwrap();
    stage.evidence.rotate_key().await.unwrap();
    let second = stage.store.newest_checkpoint().await.unwrap().unwrap().size;
    assert_ne!(second, stage.size);
    keep(second).await.unwrap();
    assert_eq!(told().await, [""; 0], "as it was kept");
    for (change, back) in [
        ("authority = 'https://annan.example/'", "authority = 'https://tsa.example/'"),
        ("stamped_at = stamped_at + 1", "stamped_at = stamped_at - 1"),
        ("ca_pem = ca_pem || ' '", "ca_pem = substr(ca_pem, 1, length(ca_pem) - 1)"),
    ] {
        raw.execute(&format!("update stamps set {change}"), []).unwrap();
        let found = told().await;
        assert!(found.len() == 2 && found[0].contains("är ändrat"), "{change}: {found:?}");
        raw.execute(&format!("update stamps set {back}"), []).unwrap();
    }
    assert_eq!(told().await, [""; 0], "put back");
    raw.execute(
        "update stamps set state = 'wanted', authority = null, answer = null, stamped_at = null, ca_pem = null
         where size = ?1",
        [second],
    )
    .unwrap();
    assert!(told().await.iter().any(|what| what.contains("men den saknas")));
    raw.execute("delete from stamps", []).unwrap();
    assert_eq!(told().await.len(), 2, "the older one, too");
}

#[cfg(feature = "real-servers")]
mod real {
    use super::*;
    use crate::evidence::timestamp;

    fn setting(name: &str) -> String {
        std::env::var(name).unwrap_or_else(|_| {
            panic!(
                "{name} is not set: run `bash tests/run`, which starts the authority and sets it"
            )
        })
    }

    /// The clock of this machine, which is the authority's too.
    fn now() -> TestClock {
        TestClock::at(crate::runtime::clock::Clock::system().now())
    }

    #[tokio::test]
    async fn a_real_authority_stamps_and_its_wrong_answers_are_refused() {
        let (url, ca) = (setting("TSA_URL"), std::fs::read_to_string(setting("TSA_CA")).unwrap());
        let stage = Stage::new(now()).await;
        stage.stamping(&url, &ca).ask().await.unwrap();
        let StampState::Kept { answer, at, ca_pem, .. } = stage.state().await else {
            panic!("not kept")
        };
        let note = stage.store.newest_checkpoint().await.unwrap().unwrap().note;
        assert_eq!(timestamp::check(&answer, note.as_bytes(), &ca_pem).unwrap().at, at);

        let report = stage.verify().await;
        assert_eq!((report.faults, report.n_stamps), (Vec::new(), 1));

        let told = stage.stamping(&url, &ca).check().await.unwrap().unwrap();
        assert!(told.duration_since(at).abs() < jiff::SignedDuration::from_secs(60));

        for (path, why) in [
            ("refuse", "avböjde"),
            ("other", "underskrift håller inte"),
            ("garbage", "inte en tidsstämpel"),
            ("broken", "HTTP 500"),
            ("slow", "svarade inte"),
        ] {
            let stage = Stage::new(now()).await;
            let problem = stage.problem(&stage.stamping(&format!("{url}{path}"), &ca)).await;
            assert!(problem.contains(why), "{path}: {problem}");
        }
        // Somebody else's root vouches for nobody here.
        let stage = Stage::new(now()).await;
        let other = include_str!("../../../fixtures/tsa/other-ca.pem");
        let problem = stage.problem(&stage.stamping(&url, other)).await;
        assert!(problem.contains("ingen vi litar på"), "{problem}");
        // The answer to the question before: the first one is right and is kept.
        let (one, two) = (Stage::new(now()).await, Stage::new(now()).await);
        let stale = format!("{url}stale");
        one.stamping(&stale, &ca).ask().await.unwrap();
        let problem = two.problem(&two.stamping(&stale, &ca)).await;
        assert!(problem.contains("något annat än kontrollpunkten"), "{problem}");
    }
}
