//! The audit log (*granskningsloggen*).

use askama::Template;

use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/granskning`.
#[derive(Clone, Debug, Template)]
#[template(path = "audit_log.html", config = "src/web/askama.toml")]
pub struct AuditLogPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message where something asked for cannot be understood.
    pub notice: Option<Notice>,
    /// The case that is asked for, as typed.
    pub case: String,
    /// The person that is asked for, as typed.
    pub who: String,
    /// The lines, newest first.
    pub rows: Vec<AuditRow>,
    /// Address of the page with older ones.
    pub older: Option<String>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: Moment,
    /// Who.
    pub who: String,
    /// What, in words that follow the name; nothing where the log's own word stands for it.
    pub label: Option<&'static str>,
    /// The log's own word.
    pub act: String,
    /// On what, in Swedish.
    pub subject: String,
    /// From where.
    pub address: String,
    /// More.
    pub detail: Option<String>,
}

/// What a line is about, in Swedish: the log has it in words of ours.
pub fn subject_words(subject: &str) -> String {
    const KINDS: [(&str, &str); 12] = [
        ("case ", "ärende "),
        ("evidence ", "bevis "),
        ("archive run ", "arkivkörning "),
        ("account ", "konto "),
        ("user ", "användare "),
        ("action ", "åtgärd "),
        ("api key ", "API-nyckel "),
        ("policy ", "riktlinjer "),
        ("registration ", "registrering "),
        ("disposal ", "gallring "),
        ("release ", "utlämnande "),
        ("report ", "anmälan utifrån "),
    ];
    let known = KINDS
        .iter()
        .find_map(|(ours, words)| subject.strip_prefix(ours).map(|rest| format!("{words}{rest}")));
    known.unwrap_or_else(|| subject.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_is_about_is_told_in_swedish_where_it_is_known() {
        assert_eq!(subject_words("case 17"), "ärende 17");
        assert_eq!(subject_words("archive run 3"), "arkivkörning 3");
        assert_eq!(subject_words("heads.txt"), "heads.txt");
    }
}
