//! `uppsikt lexicon contribution`: what each file and group of rules brings, so that nothing is
//! padding.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::classify::lexicon::part::LexiconPart;
use crate::classify::lexicon::{Lexicon, Source};
use crate::classify::parallel;
use crate::classify::suite::{Asked, Labelled};
use crate::classify::{Classifier, Context, Scratch};

/// Visar vad varje fil och regelgrupp ger: hur många bedömda kommentarer som är rätt tack vare den.
#[derive(Clone, Debug, PartialEq, clap::Args)]
pub struct Args {
    /// Filer med bedömda kommentarer, en per rad som JSON: text, expect, severity, function.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Bara delar vars namn innehåller detta.
    #[arg(long)]
    pub part: Option<String>,
    /// Antal trådar.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
}

/// How many comments of each task a lexicon judges right, in the order of [`Asked::ALL`], and in
/// how many its verdict is another than that of the whole.
#[derive(Clone, Copy, Default)]
struct Tally {
    right: [i64; Asked::ALL.len()],
    other: usize,
}

/// Tries the lexicon with each part left out, and writes a table.
///
/// # Errors
/// A file cannot be read or holds something else; the table cannot be written.
pub fn run(
    args: &Args,
    sources: &[Source],
    whole: &Classifier,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let comments = read(&args.files)?;
    let parts = LexiconPart::all(whole.lexicon()).into_iter();
    let wanted =
        |p: &LexiconPart| args.part.as_ref().is_none_or(|n| p.label().contains(n.as_str()));
    let mut parts: Vec<_> = parts.filter(wanted).collect();
    let (of_whole, verdicts) = judge(whole, &comments, None);
    let [find, leave, route] = Asked::ALL.map(|asked| {
        let n = comments.iter().filter(|c| c.asked() == asked).count();
        format!("{} av {n}", of_whole.right[asked as usize])
    });
    writeln!(out, "Allt tillsammans: {find} hittade, {leave} lämnade i fred, {route} slussade.")?;
    writeln!(
        out,
        "Vad varje del ger (så många fler rätt än utan den), och i hur många kommentarer den ändrar något:"
    )?;
    writeln!(out, "del\thittade\tlämnade\tslussade\tändrar")?;
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok());
    let threads = threads.unwrap_or(NonZeroUsize::MIN);
    let without = |part: LexiconPart| {
        let classifier = Classifier::new(Lexicon::compile_without(sources, Some(&part)));
        (part, judge(&classifier, &comments, Some(&verdicts)).0)
    };
    let mut left = parts.drain(..);
    parallel::ordered(
        threads,
        || Ok::<_, std::io::Error>(left.next()),
        without,
        |(part, tally)| {
            let gained = std::array::from_fn::<_, 3, _>(|i| of_whole.right[i] - tally.right[i]);
            let [find, leave, route] = gained;
            writeln!(out, "{}\t{find:+}\t{leave:+}\t{route:+}\t{}", part.label(), tally.other)?;
            out.flush()
        },
    )?;
    Ok(())
}

/// What a verdict comes to: category and severity of each finding.
type Short = Vec<(&'static str, &'static str)>;

fn judge(
    classifier: &Classifier,
    comments: &[Labelled],
    whole: Option<&[Short]>,
) -> (Tally, Vec<Short>) {
    let mut scratch = Scratch::default();
    let mut tally = Tally::default();
    let mut shorts = Vec::with_capacity(comments.len());
    for (n, comment) in comments.iter().enumerate() {
        let verdict = classifier.classify_with(&mut scratch, &comment.text, &Context::default());
        tally.right[comment.asked() as usize] += i64::from(comment.passes(&verdict));
        let mut short: Short =
            verdict.findings.iter().map(|f| (f.category.id(), f.severity.id())).collect();
        short.sort_unstable();
        short.dedup();
        tally.other += usize::from(whole.is_some_and(|whole| whole[n] != short));
        shorts.push(short);
    }
    (tally, shorts)
}

fn read(files: &[PathBuf]) -> anyhow::Result<Vec<Labelled>> {
    let mut comments = Vec::new();
    for path in files {
        comments.extend(read_one(path)?);
    }
    Ok(comments)
}

fn read_one(path: &Path) -> anyhow::Result<Vec<Labelled>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("Kan inte läsa {shown}"))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(n, line): (usize, &str)| {
        let comment = serde_json::from_str(line);
        comment.with_context(|| format!("{shown}:{}: raden är ingen bedömd kommentar", n + 1))
    };
    lines.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
category = "profanity"
legal = "prov"

[[words]]
id = "prov.ett"
severity = "medium"
why = "Ordet är fult."
lexemes = ["blaj x"]
examples = ["vilket blaj", "blaj", "ja blaj"]
counterexamples = ["blå", "bla", "hej"]
"#;

    fn sources() -> Vec<Source> {
        let mut sources = crate::classify::lexicon::built_in::sources();
        sources.retain(|s| s.name == "sv/guards.toml" || s.name == "sv/common.toml");
        sources.push(Source { name: "sv/prov.toml".into(), text: FILE.into() });
        sources.push(Source {
            name: "sv/prov2.toml".into(),
            text: FILE.replace("prov.ett", "annat.två").replace("blaj", "trams"),
        });
        sources
    }

    #[test]
    fn a_part_that_alone_finds_a_comment_is_told_to_bring_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let suite = folder.path().join("suite.jsonl");
        let lines = [
            r#"{"text":"vilket blaj","expect":["profanity"],"severity":"medium","function":"profanity/x"}"#,
            r#"{"text":"vilket trams","expect":[],"severity":"none","function":"general/chat"}"#,
        ];
        std::fs::write(&suite, lines.join("\n")).expect("written");
        let sources = sources();
        let whole = Classifier::new(Lexicon::compile(&sources));
        let args = Args { files: vec![suite], part: None, threads: None };
        let mut out = Vec::new();
        run(&args, &sources, &whole, &mut out).expect("a table");
        let told = String::from_utf8(out).expect("text");
        for line in [
            "Allt tillsammans: 1 av 1 hittade, 0 av 1 lämnade i fred, 0 av 0 slussade.",
            "sv/prov.toml\t+1\t+0\t+0\t1",
            "sv/prov2.toml\t+0\t-1\t+0\t1",
            "prov\t+1\t+0\t+0\t1",
            "annat\t+0\t-1\t+0\t1",
        ] {
            assert!(told.lines().any(|l| l == line), "{line} is not in\n{told}");
        }
    }

    #[test]
    fn a_line_that_is_no_labelled_comment_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let suite = folder.path().join("suite.jsonl");
        std::fs::write(&suite, "{\"text\":\"hej\"}\n{\"text\":1}").expect("written");
        let error = read_one(&suite).expect_err("the second line is broken");
        assert!(error.to_string().ends_with("suite.jsonl:2: raden är ingen bedömd kommentar"));
    }
}
