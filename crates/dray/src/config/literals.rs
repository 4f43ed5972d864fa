//! Secrets that people write into files themselves, found before anything is said about the file.

use url::Url;

use super::node::{Node, Value};
use crate::secret::{Secret, is_secret_name};

/// Keys of `auth` whose values are no secrets.
const OPEN: [&str; 20] = [
    "type",
    "location",
    "name",
    "scheme",
    "format",
    "username",
    "grant_type",
    "method",
    "path",
    "url",
    "auth",
    "body",
    "token_path",
    "token_header",
    "token_cookie",
    "expires_in_path",
    "expires_at_path",
    "refresh_token_file",
    "when",
    "enabled",
];
/// Keys of `auth` whose values are headers, of which only those with the name of a secret hold one.
pub(crate) const HEADERS: &str = "headers";

/// The texts under names that look secret, those of `auth` that could be one under a misspelt name, and passwords in
/// URLs.
pub(crate) fn literals(root: &Node) -> Vec<Secret> {
    let mut found = Vec::new();
    walk(root, "", false, &mut found);
    found
}

fn walk(node: &Node, key: &str, in_auth: bool, found: &mut Vec<Secret>) {
    match &node.value {
        Value::Text(text) if !text.contains("${") => {
            if is_literal(key, in_auth, text) {
                found.push(Secret::new(text.as_str()));
                if let Some((_, token)) = text.rsplit_once(' ') {
                    found.push(Secret::new(token));
                }
            }
            if let Some(password) = text.contains("://").then(|| Url::parse(text.trim()).ok()).flatten()
                && let Some(password) = password.password()
            {
                found.push(Secret::new(password));
            }
        }
        Value::List(items) => items.iter().for_each(|item| walk(item, key, in_auth, found)),
        Value::Map(map) => {
            for entry in &map.entries {
                let in_auth = (in_auth || entry.key == "auth") && entry.key != HEADERS;
                walk(&entry.value, &entry.key, in_auth, found);
            }
        }
        _ => {}
    }
}

/// Whether a text without templates is a secret, going by its key and by whether it stands in an `auth`.
pub(crate) fn is_literal(key: &str, in_auth: bool, text: &str) -> bool {
    let open = in_auth && OPEN.contains(&key);
    !open && (is_secret_name(key) || (in_auth && !is_word(text)))
}

/// `api_key`, `client_credentials`, a URL: what stands in `auth` and is no credential.
fn is_word(text: &str) -> bool {
    text.contains("://") || text.chars().all(|letter| letter.is_ascii_lowercase() || "_- ".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::Diagnostics;
    use crate::config::parse::{Format, parse};

    #[test]
    fn what_is_written_in_a_file() {
        let text = "client:\n  base_url: https://me:pa55@x.example/\n  headers: {X-Api-Key: k1234, Accept: text/html}\n  \
                    auth: {type: bearer, tokken: sk_1234, api_key: Bearer abcd, token: '${secrets.x}', location: query, \
                    method: POST, refresh_token_file: .dray/Shop.json, headers: {Accept: application/json}, \
                    access_token_url: https://x.example/oauth2}\n";
        let root = parse(text, Format::Yaml, &mut Diagnostics::new()).unwrap();
        let found: Vec<_> = literals(&root).iter().map(|secret| secret.expose().to_owned()).collect();
        assert_eq!(found, ["pa55", "k1234", "sk_1234", "Bearer abcd", "abcd"]);
    }
}
