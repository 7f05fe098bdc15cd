//! `uppsikt explain "text"`: why one text is or is not flagged.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use crate::cli::classify::Lexicons;

/// Förklarar varför en text flaggas eller inte.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Texten, eller - för standard in.
    pub text: String,
    #[command(flatten)]
    lexicons: Lexicons,
}

/// Runs the command.
///
/// # Errors
/// The lexicon or standard input cannot be read, or standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let classifier = args.lexicons.load()?;
    let mut text = args.text.clone();
    if text == "-" {
        text.clear();
        std::io::stdin().read_to_string(&mut text)?;
    }
    std::io::stdout()
        .write_all(crate::classify::explain::explain(&classifier, &text).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
