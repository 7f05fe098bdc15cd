use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::redact::{PersonText, Untrusted};
use super::{Format, Level, TelemetryError, env_filter, human, json};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics while writing").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;
    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no test panics while writing").clone())
            .expect("log lines are UTF-8")
    }
}

fn logged(format: Format, level: Level, filter: Option<&str>, say: impl FnOnce()) -> String {
    let lines = Lines::default();
    let filter = env_filter(level, filter).expect("the filter is well formed");
    match format {
        Format::Human => tracing::subscriber::with_default(human(filter, lines.clone()), say),
        Format::Json => tracing::subscriber::with_default(json(filter, lines.clone()), say),
    }
    lines.text()
}

#[test]
fn json_lines_hold_the_fields_by_name() {
    let text = logged(Format::Json, Level::Info, None, || {
        tracing::info!(case.id = 7, action.kind = "hide", "action carried out");
    });
    let line: serde_json::Value = serde_json::from_str(text.trim()).expect("one JSON object");
    assert_eq!(line["case.id"], 7);
    assert_eq!(line["action.kind"], "hide");
    assert_eq!(line["message"], "action carried out");
    assert_eq!(line["level"], "INFO");
}

#[test]
fn human_lines_are_one_line_without_escape_codes() {
    let text = logged(Format::Human, Level::Info, None, || tracing::warn!(attempt = 2, "again"));
    assert_eq!(text.lines().count(), 1);
    assert!(text.contains("WARN") && text.contains("attempt=2"), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn the_level_holds_for_us_and_never_makes_others_talk_of_bodies() {
    let say = || {
        tracing::debug!("ours");
        tracing::debug!(target: "hyper::proto", "theirs");
        tracing::info!(target: "hyper::proto", "their news");
    };
    let text = logged(Format::Human, Level::Debug, None, say);
    assert!(text.contains("ours") && !text.contains("theirs") && text.contains("their news"));
    let text = logged(Format::Human, Level::Warn, None, say);
    assert_eq!(text, "");
}

#[test]
fn what_the_browser_says_of_a_page_is_in_no_log_however_loud() {
    let say = || {
        tracing::warn!(target: "chromiumoxide::handler", "WS Invalid message: of a page");
        tracing::trace!(target: "async_imap", "LOGIN somebody");
    };
    for filter in [None, Some("trace"), Some("warn")] {
        assert_eq!(logged(Format::Human, Level::Trace, filter, say), "", "{filter:?}");
    }
}

#[test]
fn the_environment_wins_over_the_level() {
    let say = || {
        tracing::debug!("detail");
    };
    assert!(logged(Format::Human, Level::Error, Some("uppsikt=debug"), say).contains("detail"));
    assert_eq!(logged(Format::Human, Level::Trace, Some("off"), say), "");
    assert!(logged(Format::Human, Level::Debug, Some("  "), say).contains("detail"));
    let refused = env_filter(Level::Info, Some("uppsikt=loudest"));
    assert!(matches!(refused, Err(TelemetryError::Filter(_))));
}

#[test]
fn wrapped_content_shows_neither_in_logs_nor_in_debug_output() {
    let secret = "Anna Exempel 121212-1212 är en …";
    let text = logged(Format::Json, Level::Info, None, || {
        tracing::info!(text = %Untrusted::new(secret), who = ?PersonText::new(secret), "seen");
    });
    assert!(!text.contains("Anna") && !text.contains("1212"), "{text}");
    assert_eq!(format!("{:?}", PersonText::new("Åsa")), "⟨person, 3 tecken⟩");
    let shown = Untrusted::new("hej").to_string();
    assert!(
        shown.starts_with("⟨3 byte, ")
            && shown.chars().count() == "⟨3 byte, 01234567…⟩".chars().count()
    );
    assert_eq!(shown, format!("{:?}", Untrusted::new(b"hej".to_vec())));
    assert_eq!(Untrusted::new("hej").into_inner(), "hej");
}

#[test]
fn a_panic_that_quotes_a_comment_is_told_without_it() {
    let comment = String::from("Åsa bor på Kråkstigen 4");
    let caught = std::panic::catch_unwind(|| comment[..1].len()).expect_err("inside Å");
    let told = super::panic_message(&*caught);
    assert!(told.contains("left out") && !told.contains("sa bor"), "{told}");
    let caught = std::panic::catch_unwind(|| panic!("fixed words")).expect_err("panics");
    assert_eq!(super::panic_message(&*caught), "fixed words");
    let caught = std::panic::catch_unwind(|| std::panic::panic_any(7)).expect_err("panics");
    assert_eq!(super::panic_message(&*caught), "⟨not a text⟩");
}
