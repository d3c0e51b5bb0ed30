//! Cells as people read them.

use luzhang_projections::report::Cell;

use crate::lang::Lang;

/// Fen as yuan with two decimals, exactly.
pub(super) fn yuan(fen: i64) -> String {
    let (whole, rest) = (fen.unsigned_abs() / 100, fen.unsigned_abs() % 100);
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{whole}.{rest:02}")
}

/// The same with a comma after each three digits.
pub(super) fn grouped(fen: i64) -> String {
    let plain = yuan(fen);
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", &*plain),
    };
    let (whole, rest) = digits.split_at(digits.len().saturating_sub(3));
    let mut text = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(rest);
    text
}

/// Basis points as a percentage.
pub(super) fn percent(points: i64) -> String {
    format!("{}%", yuan(points))
}

/// A cell in words, money without commas.
pub(super) fn words(cell: &Cell, lang: Lang) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Name(name) => lang.pick(&name.zh, &name.en).to_owned(),
        Cell::Fen(fen) => yuan(*fen),
        Cell::Count(number) => number.to_string(),
        Cell::Date(date) => date.to_string(),
        Cell::Hash(hash) => hash.to_string(),
        Cell::Subject(subject) => subject.to_string(),
        Cell::Rate(points) => percent(*points),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_as_people_write_it() {
        for (fen, plain, with_commas) in [
            (0, "0.00", "0.00"),
            (5, "0.05", "0.05"),
            (-5, "-0.05", "-0.05"),
            (12_345, "123.45", "123.45"),
            (100_000, "1000.00", "1,000.00"),
            (-123_456_789, "-1234567.89", "-1,234,567.89"),
            (99_999_900, "999999.00", "999,999.00"),
            (
                i64::MIN,
                "-92233720368547758.08",
                "-92,233,720,368,547,758.08",
            ),
        ] {
            assert_eq!(yuan(fen), plain);
            assert_eq!(grouped(fen), with_commas);
        }
        assert_eq!(percent(6_250), "62.50%");
    }
}
