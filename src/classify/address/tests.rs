use std::sync::LazyLock;

use super::*;
use crate::classify::identifier::Mark;
use crate::classify::lexicon::{Lexicon, Source};
use crate::classify::{Classifier, Scratch};

#[test]
fn addresses_are_told_from_sentences_without_blanks() {
    for (chunk, want) in [
        ("https://a.example/b?c=1", Some(Kind::Address)),
        ("(www.exempelstad.example).", Some(Kind::Address)),
        ("exempelstad.se/bygg", Some(Kind::Address)),
        ("kim.exempel@exempelstad.example,", Some(Kind::Mail)),
        ("@kim_exempel:", Some(Kind::Mention)),
        ("slut.nu", Some(Kind::Address)),
        ("hxxp://a.example", Some(Kind::Address)),
        ("hxxps[:]//exempel[.]com/x", Some(Kind::Address)),
        ("exempel[.]com", Some(Kind::Address)),
        ("exempel(dot)com", Some(Kind::Address)),
        ("exempel{punkt}se/film", Some(Kind::Address)),
        ("kim(at)exempel(punkt)se", Some(Kind::Mail)),
        ("kim[snabel-a]exempel.se", Some(Kind::Mail)),
        ("kim.exempel@exempel,com", Some(Kind::Mail)),
        ("exempel,com", Some(Kind::Address)),
        ("upp,se", None),
        ("filmerna.zz/alla", Some(Kind::Address)),
        ("slut.börja", None),
        ("t.ex.", None),
        ("o.s.v/", None),
        ("och/eller", None),
        ("kl.15/16", None),
        ("h@ra", None),
        ("...", None),
        ("förskola(barn)", None),
    ] {
        assert_eq!(whole_chunk(chunk.as_bytes()).map(|(k, ..)| k), want, "{chunk}");
    }
}

/// Marks need no word of a lexicon.
static EMPTY: LazyLock<Classifier> = LazyLock::new(|| {
    let source = Source { name: "sv/tom.toml".into(), text: String::new() };
    Classifier::new(Lexicon::compile(&[source]))
});

fn marks(text: &str) -> Vec<(Mark, String)> {
    let classifier = &*EMPTY;
    let mut scratch = Scratch::default();
    classifier.trace(&mut scratch, text);
    let folded = &scratch.folded;
    scratch
        .tokens
        .tokens
        .iter()
        .filter_map(|t| {
            let mark = classifier.mark_of(t)?;
            let span = folded.original(t.start, t.end);
            Some((mark, text[span.start as usize..span.end as usize].to_owned()))
        })
        .collect()
}

#[test]
fn addresses_written_out_are_put_together() {
    for (text, want) in [
        ("Se exempel punkt com nu", "exempel punkt com"),
        ("Se exempel DOT example, lär dig", "exempel DOT example"),
        ("Gå in på exempel (punkt) se i dag", "exempel (punkt) se"),
        ("Gå in på exempel punkt se, bra sida", "exempel punkt se"),
        ("Allt finns på exempel . com", "exempel . com"),
        ("Titta www exempel se så får du se", "www exempel se"),
        ("Allt finns på exempel . example, gratis", "exempel . example"),
        ("e x e m p e l . c o m, nu", "e x e m p e l . c o m"),
        ("På exempelsidan . se", "exempelsidan . se"),
        ("hxxps://exempel.se/a här", "hxxps://exempel.se/a"),
        ("https: // exempel . se / x", "https: // exempel . se"),
        ("Här: exempel[.]se/abc", "exempel[.]se/abc"),
        ("Här: ｅｘｅｍｐｅｌ．ｓｅ", "ｅｘｅｍｐｅｌ．ｓｅ"),
        ("Här: еxempel.se", "еxempel.se"),
    ] {
        assert_eq!(marks(text), [(Mark::MaskedAddress, want.to_owned())], "{text}");
    }
    for text in [
        "Vi är på en punkt nu",
        "Den punkt se över var bra",
        "På varje punkt nu",
        "Det var bra. Com hem",
        "Skogspolitiken, EU-frågor och mer",
        "Parlamentet, EU, och rådet",
        "Punkt slut",
        "Nästa punkt på dagordningen",
    ] {
        assert_eq!(marks(text), [], "{text}");
    }
}

#[test]
fn mailboxes_written_out_are_put_together() {
    for (text, mark, want) in [
        (
            "Skriv till kim snabel-a gmail punkt com",
            Mark::PrivateMail,
            "kim snabel-a gmail punkt com",
        ),
        (
            "Skriv: kim.exempel snabela exempel.se",
            Mark::PrivateMail,
            "kim.exempel snabela exempel.se",
        ),
        ("kim (at) exempel (dot) se", Mark::PrivateMail, "kim (at) exempel (dot) se"),
        ("Mejla kim85@gmail.com", Mark::PrivateMail, "kim85@gmail.com"),
        (
            "Mejla info snabel-a exempel punkt se",
            Mark::OfficeMail,
            "info snabel-a exempel punkt se",
        ),
        ("Mejla info@exempelstad.se", Mark::OfficeMail, "info@exempelstad.se"),
    ] {
        assert_eq!(marks(text), [(mark, want.to_owned())], "{text}");
    }
}

#[test]
fn shorteners_are_known() {
    for (text, want) in [
        ("bit.ly/abc", Mark::Shortener),
        ("https://t.me/exempel", Mark::Shortener),
        ("kort.exempel.se/abc", Mark::Shortener),
        ("exempel.se/kort", Mark::Address),
    ] {
        assert_eq!(marks(text), [(want, text.to_owned())], "{text}");
    }
}
