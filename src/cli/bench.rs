//! `uppsikt bench`: how fast the classifier is on a dump, against the base in the same run.
//!
//! The texts are parsed before the clock starts. The whole classifier and the base are run in
//! turns on one thread, a round each; the ratio told is the median of the rounds' own ratios, with
//! their quartiles, so that what else the machine does falls on both. Stages are timed in a run of
//! their own, since the timing itself costs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::classify::baseline;
use crate::classify::dump::{Batches, Fields};
use crate::classify::lanes::Lanes;
use crate::classify::parallel::ordered;
use crate::classify::{Classifier, Context, Scratch};
use crate::cli::classify::{FormatArg, Lexicons, format_of, threads};
use crate::cli::input::open;
use crate::domain::verdict::Verdict;

/// How much text is held in memory for the measurement, in bytes.
const MOST_TEXT: usize = 400_000_000;

/// Mäter hur snabbt klassificeraren arbetar på en samling kommentarer.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Filen som ska läsas (även .gz och .zst).
    pub file: PathBuf,
    /// Hur filen är skriven.
    #[arg(long, value_enum)]
    pub format: Option<FormatArg>,
    /// Fältet med texten. Flera skrivs med komma emellan; det första med text i gäller. Med plus emellan
    /// läses flera som en text.
    #[arg(long, value_delimiter = ',', default_value = "text,body,title+selftext")]
    pub text_field: Vec<String>,
    /// Antal trådar för mätningen med flera; annars så många som datorn har.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Antal varv.
    #[arg(long, default_value = "3")]
    pub rounds: NonZeroUsize,
    /// Skriv resultatet som JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    lexicons: Lexicons,
}

/// Everything measured.
#[derive(Debug, serde::Serialize)]
struct Report {
    records: usize,
    bytes: usize,
    load_ms: f64,
    records_per_s: f64,
    mb_per_s: f64,
    base_mb_per_s: f64,
    times_base: f64,
    /// The lower and the upper quartile of that.
    times_base_quartiles: [f64; 2],
    threads: usize,
    threads_mb_per_s: f64,
    stage_share: BTreeMap<&'static str, f64>,
    p50_us: f64,
    p99_us: f64,
    max_us: f64,
    peak_memory_mb: Option<f64>,
    labels: BTreeMap<String, usize>,
    flagged: usize,
}

