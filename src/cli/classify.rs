//! `uppsikt classify`: a dump in, one line of verdict a record out, in the order of the input.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use crate::classify::Classifier;
use crate::classify::dump::{Batch, Batches, Fields, Format, Malformed};
use crate::classify::explain::explain;
use crate::classify::language;
use crate::classify::lexicon::{Source, built_in, read_folder};
use crate::classify::parallel::ordered;
use crate::cli::input::{Progress, open};
use crate::cli::resume;
use crate::domain::category::Category;
use crate::domain::language::Language;
use crate::domain::verdict::Verdict;
use crate::services::lexicons;

/// Exit code when single records could not be read.
pub const PARTLY: u8 = 3;

/// How the dump is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FormatArg {
    /// Ett JSON-objekt per rad.
    Jsonl,
    /// Kommatecken, semikolon eller tabb mellan fälten, rubriker på första raden.
    Csv,
    /// En text per rad.
    Text,
}

impl From<FormatArg> for Format {
    fn from(arg: FormatArg) -> Self {
        match arg {
            FormatArg::Jsonl => Self::JsonLines,
            FormatArg::Csv => Self::Csv,
            FormatArg::Text => Self::Text,
        }
    }
}

/// Klassificerar en samling kommentarer och skriver en rad per post.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Filen som ska läsas (även .gz och .zst), eller - för standard in.
    #[arg(default_value = "-")]
    pub file: PathBuf,
    /// Hur filen är skriven; annars efter filens namn (.csv, .tsv, .txt), och i sista hand jsonl.
    #[arg(long, value_enum)]
    pub format: Option<FormatArg>,
    /// Fältet med postens id.
    #[arg(long, default_value = "id")]
    pub id_field: String,
    /// Fältet med texten. Flera skrivs med komma emellan; det första med text i gäller. Med plus emellan
    /// läses flera som en text.
    #[arg(long, value_delimiter = ',', default_value = "text,body,title+selftext")]
    pub text_field: Vec<String>,
    /// Antal trådar; annars så många som datorn har.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Visa bara dessa kategorier; kan anges flera gånger.
    #[arg(long = "category", value_name = "KATEGORI")]
    pub categories: Vec<Category>,
    /// Lägg till en förklaring av varje post.
    #[arg(long)]
    pub explain: bool,
    /// Skriv svaren i den här filen i stället för på standard ut.
    #[arg(long, value_name = "FIL")]
    pub output: Option<PathBuf>,
    /// Fortsätt en körning som avbröts: poster som redan har svar i --output hoppas över.
    #[arg(long, requires = "output")]
    pub resume: bool,
    #[command(flatten)]
    lexicons: Lexicons,
}

/// Which lexicon.
#[derive(Debug, clap::Args)]
pub struct Lexicons {
    /// Mapp med ordlistor i stället för de inbyggda.
    #[arg(long, value_name = "MAPP")]
    lexicons: Option<PathBuf>,
    #[command(flatten)]
    cache: Cache,
}

impl Lexicons {
    /// The classifier.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn load(&self) -> anyhow::Result<Classifier> {
        self.cache.load(self.lexicons.as_deref())
    }
}

/// Whether the compiled form of lexicons may be used and kept.
#[derive(Debug, clap::Args)]
pub struct Cache {
    /// Använd inte den kompilerade form av ordlistorna som sparas i användarens cachemapp.
    #[arg(long)]
    no_cache: bool,
}

impl Cache {
    /// The classifier with the lexicon of a folder, or the built-in one.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn load(&self, folder: Option<&Path>) -> anyhow::Result<Classifier> {
        let env = |name: &str| std::env::var_os(name);
        let kept = if self.no_cache { None } else { lexicons::of_user(folder, &env) };
        Ok(lexicons::classifier(&sources(folder)?, kept.as_deref()))
    }
}

/// The sources in a folder, or those that are built in.
///
/// # Errors
/// The folder cannot be read.
pub fn sources(folder: Option<&Path>) -> anyhow::Result<Vec<Source>> {
    match folder {
        None => Ok(built_in::sources()),
        Some(folder) => read_folder(folder).context("ordlistorna kan inte läsas"),
    }
}

/// The format asked for, or the one that the file's name tells; JSON lines where it tells nothing.
pub fn format_of(asked: Option<FormatArg>, file: &std::path::Path) -> Format {
    if let Some(asked) = asked {
        return asked.into();
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv" | "tsv") => Format::Csv,
        Some("txt") => Format::Text,
        Some(_) | None => Format::JsonLines,
    }
}

