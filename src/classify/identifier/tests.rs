use proptest::prelude::*;

use super::*;
use crate::classify::fold::Folded;

fn found(text: &str) -> Vec<(Mark, String)> {
    let mut folded = Folded::default();
    folded.fold(text);
    let mut out = Vec::new();
    numbers(folded.bytes(), &mut out);
    out.iter()
        .map(|i| {
            let span = folded.original(i.start, i.end);
            (i.mark, text[span.start as usize..span.end as usize].to_owned())
        })
        .collect()
}

#[test]
fn numbers_are_cut_out_of_sentences() {
    for (text, want) in [
        (
            "Ring 070-174 06 05 eller 08-465 004 12",
            vec![(Mark::Phone, "070-174 06 05"), (Mark::Phone, "08-465 004 12")],
        ),
        ("Ring +46 70 174 06 05.", vec![(Mark::Phone, "+46 70 174 06 05")]),
        ("０７０−１７４ ０６ ０５", vec![(Mark::Phone, "０７０−１７４ ０６ ０５")]),
        ("Kort 4111 1111 1111 1111 går ut", vec![(Mark::Card, "4111 1111 1111 1111")]),
        (
            "Iban SE45 5000 0000 0583 9825 7466!",
            vec![(Mark::Card, "SE45 5000 0000 0583 9825 7466")],
        ),
        ("Där: 58.410807, 15.621373", vec![(Mark::Coordinates, "58.410807, 15.621373")]),
        ("Swisha 123 456 78 90", vec![(Mark::Giro, "123 456 78 90")]),
        ("Öppet 08.00-16.00, 850 kr, 2024-01-15, s. 123-125", vec![]),
        ("Paragraf 12345 och 2024/0123-45", vec![]),
    ] {
        let want: Vec<_> = want.into_iter().map(|(m, s)| (m, s.to_owned())).collect();
        assert_eq!(found(text), want, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_and_stretches_stay_inside(text in "[0-9a-eilosåOÅ@ +.,:/()\\-\n–]{0,160}") {
        let mut folded = Folded::default();
        folded.fold(&text);
        let mut out = Vec::new();
        numbers(folded.bytes(), &mut out);
        let mut end = 0;
        for i in out {
            prop_assert!(end <= i.start && i.start < i.end && i.end as usize <= folded.bytes().len());
            end = i.end;
            let span = folded.original(i.start, i.end);
            prop_assert!(text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize));
        }
    }
}
