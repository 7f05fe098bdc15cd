//! Mails to the mailbox for reports: known again, bounded apart from the form, disposed of; and a real mail server.

use jiff::{SignedDuration, Timestamp};

use super::harness::{REPORTS_A_DAY, Stage};
use super::public_reports::{typed, with_mailbox};
use crate::domain::person::Role;
use crate::services::mailbox::{Round, drop_in};
use crate::services::public_reports::Answer;

fn report(n: u32) -> Vec<u8> {
    format!(
        "Message-ID: <{n}@exempel.example>\r\nSubject: Anmälan {n}\r\n\r\nHot mot en lärare.\r\n"
    )
    .into_bytes()
}

#[tokio::test]
async fn mails_and_the_form_have_each_their_own_number_for_a_day() {
    let (stage, folder) = with_mailbox().await;
    for n in 0..=REPORTS_A_DAY {
        drop_in(&folder, &report(n)).unwrap();
    }
    let round = stage.services.read_mailbox().await.unwrap();
    assert_eq!((round.reports, round.left), (REPORTS_A_DAY as usize, 1));
    let by_form = typed("https://annanstans.example/1", "Hot mot en lärare.");
    let told = stage.services.report_from_outside(&by_form).await.unwrap();
    assert!(matches!(told, Answer::Taken(_)), "the mails have not shut the form: {told:?}");
}

#[tokio::test]
async fn a_mail_that_is_met_again_on_another_day_is_the_same_report() {
    let (stage, folder) = with_mailbox().await;
    let path = drop_in(&folder, &report(1)).unwrap();
    stage.services.read_mailbox().await.unwrap();
    stage.clock.advance(SignedDuration::from_hours(24));
    // As if the machine had stopped between taking it and moving it.
    assert_eq!(drop_in(&folder, &report(1)).unwrap(), path);
    assert_eq!(stage.services.read_mailbox().await.unwrap().reports, 1);
    assert_eq!(stage.services.reports_from_outside(&stage.editor).await.unwrap().len(), 1);
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    assert!(raw.execute("delete from report_mails", []).is_err());
    assert!(raw.execute("update report_mails set became = 'automatic'", []).is_err());
}

