use proptest::prelude::*;

use super::*;
use crate::classify::fold::Folded;
use crate::domain::personal_number::luhn;

/// Ten digits with a right check digit, made from nine.
pub fn complete(nine: &str) -> String {
    (0..10)
        .map(|last| format!("{nine}{last}"))
        .find(|text| {
            let ten: Vec<u8> = text.bytes().map(|b| b - b'0').collect();
            luhn(&ten.try_into().expect("ten digits"))
        })
        .expect("one of ten digits fits")
}

fn found(text: &str) -> Vec<Found> {
    let mut folded = Folded::default();
    folded.fold(text);
    let mut out = Vec::new();
    find(folded.bytes(), &mut out);
    out
}

/// `{d}` year, month, day as six digits, `{n}` the last four, `{yy}`, `{mm}`, `{dd}` each alone.
fn written(form: &str, ten: &str) -> String {
    form.replace("{d}", &ten[..6])
        .replace("{yy}", &ten[..2])
        .replace("{mm}", &ten[2..4])
        .replace("{dd}", &ten[4..6])
        .replace("{n}", &ten[6..])
}

fn is(found: &Found, ten: &str) -> bool {
    ten.bytes().map(|b| b - b'0').eq(found.number.ten().iter().copied())
}

const FORMS: &[&str] = &[
    "{d}{n}",
    "{d}-{n}",
    "{d}+{n}",
    "{d} {n}",
    "{d} - {n}",
    "{d}–{n}",
    "{d}\u{2011}{n}",
    "{d}−{n}",
    "{d}.{n}",
    "{d}/{n}",
    "{d}_{n}",
    "19{d}-{n}",
    "19{d}{n}",
    "19{d} {n}",
    "19 {d} {n}",
    "{yy} {mm} {dd} {n}",
    "{yy}-{mm}-{dd}-{n}",
    "19{yy}-{mm}-{dd}-{n}",
    "19{yy}.{mm}.{dd} {n}",
    "19{yy}/{mm}/{dd} {n}",
    "{d}\n{n}",
    "{d}-\n{n}",
    "({d}-{n})",
    "[{d}] [{n}]",
    "pnr{d}-{n}",
    "pnr:{d}-{n}.",
    "kim{d}{n}abc",
    "https://a.example/p/{d}-{n}",
    "#{d}{n}",
    "{d}\u{200B}-{n}",
    "SE{d}{n}01",
    "Född {d}, sista fyra är {n}",
    "Född 19{d} och slutsiffrorna {n}.",
    "{d} streck {n}",
    "{d} 👉 {n}",
    "Först {d}\nsen {n} på nästa rad",
    "{d},{n}",
    "{d}:{n}",
    "19{d},{n}",
    "19{d} 👉 {n}",
    "19{d} streck {n}",
    "{d}➖{n}",
    "{d}={n}",
    "{d}|{n}",
    "{d}…{n}",
    "{d} ({n})",
    "({d}) ({n})",
    "https://a.example/?p={d}%2D{n}",
    "{d}-{n}@a.example",
    "3300 {d}-{n}",
    "orgnr {d}-{n}",
    "sista fyra {n}, född {d}",
    "sista fyra {n}, född 19{yy}-{mm}-{dd}",
    "Född 19{yy}-{mm}-{dd}, kontrollsiffror {n}",
    "{d} haha gissa resten, okej då: {n}",
    "de fyra sista är {n} och jag är född 19{d}",
];

#[test]
fn every_written_form_is_found() {
    for nine in ["850709980", "850769980"] {
        let ten = complete(nine);
        // With 3300 before it the number's first digits make another one.
        let given = |text: &str, form: &str| {
            let found = found(text);
            found.iter().any(|f| is(f, &ten)) && (found.len() == 1 || form.starts_with("3300"))
        };
        for form in FORMS {
            let text = written(form, &ten);
            assert!(given(&text, form), "{form}");
            assert!(given(&format!("Ja {text} nej"), form), "{form} i mening");
        }
    }
}

#[test]
fn look_alike_digits_are_read() {
    let ten = complete("850709980");
    let full_width: String =
        ten.chars().map(|c| char::from_u32(c as u32 + 0xFF10 - 0x30).expect("digit")).collect();
    let bold: String =
        ten.chars().map(|c| char::from_u32(c as u32 + 0x1D7CE - 0x30).expect("digit")).collect();
    let key_caps: String = ten.chars().map(|c| format!("{c}\u{FE0F}\u{20E3}")).collect();
    let spread: String = ten.chars().map(|c| format!("{c} ")).collect();
    let hidden: String = ten.chars().map(|c| format!("{c}\u{200D}")).collect();
    for text in
        [full_width, bold, key_caps, spread, hidden, ten.replace('0', "O"), ten.replace('0', "o")]
    {
        assert_eq!(found(&text).len(), 1, "{text}");
    }
    assert_eq!(found(&ten.replace('8', "B").replace('5', "S")).len(), 1);
    let with_ones = complete("811121981");
    assert_eq!(found(&with_ones.replace('1', "l")).len(), 1);
}

#[test]
fn interim_numbers_are_told_apart() {
    let as_digits = complete("850709123");
    let text = format!("{}-T{}", &as_digits[..6], &as_digits[7..]);
    let found = found(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].number.kind(), NumberKind::Interim);
}

