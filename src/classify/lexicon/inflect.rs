//! Swedish inflection: a dictionary form and a paradigm give every form.
//!
//! Paradigms are named as in school grammars: declensions for nouns (`n1` to `n6`), conjugations
//! for verbs (`v1` to `v4`). Strong verbs state their principal parts, since no rule gives them.

/// The paradigm cannot inflect the word; the text says why, in Swedish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannotInflect(pub String);

/// The paradigms with what they are for, as `lexicon check` explains them.
pub const PARADIGMS: &[(&str, &str)] = &[
    ("x", "böjs inte"),
    ("xs", "böjs bara i genitiv: partiet, partiets"),
    ("n1", "flicka, flickan, flickor"),
    ("n2", "hund, hunden, hundar; pojke, pojkar; jävel, jävlar"),
    ("n2m", "som n2 med dubblad slutkonsonant: dumbom, dumbommen, dumbommar"),
    ("n3", "idiot, idioten, idioter"),
    ("n3n", "rektor, rektorn, rektorer"),
    ("n4", "äpple, äpplet, äpplen"),
    ("n5", "svin, svinet, svin, svinen"),
    ("n6", "rånare, rånaren, rånarna"),
    ("nu", "skit, skiten (bara ental, n-ord)"),
    ("nn", "pack, packet (bara ental, t-ord)"),
    ("a1", "fet, fett, feta, fetare, fetast"),
    ("a1m", "dum, dumt, dumma, dummare, dummast"),
    ("a2", "äcklad, äcklat, äcklade"),
    ("a3", "efterbliven, efterblivet, efterblivna"),
    ("v1", "döda, dödar, dödade, dödat, dödad"),
    ("v2", "bränna, bränner, brände, bränt, bränd; köpa, köper, köpte, köpt"),
    ("v3", "spå, spår, spådde, spått"),
    ("v4:presens,preteritum,supinum[,particip]", "skjuta v4:skjuter,sköt,skjutit,skjuten"),
];

/// All forms of `word` by `paradigm`, the dictionary form first, each once.
///
/// # Errors
/// An unknown paradigm, or a word that the paradigm does not fit.
pub fn inflect(word: &str, paradigm: &str) -> Result<Vec<String>, CannotInflect> {
    let (name, parts) = paradigm.split_once(':').unwrap_or((paradigm, ""));
    let mut forms = match name {
        "x" => vec![word.to_owned()],
        "xs" => genitive(vec![word.into()]),
        "n1" => {
            let stem = ending(word, "a", name)?;
            genitive(vec![
                word.into(),
                format!("{word}n"),
                format!("{stem}or"),
                format!("{stem}orna"),
            ])
        }
        "n2" => genitive(second_declension(word)),
        "n2m" => {
            let double = doubled(word);
            genitive(vec![
                word.into(),
                format!("{double}en"),
                format!("{double}ar"),
                format!("{double}arna"),
            ])
        }
        "n3" | "n4" if on_eri(word) => genitive(vec![
            word.into(),
            format!("{word}et"),
            format!("{word}er"),
            format!("{word}erna"),
        ]),
        "n3" => {
            let en = if word.ends_with('e') || word.ends_with("tor") { "n" } else { "en" };
            let stem = word.strip_suffix('e').unwrap_or(word);
            genitive(vec![
                word.into(),
                format!("{word}{en}"),
                format!("{stem}er"),
                format!("{stem}erna"),
            ])
        }
        "n3n" => genitive(vec![
            word.into(),
            format!("{word}n"),
            format!("{word}er"),
            format!("{word}erna"),
        ]),
        "n4" => {
            genitive(vec![word.into(), format!("{word}t"), format!("{word}n"), format!("{word}na")])
        }
        "n5" => {
            let stem = contracted(word).unwrap_or_else(|| with_double_m(word));
            genitive(vec![word.into(), format!("{stem}et"), format!("{stem}en")])
        }
        "n6" => {
            let stem = ending(word, "e", name)?;
            genitive(vec![word.into(), format!("{word}n"), format!("{stem}na")])
        }
        "nu" => {
            let n = if ends_in_vowel(word) { "n" } else { "en" };
            genitive(vec![word.into(), format!("{word}{n}")])
        }
        "nn" => {
            let t = if ends_in_vowel(word) { "t" } else { "et" };
            let stem = with_double_m(word);
            genitive(vec![word.into(), format!("{stem}{t}")])
        }
        "a1" => adjective(word, &contracted(word).unwrap_or_else(|| word.to_owned())),
        "a1m" => adjective(word, &doubled(word)),
        "a2" => {
            let stem = ending(word, "d", name)?;
            vec![word.into(), format!("{stem}t"), format!("{word}e"), format!("{word}es")]
        }
        "a3" => {
            let stem = ending(word, "en", name)?;
            vec![word.into(), format!("{stem}et"), format!("{stem}na")]
        }
        "v1" => {
            let stem = ending(word, "a", name)?;
            passive(
                vec![word.into(), format!("{stem}ade"), format!("{stem}at")],
                vec![
                    format!("{stem}ar"),
                    format!("{stem}ad"),
                    format!("{stem}ande"),
                    format!("{stem}andes"),
                ],
            )
        }
        "v2" => second_conjugation(word, ending(word, "a", name)?),
        "v3" => passive(
            vec![word.into(), format!("{word}dde"), format!("{word}tt")],
            vec![
                format!("{word}r"),
                format!("{word}dd"),
                format!("{word}dda"),
                format!("{word}ende"),
            ],
        ),
        "v4" => strong_verb(word, parts)?,
        _ => {
            let known: Vec<&str> =
                PARADIGMS.iter().map(|(n, _)| n.split(':').next().unwrap_or(n)).collect();
            return Err(CannotInflect(format!(
                "okänt böjningsmönster `{name}`; de som finns är {}",
                known.join(", ")
            )));
        }
    };
    // There are a dozen, so looking back is cheaper than any set.
    let mut kept = 0;
    for n in 0..forms.len() {
        if !forms[..kept].contains(&forms[n]) {
            forms.swap(kept, n);
            kept += 1;
        }
    }
    forms.truncate(kept);
    Ok(forms)
}