#[tokio::test]
async fn mails_go_when_their_reports_have_gone_and_what_a_person_has_to_look_at_stays() {
    let (stage, folder) = with_mailbox().await;
    drop_in(&folder, &report(1)).unwrap();
    drop_in(&folder, &report(2)).unwrap();
    drop_in(&folder, b"Auto-Submitted: auto-replied\r\nSubject: Semester\r\n\r\nBorta.").unwrap();
    drop_in(&folder, b"\0\0\0").unwrap();
    stage.services.read_mailbox().await.unwrap();
    let later = stage.now() + SignedDuration::from_hours(24 * 40);
    let sweep =
        async |before: Timestamp| stage.services.sweep_mails(before, "KS 2026/1").await.unwrap();
    let lie = |name: &str| std::fs::read_dir(folder.join(name)).unwrap().count();
    assert_eq!(sweep(Timestamp::UNIX_EPOCH).await, 0, "not before their time");
    for beside in ["lästa", "automatiska", "fel"] {
        for entry in std::fs::read_dir(folder.join(beside)).unwrap() {
            let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
            file.set_modified(stage.now().into()).unwrap();
        }
    }
    assert_eq!(sweep(later).await, 1, "what a machine wrote; the reports are still there");
    assert_eq!((lie("lästa"), lie("automatiska"), lie("fel")), (2, 0, 1));
    stage.services.end_report(&stage.editor, 1, Some("Gäller inte oss.")).await.unwrap();
    stage.store().sweep_reports(later, "KS 2026/1".into(), stage.now()).await.unwrap();
    assert_eq!(sweep(later).await, 1, "with its report");
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    for trouble in &troubles {
        stage.services.end_notice(&stage.editor, trouble.notice, false).await.unwrap();
    }
    assert_eq!(sweep(later).await, 1, "somebody has looked at it");
    assert_eq!((lie("lästa"), lie("fel")), (1, 0));
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql = "select count(*) from audit where act = 'disposal.mail' and detail like '%KS 2026/1'";
    assert_eq!(raw.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap(), 3, "each is on record");
    stage.verified().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_is_a_task_once_a_day() {
    let (stage, folder) = with_mailbox().await;
    std::fs::write(&folder, "en fil").unwrap();
    for _ in 0..2 {
        assert!(stage.services.read_mailbox().await.is_err());
    }
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    let told: Vec<_> = troubles.iter().filter(|t| t.subject.contains("kan inte läsas")).collect();
    assert_eq!(told.len(), 1, "{troubles:?}");
}

#[cfg(feature = "real-servers")]
mod real {
    use async_imap::types::Flag;
    use async_imap::{Client, Session};
    use futures_util::TryStreamExt as _;
    use tokio::net::TcpStream;

    use super::*;
    use crate::runtime::secret::Secret;
    use crate::services::imap::{ImapSettings, MailboxAway, folder_name, try_mailbox};
    use crate::services::notices::courier::Security;

    /// When mails came in, by the server's word: on the day of the tests' clock.
    const RECEIVED: &str = "\"21-Nov-2026 12:00:00 +0100\"";

    fn setting(name: &str) -> String {
        std::env::var(name).unwrap_or_else(|_| panic!("{name} is missing: tests/real/imap/start"))
    }

    fn server(user: &str, security: Security) -> ImapSettings {
        let port = match security {
            Security::Tls => "IMAP_TLS_PORT",
            Security::StartTls | Security::Plain => "IMAP_PORT",
        };
        ImapSettings {
            host: setting("IMAP_HOST"),
            port: setting(port).parse().unwrap(),
            security,
            login: (user.into(), Secret::new(setting("IMAP_PASSWORD"))),
            ca_pem: Some(std::fs::read_to_string(setting("IMAP_CA")).unwrap()),
            folder: "INBOX".into(),
        }
    }

    /// Somebody else at the mailbox, who sees what is there.
    async fn other(user: &str) -> Session<TcpStream> {
        let port: u16 = setting("IMAP_PORT").parse().unwrap();
        let tcp = TcpStream::connect((setting("IMAP_HOST"), port)).await.unwrap();
        let mut client = Client::new(tcp);
        client.read_response().await.unwrap();
        client.login(user, setting("IMAP_PASSWORD")).await.map_err(|(e, _)| e).unwrap()
    }

    async fn lie(session: &mut Session<TcpStream>, folder: &str) -> usize {
        match session.select(folder_name(folder)).await {
            Ok(found) => found.exists as usize,
            Err(_) => 0,
        }
    }

    async fn with_imap(user: &str, security: Security) -> Stage {
        let mut stage = Stage::new().await;
        let inner = std::sync::Arc::get_mut(&mut stage.services.inner).expect("nothing runs yet");
        inner.settings.public_reports.imap = Some(server(user, security));
        stage
    }

    /// A name that no other run has used.
    fn fresh(name: &str) -> String {
        format!("{name}-{}", uuid::Uuid::new_v4().simple())
    }

    #[tokio::test]
    async fn a_mailbox_on_a_real_server_is_read_over_each_way_and_its_mails_are_moved_beside() {
        for security in [Security::Plain, Security::StartTls, Security::Tls] {
            let user = fresh("vagar");
            let stage = with_imap(&user, security).await;
            let mut there = other(&user).await;
            let utf8 = "Subject: =?utf-8?q?Hot_mot_l=C3=A4rare?=\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nSe länken på sidan.\r\n";
            there.append("INBOX", None, None, utf8).await.unwrap();
            let automatic = "Auto-Submitted: auto-replied\r\nSubject: Semester\r\n\r\nBorta.\r\n";
            there.append("INBOX", None, None, automatic).await.unwrap();
            there.append("INBOX", None, None, "\r\n\r\n").await.unwrap();
            assert_eq!(try_mailbox(&server(&user, security)).await.unwrap(), 3);
            let round = stage.services.read_imap().await.unwrap();
            assert_eq!(round, Round { reports: 1, automatic: 1, faulty: 1, left: 0 });
            let report = stage.services.report_at(&stage.editor, 1).await.unwrap();
            assert!(report.reason.unwrap().starts_with("Hot mot lärare"));
            assert_eq!(lie(&mut there, "INBOX").await, 0);
            for beside in ["INBOX/lästa", "INBOX/automatiska", "INBOX/fel"] {
                assert_eq!(lie(&mut there, beside).await, 1, "{beside}");
            }
            assert_eq!(stage.services.read_imap().await.unwrap(), Round::default());
        }
    }

    #[tokio::test]
    async fn what_was_taken_and_not_moved_is_one_report_and_leaves_the_server_by_the_plan() {
        let user = fresh("igen");
        let stage = with_imap(&user, Security::Plain).await;
        let mut there = other(&user).await;
        let mail = report(7);
        there.append("INBOX", None, Some(RECEIVED), &mail).await.unwrap();
        assert_eq!(stage.services.read_imap().await.unwrap().reports, 1);
        // The machine stopped before it moved it, and the server has numbered its mails anew since.
        there.append("INBOX", None, Some(RECEIVED), &mail).await.unwrap();
        stage.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(stage.services.read_imap().await.unwrap().reports, 1);
        assert_eq!(stage.services.reports_from_outside(&stage.editor).await.unwrap().len(), 1);
        assert_eq!((lie(&mut there, "INBOX").await, lie(&mut there, "INBOX/lästa").await), (0, 2));

        let later = stage.now() + SignedDuration::from_hours(24 * 40);
        let sweep = async || stage.services.sweep_mails(later, "KS 2026/1").await.unwrap();
        assert_eq!(sweep().await, 0, "its report is still there");
        stage.services.end_report(&stage.editor, 1, Some("Gäller inte oss.")).await.unwrap();
        stage.store().sweep_reports(later, "KS 2026/1".into(), stage.now()).await.unwrap();
        // What a person put there is theirs.
        there.append(folder_name("INBOX/lästa"), None, Some(RECEIVED), report(8)).await.unwrap();
        assert_eq!(sweep().await, 2);
        there.select(folder_name("INBOX/lästa")).await.unwrap();
        let left: Vec<_> =
            there.fetch("1:*", "(FLAGS BODY.PEEK[])").await.unwrap().try_collect().await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].body(), Some(report(8).as_slice()));
        assert!(left[0].flags().all(|flag| flag != Flag::Deleted));
    }

    #[tokio::test]
    async fn mails_beyond_the_days_number_stay_on_the_server_and_are_left_in_peace_for_a_while() {
        let user = fresh("manga");
        let stage = with_imap(&user, Security::Plain).await;
        let mut there = other(&user).await;
        for n in 0..REPORTS_A_DAY + 2 {
            there.append("INBOX", None, None, report(n)).await.unwrap();
        }
        let round = stage.services.read_imap().await.unwrap();
        assert_eq!((round.reports, round.left), (REPORTS_A_DAY as usize, 1));
        assert_eq!(stage.services.read_imap().await.unwrap(), Round::default(), "it rests");
        stage.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(stage.services.read_imap().await.unwrap().reports, 2);
        assert_eq!(lie(&mut there, "INBOX").await, 0);
    }

    #[tokio::test]
    async fn a_mailbox_that_cannot_be_read_is_told_in_words_and_becomes_a_task() {
        let right = server("fel", Security::StartTls);
        let mut wrong = right.clone();
        wrong.login.1 = Secret::new("fel-losenord");
        let error = try_mailbox(&wrong).await.unwrap_err();
        assert!(matches!(error, MailboxAway::Login) && error.to_string().contains("`password`"));
        let folder = ImapSettings { folder: "Finns inte".into(), ..right.clone() };
        let error = try_mailbox(&folder).await.unwrap_err();
        assert!(error.to_string().contains("Mappen Finns inte"), "{error}");
        let untrusted = ImapSettings { ca_pem: None, ..right.clone() };
        let error = try_mailbox(&untrusted).await.unwrap_err();
        assert!(matches!(error, MailboxAway::Tls(_)), "{error:?}");
        let nobody = ImapSettings { port: 1, ..right };
        let error = try_mailbox(&nobody).await.unwrap_err();
        assert!(error.to_string().contains("svarar inte"), "{error}");

        let mut stage = with_imap("fel", Security::Plain).await;
        let inner = std::sync::Arc::get_mut(&mut stage.services.inner).expect("nothing runs yet");
        inner.settings.public_reports.imap = Some(wrong);
        let n_told = async || {
            let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
            troubles.iter().filter(|t| t.subject.contains("kan inte läsas")).count()
        };
        let _registrar = stage.person(Role::Registrar, "Eva").await;
        assert_eq!(stage.services.read_imap().await.unwrap(), Round::default());
        assert_eq!(n_told().await, 1);
        stage.clock.advance(SignedDuration::from_mins(2));
        stage.services.read_imap().await.unwrap();
        assert_eq!(n_told().await, 1, "one for a day");
    }
}
