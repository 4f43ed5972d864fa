//! Names of tables and columns: dlt's `snake_case` (dlt.md §3.5).

/// Between the parts of a name that is a path: `customer__address__city`.
pub(crate) const SEPARATOR: &str = "__";

/// A key as a name. Parts that a double underscore separates are named one by one, and empty ones left out.
///
/// `HTTPServer` is `http_server`, `1st` is `_1st`, `trail_` is `trailx`, `a.b` is `a_b`, an empty key is `_empty`.
#[must_use]
pub fn normalize(key: &str) -> String {
    let key = key.trim();
    if key.is_empty() {
        return "_empty".to_owned();
    }
    if !key.contains(SEPARATOR) {
        return part(key);
    }
    let named: Vec<String> = key.split(SEPARATOR).filter(|part| !part.trim().is_empty()).map(part).collect();
    // Nothing but separators: dlt makes an empty name of that, which no table can have.
    if named.is_empty() { part(key) } else { named.join(SEPARATOR) }
}

/// The column of a key as a configuration writes it: `customer.id` is `customer__id`.
#[must_use]
pub fn column_name(key: &str) -> String {
    key.split('.').map(normalize).collect::<Vec<_>>().join(SEPARATOR)
}

/// One part: odd characters to underscores, words split at capitals, lower case, no leading digit, no trailing underscore.
fn part(part: &str) -> String {
    let mut plain = String::with_capacity(part.len());
    let mut odd = false;
    for character in part.chars() {
        let mapped = match character {
            '+' | '*' => 'x',
            '-' => '_',
            '@' => 'a',
            '|' => 'l',
            other => other,
        };
        if mapped.is_ascii_alphanumeric() || mapped == '_' {
            plain.push(mapped);
            odd = false;
        } else if !odd {
            plain.push('_');
            odd = true;
        }
    }
    let mut name = split_words(&plain);
    let trailing = name.len() - name.trim_end_matches('_').len();
    name.truncate(name.len() - trailing);
    name.extend(std::iter::repeat_n('x', trailing));
    let mut joined = String::with_capacity(name.len() + 1);
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        joined.push('_');
    }
    for character in name.chars() {
        if character != '_' || !joined.ends_with('_') {
            joined.push(character);
        }
    }
    joined
}

/// Lower case, with an underscore where a word begins: `userID` is `user_id`, `HTTPServer` is `http_server`.
fn split_words(plain: &str) -> String {
    let bytes = plain.as_bytes();
    let mut words = String::with_capacity(plain.len() + 4);
    for (index, byte) in bytes.iter().enumerate() {
        if byte.is_ascii_uppercase() && index > 0 {
            let before = bytes.get(index - 1).copied().unwrap_or(b'_');
            let after = bytes.get(index + 1).copied().unwrap_or(b'_');
            let after_word = before.is_ascii_lowercase() || before.is_ascii_digit();
            let last_of_capitals = before.is_ascii_uppercase() && after.is_ascii_lowercase();
            if after_word || last_of_capitals {
                words.push('_');
            }
        }
        words.push(char::from(byte.to_ascii_lowercase()));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn names_as_dlt_makes_them() {
        for (key, name) in [
            ("HTTPServer", "http_server"),
            ("userID", "user_id"),
            ("trail_", "trailx"),
            ("1st", "_1st"),
            ("x+y*z", "xxyxz"),
            ("@id", "aid"),
            ("$ref", "_ref"),
            ("__lead", "lead"),
            ("t__", "t"),
            ("___a", "_a"),
            ("a___", "a__x"),
            ("a_____b", "a___b"),
            ("a__ __b", "a__b"),
            ("__a__b__", "a__b"),
            ("_a_", "_ax"),
            ("a__1", "a___1"),
            ("a__b_", "a__bx"),
            ("%__%", "x__x"),
            ("A|B", "al_b"),
            ("ümlaut", "_mlaut"),
            ("é", "x"),
            ("日本", "x"),
            ("a__b", "a__b"),
            ("a.b", "a_b"),
            ("a-b", "a_b"),
            ("", "_empty"),
            ("created[gte]", "created_gtex"),
            ("customer_id", "customer_id"),
        ] {
            assert_eq!(normalize(key), name, "{key}");
        }
    }

    #[test]
    fn naming_twice_changes_nothing() {
        for key in ["userID", "a__b", "x y z", "Ünïcode", "trail__", "_dlt_id", "9lives"] {
            let once = normalize(key);
            assert_eq!(normalize(&once), once);
        }
    }
}