#[test]
fn look_alikes_are_left() {
    let ten = complete("850709980");
    let wrong = format!("{}{}", &ten[..9], (ten.as_bytes()[9] - b'0' + 3) % 10);
    let organisation = complete("556012579");
    let mobile = complete("070174060");
    for text in [
        wrong.clone(),
        format!("{}-{}", &wrong[..6], &wrong[6..]),
        organisation.clone(),
        format!("{}-{}", &organisation[..6], &organisation[6..]),
        format!("16{organisation}"),
        mobile.clone(),
        format!("{}-{}", &mobile[..4], &mobile[4..]),
        format!("{}-{} {} {}", &mobile[..3], &mobile[3..6], &mobile[6..8], &mobile[8..]),
        format!("+46{}", &mobile[1..]),
        format!("OCR {ten}"),
        format!("1{ten}"),
        format!("{ten}7"),
        "Dnr KS 2024/0123-45".into(),
        "58.410807, 15.621373".into(),
        "2024-01-15 kl 10.30".into(),
        "Bankgiro 5050-1055, plusgiro 90 19 50-6".into(),
        "850709".into(),
        format!("{} kl {}", &ten[..6], &ten[6..]),
        format!("{} kostade {} kr", &ten[..6], &ten[6..]),
        "850709-XXXX".into(),
        format!("{} ({} besökare)", &ten[..6], &ten[6..]),
        format!("{} {} kronor", &ten[..6], &ten[6..]),
        format!(
            "rätt rad: 03 {} {} {} {} {}",
            &ten[..2],
            &ten[2..4],
            &ten[4..6],
            &ten[6..8],
            &ten[8..]
        ),
        format!("{}.{} {}.{} {}.15", &ten[..2], &ten[2..4], &ten[4..6], &ten[6..8], &ten[8..]),
        format!("order {ten}"),
    ] {
        assert_eq!(found(&text), vec![], "{text}");
    }
}

#[test]
fn where_in_a_row_a_number_stands_changes_nothing() {
    let ten = complete("850709980");
    let number = format!("{}-{}", &ten[..6], &ten[6..]);
    for n in (0..100).chain(4080..4100) {
        let text = format!("{}{number}", "7 ".repeat(n));
        let starts: Vec<_> = found(&text).iter().map(|f| f.at[0].0 as usize).collect();
        assert_eq!(starts, [2 * n]);
        // Digits that run on into it leave no border, however many there are.
        assert_eq!(found(&format!("{}{ten}", "7".repeat(n + 1))), [], "{n}");
    }
}

#[test]
fn digits_that_make_another_number_with_its_first_ones_do_not_hide_it() {
    let ten = complete("850709980");
    let mut n = 0;
    for before in (0..100).map(|year| format!("{year:02}00")) {
        let text = format!("{before} {}-{}", &ten[..6], &ten[6..]);
        let ends: Vec<_> = found(&text).iter().map(|f| f.at[0].1 as usize).collect();
        assert_eq!(ends.last(), Some(&text.len()), "{text}");
        n += usize::from(ends.len() > 1);
    }
    assert!(n >= 5, "one in ten makes one");
}

proptest! {
    #[test]
    fn every_form_of_any_number_is_found_and_none_with_another_check_digit(
        year in 0u32..100, month in 1u32..13, day in 1u32..29, serial in 0u32..1000,
        plus60 in any::<bool>(), form in 0..FORMS.len(), off in 1u32..10,
    ) {
        let day = if plus60 { day + 60 } else { day };
        let ten = complete(&format!("{year:02}{month:02}{day:02}{serial:03}"));
        // 070 and a day over 60 without a sign is a mobile number; what follows 3300 may be part
        // of a number with it.
        let form = FORMS[form];
        prop_assume!(!(form.starts_with("3300") || ten.starts_with("070") && plus60));
        let text = written(form, &ten);
        prop_assert_eq!(found(&text).len(), 1, "{}", text);
        let last = ten.as_bytes()[9] - b'0';
        let wrong = format!("{}{}", &ten[..9], (u32::from(last) + off) % 10);
        let text = written(form, &wrong);
        prop_assert_eq!(found(&text).len(), 0, "{}", text);
    }

    #[test]
    fn digits_before_a_number_never_hide_it(
        before in "[0-9]{1,9}([ ,.\\-/]{1,2}[0-9]{1,9}){0,30}"
    ) {
        let ten = complete("850709980");
        let text = format!("{before}, {}-{}", &ten[..6], &ten[6..]);
        let start = text.len() - 11;
        let covers = |f: &Found| f.stretches().iter().any(|(from, to)| *from as usize <= start && *to as usize == text.len());
        prop_assert!(found(&text).iter().any(covers), "{text}");
    }

    #[test]
    fn any_text_is_read_without_panic_and_stretches_stay_inside(text in "[0-9oliTRSU .+/\\-\n\u{200B}–a-f]{0,120}") {
        let mut folded = Folded::default();
        folded.fold(&text);
        let mut out = Vec::new();
        find(folded.bytes(), &mut out);
        for f in out {
            for (from, to) in f.stretches() {
                prop_assert!(from < to && *to as usize <= folded.bytes().len());
            }
        }
    }

    #[test]
    fn any_valid_date_is_found(year in 0u32..100, month in 1u32..13, day in 1u32..29, serial in 0u32..1000, plus60 in any::<bool>()) {
        let day = if plus60 { day + 60 } else { day };
        let ten = complete(&format!("{year:02}{month:02}{day:02}{serial:03}"));
        let text = format!("{}-{}", &ten[..6], &ten[6..]);
        prop_assert_eq!(found(&text).len(), 1);
    }
}