fn ending<'w>(word: &'w str, end: &str, paradigm: &str) -> Result<&'w str, CannotInflect> {
    word.strip_suffix(end).filter(|stem| !stem.is_empty()).ok_or_else(|| {
        CannotInflect(format!(
            "mönstret {paradigm} är för ord på -{end}, och `{word}` slutar inte så"
        ))
    })
}

fn ends_in_vowel(word: &str) -> bool {
    word.ends_with(['a', 'e', 'i', 'o', 'u', 'y', 'å', 'ä', 'ö', 'é'])
}

/// `jävel` → `jävl`: the unstressed e falls before a vowel.
fn contracted(word: &str) -> Option<String> {
    for end in ["el", "er", "en"] {
        if let Some(stem) = word.strip_suffix(end)
            && stem.chars().count() >= 2
            && !ends_in_vowel(stem)
        {
            // mm and nn become single before the consonant: himmel, himlar.
            let stem = stem.strip_suffix("mm").map_or_else(|| stem.to_owned(), |s| format!("{s}m"));
            return Some(format!("{stem}{}", &end[1..]));
        }
    }
    None
}

/// `bedrägeri`: words on an unstressed stem and -eri are neuter and take -er.
fn on_eri(word: &str) -> bool {
    word.strip_suffix("eri").is_some_and(|stem| stem.chars().count() >= 2)
}

/// `avskum` → `avskumm`: an m after a short vowel is written once at the end and twice before an ending.
fn with_double_m(word: &str) -> String {
    const SHORT: [&str; 5] = ["rum", "hem", "skum", "slem", "lem"];
    match SHORT.iter().any(|end| word.ends_with(end)) {
        true => doubled(word),
        false => word.to_owned(),
    }
}

fn doubled(word: &str) -> String {
    match word.chars().last() {
        Some(last) => format!("{word}{last}"),
        None => String::new(),
    }
}

fn second_declension(word: &str) -> Vec<String> {
    if let Some(stem) = word.strip_suffix('e') {
        return vec![word.into(), format!("{word}n"), format!("{stem}ar"), format!("{stem}arna")];
    }
    if let Some(short) = contracted(word) {
        return vec![word.into(), format!("{word}n"), format!("{short}ar"), format!("{short}arna")];
    }
    // fru, frun, fruar.
    let en = if ends_in_vowel(word) { "n" } else { "en" };
    let stem = if word.ends_with("lem") { doubled(word) } else { word.to_owned() };
    vec![word.into(), format!("{stem}{en}"), format!("{stem}ar"), format!("{stem}arna")]
}

fn genitive(forms: Vec<String>) -> Vec<String> {
    let mut all = forms.clone();
    all.extend(
        forms.into_iter().filter(|f| !f.ends_with(['s', 'x', 'z'])).map(|f| format!("{f}s")),
    );
    all
}

fn adjective(word: &str, stem: &str) -> Vec<String> {
    let neuter = if let Some(front) = word.strip_suffix('t') {
        if ends_in_vowel(front) { format!("{word}t") } else { word.to_owned() }
    } else if let Some(front) = word.strip_suffix('d') {
        if ends_in_vowel(front) { format!("{front}tt") } else { format!("{front}t") }
    } else {
        format!("{word}t")
    };
    let mut all = vec![word.to_owned(), neuter, format!("{stem}a"), format!("{stem}e")];
    all.extend(["are", "ast", "aste"].map(|end| format!("{stem}{end}")));
    all
}

fn passive(active: Vec<String>, other: Vec<String>) -> Vec<String> {
    let mut all = active.clone();
    all.extend(active.into_iter().map(|f| format!("{f}s")));
    all.extend(other);
    all
}

