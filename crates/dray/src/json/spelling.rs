//! Paths as `jsonpath-ng` takes them and the standard does not: `$.a[b,c]`, `` $.a.`this` ``, `[?(@.a == 1 & @.b == 2)]`.

/// The path in the standard's spelling.
pub(super) fn standard(written: &str) -> String {
    // `this` is the value itself.
    let written = written.replace(".`this`", "");
    let mut spelled = String::new();
    let mut rest = written.as_str();
    while let Some(character) = rest.chars().next() {
        if let Some((names, after)) = rest.strip_prefix('[').and_then(bare_names) {
            let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
            spelled.push_str(&format!("[{}]", quoted.join(",")));
            rest = after;
            continue;
        }
        let (taken, after) = match character {
            // `$.[a,b]` is `$[a,b]`; `..[` is another thing.
            '.' if rest.starts_with(".[") && !spelled.ends_with('.') => ("", rest.split_at(1).1),
            '\'' | '"' => rest.split_at_checked(quoted_length(rest, character)).unwrap_or((rest, "")),
            '&' | '|' => {
                let length = rest.chars().take_while(|other| *other == character).count();
                let (_, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
                spelled.push_str(if character == '&' { "&&" } else { "||" });
                ("", after)
            }
            other => rest.split_at_checked(other.len_utf8()).unwrap_or((rest, "")),
        };
        spelled.push_str(taken);
        rest = after;
    }
    spelled
}

/// The names of `a,b]` and what follows the bracket, if all are bare names and there are several.
fn bare_names(inner: &str) -> Option<(Vec<&str>, &str)> {
    let (content, after) = inner.split_once(']')?;
    let names: Vec<&str> = content.split(',').map(str::trim).collect();
    let bare = |name: &&str| {
        name.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'))
    };
    (names.len() > 1 && names.iter().all(bare)).then_some((names, after))
}

/// The bytes of a text in quotes at the beginning, with its quotes; all if it does not end.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_jsonpath_ng_takes_is_respelled() {
        for (written, expected) in [
            ("$.Dto[Programs,Challenges][*]", "$.Dto['Programs','Challenges'][*]"),
            ("$.[a,b][*]", "$['a','b'][*]"),
            ("$.a.[*].b", "$.a[*].b"),
            ("$..[0]", "$..[0]"),
            ("$.a[ b , c-d ].e", "$.a['b','c-d'].e"),
            ("$.a.`this`[*]", "$.a[*]"),
            ("$[?(@.a == 'x & y' & @.b < 3)]", "$[?(@.a == 'x & y' && @.b < 3)]"),
            ("$[?@.a == 1 || @.b == 2]", "$[?@.a == 1 || @.b == 2]"),
            ("$.a['b,c'][0,1]", "$.a['b,c'][0,1]"),
            ("$['it\\'s', 'b']", "$['it\\'s', 'b']"),
        ] {
            assert_eq!(standard(written), expected);
        }
    }
}
