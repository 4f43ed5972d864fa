//! Real configurations, where they lie beside the checkout: which of them are accepted, and why the others are not.
//!
//! They are kept as JSON in which computed values are marked. Each is written back as the Python file that it came
//! from, and planned by the program with every secret and variable known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Map, Value};

/// Files that dlt 1.31 refuses as well: measured by giving them to it.
const REFUSED_BY_DLT: [&str; 54] = [
    "007", "009", "029", "053", "067", "091", "101", "105", "107", "109", "115", "123", "139", "147", "149",
    "229", "231", "233", "235", "239", "245", "255", "257", "261", "263", "273", "277", "281", "283", "285",
    "287", "289", "291", "293", "295", "297", "413", "415", "417", "419", "423", "425", "429", "449", "455",
    "457", "469", "471", "473", "489", "511", "521", "523", "525",
];

/// Files of data that are refused, each for a reason of its own.
const LEFT: [(&str, &str); 9] = [
    ("087", "a name that another file imports"),
    ("145", "a paginator of its own"),
    ("403", "a body of plain text"),
    ("459", "a mock"),
    ("477", "a spread of what a test gives"),
    ("479", "a spread of what a test gives"),
    ("491", "a header with braces in its name, which HTTP does not know"),
    ("497", "json and data together, which dlt refuses when it runs"),
    ("519", "an action that a test gives"),
];

/// Writes marked JSON as Python.
#[derive(Default)]
pub(crate) struct Writer {
    /// The parameters of the source: names that the file gets from outside.
    parameters: BTreeMap<String, String>,
    /// Names of secrets and variables.
    pub(crate) looked_up: BTreeSet<String>,
    /// Whether something has to be executed.
    code: bool,
}

impl Writer {
    fn write(&mut self, value: &Value) -> String {
        match value {
            Value::Null => "None".to_owned(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => quoted(text),
            Value::Array(items) => {
                format!("[{}]", items.iter().map(|item| self.write(item)).collect::<Vec<_>>().join(", "))
            }
            Value::Object(map) => self.marked(map).unwrap_or_else(|| self.dict(map)),
        }
    }

    fn marked(&mut self, map: &Map<String, Value>) -> Option<String> {
        let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        for (mark, root) in [("$secret", "dlt.secrets"), ("$config", "dlt.config"), ("$env", "os.environ")] {
            if let Some(name) = text(mark) {
                self.looked_up.insert(name.clone());
                return Some(format!("{root}[{}]", quoted(&name)));
            }
        }
        if let Some(name) = text("$var") {
            if name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
                self.parameter(&name, map.get("default"));
            }
            return Some(name);
        }
        if let Some(written) = text("$fstring") {
            for name in written.split('{').skip(1).filter_map(|part| part.split_once('}')) {
                if name.0.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
                    self.parameter(name.0, None);
                }
            }
            return Some(format!("f'''{written}'''"));
        }
        if text("$redacted_literal").is_some() {
            return Some("'redacted'".to_owned());
        }
        if let Some(class) = text("$class") {
            self.code |= map.contains_key("$def");
            let mut arguments = Vec::new();
            for argument in map.get("args").and_then(Value::as_array).into_iter().flatten() {
                arguments.push(self.write(argument));
            }
            for (name, argument) in map.get("kwargs").and_then(Value::as_object).into_iter().flatten() {
                arguments.push(format!("{name}={}", self.write(argument)));
            }
            return Some(format!("{class}({})", arguments.join(", ")));
        }
        if let Some(code) = text("$call").or_else(|| text("$expr")) {
            self.code = true;
            return Some(code);
        }
        if let Some(code) = text("$callable") {
            self.code = true;
            return Some(code.strip_prefix("lambda: ").map_or_else(
                || code.split(':').next().unwrap_or_default().to_owned(),
                |lambda| format!("({lambda})"),
            ));
        }
        if let Some(element) = map.get("element").filter(|_| map.contains_key("$comprehension")) {
            self.code = true;
            return Some(format!("[{} for one in many]", self.write(element)));
        }
        let (then, other) = (map.get("then")?, map.get("else")?);
        self.code = true;
        Some(format!("({} if flag else {})", self.write(then), self.write(other)))
    }

    fn dict(&mut self, map: &Map<String, Value>) -> String {
        let mut entries = Vec::new();
        for (key, value) in map {
            match key.as_str() {
                "$if" | "$appended_in_code" => {}
                "$spread" => entries.push(format!("**{}", self.write(value))),
                _ => entries.push(format!("{}: {}", quoted(key), self.write(value))),
            }
        }
        format!("{{{}}}", entries.join(", "))
    }

    fn parameter(&mut self, name: &str, default: Option<&Value>) {
        let value = match default {
            Some(default) => self.write(default),
            None => "dlt.config.value".to_owned(),
        };
        self.looked_up.insert(name.to_owned());
        if default.is_some() || !self.parameters.contains_key(name) {
            self.parameters.insert(name.to_owned(), value);
        }
    }
}

/// The Python file that a marked configuration came from.
pub(crate) fn python(tree: &Value) -> (String, Writer) {
    let mut writer = Writer::default();
    let config = writer.write(&tree["config"]);
    let parameters: Vec<String> =
        writer.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let python = format!(
        "import dlt, os\n@dlt.source\ndef source({}):\n    config = {config}\n    yield from rest_api_resources(config)\n",
        parameters.join(", ")
    );
    (python, writer)
}

/// JSON's strings are Python's, but for pairs of surrogates, which are written out.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The first problem in general words: without place and path.
fn reason(said: &str) -> String {
    let first =
        said.lines().find(|line| !line.starts_with(' ') && !line.starts_with("note")).unwrap_or_default();
    let message = first.splitn(3, ": ").last().unwrap_or(first);
    let mut words = String::new();
    for (index, part) in message.split('`').enumerate() {
        words.push_str(if index % 2 == 0 { part } else { "..." });
    }
    words
}

#[test]
#[expect(clippy::print_stdout, reason = "the count is what this test is for")]
fn what_people_have_is_accepted() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("SKIPPED: no corpus beside this checkout");
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut groups: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let tree: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let (python, writer) = python(&tree);
        std::fs::write(work.path().join("config.py"), python).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dray"));
        command.current_dir(work.path()).args(["plan", "config.py"]);
        for known in &writer.looked_up {
            let value = if known.to_lowercase().contains("url") { "https://api.example.com/" } else { "7" };
            command.env(known, value).env(known.to_uppercase().replace('.', "__"), value);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let kind = if writer.code { "holds code" } else { "data" };
        match output.status.code() {
            Some(0) => groups.entry((kind, "accepted".to_owned())).or_default().push(name),
            Some(2) => {
                let known =
                    REFUSED_BY_DLT.contains(&name.as_str()) || LEFT.iter().any(|(left, _)| *left == name);
                if !writer.code && !known {
                    wrong.push(format!("{name}: {said}"));
                }
                groups.entry((kind, reason(&said))).or_default().push(name);
            }
            other => wrong.push(format!("{name}: it ended with {other:?}: {said}")),
        }
    }
    for ((kind, reason), names) in &groups {
        println!("{:4} {kind}: {reason} ({})", names.len(), names.join(" "));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
