//! What is wrong in a file that an administrator wrote: where, what, and how to mend it.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// One fault, in Swedish, since it is read by those who run the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The file as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, a colon, and the mend. Never holds a secret.
    pub what: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)
    }
}

/// A file of settings could not be used. The texts are whole Swedish messages.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It could not be read.
    #[error("kan inte läsa {}: kontrollera att filen finns och att tjänsten får läsa den", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It has faults: all that could be found, in the order of the file.
    #[error("{}", Listed(.0))]
    Refused(Vec<Complaint>),
}

/// Faults shown at once. More mean that it is not the right file.
const SHOWN_MOST: usize = 25;

struct Listed<'a>(&'a [Complaint]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, complaint) in self.0.iter().take(SHOWN_MOST).enumerate() {
            let break_line = if i > 0 { "\n" } else { "" };
            write!(f, "{break_line}{complaint}")?;
        }
        match self.0.len().saturating_sub(SHOWN_MOST) {
            0 => Ok(()),
            more => write!(f, "\noch {more} fel till: rätta de första och försök igen"),
        }
    }
}
