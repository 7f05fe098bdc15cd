use proptest::prelude::*;

use super::*;
use crate::classify::BUILT_IN;

const APPEAL: &str = "Vi kräver att kommunen stoppar nedläggningen av skolan i Exempelby och lyssnar på oss som bor här";
const HOME: AccountId = AccountId(1);

fn earlier(item: i64, account: i64, author: Option<u64>, text: &str) -> EarlierPrint {
    EarlierPrint {
        item: ItemId(item),
        account: AccountId(account),
        author,
        print: print(text).expect("long enough"),
    }
}

fn assessed(
    text: &str,
    author: Option<u64>,
    earlier: &[EarlierPrint],
    attacks: &[(u64, u32)],
) -> Assessed {
    let none = BTreeMap::new();
    let around =
        Surroundings { account: HOME, author, answers: None, earlier, attacks, shadowed: &none };
    BUILT_IN.assess(text, &Context { around: Some(around), ..Context::default() })
}

fn of_rule<'a>(assessed: &'a Assessed, rule: &str) -> Option<&'a Finding> {
    assessed.verdict.findings.iter().find(|f| &*f.rule == rule)
}

#[test]
fn what_is_nearly_the_same_shares_a_key_and_what_is_not_does_not() {
    let changed = [
        "VI KRÄVER att kommunen stoppar nedläggningen av skolan i Exempelby, och lyssnar på oss som bor här!!!",
        "Vi kräver att kommunen stoppar nedläggningen av skolan i Exempelby och lyssnar på oss som bor här /Kim",
        "Vi kräver att kommunen stoppar nedläggningen av sk\u{200b}olan i Exempelby och lyssnar på oss s\u{043e}m bor här",
        "Hej! Vi kräver att kommunen stoppar nedläggningen av skolan i Exempelby och lyssnar på oss som bor här",
    ];
    let one = print(APPEAL).expect("long enough");
    for text in changed {
        let other = print(text).expect("long enough");
        assert!(one.likeness_percent(&other) >= ALIKE_PERCENT, "{text}");
        assert!(one.bands.iter().zip(other.bands).any(|(a, b)| *a == b), "{text}");
    }
    let different = [
        "Vi kräver inte att kommunen gör allt men lite mer belysning i parken vid skolan vore bra för alla",
        "Kommunen måste lyssna mer på oss som bor här när det gäller bussarna och den nya hållplatsen",
    ];
    for text in different {
        let other = print(text).expect("long enough");
        assert!(one.likeness_percent(&other) < ALIKE_PERCENT / 2, "{text}");
    }
}

#[test]
fn short_texts_have_no_fingerprint() {
    for text in [
        "",
        "Tack för svaret!",
        "Grattis alla fina ungdomar i nian!",
        "...... !!! 😀😀😀😀😀😀😀😀😀",
    ] {
        assert_eq!(print(text), None, "{text}");
    }
}

#[test]
fn an_author_who_says_the_same_a_third_time_comes_before_a_person() {
    let mine = |n| earlier(n, 1, Some(7), APPEAL);
    let twice = assessed(APPEAL, Some(7), &[mine(1)], &[]);
    assert_eq!(of_rule(&twice, "sammanhang.upprepning"), None);
    assert_eq!(twice.traces.alike, [ItemId(1)]);
    let thrice = assessed(APPEAL, Some(7), &[mine(1), mine(2)], &[]);
    let found = of_rule(&thrice, "sammanhang.upprepning").expect("found");
    assert_eq!((found.category, found.severity), (Category::Spam, Severity::Medium));
    assert!(found.why.contains("2 gånger"), "{}", found.why);
}

#[test]
fn an_appeal_that_many_send_in_is_a_note_and_one_with_a_lure_is_more() {
    let by = |n: i64, text: &str| earlier(n, 1 + n % 2, Some(n.unsigned_abs()), text);
    let many: Vec<_> = (1..=5).map(|n| by(n, APPEAL)).collect();
    let note = assessed(APPEAL, Some(99), &many, &[]);
    let found = of_rule(&note, "sammanhang.kampanj").expect("found");
    assert_eq!(found.severity, Severity::Low);
    assert!(found.why.contains("5 gånger") && found.why.contains("2 konton"), "{}", found.why);
    let lure = format!("{APPEAL} https://bidra.example/nu");
    let many: Vec<_> = (1..=5).map(|n| by(n, &lure)).collect();
    let more = assessed(&lure, Some(99), &many, &[]);
    assert_eq!(of_rule(&more, "sammanhang.kampanj").expect("found").severity, Severity::Medium);
    let few = assessed(APPEAL, Some(99), &many[..1], &[]);
    assert_eq!(of_rule(&few, "sammanhang.kampanj"), None);
}

