use proptest::prelude::*;

use super::*;

#[test]
fn every_list_is_of_a_language_that_has_a_bit_and_the_table_has_room() {
    let mut n = 0;
    for (language, words) in WORDS {
        assert!(LATIN.contains(language), "{language:?}");
        for word in words.split_whitespace() {
            let long = word.len() > LONGEST;
            let cut = word.contains('\'');
            n += usize::from(!long && !cut);
        }
    }
    assert_eq!(WORDS.len(), LATIN.len());
    assert!(n * 2 < PLACES, "{n}");
}

#[test]
fn sentences_are_of_their_language() {
    use Language::*;
    let table = [
        ("När öppnar badet i sommar? Det står inget på hemsidan.", Some(Swedish)),
        ("Jag tycker att det är bra att ni bygger fler cykelvägar.", Some(Swedish)),
        ("nar oppnar badet? det star inget pa hemsidan och jag har ringt", Some(Swedish)),
        (
            "ja de e la int så bra som dom säger, å ja har ringt flera ggr å ingen svarar",
            Some(Swedish),
        ),
        ("When does the library open? I could not find it on your page.", Some(English)),
        ("You people should be ashamed of what you have done to this town", Some(English)),
        (
            "Hvorfor er det ikke mulig å få svar fra kommunen? Jeg har ringt mange ganger.",
            Some(Norwegian),
        ),
        ("Eg forstår ikkje kvifor de ikkje svarar på noko av det eg skriv", Some(Norwegian)),
        (
            "Hvorfor kan man ikke få noget svar? Jeg har også skrevet til jer og det hjalp ikke meget.",
            Some(Danish),
        ),
        (
            "Miksi kukaan ei vastaa? Olen soittanut monta kertaa, mutta en ole saanut vastausta.",
            Some(Finnish),
        ),
        (
            "Warum antwortet hier niemand? Ich habe schon mehrmals angerufen und nichts gehört.",
            Some(German),
        ),
        (
            "Pourquoi est-ce que personne ne répond ? Nous avons appelé plusieurs fois.",
            Some(French),
        ),
        (
            "¿Por qué no contesta nadie? Hemos llamado muchas veces y no hay respuesta.",
            Some(Spanish),
        ),
        (
            "Dlaczego nikt nie odpowiada? Dzwoniłem już kilka razy i nie mam odpowiedzi.",
            Some(Polish),
        ),
        (
            "Zašto niko ne odgovara? Zvao sam već nekoliko puta i nema odgovora.",
            Some(SerboCroatian),
        ),
        (
            "Pse nuk përgjigjet askush? Kam telefonuar disa herë dhe nuk kam marrë përgjigje.",
            Some(Albanian),
        ),
        ("Neden kimse cevap vermiyor? Çok kez aradım ama bir cevap yok.", Some(Turkish)),
        ("Çima kes bersivê nade? Min gelek caran telefon kir û ez li bendê me.", Some(Kurdish)),
        (
            "Maxaa loo jawaabi waayay? Waxaan soo wacay marar badan laakiin ma jirto jawaab.",
            Some(Somali),
        ),
        (
            "De ce nu răspunde nimeni? Am sunat de mai multe ori și nu am primit răspuns.",
            Some(Romanian),
        ),
        ("لماذا لا يجيب أحد؟ اتصلت عدة مرات ولم أحصل على جواب", Some(Arabic)),
        ("چرا کسی جواب نمی‌دهد؟ چند بار زنگ زدم و جوابی نگرفتم", Some(Persian)),
        ("بۆچی کەس وەڵام ناداتەوە؟ چەند جار تەلەفۆنم کرد", Some(Sorani)),
        ("Почему никто не отвечает? Я звонил уже несколько раз.", Some(Russian)),
        ("Чому ніхто не відповідає? Я телефонував уже кілька разів.", Some(Ukrainian)),
        ("Зашто нико не одговара? Звао сам већ неколико пута.", Some(SerboCroatian)),
        ("ንምንታይ ዝምልስ ሰብ ዘየለ? ብዙሕ ግዜ ደዊለ", Some(Tigrinya)),
        ("ทำไมไม่มีใครตอบ โทรไปหลายครั้งแล้ว", Some(Thai)),
        ("Γιατί δεν απαντά κανείς; Τηλεφώνησα πολλές φορές.", Some(Greek)),
        ("为什么没有人回答我的问题", Some(Other)),
    ];
    for (text, expected) in table {
        assert_eq!(of(text), expected, "{text}");
    }
}

#[test]
fn what_is_short_or_names_alone_is_of_no_known_language() {
    let table =
        ["", "Ok", "😀😀", "Super!", "Exempelstad", "12 345", "Kim Exempel Robin Påhitt", "hahaha"];
    for text in table {
        assert_eq!(of(text), None, "{text}");
    }
}

#[test]
fn a_foreign_word_or_name_in_a_swedish_text_changes_nothing() {
    let table = [
        "Det är ju helt sick att ni inte svarar, what the fuck liksom",
        "Jag såg The Ark på Gröna Lund och det var inte så bra",
        "Хелена skriver att det är stängt men så är det inte",
    ];
    for text in table {
        assert_eq!(of(text), Some(Language::Swedish), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_has_an_answer_and_always_the_same(text in "\\PC{0,200}") {
        prop_assert_eq!(of(&text), of(&text));
    }

    #[test]
    fn swedish_stays_swedish_however_it_goes_on(end in "[a-z ]{0,80}") {
        let text = format!("Jag tycker inte att det är så bra som ni säger, och det vet ni mycket väl om ni har varit där när det är mörkt och ingen finns i närheten som kan hjälpa er. {end}");
        prop_assert_eq!(of(&text), Some(Language::Swedish));
    }
}