fn second_conjugation(word: &str, stem: &str) -> Vec<String> {
    let present = if stem.ends_with('r') { stem.to_owned() } else { format!("{stem}er") };
    // A doubled m or n is single before the ending, and a d after n melts into it.
    let short =
        if stem.ends_with("nn") || stem.ends_with("mm") { &stem[..stem.len() - 1] } else { stem };
    let (past, participle) = if stem.ends_with(['k', 'p', 't', 's', 'x', 'f']) {
        (format!("{short}te"), format!("{short}t"))
    } else if stem.ends_with("nd") || stem.ends_with("ld") {
        (format!("{short}e"), short.to_owned())
    } else {
        (format!("{short}de"), format!("{short}d"))
    };
    let supine = if let Some(front) = participle.strip_suffix('d') {
        format!("{front}t")
    } else {
        participle.clone()
    };
    passive(
        vec![word.into(), past.clone(), supine],
        vec![
            present,
            stem.to_owned(),
            format!("{stem}s"),
            format!("{stem}es"),
            participle.clone(),
            format!("{participle}a"),
            format!("{stem}ande"),
        ],
    )
}

fn strong_verb(word: &str, parts: &str) -> Result<Vec<String>, CannotInflect> {
    let mut parts = parts.split(',').filter(|p| !p.is_empty());
    let (Some(present), Some(past), Some(supine)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(CannotInflect(format!(
            "starka verb anges med temaformer, till exempel `skjuta v4:skjuter,sköt,skjutit,skjuten`; `{word}` saknar någon"
        )));
    };
    let stem = word.strip_suffix('a').unwrap_or(word);
    let mut other = vec![present.to_owned(), stem.to_owned()];
    if let Some(participle) = parts.next() {
        other.push(participle.to_owned());
        match participle.strip_suffix("en") {
            Some(front) => other.extend([format!("{front}et"), format!("{front}na")]),
            None => other.extend([format!("{participle}a"), format!("{participle}t")]),
        }
    }
    other.push(if ends_in_vowel(stem) { format!("{stem}ende") } else { format!("{stem}ande") });
    if !ends_in_vowel(stem) {
        other.push(format!("{stem}s"));
    }
    Ok(passive(vec![word.to_owned(), past.to_owned(), supine.to_owned()], other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, paradigm: &str, some: &str) {
        let forms = inflect(word, paradigm).expect("known paradigm");
        for form in some.split(' ') {
            assert!(
                forms.iter().any(|f| f == form),
                "{word} {paradigm}: {form} saknas i {forms:?}"
            );
        }
    }

    #[test]
    fn paradigms_give_the_forms_of_the_grammar() {
        check("flicka", "n1", "flicka flickan flickor flickorna flickas flickornas");
        check("pojke", "n2", "pojken pojkar pojkarna pojkens");
        check("jävel", "n2", "jäveln jävlar jävlarna jävelns");
        check("hund", "n2", "hunden hundar hundarna");
        check("dumbom", "n2m", "dumbommen dumbommar");
        check("idiot", "n3", "idioten idioter idioternas");
        check("svin", "n5", "svinet svinen svinens");
        check("avskum", "n5", "avskummet avskummen");
        check("slem", "nn", "slemmet slemmets");
        check("medlem", "n2", "medlemmen medlemmar");
        check("fru", "n2", "frun fruar");
        check("bedrägeri", "n3", "bedrägeriet bedrägerier bedrägeriernas");
        check("hyckleri", "n4", "hyckleriet");
        check("transformator", "n3", "transformatorn transformatorer");
        check("rånare", "n6", "rånaren rånarna rånares");
        check("dum", "a1m", "dumt dumma dummare dummaste");
        check("vacker", "a1", "vackert vackra vackrare");
        check("ond", "a1", "ont onda");
        check("fet", "a1", "fett feta");
        check("äcklad", "a2", "äcklat äcklade");
        check("efterbliven", "a3", "efterblivet efterblivna");
        check("döda", "v1", "dödar dödade dödat dödas dödades dödad");
        check("bränna", "v2", "bränner brände bränt bränns bränd brända brändes");
        check("köpa", "v2", "köper köpte köpt köptes köpta");
        check("tända", "v2", "tänder tände tänt tänd");
        check("köra", "v2", "kör körde kört körd");
        check(
            "skjuta",
            "v4:skjuter,sköt,skjutit,skjuten",
            "skjuter sköt skjutit skjut skjuten skjutna skjuts sköts",
        );
        check("slå", "v4:slår,slog,slagit,slagen", "slår slog slagit slå slagna slås");
    }

    #[test]
    fn what_a_paradigm_cannot_do_is_said() {
        assert!(inflect("hund", "n1").is_err());
        assert!(inflect("hund", "n9").is_err());
        assert!(inflect("skjuta", "v4").is_err());
    }
}
