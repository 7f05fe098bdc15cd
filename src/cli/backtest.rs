//! `uppsikt backtest`: what another lexicon would have said of comments already judged.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{ConfigFile, runtime};
use crate::app;
use crate::classify::Classifier;
use crate::classify::compare::{Sample, Tally};
use crate::classify::dump::{Batch, Batches, Fields, Format};
use crate::classify::parallel::ordered;
use crate::cli::classify::{Cache, FormatArg, PARTLY, format_of, threads};
use crate::cli::input::{Progress, open};
use crate::domain::ids::VersionId;
use crate::runtime::clock::Clock;
use crate::services::past::Past;

/// Jämför två ordlistor på samma kommentarer: vad som tillkommer, försvinner och ändras.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Filen med kommentarer (även .gz och .zst), eller - för standard in.
    #[arg(required_unless_present = "stored")]
    pub file: Option<PathBuf>,
    /// Jämför på det som redan är hämtat och lagrat, i stället för på en fil.
    #[arg(long, conflicts_with = "file")]
    pub stored: bool,
    #[command(flatten)]
    config: ConfigFile,
    /// Mappen med de nya ordlistorna.
    #[arg(long)]
    pub lexicons: PathBuf,
    /// Mappen med de gamla; utan den jämförs med de inbyggda.
    #[arg(long)]
    pub before: Option<PathBuf>,
    /// Hur filen är skriven.
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
    /// Hur många exempel som visas av varje slag.
    #[arg(long, default_value_t = 5)]
    pub samples: usize,
    #[command(flatten)]
    cache: Cache,
}

/// Runs the command.
///
/// # Errors
/// The dump or a lexicon cannot be read, or standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let before = args.cache.load(args.before.as_deref())?;
    let after = args.cache.load(Some(&args.lexicons))?;
    let fields = Fields { id: args.id_field.clone(), text: args.text_field.clone() };
    let mut all = Tally::default();
    if let Some(file) = &args.file {
        let input = open(file)?;
        let mut progress = Progress::new(&input);
        let format = format_of(args.format, file);
        let broken = input.broken.clone();
        let mut batches = Batches::new(input.reader, format, &fields)?;
        ordered(
            threads(args.threads),
            || batches.next_batch().map_err(anyhow::Error::from),
            |batch| judge(&before, &after, &batch, format, &fields),
            |tally: Tally| {
                all.add(tally, args.samples);
                progress.tick(all.records);
                Ok(())
            },
        )?;
        if let Some(what) = broken.complaint() {
            all.malformed += 1;
            eprintln!("{what}");
        }
        progress.done(all.records, all.malformed);
    } else {
        let mut stored = Stored::open(&args.config)?;
        ordered(
            threads(args.threads),
            || stored.next_batch(),
            |batch| judge(&before, &after, &batch, Format::Csv, &fields),
            |tally: Tally| {
                all.add(tally, args.samples);
                Ok(())
            },
        )?;
    }
    std::io::stdout().write_all(shown(&all, &before, &after).as_bytes())?;
    Ok(if all.malformed > 0 { ExitCode::from(PARTLY) } else { ExitCode::SUCCESS })
}

/// What the daemon has taken in.
struct Stored {
    past: Past,
    runtime: tokio::runtime::Runtime,
}

impl Stored {
    fn open(config: &ConfigFile) -> anyhow::Result<Self> {
        let config = config.load()?;
        let (store, _evidence) = app::open_stores(&config, Clock::system())?;
        Ok(Self { past: Past::new(store), runtime: runtime()? })
    }

    fn next_batch(&mut self) -> anyhow::Result<Option<Batch>> {
        let texts = self.runtime.block_on(self.past.next())?;
        let row = |(version, text): (VersionId, String)| (0, Ok((version.to_string(), text)));
        let rows: Vec<_> = texts.into_iter().map(row).collect();
        Ok((!rows.is_empty()).then_some(Batch::Rows(rows)))
    }
}

fn judge(
    before: &Classifier,
    after: &Classifier,
    batch: &Batch,
    format: Format,
    fields: &Fields,
) -> Tally {
    let mut tally = Tally::default();
    let mut records = Vec::new();
    batch.for_each(format, fields, |record| {
        tally.records += 1;
        match record {
            Ok(record) => records.push(record),
            Err(_) => tally.malformed += 1,
        }
    });
    let texts: Vec<_> = records.iter().map(|record| (&*record.id, &*record.text)).collect();
    tally.compare_all(before, after, &texts);
    tally
}

fn shown(all: &Tally, before: &Classifier, after: &Classifier) -> String {
    let mut out = format!(
        "Ordlista före: {}\nOrdlista efter: {}\n{} kommentarer; till kön före: {}, efter: {}.\n",
        before.version(),
        after.version(),
        all.records,
        all.queued.0,
        all.queued.1
    );
    if all.changes.is_empty() {
        out.push_str("Ingenting ändras.\n");
    }
    for ((category, change), (n, texts)) in &all.changes {
        out.push_str(&format!("\n{}, {}: {n}\n", category.label(), change.label()));
        for Sample { id, rules, text } in texts {
            out.push_str(&format!("  {id} [{}] {text}\n", rules.join(", ")));
        }
    }
    if !all.shadows.is_empty() {
        out.push_str("\nRegler i skugga, träffade kommentarer:\n");
        for (rule, n) in &all.shadows {
            out.push_str(&format!("  {rule}: {n}\n"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_hold_no_personal_data() {
        let classifier = Classifier::built_in();
        let empty = Classifier::new(crate::classify::lexicon::Lexicon::compile(&[]));
        let text = "Din jävla idiot, ring 070-174 06 05 eller kim snabel-a exempel punkt se";
        let line = serde_json::json!({ "id": "1", "text": text }).to_string();
        let fields = Fields { id: "id".into(), text: vec!["text".into()] };
        let mut batches =
            Batches::new(std::io::Cursor::new(line), Format::JsonLines, &fields).unwrap();
        let batch = batches.next_batch().unwrap().unwrap();
        let tally = judge(&empty, &classifier, &batch, Format::JsonLines, &fields);
        let shown = shown(&tally, &empty, &classifier);
        assert!(shown.contains("Din jävla idiot, ring 070 *** ** ** eller ***"), "{shown}");
    }
}
