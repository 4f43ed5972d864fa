//! What dray did in a case, held against what dlt did and what the case says of differences.

use serde_json::{Map, Value, json};

use super::case::Case;
use super::tables::sorted;

/// What dray did.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) runs: Vec<Run>,
    pub(super) tables: Value,
}

/// One run of it.
pub(super) struct Run {
    pub(super) requests: Vec<Value>,
    pub(super) code: Option<i32>,
    pub(super) said: String,
    pub(super) load: String,
}

impl Outcome {
    /// All that is unlike dlt and not meant to be.
    pub(super) fn unlike(&self, case: &Case) -> Vec<String> {
        let mut found = Vec::new();
        let mut loaded = true;
        let of_dlt = case.golden["runs"].as_array().unwrap();
        for (number, (run, dlt)) in self.runs.iter().zip(of_dlt).enumerate() {
            let succeeded = self.ends_as_it_should(case, number, dlt, &mut found);
            loaded &= succeeded;
            let meant = case.differs("requests");
            if succeeded || meant.is_some() {
                let expected = meant.map_or_else(|| dlt["requests"].clone(), |meant| of_run(meant, number));
                if by_path(&run.requests) != by_path(expected.as_array().unwrap()) {
                    found.push(format!(
                        "requests of run {}:\n  expected {}\n  but      {}\n{}",
                        number + 1,
                        lines(&expected),
                        lines(&Value::Array(run.requests.clone())),
                        run.said
                    ));
                }
            }
        }
        if let Some(meant) = case.differs("requests")
            && of_dlt.iter().enumerate().all(|(number, dlt)| of_run(meant, number) == dlt["requests"])
        {
            found.push("`differs.requests` says what dlt does".to_owned());
        }
        if loaded || case.differs("tables").is_some() {
            self.tables_unlike(case, &mut found);
        }
        found
    }

    /// Whether a run succeeded; where that is not what is expected, this is said.
    fn ends_as_it_should(&self, case: &Case, number: usize, dlt: &Value, found: &mut Vec<String>) -> bool {
        let run = &self.runs[number];
        let succeeded = run.code == Some(0);
        let refused = case.differs("error").filter(|meant| run_of(meant).is_none_or(|of| of == number));
        let mended = case.differs("succeeds").filter(|meant| run_of(meant).is_none_or(|of| of == number));
        let failed_in = dlt["error"]["step"].as_str();
        let said = format!("run {} ended with {:?}:\n{}", number + 1, run.code, run.said);
        match (refused, mended, failed_in) {
            (Some(_), _, Some(_)) => found.push("`differs.error`, but dlt fails as well".to_owned()),
            (_, Some(_), None) => found.push("`differs.succeeds`, but dlt succeeds as well".to_owned()),
            (Some(meant), _, None) => {
                let says = meant["says"].as_str().unwrap();
                if succeeded || !run.said.contains(says) {
                    found.push(format!("it should fail with `{says}`; {said}"));
                }
            }
            (None, None, Some("config")) if run.code != Some(2) => {
                found.push(format!("dlt refuses the configuration ({}); {said}", dlt["error"]["kind"]));
            }
            (None, None, Some(step)) if succeeded => {
                found.push(format!("dlt fails in {step} ({}); {said}", dlt["error"]["kind"]));
            }
            (None, Some(_), Some(_)) | (None, None, None) if !succeeded => {
                found.push(format!("it should succeed; {said}"));
            }
            _ => {}
        }
        succeeded
    }

    fn tables_unlike(&self, case: &Case, found: &mut Vec<String>) {
        let mut expected = case.golden["tables"].clone();
        if let Some(meant) = case.differs("tables") {
            merge(&mut expected, &texts(&meant["expected"]));
            if sorted(&expected) == sorted(&case.golden["tables"]) {
                found.push("`differs.tables` says what dlt does".to_owned());
            }
        }
        for (_, table) in expected.as_object_mut().into_iter().flatten() {
            if let Some(rows) = table.get_mut("rows").and_then(Value::as_array_mut) {
                rows.sort_by_cached_key(sorted);
            }
        }
        let names =
            expected.as_object().into_iter().flatten().chain(self.tables.as_object().into_iter().flatten());
        let mut names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        names.sort();
        names.dedup();
        for name in &names {
            allow_null(&mut expected[name]["columns"], &self.tables[name]["columns"]);
            for part in ["columns", "rows", "orphans"] {
                let (wanted, made) = (&expected[name][part], &self.tables[name][part]);
                if sorted(wanted) != sorted(made) {
                    let (wanted, made) = (sorted(wanted), sorted(made));
                    found.push(format!("{part} of {name}:\n  expected {wanted}\n  but      {made}"));
                }
            }
        }
    }
}

/// The difference `nullable-keys`: what dlt has NOT NULL beside its own columns need not be that.
fn allow_null(expected: &mut Value, made: &Value) {
    for (column, kind) in expected.as_object_mut().into_iter().flatten() {
        let of_dlt = column.starts_with("_dlt_") && column != "_dlt_root_id";
        if let Some(plain) = kind.as_str().and_then(|kind| kind.strip_suffix(" NOT NULL"))
            && !of_dlt
            && made[column] == plain
        {
            *kind = made[column].clone();
        }
    }
}

/// The run that a difference is about, from 0; `None`: all of them.
fn run_of(meant: &Value) -> Option<usize> {
    meant["run"].as_u64().and_then(|run| usize::try_from(run).ok()).and_then(|run| run.checked_sub(1))
}

/// What is expected of a run: one list is of all runs, a list of lists has one for each.
fn of_run(meant: &Value, number: usize) -> Value {
    let expected = &meant["expected"];
    if expected[0].is_array() { expected[number].clone() } else { expected.clone() }
}

/// The requests, path by path: the order among different resources is not defined, not even in dlt.
fn by_path(requests: &[Value]) -> Vec<String> {
    let mut requests: Vec<&Value> = requests.iter().collect();
    requests.sort_by_key(|request| {
        let line = request.as_str().or_else(|| request["request"].as_str()).unwrap_or_default();
        line.split('?').next().unwrap_or_default().to_owned()
    });
    requests.into_iter().map(sorted).collect()
}

fn lines(requests: &Value) -> String {
    requests.as_array().unwrap().iter().map(sorted).collect::<Vec<_>>().join("\n           ")
}

/// As in RFC 7396: null removes.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let into = into.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            into.remove(key);
        } else {
            merge(into.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// Scalars as the text that tables are read as, so that `{id: 1}` can be written.
fn texts(value: &Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value.clone(),
        Value::Array(items) => items.iter().map(texts).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, item)| (key.clone(), texts(item))).collect::<Map<_, _>>())
        }
        scalar => scalar.to_string().into(),
    }
}
