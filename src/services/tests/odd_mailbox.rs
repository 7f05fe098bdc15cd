//! Mail servers that refuse, break off or lie: none of it makes copies, stops the mails behind it or fills the memory.
//! (`mailbox.rs` has a real one, which does none of that.)

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::harness::Stage;
use crate::runtime::secret::Secret;
use crate::services::imap::ImapSettings;
use crate::services::mailbox::Round;
use crate::services::notices::courier::Security;

/// What is odd about a server.
#[derive(Clone, Copy, Debug, Default)]
struct Odd {
    /// It lets copy and does not let take out.
    keeps: bool,
    /// It says so beforehand.
    says_so: bool,
    /// It gives this one not out, and goes on.
    refuses: u32,
    /// It announces this one, gives a part, and breaks off.
    breaks_off: u32,
    /// It announces this one as larger than any memory.
    lies: u32,
}

struct Server {
    port: u16,
    mails: Mutex<Vec<(u32, String)>>,
    heard: Mutex<Vec<String>>,
    odd: Odd,
}

impl Server {
    async fn with(n: u32, odd: Odd) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mail = |uid| format!("Subject: Nr {uid}\r\n\r\nHot mot en lärare.\r\n");
        let server = Arc::new(Self {
            port: listener.local_addr().unwrap().port(),
            mails: Mutex::new((1..=n).map(|uid| (uid, mail(uid))).collect()),
            heard: Mutex::default(),
            odd,
        });
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        server
    }

    /// How often something was asked for.
    fn heard(&self, words: &str) -> usize {
        self.heard.lock().unwrap().iter().filter(|line| line.contains(words)).count()
    }

    fn n_mails(&self) -> usize {
        self.mails.lock().unwrap().len()
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        write.write_all(b"* OK ready\r\n").await.ok()?;
        let mut lines = BufReader::new(read).lines();
        while let Some(line) = lines.next_line().await.ok()? {
            let (tag, command) = line.split_once(' ')?;
            self.heard.lock().unwrap().push(command.to_owned());
            let (told, goes_on) = self.answer(tag, command);
            write.write_all(told.as_bytes()).await.ok()?;
            if !goes_on {
                return None;
            }
        }
        None
    }

    /// What it says, and whether it goes on.
    fn answer(&self, tag: &str, command: &str) -> (String, bool) {
        let (ok, no) = (format!("{tag} OK done\r\n"), format!("{tag} NO not here\r\n"));
        let mut mails = self.mails.lock().unwrap();
        let mut words = command.split(' ').skip(if command.starts_with("UID ") { 1 } else { 0 });
        let verb = words.next().unwrap_or_default();
        let first = words.next().unwrap_or_default();
        let uid: u32 = first.parse().unwrap_or(0);
        let told = match verb {
            "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 UIDPLUS\r\n{ok}"),
            "LIST" => format!("* LIST (\\Noselect) \"/\" \"\"\r\n{ok}"),
            "SELECT" => {
                let flags = if self.odd.says_so { "" } else { "\\Deleted \\Seen" };
                format!(
                    "* {} EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [PERMANENTFLAGS ({flags})] flags\r\n{ok}",
                    mails.len()
                )
            }
            "SEARCH" => {
                let (from, upto) = first.split_once(':').unwrap();
                let (from, upto): (usize, usize) = (from.parse().unwrap(), upto.parse().unwrap());
                let some: Vec<_> = mails[from - 1..upto.min(mails.len())]
                    .iter()
                    .map(|(uid, _)| uid.to_string())
                    .collect();
                format!("* SEARCH {}\r\n{ok}", some.join(" "))
            }
            "FETCH" if command.ends_with("(UID RFC822.SIZE)") => {
                let wanted: Vec<u32> = first.split(',').map(|uid| uid.parse().unwrap()).collect();
                let sizes = mails.iter().filter(|(uid, _)| wanted.contains(uid));
                let sizes: String = sizes
                    .map(|(uid, text)| {
                        format!("* {uid} FETCH (UID {uid} RFC822.SIZE {})\r\n", text.len())
                    })
                    .collect();
                format!("{sizes}{ok}")
            }
            "FETCH" if uid == self.odd.refuses => no,
            "FETCH" if uid == self.odd.breaks_off => {
                return (format!("* 1 FETCH (UID {uid} BODY[] {{5000}}\r\nSubj"), false);
            }
            "FETCH" if uid == self.odd.lies => {
                format!("* 1 FETCH (UID {uid} BODY[] {{500000000}}\r\nSubj")
            }
            "FETCH" => {
                let text = &mails.iter().find(|(one, _)| *one == uid).unwrap().1;
                format!("* 1 FETCH (UID {uid} BODY[] {{{}}}\r\n{text})\r\n{ok}", text.len())
            }
            "STORE" if self.odd.keeps => no,
            "EXPUNGE" => {
                mails.retain(|(one, _)| *one != uid);
                ok
            }
            "LOGOUT" => format!("* BYE\r\n{ok}"),
            _ => ok,
        };
        (told, true)
    }
}

