//! Pairs of coordinates that lie in Sweden, precise enough to point at a house.

/// The pair that begins at byte `at` of folded text (a digit): where it ends.
pub fn at(text: &[u8], at: usize) -> Option<usize> {
    if at > 0 && (text[at - 1].is_ascii_alphanumeric() || matches!(text[at - 1], b'.' | b',')) {
        return None;
    }
    let (north, end) = decimal(text, at)?;
    if !(55.0..=69.2).contains(&north) {
        return None;
    }
    let mut i = end;
    let mut between = 0;
    while between < 6
        && text.get(i).is_some_and(|b| matches!(b, b' ' | b',' | b';' | b'/' | b'n') || *b >= 0x80)
    {
        i += 1;
        between += 1;
    }
    if text.get(i) == Some(&b'e') {
        i += 1;
    }
    let (east, end) = decimal(text, i)?;
    (between > 0 && (10.5..=24.3).contains(&east)).then_some(end)
}

/// Two figures, a point or comma, four to ten figures.
fn decimal(text: &[u8], at: usize) -> Option<(f64, usize)> {
    let whole = text.get(at..at + 2)?;
    if !whole.iter().all(u8::is_ascii_digit) || !matches!(text.get(at + 2), Some(b'.' | b',')) {
        return None;
    }
    let places = text[at + 3..].iter().take_while(|b| b.is_ascii_digit()).count();
    if !(4..=10).contains(&places) {
        return None;
    }
    let tenth = f64::from(text[at + 3] - b'0') / 10.0;
    let value = f64::from(whole[0] - b'0') * 10.0 + f64::from(whole[1] - b'0') + tenth;
    Some((value, at + 3 + places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precise_pairs_in_sweden_are_found() {
        for text in [
            "58.410807, 15.621373",
            "58.41080 15.62137",
            "59,32938;18,06871",
            "65.58482n 22.15474e",
        ] {
            assert!(at(text.as_bytes(), 0).is_some(), "{text}");
        }
        for text in ["58.41, 15.62", "48.85661, 2.35222", "12.3456, 15.6213", "58.410807", "850709"]
        {
            assert_eq!(at(text.as_bytes(), 0), None, "{text}");
        }
    }
}
