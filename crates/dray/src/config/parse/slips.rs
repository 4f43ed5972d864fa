//! Slips of documents: code that shows what is meant and is not quite Python.

use std::fmt::Write as _;

/// Code without its slips, line for line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mended {
    pub(super) code: String,
    /// What was mended: its line, counted from 1, and how it is read.
    pub(super) notes: Vec<(usize, String)>,
}

/// Mends what can be mended; none where there is nothing.
pub(super) fn mended(code: &str) -> Option<Mended> {
    let lines: Vec<&str> = code.lines().collect();
    let mut mended = Mended { code: String::with_capacity(code.len() + 64), notes: Vec::new() };
    for (place, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let opened = place.checked_sub(1).and_then(|before| lines.get(before));
        let list = opened.is_some_and(|before| opens_resources(before))
            && lines.get(place + 1).is_some_and(|after| after.trim_start().starts_with(']'));
        let mut note = None;
        if let Some(comment) = bare.strip_prefix("//") {
            let indent = line.len() - bare.len();
            mended.code.extend(std::iter::repeat_n(' ', indent));
            mended.code.push_str("# ");
            mended.code.push_str(comment);
            note = Some("`//` is read as the beginning of a comment".to_owned());
        } else if list && let Some(names) = bare_names(bare) {
            let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            mended.code.push_str(&quoted.join(", "));
            let mut text = String::from("words without quotes are read as names of resources:");
            for (index, name) in names.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                // Writing to a text cannot fail.
                if write!(text, "{comma} `{name}`").is_err() {
                    break;
                }
            }
            note = Some(text);
        } else {
            mended.code.push_str(line);
        }
        mended.code.push('\n');
        mended.notes.extend(note.map(|note| (place + 1, note)));
    }
    (!mended.notes.is_empty()).then_some(mended)
}

/// `"resources": [` at the end of a line.
fn opens_resources(line: &str) -> bool {
    let Some(line) = line.trim_end().strip_suffix('[') else { return false };
    let Some(key) = line.trim_end().strip_suffix(':') else { return false };
    key.trim().trim_matches(['"', '\'']) == "resources"
}

/// `arp,,info,,v3/connect`: words and commas alone, and one word at least.
fn bare_names(line: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = line.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    let is_name = |word: &&str| {
        word.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '/' | '.'))
    };
    (!words.is_empty() && words.iter().all(is_name)).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_words_among_resources_are_names() {
        let found = mended("\"resources\": [\n    arp,,info,, v3/connect\n    ],\n").unwrap();
        assert_eq!(found.code, "\"resources\": [\n\"arp\", \"info\", \"v3/connect\"\n    ],\n");
        let note = "words without quotes are read as names of resources: `arp`, `info`, `v3/connect`";
        assert_eq!(found.notes, [(2, note.to_owned())]);
        for good in [
            "\"resources\": [\n    one(1),\n]",
            "\"columns\": [\n    a, b\n]",
            "\"resources\": [\n    a,\n    b,\n]",
        ] {
            assert_eq!(mended(good), None, "{good}");
        }
    }

    #[test]
    fn comments_of_other_languages_are_comments() {
        assert_eq!(mended("x = 1\n  // more here\n").unwrap().code, "x = 1\n  #  more here\n");
    }
}
