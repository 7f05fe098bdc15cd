//! Letters that look like Latin ones but are not, and letters that Unicode does not decompose.
//!
//! Drawn up from the shapes in the Unicode charts. Only look-alikes that are met as disguise in
//! Latin text are here; a text in Cyrillic or Greek folds to nonsense and so hits nothing.

/// The Latin reading of a look-alike or undecomposable letter, in lower case.
pub fn latin(c: char) -> Option<&'static str> {
    Some(match c {
        // Cyrillic, both cases.
        'а' | 'А' | 'α' | 'Α' | 'ɑ' | 'Ꭺ' | 'ᴀ' => "a",
        'в' | 'В' | 'β' | 'Β' | 'ь' | 'Ь' | 'ʙ' => "b",
        'с' | 'С' | 'ϲ' | 'Ϲ' | 'ᴄ' | 'ϛ' => "c",
        'ԁ' | 'Ԁ' | 'ɗ' | 'đ' | 'Đ' | 'ð' | 'Ð' | 'ᴅ' | 'δ' => "d",
        'е' | 'Е' | 'ε' | 'Ε' | 'э' | 'Э' | 'є' | 'Є' | 'ҽ' | 'ə' | 'ɛ' | 'ᴇ' => "e",
        'ғ' | 'ƒ' | 'ϝ' | 'ꜰ' => "f",
        'ԍ' | 'ɡ' | 'ɢ' | 'Ԍ' => "g",
        'һ' | 'Һ' | 'н' | 'Н' | 'Η' | 'ħ' | 'Ħ' | 'ʜ' => "h",
        'і' | 'І' | 'ι' | 'Ι' | 'ı' | 'ɩ' | 'ӏ' | 'Ӏ' | 'ɪ' => "i",
        'ј' | 'Ј' | 'ϳ' | 'ȷ' | 'ᴊ' => "j",
        'к' | 'К' | 'κ' | 'Κ' | 'ҝ' | 'ᴋ' => "k",
        'ʟ' | 'ł' | 'Ł' | 'ɭ' => "l",
        'м' | 'М' | 'Μ' | 'ᴍ' => "m",
        'ո' | 'п' | 'η' | 'Ν' | 'ɴ' | 'и' | 'И' => "n",
        'о' | 'О' | 'ο' | 'Ο' | 'օ' | 'σ' | 'ס' | 'ᴏ' => "o",
        'р' | 'Р' | 'ρ' | 'Ρ' | 'ᴘ' => "p",
        'ԛ' | 'Ԛ' => "q",
        'г' | 'Г' | 'я' | 'Я' | 'ʀ' | 'ɼ' => "r",
        'ѕ' | 'Ѕ' | 'ꜱ' | 'ʂ' => "s",
        'т' | 'Т' | 'τ' | 'Τ' | 'ŧ' | 'Ŧ' | 'ᴛ' => "t",
        'υ' | 'ս' | 'ц' | 'ᴜ' | 'μ' | 'µ' => "u",
        'ν' | 'ѵ' | 'Ѵ' | 'ᴠ' => "v",
        'ԝ' | 'Ԝ' | 'ω' | 'ш' | 'Ш' | 'щ' | 'ᴡ' => "w",
        'х' | 'Х' | 'χ' | 'Χ' => "x",
        'у' | 'У' | 'γ' | 'Υ' | 'ү' | 'Ү' | 'ʏ' => "y",
        'Ζ' | 'ᴢ' => "z",
        'ӓ' | 'Ӓ' | 'æ' | 'Æ' | 'ӕ' | 'Ӕ' => "ä",
        'ӧ' | 'Ӧ' | 'ø' | 'Ø' | 'ө' | 'Ө' | 'œ' | 'Œ' => "ö",
        // Figures of other scripts.
        '٠' | '۰' | '०' => "0",
        '١' | '۱' | '१' => "1",
        '٢' | '۲' | '२' => "2",
        '٣' | '۳' | '३' => "3",
        '٤' | '۴' | '४' => "4",
        '٥' | '۵' | '५' => "5",
        '٦' | '۶' | '६' => "6",
        '٧' | '۷' | '७' => "7",
        '٨' | '۸' | '८' => "8",
        '٩' | '۹' | '९' => "9",
        'ß' => "ss",
        'þ' | 'Þ' => "th",
        _ => return None,
    })
}

/// Letters inside coloured squares and circles, which have no decomposition of their own.
pub fn framed(c: char) -> Option<u8> {
    let c = c as u32;
    let at = |first: u32| u8::try_from(c - first).ok().map(|n| b'a' + n);
    match c {
        0x1F150..=0x1F169 => at(0x1F150),
        0x1F170..=0x1F189 => at(0x1F170),
        _ => None,
    }
}
