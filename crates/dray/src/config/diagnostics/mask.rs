//! Showing a line of a file without the secrets that people write into files.
//!
//! A line is shown to help, so it is better to mask too much of it than too little.

use crate::secret::{MASK, is_secret_name};

/// A file whose lines can be shown.
pub(super) struct Source<'a> {
    lines: Vec<&'a str>,
    /// In Python a bare word is a name, never a literal; elsewhere it is one.
    bare_words_are_literals: bool,
}

impl<'a> Source<'a> {
    pub(super) fn new(file_name: &str, text: &'a str) -> Self {
        let extension = file_name.rsplit('.').next().unwrap_or_default();
        Self {
            lines: text.lines().collect(),
            bare_words_are_literals: !matches!(extension, "py" | "md" | "txt"),
        }
    }

    /// A line, masked, and the column to point at, moved as the masks require. Both count from 1.
    pub(super) fn line(&self, line: u32, column: u32) -> Option<(String, usize)> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let column = usize::try_from(column).ok()?;
        // Tabs would move the caret away from what it points at.
        let letters: Vec<char> =
            self.lines.get(index)?.chars().map(|letter| if letter == '\t' { ' ' } else { letter }).collect();
        let before = index.checked_sub(1).and_then(|index| self.lines.get(index));
        let mut spans = self.secrets(&letters);
        if before.is_some_and(|before| opens_a_secret(before)) {
            let start = letters.iter().position(|letter| !letter.is_whitespace()).unwrap_or(letters.len());
            spans = vec![(start, letters.len())];
        }
        let mut shown = String::new();
        let mut pointed = column;
        let mut at = 0;
        for (start, end) in spans {
            shown.extend(letters.iter().skip(at).take(start.saturating_sub(at)));
            shown.push_str(MASK);
            at = end;
            if column > end {
                pointed = (pointed + MASK.len()).saturating_sub(end - start);
            } else if column > start {
                pointed = pointed.min(start + 1);
            }
        }
        shown.extend(letters.iter().skip(at));
        Some((shown, pointed))
    }

    /// The spans of literals that look secret, in order, without overlap.
    fn secrets(&self, letters: &[char]) -> Vec<(usize, usize)> {
        let mut spans = Vec::new();
        // Positional arguments of a stock class have no name to go by.
        let text: String = letters.iter().collect();
        let all_quoted = ["Auth(", "Credentials(", "auth=("].iter().any(|call| text.contains(call));
        let mut at = 0;
        while let Some(&letter) = letters.get(at) {
            if letter.is_alphanumeric() || letter == '_' {
                let end = word_end(letters, at);
                let word: String = letters.iter().skip(at).take(end - at).collect();
                let asks = at.checked_sub(1).and_then(|before| letters.get(before));
                let in_query = matches!(asks, Some('?' | '&'));
                if word != "auth"
                    && is_secret_name(&word)
                    && let Some(span) = self.literal_after(letters, end, in_query)
                {
                    // A closing quote must not open the next literal.
                    let closes = matches!(letters.get(span.1), Some('"' | '\''));
                    at = span.1 + usize::from(closes);
                    spans.push(span);
                    continue;
                }
                at = end;
            } else if matches!(letter, '"' | '\'') && all_quoted {
                let end = quote_end(letters, at);
                if end > at + 2 && !is_template(letters, at + 1, end - 1) {
                    spans.push((at + 1, end - 1));
                }
                at = end.max(at + 1);
            } else if let Some(end) = user_info_end(letters, at) {
                spans.push((at + 3, end));
                at = end;
            } else {
                at += 1;
            }
        }
        spans
    }

    /// The literal that a secret-looking word names: `word: literal`, `"word": "literal"`, `word=literal`.
    fn literal_after(&self, letters: &[char], mut at: usize, in_query: bool) -> Option<(usize, usize)> {
        let skip_blanks = |mut at: usize| {
            while letters.get(at).is_some_and(|letter| letter.is_whitespace()) {
                at += 1;
            }
            at
        };
        while letters.get(at).is_some_and(|letter| matches!(letter, '"' | '\'' | ']')) {
            at += 1;
        }
        at = skip_blanks(at);
        if !matches!(letters.get(at), Some(':' | '=')) {
            return None;
        }
        at = skip_blanks(at + 1);
        let prefixed = matches!(letters.get(at), Some('f' | 'r' | 'b' | 'F' | 'R' | 'B'))
            && matches!(letters.get(at + 1), Some('"' | '\''));
        if prefixed {
            at += 1;
        }
        match letters.get(at) {
            Some('"' | '\'') => {
                let end = quote_end(letters, at);
                let inner = (at + 1, end.saturating_sub(1).max(at + 1));
                (!is_template(letters, inner.0, inner.1)).then_some(inner)
            }
            Some('{' | '[' | '(' | '|' | '>' | ',' | '&' | '*') | None => None,
            Some(_) if self.bare_words_are_literals || in_query => {
                let stops: &[char] = if in_query { &['&', '"', '\'', ' '] } else { &[',', '}', ']', '#'] };
                let mut end = at;
                // A template may hold any of the letters that end a bare word.
                let template = letters.get(at) == Some(&'$') && letters.get(at + 1) == Some(&'{');
                if template {
                    end = letters
                        .iter()
                        .skip(at)
                        .position(|letter| *letter == '}')
                        .map_or(at, |length| at + length + 1);
                }
                while letters.get(end).is_some_and(|letter| !stops.contains(letter)) {
                    end += 1;
                }
                while end > at && letters.get(end - 1).is_some_and(|letter| letter.is_whitespace()) {
                    end -= 1;
                }
                (!is_template(letters, at, end)).then_some((at, end))
            }
            Some(_) => None,
        }
    }
}

