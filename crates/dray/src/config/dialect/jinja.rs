//! Jinja expressions as other tools write them.

/// The expression of each `{{ ... }}` replaced by what `read` makes of it; none leaves it as it is.
pub(super) fn replaced(text: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some((before, inner)) = rest.split_once("{{") {
        let Some((expression, after)) = inner.split_once("}}") else { break };
        out.push_str(before);
        match read(expression.trim()) {
            Some(found) => {
                out.push_str(&found);
                changed = true;
            }
            None => {
                out.push_str("{{");
                out.push_str(expression);
                out.push_str("}}");
            }
        }
        rest = after;
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// The name at the end of `stream_partition['x']`, `stream_slice.x`, `config["x"]`, with its root.
pub(super) fn member(expression: &str) -> Option<(&str, &str)> {
    let end = expression.find(['.', '[']).unwrap_or(expression.len());
    let (root, rest) = expression.split_at_checked(end)?;
    let name = if let Some(call) = rest.strip_prefix(".get(") {
        call.strip_suffix(')')?.split(',').next()?.trim().trim_matches(['\'', '"'])
    } else if let Some(name) = rest.strip_prefix('.') {
        name
    } else {
        rest.strip_prefix('[')?.strip_suffix(']')?.trim_matches(['\'', '"'])
    };
    is_name(name).then_some((root.trim(), name))
}

/// A placeholder of this program for an expression that can stand in a path.
pub(super) fn in_path(expression: &str) -> Option<String> {
    if let Some(of_dlt) = expression.strip_prefix("dlt.") {
        return match member(of_dlt)? {
            (kind @ ("secrets" | "config"), name) => Some(format!("${{{kind}.{name}}}")),
            _ => None,
        };
    }
    match member(expression) {
        Some(("config", name)) => Some(format!("${{vars.{name}}}")),
        Some(("stream_partition" | "stream_slice" | "partition", name)) => Some(format!("{{{name}}}")),
        _ if is_name(expression) => Some(format!("{{{expression}}}")),
        _ => None,
    }
}

/// The same elsewhere, where doubled braces may be meant as such.
pub(super) fn in_value(expression: &str) -> Option<String> {
    if expression.starts_with("dlt.") {
        return in_path(expression);
    }
    let (root, _) = member(expression)?;
    matches!(root, "config" | "stream_partition" | "stream_slice").then(|| in_path(expression)).flatten()
}

/// The path in a response that an expression reads: `response.get('a', {}).get('b')` is `a.b`.
pub(super) fn response_path(text: &str) -> Option<String> {
    let mut rest = text.trim().trim_start_matches('{').trim_end_matches('}').trim();
    rest = rest.strip_prefix("not ").unwrap_or(rest);
    for end in [" is false", " is none", " is not defined", " == false", " == False", " is None"] {
        rest = rest.split(end).next().unwrap_or(rest);
    }
    let rest = rest.trim().trim_end_matches(" or None");
    let rest = rest.strip_prefix("response").unwrap_or(rest);
    let mut keys: Vec<&str> = Vec::new();
    let mut left = rest.trim();
    while !left.is_empty() {
        if let Some(call) = left.strip_prefix(".get(") {
            let (arguments, after) = call.split_once(')')?;
            keys.push(arguments.split(',').next()?.trim().trim_matches(['\'', '"']));
            left = after;
        } else if let Some(bracket) = left.strip_prefix('[') {
            let (key, after) = bracket.split_once(']')?;
            keys.push(key.trim_matches(['\'', '"']));
            left = after;
        } else {
            let word = left.strip_prefix('.').unwrap_or(left);
            let end = word.find(['.', '[']).unwrap_or(word.len());
            let (key, after) = word.split_at_checked(end)?;
            keys.push(key);
            left = after;
        }
    }
    let plain =
        |key: &&str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-@$".contains(c));
    (!keys.is_empty() && keys.iter().all(plain)).then(|| keys.join("."))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_alphanumeric() || character == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_in_paths() {
        for (written, read) in [
            ("/lists/{{ list_id }}/forms.json", "/lists/{list_id}/forms.json"),
            ("/c/{{ stream_partition['conversation_id'] }}", "/c/{conversation_id}"),
            ("/c/{{ stream_partition.shipmentId }}/x", "/c/{shipmentId}/x"),
            ("/{{ config['site'] }}/a", "/${vars.site}/a"),
        ] {
            assert_eq!(replaced(written, in_path).as_deref(), Some(read));
        }
        assert_eq!(replaced("query {{ user {{ id }} }}", in_value), None);
        assert_eq!(replaced("{{ dlt.secrets['id'] }}", in_value).as_deref(), Some("${secrets.id}"));
        assert_eq!(replaced("{{ config.query }}", in_value).as_deref(), Some("${vars.query}"));
    }

    #[test]
    fn paths_in_responses() {
        for (written, path) in [
            ("{{ response.next }}", "next"),
            ("{{ response.get('links', {}).get('next') }}", "links.next"),
            ("{{ response.has_more is false }}", "has_more"),
            ("not response.get('hasMore', False)", "hasMore"),
            ("not pagination.has_next_page", "pagination.has_next_page"),
            ("{{ response['meta']['cursor'] }}", "meta.cursor"),
        ] {
            assert_eq!(response_path(written).as_deref(), Some(path), "{written}");
        }
        assert_eq!(response_path("response.get('data')|length == 0"), None);
    }
}
