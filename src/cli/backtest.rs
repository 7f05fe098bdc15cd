//! `uppsikt backtest`: what another lexicon would have said of comments already judged.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::{ConfigFile, runtime};
use crate::app;
use crate::classify::Classifier;
use crate::classify::dump::{Batch, Batches, Fields, Format};
use crate::classify::lanes::Lanes;
use crate::classify::parallel::ordered;
use crate::cli::classify::{Cache, FormatArg, PARTLY, format_of, threads};
use crate::cli::input::{Progress, open};
use crate::domain::category::{Category, Severity};
use crate::domain::ids::VersionId;
use crate::domain::text::{is_hidden, mark};
use crate::domain::verdict::Verdict;
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

/// What became of one category in one comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Added(Severity),
    Removed(Severity),
    Changed(Severity, Severity),
}

impl Change {
    fn of(before: Option<Severity>, after: Option<Severity>) -> Option<Self> {
        match (before, after) {
            (None, Some(after)) => Some(Self::Added(after)),
            (Some(before), None) => Some(Self::Removed(before)),
            (Some(before), Some(after)) if before != after => Some(Self::Changed(before, after)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    fn label(self) -> String {
        match self {
            Self::Added(after) => format!("tillkommer ({})", after.label()),
            Self::Removed(before) => format!("försvinner ({})", before.label()),
            Self::Changed(before, after) => {
                format!("ändras ({} till {})", before.label(), after.label())
            }
        }
    }
}

/// What was counted; batches are added up in order, so that samples are the first ones.
#[derive(Debug, Default)]
struct Tally {
    records: u64,
    malformed: u64,
    changes: BTreeMap<(Category, Change), (u64, Vec<String>)>,
    /// Comments with a finding that opens a case, before and after.
    queued: (u64, u64),
    shadows: BTreeMap<Arc<str>, u64>,
}

impl Tally {
    fn add(&mut self, other: Self, samples: usize) {
        self.records += other.records;
        self.malformed += other.malformed;
        self.queued.0 += other.queued.0;
        self.queued.1 += other.queued.1;
        for (key, (n, texts)) in other.changes {
            let (all, kept) = self.changes.entry(key).or_default();
            *all += n;
            let room = samples.saturating_sub(kept.len());
            kept.extend(texts.into_iter().take(room));
        }
        for (rule, n) in other.shadows {
            *self.shadows.entry(rule).or_default() += n;
        }
    }

    fn compare(&mut self, before: &Verdict, after: &Verdict, sample: impl Fn(&Verdict) -> String) {
        let gravest = |verdict: &Verdict, category: Category| {
            let of = verdict.findings.iter().filter(|f| f.category == category);
            of.map(|f| f.severity).max()
        };
        self.queued.0 += u64::from(before.findings.iter().any(|f| f.opens_case()));
        self.queued.1 += u64::from(after.findings.iter().any(|f| f.opens_case()));
        if before.findings.is_empty() && after.findings.is_empty() {
            return;
        }
        for category in Category::ALL.iter().copied() {
            let pair = (gravest(before, category), gravest(after, category));
            if let Some(change) = Change::of(pair.0, pair.1) {
                let (n, texts) = self.changes.entry((category, change)).or_default();
                *n += 1;
                if texts.len() < MOST_SAMPLES {
                    texts.push(sample(if pair.1.is_some() { after } else { before }));
                }
            }
        }
    }
}

/// Samples kept of one kind in one batch.
const MOST_SAMPLES: usize = 20;
/// How much of a comment a sample shows, in characters.
const SAMPLE: usize = 160;

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

thread_local! {
    /// The buffers for the lexicon before and for the one after. They outlive the batch, for they
    /// remember the words that were met.
    static LANES: RefCell<[Lanes; 2]> = RefCell::default();
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
    let texts = || records.iter().map(|record| &*record.text);
    let (mut was, mut is) = (Vec::new(), Vec::new());
    LANES.with_borrow_mut(|[old, new]| {
        after.classify_all(new, texts(), |scratch, verdict| {
            for rule in after.shadow_hits(scratch) {
                *tally.shadows.entry(rule).or_default() += 1;
            }
            is.push(verdict);
        });
        // Of the same lexicon nobody asks twice.
        if before.version() != after.version() {
            before.classify_all(old, texts(), |_, verdict| was.push(verdict));
        }
    });
    let was = if before.version() == after.version() { &is } else { &was };
    for ((record, was), is) in records.iter().zip(was).zip(&is) {
        tally.compare(was, is, |verdict| {
            let rules: Vec<&str> = verdict.findings.iter().map(|f| &*f.rule).collect();
            // A sample may be passed on, so it holds no personal data.
            let text = after.masked(&record.text);
            format!("{} [{}] {}", record.id, rules.join(", "), excerpt(&text))
        });
    }
    tally
}

fn excerpt(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(SAMPLE)
        .map(|c| match c {
            '\n' | '\r' | '\t' => " ".to_owned(),
            c if is_hidden(c) => mark(c),
            c => c.to_string(),
        })
        .collect();
    if text.chars().nth(SAMPLE).is_some() {
        out.push('…');
    }
    out
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
        for text in texts {
            out.push_str(&format!("  {text}\n"));
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
    fn what_is_added_removed_and_changed_is_told_apart() {
        use Severity::{High, Low};
        assert_eq!(Change::of(None, Some(High)), Some(Change::Added(High)));
        assert_eq!(Change::of(Some(Low), None), Some(Change::Removed(Low)));
        assert_eq!(Change::of(Some(Low), Some(High)), Some(Change::Changed(Low, High)));
        assert_eq!(Change::of(Some(Low), Some(Low)), None);
        assert_eq!(Change::of(None, None), None);
    }

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

    #[test]
    fn what_another_lexicon_finds_is_counted_with_a_sample() {
        let verdict = |severities: &[Severity]| Verdict {
            lexicon: crate::domain::ids::LexiconVersion::new("x"),
            findings: severities
                .iter()
                .map(|severity| crate::domain::verdict::Finding {
                    category: Category::Profanity,
                    severity: *severity,
                    rule: Arc::from("prov.ord"),
                    spans: Vec::new(),
                    why: Arc::from("Prov."),
                    legal: Arc::from("prov"),
                    mark: None,
                })
                .collect(),
        };
        let mut tally = Tally::default();
        let (none, low, medium) =
            (verdict(&[]), verdict(&[Severity::Low]), verdict(&[Severity::Medium, Severity::Low]));
        tally.compare(&none, &low, |_| "ett".to_owned());
        tally.compare(&low, &medium, |_| "två".to_owned());
        tally.compare(&medium, &medium, |_| "tre".to_owned());
        let kinds: Vec<_> =
            tally.changes.iter().map(|((_, c), (n, s))| (*c, *n, s[0].as_str())).collect();
        assert_eq!(
            kinds,
            [
                (Change::Added(Severity::Low), 1, "ett"),
                (Change::Changed(Severity::Low, Severity::Medium), 1, "två")
            ]
        );
        assert_eq!(tally.queued, (1, 2));
    }
}
