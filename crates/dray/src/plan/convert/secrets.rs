//! Secrets that stand in a file in clear are looked up in what is written of it.

use url::Url;

use crate::config::diagnostics::{child, item};
use crate::config::literals::{HEADERS, is_literal};
use crate::config::node::{Node, Value};

/// Keys below which a secret may be looked up.
const SENT: [&str; 5] = ["auth", "headers", "params", "json", "data"];

/// Headers that hold no secret, in lower case.
const OPEN_HEADERS: [&str; 6] =
    ["accept", "accept-language", "content-type", "user-agent", "prefer", "origin"];

/// What is taken for a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caution {
    /// What its name says is one.
    ByName,
    /// Every header too, but for those that never hold one: somebody gave it in clear.
    AllHeaders,
}

/// Replaces secrets by look-ups. The answer is the name of each and the path of the first place where it stood.
#[must_use]
pub fn move_secrets(root: &mut Node, caution: Caution) -> Vec<(String, String)> {
    let mut mover = Mover { caution, known: Vec::new(), first: Vec::new() };
    mover.walk(root, "", "", false, false);
    mover.first
}

struct Mover {
    caution: Caution,
    /// Values and the names that they got.
    known: Vec<(String, String)>,
    first: Vec<(String, String)>,
}

impl Mover {
    fn walk(&mut self, node: &mut Node, key: &str, path: &str, in_auth: bool, sent: bool) {
        match &mut node.value {
            Value::Text(text) if !text.contains(['{', '\n']) => {
                if key == "base_url" {
                    let password =
                        Url::parse(text.trim()).ok().and_then(|url| url.password().map(str::to_owned));
                    if let Some(password) = password {
                        let name = self.name("password", &password, path);
                        *text = text.replacen(&format!(":{password}@"), &format!(":${{secrets.{name}}}@"), 1);
                    }
                } else if sent && (is_literal(key, in_auth, text) || self.is_header(key, path)) {
                    let name = self.name(key, text, path);
                    *text = format!("${{secrets.{name}}}");
                }
            }
            Value::List(items) => {
                for (index, one) in items.iter_mut().enumerate() {
                    self.walk(one, key, &item(path, index), in_auth, sent);
                }
            }
            Value::Map(map) => {
                for entry in &mut map.entries {
                    let key = entry.key.as_str();
                    let auth = (in_auth || key == "auth") && key != HEADERS;
                    let sent = sent || SENT.contains(&key);
                    self.walk(&mut entry.value, key, &child(path, key), auth, sent);
                }
            }
            _ => {}
        }
    }

    fn is_header(&self, key: &str, path: &str) -> bool {
        let open = OPEN_HEADERS.iter().any(|open| key.eq_ignore_ascii_case(open));
        self.caution == Caution::AllHeaders
            && path.contains("headers")
            && !open
            && !key.to_ascii_lowercase().contains("version")
    }

    /// The name of a value: that of its key, with a number if another value has it.
    fn name(&mut self, key: &str, value: &str, path: &str) -> String {
        if let Some((_, name)) = self.known.iter().find(|(known, _)| known == value) {
            return name.clone();
        }
        let word =
            |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
        let stem: String =
            key.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()).chars().map(word).collect();
        let stem = if stem.is_empty() { "secret".to_owned() } else { stem };
        let taken = |name: &str| self.known.iter().any(|(_, known)| known == name);
        let mut name = stem.clone();
        let mut number = 2;
        while taken(&name) {
            name = format!("{stem}_{number}");
            number += 1;
        }
        self.known.push((value.to_owned(), name.clone()));
        self.first.push((name.clone(), path.to_owned()));
        name
    }
}
