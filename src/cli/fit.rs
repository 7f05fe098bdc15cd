//! `uppsikt lexicon fit`: weights and thresholds from labelled comments.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Deserialize;

use crate::classify::cues::fit::{Sample, Settings, fit, small};
use crate::classify::cues::table::{LANES, Row, WEIGHED, lane, write_row};
use crate::classify::cues::thresholds::{BESIDE_ANOTHER, Costs, Judged, choose};
use crate::classify::{Classifier, Scratch};
use crate::domain::category::{Category, Severity, Task};
use crate::domain::verdict::Verdict;

/// Räknar fram vikter och gränser ur kommentarer som människor har bedömt.
#[derive(Clone, Debug, PartialEq, clap::Args)]
pub struct Args {
    /// Filer med bedömda kommentarer, en per rad som JSON: text, expect, severity.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Filer som regler har skrivits efter: deras regelträffar lärs inte, och de sätter inga gränser.
    #[arg(long = "seen")]
    pub seen: Vec<PathBuf>,
    /// Filer med harmlösa texter, en JSON-rad med text per text: allt som hittas där är fel.
    #[arg(long = "harmless")]
    pub harmless: Vec<PathBuf>,
    /// Lär också av reglernas egna exempel och motexempel, så mycket mot en kommentar; 0 är inte alls.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub examples: f64,
    /// Vad ett fel kostar mot en stor vikt.
    #[arg(long, default_value_t = Settings::default().cost, value_parser = cost)]
    pub cost: f64,
    /// I hur många kommentarer ett tecken måste stå.
    #[arg(long, default_value_t = Settings::default().fewest)]
    pub fewest: u32,
    /// Minsta vikt som behålls, i hundradelar.
    #[arg(long, default_value_t = Settings::default().least)]
    pub least: i16,
    /// Vad ett falsklarm kostar mot en träff.
    #[arg(long, default_value_t = Costs::default().finding)]
    pub alarm: f64,
    /// Vad ett falsklarm kostar när en regel står bakom det.
    #[arg(long, default_value_t = Costs::default().doubt)]
    pub doubt: f64,
    /// Detsamma när regeln säger att det är grovt.
    #[arg(long, default_value_t = Costs::default().grave)]
    pub grave: f64,
    /// Var vikterna ska skrivas.
    #[arg(long, default_value = "lexicons/cues/weights.tsv")]
    pub out: PathBuf,
}

fn cost(written: &str) -> Result<f64, String> {
    let cost = written.parse().ok().filter(|cost| *cost > 0.0 && *cost <= 1e6);
    cost.ok_or_else(|| "skriv ett tal över 0 och högst 1000000".to_owned())
}

fn share(written: &str) -> Result<f64, String> {
    let share = written.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "skriv ett tal från 0 till 1".to_owned())
}

#[derive(Deserialize)]
struct Labelled {
    text: String,
    #[serde(default)]
    expect: Vec<Category>,
    #[serde(default)]
    severity: Option<String>,
}

impl Labelled {
    /// What must be found, by category. A note is not a finding, and beside a removal nobody asks
    /// for routing.
    fn found(&self) -> [Option<bool>; LANES] {
        let removal = self.removal();
        let low = self.severity.as_deref() == Some("low");
        let mut found = [Some(false); LANES];
        for (found, category) in found.iter_mut().zip(WEIGHED) {
            *found = match (category.task(), self.expect.iter().position(|c| *c == category)) {
                (Task::Removal, Some(at)) => Some(!(at == 0 && low)),
                (Task::Routing, Some(_)) => Some(true),
                (Task::Routing, None) if removal => None,
                (_, None) => Some(false),
            };
        }
        found
    }

    fn removal(&self) -> bool {
        self.expect.iter().any(|c| c.task() == Task::Removal)
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Labelled>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("Kan inte läsa {}", path.display()))?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| {
            serde_json::from_str(line).with_context(|| {
                format!("{}:{}: raden är ingen bedömd kommentar", path.display(), n + 1)
            })
        })
        .collect()
}

/// What rules say, by category: the gravest.
fn by_rules(verdict: &Verdict) -> [Option<Severity>; LANES] {
    let mut found = [None; LANES];
    for finding in &verdict.findings {
        if let Some(lane) = lane(finding.category) {
            found[lane] = found[lane].max(Some(finding.severity));
        }
    }
    found
}

