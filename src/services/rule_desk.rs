//! Own rules compiled and tried beside the daemon: in a process of the same program that ends with its answer, so
//! that the daemon never holds two compiled lexicons longer than it takes to put one in the other's place.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::classify::Classifier;
use crate::classify::compare::{Change, Sample, Tally};
use crate::classify::lexicon::complaint::Complaint;
use crate::classify::lexicon::overlay::{OWN, with_own};
use crate::classify::lexicon::trial::{self, Failed};
use crate::classify::lexicon::{Example, Lexicon, Source, built_in, lint};
use crate::domain::category::{Category, Severity};

use super::ServiceError;
use super::lexicons;
use super::past::Recent;

/// How long examining may take in all; what has not ended by then is ended.
const LONGEST: Duration = Duration::from_secs(90);
/// How long stored texts are handed over to be compared.
const COMPARED_FOR: Duration = Duration::from_secs(15);
/// How many samples are kept of one kind.
const SAMPLES: usize = 5;
/// How many texts are compared at a time.
const AT_ONCE: usize = 64;

/// Something to be done beside the daemon.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Job {
    /// Looks at rules before they are published: what is wrong, what their examples say, and what they would say of
    /// the texts that follow.
    Look {
        /// The own rules in force.
        before: String,
        /// Those looked at.
        after: String,
        /// Where the compiled form of those in force is kept.
        kept: Option<PathBuf>,
    },
    /// Compiles rules and keeps their compiled form, for the daemon to take in.
    Keep {
        /// The own rules.
        own: String,
        /// Where.
        kept: PathBuf,
    },
}

/// What is wrong, or is not what was meant: file, line, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// What and how, in Swedish.
    pub what: String,
}

impl From<Complaint> for Told {
    fn from(Complaint { file, line, what, mend }: Complaint) -> Self {
        Self { file, line, what: format!("{what}. {mend}.") }
    }
}

/// What two lexicons say of the same texts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Compared {
    /// How many texts were read.
    pub texts: u64,
    /// How many of them come before a person, before and after.
    pub queued: (u64, u64),
    /// What changes: how often, with samples.
    pub changes: Vec<(Category, Change, u64, Vec<Sample>)>,
}

/// What became of a job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// What must be mended first; nothing else was tried then.
    pub faults: Vec<Told>,
    /// What is understood, but cannot be meant.
    pub warnings: Vec<Told>,
    /// How many examples were tried.
    pub n_examples: usize,
    /// Those that did not come out as they should.
    pub failed: Vec<Failed>,
    /// What would change.
    pub compared: Compared,
    /// Built-in rules about somebody's life that would find less.
    pub weakened: Vec<Weakened>,
    /// Whether the compiled form was kept.
    pub kept: bool,
}

/// A built-in rule that finds cries for help or threats to somebody's life, and would find less than it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weakened {
    /// The rule.
    pub rule: String,
    /// What becomes of it, in Swedish.
    pub what: String,
}

/// Where jobs are done.
#[derive(Clone, Debug)]
pub enum Bench {
    /// In this process, over these sources: for trials.
    Here(fn() -> Vec<Source>),
    /// In a process of this program.
    Child(PathBuf),
}

impl Bench {
    /// A process of the program that runs now, also where its file has been replaced since.
    pub fn of_this_program() -> Self {
        let running = PathBuf::from("/proc/self/exe");
        match running.exists() {
            true => Self::Child(running),
            false => Self::Child(std::env::current_exe().unwrap_or_else(|_| "uppsikt".into())),
        }
    }

    /// The sources that own rules are laid over.
    pub fn base(&self) -> Vec<Source> {
        match self {
            Self::Here(base) => base(),
            Self::Child(_) => built_in::sources(),
        }
    }

    /// Does a job. Whoever looks reads what `texts` gives.
    ///
    /// # Errors
    /// [`ServiceError`] where the process could not be started or ended without an answer.
    pub async fn run(&self, job: Job, texts: Option<&mut Recent>) -> Result<Report, ServiceError> {
        match self {
            Self::Here(base) => {
                let mut all = Vec::new();
                if let Some(texts) = texts {
                    loop {
                        match texts.next().await? {
                            some if some.is_empty() => break,
                            some => all.extend(some),
                        }
                    }
                }
                let base = *base;
                tokio::task::spawn_blocking(move || done(&job, base(), all.into_iter()))
                    .await
                    .map_err(|e| ServiceError::broken("trying the rules", e))
            }
            Self::Child(program) => {
                match tokio::time::timeout(LONGEST, in_child(program, &job, texts)).await {
                    Ok(done) => done,
                    Err(_elapsed) => Err(ServiceError::Refused {
                        why: "Reglerna tog för lång tid att pröva. Inget är publicerat. Ta bort det som gör dem stora, eller försök igen när servern har mindre att göra.".into(),
                    }),
                }
            }
        }
    }
}

