//! `uppsikt explain "text"`: why one text is or is not flagged.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::classify::load;

/// Förklarar varför en text flaggas eller inte.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Texten, eller - för standard in.
    pub text: String,
    /// Mapp med ordlistor i stället för de inbyggda.
    #[arg(long)]
    pub lexicons: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// The lexicon or standard input cannot be read, or standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let classifier = load(args.lexicons.as_deref())?;
    let mut text = args.text.clone();
    if text == "-" {
        text.clear();
        std::io::stdin().read_to_string(&mut text)?;
    }
    std::io::stdout()
        .write_all(crate::classify::explain::explain(&classifier, &text).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
