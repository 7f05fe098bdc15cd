//! Checkpoints of the log by mail, against a mail server in this process.

use std::sync::Arc;

use crate::services::notices::courier::{MailSettings, Security};
use crate::services::tests::harness::{Stage, THREAT};
use crate::services::tests::notices::notifier_by;

/// A mail server that takes letters, or is busy, and keeps what it took.
pub(super) async fn mail_server(
    busy: Arc<std::sync::atomic::AtomicBool>,
) -> (u16, Arc<std::sync::Mutex<Vec<String>>>) {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = taken.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(b"220 prov\r\n").await.unwrap();
            let mut letter: Option<String> = None;
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(text) = &mut letter {
                    if line == "." {
                        kept.lock().unwrap().extend(letter.take());
                        writer.write_all(b"250 ok\r\n").await.unwrap();
                    } else {
                        text.push_str(&line);
                        text.push('\n');
                    }
                    continue;
                }
                let is_busy = busy.load(std::sync::atomic::Ordering::Relaxed);
                let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
                    "MAIL" if is_busy => b"451 later\r\n",
                    "DATA" => {
                        letter = Some(String::new());
                        b"354 go\r\n"
                    }
                    "QUIT" => b"221 bye\r\n",
                    _ => b"250 ok\r\n",
                };
                if writer.write_all(answer).await.is_err() {
                    break;
                }
            }
        }
    });
    (port, taken)
}

#[tokio::test]
async fn a_checkpoint_goes_by_mail_once_a_day_is_tried_again_and_finds_out_a_rewritten_log() {
    use base64::Engine as _;
    let stage = Stage::new().await;
    stage.written(THREAT).await;
    let evidence = &stage.services.inner.evidence;
    evidence.checkpoint().await.unwrap();
    let busy = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let (port, taken) = mail_server(busy.clone()).await;
    let mail = MailSettings {
        host: "127.0.0.1".into(),
        port,
        security: Security::Plain,
        login: None,
        from: "Uppsikt <uppsikt@exempelstad.example>".into(),
        ca_pem: None,
    };
    let witnessed = notifier_by(&stage, Some(&mail), &[])
        .witnessed_by(vec!["arkiv@exempelstad.example".into()]);
    witnessed.send_witnesses().await.unwrap();
    let (sent, problem) = stage.store().witness_mail_state().await.unwrap();
    assert!(sent.is_none() && problem.unwrap().contains("svar 451"));
    busy.store(false, std::sync::atomic::Ordering::Relaxed);
    witnessed.send_witnesses().await.unwrap();
    assert!(taken.lock().unwrap().is_empty(), "not before its time");
    stage.wait_s(16 * 60);
    witnessed.send_witnesses().await.unwrap();
    assert_eq!(taken.lock().unwrap().len(), 1);
    // Another checkpoint within the day waits for tomorrow.
    stage.written("Du är en jävla idiot som ska dö.").await;
    evidence.checkpoint().await.unwrap();
    witnessed.send_witnesses().await.unwrap();
    assert_eq!(taken.lock().unwrap().len(), 1);
    stage.wait_s(24 * 3_600);
    witnessed.send_witnesses().await.unwrap();
    let letters = taken.lock().unwrap().clone();
    assert_eq!(letters.len(), 2);
    assert!(letters[0].contains("To: arkiv@exempelstad.example") && !letters[0].contains("ihjäl"));
    // What is attached is the note, as `--witness` takes it.
    let after = letters[1].split("kontrollpunkt-").last().unwrap();
    let body = after.split("\n\n").nth(1).unwrap().split("\n--").next().unwrap();
    let note = base64::engine::general_purpose::STANDARD.decode(body.replace('\n', "")).unwrap();
    let newest = stage.store().newest_checkpoint().await.unwrap().unwrap();
    assert_eq!(String::from_utf8(note.clone()).unwrap(), newest.note);
    let file = stage.dir.path().join("vittne.txt");
    std::fs::write(&file, &note).unwrap();
    let options =
        crate::evidence::verify::Options { witnesses: vec![file.clone()], progress: None };
    let found = crate::evidence::verify::verify(evidence, stage.store(), &options).await.unwrap();
    assert_eq!(found.faults, []);
    assert!(!found.notes.iter().any(|note| note.contains("kan det inte uteslutas")));
}
