use super::*;

fn fields() -> Fields {
    Fields { id: "id".into(), text: vec!["text".into()] }
}

fn read(input: &[u8], format: Format) -> Vec<Result<(String, String), (u64, String)>> {
    let mut batches = Batches::new(input, format, &fields()).expect("readable");
    let mut out = Vec::new();
    while let Some(batch) = batches.next_batch().expect("readable") {
        batch.for_each(format, &fields(), |r| {
            out.push(
                r.map(|r| (r.id.into_owned(), r.text.into_owned())).map_err(|m| (m.line, m.what)),
            );
        });
    }
    out
}

#[test]
fn json_lines_give_records_and_name_the_broken_ones() {
    let input = "\u{FEFF}{\"id\":\"a\",\"text\":\"hej\"}\r\n\n{\"text\":\"rad\\nrad\",\"id\":7,\"x\":[1]}\nfel\n{\"id\":1}\n{\"id\":2,\"text\":3}\n{\"text\":\"\\ud800x\"}";
    let out = read(input.as_bytes(), Format::JsonLines);
    assert_eq!(out[0], Ok(("\"a\"".into(), "hej".into())));
    assert_eq!(out[1], Ok(("7".into(), "rad\nrad".into())));
    assert_eq!(out[2].as_ref().map_err(|e| e.0), Err(4));
    assert!(
        out[3].as_ref().is_err_and(|(line, what)| *line == 5 && what.contains("`text` saknas"))
    );
    assert!(out[4].as_ref().is_err_and(|(_, what)| what.contains("ingen text")));
    assert_eq!(out[5], Ok(("null".into(), "\u{FFFD}x".into())));
    assert_eq!(out.len(), 6);
}

#[test]
fn the_first_of_several_names_that_a_record_has_counts() {
    let fields =
        Fields { id: "id".into(), text: ["text", "body", "selftext"].map(str::to_owned).into() };
    let input = "{\"id\":\"t1\",\"body\":\"kommentar\",\"score\":1}\n\
                 {\"selftext\":\"inlägg\",\"title\":\"rubrik\",\"id\":\"t3\"}\n\
                 {\"selftext\":\"b\",\"text\":\"a\",\"body\":\"c\"}\n{\"title\":\"x\"}\n";
    let mut batches = Batches::new(input.as_bytes(), Format::JsonLines, &fields).unwrap();
    let mut texts = Vec::new();
    batches.next_batch().unwrap().unwrap().for_each(Format::JsonLines, &fields, |record| {
        texts.push(record.map_or_else(|m| m.what, |r| r.text.into_owned()));
    });
    assert_eq!(texts[..3], ["kommentar", "inlägg", "a"]);
    assert!(texts[3].contains("`text` eller `body` eller `selftext` saknas"), "{}", texts[3]);
}

fn texts(input: &str, format: Format) -> Vec<String> {
    let names = ["text", "body", "title+selftext"].map(str::to_owned);
    let fields = Fields { id: "id".into(), text: names.into() };
    // One byte at a time, as from a slow pipe.
    let input = io::BufReader::with_capacity(1, input.as_bytes());
    let mut batches = Batches::new(input, format, &fields).unwrap();
    let mut texts = Vec::new();
    while let Some(batch) = batches.next_batch().unwrap() {
        batch.for_each(format, &fields, |record| {
            texts.push(record.map_or_else(|m| m.what, |r| r.text.into_owned()));
        });
    }
    texts
}

#[test]
fn an_empty_field_hides_no_text_and_a_title_is_read_with_its_text() {
    let lines = "\u{FEFF}{\"text\":\"\",\"body\":\"hot\"}\n{\"text\":null,\"body\":\"hot\"}\n\
                 {\"selftext\":\"brödtext\",\"title\":\"rubrik\"}\n{\"title\":\"hot\",\"selftext\":\"\"}\n\
                 {\"text\":\"\"}\n{\"text\":7}\n{\"text\":7,\"body\":\"hot\"}\n";
    let read = texts(lines, Format::JsonLines);
    assert_eq!(read[..5], ["hot", "hot", "rubrik\n\nbrödtext", "hot", ""]);
    assert!(read[5].contains("ingen text"), "{}", read[5]);
    assert_eq!(read[6], "hot");
    let rows = "\u{FEFF}title;id;selftext;body\nrubrik;1;brödtext;\n;2;;hot\nrubrik;3;;\n;4;;\n";
    assert_eq!(texts(rows, Format::Csv), ["rubrik\n\nbrödtext", "hot", "rubrik", ""]);
}

