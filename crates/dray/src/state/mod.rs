//! What a pipeline remembers between runs: dlt's state JSON with typed access to cursors (dlt.md §5.3).

pub mod stored;

use serde_json::{Map, Value, json};

/// Beside `incremental`: cursors of dependent resources, one a parent record.
const PARTITIONS: &str = "dray_partitions";

/// The state of a pipeline. What dlt keeps in it and this program does not know is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineState {
    value: Value,
    changed: bool,
}

/// The names that a state is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateNames<'a> {
    /// The pipeline.
    pub pipeline: &'a str,
    /// The dataset.
    pub dataset: &'a str,
    /// The schema (dlt's source name).
    pub schema: &'a str,
    /// The kind of database, as in `duckdb`.
    pub destination: &'a str,
}

/// An incremental position as stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredCursor {
    /// Where the first run started.
    pub initial_value: Value,
    /// The largest (or smallest) value seen.
    pub last_value: Value,
    /// Where the newest run started.
    pub start_value: Value,
    /// dlt's hashes of the rows at `last_value`.
    pub unique_hashes: Vec<String>,
}

impl PipelineState {
    /// The state to run with: what was restored, or an empty one.
    #[must_use]
    pub fn new(restored: Option<Value>, names: &StateNames<'_>) -> Self {
        let mut value = restored.filter(Value::is_object).unwrap_or_else(|| {
            json!({
                "_state_version": 0,
                "_state_engine_version": stored::ENGINE_VERSION,
                "pipeline_name": names.pipeline,
                "dataset_name": names.dataset,
                "default_schema_name": names.schema,
                "destination_type": format!("dlt.destinations.{}", names.destination),
                "destination_name": null,
            })
        });
        if let Some(object) = value.as_object_mut() {
            let schemas = object.entry("schema_names").or_insert_with(|| json!([]));
            if let Some(schemas) = schemas.as_array_mut()
                && !schemas.iter().any(|name| name == names.schema)
            {
                schemas.push(names.schema.into());
            }
        }
        Self { value, changed: false }
    }

    /// The JSON.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The stored cursor. `partition` is the JSON text of the parent's key; none: of the whole resource.
    #[must_use]
    pub fn cursor(
        &self,
        source: &str,
        resource: &str,
        cursor: &str,
        partition: Option<&str>,
    ) -> Option<StoredCursor> {
        let mut place = &self.value;
        for key in path(source, resource, partition) {
            place = place.get(key)?;
        }
        let stored = place.get(cursor)?.as_object()?;
        let value = |key: &str| stored.get(key).cloned().unwrap_or_default();
        let hashes = stored.get("unique_hashes").and_then(Value::as_array).into_iter().flatten();
        Some(StoredCursor {
            initial_value: value("initial_value"),
            last_value: value("last_value"),
            start_value: value("start_value"),
            unique_hashes: hashes.filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }

    /// All stored cursors of a resource by partition; the whole resource's is under an empty text.
    #[must_use]
    pub fn cursors(&self, source: &str, resource: &str, cursor: &str) -> Vec<(String, StoredCursor)> {
        let whole = self.cursor(source, resource, cursor, None).map(|stored| (String::new(), stored));
        let place = self
            .value
            .get("sources")
            .and_then(|sources| sources.get(source)?.get("resources")?.get(resource));
        let partitions = place.and_then(|place| place.get(PARTITIONS)).and_then(Value::as_object);
        let names = partitions.into_iter().flat_map(Map::keys);
        let of_parents =
            names.filter_map(|name| Some((name.clone(), self.cursor(source, resource, cursor, Some(name))?)));
        whole.into_iter().chain(of_parents).collect()
    }

    /// Stores a cursor.
    pub fn set_cursor(
        &mut self,
        source: &str,
        resource: &str,
        cursor: &str,
        partition: Option<&str>,
        stored: StoredCursor,
    ) {
        let mut place = &mut self.value;
        for key in path(source, resource, partition) {
            place = entry(place, key);
        }
        let stored = json!({
            "initial_value": stored.initial_value,
            "last_value": stored.last_value,
            "unique_hashes": stored.unique_hashes,
            "start_value": stored.start_value,
        });
        let slot = entry(place, cursor);
        self.changed |= *slot != stored;
        *slot = stored;
    }

    /// Forgets everything stored of a resource, cursors of parents included.
    pub fn forget(&mut self, source: &str, resource: &str) {
        let resources =
            self.value.get_mut("sources").and_then(|sources| sources.get_mut(source)?.get_mut("resources"));
        let removed =
            resources.and_then(Value::as_object_mut).and_then(|resources| resources.shift_remove(resource));
        self.changed |= removed.is_some();
    }

    /// Whether something changed since the state was made or [`PipelineState::saved`].
    #[must_use]
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// Notes that the state is durable as it is now.
    pub fn saved(&mut self) {
        self.changed = false;
    }
}

fn path<'a>(source: &'a str, resource: &'a str, partition: Option<&'a str>) -> impl Iterator<Item = &'a str> {
    let kind = if partition.is_some() { PARTITIONS } else { "incremental" };
    ["sources", source, "resources", resource, kind].into_iter().chain(partition)
}

