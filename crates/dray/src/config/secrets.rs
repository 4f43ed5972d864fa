//! Where the values of templates come from, and in which order.
//!
//! The order is dlt's: the environment before files, with the same names in both.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::node::{Map, Value};

/// What a template can look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `${secrets.x}`
    Secrets,
    /// `${env.X}`
    Env,
    /// `${vars.x}`
    Vars,
    /// `${config.x}`
    Config,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Secrets, Self::Env, Self::Vars, Self::Config];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
            Self::Env => "env",
            Self::Vars => "vars",
            Self::Config => "config",
        }
    }

    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Secrets => "the secret",
            Self::Env => "the environment variable",
            Self::Vars => "the variable",
            Self::Config => "the configuration value",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A settings file in TOML.
#[derive(Clone, PartialEq)]
pub struct SettingsFile {
    /// Its name as the user knows it: `.dlt/secrets.toml`.
    pub name: String,
    /// Whether it may hold secrets; a file that may not is only asked for `${config.x}`.
    pub holds_secrets: bool,
    /// What it holds; `None` if there is no such file.
    pub content: Option<Map>,
}

impl std::fmt::Debug for SettingsFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its content is secret.
        formatter.debug_struct("SettingsFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Everything that templates are resolved from, apart from the file's own `vars`.
#[derive(Clone)]
pub struct Sources {
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The settings files, first one first.
    pub files: Vec<SettingsFile>,
    /// The name of the pipeline, a section of its own in both.
    pub pipeline: Option<String>,
    /// The moment that `now` means.
    pub now: Timestamp,
    /// Whether a missing secret is only noted and something else stands in its place: for a plan that is shown and
    /// never run.
    pub placeholders: bool,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An environment is full of secrets.
        formatter.debug_struct("Sources").field("pipeline", &self.pipeline).finish_non_exhaustive()
    }
}

/// What a lookup found.
pub(super) enum Answer {
    /// A value.
    Found(Value),
    /// Nothing, and where it was looked for.
    Missing(String),
}

/// dlt writes this into a fresh secrets.toml.
const PLACEHOLDER: &str = "<configure me>";

impl Sources {
    /// Sources with nothing but a clock.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { environment: BTreeMap::new(), files: Vec::new(), pipeline: None, now, placeholders: false }
    }

    /// The value of a name; of several, with `|` between them, the first that is set.
    pub(super) fn find(&self, kind: Kind, names: &str) -> Answer {
        let mut looked_at = Vec::new();
        for name in names.split('|') {
            match self.find_one(kind, name) {
                Answer::Missing(places) => looked_at.push(places),
                found @ Answer::Found(_) => return found,
            }
        }
        Answer::Missing(looked_at.join("; then "))
    }

    fn find_one(&self, kind: Kind, name: &str) -> Answer {
        if kind == Kind::Env {
            return match self.environment.get(name) {
                Some(value) if !value.is_empty() => Answer::Found(Value::Text(value.clone())),
                Some(_) => Answer::Missing("it is empty, which counts as not set".to_owned()),
                None => Answer::Missing(format!("set {name}, or give a default: ${{env.{name}:-default}}")),
            };
        }
        let paths = self.paths(name);
        let mut variables: Vec<String> = paths.iter().map(|path| variable_name(path)).collect();
        if kind == Kind::Secrets {
            variables.push(variable_name(&format!("dray_secrets.{name}")));
        }
        variables.dedup();
        let mut looked_at = Vec::new();
        for variable in variables {
            match self.environment.get(&variable) {
                Some(value) if !value.is_empty() => return Answer::Found(Value::Text(value.clone())),
                Some(_) => looked_at.push(format!("{variable} (empty, which counts as not set)")),
                None => looked_at.push(variable),
            }
        }
        let mut places = vec![format!("in the environment for {}", looked_at.join(", "))];
        for file in self.files.iter().filter(|file| file.holds_secrets || kind == Kind::Config) {
            let Some(content) = &file.content else {
                places.push(format!("in {} (no such file)", file.name));
                continue;
            };
            let mut placeholder = "";
            for path in &paths {
                match at_path(content, path) {
                    Some(Value::Text(text)) if text == PLACEHOLDER || text.is_empty() => {
                        placeholder = " (there, but not filled in)";
                    }
                    Some(Value::Null) | None => {}
                    Some(value) => return Answer::Found(value.clone()),
                }
            }
            places.push(format!("in {} for {}{placeholder}", file.name, paths.join(", ")));
        }
        Answer::Missing(format!("looked {}", places.join("; ")))
    }

    /// The dotted names under which a value may stand, first one first.
    fn paths(&self, name: &str) -> Vec<String> {
        let mut paths = vec![name.to_owned(), format!("sources.rest_api.{name}")];
        if let Some(pipeline) = &self.pipeline {
            paths.push(format!("sources.{pipeline}.{name}"));
            paths.push(format!("{pipeline}.sources.rest_api.{name}"));
        }
        paths.push(format!("sources.rest_api.credentials.{name}"));
        paths.push(format!("sources.{name}"));
        paths.push(format!("credentials.{name}"));
        paths
    }
}