async fn reading(server: &Server) -> Stage {
    let mut stage = Stage::new().await;
    let inner = Arc::get_mut(&mut stage.services.inner).expect("nothing runs yet");
    inner.settings.public_reports.imap = Some(ImapSettings {
        host: "127.0.0.1".into(),
        port: server.port,
        security: Security::Plain,
        login: ("anmalan".into(), Secret::new("hemligt")),
        ca_pem: None,
        folder: "INBOX".into(),
    });
    stage
}

/// So many rounds, each when the mailbox has rested enough.
async fn rounds(stage: &Stage, n: usize) -> Round {
    let mut all = Round::default();
    for _ in 0..n {
        let round = stage.services.read_imap().await.unwrap();
        all.reports += round.reports;
        all.left += round.left;
        stage.clock.advance(SignedDuration::from_hours(2));
    }
    all
}

async fn told(stage: &Stage, words: &str) -> usize {
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    troubles.iter().filter(|t| t.subject.contains(words)).count()
}

#[tokio::test]
async fn a_server_that_lets_copy_and_not_take_out_gets_one_copy_and_is_told_of() {
    let server = Server::with(2, Odd { keeps: true, ..Odd::default() }).await;
    let stage = reading(&server).await;
    rounds(&stage, 4).await;
    assert_eq!(server.heard("UID COPY 1 "), 1, "{:?}", server.heard.lock());
    assert!(server.heard("UID STORE 1 ") >= 4, "it is tried again");
    assert_eq!(told(&stage, "kan inte läsas").await, 1);
    assert_eq!(stage.services.reports_from_outside(&stage.editor).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_folder_out_of_which_nothing_may_be_taken_is_told_of_before_anything_is_copied() {
    let server = Server::with(2, Odd { says_so: true, ..Odd::default() }).await;
    let stage = reading(&server).await;
    rounds(&stage, 2).await;
    assert_eq!((server.heard("COPY"), server.heard("FETCH")), (0, 0));
    assert_eq!(told(&stage, "kan inte läsas").await, 1);
}

#[tokio::test]
async fn a_mail_that_cannot_be_had_stops_none_behind_it_and_is_a_task() {
    for odd in [
        Odd { refuses: 1, ..Odd::default() },
        Odd { breaks_off: 1, ..Odd::default() },
        Odd { lies: 1, ..Odd::default() },
    ] {
        let server = Server::with(3, odd).await;
        let stage = reading(&server).await;
        assert_eq!(rounds(&stage, 4).await.reports, 2, "{odd:?}");
        assert_eq!(server.n_mails(), 1, "{odd:?}: it lies there still");
        assert_eq!(told(&stage, "kan inte hämtas").await, 1, "{odd:?}");
        let tries = server.heard("UID FETCH 1 (UID BODY");
        assert_eq!(tries, 2, "{odd:?}");
        // A day later it is asked for again.
        stage.clock.advance(SignedDuration::from_hours(24));
        rounds(&stage, 1).await;
        assert_eq!(server.heard("UID FETCH 1 (UID BODY"), tries + 1, "{odd:?}");
    }
}

#[tokio::test]
async fn a_large_folder_is_searched_no_further_than_a_round_takes() {
    let server = Server::with(1_200, Odd::default()).await;
    let stage = reading(&server).await;
    rounds(&stage, 1).await;
    assert_eq!(server.heard("SEARCH"), 1);
    assert_eq!(server.heard("UID SEARCH 1:500 UNDELETED"), 1);
}