#[test]
fn what_is_wrong_is_said_in_swedish() {
    let table = [
        ("[1]", "ska vara ett JSON-objekt"),
        ("7", "ska vara ett JSON-objekt"),
        ("hej", "oväntat"),
        ("id;text", "--format"),
        ("{\"id\":1,\"text\":\"hej", "slutar för tidigt"),
    ];
    for (line, expected) in table {
        let out = read(line.as_bytes(), Format::JsonLines);
        let Err((1, what)) = &out[0] else { panic!("{out:?}") };
        assert!(what.contains(expected), "{line}: {what}");
        let english = ["expected", "invalid", "EOF", "ident"];
        assert!(!english.iter().any(|word| what.contains(word)), "{line}: {what}");
    }
}

#[test]
fn utf_16_and_a_broken_first_row_say_how_to_save() {
    for (input, format) in [
        (&b"\xFF\xFEi\0d\0"[..], Format::Csv),
        (b"\xFE\xFF\0{", Format::JsonLines),
        (b"id,\xE5\n", Format::Csv),
    ] {
        let Err(error) = Batches::new(input, format, &fields()) else { panic!("{input:?}") };
        assert!(error.to_string().contains("UTF-8"), "{error}");
    }
}

#[test]
fn broken_utf_8_costs_its_own_line_alone() {
    let out = read(
        b"{\"id\":1,\"text\":\"a\"}\n{\"id\":2,\"text\":\"\xFF\"}\n{\"id\":3,\"text\":\"c\"}\n",
        Format::JsonLines,
    );
    assert_eq!(out.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert!(
        out[1].as_ref().is_err_and(|(line, what)| *line == 2 && what.contains("byte 17")),
        "{out:?}"
    );
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_told_by_its_line() {
    let mut rows = String::from("id,text\n1,hej\n2,\"öppet citat\n");
    for n in 3..4_000 {
        rows.push_str(&format!("{n},jag ska döda dig\n"));
    }
    let out = read(rows.as_bytes(), Format::Csv);
    assert_eq!(out.len(), 2);
    let Err((3, what)) = &out[1] else { panic!("{:?}", out[1]) };
    assert!(what.starts_with("ett citattecken som börjar här"), "{what}");
}

#[test]
fn a_quotation_mark_that_is_open_at_the_end_of_a_short_file_is_told_too() {
    for (end, broken) in
        [("", true), ("\n", true), ("\"", false), ("\"\n", false), ("\"\n\n", false)]
    {
        let rows = format!("id,text\n1,\"hej\ndu\"\n2,\"Jag ska döda dig\n3,hej\n4,a,b,c{end}");
        let out = read(rows.as_bytes(), Format::Csv);
        assert_eq!(out[0].as_ref().unwrap().1, "hej\ndu", "{end:?}");
        assert_eq!(out.len(), 2, "{end:?}");
        assert_eq!(out[1].is_err(), broken, "{end:?}: {:?}", out[1]);
    }
    assert_eq!(read(b"id,text\n", Format::Csv), []);
}

#[test]
fn csv_with_semicolons_and_line_breaks_is_read() {
    let out = read("id;text\n1;\"rad\nrad\"\n2;hej\n3\n".as_bytes(), Format::Csv);
    assert_eq!(out[0], Ok(("\"1\"".into(), "rad\nrad".into())));
    assert_eq!(out[1], Ok(("\"2\"".into(), "hej".into())));
    assert!(out[2].is_err());
    assert!(matches!(
        Batches::new(&b"a,b\n"[..], Format::Csv, &fields()),
        Err(CannotRead::Column { .. })
    ));
}

#[test]
fn plain_lines_are_numbered() {
    assert_eq!(
        read(b"a\n\nb", Format::Text),
        [Ok(("1".into(), "a".into())), Ok(("3".into(), "b".into()))]
    );
}
