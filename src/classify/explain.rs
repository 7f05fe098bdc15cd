//! Why one text is or is not flagged, in words for rule authors.

use std::fmt::Write as _;

use crate::classify::findings::Lowered;
use crate::classify::language;
use crate::classify::rules::Stopped;
use crate::classify::tokens::Kind;
use crate::classify::trace::Traced;
use crate::classify::{Classifier, Scratch};
use crate::domain::category::Severity;
use crate::domain::text::{is_hidden, mark};

/// The whole explanation as text.
pub fn explain(classifier: &Classifier, text: &str) -> String {
    let mut scratch = Scratch::default();
    let Traced { verdict, near, weighings, lowered } = classifier.trace(&mut scratch, text);
    let lexicon = classifier.lexicon();
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "Läst som: {}", shown(&String::from_utf8_lossy(scratch.folded.bytes())));
    let _ = writeln!(out, "Språk: {}", spoken(text));
    let _ = writeln!(out, "Ordlista: {}", classifier.version());
    let _ = writeln!(out, "\nOrd:");
    for token in &scratch.tokens.tokens {
        let span = scratch.folded.original(token.start, token.end);
        let classes: Vec<String> = lexicon
            .words
            .classes_of(token.entry)
            .iter()
            .map(|c| lexicon.class_names[c.0 as usize].as_str())
            .map(|n| {
                n.strip_prefix('=').map_or_else(|| format!("@{n}"), |word| format!("”{word}”"))
            })
            .collect();
        if classes.is_empty() && token.kind == Kind::Word {
            continue;
        }
        let word = shown(&text[span.start as usize..span.end as usize]);
        let note = match (token.disguised, token.quoted) {
            (true, true) => ", dold skrivning, citerat",
            (true, false) => ", dold skrivning",
            (false, true) => ", citerat",
            (false, false) => "",
        };
        let _ = writeln!(out, "  {word} ({}{note}) {}", kind(token.kind), classes.join(" "));
    }
    let _ = writeln!(out, "\nTräffar:");
    if verdict.findings.is_empty() {
        let _ = writeln!(out, "  inga");
    }
    for f in &verdict.findings {
        let words: Vec<String> =
            f.spans.iter().map(|s| shown(&text[s.start as usize..s.end as usize])).collect();
        let _ = writeln!(
            out,
            "  {} ({}) {}: {}",
            f.category.label(),
            f.severity.label(),
            f.rule,
            words.join(" … ")
        );
        let _ = writeln!(out, "    {} [{}]", f.why, f.legal);
    }
    for Lowered { rule, from, to, sum, belief } in lowered {
        let left = to.map_or("inget", Severity::label);
        let _ = writeln!(
            out,
            "  {rule} säger {} men blir {left}: samlade tecken väger {sum}, tros från {belief}",
            from.label()
        );
    }
    for rule in classifier.shadow_hits(&scratch) {
        let _ = writeln!(out, "  {rule} träffar i skugga: räknas men visas inte");
    }
    if !weighings.is_empty() {
        let _ = writeln!(out, "\nSamlade tecken (hundradelar):");
    }
    for w in weighings {
        let cues: Vec<String> =
            w.cues.iter().map(|(cue, weight)| format!("{} {weight:+}", shown(cue))).collect();
        let _ = writeln!(
            out,
            "  {}: {} (träff från {}): {}",
            w.category.label(),
            w.sum,
            w.threshold,
            cues.join(", ")
        );
    }
    let mut listed = Vec::new();
    for n in near {
        let word = shown(&text[n.at.start as usize..n.at.end as usize]);
        let line = format!("  {} vid ”{word}”: {}", n.rule, why_not(&n.stopped));
        if !verdict.findings.iter().any(|f| f.rule == n.rule) && !listed.contains(&line) {
            listed.push(line);
        }
    }
    if !listed.is_empty() {
        let _ = writeln!(out, "\nNära att slå till:\n{}", listed.join("\n"));
    }
    out
}

/// The language in words; of another than Swedish, that the rules are not written for it.
fn spoken(text: &str) -> String {
    match language::of(text) {
        Some(language) if language.is_read() => language.label().to_owned(),
        Some(language) => format!("annat språk: {}", language.label()),
        None => "okänt".to_owned(),
    }
}

fn shown(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { mark(c) } else { c.to_string() }).collect()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Word => "ord",
        Kind::Number => "tal",
        Kind::Picture => "bild",
        Kind::Address => "webbadress",
        Kind::Mail => "e-postadress",
        Kind::Mention => "omnämnande",
        Kind::Identifier => "nummer",
    }
}

/// What stopped a rule, in Swedish.
pub fn why_not(stopped: &Stopped) -> String {
    match stopped {
        Stopped::Incomplete => "resten av mönstret står inte där".into(),
        Stopped::Except => "ingår i ett uttryck som regeln undantar".into(),
        Stopped::Unless => "ett ord i meningen talar emot".into(),
        Stopped::Requires => "ett ord som regeln kräver saknas i meningen".into(),
        Stopped::UnlessText => "ett ord på annat ställe i texten talar emot".into(),
        Stopped::RequiresText => "ett ord som regeln kräver saknas i texten".into(),
        Stopped::Guard(guard) => format!("spärren {} gäller", guard),
    }
}