#[test]
fn attacks_on_the_same_person_a_third_time_are_said_to_be() {
    let text = "Kim Exempel är en jävla idiot som borde skämmas";
    let first = assessed(text, Some(7), &[], &[]);
    assert!(first.verdict.findings.iter().any(is_attack), "{:?}", first.verdict.findings);
    let target = person("namn", "kim exempel");
    assert!(first.traces.targets.contains(&target));
    assert_eq!(of_rule(&first, "sammanhang.samma-person"), None);
    let third = assessed(text, Some(7), &[], &[(target, 2)]);
    assert!(of_rule(&third, "sammanhang.samma-person").is_some());
    let another = assessed(text, Some(7), &[], &[(target ^ 1, 9)]);
    assert_eq!(of_rule(&another, "sammanhang.samma-person"), None);
}

#[test]
fn who_names_a_person_without_going_for_them_leaves_no_trace() {
    let text = "Tack Kim Exempel för ett bra svar om bussarna i morse på mötet";
    assert_eq!(assessed(text, Some(7), &[], &[]).traces.targets, [] as [u64; 0]);
}

#[test]
fn a_rule_set_aside_is_counted_and_not_shown_unless_grave() {
    let threat = "Jag vet var du bor och ska slå ihjäl dig.";
    let insult = "Du är en jävla idiot";
    let plain = |text: &str| BUILT_IN.classify(text, &Context::default());
    let set_aside = |text: &str, by: SetAside| {
        let rules = [threat, insult].into_iter().flat_map(|t| plain(t).findings);
        let all = rules.map(|f| (f.rule, by)).collect();
        let around = Surroundings {
            account: HOME,
            author: None,
            answers: None,
            earlier: &[],
            attacks: &[],
            shadowed: &all,
        };
        BUILT_IN.assess(text, &Context { around: Some(around), ..Context::default() })
    };
    let grave = set_aside(threat, SetAside::ByPerson);
    assert!(grave.verdict.findings.iter().any(|f| f.severity == Severity::High));
    let light = set_aside(insult, SetAside::ByPerson);
    assert_eq!(light.held, None);
    assert!(light.verdict.findings.iter().all(|f| f.severity == Severity::High));
    assert!(light.traces.rules.iter().any(|r| r.in_shadow));
    // What ran wild is not shown either, and a person reads what it hit all the same.
    let flood = set_aside(insult, SetAside::ByProgram);
    assert_eq!(flood.verdict, light.verdict);
    assert!(flood.held.is_some());
}

#[test]
fn only_persons_with_a_first_name_are_gone_for() {
    let targets = |text: &str| assessed(text, Some(7), &[], &[]).traces.targets;
    let kim = person("namn", "kim exempel");
    for text in [
        "Kim Exempel är en jävla idiot",
        "Vilken jävla idiot, Kim Exempels idéer är sjuka",
        "Jävla idiot är vad Kim Exempel är",
    ] {
        assert!(targets(text).contains(&kim), "{text}");
    }
    for text in [
        "Exempelby Kommun är jävla idioter",
        "Region Exempel är jävla idioter, Din Idiot",
        "Jävla idiot. Det sa Kim. Exempel på det finns",
    ] {
        assert_eq!(targets(text), [] as [u64; 0], "{text}");
    }
}

#[test]
fn the_surroundings_change_nothing_of_what_the_text_itself_says() {
    for text in ["Jag vet var du bor och ska slå ihjäl dig.", APPEAL, "När öppnar badet?"] {
        let plain = BUILT_IN.classify(text, &Context::default());
        let around = assessed(text, Some(1), &[], &[]);
        assert_eq!(plain, around.verdict, "{text}");
    }
}

proptest! {
    #[test]
    fn a_text_is_wholly_like_itself_and_likeness_goes_both_ways(
        a in "([a-zåäö]{1,8} ){8,90}",
        b in "([a-e]{1,2} ){8,90}",
    ) {
        let (a, b) = (print(&a).unwrap(), print(&b).unwrap());
        prop_assert_eq!(a.likeness_percent(&a), 100);
        prop_assert_eq!(a.likeness_percent(&b), b.likeness_percent(&a));
        prop_assert_eq!(Print::of_bytes(&a.sketch_bytes()).sketch, a.sketch);
    }

    #[test]
    fn one_word_changed_in_twenty_is_nearly_the_same_and_found(
        words in prop::collection::vec("[a-zåäö]{3,9}", 20..60),
        at in 0_usize..20,
    ) {
        let one = print(&words.join(" ")).unwrap();
        let mut other = words.clone();
        other[at] = "ettannatord".into();
        let other = print(&other.join(" ")).unwrap();
        prop_assert!(one.likeness_percent(&other) >= ALIKE_PERCENT);
    }

    #[test]
    fn no_text_breaks_it(text in "\\PC{0,300}") {
        let _ = print(&text);
        let _ = targets(&text, None, &[]);
    }
}

#[test]
fn an_equal_name_is_no_equal_author() {
    let named = author("wordpress", None, Some("Anonym")).expect("a number");
    assert!(!is_certain(named));
    assert!(is_certain(author("wordpress", Some("17"), Some("Anonym")).expect("a number")));
    assert_eq!(author("wordpress", None, Some(" ")), None);
    let mine = |n| earlier(n, 1, Some(named), APPEAL);
    let thrice = assessed(APPEAL, Some(named), &[mine(1), mine(2)], &[]);
    assert_eq!(of_rule(&thrice, "sammanhang.upprepning"), None);
}