/// As many threads as asked for, or as the machine has.
pub fn threads(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// What one batch became.
struct Answer {
    lines: Vec<u8>,
    records: u64,
    malformed: u64,
}

/// Runs the command.
///
/// # Errors
/// The dump or the lexicon cannot be read, or the output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let classifier = args.lexicons.load()?;
    let input = open(&args.file)?;
    let mut progress = Progress::new(&input);
    let format = format_of(args.format, &args.file);
    let fields = Fields { id: args.id_field.clone(), text: args.text_field.clone() };
    let broken = input.broken.clone();
    let mut batches = Batches::new(input.reader, format, &fields)?;
    let (mut out, before) = resume::output(args.output.as_deref(), args.resume, &args.file)?;
    let mut answered = before.records;
    let (mut records, mut malformed) = (before.records, before.malformed);
    let outcome: anyhow::Result<()> = ordered(
        threads(args.threads),
        || loop {
            let Some(batch) = batches.next_batch()? else { return Ok(None) };
            if answered == 0 {
                return Ok(Some((batch, 0)));
            }
            let mut n = 0;
            batch.for_each(format, &fields, |_| n += 1);
            let skipped = answered.min(n);
            answered -= skipped;
            if skipped < n {
                return Ok(Some((batch, skipped)));
            }
        },
        |(batch, skipped)| answer(&classifier, args, &batch, skipped, format, &fields),
        |answer: Answer| {
            out.write_all(&answer.lines)?;
            records += answer.records;
            malformed += answer.malformed;
            progress.tick(records);
            Ok(())
        },
    );
    let outcome = outcome.and_then(|()| {
        if let Some(what) = broken.complaint() {
            malformed += 1;
            writeln!(out, "{}", json!({ "id": null, "line": null, "error": what }))?;
        }
        Ok(out.flush()?)
    });
    match outcome {
        // Whoever read the output has had enough.
        Err(e)
            if e.downcast_ref::<io::Error>()
                .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) =>
        {
            return Ok(ExitCode::SUCCESS);
        }
        other => other?,
    }
    progress.done(records, malformed);
    Ok(if malformed > 0 { ExitCode::from(PARTLY) } else { ExitCode::SUCCESS })
}

fn answer(
    classifier: &Classifier,
    args: &Args,
    batch: &Batch,
    mut skipped: u64,
    format: Format,
    fields: &Fields,
) -> Answer {
    let mut answer = Answer { lines: Vec::new(), records: 0, malformed: 0 };
    let mut records = Vec::new();
    batch.for_each(format, fields, |record| {
        if skipped > 0 {
            skipped -= 1;
        } else {
            records.push(record);
        }
    });
    let texts = records.iter().flatten().map(|record| &*record.text);
    let mut verdicts = classifier.classify_each(texts).into_iter();
    for record in &records {
        answer.records += 1;
        match record {
            Ok(record) => {
                let Some(verdict) = verdicts.next() else { break };
                let explanation = args.explain.then(|| explain(classifier, &record.text));
                write_verdict(
                    &mut answer.lines,
                    &record.id,
                    &verdict,
                    language::of(&record.text),
                    &args.categories,
                    explanation.as_deref(),
                );
            }
            Err(Malformed { line, what }) => {
                answer.malformed += 1;
                answer.lines.extend_from_slice(
                    json!({ "id": null, "line": line, "error": what }).to_string().as_bytes(),
                );
                answer.lines.push(b'\n');
            }
        }
    }
    answer
}

/// One line: `{"id":…,"labels":[{"category":…,"severity":…,"rule":…,"spans":[[s,e]],"why":…}],"language":…}`,
/// the language as a code, `null` where it cannot be told.
fn write_verdict(
    out: &mut Vec<u8>,
    id: &str,
    verdict: &Verdict,
    language: Option<Language>,
    only: &[Category],
    explanation: Option<&str>,
) {
    out.extend_from_slice(b"{\"id\":");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b",\"labels\":[");
    let mut first = true;
    for f in verdict.findings.iter().filter(|f| only.is_empty() || only.contains(&f.category)) {
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend_from_slice(b"{\"category\":\"");
        out.extend_from_slice(f.category.id().as_bytes());
        out.extend_from_slice(b"\",\"severity\":\"");
        out.extend_from_slice(f.severity.id().as_bytes());
        out.extend_from_slice(b"\",\"rule\":");
        write_text(out, &f.rule);
        out.extend_from_slice(b",\"spans\":[");
        for (i, s) in f.spans.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            // Writing to a Vec cannot fail.
            let _ = write!(out, "{comma}[{},{}]", s.start, s.end);
        }
        out.extend_from_slice(b"],\"why\":");
        write_text(out, &f.why);
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"language\":");
    match language {
        Some(language) => write_text(out, language.code()),
        None => out.extend_from_slice(b"null"),
    }
    if let Some(explanation) = explanation {
        out.extend_from_slice(b",\"explain\":");
        write_text(out, explanation);
    }
    out.extend_from_slice(b"}\n");
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    // Writing to a Vec cannot fail, and a text is always JSON.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_format_is_told_by_the_name_unless_it_is_given() {
        let table = [
            ("odd.csv", Format::Csv),
            ("/tmp/ODD.CSV.GZ", Format::Csv),
            ("x.tsv", Format::Csv),
            ("x.txt.zst", Format::Text),
            ("x.jsonl.gz", Format::JsonLines),
            ("-", Format::JsonLines),
            ("csv", Format::JsonLines),
        ];
        for (name, expected) in table {
            assert_eq!(format_of(None, Path::new(name)), expected, "{name}");
        }
        assert_eq!(format_of(Some(FormatArg::Text), Path::new("x.csv")), Format::Text);
    }
}