/// Whether a line names a secret and leaves its value to the next line.
fn opens_a_secret(line: &str) -> bool {
    let line = line.trim_end();
    let Some(head) = line
        .strip_suffix(['|', '>', '('])
        .or_else(|| line.strip_suffix("|-"))
        .or_else(|| line.strip_suffix(">-"))
        .or(Some(line))
    else {
        return false;
    };
    let Some(head) = head.trim_end().strip_suffix([':', '=']) else { return false };
    let name = head.trim_end_matches([' ', '"', '\'']).rsplit([' ', '"', '\'', ',', '{', '(']).next();
    name.is_some_and(|name| name != "auth" && is_secret_name(name))
}

fn word_end(letters: &[char], mut at: usize) -> usize {
    while letters.get(at).is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-')) {
        at += 1;
    }
    at
}

/// Just after the quote that closes the one at `at`, or the end of the line.
fn quote_end(letters: &[char], at: usize) -> usize {
    let quote = letters.get(at);
    let mut end = at + 1;
    while let Some(letter) = letters.get(end) {
        if *letter == '\\' {
            end += 1;
        } else if Some(letter) == quote {
            return end + 1;
        }
        end += 1;
    }
    letters.len() + 1
}

/// Whether these letters only refer to a secret (`${secrets.x}`), or are nothing.
fn is_template(letters: &[char], start: usize, end: usize) -> bool {
    let text: String = letters.iter().skip(start).take(end.saturating_sub(start)).collect();
    let Some(inner) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        return text.is_empty();
    };
    !inner.contains("${") && !inner.contains(":-")
}

/// The end of `user:password` in `://user:password@host`, if that stands at `at`.
fn user_info_end(letters: &[char], at: usize) -> Option<usize> {
    if !letters.iter().skip(at).take(3).eq(&[':', '/', '/']) {
        return None;
    }
    let stop = letters
        .iter()
        .skip(at + 3)
        .position(|letter| matches!(letter, '@' | '/' | '?' | '"' | '\'' | ' '))?;
    (stop > 0 && letters.get(at + 3 + stop) == Some(&'@')).then_some(at + 3 + stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(file: &str, line: &str) -> String {
        Source::new(file, line).line(1, 1).unwrap().0
    }

    #[test]
    fn literals_next_to_secret_names_are_masked() {
        for (line, masked) in [
            (r#""token": "sk_live_1","#, r#""token": "***","#),
            (r#"    "api_key": 'it\'s',  # x"#, r#"    "api_key": '***',  # x"#),
            (r#"auth=BearerTokenAuth(token="sk_live_1")"#, r#"auth=BearerTokenAuth(token="***")"#),
            (r#"HttpBasicAuth("me", "pw")"#, r#"HttpBasicAuth("***", "***")"#),
            (r#""Authorization": f"Bearer {x}","#, r#""Authorization": f"***","#),
            (r#""token": dlt.secrets["github"],"#, r#""token": dlt.secrets["github"],"#),
            (r#""token": token, "limit": 5"#, r#""token": token, "limit": 5"#),
            (r#""primary_key": "id","#, r#""primary_key": "id","#),
            (r#""token": "${secrets.x}","#, r#""token": "${secrets.x}","#),
            (r#""token": "${env.X:-sk_live_1}","#, r#""token": "***","#),
            (r#""path": "a?api_key=abc&x=1","#, r#""path": "a?api_key=***&x=1","#),
            (r#""base_url": "https://me:pw@host/v1","#, r#""base_url": "https://***@host/v1","#),
            (r#""token": "unclosed"#, r#""token": "***"#),
        ] {
            assert_eq!(shown("a.py", line), masked);
        }
    }

    #[test]
    fn bare_words_are_literals_in_yaml() {
        for (line, masked) in [
            ("  token: sk_live_1 # mine", "  token: *** # mine"),
            ("auth: {type: bearer, token: sk_live_1}", "auth: {type: bearer, token: ***}"),
            ("auth: {token: ${secrets.x}, name: y}", "auth: {token: ${secrets.x}, name: y}"),
            ("  token: ${secrets.x}", "  token: ${secrets.x}"),
            ("  primary_key: id", "  primary_key: id"),
            ("  x-api-key: abc", "  x-api-key: ***"),
        ] {
            assert_eq!(shown("a.yaml", line), masked);
        }
    }

    #[test]
    fn a_value_on_the_next_line_is_masked() {
        let source = Source::new("a.yaml", "token: >-\n  sk_live_1\nname: x");
        assert_eq!(source.line(2, 3), Some(("  ***".to_owned(), 3)));
        assert_eq!(source.line(3, 1), Some(("name: x".to_owned(), 1)));
    }

    #[test]
    fn the_caret_moves_with_the_mask() {
        let source = Source::new("a.yaml", "{token: sk_live_123456, limmit: 5}");
        assert_eq!(source.line(1, 25), Some(("{token: ***, limmit: 5}".to_owned(), 14)));
        assert_eq!(source.line(1, 9).map(|(_, column)| column), Some(9));
    }
}