/// `sources.rest_api.api-key` is `SOURCES__REST_API__API_KEY` in the environment.
fn variable_name(path: &str) -> String {
    let mut name = String::new();
    for letter in path.chars() {
        match letter {
            '.' => name.push_str("__"),
            letter if letter.is_alphanumeric() => name.extend(letter.to_uppercase()),
            _ => name.push('_'),
        }
    }
    name
}

fn at_path<'a>(content: &'a Map, path: &str) -> Option<&'a Value> {
    // A quoted key may hold dots itself.
    if let Some(node) = content.get(path) {
        return Some(&node.value);
    }
    let mut parts = path.split('.');
    let mut node = content.get(parts.next()?)?;
    for part in parts {
        node = node.as_map()?.get(part)?;
    }
    Some(&node.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::Diagnostics;
    use crate::config::parse::{Format, parse};

    fn sources(environment: &[(&str, &str)], toml: Option<&str>) -> Sources {
        let mut sources = Sources::new(Timestamp::UNIX_EPOCH);
        sources.pipeline = Some("shop".to_owned());
        for (name, value) in environment {
            sources.environment.insert((*name).to_owned(), (*value).to_owned());
        }
        let content = toml.map(|text| {
            parse(text, Format::Toml, &mut Diagnostics::new()).unwrap().as_map().unwrap().clone()
        });
        let file = |name: &str, content| SettingsFile { name: name.to_owned(), holds_secrets: true, content };
        sources.files = vec![file(".dray/secrets.toml", None), file(".dlt/secrets.toml", content)];
        sources
    }

    fn found(sources: &Sources, name: &str) -> String {
        match sources.find(Kind::Secrets, name) {
            Answer::Found(Value::Text(text)) => text,
            Answer::Found(value) => format!("{value:?}"),
            Answer::Missing(looked_at) => looked_at,
        }
    }

    #[test]
    fn the_environment_has_many_names() {
        for variable in [
            "API_KEY",
            "SOURCES__REST_API__API_KEY",
            "SOURCES__SHOP__API_KEY",
            "SHOP__SOURCES__REST_API__API_KEY",
            "SOURCES__REST_API__CREDENTIALS__API_KEY",
            "CREDENTIALS__API_KEY",
            "DRAY_SECRETS__API_KEY",
        ] {
            let sources = sources(&[(variable, "v")], Some("api_key = 'file'"));
            assert_eq!(found(&sources, "api_key"), "v", "{variable}");
        }
        assert_eq!(found(&sources(&[("A__B_C", "v")], None), "a.b-c"), "v");
    }

    #[test]
    fn of_several_names_the_first_that_is_set_counts() {
        let sources = sources(&[("CLIENT_SECRET", "c"), ("TOKEN", "t")], None);
        assert_eq!(found(&sources, "api_key|token|client_secret"), "t");
        assert!(found(&sources, "a|b").contains("for B"));
    }

    #[test]
    fn files_have_sections() {
        for toml in [
            "api_key = 'v'",
            "[sources.rest_api]\napi_key = 'v'",
            "[sources.shop]\napi_key = 'v'",
            "[sources.rest_api.credentials]\napi_key = 'v'",
            "[sources]\napi_key = 'v'",
            "api_key = '<configure me>'\n[sources]\napi_key = 'v'",
        ] {
            assert_eq!(found(&sources(&[("API_KEY", "")], Some(toml)), "api_key"), "v", "{toml}");
        }
        assert_eq!(found(&sources(&[], Some("[a.b]\nc = 'v'")), "a.b.c"), "v");
        assert_eq!(found(&sources(&[], Some("'a.b' = 'v'")), "a.b"), "v");
    }

    #[test]
    fn a_missing_one_lists_every_place() {
        let sources = sources(&[("API_KEY", "")], Some("api_key = '<configure me>'"));
        insta::assert_snapshot!(found(&sources, "api_key"), @"looked in the environment for API_KEY (empty, which counts as not set), SOURCES__REST_API__API_KEY, SOURCES__SHOP__API_KEY, SHOP__SOURCES__REST_API__API_KEY, SOURCES__REST_API__CREDENTIALS__API_KEY, SOURCES__API_KEY, CREDENTIALS__API_KEY, DRAY_SECRETS__API_KEY; in .dray/secrets.toml (no such file); in .dlt/secrets.toml for api_key, sources.rest_api.api_key, sources.shop.api_key, shop.sources.rest_api.api_key, sources.rest_api.credentials.api_key, sources.api_key, credentials.api_key (there, but not filled in)");
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let sources = sources(&[("API_KEY", "sk_1")], Some("api_key = 'sk_2'"));
        let shown = format!("{sources:?} {:?}", sources.files);
        assert!(!shown.contains("sk_"), "{shown}");
    }
}
