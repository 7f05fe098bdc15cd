//! The program on the municipality's folder, as `app` puts it together.

use super::*;

pub(super) async fn open(
    dir: &Path,
    clock: &TestClock,
    policies: &[Policy],
    accounts: &[Held],
) -> Services {
    let store = Store::open(&store::Settings { path: dir.join("uppsikt.db") }).unwrap();
    let settings = crate::evidence::Settings::in_folder(dir.join("evidence"));
    let evidence = EvidenceStore::open(&settings, store.clone(), clock.clock()).unwrap();
    evidence.note_head().await.unwrap();
    evidence.settle_pending().await.unwrap();
    evidence.signer().await.unwrap();
    let mut served = Vec::new();
    for (row, held) in store.accounts().await.unwrap().into_iter().zip(accounts) {
        assert_eq!(row.id, held.id, "accounts come in the order of their rows");
        let platform: Arc<dyn Platform> = match &held.place {
            Place::Square(square) => Arc::new(square.clone()),
            Place::Facebook(simulator) => {
                Arc::new(Facebook::new(simulator.settings(), clock.clock()).unwrap())
            }
        };
        let policy = (held.group > 0).then(|| policies[held.group].clone());
        let interval = Duration::from_secs(40 * 3_600);
        served.push(Served {
            account: row,
            platform,
            interval,
            policy,
            push: None,
            token_expires: None,
            private_at: None,
        });
    }
    let services = Services::new(Parts {
        store,
        evidence,
        classifier: Arc::clone(&BUILT_IN),
        policy: policies[0].clone(),
        clock: clock.clock(),
        settings: Settings {
            authority: "Exempelstads kommun".into(),
            export_dir: dir.join("export"),
            export_form: PackageForm::Zip,
            sheet_embeds: false,
            claim: SignedDuration::from_mins(10),
            sign_in: crate::services::sign_in::SignIn {
                key_file: dir.join("inloggning.nyckel"),
                ..Default::default()
            },
            session: SignedDuration::from_hours(8),
            // One by one, in the order of the accounts: whichever answers first would number the rows.
            polls_at_once: 1,
            rule_quota: 200,
            fetch: FetchLimits::default(),
            page_archives: false,
            // What it costs is measured elsewhere.
            before_removal: BeforeRemoval::Compare,
            diary: Ways::default(),
            public_reports: Bounds {
                enabled: false,
                contact: "växeln".into(),
                per_day: 10,
                per_address_hour: 5,
                mails_per_day: 10,
                mailbox: None,
                imap: None,
            },
            hooks: crate::services::hooks::Settings::default(),
        },
        accounts: served,
        browser: Err("Ingen webbläsare i provet.".into()),
    });
    // As `app` starts.
    services.open_cards().await.unwrap();
    services.open_crisis().await.unwrap();
    services.hold_reported().await.unwrap();
    services.complete_disposals().await.unwrap();
    services
}