/// A comment as it is learnt from.
struct Comment {
    /// Its stretches.
    samples: Vec<Sample>,
    /// For the thresholds.
    judged: Option<Ruled>,
}

/// What people and rules say of a comment.
struct Ruled {
    found: [Option<bool>; LANES],
    removal: bool,
    verdict: Verdict,
}

impl Ruled {
    /// With the sums that weights give which were learnt without its author.
    fn judged(&self, sums: [i32; LANES], doubted: &BTreeSet<Arc<str>>) -> Judged {
        let (mut by_rules, mut believed) = ([None; LANES], [false; LANES]);
        for finding in &self.verdict.findings {
            let Some(lane) = lane(finding.category) else { continue };
            if finding.severity == Severity::High && !doubted.contains(&finding.rule) {
                believed[lane] = true;
            } else {
                by_rules[lane] = by_rules[lane].max(Some(finding.severity));
            }
        }
        Judged { found: self.found, removal: self.removal, by_rules, believed, sums }
    }
}

/// How many right findings make up for a wrong one, of a rule that says `high`.
const TRUST: f64 = 12.0;

/// The rules that say `high` and were wrong too often to be believed alone.
fn doubted(comments: &[Comment]) -> BTreeSet<Arc<str>> {
    let mut tally: BTreeMap<&Arc<str>, (f64, f64)> = BTreeMap::new();
    for judged in comments.iter().filter_map(|c| c.judged.as_ref()) {
        let high = judged.verdict.findings.iter().filter(|f| f.severity == Severity::High);
        for finding in high {
            let Some(lane) = lane(finding.category) else { continue };
            let (right, wrong) = tally.entry(&finding.rule).or_default();
            match judged.found[lane] {
                Some(true) => *right += 1.0,
                // Beside something that calls for removal anyhow it costs nobody much.
                Some(false) => *wrong += if judged.removal { BESIDE_ANOTHER } else { 1.0 },
                None => {}
            }
        }
    }
    let wrong = |(right, wrong): &(f64, f64)| *right < TRUST * *wrong;
    tally.into_iter().filter(|(_, t)| wrong(t)).map(|(rule, _)| Arc::clone(rule)).collect()
}

fn read_all(args: &Args, classifier: &Classifier) -> anyhow::Result<Vec<Comment>> {
    let mut scratch = Scratch::default();
    let mut comments = Vec::new();
    let kinds =
        [(&args.files, false, false), (&args.seen, true, false), (&args.harmless, false, true)];
    let paths = kinds
        .iter()
        .flat_map(|(files, seen, harmless)| files.iter().map(|f| (f, *seen, *harmless)));
    for (author, (path, seen, harmless)) in (0..).zip(paths) {
        for (n, comment) in (0..).zip(read(path)?) {
            let mut found = comment.found();
            if harmless {
                // Nobody has said whether they ask for anything.
                for (found, category) in found.iter_mut().zip(WEIGHED) {
                    if category.task() == Task::Routing {
                        *found = None;
                    }
                }
            }
            // Everyday texts have many authors.
            let author = if harmless { n } else { author };
            let samples = samples(classifier, &mut scratch, &comment.text, seen, found, author);
            let judged = (!seen).then(|| Ruled {
                found,
                removal: comment.removal(),
                verdict: classifier.by_rules(&mut scratch, &comment.text),
            });
            comments.push(Comment { samples, judged });
        }
    }
    if args.examples > 0.0 {
        comments.extend(examples(classifier, &mut scratch, args.examples));
    }
    Ok(comments)
}

/// What the rules' own authors say of their examples, so that cues speak for what rules are written
/// for. What is no example of a rule may still be one of another: it counts only where no rule finds
/// anything of the category.
fn examples(classifier: &Classifier, scratch: &mut Scratch, weight: f64) -> Vec<Comment> {
    let lexicon = classifier.lexicon();
    let mut comments = Vec::new();
    for example in &lexicon.examples {
        let rule = &lexicon.rules[example.rule as usize];
        let Some(lane) = lane(rule.category).filter(|_| LEARNT_BY_EXAMPLE.contains(&rule.category))
        else {
            continue;
        };
        let said = by_rules(&classifier.by_rules(scratch, &example.text))[lane];
        let mut found = [None; LANES];
        found[lane] = match example.hits {
            true if rule.severity == Severity::Low => continue,
            true => Some(true),
            false if said.is_none() => Some(false),
            false => continue,
        };
        let author = RULES + example.rule;
        let mut samples = samples(classifier, scratch, &example.text, true, found, author);
        samples.iter_mut().for_each(|s| s.weight = weight);
        comments.push(Comment { samples, judged: None });
    }
    comments
}

