//! Where sentences end.

/// Whether the signs before `end` close a sentence, and whether by a question mark. An
/// abbreviation of one or two letters (*t.ex., kl.*) does not.
pub fn ends_sentence(text: &[u8], end: usize) -> Option<bool> {
    let mut i = end;
    let mut closes = false;
    let mut asks = false;
    let mut only_stop = true;
    while i > 0 {
        match text[i - 1] {
            b'.' => closes = true,
            b'!' | b'\n' | b'\r' => {
                closes = true;
                only_stop = false;
            }
            b'?' => {
                closes = true;
                asks = true;
                only_stop = false;
            }
            b'"' | b')' | b'\'' | b' ' | b'\t' => {}
            // The last byte of ”, “, ’ and …; of an emoji, which people set after the full stop.
            0x9D | 0x9C | 0x99 if i >= 3 && text[i - 3] == 0xE2 => i -= 2,
            0xA6 if i >= 3 && text[i - 3] == 0xE2 => {
                closes = true;
                only_stop = false;
                i -= 2;
            }
            0x80..=0xBF if i >= 4 && text[i - 4] == 0xF0 => i -= 3,
            _ => break,
        }
        i -= 1;
        if end - i > 24 {
            break;
        }
    }
    if !closes {
        return None;
    }
    if only_stop {
        let mut letters = 0;
        while i > letters && text[i - letters - 1].is_ascii_alphabetic() && letters < 3 {
            letters += 1;
        }
        let before = i.checked_sub(letters + 1).map(|at| text[at]);
        if letters > 0
            && letters < 3
            && matches!(before, None | Some(b' ' | b'.' | b'\n'))
            && !is_short_word(&text[i - letters..i])
        {
            return None;
        }
    }
    Some(asks)
}

/// Words of two letters that end sentences; other such endings are abbreviations.
fn is_short_word(word: &[u8]) -> bool {
    matches!(
        word,
        b"du"
            | b"er"
            | b"ni"
            | b"vi"
            | b"ja"
            | b"nu"
            | b"in"
            | b"om"
            | b"av"
            | b"se"
            | b"ge"
            | b"bo"
            | b"ta"
            | b"ut"
            | b"si"
            | b"ga"
    )
}