/// The value under `key`, an empty object where there is none. What stands in the way and is no object is replaced.
fn entry<'v>(value: &'v mut Value, key: &str) -> &'v mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(object) => object.entry(key).or_insert_with(|| Value::Object(Map::new())),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: StateNames<'_> =
        StateNames { pipeline: "orb", dataset: "orb_dataset", schema: "rest_api", destination: "duckdb" };

    /// Written by dlt 1.31.
    const OF_DLT: &str = "eNpdUe9LwzAQ/V/y1bIxrSgFPzgdQ4uIY2yoSLg21zUuTbP8GM7h/26ybLaYT3f33r27d9kTaixYpFvUhreSZKPkVEK54rKHpAkxZY0NUAkNGpK9E43GUlCcfCSEYQVOWNrjkKxjeAJYMGhPiNJtgTQUPaa4QhGm9cHQ49u5BOsXoHanAsSEHfTKZsBcuWbFP3LUkU4I7+dogdZgaq/wOV2Pl29n4/Pv++eH2UUxXG749FIsdrO8+mJ3C5UPJ05N8vn1y42XNa3TZfC779zEuAPKGvQqhlyWGhuUFkRInfIWkUWEWw6CbkE4PFxagNc7plcJcZJvHB7WjPedqzQt86fX6tY9hhv7j9F/DaOf+H4BO5Ogzg==";

    #[test]
    fn a_state_of_dlt_gives_its_cursor_and_its_hash() {
        let stored = stored::parse(OF_DLT).unwrap();
        assert_eq!(stored.hash, "jGkBWZ+B2zDOIR3b/WqiG5lVyRKfxdCVpK/EupEKT8Q=");
        let state = PipelineState::new(Some(stored.value), &NAMES);
        let cursor = state.cursor("rest_api", "charges", "updated", None).unwrap();
        assert_eq!(cursor.last_value, json!(7));
        assert_eq!(cursor.unique_hashes, ["Tp44cKMYfAuJ"]);
        assert!(!state.changed());
    }

    #[test]
    fn only_a_changed_state_gets_a_new_version() {
        let first = stored::parse(OF_DLT).unwrap();
        let mut state = PipelineState::new(Some(first.value.clone()), &NAMES);
        assert_eq!(stored::seal(state.value(), Some(&first)).version, 1);
        let cursor = StoredCursor { last_value: json!(9), ..StoredCursor::default() };
        state.set_cursor("rest_api", "charges", "updated", None, cursor);
        assert!(state.changed());
        let next = stored::seal(state.value(), Some(&first));
        assert_eq!(next.version, 2);
        assert_eq!(stored::parse(&stored::text(&next).unwrap()).unwrap(), next);
    }

    #[test]
    fn each_parent_has_its_own_cursor() {
        let mut state = PipelineState::new(None, &NAMES);
        let cursor = |last: i64| StoredCursor { last_value: json!(last), ..StoredCursor::default() };
        state.set_cursor("rest_api", "plans", "updated", Some("[1]"), cursor(10));
        state.set_cursor("rest_api", "plans", "updated", Some("[2]"), cursor(20));
        assert_eq!(state.cursor("rest_api", "plans", "updated", Some("[1]")), Some(cursor(10)));
        assert_eq!(state.cursor("rest_api", "plans", "updated", None), None);
        state.saved();
        state.set_cursor("rest_api", "plans", "updated", Some("[2]"), cursor(20));
        assert!(!state.changed());
    }
}
