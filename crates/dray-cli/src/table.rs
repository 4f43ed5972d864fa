//! Text in aligned columns.

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows under a header, two spaces between columns, no line longer than its content.
pub(crate) fn render(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(header.get(column).map(|(name, _)| name.chars().count())).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for ((cell, width), (_, align)) in cells.zip(&widths).zip(header) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            match align {
                Align::Left => text.push_str(&format!("{cell}{gap}  ")),
                Align::Right => text.push_str(&format!("{gap}{cell}  ")),
            }
        }
        format!("{}\n", text.trim_end())
    };
    let mut text = line(&mut header.iter().map(|(name, _)| *name));
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

/// A number with its thousands apart: `1 234 567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A text on one line, cut to `width` characters.
pub(crate) fn cut(text: &str, width: usize) -> String {
    let text = text.replace(char::is_control, " ");
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let text = render(
            &[("name", Align::Left), ("rows", Align::Right)],
            &[vec!["charges".to_owned(), "5".to_owned()], vec!["ümlaut".to_owned(), "1 000".to_owned()]],
        );
        assert_eq!(text, "name      rows\ncharges      5\nümlaut   1 000\n");
    }

    #[test]
    fn a_cell_stays_on_its_line() {
        assert_eq!([cut("a\nb", 4), cut("abcdef", 4)], ["a b", "abc…"]);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1 000", "1 234 567"]);
    }
}