async fn in_child(
    program: &Path,
    job: &Job,
    texts: Option<&mut Recent>,
) -> Result<Report, ServiceError> {
    let broken = |e: io::Error| ServiceError::broken("trying the rules", e);
    let mut child = Command::new(program)
        .args(["lexicon", "examine"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(broken)?;
    let mut to = child.stdin.take().ok_or_else(|| broken(io::ErrorKind::BrokenPipe.into()))?;
    let feeding = async {
        to.write_all(line(job).map_err(broken)?.as_bytes()).await.map_err(broken)?;
        let Some(texts) = texts else { return Ok(()) };
        loop {
            let some = texts.next().await?;
            let mut lines = String::new();
            for text in &some {
                lines.push_str(&line(text).map_err(broken)?);
            }
            // Whoever has found a fault reads no texts.
            if some.is_empty() || to.write_all(lines.as_bytes()).await.is_err() {
                return Ok(());
            }
        }
    };
    // What was handed over when the time is out is the sample.
    if let Ok(Err(error)) = tokio::time::timeout(COMPARED_FOR, feeding).await {
        return Err(error);
    }
    drop(to);
    let said = child.wait_with_output().await.map_err(broken)?;
    serde_json::from_slice(&said.stdout).map_err(|e| ServiceError::broken("trying the rules", e))
}

fn line(value: &impl Serialize) -> io::Result<String> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    Ok(line)
}

/// The process's side: a job on the first line, texts on those that follow, the answer at the end.
///
/// # Errors
/// [`io::Error`] where the job cannot be read or the answer not be written.
pub fn serve(from: impl BufRead, mut to: impl Write) -> io::Result<()> {
    let mut lines = from.lines();
    let job = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    let job: Job = serde_json::from_str(&job)?;
    // The last one is cut where the time was out.
    let texts = lines.map_while(|line| serde_json::from_str(&line.ok()?).ok());
    let report = done(&job, built_in::sources(), texts);
    serde_json::to_writer(&mut to, &report)?;
    to.flush()
}

fn done(job: &Job, base: Vec<Source>, texts: impl Iterator<Item = (String, String)>) -> Report {
    match job {
        Job::Keep { own, kept } => {
            Report { kept: lexicons::keep(&with_own(base, own), kept), ..Report::default() }
        }
        Job::Look { before, after, kept } => look(base, before, after, kept.as_deref(), texts),
    }
}

fn look(
    base: Vec<Source>,
    before: &str,
    after: &str,
    kept: Option<&Path>,
    mut texts: impl Iterator<Item = (String, String)>,
) -> Report {
    let grave = grave_rules(&base);
    let sources = with_own(base.clone(), after);
    let lexicon = Lexicon::compile(&sources);
    let mut report = Report::default();
    if !lexicon.complaints.is_empty() {
        report.faults = faults(lexicon.complaints);
        return report;
    }
    report.weakened = weakened(&grave, &lexicon);
    let new = Classifier::new(lexicon);
    report.warnings = lint::warnings(&sources, &new).into_iter().map(Told::from).collect();
    (report.n_examples, report.failed) = trial::run(&new);
    // An example of such a rule that is missed is a person who is missed.
    let missed = |failed: &&Failed| failed.should_hit && grave.contains_key(&failed.rule);
    for failed in report.failed.iter().filter(missed) {
        if !report.weakened.iter().any(|one| one.rule == failed.rule) {
            let what = format!("hittar inte längre ”{}”", failed.text);
            report.weakened.push(Weakened { rule: failed.rule.clone(), what });
        }
    }
    // The same of examples that the rule had as it is built in, and that went with what replaced it.
    for (rule, Grave { examples, .. }) in &grave {
        let known = report.weakened.iter().any(|one| one.rule == *rule);
        let kept = &new.lexicon().examples;
        let of_it = |e: &&Example| *new.lexicon().rules[e.rule as usize].id == **rule && e.hits;
        let kept: BTreeSet<&str> = kept.iter().filter(of_it).map(|e| e.text.as_str()).collect();
        let mut gone = examples.clone();
        gone.retain(|text| !kept.contains(text.as_str()));
        if let Some(text) = trial::missed(&new, rule, &gone).first().filter(|_| !known) {
            let what = format!("hittar inte längre ”{text}”");
            report.weakened.push(Weakened { rule: rule.clone(), what });
        }
    }
    // What keeps forbidden content from being copied misses nothing that it found.
    let marked: BTreeSet<&str> = new
        .lexicon()
        .rules
        .iter()
        .filter(|rule| rule.mark.is_some())
        .map(|rule| &*rule.id)
        .collect();
    let (held, failed): (Vec<_>, Vec<_>) = std::mem::take(&mut report.failed)
        .into_iter()
        .partition(|failed| marked.contains(failed.rule.as_str()) && failed.file != OWN);
    report.failed = failed;
    report.faults.extend(held.into_iter().map(|Failed { file, line, rule, text, .. }| Told {
        file,
        line,
        what: format!("Exemplet ”{text}” kommer inte ut som det ska. Regeln {rule} hindrar att sådant som inte får innehas kopieras, och får inte ändras"),
    }));
    let old = lexicons::classifier(&with_own(base, before), kept);
    let mut all = Tally::default();
    loop {
        let batch: Vec<_> = texts.by_ref().take(AT_ONCE).collect();
        if batch.is_empty() {
            break;
        }
        let batch: Vec<_> = batch.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
        let mut tally = Tally { records: batch.len() as u64, ..Tally::default() };
        tally.compare_all(&old, &new, &batch);
        all.add(tally, SAMPLES);
    }
    let changes = all.changes.into_iter();
    report.compared = Compared {
        texts: all.records,
        queued: all.queued,
        changes: changes
            .map(|((category, change), (n, some))| (category, change, n, some))
            .collect(),
    };
    report
}

/// A built-in rule that finds cries for help or threats to somebody's life.
struct Grave {
    category: Category,
    severity: Severity,
    /// Texts that it finds.
    examples: Vec<String>,
}

/// The rules that find cries for help and threats to somebody's life, by name.
fn grave_rules(sources: &[Source]) -> BTreeMap<String, Grave> {
    let lexicon = Lexicon::compile(sources);
    let shown = lexicon.rules.iter().filter(|rule| !rule.shadow && !rule.patterns.is_empty());
    let grave = shown.filter(|rule| {
        rule.severity == Severity::High
            && matches!(rule.category, Category::Threat | Category::Case)
            || rule.mark.is_some()
    });
    let mut grave: BTreeMap<_, _> = grave
        .map(|rule| {
            let (category, severity) = (rule.category, rule.severity);
            (rule.id.to_string(), Grave { category, severity, examples: Vec::new() })
        })
        .collect();
    for example in lexicon.examples.iter().filter(|example| example.hits) {
        let rule = &lexicon.rules[example.rule as usize];
        if let Some(known) = grave.get_mut(&*rule.id) {
            known.examples.push(example.text.clone());
        }
    }
    grave
}

/// Which of them a lexicon has turned off, counts in shadow, calls less grave or something else.
fn weakened(grave: &BTreeMap<String, Grave>, after: &Lexicon) -> Vec<Weakened> {
    let told = grave.iter().filter_map(|(id, before)| {
        let what = match after.rules.iter().find(|rule| *rule.id == **id) {
            None => "finns inte längre".to_owned(),
            Some(rule) if rule.patterns.is_empty() => "är avstängd".to_owned(),
            Some(rule) if rule.shadow => "räknas bara, och visas för ingen".to_owned(),
            Some(rule) if rule.severity < before.severity => {
                format!("blir {} i stället för {}", rule.severity.label(), before.severity.label())
            }
            Some(rule) if rule.category != before.category => {
                format!("blir {} i stället för {}", rule.category.label(), before.category.label())
            }
            Some(_) => return None,
        };
        Some(Weakened { rule: id.clone(), what })
    });
    told.collect()
}

/// What was complained of, once each: a word that stands in a class is read with every class that brings it in.
fn faults(mut complaints: Vec<Complaint>) -> Vec<Told> {
    complaints.sort_by_key(|c| (c.file != OWN, c.line));
    let mut told: Vec<Told> = Vec::new();
    for fault in complaints.into_iter().map(Told::from) {
        if !told.iter().any(|known| known.what == fault.what && known.line == fault.line) {
            told.push(fault);
        }
    }
    told
}