/// Runs the command.
///
/// # Errors
/// The dump cannot be read or holds no text.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let classifier = args.lexicons.load()?;
    let load_ms = started.elapsed().as_secs_f64() * 1e3;
    let texts = read(args)?;
    anyhow::ensure!(!texts.is_empty(), "{} innehåller inga texter", args.file.display());
    let report = measure(&classifier, &texts, load_ms, args);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", json!(report))?;
    } else {
        write!(out, "{}", in_words(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(args: &Args) -> anyhow::Result<Vec<String>> {
    let format = format_of(args.format, &args.file);
    let fields = Fields { id: "id".to_owned(), text: args.text_field.clone() };
    let input = open(&args.file)?;
    let broken = input.broken.clone();
    let mut batches = Batches::new(input.reader, format, &fields)?;
    let mut texts = Vec::new();
    let (mut size, mut skipped) = (0, 0);
    while let Some(batch) = batches.next_batch()? {
        batch.for_each(format, &fields, |record| match record {
            Ok(record) => {
                size += record.text.len();
                texts.push(record.text.into_owned());
            }
            Err(_) => skipped += 1,
        });
        if size > MOST_TEXT {
            eprintln!("Mätningen använder de första {} MB text.", size / 1_000_000);
            break;
        }
    }
    if let Some(what) = broken.complaint() {
        eprintln!("{what}");
    }
    if skipped > 0 {
        eprintln!("{skipped} poster kunde inte läsas och mäts inte.");
    }
    Ok(texts)
}

fn measure(classifier: &Classifier, texts: &[String], load_ms: f64, args: &Args) -> Report {
    let bytes: usize = texts.iter().map(String::len).sum();
    let mb = bytes as f64 / 1e6;
    let mut scratch = Scratch::default();
    let mut labels = BTreeMap::new();
    let mut flagged = 0;
    for text in texts {
        let verdict = classifier.classify_with(&mut scratch, text, &Context::default());
        flagged += usize::from(!verdict.findings.is_empty());
        for f in &verdict.findings {
            *labels.entry(format!("{}/{}", f.category, f.severity.id())).or_default() += 1;
        }
    }
    let automaton = baseline::automaton();
    let mut lanes = Lanes::default();
    let (mut whole, mut base, mut many) = (Vec::new(), Vec::new(), Vec::new());
    let n_threads = threads(args.threads);
    for _ in 0..args.rounds.get() {
        base.push(timed(|| texts.iter().map(|t| baseline::count(&automaton, t)).sum::<usize>()));
        whole.push(timed(|| {
            let mut n_findings = 0;
            let count = |_: &Scratch, verdict: Verdict| n_findings += verdict.findings.len();
            classifier.classify_all(&mut lanes, texts.iter().map(String::as_str), count);
            n_findings
        }));
        many.push(timed(|| on_threads(classifier, texts, n_threads)));
    }
    let latencies = latencies(classifier, &mut scratch, texts);
    let at =
        |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    let mut ratios: Vec<f64> = base.iter().zip(&whole).map(|(base, whole)| base / whole).collect();
    ratios.sort_by(f64::total_cmp);
    let quartile = |share: f64| ratios[((ratios.len() - 1) as f64 * share).round() as usize];
    let times_base_quartiles = [quartile(0.25), quartile(0.75)];
    let times_base = quartile(0.5);
    let (whole, base, many) = (median(whole), median(base), median(many));
    Report {
        records: texts.len(),
        bytes,
        load_ms,
        records_per_s: texts.len() as f64 / whole,
        mb_per_s: mb / whole,
        base_mb_per_s: mb / base,
        times_base,
        times_base_quartiles,
        threads: n_threads.get(),
        threads_mb_per_s: mb / many,
        stage_share: stages(classifier, &mut scratch, texts),
        p50_us: at(0.5),
        p99_us: at(0.99),
        max_us: at(1.0),
        peak_memory_mb: peak_memory_mb(),
        labels,
        flagged,
    }
}

/// Seconds that `work` takes. The sum it gives keeps the work from being left out.
fn timed(work: impl FnOnce() -> usize) -> f64 {
    let started = Instant::now();
    std::hint::black_box(work());
    started.elapsed().as_secs_f64().max(1e-9)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn on_threads(classifier: &Classifier, texts: &[String], threads: NonZeroUsize) -> usize {
    let mut batches = texts.chunks(2_000);
    let mut sum = 0;
    let outcome: Result<(), std::convert::Infallible> = ordered(
        threads,
        || Ok(batches.next()),
        |batch| {
            // With the thread's own buffers, which outlive the batch.
            let verdicts = classifier.classify_each(batch.iter().map(String::as_str));
            verdicts.iter().map(|verdict| verdict.findings.len()).sum::<usize>()
        },
        |n| {
            sum += n;
            Ok(())
        },
    );
    match outcome {
        Ok(()) => sum,
    }
}

fn latencies(classifier: &Classifier, scratch: &mut Scratch, texts: &[String]) -> Vec<Duration> {
    let mut all: Vec<Duration> = texts
        .iter()
        .map(|t| {
            let started = Instant::now();
            std::hint::black_box(classifier.classify_with(scratch, t, &Context::default()));
            started.elapsed()
        })
        .collect();
    all.sort_unstable();
    all
}

fn stages(
    classifier: &Classifier,
    scratch: &mut Scratch,
    texts: &[String],
) -> BTreeMap<&'static str, f64> {
    let mut spent = [0.0; 5];
    for text in texts {
        let t0 = Instant::now();
        classifier.fold(scratch, text);
        let t1 = Instant::now();
        classifier.cut(scratch);
        let t2 = Instant::now();
        classifier.repair(scratch, text);
        let t3 = Instant::now();
        classifier.find_numbers(scratch, text);
        let t4 = Instant::now();
        classifier.match_rules(scratch, text, None);
        let t5 = Instant::now();
        for (i, d) in [t1 - t0, t2 - t1, t3 - t2, t4 - t3, t5 - t4].into_iter().enumerate() {
            spent[i] += d.as_secs_f64();
        }
    }
    let sum: f64 = spent.iter().sum();
    ["fold", "cut_and_look_up", "repair", "numbers", "rules"]
        .into_iter()
        .zip(spent.map(|s| s / sum))
        .collect()
}

/// The most memory the process has held, where the system says (Linux: `VmHWM`).
fn peak_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kb: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kb / 1e3)
}

fn in_words(r: &Report) -> String {
    let mut out = format!(
        "{} poster, {:.1} MB text\n\
         ordlistor lästa på      {:.0} ms\n\
         en tråd                 {:.1} MB/s, {:.0} poster/s\n\
         grundmåttet             {:.1} MB/s (aho-corasick, {} ord)\n\
         mot grundmåttet         {:.3} (kvartiler {:.3} och {:.3})\n\
         {} trådar                {:.1} MB/s ({:.2} gånger en tråd)\n\
         per post                p50 {:.1} µs, p99 {:.1} µs, längst {:.0} µs\n",
        r.records,
        r.bytes as f64 / 1e6,
        r.load_ms,
        r.mb_per_s,
        r.records_per_s,
        r.base_mb_per_s,
        baseline::N_WORDS,
        r.times_base,
        r.times_base_quartiles[0],
        r.times_base_quartiles[1],
        r.threads,
        r.threads_mb_per_s,
        r.threads_mb_per_s / r.mb_per_s,
        r.p50_us,
        r.p99_us,
        r.max_us,
    );
    for (stage, share) in &r.stage_share {
        out.push_str(&format!("  {stage:22}{:.0} %\n", share * 100.0));
    }
    if let Some(mb) = r.peak_memory_mb {
        out.push_str(&format!("minne som mest          {mb:.0} MB (texterna inräknade)\n"));
    }
    out.push_str(&format!("poster med träff        {}\n", r.flagged));
    for (label, n) in &r.labels {
        out.push_str(&format!("  {label:22}{n}\n"));
    }
    out
}