/// Of these too much must never be lost for want of comments to learn from.
const LEARNT_BY_EXAMPLE: [Category; 3] = [Category::Threat, Category::Incitement, Category::Hate];

/// From this number on, authors are rules.
const RULES: u32 = 1 << 20;

/// One sample for each stretch of a comment. Which of several stretches a comment was found for,
/// nobody has said; that it is to be left alone holds for each of them.
fn samples(
    classifier: &Classifier,
    scratch: &mut Scratch,
    text: &str,
    seen: bool,
    found: [Option<bool>; LANES],
    author: u32,
) -> Vec<Sample> {
    let stretches = classifier.cues(scratch, text);
    let found = match stretches.len() {
        1 => found,
        _ => found.map(|found| found.filter(|found| !found)),
    };
    let sample = |mut cues: Vec<String>| {
        if seen {
            cues.retain(|c| !c.starts_with('!'));
        }
        Sample { cues, found, author, weight: 1.0 }
    };
    stretches.into_iter().map(sample).collect()
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read or written, or holds a line that is no labelled comment.
pub fn run(args: &Args, classifier: &Classifier) -> anyhow::Result<ExitCode> {
    let comments = read_all(args, classifier)?;
    let samples: Vec<Sample> = comments.iter().flat_map(|c| &c.samples).cloned().collect();
    let settings =
        Settings { cost: args.cost, fewest: args.fewest, least: args.least, ..Settings::default() };
    let fitted = fit(&samples, &settings);
    let doubted = doubted(&comments);
    let mut unseen = fitted.unseen.iter();
    let mut judged = Vec::new();
    for comment in &comments {
        // As the engine does: a comment is found by its worst stretch.
        let mut sums = [i32::MIN; LANES];
        for stretch in unseen.by_ref().take(comment.samples.len()) {
            for (highest, sum) in sums.iter_mut().zip(stretch) {
                *highest = (*highest).max(*sum);
            }
        }
        if let (Some(judge), false) = (&comment.judged, comment.samples.is_empty()) {
            judged.push(judge.judged(sums, &doubted));
        }
    }
    let thresholds =
        choose(&judged, &Costs { finding: args.alarm, doubt: args.doubt, grave: args.grave });
    let mut out = String::from(
        "# Skrivs av uppsikt lexicon fit. Vikter i hundradelar; se lexicons/README.md.\n",
    );
    let starts: Row = fitted.starts.map(small);
    for (name, row) in [
        ("=start", &starts),
        ("=finding", &thresholds.finding),
        ("=sure", &thresholds.sure),
        ("=doubt", &thresholds.doubt),
        ("=grave", &thresholds.grave),
    ] {
        out.push_str(&write_row(name, row));
    }
    for rule in &doubted {
        out.push_str(&write_row(&format!("?{rule}"), &[0; LANES]));
    }
    for (name, row) in &fitted.rows {
        out.push_str(&write_row(name, row));
    }
    // Aside first: a list that is written by halves would be worse than the old one.
    let aside = args.out.with_extension("tsv.ny");
    std::fs::write(&aside, &out)
        .and_then(|()| std::fs::rename(&aside, &args.out))
        .with_context(|| format!("Kan inte skriva {}", args.out.display()))?;
    let mut stdout = std::io::stdout().lock();
    writeln!(
        stdout,
        "{} kommentarer, {} tecken, {} regler betvivlas, {} kB.",
        comments.len(),
        fitted.rows.len(),
        doubted.len(),
        out.len() / 1000
    )?;
    for (lane, category) in WEIGHED.iter().enumerate() {
        writeln!(
            stdout,
            "{category}: träff från {}, säker från {}, tvivel under {}, grovt under {}",
            thresholds.finding[lane],
            thresholds.sure[lane],
            thresholds.doubt[lane],
            thresholds.grave[lane]
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
