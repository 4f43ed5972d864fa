//! A case as its file has it, with what dlt did.

use std::path::Path;

use dray::config::diagnostics::Diagnostics;
use dray::config::node::{Node, Value as Written};
use dray::config::parse::{Format, parse};
use serde_json::{Map, Value};
use sha3::{Digest, Sha3_256};

/// A configuration, an API, what dlt did, and how dray means to differ from it.
pub(super) struct Case {
    /// `<group>/<name>`.
    pub(super) name: String,
    written: Value,
    pub(super) golden: Value,
}

impl Case {
    /// Every case, in the order of the names.
    pub(super) fn all(folder: &Path) -> Vec<Self> {
        files(&folder.join("cases"), "yaml").into_iter().map(|name| Self::read(folder, name)).collect()
    }

    fn read(folder: &Path, name: String) -> Self {
        let text = std::fs::read_to_string(folder.join(format!("cases/{name}.yaml"))).unwrap();
        let golden = std::fs::read_to_string(folder.join(format!("goldens/{name}.json")))
            .unwrap_or_else(|error| panic!("{name} is not recorded ({error}): run `make compat`"));
        let golden: Value = serde_json::from_str(&golden).unwrap();
        assert_eq!(
            golden["case"],
            digest(&text),
            "{name} has changed since it was recorded: run `make compat`"
        );
        Self { written: yaml(&text), name, golden }
    }

    pub(super) fn group(&self) -> &str {
        self.name.split_once('/').unwrap().0
    }

    pub(super) fn about(&self) -> &str {
        self.written["about"].as_str().unwrap()
    }

    pub(super) fn config(&self) -> &Value {
        &self.written["config"]
    }

    pub(super) fn api(&self) -> Vec<Value> {
        self.written["api"].as_array().cloned().unwrap_or_default()
    }

    pub(super) fn runs(&self) -> u64 {
        self.written["runs"].as_u64().unwrap_or(1)
    }

    /// Keys of dray's own that make it do as dlt does.
    pub(super) fn switches(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.written["switches"].as_object().into_iter().flatten()
    }

    /// The difference of this kind (`requests`, `tables`, `error`, `succeeds`), if one is meant.
    pub(super) fn differs(&self, kind: &str) -> Option<&Value> {
        self.differences().find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    pub(super) fn differences(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.written["differs"].as_object().into_iter().flatten()
    }
}

/// The files of a folder's folders, as `<folder>/<name without its ending>`.
pub(super) fn files(folder: &Path, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for group in std::fs::read_dir(folder).unwrap() {
        let group = group.unwrap();
        for entry in std::fs::read_dir(group.path()).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(path.extension().and_then(|found| found.to_str()), Some(ending), "{}", path.display());
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            found.push(format!("{}/{name}", group.file_name().to_string_lossy()));
        }
    }
    found.sort();
    found
}

/// Of a case without its differences, as `compat/record.py` has it.
fn digest(text: &str) -> String {
    let recorded = text.split_once("\ndiffers:").map_or(text, |(recorded, _)| recorded);
    let hash = Sha3_256::digest(recorded.trim_end().as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// YAML as data.
pub(super) fn yaml(text: &str) -> Value {
    let mut diagnostics = Diagnostics::default();
    let node = parse(text, Format::Yaml, &mut diagnostics);
    plain(&node.unwrap_or_else(|| panic!("{}", diagnostics.render("case.yaml", text))))
}

fn plain(node: &Node) -> Value {
    match &node.value {
        Written::Null => Value::Null,
        Written::Bool(value) => Value::from(*value),
        Written::Int(value) => Value::from(*value),
        Written::Float(value) => Value::from(*value),
        Written::Text(text) => Value::from(text.as_str()),
        Written::Secret(_) => panic!("a case holds no secrets"),
        Written::List(items) => items.iter().map(plain).collect(),
        Written::Map(map) => {
            let entries = map.entries.iter().map(|entry| (entry.key.clone(), plain(&entry.value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}
